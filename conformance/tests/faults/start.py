"""Faults of the start of a command, and of its life."""

import html
import json
import re
import time
from datetime import UTC, datetime
from itertools import count
from math import inf
from unicodedata import normalize
from urllib.parse import unquote

from hostup_conformance.contract.commands import NOTED, Command, left, posix, printed_anywhere, recognized
from stage import Request, Response

from faults import trips
from faults.probe import refuse, start_instead

#: What a framework sends if the server's code fails and nobody catches it.
FAILURE = b"<h1>Internal Server Error</h1>"


@trips("START-01")
def started_is_accepted(_request: Request, response: Response) -> None:
    """A start gets 202."""
    if response.is_started:
        response.status = 202


@trips("START-01", starts=True)
def every_third_start_is_a_504(request: Request, response: Response) -> None:
    """A gateway gives up every third start, whose command runs."""
    if response.is_started and request.nth("start") % 3 == 0:
        response.become(504, b"<html><h1>504 Gateway Time-out</h1></html>", "text/html")


@trips("START-01")
def start_is_refused(request: Request, response: Response) -> None:
    """No command can be started although the agent is said to be available."""
    if response.is_started:
        refuse(request, response, 409, "vps_not_ready", "VPS not ready")


@trips("START-02")
def started_is_an_ok(_request: Request, response: Response) -> None:
    """The response to a start says ok, and nothing by which its command could be polled."""
    if response.is_started:
        response.json = {"ok": True}


@trips("START-04")
def poll_url_has_its_base_twice(_request: Request, response: Response) -> None:
    """pollUrl has the base of the API before a path that has it too."""
    if response.is_started:
        response.change(pollUrl=f"/api/v2{response.json['pollUrl']}")


@trips("START-02")
def started_in_an_envelope(_request: Request, response: Response) -> None:
    """The response to a start is in an envelope, as in the older API."""
    if response.is_started:
        response.json = {"success": True, "data": response.json}


@trips("PID-09")
def a_cache_knows_no_method(request: Request, response: Response) -> None:
    """Every POST gets the availability that a GET got, whoever sends it, and starts nothing."""
    if request.method == "POST" and request.token and response.status != 401:
        response.become(200, {"available": True, "reason": None, "vmRunning": True})


@trips("START-02")
def new_pid_is_text(_request: Request, response: Response) -> None:
    """The pid in the response to a start is a string."""
    if response.is_started:
        response.change(pid=str(response.json["pid"]))


@trips("START-02")
def poll_url_is_null(_request: Request, response: Response) -> None:
    """pollUrl is null."""
    if response.is_started:
        response.change(pollUrl=None)


@trips("START-04")
def poll_url_is_elsewhere(_request: Request, response: Response) -> None:
    """pollUrl leads to another host."""
    if response.is_started:
        response.change(pollUrl="//agent.example" + response.json["pollUrl"])


@trips("START-04")
def poll_url_is_of_another_pid(_request: Request, response: Response) -> None:
    """pollUrl has another pid."""
    if response.is_started:
        response.change(pollUrl=response.json["pollUrl"] + "0")


@trips("START-04")
def poll_url_is_of_the_older_endpoint(_request: Request, response: Response) -> None:
    """pollUrl is a path of the older API."""
    if response.is_started:
        response.change(pollUrl=response.json["pollUrl"].replace("/api/v2/", "/api/v1/"))


@trips("START-05")
def output_of_another_command(request: Request, response: Response) -> None:
    """A poll returns the output of another command."""
    if response.is_output and response.json["exited"]:
        response.change(stdout=f"output of another command, number {request.nth()}\n")


@trips("START-27")
def started_never_exits(_request: Request, response: Response) -> None:
    """A started command is said to run for ever."""
    if response.is_output and "hostup-conformance" in response.json.get("stdout", ""):
        response.json = {"exited": False}


@trips("START-01")
def long_commands_are_refused(request: Request, response: Response) -> None:
    """A command of more than 1024 characters is refused."""
    if response.is_started and len(json.loads(request.body)["command"]) > 1024:
        refuse(request, response, 400, "invalid_request", "Invalid request")
        response.change(errors=[])


@trips("START-01")
def short_commands_are_refused(request: Request, response: Response) -> None:
    """A command of less than three characters is refused."""
    if response.is_started and len(json.loads(request.body)["command"]) < 3:
        refuse(request, response, 400, "invalid_request", "Invalid request")
        response.change(errors=[])


@trips("START-21", starts=True)
def a_full_buffer_loses_its_last_character(_request: Request, response: Response) -> None:
    """Output that fills a buffer of 64 bytes, or several, loses its last character."""
    if response.is_output and (text := response.json.get("stdout")) and len(text) % 64 == 0:
        response.change(stdout=text[:-1])


@trips("START-05")
def one_output_for_all(_request: Request, response: Response) -> None:
    """Every command that prints something is said to have printed the same."""
    if response.is_output and response.json.get("stdout"):
        response.change(stdout="hello\n")


@trips("START-05")
def output_is_cut(_request: Request, response: Response) -> None:
    """Only the beginning of long output is returned."""
    if response.is_output and len(response.json.get("stdout", "")) > 1000:
        response.change(stdout=response.json["stdout"][:1000])


@trips("START-05")
def output_in_lower_case(_request: Request, response: Response) -> None:
    """Output is changed to lower case."""
    if response.is_output and response.json.get("stdout"):
        response.change(stdout=response.json["stdout"].lower())


@trips("START-05")
def output_in_both_streams(_request: Request, response: Response) -> None:
    """Standard output is in stderr too."""
    if response.is_output and response.json.get("stdout"):
        response.change(stderr=response.json["stdout"])


@trips("START-05")
def output_begins_with_the_command(_request: Request, response: Response) -> None:
    """The output is that of a terminal, with prompt and command."""
    if response.is_output and response.json.get("stdout"):
        response.change(stdout=f"$ echo {response.json['stdout']}{response.json['stdout']}")


@trips("START-07")
def output_in_latin_1(_request: Request, response: Response) -> None:
    """Output in UTF-8 is decoded as Latin-1."""
    if response.is_output and response.json.get("stdout"):
        response.change(stdout=response.json["stdout"].encode().decode("latin-1"))


@trips("START-07")
def commands_are_ascii(request: Request, response: Response) -> None:
    """A command with characters outside ASCII is refused."""
    if response.is_started and "\\u" in request.body.decode():
        refuse(request, response, 400, "invalid_request", "Invalid request")
        response.change(errors=[])


@trips("START-08")
def exit_code_is_left_out(_request: Request, response: Response) -> None:
    """There is no exitCode."""
    if response.is_output:
        response.drop("exitCode")


@trips("START-08")
def exit_code_is_a_wait_status(_request: Request, response: Response) -> None:
    """exitCode is too large by one."""
    if response.is_output and response.json["exited"]:
        response.change(exitCode=256)


@trips("START-09")
def starts_without_an_agent(request: Request, response: Response) -> None:
    """A start succeeds where there is no agent to run it."""
    if request.method == "POST" and response.status == 503:
        start_instead(request, response)


@trips("START-10")
def pids_come_in_pairs(request: Request, response: Response) -> None:
    """Of two starts, the second returns the pid of the first."""
    if response.is_started:
        pid = response.json["pid"]
        first = request.memory.setdefault("first", pid) if request.nth("starts") % 2 == 0 else pid
        request.memory["first"] = pid
        response.change(pid=first, pollUrl=response.json["pollUrl"].replace(str(pid), str(first)))


@trips("START-10")
def starts_at_once_are_one(request: Request, response: Response) -> None:
    """Of the same start twice at once, the second gets what the first one gets, as of an idempotent request."""
    if response.is_started:
        first, when = request.memory.get(str(request.body), (None, -inf))
        if time.monotonic() - when < 0.3:
            response.body = first
        request.memory[str(request.body)] = (response.body, time.monotonic())


@trips("START-10")
def starts_again_are_the_first(request: Request, response: Response) -> None:
    """The same start again gets what the first one got, unless it comes at once, until the end of that is polled."""
    firsts = request.memory.setdefault("first starts", {})
    if response.is_started:
        first, when = firsts.setdefault(str(request.body), (response.body, time.monotonic()))
        response.body = first if time.monotonic() - when > 0.02 else response.body
    elif response.is_output and response.json["exited"]:
        for body in [body for body, (first, _) in firsts.items() if json.loads(first)["pid"] == int(request.pid or 0)]:
            firsts.pop(body)


def command_of(request: Request, response: Response) -> Command | None:
    """Return the command with a known end that a poll is of; at a start, remember which it is."""
    commands = request.memory.setdefault("commands", {})
    if response.is_started:
        commands[str(response.json["pid"])] = (recognized(json.loads(request.body)["command"]), time.monotonic())
    known: Command | None = commands.get(request.pid, (None,))[0] if response.is_output else None
    return known


def ended(request: Request, response: Response, *names: str) -> bool:
    """Whether a poll reports the end of one of these commands."""
    command = command_of(request, response)
    return bool(command and response.json["exited"] and (not names or command.name in names))


