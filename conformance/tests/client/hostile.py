"""What the client does when the server does X: the table that the tests run and RESPONSES.md shows.

`python -m client.hostile`, or `make table`, writes it there.
"""

import gzip
from dataclasses import dataclass
from pathlib import Path

import httpx
from hostup_agent_exec import errors
from hostup_agent_exec.models import AgentAvailability, CommandOutput

TABLE = Path(__file__).parents[3] / "spec" / "client" / "RESPONSES.md"
BEGIN, END = "<!-- table: made by `make table` -->", "<!-- end of table -->"
JSON = {"Content-Type": "application/json"}
PROBLEM = {"Content-Type": "application/problem+json"}
HTML = {"Content-Type": "text/html"}
GZIP = {"Content-Encoding": "gzip"}


@dataclass(frozen=True)
class Case:
    """The server's behaviour, in words and in bytes, and what comes of it."""

    server: str
    content: bytes
    outcome: type[errors.HostUpError | httpx.HTTPError | AgentAvailability | CommandOutput]
    status: int = 200
    headers: dict[str, str] | None = None
    pid: int | None = 4242
    says: str = ""
    code: str | None = None

    def answer(self, _request: httpx.Request) -> httpx.Response:
        # As a stream, so that the body is read, and decoded, as from a real connection.
        return httpx.Response(self.status, headers=self.headers or JSON, stream=httpx.ByteStream(self.content))

    @property
    def row(self) -> str:
        asked = "poll" if self.pid else "probe"
        name = self.outcome.__name__
        if issubclass(self.outcome, errors.HostUpError):
            plain = f"raises `{name}`" + (f": `{self.says}`" if self.says else "")
            raises = issubclass(self.outcome, errors.InvalidResponse)
            detail = "raises the same" if raises else f"`parsed` is {'a `Problem`' if self.has_problem else '`None`'}"
        elif issubclass(self.outcome, httpx.HTTPError):
            plain, detail = f"raises `httpx.{name}`", "raises the same"
        else:
            plain, detail = f"returns `{name}`", f"`parsed` is the `{name}`"
        return f"| {asked} | {self.server} | {plain} | {detail} |"

    @property
    def has_problem(self) -> bool:
        return (
            self.status >= 400 and self.content.lstrip(b"\xef\xbb\xbf").startswith(b"{") and b"NaN" not in self.content
        )


def _problem(status: int, code: str) -> bytes:
    return (
        f'{{"type": "https://developer.hostup.se/errors/{code}", "title": "T", "status": {status}, "detail": "D", '
        f'"code": "{code}", "instance": "/i", "requestId": "req_1", "timestamp": "2026-04-27T12:34:56.000Z"}}'
    ).encode()


def _told(server: str, status: int, code: str, outcome: type[errors.HostUpError]) -> Case:
    """An error with a problem document."""
    return Case(f"{status}, {server}", _problem(status, code), outcome, status, PROBLEM, code=code)


def _invalid(server: str, content: bytes, says: str, pid: int | None = 4242) -> Case:
    return Case(server, content, errors.InvalidResponse, says=says, pid=pid)


def _wrong(words: str, content: str, says: str, pid: int | None = 4242) -> Case:
    """A 200 whose last member is of another type than the document says."""
    member = words.split("`")[1]
    return _invalid(f"200, {words}", content.encode(), f"$.{member}: expected {says}", pid)


