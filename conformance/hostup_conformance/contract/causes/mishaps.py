"""What befell a command besides what its own output tells, by the evidence of several commands. It judges nothing.

Each mishap has one requirement that tells of it; what follows from it is told by no other.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from math import inf
from unicodedata import normalize

from hostup_conformance.contract.ask import SLEEP, Exchange
from hostup_conformance.contract.commands import printed_anywhere, tag
from hostup_conformance.contract.content import member, refused
from hostup_conformance.contract.lives import (
    Life,
    command_text,
    ended_early,
    seconds_of,
    seconds_to_end,
    seen_running,
    sleepless,
    stream,
    without_sleep,
)
from hostup_conformance.contract.selectors import BUSY, new_poll
from hostup_conformance.keeping.safe_text import counted, short_json

#: The exit codes from here on are those with which a shell tells that a signal ended a command; and that of `timeout`.
SIGNALLED, TIMED_OUT = 128, 124
#: From how many seconds on a start takes long.
LONG_START = 0.5
#: What ends a command sooner than that is hardly a time limit.
SHORTEST_LIMIT = 1.0
#: What a shell, or who passes a command on, may take for something else than a letter.
MARKS = frozenset("$`\\\"'<>&%+ \t\n")
#: The commands that may print one thing or another.
VARYING = {"again", "trace", "not_utf_8", "killed"}
#: Those, and one that goes wrong in any case, tell nothing about which do.
UNTELLING = {*VARYING, "unknown_program"}
#: So many commands that were ended show that it was for their silence.
FEWEST = 2
#: So many commands show that they go wrong for a character in their text, and so many others that nothing else does.
FEW = 3
#: How much of what a shell says is shown.
MESSAGE = 80
#: So many characters may be added at one place of a text by whoever writes another for it, or for a variable.
ADDED, VALUE = 8, 64
#: After how many seconds the command that reads its input ends itself where that stays open.
INPUT_SECONDS = 4.0


def visible(text: str) -> str:
    """Return what people see of a text: composed, without blanks and control characters."""
    composed = normalize("NFC", text)
    unseen = (c for c in set(composed) if c.isspace() or not c.isprintable())
    return composed.translate(dict.fromkeys(map(ord, unseen)))


def printed(life: Life) -> str:
    """Return what a command should print, or how that begins; empty if nothing, or if it is unknown."""
    begun = printed_anywhere(command_text(life))
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
    sleeps and ended too early with no exit code or that of a signal, where sleep is known to work.
    """
    odd = [life for life in every if life.end and has_odd_code(life)]
    codes = {exit_code(life) for life in every if life.end}
    telling = {exit_code(life) for life in odd if is_cut(life)} - ({None} if len(codes) == 1 else set())
    found = [life for life in every if ended_early(life) or (life in odd and exit_code(life) in telling)]
    early = any(map(ended_early, found))
    cut = [life for life in every if life.name == "slow" and life.end and early and is_cut(life)]
    cut += [life for life in every if life.has_sleep and without_sleep(life)]
    sleeps = any(life.name == "slow" and life.end and not is_cut(life) and not sleepless(life) for life in every)
    only_sleep = [life for life in odd if life.start.ask.command == SLEEP and sleeps]
    cut += [life for life in only_sleep if seconds_to_end(life) < 0.9 * seconds_of(life)]
    return [*found, *(life for life in cut if life not in found)]


def limits(cut: Sequence[Life]) -> tuple[float, float] | None:
    """Return between how many seconds after their starts commands ended, of which several had been seen to run."""
    ran, most = sorted(map(seen_running, cut)), min(map(seconds_to_end, cut), default=0.0)
    return (ran[-1], most) if len(ran) > 1 and ran[-2] > 0 and ran[-1] < most < inf else None


def time_limit(cut: Sequence[Life], every: Sequence[Life]) -> str | None:
    """A time limit: no other command was seen to run for longer. So short a one may as well be the end of a request."""
    found, ran = limits(cut), max(map(seen_running, every), default=0.0)
    if not found or ran > found[1]:
        return None
    limit = f"a time limit of {max(ran, found[0]):.1f} to {found[1]:.1f} s"
    return f": {limit}{', or the end of their starts' if found[1] < SHORTEST_LIMIT else ''}, it seems"


