"""What a verdict does not say: what was never seen to work, why something was not judged, and what would show more."""

from collections.abc import Callable, Mapping, Sequence

from hostup_conformance.contract.ask import Ask, Exchange, Pid, is_started
from hostup_conformance.contract.causes.widespread import few_connections, shut_out
from hostup_conformance.contract.content import member, named_status, refused
from hostup_conformance.contract.lives import guest_of_lives, is_redacted, lives, sleepless
from hostup_conformance.contract.refusal import shows_core
from hostup_conformance.contract.responder import Who, responded
from hostup_conformance.contract.rules.start import is_framed, is_longest
from hostup_conformance.contract.rules.vps import ABSENT, CALLERS
from hostup_conformance.contract.selectors import asks_either, has_response, is_output, started, starts
from hostup_conformance.contract.target import IDS, KEYS, PIDS, Target
from hostup_conformance.http.pace import ByServer, PutOff
from hostup_conformance.judging.ledger import Requirement
from hostup_conformance.judging.verdict import Result
from hostup_conformance.keeping.safe_text import counted

#: What only the last requests of a run show, which are sent at the same time.
AT_LAST = {"HTTP-21"}
#: What a run may see to work, each with the exchange that shows it and the capability that it is a part of.
SIGHTS: dict[str, tuple[str | None, Callable[[Exchange], bool]]] = {
    "the output of a command": ("pids", lambda e: is_output(e) and member(e, "exited") is True),
    "the start of a command": ("pids", is_started),
    "a key with read:vm alone": ("scopes", lambda e: e.ask.credential == "read" and e.response is not None),
    "a VPS of another account": ("ids", lambda e: e.ask.vps == "foreign" and e.response is not None),
    "a VPS without an agent": ("ids", lambda e: e.ask.vps == "unavailable" and e.response is not None),
    "a rate limit": (None, lambda e: e.status == 429),
}
#: The options that make more requirements judgeable, with what to do.
OPTIONS = {
    "--allow-exec": "run with --allow-exec, which starts harmless commands,",
    **{name: f"set {name}" for name in (KEYS["read_key"], *IDS.values(), *PIDS.values())},
}
#: What to say of a server that repeats examples.
LOOKS_LIKE_A_MOCK = "it looks like a mock that repeats examples, which --profile static judges as such"
#: What to say of commands that no shell reads.
NO_SHELL = "no shell reads commands, it seems: echo printed $((6*7)) as it stands"
#: What to say of commands that find no programs.
NO_SLEEP = "commands found no program called sleep: is PATH set where they run?"
#: What does not run in a guest without a shell of its own kind, by what was found to run commands there.
OTHER_GUESTS = {
    "none": "echo printed its text as it stands, so no shell runs here that could",
    "cmd": "the guest has cmd.exe, and the command that shows it needs a POSIX shell",
    "powershell": "the guest has PowerShell, and the command that shows it needs a POSIX shell",
}


def not_shown(results: Mapping[str, Result[Ask]], exchanges: Sequence[Exchange], target: Target) -> tuple[str, ...]:
    """Return what was never seen to work, and the one thing to give that would make most requirements judgeable.

    Where nothing responded, or no request was served, that says it all.
    """
    if not any(map(has_response, exchanges)):
        return ()
    offered = {None, *target.capabilities}
    hidden = [name for name, (need, shows) in SIGHTS.items() if need in offered and not any(map(shows, exchanges))]
    said = [blocked] if (blocked := blocked_commands(exchanges)) else []
    said += [queued.words] if (queued := few_connections(exchanges)) and queued.words else []
    said += [shut.words] if (shut := shut_out(exchanges)) and shut.words else []
    begun = lives([*exchanges])
    said += [NO_SHELL] if guest_of_lives(begun) == "none" else []
    said += [NO_SLEEP] if any(map(sleepless, begun)) else []
    said += [LOOKS_LIKE_A_MOCK] if target.profile != "static" and repeats_examples(exchanges) else []
    if not any(map(shows_core, exchanges)):
        return tuple(said)  # nothing else would be seen either
    said += [f"never seen: {', '.join(hidden)}"] if hidden else []
    said += [f"not offered: {' and '.join(absent)} of VPSs"] if (absent := not_offered(exchanges)) else []
    if weak := [one for one in results.values() if one.status == "disabled" and "lack write:vm" in one.message]:
        otherwise = "; or leave out --allow-exec, to judge what this key may do" if target.allow_exec else ""
        return (*said, f"to judge {len(weak)} more, give a key with write:vm as {KEYS['key']}{otherwise}")
    gains = {option: sum(enables(option, one, target) for one in results.values()) for option in OPTIONS}
    best = max(gains, key=lambda option: gains[option])
    if gains[best] and target.kind != "har":
        said.append(f"to judge {gains[best]} more, {OPTIONS[best].rstrip(',')}")
    return tuple(said)


