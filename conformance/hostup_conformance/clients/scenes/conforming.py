"""Scenes in which the server behaves as documented, each in its own way."""

import gzip
import json
from typing import Any

from hostup_conformance.clients.scenes import (
    BASE_URL,
    THROUGH,
    Turn,
    add,
    problem,
    says,
    scene,
    sent,
    success,
    without,
)
from hostup_conformance.contract.paths import LONGEST_COMMAND
from hostup_conformance.http.scripted import Reply

add("well", "Everything goes well: the command runs for one poll, and has ended at the next.", completes=THROUGH)
add("ended-at-once", "The first poll finds the command ended.", "poll", completes=THROUGH, polls=0)
add("slow-command", "The command runs for three seconds.", "poll", completes=THROUGH, polls=2, runs=3.0)
add(
    "longer-command", "The command runs for eight seconds, of the 25 that there are.", "poll",
    completes=THROUGH, polls=2, runs=8.0,
)  # fmt: skip
add(
    "available-alone", "The response to the probe has `available` alone; all other members are optional.", "probe",
    completes=THROUGH, act=without("reason", "vmRunning"),
)  # fmt: skip
add(
    "slow-server", "Each response comes after more than two seconds.", completes=THROUGH, lasts=9.0,
    act=sent(delay=2.2),
)  # fmt: skip
add(
    "slower-server", "Each response comes after three seconds, of the four that there are; five polls find it running.",
    timeout=4.0, polls=5, act=sent(delay=3.0),
)  # fmt: skip
add(
    "drip", "Each body comes in ten pieces, within half a second.",
    completes=THROUGH, act=sent(pieces=10, pause=0.05),
)  # fmt: skip


@scene(completes=THROUGH)
def chunked(turn: Turn) -> Reply:
    """Bodies come in chunks with extensions (RFC 9112, 7.1), split within characters; names are in lower case."""
    reply = turn.right(stdout="åäö 日本\n")
    reply.chunked, reply.pieces, reply.translated, reply.extended = True, 7, True, True
    return reply


add(
    "without-length",
    "No response says how long it is, as in HTTP/1.0: each ends with its connection (RFC 9112, section 6.3).",
    completes=THROUGH, act=sent(until_close=True, old=True),
)  # fmt: skip


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
    """Every body of a success has members that the documentation does not name, also such as errors have."""
    reply = turn.right()
    more: dict[str, Any] = {"region": "se-1", "links": {"self": turn.path}, "count": 3, "cached": True, "guid": 7}
    more |= {"status": "ok", "code": "none", "message": "All is well.", "error": None, "errors": []}
    return success({"vmid": 101} | reply.response().json.value | more) if reply.status == 200 else reply


@scene(completes=THROUGH)
def json_without_blanks(turn: Turn) -> Reply:
    """JSON texts have no blanks between their parts, and the members are in another order."""
    reply = turn.right()
    members = dict(reversed(reply.response().json.value.items()))
    reply.body = json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode()
    return reply


@scene(completes=THROUGH)
def json_in_ascii(turn: Turn) -> Reply:
    r"""JSON texts are indented, and have escapes for slashes and all that is outside ASCII: \u00e5, \ud83d\ude00."""
    reply = turn.right(stdout="åäö 日本 😀 </b>\n")
    reply.body = json.dumps(reply.response().json.value, indent=2).replace("/", r"\/").encode()
    return reply


@scene(completes=THROUGH)
def other_header_fields(turn: Turn) -> Reply:
    """Header fields are in lower case, with no blank after the colon; a Link and an Alt-Svc lead to another host."""
    reply, other = turn.right(), turn.state.elsewhere
    more = [("vary", "accept"), ("x-request-id", "req_01hxa3b4c5d6e7f8g9h0j1k2m3"), ("set-cookie", "lb=1; path=/")]
    more += [("date", "Mon, 27 Apr 2026 12:34:56 GMT"), ("link", f'<{other}{turn.request.target}>; rel="next"')]
    more += [("alt-svc", f'http/1.1="{other.partition("://")[2]}"; ma=60')]
    media_type = [("content-type", f"{reply.response().media_type}; charset=utf-8")]
    reply.headers = [*more, *media_type, *(pair for pair in reply.headers if pair[0] != "Content-Type")]
    reply.translated, reply.tight = True, True
    return reply


add(
    "connection-closed-between",
    "After each response to a poll the server closes the connection, without having said so.", "poll",
    completes="CLIENT-34", polls=2, act=sent(after="close"),
)  # fmt: skip
for name, vps, words in (
    (
        "awkward-id", "vps:a//b c?d=e&f#g%41+\\h[1-3]{x,y}\tåe\u0301",
        "begins as a URL does, and has characters that must be percent-encoded: //, a backslash, [, {, a tab and more.",
    ),
    ("long-id", "vps_" + "01hxa3b4" * 15, "has 124 characters."),
    (
        "id-with-delimiters", "vps/a?c=d&e#f%41+g",
        "has a slash, a question mark, a number sign and a percent sign, but nothing that URLs forbid.",
    ),
    ("id-with-capitals", "VPS_01HxA3B4c5D6", "has letters of both cases."),
    ("id-with-blanks-around", " vps 1 ", "begins and ends with a blank."),
    ("id-with-delimiters-around", "/vps;1?", "begins with a slash, and ends with a question mark."),
):  # fmt: skip
    add(name, f"The VPS id {words}", completes=THROUGH, vps=vps)
