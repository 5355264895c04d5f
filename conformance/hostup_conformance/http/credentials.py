"""Finds in recorded traffic what may be a credential that nobody has named, by the names that values have.

It must not know whose traffic it is.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from itertools import chain, zip_longest
from typing import Protocol
from urllib.parse import unquote_plus

from hostup_conformance.http.json_text import read_json
from hostup_conformance.http.messages import Request, Response
from hostup_conformance.keeping.misconfigured import Misconfigured
from hostup_conformance.keeping.redact import PIECE
from hostup_conformance.keeping.safe_text import counted

#: How many characters of different credentials in a recording can be kept out of reports.
MOST_SECRET = 1 << 20
#: Request header fields whose values are credentials; and what says so in the name of another field or a parameter.
CREDENTIALS = {"authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "x-auth-token"}
CREDENTIAL = re.compile(
    r"""(?<![a-z])(?:auth|hmac|jwt|dpop|keys?|otp|pass|pin|pwd?|pw|sid|sig|[a-z]{0,20}(?:sessid|sessionid))(?![a-z])
      | (?:access|api|auth|client|functions?|private|secret|session|shared|subscription)[-_]?(?:cert|id|key)(?![a-z])
      | (?<!page)token(?!i[sz]) | secret | passw | passphrase | cookie | session(?![a-z]) | credential | signature
      | bearer | saml | oidc | principal | authori[sz]ation | authentication""",
    re.IGNORECASE | re.VERBOSE,
)
#: Header fields whose values are shown of somebody else's recording, since they are no credentials by any standard.
#: (Authorization is shown as its scheme.) Of what else it has, the values are shown that are too short for one.
HARMLESS = frozenset(
    {*("accept", "accept-encoding", "accept-language", "accept-ranges", "access-control-allow-credentials")}
    | {*("access-control-allow-headers", "access-control-allow-methods", "access-control-allow-origin")}
    | {*("access-control-expose-headers", "access-control-max-age", "access-control-request-method", "age")}
    | {*("allow", "alt-svc", "authorization", "cache-control", "cf-ray", "connection", "content-disposition")}
    | {*("content-encoding", "content-language", "content-length", "content-location", "content-security-policy")}
    | {*("content-type", "date", "etag", "expect", "expires", "host", "if-match", "if-modified-since")}
    | {*("if-none-match", "keep-alive", "last-modified", "link", "location", "origin", "pragma", "prefer")}
    | {*("preference-applied", "proxy-authenticate", "range", "ratelimit", "ratelimit-limit", "ratelimit-policy")}
    | {*("ratelimit-remaining", "ratelimit-reset", "retry-after", "server", "strict-transport-security", "te")}
    | {*("traceparent", "trailer", "transfer-encoding", "upgrade", "user-agent", "vary", "via", "warning")}
    | {*("www-authenticate", "x-content-type-options", "x-forwarded-for", "x-http-method-override", "x-powered-by")}
    | {*("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "x-request-id")}
)
#: How many characters of a name are looked at.
LONGEST_NAME = 100
#: What stands between parameters; and up to how many bytes of a body its members count.
SEPARATOR, LARGEST_SEARCHED = re.compile("[&;]"), 1 << 16
#: A name with its value as it may stand in any text: a parameter, a member of JSON in a string, an element of XML. A
#: value without a digit is a word.
NAMED = re.compile(
    r"""(?:^|(?P<before>[^\w.\[\]-]))(?P<name>[\w.\[\]-]{1,100})(?:\\{0,8}["']?\s{0,9}[=:]\s{0,9}\\{0,8}["']?|>)"""
    r"""(?=[^\s"'&;,<>\#\\:={}\[\]()]*[0-9])(?=(?P<value>[^\s"'&;,<>\#\\:={}\[\]()]{8,}=*))""",
    re.ASCII,
)
#: Parameters of addresses that are credentials, though their names do not say so, and what stands before one.
BEARING, BEFORE = {"assertion", "code", "nonce", "relaystate", "state", "ticket"}, {"?", "&", "#", ";"}


class Recorded(Protocol):
    """A request and its response, if there was one."""

    @property
    def request(self) -> Request:
        """What was sent."""

    @property
    def response(self) -> Response | None:
        """What came."""


def secrets_in(recorded: Iterable[Recorded]) -> set[str]:
    """Return the credentials that are sent in a recording, by the names of header fields, parameters and members.

    Raise `Misconfigured` if there are too many to be kept out of reports.
    """
    named = chain(*map(named_values, recorded))
    secrets = {value for name, value in named if len(value) >= PIECE and is_credential(name)}
    if sum(map(len, secrets)) > MOST_SECRET:
        why = f"more than {MOST_SECRET >> 20} MiB of credentials, too much to be kept out of reports"
        raise Misconfigured(f"the recording has {why}; record fewer requests, or export it without sensitive data")
    return secrets


def named_values(one: Recorded) -> Iterator[tuple[str, str]]:
    """Yield what may be a credential in a request and its response, each with its name."""
    fields, body = (one.response.headers, one.response.body) if one.response else ((), b"")
    for name, value in one.request.headers + fields:
        yield from ((name, part) for part in parts_of(name, value))
    for name, _, value in parameters(one.request.target):
        yield from ((name, value), (name, unquote_plus(value)))
    for content in (one.request.body, body):
        yield from members(content)
        yield from named_in(content[:LARGEST_SEARCHED].decode("utf-8", "replace"))
    for text in (one.request.target, *(value for _, value in one.request.headers + fields)):
        yield from named_in(text)


def named_in(text: str) -> Iterator[tuple[str, str]]:
    """Yield the values in a text that have a name, each with that name."""
    for found in NAMED.finditer(text):
        is_bearing = found["before"] in BEFORE and found["name"].lower() in BEARING
        name = "credential" if is_bearing else found["name"]
        yield from ((name, found["value"]), (name, unquote_plus(found["value"])))


def members(body: bytes) -> Iterator[tuple[str, str]]:
    """Yield the members of JSON that are strings, at any depth, or the parameters of a form, each with its name."""
    if not body or len(body) > LARGEST_SEARCHED:
        return
    if body.lstrip()[:1] not in {b"{", b"["}:
        text = body.decode("utf-8", "replace")
        yield from ((name, unquote_plus(value)) for name, _, value in parameters(f"?{text}"))
        return
    level = [read_json(body).value]
    while level:
        inner = [pair for value in level if isinstance(value, dict) for pair in value.items()]
        yield from (pair for pair in inner if isinstance(pair[1], str))
        level = [value for _, value in inner] + [one for value in level if isinstance(value, list) for one in value]


def parts_of(name: str, value: str) -> list[str]:
    """Return the parts of a header field that may each be a credential: Authorization is without its scheme."""
    if name.lower() in {"authorization", "proxy-authorization"}:
        return [value.partition(" ")[2].strip() or value]
    if name.lower() == "cookie":
        return [cookie.partition("=")[2].strip() for cookie in value.split(";")]
    if name.lower() == "set-cookie":
        return [value.partition(";")[0].partition("=")[2].strip()]
    return [value.strip()]


def is_credential(name: str) -> bool:
    """Whether a header field or a parameter is a credential by its name."""
    return name.lower() in CREDENTIALS or CREDENTIAL.search(name[:LONGEST_NAME]) is not None


def parameters(address: str) -> Iterator[tuple[str, str, str]]:
    """Yield the parameters in the query of an address, each as its name, the equals sign, and its value, as sent."""
    query = address.partition("?")[2]
    yield from (part.partition("=") for part in SEPARATOR.split(query))


def without_credentials(request: Request, known: Collection[str] = ()) -> Request:
    """Return a request to be shown, with lengths in the places of what may be a credential.

    Of Authorization, the scheme is left: its key is taken out as all keys are. `known` are names of parameters that
    hold none.
    """
    query = request.target.partition("?")[2]
    between = SEPARATOR.findall(query)
    parts = (f"{name}{equals}{masked(name, value, known)}" for name, equals, value in parameters(request.target))
    query = "".join(chain.from_iterable(zip_longest(parts, between, fillvalue="")))
    fields = tuple((name, masked(name, value)) for name, value in request.headers)
    return replace(request, target=request.path + (f"?{query}" if query else ""), headers=fields)


def masked(name: str, value: str, harmless: Collection[str] = HARMLESS) -> str:
    """Return the value of a header field or parameter, or its length if it may be a credential by its name and length.

    Names in `harmless` are those of none, in lower case.
    """
    plain = unquote_plus(name)
    stays = not value or plain.partition("[")[0].strip().lower() in harmless
    if stays or (len(value) < PIECE and not is_credential(plain)):
        return value
    return f"[{counted(len(value), 'character')}]"
