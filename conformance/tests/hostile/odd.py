"""What libraries have stumbled over: header fields that linters parse, numbers, dates, codings, cursors, odd text."""

import gzip
import json
import zlib
from collections.abc import Iterator

from client.serving import Part
from hostup_conformance.http.incoming import CRLF

from hostile import ANY, hostile
from hostile.server import Request

#: Header fields whose values are numbers, dates, structured fields, JSON, lists or addresses.
FIELDS = (
    *(b"Accept-CH", b"Accept-Patch", b"Accept-Ranges", b"Age", b"Allow", b"Alt-Svc", b"Cache-Control", b"Cache-Status"),
    *(b"Content-Digest", b"Content-Disposition", b"Content-Language", b"Content-Location", b"Content-Range", b"Date"),
    *(b"Clear-Site-Data", b"Content-Security-Policy", b"Deprecation", b"ETag", b"Expires", b"Keep-Alive"),
    *(b"Last-Modified", b"Link", b"Location", b"NEL", b"Origin-Agent-Cluster", b"P3P", b"Permissions-Policy"),
    *(b"Pragma", b"Proxy-Authenticate", b"Referrer-Policy", b"Refresh", b"Report-To", b"Reporting-Endpoints"),
    *(b"Retry-After", b"Server", b"Server-Timing", b"Set-Cookie", b"SourceMap", b"Strict-Transport-Security"),
    *(b"Sunset", b"TE", b"Trailer", b"Upgrade", b"Vary", b"Via", b"Want-Content-Digest", b"Warning"),
    *(b"WWW-Authenticate", b"X-Content-Type-Options", b"X-RateLimit-Limit", b"X-RateLimit-Remaining"),
    *(b"X-RateLimit-Reset", b"X-XSS-Protection"),
)  # fmt: skip
#: What stands in them in turn.
VALUES = (
    b"9" * 5000, b"-1", b"1e999", b"NaN", "１".encode(), b"", b",", b";", b"=", b'"', b'"\\', b"(", b"((((", b"?1",
    b":a:", b"@99999999999999999999", b"%", b"\xff\xfe", b"\t \t", b"{", b'{"a":' * 50, b"<", b"<>;=",
    b"a=b;c", b"a" * 3000,
    b"max-age=" + b"9" * 5000, b"a; Max-Age=" + b"9" * 5000, b"a; Expires=Fri, 31 Dec 99999 23:59:59 GMT",
    b"bytes 9-1/0", b"h3=\":99999999\"; ma=" + b"9" * 5000, b"http://[", b"http://[::1]:99999/", b"//\xff", b"1.1 \x80",
)  # fmt: skip
DATES = (
    b"Fri, 31 Dec 9999 23:59:59 -2359", b"Mon, 01 Jan 0001 00:00:00 +2359", b"Thu, 01 Jan 1970 00:00:00 +999999999999",
    b"Sun, 06 Nov 99999999 08:49:37 GMT", b"Sun, 06 Nov 1994 08:49:60 GMT", b"Sun, 31 Feb 2026 08:49:37 GMT",
    b"Sunday, 06-Nov-00 08:49:37 GMT", b"Sun Nov  6 25:61:61 1994", b"Sun, 06 Nov -1994 08:49:37 GMT", b"Sun, , ,",
    b"0", b"-62135596801", b"99999999999999", b"2026-02-30T25:61:61Z", b"0000-00-00T00:00:00Z",
    b"9999-12-31T23:59:59-23:59",
)  # fmt: skip


@hostile(ANY)
def odd_values_in_fields_that_are_parsed(request: Request) -> bytes:
    """Every header field that somebody parses, with another odd value in each response."""
    fields = (name + b": " + VALUES[(request.number + n) % len(VALUES)] + CRLF for n, name in enumerate(FIELDS))
    return request.sent(b"".join(fields))


@hostile(ANY)
def odd_dates_in_all_fields(request: Request) -> bytes:
    """Dates that no calendar or no library has, in every header field that holds one."""
    request.good.headers = [pair for pair in request.good.headers if pair[0] != "Date"]
    names = (b"Date", b"Expires", b"Last-Modified", b"Retry-After", b"Sunset", b"Deprecation", b"X-RateLimit-Reset")
    return request.sent(
        b"".join(n + b": " + DATES[(request.number + i) % len(DATES)] + CRLF for i, n in enumerate(names))
    )


