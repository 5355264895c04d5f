"""CLIENT: how the client ends, and what it prints, neither of which a recording shows."""

import json
import re

from hostup_conformance.clients.rules import Findings, difference, rule
from hostup_conformance.clients.rules.course import too_often
from hostup_conformance.clients.story import Exchange, Outcome, Story, accepted, got_200, how, says
from hostup_conformance.contract.paths import ENDPOINT

#: How many of the last bytes of the standard error are looked at for what the command said last.
TOLD = 4000
#: A line that a runtime prints below an uncaught error, and the line of that error, where it has a usual form.
BELOW_ERROR = re.compile(
    r"\s|[\"})\]]|#\d|[Ss]tack (back)?trace|CallStack |Execution halted|note: |Node\.js v|exit status \d"
)
ERROR = re.compile(r"(panic|fatal error|Uncaught|Exception in thread|[\w.$]*(Error|Exception))\b.*: |\S+:\d+:in .*: ")


def ran(story: Story) -> bool:
    """Whether the client was seen to run."""
    return story.outcome.ended_by not in {"unseen", "start"}


def ended(story: Story) -> bool:
    """Whether the client ended by itself."""
    return story.outcome.ended_by == "itself"


def has_output(story: Story) -> bool:
    """Whether the client got the output that it has to print, and had the time to print it."""
    return ended(story) and story.play.does != "probe" and story.done and not story.gave_up


def failed(story: Story) -> bool:
    """Whether the client cannot have succeeded. A probe that got a response of the right form may have."""
    probed = story.play.does == "probe" and any(got_200(e) and isinstance(e.body, dict) for e in story.of("probe"))
    return ended(story) and not story.done and not probed


@rule("CLIENT-24", ran)
def comes_to_an_end(story: Story) -> Findings:
    """The client must end by itself before the scene does, some seconds after it was to give up (HOSTUP_TIMEOUT)."""
    if story.outcome.ended_by == "deadline":
        expected = f"an end to the waiting (HOSTUP_TIMEOUT was {story.play.scene.timeout:g})"
        told = story.result.ask.responded if story.result else None
        reads = "" if told is None else f", {story.outcome.seconds - told:.0f} of them with what it had waited for"
        yield None, expected, f"a client that had not ended after {story.outcome.seconds:.0f} seconds{reads}"


def lost_polls(story: Story) -> list[Exchange]:
    """Return the polls that got no complete response, or a 200 without content."""
    polls = story.of("poll")
    return [e for e in polls if not e.ask.delivered or (e.status == 200 and e.response and not e.response.body.strip())]


@rule("CLIENT-18", lambda story: lost_polls(story) and failed(story))
def loss_is_no_end(story: Story) -> Findings:
    """If a poll got no complete response, and no other said that the command has ended, the exit code must not be 0.

    To poll on passes, and so does to fail. What the later polls get does not matter: a 404 says that the command was
    forgotten, not that it succeeded.
    """
    lost = lost_polls(story)
    if story.outcome.code == 0:
        why = lost[0].failure or "the response was empty"
        yield lost[0], "another poll, or an exit code that is not 0", f"the exit code 0, although {why}"


@rule("CLIENT-27", lambda story: failed(story) and not lost_polls(story))
def failure_shows(story: Story) -> Findings:
    """If the client did not get the result that it was asked for, its exit code must not be 0.

    CLIENT-18 judges it where the response to a poll was lost, and CLIENT-40 where the result is a no.
    """
    if story.outcome.code == 0:
        yield None, f"an exit code that is not 0, since {what_went_wrong(story)}", "the exit code 0"


def what_went_wrong(story: Story) -> str:
    """Return why the client cannot have succeeded."""
    if not story.own:
        return "no request came"
    last = story.own[-1]
    if not last.ask.delivered:
        return last.failure or "no response came"
    if last.status != 200:
        return f"the last response was a {last.status}"
    if not isinstance(last.body, dict):
        return "the last response was no JSON object"
    if story.of("poll"):
        return "no poll said that exited is true"
    return "the command was not started" if not story.of("start") else "no poll followed"


