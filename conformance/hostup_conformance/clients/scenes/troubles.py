"""Scenes in which something goes wrong: limits, errors, lost and broken responses, redirects, other origins."""

from __future__ import annotations

from email.utils import formatdate
from time import asctime, gmtime, strftime, time

from hostup_conformance.clients.scenes import One, Turn, problem, scene, scene_at, success
from hostup_conformance.contract.paths import VPSS
from hostup_conformance.http.scripted import Reply

BAD_GATEWAY = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n"
#: How many blanks follow a body that trickles, which is one byte of JSON (RFC 8259) every so many seconds.
BLANKS, TRICKLE = 400, 0.25
#: How long clients are asked to wait, in seconds.
WAIT = 2


def limits() -> dict[str, str]:
    """Return the header fields that come with a 429."""
    return {"X_RateLimit_Limit": "60", "X_RateLimit_Remaining": "0", "X_RateLimit_Reset": str(int(time()) + WAIT)}


@scene_at("probe", "start", "poll")
def rate_limited(turn: Turn, kind: One) -> Reply:
    """The first {kind} gets the status 429, and Retry-After: 2."""
    return problem(429, Retry_After=str(WAIT), **limits()) if turn.first(kind) else turn.right()


@scene_at("probe", "start", "poll")
def rate_limited_until(turn: Turn, kind: One) -> Reply:
    """The first {kind} gets the status 429, and a Retry-After that is a date, two to three seconds ahead."""
    date = formatdate(int(time()) + WAIT + 1, usegmt=True)
    return problem(429, Retry_After=date, **limits()) if turn.first(kind) else turn.right()


@scene_at("probe", "poll", timeout=4.0)
def always_limited(turn: Turn, kind: One) -> Reply:
    """Each {kind} gets the status 429, and Retry-After: 1."""
    return problem(429, Retry_After="1", **limits()) if turn.kind == kind else turn.right()


@scene("poll", timeout=4.0)
def poll_limited_for_no_time(turn: Turn) -> Reply:
    """Each poll gets the status 429, and Retry-After: 0."""
    return problem(429, Retry_After="0", **limits()) if turn.kind == "poll" else turn.right()


@scene("poll", timeout=4.0)
def poll_limited_for_a_negative_time(turn: Turn) -> Reply:
    """Each poll gets the status 429, and Retry-After: -1, which is not allowed."""
    return problem(429, Retry_After="-1", **limits()) if turn.kind == "poll" else turn.right()


@scene("poll")
def poll_limited_for_a_fraction(turn: Turn) -> Reply:
    """The first poll gets the status 429, and Retry-After: 1.5, which is not allowed."""
    return problem(429, Retry_After="1.5", **limits()) if turn.first("poll") else turn.right()


@scene("poll")
def poll_limited_until_yesterday(turn: Turn) -> Reply:
    """The first poll gets the status 429, and a Retry-After that is a date of the day before."""
    date = formatdate(time() - 86400, usegmt=True)
    return problem(429, Retry_After=date, **limits()) if turn.first("poll") else turn.right()


@scene("poll")
def poll_limited_until_a_date_of_rfc_850(turn: Turn) -> Reply:
    """The first poll gets the status 429, and a Retry-After that is a date in the form of RFC 850 (RFC 9110, 5.6.7)."""
    date = strftime("%A, %d-%b-%y %H:%M:%S GMT", gmtime(int(time()) + WAIT + 1))
    return problem(429, Retry_After=date, **limits()) if turn.first("poll") else turn.right()


@scene("poll")
def poll_limited_until_a_date_of_asctime(turn: Turn) -> Reply:
    """The first poll gets the status 429, and a Retry-After that is a date in the form of asctime (RFC 9110, 5.6.7)."""
    date = asctime(gmtime(int(time()) + WAIT + 1))
    return problem(429, Retry_After=date, **limits()) if turn.first("poll") else turn.right()


@scene_at("probe", "poll", timeout=4.0)
def limited_for_an_hour(turn: Turn, kind: One) -> Reply:
    """The first {kind} gets the status 429, and Retry-After: 3600."""
    return problem(429, Retry_After="3600", **limits()) if turn.first(kind) else turn.right()


