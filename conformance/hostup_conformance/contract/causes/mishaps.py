"""What befell a command besides what its own output tells, by the evidence of several commands. It judges nothing.

Each mishap has one requirement that tells of it; what follows from it is told by no other.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from operator import itemgetter

from hostup_conformance.contract.ask import SLEEP, Exchange, new_pid
from hostup_conformance.contract.commands import ESCAPED, NOTED, printed_anywhere, tag, without_note
from hostup_conformance.contract.content import member, refused
from hostup_conformance.contract.lives import (
    Life,
    command_text,
    ended_early,
    seconds_of,
    seconds_to_end,
    sleepless,
    stream,
    without_sleep,
)
from hostup_conformance.contract.selectors import BUSY, new_poll
from hostup_conformance.keeping.safe_text import counted, short_json, visible

#: The exit codes from here on are those with which a shell tells that a signal ended a command; and that of `timeout`.
SIGNALLED, TIMED_OUT = 128, 124
#: How many bytes a pipe holds.
PIPE = 1 << 16
#: Which part of the pids in their range is given where they are counted.
DENSE = 0.6
#: From how many seconds on a start takes long.
LONG_START = 0.5
#: What a shell, or who passes a command on, may take for something else than a letter.
MARKS = frozenset("$`\\\"'<>&%+ \t\n")
#: What a shell takes off around words.
QUOTES = ("'", '"')
#: The commands that may print one thing or another.
VARYING = {"again", "trace", "not_utf_8", "killed"}
#: Those, one that goes wrong in any case, and those that hide what a shell says tell nothing about which do.
UNTELLING, HIDES = {*VARYING, "unknown_program"}, "2>/dev/null"
#: What is said of a command whose text was changed.
ALTERED = "one that was altered before it ran"
#: So many commands show that they go wrong for a character in their text, and so many others that nothing else does.
FEW_COMMANDS = 3
#: So many show it although some with the character went well, for each that went wrong at most so many.
MANY_COMMANDS, SPARED = 8, 0.3
#: Which part of the commands with a character must have gone wrong, if that was changed in all of them.
ONE_IN_FOUR = 0.25
#: So many characters at most are told, of which each command that goes wrong has one.
MOST_MARKS = 3
#: How many characters of what was lost are shown.
MOST_LOST = 32
#: How much of what a shell says is shown.
MESSAGE = 80
#: So many characters may be added at one place of a text by whoever writes another for it, or for a variable.
ADDED, VALUE = 8, 64
#: How long two texts may be, in the product of their characters, to be compared with each other: a tenth of a second.
COMPARABLE = 1_000_000
#: After how many seconds the command that reads its input ends itself where that stays open.
INPUT_SECONDS = 4.0


def printed(life: Life) -> str:
    """Return what a command should print, or how that begins; empty if nothing, or if it is unknown."""
    begun = printed_anywhere(command_text(life))
    return life.command.stdout.decode("utf-8", "replace") if life.command else life.text or begun


def went_wrong(life: Life) -> bool:
    """Whether a command of the run did not print, or end, as it should; or was not seen to end although it should."""
    if life.name in VARYING:
        return False
    if life.end is None or life.command is None:
        lost = life.is_short and bool(life.polls) and visible(printed(life)) not in visible(stdout(life))
        return lost or (bool(life.text and life.end) and exit_code(life) not in (0, None))
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
    sleeps and ended too early with no exit code or that of a signal, where sleep is known to work. Where that alone
    ended too early which had closed its output, so did all with the exit code that it has, if that is not their own.
    """
    odd = [life for life in every if life.end and has_odd_code(life)]
    # Where none that succeeds has a code, a missing one says nothing.
    successes = {exit_code(life) for life in every if life.end and (not life.command or life.command.exit_code == 0)}
    telling = {exit_code(life) for life in odd if is_cut(life)} - (successes if successes == {None} else set())
    found = [life for life in every if ended_early(life) or (life in odd and exit_code(life) in telling)]
    usual = {"", *(foreign_errors(life) for life in every if life.name == "nothing")}
    found = [life for life in found if life.name != "closed" or foreign_errors(life) in usual]
    early = any(map(ended_early, found))
    cut = [life for life in every if life.name == "slow" and life.end and early and is_cut(life)]
    cut += [life for life in every if life.has_sleep and without_sleep(life)]
    sleeps = any(life.name == "slow" and life.end and not is_cut(life) and not sleepless(life) for life in every)
    only_sleep = [life for life in odd if life.start.ask.command == SLEEP and sleeps]
    cut += [life for life in only_sleep if seconds_to_end(life) < 0.9 * seconds_of(life)]
    if [life.name for life in found] == ["closed"] and (code := exit_code(found[0])) is not None:
        cut += [
            life for life in every if life.command and life.end and exit_code(life) == code != life.command.exit_code
        ]
    return [*found, *(life for life in cut if life not in found)]


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
    """Return what was changed in the text of commands, if several show it together.

    None if all that print something got one text, which has nothing to do with theirs.
    """
    came = Counter(stdout(life) for life in every if life.end and printed(life))
    if len(came) == 1 and came.total() >= FEW_COMMANDS:
        return None
    return next((found for hypothesis in ALTERATIONS if (found := hypothesis(every))), None)


