"""Scenes in which something goes wrong: limits, errors, lost and broken responses, redirects, other origins."""

from collections.abc import Callable
from dataclasses import replace
from email.utils import formatdate
from time import asctime, gmtime, strftime, time

from hostup_conformance.clients.scenes import Turn, add, problem, refuses, scene, sent, success
from hostup_conformance.clients.story import PATIENT, Act, TaskRequest
from hostup_conformance.contract.paths import VPSS
from hostup_conformance.http.scripted import Reply

LOGIN = b"<!doctype html><title>Sign in</title><form>available: true</form>\n"
#: How many bytes are added to what trickles (to a body, blanks: RFC 8259), one every so many seconds.
PADDING, TRICKLE = 400, 0.25
#: How long clients are asked to wait, in seconds; and for so long that counters of few bits overflow.
WAIT, WEEKS = 2, "2162688"


def limits(retry_after: str | Callable[[], str]) -> Act:
    """Return the act that responds with 429, and a Retry-After that may depend on the time."""

    def act(_turn: Turn) -> Reply:
        value = retry_after if isinstance(retry_after, str) else retry_after()
        limit = {"X_RateLimit_Limit": "60", "X_RateLimit_Remaining": "0", "X_RateLimit_Reset": str(int(time()) + WAIT)}
        return problem(429, Retry_After=value, **limit)

    return act


def rounded_up() -> int:
    """Return a time two to three seconds ahead, in whole seconds since 1970."""
    return int(time()) + WAIT + 1


add(
    "rate-limited", "The first {kind} gets the status 429, and Retry-After: 2.", "probe", "start", "poll",
    times=1, act=limits(str(WAIT)),
)  # fmt: skip
add(
    "poll-limited-in-lower-case",
    "The first poll gets the status 429 after a second and a half, and retry-after: 3, in lower case.", "poll",
    times=1, act=lambda turn: replace(limits("3")(turn), translated=True, delay=1.5),
)  # fmt: skip
add(
    "poll-limited-for-longer", "The first poll gets the status 429, and Retry-After: 11.", "poll",
    timeout=PATIENT, times=1, act=limits("11"),
)  # fmt: skip
add(
    "rate-limited-until",
    "The first {kind} gets the status 429, and a Retry-After that is a date, two to three seconds ahead.",
    "probe", "start", "poll",
    times=1, act=limits(lambda: formatdate(rounded_up(), usegmt=True)),
)  # fmt: skip
add(
    "always-limited", "Each {kind} gets the status 429, and Retry-After: 1.", "probe", "poll",
    timeout=4.0, act=limits("1"),
)  # fmt: skip
for name, words, form, facts in (
    ("for-no-time", "Each poll gets the status 429, and Retry-After: 0.", "0", {"timeout": 4.0}),
    (
        "for-a-negative-time", "Each poll gets the status 429, and Retry-After: -1, which is not allowed.",
        "-1", {"timeout": 4.0},
    ),
    (
        "for-a-fraction", "The first poll gets the status 429, and Retry-After: 1.5, which is not allowed.",
        "1.5", {"times": 1},
    ),
):  # fmt: skip
    add(f"poll-limited-{name}", words, "poll", act=limits(form), **facts)
for name, words, date in (
    ("yesterday", "of the day before", lambda: formatdate(time() - 86400, usegmt=True)),
    (
        "a-date-of-rfc-850", "in the form of RFC 850 (RFC 9110, 5.6.7)",
        lambda: strftime("%A, %d-%b-%y %H:%M:%S GMT", gmtime(rounded_up())),
    ),
    ("a-date-of-asctime", "in the form of asctime (RFC 9110, 5.6.7)", lambda: asctime(gmtime(rounded_up()))),
):  # fmt: skip
    words = f"The first poll gets the status 429, and a Retry-After that is a date {words}."
    add(f"poll-limited-until-{name}", words, "poll", times=1, act=limits(date))
