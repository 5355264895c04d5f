"""Scenes in which the server behaves as documented, each in its own way."""

from __future__ import annotations

import gzip
from typing import Any

from hostup_conformance.clients.scenes import THROUGH, Asked, problem, scene, success
from hostup_conformance.http.scripted import Reply


@scene(completes=THROUGH)
def well(asked: Asked) -> Reply:
    """Everything goes well: the command runs for one poll, and has ended at the next."""
    return asked.right()


@scene("poll", completes=THROUGH, polls=0)
def ended_at_once(asked: Asked) -> Reply:
    """The first poll finds the command ended."""
    return asked.right()


@scene("poll", completes=THROUGH, polls=2, runs=3.0)
def slow_command(asked: Asked) -> Reply:
    """The command runs for three seconds."""
    return asked.right()


@scene(completes=THROUGH)
def slow_server(asked: Asked) -> Reply:
    """Each response comes after a second."""
    reply = asked.right()
    reply.delay = 1.0
    return reply


@scene(completes=THROUGH)
def drip(asked: Asked) -> Reply:
    """Each body comes in ten pieces, within half a second."""
    reply = asked.right()
    reply.pieces, reply.pause = 10, 0.05
    return reply


@scene(completes=THROUGH)
def chunked(asked: Asked) -> Reply:
    """Bodies come in chunks (RFC 9112, section 7.1), split within characters."""
    reply = asked.right(stdout="åäö 日本\n")
    reply.chunked, reply.pieces = True, 7
    return reply


@scene(completes=THROUGH)
def compressed(asked: Asked) -> Reply:
    """Bodies are compressed for a client that says it accepts gzip."""
    reply = asked.right()
    if "gzip" in (asked.request.header("accept-encoding") or ""):
        reply.headers.append(("Content-Encoding", "gzip"))
        reply.coded = gzip.compress(reply.body)
    return reply


@scene(completes=THROUGH)
def unknown_members(asked: Asked) -> Reply:
    """Every body has members that the documentation does not name."""
    return asked.right(region="se-1", links={"self": asked.path}, count=3)


@scene(completes=THROUGH)
def other_header_fields(asked: Asked) -> Reply:
    """Names of header fields are in lower case, the media type has a charset, and there are unknown fields."""
    reply = asked.right()
    more = [("vary", "accept"), ("x-request-id", "req_01hxa3b4c5d6e7f8g9h0j1k2m3"), ("set-cookie", "lb=1; path=/")]
    media_type = [("content-type", f"{reply.response().media_type}; charset=utf-8")]
    reply.headers = [*more, *media_type, *(pair for pair in reply.headers if pair[0] != "Content-Type")]
    return reply


@scene("poll", completes="CLIENT-34", polls=2)
def connection_closed_between(asked: Asked) -> Reply:
    """After each response to a poll the server closes the connection, without having said so."""
    reply = asked.right()
    reply.after = "close" if asked.kind == "poll" else "keep"
    return reply


@scene(completes=THROUGH, vps="vps/a b?c=d&e#f%41+å")
def awkward_id(asked: Asked) -> Reply:
    """The VPS id has characters that must be percent-encoded in a path."""
    return asked.right()


@scene(completes=THROUGH, vps="vps/a?c=d&e#f%41+g")
def id_with_delimiters(asked: Asked) -> Reply:
    """The VPS id has a slash, a question mark, a number sign and a percent sign, but nothing that URLs forbid."""
    return asked.right()


@scene("start", completes=THROUGH, command="  printf '%s\\n' \"a\\tb\" 'å 日本 😀' $HOME & `x`\nexit 3 # ü ")
def awkward_command(asked: Asked) -> Reply:
    """The command has quotes, backslashes, a newline, characters outside ASCII, and spaces at both ends."""
    return asked.right()


@scene("poll", completes=THROUGH, pid=4294967292)
def large_pid(asked: Asked) -> Reply:
    """The pid is 4294967292, as a Windows guest may have it."""
    return asked.right()


@scene("start", completes=THROUGH)
def no_poll_url(asked: Asked) -> Reply:
    """The response to the start has the pid alone; pollUrl is optional."""
    return without(asked, "start", "pollUrl")


@scene("start")
def no_pid(asked: Asked) -> Reply:
    """The response to the start has pollUrl alone; pid is optional too."""
    return without(asked, "start", "pid")


@scene("start")
def neither_pid_nor_poll_url(asked: Asked) -> Reply:
    """The response to the start has neither pid nor pollUrl; both are optional."""
    return without(asked, "start", "pid", "pollUrl")


def without(asked: Asked, kind: str, *members: str) -> Reply:
    """Return the right response; for a kind of request, without some members."""
    reply = asked.right()
    if asked.kind != kind or reply.status != 200:
        return reply
    body: dict[str, Any] = dict(reply.response().json.value)
    return success({name: value for name, value in body.items() if name not in members})


@scene("probe", available=False)
def unavailable(asked: Asked) -> Reply:
    """Commands cannot be run, and the probe says why."""
    return asked.right()


@scene("probe", available=False)
def available_missing(asked: Asked) -> Reply:
    """The probe does not say whether commands can be run: `available` is optional."""
    return success({"vmRunning": True}) if asked.kind == "probe" else asked.right()


@scene("probe", available=False)
def available_null(asked: Asked) -> Reply:
    """The probe says that `available` is null."""
    return asked.right(available=None) if asked.kind == "probe" else asked.right()


@scene("probe", available=False)
def available_as_text(asked: Asked) -> Reply:
    """The probe says that `available` is the text "false"."""
    return asked.right(available="false") if asked.kind == "probe" else asked.right()


@scene("probe", available=False)
def envelope(asked: Asked) -> Reply:
    """The probe's members are in an envelope, as in the older API, and say that commands cannot be run."""
    if asked.kind == "probe" and (reply := asked.right()).status == 200:
        return success({"success": True, "data": reply.response().json.value})
    return asked.right()


@scene("poll", polls=10**6, timeout=4.0)
def poll_envelope(asked: Asked) -> Reply:
    """The output is in an envelope, as it was in the older API, and says that the command still runs."""
    reply = asked.right()
    return success({"success": True, "data": reply.response().json.value}) if asked.kind == "poll" else reply


@scene("poll", timeout=4.0, polls=10**6, long=True)
def never_ends(asked: Asked) -> Reply:
    """The command never ends, and HOSTUP_TIMEOUT is 4 seconds."""
    return asked.right()


@scene("poll", timeout=4.0, long=True)
def silence(asked: Asked) -> Reply:
    """No poll ever gets a response, and HOSTUP_TIMEOUT is 4 seconds."""
    reply = asked.right()
    if asked.kind == "poll":
        reply.cut, reply.after = -1, "silence"
    return reply


@scene("poll")
def key_revoked(asked: Asked) -> Reply:
    """The key is revoked while the command runs: each poll gets the status 401."""
    return problem(401) if asked.kind == "poll" else asked.right()
