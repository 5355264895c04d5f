"""What is said with a finding: what the exchanges of a run show together."""

import re

import pytest
from faults import FAULTS
from faults.http import sent_later
from faults.probe import refuse
from hostup_conformance.contract.ask import SLEEP, Exchange
from hostup_conformance.contract.causes.traits import in_common, traits
from hostup_conformance.contract.causes.widespread import out_of_step
from hostup_conformance.contract.paths import VPSS
from hostup_conformance.contract.server_verdict import root_causes
from hostup_conformance.contract.target import Target
from hostup_conformance.contract.understanding import understand
from hostup_conformance.http import messages as sent
from hostup_conformance.mock import API_KEY, READ_API_KEY, VPS_ID
from judging import run, verdict_by
from stage import Change, Request, Response

# Whole runs, each of a kind of its own: `make catalogue` runs them. `make test` has those of `test_root_causes.py`.
pytestmark = pytest.mark.catalogue

TARGET = Target("http://127.0.0.1:1", "server", API_KEY, "vps_1")


def let_in(request: Request, response: Response) -> None:
    if request.own and request.method == "GET" and not request.full and not request.reading:
        response.become(200, {"available": True, "reason": None, "vmRunning": True})


def takes_any_session(request: Request, response: Response) -> None:
    if "cookie" in request.headers:
        let_in(request, response)


def trusts_a_field(request: Request, response: Response) -> None:
    if "x-real-ip" in request.headers:
        let_in(request, response)


def lists_for_anybody(request: Request, response: Response) -> None:
    if request.path == VPSS and not request.token:
        response.become(200, {"data": [{"id": VPS_ID}], "hasMore": False, "nextCursor": None})


def lets_everybody_in_now_and_then(request: Request, response: Response) -> None:
    if request.nth() % 3 == 0:
        let_in(request, response)


@pytest.mark.parametrize(
    ("change", "id", "words"),
    [
        (takes_any_session, "AUTH-01", "only the 4 requests with Cookie, Remote-User, "),
        (
            trusts_a_field,
            "AUTH-01",
            "only the 4 requests with the User-Agent of a monitor and with Access-Control-Request-Method, X-Forwarded-",
        ),
        (lists_for_anybody, "VPS-06", " without a key for the list of VPSs, none of "),
        (
            FAULTS.named("key_is_compared_without_case").change,
            "AUTH-02",
            "only the 4 requests with the key but for the case of a letter, none of ",
        ),
    ],
)
def test_what_was_let_in_is_told_by_what_it_carries(change: Change, id: str, words: str) -> None:
    assert words in message(change, id)


def test_nothing_tells_apart_what_is_let_in_at_random() -> None:
    assert "only the" not in message(lets_everybody_in_now_and_then, "AUTH-01")


def message(change: Change, id: str, *, allow_exec: bool = False) -> str:
    _target, wire, _stage = run(change, allow_exec=allow_exec)
    return verdict_by(wire).results[id].message


def test_field_names_in_lower_case_are_a_trait() -> None:
    spelt = {("accept", "application/json"): True, ("Accept", "application/json"): False}
    for field, lower in spelt.items():
        request = sent.Request("GET", "/", (field,))
        e = Exchange(0, request, None, understand(request, TARGET))
        assert ("with field names in lower case" in traits(e, TARGET.key)) is lower


def test_a_304_that_nobody_asked_for_stands_above_what_follows_from_it() -> None:
    _target, wire, _stage = run(sends_304_now_and_then)
    verdict = verdict_by(wire)
    assert "no 304, since the request asks for no condition" in verdict.results["HTTP-06"].message
    assert next(iter(root_causes(verdict))) == "HTTP-06"


def sends_304_now_and_then(request: Request, response: Response) -> None:
    if response.is_availability and request.nth() % 4 == 0:
        response.become(304)


