"""Hostile servers: every run ends by itself with a verdict, and what they send does no harm."""

from pathlib import Path

import pytest
from catalogue import every
from hostile import HOSTILE_SERVERS, Hostile
from hostile.outcome import leaks
from hostile.server import KEYS, HostileServer
from hostup_conformance.contract.server_verdict import check_against_oracle, root_causes
from hostup_conformance.front.record import RunInfo, record_of
from hostup_conformance.front.reported_server import server as named
from hostup_conformance.http.limits import Limits
from hostup_conformance.http.messages import Request as Asked
from hostup_conformance.reports.files import REPORTS
from hostup_conformance.sources import commands
from judging import IMPATIENT, verdict_by, wire_to
from running import report_in, run_on
from stage import Request, Response, Stage

#: One of each kind, and those whose kind broke something once; `make hostile` runs all, each in a process of its own.
QUICK = [(hostile.name, hostile) for hostile in HOSTILE_SERVERS.all().values() if hostile.quick]


@pytest.mark.parametrize("hostile", every(20, QUICK))
def test_no_error_and_no_key_whatever_is_sent(hostile: Hostile) -> None:
    server = HostileServer(hostile.behave, special_keys=hostile.special_keys)
    with wire_to(server, limits=IMPATIENT) as wire:
        commands.run(wire)
    verdict = check_against_oracle(verdict_by(wire), wire.exchanges)
    record = record_of(verdict, wire.exchanges, named(wire.target), RunInfo(), root_causes)
    assert [result.message for result in verdict.results.values() if result.status == "error"] == []
    assert record["verdict"] in hostile.verdicts
    assert leaks({name: make(record) for name, make in REPORTS.items()}, server.keys) == []


def test_the_catalogue_is_large() -> None:
    assert len({hostile.behave for hostile in HOSTILE_SERVERS.all().values()}) > 100


@pytest.mark.parametrize(
    "text", [KEYS[0][3:12], KEYS[0].encode().hex().upper()[:20], "enE3VnhLMm1XZg", "%7a%71%37%56%78%4b%32%6d"]
)
def test_leaks_of_a_piece_are_seen(text: str) -> None:
    assert leaks({"x": f"a {text} b"}, KEYS)


def test_interim_responses_without_end_are_read_no_further_than_a_mebibyte() -> None:
    def harm(_request: Request, response: Response) -> None:
        response.raw = [b"HTTP/1.1 103 Early Hints\r\n\r\n" * 10_000] * 10

    with wire_to(Stage(harm), limits=Limits(pauses=()), live=True) as wire:
        exchange = wire.send(Asked("GET", f"/api/v2/vps/{wire.target.vps}/agent/exec"), purpose="", once=True)
    assert exchange.failure == "broken response: no response within its first 1 MiB"


@pytest.mark.catalogue
def test_hostile_text_controls_neither_terminal_nor_report(tmp_path: Path) -> None:
    """Nothing that a server sends controls the terminal or runs as a script in report.html."""
    evil = "\x1b[2J\x1b]0;owned\x07\u202e</script><script>alert(1)</script>"

    def change(_request: Request, response: Response) -> None:
        if response.is_problem:
            response.change(title=evil, detail=evil, code=evil, status=evil)
        elif response.is_availability:
            response.change(available=evil, **{evil: evil})

    done = run_on(Stage(change), tmp_path)
    assert done.returncode == 1
    assert report_in(tmp_path)["verdict"] == "not_conformant"
    for harm in ("\x1b]", "\x1b[2J", "\x07", "\u202e"):
        assert harm not in done.stdout + done.stderr
    assert "<script>alert" not in (tmp_path / "report" / "report.html").read_text()