def blocked_commands(exchanges: Sequence[Exchange]) -> str | None:
    """Return how many commands something in front of the server refused, in another form than a problem document."""
    valid = [e for e in exchanges if starts(e)]
    by_firewall = [e for e in valid if responded(e, Who.FIREWALL)]
    if not by_firewall:
        return None
    refusal = f"{by_firewall[0].status} and no problem document"
    words = f"{len(by_firewall)} of {counted(len(valid), 'command')} got {refusal}"
    return f"{words}: a firewall takes them for attacks, it seems, and what they would show was not judged"


def not_offered(exchanges: Sequence[Exchange]) -> list[str]:
    """Return which of the list and the status a server does not offer whose endpoint was seen to work."""
    if not any(map(shows_core, exchanges)):
        return []
    asked = [e for e in exchanges if asks_either(e) and e.ask.credential == "full" and e.ask.vps in {None, *CALLERS}]
    given = {e.ask.resource for e in asked if e.status not in ABSENT}
    return [f"the {name}" for name in ("list", "status") if name in {e.ask.resource for e in asked} - given]


def repeats_examples(exchanges: Sequence[Exchange]) -> bool:
    """Whether a server gives the same 200 to probes with any key, of any VPS."""
    probes = [e for e in exchanges if e.ask.endpoint and e.ask.pid == Pid.ABSENT and e.request.method == "GET"]
    asked = {e.ask.vps: e for e in probes if e.status == 200 and e.ask.vps in {"own", "unknown"}}
    keyless = [e for e in probes if e.status == 200 and e.ask.vps == "own" and e.ask.credential in {"none", "wrong"}]
    bodies = {e.response.body for e in (*asked.values(), *keyless) if e.response}
    return len(asked) == 2 and bool(keyless) and len(bodies) == 1


def enables(option: str, result: Result[Ask], target: Target) -> bool:
    """Whether a requirement was not judged for want of an option alone."""
    requirement = result.requirement
    if result.status != "disabled" or requirement.level == "OBSERVE" or target.has(option):
        return False
    return requirement.lacks(target.has) and not requirement.lacks(target.given(option).has)


def unseen(requirement: Requirement, exchanges: Sequence[Exchange], stopped: str | None = None) -> str | None:
    """Return why no exchange made it possible to judge a requirement about commands; None if nothing more is known.

    If the run was stopped, that is why, unless nothing would have shown it anyhow. A server that lets few requests
    through in a minute need not show the end of all commands, nor requests at the same time.
    """
    if requirement.id in AT_LAST and isinstance(stopped, ByServer):
        return stopped
    if requirement.area != "START" or (stopped and not any(map(starts, exchanges))):
        return None
    if not any(map(started, exchanges)):
        return "no command was started"
    begun = lives(list(exchanges))
    if not begun:
        return "no start had a pid by which to poll the command"
    if guest := OTHER_GUESTS.get(guest_of_lives(begun) or ""):
        return guest
    if any(map(is_redacted, begun)):
        return "the recording has redacted what looked like a key in the output of a command"
    if stopped:
        return stopped if isinstance(stopped, PutOff) else None
    denied = [e for e in exchanges if starts(e) and refused(e) and not is_framed(e) and not is_longest(e)]
    if denied:
        return f"the start of a command that would show it was refused ({named_status(denied[0])})"
    return None


def needs_polls(requirement: Requirement) -> bool:
    """Whether a requirement is about what a key with write:vm may do."""
    return requirement.area in {"POLL", "PID", "START"} or "pids" in requirement.needs
