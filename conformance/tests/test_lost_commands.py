"""Why commands were lost: each hypothesis is said where all agrees with it, and not where one contradicts it."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hostup_conformance.contract.ask import SLEEP, Exchange, with_started_commands
from hostup_conformance.contract.causes.lost_commands import (
    Reasons,
    ended_by,
    lost_together,
)
from hostup_conformance.contract.commands import flood, posix, steady
from hostup_conformance.contract.lives import lives
from hostup_conformance.contract.paths import path_of
from hostup_conformance.contract.target import Target
from hostup_conformance.contract.understanding import understand
from hostup_conformance.http.messages import Request, Response

OWN, OTHER = "vps_own", "vps_other"
GIVEN = {"HOSTUP_API_KEY": "key-of-the-tests", "HOSTUP_VPS_ID": OWN, "HOSTUP_UNAVAILABLE_VPS_ID": OTHER}
TARGET = Target.from_environment("http://127.0.0.1:1", GIVEN, kind="mock")
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
GONE, RUNS = (404, {"code": "not_found"}), (200, {"exited": False})
ENDED = (200, {"exited": True, "exitCode": 0, "stdout": "x\n", "stderr": ""})
NOTHING = (200, {"exited": True, "exitCode": 0, "stdout": "", "stderr": ""})
FAILED, UNAUTHORIZED = (500, {"code": "internal_error"}), (401, {"code": "unauthorized"})
#: What a firewall gives.
PAGE = (403, None)


class Story:
    """Exchanges of a run that begins at 0 s, in which each response comes at once."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []

    def add(self, at: float, method: str, query: str, got: tuple[int, Any], key: bool = True, **more: str) -> None:
        """Add an exchange; `more` are its VPS and its command."""
        headers = (("Authorization", f"Bearer {GIVEN['HOSTUP_API_KEY']}"),) if key else ()
        body = json.dumps({"command": more["command"]}).encode() if "command" in more else b""
        request = Request(method, path_of(more.get("vps", OWN)) + query, headers, body)
        status, json_body = got
        kind = "application/json" if json_body is not None else "text/html; charset=utf-8"
        text = json.dumps(json_body).encode() if json_body is not None else b"<h1>Are you human?</h1>"
        asked = understand(request, TARGET, self.exchanges)
        response = Response(status, (("Content-Type", kind),), text)
        number = len(self.exchanges) + 1
        moment = BEGIN + timedelta(seconds=at)
        self.exchanges.append(Exchange(number, request, response, asked, seconds=0.001, when=moment))

    def last_took(self, seconds: float) -> None:
        """Say how long the last response took."""
        self.exchanges[-1] = replace(self.exchanges[-1], seconds=seconds)

    def start(self, at: float, pid: int, command: str = "echo x") -> None:
        """Add the start of a command."""
        self.add(at, "POST", "", (200, {"pid": pid, "pollUrl": f"{path_of(OWN)}?pid={pid}"}), command=command)

    def poll(self, at: float, pid: int, got: tuple[int, Any], **more: Any) -> None:
        """Add a poll."""
        self.add(at, "GET", f"?pid={pid}", got, **more)

    def probe(self, at: float) -> None:
        """Add a probe."""
        self.add(at, "GET", "", (200, {"available": True}))

    @property
    def reasons(self) -> Reasons:
        """Why commands were lost in it."""
        return Reasons(self.exchanges)


def of_two(*, after: float, got: tuple[int, Any] = GONE, command: str = "echo x", spared: float = 0.1) -> Story:
    """Return a story of three commands, of which the last is polled soon, and two so many seconds after the start."""
    story = Story()
    for pid in (7, 8):
        story.start(pid / 100, pid, command)
    for pid in (7, 8):
        story.poll(pid / 100 + after, pid, got)
    story.start(50, 9)
    story.poll(50 + spared, 9, ENDED)
    return story


def test_nothing_is_said_without_losses() -> None:
    assert of_two(after=1, got=ENDED).reasons.lost is None