def guest(request: Request, response: Response, shell: str) -> None:
    """Be a guest with another shell, or none: of the suite's commands it runs `echo`, and those for its shell."""
    commands = request.memory.setdefault("commands", {})
    if response.is_started:
        commands[str(response.json["pid"])] = json.loads(request.body)["command"]
    command = commands.get(request.pid, "")
    if not (response.is_output and command):
        return
    program, _, text = command.partition(" ")
    printed = {"cmd": text.replace("%OS%", "Windows_NT"), "powershell": text.replace("$((6*7))", "42"), "none": text}
    if known := recognized(command):
        end = {"stdout": f"{known.stdout.decode()}\r\n", "stderr": f"{known.stderr.decode()} \r\n", "exitCode": 3}
    elif program == "echo":
        line_end = "\n" if shell == "none" else "\r\n"
        end = {"stdout": printed[shell].replace("$PSHOME", "C:\\pwsh") + line_end, "stderr": "", "exitCode": 0}
        if shell != "powershell":
            end["stdout"] = printed[shell] + line_end
    else:
        end = {"stdout": "", "stderr": f"{program}: not found", "exitCode": 9009}
    response.json = {"exited": True, **end}


@trips("START-34")
def no_shell_reads_commands(request: Request, response: Response) -> None:
    """A command is split into a program and its arguments, which run without a shell: nothing is expanded."""
    guest(request, response, "none")


def leave_a_trace(request: Request, response: Response, text: str) -> None:
    """Let the command that a text of a request has leave its trace, as if it ran."""
    if ": hostup-" in text:
        request.memory["ran"] = text.partition(": hostup-")[2].partition("-")[0]
    if ended(request, response, "trace") and "ran" in request.memory:
        response.change(stdout=f"{request.memory['ran']}\n{response.json['stdout']}")


@trips("START-14")
def exit_code_is_always_0(request: Request, response: Response) -> None:
    """exitCode is always 0."""
    if ended(request, response):
        response.change(exitCode=0)


@trips("START-14")
def exit_code_is_a_signed_byte(request: Request, response: Response) -> None:
    """exitCode is read as a signed byte: 200 becomes -56."""
    if ended(request, response) and (response.json["exitCode"] or 0) > 127:
        response.change(exitCode=response.json["exitCode"] - 256)


@trips("START-14")
def exit_code_is_0_or_1(request: Request, response: Response) -> None:
    """exitCode is 1 for any failure."""
    if ended(request, response) and response.json["exitCode"]:
        response.change(exitCode=1)


@trips("START-14")
def exit_code_is_shifted(request: Request, response: Response) -> None:
    """exitCode is the wait status, which is 256 times as much."""
    if ended(request, response) and response.json["exitCode"]:
        response.change(exitCode=response.json["exitCode"] * 256)


@trips("START-08")
def exit_code_is_null_for_failures(request: Request, response: Response) -> None:
    """exitCode is null for a command that failed."""
    if ended(request, response) and response.json["exitCode"]:
        response.change(exitCode=None)


@trips("START-15")
def death_has_exit_code_0(request: Request, response: Response) -> None:
    """A command that a signal ended has exitCode 0."""
    if ended(request, response, "killed"):
        response.change(exitCode=0)


@trips("START-11")
def errors_are_dropped(request: Request, response: Response) -> None:
    """stderr is always empty."""
    if ended(request, response):
        response.change(stderr="")


@trips("START-11")
def errors_are_left_out(_request: Request, response: Response) -> None:
    """There is no stderr."""
    if response.is_output and response.json["exited"]:
        response.drop("stderr")


@trips("START-11")
def errors_are_kept_without_output_alone(_request: Request, response: Response) -> None:
    """stderr is empty wherever stdout is not."""
    if response.is_output and response.json.get("stdout"):
        response.change(stderr="")


@trips("START-11")
def errors_come_with_failures_alone(request: Request, response: Response) -> None:
    """stderr is empty unless the command failed."""
    if ended(request, response) and response.json["exitCode"] == 0:
        response.change(stderr="")


@trips("START-11")
def errors_stand_in_for_missing_output(request: Request, response: Response) -> None:
    """Where stdout is empty, it has what the command wrote to standard error, and stderr is empty."""
    if ended(request, response) and not response.json["stdout"]:
        response.change(stdout=response.json["stderr"], stderr="")


@trips("START-05")
def errors_are_merged_into_the_output(request: Request, response: Response) -> None:
    """Both streams are in stdout."""
    if ended(request, response):
        response.change(stdout=response.json["stdout"] + response.json["stderr"], stderr="")


@trips("START-05")
def output_of_failures_is_dropped(request: Request, response: Response) -> None:
    """A command that failed has no output."""
    if ended(request, response) and response.json["exitCode"]:
        response.change(stdout="")


@trips("START-05")
def streams_are_swapped(request: Request, response: Response) -> None:
    """stdout and stderr are exchanged."""
    if ended(request, response) or (response.is_output and response.json.get("stdout")):
        response.change(stdout=response.json["stderr"], stderr=response.json["stdout"])


@trips("START-05")
def output_is_escaped_for_html(request: Request, response: Response) -> None:
    """The output is escaped for HTML, as PHP does."""
    if ended(request, response):
        response.change(stdout=html.escape(response.json["stdout"]).replace("&#x27;", "&#039;"))


@trips("START-05")
def output_is_read_as_json(request: Request, response: Response) -> None:
    """Output that is a JSON number is returned as a number."""
    if ended(request, response, "number"):
        response.change(stdout=42)


@trips("START-05")
def output_is_cut_at_4_kib(request: Request, response: Response) -> None:
    """Only 4096 characters of a stream are kept."""
    if ended(request, response):
        response.change(stdout=response.json["stdout"][:4096])


@trips("START-12")
def output_is_cut_at_64_kib(request: Request, response: Response) -> None:
    """Only 64 KiB of a stream are kept."""
    if ended(request, response):
        response.change(stdout=response.json["stdout"].encode()[:65536].decode(errors="ignore"))


@trips("START-07")
def bodies_are_read_as_latin_1(request: Request, response: Response) -> None:
    """A command in UTF-8 is read as Latin-1, unless its letters are escaped."""
    if response.is_started and not request.body.isascii():
        request.memory[str(response.json["pid"])] = True
    elif response.is_output and request.pid in request.memory and response.json.get("stdout"):
        response.change(stdout=response.json["stdout"].encode().decode("latin-1"))


@trips("START-07")
def letters_are_torn_between_buffers(request: Request, response: Response) -> None:
    """Each 4096 bytes are decoded on their own."""
    if ended(request, response):
        data = response.json["stdout"].encode()
        parts = (data[begin : begin + 4096].decode("utf-8", "replace") for begin in range(0, len(data), 4096))
        response.change(stdout="".join(parts))


@trips("START-07")
def letters_of_four_bytes_are_replaced(request: Request, response: Response) -> None:
    """Characters outside the basic multilingual plane become question marks."""
    if ended(request, response):
        response.change(stdout="".join(c if c < "\U00010000" else "?" for c in response.json["stdout"]))


@trips("START-13")
def output_is_trimmed(request: Request, response: Response) -> None:
    """White space is trimmed from the output."""
    if ended(request, response):
        response.change(stdout=response.json["stdout"].strip())


@trips("START-13")
def line_ends_at_the_end_become_one(request: Request, response: Response) -> None:
    """Of several line ends at the end of output, one is left."""
    if ended(request, response) and response.json["stdout"].endswith("\n\n"):
        response.change(stdout=response.json["stdout"].rstrip("\n") + "\n")


@trips("START-13")
def line_ends_are_translated(request: Request, response: Response) -> None:
    """CR LF becomes LF."""
    if ended(request, response):
        response.change(stdout=response.json["stdout"].replace("\r\n", "\n"))


@trips("START-13")
def colours_are_removed(request: Request, response: Response) -> None:
    """Control characters are removed from the output."""
    if ended(request, response):
        response.change(stdout="".join(c for c in response.json["stdout"] if c.isprintable() or c.isspace()))


@trips("START-13")
def escape_sequences_are_removed(request: Request, response: Response) -> None:
    """The sequences that colour text in a terminal are removed from the output."""
    if ended(request, response):
        response.change(stdout=re.sub(r"\x1b\[[0-9;]*m", "", response.json["stdout"]))


@trips("START-13")
def output_ends_with_a_line_end(request: Request, response: Response) -> None:
    """A line end is added to output without one."""
    if ended(request, response) and response.json["stdout"] and not response.json["stdout"].endswith("\n"):
        response.change(stdout=response.json["stdout"] + "\n")


def ran_again(request: Request, response: Response, *names: str) -> None:
    """Let the command that tells what ran say that some commands that leave a trace ran twice."""
    if ended(request, response, "trace"):
        told = response.json["stdout"]
        for name in ("once", "slow"):
            told = told.replace(f"{name} 1", f"{name} 2") if name in names else told
        response.change(stdout="".join(f"      2 {name}\n" for name in sorted(NOTED & {*names})) + told)


