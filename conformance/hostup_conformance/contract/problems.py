"""The problems (RFC 9457) that the provider documents: what their types begin with, and their codes."""

from __future__ import annotations

from functools import cache

from hostup_conformance.contract.paths import ENDPOINT
from hostup_conformance.core.ledger import document

#: What the type of a problem begins with; its code follows.
ERRORS = "https://developer.hostup.se/errors/"
#: Codes that the error reference lists for status codes that the endpoint's documentation does not have.
RELATED_CODES = {"vps_not_ready": {409}}


@cache
def codes_by_status() -> dict[int, list[str]]:
    """Return the documented codes of each documented error status."""
    responses = document()["paths"][ENDPOINT]["get"]["responses"]
    components = document()["components"]["responses"]
    names = {
        status: response["$ref"].rpartition("/")[2] for status, response in responses.items() if "$ref" in response
    }
    return {int(status): components[name]["x-codes"] for status, name in names.items()}


def statuses_of(code: str) -> set[int]:
    """Return the statuses that a documented code belongs to; none for an unknown code."""
    if code.startswith("upstream_"):
        return {502, 503}
    return RELATED_CODES.get(code) or {status for status, codes in codes_by_status().items() if code in codes}