def kept(request: Request, response: Response, *parts: str | None) -> None:
    """Keep the first 200 for some parts of a request, and serve it to others that have the same."""
    if request.method != "GET" or not request.path.endswith("/agent/exec"):
        return
    if response.status == 200:
        request.memory.setdefault(f"kept {parts}", response.body)
    elif f"kept {parts}" in request.memory:
        response.become(200, request.memory[f"kept {parts}"])


def ignores_the_key(request: Request, response: Response) -> None:
    kept(request, response, request.path, request.query)


def ignores_the_key_and_the_query(request: Request, response: Response) -> None:
    kept(request, response, request.path)
    if response.is_output:
        response.body = request.memory[f"kept {(request.path,)}"]


def remembers_who_asked_by_the_path(request: Request, response: Response) -> None:
    """Let in whoever asks for what was asked for with a key before."""
    if request.full:
        request.memory[request.path] = True
    elif response.status == 401 and request.path in request.memory and request.method != "OPTIONS":
        known = request.own and request.path.endswith(("exec", "status"))
        response.become(200, {"available": True}) if known else refuse(request, response, 404, "not_found", "Not found")


def sends_all_errors_with_200(_request: Request, response: Response) -> None:
    if response.status in {400, 401, 403, 404}:
        response.status = 200


def tells_errors_by_a_member_alone(request: Request, response: Response) -> None:
    """Give what is not there 200, with an error in the body; and once what is there too."""
    not_found = response.status == 404 or (response.is_availability and request.own and request.nth("own") == 3)
    if not_found and "prefer" not in request.headers:
        response.become(200, {"error": "not_found", "message": f"There is no {request.vps}, {request.pid}."})


def refuses_with_400(_request: Request, response: Response) -> None:
    if response.status in {401, 403, 404}:
        response.status = 400


def has_a_form_of_the_framework_for_keys(request: Request, response: Response) -> None:
    if response.status == 401 and "prefer" not in request.headers:
        response.become(403, {"detail": "Not authenticated"})


def keeps_errors(request: Request, response: Response) -> None:
    """Keep each error for its URL, whoever asks."""
    kept, url = request.memory.setdefault("errors", {}), (request.path, request.query)
    if request.method == "GET" and "prefer" not in request.headers:
        if response.is_problem:
            kept.setdefault(url, (response.status, response.body))
        response.status, response.body = kept.get(url, (response.status, response.body))


def fails_now_and_then(request: Request, response: Response) -> None:
    if request.nth() % 5 == 0 and "prefer" not in request.headers:
        refuse(request, response, 500, "internal_error", "Internal server error")


def hides_from_strangers(request: Request, response: Response) -> None:
    if response.status == 401 and "prefer" not in request.headers:
        refuse(request, response, 404, "not_found", "Not found")


def ignores_the_key_if_it_is_missing(request: Request, response: Response) -> None:
    if response.status == 401 and request.own and request.method == "GET":
        response.become(200, {"available": True, "reason": None, "vmRunning": True})


def ignores_the_id_of_probes(request: Request, response: Response) -> None:
    if not request.query:
        kept(request, response, request.token)
        if response.is_availability:
            response.body = request.memory[f"kept {(request.token,)}"]


def makes_500_of_4xx(_request: Request, response: Response) -> None:
    if response.status in {400, 403, 404, 405}:
        response.status = 500


def makes_500_of_400(_request: Request, response: Response) -> None:
    if response.status == 400:
        response.status = 500


def remembers_the_last_key(request: Request, response: Response) -> None:
    last = request.memory.get("last")
    if request.token is None and response.status == 401 and request.own:
        polls = "pid" in request.query
        if polls and last == READ_API_KEY:
            refuse(request, response, 403, "forbidden", "Forbidden")
        elif last in {API_KEY, READ_API_KEY}:
            response.become(200, {"exited": False} if polls else {"available": True})
    elif request.full or request.reading:
        request.memory["last"] = request.token


def authorizes_connections(request: Request, response: Response) -> None:
    """Let in whatever comes on a connection whose first request had the key."""
    first = request.memory.setdefault(f"first on {request.port}", request.token)
    if first == API_KEY and response.status in {401, 403} and request.own and request.method == "GET":
        response.become(200, {"exited": False} if request.query else {"available": True})