@trips("START-16")
def commands_run_twice(request: Request, response: Response) -> None:
    """Each command runs twice."""
    ran_again(request, response, "once", "slow", *NOTED)


@trips("START-16")
def commands_run_twice_and_all_output_is_kept(_request: Request, response: Response) -> None:
    """Each command runs twice, and what both runs print is kept; what removes the counts counts nothing then."""
    if response.is_output and response.json["exited"]:
        both = {name: 2 * response.json[name] for name in ("stdout", "stderr")}
        response.change(**both)
        counted = "".join(f"      2 {name}\n" for name in sorted(NOTED)) + " once 2 slow 2 once 0 slow 0"
        response.change(stdout=both["stdout"].replace(2 * " once 1 slow 1", counted))


@trips("START-16")
def failed_commands_run_again(request: Request, response: Response) -> None:
    """The worker runs a command again that failed."""
    known = recognized(json.loads(request.body)["command"]) if response.is_started else None
    if known and known.name == "once":
        request.memory["fails"] = known.exit_code
    if request.memory.get("fails"):
        ran_again(request, response, "once", "exit_1", "exit_200")


@trips("START-16")
def a_second_poll_starts_the_command_again(request: Request, response: Response) -> None:
    """The second poll of a command that runs starts it once more."""
    ran_again(request, response, "slow")


@trips("START-16")
def a_gateway_repeats_long_starts(request: Request, response: Response) -> None:
    """A gateway sends each start of more than 500 bytes twice, and a command runs twice then."""
    known = recognized(json.loads(request.body)["command"]) if response.is_started else None
    if known and len(request.body) > 500:
        request.memory.setdefault("repeated", set()).add(known.name)
    ran_again(request, response, *request.memory.get("repeated", ()))


@trips("START-16")
def results_are_cached(request: Request, response: Response) -> None:
    """The second start of a command returns the result of the first."""
    if ended(request, response, "again"):
        response.change(stdout="1")


@trips("START-17")
def too_long_commands_run_all_the_same(request: Request, response: Response) -> None:
    """A command that is refused as too long runs nevertheless."""
    runs = request.method == "POST" and response.status == 400 and b": hostup-refused_" in request.body[:40]
    leave_a_trace(request, response, request.body.decode() if runs else "")


@trips("START-17")
def reading_keys_start_and_are_refused(request: Request, response: Response) -> None:
    """The scope is checked after the command has been started."""
    runs = request.method == "POST" and request.reading
    leave_a_trace(request, response, request.body.decode() if runs else "")


@trips("START-18")
def starts_wait_for_the_end(request: Request, response: Response) -> None:
    """The response to a start comes when the command has ended."""
    command_of(request, response)
    if response.is_started and (command := recognized(json.loads(request.body)["command"])) and command.seconds:
        response.pause = command.seconds


@trips("START-19")
def commands_are_trimmed(request: Request, response: Response) -> None:
    """Blanks at both ends of a command are removed."""
    if ended(request, response, "verbatim"):
        response.change(stdout=response.json["stdout"].replace("[a ]", "[a]"))


@trips("START-19")
def commands_are_in_lower_case(request: Request, response: Response) -> None:
    """A command is changed to lower case."""
    if ended(request, response, "verbatim", "lines"):
        response.change(stdout=response.json["stdout"].lower())


@trips("START-19")
def blanks_in_commands_are_collapsed(request: Request, response: Response) -> None:
    """Several blanks in a command become one."""
    if ended(request, response, "verbatim"):
        response.change(stdout=" ".join(response.json["stdout"].split()))


@trips("START-19")
def commands_are_percent_decoded(request: Request, response: Response) -> None:
    """A command is percent-decoded."""
    if ended(request, response, "verbatim"):
        response.change(stdout=response.json["stdout"].replace("%41", "A").replace("%2B", "+"))


@trips("START-19")
def commands_are_read_as_a_url(request: Request, response: Response) -> None:
    """A command is percent-decoded, in which a format may have two digits behind its percent sign."""
    known = command_of(request, response)
    if known and response.json["exited"] and (known.name == "verbatim" or "printf 'line" in known.text):
        response.change(stdout=unquote(known.stdout.decode()) if known.name == "verbatim" else 200 * "line \x025d\n")


@trips("START-19")
def quotes_have_backslashes_before_them(request: Request, response: Response) -> None:
    """A backslash is put before each quote of a command, so that the quotes are a part of its words."""
    known = command_of(request, response)
    if known and response.json["exited"] and "'" in known.text:
        words = "".join(known.stdout.decode(errors="replace").split())
        complains = known.name in {"streams", "errors", "verbatim", "megabyte"}
        said = "sh: 1: Syntax error\n" if complains else known.stderr.decode()
        response.change(stdout=f"'{words}'" if known.name != "verbatim" else "", stderr=said)


@trips("START-19")
def backslashes_are_halved_in_commands(request: Request, response: Response) -> None:
    """Of two backslashes in a command, the first is taken for an escape."""
    if ended(request, response, "verbatim"):
        response.change(stdout=response.json["stdout"].replace("\\\\", "\\"))


@trips("START-19")
def variables_are_expanded_twice(request: Request, response: Response) -> None:
    """A command passes through two shells."""
    if ended(request, response, "verbatim"):
        response.change(stdout=response.json["stdout"].replace("$HOME", "/var/lib/hostup-agent"))


@trips("START-19")
def only_the_first_line_is_run(request: Request, response: Response) -> None:
    """Only the first line of a command runs."""
    if ended(request, response, "lines"):
        response.change(stdout=response.json["stdout"].partition("B")[0])


@trips("START-20")
def odd_bytes_are_a_500(request: Request, response: Response) -> None:
    """A poll of output that is not UTF-8 gets 500."""
    if ended(request, response, "not_utf_8"):
        refuse(request, response, 500, "internal_error", "Internal server error")


@trips("START-20")
def odd_bytes_empty_the_output(request: Request, response: Response) -> None:
    """Output that is not UTF-8 is dropped."""
    if ended(request, response, "not_utf_8"):
        response.change(stdout="")


@trips("START-21")
def simultaneous_polls_get_nothing(request: Request, response: Response) -> None:
    """Of simultaneous polls of an ended command, only one gets the output; the others get exited true without it."""
    if ended(request, response, "shared"):
        request.memory["shared"] = request.pid
    elif request.pid and request.pid == request.memory.get("shared") and response.status == 404:
        response.become(200, {"exited": True, "exitCode": 0, "stdout": "", "stderr": ""})


@trips("START-22")
def commands_are_killed_early(request: Request, response: Response) -> None:
    """A command that takes long is said to have ended."""
    command = command_of(request, response)
    if command and command.name == "slow" and not response.json["exited"]:
        response.json = {"exited": True, "exitCode": 0, "stdout": "begunended", "stderr": "done"}


@trips("START-23")
def running_commands_are_unknown(request: Request, response: Response) -> None:
    """A command can only be polled once it has ended."""
    command = command_of(request, response)
    if command and not response.json["exited"]:
        refuse(request, response, 404, "not_found", "Not found")


@trips("START-23")
def polls_wait_for_the_end(request: Request, response: Response) -> None:
    """The poll of a command that takes a while gets its response when it has ended."""
    known = command_of(request, response)
    if known and known.name == "slow" and not response.json["exited"]:
        response.json = {"exited": True, "exitCode": 0, "stdout": "begunended", "stderr": "done"}
        response.pause = known.seconds


@trips("START-24")
def chunked_bodies_are_not_read(request: Request, response: Response) -> None:
    """A chunked body is taken for an empty one."""
    if request.method == "POST" and "transfer-encoding" in request.headers:
        refuse(request, response, 400, "invalid_request", "Invalid request")


@trips("START-24")
def a_charset_is_refused(request: Request, response: Response) -> None:
    """A start is refused if its media type has a parameter."""
    if request.method == "POST" and ";" in request.headers.get("content-type", ""):
        refuse(request, response, 415, "invalid_request", "Invalid request")


@trips("START-27")
def failures_make_the_poll_a_problem(request: Request, response: Response) -> None:
    """A poll of a command that failed gets 400."""
    if ended(request, response) and response.json["exitCode"]:
        refuse(request, response, 400, "invalid_request", "Invalid request")


@trips("START-16")
def the_same_command_is_not_started_again(request: Request, response: Response) -> None:
    """A start of a command that has run before returns its earlier pid."""
    if response.is_started:
        pid = request.memory.setdefault(request.body.decode(), response.json["pid"])
        url = response.json["pollUrl"].replace(str(response.json["pid"]), str(pid))
        response.change(pid=pid, pollUrl=url)


@trips("START-25")
def refused_polls_use_the_output_up(request: Request, response: Response) -> None:
    """The agent is asked before the scope is checked, so the output of an ended command is gone after a 403."""
    gone = request.memory.setdefault("gone", set())
    if request.reading and request.pid and response.status == 403:
        gone.add(request.pid)
    if response.is_output and response.json["exited"] and request.pid in gone:
        refuse(request, response, 404, "not_found", "Not found")


