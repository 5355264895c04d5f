"""AUTH: credentials. Everything here asks for the own VPS, so that a refusal is the credential's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hostup_conformance.contract.ask import Pid, is_start
from hostup_conformance.contract.rules import Findings, FindingsAcross, across, each
from hostup_conformance.contract.selectors import AVAILABILITY, OUTPUT, judged, show_status, status_of

if TYPE_CHECKING:
    from hostup_conformance.contract.ask import Credential, Exchange
    from hostup_conformance.contract.rules import Selector
    from hostup_conformance.contract.target import Target

STATE = (*AVAILABILITY, *OUTPUT)


def with_credential(credential: Credential) -> Selector:
    """Select well-formed requests for the own VPS with such a credential."""
    return lambda e: judged(e) and e.ask.credential == credential and e.ask.vps == "own" and e.ask.pid.well_formed


@each("AUTH-01", with_credential("none"))
def without_key(e: Exchange) -> Findings:
    """401 exactly: 403 and 404 say that a key was understood."""
    if e.status != 401:
        yield "status 401", status_of(e)


@each("AUTH-02", with_credential("wrong"))
def wrong_key(e: Exchange) -> Findings:
    """401 exactly: 403 would say that the key is known and lacks a scope."""
    if e.status != 401:
        yield "status 401", status_of(e)


@each("AUTH-03", with_credential("malformed"))
def other_scheme(e: Exchange) -> Findings:
    """RFC 6750 allows 400 for a request that is malformed."""
    if e.status not in {400, 401}:
        yield "status 401, or 400", status_of(e)


@each("AUTH-04", with_credential("lowercase"))
def scheme_in_lower_case(e: Exchange) -> Findings:
    """As if the scheme were written Bearer."""
    if e.status in {400, 401, 403}:
        yield "the answer that the scheme Bearer gets", status_of(e)


@each("AUTH-05", lambda e: judged(e) and e.ask.credential == "query")
def key_in_query(e: Exchange) -> Findings:
    """No success; 401 or any other refusal will do."""
    if e.status is not None and e.status < 300:
        yield "a refusal", status_of(e)


@each("AUTH-06", lambda e: (judged(e) or is_start(e)) and e.status == 401)
def says_how(e: Exchange) -> Findings:
    """A challenge for Bearer, possibly among others; with an error code only for whom gave a credential."""
    challenges = ", ".join(e.response.all("www-authenticate")) if e.response else ""
    if not re.search(r"(^|,)\s*bearer\b(?!\s*=)", challenges, re.IGNORECASE):
        yield "WWW-Authenticate with Bearer", challenges or "no WWW-Authenticate"
    elif e.ask.credential == "none" and re.search(r"\berror\s*=", challenges):
        yield "no error code for a request without credentials", challenges


@across("AUTH-07", lambda e: judged(e) and e.ask.credential in {"none", "wrong"} and e.ask.pid == Pid.ABSENT)
def ids_stay_secret(exchanges: list[Exchange], _target: Target) -> FindingsAcross:
    """The status does not depend on whose id it is."""
    known = {e.ask.credential: e for e in exchanges if e.ask.vps == "own"}
    for e in exchanges:
        twin = known.get(e.ask.credential)
        if twin and e.ask.vps in {"unknown", "foreign", "unavailable"} and e.status != twin.status:
            yield e, f"the same as for a known id: {twin.status}", status_of(e)


@each("AUTH-08", lambda e: judged(e) and e.ask.credential in {"full", "read"} and e.ask.vps != "malformed")
def right_key_is_known(e: Exchange) -> Findings:
    """Whatever else is wrong with the request, its key is right."""
    if e.status == 401:
        yield "any other status", status_of(e)


@each(
    "AUTH-09", lambda e: e.response is not None and e.ask.credential in {"none", "wrong"} and e.request.method != "GET"
)
def no_side_door(e: Exchange) -> Findings:
    """HEAD is refused as GET is; no method shows the state of a VPS."""
    if e.request.method == "HEAD" and e.status is not None and e.status < 400:
        yield "a refusal, as GET gets", show_status(e)
    elif isinstance(e.body, dict) and (shown := [name for name in STATE if name in e.body]):
        yield "nothing of the VPS", f"members {', '.join(shown)}"


@each("AUTH-10", lambda e: is_start(e) and e.ask.credential in {"none", "wrong", "malformed"} and e.ask.vps == "own")
def no_start_without_key(e: Exchange) -> Findings:
    """401, as for GET; a credential of another scheme may be a bad request."""
    if e.status != 401 and not (e.ask.credential == "malformed" and e.status == 400):
        yield "status 401", status_of(e)
