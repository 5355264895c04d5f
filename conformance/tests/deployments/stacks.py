"""More habits: what particular gateways, load balancers and frameworks do by default around a correct application."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import time
import zlib
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from uuid import uuid4

from hostup_conformance.mock import UNAVAILABLE_VPS_ID
from stage import CRLF, Answered, Asked

from deployments.habits import Next, Server, habit, is_endpoint, is_odd, limited, page, refusal, text, window

NO_CHALLENGE = {"AUTH-06": "RFC 6750 section 3: a 401 has WWW-Authenticate, which this gateway renames"}


def without_body(asked: Asked, answered: Answered) -> bool:
    """Whether a response has no body, whatever its header fields say."""
    return asked.method == "HEAD" or answered.status in {204, 304}


def add(answered: Answered, **fields: str) -> Answered:
    """Add header fields, written with _ for -."""
    answered.headers += [(name.replace("_", "-"), value) for name, value in fields.items()]
    return answered


def replaced_404(asked: Asked, answered: Answered) -> bool:
    """Whether a framework's router responded: to an unknown path, or to a method that has no handler."""
    return answered.status == 405 or (answered.status == 404 and not is_endpoint(asked))


def allow_of(answered: Answered) -> list[tuple[str, str]]:
    """Return the Allow header field of a response."""
    return [pair for pair in answered.headers if pair[0].lower() == "allow"]


# --- gateways and load balancers


