"""Variants of what stands in front of a server; `deployments/` has real ones."""

import re
from base64 import b64decode
from urllib.parse import unquote_plus

from faults.auth import AVAILABLE
from faults.probe import refuse
from hostup_conformance.mock import API_KEY, VPS_ID
from stage import Request, Response

from variants import allowed, is_ended

#: What a firewall takes for an attack, percent-decoded.
ATTACK = re.compile(r"['\x00{\[\ufffd\U0001f4a9]|\bOR\b|/\.\.|0x")


@allowed()
def paths_are_normalized(request: Request, response: Response) -> None:
    """An encoded slash and dot segments after the own id are removed, as by some front ends and routers."""
    if request.vps in {f"{VPS_ID}/", f"{VPS_ID}/../{VPS_ID}"} and request.full and request.method == "GET":
        response.become(200, AVAILABLE)


@allowed()
def ids_are_trimmed(request: Request, response: Response) -> None:
    """Blanks and a NUL after an id are ignored, as by some database collations."""
    if request.vps.rstrip(" \0") == VPS_ID != request.vps and request.full and request.method == "GET":
        response.become(200, AVAILABLE)


@allowed()
def monitors_are_told_that_all_is_well(request: Request, response: Response) -> None:
    """A load balancer tells what looks like a monitor that all is well, whatever it asks for."""
    if request.headers.get("user-agent", "").startswith("kube-probe"):
        response.become(200, b"ok\n", "text/plain")


@allowed(warns={"HTTP-08"})
def gateway_fails_once(request: Request, response: Response) -> None:
    """One request for another VPS gets 502, in HTML."""
    if request.full and not request.own and request.method == "GET" and request.nth("others") == 3:
        response.become(502, b"<h1>502 Bad Gateway</h1>", "text/html")


@allowed(warns={"HTTP-08"})
def starts_with_503(request: Request, response: Response) -> None:
    """The first two requests get 503 without a body, and Retry-After."""
    if request.nth() < 3:
        response.become(503)
        response.header("Retry-After", "0")


@allowed(warns={"HTTP-08"})
def cdn_cannot_reach_the_origin_once(request: Request, response: Response) -> None:
    """One request gets 522, with a problem document of the CDN's own."""
    if request.nth() == 20:
        response.become(
            522, {"type": "https://cdn.example/522", "title": "Timed out", "status": 522, "cause": "origin"}
        )


@allowed()
def connection_is_dropped_once(request: Request, response: Response) -> None:
    """One request on a kept connection gets no response, since the worker is replaced."""
    if request.nth() == 20:
        response.raw = []


@allowed()
def firewall_refuses_attacks(request: Request, response: Response) -> None:
    """What looks like an attack in the path or query gets 403 in HTML."""
    if ATTACK.search(unquote_plus(f"{request.path}?{request.query}")) or len(request.path + request.query) > 1024:
        response.become(403, b"<h1>403 Forbidden</h1>", "text/html")


@allowed()
def front_end_refuses_odd_bytes(request: Request, response: Response) -> None:
    """A NUL, or bytes that are not UTF-8, in the path or query get 400 in HTML."""
    if re.search(r"%(00|ff)", request.path + request.query):
        response.become(400, b"<h1>400 Bad Request</h1>", "text/html")


@allowed()
def control_characters_are_stripped(request: Request, response: Response) -> None:
    """A pid is read without its control characters."""
    if request.full and request.own and request.pid == f"{request.mock.running_pid}\0" and request.method == "GET":
        response.become(200, {"exited": False})


@allowed()
def trace_has_no_allow(request: Request, response: Response) -> None:
    """TRACE gets 405 without Allow, from the front end."""
    if request.method == "TRACE":
        response.become(405, b"<h1>405 Not Allowed</h1>", "text/html")


@allowed()
def trace_is_served(request: Request, response: Response) -> None:
    """TRACE repeats the request."""
    if request.method == "TRACE":
        lines = [f"TRACE {request.path} HTTP/1.1", *(f"{name}: {value}" for name, value in request.headers.items())]
        response.become(200, "\r\n".join(lines).encode(), "message/http")


