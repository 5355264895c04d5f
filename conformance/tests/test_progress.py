"""While a run goes on, it says how far it is: in one line on a terminal, else in a line every ten seconds."""

import io
import re
import time

import pytest
from hostup_conformance.clients import rounds
from hostup_conformance.clients.play import ClientCommand
from hostup_conformance.clients.rounds import RunControl, play_each
from hostup_conformance.clients.scenes import SCENES
from hostup_conformance.keeping.safe_text import listed
from hostup_conformance.reports.progress import Progress


class Screen(io.StringIO):
    """A terminal, or a file."""

    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, in its only item."""
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def shown(terminal: bool, seconds: list[float], clock: list[float], *, silent: bool = False) -> str:
    """Return what is written if a run is asked at these times."""
    screen = Screen(terminal)
    telling = Progress(screen, lambda: None, silent=silent)
    for clock[0] in seconds:
        telling.tell(lambda: f"{clock[0]:g} s")
    telling.clear()
    return screen.getvalue()


def test_one_line_lives_on_a_terminal(clock: list[float]) -> None:
    assert shown(True, [0.3, 1.0, 1.2, 1.5], clock) == "\r1 s\x1b[K\r1.5 s\x1b[K\r\x1b[K"


def test_elsewhere_a_line_is_printed_every_ten_seconds(clock: list[float]) -> None:
    assert shown(False, [1.0, 9.9, 10.0, 12.0, 20.5], clock) == "10 s\n20.5 s\n"


@pytest.mark.parametrize("terminal", [True, False])
def test_a_quiet_run_says_nothing(terminal: bool, clock: list[float]) -> None:
    assert shown(terminal, [1.0, 10.0, 100.0], clock, silent=True) == ""


def test_a_line_that_was_begun_is_left_alone(clock: list[float]) -> None:
    screen = Screen(True)
    screen.write("test_requirements.py ")

    def begin_line() -> None:
        screen.write("\n")

    telling = Progress(screen, begin_line)
    for clock[0] in (1.0, 2.0):
        telling.tell(lambda: "sending")
    assert screen.getvalue() == "test_requirements.py \n\rsending\x1b[K\rsending\x1b[K"


def test_the_line_is_not_longer_than_the_terminal(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    screen = Screen(True)
    telling = Progress(screen)
    clock[0] = 1.0
    telling.tell(lambda: "x" * 100)
    assert screen.getvalue() == f"\r{'x' * 19}\x1b[K"


def test_the_scenes_under_way_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "PROGRESS_SECONDS", 0.001)
    told: list[str] = []
    plays = [(ClientCommand(("true",)), SCENES.named(name)) for name in ("well", "drip", "chunked", "slow-server")]
    play_each(plays, RunControl(watch=lambda words: told.append(words())), 3)
    words = [re.fullmatch(r"playing (.*)(?:; (\d) scenes? left| again)", text) for text in told]
    assert any(one and one[1].partition(",")[0] in {scene.name for _, scene in plays} for one in words)
    assert all(words), told


def test_many_scenes_are_not_all_named() -> None:
    assert listed(["a", "b"], 2) == "a, b"
    assert listed(["a", "b", "c", "d"], 2) == "a, b and 2 more"
