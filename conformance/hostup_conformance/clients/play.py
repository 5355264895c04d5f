"""Plays one scene to a client: runs its command against a scripted server, and returns what happened as exchanges."""

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
from secrets import token_hex

from hostup_conformance.clients import Does
from hostup_conformance.clients.certificates import CA_VARIABLES, certificates
from hostup_conformance.clients.processes import run_command
from hostup_conformance.clients.scenes import FIRST, KEY, SceneState
from hostup_conformance.clients.story import UNSEEN, Exchange, Outcome, Play, Scene, Seen, how, kind_of, told
from hostup_conformance.http.scripted import Received, Reply, ScriptedServer
from hostup_conformance.keeping.misconfigured import Misconfigured
from hostup_conformance.keeping.processes import PROC, marked_with
from hostup_conformance.keeping.safe_text import split_url

#: The variable by which the processes of a scene are known: nobody else has its value.
MARK = "HOSTUP_CONFORMANCE_SCENE"
#: How many seconds a client may take at least to send its first request: some start slowly on a busy machine.
START_SECONDS = 15.0
#: How many seconds after its time a client is ended: in an ordinary scene, and in one in which it has to give up by
#: itself, where some allow the last response ten seconds more.
GRACE, LONG_GRACE = 6.0, 16.0
#: How many bytes a client may print to each stream in addition to what it has to print.
MORE_PRINTED = 2 << 20


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
    played = Play(scene, command.does, KEY)

    def script(received: Received) -> Reply:
        if scene.name == FIRST:  # the process that sent the request waits for its response, so it is there to be seen
            exposing.update(marked_with(mark, KEY))
        return state.reply(received)

    server = ScriptedServer(script)
    began, when = time.monotonic(), datetime.now(UTC)

    def left() -> float:
        ends = server.received[0].arrived + allowed(scene) if server.received else began + to_start(scene)
        return ends - time.monotonic()

    try:
        base_url = await opened(server, state)
        environment = {**clean(os.environ), **played.environment(base_url), **trust(scene), MARK: token_hex()}
        mark, most = f"{MARK}={environment[MARK]}", scene.prints + MORE_PRINTED
        run = partial(run_command, command.words, environment, mark, left=left, most=most, stop=stop)
        outcome = await asyncio.get_running_loop().run_in_executor(threads, run)
    finally:
        await server.close()
    if server.exceeded:
        outcome = replace(outcome, ended_by="bound", reason=server.exceeded)
    if scene.name == FIRST and PROC.is_dir():
        outcome = replace(outcome, exposing=frozenset(exposing))
    return told_in(played, server.received, outcome, began, when)


def trust(scene: Scene) -> dict[str, str]:
    """Return the variables that name the CA of a scene with TLS."""
    return dict.fromkeys(CA_VARIABLES, str(certificates().ca)) if scene.certificate else {}


async def opened(server: ScriptedServer, state: SceneState) -> str:
    """Open the two origins of a scene, note the other one, and return the base URL."""
    scene = state.scene
    host = split_url(scene.origin).hostname or ""
    tls = certificates().context(scene.certificate) if scene.certificate else None
    if scene.certificate == "expired":
        await asyncio.sleep(max(0.0, certificates().expired_at - time.time()))
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


def told_in(play: Play, received: Sequence[Received], outcome: Outcome, began: float, when: datetime) -> list[Exchange]:
    """Return what happened in a scene as exchanges, the last of which contains the whole story."""
    requests = [exchange_of(play, one, began, when) for one in sorted(received, key=lambda one: one.arrived)]
    failure = how(outcome) if outcome.is_seen else "the server was stopped"
    seconds = outcome.seconds if outcome.is_seen else time.monotonic() - began
    return told(play, requests, outcome, failure, seconds, when + timedelta(seconds=seconds))


def exchange_of(play: Play, one: Received, began: float, when: datetime) -> Exchange:
    """Return a request as it was received, with the response that was sent."""
    kind, segment = kind_of(one.request, play.scene.prefix)
    seen = Seen(
        play,
        "malformed" if one.malformed else kind,
        "own" if one.host == "own" else "other",
        segment,
        arrived=one.arrived - began,
        responded=None if one.responded is None else one.responded - began,
        delivered=one.delivered,
        without_tls=one.without_tls,
    )
    return Exchange(
        number=0,
        request=one.request,
        response=one.response,
        ask=seen,
        failure=one.malformed or one.failure,
        seconds=(one.responded or one.arrived) - one.arrived,
        when=when + timedelta(seconds=one.arrived - began),
        purpose=play.purpose,
        source="scene",
    )


async def serve_by_hand(scene: Scene, say: Callable[[str], None]) -> list[Exchange]:
    """Serve a scene until Ctrl-C; return the stories of the requests. A probe after an end begins a new story."""
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
    say(f"# The scene {scene.name}: {' '.join(scene.doc.split())}")
    say("# It is served until Ctrl-C. In another terminal:")
    for name, value in {**Play(scene, "run", KEY).environment(base_url), **trust(scene)}.items():
        say(f"export {name}={shlex.quote(value)}")
    began, when = time.monotonic(), datetime.now(UTC)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, ended.set)
    await ended.wait()
    loop.remove_signal_handler(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not take the list away
    await server.close()
    return [e for part in parts if part for e in told_in(Play(scene, "run", KEY), part, UNSEEN, began, when)]
