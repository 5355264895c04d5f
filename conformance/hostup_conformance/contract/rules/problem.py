"""PROBLEM: the bodies of errors (RFC 9457)."""

import re
from datetime import timedelta

from hostup_conformance.contract import ask, content, problems, responder, selectors
from hostup_conformance.contract.rules import Exchanges, Findings, rule
from hostup_conformance.http import times

#: What some servers write in place of a missing text.
NOTHING = {"", "null", "undefined", "[object Object]"}
#: The instance in the documentation's examples, a placeholder for any path.
PLACEHOLDER = "/api/v2/resource"
#: The pointer in the documentation's example: no request of this endpoint has such a member.
EXAMPLE_POINTER = "/items/0/domainName"
SKEW = timedelta(minutes=5)
#: Without a Date header field the server's clock is unknown, but it should not be a day off.
UNKNOWN_SKEW = timedelta(days=1)


def is_problem(e: ask.Exchange) -> bool:
    """An error whose body is a JSON object."""
    return selectors.is_error(e) and isinstance(e.body, dict)


def has_code(e: ask.Exchange) -> bool:
    """A problem whose code can be judged."""
    return is_problem(e) and isinstance(e.body.get("code"), str) and bool(e.body["code"])


def with_texts(*names: str) -> selectors.Selector:
    """Select problems that have these members, as strings."""
    return lambda e: is_problem(e) and all(isinstance(e.body.get(name), str) for name in names)


@rule("PROBLEM-01", seeks="error")
def is_a_bare_object(exchanges: Exchanges) -> Findings:
    """The body must be a JSON object that is the problem itself.

    If it has neither type nor code, an object or array named error, errors, data or problem is taken for an envelope,
    which is a finding. A gateway that gives requests up has pages of its own, which pass unless they come at several
    times; HTTP-08 warns of them.
    """
    given_up = responder.given_up_often(exchanges.everything)
    errors = exchanges.each(selectors.is_error)
    for e in [*errors, *(exchanges.take(e) for e in given_up if e.ask.endpoint and e not in errors)]:
        if not isinstance(e.body, dict):
            text = e.response.body[:60].decode("utf-8", "replace") if e.response else ""
            yield e, "a JSON object", content.in_place_of_object(e) if e.body is not None else text or "an empty body"
        elif not ("type" in e.body or "code" in e.body):
            for name in ("error", "errors", "data", "problem"):
                if isinstance(e.body.get(name), dict | list):
                    yield e, "the members at the top level", f"an envelope with the member {name}"


@rule("PROBLEM-02", seeks="error with a media type")
def media_type_is_json(exchanges: Exchanges) -> Findings:
    """The header field must be application/problem+json or application/json.

    Parameters such as charset are not judged.
    """
    for e in exchanges.each(selectors.is_error, lambda e: e.header("content-type") is not None):
        if e.response and e.response.media_type not in {"application/problem+json", "application/json"}:
            yield e, "application/problem+json, or application/json", e.response.header("content-type")


@rule("PROBLEM-03", seeks="error")
def has_type_code_and_detail(exchanges: Exchanges) -> Findings:
    """All three must be there, as strings.

    Blank texts are findings, and so is what servers write for a text that is missing, such as null or undefined.
    """
    for e in exchanges.each(is_problem):
        for name in ("type", "code", "detail"):
            value = e.body.get(name)
            if not isinstance(value, str) or value.strip() in NOTHING:
                yield e, f"{name}: a string that is not empty", {name: value} if name in e.body else f"no {name}"


@rule("PROBLEM-04", seeks="error")
def has_all_members(exchanges: Exchanges) -> Findings:
    """A member that is missing or an empty string is a finding."""
    for e in exchanges.each(is_problem):
        names = ("title", "status", "instance", "requestId", "timestamp")
        if missing := [name for name in names if e.body.get(name, "") == ""]:
            yield e, content.named_members(missing), content.named_members(e.body)


@rule("PROBLEM-05", seeks="error")
def types_are_documented(exchanges: Exchanges) -> Findings:
    """Members that are missing pass.

    null is not a string: where the endpoint's documentation allows null (reason), it says so. extensions may be null.
    """
    for e in exchanges.each(is_problem):
        for name in ("title", "instance", "requestId", "timestamp"):
            if not isinstance(e.body.get(name, ""), str):
                yield e, f"{name}: a string", {name: e.body[name]}
        if type(e.body.get("status", 0)) is not int:
            yield e, "status: an integer", {"status": e.body["status"]}
        if not isinstance(e.body.get("extensions"), dict | None):
            yield e, "extensions: an object", {"extensions": e.body["extensions"]}


