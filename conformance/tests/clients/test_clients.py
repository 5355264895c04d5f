"""The suite judges clients: one of each kind of defect, hostile commands, and the command line."""

import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from clients import catalogue
from clients.catalogue import Client, right, wrong
from clients.faulty import faulty
from clients.matrix import FEW, verdicts
from hostup_conformance.clients import Does, examples
from hostup_conformance.clients.examples import LANGUAGES
from hostup_conformance.clients.judging import MATRIX, client_requirements
from hostup_conformance.clients.play import ClientCommand
from hostup_conformance.clients.rounds import RunControl, play_each
from hostup_conformance.clients.rules.outcome import last_words
from hostup_conformance.clients.scenes import BASE_URL, KEY, QUICK, SCENES, THROUGH
from hostup_conformance.clients.story import Outcome
from hostup_conformance.clients.traps import TABLE, advice, traps
from hostup_conformance.front import cli
from hostup_conformance.judging.root_cause import read_matrix
from hostup_conformance.keeping import processes
from hostup_conformance.mock import API_KEY
from judging import reported
from recordings import Entry, entry, recorded
from running import KEPT, hostup, ran, report_in

# Whole runs, or many cases of one kind: `make catalogue` runs them.
pytestmark = pytest.mark.catalogue

FAULTY = Path(__file__).parent / "faulty"
README = Path(__file__).parents[2] / "CLIENTS.md"
CLI = (sys.executable, "-m", "hostup_conformance.front.cli")
RIGHT = (sys.executable, "-IS", str(FAULTY), "Right")
JUDGED = {id for id, requirement in client_requirements().items() if requirement.level != "OBSERVE"}


