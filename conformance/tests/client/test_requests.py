"""What is sent, and what never is."""

from enum import Enum, StrEnum
from typing import Any

import httpx
import pytest
from client.voices import BASE_URL, KEY, VPS, YES, Recorder, Voice, answering
from hostup_agent_exec import __version__
from hostup_agent_exec.types import UNSET


@pytest.fixture
def server() -> Recorder:
    return Recorder(httpx.Response(200, json={}))


def test_a_probe(voice: Voice, server: Recorder) -> None:
    voice.call(client=server.client)
    assert server.last.method == "GET"
    assert str(server.last.url) == f"{BASE_URL}/api/v2/vps/{VPS}/agent/exec"
    assert server.last.headers["Authorization"] == f"Bearer {KEY}"
    assert server.last.headers["Accept"] == "application/json, application/problem+json"
    assert server.last.headers["User-Agent"] == f"hostup-agent-exec/{__version__}"
    assert server.last.content == b""


@pytest.mark.parametrize("pid", [1, 4242, 2**32, 2**63])
def test_a_poll(voice: Voice, server: Recorder, pid: int) -> None:
    server.answer = httpx.Response(200, json={"exited": False})
    voice.call(client=server.client, pid=pid)
    assert server.last.url.query == f"pid={pid}".encode()


def test_unset_is_no_pid(voice: Voice, server: Recorder) -> None:
    voice.detailed(client=server.client, pid=UNSET)
    assert server.last.url.query == b""


class Name(StrEnum):
    WEB = "vps_web"


class OlderName(str, Enum):  # noqa: UP042 - whose str() is another
    WEB = "vps_web"


@pytest.mark.parametrize(
    ("id", "segment"),
    [
        ("vps_abc123", "vps_abc123"),
        ("a/../b", "a%2F..%2Fb"),
        ("../..", "..%2F.."),
        ("...", "..."),
        ("%2e%2e", "%252e%252e"),
        ("a?b#c;d", "a%3Fb%23c%3Bd"),
        ("å ", "%C3%A5%20"),
        ("{id}", "%7Bid%7D"),
        ("a\r\nb", "a%0D%0Ab"),
        (Name.WEB, "vps_web"),
        (OlderName.WEB, "vps_web"),
    ],
)
def test_an_id_is_encoded_whole(voice: Voice, server: Recorder, id: str, segment: str) -> None:
    voice.call(id, client=server.client)
    assert server.last.url.raw_path.decode() == f"/api/v2/vps/{segment}/agent/exec"


@pytest.mark.parametrize(
    ("id", "error", "text"),
    [
        ("", ValueError, "id: expected neither an empty string nor a dot segment"),
        (".", ValueError, "id: expected neither an empty string nor a dot segment"),
        ("..", ValueError, "id: expected neither an empty string nor a dot segment"),
        ("\ud800", ValueError, "id: expected text that UTF-8 can encode"),
        ("a" * 70_000, ValueError, "an argument makes a longer URL than httpx can send"),
        (None, TypeError, "id: expected str, got NoneType"),
        (7, TypeError, "id: expected str, got int"),
        (b"vps", TypeError, "id: expected str, got bytes"),
        (UNSET, TypeError, "id: expected str, got Unset"),
    ],
)
def test_a_wrong_id_is_not_sent(voice: Voice, server: Recorder, id: Any, error: type[Exception], text: str) -> None:
    for call in (voice.call, voice.detailed, voice.wait):
        with pytest.raises(error, match=text):
            call(id, client=server.client)
    assert server.requests == []


@pytest.mark.parametrize(
    ("pid", "error", "text"),
    [
        (0, ValueError, "^pid: expected 1 or more"),
        (-1, ValueError, "^pid: expected 1 or more"),
        pytest.param(10**5000, ValueError, "integer string conversion", id="huge"),
        (None, TypeError, "pid: expected int.*, got NoneType"),
        (True, TypeError, "^pid: expected int( or Unset)?, got bool$"),
        (False, TypeError, "^pid: expected int( or Unset)?, got bool$"),
        ("4242", TypeError, "pid: expected int.*, got str"),
        (4242.0, TypeError, "pid: expected int.*, got float"),
        ([4242], TypeError, "pid: expected int.*, got list"),
    ],
)
def test_a_wrong_pid_is_not_sent(voice: Voice, server: Recorder, pid: Any, error: type[Exception], text: str) -> None:
    for call in (voice.call, voice.detailed, voice.wait):
        with pytest.raises(error, match=text):
            call(client=server.client, pid=pid)
    assert server.requests == []


def test_a_wait_needs_a_pid(voice: Voice, server: Recorder) -> None:
    with pytest.raises(TypeError, match="pid: expected int, got Unset"):
        voice.wait(client=server.client, pid=UNSET)
    assert server.requests == []


@pytest.mark.parametrize(
    ("token", "error"),
    [
        ("", ValueError),
        ("a b", ValueError),
        ("a\n", ValueError),
        ("å", ValueError),
        ("a\x7f", ValueError),
        (None, TypeError),
    ],
)
def test_a_wrong_key_is_not_sent(voice: Voice, server: Recorder, token: Any, error: type[Exception]) -> None:
    client = server.client
    client.token = token
    with pytest.raises(error) as caught:
        voice.call(client=client)
    assert not token or token not in str(caught.value)
    assert server.requests == []


def test_a_wrong_prefix_is_not_sent(voice: Voice, server: Recorder) -> None:
    client = server.client
    client.prefix = "Bearer\n"
    with pytest.raises(ValueError, match=r"^prefix: expected visible ASCII"):
        voice.call(client=client)
    assert server.requests == []


def test_one_call_has_headers_of_its_own(voice: Voice, server: Recorder) -> None:
    client = server.client.with_headers({"X-A": "1", "X-B": "1"})
    voice.call(client=client, headers={"x-a": "2", "Authorization": "other"})
    assert (server.last.headers["x-a"], server.last.headers["x-b"]) == ("2", "1")
    assert server.last.headers.get_list("authorization") == [f"Bearer {KEY}"]


@pytest.mark.parametrize("headers", [[("a", "b")], "a", 7])
def test_senseless_headers_are_refused(voice: Voice, headers: Any) -> None:
    with pytest.raises(TypeError, match=r"^headers: expected Mapping"):
        voice.call(client=answering(YES), headers=headers)
