"""Runs every faulty client, and writes which requirements report each: `make client-matrix`.

Each is played the scenes in which its defect shows, and a few ordinary ones. Right clients are played all scenes, and
none may be reported. What cannot be run here is left out, and said.
"""

import os
import re
import sys
from collections.abc import Callable, Iterable
from typing import Any

from clients.catalogue import CLIENTS, RIGHT, Client, Missing, right, wrong
from hostup_conformance.clients import certificates
from hostup_conformance.clients.judging import MATRIX, Verdict, client_requirements, judge_client
from hostup_conformance.clients.play import ClientCommand
from hostup_conformance.clients.rounds import RunControl, play_each
from hostup_conformance.clients.scenes import SCENES
from hostup_conformance.clients.story import Exchange, Scene
from hostup_conformance.judging.root_cause import Breach, read_matrix, root_causes
from judging import reported, write_matrix
from running import exit_with

#: Scenes that every faulty client is played besides those in which its defect shows.
ORDINARY = ("well", "exit-code-3", "unavailable", "poll-rate-limited", "start-lost", "poll-lost", "poll-forbidden")
#: How many scenes are played at once to faulty clients: they wait most of the time.
MANY = 5 * (os.cpu_count() or 1)
#: How many scenes are played at once to right clients, some of which start slowly.
FEW = 4 * (os.cpu_count() or 1)
#: What differs from run to run.
UNSTEADY = (
    (re.compile(r"\b(127\.0\.0\.1|localhost):\d+"), r"\1:8080"),
    (re.compile(r"\w{3}, \d\d \w{3} \d{4} [\d:]+ GMT"), "Mon, 27 Apr 2026 12:34:56 GMT"),
    (re.compile(r"\b\d+(\.\d+)? (seconds|requests within)"), r"some \2"),
)


def verdicts(
    clients: Iterable[Client], chosen: Callable[[Client], Iterable[str]], at_once: int = MANY
) -> dict[str, Verdict | str]:
    """Return the verdict on each client in the scenes that are chosen for it, or why it could not be run."""
    plays: list[tuple[str, ClientCommand, Scene]] = []
    found: dict[str, Verdict | str] = {}
    for client in clients:
        try:
            command = ClientCommand(client.command(), client.does)
        except Missing as missing:
            found[client.name] = str(missing)
            continue
        suited = [scene for name in chosen(client) if (scene := SCENES.named(name)).suits(client.does)]
        if any(scene.certificate for scene in suited) and (why := certificates.missing()):
            if client.requirements:
                found[client.name] = why
                continue
            suited = [scene for scene in suited if not scene.certificate]
        plays += [(client.name, command, scene) for scene in suited]
    played = play_each([(command, scene) for _, command, scene in plays], RunControl(3600), at_once)
    exchanges: dict[str, list[Exchange]] = {}
    for (name, _, _), seen in zip(plays, played, strict=True):
        exchanges.setdefault(name, []).extend(seen)
    return found | {name: judge_client(numbered(seen)) for name, seen in exchanges.items()}


def numbered(exchanges: list[Exchange]) -> list[Exchange]:
    """Number exchanges in their order."""
    for number, exchange in enumerate(exchanges, 1):
        exchange.number = number
    return exchanges


def steady(text: str) -> str:
    """Return a text without what differs from run to run."""
    for pattern, replacement in UNSTEADY:
        text = pattern.sub(replacement, text)
    return text


