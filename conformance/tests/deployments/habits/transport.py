"""Habits of the transport."""

import asyncio
import gzip
import re
import zlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from hashlib import sha256
from uuid import uuid4

from hostup_conformance.http.incoming import CRLF
from stage import Request, Response

from deployments.habits import Next, Server, add, habit, text


@habit()
async def closes_after_errors(_server: Server, request: Request, proceed: Next) -> Response:
    """A refusal ends the connection, and says so."""
    response = await proceed(request)
    if response.status >= 400:
        response.headers.append(("Connection", "close"))
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
async def preflight_by_front_end(_server: Server, request: Request, proceed: Next) -> Response:
    """OPTIONS gets its response before the application, for one known origin."""
    if request.method != "OPTIONS":
        return await proceed(request)
    response = text(204, "")
    response.headers = [("Access-Control-Allow-Origin", "https://cloud.hostup.se"), ("Vary", "Origin"),
                        ("Access-Control-Allow-Methods", "GET, POST"), ("Access-Control-Max-Age", "600")]  # fmt: skip
    return response


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


@habit()
async def slow_now_and_then(server: Server, request: Request, proceed: Next) -> Response:
    """Every thirtieth request takes two seconds, as with a new instance or a pause of a collector."""
    if server.nth() % 30 == 0:
        await asyncio.sleep(2)
    return await proceed(request)
