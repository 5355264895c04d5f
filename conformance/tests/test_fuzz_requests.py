"""Whatever a client sends to the scripted server is recorded within bounds, and judged; no report shows its key."""

import asyncio
import base64
from collections.abc import Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any, cast

import pytest
from fuzzing import CASES, TEXTS, by_chance, each, mangled, problems, some_text
from hostup_conformance.clients import Does
from hostup_conformance.clients.judging import judge_client, root_causes
from hostup_conformance.clients.play import told_in
from hostup_conformance.clients.scenes import KEY, OTHER_VPS, SCENES, SceneState
from hostup_conformance.clients.story import PID, VPS, Exchange, Outcome, Play
from hostup_conformance.contract.paths import VPSS, path_of
from hostup_conformance.front.options import ClientOptions
from hostup_conformance.front.record import RunInfo, record_of
from hostup_conformance.front.reported_client import client
from hostup_conformance.http.incoming import LARGEST_BODY, LARGEST_HEAD
from hostup_conformance.http.scripted import Bounds, ScriptedServer
from hypothesis import example, given, settings
from hypothesis import strategies as st

#: So many connections make a run, whose reports cost more than any of them.
CONNECTIONS = 16
#: After so many writes a client has gone, of a response that has no end.
MOST_WRITES = 300
PATH = path_of(VPS)
METHODS = ("GET", "GET", "GET", "POST", "POST", "HEAD", "get", "OPTIONS", "CONNECT", "G\xc9T", "", "GET\0", KEY)
TARGETS = (
    *(PATH, PATH, PATH, f"{PATH}?pid={PID}", f"{PATH}?pid={PID}", VPSS, path_of(VPS, "status"), path_of(OTHER_VPS)),
    *(f"{PATH}?pid=", f"{PATH}?pid=4242&pid=1", f"{PATH}?pid={'9' * 5000}", f"{PATH}?key={KEY}", f"/{KEY}", f"/{PATH}"),
    *(f"http://127.0.0.1{PATH}", "*", "", "//[::1", "http://[::1", "/%", "/%ff%00", f"{PATH}#x", f"{PATH}?{'&' * 500}"),
    *(path_of("%ff"), path_of(""), path_of("é"), path_of("."), "/" + "a/" * 900, f"{PATH}?pid=%EF%BC%91", "\x85", "?"),
)
FIELDS = (
    *("Content-Length", "Transfer-Encoding", "Content-Type", "Expect", "Connection", "User-Agent", "Host", "Accept"),
    *("Authorization", "Authorization", "Accept-Encoding", "Prefer", "Cookie", "X-A", "X_\x7f", "\xe9", "", " A", "A "),
)
VALUES = (
    *(f"Bearer {KEY}", f"bearer\t{KEY}", KEY, f"Basic {base64.b64encode(KEY.encode()).decode()}", f"Bearer {KEY[:-1]}"),
    *(
        "0",
        "1",
        "5",
        "-1",
        "+5",
        "5_0",
        "\xb2",
        "9" * 30,
        "0x5",
        "5, 5",
        "chunked",
        "gzip, chunked",
        "Chunked\t",
        "close",
    ),
    *(
        "100-continue",
        "application/json",
        "application/json; charset=\xe9",
        "text/plain",
        "",
        " ",
        "x" * 9000,
        "curl/8",
    ),
)
BODIES = (
    *(b"", b'{"command": "uname -sr"}', b'{"command": 7}', b"[" * 5000, b"9" * 5000, b"-1e999", b"NaN", b"\xff\xfe{\0"),
    *(b'{"command": "\\ud800"}', b'{"command": "a", "command": "b"}', b"\xef\xbb\xbf{}", b'{"\\u0000": null}', b"null"),
    *(f'{{"command": "{KEY}"}}'.encode(), KEY.encode("utf-16"), b"\xc3\xa9\xff", b"\r\n\r\n", b"command=uname"),
)
CHUNKS = (
    *(b"5\r\nabcde\r\n0\r\n\r\n", b"-5\r\n", b"5;a=b\r\nabcdeXX0\r\n\r\n", b"g\r\n", b"0\r\nA: b\r\n\r\n", b"f" * 40),
    *(b"0_1\r\na", b"\r\n", b"ffffff\r\n"),
)
HUGE = (b"A: " + b"x" * LARGEST_HEAD, b"x" * (LARGEST_BODY + 9), b"GET / HTTP/1.1\r\n\r\n" * (Bounds.requests + 9))


