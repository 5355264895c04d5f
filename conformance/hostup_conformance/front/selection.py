"""Which requests judge some requirements, so that a run about these alone sends no others."""

from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass, field, replace

from hostup_conformance.contract.ask import Exchange
from hostup_conformance.contract.exchanges import Exchanges
from hostup_conformance.contract.lives import stories
from hostup_conformance.contract.rules import rules
from hostup_conformance.contract.selectors import Selector, gives_list, gives_status
from hostup_conformance.contract.sending import Wire
from hostup_conformance.contract.server_verdict import lacking, server_requirements
from hostup_conformance.contract.target import Target
from hostup_conformance.http.limits import Limits
from hostup_conformance.sources import commands
from hostup_conformance.sources.requests import EVERYTHING, Selection

#: How many seconds the slow command of the mock takes.
MOCK_SLOW_SECONDS = 0.2


@dataclass
class Noting(Exchanges):
    """Exchanges that note what a rule takes from them, to judge it or to know more of what it judges."""

    used: list[Exchange] = field(default_factory=list)

    def known(self, *selectors: Selector) -> list[Exchange]:
        """Return the selected exchanges, and note them."""
        found = super().known(*selectors)
        self.used += found
        return found

    def take(self, e: Exchange) -> Exchange:
        """Note that an exchange is judged, and return it."""
        self.used.append(e)
        return super().take(e)


def rehearsal(target: Target) -> Wire:
    """Send the embedded mock what a target would be sent, and return what sent it, with the exchanges."""
    from hostup_conformance.mock.memory import Mock, serve

    mock = Mock()
    with serve(mock.app) as url:
        known = Target.from_environment(url, mock.environment(), kind="mock", profile=target.profile)
        known = replace(known, allow_exec=target.allow_exec, live=target.is_live)
        with closing(Wire(known, Limits())) as wire:
            commands.run(wire, slow_seconds=MOCK_SLOW_SECONDS)
    return wire


def selected(ids: Collection[str], target: Target) -> Selection:
    """Return the requests that judge requirements of a target, of which some may lack what they need."""
    known = server_requirements()
    judged = [id for id in ids if not lacking(known[id], target, None, None, exercised=False)]
    return selection(judged, rehearsal(target))


def selection(ids: Collection[str], wire: Wire) -> Selection:
    """Return the requests that judge requirements or help to, as those of a rehearsal show.

    These are all requests if there is a requirement that the mock gives no occasion to judge.
    """
    used: list[Exchange] = []
    for id in ids:
        noting = Noting(list(wire.exchanges), wire.target)
        rules()[id](noting)
        if not noting.used:
            return EVERYTHING
        used += noting.used
    if any(e.aside for e in used):  # one that another request may have spoilt follows those with content
        used += [e for e in wire.exchanges if e.request.method == "GET" and e.request.body]
    told = stories(wire.exchanges)
    # What follows the output of a command may get more of it, though not from the mock.
    wanted = {told.get(e.number) for e in used} - {None}
    used += [e for e in wire.exchanges if told.get(e.number) in wanted and e.ask.credential == "full"]
    scripted = {step.purpose for step in commands.script(wire.target)}
    of_commands = [e for e in used if e.ask.starts or e.ask.pid.known]
    purposes = frozenset(e.purpose for e in used)
    follow_ups = bool(purposes - scripted - {e.purpose for e in of_commands})
    if follow_ups:
        purposes |= {e.purpose for e in wire.exchanges if gives_list(e) or gives_status(e)}
    return Selection(purposes, with_commands=bool(of_commands), with_follow_ups=follow_ups)