def escaped(every: Sequence[Life]) -> Alteration | None:
    """A backslash is put before what a shell expands: the command that asks which shell there is prints some."""
    for life in every:
        if printed_anywhere(command_text(life)) and ESCAPED in stdout(life):
            others = [one for one in every if one is not life and (went_wrong(one) or one.name in VARYING)]
            return Alteration(f"'$@' became {ESCAPED}: a backslash before what a shell expands", [life, *others])
    return None


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
        marks -= {" "} if len(marks) > 1 else set()  # which all have
        # One of them alone may have brought about what became of others, as a backslash before a quote does.
        shares = ((share_gone_wrong(some, every), some) for some in (marks, *({mark} for mark in sorted(marks))))
        share, some = max(shares, key=itemgetter(0))
        if share >= ONE_IN_FOUR:
            wrong = [one for one in every if has_any(some, command_text(one)) and went_wrong(one)]
            return Alteration(how_changed(life, wrong, some), sorted(wrong, key=lambda one: one is not life))
    return None


def share_gone_wrong(marks: set[str], every: Sequence[Life]) -> float:
    """Return which part of the commands with some characters, and that print none of these, went wrong.

    What only notes with them that it ran may do so no more, and is left out if it went well.
    """
    with_marks = [one for one in every if one.end and has_any(marks, command_text(one))]
    others = [one for one in with_marks if not marks & set(printed(one) + errors_of(one))]
    others = [one for one in others if went_wrong(one) or has_any(marks, without_its_note(one))]
    return sum(map(went_wrong, others)) / max(len(others), 1)


def without_its_note(life: Life) -> str:
    """Return the text of a command without what notes that it ran."""
    return without_note(life.command).text if life.command else command_text(life)


def how_changed(life: Life, wrong: Sequence[Life], marks: set[str]) -> str:
    """Return what has become of some characters of a command, as what it prints shows, and others that went wrong."""
    if life.name == "lines":
        joined = any(line.strip() and line.strip() in stdout(one) for one in wrong for line in later_lines(one))
        return "its line ends came as blanks, it seems" if joined else "only its first line ran, it seems"
    changed = (one for one in changes(printed(life), stdout(life)) if marks & set(one[0]))
    became = sorted(dict.fromkeys(changed), key=lambda one: -len(one[0]))
    return ", ".join(
        f"{short_json(lost[:MOST_LOST], 40)} became {short_json(new[:MOST_LOST], 40)}" for lost, new in became[:3]
    )


def later_lines(life: Life) -> list[str]:
    """Return the lines after its first one that a command prints whose text has several, but for the one that ends."""
    return printed(life).split("\n")[1:] if "\n" in command_text(life) and life.name != "lines" else []


