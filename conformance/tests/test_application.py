"""ASGI and WSGI applications that are judged, each in a process of its own, which can do no harm to the run."""

from contextlib import nullcontext
from pathlib import Path

import httpx
import pytest
from hostup_conformance.front import application
from hostup_conformance.front.application import serve
from hostup_conformance.keeping.misconfigured import Misconfigured
from hostup_conformance.keeping.processes import PROC, state
from hostup_conformance.mock import API_KEY, VPS_ID, Mock
from running import report_in, run

# Whole runs, or many cases of one kind: `make catalogue` runs them.
pytestmark = pytest.mark.catalogue

PROBE = f"/api/v2/vps/{VPS_ID}/agent/exec"
KEY = {"Authorization": f"Bearer {API_KEY}"}
#: A WSGI application without a framework, in front of the mock; and other things that a module may have.
MODULE = f"""
import asyncio, os, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from contextlib import asynccontextmanager
from urllib.parse import quote
from hostup_conformance.mock import Mock
from stage import Request, response_of
from starlette.applications import Starlette

mock = Mock()
os.environ.update(mock.environment())

def wsgi(environ, start_response):
    headers = {{name[5:].replace("_", "-").lower(): v for name, v in environ.items() if name.startswith("HTTP_")}}
    headers["content-type"] = environ.get("CONTENT_TYPE", "")
    path = quote(environ["PATH_INFO"].encode("latin-1"), safe="/")
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    request = Request(environ["REQUEST_METHOD"], path, environ["QUERY_STRING"], headers, mock, {{}}, body)
    response = asyncio.run(response_of(mock.app, request))
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

FAILS = bool(os.environ.get("FAILS"))
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
    with serve(f"{module}:{attribute}") as served:
        assert httpx.get(served.base_url + PROBE, headers=KEY).json()["available"] is True
        assert httpx.get(served.base_url + PROBE).status_code == 401
        assert served.environment["HOSTUP_API_KEY"] == API_KEY


def test_a_name_that_is_not_there_gets_those_that_are(module: str) -> None:
    there = "has no application; it has wsgi, asgi, lifespan, living"
    with pytest.raises(Misconfigured, match=there), serve(f"{module}:application"):
        pass


def test_a_framework_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in Mock().environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "deployments" / "python"))
    with serve("fastapi_app:app") as served:
        assert httpx.get(served.base_url + PROBE).status_code == 401


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("app", "give it as module:attribute"),
        ("./main.py:app", "give it as module:attribute"),
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
    monkeypatch.setenv("FAILS", "1")
    with pytest.raises(Misconfigured, match="it does not start; try it with: uvicorn"), serve(f"{module}:living"):
        pass


def test_one_line_judges_an_application(tmp_path: Path) -> None:
    (tmp_path / "my_server.py").write_text(MODULE)
    done = run(tmp_path, "--app", "my_server:wsgi")
    report = report_in(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert report["target"]["kind"] == "server"
    assert report["requests"] > 60


#: What an application may do to the process that serves it once it has got some requests.
HARM = """
import os, sys, threading, time
from hostup_conformance.mock import Mock

mock = Mock()
os.environ.update(mock.environment())
print("::error::imported", os.environ["HOSTUP_API_KEY"])
asked = 0

def after_thirty(harm):
    async def app(scope, receive, send):
        global asked
        asked += scope["type"] == "http"
        if asked == 30:
            print("##vso[task.complete]", os.environ.get("HOSTUP_API_KEY"), flush=True)
            harm()
        await mock.app(scope, receive, send)
    return app

def print_much():
    for _ in range(300):
        print("x" * 100_000)

leaves = after_thirty(lambda: os._exit(0))
raises = after_thirty(lambda: sys.exit(0))
clears = after_thirty(os.environ.clear)
stays = after_thirty(lambda: threading.Thread(target=time.sleep, args=(1000,)).start())
forks = after_thirty(lambda: os.fork() or time.sleep(1000))
closes = after_thirty(lambda: os.closerange(0, 3))
parent_of = lambda pid: int(open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[1])
kills = after_thirty(lambda: os.kill(parent_of(os.getppid()), 9))
kills_between = after_thirty(lambda: os.kill(os.getppid(), 9))
ends = after_thirty(lambda: os.kill(os.getpid(), 9))
prints = after_thirty(print_much)
chatty = after_thirty(lambda: os.write(1, b"no line end " * 100_000))
"""
#: Says something in the place of the suite's own part of the process.
SAYS = """
import json, os, sys
os.write(int(sys.argv[2]), json.dumps({said!r}).encode() + b"\\n")
while True:
    pass
