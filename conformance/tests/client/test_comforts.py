"""What makes the client pleasant: the environment, repetition, pages, many at once, failures that speak, a log."""

from __future__ import annotations

import asyncio
import contextlib
import pickle
import random
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from client.voices import BASE_URL, KEY, PID, VPS, Clock, Voice, answering, new_client, played
from hostup_agent_exec import AuthenticatedClient, Client, errors
from hostup_agent_exec.api.agent import get_agent_exec, start_agent_exec
from hostup_agent_exec.api.vps import get_vps_status, list_vps
from hostup_agent_exec.models import CommandOutput, CommandStart

YES = httpx.Response(200, json={"available": True})
STARTED = httpx.Response(200, json={"pid": PID})
EXITED = httpx.Response(200, json={"exited": True, "exitCode": 0, "stdout": "Linux\n"})
REFUSED = httpx.Response(429, headers={"Retry-After": "7"})
BUSY = httpx.Response(503, headers={"Retry-After": "3"})


Trouble = httpx.Response | type[Exception]


class Script:
    """A server that plays the responses of each kind of request one by one, the last one for ever."""

    def __init__(self, **kinds: Sequence[Trouble]) -> None:
        self.kinds: dict[str, Sequence[Trouble]] = {"probe": [YES], "start": [STARTED], "poll": [EXITED], **kinds}
        self.seen: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        kind = "start" if request.method == "POST" else "poll" if "pid" in request.url.params else "probe"
        self.seen.append(kind)
        played_before = self.seen.count(kind) - 1
        return played(self.kinds[kind][min(played_before, len(self.kinds[kind]) - 1)])

    @property
    def client(self) -> AuthenticatedClient:
        return answering(self)


def test_run_waits_out_refusals(voice: Voice, clock: Clock) -> None:
    script = Script(probe=[REFUSED, REFUSED, BUSY, YES], start=[REFUSED, STARTED], poll=[REFUSED, EXITED])
    assert voice.run(client=script.client).ok
    assert script.seen == ["probe"] * 4 + ["start"] * 2 + ["poll"] * 2
    assert clock.slept == [7, 7, 3, 7, 7]


@pytest.mark.parametrize("kind", ["probe", "start"])
def test_a_refusal_beyond_the_deadline_is_told(voice: Voice, clock: Clock, kind: str) -> None:
    script = Script(**{kind: [REFUSED]})
    with pytest.raises(errors.RateLimited) as caught:
        voice.run(client=script.client, timeout=20)
    assert (caught.value.retry_after, caught.value.pid) == (7, None)
    assert clock.slept == [7, 7]


def test_one_busy_gateway_is_believed_once(voice: Voice, clock: Clock) -> None:
    script = Script(probe=[BUSY, BUSY, YES])
    with pytest.raises(errors.UnexpectedStatus, match="503"):
        voice.run(client=script.client)
    assert clock.slept == [3]


def test_a_busy_gateway_loses_a_start(voice: Voice, clock: Clock) -> None:
    with pytest.raises(errors.StartLost):
        voice.run(client=Script(start=[BUSY, STARTED]).client)
    assert clock.slept == []


def repeated(
    count: int, *troubles: httpx.Response | type[Exception]
) -> tuple[AuthenticatedClient, list[httpx.Request]]:
    asked: list[httpx.Request] = []
    left = list(troubles)

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if left:
            return played(left.pop(0))
        if request.method == "POST":
            return played(STARTED)
        if request.url.path.endswith("/vps"):
            return httpx.Response(200, json={"data": []})
        return played(EXITED if "pid" in request.url.params else YES)

    return new_client(retries=count, httpx_args={"transport": httpx.MockTransport(answer)}), asked