@rule("PROBLEM-06", seeks="problem document with a status")
def status_is_the_status_code(exchanges: Exchanges) -> Findings:
    """The member status must equal the status code of the response.

    PROBLEM-05 judges a status that is not an integer.
    """
    for e in exchanges.each(is_problem, lambda e: type(e.body.get("status")) is int):
        if e.body["status"] != e.status:
            yield e, f"status {e.status}", {"status": e.body["status"]}


@rule("PROBLEM-07", seeks="problem document with type and code")
def type_is_the_address_of_code(exchanges: Exchanges) -> Findings:
    """type must be the documented base address followed by the value of code, character for character."""
    for e in exchanges.each(has_code, with_texts("type")):
        if e.body["type"] != problems.ERRORS + e.body["code"]:
            yield e, problems.ERRORS + e.body["code"], e.body["type"]


@rule("PROBLEM-08", seeks="problem document with a code")
def code_fits_the_status(exchanges: Exchanges) -> Findings:
    """A documented code is a finding with a status code that it does not belong to.

    Codes that are not documented pass here. The codes of a 400 pass with 413 and 422 too, and those of a 404 with 410,
    since other rules judge those status codes. PROBLEM-18 judges the code of a 500 with a gateway's status code.
    """
    for e in exchanges.each(has_code):
        statuses = problems.statuses_of(e.body["code"])
        if is_from_gateway(e):
            continue
        narrower = {410: 404, 413: 400, 422: 400}
        if statuses and e.status not in statuses and narrower.get(e.status or 0) not in statuses:
            fitting = problems.codes_by_status().get(e.status or 0)
            expected = " or ".join(fitting) if fitting else "another code"
            yield e, f"{expected}, with status {e.status}", e.body["code"]


#: The status codes by which a gateway says that it is not at fault itself.
GATEWAYS = {502, 503, 504}


def is_from_gateway(e: ask.Exchange) -> bool:
    """A problem with a gateway's status and the general code of 500."""
    return has_code(e) and e.status in GATEWAYS and 500 in problems.statuses_of(e.body["code"])


def has_known_code(e: ask.Exchange) -> bool:
    """A problem whose code should be a documented one, unlike that of a start of a valid command that is blocked."""
    blocked = ask.is_start(e) and e.ask.command is not None and e.ask.credential == "full"
    return has_code(e) and e.status in problems.codes_by_status() and not blocked


@rule("PROBLEM-09", seeks="problem document with a code")
def code_is_documented(exchanges: Exchanges) -> Findings:
    """An undocumented code is a finding. PROBLEM-08 judges whether a documented one fits its status code."""
    for e in exchanges.each(has_known_code):
        if not problems.statuses_of(e.body["code"]):
            yield e, " or ".join(problems.codes_by_status()[e.status or 0]), e.body["code"]


@rule("PROBLEM-18", seeks="problem document with 502, 503 or 504")
def gateways_have_codes_of_their_own(exchanges: Exchanges) -> Findings:
    """The code of a 500 with the status code of a gateway is a finding, and any other code passes."""
    for e in exchanges.each(has_code, lambda e: e.status in GATEWAYS):
        if is_from_gateway(e):
            yield e, f"a code of {e.status}, such as upstream_unavailable", e.body["code"]


@rule("PROBLEM-10", seeks="problem document with errors")
def errors_have_their_form(exchanges: Exchanges) -> Findings:
    """errors must be an array of objects, each with the three members as strings. Further members pass."""
    for e in exchanges.each(is_problem, lambda e: "errors" in e.body):
        if not isinstance(e.body["errors"], list):
            yield e, "errors: an array", {"errors": e.body["errors"]}
            continue
        for index, item in enumerate(e.body["errors"]):
            if not isinstance(item, dict):
                yield e, f"errors[{index}]: an object", item
                continue
            for name in ("pointer", "detail", "code"):
                if not isinstance(item.get(name), str):
                    yield e, f"errors[{index}].{name}: a string", item.get(name, f"no {name}")


def is_malformed(e: ask.Exchange) -> bool:
    """A request with a mistake, or one that ordered an error as if it had a mistake."""
    return e.obeyed or e.ask.pid.ill_formed or (ask.is_start(e) and e.ask.command is None)


def can_be_pointed_at(e: ask.Exchange) -> bool:
    """A 400 for a request with a part that an item could point to: a pid that is valid UTF-8, or members of a body.

    A pid of digits alone, which begins with 0, may be refused as an unknown one is.
    """
    if ask.is_start(e):
        return e.status == 400 and ask.has_object(e.request)
    digits = e.ask.pid == ask.Pid.LOOSE and e.ask.pids[0].isdecimal()
    return e.status == 400 and not digits and not any("\ufffd" in pid for pid in e.ask.pids)


