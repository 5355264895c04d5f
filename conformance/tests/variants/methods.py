"""Variants of methods other than GET."""

from __future__ import annotations

from faults.probe import refuse
from stage import Answered, Asked

from variants import allowed


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


@allowed()
def allow_has_a_line_for_each_method(_asked: Asked, answered: Answered) -> None:
    """A method that is not offered gets 405 with Allow in several lines."""
    if answered.status == 405:
        answered.header("Allow", "POST")
        answered.headers += [("Allow", "HEAD"), ("Allow", "GET")]


@allowed()
def overrides_are_honoured(asked: Asked, answered: Answered) -> None:
    """A request is for the method that X-HTTP-Method-Override names, so that a GET may get 405 with Allow: GET."""
    if asked.headers.get("x-http-method-override", "GET") not in {"GET", "HEAD", "POST"}:
        refuse(asked, answered, 405, "method_not_allowed", "Method not allowed")
        answered.header("Allow", "GET, POST")
