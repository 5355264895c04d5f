"""ID: which VPS. Every request here has a valid key."""

import re
from urllib.parse import unquote

from hostup_conformance.contract import ask, content, selectors
from hostup_conformance.contract.rules import Exchanges, Findings, rule

#: A well-formed request with the full key, so that no missing scope is refused first.
well_formed = selectors.asking(credential="full", pid=ask.WELL_FORMED)
malformed = selectors.asking(vps="malformed")
#: What stands for any characters in a pattern, as a regular expression.
WILD = {"_": ".", "?": ".", "%": ".*", "*": ".*"}


@rule("ID-01", seeks="probe of an unknown VPS")
def unknown_is_refused(exchanges: Exchanges) -> Findings:
    """The status code must be 404, or 403 as for any VPS that is not the caller's.

    400 passes too where the id differs in form from the caller's own: in its length, or in which characters are digits
    and which are letters.
    """
    for e in exchanges.each(selectors.understood, well_formed, selectors.asking(vps="unknown")):
        refusals = {403, 404} if shape(e.ask.id or "") == shape(exchanges.target.vps) else {400, 403, 404}
        if e.status not in refusals:
            yield e, "status 404, or 403", status_for(e, exchanges.target.vps)


def status_for(e: ask.Exchange, own: str) -> str:
    """Return the status of a response, with why another id may be served: if it is a pattern, the own one may fit."""
    wild = "".join(WILD.get(character, re.escape(character)) for character in e.ask.id or "")
    fits = content.below(e, 300) and re.fullmatch(wild, own) is not None
    return f"{content.status_of(e)}{': an id is taken for a pattern, as by LIKE of SQL, it seems' if fits else ''}"


def shape(id: str) -> str:
    """Return an id with every digit, small letter and capital letter replaced by the same one."""
    return re.sub("[a-z]", "a", re.sub("[A-Z]", "A", re.sub("[0-9]", "0", id)))


of_foreign = selectors.asking(credential={"full", "read"}, vps="foreign", pid=ask.WELL_FORMED)


def gets_or_heads(e: ask.Exchange) -> bool:
    """A GET of the endpoint, or any HEAD that got a response."""
    return selectors.understood(e) or (e.request.method == "HEAD" and e.response is not None)


@rule("ID-02", seeks="request for a VPS of another account")
def foreign_is_refused(exchanges: Exchanges) -> Findings:
    """GET must get 403 or 404: the endpoint's documentation allows both.

    HEAD must not succeed; any error passes for it, since a server need not offer HEAD.
    """
    for e in exchanges.each(of_foreign, gets_or_heads):
        if e.request.method == "GET" and e.status not in {403, 404}:
            yield e, "status 404, or 403", content.status_of(e)
        elif e.request.method == "HEAD" and content.below(e, 400):
            yield e, "a refusal, as GET gets", content.status_of(e)


@rule("ID-03", seeks="id that resembles the own")
def id_matches_exactly(exchanges: Exchanges) -> Findings:
    """Any 4xx passes, 400 included, since the altered id may not have the form of an id."""
    for e in exchanges.each(selectors.understood, well_formed, selectors.asking(vps="similar")):
        if not content.refused(e):
            yield e, "a 4xx", status_for(e, exchanges.target.vps)


@rule("ID-04", seeks="malformed id")
def malformed_is_refused(exchanges: Exchanges) -> Findings:
    """A status code below 300 and a 5xx are findings.

    A redirect passes: some servers redirect to the path without its dot segments, which does no harm. So does a success
    for another spelling of the caller's own id, which ID-07 and ID-08 judge. HTTP-08 judges a 5xx for an id that is not
    UTF-8, at which some frameworks fail before the server's own code is asked.
    """
    for e in content.served_first(exchanges.each(selectors.understood, well_formed, malformed)):
        is_own = is_own_once_normalized(e, exchanges.target.vps) or is_own_once_decoded_again(e, exchanges.target.vps)
        broken = content.failed(e) and not selectors.by_parser(e)
        if broken or (content.below(e, 300) and not is_own):
            yield e, "a 4xx", status_for(e, exchanges.target.vps)


def is_own_once_normalized(e: ask.Exchange, own: str) -> bool:
    """Whether an id is the own one once the path is normalized, without blanks, control characters and parameters."""
    parts: list[str] = []
    for part in re.sub(r"[\x00-\x20\x7f]|;[^/]*", "", e.ask.id or "").split("/"):
        if part == "..":
            parts[-1:] = []
        elif part not in {"", "."}:
            parts.append(part)
    return parts == [own]


