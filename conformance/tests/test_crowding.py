"""Whether requests wait for the end of other connections: what shows it, and what speaks against it."""

import pytest
from hostup_conformance.contract.ask import Exchange
from hostup_conformance.contract.target import Target
from hostup_conformance.contract.understanding import understand
from hostup_conformance.http.crowding import TRIED, Crowding
from hostup_conformance.http.messages import Request, Response
from hostup_conformance.sources.start_steps import post

TARGET = Target("http://127.0.0.1:1", "server", "key", "vps_1")
START = post(TARGET, b'{"command": "true"}')
PROBE = Request("GET", "/api/v2/vps/vps_1/agent/exec", ())


def exchange(seconds: float, beside: int = 0, *, request: Request = START, lost: bool = False) -> Exchange:
    response = None if lost else Response(200, (), b"{}")
    e = Exchange(1, request, response, understand(request, TARGET), seconds=seconds, beside_open=beside)
    e.lost = "silent" if lost else None
    return e


def looked(*exchanges: Exchange, others: int = 0) -> list[bool | None]:
    crowding = Crowding()
    return [crowding.look(e, number, others=others) for number, e in enumerate(exchanges)]


def test_two_that_wait_beside_another_end_the_keeping() -> None:
    assert looked(exchange(3, 1), exchange(3, 1)) == [None, False]
    assert looked(exchange(3, 1, lost=True)) == [False]


@pytest.mark.parametrize("others", [(), (0.01, 1), (0.01, 3)])
def test_what_is_served_at_once_beside_as_many_speaks_against_it(others: tuple[float, int] | tuple[()]) -> None:
    served = [exchange(*others)] if others else []
    assert looked(*served, exchange(3, 1), exchange(3, 1))[-1] is (None if others else False)


def test_more_connections_than_were_served_may_be_too_many() -> None:
    assert looked(exchange(0.01, 2), exchange(3, 3), exchange(3, 4)) == [None, None, False]


def test_what_takes_as_long_when_none_is_kept_speaks_against_it() -> None:
    """So a server whose starts are slow is tried with kept connections."""
    slow = [exchange(3, 1), exchange(3, 1), exchange(3), exchange(3, 1), exchange(3, 1)]
    assert looked(*slow) == [None, False, True, None, None]
    assert looked(*slow[:3], others=1) == [None, False, None]  # it may have waited for those beside it
    assert looked(*slow[:2], exchange(3, request=PROBE))[-1] is None


def test_it_is_tried_twice() -> None:
    """What was slow at first may only have been slow at first."""
    quick = [exchange(0.01)] * TRIED
    said = looked(exchange(3, 1), exchange(3, 1), *quick, exchange(3, 1), *quick, *quick)
    assert [kept for kept in said if kept is not None] == [False, True, False]


def test_what_cannot_be_sent_again_is_not_what_it_is_tried_with() -> None:
    crowding = Crowding()
    for number, e in enumerate([exchange(3, 1, lost=True), *[exchange(0.01)] * TRIED, exchange(0.01, 1)]):
        assert crowding.is_tried is (number == TRIED + 1)
        assert crowding.explains(e) is False
        crowding.look(e, number)
        assert crowding.explains(e) is (number == 0)
    assert not crowding.is_tried  # it was served beside as many
