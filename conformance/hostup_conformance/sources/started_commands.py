"""The commands that a run starts with `--allow-exec`, from their start to the poll that reports their end.

The first command finds out what runs commands in the guest; the others depend on that. What a guest cannot do, or a
provider blocks, is left out.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import count, cycle
from secrets import token_hex
from typing import TypeVar

from hostup_conformance.contract.ask import NAMES_OF_ID, SLEEP, Exchange, Pid, new_pid
from hostup_conformance.contract.commands import (
    NOTED,
    WRITING,
    Command,
    Guest,
    again,
    asks_guest,
    catalogue,
    environment,
    guest_of,
    leaving,
    look,
    refused,
    trace,
    without_note,
)
from hostup_conformance.contract.content import failed, items_of, member
from hostup_conformance.contract.paths import LONGEST_COMMAND, path_of
from hostup_conformance.contract.responder import may_pass
from hostup_conformance.contract.selectors import BUSY, gives_list, starts
from hostup_conformance.contract.sending import Wire
from hostup_conformance.contract.target import Target
from hostup_conformance.http.messages import Headers, Request
from hostup_conformance.http.pace import Unsent
from hostup_conformance.sources.lookup import candidates
from hostup_conformance.sources.queue import end_if_pointless, side_by_side, step_through, width
from hostup_conformance.sources.requests import CODED, ClientCall, Step, authorized
from hostup_conformance.sources.start_steps import body_of, echo, post

T = TypeVar("T")

#: Characters of two, three and four bytes, and some that encodings other than UTF-8 would change.
BEYOND_ASCII = "hostup-conformance-åße\u0301-€-😀-%20+:,=@/"
#: The commands whose polls are asked for by another method first: there is another of the same kind as each.
ASKED = {"OPTIONS": "exit_200", "HEAD": "six_kilobytes"}
#: How many requests are sent at once, at least, if their order does not matter.
AT_ONCE = 4
#: For how many seconds a command that ends at once is polled, and the first and the longest pause between two polls.
PATIENCE, PAUSE, LONGEST_PAUSE = 4.0, 0.05, 0.5
#: For how many seconds the command that sleeps for a minute is known to run.
RUNS_FOR_SURE = 50.0
#: For how many seconds one is polled once so many were polled for as long as that in vain: others will not end either.
LITTLE_PATIENCE, ENOUGH = 0.5, 3
#: From so many polls on that were told that a command runs, each pause is twice as long as the longest.
MANY_POLLS = 18
#: For how many more seconds so many of the commands are polled that have not ended by then.
LAST_PATIENCE, LAST = 8.0, 2
#: How many more times a command is polled at once whose end was told: each may be asked of another copy of the data.
COPIES = 3
#: How many more times the first command is polled that is not found.
TIMES_MORE = 6
#: So many requests must be left for some that show little.
ENOUGH_LEFT = 20
#: The numbers of the commands that leave a trace where starts fail; those that must be refused have smaller ones.
MARKED = range(90, 93)
#: How many more commands are started then: one that looks for traces, twice, and two once more on which others depend.
MOST_AGAIN = 4
#: The commands of which a poll is refused before the first good one, besides one that is started for that.
REFUSED = ("unknown_program", "errors", "exit_1")


class StartedCommands:
    """The commands of a run, from their start to the poll that reports their end."""

    def __init__(self, wire: Wire, slow_seconds: float) -> None:
        self._wire, self._target, self._slow_seconds = wire, wire.target, slow_seconds
        self.token = token_hex(6)
        #: Whether a file in the guest will show which of the refused commands ran.
        self.traced = False
        #: When (monotonic) the commands were started that write files.
        self._marked_at = 0.0
        self._pids: dict[str, int | None] = {}
        #: The pid of the command that runs on, if the run has started it, and when (monotonic).
        self._running: int | None = None
        self._running_at = 0.0
        #: The pid of the first command of which a poll is refused before a good one.
        self._spare: int | None = None
        self._postponed: list[Command] = []

    def begin(self) -> None:
        """Start all commands, and check that the slow one runs; with a slow server, several at once.

        The command that ends is started before all others, since the first is taken for it.
        """
        if not self._target.finished_pid:
            self._start("the start of a command that ends", echo())
        guest, *_ = self.at_once(
            self._guest, self._start_spare, self._start_beyond_ascii, self._start_running, at_least=1
        )
        self._probe_again()
        commands = catalogue(guest, self.token, self._slow_seconds) if guest else []
        target = self._target
        if guest == "posix" and target.has("long keys") and target.has("two keys on loopback"):
            commands.append(environment(self.token, target.key, target.read_key or "", target.vps))
        first = [command for command in commands if command.name not in {*NOTED, *WRITING}]
        tasks = [partial(self._start_known, command) for command in first]
        self.at_once(
            self._trace if guest == "posix" else self._start_longest,
            *tasks[:1],  # one command is started twice at once
            *tasks,
            *self._framed(),
        )
        for command in first[:1]:
            self._start("the start of a command that may still run, once more", command.text)
        # Files are written only where they can be removed again.
        others = [command for command in commands if command not in first]
        if not self.traced:
            others = [without_note(command) for command in others if command.name in NOTED]
        starts = [partial(self._start_known, command) for command in others]
        self.at_once(*starts, *([self._start_leaving] if guest == "posix" else []))
        self._marked_at = time.monotonic()
        self.at_once(self._poll_slow, self._poll_closed, at_least=1)

    def _poll_slow(self) -> None:
        if slow := self._pids.get("slow"):
            for _ in range(2):  # a poll may do something that shows only while the command runs
                self._poll(slow, "a poll of the command that runs for a while")

    def _poll_closed(self) -> None:
        if closed := self._pids.get("closed"):
            self._poll(closed, "a poll of the command that has closed its streams and runs on")

    def endings(self) -> list[Callable[[], object]]:
        """Return tasks that poll the commands, and follow some to their end; they need no order."""
        shared, unpolled = map(self._pids.get, ("shared", "once"))
        asked = {method: self._pids.get(name) for method, name in ASKED.items()}
        polls = [partial(self._poll, shared, "one of several polls at the same time")] * AT_ONCE if shared else []
        after_another = [partial(self._end_after, method, pid) for method, pid in asked.items() if pid]
        refusals = self._refusals()
        taken = {shared, unpolled, *asked.values(), *refusals}
        others = [pid for pid in self._outstanding() if pid not in taken]
        # Where ends are noticed late, the time until then passes for all of them at once.
        coded = {self._pids.get("letters"): CODED}
        firsts = [partial(follow, self._wire, pid, waits=False, headers=coded.get(pid, ())) for pid in others]
        after_refusals = [partial(self._end_refused, pid, requests) for pid, requests in refusals.items()]
        return [*polls, *after_refusals, *after_another, *firsts]

    def rest(self) -> list[Callable[[], object]]:
        """Return tasks that follow the others to their end, which have been polled, and run on; they need no order."""
        polled = self._polled() - {self._pids.get("once")}
        return [partial(self._end, pid) for pid in self._outstanding() if pid in polled]

    def _end(self, pid: int) -> None:
        """Follow a command to its end; the slow one is polled again at once, since another copy may not know yet."""
        last = follow(self._wire, pid)
        told = last is not None and member(last, "exited") is True
        for _ in range(COPIES if told and pid == self._pids.get("slow") else 0):
            self._poll(pid, "a poll of the command whose end was told a moment ago")

    def conclude(self) -> None:
        """Follow what is left to its end, start what the server was too busy for, and ask the guest what ran."""
        self._wait_for_the_last(besides=self._pids.get("once"))
        if self.traced:
            self._wire.pace.wait(self._marked_at + self._slow_seconds - time.monotonic())
        for command in self._postponed:
            self._follow([self._start(purpose_of(command), command.text)])
        if self.traced:
            self._start_marked()
            if first := self._pids.get("again"):
                self._poll(first, "a poll of a command whose end was told, before it is started again")
            self._follow([self._start("the start of the same command again", again(self.token).text)])
            self._follow([self._start("the start of a command that tells what ran", trace(self.token).text)])

    def _start_marked(self) -> None:
        """Where starts fail, start some commands that leave a trace: they may run nevertheless."""
        failing = any(starts(e) and failed(e) and not may_pass(e) for e in self._wire.exchanges)
        for number in MARKED if failing else ():
            self._start("the start of a command that leaves a trace", refused(number, self.token).text)
        if failing:
            self._follow([self._start_again("the start of a command that looks for traces", look(self.token))])

    def take_leave(self) -> None:
        """Poll what nobody has polled yet, and what runs on, as late as possible: it may have been forgotten."""
        unpolled = self._pids.get("once")
        if unpolled and not self._target.is_live and self._wire.pace.requests_left > ENOUGH_LEFT:
            self._poll_beside(unpolled)
        self._follow([unpolled])
        if self._running and time.monotonic() - self._running_at < RUNS_FOR_SURE:
            self._poll(self._running, "a poll of the command that runs on, at the end")

    def _poll_beside(self, pid: int) -> None:
        """Poll two pids that are like one, and that no command of the run has: the next, and the beginning of it.

        The other parameter makes them odd requests, of which nothing is said but that they get the output of that one.
        """
        given = self._wire.target.started_pids
        after = next(pid + step for step in count(1) if pid + step not in given)
        for other in {after, pid // 10} - given - {0}:
            request = authorized(f"{path_of(self._target.vps)}?pid={other}&x=1", self._target)
            step_through(self._wire, Step("a poll of a pid that is like another", request, "pids"))

    def at_once(self, *tasks: Callable[[], T], at_least: int = AT_ONCE) -> list[T]:
        """Do tasks that send requests, more at once with a slow server; return what they return."""
        return side_by_side(tasks, max(width(self._wire), at_least))

    def _probe_again(self) -> None:
        """Probe once a command has ended: what a probe says of commands may soon be too large to be kept."""
        key = self._target.read_key or ""
        request = authorized(path_of(self._target.vps), self._target, key=key)
        step_through(self._wire, Step("the probe, once a command has ended", request, "scopes" if key else None))

    def _guest(self) -> Guest | None:
        """Find out what runs commands in the guest; where that is not told, since it changes them, in few words."""
        for few in (False, True):
            text, purpose = asks_guest(self.token, few=few), "the start of a command that tells what the guest is"
            ended = self._follow([self._start(purpose, text)])
            if guest := next((guest for e in ended if (guest := guest_of(self.token, member(e, "stdout")))), None):
                return guest
        return None

    def _trace(self) -> None:
        """Note whether files can be removed: the guest only gets some that can be."""
        purpose = "the start of a command that removes its files"
        ended = self._follow([self._start_again(purpose, trace(self.token).text)])
        self.traced = any(member(e, "exited") is True for e in ended)

    def _start_spare(self) -> None:
        self._spare = self._start("the start of a command, by the generated client", echo(), by_client=True)

    def _start_beyond_ascii(self) -> None:
        # Other commands have such characters escaped, and a server has to read both.
        self._start("the start of a command beyond ASCII", f"echo {BEYOND_ASCII}", escaped=False)

    def _start_running(self) -> None:
        if not self._target.running_pid:
            self._running_at = time.monotonic()
            self._running = self._start("the start of a command that runs on", SLEEP)

    def _start_leaving(self) -> None:
        text = leaving(self.token, self._slow_seconds / 2).text
        self._start("the start of a command that leaves a process behind", text)

    def _start_longest(self) -> None:
        self._start("the start of a command of the greatest length", echo().ljust(LONGEST_COMMAND, "x"))

    def _start_known(self, command: Command) -> None:
        """Start a command whose end is known; one that the server is too busy for is started later."""
        self._pids[command.name] = self._start(purpose_of(command), command.text, postpone=command)

    def _framed(self) -> Iterator[Callable[[], object]]:
        """Yield the starts of commands with requests that are framed, labelled or filled in an unusual way."""
        target, chunked = self._target, (("Transfer-Encoding", "chunked"),)
        requests = {
            "a start, chunked": post(target, body_of(echo()), headers=chunked),
            "a start with a charset": post(target, body_of(echo()), content_type="application/json; charset=utf-8"),
        }
        if target.unavailable_vps and not target.is_live:
            body = body_of(echo(), others=dict.fromkeys(NAMES_OF_ID, target.unavailable_vps))
            requests["a start whose body names another VPS"] = post(target, body)
        for purpose, request in requests.items():
            yield partial(step_through, self._wire, Step(purpose, request))

    def _start(
        self,
        purpose: str,
        command: str,
        *,
        by_client: bool = False,
        escaped: bool = True,
        postpone: Command | None = None,
    ) -> int | None:
        """Start a command; return its pid, or None if no response had one."""
        client = ClientCall(self._target.vps, None, None, command) if by_client else None
        step = Step(purpose, post(self._target, body_of(command, escaped=escaped)), client=client)
        exchange = step_through(self._wire, step)
        if postpone and (exchange is None or exchange.status in BUSY):
            self._postponed.append(postpone)
        return new_pid(exchange) if exchange else None

    def _start_again(self, purpose: str, command: str) -> int | None:
        """Start a command on which others depend, and once more where that fails."""
        return self._start(purpose, command) or self._start(purpose, command)

    def _polled(self) -> set[int | None]:
        """Return the pids that have been polled with the full key."""
        return {e.ask.number for e in self._wire.exchanges if e.ask.credential == "full"}

    def _outstanding(self) -> list[int]:
        """Return the pids of started commands whose end has not been reported yet, and that a guest can be given."""
        polled = [e for e in self._wire.exchanges if e.ask.pid.known and e.ask.credential == "full"]
        ended = {e.ask.number for e in polled if not says_it_runs(e) and not is_busy(e)}
        odd = {new_pid(e) for e in self._wire.exchanges if e.ask.starts and not e.ask.is_passable}
        return sorted(self._wire.target.started_pids - ended - odd)

    def _wait_for_the_last(self, *, besides: int | None) -> None:
        """Follow the commands but one that have not been polled yet, then some that have not ended, for longer."""
        polled = {besides, *self._polled()}
        self._follow([pid for pid in self._outstanding() if pid not in polled])
        deadline = time.monotonic() + LAST_PATIENCE
        for pid in [pid for pid in self._outstanding() if pid != besides][:LAST]:
            follow(self._wire, pid, deadline=deadline)

    def _follow(self, pids: Sequence[int | None]) -> list[Exchange]:
        """Poll commands until each has ended, one after the other; return the last exchange of each."""
        followed = [follow(self._wire, pid) for pid in pids if pid]
        return [exchange for exchange in followed if exchange]

    def _refusals(self) -> dict[int, list[tuple[str | None, str | None]]]:
        """Return polls to be refused, by VPS and key: under other VPSs, without a key, and with one that may not poll.

        Each is for another command as far as there are so many, which shows what uses the output up. The first is that
        of an echo, by which it is known what comes under another VPS of the list, which is not known yet.
        """
        target, own = self._target, self._target.vps
        elsewhere = [] if target.is_live else [None, *filter(None, [target.unavailable_vps])]
        first, *others = [*((vps, "") for vps in elsewhere), (own, None)]
        # Who may not poll asks for what failed and prints nothing, which may be shown by another way.
        given = [first, *((own, key) for key in filter(None, [target.read_key])), *others]
        pids = [pid for pid in (self._spare, *map(self._pids.get, REFUSED)) if pid]
        refusals: dict[int, list[tuple[str | None, str | None]]] = {}
        for refusal, pid in zip(given, cycle(pids), strict=False):
            refusals.setdefault(pid, []).append(refusal)
        return refusals

    def _end_refused(self, pid: int, refusals: Iterable[tuple[str | None, str | None]]) -> None:
        """Send polls of a command that are to be refused, and then one that is not; it is followed with the others."""
        for named, key in refusals:
            if vps := named or self._other_vps():
                request = authorized(f"{path_of(vps)}?pid={pid}", self._target, key=key)
                step_through(self._wire, Step("a poll that is refused, before one that is not", request))
        follow(self._wire, pid, waits=False)

    def _other_vps(self) -> str | None:
        """Return another VPS of the list, if there is one: one that runs, as far as is known."""
        listed = next((e for e in self._wire.exchanges if gives_list(e) and e.ask.credential == "full"), None)
        states = {item["id"]: item.get("powerState") for item in items_of(listed)} if listed else {}
        others = [vps for vps in candidates(listed, self._target) if vps != self._target.vps]
        return next((vps for vps in others if states[vps] in {"running", "unknown", None}), None)

    def _end_after(self, method: str, pid: int) -> None:
        """Poll a command to its end after an OPTIONS or a HEAD of its poll."""
        request = replace(poll(self._target, pid), method=method)
        step_through(self._wire, Step(f"{method} of the poll of a command, before its poll", request))
        self._follow([pid])

    def _poll(self, pid: int, purpose: str) -> Exchange | None:
        return step_through(self._wire, Step(purpose, poll(self._target, pid)))


def follow(
    wire: Wire, pid: int, *, deadline: float = 0.0, waits: bool = True, headers: Headers = ()
) -> Exchange | None:
    """Poll a command until it has ended, or until the wire sends no more; return the last exchange.

    Unless it `waits`, a command that runs is polled once. Where it is not found, poll it once more, and the first such
    for a while: only one of several servers may know it, or it may be known only later. Where the server is busy, poll
    it again. The deadline is a moment of the monotonic clock.
    """
    longest = LONGEST_PAUSE * (2 if are_told_late(wire) else 1)
    pause = longest if deadline or longest > LONGEST_PAUSE else PAUSE
    deadline = deadline or time.monotonic() + patience(wire)
    exchange, misses = None, 0
    with suppress(Unsent):
        while True:
            exchange = wire.send(poll(wire.target, pid, headers), purpose="a poll of the command that was started")
            end_if_pointless(wire)
            misses = misses + 1 if exchange.status == 404 else 0
            again = (waits and says_it_runs(exchange)) or is_busy(exchange) or 0 < misses <= times_more(wire, pid)
            if not again or time.monotonic() > deadline:
                break
            wire.pace.wait(pause)
            pause = min(2 * pause, longest)
    return exchange


def are_told_late(wire: Wire) -> bool:
    """Whether so many polls were told that their command runs that ends seem to be noticed only now and then."""
    return sum(e.ask.pid.is_used_up and says_it_runs(e) for e in wire.exchanges) > MANY_POLLS


def patience(wire: Wire) -> float:
    """Return for how many seconds a command is polled that should have ended: not so long where others never end."""
    begun = dict[int | None, Exchange]()
    vain = set[int | None]()
    for e in [e for e in wire.exchanges if e.ask.credential == "full" and e.ask.pid.is_used_up]:
        first = begun.setdefault(e.ask.number, e)
        if e.when and first.when and (e.when - first.when).total_seconds() >= 0.8 * PATIENCE:
            vain |= {e.ask.number}
        vain -= set() if says_it_runs(e) else {e.ask.number}
    return PATIENCE if len(vain) < ENOUGH else LITTLE_PATIENCE


def says_it_runs(e: Exchange) -> bool:
    """Whether a poll says that its command runs, and does not say something else as well."""
    contradicts = e.response is not None and "exited" in e.response.json.duplicates
    return member(e, "exited") is False and not contradicts


def times_more(wire: Wire, pid: int) -> int:
    """Return how often a command is polled once more that is not found: the first one of the run more often."""
    first = next((e for e in wire.exchanges if e.status == 404 and e.ask.pid == Pid.STARTED), None)
    return TIMES_MORE if first and first.ask.number == pid else 1


def is_busy(e: Exchange) -> bool:
    """Whether a poll could not be served, and may be soon."""
    return e.status in BUSY or may_pass(e)


def start(wire: Wire, command: str, purpose: str) -> int | None:
    """Start a command, whatever came before; return its pid, or None if the response has none."""
    return new_pid(wire.send(post(wire.target, body_of(command)), purpose=purpose))


def poll(target: Target, pid: int, headers: Headers = ()) -> Request:
    """Return the poll of a command, with the full key."""
    return authorized(f"{path_of(target.vps)}?pid={pid}", target, headers)


def purpose_of(command: Command) -> str:
    """Return the purpose of starting a command."""
    return f"the start of a command whose end is known ({command.name.replace('_', ' ')})"
