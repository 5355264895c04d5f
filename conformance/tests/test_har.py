"""Recorded traffic is judged by the same rules, and the suite's recordings contain no key."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from catalogue import first_of
from faults import FAULTS
from hostup_conformance.clients import recording as client_recording
from hostup_conformance.contract.ask import Exchange, with_notes
from hostup_conformance.contract.lives import stream
from hostup_conformance.contract.sending import Wire
from hostup_conformance.contract.server_verdict import judge
from hostup_conformance.contract.target import UNKNOWN_ADDRESS, Target
from hostup_conformance.contract.understanding import understand
from hostup_conformance.http import har
from hostup_conformance.http.json_text import schema_errors
from hostup_conformance.http.limits import Limits
from hostup_conformance.http.messages import Request
from hostup_conformance.keeping.misconfigured import Misconfigured
from hostup_conformance.mock import API_KEY, READ_API_KEY, Mock
from hostup_conformance.sources import commands, recording
from judging import run, run_on_mock
from recordings import entry, recorded


@pytest.fixture
def target() -> Target:
    """The mock, which is sent nothing."""
    return Target.from_environment("http://127.0.0.1:1", Mock().environment(), kind="mock")


def judged_again(file: Path) -> dict[str, str]:
    """Return the status of each requirement in a recording, by somebody who names nothing."""
    unnamed = Target.from_environment(UNKNOWN_ADDRESS, {}, kind="har")
    exchanges, shown, _ = recording.read(file, unnamed)
    return {id: result.status for id, result in judge(exchanges, shown).results.items()}


@pytest.mark.parametrize(
    ("name", "allow_exec", "live"),
    first_of(
        (None, True, False),
        (None, False, False),
        (None, False, True),
        ("available_is_text", False, False),
        ("reading_is_enough_to_poll", False, False),
        ("latin_1", False, False),
        ("any_key_will_do", False, False),
        ("exit_code_is_left_out", True, False),
    ),
)
def test_a_recording_is_judged_like_its_run(tmp_path: Path, name: str | None, allow_exec: bool, live: bool) -> None:
    target, wire, _ = (
        run(FAULTS.named(name).change, allow_exec=allow_exec, live=live)
        if name
        else run_on_mock(allow_exec=allow_exec, live=live)
    )
    file = tmp_path / "run.har"
    recording.write(file, wire.exchanges, target)
    of_run = {id: result.status for id, result in judge(wire.exchanges, target).results.items()}
    # What the generated client made of a response is in no recording.
    assert judged_again(file) == of_run | {"HTTP-13": "skip"}


@pytest.mark.parametrize("name", first_of("closes_without_a_response", "body_is_cut"))
def test_what_got_no_complete_response_is_none_in_a_recording(tmp_path: Path, name: str) -> None:
    target, wire, _ = run(FAULTS.named(name).change)
    recording.write(tmp_path / "run.har", wire.exchanges, target)
    assert judge(wire.exchanges, target).results["HTTP-01"].status == "fail"
    assert judged_again(tmp_path / "run.har")["HTTP-01"] == "fail"


def test_output_that_a_recording_has_redacted_is_unknown(tmp_path: Path) -> None:
    target, wire, _ = run_on_mock(allow_exec=True)
    # The one large output is left out: a key of which it has a piece at each place takes seconds to find there.
    small = [e for e in wire.exchanges if not e.response or len(e.response.body) < 1 << 20]
    printed = next(text for e in small if (text := stream(e, "stdout")).startswith("line"))
    recording.write(tmp_path / "run.har", small, replace(target, read_key=f"key-{printed[500:520]}"))
    assert r"line[redacted]1\\n" in (tmp_path / "run.har").read_text()
    assert "fail" not in judged_again(tmp_path / "run.har").values()


def test_requests_with_redacted_keys_are_not_the_same(tmp_path: Path) -> None:
    target, wire, _ = run(FAULTS.named("any_key_will_do").change)
    recording.write(tmp_path / "run.har", wire.exchanges, target)
    read = recording.read(tmp_path / "run.har", Target.from_environment(UNKNOWN_ADDRESS, {}, kind="har"))[0]

    def of(exchanges: list[Exchange], *credentials: str) -> set[Request]:
        return {e.request for e in exchanges if e.ask.credential in credentials}

    assert of(read, "full").isdisjoint(of(read, "read", "wrong"))
    for credential in ("full", "read", "wrong"):
        assert len(of(read, credential)) == len(of(wire.exchanges, credential))


def test_a_recording_of_the_suite_says_what_each_request_was_for(tmp_path: Path) -> None:
    target, wire, _ = run_on_mock()
    recording.write(tmp_path / "run.har", wire.exchanges, target)
    exchanges, _, _ = recording.read(tmp_path / "run.har", target)
    assert [e.purpose for e in exchanges] == [e.purpose for e in wire.exchanges]


@pytest.mark.parametrize(
    ("query", "noted", "read"),
    [
        ("?pid=7", "started", "started"),
        ("?pid=7", "loose", "unnamed"),
        ("", "running", "absent"),
        ("", "loose", "absent"),
    ],
)
def test_the_notes_of_a_recording_tell_whose_a_pid_is_and_not_its_form(query: str, noted: str, read: str) -> None:
    unnamed = Target(UNKNOWN_ADDRESS, "har", "", "vps_1")
    ask = understand(Request("GET", f"/api/v2/vps/vps_1/agent/exec{query}", ()), unnamed)
    assert with_notes(ask, {"credential": "full", "vps": "own", "pid": noted}).pid == read


def test_a_recording_is_judged_without_a_key() -> None:
    """The script meets a wire that sends nothing, and a client that cannot be made without a key."""
    unnamed = Target.from_environment(UNKNOWN_ADDRESS, {}, kind="har")
    wire = Wire(replace(unnamed, live=True), Limits())
    recording.replay(wire, [])
    commands.run(wire)
    assert wire.exchanges == []


def test_a_recording_holds_no_key(tmp_path: Path) -> None:
    target, wire, _ = run(FAULTS.named("key_in_a_problem").change)
    recording.write(tmp_path / "run.har", wire.exchanges, target)
    for key in (API_KEY, READ_API_KEY, API_KEY[:-1]):
        assert key not in (tmp_path / "run.har").read_text()


def test_other_endpoints_are_ignored_and_counted(tmp_path: Path, target: Target) -> None:
    urls = [
        "https://h/api/v2/vps/v/console",
        "https://h/",
        f"https://h/prefix/api/v2/vps/{target.vps}/agent/exec?pid=1",
    ]
    exchanges, target, ignored = recording.read(recorded(tmp_path / "browser.har", map(entry, urls)), target)
    assert ignored == 2
    (e,) = exchanges
    assert (e.ask.vps, e.ask.pid, e.ask.credential, e.status) == ("own", "unknown", "unnamed", 200)


def test_a_recording_has_an_address(tmp_path: Path) -> None:
    file = recorded(tmp_path / "browser.har", [entry("https://h:8443/prefix/api/v2/vps/v/agent/exec?pid=1")])
    _, target, _ = recording.read(file, Target.from_environment(UNKNOWN_ADDRESS, {}, kind="har"))
    assert target.base_url == "https://h:8443/prefix"


def test_a_cancelled_request_has_no_response(tmp_path: Path, target: Target) -> None:
    file = recorded(tmp_path / "browser.har", [entry(f"https://h/api/v2/vps/{target.vps}/agent/exec", status=0)])
    assert recording.read(file, target)[0][0].response is None


@pytest.mark.parametrize(
    "response",
    [
        None,
        {"status": None, "headers": []},
        {"status": 200, "headers": [], "content": {"size": 49, "mimeType": "application/json"}},
        {"status": 200, "headers": [], "content": {"size": 49, "_file": "a1b2.json"}},
        {"status": 200, "headers": [], "content": {"size": -1, "text": None}},
    ],
)
def test_what_a_browser_left_out_is_no_fault(tmp_path: Path, target: Target, response: dict[str, Any] | None) -> None:
    """Requests that failed, content that is in another file, and credentials, which are removed unless asked for."""
    url = f"https://h/api/v2/vps/{target.vps}/agent/exec"
    file = recorded(tmp_path / "browser.har", [{**entry(url), "response": response}, entry(url)])
    exchanges, target, _ = recording.read(file, target)
    assert [e.status for e in exchanges] == [None, 200]
    verdict = judge(exchanges, target)
    assert {id: one.message for id, one in verdict.results.items() if one.status in {"fail", "warn"}} == {}


def test_a_time_beyond_all_numbers_is_named(tmp_path: Path) -> None:
    late = {**entry("https://h/api/v2/vps/vps_any/agent/exec"), "time": 10**400}
    file = recorded(tmp_path / "browser.har", [late])
    with pytest.raises(Misconfigured, match=r"log\.entries\[0\]: int too large"):
        recording.read(file, Target.from_environment("https://h", {}, kind="har"))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"log":{}}', '{"log":{"entries":[1]}}', "\xff", "[" * 100_000])
def test_what_is_no_har_is_named(tmp_path: Path, target: Target, text: str) -> None:
    file = tmp_path / "x.har"
    file.write_text(text, encoding="latin-1")
    with pytest.raises(Misconfigured, match=r"x\.har: not HAR 1\.2"):
        recording.read(file, target)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("url", "https://user:a-secret@\u2100/"),
        ("url", "https://user:a-secret@[::1/"),
        ("method", "Bearer a-secret"),
        ("headers", {"Authorization": "Bearer a-secret"}),
        ("headers", [["Authorization", "Bearer a-secret"]]),
        ("postData", "a-secret"),
    ],
)
def test_what_is_no_har_is_not_quoted(tmp_path: Path, target: Target, place: str, value: object) -> None:
    one = entry("https://h/api/v2/vps/vps_any/agent/exec")
    file = recorded(tmp_path / "x.har", [{**one, "request": {**one["request"], place: value}}])
    with pytest.raises(Misconfigured, match=rf"log\.entries\[0\].*request\.{place}") as caught:
        recording.read(file, target)
    assert "a-secret" not in str(caught.value)


def test_what_nobody_named_is_unnamed_in_a_recording(tmp_path: Path) -> None:
    """Another valid key, another's pid and another id in somebody's traffic are no faults of the server."""
    url, key = "https://h/api/v2/vps/vps_any/agent/exec?pid=77", {"Authorization": "Bearer a-key-that-nobody-named"}
    file = recorded(tmp_path / "browser.har", [entry(url, text='{"exited":true,"exitCode":0}', sent=key)])
    named = {"HOSTUP_API_KEY": "another-key-that-is-named", "HOSTUP_VPS_ID": "vps_other"}
    target = Target.from_environment("https://h", named, kind="har")
    exchanges, target, _ = recording.read(file, target)
    (e,) = exchanges
    assert (e.ask.credential, e.ask.vps, e.ask.pid) == ("unnamed", "unnamed", "unnamed")
    assert not [id for id, r in judge(exchanges, target).results.items() if r.status in {"fail", "warn", "error"}]
    assert "a-key-that-nobody-named" in target.secrets


#: One of them, and every character of a text takes four bytes.
WIDE = "\U0001f511"


@pytest.mark.parametrize("filler", ["a", r"\\u"], ids=["letters", "what is no escape"])
def test_wide_text_counts_for_what_it_takes(
    tmp_path: Path, filler: str, monkeypatch: pytest.MonkeyPatch, target: Target
) -> None:
    monkeypatch.setattr(har, "LARGEST_FILE", 4 << 20)
    file = tmp_path / "x.har"
    for first, refused in (("a", False), (WIDE, True)):
        text = first + filler * ((3 << 20) // len(filler))
        file.write_text(f'{{"log": {{"entries": [], "comment": "{text}"}}}}', encoding="utf-8")
        with pytest.raises(Misconfigured, match="too large to be judged" if refused else "none of its 0 entries"):
            recording.read(file, target)


def test_an_error_keeps_no_long_text() -> None:
    found = schema_errors(har.form_of_entries(), {"comment": WIDE * (1 << 20)}, 3)
    assert [error.message for error in found if "is a required property" in error.message]
    assert max(len(str(error.instance)) for error in found) < 1 << 17


def test_reading_takes_no_longer_than_a_minute(tmp_path: Path, target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is looked for in what is sent to other hosts, in every form."""
    monkeypatch.setattr(har, "READING_SECONDS", 0.5)
    long = r"%41\u0041&#65;=41 65, 66, <b> " * 100_000
    elsewhere = entry("https://other.test/", sent={"A": long})
    ours = entry(f"https://h/api/v2/vps/{target.vps}/agent/exec", sent={"Authorization": f"Bearer {API_KEY}"})
    file = recorded(tmp_path / "x.har", [ours, ours, elsewhere])
    with pytest.raises(Misconfigured, match=r"takes more than 0\.5 seconds to read"):
        client_recording.read(file, {})
