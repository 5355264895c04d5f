"""Faults of the start of a command, and of its life."""

from __future__ import annotations

import json
import re
import time
from math import inf
from unicodedata import normalize

from hostup_conformance.contract.commands import Command, recognized
from stage import Answered, Asked

from faults import trips
from faults.probe import refuse, start_instead

#: What a framework sends if the server's code fails and nobody catches it.
FAILURE = b"<h1>Internal Server Error</h1>"


@trips("START-01")
def started_is_accepted(_asked: Asked, answered: Answered) -> None:
    """A start gets 202."""
    if answered.is_started:
        answered.status = 202


@trips("START-01")
def start_is_refused(asked: Asked, answered: Answered) -> None:
    """No command can be started although the agent is said to be available."""
    if answered.is_started:
        refuse(asked, answered, 409, "vps_not_ready", "VPS not ready")


@trips("START-02")
def started_in_an_envelope(_asked: Asked, answered: Answered) -> None:
    """The response to a start is in an envelope, as in the older API."""
    if answered.is_started:
        answered.json = {"success": True, "data": answered.json}


@trips("START-02")
def new_pid_is_text(_asked: Asked, answered: Answered) -> None:
    """The pid in the response to a start is a string."""
    if answered.is_started:
        answered.change(pid=str(answered.json["pid"]))


@trips("START-02")
def poll_url_is_null(_asked: Asked, answered: Answered) -> None:
    """pollUrl is null."""
    if answered.is_started:
        answered.change(pollUrl=None)


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
    """pollUrl is a path of the older API."""
    if answered.is_started:
        answered.change(pollUrl=answered.json["pollUrl"].replace("/api/v2/", "/api/v1/"))


@trips("START-05")
def output_of_another_command(asked: Asked, answered: Answered) -> None:
    """A poll returns the output of another command."""
    if answered.is_output and answered.json["exited"]:
        answered.change(stdout=f"output of another command, number {asked.nth()}\n")


@trips("START-27")
def started_never_exits(_asked: Asked, answered: Answered) -> None:
    """A started command is said to run for ever."""
    if answered.is_output and "hostup-conformance" in answered.json.get("stdout", ""):
        answered.json = {"exited": False}


@trips("START-01")
def long_commands_are_refused(asked: Asked, answered: Answered) -> None:
    """A command of more than 1024 characters is refused."""
    if answered.is_started and len(asked.body) > 1050:
        refuse(asked, answered, 400, "invalid_request", "Invalid request")
        answered.change(errors=[])


@trips("START-05")
def output_is_cut(_asked: Asked, answered: Answered) -> None:
    """Only the beginning of long output is returned."""
    if answered.is_output and len(answered.json.get("stdout", "")) > 1000:
        answered.change(stdout=answered.json["stdout"][:1000])


@trips("START-05")
def output_in_lower_case(_asked: Asked, answered: Answered) -> None:
    """Output is changed to lower case."""
    if answered.is_output and answered.json.get("stdout"):
        answered.change(stdout=answered.json["stdout"].lower())


@trips("START-05")
def output_in_both_streams(_asked: Asked, answered: Answered) -> None:
    """Standard output is in stderr too."""
    if answered.is_output and answered.json.get("stdout"):
        answered.change(stderr=answered.json["stdout"])


@trips("START-05")
def output_begins_with_the_command(_asked: Asked, answered: Answered) -> None:
    """The output is that of a terminal, with prompt and command."""
    if answered.is_output and answered.json.get("stdout"):
        answered.change(stdout=f"$ echo {answered.json['stdout']}{answered.json['stdout']}")


@trips("START-07")
def output_in_latin_1(_asked: Asked, answered: Answered) -> None:
    """Output in UTF-8 is decoded as Latin-1."""
    if answered.is_output and answered.json.get("stdout"):
        answered.change(stdout=answered.json["stdout"].encode().decode("latin-1"))


@trips("START-07")
def commands_are_ascii(asked: Asked, answered: Answered) -> None:
    """A command with characters outside ASCII is refused."""
    if answered.is_started and "\\u" in asked.body.decode():
        refuse(asked, answered, 400, "invalid_request", "Invalid request")
        answered.change(errors=[])


@trips("START-08")
def exit_code_is_left_out(_asked: Asked, answered: Answered) -> None:
    """There is no exitCode."""
    if answered.is_output:
        answered.drop("exitCode")


