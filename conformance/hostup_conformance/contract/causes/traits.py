"""What a request carries, in words, to say what those have in common that got something else than others.

It judges nothing. Each trait is a phrase that may follow "a request".
"""

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from itertools import pairwise, product, takewhile
from urllib.parse import unquote

from hostup_conformance.contract.ask import NO_ESCAPE, WITHOUT_KEY, Ask, Credential, Exchange, Pid, Vps, json_of
from hostup_conformance.contract.causes.mishaps import PIPE
from hostup_conformance.contract.commands import Command
from hostup_conformance.contract.lives import Life, command_text
from hostup_conformance.contract.paths import Resource
from hostup_conformance.contract.responder import has_utf_8_body, is_deep
from hostup_conformance.http.messages import Request
from hostup_conformance.keeping.safe_text import short_json, shown

#: The header fields that say nothing by being there; of some, it is the value that may differ.
USUAL = {
    "accept",
    "accept-encoding",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "host",
    "user-agent",
}
VALUED = ("accept", "content-type")
ANOTHER_ACCEPT = "with another Accept than application/json"
RESOURCES: dict[Resource, str] = {"list": "for the list of VPSs", "status": "for the status of a VPS"}
OWN = "for the own VPS"
VPSS: dict[Vps | None, str] = {
    "own": OWN,
    "unavailable": "for the VPS without an agent",
    "foreign": "for the VPS of another account",
    "unknown": "for an unknown VPS",
    "similar": "for an id that resembles the own",
    "case": "for the own id in another case",
    "malformed": "for a malformed id",
}
#: The VPSs of which a request is served, and none at all.
CALLERS: set[Vps | None] = {"own", "unavailable", None}
#: Any of those of which nobody has one.
STRANGE_VPS = "for a VPS that there is not"
PIDS: dict[Pid, str] = {
    Pid.FINISHED: "for a command that has ended",
    Pid.RUNNING: "for the command that runs on",
    Pid.UNKNOWN: "for a command that was never started",
    Pid.IMPOSSIBLE: "for a pid that no process can have",
    Pid.INVALID: "for a pid that is no integer",
    Pid.LOOSE: "for a pid in another form",
    Pid.EMPTY: "for an empty pid",
    Pid.REPEATED: "for a repeated pid",
}
NOT_DIGITS, NO_INTEGER = "for a pid that is not written in digits alone", "for a pid that cannot be read as an integer"
KEYS: dict[Credential, str] = {
    "none": "without a key",
    "wrong": "with a wrong key",
    "read": "with the key that has read:vm alone",
    "full": "with the key that has all scopes",
}
#: A start, and how one is told with a character in its command.
START, IN_COMMAND = "for the start of a command", " in its command"
#: A request with any parameter, and how a request is told with a parameter of a name.
QUERY, IN_QUERY = "with a query", " in the query"
#: A request without one, which says little.
NO_QUERY = "without a query"
#: How a request is told whose method is not one of the endpoint's.
BY_ANOTHER_METHOD = "by a method other than GET and POST"
#: What goes without saying where another trait says it more exactly.
SPECIAL = {
    QUERY: re.compile(f".*{IN_QUERY}"),
    BY_ANOTHER_METHOD: re.compile("by [A-Z]+"),
    ANOTHER_ACCEPT: re.compile("with Accept: .*|without (JSON in )?Accept"),
}
#: The schemes that may be named: another word before a blank may be a part of a key.
SCHEMES = {"Basic", "Token", "ApiKey", "Nonesuch"}
#: A command that runs for longer than others.
LASTS = "of a command that takes a while"
#: What a command may do.
DOES: dict[str, Callable[[Command], bool]] = {
    "of a command that a signal ended": lambda c: c.exit_code is None,
    "of a command that fails": lambda c: c.exit_code != 0,
    "of a command that ends with exitCode 0": lambda c: c.exit_code == 0,
    "of a command that ends with another exitCode than 0": lambda c: bool(c.exit_code),
    "of a command that ends its shell (exit, kill)": lambda c: bool(re.search(r"; (exit \d+$|kill -9 \$\$)", c.text)),
    LASTS: lambda c: bool(c.seconds),
    "of a command that writes something to standard error": lambda c: bool(c.stderr),
    "of a command that writes nothing to standard error": lambda c: not c.stderr,
    "of a command that writes more to standard error than a pipe holds": lambda c: len(c.stderr) >= PIPE,
    "of a command whose output begins or ends with white space": lambda c: has_blanks(c.stdout) or has_blanks(c.stderr),
    "of a command that prints something": lambda c: bool(c.stdout),
    "of a command that prints nothing": lambda c: not c.stdout,
    "of a command that writes nothing": lambda c: not c.stdout + c.stderr,
    "of a command whose output is not UTF-8": lambda c: text_of(c.stdout) is None and 0 not in c.stdout,
    "of a command whose output is not UTF-8 and has a NUL": lambda c: text_of(c.stdout) is None and 0 in c.stdout,
    "of a command that writes a quotation mark or a backslash": lambda c: not {*b'"\\'}.isdisjoint(c.stdout + c.stderr),
    "of a command that prints characters outside ASCII": lambda c: not (text_of(c.stdout) or "").isascii(),
    "of a command that prints characters beyond Latin-1": lambda c: (
        max(c.stdout.decode(errors="replace"), default="") > "\xff"
    ),
    "of a command that prints characters above U+FFFF": lambda c: max(text_of(c.stdout) or "", default="") > "\uffff",
}
#: Sizes of output in bytes, one of which may be too much for a server.
PRINTED = (1 << 12, 1 << 14, 1 << 16, 1 << 20)
#: How output of such a size is told, and what goes without saying where one of some others is told.
SIZED = "of a command that prints {:,} bytes or more"
OUTSIDE_ASCII = "for a path, or for output, with characters outside ASCII"
PRINTS_OUTSIDE_ASCII = "for output with characters outside ASCII"
NOBODYS, ENDED = "for a pid that no command has", "for a pid whose command had ended"
NOBODYS_ANY_LONGER = f"{NOBODYS}, or none any longer"
UNSAID_BESIDE = {
    NOT_DIGITS: {NO_INTEGER},
    OUTSIDE_ASCII: {PRINTS_OUTSIDE_ASCII},
    NOBODYS_ANY_LONGER: {NOBODYS, ENDED},
    "of a command that prints characters above U+FFFF": {"of a command that prints characters outside ASCII"},
    "of a command that prints characters beyond Latin-1": {"of a command that prints characters outside ASCII"},
    **{SIZED.format(more): {SIZED.format(less)} for less, more in pairwise(PRINTED)},
}
#: What is asked for, whoever asks.
REFUSED = "for what is to be refused"
WHAT = {*RESOURCES.values(), *VPSS.values(), *PIDS.values(), NOT_DIGITS, NO_INTEGER, START, QUERY}
#: By how many seconds two readings of the clock may differ.
CLOCK = 0.001
#: For how many seconds what is sent with a request that gets no response may be why it gets none.
BRIEFLY = 0.1
#: How improbable it is that by chance all that were found have a trait that others have as well. Many are tried.
CHANCE = 1e-6
#: So many others have to be without a trait that all have which were found; and of a VPS or a pid, so many show one.
FEWEST = 3
#: How a trait begins that says what is asked for; which part of what was found may ask for something else, and for each
#: of these requests, how many may have been spared.
FOR, OTHERS, SPARED = "for ", 0.25, 0.1
#: How a header field is told that a request has.
WITH, FIELD = "with ", re.compile("with [A-Z][A-Za-z-]*(: .*)?")
#: How many of the things are told that requests have in common.
MOST_TOLD = 4
#: With which of so few others one request is compared, what its connection had carried, or its key, tells nothing.
MANY_USUAL = 10
#: How a request is told before which its connection had carried such a one; and what connections and keys had carried.
AFTER_A_REFUSAL = "that follow what is to be refused, and was, on their connection"
CONNECTIONS = {
    "on a connection that had carried others",
    "as the first on a connection",
    AFTER_A_REFUSAL,
    "with a wrong key that had come before",
}
#: So many requests that ask for something tell it although one was spared.
ENOUGH_ASKED = 5
OF_PARTS = {*VPSS.values(), *PIDS.values()}


