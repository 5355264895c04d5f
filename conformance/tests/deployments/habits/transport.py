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
from stage import CRLF, Request, Response

from deployments.habits import PASSED, Next, Server, add, habit, page, refusal, text


@habit()
async def gzip_and_brotli(_server: Server, request: Request, proceed: Next) -> Response:
    """Compressed for whoever accepts gzip, errors included; Vary on everything."""
    response = await proceed(request)
    response.header("Vary", "Accept-Encoding")
    if "gzip" in request.headers.get("accept-encoding", "") and response.body and request.method in {"GET", "HEAD"}:
        response.body = gzip.compress(response.body, mtime=0)
        response.header("Content-Encoding", "gzip")
    return response


@habit()
async def http_1_0(_server: Server, request: Request, proceed: Next) -> Response:
    """HTTP/1.0, the end of the connection is the end of the body."""
    response = await proceed(request)
    body = b"" if request.method == "HEAD" or response.status in {204, 304} else response.body
    response.raw = [response.head(None).replace(b"HTTP/1.1", b"HTTP/1.0", 1) + body]
    return response


@habit()
async def keep_alive_off(_server: Server, request: Request, proceed: Next) -> Response:
    """One request to a connection."""
    response = await proceed(request)
    response.headers.append(("Connection", "close"))
    return response


@habit()
async def closes_after_five(server: Server, request: Request, proceed: Next) -> Response:
    """Every fifth response ends its connection, without a word."""
    response = await proceed(request)
    if server.nth() % 5 == 0:
        empty = request.method == "HEAD" or response.status in {204, 304}
        response.raw = [response.head() + (b"" if empty else response.body)]
    return response


@habit()
async def closes_after_errors(_server: Server, request: Request, proceed: Next) -> Response:
    """A refusal ends the connection, and says so."""
    response = await proceed(request)
    if response.status >= 400:
        response.headers.append(("Connection", "close"))
    return response


@habit()
async def chunked_everywhere(_server: Server, request: Request, proceed: Next) -> Response:
    """Every body comes in chunks."""
    response = await proceed(request)
    if request.method != "HEAD" and response.status not in {204, 304}:
        response.headers += [("Transfer-Encoding", "chunked"), ("Connection", "close")]
        chunk = f"{len(response.body):x}\r\n".encode() + response.body + CRLF if response.body else b""
        response.raw = [response.head(None), chunk + b"0\r\n\r\n"]
    return response


@habit()
async def latency_100(_server: Server, request: Request, proceed: Next) -> Response:
    """100 ms away."""
    await asyncio.sleep(0.1)
    return await proceed(request)


@habit()
async def latency_300(_server: Server, request: Request, proceed: Next) -> Response:
    """300 ms away."""
    await asyncio.sleep(0.3)
    return await proceed(request)


@habit()
async def one_worker(server: Server, request: Request, proceed: Next) -> Response:
    """One worker serves one request after the other, each in 60 ms."""
    async with server.lock:
        await asyncio.sleep(0.06)
        return await proceed(request)


@habit(deserves=PASSED)
async def few_connections(server: Server, request: Request, proceed: Next) -> Response:
    """More than four requests at once are 503 with Retry-After, and each takes 70 ms."""
    server.memory["under way"] = server.memory.get("under way", 0) + 1
    try:
        if server.memory["under way"] > 4:
            response = page(503, "Service Unavailable")
            response.header("Retry-After", "1")
            return response
        await asyncio.sleep(0.07)
        return await proceed(request)
    finally:
        server.memory["under way"] -= 1


@habit()
async def clock_is_off(_server: Server, request: Request, proceed: Next) -> Response:
    """The server's clock is four minutes late, in Date and in timestamps alike."""
    response = await proceed(request)
    late = datetime.now(UTC) - timedelta(minutes=4)
    response.header("Date", format_datetime(late, usegmt=True))
    if response.status == 429:
        response.header("X-RateLimit-Reset", (late + timedelta(seconds=1)).isoformat(timespec="seconds"))
    if response.is_problem:
        response.change(timestamp=late.isoformat(timespec="milliseconds").replace("+00:00", "Z"))
    return response


@habit()
async def head_is_unknown(_server: Server, request: Request, proceed: Next) -> Response:
    """HEAD is 405, with Allow."""
    if request.method != "HEAD":
        return await proceed(request)
    response = text(405, "")
    response.header("Allow", "GET, POST")
    return response


@habit()
async def trace_is_odd(_server: Server, request: Request, proceed: Next) -> Response:
    """TRACE is 405 without Allow, as with nginx, or with an empty one, as with Apache."""
    if request.method != "TRACE":
        return await proceed(request)
    return page(405, "Not Allowed")


@habit()
async def trace_is_served(_server: Server, request: Request, proceed: Next) -> Response:
    """TRACE repeats the request, as Apache does by default."""
    if request.method != "TRACE":
        return await proceed(request)
    lines = [f"TRACE {request.path} HTTP/1.1", *(f"{name}: {value}" for name, value in request.headers.items())]
    return text(200, "\r\n".join(lines) + "\r\n\r\n", "message/http")


@habit()
async def preflight_by_front_end(_server: Server, request: Request, proceed: Next) -> Response:
    """OPTIONS gets its response before the application, for one known origin."""
    if request.method != "OPTIONS":
        return await proceed(request)
    response = text(204, "")
    response.headers = [("Access-Control-Allow-Origin", "https://cloud.hostup.se"), ("Vary", "Origin"),
                        ("Access-Control-Allow-Methods", "GET, POST"), ("Access-Control-Max-Age", "600")]  # fmt: skip
    return response