@rule("CLIENT-28", lambda story: story.play.does != "probe" and failed(story))
def no_output_but_the_commands(story: Story) -> Findings:
    """Without the command's output, standard output must stay empty.

    White space passes, and so does what polls of the running command returned.
    """
    printed = story.outcome.stdout
    if printed.strip() and printed not in story.partial_outputs:
        got = printed[:60].decode("utf-8", "replace")
        yield None, "nothing on the standard output, since there was no output (errors go to the standard error)", got


def stream(story: Story, name: str) -> bytes:
    """Return what the command in the guest printed to a stream."""
    text = (story.output or {}).get(name)
    return text.encode("utf-8", "surrogatepass") if isinstance(text, str) else b""


@rule("CLIENT-29", has_output)
def stdout_to_the_byte(story: Story) -> Findings:
    """Standard output must be `stdout` in UTF-8, with nothing added, left out or changed."""
    expected = stream(story, "stdout")
    if story.outcome.stdout != expected:
        asked, got = difference(expected, story.outcome.stdout, "standard output")
        elsewhere = bool(expected.strip()) and expected in story.outcome.stderr
        yield None, asked, f"{got}{', and all of it on the standard error' if elsewhere else ''}"


@rule("CLIENT-30", has_output)
def stderr_to_the_byte(story: Story) -> Findings:
    """Standard error must contain `stderr` in UTF-8. Anything else that it contains passes."""
    expected = stream(story, "stderr")
    if expected not in story.outcome.stderr:
        yield None, *difference(expected, story.outcome.stderr, "standard error")


def exit_code(story: Story) -> int | None:
    """Return the exit code that the client got from the server."""
    code = (story.output or {}).get("exitCode")
    return code if isinstance(code, int) and not isinstance(code, bool) else None


@rule("CLIENT-31", lambda story: has_output(story) and exit_code(story) is not None)
def exit_code_comes_through(story: Story) -> Findings:
    """The client must exit with `exitCode`.

    For one that is not between 0 and 255, any code but 0 passes: its last eight bits, say, where those are not 0.
    """
    outcome, code = story.outcome, exit_code(story) or 0
    fits = 0 <= code < 256
    if outcome.code != code if fits else not outcome.code:
        expected = f"the exit code {code}" if fits else f"an exit code that is not 0, for {code}"
        yield None, expected, f"{outcome.code}{last_words(outcome)}"


@rule("CLIENT-32", lambda story: has_output(story) and exit_code(story) is None)
def no_exit_code_is_no_success(story: Story) -> Findings:
    """If `exitCode` is null or missing, the exit code must not be 0."""
    if story.outcome.code == 0:
        yield None, "an exit code that is not 0, since the command has none (a signal ended it)", "0"


def unfinished_task(story: Story) -> Findings:
    """Yield a finding if the client did not finish its task, or did not end by itself.

    One that gives up when its time is up passes where the output is large: that takes some languages half a minute. Of
    one that does not give up while it reads that, CLIENT-24 tells.
    """
    slow = story.play.scene.prints and (story.gave_up or (story.done and not ended(story)))
    if (not story.done or not ended(story)) and not slow:
        does = "asks whether commands can be run" if story.play.does == "probe" else "gets the command's output"
        what = f"a client that {does}, and ends by itself"
        came = [f"{e.request.method} {e.status or e.failure}" for e in story.own]
        sent = ", ".join(came[-4:]) or "one that sent no request"
        yield None, what, f"{sent}; {how(story.outcome)}{left_out(story)}{last_words(story.outcome)}"


def left_out(story: Story) -> str:
    """Return that no poll followed the start, or that the client ended while a poll said that the command ran."""
    if any(map(accepted, story.of("start"))) and not story.of("poll"):
        return ", and there was no poll, a GET with pid in its query"
    if not ended(story) or not story.own or not says(story.own[-1], "exited", False):
        return ""
    return f", although exited was still false, and HOSTUP_TIMEOUT {story.play.scene.timeout:g}"


def last_words(outcome: Outcome) -> str:
    """Return what the command said last on its standard error, after a colon; nothing if it said nothing.

    Where a runtime prints a stack, a hint or its version below the error, as many do, it is the error.
    """
    lines = [line for line in outcome.stderr[-TOLD:].decode("utf-8", "replace").splitlines() if line.strip()]
    if lines and BELOW_ERROR.match(lines[-1]):
        above = [line for line in lines if not BELOW_ERROR.match(line)]
        lines = [line for line in lines if ERROR.match(line)][:1] or above or lines
    return f": {lines[-1].strip()}" if lines else ""


