"""Servers that go for a promise rather than a function: bounded, secret, and harmless to whoever reads the output."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from urllib.parse import quote

from hostup_conformance.http.scripted import Part

from hostile import ANY, hostile
from hostile.server import KEEP, Request

MIB = 2**20
#: Escapes of all kinds, which have to be undone in many ways before a key can be ruled out.
ESCAPES = b"%41\\u0041&#65;\\x41%2541&amp;=41\\\\a&lt;%u0041\\101"
#: What a CI system, a terminal or a shell would act on, where a line begins, and anywhere in one.
ORDERS = (
    "::error::owned", "::set-output name=a::b", "##vso[task.complete result=Succeeded;]", "##[error]owned",
    "##teamcity[testFailed name='a']", "$(touch /tmp/owned)", "`touch /tmp/owned`", "'; touch /tmp/owned; '",
)  # fmt: skip


@hostile()
def quotes_without_end(request: Request) -> Iterator[Part]:
    """A body of ten thousand commas, a quotation mark, and a mebibyte of escaped ones."""
    yield request.sent(body=b"[" + b"," * 10_000 + b'"' + b'\\"' * (MIB // 2))
    yield KEEP


@hostile()
def quotes_in_utf_16(request: Request) -> Iterator[Part]:
    """A body in UTF-16, in which an escaped quotation mark seems to end a string, and hides the values behind it."""
    yield request.sent(body=('["\\"", ' + "[]," * 300_000 + "1]").encode("utf-16"))
    yield KEEP


@hostile(ANY)
def header_fields_of_escapes(request: Request) -> Iterator[Part]:
    """A hundred header fields of escapes of all kinds, which differ in each response."""
    fields = (b"X-%d: %d%s\r\n" % (n, request.number, (ESCAPES * 20)[:880]) for n in range(100))
    yield request.sent(b"".join(fields))
    yield KEEP


@hostile()
def details_of_escapes(request: Request) -> Iterator[Part]:
    """Every string of the body is of escapes of all kinds, and long."""
    yield request.json(detail=(ESCAPES * 200).decode(), reason=(ESCAPES * 200).decode(), stdout=ESCAPES.decode() * 9000)
    yield KEEP


@hostile()
def encoded_many_times(request: Request) -> Iterator[Part]:
    """Every string of the body is base64 of base64, with the key in it at last."""
    text = f"{request.key} and more of it ".encode() * 20
    for _ in range(2):
        text = base64.b64encode(text)
    yield request.json(detail=text.decode(), reason=text.decode(), title=text.decode(), stdout=text.decode() * 100)
    yield KEEP


@hostile(quick=True)
def key_to_be_sent_back(request: Request) -> Iterator[Part]:
    """The key as ETag, as cursor, as name, address and id of VPSs, and as where to go next."""
    key = request.key
    item = {"id": key, "name": key, "primaryIp": key, "serviceStatus": "active", "powerState": "running"}
    more = f'ETag: "{key}"\r\nLocation: /{key}\r\nLink: </?cursor={key}>; rel=next\r\nSet-Cookie: k={key}\r\n'.encode()
    if request.is_list:
        yield request.sent(more, json.dumps({"data": [item] * 3, "hasMore": True, "nextCursor": key}).encode())
    else:
        yield request.sent(more)
    yield KEEP


#: Ways in which an accident sets characters apart, or makes them look like others.
APART: tuple[Callable[[str], str], ...] = (
    lambda key: json.dumps([*key]),
    lambda key: json.dumps({str(n): c for n, c in enumerate(key)}),
    lambda key: " ".join(key.encode()[at : at + 2].hex() for at in range(0, len(key), 2)),
    lambda key: "\n".join(key.encode()[at : at + 4].hex() for at in range(0, len(key), 4)),
    lambda key: "".join(f"<b>{c}</b>" for c in key),
    lambda key: "".join(chr(ord(c) + 0xFEE0) for c in key),
    " ".join,
    lambda key: "\n".join(base64.b64encode(key.encode()).decode()[at : at + 8] for at in range(0, 48, 8)),
)


@hostile(quick=True)
def key_in_characters_apart(request: Request) -> Iterator[Part]:
    """The key in a list, spread into an object, dumped, between tags, in letters that look like its own."""
    text = f"before {APART[request.number % len(APART)](request.key)} after"
    yield request.json(detail=text, title=text, reason=text, requestId=text, stdout=text, stderr=text)
    yield KEEP


@hostile()
def key_spread_over_members(request: Request) -> Iterator[Part]:
    """Each character of the key is a member of the body, by its number; and an element of a list."""
    spread = {str(n): c for n, c in enumerate(request.key)}
    yield request.json(**spread, errors=[*request.key], extensions=spread, stdout=[*request.key])
    yield KEEP


@hostile(quick=True)
def orders_everywhere(request: Request) -> Iterator[Part]:
    """What CI systems, terminals and shells act on, at the beginning of lines, wherever a report shows some text."""
    order = ORDERS[request.number % len(ORDERS)]
    text = f"{order}\n{order}\r{order}\r\n{order}\u2028{order}"
    yield request.sent(
        f"X-A: {order}\r\nAllow: {order}\r\nWWW-Authenticate: {order}\r\nRetry-After: {order}\r\n".encode(),
        json.dumps({text: text, "detail": text, "title": text, "code": text, "stdout": text, "pid": text}).encode(),
    )
    yield KEEP


@hostile()
def orders_in_the_place_of_http(request: Request) -> Iterator[Part]:
    """The same in the place of a status line, of a header line, and of a chunk's size."""
    order = ORDERS[request.number % len(ORDERS)].encode()
    forms = (
        b"\r\n%s\r\n%s\r\n\r\n" % (order, order),
        b"HTTP/1.1 200 %s\r\n%s\r\n\r\n" % (order, order),
        request.good.lines + b"Transfer-Encoding: chunked\r\n\r\n" + order + b"\r\n",
    )
    yield forms[request.number % len(forms)]


@hostile(ANY)
def a_cursor_of_digits(request: Request) -> Iterator[Part]:
    """A cursor and names of many digits, in which a pid is looked for in many ways."""
    text = "1" * 999 if request.number % 2 else quote("1." * 300, safe="")
    if request.is_list:
        item = {"id": f"vps_{request.number}", "name": text, "primaryIp": text}
        yield request.sent(body=json.dumps({"data": [item] * 3, "hasMore": True, "nextCursor": text}).encode())
    else:
        yield request.sent()
    yield KEEP
