"""Habits of what stands in between: gateways, load balancers, access proxies, firewalls."""

from __future__ import annotations

import asyncio
import gzip
import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import quote, unquote
from uuid import uuid4

from stage import Request, Response

from deployments.habits import Next, Server, add, habit, is_endpoint, is_odd, page, refusal, text


@habit(verdict="not_demonstrated")
async def access_proxy(_server: Server, _request: Request, _proceed: Next) -> Response:
    """Everything is a redirect to a login page, as with a preview deployment."""
    response = text(302, "")
    response.headers = [("Location", "https://login.example/authorize?client_id=1&redirect_uri=x"),
                        ("Set-Cookie", "CF_AppSession=1; Path=/; Secure; HttpOnly")]  # fmt: skip
    return response


@habit(verdict="not_demonstrated")
async def login_page(_server: Server, _request: Request, _proceed: Next) -> Response:
    """Everything is 200 with a login page in HTML."""
    return text(200, "<!doctype html><title>Sign in</title><form method=post><input name=user></form>", "text/html")


@habit(verdict="not_demonstrated")
async def basic_auth_in_front(_server: Server, _request: Request, _proceed: Next) -> Response:
    """A staging host wants a password of its own: 401 with Basic for everything."""
    response = page(401, "Authorization Required")
    response.header("WWW-Authenticate", 'Basic realm="staging"')
    return response


@habit(verdict="not_demonstrated")
async def bot_challenge(_server: Server, _request: Request, _proceed: Next) -> Response:
    """Everything is 403 with a challenge for browsers."""
    response = text(403, "<!DOCTYPE html><title>Just a moment...</title>", "text/html; charset=UTF-8")
    response.headers += [("Cf-Mitigated", "challenge"), ("Server", "cloudflare")]
    return response


@habit()
async def web_firewall(_server: Server, request: Request, proceed: Next) -> Response:
    """403 in HTML for what looks like an attack in path or query, and for integers that overflow."""
    sent = unquote(f"{request.path}?{request.query}", errors="replace")
    if re.search(r"'|\x00|\.\./|\bOR\b.*=|\{|2147483647|4294967|\ufffd", sent) or len(sent) > 1024:
        return page(403, "Forbidden")
    return await proceed(request)


@habit()
async def gateway_of_routes(_server: Server, request: Request, proceed: Next) -> Response:
    """A cloud's gateway knows its routes alone: the rest is 403 with a message, whatever the method."""
    known = is_endpoint(request) and request.method in {"GET", "POST"}
    response = (
        await proceed(request)
        if known and not is_odd(request)
        else text(403, '{"message": "Missing Authentication Token"}', "application/json")
    )
    response.headers += [("x-amzn-RequestId", "7f1c"), ("x-amz-apigw-id", "Zx1="), ("X-Amzn-Trace-Id", "Root=1-6")]
    return response


@habit()
async def gateway_of_kong(_server: Server, request: Request, proceed: Next) -> Response:
    """Kong: HTML for an encoded NUL, JSON with a message for what no route matches."""
    if "%00" in request.path:
        return page(400, "Bad Request", "openresty")
    if not request.path.startswith("/api/v2/"):
        return text(
            404, '{"message":"no Route matched with those values","request_id":"1"}', "application/json; charset=utf-8"
        )
    response = await proceed(request)
    response.header("Via", "1.1 kong/3.9.0")
    return response


@habit()
async def gateway_of_traefik(_server: Server, request: Request, proceed: Next) -> Response:
    """Traefik: encoded slashes and the like are 400 without a body, unknown paths plain text."""
    if re.search(r"%(2f|5c|00|3b|25|3f|23)", request.path, re.IGNORECASE):
        return text(400, "")
    return await proceed(request) if request.path.startswith("/api/v2/") else text(404, "404 page not found\n")


@habit()
async def gateway_of_envoy(_server: Server, request: Request, proceed: Next) -> Response:
    """Envoy: escaped slashes are redirected to the path with them unescaped, dot segments and double slashes merge."""
    if re.search(r"%(2f|5c)", request.path, re.IGNORECASE):
        response = text(307, "")
        response.header("Location", re.sub(r"%2f", "/", request.path, flags=re.IGNORECASE))
        return response
    response = await proceed(request)
    response.headers += [("Server", "envoy"), ("X-Envoy-Upstream-Service-Time", "2")]
    return response


@habit()
async def cdn_in_front(server: Server, request: Request, proceed: Next) -> Response:
    """A CDN adds its fields, a cookie, and a coding where one is accepted."""
    response = await proceed(request)
    if "gzip" in request.headers.get("accept-encoding", "") and response.body and request.method == "GET":
        response.body = gzip.compress(response.body)
        response.header("Content-Encoding", "gzip")
    response.headers += [
        ("Date", format_datetime(datetime.now(UTC), usegmt=True)), ("Server", "cloudflare"),
        ("CF-RAY", f"9f{server.nth():012x}-ARN"), ("cf-cache-status", "DYNAMIC"), ("alt-svc", 'h3=":443"; ma=86400'),
        ("NEL", '{"success_fraction":0,"report_to":"cf-nel","max_age":604800}'), ("Vary", "accept-encoding"),
        ("Report-To", '{"endpoints":[{"url":"https://a.nel.example/"}],"group":"cf-nel","max_age":604800}'),
        ("Set-Cookie", "__cf_bm=x; path=/; HttpOnly; Secure; SameSite=None"),
    ]  # fmt: skip
    return response


