"""CLIENT: the form of the requests."""

import re
from typing import Any

from hostup_conformance.clients.rules import Findings, difference, rule
from hostup_conformance.clients.scenes import SCENES
from hostup_conformance.clients.story import Story, got_200, pids_of
from hostup_conformance.contract.paths import ENDPOINT, resource_of
from hostup_conformance.http.incoming import CUT
from hostup_conformance.http.json_text import read_json
from hostup_conformance.keeping.safe_text import counted, split_url, visible

#: From how many characters on only the place is shown where two commands differ.
LONG_COMMAND = 100
#: The name of a header field (RFC 9110, section 5.6.2).
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
#: What is said of the command of another scene.
FROM_ELSEWHERE = " (that of other scenes, which run at the same time: do copies of the client share a file?)"


@rule(
    "CLIENT-05",
    lambda story: story.own and not story.awkward and story.play.scene.completes != "CLIENT-42",
)
def only_documented_operations(story: Story) -> Findings:
    """The method and path must be those of an operation in the OpenAPI document, and a start must have no query.

    Other query parameters are not judged. CLIENT-06 judges the path where the id needs percent-encoding, CLIENT-37 one
    that a pollUrl named, and CLIENT-42 all paths where the base URL is not a bare one.
    """
    for e in story.of("other"):
        if e.request.path not in stray_poll_urls(story):
            got = f"{e.request.method} {e.request.target}{written_as_text(e.request.target)}"
            yield e, f"GET or POST {ENDPOINT} below HOSTUP_BASE_URL", got
    for e in story.of("start"):
        if e.request.query:
            yield e, "a POST without a query, which logs keep", f"POST {e.request.target}"


def written_as_text(target: str) -> str:
    """Return a hint if a target looks as if something that is missing had been written as text."""
    nothing = next((word for word in ("None", "null", "undefined", "nil") if target.endswith(word)), None)
    return f" (was a member that is missing, such as pollUrl, written as {nothing}?)" if nothing else ""


def stray_poll_urls(story: Story) -> set[str]:
    """Return the paths of the pollUrls that the client got and that are not this endpoint's."""
    urls = [e.body.get("pollUrl") for e in story.of("start") if got_200(e) and isinstance(e.body, dict)]
    paths = {split_url(url).path for url in urls if isinstance(url, str)}
    return {path for path in paths if resource_of(path)[0] != "exec"}


@rule("CLIENT-37", stray_poll_urls)
def no_stray_poll_url(story: Story) -> Findings:
    """A request to another path than this endpoint's is a finding, although a pollUrl named it."""
    for e in story.of("other"):
        if e.request.path in stray_poll_urls(story):
            yield e, f"no poll but one of {ENDPOINT}, whatever pollUrl names", f"{e.request.method} {e.request.target}"


@rule("CLIENT-06", lambda story: story.own and story.play.scene.vps)
def id_is_one_segment(story: Story) -> Findings:
    """The path must have the id in one segment, which is HOSTUP_VPS_ID once it is percent-decoded."""
    for e in story.own:
        if (e.ask.id or story.play.scene.vps) != story.play.scene.vps or (e.ask.kind == "other" and story.awkward):
            yield e, f"the id {story.play.scene.vps} in the path, percent-encoded as one segment", e.request.target


@rule("CLIENT-07", lambda story: story.of("poll"))
def pid_as_given(story: Story) -> Findings:
    """Each poll must have one pid, written as the start or HOSTUP_PID gave it. Other parameters pass.

    A client may find the pid in a response that is broken or was cut.
    """
    for e in story.of("poll"):
        if story.pid is None and is_in_a_broken_start(story) and pids_of(e.request) == [str(story.play.scene.pid)]:
            continue
        if story.pid is None:
            yield e, f"no poll, since {why_no_pid(story)}", e.request.target
        elif pids_of(e.request) != [story.pid]:
            yield e, f"pid={story.pid}", f"?{e.request.query}"


def why_no_pid(story: Story) -> str:
    """Return why there is no pid: some keep that of an earlier command, or read an error as a success."""
    starts = story.of("start")
    if not starts:
        return "nothing was started"
    last = starts[-1]
    return "there is no pid" if got_200(last) else f"the start got {last.failure or f'the status {last.status}'}"


def is_in_a_broken_start(story: Story) -> bool:
    """Whether the pid may have been in a response to a start that is no JSON object, or was not complete."""
    return any(e.status in {200, None} and not isinstance(e.body, dict) for e in story.of("start"))


