"""Plays scenes to a client: runs its command against a scripted server, and returns what happened as exchanges."""

from __future__ import annotations

import asyncio
import math
import os
import resource
import shlex
import shutil
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.parse import urlsplit

from hostup_conformance.clients.certificates import CA_VARIABLES, certificates
from hostup_conformance.clients.processes import PROC, adopting, marked_with, run_command
from hostup_conformance.clients.scenes import KEY, Scene, SceneState, scenes
from hostup_conformance.clients.story import Does, Exchange, Outcome, Play, Seen, how, kind_of, story_of
from hostup_conformance.http.messages import Request
from hostup_conformance.http.scripted import Received, Reply, ScriptedServer
from hostup_conformance.keeping.misconfigured import Misconfigured
from hostup_conformance.keeping.safe_text import counted

#: How many seconds a client may take at least to send its first request: some start slowly on a busy machine.
START_SECONDS = 15.0
#: How many seconds after its time a client is ended: in an ordinary scene, and in one in which it has to give up by
#: itself, where some allow the last response ten seconds more.
GRACE, LONG_GRACE = 6.0, 16.0
#: How many seconds there are for all scenes together.
RUN_SECONDS = 600.0
#: How many bytes a client may print to each stream in addition to what it has to print.
MORE_PRINTED = 2 << 20
#: How many scenes are played at once, at most: most of the time they wait.
AT_ONCE = 24
#: How many seconds a client needs in the scene well, unless it starts or polls slowly.
USUAL = 3.0
#: How many times as much time a client has in a scene that is played again, alone, because it failed by time.
LONGER = 2
#: The scene in which all goes well, which is played first, and alone.
FIRST = "well"

#: Registers a function to be called, with the reason, when the run has to end.
Tell = Callable[[Callable[[str], None]], None]
#: Is called while scenes are played, every so many seconds, with what makes the words for how far the run is.
Watch = Callable[[Callable[[], str]], None]
WATCH_SECONDS = 0.25


@dataclass(frozen=True)
class ClientCommand:
    """The command that is judged, and what it does."""

    words: tuple[str, ...]
    does: Does = "run"


def check_command(command: ClientCommand) -> None:
    """Raise `Misconfigured` if there is no such program."""
    if not command.words:
        raise Misconfigured("there is nothing to judge; give the client's command after --")
    program = command.words[0]
    if shutil.which(program) is None:
        raise Misconfigured(f"there is no program {program}, or it is not executable; give a command after --")


@dataclass(frozen=True)
class Pace:
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

    def slowed(self, scene: Scene) -> Scene:
        """Return a scene that gives a slow command more time."""
        return replace(scene, timeout=scene.timeout + self.more)

    def __str__(self) -> str:
        """Return the pace in words."""
        more = f", so each HOSTUP_TIMEOUT is {counted(self.more, 'second')} longer" if self.more else ""
        return (
            f"the command took {self.seconds:.1f} seconds in the scene {FIRST} (CPU: {self.cpu:.1f} seconds){more}; "
            f"{counted(self.at_once, 'scene')} at once"
        )


def play_all(
    command: ClientCommand,
    chosen: Sequence[Scene],
    tell: Tell = lambda _listener: None,
    jobs: int | None = None,
    say: Callable[[str], None] = lambda _line: None,
    watch: Watch = lambda _words: None,
) -> tuple[list[Exchange], str | None]:
    """Play scenes to a command; return all exchanges in the order of the scenes, and why some were not played, if any.

    Args:
        command: what is run
        chosen: the scenes that are played
        tell: gets a function that ends the run, with the reason as its argument
        jobs: how many scenes are played at once, if not as many as suits the command
        say: gets lines that tell how the run goes
        watch: is called again and again, with what makes the words for how far the run is
    """
    stop = Stop()
    tell(stop)
    first, pace = play_first(command, stop, jobs, say, watch)
    if stop.reason is None:
        say(str(pace))
    others = [(command, pace.slowed(scene)) for scene in chosen if scene.name != FIRST]
    played = play_each(others, stop, pace.at_once, say, watch) if stop.reason is None else []
    shown = stop.reason is not None or any(scene.name == FIRST for scene in chosen)
    exchanges = [exchange for scene in [first, *played][not shown :] for exchange in scene]
    for number, exchange in enumerate(exchanges, 1):
        exchange.number = number
    return exchanges, stop.reason