CALLS: dict[str, Callable[[AuthenticatedClient], Any]] = {
    "probe": lambda client: get_agent_exec.sync(VPS, client=client),
    "status": lambda client: get_vps_status.sync_detailed(VPS, client=client),
    "list": lambda client: list_vps.sync(client=client),
    "poll": lambda client: get_agent_exec.sync(VPS, client=client, pid=PID),
    "start": lambda client: start_agent_exec.sync(VPS, client=client, body=CommandStart("x")),
}
ALWAYS = ("probe", "status", "list")


@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.parametrize("trouble", [httpx.Response(429), httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout])
def test_what_was_refused_is_repeated(clock: Clock, kind: str, trouble: Any) -> None:
    client, asked = repeated(3, trouble, trouble)
    CALLS[kind](client)
    assert len(asked) == 3
    assert all(0.25 <= pause <= 1 for pause in clock.slept)


@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.parametrize(
    "trouble", [httpx.Response(502), httpx.Response(503), httpx.Response(504), httpx.ReadError, httpx.ReadTimeout]
)
def test_what_may_be_lost_is_repeated_where_harmless(clock: Clock, kind: str, trouble: Any) -> None:  # noqa: ARG001
    client, asked = repeated(3, trouble)
    if kind in ALWAYS:
        CALLS[kind](client)
        assert len(asked) == 2
    else:
        with pytest.raises((errors.ResponseError, httpx.RequestError)):
            CALLS[kind](client)
        assert len(asked) == 1


@pytest.mark.parametrize("trouble", [httpx.Response(500), httpx.Response(404), httpx.UnsupportedProtocol])
def test_other_troubles_are_not_repeated(trouble: Any) -> None:
    client, asked = repeated(3, trouble)
    with pytest.raises((errors.ResponseError, httpx.RequestError)):
        CALLS["probe"](client)
    assert len(asked) == 1


def test_retries_end(voice: Voice, clock: Clock) -> None:
    client, asked = repeated(2, *[httpx.Response(429, headers={"Retry-After": "5"})] * 9)
    with pytest.raises(errors.RateLimited):
        voice.call(client=client)
    assert (len(asked), clock.slept) == (3, [5, 5])


def test_retries_keep_the_deadline(voice: Voice, clock: Clock) -> None:
    client, asked = repeated(9, *[httpx.Response(429, headers={"Retry-After": "25"})] * 9)
    with pytest.raises(errors.RateLimited):
        voice.call(client=client)
    assert (len(asked), clock.slept) == (3, [25, 25])


