"""Sends single requests to one server byte for byte, and says in words why one got no whole response.

It uses httpcore rather than httpx, since dot segments have to reach the server, and bytes beyond the response have to
be noticed.
"""

import time
from collections.abc import Callable, Iterator

import httpcore

from hostup_conformance.http.bodies import Memory
from hostup_conformance.http.exchange import Lost
from hostup_conformance.http.messages import Headers, Request, Response, says_to_close
from hostup_conformance.http.network import BoundedNetwork, BoundedStream, Transfer
from hostup_conformance.http.route import Route
from hostup_conformance.keeping.safe_text import split_url

#: The greatest number of connections, and of requests that are sent at once on purpose: as many as front ends usually
#: allow one address.
CONNECTIONS = 10
#: For how many seconds a server may keep a connection open that it says is closed.
TO_CLOSE = 2.0
#: How many bytes of content come at once over most networks, and how many seconds later the rest comes: loopback would
#: deliver all of it at once, and hide that a server reads no more than the first part.
PACKET, BETWEEN_PACKETS = 1400, 0.03
#: How many characters of a library's message are kept.
QUOTED = 1000
#: What to do if TLS fails, by OpenSSL's name for the reason.
TLS_HINTS = {
    "CERTIFICATE_HAS_EXPIRED": "its certificate has expired; renew it",
    "CERTIFICATE_IS_NOT_YET_VALID": "its certificate is not valid yet; check the clocks",
    "CERTIFICATE_IS_NOT_VALID_FOR": "its certificate is for another name; give a base URL with that one",
    "OPERATION_TIMED_OUT": "it does not finish the handshake in time; check that its port is one for TLS",
    "UNSUPPORTED_PROTOCOL": "it speaks no version of TLS that is still safe",
    "PROTOCOL_VERSION": "it speaks no version of TLS that is still safe",
    "CERTIFICATE_VERIFY_FAILED": "its certificate is not trusted here; name the CA's certificate with --ca-file",
    "CERTIFICATE_REQUIRED": "it wants a client certificate; give one with --client-cert",
    "HANDSHAKE_FAILURE": "it may want a client certificate; give one with --client-cert",
    "NO_APPLICATION_PROTOCOL": "it does not speak HTTP/1.1; give a base URL that does",
    "WRONG_VERSION_NUMBER": "it does not speak TLS; give a base URL with http://",
}


#: Once so many requests had to be sent again, no connection is used twice.
MOST_RESENT = 3


class NoResponse(Exception):
    """The request got no whole response. The message says why."""

    def __init__(self, text: str, lost: Lost | None = None, *, timed_out: bool = False) -> None:
        super().__init__(text)
        #: How the connection failed, if it failed before the first byte of a response.
        self.lost = lost
        self.timed_out = timed_out


