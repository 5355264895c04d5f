"""Faults of pids."""

from __future__ import annotations

import re
from urllib.parse import unquote_plus

from hostup_conformance.mock import UNAVAILABLE_VPS_ID
from stage import Answered, Asked

from faults import trips
from faults.auth import AVAILABLE
from faults.probe import refuse, start_instead


def is_integer(text: str | None) -> bool:
    """Whether a pid is one in form."""
    return bool(text and re.fullmatch(r"-?\d+", text))


def malformed(asked: Asked, answered: Answered) -> bool:
    """Whether a pid was refused for its form."""
    return (
        answered.status == 400
        and asked.own
        and asked.full
        and asked.pid not in {None, ""}
        and not is_integer(asked.pid)
    )


@trips("PID-01")
def malformed_pid_is_ignored(asked: Asked, answered: Answered) -> None:
    """A pid that is not a number is ignored."""
    if malformed(asked, answered):
        answered.become(200, AVAILABLE)


@trips("PID-01")
def pid_is_parsed_as_far_as_it_goes(asked: Asked, answered: Answered) -> None:
    """The leading digits of a pid are taken for the pid."""
    if malformed(asked, answered) and (asked.pid or "").startswith(f"{asked.mock.running_pid}a"):
        answered.become(200, {"exited": False})


@trips("PID-01")
def pid_is_matched_line_by_line(asked: Asked, answered: Answered) -> None:
    """A text with a line of digits is taken for a pid, as `^` and `$` match it in Ruby."""
    if malformed(asked, answered) and re.search(r"^\d+$", asked.pid or "", re.MULTILINE):
        answered.become(200, {"exited": False})


@trips("PID-11")
def pid_with_a_nul_is_none(asked: Asked, answered: Answered) -> None:
    """A pid with a NUL is ignored."""
    if malformed(asked, answered) and "\0" in (asked.pid or ""):
        answered.become(200, AVAILABLE)


@trips("PID-02")
def malformed_pid_is_unprocessable(asked: Asked, answered: Answered) -> None:
    """A pid that is not a number gets 422."""
    if malformed(asked, answered):
        answered.status = 422
        answered.change(status=422)
        answered.change(
            code="unprocessable", type="https://developer.hostup.se/errors/unprocessable", title="Unprocessable"
        )


@trips("PID-03")
def zero_is_no_pid(asked: Asked, answered: Answered) -> None:
    """pid=0 is ignored."""
    if asked.pid == "0" and answered.status == 400:
        answered.become(200, {"exited": False})


@trips("PID-12")
def sign_is_dropped(asked: Asked, answered: Answered) -> None:
    """A negative pid gives the output of the positive one."""
    if asked.pid == f"-{asked.mock.running_pid}" and answered.status == 400:
        answered.become(200, {"exited": False})


@trips("PID-04")
def unknown_pid_runs(asked: Asked, answered: Answered) -> None:
    """A pid that was never started is said to run."""
    if answered.status == 404 and asked.own and asked.full and is_integer(asked.pid) and int(asked.pid or 0) > 4194304:
        answered.become(200, {"exited": False})


@trips("PID-12")
def pid_wraps(asked: Asked, answered: Answered) -> None:
    """A pid is reduced modulo 2**32."""
    if asked.pid == str(asked.mock.running_pid + 2**32) and answered.status == 404 and asked.full:
        answered.become(200, {"exited": False})


@trips("PID-05")
def pid_is_looked_up_without_its_vps(asked: Asked, answered: Answered) -> None:
    """The pid of one VPS gives its output under another."""
    if asked.vps == UNAVAILABLE_VPS_ID and answered.status >= 400 and asked.full and asked.pid:
        answered.become(200, {"exited": True, "exitCode": 0})


@trips("PID-06")
def malformed_pid_crashes(asked: Asked, answered: Answered) -> None:
    """A pid that is not a number gets 500."""
    if malformed(asked, answered):
        refuse(asked, answered, 500, "internal_error", "Internal server error")


@trips("PID-06")
def huge_pid_crashes(asked: Asked, answered: Answered) -> None:
    """A pid beyond 64 bits gets 500."""
    if answered.status == 400 and asked.full and is_integer(asked.pid) and len(asked.pid or "") > 20:
        refuse(asked, answered, 500, "internal_error", "Internal server error")