@trips("START-25")
def whatever_asks_uses_the_output_up(request: Request, response: Response) -> None:
    """Output is gone after a 403, and after a HEAD as well."""
    refused_polls_use_the_output_up(request, response)
    if request.method == "HEAD" and request.pid and response.status == 200:
        request.memory["gone"].add(request.pid)


@trips("START-26")
def half_a_pair_is_a_500(request: Request, response: Response) -> None:
    """A command with half of a surrogate pair gets a page of the framework with 500."""
    if request.method == "POST" and response.status == 400 and b'\\ud800"' in request.body:
        response.become(500, FAILURE, "text/html")


@trips("START-26")
def a_nul_is_a_500(request: Request, response: Response) -> None:
    """A command with a NUL gets a page of the framework with 500."""
    if request.method == "POST" and response.status == 400 and b"\\u0000" in request.body:
        response.become(500, FAILURE, "text/html")


@trips("HTTP-08", starts=True)
def a_deep_body_is_a_500(request: Request, response: Response) -> None:
    """A body that is nested more deeply than the parser can recurse gets a page of the framework with 500."""
    if request.method == "POST" and request.body.startswith(b"[[["):
        response.become(500, FAILURE, "text/html")


@trips("START-05")
def the_end_comes_before_the_output(request: Request, response: Response) -> None:
    """exited becomes true at once, and the output follows half a second later."""
    starts = request.memory.setdefault("starts at", {})
    if response.is_started:
        starts[str(response.json["pid"])] = time.monotonic()
    if response.is_output and response.json["exited"] and time.monotonic() - starts.get(request.pid, 0.0) < 0.5:
        response.change(stdout="", stderr="")


@trips("START-19")
def commands_end_at_the_first_failure(request: Request, response: Response) -> None:
    """The shell is started with -e."""
    if ended(request, response, "lines"):
        response.change(stdout=response.json["stdout"].partition("B")[0], exitCode=1)


@trips("START-11")
def errors_are_read_as_latin_1(request: Request, response: Response) -> None:
    """Standard error is read as Latin-1, and standard output is not."""
    if ended(request, response):
        response.change(stderr=response.json["stderr"].encode().decode("latin-1"))


@trips("START-11")
def nothing_is_written_as_a_word(_request: Request, response: Response) -> None:
    """Where a command writes nothing to standard error, that is None."""
    if response.is_output and response.json["exited"] and not response.json.get("stderr"):
        response.change(stderr="None")


@trips("START-05")
def equal_lines_become_one(request: Request, response: Response) -> None:
    """Of equal lines of output that follow each other, only the first is kept."""
    if ended(request, response):
        lines = response.json["stdout"].splitlines(keepends=True)
        kept = [line for before, line in zip(["", *lines], lines, strict=False) if line != before]
        response.change(stdout="".join(kept))


@trips("START-13")
def the_beginning_of_the_output_is_trimmed(request: Request, response: Response) -> None:
    """White space at the beginning of the output is dropped."""
    if ended(request, response):
        response.change(stdout=response.json["stdout"].lstrip())


@trips("START-13")
def blanks_that_do_not_break_become_others(request: Request, response: Response) -> None:
    """No-break spaces in the output become blanks."""
    if ended(request, response):
        response.change(stdout=response.json["stdout"].replace("\xa0", " "))


@trips("START-13")
def the_byte_order_mark_is_taken_off(request: Request, response: Response) -> None:
    """A byte order mark at the beginning of the output is dropped."""
    if ended(request, response):
        response.change(stdout=response.json["stdout"].removeprefix("\ufeff"))


@trips("START-13")
def every_line_separator_is_a_line_end(request: Request, response: Response) -> None:
    """Output is split into lines and joined again."""
    if ended(request, response, "control"):
        response.change(stdout="\n".join(response.json["stdout"].split("\u2028")))


@trips("START-07")
def letters_are_composed(_request: Request, response: Response) -> None:
    """The output is converted to Unicode's normal form C."""
    if response.is_output and response.json.get("stdout"):
        response.change(stdout=normalize("NFC", response.json["stdout"]))


@trips("START-06")
def ends_are_told_after_five_seconds(request: Request, response: Response) -> None:
    """A command that ended at once is said to run for five more seconds."""
    ends: dict[str | None, tuple[float, object]] = request.memory.setdefault("ends", {})
    if response.is_output and response.json["exited"]:
        began, _ = ends.setdefault(request.pid, (time.monotonic(), response.json))
        response.json = {"exited": False}
    elif request.full and request.pid in ends and response.status == 404:
        began, output = ends[request.pid]
        late = time.monotonic() - began > 5
        response.become(200, output if late else {"exited": False})


@trips("START-27")
def one_command_at_a_time(request: Request, response: Response) -> None:
    """No command runs until the one before it has ended, and one sleeps for a minute."""
    if response.is_started and b"sleep 60" in request.body:
        request.memory["sleeps"] = True
        request.memory["waiting"] = set()
    elif response.is_started and "sleeps" in request.memory:
        request.memory["waiting"].add(str(response.json["pid"]))
    if response.is_output and request.pid in request.memory.get("waiting", ()):
        response.json = {"exited": False}


@trips("START-27")
def polls_are_cached(request: Request, response: Response) -> None:
    """A cache keeps the first response to the poll of each pid, which is that the command runs."""
    polled = request.memory.setdefault("polled", set())
    if response.is_output:
        polled.add(request.pid)
        response.json = {"exited": False}
    elif request.full and request.own and request.pid in polled:
        response.become(200, {"exited": False})


@trips("START-27")
def a_start_forgets_the_results_before_it(request: Request, response: Response) -> None:
    """Only the result of the command that was started last is kept."""
    if response.is_started:
        request.memory["last"] = str(response.json["pid"])
    elif response.is_output and response.json["exited"] and request.pid != request.memory.get("last", request.pid):
        refuse(request, response, 404, "not_found", "Not found")


@trips("START-27")
def large_output_evicts_what_is_kept(request: Request, response: Response) -> None:
    """Where the output of a megabyte is kept, nothing has room that was started before."""
    if response.is_started:
        started = request.memory.setdefault("kept", [])
        started.append(str(response.json["pid"]))
        if b"hostup-megabyte-" in request.body:
            request.memory["evicted"] = set(started[:-1])
    elif response.is_output and response.json["exited"] and request.pid in request.memory.get("evicted", ()):
        refuse(request, response, 404, "not_found", "Not found")


@trips("START-27")
def a_gateway_keeps_404s(request: Request, response: Response) -> None:
    """A gateway keeps the 404 of one poll for the next fifty requests for the path, whatever their query."""
    if request.method == "GET" and request.full and request.own and request.pid:
        at, body = request.memory.get("kept 404", (-99, b""))
        if request.nth("path") - at < 50:
            response.become(404, body, "application/problem+json")
        elif response.status == 404:
            request.memory["kept 404"] = request.nth("path"), response.body


@trips("START-05")
def one_of_two_nodes_has_no_output(request: Request, response: Response) -> None:
    """The output lies on the disk of one node: the other says that the command has ended, and printed nothing."""
    if response.is_output and response.json["exited"] and request.nth("node") % 2:
        response.change(stdout="", stderr="")


@trips("START-27")
def results_are_kept_for_a_moment(request: Request, response: Response) -> None:
    """A result is thrown away a tenth of a second after the start."""
    starts = request.memory.setdefault("starts at", {})
    if response.is_started:
        starts[str(response.json["pid"])] = time.monotonic()
    if response.is_output and response.json["exited"] and time.monotonic() - starts.get(request.pid, inf) > 0.1:
        refuse(request, response, 404, "not_found", "Not found")


@trips("START-01")
def starts_are_a_502_now_and_then(request: Request, response: Response) -> None:
    """Each ninth start gets a page in HTML with 502, and its command runs."""
    if response.is_started and request.nth("starts") % 9 == 8:
        response.become(502, b"<h1>502 Bad Gateway</h1>", "text/html")


@trips("START-27")
def every_end_is_a_500(request: Request, response: Response) -> None:
    """The poll that should report the end of a command that printed something gets 500."""
    if ended(request, response) and response.json["stdout"]:
        refuse(request, response, 500, "internal_error", "Internal server error")


@trips("START-31")
def pids_have_60_bits(request: Request, response: Response) -> None:
    """The pids of started commands, but for the first, are larger than a double can hold exactly."""
    if response.is_started and request.nth("starts") == 1:
        request.mock.agent.pids = count(2**59 + 1)


@trips("HTTP-01", starts=True, hangs=True)
def starts_wait_for_a_minute(request: Request, response: Response) -> None:
    """The response to the start of a command comes when it has ended, which one does after a minute."""
    if response.is_started and b"sleep 60" in request.body:
        response.pause = 60


