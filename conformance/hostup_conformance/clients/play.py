"""Plays scenes to a client: runs its command against a scripted server, and returns what happened as exchanges."""

from __future__ import annotations

import asyncio
import os
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

from hostup_conformance.clients.processes import adopting, run_command
from hostup_conformance.clients.scenes import Scene, SceneState
from hostup_conformance.clients.story import Does, Exchange, Outcome, Play, Seen, Story, how, kind_of
from hostup_conformance.http.messages import Request
from hostup_conformance.http.scripted import Received, Reply, ScriptedServer
from hostup_conformance.keeping.misconfigured import Misconfigured

#: How many seconds a client may take to send its first request: some start slowly on a busy machine.
START_SECONDS = 10.0
#: How many seconds may pass after that in an ordinary scene; in one that a right client finishes, or in which it has to
#: give up by itself; and in all scenes together.
SCENE_SECONDS, LONG_SECONDS, RUN_SECONDS = 10.0, 30.0, 600.0
#: How many bytes a client may print to each stream in addition to what it has to print.
MORE_PRINTED = 2 << 20
#: How many scenes are played at once: most of the time they wait.
AT_ONCE = 8

#: Registers a function to be called, with the reason, when the run has to end.
Tell = Callable[[Callable[[str], None]], None]


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


def play_all(
    command: ClientCommand, scenes: Sequence[Scene], tell: Tell = lambda _listener: None
) -> tuple[list[Exchange], str | None]:
    """Play scenes to a command; return all exchanges in the order of the scenes, and why some were not played, if any.

    Args:
        command: what is run
        scenes: what is played
        tell: gets a function that ends the run, with the reason as its argument
    """
    stop = Stop()
    tell(stop)
    played = play_each([(command, scene) for scene in scenes], stop)
    exchanges = [exchange for scene in played for exchange in scene]
    for number, exchange in enumerate(exchanges, 1):
        exchange.number = number
    return exchanges, stop.reason


def play_each(plays: Sequence[tuple[ClientCommand, Scene]], stop: Stop, at_once: int = AT_ONCE) -> list[list[Exchange]]:
    """Play scenes to commands, several at once; return the exchanges of each, which are none if it was not played."""
    with adopting(), ThreadPoolExecutor(at_once) as threads:
        return asyncio.run(_play_each(plays, stop, threads, at_once))


class Stop:
    """Whether the run has to end, and why. After so many seconds, no further scene begins."""

    def __init__(self, seconds: float = RUN_SECONDS - START_SECONDS - LONG_SECONDS) -> None:
        self.event = threading.Event()
        self.latest = time.monotonic() + seconds
        self.reason: str | None = None

    def __call__(self, reason: str) -> None:
        """End the run."""
        self.reason = self.reason or reason
        self.event.set()


async def _play_each(
    plays: Sequence[tuple[ClientCommand, Scene]], stop: Stop, threads: ThreadPoolExecutor, at_once: int
) -> list[list[Exchange]]:
    places = asyncio.Semaphore(at_once)

    async def one(command: ClientCommand, scene: Scene) -> list[Exchange]:
        async with places:
            if time.monotonic() > stop.latest:
                stop(f"the {RUN_SECONDS:g} seconds of a run were used up")
            if stop.event.is_set():
                return []
            exchanges = await play(command, scene, stop.event, threads)
            return [] if stop.event.is_set() else exchanges

    return await asyncio.gather(*(one(command, scene) for command, scene in plays))


async def play(
    command: ClientCommand, scene: Scene, stop: threading.Event, threads: ThreadPoolExecutor
) -> list[Exchange]:
    """Play one scene to a command."""
    state = SceneState(scene, command.does)
    server = ScriptedServer(state.reply)
    base_url = await opened(server, state)
    environment = {**clean(os.environ), **scene.environment(command.does, base_url)}
    began, when = time.monotonic(), datetime.now(UTC)
    mark, most = f"HOSTUP_BASE_URL={base_url}", scene.prints + MORE_PRINTED
    seconds = LONG_SECONDS if scene.completes or scene.long else SCENE_SECONDS

    def left() -> float:
        now = time.monotonic()
        first = server.received[0].arrived if server.received else min(now, began + START_SECONDS)
        return first + seconds - now

    run = partial(run_command, command.words, environment, mark, left=left, most=most, stop=stop)
    try:
        outcome = await asyncio.get_running_loop().run_in_executor(threads, run)
    finally:
        await server.close()
    if server.exceeded:
        outcome = replace(outcome, ended_by="bound", reason=server.exceeded)
    return story_of(scene.play(command.does), server.received, outcome, began, when)


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
    for name, value in scene.environment("run", base_url).items():
        say(f"export {name}={shlex.quote(value)}")
    began, when = time.monotonic(), datetime.now(UTC)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, ended.set)
    await ended.wait()
    await server.close()
    return [e for part in parts if part for e in story_of(scene.play("run"), part, None, began, when)]


async def opened(server: ScriptedServer, state: SceneState) -> str:
    """Open the two origins of a scene, note the other one, and return the base URL."""
    base_url = f"http://127.0.0.1:{await server.listen('127.0.0.1', 'own')}"
    state.elsewhere = f"http://localhost:{await server.listen('localhost', 'other')}"
    if state.scene.refused:
        server.refuse()
    return base_url


def clean(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without variables that would mislead a client: ours, and those for proxies."""
    return {
        name: value
        for name, value in environment.items()
        if not name.startswith("HOSTUP_") and not name.lower().endswith("_proxy")
    }


def story_of(
    play: Play, received: Sequence[Received], outcome: Outcome | None, began: float, when: datetime
) -> list[Exchange]:
    """Return what happened in a scene as exchanges, the last of which contains the whole story."""
    requests = [exchange_of(play, one, began, when) for one in sorted(received, key=lambda one: one.arrived)]
    story = Story(play, tuple(requests), outcome)
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
    kind, segment = kind_of(one.request)
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
