"""Faults of pids."""

import json
import re
from urllib.parse import unquote_plus

from hostup_conformance.contract.paths import VPSS
from hostup_conformance.mock import UNAVAILABLE_VPS_ID
from stage import Request, Response

from faults import trips
from faults.auth import AVAILABLE
from faults.probe import refuse, start_instead

#: Another VPS of the caller.
OTHER_VPS_ID = "vps_other"


def is_integer(text: str | None) -> bool:
    """Whether a pid is one in form."""
    return bool(text and re.fullmatch(r"-?\d+", text))


def malformed(request: Request, response: Response) -> bool:
    """Whether a pid was refused for its form."""
    return (
        response.status == 400
        and request.own
        and request.full
        and request.pid not in {None, ""}
        and not is_integer(request.pid)
    )


@trips("PID-01")
def an_asterisk_is_any_pid(request: Request, response: Response) -> None:
    """The pid is looked up as a pattern, so that * finds the output of some command."""
    if request.method == "GET" and request.pid == "*" and request.full and request.own:
        response.become(200, {"exited": True, "exitCode": 0, "stdout": "done\n", "stderr": ""})


@trips("PID-01")
def malformed_pid_is_ignored(request: Request, response: Response) -> None:
    """A pid that is not a number is ignored."""
    if malformed(request, response):
        response.become(200, AVAILABLE)


@trips("PID-01")
def pid_is_parsed_as_far_as_it_goes(request: Request, response: Response) -> None:
    """The leading digits of a pid are taken for the pid."""
    if malformed(request, response) and (request.pid or "").startswith(f"{request.mock.running_pid}a"):
        response.become(200, {"exited": False})


@trips("PID-01")
def pid_is_matched_line_by_line(request: Request, response: Response) -> None:
    """A text with a line of digits is taken for a pid, as `^` and `$` match it in Ruby."""
    if malformed(request, response) and re.search(r"^\d+$", request.pid or "", re.MULTILINE):
        response.become(200, {"exited": False})


@trips("PID-01")
def names_of_a_prototype_are_pids(request: Request, response: Response) -> None:
    """Commands are looked up in an object of JavaScript, which has members of its own."""
    if malformed(request, response) and request.pid in {"__proto__", "constructor"}:
        response.become(200, {})


@trips("PID-11")
def pid_with_a_nul_is_none(request: Request, response: Response) -> None:
    """A pid with a NUL is ignored."""
    if malformed(request, response) and "\0" in (request.pid or ""):
        response.become(200, AVAILABLE)


@trips("PID-02")
def malformed_pid_is_unprocessable(request: Request, response: Response) -> None:
    """A pid that is not a number gets 422."""
    if malformed(request, response):
        response.status = 422
        response.change(status=422)
        response.change(
            code="unprocessable", type="https://developer.hostup.se/errors/unprocessable", title="Unprocessable"
        )


@trips("PID-03")
def zero_is_no_pid(request: Request, response: Response) -> None:
    """pid=0 is ignored."""
    if request.pid == "0" and response.status == 400:
        response.become(200, {"exited": False})


@trips("PID-12")
def sign_is_dropped(request: Request, response: Response) -> None:
    """A negative pid gives the output of the positive one."""
    if request.pid == f"-{request.mock.running_pid}" and response.status == 400:
        response.become(200, {"exited": False})


@trips("PID-04")
def unknown_pid_runs(request: Request, response: Response) -> None:
    """A pid that was never started is said to run."""
    if (
        response.status == 404
        and request.own
        and request.full
        and is_integer(request.pid)
        and int(request.pid or 0) > 4194304
    ):
        response.become(200, {"exited": False})


@trips("PID-12")
def pid_wraps(request: Request, response: Response) -> None:
    """A pid is reduced modulo 2**32."""
    if request.pid == str(request.mock.running_pid + 2**32) and response.status == 404 and request.full:
        response.become(200, {"exited": False})


@trips("PID-05")
def pid_is_looked_up_without_its_vps(request: Request, response: Response) -> None:
    """The pid of one VPS gives its output under another."""
    elsewhere = request.vps == UNAVAILABLE_VPS_ID and response.status >= 400 and request.full
    if elsewhere and is_integer(request.pid) and int(request.pid or 0) <= 4194304:
        response.become(200, {"exited": True, "exitCode": 0})


@trips("PID-04")
def any_pid_has_ended(request: Request, response: Response) -> None:
    """A pid that the server does not know is said to have ended well, under any VPS."""
    ours = request.full and (request.own or request.vps == UNAVAILABLE_VPS_ID)
    if ours and response.status >= 400 and is_integer(request.pid):
        response.become(200, {"exited": True, "exitCode": 0})


@trips("PID-06")
def malformed_pid_crashes(request: Request, response: Response) -> None:
    """A pid that is not a number gets 500."""
    if malformed(request, response):
        refuse(request, response, 500, "internal_error", "Internal server error")


