"""The faulty clients: a right one, and others with one deliberate defect each, which override one of its methods.

They do what they are given: with HOSTUP_COMMAND they run it, with HOSTUP_PID they poll, and with neither they probe.
`@trips("CLIENT-05", "well")` names the requirement that must notice, and scenes in which the defect shows. The
docstring says what the client does wrong. Run one with `python faulty NAME`.
"""

import http.client
import json
import os
import signal
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from importlib import import_module
from typing import Any, Literal, TypeVar
from urllib.parse import quote, urlsplit

Headers = dict[str, str]
Does = Literal["probe", "poll", "run"]


@dataclass
class Got:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Failed(Exception):
    """The client gives up; the message is for its user."""


class Right:
    """A right client: probe, start, poll until exited, print the output, exit with the exit code."""

    interval = 0.4
    media_type = "application/json"

    def __init__(self) -> None:
        environ = os.environ
        self.base, self.key, self.vps = (environ[f"HOSTUP_{name}"] for name in ("BASE_URL", "API_KEY", "VPS_ID"))
        self.base = self.base.rstrip("/")
        self.command, self.pid = environ.get("HOSTUP_COMMAND", ""), environ.get("HOSTUP_PID")
        self.deadline = time.monotonic() + float(environ.get("HOSTUP_TIMEOUT", "300"))
        self.waited = False

    # --- what is sent

    def path(self) -> str:
        return f"/api/v2/vps/{quote(self.vps, safe='')}/agent/exec"

    def probe_url(self) -> str:
        return self.base + self.path()

    def poll_url(self, started: Any) -> str:
        return f"{self.base}{self.path()}?pid={int(started['pid'])}"

    def headers(self) -> Headers:
        return {
            "Authorization": f"Bearer {self.key}",
            "Accept": "application/json",
            "User-Agent": "faulty-client/1.0",
        }

    def body(self) -> bytes:
        return json.dumps({"command": self.command}).encode()

    def send(self, method: str, url: str, body: bytes | None = None) -> Got:
        """Send one request on a connection of its own, and follow nothing."""
        parts = urlsplit(url)
        headers = self.headers() | ({"Content-Type": self.media_type} if body is not None else {})
        connection = self.connection(url)
        try:
            with self.limit():
                connection.request(method, parts.path + (f"?{parts.query}" if parts.query else ""), body, headers)
                response = connection.getresponse()
                return Got(response.status, response.headers, response.read())
        finally:
            connection.close()

    def connection(self, url: str) -> http.client.HTTPConnection:
        parts, timeout = urlsplit(url), max(self.left(), 0.1)
        if parts.scheme == "https":
            return http.client.HTTPSConnection(parts.netloc, timeout=timeout, context=self.tls())
        return http.client.HTTPConnection(parts.netloc, timeout=timeout)

    def tls(self) -> ssl.SSLContext:
        return ssl.create_default_context()

    @contextmanager
    def limit(self) -> Iterator[None]:
        """End what takes longer than there is time in all: the timeout of a socket is for each read alone."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        signal.signal(signal.SIGALRM, self.time_is_up)
        signal.setitimer(signal.ITIMER_REAL, max(self.left(), 0.1))
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def time_is_up(self, *_: Any) -> None:
        raise TimeoutError("timed out")

    # --- what is decided

    def left(self) -> float:
        return self.deadline - time.monotonic()

    def pause(self, got: Got) -> float | None:
        """Return how long to wait before the same request is sent again, None to give up."""
        text = got.headers.get("Retry-After")
        if got.status not in (429, 503) or text is None:
            return None
        if text.isdigit():
            return float(text)
        return max(parsedate_to_datetime(text).timestamp() - time.time(), 0.0)

    def ask(self, method: str, url: str, body: bytes | None = None) -> Any:
        while True:
            if self.left() <= 0:
                raise Failed("timed out; the command may still be running")
            got = self.send(method, url, body)
            if got.status == 200:
                return self.read(got)
            seconds = self.pause(got)
            if seconds is None or seconds > self.left():
                raise Failed(f"{method}: status {got.status}")
            time.sleep(max(seconds, self.interval) + 0.01)

    def read(self, got: Got) -> Any:
        value = got.json
        if not isinstance(value, dict):
            raise Failed("no JSON object")
        return value

    def may_start(self, availability: Any) -> bool:
        return availability.get("available") is True

    def start(self) -> Any:
        return self.ask("POST", self.base + self.path(), self.body())

    def has_ended(self, output: Any) -> bool:
        return output.get("exited") is True

    def follow(self, started: Any) -> Any:
        url = self.poll_url(started)
        while not self.has_ended(output := self.ask("GET", url)):
            time.sleep(self.interval)
        return output

    # --- what comes out

    def show(self, output: Any) -> None:
        sys.stdout.buffer.write((output.get("stdout") or "").encode())
        sys.stderr.buffer.write((output.get("stderr") or "").encode())

    def exit_code(self, output: Any) -> int:
        code = output.get("exitCode")
        return code if isinstance(code, int) and 0 <= code < 256 else 255

    def fail(self, error: Exception) -> int:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1 if self.command or self.pid else 2

    def answer(self, availability: Any) -> int:
        return 0 if self.may_start(availability) else 1

    def run(self) -> int:
        if not self.command and not self.pid:
            return self.answer(self.ask("GET", self.probe_url()))
        if self.pid:
            return self.finish({"pid": self.pid})
        if not self.may_start(self.ask("GET", self.probe_url())):
            raise Failed("commands cannot be run")
        return self.finish(self.start())

    def finish(self, started: Any) -> int:
        output = self.follow(started)
        self.show(output)
        return self.exit_code(output)

    def main(self) -> int:
        try:
            return self.run()
        except (Failed, OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as error:
            return self.fail(error)


@dataclass(frozen=True)
class Faulty:
    """A client with one deliberate defect."""

    name: str
    requirement: str
    scenes: tuple[str, ...]
    client: type[Right]
    doc: str
    does: Does


_FAULTY: list[Faulty] = []
C = TypeVar("C", bound=type[Right])


def trips(requirement: str, *scenes: str, does: Does = "run") -> Callable[[C], C]:
    """Register a faulty client, with the requirement that must notice it and the scenes in which it shows."""

    def register(client: C) -> C:
        assert client.__doc__, client
        _FAULTY.append(Faulty(client.__name__, requirement, scenes or ("well",), client, client.__doc__, does))
        return client

    return register


def faulty() -> list[Faulty]:
    """Return all faulty clients. A process that is one of them cannot import the suite, nor its kind of catalogue."""
    for module in ("key", "form", "course", "outcome"):
        import_module(f"clients.faulty.{module}")
    return _FAULTY
