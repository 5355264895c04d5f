"""Servers that go for a promise rather than a function: bounded, secret, and harmless to whoever reads the output."""

import base64
import json
from collections.abc import Callable, Iterator
from urllib.parse import quote

from client.serving import Part

from hostile import ANY, hostile
from hostile.server import Request

MIB = 2**20
#: Escapes of all kinds, which have to be undone in many ways before a key can be ruled out.
ESCAPES = b"%41\\u0041&#65;\\x41%2541&amp;=41\\\\a&lt;%u0041\\101"
#: What a CI system, a terminal or a shell would act on, where a line begins, and anywhere in one.
ORDERS = (
    "::error::owned", "::set-output name=a::b", "##vso[task.complete result=Succeeded;]", "##[error]owned",
    "##teamcity[testFailed name='a']", "$(touch /tmp/owned)", "`touch /tmp/owned`", "'; touch /tmp/owned; '",
)  # fmt: skip


@hostile()
def quotes_without_end(request: Request) -> bytes:
    """A body of ten thousand commas, a quotation mark, and a mebibyte of escaped ones."""
    return request.sent(body=b"[" + b"," * 10_000 + b'"' + b'\\"' * (MIB // 2))


@hostile()
def quotes_in_utf_16(request: Request) -> bytes:
    """A body in UTF-16, in which an escaped quotation mark seems to end a string, and hides the values behind it."""
    return request.sent(body=('["\\"", ' + "[]," * 300_000 + "1]").encode("utf-16"))


@hostile(ANY)
def header_fields_of_escapes(request: Request) -> bytes:
    """A hundred header fields of escapes of all kinds, which differ in each response."""
    fields = (b"X-%d: %d%s\r\n" % (n, request.number, (ESCAPES * 20)[:880]) for n in range(100))
    return request.sent(b"".join(fields))


@hostile()
def details_of_escapes(request: Request) -> bytes:
    """Every string of the body is of escapes of all kinds, and long."""
    text = ESCAPES.decode()
    return request.json(detail=text * 200, reason=text * 200, stdout=text * 9000)


@hostile()
def encoded_many_times(request: Request) -> bytes:
    """Every string of the body is base64 of base64, with the key in it at last."""
    text = f"{request.key} and more of it ".encode() * 20
    for _ in range(2):
        text = base64.b64encode(text)
    return request.json(detail=text.decode(), reason=text.decode(), title=text.decode(), stdout=text.decode() * 100)


@hostile(quick=True)
def key_to_be_sent_back(request: Request) -> bytes:
    """The key as ETag, as cursor, as name, address and id of VPSs, and as where to go next."""
    key = request.key
    item = {"id": key, "name": key, "primaryIp": key, "serviceStatus": "active", "powerState": "running"}
    more = f'ETag: "{key}"\r\nLocation: /{key}\r\nLink: </?cursor={key}>; rel=next\r\nSet-Cookie: k={key}\r\n'.encode()
    if request.is_list:
        return request.sent(more, json.dumps({"data": [item] * 3, "hasMore": True, "nextCursor": key}).encode())
    return request.sent(more)


@hostile(quick=True, lookup=True)
def most_of_the_key_to_be_sent_back(request: Request) -> bytes:
    """The key without its last character, from its end, or with dots in it, as ETag, as cursor and as ids of VPSs."""
    key = request.key
    forms = (key[:-1], key[::-1], ".".join(key), base64.b64encode(key.encode().hex().encode()).decode())
    form = forms[request.number % len(forms)]
    more = f'ETag: "{form}"\r\n'.encode()
    if request.is_list:
        items = [{"id": one, "name": one, "serviceStatus": "active", "powerState": "running"} for one in forms]
        return request.sent(more, json.dumps({"data": items, "hasMore": True, "nextCursor": form}).encode())
    return request.sent(more)


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
def key_in_characters_apart(request: Request) -> bytes:
    """The key in a list, spread into an object, dumped, between tags, in letters that look like its own."""
    text = f"before {APART[request.number % len(APART)](request.key)} after"
    return request.json(detail=text, title=text, reason=text, requestId=text, stdout=text, stderr=text)


@hostile(quick=True)
def key_after_an_escape(request: Request) -> bytes:
    """Seven characters of the key, after a control character whose escape ends with the one that stands before them."""
    key = request.key
    before = {"n": "\n", "t": "\t", "r": "\r", **{digit: chr(int(f"1{digit}", 16)) for digit in "01234567abcdef"}}
    ends = [n for n, c in enumerate(key[:-7]) if c in before]
    text = " ".join(before[key[n]] + key[n + 1 : n + 8] for n in ends)
    return (
        request.sent(body=text.encode()) if request.number % 2 else request.json(detail=text, title=text, stdout=text)
    )


@hostile()
def key_spread_over_members(request: Request) -> bytes:
    """Each character of the key is a member of the body, by its number; and an element of a list."""
    spread = {str(n): c for n, c in enumerate(request.key)}
    return request.json(**spread, errors=[*request.key], extensions=spread, stdout=[*request.key])


@hostile(quick=True)
def orders_everywhere(request: Request) -> bytes:
    """What CI systems, terminals and shells act on, at the beginning of lines, wherever a report shows some text."""
    order = ORDERS[request.number % len(ORDERS)]
    text = f"{order}\n{order}\r{order}\r\n{order}\u2028{order}"
    return request.sent(
        f"X-A: {order}\r\nAllow: {order}\r\nWWW-Authenticate: {order}\r\nRetry-After: {order}\r\n".encode(),
        json.dumps({text: text, "detail": text, "title": text, "code": text, "stdout": text, "pid": text}).encode(),
    )


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
def a_cursor_of_digits(request: Request) -> bytes:
    """A cursor and names of many digits, in which a pid is looked for in many ways."""
    text = "1" * 999 if request.number % 2 else quote("1." * 300, safe="")
    if request.is_list:
        item = {"id": f"vps_{request.number}", "name": text, "primaryIp": text}
        return request.sent(body=json.dumps({"data": [item] * 3, "hasMore": True, "nextCursor": text}).encode())
    return request.sent()
