"""If no VPS is named, one is looked up safely and briefly, or a message says why that failed."""

from pathlib import Path

import pytest
from hostup_conformance.contract.target import Target
from hostup_conformance.http.limits import Limits
from hostup_conformance.keeping.misconfigured import Misconfigured
from hostup_conformance.mock import API_KEY, FOREIGN_VPS_ID, UNAVAILABLE_VPS_ID, VPS_ID
from hostup_conformance.sources import lookup
from judging import wire_to
from running import report_in, run
from stage import Change, Request, Response, Stage

KEY = {"HOSTUP_API_KEY": API_KEY}


def look_up(change: Change | None = None, **environment: str) -> tuple[Target, list[str]]:
    sent: list[str] = []

    def remember(request: Request, response: Response) -> None:
        sent.append(f"{request.method} {request.path}{'?' if request.query else ''}{request.query}")
        if change:
            change(request, response)

    with wire_to(Stage(remember), {**KEY, **environment}, Limits()) as wire:
        lookup.run(wire)
    return lookup.found(wire.target, wire.exchanges), sent


def items(*ids: object) -> Change:
    def change(request: Request, response: Response) -> None:
        if request.path == "/api/v2/vps":
            response.become(200, {"data": [{"id": id} for id in ids]})

    return change


def test_it_is_the_first_whose_agent_is_available() -> None:
    target, sent = look_up(items("vps_unknown", UNAVAILABLE_VPS_ID, FOREIGN_VPS_ID, VPS_ID, "vps_more"))
    assert (target.vps, target.looked_up) == (VPS_ID, True)
    assert [request.partition("/api/v2/vps")[2] for request in sent] == [
        "", "/vps_unknown/agent/exec", f"/{UNAVAILABLE_VPS_ID}/agent/exec", f"/{FOREIGN_VPS_ID}/agent/exec",
        f"/{VPS_ID}/agent/exec",
    ]  # fmt: skip
    assert all(request.startswith("GET ") for request in sent)


def test_vpss_given_for_another_purpose_are_not_probed() -> None:
    """The VPSs that were given as unavailable or foreign are not probed."""
    given = {"HOSTUP_UNAVAILABLE_VPS_ID": UNAVAILABLE_VPS_ID, "HOSTUP_FOREIGN_VPS_ID": FOREIGN_VPS_ID}
    target, sent = look_up(items(UNAVAILABLE_VPS_ID, FOREIGN_VPS_ID, VPS_ID), **given)
    assert target.vps == VPS_ID
    assert len(sent) == 2


def test_a_faulty_probe_ends_the_search() -> None:
    """A VPS whose probe is at fault is taken, so that the fault is judged."""

    def broken(request: Request, response: Response) -> None:
        if response.is_availability and request.own:
            response.become(500)

    target, _ = look_up(broken)
    assert target.vps == VPS_ID


def test_an_id_may_be_any_text() -> None:
    target, sent = look_up(items("a/b ü"))
    assert target.vps == "a/b ü"
    assert sent[1] == "GET /api/v2/vps/a%2Fb%20%C3%BC/agent/exec"


@pytest.mark.parametrize(
    "id",
    ["..", ".", "", " ", " ..", "a\n", "a\0b", "\u202ea", "'a'", '"a"', "a" * 5000, API_KEY, API_KEY.encode().hex()],
)
def test_an_id_from_the_list_passes_the_same_check_as_one_from_the_environment(id: str) -> None:
    target, sent = look_up(items(id, VPS_ID))
    assert target.vps == VPS_ID
    assert sent == ["GET /api/v2/vps", f"GET /api/v2/vps/{VPS_ID}/agent/exec"]
    with pytest.raises(Misconfigured):
        look_up(items(id))


def unavailable(_request: Request, response: Response) -> None:
    if response.is_availability:
        response.change(available=False)


def many(request: Request, response: Response) -> None:
    items(*[f"vps_{number}" for number in range(50)])(request, response)
    if request.path != "/api/v2/vps":
        response.become(200, {"available": False})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (unavailable, r"none of the first 2 VPSs in the list \(GET /api/v2/vps\) has an available agent"),
        (many, "none of the first 10 VPSs"),
        (items(), "has no VPS to probe"),
        (items(7, "", None), "has no VPS to probe"),
        (lambda _, response: response.become(404), "got the status 404; .*, or check the base URL"),
        (lambda _, response: response.become(200, [1]), "has no VPS to probe"),
        (lambda _, response: response.become(200, b"<html>"), "has no VPS to probe"),
        (lambda _, response: setattr(response, "raw", [b"HTTP/1.1 2"]), "got no response"),
        (items(*range(100_000)), "too large .its body has more than 100000 JSON values"),
    ],
)
def test_without_a_usable_list_the_vps_is_required(change: Change, says: str) -> None:
    """Where no VPS can be looked up, the message says why, and to set HOSTUP_VPS_ID."""
    with pytest.raises(Misconfigured, match=f"^HOSTUP_VPS_ID is not set, and (?=.*; set it).*{says}"):
        look_up(change)


def test_a_wrong_key_is_named_instead() -> None:
    with pytest.raises(Misconfigured, match="got the status 401; check the key"):
        look_up(lambda _, response: response.become(401))


def test_a_pid_needs_its_vps() -> None:
    with pytest.raises(Misconfigured, match="HOSTUP_RUNNING_PID is set, but HOSTUP_VPS_ID is not"):
        Target.from_environment("http://127.0.0.1:9", {**KEY, "HOSTUP_RUNNING_PID": "7"})


@pytest.mark.catalogue
def test_a_run_looks_once_and_shows_the_vps(tmp_path: Path) -> None:
    """A run looks a VPS up once, and its header shows which one it found."""
    lists: list[str] = []

    def remember(request: Request, _response: Response) -> None:
        if request.path == "/api/v2/vps" and request.full and not request.query:
            lists.append(request.path)

    with Stage(remember).serve() as url:
        done = run(tmp_path, "--base-url", url, **KEY)
    assert done.returncode == 0, done.stdout
    assert f"HOSTUP_VPS_ID: {VPS_ID}" in done.stdout
    assert report_in(tmp_path)["verdict"] == "conformant"
    assert len(lists) == 3  # looked up, judged, and compared with itself


@pytest.mark.catalogue
def test_nothing_is_looked_up_for_a_plan(tmp_path: Path) -> None:
    with Stage().serve() as url:
        done = run(tmp_path, "--base-url", url, "--plan", **KEY)
    assert done.returncode == 4
    assert "HOSTUP_VPS_ID is not set" in done.stderr


@pytest.mark.catalogue
def test_an_unreachable_server_is_a_usage_error(tmp_path: Path) -> None:
    """Where nothing listens, the run ends with exit code 4."""
    done = run(tmp_path, "--base-url", "http://127.0.0.1:9", **KEY)
    assert done.returncode == 4
    assert "http://127.0.0.1:9: connection failed" in done.stderr
    assert "(check the base URL); HOSTUP_VPS_ID is not set, and could not be looked up" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_what_looks_a_vps_up_is_a_part_of_the_budget(tmp_path: Path) -> None:
    sent = list[str]()
    with Stage(lambda request, _: sent.append(request.path)).serve() as url:
        run(tmp_path, "--base-url", url, "--max-requests", "9", **KEY)
    assert len(sent) == 9
