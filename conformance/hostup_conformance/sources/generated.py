"""Generated requests: schemathesis writes them, the wire sends them, and its response checks are a second judge."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlencode

import httpx
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)

from hostup_conformance.exchange import LARGEST_LINUX_PID, Request, integer
from hostup_conformance.sources.probe import BASE_HEADERS
from hostup_conformance.verdict import Result, Verdict
from hostup_conformance.wire import Stopped, Withheld

if TYPE_CHECKING:
    import schemathesis

    from hostup_conformance.exchange import Exchange
    from hostup_conformance.wire import Wire

#: The checks that look at an answer alone. Those that judge whether a request ought to succeed cry wolf, and know less
#: than our rules do.
CHECKS = [content_type_conformance, response_headers_conformance, response_schema_conformance]
#: Which requirement each of them stands beside.
BESIDE = {
    "content_type_conformance": ("HTTP-02", "PROBLEM-02"),
    "response_headers_conformance": ("RATE-02", "RATE-03"),
    "response_schema_conformance": ("PROBE-03", "PROBLEM-03"),
}
#: A slow server gets fewer generated requests, not a longer run.
SECONDS = 4.0
#: Bodies larger than this are left to our own rules; schemathesis reads them several times.
LARGEST_BODY = 1_000_000


class Generated:
    """Sends schemathesis' cases in our own terms: with the key, never a method or pid that could do harm."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._began: float | None = None
        self._sent: set[str] = set()
        #: What schemathesis said of an exchange, by its number: check and message.
        self.opinions: dict[int, tuple[str, str]] = {}

    def send(self, case: schemathesis.Case[Any]) -> None:
        """Send a case, unless one like it was sent or the time is used up, and let schemathesis judge the answer."""
        self._began = self._began or time.monotonic()
        target = self.request_target(case)
        if target in self._sent or time.monotonic() - self._began > SECONDS:
            return
        self._sent.add(target)
        headers = (*BASE_HEADERS, ("Authorization", f"Bearer {self._wire.target.key}"))
        try:
            exchange = self._wire.send(Request("GET", target, headers), purpose="generated", source="generated")
        except (Stopped, Withheld):
            return
        self.judge(case, exchange)

    def request_target(self, case: schemathesis.Case[Any]) -> str:
        """Return path and query of a case.

        A positive case is for the configured VPS. A pid that a guest could have is moved out of its reach.
        """
        positive = case.meta is None or case.meta.generation.mode.is_positive
        ids = case.path_parameters or {}
        # schemathesis gives path parameters percent-encoded already.
        vps = self._wire.target.vps if positive else unquote(str(ids.get("id", "")), errors="surrogateescape")
        query = {name: safe_pid(value) if name == "pid" else value for name, value in (case.query or {}).items()}
        encoded = urlencode(query, doseq=True, errors="replace")
        return f"/api/v2/vps/{quote(vps, safe='', errors='surrogateescape')}/agent/exec" + (
            f"?{encoded}" if encoded else ""
        )

    def judge(self, case: schemathesis.Case[Any], exchange: Exchange) -> None:
        """Note what schemathesis' response checks say of an exchange."""
        answer = exchange.answer
        well_formed = exchange.ask.vps != "malformed" and exchange.ask.pid in {
            "absent",
            "unknown",
            "impossible",
            "invalid",
        }
        if answer is None or len(answer.body) > LARGEST_BODY or not well_formed:
            return
        request = httpx.Request("GET", self._wire.target.base_url + exchange.request.target)
        kept = [(k, v) for k, v in answer.headers if k.lower() not in {"content-encoding", "transfer-encoding"}]
        response = httpx.Response(answer.status, headers=kept, content=answer.body, request=request)
        response.elapsed = timedelta(seconds=exchange.seconds)
        for check in CHECKS:
            try:
                case.validate_response(response, checks=[check])
            except FailureGroup as group:
                self.opinions[exchange.number] = (check.__name__, str(group.exceptions[0]).splitlines()[0])

    def compare(self, verdict: Verdict) -> Verdict:
        """Where schemathesis found something in an exchange and no rule did, the suite itself is at fault: say so."""
        found = {
            f.exchange.number for r in verdict.results.values() if r.status in {"fail", "warn"} for f in r.findings
        }
        for number, (check, message) in self.opinions.items():
            success, error = BESIDE[check]
            exchange = next(e for e in self._wire.exchanges if e.number == number)
            result = verdict.results[success if exchange.status == 200 else error]
            if number not in found and result.status == "pass":
                text = f"schemathesis ({check}) says of request {number}: {message}; no rule does. Please report it."
                verdict.results[result.requirement.id] = Result(result.requirement, "error", result.exercised, text)
        return verdict


def safe_pid(value: Any) -> Any:
    """Return a pid that no guest can have in the place of one that it could."""
    if isinstance(value, list):
        return [safe_pid(item) for item in value]
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    number = integer(str(value))
    if number is not None and number > 0:
        return number | 1 if number > LARGEST_LINUX_PID else 2 * (LARGEST_LINUX_PID + number) + 1
    # Some parsers stop at the first character that is no digit.
    return f"{LARGEST_LINUX_PID + 1}{value}" if str(value).lstrip()[:1].isdecimal() and number is None else value