@trips("PID-06")
def repeated_pid_crashes(asked: Asked, answered: Answered) -> None:
    """Two pids get 500."""
    if answered.status == 400 and asked.full and asked.query.count("pid=") > 1:
        refuse(asked, answered, 500, "internal_error", "Internal server error")


@trips("PID-06")
def empty_pid_crashes(asked: Asked, answered: Answered) -> None:
    """An empty pid gets 500."""
    if answered.status == 400 and asked.full and asked.query == "pid=":
        refuse(asked, answered, 500, "internal_error", "Internal server error")


@trips("PID-09")
def starts_whatever_the_command(asked: Asked, answered: Answered) -> None:
    """The body of a start is not checked."""
    if asked.method == "POST" and asked.full and answered.status == 400:
        start_instead(asked, answered)


@trips("PID-09")
def improper_command_makes_it_fail(asked: Asked, answered: Answered) -> None:
    """A start without a valid command gets 500."""
    if asked.method == "POST" and asked.full and answered.status == 400:
        refuse(asked, answered, 500, "internal_error", "Internal server error")


@trips("PID-10")
def improper_command_is_unprocessable(asked: Asked, answered: Answered) -> None:
    """A start without a valid command gets 422."""
    if asked.method == "POST" and asked.full and answered.status == 400:
        errors = answered.json["errors"]
        refuse(asked, answered, 422, "invalid_request", "Invalid request")
        answered.change(errors=errors)


def loosely(asked: Asked) -> str:
    """Return the pid of a request with the full key for the own VPS, as far as it is written otherwise; or nothing."""
    text = unquote_plus(asked.query.removeprefix("pid=")) if asked.full and asked.own and asked.method == "GET" else ""
    return "" if re.fullmatch(r"-?\d+", text, re.ASCII) else text


@trips("PID-11")
def blanks_make_it_absent(asked: Asked, answered: Answered) -> None:
    """A pid with a blank before it is ignored."""
    if loosely(asked).startswith(" "):
        answered.become(200, AVAILABLE)


@trips("PID-11")
def several_pids_are_none(asked: Asked, answered: Answered) -> None:
    """A repeated pid is read as a list, which is not a number, and is ignored."""
    if answered.status == 400 and asked.full and asked.own and asked.query.count("pid=") > 1:
        answered.become(200, AVAILABLE)


@trips("PID-12")
def pid_wraps_at_64_bits(asked: Asked, answered: Answered) -> None:
    """A pid is reduced modulo 2**64."""
    if asked.pid == str(asked.mock.running_pid + 2**64) and asked.full and asked.own:
        answered.become(200, {"exited": False})


@trips("PID-12")
def fraction_is_another_command(asked: Asked, answered: Answered) -> None:
    """A pid with .0 finds another command, which has ended."""
    if loosely(asked).endswith(".0"):
        answered.become(200, {"exited": True, "exitCode": 0})


@trips("PID-05")
def pid_of_any_vps_is_taken(asked: Asked, answered: Answered) -> None:
    """A poll under another VPS finds the output of a command, and uses it up."""
    pid, taken = asked.pid or "", asked.memory.setdefault("taken", set())
    if asked.vps == UNAVAILABLE_VPS_ID and asked.full and pid.isdecimal() and int(pid) in (4243, 4244) and not taken:
        taken.add(pid)
        answered.become(200, {"exited": True, "exitCode": 0, "stdout": "Linux web-1 6.12.0 x86_64\n"})
    elif answered.is_output and pid in taken:
        refuse(asked, answered, 404, "not_found", "Not found")


@trips("PID-04")
def forgotten_pid_runs(asked: Asked, answered: Answered) -> None:
    """A pid that the agent does not know, or no longer knows, is said to run."""
    if answered.status == 404 and asked.own and asked.full and asked.method == "GET" and is_integer(asked.pid):
        answered.become(200, {"exited": False})


@trips("PID-04")
def processes_of_the_guest_can_be_polled(asked: Asked, answered: Answered) -> None:
    """The server asks the guest's system whether a process runs, so that its first process can be polled."""
    if asked.full and asked.own and asked.pid == "1":
        answered.become(200, {"exited": False})


@trips("PID-06")
def half_an_escape_is_a_500(asked: Asked, answered: Answered) -> None:
    """A pid with a percent sign that begins no escape gets a page of the framework with 500."""
    if asked.query == "pid=%":
        answered.become(500, b"<h1>Internal Server Error</h1>", "text/html")
