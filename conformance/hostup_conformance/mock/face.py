"""The HTTP side of a server: keys, scopes, problems and the rate limit, in front of any backend.

It behaves as the endpoint's documentation says. It must not know the rules, nor the rules it.
"""

import json
import re
import secrets
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from hostup_conformance.contract import problems
from hostup_conformance.contract.paths import ENDPOINT, LONGEST_COMMAND, PATHS, VPSS, path_of
from hostup_conformance.contract.problems import PROBLEMS

#: The greatest length of a body, in bytes: each character of the longest command may be written as two \uXXXX escapes.
LONGEST_BODY = 2**16


class Backend(Protocol):
    """What is behind one VPS: its guest agent, real or simulated."""

    async def availability(self) -> dict[str, Any]:
        """Return the members available, reason and vmRunning."""

    def load(self) -> dict[str, Any]:
        """Return the VPS's uptime and load, as members of a status."""

    async def poll(self, pid: int) -> dict[str, Any]:
        """Return the command output of a pid.

        Raise `LookupError` for a pid that the agent does not know, `Unavailable` if it cannot be asked.
        """

    async def start(self, command: str) -> int:
        """Start a command and return its pid; raise `Unavailable` if the agent cannot be asked."""


class Unavailable(Exception):
    """The guest agent cannot be asked; the message says why."""


@dataclass(frozen=True)
class Key:
    """An API key: whose it is, and what it may do."""

    account: str
    scopes: frozenset[str]