def test_forgotten_after_a_time() -> None:
    """Where nobody knows how long a command ran, it may be from its start or its end."""
    said = of_two(after=2).reasons.lost
    assert (
        said
        == "a command is forgotten 0.1 to 2.0 s after its start, or 0.1 to 2.0 s after its end, polled or not, it seems"
    )
    assert of_two(after=2, spared=3).reasons.lost is None


@pytest.mark.parametrize("longest", [2.4, 3.1])
def test_forgotten_by_a_clock_of_whole_seconds(longest: float) -> None:
    """As where the time of a file is kept without its fraction. Beyond a second there is no such clock."""
    story = Story()
    for pid in range(7, 20):
        story.start(10.0 * pid, pid)
        after, got = (0.5 + pid / 10, ENDED) if pid < 13 else (2.0 + (pid - 13) / 5, GONE)
        story.poll(10.0 * pid + after, pid, got)
    story.start(300, 30)
    story.poll(300 + longest, 30, ENDED)
    for pid in (31, 32, 33, 34, 35):
        story.start(10.0 * pid, pid)
        story.poll(10.0 * pid + 5, pid, GONE)
    said = "a command is forgotten 2.0 to 2.4 s after its end, by a clock of whole seconds, it seems"
    assert (story.reasons.lost == said) == (longest == 2.4)


def test_forgotten_though_it_runs() -> None:
    said = of_two(after=2, command=SLEEP).reasons.lost
    assert said == "a command is forgotten 0.1 to 2.0 s after its start, though it runs, it seems"


@pytest.mark.parametrize("contradicted", [False, True])
def test_not_known_from_a_time_on_until_it_has_ended(contradicted: bool) -> None:
    story = Story()
    for pid in (7, 8, 9):
        story.start(10.0 * pid, pid, SLEEP)
        story.poll(10.0 * pid + 1, pid, RUNS)
        story.poll(
            10.0 * pid + (3 if contradicted and pid == 8 else 2), pid, RUNS if contradicted and pid == 8 else GONE
        )
        story.start(10.0 * pid + 3, pid + 10)
        story.poll(10.0 * pid + 9, pid + 10, ENDED)
    said = "a command is not known from 1.0 to 2.0 s after its start until it has ended, it seems"
    assert (story.reasons.lost == said) is not contradicted


def test_kept_while_it_runs() -> None:
    story = of_two(after=2)
    story.start(60, 10, SLEEP)
    story.poll(65, 10, RUNS)
    assert story.reasons.lost == "a command is forgotten 0.1 to 2.0 s after its end, polled or not, it seems"


@pytest.mark.parametrize("contradicted", [False, True])
def test_forgotten_once_others_are_started(contradicted: bool) -> None:
    story = Story()
    for pid in (7, 8, 9, 10):
        story.start(pid / 100, pid)
    story.poll(1, 10, ENDED)
    story.poll(1, 9, ENDED)
    story.poll(1, 8, GONE)
    story.poll(1, 7, GONE)
    story.start(2, 11)
    story.poll(3, 11, ENDED)
    if contradicted:
        for pid in (12, 13, 14):
            story.start(4 + pid / 100, pid)
        story.poll(5, 12, ENDED)
        story.poll(5, 13, ENDED)
    said = None if contradicted else "a command is forgotten once 2 other commands have been started, it seems"
    assert story.reasons.lost == said


@pytest.mark.parametrize("kept", [False, True])
def test_forgotten_once_others_have_printed_much(kept: bool) -> None:
    """Eviction by size cannot be told from that by number, or from a restart, unless something large was outlived."""
    story = Story()
    for pid in (7, 8):
        story.start(pid / 10, pid)
    story.start(1, 9, flood("0123456789ab").text)
    for pid in (7, 8):
        story.poll(2 + pid / 10, pid, GONE)
    story.start(4, 10)
    story.start(4.1, 11)
    if kept:
        story.start(4.2, 12, flood("0123456789ab").text)
    story.poll(5, 10, ENDED)
    assert ("or once others have printed 1 to 102,400 bytes" in (story.reasons.lost or "")) is not kept


