"""Plays many scenes to a client: one first and alone, which tells how fast it is, then the others, several at once."""

import asyncio
import math
import os
import resource
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from hostup_conformance.clients.play import ClientCommand, play
from hostup_conformance.clients.scenes import FIRST, SCENES
from hostup_conformance.clients.story import Exchange, Scene, how
from hostup_conformance.keeping.processes import adopting
from hostup_conformance.keeping.safe_text import counted, listed
from hostup_conformance.keeping.shortage import told_of_shortage

#: How many seconds there are for all scenes together, unless the client is slow.
RUN_SECONDS = 540.0
#: How many scenes are played at once, at most: most of the time they wait.
AT_ONCE = 24
#: How many bytes of what a command sends and prints are kept in all scenes together.
MOST_KEPT = 192 << 20
#: How many seconds a client needs in the first scene, unless it starts or polls slowly.
USUAL = 3.0
#: How many times as much time a client has in a scene that is played again, alone, because it failed by time.
LONGER = 2

#: How many seconds pass between two looks at how far a run is.
PROGRESS_SECONDS = 0.25


@dataclass(frozen=True)
class Speed:
    """How long a command took in the scene `well`, alone; what it is given in the other scenes grows with it."""

    seconds: float = 0.0
    #: The CPU time of all its processes.
    cpu: float = 0.0
    #: How many scenes are played at once, if the user says so.
    jobs: int | None = None

    @property
    def at_once(self) -> int:
        """How many scenes are played at once: as many as start within about a second."""
        cores = os.cpu_count() or 1
        return self.jobs or min(max(round(cores / max(self.cpu, 0.01)), cores), AT_ONCE)

    @property
    def more(self) -> int:
        """How many seconds are added to each HOSTUP_TIMEOUT."""
        return math.ceil(2 * max(self.seconds - USUAL, 0))

    def needed(self, scenes: int) -> float:
        """Return how many seconds so many scenes take at most, even if the machine becomes busier."""
        return LONGER * scenes * self.seconds / self.at_once

    def slowed(self, scene: Scene) -> Scene:
        """Return a scene that gives a slow command more time."""
        return replace(scene, timeout=scene.timeout + self.more)

    def __str__(self) -> str:
        """Return the speed in words."""
        more = f", so each HOSTUP_TIMEOUT is {counted(self.more, 'second')} longer" if self.more else ""
        return (
            f"the command took {self.seconds:.1f} seconds in the scene {FIRST} (CPU: {self.cpu:.1f} seconds){more}; "
            f"{counted(self.at_once, 'scene')} at once"
        )


class RunControl:
    """Ends a run, after so many seconds or when it is told to, and tells how it goes.

    Args:
        seconds: after how many of them no further scene begins
        say: gets lines that tell how the run goes
        watch: is called again and again, with what makes the words for how far the run is
    """

    def __init__(
        self,
        seconds: float = RUN_SECONDS,
        say: Callable[[str], None] = lambda _line: None,
        watch: Callable[[Callable[[], str]], None] = lambda _words: None,
    ) -> None:
        self.say, self.watch = say, watch
        self.event = threading.Event()
        self.reason: str | None = None
        self.extend(seconds)

    def extend(self, seconds: float) -> None:
        """Let further scenes begin for so many seconds from now on."""
        self.seconds, self._latest = seconds, time.monotonic() + seconds

    def look(self) -> bool:
        """Return whether the run has to end, which it has to once the time is used up."""
        if time.monotonic() > self._latest:
            self.stop(f"the {self.seconds:.0f} seconds of a run were used up")
        return self.event.is_set()

    def stop(self, reason: str) -> None:
        """End the run."""
        self.reason = self.reason or reason
        self.event.set()


def play_all(command: ClientCommand, chosen: Sequence[Scene], control: RunControl, jobs: int | None) -> list[Exchange]:
    """Play scenes to a command, `jobs` at once or as many as suits it; return all exchanges in their order."""
    first, speed = play_first(command, control, jobs)
    if control.reason is None:
        control.say(str(speed))
        control.extend(max(RUN_SECONDS, speed.needed(len(chosen))))
    others = [(command, speed.slowed(scene)) for scene in chosen if scene.name != FIRST]
    played = play_each(others, control, speed.at_once) if control.reason is None else []
    shown = control.reason is not None or any(scene.name == FIRST for scene in chosen)
    exchanges = [exchange for scene in [first, *played][not shown :] for exchange in scene]
    for number, exchange in enumerate(exchanges, 1):
        exchange.number = number
    return exchanges