@scene_at("probe", "start", "poll", timeout=4.0)
def limited_without_a_word(turn: Turn, kind: One) -> Reply:
    """The first three {kind}s get the status 429 without Retry-After."""
    return problem(429) if turn.kind == kind and turn.nth <= 3 else turn.right()


@scene_at("probe", "start", "poll")
def overloaded(turn: Turn, kind: One) -> Reply:
    """The first {kind} gets the status 503, and Retry-After: 2."""
    return problem(503, Retry_After=str(WAIT)) if turn.first(kind) else turn.right()


@scene_at("probe", "start", "poll", timeout=4.0)
def failing(turn: Turn, kind: One) -> Reply:
    """Each {kind} gets the status 500; a start that failed may have been carried out."""
    if turn.kind != kind:
        return turn.right()
    turn.right()
    return problem(500)


@scene_at("probe", "start", "poll")
def failing_once(turn: Turn, kind: One) -> Reply:
    """The first {kind} gets the status 500, although it was carried out."""
    reply = turn.right()
    return problem(500) if turn.first(kind) else reply


@scene_at("probe", "start", "poll")
def bad_gateway(turn: Turn, kind: One) -> Reply:
    """Each {kind} gets the status 502 with a page of HTML, from something in front of the server."""
    if turn.kind != kind:
        return turn.right()
    turn.right()
    return Reply(502, [("Content-Type", "text/html")], BAD_GATEWAY)


@scene("poll")
def poll_bad_gateway_once(turn: Turn) -> Reply:
    """The first poll gets the status 502 with a page of HTML; the command runs on, and later polls say so."""
    return Reply(502, [("Content-Type", "text/html")], BAD_GATEWAY) if turn.first("poll") else turn.right()


@scene_at("probe", "start", "poll")
def login_page(turn: Turn, kind: One) -> Reply:
    """Each {kind} gets the status 200 with a page of HTML."""
    if turn.kind != kind:
        return turn.right()
    page = b"<!doctype html><title>Sign in</title><form>available: true</form>\n"
    return Reply(200, [("Content-Type", "text/html; charset=utf-8")], page)


@scene_at("probe", "start", "poll")
def empty_body(turn: Turn, kind: One) -> Reply:
    """Each {kind} gets the status 200 without a body."""
    return Reply(200) if turn.kind == kind else turn.right()