@habit(deserves=NO_CHALLENGE)
async def aws_rest_api(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """API Gateway's REST APIs: WWW-Authenticate and Date are renamed, unknown routes are 403."""
    if not is_endpoint(asked) or is_odd(asked) or asked.method not in {"GET", "POST"}:
        return add(
            text(403, '{"message":"Missing Authentication Token"}', "application/json"),
            x_amzn_RequestId=str(uuid4()), x_amzn_ErrorType="MissingAuthenticationTokenException",
        )  # fmt: skip
    answered = await proceed(asked)
    answered.headers = [
        (f"x-amzn-Remapped-{name}" if name.lower() in {"www-authenticate", "date", "server"} else name, value)
        for name, value in answered.headers
    ]
    return add(answered, x_amzn_RequestId=str(uuid4()), x_amz_apigw_id="ZxQ1HE4tIAMFm7w=", X_Amzn_Trace_Id="Root=1-66")


@habit()
async def aws_http_api(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """API Gateway's HTTP APIs: names of header fields in lower case, 404 with a message for what no route matches."""
    known = is_endpoint(asked) and not is_odd(asked) and asked.method in {"GET", "POST"}
    answered = await proceed(asked) if known else text(404, '{"message":"Not Found"}', "application/json")
    answered.headers = [(name.lower(), value) for name, value in answered.headers]
    return add(answered, apigw_requestid="ZxQ1Hj1pIAMEMMQ=")


@habit()
async def aws_load_balancer(server: Server, asked: Asked, proceed: Next) -> Answered:
    """An ALB: two cookies on every response, and 400 or 414 in HTML of its own."""
    if len(asked.path) + len(asked.query) > 2000:
        return page(414, "Request-URI Too Large", "awselb/2.0")
    if asked.method == "TRACE" or "%00" in asked.path:
        return page(400 if "%00" in asked.path else 405, "Bad Request", "awselb/2.0")
    answered = await proceed(asked)
    expires = (datetime.now(UTC) + timedelta(days=7)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    cookie = f"{server.nth():064x}; Expires={expires}; Path=/"
    answered.headers += [
        ("Set-Cookie", f"AWSALB={cookie}"),
        ("Set-Cookie", f"AWSALBCORS={cookie}; SameSite=None; Secure"),
    ]
    return answered


@habit()
async def cloudfront(server: Server, asked: Asked, proceed: Next) -> Answered:
    """A CDN that says which caches it asked, refuses a GET with a body, and knows two methods alone."""
    blocked = asked.method not in {"GET", "HEAD", "POST", "OPTIONS"} or (asked.method == "GET" and asked.body)
    if blocked:
        return add(
            page(403, "ERROR: The request could not be satisfied", "CloudFront"), X_Cache="Error from cloudfront"
        )
    answered = await proceed(asked)
    cache = "Error from cloudfront" if answered.status >= 400 else "Miss from cloudfront"
    return add(answered, X_Cache=cache, Via="1.1 9f1c.cloudfront.net (CloudFront)", X_Amz_Cf_Pop="ARN56-P1",
               X_Amz_Cf_Id=f"{server.nth():040x}==")  # fmt: skip


@habit()
async def google_front_end(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """Google's load balancers: a GET with a body is 400 in HTML, and HTTP/3 is offered."""
    if asked.method in {"GET", "HEAD"} and asked.body:
        body = "<!DOCTYPE html><html lang=en><title>Error 400 (Bad Request)!!1</title>"
        return text(400, body, "text/html; charset=UTF-8")
    answered = await proceed(asked)
    answered.header("Server", "Google Frontend")
    return add(answered, Via="1.1 google", Alt_Svc='h3=":443"; ma=2592000,h3-29=":443"; ma=2592000',
               X_Cloud_Trace_Context="105445aa7843bc8bf206b12000100000/1;o=1")  # fmt: skip


@habit()
async def azure_front_door(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """Azure: a charset on all JSON, and API Management's own JSON for what no operation matches."""
    if not is_endpoint(asked) or is_odd(asked) or asked.method not in {"GET", "POST", "HEAD", "OPTIONS"}:
        return text(404, '{ "statusCode": 404, "message": "Resource not found" }', "application/json")
    answered = await proceed(asked)
    answered.headers = [
        (name, f"{value};charset=UTF-8" if name.lower() == "content-type" else value)
        for name, value in answered.headers
    ]
    return add(
        answered, X_Azure_Ref="20260427T123456Z-r1b2", X_Cache="CONFIG_NOCACHE", Request_Context="appId=cid-v1:1"
    )


@habit()
async def cors_is_added_twice(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """The gateway and the application both add what each thinks it alone adds: Vary, CORS, HSTS, Date."""
    answered = await proceed(asked)
    twice = [
        ("Access-Control-Allow-Origin", "*"), ("Vary", "Origin"), ("X-Content-Type-Options", "nosniff"),
        ("Strict-Transport-Security", "max-age=63072000"), ("Via", "1.1 gateway"),
        ("Date", datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")),
    ]  # fmt: skip
    answered.headers = [pair for pair in answered.headers if pair[0].lower() != "date"] + twice + twice
    return answered


@habit()
async def trailing_slash_308(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """A trailing slash, an empty segment, or a letter that need not be encoded is redirected to the clean path."""
    clean = re.sub("/{2,}", "/", asked.path).rstrip("/").replace("%65", "e")
    if clean == asked.path:
        return await proceed(asked)
    answered = text(308, "")
    answered.header("Location", clean + (f"?{asked.query}" if asked.query else ""))
    return answered


@habit()
async def preflight_for_all(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """OPTIONS is 200 with a text, with and without a key; all else may be read by any origin."""
    answered = text(200, "OK") if asked.method == "OPTIONS" else await proceed(asked)
    return add(answered, Access_Control_Allow_Origin="*", Access_Control_Allow_Headers="authorization, content-type",
               Access_Control_Allow_Methods="GET,HEAD,PUT,PATCH,POST,DELETE",
               Access_Control_Expose_Headers="Retry-After, X-RateLimit-Limit, X-RateLimit-Remaining")  # fmt: skip


@habit()
async def key_before_routes(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """Without a valid key everything is 401, whatever the path and the method."""
    answered = await proceed(asked)
    if answered.status in {404, 405} and not (asked.full or asked.reading):
        answered = refusal(asked, 401, "unauthorized", "Unauthorized")
        answered.header("WWW-Authenticate", 'Bearer realm="api"')
    return answered


def invalid(asked: Asked, pointer: str, detail: str) -> Answered:
    """Return the 400 for a parameter."""
    answered = refusal(asked, 400, "invalid_request", "Invalid request")
    answered.change(errors=[{"pointer": pointer, "detail": detail, "code": "invalid_request"}])
    return answered


@habit()
async def input_before_key(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """A pid that is no integer is 400 before anybody looks at the key, as where a schema validates the request."""
    if is_endpoint(asked) and asked.method == "GET" and asked.pid and not re.fullmatch(r"-?[0-9]+", asked.pid):
        return invalid(asked, "/pid", "It is no integer.")
    return await proceed(asked)


@habit()
async def unknown_parameters_are_400(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """A parameter that is not documented is 400, as with a schema that allows no others."""
    names = {part.partition("=")[0] for part in asked.query.split("&")} - {"", "pid"}
    if names and asked.path.endswith("/agent/exec") and asked.full:
        return invalid(asked, "/query", "Unknown parameter.")
    return await proceed(asked)


@habit()
async def wrong_keys_are_slow(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """A 401 takes 700 ms, against guessing."""
    answered = await proceed(asked)
    if answered.status == 401:
        await asyncio.sleep(0.7)
    return answered


# --- rate limits


@habit()
async def ietf_rate_limit_fields(server: Server, asked: Asked, proceed: Next) -> Answered:
    """The fields of the current draft of the IETF, on each response."""
    answered = await proceed(asked)
    return add(answered, RateLimit_Policy='"default";q=6000;w=60', RateLimit=f'"default";r={6000 - server.nth()};t=41')


@habit()
async def envoy_rate_limit(server: Server, asked: Asked, proceed: Next) -> Answered:
    """Envoy's fields of the draft's third version: the policy stands behind the limit, and the reset is in seconds."""
    answered = await proceed(asked)
    if answered.status != 429:
        add(answered, x_ratelimit_limit="6000, 6000;w=60", x_ratelimit_remaining=str(6000 - server.nth()),
            x_ratelimit_reset="41")  # fmt: skip
    return answered


@habit()
async def two_limits(server: Server, asked: Asked, proceed: Next) -> Answered:
    """The application and the gateway have a limit each, so each of the three fields comes twice."""
    answered = await proceed(asked)
    if answered.status != 429:
        for limit in (600, 10_000):
            left, reset = limit - server.nth("first" if limit == 600 else "second"), int(time.time()) + 30
            add(answered, X_RateLimit_Limit=str(limit), X_RateLimit_Remaining=str(left), X_RateLimit_Reset=str(reset))
    return answered


@habit()
async def limits_are_signed(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """No limit for this key: the fields say so with -1 and 0, as some gateways have it."""
    answered = await proceed(asked)
    if answered.status != 429 and asked.full:
        add(answered, X_RateLimit_Limit="0", X_RateLimit_Remaining="0")
    return answered


@habit(starts=True, verdict="not_demonstrated")
async def limit_60_with_starts(server: Server, asked: Asked, proceed: Next) -> Answered:
    """60 requests in a minute: with commands, a run needs more of them than it waits for by default."""
    return await window(server, asked, proceed, 60)


@habit(starts=True, verdict="not_demonstrated")
async def one_a_second(server: Server, asked: Asked, proceed: Next) -> Answered:
    """A bucket of sixty that gets one request each second, and tells nothing before the 429: the same holds here."""
    now = time.monotonic()
    tokens = min(60.0, server.memory.get("tokens", 60.0) + now - server.memory.get("at", now))
    server.memory["at"], server.memory["tokens"] = now, tokens - 1 if tokens >= 1 else tokens
    return await proceed(asked) if tokens >= 1 else limited(asked, 60, 1 - tokens)


@habit(starts=True)
async def starts_are_limited(server: Server, asked: Asked, proceed: Next) -> Answered:
    """Twenty starts in ten seconds; reading is not limited."""
    if asked.method != "POST" or not asked.full:
        return await proceed(asked)
    now = time.monotonic()
    if now >= server.memory.get("ends", 0):
        server.memory["ends"], server.memory["used"] = now + 10, 0
    return limited(asked, 20, server.memory["ends"] - now) if server.nth("used") > 20 else await proceed(asked)


# --- guards that ban an address


async def guarded(server: Server, asked: Asked, proceed: Next, most: int, counted: frozenset[int]) -> Answered | None:
    """Count the responses with some status codes; return None for whoever has got too many of them."""
    if server.memory.get("refused", 0) >= most:
        return None
    answered = await proceed(asked)
    if answered.status in counted:
        server.nth("refused")
    return answered


WRONG_KEY = frozenset({401})


@habit(verdict="not_demonstrated")
async def fail2ban_denies(server: Server, asked: Asked, proceed: Next) -> Answered:
    """fail2ban puts an address on nginx' deny list after five 401, which is its default: 403 in HTML for everything."""
    return await guarded(server, asked, proceed, 5, WRONG_KEY) or page(403, "Forbidden")


@habit(verdict="not_demonstrated")
async def fail2ban_rejects(server: Server, asked: Asked, proceed: Next) -> Answered:
    """fail2ban closes the port for an address after ten 401: connections are refused, and open ones die."""
    if answered := await guarded(server, asked, proceed, 10, WRONG_KEY):
        return answered
    await server.go_away(3600)
    raise ConnectionError


@habit(verdict="not_demonstrated")
async def fail2ban_drops(server: Server, asked: Asked, proceed: Next) -> Answered:
    """A firewall drops what an address sends after ten 401: nothing ever comes back."""
    if answered := await guarded(server, asked, proceed, 10, WRONG_KEY):
        return answered
    await asyncio.sleep(3600)
    raise ConnectionError


@habit(verdict="not_demonstrated")
async def nginx_444(server: Server, asked: Asked, proceed: Next) -> Answered:
    """nginx closes the connection of a banned address without a response, which it calls 444."""
    if answered := await guarded(server, asked, proceed, 8, WRONG_KEY):
        return answered
    answered = text(444, "")
    answered.raw = []
    return answered


@habit()
async def rack_attack(server: Server, asked: Asked, proceed: Next) -> Answered:
    """Rack::Attack blocks an address after twenty 401: 403 in plain text. All was judged by then."""
    return await guarded(server, asked, proceed, 20, WRONG_KEY) or text(403, "Forbidden\n", "text/plain")


@habit(verdict="not_demonstrated")
async def bunkerweb(server: Server, asked: Asked, proceed: Next) -> Answered:
    """BunkerWeb bans an address for a day after ten responses that are bad in its eyes: 403 in HTML."""
    bad = frozenset({400, 401, 403, 404, 405, 429, 444})
    return await guarded(server, asked, proceed, 10, bad) or page(403, "Forbidden", "BunkerWeb")


@habit(verdict="not_demonstrated", starts=True)
async def ban_with_starts(server: Server, asked: Asked, proceed: Next) -> Answered:
    """A guard bans after five 401, while commands are started."""
    return await guarded(server, asked, proceed, 5, WRONG_KEY) or page(403, "Forbidden")


@habit(verdict="not_demonstrated")
async def wrong_base_url(_server: Server, _asked: Asked, _proceed: Next) -> Answered:
    """Another server: 404 in plain text for every path."""
    return text(404, "404 page not found\n")


@habit(verdict="not_demonstrated")
async def mistyped_key(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """No key is known here, and too many wrong ones would have their sender banned."""
    asked.headers["authorization"] = "Bearer hu_none"
    return await proceed(asked)


@habit(verdict="not_demonstrated", starts=True)
async def mistyped_key_with_starts(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """The same with --allow-exec."""
    asked.headers["authorization"] = "Bearer hu_none"
    return await proceed(asked)


@habit(verdict="not_demonstrated")
async def plain_http_to_a_tls_port(_server: Server, _asked: Asked, _proceed: Next) -> Answered:
    """nginx says 400 in HTML to whoever speaks HTTP on the port of HTTPS."""
    return page(400, "The plain HTTP request was sent to HTTPS port")


# --- frameworks


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


# --- transport


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


# --- commands


@habit(starts=True)
async def firewall_reads_commands(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """A firewall takes what a shell would run for an attack, and says 403 in HTML."""
    attack = re.search(rb"/etc/|/bin/|\$\(|`|;|\||&&|%0a|rm -", asked.body)
    return page(403, "Forbidden") if asked.method == "POST" and attack else await proceed(asked)


@habit(starts=True)
async def chunked_is_411(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """A front end wants to know the length of a body: 411 in HTML."""
    chunked = "transfer-encoding" in asked.headers
    return page(411, "Length Required") if chunked else await proceed(asked)


@habit(starts=True, deserves={"START-07": "documentation of the POST: 4096 characters, which may need 48 KiB as JSON"})
async def bodies_above_16_kib_are_413(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """A front end takes bodies of 16 KiB at most: 413 in HTML."""
    return page(413, "Request Entity Too Large") if len(asked.body) > 16384 else await proceed(asked)


@habit(starts=True)
async def starts_take_a_second(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """The host needs 0.7 s to hand a command to the agent."""
    answered = await proceed(asked)
    if answered.is_started:
        await asyncio.sleep(0.7)
    return answered


@habit(starts=True)
async def gateway_and_starts(server: Server, asked: Asked, proceed: Next) -> Answered:
    """A gateway adds its fields and a charset, compresses, and closes each fifth connection, starts included."""
    answered = await proceed(asked)
    content_type = next((value for name, value in answered.headers if name.lower() == "content-type"), None)
    if content_type:
        answered.header("Content-Type", f"{content_type}; charset=utf-8")
    add(answered, Via="1.1 gateway", X_Request_Id=str(uuid4()), Strict_Transport_Security="max-age=63072000")
    if (asked.method == "POST" and answered.status >= 400) or server.nth() % 5 == 0:
        add(answered, Connection="close")
    return answered


@habit(starts=True)
async def agent_is_busy_now_and_then(server: Server, asked: Asked, proceed: Next) -> Answered:
    """Each tenth start is 409, since the agent has another task."""
    proper = asked.method == "POST" and re.fullmatch(rb'\{"command": ".{1,4096}"\}', asked.body)
    if proper and asked.full and asked.own and server.nth("starts") % 10 == 0:
        return refusal(asked, 409, "vps_not_ready", "VPS not ready")
    return await proceed(asked)


@habit(starts=True)
async def unavailable_is_409(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """A start or a poll where the agent is not available is 409 vps_not_ready."""
    answered = await proceed(asked)
    if (
        asked.vps == UNAVAILABLE_VPS_ID
        and asked.full
        and (asked.method == "POST" or asked.pid)
        and answered.status >= 400
    ):
        return refusal(asked, 409, "vps_not_ready", "VPS not ready")
    return answered


@habit(starts=True)
async def spring_and_starts(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """Spring: 415 for a start without JSON, 400 with a problem for a body that cannot be read."""
    if asked.method == "POST" and "json" not in asked.headers.get("content-type", ""):
        return refusal(asked, 415, "invalid_request", "Unsupported media type")
    answered = await proceed(asked)
    if answered.is_problem:
        answered.change(timestamp=datetime.now(UTC).isoformat(timespec="microseconds"), extensions={"trace": "1"})
    return answered
