"""Scenes about a command's output and exit code."""

from __future__ import annotations

from functools import cache
from typing import Any

from hostup_conformance.clients.scenes import THROUGH, Asked, scene, success
from hostup_conformance.http.scripted import Reply

#: The number of bytes that a guest agent keeps of each stream.
LARGEST_STREAM = 16 << 20


def ending(asked: Asked, **members: Any) -> Reply:
    """Return the right response, with these members if it reports the end of the command."""
    return asked.right(**members) if asked.kind == "poll" else asked.right()


@scene("poll", completes=THROUGH)
def exit_code_3(asked: Asked) -> Reply:
    """The command prints something, and exits with 3."""
    return ending(asked, exitCode=3, stdout="done something\n", stderr="then failed\n")


@scene("poll", completes=THROUGH)
def exit_code_255(asked: Asked) -> Reply:
    """The command exits with 255."""
    return ending(asked, exitCode=255, stdout="")


@scene("poll", completes=THROUGH)
def exit_code_of_windows(asked: Asked) -> Reply:
    """The command exits with 3221225786, as an interrupted one on Windows does."""
    return ending(asked, exitCode=3221225786, stdout="")


@scene("poll", completes=THROUGH)
def exit_code_256(asked: Asked) -> Reply:
    """The command exits with 256, as one on Windows may; its last eight bits are 0."""
    return ending(asked, exitCode=256, stdout="")


@scene("poll", completes=THROUGH)
def exit_code_negative(asked: Asked) -> Reply:
    """The command exits with -1, as one on Windows may."""
    return ending(asked, exitCode=-1, stdout="")


@scene("poll", completes=THROUGH)
def exit_code_null(asked: Asked) -> Reply:
    """A signal ended the command: `exitCode` is null."""
    return ending(asked, exitCode=None, stdout="half of the wo")


@scene("poll", completes=THROUGH)
def exit_code_missing(asked: Asked) -> Reply:
    """The command has ended, and there is no `exitCode`: it is optional."""
    body = {"exited": True, "stdout": "half of the wo"}
    return success(body) if asked.ends and asked.right().status == 200 else asked.right()


@scene("poll", completes=THROUGH)
def streams_null(asked: Asked) -> Reply:
    """The command printed nothing: `stdout` and `stderr` are null."""
    return ending(asked, stdout=None, stderr=None)


@scene("poll", completes=THROUGH)
def streams_missing(asked: Asked) -> Reply:
    """The command printed nothing: there is neither `stdout` nor `stderr`."""
    body = {"exited": True, "exitCode": 0}
    return success(body) if asked.ends and asked.right().status == 200 else asked.right()


@scene("poll", completes=THROUGH)
def output_without_newline(asked: Asked) -> Reply:
    """The output does not end with a newline."""
    return ending(asked, stdout="no newline", stderr="nor here")


@scene("poll", completes=THROUGH)
def output_with_space_around(asked: Asked) -> Reply:
    """The output begins and ends with blank lines and spaces, and its lines end as on Windows."""
    return ending(asked, stdout="\n\n  a\r\n\tb  \r\n\n \n\n", stderr="\n  c \n\n")


@scene("poll", completes=THROUGH)
def output_outside_ascii(asked: Asked) -> Reply:
    """The output has characters outside ASCII, a byte order mark at its beginning and an emoji among them."""
    return ending(asked, stdout="\ufeffåäö Zoë 日本語 😀 \ufffd\n", stderr="fel: å 😀\n")


@scene("poll", completes=THROUGH)
def output_within_latin_1(asked: Asked) -> Reply:
    """The output has characters outside ASCII that are all in Latin-1, which some languages then write as such."""
    return ending(asked, stdout="åäö Zoë £\n", stderr="fel: å\n")


@scene("poll", completes=THROUGH)
def output_escaped(asked: Asked) -> Reply:
    r"""The output has backslashes, quotes, percent signs, terminal controls and a NUL; its \n is no newline."""
    return ending(
        asked, stdout='C:\\new\\table "q" %s %d ${HOME} &amp; <b>\x1b[31mred\x1b[0m\x07 \0 end\n', stderr="\\x41 %n\n"
    )


@scene("poll", completes=THROUGH)
def output_like_an_error(asked: Asked) -> Reply:
    """The output is itself a problem document, and the exit code is 0."""
    return ending(asked, stdout='{"status": 500, "title": "Internal server error", "code": "internal_error"}\n')


@scene("poll", completes=THROUGH)
def output_on_stderr_alone(asked: Asked) -> Reply:
    """The command prints to its standard error alone, and exits with 0."""
    return ending(asked, stdout="", stderr="a warning\n")


@scene("poll", completes=THROUGH)
def output_while_running(asked: Asked) -> Reply:
    """While the command runs, polls already show what it has printed so far."""
    if asked.kind == "poll" and not asked.ends and asked.right().status == 200:
        return success({"exited": False, "exitCode": None, "stdout": "one\n", "stderr": ""})
    return ending(asked, stdout="one\ntwo\n")


@cache
def large_output() -> str:
    """Return 16 MiB of text, with characters outside ASCII."""
    line = "0123456789 abcdefghijklmnopqrstuvwxyz åäö\n"
    return line * (LARGEST_STREAM // len(line.encode()))


@scene("poll", completes=THROUGH, prints=LARGEST_STREAM)
def output_of_16_mib(asked: Asked) -> Reply:
    """The output is 16 MiB long, the most that a guest agent keeps."""
    return ending(asked, stdout=large_output())


@scene("poll", timeout=4.0, polls=0)
def exited_as_text(asked: Asked) -> Reply:
    """Polls say that `exited` is the text "false"."""
    if asked.kind == "poll":
        return success({"exited": "false", "exitCode": None, "stdout": None, "stderr": None})
    return asked.right()


@scene("poll", timeout=4.0, polls=0)
def exited_missing(asked: Asked) -> Reply:
    """Polls are empty JSON objects: nothing says whether the command has ended."""
    return success({}) if asked.kind == "poll" else asked.right()
