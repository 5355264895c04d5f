"""Scenes about a command's output and exit code."""

from functools import cache, partial
from typing import Any

from hostup_conformance.clients.scenes import THROUGH, Turn, add, says, scene, success, without
from hostup_conformance.http.scripted import Reply

#: The number of bytes that a guest agent keeps of each stream.
LARGEST_STREAM = 16 << 20


#: Text that is changed where it is taken for anything but text.
ESCAPED = (
    'C:\\new\\table "q" %s %d %% %41%20 \\x41 ${HOME} $& $1 $$ &amp; <b>[bold]x[/bold]</b>\x1b[31mred\x1b[0m\x07 ab\b\b'
    "c 50 %\r100 % \0 end\n"
)


def prints(name: str, words: str, **members: Any) -> None:
    """Add a scene in which the output of the command has these members."""
    add(name, words, "poll", completes=THROUGH, act=says(**members))


prints(
    "exit-code-3", "The command prints something, and exits with 3.", exitCode=3, stdout="done something\n",
    stderr="then failed\n",
)  # fmt: skip
prints("exit-code-255", "The command exits with 255.", exitCode=255, stdout="")
prints(
    "exit-code-of-windows", "The command exits with 3221225786, as an interrupted one on Windows does.",
    exitCode=3221225786, stdout="",
)  # fmt: skip
prints(
    "exit-code-256", "The command exits with 256, as one on Windows may; its last eight bits are 0.",
    exitCode=256, stdout="",
)  # fmt: skip
prints("exit-code-negative", "The command exits with -1, as one on Windows may.", exitCode=-1, stdout="")
prints("exit-code-null", "A signal ended the command: `exitCode` is null.", exitCode=None, stdout="half of the wo")
add(
    "exit-code-missing", "The command has ended, and there is no `exitCode`: it is optional.", "poll",
    completes=THROUGH, act=without("exitCode", stdout="half of the wo"),
)  # fmt: skip
prints("streams-null", "The command printed nothing: `stdout` and `stderr` are null.", stdout=None, stderr=None)
add(
    "streams-missing", "The command printed nothing: there is neither `stdout` nor `stderr`.", "poll",
    completes=THROUGH, act=without("stdout", "stderr"),
)  # fmt: skip
prints(
    "output-without-newline",
    "The output does not end with a newline, and reads as base64 too, which it is not; the command exits with 1.",
    stdout="root", stderr="nor here", exitCode=1,
)  # fmt: skip
prints(
    "output-of-a-zero", "The command prints 0, which some languages take for nothing, to both streams.",
    stdout="0", stderr="0",
)  # fmt: skip
prints(
    "output-with-space-around",
    "The output begins and ends with blank lines and spaces; its lines end as on Windows; the command exits with 2.",
    stdout="\n\n  a\r\n\tb  \r\n\n \n\n", stderr="\n  c \n\n", exitCode=2,
)  # fmt: skip
prints(
    "output-outside-ascii",
    "The output has characters outside ASCII, among them a byte order mark at its beginning, an emoji, a decomposed "
    "one, blanks that do not break, some that cannot be seen, and some that end lines elsewhere; the command exits "
    "with 127.",
    stdout="\ufeffåäö Zoë e\u0301 日本語 😀 \ufffd 10\xa0000 a\u200bb\xadc\u202ed\u2069\n",
    stderr="fel: å\u2028 😀 \x85 b\n", exitCode=127,
)  # fmt: skip
prints(
    "output-within-latin-1",
    "The output has characters outside ASCII that are all in Latin-1, which some languages then write as such; and a "
    "password, which loggers mask.",
    stdout="åäö Zoë £ password=hunter2\n", stderr="fel: å\n",
)  # fmt: skip
prints(
    "output-escaped",
    r"Both streams have backslashes, quotes, percent signs, what patterns put in ($&), marks for bold text, terminal "
    r"controls, a carriage return within a line, a NUL and a long line; \n is no newline; the command exits with 137.",
    stdout=ESCAPED + "long " * 600, stderr="Warning: " + ESCAPED + "long " * 2400, exitCode=137,
)  # fmt: skip
prints(
    "output-like-an-error", "The output is itself a problem document, and the exit code is 0.",
    stdout='{"status": 500, "title": "Internal server error", "code": "internal_error"}\n',
)  # fmt: skip
prints(
    "output-on-stderr-alone", "The command prints to its standard error alone, and exits with 0.",
    stdout="", stderr="a warning\n",
)  # fmt: skip


@scene("poll", completes=THROUGH, polls=3)
def output_while_running(turn: Turn) -> Reply:
    """While the command runs, polls already show what it has printed so far."""
    if not turn.ends and turn.right().status == 200:
        return success({"exited": False, "exitCode": None, "stdout": "one\n", "stderr": "first\n"})
    return turn.right(stdout="one\ntwo\n", stderr="first\nsecond\n")


@cache
def large_output() -> str:
    """Return 16 MiB of text, with characters outside ASCII."""
    line = "0123456789 abcdefghijklmnopqrstuvwxyz åäö\n"
    return line * (LARGEST_STREAM // len(line.encode()))


@scene("poll", completes=THROUGH, prints=LARGEST_STREAM)
def output_of_16_mib(turn: Turn) -> Reply:
    """The output is 16 MiB long, the most that a guest agent keeps."""
    return turn.right(stdout=large_output())


def undecided(_turn: Turn, **exited: Any) -> Reply:
    """Return a response that looks like a success, but for its `exited`."""
    return success({**exited, "exitCode": 0, "stdout": None, "stderr": None})


for name, words, exited in (
    ("exited-as-text", 'Polls say that `exited` is the text "false", and `exitCode` 0.', {"exited": "false"}),
    ("exited-null", "Polls say that `exited` is null, and `exitCode` 0.", {"exited": None}),
    ("exited-missing", "Polls do not say whether the command has ended, but that `exitCode` is 0.", {}),
):
    add(name, words, "poll", act=partial(undecided, **exited), timeout=4.0, polls=0)