@trips("PID-06")
def huge_pid_crashes(request: Request, response: Response) -> None:
    """A pid beyond 64 bits gets 500."""
    if response.status == 400 and request.full and is_integer(request.pid) and len(request.pid or "") > 20:
        refuse(request, response, 500, "internal_error", "Internal server error")


@trips("PID-06")
def repeated_pid_crashes(request: Request, response: Response) -> None:
    """Two pids get 500."""
    if response.status == 400 and request.full and request.query.count("pid=") > 1:
        refuse(request, response, 500, "internal_error", "Internal server error")


@trips("PID-06")
def empty_pid_crashes(request: Request, response: Response) -> None:
    """An empty pid gets 500."""
    if response.status == 400 and request.full and request.query == "pid=":
        refuse(request, response, 500, "internal_error", "Internal server error")


@trips("PID-09")
def starts_whatever_the_command(request: Request, response: Response) -> None:
    """The body of a start is not checked."""
    if request.method == "POST" and request.full and response.status == 400:
        start_instead(request, response)


@trips("PID-09")
def improper_command_makes_it_fail(request: Request, response: Response) -> None:
    """A start without a valid command gets 500."""
    if request.method == "POST" and request.full and response.status == 400:
        refuse(request, response, 500, "internal_error", "Internal server error")


@trips("PID-09")
def a_list_of_one_text_is_a_command(request: Request, response: Response) -> None:
    """A command that is an array with one text is taken for that text, as validators do that coerce types."""
    refused = request.method == "POST" and request.full and response.status == 400
    if refused and re.search(rb'"command": \["', request.body):
        start_instead(request, response)


def gives_the_last(request: Request, response: Response, *, asked: bool) -> None:
    """Give the output of the command that ended last, where it is asked for."""
    if response.is_output and response.json["exited"]:
        request.memory["last"] = response.json
    if request.full and request.own and asked and "last" in request.memory:
        response.become(200, request.memory["last"])


@trips("PID-12", starts=True)
def minus_one_is_any_command(request: Request, response: Response) -> None:
    """The pid -1 gets the output of the command that ended last, as waitpid has it."""
    gives_the_last(request, response, asked=request.pid == "-1")


@trips("PID-12", starts=True)
def pids_are_found_by_their_beginning(request: Request, response: Response) -> None:
    """A pid without its last digit gives the output of a command, as one that is looked up with LIKE."""
    if response.is_started and (found := re.search(rb": hostup-once-(\w+);", request.body)):
        request.memory["once"] = str(response.json["pid"]), found[1].decode()
    pid, token = request.memory.get("once", ("", ""))
    if request.full and request.pid and request.pid == pid[:-1] and response.status == 404:
        response.become(200, {"exited": True, "exitCode": 3, "stdout": f"done {token}"})


@trips("PID-12", starts=True)
def an_operator_finds_any_command(request: Request, response: Response) -> None:
    """A pid with an operator of a database gets the output of any command."""
    gives_the_last(request, response, asked=request.query == "pid%5B%24ne%5D=0")


@trips("PID-10")
def improper_command_is_unprocessable(request: Request, response: Response) -> None:
    """A start without a valid command gets 422."""
    if request.method == "POST" and request.full and response.status == 400:
        errors = response.json["errors"]
        refuse(request, response, 422, "invalid_request", "Invalid request")
        response.change(errors=errors)


def loosely(request: Request) -> str:
    """Return the pid of a request with the full key for the own VPS, as far as it is written otherwise; or nothing."""
    text = (
        unquote_plus(request.query.removeprefix("pid="))
        if request.full and request.own and request.method == "GET"
        else ""
    )
    return "" if re.fullmatch(r"-?\d+", text, re.ASCII) else text


@trips("PID-11")
def blanks_make_it_absent(request: Request, response: Response) -> None:
    """A pid with a blank before it is ignored."""
    if loosely(request).startswith(" "):
        response.become(200, AVAILABLE)


@trips("PID-11")
def several_pids_are_none(request: Request, response: Response) -> None:
    """A repeated pid is read as a list, which is not a number, and is ignored."""
    if response.status == 400 and request.full and request.own and request.query.count("pid=") > 1:
        response.become(200, AVAILABLE)


@trips("PID-12")
def pid_wraps_at_64_bits(request: Request, response: Response) -> None:
    """A pid is reduced modulo 2**64."""
    if request.pid == str(request.mock.running_pid + 2**64) and request.full and request.own:
        response.become(200, {"exited": False})


@trips("PID-12")
def fraction_is_another_command(request: Request, response: Response) -> None:
    """A pid with .0 finds another command, which has ended."""
    if loosely(request).endswith(".0"):
        response.become(200, {"exited": True, "exitCode": 0})


