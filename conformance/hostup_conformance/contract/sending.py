"""The wire to a target: it knows what requests ask for, which of them may be sent, and what the run has learnt."""

import threading

from hostup_conformance.contract.ask import Ask, with_started_commands
from hostup_conformance.contract.policy import Policy
from hostup_conformance.contract.responder import may_pass
from hostup_conformance.contract.target import Target
from hostup_conformance.contract.understanding import understand
from hostup_conformance.http import wire as core
from hostup_conformance.http.limits import Limits
from hostup_conformance.http.pace import Pace


class Wire(core.Wire[Ask]):
    """The one way to a target."""

    def __init__(self, target: Target, limits: Limits, pace: Pace | None = None) -> None:
        super().__init__(
            target.base_url,
            limits,
            classify=lambda request, exchanges: understand(request, target, exchanges),
            policy=Policy(target),
            transient=may_pass,
            route=target.route,
            pace=pace,
        )
        #: The target as options and environment have it; `target` adds what the run has learnt.
        self.configured = target
        #: Held by who decides whether the run ends.
        self.ending = threading.Lock()

    @property
    def target(self) -> Target:
        """The target, with the pids of the commands that were started so far."""
        return with_started_commands(self.configured, self.exchanges)
