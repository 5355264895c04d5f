"""The problems (RFC 9457) that the provider documents: what their types begin with, and their codes."""

from functools import cache
from typing import Any

from hostup_conformance.contract.paths import ENDPOINT
from hostup_conformance.judging.ledger import document

#: What the type of a problem begins with; its code follows.
ERRORS = "https://developer.hostup.se/errors/"
#: Status codes that the error reference lists and the endpoint's documentation does not: by their codes, and those of
#: all codes that begin with upstream_.
RELATED_CODES, UPSTREAM = {"vps_not_ready": {409}}, {502, 503}
RELATED_STATUSES = UPSTREAM.union(*RELATED_CODES.values())
#: What our own servers respond with: code and title by status code.
PROBLEMS = {
    400: ("invalid_request", "Invalid request"),
    401: ("unauthorized", "Unauthorized"),
    403: ("forbidden", "Forbidden"),
    404: ("not_found", "Not found"),
    405: ("method_not_allowed", "Method not allowed"),
    429: ("rate_limit_exceeded", "Too many requests"),
    500: ("internal_error", "Internal server error"),
    503: ("upstream_unavailable", "Guest agent unavailable"),
}


@cache
def codes_by_status() -> dict[int, list[str]]:
    """Return the documented codes of each documented error status."""
    responses = document()["paths"][ENDPOINT]["get"]["responses"]
    components = document()["components"]["responses"]
    names = {
        status: response["$ref"].rpartition("/")[2] for status, response in responses.items() if "$ref" in response
    }
    return {int(status): components[name]["x-codes"] for status, name in names.items()}


def problem(status: int, detail: str, *, instance: str, request_id: str, timestamp: str) -> dict[str, Any]:
    """Return the problem document of a status, in the provider's form."""
    code, title = PROBLEMS[status]
    return {
        "type": ERRORS + code,
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "instance": instance,
        "requestId": request_id,
        "timestamp": timestamp,
    }


def statuses_of(code: str) -> set[int]:
    """Return the statuses that a documented code belongs to; none for an unknown code."""
    if code.startswith("upstream_"):
        return UPSTREAM
    return RELATED_CODES.get(code) or {status for status, codes in codes_by_status().items() if code in codes}
