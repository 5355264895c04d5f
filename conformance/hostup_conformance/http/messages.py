"""HTTP messages as they went over the wire, byte for byte. It must not know what a request is about."""

import re
from dataclasses import dataclass, field
from functools import cached_property

import httpx

from hostup_conformance.http.json_text import JsonText, read_json

#: Header fields in order, with their names as sent.
Headers = tuple[tuple[str, str], ...]
#: The form of a header field's name (RFC 9110 section 5.6.2).
FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
#: The header fields that tell how a body was coded to be sent, which is undone when it is read.
CODINGS = {"content-encoding", "transfer-encoding"}
#: The header fields that are lists (RFC 9110, RFC 9111, Fetch), as far as anybody here reads them.
LISTS = {
    "accept", "accept-encoding", "allow", "cache-control", "content-encoding", "transfer-encoding", "www-authenticate",
}  # fmt: skip


def says_to_close(headers: Headers) -> bool:
    """Whether header fields say that the connection ends after their message (RFC 9112 section 9.6)."""
    options = ",".join(value for name, value in headers if name.lower() == "connection")
    return "close" in (option.strip().lower() for option in options.split(","))


class Message:
    """What requests and responses have in common."""

    headers: Headers

    def header(self, name: str) -> str | None:
        """Return the value of the header field with a name, given in lower case; all values where it is a list."""
        return self._values.get(name)

    @cached_property
    def _values(self) -> dict[str, str]:
        return values_of(self.headers)


@dataclass(frozen=True)
class Request(Message):
    """A request (RFC 9110). `target` is path and query below the base URL, percent-encoded."""

    method: str
    target: str
    headers: Headers = field(default=(), repr=False)
    body: bytes = b""

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """The query without its question mark; empty if there is none."""
        return self.target.partition("?")[2]


@dataclass(frozen=True)
class Response(Message):
    """A response (RFC 9110). `body` is without transfer and content coding."""

    status: int
    headers: Headers
    body: bytes
    #: What the server sent beyond the end of the response, if anything.
    surplus: str | None = None
    #: What was wrong with the content coding, if anything; the body was read all the same.
    miscoded: str | None = None
    #: Whether it came in HTTP/1.0, which has no chunks.
    is_old: bool = False
    #: Whether its connection was found to stay open although it says that it is closed.
    kept_open: bool = False
    #: The number of its connection, from 1; 0 if it is unknown.
    connection: int = 0
    #: The reason phrase, which may be any text (RFC 9112 section 4).
    phrase: str = ""
    #: Whether a line of its header section ends in a line feed alone.
    has_bare_ends: bool = False

    def all(self, name: str) -> list[str]:
        """Return the values of all header fields with a name, given in lower case."""
        return [value.strip() for key, value in self.headers if key.lower() == name]

    @property
    def media_type(self) -> str:
        """The Content-Type without parameters, in lower case."""
        return (self.header("content-type") or "").partition(";")[0].strip().lower()

    @property
    def uncoded(self) -> list[tuple[str, str]]:
        """The header fields but for those of the codings, which are decoded already."""
        return [(name, value) for name, value in self.headers if name.lower() not in CODINGS]

    def as_httpx(self, request: httpx.Request) -> httpx.Response:
        """Return the response as an httpx one."""
        # httpx encodes strings as ASCII, and a field value may contain other bytes (RFC 9110 section 5.5).
        headers = [(n.encode("latin-1", "replace"), v.encode("latin-1", "replace")) for n, v in self.uncoded]
        return httpx.Response(self.status, headers=headers, content=self.body, request=request)

    @cached_property
    def json(self) -> JsonText:
        """The body as JSON, read leniently, with everything that is wrong with it."""
        return read_json(self.body)


def values_of(headers: Headers) -> dict[str, str]:
    """Return the values of header fields by their names in lower case.

    The lines of a list are one value (RFC 9110, section 5.3); of any other field, the first counts.
    """
    values: dict[str, str] = {}
    for name, value in ((name.lower(), value) for name, value in headers):
        if name not in values:
            values[name] = value
        elif name in LISTS:
            values[name] += f", {value}"
    return values
