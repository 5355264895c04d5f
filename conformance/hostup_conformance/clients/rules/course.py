"""CLIENT: when requests are sent, and which are sent again."""

from datetime import timedelta
from itertools import pairwise

from hostup_conformance.clients.rules import Findings, after, rule
from hostup_conformance.clients.story import Exchange, Story, accepted, pids_of, says
from hostup_conformance.clients.traps import advice
from hostup_conformance.http.times import retry_after_seconds
from hostup_conformance.keeping.safe_text import short_json, shown

#: How many seconds too early a request may be, since clocks and timers are not exact.
EARLY = 0.1
#: How many requests a second a client is told to send at most; how many are reported, and how many more pass in total.
A_SECOND, TOLERATED, MORE = 4, 6, 4
#: What comes so many seconds after a response has begun was hardly sent because of it.
AT_ONCE = 0.02


@rule("CLIENT-15", lambda story: story.play.does == "run" and (story.of("probe") or story.of("start")))
def no_start_without_availability(story: Story) -> Findings:
    """A start must come after a probe that returned available true.

    A missing member, null, a string, an envelope and an error do not count as true. Where commands can be run, a client
    that starts one without a probe passes.
    """
    for start in story.of("start"):
        probes = [e for e in story.of("probe") if e.ask.arrived < start.ask.arrived]
        if any(says(e, "available", True) for e in probes) or (not probes and story.play.scene.available):
            continue
        last = probes[-1] if probes else None
        got = "a start without a probe" if last is None else f"a start after {said(last)}"
        yield start, "no start unless available is true", got


def said(e: Exchange) -> str:
    """Return in words what the response to a probe said."""
    if not e.ask.delivered:
        return e.failure or "no response"
    if e.status != 200:
        return f"the status {e.status}"
    if isinstance(e.body, dict) and "available" in e.body:
        return f"available {short_json(e.body['available'], 100)}"
    return "a response without available"


def certainly_refused(e: Exchange) -> bool:
    """Whether the client can be sure that a start was not carried out: after a 4xx, a 307 or 308, or a 503."""
    return e.ask.delivered and e.status is not None and (400 <= e.status < 500 or e.status in {307, 308, 503})


@rule("CLIENT-16", lambda story: any(map(accepted, story.of("start"))))
def started_once(story: Story) -> Findings:
    """A second start in a scene is a finding once a start has returned a pid or a pollUrl."""
    first = next(e for e in story.of("start") if accepted(e))
    for e in after(first, story.of("start")):
        yield e, "one start, since the command was started", "another start"


@rule("CLIENT-17", lambda story: any(not accepted(e) and not certainly_refused(e) for e in story.of("start")))
def unsure_start_is_not_repeated(story: Story) -> Findings:
    """A start that may have been carried out must not be sent again.

    It may have been if there was no response, a broken one, or a 5xx other than 503. After a 4xx, 307, 308 or 503
    another start passes, and so it does if no connection was made, since nothing was sent.
    """
    starts = story.of("start")
    for first in (e for e in starts if not accepted(e) and not certainly_refused(e)):
        if e := next((e for e in starts if e.ask.arrived > first.ask.arrived), None):
            hint = advice(e.request.header("user-agent") or "", answered=not first.failure)
            got = f"another start after {what_came(first)}"
            yield e, f"no second start, since the first may have been carried out ({hint})", got


def what_came(start: Exchange) -> str:
    """Return in words what came after a start that may have been carried out."""
    if start.status != 200 or start.failure:
        return start.failure or f"the status {start.status}"
    return "a 200 with neither pid nor pollUrl" if isinstance(start.body, dict) else "a 200 that is no JSON object"


@rule("CLIENT-19", lambda story: story.last_poll)
def no_poll_after_the_end(story: Story) -> Findings:
    """Any poll after a response with exited true is a finding."""
    if last := story.last_poll:
        for e in after(last, story.of("poll")):
            seconds = e.ask.arrived - (last.ask.responded or last.ask.arrived)
            expected = "no poll once exited was true, whatever else came with it"
            at_once = " (were two sent at once?)" if seconds < AT_ONCE else ""
            yield e, expected, f"another poll after {seconds:.1f} seconds{at_once}"


@rule("CLIENT-38", lambda story: len(story.of("poll")) > 1)
def one_poll_at_a_time(story: Story) -> Findings:
    """A poll that arrived before the response to an earlier one of the same pid began to be sent is a finding.

    One that got no response, or that the client gave up, passes: it was lost, and to poll on is right.
    """
    for earlier, later in pairwise(story.of("poll")):
        responded, same_pid = earlier.ask.responded, pids_of(earlier.request) == pids_of(later.request)
        if earlier.ask.delivered and responded is not None and later.ask.arrived < responded and same_pid:
            seconds = later.ask.arrived - earlier.ask.arrived
            yield later, "no poll before the response to the one before", f"another poll after {seconds:.1f} seconds"


