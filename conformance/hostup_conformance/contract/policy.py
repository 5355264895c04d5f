"""What may be sent to which server, so that the suite does no harm (see "Safety" in the README).

A server that is not on loopback is live, and so is any with `--live`: it gets only what is safe.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from urllib.parse import parse_qsl, quote, unquote_plus

from hostup_conformance.contract.ask import LARGEST_LINUX_PID, Ask, Exchange, overrides_of, with_started_commands
from hostup_conformance.contract.target import Target
from hostup_conformance.http.messages import Request
from hostup_conformance.http.pace import Withheld
from hostup_conformance.keeping.redact import redactor

#: The methods that change nothing (RFC 9110 section 9.2.1). A live server gets no others.
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
#: What a GET below a VPS changes all the same: the console's creates a session (the endpoint's documentation).
CHANGED_BY_GET = frozenset({"console"})
#: The widths, in bits, to which a server may truncate a number.
WIDTHS = (31, 32, 63, 64)


@dataclass(frozen=True)
class Policy:
    """Raises `Withheld` for a request that could do harm, or that the user did not allow."""

    target: Target

    def __call__(self, request: Request, ask: Ask, exchanges: Sequence[Exchange]) -> None:
        """Check one request, given the exchanges before it."""
        self._check_keys(request, ask)
        overrides = overrides_of(request)
        starts = "POST" in {request.method, *overrides} and bool(request.body)
        if starts and not self.target.allow_exec:
            raise Withheld("a command is not started without --allow-exec")
        if not self.target.is_live:
            return
        if starts and ask.vps not in {"own", "unknown"}:
            raise Withheld("a command is started on no other VPS than the given one")
        if not starts and request.method not in SAFE_METHODS:
            raise Withheld(f"{request.method} is not sent to a server that is not on loopback, or with --live")
        if request.method != "OPTIONS" and changes_something(request):
            raise Withheld("a GET that creates a console session is not sent")
        if overrides and not self.target.allow_exec:
            raise Withheld("another method is not asked for without --allow-exec: it may be one that starts a command")
        if (
            request.method != "OPTIONS"
            and ask.resource in {"exec", "other"}
            and not self._is_harmless(request, ask, exchanges)
        ):
            raise Withheld(
                "a pid that may be another user's command is not polled: the poll would take its output away"
            )

    def _check_keys(self, request: Request, ask: Ask) -> None:
        """Raise `Withheld` if a key is anywhere but in Authorization, where only the sources of the suite write one.

        A server may have put it into an ETag, a cookie, a cursor or a name that it gets back. One request has the key
        in its URL on purpose, and goes to loopback alone.
        """
        held = partial(holds_a_key, self.target.secrets)
        if held(request.target) and (self.target.is_live or not has_key_on_purpose(request, ask, self.target)):
            raise Withheld("a key is sent in no URL to a server that is not on loopback, or that chose where it stands")
        fields = (f"{name}: {value}" for name, value in request.headers if name.lower() != "authorization")
        if held("\n".join(fields)) or held(request.body.decode("latin-1")):
            raise Withheld("a key is sent in the header field Authorization alone")
        redact = redactor(self.target.secrets)
        if any(redact(text) != text for text in chosen_by_server(request, ask)):
            raise Withheld("a server that put a piece of a key into a cookie, a cursor or an id does not get it back")

    def _is_harmless(self, request: Request, ask: Ask, exchanges: Sequence[Exchange]) -> bool:
        """Whether a request, however a server reads it, can reach no command except our own.

        A Linux guest has no pids above 4194304, a Windows guest has only even ones of 32 bits, and neither gives
        a command the pid 0 or 1.
        """
        if ask.pid.known and not (request.method == "GET" and request.body):
            return True
        ours = ours_in(request, ask, with_started_commands(self.target, exchanges))
        return all(
            number in ours or number <= 1 or number >= 2**32 or (number > LARGEST_LINUX_PID and number % 2)
            for number in readings(request)
        )


@lru_cache(maxsize=256)
def holds_a_key(secrets: tuple[str, ...], text: str) -> bool:
    """Whether a text contains one of the keys; remembered, since most requests have what those before them had."""
    return redactor(secrets).finds_in(text)


def changes_something(request: Request) -> bool:
    """Whether a request is for one of the resources that a GET changes."""
    path = unquote_plus(request.target.partition("?")[0]).lower()
    return not CHANGED_BY_GET.isdisjoint(path.split("/"))


def chosen_by_server(request: Request, ask: Ask) -> Iterator[str]:
    """Yield the parts of a request that a server may have chosen: a cursor, an ETag, cookies, and an unnamed id."""
    yield from (value for name, value in parse_qsl(request.query) if name == "cursor")
    yield from (request.header(name) or "" for name in ("if-none-match", "cookie"))
    if ask.vps in {"other", "unknown", "malformed", "unnamed"}:
        yield ask.id or ""


def has_key_on_purpose(request: Request, ask: Ask, target: Target) -> bool:
    """Whether a request is the one that has the key as the only parameter of the probe, and has it nowhere else."""
    _, _, value = request.query.partition("=")
    return ask.endpoint and ask.credential == "query" and ask.vps == "own" and value == quote(target.key, safe="")


def ours_in(request: Request, ask: Ask, target: Target) -> set[int | None]:
    """Return the pids in a request that can only be those of our own commands.

    An unavailable agent has no command whose output a poll could take away, and an unknown VPS has none at all. The pid
    of the ended command is not safe with a key that may poll, since that would use up its one poll.
    """
    beside = ask.resource == "other" and f"/{quote(target.vps, safe='')}/" in request.path
    if not beside and ask.vps not in {"own", "unavailable", "unknown"}:
        return set()
    spent = ask.credential in {"full", "lowercase"} and ask.vps not in {"unavailable", "unknown"}
    return {target.running_pid, None if spent else target.finished_pid}


def readings(request: Request) -> Iterator[int]:
    """Yield each number in a request's query, or in its body if it is no POST, that some server might take for a pid.

    The name of the parameter does not matter: some servers ignore its case, brackets and the like.
    """
    parts = re.split("[&;]", request.query)
    if request.method != "POST":
        parts.append(request.body.decode("latin-1"))
    for part in parts:
        value = part.partition("=")[2] or part
        for text in {unquote_plus(value), unquote_plus(unquote_plus(value))}:
            for number in numbers_in(text):
                yield number
                yield from (number % 2**width for width in WIDTHS)


def numbers_in(text: str) -> Iterator[int]:
    """Yield the numbers that different parsers find in a text.

    They are its runs of digits, of any script; all its digits together; digits grouped by separators; hexadecimal,
    octal and binary numbers; and numbers with an exponent.
    """
    digits = re.findall(r"\d+", text)
    for run in (*digits, "".join(digits), *re.findall(r"\d+", re.sub(r"[_,.'\s]", "", text))):
        yield value_of(run, 10)
        if run.startswith("0") and run.isascii() and set(run) <= set("01234567"):
            yield value_of(run, 8)
    for prefix, base in (("0x", 16), ("0o", 8), ("0b", 2)):
        for run in re.findall(rf"{prefix}([0-9a-f_]+)", text.lower()):
            with suppress(ValueError):
                yield value_of(run.strip("_").replace("_", ""), base)
    for run in re.findall(r"(?<![\d.])[\d.]++e\+?\d{1,3}", text.lower()):
        with suppress(ValueError, OverflowError):
            yield int(float(run))


def value_of(digits: str, base: int) -> int:
    """Return the value of digits; one far above 256 bits is replaced by 2**128 plus its last 128 bits.

    Raises:
        ValueError: a character is not a digit of the base
    """
    value = 0
    for digit in digits:
        value = value * base + int(digit, base)
        if value >> 256:
            value = value % 2**128 + 2**128
    return value
