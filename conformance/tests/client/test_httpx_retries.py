"""httpx-retries works as the transport of a given httpx client, if it is configured to repeat only what may be."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from client.voices import PID, VPS, Clock, Voice, answering, new_client
from hostup_agent_exec import errors
from hostup_agent_exec.api.agent import get_agent_exec, start_agent_exec
from hostup_agent_exec.models import CommandStart
from hostup_agent_runtime.connections import Line
from hostup_agent_runtime.sending import Evidence
from httpcore import ConnectionNotAvailable
from httpx_retries import Retry, RetryTransport

Ask = Callable[..., None]
PROBES = Retry(total=3)
POLLS = Retry(total=3, status_forcelist=[429], retry_on_exceptions=[httpx.ConnectError, httpx.ConnectTimeout])


def choose(request: httpx.Request) -> None:
    request.extensions["retry"] = POLLS if "pid" in request.url.params else PROBES


async def async_choose(request: httpx.Request) -> None:
    choose(request)


class Server:
    """Fails with the first, and then answers."""

    def __init__(self, first: httpx.Response | type[httpx.TransportError]) -> None:
        self.first, self.asked = first, 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if self.asked > 1:
            return httpx.Response(200, content=b'{"exited": true}' if "pid" in request.url.params else b"{}")
        if isinstance(self.first, httpx.Response):
            return self.first
        raise self.first("no answer")


@pytest.fixture(params=["sync", "asyncio"])
def ask(request: pytest.FixtureRequest, clock: Clock) -> Ask:  # noqa: ARG001
    def sync(server: Server, **arguments: Any) -> None:
        transport = RetryTransport(httpx.MockTransport(server))
        with httpx.Client(transport=transport, event_hooks={"request": [choose]}) as given:
            get_agent_exec.sync(VPS, client=new_client().set_httpx_client(given), **arguments)

    def asynchronous(server: Server, **arguments: Any) -> None:
        async def run() -> None:
            transport = RetryTransport(httpx.MockTransport(server))
            async with httpx.AsyncClient(transport=transport, event_hooks={"request": [async_choose]}) as given:
                await get_agent_exec.asyncio(VPS, client=new_client().set_async_httpx_client(given), **arguments)

        asyncio.run(run())

    return sync if request.param == "sync" else asynchronous


TROUBLE: dict[str, Callable[[], httpx.Response | type[httpx.TransportError]]] = {
    "429": lambda: httpx.Response(429, headers={"Retry-After": "0"}),
    "503": lambda: httpx.Response(503),
    "connect": lambda: httpx.ConnectError,
    "read": lambda: httpx.ReadError,
    "timeout": lambda: httpx.ReadTimeout,
    "protocol": lambda: httpx.RemoteProtocolError,
}


@pytest.mark.parametrize("trouble", TROUBLE)
def test_a_probe_is_repeated(ask: Ask, trouble: str) -> None:
    server = Server(TROUBLE[trouble]())
    ask(server)
    assert server.asked == 2


@pytest.mark.parametrize("trouble", TROUBLE)
def test_a_poll_is_repeated_only_when_harmless(ask: Ask, trouble: str) -> None:
    server = Server(TROUBLE[trouble]())
    if trouble in ("429", "connect"):
        ask(server, pid=PID)
        assert server.asked == 2
    else:
        with pytest.raises((httpx.TransportError, errors.UnexpectedStatus)):
            ask(server, pid=PID)
        assert server.asked == 1


@pytest.mark.parametrize("trouble", TROUBLE)
def test_a_start_never_is(trouble: str, clock: Clock) -> None:  # noqa: ARG001
    server = Server(TROUBLE[trouble]())
    transport = RetryTransport(httpx.MockTransport(server))
    with httpx.Client(transport=transport, event_hooks={"request": [choose]}) as given:
        client = new_client().set_httpx_client(given)
        with pytest.raises((errors.StartLost, errors.ResponseError)):
            start_agent_exec.sync(VPS, client=client, body=CommandStart("reboot"))
    assert server.asked == 1


class Telling(httpx.BaseTransport):
    """Tells how far a request came, as httpcore does."""

    def __init__(self, *outcomes: httpx.Response | type[httpx.TransportError]) -> None:
        self.outcomes, self.sent = list(outcomes), 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        trace = request.extensions["trace"]
        trace("http11.send_request_headers.started", {"request": SimpleNamespace(method=request.method.encode())})
        self.sent += 1
        outcome = self.outcomes.pop(0)
        if not isinstance(outcome, httpx.Response):
            raise outcome("no answer")
        trace("http11.receive_response_headers.complete", {"return_value": (b"HTTP/1.1", outcome.status_code, b"", [])})
        return outcome


STARTS = Retry(total=3, allowed_methods=["POST"], backoff_factor=0)


@pytest.mark.parametrize("trouble", ["503", "read", "protocol"])
def test_who_would_repeat_a_start_is_stopped(trouble: str, clock: Clock) -> None:  # noqa: ARG001
    server = Telling(TROUBLE[trouble](), httpx.Response(200, json={"pid": PID}))
    with httpx.Client(transport=RetryTransport(server, STARTS)) as given:
        client = new_client().set_httpx_client(given)
        with pytest.raises(errors.StartLost) as caught:
            start_agent_exec.sync(VPS, client=client, body=CommandStart("reboot"))
    assert server.sent == 1
    assert isinstance(caught.value.__cause__, httpx.WriteError)


def test_a_start_that_was_refused_may_be_repeated(clock: Clock) -> None:  # noqa: ARG001
    server = Telling(TROUBLE["429"](), httpx.Response(200, json={"pid": PID}))
    with httpx.Client(transport=RetryTransport(server, STARTS)) as given:
        client = new_client().set_httpx_client(given)
        assert start_agent_exec.sync(VPS, client=client, body=CommandStart("reboot")).pid == PID
    assert server.sent == 2


def test_a_response_that_had_begun_was_looked_at() -> None:
    """Whatever a server of HTTP/2 says before it is whole."""
    evidence = Evidence()
    evidence.handed_over(Line(httpx.Client()))
    evidence.trace("http2.send_request_headers.started", {"request": SimpleNamespace(method=b"POST")})
    evidence.trace("http2.receive_response_headers.complete", {"return_value": (200, [])})
    evidence.trace("http2.receive_response_body.failed", {"exception": ConnectionNotAvailable()})
    assert evidence.may_have_been_sent


def test_a_goodbye_is_an_error_of_httpx(voice: Voice) -> None:
    def leave(_: httpx.Request) -> httpx.Response:
        raise ConnectionNotAvailable

    with pytest.raises(httpx.RemoteProtocolError, match=r"^the server said goodbye$"):
        voice.call(client=answering(leave))


@pytest.mark.parametrize("told", ["http2.receive_response_headers.failed", "http2.send_request_body.failed"])
def test_a_start_that_a_server_will_not_look_at_was_not_sent(told: str) -> None:
    evidence = Evidence()
    evidence.is_once = True
    evidence.handed_over(Line(httpx.Client()))
    for _ in range(2):
        evidence.trace("http2.send_request_headers.started", {"request": SimpleNamespace(method=b"POST")})
        assert evidence.may_have_been_sent
        evidence.trace(told, {"exception": ConnectionNotAvailable()})
        assert not evidence.may_have_been_sent
    evidence.trace("http2.send_request_headers.started", {"request": SimpleNamespace(method=b"POST")})
    evidence.trace("http2.receive_response_headers.complete", {"return_value": (429, [])})
    evidence.trace("http2.send_request_headers.started", {"request": SimpleNamespace(method=b"POST")})
