"""The exchanges of a run as the rules see them, with what they show of the commands that were started."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from hostup_conformance.contract.ask import Ask, Exchange, Pid, asks_start, new_pid
from hostup_conformance.contract.causes import lost_commands, mishaps, output
from hostup_conformance.contract.causes.mishaps import Alteration, Run
from hostup_conformance.contract.causes.output import Fate, Text
from hostup_conformance.contract.commands import Command, Guest
from hostup_conformance.contract.content import below, failed, is_availability_alone
from hostup_conformance.contract.lives import Life, guest_of_lives, lives, sleepless, stream, without
from hostup_conformance.contract.responder import BURST, says_it_is_busy
from hostup_conformance.contract.selectors import asks_output, has_response, new_poll, ours, starts, understood
from hostup_conformance.contract.target import PIDS, Target
from hostup_conformance.judging import rule as core

#: What a command writes to.
STREAMS = ("stdout", "stderr")
#: The kinds of pid that no command has.
NOBODYS = {Pid.UNKNOWN, Pid.IMPOSSIBLE}


def got_no_pid(e: Exchange) -> bool:
    """Whether nothing came of a start, or a success without its pid."""
    return e.response is None or (below(e, 300) and new_pid(e) is None)


@dataclass
class Exchanges(core.Exchanges[Ask, Target]):
    """All exchanges of a run. What is computed from all of them is computed once a run."""

    @cached_property
    def every_life(self) -> list[Life]:
        """The commands that the full key started on the caller's own VPS, each with the polls by the full key."""
        return lives(self.known(lambda e: starts(e) or asks_output(e)))

    @cached_property
    def with_any_poll(self) -> list[Life]:
        """The same commands, each with the polls by whatever key, and under another VPS."""
        polls = self.known(lambda e: starts(e) or (e.ask.number is not None and (e.response is None or understood(e))))
        return lives(polls)

    @cached_property
    def _was_busy(self) -> bool:
        return any(map(says_it_is_busy, self.known(starts)))

    def found_it_busy(self, e: Exchange) -> bool:
        """Whether a start was told that the server is busy, as one of a proper command was, whatever it has."""
        return says_it_is_busy(e) and self._was_busy

    @cached_property
    def asked_otherwise(self) -> list[Exchange]:
        """The HEADs and OPTIONS with the full key that have the pid of a command."""
        asked = self.known(ours, has_response, lambda e: e.ask.endpoint and e.ask.pid.known)
        return [e for e in asked if e.request.method in {"HEAD", "OPTIONS"}]

    @cached_property
    def loses_undisturbed(self) -> bool:
        """Whether a command was lost of which no poll was refused, and which no other method was asked for either.

        START-27 judges that, so nothing else can be blamed for what is lost.
        """
        asked = {e.request.target for e in self.asked_otherwise}
        return any(life.is_lost_undisturbed for life in self.with_any_poll if new_poll(life.start) not in asked)

    @cached_property
    def every_text(self) -> dict[tuple[int, str], Text]:
        """What the commands wrote, by the number of the poll that reported the end and the name of the stream."""
        return {(text.number, text.name): text for text in output.texts_of(self.every_life)}

    @cached_property
    def known_texts(self) -> dict[str, dict[str, Text]]:
        """For each stream, what commands wrote, by what it looks like: first to that stream, then to the other."""
        every = self.every_text.values()
        return {name: output.owners(sorted(every, key=lambda text: text.name != name)) for name in STREAMS}

    @cached_property
    def exchanged(self) -> list[Text]:
        """The streams of commands that hold what another command writes: START-05 and START-11 judge these commands."""
        return [text for text in self.every_text.values() if output.owner_of(text, self.known_texts[text.name])]

    @cached_property
    def mixed_up(self) -> bool:
        """Whether a command got the output of another."""
        return any(text.name == "stdout" for text in self.exchanged)

    @cached_property
    def own_lives(self) -> list[Life]:
        """The commands that got their own output, as far as is known.

        Where one got the output of another, so may have all whose output is not as it was printed.
        """
        others = (text.life for text in self.every_text.values() if self.mixed_up and text.is_other)
        return without(self.every_life, others)

    @cached_property
    def cut_short(self) -> list[Life]:
        """The commands that were ended before their time, or were said to have ended: START-22 judges them.

        Where commands got the output of others, their ends may be those of others too. Of one whose text was escaped
        no shell read where it ends.
        """
        return [] if self.mixed_up or mishaps.escaped(self.own_lives) else mishaps.cut_short(self.own_lives)

    @cached_property
    def ended_by(self) -> str:
        """Why they were ended, if that is known, in words that follow how they ended."""
        return lost_commands.ended_by(self.cut_short, self.own_lives)

    @cached_property
    def alteration(self) -> Alteration | None:
        """What was changed in the text of commands before they ran: START-19 judges these."""
        ran_on = without(self.own_lives, self.cut_short)
        return output.form_of_commands(ran_on) or mishaps.alteration(ran_on)

    @cached_property
    def lost_by_output(self) -> set[str]:
        """The characters that output has lost, and not the text of commands: START-13 judges that."""
        return mishaps.lost_by_output(self.own_lives)

    @property
    def altered(self) -> Sequence[Life]:
        """The commands whose text was changed before they ran."""
        return self.alteration.lives if self.alteration else ()

    @cached_property
    def pid_ignored(self) -> bool:
        """Whether a poll by the full key, alone, got the availability: POLL-02 judges that."""
        return any(is_availability_alone(e) for e in self.known(asks_output) if e.source != BURST)

    @cached_property
    def not_run_again(self) -> list[tuple[Life, Life]]:
        """The starts that only got the pid of an earlier one, each with that one: START-16 judges them."""
        return mishaps.not_run_again(self.every_life)

    @cached_property
    def runs(self) -> list[Run]:
        """How often the commands ran that are counted: START-16 judges that, unless numbers do not come as printed."""
        printed = all(stream(e, "stdout") == command.stdout.decode() for e, command in self._ends("number", "slow"))
        # What got no pid may have been started, whatever its status.
        unsure = [*self.known(starts, failed), *self.known(lambda e: e.ask.starts, got_no_pid)]
        runs = mishaps.runs_of(self.lives, unsure, self.known(asks_start, lambda e: e.limited))
        whole = printed and all(life in self.lives for life in self.every_life if life.name == "again")
        return [run for run in runs if whole or run.life.name != "again"]

    @cached_property
    def lives(self) -> list[Life]:
        """The commands that ran as they were sent, each once and to its own end, and got their own output."""
        return without(self.own_lives, [*self.cut_short, *self.altered, *(life for life, _ in self.not_run_again)])

    @cached_property
    def changed(self) -> dict[str, Fate | None]:
        """What became of all that has changed of each stream, if that is known."""
        ran = {life.start.number for life in self.lives}
        texts = [text for text in self.every_text.values() if text.life.start.number in ran]
        return {name: output.fate_of(t for t in texts if t.name == name) for name in STREAMS}

    @cached_property
    def telling(self) -> str | None:
        """The requirement that tells what became of all output that has changed, if that is known."""
        fate = self.changed["stdout"]
        return output.telling(fate, self.every_text.values()) if fate else None

    def tells_of_output(self, e: Exchange) -> bool:
        """Whether output could have come if it came to anybody: a 404 shows nothing of a pid that has no command."""
        return e.status != 404 or (e.ask.pid not in NOBODYS and any(map(self.target.has, PIDS.values())))

    def told_by(self, e: Exchange) -> str | None:
        """Return which requirement tells what became of an output; None if it has not become what others have."""
        fate, text = self.changed["stdout"], self.every_text.get((e.number, "stdout"))
        return self.telling if fate and text and fate.explains(text) else None

    def so_became_others(self, life: Life, e: Exchange) -> bool:
        """Whether the output in a poll has become what all output that has changed became, if that is known."""
        fate = self.changed["stdout"]
        text = Text(life, "stdout", mishaps.printed(life), stream(e, "stdout"), e.number)
        return fate is not None and fate.explains(text)

    def became(self, e: Exchange, name: str, sent: str) -> str | None:
        """Return what became of a text, in words that follow the name of its stream; None if that is best seen."""
        text = self.every_text.get((e.number, name))
        if text is None:
            return None
        fate = self.changed[name]
        judged = text if fate and fate.explains(text) else replace(text, sent=sent)
        return output.became(judged, fate, self.known_texts[name])

    def whose(self, e: Exchange) -> str:
        """Return which command of the run prints what a response has in stdout, for a finding."""
        life = self.life_of_output(e)
        return f", with what the command of request {life.start.number} prints" if life else ""

    def life_of_output(self, e: Exchange) -> Life | None:
        """Return the command of the run that prints what a response has in stdout, if one alone does.

        What is as short as "done" may be anybody's, such as that of a command whose start got a 504.
        """
        shown = output.looks(stream(e, "stdout"))
        one = self.known_texts["stdout"].get(shown) if len(shown) >= output.SHORTEST_MARK else None
        return one.life if one else None

    @cached_property
    def code_fate(self) -> str | None:
        """What became of exit codes, if that is known."""
        return output.code_fate(self.lives)

    @cached_property
    def guest(self) -> Guest | None:
        """What was found to run commands in the guest."""
        return guest_of_lives(self.lives)

    @cached_property
    def words_of_the_guest(self) -> str:
        """What a shell in the guest writes to standard error with each command, such as a warning of its locale.

        It is text that UTF-8 can encode, which half of a surrogate pair in JSON is not. Where a command that writes
        something there has it not, it is no shell's.
        """
        silent = {stream(e, "stderr") for e, command in self._ends("number", "nothing") if not command.stderr}
        silent |= {stream(life.end, "stderr") for life in self.lives if life.text and life.end}
        others = [stream(e, "stderr") for e, command in self._ends("errors", "exit") if command.stderr]
        words = silent.pop() if len(silent) == 1 else ""
        is_shells = not others or any(words in text for text in others)
        return words.encode("utf-8", "replace").decode() if is_shells else ""

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
