"""Faults of the list and the status of VPSs."""

from __future__ import annotations

from hostup_conformance.mock import FOREIGN_VPS_ID, UNAVAILABLE_VPS_ID, VPS_ID
from stage import Answered, Asked

from faults import trips
from faults.probe import refuse

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
    """The list lacks its first VPS."""
    if is_list(asked, answered):
        answered.change(data=answered.json["data"][1:])


@trips("VPS-04")
def status_in_an_envelope(asked: Asked, answered: Answered) -> None:
    """The status is in an array."""
    if is_status(asked, answered):
        answered.become(200, [answered.json])


@trips("VPS-04")
def status_has_a_wrong_type(asked: Asked, answered: Answered) -> None:
    """uptimeSeconds is a string."""
    if is_status(asked, answered):
        answered.change(uptimeSeconds="3 days")


@trips("VPS-05")
def status_of_another(asked: Asked, answered: Answered) -> None:
    """The status has the id of another VPS."""
    if is_status(asked, answered):
        answered.change(id="vps_another")


@trips("VPS-05")
def status_in_other_words(asked: Asked, answered: Answered) -> None:
    """powerState is in capitals."""
    if is_status(asked, answered):
        answered.change(powerState="RUNNING")


@trips("VPS-06")
def list_without_a_key(asked: Asked, answered: Answered) -> None:
    """The list needs no key."""
    if asked.path == LIST and answered.status == 401:
        answered.become(200, {"data": [{"id": VPS_ID}], "hasMore": False})


@trips("VPS-06")
def status_without_a_key(asked: Asked, answered: Answered) -> None:
    """The status needs no key."""
    if asked.path == f"{LIST}/{VPS_ID}/status" and answered.status == 401:
        answered.become(200, {"id": VPS_ID, "powerState": "running"})


@trips("VPS-07")
def status_of_anybody(asked: Asked, answered: Answered) -> None:
    """The status of a VPS of any account is returned."""
    if asked.path == f"{LIST}/{FOREIGN_VPS_ID}/status" and answered.status == 404:
        answered.become(200, {"id": FOREIGN_VPS_ID, "powerState": "running"})


@trips("VPS-08")
def status_says_stopped(asked: Asked, answered: Answered) -> None:
    """The status says that a running VPS is stopped."""
    if is_status(asked, answered):
        answered.change(powerState="stopped", uptimeSeconds=None)


@trips("VPS-04")
def status_in_data(asked: Asked, answered: Answered) -> None:
    """The status is in the envelope data."""
    if is_status(asked, answered):
        answered.json = {"data": answered.json}


@trips("VPS-06")
def list_for_any_key(asked: Asked, answered: Answered) -> None:
    """Any key is accepted for the list."""
    if asked.path == LIST and answered.status == 401 and asked.token:
        answered.become(200, {"data": [{"id": VPS_ID}], "hasMore": False})


@trips("VPS-07")
def status_of_nothing(asked: Asked, answered: Answered) -> None:
    """An unknown VPS has a status."""
    if asked.path.endswith("/status") and answered.status == 404 and FOREIGN_VPS_ID not in asked.path:
        answered.become(200, {"powerState": "unknown"})


@trips("VPS-09")
def more_is_text(asked: Asked, answered: Answered) -> None:
    """hasMore is a string."""
    if is_list(asked, answered):
        answered.change(hasMore="false")


@trips("VPS-09")
def more_without_a_cursor(asked: Asked, answered: Answered) -> None:
    """hasMore is true without a nextCursor."""
    if is_list(asked, answered):
        answered.change(hasMore=True, nextCursor=None)


@trips("VPS-09")
def load_is_text(asked: Asked, answered: Answered) -> None:
    """The load is a string with a percent sign."""
    if is_status(asked, answered):
        answered.change(cpuUsagePercent="3.5%")


@trips("VPS-10")
def list_wants_write(asked: Asked, answered: Answered) -> None:
    """The list is refused to a key with read:vm alone."""
    if asked.path == LIST and asked.reading:
        answered.become(403)


@trips("VPS-05")
def list_in_other_words(asked: Asked, answered: Answered) -> None:
    """In the list, powerState is on or off."""
    if is_list(asked, answered):
        answered.change(data=[{**item, "powerState": "on"} for item in answered.json["data"]])


@trips("VPS-09")
def list_in_snake_case(asked: Asked, answered: Answered) -> None:
    """hasMore is spelled has_more."""
    if is_list(asked, answered):
        answered.rename(hasMore="has_more", nextCursor="next_cursor")


