"""Faults of scopes."""

import json
import re

from stage import Request, Response

from faults import trips
from faults.probe import refuse, start_instead


@trips("SCOPE-01")
def probe_needs_write(request: Request, response: Response) -> None:
    """The probe is refused to a key with read:vm alone."""
    if response.is_availability and request.reading:
        refuse(request, response, 403, "forbidden", "Forbidden")


@trips("SCOPE-01")
def probe_of_an_unavailable_vps_needs_write(request: Request, response: Response) -> None:
    """The probe of a VPS without an agent is refused to a key with read:vm alone."""
    if response.is_availability and request.reading and not request.own:
        refuse(request, response, 403, "forbidden", "Forbidden")


@trips("SCOPE-02")
def reading_is_enough_to_poll(request: Request, response: Response) -> None:
    """A poll with read:vm alone gets the state without the output."""
    if response.status == 403 and request.reading and request.pid == str(request.mock.running_pid):
        response.become(200, {"exited": False})


@trips("SCOPE-02")
def one_of_two_versions_knows_no_scope(request: Request, response: Response) -> None:
    """Every second poll with read:vm alone, as one of two versions that take turns, gets the state."""
    polls = response.status == 403 and request.reading and request.pid == str(request.mock.running_pid)
    if polls and request.nth("polls") % 2 == 0:
        response.become(200, {"exited": False})


@trips("SCOPE-02")
def lack_of_scope_is_not_found(request: Request, response: Response) -> None:
    """A poll with read:vm alone gets 404."""
    if response.status == 403 and request.reading:
        refuse(request, response, 404, "not_found", "Not found")


@trips("SCOPE-02")
def lack_of_scope_is_a_bad_request(request: Request, response: Response) -> None:
    """A poll with read:vm alone gets 400."""
    if response.status == 403 and request.reading:
        refuse(request, response, 400, "invalid_request", "Invalid request")
        response.change(errors=[{"pointer": "/pid", "detail": "no", "code": "invalid_request"}])


@trips("SCOPE-02")
def lack_of_scope_is_unauthorized(request: Request, response: Response) -> None:
    """A poll with read:vm alone gets 401, as if its key were unknown."""
    if response.status == 403 and request.reading:
        refuse(request, response, 401, "unauthorized", "Unauthorized")
        response.header("WWW-Authenticate", "Bearer")


@trips("SCOPE-03")
def head_of_a_poll_is_open(request: Request, response: Response) -> None:
    """HEAD of a poll succeeds with read:vm alone."""
    if request.method == "HEAD" and request.reading:
        response.become(200)


@trips("SCOPE-04")
def reading_is_enough_to_start(request: Request, response: Response) -> None:
    """A key with read:vm alone may start commands."""
    if request.method == "POST" and response.status == 403:
        start_instead(request, response)


RUNNING = {"exited": False}


def reads_round(request: Request, response: Response) -> bool:
    """Whether it is a request by the key with read:vm alone that got no output, and no 401."""
    return request.reading and response.status != 401 and not response.is_output


@trips("SCOPE-05")
def text_needs_no_scope(request: Request, response: Response) -> None:
    """What is not asked for as JSON goes another way, which has no check of the scope."""
    if (
        reads_round(request, response)
        and "pid" in request.query
        and "json" not in request.headers.get("accept", "json")
    ):
        response.become(200, RUNNING)


@trips("SCOPE-05")
def conditions_need_no_scope(request: Request, response: Response) -> None:
    """What is asked for on a condition goes round the check of the scope."""
    if request.reading and "pid" in request.query and "if-none-match" in request.headers:
        response.become(200, RUNNING)


def show_failures_to_readers(request: Request, response: Response, code: int) -> None:
    """Let a key with read:vm alone poll the program that does not exist, and tell that it has ended with a code."""
    failed = request.memory.setdefault("failed", set())
    if response.is_started and "no-such-program" in json.loads(request.body)["command"]:
        failed.add(str(response.json["pid"]))
    elif request.reading and request.pid in failed:
        response.become(200, {"exited": True, "exitCode": code, "stdout": "", "stderr": ""})


@trips("SCOPE-02", starts=True)
def scope_is_not_asked_where_nothing_was_printed(request: Request, response: Response) -> None:
    """The scope is checked for output that is not empty alone."""
    show_failures_to_readers(request, response, 0)


@trips("SCOPE-05")
def scope_looks_at_the_first_pid(request: Request, response: Response) -> None:
    """The scope is checked for the first pid, and the last one is polled."""
    if reads_round(request, response) and request.query.startswith("pid=&pid="):
        response.become(200, RUNNING)


@trips("SCOPE-05")
def names_are_compared_without_case(request: Request, response: Response) -> None:
    """The framework accepts PID as pid, but the check of the scope does not."""
    if reads_round(request, response) and request.query.startswith("PID="):
        response.become(200, RUNNING)


@trips("SCOPE-05")
def scope_depends_on_the_form_of_the_pid(request: Request, response: Response) -> None:
    """The check of the scope takes for a pid what has no zero before it, and the endpoint any number."""
    if request.reading and re.fullmatch("pid=0[0-9]+", request.query):
        response.become(200, RUNNING)


@trips("SCOPE-05")
def scope_looks_at_the_first_parameter(request: Request, response: Response) -> None:
    """The check of the scope takes a query for a poll's only if it begins with pid."""
    if request.reading and request.query.startswith("x=1&pid="):
        response.become(200, RUNNING)


@trips("SCOPE-05")
def pid_comes_from_the_body_too(request: Request, response: Response) -> None:
    """A pid in a form is polled without a check of the scope."""
    if reads_round(request, response) and request.body.startswith(b"pid="):
        response.become(200, RUNNING)


@trips("SCOPE-05")
def scope_depends_on_the_method(request: Request, response: Response) -> None:
    """The method is overridden after the scope is checked."""
    if reads_round(request, response) and "x-http-method-override" in request.headers and request.method == "POST":
        response.become(200, RUNNING)


@trips("SCOPE-05")
def scope_depends_on_the_path(request: Request, response: Response) -> None:
    """The scope is not checked if the path has a trailing slash."""
    if reads_round(request, response) and request.path.endswith("/exec/"):
        response.become(200, RUNNING)


@trips("SCOPE-05")
def scope_depends_on_the_case_of_the_path(request: Request, response: Response) -> None:
    """The path is routed without its case, but the scope is checked for the documented one."""
    if request.reading and request.path.endswith("/Agent/Exec"):
        response.become(200, RUNNING)


@trips("SCOPE-05")
def scope_depends_on_how_the_path_is_encoded(request: Request, response: Response) -> None:
    """The scope is checked before the path is decoded."""
    if request.reading and "%65xec" in request.path:
        response.become(200, RUNNING)


@trips("SCOPE-05")
def pid_comes_from_a_json_body_too(request: Request, response: Response) -> None:
    """A pid in a JSON object is polled without a check of the scope."""
    if reads_round(request, response) and request.body.startswith(b'{"pid"'):
        response.become(200, RUNNING)


@trips("SCOPE-05", starts=True)
def get_becomes_a_start(request: Request, response: Response) -> None:
    """The method is overridden after the scope is checked, and a key with read:vm alone starts a command."""
    if request.reading and request.method == "GET" and request.body and "x-http-method-override" in request.headers:
        start_instead(request, response)


@trips("SCOPE-02", starts=True)
def failures_are_for_everybody(request: Request, response: Response) -> None:
    """What failed is shown as an incident, to whoever may read."""
    show_failures_to_readers(request, response, 127)
