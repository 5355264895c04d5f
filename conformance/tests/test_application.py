"""ASGI and WSGI applications that are judged in the suite's own process."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from hostup_conformance.front.application import serve
from hostup_conformance.keeping.misconfigured import Misconfigured
from hostup_conformance.mock import API_KEY, VPS_ID, Mock
from running import report_in, run

# Whole runs, or many cases of one kind: `make catalogue` runs them.
pytestmark = pytest.mark.catalogue

PROBE = f"/api/v2/vps/{VPS_ID}/agent/exec"
KEY = {"Authorization": f"Bearer {API_KEY}"}
TARGETS = Path(__file__).parent / "targets"
#: A WSGI application without a framework, in front of the mock; and other things that a module may have.
MODULE = f"""
import asyncio, os, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from contextlib import asynccontextmanager
from urllib.parse import quote
from hostup_conformance.mock import Mock
from stage import Request, ask
from starlette.applications import Starlette

mock = Mock()
os.environ.update(mock.environment())

def wsgi(environ, start_response):
    headers = {{name[5:].replace("_", "-").lower(): v for name, v in environ.items() if name.startswith("HTTP_")}}
    headers["content-type"] = environ.get("CONTENT_TYPE", "")
    path = quote(environ["PATH_INFO"].encode("latin-1"), safe="/")
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    request = Request(environ["REQUEST_METHOD"], path, environ["QUERY_STRING"], headers, mock, {{}}, body)
    response = asyncio.run(ask(mock.app, request))
    length = ("Content-Length", str(len(response.body)))
    start_response(f"{{response.status}} X", [*response.headers, length])
    return [b"" if request.method == "HEAD" else response.body]

def asgi():
    return mock.app

@asynccontextmanager
async def lifespan(app):
    if FAILS:
        raise RuntimeError("no database")
    app.mount("/", mock.app)
    yield

FAILS = False
living = Starlette(lifespan=lifespan)
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """The name of a module with applications, in the folder of the test."""
    for variable in Mock().environment():
        monkeypatch.setenv(variable, "")  # the module sets them
    name = f"applications_{abs(hash(request.node.name))}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    return name


@pytest.mark.parametrize("attribute", ["wsgi", "asgi", "asgi()", "mock.app", "living"])
def test_applications_of_all_kinds_are_served(module: str, attribute: str) -> None:
    with serve(f"{module}:{attribute}") as url:
        assert httpx.get(url + PROBE, headers=KEY).json()["available"] is True
        assert httpx.get(url + PROBE).status_code == 401


def test_a_name_that_is_not_there_gets_those_that_are(module: str) -> None:
    there = "has no application; it has wsgi, asgi, lifespan, living"
    with pytest.raises(Misconfigured, match=there), serve(f"{module}:application"):
        pass


def test_a_framework_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(TARGETS))
    with serve("fastapi_server:app") as url:
        assert httpx.get(url + PROBE).status_code == 401


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("app", "give it as module:attribute"),
        ("no_such_module:app", "ModuleNotFoundError"),
        ("json:no_such_attribute", "json has no no_such_attribute; it has dump, dumps, detect_encoding, load, loads"),
        ("json.scanner:app", "json.scanner has no app; it has .*make_scanner"),
        ("string:templates.app", "string has no templates.app; it has capwords"),
        ("json:__name__", "str is neither an ASGI nor a WSGI application"),
        ("json:JSONDecodeError.mro", "list is neither"),
    ],
)
def test_what_is_no_application_is_refused(name: str, says: str) -> None:
    with pytest.raises(Misconfigured, match=says), serve(name):
        pass


def test_an_application_that_does_not_start_is_told(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(f"{module}:living"):
        pass
    monkeypatch.setattr(f"{module}.FAILS", True)
    with pytest.raises(Misconfigured, match="it does not start; try it with: uvicorn"), serve(f"{module}:living"):
        pass


def test_one_line_judges_an_application(tmp_path: Path) -> None:
    (tmp_path / "my_server.py").write_text(MODULE)
    done = run(tmp_path, "--app", "my_server:wsgi")
    report = report_in(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert report["target"]["kind"] == "server"
    assert report["requests"] > 60