def paged(asked: Asked, answered: Answered) -> bool:
    """Whether it is a page of the list."""
    return is_list(asked, answered) and "limit=1" in asked.query.split("&")


def drop_items(answered: Answered, count: int = 1) -> None:
    """Leave out the first items."""
    answered.change(data=answered.json["data"][count:])


@trips("VPS-11")
def page_begins_one_too_late(asked: Asked, answered: Answered) -> None:
    """The page after a cursor lacks its first VPS."""
    if paged(asked, answered) and "cursor=" in asked.query:
        drop_items(answered)


@trips("VPS-11")
def page_begins_one_too_early(asked: Asked, answered: Answered) -> None:
    """The page after a cursor begins with the last VPS of the page before."""
    if paged(asked, answered) and "cursor=" in asked.query and "~" not in asked.query:
        answered.change(data=[{"id": VPS_ID}])


@trips("VPS-11")
def last_page_is_forgotten(asked: Asked, answered: Answered) -> None:
    """The first page has hasMore false."""
    if paged(asked, answered):
        answered.change(hasMore=False, nextCursor=None)


@trips("VPS-12")
def cursor_on_the_last_page(asked: Asked, answered: Answered) -> None:
    """The last page has a nextCursor."""
    if is_list(asked, answered) and answered.json["data"] and not answered.json["hasMore"]:
        answered.change(nextCursor=answered.json["data"][-1]["id"])


@trips("VPS-12")
def there_is_always_more(asked: Asked, answered: Answered) -> None:
    """The cursors lead to empty pages."""
    if paged(asked, answered) and not answered.json["hasMore"] and answered.json["data"]:
        answered.change(hasMore=True, nextCursor="end")
    elif asked.query == "limit=1&cursor=end":
        answered.become(200, {"data": [], "hasMore": False})


@trips("VPS-13")
def limit_is_ignored(asked: Asked, answered: Answered) -> None:
    """Every page has all VPSs."""
    if paged(asked, answered) and "cursor" not in asked.query:
        answered.change(data=[{"id": VPS_ID}, {"id": UNAVAILABLE_VPS_ID}], hasMore=False, nextCursor=None)


@trips("VPS-16")
def name_is_ignored(asked: Asked, answered: Answered) -> None:
    """The list is not filtered by name."""
    if is_list(asked, answered) and asked.query.startswith("name="):
        answered.change(data=[{"id": VPS_ID, "name": "web-1"}, {"id": UNAVAILABLE_VPS_ID, "name": "web-2"}])


@trips("VPS-16")
def address_matches_its_beginning(asked: Asked, answered: Answered) -> None:
    """Addresses match by their first part."""
    if is_list(asked, answered) and asked.query.startswith("primaryIp=192."):
        answered.change(data=[*answered.json["data"], {"id": UNAVAILABLE_VPS_ID, "primaryIp": "192.0.2.17"}])


@trips("VPS-17")
def address_finds_nothing(asked: Asked, answered: Answered) -> None:
    """No VPS is found by its address."""
    if is_list(asked, answered) and "primaryIp=" in asked.query:
        answered.change(data=[])


@trips("VPS-18")
def list_is_shuffled(asked: Asked, answered: Answered) -> None:
    """Every second list is in reverse order."""
    if is_list(asked, answered) and asked.full and not asked.query and asked.nth("lists") % 2 == 0:
        answered.change(data=answered.json["data"][::-1])


@trips("VPS-19")
def list_says_stopped(asked: Asked, answered: Answered) -> None:
    """In the list, every VPS is stopped."""
    if is_list(asked, answered):
        answered.change(data=[{**item, "powerState": "stopped"} for item in answered.json["data"]])


@trips("VPS-20")
def percentage_is_a_fraction(asked: Asked, answered: Answered) -> None:
    """usagePercent is from 0 to 1."""
    if is_status(asked, answered):
        answered.change(memory={"usedGb": 1.2, "totalGb": 4, "usagePercent": 0.3})


@trips("VPS-20")
def more_is_used_than_there_is(asked: Asked, answered: Answered) -> None:
    """used and total are exchanged."""
    if is_status(asked, answered):
        answered.change(storage={"usedGb": 80, "totalGb": 10, "usagePercent": 12.5})


@trips("VPS-20")
def traffic_is_negative(asked: Asked, answered: Answered) -> None:
    """A 32-bit counter has become negative."""
    if is_status(asked, answered):
        answered.change(network={"inboundGb": -1.9, "outboundGb": 0.5, "totalGb": 2})


