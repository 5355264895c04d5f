"""Faults of the list and the status of VPSs."""

from hostup_conformance.mock import FOREIGN_VPS_ID, UNAVAILABLE_VPS_ID, VPS_ID
from stage import Request, Response

from faults import trips
from faults.probe import refuse

LIST = "/api/v2/vps"


def is_list(request: Request, response: Response) -> bool:
    return request.path == LIST and response.status == 200


def is_status(request: Request, response: Response) -> bool:
    return request.path == f"{LIST}/{VPS_ID}/status" and response.status == 200


@trips("VPS-01")
def list_is_an_array(request: Request, response: Response) -> None:
    """The list is a bare array."""
    if is_list(request, response):
        response.become(200, response.json["data"])


@trips("VPS-01")
def list_has_numeric_ids(request: Request, response: Response) -> None:
    """The ids in the list are numbers."""
    if is_list(request, response):
        response.change(
            data=[{**item, "id": number} for number, item in enumerate(response.json["data"])], hasMore=True
        )


@trips("VPS-02")
def list_is_everybodys(request: Request, response: Response) -> None:
    """The list has the VPSs of all accounts."""
    if is_list(request, response):
        response.change(data=[*response.json["data"], {"id": FOREIGN_VPS_ID, "name": "theirs"}])


@trips("VPS-03")
def list_lacks_one(request: Request, response: Response) -> None:
    """The list lacks its first VPS."""
    if is_list(request, response):
        response.change(data=response.json["data"][1:])


@trips("VPS-03")
def list_has_internal_ids(request: Request, response: Response) -> None:
    """The ids in the list are the numbers of rows, which no other operation takes."""
    if is_list(request, response):
        response.change(data=[{**item, "id": str(at)} for at, item in enumerate(response.json["data"], 101)])


@trips("VPS-04")
def status_in_an_envelope(request: Request, response: Response) -> None:
    """The status is in an array."""
    if is_status(request, response):
        response.become(200, [response.json])


@trips("VPS-04")
def status_has_a_wrong_type(request: Request, response: Response) -> None:
    """uptimeSeconds is a string."""
    if is_status(request, response):
        response.change(uptimeSeconds="3 days")


@trips("VPS-05")
def status_of_another(request: Request, response: Response) -> None:
    """The status has the id of another VPS."""
    if is_status(request, response):
        response.change(id="vps_another")


@trips("VPS-05")
def status_in_other_words(request: Request, response: Response) -> None:
    """powerState is in capitals."""
    if is_status(request, response):
        response.change(powerState="RUNNING")


@trips("VPS-06")
def list_without_a_key(request: Request, response: Response) -> None:
    """The list needs no key."""
    if request.path == LIST and response.status == 401:
        response.become(200, {"data": [{"id": VPS_ID}], "hasMore": False})


@trips("VPS-06")
def status_without_a_key(request: Request, response: Response) -> None:
    """The status needs no key."""
    if request.path == f"{LIST}/{VPS_ID}/status" and response.status == 401:
        response.become(200, {"id": VPS_ID, "powerState": "running"})


@trips("VPS-07")
def status_of_anybody(request: Request, response: Response) -> None:
    """The status of a VPS of any account is returned."""
    if request.path == f"{LIST}/{FOREIGN_VPS_ID}/status" and response.status == 404:
        response.become(200, {"id": FOREIGN_VPS_ID, "powerState": "running"})


@trips("VPS-08")
def status_says_stopped(request: Request, response: Response) -> None:
    """The status says that a running VPS is stopped."""
    if is_status(request, response):
        response.change(powerState="stopped", uptimeSeconds=None)


@trips("VPS-04")
def status_in_data(request: Request, response: Response) -> None:
    """The status is in the envelope data."""
    if is_status(request, response):
        response.json = {"data": response.json}


@trips("VPS-06")
def list_for_any_key(request: Request, response: Response) -> None:
    """Any key is accepted for the list."""
    if request.path == LIST and response.status == 401 and request.token:
        response.become(200, {"data": [{"id": VPS_ID}], "hasMore": False})


@trips("VPS-07")
def status_of_nothing(request: Request, response: Response) -> None:
    """An unknown VPS has a status."""
    if request.path.endswith("/status") and response.status == 404 and FOREIGN_VPS_ID not in request.path:
        response.become(200, {"powerState": "unknown"})


@trips("VPS-09")
def more_is_text(request: Request, response: Response) -> None:
    """hasMore is a string."""
    if is_list(request, response):
        response.change(hasMore="false")


