"""The exchanges of a run as the rules see them, with what they show of the commands that were started."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from hostup_conformance.contract import mishaps
from hostup_conformance.contract.ask import Ask, Exchange
from hostup_conformance.contract.commands import Command, Guest
from hostup_conformance.contract.content import is_availability_alone
from hostup_conformance.contract.lives import Life, guest_of_lives, lives, sleepless, stream
from hostup_conformance.contract.responder import BURST
from hostup_conformance.contract.selectors import asks_output, starts
from hostup_conformance.contract.target import Target
from hostup_conformance.judging import rule as core


@dataclass
class Exchanges(core.Exchanges[Ask, Target]):
    """All exchanges of a run. What is computed from all of them is computed once a run."""

    @cached_property
    def every_life(self) -> list[Life]:
        """The commands that the full key started on the caller's own VPS, each with the polls by the full key."""
        return lives(self.all(lambda e: starts(e) or asks_output(e)))

    @cached_property
    def cut_short(self) -> list[Life]:
        """The commands that were ended before their time, or were said to have ended: START-22 judges them."""
        return mishaps.cut_short(self.every_life)

    @cached_property
    def altered(self) -> list[Life]:
        """The commands whose text was changed before they ran: START-19 judges them."""
        return mishaps.altered(self.every_life)

    @cached_property
    def pid_ignored(self) -> bool:
        """Whether a poll by the full key, alone, got the availability: POLL-02 judges that."""
        return any(is_availability_alone(e) for e in self.all(asks_output) if e.source != BURST)

    @cached_property
    def not_run_again(self) -> list[tuple[Life, Life]]:
        """The starts that only got the pid of an earlier one, each with that one: START-16 judges them."""
        return mishaps.not_run_again(self.every_life)

    @cached_property
    def recoding(self) -> str | None:
        """What became of the characters outside ASCII that were printed: START-07 judges that."""
        return mishaps.recoding(self.lives)

    @cached_property
    def lives(self) -> list[Life]:
        """The commands that ran as they were sent, each once and to its own end, as far as is known."""
        others = [*self.cut_short, *self.altered, *(life for life, _ in self.not_run_again)]
        spoilt = {life.start.number for life in others}
        return [life for life in self.every_life if life.start.number not in spoilt]

    @cached_property
    def guest(self) -> Guest | None:
        """What was found to run commands in the guest."""
        return guest_of_lives(self.lives)

    @cached_property
    def words_of_the_guest(self) -> str:
        """What a shell in the guest writes to standard error with each command, such as a warning of its locale."""
        silent = {stream(e, "stderr") for e, command in self._ends("number", "nothing") if not command.stderr}
        silent |= {stream(life.end, "stderr") for life in self.lives if life.text and life.end}
        return silent.pop() if len(silent) == 1 else ""

    def ends(self, *names: str) -> Iterator[tuple[Exchange, Command]]:
        """Yield each of the named commands whose end was reported, with the poll that reported it, to be judged."""
        return ((self.take(e), command) for e, command in self._ends(*names))

    def echoes(self) -> Iterator[tuple[Exchange, str]]:
        """Yield the poll that reported the end of each `echo` of the run, to be judged, with the text to be printed."""
        return ((self.take(life.end), life.text) for life in self.lives if life.text and life.end)

    def lives_of(self, name: str) -> Iterator[Life]:
        """Yield the commands of a name, with all their polls to be judged."""
        for life in self.lives:
            if life.name == name and life.command:
                for e in life.polls:
                    self.take(e)
                yield life

    def _ends(self, *names: str) -> Iterator[tuple[Exchange, Command]]:
        for life in self.lives:
            wanted = any(life.name == name or life.name.startswith(name + "_") for name in names)
            if life.command and life.end and wanted and not sleepless(life):
                yield life.end, life.command