def waits_asked_for(story: Story, status: int, form: str) -> list[tuple[Exchange, float]]:
    """Return the responses with a status code and a form of Retry-After, each with the seconds that it asks for."""
    found = []
    for e in story.own:
        text = (e.header("retry-after") or "").strip()
        if e.status != status or not e.ask.delivered or form_of(text) != form or e.when is None:
            continue
        sent = e.when + timedelta(seconds=e.seconds)
        seconds = retry_after_seconds(text, sent)
        if seconds is not None:
            found.append((e, seconds))
    return found


def form_of(retry_after: str) -> str:
    """Return which form a Retry-After has: seconds, the date that all must send (RFC 9110, 5.6.7), or any other."""
    if retry_after.isdecimal():
        return "seconds"
    return "date" if retry_after[3:4] == "," else "obsolete"


def too_early(story: Story, status: int, form: str) -> Findings:
    """Yield the first request, of whatever kind, that came before a Retry-After had passed."""
    for e, seconds in waits_asked_for(story, status, form):
        for other in after(e, story.own)[:1]:
            waited = other.ask.arrived - (e.ask.responded or e.ask.arrived)
            if waited < seconds - EARLY:
                asked = e.header("retry-after")
                expected = f"nothing for {seconds:.1f} seconds after the {status} (Retry-After: {asked})"
                what = f"{other.request.method} {other.request.target.rpartition('/')[2]}"
                yield other, expected, f"the next request, {shown(what, 60)}, after {waited:.1f} seconds"


@rule("CLIENT-20", lambda story: waits_asked_for(story, 429, "seconds"))
def waits_as_told(story: Story) -> Findings:
    """After a 429, nothing may be sent until the seconds of Retry-After have passed, less a tenth of a second.

    A client that gives up passes.
    """
    yield from too_early(story, 429, "seconds")


@rule("CLIENT-21", lambda story: waits_asked_for(story, 429, "date"))
def waits_until(story: Story) -> Findings:
    """After a 429 whose Retry-After is an HTTP-date, nothing may be sent before that date, less a tenth of a second.

    CLIENT-47 reports what the client does where the date has a form that nobody may send any more.
    """
    yield from too_early(story, 429, "date")


@rule("CLIENT-47", lambda story: waits_asked_for(story, 429, "obsolete"))
def waits_until_obsolete_dates(story: Story) -> Findings:
    """Reports what the client does after a date as in RFC 850, or as asctime writes it. It judges nothing."""
    for e, _ in waits_asked_for(story, 429, "obsolete"):
        early = next(too_early(story, 429, "obsolete"), None)
        did = f"it sent {early[2]}" if early else "it waited" if after(e, story.own) else "it gave up"
        yield e, "", f"{did} after Retry-After: {e.header('retry-after')}"


@rule("CLIENT-22", lambda story: waits_asked_for(story, 503, "seconds"))
def waits_for_the_overloaded(story: Story) -> Findings:
    """After a 503, nothing may be sent until the seconds of Retry-After have passed, as in CLIENT-20."""
    yield from too_early(story, 503, "seconds")


@rule("CLIENT-23", lambda story: len(story.own) > 1)
def not_too_often(story: Story) -> Findings:
    """Of each kind, there may be six requests for each second between the first and the last, and four more.

    The client is told to send four. Timers that are not exact, and a few tries at once, are nothing to blame it for.
    """
    for kind in ("probe", "start", "poll", "other"):
        if how_often := too_often(sent := story.of(kind)):
            yield sent[-1], f"at most {A_SECOND} requests a second (sleep between them)", how_often


def too_often(sent: list[Exchange]) -> str | None:
    """Return how many requests were sent within how many seconds, if these are more than a client is to send."""
    seconds = sent[-1].ask.arrived - sent[0].ask.arrived if sent else 0.0
    within = f"{len(sent)} requests within {seconds:.1f} seconds"
    return within if len(sent) > seconds * TOLERATED + MORE else None


@rule("CLIENT-25", lambda story: any(is_final(e) for e in story.own))
def no_retry_of_refusals(story: Story) -> Findings:
    """A request that got 400, 401, 403 or 404 must not be sent again with the same method and target."""
    for e in filter(is_final, story.own):
        for other in [other for other in after(e, story.own) if sent_as(other) == sent_as(e)][:1]:
            expected = f"no second try after the status {e.status}, which a repetition does not change"
            yield other, expected, "the same request"


def is_final(e: Exchange) -> bool:
    """Whether the request was refused for good."""
    return e.ask.delivered and e.status in {400, 401, 403, 404}


def sent_as(e: Exchange) -> tuple[str, str]:
    """Return the method and the target."""
    return e.request.method, e.request.target


@rule("CLIENT-26", lambda story: story.done)
def nothing_after_success(story: Story) -> Findings:
    """Any request after the task is done is a finding. CLIENT-19 judges further polls."""
    if last := story.result:
        for e in [e for e in after(last, story.own) if e.ask.kind != "poll" or story.play.does == "probe"]:
            yield e, "nothing more, since all is done", f"{e.request.method} {e.request.target}"