@habit(deserves={"PROBLEM-09": "inferred: a gateway's status with the provider's general code"})
async def gateway_says_internal_error(server: Server, request: Request, proceed: Next) -> Response:
    """A gateway's 502 has the general code internal_error, twice in a row for one VPS."""
    if request.vps == UNAVAILABLE_VPS_ID and request.full and request.pid:
        return refusal(request, 502, "internal_error", "Internal server error")
    del server
    return await proceed(request)


def without_body(request: Request, response: Response) -> bool:
    """Whether a response has no body, whatever its header fields say."""
    return request.method == "HEAD" or response.status in {204, 304}


@habit()
async def ten_requests_a_connection(server: Server, request: Request, proceed: Next) -> Response:
    """The tenth response on the way ends its connection, and says so."""
    response = await proceed(request)
    if server.nth() % 10:
        return add(
            response, Connection="keep-alive", Keep_Alive=f"timeout=5, max={10 - server.memory['requests'] % 10:g}"
        )
    return add(response, Connection="close")


@habit()
async def http_1_0_kept_alive(_server: Server, request: Request, proceed: Next) -> Response:
    """HTTP/1.0 with Content-Length and Connection: keep-alive, as small servers have it, which then close."""
    response = add(await proceed(request), Connection="keep-alive")
    body = b"" if without_body(request, response) else response.body
    response.raw = [response.head().replace(b"HTTP/1.1", b"HTTP/1.0", 1) + body]
    return response


@habit()
async def chunks_with_trailers(_server: Server, request: Request, proceed: Next) -> Response:
    """Small chunks with extensions, some time apart, and trailers; HEAD has the header fields of GET."""
    response = await proceed(request)
    add(response, Transfer_Encoding="chunked", Trailer="Server-Timing", Connection="close")
    if without_body(request, response):
        response.header("Trailer", None)
        if request.method != "HEAD":
            response.header("Transfer-Encoding", None)
        response.raw = [response.head(None)]
        return response
    parts = [response.body[at : at + 40] for at in range(0, len(response.body), 40)]
    chunks = [f"{len(part):X};x=1\r\n".encode() + part + CRLF for part in parts]
    response.raw = [response.head(None), *chunks[:1], 0.005, *chunks[1:], b"0\r\nServer-Timing: app;dur=3\r\n\r\n"]
    return response


@habit()
async def interim_responses(_server: Server, request: Request, proceed: Next) -> Response:
    """102 and 103 come before the response."""
    response = add(await proceed(request), Connection="close")
    body = b"" if without_body(request, response) else response.body
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </docs>; rel=help\r\n\r\n"
    response.raw = [b"HTTP/1.1 102 Processing\r\n\r\n", hints, response.head() + body]
    return response


@habit()
async def deflate_and_gzip_in_chunks(_server: Server, request: Request, proceed: Next) -> Response:
    """Compressed on the fly: in chunks, with a weak ETag, and by deflate where that is all that is accepted."""
    response = await proceed(request)
    response.header("Vary", "accept-encoding, authorization")
    accepted = request.headers.get("accept-encoding", "")
    if not response.body or request.method == "HEAD" or not re.search("gzip|deflate", accepted):
        return response
    coding = "gzip" if "gzip" in accepted else "deflate"
    response.header("ETag", f'W/"{sha256(response.body).hexdigest()[:16]}"')
    response.body = gzip.compress(response.body) if coding == "gzip" else zlib.compress(response.body)
    add(response, Content_Encoding=coding, Transfer_Encoding="chunked", Connection="close")
    response.raw = [response.head(None), f"{len(response.body):x}\r\n".encode() + response.body + CRLF + b"0\r\n\r\n"]
    return response


@habit()
async def two_generations(server: Server, request: Request, proceed: Next) -> Response:
    """Every other request meets the new release beside the old one, on another machine with another clock."""
    response = await proceed(request)
    if server.nth() % 2:
        return add(response, Server="nginx/1.22.1", X_Served_By="web-1", Keep_Alive="timeout=65")
    response.headers = [(name.lower(), value) for name, value in response.headers]
    late = datetime.now(UTC) - timedelta(seconds=20)
    response.header("date", late.strftime("%a, %d %b %Y %H:%M:%S GMT"))
    if response.is_problem:
        response.change(timestamp=late.isoformat(), requestId=str(uuid4()), build="2026-04-27")
    elif response.status == 200 and isinstance(response.json, dict):
        response.change(build="2026-04-27")
    return add(response, server="envoy", x_served_by="web-2", x_envoy_upstream_service_time="3")


@habit(deserves={"HTTP-08": "RFC 9110 section 15.6: a failure that was met, and passed"})
async def drops_idle_connections(server: Server, request: Request, proceed: Next) -> Response:
    """Twice a proxy with a shorter keep-alive than its server's says 502 in plain text."""
    return text(502, "Bad Gateway") if server.nth() in {20, 90} else await proceed(request)


@habit()
async def slow_now_and_then(server: Server, request: Request, proceed: Next) -> Response:
    """Every thirtieth request takes two seconds, as with a new instance or a pause of a collector."""
    if server.nth() % 30 == 0:
        await asyncio.sleep(2)
    return await proceed(request)
