"""Root causes in the report and in the terminal."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from catalogue import every
from faults import FAULTS
from faults.probe import refuse
from hostup_conformance.contract.server_verdict import root_causes as of_server
from hostup_conformance.judging.root_cause import FORM, Breach, root_causes
from hostup_conformance.judging.waivers import apply_waivers
from hostup_conformance.reports.figures import mends
from hostup_conformance.reports.terminal import SHOWN
from hostup_conformance.sources import control_commands
from judging import IMPATIENT, LIMITS, result_on, run, verdict_by, verdict_on
from stage import Change, Request, Response, Stage


def entry(id: str, status: str) -> dict[str, Any]:
    return {"id": id, "status": status}


def ordered(entries: list[dict[str, Any]], causes: list[dict[str, Any]]) -> list[tuple[str, str | None]]:
    """The requirements in their order, each with the cause that it stands behind."""
    listed = mends({"requirements": entries, "root_causes": causes}, SHOWN)
    return [
        (e["id"], None if e is mend.entry else mend.entry["id"])
        for mend in listed
        for e in (mend.entry, *mend.explains)
    ]


def test_what_follows_stands_behind_its_cause() -> None:
    entries = [entry("A-01", "fail"), entry("A-02", "warn"), entry("A-03", "fail"), entry("A-04", "fail")]
    causes = [{"id": "A-03", "explains": ["A-01", "A-02"]}, {"id": "A-04", "explains": []}]
    assert ordered(entries, causes) == [("A-03", None), ("A-01", "A-03"), ("A-02", "A-03"), ("A-04", None)]


def test_a_warning_that_explains_a_failure_is_first() -> None:
    entries = [entry("A-01", "fail"), entry("A-02", "warn"), entry("A-03", "observe"), entry("A-04", "fail")]
    causes = [{"id": "A-02", "explains": ["A-04"]}, {"id": "A-01", "explains": []}]
    assert ordered(entries, causes) == [("A-02", None), ("A-04", "A-02"), ("A-01", None), ("A-03", None)]


def test_without_causes_the_worst_comes_first() -> None:
    """Without root causes, the worst status comes first, and passes are left out."""
    entries = [entry("A-01", "pass"), entry("A-02", "warn"), entry("A-03", "error"), entry("A-04", "disabled")]
    assert [id for id, _ in ordered(entries, [])] == ["A-03", "A-02", "A-04"]


MATRIX = {
    "one": {"requirement": "A-01", "reported": ["A-01", "A-02"]},
    "two": {"requirement": "A-03", "reported": ["A-03", "A-02"]},
    "three": {"requirement": "A-02", "reported": ["A-02"]},
}


def breaches(*ids: str, failing: str = "") -> list[Breach]:
    return [Breach(id, fails=id == failing) for id in ids]


def test_what_fails_comes_before_what_warns() -> None:
    assert list(root_causes(breaches("A-04", "A-05"), MATRIX)) == ["A-04", "A-05"]
    assert list(root_causes(breaches("A-04", "A-05", failing="A-05"), MATRIX)) == ["A-05", "A-04"]


def test_no_failure_that_does_harm_stands_behind_a_warning() -> None:
    found = root_causes(breaches("A-01", "A-02", "A-04", failing="A-01"), MATRIX)
    assert found == {"A-01": ["A-02"], "A-04": []}
    assert list(root_causes(breaches("A-01", "A-02", "A-04", failing="A-02"), MATRIX)) == ["A-02", "A-01", "A-04"]
    of_form = [Breach("A-01", rank=FORM), Breach("A-02", fails=True, rank=FORM)]
    assert root_causes(of_form, MATRIX) == {"A-01": ["A-02"]}


def test_what_stands_beside_the_core_comes_after_what_does_the_same_harm() -> None:
    beside, worse = Breach("A-04", fails=True, later=2, places={1, 2}), Breach("A-06", fails=True, rank=2)
    assert list(root_causes([beside, worse, Breach("A-05", fails=True)], {})) == ["A-05", "A-04", "A-06"]


def test_what_is_seldom_a_consequence_comes_first() -> None:
    assert list(root_causes(breaches("A-02", "A-04"), MATRIX)) == ["A-04", "A-02"]


def test_what_is_broken_everywhere_follows_from_nothing_that_is_broken_in_one_place() -> None:
    faults = {"one": {"requirement": "A-01", "reported": ["A-01", "A-02"]}}
    one_place = Breach("A-01", places={"one"})
    assert root_causes([one_place, Breach("A-02", places={"one", "two"})], faults) == {"A-01": ["A-02"]}
    assert root_causes([one_place, Breach("A-02", places={"one", "two", "three"})], faults) == {"A-02": [], "A-01": []}


def test_what_is_wrong_with_a_response_that_was_not_due_follows_from_that() -> None:
    undue = Breach("A-01", places={"one", "two", "three"}, undue=True)
    same_places = Breach("B-01", places={"one", "two", "three", "four"})
    assert root_causes([undue, same_places], {}) == {"A-01": ["B-01"]}
    elsewhere = Breach("B-01", places={"one", "four"})
    assert root_causes([undue, elsewhere], {}) == {"A-01": [], "B-01": []}


def test_what_is_said_in_general_follows_from_what_is_special_in_the_same_places() -> None:
    """It does so although it does more harm, and never the other way about."""
    special, general = Breach("A-01", places={"one"}, rank=2), Breach("A-33", places={"one"}, rank=0, general=True)
    faults = {"one": {"requirement": "A-01", "reported": ["A-01", "A-33"]}}
    assert root_causes([special, general], faults) == {"A-01": ["A-33"]}
    apart = replace(general, places={"two"})
    assert root_causes([special, apart], faults) == {"A-33": [], "A-01": []}


def test_a_refusal_in_another_way_lets_nobody_in() -> None:
    """So it comes after what does harm, though a wrong key that is let in would come first."""

    def accepts_anything_alone(request: Request, response: Response) -> None:
        if "json" in request.headers.get("accept", ""):
            refuse(request, response, 406, "not_acceptable", "Not acceptable")

    found = of_server(verdict_on(accepts_anything_alone))
    assert set(list(found)[:2]) == {"PROBE-01", "POLL-05"}
    assert "AUTH-02" in found
    assert not any("HTTP-25" in (root, *explained) for root, explained in found.items())


def test_who_is_sent_elsewhere_is_not_let_in() -> None:
    def redirects(request: Request, response: Response) -> None:
        if request.path.endswith("/agent/exec") and request.query:
            response.become(307)
            response.header("Location", request.path)

    assert next(iter(of_server(verdict_on(redirects)))) == "HTTP-06"


#: Faults that many requirements could tell of, each with the one that does, and what it says.
TOLD: dict[str, tuple[str, str]] = {
    "a_start_ends_the_command_before": ("START-22", "with exitCode 137 and 0 of "),
    "commands_end_with_their_request": ("START-22", "a command ends with the request that starts it"),
    "commands_are_killed_early": ("START-22", "with exitCode 0 and 10 of 10 characters printed"),
    "an_outer_shell_expands_variables": ("START-19", '"$HOME" became "/var/lib/hostup-agent"'),
    "special_characters_are_escaped": ("START-19", "a backslash before what a shell expands"),
    "only_the_first_line_is_run": ("START-19", "only its first line ran, it seems"),
    "ended_commands_have_no_output": ("POLL-10", 'another stdout: {"stdout": ""}'),
    "long_commands_are_refused": ("START-01", "for a command of 4096 characters"),
    "output_is_ascii_alone": ("START-07", "stdout without any character outside ASCII: "),
    "output_ends_before_an_emoji": ("START-07", "stdout that ends before the first character above U+FFFF: "),
    "chunks_are_out_of_order": ("START-05", 'the first 5 characters come last: "endedbegun"'),
    "unfinished_lines_are_lost": ("START-05", "stdout without its last line, which has no line end"),
    "buffers_are_shared": ("START-05", " prints, beside other text: "),
    "polls_take_what_they_return": ("START-05", ": a poll takes what it returns, it seems"),
    "an_empty_stderr_is_the_one_before": ("START-11", " writes to standard error: "),
    "secrets_are_masked": ("START-13", '"*** and *** and jane.doe" instead of "hunter2 and 4'),
    "backslashes_are_read_on_the_way_out": ("START-13", "stdout with the escapes of backslashes read: "),
    "letters_are_torn_between_buffers": ("START-07", "wherever a block of 4,096 bytes ends within a character"),
    "whatever_is_on_stderr_is_a_failure": ("START-14", "exitCode 1: 1 for every command that ends with 0 and writes"),
    "lines_are_broken_after_80_characters": ("START-07", " stdout with a line end after each 80 characters of a line"),
    "commands_are_cut_at_1000_characters": ("START-19", "only its first 1,000 of 4,096 characters ran"),
    "a_poll_under_another_vps_takes_the_output": ("PID-05", "got command output (exited, exitCode, stdout, stderr)"),
    "commands_are_cut_at_64_characters": ("START-19", "only its first 64 of 4,096 characters ran"),
    "chunks_are_counted_in_characters": ("HTTP-01", " requests for output with characters outside ASCII, none of "),
    "commands_are_ended_and_succeed": ("START-22", "with exitCode 0, as if it had succeeded"),
    "a_start_ends_all_commands": ("START-22", "have been started, it seems"),
    "an_unknown_pid_gets_the_last_output": ("PID-04", "got 200, with what the command of request "),
    "output_in_latin_1": ("START-07", "stdout in UTF-8 that was read as Latin-1: "),
    "bodies_are_read_as_latin_1": ("START-07", "(in the request; what is sent in ASCII is whole)"),
    "the_same_command_is_not_started_again": ("START-16", "got the pid of request "),
    "limited_polls_use_the_output_up": ("START-27", "got 429 and so takes nothing"),
    "exit_codes_are_text": ("START-08", 'got {"exitCode": "0"}'),
    "lack_of_scope_is_unauthorized": ("SCOPE-02", "got 401 unauthorized"),
    "foreign_vps_is_unauthorized": ("ID-02", "got 401 unauthorized"),
    "one_replica_knows_no_keys": ("AUTH-08", "back and forth: it is not known what decides"),
    "a_command_blocks_the_server": ("HTTP-01", 'which started "sleep 60", got a response: what runs blocks all'),
    "starts_wait_for_a_minute": ("HTTP-01", "a start waits for the end, it seems"),
    "words_are_replaced": ("START-19", '"kill" became "true"'),
    "polls_of_what_runs_are_a_504": ("POLL-05", "a poll waits for the end, it seems"),
    "silent_commands_never_end": ("START-27", "each command that writes nothing (2), and none of "),
    "what_is_not_utf_8_empties_the_body": (
        "HTTP-03",
        "it is a poll of the command named not_utf_8, the only command whose",
    ),
    "a_running_command_makes_the_agent_unavailable": ("PROBE-05", "what was started has changed it, it seems"),
    "failing_commands_are_a_500": ("START-27", "each command that ends with another exitCode than 0 (7), and none of "),
    "quotes_in_a_command_are_a_500": ("START-01", 'with "\'" in its command, none of '),
    "large_output_ends_the_connection": (
        "HTTP-01",
        "only the 2 requests of a command that prints 65,536 bytes ",
    ),
    "streams_are_swapped": ("START-05", "got stdout without it, which came as stderr: "),
    "slots_are_not_given_back": ("START-01", "no slot gets free, it seems"),
    "quotes_end_commands": ("START-19", 'with "\'" in them ran otherwise, with "sh: 1: Syntax error: Unt'),
    "commands_end_at_the_first_failure": ("START-19", "it ended there, as with sh -e, it seems"),
    "closed_output_is_an_end": ("START-22", "when it had closed its output: the end of that is taken for its own"),
    "closed_output_is_a_success": ("START-22", "when it had closed its output: the end of that is taken for its own"),
    "the_third_poll_ends_a_command": ("START-22", "a command is ended once it has been polled 2 times, it seems"),
    "the_first_poll_ends_a_command": ("START-22", "by the first poll that finds it running, it seems"),
    "output_is_an_end": ("START-22", "as soon as it has printed something, it seems"),
    "silence_is_an_end": ("START-22", " s after the start"),
    "only_the_last_lines_are_kept": (
        "START-12",
        "only the last 1,024,000 of 1,126,400 characters, which are 1,000 lines",
    ),
    "errors_are_cut_at_64_kib": ("START-11", "only the first 65,536 of 88,000 characters"),
    "each_poll_adds_the_output_again": ("START-05", "stdout that comes "),
    "a_banner_comes_first": ("START-05", 'stdout with "Last login: today" before it, as all have'),
    "an_end_is_noticed_by_the_next_start": ("START-27", "an end is noticed when the next command is started"),
    "a_probe_forgets_what_has_ended": ("START-27", "forgotten by a probe of the availability, unless it runs"),
    "code_255_is_a_502": ("START-27", "until the end of the command named exit_255 was reported, got 502"),
    "a_bad_pid_gets_the_page_of_a_crash": ("PID-06", "an exception that nobody catches, or something in front"),
    "a_gateway_gives_up_large_outputs": ("START-27", ", those that print most (and "),
    "a_gateway_loses_the_body": ("START-01", "the command is not found in the body, it seems"),
    "starts_are_redirected": ("START-01", "which clients follow with a GET or not at all"),
    "lasting_starts_are_a_504": ("START-01", "a start waits for the end, it seems"),
    "a_notice_comes_before_the_json": ("HTTP-03", "something stands before the JSON text: 'Notice: Undefined"),
    "output_ends_at_a_nul": ("START-20", 'up to the first "\\u0000"'),
    "commands_run_when_they_are_polled": ("START-16", "a command waits for its first poll, it seems"),
    "each_poll_after_the_end_runs_it_again": ("START-16", "a poll runs it again, or a start ran twice, it seems"),
    "commands_run_twice": ("START-16", "it has run 2 times"),
    "an_unknown_pid_gets_the_probe": ("POLL-02", " for a pid that no command has, or none any longer, none of "),
    "exit_code_is_spelled_as_the_agent_does": ("POLL-04", "got exitcode"),
    "commands_are_read_as_a_url": ("START-19", "its text came with the escapes of a URL read"),
    "commands_are_in_lower_case": ("START-19", "its text came in lower case"),
    "quotes_have_backslashes_before_them": ("START-19", "a backslash stands before each, it seems"),
    "errors_are_kept_without_output_alone": (
        "START-11",
        "stderr that is empty, as of every command that prints someth",
    ),
    "three_results_are_kept": ("START-01", "no more are kept at a time, it seems"),
    "large_output_evicts_what_is_kept": ("START-27", ", or once others have printed "),
}


#: Those of which more than one requirement tells, with the one that comes first.
FIRST = {
    "a_copy_lags_behind": ("POLL-09", "got exited true again: one of several copies of the data lags behind, it seems"),
    "one_of_two_versions_knows_no_scope": ("SCOPE-02", "in a row: servers or versions take turns, it seems"),
    "a_cache_knows_no_method": ("SCOPE-04", "POSTs got the availability, as a GET does, and none a pid"),
    "put_starts_too": ("HTTP-11", "and a pid, as if it had started a command"),
    "commands_run_twice_and_all_output_is_kept": ("START-16", "it has run 2 times, and so have all: each start runs"),
    "results_go_to_the_next_command": ("START-05", "stdout that the command of request "),
    "lengths_are_in_characters": ("HTTP-03", "Content-Length counts characters in place of bytes, it seems"),
    "bodies_are_in_latin_1": ("HTTP-03", "got not UTF-8"),
    "what_no_process_can_have_runs": ("PID-03", " such pids get the same"),
    "sign_is_dropped": ("PID-12", " with a sign"),
    "cursors_are_ignored": ("VPS-12", "another nextCursor on each page"),
    "results_of_two_are_exchanged": ("START-05", "what another was to get, which got its own: the two are exchanged"),
    "half_of_long_output_comes_later": ("START-12", "got stdout that is only 2,027 of 4,055 characters"),
    "pids_are_one_off": ("START-05", "a start gives a pid that is one off, or the one before, it seems"),
    "starts_give_the_pid_before": ("START-05", "a start gives a pid that is one off, or the one before, it seems"),
    "pids_are_not_looked_at": ("START-05", "of the command that was started last: the pid is not looked at, it seems"),
    "replies_are_one_poll_late": ("START-05", "what comes is one poll late, it seems"),
    "output_is_escaped_for_html": ("START-05", "stdout escaped for HTML, with &#039;: "),
    "exited_is_true_of_all": ("START-22", "no poll of any command got exited false"),
    "output_comes_late": ("START-05", "a later poll, as request "),
    "output_has_frames": ("START-05", r"\u0001\u0000"),
    "a_cache_knows_no_query": ("POLL-02", "expected command output"),
    "a_gateway_keeps_404s": ("START-27", "a cache takes no notice of the query, it seems"),
    "one_of_two_nodes_has_no_output": ("START-05", "back and forth: it is not known what decides"),
    "a_gateway_adds_a_member_again": ("HTTP-04", "repeated: exited"),
}


#: Faults of which something is not said, since what was spared refutes it.
UNSAID = {
    "commands_end_with_their_request": "been started",
    "commands_are_killed_early": "as if it had succeeded",
    "output_of_another_command": "that the command of request",
    "output_is_cut_at_4_kib": "altered before it ran",
    "output_is_escaped_for_html": "altered before it ran",
    "letters_of_four_bytes_are_replaced": "with ? for each character",
    "output_comes_late": "without its first line",
    "output_in_both_streams": "that the command of request",
    "exit_code_is_a_wait_status": "256 times the code",
}


#: Each of them is noticed in a whole run too, so that no other test makes one with it.
CAUSES = {name: FAULTS.named(name) for name in (*TOLD, *FIRST, *UNSAID)}


@pytest.mark.parametrize("name", every(100, [(name, name) for name in CAUSES]))
def test_the_first_cause_is_the_fault(name: str) -> None:
    """What else is broken follows from it, or is a warning; and what something refutes is not said."""
    fault = CAUSES[name]
    verdict = verdict_on(fault.change, IMPATIENT if fault.hangs else LIMITS, allow_exec=fault.starts)
    assert verdict.results[fault.requirement].status in {"fail", "warn"}
    assert verdict.summary["error"] == 0
    said = {id: result.message for id, result in verdict.results.items()}
    if name in UNSAID:
        assert not [id for id, message in said.items() if UNSAID[name] in message]
    if name in {*TOLD, *FIRST}:
        requirement, words = {**TOLD, **FIRST}[name]
        roots = of_server(verdict)
        assert next(iter(roots)) == requirement, {id: said[id] for id in roots}
        assert words in said[requirement]
        failing = [id for id in roots if verdict.results[id].status == "fail"]
        assert name in FIRST or failing == [requirement], {id: said[id] for id in roots}


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [(403, "forbidden", "a rate limit, it seems"), (503, "upstream_busy", "the server is busy, or limits the rate")],
)
def test_a_limit_without_429_is_named_and_explains_the_rest(status: int, code: str, words: str) -> None:
    def limits(request: Request, response: Response) -> None:
        if request.nth() % 30 > 25:
            refuse(request, response, status, code, "Later")
            response.header("Retry-After", "0")

    verdict = verdict_on(limits)
    first, *others = of_server(verdict).items()
    assert f"{words}, which is to get 429" in verdict.results[first[0]].message
    assert first[1]
    assert not any("a rate limit" in verdict.results[id].message for id, _ in others)


def flaps(request: Request, response: Response) -> None:
    if response.is_availability and request.own and request.nth("probes") % 2:
        response.change(available=False)


def goes_down(request: Request, response: Response) -> None:
    if response.is_availability and request.own and request.nth("probes") > 5:
        response.change(available=False)


def gives_output_to_probes(_request: Request, response: Response) -> None:
    if response.is_availability:
        response.change(exited=True, stdout="of another command")


def lists_now_and_then(request: Request, response: Response) -> None:
    if request.path.endswith("/vps") and request.full and request.nth("lists") == 1:
        response.json = {"data": [], "hasMore": False}


@pytest.mark.parametrize(
    ("change", "requirement", "words", "said"),
    [
        (flaps, "PROBE-05", "7 of 13 requests, 1 of each 2 in a row", True),
        (goes_down, "PROBE-05", "not known", False),
        (goes_down, "PROBE-05", "HOSTUP_VPS_ID", False),
        (FAULTS.named("never_available").change, "PROBE-05", "name a VPS in HOSTUP_VPS_ID", True),
        (gives_output_to_probes, "SCOPE-05", "a plain probe gets command output as well", True),
        (gives_output_to_probes, "PROBE-04", "as well", False),
        (lists_now_and_then, "VPS-03", "the list differs from time to time", True),
        (FAULTS.named("list_lacks_one").change, "VPS-03", "differs", False),
    ],
)
def test_what_several_responses_show_is_told(change: Change, requirement: str, words: str, said: bool) -> None:
    result = result_on(Stage(change), requirement)
    assert result.status == "fail"
    assert (words in result.message) is said, result.message


@pytest.mark.catalogue
@pytest.mark.parametrize("ran", [False, True])
def test_a_start_that_failed_and_ran_is_told(ran: bool) -> None:
    def fail_to_start(request: Request, response: Response) -> None:
        if response.is_started and (b"hostup-refused_90-" in request.body or b"hostup-number-" in request.body):
            refuse(request, response, 500, "internal_error", "Internal server error")
        if not ran and response.is_output and "refused_90" in response.json.get("stdout", ""):
            response.change(stdout=response.json["stdout"].replace("refused_90", ""))

    message = result_on(Stage(fail_to_start), "START-01", allow_exec=True).message
    assert ("ran nevertheless" in message) is ran


@pytest.mark.catalogue
def test_where_commands_are_lost_some_more_are_started() -> None:
    _, wire, _ = run(FAULTS.named("results_are_kept_for_a_moment").change, allow_exec=True)
    assert control_commands.PURPOSE in {e.purpose for e in wire.exchanges}
    assert "; a command is forgotten " in verdict_by(wire).results["START-27"].message


def test_what_is_a_cause_hangs_on_no_option() -> None:
    """With --strict, a warning that does more harm than what it follows from would stand before it."""

    def fails_at_strange_pids(request: Request, response: Response) -> None:
        if response.status == 400 and request.pid is not None:
            response.become(
                500, b'Traceback (most recent call last):\n  File "/srv/app.py", line 3\nValueError', "text/plain"
            )

    verdict = verdict_on(fails_at_strange_pids)
    causes = of_server(verdict)
    assert "SAFETY-02" in {id for followers in causes.values() for id in followers}
    assert of_server(apply_waivers(verdict, [], date(2026, 1, 1), strict=True)) == causes
