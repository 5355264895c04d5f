"""Variants of the transport: framing, connections, content codings."""

from __future__ import annotations

import gzip

from stage import CRLF, Answered, Asked

from variants import allowed, payload


@allowed()
def chunked(asked: Asked, answered: Answered) -> None:
    """The body comes in chunks, with an extension and a trailer."""
    if asked.method == "GET" and answered.body:
        answered.headers += [("Transfer-Encoding", "chunked"), ("Connection", "close")]
        half = len(answered.body) // 2
        first, second = answered.body[:half], answered.body[half:]
        chunks = [f"{len(part):X};x=1".encode() + CRLF + part + CRLF for part in (first, second) if part]
        answered.raw = [answered.head(None), *chunks, b"0\r\nX-Done: yes\r\n\r\n"]


@allowed()
def gzip_where_asked(asked: Asked, answered: Answered) -> None:
    """The body is in gzip if the request accepts it."""
    if "gzip" in asked.headers.get("accept-encoding", "") and asked.method == "GET":
        answered.body = gzip.compress(answered.body)
        answered.header("Content-Encoding", "gzip")
    answered.header("Vary", "Accept-Encoding")


@allowed()
def http_1_0(asked: Asked, answered: Answered) -> None:
    """The server speaks HTTP/1.0: the end of the connection is the end of the body."""
    answered.raw = [answered.head(None).replace(b"HTTP/1.1", b"HTTP/1.0", 1), payload(asked, answered)]


@allowed()
def closes_each_connection(asked: Asked, answered: Answered) -> None:
    """Each connection serves one request, and is announced to close."""
    answered.header("Connection", "close")
    answered.raw = [answered.head() + payload(asked, answered)]


@allowed()
def closes_without_a_word(asked: Asked, answered: Answered) -> None:
    """Idle connections are closed without notice."""
    if asked.nth() % 4 == 0:
        answered.raw = [answered.head() + payload(asked, answered)]


@allowed()
def slow(asked: Asked, answered: Answered) -> None:
    """Every fourth response takes a tenth of a second, and comes in two parts."""
    if asked.nth() % 4 == 0:
        answered.header("Connection", "close")
        answered.raw = [0.07, answered.head(), 0.03, payload(asked, answered)]


@allowed()
def interim_answers(asked: Asked, answered: Answered) -> None:
    """A 103 precedes each response."""
    if asked.method == "GET":
        answered.header("Connection", "close")
        early = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
        answered.raw = [early + answered.head() + answered.body]


@allowed()
def no_reason_phrase(_asked: Asked, answered: Answered) -> None:
    """The status line has no reason phrase."""
    answered.reason = ""
