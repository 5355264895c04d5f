"""What the client does when the server does X: see `hostile.py`, whose table this runs."""

import pickle
from collections.abc import Callable

import httpx
import pytest
from client.hostile import CASES, TABLE, Case, with_table
from client.voices import KEY, Clock, Voice, answering
from hostup_agent_exec import AuthenticatedClient, errors
from hostup_agent_exec.models import Problem

EACH_CASE = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{'poll' if case.pid else 'probe'}: {case.server}")


def asked(case: Case) -> dict[str, int]:
    return {"pid": case.pid} if case.pid else {}


@EACH_CASE
def test_the_plain_call_returns_the_success_or_raises(case: Case, voice: Voice) -> None:
    client = answering(case.answer)
    if not issubclass(case.outcome, Exception):
        assert type(voice.call(client=client, **asked(case))) is case.outcome
        return
    with pytest.raises(case.outcome) as caught:
        voice.call(client=client, **asked(case))
    assert type(caught.value) is case.outcome
    if isinstance(caught.value, errors.ResponseError):
        assert str(caught.value).startswith(f"{case.says} ({case.status}: GET /" if case.says else str(case.status))
        assert caught.value.status_code == case.status
        assert caught.value.code == case.code
        assert (caught.value.problem is not None) == case.has_problem
        assert caught.value.response.content == (case.content)
        assert KEY.encode() not in pickle.dumps(caught.value)
    if case.outcome is errors.InvalidResponse:
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__


@EACH_CASE
def test_the_detailed_call_returns_any_answer(case: Case, voice: Voice) -> None:
    client = answering(case.answer)
    if issubclass(case.outcome, errors.InvalidResponse | httpx.HTTPError):
        with pytest.raises(case.outcome):
            voice.detailed(client=client, **asked(case))
        return
    answer = voice.detailed(client=client, **asked(case))
    assert answer.status_code == case.status
    assert type(answer.status_code) is int
    assert isinstance(answer.headers, httpx.Headers)
    if issubclass(case.outcome, errors.HostUpError):
        assert answer.content == case.content
        assert isinstance(answer.parsed, Problem) == case.has_problem
        assert case.has_problem or answer.parsed is None
    else:
        assert type(answer.parsed) is case.outcome


CALLS: dict[str, Callable[[Voice, AuthenticatedClient], object]] = {
    "wait": lambda voice, client: voice.wait(client=client, timeout=30),
    "run": lambda voice, client: voice.run(client=client, timeout=30, check=True),
    "iterate": lambda voice, client: voice.items(client=client),
}


@EACH_CASE
def test_every_call_ends_as_documented(case: Case, voice: Voice, clock: Clock) -> None:
    for name, call in CALLS.items():
        begun, raised = clock.now, list[Exception]()
        try:
            call(voice, answering(case.answer))
        except (errors.HostUpError, httpx.HTTPError) as error:
            raised.append(error)
        assert KEY not in str(raised), name
        assert KEY.encode() not in pickle.dumps(raised), name
        assert clock.now - begun <= 30, name


def test_the_table_in_the_readme_is_this_one() -> None:
    readme = TABLE.read_text(encoding="utf-8")
    assert readme == with_table(readme), "run: make table"
