"""CLIENT: what is sent when, and what is sent again."""

from __future__ import annotations

from datetime import timedelta

from hostup_conformance.contract.client_rules import Findings, after, judging
from hostup_conformance.contract.story import Exchange, Story, says, told
from hostup_conformance.core.times import retry_after_seconds

#: How much earlier than asked a client may come, in seconds: clocks and timers are not exact.
EARLY = 0.1
#: How many requests a second a client may send while it waits, and how many more in all.
A_SECOND, MORE = 4, 2
AIOHTTP = "aiohttp repeats a lost GET by itself: give it a middleware that raises another error"
PERL = "HTTP::Tiny repeats a lost GET by itself: give it a peer callback that dies the second time"
#: What repeats a request by itself by how its User-Agent begins, and how to stop that.
REPEATERS = {
    "python/": AIOHTTP,
    "aiohttp": AIOHTTP,
    "go-http-client": "net/http repeats a lost GET on a kept connection: set Transport.DisableKeepAlives",
    "ruby": "Net::HTTP repeats a lost GET: set max_retries = 0",
    "http-tiny": PERL,
    "perl": PERL,
    "curl": "leave out --retry",
    "php": "a curl handle that is used again repeats even a POST: set CURLOPT_FRESH_CONNECT",
    "guzzle": "leave out the retry middleware for this request",
    "python-requests": "let its HTTPAdapter retry nothing but the status 429",
    "python-urllib3": "let Retry retry nothing but the status 429",
    "node": "leave out the wrapper that retries",
    "undici": "leave out the wrapper that retries",
    "axios": "leave out axios-retry for this request",
}


def advice(e: Exchange) -> str:
    """Say which switch of the client's library stops it from repeating requests, where its User-Agent tells it."""
    agent = (e.request.header("user-agent") or "").lower()
    name = max((name for name in REPEATERS if agent.startswith(name)), key=len, default=None)
    return f" ({REPEATERS[name]})" if name else ""


@judging("CLIENT-15", lambda story: story.task.does == "run" and (story.of("probe") or story.of("start")))
def gate(story: Story) -> Findings:
    """A start comes after a probe that said available true, and nothing else is taken for that: not a missing member,
    null, a text, an envelope, or an error.

    Where commands can be run, a client that starts without having asked is let pass.
    """
    for start in story.of("start"):
        probes = [e for e in story.of("probe") if e.ask.arrived < start.ask.arrived]
        if any(says(e, "available", True) for e in probes) or (not probes and story.play.available):
            continue
        last = probes[-1] if probes else None
        got = "a start without a probe" if last is None else f"a start after {said(last)}"
        yield start, "no start unless available is true", got


def said(e: Exchange) -> str:
    """Say what came back."""
    if not e.ask.delivered:
        return e.failure or "no response"
    if e.status != 200:
        return f"the status {e.status}"
    return (
        f"available {e.body['available']!r}" if isinstance(e.body, dict) and "available" in e.body else "no available"
    )


def accepted(e: Exchange) -> bool:
    """Whether a start told the client that the command was started."""
    return told(e) and isinstance(e.body, dict) and bool({"pid", "pollUrl"} & e.body.keys())


def refused(e: Exchange) -> bool:
    """Whether the client knows that a request was not carried out: a 4xx, a redirect of the request itself, a 503."""
    return e.ask.delivered and e.status is not None and (400 <= e.status < 500 or e.status in {307, 308, 503})


@judging("CLIENT-16", lambda story: any(map(accepted, story.of("start"))))
def started_once(story: Story) -> Findings:
    """Once a start told a pid or a pollUrl, there is no other start in the scene."""
    first = next(e for e in story.of("start") if accepted(e))
    for e in after(first, story.of("start")):
        yield e, "one start, since the command was started", "another start"


@judging("CLIENT-17", lambda story: any(not accepted(e) and not refused(e) for e in story.of("start")))
def lost_start(story: Story) -> Findings:
    """A start without a response, with a broken one, or with a status of 5xx may have been carried out, and is not sent
    again.

    After a 4xx, 307, 308 or 503 it may be; where no connection came about, nothing was sent.
    """
    starts = story.of("start")
    for first in (e for e in starts if not accepted(e) and not refused(e)):
        for e in [other for other in starts if other.ask.arrived > first.ask.arrived][:1]:
            yield e, f"no second start, since the first may have been carried out{advice(e)}", why_unsure(first)


def why_unsure(e: Exchange) -> str:
    """Say why nobody knows what became of a request."""
    return f"another start after {e.failure or f'the status {e.status}'}"


