"""Generated requests: schemathesis makes the cases, and the wire sends them."""

import time
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlencode

from hostup_conformance.contract.ask import LARGEST_LINUX_PID, integer
from hostup_conformance.contract.paths import path_of
from hostup_conformance.contract.sending import Wire
from hostup_conformance.sources.queue import side_by_side, width
from hostup_conformance.sources.requests import authorized

if TYPE_CHECKING:
    import schemathesis


#: For how many seconds generated requests are sent: a slow server gets fewer, not a longer run.
SECONDS = 4.0
#: How many are sent at most. Schemathesis makes about as many; how many, depends on its version.
MOST_CASES = 12


class Generated:
    """Sends schemathesis' cases as requests of our own, with the key, and with no method or pid that could do harm."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        #: The request targets of the cases that have not been sent yet, in order.
        self._cases: dict[str, None] = {}

    def add(self, case: "schemathesis.Case[Any]") -> None:
        """Note a case to be sent by `send`, unless it has the request target of another."""
        self._cases.setdefault(request_target(case, self._wire.target.vps))

    def send(self) -> None:
        """Send the cases until their time is up, several at once to a slow server."""
        until = time.monotonic() + SECONDS
        cases, self._cases = list(self._cases)[:MOST_CASES], {}

        def take(case: str) -> None:
            if time.monotonic() < until:
                request = authorized(case, self._wire.target)
                self._wire.try_to_send(request, purpose="generated", source="generated")

        side_by_side([partial(take, case) for case in cases], width(self._wire))


def request_target(case: "schemathesis.Case[Any]", own: str) -> str:
    """Return the path and query of a case.

    A positive case is for our own VPS. A pid that a guest could have is replaced.
    """
    positive = case.meta is None or case.meta.generation.mode.is_positive
    ids = case.path_parameters or {}
    # schemathesis gives path parameters percent-encoded already.
    vps = own if positive else unquote(str(ids.get("id", "")), errors="surrogateescape")
    query = {name: safe_pid(value) if name == "pid" else value for name, value in (case.query or {}).items()}
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
