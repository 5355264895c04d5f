"""Habits of web frameworks."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from urllib.parse import unquote
from uuid import uuid4

from faults.probe import refuse
from stage import Answered, Asked

from deployments.habits import KNOWN, Next, Server, add, habit, is_endpoint, is_odd, text


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


def replaced_404(asked: Asked, answered: Answered) -> bool:
    """Whether a framework's router responded: to an unknown path, or to a method that has no handler."""
    return answered.status == 405 or (answered.status == 404 and not is_endpoint(asked))


def allow_of(answered: Answered) -> list[tuple[str, str]]:
    """Return the Allow header field of a response."""
    return [pair for pair in answered.headers if pair[0].lower() == "allow"]


@habit()
async def spring_problem_detail(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """Spring Boot 3 with problem details and its security filters: strict paths, Vary in three lines, Expires: 0."""
    if is_odd(asked) or re.search(r"//|;|%3b", asked.path, re.IGNORECASE):
        return text(400, "")
    answered = await proceed(asked)
    if replaced_404(asked, answered):
        allow = allow_of(answered)
        body = {"detail": f"No static resource {asked.path}.", "instance": asked.path, "status": answered.status,
                "title": "Not Found", "type": "about:blank"}  # fmt: skip
        answered = text(answered.status, json.dumps(body), "application/problem+json")
        answered.headers += allow
    elif answered.is_problem:
        answered.change(timestamp=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f789Z"), extensions=None)
    answered.headers += [("Vary", name) for name in ("Origin", "Access-Control-Request-Method",
                                                     "Access-Control-Request-Headers")]  # fmt: skip
    return add(answered, X_Content_Type_Options="nosniff", X_XSS_Protection="0", X_Frame_Options="DENY", Expires="0",
               Pragma="no-cache", Cache_Control="no-cache, no-store, max-age=0, must-revalidate")  # fmt: skip


@habit()
async def asp_net_problem_details(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """ASP.NET Core: a traceId, seven decimals and an offset in timestamps, problem details for the router's 404 too."""
    answered = await proceed(asked)
    if replaced_404(asked, answered):
        allow = allow_of(answered)
        body = {"type": "https://tools.ietf.org/html/rfc9110#section-15.5.5", "title": "Not Found",
                "status": answered.status, "traceId": "00-84c1fd4063c38d9f3900d06e56542d48-85d1d4-00"}  # fmt: skip
        answered = text(answered.status, json.dumps(body), "application/problem+json")
        answered.headers += allow
    elif answered.is_problem:
        now = datetime.now(timezone(timedelta(hours=2)))
        answered.change(traceId="00-84c1fd4063c38d9f3900d06e56542d48-85d1d4-00",
                        timestamp=now.strftime("%Y-%m-%dT%H:%M:%S.%f0+02:00"))  # fmt: skip
    answered.headers = [
        (name, f"{value}; charset=utf-8" if name.lower() == "content-type" else value)
        for name, value in answered.headers
    ]
    return add(answered, Server="Kestrel", X_Powered_By="ASP.NET", Request_Id=str(uuid4()))


@habit()
async def media_types_in_capitals(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """Media types and charsets are written in capitals, with blanks and quotes where they may stand."""
    answered = await proceed(asked)
    if answered.body:
        capital = "Application/Problem+JSON" if answered.status >= 400 else "Application/JSON"
        answered.header("Content-Type", f'{capital} ; Charset="UTF-8"')
    return answered


@habit()
async def helmet(server: Server, asked: Asked, proceed: Next) -> Answered:
    """The security header fields of a framework's plug-in, Server-Timing, and the request id in a header field too."""
    answered = await proceed(asked)
    identifier = asked.headers.get("x-request-id") or f"{server.nth():08x}-{uuid4()}"
    if answered.is_problem:
        answered.change(requestId=identifier)
    answered.headers += [
        ("X-Request-Id", identifier), ("Server-Timing", 'app;dur=4.2;desc="app", db;dur=1'), ("Content-Language", "sv"),
        ("Content-Security-Policy", "default-src 'none';frame-ancestors 'none'"), ("Origin-Agent-Cluster", "?1"),
        ("Cross-Origin-Opener-Policy", "same-origin"), ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Referrer-Policy", "no-referrer"), ("X-DNS-Prefetch-Control", "off"), ("X-Download-Options", "noopen"),
        ("Strict-Transport-Security", "max-age=31536000; includeSubDomains; preload"), ("X-Powered-By", "Express"),
    ]  # fmt: skip
    return answered


@habit()
async def weak_etags(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """Each body gets a weak ETag of its content, errors too; a 304 where the request has it."""
    answered = await proceed(asked)
    tag = f'W/"{len(answered.body):x}-{sha256(answered.body).hexdigest()[:27]}"'
    if answered.body:
        answered.header("ETag", tag)
    wanted = [part.strip() for part in asked.headers.get("if-none-match", "").split(",")]
    if answered.status == 200 and asked.method in {"GET", "HEAD"} and (tag in wanted or "*" in wanted):
        answered.status, answered.body = 304, b""
        answered.header("Content-Type", None)
    return answered


@habit()
async def instance_is_absolute(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """instance has the public host, or is a URN where the path has none."""
    answered = await proceed(asked)
    if answered.is_problem:
        answered.change(
            instance=f"https://cloud.hostup.se{asked.path}" if is_endpoint(asked) else f"urn:uuid:{uuid4()}"
        )
    return answered