def measured(names: Iterable[str] = ()) -> dict[str, Any]:
    """Run all clients, or those of some names, and return the matrix; the rest of the catalogue's stays as it was.

    So does that of clients that cannot be run here.
    """
    meant, old = CLIENTS.chosen([*names]), read_matrix(MATRIX)
    chosen = [client for client in wrong() if client.name in meant]
    correct = [client for client in right() if client.name in meant]
    seen = verdicts(chosen, lambda client: dict.fromkeys((*client.scenes, *ORDINARY)))
    good = verdicts(correct, lambda _: SCENES.all(), FEW)
    for name, verdict in (seen | good).items():
        if isinstance(verdict, str):
            print(f"left out: {name} ({verdict})", file=sys.stderr)
    rows = {
        client.name: {"requirement": client.requirements[0], "doc": client.doc, "reported": reported(verdict)}
        for client in chosen
        if not isinstance(verdict := seen[client.name], str)
    }
    passed = {
        client.name: {"doc": client.doc, "reported": reported(verdict)}
        for client in correct
        if not isinstance(verdict := good[client.name], str)
    }
    new: dict[str, dict[str, Any]] = {"faults": rows, "variants": passed, "examples": examples(chosen, seen)}
    known = {
        "faults": {client.name for client in wrong()},
        "variants": {client.name for client in right()},
        "examples": client_requirements(),
    }
    return {part: {name: row for name, row in (old[part] | new[part]).items() if name in known[part]} for part in new}


def examples(clients: Iterable[Client], seen: dict[str, Verdict | str]) -> dict[str, dict[str, str]]:
    """Return a bad example of each requirement, and what a right client did in the same scene."""
    found: dict[str, dict[str, str]] = {}
    shown: dict[str, str] = {}
    for client in clients:
        verdict = seen[client.name]
        id = client.requirements[0]
        if isinstance(verdict, str) or id in found or not (findings := verdict.results[id].findings):
            continue
        finding = next((f for f in findings if f.exchange.ask.play.scene.name in client.scenes), findings[0])
        found[id] = {"bad": steady(f"{client.doc} Expected {finding.expected}, got {finding.got}")}
        shown[id] = finding.exchange.ask.play.scene.name
    told = stories(dict.fromkeys(shown.values()))
    return {id: {**example, "good": steady(told[shown[id]])} for id, example in found.items()}


def stories(names: Iterable[str]) -> dict[str, str]:
    """Return what a right client does in some scenes, each in a line."""
    command = ClientCommand(RIGHT.command())
    played = play_each([(command, SCENES.named(name)) for name in names], RunControl(), FEW)
    return {seen[-1].ask.play.scene.name: told(seen) for seen in played}


def told(seen: list[Exchange]) -> str:
    """Return a story in a line: each request with what came of it, and how the command ended."""
    sent = [f"{e.request.method} {e.request.target.rpartition('/')[2]} -> {e.status or e.failure}" for e in seen[:-1]]
    return f"{', '.join([*sent, how(seen[-1])])} (scene {seen[-1].ask.play.scene.name})"


def how(ending: Exchange) -> str:
    """Say how the command ended."""
    outcome = ending.ask.story.outcome if ending.ask.story else None
    return f"exit code {outcome.code}" if outcome and outcome.code is not None else str(ending.failure)


def first_reported(row: dict[str, Any], ids: list[str], rows: dict[str, Any]) -> str | None:
    """Return the requirement that a summary names first for a faulty client, given all of them."""
    return next(iter(root_causes([Breach(id) for id in ids if id in row["reported"]], rows)), None)


def summary(matrix: dict[str, Any]) -> list[str]:
    """Return what there is to say of a matrix, in lines."""
    rows = matrix["faults"]
    own = [name for name, row in rows.items() if row["requirement"] in row["reported"]]
    ids = list(client_requirements())
    first = [name for name, row in rows.items() if first_reported(row, ids, rows) == row["requirement"]]
    blamed = {name: row["reported"] for name, row in matrix["variants"].items() if row["reported"]}
    return [
        f"{len(own)} of {len(rows)} faulty clients are killed by their own requirement, {len(first)} named by it first",
        f"{len(matrix['variants'])} right clients, reported: {blamed or 'none'}",
        *(f"not killed: {name} ({row['requirement']})" for name, row in rows.items() if name not in own),
        *(f"named by another first: {name}: {row['reported']}" for name, row in rows.items() if name not in first),
    ]


def main() -> int:
    """Write the matrix, and say what is in it; arguments are the names of clients to run, where it is not all."""
    matrix = measured(sys.argv[1:])
    write_matrix(MATRIX, matrix)
    print("\n".join(summary(matrix)))
    return 0


if __name__ == "__main__":
    exit_with(main)
