"""One run of the suite on a client: scenes, verdict, reports. It must not know how a command is run or judged.

It is not a pytest session, since there are no tests to select: a client gets one verdict.
"""

import asyncio
import os
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

from hostup_conformance.clients import Does, certificates
from hostup_conformance.clients import recording as client_recording
from hostup_conformance.clients.judging import Verdict, client_requirements, judge_client, root_causes
from hostup_conformance.clients.play import ClientCommand, check_command, serve_by_hand
from hostup_conformance.clients.rounds import RunControl, play_all
from hostup_conformance.clients.scenes import FIRST, QUICK, SCENES
from hostup_conformance.clients.story import Exchange, Scene, Seen
from hostup_conformance.front import CONFORMANT, INTERRUPTED, NOT_CONFORMANT, UNUSABLE, UNWRITTEN
from hostup_conformance.front.options import ClientOptions
from hostup_conformance.front.preparation import check_outputs
from hostup_conformance.front.record import ReportedTarget, RunInfo, record_of
from hostup_conformance.front.reported_client import client, recorded_client
from hostup_conformance.front.run import JUDGING_SECONDS, RECORD_SECONDS, UNFINISHED
from hostup_conformance.http import credentials
from hostup_conformance.judging.defects import Defects
from hostup_conformance.judging.rule import SHOWN
from hostup_conformance.judging.verdict import nothing_judged
from hostup_conformance.judging.waivers import Waiver, apply_waivers, read_waivers
from hostup_conformance.keeping.interruption import REASON, Interruption, ended_at_once
from hostup_conformance.keeping.misconfigured import Misconfigured
from hostup_conformance.keeping.processes import COMMANDS, descendants, end, end_group
from hostup_conformance.keeping.redact import redactor
from hostup_conformance.keeping.safe_text import BEYOND, Redact, counted, on_one_line
from hostup_conformance.keeping.screen import complain, guard, say
from hostup_conformance.reports import terminal
from hostup_conformance.reports.files import remove_reports, write_files, write_reports
from hostup_conformance.reports.progress import Progress

#: How many of the last lines that a command printed are shown where that is all there is to see.
LAST_LINES = 20
#: The codes that make a terminal show a line so (ECMA-48, SGR).
COLOURS = {"red": "31", "green": "32", "yellow": "33", "bold": "1"}


class Printer:
    """Prints the summary as pytest's terminal reporter does, with colours only on a terminal."""

    def section(self, title: str, sep: str) -> None:
        """Print a heading."""
        say(f" {title} ".center(100, sep))

    def write_line(self, line: str, **markup: bool) -> None:
        """Print a line."""
        codes = ";".join(code for name, code in COLOURS.items() if markup.get(name))
        say(f"\x1b[{codes}m{line}\x1b[0m" if codes and sys.stdout.isatty() else line)


def run(options: ClientOptions) -> int:
    """Judge a client, write the reports, print the summary, and return the exit code."""
    about = client(options)
    progress, began = Progress(sys.stdout, silent=options.quiet), time.monotonic()

    def watch(words: Callable[[], str]) -> None:
        progress.tell(lambda: f"{words()}, {time.monotonic() - began:.0f} s")

    def tell(line: str) -> None:
        progress.clear()
        say(line)
        about.described["course"].append(line)

    def exchanges(interruption: Interruption) -> tuple[list[Exchange], str | None]:
        command = ClientCommand(options.words, options.does)
        check_command(command)
        chosen = playable(chosen_scenes(options), tell)
        say(f"command: {on_one_line(shlex.join(options.words))} ({options.does}), {counted(len(chosen), 'scene')}")
        control = RunControl(say=tell, watch=watch)
        interruption.tell(control.stop)
        exchanges = play_all(command, chosen, control, options.jobs)
        progress.clear()
        if exchanges and control.reason and control.reason != REASON:
            print_standard_error(exchanges, about.redact)
        return exchanges, control.reason

    return judge_and_report(options, exchanges, about)


def print_standard_error(exchanges: Sequence[Exchange], redact: Redact) -> None:
    """Print the end of the standard error of the last scene, which is all there is to see."""
    story = exchanges[-1].ask.story if exchanges else None
    text = story.outcome.stderr.decode("utf-8", "replace") if story else ""
    say("its standard error:" if text.strip() else "it printed nothing to its standard error")
    lines = [line[: SHOWN + BEYOND] for line in text.splitlines()[-LAST_LINES:]]
    for line in redact("\n".join(lines)).splitlines():  # together: a key may be spread over lines
        say(f"  | {on_one_line(line[:SHOWN])}")


def judge_file(file: Path, options: ClientOptions) -> int:
    """Judge the client in a recording, write the reports, print the summary, and return the exit code."""
    options = replace(options, recording=file)
    secrets = guard(os.environ)

    def exchanges(_: Interruption) -> tuple[list[Exchange], str | None]:
        found = client_recording.read(file, os.environ)
        secrets.learn({e.ask.play.key for e in found} | credentials.secrets_in(found))
        return found, "the recording does not show it"

    return judge_and_report(options, exchanges, recorded_client(file, secrets.redact))


