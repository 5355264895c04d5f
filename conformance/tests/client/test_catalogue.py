"""A catalogue of changes of the document: each is generated without a warning, is typed, and can be called.

They stand in one document, so that they cost one generation and one run of mypy.
"""

import asyncio
import importlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

import httpx
import pytest
from client.test_drift import generate
from client.voices import BASE_URL, KEY
from hostup_agent_exec.types import UNSET
from hostup_conformance.judging.ledger import load_yaml

# Whole runs, or many cases of one kind: `make catalogue` runs them.
pytestmark = pytest.mark.catalogue

ROOT = Path(__file__).parents[3]
UUID_TEXT = "123e4567-e89b-12d3-a456-426614174000"


def ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def content(schema: Any, media: str = "application/json") -> dict[str, Any]:
    return {"description": "Done.", "content": {media: {"schema": schema}}}


def query(name: str, schema: Any, where: str = "query", **more: Any) -> dict[str, Any]:
    return {"name": name, "in": where, "schema": schema, **more}


SCHEMAS: dict[str, Any] = {
    "Colour": {"type": "string", "enum": ["red", "dark-blue", "1st"]},
    "Number": {"type": "integer", "enum": [1, 2, 3]},
    "Base": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}},
    "Derived": {"allOf": [ref("Base"), {"type": "object", "properties": {"size": {"type": "integer"}}}]},
    "Cat": {"type": "object", "required": ["meows"], "properties": {"meows": {"type": "boolean"}}},
    "Dog": {"type": "object", "required": ["barks"], "properties": {"barks": {"type": "boolean"}}},
    "Tree": {"type": "object", "properties": {"children": {"type": "array", "items": ref("Tree")}, "up": ref("Tree")}},
}  # fmt: skip
TREE: dict[str, Any] = {"children": [{"children": []}], "up": {}}


@dataclass
class Change:
    """A change of the document, a call of what it adds, and what comes of it."""

    response: Any = None
    """The schema of the 200, if no responses are given."""
    body: Any = None
    """What the server sends: JSON, bytes or nothing."""
    expected: Any = ...
    """What the call returns; unless given, a model that becomes the body again."""
    responses: dict[str, Any] | None = None
    parameters: list[Any] = field(default_factory=list)
    request: dict[str, Any] | None = None
    status: int = 200
    method: str = "get"
    path: str = ""
    arguments: Any = None
    """Makes the call's arguments, of the package's models and types."""
    sent: Any = None
    """What the request holds: a part of its URL, header fields or body."""
    more: dict[str, Any] = field(default_factory=dict)


def member(schema: Any, *, required: bool = False) -> dict[str, Any]:
    return {"type": "object", "properties": {"value": schema}, **({"required": ["value"]} if required else {})}


