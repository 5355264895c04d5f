"""Scenes in which the server behaves as documented, each in its own way."""

from __future__ import annotations

import gzip
from typing import Any

from hostup_conformance.clients.scenes import BASE_URL, THROUGH, Turn, problem, scene, success
from hostup_conformance.contract.paths import LONGEST_COMMAND
from hostup_conformance.http.scripted import Reply


@scene(completes=THROUGH)
def well(turn: Turn) -> Reply:
    """Everything goes well: the command runs for one poll, and has ended at the next."""
    return turn.right()


@scene("poll", completes=THROUGH, polls=0)
def ended_at_once(turn: Turn) -> Reply:
    """The first poll finds the command ended."""
    return turn.right()


@scene("poll", completes=THROUGH, polls=2, runs=3.0)
def slow_command(turn: Turn) -> Reply:
    """The command runs for three seconds."""
    return turn.right()


@scene("poll", completes=THROUGH, polls=2, runs=8.0)
def longer_command(turn: Turn) -> Reply:
    """The command runs for eight seconds, of the 25 that there are."""
    return turn.right()


@scene("probe", completes=THROUGH)
def available_alone(turn: Turn) -> Reply:
    """The response to the probe has `available` alone; all other members are optional."""
    return without(turn, "probe", "reason", "vmRunning")


@scene(completes=THROUGH)
def slow_server(turn: Turn) -> Reply:
    """Each response comes after a second."""
    reply = turn.right()
    reply.delay = 1.0
    return reply


@scene(completes=THROUGH)
def drip(turn: Turn) -> Reply:
    """Each body comes in ten pieces, within half a second."""
    reply = turn.right()
    reply.pieces, reply.pause = 10, 0.05
    return reply


@scene(completes=THROUGH)
def chunked(turn: Turn) -> Reply:
    """Bodies come in chunks (RFC 9112, section 7.1), split within characters."""
    reply = turn.right(stdout="åäö 日本\n")
    reply.chunked, reply.pieces = True, 7
    return reply


@scene(completes=THROUGH)
def without_length(turn: Turn) -> Reply:
    """No response says how long it is: each ends with its connection (RFC 9112, section 6.3)."""
    reply = turn.right()
    reply.until_close = True
    return reply


@scene(completes=THROUGH)
def compressed(turn: Turn) -> Reply:
    """Bodies are compressed for a client that says it accepts gzip."""
    reply = turn.right()
    if "gzip" in (turn.request.header("accept-encoding") or ""):
        reply.headers.append(("Content-Encoding", "gzip"))
        reply.coded = gzip.compress(reply.body)
    return reply


@scene(completes=THROUGH)
def unknown_members(turn: Turn) -> Reply:
    """Every body has members that the documentation does not name."""
    return turn.right(region="se-1", links={"self": turn.path}, count=3)


@scene(completes=THROUGH)
def other_header_fields(turn: Turn) -> Reply:
    """Names of header fields are in lower case, the media type has a charset, and there are unknown fields."""
    reply = turn.right()
    more = [("vary", "accept"), ("x-request-id", "req_01hxa3b4c5d6e7f8g9h0j1k2m3"), ("set-cookie", "lb=1; path=/")]
    media_type = [("content-type", f"{reply.response().media_type}; charset=utf-8")]
    reply.headers = [*more, *media_type, *(pair for pair in reply.headers if pair[0] != "Content-Type")]
    return reply


@scene("poll", completes="CLIENT-34", polls=2)
def connection_closed_between(turn: Turn) -> Reply:
    """After each response to a poll the server closes the connection, without having said so."""
    reply = turn.right()
    reply.after = "close" if turn.kind == "poll" else "keep"
    return reply


@scene(completes=THROUGH, vps="vps/a b?c=d&e#f%41+å")
def awkward_id(turn: Turn) -> Reply:
    """The VPS id has characters that must be percent-encoded in a path."""
    return turn.right()


@scene(completes=THROUGH, vps="vps/a?c=d&e#f%41+g")
def id_with_delimiters(turn: Turn) -> Reply:
    """The VPS id has a slash, a question mark, a number sign and a percent sign, but nothing that URLs forbid."""
    return turn.right()


@scene(completes=THROUGH, vps="VPS_01HxA3B4c5D6")
def id_with_capitals(turn: Turn) -> Reply:
    """The VPS id has letters of both cases."""
    return turn.right()


@scene(completes=THROUGH, vps=" vps 1 ")
def id_with_blanks_around(turn: Turn) -> Reply:
    """The VPS id begins and ends with a blank."""
    return turn.right()


@scene(completes=THROUGH, vps="/vps;1?")
def id_with_delimiters_around(turn: Turn) -> Reply:
    """The VPS id begins with a slash, and ends with a question mark."""
    return turn.right()


@scene(completes=BASE_URL, below="/")
def base_url_with_slash(turn: Turn) -> Reply:
    """The base URL ends with a slash."""
    return turn.right()


