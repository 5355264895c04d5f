"""Faults of ids."""

from __future__ import annotations

from urllib.parse import unquote

from hostup_conformance.mock import FOREIGN_VPS_ID, UNAVAILABLE_VPS_ID, VPS_ID
from stage import Answered, Asked

from faults import trips
from faults.auth import AVAILABLE
from faults.probe import refuse, start_instead

KNOWN = {VPS_ID, UNAVAILABLE_VPS_ID, FOREIGN_VPS_ID}


def answer_instead(asked: Asked, answered: Answered) -> None:
    """Answer a request for a VPS that is not found as if it were the own."""
    if answered.status == 404 and asked.method == "GET" and asked.full and asked.path.endswith("/agent/exec"):
        answered.become(200, AVAILABLE if asked.pid is None else {"exited": False})


@trips("ID-01")
def unknown_is_unavailable(asked: Asked, answered: Answered) -> None:
    """An unknown VPS gets an availability that says that its agent is not available."""
    resembles = asked.vps[:-1] == VPS_ID[:-1] or asked.vps.lower() == VPS_ID
    in_form = len(asked.vps) == len(VPS_ID) and asked.vps.replace("_", "").isalnum() and asked.vps.isascii()
    if answered.status == 404 and asked.full and asked.pid is None and in_form and not resembles:
        answered.become(200, {"available": False, "reason": "No such VPS.", "vmRunning": False})


@trips("ID-01")
def unknown_is_gone(asked: Asked, answered: Answered) -> None:
    """An unknown VPS gets 400."""
    if answered.status == 404 and asked.full and asked.vps not in KNOWN:
        refuse(asked, answered, 400, "invalid_request", "Invalid request")
        answered.change(errors=[{"pointer": "/id", "detail": "no", "code": "invalid_request"}])


@trips("ID-02")
def foreign_vps_is_answered(asked: Asked, answered: Answered) -> None:
    """A probe of any account's VPS succeeds."""
    if asked.vps == FOREIGN_VPS_ID and asked.pid is None:
        answer_instead(asked, answered)


@trips("ID-02")
def ownership_is_not_checked_at_polls(asked: Asked, answered: Answered) -> None:
    """A poll of any account's VPS succeeds."""
    if asked.vps == FOREIGN_VPS_ID and asked.pid:
        answer_instead(asked, answered)


@trips("ID-02")
def foreign_vps_is_a_conflict(asked: Asked, answered: Answered) -> None:
    """A VPS of another account gets 409."""
    if asked.vps == FOREIGN_VPS_ID and answered.status == 404:
        refuse(asked, answered, 409, "vps_not_ready", "VPS not ready")


@trips("ID-03")
def id_is_a_prefix(asked: Asked, answered: Answered) -> None:
    """A truncated id finds its VPS."""
    if len(asked.vps) > 4 and VPS_ID.startswith(asked.vps) and asked.vps != VPS_ID:
        answer_instead(asked, answered)


@trips("ID-03")
def what_follows_the_id_is_ignored(asked: Asked, answered: Answered) -> None:
    """An id with one letter too many finds its VPS."""
    if asked.vps in {VPS_ID + "x", VPS_ID + "0"}:
        answer_instead(asked, answered)


@trips("ID-04")
def quote_crashes(asked: Asked, answered: Answered) -> None:
    """An id with a quote gets 500."""
    if "'" in asked.vps and answered.status == 404:
        refuse(asked, answered, 500, "internal_error", "Internal server error")


@trips("ID-04")
def wildcard_finds_a_vps(asked: Asked, answered: Answered) -> None:
    """The id % matches the first VPS."""
    if asked.vps.endswith("%"):
        answer_instead(asked, answered)


@trips("ID-08")
def id_is_decoded_twice(asked: Asked, answered: Answered) -> None:
    """An id is percent-decoded twice."""
    if unquote(asked.vps) == VPS_ID != asked.vps:
        answer_instead(asked, answered)


@trips("ID-04")
def long_id_crashes(asked: Asked, answered: Answered) -> None:
    """A very long id gets 500."""
    if len(asked.vps) > 255 and answered.status == 404:
        refuse(asked, answered, 500, "internal_error", "Internal server error")


@trips("ID-05")
def id_is_compared_without_case(asked: Asked, answered: Answered) -> None:
    """An id in another case finds its VPS."""
    if asked.vps.lower() == VPS_ID != asked.vps:
        answer_instead(asked, answered)


@trips("ID-02")
def head_of_a_foreign_vps_is_open(asked: Asked, answered: Answered) -> None:
    """HEAD of a VPS of another account succeeds."""
    if asked.method == "HEAD" and asked.vps == FOREIGN_VPS_ID:
        answered.become(200)


@trips("ID-06")
def starts_in_any_vps(asked: Asked, answered: Answered) -> None:
    """Commands can be started on any VPS."""
    if asked.method == "POST" and asked.full and answered.status == 404:
        start_instead(asked, answered)


@trips("ID-06")
def start_in_an_unknown_vps_fails(asked: Asked, answered: Answered) -> None:
    """A start on an unknown VPS gets 500."""
    if asked.method == "POST" and asked.full and answered.status == 404:
        refuse(asked, answered, 500, "internal_error", "Internal server error")
