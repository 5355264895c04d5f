"""Variants of refusals: which status code, with which details."""

import re
from urllib.parse import unquote_plus

from faults.auth import AVAILABLE
from faults.probe import refuse
from hostup_conformance.mock import FOREIGN_VPS_ID, UNAVAILABLE_VPS_ID
from stage import Request, Response

from variants import allowed, invalid


@allowed()
def foreign_is_forbidden(request: Request, response: Response) -> None:
    """A VPS of another account gets 403."""
    if response.status == 404 and request.vps == FOREIGN_VPS_ID and request.path.endswith("/exec"):
        refuse(request, response, 403, "forbidden", "Forbidden")


@allowed()
def unknown_is_forbidden_too(request: Request, response: Response) -> None:
    """Any VPS that is not the caller's gets 403, whether or not it exists."""
    if (
        response.status == 404
        and not request.own
        and request.vps != UNAVAILABLE_VPS_ID
        and request.path.endswith("/exec")
    ):
        refuse(request, response, 403, "forbidden", "Forbidden")


@allowed()
def malformed_ids_are_bad_requests(request: Request, response: Response) -> None:
    """A malformed id gets 400."""
    if response.status == 404 and not re.fullmatch(r"vps_[0-9a-z]{26}", request.vps) and request.path.endswith("/exec"):
        invalid(request, response, "/id")


@allowed()
def malformed_pids_are_not_found(request: Request, response: Response) -> None:
    """A malformed pid gets 404."""
    if response.status == 400 and "pid=" in request.query:
        refuse(request, response, 404, "not_found", "Not found")


@allowed()
def empty_pid_is_none(request: Request, response: Response) -> None:
    """An empty pid counts as absent, and the last of several counts."""
    if request.full and request.own and request.method == "GET" and request.query == "pid=":
        response.become(200, AVAILABLE)
    if request.full and request.own and request.query.count("pid=") > 1 and not request.query.endswith("abc"):
        refuse(request, response, 404, "not_found", "Not found")


@allowed()
def gateway_responds_to_odd_paths(request: Request, response: Response) -> None:
    """Paths with odd characters get the gateway's own page."""
    if re.search(r"%(00|25|2f|ff)|\.\.", request.path, re.IGNORECASE) or len(request.path) > 1000:
        response.become(400, b"<html><center><h1>400 Bad Request</h1></center></html>", "text/html")


@allowed()
def redirects_dot_segments(request: Request, response: Response) -> None:
    """A path with dot segments is redirected to the one without."""
    if re.search(r"/(\.|%2e){1,2}/", request.path, re.IGNORECASE):
        response.become(301, b"", "text/html")
        response.header("Location", "/api/v2/agent/exec")


@allowed()
def malformed_credentials_are_bad_requests(request: Request, response: Response) -> None:
    """Another scheme than Bearer gets 400."""
    scheme = request.headers.get("authorization", "Bearer x").partition(" ")[0].lower()
    if response.status == 401 and scheme != "bearer":
        refuse(request, response, 400, "invalid_request", "Invalid request")


@allowed(warns={"PID-14"})
def pids_are_read_leniently(request: Request, response: Response) -> None:
    """A pid is whatever Python's int() accepts, or a whole number."""
    text = unquote_plus(request.query.removeprefix("pid="))
    try:
        number = int(float(text)) if "e" in text or "." in text else int(text)
        known = number == request.mock.running_pid and float(text.replace("_", "")).is_integer()
    except ValueError:
        return
    if known and response.status == 400 and request.full and request.own and request.method == "GET":
        response.become(200, {"exited": False})


@allowed()
def slash_at_the_end_is_welcome(request: Request, response: Response) -> None:
    """A trailing slash is redirected, and a double slash gets a page of the front end."""
    if request.path.endswith("/exec/"):
        response.become(308, b"", "text/html")
        response.header("Location", request.path.rstrip("/"))
    elif "//agent/" in request.path:
        response.become(404, b"<h1>404</h1>", "text/html")


@allowed()
def bodies_are_refused(request: Request, response: Response) -> None:
    """A page of the front end refuses a GET with a body, and a POST that claims to be a GET."""
    if (request.method == "GET" and request.body) or "x-http-method-override" in request.headers:
        response.become(400, b"<h1>Bad Request</h1>", "text/html")


@allowed()
def names_without_case(request: Request, response: Response) -> None:
    """The parameter's name is read without case and brackets; such a poll needs write:vm too."""
    if request.reading and re.match(r"PID=|pid%5B", request.query):
        refuse(request, response, 403, "forbidden", "Forbidden")


@allowed()
def keys_are_ascii(request: Request, response: Response) -> None:
    """A key that is not ASCII gets 400."""
    if not request.headers.get("authorization", "").isascii():
        refuse(request, response, 400, "invalid_request", "Invalid request")


@allowed()
def unknown_pids_are_bad_requests(request: Request, response: Response) -> None:
    """An unknown pid gets 400 without items in errors."""
    if response.status == 404 and request.full and request.own and request.pid:
        refuse(request, response, 400, "invalid_request", "Invalid request")


@allowed()
def what_does_not_accept_json_is_refused(request: Request, response: Response) -> None:
    """A request whose Accept names neither JSON nor anything that it is part of gets 406."""
    accept = request.headers.get("accept", "*/*")
    if "json" not in accept and "*/*" not in accept:
        response.become(406, b"<html><h1>406 Not Acceptable</h1></html>", "text/html")


@allowed()
def names_of_parameters_are_not_decoded(request: Request, response: Response) -> None:
    """A parameter whose name is percent-encoded is an unknown one, which is ignored."""
    if request.query.startswith("%70id=") and (request.reading or request.full) and request.own:
        response.become(200, AVAILABLE)


@allowed()
def refusals_of_others_name_a_desk(request: Request, response: Response) -> None:
    """The 403 for a VPS of another account names the id and whom to ask."""
    if response.is_problem and request.vps == FOREIGN_VPS_ID and request.full:
        refuse(request, response, 403, "forbidden", "Forbidden")
        response.change(detail=f"{request.vps} is not yours. Ask support@hostup.example.")
