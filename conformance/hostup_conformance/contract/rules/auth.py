"""AUTH: credentials. Most requests here are for the caller's own VPS, so that only the credential can be refused."""

import re

from hostup_conformance.contract import ask, content, responder, selectors
from hostup_conformance.contract.rules import Exchanges, Findings, rule

#: A well-formed request for the caller's own VPS.
for_own = selectors.asking(vps="own", pid=ask.WELL_FORMED)
other_scheme = selectors.asking(credential={"malformed", "other_scheme"})


def for_own_without_key(e: ask.Exchange) -> bool:
    """A request for the caller's own VPS without a key, even if a 304 reveals that its state is unchanged."""
    is_unchanged = e.ask.vps == "own" and e.ask.endpoint and e.status == 304
    return e.ask.credential == "none" and (is_unchanged or (selectors.understood(e) and for_own(e)))


@rule("AUTH-01")
def request_without_key_is_401(exchanges: Exchanges) -> Findings:
    """Any status code but 401 is a finding. 403 and 404 do not pass: they suggest that a key was recognised.

    Nor does 304: If-None-Match only counts where the response would be a 200 (RFC 9110 section 13.2.1). A 400 or 403
    passes for a request with a field that only a proxy or a framework may send, which something in front may refuse,
    or take for that of a monitor, to which it says nothing of a VPS.
    """
    for e in exchanges.each(for_own_without_key):
        in_front = (e.status in {400, 403} and responder.is_as_from_inside(e)) or responder.is_for_a_monitor(e)
        if e.status != 401 and not in_front:
            yield e, "status 401", content.status_of(e)


@rule("AUTH-02")
def wrong_key_is_401(exchanges: Exchanges) -> Findings:
    """Any status code but 401 is a finding. 403 does not pass: it says that the key is known and lacks a scope."""
    for e in exchanges.each(selectors.understood, for_own, selectors.asking(credential="wrong")):
        if e.status != 401:
            yield e, "status 401", content.status_of(e)


@rule("AUTH-03", seeks="key under another scheme")
def other_scheme_bypasses_nothing(exchanges: Exchanges) -> Findings:
    """The status code must be 401, or 400, which RFC 6750 allows for a malformed request.

    A 200 passes for the right key, since the server accepts it under this scheme too, which AUTH-12 reports. HTTP-08
    judges a 5xx for a key with bytes above 127.
    """
    for e in exchanges.each(selectors.understood, for_own, other_scheme):
        passes = e.status == 200 and e.ask.credential == "other_scheme"
        if content.failed(e):
            passes = selectors.by_parser(e)
        if e.status not in {400, 401} and not passes:
            yield e, "status 401, or 400", content.status_of(e)


@rule("AUTH-12", seeks="key under another scheme")
def accepted_schemes(exchanges: Exchanges) -> Findings:
    """Reports each scheme other than Bearer under which the right key got a 200, and judges nothing."""
    for e in exchanges.each(selectors.understood, for_own, other_scheme):
        if e.status == 200 and e.ask.credential == "other_scheme":
            scheme, blank, _ = (e.request.header("authorization") or "").partition(" ")
            yield e, "", f"the key is also accepted under {scheme if blank else 'no scheme'}"


def has_made_up_scheme(e: ask.Exchange) -> bool:
    """A request whose key is under a scheme that nobody has registered."""
    scheme = (e.request.header("authorization") or "").partition(" ")[0]
    return e.ask.credential == "other_scheme" and scheme == "Nonesuch"


@rule("AUTH-13", seeks="key under a scheme that nobody knows")
def made_up_scheme_is_refused(exchanges: Exchanges) -> Findings:
    """A status code below 300 is a finding: the server does not look at the scheme."""
    for e in exchanges.each(selectors.understood, for_own, has_made_up_scheme):
        if content.below(e, 300):
            yield e, "status 401, or 400", content.status_of(e)


@rule("AUTH-04", seeks="key under the scheme bearer")
def scheme_ignores_case(exchanges: Exchanges) -> Findings:
    """400, 401 and 403 are findings, since the same key is accepted under the scheme Bearer.

    Any other status code passes.
    """
    for e in exchanges.each(selectors.understood, for_own, selectors.asking(credential="lowercase")):
        if e.status in {400, 401, 403}:
            yield e, "the same response as under the scheme Bearer", content.status_of(e)


@rule("AUTH-05", seeks="key in a query")
def key_in_query_is_refused(exchanges: Exchanges) -> Findings:
    """A status code below 300 is a finding. A 401, any other error and a redirect pass."""
    for e in exchanges.each(selectors.understood, selectors.asking(credential="query")):
        if content.below(e, 300):
            yield e, "a refusal", content.status_of(e)


