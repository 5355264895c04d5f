"""A client as its reports show it: by the command line that plays a scene again, and by what happened in the scene."""

import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path

from hostup_conformance.clients.scenes import KEY
from hostup_conformance.clients.story import Exchange, Seen, Story, how
from hostup_conformance.contract.target import SUITE
from hostup_conformance.front.options import ClientOptions
from hostup_conformance.front.record import BODY_CHARACTERS, ReportedTarget, as_shown
from hostup_conformance.keeping.redact import redactor
from hostup_conformance.keeping.safe_text import CommandLine, Redact, beginning, counted
from hostup_conformance.keeping.screen import keys_in

#: How many of the last bytes that a command printed are shown.
LAST = 500
#: How many bytes are read for them, so that no half of a key is shown.
TAIL = 4000
#: How many of the first, and of the last, requests of a scene are shown.
LINES = 8


def client(options: ClientOptions) -> ReportedTarget[Seen]:
    """Return the client as it is reported. It may know, and print, the keys that the suite was started with."""
    redact = redactor((KEY, *keys_in(os.environ)))
    does = () if options.does == "run" else ("--does", options.does)
    described = {"base_url": shlex.join(options.words), "kind": "client", "profile": options.does, "course": []}

    def again(e: Exchange) -> CommandLine:
        return CommandLine([program(), "client", *does, "--scene", e.ask.play.scene.name, "--", *options.words])

    return ReportedTarget(described, redact, again, partial(came, redact=redact), scene_of_each)


def program() -> str:
    """Return how this command is run again: as it was, if the shell would not find it by its name."""
    found_by_path = Path(sys.argv[0]).name == SUITE and shutil.which(SUITE) is None
    return sys.argv[0] if found_by_path else SUITE


def recorded_client(file: Path, redact: Redact) -> ReportedTarget[Seen]:
    """Return the client in a recording as it is reported."""
    described = {"base_url": str(file), "kind": "har", "profile": "client"}
    again = CommandLine([program(), "judge", str(file), "--client"])
    return ReportedTarget(described, redact, lambda _: again, partial(came, redact=redact), scene_of_each)


def scene_of_each(exchanges: Sequence[Exchange]) -> dict[int, str]:
    """Return the scene of each exchange by its number."""
    return {e.number: e.ask.play.scene.name for e in exchanges}


def came(e: Exchange, redact: Redact) -> str:
    """Return an exchange as text for people: the request, if it is one, and the course of its scene."""
    story = e.ask.story or e.ask.within
    parts = ["\n".join(lines_of(story, e, redact))] if story else []
    if e.ask.story is None:
        # What somebody else has recorded may hold credentials of any service.
        request = as_shown(e.request, "har") if e.ask.play.recorded else e.request
        fields = "".join(f"{name}: {value}\n" for name, value in request.headers)
        body = redact(request.body.decode("utf-8", "replace"))[:LAST]
        parts.insert(0, f"{request.method} {request.target} HTTP/1.1\n{fields}\n{body}".rstrip())
    return beginning("\n\n".join(parts), BODY_CHARACTERS, redact)[0].rstrip()


def lines_of(story: Story, shown: Exchange, redact: Redact) -> Iterator[str]:
    """Yield what happened in a scene, in lines, of which that of one request is marked."""
    last = len(story.requests) - LINES
    around = [n for n, sent in enumerate(story.requests) if sent is shown or n < LINES or n >= last]
    for previous, n in pairwise((-1, *around)):
        if n > previous + 1:
            yield f"         ({counted(n - previous - 1, 'more request')})"
        sent = story.requests[n]
        target = as_shown(sent.request, "har").target if sent.ask.play.recorded else sent.request.target
        came_of_it = sent.status or sent.failure or "no response"
        mark = ">" if sent is shown else " "
        yield f"{mark}{sent.ask.arrived:5.1f} s  {sent.request.method} {target} \N{RIGHTWARDS ARROW} {came_of_it}"
    if story.outcome.is_seen:
        yield f" {story.outcome.seconds:5.1f} s  {how(story.outcome)}"
        for name, printed in story.outcome.printed.items():
            yield f"{name}: {redact(printed[-TAIL:].decode('utf-8', 'replace'))[-LAST:].rstrip()}"
