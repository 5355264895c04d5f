"""Runs every fault and every variant, and writes which requirements report each: `make kill-matrix`.

With names of faults and variants, it runs these alone. What it writes is the same from run to run on an idle machine,
but for what faults of concurrency trip besides their own requirement; on a busy one, slow responses trip HTTP-01.
"""

import re
import sys
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from typing import Any

from faults import FAULTS
from hostup_conformance.contract.ask import Exchange
from hostup_conformance.contract.rules import Exchanges, rules
from hostup_conformance.contract.server_verdict import MATRIX, Result, server_requirements
from hostup_conformance.contract.target import altered_keys
from hostup_conformance.judging.catalogue import chosen
from hostup_conformance.judging.ledger import Requirement, requirements
from hostup_conformance.judging.root_cause import Breach, read_matrix, root_causes
from hostup_conformance.keeping.redact import redactor
from hostup_conformance.keeping.safe_text import shown
from hostup_conformance.mock import API_KEY, FOREIGN_VPS_ID, READ_API_KEY, UNAVAILABLE_VPS_ID, VPS_ID
from judging import LIMITS, reported, run, verdict_on, write_matrix
from running import exit_with
from variants import VARIANTS

KNOWN = "|".join(id.removeprefix("vps_") for id in (VPS_ID, UNAVAILABLE_VPS_ID, FOREIGN_VPS_ID))
#: A timestamp. What is kept of it is its form, which a requirement may be about.
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d([T ])[\d:.]+(Z|[+-]\d\d:\d\d)?")
#: What the probe makes up, and what the server stamps, in the order in which they are replaced.
RANDOM = (
    (re.compile(rf"vps_(?!{KNOWN})[0-9a-f]{{2}}[0-9a-z]{{24}}\b"), "vps_unknown"),
    # The end of a timestamp, where a finding shows but a part of the response.
    (re.compile(r"(?<![\d:T-])[\d:.]+Z\b"), "56Z"),
    (re.compile(r"\w{3}, \d\d \w{3} \d{4} [\d:]+ GMT"), "Mon, 27 Apr 2026 12:34:56 GMT"),
    (re.compile(r"\breq_\w+"), "req_..."),
    (re.compile(r"\b17\d{8}\b"), "1777293326"),
    (re.compile(r"\b(request|requests) \d+(, \d+ s before)?"), r"an earlier \1"),
    (re.compile(r"(?<=pid=)(419|4[2-9]\d|5\d\d|6[01]\d)\d{4}\b"), "4194305"),
    (re.compile(r"\bhostup-conformance-[\w-]{16}-a[zZ]x*"), "hostup-conformance-..."),
    (re.compile(r"\b[0-9a-f]{12}\b"), "0123456789ab"),
)
#: What the examples say of a request's credential.
CREDENTIALS = {
    "full": "with the key",
    "read": "with a key that has read:vm alone",
    "none": "without a key",
    "wrong": "with a wrong key",
    "malformed": "with a malformed credential",
    "other_scheme": "with the key in another scheme",
    "lowercase": "with the key under the scheme bearer",
    "query": "with the key in the query",
}
#: Variants that show in a correct exchange what the mock does not have.
FOR_EXAMPLES = (
    "limits_rarely",
    "gzip_where_asked",
    "output_names_its_pid",
    "limits_on_each_response",
    "limits_of_a_short_window",
    "limits_in_each_window",
    "closes_each_connection",
    "revalidates",
)
#: Longer than for a test of one fault, since all processors are busy with others.
UNHURRIED = replace(LIMITS, request_seconds=1.0, first_seconds=1.0, next_seconds=0.5)


def steady(text: str) -> str:
    """Return a text without what differs from run to run."""
    moments: dict[str, int] = {}
    text = TIMESTAMP.sub(
        lambda at: f"2026-04-27{at[1]}{12 + moments.setdefault(at[0], len(moments))}:34:56{at[2] or ''}", text
    )
    for pattern, replacement in RANDOM:
        text = pattern.sub(replacement, text)
    return redactor((API_KEY, READ_API_KEY, *(key for key in altered_keys(API_KEY) if len(key) > 3)))(text)


def request_line(e: Exchange) -> str:
    """Return a request as a line: method, target, credential and body."""
    target = e.request.target if len(e.request.target) < 160 else e.request.target[:157] + "..."
    body = f" {shown(e.request.body.decode('utf-8', 'replace'))}" if e.request.body else ""
    return f"{e.request.method} {target} {CREDENTIALS[e.ask.credential]}{body}"