@trips("START-08")
def exit_code_is_a_wait_status(_asked: Asked, answered: Answered) -> None:
    """exitCode is too large by one."""
    if answered.is_output and answered.json["exited"]:
        answered.change(exitCode=256)


@trips("START-09")
def starts_without_an_agent(asked: Asked, answered: Answered) -> None:
    """A start succeeds where there is no agent to run it."""
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


def command_of(asked: Asked, answered: Answered) -> Command | None:
    """Return the command with a known end that a poll is of; at a start, remember which it is."""
    commands = asked.memory.setdefault("commands", {})
    if answered.is_started:
        commands[str(answered.json["pid"])] = (recognized(json.loads(asked.body)["command"]), time.monotonic())
    known: Command | None = commands.get(asked.pid, (None,))[0] if answered.is_output else None
    return known


def ended(asked: Asked, answered: Answered, *names: str) -> bool:
    """Whether a poll reports the end of one of these commands."""
    command = command_of(asked, answered)
    return bool(command and answered.json["exited"] and (not names or command.name in names))


@trips("START-14")
def exit_code_is_always_0(asked: Asked, answered: Answered) -> None:
    """exitCode is always 0."""
    if ended(asked, answered):
        answered.change(exitCode=0)


@trips("START-14")
def exit_code_is_a_signed_byte(asked: Asked, answered: Answered) -> None:
    """exitCode is read as a signed byte: 200 becomes -56."""
    if ended(asked, answered) and (answered.json["exitCode"] or 0) > 127:
        answered.change(exitCode=answered.json["exitCode"] - 256)


@trips("START-14")
def exit_code_is_0_or_1(asked: Asked, answered: Answered) -> None:
    """exitCode is 1 for any failure."""
    if ended(asked, answered) and answered.json["exitCode"]:
        answered.change(exitCode=1)


@trips("START-14")
def exit_code_is_shifted(asked: Asked, answered: Answered) -> None:
    """exitCode is the wait status, which is 256 times as much."""
    if ended(asked, answered) and answered.json["exitCode"]:
        answered.change(exitCode=answered.json["exitCode"] * 256)


@trips("START-08")
def exit_code_is_null_for_failures(asked: Asked, answered: Answered) -> None:
    """exitCode is null for a command that failed."""
    if ended(asked, answered) and answered.json["exitCode"]:
        answered.change(exitCode=None)


@trips("START-15")
def death_has_exit_code_0(asked: Asked, answered: Answered) -> None:
    """A command that a signal ended has exitCode 0."""
    if ended(asked, answered, "killed"):
        answered.change(exitCode=0)


@trips("START-11")
def errors_are_dropped(asked: Asked, answered: Answered) -> None:
    """stderr is always empty."""
    if ended(asked, answered):
        answered.change(stderr="")


@trips("START-11")
def errors_are_left_out(_asked: Asked, answered: Answered) -> None:
    """There is no stderr."""
    if answered.is_output and answered.json["exited"]:
        answered.drop("stderr")


@trips("START-11")
def errors_come_with_failures_alone(asked: Asked, answered: Answered) -> None:
    """stderr is empty unless the command failed."""
    if ended(asked, answered) and answered.json["exitCode"] == 0:
        answered.change(stderr="")


@trips("START-11")
def errors_stand_in_for_missing_output(asked: Asked, answered: Answered) -> None:
    """Where stdout is empty, it has what the command wrote to standard error, and stderr is empty."""
    if ended(asked, answered) and not answered.json["stdout"]:
        answered.change(stdout=answered.json["stderr"], stderr="")


@trips("START-05")
def errors_are_merged_into_the_output(asked: Asked, answered: Answered) -> None:
    """Both streams are in stdout."""
    if ended(asked, answered):
        answered.change(stdout=answered.json["stdout"] + answered.json["stderr"], stderr="")


@trips("START-05")
def output_of_failures_is_dropped(asked: Asked, answered: Answered) -> None:
    """A command that failed has no output."""
    if ended(asked, answered) and answered.json["exitCode"] in {1, 200, 255}:
        answered.change(stdout="")


@trips("START-05")
def streams_are_swapped(asked: Asked, answered: Answered) -> None:
    """stdout and stderr are exchanged."""
    if ended(asked, answered, "streams", "exit_1", "exit_200"):
        answered.change(stdout=answered.json["stderr"], stderr=answered.json["stdout"])