def traits(e: Exchange, *keys: str) -> Iterator[str]:
    """Yield what a request carries; the keys are those that are good."""
    request, ask = e.request, e.ask
    yield from of_method(e)
    marks = sorted(marks_in(ask.command or ""))
    yield from (f"with {shown(short_json(mark, 10), 10)}{IN_COMMAND}" for mark in marks)
    if NO_ESCAPE.search(ask.command or ""):
        yield f"with % and no two hexadecimal digits after it{IN_COMMAND}"
    yield from of_content(e)
    names = [name for name, _ in request.headers]
    if names and all(name == name.lower() for name in names):
        yield "with field names in lower case"
    yield from (f"with {shown(name, 40)}" for name in names if name.lower() not in {*USUAL, *VALUED})
    agent = request.header("user-agent")
    if agent is not None and "monitor" in agent:
        yield "with the User-Agent of a monitor"
    for name in VALUED:
        value = request.header(name)
        if value is not None and value != "application/json":
            yield f"with {name.title()}: {shown(value, 60)}"
        elif value is None and name == "accept":
            yield "without Accept"
    if request.header("accept") != "application/json":
        yield ANOTHER_ACCEPT
    if "json" not in (request.header("accept") or ""):
        yield "without JSON in Accept"
    yield f"{'with' if 'gzip' in (request.header('accept-encoding') or '') else 'without'} gzip in Accept-Encoding"
    yield from credentials(e, *keys)
    yield from of_target(request)
    strange = STRANGE_VPS if ask.vps in {"unknown", "similar", "case", "malformed"} else ""
    kinds = strange, RESOURCES.get(ask.resource), VPSS.get(ask.vps), PIDS.get(ask.pid), KEYS.get(ask.credential)
    yield from filter(None, (*kinds, REFUSED if is_to_be_refused(ask) else ""))
    if e.decoded:
        yield "by the generated client"


