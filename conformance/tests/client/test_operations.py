"""The operations beside the endpoint's own: each sends what it says, and reads what the document shows."""

import asyncio
import importlib
from types import ModuleType
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from client.voices import KEY, VPS, Clock, Recorder, new_client
from hostup_agent_exec import AuthenticatedClient, errors
from hostup_agent_exec.api.agent import get_agent_exec, start_agent_exec
from hostup_agent_exec.api.vps import get_vps_status, list_vps
from hostup_agent_exec.models import CommandStart, Problem, StartedCommand, VpsPage, VpsStatus
from hostup_conformance.contract.document import document

#: By operation: its module, its arguments, what it sends, what it returns, and where the document has it.
OPERATIONS: dict[str, tuple[ModuleType, tuple[str, ...], dict[str, Any], str, type, tuple[str, str]]] = {
    "start": (
        start_agent_exec, (VPS,), {"body": CommandStart("uname -a")}, f"POST /api/v2/vps/{VPS}/agent/exec",
        StartedCommand, ("/api/v2/vps/{id}/agent/exec", "post"),
    ),
    "status": (
        get_vps_status, (VPS,), {}, f"GET /api/v2/vps/{VPS}/status", VpsStatus, ("/api/v2/vps/{id}/status", "get"),
    ),
    "list": (
        list_vps, (), {"limit": 5, "cursor": "a&b", "include": "x", "primary_ip": "192.0.2.1", "name": "web 1"},
        "GET /api/v2/vps?limit=5&cursor=a%26b&include=x&primaryIp=192.0.2.1&name=web+1", VpsPage,
        ("/api/v2/vps", "get"),
    ),
    "list of all": (list_vps, (), {}, "GET /api/v2/vps", VpsPage, ("/api/v2/vps", "get")),
}  # fmt: skip


def server_of(status: int, body: Any) -> Recorder:
    return Recorder(httpx.Response(status, json=body))


def request_of(server: Recorder) -> str:
    (request,) = server.requests
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    return server.lines[0]


def call(module: ModuleType, form: str, client: AuthenticatedClient, *arguments: str, **more: Any) -> Any:
    """Call an operation in one of its four forms."""
    result = getattr(module, form)(*arguments, client=client, **more)

    async def finish() -> Any:
        async with client:
            return await result

    return asyncio.run(finish()) if form.startswith("asyncio") else result


def example(path: str, method: str) -> Any:
    return document()["paths"][path][method]["responses"]["200"]["content"]["application/json"]["example"]


@pytest.fixture(params=OPERATIONS)
def operation(request: pytest.FixtureRequest) -> Any:
    return OPERATIONS[request.param]


@pytest.mark.parametrize("form", ["sync", "asyncio"])
def test_it_returns_what_the_document_shows(operation: Any, form: str) -> None:
    module, arguments, more, request, kind, place = operation
    server = server_of(200, example(*place))
    result = call(module, form, server.client, *arguments, **more)
    assert isinstance(result, kind)
    assert result.to_dict() == example(*place)
    assert request_of(server) == request


@pytest.mark.parametrize("form", ["sync_detailed", "asyncio_detailed"])
def test_in_detail_it_returns_the_whole_answer(operation: Any, form: str) -> None:
    module, arguments, more, request, kind, place = operation
    server = server_of(200, example(*place))
    answer = call(module, form, server.client, *arguments, **more)
    assert (answer.status_code, type(answer.parsed), request_of(server)) == (200, kind, request)
    problem = {"type": "t", "code": "not_found", "detail": "d"}
    answer = call(module, form, server_of(404, problem).client, *arguments, **more)
    assert (answer.status_code, answer.parsed) == (404, Problem(type_="t", code="not_found", detail="d"))
    with pytest.raises(errors.InvalidResponse):
        call(module, form, server_of(200, []).client, *arguments, **more)


FORMS = pytest.mark.parametrize("form", ["sync", "asyncio", "sync_detailed", "asyncio_detailed"])


@FORMS
def test_a_call_may_have_its_own_timeout(operation: Any, form: str) -> None:
    module, arguments, more, _, _, place = operation
    server = server_of(200, example(*place))
    call(module, form, server.client, *arguments, **more, timeout=5.0, headers={"X-Trace": "7"})
    (request,) = server.requests
    assert request.headers["X-Trace"] == "7"
    assert 0 < request.extensions["timeout"]["read"] <= 5


