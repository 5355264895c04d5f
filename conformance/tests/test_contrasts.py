"""What is said to tell the requests that got something from those that did not, and what contradicts it."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hostup_conformance.contract.ask import Exchange
from hostup_conformance.contract.causes.contrasts import (
    BY_REQUEST,
    IN_TIME,
    UNDECIDED,
    Course,
    Split,
    back_and_forth,
    since,
    soon_after,
    told,
    undecided,
)
from hostup_conformance.contract.causes.failings import goes_down, refused_keys
from hostup_conformance.contract.causes.widespread import blocked, waiting
from hostup_conformance.contract.target import Target
from hostup_conformance.contract.understanding import understand
from hostup_conformance.http.messages import Request, Response
from hostup_conformance.sources.start_steps import body_of

KEY = "hu_0123456789abcdefghijklmnop"
READ_KEY = "hu_9876543210zyxwvutsrqponml"
TARGET = Target("http://127.0.0.1:1", "server", KEY, "vps_1", running_pid=7, finished_pid=8)
PATH = "/api/v2/vps/vps_1/agent/exec"
TURNS = "servers that take turns does so, or they are counted, it seems"
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def got(status: int, body: bytes = b"{}", **fields: str) -> Response:
    return Response(status, tuple((name.title(), value) for name, value in fields.items()), body)


def run_of(
    responses: Iterable[Response | None],
    apart: float = 1.0,
    key: str | None = KEY,
    query: str = "",
    content: bytes = b"",
    method: str = "GET",
    after: float = 0.0,
) -> list[Exchange]:
    """Return exchanges of one request, so many seconds apart."""
    field = (("Authorization", f"Bearer {key}"),) if key else ()
    request = Request(method, PATH + query, (("Accept", "application/json"), *field), content)
    ask = understand(request, TARGET)
    every = enumerate(responses)
    return [
        Exchange(at, request, one, ask, seconds=0.001, when=BEGAN + timedelta(seconds=after + at * apart))
        for at, one in every
    ]


def in_order(*exchanges: Exchange) -> list[Exchange]:
    """Return exchanges with their numbers."""
    return [replace(e, number=number, source=e.source) for number, e in enumerate(exchanges, 1)]


def told_of(exchanges: list[Exchange]) -> str | None:
    """Return what tells those that were refused from the others."""
    odd, usual = ([e for e in exchanges if (e.status != 200) is refused] for refused in (True, False))
    return told(Split(odd, usual, Course(exchanges, KEY)))


def statuses(text: str) -> list[Response | None]:
    """Return responses for letters: s for one that is served, r for a refusal, and a dot for none."""
    return [{"s": got(200), "r": got(401), ".": None}[letter] for letter in text]


@pytest.mark.parametrize(
    ("letters", "words"),
    [
        ("srs" * 10, f"10 of 30 requests, 1 of each 3 in a row: 1 of 3 {TURNS}"),
        ("sr" * 12, f"12 of 24 requests, 1 of each 2 in a row: 1 of 2 {TURNS}"),
        ("ssrrsrrrssrsrssrsrrssrr", "back and forth: it is not known what decides"),
        ("s" * 9 + "r" * 7, "none of 9 before request 10, and all 7 since"),
        ("s" * 9 + "." * 7, "and all 7 since: it went down at that request (/api/v2/vps/vps_1/agent/exec), or drops"),
        ("s" * 9 + "r" * 7 + "s", None),
        ("s" * 9 + "rr", None),
    ],
)  # fmt: skip
def test_a_pattern_in_time_is_told(letters: str, words: str | None) -> None:
    said = told_of(in_order(*run_of(statuses(letters))))
    assert said is None if words is None else words in (said or "")


def test_what_comes_after_about_as_many_requests_each_time_is_told() -> None:
    letters = "".join("s" * number + "r" for number in (24, 23, 24, 25, 24, 24))
    assert "about one of each 25 requests in a row" in (told_of(run_of(statuses(letters))) or "")
    assert "in a row" not in (told_of(run_of(statuses(letters.replace("r", "rr", 2)))) or "")


@pytest.mark.parametrize("spared", [False, True])
def test_what_another_request_has_for_an_effect_is_told(spared: bool) -> None:
    """As with a circuit breaker of all VPSs that one of them opens, for half a second."""
    every = list[Exchange]()
    for at in range(0, 40, 8):
        every += run_of([got(404)], query="?pid=99999", after=at)
        every += run_of([got(200, b'{"a":1}' if spared and at == 16 else b"[]")] * 2, apart=0.2, after=at + 0.1)
        every += run_of([got(200, b'{"a":1}')] * 4, apart=0.2, after=at + 2)
    every = in_order(*every)
    odd, usual = ([e for e in every if e.response and e.response.body == body] for body in (b"[]", b'{"a":1}'))
    words = "only the 10 requests sent within 0.3 s after a request with a query, none of 20 others: it has an effect"
    assert (words in (told(Split(odd, usual, Course(every, KEY))) or "")) is not spared


def test_what_another_request_has_for_an_effect_may_come_at_once() -> None:
    """Times may be those of a recording, which are rounded."""
    every = list[Exchange]()
    for at in range(0, 40, 8):
        every += run_of([got(404)], query="?pid=99999", after=at)
        every += run_of([got(200, b"[]")] * 2, apart=0.0, after=at)
        every += run_of([got(200)] * 4, apart=0.2, after=at + 2)
    every = [replace(e, seconds=0.0) for e in in_order(*every)]
    served = [e for e in every if e.status == 200]
    odd, usual = ([e for e in served if e.response and e.response.body == body] for body in (b"[]", b"{}"))
    assert "sent within 0 s after a request with a query" in str(soon_after(Split(odd, usual, Course(every, KEY))))


def test_what_comes_after_about_as_many_refusals_each_time_is_told() -> None:
    """As of a circuit breaker that takes refusals for failures: it opens for a while, and counts from there on."""
    codes = {"s": 200, "r": 404, "f": 503}
    rounds = ("ss" + "rs" * 6, "rrr" + "s" * 9 + "rrr", "s" * 20 + "r" * 6, "rsr" + "s" * 5 + "rrrr")
    letters = "".join(f"{one}fff" for one in (*rounds, *rounds))
    responses = [got(codes[letter]) for letter in letters]
    every = in_order(*run_of(responses))
    words = told(
        Split([e for e in every if e.status == 503], [e for e in every if e.status == 200], Course(every, KEY))
    )
    assert words == "after each 6 refusals or so (4xx): these are counted, it seems"
    fewer = in_order(*run_of([one for one in responses if one.status != 404]))
    odd, usual = ([e for e in fewer if e.status == status] for status in (503, 200))
    assert "refusals" not in (told(Split(odd, usual, Course(fewer, KEY))) or "")


def test_what_is_counted_among_starts_alone_is_told() -> None:
    start = body_of("echo x")
    every = list[Exchange]()
    for number in range(32):
        every += run_of([got(500 if number % 4 == 3 else 200)], content=start, method="POST", after=9.0 * number)
        every += run_of(statuses("s" * (1 + number % 7)), after=9.0 * number + 1)
    said = "about one of each 4 starts, and nothing else: they are counted, it seems, or run out of something"
    assert told_of(in_order(*every)) == said


def test_what_came_just_before_all_failed_is_told() -> None:
    """As with a leak: something is not given back at an error."""
    refused, failed = [got(404), got(200)] * 5, [got(503)] * 9
    every = in_order(*run_of([*statuses("ssss"), *refused[:-1], *failed]))
    split = Split([e for e in every if e.status == 503], [e for e in every if e.status == 200], Course(every, KEY))
    said = "none of 8 before request 14, and all 9 since, just after number 5 of the responses with 404, to request 13"
    assert told(split) == said
    every = in_order(*run_of([*statuses("ssss"), *refused, *failed]))
    split = Split([e for e in every if e.status == 503], [e for e in every if e.status == 200], Course(every, KEY))
    assert told(split) == "none of 9 before request 15, and all 9 since"


def test_few_at_the_end_of_many_are_told_and_how_far_the_last_before_was() -> None:
    for usual, words in {22: "none of 22 before request 34, and all 3 since", 10: None}.items():
        every = in_order(*run_of([got(200)] * usual + [got(404)] * 11 + [got(503)] * 3))
        split = Split([e for e in every if e.status == 503], [e for e in every if e.status == 200], Course(every, KEY))
        said = f"{words} (the last before it is request {usual})" if words else None
        assert told(split, [since]) == said


def test_that_all_else_fails_too_is_told() -> None:
    every = in_order(*run_of([*statuses("ssssssss"), *[got(404)] * 3, *[got(503)] * 30]))
    split = Split(every[11:20], every[:8], Course(every, KEY))
    all_else = ", as does all else, whatever it asks for: something has run out, or broke"
    words = f"none of 8 before request 12, and all 9 since{all_else}, after 8 requests were served and 3 refused"
    assert told(split) == words
    spared = in_order(*every, *run_of([got(404)], after=99.0))
    assert all_else not in (told(Split(spared[11:20], spared[:8], Course(spared, KEY))) or "")


def test_what_comes_too_fast_is_told() -> None:
    fast, slow = run_of(statuses("s" * 12 + "r" * 6), 0.001), run_of(statuses("s" * 9), after=5.0)
    said = "only the 6 requests sent when 13 or more had been within 0.25 s, none of 21 others"
    assert (told_of(in_order(*fast, *slow)) or "").startswith(said)


def test_a_limit_on_requests_at_once_is_told() -> None:
    alone, burst = run_of(statuses("s" * 60)), run_of(statuses("ss" + "r" * 8), 0.0, after=99.0)
    every = in_order(*alone, *(replace(e, seconds=0.1) for e in burst))
    words = told(Split(every[62:], every[:62], Course(every, KEY)), IN_TIME) or ""
    assert words.startswith("only 8 of the 10 requests sent while 9 or more others were under way, none of 60 others")
    assert words.endswith(": a limit on requests at once, or the shedding of load, it seems")
    few = [*every[:2], *every[60:]]
    assert "under way" not in (told(Split(few[-2:], few[:-2], Course(few, KEY))) or "")


def test_what_is_idle_for_a_while_is_told() -> None:
    early, late = run_of(statuses("ssss")), run_of(statuses("r"), after=9.0)
    said = "only the request sent 6.0 s after the one before, none of 4 others: what is idle for a while is lost"
    assert (told_of(in_order(*early, *late)) or "").startswith(said)
    assert "idle" not in (told_of(in_order(*early, *late, *run_of(statuses("s"), after=20.0))) or "")
    timeless = [replace(e, when=None) for e in (*early, *late)]  # of a recording with times that cannot be read
    assert "idle" not in (told_of(in_order(*timeless)) or "")


def test_bodies_that_are_cut_at_one_size_are_told() -> None:
    every = in_order(*run_of([None] * 3), *run_of(statuses("sss")))
    for sizes, words in {
        ("2000",): "each broke off after 2,000 bytes: longer bodies are cut, it seems",
        ("20", "9"): None,
    }.items():
        told_sizes = (sizes * 3)[:3]
        broken = [
            replace(e, failure=f"it closed (received {size} bytes, expected 9999)")
            for e, size in zip(every, told_sizes, strict=False)
        ]
        said = told(Split(broken, every[3:], Course(every, KEY)), BY_REQUEST)
        assert said == words or (words is None and "broke off" not in (said or ""))


def test_bodies_that_end_at_one_size_are_told() -> None:
    cut, whole = got(200, b'{"detail": "x'), got(200, b'{"a": 1}')
    odd, usual = run_of([cut] * 3), run_of([whole] * 3)
    said = told(Split(odd, usual, Course([*odd, *usual], KEY)), BY_REQUEST)
    assert said == "each ends after 13 bytes, and no other is as long: longer bodies are cut, it seems"
    longer = [*usual, *run_of([got(200, b'{"detail": "xyz"}')])]
    assert "longer bodies" not in str(told(Split(odd, longer, Course([*odd, *longer], KEY)), BY_REQUEST))


def test_what_a_server_goes_down_at_is_told() -> None:
    posts = [replace(e, lost="dropped") for e in run_of([None] * 3, content=b"{", method="POST")]
    refused = [replace(e, lost="refused") for e in run_of([None])]
    served = run_of(statuses("sss"))
    cause = goes_down(Course(in_order(*served, *posts, *refused, *served), KEY))
    assert cause
    down = "3 connections broke, and others were refused just after: the server goes down"
    assert cause.words == f"{down}: only the 3 requests for the start of a command, none of 6 others"
    assert goes_down(Course(in_order(*served, *posts, *served), KEY)) is None


def test_what_hangs_from_one_request_on_is_told() -> None:
    served, silent = run_of(statuses("sss")), run_of([None] * 2, after=3.0)
    cause = blocked(in_order(*served, *silent))
    assert cause
    words = (
        "no request after 3 () got a response, and all before did: it hangs since then, or at such requests as these 2"
    )
    assert cause.words == words
    assert blocked(in_order(*served, *silent, *served, *silent)) is None
    assert blocked(in_order(*served, *run_of([None] * 2))) is None, "others were served meanwhile"


def test_which_request_a_server_went_down_at_is_told() -> None:
    served, silent = run_of(statuses("sss")), run_of([None] * 3, after=3.0)
    lost = [replace(e, lost="dropped" if e is silent[0] else "refused") for e in silent]
    cause = blocked(in_order(*served, *lost))
    assert cause
    down = "broke off, and all connections after it were refused: the server went down at it, it seems"
    assert cause.words == f"request 4 () {down}"


def refused_keys_of(exchanges: list[Exchange]) -> str | None:
    """Return what is said of valid keys that get 401."""
    ordered = [replace(e, when=BEGAN + timedelta(seconds=at)) for at, e in enumerate(exchanges)]
    cause = refused_keys(Course(in_order(*ordered), KEY))
    return cause.words if cause else None


def test_what_valid_keys_are_refused_with_is_told() -> None:
    polls, probes = run_of(statuses("rrrr"), query="?pid=7"), run_of(statuses("ssss"))
    words = "a valid key gets 401: only the 4 requests with pid in the query"
    assert (refused_keys_of([*polls, *probes]) or "").startswith(words)
    assert refused_keys_of([*probes, *run_of(statuses("rrrr"), key="other")]) is None


def test_how_much_of_a_key_is_compared_is_told() -> None:
    keys = {KEY[:10] + "x" * 19: 200, KEY[:9] + "y" * 20: 200, KEY[:5] + "z" * 24: 401, "abc": 401, "def": 401}
    exchanges = in_order(*(run_of([got(status)], key=key)[0] for key, status in keys.items()))
    odd, usual = exchanges[:2], exchanges[2:]
    words = "only the 2 requests whose key begins with the first 9 characters of the right one, none of 3 others"
    why = "only the beginning of a key is compared, it seems"
    assert told(Split(odd, usual, Course(exchanges, KEY))) == f"{words}: {why}"
    other_lengths = in_order(*exchanges, *run_of([got(401)], key=KEY + "x"), *run_of([got(401)], key=KEY[:-1]))
    which = "whose key is as long as the right one and begins with its first 9 characters"
    why = "of the rest of a key, only the length or the form is looked at, it seems"
    said = f"only the 2 requests {which}, none of 5 others: {why}"
    assert told(Split(odd, other_lengths[2:], Course(other_lengths, KEY))) == said
    reading = in_order(*exchanges, *run_of([got(200)], key=READ_KEY[:9] + "q"))
    why = "only the beginning of a key is compared, it seems"
    words = "only the 3 requests whose key begins with the first 9 characters of a right one, none of 3 others"
    assert told(Split([*odd, reading[-1]], usual, Course(reading, KEY, read_key=READ_KEY))) == f"{words}: {why}"


def test_who_responded_is_told() -> None:
    old, new = run_of([got(500, server="api/1")] * 3), run_of([got(200, server="api/2")] * 3)
    assert told_of(in_order(*old, *new)) == "only the 3 requests that got Server: api/1, none of 3 others"


def test_more_content_than_is_taken_is_told() -> None:
    small, large = run_of(statuses("sss"), content=b"x" * 10), run_of(statuses("rrr"), content=b"x" * 99)
    said = told_of(in_order(*large, *small)) or ""
    assert said.startswith(
        "only the 3 requests with 99 bytes of content or more, where others have 10 at most, none of 3"
    )


def test_pids_that_are_too_large_are_told_and_not_those_that_were_given_later() -> None:
    first, last = run_of(statuses("sss"), query="?pid=4294901"), run_of(statuses("rrr"), query="?pid=4294967297")
    assert "with the pid 4294967297 or one above it" in (told_of(in_order(*first, *last)) or "")
    last = run_of(statuses("rrr"), query="?pid=4194")
    assert "the pid" not in (told_of(in_order(*run_of(statuses("sss"), query="?pid=4193"), *last)) or "")


def test_a_copy_from_a_cache_is_told() -> None:
    fresh, copies = run_of([got(200, b"1", age="0")] * 3), run_of([got(200, b"1", age=age) for age in "123"])
    every = in_order(*copies, *fresh)
    words = "only the 3 requests that got a response with an Age, none of 3 others"
    assert told(Split(every[:3], every[3:], Course(every, KEY))) == words


def test_what_is_not_known_is_told() -> None:
    """The same request must have got both, and often enough."""
    decided_by_nothing = "2 of 6 such requests: it is not known what decides"
    for letters, words in {"ssrssr": decided_by_nothing, "srsr": None, "sssrrr": None}.items():
        every = in_order(*run_of(statuses(letters)))
        odd, usual = ([e for e in every if (e.status != 200) is refused] for refused in (True, False))
        assert undecided(Split(odd, usual, Course(every, KEY))) == words


def test_polls_that_wait_for_the_end_are_told() -> None:
    ended = run_of([got(200, b'{"exited": true}')], query="?pid=8")[0]
    lost = replace(run_of([None], query="?pid=7")[0], failure="no whole response within 10 seconds")
    cause = waiting(in_order(ended, lost))
    assert cause
    assert (cause.words or "").endswith("a poll waits for the end, it seems")
    runs = run_of([got(200, b'{"exited": false}')], query="?pid=7")[0]
    assert waiting(in_order(ended, runs, lost)) is None
    assert waiting(in_order(lost)) is None


def test_what_changes_once_for_each_request_is_not_back_and_forth() -> None:
    """A poll with another key may be served for good once the command is known."""
    once = [e for pid in range(20, 30) for e in run_of(statuses("rss"), query=f"?pid={pid}")]
    again = run_of(statuses("srsrsr"), query="?pid=20")
    for exchanges, told_so in ((once, False), (once + again, True)):
        marked = in_order(*exchanges)
        odd, usual = ([e for e in marked if (e.status != 200) is refused] for refused in (True, False))
        assert (back_and_forth(Split(odd, usual, Course(marked, KEY))) is not None) is told_so


def test_a_gateway_that_waits_no_longer_is_told() -> None:
    late = [replace(e, seconds=0.6 + number / 100) for number, e in enumerate(run_of([got(504)] * 4))]
    quick = run_of([got(200)] * 6, after=9.0)
    said = told_of(in_order(*late, *quick))
    assert said == "each after 0.6 s or a little more: something in front waits no longer, it seems"
    as_late = [replace(e, seconds=0.7) for e in quick[:2]]
    assert "waits no longer" not in (told_of(in_order(*late, *quick[2:], *as_late)) or "")
    assert "waits no longer" not in (told_of(in_order(replace(late[0], seconds=2.0), *late[1:], *quick)) or "")


def test_how_much_comes_where_something_breaks_is_told() -> None:
    large, small = run_of([got(200, b"x" * 4096)] * 3), run_of([got(200, b"x" * 99)] * 5, after=9.0)
    every = in_order(*large, *small)
    said = "only the 3 requests that got 4,096 bytes or more, where others got 99 at most, none of 5 others"
    assert told(Split(every[:3], every[3:], Course(every, KEY))) == said
    assert "bytes" not in (told(Split(every[:2], every[2:], Course(every, KEY))) or "")


def test_what_most_of_them_ask_for_is_told() -> None:
    odd = [*run_of([None] * 4, query="?pid=abc"), *run_of([None], query="?pid=5&pid=6", after=9.0)]
    spared = run_of([got(200)] * 9, query="?pid=7", after=20.0)
    of_odd = run_of([got(400)] * 3, query="?pid=abc", after=40.0)
    every = in_order(*odd, *spared)
    course = Course(every, KEY)
    said = "4 of these 5 requests are for a pid that is no integer, and none of 9 others"
    assert told(Split(every[:5], every[5:], course), UNDECIDED) == said
    mixed = in_order(*odd, *spared, *of_odd)
    assert "4 of these" not in (told(Split(mixed[:5], mixed[5:], Course(mixed, KEY)), UNDECIDED) or "")


def post(status: int | None, content: bytes) -> Exchange:
    (e,) = run_of([None if status is None else got(status)], content=content, method="POST")
    return e


def test_that_what_is_to_be_refused_fails_is_told() -> None:
    served, lost = [post(200, body_of("true"))] * 5, [post(None, b"{}")] * 5
    probes = run_of(statuses("ssss"))
    words = "no POST got a 4xx, and 5 of these 5 are due to: what responds so fails, it seems"
    assert told(Split(lost, served, Course([*served, *lost, *probes], KEY)), BY_REQUEST) == words
    refused = [*served, post(400, b"{}")]
    assert "due to" not in str(told(Split(lost, refused, Course([*refused, *lost, *probes], KEY)), BY_REQUEST))


def test_that_what_is_not_found_fails_is_told() -> None:
    others = [replace(e, ask=replace(e.ask, vps="unknown")) for e in run_of([None] * 5)]
    usual = run_of(statuses("sssrr"))
    words = "nothing got 404, and 5 of these 5 are due to: what responds so fails, it seems"
    assert told(Split(others, usual, Course([*others, *usual], KEY)), BY_REQUEST) == words
    found = [*usual, *run_of([got(404)])]
    assert "due to" not in str(told(Split(others, found, Course([*others, *found], KEY)), BY_REQUEST))


def test_that_several_wrong_keys_lock_callers_out_is_told() -> None:
    """Only where two or more had been tried within a second are right keys refused."""
    wrong = Response(401, (), b"{}")
    every = [*run_of(statuses("s" * 9))]
    for after in (20.0, 40.0, 60.0):
        every += run_of([wrong] * (1 if after == 20 else 2), 0.01, key="hu_wrong", after=after)
        every += run_of(statuses("sss" if after == 20 else "rrr"), 0.1, after=after + 0.1)
        every += run_of(statuses("ss"), 0.5, after=after + 6)
    every = in_order(*every)
    odd, usual = (
        [e for e in every if e.ask.credential == "full" and (e.status == 401) is one] for one in (True, False)
    )
    said = told(Split(odd, usual, Course(every, KEY)), IN_TIME)
    assert (
        said == "only the 6 requests sent when 2 or more with a wrong key had been within 0.5 s, none of 18 others: "
        "callers are locked out for a while, it seems"
    )


def test_what_a_page_was_made_with_is_no_condition() -> None:
    by = {at: replace(got(status), headers=(("X-Powered-By", f"PHP/8.{at}"),)) for at, status in ((2, 200), (4, 500))}
    odd, usual, other = run_of([by[4]] * 5), run_of(statuses("sssss")), run_of([by[2]] * 5)
    assert "X-Powered-By" not in str(told(Split(odd, usual, Course([*odd, *usual], KEY)), BY_REQUEST))
    assert "that got X-Powered-By" in str(told(Split(odd, other, Course([*odd, *other], KEY)), BY_REQUEST))
