"""Whatever the server answers, only documented outcomes occur."""

import json
import pickle
from datetime import datetime
from math import isfinite
from typing import Any

import httpx
import pytest
from client.voices import KEY, PID, VPS, answering
from hostup_agent_exec import errors
from hostup_agent_exec.api.agent import get_agent_exec
from hostup_agent_exec.models import AgentAvailability, CommandOutput, Problem
from hypothesis import given, settings
from hypothesis import strategies as st

KINDS = {
    400: errors.BadRequest,
    401: errors.Unauthorized,
    403: errors.Forbidden,
    404: errors.NotFound,
    429: errors.RateLimited,
    500: errors.InternalError,
}
NAMES = sorted(AgentAvailability.known_keys | CommandOutput.known_keys | Problem.known_keys)

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(KEY),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=8,
)
objects = st.dictionaries(st.sampled_from(NAMES), values, max_size=6)
bodies = (
    st.binary(max_size=60)
    | (values | objects).map(lambda value: json.dumps(value).encode())
    | objects.map(lambda value: b"\xef\xbb\xbf" + json.dumps(value, ensure_ascii=False).encode(errors="surrogatepass"))
)
#: What a header may hold by RFC 9110, section 5.5.
field_values = (
    st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=40)
    | st.datetimes().map(lambda date: date.strftime("%a, %d %b %Y %H:%M:%S GMT"))
    | st.datetimes().map(datetime.isoformat)
    | (st.integers() | st.floats()).map(str)
).map(lambda text: text.encode("latin-1", "replace"))
NUMBERS = ["Retry-After", "Date", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"]
headers = st.lists(
    st.tuples(st.sampled_from(NUMBERS), field_values)
    | st.tuples(st.just("Content-Type"), field_values)
    | st.tuples(st.just("Content-Encoding"), st.sampled_from([b"gzip", b"deflate", b"br", b"identity", b"x"])),
    max_size=5,
)
statuses = st.integers(100, 999) | st.sampled_from([200, *KINDS])


def check_error(error: errors.ResponseError, status: int) -> None:
    kind = errors.InvalidResponse if status == 200 else KINDS.get(status, errors.UnexpectedStatus)
    assert type(error) is kind
    assert error.status_code == status
    assert len(str(error)) < 300
    assert "\n" not in str(error)
    assert KEY not in str(error)
    assert error.problem is None or isinstance(error.problem, Problem)
    assert error.code is None or isinstance(error.code, str)
    assert error.request_id is None or isinstance(error.request_id, str)
    assert error.retry_after is None or (error.retry_after >= 0 and isfinite(error.retry_after))
    limit = error.rate_limit
    assert limit is None or limit.reset is None or limit.reset.tzinfo is not None
    other = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert (type(other), str(other), other.status_code) == (kind, str(error), status)
    assert other.retry_after is None or error.retry_after is not None
    assert (other.code, other.request_id) == (error.code, error.request_id)


@pytest.mark.parametrize("asked", [{}, {"pid": PID}], ids=["probe", "poll"])
@settings(settings.get_profile("client"))
@given(status=statuses, headers=headers, body=bodies)
def test_only_documented_outcomes(status: int, headers: list[Any], body: bytes, asked: dict[str, Any]) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body))

    expected = CommandOutput if asked else AgentAvailability
    with answering(answer) as client:
        try:
            value = get_agent_exec.sync(VPS, client=client, **asked)
        except errors.ResponseError as error:
            check_error(error, status)
        except httpx.DecodingError:
            return
        else:
            assert status == 200
            check_value(value, expected)
        try:
            detailed = get_agent_exec.sync_detailed(VPS, client=client, **asked)
        except errors.InvalidResponse:
            assert status == 200
        else:
            assert detailed.status_code == status
            assert isinstance(detailed.parsed, expected if status == 200 else Problem | None)


def check_value(value: object, expected: type) -> None:
    assert type(value) is expected
    if isinstance(value, CommandOutput):
        assert type(value.exited) is bool
        assert value.exit_code is None or type(value.exit_code) is int or not value.exit_code
        members: list[object] = [value.stdout, value.stderr]
    else:
        assert isinstance(value, AgentAvailability)
        assert type(value.available) is bool or not value.available
        members = [value.reason]
    assert all(isinstance(member, str) or not member for member in members)
