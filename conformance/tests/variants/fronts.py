"""Variants of what stands in front of a server; `deployments/` has real ones."""

from __future__ import annotations

import re
from base64 import b64decode
from urllib.parse import unquote_plus

from faults.auth import AVAILABLE
from faults.probe import refuse
from hostup_conformance.mock import API_KEY, VPS_ID
from stage import Answered, Asked

from variants import allowed, is_ended

#: What a firewall takes for an attack, percent-decoded.
ATTACK = re.compile(r"['\x00{\[\ufffd\U0001f4a9]|\bOR\b|/\.\.|0x")


@allowed()
def paths_are_normalized(asked: Asked, answered: Answered) -> None:
    """An encoded slash and dot segments after the own id are removed, as by some front ends and routers."""
    if asked.vps in {f"{VPS_ID}/", f"{VPS_ID}/../{VPS_ID}"} and asked.full and asked.method == "GET":
        answered.become(200, AVAILABLE)


@allowed()
def ids_are_trimmed(asked: Asked, answered: Answered) -> None:
    """Blanks and a NUL after an id are ignored, as by some database collations."""
    if asked.vps.rstrip(" \0") == VPS_ID != asked.vps and asked.full and asked.method == "GET":
        answered.become(200, AVAILABLE)


@allowed(warns={"HTTP-08"})
def gateway_fails_once(asked: Asked, answered: Answered) -> None:
    """One request for another VPS gets 502, in HTML."""
    if asked.full and not asked.own and asked.method == "GET" and asked.nth("others") == 3:
        answered.become(502, b"<h1>502 Bad Gateway</h1>", "text/html")


@allowed(warns={"HTTP-08"})
def starts_with_503(asked: Asked, answered: Answered) -> None:
    """The first two requests get 503 without a body, and Retry-After."""
    if asked.nth() < 3:
        answered.become(503)
        answered.header("Retry-After", "0")


@allowed(warns={"HTTP-08"})
def cdn_cannot_reach_the_origin_once(asked: Asked, answered: Answered) -> None:
    """One request gets 522, with a problem document of the CDN's own."""
    if asked.nth() == 20:
        answered.become(
            522, {"type": "https://cdn.example/522", "title": "Timed out", "status": 522, "cause": "origin"}
        )


@allowed()
def connection_is_dropped_once(asked: Asked, answered: Answered) -> None:
    """One request on a kept connection gets no response, since the worker is replaced."""
    if asked.nth() == 20:
        answered.raw = []


@allowed()
def firewall_refuses_attacks(asked: Asked, answered: Answered) -> None:
    """What looks like an attack in the path or query gets 403 in HTML."""
    if ATTACK.search(unquote_plus(f"{asked.path}?{asked.query}")) or len(asked.path + asked.query) > 1024:
        answered.become(403, b"<h1>403 Forbidden</h1>", "text/html")


@allowed()
def front_end_refuses_odd_bytes(asked: Asked, answered: Answered) -> None:
    """A NUL, or bytes that are not UTF-8, in the path or query get 400 in HTML."""
    if re.search(r"%(00|ff)", asked.path + asked.query):
        answered.become(400, b"<h1>400 Bad Request</h1>", "text/html")


@allowed()
def control_characters_are_stripped(asked: Asked, answered: Answered) -> None:
    """A pid is read without its control characters."""
    if asked.full and asked.own and asked.pid == f"{asked.mock.running_pid}\0" and asked.method == "GET":
        answered.become(200, {"exited": False})


@allowed()
def trace_has_no_allow(asked: Asked, answered: Answered) -> None:
    """TRACE gets 405 without Allow, from the front end."""
    if asked.method == "TRACE":
        answered.become(405, b"<h1>405 Not Allowed</h1>", "text/html")


@allowed()
def trace_is_served(asked: Asked, answered: Answered) -> None:
    """TRACE repeats the request."""
    if asked.method == "TRACE":
        lines = [f"TRACE {asked.path} HTTP/1.1", *(f"{name}: {value}" for name, value in asked.headers.items())]
        answered.become(200, "\r\n".join(lines).encode(), "message/http")


@allowed()
def other_schemes_are_taken(asked: Asked, answered: Answered) -> None:
    """The right key is also accepted under Token, as the user name of Basic, and without a scheme."""
    scheme, _, value = asked.headers.get("authorization", "").rpartition(" ")
    user = b64decode(value + "==").partition(b":")[0].decode("latin-1") if scheme == "Basic" else value
    other = user == API_KEY and scheme in {"Basic", "Token", ""}
    if other and asked.own and not asked.pid and asked.method == "GET" and answered.status == 401:
        answered.become(200, AVAILABLE)


@allowed(warns={"HTTP-20"})
def long_lines_are_cut_off(asked: Asked, answered: Answered) -> None:
    """A request line of more than 4 KiB ends the connection."""
    if len(asked.path) + len(asked.query) > 4096:
        answered.raw = []


@allowed()
def ended_pids_are_gone(asked: Asked, answered: Answered) -> None:
    """A pid whose output was fetched gets 410."""
    if is_ended(answered):
        asked.memory["gone"] = asked.pid
    elif answered.status == 404 and asked.own and asked.pid and asked.pid == asked.memory.get("gone"):
        refuse(asked, answered, 410, "not_found", "Not found")


@allowed()
def unknown_pids_are_gone(asked: Asked, answered: Answered) -> None:
    """Any pid without a command gets 410, since the server does not know which were ever started."""
    if answered.status == 404 and asked.own and asked.pid:
        refuse(asked, answered, 410, "not_found", "Not found")


@allowed(warns={"HTTP-08"})
def ids_that_are_not_utf_8_fail(asked: Asked, answered: Answered) -> None:
    """The framework fails on an id that is not UTF-8, before the server's own code is asked."""
    if "\ufffd" in asked.vps and answered.status == 404:
        answered.become(500, "Internal Server Error")


@allowed()
def hexadecimal_is_understood(asked: Asked, answered: Answered) -> None:
    """A pid may be hexadecimal, as JavaScript reads numbers."""
    if asked.pid == hex(asked.mock.running_pid) and answered.status == 400 and asked.full and asked.own:
        answered.become(200, {"exited": False})


@allowed()
def get_with_content_is_cut_off(asked: Asked, answered: Answered) -> None:
    """A GET with content ends the connection, as RFC 9110 section 9.3.1 warns."""
    if asked.method == "GET" and asked.body:
        answered.raw = []


@allowed()
def bytes_above_127_are_no_http(asked: Asked, answered: Answered) -> None:
    """Bytes in a header field that are no UTF-8 are 400 without a body, before anything else is looked at."""
    if not asked.headers.get("authorization", "").isascii():
        answered.status, answered.headers, answered.body = 400, [], b""


@allowed()
def other_origins_are_forbidden(asked: Asked, answered: Answered) -> None:
    """A request from a page of another origin is 403 in plain text, as with Spring's CORS filter."""
    if "origin" in asked.headers:
        answered.become(403, b"Invalid CORS request", "text/plain")


@allowed()
def repeated_parameters_are_an_attack(asked: Asked, answered: Answered) -> None:
    """A firewall refuses a parameter that comes twice."""
    if asked.query.count("pid=") > 1:
        answered.become(403, b"<h1>403 Forbidden</h1>", "text/html")
