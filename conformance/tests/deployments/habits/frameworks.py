"""Habits of web frameworks."""

import json
import re
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from uuid import uuid4

from stage import Request, Response

from deployments.habits import Next, Server, add, habit, is_endpoint, is_odd, text


@habit()
async def rails(server: Server, request: Request, proceed: Next) -> Response:
    """Rails: ETag, private caching to be revalidated, its own pages for unknown paths and bytes that are no UTF-8."""
    if re.search(r"%(ff|00)", request.path + request.query, re.IGNORECASE):
        return text(400, "<!doctype html><html><h1>400 Bad Request</h1></html>", "text/html; charset=UTF-8")
    response = await proceed(request)
    if response.status in {404, 405} and not (is_endpoint(request) and response.status == 404):
        return text(
            404, "<!doctype html><h1>The page you were looking for doesn't exist.</h1>", "text/html; charset=UTF-8"
        )
    response.headers += [("X-Runtime", "0.004"), ("X-Request-Id", f"c0ffee-{server.nth()}"), ("Vary", "Accept"),
                         ("X-Frame-Options", "SAMEORIGIN"), ("Referrer-Policy", "strict-origin")]  # fmt: skip
    if response.status == 200:
        response.header("ETag", f'W/"{server.nth("tags"):032x}"')
        response.header("Cache-Control", "max-age=0, private, must-revalidate")
    return response


@habit()
async def laravel(server: Server, request: Request, proceed: Next) -> Response:
    """Laravel: strings of the query are trimmed, empty ones are null; X-RateLimit fields without Reset on success."""
    if re.fullmatch(r"pid=(%20|%00|\+)*", request.query):
        request.query = ""
    request.query = re.sub(r"^(pid=)(?:%20|%00|\+)*(.*?)(?:%20|%00|\+)*$", r"\1\2", request.query)
    response = await proceed(request)
    if response.status == 405:
        allow = [pair for pair in response.headers if pair[0].lower() == "allow"]
        response = text(405, '{"message": "The method is not supported for this route."}', "application/json")
        response.headers += allow
    response.header("Cache-Control", "no-cache, private")
    if response.status == 200:
        response.headers += [("X-RateLimit-Limit", "6000"), ("X-RateLimit-Remaining", str(6000 - server.nth()))]
    return response


def replaced_404(request: Request, response: Response) -> bool:
    """Whether a framework's router responded: to an unknown path, or to a method that has no handler."""
    return response.status == 405 or (response.status == 404 and not is_endpoint(request))


def allow_of(response: Response) -> list[tuple[str, str]]:
    """Return the Allow header field of a response."""
    return [pair for pair in response.headers if pair[0].lower() == "allow"]


@habit()
async def spring_problem_detail(_server: Server, request: Request, proceed: Next) -> Response:
    """Spring Boot 3 with problem details and its security filters: strict paths, Vary in three lines, Expires: 0."""
    if is_odd(request) or re.search(r"//|;|%3b", request.path, re.IGNORECASE):
        return text(400, "")
    response = await proceed(request)
    if replaced_404(request, response):
        allow = allow_of(response)
        body = {"detail": f"No static resource {request.path}.", "instance": request.path, "status": response.status,
                "title": "Not Found", "type": "about:blank"}  # fmt: skip
        response = text(response.status, json.dumps(body), "application/problem+json")
        response.headers += allow
    elif response.is_problem:
        response.change(timestamp=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f789Z"), extensions=None)
    response.headers += [("Vary", name) for name in ("Origin", "Access-Control-Request-Method",
                                                     "Access-Control-Request-Headers")]  # fmt: skip
    return add(response, X_Content_Type_Options="nosniff", X_XSS_Protection="0", X_Frame_Options="DENY", Expires="0",
               Pragma="no-cache", Cache_Control="no-cache, no-store, max-age=0, must-revalidate")  # fmt: skip


@habit()
async def asp_net_problem_details(_server: Server, request: Request, proceed: Next) -> Response:
    """ASP.NET Core: a traceId, seven decimals and an offset in timestamps, problem details for the router's 404 too."""
    response = await proceed(request)
    if replaced_404(request, response):
        allow = allow_of(response)
        body = {"type": "https://tools.ietf.org/html/rfc9110#section-15.5.5", "title": "Not Found",
                "status": response.status, "traceId": "00-84c1fd4063c38d9f3900d06e56542d48-85d1d4-00"}  # fmt: skip
        response = text(response.status, json.dumps(body), "application/problem+json")
        response.headers += allow
    elif response.is_problem:
        now = datetime.now(timezone(timedelta(hours=2)))
        response.change(traceId="00-84c1fd4063c38d9f3900d06e56542d48-85d1d4-00",
                        timestamp=now.strftime("%Y-%m-%dT%H:%M:%S.%f0+02:00"))  # fmt: skip
    response.headers = [
        (name, f"{value}; charset=utf-8" if name.lower() == "content-type" else value)
        for name, value in response.headers
    ]
    return add(response, Server="Kestrel", X_Powered_By="ASP.NET", Request_Id=str(uuid4()))


@habit()
async def helmet(server: Server, request: Request, proceed: Next) -> Response:
    """The security header fields of a framework's plug-in, Server-Timing, and the request id in a header field too."""
    response = await proceed(request)
    identifier = request.headers.get("x-request-id") or f"{server.nth():08x}-{uuid4()}"
    if response.is_problem:
        response.change(requestId=identifier)
    response.headers += [
        ("X-Request-Id", identifier), ("Server-Timing", 'app;dur=4.2;desc="app", db;dur=1'), ("Content-Language", "sv"),
        ("Content-Security-Policy", "default-src 'none';frame-ancestors 'none'"), ("Origin-Agent-Cluster", "?1"),
        ("Cross-Origin-Opener-Policy", "same-origin"), ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Referrer-Policy", "no-referrer"), ("X-DNS-Prefetch-Control", "off"), ("X-Download-Options", "noopen"),
        ("Strict-Transport-Security", "max-age=31536000; includeSubDomains; preload"), ("X-Powered-By", "Express"),
    ]  # fmt: skip
    return response


@habit()
async def weak_etags(_server: Server, request: Request, proceed: Next) -> Response:
    """Each body gets a weak ETag of its content, errors too; a 304 where the request has it."""
    response = await proceed(request)
    tag = f'W/"{len(response.body):x}-{sha256(response.body).hexdigest()[:27]}"'
    if response.body:
        response.header("ETag", tag)
    wanted = [part.strip() for part in request.headers.get("if-none-match", "").split(",")]
    if response.status == 200 and request.method in {"GET", "HEAD"} and (tag in wanted or "*" in wanted):
        response.status, response.body = 304, b""
        response.header("Content-Type", None)
    return response
