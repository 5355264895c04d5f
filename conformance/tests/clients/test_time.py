"""A busy machine is nobody's fault: what failed by time is played again; to give up on time is no fault."""

import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest
from hostup_conformance.clients import play, rounds
from hostup_conformance.clients.judging import Verdict, judge_client
from hostup_conformance.clients.play import ClientCommand
from hostup_conformance.clients.rounds import RunControl, Speed, play_each
from hostup_conformance.clients.scenes import SCENES
from hostup_conformance.clients.story import Scene

# Each case takes seconds: `make catalogue` runs them.
pytestmark = pytest.mark.catalogue

FAULTY = Path(__file__).parent / "faulty"

#: The right client with a line before its class is used, in which `run` is the number of this run.
CLIENT = """
    import sys, time
    from pathlib import Path
    sys.path.insert(0, {tests!r})
    from clients.faulty import Right
    runs = Path({folder!r}) / "runs"
    runs.open("a").write(".")
    run = len(runs.read_text())
"""


def command(folder: Path, text: str) -> ClientCommand:
    file = folder / "client.py"
    begins = CLIENT.format(tests=str(FAULTY.parent.parent), folder=str(folder))
    file.write_text(textwrap.dedent(begins) + textwrap.dedent(text) + "\nsys.exit(Right().main())\n", "utf-8")
    return ClientCommand((sys.executable, "-IS", str(file)))


def verdict_in(scene: Scene, client: ClientCommand) -> Verdict:
    (exchanges,) = play_each([(client, scene)], RunControl())
    return judge_client(exchanges)


def broken(verdict: Verdict) -> list[str]:
    return [id for id, result in verdict.results.items() if result.status in {"fail", "warn"}]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(play, "to_start", lambda _scene: 1.0)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("slow", "found"), [("run == 1", []), ("True", ["CLIENT-24", "CLIENT-33"])])
def test_who_was_slow_once_is_not_blamed(slow: str, found: list[str], tmp_path: Path) -> None:
    client = command(tmp_path, f"if {slow}: time.sleep(60)")
    assert broken(verdict_in(SCENES.named("well"), client)) == found
    assert (tmp_path / "runs").read_text("ascii") == ".."


#: It gives up just as the response to its poll is on its way.
GIVES_UP = """
def ask(self, method, url, body=None):
    found = ask_right(self, method, url, body)
    if "?pid=" not in url: return found
    time.sleep(max(self.left(), 0))
    {then}
ask_right, Right.ask = Right.ask, ask
"""


@pytest.mark.parametrize(
    ("then", "found"),
    [
        ("sys.exit('timed out')", []),
        ("sys.exit(0)", ["CLIENT-29", "CLIENT-31"]),
        ("print('timed out'); sys.exit(1)", ["CLIENT-29", "CLIENT-31"]),
    ],
)
def test_who_gives_up_on_time_need_not_print_what_came_last(then: str, found: list[str], tmp_path: Path) -> None:
    scene = replace(SCENES.named("exit-code-3"), polls=0, completes=None, timeout=2.5)
    client = command(tmp_path, GIVES_UP.format(then=then))
    assert [id for id in broken(verdict_in(scene, client)) if id != "CLIENT-30"] == found


def test_who_has_the_output_and_does_not_end_is_blamed(tmp_path: Path) -> None:
    scene = replace(SCENES.named("well"), timeout=11.5)
    client = command(tmp_path, "import atexit, os; atexit.register(lambda: (time.sleep(10), os._exit(75)))")
    assert broken(verdict_in(scene, client)) == ["CLIENT-31"]


def test_who_never_finishes_is_blamed_however_politely(tmp_path: Path) -> None:
    scene = replace(SCENES.named("ended-at-once"), timeout=2.5)
    client = command(
        tmp_path, "Right.has_ended = lambda self, output: False; Right.poll_url = lambda self, _: self.probe_url()"
    )
    assert "CLIENT-33" in broken(verdict_in(scene, client))
    assert (tmp_path / "runs").read_text("ascii") == ".."


@pytest.mark.parametrize(("seconds", "more"), [(0.5, 0), (3.0, 0), (6.0, 6)])
def test_times_grow_with_the_client(seconds: float, more: int) -> None:
    scene = Speed(seconds).slowed(SCENES.named("never-ends"))
    assert scene.timeout == SCENES.named("never-ends").timeout + more
    assert scene.timeout == int(scene.timeout)


def test_as_many_scenes_at_once_as_the_machine_bears(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    assert [Speed(cpu=cpu).at_once for cpu in (0.0, 0.4, 5.0)] == [rounds.AT_ONCE, 10, 4]
    assert Speed(cpu=5.0, jobs=1).at_once == 1
    assert Speed(seconds=17.0, cpu=5.0).needed(140) > rounds.RUN_SECONDS > Speed(seconds=1.0).needed(140)


#: It sends the beginning of a start, and gives up.
CUTS = """
def send(self, method, url, body=None):
    if method != "POST": return send_right(self, method, url, body)
    time.sleep(max(self.left() - {left}, 0))
    connection = self.connection(url)
    connection.putrequest(method, self.path())
    for field in (self.headers() | {{"Content-Type": "application/json", "Content-Length": "99"}}).items():
        connection.putheader(*field)
    connection.endheaders()
    raise Failed("no more time")
from clients.faulty import Failed
send_right, Right.send = Right.send, send
"""


@pytest.mark.parametrize(("left", "found"), [(0.2, []), (6.0, ["CLIENT-13"])])
def test_a_request_may_be_cut_when_the_time_is_up(left: float, found: list[str], tmp_path: Path) -> None:
    scene = SCENES.named("start-lost")
    assert broken(verdict_in(scene, command(tmp_path, CUTS.format(left=left)))) == found