@judging("CLIENT-18", lambda story: any(not e.ask.delivered for e in story.of("poll")))
def lost_poll(story: Story) -> Findings:
    """A poll whose response did not come, or not as a whole, may have taken the output away: the guest agent forgets a
    command once it has reported its end. It is not sent again. After a status of 5xx it may be.
    """
    polls = story.of("poll")
    for first in (e for e in polls if not e.ask.delivered):
        for e in [other for other in polls if other.ask.arrived > first.ask.arrived][:1]:
            yield e, f"no second poll, since the output may be lost{advice(e)}", f"another poll after: {first.failure}"


@judging("CLIENT-19", lambda story: story.last_poll)
def no_poll_after_the_end(story: Story) -> Findings:
    """Once a poll told the client that exited is true, no other comes."""
    if story.last_poll:
        for e in after(story.last_poll, story.of("poll")):
            yield e, "no poll once exited was true", "another poll"


def waits(story: Story, status: int, form: str) -> list[tuple[Exchange, float]]:
    """Return responses of a status with Retry-After of a form, each with the seconds from its sending on."""
    found = []
    for e in story.own:
        text = (e.header("retry-after") or "").strip()
        if e.status != status or not e.ask.delivered or text.isdecimal() is not (form == "seconds") or e.when is None:
            continue
        sent = e.when + timedelta(seconds=e.seconds)
        seconds = retry_after_seconds(text, sent)
        if seconds is not None:
            found.append((e, seconds))
    return found


def too_early(story: Story, status: int, form: str) -> Findings:
    """Find what came before the time that a response named; whatever it asks for, since a limit holds for all."""
    for e, seconds in waits(story, status, form):
        for other in after(e, story.own)[:1]:
            waited = other.ask.arrived - (e.ask.answered or e.ask.arrived)
            if waited < seconds - EARLY:
                yield (
                    other,
                    f"nothing for {seconds:.1f} seconds after the {status} (Retry-After: {e.header('retry-after')})",
                    f"the next request after {waited:.1f} seconds",
                )


@judging("CLIENT-20", lambda story: waits(story, 429, "seconds"))
def waits_as_told(story: Story) -> Findings:
    """After a 429 nothing is sent for as many seconds as Retry-After says, a tenth of a second less being let pass.

    To give up is let pass.
    """
    yield from too_early(story, 429, "seconds")


@judging("CLIENT-21", lambda story: waits(story, 429, "date"))
def waits_until(story: Story) -> Findings:
    """After a 429 whose Retry-After is an HTTP-date nothing is sent before that, a tenth of a second being let pass."""
    yield from too_early(story, 429, "date")


@judging("CLIENT-22", lambda story: waits(story, 503, "seconds"))
def waits_for_the_overloaded(story: Story) -> Findings:
    """As CLIENT-20, after a 503."""
    yield from too_early(story, 503, "seconds")


@judging("CLIENT-23", lambda story: len(story.own) > 1)
def not_too_often(story: Story) -> Findings:
    """From the first request of a kind to the last there are no more than four a second, and two besides."""
    for kind in ("probe", "start", "poll", "other"):
        sent = story.of(kind)
        if len(sent) > MORE:
            seconds = sent[-1].ask.arrived - sent[0].ask.arrived
            if len(sent) > seconds * A_SECOND + MORE:
                yield (
                    sent[-1],
                    f"at most {A_SECOND} requests a second (sleep between them)",
                    f"{len(sent)} requests within {seconds:.1f} seconds",
                )


@judging("CLIENT-25", lambda story: any(is_final(e) for e in story.own))
def no_retry_of_refusals(story: Story) -> Findings:
    """A request that got 400, 401, 403 or 404 is not sent again with the same method and target."""
    for e in filter(is_final, story.own):
        again = [o for o in after(e, story.own) if (o.request.method, o.request.target) == sent_as(e)]
        for other in again[:1]:
            yield other, f"no second try after the status {e.status}, which no repetition mends", "the same request"


def is_final(e: Exchange) -> bool:
    """Whether it was refused for good."""
    return e.ask.delivered and e.status in {400, 401, 403, 404}


def sent_as(e: Exchange) -> tuple[str, str]:
    """Return method and target."""
    return e.request.method, e.request.target


@judging("CLIENT-26", lambda story: story.done)
def nothing_after_success(story: Story) -> Findings:
    """Once the task is done nothing is sent; further polls are CLIENT-19's."""
    last = story.availability if story.task.does == "probe" else story.last_poll
    if last:
        for e in [e for e in after(last, story.own) if e.ask.kind != "poll" or story.task.does == "probe"]:
            yield e, "nothing more, since all is done", f"{e.request.method} {e.request.target}"
