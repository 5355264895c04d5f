"""Faults of the availability probe."""

from __future__ import annotations

from hostup_conformance.mock import UNAVAILABLE_VPS_ID
from stage import Answered, Asked

from faults import trips


@trips("PROBE-01")
def conflict_without_pid(asked: Asked, answered: Answered) -> None:
    """A probe gets 409, as if the VPS were not ready."""
    if answered.is_availability and asked.full and asked.own:
        refuse(asked, answered, 409, "vps_not_ready", "VPS not ready")


def problem(asked: Asked, status: int, code: str, title: str) -> dict[str, object]:
    """Return a sound problem document."""
    return {
        "type": "https://developer.hostup.se/errors/" + code,
        "title": title,
        "status": status,
        "detail": "Something is the matter.",
        "code": code,
        "instance": asked.path,
        "requestId": f"req_{asked.nth('problems'):026}",
        "timestamp": now(),
    }


def refuse(asked: Asked, answered: Answered, status: int, code: str, title: str) -> None:
    """Refuse in another way, with a sound problem."""
    answered.status = status
    answered.json = problem(asked, status, code, title)


def start_instead(asked: Asked, answered: Answered) -> None:
    """Answer as if a command had been started."""
    answered.become(200, {"pid": 77, "pollUrl": f"{asked.path}?pid=77"})


def now() -> str:
    """Return this moment as the provider writes it."""
    from datetime import UTC, datetime

    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@trips("PROBE-02")
def availability_in_an_envelope(_asked: Asked, answered: Answered) -> None:
    """The availability is in an envelope, as in the older API."""
    if answered.is_availability:
        answered.json = {"success": True, "data": answered.json}


@trips("PROBE-02")
def availability_in_a_list(_asked: Asked, answered: Answered) -> None:
    """The availability is the only item of an array."""
    if answered.is_availability:
        answered.json = [answered.json]


@trips("PROBE-02")
def availability_is_null(_asked: Asked, answered: Answered) -> None:
    """The body is null."""
    if answered.is_availability:
        answered.json = None


@trips("PROBE-03")
def available_is_text(_asked: Asked, answered: Answered) -> None:
    """available is the string "true"."""
    if answered.is_availability:
        answered.change(available=str(answered.json["available"]).lower())


@trips("PROBE-03")
def available_is_a_number(_asked: Asked, answered: Answered) -> None:
    """available is 1 or 0, as in a database column."""
    if answered.is_availability:
        answered.change(available=int(answered.json["available"]))


@trips("PROBE-03")
def vm_running_is_a_power_state(_asked: Asked, answered: Answered) -> None:
    """vmRunning is the name of a power state."""
    if answered.is_availability:
        answered.change(vmRunning="running")


@trips("PROBE-03")
def reason_is_false(_asked: Asked, answered: Answered) -> None:
    """reason is false if there is none."""
    if answered.is_availability and answered.json["reason"] is None:
        answered.change(reason=False)


@trips("PROBE-03")
def reason_is_an_object(asked: Asked, answered: Answered) -> None:
    """reason, where there is one, is an object."""
    if answered.is_availability and asked.vps == UNAVAILABLE_VPS_ID:
        answered.change(reason={"code": 7, "text": answered.json["reason"]})


@trips("PROBE-03")
def one_stale_replica(asked: Asked, answered: Answered) -> None:
    """Every third probe reaches an old version, whose available is a string."""
    if answered.is_availability and asked.nth() % 3 == 0:
        answered.change(available="true")


@trips("PROBE-04")
def output_beside_availability(_asked: Asked, answered: Answered) -> None:
    """The availability also has exited, from a struct that serves both responses."""
    if answered.is_availability:
        answered.change(exitCode=None, stdout=None)


@trips("PROBE-05")
def never_available(asked: Asked, answered: Answered) -> None:
    """The agent is always said to be unavailable."""
    if answered.is_availability and asked.own:
        answered.change(available=False, reason="Not installed.")


@trips("PROBE-06")
def availability_is_empty(_asked: Asked, answered: Answered) -> None:
    """A probe gets an empty object."""
    if answered.is_availability:
        answered.json = {}


@trips("PROBE-07")
def always_available(asked: Asked, answered: Answered) -> None:
    """The VPS without an agent is available too."""
    if answered.is_availability and asked.vps == UNAVAILABLE_VPS_ID:
        answered.change(available=True, reason=None)


@trips("PROBE-08")
def no_reason(asked: Asked, answered: Answered) -> None:
    """The unavailable agent has no reason."""
    if answered.is_availability and asked.vps == UNAVAILABLE_VPS_ID:
        answered.change(reason=None)


@trips("PROBE-12")
def unavailable_is_an_error(asked: Asked, answered: Answered) -> None:
    """A probe of the VPS without an agent gets 409."""
    if answered.is_availability and asked.vps == UNAVAILABLE_VPS_ID:
        refuse(asked, answered, 409, "vps_not_ready", "VPS not ready")


@trips("PROBE-09")
def a_reason_although_available(asked: Asked, answered: Answered) -> None:
    """available is true, and the reason is the word null."""
    if answered.is_availability and asked.own:
        answered.change(reason="null")


@trips("PROBE-09")
def available_in_a_vm_that_is_off(asked: Asked, answered: Answered) -> None:
    """available is true although the VM does not run."""
    if answered.is_availability and asked.own:
        answered.change(vmRunning=False)


@trips("PROBE-10")
def vm_running_in_snake_case(_asked: Asked, answered: Answered) -> None:
    """vmRunning is spelled vm_running."""
    if answered.is_availability:
        answered.rename(vmRunning="vm_running")


@trips("PROBE-10")
def availability_in_pascal_case(_asked: Asked, answered: Answered) -> None:
    """The members are VmRunning and Reason, the default of some serializers."""
    if answered.is_availability:
        answered.rename(vmRunning="VmRunning", reason="Reason")


@trips("PROBE-11")
def availability_flaps(asked: Asked, answered: Answered) -> None:
    """The unavailable agent becomes available at its second probe, but keeps its reason."""
    if answered.is_availability and asked.vps == UNAVAILABLE_VPS_ID and asked.nth("unavailable") == 2:
        answered.drop("available")


@trips("PROBE-08")
def unavailable_is_an_error_in_a_success(_asked: Asked, answered: Answered) -> None:
    """A probe of the VPS without an agent gets 200 with an error in the body."""
    if answered.is_availability and not answered.json["available"]:
        answered.json = {"error": answered.json["reason"]}