def client(folder: Path, *arguments: str | Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return hostup(folder, "client", "--report-dir", folder / "report", *arguments, **environ)


#: Plays scenes without much patience.
IMPATIENT = """
import sys
from hostup_conformance.clients import play
from hostup_conformance.front.cli import main

play.to_start = play.allowed = lambda _scene: 1.0
sys.exit(main(sys.argv[1:]))
"""


def impatient(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return ran(folder, (sys.executable, "-c", IMPATIENT, "client", "--report-dir", folder / "report", *arguments))


def script(folder: Path, text: str) -> tuple[str, ...]:
    file = folder / "client.py"
    file.write_text(textwrap.dedent(text), "utf-8")
    return sys.executable, "-IS", str(file)


#: The generated client in its several forms, and the examples.
GENERATED = [one for one in right() if one.name.startswith("generated")]
EXAMPLES = [one for one in right() if one.name in LANGUAGES.values()]


def shares(clients: list[Client]) -> list[Any]:
    """Return clients with the scenes that each is played, of which every three have all between them."""
    return [pytest.param(one, list(SCENES.all())[number % 3 :: 3], id=one.name) for number, one in enumerate(clients)]


@pytest.mark.parametrize(("client", "played"), shares(GENERATED) + shares(EXAMPLES))
def test_our_own_clients_do_nothing_wrong(client: Client, played: list[str]) -> None:
    """`make clients` plays all scenes to each of them."""
    nothing_wrong(client, played)


def nothing_wrong(client: Client, played: Iterable[str]) -> str:
    """Return the verdict on a client of which no requirement may complain."""
    verdict = verdicts([client], lambda _: played, FEW)[client.name]
    if isinstance(verdict, str):
        pytest.skip(verdict)
    assert {id: verdict.results[id].message for id in reported(verdict)} == {}
    return verdict.name


def test_every_must_and_should_has_a_faulty_client() -> None:
    assert {one.requirement for one in faulty()} == JUDGED


#: The first faulty client of each requirement.
FIRST = {one.requirements[0]: one for one in reversed([one for one in wrong() if one.argument])}


@pytest.mark.parametrize("part", range(6))
def test_each_requirement_notices_its_first_faulty_client(part: int) -> None:
    first = dict(list(FIRST.items())[part::6])
    found = verdicts(first.values(), lambda one: one.scenes[:1])
    seen = {id: verdict for id, one in first.items() if not isinstance(verdict := found[one.name], str)}
    assert [id for id in first if id not in reported(seen[id])] == []


def test_a_quick_run_finds_what_breaks_a_must() -> None:
    assert set(QUICK) <= SCENES.all().keys()
    musts = {id for id, requirement in client_requirements().items() if requirement.level == "MUST"}
    first = {one.requirement: one for one in reversed(faulty())}
    assert {id for id, one in first.items() if id in musts and set(one.scenes).isdisjoint(QUICK)} == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_example_is_printed_as_it_is(language: str, tmp_path: Path) -> None:
    printed = hostup(tmp_path, "client", "--example", language).stdout
    assert printed.encode() == (Path(examples.__file__).parent / LANGUAGES[language]).read_bytes()


def test_the_readme_has_the_contract_and_all_levels() -> None:
    readme = README.read_text("utf-8")
    assert cli.CLIENT_CONTRACT.read_text("utf-8") in readme
    rows = [row.split("|") for row in readme[readme.index("## What is judged") :].splitlines() if row.startswith("| ")]
    rows = [row for row in rows if row[1].strip() in {"key", "requests", "course", "end"}]
    for level, column in (("MUST", 2), ("SHOULD", 3)):
        numbers = {int(number) for row in rows for number in re.findall(r"\b(\d\d)\b", row[column])}
        ids = {f"CLIENT-{number:02}" for number in numbers}
        assert ids == {id for id, one in client_requirements().items() if one.level == level}


def test_the_matrix_is_of_this_catalogue() -> None:
    matrix = read_matrix(MATRIX)
    assert {name: row["requirement"] for name, row in matrix["faults"].items()} == {
        one.name: one.requirements[0] for one in wrong()
    }, "make client-matrix"
    assert [name for name, row in matrix["faults"].items() if row["requirement"] not in row["reported"]] == []
    assert {name: row["reported"] for name, row in matrix["variants"].items()} == {one.name: [] for one in right()}
    assert matrix["examples"].keys() == JUDGED


def test_every_scene_says_what_the_server_does() -> None:
    for scene in SCENES.all().values():
        assert scene.doc.endswith("."), scene.name
        assert scene.completes in {None, THROUGH, BASE_URL, "CLIENT-34"}


def test_a_right_client_is_reported_as_servers_are(tmp_path: Path) -> None:
    done = client(tmp_path, "--scene", "well", "--scene", "exit-code-3", "--", *RIGHT)
    assert done.returncode == 0, done.stdout + done.stderr
    report = report_in(tmp_path)
    assert report["verdict"] == "conformant"
    assert report["target"]["kind"] == "client"
    assert [entry["id"] for entry in report["requirements"]] == list(client_requirements())
    assert report["requests"] == sum(report["methods"].values()) == 8
    assert {file.name for file in (tmp_path / "report").iterdir()} >= {"report.html", "junit.xml", "summary.md"}


def test_a_faulty_client_is_told_what_to_do(tmp_path: Path) -> None:
    done = client(tmp_path, "--scene", "start-lost", "--", *RIGHT[:-1], "StartsAgainAfterLoss")
    assert done.returncode == 1
    (entry,) = (entry for entry in report_in(tmp_path)["requirements"] if entry["status"] == "fail")
    assert entry["id"] == "CLIENT-17"
    assert entry["evidence"][0]["curl"].startswith("hostup-conformance client --scene start-lost -- ")
    assert "POST /api/v2/vps/" in entry["evidence"][0]["body"]


#: Faulty clients, the scenes that each is played, and the one cause with what follows from it.
CAUSES = {
    "IdEncodedTwice": (["awkward-id"], "CLIENT-06", ["CLIENT-33"]),
    "StartsAndLeaves": (["well", "base-url-with-path"], "CLIENT-27", ["CLIENT-33", "CLIENT-42"]),
    "FetchesAgain": (["well", "exit-code-3"], "CLIENT-19", ["CLIENT-29", "CLIENT-30", "CLIENT-31"]),
    "KeyWithoutScheme": (
        ["well", "base-url-with-slash", "connection-closed-between"],
        "CLIENT-01",
        ["CLIENT-33", "CLIENT-34", "CLIENT-42"],
    ),
    "IgnoresEveryRetryAfter": (
        ["poll-rate-limited", "probe-rate-limited-until", "poll-overloaded"],
        "CLIENT-20",
        ["CLIENT-21", "CLIENT-22"],
    ),
}


@pytest.mark.parametrize("name", CAUSES)
def test_what_a_client_did_wrong_stands_above_what_follows_from_it(name: str, tmp_path: Path) -> None:
    scenes, cause, explains = CAUSES[name]
    client(tmp_path, *(f"--scene={scene}" for scene in scenes), "--", *RIGHT[:-1], name)
    assert report_in(tmp_path)["root_causes"] == [{"id": cause, "explains": explains}]


def test_who_finishes_where_all_goes_well_is_first_told_what_does_harm(tmp_path: Path) -> None:
    scenes = ("well", "available-missing", "available-alone")
    client(tmp_path, *(f"--scene={name}" for name in scenes), "--", *RIGHT[:-1], "GateByMachine")
    assert [cause["id"] for cause in report_in(tmp_path)["root_causes"]] == ["CLIENT-15", "CLIENT-33"]


def test_what_only_a_probing_client_shows_is_said_to_be_so(tmp_path: Path) -> None:
    client(tmp_path, "--scene", "well", "--", *RIGHT)
    disabled = {
        entry["id"]: entry["message"] for entry in report_in(tmp_path)["requirements"] if entry["status"] == "disabled"
    }
    assert disabled.keys() == {"CLIENT-40", "CLIENT-41"}
    assert set(disabled.values()) == {"judged with --does probe, for a client that only probes"}


@pytest.mark.parametrize(
    ("name", "form"),
    [("with-slash", "ends with a slash"), ("with-path", "has a path"), ("in-capitals", "has capitals")],
)
def test_what_is_unusual_about_a_base_url_is_named(name: str, form: str) -> None:
    assert SCENES.named(f"base-url-{name}").form == form


@pytest.mark.parametrize(
    ("name", "scene", "said"),
    [
        ("PidOfAnEarlierCommand", "well", "no poll, since nothing was started"),
        ("PidZero", "neither-pid-nor-poll-url", "no poll, since there is no pid"),
        ("StartsAndLeaves", "well", "and there was no poll"),
        ("PollsOnce", "slow-command", "although exited was still false, and HOSTUP_TIMEOUT "),
    ],
)
def test_what_a_client_did_wrong_is_named(name: str, scene: str, said: str, tmp_path: Path) -> None:
    assert said in client(tmp_path, "--scene", scene, "--", *RIGHT[:-1], name).stdout


def test_no_report_has_the_key_of_a_scene(tmp_path: Path) -> None:
    done = client(tmp_path, "--scene", "well", "--", *RIGHT[:-1], "KeyInUrlToo")
    assert "CLIENT-02" in done.stdout
    texts = [done.stdout, done.stderr, *(file.read_text("utf-8") for file in (tmp_path / "report").iterdir())]
    assert [text for text in texts if KEY in text] == []


def test_waivers_and_strict_hold_for_clients(tmp_path: Path) -> None:
    command = ("--scene", "well", "--", *RIGHT[:-1], "Nameless")
    assert client(tmp_path, *command).returncode == 0
    assert client(tmp_path, "--strict", *command).returncode == 1
    waivers = tmp_path / "waivers.yaml"
    waivers.write_text("- {id: CLIENT-11, reason: soon, expires: 2999-01-01}", "utf-8")
    assert client(tmp_path, "--strict", "--waivers", waivers, *command).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--scene", "rate-limited", "--", "true"], "similar names are"),
        (["--", "no-such-program"], "there is no program no-such-program"),
        ([], "give the client's command after --"),
        (["--does", "poll", "--scene", "start-lost", "--", "true"], "not for a command that does poll"),
    ],
)
def test_what_cannot_be_judged_is_said(tmp_path: Path, arguments: list[str], said: str) -> None:
    done = client(tmp_path, *arguments)
    assert done.returncode == 4
    assert said in done.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import sys; sys.exit('no such\\x1b[31m module')", "  | no such\\x1b[31m module\n"),
        ("pass", "it printed nothing to its standard error"),
        ("import time; time.sleep(100)", "it sent nothing (it was ended after"),
    ],
)
def test_a_command_that_sends_nothing_is_run_once(text: str, said: str, tmp_path: Path) -> None:
    command = script(tmp_path, f"open('runs', 'a').write('.')\n{text}")
    done = impatient(tmp_path, "--scene", "start-lost", "--scene", "poll-lost", "--", *command)
    assert done.returncode == 1
    assert said in done.stdout
    assert len((tmp_path / "runs").read_text("ascii")) == 1 + ("ended" in said)
    assert report_in(tmp_path)["verdict"] == "not_conformant"


