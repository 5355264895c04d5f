"""Variants of methods other than GET."""

from __future__ import annotations

from faults.probe import refuse
from stage import Answered, Asked

from variants import allowed


@allowed()
def post_starts_commands(asked: Asked, answered: Answered) -> None:
    """POST exists, and treats a missing body as an empty command."""
    if asked.method == "POST" and asked.full and asked.own:
        answered.become(202, {"pid": 4343, "status": "started"})


@allowed()
def other_methods_are_not_found(asked: Asked, answered: Answered) -> None:
    """All other methods get 404."""
    if asked.method not in {"GET", "HEAD"}:
        refuse(asked, answered, 404, "not_found", "Not found")


@allowed()
def other_methods_are_not_implemented(asked: Asked, answered: Answered) -> None:
    """All other methods, HEAD included, get 501 without a body."""
    if asked.method != "GET":
        answered.become(501)


@allowed()
def get_alone(asked: Asked, answered: Answered) -> None:
    """All other methods, HEAD included, get 405 with Allow: GET."""
    if asked.method != "GET":
        answered.become(405, b"Method Not Allowed", "text/plain")
        answered.header("Allow", "GET")


@allowed()
def methods_need_a_key_first(asked: Asked, answered: Answered) -> None:
    """For any method, the key is checked first: 401 comes before 405."""
    if asked.method != "GET" and not asked.full and not asked.reading:
        refuse(asked, answered, 401, "unauthorized", "Unauthorized")
        answered.header("WWW-Authenticate", "Bearer")
