"""Which broken requirement tells most plainly what is wrong with some exchanges, of which others tell too.

It judges nothing.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property

from hostup_conformance.contract.ask import WITHOUT_KEY, Ask, Exchange, new_pid
from hostup_conformance.contract.causes.contrasts import IN_TURN, Course, is_denied
from hostup_conformance.contract.causes.evidence import Evidence
from hostup_conformance.contract.causes.lost_commands import ONCE_PRINTED, Reasons, known_in_turns
from hostup_conformance.contract.causes.mishaps import ALTERED, printed
from hostup_conformance.contract.causes.output import LAST, whose_output
from hostup_conformance.contract.causes.traits import FEWEST
from hostup_conformance.contract.causes.widespread import Cause
from hostup_conformance.contract.content import (
    below,
    is_availability_alone,
    member,
    named_members,
    output_members,
    refused,
)
from hostup_conformance.contract.lives import Life, command_text
from hostup_conformance.contract.responder import BURST
from hostup_conformance.contract.selectors import is_plain, new_poll
from hostup_conformance.http.exchange import ALONE
from hostup_conformance.http.messages import Request
from hostup_conformance.judging.verdict import Result
from hostup_conformance.keeping.safe_text import short_json

#: So many requests that got what others were to get explain what else is wrong with those that had others beside them.
FEW_MIXED = 2
#: A request that is sent so often alone shows whether two or three servers take turns.
ROW = 6
#: How a finding says that output is that of another command.
OF_ANOTHER = "that the command of request "


@dataclass(frozen=True)
class Broken:
    """The requirements that a run has broken, by id, its exchanges, and what became of its commands."""

    results: Mapping[str, Result[Ask]]
    course: Course
    reasons: Reasons
    #: What explains several exchanges at once, the surest first.
    causes: Sequence[Cause] = ()

    @property
    def exchanges(self) -> list[Exchange]:
        """All exchanges, by their numbers."""
        return self.course.ordered

    @property
    def evidence(self) -> Evidence:
        """What became of the commands."""
        return self.reasons.evidence

    @cached_property
    def blamed(self) -> AbstractSet[int]:
        """The numbers of the exchanges with which something is wrong."""
        return {one.exchange.number for result in self.results.values() for one in result.findings}

    def found(self, id: str) -> list[Exchange]:
        """Return what was found of a requirement; nothing if it is not broken."""
        return [one.exchange for one in self.results[id].findings] if id in self.results else []

    def says(self, id: str, words: str) -> bool:
        """Whether a requirement is broken, and its message has some words."""
        return id in self.results and words in self.results[id].message

    def polls(self, of: Callable[[Life], bool] = lambda _: True) -> list[Exchange]:
        """Return the polls of some commands, or of all."""
        return [e for life in self.evidence.lives if of(life) for e in life.polls]

    def outputs(self) -> Iterator[Exchange]:
        """Yield all that got command output."""
        return (e for e in self.exchanges if output_members(e.body))


def not_utf_8(broken: Broken) -> list[Exchange]:
    """Return the polls of commands that print more than ASCII, if some of that was not UTF-8."""
    odd = broken.says("HTTP-03", "got not UTF-8")
    return broken.polls(lambda life: not printed(life).isascii()) if odd else []


def beyond_ascii(broken: Broken) -> list[Exchange]:
    """Return the polls of commands that have, or print, more than ASCII."""
    odd = not broken.says("HTTP-03", "got not UTF-8")
    return broken.polls(lambda life: not (printed(life) + command_text(life)).isascii()) if odd else []


def ended_by_output(broken: Broken) -> list[Exchange]:
    """Return all polls, if commands are ended by what they print."""
    return broken.polls() if broken.says("START-22", ONCE_PRINTED) else []


def lost_by_a_server(broken: Broken) -> Iterator[Exchange]:
    """Yield the starts, and the polls that were refused, if only some of several servers know a command."""
    if known_in_turns(broken.evidence):
        yield from (life.start for life in broken.evidence.lives)
        yield from filter(refused, broken.polls())


def served_alone_and_beside(broken: Broken) -> Iterator[Exchange]:
    """Yield what was let in together with others, of those who are let in alone as well."""
    others = [e for id in broken.results if id != "HTTP-21" for e in broken.found(id) if e.source != BURST]
    alone = {e.ask.credential for e in others if below(e, 300)} & WITHOUT_KEY
    return (e for e in broken.found("HTTP-21") if e.ask.credential in alone and below(e, 300))


def only_to(credential: str) -> Callable[[Broken], list[Exchange]]:
    """Return what returns the output that others than the caller got, if all of these had one kind of credential."""

    def of(broken: Broken) -> list[Exchange]:
        got = broken.found("SAFETY-03")
        return got if {e.ask.credential for e in got} == {credential} else []

    return of


def found_of(id: str) -> Callable[[Broken], list[Exchange]]:
    """Return what returns all that was found of a requirement."""
    return lambda broken: broken.found(id)


#: The exchanges of which others tell as well, by the requirement that tells of them.
TELLS: tuple[tuple[str, Callable[[Broken], Iterable[Exchange]]], ...] = (
    ("HTTP-03", not_utf_8),
    ("START-07", beyond_ascii),
    ("START-22", ended_by_output),
    ("POLL-09", lambda broken: (e for e in broken.polls() if member(e, "exited") is False)),
    ("START-27", lost_by_a_server),
    ("AUTH-01", served_alone_and_beside),
    ("AUTH-02", served_alone_and_beside),
    ("PROBE-04", lambda broken: (e for e in broken.outputs() if not e.ask.pid.is_integer)),
    ("HTTP-09", found_of("HTTP-09")),
    ("POLL-04", found_of("POLL-04")),
    ("AUTH-01", only_to("none")),
    ("AUTH-02", only_to("wrong")),
    ("SCOPE-02", only_to("read")),
    ("VPS-12", found_of("VPS-11")),
    ("VPS-18", found_of("VPS-11")),
)


def altered(broken: Broken) -> Iterator[Cause]:
    """Yield the commands that were altered before they ran."""
    if broken.says("START-19", ALTERED):
        lives = filter(None, (broken.evidence.life_of.get(e.number) for e in broken.found("START-19")))
        yield Cause({e.number for life in lives for e in (life.start, *life.polls)}, first="START-19", mostly=True)


def of_others(broken: Broken) -> Iterator[Cause]:
    """Yield the commands that got the output of others, with whose it is.

    Where the pid is not looked at, a pid of nobody or of another VPS gets the same.
    """
    if "START-05" in broken.results and (words := whose_output(broken.evidence)):
        found = {e.number for life in broken.evidence.lives for e in (life.start, *life.full_polls)}
        pids = [id for id, r in broken.results.items() if r.requirement.area == "PID" and LAST in words]
        found |= {e.number for id in pids for e in broken.found(id)}
        yield Cause(found, words, "START-05", says_more=True)


def beside_the_json(broken: Broken) -> Iterator[Cause]:
    """Yield the responses in which something stands before or after the JSON."""
    found = broken.results["HTTP-03"].findings if "HTTP-03" in broken.results else ()
    yield Cause({one.exchange.number for one in found if one.got.startswith("something stands")}, first="HTTP-03")


def alike(broken: Broken) -> Iterator[Cause]:
    """Yield what several malformed pids get alike, which is no command's. POLL-02 judges the availability."""
    odd = [e for e in broken.found("PID-03") if not is_availability_alone(e)]
    same = {e.number for e in odd if sum(one.body == e.body for one in odd) >= FEWEST}
    yield Cause(same, f"{len(same)} such pids get the same", "PID-03", says_more=True)


