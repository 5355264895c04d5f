"""Faults of ids."""

from urllib.parse import unquote

from hostup_conformance.mock import FOREIGN_VPS_ID, UNAVAILABLE_VPS_ID, VPS_ID
from stage import Request, Response

from faults import trips
from faults.auth import AVAILABLE
from faults.probe import refuse, start_instead

KNOWN = {VPS_ID, UNAVAILABLE_VPS_ID, FOREIGN_VPS_ID}


def respond_instead(request: Request, response: Response) -> None:
    """Respond to a request for a VPS that is not found as if it were the own."""
    if response.status == 404 and request.method == "GET" and request.full and request.path.endswith("/agent/exec"):
        response.become(200, AVAILABLE if request.pid is None else {"exited": False})


@trips("ID-01")
def unknown_is_unavailable(request: Request, response: Response) -> None:
    """An unknown VPS gets an availability that says that its agent is not available."""
    resembles = request.vps[:-1] == VPS_ID[:-1] or request.vps.lower() == VPS_ID
    in_form = len(request.vps) == len(VPS_ID) and request.vps.replace("_", "").isalnum() and request.vps.isascii()
    if response.status == 404 and request.full and request.pid is None and in_form and not resembles:
        response.become(200, {"available": False, "reason": "No such VPS.", "vmRunning": False})


@trips("ID-01")
def unknown_is_gone(request: Request, response: Response) -> None:
    """An unknown VPS gets 400."""
    if response.status == 404 and request.full and request.vps not in KNOWN:
        refuse(request, response, 400, "invalid_request", "Invalid request")
        response.change(errors=[{"pointer": "/id", "detail": "no", "code": "invalid_request"}])


@trips("ID-02")
def foreign_vps_is_served(request: Request, response: Response) -> None:
    """A probe of any account's VPS succeeds."""
    if request.vps == FOREIGN_VPS_ID and request.pid is None:
        respond_instead(request, response)


@trips("ID-02")
def ownership_is_not_checked_at_polls(request: Request, response: Response) -> None:
    """A poll of any account's VPS succeeds."""
    if request.vps == FOREIGN_VPS_ID and request.pid:
        respond_instead(request, response)


@trips("ID-02")
def foreign_vps_is_a_conflict(request: Request, response: Response) -> None:
    """A VPS of another account gets 409."""
    if request.vps == FOREIGN_VPS_ID and response.status == 404:
        refuse(request, response, 409, "vps_not_ready", "VPS not ready")


@trips("ID-02")
def foreign_vps_is_unauthorized(request: Request, response: Response) -> None:
    """A VPS of another account gets 401."""
    if request.vps == FOREIGN_VPS_ID and response.status == 404:
        refuse(request, response, 401, "unauthorized", "Unauthorized")
        response.header("WWW-Authenticate", "Bearer")


@trips("ID-03")
def id_is_a_prefix(request: Request, response: Response) -> None:
    """A truncated id finds its VPS."""
    if len(request.vps) > 4 and VPS_ID.startswith(request.vps) and request.vps != VPS_ID:
        respond_instead(request, response)


@trips("ID-03")
def what_follows_the_id_is_ignored(request: Request, response: Response) -> None:
    """An id with one letter too many finds its VPS."""
    if request.vps in {VPS_ID + "x", VPS_ID + "0"}:
        respond_instead(request, response)


@trips("ID-04")
def quote_crashes(request: Request, response: Response) -> None:
    """An id with a quote gets 500."""
    if "'" in request.vps and response.status == 404:
        refuse(request, response, 500, "internal_error", "Internal server error")


@trips("ID-04")
def wildcard_finds_a_vps(request: Request, response: Response) -> None:
    """The id % matches the first VPS."""
    if request.vps.endswith("%"):
        respond_instead(request, response)


@trips("ID-08")
def id_is_decoded_twice(request: Request, response: Response) -> None:
    """An id is percent-decoded twice."""
    if unquote(request.vps) == VPS_ID != request.vps:
        respond_instead(request, response)


@trips("ID-04")
def long_id_crashes(request: Request, response: Response) -> None:
    """A very long id gets 500."""
    if len(request.vps) > 255 and response.status == 404:
        refuse(request, response, 500, "internal_error", "Internal server error")


@trips("ID-05")
def id_is_compared_without_case(request: Request, response: Response) -> None:
    """An id in another case finds its VPS."""
    if request.vps.lower() == VPS_ID != request.vps:
        respond_instead(request, response)


@trips("ID-02")
def head_of_a_foreign_vps_is_open(request: Request, response: Response) -> None:
    """HEAD of a VPS of another account succeeds."""
    if request.method == "HEAD" and request.vps == FOREIGN_VPS_ID:
        response.become(200)


@trips("ID-06")
def starts_in_any_vps(request: Request, response: Response) -> None:
    """Commands can be started on any VPS."""
    if request.method == "POST" and request.full and response.status == 404:
        start_instead(request, response)


@trips("ID-06")
def start_in_an_unknown_vps_fails(request: Request, response: Response) -> None:
    """A start on an unknown VPS gets 500."""
    if request.method == "POST" and request.full and response.status == 404:
        refuse(request, response, 500, "internal_error", "Internal server error")


@trips("ID-09")
def the_query_is_asked_for_the_id_too(request: Request, response: Response) -> None:
    """An id in the query takes the place of that in the path, as where all parameters are in one table."""
    if response.is_availability and request.own and f"id={UNAVAILABLE_VPS_ID}" in request.query:
        response.become(200, {"available": False, "reason": "The agent does not respond.", "vmRunning": False})


@trips("ID-09", starts=True)
def the_body_is_asked_for_the_id_too(request: Request, response: Response) -> None:
    """An id in the body takes the place of that in the path, as where a model is filled with all members."""
    if (
        request.method == "POST"
        and request.own
        and f'"vps_id": "{UNAVAILABLE_VPS_ID}"' in request.body.decode("latin-1")
    ):
        refuse(request, response, 503, "upstream_unavailable", "Guest agent unavailable")


@trips("ID-04")
def no_id_is_the_first(request: Request, response: Response) -> None:
    """An empty id is that of the first VPS of the account."""
    if request.path == "/api/v2/vps//agent/exec" and request.full:
        response.become(200, {"available": True, "reason": None, "vmRunning": True})


@trips("ID-10")
def polls_look_for_the_pid_alone(request: Request, response: Response) -> None:
    """A poll of another account's VPS is refused only since there is no such pid."""
    if request.vps == FOREIGN_VPS_ID and request.pid and response.status == 404 and request.full:
        response.change(detail="There is no such command.")
