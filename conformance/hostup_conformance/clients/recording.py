"""A recording (HAR 1.2) of a client as a source: each command in it is a story of its own.

A recording does not show how the client ended, what it printed, or which id, command and key it was given: these are
known only if the user names them. Entries for other paths are left out, unless they send the key to another host.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import get_args

from hostup_conformance.clients import Does
from hostup_conformance.clients.story import (
    UNSEEN,
    Exchange,
    Origin,
    Play,
    Scene,
    Seen,
    Story,
    TaskRequest,
    accepted,
    kind_of,
    pids_of,
    told,
)
from hostup_conformance.contract.paths import below_prefix
from hostup_conformance.http import credentials, har
from hostup_conformance.http import exchange as core
from hostup_conformance.keeping.misconfigured import Misconfigured
from hostup_conformance.keeping.redact import redactor

#: Within how many seconds an equal start counts as a repetition of one that was lost.
SOON = 60.0
KINDS: tuple[TaskRequest, ...] = get_args(TaskRequest)
#: How many digits a pid may have.
LONGEST_PID = 20


def read(file: Path, environ: Mapping[str, str]) -> list[Exchange]:
    """Return the stories in a recording; raise `Misconfigured` if none is of the endpoint, or has a key."""
    with har.in_time(file):
        recorded = har.read(file).entries
        entries = sorted((e for e in recorded if e.when), key=lambda e: e.when or 0)
        if recorded and not entries:
            form = "2026-01-31T12:00:00.000Z"
            raise Misconfigured(f"{file}: no startedDateTime is a time with its zone, as in {form}; export it again")
        ours = [e for e in entries if kind_of(below_prefix(e.request))[0] in KINDS]
        if not ours or ours[0].when is None:
            raise Misconfigured(f"{file}: none of its {len(entries)} entries is about the endpoint; record its use")
        if not any(entry.request.header(name) for entry in ours for name in credentials.CREDENTIALS):
            raise Misconfigured(
                f"{file}: no request has a key, which browsers leave out; export it with sensitive data"
            )
        key = key_of(ours, environ.get("HOSTUP_API_KEY"))
        scene = Scene(file.name, "recorded", vps=environ.get("HOSTUP_VPS_ID", ""), command=None, pid=None)
        play = Play(scene, "run", key, recorded=True)
        home = Counter(entry.origin for entry in ours).most_common(1)[0][0]
        away = [entry for entry in entries if entry.origin != home and leaks(entry, key)]
        taken = {id(entry) for entry in (*ours, *away)}
        sent = [exchange_of(entry, play, ours[0].when, home) for entry in entries if id(entry) in taken]
        exchanges = [exchange for requests in split_into_stories(sent) for exchange in told_in(requests, play)]
        for number, exchange in enumerate(exchanges, 1):
            exchange.number = number
        return exchanges


def key_of(entries: Iterable[har.Entry], named: str | None) -> str:
    """Return the key that the user named if the recording has it, else the most frequent one."""
    values = [(entry.request.header("authorization") or "").partition(" ")[2] for entry in entries]
    counted = Counter(filter(None, values)).most_common(1)
    return named if named in values and named else counted[0][0] if counted else named or ""


def leaks(entry: har.Entry, key: str) -> bool:
    """Whether a request contains the key, wherever it was sent."""
    return any(
        redactor((key,)).finds_in(text) for text in (entry.request.target, *(v for _, v in entry.request.headers))
    )


def exchange_of(entry: har.Entry, play: Play, began: datetime, home: str) -> Exchange:
    """Return an entry as an exchange."""
    request = below_prefix(entry.request)
    kind, segment = kind_of(request)
    arrived = (entry.when - began).total_seconds() if entry.when else 0.0
    delivered = entry.response is not None
    origin: Origin = "own" if entry.origin == home else "other"
    return core.Exchange(
        number=0,
        request=request,
        response=entry.response,
        ask=Seen(play, kind, origin, segment, arrived, arrived + entry.seconds, delivered),
        failure=None if delivered else "no response was recorded",
        seconds=entry.seconds,
        when=entry.when,
        purpose=play.purpose,
        source="har",
    )


def split_into_stories(sent: Iterable[Exchange]) -> list[list[Exchange]]:
    """Split requests into stories.

    A probe begins one, unless another probe came just before; a start does, unless it repeats one that was lost; a poll
    belongs to the story of the command that it polls.
    """
    stories: list[list[Exchange]] = []
    places: dict[tuple[str | None, Origin], Begun] = {}
    for e in sent:
        begun = places.setdefault((e.ask.id, e.ask.origin), Begun())
        if (story := begun.home_of(e)) is None:
            stories.append(story := [])
        story.append(e)
        begun.note(e, story)
    return stories


class Begun:
    """The stories of one VPS that may go on, so that none is looked for among all."""

    def __init__(self) -> None:
        #: Those of probes alone; those that end with a start that was lost, by its body; and by the pid that is polled.
        self._probed: list[list[Exchange]] = []
        self._lost: dict[bytes, list[list[Exchange]]] = {}
        self._polled: dict[str, list[Exchange]] = {}

    def home_of(self, e: Exchange) -> list[Exchange] | None:
        """Return the latest story that a request continues, if any."""
        probed = self._probed[-1] if self._probed else None
        if e.ask.kind == "probe":
            return probed
        if e.ask.kind == "start":
            stories = self._lost.get(e.request.body, [])
            while stories and not repeats(e, stories[-1][-1]):
                stories.pop()  # nothing repeats it any more
            later = stories and (probed is None or stories[-1][0].ask.arrived > probed[0].ask.arrived)
            return stories[-1] if later else probed
        return self._polled.get(pids_of(e.request)[0]) if e.ask.kind == "poll" else None

    def note(self, e: Exchange, story: list[Exchange]) -> None:
        """Note that a request is the last of a story."""
        if e.ask.kind == "probe" and len(story) == 1:
            self._probed.append(story)
        elif e.ask.kind == "start":
            if self._probed and self._probed[-1] is story:
                self._probed.pop()
            self._lost.setdefault(e.request.body, []).append(story)
            if pid := Story(e.ask.play, (e,)).pid:
                self._polled[pid] = story
        elif e.ask.kind == "poll":
            self._polled[pids_of(e.request)[0]] = story


def repeats(e: Exchange, last: Exchange) -> bool:
    """Whether a start repeats the last request of a story, which may have been lost."""
    same = last.ask.kind == "start" and last.request.body == e.request.body
    return same and e.ask.arrived - last.ask.arrived < SOON and not accepted(last)


def told_in(requests: list[Exchange], play: Play) -> list[Exchange]:
    """Return the requests of a story, and its end."""
    kinds = {e.ask.kind for e in requests}
    does: Does = "run" if "start" in kinds else "poll" if "poll" in kinds else "probe"
    pids = [pids_of(e.request)[0] for e in requests if e.ask.kind == "poll"]
    pid = int(pids[0]) if does == "poll" and pids[0].isdecimal() and len(pids[0]) <= LONGEST_PID else None
    play = replace(play, does=does, scene=replace(play.scene, pid=pid))
    for e in requests:
        e.ask = replace(e.ask, play=play)
    return told(play, requests, UNSEEN, "the recording ends", requests[-1].ask.responded or 0.0)