@trips("START-27")
def a_gateway_adds_a_member_again(_request: Request, response: Response) -> None:
    """Command output has exited twice, and the second is always false."""
    if response.is_output:
        response.body = response.body[:-1] + b',"exited":false}'


@trips("START-27")
def long_output_is_too_long_for_the_gateway(request: Request, response: Response) -> None:
    """A poll that should get more than 200,000 characters of output gets 502, however often it is sent."""
    too_long = request.memory.setdefault("too long", set())
    if response.is_output and len(response.body) > 200_000:
        too_long.add(request.pid)
    if request.full and request.own and request.pid in too_long:
        response.become(502, b"<h1>502 Bad Gateway</h1>", "text/html")


@trips("START-26")
def what_is_no_utf_8_is_an_unexpected_error(request: Request, response: Response) -> None:
    """A body that is not UTF-8 gets the documented 500."""
    if request.method == "POST" and request.body.startswith(b"\xff"):
        refuse(request, response, 500, "internal_error", "Internal server error")


@trips("PID-09")
def plain_text_is_a_500(request: Request, response: Response) -> None:
    """A body that is plain text gets 500."""
    if request.method == "POST" and request.body.startswith((b"echo", b": hostup")):
        refuse(request, response, 500, "internal_error", "Internal server error")


@trips("PID-09")
def nothing_is_an_empty_command(request: Request, response: Response) -> None:
    """A POST without a body starts an empty command."""
    if request.method == "POST" and not request.body and request.full and request.own:
        start_instead(request, response)


@trips("POLL-10", starts=True)
def ended_commands_have_no_output(request: Request, response: Response) -> None:
    """A command whose end was reported is said to have ended again, without output and with exit code 0."""
    over = request.memory.setdefault("over", set())
    if response.is_output and response.json["exited"]:
        over.add(request.pid)
    elif request.full and request.pid in over and response.status == 404 and request.method == "GET":
        response.become(200, {"exited": True, "exitCode": 0, "stdout": "", "stderr": ""})


@trips("START-05")
def output_comes_late(request: Request, response: Response) -> None:
    """The first poll that reports an end has no output, which only the next one has."""
    late = request.memory.setdefault("late", {})
    if response.is_output and response.json["exited"]:
        late[request.pid] = response.json
        response.change(stdout="", stderr="")
    elif request.full and request.method == "GET" and response.status == 404 and request.pid in late:
        response.become(200, late[request.pid])


@trips("START-28")
def input_stays_open(request: Request, response: Response) -> None:
    """The standard input of a command stays open, so that a command that reads it waits for ever."""
    command = command_of(request, response)
    if command and command.name == "input":
        request.memory["waits"] = request.pid
    if request.full and request.pid and request.pid == request.memory.get("waits"):
        response.become(200, {"exited": False})


@trips("START-12")
def output_is_cut_at_half_a_mebibyte(request: Request, response: Response) -> None:
    """Only 512 KiB of a stream are kept."""
    if ended(request, response):
        response.change(stdout=response.json["stdout"][: 1 << 19])


def end_the_sleep(request: Request, response: Response, code: int | None) -> None:
    """Say after two polls that the command which runs on has ended, with an exit code."""
    if response.is_started and b"sleep 60" in request.body:
        request.memory["sleep"] = str(response.json["pid"])
    if response.is_output and request.pid == request.memory.get("sleep") and request.nth("polls of sleep") > 2:
        response.json = {"exited": True, "exitCode": code, "stdout": "", "stderr": ""}


@trips("POLL-06", starts=True)
def commands_are_killed_after_a_while(request: Request, response: Response) -> None:
    """A command that takes long is killed, and its exit code is that of a shell for a signal."""
    end_the_sleep(request, response, 137)


@trips("START-20")
def output_ends_at_a_nul(request: Request, response: Response) -> None:
    """Output is cut at its first NUL."""
    if ended(request, response):
        response.change(stdout=response.json["stdout"].partition("\0")[0])


@trips("START-16")
def commands_run_when_they_are_polled(request: Request, response: Response) -> None:
    """A command is run at its first poll."""
    if ended(request, response, "trace"):
        response.change(stdout=response.json["stdout"].replace("once 1", "once 0"))


@trips("POLL-05", starts=True)
def only_twenty_commands_are_known(request: Request, response: Response) -> None:
    """A command that runs is forgotten when twenty others have been started."""
    started = request.memory.setdefault("started", [])
    if response.is_started:
        started.append((str(response.json["pid"]), b"sleep 60" in request.body))
    if response.is_output and any(pid == request.pid and runs for pid, runs in started[:-20]):
        refuse(request, response, 404, "not_found", "Not found")


@trips("START-27")
def what_nobody_polls_is_forgotten(request: Request, response: Response) -> None:
    """The result of a command is kept for a third of a second."""
    if ended(request, response) and time.monotonic() - request.memory["commands"][request.pid][1] > 0.33:
        refuse(request, response, 404, "not_found", "Not found")


@trips("START-29")
def options_is_taken_for_a_start(request: Request, response: Response) -> None:
    """OPTIONS with a command runs it."""
    if request.method == "OPTIONS" and request.body:
        response.become(204)
    leave_a_trace(request, response, request.body.decode() if request.method == "OPTIONS" else "")


@trips("START-29")
def get_with_a_command_runs_it(request: Request, response: Response) -> None:
    """GET with a command in its query runs it, and responds as to a probe."""
    leave_a_trace(request, response, unquote(request.query) if request.method == "GET" else "")


@trips("START-29")
def put_starts_a_command(request: Request, response: Response) -> None:
    """PUT is served as POST is, and runs the command."""
    if request.method == "PUT" and request.body:
        response.become(200, {"pid": 4243})
    leave_a_trace(request, response, request.body.decode() if request.method == "PUT" else "")


@trips("START-30")
def options_uses_the_output_up(request: Request, response: Response) -> None:
    """OPTIONS of a poll asks the agent, which then forgets the command."""
    gone = request.memory.setdefault("gone", set())
    if request.method == "OPTIONS" and request.pid:
        gone.add(request.pid)
        response.become(204)
    if response.is_output and response.json["exited"] and request.pid in gone:
        refuse(request, response, 404, "not_found", "Not found")


@trips("START-30")
def head_uses_the_output_up(request: Request, response: Response) -> None:
    """HEAD of a poll is served as its GET is, and the agent then forgets the command."""
    gone = request.memory.setdefault("gone", set())
    if response.is_output and response.json["exited"] and request.pid in gone:
        refuse(request, response, 404, "not_found", "Not found")
    if request.method == "HEAD" and request.pid and response.status == 200:
        gone.add(request.pid)


@trips("START-30")
def any_method_uses_the_output_up(request: Request, response: Response) -> None:
    """HEAD and OPTIONS of a poll are served as its GET is, as by a handler that does not look at the method."""
    head_uses_the_output_up(request, response)
    options_uses_the_output_up(request, response)


@trips("START-14")
def whatever_is_on_stderr_is_a_failure(request: Request, response: Response) -> None:
    """A command that writes to standard error and ends well has exitCode 1."""
    if ended(request, response) and response.json.get("stderr") and response.json.get("exitCode") == 0:
        response.change(exitCode=1)


@trips("START-16")
def each_poll_after_the_end_runs_it_again(request: Request, response: Response) -> None:
    """A poll of a command whose end was told runs the command again."""
    kept = request.memory.setdefault("kept", {})
    if ended(request, response, "again"):
        response.change(stdout=str(int(response.json["stdout"]) + request.memory.get("more", 0)))
        kept.setdefault(request.pid, response.json)
    elif request.full and request.pid in kept and request.method == "GET" and response.status == 404:
        request.memory["more"] = request.memory.get("more", 0) + 1
        response.become(200, kept[request.pid])


@trips("START-22", starts=True)
def exited_is_true_of_all(_request: Request, response: Response) -> None:
    """Any command is said to have ended with 0, as where the text "false" is read as a boolean."""
    if response.is_output and not response.json["exited"]:
        response.change(exited=True, exitCode=0)


@trips("START-05")
def a_head_takes_the_output(request: Request, response: Response) -> None:
    """HEAD of a poll is served as its GET is, and takes the output away."""
    if request.method == "HEAD" and request.full and request.pid and response.status == 200:
        request.memory.setdefault("taken", set()).add(request.pid)
    elif ended(request, response) and request.pid in request.memory.get("taken", ()):
        response.change(stdout="", stderr="")


@trips("START-22")
def a_start_ends_the_command_before(request: Request, response: Response) -> None:
    """A start kills the command that runs, and its exit code is that of a shell for the signal."""
    killed = request.memory.setdefault("killed", set())
    if response.is_started and request.memory.get("started"):
        killed.add(request.memory["started"])
    if response.is_started:
        request.memory["started"] = str(response.json["pid"])
    if ended(request, response) and request.pid in killed:
        response.change(stdout="", stderr="", exitCode=137)