@hostile()
def odd_bytes_in_header_names(request: Request) -> Iterator[Part]:
    """Names of header fields that are none: with bytes above ASCII, controls, blanks, quotes, or 60 KB of letters."""
    names = (b"X-\xff", b"X\x7fA", b"\x00", b'"X"', b"X{}", b"\xf0\x9f\x98\x80", b"X" * 60_000, b"\tX", b"(X)")
    yield request.sent(names[request.number % len(names)] + b": a\r\n")


@hostile(ANY)
def content_after_the_last_response(request: Request) -> Iterator[Part]:
    """Connection: close, and then the connection stays open and goes on for a while."""
    yield request.sent(b"Connection: close\r\n")
    for _ in range(10):
        yield 0.5
        yield b"more"


@hostile()
def gzip_of_a_hundred_thousand_members(request: Request) -> Iterator[Part]:
    """Empty members of gzip by the hundred thousand: 2 MB that say nothing."""
    yield request.sent(b"Content-Encoding: gzip\r\n", gzip.compress(b"") * 100_000)


@hostile()
def codings_in_turn(request: Request) -> bytes:
    """Lists of codings, two header fields of them, deflate without its header, zstd, aes128gcm, and quotes."""
    body = request.good.body
    raw = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    turns = (
        (b"Content-Encoding: gzip, identity\r\n", gzip.compress(body)),
        (b"Content-Encoding: identity\r\nContent-Encoding: gzip\r\n", gzip.compress(body)),
        (b"Content-Encoding: deflate\r\n", raw.compress(body) + raw.flush()),
        (b"Content-Encoding: zstd\r\n", b"\x28\xb5\x2f\xfd\x04\x00\xff\xff"),
        (b"Content-Encoding: aes128gcm\r\n", body),
        (b'Content-Encoding: "gzip"\r\n', gzip.compress(body)),
        (b"Content-Encoding: " + b"," * 5000 + b"\r\n", body),
        (b"Content-Encoding: dcb\r\nTransfer-Encoding: gzip\r\n", body),
    )
    return request.sent(*turns[request.number % len(turns)])


@hostile()
def trailers_that_contradict(request: Request) -> Iterator[Part]:
    """Content-Length, Transfer-Encoding, Authorization and a status line in the trailer section."""
    body = request.good.body or b"{}"
    yield request.good.lines + b"Transfer-Encoding: chunked\r\nTrailer: Content-Length\r\n\r\n"
    yield b"%x\r\n%s\r\n0\r\nContent-Length: 1\r\nTransfer-Encoding: gzip\r\nAuthorization: Bearer %s\r\n" % (
        len(body), body, request.key.encode("latin-1", "replace")
    )  # fmt: skip
    yield b"HTTP/1.1 200 OK\r\n\r\n"


@hostile(ANY, lookup=True)
def cursors_of_all_kinds(request: Request) -> bytes:
    """The next cursor of the list is an object, a number, 100 KB, another request, a path, or the key."""
    smuggled = "\r\nX-A: b\r\n\r\nDELETE / HTTP/1.1\r\n\r\n"
    kinds: tuple[object, ...] = ({"a": []}, 1e999, "c" * 100_000, smuggled, "../../x?y#z", request.key, "\ud800", "", 0,
                                 True, [["a"]], "%0d%0a", "\x00", "🚀&limit=-1")  # fmt: skip
    if request.is_list:
        return request.json(hasMore=True, nextCursor=kinds[request.number % len(kinds)])
    return request.sent()


@hostile(ANY, lookup=True)
def ids_of_all_kinds(request: Request) -> bytes:
    """The ids in the list are objects, numbers, paths, requests, NULs, 100 KB, and the key in the place of one."""
    ids: tuple[object, ...] = ({}, [1], 1.5, None, True, "", "/", "..", "a/../../b", "x\r\nX: y", "\x00", "é", "\udc80",
                               "i" * 100_000, "?pid=1", "#", "%2e%2e", request.key, "vps 1", "\u202e")  # fmt: skip
    if request.is_list:
        return request.sent(body=json.dumps({"data": [{"id": id, "name": id} for id in ids], "hasMore": True}).encode())
    return request.sent()