@rule("CLIENT-33", lambda story: story.play.scene.completes == "CLIENT-33" and story.outcome.is_seen)
def succeeds_with_a_right_server(story: Story) -> Findings:
    """In a scene in which the server behaves as documented, the client must get the command's output, and end."""
    yield from unfinished_task(story)


@rule("CLIENT-34", lambda story: story.play.scene.completes == "CLIENT-34" and story.outcome.is_seen)
def survives_a_closed_connection(story: Story) -> Findings:
    """The server closes each connection after its response; the client must open another one and get the output."""
    yield from unfinished_task(story)


@rule("CLIENT-42", lambda story: story.play.scene.completes == "CLIENT-42" and story.outcome.is_seen)
def any_base_url(story: Story) -> Findings:
    """The requests must be for the paths of the API below the base URL, and the client must get the output."""
    scene = story.play.scene
    for e in story.of("other"):
        yield e, f"{scene.prefix}{ENDPOINT}, since HOSTUP_BASE_URL {scene.form}", e.request.target
    yield from unfinished_task(story)


@rule("CLIENT-44", lambda story: ended(story) and story.outcome.left_behind is not None)
def leaves_nothing_behind(story: Story) -> Findings:
    """Three seconds after the command has ended, no process with its environment may run. (Where there is a /proc.)"""
    if story.outcome.left_behind:
        yield None, "no process that runs on", ", ".join(sorted(story.outcome.left_behind))


@rule("CLIENT-35", failed)
def failure_is_explained(story: Story) -> Findings:
    """A client that fails must print something, to either stream."""
    if story.outcome.code != 0 and not (story.outcome.stderr + story.outcome.stdout).strip():
        yield None, f"a message on the standard error, since {what_went_wrong(story)}", "no word"


@rule("CLIENT-36", ran)
def keeps_within_bounds(story: Story) -> Findings:
    """In one scene there are at most 500 requests, of 4 MiB in all, on 100 connections at once.

    The command prints at most 2 MiB more to each stream than it is to print.
    """
    if story.outcome.ended_by == "bound":
        often = too_often(story.own)
        got = f"{story.outcome.reason}{f': {often} (sleep between them)' if often else ''}"
        yield None, "what a client of one command needs", got


def probed(story: Story) -> Exchange | None:
    """Return the last probe, if the client asks for nothing else and ended by itself before its time was up."""
    probes = story.of("probe") if story.play.does == "probe" and ended(story) and not story.gave_up else []
    return probes[-1] if probes else None


def told_no(e: Exchange) -> bool:
    """Whether the response to a probe is of the right form, and does not say that commands can be run."""
    return got_200(e) and isinstance(e.body, dict) and e.body.get("available") is not True


@rule("CLIENT-40", lambda story: (e := probed(story)) and (told_no(e) or story.availability))
def yes_means_true(story: Story) -> Findings:
    """A client that only probes must exit with 0 if `available` is true, and with another code if it is not.

    A missing member, null, a text and an envelope are a no.
    """
    e, outcome = probed(story), story.outcome
    if e and told_no(e) is (outcome.code == 0):
        available = json.dumps(e.body["available"], ensure_ascii=False) if "available" in e.body else "missing"
        expected = "a code other than 0" if told_no(e) else "the exit code 0"
        yield e, f"{expected}, since available is {available}", f"the exit code {outcome.code}{last_words(outcome)}"


@rule("CLIENT-41", lambda story: (e := probed(story)) and not says(e, "available", True))
def no_is_not_an_error(story: Story) -> Findings:
    """A client that only probes should exit with 1 for a no, and with neither 0 nor 1 if it got no such response.

    CLIENT-40 and CLIENT-27 judge an exit code of 0.
    """
    e, outcome = probed(story), story.outcome
    if e and outcome.code and told_no(e) is not (outcome.code == 1):
        expected = (
            "the exit code 1, which says no" if told_no(e) else "an exit code above 1, since it could not be asked"
        )
        yield e, expected, f"{outcome.code}{last_words(outcome)}"