@FORMS
def test_what_the_document_lets_repeat_is_repeated(operation: Any, form: str, clock: Clock) -> None:
    module, arguments, more, _, _, place = operation
    answers = [httpx.Response(502), httpx.Response(200, json=example(*place))]
    transport = httpx.MockTransport(lambda _: answers.pop(0))
    client = new_client(retries=1, httpx_args={"transport": transport})
    if place[1] == "get":
        call(module, form, client, *arguments, **more)
    elif form.endswith("detailed"):
        assert call(module, form, client, *arguments, **more).status_code == 502
    else:
        with pytest.raises(errors.UnexpectedStatus):
            call(module, form, client, *arguments, **more)
    assert len(answers) == (place[1] != "get") == (not clock.slept)


@pytest.mark.parametrize("form", ["sync", "asyncio"])
def test_any_other_answer_is_an_error(operation: Any, form: str) -> None:
    module, arguments, more, *_ = operation
    for status, error in ((404, errors.NotFound), (201, errors.UnexpectedStatus), (200, errors.InvalidResponse)):
        with pytest.raises(error):
            call(module, form, server_of(status, []).client, *arguments, **more)


@pytest.mark.parametrize(
    ("module", "arguments", "more", "error", "says"),
    [
        (get_vps_status, ("",), {}, ValueError, "id: expected neither an empty string nor a dot segment"),
        (get_vps_status, (7,), {}, TypeError, "id: expected str, got int"),
        (list_vps, (), {"limit": "5"}, TypeError, "limit: expected int or Unset, got str"),
        (list_vps, (), {"cursor": 5}, TypeError, "cursor: expected str or Unset, got int"),
        (list_vps, (), {"include": 5}, TypeError, "include: expected str or Unset, got int"),
        (list_vps, (), {"primary_ip": 5}, TypeError, "primary_ip: expected str or Unset, got int"),
        (list_vps, (), {"name": None}, TypeError, "name: expected str or Unset, got NoneType"),
        (start_agent_exec, ("..",), {"body": CommandStart("x")}, ValueError,
         "id: expected neither an empty string nor a dot segment"),
        (start_agent_exec, ("v",), {"body": CommandStart("x" * 5000)}, ValueError,
         "command: expected 1 to 4096 characters, got 5000"),
        (start_agent_exec, ("v",), {"body": {"command": "x"}}, TypeError, "body: expected CommandStart, got dict"),
    ],
)  # fmt: skip
def test_what_cannot_be_right_is_not_sent(
    module: ModuleType, arguments: tuple[Any, ...], more: dict[str, Any], error: type[Exception], says: str
) -> None:
    server = server_of(200, {})
    with pytest.raises(error) as caught:
        call(module, "sync", server.client, *arguments, **more)
    assert str(caught.value) == says
    assert server.requests == []


@pytest.mark.parametrize("id", ["a/b ?#ü", "..."])
def test_an_id_is_encoded_whole(id: str) -> None:
    server = server_of(200, {})
    get_vps_status.sync(id, client=server.client)
    assert request_of(server) == f"GET /api/v2/vps/{quote(id, safe='')}/status"
    server = server_of(200, {})
    start_agent_exec.sync(id, client=server.client, body=CommandStart("x"))
    assert request_of(server) == f"POST /api/v2/vps/{quote(id, safe='')}/agent/exec"
    assert server.requests[0].headers["Content-Type"] == "application/json"


SCHEMAS = document()["components"]["schemas"]
#: What no schema of the document takes for such a type.
WRONG = {"string": 7, "integer": "7", "number": "7", "boolean": 1, "array": {}, "object": []}
MEMBERS = [
    (name, member, schema)
    for name, model in SCHEMAS.items()
    if not model.get("x-tolerant")
    for member, schema in model["properties"].items()
]


def types_of(schema: dict[str, Any]) -> list[str]:
    if "$ref" in schema:
        return ["object"]
    given = schema.get("type", [])
    return [given] if isinstance(given, str) else given


def proper(schema: dict[str, Any]) -> Any:
    """Return a value that a schema takes."""
    if "$ref" in schema:
        schema = SCHEMAS[schema["$ref"].rpartition("/")[2]]
    values = {"string": "x", "integer": 7, "number": 1.5, "boolean": True, "array": [], "null": None}
    if types_of(schema)[:1] == ["object"]:
        return {member: proper(inner) for member, inner in schema["properties"].items()}
    return values[types_of(schema)[0]] if types_of(schema) else {"any": ["thing"]}


