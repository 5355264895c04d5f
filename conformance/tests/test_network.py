"""One deadline for a name and all of its addresses, and connections that can be broken off."""

import gzip
import socket
import threading
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from typing import ClassVar

import httpcore
import pytest
from client.serving import dropping
from hostup_conformance.contract.causes.widespread import few_connections
from hostup_conformance.contract.refusal import what_stands_between
from hostup_conformance.contract.sending import Wire
from hostup_conformance.contract.server_verdict import judge
from hostup_conformance.contract.target import Target
from hostup_conformance.http import network
from hostup_conformance.http.bodies import MOST_MEMBERS, Memory, TooLarge, decode_content
from hostup_conformance.http.connections import Connections, NoResponse
from hostup_conformance.http.exchange import ALONE
from hostup_conformance.http.json_text import LONGEST_STRING, read_json
from hostup_conformance.http.limits import Limits
from hostup_conformance.http.messages import Request
from hostup_conformance.http.network import BoundedNetwork
from hostup_conformance.http.pace import Stopped
from hostup_conformance.http.route import DIRECT
from hostup_conformance.sources.requests import authorized, own_probe
from hostup_conformance.sources.start_steps import body_of, post


def test_resolving_a_name_ends_with_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(60) and [])
    bounded = BoundedNetwork()
    bounded.begin(time.monotonic() + 0.2)
    with pytest.raises(httpcore.ConnectError, match=r"was not resolved within"):
        bounded.connect_tcp("slow.invalid", 80)
    over.set()


def test_the_second_address_is_tried_and_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    resolved = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def resolve(host: str, *_: object) -> list[str]:
            resolved.append(host)
            return ["127.0.0.2", "127.0.0.1"]  # nothing listens at the first

        monkeypatch.setattr(network, "resolve", resolve)
        bounded = BoundedNetwork()
        bounded.begin(time.monotonic() + 20)
        for _ in range(2):
            bounded.connect_tcp("h.invalid", port).close()
    assert resolved == ["h.invalid"]


class Dropping(BaseHTTPRequestHandler):
    """Responds to GET, and closes the connection of what it carries out by POST."""

    protocol_version = "HTTP/1.1"
    carried_out: ClassVar[list[int]] = []

    def do_GET(self) -> None:
        self.send_response(204)
        self.end_headers()

    def do_POST(self) -> None:
        self.carried_out.append(self.client_address[1])
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


def test_what_is_apart_and_cannot_be_sent_again_is_not_sent_again() -> None:
    """It gets a new connection: on one that was kept, it would not be known whether it was carried out."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Dropping) as server:
        threading.Thread(target=server.serve_forever).start()
        url = f"http://127.0.0.1:{server.server_port}"
        with closing(Connections(url, DIRECT, Memory(Limits(), lambda _: Exception()))) as connections:
            fetch = partial(connections.fetch, seconds=10, longest=lambda _: 1000, apart=True)
            assert fetch(Request("GET", "/"), reuse=True).status == 204
            with pytest.raises(NoResponse):
                fetch(Request("POST", "/", body=b"{}"), reuse=False)
        server.shutdown()
    assert len(Dropping.carried_out) == 1


def test_what_waits_for_a_response_is_broken_off() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        bounded = BoundedNetwork()
        bounded.begin(time.monotonic() + 60)
        stream = bounded.connect_tcp("127.0.0.1", listener.getsockname()[1])
        threading.Timer(0.1, bounded.abort).start()
        assert stream.read(1) == b""
        stream.close()


def test_an_unknown_host_name_counts_as_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    target = Target("https://nobody.invalid", "server", key="hu_key_of_nobody_5d1e", vps="vps_1")
    wire = Wire(replace(target, live=True), Limits(pauses=()))
    exchange = wire.send(authorized("/api/v2/vps", target), purpose="the list")
    assert exchange.lost == "refused"
    assert wire.stopped == "the server does not accept connections"
    assert "Name or service not known (check the base URL)" in (what_stands_between(wire.exchanges) or "")


def test_what_drops_every_connection_may_speak_tls() -> None:
    with dropping() as url:
        target = Target(url, "server", key="hu_key_of_nobody_5d1e", vps="vps_1")
        wire = Wire(replace(target, live=True), Limits(pauses=(0.0,) * 9))
        wire.send(authorized("/api/v2/vps", target), purpose="the list")
    assert "whether it is https" in (what_stands_between(wire.exchanges) or "")


class LeavesContentUnread(BaseHTTPRequestHandler):
    """A server that takes what it has not read for the next request, as Python's does."""

    protocol_version = "HTTP/1.1"

    def refuse(self) -> None:
        self.send_response(405)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_PUT = do_PATCH = do_DELETE = refuse  # noqa: N815 - the names are http.server's

    def log_message(self, *_: object) -> None:
        pass


