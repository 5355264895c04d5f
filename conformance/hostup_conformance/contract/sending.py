"""Makes the wire to a target, and tells it what requests ask for and which of them may be sent."""

from __future__ import annotations

from typing import TypeAlias

from hostup_conformance.contract.ask import Ask, understand
from hostup_conformance.contract.policy import Policy
from hostup_conformance.contract.responder import may_pass
from hostup_conformance.contract.target import Target
from hostup_conformance.http import wire as core
from hostup_conformance.http.limits import Limits

Wire: TypeAlias = core.Wire[Ask]


def wire_to(target: Target, limits: Limits, *, careful: bool) -> Wire:
    """Return a wire to a target; `careful` means that the server may be in use by others."""
    return core.Wire(
        target.base_url,
        limits,
        classify=lambda request, exchanges: understand(request, target, exchanges),
        policy=Policy(target, careful),
        transient=may_pass,
        route=target.route,
    )
