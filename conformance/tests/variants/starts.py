"""Variants of the start of a command."""

import json
import re
import time

from faults.probe import refuse
from faults.rate import limit_starts
from faults.start import ended, guest
from hostup_conformance.contract.commands import NOTED, SLEEPLESS, WRITING, recognized
from stage import Request, Response

from variants import allowed, payload


@allowed(starts=True)
def commands_have_folders_of_their_own(request: Request, response: Response) -> None:
    """What a command leaves in the temporary folder is gone for the next one."""
    if ended(request, response, "trace"):
        response.change(stdout=" once 0 slow 0")
    elif ended(request, response, "again"):
        response.change(stdout="1")


@allowed(starts=True)
def started_without_a_url(_request: Request, response: Response) -> None:
    """The response to a start has no pollUrl."""
    if response.is_started:
        response.drop("pollUrl")


@allowed(starts=True)
def started_with_more(_request: Request, response: Response) -> None:
    """The response to a start has undocumented members."""
    if response.is_started:
        response.change(command="echo", startedAt="2026-04-27T12:34:56Z")


@allowed(starts=True)
def started_without_a_pid(_request: Request, response: Response) -> None:
    """The response to a start has the pid only in pollUrl."""
    if response.is_started:
        response.drop("pid")


@allowed(starts=True)
def started_below_a_prefix(_request: Request, response: Response) -> None:
    """pollUrl has the prefix of a gateway, and another parameter."""
    if response.is_started:
        response.change(pollUrl="/gateway" + response.json["pollUrl"] + "&wait=1")


@allowed(starts=True)
def starts_elsewhere_are_forbidden(request: Request, response: Response) -> None:
    """A start on a VPS that is not the caller's gets 403."""
    if request.method == "POST" and request.full and response.status == 404:
        refuse(request, response, 403, "forbidden", "Forbidden")


@allowed(starts=True)
def started_runs_for_a_moment(request: Request, response: Response) -> None:
    """A started command runs for a fifth of a second."""
    memory = request.memory
    if response.is_started:
        memory[str(response.json["pid"])] = (time.monotonic(), None)
    elif request.full and request.own and request.pid in memory and response.status in {200, 404}:
        began, output = memory[request.pid]
        output = response.json if response.is_output else output
        if time.monotonic() - began < 0.2:
            memory[request.pid] = (began, output)
            response.become(200, {"exited": False})
        elif output:
            memory[request.pid] = (began, None)
            response.become(200, output)


@allowed(starts=True)
def starts_nothing(request: Request, response: Response) -> None:
    """There is no POST."""
    if request.method == "POST":
        response.become(405, b"Method Not Allowed", "text/plain")
        response.header("Allow", "GET")


@allowed(starts=True)
def starts_few_at_a_time(request: Request, response: Response) -> None:
    """A start is refused while too many others run."""
    if response.is_started and b"sleep" in request.body:
        refuse(request, response, 409, "vps_not_ready", "VPS not ready")


@allowed(starts=True)
def sleeps_not(request: Request, response: Response) -> None:
    """The guest has no sleep, so that `sleep` ends at once."""
    if response.is_started and b"sleep 60" in request.body:
        request.memory["sleep"] = str(response.json["pid"])
    if response.is_output and request.pid == request.memory.get("sleep"):
        if request.nth("polls of sleep") > 1:
            refuse(request, response, 404, "not_found", "Not found")
        else:
            response.json = {"exited": True, "exitCode": 127, "stderr": "sleep: not found"}


@allowed(starts=True)
def what_is_no_json_has_no_errors(request: Request, response: Response) -> None:
    """A 400 for a body that is not a JSON object has no errors, since there is nothing to point to."""
    if response.status == 400 and request.body in {b"[]", b"null", b"{", b"\xff\xfe{", b"[" * 3000}:
        response.drop("errors")


