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
    """A poll with read:vm alone gets the state without the output."""
    if answered.status == 403 and asked.reading and asked.pid == str(asked.mock.running_pid):
        answered.become(200, {"exited": False})


@trips("SCOPE-02")
def lack_of_scope_is_not_found(asked: Asked, answered: Answered) -> None:
    """A poll with read:vm alone gets 404."""
    if answered.status == 403 and asked.reading:
        refuse(asked, answered, 404, "not_found", "Not found")


@trips("SCOPE-02")
def lack_of_scope_is_a_bad_request(asked: Asked, answered: Answered) -> None:
    """A poll with read:vm alone gets 400."""
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


RUNNING = {"exited": False}


def reads_round(asked: Asked, answered: Answered) -> bool:
    """Whether it is a request by the key with read:vm alone that got no output, and no 401."""
    return asked.reading and answered.status != 401 and not answered.is_output


@trips("SCOPE-05")
def scope_looks_at_the_first_pid(asked: Asked, answered: Answered) -> None:
    """The scope is checked for the first pid, and the last one is polled."""
    if reads_round(asked, answered) and asked.query.startswith("pid=&pid="):
        answered.become(200, RUNNING)


@trips("SCOPE-05")
def names_are_compared_without_case(asked: Asked, answered: Answered) -> None:
    """The framework accepts PID as pid, but the check of the scope does not."""
    if reads_round(asked, answered) and asked.query.startswith("PID="):
        answered.become(200, RUNNING)


@trips("SCOPE-05")
def pid_comes_from_the_body_too(asked: Asked, answered: Answered) -> None:
    """A pid in a form is polled without a check of the scope."""
    if reads_round(asked, answered) and asked.body.startswith(b"pid="):
        answered.become(200, RUNNING)


@trips("SCOPE-05")
def scope_depends_on_the_method(asked: Asked, answered: Answered) -> None:
    """The method is overridden after the scope is checked."""
    if reads_round(asked, answered) and "x-http-method-override" in asked.headers and asked.method == "POST":
        answered.become(200, RUNNING)


@trips("SCOPE-05")
def scope_depends_on_the_path(asked: Asked, answered: Answered) -> None:
    """The scope is not checked if the path has a trailing slash."""
    if reads_round(asked, answered) and asked.path.endswith("/exec/"):
        answered.become(200, RUNNING)


@trips("SCOPE-05")
def scope_depends_on_the_case_of_the_path(asked: Asked, answered: Answered) -> None:
    """The path is routed without its case, but the scope is checked for the documented one."""
    if asked.reading and asked.path.endswith("/Agent/Exec"):
        answered.become(200, RUNNING)


@trips("SCOPE-05")
def scope_depends_on_how_the_path_is_encoded(asked: Asked, answered: Answered) -> None:
    """The scope is checked before the path is decoded."""
    if asked.reading and "%65xec" in asked.path:
        answered.become(200, RUNNING)


@trips("SCOPE-05")
def pid_comes_from_a_json_body_too(asked: Asked, answered: Answered) -> None:
    """A pid in a JSON object is polled without a check of the scope."""
    if reads_round(asked, answered) and asked.body.startswith(b'{"pid"'):
        answered.become(200, RUNNING)


@trips("SCOPE-05", starts=True)
def get_becomes_a_start(asked: Asked, answered: Answered) -> None:
    """The method is overridden after the scope is checked, and a key with read:vm alone starts a command."""
    if asked.reading and asked.method == "GET" and asked.body and "x-http-method-override" in asked.headers:
        start_instead(asked, answered)