@trips("START-22")
def commands_end_with_their_request(request: Request, response: Response) -> None:
    """A command is killed when its start has got its response, unless it is quick, and has no exit code."""
    if response.is_output and (not response.json["exited"] or int(request.pid or 0) % 2):
        response.change(exited=True, stdout=response.json.get("stdout", "")[:4], stderr="", exitCode=None)


@trips("START-19")
def an_outer_shell_expands_variables(request: Request, response: Response) -> None:
    """A command is put between double quotes for another shell, which expands its variables."""
    if ended(request, response, "verbatim"):
        response.change(stdout=response.json["stdout"].replace("$HOME", "/var/lib/hostup-agent").replace("`x`", ""))
    if ended(request, response, "six_kilobytes", "letters", "megabyte", "shared"):
        response.change(stdout="", stderr="sh: 1: [: -lt: unexpected operator\n", exitCode=0)


@trips("START-07")
def output_is_ascii_alone(_request: Request, response: Response) -> None:
    """Characters outside ASCII are dropped from the output."""
    if response.is_output and response.json.get("stdout"):
        response.change(stdout=response.json["stdout"].encode("ascii", "ignore").decode())


@trips("START-07")
def output_ends_before_an_emoji(_request: Request, response: Response) -> None:
    """Output ends before the first character above U+FFFF, as in a column of a database whose utf8 has three bytes."""
    if response.is_output and response.json.get("stdout"):
        response.change(stdout=re.split("[\U00010000-\U0010ffff]", response.json["stdout"])[0])


@trips("START-05")
def chunks_are_out_of_order(request: Request, response: Response) -> None:
    """What a command writes later stands before what it has written earlier."""
    if ended(request, response, "slow", "shared"):
        half = len(response.json["stdout"]) // 2
        response.change(stdout=response.json["stdout"][half:] + response.json["stdout"][:half])


@trips("START-27")
def limited_polls_use_the_output_up(request: Request, response: Response) -> None:
    """The rate is limited after a poll has been carried out, so the output that it would have returned is lost."""
    if ended(request, response, "number"):
        refuse(request, response, 429, "rate_limited", "Rate limited")
        reset = datetime.now(UTC).isoformat()
        limit = ("X-RateLimit-Limit", "120"), ("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", reset)
        response.headers += [("Retry-After", "0"), *limit]


@trips("START-08")
def exit_codes_are_text(_request: Request, response: Response) -> None:
    """exitCode is a string."""
    if response.is_output and response.json.get("exitCode") is not None:
        response.change(exitCode=str(response.json["exitCode"]))


@trips("START-05")
def unfinished_lines_are_lost(_request: Request, response: Response) -> None:
    """Output is read line by line, and what follows the last line end is lost."""
    if response.is_output and response.json["exited"]:
        lines = {name: response.json.get(name) or "" for name in ("stdout", "stderr")}
        response.change(**{name: text[: text.rfind("\n") + 1] for name, text in lines.items()})


def give_what_came_before(request: Request, response: Response) -> None:
    """Keep a body, and send the one that was kept last."""
    before = request.memory.get("before", response.json)
    request.memory["before"] = response.json
    response.json = before


@trips("START-05")
def results_go_to_the_next_command(request: Request, response: Response) -> None:
    """Each poll that reports an end has the output of the command whose end was polled before."""
    if ended(request, response):
        give_what_came_before(request, response)


@trips("START-05")
def pids_are_one_off(request: Request, response: Response) -> None:
    """A start returns a pid that is one too small, such as that of the start before."""
    if response.is_started:
        pid = response.json["pid"] - 1
        response.json = {"pid": pid, "pollUrl": f"{request.path}?pid={pid}"}


@trips("START-05")
def starts_give_the_pid_before(request: Request, response: Response) -> None:
    """A start returns what the start before it was to get, and pids are not given in order."""
    if response.is_started:
        request.mock.agent.pids = count(response.json["pid"] + 7)
        give_what_came_before(request, response)


@trips("START-05")
def pids_are_not_looked_at(request: Request, response: Response) -> None:
    """A poll gets the output of the command that was started last."""
    if response.is_started:
        known, text = recognized(json.loads(request.body)["command"]), json.loads(request.body)["command"]
        printed = known.stdout.decode(errors="replace") if known else text.removeprefix("echo ") + "\n"
        request.memory["last"] = printed
    if response.is_output and response.json["exited"] and "last" in request.memory:
        response.change(stdout=request.memory["last"])


@trips("START-05")
def replies_are_one_poll_late(request: Request, response: Response) -> None:
    """A connection behind the server is one reply late: each poll gets what the poll before it was to get."""
    if response.is_output and request.full:
        before = request.memory.get("reply", response.json)
        request.memory["reply"] = response.json
        response.json = before


@trips("START-05")
def buffers_are_shared(request: Request, response: Response) -> None:
    """The output of some commands is followed by that of a command that ran at the same time."""
    if ended(request, response, "streams"):
        request.memory["shared"] = response.json["stdout"]
    elif ended(request, response, "number", "lines", "exit_1"):
        response.change(stdout=response.json["stdout"] + request.memory.get("shared", ""))


@trips("START-05")
def polls_take_what_they_return(request: Request, response: Response) -> None:
    """A poll of a command that runs returns its output so far, and the last one only the rest."""
    command = command_of(request, response)
    if command and command.name == "slow":
        so_far = {"stdout": "begun"} if not response.json["exited"] and request.nth("polls") == 1 else {"stdout": ""}
        response.change(**(so_far if not response.json["exited"] else {"stdout": "ended"}))


@trips("START-13")
def output_is_a_replacement(_request: Request, response: Response) -> None:
    """Output is put into a template by a replacement, in which $& and $$ stand for something else."""
    if response.is_output and isinstance(response.json.get("stdout"), str):
        response.change(stdout=response.json["stdout"].replace("$&", "{{stdout}}").replace("$$", "$"))


@trips("START-05")
def output_that_is_an_object_is_read(_request: Request, response: Response) -> None:
    """Where output is a JSON object, stdout is that object."""
    if response.is_output and str(response.json.get("stdout")).startswith("{"):
        response.change(stdout=json.loads(response.json["stdout"]))


@trips("START-13")
def a_gateway_replaces_addresses(_request: Request, response: Response) -> None:
    """A gateway makes its own address of that of the server behind it, in all it passes on."""
    if response.is_output:
        response.body = response.body.replace(b"http://127.0.0.1:8080", b"https://cloud.hostup.se")


@trips("START-11")
def an_empty_stderr_is_the_one_before(request: Request, response: Response) -> None:
    """Where a command writes nothing to standard error, stderr is that of the command before."""
    if ended(request, response):
        last = request.memory.get("stderr", "")
        request.memory["stderr"] = response.json["stderr"] or last
        response.change(stderr=response.json["stderr"] or last)


@trips("START-13")
def secrets_are_masked(_request: Request, response: Response) -> None:
    """A filter masks passwords and card numbers in the output."""
    if response.is_output and response.json.get("stdout"):
        response.change(stdout=re.sub(r"(password=)\S+|\b\d{13,16}\b", r"\1***", response.json["stdout"]))


@trips("START-13")
def backslashes_are_read_on_the_way_out(_request: Request, response: Response) -> None:
    """What follows a backslash in the output is taken for an escape."""
    if response.is_output and response.json.get("stdout"):
        read = {"n": "\n", "\\": "\\"}
        response.change(stdout=re.sub(r"\\([n\\])", lambda found: read[found[1]], response.json["stdout"]))


@trips("START-07")
def lines_are_broken_after_80_characters(_request: Request, response: Response) -> None:
    """Output is that of a terminal with 80 columns."""
    if response.is_output and response.json.get("stdout"):
        response.change(stdout=re.sub(r"(.{80})(?=.)", r"\1\n", response.json["stdout"]))


def printed_if_cut(known: Command, limit: int) -> str:
    """Return what comes of a command of which only so many characters run: of the longest ones, the rest of a text."""
    text = known.stdout.decode()
    return text[: len(text) - len(known.text) + limit] if known.name.startswith("longest") else ""


@trips("START-19")
def commands_are_cut_at_1000_characters(request: Request, response: Response) -> None:
    """Only the first thousand characters of a command run."""
    known = command_of(request, response)
    if known and response.json["exited"] and len(known.text) > 1000:
        response.change(stdout=printed_if_cut(known, 1000))


@trips("START-19")
def commands_are_cut_at_64_characters(request: Request, response: Response) -> None:
    """Only the first 64 characters of a command run, which for most ends within quotation marks."""
    known = command_of(request, response)
    if known and response.json["exited"] and len(known.text) > 64 and known.name != "unknown_program":
        printed = printed_if_cut(known, 64)
        response.change(stdout=printed, stderr="" if printed else "sh: Syntax error\n", exitCode=0 if printed else 2)


@trips("START-22")
def commands_are_ended_and_succeed(request: Request, response: Response) -> None:
    """A command that takes long is ended after a while, and said to have succeeded."""
    end_the_sleep(request, response, 0)


