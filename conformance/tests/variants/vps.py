"""Variants of the list and the status of VPSs."""

from __future__ import annotations

from faults.probe import refuse
from hostup_conformance.contract.paths import VPSS
from hostup_conformance.mock import UNAVAILABLE_VPS_ID, VPS_ID
from stage import Answered, Asked

from variants import allowed, invalid


def beside(asked: Asked) -> bool:
    """Whether it is for the list or a status."""
    return not asked.path.endswith("/agent/exec")


@allowed()
def endpoint_alone(asked: Asked, answered: Answered) -> None:
    """There is neither a list nor a status, but the framework's own 404, with or without a key."""
    if beside(asked):
        answered.become(404, b"Not Found", "text/plain")


@allowed()
def list_of_ids_alone(asked: Asked, answered: Answered) -> None:
    """The items of the list have only an id."""
    if asked.path == VPSS and answered.status == 200:
        answered.change(data=[{"id": item["id"]} for item in answered.json["data"]])


@allowed()
def list_in_pages(asked: Asked, answered: Answered) -> None:
    """The first page of the list has only other VPSs, whose names are null."""
    if asked.path == VPSS and answered.status == 200 and not asked.query:
        others = [{"id": f"vps_{number}", "name": None, "primaryIp": None} for number in range(20)]
        answered.json = {"data": others, "hasMore": True, "nextCursor": "20"}


@allowed()
def status_in_full(asked: Asked, answered: Answered) -> None:
    """The status has every documented member, and one more."""
    if asked.path.endswith("/status") and answered.status == 200:
        usage = {"usedGb": 1.5, "totalGb": 4, "usagePercent": 37.5}
        answered.change(
            uptimeSeconds=None, cpuUsagePercent=3, cpuCores=2, memory=usage, storage=usage,
            network={"inboundGb": 0, "outboundGb": 0, "totalGb": 0}, pendingTasks=[], region="se-1",
        )  # fmt: skip


@allowed()
def limit_is_clamped(asked: Asked, answered: Answered) -> None:
    """An undocumented limit is ignored, and no page has more than one VPS."""
    if asked.path == VPSS and answered.status == 400 and "limit=" in asked.query and "cursor" not in asked.query:
        answered.become(200, {"data": [{"id": VPS_ID}], "hasMore": True, "nextCursor": VPS_ID})


@allowed()
def list_is_one_page(asked: Asked, answered: Answered) -> None:
    """An unknown cursor gets an empty page; hasMore and nextCursor are absent if there is no other page."""
    if asked.path == VPSS and answered.status == 400 and "cursor=" in asked.query:
        answered.become(200, {"data": []})
    elif asked.path == VPSS and answered.status == 200 and not answered.json["hasMore"]:
        answered.drop("hasMore", "nextCursor")


@allowed()
def names_match_in_part(asked: Asked, answered: Answered) -> None:
    """A name matches any part of a VPS's name, in any case; there are no addresses."""
    if asked.path == VPSS and answered.status == 200:
        items = [{**item, "name": item["name"].upper(), "primaryIp": None} for item in answered.json["data"]]
        if asked.query == "name=WEB-1":
            items = [{"id": VPS_ID, "name": "WEB-1"}, {"id": "vps_more", "name": "web-10"}]
        answered.change(data=items)


@allowed()
def filters_are_not_offered(asked: Asked, answered: Answered) -> None:
    """A filter is an unknown parameter, and gets 400."""
    if asked.path == VPSS and ("name=" in asked.query or "primaryIp=" in asked.query):
        invalid(asked, answered, "name")


@allowed()
def status_in_whole_numbers(asked: Asked, answered: Answered) -> None:
    """Sizes and percentages are rounded to whole numbers; more is transferred in all than in and out."""
    if asked.path.endswith("/status") and answered.status == 200:
        answered.change(
            memory={"usedGb": 1, "totalGb": 4, "usagePercent": 33},
            storage={"usedGb": 0, "totalGb": 1, "usagePercent": 41},
            network={"inboundGb": 1.5, "outboundGb": 1.5, "totalGb": 3.1},
            cpuUsagePercent=180.5,
        )


@allowed()
def vps_is_stopping(asked: Asked, answered: Answered) -> None:
    """The VPS without an agent is changing: it is paused in the list, and stopping in its status."""
    if asked.path == VPSS and answered.status == 200:
        answered.change(data=[{**item, "powerState": "paused"} for item in answered.json["data"]])
    elif asked.path == f"{VPSS}/{UNAVAILABLE_VPS_ID}/status" and answered.status == 200:
        answered.change(powerState="stopping", uptimeSeconds=None)


@allowed()
def status_says_nothing(asked: Asked, answered: Answered) -> None:
    """The status has no members."""
    if asked.path.endswith("/status") and answered.status == 200:
        answered.json = {}


@allowed()
def list_needs_another_scope(asked: Asked, answered: Answered) -> None:
    """The given keys may neither list VPSs nor see a status."""
    if beside(asked) and answered.status == 200:
        refuse(asked, answered, 403, "forbidden", "Forbidden")
