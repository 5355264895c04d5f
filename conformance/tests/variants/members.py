"""Variants of the members of bodies."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hostup_conformance.contract.paths import VPSS
from hostup_conformance.mock import UNAVAILABLE_VPS_ID
from stage import Answered, Asked

from variants import allowed, is_ended


@allowed()
def available_alone(_asked: Asked, answered: Answered) -> None:
    """The availability has no reason and no vmRunning if the agent is available."""
    if answered.is_availability and answered.json["available"]:
        answered.drop("reason", "vmRunning")


@allowed()
def vm_state_is_unsaid(_asked: Asked, answered: Answered) -> None:
    """There is no vmRunning."""
    if answered.is_availability:
        answered.drop("vmRunning")


@allowed()
def vm_is_off(asked: Asked, answered: Answered) -> None:
    """The VPS without an agent is stopped."""
    if answered.is_availability and asked.vps == UNAVAILABLE_VPS_ID:
        answered.change(vmRunning=False, reason="Servern är avstängd.")
    if answered.status == 200 and asked.path == f"{VPSS}/{UNAVAILABLE_VPS_ID}/status":
        answered.change(powerState="stopped", uptimeSeconds=0)
    elif answered.status == 200 and asked.path == VPSS:
        stopped = {UNAVAILABLE_VPS_ID: {"powerState": "stopped"}}
        answered.change(data=[{**item, **stopped.get(item["id"], {})} for item in answered.json["data"]])


@allowed()
def more_members(_asked: Asked, answered: Answered) -> None:
    """Every body has undocumented members."""
    if isinstance(answered.json, dict):
        answered.change(agentVersion="8.2.0", _links={"self": {"href": "/"}}, tags=[1, None, {"a": []}])


@allowed()
def state_and_nothing_else(_asked: Asked, answered: Answered) -> None:
    """For a running command, exited is false and everything else null."""
    if answered.is_output and not answered.json["exited"]:
        answered.change(exitCode=None, stdout=None, stderr=None)


@allowed()
def empty_streams(_asked: Asked, answered: Answered) -> None:
    """A running command has empty streams."""
    if answered.is_output and not answered.json["exited"]:
        answered.change(stdout="", stderr="")


@allowed()
def output_names_its_pid(asked: Asked, answered: Answered) -> None:
    """The output has the pid, and how long the command took."""
    if answered.is_output and asked.pid:
        answered.change(pid=int(asked.pid), durationMs=12.5, truncated=False)


@allowed()
def no_stderr(_asked: Asked, answered: Answered) -> None:
    """An empty stream is absent."""
    if is_ended(answered):
        answered.drop("stderr")


@allowed()
def problem_with_extensions(_asked: Asked, answered: Answered) -> None:
    """Problems have extensions, and an empty errors."""
    if answered.is_problem:
        answered.change(extensions={"help": "https://developer.hostup.se/"}, errors=answered.json.get("errors", []))


@allowed()
def parameter_by_its_bare_name(_asked: Asked, answered: Answered) -> None:
    """The pointers of errors are bare names, or in fragment form."""
    if answered.is_problem and "errors" in answered.json:
        item = {"detail": "It has the wrong form.", "code": "invalid_request"}
        answered.change(errors=[{"pointer": "pid", **item}, {"pointer": "#/query/pid", **item}])


@allowed()
def problem_without_decoration(_asked: Asked, answered: Answered) -> None:
    """instance is an absolute URI, and requestId a UUID."""
    if answered.is_problem:
        request_id = answered.json["requestId"]
        answered.change(instance=f"urn:uuid:{request_id[4:12]}", requestId=f"{request_id[4:]}-4")


@allowed(warns={"PROBLEM-04"})
def smallest_problem(_asked: Asked, answered: Answered) -> None:
    """Problems have only type, code, detail and errors."""
    if answered.is_problem:
        answered.drop("title", "status", "instance", "requestId", "timestamp")


@allowed()
def titles_in_swedish(_asked: Asked, answered: Answered) -> None:
    """Titles and details are in Swedish."""
    if answered.is_problem:
        words = {400: "Ogiltig förfrågan", 401: "Ej inloggad", 403: "Ej tillåtet", 404: "Finns inte"}
        answered.change(title=words.get(answered.status, f"Fel {answered.status}"), detail="Något gick fel. 请重试")


@allowed()
def other_codes(_asked: Asked, answered: Answered) -> None:
    """The error reference's other codes: vps_not_found, rate_limited."""
    codes = {404: ("vps_not_found", "VPS not found"), 429: ("rate_limited", "Rate limited")}
    if answered.is_problem and answered.status in codes:
        code, title = codes[answered.status]
        answered.change(code=code, title=title, type="https://developer.hostup.se/errors/" + code)


@allowed()
def timestamps_with_offset(_asked: Asked, answered: Answered) -> None:
    """Timestamps end in +00:00, with microseconds."""
    if answered.is_problem:
        answered.change(timestamp=datetime.now(UTC).isoformat(timespec="microseconds"))


@allowed()
def timestamps_of_stockholm(_asked: Asked, answered: Answered) -> None:
    """Timestamps are in another time zone, without a fraction."""
    if answered.is_problem:
        moment = datetime.now(UTC) + timedelta(hours=2)
        answered.change(timestamp=moment.isoformat(timespec="seconds").replace("+00:00", "+02:00"))


@allowed()
def absent_extensions_are_null(_asked: Asked, answered: Answered) -> None:
    """extensions is null if there are none."""
    if answered.is_problem:
        answered.change(extensions=None)