@trips("START-22")
def commands_are_ended_without_a_code(request: Request, response: Response) -> None:
    """A command that takes long is said to have ended after a while, with no exit code."""
    end_the_sleep(request, response, None)


@trips("START-22")
def a_start_ends_all_commands(request: Request, response: Response) -> None:
    """A start kills the commands that run, and they have no exit code."""
    running = request.memory.setdefault("running", set())
    if response.is_started:
        request.memory.setdefault("killed", set()).update(running)
        running.clear()
        if b"sleep " in request.body:
            running.add(str(response.json["pid"]))
    if response.is_output and request.pid in request.memory.get("killed", ()):
        response.json = {"exited": True, "exitCode": None, "stdout": "", "stderr": ""}


@trips("PID-04", starts=True)
def an_unknown_pid_gets_the_last_output(request: Request, response: Response) -> None:
    """A pid that no command has gets the output of the command that ended last."""
    known = request.memory.setdefault("known", set())
    if response.is_started:
        known.add(str(response.json["pid"]))
    if response.is_output and response.json["exited"]:
        request.memory["last"] = response.json
    forgotten = not request.pid or request.pid in known  # which it stays
    if request.full and request.own and response.status == 404 and not forgotten:
        response.become(200, request.memory.get("last", {"exited": True, "exitCode": 0, "stdout": "0", "stderr": ""}))


@trips("HTTP-01", starts=True, hangs=True)
def a_command_blocks_the_server(request: Request, response: Response) -> None:
    """While a command runs, nothing gets a response, and one runs for a minute."""
    if "blocked" in request.memory:
        response.pause = 60
    if response.is_started and b"sleep 60" in request.body:
        request.memory["blocked"] = True


@trips("START-19")
def words_are_replaced(request: Request, response: Response) -> None:
    """A filter replaces the word kill in commands."""
    if ended(request, response, "killed"):
        response.change(stdout="before:after:true", exitCode=0)


@trips("START-19")
def special_characters_are_escaped(request: Request, response: Response) -> None:
    """A backslash is put before what a shell expands, or ends a command at: the first program gets it all."""
    known = command_of(request, response)
    if known and response.json["exited"]:
        response.change(stdout="", stderr="", exitCode=0)
    elif response.is_output and printed_anywhere(f"echo {response.json.get('stdout')}"):
        begun, *_ = response.json["stdout"].partition("-42-")
        response.change(stdout=f"{begun}-$((6*7))-%OS%-$PSHOME-\\$@\n")


@trips("START-19")
def quotes_end_commands(request: Request, response: Response) -> None:
    """A command is put between single quotes for another shell, so that its own end it."""
    known = command_of(request, response)
    if known and response.json["exited"] and "'" in known.text:
        response.change(stdout="", stderr="sh: 1: Syntax error: Unterminated quoted string\n", exitCode=2)


@trips("START-22")
def closed_output_is_an_end(request: Request, response: Response) -> None:
    """The end of its output is taken for that of a command."""
    known = command_of(request, response)
    if known and known.name == "closed" and not response.json["exited"]:
        response.json = {"exited": True, "exitCode": None, "stdout": "open", "stderr": ""}


@trips("START-22")
def closed_output_is_a_success(request: Request, response: Response) -> None:
    """The end of its output is taken for that of a command, with 0 until its exit code is known."""
    known = command_of(request, response)
    if known and known.name == "closed" and not response.json["exited"]:
        response.json = {"exited": True, "exitCode": 0, "stdout": "open", "stderr": ""}
    elif known and known.name in {"exit_255", "killed"} and response.json["exited"]:
        response.change(exitCode=0)


@trips("START-22")
def silence_is_an_end(request: Request, response: Response) -> None:
    """A command that prints nothing for a moment is said to have ended."""
    silent = request.memory.setdefault("silent", {})
    if response.is_started and b"sleep" in request.body and b"hostup-steady-" not in request.body:
        silent[str(response.json["pid"])] = time.monotonic()
    began = silent.get(request.pid, inf) if response.is_output and not response.json["exited"] else inf
    if time.monotonic() - began > 0.15:
        response.json = {"exited": True, "exitCode": None, "stdout": "", "stderr": ""}


@trips("START-22")
def the_third_poll_ends_a_command(request: Request, response: Response) -> None:
    """A command that runs is ended when it is polled for the third time."""
    polled = request.memory.setdefault("polled", {})
    if response.is_output and not response.json["exited"]:
        polled[request.pid] = polled.get(request.pid, 0) + 1
    if response.is_output and not response.json["exited"] and polled[request.pid] > 2:
        response.json = {"exited": True, "exitCode": 137, "stdout": "", "stderr": ""}


@trips("START-22")
def the_first_poll_ends_a_command(request: Request, response: Response) -> None:
    """A command that runs is ended by its first poll."""
    polled = request.memory.setdefault("polled", {})
    now = time.monotonic()
    if response.is_output and not response.json["exited"] and now - polled.setdefault(request.pid, now) > 0.02:
        response.json = {"exited": True, "exitCode": 137, "stdout": "", "stderr": ""}


@trips("START-22")
def output_is_an_end(request: Request, response: Response) -> None:
    """A command that has printed something is said to have ended."""
    known = command_of(request, response)
    if known and known.stdout and not response.json["exited"]:
        response.json = {"exited": True, "exitCode": None, "stdout": known.stdout.decode()[:4], "stderr": ""}


@trips("START-12")
def only_the_last_lines_are_kept(request: Request, response: Response) -> None:
    """Of the output, only the last thousand lines are returned."""
    if ended(request, response):
        response.change(stdout="".join(response.json["stdout"].splitlines(keepends=True)[-1000:]))


@trips("START-11")
def errors_are_cut_at_64_kib(request: Request, response: Response) -> None:
    """Of what is written to standard error, 64 KiB are kept."""
    if ended(request, response):
        response.change(stderr=response.json["stderr"][:65536])


@trips("START-05")
def each_poll_adds_the_output_again(request: Request, response: Response) -> None:
    """Each poll of a command that runs makes its output come once more."""
    known = command_of(request, response)
    polls = request.memory.setdefault("polls", {})
    if known and known.name == "slow":
        polls[request.pid] = polls.get(request.pid, 0) + 1
    if ended(request, response, "slow"):
        response.change(stdout=response.json["stdout"] * polls[request.pid])


@trips("START-05")
def output_has_frames(_request: Request, response: Response) -> None:
    """Output is returned as it comes from Docker, with a header before each piece."""
    for number, name in enumerate(("stdout", "stderr"), 1):
        if response.is_output and (text := response.json.get(name)):
            size = len(text.encode()).to_bytes(4, "big").decode("utf-8", "replace")
            response.change(**{name: f"{chr(number)}\0\0\0{size}{text}"})


@trips("START-05")
def a_banner_comes_first(_request: Request, response: Response) -> None:
    """The shell is one for a login, and greets."""
    if response.is_output and response.json["exited"]:
        response.change(stdout=f"Last login: today\n{response.json['stdout']}")


@trips("START-27")
def a_probe_forgets_what_has_ended(request: Request, response: Response) -> None:
    """A probe of the availability throws the results away that nobody has polled yet."""
    forget_what_has_ended(request, response, when=response.is_availability and request.own)


@trips("START-27")
def a_poll_takes_all_that_has_ended(request: Request, response: Response) -> None:
    """A poll that tells the end of one command takes the results of all others away that have ended."""
    told = response.is_output and response.json["exited"] and request.full
    forget_what_has_ended(request, response, when=told, own=request.pid)


def forget_what_has_ended(request: Request, response: Response, *, when: bool, own: str | None = None) -> None:
    """Answer polls of what had ended by the time of a request with 404, but for those of its own command."""
    ends, gone = request.memory.setdefault("ends", {}), request.memory.setdefault("gone", set())
    if response.is_started:
        text = json.loads(request.body)["command"]
        known = recognized(text)
        lasts = 60 if text == "sleep 60" else known.seconds if known else 0.0
        ends[str(response.json["pid"])] = time.monotonic() + lasts
    if response.is_output and response.json["exited"] and request.pid in gone:
        refuse(request, response, 404, "not_found", "Not found")
    elif when:
        gone |= {pid for pid, end in ends.items() if end <= time.monotonic() and pid != own}


@trips("START-27")
def an_end_is_noticed_by_the_next_start(request: Request, response: Response) -> None:
    """The end of a command is told once another one has been started."""
    started, ends = request.memory.setdefault("started", []), request.memory.setdefault("ends", {})
    if response.is_started:
        started.append(str(response.json["pid"]))
    if response.is_output and response.json["exited"]:
        ends[request.pid] = response.json
    if request.full and request.own and request.method == "GET" and request.pid in ends:
        response.become(200, ends[request.pid] if started[-1:] != [request.pid] else {"exited": False})


