"""Starts of harmless commands, and those that must be refused. It sends nothing."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from secrets import token_hex
from typing import Any
from urllib.parse import quote

from hostup_conformance.contract.commands import refused
from hostup_conformance.contract.paths import LONGEST_COMMAND, path_of
from hostup_conformance.contract.target import Target, altered_within
from hostup_conformance.http.messages import Headers, Request
from hostup_conformance.sources.requests import BASE_HEADERS, Step, authorization, authorized
from hostup_conformance.sources.script import Script


class CommandScript(Script):
    """A script with starts. With a token, the commands of those that must be refused leave a trace if they run."""

    def __init__(self, target: Target, token: str | None) -> None:
        super().__init__(target)
        self._token = token

    def _forbidden_starts(self) -> Iterator[Step]:
        return self._by_others(lambda: body_of(echo()), self._other_key())

    def _by_others(self, body: Callable[[], bytes], *wrong: str) -> Iterator[Step]:
        """Yield the starts by all who must not start anything: with no key, with wrong ones, and with read:vm alone."""
        target = self.target
        yield Step("a start without a key", post(target, body(), key=None), "credentials")
        for key in wrong:
            yield Step("a start with a wrong key", post(target, body(), key=key), "credentials")
        if target.read_key:
            yield Step("a start with read:vm alone", post(target, body(), key=target.read_key), "scopes")

    def _refused_starts(self) -> Iterator[Step]:
        target, token = self.target, self._token
        marked = (refused(number, token).text if token else echo() for number in range(100))

        def body() -> bytes:
            return body_of(next(marked))

        altered = (target.key[:-1], altered_within(target.key))
        yield from self._by_others(body, *(key for key in altered if key not in {"", target.key}))
        ordered = (("Prefer", "code=429"),)
        yield Step("a start, and an ordered 429", post(target, body_of(echo()), headers=ordered))
        basic = f"Basic {b64encode(f':{target.key}'.encode()).decode()}"
        yield Step(
            "a start with the key under Basic",
            post(target, body(), key=None, headers=(("Authorization", basic),)),
            "credentials",
        )
        yield Step("a start in an unknown VPS", post(target, body(), vps=self._unknown_vps()), "ids")
        if target.foreign_vps:
            yield Step("a start in somebody else's VPS", post(target, body(), vps=target.foreign_vps), "ids")
        if target.unavailable_vps:
            yield Step("a start in the VPS without an agent", post(target, body(), vps=target.unavailable_vps), "ids")
        yield from self._improper(marked)

    def _improper(self, marked: Iterator[str]) -> Iterator[Step]:
        """Yield starts with an invalid command, and with methods other than POST; `marked` yields valid commands."""
        target = self.target
        # In a comment, since a server that makes one blank of several, or trims, has a shorter one than it was sent.
        too_long = f"{next(marked)} #".ljust(LONGEST_COMMAND + 1, "x")
        no_commands = ["", None, 5, [next(marked)], {"run": next(marked)}]
        odd_bodies = (b"{}", b"null", b"\xff\xfe{", b"[" * 3000, next(marked).encode())
        trailing = body_of(next(marked)) + b" and more"
        for bad in (*odd_bodies, trailing, *map(body_of, [*no_commands, too_long])):
            yield Step("a start without a proper command", post(target, bad), "input")
        if not self.target.is_live:
            yield Step("a start without a body", post(target, b""), "input")
        for odd in ("\0", "\ud800"):
            yield Step(
                "a start whose command has a NUL or half a surrogate pair", post(target, body_of(echo() + odd)), "input"
            )
        if not self.target.is_live:
            for method in ("PUT", "PATCH", "OPTIONS"):
                as_start = replace(post(target, body_of(next(marked))), method=method)
                yield Step(f"{method}, with a command", as_start, "input")
            own = post(target, body_of(next(marked)), headers=(("X-HTTP-Method-Override", "POST"),))
            yield Step("a GET with a command that is to count as a start", replace(own, method="GET"), "input")
            query = f"command={quote(next(marked), safe='')}"
            yield Step(
                "GET, with a command in its query", authorized(f"{path_of(target.vps)}?{query}", target), "input"
            )


def post(
    target: Target,
    body: bytes,
    *,
    vps: str | None = None,
    key: str | None = "",
    headers: Headers = (),
    content_type: str = "application/json",
) -> Request:
    """Return the start of a command, with the full key unless another or None is given."""
    all_headers = (*BASE_HEADERS, ("Content-Type", content_type), *headers, *authorization(target, key))
    return Request("POST", path_of(vps or target.vps), all_headers, body)


def body_of(command: Any, *, escaped: bool = True, others: Mapping[str, str] | None = None) -> bytes:
    """Return a body with a command, valid or not, and other members; what is not ASCII is escaped, or in UTF-8."""
    return json.dumps({"command": command, **(others or {})}, ensure_ascii=escaped).encode()


def echo() -> str:
    """Return a command that prints a unique text with small and capital letters."""
    return f"echo hostup-conformance-{token_hex(8)}-aZ"
