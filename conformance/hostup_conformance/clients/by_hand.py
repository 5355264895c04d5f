"""Serves one scene to people, who call it by hand, until Ctrl-C."""

from __future__ import annotations

import asyncio
import shlex
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime

from hostup_conformance.clients.play import opened, told_in, trust
from hostup_conformance.clients.scenes import Scene, SceneState
from hostup_conformance.clients.story import Exchange, kind_of
from hostup_conformance.http.scripted import Received, Reply, ScriptedServer


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