def play_first(command: ClientCommand, control: RunControl, jobs: int | None) -> tuple[list[Exchange], Speed]:
    """Play the scene `well` alone, and return its exchanges, and how fast the command is.

    If it sends nothing there, or does not end, the run is stopped: there is nothing more to see.
    """
    before = cpu_of_children()
    (exchanges,) = play_each([(command, SCENES.named(FIRST))], control, 1)
    story = exchanges[-1].ask.story if exchanges else None
    if story is None:
        return exchanges, Speed(jobs=jobs)
    if not story.own or story.outcome.ended_by != "itself":
        did = "it did not end" if story.own else "it sent nothing"
        control.stop(f"in the scene {FIRST}, where all goes well, {did} ({how(story.outcome)}), so no other was played")
    # What it does once it has got all is no matter of speed: it is to end.
    seconds = (story.result.ask.responded if story.result else None) or story.outcome.seconds
    return exchanges, Speed(seconds, cpu_of_children() - before, jobs)


def cpu_of_children() -> float:
    """Return how many seconds of CPU the processes have used that this one has run."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def play_each(
    plays: Sequence[tuple[ClientCommand, Scene]], control: RunControl, at_once: int = AT_ONCE
) -> list[list[Exchange]]:
    """Play scenes to commands, several at once; return the exchanges of each, which are none if it was not played.

    What failed by time is played again, alone and with more time: that the machine was busy is nobody's fault.
    """
    with told_of_shortage(control.stop), adopting(), ThreadPoolExecutor(at_once) as threads:
        return asyncio.run(Round(plays, control, threads, at_once).played())
    return [[] for _ in plays]


def bytes_of(e: Exchange) -> int:
    """Return how many bytes of what a client sent and printed an exchange keeps."""
    printed = e.ask.story.outcome if e.ask.story else None
    fields = sum(len(name) + len(value) for name, value in e.request.headers)
    return len(e.request.body) + fields + (len(printed.stdout) + len(printed.stderr) if printed else 0)


class Round:
    """Scenes that are played together, several at once."""

    def __init__(
        self,
        plays: Sequence[tuple[ClientCommand, Scene]],
        control: RunControl,
        threads: ThreadPoolExecutor,
        at_once: int,
    ) -> None:
        self._plays, self._control, self._threads = plays, control, threads
        self._places = asyncio.Semaphore(at_once)
        self._under_way = list[str]()
        self._left = [scene.name for _, scene in plays]
        self._seen: dict[int, list[Exchange]] = {}
        #: How many bytes of requests and of what was printed are kept.
        self._kept = 0

    async def played(self) -> list[list[Exchange]]:
        """Play them, and again what failed by time; return the exchanges of each."""
        watching = asyncio.create_task(self._watched())
        # Those in which a client may have to wait begin first, so that the run does not wait for them at its end.
        waits = [max(scene.runs, scene.lasts) if scene.completes else scene.timeout for _, scene in self._plays]
        order = sorted(range(len(self._plays)), key=lambda n: -waits[n])
        await asyncio.gather(*(self._play(n, self._plays[n][1]) for n in order))
        await asyncio.gather(*(self._again(command) for command in dict.fromkeys(one for one, _ in self._plays)))
        watching.cancel()
        return [self._seen[n] for n in range(len(self._plays))]

    async def _play(self, n: int, scene: Scene) -> None:
        """Play one of them, with the times of the given scene; what the end of the run cuts short does not count."""
        self._seen.setdefault(n, [])
        async with self._places:
            if self._control.look():
                return
            self._under_way.append(scene.name)
            seen: list[Exchange] = []
            with told_of_shortage(self._control.stop):
                seen = await play(self._plays[n][0], scene, self._control.event, self._threads)
            self._under_way.remove(scene.name)
            self._kept += sum(map(bytes_of, seen))
            if self._kept > MOST_KEPT:
                self._control.stop(f"the command sent and printed more than {MOST_KEPT >> 20} MiB in all")
            if not self._control.event.is_set():
                self._seen[n] = seen
            if scene.name in self._left:  # and is not played again
                self._left.remove(scene.name)

    async def _again(self, command: ClientCommand) -> None:
        """Play again, one by one, what a command failed by time, until one scene shows that time is not to blame."""
        for n, (one, scene) in enumerate(self._plays):
            if one == command and failed_by_time(self._seen[n]):
                self._control.say(f"again, alone, since it failed by time: {scene.name}")
                await self._play(n, replace(scene, timeout=LONGER * scene.timeout))
                if failed_by_time(self._seen[n]):
                    return

    async def _watched(self) -> None:
        """Tell again and again how far it is."""
        while True:
            await asyncio.sleep(PROGRESS_SECONDS)
            self._control.watch(self._words)

    def _words(self) -> str:
        more = f"; {counted(len(self._left), 'scene')} left" if self._left else " again"
        return f"playing {listed(self._under_way, 2)}{more}"


def failed_by_time(exchanges: Sequence[Exchange]) -> bool:
    """Whether a scene may have ended otherwise on a machine that is not busy."""
    return any(e.ask.story is not None and e.ask.story.by_time for e in exchanges)
