"""Scenes about a command's output and exit code."""

from __future__ import annotations

from functools import cache
from typing import Any

from hostup_conformance.clients.scenes import THROUGH, Turn, scene, success
from hostup_conformance.http.scripted import Reply

#: The number of bytes that a guest agent keeps of each stream.
LARGEST_STREAM = 16 << 20


def ending(turn: Turn, **members: Any) -> Reply:
    """Return the right response, with these members if it reports the end of the command."""
    return turn.right(**members) if turn.kind == "poll" else turn.right()


@scene("poll", completes=THROUGH)
def exit_code_3(turn: Turn) -> Reply:
    """The command prints something, and exits with 3."""
    return ending(turn, exitCode=3, stdout="done something\n", stderr="then failed\n")


@scene("poll", completes=THROUGH)
def exit_code_255(turn: Turn) -> Reply:
    """The command exits with 255."""
    return ending(turn, exitCode=255, stdout="")


@scene("poll", completes=THROUGH)
def exit_code_of_windows(turn: Turn) -> Reply:
    """The command exits with 3221225786, as an interrupted one on Windows does."""
    return ending(turn, exitCode=3221225786, stdout="")


@scene("poll", completes=THROUGH)
def exit_code_256(turn: Turn) -> Reply:
    """The command exits with 256, as one on Windows may; its last eight bits are 0."""
    return ending(turn, exitCode=256, stdout="")


@scene("poll", completes=THROUGH)
def exit_code_negative(turn: Turn) -> Reply:
    """The command exits with -1, as one on Windows may."""
    return ending(turn, exitCode=-1, stdout="")


@scene("poll", completes=THROUGH)
def exit_code_null(turn: Turn) -> Reply:
    """A signal ended the command: `exitCode` is null."""
    return ending(turn, exitCode=None, stdout="half of the wo")


@scene("poll", completes=THROUGH)
def exit_code_missing(turn: Turn) -> Reply:
    """The command has ended, and there is no `exitCode`: it is optional."""
    body = {"exited": True, "stdout": "half of the wo"}
    return success(body) if turn.ends and turn.right().status == 200 else turn.right()


@scene("poll", completes=THROUGH)
def streams_null(turn: Turn) -> Reply:
    """The command printed nothing: `stdout` and `stderr` are null."""
    return ending(turn, stdout=None, stderr=None)


@scene("poll", completes=THROUGH)
def streams_missing(turn: Turn) -> Reply:
    """The command printed nothing: there is neither `stdout` nor `stderr`."""
    body = {"exited": True, "exitCode": 0}
    return success(body) if turn.ends and turn.right().status == 200 else turn.right()


@scene("poll", completes=THROUGH)
def output_without_newline(turn: Turn) -> Reply:
    """The output does not end with a newline."""
    return ending(turn, stdout="no newline", stderr="nor here")


@scene("poll", completes=THROUGH)
def output_with_space_around(turn: Turn) -> Reply:
    """The output begins and ends with blank lines and spaces, and its lines end as on Windows."""
    return ending(turn, stdout="\n\n  a\r\n\tb  \r\n\n \n\n", stderr="\n  c \n\n")


@scene("poll", completes=THROUGH)
def output_outside_ascii(turn: Turn) -> Reply:
    """The output has characters outside ASCII, a byte order mark at its beginning and an emoji among them."""
    return ending(turn, stdout="\ufeffåäö Zoë 日本語 😀 \ufffd\n", stderr="fel: å 😀\n")


@scene("poll", completes=THROUGH)
def output_within_latin_1(turn: Turn) -> Reply:
    """The output has characters outside ASCII that are all in Latin-1, which some languages then write as such."""
    return ending(turn, stdout="åäö Zoë £\n", stderr="fel: å\n")


@scene("poll", completes=THROUGH)
def output_escaped(turn: Turn) -> Reply:
    r"""The output has backslashes, quotes, percent signs, terminal controls and a NUL; its \n is no newline."""
    return ending(
        turn, stdout='C:\\new\\table "q" %s %d ${HOME} &amp; <b>\x1b[31mred\x1b[0m\x07 \0 end\n', stderr="\\x41 %n\n"
    )


@scene("poll", completes=THROUGH)
def output_like_an_error(turn: Turn) -> Reply:
    """The output is itself a problem document, and the exit code is 0."""
    return ending(turn, stdout='{"status": 500, "title": "Internal server error", "code": "internal_error"}\n')


@scene("poll", completes=THROUGH)
def output_on_stderr_alone(turn: Turn) -> Reply:
    """The command prints to its standard error alone, and exits with 0."""
    return ending(turn, stdout="", stderr="a warning\n")


@scene("poll", completes=THROUGH)
def output_while_running(turn: Turn) -> Reply:
    """While the command runs, polls already show what it has printed so far."""
    if turn.kind == "poll" and not turn.ends and turn.right().status == 200:
        return success({"exited": False, "exitCode": None, "stdout": "one\n", "stderr": ""})
    return ending(turn, stdout="one\ntwo\n")


@cache
def large_output() -> str:
    """Return 16 MiB of text, with characters outside ASCII."""
    line = "0123456789 abcdefghijklmnopqrstuvwxyz åäö\n"
    return line * (LARGEST_STREAM // len(line.encode()))


@scene("poll", completes=THROUGH, prints=LARGEST_STREAM)
def output_of_16_mib(turn: Turn) -> Reply:
    """The output is 16 MiB long, the most that a guest agent keeps."""
    return ending(turn, stdout=large_output())


@scene("poll", timeout=4.0, polls=0)
def exited_as_text(turn: Turn) -> Reply:
    """Polls say that `exited` is the text "false", and `exitCode` 0."""
    return undecided(turn, exited="false")


@scene("poll", timeout=4.0, polls=0)
def exited_null(turn: Turn) -> Reply:
    """Polls say that `exited` is null, and `exitCode` 0."""
    return undecided(turn, exited=None)


@scene("poll", timeout=4.0, polls=0)
def exited_missing(turn: Turn) -> Reply:
    """Polls do not say whether the command has ended, but that `exitCode` is 0."""
    return undecided(turn)


def undecided(turn: Turn, **exited: Any) -> Reply:
    """Return the right response; to a poll, one that looks like a success, but for its `exited`."""
    body = {**exited, "exitCode": 0, "stdout": None, "stderr": None}
    return success(body) if turn.kind == "poll" else turn.right()