def silence(cut: Sequence[Life], every: Sequence[Life]) -> str | None:
    """Silence is taken for the end: what was never silent for long was seen to run for longer, and nothing else."""
    least, most = max(map(seen_running, cut), default=0.0), min(map(seconds_to_end, cut), default=inf)
    spoke = [seen_running(life) for life in every if life.name == "steady" and life not in cut]
    others = [seen_running(life) for life in every if life.name != "steady"]
    if len(cut) < FEWEST or max(spoke, default=0.0) <= most or max(others, default=0.0) > most:
        return None
    return f", after {least:.1f} to {most:.1f} s of silence, taken for the end, it seems"


def polls(cut: Sequence[Life], every: Sequence[Life]) -> str | None:
    """Polls end a command, after so many: what was polled less often was seen to run for longer than those."""
    counts = {1 + times_running(life) for life in cut}
    most, times = min(map(seconds_to_end, cut), default=inf), min(counts, default=0)
    spared = [life for life in every if life not in cut and life.name != "steady" and seen_running(life) > most]
    if len(counts) != 1 or times < FEWEST or not spared or any(times_running(life) >= times for life in spared):
        return None
    return f", when it was polled for the {times}. time: polls end it, it seems"


def times_running(life: Life) -> int:
    """Return how many polls said that a command ran."""
    return sum(member(e, "exited") is False for e in life.polls if not life.end or e.number < life.end.number)


def end_of_output(cut: Sequence[Life], every: Sequence[Life]) -> str | None:
    """The end of its output is taken for that of a command: another ran on for as long that had not closed its own."""
    closed = [life.name for life in cut] == ["closed"]
    ran = closed and any(life.name == "slow" and seen_running(life) >= seconds_to_end(cut[0]) for life in every)
    whole = closed and any(life.name == "slow" and life.end and not is_cut(life) for life in every)
    return ", when it had closed its output: the end of that is taken for its own" if ran or whole else None


def starts_between(life: Life, poll: Exchange, every: Sequence[Life]) -> tuple[int, int]:
    """Return how many other starts came between that of a command and a poll of it, at least and at most."""
    begun, asked = span(life.start), span(poll)
    others = [span(one.start) for one in every if one is not life]
    surely = sum(begun[1] < sent and done < asked[0] for sent, done in others)
    return surely, sum(begun[0] < done and sent < asked[1] for sent, done in others)


def span(e: Exchange) -> tuple[float, float]:
    """Return when a request was sent and when its response had come; where times are unknown, their order."""
    sent = e.when.timestamp() if e.when else float(e.number)
    return sent, sent + e.seconds


def ended_by_starts(cut: Sequence[Life], every: Sequence[Life]) -> str | None:
    """A start ends the commands that run: each of several ended after another start, and none was seen to run on."""
    running = [starts_between(life, e, every) for life in every for e in life.polls if member(e, "exited") is False]
    follows = [life.end and starts_between(life, life.end, every)[1] for life in cut]
    if not running or any(surely for surely, _ in running) or len(cut) < FEWEST or not all(follows):
        return None
    return ", and none ran on after another start: a start ends them, it seems"


def ended_with_its_start(cut: Sequence[Life], every: Sequence[Life]) -> str | None:
    """The end of the request that starts a command ends it: none was seen to run, and one ended with no other start."""
    alone = [life for life in cut if life.end and not starts_between(life, life.end, every)[1]]
    if not alone or any(map(times_running, every)):
        return None
    killed = any(exit_code(life) is not None or (life.end and member(life.end, "signal")) for life in cut)
    early = "" if killed else "exited is true too soon, or "
    return f", and no poll said that one runs: {early}a command ends with the request that starts it, it seems"


def nothing(cut: Sequence[Life], every: Sequence[Life]) -> str | None:
    """Nothing ends them: any command is said to have ended, and with 0, not with the code of a signal or none."""
    ran = any(map(times_running, every)) or any(exit_code(life) != 0 for life in cut)
    return None if ran else "; no poll of any command got exited false"


#: Why commands were ended before their time.
ENDED_BY: tuple[Callable[[Sequence[Life], Sequence[Life]], str | None], ...] = (
    nothing,
    end_of_output,
    ended_with_its_start,
    ended_by_starts,
    polls,
    silence,
    time_limit,
)


def ended_by(cut: Sequence[Life], every: Sequence[Life]) -> str:
    """Return why commands were ended before their time, in words that follow how they ended; empty if unknown."""
    return next((words for hypothesis in ENDED_BY if (words := hypothesis(cut, every))), "")