def posted(schema: Any, media: str = "application/json", required: bool = True) -> dict[str, Any]:
    return {"required": required, "content": {media: {"schema": schema}}}


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "form": (
        {"requestBody": posted(member({"type": "string"}), "application/x-www-form-urlencoded")},
        "POST /refused: the client sends bodies of application/json alone",
    ),
    "files": (
        {"requestBody": posted({"type": "string", "format": "binary"}, "application/octet-stream")},
        "POST /refused: the client sends bodies of application/json alone",
    ),
    "cookie": (
        {"parameters": [query("session", {"type": "string"}, "cookie")]},
        "POST /refused: the client sends no cookie parameters; leave session out",
    ),
    "no success": (
        {"responses": {"404": {"$ref": "#/components/responses/NotFound"}}},
        "refused: no response with a status of 200 to 299",
    ),
    "pages": (
        {"responses": {"200": {**content(ref("VpsPage")), "x-pages": {"items": "vms", "next": "n", "cursor": "c"}}}},
        "x-pages: VpsPage has no member vms",
    ),
}
CHANGES: dict[str, Change] = {
    "enum": Change(member(ref("Colour")), {"value": "dark-blue"}),
    "integer_enum": Change(member(ref("Number")), {"value": 2}),
    "nullable_enum": Change(member({"oneOf": [ref("Colour"), {"type": "null"}]}), {"value": None}),
    "inline_nullable_enum": Change(member({"type": ["string", "null"], "enum": ["a", "b", None]}), {"value": "a"}),
    "constant": Change(member({"const": "fixed"}), {"value": "fixed"}),
    "date_time": Change(member({"type": "string", "format": "date-time"}), {"value": "2026-01-02T03:04:05+00:00"}),
    "nullable_date": Change(member({"type": ["string", "null"], "format": "date"}), {"value": "2026-01-02"}),
    "uuid": Change(member({"type": "string", "format": "uuid"}), {"value": UUID_TEXT}),
    "nested_object": Change(member(member({"type": "number"}), required=True), {"value": {"value": 1.5}}),
    "array_of_objects": Change(member({"type": "array", "items": ref("Base")}), {"value": [{"id": "a"}, {"id": "b"}]}),
    "array_of_arrays": Change(
        member({"type": "array", "items": {"type": "array", "items": {"type": "integer"}}}), {"value": [[1], []]}
    ),
    "map_of_numbers": Change({"type": "object", "additionalProperties": {"type": "integer"}}, {"a": 1, "b": 2}),
    "map_of_objects": Change({"type": "object", "additionalProperties": ref("Base")}, {"a": {"id": "x"}}),
    "closed_object": Change({**member({"type": "string"}), "additionalProperties": False}, {"value": "x"}),
    "all_of": Change(ref("Derived"), {"id": "a", "size": 3}),
    "one_of": Change(member({"oneOf": [ref("Cat"), ref("Dog")]}), {"value": {"barks": True}}),
    "one_of_kinds": Change(member({"oneOf": [{"type": "integer"}, {"type": "string"}]}), {"value": "x"}),
    "one_of_response": Change({"anyOf": [ref("Cat"), ref("Dog")]}, {"barks": False}),
    "nullable_reference": Change(member({"anyOf": [ref("Base"), {"type": "null"}]}), {"value": None}),
    "recursion": Change(ref("Tree"), TREE),
    "anything": Change(member({}), {"value": [1, {"a": None}]}),
    "default_value": Change(member({"type": "string", "default": "x"}), {"value": "y"}),
    "array_response": Change({"type": "array", "items": ref("Base")}, [{"id": "a"}], expected=1),
    "string_response": Change({"type": "string"}, "x", expected="x"),
    "nullable_response": Change({"type": ["integer", "null"]}, None, expected=None),
    "plain_text": Change(
        responses={"200": content({"type": "string"}, "text/plain")}, body="héllo".encode(), expected="héllo"
    ),
    "binary": Change(
        responses={"200": content({"type": "string", "format": "binary"}, "application/octet-stream")},
        body=b"\0\xff", expected=b"\0\xff",
    ),
    "accepted": Change(
        responses={"200": content(ref("Cat")), "202": content(ref("Dog"))}, status=202, body={"barks": True}
    ),
    "no_content": Change(
        responses={"204": {"description": "Gone."}}, status=204, body=b"", expected=None, method="delete"
    ),
    "either_content": Change(
        responses={"200": content(ref("Cat")), "204": {"description": "None."}}, status=204, body=b"", expected=None
    ),
    "conflict": Change(
        responses={"200": content(ref("Cat")),
                   "409": {"x-error": "Conflict", **content(ref("Problem"), "application/problem+json")}},
        status=409, body={"code": "vps_not_ready"}, expected="Conflict",
    ),
    "default_error": Change(
        responses={"200": content(ref("Cat")), "default": content(ref("Problem"))}, body={"meows": True}
    ),
    "default_success": Change(responses={"default": content(ref("Cat"))}, body={"meows": True}),
    "server_errors": Change(
        responses={"200": content(ref("Cat")), "5XX": content(ref("Problem"))}, status=502, body={"code": "x"},
        expected="UnexpectedStatus",
    ),
    "ranges": Change(responses={"2XX": content(ref("Cat"))}, status=206, body={"meows": False}),
    "array_in_query": Change(
        ref("Cat"), {"meows": True}, parameters=[query("tag", {"type": "array", "items": {"type": "string"}})],
        arguments=lambda _: {"tag": ["a", "b c"]}, sent="?tag=a&tag=b+c",
    ),
    "enum_in_query": Change(
        ref("Cat"), {"meows": True}, parameters=[query("colour", ref("Colour"), required=True)],
        arguments=lambda models: {"colour": models.Colour("dark-blue")}, sent="?colour=dark-blue",
    ),
    "enums_in_query": Change(
        ref("Cat"), {"meows": True}, parameters=[query("colours", {"type": "array", "items": ref("Colour")})],
        arguments=lambda models: {"colours": [models.Colour("red")]}, sent="?colours=red",
    ),
    "times_in_query": Change(
        ref("Cat"), {"meows": True},
        parameters=[query("since", {"type": "string", "format": "date-time"}),
                    query("id", {"type": "string", "format": "uuid"}),
                    query("day", {"type": "string", "format": "date"}), query("all", {"type": "boolean"})],
        arguments=lambda _: {"since": datetime(2026, 1, 2, tzinfo=UTC), "id": UUID(UUID_TEXT), "day": date(2026, 1, 2),
                             "all_": True},
        sent=f"?since=2026-01-02T00%3A00%3A00%2B00%3A00&id={UUID_TEXT}&day=2026-01-02&all=true",
    ),
    "bounded_query": Change(
        responses={"200": content(ref("Cat"))},
        body={"meows": True}, parameters=[query("size", {"type": "integer", "minimum": 1, "maximum": 9})],
        arguments=lambda _: {"size": 9}, sent="?size=9",
    ),
    "headers": Change(
        ref("Cat"), {"meows": True},
        parameters=[query("X-Text", {"type": "string"}, "header"), query("X-Count", {"type": "integer"}, "header"),
                    query("X-Flag", {"type": "boolean"}, "header", required=True)],
        arguments=lambda _: {"x_text": "t", "x_count": 3, "x_flag": True},
        sent={"x-text": "t", "x-count": "3", "x-flag": "true"},
    ),
    "path_parameters": Change(
        ref("Cat"), {"meows": True}, path="/{number}/x/{text}",
        parameters=[query("number", {"type": "integer"}, "path", required=True),
                    query("text", {"type": "string"}, "path", required=True)],
        arguments=lambda _: {"number": 7, "text": "a/b"}, sent="/7/x/a%2Fb",
    ),
    "keywords": Change(
        {"type": "object",
         "properties": {"class": {"type": "string"}, "from": {"type": "integer"}, "None": {"type": "string"}}},
        {"class": "a", "from": 1},
        parameters=[query("import", {"type": "string"}), query("async", {"type": "boolean"}),
                    query("self", {"type": "string"})],
        arguments=lambda _: {"import_": "x", "async_": False, "self_": "y"}, sent="?import=x&async=false&self=y",
    ),
    "names_of_our_own": Change(
        ref("Cat"), {"meows": True},
        parameters=[query(name, {"type": "string"}) for name in
                    ("timeout", "headers", "query", "check", "params", "response", "decode", "cookies", "client",
                     "retries", "interval", "on_start", "body")],
        arguments=lambda _: {"timeout_query": "1", "query": "2", "check_query": "3", "headers_query": "4",
                             "client_query": "5"},
        sent="?timeout=1&headers=4&query=2&check=3&client=5",
    ),
    "json_body": Change(
        ref("Cat"), {"meows": True}, method="post", request=posted(ref("Base")),
        arguments=lambda models: {"body": models.Base(id="a")}, sent=b'{"id":"a"}',
    ),
    "optional_body": Change(
        ref("Cat"), {"meows": True}, method="put", request=posted(ref("Base"), required=False), sent=b"",
    ),
    "array_body": Change(
        ref("Cat"), {"meows": True}, method="patch", request=posted({"type": "array", "items": ref("Base")}),
        arguments=lambda models: {"body": [models.Base(id="a"), models.Base(id="b")]}, sent=b'[{"id":"a"},{"id":"b"}]',
    ),
    "without_key": Change(ref("Cat"), {"meows": True}, more={"security": []}),
    "described": Change(
        ref("Cat"), {"meows": True}, more={"summary": 'Quotes """ and \\ too', "description": 'A "quoted" text\\'},
    ),
}  # fmt: skip


