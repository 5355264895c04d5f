"""Variants of media types, JSON and header fields."""

import json
import zlib

from stage import Request, Response

from variants import allowed, is_ended


@allowed()
def problems_as_plain_json(_request: Request, response: Response) -> None:
    """Problems are application/json."""
    if response.is_problem:
        response.header("Content-Type", "application/json")


@allowed()
def charset_is_named(_request: Request, response: Response) -> None:
    """Every Content-Type has a charset, quoted and in capitals where that is allowed."""
    response.headers = [
        (name, f'{value}; charset="UTF-8"' if name.lower() == "content-type" else value)
        for name, value in response.headers
    ]


@allowed()
def media_type_in_capitals(_request: Request, response: Response) -> None:
    """The media type is written in mixed case."""
    response.headers = [
        (name, value.title() if name.lower() == "content-type" else value) for name, value in response.headers
    ]


@allowed()
def headers_in_capitals(_request: Request, response: Response) -> None:
    """The names of header fields are in capitals."""
    response.headers = [(name.upper(), value) for name, value in response.headers]


@allowed()
def pretty_json(_request: Request, response: Response) -> None:
    """JSON is indented, sorted, and ends in a newline."""
    if response.json is not None:
        response.body = json.dumps(response.json, indent=4, sort_keys=True).replace("\n", "\r\n").encode() + b"\r\n"


@allowed()
def escaped_json(_request: Request, response: Response) -> None:
    """Every character of a string is escaped, solidus and surrogate pairs included."""
    if is_ended(response):
        response.change(stdout="å/😀\n")
    if response.json is not None:
        response.body = json.dumps(response.json).replace("/", "\\/").encode()


@allowed()
def cookies_and_ids(request: Request, response: Response) -> None:
    """Responses have cookies, a request id, and header fields of gateways."""
    response.headers += [
        ("Set-Cookie", f"__cf_bm=a.{request.nth()}; Path=/; Secure; HttpOnly; SameSite=None"),
        ("X-Request-Id", f"req_{request.nth():08}"),
        ("Server", "cloudflare"),
        ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),
        ("X-Content-Type-Options", "nosniff"),
        ("Vary", "Origin, Accept-Encoding"),
    ]


@allowed()
def etag(_request: Request, response: Response) -> None:
    """Successes have an ETag, and a private cache may keep them if it revalidates."""
    if response.status == 200:
        response.header("ETag", f'W/"{zlib.crc32(response.body):x}"')
        response.header("Cache-Control", "private, max-age=0, must-revalidate")


@allowed()
def no_word_of_caching(_request: Request, response: Response) -> None:
    """There is no Cache-Control."""
    response.header("Cache-Control", None)


@allowed()
def cross_origin_for_all(request: Request, response: Response) -> None:
    """Any origin may read, without credentials; OPTIONS succeeds for all."""
    response.header("Access-Control-Allow-Origin", "*")
    if request.method == "OPTIONS":
        response.become(204)
        response.header("Access-Control-Allow-Methods", "GET, POST")
        response.header("Access-Control-Allow-Origin", "*")


@allowed(warns={"AUTH-06"})
def no_challenge_at_all(_request: Request, response: Response) -> None:
    """A 401 has no WWW-Authenticate."""
    response.header("WWW-Authenticate", None)


@allowed()
def several_challenges(request: Request, response: Response) -> None:
    """A 401 offers Basic too, and names the error if there was a key."""
    if response.status == 401:
        wrong = ', error="invalid_token"' if "authorization" in request.headers else ""
        response.header("WWW-Authenticate", f'Basic realm="web", Bearer realm="api"{wrong}')


@allowed()
def validated_each_time(_request: Request, response: Response) -> None:
    """All may be kept by anybody, if the server is asked each time: some platforms have this by default."""
    response.header("Cache-Control", "public, max-age=0, must-revalidate")


@allowed()
def proxies_say_what_they_did(request: Request, response: Response) -> None:
    """A proxy says that it passed each request on, and of the list that its copy was validated."""
    validated = request.path.endswith("/vps") and response.status == 200
    response.header("Age", "4" if validated else "0")
    response.header("Cache-Status", "edge.example; fwd=bypass; fwd-status=200")
    response.header("Cache-Control", "max-age=0, must-revalidate" if validated else None)


@allowed()
def shared_caches_ask_each_time(_request: Request, response: Response) -> None:
    """s-maxage=0 says the same to shared caches."""
    response.header("Cache-Control", "max-age=0, s-maxage=0")


@allowed()
def numbers_have_a_fraction(_request: Request, response: Response) -> None:
    """The language knows floating-point numbers alone, and writes 0.0 for the exit code."""
    if is_ended(response):
        response.body = response.body.replace(b'"exitCode":0', b'"exitCode":0.0')