def exit_code(life: Life) -> int | float | str | None:
    """Return the exit code with which a command was reported to have ended; None for what cannot be one."""
    code = member(life.end, "exitCode") if life.end else None
    return code if isinstance(code, int | float | str) else None


def has_odd_code(life: Life) -> bool:
    """Whether a command that ends by itself was reported to have no exit code, or that of a signal."""
    code, own = exit_code(life), life.command.exit_code if life.command else 0
    signalled = isinstance(code, int) and (code >= SIGNALLED or code == TIMED_OUT) and code != own
    soon = life.name != "input" or seconds_to_end(life) < INPUT_SECONDS
    return own is not None and soon and (signalled or code is None)


def is_cut(life: Life) -> bool:
    """Whether a command was reported to have printed only the beginning of what it prints, or nothing of it."""
    got = [(printed(life), stdout(life)), (errors_of(life), stream(life.end, "stderr") if life.end else "")]
    whole = all(text.strip() == came.strip() for text, came in got)
    return not whole and all(text.startswith(came.rstrip()) for text, came in got)


@dataclass(frozen=True)
class Alteration:
    """What was changed in the text of commands before they ran, in words, and which: first the one that shows it."""

    words: str
    lives: Sequence[Life]


def alteration(every: Sequence[Life]) -> Alteration | None:
    """Return what was changed in the text of commands, if several show it together."""
    return next((found for hypothesis in ALTERATIONS if (found := hypothesis(every))), None)


def cut_text(every: Sequence[Life]) -> Alteration | None:
    """Commands are cut after so many characters."""
    if not (limit := cut_after(every)):
        return None
    lives = sorted(longer_than(limit, every), key=lambda life: life.name != "longest")
    return Alteration(f"only its first {limit:,} of {len(command_text(lives[0])):,} characters ran", lives)


def changed_marks(every: Sequence[Life]) -> Alteration | None:
    """Some characters are changed in commands, as what one prints shows.

    That may have been the output as well: so of the others that have the same characters in their text, and none of
    them in what they print, one in four must have gone wrong.
    """
    for life in every:
        shows = life.end and (life.name == "verbatim" or life.text)
        marks = lost_marks(printed(life), stdout(life)) if shows else set[str]()
        marks |= {"\n"} if life.name == "lines" and ends_after_one_line(life) else set()
        if not marks:
            continue
        with_marks = [one for one in every if has_any(marks, one)]
        others = [one for one in with_marks if one.end and not marks & set(printed(one) + errors_of(one))]
        if 4 * sum(map(went_wrong, others)) >= max(len(others), 1):
            return Alteration(
                how_changed(life), sorted(filter(went_wrong, with_marks), key=lambda one: one is not life)
            )
    return None


def how_changed(life: Life) -> str:
    """Return what has become of the text of a command, as what it prints shows."""
    if life.name == "lines":
        return "only its first line ran"
    became = sorted(dict.fromkeys(changes(printed(life), stdout(life))), key=lambda one: -len(one[0]))
    return ", ".join(f"{short_json(lost, 20)} became {short_json(new, 20)}" for lost, new in became[:3])


def changed_line_ends(every: Sequence[Life]) -> Alteration | None:
    """The line ends in the text of commands become CR LF; those that a command makes itself come as they are."""
    ended = [life for life in every if life.end and life.name not in UNTELLING and "\r" not in printed(life)]
    stand = [life for life in ended if "\n" in command_text(life)]
    made = [life for life in ended if "\n" in printed(life).strip() and life not in stand]
    if not stand or not made or not all("\r" in stdout(life) for life in stand) or any("\r" in stdout(e) for e in made):
        return None
    return Alteration('"\\n" became "\\r\\n"', stand)


def broken_marks(every: Sequence[Life]) -> Alteration | None:
    """All commands that have a character in their text ran otherwise than they should, and no other.

    So it shows in their exit codes, or in what the shell wrote to standard error, not only in their output, and in one
    at least that does not print that character.
    """
    known = [life for life in every if life.end and life.name not in UNTELLING and (life.command or life.text)]
    wrong = [life for life in known if went_wrong(life) or foreign_errors(life)]
    right = [life for life in known if life not in wrong]
    if min(len(wrong), len(right)) < FEW or sum(map(ran_otherwise, wrong)) * 2 < len(wrong):
        return None
    every_one = all(map(ran_otherwise, wrong))
    for mark in sorted(shared_marks(wrong)):
        if mark in tag("", "") and not every_one:
            continue
        hidden = any(mark not in printed(life) + errors_of(life) for life in wrong)
        if hidden and not any(mark in command_text(life) for life in right):
            first, *others = sorted(wrong, key=lambda life: not foreign_errors(life))
            said = f", with {short_json(foreign_errors(first), MESSAGE)} in stderr" if foreign_errors(first) else ""
            words = f"all {len(wrong)} commands with {short_json(mark, 10)} in them ran otherwise{said}, and none of"
            more = [life for life in every if life.end and life.name in UNTELLING and mark in command_text(life)]
            return Alteration(f"{words} {len(right)} others", [first, *others, *more])
    return None