def test_content_that_is_not_read_spoils_no_other_request() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), LeavesContentUnread) as server, ExitStack() as stack:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        # Else its thread would ask a closed socket for connections without end, and take a core, if this fails.
        stack.callback(server.shutdown)
        target = Target(f"http://127.0.0.1:{server.server_port}", "server", key="hu_key_of_nobody_5d1e", vps="vps_1")
        with closing(Wire(target, Limits(pauses=()))) as wire:
            asked = replace(authorized("/api/v2/vps/vps_1/agent/exec", target), body=b"{}")
            got = [wire.send(replace(asked, method=method), purpose="") for method in ("PUT", "PATCH", "DELETE", "PUT")]
    assert [exchange.status for exchange in got] == [405, 405, 405, 405]


@pytest.mark.parametrize(
    ("members", "rest", "wrong"),
    [
        (3, b"", None),
        (3, b"\0\0\0", None),
        (1, b"{}", "something follows"),
        (MOST_MEMBERS + 1, b"", "more than"),
        (0, b"{}", "is not gzip"),
    ],
)
def test_gzip_may_have_several_members(members: int, rest: bytes, wrong: str | None) -> None:
    body = gzip.compress(b"a") * members + rest
    decoded, why = decode_content(body, (("Content-Encoding", "gzip"),), 2**20)
    assert decoded == (b"a" * min(members, MOST_MEMBERS) if members else body)
    assert why is None if wrong is None else wrong in str(why)


def test_members_of_gzip_share_one_limit() -> None:
    with pytest.raises(TooLarge):
        decode_content(gzip.compress(b"a" * 600) * 2, (("Content-Encoding", "gzip"),), 1000)


def test_a_body_is_decompressed_in_pieces() -> None:
    """It is there once: what zlib itself puts together would be there twice."""
    whole = b"a" * (32 << 20)
    packed = gzip.compress(whole, 1)
    tracemalloc.start()
    decoded, _ = decode_content(packed, (("Content-Encoding", "gzip"),), len(whole))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert decoded == whole
    assert most < 1.5 * len(whole)


def test_of_a_long_string_the_beginning_is_kept() -> None:
    """Whoever looks at strings makes copies of them."""
    body = b'{"stdout": ["%s", "b"]}' % (b"a" * (LONGEST_STRING + 1))
    assert read_json(body).value == {"stdout": ["a" * LONGEST_STRING, "b"]}


@pytest.mark.parametrize("fields", [(), (("Content-Encoding", "gzip"),)], ids=["plain", "gzip"])
def test_no_more_is_read_than_a_run_keeps(fields: tuple[tuple[str, str], ...]) -> None:
    room = Memory(Limits(kept_bytes=3 << 20), Stopped)
    assert len(room.read((), [b" " * (2 << 20)], 4 << 20)[0]) == 2 << 20
    whole = b"a" * (4 << 20)
    chunks = iter([gzip.compress(whole), b"too much"] if fields else [b"a" * (1 << 20)] * 4)
    with pytest.raises(Stopped, match="larger than a run keeps"):
        room.read(fields, chunks, 4 << 20)
    assert fields or len(list(chunks)) == 2


def test_a_body_that_takes_much_memory_as_text_is_too_large() -> None:
    body = b'{"stdout": "%s"}' % (b"a" * (2 << 20))
    assert Memory(Limits(text_bytes=5 << 20), Stopped).read((), [body], 1 << 30)[0] == body
    with pytest.raises(TooLarge, match="4 MiB of memory as text"):
        Memory(Limits(text_bytes=4 << 20), Stopped).read((), [body, b" "], 1 << 30)


