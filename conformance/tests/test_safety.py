"""A live server is not harmed, as a server that logs its requests shows."""

import ast
import base64
import socket
import time
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlsplit

import httpcore
import pytest
from faults.probe import refuse
from hostup_conformance.contract.ask import LARGEST_LINUX_PID
from hostup_conformance.contract.sending import Wire
from hostup_conformance.contract.target import Target
from hostup_conformance.http import network
from hostup_conformance.http.limits import Limits
from hostup_conformance.http.messages import Request
from hostup_conformance.http.pace import Pace, Stopped, Withheld
from hostup_conformance.mock import API_KEY, UNAVAILABLE_VPS_ID, VPS_ID
from hostup_conformance.sources.generated import safe_pid
from judging import run, run_on_mock
from stage import Request as Received
from stage import Response, Stage


class Diary:
    """Writes down every request, and changes nothing."""

    def __init__(self) -> None:
        self.requests: list[Received] = []

    def __call__(self, request: Received, _response: Response) -> None:
        self.requests.append(request)


def test_live_sends_safe_methods_and_nobodys_pids() -> None:
    diary = Diary()
    target, _, _ = run(diary, live=True)
    assert {request.method for request in diary.requests} == {"GET", "HEAD", "OPTIONS"}
    assert not any(API_KEY in request.query for request in diary.requests)
    given = {target.finished_pid, target.running_pid}
    for request in diary.requests:
        for name, value in parse_qsl(request.query):
            digits = value.lstrip("-") if name == "pid" else ""
            if digits.isascii() and digits.isdecimal() and value[0] != "-" and digits.strip("0"):
                number = int(digits[:30])
                known = number in given and request.vps in {VPS_ID, UNAVAILABLE_VPS_ID}
                unknown_vps = number in given and request.vps not in {VPS_ID, UNAVAILABLE_VPS_ID}
                assert known or unknown_vps or number > LARGEST_LINUX_PID, request


def test_the_budget_is_kept() -> None:
    diary = Diary()
    _, wire, _ = run(diary, Limits(requests=20), live=True)
    assert len(diary.requests) == 20
    assert wire.stopped == "the budget of 20 requests is used up (--max-requests)"


def test_retry_after_is_kept() -> None:
    """After a 429, no request is sent before the seconds of Retry-After have passed."""
    arrived: list[float] = []

    def limit_the_third(request: Received, response: Response) -> None:
        arrived.append(time.monotonic())
        if request.nth() == 3:
            response.become(429)
            response.header("Retry-After", "2")

    run(limit_the_third, live=True, waits=False)
    assert min(arrived[3:]) - arrived[2] >= 1.9