def cut_after(every: Sequence[Life]) -> int | None:
    """Return after how many characters commands were cut before they ran, by one that ends in what it prints.

    Output that is as long must have come whole, and no longer command may have printed all that it prints.
    """
    for life in every:
        text, came, command = printed(life), stdout(life), command_text(life)
        if life.name != "longest" or not came or len(came) >= len(text) or not text.startswith(came):
            continue
        whole = any(len(stdout(one)) > len(came) and printed(one) == stdout(one) for one in every)
        limit = len(command) - len(text) + len(came)
        longer = longer_than(limit, every)
        same = all(is_cut_there(one, limit) for one in longer)
        return limit if whole and same and all(map(went_wrong, longer)) else None
    return None


def is_cut_there(life: Life, limit: int) -> bool:
    """Whether a command may have been cut at a limit, in characters or in bytes, by how much of its text it printed."""
    text, came = printed(life), stdout(life)
    if not came or life.name not in {"longest", "longest_in_bytes"} or not text.startswith(came.rstrip("\ufffd")):
        return True
    before = len(command_text(life)) - len(text)
    sizes = (len(came), len(came.encode("utf-8", "replace")), len(came.encode("utf-16-le", "replace")) // 2)
    return any(before + size - 4 <= limit <= before + size + 4 for size in sizes)


def longer_than(limit: int, every: Sequence[Life]) -> list[Life]:
    """Return the commands that ended, are longer than so many characters, and print one thing alone."""
    return [life for life in every if life.end and len(command_text(life)) > limit and life.name not in VARYING]


def ends_after_one_line(life: Life) -> bool:
    """Whether a command of several lines printed what its first line prints, and ended well."""
    first = printed(life).partition("B")[0]
    return stdout(life).strip() == first and exit_code(life) == 0


def has_any(marks: set[str], life: Life) -> bool:
    """Whether the text of a command has one of some characters."""
    return bool(marks & set(command_text(life)))


def errors_of(life: Life) -> str:
    """Return what a command should write to standard error."""
    return life.command.stderr.decode() if life.command else ""


def shared_marks(some: Sequence[Life]) -> set[str]:
    """Return the characters that are neither letters nor digits and that all of some commands have in their text."""
    return {mark for mark in set.intersection(*(set(command_text(life)) for life in some)) if not mark.isalnum()}


def ran_otherwise(life: Life) -> bool:
    """Whether a command ended with another exit code than its own, or something else was written to its stderr."""
    own, code = life.command.exit_code if life.command else 0, exit_code(life)
    return (isinstance(code, int) and code != own) or foreign_errors(life) != ""


def foreign_errors(life: Life) -> str:
    """Return what a command is said to have written to standard error, if that is something else than it writes."""
    said = stream(life.end, "stderr").strip() if life.end else ""
    return said if visible(said) != visible(errors_of(life)) else ""


def lost_marks(text: str, came: str) -> set[str]:
    """Return the characters with a meaning of their own around which a text differs; none if it differs elsewhere."""
    marks = set[str]()
    if came.rstrip() in text or not MARKS & set(text) or len(came) > VALUE * len(text):
        return marks
    for lost, new in changes(text, came):
        if len(new) > (VALUE if "$" in lost else ADDED) + len(lost) or (lost and not MARKS & set(lost)):
            return set()
        marks |= MARKS & set(lost)
    return marks


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


#: What may have been changed in commands before they ran.
ALTERATIONS: tuple[Callable[[Sequence[Life]], Alteration | None], ...] = (
    cut_text,
    changed_marks,
    changed_line_ends,
    broken_marks,
)


@dataclass(frozen=True)
class Run:
    """How often a command ran, as the end of one tells that counts it; `life` is its last start of so many."""

    life: Life
    starts: int
    times: int
    told_by: Exchange
    #: The polls of it, after its end had been told, until it was started for the last time.
    after_end: int = 0
    #: How many of its starts took long.
    slow_starts: int = 0


def runs_of(every: Sequence[Life], failed: Sequence[Exchange] = ()) -> list[Run]:
    """Return how often commands ran that leave a trace. The first trace is taken before anything is written.

    A start that failed may have been carried out, or not.
    """
    named = {life.name: life for life in reversed(every)}

    def started(life: Life, number: int, times: int) -> int:
        unsure = sum(e.ask.command == life.start.ask.command for e in failed)
        return min(max(times, number), number + unsure)

    traces = [life.end for life in every if life.name == "trace" and life.end]
    found = []
    for e in traces[1:] if "once" in named else ():
        counts = re.search(r"once (\d{1,9}) slow (\d{1,9})\s*$", stream(e, "stdout"))
        for name, times in zip(("once", "slow"), counts.groups() if counts else (), strict=False):
            slow = int(name in named and named[name].start.seconds >= LONG_START)
            number = started(named[name], 1, int(times)) if name in named else 0
            found += [Run(named[name], number, int(times), e, slow_starts=slow)] if number else []
    again = [life for life in every if life.name == "again"]
    for number, life in enumerate(again, 1):
        times = stdout(life).strip()
        polls = [e for one in again[: number - 1] for e in one.polls if one.end and e.number > one.end.number]
        if life.end and times.isdecimal():
            slow = sum(one.start.seconds >= LONG_START for one in again[:number])
            ran = int(times[:9])
            found.append(Run(life, started(life, number, ran), ran, life.end, len(polls), slow))
    return found


def repeated_slowly(run: Run, runs: Sequence[Run]) -> str | None:
    """What takes long to start is started again, as by a gateway that does not wait: each ran once more for each such.

    What ran too seldom shows nothing: then so may the command have run too often that removes what is counted.
    """
    agree = all(one.times - one.starts == one.slow_starts for one in runs if one.times >= one.starts)
    if run.times <= run.starts or not agree:
        return None
    took = f"{counted(run.slow_starts, 'start')} of it took {LONG_START:g} s or more"
    return f"; {took}: something in front has sent that again, it seems"


def run_by_polls(run: Run, runs: Sequence[Run]) -> str | None:
    """Each poll after the end of a command runs it again: what was not polled then ran once."""
    more = run.times - run.starts
    others = [one.times == one.starts for one in runs if not one.after_end]
    if not 0 < more == run.after_end or not others or not all(others):
        return None
    return f", as often as it was started and polled after its end ({run.after_end}): a poll runs it again, it seems"


def run_again_for_failure(run: Run, runs: Sequence[Run]) -> str | None:
    """What fails is run again: what ends with 0 was not."""
    codes = {one.life.name: one.life.command.exit_code for one in runs if one.life.command}
    more = {one.life.name for one in runs if one.times > one.starts}
    well = {one.life.name for one in runs if one.times == one.starts and not codes.get(one.life.name)}
    if run.times <= run.starts or not all(map(codes.get, more)) or not well:
        return None
    return f", and ends with exitCode {codes[run.life.name]}; one that ends with 0 ran once"


def run_when_polled(run: Run, runs: Sequence[Run]) -> str | None:
    """A command waits for its first poll: that came later, and then the command ran, and all that were polled did."""
    polls, ran = run.life.polls, [one.times for one in runs if one.life.name != run.life.name]
    waits = not run.times and polls and polls[0].number > run.told_by.number and run.life.end
    if not waits or not ran or not all(ran) or visible(printed(run.life)) not in visible(stdout(run.life)):
        return None
    return " until it was polled, and then it did: a command waits for its first poll, it seems"


def run_at_each_start(run: Run, runs: Sequence[Run]) -> str | None:
    """Every start runs its command several times."""
    more = {one.life.name for one in runs if one.times > one.starts}
    every = run.times > run.starts and len(more) > 1 and more == {one.life.name for one in runs}
    return ", and so have all: each start runs its command several times" if every else None


#: Why commands ran too often, or not at all.
RUN: tuple[Callable[[Run, Sequence[Run]], str | None], ...] = (
    repeated_slowly,
    run_at_each_start,
    run_by_polls,
    run_again_for_failure,
    run_when_polled,
)


def why_run(run: Run, runs: Sequence[Run]) -> str:
    """Return why a command ran too often, or not at all, in words that follow how often; empty if unknown."""
    return next((words for hypothesis in RUN if (words := hypothesis(run, runs))), "")