def some_request(chance: Random) -> bytes:
    """Return what might be a request: mostly one by its form, with bytes changed here and there."""
    body = chance.choice(BODIES)
    lines = [f"{chance.choice(METHODS)} {chance.choice(TARGETS)} HTTP/1.{chance.choice('1110')}"]
    if chance.random() < 0.9:
        lines += ["Host: 127.0.0.1", f"Authorization: Bearer {KEY}"]
    for _ in range(chance.randrange(4)):
        value = chance.choice(VALUES) if chance.random() < 0.9 else some_text(chance)
        lines.append(f"{chance.choice(FIELDS)}: {value}")
    if chance.random() < 0.7:
        lines.append(f"Content-Length: {len(body)}")
    elif chance.random() < 0.5:
        lines.append("Transfer-Encoding: chunked")
        body = chance.choice(CHUNKS)
    return mangled("\r\n".join(lines).encode("utf-8", "surrogatepass") + b"\r\n\r\n" + body, chance)


def some_connection(chance: Random) -> bytes:
    """Return what a client sends on a connection: a request or more, without a pause."""
    huge = [chance.choice(HUGE)] if chance.random() < 0.002 else []
    return b"".join([*(some_request(chance) for _ in range(chance.choice((1, 1, 2, 5)))), *huge])


class Gone:
    """The connection to a client that takes what is sent to it, and goes if there is no end to it."""

    def __init__(self) -> None:
        self.writes = 0
        self.transport = self

    def get_extra_info(self, name: str) -> Any:
        return ("127.0.0.1", 1) if name == "peername" else self

    def write(self, _data: bytes) -> None:
        self.writes += 1

    async def drain(self) -> None:
        if self.writes > MOST_WRITES:
            raise ConnectionResetError

    def setsockopt(self, *_: object) -> None: ...

    def getsockopt(self, *_: object) -> int:
        return 0

    def is_closing(self) -> bool:
        return self.writes > 0

    def abort(self) -> None: ...

    def close(self) -> None: ...


async def played(sent: bytes, chance: Random) -> list[Exchange]:
    """Play a scene to a client that sends bytes on one connection, and ends somehow."""
    does: Does = chance.choice(("run", "poll", "probe"))
    scene = chance.choice([one for one in SCENES.all().values() if one.suits(does)])
    server = ScriptedServer(SceneState(scene, does, "http://localhost:9").reply)
    reader = asyncio.StreamReader(limit=LARGEST_HEAD)
    reader.feed_data(sent)
    reader.feed_eof()
    await server._connection(reader, cast("asyncio.StreamWriter", Gone()), chance.choice(("own", "own", "other")))
    await server.close()
    assert len(server.received) <= Bounds.requests
    assert sum(len(one.request.body) for one in server.received) <= Bounds.bytes
    out, err = (chance.choice((b"", some_text(chance).encode("utf-8", "replace"), KEY.encode(), b"\xff")) for _ in "12")
    outcome = Outcome(chance.choice((0, 0, 1, None)), out, err, 1.0, chance.choice(("itself", "deadline", "bound")))
    began = min((one.arrived for one in server.received), default=0.0)
    return told_in(Play(scene, does, KEY), server.received, outcome, began, datetime.now(UTC))


def record(connections: Sequence[bytes], seed: int) -> dict[str, Any]:
    """Return the record of a run in which a client has sent so."""
    chance = Random(seed)  # noqa: S311 - it keeps no secret

    async def run() -> list[Exchange]:
        return [e for sent in connections for e in await played(sent, chance)]

    exchanges = asyncio.run(run())
    for number, e in enumerate(exchanges, 1):
        e.number = number
    about = client(ClientOptions(("client", TEXTS[seed % len(TEXTS)])))
    return record_of(judge_client(exchanges), exchanges, about, RunInfo(), root_causes)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No scene waits."""
    sleep = asyncio.sleep
    monkeypatch.setattr(asyncio, "sleep", lambda _: sleep(0))


@settings(each, max_examples=max(CASES // CONNECTIONS, 1))
@given(st.lists(by_chance(some_connection), min_size=CONNECTIONS, max_size=CONNECTIONS), st.integers(0, 2**32 - 1))
@example([*HUGE, b"GET / HTTP/1.1\r\nContent-Length: 1_0\r\n\r\n0123456789"], 0)
@example([f"GET / HTTP/1.1\r\nA: \x02{KEY[16:23]}\r\n\r\n".encode()], 0)  # of which the escape ends with KEY[15]
def test_any_sixteen_connections_are_judged(connections: list[bytes], seed: int) -> None:
    assert problems(record(connections, seed), (KEY,)) == []
