"""One client in many hands: processes, threads, event loops, copies; and what is left when a call is cancelled."""

import asyncio
import contextlib
import copy
import dataclasses
import gc
import logging
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Coroutine, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import httpx
import pytest
from client.serving import Raw, replied, serving
from client.voices import KEY, PID, VPS, Recorder, Voice, answering, new_client
from hostup_agent_exec import AuthenticatedClient, Client
from hostup_agent_exec.api.agent import get_agent_exec, start_agent_exec
from hostup_agent_runtime import connections as module
from hostup_conformance.http.scripted import Received, Reply


def echo(received: Received) -> Reply:
    """Tell who asks what it asked for, and on which connection."""
    return replied({"available": True, "reason": received.request.target.split("/")[4], "port": received.port})


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(echo) as url:
        yield url


FORKS = """
import os, sys, warnings
warnings.simplefilter("error")
from hostup_agent_exec import AuthenticatedClient
from hostup_agent_exec.api.agent import get_agent_exec

client = AuthenticatedClient(sys.argv[1], "key")
others = [client, client.with_headers({"x-a": "1"})]

def ask(id):
    answers = [get_agent_exec.sync(id, client=one) for one in others]
    assert all(answer.reason == id for answer in answers), (id, answers)
    return answers[0]["port"]

port = ask("parent")
children = []
for number in range(4):
    pid = os.fork()
    if not pid:
        status = 1
        try:
            with client:
                ports = {ask(f"child-{number}-{turn}") for turn in range(30)}
            status = 2 if port in ports or len(ports) > 1 else 0
        finally:
            os._exit(status)
    children.append(pid)
ports = {ask(f"parent-{turn}") for turn in range(30)}
assert ports == {port}, (ports, port)
assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * 4
client.close()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_opens_its_own_connections(url: str) -> None:
    done = subprocess.run([sys.executable, "-c", FORKS, url], capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")


LOCKED = """
import os, sys, threading
from hostup_agent_exec import AuthenticatedClient
from hostup_agent_runtime import connections as module
from hostup_agent_exec.api.agent import get_agent_exec

client = AuthenticatedClient(sys.argv[1], "key")
get_agent_exec.sync("v", client=client)
turns = [client._pool.turns.take(0) for _ in range(client._pool.size)]
assert client._pool.turns.take(0) is None
with module._lock:
    pid = os.fork()
    if not pid:
        os._exit(0 if get_agent_exec.sync("w", client=client).reason == "w" else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


CLOSES = """
import gc, httpx, signal, sys
from hostup_agent_exec import AuthenticatedClient
from hostup_agent_exec.api.agent import get_agent_exec

client = AuthenticatedClient(sys.argv[1], "key")

class Owner:
    def __init__(self):
        self.itself, self.client = self, AuthenticatedClient(sys.argv[1], "key")
        get_agent_exec.sync("u", client=self.client)
    def __del__(self):
        self.client.close()

class Made(httpx.Client):
    def __init__(self, **arguments):
        gc.collect()
        signal.raise_signal(signal.SIGTERM)
        super().__init__(**arguments)

Owner()
signal.signal(signal.SIGTERM, lambda *_: client.close())
httpx.Client = Made
sys.exit(get_agent_exec.sync("v", client=client).reason != "v")
"""


def test_a_client_may_be_closed_while_another_opens_connections(url: str) -> None:
    done = subprocess.run([sys.executable, "-c", CLOSES, url], capture_output=True, text=True, check=False, timeout=20)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_amid_other_threads_does_not_lock(url: str) -> None:
    done = subprocess.run([sys.executable, "-c", LOCKED, url], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_each_event_loop_has_its_own_connections(url: str) -> None:
    client = AuthenticatedClient(url, KEY)
    for turn in range(10):
        availability = asyncio.run(get_agent_exec.asyncio(f"v{turn}", client=client))
        assert availability.reason == f"v{turn}"
    assert len(client._pool.loops) == 1  # those that are over are forgotten
    gc.collect()  # warnings of sockets left open are errors here
    asyncio.run(client.aclose())


def test_a_loop_that_was_closed_is_forgotten() -> None:
    client = answering(lambda _: httpx.Response(200, json={"available": True}))
    for _ in range(3):
        loop = asyncio.new_event_loop()
        loop.run_until_complete(get_agent_exec.asyncio(VPS, client=client))
        assert list(client._pool.loops) == [loop]
        loop.close()  # without an end of its generators, which would close the httpx client


def test_a_call_within_a_call_leaves_the_deadline_of_the_outer_one() -> None:
    inner = answering(httpx.Response(200, json={"available": True}))
    seen: list[float] = []

    def answer(_: httpx.Request) -> httpx.Response:
        seen.append(module.HERE.deadline)
        get_agent_exec.sync(VPS, client=inner, timeout=7)
        seen.append(module.HERE.deadline)
        return httpx.Response(200, json={"available": True})

    get_agent_exec.sync(VPS, client=answering(answer))
    assert seen[0] == seen[1]
    assert module.HERE.deadline is None


def test_event_loops_in_threads_share_a_client(url: str) -> None:
    client = AuthenticatedClient(url, KEY)

    async def several(number: int) -> list[Any]:
        return [(await get_agent_exec.asyncio(f"{number}-{turn}", client=client)).reason for turn in range(5)]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: asyncio.run(several(number)), range(8)))
    assert answers == [[f"{number}-{turn}" for turn in range(5)] for number in range(8)]