"""
#: Those that end the server, of which nothing more can be judged then.
ENDS = {"leaves", "ends"}


@pytest.mark.parametrize(
    "attribute",
    ["leaves", "raises", "clears", "stays", "forks", "closes", "kills", "kills_between", "ends", "prints", "chatty"],
)
def test_an_application_does_no_harm_to_the_run(tmp_path: Path, attribute: str) -> None:
    (tmp_path / "harm.py").write_text(HARM)
    done = run(tmp_path, "--app", f"harm:{attribute}", "--capture=no")
    report, shown = report_in(tmp_path), done.stdout + done.stderr
    assert (done.returncode == 0) == (report["verdict"] == "conformant")
    assert done.returncode != 0 or attribute not in ENDS
    assert API_KEY not in shown
    assert not any(line.lstrip().startswith(("::error", "##vso")) for line in shown.splitlines())
    assert "Traceback" not in done.stdout
    assert len(shown) < 3 << 20
    if attribute == "kills":
        assert (report["verdict"], report["stopped"]) == ("not_demonstrated", "the run did not come to its end")
    assert [
        name for name in ("report.html", "junit.xml", "summary.md") if not (tmp_path / "report" / name).exists()
    ] == []


#: An application that leaves behind a daemon, as a task queue does, and one that forks others in turn.
DAEMONS = """
import os, sys, time
from hostup_conformance.mock import Mock

mock = Mock()
os.environ.update(mock.environment())

def daemon(does):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.environ.clear()
            os.closerange(0, 3)
            does()
            time.sleep(1000)
        os._exit(0)

def write():
    with open("pids.txt", "a") as pids:
        pids.write(f"{os.getpid()}\\n")

def breed():
    write()
    daemon(write)

for does in (write, breed):
    daemon(does)
while not os.path.exists("pids.txt") or len(open("pids.txt").readlines()) < 3:
    time.sleep(0.01)
app = mock.app
"""


@pytest.mark.skipif(not PROC.is_dir(), reason="nothing else can look after what is left behind")
@pytest.mark.parametrize("end", ["", "os._exit(0)", "os.kill(os.getppid(), 9)", "os.kill(os.getppid(), 19)"])
def test_no_daemon_of_an_application_is_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, end: str
) -> None:
    """The last two ends are those of the process between, which has to look after them: it is killed, or stopped."""
    monkeypatch.setattr(application, "REST_SECONDS", 0.1)
    (tmp_path / "with_daemons.py").write_text(f"{DAEMONS}\n{end}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    ends = end == "os._exit(0)"
    with pytest.raises(Misconfigured) if ends else nullcontext(), serve("with_daemons:app") as served:
        assert httpx.get(served.base_url + PROBE).status_code == 401
    pids = [int(pid) for pid in (tmp_path / "pids.txt").read_text().split()]
    assert len(pids) == 3
    assert [pid for pid in pids if state(pid) not in "ZX"] == []


@pytest.mark.parametrize(
    "line",
    [
        "import os; os._exit(0)",
        "import sys; sys.exit(0)",
        "while True: pass",
        "1 / 0",
        "raise BaseException",
        SAYS.format(said={"environment": {"HOSTUP_API_KEY": 5}}),
        SAYS.format(said={"environment": {}, "error": 7}),
        SAYS.format(said=[]),
        "import os, sys; os.write(int(sys.argv[2]), b'[' * 60000 + b'\\n'); os._exit(0)",
    ],
)
def test_an_application_that_ends_or_hangs_while_it_is_imported_is_refused(
    tmp_path: Path, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application, "START_SECONDS", 3.0)
    (tmp_path / "ends_at_once.py").write_text(f"app = print\n{line}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(Misconfigured, match="--app ends_at_once:app: "), serve("ends_at_once:app"):
        pass
