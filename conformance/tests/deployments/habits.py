"""The habits of deployments: one correct server that does, by name, as some stack does around it.

A habit is a coroutine that gets a request and a function that gives the correct response to it; what it returns is
sent. So it may refuse before the application sees anything, as a front end does, or change what comes back. `stacks`
has more of them, and `serve` serves one.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from secrets import token_hex
from typing import Any
from urllib.parse import quote, unquote

from faults.probe import problem, refuse
from hostup_conformance.mock import FOREIGN_VPS_ID, UNAVAILABLE_VPS_ID, VPS_ID, Mock
from stage import CRLF, Answered, Asked, ask

Next = Callable[[Asked], Awaitable[Answered]]
Behaviour = Callable[["Server", Asked, Next], Awaitable[Answered]]
KNOWN = (VPS_ID, UNAVAILABLE_VPS_ID, FOREIGN_VPS_ID)


@dataclass(frozen=True)
class Habit:
    """What a deployment does, and what the suite should say of it."""

    name: str
    behave: Behaviour
    starts: bool = False
    verdict: str = "conformant"
    deserves: Mapping[str, str] = field(default_factory=dict)


_HABITS: dict[str, Habit] = {}


def habit(
    *, starts: bool = False, verdict: str = "conformant", deserves: Mapping[str, str] | None = None
) -> Callable[[Behaviour], Behaviour]:
    """Register a habit."""

    def register(behave: Behaviour) -> Behaviour:
        name = behave.__name__.strip("_")
        _HABITS[name] = Habit(name, behave, starts, verdict, deserves or {})
        return behave

    return register


def habits() -> dict[str, Habit]:
    """Return all habits by name."""
    return _HABITS


class Server:
    """Serves a habit on one port; `memory` is kept for its whole life."""

    def __init__(self, behave: Behaviour, port: int) -> None:
        self.behave, self.port = behave, port
        self.mock = Mock()
        self.mock.environment()  # adds the command that has ended
        self.memory: dict[str, float] = {}
        self._noted: dict[str, Any] = {}
        self.began = time.monotonic()
        self.lock = asyncio.Lock()
        self._listener: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    def nth(self, name: str = "requests") -> int:
        """Count, from 1."""
        self.memory[name] = self.memory.get(name, 0) + 1
        return int(self.memory[name])

    async def listen(self) -> None:
        """Begin to accept connections."""
        self._listener = await asyncio.start_server(self._connection, "127.0.0.1", self.port, limit=2**20)

    async def go_away(self, seconds: float) -> None:
        """Refuse connections for a time, and drop those that are open."""
        if self._listener:
            self._listener.close()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.sleep(seconds)
        await self.listen()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                while await self._exchange(reader, writer):
                    pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Respond to one request; return whether the connection stays open."""
        head = (await reader.readuntil(2 * CRLF)).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:]) if name}
        body = await self._body(reader, headers)
        path, _, query = target.partition("?")
        asked = Asked(method, path, query, headers, self.mock, self._noted, body)
        answered = await self.behave(self, asked, self._application)
        if answered.raw is None:
            empty = method == "HEAD" or answered.status in {204, 304}
            answered.raw = [answered.head() + (b"" if empty else answered.body)]
            stays = not any(pair == ("Connection", "close") for pair in answered.headers)
        else:
            stays = False
        for part in answered.raw:
            if isinstance(part, bytes):
                writer.write(part)
                await writer.drain()
            else:
                await asyncio.sleep(part)
        return stays

    async def _body(self, reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
        if "transfer-encoding" not in headers:
            return await reader.readexactly(int(headers.get("content-length", 0)))
        body = b""
        while size := int((await reader.readuntil(CRLF)).partition(b";")[0], 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readuntil(CRLF)
        return body

    async def _application(self, asked: Asked) -> Answered:
        return await ask(self.mock.app, asked, asked.body)


def page(status: int, title: str, server: str = "nginx") -> Answered:
    """Return an error page in HTML, as front ends have."""
    body = f"<html>\r\n<head><title>{status} {title}</title></head>\r\n<body>\r\n"
    body += f"<center><h1>{status} {title}</h1></center>\r\n<hr><center>{server}</center>\r\n</body>\r\n</html>\r\n"
    return Answered(status, [("Server", server), ("Content-Type", "text/html")], body.encode(), title)


def text(status: int, body: str, content_type: str = "text/plain; charset=utf-8") -> Answered:
    """Return a response with a body that is no problem document."""
    return Answered(status, [("Content-Type", content_type)] if body else [], body.encode())


def refusal(asked: Asked, status: int, code: str, title: str) -> Answered:
    """Return a problem document."""
    body = problem(asked, status, code, title) | {"requestId": f"req_{token_hex(13)}"}
    return Answered(status, [("Content-Type", "application/problem+json")], json.dumps(body).encode())


def limited(asked: Asked, limit: int, wait: float, reset: datetime | None = None) -> Answered:
    """Return the documented 429."""
    answered = refusal(asked, 429, "rate_limit_exceeded", "Too many requests")
    answered.header("Retry-After", str(max(1, round(wait + 0.5))))
    mark(answered, limit, 0, reset or datetime.now(UTC) + timedelta(seconds=wait))
    return answered


def mark(answered: Answered, limit: int, remaining: int, reset: datetime) -> None:
    """Add the X-RateLimit headers."""
    answered.header("X-RateLimit-Limit", str(limit))
    answered.header("X-RateLimit-Remaining", str(remaining))
    answered.header("X-RateLimit-Reset", reset.isoformat(timespec="milliseconds").replace("+00:00", "Z"))


def is_endpoint(asked: Asked) -> bool:
    """Whether the path is that of the endpoint or of what is beside it, by its form."""
    return bool(re.fullmatch(r"/api/v2/vps(/[^/]+/(agent/exec|status))?", asked.path))


def is_odd(asked: Asked) -> bool:
    """Whether a strict front end would refuse the path."""
    return bool(re.search(r"%(00|2f|5c|25|ff|0a|0d)|/\.\.?(/|$)", asked.path, re.IGNORECASE))


# --- starting, restarting, failing for a moment


@habit()
async def plain(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """Nothing is in between."""
    return await proceed(asked)


@habit()
async def cold_start(server: Server, asked: Asked, proceed: Next) -> Answered:
    """The first request wakes an instance, which takes 8 seconds; all that come meanwhile wait for it."""
    async with server.lock:
        if server.nth() == 1:
            await asyncio.sleep(8)
    return await proceed(asked)


@habit(deserves={"HTTP-08": "RFC 9110 section 15.6: a failure that was met, and passed"})
async def starting_up(server: Server, asked: Asked, proceed: Next) -> Answered:
    """For the first two seconds there is 503 with Retry-After."""
    began = server.memory.setdefault("began", time.monotonic())
    if time.monotonic() - began < 2:
        answered = page(503, "Service Unavailable")
        answered.header("Retry-After", "1")
        return answered
    return await proceed(asked)


@habit(deserves={"HTTP-08": "RFC 9110 section 15.6: a failure that was met, and passed"})
async def restart(server: Server, asked: Asked, proceed: Next) -> Answered:
    """In the middle connections are refused for a second, then the front end says 502 and 503 for another."""
    if server.nth() == 40:
        server.memory["back"] = time.monotonic() + 1
        server.memory["task"] = 1
        _TASKS.add(asyncio.create_task(server.go_away(1)))
        await asyncio.sleep(0.05)
    back = server.memory.get("back", 0.0)
    if back and time.monotonic() < back + 1:
        return page(502, "Bad Gateway") if server.nth("pages") % 2 else page(503, "Service Temporarily Unavailable")
    return await proceed(asked)


_TASKS: set[asyncio.Task[None]] = set()
PASSED = {"HTTP-08": "RFC 9110 section 15.6: a failure that was met, and passed"}


@habit(deserves=PASSED)
async def transient_502(server: Server, asked: Asked, proceed: Next) -> Answered:
    """One 502 of a front end, in HTML."""
    return page(502, "Bad Gateway") if server.nth() == 12 else await proceed(asked)


@habit(deserves=PASSED)
async def transient_503(server: Server, asked: Asked, proceed: Next) -> Answered:
    """One 503 of a load balancer, without a body."""
    return text(503, "") if server.nth() == 30 else await proceed(asked)


@habit(deserves=PASSED)
async def transient_504(server: Server, asked: Asked, proceed: Next) -> Answered:
    """One 504 of a front end, for the very first request."""
    return page(504, "Gateway Time-out") if server.nth() == 1 else await proceed(asked)


@habit(deserves=PASSED)
async def cloudflare_522(server: Server, asked: Asked, proceed: Next) -> Answered:
    """A CDN that could not reach the origin once says 522, with a problem document of its own and Retry-After."""
    if server.nth() != 25:
        return await proceed(asked)
    body = {"type": "https://developers.cloudflare.com/support/522", "title": "Error 522: Connection timed out",
            "status": 522, "detail": "The origin did not respond.", "instance": "9f1c", "retryable": True}  # fmt: skip
    answered = text(522, json.dumps(body), "application/problem+json; charset=utf-8")
    answered.header("Retry-After", "1")
    answered.header("Server", "cloudflare")
    return answered


@habit(deserves=PASSED)
async def envoy_no_upstream(server: Server, asked: Asked, proceed: Next) -> Answered:
    """Three times in a row a mesh says 503, in plain text, while a pod is replaced."""
    if 50 <= server.nth() < 53:
        answered = text(503, "upstream connect error or disconnect/reset before headers")
        answered.header("Server", "envoy")
        return answered
    return await proceed(asked)


@habit(deserves=PASSED)
async def connection_reset_once(server: Server, asked: Asked, proceed: Next) -> Answered:
    """A worker that is recycled drops one connection without a response."""
    answered = await proceed(asked) if server.nth() != 33 else text(500, "")
    if server.memory["requests"] == 33:
        answered.raw = []
    return answered


@habit(verdict="not_demonstrated")
async def maintenance(_server: Server, _asked: Asked, _proceed: Next) -> Answered:
    """Everything is 503 in HTML, come back in an hour."""
    answered = page(503, "Service Unavailable")
    answered.header("Retry-After", "3600")
    return answered


@habit(verdict="not_demonstrated")
async def always_502(_server: Server, _asked: Asked, _proceed: Next) -> Answered:
    """The front end has no application behind it."""
    return page(502, "Bad Gateway")


# --- rate limits


async def window(server: Server, asked: Asked, proceed: Next, limit: int) -> Answered:
    """Limit the requests in a minute, and tell how many are left with each response."""
    now = time.time()
    if now >= server.memory.get("ends", 0):
        server.memory["ends"], server.memory["used"] = now + 60, 0
    used, reset = server.nth("used"), datetime.fromtimestamp(server.memory["ends"], UTC)
    if used > limit:
        return limited(asked, limit, server.memory["ends"] - now, reset)
    answered = await proceed(asked)
    if answered.status != 429:
        mark(answered, limit, limit - used, reset)
    return answered


@habit()
async def limit_60(server: Server, asked: Asked, proceed: Next) -> Answered:
    """60 requests in a minute."""
    return await window(server, asked, proceed, 60)


@habit()
async def limit_30(server: Server, asked: Asked, proceed: Next) -> Answered:
    """30 requests in a minute: twice as many, which a run sends in the time that it has by default, judge all MUSTs."""
    return await window(server, asked, proceed, 30)


@habit()
async def limit_600(server: Server, asked: Asked, proceed: Next) -> Answered:
    """600 requests in a minute, which a run does not use up."""
    return await window(server, asked, proceed, 600)


@habit()
async def token_bucket(server: Server, asked: Asked, proceed: Next) -> Answered:
    """Ten requests in a second, twenty at once; nothing is said of it before the 429."""
    now = time.monotonic()
    tokens = min(20.0, server.memory.get("tokens", 20.0) + 10 * (now - server.memory.get("at", now)))
    server.memory["at"] = now
    if tokens < 1:
        server.memory["tokens"] = tokens
        return limited(asked, 20, 1)
    server.memory["tokens"] = tokens - 1
    return await proceed(asked)


@habit()
async def failures_are_limited(server: Server, asked: Asked, proceed: Next) -> Answered:
    """After ten refusals for a wrong key in ten seconds, 429 for whoever has no right one, against guessing."""
    answered = await proceed(asked)
    if answered.status != 401:
        return answered
    now = time.monotonic()
    if now >= server.memory.get("ends", 0):
        server.memory["ends"], server.memory["failed"] = now + 10, 0
    return limited(asked, 10, server.memory["ends"] - now) if server.nth("failed") > 10 else answered


HTML_429 = {
    "RATE-01": "page, Responses, 429",
    "RATE-02": "page, Responses, 429",
    "PROBLEM-01": "page, Responses, 429",
    "PROBLEM-02": "page, Responses, 429",
}


@habit(verdict="not_conformant", deserves=HTML_429)
async def front_end_429(server: Server, asked: Asked, proceed: Next) -> Answered:
    """A front end limits the rate in its own way: 429 in HTML, and no word of when to come back."""
    return page(429, "Too Many Requests") if server.nth() % 25 == 0 else await proceed(asked)


@habit(deserves={"RATE-04": "related, error reference: X-RateLimit-Reset is an ISO timestamp"})
async def reset_in_epoch_seconds(server: Server, asked: Asked, proceed: Next) -> Answered:
    """X-RateLimit-Reset is in seconds since 1970, as with GitHub."""
    answered = limited(asked, 60, 1) if server.nth() == 20 else await proceed(asked)
    if answered.status == 429:
        answered.header("X-RateLimit-Reset", str(int(time.time()) + 1))
    return answered


@habit()
async def draft_rate_limit_fields(server: Server, asked: Asked, proceed: Next) -> Answered:
    """RateLimit-Limit and its like, and X-RateLimit-Limit-Minute, on each response, as Kong has them."""
    answered = await proceed(asked)
    left = str(6000 - server.nth())
    answered.headers += [("RateLimit-Limit", "6000"), ("RateLimit-Remaining", left), ("RateLimit-Reset", "41"),
                         ("X-RateLimit-Limit-Minute", "6000"), ("X-RateLimit-Remaining-Minute", left),
                         ("X-Kong-Upstream-Latency", "3"), ("Via", "1.1 kong/3.9.0")]  # fmt: skip
    return answered


# --- in between: access proxies, firewalls, gateways


@habit(verdict="not_demonstrated")
async def access_proxy(_server: Server, _asked: Asked, _proceed: Next) -> Answered:
    """Everything is a redirect to a login page, as with a preview deployment."""
    answered = text(302, "")
    answered.headers = [("Location", "https://login.example/authorize?client_id=1&redirect_uri=x"),
                        ("Set-Cookie", "CF_AppSession=1; Path=/; Secure; HttpOnly")]  # fmt: skip
    return answered


@habit(verdict="not_demonstrated")
async def login_page(_server: Server, _asked: Asked, _proceed: Next) -> Answered:
    """Everything is 200 with a login page in HTML."""
    return text(200, "<!doctype html><title>Sign in</title><form method=post><input name=user></form>", "text/html")


@habit(verdict="not_demonstrated")
async def basic_auth_in_front(_server: Server, _asked: Asked, _proceed: Next) -> Answered:
    """A staging host wants a password of its own: 401 with Basic for everything."""
    answered = page(401, "Authorization Required")
    answered.header("WWW-Authenticate", 'Basic realm="staging"')
    return answered


@habit(verdict="not_demonstrated")
async def bot_challenge(_server: Server, _asked: Asked, _proceed: Next) -> Answered:
    """Everything is 403 with a challenge for browsers."""
    answered = text(403, "<!DOCTYPE html><title>Just a moment...</title>", "text/html; charset=UTF-8")
    answered.headers += [("Cf-Mitigated", "challenge"), ("Server", "cloudflare")]
    return answered


@habit()
async def web_firewall(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """403 in HTML for what looks like an attack in path or query, and for integers that overflow."""
    sent = unquote(f"{asked.path}?{asked.query}", errors="replace")
    if re.search(r"'|\x00|\.\./|\bOR\b.*=|\{|2147483647|4294967|\ufffd", sent) or len(sent) > 1024:
        return page(403, "Forbidden")
    return await proceed(asked)


@habit()
async def gateway_of_routes(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """A cloud's gateway knows its routes alone: the rest is 403 with a message, whatever the method."""
    known = is_endpoint(asked) and asked.method in {"GET", "POST"}
    answered = (
        await proceed(asked)
        if known and not is_odd(asked)
        else text(403, '{"message": "Missing Authentication Token"}', "application/json")
    )
    answered.headers += [("x-amzn-RequestId", "7f1c"), ("x-amz-apigw-id", "Zx1="), ("X-Amzn-Trace-Id", "Root=1-6")]
    return answered


@habit()
async def gateway_of_kong(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """Kong: HTML for an encoded NUL, JSON with a message for what no route matches."""
    if "%00" in asked.path:
        return page(400, "Bad Request", "openresty")
    if not asked.path.startswith("/api/v2/"):
        return text(
            404, '{"message":"no Route matched with those values","request_id":"1"}', "application/json; charset=utf-8"
        )
    answered = await proceed(asked)
    answered.header("Via", "1.1 kong/3.9.0")
    return answered


@habit()
async def gateway_of_traefik(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """Traefik: encoded slashes and the like are 400 without a body, unknown paths plain text."""
    if re.search(r"%(2f|5c|00|3b|25|3f|23)", asked.path, re.IGNORECASE):
        return text(400, "")
    return await proceed(asked) if asked.path.startswith("/api/v2/") else text(404, "404 page not found\n")


@habit()
async def gateway_of_envoy(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """Envoy: escaped slashes are redirected to the path with them unescaped, dot segments and double slashes merge."""
    if re.search(r"%(2f|5c)", asked.path, re.IGNORECASE):
        answered = text(307, "")
        answered.header("Location", re.sub(r"%2f", "/", asked.path, flags=re.IGNORECASE))
        return answered
    answered = await proceed(asked)
    answered.headers += [("Server", "envoy"), ("X-Envoy-Upstream-Service-Time", "2")]
    return answered


@habit()
async def cdn_in_front(server: Server, asked: Asked, proceed: Next) -> Answered:
    """A CDN adds its fields, a cookie, and a coding where one is accepted."""
    answered = await proceed(asked)
    if "gzip" in asked.headers.get("accept-encoding", "") and answered.body and asked.method == "GET":
        answered.body = gzip.compress(answered.body)
        answered.header("Content-Encoding", "gzip")
    answered.headers += [
        ("Date", format_datetime(datetime.now(UTC), usegmt=True)), ("Server", "cloudflare"),
        ("CF-RAY", f"9f{server.nth():012x}-ARN"), ("cf-cache-status", "DYNAMIC"), ("alt-svc", 'h3=":443"; ma=86400'),
        ("NEL", '{"success_fraction":0,"report_to":"cf-nel","max_age":604800}'), ("Vary", "accept-encoding"),
        ("Report-To", '{"endpoints":[{"url":"https://a.nel.example/"}],"group":"cf-nel","max_age":604800}'),
        ("Set-Cookie", "__cf_bm=x; path=/; HttpOnly; Secure; SameSite=None"),
    ]  # fmt: skip
    return answered


@habit()
async def paths_are_normalized(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """The path is decoded, and dot segments and empty ones are taken out, before it is routed."""
    path = unquote(asked.path, errors="surrogateescape")
    if path.count("/") != asked.path.count("/") or "/." in path or "//" in path:
        parts: list[str] = []
        for part in path.split("/"):
            if part == "..":
                parts[-1:] = []
            elif part not in {"", "."}:
                parts.append(part)
        asked.path = "/" + "/".join(quote(part, errors="surrogateescape") for part in parts)
    return await proceed(asked)


@habit(deserves={"HTTP-20": "RFC 9112 section 3: a long request line gets 414"})
async def long_lines_are_cut_off(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """A request line of more than 4 KiB ends the connection without a response."""
    answered = await proceed(asked)
    if len(asked.path) + len(asked.query) > 4000:
        answered.raw = []
    return answered


@habit()
async def long_lines_are_414(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """A request line of more than a KiB is 414 in HTML."""
    return page(414, "URI Too Long") if len(asked.path) + len(asked.query) > 1024 else await proceed(asked)


@habit()
async def wants_json_accepted(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """406 for whoever does not accept JSON, 403 for whoever names no User-Agent."""
    accept = asked.headers.get("accept", "")
    if "json" not in accept and "*/*" not in accept:
        return page(406, "Not Acceptable")
    return await proceed(asked) if asked.headers.get("user-agent") else page(403, "Forbidden")


# --- frameworks


@habit()
async def spring_boot(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """Tomcat's HTML for odd paths, BasicErrorController's JSON for unknown paths and methods."""
    if is_odd(asked):
        return text(400, "<!doctype html><html lang=en><title>HTTP Status 400</title>", "text/html;charset=utf-8")
    answered = await proceed(asked)
    if answered.status in {404, 405} and (not is_endpoint(asked) or answered.status == 405):
        allow = [pair for pair in answered.headers if pair[0].lower() == "allow"]
        stamp = datetime.now(UTC).isoformat(timespec="milliseconds")
        body = {"timestamp": stamp, "status": answered.status, "error": "Not Found", "path": unquote(asked.path)}
        answered = text(answered.status, json.dumps(body), "application/json")
        answered.headers += allow
    return answered


@habit()
async def asp_net(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """Kestrel: 404 and 405 of the router have no body; the server is named; problems have traceId too."""
    answered = await proceed(asked)
    if answered.status == 405 or (answered.status == 404 and not is_endpoint(asked)):
        answered.body = b""
        answered.header("Content-Type", None)
    elif answered.is_problem:
        answered.change(traceId="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")
        answered.header("Content-Type", "application/problem+json; charset=utf-8")
    answered.header("Server", "Kestrel")
    return answered


@habit()
async def rails(server: Server, asked: Asked, proceed: Next) -> Answered:
    """Rails: ETag, private caching to be revalidated, its own pages for unknown paths and bytes that are no UTF-8."""
    if re.search(r"%(ff|00)", asked.path + asked.query, re.IGNORECASE):
        return text(400, "<!doctype html><html><h1>400 Bad Request</h1></html>", "text/html; charset=UTF-8")
    answered = await proceed(asked)
    if answered.status in {404, 405} and not (is_endpoint(asked) and answered.status == 404):
        return text(
            404, "<!doctype html><h1>The page you were looking for doesn't exist.</h1>", "text/html; charset=UTF-8"
        )
    answered.headers += [("X-Runtime", "0.004"), ("X-Request-Id", f"c0ffee-{server.nth()}"), ("Vary", "Accept"),
                         ("X-Frame-Options", "SAMEORIGIN"), ("Referrer-Policy", "strict-origin")]  # fmt: skip
    if answered.status == 200:
        answered.header("ETag", f'W/"{server.nth("tags"):032x}"')
        answered.header("Cache-Control", "max-age=0, private, must-revalidate")
    return answered


@habit()
async def laravel(server: Server, asked: Asked, proceed: Next) -> Answered:
    """Laravel: strings of the query are trimmed, empty ones are null; X-RateLimit fields without Reset on success."""
    if re.fullmatch(r"pid=(%20|%00|\+)*", asked.query):
        asked.query = ""
    asked.query = re.sub(r"^(pid=)(?:%20|%00|\+)*(.*?)(?:%20|%00|\+)*$", r"\1\2", asked.query)
    answered = await proceed(asked)
    if answered.status == 405:
        allow = [pair for pair in answered.headers if pair[0].lower() == "allow"]
        answered = text(405, '{"message": "The method is not supported for this route."}', "application/json")
        answered.headers += allow
    answered.header("Cache-Control", "no-cache, private")
    if answered.status == 200:
        answered.headers += [("X-RateLimit-Limit", "6000"), ("X-RateLimit-Remaining", str(6000 - server.nth()))]
    return answered


@habit()
async def strips_control_characters(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """Control characters are taken out of arguments and of the path, as Tornado does."""
    asked.query = re.sub(r"%(0[0-8bcef]|1[0-9a-f]|7f)", "", asked.query, flags=re.IGNORECASE)
    asked.path = re.sub(r"%(0[0-8bcef]|1[0-9a-f]|7f)", "", asked.path, flags=re.IGNORECASE)
    return await proceed(asked)


@habit(deserves={"ID-05": "inferred, page, Parameters, id: use the exact id"})
async def lenient_collation(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """The database takes ids alike that differ in case or in blanks at the end."""
    for id in KNOWN:
        if asked.vps.rstrip(" \0").casefold() == id.casefold():
            asked.path = asked.path.replace(asked.path.split("/")[4], id, 1)
            asked.__dict__.pop("vps")
            break
    return await proceed(asked)


@habit()
async def another_scheme(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """`Token KEY` is taken as `Bearer KEY` is, for older clients."""
    value = asked.headers.get("authorization", "")
    if value.lower().startswith("token "):
        asked.headers["authorization"] = "Bearer " + value[6:]
    return await proceed(asked)


@habit()
async def session_or_key(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """The dashboard's session is another way in, and its challenge comes with the 401."""
    answered = await proceed(asked)
    if answered.status == 401:
        answered.header("WWW-Authenticate", 'Bearer realm="api", Session realm="dashboard"')
        answered.headers.append(("Set-Cookie", "hostup_session=; Path=/; Max-Age=0; HttpOnly; Secure"))
    return answered


@habit()
async def gone(server: Server, asked: Asked, proceed: Next) -> Answered:
    """A pid whose output was fetched is 410."""
    answered = await proceed(asked)
    if answered.is_output and answered.json["exited"] and asked.pid:
        server.memory[f"ended {asked.pid}"] = 1
    elif answered.status == 404 and asked.own and f"ended {asked.pid}" in server.memory:
        refuse(asked, answered, 410, "not_found", "Not found")
    return answered


# --- commands


@habit(starts=True)
async def commands_are_blocked(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """Commands are switched off for the VPS by policy: 403, though the key may."""
    answered = await proceed(asked)
    if answered.is_started:
        refuse(asked, answered, 403, "forbidden", "Forbidden")
        answered.change(detail="Command execution is disabled by policy.")
    return answered


@habit(starts=True)
async def sleep_is_blocked(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """Some commands are blocked for safety, sleep among them: 400."""
    if asked.method == "POST" and b"sleep" in asked.body and asked.full:
        answered = refusal(asked, 400, "invalid_request", "Invalid request")
        answered.change(errors=[{"pointer": "/command", "detail": "It is blocked.", "code": "invalid_request"}])
        return answered
    return await proceed(asked)


@habit(starts=True)
async def sleep_is_forbidden(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """Some commands are blocked for safety, sleep among them: 403."""
    answered = await proceed(asked)
    if answered.is_started and b"sleep" in asked.body:
        refuse(asked, answered, 403, "forbidden", "Forbidden")
    return answered


@habit(starts=True)
async def commands_take_a_second(server: Server, asked: Asked, proceed: Next) -> Answered:
    """The agent tells of an end no sooner than a second after it."""
    began = server.memory.get(f"started {asked.pid}", 0.0) if asked.method == "GET" and asked.full else 0.0
    if time.monotonic() - began < 1:
        return text(200, '{"exited": false}', "application/json")
    answered = await proceed(asked)
    if answered.is_started:
        server.memory[f"started {answered.json['pid']}"] = time.monotonic()
    return answered


# --- transport


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
