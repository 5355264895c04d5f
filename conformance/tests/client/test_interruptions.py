"""Interrupted thousands of times at any point, over real sockets, a client lives on and loses no socket for good."""

import asyncio
import gc
import logging
import os
import random
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import httpx
import pytest
from client.test_client_object import variables_of
from client.voices import KEY
from hostup_agent_exec import AuthenticatedClient
from hostup_agent_exec.api.agent import get_agent_exec

TESTS = Path(__file__).parents[1]
SERVE = """
import threading
from client.serving import serving
from client.test_sharing import echo
with serving(echo) as url:
    print(url, flush=True)
    threading.Event().wait()
"""
# Many more than break httpx alone (about 150 cancellations, 700 signals) are of the catalogue, which takes its time.
TIMES = [200, pytest.param(2000, marks=pytest.mark.catalogue)]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Serve in another process, which is not interrupted and not counted."""
    command = [sys.executable, "-c", SERVE]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        yield process.stdout.readline().decode().strip()
        process.kill()


def sockets() -> int:
    """Count this process's sockets, once what is garbage is gone."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # of one that was interrupted before anybody had it
        gc.collect()
    return _open_sockets()


def _open_sockets() -> int:
    folder = Path("/proc/self/fd")
    return sum(
        os.readlink(folder / name).startswith("socket:") for name in os.listdir(folder) if (folder / name).exists()
    )


# A connect that is cancelled leaves its socket to the collector of garbage, which warns of it, and closes it unless the
# warning is an error.
only_warned = pytest.mark.filterwarnings("ignore::ResourceWarning")
only_linux = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts sockets by /proc")


@only_linux
@only_warned
@pytest.mark.parametrize("times", TIMES)
def test_cancelled_at_any_point_it_lives_on(url: str, times: int) -> None:
    chance = random.Random(times)  # noqa: S311  (no secret)

    async def ask(id: str) -> str | None:
        return (await get_agent_exec.asyncio(id, client=client, timeout=30)).reason

    async def interrupted() -> int:
        tasks = [asyncio.ensure_future(ask(f"v{number}")) for number in range(30)]
        await asyncio.sleep(chance.random() * 0.03)
        for task in tasks:
            task.cancel()
            await asyncio.sleep(0)
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert [error for error in ended if isinstance(error, Exception)] == []
        return sum(isinstance(error, asyncio.CancelledError) for error in ended)

    async def main() -> None:
        cancelled = 0
        async with client:
            while cancelled < times:
                cancelled += await interrupted()
                assert await ask("w") == "w"
            ids = [f"v{number}" for number in range(60)]
            assert await asyncio.gather(*map(ask, ids)) == ids

    client, before = AuthenticatedClient(url, KEY), sockets()
    asyncio.run(main())
    assert sockets() <= before


def test_cancelled_while_it_sends_no_frame_holds_the_key(url: str) -> None:
    """The libraries below have the bytes of a request too, in variables of their own."""

    async def cancelled(step: int) -> str:
        async with AuthenticatedClient(url, KEY) as client:
            task = asyncio.ensure_future(get_agent_exec.asyncio("v", client=client))
            for _ in range(step):
                await asyncio.sleep(0)
            task.cancel()
            try:
                await task
            except asyncio.CancelledError as error:
                return variables_of(error)
            return ""

    seen = [asyncio.run(cancelled(step)) for step in range(1, 30)]
    assert any("in send\n" in text for text in seen)
    assert not any(KEY in text for text in seen)


@only_linux
def test_cancelled_again_and_again_it_closes_all() -> None:
    async def main() -> tuple[int, int]:
        never = asyncio.Event()

        async def hang(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await never.wait()
            writer.close()

        server = await asyncio.start_server(hang, "127.0.0.1", 0)
        before = sockets()
        gc.disable()
        async with AuthenticatedClient(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", KEY) as client:
            tasks = [asyncio.ensure_future(get_agent_exec.asyncio("v", client=client)) for _ in range(10)]
            while _open_sockets() < before + 20:  # of each connection both ends
                await asyncio.sleep(0.01)
            for _ in range(4):
                for task in tasks:
                    task.cancel()
                await asyncio.sleep(0)
            await asyncio.wait(tasks)
            await asyncio.sleep(0)
        left = _open_sockets() - before - 10
        gc.enable()
        never.set()
        server.close()
        return left, sum(task.cancelled() for task in tasks)

    assert asyncio.run(main()) == (0, 10)


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_a_kept_exception_keeps_no_socket(url: str, failure: type[BaseException]) -> None:
    failures = list[BaseException]()

    def fail(_: httpx.Request) -> None:
        if failures:
            raise failures.pop()

    with AuthenticatedClient(url, KEY, httpx_args={"event_hooks": {"request": [fail]}}) as client:
        before = sockets()
        get_agent_exec.sync("a", client=client)
        failures.append(failure())
        with pytest.raises(failure) as kept:
            get_agent_exec.sync("a", client=client)
        get_agent_exec.sync("a", client=client)
        assert sockets() == before + 1
    assert sockets() == before
    assert kept.value.__traceback__ is not None


class Interrupt(KeyboardInterrupt):
    """What Ctrl-C raises."""


class Alarm(Exception):
    """What a timeout by a signal raises, which is no BaseException only."""


@only_linux
@only_warned
@pytest.mark.parametrize("raised", [Interrupt, Alarm])
@pytest.mark.parametrize("times", TIMES)
def test_a_signal_at_any_point_does_no_harm(
    url: str, raised: type[BaseException], times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A signal may come in a collection; pytest would keep the frames of what it interrupts, and their sockets.
    monkeypatch.setattr(sys, "unraisablehook", lambda _: None)
    chance = random.Random(times)  # noqa: S311
    before, interrupted = sockets(), 0

    def stop(_: int, __: FrameType | None) -> None:
        raise raised

    def ask(id: str) -> None:
        assert get_agent_exec.sync(id, client=client, timeout=30).reason == id

    client = AuthenticatedClient(url, KEY)
    former = signal.signal(signal.SIGALRM, stop)
    try:
        while interrupted < times:
            interrupted += _interrupted(raised, lambda: ask("v"), chance.random() * 0.004 + 1e-6)
            if interrupted % 20 == 0:
                assert not _interrupted(raised, lambda: ask("w"), 30)
    finally:
        signal.signal(signal.SIGALRM, former)
    client.close()
    assert sockets() <= before
    assert in_time(lambda: logging.getLogger("another")), "a signal keeps the lock of logging"


def in_time(call: Callable[[], object]) -> bool:
    """Whether another thread can make a call, for which it needs a lock."""
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(10)
    return not thread.is_alive()


def _interrupted(raised: type[BaseException], call: Callable[[], None], after: float) -> bool:
    try:
        try:
            signal.setitimer(signal.ITIMER_REAL, after, 30)  # and again, so that no lock holds the test for good
            call()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    except raised:
        return True
    return False
