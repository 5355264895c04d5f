"""Faults of the start of a command, and of its life."""

from __future__ import annotations

from stage import Answered, Asked

from faults import trips
from faults.probe import refuse, start_instead


@trips("START-01")
def started_is_accepted(_asked: Asked, answered: Answered) -> None:
    """A start is a 202."""
    if answered.is_started:
        answered.status = 202


@trips("START-01")
def start_is_refused(asked: Asked, answered: Answered) -> None:
    """Commands cannot be started although the agent is said to be available."""
    if answered.is_started:
        refuse(asked, answered, 409, "vps_not_ready", "VPS not ready")


@trips("START-02")
def started_in_an_envelope(_asked: Asked, answered: Answered) -> None:
    """What was started is wrapped as the older endpoint does."""
    if answered.is_started:
        answered.json = {"success": True, "data": answered.json}


@trips("START-02")
def new_pid_is_text(_asked: Asked, answered: Answered) -> None:
    """The pid of what was started is a string."""
    if answered.is_started:
        answered.change(pid=str(answered.json["pid"]))


@trips("START-02")
def poll_url_is_null(_asked: Asked, answered: Answered) -> None:
    """pollUrl is null."""
    if answered.is_started:
        answered.change(pollUrl=None)


@trips("START-03")
def new_pid_is_in_the_url_alone(_asked: Asked, answered: Answered) -> None:
    """The pid of what was started has to be read from pollUrl."""
    if answered.is_started:
        answered.drop("pid")


@trips("START-04")
def poll_url_is_elsewhere(_asked: Asked, answered: Answered) -> None:
    """pollUrl leads to another host."""
    if answered.is_started:
        answered.change(pollUrl="//agent.example" + answered.json["pollUrl"])


@trips("START-04")
def poll_url_is_of_another_pid(_asked: Asked, answered: Answered) -> None:
    """pollUrl has another pid."""
    if answered.is_started:
        answered.change(pollUrl=answered.json["pollUrl"] + "0")


@trips("START-04")
def poll_url_is_of_the_older_endpoint(_asked: Asked, answered: Answered) -> None:
    """pollUrl is a path of the older version."""
    if answered.is_started:
        answered.change(pollUrl=answered.json["pollUrl"].replace("/api/v2/", "/api/v1/"))


@trips("START-05")
def output_of_another_command(asked: Asked, answered: Answered) -> None:
    """A poll returns the output of some other command."""
    if answered.is_output and answered.json["exited"]:
        answered.change(stdout=f"output of another command, number {asked.nth()}\n")


@trips("START-06")
def started_never_exits(_asked: Asked, answered: Answered) -> None:
    """A command that was started is said to run for ever."""
    if answered.is_output and "hostup-conformance" in answered.json.get("stdout", ""):
        answered.json = {"exited": False}


@trips("START-01")
def long_commands_are_refused(asked: Asked, answered: Answered) -> None:
    """A command may have 1024 characters."""
    if answered.is_started and len(asked.body) > 1050:
        refuse(asked, answered, 400, "invalid_request", "Invalid request")
        answered.change(errors=[])


@trips("START-05")
def output_is_cut(_asked: Asked, answered: Answered) -> None:
    """Of a long output the beginning comes back."""
    if answered.is_output and len(answered.json.get("stdout", "")) > 1000:
        answered.change(stdout=answered.json["stdout"][:1000])


@trips("START-05")
def output_in_lower_case(_asked: Asked, answered: Answered) -> None:
    """Output is changed to lower case."""
    if answered.is_output and answered.json.get("stdout"):
        answered.change(stdout=answered.json["stdout"].lower())


@trips("START-05")
def output_in_both_streams(_asked: Asked, answered: Answered) -> None:
    """What goes to standard output is in stderr as well."""
    if answered.is_output and answered.json.get("stdout"):
        answered.change(stderr=answered.json["stdout"])


@trips("START-05")
def output_begins_with_the_command(_asked: Asked, answered: Answered) -> None:
    """Output is what a terminal would show, prompt and command included."""
    if answered.is_output and answered.json.get("stdout"):
        answered.change(stdout=f"$ echo {answered.json['stdout']}{answered.json['stdout']}")


@trips("START-07")
def output_in_latin_1(_asked: Asked, answered: Answered) -> None:
    """UTF-8 is read as Latin-1."""
    if answered.is_output and answered.json.get("stdout"):
        answered.change(stdout=answered.json["stdout"].encode().decode("latin-1"))


@trips("START-07")
def commands_are_ascii(asked: Asked, answered: Answered) -> None:
    """A command with other characters is refused."""
    if answered.is_started and "\\u" in asked.body.decode():
        refuse(asked, answered, 400, "invalid_request", "Invalid request")
        answered.change(errors=[])


@trips("START-08")
def exit_code_is_left_out(_asked: Asked, answered: Answered) -> None:
    """There is no exit code."""
    if answered.is_output:
        answered.drop("exitCode")


@trips("START-08")
def exit_code_is_a_wait_status(_asked: Asked, answered: Answered) -> None:
    """The exit code is one more than it was, as from a miscounted wait status."""
    if answered.is_output and answered.json["exited"]:
        answered.change(exitCode=256)


@trips("START-09")
def starts_without_an_agent(asked: Asked, answered: Answered) -> None:
    """A start is taken where no agent can run it."""
    if asked.method == "POST" and answered.status == 503:
        start_instead(asked, answered)


@trips("START-10")
def pids_come_in_pairs(asked: Asked, answered: Answered) -> None:
    """Of two starts, the second returns the pid of the first."""
    if answered.is_started:
        pid = answered.json["pid"]
        first = asked.memory.setdefault("first", pid) if asked.nth("starts") % 2 == 0 else pid
        asked.memory["first"] = pid
        answered.change(pid=first, pollUrl=answered.json["pollUrl"].replace(str(pid), str(first)))
