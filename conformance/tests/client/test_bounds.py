"""What a server can do with time and memory is bounded: drips, endless bodies, bombs."""

import asyncio
import gc
import gzip
import json
import socket
import ssl
import time
import tracemalloc
import weakref
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import partial
from io import BytesIO
from itertools import chain, repeat
from typing import Any

import httpcore
import httpx
import pytest
from client.serving import Part, Raw, serving
from client.voices import KEY, PID, VPS, Clock, Pieces, Voice, answering, gzipped, played
from hostup_agent_exec import AuthenticatedClient, errors
from hostup_agent_exec.api.agent import get_agent_exec, start_agent_exec
from hostup_agent_runtime import connections
from hostup_conformance.clients.certificates import certificates, missing
from hostup_conformance.http.scripted import Received, Reply

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.fixture
def dripping() -> Iterator[Callable[..., str]]:
    """Serve a beginning, and then a piece again and again, until the client has had enough."""
    with ExitStack() as stack:

        def start(begin: bytes, piece: bytes, every: float = 0.05) -> str:
            def drip() -> Iterator[Part]:
                yield begin
                while True:
                    yield every
                    yield piece

            return stack.enter_context(serving(lambda _: Raw(raw=drip(), after="close")))

        yield start


DRIPS = {
    "nothing": (b"", b""),
    "status line": (b"HTTP/1.1", b" "),
    "header fields": (b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"),
    "body": (HEAD + b"Content-Length: 1000000\r\n\r\n{", b" "),
    "chunks": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "informational": (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
}


@pytest.mark.parametrize("drip", DRIPS)
def test_a_drip_ends_at_the_deadline(voice: Voice, dripping: Callable[..., str], drip: str) -> None:
    client = AuthenticatedClient(dripping(*DRIPS[drip]), KEY, timeout=0.5)
    begun = time.monotonic()
    with client, pytest.raises(httpx.TimeoutException):
        voice.call(client=client)
    assert time.monotonic() - begun < 10


def test_a_wait_ends_although_its_poll_drips(voice: Voice, dripping: Callable[..., str]) -> None:
    client = AuthenticatedClient(dripping(*DRIPS["body"]), KEY, timeout=0.5)
    with client, pytest.raises(errors.OutputLost) as caught:
        voice.wait(client=client, timeout=0.2)
    assert isinstance(caught.value.__cause__, httpx.TimeoutException)
    assert caught.value.pid == PID


@pytest.mark.parametrize("drip", ["body", "nothing"])
def test_so_it_does_by_its_own_time(
    voice: Voice, dripping: Callable[..., str], drip: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hostup_agent_runtime.sending.GRACE", 0.2)
    begun = time.monotonic()
    for call, lost in ((voice.wait, errors.OutputLost), (voice.run, httpx.TimeoutException)):
        with AuthenticatedClient(dripping(*DRIPS[drip]), KEY) as client, pytest.raises(lost):
            call(client=client, timeout=0.1)
    assert time.monotonic() - begun < 20


def test_one_call_has_a_timeout_of_its_own(voice: Voice, dripping: Callable[..., str]) -> None:
    client = AuthenticatedClient(dripping(*DRIPS["body"]), KEY)
    with client, pytest.raises(httpx.TimeoutException):
        voice.call(client=client, timeout=0.3)


def test_a_given_client_is_bounded_too(dripping: Callable[..., str]) -> None:
    client = AuthenticatedClient(dripping(*DRIPS["header fields"]), KEY, timeout=0.5)
    with httpx.Client() as given, pytest.raises(httpx.TimeoutException):
        Voice("sync").call(client=client.set_httpx_client(given))


def test_a_connection_that_is_open_already_is_bounded_too() -> None:
    def drip() -> Iterator[Part]:
        yield b"HTTP/1.1 200 OK\r\n"
        for _ in range(600):
            yield 0.05
            yield b"X-A: b\r\n"

    def respond(received: Received) -> Reply:
        return Reply(200, body=b"{}") if received.request.target == "/first" else Raw(raw=drip(), after="close")

    with serving(respond) as url, httpx.Client() as given:
        given.get(f"{url}/first")
        begun = time.monotonic()
        with pytest.raises(httpx.TimeoutException):
            Voice("sync").call(client=AuthenticatedClient(url, KEY, timeout=0.5).set_httpx_client(given))
        assert time.monotonic() - begun < 10


def bomb(layers: int) -> bytes:
    packed = zlib.compressobj(9, zlib.DEFLATED, 31)
    data = b"".join(packed.compress(bytes(2**20)) for _ in range(64)) + packed.flush()
    for _ in range(layers - 1):
        data = gzip.compress(data)
    return data


def test_a_bomb_does_not_go_off(voice: Voice) -> None:
    client = answering(gzipped(bomb(1)))
    client.max_body_bytes = 2_000_000
    tracemalloc.start()
    try:
        with pytest.raises(errors.TooLarge):
            voice.call(client=client)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_waiting_for_a_turn_counts(voice: Voice, dripping: Callable[..., str]) -> None:
    url = dripping(b"", b"")
    arguments = {"limits": httpx.Limits(max_connections=2)}

    async def hang_and_ask() -> None:
        async with AuthenticatedClient(url, KEY, httpx_args=arguments) as client:
            hanging = [asyncio.ensure_future(get_agent_exec.asyncio(VPS, client=client)) for _ in range(2)]
            await asyncio.sleep(0.1)
            for call in (get_agent_exec.asyncio, partial(start_agent_exec.asyncio_run, command="x")):
                with pytest.raises(httpx.PoolTimeout, match=r"the time was over before GET .* could be sent"):
                    await call(VPS, client=client, timeout=0.2)
            for one in hanging:
                one.cancel()
            await asyncio.wait(hanging)

    if voice.is_async:
        asyncio.run(hang_and_ask())
        return
    with AuthenticatedClient(url, KEY, httpx_args=arguments) as client, ThreadPoolExecutor(2) as pool:
        hanging = [pool.submit(get_agent_exec.sync, VPS, client=client, timeout=1.5) for _ in range(2)]
        time.sleep(0.1)
        for call in (get_agent_exec.sync, partial(start_agent_exec.run, command="x")):
            with pytest.raises(httpx.PoolTimeout, match=r"the time was over before GET .* could be sent"):
                call(VPS, client=client, timeout=0.2)
        assert all(isinstance(one.exception(), httpx.ReadTimeout) for one in hanging)


UNREADABLE = b"[" + b" " * 1_000_000


def held_by(error: BaseException) -> int:
    """Count the bytes that an error keeps alive in the frames that it came through, and in those of its context."""
    held, frames = {0: 0}, error.__traceback__
    while frames:
        for value in frames.tb_frame.f_locals.values():
            for one in (value, getattr(value, "_body", None), getattr(value, "doc", None)):
                if isinstance(one, bytes | str | BytesIO):
                    held[id(one)] = len(one.getvalue() if isinstance(one, BytesIO) else one)
        frames = frames.tb_next
    return sum(held.values()) + (held_by(error.__context__) if error.__context__ else 0)


def test_an_error_does_not_hold_what_was_read(voice: Voice, dripping: Callable[..., str]) -> None:
    client = AuthenticatedClient(dripping(HEAD + b"\r\n", b" " * 65536, 0.0), KEY, max_body_bytes=1_000_000)
    with client, pytest.raises(errors.TooLarge, match="a body of more than 1000000 bytes") as caught:
        voice.call(client=client)
    assert (caught.value.status_code, caught.value.response.content) == (200, b"")
    assert held_by(caught.value) < 200_000
    with pytest.raises(errors.InvalidResponse) as unread:
        voice.call(client=answering(lambda _: httpx.Response(200, stream=httpx.ByteStream(UNREADABLE))))
    assert held_by(unread.value) - len(unread.value.response.content) < 200_000
    assert unread.value.response.content == UNREADABLE


LET_GO: dict[str, tuple[httpx.Response, type[Exception] | None]] = {
    "running": (httpx.Response(200, json={"exited": False}), errors.CommandStillRunning),
    "ended": (httpx.Response(200, json={"exited": True}), None),
    "failed": (httpx.Response(500, text="x"), errors.OutputLost),
    "unreadable": (httpx.Response(200, text="x"), errors.InvalidResponse),
}


@pytest.mark.parametrize("kind", LET_GO)
@pytest.mark.parametrize("is_async", [False, True])
def test_a_response_is_gone_with_its_call(kind: str, is_async: bool) -> None:
    response, expected = LET_GO[kind]
    made: list[weakref.ref[httpx.Response]] = []

    def answer(_: httpx.Request) -> httpx.Response:
        again = played(response)
        made.append(weakref.ref(again))
        return again

    async def main() -> None:
        client, raised = answering(answer), None
        try:
            if is_async:
                await get_agent_exec.asyncio_wait(VPS, PID, client=client, timeout=0)
            else:
                get_agent_exec.wait(VPS, PID, client=client, timeout=0)
        except errors.HostUpError as error:
            raised = type(error)
        assert raised is expected
        assert made[0]() is None  # no circle keeps it until a collection of garbage

    gc.disable()
    try:
        asyncio.run(main())
    finally:
        gc.enable()


SENSELESS = "the Location of a redirect is not a URL"


@pytest.mark.parametrize("location", ["file:///etc/passwd", "javascript:alert(1)", "https:x", "x://y:z"])
def test_a_senseless_location_is_an_error_of_httpx(voice: Voice, location: str) -> None:
    redirect = httpx.Response(302, headers={"Location": location})
    with pytest.raises((httpx.RemoteProtocolError, errors.UnexpectedStatus)) as caught:
        voice.call(client=answering(redirect))
    if isinstance(caught.value, httpx.RemoteProtocolError):
        assert str(caught.value) == SENSELESS or "Invalid" in str(caught.value)
        assert caught.value.request.url.path.endswith("/agent/exec")


def test_what_follows_an_encoded_body_counts(voice: Voice, dripping: Callable[..., str]) -> None:
    begin = HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"{}")
    client = AuthenticatedClient(dripping(begin, b" " * 65536, 0.0), KEY, max_body_bytes=1_000_000)
    with client, pytest.raises(errors.TooLarge):
        voice.call(client=client)


def test_what_follows_is_not_of_the_body(voice: Voice) -> None:
    pieces = [gzip.compress(b'{"available": true}'), b"and more"]
    assert voice.call(client=answering(gzipped(Pieces(lambda: pieces)))).available


def test_a_long_encoded_body_is_whole(voice: Voice) -> None:
    text = "x" * 1_000_000
    packed = gzip.compress(json.dumps({"exited": True, "stdout": text}).encode())
    assert voice.call(client=answering(gzipped(packed)), pid=PID).stdout == text


def test_too_many_codings_are_refused(voice: Voice) -> None:
    with pytest.raises(httpx.DecodingError):
        voice.call(client=answering(gzipped(b"x", "gzip," * 500)))


class Stalling(httpx.AsyncByteStream):
    """A body that never ends and never comes, of a transport without a network."""

    def __init__(self) -> None:
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    async def aclose(self) -> None:
        self.closed = True


def test_a_transport_that_never_answers_is_left() -> None:
    stream = Stalling()
    client = answering(lambda _: httpx.Response(200, stream=stream)).with_timeout(0.2)
    with pytest.raises(httpx.ReadTimeout, match=r"^the response was not complete in time$") as caught:
        Voice("asyncio").call(client=client)
    assert stream.closed
    assert caught.value.request.url.path.endswith("/exec")


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf"), 10**400])
def test_a_senseless_timeout_is_refused(timeout: float) -> None:
    with pytest.raises(ValueError, match=r"^timeout: expected a number of seconds above 0"):
        AuthenticatedClient("https://h.test", KEY, timeout=timeout)
    with pytest.raises(ValueError, match=r"^timeout: "):
        Voice("sync").call(client=answering(httpx.Response(200, json={})), timeout=timeout)


def test_a_drip_through_a_proxy_ends_too(dripping: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, dripping(*DRIPS["header fields"]))
    client = AuthenticatedClient("http://h.test", KEY, timeout=0.3, allow_plain_http=True)
    with client, pytest.raises(httpx.ReadTimeout):
        get_agent_exec.sync(VPS, client=client)


@pytest.mark.parametrize("length", ["18", "018", "x", "9" * 21])
@pytest.mark.parametrize("largest", [17, 18])
def test_a_body_is_judged_by_what_comes(voice: Voice, length: str, largest: int) -> None:
    body = httpx.ByteStream(b'{"available":true}')
    client = answering(lambda _: httpx.Response(200, headers={"Content-Length": length}, stream=body))
    client.max_body_bytes = largest
    if largest == 18:
        assert voice.call(client=client).available
    else:
        with pytest.raises(errors.TooLarge) as caught:
            voice.call(client=client)
        assert str(caught.value) == f"GET /api/v2/vps/{VPS}/agent/exec: a body of more than 17 bytes"


def test_an_announced_size_is_not_waited_for(voice: Voice) -> None:
    def untouched() -> Iterator[bytes]:
        raise AssertionError

    client = answering(lambda _: httpx.Response(200, headers={"Content-Length": "19"}, stream=Pieces(untouched)))
    client.max_body_bytes = 18
    with pytest.raises(errors.TooLarge):
        voice.call(client=client)


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("padding", [b"", b"\0" * 9])
def test_gzip_may_have_members_and_padding(voice: Voice, size: int, padding: bytes) -> None:
    body = gzip.compress(b'{"avail') + gzip.compress(b"") + gzip.compress(b'able":true}') + padding
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    assert voice.call(client=answering(gzipped(Pieces(lambda: pieces)))).available is True


@pytest.mark.parametrize("codings", ["gzip", "x-gzip", "GZIP", " gzip , identity", "gzip, utf-8"])
def test_gzip_is_undone(voice: Voice, codings: str) -> None:
    body = gzip.compress(b'{"available":true}')
    headers = {"Content-Encoding": codings, "Content-Length": str(len(body))}
    client = answering(lambda _: httpx.Response(200, headers=headers, stream=httpx.ByteStream(body)))
    assert voice.call(client=client).available


@pytest.mark.parametrize(
    ("codings", "says"),
    [
        ("gzip,gzip", "a body is encoded in a way that was not asked for"),
        ("deflate", "a body is encoded in a way that was not asked for"),
        ("br", "a body is encoded in a way that was not asked for"),
        ("gzip", "a body is not encoded as its headers say"),
    ],
)
def test_what_cannot_be_decoded_is_told(voice: Voice, codings: str, says: str) -> None:
    with pytest.raises(httpx.DecodingError) as caught:
        voice.call(client=answering(gzipped(b"\xff" * 9, codings)))
    assert (str(caught.value), caught.value.request.url.path) == (says, f"/api/v2/vps/{VPS}/agent/exec")


def test_an_encoded_body_of_largest_size_passes(voice: Voice) -> None:
    client = answering(gzipped(gzip.compress(b'{"available":true' + b" " * 99_982 + b"}")))
    client.max_body_bytes = 100_000
    assert voice.call(client=client).available
    client.max_body_bytes = 99_999
    with pytest.raises(errors.TooLarge):
        voice.call(client=client)


def test_encoded_bytes_count_as_well(voice: Voice) -> None:
    body = gzip.compress(b"{}")
    client = answering(gzipped(body))
    client.max_body_bytes = len(body)
    voice.call(client=client)
    client.max_body_bytes = len(body) - 1
    with pytest.raises(errors.TooLarge):
        voice.call(client=client)


def test_time_that_passes_between_chunks_counts(voice: Voice, clock: Clock) -> None:
    def slow() -> Iterator[bytes]:
        for _ in range(3):
            clock.now += 4
            yield b" "

    client = answering(lambda _: httpx.Response(200, stream=Pieces(slow)))
    with pytest.raises(httpx.ReadTimeout, match=r"^the response was not complete in time$") as caught:
        voice.call(client=client, timeout=11.9)
    assert caught.value.request.url.path.endswith("/exec")
    with pytest.raises(errors.InvalidResponse):
        voice.call(client=client, timeout=12)


@pytest.fixture
def proxy_that_drips() -> Iterator[tuple[str, str]]:
    """An https proxy behind whose CONNECT a long record of TLS comes a byte at a time, and its CA."""
    if reason := missing():
        pytest.skip(reason)

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with suppress(OSError), certificates().context("right").wrap_socket(connection, server_side=True) as secured:
            secured.recv(4096)
            secured.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            secured.recv(4096)
            for piece in chain([b"\x16\x03\x03\x3e\x80\x02\x00\x3e\x7c"], repeat(b"\0")):
                secured.sendall(piece)
                time.sleep(0.05)

    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as serving_it:
        serving_it.submit(serve, listener)
        yield f"https://localhost:{listener.getsockname()[1]}", str(certificates().ca)


def test_tls_within_that_of_a_proxy_ends_at_the_deadline(proxy_that_drips: tuple[str, str]) -> None:
    url, ca = proxy_that_drips
    proxy = httpx.Proxy(url, ssl_context=ssl.create_default_context(cafile=ca))
    begun = time.monotonic()
    client = AuthenticatedClient("https://api.example", KEY, timeout=0.5, httpx_args={"proxy": proxy})
    with client, pytest.raises(httpx.TimeoutException):
        get_agent_exec.sync(VPS, client=client)
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("timeout", [None, 8.0])
def test_several_addresses_share_the_time(monkeypatch: pytest.MonkeyPatch, timeout: float | None) -> None:
    """Of addresses that do not respond, each is waited for, and all of them together no longer than for one."""
    waited = list[float]()

    class Silent(httpcore.SyncBackend):
        def connect_tcp(self, *_: Any, timeout: float | None = None, **__: Any) -> httpcore.NetworkStream:
            waited.append(timeout or 0.0)
            raise httpcore.ConnectTimeout

    found = [(0, 0, 0, "", (f"127.0.0.{number}", 80)) for number in range(4)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    monkeypatch.setattr(time, "monotonic", lambda: sum(waited))
    monkeypatch.setattr(connections.HERE, "deadline", 80.0 if timeout else 8.0, raising=False)
    with pytest.raises(httpcore.ConnectTimeout):
        connections._Backend(Silent(), weakref.WeakSet()).connect_tcp("h.test", 80, timeout)
    assert waited == [2.0] * 4