def came(e: Exchange) -> str:
    """Return the status code of a response, or that there was none."""
    return str(e.status) if e.response else "no response"


def bad(result: Result) -> str:
    """Return the first finding as a line: what was asked, what came, and why that is wrong."""
    finding = result.findings[0]
    said = f"expected {finding.expected}, got {finding.got}" if finding.expected else finding.got
    return steady(f"{request_line(finding.exchange)} -> {came(finding.exchange)}, {said}")


def good(e: Exchange, requirement: Requirement) -> str:
    """Return an exchange as a line: what was asked, what came, and the header fields that the requirement names.

    Where it names none, the line ends with the body.
    """
    assert e.response is not None
    named = {word.lower(): word for word in re.findall(r"\b[A-Z][\w-]+", requirement.statement)}
    pairs = (*e.request.headers, *e.response.headers)
    fields = [f"{named[name.lower()]}: {value}" for name, value in pairs if name.lower() in named]
    body = shown(e.response.body.decode("utf-8", "replace")) if e.response.body else ""
    return steady(", ".join(filter(None, [f"{request_line(e)} -> {came(e)}", *(fields or [body])])))


def good_exchanges() -> dict[str, list[Exchange]]:
    """Return each requirement's exchanges that were judged without a finding, from the mock and some variants."""
    found: dict[str, list[Exchange]] = defaultdict(list)
    shown = ((VARIANTS.named(name).change, False) for name in FOR_EXAMPLES)
    for change, starts in ((None, False), (None, True), *shown):
        target, wire, _ = run(change, LIMITS, allow_exec=starts)
        for id, rule in rules().items():
            judged, findings = rule(Exchanges(wire.exchanges, target))
            wrong = {finding.exchange.number for finding in findings}
            found[id] += [e for e in judged if e.response and e.number not in wrong]
    return found


def kind(e: Exchange) -> tuple[str, ...]:
    """Return what two requests have in common that ask for the same."""
    return e.request.method, e.ask.credential, str(e.ask.vps), e.ask.pid


def with_good(examples: dict[str, tuple[str, tuple[str, ...]]]) -> dict[str, dict[str, str]]:
    """Return bad examples, each with a good one of the same requirement: the first for the same kind of request."""
    right = good_exchanges()
    pairs = {}
    for id, (text, wanted) in examples.items():
        pairs[id] = {"bad": text}
        if right[id]:
            e = min(right[id], key=lambda e: kind(e) != wanted)
            pairs[id]["good"] = good(e, requirements()[id])
    return pairs


def run_fault(name: str) -> tuple[str, dict[str, Any], tuple[str, tuple[str, ...]] | None]:
    """Return a fault's name, its row, and how its own requirement reports it, with the kind of that request."""
    fault = FAULTS.named(name)
    verdict = verdict_on(fault.change, limits=UNHURRIED, allow_exec=fault.starts)
    ids = reported(verdict)
    row = {"requirement": fault.requirement, "doc": fault.doc, "reported": ids}
    if fault.requirement not in ids:
        return name, row, None
    result = verdict.results[fault.requirement]
    return name, row, (bad(result), kind(result.findings[0].exchange))


def run_variant(name: str) -> tuple[str, dict[str, Any]]:
    """Return a variant's name and its row."""
    variant = VARIANTS.named(name)
    verdict = verdict_on(variant.change, limits=LIMITS, allow_exec=variant.starts)
    return name, {"doc": variant.doc, "reported": reported(verdict)}


def named(names: list[str]) -> set[str]:
    """Return the names of faults and variants that are meant, all if there is none."""
    return {*chosen({**FAULTS.all(), **VARIANTS.all()}, names, "fault or variant")}


def measured(names: list[str]) -> dict[str, Any]:
    """Run the faults and variants of these names, or all, and return the matrix with their rows anew."""
    meant = named(names)
    matrix = read_matrix(MATRIX) if names else dict[str, Any](faults={}, variants={}, examples={})
    with ProcessPoolExecutor() as pool:
        rows = list(pool.map(run_fault, [name for name in FAULTS.all() if name in meant]))
        correct = dict(pool.map(run_variant, [name for name in VARIANTS.all() if name in meant]))
    examples: dict[str, tuple[str, tuple[str, ...]]] = {}
    for _, row, example in rows:
        if example and not {"good", "bad"} <= matrix["examples"].get(row["requirement"], {}).keys():
            examples.setdefault(row["requirement"], example)
    all_rows = {**matrix["faults"], **{name: row for name, row, _ in rows}}
    all_correct = {**matrix["variants"], **correct}
    return {
        "faults": {name: all_rows[name] for name in FAULTS.all() if name in all_rows},
        "variants": {name: all_correct[name] for name in VARIANTS.all() if name in all_correct},
        "examples": {**matrix["examples"], **with_good(examples)},
    }