@scene(completes=BASE_URL, below="/Gateway/hostup")
def base_url_with_path(turn: Turn) -> Reply:
    """The base URL has a path, below which are the paths of the API."""
    return without(turn, "start", "pollUrl")


@scene(completes=BASE_URL, origin="HTTP://LocalHost")
def base_url_in_capitals(turn: Turn) -> Reply:
    """The scheme and the host of the base URL have capitals."""
    return turn.right()


@scene(origin="https://localhost", certificate="right")
def trusted_certificate(turn: Turn) -> Reply:
    """The server speaks TLS; SSL_CERT_FILE and the like name the CA that has issued its certificate."""
    return turn.right()


@scene(origin="https://localhost", certificate="self-signed")
def self_signed_certificate(turn: Turn) -> Reply:
    """The server speaks TLS, with a certificate that it has issued itself."""
    return turn.right()


@scene(origin="https://localhost", certificate="wrong-name")
def certificate_of_another_host(turn: Turn) -> Reply:
    """The server speaks TLS, with a certificate for another host, of the CA that SSL_CERT_FILE and the like name."""
    return turn.right()


@scene(origin="https://localhost", certificate="expired")
def expired_certificate(turn: Turn) -> Reply:
    """The server speaks TLS, with a certificate that has expired, of the CA that SSL_CERT_FILE and the like name."""
    return turn.right()


@scene("start", completes=THROUGH, command="  printf '%s\\n' \"a\\tb\" 'å 日本 😀' $HOME & `x`\nexit 3 # ü ")
def awkward_command(turn: Turn) -> Reply:
    """The command has quotes, backslashes, a newline, characters outside ASCII, and spaces at both ends."""
    return turn.right()


@scene("start", completes=THROUGH, command="echo " + "å" * (LONGEST_COMMAND - 5))
def longest_command(turn: Turn) -> Reply:
    """The command has 4096 characters, the most that are allowed, and twice as many bytes."""
    return turn.right()


@scene("poll", completes=THROUGH, pid=4294967292)
def large_pid(turn: Turn) -> Reply:
    """The pid is 4294967292, as a Windows guest may have it."""
    return turn.right()


@scene("start", completes=THROUGH)
def no_poll_url(turn: Turn) -> Reply:
    """The response to the start has the pid alone; pollUrl is optional."""
    return without(turn, "start", "pollUrl")


@scene("start")
def no_pid(turn: Turn) -> Reply:
    """The response to the start has pollUrl alone; pid is optional too."""
    return without(turn, "start", "pid")


@scene("start")
def neither_pid_nor_poll_url(turn: Turn) -> Reply:
    """The response to the start has neither pid nor pollUrl; both are optional."""
    return without(turn, "start", "pid", "pollUrl")


def without(turn: Turn, kind: str, *members: str) -> Reply:
    """Return the right response; for a kind of request, without some members."""
    reply = turn.right()
    if turn.kind != kind or reply.status != 200:
        return reply
    body: dict[str, Any] = dict(reply.response().json.value)
    return success({name: value for name, value in body.items() if name not in members})


@scene("probe", available=False)
def unavailable(turn: Turn) -> Reply:
    """Commands cannot be run, and the probe says why."""
    return turn.right()


@scene("probe", available=False)
def available_missing(turn: Turn) -> Reply:
    """The probe does not say whether commands can be run: `available` is optional."""
    return success({"vmRunning": True}) if turn.kind == "probe" else turn.right()


@scene("probe", available=False)
def available_null(turn: Turn) -> Reply:
    """The probe says that `available` is null."""
    return turn.right(available=None) if turn.kind == "probe" else turn.right()


@scene("probe", available=False)
def available_as_text(turn: Turn) -> Reply:
    """The probe says that `available` is the JSON string "false"."""
    return turn.right(available="false") if turn.kind == "probe" else turn.right()


@scene("probe", available=False)
def envelope(turn: Turn) -> Reply:
    """The probe's members are in an envelope, as in the older API, and say that commands cannot be run."""
    if turn.kind == "probe" and (reply := turn.right()).status == 200:
        return success({"success": True, "data": reply.response().json.value})
    return turn.right()


@scene("poll", polls=10**6, timeout=4.0)
def poll_envelope(turn: Turn) -> Reply:
    """The output is in an envelope, as it was in the older API, and says that the command still runs."""
    reply = turn.right()
    return success({"success": True, "data": reply.response().json.value}) if turn.kind == "poll" else reply


@scene("poll", timeout=4.0, polls=10**6, long=True)
def never_ends(turn: Turn) -> Reply:
    """The command never ends."""
    return turn.right()


@scene("poll", timeout=4.0, long=True)
def silence(turn: Turn) -> Reply:
    """No poll ever gets a response."""
    reply = turn.right()
    if turn.kind == "poll":
        reply.cut, reply.after = -1, "silence"
    return reply


@scene("poll")
def key_revoked(turn: Turn) -> Reply:
    """The key is revoked while the command runs: each poll gets the status 401."""
    return problem(401) if turn.kind == "poll" else turn.right()
