"""What befell a command besides what its own output tells, by the evidence of several commands. It judges nothing.

Each mishap has one requirement that tells of it; what follows from it is told by no other.
"""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from math import inf
from unicodedata import normalize

from hostup_conformance.contract.ask import SLEEP
from hostup_conformance.contract.commands import printed_anywhere
from hostup_conformance.contract.content import member, refused
from hostup_conformance.contract.lives import (
    Life,
    ended_early,
    seconds_to_end,
    seen_running,
    sleepless,
    stream,
    without_sleep,
)
from hostup_conformance.contract.selectors import BUSY, new_poll

#: The exit codes from here on are those with which a shell tells that a signal ended a command.
SIGNALLED = 128
#: What a shell, or who passes a command on, may take for something else than a letter.
MARKS = frozenset("$`\\\"'<>&%+ \t\n")
#: The commands that may print one thing or another.
VARYING = {"again", "trace", "not_utf_8"}
#: So many characters may be added at one place of a text by whoever writes another for it.
ADDED = 8
#: After how many seconds the command that reads its input ends itself where that stays open.
INPUT_SECONDS = 4.0


def visible(text: str) -> str:
    """Return what people see of a text: composed, without blanks and control characters."""
    composed = normalize("NFC", text)
    unseen = (c for c in set(composed) if c.isspace() or not c.isprintable())
    return composed.translate(dict.fromkeys(map(ord, unseen)))


def printed(life: Life) -> str:
    """Return what a command should print, or how that begins; empty if nothing, or if it is unknown."""
    begun = printed_anywhere(life.start.ask.command or "")
    return life.command.stdout.decode("utf-8", "replace") if life.command else life.text or begun


def went_wrong(life: Life) -> bool:
    """Whether a command of the run did not print, or end, as it should; or was not seen to end although it should."""
    if life.name in VARYING:
        return False
    if life.end is None or life.command is None:
        return life.is_short and bool(life.polls) and visible(printed(life)) not in visible(stdout(life))
    code = life.command.exit_code
    return (
        plain(printed(life)) != plain(stdout(life))
        or visible(errors_of(life)) not in visible(stream(life.end, "stderr"))
        or (code is not None and exit_code(life) not in (code, None))
    )


def plain(text: str) -> str:
    """Return a text without what differs from system to system: line ends, and white space around it."""
    return text.replace("\r\n", "\n").strip()


def stdout(life: Life) -> str:
    """Return what a command was reported to have printed by its end."""
    return stream(life.end, "stdout") if life.end else ""


def cut_short(every: Sequence[Life]) -> list[Life]:
    """Return the commands that had an end before their own, by their duration, or by their exit code and output.

    A signal ended a command if its exit code says so, or is missing though others have one, and its output is not
    whole; and so it did others with the same exit code. Where a command ended too early, so did one that takes a while
    and printed only the beginning; and so did one whose sleep failed after it had slept for a while, and one that only
    sleeps and has no exit code, where sleep is known to work.
    """
    odd = [life for life in every if life.end and has_odd_code(life)]
    codes = {exit_code(life) for life in every if life.end}
    telling = {exit_code(life) for life in odd if is_cut(life)} - ({None} if len(codes) == 1 else set())
    found = [life for life in every if ended_early(life) or (life in odd and exit_code(life) in telling)]
    early = any(map(ended_early, found))
    cut = [life for life in every if life.name == "slow" and life.end and early and is_cut(life)]
    cut += [life for life in every if life.has_sleep and without_sleep(life)]
    sleeps = any(life.name == "slow" and life.end and not is_cut(life) and not sleepless(life) for life in every)
    cut += [life for life in odd if sleeps and life.start.ask.command == SLEEP and exit_code(life) is None]
    return [*found, *(life for life in cut if life not in found)]


def time_limit(cut: Sequence[Life], every: Sequence[Life]) -> tuple[float, float] | None:
    """Return between how many seconds after their starts several commands ended that had been seen to run.

    There is none where another was seen to run for longer.
    """
    ran = {life.start.number: seen_running(life) for life in every}
    spans = [(ran[life.start.number], seconds_to_end(life)) for life in cut]
    least, most = max((first for first, _ in spans), default=0.0), min((last for _, last in spans), default=0.0)
    known = len(spans) > 1 and all(first for first, _ in spans)
    return (least, most) if known and max(ran.values()) <= least < most < inf else None


def exit_code(life: Life) -> int | float | str | None:
    """Return the exit code with which a command was reported to have ended; None for what cannot be one."""
    code = member(life.end, "exitCode") if life.end else None
    return code if isinstance(code, int | float | str) else None


def has_odd_code(life: Life) -> bool:
    """Whether a command that ends by itself was reported to have no exit code, or that of a signal."""
    code, own = exit_code(life), life.command.exit_code if life.command else 0
    signalled = isinstance(code, int) and code >= SIGNALLED and code != own
    soon = life.name != "input" or seconds_to_end(life) < INPUT_SECONDS
    return own is not None and soon and (signalled or code is None)


