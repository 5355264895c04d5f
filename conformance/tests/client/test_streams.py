"""Connections keep the time that is left, and those of another process are left to it."""

import inspect
import os
import pickle
import socket
import ssl
import time
from collections.abc import Callable
from typing import Any

import anyio
import httpx
import pytest
from client.serving import Raw, serving
from client.voices import BASE_URL, KEY, VPS, Clock
from hostup_agent_exec import AuthenticatedClient, Client
from hostup_agent_exec.api.agent import get_agent_exec
from hostup_agent_runtime import connections as module
from hostup_agent_runtime.sending import Request, json_body
from hostup_agent_runtime.values import anything
from hostup_conformance.clients.certificates import certificates, missing
from hostup_conformance.http.scripted import Received, Reply
from httpcore import ConnectError

RESPONSE = b'HTTP/1.1 200 OK\r\nContent-Length: 18\r\n\r\n{"available":true}'


class Network:
    """httpcore's network without one, in which each act takes a second; it keeps the times that each was given."""

    def __init__(self, clock: Clock, refused: int = 0) -> None:
        self.clock, self.refused = clock, refused
        self.acts: list[tuple[Any, ...]] = []
        self.sockets: list[socket.socket] = []

    def act(self, *about: Any) -> None:
        self.acts.append(about)
        self.clock.now += 1

    def connect_tcp(self, host: str, port: int, timeout: float | None = None, **more: Any) -> "Stream":
        self.act("connect", host, port, timeout, sorted(more))
        if self.refused:
            self.refused -= 1
            raise ConnectError("refused")
        return Stream(self)

    def connect_unix_socket(self, path: str, timeout: float | None = None, **more: Any) -> "Stream":
        self.act("connect", path, timeout, sorted(more))
        return Stream(self)

    def sleep(self, seconds: float) -> None:
        self.act("sleep", seconds)


class Stream:
    def __init__(self, network: Network) -> None:
        self.network = network
        self.socket, other = socket.socketpair()
        other.settimeout(1)
        network.sockets += [self.socket, other]

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self.network.act("read", timeout)
        return RESPONSE[:max_bytes]

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.network.act("write", buffer[:3], timeout)

    def close(self) -> None:
        self.network.act("close")

    def start_tls(
        self, ssl_context: object, server_hostname: str | None = None, timeout: float | None = None
    ) -> "Stream":
        self.network.act("tls", ssl_context is not None, server_hostname, timeout)
        return Stream(self.network)

    def get_extra_info(self, info: str) -> Any:
        return {"socket": self.socket, "is_readable": self.socket.fileno() < 0}.get(info)


@pytest.fixture
def network(clock: Clock) -> Any:
    made = Network(clock)
    yield made
    for one in made.sockets:
        one.close()


def through(network: Network, url: str, timeout: float | httpx.Timeout = 9.0, **arguments: Any) -> AuthenticatedClient:
    transport = httpx.HTTPTransport(**arguments)
    transport._pool._network_backend = network  # type: ignore[assignment]
    return AuthenticatedClient(url, KEY, timeout=timeout, httpx_args={"transport": transport})


def test_each_act_has_what_is_left(network: Network) -> None:
    client = through(network, "https://h.test:7")
    assert get_agent_exec.sync(VPS, client=client).available
    connect, tls, head, *rest = network.acts
    assert connect == ("connect", "h.test", 7, 9, ["local_address", "socket_options"])
    assert tls == ("tls", True, "h.test", 8)
    assert head == ("write", b"GET", 7)
    assert rest[-1] == ("read", 9 - len(network.acts) + 1)
    get_agent_exec.sync(VPS, client=client)  # on the same connection, with a time of its own
    assert [act for act in network.acts if act[0] == "connect"] == [connect]
    assert network.acts[len(rest) + 3] == ("write", b"GET", 9)
    client.close()
    assert network.acts[-1] == ("close",)


