"""Servers that mean harm: every run ends by itself, with a verdict, and what they send stays harmless."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from judging import IMPATIENT, verdict_on
from running import report_in, run
from stage import CRLF, Answered, Asked, Stage

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
BODY = b'Content-Length: 19\r\n\r\n{"available": true}'
MIB = 2**20

HARM: dict[str, list[bytes | float]] = {
    "early hints without end": [b"HTTP/1.1 103 Early Hints\r\n\r\n" * 10_000] * 10,
    "a header of 5 MiB": [OK, b"X-A: " + b"a" * 5 * MIB + CRLF, BODY],
    "a hundred thousand headers": [OK, b"X-A: a\r\n" * 100_000, BODY],
    "a status line of 5 MiB": [b"HTTP/1.1 200 " + b"a" * 5 * MIB + CRLF, BODY],
    "a body without end": [OK + CRLF, *[b" " * MIB] * 40],
    "more than is declared": [OK + BODY, *[b" " * MIB] * 40],
    "a bomb": [OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b" " * 64 * MIB, 1)],
    "a chunk of 16 EiB": [OK + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n{"],
    "a length below zero": [OK + b"Content-Length: -1\r\n\r\n{}"],
    "a length of a thousand digits": [OK + b"Content-Length: " + b"9" * 1000 + b"\r\n\r\n{}"],
    "JSON a million deep": [OK + CRLF + b"[" * MIB],
    "an integer of a million digits": [OK + CRLF + b'{"available": true, "n": ' + b"9" * MIB + b"}"],
    "a name ten thousand times": [OK + CRLF + b"{" + b'"available": true,' * 10_000 + b'"reason": null}'],
    "bytes that are no HTTP": [bytes(range(256)) * 4000],
    "nothing": [b""],
    "a switch to another protocol": [b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n" + b"\0" * MIB],
}


@pytest.mark.parametrize("name", HARM)
def test_a_run_ends_with_a_verdict(name: str) -> None:
    def harm(_asked: Asked, answered: Answered) -> None:
        answered.raw = HARM[name]

    verdict = verdict_on(harm, IMPATIENT)
    assert verdict.name == "not_conformant"
    assert verdict.summary["error"] == 0


def test_hostile_text_controls_neither_terminal_nor_report(tmp_path: Path) -> None:
    """Nothing that a server sends controls the terminal or runs as a script in report.html."""
    evil = "\x1b[2J\x1b]0;owned\x07\u202e</script><script>alert(1)</script>"

    def change(_asked: Asked, answered: Answered) -> None:
        if answered.is_problem:
            answered.change(title=evil, detail=evil, code=evil, status=evil)
        elif answered.is_availability:
            answered.change(available=evil, **{evil: evil})

    stage = Stage(change)
    with stage.serve() as url:
        done = run(tmp_path, "--base-url", url, **stage.mock.environment())
    assert done.returncode == 1
    assert report_in(tmp_path)["verdict"] == "not_conformant"
    for harm in ("\x1b]", "\x1b[2J", "\x07", "\u202e"):
        assert harm not in done.stdout + done.stderr
    assert "<script>alert" not in (tmp_path / "report" / "report.html").read_text()
