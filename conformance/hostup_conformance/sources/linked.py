"""With `--allow-exec`: schemathesis' stateful phase follows the document's link from a start to the polls of its pid.

Schemathesis decides on the order; the requests are ours, so that every command is harmless.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import hypothesis

from hostup_conformance.contract.ask import new_pid
from hostup_conformance.contract.sending import Wire
from hostup_conformance.http.messages import Request
from hostup_conformance.http.pace import Unsent
from hostup_conformance.sources.commands import SCENARIOS, STEPS
from hostup_conformance.sources.generated import request_target
from hostup_conformance.sources.requests import authorized
from hostup_conformance.sources.start_steps import body_of, echo, post
from hostup_conformance.sources.started_commands import follow, poll

if TYPE_CHECKING:
    import schemathesis
    from schemathesis.core.transport import Response


#: Makes the cases the same in each run, however long a response takes.
REPEATABLE = hypothesis.settings(
    deadline=None, database=None, derandomize=True, suppress_health_check=list(hypothesis.HealthCheck)
)
SETTINGS = hypothesis.settings(
    REPEATABLE, max_examples=SCENARIOS, stateful_step_count=STEPS, phases=[hypothesis.Phase.generate]
)


def run(wire: Wire, operations: Any) -> None:
    """Run the scenarios, and poll each command that they started to its end."""
    before = wire.target.pids

    def call(_machine: object, case: "schemathesis.Case[Any]", **_: object) -> "Response":
        from schemathesis.core.transport import Response

        response = response_to(request_of(case, wire), wire)
        response.elapsed = timedelta(0)  # schemathesis needs it, but nothing judges it
        return Response.from_httpx(response, verify=True)

    def leave_it_to_the_rules(*_: object, **__: object) -> None:
        """Judge nothing, since the rules judge every exchange."""

    overrides = {"call": call, "validate_response": leave_it_to_the_rules}
    workflow: Any = type("Workflow", (operations.as_state_machine(),), overrides)
    workflow.run(settings=SETTINGS)
    for pid in wire.target.pids - before:
        follow(wire, pid)


def request_of(case: "schemathesis.Case[Any]", wire: Wire) -> Request:
    """Return the request for a case: the start of a harmless command, or a GET that takes away no output of others."""
    if case.method.upper() == "POST":
        return post(wire.target, body_of(echo()))
    pid = (case.query or {}).get("pid")
    if pid in wire.target.started_pids:
        return poll(wire.target, pid)
    return authorized(request_target(case, wire.target.vps), wire.target)


def response_to(request: Request, wire: Wire) -> httpx.Response:
    """Send a request; return what the link needs of its response, since schemathesis might reject the rest.

    If there is no response, return a 503, after which no link is followed.
    """
    asked = httpx.Request(request.method, wire.base_url + request.target)
    before = wire.target.pids
    try:
        exchange = wire.send(request, purpose="following a link", source="generated")
    except Unsent:
        return httpx.Response(503, request=asked)
    # An agent may reuse a pid; what is known of it is about the earlier command.
    pid = None if (pid := new_pid(exchange)) in before else pid
    return httpx.Response(exchange.status or 503, json={"pid": pid} if pid else {}, request=asked)