@hostile(ANY)
def names_of_all_kinds(request: Request) -> bytes:
    """The VPSs in the list have names that no URL can hold: half a surrogate pair, 100 KB, a request, a NUL."""
    names = ("\ud800", "\udfff", "n" * 100_000, "x\r\nX: y", "\x00", "🚀&limit=-1", request.key, "..")
    vpss = request.good.json.get("data") if request.is_list and request.good.json else None
    if vpss:
        return request.json(data=[{**vpss[0], "name": name, "primaryIp": name} for name in names] + vpss)
    return request.sent()


@hostile()
def statuses_without_content(request: Request) -> bytes:
    """204, 205, 206, 304 and 226 in turn, with a body and its length."""
    status = (b"204", b"205", b"206", b"304", b"226")[request.number % 5]
    return b"HTTP/1.1 " + status + b" X\r\n" + request.sent().partition(CRLF)[2]


@hostile(ANY)
def text_that_leaves_its_line(request: Request) -> bytes:
    """Letters under two hundred combining marks, Arabic ligatures, and letters from right to left without controls."""
    text = "Z" + "\u0335\u0321\u0489\u0300" * 50 + "\ufdfd" * 20 + " אבג ‎)(‎ عربى " + "\U000e0041" * 50 + "𒐫" * 20
    good = request.good.json if isinstance(request.good.json, dict) else {}
    return request.json(**{**dict.fromkeys(good, text), text: text})


@hostile(ANY)
def names_that_mean_something(request: Request) -> bytes:
    """Members that are named as attributes of objects are, in Python and in JavaScript."""
    names = (
        "__class__",
        "__init__",
        "__dict__",
        "__proto__",
        "constructor",
        "toString",
        "self",
        "cls",
        "$ref",
        "raise",
    )
    return request.json(**{name: {"__class__": name, "$ref": "file:///etc/passwd"} for name in names if name != "self"})


@hostile()
def another_version_each_time(request: Request) -> Iterator[Part]:
    """HTTP/1.0, HTTP/1.2, HTTP/01.1, lower case, and no reason phrase, in turn."""
    lines = (
        b"HTTP/1.0 200 OK",
        b"HTTP/1.2 200 OK",
        b"HTTP/01.1 200 OK",
        b"http/1.1 200 ok",
        b"HTTP/1.1 200",
        b"ICY 200 OK",
    )
    yield lines[request.number % len(lines)] + CRLF + request.sent().partition(CRLF)[2]


@hostile(ANY)
def etags_that_change_and_repeat(request: Request) -> bytes:
    """An ETag of 60 KB, a list of them, none that is quoted; what the request sent is sent back."""
    tags = (
        b'"' + b"e" * 60_000 + b'"',
        b'W/"a", "b"',
        b"unquoted",
        b'W/W/"a"',
        request.headers.get("if-none-match", "").encode(),
    )
    return request.sent(b"ETag: " + tags[request.number % len(tags)] + CRLF)


@hostile(ANY)
def waits_with_every_status(request: Request) -> bytes:
    """Retry-After with 200, 301, 404 and 500, of a second, a day and a century."""
    waits = (b"1", b"86400", b"3155760000", b"Fri, 31 Dec 9999 23:59:59 GMT")
    return request.sent(b"Retry-After: " + waits[request.number % len(waits)] + CRLF)


@hostile(commands=True)
def poll_urls_of_all_kinds(request: Request) -> bytes:
    """A start's pollUrl leads to another host, another path, another VPS, or is no URL; its pid is none in between."""
    urls: tuple[object, ...] = (
        *(
            "http://127.0.0.1:9/api/v2/vps/x/agent/exec?pid=7",
            "//127.0.0.1:9/x?pid=7",
            "javascript:alert(1)",
            "/x?pid=9",
        ),
        *("/api/v2/vps/vps_other/agent/exec?pid=11", "/x\r\nHost: h\r\n\r\n", "/" + "a" * 100_000, 7, None, ["x"], {}),
        *("http://user:password@127.0.0.1:9/?pid=7", "http:\\\\127.0.0.1:9\\x", "\x00", "\ud800", "%00", "../..", ""),
    )
    pids: tuple[object, ...] = (10**30, -1, 0, "5", 1.5, True, None, {}, "../x", 2**63)
    starts = request.good.json if request.method == "POST" and request.good.status == 200 else None
    if isinstance(starts, dict) and "pid" in starts:
        number = request.memory["starts"] = request.memory.get("starts", 0) + 1
        pid = pids[number % len(pids)] if number % 3 == 0 else starts["pid"]
        return request.json(pollUrl=urls[number % len(urls)], pid=pid)
    return request.sent()
