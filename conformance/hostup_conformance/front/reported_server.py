"""A server as its reports show it: by the command line that repeats a request, and by what came."""

from collections.abc import Sequence

from hostup_conformance.contract.ask import NO_SESSION, Ask, Exchange, new_pid
from hostup_conformance.contract.content import below, failed, member
from hostup_conformance.contract.lives import overlap, stories
from hostup_conformance.contract.responder import BURST
from hostup_conformance.contract.target import Target, header_variable
from hostup_conformance.front.record import SHORT_CHARACTERS, ReportedTarget, as_shown, body_of, shortened
from hostup_conformance.http.exchange import ALONE
from hostup_conformance.http.messages import FIELD_NAME
from hostup_conformance.keeping.redact import MARK, redactor
from hostup_conformance.keeping.safe_text import CommandLine, Variable

#: What to know of a poll whose command may have been forgotten; who may not poll is refused all the same.
OWN_COMMAND = "start its command again, and take the new pid"
#: The status codes of a poll whose command has been forgotten.
FORGOTTEN = {400, 404, 410}
#: What stands for a key that the suite made up.
WRONG = "a-wrong-key"
#: What to know of a command line in which a part of the request is cut.
CUT = "it is cut at the three dots: --record keeps the whole request"


def server(target: Target, exchanges: Sequence[Exchange] = ()) -> ReportedTarget[Ask]:
    """Return a server as it is reported; the exchanges show which requests get something else at another time."""
    redact = redactor(target.nearly_secrets)
    alone = {e.request: e for e in exchanges if e.source == ALONE}
    beside = {BURST, ALONE}
    firsts = {e.request: e for e in reversed(exchanges) if e.status and not (failed(e) or e.status == 429)}
    # Where one that was not alone got what another got alone, the connection is not to blame.
    let_in = {e.request for e in exchanges if e.source not in beside and below(e, 300)}
    again_or_not = [e for e in exchanges if e.request in let_in and e.source != BURST and e.status]
    varying = {(e.ask.credential, e.ask.vps) for e in again_or_not if (e.source == ALONE) == below(e, 300)}
    starts_of = {new_pid(e) for e in exchanges}
    ends: dict[int | None, Exchange] = {
        e.ask.number: e for e in reversed(exchanges) if e.ask.number is not None and member(e, "exited") is True
    }

    def again(e: Exchange) -> CommandLine:
        line, other, first = curl(e, target), alone.get(e.request), firsts.get(e.request)
        started = e.ask.number is not None and e.ask.number in starts_of
        if started and e.ask.pid.is_used_up and (e.ask.credential == "full" or below(e, 300)):
            line = line.noted(OWN_COMMAND)
        if other and other.status not in {e.status, None}:
            end = ends.get(e.ask.number)
            if end and end.number < other.number and other.status in FORGOTTEN:
                why = "since the end of its command had been told by then"
                return line.noted(f"alone, later, it got {other.status} in request {other.number}, {why}")
            how = "; it may depend on others at the same time" if e.source == BURST else ""
            if not how and (e.ask.credential, e.ask.vps) not in varying:
                how = "; it depends on what came before, such as a key on the same connection"
            return line.noted(f"alone it got {other.status} in request {other.number}{how}")
        if first and first.number < e.number and e.source not in beside and e.status not in {first.status, None}:
            earlier = f"the same request got {first.status} as request {first.number}"
            at_once = overlap(e, first)
            return line.noted(f"{earlier}{', at the same time' if at_once else '; it depends on what came in between'}")
        return line

    return ReportedTarget(
        {"base_url": target.name or target.base_url, "kind": target.kind, "profile": target.profile},
        redact,
        again,
        lambda e: body_of(e.response, redact) if e.response else e.failure or e.too_large,
        stories,
    )


def curl(e: Exchange, target: Target) -> CommandLine:
    """Return a shell command that sends the request again, with variables in place of the keys."""
    request = as_shown(e.request, target.kind)
    method, url = request.method, target.base_url + shortened(request.target)
    words: list[str | tuple[str | Variable, ...]] = ["curl", "-i"]
    words += ["--path-as-is"] if "/." in request.target else []
    words += ["--globoff"] if set("[]{}") & set(url) else []  # or curl takes them for many URLs
    if method != "GET" or request.body:  # with a body, curl sends a POST
        words += ["--head"] if method == "HEAD" else ["-X", method]
    variables = {target.key: "HOSTUP_API_KEY", target.read_key: "HOSTUP_READ_API_KEY"}
    for name, value in request.headers:
        # A field without a proper name cannot be sent again; one that begins with @ would name a file of fields.
        if FIELD_NAME.fullmatch(name) and name.lower() not in {"user-agent", "accept-encoding"}:
            words += ["-H", field_word(name, value, variables, made_up=is_made_up(e, target))]
    for name, _ in target.route.fields:
        words += ["-H", (f"{name}: ", Variable(header_variable(name)))]
    tls = (("cacert", target.route.ca), ("cert", target.route.certificate), ("key", target.route.key))
    for option, file in tls if target.base_url.startswith("https:") else ():
        words += [f"--{option}", str(file)] if file else []
    if request.body:
        words += ["--data-raw", shortened(request.body.decode("utf-8", "surrogateescape"))]
    longest = max(map(len, (request.target, request.body, *(value for _, value in request.headers))))
    return CommandLine([*words, url], CUT if longest >= SHORT_CHARACTERS else "")


def is_made_up(e: Exchange, target: Target) -> bool:
    """Whether a request has a key of the suite's own, in which there is nothing of the user's."""
    values = [value for _, value in e.request.headers]
    made_up = e.ask.credential in {"wrong", "malformed"}
    return made_up and not any(one in value for one in target.nearly_secrets for value in values)


def field_word(
    name: str, value: str, variables: dict[str | None, str], *, made_up: bool
) -> str | tuple[str | Variable, ...]:
    """Return a header field as a word; in Authorization, the variable of a known key takes the key's place.

    `WRONG` takes that of a key which the suite has made up, with what is not ASCII in it; but "undefined" and the like
    are what they are. Cookies that the server has set may stand for a key, so a variable takes their place.
    """
    if name.lower() == "cookie" and value != NO_SESSION:
        return (f"{name}: ", Variable("COOKIE"))
    if name.lower() != "authorization" or value == "Bearer":  # a scheme without a key
        return f"{name}: {shortened(value)}"
    scheme, _, token = value.rpartition(" ")
    if token in variables:
        return (f"{name}: {scheme} ", Variable(variables[token]))
    beyond_ascii = "".join(character for character in token if not character.isascii())
    octets = beyond_ascii.encode("latin-1", "replace").decode("utf-8", "surrogateescape")
    shown = token if len(token) < len(WRONG) else WRONG + octets
    return f"{name}: {scheme} {shown if made_up else MARK}"
