"""What the body of a start has for its command. It judges nothing."""

from __future__ import annotations

import json
import re
from typing import Any

from hostup_conformance.contract.paths import LONGEST_COMMAND
from hostup_conformance.http.messages import Request


def json_of(request: Request) -> Any:
    """Return the body of a start as JSON; None if it is none."""
    try:
        return json.loads(request.body)
    except (ValueError, RecursionError):
        return None


def command_of(request: Request) -> Any:
    """Return what a start has for its command, of whatever type; None if the body is no JSON object with one."""
    body = json_of(request)
    return body.get("command") if isinstance(body, dict) else None


def proper_command(request: Request) -> str | None:
    """Return the command of a start if it is valid by the document, else None."""
    command = command_of(request)
    return command if isinstance(command, str) and 1 <= len(command) <= LONGEST_COMMAND else None


def is_passable(command: str) -> bool:
    """Whether a command can reach any guest unchanged: a NUL would end it, and UTF-8 has no half surrogate pairs."""
    return re.search("[\0\ud800-\udfff]", command) is None


def is_readable(request: Request) -> bool:
    """Whether any server can read the body of a start, and pass its command on if it has one."""
    return is_utf_8(request) and not is_deep(request) and is_passable(proper_command(request) or "")


def is_utf_8(request: Request) -> bool:
    """Whether the body of a start is UTF-8."""
    try:
        request.body.decode()
    except UnicodeDecodeError:
        return False
    return True


def is_deep(request: Request) -> bool:
    """Whether the body of a start is nested more deeply than many parsers can recurse."""
    return b"[" * 100 in request.body
