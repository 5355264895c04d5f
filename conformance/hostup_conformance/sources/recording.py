"""A recording (HAR 1.2) as a source: its exchanges are replayed and judged like those of a run.

Only what the user named is known of the target, and what the recording shows: started commands, listed VPSs, an
available agent, or, if the suite made the recording, what the run knew.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from hostup_conformance.contract.ask import Ask, Exchange, noted, started_by, with_notes, with_started
from hostup_conformance.contract.content import listed_ids, member
from hostup_conformance.contract.paths import VPSS, below_prefix
from hostup_conformance.contract.responder import may_pass
from hostup_conformance.contract.sending import Wire
from hostup_conformance.contract.target import Target, checked_base_url
from hostup_conformance.contract.understanding import understand
from hostup_conformance.http import credentials, har
from hostup_conformance.http import exchange as core
from hostup_conformance.http.messages import Request
from hostup_conformance.keeping.misconfigured import Misconfigured
from hostup_conformance.keeping.redact import MARK, redactor
from hostup_conformance.keeping.safe_text import on_one_line, shown

#: What the suite writes into a recording about its target, none of which is secret.
KNOWN: dict[str, type] = {
    **dict.fromkeys(("vps", "unavailable_vps", "foreign_vps", "profile"), str),
    **dict.fromkeys(("finished_pid", "running_pid"), int),
    "allow_exec": bool,
}
#: How many characters are read of the purpose of a request, and of why it got no response: the suite's have fewer.
LONGEST_PURPOSE, LONGEST_FAILURE = 120, 1200
#: Stands for a key that the recorded run was given. No part of it is a word: reports would lose it as a part of a key.
RECORDED_KEY = "~q7W~9vK~2mZ~4x8~B3~"


def read(file: Path, target: Target) -> tuple[list[Exchange], Target, int]:
    """Return the exchanges in a recording, the target with what it shows, and how many entries are about other paths.

    Raises:
        Misconfigured: it is not HAR, or none of it is about the endpoint
    """
    with har.in_time(file):
        recording = har.read(file)
        try:
            return understood(file, recording, target)
        except (ValueError, TypeError, KeyError) as error:
            damage = f"{type(error).__name__}: {on_one_line(str(error)[:300])}"
            why = f"the suite's own notes in it are damaged ({damage}); record it again"
            raise Misconfigured(f"recording {file}: {why}") from None


def understood(file: Path, recording: har.Recording, target: Target) -> tuple[list[Exchange], Target, int]:
    """Return what `read` returns; raise the exceptions that damaged notes cause."""
    found = frozenset(credentials.secrets_in(recording.entries))
    target = with_known(replace(target, found_secrets=found), recording.known)
    target = with_address(target, recording.entries)
    total, about_vpss = len(recording.entries), (e for e in recording.entries if e.asks or VPSS in e.request.path)
    ours = [replace(entry, request=below_prefix(entry.request)) for entry in about_vpss]
    target = with_shown(target, exchanges_of(ours, target))
    # A run of the suite also asks for paths beside the endpoint's, on purpose.
    deliberate = [bool(entry.asks) for entry in ours]
    pairs = zip(exchanges_of(ours, target), deliberate, strict=True)
    exchanges = [e for e, is_ours in pairs if is_ours or e.ask.resource != "other"]
    core.mark_recovered(exchanges, lambda e: may_pass(e) and e.ask.repeatable)
    if not any(e.ask.endpoint for e in exchanges):
        raise Misconfigured(f"recording {file}: none of its {total} entries is about the endpoint; record its use")
    return exchanges, target, total - len(exchanges)


def replay(wire: Wire, exchanges: Iterable[Exchange]) -> None:
    """Record exchanges on the wire as if it had sent them, and stop it."""
    for exchange in exchanges:
        wire.record(exchange)
    wire.stop("the recording does not show it")


def write(file: Path, exchanges: list[Exchange], target: Target) -> None:
    """Write a recording of a run, with all keys redacted."""
    known = {name: getattr(target, name) for name in KNOWN} | {"read_key": bool(target.read_key)}
    keys: dict[str | None, int] = {}

    def asks(e: Exchange) -> dict[str, Any]:
        return {**noted(e.ask), "key": keys.setdefault(e.request.header("authorization"), len(keys))}

    har.write(file, exchanges, target.base_url, redactor(target.nearly_secrets), known=known, asks=asks)


def exchanges_of(entries: Iterable[har.Entry], target: Target) -> list[Exchange]:
    """Return entries as exchanges; what each asks for depends on those before it.

    A response without its content cannot be judged. Where no request has a credential, browsers have left those out.
    """
    found: list[Exchange] = []
    started: tuple[tuple[int, bool], ...] = ()
    known = target
    entries = list(entries)
    kept = any(entry.asks or any(entry.request.header(name) for name in credentials.CREDENTIALS) for entry in entries)
    for entry in entries:
        ask = with_notes(understand(entry.request, known), entry.asks)
        ask = ask if kept else replace(ask, credential="unnamed")
        exchange: Exchange = core.Exchange(
            number=len(found) + 1,
            request=with_its_own_key(entry, ask) if entry.asks else entry.request,
            response=entry.response if entry.has_content else None,
            ask=ask,
            seconds=entry.seconds,
            when=entry.when,
            purpose=purpose_of(entry),
            source=core.AFTER_CONTENT if entry.asks.get("aside") else "har",
        )
        exchange.failure, exchange.lost = failure_of(entry)
        found.append(exchange)
        if ask.starts:
            pair = started_by(exchange)
            started += (pair,) if pair else ()
            known = with_started(target, started)
    return found


def with_its_own_key(entry: har.Entry, ask: Ask) -> Request:
    """Return a request of the suite's own recording with a key that differs where the redacted keys did.

    Redacted keys look alike, so requests with one key would be taken for those with another.
    """
    number = entry.asks.get("key")
    key = f"{MARK}{number}" if isinstance(number, int) else f"{MARK}{ask.credential}"
    request, names = entry.request, credentials.CREDENTIALS
    fields = ((name, value.replace(MARK, key) if name.lower() in names else value) for name, value in request.headers)
    return replace(request, headers=tuple(fields))


def purpose_of(entry: har.Entry) -> str:
    """Return what a request was sent for, if this suite has recorded it."""
    noted = entry.asks.get("purpose")
    return shown(noted, LONGEST_PURPOSE) if isinstance(noted, str) and noted else "recorded"


def failure_of(entry: har.Entry) -> tuple[str | None, core.Lost | None]:
    """Return why a request got no complete response, and how it was lost, if this suite has recorded it."""
    noted, lost = entry.asks.get("failure"), entry.asks.get("lost")
    if entry.response or not isinstance(noted, str) or not noted:
        return None, None
    return shown(noted, LONGEST_FAILURE), lost if lost in get_args(core.Lost) else None


def with_address(target: Target, entries: Iterable[har.Entry]) -> Target:
    """Return the target with the base URL of the first entry about VPSs."""
    first = next((entry for entry in entries if VPSS in entry.request.path), None)
    if first is None:
        return target
    with suppress(Misconfigured):
        base_url = checked_base_url(first.origin + first.request.path.partition(VPSS)[0])
        return replace(target, base_url=base_url)
    return target


def with_known(target: Target, known: dict[str, Any]) -> Target:
    """Return the target with what the recorded run knew; what the user named takes precedence."""
    for name in KNOWN:
        if type(known.get(name)) not in {type(None), KNOWN[name]}:
            raise ValueError(f"log._target.{name} is no {KNOWN[name].__name__}")
    more: dict[str, Any] = {name: known[name] for name in KNOWN if known.get(name) and not getattr(target, name)}
    more.pop("profile", None)
    if known.get("read_key") and not target.read_key:
        more["read_key"] = RECORDED_KEY
    return replace(target, **more)


def with_shown(target: Target, exchanges: list[Exchange]) -> Target:
    """Return the target with a VPS that is listed and available in the recording, if the user named none."""
    if target.vps:
        return target
    listed = {id for e in exchanges if e.ask.resource == "list" and e.status == 200 for id in listed_ids(e)}
    available = [e.ask.id for e in exchanges if e.ask.endpoint and e.ask.id and member(e, "available") is True]
    return replace(target, vps=next((id for id in available if id in listed), ""))
