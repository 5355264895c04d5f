"""Variants of polls and of command output."""

import json
import time

from faults.probe import problem, refuse
from stage import Request, Response

from variants import allowed, invalid, is_ended


@allowed()
def empty_streams_come_and_go(request: Request, response: Response) -> None:
    """Of two instances, one leaves an empty stream out, and a command that has ended can be polled again."""
    if request.full and request.own and request.pid and request.pid != str(request.mock.running_pid):
        output = request.memory.setdefault(request.pid, response.json if is_ended(response) else None)
        if output:
            response.become(200, {name: value for name, value in output.items() if value != "" or request.nth() % 2})


@allowed()
def polls_can_be_repeated(request: Request, response: Response) -> None:
    """Output can be fetched repeatedly."""
    if is_ended(response):
        request.memory[request.pid or ""] = response.json
    elif (
        response.status == 404
        and request.full
        and request.own
        and request.pid in request.memory
        and request.method == "GET"
    ):
        response.become(200, request.memory[request.pid])


@allowed()
def forgotten_is_invalid(request: Request, response: Response) -> None:
    """A pid that was fetched before, or is unknown, gets 400."""
    if response.status == 404 and request.full and request.own and request.pid and request.path.endswith("/exec"):
        invalid(request, response, "/pid")


@allowed()
def named_command_ends_during_the_run(request: Request, response: Response) -> None:
    """The command that ran when the run began fails after a few polls, and is then forgotten."""
    if response.is_output and request.own and response.json["exited"] is False and request.nth("polls") >= 4:
        if request.nth("ends") == 1:
            response.change(exited=True, exitCode=1)
        else:
            refuse(request, response, 404, "not_found", "Not found")


@allowed()
def death_by_signal(_request: Request, response: Response) -> None:
    """A signal ended the command: exited is true and exitCode null."""
    if is_ended(response):
        response.change(exitCode=None, signal=9)


@allowed()
def ended_without_a_code(_request: Request, response: Response) -> None:
    """exited is true, and there are no other members."""
    if is_ended(response):
        response.become(200, {"exited": True})


@allowed()
def negative_exit_code(_request: Request, response: Response) -> None:
    """The exit code is -1073741819, Windows' access violation as a signed number."""
    if is_ended(response):
        response.change(exitCode=-1073741819)


@allowed()
def large_exit_code(_request: Request, response: Response) -> None:
    """The exit code is 4294967295."""
    if is_ended(response):
        response.change(exitCode=4294967295)


@allowed()
def output_of_any_unicode(_request: Request, response: Response) -> None:
    """The output has control characters, characters of several planes and of private use, and a byte order mark,
    unnormalized.
    """
    if is_ended(response):
        characters = "".join(map(chr, [*range(0x20), 0x7F, 0x85, 0xA0, 0x2028, 0xFEFF, 0xFFFD, 0xFFFF, 0xE000]))
        response.change(
            stdout=f"{characters}\U0001f600\U0010ffffe\u0301é\u202eabc", stderr="\\ud83d \x1b[31mred\x1b[0m"
        )


@allowed()
def output_is_a_page(_request: Request, response: Response) -> None:
    """Output is HTML."""
    if is_ended(response):
        response.change(stdout="<!doctype html><script>alert('</script>')</script>", stderr="</body>")


@allowed()
def output_is_a_stack_trace(_request: Request, response: Response) -> None:
    """The output is a stack trace, since the command crashed."""
    if is_ended(response):
        trace = 'Traceback (most recent call last):\n  File "/app/main.py", line 3, in poll\nKeyError: 1'
        response.change(exitCode=1, stderr=trace, stdout="panic: runtime error\ngoroutine 1 [running]:\n")


@allowed()
def output_is_a_problem(_request: Request, response: Response) -> None:
    """The output is, as text, a problem document and command output."""
    if is_ended(response):
        text = json.dumps({"type": "about:blank", "status": 500, "code": "internal_error", "detail": "no"})
        response.change(stdout=text, stderr='{"exited": false, "available": true}')


@allowed()
def large_output(_request: Request, response: Response) -> None:
    """The output has 2 MiB."""
    if is_ended(response):
        response.change(stdout="0123456789abcde\n" * 2**17)


