"""What the logger records of each request: no body and no key."""

import contextlib

import httpx
import pytest
from client.voices import KEY, PID, VPS, YES, Clock, Voice, answering
from hostup_agent_exec import errors


def test_calls_are_logged(voice: Voice, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "hostup_agent_exec")
    client = answering(httpx.Response(404, json={"requestId": "req_7", "detail": "private"}))
    with pytest.raises(errors.NotFound):
        voice.call("v", client=client, pid=PID)
    own = [record.getMessage() for record in caplog.records if record.name == "hostup_agent_exec"]
    assert len(own) == 1
    assert own[0].startswith(f"GET /api/v2/vps/v/agent/exec?pid={PID} -> 404 (req_7) in ")
    assert KEY not in caplog.text
    assert "private" not in caplog.text


@pytest.mark.parametrize(
    ("status", "header", "body", "named"),
    [
        (200, "req_header", b'{"available": true, "requestId": "req_body"}', " (req_header)"),
        (200, None, b'{"available": true, "requestId": "req_body"}', ""),
        (400, None, b'{"requestId" :\n "req_body"}', " (req_body)"),
        (404, None, b'{"code": "x"}', ""),
        (404, "not one", b'{"requestId": "req_body"}', ""),
        (404, KEY, b"", ""),
    ],
)
def test_the_log_has_the_request_id(
    status: int, header: str | None, body: bytes, named: str, voice: Voice, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "hostup_agent_exec")
    headers = {} if header is None else {"X-Request-Id": header}
    voice.detailed(client=answering(httpx.Response(status, headers=headers, content=body)))
    (line,) = [record.getMessage() for record in caplog.records if record.name == "hostup_agent_exec"]
    assert line.startswith(f"GET /api/v2/vps/{VPS}/agent/exec -> {status}{named} in ")


def test_a_call_without_a_response_is_logged(voice: Voice, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        clock.now += 1.5
        raise httpx.ReadError("private")

    caplog.set_level("INFO", "hostup_agent_exec")
    for client in (answering(answer), answering(httpx.Response(200, json={"exited": True}))):
        with contextlib.suppress(httpx.ReadError):
            voice.call("v", client=client, pid=PID)
    own = [record.getMessage() for record in caplog.records if record.name == "hostup_agent_exec"]
    assert own == [
        f"GET /api/v2/vps/v/agent/exec?pid={PID} -> ReadError in 1.500 s",
        f"GET /api/v2/vps/v/agent/exec?pid={PID} -> 200 in 0.000 s",
    ]


def test_without_info_nothing_is_logged(voice: Voice, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("WARNING", "hostup_agent_exec")
    voice.call(client=answering(YES))
    assert [record for record in caplog.records if record.name == "hostup_agent_exec"] == []
