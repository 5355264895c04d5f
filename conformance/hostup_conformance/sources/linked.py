"""With `--allow-exec`: schemathesis' stateful phase follows the document's link, from a start to the polls of its pid.

Schemathesis decides what comes after what; what is sent is ours, so that every command is harmless.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import hypothesis

from hostup_conformance.sources.commands import SCENARIOS, STEPS, body_of, echo, follow, poll, post
from hostup_conformance.sources.generated import Generated
from hostup_conformance.sources.probe import authorized
from hostup_conformance.wire import Stopped, Withheld

if TYPE_CHECKING:
    import schemathesis
    from schemathesis.core.transport import Response

    from hostup_conformance.exchange import Request
    from hostup_conformance.wire import Wire

#: The same cases at each run, however long an answer takes.
REPEATABLE = hypothesis.settings(
    deadline=None, database=None, derandomize=True, suppress_health_check=list(hypothesis.HealthCheck)
)
SETTINGS = hypothesis.settings(
    REPEATABLE, max_examples=SCENARIOS, stateful_step_count=STEPS, phases=[hypothesis.Phase.generate]
)


def follow_links(operations: Any, wire: Wire) -> None:
    """Run the scenarios, and poll each command that they start until it has ended."""
    before = wire.target.started_pids

    def call(_machine: object, case: schemathesis.Case[Any], **_: object) -> Response:
        from schemathesis.core.transport import Response

        answer = answer_to(request_of(case, wire), wire)
        answer.elapsed = timedelta(0)  # it is asked for, and judged nowhere
        return Response.from_httpx(answer, verify=True)

    def leave_it_to_the_rules(*_: object, **__: object) -> None:
        """Judge nothing: the rules do, of every exchange."""

    overrides = {"call": call, "validate_response": leave_it_to_the_rules}
    workflow: Any = type("Workflow", (operations.as_state_machine(),), overrides)
    workflow.run(settings=SETTINGS)
    for pid in wire.target.started_pids - before:
        follow(wire, pid)


def request_of(case: schemathesis.Case[Any], wire: Wire) -> Request:
    """Return what is sent for a case: the start of a harmless command, or a GET that takes nobody's output away."""
    if case.method.upper() == "POST":
        return post(wire.target, body_of(echo()))
    pid = (case.query or {}).get("pid")
    if pid in wire.target.started_pids:
        return poll(wire.target, pid)
    return authorized(Generated(wire).request_target(case), wire.target)


def answer_to(request: Request, wire: Wire) -> httpx.Response:
    """Send a request; return of its answer what the link needs, since whatever else is in it could trip schemathesis.

    Where there is no answer it is a 503, after which no link is followed.
    """
    asked = httpx.Request(request.method, wire.target.base_url + request.target)
    try:
        exchange = wire.send(request, purpose="following a link", source="generated")
    except (Stopped, Withheld):
        return httpx.Response(503, request=asked)
    pid = exchange.new_pid
    if pid in {wire.target.finished_pid, wire.target.running_pid, *wire.target.started_pids}:
        pid = None  # an agent may give a pid again; what we know of it is of the command before
    if pid:
        wire.target = replace(wire.target, started_pids=wire.target.started_pids | {pid})
    return httpx.Response(exchange.status or 503, json={"pid": pid} if pid else {}, request=asked)