def play_first(
    command: ClientCommand, stop: Stop, jobs: int | None, say: Callable[[str], None], watch: Watch
) -> tuple[list[Exchange], Pace]:
    """Play the scene `well` alone, and return its exchanges, and how fast the command is.

    If it sends nothing there, or does not end, the run is stopped: there is nothing more to see.
    """
    before = cpu_of_children()
    (exchanges,) = play_each([(command, scenes()[FIRST])], stop, 1, say, watch)
    story = exchanges[-1].ask.story if exchanges else None
    if story is None or story.outcome is None:
        return exchanges, Pace(jobs=jobs)
    if not story.own or story.outcome.ended_by != "itself":
        did = "it did not end" if story.own else "it sent nothing"
        stop(f"in the scene {FIRST}, where all goes well, {did} ({how(story.outcome)}), so no other was played")
    return exchanges, Pace(story.outcome.seconds, cpu_of_children() - before, jobs)


def cpu_of_children() -> float:
    """Return how many seconds of CPU the processes have used that this one has run."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def play_each(
    plays: Sequence[tuple[ClientCommand, Scene]],
    stop: Stop,
    at_once: int = AT_ONCE,
    say: Callable[[str], None] = lambda _line: None,
    watch: Watch = lambda _words: None,
) -> list[list[Exchange]]:
    """Play scenes to commands, several at once; return the exchanges of each, which are none if it was not played.

    What failed by time is played again, alone and with more time: that the machine was busy is nobody's fault.
    """
    with adopting(), ThreadPoolExecutor(at_once) as threads:
        return asyncio.run(_play_each(plays, stop, threads, at_once, say, watch))


class Stop:
    """Whether the run has to end, and why. After so many seconds, no further scene begins."""

    def __init__(self, seconds: float = RUN_SECONDS - 60) -> None:
        self.event = threading.Event()
        self.latest = time.monotonic() + seconds
        self.reason: str | None = None

    def __call__(self, reason: str) -> None:
        """End the run."""
        self.reason = self.reason or reason
        self.event.set()


async def _play_each(
    plays: Sequence[tuple[ClientCommand, Scene]],
    stop: Stop,
    threads: ThreadPoolExecutor,
    at_once: int,
    say: Callable[[str], None],
    watch: Watch,
) -> list[list[Exchange]]:
    places = asyncio.Semaphore(at_once)
    under_way, left = list[str](), [scene.name for _, scene in plays]

    async def watched() -> None:
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            more = f"; {counted(len(left), 'scene')} left" if left else " again"
            watch(lambda: f"playing {listed(under_way)}{more}")  # noqa: B023 - it is called at once

    async def one(command: ClientCommand, scene: Scene) -> list[Exchange]:
        async with places:
            if time.monotonic() > stop.latest:
                stop(f"the {RUN_SECONDS:g} seconds of a run were used up")
            if stop.event.is_set():
                return []
            under_way.append(scene.name)
            exchanges = await play(command, scene, stop.event, threads)
            under_way.remove(scene.name)
            if scene.name in left:  # and is not played again
                left.remove(scene.name)
            return [] if stop.event.is_set() else exchanges

    # Those in which a client may have to wait begin first, so that the run does not wait for them at its end.
    watching = asyncio.create_task(watched())
    order = sorted(range(len(plays)), key=lambda n: (plays[n][1].completes is not None, plays[n][1].timeout))
    played = dict(zip(order, await asyncio.gather(*(one(*plays[n]) for n in order)), strict=True))

    async def again(command: ClientCommand) -> None:
        """Play the scenes in which the command failed by time again, one by one, until one shows it to be at fault."""
        for n in [n for n, play in enumerate(plays) if play[0] == command and failed_by_time(played[n])]:
            scene = plays[n][1]
            say(f"again, alone, since it failed by time: {scene.name}")
            played[n] = await one(command, replace(scene, timeout=LONGER * scene.timeout)) or played[n]
            if failed_by_time(played[n]):
                break

    await asyncio.gather(*(again(command) for command in dict.fromkeys(command for command, _ in plays)))
    watching.cancel()
    return [played[n] for n in range(len(plays))]


def listed(names: Sequence[str]) -> str:
    """Return the names of scenes, or the first two and how many more there are."""
    return ", ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")


def failed_by_time(exchanges: Sequence[Exchange]) -> bool:
    """Whether a scene may have ended otherwise on a machine that is not busy."""
    return any(e.ask.story is not None and e.ask.story.by_time for e in exchanges)


def to_start(scene: Scene) -> float:
    """Return after how many seconds a client is ended that has sent nothing."""
    return max(START_SECONDS, scene.timeout)


def allowed(scene: Scene) -> float:
    """Return how many seconds after its first request a client is ended."""
    return scene.timeout + (LONG_GRACE if scene.long else GRACE)


async def play(
    command: ClientCommand, scene: Scene, stop: threading.Event, threads: ThreadPoolExecutor
) -> list[Exchange]:
    """Play one scene to a command."""
    state, exposing = SceneState(scene, command.does), set[str]()

    def script(received: Received) -> Reply:
        if scene.name == FIRST:  # the process that sent the request waits for its response, so it is there to be seen
            exposing.update(marked_with(mark, KEY))
        return state.reply(received)

    server = ScriptedServer(script)
    base_url = await opened(server, state)
    environment = {**clean(os.environ), **scene.environment(command.does, base_url), **trust(scene)}
    began, when = time.monotonic(), datetime.now(UTC)
    mark, most = f"HOSTUP_BASE_URL={base_url}", scene.prints + MORE_PRINTED

    def left() -> float:
        ends = server.received[0].arrived + allowed(scene) if server.received else began + to_start(scene)
        return ends - time.monotonic()

    run = partial(run_command, command.words, environment, mark, left=left, most=most, stop=stop)
    try:
        outcome = await asyncio.get_running_loop().run_in_executor(threads, run)
    finally:
        await server.close()
    if server.exceeded:
        outcome = replace(outcome, ended_by="bound", reason=server.exceeded)
    if scene.name == FIRST and PROC.is_dir():
        outcome = replace(outcome, exposing=frozenset(exposing))
    return told_in(scene.play(command.does), server.received, outcome, began, when)


def serve(scene: Scene, say: Callable[[str], None]) -> list[Exchange]:
    """Serve a scene until Ctrl-C; return the stories of the requests. A probe after an end begins a new story."""
    return asyncio.run(_serve(scene, say))


async def _serve(scene: Scene, say: Callable[[str], None]) -> list[Exchange]:
    states = [SceneState(scene, "run")]
    parts: list[list[Received]] = [[]]

    def script(received: Received) -> Reply:
        if states[-1].reported and kind_of(received.request)[0] == "probe":
            states.append(SceneState(scene, "run", states[-1].elsewhere))
            parts.append([])
        parts[-1].append(received)
        return states[-1].reply(received)

    server = ScriptedServer(script)
    base_url = await opened(server, states[0])
    say(f"# The scene {scene.name}: {' '.join(scene.words.split())}")
    say("# It is served until Ctrl-C. In another terminal:")
    for name, value in {**scene.environment("run", base_url), **trust(scene)}.items():
        say(f"export {name}={shlex.quote(value)}")
    began, when = time.monotonic(), datetime.now(UTC)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, ended.set)
    await ended.wait()
    loop.remove_signal_handler(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not take the list away
    await server.close()
    return [e for part in parts if part for e in told_in(scene.play("run"), part, None, began, when)]


def trust(scene: Scene) -> dict[str, str]:
    """Return the variables that name the CA of a scene with TLS."""
    return dict.fromkeys(CA_VARIABLES, str(certificates().ca)) if scene.certificate else {}


async def opened(server: ScriptedServer, state: SceneState) -> str:
    """Open the two origins of a scene, note the other one, and return the base URL."""
    scene = state.scene
    host = urlsplit(scene.origin).hostname or ""
    tls = certificates().context(scene.certificate) if scene.certificate else None
    base_url = f"{scene.origin}:{await server.listen(host, 'own', tls)}{scene.below}"
    state.elsewhere = f"http://localhost:{await server.listen('localhost', 'other')}"
    if scene.refused:
        server.refuse()
    return base_url


def clean(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without variables that would mislead a client: ours, and those for proxies."""
    return {
        name: value
        for name, value in environment.items()
        if not name.startswith("HOSTUP_") and not name.lower().endswith("_proxy")
    }


