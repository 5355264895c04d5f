"""Habits of servers that start, restart, or fail for a moment."""

from __future__ import annotations

import asyncio
import json
import time

from stage import Request, Response

from deployments.habits import PASSED, Next, Server, habit, page, text


@habit()
async def plain(_server: Server, request: Request, proceed: Next) -> Response:
    """Nothing is in between."""
    return await proceed(request)


@habit()
async def cold_start(server: Server, request: Request, proceed: Next) -> Response:
    """The first request wakes an instance, which takes 8 seconds; all that come meanwhile wait for it."""
    async with server.lock:
        if server.nth() == 1:
            await asyncio.sleep(8)
    return await proceed(request)


@habit(deserves={"HTTP-08": "RFC 9110 section 15.6: a failure that was met, and passed"})
async def starting_up(server: Server, request: Request, proceed: Next) -> Response:
    """For the first two seconds there is 503 with Retry-After."""
    began = server.memory.setdefault("began", time.monotonic())
    if time.monotonic() - began < 2:
        response = page(503, "Service Unavailable")
        response.header("Retry-After", "1")
        return response
    return await proceed(request)


@habit(deserves={"HTTP-08": "RFC 9110 section 15.6: a failure that was met, and passed"})
async def restart(server: Server, request: Request, proceed: Next) -> Response:
    """In the middle connections are refused for a second, then the front end says 502 and 503 for another."""
    if server.nth() == 40:
        server.memory["back"] = time.monotonic() + 1
        server.memory["task"] = 1
        _TASKS.add(asyncio.create_task(server.go_away(1)))
        await asyncio.sleep(0.05)
    back = server.memory.get("back", 0.0)
    if back and time.monotonic() < back + 1:
        return page(502, "Bad Gateway") if server.nth("pages") % 2 else page(503, "Service Temporarily Unavailable")
    return await proceed(request)


_TASKS: set[asyncio.Task[None]] = set()


@habit(deserves=PASSED)
async def transient_502(server: Server, request: Request, proceed: Next) -> Response:
    """One 502 of a front end, in HTML."""
    return page(502, "Bad Gateway") if server.nth() == 12 else await proceed(request)


@habit(deserves=PASSED)
async def transient_503(server: Server, request: Request, proceed: Next) -> Response:
    """One 503 of a load balancer, without a body."""
    return text(503, "") if server.nth() == 30 else await proceed(request)


@habit(deserves=PASSED)
async def transient_504(server: Server, request: Request, proceed: Next) -> Response:
    """One 504 of a front end, for the very first request."""
    return page(504, "Gateway Time-out") if server.nth() == 1 else await proceed(request)


@habit(deserves=PASSED)
async def cloudflare_522(server: Server, request: Request, proceed: Next) -> Response:
    """A CDN that could not reach the origin once says 522, with a problem document of its own and Retry-After."""
    if server.nth() != 25:
        return await proceed(request)
    body = {"type": "https://developers.cloudflare.com/support/522", "title": "Error 522: Connection timed out",
            "status": 522, "detail": "The origin did not respond.", "instance": "9f1c", "retryable": True}  # fmt: skip
    response = text(522, json.dumps(body), "application/problem+json; charset=utf-8")
    response.header("Retry-After", "1")
    response.header("Server", "cloudflare")
    return response


@habit(deserves=PASSED)
async def envoy_no_upstream(server: Server, request: Request, proceed: Next) -> Response:
    """Three times in a row a mesh says 503, in plain text, while a pod is replaced."""
    if 50 <= server.nth() < 53:
        response = text(503, "upstream connect error or disconnect/reset before headers")
        response.header("Server", "envoy")
        return response
    return await proceed(request)


@habit(deserves=PASSED)
async def connection_reset_once(server: Server, request: Request, proceed: Next) -> Response:
    """A worker that is recycled drops one connection without a response."""
    response = await proceed(request) if server.nth() != 33 else text(500, "")
    if server.memory["requests"] == 33:
        response.raw = []
    return response


@habit(verdict="not_demonstrated")
async def maintenance(_server: Server, _request: Request, _proceed: Next) -> Response:
    """Everything is 503 in HTML, come back in an hour."""
    response = page(503, "Service Unavailable")
    response.header("Retry-After", "3600")
    return response


@habit(verdict="not_demonstrated")
async def always_502(_server: Server, _request: Request, _proceed: Next) -> Response:
    """The front end has no application behind it."""
    return page(502, "Bad Gateway")
