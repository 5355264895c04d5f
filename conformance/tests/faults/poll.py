"""Faults of command output."""

import time

from stage import Request, Response

from faults import trips
from faults.probe import refuse


def running(request: Request) -> bool:
    """Whether the running command is asked for."""
    return request.pid == str(request.mock.running_pid)


@trips("POLL-01")
def exited_is_missing(_request: Request, response: Response) -> None:
    """No member says whether the command has ended."""
    if response.is_output:
        response.rename(exited="status")


@trips("POLL-01")
def exited_is_a_number(_request: Request, response: Response) -> None:
    """exited is 1 or 0, as in some hypervisors' interface to the agent."""
    if response.is_output:
        response.change(exited=int(response.json["exited"]))


@trips("POLL-01")
def exited_is_null_while_running(_request: Request, response: Response) -> None:
    """exited is null until the end."""
    if response.is_output and not response.json["exited"]:
        response.change(exited=None)


@trips("POLL-01")
def output_in_an_envelope(_request: Request, response: Response) -> None:
    """The output is in an envelope, as in the older API."""
    if response.is_output:
        response.json = {"success": True, "data": response.json}


@trips("POLL-01")
def output_is_a_json_string(_request: Request, response: Response) -> None:
    """The output is encoded twice."""
    if response.is_output:
        response.json = response.body.decode()


@trips("POLL-02")
def pid_is_ignored(_request: Request, response: Response) -> None:
    """A poll gets the availability."""
    if response.is_output:
        response.json = {"available": True, "reason": None, "vmRunning": True}


@trips("POLL-02", starts=True)
def an_unknown_pid_gets_the_probe(request: Request, response: Response) -> None:
    """The poll of a pid that no command has, or none any longer, is taken for a probe."""
    asked = request.full and request.own and request.method == "GET" and (request.pid or "").isdecimal()
    if asked and response.status == 404:
        response.become(200, {"available": True, "reason": None, "vmRunning": True})


@trips("POLL-02")
def a_cache_knows_no_query(request: Request, response: Response) -> None:
    """A cache keeps the availability by its path, so that polls get it, whichever key that is valid they have."""
    if request.method == "GET" and request.own and request.pid and (request.full or request.reading):
        response.become(200, {"available": True, "reason": None, "vmRunning": True})


@trips("POLL-02")
def both_shapes_at_once(_request: Request, response: Response) -> None:
    """A poll gets the members of both shapes."""
    if response.is_output:
        response.change(available=True, reason=None, vmRunning=True)


@trips("POLL-03")
def exit_code_is_text(_request: Request, response: Response) -> None:
    """exitCode is a string."""
    if response.is_output and "exitCode" in response.json:
        response.change(exitCode=str(response.json["exitCode"]))


@trips("POLL-03", starts=True)
def exit_code_is_a_negative_signal(_request: Request, response: Response) -> None:
    """A command that a signal ended has the number of the signal with a minus as its exitCode."""
    if response.is_output and response.json.get("exited") and response.json.get("exitCode") is None:
        response.change(exitCode=-9)


@trips("POLL-03")
def exit_code_is_a_boolean(_request: Request, response: Response) -> None:
    """exitCode is true if it was not 0."""
    if response.is_output and "exitCode" in response.json:
        response.change(exitCode=False)


@trips("POLL-03")
def stdout_is_a_list_of_lines(_request: Request, response: Response) -> None:
    """stdout is an array of lines."""
    if response.is_output and "stdout" in response.json:
        response.change(stdout=response.json["stdout"].splitlines())


@trips("POLL-03")
def stderr_is_false(_request: Request, response: Response) -> None:
    """stderr is false if it is empty."""
    if response.is_output and response.json.get("stderr") == "":
        response.change(stderr=False)


@trips("POLL-04", starts=True)
def exit_code_is_spelled_as_the_agent_does(_request: Request, response: Response) -> None:
    """exitCode is called exitcode."""
    if response.is_output:
        response.rename(exitCode="exitcode")