#: How many bytes a record of TLS holds at most, and how many anyio reads at once.
RECORD, CHUNK = 1 << 14, 1 << 16


@pytest.mark.parametrize("library", ["asyncio", "trio"])
@pytest.mark.parametrize("size", [RECORD, CHUNK])
def test_what_a_response_does_not_declare_is_no_other_response(library: str, size: int) -> None:
    """It has been read from the socket already, if the response ends where a record of TLS does, or what is read."""
    if absent := missing():
        pytest.skip(absent)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %06d\r\n\r\n"
    odd, stale, own = (b'{"available":true}', b'{"exited":true,"stdout":"stale"}', b'{"exited":true,"stdout":"own"}')
    odd += b" " * (size - len(head % 0) - len(odd))
    stale, own = (head % len(body) + body for body in (stale, own))

    def script(received: Received) -> Reply:
        return Raw(raw=[own if "pid=" in received.request.target else head % len(odd) + odd + stale])

    async def main() -> str:
        trusts = ssl.create_default_context(cafile=certificates().ca)
        async with AuthenticatedClient(url, KEY, verify_ssl=trusts) as client:
            assert (await get_agent_exec.asyncio("vps_a", client=client)).available
            # What comes once the next request has been sent looks like its response: nobody can tell.
            await anyio.sleep(0.2)
            return (await get_agent_exec.asyncio("vps_b", client=client, pid=7)).stdout_text

    with serving(script, None if size == CHUNK else certificates().context("right")) as url:
        assert anyio.run(main, backend=library) == "own"


def renewed(request: httpx.Request) -> httpx.Request:
    """Make a new request, as what signs them does."""
    return httpx.Request(request.method, request.url, headers=request.headers, content=request.content)


def traced(request: httpx.Request) -> httpx.Request:
    """Put another ``trace`` in the place of the one that is there, as what measures times does."""
    own = request.extensions["trace"]

    async def atrace(event: str, info: dict[str, Any]) -> None:
        await own(event, info)

    is_async = inspect.iscoroutinefunction(own)
    request.extensions = {**request.extensions, "trace": atrace if is_async else lambda *told: own(*told)}
    return request


