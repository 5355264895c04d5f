"""Variants of the start of a command."""

from __future__ import annotations

import json
import re
import time

from faults.probe import problem, refuse
from faults.rate import soon
from hostup_conformance.contract.commands import SLEEPLESS, recognized
from stage import Answered, Asked

from variants import allowed


@allowed(starts=True)
def started_without_a_url(_asked: Asked, answered: Answered) -> None:
    """The response to a start has no pollUrl."""
    if answered.is_started:
        answered.drop("pollUrl")


@allowed(starts=True)
def started_with_more(_asked: Asked, answered: Answered) -> None:
    """The response to a start has undocumented members."""
    if answered.is_started:
        answered.change(command="echo", startedAt="2026-04-27T12:34:56Z")


@allowed(starts=True)
def started_without_a_pid(_asked: Asked, answered: Answered) -> None:
    """The response to a start has the pid only in pollUrl."""
    if answered.is_started:
        answered.drop("pid")


@allowed(starts=True)
def started_below_a_prefix(_asked: Asked, answered: Answered) -> None:
    """pollUrl has the prefix of a gateway, and another parameter."""
    if answered.is_started:
        answered.change(pollUrl="/gateway" + answered.json["pollUrl"] + "&wait=1")


@allowed(starts=True)
def starts_elsewhere_are_forbidden(asked: Asked, answered: Answered) -> None:
    """A start on a VPS that is not the caller's gets 403."""
    if asked.method == "POST" and asked.full and answered.status == 404:
        refuse(asked, answered, 403, "forbidden", "Forbidden")


@allowed(starts=True)
def started_runs_for_a_moment(asked: Asked, answered: Answered) -> None:
    """A started command runs for a fifth of a second."""
    memory = asked.memory
    if answered.is_started:
        memory[str(answered.json["pid"])] = (time.monotonic(), None)
    elif asked.full and asked.own and asked.pid in memory and answered.status in {200, 404}:
        began, output = memory[asked.pid]
        output = answered.json if answered.is_output else output
        if time.monotonic() - began < 0.2:
            memory[asked.pid] = (began, output)
            answered.become(200, {"exited": False})
        elif output:
            memory[asked.pid] = (began, None)
            answered.become(200, output)


@allowed(starts=True)
def starts_nothing(asked: Asked, answered: Answered) -> None:
    """There is no POST."""
    if asked.method == "POST":
        answered.become(405, b"Method Not Allowed", "text/plain")
        answered.header("Allow", "GET")


@allowed(starts=True)
def starts_few_at_a_time(asked: Asked, answered: Answered) -> None:
    """A start is refused while too many others run."""
    if answered.is_started and b"sleep" in asked.body:
        refuse(asked, answered, 409, "vps_not_ready", "VPS not ready")


@allowed(starts=True)
def sleeps_not(asked: Asked, answered: Answered) -> None:
    """The guest has no sleep, so that `sleep` ends at once."""
    if answered.is_started and b"sleep 60" in asked.body:
        asked.memory["sleep"] = str(answered.json["pid"])
    if answered.is_output and asked.pid == asked.memory.get("sleep"):
        if asked.nth("polls of sleep") > 1:
            refuse(asked, answered, 404, "not_found", "Not found")
        else:
            answered.json = {"exited": True, "exitCode": 127, "stderr": "sleep: not found"}


@allowed(starts=True)
def what_is_no_json_has_no_errors(asked: Asked, answered: Answered) -> None:
    """A 400 for a body that is not a JSON object has no errors, since there is nothing to point to."""
    if answered.status == 400 and asked.body in {b"[]", b"null", b"{", b"\xff\xfe{", b"[" * 3000}:
        answered.drop("errors")


@allowed(starts=True)
def no_command_sleeps(asked: Asked, answered: Answered) -> None:
    """The guest has a shell but no sleep, so that the command that should take a while ends at once."""
    commands = asked.memory.setdefault("commands", {})
    if answered.is_started:
        commands[str(answered.json["pid"])] = json.loads(asked.body)["command"]
    known = recognized(commands.get(asked.pid, ""))
    if answered.is_output and known and known.name == "slow":
        answered.json = {"exited": True, "exitCode": 0, "stdout": f"begun{SLEEPLESS}ended", "stderr": "done"}


@allowed(starts=True)
def numbers_are_taken_for_text(asked: Asked, answered: Answered) -> None:
    """A command that is a number is started as the text that it is written as."""
    if answered.status == 400 and asked.full and asked.own and asked.body == b'{"command": 5}':
        pid = asked.mock.agent.add_finished("", 127, "5: not found")
        answered.become(200, {"pid": pid, "pollUrl": f"{asked.path}?pid={pid}"})


@allowed(starts=True)
def characters_are_units_of_utf_16(asked: Asked, answered: Answered) -> None:
    """A command is refused whose length is above 4096 as JavaScript, Java and C# count it."""
    if answered.is_started and len(json.loads(asked.body)["command"].encode("utf-16-le")) > 2 * 4096:
        refuse(asked, answered, 400, "invalid_request", "Invalid request")
        answered.change(errors=[{"pointer": "/command", "detail": "It is too long.", "code": "invalid_request"}])