@rule("PROBLEM-11", seeks="400 for a mistake that can be pointed at")
def bad_request_has_an_item(exchanges: Exchanges) -> Findings:
    """errors must have at least one item.

    A 400 for a well-formed request is exempt, and so is one for a body that is not a JSON object, where no item could
    point to anything.
    """
    by_full_key = selectors.asking(credential="full")
    for e in exchanges.each(is_problem, by_full_key, is_malformed, can_be_pointed_at):
        if e.body.get("errors") in (None, []):
            got = {"errors": e.body["errors"]} if "errors" in e.body else "no member errors"
            yield e, "errors: an array with one item or more", got


@rule("PROBLEM-12", seeks="problem document with errors")
def pointers_are_json_pointers(exchanges: Exchanges) -> Findings:
    """A JSON Pointer passes, also in its URI fragment form (#/...), and so does the bare name of a parameter.

    That of the documentation's example is a finding, since no request of this endpoint has such a member.
    """
    for e in exchanges.each(is_problem, lambda e: isinstance(e.body.get("errors"), list)):
        for item in e.body["errors"]:
            pointer = item.get("pointer") if isinstance(item, dict) else None
            if not isinstance(pointer, str):
                continue
            if pointer == EXAMPLE_POINTER or not re.fullmatch(r"#?(/([^~]|~[01])*)?|[\w.\[\]-]+", pointer):
                yield e, "a JSON Pointer, or the name of a parameter, of this request", pointer


@rule("PROBLEM-13", seeks="problem document with a requestId")
def request_ids_differ(exchanges: Exchanges) -> Findings:
    """A requestId that came before in the run is a finding. The first repetition is reported."""
    seen: dict[str, ask.Exchange] = {}
    for e in exchanges.each(with_texts("requestId"), lambda e: e.body["requestId"] != ""):
        if before := seen.get(e.body["requestId"]):
            yield e, f"another requestId than in request {before.number}", e.body["requestId"]
            return
        seen[e.body["requestId"]] = e


@rule("PROBLEM-14", seeks="problem document with a timestamp")
def timestamp_is_a_date_time(exchanges: Exchanges) -> Findings:
    """The offset must be there; any number of decimals passes."""
    for e in exchanges.each(with_texts("timestamp")):
        if times.rfc3339(e.body["timestamp"]) is None:
            yield e, "an RFC 3339 date-time with an offset", e.body["timestamp"]


@rule("PROBLEM-15", seeks="problem document with a timestamp")
def timestamp_is_now(exchanges: Exchanges) -> Findings:
    """timestamp must be within five minutes of the Date header field.

    Without one, it must be within a day of the suite's clock. A timestamp that comes again for a request that was sent
    more than 1.5 seconds after the response with it is a finding too.
    """
    earliest: dict[str, ask.Exchange] = {}
    for e in exchanges.each(with_texts("timestamp"), lambda e: times.rfc3339(e.body["timestamp"]) is not None):
        said = times.rfc3339(e.body["timestamp"])
        date = times.http_date(e.header("date") or "")
        if said and (now := date or e.when) and abs(said - now) > (SKEW if date else UNKNOWN_SKEW):
            yield e, f"about {now.isoformat(timespec='seconds')}", e.body["timestamp"]
            return
        before = earliest.setdefault(e.body["timestamp"], e)
        # What waited may have been handled when its response came.
        ended = before.when + timedelta(seconds=before.seconds) if before.when else None
        later = e.when - ended if ended and e.when else timedelta()
        if later > timedelta(seconds=1.5):
            yield e, f"a later one than in request {before.number}, {later.seconds} s before", e.body["timestamp"]
            return


@rule("PROBLEM-16", seeks="problem document with type and title")
def one_title_for_each_type(exchanges: Exchanges) -> Findings:
    """Two titles for the same type are a finding. The first difference is reported.

    The type about:blank is none of its own: its title is that of the status code (RFC 9457 section 4.2.1).
    """
    titles: dict[str, ask.Exchange] = {}
    for e in exchanges.each(with_texts("title", "type"), lambda e: e.body["type"] != "about:blank"):
        before = titles.setdefault(e.body["type"], e)
        if before.body["title"] != e.body["title"]:
            yield e, f"{before.body['title']!r}, as in request {before.number}", e.body["title"]
            return


@rule("PROBLEM-17", seeks="problem document with an instance")
def instance_is_reference(exchanges: Exchanges) -> Findings:
    """instance may have only characters that RFC 3986 allows.

    The placeholder of the documentation's examples is a finding.
    """
    for e in exchanges.each(with_texts("instance")):
        if not re.fullmatch(r"(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*", e.body["instance"]):
            yield e, "instance: a URI reference", e.body["instance"]
        if e.body["instance"] == PLACEHOLDER:
            yield e, "instance: a reference to this request", f"the documentation's placeholder {PLACEHOLDER}"
