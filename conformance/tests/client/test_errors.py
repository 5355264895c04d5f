"""What an error carries, beyond its class."""

import copy
import gzip
import json
import pickle
import time
from datetime import UTC, datetime, timedelta
from sys import float_info
from typing import Any

import httpx
import pytest
from client.voices import KEY, PID, VPS, Voice, answering
from hostup_agent_exec import AuthenticatedClient, errors
from hostup_agent_exec.api.agent import get_agent_exec
from hostup_agent_exec.api.vps import list_vps
from hostup_agent_exec.models import CommandOutput
from hostup_agent_runtime.errors import status_error

PROBLEM = {"code": "rate_limited", "requestId": "req_7", "detail": f"the key {KEY} is\nslow", "status": 429}
SENT = "Mon, 27 Apr 2026 12:34:56 GMT"


def raised(voice: Voice, answer: httpx.Response) -> errors.ResponseError:
    with pytest.raises(errors.ResponseError) as caught:
        voice.call(client=answering(answer))
    return caught.value


def failed(headers: dict[str, str]) -> errors.RateLimited:
    return errors.RateLimited("429 Too Many Requests", httpx.Response(429, headers=headers))


def test_it_carries_the_problem_and_the_answer(voice: Voice) -> None:
    error = raised(
        voice, httpx.Response(429, json=PROBLEM, headers={"Retry-After": "30", "X-RateLimit-Remaining": "0"})
    )
    assert (error.status_code, error.code, error.request_id) == (429, "rate_limited", "req_7")
    assert error.problem is not None
    assert error.problem.to_dict() == PROBLEM
    assert error.response.headers["Retry-After"] == "30"
    assert error.retry_after == 30
    assert error.rate_limit == errors.RateLimit(None, 0, None)


def test_without_a_problem_it_has_no_code(voice: Voice) -> None:
    error = raised(voice, httpx.Response(502, html="<html>"))
    assert (error.problem, error.code, error.request_id, error.retry_after, error.rate_limit) == (None,) * 5


@pytest.mark.parametrize(("status", "text"), [(404, "404 Not Found"), (520, "520"), (999, "999")])
def test_its_text_is_one_line_without_secrets(voice: Voice, status: int, text: str) -> None:
    told = "GET /api/v2/vps/vps_01hxa3b4c5d6e7f8g9h0j1k2m3/agent/exec (rate_limited, req_7)"
    assert str(raised(voice, httpx.Response(status, json=PROBLEM))) == f"{text}: {told}"


def test_an_error_below_a_base_is_its_kind() -> None:
    for error in (errors.BadRequest, errors.UnexpectedStatus, errors.InvalidResponse):
        assert issubclass(error, errors.ResponseError)
    for kind in (errors.ResponseError, errors.CommandStillRunning, errors.OutputLost):
        assert issubclass(kind, errors.HostUpError)


@pytest.mark.parametrize(
    ("sent", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "30"}, 30),
        ({"Retry-After": " 0 "}, 0),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": "Mon, 27 Apr 2026 12:35:26 GMT", "Date": SENT}, 30),
        ({"Retry-After": "Mon, 27 Apr 2026 12:35:26 -0000", "Date": SENT}, 30),
        ({"Retry-After": "Monday, 27-Apr-26 12:35:26 GMT", "Date": SENT}, 30),
        ({"Retry-After": "Mon Apr 27 12:35:26 2026", "Date": SENT}, 30),
        ({"Retry-After": "Mon, 27 Apr 2020 12:35:26 GMT"}, 0),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "1e3"}, None),
        ({"Retry-After": "9" * 5000}, float_info.max),
        ({"Retry-After": "."}, None),
        ({"Retry-After": "1.2.3"}, None),
    ],
)
def test_retry_after_is_seconds_from_either_form(sent: dict[str, str], seconds: float | None) -> None:
    assert failed(sent).retry_after == seconds


