"""Independent judges of single responses, to check our own rules against: jsonschema-rs and schemathesis."""

import re
from base64 import b64encode
from functools import cache
from typing import Any

import jsonschema_rs

from hostup_conformance.contract.ask import Exchange, Pid, is_start
from hostup_conformance.contract.document import document
from hostup_conformance.contract.schemathesis_client import schemathesis
from hostup_conformance.contract.selectors import is_error, understood
from hostup_conformance.http.json_text import encodable, schema_errors

#: Only our own rules judge larger bodies, since schemathesis reads a body several times.
LARGEST_BODY = 1_000_000
#: And it reads no numbers with more digits than Python does by default.
LONG_NUMBER = re.compile(rb"[0-9]{4300}")


@cache
def validator(name: str) -> Any:
    """Return the JSON Schema validator for a schema of the OpenAPI document."""
    return jsonschema_rs.Draft202012Validator({**document(), "$ref": f"#/components/schemas/{name}"})


def conforms(e: Exchange) -> bool:
    """Whether the body of a 200 is valid by the schema for what was asked."""
    shape = "StartedCommand" if is_start(e) else "AgentAvailability" if e.ask.pid == Pid.ABSENT else "CommandOutput"
    # Not by `faults`: an error has a copy of the output, which may be large.
    return bool(encodable(validator(shape).is_valid, e.body))


def faults(name: str, value: Any, most: int) -> list[jsonschema_rs.ValidationError]:
    """Return the first things that are wrong with JSON by a schema of the OpenAPI document."""
    return schema_errors(validator(name), value, most)


def schema_note(e: Exchange) -> str | None:
    """Return what schemathesis finds wrong with the form of a response; None if nothing.

    It is asked only where our rules judge the form too: not where the id or pid is malformed, not about a success for
    an ill-formed pid (PID-01 judges those), and not about an error that a firewall or router may have written.
    """
    received = e.response
    if received is None or not (understood(e) or e.obeyed) or len(received.body) > LARGEST_BODY:
        return None
    if LONG_NUMBER.search(received.body):
        return None
    if e.ask.vps == "malformed" or e.ask.pid in {Pid.LOOSE, Pid.EMPTY, Pid.REPEATED, Pid.STRANGE}:
        return None
    judged_by_rules = is_error(e) if received.status >= 400 else e.ask.pid.well_formed
    if not judged_by_rules:
        return None
    # PROBLEM-05 accepts null for absent extensions; the document does not.
    if received.status >= 400 and isinstance(e.body, dict) and e.body.get("extensions", {}) is None:
        return None
    # It rejects unknown charsets whatever the bytes are, and HTTP-02 judges the charset.
    types = {"content-type": received.media_type} if received.media_type else {}
    headers = [(name, types.get(name.lower(), value)) for name, value in received.uncoded]
    body = b64encode(received.body).decode()
    note: str | None = schemathesis.ask("note", status=received.status, headers=headers, body=body, seconds=e.seconds)
    return note