@trips("START-05")
def output_is_escaped_for_html(asked: Asked, answered: Answered) -> None:
    """The output is escaped for HTML."""
    if ended(asked, answered):
        answered.change(stdout=answered.json["stdout"].replace("&", "&amp;").replace("<", "&lt;"))


@trips("START-05")
def output_is_read_as_json(asked: Asked, answered: Answered) -> None:
    """Output that is a JSON number is returned as a number."""
    if ended(asked, answered, "number"):
        answered.change(stdout=42)


@trips("START-05")
def output_is_cut_at_4_kib(asked: Asked, answered: Answered) -> None:
    """Only 4096 characters of a stream are kept."""
    if ended(asked, answered):
        answered.change(stdout=answered.json["stdout"][:4096])


@trips("START-12")
def output_is_cut_at_64_kib(asked: Asked, answered: Answered) -> None:
    """Only 64 KiB of a stream are kept."""
    if ended(asked, answered):
        answered.change(stdout=answered.json["stdout"].encode()[:65536].decode(errors="ignore"))


@trips("START-07")
def bodies_are_read_as_latin_1(asked: Asked, answered: Answered) -> None:
    """A command in UTF-8 is read as Latin-1, unless its letters are escaped."""
    if answered.is_started and not asked.body.isascii():
        asked.memory[str(answered.json["pid"])] = True
    elif answered.is_output and asked.pid in asked.memory and answered.json.get("stdout"):
        answered.change(stdout=answered.json["stdout"].encode().decode("latin-1"))


@trips("START-07")
def letters_are_torn_between_buffers(asked: Asked, answered: Answered) -> None:
    """Each 4096 bytes are decoded on their own."""
    if ended(asked, answered):
        data = answered.json["stdout"].encode()
        parts = (data[begin : begin + 4096].decode("utf-8", "replace") for begin in range(0, len(data), 4096))
        answered.change(stdout="".join(parts))


@trips("START-07")
def letters_of_four_bytes_are_replaced(asked: Asked, answered: Answered) -> None:
    """Characters outside the basic multilingual plane become question marks."""
    if ended(asked, answered):
        answered.change(stdout="".join(c if c < "\U00010000" else "?" for c in answered.json["stdout"]))


@trips("START-13")
def output_is_trimmed(asked: Asked, answered: Answered) -> None:
    """White space is trimmed from the output."""
    if ended(asked, answered):
        answered.change(stdout=answered.json["stdout"].strip())


@trips("START-13")
def line_ends_are_translated(asked: Asked, answered: Answered) -> None:
    """CR LF becomes LF."""
    if ended(asked, answered):
        answered.change(stdout=answered.json["stdout"].replace("\r\n", "\n"))


@trips("START-13")
def colours_are_removed(asked: Asked, answered: Answered) -> None:
    """Control characters are removed from the output."""
    if ended(asked, answered):
        answered.change(stdout="".join(c for c in answered.json["stdout"] if c.isprintable() or c.isspace()))


@trips("START-13")
def escape_sequences_are_removed(asked: Asked, answered: Answered) -> None:
    """The sequences that colour text in a terminal are removed from the output."""
    if ended(asked, answered):
        answered.change(stdout=re.sub(r"\x1b\[[0-9;]*m", "", answered.json["stdout"]))


@trips("START-13")
def output_ends_with_a_line_end(asked: Asked, answered: Answered) -> None:
    """A line end is added to output without one."""
    if ended(asked, answered) and answered.json["stdout"] and not answered.json["stdout"].endswith("\n"):
        answered.change(stdout=answered.json["stdout"] + "\n")


@trips("START-16")
def commands_run_twice(asked: Asked, answered: Answered) -> None:
    """Each command runs twice."""
    if ended(asked, answered, "trace"):
        answered.change(stdout=answered.json["stdout"].replace("once 1", "once 2"))


@trips("START-16")
def results_are_cached(asked: Asked, answered: Answered) -> None:
    """The second start of a command returns the result of the first."""
    if ended(asked, answered, "again"):
        answered.change(stdout="1")