@rule("CLIENT-08", lambda story: story.of("start"))
def command_as_given(story: Story) -> Findings:
    """The body of a start must be JSON (RFC 8259) in UTF-8, an object whose `command` is exactly HOSTUP_COMMAND.

    A client that only probes or polls is given no command, and so must start none.
    """
    for e in story.of("start"):
        text = read_json(e.request.body)
        if story.play.does != "run":
            yield e, f"no start by a client that is to {story.play.does}, which is given no command", text.value
        elif not text.is_json or text.defects:
            yield e, "a JSON object as the body", "; ".join(text.defects)
        elif "command" in text.duplicates:
            yield e, "one member command", "two"
        elif not isinstance(text.value, dict) or "command" not in text.value:
            yield e, "a JSON object with the member command", text.value
        elif story.play.scene.command is not None and text.value["command"] != story.play.scene.command:
            asked, got = another_command(story.play.scene.command, text.value["command"])
            elsewhere = any(scene.command == text.value["command"] for scene in SCENES.all().values())
            yield e, asked, f"{got}{FROM_ELSEWHERE}" if elsewhere else got


def another_command(expected: str, got: object) -> tuple[str, Any]:
    """Return what command is expected and what came: of long ones, and those that look alike, where they differ."""
    if isinstance(got, str) and (max(len(expected), len(got)) > LONG_COMMAND or visible(expected) == visible(got)):
        return difference(expected.encode(), got.encode("utf-8", "surrogatepass"), "command")
    return f"the command {expected}", got


@rule("CLIENT-09", lambda story: story.of("start"))
def media_type(story: Story) -> Findings:
    """Content-Type must be application/json; its parameters are not judged."""
    for e in story.of("start"):
        value = e.request.header("content-type")
        if (value or "").partition(";")[0].strip().lower() != "application/json":
            yield e, "Content-Type: application/json", value or "no Content-Type"


@rule("CLIENT-10", lambda story: story.own)
def accepts_json(story: Story) -> Findings:
    """If there is an Accept header field, one of its ranges must cover application/json with a weight above 0."""
    for e in story.own:
        value = ", ".join(value for name, value in e.request.headers if name.lower() == "accept")
        ranges = [[part.strip().lower() for part in text.split(";")] for text in value.split(",") if text.strip()]
        covering = [weights for name, *weights in ranges if name in {"*/*", "application/*", "application/json"}]
        if ranges and not any(weight(weights) for weights in covering):
            yield e, "Accept: application/json", f"Accept: {value}"


def weight(parameters: list[str]) -> float:
    """Return the weight of a media range (RFC 9110, section 12.4.2)."""
    text = next((parameter[2:] for parameter in parameters if parameter.startswith("q=")), "1")
    try:
        return float(text)
    except ValueError:
        return 1.0


@rule("CLIENT-11", lambda story: story.own)
def names_itself(story: Story) -> Findings:
    """Each request must have a User-Agent that is not empty."""
    for e in story.own:
        if not (e.request.header("user-agent") or "").strip():
            yield e, "a User-Agent with the client's name and version", "none"


@rule("CLIENT-12", lambda story: story.own and (story.play.recorded or story.play.scene.name == "well"))
def name_of_the_client(story: Story) -> Findings:
    """Reports the first User-Agent of the scene well, and judges nothing."""
    for e in story.own[:1]:
        yield e, "", e.request.header("user-agent") or "none"


@rule("CLIENT-13", lambda story: story.requests and not story.play.recorded)
def request_is_http(story: Story) -> Findings:
    """The request must be readable as HTTP/1.1.

    It needs a request line, header fields whose names are tokens, exactly one Host, that of the base URL with its port
    (RFC 9110, section 7.2), and a body of the announced length, which is announced in one way alone (RFC 9112, section
    6.2). One that was under way when the client's time was up may lack its body.
    """
    for e in story.requests:
        if e.failure == CUT and e is story.requests[-1] and story.gave_up:
            continue
        hosts = [value for name, value in e.request.headers if name.lower() == "host"]
        if e.ask.kind == "malformed":
            yield e, "an HTTP/1.1 request", e.failure
        elif len(hosts) != 1:
            yield e, "one Host", f"{len(hosts)} of them"
        elif odd := [name for name, _ in e.request.headers if not TOKEN.fullmatch(name)]:
            yield e, "names of header fields that are tokens (RFC 9110, section 5.6.2)", odd[0]
        elif e.request.header("transfer-encoding") and e.request.header("content-length"):
            yield e, "Content-Length or Transfer-Encoding", "both"
        elif e.ask.origin == "own" and not is_own_host(hosts[0], story):
            yield e, "the Host of HOSTUP_BASE_URL, with its port", f"Host: {hosts[0]}"


def is_own_host(host: str, story: Story) -> bool:
    """Whether a Host is that of the scene, with a port."""
    name, _, port = host.rpartition(":")
    return port.isdecimal() and name.lower() == (split_url(story.play.scene.origin).hostname or "").lower()


@rule("CLIENT-14", lambda story: story.of("probe", "poll"))
def get_has_no_body(story: Story) -> Findings:
    """A GET with a body is a finding. A Content-Length of 0 passes."""
    for e in story.of("probe", "poll"):
        if e.request.body:
            yield e, "a GET without content", f"content of {counted(len(e.request.body), 'byte')}"
