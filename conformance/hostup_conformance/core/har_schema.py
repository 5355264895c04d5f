"""The JSON Schema of an entry in a HAR file, so that a malformed one is refused with the place of the mistake."""

from __future__ import annotations

from functools import cache
from typing import Any

import jsonschema_rs

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
    "required": ["request", "response", "startedDateTime"],
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
            "type": "object",
            "required": ["status", "headers"],
            "properties": {
                "status": {"type": "integer", "minimum": 0, "maximum": 999},
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
    error = next(iter(_validator().iter_errors(entry)), None)
    if error is None:
        return None
    return f"{'.'.join(map(str, error.instance_path)) or 'it'}: {error.message[:200]}"