class Proxy(BaseHTTPRequestHandler):
    """Refuses the first request, and then answers in the place of every server."""

    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        self.send_response(503 if len(self.server.asked) == 1 else 200)  # type: ignore[attr-defined]
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Stay silent."""


def test_retries_go_through_the_proxy_of_the_environment(voice: Voice, monkeypatch: pytest.MonkeyPatch) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        server.asked = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        for name in ("http_proxy", "HTTP_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{server.server_port}")
        with AuthenticatedClient("http://h.test", KEY, allow_plain_http=True, retries=1) as client:
            voice.call("v", client=client)
        server.shutdown()
        thread.join()
    assert server.asked == ["http://h.test/api/v2/vps/v/agent/exec"] * 2  # type: ignore[attr-defined]


def test_by_default_nothing_is_repeated(voice: Voice) -> None:
    client, asked = repeated(0, httpx.ConnectError)
    with pytest.raises(httpx.ConnectError):
        voice.call(client=client)
    assert len(asked) == 1


class OtherLibraryError(Exception):
    """Of a transport that is made of another library."""


@pytest.mark.parametrize("kind", ["start", "poll"])
def test_errors_of_other_libraries_lose_too(voice: Voice, kind: str) -> None:
    lost = {"start": errors.StartLost, "poll": errors.OutputLost}[kind]
    with pytest.raises(lost) as caught:
        voice.run(client=Script(**{kind: [OtherLibraryError]}).client)
    assert isinstance(caught.value.__cause__, OtherLibraryError)


def test_a_command_that_failed_can_be_an_error(voice: Voice) -> None:
    failed = httpx.Response(200, json={"exited": True, "exitCode": 3, "stderr": f"a\x1b[1m\n{KEY} no such file\n"})
    assert voice.run(client=Script(poll=[failed]).client).exit_code == 3
    with pytest.raises(errors.CommandFailed) as caught:
        voice.run(client=Script(poll=[failed]).client, check=True)
    assert str(caught.value) == "the command ended with exit code 3: a\ufffd[1m [key] no such file"
    assert caught.value.output is not None
    assert (caught.value.output.exit_code, caught.value.pid) == (3, PID)
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301
    assert again.output == caught.value.output


@pytest.mark.parametrize("code", [{}, {"exitCode": None}])
def test_a_killed_command_failed(voice: Voice, code: dict[str, Any]) -> None:
    killed = httpx.Response(200, json={"exited": True, **code})
    with pytest.raises(errors.CommandFailed, match="without an exit code"):
        voice.wait(client=Script(poll=[killed]).client, check=True)


@pytest.mark.parametrize(
    ("members", "ok"),
    [
        ({"exited": True, "exitCode": 0}, True),
        ({"exited": True, "exitCode": 1}, False),
        ({"exited": True, "exitCode": None}, False),
        ({"exited": True}, False),
        ({"exited": False, "exitCode": 0}, False),
    ],
)
def test_only_an_end_with_zero_is_ok(members: dict[str, Any], ok: bool) -> None:
    assert CommandOutput.from_dict(members).ok is ok


def test_output_is_always_a_text() -> None:
    for stdout in ({}, {"stdout": None}, {"stdout": ""}):
        output = CommandOutput.from_dict({"exited": True, **stdout})
        assert (output.stdout_text, output.stderr_text) == ("", "")
    assert CommandOutput(exited=True, stdout="x").stdout_text == "x"


def test_key_and_base_url_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOSTUP_API_KEY", KEY)
    monkeypatch.delenv("HOSTUP_BASE_URL", raising=False)
    client = AuthenticatedClient()
    assert (client.token, repr(client)) == (KEY, f"AuthenticatedClient(URL('{BASE_URL}'))")
    monkeypatch.setenv("HOSTUP_BASE_URL", "https://h.test/x/")
    assert repr(AuthenticatedClient(token="other")) == "AuthenticatedClient(URL('https://h.test/x'))"


@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_key_is_named(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.delenv("HOSTUP_API_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("HOSTUP_API_KEY", value)
    with pytest.raises(ValueError, match=r"^token: give an API key, or set HOSTUP_API_KEY$"):
        AuthenticatedClient()


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("a-key b", "expected visible ASCII characters alone"),
        ("a-key\n", "it ends in a newline"),
        ("a-key\r\n", "it ends in a newline"),
        ("a-key ", "it ends in a blank"),
        ("\ta-key", "it begins with a blank"),
        (" \n", "it is empty"),
        ("Bearer a-key", "give the key alone, without Bearer"),
        ("bearer a-key\n", "give the key alone, without Bearer"),
        ("å-key", "expected visible ASCII characters alone"),
    ],
)
def test_a_wrong_key_is_refused_at_once(monkeypatch: pytest.MonkeyPatch, value: str, says: str) -> None:
    monkeypatch.setenv("HOSTUP_API_KEY", value)
    with pytest.raises(ValueError, match=f"^HOSTUP_API_KEY: {says}$") as caught:
        AuthenticatedClient()
    assert "a-key" not in str(caught.value)
    with pytest.raises(ValueError, match=f"^token: {says}$"):
        AuthenticatedClient(token=value)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("", "it is empty; unset it to send to https://cloud.hostup.se"),
        ("h.test", "expected http or https"),
        ("http://h.test", "expected https, or a host on loopback"),
    ],
)
def test_a_wrong_base_url_names_its_variable(monkeypatch: pytest.MonkeyPatch, value: str, says: str) -> None:
    monkeypatch.setenv("HOSTUP_BASE_URL", value)
    with pytest.raises(ValueError, match=f"^HOSTUP_BASE_URL: {says}"):
        AuthenticatedClient(token=KEY)


@pytest.mark.parametrize("url", ["http://h.test", "http://10.0.0.1", "http://127.0.0.1.h.test", "http://[2001:db8::1]"])
def test_plain_http_elsewhere_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="allow_plain_http=True"):
        AuthenticatedClient(url, KEY)
    AuthenticatedClient(url, KEY, allow_plain_http=True)


@pytest.mark.parametrize("url", ["http://localhost:1", "http://127.9.9.9", "http://[::1]:80", "http://a.localhost"])
def test_plain_http_to_this_host_is_not(url: str) -> None:
    AuthenticatedClient(url, KEY)


def test_one_call_has_headers_of_its_own(voice: Voice) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return played(YES)

    client = answering(answer).with_headers({"X-A": "1", "X-B": "1"})
    voice.call(client=client, headers={"x-a": "2", "Authorization": "other"})
    assert (asked[0].headers["x-a"], asked[0].headers["x-b"]) == ("2", "1")
    assert asked[0].headers.get_list("authorization") == [f"Bearer {KEY}"]


def test_headers_of_httpx_args_are_added() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return played(YES)

    arguments = {"headers": {"X-A": "1"}, "transport": httpx.MockTransport(answer)}
    client = new_client(httpx_args=arguments, application="backup/1.2")
    get_agent_exec.sync(VPS, client=client)
    sent = asked[0].headers
    assert (sent["x-a"], sent["accept"]) == ("1", "application/json, application/problem+json")
    assert sent["user-agent"].startswith("backup/1.2 hostup-agent-exec/")


def test_an_error_says_what_was_asked(voice: Voice) -> None:
    problem = {"code": "vps_not_found", "requestId": "req_01", "detail": "secret"}
    with pytest.raises(errors.NotFound) as caught:
        voice.call("vps_unknown", client=answering(httpx.Response(404, json=problem)))
    path = "/api/v2/vps/vps_unknown/agent/exec"
    assert str(caught.value) == f"404 Not Found: GET {path} (vps_not_found, req_01)"


def test_an_unreadable_response_says_what_was_asked(voice: Voice) -> None:
    with pytest.raises(errors.InvalidResponse) as caught:
        voice.call("v", client=answering(httpx.Response(200, text="<html>")), pid=PID)
    asked = f"GET /api/v2/vps/v/agent/exec?pid={PID}"
    assert str(caught.value) == f"$: expected JSON, got something else (200: {asked})"


@pytest.mark.parametrize("timeout", [None, 7, httpx.Timeout(7)])
def test_a_timeout_of_httpx_args_is_kept(voice: Voice, timeout: Any) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return played(YES)

    arguments = {"timeout": timeout, "transport": httpx.MockTransport(answer)}
    voice.call(client=new_client(httpx_args=arguments))
    assert asked[0].extensions["timeout"]["read"] == (7 if timeout else pytest.approx(60, abs=5))
    voice.call(client=new_client(httpx_args=arguments, timeout=httpx.Timeout(3)))
    assert asked[1].extensions["timeout"]["read"] == 3


@pytest.mark.parametrize("headers", [[("a", "b")], "a", 7])
def test_senseless_headers_are_refused(voice: Voice, headers: Any) -> None:
    with pytest.raises(TypeError, match=r"^headers: expected Mapping"):
        voice.call(client=answering(YES), headers=headers)


@pytest.mark.parametrize("code", [KEY, f"x{KEY}", "a b", "a\nb", "", 7, "x" * 1000, "<b>"])
def test_an_error_shows_no_odd_code(voice: Voice, code: Any) -> None:
    with pytest.raises(errors.NotFound) as caught:
        voice.call("v", client=answering(httpx.Response(404, json={"code": code, "requestId": code})))
    assert str(caught.value) == "404 Not Found: GET /api/v2/vps/v/agent/exec"


def test_a_base_url_with_the_path_is_hinted() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(404))
    client = AuthenticatedClient(f"{BASE_URL}/api/v2", KEY, httpx_args={"transport": transport})
    with pytest.raises(errors.NotFound, match="/api/v2 stands in it twice: leave it out of base_url"):
        get_agent_exec.sync(VPS, client=client)


def test_calls_are_logged(voice: Voice, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "hostup_agent_exec")
    client = answering(httpx.Response(404, json={"requestId": "req_7", "detail": "private"}))
    with pytest.raises(errors.NotFound):
        voice.call("v", client=client, pid=PID)
    own = [record.getMessage() for record in caplog.records if record.name == "hostup_agent_exec"]
    assert len(own) == 1
    assert own[0].startswith(f"GET /api/v2/vps/v/agent/exec?pid={PID} -> 404 (req_7) in ")
    assert KEY not in caplog.text
    assert "private" not in caplog.text


@pytest.mark.parametrize(
    ("status", "header", "body", "named"),
    [
        (200, "req_header", b'{"available": true, "requestId": "req_body"}', " (req_header)"),
        (200, None, b'{"available": true, "requestId": "req_body"}', ""),
        (400, None, b'{"requestId" :\n "req_body"}', " (req_body)"),
        (404, None, b'{"code": "x"}', ""),
        (404, "not one", b'{"requestId": "req_body"}', ""),
        (404, KEY, b"", ""),
    ],
)
def test_the_log_has_the_request_id(
    status: int, header: str | None, body: bytes, named: str, voice: Voice, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "hostup_agent_exec")
    headers = {} if header is None else {"X-Request-Id": header}
    voice.detailed(client=answering(httpx.Response(status, headers=headers, content=body)))
    (line,) = [record.getMessage() for record in caplog.records if record.name == "hostup_agent_exec"]
    assert line.startswith(f"GET /api/v2/vps/{VPS}/agent/exec -> {status}{named} in ")


def pages(*bodies: dict[str, Any]) -> tuple[AuthenticatedClient, list[str]]:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.query.decode())
        return httpx.Response(200, json=bodies[min(len(asked), len(bodies)) - 1])

    return answering(answer), asked


def items(client: AuthenticatedClient, is_async: bool, **arguments: Any) -> list[str]:
    async def collect() -> list[str]:
        async with client:
            return [item.id async for item in list_vps.asyncio_iterate(client=client, **arguments)]

    if is_async:
        return asyncio.run(collect())
    return [item.id for item in list_vps.iterate(client=client, **arguments)]


def page(*ids: str, **more: Any) -> dict[str, Any]:
    return {"data": [{"id": id} for id in ids], **more}


def test_every_page_is_turned(voice: Voice) -> None:
    client, asked = pages(
        page("a", "b", hasMore=True, nextCursor="1"), page(nextCursor="2"), page("c", hasMore=False, nextCursor="3")
    )
    assert items(client, voice.is_async, limit=2, name="x") == ["a", "b", "c"]
    assert asked == ["limit=2&name=x", "limit=2&cursor=1&name=x", "limit=2&cursor=2&name=x"]


@pytest.mark.parametrize("end", [{}, {"nextCursor": None}, {"hasMore": True}, {"hasMore": False, "nextCursor": "9"}])
def test_the_last_page_is_known(voice: Voice, end: dict[str, Any]) -> None:
    client, asked = pages(page("a", **end))
    assert items(client, voice.is_async) == ["a"]
    assert len(asked) == 1


def test_cursors_in_a_circle_end(voice: Voice) -> None:
    client, asked = pages(page("a", nextCursor="1"), page("b", nextCursor="2"), page("c", nextCursor="1"))
    assert items(client, voice.is_async) == ["a", "b", "c"]
    assert len(asked) == 3


@pytest.mark.parametrize("ids", [(), ("a",)])
def test_pages_without_end_are_an_error(voice: Voice, ids: tuple[str, ...]) -> None:
    count = iter(range(10_000))
    client = answering(lambda _: httpx.Response(200, json=page(*ids, hasMore=True, nextCursor=str(next(count)))))
    with pytest.raises(errors.InvalidResponse, match="expected another page"):
        items(client, voice.is_async)


@pytest.mark.parametrize("limit", [0, 101, -1])
def test_a_limit_out_of_range_is_not_sent(limit: int) -> None:
    client, asked = pages(page())
    for call in (lambda: list_vps.sync(client=client, limit=limit), lambda: items(client, False, limit=limit)):
        with pytest.raises(ValueError, match=r"^limit: expected 1 to 100$"):
            call()
    assert asked == []


def test_a_hundred_empty_pages_end_the_walk(voice: Voice) -> None:
    asked: list[int] = []

    def page(_: httpx.Request) -> httpx.Response:
        asked.append(len(asked))
        items = [{"id": "a"}] if len(asked) == 60 else []
        return httpx.Response(200, json={"data": items, "nextCursor": str(len(asked)), "hasMore": True})

    with pytest.raises(errors.InvalidResponse, match=r"^\$: expected another page, got nothing new \(GET ") as caught:
        voice.items(client=answering(page))
    assert len(asked) == 160
    assert caught.value.status_code == 200


def test_many_are_told_all_that_one_is(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[dict[str, Any]] = []
    under_way: list[int] = []

    async def run(**arguments: Any) -> int:
        given.append(arguments)
        await asyncio.sleep(0)
        under_way.append(len(given) - len(under_way))
        return 0

    async def main(**arguments: Any) -> None:
        ids = map(str, range(50))
        assert len([one async for one in start_agent_exec.run_many(ids, "x", client=new_client(), **arguments)]) == 50

    monkeypatch.setattr(start_agent_exec, "asyncio_run", run)
    asyncio.run(main())
    told = {name: given[0][name] for name in ("command", "timeout", "interval", "check")}
    assert told == {"command": "x", "timeout": 300.0, "interval": None, "check": False}
    assert max(under_way) == 20
    given.clear()
    asyncio.run(main(timeout=7.0, interval=2.0, check=True))
    assert [given[0][name] for name in ("timeout", "interval", "check")] == [7.0, 2.0, True]


def test_many_are_run_some_at_once() -> None:
    running, most = set[str](), list[int]()

    async def answer(request: httpx.Request) -> httpx.Response:
        vps = request.url.path.split("/")[4]
        running.add(vps)
        most.append(len(running))
        await asyncio.sleep(0)
        if vps == "bad":
            running.discard(vps)
            return httpx.Response(404)
        if "pid" in request.url.params:
            running.discard(vps)
            return played(EXITED)
        return played(STARTED if request.method == "POST" else YES)

    async def main(ids: Any) -> dict[str, Any]:
        async with new_client(httpx_args={"transport": httpx.MockTransport(answer)}) as client:
            return {id: done async for id, done in start_agent_exec.run_many(ids, "uname", client=client, limit=3)}

    async def ids() -> AsyncIterator[str]:
        for id in ("a", "bad", "", "b", "c", "d", "e"):
            yield id

    for given in (ids, lambda: ["a", "bad", "", "b", "c", "d", "e"]):
        outcomes = asyncio.run(main(given()))
        assert {id for id, done in outcomes.items() if isinstance(done, CommandOutput)} == {"a", "b", "c", "d", "e"}
        assert isinstance(outcomes["bad"], errors.NotFound)
        assert isinstance(outcomes[""], ValueError)
    assert max(most) == 3


def test_many_come_in_order_and_can_be_left() -> None:
    left: list[str] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        vps = request.url.path.split("/")[4]
        try:
            await asyncio.sleep(60 if vps == "slow" else 0)
        except asyncio.CancelledError:
            left.append(vps)
            raise
        return played(EXITED if "pid" in request.url.params else STARTED if request.method == "POST" else YES)

    async def main() -> str:
        client = new_client(httpx_args={"transport": httpx.MockTransport(answer)})
        many = start_agent_exec.run_many(["slow", "fast"], "x", client=client)
        async with client, aclosing(many) as outcomes:
            async for id, _ in outcomes:
                return id
        return ""

    assert asyncio.run(main()) == "fast"
    assert left == ["slow"]


@pytest.mark.parametrize(("limit", "error"), [(0, ValueError), ("2", TypeError), (True, TypeError)])
def test_a_senseless_number_at_once_is_refused(limit: Any, error: type[Exception]) -> None:
    async def main() -> None:
        async for _ in start_agent_exec.run_many(["v"], "x", client=new_client(), limit=limit):
            pass

    with pytest.raises(error, match=r"^limit: expected "):
        asyncio.run(main())


def test_the_old_name_of_the_error_holds() -> None:
    assert errors.AnswerError is errors.ResponseError


def test_a_plain_client_needs_its_url_alone() -> None:
    assert repr(Client("https://h.test")) == "Client(URL('https://h.test'))"


def test_a_probe_within_a_run_is_repeated_too(voice: Voice, clock: Clock) -> None:
    script = Script(probe=[httpx.ReadError, YES])
    client = new_client(retries=1, httpx_args={"transport": httpx.MockTransport(script)})
    assert voice.run(client=client).ok
    assert (script.seen, len(clock.slept)) == (["probe", "probe", "start", "poll"], 1)


def test_a_wait_s_own_pauses_go_before_retries(voice: Voice, clock: Clock) -> None:
    script = Script(poll=[httpx.Response(429), EXITED])
    client = new_client(retries=3, httpx_args={"transport": httpx.MockTransport(script)})
    assert voice.wait(client=client, interval=2).ok
    assert clock.slept == [2]


@pytest.mark.parametrize(
    ("timeout", "probe", "slept"),
    [
        (0.5, httpx.Response(429), [0.25]),
        (7.1, REFUSED, [7]),
        (60, httpx.Response(503, headers={"Retry-After": "0"}), [0.1]),
    ],
)
def test_a_refusal_is_waited_out_fully(
    voice: Voice, clock: Clock, timeout: float, probe: httpx.Response, slept: list[float]
) -> None:
    script = Script(probe=[probe, YES])
    assert voice.run(client=script.client, timeout=timeout).ok
    assert clock.slept == slept


@pytest.mark.parametrize("kind", ["probe", "start"])
def test_a_pause_to_the_end_is_not_begun(voice: Voice, clock: Clock, kind: str) -> None:
    script = Script(**{kind: [REFUSED]})
    with pytest.raises(errors.RateLimited):
        voice.run(client=script.client, timeout=7)
    assert (script.seen[-1], clock.slept) == (kind, [])


def test_a_busy_gateway_is_not_waited_out(voice: Voice, clock: Clock) -> None:
    with pytest.raises(errors.UnexpectedStatus):
        voice.run(client=Script(probe=[BUSY, YES]).client, timeout=3)
    assert clock.slept == []


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"exitCode": 1}, "the command ended with exit code 1"),
        ({"stderr": "killed"}, "the command ended without an exit code: it was killed, or has none: killed"),
        ({"exitCode": 2, "stderr": "a" + "b" * 300}, "the command ended with exit code 2: " + "b" * 300),
        ({"exitCode": 2, "stderr": "a\0b"}, "the command ended with exit code 2: a\ufffdb"),
    ],
)
def test_a_failure_says_so_in_a_line(members: dict[str, Any], says: str) -> None:
    failed = httpx.Response(200, json={"exited": True, **members})
    with pytest.raises(errors.CommandFailed) as caught:
        get_agent_exec.wait(VPS, PID, client=Script(poll=[failed]).client, check=True)
    assert str(caught.value) == says


def test_a_hundred_pages_may_be_empty(voice: Voice) -> None:
    asked: list[int] = []

    def answer(_: httpx.Request) -> httpx.Response:
        asked.append(len(asked))
        return httpx.Response(200, json=page(hasMore=True, nextCursor=str(len(asked))))

    with pytest.raises(errors.InvalidResponse):
        voice.items(client=answering(answer))
    assert len(asked) == 100


def test_closing_many_runs_ends_them_all() -> None:
    ended: list[str] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        vps = request.url.path.split("/")[4]
        try:
            await asyncio.sleep(60 if vps == "slow" else 0)
        finally:
            await asyncio.sleep(0)
            ended.append(vps)
        return played(EXITED if "pid" in request.url.params else STARTED if request.method == "POST" else YES)

    async def main() -> list[str]:
        client = new_client(httpx_args={"transport": httpx.MockTransport(answer)})
        assert [id async for id, _ in start_agent_exec.run_many(["a", "b"], "x", client=client, limit=1)] == ["a", "b"]
        many = start_agent_exec.run_many(["fast", "slow"], "x", client=client)
        async with client:
            await anext(many)
            await many.aclose()
            return ended

    assert asyncio.run(main())[-1] == "slow"


def test_pauses_double_up_to_eight_seconds(voice: Voice, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "uniform", lambda least, most: most if (least, most) == (0.5, 1.0) else 0)
    client, _ = repeated(7, *[httpx.ReadError] * 7)
    voice.call(client=client)
    assert clock.slept == [0.5, 1, 2, 4, 8, 8, 8]


@pytest.mark.parametrize("kind", ["probe", "start", "poll"])
def test_within_a_run_retries_end_with_its_time(voice: Voice, clock: Clock, kind: str) -> None:
    script = Script(**{kind: [httpx.ConnectError]})
    client = new_client(retries=9, httpx_args={"transport": httpx.MockTransport(script)})
    with pytest.raises((httpx.ConnectError, errors.CommandStillRunning)):
        voice.run(client=client, timeout=3)
    assert 1 < sum(clock.slept) < 3


@pytest.mark.parametrize(("timeout", "count"), [(5, 1), (5.1, 2)])
def test_nothing_is_repeated_after_the_deadline(voice: Voice, clock: Clock, timeout: float, count: int) -> None:
    client, asked = repeated(1, httpx.Response(429, headers={"Retry-After": "5"}))
    if count == 1:
        with pytest.raises(errors.RateLimited):
            voice.call(client=client, timeout=timeout)
    else:
        voice.call(client=client, timeout=timeout)
    assert (len(asked), len(clock.slept)) == (count, count - 1)


def test_a_call_without_a_response_is_logged(voice: Voice, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        clock.now += 1.5
        raise httpx.ReadError("private")

    caplog.set_level("INFO", "hostup_agent_exec")
    for client in (answering(answer), answering(httpx.Response(200, json={"exited": True}))):
        with contextlib.suppress(httpx.ReadError):
            voice.call("v", client=client, pid=PID)
    own = [record.getMessage() for record in caplog.records if record.name == "hostup_agent_exec"]
    assert own == [
        "GET /api/v2/vps/v/agent/exec -> ReadError in 1.500 s",
        f"GET /api/v2/vps/v/agent/exec?pid={PID} -> 200 in 0.000 s",
    ]


def test_without_info_nothing_is_logged(voice: Voice, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("WARNING", "hostup_agent_exec")
    voice.call(client=answering(YES))
    assert [record for record in caplog.records if record.name == "hostup_agent_exec"] == []