@trips("VPS-12")
def more_without_a_cursor(request: Request, response: Response) -> None:
    """hasMore is true without a nextCursor."""
    if is_list(request, response):
        response.change(hasMore=True, nextCursor=None)


@trips("VPS-09")
def load_is_text(request: Request, response: Response) -> None:
    """The load is a string with a percent sign."""
    if is_status(request, response):
        response.change(cpuUsagePercent="3.5%")


@trips("VPS-10")
def list_wants_write(request: Request, response: Response) -> None:
    """The list is refused to a key with read:vm alone."""
    if request.path == LIST and request.reading:
        response.become(403)


@trips("VPS-05")
def list_in_other_words(request: Request, response: Response) -> None:
    """In the list, powerState is on or off."""
    if is_list(request, response):
        response.change(data=[{**item, "powerState": "on"} for item in response.json["data"]])


@trips("VPS-09")
def list_in_snake_case(request: Request, response: Response) -> None:
    """hasMore is spelled has_more."""
    if is_list(request, response):
        response.rename(hasMore="has_more", nextCursor="next_cursor")


def paged(request: Request, response: Response) -> bool:
    """Whether it is a page of the list."""
    return is_list(request, response) and "limit=1" in request.query.split("&")


def drop_items(response: Response, count: int = 1) -> None:
    """Leave out the first items."""
    response.change(data=response.json["data"][count:])


@trips("VPS-11")
def page_begins_one_too_late(request: Request, response: Response) -> None:
    """The page after a cursor lacks its first VPS."""
    if paged(request, response) and "cursor=" in request.query:
        drop_items(response)


@trips("VPS-11")
def page_begins_one_too_early(request: Request, response: Response) -> None:
    """The page after a cursor begins with the last VPS of the page before."""
    if paged(request, response) and "cursor=" in request.query and "~" not in request.query:
        response.change(data=[{"id": VPS_ID}])


@trips("VPS-11")
def last_page_is_forgotten(request: Request, response: Response) -> None:
    """The first page has hasMore false."""
    if paged(request, response):
        response.change(hasMore=False, nextCursor=None)


@trips("VPS-12")
def cursor_on_the_last_page(request: Request, response: Response) -> None:
    """The last page has a nextCursor."""
    if is_list(request, response) and response.json["data"] and not response.json["hasMore"]:
        response.change(nextCursor=response.json["data"][-1]["id"])


@trips("VPS-12")
def there_is_always_more(request: Request, response: Response) -> None:
    """The cursors lead to empty pages."""
    if paged(request, response) and not response.json["hasMore"] and response.json["data"]:
        response.change(hasMore=True, nextCursor="end")
    elif request.query == "limit=1&cursor=end":
        response.become(200, {"data": [], "hasMore": False})


@trips("VPS-12")
def cursors_are_ignored(request: Request, response: Response) -> None:
    """Each page is the first one."""
    if paged(request, response):
        response.json = request.memory.setdefault("page", response.json)


@trips("VPS-13")
def limit_is_ignored(request: Request, response: Response) -> None:
    """A page has two VPSs, whatever its limit, and there are more."""
    if paged(request, response) and "cursor" not in request.query:
        more = {"hasMore": True, "nextCursor": UNAVAILABLE_VPS_ID}
        response.change(data=[{"id": VPS_ID}, {"id": UNAVAILABLE_VPS_ID}], **more)


@trips("VPS-24")
def name_is_ignored(request: Request, response: Response) -> None:
    """The list has the VPS, whatever name is asked for."""
    if is_list(request, response) and "name=" in request.query:
        response.change(data=[{"id": VPS_ID, "name": "web-1"}])


@trips("VPS-18")
def list_is_shuffled(request: Request, response: Response) -> None:
    """Every second list is in reverse order."""
    if is_list(request, response) and request.full and not request.query and request.nth("lists") % 2 == 0:
        response.change(data=response.json["data"][::-1])


@trips("VPS-19")
def list_says_stopped(request: Request, response: Response) -> None:
    """In the list, every VPS is stopped."""
    if is_list(request, response):
        response.change(data=[{**item, "powerState": "stopped"} for item in response.json["data"]])


@trips("HTTP-03")
def load_is_no_number(request: Request, response: Response) -> None:
    """The load is NaN."""
    if is_status(request, response):
        response.change(cpuUsagePercent=float("nan"))