add(
    "limited-for-weeks",
    f"The first {{kind}} gets the status 429, and Retry-After: {WEEKS}, which is 0 in 16 bits, and in "
    "milliseconds is negative in 32.",
    "probe", "poll",
    timeout=4.0, times=1, act=limits(WEEKS),
)  # fmt: skip
add(
    "limited-without-a-word", "The first three {kind}s get the status 429 without Retry-After.",
    "probe", "start", "poll",
    timeout=4.0, times=3, act=refuses(429),
)  # fmt: skip
add(
    "overloaded", "The first {kind} gets the status 503, and Retry-After: 2.", "probe", "start", "poll",
    times=1, act=refuses(503, Retry_After=str(WAIT)),
)  # fmt: skip


def fails(turn: Turn) -> Reply:
    """Carry the request out, and respond with 500, after which a start may not be sent again."""
    turn.right()
    return problem(500, Retry_After="1")


add(
    "failing", "Each {kind} gets the status 500, and Retry-After: 1; a start that failed may have been carried out.",
    "probe", "start", "poll",
    timeout=4.0, act=fails,
)  # fmt: skip
add(
    "failing-once", "The first {kind} gets the status 500, although it was carried out.", "probe", "start", "poll",
    times=1, act=fails,
)  # fmt: skip


@scene("probe", "start", "poll")
def bad_gateway(turn: Turn) -> Reply:
    """Each {kind} gets the status 502 with a page of HTML, from something in front of the server."""
    turn.right()
    return gateways_page(502, "Bad Gateway")


@scene("start", timeout=4.0)
def start_gateway_timeout(turn: Turn) -> Reply:
    """The start is carried out, and gets the status 504 with a page of HTML, from something in front of the server."""
    turn.right()
    return gateways_page(504, "Gateway Time-out")


def gateways_page(status: int, reason: str) -> Reply:
    """Return the page of a gateway that has no response."""
    text = f"{status} {reason}"
    return page(status, f"<html><head><title>{text}</title></head><body><h1>{text}</h1></body></html>\n".encode())


def page(status: int, html: bytes) -> Reply:
    """Return a page of HTML."""
    return Reply(status, [("Content-Type", "text/html; charset=utf-8")], html)


add(
    "poll-bad-gateway-once",
    "The first poll gets the status 502 with a page of HTML; the command runs on, and later polls say so.", "poll",
    times=1, act=lambda _turn: gateways_page(502, "Bad Gateway"),
)  # fmt: skip
add(
    "login-page", "Each {kind} gets the status 200 with a page of HTML.", "probe", "start", "poll",
    act=lambda _turn: page(200, LOGIN),
)  # fmt: skip
add(
    "empty-body", "Each {kind} gets the status 200 without a body.", "probe", "start", "poll",
    act=lambda _turn: Reply(200),
)  # fmt: skip