def counted_anew(broken: Broken) -> Iterator[Cause]:
    """Yield the pids that came again after the server had gone down, if not all starts got the same."""
    again = broken.found("START-10") if "HTTP-01" in broken.results else []
    before = [e for e in broken.exchanges if again and e.number < again[0].number]
    broke = next((e for e in before if e.lost == "dropped"), None)
    if broke and len({new_pid(e) for e in before} - {None}) > 1:
        words = f"the server restarted, it seems, when request {broke.number} broke off, and counts its pids anew"
        yield Cause({e.number for e in again}, words, "HTTP-01")


def rounded(broken: Broken) -> Iterator[Cause]:
    """Yield the polls of pids that are too large for a double."""
    large = set(map(new_poll, broken.found("START-31")))
    polls = {e.number for e in broken.exchanges if e.request.target in large}
    yield Cause(polls, "its pid is above 2^53, and was rounded by a reader of JSON, it seems (START-31)")


def given_without_a_key(broken: Broken) -> Iterator[Cause]:
    """Yield the output that read:vm alone gets by odd requests, where one without a key gets it as well."""
    if "AUTH-11" in broken.results:
        oddly = (e for e in broken.outputs() if e.ask.credential == "read" and not is_plain(e))
        yield Cause({e.number for e in oddly}, "so does one without a key (AUTH-11)", "AUTH-11")


