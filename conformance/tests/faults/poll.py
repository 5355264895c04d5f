"""Faults of command output."""

from __future__ import annotations

from stage import Answered, Asked

from faults import trips
from faults.probe import refuse


def running(asked: Asked) -> bool:
    """Whether the running command is asked for."""
    return asked.pid == str(asked.mock.running_pid)


@trips("POLL-01")
def exited_is_missing(_asked: Asked, answered: Answered) -> None:
    """No member says whether the command has ended."""
    if answered.is_output:
        answered.rename(exited="status")


@trips("POLL-01")
def exited_is_a_number(_asked: Asked, answered: Answered) -> None:
    """exited is 1 or 0, as in some hypervisors' interface to the agent."""
    if answered.is_output:
        answered.change(exited=int(answered.json["exited"]))


@trips("POLL-01")
def exited_is_null_while_running(_asked: Asked, answered: Answered) -> None:
    """exited is null until the end."""
    if answered.is_output and not answered.json["exited"]:
        answered.change(exited=None)


@trips("POLL-01")
def output_in_an_envelope(_asked: Asked, answered: Answered) -> None:
    """The output is in an envelope, as in the older API."""
    if answered.is_output:
        answered.json = {"success": True, "data": answered.json}


@trips("POLL-01")
def output_is_a_json_string(_asked: Asked, answered: Answered) -> None:
    """The output is encoded twice."""
    if answered.is_output:
        answered.json = answered.body.decode()


@trips("POLL-02")
def pid_is_ignored(_asked: Asked, answered: Answered) -> None:
    """A poll gets the availability."""
    if answered.is_output:
        answered.json = {"available": True, "reason": None, "vmRunning": True}


@trips("POLL-02")
def both_shapes_at_once(_asked: Asked, answered: Answered) -> None:
    """A poll gets the members of both shapes."""
    if answered.is_output:
        answered.change(available=True, reason=None, vmRunning=True)


@trips("POLL-03")
def exit_code_is_text(_asked: Asked, answered: Answered) -> None:
    """exitCode is a string."""
    if answered.is_output and "exitCode" in answered.json:
        answered.change(exitCode=str(answered.json["exitCode"]))


@trips("POLL-03")
def exit_code_is_a_boolean(_asked: Asked, answered: Answered) -> None:
    """exitCode is true if it was not 0."""
    if answered.is_output and "exitCode" in answered.json:
        answered.change(exitCode=False)


@trips("POLL-03")
def stdout_is_a_list_of_lines(_asked: Asked, answered: Answered) -> None:
    """stdout is an array of lines."""
    if answered.is_output and "stdout" in answered.json:
        answered.change(stdout=answered.json["stdout"].splitlines())


@trips("POLL-03")
def stderr_is_false(_asked: Asked, answered: Answered) -> None:
    """stderr is false if it is empty."""
    if answered.is_output and answered.json.get("stderr") == "":
        answered.change(stderr=False)


@trips("POLL-04")
def exitcode_as_in_v1(_asked: Asked, answered: Answered) -> None:
    """exitCode is spelled exitcode."""
    if answered.is_output:
        answered.rename(exitCode="exitcode")


@trips("POLL-04")
def std_out_in_snake_case(_asked: Asked, answered: Answered) -> None:
    """stdout is spelled std_out."""
    if answered.is_output:
        answered.rename(stdout="std_out")


@trips("POLL-05")
def running_is_a_conflict(asked: Asked, answered: Answered) -> None:
    """A poll of a running command gets 409."""
    if answered.is_output and not answered.json["exited"]:
        refuse(asked, answered, 409, "vps_not_ready", "VPS not ready")


@trips("POLL-05")
def running_is_unknown(asked: Asked, answered: Answered) -> None:
    """A poll of a running command gets 404."""
    if answered.is_output and not answered.json["exited"]:
        refuse(asked, answered, 404, "not_found", "Not found")


@trips("POLL-05", starts=True)
def one_of_two_servers_knows_the_pid(asked: Asked, answered: Answered) -> None:
    """Each server knows only the commands that it started itself, and a balancer takes them in turn."""
    if answered.is_output and not answered.json["exited"] and asked.nth(f"polls of {asked.pid}") % 2 == 0:
        refuse(asked, answered, 404, "not_found", "Not found")


@trips("POLL-06")
def running_has_exited(asked: Asked, answered: Answered) -> None:
    """A running command is said to have ended."""
    if answered.is_output and running(asked):
        answered.change(exited=True)


@trips("POLL-07")
def never_exits(asked: Asked, answered: Answered) -> None:
    """A command that has ended is said to run, and has no output."""
    if answered.is_output and not running(asked):
        answered.json = {"exited": False}


@trips("POLL-08")
def forgotten_too_soon(asked: Asked, answered: Answered) -> None:
    """A command that has ended is forgotten before its first poll."""
    if answered.is_output and not running(asked):
        refuse(asked, answered, 404, "not_found", "Not found")


def remembering(asked: Asked, answered: Answered) -> bool:
    """Let the ended command be polled again and again; return whether this is a later poll of it."""
    asked.memory.setdefault("ended", {})
    if answered.is_output and not running(asked):
        asked.memory["ended"][asked.pid] = answered.json
        return False
    if answered.status == 404 and asked.full and asked.own and asked.pid in asked.memory["ended"]:
        answered.become(200, asked.memory["ended"][asked.pid])
        return True
    return False


@trips("POLL-09")
def runs_again(asked: Asked, answered: Answered) -> None:
    """After exited true a later poll says exited false."""
    if remembering(asked, answered):
        answered.json = {"exited": False}


@trips("POLL-10")
def another_exit_code_each_time(asked: Asked, answered: Answered) -> None:
    """The exit code changes from poll to poll."""
    if remembering(asked, answered):
        answered.change(exitCode=asked.nth())


@trips("POLL-11")
def exit_code_before_the_end(_asked: Asked, answered: Answered) -> None:
    """A running command already has the exit code 0."""
    if answered.is_output and not answered.json["exited"]:
        answered.change(exitCode=0)


@trips("POLL-14")
def names_another_pid(_asked: Asked, answered: Answered) -> None:
    """The output has another pid."""
    if answered.is_output:
        answered.change(pid=1)


@trips("POLL-04", starts=True)
def poll_url_in_snake_case(_asked: Asked, answered: Answered) -> None:
    """pollUrl is spelled poll_url."""
    if answered.is_started:
        answered.rename(pollUrl="poll_url")


@trips("POLL-25")
def running_state_is_kept(_asked: Asked, answered: Answered) -> None:
    """The caller's cache may keep every response for half a minute."""
    if answered.status == 200:
        answered.header("Cache-Control", "private, max-age=30")