def test_kept_only_while_it_runs() -> None:
    story = Story()
    story.start(0, 6, SLEEP)
    for pid in (7, 8, 9):
        story.start(pid / 100, pid)
    for pid in (7, 8):
        story.poll(1, pid, GONE)
    story.poll(3, 9, ENDED)
    story.poll(4, 6, RUNS)
    said = "a command is forgotten once 1 other command has been started, unless it runs, it seems"
    assert story.reasons.lost == said


@pytest.mark.parametrize("contradicted", [False, True])
def test_forgotten_with_the_server(contradicted: bool) -> None:
    """What ends the server is found in a request that has nothing to do with the commands."""
    story = Story()
    for pid in (7, 8, 9):
        story.start(pid / 10, pid)
    story.add(2, "GET", "?pid=%", (502, None))
    for pid in (7, 8):
        story.poll(3, pid, GONE)
    story.start(4, 10)
    story.poll(9, 10, ENDED)
    if contradicted:
        story.poll(9, 9, ENDED)
    said = "a command is forgotten by a request that gets a 5xx, as where that ends the server"
    assert (said in (story.reasons.lost or "")) is not contradicted


@pytest.mark.parametrize("contradicted", [False, True])
def test_taken_with_the_end_of_another(contradicted: bool) -> None:
    story = Story()
    for pid in (6, 7, 8, 9):
        story.start(pid / 10, pid)
    story.poll(2, 6, ENDED)
    for pid in (7, 8, 9):
        story.poll(3, pid, GONE)
    story.start(4, 10, SLEEP)
    for pid in (11, 12):
        story.start(4, pid)
    story.poll(9, 11, ENDED)
    story.poll(10, 10, RUNS)
    story.poll(10, 12, ENDED if contradicted else GONE)
    said = "a command is forgotten by a poll that tells the end of another command, unless it runs"
    assert (said in (story.reasons.lost or "")) is not contradicted


@pytest.mark.parametrize("contradicted", [False, True])
def test_forgotten_by_a_probe(contradicted: bool) -> None:
    story = Story()
    for pid in (7, 8):
        story.start(pid, pid)
        story.probe(pid + 0.1)
        story.poll(pid + 0.2, pid, GONE)
    story.start(20, 9)
    if contradicted:
        story.probe(21)
    story.poll(25, 9, ENDED)
    story.start(30, 10)
    story.start(30, 11)
    story.poll(30.1, 10, ENDED)
    said = None if contradicted else "a command is forgotten by a probe of the availability, it seems"
    assert story.reasons.lost == said


REFUSALS: dict[str, dict[str, Any]] = {
    "by a poll of it that is refused with 401": {"got": UNAUTHORIZED, "key": False},
    "by a poll of its pid under the VPS without an agent": {"got": GONE, "vps": OTHER},
    "by a poll of it that gets a 5xx, and its output with that": {"got": FAILED},
}


@pytest.mark.parametrize("contradicted", [False, True])
@pytest.mark.parametrize("words", REFUSALS)
def test_used_up_by_a_refusal(words: str, contradicted: bool) -> None:
    story = Story()
    for pid in (7, 8, 9):
        story.start(pid, pid)
        if pid < 9 or contradicted:
            story.poll(pid + 0.1, pid, **REFUSALS[words])
        story.poll(pid + 0.2, pid, ENDED if pid == 9 else GONE)
    story.start(20, 10)
    story.start(20, 11)
    story.poll(20.1, 11, RUNS)
    story.poll(29, 10, ENDED)
    said = story.reasons.lost or ""
    assert (words in said) is not contradicted


def test_each_end_is_used_up_by_a_failure() -> None:
    """Where no end was told, time parts the known from the lost as well."""
    story = Story()
    story.start(1, 1)
    story.poll(1.1, 1, RUNS)
    story.poll(6, 1, RUNS)
    for pid in (7, 8):
        story.start(pid, pid)
        story.poll(pid + 0.1, pid, FAILED)
        story.poll(pid + 0.2, pid, GONE)
    assert (story.reasons.lost or "").startswith("a command is forgotten by a poll of it that gets a 5xx")