def of_content(e: Exchange) -> Iterator[str]:
    """Yield what keeps programs from reading the content of a request."""
    labelled = "json" in (e.request.header("content-type") or "")
    if labelled and json_of(e.request) is None and e.request.body != b"null":
        yield "with content that is no JSON, and is said to be"
    elif e.ask.command is not None and len(json_of(e.request)) > 1:
        yield "with a member besides command"
    if is_deep(e):
        yield "with content that is nested deeply"
    if not has_utf_8_body(e):
        yield "with content that is not UTF-8"


def of_method(e: Exchange) -> Iterator[str]:
    """Yield by which method something is asked for, or that it is a start."""
    yield START if e.ask.starts else f"by {e.request.method}"
    if e.request.method not in {"GET", "POST"}:
        yield BY_ANOTHER_METHOD


def is_to_be_refused(ask: Ask) -> bool:
    """Whether what a request asks for is to be refused, by its key, its scope, its VPS, its pid or its command."""
    beyond_scope = ask.credential == "read" and ask.needs_write
    nothing = ask.pid in {Pid.UNKNOWN, Pid.IMPOSSIBLE, Pid.INVALID, Pid.EMPTY} or (ask.starts and ask.command is None)
    return ask.credential in WITHOUT_KEY or beyond_scope or nothing or ask.vps not in CALLERS


def of_target(request: Request) -> Iterator[str]:
    """Yield how a path is spelled, and what is in the query."""
    yield from (f"with {mark} in its path" for mark in (";", "//") if mark in request.path)
    if request.path.endswith("/"):
        yield "with / at the end of its path"
    yield QUERY if request.query else NO_QUERY
    # What has no value is no parameter, but what the suite makes a URL new with.
    parameters = [part.partition("=") for part in request.query.split("&") if "=" in part]
    yield from (f"with {shown(name, 20)}{IN_QUERY}" for name, *_ in parameters)
    pids = [value for name, _, value in parameters if name == "pid"]
    yield from of_pid(unquote(pids[0])) if len(pids) == 1 else ()


def of_pid(text: str) -> Iterator[str]:
    """Yield what keeps programs from reading a pid."""
    if not re.fullmatch(r"-?[0-9]+", text):
        yield NOT_DIGITS
    try:
        int(text)
    except ValueError:
        yield NO_INTEGER


def of_command(life: Life) -> Iterator[str]:
    """Yield what the command does that a request started or polled; of an echo of the run, which prints its text."""
    command = life.command or (Command("", "", life.text.encode()) if life.text else None)
    if command is None:
        return
    yield from (words for words, does in DOES.items() if does(command))
    if command.exit_code:
        yield f"of a command that ends with exitCode {command.exit_code}"
    yield from (SIZED.format(size) for size in PRINTED if len(command.stdout) >= size)