@scene_at("probe", "start", "poll", timeout=4.0)
def broken_json(turn: Turn, kind: One) -> Reply:
    """Each {kind} gets the status 200 with the first half of a JSON text."""
    if turn.kind != kind:
        return turn.right()
    reply = turn.right()
    reply.body = reply.body[: len(reply.body) // 2]
    return reply


@scene_at("probe", "start", "poll", timeout=4.0)
def lost(turn: Turn, kind: One) -> Reply:
    """The {kind} is carried out, but the connection is closed without a response."""
    reply = turn.right()
    if turn.kind == kind and (kind != "poll" or turn.nth == 2):
        reply.cut, reply.after = -1, "close"
    return reply


@scene_at("probe", "start", "poll", timeout=4.0)
def reset(turn: Turn, kind: One) -> Reply:
    """The first {kind} is carried out, but the connection is reset without a response."""
    reply = turn.right()
    if turn.first(kind):
        reply.cut, reply.after = -1, "reset"
    return reply


@scene_at("probe", "start", "poll", timeout=4.0)
def torn(turn: Turn, kind: One) -> Reply:
    """The connection is closed in the middle of the body of the first response to a {kind}."""
    reply = turn.right()
    if turn.first(kind):
        reply.cut, reply.after = len(reply.sent) // 2, "close"
    return reply


@scene_at("start", "poll", timeout=4.0, long=True)
def unresponsive(turn: Turn, kind: One) -> Reply:
    """The {kind} is carried out, but gets no response."""
    reply = turn.right()
    if turn.kind == kind:
        reply.cut, reply.after = -1, "silence"
    return reply


@scene_at("probe", "start", "poll", timeout=4.0, long=True)
def trickling(turn: Turn, kind: One) -> Reply:
    """The body of each response to a {kind} comes byte by byte, and would take minutes."""
    reply = turn.right()
    if turn.kind == kind:
        reply.body += b" " * BLANKS
        reply.pieces, reply.pause = len(reply.body), TRICKLE
    return reply


@scene("probe", refused=True, timeout=4.0)
def connection_refused(turn: Turn) -> Reply:
    """Nothing listens at the base URL."""
    return turn.right()


@scene("poll", timeout=4.0)
def gone_after_the_start(turn: Turn) -> Reply:
    """Nothing listens any more once the command has been started, or polled for the first time."""
    reply = turn.right()
    reply.last = turn.kind in {"start", "poll"}
    return reply


@scene_at("probe", "start", "poll")
def redirected(turn: Turn, kind: One) -> Reply:
    """Each {kind} gets the status 307, with a Location on another host."""
    return elsewhere(turn, 307) if turn.kind == kind else turn.right()


@scene_at("probe", "start", "poll")
def found(turn: Turn, kind: One) -> Reply:
    """Each {kind} gets the status 302, with a Location on another host."""
    return elsewhere(turn, 302) if turn.kind == kind else turn.right()


def elsewhere(turn: Turn, status: int) -> Reply:
    """Return a redirect to the other origin."""
    return Reply(status, [("Location", turn.state.elsewhere + turn.request.target)])


@scene("start")
def poll_url_elsewhere(turn: Turn) -> Reply:
    """The response to the start has the pid, and a pollUrl on another host."""
    return started(turn, turn.state.elsewhere + f"{turn.path}?pid={turn.state.scene.pid}")


@scene("start")
def poll_url_without_scheme(turn: Turn) -> Reply:
    """The response to the start has the pid, and a pollUrl on another host that begins with two slashes."""
    target = f"{turn.path}?pid={turn.state.scene.pid}"
    return started(turn, turn.state.elsewhere.partition(":")[2] + target)


@scene("start")
def poll_url_of_the_console(turn: Turn) -> Reply:
    """The response to the start has the pid, and as pollUrl the path of the console, where a GET creates a session."""
    return started(turn, f"{VPSS}/{turn.state.scene.vps}/console?pid={turn.state.scene.pid}")


def started(turn: Turn, poll_url: str) -> Reply:
    """Return the right response; to a start, with this pollUrl."""
    return turn.right(pollUrl=poll_url) if turn.kind == "start" else turn.right()


@scene_at("probe", "start", "poll")
def bad_request(turn: Turn, kind: One) -> Reply:
    """Each {kind} gets the status 400."""
    return problem(400) if turn.kind == kind else turn.right()


@scene_at("probe", "start")
def unauthorized(turn: Turn, kind: One) -> Reply:
    """Each {kind} gets the status 401."""
    return problem(401, WWW_Authenticate="Bearer") if turn.kind == kind else turn.right()


@scene_at("probe", "start", "poll")
def forbidden(turn: Turn, kind: One) -> Reply:
    """Each {kind} gets the status 403."""
    return problem(403) if turn.kind == kind else turn.right()


@scene_at("probe", "start", "poll")
def not_found(turn: Turn, kind: One) -> Reply:
    """Each {kind} gets the status 404."""
    return problem(404) if turn.kind == kind else turn.right()


@scene_at("probe", "poll")
def error_without_a_body(turn: Turn, kind: One) -> Reply:
    """Each {kind} gets the status 403 without a body."""
    return Reply(403) if turn.kind == kind else turn.right()


@scene_at("probe", "poll")
def error_like_a_success(turn: Turn, kind: One) -> Reply:
    """Each {kind} gets the status 500, with the body of a success."""
    if turn.kind != kind:
        return turn.right()
    members = {"available": True} if kind == "probe" else {"exited": True, "exitCode": 0, "stdout": "not so\n"}
    reply = success(members)
    reply.status = 500
    return reply