def test_a_running_command_has_no_output_to_be_used_up() -> None:
    story = Story()
    for pid in (7, 8):
        story.start(pid, pid)
        story.poll(pid + 0.1, pid, UNAUTHORIZED, key=False)
        story.poll(pid + 0.2, pid, GONE)
    story.start(20, 9, SLEEP)
    story.poll(20.1, 9, UNAUTHORIZED, key=False)
    story.poll(22, 9, RUNS)
    story.start(30, 10)
    story.start(30, 11)
    story.poll(35, 10, ENDED)
    assert "refused with 401" in (story.reasons.lost or "")


@pytest.mark.parametrize("contradicted", [False, True])
def test_polled_too_often(contradicted: bool) -> None:
    story = Story()
    for pid in (7, 8):
        story.start(pid, pid, SLEEP)
        for at, got in enumerate((RUNS, RUNS, GONE)):
            story.poll(pid + at / 10, pid, got)
    story.start(20, 9)
    story.start(20, 10)
    story.poll(25, 9, RUNS)
    story.poll(26, 9, RUNS)
    if contradicted:
        story.poll(27, 9, RUNS)
    said = None if contradicted else "a command is forgotten once it has been polled 2 times, it seems"
    assert story.reasons.lost == said


@pytest.mark.parametrize("contradicted", [False, True])
def test_not_known_while_it_runs(contradicted: bool) -> None:
    story = Story()
    for pid in (7, 8):
        story.start(pid, pid, SLEEP)
        story.poll(pid + 5, pid, GONE)
        story.start(pid + 10, pid + 10)
        story.poll(pid + 20, pid + 10, ENDED)
    if contradicted:
        story.start(50, 20, SLEEP)
        story.poll(51, 20, RUNS)
    assert ("as long as it runs" in (story.reasons.lost or "")) is not contradicted


def found_again() -> Story:
    """Return a story of two commands that are lost at first and known after that."""
    story = Story()
    for pid in (7, 8):
        story.start(pid, pid)
        story.poll(pid + 0.2, pid, GONE)
        story.poll(pid + 0.5, pid, ENDED)
    return story


def test_not_known_at_first() -> None:
    story = found_again()
    assert "not known at first, it seems: not 0.20 s after its start, but 0.50 s after it" in (story.reasons.lost or "")


def test_known_to_one_of_several() -> None:
    """Here a command is known earlier than another was lost, so that time has nothing to do with it."""
    story = found_again()
    story.start(20, 9)
    story.poll(20.1, 9, ENDED)
    assert "not each of several servers knows a command, or none at once" in (story.reasons.lost or "")
    story.start(30, 10, SLEEP)
    for at, got in enumerate((RUNS, GONE, RUNS), 31):
        story.poll(at, 10, got)
    assert "only some of several servers know a command" in (story.reasons.lost or "")


COMMANDS = {
    command.name: command.text
    for command in posix("aa", 2.0)
    if command.name in {"number", "errors", "exit_1", "exit_200", "six_kilobytes", "shared"}
}


@pytest.mark.parametrize(
    ("lost", "said"),
    [
        (
            ("exit_1", "exit_200"),
            "each command that fails (2), and none of 4 others, is lost, it seems",
        ),
        (
            ("six_kilobytes", "shared"),
            "each command that prints 4,096 bytes or more (2), and none of 4 others, is lost, it seems",
        ),
        (("number", "shared"), None),
    ],
)
def test_commands_of_one_kind_that_are_lost(lost: tuple[str, str], said: str | None) -> None:
    story = Story()
    for pid, (name, command) in enumerate(COMMANDS.items(), 7):
        story.start(pid, pid, command)
        story.poll(pid + 0.1 + (pid % 3) / 100, pid, GONE if name in lost else ENDED)
    assert story.reasons.lost == said
    unknown = story.reasons.not_known(next(seen.e for seen in story.reasons.evidence.lost))
    assert (unknown is None) is (said is not None)


def test_output_that_another_request_got_is_not_lost() -> None:
    story = Story()
    story.start(1, 7)
    story.poll(2, 7, ENDED, vps=OTHER)
    story.poll(3, 7, GONE)
    assert not story.reasons.evidence.lost