def test_one_that_does_not_end_is_not_played_on(tmp_path: Path) -> None:
    done = impatient(tmp_path, "--", *RIGHT[:-1], "NeverExits")
    assert "it did not end (it was ended after" in done.stdout
    assert done.stdout.count("again, alone") == 1
    failed = [entry["id"] for entry in report_in(tmp_path)["requirements"] if entry["status"] == "fail"]
    assert failed == ["CLIENT-24", "CLIENT-33"]


def test_the_environment_holds_what_was_promised_alone(tmp_path: Path) -> None:
    command = script(tmp_path, "import json, os; open('env.json', 'w').write(json.dumps(dict(os.environ)))")
    client(tmp_path, "--", *command, HOSTUP_READ_API_KEY="x" * 20, https_proxy="http://x")
    given = json.loads((tmp_path / "env.json").read_text("utf-8"))
    names = ("BASE_URL", "API_KEY", "VPS_ID", "COMMAND", "TIMEOUT", "SCENE", "CONFORMANCE_SCENE")
    assert {name for name in given if name.startswith("HOSTUP_")} == {f"HOSTUP_{name}" for name in names}
    assert [name for name in given if name.lower().endswith("_proxy")] == []


PROBES = """
    import json, os, sys, urllib.request
    url = f"{os.environ['HOSTUP_BASE_URL']}/api/v2/vps/{os.environ['HOSTUP_VPS_ID']}/agent/exec"
    headers = {"Authorization": f"Bearer {os.environ['HOSTUP_API_KEY']}", "User-Agent": "x/1"}
    def get(query=""):
        return json.load(urllib.request.urlopen(urllib.request.Request(url + query, headers=headers), timeout=5))
"""


