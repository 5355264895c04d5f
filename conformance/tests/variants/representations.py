"""Variants of media types, JSON and header fields."""

from __future__ import annotations

import json
import zlib
from datetime import UTC, datetime
from email.utils import format_datetime

from stage import Answered, Asked

from variants import allowed, is_ended


@allowed()
def problems_as_plain_json(_asked: Asked, answered: Answered) -> None:
    """Problems are application/json."""
    if answered.is_problem:
        answered.header("Content-Type", "application/json")


@allowed()
def charset_is_named(_asked: Asked, answered: Answered) -> None:
    """Every Content-Type has a charset, quoted and in capitals where that is allowed."""
    answered.headers = [
        (name, f'{value}; charset="UTF-8"' if name.lower() == "content-type" else value)
        for name, value in answered.headers
    ]


@allowed()
def media_type_in_capitals(_asked: Asked, answered: Answered) -> None:
    """The media type is written in mixed case."""
    answered.headers = [
        (name, value.title() if name.lower() == "content-type" else value) for name, value in answered.headers
    ]


@allowed()
def headers_in_capitals(_asked: Asked, answered: Answered) -> None:
    """The names of header fields are in capitals."""
    answered.headers = [(name.upper(), value) for name, value in answered.headers]


@allowed()
def pretty_json(_asked: Asked, answered: Answered) -> None:
    """JSON is indented, sorted, and ends in a newline."""
    if answered.json is not None:
        answered.body = json.dumps(answered.json, indent=4, sort_keys=True).replace("\n", "\r\n").encode() + b"\r\n"


@allowed()
def escaped_json(_asked: Asked, answered: Answered) -> None:
    """Every character of a string is escaped, solidus and surrogate pairs included."""
    if is_ended(answered):
        answered.change(stdout="å/😀\n")
    if answered.json is not None:
        answered.body = json.dumps(answered.json).replace("/", "\\/").encode()


@allowed()
def cookies_and_ids(asked: Asked, answered: Answered) -> None:
    """Responses have cookies, a request id, and header fields of gateways."""
    answered.headers += [
        ("Set-Cookie", f"__cf_bm=a.{asked.nth()}; Path=/; Secure; HttpOnly; SameSite=None"),
        ("X-Request-Id", f"req_{asked.nth():08}"),
        ("Server", "cloudflare"),
        ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),
        ("X-Content-Type-Options", "nosniff"),
        ("Vary", "Origin, Accept-Encoding"),
    ]


@allowed()
def etag(_asked: Asked, answered: Answered) -> None:
    """Successes have an ETag, and a private cache may keep them if it revalidates."""
    if answered.status == 200:
        answered.header("ETag", f'W/"{zlib.crc32(answered.body):x}"')
        answered.header("Cache-Control", "private, max-age=0, must-revalidate")


@allowed()
def no_word_of_caching(_asked: Asked, answered: Answered) -> None:
    """There is no Cache-Control."""
    answered.header("Cache-Control", None)


@allowed()
def cross_origin_for_all(asked: Asked, answered: Answered) -> None:
    """Any origin may read, without credentials; OPTIONS succeeds for all."""
    answered.header("Access-Control-Allow-Origin", "*")
    if asked.method == "OPTIONS":
        answered.become(204)
        answered.header("Access-Control-Allow-Methods", "GET, POST")
        answered.header("Access-Control-Allow-Origin", "*")


@allowed()
def date_header(_asked: Asked, answered: Answered) -> None:
    """Every response has a Date."""
    answered.header("Date", format_datetime(datetime.now(UTC), usegmt=True))


@allowed(warns={"AUTH-06"})
def no_challenge_at_all(_asked: Asked, answered: Answered) -> None:
    """A 401 has no WWW-Authenticate."""
    answered.header("WWW-Authenticate", None)


@allowed()
def several_challenges(asked: Asked, answered: Answered) -> None:
    """A 401 offers Basic too, and names the error if there was a key."""
    if answered.status == 401:
        wrong = ', error="invalid_token"' if "authorization" in asked.headers else ""
        answered.header("WWW-Authenticate", f'Basic realm="web", Bearer realm="api"{wrong}')


@allowed()
def validated_each_time(_asked: Asked, answered: Answered) -> None:
    """All may be kept by anybody, if the server is asked each time: some platforms have this by default."""
    answered.header("Cache-Control", "public, max-age=0, must-revalidate")


@allowed()
def shared_caches_ask_each_time(_asked: Asked, answered: Answered) -> None:
    """s-maxage=0 says the same to shared caches."""
    answered.header("Cache-Control", "max-age=0, s-maxage=0")


@allowed()
def numbers_have_a_fraction(_asked: Asked, answered: Answered) -> None:
    """The language knows floating-point numbers alone, and writes 0.0 for the exit code."""
    if is_ended(answered):
        answered.body = answered.body.replace(b'"exitCode":0', b'"exitCode":0.0')
