"""The problems (RFC 9457) that the provider documents: what their types begin with, and their codes."""

from functools import cache
from typing import Any

from hostup_conformance.contract.document import document
from hostup_conformance.contract.paths import ENDPOINT

#: What the type of a problem begins with; its code follows.
ERRORS = "https://developer.hostup.se/errors/"
#: Status codes that the error reference lists and the endpoint's documentation does not: by their codes, and those of
#: all codes that begin with upstream_.
RELATED_CODES, UPSTREAM = {"vps_not_ready": {409}}, {502, 503}
RELATED_STATUSES = UPSTREAM.union(*RELATED_CODES.values())


@cache
def documented_errors(*methods: str) -> dict[int, dict[str, Any]]:
    """Return the responses with an error that are documented for some methods, or for any, by their status codes."""
    operations = document()["paths"][ENDPOINT]
    named = [operations[method.lower()]["responses"] for method in methods or ("POST", "GET")]
    names = {status: one["$ref"].rpartition("/")[2] for of in named for status, one in of.items() if "$ref" in one}
    return {int(status): document()["components"]["responses"][name] for status, name in sorted(names.items())}


def example_of(status: int) -> dict[str, Any]:
    """Return the document's example of an error."""
    example: dict[str, Any] = documented_errors()[status]["content"]["application/problem+json"]["example"]
    return example


@cache
def codes_by_status(*methods: str) -> dict[int, list[str]]:
    """Return the documented codes of each error status that is documented for some methods, or for any."""
    return {status: error["x-codes"] for status, error in documented_errors(*methods).items()}


#: What our own servers respond with: code and title by status code.
PROBLEMS: dict[int, tuple[str, str]] = {
    405: ("method_not_allowed", "Method not allowed"),
    503: ("upstream_unavailable", "Guest agent unavailable"),
    **{status: (example_of(status)["code"], example_of(status)["title"]) for status in documented_errors()},
}


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
