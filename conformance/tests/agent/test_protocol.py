"""The client of the agent's protocol, against agents that misbehave on cue."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hostup_conformance.mock.guest_agent import AgentError, GuestAgent

Reply = Callable[[dict[str, Any]], Awaitable[bytes | None]]
Act = Callable[[GuestAgent], Awaitable[None]]
#: For how many seconds a reply is waited for: one that comes, however busy the machine is, and one that does not.
PATIENT, IMPATIENT = 30.0, 0.3


def with_agent(folder: Path, reply: Reply, act: Act) -> list[dict[str, Any]]:
    """Act on a client of a scripted agent; return the requests that it got. It syncs by itself, `reply` does the rest.

    A reply of None ends the connection.
    """
    requests: list[dict[str, Any]] = []

    handlers = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handlers.append(asyncio.current_task())
        async for line in reader:
            request = json.loads(line.removeprefix(b"\xff"))
            requests.append(request)
            if request["execute"] == "guest-sync-delimited":
                response: bytes | None = b"\xff" + returned(request["arguments"]["id"])
            else:
                response = await reply(request)
            if response is None:
                break
            writer.write(response)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    async def main() -> None:
        server = await asyncio.start_unix_server(serve, folder / "s")
        agent = GuestAgent(folder / "s", seconds=PATIENT)
        try:
            await act(agent)
        finally:
            await agent.aclose()
            server.close()
            await asyncio.gather(*filter(None, handlers))

    asyncio.run(main())
    return requests


async def gets_no_reply(agent: GuestAgent, request: Callable[[], Awaitable[Any]]) -> None:
    """Make a request that is given up; the next one may take its time again."""
    agent.seconds = IMPATIENT
    with pytest.raises(TimeoutError, match=r"no reply within 0\.3 seconds"):
        await request()
    agent.seconds = PATIENT


def returned(value: Any) -> bytes:
    return json.dumps({"return": value}).encode() + b"\n"


def names(requests: list[dict[str, Any]]) -> list[str]:
    return [request["execute"] for request in requests]


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # Short, since a socket's path may have about 100 characters.
    return tmp_path_factory.mktemp("s")


def test_a_program_is_sent_as_arguments(folder: Path) -> None:
    """A program is sent with separate arguments, never as one command line."""

    async def reply(_: dict[str, Any]) -> bytes:
        return returned({"pid": 7})

    async def act(agent: GuestAgent) -> None:
        assert await agent.start("/bin/sh", "-c", "echo '$(id)'\n\"") == 7

    requests = with_agent(folder, reply, act)
    assert requests[-1]["arguments"] == {
        "path": "/bin/sh",
        "arg": ["-c", "echo '$(id)'\n\""],
        "capture-output": True,
    }


def test_one_sync_is_enough_while_replies_come(folder: Path) -> None:
    async def reply(_: dict[str, Any]) -> bytes:
        return returned({})

    async def act(agent: GuestAgent) -> None:
        await asyncio.gather(*(agent.info() for _ in range(20)))

    assert names(with_agent(folder, reply, act)) == ["guest-sync-delimited", *["guest-info"] * 20]


def test_a_late_reply_is_not_taken_for_another(folder: Path) -> None:
    """After a timeout, the late reply is not taken for the reply to the next request."""

    given_up = asyncio.Event()

    async def reply(request: dict[str, Any]) -> bytes:
        if request["execute"] == "guest-info":
            await given_up.wait()
            return returned("late")
        return returned({"exited": False})

    async def act(agent: GuestAgent) -> None:
        await gets_no_reply(agent, agent.info)
        given_up.set()
        assert await agent.status(5) == {"exited": False}

    requests = names(with_agent(folder, reply, act))
    assert requests == ["guest-sync-delimited", "guest-info", "guest-sync-delimited", "guest-exec-status"]


@pytest.mark.parametrize("reused", [False, True])
def test_a_late_report_of_an_end_is_kept(folder: Path, reused: bool) -> None:
    """An end that was reported too late is kept for the next poll of its pid."""
    given_up = asyncio.Event()

    async def reply(request: dict[str, Any]) -> bytes:
        if request["execute"] == "guest-exec":
            return returned({"pid": 5})
        asked_before.append(request)
        if len(asked_before) > 1:
            return b'{"error": {"class": "GenericError", "desc": "no such pid"}}\n'
        await given_up.wait()
        return returned({"exited": True, "exitcode": 0})

    asked_before: list[dict[str, Any]] = []

    async def act(agent: GuestAgent) -> None:
        await gets_no_reply(agent, lambda: agent.status(5))
        given_up.set()
        if reused:
            await agent.start("/bin/true")
        else:
            assert await agent.status(5) == {"exited": True, "exitcode": 0}
        with pytest.raises(AgentError, match="no such pid"):
            await agent.status(5)

    with_agent(folder, reply, act)


def test_callers_behind_a_hanging_request_give_up(folder: Path) -> None:
    """The time of callers that wait behind a hanging request runs meanwhile: hardly any gets a turn of its own."""
    given_up = asyncio.Event()

    async def reply(_: dict[str, Any]) -> bytes:
        await given_up.wait()
        return returned({})

    async def act(agent: GuestAgent) -> None:
        agent.seconds = IMPATIENT
        outcomes = await asyncio.gather(*(agent.info() for _ in range(100)), return_exceptions=True)
        agent.seconds = PATIENT
        given_up.set()
        assert all(isinstance(outcome, TimeoutError) for outcome in outcomes)
        assert await agent.info() == {}

    # Each turn begins with an attempt to sync.
    assert names(with_agent(folder, reply, act)).count("guest-sync-delimited") < 50


@pytest.mark.parametrize("response", [None, b"no JSON\n", b"[]\n", b"{}\n", b'{"return": '])
def test_after_a_broken_connection_the_next_request_reconnects(folder: Path, response: bytes | None) -> None:
    """A broken connection is an error, and the next request connects anew."""
    replies = [response, returned({"version": "1"})]

    async def reply(_: dict[str, Any]) -> bytes | None:
        return replies.pop(0)

    async def act(agent: GuestAgent) -> None:
        if response == b'{"return": ':
            await gets_no_reply(agent, agent.info)
        else:
            with pytest.raises(OSError, match="connection was lost"):
                await agent.info()
            assert await agent.info() == {"version": "1"}

    with_agent(folder, reply, act)


def test_a_connection_closed_while_idle_is_not_used(folder: Path) -> None:
    async def reply(request: dict[str, Any]) -> bytes | None:
        return None if request["execute"] == "end" else returned({"pid": 1})

    async def act(agent: GuestAgent) -> None:
        await agent.start("/bin/true")
        with pytest.raises(ConnectionResetError):
            await agent.request("end")
        await agent.start("/bin/true")

    with_agent(folder, reply, act)


def test_an_abandoned_request_leaves_the_next_in_step(folder: Path) -> None:
    """After a request that was given up, the next one gets its own reply."""

    asked, given_up = asyncio.Event(), asyncio.Event()

    async def reply(request: dict[str, Any]) -> bytes:
        asked.set()
        await given_up.wait()
        return returned(request["execute"])

    async def act(agent: GuestAgent) -> None:
        task = asyncio.create_task(agent.request("first"))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        given_up.set()
        assert await agent.request("second") == "second"

    with_agent(folder, reply, act)


def test_no_agent(folder: Path) -> None:
    async def act() -> None:
        agent = GuestAgent(folder / "nobody")
        with pytest.raises(FileNotFoundError):
            await agent.info()
        await agent.aclose()

    asyncio.run(act())


def test_an_unsolicited_line_shifts_no_reply(folder: Path) -> None:
    """A line that no request asked for is not taken for a reply."""

    async def reply(request: dict[str, Any]) -> bytes:
        return returned(request["execute"]) + returned("more")

    async def act(agent: GuestAgent) -> None:
        for name in ("first", "second", "third"):
            assert await agent.request(name) == name

    with_agent(folder, reply, act)


@pytest.mark.parametrize("value", [None, 7, [], {}, {"pid": "7"}, {"exited": 1}, {"exited": None}])
def test_what_is_no_report_is_a_lost_connection(folder: Path, value: Any) -> None:
    async def reply(_: dict[str, Any]) -> bytes:
        return returned(value)

    async def act(agent: GuestAgent) -> None:
        with pytest.raises(ConnectionResetError):
            await agent.status(5)
        with pytest.raises(ConnectionResetError):
            await agent.start("/bin/true")

    with_agent(folder, reply, act)
