"""What became of each command that a run started: its start, the polls of its pid, and its end. It judges nothing."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import inf

from hostup_conformance.contract.ask import Exchange, new_pid
from hostup_conformance.contract.commands import (
    GUEST_MARK,
    LOOK,
    SLEEPLESS,
    SLEEPLESS_CODE,
    Command,
    Guest,
    guest_of,
    left,
    printed_anywhere,
    recognized,
)
from hostup_conformance.contract.content import member, refused
from hostup_conformance.contract.selectors import BUSY, new_poll
from hostup_conformance.keeping.redact import MARK
from hostup_conformance.keeping.safe_text import short_json

#: The exit codes with which a shell tells that it found no program, or none that it can run.
NOT_RUN = (126, 127)
#: The one with which it tells that it cannot read a command.
NO_SYNTAX = 2
#: For how many seconds the result of a command is kept that nobody polls.
RETAINED = 30.0
#: How many characters are kept of a stream that is no text.
LONGEST_VALUE = 200
#: How many seconds longer a command that sleeps is seen to run, at least, than those that end at once.
RUNS_LONGER = 0.5


@dataclass
class Life:
    """One command: its start, and the polls of its pid until another start gets the same one."""

    start: Exchange
    #: The command of the run; None for any other, and for one whose output a recording has redacted.
    command: Command | None
    #: The text that it should print if it is an `echo` of the run; empty for any other command, and as above.
    text: str
    polls: list[Exchange] = field(default_factory=list)
    #: The polls of the same pid under another VPS.
    elsewhere: list[Exchange] = field(default_factory=list)
    #: Whether a poll of it broke off after the beginning of its response, which may have told the end.
    broke_off: bool = False
    #: Whether the guest is known to have a sleep, since it was seen to run much longer than commands that end at once.
    has_sleep: bool = False

    @property
    def name(self) -> str:
        """Its name if it is one of the commands with a known result; else empty."""
        return self.command.name if self.command else ""

    @property
    def full_polls(self) -> list[Exchange]:
        """The polls by the full key, which should tell its state."""
        return [e for e in self.polls if e.ask.credential == "full"]

    @property
    def end(self) -> Exchange | None:
        """The first poll that says exited true."""
        return next((e for e in self.polls if member(e, "exited") is True), None)

    @property
    def lost(self) -> Exchange | None:
        """The first poll that got an error although no end was reported, unless nobody has polled for too long.

        The end may have been reported under another VPS, as it must not.
        """
        told = self.end or self.broke_off or any(member(e, "exited") is True for e in self.elsewhere)
        polls = [] if told else self.full_polls
        kept = bool(polls) and not RETAINED < self.seconds_until(polls[0]) < inf
        return next((e for e in polls if kept and e.status != 200 and e.status not in BUSY), None)

    @property
    def is_lost_undisturbed(self) -> bool:
        """Whether its end, which comes at once, was not to be had, although no poll of it was refused."""
        gone = self.lost if self.is_short else None
        return gone is not None and not self.refusals_before(gone)

    def refusals_before(self, poll: Exchange) -> list[Exchange]:
        """Return its polls that were refused before another poll, and those under another VPS."""
        found = [e for e in self.polls if e.status in {401, 403}] + list(filter(refused, self.elsewhere))
        return [e for e in found if e.number < poll.number]

    @property
    def seconds_polled(self) -> float:
        """How many seconds after the start the last poll was sent; infinity if that is unknown."""
        return self.seconds_until(self.polls[-1]) if self.polls else inf

    def seconds_until(self, poll: Exchange) -> float:
        """Return how many seconds after the start a poll was sent; infinity if that is unknown."""
        return (poll.when - self.start.when).total_seconds() if poll.when and self.start.when else inf

    @property
    def is_short(self) -> bool:
        """Whether it is one of the run's commands, and ends soon whatever its input is."""
        finds_out = printed_anywhere(command_text(self))
        return bool((self.command and self.name != "input") or self.text or finds_out)


def lives(exchanges: list[Exchange]) -> list[Life]:
    """Return the commands that were started, in the order of their starts."""
    latest: dict[str, Life] = {}
    of_pid: dict[int | None, Life] = {}
    found = []
    for e in exchanges:
        if poll := new_poll(e):
            latest[poll] = of_pid[new_pid(e)] = Life(e, recognized(e.ask.command or ""), text_of(e))
            found.append(latest[poll])
        elif e.request.method != "GET":
            continue
        elif e.response is None:
            if e.broke_off and e.request.target in latest:
                latest[e.request.target].broke_off = True
        elif e.request.target in latest:
            latest[e.request.target].polls.append(e)
        elif e.ask.number in of_pid and e.ask.vps != of_pid[e.ask.number].start.ask.vps:
            of_pid[e.ask.number].elsewhere.append(e)
    for life in filter(is_redacted, found):
        life.command, life.text = None, ""
    at_once = (life for life in found if not seconds_of(life) and not left(command_text(life)))
    quick = max(map(seen_running, at_once), default=0.0)
    for life in found:
        life.has_sleep = life.name in {"slow", "closed"} and seen_running(life) > RUNS_LONGER + 2 * quick
    return found