@rule("AUTH-06", seeks="401")
def says_how_to_authenticate(exchanges: Exchanges) -> Findings:
    """The response must offer the challenge Bearer, possibly among others.

    If the request had no credentials, the challenge must have no error code.
    """
    for e in exchanges.each(lambda e: (selectors.understood(e) or ask.is_start(e)) and e.status == 401):
        challenges = e.header("www-authenticate") or ""
        if not re.search(r"(^|,)\s*bearer\b(?!\s*=)", challenges, re.IGNORECASE):
            yield e, "a WWW-Authenticate header field that offers Bearer", challenges or "no such header field"
        elif e.ask.credential == "none" and re.search(r"\berror\s*=", challenges):
            yield e, "a challenge without an error code, since the request had no credentials", challenges


@rule("AUTH-07", seeks="probe of another VPS without a key")
def ids_stay_secret(exchanges: Exchanges) -> Findings:
    """An unknown id, and that of any other VPS, must get the same status code as the caller's own.

    Requests without a key and requests with a wrong key are compared separately. Where the caller's own was served,
    AUTH-01 and AUTH-02 judge that.
    """
    unauthorized = exchanges.known(selectors.understood, selectors.keyless, selectors.asking(pid=ask.Pid.ABSENT))
    known = {e.ask.credential: e for e in unauthorized if e.ask.vps == "own" and not content.below(e, 300)}
    for e in unauthorized:
        twin = known.get(e.ask.credential)
        if twin and e.ask.vps in {"unknown", "foreign", "unavailable"} and exchanges.take(e).status != twin.status:
            yield e, f"status {twin.status}, as for a known id", content.status_of(e)


def has_right_key(e: ask.Exchange) -> bool:
    """A request with a valid key: a GET of the endpoint; or HEAD, a start, the list or a status with the full key."""
    if e.ask.vps == "malformed" or e.ask.credential not in {"full", "read"}:
        return False
    of_endpoint = ask.is_start(e) or (e.request.method == "HEAD" and e.ask.endpoint)
    other = of_endpoint or (selectors.asks_either(e) and e.status != 429)
    return selectors.understood(e) or (other and e.ask.credential == "full")


@rule("AUTH-08")
def right_key_is_known(exchanges: Exchanges) -> Findings:
    """Only a 401 is a finding.

    The key is valid whatever else is wrong with the request, so any other status code passes.
    """
    for e in exchanges.each(has_right_key):
        if e.status == 401:
            yield e, f"any other status{content.if_valid(e)}", content.status_of(e)


@rule("AUTH-09")
def no_method_bypasses_the_key(exchanges: Exchanges) -> Findings:
    """HEAD must be refused as GET is, and no method may show members of the availability or of command output."""
    for e in exchanges.each(selectors.keyless, selectors.has_response, lambda e: e.request.method != "GET"):
        if e.request.method == "HEAD" and content.below(e, 400):
            yield e, "a refusal, as GET gets", content.show_status(e)
        elif shown := content.present(e, content.STATE):
            yield e, "nothing about the VPS", content.named_members(shown)


@rule("AUTH-10", seeks="start without a key")
def no_start_without_key(exchanges: Exchanges) -> Findings:
    """The status code must be 401, as for GET. Where the credential has another scheme, 400 passes too.

    So does a start with the right key under another scheme, where the server takes it, and the page of a firewall that
    takes commands for attacks.
    """
    for e in exchanges.each(ask.is_start, selectors.asking(credential=ask.WITHOUT_KEY, vps="own")):
        passes = e.ask.credential == "other_scheme" or (e.ask.credential == "malformed" and e.status == 400)
        if e.status != 401 and not (passes or selectors.by_firewall(e)):
            yield e, "status 401", content.status_of(e)


@rule("AUTH-11")
def no_spelling_bypasses_the_key(exchanges: Exchanges) -> Findings:
    """A member of the availability or of command output is a finding. Any refusal passes, and so does a redirect.

    Where the path as it is written in the documentation is open too, AUTH-01 and AUTH-02 judge that.
    """
    open_anyhow = {e.ask.credential for e in exchanges.known(selectors.succeeded, selectors.asking(vps="own"))}
    for e in exchanges.each(
        selectors.keyless, lambda e: selectors.is_asked(e, "other") and e.ask.credential not in open_anyhow
    ):
        if shown := content.present(e, content.STATE):
            yield e, "nothing about the VPS", content.named_members(shown)
