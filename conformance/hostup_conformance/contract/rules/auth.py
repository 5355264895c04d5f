"""AUTH: credentials. Most requests here are for the caller's own VPS, so that only the credential can be refused."""

from __future__ import annotations

import re

from hostup_conformance.contract.ask import WITHOUT_KEY, Credential, Exchange, Pid, is_start
from hostup_conformance.contract.content import (
    AVAILABILITY,
    OUTPUT,
    if_valid,
    named_members,
    present,
    show_status,
    status_of,
)
from hostup_conformance.contract.rules import Findings, FindingsAcross, Selector, across, each
from hostup_conformance.contract.selectors import below, failed, is_from_firewall, is_undecodable, judged
from hostup_conformance.contract.target import Target

STATE = (*AVAILABILITY, *OUTPUT)


def with_credential(*kinds: Credential) -> Selector:
    """Select well-formed requests for the caller's own VPS that have one of these kinds of credential."""
    return lambda e: judged(e) and e.ask.credential in kinds and e.ask.vps == "own" and e.ask.pid.well_formed


def is_unchanged_without_key(e: Exchange) -> bool:
    """A request for the caller's own VPS, without a key, that got a 304, which reveals that its state is unchanged."""
    return e.ask.credential == "none" and e.ask.vps == "own" and e.ask.endpoint and e.status == 304


@each("AUTH-01", lambda e: with_credential("none")(e) or is_unchanged_without_key(e))
def request_without_key_is_401(e: Exchange) -> Findings:
    """Any status code but 401 is a finding. 403 and 404 do not pass: they suggest that a key was recognised.

    Nor does 304: If-None-Match only counts where the response would be a 200 (RFC 9110 section 13.2.1).
    """
    if e.status != 401:
        yield "status 401", status_of(e)


@each("AUTH-02", with_credential("wrong"))
def wrong_key_is_401(e: Exchange) -> Findings:
    """Any status code but 401 is a finding. 403 does not pass: it says that the key is known and lacks a scope."""
    if e.status != 401:
        yield "status 401", status_of(e)


@each("AUTH-03", with_credential("malformed", "other_scheme"))
def other_scheme_bypasses_nothing(e: Exchange) -> Findings:
    """The status code must be 401, or 400, which RFC 6750 allows for a malformed request.

    A 200 passes for the right key, since the server accepts it under this scheme too, which AUTH-12 reports. HTTP-08
    judges a 5xx for a key with bytes above 127.
    """
    passes = is_undecodable(e) if failed(e) else e.status == 200 and e.ask.credential == "other_scheme"
    if e.status not in {400, 401} and not passes:
        yield "status 401, or 400", status_of(e)


@each("AUTH-12", with_credential("malformed", "other_scheme"))
def accepted_schemes(e: Exchange) -> Findings:
    """Reports each scheme other than Bearer under which the right key got a 200, and judges nothing."""
    if e.status == 200 and e.ask.credential == "other_scheme":
        scheme, blank, _ = (e.request.header("authorization") or "").partition(" ")
        yield "", f"the key is also accepted under {scheme if blank else 'no scheme'}"


def has_made_up_scheme(e: Exchange) -> bool:
    """A request for the caller's own VPS whose key is under a scheme that nobody has registered."""
    return with_credential("other_scheme")(e) and (e.request.header("authorization") or "").startswith("Nonesuch ")


@each("AUTH-13", has_made_up_scheme)
def made_up_scheme_is_refused(e: Exchange) -> Findings:
    """A status code below 300 is a finding: the server does not look at the scheme."""
    if below(e, 300):
        yield "status 401, or 400", status_of(e)


@each("AUTH-04", with_credential("lowercase"))
def scheme_ignores_case(e: Exchange) -> Findings:
    """400, 401 and 403 are findings, since the same key is accepted under the scheme Bearer.

    Any other status code passes.
    """
    if e.status in {400, 401, 403}:
        yield "the same response as under the scheme Bearer", status_of(e)


@each("AUTH-05", lambda e: judged(e) and e.ask.credential == "query")
def key_in_query_is_refused(e: Exchange) -> Findings:
    """A status code below 300 is a finding. A 401, any other error and a redirect pass."""
    if below(e, 300):
        yield "a refusal", status_of(e)


@each("AUTH-06", lambda e: (judged(e) or is_start(e)) and e.status == 401)
def says_how_to_authenticate(e: Exchange) -> Findings:
    """The response must offer the challenge Bearer, possibly among others.

    If the request had no credentials, the challenge must have no error code.
    """
    challenges = e.header("www-authenticate") or ""
    if not re.search(r"(^|,)\s*bearer\b(?!\s*=)", challenges, re.IGNORECASE):
        yield "a WWW-Authenticate header field that offers Bearer", challenges or "no such header field"
    elif e.ask.credential == "none" and re.search(r"\berror\s*=", challenges):
        yield "a challenge without an error code, since the request had no credentials", challenges


@across("AUTH-07", lambda e: judged(e) and e.ask.credential in {"none", "wrong"} and e.ask.pid == Pid.ABSENT)
def ids_stay_secret(exchanges: list[Exchange], _target: Target) -> FindingsAcross:
    """An unknown id, and that of any other VPS, must get the same status code as the caller's own.

    Requests without a key and requests with a wrong key are compared separately.
    """
    known = {e.ask.credential: e for e in exchanges if e.ask.vps == "own"}
    for e in exchanges:
        twin = known.get(e.ask.credential)
        if twin and e.ask.vps in {"unknown", "foreign", "unavailable"} and e.status != twin.status:
            yield e, f"status {twin.status}, as for a known id", status_of(e)


@each("AUTH-08", lambda e: judged(e) and e.ask.credential in {"full", "read"} and e.ask.vps != "malformed")
def right_key_is_known(e: Exchange) -> Findings:
    """Only a 401 is a finding.

    The key is valid whatever else is wrong with the request, so any other status code passes.
    """
    if e.status == 401:
        yield f"any other status{if_valid(e)}", status_of(e)


@each(
    "AUTH-09", lambda e: e.response is not None and e.ask.credential in {"none", "wrong"} and e.request.method != "GET"
)
def no_method_bypasses_the_key(e: Exchange) -> Findings:
    """HEAD must be refused as GET is, and no method may show members of the availability or of command output."""
    if e.request.method == "HEAD" and below(e, 400):
        yield "a refusal, as GET gets", show_status(e)
    elif shown := present(e, STATE):
        yield "nothing about the VPS", named_members(shown)


@each("AUTH-10", lambda e: is_start(e) and e.ask.credential in WITHOUT_KEY and e.ask.vps == "own")
def no_start_without_key(e: Exchange) -> Findings:
    """The status code must be 401, as for GET. Where the credential has another scheme, 400 passes too.

    So does a start with the right key under another scheme, where the server takes it, and the page of a firewall that
    takes commands for attacks.
    """
    passes = e.ask.credential == "other_scheme" or (e.ask.credential == "malformed" and e.status == 400)
    if e.status != 401 and not (passes or is_from_firewall(e)):
        yield "status 401", status_of(e)


@each(
    "AUTH-11",
    lambda e: (
        e.response is not None
        and e.ask.credential in {"none", "wrong"}
        and e.ask.resource == "other"
        and e.request.method == "GET"
    ),
)
def no_spelling_bypasses_the_key(e: Exchange) -> Findings:
    """A member of the availability or of command output is a finding. Any refusal passes, and so does a redirect."""
    if shown := present(e, STATE):
        yield "nothing about the VPS", named_members(shown)