def combined() -> dict[str, Any]:
    document: dict[str, Any] = load_yaml((ROOT / "spec" / "openapi.yaml").read_bytes())
    document["components"]["schemas"].update(SCHEMAS)
    for name, change in CHANGES.items():
        operation = {
            "operationId": name, "tags": ["changes"], "security": [{"bearerAuth": []}],
            "parameters": change.parameters,
            "responses": change.responses or {"200": content(change.response)},
            **({"requestBody": change.request} if change.request else {}), **change.more,
        }  # fmt: skip
        document["paths"][f"/{name}{change.path}"] = {change.method: operation}
    paths = document["paths"]
    paths["/api/v2/vps"]["get"]["parameters"] += [
        query("region", {"type": "string"}, required=True, description="What region says."),
        query("page", {"type": "integer", "minimum": 2, "maximum": 7}, description="What page says."),
        query("tag", {"type": "string", "maxLength": 3}),
    ]
    responses = paths["/api/v2/vps/{id}/agent/exec"]["post"]["responses"]
    responses["201"] = responses["202"] = responses["200"]
    document["paths"]["/cows"] = {"get": {
        "operationId": "listCows", "tags": ["farm"], "security": [{"bearerAuth": []}],
        "parameters": [query("after", {"type": "string"})],
        "responses": {"200": {
            **content({"type": "object", "title": "Herd",
                       "properties": {"cows": {"type": "array", "items": ref("Base")}, "then": {"type": "string"}}}),
            "x-pages": {"items": "cows", "next": "then", "cursor": "after"}, "x-repeatable": "always"}},
    }}  # fmt: skip
    return document


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """Generate from the whole catalogue, without a warning, and import the result."""
    folder = tmp_path_factory.mktemp("catalogue")
    (folder / "openapi.yaml").write_text(json.dumps(combined()))
    generate(folder, folder / "catalogue_client", document=folder / "openapi.yaml")
    sys.path.insert(0, str(folder))
    yield importlib.import_module("catalogue_client")
    sys.path.remove(str(folder))


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_client_cannot_do_is_refused(name: str, tmp_path: Path) -> None:
    change, says = REFUSED[name]
    document = load_yaml((ROOT / "spec" / "openapi.yaml").read_bytes())
    operation = {"operationId": "refused", "tags": ["changes"], "responses": {"200": content(ref("VpsPage"))}, **change}
    document["paths"]["/refused"] = {"post": operation}
    (tmp_path / "openapi.yaml").write_text(json.dumps(document))
    with pytest.raises(AssertionError, match=re.escape(f"the client was not made: {says}")):
        generate(tmp_path, tmp_path / "client", document=tmp_path / "openapi.yaml")


