"""A command line in a report repeats a request, and runs nothing else, whoever the request is from."""

import random
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from catalogue import first_of
from hostup_conformance.contract.ask import Exchange as Asked
from hostup_conformance.contract.responder import BURST
from hostup_conformance.contract.target import Target
from hostup_conformance.contract.understanding import understand
from hostup_conformance.front.record import redacted
from hostup_conformance.front.reported_server import curl, server
from hostup_conformance.http.exchange import ALONE, Exchange
from hostup_conformance.http.messages import Request, Response
from hostup_conformance.keeping.redact import Redactor, redactor
from hostup_conformance.keeping.safe_text import CommandLine, Redact, Variable, unchanged

KEY = "a-key-of-the-user's-own"
TARGET = Target("http://127.0.0.1:1", "har", KEY, "vps_1")
SHELLS = [shell for shell in ("sh", "bash", "zsh", "ksh") if shutil.which(shell)]
#: What a shell might take for more than text. `%s` is a file that must not come into being.
PIECES = [
    *("$(touch${IFS}%s)", "`touch %s`", "; touch %s;", "\ntouch %s\n", "\rtouch %s\r", "| touch %s |"),
    *("' ; touch %s ; '", '" ; touch %s ; "', "\\' ; touch %s ; '", "'\"'\"'$(touch %s)", "<(touch %s)"),
    *("$HOSTUP_API_KEY", "${HOSTUP_API_KEY}", "!!", "$'\\n'", "'", '"', "\\", "\0", "\x1b[2J", "\u2028touch %s\u2028"),
    *(KEY, KEY[:9], KEY[-9:], "another'key", "-o %s", "@%s", "> %s", "#", "~", "*", "[a-z]", "{a,b}", "%%s", "\udc80"),
    *(" ", "=", "& touch %s &", "&& touch %s &&"),
]  # fmt: skip
#: How the lines' curl, a function of the shell, prints its arguments.
CURL = "curl() { printf '%s\\0' \"$@\"; printf 'end\\0'; }\n"


def text(chance: random.Random, file: Path) -> str:
    return "".join(chance.choice(PIECES).replace("%s", str(file)) for _ in range(chance.randint(1, 4)))


def request(chance: random.Random, file: Path) -> Request:
    """Return a request as a recording may have it: any text, except a line end in the method."""
    fields = [("Authorization", chance.choice([f"Bearer {KEY}", text(chance, file), f"Bearer {text(chance, file)}"]))]
    fields += [(chance.choice(["X-Any", text(chance, file), "Cookie"]), text(chance, file)) for _ in range(2)]
    method = chance.choice(["GET", "POST", "HEAD", text(chance, file)])
    body = text(chance, file).encode("utf-8", "surrogatepass") * chance.randint(0, 1)
    return Request(method, f"/api/v2/vps/{text(chance, file)}/agent/exec", tuple(fields), body)


def line_of(sent: Request, target: Target = TARGET) -> CommandLine:
    return curl(Exchange(0, sent, None, understand(sent, target)), target)


def lines_of(seed: int, number: int, file: Path, redact: Redact) -> list[str]:
    chance = random.Random(seed)  # noqa: S311 - it only varies the cases
    return [redacted({"curl": line_of(request(chance, file))}, redact)["curl"] for _ in range(number)]


def printed_by(shell: str, lines: list[str], folder: Path) -> list[list[str]]:
    """Run lines in a shell whose curl only prints its arguments; return those of each."""
    (folder / "script").write_text(CURL + "\n".join(lines) + "\n", errors="backslashreplace")
    environment = {"HOSTUP_API_KEY": "in the environment", "PATH": "/usr/bin:/bin", "HOME": "/nowhere"}
    done = subprocess.run([shell, "script"], cwd=folder, env=environment, capture_output=True, check=False)
    assert done.stderr == b""
    words = done.stdout.decode("utf-8", "surrogateescape").split("\0")
    calls: list[list[str]] = [[]]
    for word in words[:-1]:
        calls.append([]) if word == "end" else calls[-1].append(word)
    return calls[:-1]