@trips("VPS-21")
def uptime_is_in_milliseconds(asked: Asked, answered: Answered) -> None:
    """The uptime grows a thousand times too fast."""
    if is_status(asked, answered):
        answered.change(uptimeSeconds=86_400_000 + 1000 * asked.nth("statuses"))


@trips("VPS-21")
def uptime_of_what_does_not_run(asked: Asked, answered: Answered) -> None:
    """A stopped VPS has an uptime."""
    if asked.path == f"{LIST}/{UNAVAILABLE_VPS_ID}/status" and answered.status == 200:
        answered.change(powerState="stopped")


@trips("HTTP-03")
def load_is_no_number(asked: Asked, answered: Answered) -> None:
    """The load is NaN."""
    if is_status(asked, answered):
        answered.change(cpuUsagePercent=float("nan"))


@trips("VPS-06")
def a_cursor_is_as_good_as_a_key(asked: Asked, answered: Answered) -> None:
    """The next page needs no key."""
    if asked.path == LIST and answered.status == 401 and "cursor=" in asked.query:
        answered.become(200, {"data": [{"id": VPS_ID}], "hasMore": False})


@trips("VPS-10")
def reading_keys_list_nothing(asked: Asked, answered: Answered) -> None:
    """The list for a key with read:vm alone is empty."""
    if is_list(asked, answered) and asked.reading:
        answered.change(data=[], hasMore=False, nextCursor=None)


@trips("VPS-11")
def joined_rows_come_twice(asked: Asked, answered: Answered) -> None:
    """A VPS with two addresses is in the list twice."""
    if is_list(asked, answered) and not asked.query:
        answered.change(data=[item for item in answered.json["data"] for _ in range(2)])


@trips("VPS-11")
def pages_begin_after_the_first(asked: Asked, answered: Answered) -> None:
    """The list always comes in pages, and the caller's first VPS is on none."""
    if is_list(asked, answered):
        rest = [item for item in answered.json["data"] if item["id"] != VPS_ID]
        answered.change(data=rest, **({} if asked.query else {"hasMore": True, "nextCursor": VPS_ID}))


@trips("VPS-20")
def uptime_is_a_moment(asked: Asked, answered: Answered) -> None:
    """uptimeSeconds is the time of the start, in seconds since 1970."""
    if is_status(asked, answered):
        answered.change(uptimeSeconds=1777293326)


@trips("VPS-20")
def sizes_are_in_bytes(asked: Asked, answered: Answered) -> None:
    """Memory is in bytes."""
    if is_status(asked, answered):
        answered.change(memory={"usedGb": 1 << 30, "totalGb": 4 << 30, "usagePercent": 25.0})


@trips("VPS-22")
def errors_of_the_list_are_of_the_older_form(asked: Asked, answered: Answered) -> None:
    """A list without a key gets an error of the older API."""
    if asked.path == LIST and answered.status >= 400:
        answered.become(answered.status, {"success": False, "error": "Authentication is required."})


@trips("VPS-22")
def errors_of_the_status_are_html(asked: Asked, answered: Answered) -> None:
    """An error of the status is a page of the framework."""
    if asked.path.endswith("/status") and answered.status >= 400:
        answered.become(answered.status, b"<h1>Error</h1>", "text/html")


@trips("VPS-23")
def list_wants_a_region(asked: Asked, answered: Answered) -> None:
    """The list is refused with 422 without a parameter that the documentation does not have."""
    if is_list(asked, answered):
        refuse(asked, answered, 422, "invalid_request", "Invalid request")


@trips("VPS-23")
def limit_is_at_most_one(asked: Asked, answered: Answered) -> None:
    """A page with a documented limit is refused with 400."""
    if is_list(asked, answered) and "limit=" in asked.query:
        refuse(asked, answered, 400, "invalid_request", "Invalid request")


@trips("VPS-23")
def status_has_no_content(asked: Asked, answered: Answered) -> None:
    """The status gets 204."""
    if is_status(asked, answered):
        answered.become(204)


@trips("VPS-23")
def other_vpss_have_no_status(asked: Asked, answered: Answered) -> None:
    """The status of another VPS of the caller gets 404."""
    if asked.path == f"{LIST}/{UNAVAILABLE_VPS_ID}/status" and answered.status == 200:
        refuse(asked, answered, 404, "not_found", "Not found")


@trips("VPS-10")
def reading_keys_find_no_status(asked: Asked, answered: Answered) -> None:
    """The status gets 404 for a key with read:vm alone."""
    if is_status(asked, answered) and asked.reading:
        refuse(asked, answered, 404, "not_found", "Not found")