def causes(ids: Iterable[str], rows: dict[str, Any]) -> dict[str, list[str]]:
    """Return the root causes among requirements, as the faults show them."""
    reported = set(ids)
    known = [one for id, one in requirements().items() if id in reported]
    breaches = [Breach(one.id, one.level == "MUST", rank=one.rank) for one in known]
    return root_causes([*breaches, *map(Breach, sorted(reported - requirements().keys()))], rows)


def first_reported(row: dict[str, Any], rows: dict[str, Any]) -> str | None:
    """Return the requirement that a summary names first for a fault, given all faults."""
    return next(iter(causes(row["reported"], rows)), None)


def named_unlearnt(rows: dict[str, Any]) -> list[str]:
    """Return the faults whose own requirement is named first when nothing was learnt from the fault itself."""
    others = {name: {other: row for other, row in rows.items() if other != name} for name in rows}
    return [name for name, row in rows.items() if first_reported(row, others[name]) == row["requirement"]]


def indistinguishable(rows: Iterable[dict[str, Any]]) -> list[list[str]]:
    """Return the requirements that the same faults trip, group by group."""
    tripped = defaultdict(set)
    for number, row in enumerate(rows):
        for id in row["reported"]:
            tripped[id].add(number)
    groups = defaultdict(list)
    for id, numbers in tripped.items():
        groups[frozenset(numbers)].append(id)
    return sorted(sorted(group) for group in groups.values() if len(group) > 1)


def summary(matrix: dict[str, Any]) -> list[str]:
    """Return what there is to say of a matrix, in lines."""
    rows = matrix["faults"]
    judged = [id for id, requirement in server_requirements().items() if requirement.level != "OBSERVE"]
    own = [name for name, row in rows.items() if row["requirement"] in row["reported"]]
    alone = {row["requirement"] for row in rows.values() if row["reported"] == [row["requirement"]]}
    first = {row["requirement"] for row in rows.values() if first_reported(row, rows) == row["requirement"]}
    named = [name for name, row in rows.items() if first_reported(row, rows) == row["requirement"]]
    blamed = {name: row["reported"] for name, row in matrix["variants"].items() if row["reported"]}
    several = {name: row for name, row in rows.items() if len(row["reported"]) > 1}
    unlearnt = named_unlearnt(rows)
    share = 100 * len(unlearnt) / max(len(rows), 1)
    of_several = sum(name in several for name in unlearnt)
    lines = [
        f"{len(own)} of {len(rows)} faults are killed by their own requirement, {len(named)} are named by it first",
        f"of {len(judged)} requirements {len(alone)} report some fault alone, {len(alone | first)} alone or first",
        f"indistinguishable: {indistinguishable(rows.values()) or 'none'}",
        f"{len(matrix['variants'])} variants, reported: {blamed or 'none'}",
    ]
    lines.append(
        f"leave-one-out: {share:.1f} % are named by their own requirement first when nothing was learnt from the fault "
        f"itself ({of_several} of the {len(several)} that several requirements report)"
    )
    lines += [f"not killed: {name} ({row['requirement']})" for name, row in rows.items() if name not in own]
    lines += [f"never alone or first: {id}" for id in judged if id not in alone | first]
    lines += [
        f"named by another first: {name} ({row['requirement']}): {', '.join(causes(row['reported'], rows))}"
        for name, row in rows.items()
        if name not in named
    ]
    return lines


def main() -> int:
    """Write the matrix, and say what is in it."""
    names = sys.argv[1:]
    matrix = measured(names)
    write_matrix(MATRIX, matrix)
    meant = named(names) if names else set()
    rows = {name: row for part in ("faults", "variants") for name, row in matrix[part].items() if name in meant}
    print("\n".join(f"{name}: {row}" for name, row in rows.items()) if rows else "\n".join(summary(matrix)))
    return 0


if __name__ == "__main__":
    exit_with(main)
