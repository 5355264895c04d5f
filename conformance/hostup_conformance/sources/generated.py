"""Generated requests: schemathesis makes the cases, and the wire sends them."""

import time
from functools import partial
from typing import Any
from urllib.parse import unquote, urlencode

from hostup_conformance.contract.ask import LARGEST_LINUX_PID, integer
from hostup_conformance.contract.paths import path_of
from hostup_conformance.contract.schemathesis_client import schemathesis
from hostup_conformance.contract.sending import Wire
from hostup_conformance.sources.queue import side_by_side, width
from hostup_conformance.sources.requests import authorized

#: For how many seconds generated requests are sent: a slow server gets fewer, not a longer run.
SECONDS = 4.0
#: How many are sent at most, and how many are made that the document allows, and that it does not: some are the same.
MOST_CASES, EACH = 10, 8


def cases() -> list[dict[str, Any]]:
    """Return schemathesis' cases.

    Raises:
        Unanswered: it makes none
    """
    made: list[dict[str, Any]] = schemathesis.ask("cases", most=EACH)
    return made


def run(wire: Wire, cases: list[dict[str, Any]]) -> None:
    """Send cases as requests of our own, with the key, and with no method or pid that could do harm.

    They are sent until their time is up, several at once to a slow server.
    """
    targets = dict.fromkeys(request_target(case, wire.target.vps) for case in cases)
    until = time.monotonic() + SECONDS

    def take(target: str) -> None:
        if time.monotonic() < until:
            wire.try_to_send(authorized(target, wire.target), purpose="generated", source="generated")

    side_by_side([partial(take, target) for target in [*targets][:MOST_CASES]], width(wire))


def request_target(case: dict[str, Any], own: str) -> str:
    """Return the path and query of a case.

    A positive case is for our own VPS. A pid that a guest could have is replaced.
    """
    # schemathesis gives path parameters percent-encoded already.
    vps = own if case["positive"] else unquote(case["vps"], errors="surrogateescape")
    query = {name: safe_pid(value) if name == "pid" else value for name, value in case["query"].items()}
    encoded = urlencode(query, doseq=True, errors="replace")
    return path_of(vps) + (f"?{encoded}" if encoded else "")


def safe_pid(value: Any) -> Any:
    """Return a pid that no guest can have, in place of one that a guest could have."""
    if isinstance(value, list):
        return [safe_pid(item) for item in value]
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    number = integer(str(value))
    if number is not None and number > 0:
        return number | 1 if number > LARGEST_LINUX_PID else 2 * (LARGEST_LINUX_PID + number) + 1
    # Some parsers stop at the first character that is not a digit.
    return f"{LARGEST_LINUX_PID + 1}{value}" if str(value).lstrip()[:1].isdecimal() and number is None else value