@trips("POLL-04")
def std_out_in_snake_case(_request: Request, response: Response) -> None:
    """stdout is spelled std_out."""
    if response.is_output:
        response.rename(stdout="std_out")


@trips("POLL-05")
def running_is_a_conflict(request: Request, response: Response) -> None:
    """A poll of a running command gets 409."""
    if response.is_output and not response.json["exited"]:
        refuse(request, response, 409, "vps_not_ready", "VPS not ready")


@trips("POLL-05")
def running_is_unknown(request: Request, response: Response) -> None:
    """A poll of a running command gets 404."""
    if response.is_output and not response.json["exited"]:
        refuse(request, response, 404, "not_found", "Not found")


@trips("POLL-05", starts=True)
def one_of_two_servers_knows_the_pid(request: Request, response: Response) -> None:
    """Each server knows only the commands that it started itself, and a balancer takes them in turn."""
    if response.is_output and not response.json["exited"] and request.nth(f"polls of {request.pid}") % 2 == 0:
        refuse(request, response, 404, "not_found", "Not found")


@trips("POLL-06")
def running_has_exited(request: Request, response: Response) -> None:
    """A running command is said to have ended."""
    if response.is_output and running(request):
        response.change(exited=True)


@trips("POLL-07")
def never_exits(request: Request, response: Response) -> None:
    """A command that has ended is said to run, and has no output."""
    if response.is_output and not running(request):
        response.json = {"exited": False}


@trips("POLL-08")
def forgotten_too_soon(request: Request, response: Response) -> None:
    """A command that has ended is forgotten before its first poll."""
    if response.is_output and not running(request):
        refuse(request, response, 404, "not_found", "Not found")


def remembering(request: Request, response: Response) -> bool:
    """Let the ended command be polled again and again; return whether this is a later poll of it."""
    request.memory.setdefault("ended", {})
    if response.is_output and not running(request):
        request.memory["ended"][request.pid] = response.json
        return False
    if response.status == 404 and request.full and request.own and request.pid in request.memory["ended"]:
        response.become(200, request.memory["ended"][request.pid])
        return True
    return False


@trips("POLL-09")
def runs_again(request: Request, response: Response) -> None:
    """After exited true a later poll says exited false."""
    if remembering(request, response):
        response.json = {"exited": False}


@trips("POLL-09", starts=True)
def a_copy_lags_behind(request: Request, response: Response) -> None:
    """Each third poll is read from a copy of the data, which knows of an end a second and a half late."""
    remembering(request, response)
    if response.is_output and response.json["exited"]:
        ended = request.memory.setdefault(f"{request.pid} ended", time.monotonic())
        if request.nth("polls of the ended") % 3 == 0 and time.monotonic() - ended < 1.5:
            response.json = {"exited": False}


@trips("POLL-10")
def another_exit_code_each_time(request: Request, response: Response) -> None:
    """The exit code changes from poll to poll."""
    if remembering(request, response):
        response.change(exitCode=request.nth())


@trips("POLL-11")
def exit_code_before_the_end(_request: Request, response: Response) -> None:
    """A running command already has the exit code 0."""
    if response.is_output and not response.json["exited"]:
        response.change(exitCode=0)


@trips("POLL-14")
def names_another_pid(_request: Request, response: Response) -> None:
    """The output has another pid."""
    if response.is_output:
        response.change(pid=1)


@trips("POLL-04", starts=True)
def poll_url_in_snake_case(_request: Request, response: Response) -> None:
    """pollUrl is spelled poll_url."""
    if response.is_started:
        response.rename(pollUrl="poll_url")


@trips("POLL-25")
def running_state_is_kept(_request: Request, response: Response) -> None:
    """The caller's cache may keep every response for half a minute."""
    if response.status == 200:
        response.header("Cache-Control", "private, max-age=30")