def broken_marks(every: Sequence[Life]) -> Alteration | None:
    """All commands that have a character in their text ran otherwise than they should, and no other.

    So it shows in their exit codes, or in what the shell wrote to standard error, not only in their output, and in one
    at least that does not print that character.
    """
    telling = (life for life in every if life.name not in UNTELLING and HIDES not in command_text(life))
    known = [life for life in telling if life.end and (life.command or life.text)]
    wrong = [life for life in known if went_wrong(life) or foreign_errors(life)]
    right = [life for life in known if life not in wrong]
    if min(len(wrong), len(right), sum(map(ran_otherwise, wrong))) < FEW_COMMANDS:
        return None
    # An exit code that comes otherwise shows no other command.
    if not any(foreign_errors(life) or plain(stdout(life)) != plain(printed(life)) for life in wrong):
        return None
    plainly = set(tag("", "")) if not all(map(ran_otherwise, wrong)) else set[str]()
    marks = covering([marks_of(life) - set().union(*map(marks_of, right)) - plainly for life in wrong])
    quoted = sum(stdout(life)[:1] in QUOTES and printed(life)[:1] not in QUOTES for life in wrong) >= FEW_COMMANDS
    marks = marks or nearly_always(wrong, right) or (sorted(QUOTES) if quoted else [])
    if not marks or all(has_any(marks, printed(life) + errors_of(life)) for life in wrong):
        return None
    first, *others = sorted(wrong, key=lambda life: not foreign_errors(life))
    said = f", with {short_json(foreign_errors(first), MESSAGE)} in stderr" if foreign_errors(first) else ""
    if quoted:
        said += ", and printed their quotes: a backslash stands before each, it seems"
    listed = " or ".join(short_json(mark, 10) for mark in marks)
    spared = sum(has_any(marks, command_text(life)) for life in right)
    which = "almost all" if spared else f"all {len(wrong)}"
    words = f"{which} commands with {listed} in them ran otherwise{said}, and none of {len(right) - spared} others"
    more = [life for life in every if life.end and life not in known and has_any(marks, command_text(life))]
    more = [life for life in more if went_wrong(life) or life.name in UNTELLING]
    return Alteration(words, [first, *others, *more])


def nearly_always(wrong: Sequence[Life], right: Sequence[Life]) -> list[str]:
    """Return the character that all commands have which went wrong, and almost no other, if there are enough."""
    common = set.intersection(*map(marks_of, wrong)) if len(wrong) >= MANY_COMMANDS else set[str]()
    common -= set(tag("", ""))  # which all have that are more than an echo
    most = SPARED * len(wrong)
    return [mark for mark in sorted(common) if sum(has_any(mark, command_text(life)) for life in right) <= most][:1]


def covering(some: Sequence[set[str]]) -> list[str]:
    """Return the fewest marks of which each set has one, the most frequent first; none if there are none."""
    found, left = list[str](), list(some)
    while left and all(left) and len(found) < MOST_MARKS:
        counts = Counter(mark for marks in left for mark in marks)
        found.append(max(sorted(counts), key=counts.__getitem__))
        left = [marks for marks in left if found[-1] not in marks]
    return found if not left else []


def cut_after(every: Sequence[Life]) -> int | None:
    """Return after how many characters commands were cut before they ran, by one that ends in what it prints.

    Longer output must have come, or an error of the shell for longer commands; no longer command may have gone well
    whose text tells, and no shorter one may have printed the beginning of what it prints.
    """
    for life in every:
        text, came, command = printed(life), stdout(life), command_text(life)
        if life.name != "longest" or not came or len(came) >= len(text) or not text.startswith(came):
            continue
        limit = len(command) - len(text) + len(came)
        longer = longer_than(limit, every)
        whole = any(len(stdout(one)) > len(came) for one in every)
        broken = sum(bool(foreign_errors(one)) for one in longer) >= FEW_COMMANDS
        same = all(is_cut_there(one, limit) for one in longer)
        telling = (one for one in longer if one.name not in UNTELLING and (one.command or one.text))
        others = ((plain(printed(one)), plain(stdout(one))) for one in every if one not in longer)
        shorter = any(own and text != own and text.startswith(own) for text, own in others)
        return limit if (whole or broken) and same and not shorter and all(map(went_wrong, telling)) else None
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