@pytest.mark.parametrize(
    "redact", first_of(unchanged, Redactor([KEY, "another'key", "touch${IFS}"])), ids=["plain", "redacted"]
)
def test_thousands_of_hostile_commands_run_curl_alone(redact: Redact, tmp_path: Path) -> None:
    evil = tmp_path / "evil"
    lines = lines_of(23, 2000, evil, redact)
    assert all(line.isprintable() for line in lines)
    for shell in SHELLS:
        calls = printed_by(shell, lines, tmp_path)
        assert len(calls) == len(lines), shell
        assert {path.name for path in tmp_path.iterdir()} == {"script"}, shell
        assert any("in the environment" in word for call in calls for word in call), shell
        for line, call in zip(lines, calls, strict=True):
            if shell == "zsh" and re.search(r"\\(x00|000)", line):
                continue  # it prints a NUL, and so two words, where others end the word
            assert call[0] == "-i"
            assert call[-1].removeprefix("$").startswith(TARGET.base_url)
            assert not any(word.startswith("@") for option, word in pairwise(call) if option == "-H")


@pytest.mark.parametrize(
    ("token", "shown"),
    [
        (KEY, "'Authorization: Bearer '\"$HOSTUP_API_KEY\""),
        ("z-kyy-zz-thz-zzyr'z-zzn", "'Authorization: Bearer a-wrong-key'"),
        ("undefined", "'Authorization: Bearer undefined'"),
        (KEY[:-1], "'Authorization: Bearer [redacted]'"),
        (f"{KEY[:-1]} x", "[redacted]"),
    ],
)
def test_it_is_told_whether_a_key_was_wrong(token: str, shown: str) -> None:
    target = replace(TARGET, kind="server")
    sent = Request("GET", "/api/v2/vps/vps_1/agent/exec", (("Authorization", f"Bearer {token}"),))
    line = line_of(sent, target).shown(redactor(target.nearly_secrets))
    assert shown in line
    assert token not in line or token == "undefined"


def test_a_scheme_without_a_key_is_shown() -> None:
    sent = Request("GET", "/api/v2/vps/vps_1/agent/exec", (("Authorization", "Bearer"),))
    assert "-H 'Authorization: Bearer' " in line_of(sent).shown(redactor(TARGET.nearly_secrets))


def test_the_words_arrive_as_they_were_meant(tmp_path: Path) -> None:
    words = [piece for piece in PIECES if piece.isprintable()]
    line = CommandLine(["curl", *words, ("before ", Variable("HOSTUP_API_KEY"), " after")]).shown(unchanged)
    assert printed_by("sh", [line], tmp_path) == [[*words, "before in the environment after"]]


def test_curl_is_told_the_method_of_a_request_with_a_body() -> None:
    """It would take a GET with a body for a POST."""
    sent = Request("GET", "/api/v2/vps/v/agent/exec", (), b"{}")
    assert line_of(sent).words[2:4] == ["-X", "GET"]
    assert "-X" not in line_of(replace(sent, body=b"")).words


def test_no_word_of_ours_is_one_of_the_command() -> None:
    """In a shell that knows no comments, as zsh has it for what is typed, it would be a host that gets the key."""
    line = CommandLine(["curl", ("Authorization: Bearer ", Variable("HOSTUP_API_KEY")), "http://127.0.0.1:1/"])
    assert line.noted("the run's own; start it again").shown(unchanged) == line.shown(unchanged)


@pytest.mark.parametrize("shell", [shell for shell in SHELLS if shell != "sh"])
def test_what_cannot_be_printed_arrives_as_it_was(shell: str, tmp_path: Path) -> None:
    bodies = [
        b"\xff\xfe{",
        b"a\nb\tc\x1b[2J",
        b"it's \\ \x07",
        "\u202e\u2028 ##vso[x] ::error::".encode(),
        b"\xc3\xa9\xe9",
    ]
    requests = [Request("POST", "/api/v2/vps/vps_1/agent/exec", (), body) for body in bodies]
    lines = [line_of(one).shown(unchanged) for one in requests]
    assert all(line.isprintable() for line in lines)
    printed = printed_by(shell, lines, tmp_path)
    assert [call[call.index("--data-raw") + 1].encode("utf-8", "surrogateescape") for call in printed] == bodies