def responds_one_request_late(request: Request, response: Response) -> None:
    """From the fourth request of a connection on, each gets what the one before it was to get."""
    of_it = request.memory.setdefault(f"on {request.port}", [])
    of_it.append((response.status, response.headers, response.body))
    if len(of_it) > 3:
        response.status, response.headers, response.body = of_it[-2]


def keeps_refusals_for_all(request: Request, response: Response) -> None:
    """Give everybody what a key was refused with, for the same URL."""
    kept_refusals = request.memory.setdefault("refusals", {})
    if response.status == 403 and request.reading:
        kept_refusals[request.path, request.query] = response.body
    elif body := kept_refusals.get((request.path, request.query)):
        response.become(403, body)


def keeps_by_the_path_alone(request: Request, response: Response) -> None:
    """Keep what gets 200 of a path for a few requests, whatever the query was."""
    if request.method == "GET" and response.status == 200 and request.own and request.path.endswith("exec"):
        number, body = request.memory.get("of the path", (0, response.body))
        request.memory["of the path"] = ((number + 1) % 4, body if number else response.body)
        response.body = request.memory["of the path"][1]


def asks_no_key_for_polls(request: Request, response: Response) -> None:
    if response.status in {401, 403} and request.own and request.query.startswith("pid=42") and request.method == "GET":
        response.become(200, {"exited": False})


def sends_the_body_before(request: Request, response: Response) -> None:
    before, request.memory["before"] = request.memory.get("before"), response.body
    if request.nth() % 5 == 0 and before and response.body:
        response.body = before


def has_a_form_of_the_framework(request: Request, response: Response) -> None:
    if response.status == 400 and request.pid is not None:
        response.become(422, {"detail": [{"loc": ["query", "pid"]}]})


def shows_stacks(_request: Request, response: Response) -> None:
    if response.is_problem:
        response.change(stack="Error: no\n    at find (/srv/app/node_modules/vps/index.js:10:15)")


def sends_the_key_back(request: Request, response: Response) -> None:
    if response.status == 200:
        response.header("X-Debug", request.headers.get("authorization", ""))


def decodes_commands(request: Request, response: Response) -> None:
    if response.status == 200 and request.method == "POST" and re.search(rb"%(?![0-9A-Fa-f]{2})", request.body):
        response.become(500, b"", "text/plain")


def is_busy_while_commands_run(_request: Request, response: Response) -> None:
    if response.is_output and not response.json["exited"]:
        response.become(503, b"", "text/plain")
        response.header("Retry-After", "0")


def lets_the_read_key_poll(request: Request, response: Response) -> None:
    if response.status == 403 and request.method == "GET" and request.own and request.pid is not None:
        response.become(200, {"exited": False})


def probes_for_the_read_key(request: Request, response: Response) -> None:
    """Take a poll that is not allowed for a probe."""
    if response.status == 403 and request.method == "GET" and request.own and request.pid is not None:
        response.become(200, {"available": True, "reason": None, "vmRunning": True})


def says_no_to_strangers(request: Request, response: Response) -> None:
    if response.status in {403, 404} and request.full and request.query == "" and request.path.endswith("/agent/exec"):
        response.become(200, {"available": False, "reason": "There is no such VPS.", "vmRunning": False})


def tells_of_what_runs_by_a_word(_request: Request, response: Response) -> None:
    if response.is_output and response.json["exited"] is False:
        response.become(200, {"status": "running"})


def takes_one_accept_alone(request: Request, response: Response) -> None:
    if request.headers.get("accept") != "application/json" and response.status == 200:
        refuse(request, response, 406, "not_acceptable", "Not acceptable")