def test_the_response_that_is_too_much_for_a_run_is_not_kept() -> None:
    room = Memory(Limits(kept_bytes=10), Stopped)
    assert room.read((), [b"1234567"], 100) == (b"1234567", None)
    with pytest.raises(Stopped, match="larger than a run keeps"):
        room.read((), [b"1234567"], 100)


class Patient(BaseHTTPRequestHandler):
    """A handler that waits for the next request on its connection, with a server that has no other thread."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "18")
        self.end_headers()
        self.wfile.write(b'{"available":true}')

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def wire_to_one_connection() -> Iterator[Wire]:
    """A wire to such a server, on which a request soon times out."""
    with HTTPServer(("127.0.0.1", 0), Patient) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        target = Target(f"http://127.0.0.1:{server.server_port}", "server", "key", "vps_1", allow_exec=True)
        with closing(Wire(target, Limits(request_seconds=0.4, first_seconds=0.4, next_seconds=0.4))) as wire:
            yield wire
        server.shutdown()


def test_a_start_that_waited_for_a_kept_connection_is_no_fault() -> None:
    """It cannot be sent again; its like is served once no connection is kept."""
    with wire_to_one_connection() as wire:
        target, found = wire.target, wire.exchanges
        probe, start = own_probe(target), post(target, body_of("true"))
        for request in (probe, start, start):
            wire.send(request, purpose="a request")
    assert [(e.status, e.beside_open) for e in found] == [(200, 0), (None, 1), (200, 0)]
    assert judge(found, target).results["HTTP-01"].status == "pass"
    assert judge(found[:2], target).results["HTTP-01"].status == "fail"  # nothing shows yet why it waited


def test_only_a_connection_that_rests_is_shut_down() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        bounded = network.BoundedNetwork()
        bounded.begin(time.monotonic() + 5)
        stream = bounded.connect_tcp("127.0.0.1", server.getsockname()[1])
        assert isinstance(stream, network.BoundedStream)
        other, _ = server.accept()
        other.settimeout(5)
        stream.shut_down()  # a request may be under way
        stream.write(b"x")
        assert other.recv(1) == b"x"
        stream.rests = True
        assert stream.is_kept_open
        stream.shut_down()
        assert other.recv(1) == b""
        assert not stream.is_kept_open
        with pytest.raises((httpcore.WriteError, OSError)):
            stream.write(b"x")
        stream.close()
        other.close()


def test_a_server_of_one_connection_at_a_time_is_served_so() -> None:
    """After the first request that waited for the end of another connection, none is kept open."""
    with wire_to_one_connection() as wire:
        found = wire.exchanges
        for source in ("probe", ALONE, ALONE, "probe"):
            wire.send(own_probe(wire.target), purpose="the probe", source=source)
    assert [e.status for e in found] == [200, None, 200, 200, 200]
    assert [e.beside_open for e in found] == [0, 1, 0, 0, 0]
    cause = few_connections(found)
    assert cause
    assert cause.numbers == {2}
    assert "1 connection is served at a time" in str(cause.words)
    assert few_connections([e for e in found if e.response]) is None


def test_what_comes_at_a_steady_pace_gets_more_time() -> None:
    transfer = network.Transfer(time.monotonic() - 1)
    with pytest.raises(httpcore.ReadTimeout):
        transfer.remaining()
    transfer.received = 2 * network.STEADY
    with pytest.raises(httpcore.ReadTimeout):  # interim responses alone give none
        transfer.remaining()
    transfer.begun = True
    assert 0 < transfer.remaining() <= 1
    transfer.received = 10**9
    assert transfer.remaining() <= network.MOST_SECONDS_MORE - 1


@pytest.mark.parametrize(
    ("fields", "came"),
    [
        (b"Content-Length: 300", ": status 200 and 120 of 300 bytes of content had come"),
        (b"Transfer-Encoding: chunked", ": status 200 and 120 bytes, and no end of it, of content had come"),
        (b"Content-Length: " + b"9" * 21, ": status 200 and 120 bytes, and no end of it, of content had come"),
    ],
)
def test_a_response_without_end_says_what_came(fields: bytes, came: str) -> None:
    transfer = network.Transfer(deadline=0.0)
    transfer.count(b"HTTP/1.1 200 OK\r\n" + fields + b"\r\n\r\n" + b"x" * 120)
    assert transfer.came == ""
    transfer.begun = True
    assert transfer.came == came
