"""The network below the wire: gives each request one deadline, and counts every byte that it receives."""

import ipaddress
import queue
import re
import socket
import ssl
import threading
import time
import weakref
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpcore

from hostup_conformance.http.incoming import LONGEST_LENGTH
from hostup_conformance.keeping.safe_text import counted

#: The name that counts as loopback wherever it is written (RFC 6761, section 6.3).
THIS_MACHINE = "localhost"
#: Only Linux has it.
QUICK_ACKNOWLEDGEMENT: int | None = getattr(socket, "TCP_QUICKACK", None)
#: How many bytes may come before a response itself: a library would read interim responses without end.
MOST_BEFORE = 1 << 20
#: In bytes a second, at what pace a long response comes over a slow line, and how many seconds more it gets at most.
STEADY, MOST_SECONDS_MORE = 50_000, 15.0
#: The beginning of what a server may send, unasked, when it closes an idle connection (RFC 9110 section 15.5.9).
REQUEST_TIMEOUT = re.compile(rb"HTTP/1\.[01] 408 ")
#: The end of a header section, whose lines may end in a line feed alone, as many recipients read them; and such an end.
END_OF_HEAD, BARE_END = re.compile(rb"\r?\n\r?\n"), re.compile(rb"(?<!\r)\n")
#: The beginning of a response that is no interim one.
FINAL_STATUS = re.compile(rb"HTTP/1\.[01] ([2-5]\d\d) ")


@dataclass
class Transfer:
    """The deadline of one request (on the monotonic clock), and what has been received for it."""

    deadline: float
    connected: bool = False
    #: Whether the TLS handshake of a new connection is complete.
    secured: bool = False
    received: int = 0
    #: Whether the header section of the response is complete, which is no interim one.
    begun: bool = False
    head: bytearray = field(default_factory=bytearray)

    def remaining(self) -> float:
        """Return the seconds left; raise `httpcore.ReadTimeout` if there are none.

        What has come at a steady pace over a slow line gives more time for what is to come.
        """
        more = min(self.received / STEADY, MOST_SECONDS_MORE) if self.begun else 0.0
        if (left := self.deadline + more - time.monotonic()) <= 0:
            raise httpcore.ReadTimeout
        return left

    @property
    def is_foreign(self) -> bool:
        """Whether something was received that is not the beginning of a response of HTTP/1 (RFC 9112 section 4)."""
        begin = bytes(self.head[:100]).lstrip(b"\r\n")[:5]
        return not b"HTTP/".startswith(begin)

    def count(self, data: bytes) -> bytes:
        """Count received bytes, and keep as many as are needed to find the end of the header section.

        Raises:
            httpcore.RemoteProtocolError: very many came, and no response
        """
        self.received += len(data)
        if self.received > MOST_BEFORE and not self.begun:
            raise httpcore.RemoteProtocolError(f"no response within its first {MOST_BEFORE >> 20} MiB")
        if len(self.head) < 2**17:
            self.head += data
        return data

    def surplus(self, status: int, method: str) -> str | None:
        """Return by how much the response exceeds the length that it declares, in words; None if it does not."""
        head, end, declared = self._header_section()
        without_body = method == "HEAD" or status in {204, 304}
        if head.startswith(b"HTTP/1.1 1") or (declared is None and not without_body):
            return None
        end += 0 if without_body else declared or 0
        if REQUEST_TIMEOUT.match(self.head, end):
            return None
        extra = self.received - end
        return f"{counted(extra, 'byte')} more than the response declares" if extra > 0 else None

    @property
    def came(self) -> str:
        """How much had come of a response that did not end, in words; empty if its header section had not."""
        head, end, declared = self._header_section()
        status = FINAL_STATUS.match(head)
        if not status or not self.begun:
            return ""
        much = f"{self.received - end:,}"
        whole = f" of {declared:,} bytes" if declared is not None else " bytes, and no end of it,"
        return f": status {int(status[1])} and {much}{whole} of content had come"

    @property
    def has_bare_ends(self) -> bool:
        """Whether a line of the header section ends in a line feed alone, without CR (RFC 9112 section 2.2)."""
        _, end = self._head_ends()
        return BARE_END.search(self.head, 0, end) is not None

    def _head_ends(self) -> tuple[int, int]:
        """Return where the header section ends, and where the content begins behind it."""
        found = END_OF_HEAD.search(self.head)
        return found.span() if found else (len(self.head), len(self.head))

    def _header_section(self) -> tuple[bytes, int, int | None]:
        """Return the header section, where it ends, and the length of the content if Content-Length declares it."""
        end, begin = self._head_ends()
        head = bytes(self.head[:end])
        fields = dict(line.lower().partition(b":")[::2] for line in re.split(rb"\r?\n", head)[1:])
        length = fields.get(b"content-length", b"").strip()
        known = b"transfer-encoding" not in fields and length.isdigit() and len(length) <= LONGEST_LENGTH
        return head, begin, int(length) if known else None


