"""Variants of polls and of command output."""

from __future__ import annotations

import json
import time

from faults.probe import problem, refuse
from stage import Answered, Asked

from variants import allowed, invalid, is_ended


@allowed()
def empty_streams_come_and_go(asked: Asked, answered: Answered) -> None:
    """Of two instances, one leaves an empty stream out, and a command that has ended can be polled again."""
    if asked.full and asked.own and asked.pid and asked.pid != str(asked.mock.running_pid):
        output = asked.memory.setdefault(asked.pid, answered.json if is_ended(answered) else None)
        if output:
            answered.become(200, {name: value for name, value in output.items() if value != "" or asked.nth() % 2})


@allowed()
def polls_can_be_repeated(asked: Asked, answered: Answered) -> None:
    """Output can be fetched repeatedly."""
    if is_ended(answered):
        asked.memory[asked.pid or ""] = answered.json
    elif answered.status == 404 and asked.full and asked.own and asked.pid in asked.memory and asked.method == "GET":
        answered.become(200, asked.memory[asked.pid])


@allowed()
def forgotten_is_invalid(asked: Asked, answered: Answered) -> None:
    """A pid that was fetched before, or is unknown, gets 400."""
    if answered.status == 404 and asked.full and asked.own and asked.pid and asked.path.endswith("/exec"):
        invalid(asked, answered, "/pid")


@allowed()
def named_command_ends_during_the_run(asked: Asked, answered: Answered) -> None:
    """The command that ran when the run began fails after a few polls, and is then forgotten."""
    if answered.is_output and asked.own and answered.json["exited"] is False and asked.nth("polls") >= 4:
        if asked.nth("ends") == 1:
            answered.change(exited=True, exitCode=1)
        else:
            refuse(asked, answered, 404, "not_found", "Not found")


@allowed()
def death_by_signal(_asked: Asked, answered: Answered) -> None:
    """A signal ended the command: exited is true and exitCode null."""
    if is_ended(answered):
        answered.change(exitCode=None, signal=9)


@allowed()
def ended_without_a_code(_asked: Asked, answered: Answered) -> None:
    """exited is true, and there are no other members."""
    if is_ended(answered):
        answered.become(200, {"exited": True})


@allowed()
def negative_exit_code(_asked: Asked, answered: Answered) -> None:
    """The exit code is -1073741819, Windows' access violation as a signed number."""
    if is_ended(answered):
        answered.change(exitCode=-1073741819)


@allowed()
def large_exit_code(_asked: Asked, answered: Answered) -> None:
    """The exit code is 4294967295."""
    if is_ended(answered):
        answered.change(exitCode=4294967295)


@allowed()
def output_of_any_unicode(_asked: Asked, answered: Answered) -> None:
    """The output has control characters, characters of several planes and of private use, and a byte order mark,
    unnormalized.
    """
    if is_ended(answered):
        characters = "".join(map(chr, [*range(0x20), 0x7F, 0x85, 0xA0, 0x2028, 0xFEFF, 0xFFFD, 0xFFFF, 0xE000]))
        answered.change(
            stdout=f"{characters}\U0001f600\U0010ffffe\u0301é\u202eabc", stderr="\\ud83d \x1b[31mred\x1b[0m"
        )


@allowed()
def output_is_a_page(_asked: Asked, answered: Answered) -> None:
    """Output is HTML."""
    if is_ended(answered):
        answered.change(stdout="<!doctype html><script>alert('</script>')</script>", stderr="</body>")


@allowed()
def output_is_a_stack_trace(_asked: Asked, answered: Answered) -> None:
    """The output is a stack trace, since the command crashed."""
    if is_ended(answered):
        trace = 'Traceback (most recent call last):\n  File "/app/main.py", line 3, in poll\nKeyError: 1'
        answered.change(exitCode=1, stderr=trace, stdout="panic: runtime error\ngoroutine 1 [running]:\n")