def of_one_kind(some: Sequence[Life], others: Sequence[Life]) -> str | None:
    """Return what some commands are, in the fewest words, and none of several others; None if there is nothing.

    What takes a while is not told by that: there was more time for something to befall it.
    """
    common = frozenset[str].intersection(*(frozenset(of_command(life)) for life in some)) - {LASTS}
    alone = common.difference(*map(of_command, others)) if len(others) >= FEWEST else ()
    return min(alone, key=rank).removeprefix("of a ") if alone else with_marks(some, others)


def with_marks(some: Sequence[Life], others: Sequence[Life]) -> str | None:
    """Return which marks are in the texts of several commands, and of none of several others, if they are a few."""
    marks = set[str].intersection(*(marks_in(command_text(life)) for life in some))
    alone = sorted(marks.difference(*(command_text(life) for life in others)))
    told = min(len(some), len(others)) >= FEWEST and 0 < len(alone) <= FEWEST
    return f"command with {' and '.join(short_json(mark, 10) for mark in alone)} in its text" if told else None


def marks_in(text: str) -> set[str]:
    """Return the characters of a text that are neither letters nor digits."""
    return {character for character in text if not character.isalnum()}


def has_blanks(written: bytes) -> bool:
    """Whether a text begins or ends with white space, beside the end of its last line."""
    line = written.removesuffix(b"\n")
    return line != line.strip()


def text_of(printed: bytes) -> str | None:
    """Return output as text; None if it is not UTF-8."""
    try:
        return printed.decode()
    except UnicodeDecodeError:
        return None


def alike(key: str, token: str) -> int:
    """Return how many characters at its beginning and at its end a credential has in common with a key."""
    a, b = key.lower(), token.lower()
    pairs = (*zip(a, b, strict=False),), (*zip(a[::-1], b[::-1], strict=False),)
    return sum(1 for some in pairs for _ in takewhile(lambda pair: pair[0] == pair[1], some))


def resembling(token: str, *keys: str) -> Iterator[str]:
    """Yield how a wrong key resembles the one of the good keys that it is most alike, the first of which is the key."""
    key = max(keys, key=lambda one: alike(one, token), default="")
    if not key or not token:
        return
    if token.lower() == key.lower():
        yield "with a good key but for the case of a letter"
        if key == keys[0]:
            yield "with the key but for the case of a letter"
    elif key.startswith(token):
        yield "with the beginning of the key"
    elif token.startswith(key):
        yield "with the key and more behind it"
    elif token[1:] == key[1:]:
        yield "with the key but for its first character"
    if len(token) == len(key):
        yield "with a key as long as the right one"


def credentials(e: Exchange, *keys: str) -> Iterator[str]:
    """Yield how the credential of a request resembles a good one, if it does."""
    scheme, blank, token = (e.request.header("authorization") or "").partition(" ")
    if e.ask.credential == "wrong":
        yield from resembling(token, *keys)
    if scheme and not blank:
        yield "with an Authorization of one word"
    if blank and scheme in SCHEMES:
        yield f"with a key under the scheme {scheme}"
    if e.ask.credential == "malformed" and scheme.lower() == "bearer":
        yield "with bytes above 127 in the key" if token.strip() else "with the scheme Bearer and no key behind it"


def all_beside(exchanges: Sequence[Exchange]) -> dict[int, int]:
    """Return, by its number, how many others were under way together with each request."""
    # What hangs for long is not disturbed by all that is sent meanwhile.
    lasting = ((e, e.seconds if e.response else min(e.seconds, BRIEFLY)) for e in exchanges)
    moments = [(e.when.timestamp(), seconds, e.number) for e, seconds in lasting if e.when]
    begun, ended = sorted(began for began, _, _ in moments), sorted(began + lasted for began, lasted, _ in moments)
    return {
        number: max(0, bisect_left(begun, began + lasted - CLOCK) - bisect_right(ended, began + CLOCK) - 1)
        for began, lasted, number in moments
    }