CAUSES: dict[Change, tuple[str, str]] = {
    tells_of_what_runs_by_a_word: ("POLL-01", "these came before the ends: so the server tells of a command"),
    takes_one_accept_alone: ("HTTP-13", " requests with another Accept than application/json, none of "),
    probes_for_the_read_key: ("SCOPE-02", " such requests got command output: they are refused with 200, it seems"),
    says_no_to_strangers: ("ID-01", " such requests was told that available is false: they are refused so, it seems"),
    lets_the_read_key_poll: ("SCOPE-02", "nothing checks this, HOSTUP_READ_API_KEY has write:vm after all, "),
    shows_stacks: ("SAFETY-02", "only errors, and none of"),
    sends_the_key_back: ("SAFETY-01", "only what is served, and none of"),
    ignores_the_key: ("AUTH-02", "a cache takes no notice of the key, it seems"),
    ignores_the_key_and_the_query: (
        "AUTH-01",
        "nothing checks this, something in front adds a key, or the server keeps what it decided for another request",
    ),
    remembers_who_asked_by_the_path: (
        "AUTH-01",
        "nothing checks this, something in front adds a key, or the server keeps what it decided for another request",
    ),
    sends_all_errors_with_200: ("AUTH-01", "got an error with the status 200, and none that is to be served"),
    tells_errors_by_a_member_alone: (
        "ID-01",
        " are errors, as the member error in their bodies says: ",
    ),
    refuses_with_400: ("ID-01", "got 400, and none that is to be served"),
    ignores_the_id_of_probes: ("ID-01", "each probe that was served under another VPS got what it gets under its own"),
    makes_500_of_4xx: ("ID-01", "got a 5xx, and none that is to be served"),
    remembers_the_last_key: ("AUTH-01", "the key of the request before it counts, it seems"),
    authorizes_connections: ("AUTH-01", "the key of the first request of its connection counts, it seems"),
    responds_one_request_late: ("PROBE-01", "and not to their own: it is out of step, it seems"),
    keeps_refusals_for_all: ("POLL-08", "a cache takes no notice of the key, and keeps refusals, it seems"),
    keeps_by_the_path_alone: ("POLL-02", "a cache takes no notice of the query, it seems"),
    asks_no_key_for_polls: ("SCOPE-02", "a request without a key gets it as well (AUTH-01)"),
    has_a_form_of_the_framework_for_keys: ("AUTH-01", "each request with a wrong key got 403, and none"),
    keeps_errors: ("AUTH-08", "a cache keeps errors, it seems"),
    hides_from_strangers: ("AUTH-01", "each request with a wrong key got 404"),
    has_a_form_of_the_framework: ("PID-02", "they are the framework's own, or of something in front"),
}


@pytest.mark.parametrize("change", CAUSES)
def test_a_cause_of_many_findings_is_told(change: Change) -> None:
    id, words = CAUSES[change]
    assert words in message(change, id)


def test_one_failure_of_each_five_is_told() -> None:
    """On a busy machine few requests are under way alone, and servers that take turns are not told of."""
    told = message(fails_now_and_then, "HTTP-08")
    assert "1 of each 5 in a row" in told or "about one of each 5 requests in a row" in told


def leaves_out_what_is_false(_request: Request, response: Response) -> None:
    if response.is_output:
        response.json = {name: value for name, value in response.json.items() if value}


def test_what_is_false_is_left_out() -> None:
    told = message(leaves_out_what_is_false, "POLL-01", allow_exec=True)
    assert "what is false, 0 or empty is left out, it seems" in told


def test_what_has_a_wrong_type_stands_with_that() -> None:
    """What was printed is not looked for in a list of lines."""
    _target, wire, _stage = run(FAULTS.named("stdout_is_a_list_of_lines").change, allow_exec=True)
    assert "START-05" in root_causes(verdict_by(wire))["POLL-03"]


def test_what_a_command_has_that_is_not_started_is_told() -> None:
    told = message(decodes_commands, "START-01", allow_exec=True)
    assert "with % and no two hexadecimal digits after it in its command" in told


def fails_at_braces(request: Request, response: Response) -> None:
    """Take a command for a template; all starts are under way together."""
    if response.is_started:
        if b"{" in request.body[1:]:
            refuse(request, response, 500, "internal_error", "Internal server error")
        sent_later(request, response)


