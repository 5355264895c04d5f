"""A command on many VPSs, several at once."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import anyio
import httpx
import pytest
import trio
from client.voices import EXITED, STARTED, VPS, YES, new_client, played
from hostup_agent_exec import AuthenticatedClient, errors
from hostup_agent_exec.api.agent import start_agent_exec
from hostup_agent_exec.models import CommandOutput


def test_many_are_told_all_that_one_is(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[dict[str, Any]] = []
    under_way: list[int] = []

    async def run(_: str, **arguments: Any) -> int:
        given.append(arguments)
        await asyncio.sleep(0)
        under_way.append(len(given) - len(under_way))
        return 0

    async def main(**arguments: Any) -> None:
        ids = map(str, range(50))
        assert len([one async for one in start_agent_exec.run_many(ids, "x", client=new_client(), **arguments)]) == 50

    monkeypatch.setattr(start_agent_exec, "asyncio_run", run)
    asyncio.run(main())
    told = {name: given[0][name] for name in ("command", "timeout", "interval", "check")}
    assert told == {"command": "x", "timeout": 300.0, "interval": None, "check": False}
    assert max(under_way) == 20
    given.clear()
    asyncio.run(main(timeout=7.0, interval=2.0, check=True))
    assert [given[0][name] for name in ("timeout", "interval", "check")] == [7.0, 2.0, True]


def test_many_are_run_some_at_once() -> None:
    running, most = set[str](), list[int]()

    async def answer(request: httpx.Request) -> httpx.Response:
        vps = request.url.path.split("/")[4]
        running.add(vps)
        most.append(len(running))
        await asyncio.sleep(0)
        if vps == "bad":
            running.discard(vps)
            return httpx.Response(404)
        if "pid" in request.url.params:
            running.discard(vps)
            return played(EXITED)
        return played(STARTED if request.method == "POST" else YES)

    async def main(ids: Any) -> dict[str, Any]:
        async with new_client(httpx_args={"transport": httpx.MockTransport(answer)}) as client:
            return {id: done async for id, done in start_agent_exec.run_many(ids, "uname", client=client, limit=3)}

    async def ids() -> AsyncIterator[str]:
        for id in ("a", "bad", "", "b", "c", "d", "e"):
            yield id

    for given in (ids, lambda: ["a", "bad", "", "b", "c", "d", "e"]):
        outcomes = asyncio.run(main(given()))
        assert {id for id, done in outcomes.items() if isinstance(done, CommandOutput)} == {"a", "b", "c", "d", "e"}
        assert isinstance(outcomes["bad"], errors.NotFound)
        assert isinstance(outcomes[""], ValueError)
    assert max(most) == 3


def test_closing_many_runs_ends_them_all() -> None:
    ended: list[str] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        vps = request.url.path.split("/")[4]
        try:
            await asyncio.sleep(60 if vps == "slow" else 0)
        finally:
            await asyncio.sleep(0)
            ended.append(vps)
        return played(EXITED if "pid" in request.url.params else STARTED if request.method == "POST" else YES)

    async def main() -> list[str]:
        client = new_client(httpx_args={"transport": httpx.MockTransport(answer)})
        assert [id async for id, _ in start_agent_exec.run_many(["a", "b"], "x", client=client, limit=1)] == ["a", "b"]
        many = start_agent_exec.run_many(["fast", "slow"], "x", client=client)
        async with client:
            await anext(many)
            await many.aclose()
            return ended

    assert asyncio.run(main())[-1] == "slow"


@pytest.mark.parametrize("times", [1, 2, 5])
def test_a_cancellation_tells_of_each_command(times: int) -> None:
    polled: list[str] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        vps = request.url.path.split("/")[4]
        if "pid" in request.url.params:
            polled.append(vps)
            await asyncio.sleep(60)
        if vps == "slow":
            await asyncio.sleep(60)
        return played(STARTED if request.method == "POST" else YES)

    async def main() -> BaseException:
        async with new_client(httpx_args={"transport": httpx.MockTransport(answer)}) as client:

            async def collect() -> None:
                async for _ in start_agent_exec.run_many(["a", "slow", "b"], "x", client=client):
                    pass

            task = asyncio.ensure_future(collect())
            while len(polled) < 2:
                await asyncio.sleep(0)
            for _ in range(times):  # as of an impatient caller
                task.cancel()
                await asyncio.sleep(0)
            await asyncio.wait([task])
            with pytest.raises(asyncio.CancelledError) as caught:
                task.result()
            return caught.value

    notes = asyncio.run(main()).__notes__
    started = "the command was started: pid 4242"
    assert notes == [f"a: {started}", "slow: no command was started", f"b: {started}"]


def test_one_id_is_not_many() -> None:
    async def main() -> None:
        async for _ in start_agent_exec.run_many(VPS, "x", client=new_client()):
            pass

    with pytest.raises(TypeError, match=r"^expected many, got one str$"):
        asyncio.run(main())


LOOPS: dict[str, Callable[..., Any]] = {"asyncio": asyncio.run, "trio": trio.run}


def scripted(slow: str = "") -> AuthenticatedClient:
    """Make a client whose server never ends the command of one VPS."""

    async def respond(request: httpx.Request) -> httpx.Response:
        is_slow = slow and request.url.path.split("/")[4] == slow
        await anyio.sleep(0)
        if "pid" in request.url.params:
            return httpx.Response(200, json={"exited": False}) if is_slow else played(EXITED)
        return played(STARTED if request.method == "POST" else YES)

    return new_client(httpx_args={"transport": httpx.MockTransport(respond)})


@pytest.mark.parametrize("run", LOOPS.values(), ids=LOOPS)
def test_pids_and_progress_are_told_on_any_loop(run: Callable[..., Any]) -> None:
    started, progress = list[tuple[str, int]](), list[tuple[str, bool]]()

    async def main() -> set[str]:
        async with scripted("slow") as client:
            many = start_agent_exec.run_many(
                ["a", "slow"], "x", client=client, timeout=0.3, interval=0.1,
                on_start=lambda vps, pid: started.append((vps, pid)),
                on_progress=lambda vps, state: progress.append((vps, state.exited)),
            )  # fmt: skip
            return {f"{id}: {type(result).__name__}" async for id, result in many}

    outcomes = trio.run(main) if run is trio.run else asyncio.run(main())
    assert outcomes == {"a: CommandOutput", "slow: CommandStillRunning"}
    assert sorted(started) == [("a", 4242), ("slow", 4242)]
    assert set(progress) == {("slow", False)}


def test_a_result_does_not_wait_for_the_next_id() -> None:
    async def main() -> str:
        never = asyncio.Event()

        async def ids() -> AsyncIterator[str]:
            yield "a"
            await never.wait()

        async with scripted() as client, aclosing(start_agent_exec.run_many(ids(), "x", client=client)) as many:
            return (await anext(many))[0]

    assert asyncio.run(asyncio.wait_for(main(), 10)) == "a"


def test_ids_that_cannot_be_read_are_an_error() -> None:
    async def main() -> None:
        async def ids() -> AsyncIterator[str]:
            yield "a"
            raise KeyError("database")

        async with scripted() as client:
            async for _ in start_agent_exec.run_many(ids(), "x", client=client):
                pass

    with pytest.raises(KeyError, match="database"):
        asyncio.run(main())


def test_what_nobody_took_is_told() -> None:
    async def main() -> BaseException:
        async with scripted("slow") as client:
            many = start_agent_exec.run_many(["slow", "a", "b"], "x", client=client)
            await anext(many)
            await asyncio.sleep(0.2)
            with pytest.raises(KeyboardInterrupt) as caught:
                await many.athrow(KeyboardInterrupt())
            return caught.value

    notes = asyncio.run(main()).__notes__
    assert "slow: the command was started: pid 4242" in notes
    assert [note for note in notes if note.endswith(": the command has ended with exit code 0, stdout 'Linux\\n'")]


def test_of_what_nobody_took_the_notes_are_told() -> None:
    def refuse(id: str, _: int) -> None:
        raise ValueError(f"cannot store {id}")

    async def main() -> BaseException:
        async with scripted() as client:
            many = start_agent_exec.run_many(["a", "b"], "x", client=client, on_start=refuse)
            await anext(many)
            await asyncio.sleep(0.2)
            with pytest.raises(KeyboardInterrupt) as caught:
                await many.athrow(KeyboardInterrupt())
            return caught.value

    (note,) = asyncio.run(main()).__notes__
    assert note[1:] in {f": ValueError: cannot store {id} (the command was started: pid 4242)" for id in "ab"}


def test_what_is_left_by_a_break_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        many = start_agent_exec.run_many(["slow", "a", "b", "c"], "x", client=scripted("slow"))
        async with aclosing(many) as outcomes:
            async for _ in outcomes:
                await asyncio.sleep(0.2)
                break

    with caplog.at_level(logging.WARNING, "hostup_agent_exec"):
        asyncio.run(main())
    ended = "the command has ended with exit code 0, stdout 'Linux\\n'"
    told = {record.getMessage().removeprefix("run_many was closed: ") for record in caplog.records}
    assert told >= {"slow: the command was started: pid 4242"}
    assert len({f"{id}: {ended}" for id in "abc"} & told) == 2


@pytest.mark.parametrize(("limit", "error"), [(0, ValueError), ("2", TypeError), (True, TypeError)])
def test_a_senseless_number_at_once_is_refused(limit: Any, error: type[Exception]) -> None:
    async def main() -> None:
        async for _ in start_agent_exec.run_many(["v"], "x", client=new_client(), limit=limit):
            pass

    with pytest.raises(error, match=r"^limit: expected "):
        asyncio.run(main())
