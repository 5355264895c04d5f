"""The JSON Schema of an entry in a HAR file, so that a malformed one is refused with the place of the mistake."""

from __future__ import annotations

from functools import cache
from typing import Any

import jsonschema_rs

from hostup_conformance.http.json_text import schema_errors

_FIELDS: dict[str, Any] = {
    "type": "array",
    "maxItems": 1000,
    "items": {
        "type": "object",
        "required": ["name", "value"],
        "properties": {"name": {"type": "string"}, "value": {"type": "string"}},
    },
}
_CONTENT: dict[str, Any] = {
    "type": ["object", "null"],
    "properties": {"text": {"type": ["string", "null"]}, "encoding": {"type": ["string", "null"]}},
}
ENTRY: dict[str, Any] = {
    "type": "object",
    "required": ["request", "startedDateTime"],
    "properties": {
        "startedDateTime": {"type": "string"},
        "time": {"type": ["number", "null"]},
        "request": {
            "type": "object",
            "required": ["method", "url", "headers"],
            "properties": {
                "method": {"type": "string", "pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"},
                "url": {"type": "string"},
                "headers": _FIELDS,
                "postData": _CONTENT,
                "_asks": {"type": ["object", "null"]},
            },
        },
        "response": {
            "type": ["object", "null"],
            "required": ["status", "headers"],
            "properties": {
                "status": {"type": ["integer", "null"], "minimum": 0, "maximum": 999},
                "headers": _FIELDS,
                "content": _CONTENT,
            },
        },
    },
}


@cache
def _validator() -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(ENTRY)


def fault_of(entry: Any) -> str | None:
    """Return where an entry is malformed and how, or None."""
    errors = schema_errors(_validator(), entry, 1)
    return f"{'.'.join(map(str, errors[0].instance_path)) or 'it'}: {errors[0].message[:200]}" if errors else None