NOT_JSON = "$: expected JSON, got something else"
NO_NUMBER = "$: expected JSON, got NaN or Infinity"
ODD_PROBLEM = b'{"code": 7, "status": "404", "requestId": []}'
CASES = [
    # The documented responses.
    Case(
        "200, an availability", b'{"available": true, "reason": null, "vmRunning": true}', AgentAvailability, pid=None
    ),
    Case("200, `{}`: every member may be absent", b"{}", AgentAvailability, pid=None),
    Case("200, a running command", b'{"exited": false}', CommandOutput),
    Case("200, an ended command", b'{"exited": true, "exitCode": 0, "stdout": "x", "stderr": null}', CommandOutput),
    _told("a problem document", 400, "invalid_request", errors.BadRequest),
    _told("a problem document", 401, "unauthorized", errors.Unauthorized),
    _told("a problem document", 403, "forbidden", errors.Forbidden),
    _told("a problem document", 404, "not_found", errors.NotFound),
    _told("a problem document", 429, "rate_limit_exceeded", errors.RateLimited),
    _told("a problem document", 500, "internal_error", errors.InternalError),
    # What a tolerant reader takes.
    Case("200, unknown members: kept", b'{"exited": false, "new": {"a": [1]}}', CommandOutput),
    Case(
        "200, a whole number with a fraction of zero: an integer", b'{"exited": true, "exitCode": 1.0}', CommandOutput
    ),
    Case("200, a byte order mark: ignored", b'\xef\xbb\xbf{"exited": false}', CommandOutput),
    Case("200, labelled as HTML", b'{"exited": false}', CommandOutput, headers=HTML),
    Case("200, gzip", gzip.compress(b'{"exited": false}', mtime=0), CommandOutput, headers=GZIP),
    # A 200 of the other shape.
    _invalid("200, a command output", b'{"exited": true}', "$: expected AgentAvailability, got CommandOutput", None),
    _invalid("200, output alone", b'{"stdout": "x"}', "$: expected AgentAvailability, got CommandOutput", None),
    _invalid("200, an availability", b'{"available": true}', "$: expected CommandOutput, got AgentAvailability"),
    _invalid("200, an envelope", b'{"success": true, "data": {}}', "$.exited: expected boolean, got nothing"),
    # A 200 with wrong values.
    _wrong("`exited` missing", "{}", "boolean, got nothing"),
    _wrong("`exited` a string", '{"exited": "yes"}', "boolean, got string"),
    _wrong("`exited` a number", '{"exited": 1}', "boolean, got integer"),
    _wrong("`exited` null", '{"exited": null}', "boolean, got null"),
    _wrong("`exitCode` true", '{"exited": true, "exitCode": true}', "integer or null, got boolean"),
    _wrong("`exitCode` 1.5", '{"exited": true, "exitCode": 1.5}', "integer or null, got number"),
    _wrong("`exitCode` 1e999", '{"exited": true, "exitCode": 1e999}', "integer or null, got number"),
    _wrong("`stdout` an array", '{"exited": true, "stdout": []}', "string or null, got array"),
    _wrong("`available` a string", '{"available": "yes"}', "boolean, got string", None),
    _wrong("`available` null", '{"available": null}', "boolean, got null", None),
    _wrong("`reason` an object", '{"reason": {}}', "string or null, got object", None),
    # A 200 that is no JSON object.
    _invalid("200, NaN", b'{"exited": true, "exitCode": NaN}', NO_NUMBER),
    _invalid("200, -Infinity in an unknown member", b'{"exited": true, "x": -Infinity}', NO_NUMBER),
    _invalid("200, a name twice", b'{"exited": true, "exited": false}', "$: expected JSON, got a name twice"),
    _invalid("200, an array", b"[]", "$: expected object, got array"),
    _invalid("200, null", b"null", "$: expected object, got null"),
    _invalid("200, a string", b'"exited"', "$: expected object, got string"),
    _invalid("200, an array", b"[]", "$: expected object, got array", None),
    _invalid("200, empty", b"", NOT_JSON),
    _invalid("200, HTML", b"<html></html>", NOT_JSON),
    _invalid("200, cut off", b'{"exited": tr', NOT_JSON),
    _invalid("200, two documents", b'{"exited": true}{}', NOT_JSON),
    _invalid("200, invalid UTF-8", b'{"exited": true, "stdout": "\xff"}', "$: expected UTF-8, got other bytes"),
    _invalid("200, UTF-16", '{"exited": true}'.encode("utf-16"), "$: expected UTF-8, got other bytes"),
    _invalid("200, 100,000 levels of nesting", b'{"x":' * 100_000, NOT_JSON),
    _invalid("200, an integer of 5,000 digits", b'{"exited": true, "exitCode": ' + b"9" * 5000 + b"}", NOT_JSON),
    Case("200, gzip that is none", b"not gzip", httpx.DecodingError, headers=GZIP),
    # Errors whose body is no problem document, or a broken one.
    Case("401, empty", b"", errors.Unauthorized, 401),
    Case("400, an array", b"[1]", errors.BadRequest, 400),
    Case("403, plain text", b"no", errors.Forbidden, 403, {"Content-Type": "text/plain"}),
    Case("404, as v1 has it: `{success, error}`", b'{"success": false, "error": "Not found"}', errors.NotFound, 404),
    Case("404, `code` a number, `status` a string", ODD_PROBLEM, errors.NotFound, 404),
    Case("400, `errors` no array", b'{"code": "c", "errors": "x"}', errors.BadRequest, 400, code="c"),
    Case("404, cut off", b"[", errors.NotFound, 404),
    _told("another code of the provider", 404, "vps_not_found", errors.NotFound),
    Case("429, HTML, no headers", b"<html>slow down</html>", errors.RateLimited, 429, HTML),
    Case("500, a 200's body", b'{"exited": true}', errors.InternalError, 500),
    Case("500, 100,000 levels of nesting", b"[" * 100_000, errors.InternalError, 500),
    # Statuses that the document does not list.
    Case("204", b"", errors.UnexpectedStatus, 204),
    Case("201, a 200's body", b'{"exited": true}', errors.UnexpectedStatus, 201),
    Case("302 to elsewhere: not followed", b"", errors.UnexpectedStatus, 302, {"Location": "https://elsewhere.test/"}),
    _told("a problem document", 418, "vps_not_ready", errors.UnexpectedStatus),
    Case("502, HTML", b"<html><h1>Bad gateway</h1></html>", errors.UnexpectedStatus, 502, HTML),
    _told("a problem document", 503, "upstream_unavailable", errors.UnexpectedStatus),
    Case("520, HTML", b"<html>Web server is down</html>", errors.UnexpectedStatus, 520, HTML),
    Case("999, empty", b"", errors.UnexpectedStatus, 999),
]


def table() -> str:
    head = [
        "| asked | the server responds with | `sync`, `asyncio` | `sync_detailed`, `asyncio_detailed` |",
        "|---|---|---|---|",
    ]
    return "\n".join([BEGIN, *head, *(case.row for case in CASES), END])


def with_table(readme: str) -> str:
    before, _, rest = readme.partition(BEGIN)
    return before + table() + rest.partition(END)[2]


if __name__ == "__main__":
    TABLE.write_text(with_table(TABLE.read_text(encoding="utf-8")), encoding="utf-8")
