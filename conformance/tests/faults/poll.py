"""Faults of command output."""

from __future__ import annotations

from stage import Answered, Asked

from faults import trips
from faults.probe import refuse, start_instead


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
    """exited is 1 or 0, as the agent's own interface of some hypervisors has it."""
    if answered.is_output:
        answered.change(exited=int(answered.json["exited"]))


@trips("POLL-01")
def exited_is_null_while_running(_asked: Asked, answered: Answered) -> None:
    """exited is null until the end."""
    if answered.is_output and not answered.json["exited"]:
        answered.change(exited=None)


@trips("POLL-01")
def output_in_an_envelope(_asked: Asked, answered: Answered) -> None:
    """The output is wrapped as the older endpoint does."""
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
    """A poll gets the members of both answers."""
    if answered.is_output:
        answered.change(available=True, reason=None, vmRunning=True)


@trips("POLL-03")
def exit_code_is_text(_asked: Asked, answered: Answered) -> None:
    """exitCode is a string."""
    if answered.is_output and "exitCode" in answered.json:
        answered.change(exitCode=str(answered.json["exitCode"]))


@trips("POLL-03")
def exit_code_is_a_boolean(_asked: Asked, answered: Answered) -> None:
    """exitCode says whether it was not 0."""
    if answered.is_output and "exitCode" in answered.json:
        answered.change(exitCode=False)


@trips("POLL-03")
def stdout_is_a_list_of_lines(_asked: Asked, answered: Answered) -> None:
    """stdout is a list."""
    if answered.is_output and "stdout" in answered.json:
        answered.change(stdout=answered.json["stdout"].splitlines())


@trips("POLL-03")
def stderr_is_false(_asked: Asked, answered: Answered) -> None:
    """stderr is false where it is empty."""
    if answered.is_output and answered.json.get("stderr") == "":
        answered.change(stderr=False)


@trips("POLL-04")
def exitcode_as_in_v1(_asked: Asked, answered: Answered) -> None:
    """exitcode stands for exitCode."""
    if answered.is_output:
        answered.rename(exitCode="exitcode")


@trips("POLL-04")
def std_out_in_snake_case(_asked: Asked, answered: Answered) -> None:
    """std_out stands for stdout."""
    if answered.is_output:
        answered.rename(stdout="std_out")


@trips("POLL-05")
def running_is_a_conflict(asked: Asked, answered: Answered) -> None:
    """A command that still runs is a 409."""
    if answered.is_output and not answered.json["exited"]:
        refuse(asked, answered, 409, "vps_not_ready", "VPS not ready")


@trips("POLL-05")
def running_is_unknown(asked: Asked, answered: Answered) -> None:
    """A command that still runs is a 404."""
    if answered.is_output and not answered.json["exited"]:
        refuse(asked, answered, 404, "not_found", "Not found")


@trips("POLL-06")
def running_has_exited(asked: Asked, answered: Answered) -> None:
    """A command that still runs is said to have ended."""
    if answered.is_output and running(asked):
        answered.change(exited=True)


@trips("POLL-07")
def never_exits(asked: Asked, answered: Answered) -> None:
    """A command that has ended is said to run, without its output."""
    if answered.is_output and not running(asked):
        answered.json = {"exited": False}


@trips("POLL-08")
def forgotten_too_soon(asked: Asked, answered: Answered) -> None:
    """A command that has ended is forgotten before it was asked for."""
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
    """A running command has the exit code 0 already."""
    if answered.is_output and not answered.json["exited"]:
        answered.change(exitCode=0)


@trips("POLL-14")
def names_another_pid(_asked: Asked, answered: Answered) -> None:
    """The output says that it is of another pid."""
    if answered.is_output:
        answered.change(pid=1)


@trips("POLL-15")
def started_is_accepted(_asked: Asked, answered: Answered) -> None:
    """A start is a 202."""
    if answered.is_started:
        answered.status = 202


@trips("POLL-15")
def start_is_refused(asked: Asked, answered: Answered) -> None:
    """Commands cannot be started although the agent is said to be available."""
    if answered.is_started:
        refuse(asked, answered, 409, "vps_not_ready", "VPS not ready")


@trips("POLL-16")
def started_in_an_envelope(_asked: Asked, answered: Answered) -> None:
    """What was started is wrapped as the older endpoint does."""
    if answered.is_started:
        answered.json = {"success": True, "data": answered.json}


@trips("POLL-16")
def new_pid_is_text(_asked: Asked, answered: Answered) -> None:
    """The pid of what was started is a string."""
    if answered.is_started:
        answered.change(pid=str(answered.json["pid"]))


@trips("POLL-16")
def poll_url_is_null(_asked: Asked, answered: Answered) -> None:
    """pollUrl is null."""
    if answered.is_started:
        answered.change(pollUrl=None)


