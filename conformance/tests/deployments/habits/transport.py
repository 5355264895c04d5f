"""Habits of the transport."""

from __future__ import annotations

import asyncio
import gzip
import re
import zlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from hashlib import sha256
from uuid import uuid4

from hostup_conformance.mock import UNAVAILABLE_VPS_ID
from stage import CRLF, Answered, Asked

from deployments.habits import PASSED, Next, Server, add, habit, page, refusal, text


@habit()
async def gzip_and_brotli(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """Compressed for whoever accepts gzip, errors included; Vary on everything."""
    answered = await proceed(asked)
    answered.header("Vary", "Accept-Encoding")
    if "gzip" in asked.headers.get("accept-encoding", "") and answered.body and asked.method in {"GET", "HEAD"}:
        answered.body = gzip.compress(answered.body, mtime=0)
        answered.header("Content-Encoding", "gzip")
    return answered


@habit()
async def http_1_0(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """HTTP/1.0, the end of the connection is the end of the body."""
    answered = await proceed(asked)
    body = b"" if asked.method == "HEAD" or answered.status in {204, 304} else answered.body
    answered.raw = [answered.head(None).replace(b"HTTP/1.1", b"HTTP/1.0", 1) + body]
    return answered


@habit()
async def keep_alive_off(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """One request to a connection."""
    answered = await proceed(asked)
    answered.headers.append(("Connection", "close"))
    return answered


@habit()
async def closes_after_five(server: Server, asked: Asked, proceed: Next) -> Answered:
    """Every fifth response ends its connection, without a word."""
    answered = await proceed(asked)
    if server.nth() % 5 == 0:
        empty = asked.method == "HEAD" or answered.status in {204, 304}
        answered.raw = [answered.head() + (b"" if empty else answered.body)]
    return answered


@habit()
async def closes_after_errors(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """A refusal ends the connection, and says so."""
    answered = await proceed(asked)
    if answered.status >= 400:
        answered.headers.append(("Connection", "close"))
    return answered


@habit()
async def chunked_everywhere(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """Every body comes in chunks."""
    answered = await proceed(asked)
    if asked.method != "HEAD" and answered.status not in {204, 304}:
        answered.headers += [("Transfer-Encoding", "chunked"), ("Connection", "close")]
        chunk = f"{len(answered.body):x}\r\n".encode() + answered.body + CRLF if answered.body else b""
        answered.raw = [answered.head(None), chunk + b"0\r\n\r\n"]
    return answered


@habit()
async def latency_100(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """100 ms away."""
    await asyncio.sleep(0.1)
    return await proceed(asked)


@habit()
async def latency_300(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """300 ms away."""
    await asyncio.sleep(0.3)
    return await proceed(asked)


@habit()
async def one_worker(server: Server, asked: Asked, proceed: Next) -> Answered:
    """One worker serves one request after the other, each in 60 ms."""
    async with server.lock:
        await asyncio.sleep(0.06)
        return await proceed(asked)


@habit(deserves=PASSED)
async def few_connections(server: Server, asked: Asked, proceed: Next) -> Answered:
    """More than four requests at once are 503 with Retry-After, and each takes 70 ms."""
    server.memory["under way"] = server.memory.get("under way", 0) + 1
    try:
        if server.memory["under way"] > 4:
            answered = page(503, "Service Unavailable")
            answered.header("Retry-After", "1")
            return answered
        await asyncio.sleep(0.07)
        return await proceed(asked)
    finally:
        server.memory["under way"] -= 1


@habit()
async def clock_is_off(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """The server's clock is four minutes late, in Date and in timestamps alike."""
    answered = await proceed(asked)
    late = datetime.now(UTC) - timedelta(minutes=4)
    answered.header("Date", format_datetime(late, usegmt=True))
    if answered.status == 429:
        answered.header("X-RateLimit-Reset", (late + timedelta(seconds=1)).isoformat(timespec="seconds"))
    if answered.is_problem:
        answered.change(timestamp=late.isoformat(timespec="milliseconds").replace("+00:00", "Z"))
    return answered


@habit()
async def head_is_unknown(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """HEAD is 405, with Allow."""
    if asked.method != "HEAD":
        return await proceed(asked)
    answered = text(405, "")
    answered.header("Allow", "GET, POST")
    return answered


@habit()
async def trace_is_odd(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """TRACE is 405 without Allow, as with nginx, or with an empty one, as with Apache."""
    if asked.method != "TRACE":
        return await proceed(asked)
    return page(405, "Not Allowed")


@habit()
async def trace_is_served(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """TRACE repeats the request, as Apache does by default."""
    if asked.method != "TRACE":
        return await proceed(asked)
    lines = [f"TRACE {asked.path} HTTP/1.1", *(f"{name}: {value}" for name, value in asked.headers.items())]
    return text(200, "\r\n".join(lines) + "\r\n\r\n", "message/http")


@habit()
async def preflight_by_front_end(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """OPTIONS is answered before the application, for one known origin."""
    if asked.method != "OPTIONS":
        return await proceed(asked)
    answered = text(204, "")
    answered.headers = [("Access-Control-Allow-Origin", "https://cloud.hostup.se"), ("Vary", "Origin"),
                        ("Access-Control-Allow-Methods", "GET, POST"), ("Access-Control-Max-Age", "600")]  # fmt: skip
    return answered


@habit(deserves={"PROBLEM-09": "inferred: a gateway's status with the provider's general code"})
async def gateway_says_internal_error(server: Server, asked: Asked, proceed: Next) -> Answered:
    """A gateway's 502 has the general code internal_error, twice in a row for one VPS."""
    if asked.vps == UNAVAILABLE_VPS_ID and asked.full and asked.pid:
        return refusal(asked, 502, "internal_error", "Internal server error")
    del server
    return await proceed(asked)


def without_body(asked: Asked, answered: Answered) -> bool:
    """Whether a response has no body, whatever its header fields say."""
    return asked.method == "HEAD" or answered.status in {204, 304}


@habit()
async def ten_requests_a_connection(server: Server, asked: Asked, proceed: Next) -> Answered:
    """The tenth response on the way ends its connection, and says so."""
    answered = await proceed(asked)
    if server.nth() % 10:
        return add(
            answered, Connection="keep-alive", Keep_Alive=f"timeout=5, max={10 - server.memory['requests'] % 10:g}"
        )
    return add(answered, Connection="close")


@habit()
async def http_1_0_kept_alive(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """HTTP/1.0 with Content-Length and Connection: keep-alive, as small servers have it, which then close."""
    answered = add(await proceed(asked), Connection="keep-alive")
    body = b"" if without_body(asked, answered) else answered.body
    answered.raw = [answered.head().replace(b"HTTP/1.1", b"HTTP/1.0", 1) + body]
    return answered


@habit()
async def chunks_with_trailers(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """Small chunks with extensions, some time apart, and trailers; HEAD has the header fields of GET."""
    answered = await proceed(asked)
    add(answered, Transfer_Encoding="chunked", Trailer="Server-Timing", Connection="close")
    if without_body(asked, answered):
        answered.header("Trailer", None)
        if asked.method != "HEAD":
            answered.header("Transfer-Encoding", None)
        answered.raw = [answered.head(None)]
        return answered
    parts = [answered.body[at : at + 40] for at in range(0, len(answered.body), 40)]
    chunks = [f"{len(part):X};x=1\r\n".encode() + part + CRLF for part in parts]
    answered.raw = [answered.head(None), *chunks[:1], 0.005, *chunks[1:], b"0\r\nServer-Timing: app;dur=3\r\n\r\n"]
    return answered


@habit()
async def interim_responses(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """102 and 103 come before the response."""
    answered = add(await proceed(asked), Connection="close")
    body = b"" if without_body(asked, answered) else answered.body
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </docs>; rel=help\r\n\r\n"
    answered.raw = [b"HTTP/1.1 102 Processing\r\n\r\n", hints, answered.head() + body]
    return answered


@habit()
async def deflate_and_gzip_in_chunks(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """Compressed on the fly: in chunks, with a weak ETag, and by deflate where that is all that is accepted."""
    answered = await proceed(asked)
    answered.header("Vary", "accept-encoding, authorization")
    accepted = asked.headers.get("accept-encoding", "")
    if not answered.body or asked.method == "HEAD" or not re.search("gzip|deflate", accepted):
        return answered
    coding = "gzip" if "gzip" in accepted else "deflate"
    answered.header("ETag", f'W/"{sha256(answered.body).hexdigest()[:16]}"')
    answered.body = gzip.compress(answered.body) if coding == "gzip" else zlib.compress(answered.body)
    add(answered, Content_Encoding=coding, Transfer_Encoding="chunked", Connection="close")
    answered.raw = [answered.head(None), f"{len(answered.body):x}\r\n".encode() + answered.body + CRLF + b"0\r\n\r\n"]
    return answered


@habit()
async def two_generations(server: Server, asked: Asked, proceed: Next) -> Answered:
    """Every other request meets the new release beside the old one, on another machine with another clock."""
    answered = await proceed(asked)
    if server.nth() % 2:
        return add(answered, Server="nginx/1.22.1", X_Served_By="web-1", Keep_Alive="timeout=65")
    answered.headers = [(name.lower(), value) for name, value in answered.headers]
    late = datetime.now(UTC) - timedelta(seconds=20)
    answered.header("date", late.strftime("%a, %d %b %Y %H:%M:%S GMT"))
    if answered.is_problem:
        answered.change(timestamp=late.isoformat(), requestId=str(uuid4()), build="2026-04-27")
    elif answered.status == 200 and isinstance(answered.json, dict):
        answered.change(build="2026-04-27")
    return add(answered, server="envoy", x_served_by="web-2", x_envoy_upstream_service_time="3")


@habit(deserves={"HTTP-08": "RFC 9110 section 15.6: a failure that was met, and passed"})
async def drops_idle_connections(server: Server, asked: Asked, proceed: Next) -> Answered:
    """Twice a proxy with a shorter keep-alive than its server's says 502 in plain text."""
    return text(502, "Bad Gateway") if server.nth() in {20, 90} else await proceed(asked)


@habit()
async def slow_now_and_then(server: Server, asked: Asked, proceed: Next) -> Answered:
    """Every thirtieth request takes two seconds, as with a new instance or a pause of a collector."""
    if server.nth() % 30 == 0:
        await asyncio.sleep(2)
    return await proceed(asked)