@habit()
async def paths_are_normalized(_server: Server, request: Request, proceed: Next) -> Response:
    """The path is decoded, and dot segments and empty ones are taken out, before it is routed."""
    path = unquote(request.path, errors="surrogateescape")
    if path.count("/") != request.path.count("/") or "/." in path or "//" in path:
        parts: list[str] = []
        for part in path.split("/"):
            if part == "..":
                parts[-1:] = []
            elif part not in {"", "."}:
                parts.append(part)
        request.path = "/" + "/".join(quote(part, errors="surrogateescape") for part in parts)
    return await proceed(request)


@habit(deserves={"HTTP-20": "RFC 9112 section 3: a long request line gets 414"})
async def long_lines_are_cut_off(_server: Server, request: Request, proceed: Next) -> Response:
    """A request line of more than 4 KiB ends the connection without a response."""
    response = await proceed(request)
    if len(request.path) + len(request.query) > 4000:
        response.raw = []
    return response


@habit()
async def long_lines_are_414(_server: Server, request: Request, proceed: Next) -> Response:
    """A request line of more than a KiB is 414 in HTML."""
    return page(414, "URI Too Long") if len(request.path) + len(request.query) > 1024 else await proceed(request)


@habit()
async def wants_json_accepted(_server: Server, request: Request, proceed: Next) -> Response:
    """406 for whoever does not accept JSON, 403 for whoever names no User-Agent."""
    accept = request.headers.get("accept", "")
    if "json" not in accept and "*/*" not in accept:
        return page(406, "Not Acceptable")
    return await proceed(request) if request.headers.get("user-agent") else page(403, "Forbidden")


NO_CHALLENGE = {"AUTH-06": "RFC 6750 section 3: a 401 has WWW-Authenticate, which this gateway renames"}


@habit(deserves=NO_CHALLENGE)
async def aws_rest_api(_server: Server, request: Request, proceed: Next) -> Response:
    """API Gateway's REST APIs: WWW-Authenticate and Date are renamed, unknown routes are 403."""
    if not is_endpoint(request) or is_odd(request) or request.method not in {"GET", "POST"}:
        return add(
            text(403, '{"message":"Missing Authentication Token"}', "application/json"),
            x_amzn_RequestId=str(uuid4()), x_amzn_ErrorType="MissingAuthenticationTokenException",
        )  # fmt: skip
    response = await proceed(request)
    response.headers = [
        (f"x-amzn-Remapped-{name}" if name.lower() in {"www-authenticate", "date", "server"} else name, value)
        for name, value in response.headers
    ]
    return add(response, x_amzn_RequestId=str(uuid4()), x_amz_apigw_id="ZxQ1HE4tIAMFm7w=", X_Amzn_Trace_Id="Root=1-66")


@habit()
async def aws_http_api(_server: Server, request: Request, proceed: Next) -> Response:
    """API Gateway's HTTP APIs: names of header fields in lower case, 404 with a message for what no route matches."""
    known = is_endpoint(request) and not is_odd(request) and request.method in {"GET", "POST"}
    response = await proceed(request) if known else text(404, '{"message":"Not Found"}', "application/json")
    response.headers = [(name.lower(), value) for name, value in response.headers]
    return add(response, apigw_requestid="ZxQ1Hj1pIAMEMMQ=")