@trips("START-17")
def too_long_commands_run_all_the_same(asked: Asked, answered: Answered) -> None:
    """A command that is refused as too long runs nevertheless."""
    if asked.method == "POST" and answered.status == 400 and b": hostup-refused_" in asked.body[:40]:
        asked.memory["ran"] = asked.body.decode().partition(": hostup-")[2].partition("-")[0]
    if ended(asked, answered, "trace") and "ran" in asked.memory:
        answered.change(stdout=f"{asked.memory['ran']}\n{answered.json['stdout']}")


@trips("START-17")
def reading_keys_start_and_are_refused(asked: Asked, answered: Answered) -> None:
    """The scope is checked after the command has been started."""
    if asked.method == "POST" and asked.reading and b": hostup-" in asked.body:
        asked.memory["ran"] = asked.body.decode().partition(": hostup-")[2].partition("-")[0]
    if ended(asked, answered, "trace") and "ran" in asked.memory:
        answered.change(stdout=f"{asked.memory['ran']}\n{answered.json['stdout']}")


@trips("START-18")
def starts_wait_for_the_end(asked: Asked, answered: Answered) -> None:
    """The response to a start comes when the command has ended."""
    command_of(asked, answered)
    if answered.is_started and (command := recognized(json.loads(asked.body)["command"])) and command.seconds:
        answered.pause = command.seconds


@trips("START-19")
def commands_are_trimmed(asked: Asked, answered: Answered) -> None:
    """Blanks at both ends of a command are removed."""
    if ended(asked, answered, "verbatim"):
        answered.change(stdout=answered.json["stdout"].replace("[a ]", "[a]"))


@trips("START-19")
def commands_are_in_lower_case(asked: Asked, answered: Answered) -> None:
    """A command is changed to lower case."""
    if ended(asked, answered, "verbatim", "lines"):
        answered.change(stdout=answered.json["stdout"].lower())


@trips("START-19")
def blanks_in_commands_are_collapsed(asked: Asked, answered: Answered) -> None:
    """Several blanks in a command become one."""
    if ended(asked, answered, "verbatim"):
        answered.change(stdout=" ".join(answered.json["stdout"].split()))


@trips("START-19")
def commands_are_percent_decoded(asked: Asked, answered: Answered) -> None:
    """A command is percent-decoded."""
    if ended(asked, answered, "verbatim"):
        answered.change(stdout=answered.json["stdout"].replace("%41", "A").replace("%2B", "+"))


@trips("START-19")
def variables_are_expanded_twice(asked: Asked, answered: Answered) -> None:
    """A command passes through two shells."""
    if ended(asked, answered, "verbatim"):
        answered.change(stdout=answered.json["stdout"].replace("$HOME", "/root"))


@trips("START-19")
def only_the_first_line_is_run(asked: Asked, answered: Answered) -> None:
    """Only the first line of a command runs."""
    if ended(asked, answered, "lines"):
        answered.change(stdout=answered.json["stdout"].partition("B")[0])


@trips("START-20")
def odd_bytes_are_a_500(asked: Asked, answered: Answered) -> None:
    """A poll of output that is not UTF-8 gets 500."""
    if ended(asked, answered, "not_utf_8"):
        refuse(asked, answered, 500, "internal_error", "Internal server error")


@trips("START-20")
def odd_bytes_empty_the_output(asked: Asked, answered: Answered) -> None:
    """Output that is not UTF-8 is dropped."""
    if ended(asked, answered, "not_utf_8"):
        answered.change(stdout="")


@trips("START-21")
def simultaneous_polls_get_nothing(asked: Asked, answered: Answered) -> None:
    """Of simultaneous polls of an ended command, only one gets the output; the others get exited true without it."""
    if ended(asked, answered, "shared"):
        asked.memory["shared"] = asked.pid
    elif asked.pid and asked.pid == asked.memory.get("shared") and answered.status == 404:
        answered.become(200, {"exited": True, "exitCode": 0, "stdout": "", "stderr": ""})


@trips("START-22")
def commands_are_killed_early(asked: Asked, answered: Answered) -> None:
    """A command that takes long is said to have ended."""
    command = command_of(asked, answered)
    if command and command.name == "slow" and not answered.json["exited"]:
        answered.json = {"exited": True, "exitCode": 0, "stdout": "begunended", "stderr": "done"}