def is_own_once_decoded_again(e: ask.Exchange, own: str) -> bool:
    """Whether the path has the own id percent-encoded twice."""
    return "%" in (e.ask.id or "") and unquote(e.ask.id or "") == own


@rule("ID-07", seeks="malformed id")
def accepted_spellings(exchanges: Exchanges) -> Findings:
    """Reports each other spelling of the caller's own id that gets a success, and judges nothing."""
    own = {str(e.body) for e in exchanges.known(selectors.is_availability, selectors.asking(vps="own"))}
    for e in exchanges.each(selectors.understood, well_formed, malformed):
        if content.below(e, 300) and is_own_once_normalized(e, exchanges.target.vps):
            what = "the same as the caller's own id" if str(e.body) in own else str(e.status)
            yield e, "", f"{e.request.path} gets {what}"


@rule("ID-08", seeks="id that was encoded twice")
def id_is_decoded_once(exchanges: Exchanges) -> Findings:
    """A status code below 300 is a finding."""
    own = exchanges.target.vps
    for e in exchanges.each(selectors.understood, well_formed, malformed, lambda e: is_own_once_decoded_again(e, own)):
        if content.below(e, 300):
            yield e, "a 4xx", content.status_of(e)


@rule("ID-09", seeks="probe with an id in its query")
def id_is_that_of_the_path(exchanges: Exchanges) -> Findings:
    """The availability must be that of the VPS in the path, where probes of this one agree. A refusal passes.

    A start whose body names the VPS without an agent must not be refused as one there is, and as no other start here.
    """
    own = exchanges.known(selectors.is_availability, selectors.asking(vps="own"))
    usual = bool(own) and all(e.body.get("available") is True for e in own)
    for e in exchanges.each(selectors.understood, selectors.ours, lambda e: e.request.query.startswith("id=")):
        if e.status == 200 and isinstance(e.body, dict) and usual and e.body.get("available") is False:
            yield e, "available true, as without the parameter", {"available": False}
    there = exchanges.known(ask.is_start, selectors.asking(credential="full", vps="unavailable"))
    here = exchanges.known(selectors.starts, lambda e: not ask.names_a_vps(e.request))
    only_there = set(map(content.named_status, there)) - set(map(content.named_status, here))
    for e in exchanges.each(selectors.starts, lambda e: ask.names_a_vps(e.request) and e.status not in {400, 422}):
        if (status := content.named_status(e)) in only_there:
            yield e, "what a start gets whose body has a command alone", f"{status}, as of the VPS named in the body"


@rule("ID-05", seeks="own id in another case")
def case_matters(exchanges: Exchanges) -> Findings:
    """A status code below 300 is a finding. Any error passes, since the altered id may not have the form of an id."""
    for e in exchanges.each(selectors.understood, well_formed, selectors.asking(vps="case")):
        if content.below(e, 300):
            yield e, "a 4xx", content.status_of(e)


@rule("ID-06", seeks="start on another VPS than the caller's")
def no_start_elsewhere(exchanges: Exchanges) -> Findings:
    """The status code must be 404 or 403.

    For an unknown id 400 passes too, since the id may not have the form that the server asks for.
    """
    for e in exchanges.each(ask.is_start, selectors.asking(credential="full", vps={"unknown", "foreign"})):
        if e.status not in {403, 404} and not (e.ask.vps == "unknown" and e.status == 400):
            yield e, "status 404, or 403", content.status_of(e)


@rule("ID-10", seeks="poll of another account's VPS whose refusal tells what was checked")
def ownership_comes_before_the_pid(exchanges: Exchanges) -> Findings:
    """A poll of another account's VPS must not be refused in the words that an unknown pid of the own VPS gets.

    It may be where the probe of another account's VPS is refused in these words, too: nothing can be told from them.
    """
    by_full_key = selectors.asking(credential="full")
    refused = exchanges.known(selectors.understood, by_full_key, content.refused)
    no_pid = {content.refusal(e) for e in refused if e.ask.vps == "own" and e.ask.pid == ask.Pid.UNKNOWN}
    probes = {content.refusal(e) for e in refused if e.ask.vps == "foreign" and e.ask.pid == ask.Pid.ABSENT}
    polls = [e for e in refused if e.ask.vps == "foreign" and e.ask.pid in ask.WELL_FORMED]
    for e in polls if probes and no_pid and not no_pid & probes else ():
        if content.refusal(exchanges.take(e)) in no_pid:
            yield e, "the refusal that the probe of the same VPS gets", f"{content.status_of(e)}, as for a pid alone"