def test_what_commands_have_tells_more_than_that_they_were_started_together() -> None:
    told = message(fails_at_braces, "START-01", allow_exec=True)
    assert 'requests with "{" in its command and with "}" in its command, none of ' in told


def test_what_a_running_command_gets_is_no_limit() -> None:
    assert "a rate limit" not in message(is_busy_while_commands_run, "POLL-05", allow_exec=True)


def names_as_the_agent_does(_request: Request, response: Response) -> None:
    if response.is_output:
        response.rename(stdout="out-data", stderr="err-data", exitCode="exitcode")


def test_the_names_of_the_agent_are_another_spelling() -> None:
    assert "got exitcode, out-data" in message(names_as_the_agent_does, "POLL-04", allow_exec=True)


@pytest.mark.parametrize(
    ("change", "id"), [(ignores_the_key_if_it_is_missing, "AUTH-01"), (makes_500_of_400, "PID-06"), (let_in, "AUTH-01")]
)
def test_no_cause_is_told_that_something_contradicts(change: Change, id: str) -> None:
    told = message(change, id)
    assert told
    assert "it seems" not in told


def checks_the_scope(request: Request, response: Response, checked: bool) -> None:
    """Refuse polls by the key that may not make them only if the scope is checked."""
    if request.reading and request.own and response.status == 403 and not checked:
        response.become(200, {"exited": False, "pid": int(request.pid or "1")})


def checks_the_scope_on_one_of_two(request: Request, response: Response) -> None:
    if request.reading and request.method == "GET" and response.status == 403:
        checks_the_scope(request, response, request.nth("polls") % 2 == 0)


def checks_the_scope_after_others(request: Request, response: Response) -> None:
    last, request.memory["key"] = request.memory.get("key"), request.token
    checks_the_scope(request, response, last == READ_API_KEY)


def test_who_is_let_in_now_and_then_is_told() -> None:
    assert "in a row: servers or versions take turns, it seems" in message(checks_the_scope_on_one_of_two, "SCOPE-02")
    assert "take turns" not in message(checks_the_scope_after_others, "SCOPE-02")


def is_out_of_order(request: Request, response: Response) -> None:
    if request.nth() % 9 == 0:
        response.become(200, b"<h1>Maintenance</h1>", "text/html")


def has_a_page_for_strangers(_request: Request, response: Response) -> None:
    if response.status == 401:
        response.become(200, b"<h1>Welcome</h1>", "text/html")


def test_pages_of_what_stands_in_front_are_told() -> None:
    words = "are a page in HTML with the status 200, whatever was asked for"
    assert words in message(is_out_of_order, "HTTP-03")
    assert words not in message(has_a_page_for_strangers, "AUTH-01")


def has_no_404(_request: Request, response: Response) -> None:
    if response.status == 404:
        response.become(200, {"success": False, "error": "not found"})


def wraps_errors(_request: Request, response: Response) -> None:
    if response.status >= 400:
        response.become(200, {"data": None, "errors": [{"message": response.json["title"]}]})


def has_no_404_now_and_then(request: Request, response: Response) -> None:
    if request.nth() % 2:
        has_no_404(request, response)


def test_what_refusals_are_turned_into_is_told() -> None:
    words = 'got {"success": false, "error": "not found"} with the status 200, and none that is to be served'
    assert words in message(has_no_404, "ID-01")
    assert words not in message(has_no_404_now_and_then, "ID-01")
    assert "a body with the members data, errors, with the status 200, and none that" in message(wraps_errors, "ID-01")
    assert "a page in HTML" in message(has_a_page_for_strangers, "AUTH-01")


def is_limited(request: Request, response: Response) -> None:
    if 200 < request.nth() < 230:
        response.become(200, {"message": "Too many requests"})


def test_one_body_for_all_is_told() -> None:
    words = (
        'are {"message": "Too many requests"} with the status 200, whatever was asked for: something in front responds'
    )
    assert words in message(is_limited, "HTTP-21")