@trips("VPS-06")
def a_cursor_is_as_good_as_a_key(request: Request, response: Response) -> None:
    """The next page needs no key."""
    if request.path == LIST and response.status == 401 and "cursor=" in request.query:
        response.become(200, {"data": [{"id": VPS_ID}], "hasMore": False})


@trips("VPS-10")
def reading_keys_list_nothing(request: Request, response: Response) -> None:
    """The list for a key with read:vm alone is empty."""
    if is_list(request, response) and request.reading:
        response.change(data=[], hasMore=False, nextCursor=None)


@trips("VPS-11")
def joined_rows_come_twice(request: Request, response: Response) -> None:
    """A VPS with two addresses is in the list twice."""
    if is_list(request, response) and not request.query:
        response.change(data=[item for item in response.json["data"] for _ in range(2)])


@trips("VPS-11")
def pages_begin_after_the_first(request: Request, response: Response) -> None:
    """The list always comes in pages, and the caller's first VPS is on none."""
    if is_list(request, response):
        rest = [item for item in response.json["data"] if item["id"] != VPS_ID]
        response.change(data=rest, **({} if request.query else {"hasMore": True, "nextCursor": VPS_ID}))


@trips("VPS-22")
def errors_of_the_list_are_of_the_older_form(request: Request, response: Response) -> None:
    """A list without a key gets an error of the older API."""
    if request.path == LIST and response.status >= 400:
        response.become(response.status, {"success": False, "error": "Authentication is required."})


@trips("VPS-22")
def errors_of_the_status_are_html(request: Request, response: Response) -> None:
    """An error of the status is a page of the framework."""
    if request.path.endswith("/status") and response.status >= 400:
        response.become(response.status, b"<h1>Error</h1>", "text/html")


@trips("VPS-23")
def list_wants_a_region(request: Request, response: Response) -> None:
    """The list is refused with 422 without a parameter that the documentation does not have."""
    if is_list(request, response):
        refuse(request, response, 422, "invalid_request", "Invalid request")


@trips("VPS-23")
def limit_is_at_most_one(request: Request, response: Response) -> None:
    """A page with a documented limit is refused with 400."""
    if is_list(request, response) and "limit=" in request.query:
        refuse(request, response, 400, "invalid_request", "Invalid request")


@trips("VPS-23")
def status_has_no_content(request: Request, response: Response) -> None:
    """The status gets 204."""
    if is_status(request, response):
        response.become(204)


@trips("VPS-23")
def other_vpss_have_no_status(request: Request, response: Response) -> None:
    """The status of another VPS of the caller gets 404."""
    if request.path == f"{LIST}/{UNAVAILABLE_VPS_ID}/status" and response.status == 200:
        refuse(request, response, 404, "not_found", "Not found")


@trips("VPS-23")
def status_of_what_is_stopped_fails(request: Request, response: Response) -> None:
    """The status of the VPS without an agent gets 500."""
    if request.path == f"{LIST}/{UNAVAILABLE_VPS_ID}/status" and response.status == 200:
        refuse(request, response, 500, "internal_error", "Internal server error")


@trips("VPS-10")
def reading_keys_find_no_status(request: Request, response: Response) -> None:
    """The status gets 404 for a key with read:vm alone."""
    if is_status(request, response) and request.reading:
        refuse(request, response, 404, "not_found", "Not found")


@trips("VPS-01")
def list_is_empty_text(request: Request, response: Response) -> None:
    """The list is an empty body that is labelled as JSON."""
    if is_list(request, response):
        response.body = b""


@trips("VPS-01")
def empty_data_is_null(request: Request, response: Response) -> None:
    """data is null where no VPS is to be shown."""
    if is_list(request, response) and not response.json["data"]:
        response.change(data=None)


@trips("VPS-01")
def data_is_null(request: Request, response: Response) -> None:
    """data is null."""
    if is_list(request, response):
        response.change(data=None)


@trips("VPS-03")
def list_misses_one(request: Request, response: Response) -> None:
    """A VPS whose agent does not respond is not in the list."""
    if is_list(request, response):
        response.change(data=[item for item in response.json["data"] if item["id"] != UNAVAILABLE_VPS_ID])


@trips("HTTP-08")
def a_quotation_mark_ends_the_query(request: Request, response: Response) -> None:
    """A name with a quotation mark ends the text in the query of the database."""
    if is_list(request, response) and "%27" in request.query:
        refuse(request, response, 500, "internal_error", "Internal error")