#: What is written of changes of our own operations, by file.
WRITTEN = {
    "__main__.py": ['_command_line.Argument("region", str, "What region says")'],
    "api/agent/start_agent_exec.py": ["201: ", "202: "],
    "api/vps/list_vps.py": [
        "    region: str,", 'check_range("page", page, 2, 7)', "What page says. (2 to 7)",
        'check_text("tag", tag, 0, 3',
    ],
}  # fmt: skip


@pytest.mark.parametrize("file", WRITTEN)
def test_changes_of_our_own_operations_are_whole(package: ModuleType, file: str) -> None:
    written = (Path(str(package.__file__)).parent / file).read_text(encoding="utf-8")
    assert [text for text in WRITTEN[file] if text not in written] == []
    assert file != "__main__.py" or written.count('name="run"') == 1


def part(package: ModuleType, name: str) -> Any:
    return importlib.import_module(f"{package.__name__}.{name}")


def test_there_are_enough() -> None:
    assert len(CHANGES) >= 30


def test_all_of_it_is_typed(package: ModuleType, tmp_path: Path) -> None:
    shutil.copytree(Path(str(package.__file__)).parent, tmp_path / "hostup_agent_exec")  # the runtime's types name it
    command: list[str | Path] = [Path(sys.executable).parent / "mypy", "--strict", "--cache-dir", tmp_path / "cache"]
    done = subprocess.run(
        [*command, "-p", "hostup_agent_exec"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("is_async", [False, True])
def test_it_can_be_called(package: ModuleType, name: str, is_async: bool) -> None:
    change, asked = CHANGES[name], list[httpx.Request]()

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        body = change.body if isinstance(change.body, bytes) else json.dumps(change.body).encode()
        return httpx.Response(change.status, content=body)

    client = package.AuthenticatedClient(BASE_URL, KEY, httpx_args={"transport": httpx.MockTransport(answer)})
    models = part(package, "models")
    operation = part(package, f"api.changes.{name}")
    arguments = change.arguments(models) if change.arguments else {}

    def call() -> Any:
        if is_async:
            return asyncio.run(operation.asyncio(client=client, **arguments))
        return operation.sync(client=client, **arguments)

    if isinstance(change.expected, str) and change.status >= 400:
        with pytest.raises(getattr(part(package, "errors"), change.expected)):
            call()
    else:
        check(call(), change)
    detailed = operation.sync_detailed(client=client, **(change.arguments(models) if change.arguments else {}))
    assert detailed.status_code == change.status
    check_request(asked[0], change)
    assert KEY in asked[0].headers["authorization"]


def check(value: Any, change: Change) -> None:
    if change.expected is ...:
        assert value.to_dict() == change.body
    elif change.expected == 1:
        assert [item.to_dict() for item in value] == change.body
    else:
        assert value == change.expected


def check_request(request: httpx.Request, change: Change) -> None:
    assert request.method == change.method.upper()
    if isinstance(change.sent, str):
        assert request.url.raw_path.decode().endswith(change.sent)
    elif isinstance(change.sent, bytes):
        assert change.sent in request.read()
    else:
        assert (change.sent or {}).items() <= dict(request.headers).items()


def test_what_is_bounded_is_checked(package: ModuleType) -> None:
    client = package.AuthenticatedClient(BASE_URL, KEY)
    with pytest.raises(ValueError, match=r"^size: expected 1 to 9$"):
        part(package, "api.changes.bounded_query").sync(client=client, size=0)


@pytest.mark.parametrize(
    ("name", "body", "says"),
    [
        ("nested_object", {"value": {"value": "x"}}, "$.value.value: expected number, got string"),
        ("array_of_arrays", {"value": [[1], ["x"]]}, "$.value[1][0]: expected integer, got string"),
        ("enum", {"value": 7}, "$.value: expected one of the listed values, got integer"),
        ("date_time", {"value": 7}, "$.value: expected date-time, got integer"),
        ("map_of_numbers", {"a": 1, "b": "x"}, "$.*: expected integer, got string"),
        (
            "recursion",
            {"up": {"children": [{"children": 7}]}},
            "$.up.children[0].children: expected array, got integer",
        ),
    ],
)
def test_responses_are_checked_in_depth(package: ModuleType, name: str, body: Any, says: str) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=body))
    client = package.AuthenticatedClient(BASE_URL, KEY, httpx_args={"transport": transport})
    with pytest.raises(part(package, "errors").InvalidResponse) as caught:
        part(package, f"api.changes.{name}").sync(client=client)
    assert str(caught.value).startswith(f"{says} (200: GET ")