@allowed(starts=True)
def no_command_sleeps(request: Request, response: Response) -> None:
    """The guest has a shell but no sleep, so that the command that should take a while ends at once."""
    commands = request.memory.setdefault("commands", {})
    if response.is_started:
        commands[str(response.json["pid"])] = json.loads(request.body)["command"]
    known = recognized(commands.get(request.pid, ""))
    if response.is_output and known and known.name == "slow":
        response.json = {"exited": True, "exitCode": 0, "stdout": f"begun{SLEEPLESS}ended", "stderr": "done"}


@allowed(starts=True)
def numbers_are_taken_for_text(request: Request, response: Response) -> None:
    """A command that is a number is started as the text that it is written as."""
    if response.status == 400 and request.full and request.own and request.body == b'{"command": 5}':
        pid = request.mock.agent.add_finished("", 127, "5: not found")
        response.become(200, {"pid": pid, "pollUrl": f"{request.path}?pid={pid}"})


@allowed(starts=True)
def characters_are_units_of_utf_16(request: Request, response: Response) -> None:
    """A command is refused whose length is above 4096 as JavaScript, Java and C# count it."""
    if response.is_started and len(json.loads(request.body)["command"].encode("utf-16-le")) > 2 * 4096:
        refuse(request, response, 400, "invalid_request", "Invalid request")
        response.change(errors=[{"pointer": "/command", "detail": "It is too long.", "code": "invalid_request"}])


@allowed(starts=True)
def started_with_an_encoded_url(_request: Request, response: Response) -> None:
    """pollUrl percent-encodes a character of the id that need not be."""
    if response.is_started:
        response.change(pollUrl=response.json["pollUrl"].replace("vps_", "%76ps_", 1))


@allowed(starts=True)
def started_with_members_of_other_shapes(_request: Request, response: Response) -> None:
    """The response to a start also has the command's state."""
    if response.is_started:
        response.change(exited=False, available=True)


@allowed(starts=True)
def guest_has_cmd(request: Request, response: Response) -> None:
    """The guest is Windows with cmd.exe: lines end with CR LF, and there is no sleep."""
    guest(request, response, "cmd")


@allowed(starts=True)
def guest_has_powershell(request: Request, response: Response) -> None:
    """The guest is Windows with PowerShell."""
    guest(request, response, "powershell")


@allowed(starts=True)
def some_commands_are_blocked(request: Request, response: Response) -> None:
    """A provider's policy forbids rm, kill and redirections."""
    command = json.loads(request.body)["command"] if response.is_started else ""
    if any(word in command for word in ("rm -f", "kill", " > ", ">>")):
        refuse(request, response, 403, "forbidden", "Forbidden")


@allowed(starts=True)
def blocked_commands_have_a_code(request: Request, response: Response) -> None:
    """A command that a policy forbids gets 400, with a code of the provider's own."""
    command = json.loads(request.body)["command"] if response.is_started else ""
    if any(word in command for word in ("rm -f", "kill")):
        refuse(request, response, 400, "command_blocked", "Command blocked")


@allowed(starts=True)
def starts_one_at_a_time(request: Request, response: Response) -> None:
    """A start gets 409 while another command runs: here every second start does."""
    known = recognized(json.loads(request.body)["command"]) if response.is_started else None
    # These would have left their mark already.
    if known and known.name not in {"trace", *WRITING, *NOTED} and request.nth("starts") % 2:
        refuse(request, response, 409, "command_running", "Command running")


@allowed(starts=True)
def all_commands_are_blocked(request: Request, response: Response) -> None:
    """A policy forbids all commands on this VPS."""
    if response.is_started:
        refuse(request, response, 403, "forbidden", "Forbidden")


@allowed(starts=True)
def starts_are_limited(request: Request, response: Response) -> None:
    """Only two commands may be started in a minute."""
    limit_starts(request, response, most=2, seconds=60)