def test_retry_after_without_date_uses_our_clock() -> None:
    until = datetime.now(UTC) + timedelta(seconds=100)
    seconds = failed({"Retry-After": until.strftime("%a, %d %b %Y %H:%M:%S GMT")}).retry_after
    assert seconds is not None
    assert 90 < seconds <= 100


RESET = datetime(2026, 4, 27, 12, 35, 26, tzinfo=UTC)


@pytest.mark.parametrize(
    ("reset", "instant"),
    [
        ("2026-04-27T12:35:26.000Z", RESET),
        ("2026-04-27T14:35:26+02:00", RESET),
        ("2026-04-27T12:35:26", RESET),
        ("Mon, 27 Apr 2026 12:35:26 GMT", RESET),
        (str(int(RESET.timestamp())), RESET),
        (str(int(RESET.timestamp() * 1000)), RESET),
        ("30", RESET),
        ("100000000", datetime(1973, 3, 3, 9, 46, 40, tzinfo=UTC)),
        ("100000000000", datetime(1973, 3, 3, 9, 46, 40, tzinfo=UTC)),
        ("99999999", RESET - timedelta(seconds=30) + timedelta(seconds=99999999)),
        ("9" * 30, None),
        ("soon", None),
        ("", None),
        ("0001-01-01T00:00:00+14:00", None),
    ],
)
def test_rate_limit_reset_may_have_any_form(reset: str, instant: datetime | None) -> None:
    limit = failed({"X-RateLimit-Limit": "120", "X-RateLimit-Remaining": "x", "X-RateLimit-Reset": reset, "Date": SENT})
    assert limit.rate_limit == errors.RateLimit(120, None, instant)
    assert instant is None or (limit.rate_limit.reset is not None and limit.rate_limit.reset.tzinfo is not None)


def test_a_time_without_zone_is_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        limit = failed({"X-RateLimit-Reset": "2026-04-27T12:35:26"}).rate_limit
        assert limit is not None
        assert limit.reset == RESET
        assert limit.reset.tzinfo is UTC
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("name", ["Limit", "Remaining", "Reset"])
def test_one_rate_limit_header_is_enough(name: str) -> None:
    assert failed({f"X-RateLimit-{name}": "x"}).rate_limit == errors.RateLimit(None, None, None)


@pytest.mark.parametrize("duplicate", [lambda error: pickle.loads(pickle.dumps(error)), copy.copy, copy.deepcopy])  # noqa: S301
def test_it_pickles_and_copies_without_the_request(voice: Voice, duplicate: object) -> None:
    body = gzip.compress(json.dumps(PROBLEM).encode())
    answer = httpx.Response(
        429,
        stream=httpx.ByteStream(body),
        headers={"Content-Encoding": "gzip", "Content-Length": "7", "Transfer-Encoding": "chunked", "Retry-After": "7"},
    )
    error = raised(voice, answer)
    assert callable(duplicate)
    other = duplicate(error)
    assert type(other) is errors.RateLimited
    assert str(other) == str(error)
    assert other.problem == error.problem
    assert (other.status_code, other.code, other.request_id, other.retry_after) == (429, "rate_limited", "req_7", 7)
    assert other.response.json() == PROBLEM
    assert other.response.headers["Content-Length"] == str(len(other.response.content))
    assert not {"Content-Encoding", "Transfer-Encoding"} & {name.title() for name in other.response.headers}
    with pytest.raises(RuntimeError, match="request"):
        _ = other.response.request


def test_the_errors_of_a_wait_pickle_too() -> None:
    error = errors.CommandStillRunning("late")
    assert error.state is None
    error.state = CommandOutput(exited=False)
    other = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert other.state == CommandOutput(exited=False)
    assert (other.response, other.status_code, other.code, other.request_id) == (None,) * 4
    assert (other.retry_after, other.rate_limit, other.problem) == (None,) * 3
    assert str(pickle.loads(pickle.dumps(errors.OutputLost("gone")))) == "gone"  # noqa: S301


