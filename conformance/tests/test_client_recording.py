"""A recording of a client is split into stories, in a time that grows with it, as by looking through all of them."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hostup_conformance.clients import recording
from hostup_conformance.clients.judging import was_seen
from hostup_conformance.clients.recording import SOON
from hostup_conformance.clients.story import Exchange, Story, accepted, pids_of
from hostup_conformance.http import credentials, har
from hostup_conformance.keeping.misconfigured import Misconfigured
from recordings import Entry, entry, recorded


def slowly_split(sent: list[Exchange]) -> list[list[Exchange]]:
    """Split requests into stories by asking each story, the latest first, whether a request belongs to it."""
    stories: list[list[Exchange]] = []
    for e in sent:
        own = [story for story in stories if (story[-1].ask.id, story[-1].ask.origin) == (e.ask.id, e.ask.origin)]
        home = next((story for story in reversed(own) if belongs(e, story)), None)
        if home is None:
            stories.append([e])
        else:
            home.append(e)
    return stories


def belongs(e: Exchange, story: list[Exchange]) -> bool:
    starts = [one for one in story if one.ask.kind == "start"]
    polls = [one for one in story if one.ask.kind == "poll"]
    if e.ask.kind == "probe":
        return not starts and not polls
    if e.ask.kind == "start":
        last = starts[-1] if starts else None
        repeats = last and last.request.body == e.request.body and e.ask.arrived - last.ask.arrived < SOON
        return not polls and (last is None or bool(repeats and not accepted(last)))
    pid = Story(e.ask.play, tuple(story)).pid
    asked = pids_of(polls[0].request)[0] if polls else pid
    return e.ask.kind == "poll" and pids_of(e.request)[0] in {pid, asked}


def course(chance: random.Random) -> list[Entry]:
    """Return a recording of a client that does anything, with pids that nobody uses twice."""
    entries, pids = list[Entry](), [0]
    for second in range(chance.randrange(2, 40)):
        kind, vps = chance.choice(["probe", "start", "lost", "poll", "poll"]), chance.choice(["vps_1", "vps_2"])
        url = f"https://h.example/api/v2/vps/{vps}/agent/exec"
        facts: dict[str, Any] = {"sent": {"Authorization": "Bearer of-somebody"}, "got": {}}
        facts["when"] = f"2026-01-01T00:{second // 60:02}:{second % 60:02}Z"
        if kind in {"start", "lost"}:
            body = json.dumps({"command": chance.choice(["a", "b"])})
            pids.append(len(pids))
            facts |= {"method": "POST", "body": body, "text": json.dumps({"pid": pids[-1]})}
        elif kind == "poll":
            url += f"?pid={pids[-1] or 999}"
        entries.append({**entry(url, **facts), **({"response": None} if kind == "lost" else {})})
    return entries


def test_the_stories_are_those_of_the_slow_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(40):
        file = recorded(tmp_path / "x.har", course(random.Random(seed)))  # noqa: S311 - it only varies the cases
        quick = [(e.request, e.ask.arrived) for e in recording.read(file, {})]
        with monkeypatch.context() as patch:
            patch.setattr(recording, "split_into_stories", lambda sent: slowly_split(list(sent)))
            assert quick == [(e.request, e.ask.arrived) for e in recording.read(file, {})], seed


@pytest.mark.parametrize("arguments", [{}, {"HOSTUP_API_KEY": "of-somebody"}])
def test_a_pid_of_any_length_is_read(tmp_path: Path, arguments: dict[str, str]) -> None:
    file = recorded(tmp_path / "x.har", course(random.Random(3)))  # noqa: S311 - it only varies the cases
    file.write_text(file.read_text().replace("?pid=", f"?pid={'9' * 5000}"))
    assert recording.read(file, arguments)


@pytest.mark.parametrize("is_seen", [True, False])
def test_a_recording_without_a_response_demonstrates_nothing(tmp_path: Path, *, is_seen: bool) -> None:
    one = course(random.Random(3))[0]  # noqa: S311 - it only varies the cases
    file = recorded(tmp_path / "x.har", [{**one, "response": one["response"] if is_seen else None}])
    assert was_seen(recording.read(file, {})) is is_seen


def test_times_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    one = course(random.Random(3))[0]  # noqa: S311 - it only varies the cases
    file = recorded(tmp_path / "x.har", [{**one, "startedDateTime": "2026-01-31T12:00:00.000"}])
    with pytest.raises(Misconfigured, match=r"x\.har: no startedDateTime is a time with its zone"):
        recording.read(file, {})


def test_recordings_are_bounded(tmp_path: Path) -> None:
    """In entries, and in what has to be kept out of the reports."""
    one = course(random.Random(1))[0]  # noqa: S311 - it only varies the cases
    file = recorded(tmp_path / "x.har", [one] * (har.MOST_ENTRIES + 1))
    with pytest.raises(Misconfigured, match="it has more than 5000 entries"):
        recording.read(file, {})
    keys = [{"name": "X-Api-Key", "value": f"{number:01000}"} for number in range(1200)]
    many = [{**one, "request": {**one["request"], "headers": keys[at : at + 100]}} for at in range(0, 1200, 100)]
    recorded(file, many)
    with pytest.raises(Misconfigured, match="more than 1 MiB of credentials"):
        credentials.secrets_in(har.read(file).entries)