@allowed(starts=True)
def started_with_an_encoded_url(_asked: Asked, answered: Answered) -> None:
    """pollUrl percent-encodes a character of the id that need not be."""
    if answered.is_started:
        answered.change(pollUrl=answered.json["pollUrl"].replace("vps_", "%76ps_", 1))


@allowed(starts=True)
def started_with_members_of_other_shapes(_asked: Asked, answered: Answered) -> None:
    """The response to a start also has the command's state."""
    if answered.is_started:
        answered.change(exited=False, available=True)


def guest(asked: Asked, answered: Answered, shell: str) -> None:
    """Be a guest with another shell, or none: of the suite's commands it runs `echo`, and those for its shell."""
    commands = asked.memory.setdefault("commands", {})
    if answered.is_started:
        commands[str(answered.json["pid"])] = json.loads(asked.body)["command"]
    command = commands.get(asked.pid, "")
    if not (answered.is_output and command):
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
    answered.json = {"exited": True, **end}


@allowed(starts=True)
def guest_has_cmd(asked: Asked, answered: Answered) -> None:
    """The guest is Windows with cmd.exe: lines end with CR LF, and there is no sleep."""
    guest(asked, answered, "cmd")


@allowed(starts=True)
def guest_has_powershell(asked: Asked, answered: Answered) -> None:
    """The guest is Windows with PowerShell."""
    guest(asked, answered, "powershell")


@allowed(starts=True)
def guest_has_no_shell(asked: Asked, answered: Answered) -> None:
    """The guest has no shell: a command is a program with its arguments, and nothing is expanded."""
    guest(asked, answered, "none")


@allowed(starts=True)
def some_commands_are_blocked(asked: Asked, answered: Answered) -> None:
    """A provider's policy forbids rm, kill and redirections."""
    command = json.loads(asked.body)["command"] if answered.is_started else ""
    if any(word in command for word in ("rm -f", "kill", " > ", ">>")):
        refuse(asked, answered, 403, "forbidden", "Forbidden")


@allowed(starts=True)
def blocked_commands_have_a_code(asked: Asked, answered: Answered) -> None:
    """A command that a policy forbids gets 400, with a code of the provider's own."""
    command = json.loads(asked.body)["command"] if answered.is_started else ""
    if any(word in command for word in ("rm -f", "kill")):
        refuse(asked, answered, 400, "command_blocked", "Command blocked")


@allowed(starts=True)
def starts_one_at_a_time(asked: Asked, answered: Answered) -> None:
    """A start gets 409 while another command runs: here every second start does."""
    known = recognized(json.loads(asked.body)["command"]) if answered.is_started else None
    # These would have left their mark already.
    if known and known.name not in {"trace", "once", "again"} and asked.nth("starts") % 2:
        refuse(asked, answered, 409, "command_running", "Command running")


@allowed(starts=True)
def all_commands_are_blocked(asked: Asked, answered: Answered) -> None:
    """A policy forbids all commands on this VPS."""
    if answered.is_started:
        refuse(asked, answered, 403, "forbidden", "Forbidden")


@allowed(starts=True)
def starts_are_limited(asked: Asked, answered: Answered) -> None:
    """Only two commands may be started in a minute."""
    if answered.is_started and asked.nth("starts") > 2:
        answered.become(
            429, problem(asked, 429, "rate_limit_exceeded", "Too many requests"), "application/problem+json"
        )
        answered.headers += [("Retry-After", "60"), ("X-RateLimit-Limit", "2"), ("X-RateLimit-Remaining", "0")]
        answered.header("X-RateLimit-Reset", soon(seconds=60))


@allowed(starts=True)
def long_commands_are_too_large(asked: Asked, answered: Answered) -> None:
    """A command that is too long gets 413."""
    if asked.method == "POST" and answered.status == 400 and len(asked.body) > 4096:
        refuse(asked, answered, 413, "invalid_request", "Invalid request")


@allowed(starts=True)
def chunked_starts_are_of_unknown_length(asked: Asked, answered: Answered) -> None:
    """A front end refuses a chunked start with 411 and a page of its own."""
    if answered.is_started and "transfer-encoding" in asked.headers:
        answered.become(411, b"<html><h1>411 Length Required</h1></html>", "text/html")


@allowed(starts=True, warns={"START-24"})
def chunks_are_another_request(asked: Asked, answered: Answered) -> None:
    """A development server takes the body of a chunked start for empty, and its chunks for another request."""
    if asked.method == "POST" and "transfer-encoding" in asked.headers:
        refuse(asked, answered, 400, "invalid_request", "Invalid request")
        answered.raw = [answered.head() + answered.body + b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"]


@allowed(starts=True)
def firewall_blocks_what_shells_read(asked: Asked, answered: Answered) -> None:
    """A firewall refuses commands with pipes, substitutions or system paths: 403, with a page of its own."""
    if asked.method == "POST" and re.search(rb"/etc/|/bin/|\$\(|`|;|\||&&", asked.body):
        answered.become(403, b"<html><h1>403 Forbidden</h1></html>", "text/html")


@allowed(starts=True)
def large_bodies_are_refused_before_the_server(asked: Asked, answered: Answered) -> None:
    """A front end refuses bodies above 16 KiB, such as 4096 emoji: 413, with a page of its own."""
    if len(asked.body) > 16384:
        answered.become(413, b"<html><h1>413 Request Entity Too Large</h1></html>", "text/html")