def test_trio_works_as_well(url: str) -> None:
    trio = pytest.importorskip("trio")

    async def main() -> list[Any]:
        async with AuthenticatedClient(url, KEY) as client:
            found = [(await get_agent_exec.asyncio(id, client=client)).reason for id in ("a", "b")]
            assert list(client._pool.loops) == [trio.lowlevel.current_trio_token()]
            return found

    for _ in range(2):
        assert trio.run(main) == ["a", "b"]


def test_trio_as_a_guest_of_asyncio_has_its_own_connections(url: str) -> None:
    trio = pytest.importorskip("trio")
    client = AuthenticatedClient(url, KEY)

    async def ask(id: str) -> Any:
        return (await get_agent_exec.asyncio(id, client=client)).reason

    async def guest() -> tuple[Any, list[str]]:
        commands = start_agent_exec.run_many(["a", "b"], "x", client=client)
        return await ask("guest"), [id async for id, _ in commands]

    async def host() -> tuple[Any, Any]:
        loop = asyncio.get_running_loop()
        ended = loop.create_future()
        trio.lowlevel.start_guest_run(
            guest, run_sync_soon_threadsafe=loop.call_soon_threadsafe, done_callback=ended.set_result
        )
        own, (told, many) = await ask("host"), (await asyncio.wait_for(ended, 20)).unwrap()
        await client.aclose()
        return own, (told, sorted(many))

    assert asyncio.run(host()) == ("host", ("guest", ["a", "b"]))


def twice(received: Received) -> Reply:
    """Say what `echo` says, and for some a second time, which nobody has asked for."""
    whole = b"".join(echo(received).parts())
    return Raw(raw=[whole * (1 + received.request.target.startswith("/api/v2/vps/twice"))])


def test_what_nobody_asked_for_is_no_response(voice: Voice) -> None:
    async def ask(id: str) -> str | None:
        return (await get_agent_exec.asyncio(id, client=client)).reason

    async def main() -> list[str | None]:
        async with client:
            return await asyncio.gather(*map(ask, ids))

    ids = [f"{kind}{number}" for number in range(60) for kind in ("a", "twice", "b", "c")]
    with serving(twice) as url, AuthenticatedClient(url, KEY) as client, ThreadPoolExecutor(8) as pool:
        if voice.is_async:
            told = asyncio.run(main())
        else:
            told = list(pool.map(lambda vps: get_agent_exec.sync(vps, client=client).reason, ids))
        assert told == ids


def test_derived_clients_share_connections(url: str) -> None:
    with AuthenticatedClient(url, KEY) as client:
        ports = {get_agent_exec.sync(VPS, client=client)["port"]}
        for number in range(50):
            for other in (client.with_timeout(5.0), client.with_headers({"x": str(number)}), client.with_cookies({})):
                with other:
                    ports.add(get_agent_exec.sync(VPS, client=other)["port"])
        assert len(ports) == 1