@allowed()
def output_is_a_problem(_asked: Asked, answered: Answered) -> None:
    """The output is, as text, a problem document and command output."""
    if is_ended(answered):
        text = json.dumps({"type": "about:blank", "status": 500, "code": "internal_error", "detail": "no"})
        answered.change(stdout=text, stderr='{"exited": false, "available": true}')


@allowed()
def large_output(_asked: Asked, answered: Answered) -> None:
    """The output has 2 MiB."""
    if is_ended(answered):
        answered.change(stdout="0123456789abcde\n" * 2**17)


@allowed()
def partial_output(asked: Asked, answered: Answered) -> None:
    """A running command shows what it has written so far."""
    if answered.is_output and not answered.json["exited"]:
        answered.change(stdout="line\n" * asked.nth("polls"), stderr="")


@allowed(starts=True)
def a_signal_has_no_exit_code(_asked: Asked, answered: Answered) -> None:
    """exitCode is absent after death by a signal, and so is an empty stream."""
    if answered.is_output and answered.json["exited"]:
        answered.json = {name: value for name, value in answered.json.items() if value not in (None, "")}


@allowed(starts=True)
def a_signal_is_128_and_more(_asked: Asked, answered: Answered) -> None:
    """exitCode after death by a signal is 128 plus the number of the signal, as in a shell."""
    if answered.is_output and answered.json["exited"] and answered.json.get("exitCode", 0) is None:
        answered.change(exitCode=137)


@allowed()
def ends_are_noticed_late(asked: Asked, answered: Answered) -> None:
    """The server asks the agent only now and then: an ended command is said to run for half a second more."""
    if asked.full and asked.own and asked.pid and asked.pid != str(asked.mock.running_pid):
        output = asked.memory.setdefault(asked.pid, (time.monotonic(), answered.json if answered.is_output else None))
        if output[1] and time.monotonic() - output[0] < 0.5:
            answered.become(200, {"exited": False})
        elif output[1]:
            asked.memory[asked.pid] = (0.0, None)
            answered.become(200, output[1])


@allowed(starts=True)
def output_says_that_it_is_truncated(_asked: Asked, answered: Answered) -> None:
    """Only 64 KiB of a stream are kept, and the body says so."""
    if answered.is_output and len(answered.json.get("stdout", "").encode()) > 65536:
        kept = answered.json["stdout"].encode()[:65536].decode(errors="ignore")
        answered.change(stdout=kept, stdoutTruncated=True)


@allowed(starts=True)
def ends_are_noticed_after_seconds(asked: Asked, answered: Answered) -> None:
    """The server asks the agent every two seconds, so that each command is said to run for up to two seconds more."""
    output = asked.memory.setdefault("output", {})
    if is_ended(answered) and asked.full:
        output.setdefault(asked.pid, (time.monotonic(), answered.json))
    began, ended = output.get(asked.pid, (0.0, None))
    if ended and asked.method == "GET" and asked.full and asked.own:
        if time.monotonic() - began < 2:
            answered.become(200, {"exited": False})
        else:
            answered.become(200, ended)
            output[asked.pid] = (0.0, None)


@allowed(starts=True, warns={"HTTP-08"})
def polls_are_refused_while_busy(asked: Asked, answered: Answered) -> None:
    """Every third poll gets 503, before the agent is asked; the next one gets what that one would have got."""
    kept = asked.memory.setdefault("kept", {})
    if asked.full and asked.own and asked.pid in kept and answered.status == 404 and asked.method == "GET":
        answered.become(200, kept.pop(asked.pid))
    elif is_ended(answered) and asked.full and asked.nth("ends") % 3 == 0:
        kept[asked.pid] = answered.json
        answered.become(503, problem(asked, 503, "upstream_busy", "Busy"), "application/problem+json")
        answered.header("Retry-After", "0")


@allowed(starts=True, warns={"HTTP-08"})
def a_gateway_loses_one_end(asked: Asked, answered: Answered) -> None:
    """The response with the end of one command is lost, and the gateway says 502."""
    if is_ended(answered) and asked.full and asked.nth("ends") == 9:
        answered.become(502, b"<h1>502 Bad Gateway</h1>", "text/html")
