"""Habits of servers that start, restart, or fail for a moment."""

import asyncio
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
async def envoy_no_upstream(server: Server, request: Request, proceed: Next) -> Response:
    """Three times in a row a mesh says 503, in plain text, while a pod is replaced."""
    if 50 <= server.nth() < 53:
        response = text(503, "upstream connect error or disconnect/reset before headers")
        response.header("Server", "envoy")
        return response
    return await proceed(request)


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
