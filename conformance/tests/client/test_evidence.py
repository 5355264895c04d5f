"""What was sent is known by the transport's evidence: each exception at each step of a start, over real sockets."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import httpx
import pytest
from client.serving import Raw, dropping, serving
from client.voices import KEY, PID, VPS, Voice
from hostup_agent_exec import AuthenticatedClient, errors
from hostup_conformance.http.scripted import Received, Reply

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def sized(body: bytes, more: bytes = b"") -> bytes:
    return OK + more + b"Content-Length: %d\r\n\r\n" % len(body) + body


class Server:
    """Responds in raw bytes, counts the commands it has started, and gives output once, as a guest agent does."""

    def __init__(self, start: bytes = sized(b'{"pid":%d}' % PID)) -> None:
        self.start, self.started, self.polls, self.always = start, 0, list[bytes](), b""
        self.url = ""

    def __call__(self, received: Received) -> Reply:
        response = self.always or self.response_to(received.request.method, received.request.target)
        whole = response.startswith(b"HTTP/1.1 200") and response != LOST["cut"]
        return Raw(raw=[response], after="keep" if whole else "close")

    def response_to(self, method: str, target: str) -> bytes:
        if method == "POST":
            self.started += 1
            return self.start
        if "pid=" not in target:
            return sized(b'{"available":true}')
        return self.polls.pop(0) if self.polls else sized(b'{"exited":true,"exitCode":0,"stdout":"x"}')


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    with serving(made) as made.url:
        yield made


def client_of(server: Server, **arguments: Any) -> AuthenticatedClient:
    return AuthenticatedClient(server.url, KEY, retries=3, timeout=5, httpx_args=arguments)


def failed(voice: Voice, client: AuthenticatedClient, error: type[Exception]) -> BaseException:
    """Run a command that fails, and return what was raised."""
    with client, pytest.raises(error) as caught:
        voice.run(command="reboot", client=client, timeout=5)
    return caught.value


def lose(about: httpx.Request | httpx.Response) -> None:
    """Post to a log service that is down."""
    request = about.request if isinstance(about, httpx.Response) else about
    if request.method == "POST":
        raise httpx.ConnectError("the log service is down")


async def async_lose(about: httpx.Request | httpx.Response) -> None:
    lose(about)


@pytest.mark.parametrize(("moment", "started"), [("response", 1), ("request", 0)])
def test_a_hook_s_own_error_says_nothing_of_the_start(server: Server, voice: Voice, moment: str, started: int) -> None:
    hooks = {moment: [async_lose if voice.is_async else lose]}
    lost = failed(voice, client_of(server, event_hooks=hooks), errors.StartLost)
    assert (server.started, type(lost.__cause__)) == (started, httpx.ConnectError)


class Wrapping(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport around another, whose own work fails after the response."""

    def __init__(self) -> None:
        self.inner, self.async_inner = httpx.HTTPTransport(), httpx.AsyncHTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self.inner.handle_request(request)
        if request.method == "POST":
            response.close()
            raise httpx.ConnectTimeout("a cache is down")
        return response

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self.async_inner.handle_async_request(request)
        if request.method == "POST":
            await response.aclose()
            raise httpx.ConnectTimeout("a cache is down")
        return response

    def close(self) -> None:
        self.inner.close()

    async def aclose(self) -> None:
        await self.async_inner.aclose()


def test_nor_does_the_error_of_a_transport_around_it(server: Server, voice: Voice) -> None:
    failed(voice, client_of(server, transport=Wrapping()), errors.StartLost)
    assert server.started == 1


