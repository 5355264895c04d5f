"""Habits of rate limits."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

from stage import Request, Response

from deployments.habits import Next, Server, habit, page, refusal, text


def limited(request: Request, limit: int, wait: float, reset: datetime | None = None) -> Response:
    """Return the documented 429."""
    response = refusal(request, 429, "rate_limit_exceeded", "Too many requests")
    response.header("Retry-After", str(max(1, round(wait + 0.5))))
    mark(response, limit, 0, reset or datetime.now(UTC) + timedelta(seconds=wait))
    return response


def mark(response: Response, limit: int, remaining: int, reset: datetime) -> None:
    """Add the X-RateLimit headers."""
    response.header("X-RateLimit-Limit", str(limit))
    response.header("X-RateLimit-Remaining", str(remaining))
    response.header("X-RateLimit-Reset", reset.isoformat(timespec="milliseconds").replace("+00:00", "Z"))


async def window(server: Server, request: Request, proceed: Next, limit: int) -> Response:
    """Limit the requests in a minute, and tell how many are left with each response."""
    now = time.time()
    if now >= server.memory.get("ends", 0):
        server.memory["ends"], server.memory["used"] = now + 60, 0
    used, reset = server.nth("used"), datetime.fromtimestamp(server.memory["ends"], UTC)
    if used > limit:
        return limited(request, limit, server.memory["ends"] - now, reset)
    response = await proceed(request)
    if response.status != 429:
        mark(response, limit, limit - used, reset)
    return response


@habit()
async def limit_60(server: Server, request: Request, proceed: Next) -> Response:
    """60 requests in a minute."""
    return await window(server, request, proceed, 60)


@habit()
async def limit_30(server: Server, request: Request, proceed: Next) -> Response:
    """30 requests in a minute: in its 110 seconds a run sends twice as many, and these judge all MUSTs."""
    return await window(server, request, proceed, 30)


@habit()
async def token_bucket(server: Server, request: Request, proceed: Next) -> Response:
    """Ten requests in a second, twenty at once; nothing is said of it before the 429."""
    now = time.monotonic()
    tokens = min(20.0, server.memory.get("tokens", 20.0) + 10 * (now - server.memory.get("at", now)))
    server.memory["at"] = now
    if tokens < 1:
        server.memory["tokens"] = tokens
        return limited(request, 20, 1)
    server.memory["tokens"] = tokens - 1
    return await proceed(request)


@habit()
async def failures_are_limited(server: Server, request: Request, proceed: Next) -> Response:
    """After ten refusals for a wrong key in ten seconds, 429 for whoever has no right one, against guessing."""
    response = await proceed(request)
    if response.status != 401:
        return response
    now = time.monotonic()
    if now >= server.memory.get("ends", 0):
        server.memory["ends"], server.memory["failed"] = now + 10, 0
    return limited(request, 10, server.memory["ends"] - now) if server.nth("failed") > 10 else response


HTML_429 = {
    "RATE-01": "page, Responses, 429",
    "RATE-02": "page, Responses, 429",
    "PROBLEM-01": "page, Responses, 429",
    "PROBLEM-02": "page, Responses, 429",
    "VPS-22": "related, error reference",
}


@habit(verdict="not_conformant", deserves=HTML_429)
async def front_end_429(server: Server, request: Request, proceed: Next) -> Response:
    """A front end limits the rate in its own way: 429 in HTML, and no word of when to come back."""
    return page(429, "Too Many Requests") if server.nth() % 25 == 0 else await proceed(request)


@habit(starts=True)
async def limit_60_with_starts(server: Server, request: Request, proceed: Next) -> Response:
    """60 requests in a minute: in the two minutes of them that a run waits for by default, all MUSTs are judged."""
    return await window(server, request, proceed, 60)


async def guarded(
    server: Server, request: Request, proceed: Next, most: int, counted: frozenset[int]
) -> Response | None:
    """Count the responses with some status codes; return None for whoever has got too many of them."""
    if server.memory.get("refused", 0) >= most:
        return None
    response = await proceed(request)
    if response.status in counted:
        server.nth("refused")
    return response


WRONG_KEY = frozenset({401})


@habit(verdict="not_demonstrated")
async def fail2ban_denies(server: Server, request: Request, proceed: Next) -> Response:
    """fail2ban puts an address on nginx' deny list after five 401, which is its default: 403 in HTML for everything."""
    return await guarded(server, request, proceed, 5, WRONG_KEY) or page(403, "Forbidden")


@habit(verdict="not_demonstrated")
async def fail2ban_rejects(server: Server, request: Request, proceed: Next) -> Response:
    """fail2ban closes the port for an address after ten 401: connections are refused, and open ones die."""
    if response := await guarded(server, request, proceed, 10, WRONG_KEY):
        return response
    server.memory["away"] = asyncio.create_task(server.go_away(3600))
    await asyncio.sleep(3600)
    raise ConnectionError


@habit(verdict="not_demonstrated")
async def fail2ban_drops(server: Server, request: Request, proceed: Next) -> Response:
    """A firewall drops what an address sends after ten 401: nothing ever comes back."""
    if response := await guarded(server, request, proceed, 10, WRONG_KEY):
        return response
    await asyncio.sleep(3600)
    raise ConnectionError


@habit()
async def rack_attack(server: Server, request: Request, proceed: Next) -> Response:
    """Rack::Attack blocks an address after twenty 401: 403 in plain text. All was judged by then."""
    return await guarded(server, request, proceed, 20, WRONG_KEY) or text(403, "Forbidden\n", "text/plain")


@habit(verdict="not_demonstrated")
async def bunkerweb(server: Server, request: Request, proceed: Next) -> Response:
    """BunkerWeb bans an address for a day after ten responses that are bad in its eyes: 403 in HTML."""
    bad = frozenset({400, 401, 403, 404, 405, 429, 444})
    return await guarded(server, request, proceed, 10, bad) or page(403, "Forbidden", "BunkerWeb")


@habit(verdict="not_demonstrated")
async def wrong_base_url(_server: Server, _request: Request, _proceed: Next) -> Response:
    """Another server: 404 in plain text for every path."""
    return text(404, "404 page not found\n")


@habit(verdict="not_demonstrated")
async def mistyped_key(_server: Server, request: Request, proceed: Next) -> Response:
    """No key is known here, and too many wrong ones would have their sender banned."""
    request.headers["authorization"] = "Bearer hu_none"
    return await proceed(request)
