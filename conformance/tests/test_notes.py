"""What is said with a finding: what the exchanges of a run show together."""

import pytest
from hostup_conformance.contract.ask import Exchange, understand
from hostup_conformance.contract.judging import root_causes
from hostup_conformance.contract.target import Target
from hostup_conformance.contract.traits import in_common, traits
from hostup_conformance.http import messages as sent
from hostup_conformance.mock import API_KEY
from judging import run, verdict_by
from stage import Change, Request, Response

TARGET = Target("http://127.0.0.1:1", "server", API_KEY, "vps_1")


def let_in(request: Request, response: Response) -> None:
    if request.own and request.method == "GET" and not request.full and not request.reading:
        response.become(200, {"available": True, "reason": None, "vmRunning": True})


def takes_any_session(request: Request, response: Response) -> None:
    if "cookie" in request.headers:
        let_in(request, response)


def trusts_a_field(request: Request, response: Response) -> None:
    if "x-real-ip" in request.headers:
        let_in(request, response)


def ignores_case(request: Request, response: Response) -> None:
    if request.token and request.token.lower() == API_KEY.lower():
        let_in(request, response)


def lets_everybody_in_now_and_then(request: Request, response: Response) -> None:
    if request.nth() % 3 == 0:
        let_in(request, response)


@pytest.mark.parametrize(
    ("change", "id", "words"),
    [
        (takes_any_session, "AUTH-01", "that is so for 2 requests with Cookie, and for none of "),
        (
            trusts_a_field,
            "AUTH-01",
            "that is so for 2 requests with X-Real-IP and with X-Forwarded-For, and for none of ",
        ),
        (ignores_case, "AUTH-02", "that is so for 2 requests with the key in another case, and for none of "),
    ],
)
def test_what_was_let_in_is_told_by_what_it_carries(change: Change, id: str, words: str) -> None:
    assert words in message(change, id)


def test_nothing_tells_apart_what_is_let_in_at_random() -> None:
    assert "that is so for" not in message(lets_everybody_in_now_and_then, "AUTH-01")


def message(change: Change, id: str) -> str:
    _target, wire, _stage = run(change)
    return verdict_by(wire).results[id].message


def test_field_names_in_lower_case_are_a_trait() -> None:
    spelt = {("accept", "application/json"): True, ("Accept", "application/json"): False}
    for field, lower in spelt.items():
        request = sent.Request("GET", "/", (field,))
        e = Exchange(0, request, None, understand(request, TARGET))
        assert ("with field names in lower case" in traits(e, TARGET.key, 0)) is lower


def test_a_304_that_nobody_asked_for_stands_above_what_follows_from_it() -> None:
    _target, wire, _stage = run(sends_304_now_and_then)
    verdict = verdict_by(wire)
    assert "no 304, since the request asks for no condition" in verdict.results["HTTP-06"].message
    assert next(iter(root_causes(verdict))) == "HTTP-06"


def sends_304_now_and_then(request: Request, response: Response) -> None:
    if response.is_availability and request.nth() % 4 == 0:
        response.become(304)


def exchanges(number: int) -> list[Exchange]:
    request = sent.Request("GET", "/", ())
    return [Exchange(at, request, None, understand(request, TARGET)) for at in range(number)]


def test_load_is_told_where_it_is_hardly_by_chance() -> None:
    busy = "sent while more than 3 others were under way"
    every = exchanges(200)
    together = {e.number: frozenset({busy}) for e in every[:20]}

    def carried(e: Exchange) -> frozenset[str]:
        return together.get(e.number, frozenset())

    assert in_common(every[:9], every[9:], carried) == (
        f"that is so for 9 of 20 requests {busy}, and for none of 180 others"
    )
    assert in_common(every[:2], every[2:22], carried) is None
    assert in_common([*every[:9], every[30]], every[9:30], carried) is None
