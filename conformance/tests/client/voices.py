"""The client's synchronous and asynchronous calls behind one interface, so that each test runs both."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Self

import httpx
from hostup_agent_exec import AuthenticatedClient
from hostup_agent_exec.api.agent import get_agent_exec, start_agent_exec
from hostup_agent_exec.api.vps import list_vps
from hostup_agent_exec.models import CommandStart

BASE_URL = "https://cloud.hostup.se"
KEY = "sk_test_5f3b9c"
VPS = "vps_01hxa3b4c5d6e7f8g9h0j1k2m3"
PID = 4242

YES = httpx.Response(200, json={"available": True})
STARTED = httpx.Response(200, json={"pid": PID})
EXITED = httpx.Response(200, json={"exited": True, "exitCode": 0, "stdout": "Linux\n"})
REFUSED = httpx.Response(429, headers={"Retry-After": "7"})
BUSY = httpx.Response(503, headers={"Retry-After": "3"})

Handler = Callable[[httpx.Request], httpx.Response]
Trouble = httpx.Response | type[Exception]


def new_client(**arguments: Any) -> AuthenticatedClient:
    return AuthenticatedClient(BASE_URL, KEY, **arguments)


def answering(handler: Handler | httpx.Response) -> AuthenticatedClient:
    """Make a client whose server is a function, or that always gets one answer."""
    transport = httpx.MockTransport(handler if callable(handler) else lambda _: handler)
    return new_client(httpx_args={"transport": transport})


class Pieces(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that comes in pieces, as a function makes them."""

    def __init__(self, make: Callable[[], Iterable[bytes]]) -> None:
        self.make = make

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.make())

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.make():
            yield piece


def gzipped(body: bytes | httpx.AsyncByteStream, coding: str = "gzip") -> Handler:
    """Respond with a body that is said to be in gzip, or in another coding."""
    stream = httpx.ByteStream(body) if isinstance(body, bytes) else body
    return lambda _: httpx.Response(200, headers={"Content-Encoding": coding}, stream=stream)


#: What a transport raises before it has sent anything, of which it gives evidence.
UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)


def traced(request: httpx.Request, event: str) -> None:
    """Tell of an event of the transport, as httpcore does."""
    told = request.extensions["trace"](event, {"request": SimpleNamespace(method=request.method.encode())})
    if told is not None:
        with contextlib.suppress(StopIteration):
            told.send(None)


def played(answer: Trouble, request: httpx.Request | None = None) -> httpx.Response:
    """Give a response as if it had just come, since one that was read cannot be read again; or raise the error.

    An error that says that nothing was sent has the evidence for that if the request is given.
    """
    if isinstance(answer, httpx.Response):
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
    if request is not None and issubclass(answer, UNSENT):
        traced(request, "connection.connect_tcp.started")
    raise answer("no response")


class Recorder(httpx.MockTransport):
    """A transport that gives one response, or that of a function, and remembers its requests and whether it closed."""

    def __init__(self, answer: Handler | Trouble = YES) -> None:
        super().__init__(self.respond)
        self.answer = answer
        self.requests: list[httpx.Request] = []
        self.closed = 0

    def respond(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if isinstance(self.answer, httpx.Response | type):
            return played(self.answer, request)
        return self.answer(request)

    def close(self) -> None:
        self.closed += 1

    async def aclose(self) -> None:
        self.closed += 1

    @property
    def last(self) -> httpx.Request:
        return self.requests[-1]

    @property
    def lines(self) -> list[str]:
        """The requests, each as its method and target."""
        return [f"{request.method} {request.url.raw_path.decode()}" for request in self.requests]

    @property
    def client(self) -> AuthenticatedClient:
        return new_client(httpx_args={"transport": self})


class Clock:
    """A clock that moves only when somebody sleeps, and remembers for how long."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    async def async_sleep(self, seconds: float) -> None:
        self.sleep(seconds)


class Script(Recorder):
    """A server that plays the responses of each kind of request one by one, the last one for ever."""

    def __init__(self, **kinds: Sequence[Trouble]) -> None:
        super().__init__(self.play)
        self.clock, self.seconds = Clock(), 0.0
        self.kinds: dict[str, Sequence[Trouble]] = {"probe": [YES], "start": [STARTED], "poll": [EXITED], **kinds}
        self.seen: list[str] = []

    def play(self, request: httpx.Request) -> httpx.Response:
        kind = "start" if request.method == "POST" else "poll" if "pid" in request.url.params else "probe"
        self.seen.append(kind)
        self.clock.now += self.seconds
        played_before = self.seen.count(kind) - 1
        return played(self.kinds[kind][min(played_before, len(self.kinds[kind]) - 1)], request)

    def taking(self, seconds: float, clock: Clock) -> Self:
        """Let each request take its time."""
        self.clock, self.seconds = clock, seconds
        return self


@dataclass(frozen=True)
class Voice:
    """Calls the operation's functions with or without `asyncio`, and closes the client after an asynchronous call."""

    name: str

    @property
    def is_async(self) -> bool:
        return self.name == "asyncio"

    def call(self, id: Any = VPS, *, client: AuthenticatedClient, **arguments: Any) -> Any:
        if self.is_async:
            return self._run(client, get_agent_exec.asyncio(id, client=client, **arguments))
        return get_agent_exec.sync(id, client=client, **arguments)

    def detailed(self, id: Any = VPS, *, client: AuthenticatedClient, **arguments: Any) -> Any:
        if self.is_async:
            return self._run(client, get_agent_exec.asyncio_detailed(id, client=client, **arguments))
        return get_agent_exec.sync_detailed(id, client=client, **arguments)

    def wait(self, id: Any = VPS, pid: Any = PID, *, client: AuthenticatedClient, **arguments: Any) -> Any:
        if self.is_async:
            return self._run(client, get_agent_exec.asyncio_wait(id, pid, client=client, **arguments))
        return get_agent_exec.wait(id, pid, client=client, **arguments)

    def run(self, id: Any = VPS, command: Any = "uname -a", *, client: AuthenticatedClient, **arguments: Any) -> Any:
        if self.is_async:
            return self._run(client, start_agent_exec.asyncio_run(id, command, client=client, **arguments))
        return start_agent_exec.run(id, command, client=client, **arguments)

    def start(self, id: Any = VPS, *, client: AuthenticatedClient) -> Callable[[], Any]:
        body = CommandStart("x")
        if self.is_async:
            return lambda: self._run(client, start_agent_exec.asyncio(id, client=client, body=body))
        return lambda: start_agent_exec.sync(id, client=client, body=body)

    def items(self, *, client: AuthenticatedClient, **arguments: Any) -> list[Any]:
        async def collect() -> list[Any]:
            return [item async for item in list_vps.asyncio_iterate(client=client, **arguments)]

        if self.is_async:
            collected: list[Any] = self._run(client, collect())
            return collected
        return list(list_vps.iterate(client=client, **arguments))

    @staticmethod
    def _run(client: AuthenticatedClient, call: Awaitable[Any]) -> Any:
        async def with_client() -> Any:
            async with client:
                return await call

        return asyncio.run(with_client())
