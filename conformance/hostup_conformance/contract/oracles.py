"""Independent judges of single responses, to check our own rules against: jsonschema-rs and schemathesis."""

import os
from copy import deepcopy
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import httpx
import jsonschema_rs

from hostup_conformance.contract.ask import Exchange, Pid, is_start
from hostup_conformance.contract.paths import ENDPOINT
from hostup_conformance.contract.selectors import is_error, judged
from hostup_conformance.http.json_text import encodable, schema_errors
from hostup_conformance.judging.ledger import document

if TYPE_CHECKING:
    from schemathesis.specs.openapi.schemas import OpenApiSchema

#: Only our own rules judge larger bodies, since schemathesis reads a body several times.
LARGEST_BODY = 1_000_000
#: The variable that names a module that schemathesis is to import.
HOOKS = "SCHEMATHESIS_HOOKS"


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


def read_by_schemathesis() -> "OpenApiSchema":
    """Return the OpenAPI document as schemathesis reads it, whatever it is told to do in somebody's own project.

    That is said in a schemathesis.toml, in this folder or above it, and by SCHEMATHESIS_HOOKS.
    """
    import schemathesis
    from schemathesis.config import SchemathesisConfig

    hooks = os.environ.pop(HOOKS, None)
    try:
        # It changes its argument.
        return schemathesis.openapi.from_dict(deepcopy(document()), config=SchemathesisConfig())
    finally:
        if hooks is not None:
            os.environ[HOOKS] = hooks


@cache
def operation() -> Any:
    """Return the endpoint as schemathesis reads it."""
    return read_by_schemathesis()[ENDPOINT]["GET"]


def schema_note(e: Exchange) -> str | None:
    """Return what schemathesis finds wrong with the form of a response; None if nothing.

    It is asked only where our rules judge the form too: not where the id or pid is malformed, not about a success for
    an ill-formed pid (PID-01 judges those), and not about an error that a firewall or router may have written.
    """
    from schemathesis.core.failures import Failure, FailureGroup

    received = e.response
    if received is None or not (judged(e) or e.obeyed) or len(received.body) > LARGEST_BODY:
        return None
    if e.ask.vps == "malformed" or e.ask.pid in {Pid.LOOSE, Pid.EMPTY, Pid.REPEATED, Pid.STRANGE}:
        return None
    judged_by_rules = is_error(e) if received.status >= 400 else e.ask.pid.well_formed
    if not judged_by_rules:
        return None
    # PROBLEM-05 accepts null for absent extensions; the document does not.
    if received.status >= 400 and isinstance(e.body, dict) and e.body.get("extensions", {}) is None:
        return None
    # schemathesis expects a response to have a URL and a duration.
    response = received.as_httpx(httpx.Request("GET", "http://h"))
    response.elapsed = timedelta(seconds=e.seconds)
    # It rejects unknown charsets whatever the bytes are, and HTTP-02 judges the charset.
    if received.media_type:
        response.headers["Content-Type"] = received.media_type
    try:
        operation().validate_response(response)
    except Failure as failure:
        return failure.title
    except FailureGroup as failures:
        return next((failure.title for failure in failures.exceptions if isinstance(failure, Failure)), None)
    return None
