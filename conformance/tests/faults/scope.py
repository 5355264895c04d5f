"""Faults of scopes."""

from __future__ import annotations

from stage import Answered, Asked

from faults import trips
from faults.probe import refuse, start_instead


@trips("SCOPE-01")
def probe_needs_write(asked: Asked, answered: Answered) -> None:
    """The probe is refused to a key with read:vm alone."""
    if answered.is_availability and asked.reading:
        refuse(asked, answered, 403, "forbidden", "Forbidden")


@trips("SCOPE-02")
def reading_is_enough_to_poll(asked: Asked, answered: Answered) -> None:
    """A poll with read:vm alone gets the state, without output."""
    if answered.status == 403 and asked.reading and asked.pid == str(asked.mock.running_pid):
        answered.become(200, {"exited": False})


@trips("SCOPE-02")
def lack_of_scope_is_not_found(asked: Asked, answered: Answered) -> None:
    """A poll with read:vm alone is 404."""
    if answered.status == 403 and asked.reading:
        refuse(asked, answered, 404, "not_found", "Not found")


@trips("SCOPE-02")
def lack_of_scope_is_a_bad_request(asked: Asked, answered: Answered) -> None:
    """A poll with read:vm alone is 400."""
    if answered.status == 403 and asked.reading:
        refuse(asked, answered, 400, "invalid_request", "Invalid request")
        answered.change(errors=[{"pointer": "/pid", "detail": "no", "code": "invalid_request"}])


@trips("SCOPE-03")
def head_of_a_poll_is_open(asked: Asked, answered: Answered) -> None:
    """HEAD of a poll succeeds with read:vm alone."""
    if asked.method == "HEAD" and asked.reading:
        answered.become(200)


@trips("SCOPE-04")
def reading_is_enough_to_start(asked: Asked, answered: Answered) -> None:
    """A key with read:vm alone may start commands."""
    if asked.method == "POST" and answered.status == 403:
        start_instead(asked, answered)
