"""Variants of the transport: framing, connections, content codings."""

import gzip

from hostup_conformance.http.incoming import CRLF
from stage import Request, Response

from variants import allowed, payload


@allowed()
def chunked(request: Request, response: Response) -> None:
    """The body comes in chunks, with an extension and a trailer."""
    if request.method == "GET" and response.body:
        response.headers += [("Transfer-Encoding", "chunked"), ("Connection", "close")]
        half = len(response.body) // 2
        first, second = response.body[:half], response.body[half:]
        chunks = [f"{len(part):X};x=1".encode() + CRLF + part + CRLF for part in (first, second) if part]
        response.raw = [response.head(None), *chunks, b"0\r\nX-Done: yes\r\n\r\n"]


@allowed()
def gzip_where_asked(request: Request, response: Response) -> None:
    """The body is in gzip if the request names it, whatever its weight, as with Django and Starlette."""
    if "gzip" in request.headers.get("accept-encoding", "") and request.method == "GET":
        response.body = gzip.compress(response.body)
        response.header("Content-Encoding", "gzip")
    response.header("Vary", "Accept-Encoding")


@allowed()
def http_1_0(request: Request, response: Response) -> None:
    """The server speaks HTTP/1.0: the end of the connection is the end of the body."""
    response.raw = [response.head(None).replace(b"HTTP/1.1", b"HTTP/1.0", 1), payload(request, response)]


@allowed()
def failures_have_no_date(_request: Request, response: Response) -> None:
    """What the framework sends in place of a failed response has no Date (RFC 9110 section 6.6.1)."""
    response.dated = response.status < 500


@allowed()
def closes_each_connection(request: Request, response: Response) -> None:
    """Each connection serves one request, and is announced to close."""
    response.header("Connection", "close")
    response.raw = [response.head() + payload(request, response)]


@allowed()
def closes_without_a_word(request: Request, response: Response) -> None:
    """Idle connections are closed without notice."""
    if request.nth() % 4 == 0:
        response.raw = [response.head() + payload(request, response)]


@allowed()
def slow(request: Request, response: Response) -> None:
    """Every fourth response takes a tenth of a second, and comes in two parts."""
    if request.nth() % 4 == 0:
        response.header("Connection", "close")
        response.raw = [0.07, response.head(), 0.03, payload(request, response)]


@allowed()
def interim_responses(request: Request, response: Response) -> None:
    """A 103 precedes each response."""
    if request.method == "GET":
        response.header("Connection", "close")
        early = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
        response.raw = [early + response.head() + response.body]


@allowed()
def no_reason_phrase(_request: Request, response: Response) -> None:
    """The status line has no reason phrase."""
    response.reason = ""


@allowed()
def a_connection_ends_just_when_a_request_comes(request: Request, response: Response) -> None:
    """A connection that has been idle gets 408, which crosses with the next request on it."""
    if request.method == "GET" and request.nth("GET") == 30:
        response.become(408, b"<h1>408</h1>", "text/html")
        response.header("Connection", "close")