add("base-url-with-slash", "The base URL ends with a slash.", completes=BASE_URL, below="/")
add(
    "base-url-with-path", "The base URL has a path, below which are the paths of the API.",
    completes=BASE_URL, below="/Gateway/hostup", act=without("pollUrl"),
)  # fmt: skip
add(
    "base-url-in-capitals", "The scheme and the host of the base URL have capitals.",
    completes=BASE_URL, origin="HTTP://LocalHost",
)  # fmt: skip
for name, certificate, words in (
    ("trusted-certificate", "right", "; SSL_CERT_FILE and the like name the CA that has issued its certificate."),
    ("self-signed-certificate", "self-signed", ", with a certificate that it has issued itself."),
    (
        "certificate-of-another-host", "wrong-name",
        ", with a certificate for other names, its own being its common name (CN) alone, of the CA in SSL_CERT_FILE.",
    ),
    (
        "expired-certificate", "expired",
        ", with a certificate that has expired, of the CA that SSL_CERT_FILE and the like name.",
    ),
    (
        "early-certificate", "early",
        ", with a certificate that is not valid yet, of the CA that SSL_CERT_FILE and the like name.",
    ),
):  # fmt: skip
    add(name, f"The server speaks TLS{words}", origin="https://localhost", certificate=certificate)
add(
    "https-in-capitals", "The base URL has capitals, and its server speaks TLS.",
    origin="HTTPS://LocalHost", certificate="right",
)  # fmt: skip
add(
    "certificate-of-no-address",
    "The base URL has an address in place of a name, and the server a certificate for names alone, of the CA that "
    "SSL_CERT_FILE and the like name.",
    origin="https://127.0.0.1", certificate="wrong-name",
)  # fmt: skip
add(
    "awkward-command",
    "The command has quotes, backslashes, one of them before a line end, line ends of Unix and of Windows, control "
    "characters, what patterns put in ($&), sudo and rm, characters outside ASCII, one of which is decomposed, spaces "
    "at its beginning, and line ends at its end.",
    "start",
    completes=THROUGH,
    command="  printf '%s\\n' \"a\\tb\" 'å e\u0301 日本 😀 \x1b[1m\x07\x7f' $HOME & `x` $& $1 $$ > /dev/null;"
    "\r\nsudo rm -rf \\\n  /tmp/x # ü \n\n",
)  # fmt: skip
add(
    "command-of-digits", "The command is a number.", "start", completes=THROUGH, command="0123",
)  # fmt: skip
add(
    "longest-command",
    "The command has 4096 characters, the most that are allowed, and twice as many bytes.", "start",
    completes=THROUGH, command="echo " + "å" * (LONGEST_COMMAND - 5),
)  # fmt: skip
add(
    "large-pid", "The pid is 4294967292, as a Windows guest may have it.", "poll",
    completes=THROUGH, pid=4294967292,
)  # fmt: skip
add(
    "no-poll-url", "The response to the start has the pid alone; pollUrl is optional.", "start",
    completes=THROUGH, act=without("pollUrl"),
)  # fmt: skip
add("no-pid", "The response to the start has pollUrl alone; pid is optional too.", "start", act=without("pid"))
add("null-pid", "The response to the start has a pollUrl, and a pid that is null.", "start", act=says(pid=None))
add(
    "neither-pid-nor-poll-url", "The response to the start has neither pid nor pollUrl; both are optional.", "start",
    act=without("pid", "pollUrl"),
)  # fmt: skip
for name, words, act in (
    ("unavailable", "Commands cannot be run, and the probe says why.", None),
    (
        "available-missing", "The probe does not say whether commands can be run: `available` is optional.",
        without("available", "reason", vmRunning=True),
    ),
    ("available-null", "The probe says that `available` is null.", says(available=None, vmRunning=True)),
    (
        "available-as-text", 'The probe says that `available` is the JSON string "false".',
        says(available="false", vmRunning=True),
    ),
):  # fmt: skip
    add(name, words, "probe", available=False, act=act)


@scene("probe", available=False)
def envelope(turn: Turn) -> Reply:
    """The probe's members are in an envelope, as in the older API, where nobody looks for them."""
    reply = turn.right(available=True, reason=None, vmRunning=True)
    return success({"success": True, "data": reply.response().json.value}) if reply.status == 200 else reply


@scene("poll", polls=10**6, timeout=4.0)
def poll_envelope(turn: Turn) -> Reply:
    """The output is in an envelope, as it was in the older API, and says that the command still runs."""
    return success({"success": True, "data": turn.right().response().json.value})


add("never-ends", "The command never ends.", "poll", timeout=4.0, polls=10**6, long=True)


@scene("poll")
def key_revoked(turn: Turn) -> Reply:
    """The key is revoked while the command runs: the first poll gets what it has printed so far, and each later one the
    status 401, which names a realm on another host."""
    if turn.nth == 1 and turn.right().status == 200:
        return success({"exited": False, "stdout": "begun\n", "stderr": ""})
    return problem(401, WWW_Authenticate=f'Bearer realm="{turn.state.elsewhere}/token", error="invalid_token"')