def told_in(
    play: Play, received: Sequence[Received], outcome: Outcome | None, began: float, when: datetime
) -> list[Exchange]:
    """Return what happened in a scene as exchanges, the last of which contains the whole story."""
    requests = [exchange_of(play, one, began, when) for one in sorted(received, key=lambda one: one.arrived)]
    story = story_of(play, requests, outcome)
    seconds = outcome.seconds if outcome else time.monotonic() - began
    ending = Seen(play, "other", arrived=seconds, story=story)
    last = Exchange(
        number=0,
        request=Request("", ""),
        response=None,
        ask=ending,
        failure=how(outcome) if outcome else "the server was stopped",
        when=when + timedelta(seconds=seconds),
        purpose=f"{play.scene}: {play.words}",
        source="scene",
    )
    return [*requests, last]


def exchange_of(play: Play, one: Received, began: float, when: datetime) -> Exchange:
    """Return a request as it was received, with the response that was sent."""
    kind, segment = kind_of(one.request, play.prefix)
    seen = Seen(
        play,
        "malformed" if one.malformed else kind,
        "own" if one.host == "own" else "other",
        segment,
        arrived=one.arrived - began,
        responded=None if one.responded is None else one.responded - began,
        delivered=one.delivered,
    )
    return Exchange(
        number=0,
        request=one.request,
        response=one.response,
        ask=seen,
        failure=one.malformed or one.failure,
        seconds=(one.responded or one.arrived) - one.arrived,
        when=when + timedelta(seconds=one.arrived - began),
        purpose=f"{play.scene}: {play.words}",
        source="scene",
    )
