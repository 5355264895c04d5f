"""Other endpoints, added to the document, get from the templates what the first one has."""

from __future__ import annotations

import importlib
import json
import sys
from types import ModuleType
from typing import Any

import httpx
import pytest
import yaml
from client.test_drift import generate
from client.voices import BASE_URL, KEY, VPS
from hostup_conformance.judging.ledger import document

SCHEMAS: dict[str, Any] = {
    "Command": {"type": "object", "required": ["command"], "properties": {"command": {"type": "string"}}},
    "Started": {"type": "object", "properties": {"pid": {"type": "integer"}, "pollUrl": {"type": "string"}}},
    "PowerState": {"type": "string", "enum": ["running", "stopped"]},
    "Usage": {"type": "object", "additionalProperties": {"type": "number"}},
    "Vps": {
        "type": "object",
        "required": ["id"],
        "properties": {
            "id": {"type": "string"},
            "powerState": {"$ref": "#/components/schemas/PowerState"},
            "uptimeSeconds": {"type": ["number", "null"]},
            "memory": {"$ref": "#/components/schemas/Usage"},
            "created": {"type": "string", "format": "date-time"},
            "next": {"$ref": "#/components/schemas/Vps"},
        },
    },
    "Page": {
        "type": "object",
        "required": ["data"],
        "properties": {"data": {"type": "array", "items": {"$ref": "#/components/schemas/Vps"}}},
    },
}
ID = {"$ref": "#/components/parameters/VpsId"}


def operation(name: str, answer: str, parameters: list[Any], **more: Any) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{answer}"}}}
    return {
        "operationId": name, "tags": ["vps"], "security": [{"bearerAuth": []}], "parameters": parameters,
        "responses": {
            "200": {"description": "Done.", "content": content},
            "404": {"$ref": "#/components/responses/NotFound"},
        },
        **more,
    }  # fmt: skip


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Generate from a document with three more operations, and import the result under another name."""
    folder = tmp_path_factory.mktemp("more")
    more = json.loads(json.dumps(document()))
    more["components"]["schemas"].update(SCHEMAS)
    command = {"application/json": {"schema": {"$ref": "#/components/schemas/Command"}}}
    paths = more["paths"]
    paths["/api/v2/vps/{id}/agent/exec"]["post"] = operation(
        "start", "Started", [ID], requestBody={"required": True, "content": command}
    )
    paths["/api/v2/vps/{id}/status"] = {"get": operation("status", "Vps", [ID])}
    state = {"name": "state", "in": "query", "schema": {"$ref": "#/components/schemas/PowerState"}}
    limit = {"name": "limit", "in": "query", "schema": {"type": "integer"}}
    trace = {"name": "X-Trace", "in": "header", "schema": {"type": "string"}}
    paths["/api/v2/vps"] = {"get": operation("list", "Page", [limit, state, trace])}
    (folder / "openapi.yaml").write_text(yaml.safe_dump(more))
    generate(folder, folder / "more_client", document=folder / "openapi.yaml")
    sys.path.insert(0, str(folder))
    try:
        yield importlib.import_module("more_client")
    finally:
        sys.path.remove(str(folder))


class Server:
    """Gives one answer, and keeps the last request."""

    def __init__(self, package: ModuleType, status: int = 200, body: object = None) -> None:
        self.status, self.body, self.asked = status, body, list[httpx.Request]()
        self.client = package.AuthenticatedClient(BASE_URL, KEY).set_httpx_client(
            httpx.Client(transport=httpx.MockTransport(self.answer))
        )

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return httpx.Response(self.status, json=self.body)


def api(package: ModuleType, name: str) -> Any:
    return importlib.import_module(f"{package.__name__}.api.vps.{name}")


def test_a_body_is_sent_and_checked(package: ModuleType) -> None:
    server = Server(package, body={"pid": 7, "pollUrl": "/p"})
    models = importlib.import_module(f"{package.__name__}.models")
    started = api(package, "start").sync(VPS, client=server.client, body=models.Command(command="uptime"))
    assert (started.pid, started.poll_url) == (7, "/p")
    assert (server.asked[0].method, json.loads(server.asked[0].content)) == ("POST", {"command": "uptime"})
    assert server.asked[0].headers["Content-Type"] == "application/json"
    for body, error in ((models.Command(command=None), ValueError), ({"command": "x"}, TypeError), (None, TypeError)):
        with pytest.raises(error):
            api(package, "start").sync(VPS, client=server.client, body=body)
    with pytest.raises(ValueError, match="dot segment"):
        api(package, "start").sync("..", client=server.client, body=models.Command(command="x"))
    assert len(server.asked) == 1


def test_only_x_run_makes_a_run(package: ModuleType) -> None:
    assert not hasattr(api(package, "start"), "run")


def test_answers_are_checked_in_depth(package: ModuleType) -> None:
    body = {"id": "v", "powerState": "running", "memory": {"usedGb": 1.5}, "next": {"id": "w"}, "new": 1}
    server = Server(package, body=body)
    vps = api(package, "status").sync(VPS, client=server.client)
    assert vps.to_dict() == body
    assert (vps.power_state.value, vps.memory["usedGb"], vps.next_.id) == ("running", 1.5, "w")
    for wrong, says in {
        "powerState": "$.powerState: expected one of the listed values, got integer",
        "memory": "$.memory: expected object, got integer",
        "created": "$.created: expected date-time, got integer",
        "uptimeSeconds": "",
    }.items():
        server.body = {"id": "v", wrong: 7}
        if says:
            with pytest.raises(errors_of(package).InvalidResponse) as caught:
                api(package, "status").sync(VPS, client=server.client)
            assert str(caught.value).startswith(f"{says} (200: GET ")
    server.body = {"id": "v", "next": {"id": "w", "memory": {"usedGb": "x"}}}
    with pytest.raises(ValueError, match=r"^\$\.next\.memory\.\*: expected number, got string$"):
        importlib.import_module(f"{package.__name__}.models").Vps.from_dict(server.body)


def test_pages_queries_and_headers(package: ModuleType) -> None:
    server = Server(package, body={"data": [{"id": "v"}]})
    states = importlib.import_module(f"{package.__name__}.models").PowerState
    page = api(package, "list_").sync(client=server.client, limit=0, state=states.RUNNING, x_trace="t")
    assert [vps.id for vps in page.data] == ["v"]
    assert server.asked[0].url.query == b"limit=0&state=running"
    assert server.asked[0].headers["X-Trace"] == "t"
    for wrong in ({"limit": None}, {"limit": True}, {"state": "running"}, {"x_trace": 1}):
        with pytest.raises(TypeError, match=f"^{next(iter(wrong))}: expected "):
            api(package, "list_").sync(client=server.client, **wrong)


def errors_of(package: ModuleType) -> Any:
    """Return the package's errors, which it does not import by itself."""
    return importlib.import_module(f"{package.__name__}.errors")


def test_errors_are_the_same(package: ModuleType) -> None:
    server = Server(package, status=404, body={"code": "not_found"})
    with pytest.raises(errors_of(package).NotFound) as caught:
        api(package, "status").sync(VPS, client=server.client)
    assert caught.value.code == "not_found"
    assert api(package, "status").sync_detailed(VPS, client=server.client).parsed.code == "not_found"
