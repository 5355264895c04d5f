"""Independent judges of single answers, to hold our own rules against."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import jsonschema_rs

from hostup_conformance.ledger import document

if TYPE_CHECKING:
    from hostup_conformance.exchange import Exchange


@cache
def validator(name: str) -> Any:
    """Return the JSON Schema validator of a schema of the document."""
    return jsonschema_rs.Draft202012Validator({**document(), "$ref": f"#/components/schemas/{name}"})


def conforms(e: Exchange) -> bool:
    """Whether the body of a 200 is valid by the document's schema for what was asked."""
    shape = "StartedCommand" if e.is_start else "AgentAvailability" if e.ask.pid == "absent" else "CommandOutput"
    return bool(validator(shape).is_valid(e.body))


def header_notes(e: Exchange) -> list[str]:
    """Return what httplint, a judge of HTTP headers, calls bad in an answer."""
    from httplint import HttpResponseLinter
    from httplint.note import levels

    assert e.answer is not None  # noqa: S101 - called for answers alone
    linter = HttpResponseLinter()
    linter.process_response_topline(b"HTTP/1.1", str(e.answer.status).encode(), b"")
    linter.process_headers([(k.encode("latin-1"), v.encode("latin-1")) for k, v in e.answer.headers])
    linter.feed_content(e.answer.body)
    linter.finish_content(True)
    return [str(note.summary) for note in linter.notes if note.level is levels.BAD]