def test_a_probing_client_is_judged_by_probes(tmp_path: Path) -> None:
    command = script(tmp_path, PROBES + "    sys.exit(not get()['available'])")
    done = client(tmp_path, "--does", "probe", "--scene", "well", "--scene", "unavailable", "--", *command)
    assert done.returncode == 0, done.stdout
    statuses = {entry["id"]: entry["status"] for entry in report_in(tmp_path)["requirements"]}
    assert statuses["CLIENT-33"] == "pass"
    assert statuses["CLIENT-17"] == statuses["CLIENT-29"] == "skip"


def test_a_probe_that_was_not_understood_is_named(tmp_path: Path) -> None:
    client(tmp_path, "--does", "probe", "--scene", "probe-empty-body", "--", *RIGHT[:-1], "FailsInSilence")
    (entry,) = (entry for entry in report_in(tmp_path)["requirements"] if entry["id"] == "CLIENT-35")
    assert "since the last response was no JSON object" in entry["message"]


def test_a_polling_client_is_judged_by_polls(tmp_path: Path) -> None:
    polls = """
    import time
    while not (output := get("?pid=" + os.environ["HOSTUP_PID"]))["exited"]:
        time.sleep(0.4)
    sys.stdout.write(output["stdout"])
    sys.stderr.write(output["stderr"])
    sys.exit(output["exitCode"])
    """
    command = script(tmp_path, PROBES + polls)
    done = client(tmp_path, "--does", "poll", "--scene", "large-pid", "--scene", "exit-code-3", "--", *command)
    assert done.returncode == 0, done.stdout
    statuses = {entry["id"]: entry["status"] for entry in report_in(tmp_path)["requirements"]}
    assert statuses["CLIENT-07"] == statuses["CLIENT-31"] == "pass"
    assert statuses["CLIENT-08"] == "skip"