def in_common(
    odd: Sequence[Exchange], usual: Sequence[Exchange], carried: Callable[[Exchange], frozenset[str]]
) -> str | None:
    """Return what odd requests carry, and none of the usual ones, or else who asks for what; None if nothing does."""
    common = frozenset[str].intersection(*map(carried, odd)) if len(usual) >= FEWEST else frozenset[str]()
    others = {trait: sum(trait in carried(e) for e in usual) for trait in common}
    alone = [trait for trait, number in others.items() if not number]
    if len(odd) < FEWEST:
        alone = [trait for trait in alone if trait not in OF_PARTS]
    # What the text of a command has tells something among several starts alone.
    in_command = [trait for trait in alone if trait.endswith(IN_COMMAND)]
    if (len(odd) < FEWEST < len(in_command)) or len(odd) == 1 or others.get(START, 0) < FEWEST:
        alone = [trait for trait in alone if trait not in in_command]
    said = {general for general, special in SPECIAL.items() if any(map(special.fullmatch, alone))}
    alone = [trait for trait in alone if trait not in said]
    alone = [trait for trait in alone if trait not in {REFUSED, NO_QUERY}] or alone
    if len(odd) == 1 and len(usual) < MANY_USUAL:  # it has something that the others have not, by chance
        alone = [trait for trait in alone if trait not in {*KEYS.values(), *CONNECTIONS}]
    whats = common & (WHAT if len(odd) >= FEWEST else WHAT - OF_PARTS)
    # Where they have more than a few things in common, these are ways to say one.
    alone = [trait for trait in alone if UNSAID_BESIDE.get(trait, set()).isdisjoint(alone)]
    words = " and ".join(sorted(with_fields(alone), key=rank)[:MOST_TOLD]) or together(
        common, whats, [*map(carried, usual)]
    )
    if max(len(odd), len(usual)) <= FEWEST and " of a command " in f" {words}":
        return None  # something that they do parts almost any few commands
    requests = "request" if len(odd) == 1 else f"{len(odd)} requests"
    return f"only the {requests} {words}, none of {len(usual)} others" if words else None


def with_fields(traits: Sequence[str]) -> list[str]:
    """Return traits, those that are header fields in one."""
    fields = sorted(trait.removeprefix(WITH) for trait in traits if FIELD.fullmatch(trait))
    others = [trait for trait in traits if not FIELD.fullmatch(trait)]
    told = " and ".join(filter(None, (", ".join(fields[:-1]), *fields[-1:])))
    return [*others, f"{WITH}{told}"] if fields else others


def together(common: AbstractSet[str], whats: AbstractSet[str], usual: Sequence[frozenset[str]]) -> str:
    """Return by which key and for which VPS something is asked for, if no usual request has all of it; else nothing."""
    keys, own = common & {*KEYS.values()}, common & {OWN}
    told = product(["", *keys], sorted(whats - own, key=rank), ["", *own])
    several = [parts for all_parts in told if len(parts := [*filter(None, all_parts)]) > 1]
    new = (parts for parts in sorted(several, key=len) if not any(carried.issuperset(parts) for carried in usual))
    return " ".join(next(new, ()))


def mostly_asked(
    odd: Sequence[Exchange], usual: Sequence[Exchange], carried: Callable[[Exchange], frozenset[str]]
) -> str | None:
    """Return up to three things that most odd requests ask for, and hardly any of the usual ones."""
    if len(usual) < SPARED * len(odd):
        return None  # almost all are odd, whatever they ask for
    spared = Counter(trait for e in usual for trait in carried(e))
    left, found = [*odd], list[str]()
    while left and len(found) < FEWEST:
        asked = Counter(trait for e in left for trait in carried(e) if trait.startswith(FOR))
        telling = [trait for trait, n in asked.items() if spared[trait] <= max(SPARED * n, n >= ENOUGH_ASKED)]
        most = min(telling, key=lambda trait: (-asked[trait], trait == REFUSED, rank(trait)), default="")
        if asked[most] < FEWEST:
            break
        found.append(most)
        left = [e for e in left if most not in carried(e)]
    if not found or len(left) > OTHERS * len(odd):
        return None
    many = str(len(odd) - len(left)) if left else "all"
    alike = sum(not carried(e).isdisjoint(found) for e in usual) or "none"
    return f"{many} of these {len(odd)} requests are {' or '.join(found)}, and {alike} of {len(usual)} others"


def rank(trait: str) -> tuple[int, str]:
    """Return what traits are sorted by: a short one before a long one."""
    return len(trait), trait