@trips("POLL-17")
def new_pid_is_in_the_url_alone(_asked: Asked, answered: Answered) -> None:
    """The pid of what was started has to be read from pollUrl."""
    if answered.is_started:
        answered.drop("pid")


@trips("POLL-18")
def poll_url_is_elsewhere(_asked: Asked, answered: Answered) -> None:
    """pollUrl leads to another host."""
    if answered.is_started:
        answered.change(pollUrl="//agent.example" + answered.json["pollUrl"])


@trips("POLL-18")
def poll_url_is_of_another_pid(_asked: Asked, answered: Answered) -> None:
    """pollUrl has another pid."""
    if answered.is_started:
        answered.change(pollUrl=answered.json["pollUrl"] + "0")


@trips("POLL-18")
def poll_url_is_of_the_older_endpoint(_asked: Asked, answered: Answered) -> None:
    """pollUrl is a path of the older version."""
    if answered.is_started:
        answered.change(pollUrl=answered.json["pollUrl"].replace("/api/v2/", "/api/v1/"))


@trips("POLL-19")
def output_of_another_command(asked: Asked, answered: Answered) -> None:
    """A poll returns the output of some other command."""
    if answered.is_output and answered.json["exited"]:
        answered.change(stdout=f"output of another command, number {asked.nth()}\n")


@trips("POLL-20")
def started_never_exits(_asked: Asked, answered: Answered) -> None:
    """A command that was started is said to run for ever."""
    if answered.is_output and "hostup-conformance" in answered.json.get("stdout", ""):
        answered.json = {"exited": False}


@trips("POLL-04", starts=True)
def poll_url_in_snake_case(_asked: Asked, answered: Answered) -> None:
    """What was started has poll_url."""
    if answered.is_started:
        answered.rename(pollUrl="poll_url")


@trips("POLL-15")
def long_commands_are_refused(asked: Asked, answered: Answered) -> None:
    """A command may have 1024 characters."""
    if answered.is_started and len(asked.body) > 1050:
        refuse(asked, answered, 400, "invalid_request", "Invalid request")
        answered.change(errors=[])


@trips("POLL-19")
def output_is_cut(_asked: Asked, answered: Answered) -> None:
    """Of a long output the beginning comes back."""
    if answered.is_output and len(answered.json.get("stdout", "")) > 1000:
        answered.change(stdout=answered.json["stdout"][:1000])


@trips("POLL-19")
def output_in_lower_case(_asked: Asked, answered: Answered) -> None:
    """Output is changed to lower case."""
    if answered.is_output and answered.json.get("stdout"):
        answered.change(stdout=answered.json["stdout"].lower())


@trips("POLL-19")
def output_in_both_streams(_asked: Asked, answered: Answered) -> None:
    """What goes to standard output is in stderr as well."""
    if answered.is_output and answered.json.get("stdout"):
        answered.change(stderr=answered.json["stdout"])


@trips("POLL-19")
def output_begins_with_the_command(_asked: Asked, answered: Answered) -> None:
    """Output is what a terminal would show, prompt and command included."""
    if answered.is_output and answered.json.get("stdout"):
        answered.change(stdout=f"$ echo {answered.json['stdout']}{answered.json['stdout']}")


@trips("POLL-21")
def output_in_latin_1(_asked: Asked, answered: Answered) -> None:
    """UTF-8 is read as Latin-1."""
    if answered.is_output and answered.json.get("stdout"):
        answered.change(stdout=answered.json["stdout"].encode().decode("latin-1"))


@trips("POLL-21")
def commands_are_ascii(asked: Asked, answered: Answered) -> None:
    """A command with other characters is refused."""
    if answered.is_started and "\\u" in asked.body.decode():
        refuse(asked, answered, 400, "invalid_request", "Invalid request")
        answered.change(errors=[])


@trips("POLL-22")
def exit_code_is_left_out(_asked: Asked, answered: Answered) -> None:
    """There is no exit code."""
    if answered.is_output:
        answered.drop("exitCode")


@trips("POLL-22")
def exit_code_is_a_wait_status(_asked: Asked, answered: Answered) -> None:
    """The exit code is one more than it was, as from a miscounted wait status."""
    if answered.is_output and answered.json["exited"]:
        answered.change(exitCode=256)


@trips("POLL-23")
def starts_without_an_agent(asked: Asked, answered: Answered) -> None:
    """A start is taken where no agent can run it."""
    if asked.method == "POST" and answered.status == 503:
        start_instead(asked, answered)


@trips("POLL-24")
def pids_come_in_pairs(asked: Asked, answered: Answered) -> None:
    """Of two starts, the second returns the pid of the first."""
    if answered.is_started:
        pid = answered.json["pid"]
        first = asked.memory.setdefault("first", pid) if asked.nth("starts") % 2 == 0 else pid
        asked.memory["first"] = pid
        answered.change(pid=first, pollUrl=answered.json["pollUrl"].replace(str(pid), str(first)))
