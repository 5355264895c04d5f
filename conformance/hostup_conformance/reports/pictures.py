"""What the pictures of a report show, as plain data in the units of their drawing: when requests were sent, how long
responses took, and what became of one command. It draws nothing, and must not know how the record was made."""

import os.path
from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from hostup_conformance.reports.figures import URGENT, duration

#: The width of a drawing of time, and how much of it a time takes in which nothing was under way, if it is cut short.
WIDTH, CUT = 1000.0, 40.0
#: How many seconds nothing must be under way for that, and how large a part of the rest of the run.
IDLE_SECONDS, IDLE_PART = 0.5, 0.05
#: How many requests that are under way at the same time are drawn below each other.
LANES = 8
#: The bounds between which durations are counted, in seconds.
BOUNDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
#: From how many seconds on a pause between two requests of a story is told.
PAUSE = 0.3
#: Of a story, how many exchanges are shown at its beginning and its end, and on each side of one that is marked; and
#: how many marked ones.
ENDS, BESIDE, MARKED = 3, 1, 6


@dataclass(frozen=True)
class Bar:
    """A request in the timeline."""

    number: int
    x: float
    width: float
    lane: int
    kind: str
    #: The worst status of the requirements that it breaks; empty if it breaks none.
    mark: str
    words: str


@dataclass(frozen=True)
class Wait:
    """A time in which nothing was under way, which is drawn shorter than it was."""

    x: float
    width: float
    seconds: float
    before: int
    #: Whether the server had asked for it.
    asked: bool


@dataclass(frozen=True)
class Timeline:
    """When the requests of a run were sent, and how long their responses took."""

    bars: list[Bar]
    waits: list[Wait]
    lanes: int
    seconds: float
    #: How many responses took about how long: the words for it, their number, and the length of their bar (percent).
    durations: list[tuple[str, int, float]]
    median: float
    slowest: Bar


