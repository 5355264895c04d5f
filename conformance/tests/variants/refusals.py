"""Variants of refusals: which status code, with which details."""

from __future__ import annotations

import re
from urllib.parse import unquote_plus

from faults.auth import AVAILABLE
from faults.probe import refuse
from hostup_conformance.mock import FOREIGN_VPS_ID, UNAVAILABLE_VPS_ID
from stage import Answered, Asked

from variants import allowed, invalid


@allowed()
def foreign_is_forbidden(asked: Asked, answered: Answered) -> None:
    """A VPS of another account gets 403."""
    if answered.status == 404 and asked.vps == FOREIGN_VPS_ID and asked.path.endswith("/exec"):
        refuse(asked, answered, 403, "forbidden", "Forbidden")


@allowed()
def unknown_is_forbidden_too(asked: Asked, answered: Answered) -> None:
    """Any VPS that is not the caller's gets 403, whether or not it exists."""
    if answered.status == 404 and not asked.own and asked.vps != UNAVAILABLE_VPS_ID and asked.path.endswith("/exec"):
        refuse(asked, answered, 403, "forbidden", "Forbidden")


@allowed()
def malformed_ids_are_bad_requests(asked: Asked, answered: Answered) -> None:
    """A malformed id gets 400."""
    if answered.status == 404 and not re.fullmatch(r"vps_[0-9a-z]{26}", asked.vps) and asked.path.endswith("/exec"):
        invalid(asked, answered, "/id")


@allowed()
def malformed_pids_are_not_found(asked: Asked, answered: Answered) -> None:
    """A malformed pid gets 404."""
    if answered.status == 400 and "pid=" in asked.query:
        refuse(asked, answered, 404, "not_found", "Not found")


@allowed()
def empty_pid_is_none(asked: Asked, answered: Answered) -> None:
    """An empty pid counts as absent, and the last of several counts."""
    if asked.full and asked.own and asked.method == "GET" and asked.query == "pid=":
        answered.become(200, AVAILABLE)
    if asked.full and asked.own and asked.query.count("pid=") > 1 and not asked.query.endswith("abc"):
        refuse(asked, answered, 404, "not_found", "Not found")


@allowed()
def gateway_answers_odd_paths(asked: Asked, answered: Answered) -> None:
    """Paths with odd characters get the gateway's own page."""
    if re.search(r"%(00|25|2f|ff)|\.\.", asked.path, re.IGNORECASE) or len(asked.path) > 1000:
        answered.become(400, b"<html><center><h1>400 Bad Request</h1></center></html>", "text/html")


@allowed()
def redirects_dot_segments(asked: Asked, answered: Answered) -> None:
    """A path with dot segments is redirected to the one without."""
    if re.search(r"/(\.|%2e){1,2}/", asked.path, re.IGNORECASE):
        answered.become(301, b"", "text/html")
        answered.header("Location", "/api/v2/agent/exec")


@allowed()
def malformed_credentials_are_bad_requests(asked: Asked, answered: Answered) -> None:
    """Another scheme than Bearer gets 400."""
    scheme = asked.headers.get("authorization", "Bearer x").partition(" ")[0].lower()
    if answered.status == 401 and scheme != "bearer":
        refuse(asked, answered, 400, "invalid_request", "Invalid request")


@allowed()
def pids_are_read_leniently(asked: Asked, answered: Answered) -> None:
    """A pid is whatever Python's int() accepts, or a whole number."""
    text = unquote_plus(asked.query.removeprefix("pid="))
    try:
        number = int(float(text)) if "e" in text or "." in text else int(text)
        known = number == asked.mock.running_pid and float(text.replace("_", "")).is_integer()
    except ValueError:
        return
    if known and answered.status == 400 and asked.full and asked.own and asked.method == "GET":
        answered.become(200, {"exited": False})


@allowed()
def slash_at_the_end_is_welcome(asked: Asked, answered: Answered) -> None:
    """A trailing slash is redirected, and a double slash gets a page of the front end."""
    if asked.path.endswith("/exec/"):
        answered.become(308, b"", "text/html")
        answered.header("Location", asked.path.rstrip("/"))
    elif "//agent/" in asked.path:
        answered.become(404, b"<h1>404</h1>", "text/html")


@allowed()
def bodies_are_refused(asked: Asked, answered: Answered) -> None:
    """A page of the front end refuses a GET with a body, and a POST that claims to be a GET."""
    if (asked.method == "GET" and asked.body) or "x-http-method-override" in asked.headers:
        answered.become(400, b"<h1>Bad Request</h1>", "text/html")


@allowed()
def names_without_case(asked: Asked, answered: Answered) -> None:
    """The parameter's name is read without case and brackets; such a poll needs write:vm too."""
    if asked.reading and re.match(r"PID=|pid%5B", asked.query):
        refuse(asked, answered, 403, "forbidden", "Forbidden")


@allowed()
def keys_are_ascii(asked: Asked, answered: Answered) -> None:
    """A key that is not ASCII gets 400."""
    if not asked.headers.get("authorization", "").isascii():
        refuse(asked, answered, 400, "invalid_request", "Invalid request")


@allowed()
def unknown_pids_are_bad_requests(asked: Asked, answered: Answered) -> None:
    """An unknown pid gets 400 without items in errors."""
    if answered.status == 404 and asked.full and asked.own and asked.pid:
        refuse(asked, answered, 400, "invalid_request", "Invalid request")


@allowed()
def json_is_to_be_accepted_by_name(asked: Asked, answered: Answered) -> None:
    """A request whose Accept, unlike the documentation's, does not name JSON gets 406."""
    if "json" not in asked.headers.get("accept", ""):
        answered.become(406, b"<html><h1>406 Not Acceptable</h1></html>", "text/html")