def test_a_pickle_takes_the_key_where_the_client_did(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOSTUP_API_KEY", KEY)
    for client, key in ((AuthenticatedClient(), "of another process"), (new_client(), "")):
        pickled = pickle.dumps(client)
        assert KEY.encode() not in pickled
        with monkeypatch.context() as other:
            other.setenv("HOSTUP_API_KEY", "of another process")
            assert pickle.loads(pickled).token == key  # noqa: S301


def test_without_a_key_it_says_why(voice: Voice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOSTUP_API_KEY", KEY)
    for client in (AuthenticatedClient(), new_client()):
        pickled = pickle.dumps(client)
        with monkeypatch.context() as other:
            other.delenv("HOSTUP_API_KEY")
            says = r"^token: there is none; assign one to it, which a client from a pickle needs$"
            with pytest.raises(ValueError, match=says):
                voice.call(client=pickle.loads(pickled))  # noqa: S301


def test_connections_whose_loop_was_left_are_collected_silently(url: str) -> None:
    program = f"""
import asyncio, sys
from hostup_agent_exec import AuthenticatedClient
from hostup_agent_exec.api.agent import get_agent_exec
client = AuthenticatedClient({url!r}, "key")

async def ask():
    sys.set_asyncgen_hooks(None, None)  # as loops that are nested do
    return await get_agent_exec.asyncio("v", client=client)

loop = asyncio.new_event_loop()
loop.run_until_complete(ask())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@dataclasses.dataclass
class Settings:
    client: Client


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda client: dataclasses.asdict(Settings(client))["client"]]
)
def test_a_copy_can_send(copied: Any) -> None:
    server = Recorder()
    for client in (server.client, new_client().set_httpx_client(httpx.Client(transport=server))):
        assert get_agent_exec.sync(VPS, client=copied(client)).available
        assert server.last.headers["authorization"] == f"Bearer {KEY}"


def test_a_password_of_the_base_url_goes_nowhere(voice: Voice, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    server = Recorder()
    client = AuthenticatedClient("https://me:hunter2@h.test", KEY, httpx_args={"transport": server})
    assert voice.call(client=client).available
    assert server.last.headers.get_list("Authorization") == [f"Bearer {KEY}"]
    plain = AuthenticatedClient("https://me:hunter2@h.test", KEY)
    other = Client("https://me:hunter2@h.test")
    assert "hunter2" not in caplog.text + repr(client) + repr(other) + str(pickle.dumps(plain))


@pytest.mark.parametrize("cause", [httpx.ReadError, httpx.ConnectTimeout, httpx.RemoteProtocolError])
def test_a_pickled_transport_error_holds_no_key(voice: Voice, cause: type[httpx.RequestError]) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise cause("no", request=request)

    with pytest.raises(cause) as caught:
        voice.call(client=answering(fail).with_cookies({"session": "s3cret"}))
    assert KEY.encode() not in pickle.dumps(caught.value)
    assert b"s3cret" not in pickle.dumps(caught.value)
    assert caught.value.request.url.path.endswith("/agent/exec")


class Steps:
    """Runs a coroutine until its n-th suspension, and cancels it there."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], stop: int) -> None:
        self.coroutine, self.stop, self.steps = coroutine, stop, 0

    def __await__(self) -> Generator[Any, Any, Any]:
        running = self.coroutine.__await__()
        value: Any = None
        while True:
            try:
                waited = running.send(value)
            except StopIteration as end:
                return end.value
            self.steps += 1
            if self.steps == self.stop:
                if waited is not None:
                    waited.cancel()
                waited = running.throw(asyncio.CancelledError())
            value = yield waited


class Slow(httpx.AsyncByteStream):
    def __init__(self, content: bytes) -> None:
        self.content = content

    async def __aiter__(self) -> Any:
        for byte in (self.content[:5], self.content[5:]):
            await asyncio.sleep(0)
            yield byte

    async def aclose(self) -> None:
        await asyncio.sleep(0)


async def slow_server(request: httpx.Request) -> httpx.Response:
    await asyncio.sleep(0)
    if request.method == "POST":
        body = b'{"pid": 4242}'
    elif "pid" in request.url.params:
        body = b'{"exited": true, "exitCode": 0}'
    else:
        body = b'{"available": true}'
    return httpx.Response(200, stream=Slow(body))


def test_cancelled_anywhere_it_leaves_a_client_that_works() -> None:
    async def cancel(step: int) -> tuple[bool, BaseException | None, list[int]]:
        client = new_client(httpx_args={"transport": httpx.MockTransport(slow_server)})
        pids: list[int] = []
        error: BaseException | None = None
        steps = Steps(start_agent_exec.asyncio_run(VPS, "x", client=client, on_start=pids.append), step)

        async def task() -> Any:
            return await steps

        try:
            await asyncio.create_task(task())
        except asyncio.CancelledError as cancelled:
            error = cancelled
        assert (await get_agent_exec.asyncio(VPS, client=client)).available
        assert (await get_agent_exec.asyncio_wait(VPS, PID, client=client)).exited
        await client.aclose()
        return steps.steps >= step, error, pids

    notes = set()
    for step in range(1, 1000):
        reached, error, pids = asyncio.run(cancel(step))
        if not reached:
            assert step > 10
            break
        assert error is not None
        told = "".join(getattr(error, "__notes__", []))
        assert (f"pid {PID}" in told) == bool(pids)
        notes.add(told)
    assert notes == {"no command was started", "a command may have been started", f"the command was started: pid {PID}"}


@pytest.mark.parametrize("asked", ["probe", "start", "poll"])
@pytest.mark.parametrize("turns", [0, 1, 2])
def test_tasks_are_cancelled_while_the_client_is_closed(asked: str, turns: int) -> None:
    """As a program that shuts down does: what is cancelled says so, and what became of its command."""

    async def hangs(request: httpx.Request) -> httpx.Response:
        this = "start" if request.method == "POST" else "poll" if "pid" in request.url.params else "probe"
        await asyncio.sleep(60 if this == asked else 0)
        return await slow_server(request)

    class SlowlyClosed(httpx.MockTransport):
        async def aclose(self) -> None:
            await asyncio.sleep(0.01)

    async def main() -> list[Any]:
        client = new_client(httpx_args={"transport": SlowlyClosed(hangs)})
        tasks = [asyncio.create_task(start_agent_exec.asyncio_run(VPS, "x", client=client)) for _ in range(3)]
        await asyncio.sleep(0.1)
        for task in tasks:
            task.cancel()
        for _ in range(turns):
            await asyncio.sleep(0)
        await client.aclose()
        return await asyncio.gather(*tasks, return_exceptions=True)

    assert [type(error) for error in asyncio.run(main())] == 3 * [asyncio.CancelledError]


def test_what_waits_for_its_turn_while_the_client_is_closed_is_sent_afterwards() -> None:
    async def waits(_request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0.05)
        return httpx.Response(200, json={"available": True})

    class Transport(httpx.MockTransport):
        async def aclose(self) -> None:
            closed.append(True)

    closed = list[bool]()

    async def main() -> list[Any]:
        arguments = {"transport": Transport(waits), "limits": httpx.Limits(max_connections=1)}
        client = new_client(httpx_args=arguments)
        tasks = [asyncio.create_task(get_agent_exec.asyncio(VPS, client=client)) for _ in range(3)]
        await asyncio.sleep(0.01)
        await client.aclose()
        return await asyncio.gather(*tasks)

    assert [probe.available for probe in asyncio.run(main())] == [True] * 3
    assert len(closed) > 1  # so is the one that was made meanwhile


def test_an_interrupted_run_names_its_pid(voice: Voice) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if "pid" in request.url.params:
            raise KeyboardInterrupt
        return httpx.Response(200, json={"available": True} if request.method == "GET" else {"pid": PID})

    with pytest.raises(KeyboardInterrupt) as caught, contextlib.ExitStack():
        voice.run(client=answering(answer))
    assert caught.value.__notes__ == [f"the command was started: pid {PID}"]


def test_a_run_that_the_log_breaks_tells_what_was_begun(voice: Voice) -> None:
    def broken(record: logging.LogRecord) -> bool:
        if "POST" in record.getMessage():
            raise RuntimeError("not one of httpx's, nor of this package")
        return True

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"available": True} if request.method == "GET" else {"pid": PID})

    log = logging.getLogger("hostup_agent_exec")
    level = log.level
    log.addFilter(broken)
    log.setLevel(logging.INFO)
    try:
        with pytest.raises(RuntimeError) as caught, contextlib.ExitStack():
            voice.run(client=answering(answer))
    finally:
        log.removeFilter(broken)
        log.setLevel(level)
    assert caught.value.__notes__ == ["a command may have been started"]


def test_interrupted_after_a_refusal_nothing_was_started(voice: Voice, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"available": True}) if request.method == "GET" else httpx.Response(429)

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    async def interrupt_later(seconds: float) -> None:
        interrupt(seconds)

    monkeypatch.setattr(time, "sleep", interrupt)
    monkeypatch.setattr(anyio, "sleep", interrupt_later)
    with pytest.raises(KeyboardInterrupt) as caught, contextlib.ExitStack():
        voice.run(client=answering(answer))
    assert caught.value.__notes__ == ["no command was started: the server had refused it"]