def test_only_a_leading_byte_order_mark_is_ignored(voice: Voice) -> None:
    body = '\ufeff{"available": true, "reason": "\ufeff"}'
    found = voice.call(client=answering(httpx.Response(200, content=body.encode())))
    assert (found.available, found.reason) == (True, "\ufeff")


def test_of_a_query_only_numbers_are_shown() -> None:
    client = answering(httpx.Response(403))
    for arguments, shown in (
        ({"limit": 5, "name": "private", "cursor": "7"}, "?limit=5&cursor=7"),
        ({"name": "private"}, ""),
        ({"cursor": "1" * 21}, ""),
    ):
        with pytest.raises(errors.Forbidden) as caught:
            list_vps.sync(client=client, **arguments)
        assert str(caught.value) == f"403 Forbidden: GET /api/v2/vps{shown}"


def test_of_a_path_three_hundred_characters_are_shown(voice: Voice) -> None:
    with pytest.raises(errors.NotFound) as caught:
        voice.call("a" * 400, client=answering(httpx.Response(404)))
    assert str(caught.value) == "404 Not Found: GET " + f"/api/v2/vps/{'a' * 400}"[:300]


def test_a_key_that_stands_elsewhere_is_not_shown(voice: Voice) -> None:
    client = answering(httpx.Response(404)).with_headers({"X-Trace": "trace-7 ab"})
    for id, shown in ((f"a{KEY}b", "a[key]b"), ("trace-7", "[key]"), ("ab", "ab"), ("cloud.hostup.se", None)):
        with pytest.raises(errors.NotFound) as caught:
            voice.call(id, client=client)
        assert str(caught.value) == f"404 Not Found: GET /api/v2/vps/{shown or id}/agent/exec"


@pytest.mark.parametrize(
    ("status", "hint"), [(404, "; /api/v2 stands in it twice: leave it out of base_url"), (400, "")]
)
def test_a_path_that_repeats_itself_is_hinted_at(status: int, hint: str) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(status))
    client = AuthenticatedClient("https://h.test/x/api/v2", KEY, httpx_args={"transport": transport})
    with pytest.raises(errors.ResponseError) as caught:
        get_agent_exec.sync("v", client=client)
    assert str(caught.value).partition(": ")[2] == f"GET /x/api/v2/api/v2/vps/v/agent/exec{hint}"


def test_a_response_made_by_hand_has_no_request() -> None:
    assert str(status_error(httpx.Response(404), None, errors.BY_STATUS)) == "404 Not Found: a request"


def test_an_unreadable_response_says_what_was_asked(voice: Voice) -> None:
    with pytest.raises(errors.InvalidResponse) as caught:
        voice.call("v", client=answering(httpx.Response(200, text="<html>")), pid=PID)
    asked = f"GET /api/v2/vps/v/agent/exec?pid={PID}"
    assert str(caught.value) == f"$: expected JSON, got something else (200: {asked})"


@pytest.mark.parametrize(
    ("problem", "told"),
    [({"code": "gone"}, " (gone)"), ({"requestId": "req_1"}, " (req_1)"), ({"code": KEY, "requestId": "r"}, " (r)")],
)
def test_an_error_shows_what_it_knows(voice: Voice, problem: dict[str, str], told: str) -> None:
    error = raised(voice, httpx.Response(404, json=problem))
    assert str(error) == f"404 Not Found: GET /api/v2/vps/{VPS}/agent/exec{told}"


@pytest.mark.parametrize("code", [KEY, f"x{KEY}", "a b", "a\nb", "", 7, "x" * 1000, "<b>"])
def test_an_error_shows_no_odd_code(voice: Voice, code: Any) -> None:
    with pytest.raises(errors.NotFound) as caught:
        voice.call("v", client=answering(httpx.Response(404, json={"code": code, "requestId": code})))
    assert str(caught.value) == "404 Not Found: GET /api/v2/vps/v/agent/exec"
