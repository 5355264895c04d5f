"""What explains many exchanges at once, on runs that are made up: each cause where it holds, and where not."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from hostup_conformance.contract.ask import Exchange
from hostup_conformance.contract.causes.widespread import (
    blocked,
    copied,
    enveloped,
    kept_decision,
    kept_start,
    limited,
    locked_out,
    shut_out,
)
from hostup_conformance.contract.paths import path_of
from hostup_conformance.contract.target import Target
from hostup_conformance.contract.understanding import understand
from hostup_conformance.http.messages import Request, Response
from hostup_conformance.sources.requests import BASE_HEADERS, authorization, authorized
from hostup_conformance.sources.start_steps import post

TARGET = Target(
    "http://127.0.0.1:1", "server", "the-key-of-all", "vps_1", read_key="the-key-for-reading", running_pid=4242
)
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
REFUSED = {"code": "forbidden"}


def run(*sent: tuple[Request, int | None, Any], seconds: float = 0.01) -> list[Exchange]:
    """A run whose requests got these statuses and bodies, one after another; None stands for no response."""
    found = []
    for number, (request, status, body) in enumerate(sent, 1):
        fields = (("Content-Type", "application/json"),)
        response = None if status is None else Response(status, fields, json.dumps(body).encode())
        when = BEGAN + timedelta(seconds=number)
        found.append(Exchange(number, request, response, understand(request, TARGET), when=when, seconds=seconds))
        found[-1].lost = "silent" if status is None else None
    return found


def poll(pid: int, key: str | None = TARGET.key) -> Request:
    return Request("GET", f"{path_of(TARGET.vps)}?pid={pid}", (*BASE_HEADERS, *authorization(TARGET, key)))


def start(text: str) -> Request:
    return post(TARGET, json.dumps({"command": text} if text else {}).encode())


def test_a_refusal_that_is_kept_for_another_key_is_told() -> None:
    """The key that has all scopes is refused for three seconds after the other was, and served else."""
    served, denied = (poll(4242), 200, {"exited": False}), (poll(4242), 403, REFUSED)
    other = (poll(4242, TARGET.read_key), 403, REFUSED)
    cause = kept_decision(run(*[served] * 3, other, *[denied] * 3, *[served] * 3))
    assert cause
    assert cause.numbers == {5, 6, 7}
    assert "only within 3 s after the other key did: what was decided for one key is kept for all" in str(cause.words)
    assert kept_decision(run(*[served] * 3, other, *[denied] * 2, served, *[denied] * 3, *[served] * 3)) is None
    assert kept_decision(run(*[served] * 3, *[denied] * 3, *[served] * 3)) is None


def test_a_refusal_that_is_kept_for_another_key_is_told_of_polls_alone_and_of_what_overlaps() -> None:
    """When a refusal had its effect is known no better than that it was under way; starts may be decided otherwise."""
    served, denied = (poll(4242), 200, {"exited": False}), (poll(4242), 403, REFUSED)
    other, begun = (poll(4242, TARGET.read_key), 403, REFUSED), (start("true"), 200, {"pid": 7})
    cause = kept_decision(run(*[served] * 3, other, begun, *[denied] * 3, *[served] * 3))
    assert cause
    assert cause.numbers == {6, 7, 8}
    slow = [other, *[denied] * 3, served, other, *[denied] * 5, *[served] * 3]
    assert kept_decision(run(*[served] * 3, *slow)) is None
    assert kept_decision(run(*[served] * 3, *slow, seconds=0.6)) is not None


def test_a_start_that_a_cache_keeps_is_told() -> None:
    """What has no valid command gets the pid of an earlier start too; where pids only come again, there is no cache."""
    proper = [(start(f"echo {at}"), 200, {"pid": 7}) for at in range(3)]
    assert kept_start(run(*proper)) is None
    cause = kept_start(run(*proper, *[(start(""), 200, {"pid": 7})] * 3))
    assert cause
    assert cause.numbers == {2, 3, 4, 5, 6}
    assert "as request 2 that of 1: a cache keeps what a POST got, or" in str(cause.words)
    assert kept_start(run(*proper, *((start(""), 200, {"pid": pid}) for pid in (8, 9, 10)))) is None


def test_starts_that_hang_since_an_improper_one_are_told() -> None:
    served = [(start(f"echo {at}"), 200, {"pid": 7 + at}) for at in range(3)]
    probe = (authorized(path_of(TARGET.vps), TARGET), 200, {"available": True})
    hung = [(start(""), None, None), probe, (start("echo x"), None, None), probe]
    cause = blocked(run(*served, *hung))
    assert cause
    assert cause.numbers == {4, 6}
    assert "no start after 3" in str(cause.words)
    assert blocked(run(*served, *hung, (start("echo y"), 200, {"pid": 17}))) is None


def test_keys_that_are_locked_out_after_a_wrong_one_are_told() -> None:
    probe = authorized(path_of(TARGET.vps), TARGET)
    served, denied = (probe, 200, {"available": True}), (probe, 401, {"code": "unauthorized"})
    wrong = (poll(4242, "a-wrong-key"), 401, {"code": "unauthorized"})
    cause = locked_out(run(*[served] * 3, wrong, *[denied] * 3, *[served] * 3))
    assert cause
    assert cause.numbers == {5, 6, 7}
    assert "only within 3.0 s after a wrong one was tried" in str(cause.words)
    assert locked_out(run(*[served] * 3, wrong, *[denied] * 2, served, denied, *[served] * 3)) is None
    not_prolonged = [wrong, denied, denied, wrong, denied, *[served] * 3]
    cause = locked_out(run(*[served] * 3, *not_prolonged, wrong, *[denied] * 4, *[served] * 3))
    assert cause
    assert cause.numbers == {5, 6, 8, 13, 14, 15, 16}
    assert locked_out(run(*[served] * 3, *not_prolonged, wrong, *[denied] * 5, *[served] * 3)) is None
    assert locked_out(run(*[served] * 3, wrong, *[denied] * 3, wrong, *[served] * 3)) is None  # once may be by chance


def test_a_limit_that_only_those_meet_who_try_keys_is_told() -> None:
    served, wrong = (poll(4242), 200, {"exited": False}), poll(4242, "a-wrong-key")
    refused, limited = (wrong, 401, {"code": "unauthorized"}), (wrong, 429, {"code": "rate_limit_exceeded"})
    cause = shut_out(run(*[refused] * 2, *[limited] * 3, *[served] * 3))
    assert cause
    assert cause.numbers == {3, 4, 5}
    assert "once 2 had been refused, and 3 with one got 2xx" in str(cause.words)
    assert shut_out(run(*[refused] * 2, *[limited] * 3, *[served] * 3, (poll(4242), 429, {}))) is None
    assert shut_out(run(*[refused] * 2, *[served] * 3, *[limited] * 3)) is None


def test_what_an_adapter_did_not_unwrap_is_told() -> None:
    probe = authorized(path_of(TARGET.vps), TARGET)
    wrapped = {"statusCode": 401, "headers": {}, "body": "{}"}
    cause = enveloped(run(*[(probe, 200, wrapped)] * 6))
    assert cause
    assert "was not unwrapped" in str(cause.words)
    assert enveloped(run(*[(probe, 200, {"available": True})] * 6)) is None
    assert enveloped(run(*[(probe, 200, wrapped)] * 2, *[(probe, 200, {"available": True})] * 6)) is None


def test_what_no_key_gets_is_no_rate_limit() -> None:
    probe = authorized(path_of(TARGET.vps), TARGET)
    served = [(probe, 200, {"available": True})] * 6
    keyless = [(poll(pid, None), 403, {"detail": "Not authenticated"}) for pid in range(1, 5)]
    assert limited(run(*served, *keyless, *served)) is None
    assert limited(run(*served, *[(poll(pid), 403, REFUSED) for pid in (1, 2, 3)], (probe, 403, REFUSED), *served))


def test_what_a_cache_kept_for_another_key_is_told_where_it_keeps_refusals_too() -> None:
    probe = authorized(path_of(TARGET.vps), TARGET)
    without, other = Request("GET", path_of(TARGET.vps), BASE_HEADERS), poll(4242, None)
    available, refusal = {"available": True}, {"code": "unauthorized", "requestId": "req_1"}
    let_in = [(probe, 200, available), (without, 200, available)]
    assert copied(run(*let_in)) is None  # nothing checks the key, perhaps
    cause = copied(run(*let_in, (other, 401, refusal), (poll(4242), 401, refusal)))
    assert cause
    assert cause.numbers == {2}
    assert "a cache takes no notice of the key, and keeps refusals" in str(cause.words)