@trips("PID-05")
def pid_of_any_vps_is_taken(request: Request, response: Response) -> None:
    """A poll under another VPS finds the output of a command, and uses it up."""
    pid, taken = request.pid or "", request.memory.setdefault("taken", set())
    if (
        request.vps == UNAVAILABLE_VPS_ID
        and request.full
        and pid.isdecimal()
        and int(pid) in (4243, 4244)
        and not taken
    ):
        taken.add(pid)
        response.become(200, {"exited": True, "exitCode": 0, "stdout": "Linux web-1 6.12.0 x86_64\n"})
    elif response.is_output and pid in taken:
        refuse(request, response, 404, "not_found", "Not found")


@trips("PID-04")
def forgotten_pid_runs(request: Request, response: Response) -> None:
    """A pid that the agent does not know, or no longer knows, is said to run."""
    if response.status == 404 and request.own and request.full and request.method == "GET" and is_integer(request.pid):
        response.become(200, {"exited": False})


@trips("PID-04")
def processes_of_the_guest_can_be_polled(request: Request, response: Response) -> None:
    """The server asks the guest's system whether a process runs, so that its first process can be polled."""
    if request.full and request.own and request.pid == "1":
        response.become(200, {"exited": False})


@trips("PID-06")
def half_an_escape_is_a_500(request: Request, response: Response) -> None:
    """A pid with a percent sign that begins no escape gets a page of the framework with 500."""
    if request.query == "pid=%":
        response.become(500, b"<h1>Internal Server Error</h1>", "text/html")


@trips("PID-14")
def a_pid_may_have_an_exponent(request: Request, response: Response) -> None:
    """A pid is read as a floating-point number."""
    pid = str(request.mock.running_pid)
    if response.status == 400 and request.full and request.own and request.pid == f"{pid}e0":
        response.become(200, {"exited": False})


@trips("PID-14")
def a_pid_may_be_octal(request: Request, response: Response) -> None:
    """A pid that begins with 0 is read as octal digits."""
    if response.status == 404 and request.full and request.own and re.fullmatch("0[0-7]+", request.pid or ""):
        response.become(200, {"exited": False})


@trips("PID-11")
def pid_is_read_only_at_the_beginning(request: Request, response: Response) -> None:
    """A query that does not begin with pid is taken for one without it."""
    if request.full and request.own and "&pid=" in request.query and not request.query.startswith("pid="):
        response.become(200, AVAILABLE)


@trips("PID-06")
def a_bad_pid_gets_the_page_of_a_crash(request: Request, response: Response) -> None:
    """A pid that is no integer makes the server fail, with the page of its framework."""
    if response.status == 400 and request.pid is not None:
        response.become(500, b"<html><h2>HTTP ERROR 500 NumberFormatException</h2></html>", "text/html")


def list_another(request: Request, response: Response, id: str = OTHER_VPS_ID) -> None:
    """Show another VPS that runs: in the list, and on a page of its own, the last."""
    other = {"id": id, "powerState": "running"}
    if request.path == VPSS and request.full and "cursor=last" in request.query:
        response.become(200, {"data": [other], "hasMore": False, "nextCursor": None})
    elif request.path != VPSS or response.status != 200 or response.json["hasMore"]:
        return
    elif request.query:
        response.change(hasMore=True, nextCursor="last")
    else:
        response.change(data=[*response.json["data"], other])


@trips("PID-05", starts=True)
def a_poll_under_another_vps_takes_the_output(request: Request, response: Response) -> None:
    """A poll under another VPS gets the end of a command, which is forgotten then."""
    started, taken = (request.memory.setdefault(name, set()) for name in ("started", "taken"))
    if response.is_started and b"sleep" not in request.body:
        started.add(str(response.json["pid"]))
    elif request.full and request.vps == UNAVAILABLE_VPS_ID and request.pid in started - taken:
        taken.add(request.pid)
        response.become(200, {"exited": True, "exitCode": 0, "stdout": "", "stderr": ""})
    elif response.is_output and request.pid in taken:
        refuse(request, response, 404, "not_found", "Not found")


@trips("PID-05", starts=True)
def pids_of_all_vpss_are_searched(request: Request, response: Response) -> None:
    """Another VPS that the list shows has the commands of this one too."""
    list_another(request, response)
    printed = request.memory.setdefault("printed", {})
    if response.is_started and b"echo" in request.body:
        printed[str(response.json["pid"])] = json.loads(request.body)["command"].removeprefix("echo ")
    elif request.vps == OTHER_VPS_ID and request.full and request.pid in printed:
        response.become(200, {"exited": True, "exitCode": 0, "stdout": printed[request.pid], "stderr": ""})


@trips("PID-03")
def what_no_process_can_have_runs(request: Request, response: Response) -> None:
    """A pid below 1 gets exited false, as if it were any process of a group."""
    below = request.pid is not None and (request.pid == "0" or request.pid.startswith("-"))
    if below and request.full and request.own and request.method == "GET":
        response.become(200, {"exited": False, "exitCode": None, "stdout": "", "stderr": ""})