class Refused(Exception):
    """The request is refused with a problem document."""

    def __init__(
        self,
        status: int,
        detail: str,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[Mapping[str, str]] = (),
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers, self.errors = status, detail, headers or {}, errors


def respond(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON response that no cache stores."""
    media_type = "application/json" if status == 200 else "application/problem+json"
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(content, status, {"Cache-Control": "no-store", **(headers or {})}, media_type)


def problem(request: Request, refused: Refused) -> Response:
    """Return the problem document (RFC 9457) of a refusal."""
    body = problems.problem(
        refused.status,
        refused.detail,
        instance=request.scope.get("raw_path", b"").decode("ascii", "replace").partition("?")[0],
        request_id="req_" + secrets.token_hex(13),
        timestamp=timestamp(datetime.now(UTC)),
    )
    if refused.errors:
        body["errors"] = refused.errors
    return respond(body, refused.status, refused.headers)


def timestamp(moment: datetime) -> str:
    """Return a moment of UTC as the provider writes it."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def too_many(wait: int, limit: int) -> Refused:
    """Return the refusal of a request above the rate limit, with its four header fields."""
    headers = {
        "Retry-After": str(wait),
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": timestamp(datetime.now(UTC) + timedelta(seconds=wait)),
    }
    return Refused(429, f"Wait {wait} seconds before the next request.", headers)


def ordered_status(request: Request) -> int | None:
    """Return the status code that `Prefer: code=NNN` orders, as other mock servers take it, if it is a problem's."""
    for preference in request.headers.get("prefer", "").split(","):
        name, _, value = preference.strip().partition("=")
        if name == "code" and re.fullmatch("[0-9]{3}", value) and int(value) in PROBLEMS:
            return int(value)
    return None


def parse_pid(request: Request) -> int | None:
    """Return the pid of a poll, or None for a probe; raise `Refused` for an invalid one."""
    values = request.query_params.getlist("pid")
    if not values:
        return None
    text = values[0]
    if len(values) > 1 or not (text.isascii() and text.isdecimal()) or len(text) > 18 or int(text) == 0:
        raise invalid("/pid", "One integer above 0 is needed.")
    return int(text)


async def parse_command(request: Request) -> str:
    """Return the command that a request asks to start; raise `Refused` for an invalid one.

    A NUL would end it in the guest, and half of a surrogate pair cannot be sent there.
    """
    content = bytearray()
    try:
        async for chunk in request.stream():
            content += chunk
            if len(content) > LONGEST_BODY:
                raise invalid("", f"More than {LONGEST_BODY} bytes.")
    except ClientDisconnect:
        raise invalid("", "The body is cut short.") from None
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise invalid("", "The Content-Type must be application/json.")
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        raise invalid("", "The body is not JSON.") from None
    command = body.get("command") if isinstance(body, dict) else None
    if not isinstance(command, str):
        raise invalid("/command", "A string is needed.")
    if not 1 <= len(command) <= LONGEST_COMMAND:
        raise invalid("/command", f"1 to {LONGEST_COMMAND} characters are needed.")
    if "\0" in command or any("\ud800" <= character <= "\udfff" for character in command):
        raise invalid("/command", "NUL and lone surrogates cannot be passed on.")
    return command


def invalid(pointer: str, detail: str) -> Refused:
    """Return the refusal of a request with one mistake."""
    item = {"pointer": pointer, "detail": detail, "code": "invalid_request"}
    return Refused(400, "The request is not valid.", errors=[item])


@dataclass
class Provider:
    """What is served: the keys by their tokens, and the VPSs by their ids, each with its account and backend."""

    keys: Mapping[str, Key]
    vpss: Mapping[str, tuple[str, Backend]]
    #: Requests that one key may send in a minute.
    limit: int = 6000
    _windows: dict[str, tuple[int, int]] = field(default_factory=lambda: defaultdict(lambda: (0, 0)))

    def seconds_to_wait(self, token: str) -> int:
        """Count a request; return 0, or how many seconds to wait if the key has used up its limit for this minute."""
        now = int(time.time())
        window, used = self._windows[token]
        used = used + 1 if window == now // 60 else 1
        self._windows[token] = (now // 60, used)
        return 60 - now % 60 if used > self.limit else 0

    async def serve(self, request: Request) -> Response:
        """Respond to a request on the endpoint's path; raise `Refused` or `Unavailable` for a problem."""
        key = self._admit(request)
        backend = self._backend(request, key)
        return await (self._post if request.method == "POST" else self._get)(request, key, backend)

    async def status(self, request: Request) -> Response:
        """Respond with the status of a VPS."""
        key = self._admit(request)
        check_scope(key, "read:vm")
        id, backend = request.path_params["id"], self._backend(request, key)
        return respond({**backend.load(), "id": id, "powerState": await power_state(backend)})

    async def list(self, request: Request) -> Response:
        """Respond with one page of the caller's VPSs; its cursor is the last id of the page before."""
        key = self._admit(request)
        check_scope(key, "read:vm")
        own = [id for id, (account, _) in self.vpss.items() if account == key.account]
        data: list[dict[str, Any]] = [
            {"id": id, **shown(number), "serviceStatus": "active"} for number, id in enumerate(own, 1)
        ]
        limit = request.query_params.get("limit", "100")
        if not (limit.isascii() and limit.isdecimal() and len(limit) < 4 and 1 <= int(limit) <= 100):
            raise invalid("/limit", "An integer from 1 to 100 is needed.")
        cursor = request.query_params.get("cursor")
        if cursor is not None and cursor not in own:
            raise invalid("/cursor", "It is not a cursor that this endpoint has returned.")
        rest = data[own.index(cursor) + 1 :] if cursor else data
        for name in ("name", "primaryIp"):
            asked = request.query_params.get(name)
            rest = [item for item in rest if asked in {None, item[name]}]
        page, more = rest[: int(limit)], len(rest) > int(limit)
        for item in page:
            item["powerState"] = await power_state(self.vpss[item["id"]][1])
        return respond({"data": page, "hasMore": more, "nextCursor": page[-1]["id"] if more else None})

    def _backend(self, request: Request, key: Key) -> Backend:
        account, backend = self.vpss.get(request.path_params["id"], (None, None))
        if backend is None or account != key.account:
            raise Refused(404, "There is no such VPS.")
        return backend

    def _admit(self, request: Request) -> Key:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        key = self.keys.get(token.strip()) if scheme.lower() == "bearer" else None
        if key is None:
            raise Refused(401, "Give a valid API key.", {"WWW-Authenticate": "Bearer"})
        if wait := self.seconds_to_wait(token.strip()):
            raise too_many(wait, self.limit)
        if (status := ordered_status(request)) == 429:
            raise too_many(30, self.limit)
        if status is not None:
            item = {"pointer": "/pid", "detail": "As ordered.", "code": "invalid_request"}
            raise Refused(status, "As ordered by Prefer.", errors=[item] if status == 400 else ())
        return key

    async def _get(self, request: Request, key: Key, backend: Backend) -> Response:
        pid = parse_pid(request)
        check_scope(key, "read:vm" if pid is None else "write:vm")
        if pid is None:
            return respond(await backend.availability())
        if request.method == "HEAD":
            # HEAD is safe, so it must not use up the one poll that returns the output of an ended command.
            response = respond({})
            del response.headers["content-length"]
            return response
        try:
            return respond(await backend.poll(pid))
        except LookupError:
            raise Refused(404, "There is no such command.") from None

    async def _post(self, request: Request, key: Key, backend: Backend) -> Response:
        check_scope(key, "write:vm")
        pid = await backend.start(await parse_command(request))
        path = path_of(request.path_params["id"])
        return respond({"pid": pid, "pollUrl": f"{path}?pid={pid}"})


async def power_state(backend: Backend) -> str:
    """Return whether a VPS runs, as far as its backend knows."""
    running = (await backend.availability()).get("vmRunning")
    return "unknown" if running is None else "running" if running else "stopped"


def shown(number: int) -> dict[str, str]:
    """Return the name of a VPS, and an address reserved for documentation (RFC 5737)."""
    return {"name": f"web-{number}", "primaryIp": f"192.0.2.{number}"}


def check_scope(key: Key, scope: str) -> None:
    """Raise `Refused` if a key lacks a scope."""
    if scope not in key.scopes:
        raise Refused(403, f"The key lacks the scope {scope}.")


def create_app(provider: Provider) -> Starlette:
    """Return the application that serves a provider's VPSs."""

    async def failed(request: Request, error: Exception) -> Response:
        if isinstance(error, Refused):
            return problem(request, error)
        if isinstance(error, Unavailable):
            return problem(request, Refused(503, str(error)))
        if isinstance(error, HTTPException):  # of the framework
            status = error.status_code if error.status_code in PROBLEMS else 400
            return problem(request, Refused(status, error.detail, error.headers))
        return problem(request, Refused(500, "An unexpected error occurred."))

    return Starlette(
        routes=[
            Route(ENDPOINT, provider.serve, methods=["GET", "POST"]),
            Route(PATHS["status"], provider.status, methods=["GET"]),
            Route(VPSS, provider.list, methods=["GET"]),
        ],
        exception_handlers=dict.fromkeys((Refused, Unavailable, HTTPException, Exception), failed),
    )