def is_cut(life: Life) -> bool:
    """Whether a command was reported to have printed only the beginning of what it prints, or nothing of it."""
    got = [(printed(life), stdout(life)), (errors_of(life), stream(life.end, "stderr") if life.end else "")]
    whole = all(text.strip() == came.strip() for text, came in got)
    return not whole and all(text.startswith(came.rstrip()) for text, came in got)


def altered(every: Sequence[Life]) -> list[Life]:
    """Return the commands whose text was changed before they ran, the one that shows best how first.

    What one prints shows what was changed in it. That may have been the output as well: so of the others that have the
    same characters in their text, and none of them in what they print, one in four must have gone wrong.
    """
    if limit := cut_after(every):
        return sorted(longer_than(limit, every), key=lambda life: life.name != "longest")
    for life in every:
        shows = life.end and (life.name == "verbatim" or life.text)
        marks = lost_marks(printed(life), stdout(life)) if shows else set[str]()
        marks |= {"\n"} if life.name == "lines" and ends_after_one_line(life) else set()
        if not marks:
            continue
        with_marks = [one for one in every if has_any(marks, one)]
        others = [one for one in with_marks if one.end and not marks & set(printed(one) + errors_of(one))]
        if 4 * sum(map(went_wrong, others)) >= max(len(others), 1):
            return sorted(filter(went_wrong, with_marks), key=lambda one: one is not life)
    return []


def cut_after(every: Sequence[Life]) -> int | None:
    """Return after how many characters commands were cut before they ran, by one that ends in what it prints.

    Output that is as long must have come whole, and no longer command may have printed all that it prints.
    """
    for life in every:
        text, came, command = printed(life), stdout(life), life.start.ask.command or ""
        if life.name != "longest" or not came or len(came) >= len(text) or not text.startswith(came):
            continue
        whole = any(len(stdout(one)) > len(came) and printed(one) == stdout(one) for one in every)
        limit = len(command) - len(text) + len(came)
        return limit if whole and all(map(went_wrong, longer_than(limit, every))) else None
    return None


def longer_than(limit: int, every: Sequence[Life]) -> list[Life]:
    """Return the commands that ended and are longer than so many characters."""
    return [life for life in every if life.end and len(life.start.ask.command or "") > limit]


def ended_by_starts(cut: Sequence[Life], every: Sequence[Life]) -> bool:
    """Whether each of several commands was ended after another start, and none was seen to run after one."""
    soonest, next_starts = inf, dict[int, float]()
    for life in reversed(every):
        next_starts[life.start.number] = soonest
        answered = life.start.when.timestamp() + life.start.seconds if life.start.when else -inf
        soonest = min(soonest, answered)
    polls = [(e, next_starts[life.start.number]) for life in every for e in life.polls if e.when]
    ran_on = any(member(e, "exited") is False and e.when and e.when.timestamp() > at for e, at in polls)
    ends = [(life.end, next_starts[life.start.number]) for life in cut]
    return not ran_on and len(cut) > 1 and all(e and e.when and e.when.timestamp() > at for e, at in ends)


def ends_after_one_line(life: Life) -> bool:
    """Whether a command of several lines printed what its first line prints, and ended well."""
    first = printed(life).partition("B")[0]
    return stdout(life).strip() == first and exit_code(life) == 0


def has_any(marks: set[str], life: Life) -> bool:
    """Whether the text of a command has one of some characters."""
    return bool(marks & set(life.start.ask.command or ""))


def errors_of(life: Life) -> str:
    """Return what a command should write to standard error."""
    return life.command.stderr.decode() if life.command else ""


def lost_marks(text: str, came: str) -> set[str]:
    """Return the characters with a meaning of their own around which a text differs; none if it differs elsewhere."""
    marks = set[str]()
    for lost, new in changes(text, came):
        if len(new) > ADDED + len(lost) or (lost and not MARKS & set(lost)):
            return set()
        marks |= MARKS & set(lost)
    return marks if came.rstrip() not in text else set()


def changes(text: str, came: str) -> Iterator[tuple[str, str]]:
    """Yield what of a text was lost, and what came in its place."""
    for kind, a, b, c, d in SequenceMatcher(None, text, came, autojunk=False).get_opcodes():
        if kind != "equal":
            yield text[a:b], came[c:d]


def not_run_again(every: Sequence[Life]) -> list[tuple[Life, Life]]:
    """Return the starts that only got the pid of an earlier one of the same command, each with the first of these.

    A pid may come again once its command has ended. So one of them must be the command that counts its runs, and have
    counted no other, or be gone.
    """
    firsts: dict[tuple[str | None, str | None], Life] = {}
    told = [(life, firsts.setdefault((life.start.ask.command, new_poll(life.start)), life)) for life in every]
    pairs = [(life, first) for life, first in told if life is not first]
    counted = [(life, earlier) for life, earlier in pairs if life.name == "again"]
    proven = any(
        stdout(life) == stdout(earlier) if life.end else any(refused(e) and e.status not in BUSY for e in life.polls)
        for life, earlier in counted
        if earlier.end
    )
    return pairs if proven else []