@trips("START-23")
def running_commands_are_unknown(asked: Asked, answered: Answered) -> None:
    """A command can only be polled once it has ended."""
    command = command_of(asked, answered)
    if command and not answered.json["exited"]:
        refuse(asked, answered, 404, "not_found", "Not found")


@trips("START-24")
def chunked_bodies_are_not_read(asked: Asked, answered: Answered) -> None:
    """A chunked body is taken for an empty one."""
    if asked.method == "POST" and "transfer-encoding" in asked.headers:
        refuse(asked, answered, 400, "invalid_request", "Invalid request")


@trips("START-24")
def a_charset_is_refused(asked: Asked, answered: Answered) -> None:
    """A start is refused if its media type has a parameter."""
    if asked.method == "POST" and ";" in asked.headers.get("content-type", ""):
        refuse(asked, answered, 415, "invalid_request", "Invalid request")


@trips("START-27")
def failures_make_the_poll_a_problem(asked: Asked, answered: Answered) -> None:
    """A poll of a command that failed gets 400."""
    if ended(asked, answered) and answered.json["exitCode"]:
        refuse(asked, answered, 400, "invalid_request", "Invalid request")


@trips("START-27")
def the_same_command_is_not_started_again(asked: Asked, answered: Answered) -> None:
    """A start of a command that has run before returns its earlier pid."""
    if answered.is_started:
        pid = asked.memory.setdefault(asked.body.decode(), answered.json["pid"])
        url = answered.json["pollUrl"].replace(str(answered.json["pid"]), str(pid))
        answered.change(pid=pid, pollUrl=url)


@trips("START-25")
def refused_polls_use_the_output_up(asked: Asked, answered: Answered) -> None:
    """The agent is asked before the scope is checked, so the output of an ended command is gone after a 403."""
    gone = asked.memory.setdefault("gone", set())
    if asked.reading and asked.pid and answered.status == 403:
        gone.add(asked.pid)
    if answered.is_output and answered.json["exited"] and asked.pid in gone:
        refuse(asked, answered, 404, "not_found", "Not found")


@trips("START-26")
def half_a_pair_is_a_500(asked: Asked, answered: Answered) -> None:
    """A command with half of a surrogate pair gets a page of the framework with 500."""
    if asked.method == "POST" and answered.status == 400 and b'\\ud800"' in asked.body:
        answered.become(500, FAILURE, "text/html")


@trips("START-26")
def a_nul_is_a_500(asked: Asked, answered: Answered) -> None:
    """A command with a NUL gets a page of the framework with 500."""
    if asked.method == "POST" and answered.status == 400 and b"\\u0000" in asked.body:
        answered.become(500, FAILURE, "text/html")


@trips("START-26")
def a_deep_body_is_a_500(asked: Asked, answered: Answered) -> None:
    """A body that is nested more deeply than the parser can recurse gets a page of the framework with 500."""
    if asked.method == "POST" and asked.body.startswith(b"[[["):
        answered.become(500, FAILURE, "text/html")


@trips("START-05")
def the_end_comes_before_the_output(asked: Asked, answered: Answered) -> None:
    """exited becomes true at once, and the output follows half a second later."""
    starts = asked.memory.setdefault("starts at", {})
    if answered.is_started:
        starts[str(answered.json["pid"])] = time.monotonic()
    if answered.is_output and answered.json["exited"] and time.monotonic() - starts.get(asked.pid, 0.0) < 0.5:
        answered.change(stdout="", stderr="")


@trips("START-19")
def commands_end_at_the_first_failure(asked: Asked, answered: Answered) -> None:
    """The shell is started with -e."""
    if ended(asked, answered, "lines"):
        answered.change(stdout=answered.json["stdout"].partition("B")[0], exitCode=1)


@trips("START-13")
def the_byte_order_mark_is_taken_off(asked: Asked, answered: Answered) -> None:
    """A byte order mark at the beginning of the output is dropped."""
    if ended(asked, answered):
        answered.change(stdout=answered.json["stdout"].removeprefix("\ufeff"))


@trips("START-13")
def every_line_separator_is_a_line_end(asked: Asked, answered: Answered) -> None:
    """Output is split into lines and joined again."""
    if ended(asked, answered, "control"):
        answered.change(stdout="\n".join(answered.json["stdout"].split("\u2028")))


