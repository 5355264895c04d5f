"""Faults of the list and the status of VPSs."""

from __future__ import annotations

from hostup_conformance.mock import FOREIGN_VPS_ID, VPS_ID
from stage import Answered, Asked

from faults import trips

LIST = "/api/v2/vps"


def is_list(asked: Asked, answered: Answered) -> bool:
    return asked.path == LIST and answered.status == 200


def is_status(asked: Asked, answered: Answered) -> bool:
    return asked.path == f"{LIST}/{VPS_ID}/status" and answered.status == 200


@trips("VPS-01")
def list_is_an_array(asked: Asked, answered: Answered) -> None:
    """The list is a bare array."""
    if is_list(asked, answered):
        answered.become(200, answered.json["data"])


@trips("VPS-01")
def list_has_numeric_ids(asked: Asked, answered: Answered) -> None:
    """The ids in the list are numbers."""
    if is_list(asked, answered):
        answered.change(
            data=[{**item, "id": number} for number, item in enumerate(answered.json["data"])], hasMore=True
        )


@trips("VPS-02")
def list_is_everybodys(asked: Asked, answered: Answered) -> None:
    """The list has the VPSs of all accounts."""
    if is_list(asked, answered):
        answered.change(data=[*answered.json["data"], {"id": FOREIGN_VPS_ID, "name": "theirs"}])


@trips("VPS-03")
def list_lacks_one(asked: Asked, answered: Answered) -> None:
    """The list begins with the second VPS."""
    if is_list(asked, answered):
        answered.change(data=answered.json["data"][1:])


@trips("VPS-04")
def status_in_an_envelope(asked: Asked, answered: Answered) -> None:
    """The status is an array of one."""
    if is_status(asked, answered):
        answered.become(200, [answered.json])


@trips("VPS-04")
def status_has_a_wrong_type(asked: Asked, answered: Answered) -> None:
    """The uptime is a text."""
    if is_status(asked, answered):
        answered.change(uptimeSeconds="3 days")


@trips("VPS-05")
def status_of_another(asked: Asked, answered: Answered) -> None:
    """The status names another VPS."""
    if is_status(asked, answered):
        answered.change(id="vps_another")


@trips("VPS-05")
def status_in_other_words(asked: Asked, answered: Answered) -> None:
    """The state is in capitals."""
    if is_status(asked, answered):
        answered.change(powerState="RUNNING")


@trips("VPS-06")
def list_without_a_key(asked: Asked, answered: Answered) -> None:
    """The list is open to all."""
    if asked.path == LIST and answered.status == 401:
        answered.become(200, {"data": [{"id": VPS_ID}], "hasMore": False})


@trips("VPS-06")
def status_without_a_key(asked: Asked, answered: Answered) -> None:
    """The status is open to all."""
    if asked.path == f"{LIST}/{VPS_ID}/status" and answered.status == 401:
        answered.become(200, {"id": VPS_ID, "powerState": "running"})


@trips("VPS-07")
def status_of_anybody(asked: Asked, answered: Answered) -> None:
    """The status of anybody's VPS is answered."""
    if asked.path == f"{LIST}/{FOREIGN_VPS_ID}/status" and answered.status == 404:
        answered.become(200, {"id": FOREIGN_VPS_ID, "powerState": "running"})


@trips("VPS-08")
def status_says_stopped(asked: Asked, answered: Answered) -> None:
    """A VPS that runs is stopped by its status."""
    if is_status(asked, answered):
        answered.change(powerState="stopped")


@trips("VPS-04")
def status_in_data(asked: Asked, answered: Answered) -> None:
    """The status is wrapped in data."""
    if is_status(asked, answered):
        answered.json = {"data": answered.json}


@trips("VPS-06")
def list_for_any_key(asked: Asked, answered: Answered) -> None:
    """Any key will do for the list."""
    if asked.path == LIST and answered.status == 401 and asked.token:
        answered.become(200, {"data": [{"id": VPS_ID}], "hasMore": False})


@trips("VPS-07")
def status_of_nothing(asked: Asked, answered: Answered) -> None:
    """A VPS that does not exist has a status."""
    if asked.path.endswith("/status") and answered.status == 404 and FOREIGN_VPS_ID not in asked.path:
        answered.become(200, {"powerState": "unknown"})


@trips("VPS-09")
def more_is_text(asked: Asked, answered: Answered) -> None:
    """hasMore is a string."""
    if is_list(asked, answered):
        answered.change(hasMore="false")


@trips("VPS-09")
def more_without_a_cursor(asked: Asked, answered: Answered) -> None:
    """There is another page, and no way to it."""
    if is_list(asked, answered):
        answered.change(hasMore=True, nextCursor=None)


@trips("VPS-09")
def load_is_text(asked: Asked, answered: Answered) -> None:
    """The load has a percent sign."""
    if is_status(asked, answered):
        answered.change(cpuUsagePercent="3.5%")


@trips("VPS-10")
def list_wants_write(asked: Asked, answered: Answered) -> None:
    """The list is refused to a key with read:vm alone."""
    if asked.path == LIST and asked.reading:
        answered.become(403)


@trips("VPS-05")
def list_in_other_words(asked: Asked, answered: Answered) -> None:
    """In the list a VPS is on or off."""
    if is_list(asked, answered):
        answered.change(data=[{**item, "powerState": "on"} for item in answered.json["data"]])


@trips("VPS-09")
def list_in_snake_case(asked: Asked, answered: Answered) -> None:
    """There is has_more."""
    if is_list(asked, answered):
        answered.rename(hasMore="has_more", nextCursor="next_cursor")
