"""Habits of what stands in between: gateways, load balancers, access proxies, firewalls."""

import asyncio
import re
from datetime import UTC, datetime
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
async def cloudfront(server: Server, request: Request, proceed: Next) -> Response:
    """A CDN that says which caches it asked, refuses a GET with a body, and knows two methods alone."""
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
