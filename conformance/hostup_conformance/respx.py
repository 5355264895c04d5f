"""A respx router that plays the endpoint in your tests: as documented, or with seeded trouble.

    from hostup_conformance.respx import router

    with router():                               # documented responses only
        ...
    with router(profile="hostile", seed=7):      # trouble in between, the same in each run
        ...
    with router(profile={"rate_limit", "reset"}, rate=1.0):
        ...

A probe gets the availability, and each start a pid of its own. The first poll of a pid finds the command running, the
second finds it ended, and later ones get 404, since a guest agent forgets what it has reported. A request without a
bearer key gets 401. A pid that is not a positive integer gets 400, and so does a command that is not a string of 1 to
4096 characters. The bodies are the examples of `openapi.yaml`.
"""

import json
import random
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from threading import Lock
from typing import Any

import httpx

from hostup_conformance.keeping.missing import complaint

try:
    import jsonschema_rs
    import respx

    from hostup_conformance.contract.document import document
    from hostup_conformance.contract.paths import ENDPOINT
    from hostup_conformance.contract.problems import example_of
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(complaint() or str(error)) from error

#: The path of the one endpoint, below any base URL.
PATH = f"^(?:/.*)?{ENDPOINT.replace('{id}', '[^/]+')}$"


def router(
    *, seed: int = 0, profile: str | Collection[str] = "documented", rate: float = 0.5, base_url: str | None = None
) -> respx.MockRouter:
    """Make a router, to be used as a context manager or a decorator, as respx shows.

    Args:
        seed: which run of trouble; the same seed and the same requests give the same responses
        profile: "documented" for no trouble, "hostile" for any, or the names of some kinds (:data:`TROUBLE`)
        rate: the part of the requests that meet trouble, from 0 to 1
        base_url: mock only this base URL; respx refuses any other

    Raises:
        ValueError: there is no such kind of trouble
    """
    names = {"documented": set(), "hostile": set(TROUBLE)}.get(profile) if isinstance(profile, str) else set(profile)
    if names is None or not names <= set(TROUBLE):
        raise ValueError(f"profile: expected documented, hostile, or some of {', '.join(TROUBLE)}; got {profile!r}")
    mock = respx.mock(base_url=base_url, assert_all_called=False)
    mock.route(method__in=["GET", "POST"], path__regex=PATH).mock(
        side_effect=_Server(random.Random(seed), sorted(names), rate)  # noqa: S311
    )
    return mock


def _described(method: str) -> Any:
    """Return what the document says of the body of a success."""
    return document()["paths"][ENDPOINT][method]["responses"]["200"]["content"]["application/json"]


def _ok(name: str) -> httpx.Response:
    return httpx.Response(200, json=_described("get")["examples"][name]["value"])


def _problem(status: int, headers: dict[str, str] | None = None) -> httpx.Response:
    body = json.dumps(example_of(status))
    return httpx.Response(status, headers={"Content-Type": "application/problem+json", **(headers or {})}, content=body)


class _Server:
    """The state behind a router: how often each pid was polled, and the source of trouble."""

    def __init__(self, chance: random.Random, trouble: list[str], rate: float) -> None:
        self._chance, self._trouble, self._rate = chance, trouble, rate
        self._polls: dict[str, int] = {}
        self._started = 0
        self._lock = Lock()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            if self._trouble and self._chance.random() < self._rate:
                trouble = TROUBLE[self._chance.choice(self._trouble)]
                return trouble(request, lambda: self._documented(request), self._chance)
            return self._documented(request)

    def _documented(self, request: httpx.Request) -> httpx.Response:
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key:
            return _problem(401)
        if request.method == "POST":
            return self._start(request)
        pid = request.url.params.get("pid")
        if pid is None:
            return _ok("available")
        if not (pid.isascii() and pid.isdigit() and int(pid) > 0):
            return _problem(400)
        process = f"{request.url.path} {pid}"
        self._polls[process] = polls = self._polls.get(process, 0) + 1
        return _ok("running") if polls == 1 else _ok("exited") if polls == 2 else _problem(404)

    def _start(self, request: httpx.Request) -> httpx.Response:
        try:
            jsonschema_rs.validate(document()["components"]["schemas"]["CommandStart"], json.loads(request.content))
        except ValueError:  # no JSON, or not as the schema says
            return _problem(400)
        pid = _described("post")["example"]["pid"] + self._started
        self._started += 1
        return httpx.Response(200, json={"pid": pid, "pollUrl": f"{request.url.raw_path.decode()}?pid={pid}"})


class _BrokenBody(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that stops in the middle, as slow or torn ones do, but without any delay."""

    def __init__(self, start: bytes, error: type[httpx.TransportError]) -> None:
        self._start, self._error = start, error

    def __iter__(self) -> Iterator[bytes]:
        yield self._start
        raise self._error("the body stopped")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self:
            yield part


# Each kind of trouble gets the request, the server (which it may call or not), and the source of chance.
_Serve = Callable[[], httpx.Response]
_Trouble = Callable[[httpx.Request, _Serve, random.Random], httpx.Response]


def _rate_limit(_request: httpx.Request, _serve: _Serve, chance: random.Random) -> httpx.Response:
    wait = chance.randint(1, 60)
    limits = {"X-RateLimit-Limit": "120", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "2026-04-27T12:35:26.000Z"}
    return _problem(429, {"Retry-After": str(wait), **limits})


def _reset(request: httpx.Request, serve: _Serve, chance: random.Random) -> httpx.Response:
    kinds = (httpx.ConnectError, httpx.ConnectTimeout, httpx.ReadError, httpx.RemoteProtocolError, httpx.WriteError)
    kind = chance.choice(kinds)
    if not issubclass(kind, httpx.ConnectError | httpx.ConnectTimeout):
        serve()  # the request arrives, and only the response is lost
    raise kind("the connection was reset", request=request)


def _stopping_with(error: type[httpx.TransportError]) -> _Trouble:
    def trouble(_request: httpx.Request, serve: _Serve, _chance: random.Random) -> httpx.Response:
        response = serve()
        return httpx.Response(response.status_code, stream=_BrokenBody(response.content[:10], error))

    return trouble


def _extra_members(_request: httpx.Request, serve: _Serve, chance: random.Random) -> httpx.Response:
    response = serve()
    more = {"x-new": chance.random(), "later": {"nested": [None, "å"]}}
    return httpx.Response(response.status_code, json={**more, **response.json()})


def _html_error(_request: httpx.Request, _serve: _Serve, chance: random.Random) -> httpx.Response:
    return httpx.Response(chance.choice((500, 502, 503, 504, 520, 524)), html="<html><h1>Bad gateway</h1></html>")


def _empty_error(_request: httpx.Request, _serve: _Serve, chance: random.Random) -> httpx.Response:
    return httpx.Response(chance.choice((401, 403, 404, 429, 500)))


#: The kinds of trouble by name; only "extra_members" is within what the document allows.
TROUBLE: dict[str, _Trouble] = {
    "rate_limit": _rate_limit,
    "reset": _reset,
    "slow_body": _stopping_with(httpx.ReadTimeout),
    "torn_body": _stopping_with(httpx.RemoteProtocolError),
    "extra_members": _extra_members,
    "html_error": _html_error,
    "empty_error": _empty_error,
    "internal_error": lambda _request, _serve, _chance: _problem(500),
}