@trips("START-07")
def letters_are_composed(_asked: Asked, answered: Answered) -> None:
    """The output is converted to Unicode's normal form C."""
    if answered.is_output and answered.json.get("stdout"):
        answered.change(stdout=normalize("NFC", answered.json["stdout"]))


@trips("START-06")
def ends_are_told_after_five_seconds(asked: Asked, answered: Answered) -> None:
    """A command that ended at once is said to run for five more seconds."""
    ends: dict[str | None, tuple[float, object]] = asked.memory.setdefault("ends", {})
    if answered.is_output and answered.json["exited"]:
        began, _ = ends.setdefault(asked.pid, (time.monotonic(), answered.json))
        answered.json = {"exited": False}
    elif asked.full and asked.pid in ends and answered.status == 404:
        began, output = ends[asked.pid]
        late = time.monotonic() - began > 5
        answered.become(200, output if late else {"exited": False})


@trips("START-27")
def one_command_at_a_time(asked: Asked, answered: Answered) -> None:
    """No command runs until the one before it has ended, and one sleeps for a minute."""
    if answered.is_started and b"sleep 60" in asked.body:
        asked.memory["sleeps"] = True
        asked.memory["waiting"] = set()
    elif answered.is_started and "sleeps" in asked.memory:
        asked.memory["waiting"].add(str(answered.json["pid"]))
    if answered.is_output and asked.pid in asked.memory.get("waiting", ()):
        answered.json = {"exited": False}


@trips("START-27")
def polls_are_cached(asked: Asked, answered: Answered) -> None:
    """A cache keeps the first response to the poll of each pid, which is that the command runs."""
    polled = asked.memory.setdefault("polled", set())
    if answered.is_output:
        polled.add(asked.pid)
        answered.json = {"exited": False}
    elif asked.full and asked.pid in polled:
        answered.become(200, {"exited": False})


@trips("START-27")
def a_start_forgets_the_results_before_it(asked: Asked, answered: Answered) -> None:
    """Only the result of the command that was started last is kept."""
    if answered.is_started:
        asked.memory["last"] = str(answered.json["pid"])
    elif answered.is_output and answered.json["exited"] and asked.pid != asked.memory.get("last", asked.pid):
        refuse(asked, answered, 404, "not_found", "Not found")


@trips("START-27")
def results_are_kept_for_a_moment(asked: Asked, answered: Answered) -> None:
    """A result is thrown away a tenth of a second after the start."""
    starts = asked.memory.setdefault("starts at", {})
    if answered.is_started:
        starts[str(answered.json["pid"])] = time.monotonic()
    if answered.is_output and answered.json["exited"] and time.monotonic() - starts.get(asked.pid, inf) > 0.1:
        refuse(asked, answered, 404, "not_found", "Not found")


@trips("START-27")
def every_end_is_a_500(asked: Asked, answered: Answered) -> None:
    """The poll that should report the end of a command that printed something gets 500."""
    if ended(asked, answered) and answered.json["stdout"]:
        refuse(asked, answered, 500, "internal_error", "Internal server error")


@trips("START-26")
def what_is_no_utf_8_is_an_unexpected_error(asked: Asked, answered: Answered) -> None:
    """A body that is not UTF-8 gets the documented 500."""
    if asked.method == "POST" and asked.body.startswith(b"\xff"):
        refuse(asked, answered, 500, "internal_error", "Internal server error")


@trips("PID-09")
def plain_text_is_a_500(asked: Asked, answered: Answered) -> None:
    """A body that is plain text gets 500."""
    if asked.method == "POST" and asked.body.startswith((b"echo", b": hostup")):
        refuse(asked, answered, 500, "internal_error", "Internal server error")


@trips("PID-09")
def nothing_is_an_empty_command(asked: Asked, answered: Answered) -> None:
    """A POST without a body starts an empty command."""
    if asked.method == "POST" and not asked.body and asked.full and asked.own:
        start_instead(asked, answered)


@trips("POLL-10", starts=True)
def ended_commands_have_no_output(asked: Asked, answered: Answered) -> None:
    """A command whose end was reported is said to have ended again, without output and with exit code 0."""
    over = asked.memory.setdefault("over", set())
    if answered.is_output and answered.json["exited"]:
        over.add(asked.pid)
    elif asked.full and asked.pid in over and answered.status == 404 and asked.method == "GET":
        answered.become(200, {"exited": True, "exitCode": 0, "stdout": "", "stderr": ""})
