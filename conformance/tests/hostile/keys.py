"""Servers that give a key back: in every form, in every place."""

import base64
import html
import json
import re
from collections.abc import Callable, Iterator
from urllib.parse import quote

from client.serving import Part
from hostup_conformance.http.incoming import CRLF

from hostile import hostile
from hostile.server import Request

Form = Callable[[str], str]


def spelt(form: str) -> Form:
    return lambda key: "".join(form.format(ord(c)) for c in key)


FORMS: dict[str, Form] = {
    "raw": str,
    "upper": str.upper,
    "lower": str.lower,
    "hex": lambda key: key.encode().hex(),
    "upper hex": lambda key: key.encode().hex().upper(),
    **{
        f"base64 at {n}": lambda key, n=n: base64.b64encode(b"Bearer "[:n] + key.encode()).decode()  # type: ignore[misc]
        for n in range(3)
    },
    "urlsafe base64": lambda key: base64.urlsafe_b64encode(key.encode()).decode(),
    **{
        f"base32 at {n}": lambda key, n=n: base64.b32encode(b"Bearer "[:n] + key.encode()).decode()  # type: ignore[misc]
        for n in range(5)
    },
    "percent": spelt("%{:02X}"),
    "lower percent": spelt("%{:02x}"),
    "percent twice": lambda key: quote(quote(key, safe=""), safe=""),
    "JSON": lambda key: json.dumps(key)[1:-1].replace("/", "\\/"),
    "unicode": spelt("\\u{:04x}"),
    "upper unicode": spelt("\\u{:04X}"),
    "bytes": spelt("\\x{:02x}"),
    "octal": spelt("\\{:03o}"),
    "HTML": html.escape,
    "decimal": spelt("&#{};"),
    "entities": spelt("&#x{:X};"),
    "numbers": lambda key: ",".join(map(str, key.encode())),
    "numbers in lines": lambda key: ",\n  ".join(map(str, key.encode())),
    "numbers in C": lambda key: ", ".join(map(hex, key.encode())),
    "quoted-printable": spelt("={:02X}"),
    "CSS": spelt("\\{:x} "),
    "spaced": lambda key: re.sub("(.)", r"\1\0", key),
}