def test_what_is_unavailable_keeps_nothing_else_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A 503 for a VPS without an agent may say when to come back; other requests need not wait for that."""
    waited: list[float] = []
    monkeypatch.setattr(Pace, "wait", lambda _self, seconds: waited.append(seconds))

    def unavailable(request: Received, response: Response) -> None:
        if request.vps == UNAVAILABLE_VPS_ID and (request.method == "POST" or request.pid):
            refuse(request, response, 503, "agent_unavailable", "The agent does not respond")
            response.header("Retry-After", "30")

    run(unavailable, allow_exec=True)
    assert max(waited) < 10


def test_no_redirect_is_followed() -> None:
    def redirect(request: Received, response: Response) -> None:
        request.memory.setdefault("paths", []).append(request.path)
        response.become(302)
        response.header("Location", "/elsewhere")

    _, _, stage = run(redirect, live=True)
    assert stage.memory["paths"]
    assert "/elsewhere" not in stage.memory["paths"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE"])
def test_the_wire_itself_withholds_other_methods(method: str) -> None:
    with pytest.raises(Withheld):
        wire_of(live=True).send(Request(method, f"/api/v2/vps/{VPS_ID}/agent/exec"), purpose="")


@pytest.mark.parametrize(
    "query",
    [
        "pid=4250", "pid=4194306", "pid=7abc", "pid=9&pid=4194305", f"token={API_KEY}",
        "PID=4250", "%70id=4250", "pid[]=4250", "x=1;pid=4250", "4250", "pid=%204250", "pid=%252B4250", "pid=4_250",
        "pid=4.250", "pid=0x109a", "pid=0o10232", "pid=010232", "pid=425e1", "pid=%D9%A4%D9%A2%D9%A5%D9%A0",
        f"pid={4250 + 2**32}", f"pid={4250 + 2**64}", "pid=-4250", f"pid={10**400 + 4250}", "pid=4242.5",
        "pid=42424242,4194305",
    ],
)  # fmt: skip
def test_the_wire_itself_withholds_what_may_be_somebodys(query: str) -> None:
    with pytest.raises(Withheld):
        wire_of(live=True).send(Request("GET", f"/api/v2/vps/{VPS_ID}/agent/exec?{query}"), purpose="")


@pytest.mark.parametrize(
    "query", ["pid=0", "pid=1", "pid=4194305", "pid=0xbadbad", "pid=4194305.1", f"pid={'9' * 5000}", "PID=4242", "pid="]
)
def test_a_query_that_cannot_be_somebodys_is_sent(query: str) -> None:
    wire_of(live=True).check(Request("GET", f"/api/v2/vps/{VPS_ID}/agent/exec?{query}"))


@pytest.mark.parametrize("path", ["/console", "/console/", "/%63onsole", "/CONSOLE?x=1"])
def test_a_get_that_changes_something_is_withheld(path: str) -> None:
    with pytest.raises(Withheld, match="creates a console session"):
        wire_of(live=True).send(Request("GET", f"/api/v2/vps/{VPS_ID}{path}"), purpose="")


def test_a_get_with_a_body_is_withheld() -> None:
    """A GET whose body names a pid that may be somebody's is not sent."""
    with pytest.raises(Withheld):
        wire_of(live=True).check(Request("GET", f"/api/v2/vps/{VPS_ID}/agent/exec", body=b"pid=4250"))


def test_a_method_override_is_withheld() -> None:
    """A header field that overrides the method is not sent to a live server."""
    override = (("X-HTTP-Method-Override", "POST"),)
    with pytest.raises(Withheld):
        wire_of(live=True).check(Request("GET", f"/api/v2/vps/{VPS_ID}/agent/exec", override))


def wire_of(*, live: bool) -> Wire:
    stage = Stage()
    target = Target.from_environment("http://127.0.0.1:9", stage.mock.environment(), kind="mock")
    return Wire(replace(target, live=live), Limits())


def test_a_stopped_wire_sends_nothing() -> None:
    wire = wire_of(live=False)
    wire.stop("enough")
    with pytest.raises(Stopped, match="enough"):
        wire.send(Request("GET", "/"), purpose="")
    assert wire.exchanges == []


@pytest.mark.parametrize("pid", [1, 4242, 2**31, 2**40, "17", ["3", 5]])
def test_generated_pids_are_moved_out_of_reach(pid: object) -> None:
    safe = safe_pid(pid)
    for value in safe if isinstance(safe, list) else [safe]:
        assert int(value) > LARGEST_LINUX_PID
        assert int(value) % 2 == 1


def test_nothing_but_the_target_is_asked() -> None:
    target, wire, _ = run_on_mock()
    assert urlsplit(target.base_url).hostname == "127.0.0.1"
    assert {e.response is not None for e in wire.exchanges} == {True}


#: How somebody may get a key back who has put it into what a request is made of.
RETURNED = [
    API_KEY,
    f'"{API_KEY}"',
    f'W/"{API_KEY.upper()}"',
    API_KEY.encode().hex(),
    base64.b64encode(b"x" + API_KEY.encode()).decode(),
    quote(quote("".join(f"%{ord(c):02x}" for c in API_KEY))),
]


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("returned", RETURNED)
@pytest.mark.parametrize("authorized", [True, False])
def test_a_key_from_a_server_goes_nowhere(returned: str, *, live: bool, authorized: bool) -> None:
    """The policy looks at the whole request, not only at its target."""
    wire, path = wire_of(live=live), f"/api/v2/vps/{VPS_ID}/agent/exec"
    key = (("Authorization", f"Bearer {API_KEY}"),) if authorized else ()
    for request in (
        Request("GET", path, (*key, ("If-None-Match", returned))),
        Request("GET", path, (*key, ("X-Any", "any"), (returned, "any"))),
        Request("GET", f"/api/v2/vps?limit=2&cursor={quote(returned, safe='')}", key),
        Request("GET", f"/api/v2/vps?name={quote(returned, safe='')}", key),
        Request("GET", f"/api/v2/vps/{quote(returned, safe='')}/agent/exec", key),
        Request("GET", f"{path}?pid=1&api_key={API_KEY}", key),
        Request("POST", path, key, f'{{"command": "{returned}"}}'.encode()),
    ):
        with pytest.raises(Withheld):
            wire.check(request)