class Wrapping(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport that sends by another one, and reads the body, as those do that log responses or keep them."""

    def __init__(self, change: Callable[[httpx.Request], httpx.Request] = lambda request: request) -> None:
        self.inner, self.ainner, self.change = httpx.HTTPTransport(), httpx.AsyncHTTPTransport(), change

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self.inner.handle_request(self.change(request))
        return httpx.Response(response.status_code, headers=response.headers, content=response.read())

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self.ainner.handle_async_request(self.change(request))
        return httpx.Response(response.status_code, headers=response.headers, content=await response.aread())

    def close(self) -> None:
        self.inner.close()

    async def aclose(self) -> None:
        await self.ainner.aclose()


class Hiding(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport whose others are not found, since they are in a list."""

    def __init__(self) -> None:
        self.held = [Wrapping()]

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self.held[0].handle_request(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self.held[0].handle_async_request(request)

    def close(self) -> None:
        self.held[0].close()

    async def aclose(self) -> None:
        await self.held[0].aclose()


class Signing(httpx.HTTPTransport):
    """A transport that is one of httpx's, and makes requests anew."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return super().handle_request(renewed(request))


class ASigning(httpx.AsyncHTTPTransport):
    """The same for asynchronous clients."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await super().handle_async_request(renewed(request))


TRANSPORTS: dict[str, Callable[[], httpx.BaseTransport | httpx.AsyncBaseTransport]] = {
    "transport": Wrapping,
    "one that makes requests anew": lambda: Wrapping(renewed),
    "one that traces": lambda: Wrapping(traced),
    "one that hides others": Hiding,
}


def forget(request: httpx.Request) -> None:
    """Set extensions, of which those that were there are no part."""
    request.extensions = {"timeout": request.extensions["timeout"]}


async def aforget(request: httpx.Request) -> None:
    forget(request)


async def aread(response: httpx.Response) -> None:
    await response.aread()


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("reader", ["hook", "hook of requests", "one of httpx's kind", "nobody", *TRANSPORTS])
def test_whoever_reads_a_response_what_came_beyond_it_is_no_other(is_async: bool, reader: str) -> None:
    head, own = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", b'{"exited":true,"stdout":"own"}'
    odd, stale = b'{"available":true}', b'{"exited":true,"stdout":"stale"}'

    def script(received: Received) -> Reply:
        more = head % len(odd) + odd + head % len(stale) + stale
        return Raw(raw=[head % len(own) + own if "pid=" in received.request.target else more])

    arguments: dict[str, dict[str, Any]] = {
        "hook": {"event_hooks": {"response": [aread if is_async else httpx.Response.read]}},
        "hook of requests": {"event_hooks": {"request": [aforget if is_async else forget]}},
        "one of httpx's kind": {"transport": ASigning() if is_async else Signing()},
        **{name: {"transport": transport()} for name, transport in TRANSPORTS.items()},
        "nobody": {},
    }

    async def main() -> str:
        async with AuthenticatedClient(url, KEY, httpx_args=arguments[reader]) as client:
            assert (await get_agent_exec.asyncio("vps_a", client=client)).available
            # What comes once the next request has been sent looks like its response: nobody can tell.
            await anyio.sleep(0.2)
            return (await get_agent_exec.asyncio("vps_b", client=client, pid=7)).stdout_text

    def synchronous() -> str:
        with AuthenticatedClient(url, KEY, httpx_args=arguments[reader]) as client:
            assert get_agent_exec.sync("vps_a", client=client).available
            return get_agent_exec.sync("vps_b", client=client, pid=7).stdout_text

    with serving(script) as url:
        assert (anyio.run(main) if is_async else synchronous()) == "own"


def test_what_others_left_on_a_connection_is_no_response() -> None:
    """The program sends its own requests by the client that it gives, and what came beyond their responses stays."""
    head, own = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", b'{"exited":true,"stdout":"own"}'
    stale = b'{"exited":true,"stdout":"stale"}'

    def script(received: Received) -> Reply:
        more = head % len(own) + own + head % len(stale) + stale
        return Raw(raw=[head % len(own) + own if "pid=" in received.request.target else more])

    with serving(script) as url, httpx.Client() as given:
        client = AuthenticatedClient(url, KEY).set_httpx_client(given)
        given.get(url)
        time.sleep(0.1)
        assert get_agent_exec.sync("vps_b", client=client, pid=7).stdout_text == "own"


@pytest.mark.parametrize(
    ("transport", "connections"),
    [(httpx.HTTPTransport, 1), (Signing, 4), (Wrapping, 4), (TRANSPORTS["one that traces"], 4), (Hiding, 4)],
    ids=["httpx's", "one of its kind", "one that wraps it", "one that traces", "one that hides others"],
)
def test_connections_of_httpx_s_own_transports_are_used_again(transport: Any, connections: int) -> None:
    used = set[int]()

    def script(received: Received) -> Reply:
        used.add(received.port)
        return Raw(raw=[RESPONSE])

    with serving(script) as url, AuthenticatedClient(url, KEY, httpx_args={"transport": transport()}) as client:
        for _ in range(4):
            assert get_agent_exec.sync(VPS, client=client).available
    assert len(used) == connections


def test_what_is_long_is_written_in_pieces_each_of_which_has_what_is_left(network: Network) -> None:
    """Of a slow reader, httpcore waits for each part anew for as long as it was told."""
    client = through(network, "https://h.test").with_headers({"X-Long": "a" * 2 * module.PIECE})
    get_agent_exec.sync(VPS, client=client)
    assert [act[-1] for act in network.acts if act[0] == "write"] == [7, 6, 5]


def test_parts_that_are_shorter_are_kept(network: Network) -> None:
    client = through(network, "https://h.test", httpx.Timeout(connect=3, read=4, write=2, pool=1))
    get_agent_exec.sync(VPS, client=client)
    times = {act[0]: act[-1] for act in network.acts if act[0] != "connect"}
    assert (network.acts[0][3], times) == (3, {"tls": 3, "write": 2, "read": 4})


def test_a_unix_socket_has_what_is_left_too(network: Network) -> None:
    get_agent_exec.sync(VPS, client=through(network, "http://localhost", uds="/run/x"))
    assert network.acts[0] == ("connect", "/run/x", 9, ["socket_options"])
    assert network.acts[1] == ("write", b"GET", 8)


@pytest.mark.parametrize("seconds", [1.0, 2.0, 3.0])
def test_nothing_begins_after_the_deadline(network: Network, seconds: float) -> None:
    """Before there is a connection, the error says so: nothing was sent, as where many wait for their turn."""
    kind, says = (
        (httpx.ConnectTimeout, "the time was over before there was a connection")
        if seconds == 1.0
        else (httpx.ReadTimeout, "the response was not complete in time")
    )
    with pytest.raises(kind, match=f"^{says}$") as caught:
        get_agent_exec.sync(VPS, client=through(network, "https://h.test", seconds))
    assert len([act for act in network.acts if act[0] != "close"]) == seconds
    assert KEY not in str(caught.value.request.headers)


def test_a_transport_that_tries_again_may_sleep(network: Network) -> None:
    network.refused = 2
    assert get_agent_exec.sync(VPS, client=through(network, "https://h.test", 60.0, retries=2)).available
    assert [act for act in network.acts if act[0] == "sleep"] == [("sleep", 0), ("sleep", 0.5)]


def test_no_time_is_left_over_for_what_follows(network: Network) -> None:
    client = through(network, "http://127.0.0.1")
    get_agent_exec.sync(VPS, client=client)
    network.clock.now += 100
    network.acts.clear()
    client.get_httpx_client().get("/", timeout=50)  # not a request of an operation: httpx's own times hold
    assert [act[3] for act in network.acts if act[0] == "connect"] == [50]


def test_another_process_s_connections_are_left(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    client = through(network, "https://h.test")
    get_agent_exec.sync(VPS, client=client)
    parents = list(network.sockets)
    monkeypatch.setattr(os, "getpid", lambda: -7)
    network.acts.clear()
    get_agent_exec.sync(VPS, client=client)
    assert "connect" in {act[0] for act in network.acts}
    assert parents[2].fileno() == -1  # of the stream with TLS, which took the place of the first
    assert parents[3].recv(1) == b""


def test_a_stream_without_socket_is_left_alone(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    client = through(network, "https://h.test")
    get_agent_exec.sync(VPS, client=client)
    monkeypatch.setattr(Stream, "get_extra_info", lambda *_: None)
    monkeypatch.setattr(os, "getpid", lambda: -7)
    client.close()
    assert ("close",) not in network.acts


def test_a_forked_process_has_its_own_lock() -> None:
    with module._lock as held:
        assert held
        before = module._lock
        module._renew_lock()
    assert module._lock is not before


def test_a_plain_client_sends_as_nobody() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        raise httpx.ReadError("no")

    transport = httpx.MockTransport(answer)
    for client in (
        Client(BASE_URL, headers={"Authorization": "Basic c2VjcmV0"}),
        pickle.loads(pickle.dumps(Client("https://me:pw@cloud.hostup.se"))),  # noqa: S301
    ):
        client.set_httpx_client(httpx.Client(transport=transport))
        with pytest.raises(httpx.ReadError) as caught:
            client.call(Request(method="GET", target="/", reads={200: json_body(anything)}))
        assert "authorization" not in caught.value.request.headers
    assert [request.headers.get("authorization") for request in asked] == ["Basic c2VjcmV0", None]