def judge_and_report(
    options: ClientOptions,
    take: Callable[[Interruption], tuple[list[Exchange], str | None]],
    about: ReportedTarget[Seen],
) -> int:
    """Take exchanges, judge them, write the reports, print the summary, and return the exit code."""
    info, began = RunInfo(), time.monotonic()
    try:
        remove_reports(options.report_dir, options.inputs.values())
        check_outputs(options.report_dir, None, options.inputs)
        waivers = read_waivers(options.waivers)
        interruption = Interruption(ended_now)
        try:
            nothing = nothing_judged(client_requirements().values(), Defects(), UNFINISHED)
            unfinished = record_of(nothing, [], about, replace(info, stopped=UNFINISHED), root_causes)
            write_files(unfinished, options.report_dir)  # they stand until they are replaced
            exchanges, stopped = take(interruption)
            verdict = judged(exchanges, stopped, waivers, info.started.date(), options)
            played = dict.fromkeys(e.ask.play.scene.name for e in exchanges)
            only = tuple(f"the scene {name}" for name in played) if options.scenes or options.quick else ()
            info = replace(
                info, seconds=time.monotonic() - began, stopped=stopped, only=only, scenes=len(suited(options.does))
            )
            return report(verdict, exchanges, about, info, options)
        finally:
            interruption.close()
    except Misconfigured as error:
        remove_reports(options.report_dir, options.inputs.values())
        complain(str(error))
        return UNUSABLE


def ended_now(number: int, frame: object) -> NoReturn:
    """End the process with all commands: an exception within an event loop would leave both half ended."""
    for pid in {*COMMANDS}:
        end_group(pid)
    for pid in descendants():
        end(pid)
    certificates.remove()
    ended_at_once(number, frame)


def judged(
    exchanges: Sequence[Exchange], stopped: str | None, waivers: list[Waiver], today: date, options: ClientOptions
) -> Verdict:
    """Return the verdict on a client."""
    defects, by = Defects(redactor(tuple({e.ask.play.key for e in exchanges}))), time.monotonic() + JUDGING_SECONDS

    def time_up() -> str | None:
        return "later" if time.monotonic() > by else None

    def judge() -> Verdict:
        # What a recording does not show was not cut short.
        is_run = options.recording is None
        verdict = judge_client(exchanges, stopped, defects, time_up, resumable=is_run)
        return apply_waivers(verdict, waivers, today, strict=options.strict)

    return defects.survive(judge, nothing_judged(client_requirements().values(), defects), by)


def by_hand(options: ClientOptions) -> int:
    """Serve one scene until Ctrl-C, then print what was wrong with the requests; return the exit code."""
    try:
        scene, *others = chosen_scenes(ClientOptions(scenes=options.scenes or [FIRST]))
        if others:
            named = " ".join(options.scenes)
            raise Misconfigured(f"--scene {named}: one scene is served by hand, and {len(others) + 1} have such names")
    except Misconfigured as error:
        complain(str(error))
        return UNUSABLE
    exchanges = asyncio.run(serve_by_hand(scene, say))
    verdict = judge_client(exchanges, "it was not asked for")
    broken = [result for result in verdict.results.values() if result.status in {"fail", "warn", "error"}]
    sent = sum(1 for e in exchanges if e.request.method)
    found = f"{counted(len(broken), 'requirement')} broken" if broken else "nothing was wrong"
    say(f"\n{counted(sent, 'request')}; {found}")
    for result in broken:
        say(f"{result.status:8} {result.requirement.id} {result.requirement.title}: {on_one_line(result.message)}")
    return NOT_CONFORMANT if broken else CONFORMANT


def report(
    verdict: Verdict, exchanges: Sequence[Exchange], about: ReportedTarget[Seen], info: RunInfo, options: ClientOptions
) -> int:
    """Write the reports, print the summary, and return the exit code."""
    directory, by = options.report_dir, time.monotonic() + RECORD_SECONDS
    record: dict[str, Any] = record_of(verdict, exchanges, about, info, root_causes, by)
    problems = write_reports(record, directory, options.inputs.values())
    terminal.print_summary(Printer(), record, directory, terminal.width_of(sys.stdout))
    if any(entry["evidence"] for entry in record["requirements"] if entry["status"] in {"fail", "warn"}):
        say("report.html has the course of each scene below what was found in it, with times")
    for problem in problems:
        complain(problem)
    if problems:
        return UNWRITTEN
    if info.stopped == REASON:
        return INTERRUPTED
    return CONFORMANT if record["verdict"] == "conformant" else NOT_CONFORMANT


def suited(does: Does, names: Sequence[str] = ()) -> list[Scene]:
    """Return those of the named scenes, of all if none is named, that suit what a command does."""
    return [scene for scene in SCENES.chosen(names).values() if scene.suits(does)]


def chosen_scenes(options: ClientOptions) -> list[Scene]:
    """Return the scenes to play; raise `Misconfigured` for an unknown name, or if none suits what the command does."""
    names = (*options.scenes, *(QUICK if options.quick else ()))
    if not (chosen := suited(options.does, names)):
        raise Misconfigured(f"--scene {' '.join(names)}: not for a command that does {options.does}")
    return chosen


def playable(chosen: list[Scene], say: Callable[[str], None]) -> list[Scene]:
    """Return the scenes that can be played here; say which are left out; raise `Misconfigured` if none is left."""
    with_tls = [scene for scene in chosen if scene.certificate]
    if not with_tls or (why := certificates.missing()) is None:
        return chosen
    names = ", ".join(scene.name for scene in with_tls)
    if len(with_tls) == len(chosen):
        raise Misconfigured(f"--scene {names}: it needs certificates, but {why}")
    say(f"left out: {names} ({why})")
    return [scene for scene in chosen if not scene.certificate]