def behind(broken: Broken) -> Iterator[Cause]:
    """Yield the exchanges of which a broken requirement tells most plainly what is wrong with them."""
    for tell in (altered, of_others, beside_the_json, alike, counted_anew, rounded, given_without_a_key):
        yield from tell(broken)
    for id, of in TELLS:
        if id in broken.results:
            yield Cause({e.number for e in of(broken)}, first=id)


def in_turns(broken: Broken) -> Iterator[Cause]:
    """Yield what was found of requests that got this and that by turns when they were sent several times in a row."""
    rows = defaultdict[Request, list[Exchange]](list)
    for e in broken.exchanges:
        if e.source == ALONE and e.response:
            rows[e.request].append(e)
    for row in rows.values():
        got = [(e.status, member(e, "available"), *sorted(e.body if isinstance(e.body, dict) else ())) for e in row]
        turns = any(all(a == b for a, b in zip(got, got[step:ROW], strict=False)) for step in IN_TURN[:2])
        if len(row) < ROW or not turns or len(set(got[:ROW])) < 2:
            continue
        statuses, told = [str(e.status) for e in row], [short_json(member(e, "available"), 20) for e in row]
        ways = (statuses, told, [named_members(e.body) for e in row])
        each = next((way for way in ways if len(set(way)) > 1), statuses)
        what = "available " if each is told else ""
        words = f"the same request got {what}{', '.join(each)} in a row: servers or versions take turns, it seems"
        found = {id: result for id, result in broken.results.items() if is_about(result, row[0])}
        for id, result in found.items():
            first = next((one for one in found if one != "HTTP-21"), id)
            yield Cause({one.exchange.number for one in result.findings}, words, first, says_more=True)


def is_about(result: Result[Ask], e: Exchange) -> bool:
    """Whether a request is among those that were found, or one of its key was sent with others of which one was."""
    found = [one.exchange for one in result.findings]
    mixed = result.requirement.id == "HTTP-21" and all(one.ask.credential == e.ask.credential for one in found)
    return mixed or any(one.request == e.request for one in found)


def mixed_up(broken: Broken) -> Cause | None:
    """Return all that was sent with others, if many of these requests got what others were to get.

    Where a valid key is refused when it is alone as well, that is no sign of it.
    """
    found, course = broken.found("HTTP-21"), broken.course
    refused_alone = any(is_denied(e) and e.status == 401 and course.is_alone(e) for e in course.ordered)
    if refused_alone and all(e.status == 401 for e in found):
        return None
    # What came of commands is no other request's, unless it says so.
    own = [id for id, r in broken.results.items() if r.requirement.area == "START" and OF_ANOTHER not in r.message]
    theirs = {e.number for id in own for e in broken.found(id)}
    beside = {e.number for e in course.ordered if not course.is_alone(e)} - theirs
    return Cause(beside, first="HTTP-21") if len(found) >= FEW_MIXED else None