@pytest.mark.parametrize(
    "returned",
    [API_KEY[:-1], API_KEY[::-1], ".".join(API_KEY), base64.b64encode(API_KEY.encode().hex().encode()).decode()],
)
def test_most_of_a_key_from_a_server_goes_nowhere_that_it_chose(returned: str) -> None:
    wire, path = wire_of(live=False), f"/api/v2/vps/{VPS_ID}/agent/exec"
    for request in (
        Request("GET", path, (("If-None-Match", returned),)),
        Request("GET", f"/api/v2/vps?limit=2&cursor={quote(returned, safe='')}"),
        Request("GET", f"/api/v2/vps/{quote(returned, safe='')}/status"),
    ):
        with pytest.raises(Withheld, match="a piece of a key"):
            wire.check(request)


def test_one_request_has_the_key_in_its_url_on_purpose() -> None:
    on_purpose = Request("GET", f"/api/v2/vps/{VPS_ID}/agent/exec?api_key={API_KEY}")
    wire_of(live=False).check(on_purpose)
    with pytest.raises(Withheld):
        wire_of(live=True).check(on_purpose)


class Giver:
    """Gives the key back wherever a client may take something from: in ETags, cursors, names and addresses."""

    def __init__(self) -> None:
        self.requests: list[Received] = []

    def __call__(self, request: Received, response: Response) -> None:
        self.requests.append(request)
        response.header("ETag", f'"{API_KEY}"')
        if request.path == "/api/v2/vps" and response.status == 200:
            item = {"id": VPS_ID, "name": API_KEY, "primaryIp": API_KEY}
            response.become(200, {"data": [item, {**item, "id": API_KEY}], "hasMore": True, "nextCursor": API_KEY})


@pytest.mark.parametrize("live", [True, False])
def test_a_whole_run_sends_no_key_back(*, live: bool) -> None:
    giver = Giver()
    run(giver, live=live)
    assert len(giver.requests) > 50
    for request in giver.requests:
        others = [value for name, value in request.headers.items() if name.lower() != "authorization"]
        assert not any(API_KEY in value for value in others), request
        assert API_KEY not in request.path
        assert (
            API_KEY not in request.query
            or (not live and request.query.endswith(f"key={API_KEY}"))
            or (not live and "token" in request.query)
        ), request


@pytest.mark.parametrize("address", ["192.0.2.7", "::ffff:192.0.2.7", "10.0.0.1", "fe80::1%eth0"])
def test_localhost_is_this_machine_or_nothing(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    found = [(family, socket.SOCK_STREAM, 6, "", (address, 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(httpcore.ConnectError, match="localhost is not resolved to this machine"):
        network.resolve("localhost", 80, 5)
    found.append((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80)))
    assert network.resolve("localhost", 80, 5) == ["127.0.0.1"]
    assert network.resolve("other.example", 80, 5) == [address, "127.0.0.1"]


def test_only_the_wire_opens_connections() -> None:
    """Nothing goes round the policy. (httpx stands here for its types; its client gets its responses from the wire.)"""
    package = Path(network.__file__).parents[1]
    users: dict[str, set[str]] = {}
    for file in set(package.rglob("*.py")) - set(package.glob("clients/examples/*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            for name in imported_by(node):
                users.setdefault(name, set()).add(str(file.relative_to(package)))
    assert users["hostup_conformance.http.connections.Connections"] == {"http/wire.py"}
    assert users["httpcore"] == {"http/connections.py", "http/network.py", "http/route.py"}
    assert not {"requests", "aiohttp", "urllib3", "http.client"} & users.keys()
    assert {name for name in users if name.startswith("urllib.request")} == {
        f"urllib.request.{name}" for name in ("getproxies_environment", "proxy_bypass")
    }


def imported_by(node: ast.AST) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
