"""Texts that are meant for who reads the report, or for what reads it."""

import json
from typing import Any

from hostile import ANY, hostile
from hostile.server import Request

SCRIPT = "</script></style><script>alert(1)</script><img src=x onerror=alert(1)><svg/onload=alert(1)>\"' onclick='x"
TERMINAL = "\x1b[2J\x1b]0;owned\x07\x1b]8;;http://evil.invalid\x1b\\\x9b31m\r\x08\x08\x7f"
BIDI = "‮txet live‬⁦⁧؜‏​﻿\u2028\u2029"
FORMULA = "=cmd|' /C calc'!A0\t+1@SUM(1)"
TEMPLATE = "{{7*7}} ${7*7} #{7*7} {% raw %} %(x)s {0} %n%s"
MARKDOWN = "| a | b |\n|---|\n```\n# [x](javascript:alert(1)) <b>\n::error::owned\n::set-output name=a::b"
XML = "]]><!ENTITY x SYSTEM 'file:///etc/passwd'>&x;<failure/>\x00\x0b\ufffe"
EVIL = {
    "script": SCRIPT, "terminal": TERMINAL, "bidi": BIDI, "formula": FORMULA, "template": TEMPLATE,
    "markdown": MARKDOWN, "xml": XML, "word": "W" * 30_000, "lines": "\n" * 5000, "NUL": "a\0b",
}  # fmt: skip


def everywhere(value: Any, text: str) -> Any:
    """Return JSON with a text in the place of each string, and as a name."""
    if isinstance(value, dict):
        return {name: everywhere(member, text) for name, member in value.items()} | {text: text}
    return text if isinstance(value, str) else value


def evil(request: Request, text: str) -> bytes:
    """Return the response with a text wherever a report shows some."""
    line = "".join(c for c in text if c not in "\r\n\0").encode("utf-8", "surrogatepass")[:2000]
    head = b"X-Evil: %s\r\nLocation: %s\r\nWWW-Authenticate: %s\r\nAllow: %s\r\n" % (line, line, line, line)
    body = everywhere(request.good.json if request.good.json is not None else {}, text)
    return request.sent(head, json.dumps(body, ensure_ascii=text.isascii()).encode("utf-8", "surrogatepass"))


@hostile(quick=True)
def script_everywhere(request: Request) -> bytes:
    """HTML and scripts in every name, string and header field."""
    return evil(request, SCRIPT)


@hostile()
def evil_in_turn(request: Request) -> bytes:
    """Each response with another kind: scripts, bidirectional controls, formulas, templates, Markdown, XML, long."""
    return evil(request, list(EVIL.values())[request.number % len(EVIL)])


@hostile()
def evil_in_the_types(request: Request) -> bytes:
    """Objects of evil where booleans and numbers should be."""
    members = dict.fromkeys(("available", "exited", "exitCode", "status", "pid", "data", "code"), EVIL)
    return request.json(**members)


@hostile(quick=True)
def stack_trace_that_backtracks(request: Request) -> bytes:
    """`at a(a/` for 10 KB in every detail: patterns for stack traces may take for ever."""
    return request.json(detail="at a(a/" * 1500, reason="at a(a/" * 1500)


@hostile()
def sixty_thousand_newlines(request: Request) -> bytes:
    """60,000 newlines in every detail."""
    return request.json(detail="\n" * 60_000, title="\\n" * 60_000)


@hostile(ANY)
def almost_a_query(request: Request) -> bytes:
    """SELECT, for 200 KB, and never FROM; and names of exceptions that do not end."""
    return request.json(detail="SELECT " * 30_000, title="java." * 40_000, instance="/home/" * 30_000)


@hostile()
def almost_an_address(request: Request) -> bytes:
    """Digits, dots, slashes, colons and signs by the 100,000, where times, URLs and media types are read."""
    return request.json(
        timestamp="0" * 100_000, type="https://" + "a." * 50_000, instance="%" * 100_000, code="_" * 100_000
    )


@hostile()
def content_type_of_all_kinds(request: Request) -> bytes:
    """Content-Type says charset=../../etc/passwd, and 10 KB of parameters."""
    request.good.headers = [pair for pair in request.good.headers if pair[0] != "Content-Type"]
    return request.sent(b"Content-Type: application/json; charset=../../etc/passwd" + b";a=b" * 2500 + b"\r\n")


@hostile()
def unknown_charset(request: Request) -> bytes:
    """Content-Type names the charsets rot13 and idna, which Python knows and no text is in."""
    request.good.headers = [pair for pair in request.good.headers if pair[0] != "Content-Type"]
    return request.sent(b"Content-Type: application/json; charset=%s\r\n" % (b"rot13", b"idna")[request.number % 2])