class Slow(Wrapping):
    """A transport that takes a while until it sends a start, as one does that waits for a connection."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        time.sleep(1.2 * (request.method == "POST"))
        return self.inner.handle_request(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await anyio.sleep(1.2 * (request.method == "POST"))
        return await self.async_inner.handle_async_request(request)


def test_nothing_is_started_on_a_connection_that_comes_after_the_time(server: Server, voice: Voice) -> None:
    with client_of(server, transport=Slow()) as client, pytest.raises(httpx.PoolTimeout, match="could be started"):
        voice.run(command="reboot", client=client, timeout=1)
    assert server.started == 0


LOST = {
    "closed": b"",
    "no HTTP": b"220 mail.example.com\r\n",
    "cut": OK + b"Content-Length: 100\r\n\r\n{",
    "undecodable": sized(b"\xff\xff", b"Content-Encoding: gzip\r\n"),
    "no JSON": sized(b"<html>"),
    "gateway": b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("kind", LOST)
def test_what_was_sent_is_started_once(server: Server, voice: Voice, kind: str) -> None:
    server.start = LOST[kind]
    lost = failed(voice, client_of(server), errors.StartLost)
    assert (server.started, getattr(lost, "pid", 0)) == (1, None)
    assert lost.__cause__ is not None


def unresolved(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    yield "https://h.test"


def unreachable(_: pytest.MonkeyPatch) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    yield url


def without_tls(_: pytest.MonkeyPatch) -> Iterator[str]:
    with dropping() as url:
        yield url.replace("http:", "https:")


UNSENT: dict[str, Callable[[pytest.MonkeyPatch], Iterator[str]]] = {
    "DNS": unresolved,
    "connect": unreachable,
    "TLS": without_tls,
}


@pytest.mark.parametrize("step", UNSENT)
def test_what_was_never_sent_is_sent_again(voice: Voice, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[str] = []

    def count(request: httpx.Request) -> None:
        tries.append(request.method)

    async def acount(request: httpx.Request) -> None:
        count(request)

    hooks = {"event_hooks": {"request": [acount if voice.is_async else count]}}
    with (
        contextmanager(UNSENT[step])(monkeypatch) as url,
        AuthenticatedClient(url, KEY, retries=1, timeout=9, httpx_args=hooks) as client,
    ):
        start = voice.start(client=client)
        with pytest.raises(httpx.ConnectError):
            start()
    assert tries == ["POST", "POST"]


def test_a_tunnel_that_was_refused_has_sent_nothing(server: Server, voice: Voice) -> None:
    url = server.url
    server.always = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
    with AuthenticatedClient("https://h.test", KEY, httpx_args={"proxy": url}) as client:
        start = voice.start(client=client)
        with pytest.raises(httpx.ProxyError):
            start()
    assert server.started == 0


def test_a_poll_that_was_lost_is_polled_again(server: Server, voice: Voice) -> None:
    gateway = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
    server.polls = [gateway, b"", sized(b'{"exited":false}'), gateway]
    with client_of(server) as client:
        assert voice.run(client=client, interval=0.01).stdout_text == "x"
    assert server.started == 1


def test_output_that_went_with_a_lost_response_is_told(server: Server, voice: Voice) -> None:
    server.polls = [b"", b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"]
    with client_of(server) as client, pytest.raises(errors.OutputLost) as caught:
        voice.run(client=client, interval=0.01)
    assert (server.started, caught.value.pid) == (1, PID)
    assert isinstance(caught.value.__cause__, httpx.TransportError)


def test_a_call_by_itself_says_so_too(server: Server, voice: Voice) -> None:
    server.start = b""
    with client_of(server) as client:
        start = voice.start(VPS, client=client)
        with pytest.raises(errors.StartLost):
            start()
    assert server.started == 1


def test_a_closed_client_that_was_given_has_sent_nothing(server: Server) -> None:
    given = httpx.Client()
    given.close()
    failed(Voice("sync"), client_of(server).set_httpx_client(given), RuntimeError)
    assert server.started == 0


class OfTheSystem(Wrapping):
    """A transport that raises what the system raises, as some do that are not made with httpx: of the first poll."""

    count = 0

    def lose_one(self, request: httpx.Request) -> None:
        if "pid=" in str(request.url):
            self.count += 1
            if self.count == 1:
                raise ConnectionResetError("reset by peer")

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.lose_one(request)
        return self.inner.handle_request(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.lose_one(request)
        return await self.async_inner.handle_async_request(request)


def test_a_poll_that_the_system_lost_is_sent_again(server: Server, voice: Voice) -> None:
    with client_of(server, transport=OfTheSystem()) as client:
        assert voice.run(command="reboot", client=client, timeout=5).stdout == "x"
    assert server.started == 1