@allowed(starts=True)
def long_commands_are_too_large(request: Request, response: Response) -> None:
    """A command that is too long gets 413."""
    if request.method == "POST" and response.status == 400 and len(request.body) > 4096:
        refuse(request, response, 413, "invalid_request", "Invalid request")


@allowed(starts=True)
def chunked_starts_are_of_unknown_length(request: Request, response: Response) -> None:
    """A front end refuses a chunked start with 411 and a page of its own."""
    if response.is_started and "transfer-encoding" in request.headers:
        response.become(411, b"<html><h1>411 Length Required</h1></html>", "text/html")


@allowed(starts=True, warns={"START-24"})
def chunks_are_another_request(request: Request, response: Response) -> None:
    """A development server takes the body of a chunked start for empty, and its chunks for another request."""
    if request.method == "POST" and "transfer-encoding" in request.headers:
        refuse(request, response, 400, "invalid_request", "Invalid request")
        response.raw = [response.head() + response.body + b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"]


@allowed(starts=True)
def http_1_0_has_no_chunks(request: Request, response: Response) -> None:
    """A server of HTTP/1.0 takes the body of a chunked start for empty."""
    if request.method == "POST" and "transfer-encoding" in request.headers:
        refuse(request, response, 400, "invalid_request", "Invalid request")
    response.raw = [response.head(None).replace(b"HTTP/1.1", b"HTTP/1.0", 1), payload(request, response)]


@allowed(starts=True)
def firewall_blocks_what_shells_read(request: Request, response: Response) -> None:
    """A firewall refuses commands with pipes, substitutions or system paths: 403, with a page of its own."""
    if request.method == "POST" and re.search(rb"/etc/|/bin/|\$\(|`|;|\||&&", request.body):
        response.become(403, b"<html><h1>403 Forbidden</h1></html>", "text/html")


@allowed(starts=True)
def large_bodies_are_refused_before_the_server(request: Request, response: Response) -> None:
    """A front end refuses bodies above 16 KiB, such as 4096 emoji: 413, with a page of its own."""
    if len(request.body) > 16384:
        response.become(413, b"<html><h1>413 Request Entity Too Large</h1></html>", "text/html")


@allowed(starts=True)
def the_shell_warns_of_its_locale(_request: Request, response: Response) -> None:
    """The guest's shell writes a warning to standard error before each command, as where a locale is missing."""
    if response.is_output and response.json["exited"]:
        warning = "sh: warning: setlocale: LC_ALL: cannot change locale (de_DE.UTF-8)\n"
        response.change(stderr=warning + (response.json.get("stderr") or ""))


@allowed(starts=True)
def odd_bytes_are_in_base64(_request: Request, response: Response) -> None:
    """Output that is not UTF-8 is in base64, and a member says so."""
    if response.is_output and "\ufffd" in (response.json.get("stdout") or ""):
        response.change(stdout="Yf/+AHo=", encoding="base64")


@allowed(starts=True)
def options_is_refused(request: Request, response: Response) -> None:
    """OPTIONS is refused, whatever it is for."""
    if request.method == "OPTIONS":
        response.become(405, b"", "text/plain")
        response.header("Allow", "GET, POST")


@allowed(starts=True, warns={"HTTP-08"})
def what_is_no_utf_8_gets_a_page_of_the_framework(request: Request, response: Response) -> None:
    """What reads the body fails at one that is not UTF-8, before the server's own code is asked, as in Quart."""
    if request.method == "POST" and request.body.startswith(b"\xff"):
        response.become(500, b"<!doctype html><h1>Internal Server Error</h1>", "text/html")


@allowed(starts=True)
def whole_numbers_have_a_fraction(_request: Request, response: Response) -> None:
    """Numbers are written as 4242.0 and 0.0, as some languages have only one kind of them."""
    if response.is_started:
        response.change(pid=float(response.json["pid"]))
    if response.is_output and isinstance(response.json.get("exitCode"), int):
        response.change(exitCode=float(response.json["exitCode"]))