def without(some: Iterable[Life], others: Iterable[Life]) -> list[Life]:
    """Return the commands that are not among others."""
    left_out = {life.start.number for life in others}
    return [life for life in some if life.start.number not in left_out]


def is_redacted(life: Life) -> bool:
    """Whether a recording has redacted what looked like a key in the output of a command: what came is unknown then."""
    recorded = (e for e in life.polls if e.source == "har")
    return any(MARK in stream(e, name) for e in recorded for name in ("stdout", "stderr"))


def stories(exchanges: Sequence[Exchange]) -> dict[int, str]:
    """Return, by the number of an exchange, which command it started or polled, if it did."""
    latest: dict[str, str] = {}
    found: dict[int, str] = {}
    for e in exchanges:
        if poll := new_poll(e):
            name = f"pid {poll.rpartition('=')[2]}"
            latest[poll] = f"{name}, started again" if name in latest.values() else name
        elif e.ask.pid.known and e.request.target not in latest:
            latest[e.request.target] = f"pid {e.ask.number}"
        if story := latest.get(poll or e.request.target):
            found[e.number] = story
    return found


def sleepless(life: Life) -> bool:
    """Whether a command ended at once that sleeps, since the guest has no sleep."""
    return without_sleep(life) and not life.has_sleep


def without_sleep(life: Life) -> bool:
    """Whether the sleep in the command failed."""
    if life.end is None or life.name not in {"slow", "closed"}:
        return False
    said = SLEEPLESS in stream(life.end, "stdout")
    return said if life.name == "slow" else member(life.end, "exitCode") == SLEEPLESS_CODE


def seen_running(life: Life) -> float:
    """Return for how many seconds a command was seen to run; 0 if it was not."""
    before = [e for e in life.polls if not life.end or e.number < life.end.number]
    seen = [life.seconds_until(e) for e in before if e.when and member(e, "exited") is False]
    return max((seconds for seconds in seen if seconds < inf), default=0.0)


def seconds_to_end(life: Life) -> float:
    """Return after how many seconds at most a command had ended, as it was reported; infinity if that is unknown."""
    return life.seconds_until(life.end) + life.end.seconds if life.end else inf


def ended_early(life: Life) -> bool:
    """Whether a command was said to have ended, and to have done so well, before it can have.

    In a guest that has no sleep, the commands that use it end at once, and say so. What no shell could begin to run did
    not end early either.
    """
    if life.end is not None and (member(life.end, "exitCode") in NOT_RUN or is_unreadable(life.end)):
        return False
    well = life.end is not None and member(life.end, "exitCode") == 0
    lasts = seconds_of(life) if well or life.command else 0.0
    return not sleepless(life) and seconds_to_end(life) < 0.9 * lasts


def is_unreadable(end: Exchange) -> bool:
    """Whether a shell could not read a command: it complains, with 2, and nothing else came of it."""
    return member(end, "exitCode") == NO_SYNTAX and stream(end, "stderr") != "" == stream(end, "stdout")


def command_text(life: Life) -> str:
    """Return the text of a command; empty if its start has none."""
    return life.start.ask.command or ""


def seconds_of(life: Life) -> float:
    """Return how long a command runs, in seconds, as far as that is known."""
    return life.command.seconds if life.command else seconds_asked(life.start)


def seconds_asked(start: Exchange) -> float:
    """Return how many seconds the command of a start takes, as far as that is known."""
    text = start.ask.command or ""
    known, sleeps = recognized(text), re.fullmatch(r"sleep (\d{1,3})", text)
    return known.seconds if known else float(sleeps[1]) if sleeps else 0.0


def guest_of_lives(found: list[Life]) -> Guest | None:
    """Return what was found to run commands in the guest; None if that was not found out."""
    for life in found:
        begun = printed_anywhere(command_text(life))
        token = begun.removeprefix(GUEST_MARK).rstrip("-")
        if begun and life.end and (guest := guest_of(token, stream(life.end, "stdout"))):
            return guest
    return None


def text_of(e: Exchange) -> str:
    """Return the text that the command of a start prints, if it is an `echo` of text that no shell changes."""
    program, _, text = (e.ask.command or "").partition(" ")
    return text if program == "echo" and "$" not in text and "&" not in text and e.ask.is_passable else ""


def stream(e: Exchange, name: str) -> str:
    """Return a stream in the response to a poll; the agent leaves out an empty one. What is no text is not empty."""
    value = member(e, name)
    return value if isinstance(value, str) else "" if value is None else short_json(value, LONGEST_VALUE)


def overlap(a: Exchange, b: Exchange) -> bool:
    """Whether two requests were under way at the same time, as far as that is known."""
    if a.when is None or b.when is None:
        return False
    between = (b.when - a.when).total_seconds()
    return between < a.seconds if between >= 0 else -between < b.seconds


def shows_traces(life: Life) -> bool:
    """Whether a command prints what others have written to files."""
    return life.name == "trace" or command_text(life).startswith(LOOK)