@allowed()
def partial_output(request: Request, response: Response) -> None:
    """A running command shows what it has written so far."""
    if response.is_output and not response.json["exited"]:
        response.change(stdout="line\n" * request.nth("polls"), stderr="")


@allowed(starts=True)
def a_signal_has_no_exit_code(_request: Request, response: Response) -> None:
    """exitCode is absent after death by a signal, and so is an empty stream."""
    if response.is_output and response.json["exited"]:
        response.json = {name: value for name, value in response.json.items() if value not in (None, "")}


@allowed(starts=True)
def a_signal_is_128_and_more(_request: Request, response: Response) -> None:
    """exitCode after death by a signal is 128 plus the number of the signal, as in a shell."""
    if response.is_output and response.json["exited"] and response.json.get("exitCode", 0) is None:
        response.change(exitCode=137)


@allowed()
def ends_are_noticed_late(request: Request, response: Response) -> None:
    """The server asks the agent only now and then: an ended command is said to run for half a second more."""
    if request.full and request.own and request.pid and request.pid != str(request.mock.running_pid):
        output = request.memory.setdefault(
            request.pid, (time.monotonic(), response.json if response.is_output else None)
        )
        if output[1] and time.monotonic() - output[0] < 0.5:
            response.become(200, {"exited": False})
        elif output[1]:
            request.memory[request.pid] = (0.0, None)
            response.become(200, output[1])


@allowed(starts=True)
def output_says_that_it_is_truncated(_request: Request, response: Response) -> None:
    """Only 64 KiB of a stream are kept, and the body says so."""
    if response.is_output and len(response.json.get("stdout", "").encode()) > 65536:
        kept = response.json["stdout"].encode()[:65536].decode(errors="ignore")
        response.change(stdout=kept, stdoutTruncated=True)


@allowed(starts=True)
def ends_are_noticed_after_seconds(request: Request, response: Response) -> None:
    """The server asks the agent every second, so that each command is said to run for up to a second more."""
    output = request.memory.setdefault("output", {})
    if is_ended(response) and request.full:
        output.setdefault(request.pid, (time.monotonic(), response.json))
    began, ended = output.get(request.pid, (0.0, None))
    if ended and request.method == "GET" and request.full and request.own:
        if time.monotonic() - began < 1:
            response.become(200, {"exited": False})
        else:
            response.become(200, ended)
            output[request.pid] = (0.0, None)


@allowed(starts=True, warns={"HTTP-08"})
def polls_are_refused_while_busy(request: Request, response: Response) -> None:
    """Every third poll gets 503, before the agent is asked; the next one gets what that one would have got."""
    kept = request.memory.setdefault("kept", {})
    if request.full and request.own and request.pid in kept and response.status == 404 and request.method == "GET":
        response.become(200, kept.pop(request.pid))
    elif is_ended(response) and request.full and request.nth("ends") % 3 == 0:
        kept[request.pid] = response.json
        response.become(503, problem(request, 503, "upstream_busy", "Busy"), "application/problem+json")
        response.header("Retry-After", "0")


@allowed(starts=True, warns={"HTTP-08"})
def polls_to_be_refused_find_it_busy(request: Request, response: Response) -> None:
    """Every third poll that is to be refused gets 503, and is to be sent again."""
    if request.method == "GET" and request.pid and response.status in {401, 403} and request.nth("refused") % 3 == 0:
        response.become(503, problem(request, 503, "upstream_busy", "Busy"), "application/problem+json")
        response.header("Retry-After", "0")


@allowed(starts=True)
def starts_are_refused_while_busy(request: Request, response: Response) -> None:
    """Every second start gets 503, whatever its body is, and is to be sent again."""
    if request.method == "POST" and request.body and request.full and request.own and request.nth("starts") % 2:
        response.become(503, problem(request, 503, "upstream_busy", "Busy"), "application/problem+json")
        response.header("Retry-After", "0")


@allowed(starts=True, warns={"HTTP-08"})
def a_gateway_loses_one_end(request: Request, response: Response) -> None:
    """The response with the end of one command is lost, and the gateway says 502."""
    if is_ended(response) and request.full and request.nth("ends") == 9:
        response.become(502, b"<h1>502 Bad Gateway</h1>", "text/html")