#: What commands do that mean harm, or do not know better.
HOSTILE = {
    "never ends and ignores signals": """
        import signal, time
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        time.sleep(600)
    """,
    "leaves a daemon behind": """
        import os, subprocess, sys
        sleep = [sys.executable, "-ISc", "import time; time.sleep(600)"]
        subprocess.Popen(sleep, start_new_session=True, env={}, stdout=1, stderr=2)
    """,
    "forks and forks": """
        import os, time
        for _ in range(5):
            os.fork()
        os.setsid() if os.getpid() != os.getsid(0) else None
        time.sleep(600)
    """,
    "sends garbage": """
        import os, socket
        from urllib.parse import urlsplit
        port = urlsplit(os.environ["HOSTUP_BASE_URL"]).port
        for text in (b"\\x16\\x03\\x01\\x02", b"GET / HTTP/1.1\\r\\n" + b"a: b\\r\\n" * 20000, b"\\r\\n\\r\\n",
                     b"POST / HTTP/1.1\\r\\nContent-Length: 99999999999\\r\\n\\r\\n",
                     b"POST / HTTP/1.1\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\nzz\\r\\n"):
            with socket.create_connection(("127.0.0.1", port), 1) as connection:
                connection.sendall(text)
                connection.shutdown(socket.SHUT_WR)
                try:
                    connection.recv(1000)
                except OSError:
                    pass
    """,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_command_leaves_only_a_report(name: str, tmp_path: Path) -> None:
    """A run with a hostile command ends with a report, and leaves nothing else behind."""
    before = set(processes.processes())
    run = impatient(tmp_path, "--scene", "well", "--", *script(tmp_path, HOSTILE[name]))
    assert run.returncode == 1, run.stdout + run.stderr
    assert run.stderr == ""
    assert report_in(tmp_path)["verdict"] == "not_conformant"
    mine = [
        pid for pid in set(processes.processes()) - before if str(tmp_path).encode() in processes.read(pid, "cmdline")
    ]
    assert [pid for pid in mine if processes.state(pid) not in "ZX"] == []


def test_no_scene_begins_after_the_time() -> None:
    """No scene begins once the time is used up."""
    stop = RunControl(-1)
    assert play_each([(ClientCommand(RIGHT), SCENES.named("well"))], stop) == [[]]
    assert stop.reason == "the -1 seconds of a run were used up"


@pytest.mark.parametrize(
    ("signals", "stopped", "said"),
    [
        (1, "the run was interrupted", ""),
        (3, "the run did not come to its end", "hostup-conformance: interrupted\n"),
    ],
)
def test_an_interrupted_run_reports_what_it_saw(tmp_path: Path, signals: int, stopped: str, said: str) -> None:
    """From the second signal on, it does not wait for its commands: they end with it."""
    command = script(tmp_path, "import os, time; print(os.getpid(), file=open('began', 'w')); time.sleep(600)")
    run = subprocess.Popen(
        [*CLI, "client", "--report-dir", tmp_path / "report", "--", *command],
        cwd=tmp_path, env=KEPT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while not (tmp_path / "began").exists() or not (tmp_path / "began").read_text():
        time.sleep(0.05)
    for _ in range(signals):
        run.send_signal(signal.SIGINT)
        time.sleep(0.01)
    stdout, stderr = run.communicate(timeout=60)
    assert run.returncode == 2, stdout + stderr
    assert stderr == said
    assert report_in(tmp_path)["stopped"] == stopped
    assert processes.state(int((tmp_path / "began").read_text())) in "ZX"


def seen(method: str, target: str, status: int, got: object, second: int, body: str = "") -> Entry:
    sent = {"Authorization": "Bearer hu_a_made_up_0123456789", "User-Agent": "x"}
    sent |= {"Content-Type": "application/json"} if body else {}
    url, when = f"https://cloud.hostup.se{target}", f"2026-04-27T12:00:{second:02}Z"
    return entry(url, status, json.dumps(got) if got else None, method=method, sent=sent, body=body, when=when)


EXEC = "/api/v2/vps/vps_1/agent/exec"
START = json.dumps({"command": "uname"})


def test_a_recording_is_judged_for_its_client(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    right = [
        seen("GET", EXEC, 200, {"available": True}, 0),
        seen("POST", EXEC, 200, {"pid": 7}, 1, START),
        seen("GET", f"{EXEC}?pid=7", 200, {"exited": True, "exitCode": 0}, 3),
        seen("POST", EXEC, 200, {"pid": 7}, 10, START),
        seen("GET", f"{EXEC}?pid=7", 200, {"exited": True, "exitCode": 0}, 12),
        seen("GET", "/api/v2/vps/vps_1/console", 200, {}, 13),
    ]
    lost = [seen("POST", EXEC, 0, None, 20, START), seen("POST", EXEC, 200, {"pid": 8}, 21, START)]
    found = {}
    for name, entries in (("right", right), ("lost", right + lost)):
        file = recorded(tmp_path / f"{name}.har", entries)
        code = cli.main(["judge", str(file), "--client", "--report-dir", str(tmp_path / "report")])
        found[name] = (code, [e["id"] for e in report_in(tmp_path)["requirements"] if e["status"] in {"fail", "warn"}])
    assert found == {"right": (0, []), "lost": (1, ["CLIENT-17"])}
    assert "hu_a_made_up_0123456789" not in capsys.readouterr().out


def test_a_recording_without_keys_shows_no_client(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = recorded(tmp_path / "browser.har", [entry("https://h/api/v2/vps/vps_1/agent/exec")])
    assert cli.main(["judge", str(file), "--client", "--report-dir", str(tmp_path / "report")]) == 4
    assert "export it with sensitive data" in capsys.readouterr().err


def test_one_scene_is_served_by_hand(tmp_path: Path) -> None:
    """As in a shell that has what `make mock` prints, whose key is taken out of all that is printed."""
    command, environ = [*CLI, "client", "--by-hand", "--scene", "well"], {**KEPT, "HOSTUP_API_KEY": API_KEY}
    run = subprocess.Popen(command, cwd=tmp_path, env=environ, stdout=subprocess.PIPE, text=True)
    assert run.stdout
    given: dict[str, str] = defaultdict(str)
    while "HOSTUP_COMMAND" not in given:
        name, _, value = run.stdout.readline().removeprefix("export ").strip().partition("=")
        given[name] = value.strip("'")
    hostup = {name: value for name, value in given.items() if name.startswith("HOSTUP_")}
    tried = subprocess.run([*RIGHT[:-1], "GetWithBody"], env={**os.environ, **hostup}, check=False, capture_output=True)
    run.send_signal(signal.SIGINT)
    while run.poll() is None:  # as somebody does who is impatient
        time.sleep(0.01)
        run.send_signal(signal.SIGINT)
    rest, _ = run.communicate(timeout=20)
    assert tried.returncode == 0
    assert run.returncode == 1
    assert "CLIENT-14" in rest


def test_the_readme_has_the_traps_of_libraries() -> None:
    readme = README.read_text("utf-8")
    assert TABLE.read_text("utf-8") in readme
    assert len(traps()) == len(TABLE.read_text("utf-8").splitlines()) - 2
    assert {id for trap in traps() for id in trap.requirements} <= client_requirements().keys()


def test_advice_names_a_library_only_where_it_is_known() -> None:
    assert "retryPost=false" in advice("Java/17.0.1", answered=False)
    assert "FRESH_CONNECT" in advice("PHP-curl/8", answered=False)
    assert "--tries=1" in advice("Wget/1.25.0", answered=False)
    assert "--retry" in advice("curl/8.14.1", answered=True)
    unknown = "your HTTP library, or a wrapper around it, may repeat by itself"
    assert {advice(name, answered=False) for name in ("my-client/1.0", "")} == {unknown}


def test_advice_names_no_library_that_repeats_only_what_got_no_response_for_a_start_that_got_one() -> None:
    names = ("Java/17.0.1", "PHP-curl/8", "GuzzleHttp/7", "okhttp/4.12", "axios/1.7", "Wget/1.25.0")
    assert len({advice(name, answered=True) for name in names}) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ""),
        ("first\nlast\n\n", ": last"),
        ("Traceback (most recent call last):\n  File\nValueError: no\n", ": ValueError: no"),
        (
            "file:1\nthrow new Error('x')\n    ^\n\nError: boom: x\n    at file:1:7\n\nNode.js v20.1.0\n",
            ": Error: boom: x",
        ),
        (
            'Exception in thread "main" java.io.IOException: no\n\tat A.b(A.java:1)\n',
            ': Exception in thread "main" java.io',
        ),
        ("panic: no\n\ngoroutine 1 [running]:\nmain.main()\n\t/x.go:5 +0x1\nexit status 2\n", ": panic: no"),
        ("a.rb:1:in `f': no (RuntimeError)\n\tfrom a.rb:2:in `<main>'\n", ": a.rb:1:in `f': no"),
        (
            "PHP Fatal error:  Uncaught E: no in /a.php:1\nStack trace:\n#0 {main}\n  thrown in /a.php\n",
            ": PHP Fatal error:  Uncaught E: no",
        ),
        ("lua: a.lua:1: no\nstack traceback:\n\t[C]: in function 'error'\n\t[C]: in ?\n", ": lua: a.lua:1: no"),
        ('no\n    while executing\n"error no"\n    invoked from within\n"f"\n    (file "a.tcl")\n', ": no"),
        ("a: no\nCallStack (from HasCallStack):\n  error, called at a.hs:1:8\n", ": a: no"),
        ("thread 'main' panicked at a.rs:1:6:\nno\nnote: run with `RUST_BACKTRACE=1`\n", ": no"),
        ("Error: no\nExecution halted\n", ": Error: no"),
        ("  no, indented\n", ": no, indented"),
    ],
)
def test_the_last_words_are_the_error(text: str, said: str) -> None:
    found = last_words(Outcome(1, b"", text.encode(), 1.0))
    assert found.startswith(said)
    assert found or not said


@pytest.mark.parametrize("does", ["probe", "poll"])
def test_a_right_client_that_does_less_is_conformant(does: Does) -> None:
    assert nothing_wrong(replace(catalogue.RIGHT, does=does), SCENES.all()) == "conformant"