class BoundedNetwork(httpcore.NetworkBackend):
    """A network backend that bounds the one request of each thread, and counts what is received for it."""

    def __init__(self) -> None:
        self._network: httpcore.NetworkBackend = httpcore.SyncBackend()
        self._of_thread = threading.local()
        self._addresses: dict[tuple[str, int], list[str]] = {}
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        #: The numbers of new connections.
        self.numbers = count(1)

    def begin(self, deadline: float) -> Transfer:
        """Begin a request of this thread, which may take until a moment on the monotonic clock."""
        self._of_thread.transfer = Transfer(deadline)
        return self.transfer

    @property
    def transfer(self) -> Transfer:
        """What is received for this thread's request."""
        transfer: Transfer = self._of_thread.transfer
        return transfer

    def abort(self) -> None:
        """Shut down all connections, so that no thread keeps waiting for a response."""
        for connection in list(self._sockets):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def bounded(self, stream: httpcore.NetworkStream) -> "BoundedStream":
        """Return a connection that is bounded so, and that `abort` will shut down."""
        if isinstance(connection := stream.get_extra_info("socket"), socket.socket):
            self._sockets.add(connection)
        return BoundedStream(stream, self)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the deadline decides
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to one of a host's addresses within 5 seconds, or what is left until the request's deadline."""
        seconds = min(self.transfer.remaining(), 5)
        until = time.monotonic() + seconds
        addresses = self._addresses.get((host, port)) or resolve(host, port, seconds)
        refusal: Exception = httpcore.ConnectError(f"no connection within {seconds:.0f} seconds")
        for number, address in enumerate(addresses):
            if (left := until - time.monotonic()) <= 0:
                break
            share = max(left / (len(addresses) - number), min(left, 1.0))
            try:
                stream = self._network.connect_tcp(address, port, share, local_address, socket_options)
            except httpcore.ConnectTimeout:
                continue
            except httpcore.ConnectError as error:
                refusal = error
                continue
            # This address works, so the others are not tried again.
            self._addresses[host, port] = [address]
            self.transfer.connected = True
            return self.bounded(stream)
        raise refusal from None


def resolve(host: str, port: int, seconds: float) -> list[str]:
    """Return the addresses of a host; raise `httpcore.ConnectError` if it has none, or they are not found in time.

    The system's resolver has no time limit, so it runs in a thread of its own.
    """
    results: queue.SimpleQueue[list[str] | OSError] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            results.put(error if isinstance(error, OSError) else OSError(str(error)))
        else:
            addresses = dict.fromkeys(str(address[0]) for *_, address in found)
            results.put([one for one in addresses if may_be(host, one)])

    threading.Thread(target=look_up, daemon=True, name="resolver").start()
    try:
        result = results.get(timeout=seconds)
    except queue.Empty:
        raise httpcore.ConnectError(f"the name {host} was not resolved within {seconds:.0f} seconds") from None
    if isinstance(result, OSError):
        raise httpcore.ConnectError(str(result)) from None
    if not result:
        raise httpcore.ConnectError(f"{host} is not resolved to this machine; give its address as 127.0.0.1 or [::1]")
    return result


def may_be(host: str, address: str) -> bool:
    """Whether a host may have an address: this machine, which gets keys without TLS, has those of loopback alone."""
    return host != THIS_MACHINE or ipaddress.ip_address(address.partition("%")[0]).is_loopback


class BoundedStream(httpcore.NetworkStream):
    """A connection whose reads and writes end by the request's deadline."""

    def __init__(self, stream: httpcore.NetworkStream, network: BoundedNetwork) -> None:
        self._stream, self._network = stream, network
        #: By which it is told apart from all others of the network.
        self.number = next(network.numbers)
        #: Whether the last response on it is complete, and no other request has begun.
        self.rests = False
        self._turn = threading.Lock()

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        """Read and count. Acknowledge at once: a server that sends in two writes would wait 40 ms before the second."""
        if QUICK_ACKNOWLEDGEMENT is not None and (connection := self._stream.get_extra_info("socket")):
            connection.setsockopt(socket.IPPROTO_TCP, QUICK_ACKNOWLEDGEMENT, 1)
        transfer = self._network.transfer
        return transfer.count(self._stream.read(max_bytes, transfer.remaining()))

    def stays_open(self, seconds: float) -> bool:
        """Wait for the server to close the connection; return whether it did not, and sent nothing either."""
        try:
            self._stream.read(1, min(seconds, self._network.transfer.remaining()))
        except httpcore.ReadTimeout:
            return True
        except (httpcore.NetworkError, OSError):
            pass
        return False

    @property
    def is_kept_open(self) -> bool:
        """Whether nothing is under way on it, and neither side has closed it."""
        return self.rests and not self._stream.get_extra_info("is_readable")

    def shut_down(self) -> None:
        """End it on both sides if nothing is under way: its pool, which alone may close it, finds it out."""
        connection = self._stream.get_extra_info("socket")
        with self._turn, suppress(OSError):
            if self.rests and connection:
                connection.shutdown(socket.SHUT_RDWR)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        """Write before the request's deadline."""
        with self._turn:
            self.rests = False
        self._stream.write(buffer, self._network.transfer.remaining())

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        """Start TLS on the connection."""
        seconds = min(self._network.transfer.remaining(), 10)
        # A name may end in a dot in a URL, but neither in a certificate nor in SNI (RFC 6066 section 3).
        name = server_hostname.removesuffix(".") if server_hostname else None
        stream = self._stream.start_tls(ssl_context, name, seconds)
        transfer = self._network.transfer
        transfer.secured = True
        # What was received before TLS is a proxy's response to CONNECT.
        transfer.received = 0
        transfer.head.clear()
        return self._network.bounded(stream)

    def get_extra_info(self, info: str) -> Any:
        """Return what the underlying connection says."""
        return self._stream.get_extra_info(info)
