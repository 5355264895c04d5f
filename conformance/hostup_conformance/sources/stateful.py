"""With `--allow-exec`: schemathesis' stateful phase follows the document's link from a start to the polls of its pid.

Schemathesis decides on the order; the requests are ours, so that every command is harmless.
"""

from functools import partial
from typing import Any

from hostup_conformance.contract.ask import new_pid
from hostup_conformance.contract.schemathesis_client import schemathesis
from hostup_conformance.contract.sending import Wire
from hostup_conformance.http.messages import Request
from hostup_conformance.http.pace import Unsent
from hostup_conformance.sources.commands import SCENARIOS, STEPS
from hostup_conformance.sources.generated import request_target
from hostup_conformance.sources.queue import side_by_side, width
from hostup_conformance.sources.requests import authorized
from hostup_conformance.sources.start_steps import body_of, echo, post
from hostup_conformance.sources.started_commands import follow, poll


def run(wire: Wire) -> None:
    """Run the scenarios, and poll each command that they started to its end.

    Raises:
        Unanswered: schemathesis follows no links
    """
    started: list[int] = []

    def came(case: dict[str, Any]) -> dict[str, Any]:
        said = came_of(request_of(case, wire), wire)
        started.extend(filter(None, [said["json"].get("pid")]))
        return said

    schemathesis.ask("links", came, scenarios=SCENARIOS, steps=STEPS)
    side_by_side([partial(follow, wire, pid) for pid in started], width(wire))


def request_of(case: dict[str, Any], wire: Wire) -> Request:
    """Return the request for a case: the start of a harmless command, or a GET that takes away no output of others."""
    if case["method"] == "POST":
        return post(wire.target, body_of(echo()))
    pid = case["query"].get("pid")
    if pid in wire.target.started_pids:
        return poll(wire.target, pid)
    return authorized(request_target(case, wire.target.vps), wire.target)


def came_of(request: Request, wire: Wire) -> dict[str, Any]:
    """Send a request; return what the link needs of its response, since schemathesis might reject the rest.

    If there is no response, return a 503, after which no link is followed.
    """
    before = wire.target.pids
    try:
        exchange = wire.send(request, purpose="following a link", source="generated")
    except Unsent:
        return {"status": 503, "json": {}}
    # An agent may reuse a pid; what is known of it is about the earlier command.
    pid = None if (pid := new_pid(exchange)) in before else pid
    return {"status": exchange.status or 503, "json": {"pid": pid} if pid else {}}