@habit()
async def aws_load_balancer(server: Server, request: Request, proceed: Next) -> Response:
    """An ALB: two cookies on every response, and 400 or 414 in HTML of its own."""
    if len(request.path) + len(request.query) > 2000:
        return page(414, "Request-URI Too Large", "awselb/2.0")
    if request.method == "TRACE" or "%00" in request.path:
        return page(400 if "%00" in request.path else 405, "Bad Request", "awselb/2.0")
    response = await proceed(request)
    expires = (datetime.now(UTC) + timedelta(days=7)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    cookie = f"{server.nth():064x}; Expires={expires}; Path=/"
    response.headers += [
        ("Set-Cookie", f"AWSALB={cookie}"),
        ("Set-Cookie", f"AWSALBCORS={cookie}; SameSite=None; Secure"),
    ]
    return response


@habit()
async def cloudfront(server: Server, request: Request, proceed: Next) -> Response:
    """A CDN that says which caches it request, refuses a GET with a body, and knows two methods alone."""
    blocked = request.method not in {"GET", "HEAD", "POST", "OPTIONS"} or (request.method == "GET" and request.body)
    if blocked:
        return add(
            page(403, "ERROR: The request could not be satisfied", "CloudFront"), X_Cache="Error from cloudfront"
        )
    response = await proceed(request)
    cache = "Error from cloudfront" if response.status >= 400 else "Miss from cloudfront"
    return add(response, X_Cache=cache, Via="1.1 9f1c.cloudfront.net (CloudFront)", X_Amz_Cf_Pop="ARN56-P1",
               X_Amz_Cf_Id=f"{server.nth():040x}==")  # fmt: skip


@habit()
async def google_front_end(_server: Server, request: Request, proceed: Next) -> Response:
    """Google's load balancers: a GET with a body is 400 in HTML, and HTTP/3 is offered."""
    if request.method in {"GET", "HEAD"} and request.body:
        body = "<!DOCTYPE html><html lang=en><title>Error 400 (Bad Request)!!1</title>"
        return text(400, body, "text/html; charset=UTF-8")
    response = await proceed(request)
    response.header("Server", "Google Frontend")
    return add(response, Via="1.1 google", Alt_Svc='h3=":443"; ma=2592000,h3-29=":443"; ma=2592000',
               X_Cloud_Trace_Context="105445aa7843bc8bf206b12000100000/1;o=1")  # fmt: skip


@habit()
async def azure_front_door(_server: Server, request: Request, proceed: Next) -> Response:
    """Azure: a charset on all JSON, and API Management's own JSON for what no operation matches."""
    if not is_endpoint(request) or is_odd(request) or request.method not in {"GET", "POST", "HEAD", "OPTIONS"}:
        return text(404, '{ "statusCode": 404, "message": "Resource not found" }', "application/json")
    response = await proceed(request)
    response.headers = [
        (name, f"{value};charset=UTF-8" if name.lower() == "content-type" else value)
        for name, value in response.headers
    ]
    return add(
        response, X_Azure_Ref="20260427T123456Z-r1b2", X_Cache="CONFIG_NOCACHE", Request_Context="appId=cid-v1:1"
    )


@habit()
async def cors_is_added_twice(_server: Server, request: Request, proceed: Next) -> Response:
    """The gateway and the application both add what each thinks it alone adds: Vary, CORS, HSTS, Date."""
    response = await proceed(request)
    twice = [
        ("Access-Control-Allow-Origin", "*"), ("Vary", "Origin"), ("X-Content-Type-Options", "nosniff"),
        ("Strict-Transport-Security", "max-age=63072000"), ("Via", "1.1 gateway"),
        ("Date", datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")),
    ]  # fmt: skip
    response.headers = [pair for pair in response.headers if pair[0].lower() != "date"] + twice + twice
    return response


@habit()
async def trailing_slash_308(_server: Server, request: Request, proceed: Next) -> Response:
    """A trailing slash, an empty segment, or a letter that need not be encoded is redirected to the clean path."""
    clean = re.sub("/{2,}", "/", request.path).rstrip("/").replace("%65", "e")
    if clean == request.path:
        return await proceed(request)
    response = text(308, "")
    response.header("Location", clean + (f"?{request.query}" if request.query else ""))
    return response


@habit()
async def preflight_for_all(_server: Server, request: Request, proceed: Next) -> Response:
    """OPTIONS is 200 with a text, with and without a key; all else may be read by any origin."""
    response = text(200, "OK") if request.method == "OPTIONS" else await proceed(request)
    return add(response, Access_Control_Allow_Origin="*", Access_Control_Allow_Headers="authorization, content-type",
               Access_Control_Allow_Methods="GET,HEAD,PUT,PATCH,POST,DELETE",
               Access_Control_Expose_Headers="Retry-After, X-RateLimit-Limit, X-RateLimit-Remaining")  # fmt: skip


@habit()
async def key_before_routes(_server: Server, request: Request, proceed: Next) -> Response:
    """Without a valid key everything is 401, whatever the path and the method."""
    response = await proceed(request)
    if response.status in {404, 405} and not (request.full or request.reading):
        response = refusal(request, 401, "unauthorized", "Unauthorized")
        response.header("WWW-Authenticate", 'Bearer realm="api"')
    return response


def invalid(request: Request, pointer: str, detail: str) -> Response:
    """Return the 400 for a parameter."""
    response = refusal(request, 400, "invalid_request", "Invalid request")
    response.change(errors=[{"pointer": pointer, "detail": detail, "code": "invalid_request"}])
    return response


@habit()
async def input_before_key(_server: Server, request: Request, proceed: Next) -> Response:
    """A pid that is no integer is 400 before anybody looks at the key, as where a schema validates the request."""
    if is_endpoint(request) and request.method == "GET" and request.pid and not re.fullmatch(r"-?[0-9]+", request.pid):
        return invalid(request, "/pid", "It is no integer.")
    return await proceed(request)


@habit()
async def unknown_parameters_are_400(_server: Server, request: Request, proceed: Next) -> Response:
    """A parameter that is not documented is 400, as with a schema that allows no others."""
    names = {part.partition("=")[0] for part in request.query.split("&")} - {"", "pid"}
    if names and request.path.endswith("/agent/exec") and request.full:
        return invalid(request, "/query", "Unknown parameter.")
    return await proceed(request)


@habit()
async def wrong_keys_are_slow(_server: Server, request: Request, proceed: Next) -> Response:
    """A 401 takes 700 ms, against guessing."""
    response = await proceed(request)
    if response.status == 401:
        await asyncio.sleep(0.7)
    return response