@pytest.mark.parametrize(
    ("name", "arguments", "error"),
    [
        ("json_body", lambda models: {"body": models.Base(id=None)}, ValueError),
        ("json_body", lambda _: {"body": {"id": "a"}}, TypeError),
        ("json_body", lambda _: {"body": None}, TypeError),
        ("enum_in_query", lambda _: {"colour": "red"}, TypeError),
        ("bounded_query", lambda _: {"size": None}, TypeError),
        ("bounded_query", lambda _: {"size": True}, TypeError),
        ("headers", lambda _: {"x_flag": True, "x_count": "3"}, TypeError),
        ("path_parameters", lambda _: {"number": 7, "text": ".."}, ValueError),
    ],
)
def test_what_cannot_be_right_is_not_sent(
    package: ModuleType, name: str, arguments: Any, error: type[Exception]
) -> None:
    server = Farm()
    with pytest.raises(error):
        part(package, f"api.changes.{name}").sync(client=farm(package, server), **arguments(part(package, "models")))
    assert server.seen == []


def test_only_x_run_makes_a_run(package: ModuleType) -> None:
    assert not hasattr(part(package, "api.changes.json_body"), "run")


class Farm:
    """Has two pages of cows."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(f"{request.method} {request.url.raw_path.decode()}")
        page = {"cows": [{"id": "a"}], "then": "1"} if "after" not in request.url.params else {}
        return httpx.Response(200, json=page)


def farm(package: ModuleType, server: Farm) -> Any:
    return package.AuthenticatedClient(BASE_URL, KEY, httpx_args={"transport": httpx.MockTransport(server)})


def test_other_pages_are_turned(package: ModuleType) -> None:
    server = Farm()
    cows = part(package, "api.farm.list_cows").iterate(client=farm(package, server))
    assert [cow.id for cow in cows] == ["a"]
    assert server.seen == ["GET /cows", "GET /cows?after=1"]


def test_unset_is_not_sent(package: ModuleType) -> None:
    unset = part(package, "types").UNSET
    assert unset is UNSET
    server = Farm()
    part(package, "api.farm.list_cows").sync(client=farm(package, server), after=unset)
    assert server.seen == ["GET /cows"]