class Connections:
    """The connections to the server at a base URL."""

    def __init__(self, base_url: str, route: Route, memory: Memory, again: Callable[[], object] = lambda: None) -> None:
        """`again` counts a request that is sent again, and waits until that may be done."""
        parts = split_url(base_url)
        self._prefix, self._netloc = parts.path, parts.netloc
        self._origin: tuple[bytes, bytes, int | None] = (
            parts.scheme.encode(),
            (parts.hostname or "").encode(),
            parts.port,
        )
        self._route, self._memory, self._again = route, memory, again
        #: How many requests were sent again, since a kept connection had been closed.
        self._resent = 0
        #: Whether a response said that its connection is closed: the first that does shows whether that is so.
        self._said_to_close = False
        #: Whether there was a whole response so far.
        self.responded = False
        #: Whether connections are kept open for later requests.
        self._keeps = True
        self._aborted = False
        self._network = BoundedNetwork()
        self._kept, self._fresh = (route.pool(self._network, CONNECTIONS, kept) for kept in (CONNECTIONS, 0))
        #: Those of `_kept` and `_apart` on which a response came, by whether they are for what is sent apart.
        self._used: dict[BoundedStream, bool] = {}
        #: The connection for what may spoil it for the next request.
        self._apart = route.pool(self._network, most=1, kept=1)

    def close(self) -> None:
        """Close all connections."""
        self._kept.close()
        self._fresh.close()
        self._apart.close()

    def close_idle(self, *, apart: bool | None = False) -> None:
        """Close the connections on which nothing is under way: those for what is sent `apart` or others; or all."""
        for stream in self.kept_open():
            if apart is None or self._used.get(stream, False) is apart:
                stream.shut_down()

    def kept_open(self) -> set[BoundedStream]:
        """Return the connections that are kept open, on which nothing is under way."""
        found = {stream for stream in list(self._used) if stream.rests}
        for stream in [stream for stream in found if not stream.is_kept_open]:
            found.discard(stream)
            self._used.pop(stream, None)
        return found

    @property
    def opened_one(self) -> bool:
        """Whether the last request of this thread opened a connection."""
        return self._network.transfer.connected

    def keep(self, kept: bool) -> None:
        """Keep connections open from now on, or none: those on which nothing is under way are closed then."""
        self._keeps = kept
        if not kept:
            self.close_idle(apart=None)

    def abort(self) -> None:
        """Break off the requests that are under way."""
        self._aborted = True
        self._network.abort()

    def fetch(
        self, request: Request, seconds: float, longest: Callable[[int], int], *, reuse: bool, apart: bool = False
    ) -> Response:
        """Send a request and return its response.

        Args:
            request: what is sent
            seconds: how long it may take
            longest: returns how many bytes the body of a response with a status can need
            reuse: whether it may use a connection that was kept open; it is sent again if that turns out to be closed
            apart: whether it has a connection that no other request uses, but those that are to be apart as well

        Raises:
            NoResponse: there is no whole response
            TooLarge: the response is larger than any of its kind need be
        """
        until, can_be_resent = time.monotonic() + seconds, reuse
        reuse = reuse and self._keeps and self._resent < MOST_RESENT
        if not (self._keeps or apart):
            self.close_idle(apart=None)
        if apart and not can_be_resent:
            self.close_idle(apart=True)
        pool = self._apart if apart else self._kept if reuse else self._fresh
        while True:
            transfer = self._network.begin(until)
            try:
                return self._roundtrip(request, longest, pool)
            except (
                httpcore.NetworkError,
                httpcore.ProtocolError,
                httpcore.ProxyError,
                httpcore.TimeoutException,
                OSError,
            ) as error:
                failure = self._failure(error, transfer, seconds)
                if failure or not can_be_resent:
                    raise failure or NoResponse("the connection had been closed", "dropped") from None
            self._again()
            self._resent += 1
            pool = self._apart if apart else self._fresh

    def _failure(self, error: Exception, transfer: Transfer, seconds: float) -> NoResponse | None:
        """Return why there is no whole response; None if a kept connection had been closed in the meantime."""
        # The library may quote everything that it received.
        text = str(error)[:QUOTED].replace("\n", " ") or type(error).__name__
        if isinstance(error, httpcore.ProxyError):
            return NoResponse(f"the proxy {self._route.proxy_shown} does not connect to the server: {text}", "proxy")
        if self._route.proxy and isinstance(error, httpcore.ConnectError) and not transfer.connected:
            return NoResponse(f"no connection to the proxy {self._route.proxy_shown}: {text}", "proxy")
        if "SSL" in text or (self._origin[0] == b"https" and transfer.connected and not transfer.secured):
            if not self.responded:
                known = (hint for name, hint in TLS_HINTS.items() if name in text.upper().replace(" ", "_"))
                return NoResponse(f"TLS with the server failed: {next(known, f'{text}; check the base URL')}", "tls")
            # TLS is possible here: this one connection failed.
            return NoResponse(f"TLS broke down: {text}", None if transfer.received else "dropped")
        if isinstance(error, httpcore.TimeoutException):
            lost: Lost | None = "foreign" if transfer.is_foreign else None if transfer.received else "silent"
            return NoResponse(f"no whole response within {seconds:g} seconds{transfer.came}", lost, timed_out=True)
        if isinstance(error, httpcore.ConnectError):
            # There never was a connection: the name is unknown, for instance, or nothing listens.
            return NoResponse(f"connection failed: {text}", None if transfer.connected else "refused")
        if isinstance(error, httpcore.RemoteProtocolError | httpcore.ReadError | httpcore.WriteError):
            if not (transfer.connected or transfer.received or self._aborted):
                return None
            came: Lost | None = "foreign" if transfer.is_foreign else None
            return NoResponse(f"broken response: {text}", came if transfer.received else "dropped")
        return NoResponse(f"{type(error).__name__}: {text}")

    def _roundtrip(self, request: Request, longest: Callable[[int], int], pool: httpcore.ConnectionPool) -> Response:
        headers = [("Host", self._netloc), *with_fields(request.headers, self._route.fields)]
        chunked = request.header("transfer-encoding") is not None
        # Where a method may have content, its absence is told (RFC 9110 section 8.6): some servers wait for it else.
        if (request.body or request.method in {"POST", "PUT", "PATCH"}) and not chunked:
            headers.append(("Content-Length", str(len(request.body))))
        scheme, host, port = self._origin
        url = httpcore.URL(scheme=scheme, host=host, port=port, target=(self._prefix + request.target).encode("ascii"))
        raw = [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers]
        content = iter([request.body]) if chunked else in_packets(request.body)
        # Whatever becomes of the connections of a pool, no request waits for one for ever.
        bounds = {"timeout": {"pool": self._network.transfer.remaining()}}
        with pool.stream(request.method, url, headers=raw, content=content, extensions=bounds) as response:
            self._network.transfer.begun = True
            if not (version := response.extensions.get("http_version", b"HTTP/1.1")).startswith(b"HTTP/1."):
                raise NoResponse(f"broken response: its status line says {version.decode('latin-1')}")
            fields: Headers = tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in response.headers)
            body, miscoded = self._memory.read(fields, response.iter_stream(), longest(response.status))
            surplus = self._network.transfer.surplus(response.status, request.method)
            stream = response.extensions.get("network_stream")
            kept_open = self._stays_open(fields, stream)
        if isinstance(stream, BoundedStream) and pool is not self._fresh:
            stream.rests, self._used[stream] = True, pool is self._apart
            if not (self._keeps or pool is self._apart):
                stream.shut_down()  # it was under way when connections were still kept
        is_old, number = version == b"HTTP/1.0", stream.number if isinstance(stream, BoundedStream) else 0
        phrase = response.extensions.get("reason_phrase", b"").decode("latin-1")
        bare = self._network.transfer.has_bare_ends
        return Response(response.status, fields, body, surplus, miscoded, is_old, kept_open, number, phrase, bare)

    def _stays_open(self, fields: Headers, stream: object) -> bool:
        """Whether the first connection that a response says is closed stays open nevertheless."""
        if self._route.proxy or self._said_to_close or not says_to_close(fields):
            return False
        self._said_to_close = True
        return isinstance(stream, BoundedStream) and stream.stays_open(TO_CLOSE)


def in_packets(content: bytes) -> bytes | Iterator[bytes] | None:
    """Return content as it is to be sent: what a network would not deliver at once comes in two parts."""

    def parts() -> Iterator[bytes]:
        yield content[:PACKET]
        time.sleep(BETWEEN_PACKETS)
        yield content[PACKET:]

    return (parts() if len(content) > PACKET else content) or None


def with_fields(headers: Headers, more: Headers) -> Headers:
    """Return header fields with more of them, all cookies in one field (RFC 6265 section 5.4)."""
    cookies = "; ".join(value for name, value in (*headers, *more) if name.lower() == "cookie")
    if not more or not cookies:
        return (*headers, *more)
    return (*(pair for pair in (*headers, *more) if pair[0].lower() != "cookie"), ("Cookie", cookies))