def has_any(marks: Iterable[str], text: str) -> bool:
    """Whether a text has one of some characters."""
    return not set(text).isdisjoint(marks)


def errors_of(life: Life) -> str:
    """Return what a command should write to standard error."""
    return life.command.stderr.decode() if life.command else ""


def fills_a_pipe(life: Life) -> bool:
    """Whether a command writes more to standard error than fits into a pipe."""
    return len(errors_of(life)) >= PIPE


def marks_of(life: Life) -> set[str]:
    """Return the characters in the text of a command that are neither letters nor digits."""
    return {mark for mark in command_text(life) if not mark.isalnum()}


def ran_otherwise(life: Life) -> bool:
    """Whether a command ended with another exit code than its own, or something else was written to its stderr."""
    own, code = life.command.exit_code if life.command else 0, exit_code(life)
    return (isinstance(code, int) and code != own) or foreign_errors(life) != ""


def foreign_errors(life: Life) -> str:
    """Return what a command is said to have written to standard error, if that is something else than it writes."""
    said = stream(life.end, "stderr").strip() if life.end else ""
    written = visible(errors_of(life)), visible(repr(errors_of(life).encode()))  # as Python shows bytes
    return said if visible(said) not in written else ""


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
    """Yield what of a text was lost, and what came in its place: all of it where the two are too long to be compared.

    How long comparing takes grows with the product of their lengths, and faster.
    """
    if len(text) * len(came) > COMPARABLE:
        yield text, came
        return
    for kind, a, b, c, d in SequenceMatcher(None, text, came, autojunk=False).get_opcodes():
        if kind != "equal":
            yield text[a:b], came[c:d]


def gone(life: Life) -> list[str]:
    """Return what the text that a command prints has lost, in pieces; nothing if little, or far more, of it came."""
    text, came = printed(life), stdout(life)
    found = [lost for lost, _ in changes(text, came)]
    return found if 2 * sum(map(len, found)) <= len(text) else []


def lost(life: Life) -> set[str]:
    """Return the characters that what a command prints has lost somewhere."""
    return set("".join(gone(life)))


def lost_by_output(every: Sequence[Life]) -> set[str]:
    """Return the characters that output has lost and that the text of its command does not have, if nothing else is."""
    found = set[str]()
    for life in (life for life in every if life.name == "control" and life.end):
        pieces, own = gone(life), set(command_text(life))
        if all(set(piece) - own for piece in pieces):
            found |= set("".join(pieces)) - own
    return found


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
    escaped,
    cut_text,
    changed_marks,
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
    #: How many got a 429, and were sent again.
    refused_starts: int = 0
    #: How many got a pid with one before it that nobody got, where pids are counted.
    skipped_pids: int = 0

    @property
    def code(self) -> int | None:
        """The exit code with which it ends."""
        return self.life.command.exit_code if self.life.command else None


def runs_of(every: Sequence[Life], failed: Sequence[Exchange] = (), limited: Sequence[Exchange] = ()) -> list[Run]:
    """Return how often commands ran that leave a trace. The first trace is taken before anything is written.

    A start that failed, or got no response, may have been carried out, or not; one that was `limited` must not have
    been.
    """
    named = {life.name: life for life in reversed(every)}

    def started(life: Life, number: int, times: int) -> int:
        unsure = sum(e.ask.command == life.start.ask.command for e in failed)
        return min(max(times, number), number + unsure)

    traces = [life.end for life in every if life.name == "trace" and life.end]
    found = []
    for e in traces[1:] if "once" in named else ():
        for name, times in counts_in(stream(e, "stdout")).items():
            # What only notes that it runs is counted where it ran several times.
            if (life := named.get(name)) and (life.end or name not in NOTED):
                number, slow = started(life, 1, times), int(life.start.seconds >= LONG_START)
                found.append(Run(life, number, times, e, slow_starts=slow))
    again = [life for life in every if life.name == "again"]
    for number, life in enumerate(again, 1):
        told = stdout(life).strip()
        polls = [e for one in again[: number - 1] for e in one.polls if one.end and e.number > one.end.number]
        if life.end and told.isdecimal():
            slow = sum(one.start.seconds >= LONG_START for one in again[:number])
            ran = int(told[:9])
            found.append(Run(life, started(life, number, ran), ran, life.end, len(polls), slow))
    commands, skipped = Counter(e.ask.command for e in limited), behind_a_gap(every)
    return [
        replace(
            run, refused_starts=commands[run.life.start.ask.command], skipped_pids=skipped[run.life.start.ask.command]
        )
        for run in found
    ]


