"""Variants of the list and the status of VPSs."""

from faults.pid import OTHER_VPS_ID, list_another
from faults.probe import refuse
from hostup_conformance.contract.paths import VPSS
from hostup_conformance.mock import UNAVAILABLE_VPS_ID, VPS_ID
from stage import Request, Response

from variants import allowed


def beside(request: Request) -> bool:
    """Whether it is for the list or a status."""
    return not request.path.endswith("/agent/exec")


@allowed()
def endpoint_alone(request: Request, response: Response) -> None:
    """There is neither a list nor a status, but the framework's own 404, with or without a key."""
    if beside(request):
        response.become(404, b"Not Found", "text/plain")


@allowed()
def list_of_ids_alone(request: Request, response: Response) -> None:
    """The items of the list have only an id."""
    if request.path == VPSS and response.status == 200:
        response.change(data=[{"id": item["id"]} for item in response.json["data"]])


@allowed()
def list_in_pages(request: Request, response: Response) -> None:
    """The first page of the list has only other VPSs, whose names are null."""
    if request.path == VPSS and response.status == 200 and not request.query:
        others = [{"id": f"vps_{number}", "name": None, "primaryIp": None} for number in range(20)]
        response.json = {"data": others, "hasMore": True, "nextCursor": "20"}


@allowed(warns={"VPS-13", "VPS-24"})
def list_without_pages(request: Request, response: Response) -> None:
    """The list is always the whole list: limit and cursor are unknown parameters, and ignored."""
    if request.path == VPSS and response.status in {200, 400} and request.query:
        response.become(200, {"data": [{"id": VPS_ID}, {"id": UNAVAILABLE_VPS_ID}], "hasMore": False})


@allowed()
def status_in_full(request: Request, response: Response) -> None:
    """The status has every documented member, and one more."""
    if request.path.endswith("/status") and response.status == 200:
        usage = {"usedGb": 1.5, "totalGb": 4, "usagePercent": 37.5}
        response.change(
            uptimeSeconds=None, cpuUsagePercent=3, cpuCores=2, memory=usage, storage=usage,
            network={"inboundGb": 0, "outboundGb": 0, "totalGb": 0}, pendingTasks=[], region="se-1",
        )  # fmt: skip


@allowed()
def limit_is_clamped(request: Request, response: Response) -> None:
    """An undocumented limit is ignored, and no page has more than one VPS."""
    if request.path == VPSS and response.status == 400 and "limit=" in request.query and "cursor" not in request.query:
        response.become(200, {"data": [{"id": VPS_ID}], "hasMore": True, "nextCursor": VPS_ID})


@allowed()
def list_is_one_page(request: Request, response: Response) -> None:
    """An unknown cursor gets an empty page; hasMore and nextCursor are absent if there is no other page."""
    if request.path == VPSS and response.status == 400 and "cursor=" in request.query:
        response.become(200, {"data": []})
    elif request.path == VPSS and response.status == 200 and not response.json["hasMore"]:
        response.drop("hasMore", "nextCursor")


@allowed()
def names_match_in_part(request: Request, response: Response) -> None:
    """A name matches any part of a VPS's name, in any case; there are no addresses."""
    if request.path == VPSS and response.status == 200:
        items = [{**item, "name": item["name"].upper(), "primaryIp": None} for item in response.json["data"]]
        if request.query == "name=WEB-1":
            items = [{"id": VPS_ID, "name": "WEB-1"}, {"id": "vps_more", "name": "web-10"}]
        response.change(data=items)


@allowed()
def status_in_whole_numbers(request: Request, response: Response) -> None:
    """Sizes and percentages are rounded to whole numbers; more is transferred in all than in and out."""
    if request.path.endswith("/status") and response.status == 200:
        response.change(
            memory={"usedGb": 1, "totalGb": 4, "usagePercent": 33},
            storage={"usedGb": 0, "totalGb": 1, "usagePercent": 41},
            network={"inboundGb": 1.5, "outboundGb": 1.5, "totalGb": 3.1},
            cpuUsagePercent=180.5,
        )


@allowed()
def vps_is_stopping(request: Request, response: Response) -> None:
    """The VPS without an agent is changing: it is paused in the list, and stopping in its status."""
    if request.path == VPSS and response.status == 200:
        response.change(data=[{**item, "powerState": "paused"} for item in response.json["data"]])
    elif request.path == f"{VPSS}/{UNAVAILABLE_VPS_ID}/status" and response.status == 200:
        response.change(powerState="stopping", uptimeSeconds=None)


@allowed()
def status_says_nothing(request: Request, response: Response) -> None:
    """The status has no members."""
    if request.path.endswith("/status") and response.status == 200:
        response.json = {}


@allowed()
def list_needs_another_scope(request: Request, response: Response) -> None:
    """The given keys may neither list VPSs nor see a status."""
    if beside(request) and response.status == 200:
        refuse(request, response, 403, "forbidden", "Forbidden")


@allowed(starts=True)
def another_vps_has_a_command_of_each_pid(request: Request, response: Response) -> None:
    """The list shows another VPS that runs, and every pid is that of a command there too."""
    list_another(request, response)
    if request.vps == OTHER_VPS_ID and request.full and request.pid:
        response.become(200, {"exited": True, "exitCode": 0, "stdout": "theirs\n", "stderr": ""})


@allowed(starts=True)
def another_vps_has_no_agent(request: Request, response: Response) -> None:
    """The list shows another VPS that runs, whose agent cannot be reached."""
    list_another(request, response, f"{VPS_ID}_2")
    if request.vps == f"{VPS_ID}_2" and request.full:
        refuse(request, response, 503, "upstream_unavailable", "Guest agent unavailable")