def in_turn(request: Request) -> str:
    """Return the key in another form for each request; forms of forms once each had its turn."""
    forms = list(FORMS.values())
    first, second = forms[request.number % len(forms)], forms[request.number // len(forms) % len(forms)]
    return second(first(request.key)) if request.number > len(forms) else first(request.key)


def line(text: str) -> bytes:
    """Return a text as it can stand in a header line."""
    return text.replace("\0", "").encode("latin-1", "replace")


@hostile(quick=True)
def key_in_a_header(request: Request) -> bytes:
    """The key in a header field value, in another form each time."""
    return request.sent(b"X-Key: " + line(in_turn(request)) + CRLF)


@hostile()
def key_as_a_header_name(request: Request) -> bytes:
    """The key as the name of a header field."""
    return request.sent(line(request.key) + b": a\r\n" + line(request.key.upper().replace("_", "-")) + b": b\r\n")


@hostile()
def key_in_the_reason(request: Request) -> Iterator[Part]:
    """The key in the reason phrase, and a status line that is none every other time."""
    status = b"2x0" if request.number % 2 else b"200"
    yield b"HTTP/1.1 " + status + b" " + line(in_turn(request)) + CRLF + request.sent().partition(CRLF)[2]


@hostile()
def key_in_a_broken_header(request: Request) -> Iterator[Part]:
    """The key in header lines that a library refuses, and quotes."""
    broken = (b"%s\r\n", b"X A: %s\r\n", b"\xff%s\r\n", b": %s\r\n", b"Content-Length: %s\r\n", b"X-A: %s\0\r\n")
    yield request.sent(broken[request.number % len(broken)] % line(in_turn(request)))


@hostile()
def key_as_a_chunk_size(request: Request) -> Iterator[Part]:
    """The key in the place of a chunk's size."""
    yield request.good.lines + b"Transfer-Encoding: chunked\r\n\r\n" + line(in_turn(request)) + b"\r\n{}\r\n0\r\n\r\n"


@hostile(quick=True)
def key_in_details(request: Request) -> bytes:
    """The key in every string of the body, in another form each time, at another place each time."""
    text = "x" * (request.number * 7 % 170) + in_turn(request) + " and more"
    return request.json(detail=text, title=text, reason=text, requestId=text, stdout=text, available=text)


@hostile(special_keys=True)
def special_key_in_details(request: Request) -> bytes:
    """A key of characters that need escapes, in every string of the body."""
    text = "x" * (request.number * 7 % 170) + in_turn(request) + " and more"
    return request.json(detail=text, title=text, reason=text, requestId=text, stdout=text, available=text)


@hostile()
def key_as_a_name(request: Request) -> bytes:
    """The key as the name of members, in every form."""
    return request.json(**{form(request.key): form(request.key) for form in FORMS.values()})


@hostile()
def key_after_the_json(request: Request) -> bytes:
    """The key after the JSON, where a message quotes what follows."""
    return request.sent(body=request.good.body + in_turn(request).encode())


@hostile()
def key_across_the_cut_of_a_body(request: Request) -> bytes:
    """The key around the 2000th character of a body, shifted by one each time."""
    head = b'{"available": "'
    filler = b"y" * (2000 - len(head) - request.number % 60)
    return request.sent(body=head + filler + in_turn(request).encode("latin-1") + b'"}')


@hostile()
def key_across_the_cut_of_a_finding(request: Request) -> bytes:
    """The key around the 157th character of a string, shifted by one each time."""
    text = "y" * (160 - request.number % 60) + in_turn(request)
    return request.json(available=text, exited=text, code=text, status=text, type=text)


@hostile()
def key_split_over_chunks(request: Request) -> Iterator[Part]:
    """The key in a body of chunks of three bytes."""
    body = json.dumps({"detail": in_turn(request)}).encode()
    yield request.good.lines + b"Transfer-Encoding: chunked\r\n\r\n"
    for at in range(0, len(body), 3):
        part = body[at : at + 3]
        yield b"%x\r\n%s\r\n" % (len(part), part)
    yield b"0\r\nX-Key: " + line(request.key) + b"\r\n\r\n"


@hostile()
def key_in_utf_16(request: Request) -> bytes:
    """The key in bodies in UTF-16, with and without a byte order mark."""
    return request.sent(
        body=json.dumps({"detail": request.key}).encode(("utf-16", "utf-16-le", "utf-16-be")[request.number % 3])
    )


@hostile()
def key_in_surplus(request: Request) -> bytes:
    """The key after the end of the response."""
    return request.sent() + in_turn(request).encode("latin-1")


@hostile()
def key_in_cookies_and_locations(request: Request) -> bytes:
    """The key in Set-Cookie, Location, Link, WWW-Authenticate and Content-Type."""
    text = line(in_turn(request))
    names = (b"Set-Cookie: k=", b"Location: https://evil.invalid/", b"Link: <", b"WWW-Authenticate: Bearer realm=",
             b"Content-Disposition: attachment; filename=", b"Retry-After: ", b"ETag: ", b"Allow: ")  # fmt: skip
    return request.sent(b"".join(name + text + CRLF for name in names))


@hostile(lookup=True)
def key_as_an_id(request: Request) -> bytes:
    """The list of VPSs has the key as an id, in several forms."""
    ids = [FORMS[name](request.key) for name in ("raw", "hex", "base64 at 0", "percent", "upper")]
    if request.is_list:
        return request.sent(body=json.dumps({"data": [{"id": id, "name": id} for id in ids]}).encode())
    return request.json(available=True, reason=request.key)


@hostile()
def key_in_a_coding(request: Request) -> bytes:
    """The key as the name of the content coding, and of the transfer coding."""
    return request.sent(b"Content-Encoding: " + line(request.key) + CRLF)


@hostile()
def pieces_of_the_key(request: Request) -> bytes:
    """The key but for its first or last four characters."""
    return request.json(
        detail=f"{request.key[4:]} {request.key[:-4]}", reason=request.key[2:-2], available=request.key[1:]
    )