def behind_a_gap(every: Sequence[Life]) -> Counter[str | None]:
    """Return how many starts of each command got a pid whose neighbour before it nobody got, if pids are counted."""
    given = {pid: life.start.ask.command for life in every if (pid := new_pid(life.start))}
    # A pid may be larger than any float.
    counted_pids = max(given, default=0) - min(given, default=0) + 1 < len(given) / DENSE
    gaps = [pid for pid in given if pid - 1 not in given and pid > min(given)] if counted_pids else []
    return Counter(given[pid] for pid in gaps)


def counts_in(text: str) -> dict[str, int]:
    """Return how often commands ran, as the one prints that then removes what is counted; none if unclear.

    Where it ran several times itself, and all of its output was kept, the first run counted, and the others nothing.
    """
    found: list[tuple[str, str]] = re.findall(r"once (\d{1,9}) slow (\d{1,9})(?!\S)", text)
    if not found or any(more != ("0", "0") or more == found[0] for more in found[1:]):
        return {}
    several = {name: int(times) for times, name in re.findall(r"(?m)^\s*(\d{1,9}) (\w+)$", text)}
    return {"once": int(found[0][0]), "slow": int(found[0][1])} | {name: several.get(name, 1) for name in sorted(NOTED)}


#: What a command may have run again for, in words that follow how often: where there was none of that, each ran once.
AGAIN: dict[str, Callable[[Run], int | None]] = {
    "; {1} of it got 429, was sent again, and ran nevertheless, it seems": lambda run: run.refused_starts,
    "; {0} of it took long: something in front has sent that again, it seems": lambda run: run.slow_starts,
    "; the pid before its own was given to nobody: its start came twice, such as from a gateway": lambda run: (
        run.skipped_pids
    ),
    ", and so have all: each start runs its command several times": lambda run: run.starts,
    ", as often as it was started and polled after its end: a poll runs it again, or a start ran twice, it seems": (
        lambda run: run.after_end
    ),
    "; it takes a while, and what ends at once ran once: a queue gave it out again, or a poll started it, it seems": (
        lambda run: int(seconds_of(run.life) > 0)
    ),
    ", and ends with exitCode {2}; what ends with 0 ran once": lambda run: run.code,
}


def why_run(run: Run, runs: Sequence[Run]) -> str:
    """Return why a command ran too often, or not at all, in words that follow how often; empty if unknown.

    What ran too seldom does not show why others ran too often: the command may have run again that removes what is
    counted.
    """
    told = [one for one in (run, *runs) if one.times >= one.starts]
    several = run.times > run.starts and (
        run.slow_starts or run.refused_starts or run.skipped_pids or len({one.life.name for one in told}) > 1
    )
    for words, number in AGAIN.items():
        if several and all((one.times > one.starts) == bool(number(one)) for one in told):
            return words.format(*(counted(n, "start") for n in (run.slow_starts, run.refused_starts)), run.code)
    if run_when_polled(run, runs):
        return ", until it was polled: a command waits for its first poll, it seems"
    often = sum(one.times > one.starts for one in runs)
    return f"; {often} of {len(runs)} commands that are counted ran too often" if 0 < often < len(runs) else ""


def run_when_polled(run: Run, runs: Sequence[Run]) -> bool:
    """Whether a command had not run until its first poll, and then did, as all did that were polled before."""
    polls, ran = run.life.polls, [one.times for one in runs if one.life.name != run.life.name]
    waits = not run.times and polls and polls[0].number > run.told_by.number and run.life.end
    return bool(waits and ran) and all(ran) and visible(printed(run.life)) in visible(stdout(run.life))