def test_a_page_is_that_of_something_in_front() -> None:
    story = Story()
    story.start(1, 7)
    story.poll(2, 7, PAGE)
    story.poll(3, 7, (403, {"code": "forbidden"}))
    first, second = (story.reasons.of(e) for e in story.exchanges[1:])
    assert "a page in HTML" in (first or "")
    assert second is None


@pytest.mark.parametrize("known_before", [False, True])
def test_starts_that_are_lost_without_a_trace(known_before: bool) -> None:
    story = Story()
    for pid in range(7, 13):
        story.start(pid, pid)
        if pid == 8 and known_before:
            story.poll(pid + 0.05, pid, RUNS)
        story.poll(pid + 0.1, pid, ENDED if pid % 2 else GONE)
    said = story.reasons.lost
    assert said is None if known_before else "3 of 6 commands are never known, and others" in str(said)


@pytest.mark.parametrize(
    ("got", "said"),
    [
        ("kkkklll", "none of the last 3 commands is ever known, and all 4 that were started before them were: no more"),
        ("lllllll", "no poll finds any of 7 commands: they are kept where polls do not look, or for the connection of"),
        ("kkkklklll", None),
        ("kkkkkll", None),
    ],
)
def test_a_store_that_is_full_and_one_that_polls_do_not_read(got: str, said: str | None) -> None:
    story = Story()
    for pid, known in enumerate(got, 7):
        story.start(pid, pid)
        story.poll(pid + 0.1, pid, ENDED if known == "k" else GONE)
    lost = story.reasons.lost or ""
    assert lost.startswith(said) if said else not lost.startswith("no")


def unending(*, first: str = "echo hostup-x", runs: bool = True) -> Story:
    """Return a story of two commands that never end, and two that do, of which one was seen to run."""
    story = Story()
    for pid in (7, 9):
        story.start(pid, pid, first)
        story.start(pid, pid + 1, "echo hostup-x")
        story.poll(pid + 0.1, pid, RUNS)
        if runs:
            story.poll(pid + 0.2, pid + 1, RUNS)
        story.poll(pid + 0.3, pid + 1, ENDED)
    story.start(12, 11, "echo hostup-x")
    story.poll(12.1, 11, ENDED)
    for pid in (7, 9):
        story.poll(20, pid, RUNS)
    return story


@pytest.mark.parametrize("one_ends_soon", [False, True])
def test_that_all_commands_take_long(one_ends_soon: bool) -> None:
    story = Story()
    for pid in range(1, 7):
        story.start(10 * pid, pid)
        story.poll(10 * pid + 4.1, pid, RUNS)
        if pid > 2:
            story.poll(10 * pid + (3.1 if one_ends_soon and pid == 6 else 5.1), pid, ENDED)
    assert ("every command takes so long" in (story.reasons.unending or "")) is not one_ends_soon


def test_starts_that_are_lost() -> None:
    said = unending().reasons.unending or ""
    assert "starts were lost" in said
    assert "a cache" not in said