@scene("probe", "start", "poll", timeout=4.0)
def broken_json(turn: Turn) -> Reply:
    """Each {kind} gets the status 200 with the first half of a JSON text."""
    reply = turn.right()
    reply.body = reply.body[: len(reply.body) // 2]
    return reply


@scene("probe", "start", "poll", timeout=4.0)
def lost(turn: Turn) -> Reply:
    """The {kind} is carried out, but the connection is closed without a response."""
    reply = turn.right()
    if turn.kind != "poll" or turn.nth == 2:
        reply.cut, reply.after = -1, "close"
    return reply


add(
    "reset", "The first {kind} is carried out, but the connection is reset without a response.",
    "probe", "start", "poll",
    timeout=4.0, times=1, act=sent(cut=-1, after="reset"),
)  # fmt: skip


@scene("probe", "start", "poll", timeout=4.0, times=1)
def torn(turn: Turn) -> Reply:
    """The connection is closed in the middle of the body of the first response to a {kind}."""
    reply = turn.right()
    reply.cut, reply.after = len(reply.sent) // 2, "close"
    return reply


add(
    "unresponsive", "The {kind} is carried out, but gets no response.", "start", "poll",
    timeout=4.0, long=True, act=sent(cut=-1, after="silence"),
)  # fmt: skip


add(
    "start-late", "The start is carried out, and its response comes after eleven seconds, of the 25 that there are.",
    "start",
    timeout=PATIENT, act=sent(delay=11.0),
)  # fmt: skip


@scene("probe", "start", "poll", timeout=4.0, long=True)
def trickling(turn: Turn) -> Reply:
    """The body of each response to a {kind} comes byte by byte, and would take minutes."""
    reply = turn.right()
    reply.body += b" " * PADDING
    reply.pieces, reply.pause = len(reply.body), TRICKLE
    return reply


@scene("poll", timeout=4.0, long=True)
def poll_trickling_head(turn: Turn) -> Reply:
    """The header section of each response to a poll comes byte by byte, and would take minutes."""
    reply = turn.right()
    reply.headers.append(("X-Padding", "x" * PADDING))
    reply.split_head, reply.pieces, reply.pause = True, len(reply.head()) + len(reply.body), TRICKLE
    return reply


add("connection-refused", "Nothing listens at the base URL.", "probe", refused=True, timeout=4.0)
add(
    "gone-after-the-start",
    "Nothing listens any more once the command has been started, or polled for the first time.", "poll",
    timeout=4.0, refused_later=True,
)  # fmt: skip


def redirects(name: str, status: int, *kinds: TaskRequest) -> None:
    """Register scenes with a redirect to the other origin."""
    doc = f"Each {{kind}} gets the status {status}, with a Location on another host."
    add(name, doc, *kinds, act=lambda turn: Reply(status, [("Location", turn.state.elsewhere + turn.request.target)]))


redirects("redirected", 307, "probe", "start", "poll")
redirects("found", 302, "probe", "start", "poll")
redirects("moved", 308, "probe", "start", "poll")
redirects("moved-for-good", 301, "probe")


@scene("probe", "poll", origin="https://localhost", certificate="right")
def redirected_to_plain_text(turn: Turn) -> Reply:
    """The server speaks TLS, and each {kind} gets the status 302, with a Location on the same host, but with http:."""
    return Reply(302, [("Location", f"http://{turn.request.header('host')}{turn.request.target}")])


@scene("start", origin="https://localhost", certificate="right")
def plain_text_poll_url(turn: Turn) -> Reply:
    """The server speaks TLS, and the pollUrl is on the same host, but begins with http:."""
    return turn.right(pollUrl=f"http://{turn.request.header('host')}{turn.path}?pid={turn.state.scene.pid}")


@scene("start")
def poll_url_elsewhere(turn: Turn) -> Reply:
    """The response to the start has the pid, and a pollUrl on another host."""
    return turn.right(pollUrl=turn.state.elsewhere + f"{turn.path}?pid={turn.state.scene.pid}")


@scene("start")
def poll_url_with_a_user(turn: Turn) -> Reply:
    """The response to the start has the pid, and a pollUrl on another host that begins as the base URL does."""
    own, other = turn.request.header("host"), turn.state.elsewhere.partition("://")[2]
    return turn.right(pollUrl=f"http://{own}@{other}{turn.path}?pid={turn.state.scene.pid}")


@scene("start")
def poll_url_without_scheme(turn: Turn) -> Reply:
    """The response to the start has the pid, and a pollUrl on another host that begins with two slashes."""
    return turn.right(pollUrl=f"{turn.state.elsewhere.partition(':')[2]}{turn.path}?pid={turn.state.scene.pid}")


@scene("start")
def poll_url_of_the_console(turn: Turn) -> Reply:
    """The response to the start has the pid, and as pollUrl the path of the console, where a GET creates a session."""
    return turn.right(pollUrl=f"{VPSS}/{turn.state.scene.vps}/console?pid={turn.state.scene.pid}")


add("bad-request", "Each {kind} gets the status 400.", "probe", "start", "poll", act=refuses(400))
add(
    "unauthorized", "Each {kind} gets the status 401.", "probe", "start",
    act=refuses(401, WWW_Authenticate="Bearer"),
)  # fmt: skip
add("forbidden", "Each {kind} gets the status 403.", "probe", "start", "poll", act=refuses(403))
add("not-found", "Each {kind} gets the status 404.", "probe", "start", "poll", act=refuses(404))
add(
    "error-without-a-body", "Each {kind} gets the status 403 without a body.", "probe", "poll",
    act=lambda _turn: Reply(403),
)  # fmt: skip


@scene("probe", "poll")
def error_like_a_success(turn: Turn) -> Reply:
    """Each {kind} gets the status 500, with the body of a success."""
    members = {"available": True} if turn.kind == "probe" else {"exited": True, "exitCode": 0, "stdout": "not so\n"}
    reply = success(members)
    reply.status = 500
    return reply