@pytest.mark.parametrize("name", [name for name in SCHEMAS if not SCHEMAS[name].get("x-tolerant")])
def test_a_model_keeps_all_that_it_reads(name: str) -> None:
    model = getattr(importlib.import_module("hostup_agent_exec.models"), name)
    body = {**proper(SCHEMAS[name]), "more": [1]}
    read = model.from_dict(body)
    assert read.to_dict() == body
    assert read.additional_properties == {"more": [1]}
    assert "more" in read
    read["another"] = "thing"
    assert read.to_dict() == {**body, "another": "thing"}
    required = SCHEMAS[name].get("required", [])
    alone = {member: value for member, value in body.items() if member in required}
    assert model.from_dict(alone).to_dict() == alone
    for missing in required:
        with pytest.raises(ValueError, match=rf"^\$\.{missing}: expected .*, got nothing$"):
            model.from_dict({member: value for member, value in body.items() if member != missing})


@pytest.mark.parametrize(("name", "member", "schema"), MEMBERS)
def test_a_member_of_another_type_is_named(name: str, member: str, schema: dict[str, Any]) -> None:
    model = getattr(importlib.import_module("hostup_agent_exec.models"), name)
    body = proper(SCHEMAS[name])
    allowed = types_of(schema)
    if allowed:
        with pytest.raises(ValueError, match=rf"^\$\.{member}: expected "):
            model.from_dict({**body, member: WRONG[allowed[0]]})
    if "null" in allowed or not allowed:
        assert model.from_dict({**body, member: None}).to_dict()[member] is None
    else:
        with pytest.raises(ValueError, match=rf"^\$\.{member}: expected .*, got null$"):
            model.from_dict({**body, member: None})


@FORMS
@pytest.mark.parametrize("pid", [{}, {"pid": 7}])
def test_so_it_is_with_probes_and_polls(form: str, pid: dict[str, int], clock: Clock) -> None:
    answers = [httpx.Response(502), httpx.Response(200, json={"exited": True} if pid else {})]
    server = Recorder(lambda _: answers.pop(0))
    client = new_client(retries=1, httpx_args={"transport": server})
    arguments: dict[str, Any] = {**pid, "timeout": 5.0, "headers": {"X-Trace": "7"}}
    if pid and not form.endswith("detailed"):
        with pytest.raises(errors.UnexpectedStatus):
            call(get_agent_exec, form, client, VPS, **arguments)
    else:
        call(get_agent_exec, form, client, VPS, **arguments)
    assert len(server.requests) == (1 if pid else 2)
    assert (len(clock.slept), server.requests[0].headers["X-Trace"]) == (len(server.requests) - 1, "7")
    assert 0 < server.requests[0].extensions["timeout"]["read"] <= 5


@pytest.mark.parametrize("form", ["iterate", "asyncio_iterate"])
def test_each_page_is_asked_for_as_the_first(form: str, clock: Clock) -> None:  # noqa: ARG001
    answers = [
        httpx.Response(200, json={"data": [{"id": "a"}], "hasMore": True, "nextCursor": "c"}),
        httpx.Response(503),
        httpx.Response(200, json={"data": [{"id": "b"}]}),
    ]
    server = Recorder(lambda _: answers.pop(0))
    client = new_client(retries=1, httpx_args={"transport": server})
    more: dict[str, Any] = {
        "limit": 1, "cursor": "b", "include": "i", "primary_ip": "192.0.2.1", "name": "n",
        "timeout": 5.0, "headers": {"X-Trace": "7"},
    }  # fmt: skip

    async def collect() -> list[str]:
        return [item.id async for item in list_vps.asyncio_iterate(client=client, **more)]

    is_async = form.startswith("asyncio")
    ids = asyncio.run(collect()) if is_async else [item.id for item in list_vps.iterate(client=client, **more)]
    assert ids == ["a", "b"]
    queries = [f"limit=1&cursor={cursor}&include=i&primaryIp=192.0.2.1&name=n" for cursor in "bcc"]
    assert [request.url.query.decode() for request in server.requests] == queries
    assert {request.headers["X-Trace"] for request in server.requests} == {"7"}
    assert all(0 < request.extensions["timeout"]["read"] <= 5 for request in server.requests)


def test_a_start_sends_only_these_header_fields() -> None:
    server = server_of(200, {"pid": 1})
    start_agent_exec.sync(VPS, client=server.client, body=CommandStart("x"))
    assert dict(server.requests[0].headers) == {
        "accept": "application/json, application/problem+json",
        "accept-encoding": "gzip",
        "authorization": f"Bearer {KEY}",
        "connection": "close",  # since httpx's MockTransport does not tell where it leads
        "content-length": "15",
        "content-type": "application/json",
        "host": "cloud.hostup.se",
        "user-agent": server.requests[0].headers["user-agent"],
    }