@pytest.mark.parametrize(
    ("fault", "id", "words"),
    [
        (
            "processes_of_the_guest_can_be_polled",
            "PID-04",
            "any process of the machine is taken for a command, it seems",
        ),
        ("retry_after_is_in_milliseconds", "RATE-07", "it is in milliseconds, it seems"),
        ("a_head_takes_the_output", "START-05", "a HEAD of it, had got 200 before: it took the output away, it seems"),
        ("list_has_internal_ids", "VPS-03", "none has the form of an id that the endpoint takes, it seems"),
    ],
)
def test_a_known_mistake_is_told(fault: str, id: str, words: str) -> None:
    assert words in message(FAULTS.named(fault).change, id, allow_exec=FAULTS.named(fault).starts)


@pytest.mark.parametrize(
    ("fault", "id"), [("unknown_pid_runs", "PID-04"), ("come_back_in_years", "RATE-06"), ("list_lacks_one", "VPS-03")]
)
def test_no_other_mistake_is_taken_for_one(fault: str, id: str) -> None:
    assert "it seems" not in message(FAULTS.named(fault).change, id)


def restarts_at_a_deep_body(request: Request, response: Response) -> None:
    """The server ends at a body that is nested deeply, and gives its pids again after that."""
    if b"[[[" in request.body:
        # Last of all, and so the first to come again, that of the command that runs on.
        request.memory["given"] = sorted(request.memory.get("pids", []), key=request.memory.get("runs", 0).__eq__)
        response.raw = []
    elif response.is_started and request.memory.get("given"):
        response.change(pid=request.memory["given"].pop(), pollUrl=None)
    elif response.is_started:
        request.memory.setdefault("pids", []).append(response.json["pid"])
        if SLEEP.encode() in request.body:
            request.memory["runs"] = response.json["pid"]


def test_pids_that_are_counted_anew_stand_behind_what_restarted_the_server() -> None:
    _target, wire, _stage = run(restarts_at_a_deep_body, allow_exec=True)
    verdict = verdict_by(wire)
    assert "broke off, and counts its pids anew" in verdict.results["START-10"].message
    assert "START-10" in root_causes(verdict)["HTTP-01"]


def keeps_what_head_got(request: Request, response: Response) -> None:
    url = f"kept {request.path}?{request.query}"
    if request.method == "HEAD" and response.status == 200:
        request.memory[url] = True
    elif request.method == "GET" and url in request.memory:
        response.raw = [response.head()]


def test_a_header_section_that_is_kept_from_head_is_told() -> None:
    assert "a HEAD of it, got its header section: a cache keeps that" in message(keeps_what_head_got, "HTTP-01")


def test_responses_that_are_mixed_up_are_those_of_no_cache() -> None:
    assert "a cache" not in message(FAULTS.named("responses_get_mixed_up").change, "HTTP-21")


def test_bodies_of_the_request_before_are_told() -> None:
    _target, wire, _stage = run(sends_the_body_before)
    verdict = verdict_by(wire)
    first = verdict.results[next(iter(root_causes(verdict)))]
    assert "a connection is out of step, it seems" in first.message


def test_bodies_that_come_again_and_again_are_of_no_request_before() -> None:
    _target, wire, _stage = run(sends_one_body_to_all)
    assert out_of_step(wire.exchanges) is None


def sends_one_body_to_all(request: Request, response: Response) -> None:
    if response.status == 404:
        response.body = request.memory.setdefault("body", response.body)


@pytest.mark.parametrize(
    ("number", "words"), [(2, None), (3, "only the 3 requests for a pid in another form, none of 9 others")]
)
def test_few_findings_tell_nothing_of_their_pids(number: int, words: str | None) -> None:
    every, loose = exchanges(12), frozenset({"for a pid in another form"})

    def carried(e: Exchange) -> frozenset[str]:
        return loose if e.number < number else frozenset()

    assert in_common(every[:number], every[3:], carried) == words


def exchanges(number: int) -> list[Exchange]:
    request = sent.Request("GET", "/", ())
    return [Exchange(at, request, None, understand(request, TARGET)) for at in range(number)]