@allowed()
def other_schemes_are_taken(request: Request, response: Response) -> None:
    """The right key is also accepted under Token, as the user name of Basic, and without a scheme."""
    scheme, _, value = request.headers.get("authorization", "").rpartition(" ")
    user = b64decode(value + "==").partition(b":")[0].decode("latin-1") if scheme == "Basic" else value
    other = user == API_KEY and scheme in {"Basic", "Token", ""}
    if other and request.own and not request.pid and request.method == "GET" and response.status == 401:
        response.become(200, AVAILABLE)


@allowed(warns={"HTTP-20"})
def long_lines_are_cut_off(request: Request, response: Response) -> None:
    """A request line of more than 4 KiB ends the connection."""
    if len(request.path) + len(request.query) > 4096:
        response.raw = []


@allowed()
def ended_pids_are_gone(request: Request, response: Response) -> None:
    """A pid whose output was fetched gets 410."""
    if is_ended(response):
        request.memory["gone"] = request.pid
    elif response.status == 404 and request.own and request.pid and request.pid == request.memory.get("gone"):
        refuse(request, response, 410, "not_found", "Not found")


@allowed()
def unknown_pids_are_gone(request: Request, response: Response) -> None:
    """Any pid without a command gets 410, since the server does not know which were ever started."""
    if response.status == 404 and request.own and request.pid:
        refuse(request, response, 410, "not_found", "Not found")


@allowed(warns={"HTTP-08"})
def ids_that_are_not_utf_8_fail(request: Request, response: Response) -> None:
    """The framework fails on an id that is not UTF-8, before the server's own code is asked."""
    if "\ufffd" in request.vps and response.status == 404:
        response.become(500, "Internal Server Error")


@allowed(warns={"PID-14"})
def hexadecimal_is_understood(request: Request, response: Response) -> None:
    """A pid may be hexadecimal, as JavaScript reads numbers."""
    if request.pid == hex(request.mock.running_pid) and response.status == 400 and request.full and request.own:
        response.become(200, {"exited": False})


@allowed()
def get_with_content_is_cut_off(request: Request, response: Response) -> None:
    """A GET with content ends the connection, as RFC 9110 section 9.3.1 warns."""
    if request.method == "GET" and request.body:
        response.raw = []


@allowed()
def bytes_above_127_are_no_http(request: Request, response: Response) -> None:
    """Bytes in a header field that are no UTF-8 are 400 without a body, before anything else is looked at."""
    if not request.headers.get("authorization", "").isascii():
        response.status, response.headers, response.body = 400, [], b""


@allowed()
def other_origins_are_forbidden(request: Request, response: Response) -> None:
    """A request from a page of another origin is 403 in plain text, as with Spring's CORS filter."""
    if "origin" in request.headers:
        response.become(403, b"Invalid CORS request", "text/plain")


@allowed()
def repeated_parameters_are_an_attack(request: Request, response: Response) -> None:
    """A firewall refuses a parameter that comes twice."""
    if request.query.count("pid=") > 1:
        response.become(403, b"<h1>403 Forbidden</h1>", "text/html")


@allowed()
def the_page_of_a_long_url_is_labelled_as_json(request: Request, response: Response) -> None:
    """A front end labels every error as JSON, even the page of the server behind it for a URL that is too long."""
    if len(request.query) > 4000:
        response.become(414, b"<h1>URI Too Long</h1>")


@allowed()
def half_an_escape_is_dropped(request: Request, response: Response) -> None:
    """The framework drops a parameter with half an escape, as Go's does, so that the request is a probe."""
    if request.full and request.own and request.query == "pid=%":
        response.become(200, AVAILABLE)


@allowed()
def half_an_escape_gets_nothing(request: Request, response: Response) -> None:
    """The library cannot read a query with half an escape, and sends a 200 without a body, as Jetty's for the JDK's."""
    if request.query == "pid=%":
        response.become(200)