def timeline(exchanges: Sequence[dict[str, Any]], status: dict[str, str]) -> Timeline | None:
    """Return the timeline of exchanges; None if their times are unknown. `status` has that of each requirement."""
    timed = sorted((e for e in exchanges if e["began"] is not None and e["request"]), key=lambda e: e["began"])
    if not timed:
        return None
    scale = Scale(timed)
    bars, free = [], [0.0] * LANES
    for e in timed:
        lane = next((number for number, until in enumerate(free) if until <= e["began"]), free.index(min(free)))
        free[lane] = e["began"] + e["seconds"]
        x = scale(e["began"])
        width = round(scale(free[lane]) - x, 2)
        bars.append(Bar(e["number"], x, width, lane, kind_of(e), mark_of(e, status), words(e)))
    seconds = sorted(e["seconds"] for e in timed)
    slowest = bars[max(range(len(timed)), key=lambda i: timed[i]["seconds"])]
    return Timeline(
        bars, scale.waits, 1 + max(bar.lane for bar in bars), scale.seconds, durations(seconds),
        seconds[len(seconds) // 2], slowest,
    )  # fmt: skip


class Scale:
    """Where a time of a run is drawn. Times in which nothing was under way are cut short."""

    def __init__(self, timed: Sequence[dict[str, Any]]) -> None:
        idle = list(idle_times(timed))
        self.seconds: float = max(e["began"] + e["seconds"] for e in timed)
        busy = self.seconds - timed[0]["began"] - sum(end - begin for begin, end, _ in idle)
        cut = [one for one in idle if one[1] - one[0] > max(IDLE_SECONDS, IDLE_PART * busy)]
        width = min(CUT, WIDTH / 2 / len(cut)) if cut else 0.0
        shown = self.seconds - timed[0]["began"] - sum(end - begin for begin, end, _ in cut)
        unit = (WIDTH - width * len(cut)) / (shown or 1.0)
        #: The times between which the scale is even, and where they are drawn.
        self._times: list[float] = [timed[0]["began"]]
        self._places = [0.0]
        self.waits: list[Wait] = []
        for begin, end, (last, following) in cut:
            x = self._places[-1] + unit * (begin - self._times[-1])
            self._times += [begin, end]
            self._places += [x, x + width]
            asked = last["status"] == 429 or last["asks_to_wait"] is not None
            self.waits.append(Wait(round(x, 2), round(width, 2), end - begin, following["number"], asked))
        self._times.append(self.seconds)
        self._places.append(WIDTH)

    def __call__(self, time: float) -> float:
        """Return the place of a time."""
        i = min(max(bisect_right(self._times, time), 1), len(self._times) - 1)
        (begin, end), (left, right) = self._times[i - 1 : i + 1], self._places[i - 1 : i + 1]
        return round(left + (right - left) * (time - begin) / (end - begin or 1.0), 2)


def idle_times(timed: Iterable[dict[str, Any]]) -> Iterable[tuple[float, float, tuple[dict[str, Any], dict[str, Any]]]]:
    """Yield the times in which nothing was under way, each with the exchanges before and after it."""
    last: dict[str, Any] | None = None
    for e in timed:
        if last and e["began"] > last["began"] + last["seconds"]:
            yield last["began"] + last["seconds"], e["began"], (last, e)
        if last is None or e["began"] + e["seconds"] >= last["began"] + last["seconds"]:
            last = e


def kind_of(e: dict[str, Any]) -> str:
    """Return the kind of a response by its status code, for its colour."""
    if e["status"] is None:
        return "lost"
    return "limited" if e["status"] == 429 else {2: "fine", 3: "fine", 4: "refused"}.get(e["status"] // 100, "broken")


def mark_of(e: dict[str, Any], status: dict[str, str]) -> str:
    """Return the worst status of the requirements that an exchange breaks; empty if it breaks none."""
    broken = {status.get(id) for id in e["found"]}
    return next((one for one in URGENT if one in broken), "")


def words(e: dict[str, Any]) -> str:
    """Return an exchange in a line."""
    came = e["status"] or "no response"
    return f"request {e['number']}: {e['purpose']} \N{RIGHTWARDS ARROW} {came}, {duration(e['seconds'])}"


def durations(seconds: Sequence[float]) -> list[tuple[str, int, float]]:
    """Return how many durations lie between two bounds each, from the shortest to the longest."""
    counts = Counter(bisect_right(BOUNDS, one) for one in seconds)
    most = max(counts.values())
    names = [*(f"under {duration(bound)}" for bound in BOUNDS), f"over {duration(BOUNDS[-1])}"]
    return [(names[i], counts[i], round(100 * counts[i] / most, 1)) for i in sorted(counts)]


@dataclass(frozen=True)
class Row:
    """A line of a sequence diagram: a request and its response, a pause, what is left out, or how a client ended."""

    number: int = 0
    #: Seconds since the story began, if that is known.
    at: str = ""
    request: str = ""
    sent: str = ""
    response: str = ""
    body: str = ""
    kind: str = ""
    #: The worst status of what it breaks, and the requirements.
    mark: str = ""
    breaks: list[str] = field(default_factory=list)
    #: The words of a line that is no exchange.
    note: str = ""


def sequence(
    story: Sequence[dict[str, Any]], status: dict[str, str], about: Collection[str] = (), ends: int = ENDS
) -> list[Row]:
    """Return the lines of a diagram of exchanges that belong together.

    Those are marked that break one of the requirements that it is about; without any, those that break one at all.
    """
    start = stem([e["request"].partition(" ")[2] for e in story if e["request"]])
    first = next((e["began"] for e in story if e["began"] is not None), None)
    marks = [[id for id in e["found"] if status.get(id) in URGENT and (not about or id in about)] for e in story]
    rows: list[Row] = []
    last, left_out, kept = None, 0, shown_of([bool(mark) for mark in marks], ends)
    for place, (e, breaks) in enumerate(zip(story, marks, strict=True)):
        if place not in kept:
            left_out += 1
            continue
        if note := f"{left_out} more requests" if left_out else pause(last, e):
            rows.append(Row(note=note))
        rows.append(row_of(e, start, first, breaks, mark_of({**e, "found": breaks}, status)))
        last, left_out = e, 0
    return rows


def row_of(e: dict[str, Any], start: str, first: float | None, breaks: list[str], mark: str) -> Row:
    """Return the line of an exchange, with the beginning of its target left out."""
    at = "" if first is None or e["began"] is None else f"{e['began'] - first:.2f} s"
    if not e["request"]:
        return Row(e["number"], at, mark=mark, breaks=breaks, note=e["failure"] or "", kind="end")
    method, _, target = e["request"].partition(" ")
    request = f"{method} \N{HORIZONTAL ELLIPSIS}{target[len(start) - 1 :]}" if start else e["request"]
    response = ", ".join(str(one) for one in (e["status"], e["failure"]) if one) or "no response"
    kind = "lost" if e["failure"] else kind_of(e)
    took = f" after {duration(e['seconds'])}"
    return Row(e["number"], at, request, e["sent"], response + took, e["body"], kind, mark, breaks)


def shown_of(marked: Sequence[bool], ends: int) -> set[int]:
    """Return which exchanges of a story are shown: its beginning, its end, and the first of those that are marked."""
    places = [place for place, mark in enumerate(marked) if mark][:MARKED]
    kept = {near for place in places for near in range(place - BESIDE, place + BESIDE + 1)}
    kept |= {*range(ends), *range(len(marked) - ends, len(marked))}
    # What is left out takes a line itself.
    return kept | {place for place in range(len(marked)) if place - 1 in kept and place + 1 in kept}


def pause(last: dict[str, Any] | None, e: dict[str, Any]) -> str:
    """Return a pause between two exchanges in words; empty if there was hardly any."""
    if last is None or last["began"] is None or e["began"] is None:
        return ""
    seconds = e["began"] - last["began"] - last["seconds"]
    asked = f", of {last['asks_to_wait']:g} s asked for" if last["asks_to_wait"] is not None else ""
    return f"{duration(max(seconds, 0.0))} later{asked}" if asked or seconds >= PAUSE else ""


def stem(targets: Sequence[str]) -> str:
    """Return how all request targets begin, up to a slash; empty if that is short."""
    start = os.path.commonprefix(list(targets)).rpartition("/")[0] + "/"  # noqa: RUF071 - the slash comes after it
    return start if len(start) > 12 else ""