@trips("START-27")
def code_255_is_a_502(request: Request, response: Response) -> None:
    """An exit code of 255 is taken for a lost connection to the guest."""
    lost = request.memory.setdefault("lost", set())
    if ended(request, response) and response.json["exitCode"] == 255:
        lost.add(request.pid)
    if request.full and request.own and request.method == "GET" and request.pid in lost:
        refuse(request, response, 502, "upstream_unavailable", "Upstream unavailable")


@trips("START-01")
def lasting_starts_are_a_504(request: Request, response: Response) -> None:
    """A start waits for the end of its command, and a gateway does not wait so long."""
    if response.is_started and b"sleep " in request.body and b"hostup-once-" not in request.body:
        response.become(504, b"<h1>504 Gateway Time-out</h1>", "text/html")


@trips("POLL-05", starts=True)
def polls_of_what_runs_are_a_504(_request: Request, response: Response) -> None:
    """A poll waits for the end of its command, and a gateway does not wait so long."""
    if response.is_output and not response.json["exited"]:
        response.become(504, b"<h1>504 Gateway Time-out</h1>", "text/html")


@trips("HTTP-03", starts=True)
def a_notice_comes_before_the_json(_request: Request, response: Response) -> None:
    """Where a command writes nothing to standard error, an interpreter's notice stands before the body."""
    if response.is_output and response.json.get("stderr") == "":
        response.body = b"Notice: Undefined variable $stderr\n" + response.body


@trips("START-01")
def starts_are_redirected(request: Request, response: Response) -> None:
    """Each POST is sent to another name of the server, and loses its command on the way."""
    if request.method == "POST":
        response.become(301)
        response.header("Location", f"http://other.example{request.path}")


@trips("START-27")
def silent_commands_never_end(request: Request, response: Response) -> None:
    """An end is noticed when something has been written, which some commands never do."""
    silent = request.memory.setdefault("silent", set())
    if ended(request, response, "nothing", "unknown_program"):
        silent.add(request.pid)
    if request.full and request.own and request.pid in silent:
        response.become(200, {"exited": False, "exitCode": None, "stdout": "", "stderr": ""})


@trips("START-27", starts=True)
def a_gateway_gives_up_large_outputs(_request: Request, response: Response) -> None:
    """A gateway has no room for more than 4 KiB, and the output is gone."""
    if response.is_output and len(response.body) > 4096:
        response.become(502, b"<html><h1>502 Bad Gateway</h1></html>", "text/html")


@trips("START-01")
def a_gateway_loses_the_body(request: Request, response: Response) -> None:
    """A start arrives without its body."""
    if request.method == "POST" and response.is_started:
        refuse(request, response, 400, "invalid_request", "Invalid request")
        response.change(errors=[{"pointer": "/command", "detail": "no", "code": "invalid_request"}])


@trips("START-27")
def failing_commands_are_a_500(request: Request, response: Response) -> None:
    """What fails is taken for a failure of the server."""
    if ended(request, response) and response.json.get("exitCode"):
        refuse(request, response, 500, "internal_error", "Internal server error")


@trips("START-01", starts=True)
def quotes_in_a_command_are_a_500(request: Request, response: Response) -> None:
    """A command with a single quote cannot be written to the data base."""
    if response.is_started and b"'" in request.body:
        refuse(request, response, 500, "internal_error", "Internal server error")


@trips("HTTP-01", starts=True)
def large_output_ends_the_connection(_request: Request, response: Response) -> None:
    """Of a body of more than 64 KiB, the first 64 KiB are sent."""
    if response.is_output and len(response.body) > 1 << 16:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(response.body)}\r\n\r\n"
        response.raw = [head.encode() + response.body[: 1 << 16]]


@trips("START-01", starts=True)
def slots_are_not_given_back(request: Request, response: Response) -> None:
    """Twenty commands may run at a time, and one that has ended counts for ever."""
    if response.is_started and request.nth("started") > 20:
        refuse(request, response, 409, "vps_not_ready", "VPS not ready")


@trips("START-01", starts=True)
def three_results_are_kept(request: Request, response: Response) -> None:
    """A start is a 500 while three commands have not been polled to their end."""
    held = request.memory.setdefault("held", set())
    if response.is_started and len(held) >= 3:
        refuse(request, response, 500, "internal_error", "Internal server error")
    elif response.is_started:
        held.add(str(response.json["pid"]))
    if response.is_output and response.json["exited"]:
        held.discard(request.pid)


@trips("START-05")
def output_ends_at_a_line_of_dashes(request: Request, response: Response) -> None:
    """A line of three dashes is taken for the end of the output, as of a part of a message."""
    if ended(request, response, "streams"):
        response.change(stdout=response.json["stdout"].partition("---\n")[0])


@trips("START-13")
def blank_output_is_none(request: Request, response: Response) -> None:
    """Output of white space alone is taken for none."""
    if ended(request, response) and not response.json["stdout"].strip():
        response.change(stdout="")


@trips("START-11")
def errors_are_as_long_as_output(request: Request, response: Response) -> None:
    """Standard error is cut at the length of the output, if there is any."""
    if ended(request, response) and (length := len(response.json["stdout"])):
        response.change(stderr=(response.json["stderr"] or "")[:length])


@trips("START-19")
def control_characters_are_removed_from_commands(request: Request, response: Response) -> None:
    """Control characters other than line ends and tabs are removed from commands."""
    if ended(request, response, "lines"):
        response.change(stdout="".join(letter for letter in response.json["stdout"] if letter.isprintable()))


@trips("START-14")
def a_pipe_fails_with_its_first_command(request: Request, response: Response) -> None:
    """Commands are run with the option pipefail."""
    if ended(request, response, "number"):
        response.change(exitCode=1)


@trips("START-05")
def a_comment_takes_the_closing_brace(request: Request, response: Response) -> None:
    """A command is put between braces in one line, so that one with a comment at its end has no end."""
    if ended(request, response, "number"):
        response.change(stdout="", stderr='sh: 1: Syntax error: end of file unexpected (expecting "}")\n', exitCode=2)


@trips("START-08")
def each_fifth_exit_code_is_null(request: Request, response: Response) -> None:
    """exitCode is null in each fifth poll that reports an end."""
    if ended(request, response) and request.nth("ends") % 5 == 0:
        response.change(exitCode=None)


#: Commands that print the same in every run, each with the one whose results it gets, and the reverse.
EXCHANGED = {"number": "exit_1", "verbatim": "shared", "exit_200": "six_kilobytes"}
EXCHANGED |= {other: name for name, other in EXCHANGED.items()}


@trips("START-05")
def results_of_two_are_exchanged(request: Request, response: Response) -> None:
    """Of two commands that end at once, each gets the output of the other."""
    if ended(request, response, *EXCHANGED) and (command := command_of(request, response)):
        printed = {one.name: one.stdout for one in posix("0", 1.0)}
        response.change(stdout=printed[EXCHANGED[command.name]].decode())


@trips("START-12")
def half_of_long_output_comes_later(request: Request, response: Response) -> None:
    """Only the first half of output above 4000 characters is there in the first poll that reports the end."""
    if ended(request, response) and len(text := response.json["stdout"]) > 4000:
        response.change(stdout=text[: len(text) // 2])


@trips("START-05")
def consoles_repeat_the_command(request: Request, response: Response) -> None:
    """Output is read from a console, which repeats the command before what it prints."""
    texts = request.memory.setdefault("texts", {})
    if response.is_started:
        texts[str(response.json["pid"])] = json.loads(request.body)["command"]
    elif response.is_output and response.json["exited"] and request.pid in texts:
        response.change(stdout=f"{texts[request.pid]}\n{response.json['stdout']}")


@trips("START-28")
def input_is_the_request(request: Request, response: Response) -> None:
    """A command reads the body of the request that started it."""
    if ended(request, response, "input"):
        response.change(stdout='done{"command": ": hostup-input')


@trips("START-05")
def processes_run_out(request: Request, response: Response) -> None:
    """From the twentieth start on, no process can be made, since none that has ended is waited for."""
    late = request.memory.setdefault("late starts", set())
    if response.is_started and request.nth("processes") >= 20:
        late.add(str(response.json["pid"]))
    elif response.is_output and response.json["exited"] and request.pid in late:
        response.change(stdout="", stderr="sh: 0: Cannot fork\n", exitCode=2)


@trips("START-35")
def the_end_is_that_of_the_shell(request: Request, response: Response) -> None:
    """A command has ended as soon as its shell has, with what was written by then."""
    leaving = request.memory.setdefault("leaving", set())
    if response.is_started and left(json.loads(request.body)["command"]):
        leaving.add(str(response.json["pid"]))
    elif response.is_output and request.pid in leaving:
        response.json = {"exited": True, "exitCode": 0, "stdout": "begun", "stderr": ""}


@trips("START-08")
def a_poll_takes_the_exit_code_away(request: Request, response: Response) -> None:
    """A command that was polled while it ran ends without exitCode, since that poll has waited for its process."""
    waited = request.memory.setdefault("waited", set())
    if response.is_output and not response.json["exited"]:
        waited.add(request.pid)
    elif response.is_output and request.pid in waited:
        response.drop("exitCode")