@pytest.mark.parametrize(("alone_too", "others"), [(False, 12), (True, 12), (False, 1)])
def test_starts_that_are_lost_together(alone_too: bool, others: int) -> None:
    story = Story()
    for pid in range(7, 13):
        story.start((pid + 1) // 2, pid)
    for pid in range(20, 20 + others):
        story.start(pid, pid)
        story.poll(pid + 0.1, pid, RUNS if alone_too and pid == 20 else ENDED)
    for pid in range(7, 13):
        story.poll(60, pid, ENDED if pid == 8 else RUNS)
    if alone_too:
        story.poll(60, 20, RUNS)
    said = lost_together(story.reasons.evidence)
    assert (said is None) is (alone_too or others == 1)


def test_what_a_cache_keeps_was_not_lost() -> None:
    assert "a cache" in (unending(runs=False).reasons.unending or "")
    assert "a cache" not in (unending().reasons.unending or "")


@pytest.mark.parametrize("contradicted", [False, True])
def test_what_a_cache_keeps_for_a_while(contradicted: bool) -> None:
    story = Story()
    for pid in (7, 8):
        story.start(pid, pid)
    story.poll(7.1, 7, RUNS)
    if not contradicted:
        story.poll(13, 8, ENDED)
    story.poll(14, 7, RUNS)
    if contradicted:
        story.poll(15, 8, ENDED)
    story.poll(16, 7, ENDED)
    said = story.reasons.of(story.reasons.evidence.overdue[0].polls[1]) or ""
    assert ("a cache keeps what the first poll" in said) is not contradicted


def test_another_kind_of_command_that_never_ends_was_not_lost() -> None:
    assert unending(first=": hostup-number-aa; printf 0").reasons.unending is None


@pytest.mark.parametrize("contradicted", [False, True])
def test_commands_that_wait_for_one_another(contradicted: bool) -> None:
    story = Story()
    story.start(0, 6)
    story.poll(0.1, 6, ENDED)
    story.start(1, 7, SLEEP)
    for pid in (8, 9, 10):
        story.start(2, pid)
    for pid in (8, 9):
        story.poll(8, pid, RUNS)
    story.poll(9, 10, ENDED if contradicted else RUNS)
    assert ("waits for those before it" in (story.reasons.unending or "")) is not contradicted


def test_bodies_of_any_kind_are_survived() -> None:
    values: list[Any] = [
        None,
        True,
        5,
        "x",
        [],
        {},
        [{"exited": True}],
        {"exited": {}},
        {"exited": True, "exitCode": []},
    ]
    story = Story()
    story.start(0, 10**400)
    story.poll(0, 10**400, GONE)
    for number, value in enumerate(values):
        story.start(number, 10 + number)
        for status in (200, 404, 500):
            story.poll(number + status / 1000, 10 + number, (status, value if value is not None else {}))
    reasons = story.reasons
    assert isinstance((reasons.lost, reasons.unending), tuple)
    assert with_started_commands(TARGET, story.exchanges).started_pids


def test_forgotten_after_a_time_unless_it_runs() -> None:
    story, slow = Story(), next(one for one in posix("aa", 2.0) if one.name == "slow")
    for pid in (7, 8):
        story.start(pid, pid, slow.text)
        story.poll(pid + 0.5, pid, RUNS)
        story.poll(pid + 3, pid, GONE)
    story.start(20, 9)
    story.poll(21.5, 9, ENDED)
    story.start(30, 10, SLEEP)
    story.poll(38, 10, RUNS)
    story.poll(39, 10, RUNS)
    assert story.reasons.lost == "a command is forgotten 1.5 to 3.0 s after its start, unless it runs, it seems"
    story.poll(40, 10, GONE)
    assert "unless it runs" not in (Reasons(story.exchanges).lost or "")


@pytest.mark.parametrize("contradicted", [False, True])
def test_not_known_until_they_end(contradicted: bool) -> None:
    slow = next(one for one in posix("aa", 2.0) if one.name == "slow")
    story = Story()
    for pid in (7, 8):
        story.start(pid, pid, slow.text)
        story.poll(pid + 0.5, pid, RUNS if contradicted and pid == 8 else GONE)
        story.poll(pid + 3, pid, ENDED)
    story.start(20, 9)
    story.poll(20.1, 9, ENDED)
    assert ("as long as it runs" in (story.reasons.lost or "")) is not contradicted


@pytest.mark.parametrize("contradicted", [False, True])
def test_an_end_is_noticed_by_the_next_start(contradicted: bool) -> None:
    story = Story()
    for pid in (7, 8, 9):
        story.start(pid, pid)
        story.poll(pid + 0.9, pid, ENDED if contradicted and pid == 8 else RUNS)
    for pid in (7, 8):
        story.poll(10 + pid, pid, ENDED)
    story.poll(20, 9, RUNS)
    for pid in (10, 11):
        story.start(21, pid)
        story.poll(30, pid, RUNS)
    if not contradicted:
        story.poll(30.5, 9, ENDED)
    assert ("noticed when the next command is started" in (story.reasons.unending or "")) is not contradicted


@pytest.mark.parametrize("contradicted", [False, True])
def test_a_pipe_that_nobody_reads(contradicted: bool) -> None:
    """It is not said where a command comes to its end that fills the same pipe: then it is slow."""
    commands = {one.name: one for one in (*posix("aa", 2.0), flood("aa"))}
    story = Story()
    for pid, name in enumerate(("letters", "streams", "errors", "number", "megabyte", "flood")):
        story.start(pid, 7 + pid, commands[name].text)
        story.poll(pid + 8, 7 + pid, ENDED if pid < 4 or (contradicted and name == "flood") else RUNS)
    assert ("nobody reads" in (story.reasons.unending or "")) is not contradicted


def ended(
    *cut: float, runs: float = 0.0, code: int | None = 137, ran: float = 0.0, silent: bool = True, out: str = ""
) -> str:
    """Return why commands were ended that were started at so many seconds, each after a second.

    They were seen to run so long before; and so was another one that was not ended, and which was silent or not.
    """
    story = Story()
    story.start(0, 5, SLEEP if silent else steady("0123456789ab", 0.2).text)
    if runs:
        story.poll(runs, 5, RUNS)
    for pid, at in enumerate(cut, 7):
        story.start(at, pid, SLEEP)
        if ran:
            story.poll(at + ran, pid, RUNS)
        story.poll(at + 1, pid, (200, {"exited": True, "exitCode": code, "stdout": out}))
    story.start(max(cut) + 0.5, 30)
    every = lives(sorted(story.exchanges, key=lambda e: e.when or BEGIN))
    return ended_by([life for life in every if life.end], every)


def test_a_time_limit_lies_within_all_that_was_seen() -> None:
    assert ended(5, 9, ran=0.8) == (
        ": a command is ended 0.8 to 1.0 s after its start, or by the first poll that finds it running, it seems"
    )
    assert "after its start" not in ended(5, 9, ran=0.8, runs=4)
    assert ended(5, ran=0.8) == ""


def test_a_start_ends_what_runs_unless_something_ran_on() -> None:
    assert "once 1 other command has been started" in ended(5, 5.5, ran=0.1, runs=0.1)
    assert "been started" not in ended(5, 5.5, ran=0.8)


def test_a_command_that_is_never_seen_to_run_ends_with_its_start() -> None:
    said = ", and no poll of any command got exited false"
    assert ended(5, 9) == f"{said}: a command ends with the request that starts it, it seems"
    assert ended(5, 9, code=0) == (
        f"{said}: exited is true too soon, or a command ends with the request that starts it, it seems"
    )
    assert ended(5, 5.1, runs=9) == ""


def test_the_first_poll_ends_what_runs_unless_something_ran_on_after_one() -> None:
    assert ended(5, 9, runs=3, ran=0.1) == ": a command is ended by the first poll that finds it running, it seems"
    assert "by the first poll" not in ended(5, 9, runs=3)


def test_output_is_taken_for_the_end_unless_what_prints_ran_on() -> None:
    assert ended(5, 9, runs=3, out="x") == ": a command is ended as soon as it has printed something, it seems"
    assert "as soon as" not in ended(5, 9, runs=3, out="x", silent=False)
    assert "as soon as" not in ended(5, 9, runs=3)


def test_silence_is_taken_for_the_end_unless_something_was_silent_for_longer() -> None:
    assert "of silence" in ended(5, 9, runs=3, ran=0.5, silent=False)
    assert "of silence" not in ended(5, 9, runs=3, ran=0.5)


@pytest.mark.parametrize("contradicted", [False, True])
def test_forgotten_at_a_moment(contradicted: bool) -> None:
    story = Story()
    for pid in range(6, 13):
        story.start(pid / 100, pid)
    story.poll(0.5, 12, ENDED)
    for pid in (7, 8, 9):
        story.poll(1 + pid / 100, pid, GONE)
    for pid in (20, 21, 22, 23):
        story.start(pid / 10, pid)
    story.poll(9, 20, ENDED)
    if contradicted:
        story.poll(9, 6, ENDED)
    said = "all commands were forgotten at one moment between requests 8 and 9: by a restart, or by what was sent then"
    assert story.reasons.lost == (None if contradicted else said)