def test_line_says_if_a_part_of_the_request_is_cut() -> None:
    assert line_of(Request("POST", "/api/v2/vps/vps_1/agent/exec", (), b"x" * 400)).note.startswith("it is cut")


@pytest.mark.parametrize("name", ["A`touch evil`", "A$(touch evil)", "A B", "", "A\nB", "1"])
def test_a_name_that_no_variable_can_have_is_text(name: str, tmp_path: Path) -> None:
    assert printed_by("sh", [f"curl {Variable(name)}"], tmp_path) == [[name]]
    assert {path.name for path in tmp_path.iterdir()} == {"script"}


def test_curl_takes_no_brackets_for_many_addresses() -> None:
    assert "--globoff" in line_of(Request("GET", "/api/v2/vps/{a,b}/agent/exec")).words


PROBE = Request("GET", "/api/v2/vps/vps_1/agent/exec")
POLL = Request("GET", "/api/v2/vps/vps_1/agent/exec?pid=4242")


def got(number: int, status: int, request: Request = PROBE, body: bytes = b"", **facts: Any) -> Asked:
    return Exchange(number, request, Response(status, (), body), understand(request, TARGET), **facts)


NOW: dict[str, Any] = {"when": datetime.now(UTC), "seconds": 1}
#: What was sent, the first of which is repeated by the line, and what that says of it.
NOTES = {
    "the request alone got something else than in a burst": (
        [got(1, 200, source=BURST), got(2, 401, source=ALONE)],
        "alone it got 401 in request 2; it may depend on others at the same time",
    ),
    "the request alone got something else": (
        [got(1, 200, source="probe"), got(2, 401, source=ALONE)],
        "alone it got 401 in request 2; it depends on what came before, such as a key on the same connection",
    ),
    "another got the same as the request alone, so no connection is blamed": (
        [got(1, 200, source="probe"), got(2, 401, source="probe"), got(3, 401, source=ALONE)],
        "alone it got 401 in request 3",
    ),
    "the request alone is repeated as it is": ([got(2, 401, source=ALONE), got(1, 200, source="probe")], ""),
    "the same request got something else at the same time": (
        [got(9, 500, POLL, **NOW), got(7, 200, POLL, **NOW)],
        "the same request got 200 as request 7, at the same time",
    ),
    "the command was forgotten in the meantime": (
        [got(1, 200, POLL, b'{"exited": true}', source="probe"), got(2, 404, POLL, source=ALONE)],
        "alone, later, it got 404 in request 2, since the end of its command had been told by then",
    ),
    "the same request got something else before": (
        [got(9, 200, POLL), got(7, 403, POLL)],
        "the same request got 403 as request 7; it depends on what came in between",
    ),
    "the same request got something else after": ([got(7, 403, POLL), got(9, 200, POLL)], ""),
}


@pytest.mark.parametrize("what", NOTES)
def test_line_says_what_else_the_request_got(what: str) -> None:
    sent, note = NOTES[what]
    assert server(TARGET, sorted(sent, key=lambda e: e.number)).again(sent[0]).note == note


@pytest.mark.parametrize(("key", "status", "needed"), [(KEY, 404, True), ("", 200, True), ("", 401, False)])
def test_line_says_if_the_command_is_to_be_started_again(key: str, status: int, needed: bool) -> None:
    """Who has no key is refused whatever has become of the command."""
    target = replace(TARGET, allow_exec=True, finished_pid=4242)
    fields = (("Authorization", f"Bearer {key}"),) if key else ()
    poll = Request("GET", "/api/v2/vps/vps_1/agent/exec?pid=4242", fields)
    e = Exchange(1, poll, Response(status, (), b""), understand(poll, target))
    start = Request(
        "POST", "/api/v2/vps/vps_1/agent/exec", (("Authorization", f"Bearer {KEY}"),), b'{"command": "true"}'
    )
    started = Exchange(2, start, Response(200, (), b'{"pid": 4242}'), understand(start, target))
    assert bool(server(target, [e, started]).again(e).note) is needed
    assert not server(target, [e]).again(e).note, "it was given, and not started by the run"
