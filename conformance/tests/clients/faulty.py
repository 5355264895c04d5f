"""The faulty clients: one that is right, and others with one deliberate defect each, which change one method of it.

`@trips("CLIENT-05", "well")` names the requirement that must notice, and scenes in which the defect shows. The
docstring says what the client does wrong. Run one with `python faulty.py NAME`.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import socket
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import quote, urljoin, urlsplit

Headers = dict[str, str]


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
        self.command = environ["HOSTUP_COMMAND"]
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
        connection = http.client.HTTPConnection(parts.netloc, timeout=max(self.left(), 0.1))
        try:
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            connection.request(method, target, body, headers)
            response = connection.getresponse()
            return Got(response.status, response.headers, response.read())
        finally:
            connection.close()

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
            time.sleep(seconds + 0.01)

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
        return 1

    def run(self) -> int:
        if not self.may_start(self.ask("GET", self.probe_url())):
            raise Failed("commands cannot be run")
        output = self.follow(self.start())
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


_FAULTY: dict[str, Faulty] = {}
C = TypeVar("C", bound=type[Right])


def trips(requirement: str, *scenes: str) -> Callable[[C], C]:
    """Register a faulty client, with the requirement that must notice it and the scenes in which it shows."""

    def register(client: C) -> C:
        assert client.__doc__, client
        assert client.__name__ not in _FAULTY, client
        _FAULTY[client.__name__] = Faulty(client.__name__, requirement, scenes or ("well",), client, client.__doc__)
        return client

    return register


def faulty() -> dict[str, Faulty]:
    """Return all faulty clients by name."""
    return _FAULTY


# --- the key


@trips("CLIENT-01")
class NoKey(Right):
    """It sends no key."""

    def headers(self) -> Headers:
        return {name: value for name, value in super().headers().items() if name != "Authorization"}


@trips("CLIENT-01")
class KeyAsBasic(Right):
    """It sends the key as the user name of Basic."""

    def headers(self) -> Headers:
        return super().headers() | {"Authorization": f"Basic {base64.b64encode(f'{self.key}:'.encode()).decode()}"}


@trips("CLIENT-01")
class KeyWithoutScheme(Right):
    """It leaves out the word Bearer."""

    def headers(self) -> Headers:
        return super().headers() | {"Authorization": self.key}


@trips("CLIENT-01")
class KeyAsToken(Right):
    """It uses the scheme Token."""

    def headers(self) -> Headers:
        return super().headers() | {"Authorization": f"Token {self.key}"}


@trips("CLIENT-02")
class KeyInUrlToo(Right):
    """It has the key in the query too."""

    def probe_url(self) -> str:
        return f"{super().probe_url()}?api_key={self.key}"


@trips("CLIENT-02")
class KeyInPollToo(Right):
    """It has the key in the query of polls too."""

    def poll_url(self, started: Any) -> str:
        return f"{super().poll_url(started)}&token={quote(self.key)}"


@trips("CLIENT-02")
class KeyInAnotherHeaderToo(Right):
    """It sends X-Api-Key too."""

    def headers(self) -> Headers:
        return super().headers() | {"X-Api-Key": self.key}


@trips("CLIENT-02")
class KeyInBodyToo(Right):
    """It has the key in the body of the start too."""

    def body(self) -> bytes:
        return json.dumps({"command": self.command, "apiKey": self.key}).encode()


@trips("CLIENT-02")
class KeyInUserAgent(Right):
    """Its User-Agent tells the key."""

    def headers(self) -> Headers:
        return super().headers() | {"User-Agent": f"client/1.0 ({self.key})"}


class Redirecting(Right):
    """It follows redirects."""

    statuses: tuple[int, ...] = (301, 302, 303, 307, 308)

    def send(self, method: str, url: str, body: bytes | None = None) -> Got:
        got = super().send(method, url, body)
        for _ in range(5):
            if got.status not in self.statuses:
                break
            url = urljoin(url, got.headers["Location"])
            if got.status in (301, 302, 303):
                method, body = "GET", None
            got = super().send(method, url, body)
        return got


@trips("CLIENT-03", "probe-redirected", "poll-found")
class KeyFollowsRedirect(Redirecting):
    """It follows redirects, and sends the key along."""


@trips("CLIENT-03", "start-redirected")
class KeyFollowsRedirectOfStart(Redirecting):
    """It follows the redirects that keep the method alone, and sends the key along."""

    statuses = (307, 308)


@trips("CLIENT-03", "poll-url-elsewhere")
class KeyFollowsPollUrl(Right):
    """It follows pollUrl wherever that leads, and sends the key along."""

    def poll_url(self, started: Any) -> str:
        return str(urljoin(self.base, started["pollUrl"]))


@trips("CLIENT-03", "poll-url-without-scheme")
class KeyFollowsSlashes(Right):
    """It takes every pollUrl that begins with a slash for a path."""

    def poll_url(self, started: Any) -> str:
        return (
            urljoin(self.base, started["pollUrl"]) if started["pollUrl"].startswith("/") else super().poll_url(started)
        )


@trips("CLIENT-04")
class LogsKey(Right):
    """It logs its header fields."""

    def send(self, method: str, url: str, body: bytes | None = None) -> Got:
        print(f"> {method} {url} {self.headers()}", file=sys.stderr)
        return super().send(method, url, body)


# --- the form of what is sent


@trips("CLIENT-05")
class PathOfTheOlderApi(Right):
    """It asks the older API."""

    def path(self) -> str:
        return super().path().replace("/v2/", "/v1/")


@trips("CLIENT-05")
class PathWithSlash(Right):
    """Its path ends with a slash."""

    def path(self) -> str:
        return super().path() + "/"


@trips("CLIENT-05")
class ProbesWithHead(Right):
    """It looks with HEAD first whether the endpoint is there."""

    def run(self) -> int:
        self.send("HEAD", self.probe_url())
        return super().run()


@trips("CLIENT-37", "poll-url-of-the-console")
class FollowsPollUrlToAnotherEndpoint(Right):
    """It follows any pollUrl on the same origin."""

    def poll_url(self, started: Any) -> str:
        url = urljoin(self.base, started["pollUrl"])
        return url if url.startswith(self.base) else super().poll_url(started)


@trips("CLIENT-06", "awkward-id")
class IdNotEncoded(Right):
    """It encodes nothing but blanks in the id."""

    def path(self) -> str:
        return f"/api/v2/vps/{quote(self.vps.replace(' ', '%20'), safe='/?&=#%+')}/agent/exec"


@trips("CLIENT-06", "id-with-delimiters")
class IdAsItIs(Right):
    """It puts the id into the path as it is."""

    def path(self) -> str:
        return f"/api/v2/vps/{self.vps}/agent/exec"


@trips("CLIENT-06", "awkward-id")
class SlashNotEncoded(Right):
    """It encodes the id as if it were a path."""

    def path(self) -> str:
        return f"/api/v2/vps/{quote(self.vps)}/agent/exec"


@trips("CLIENT-06", "awkward-id")
class IdEncodedTwice(Right):
    """It encodes the id twice."""

    def path(self) -> str:
        return f"/api/v2/vps/{quote(quote(self.vps, safe=''), safe='')}/agent/exec"


@trips("CLIENT-06", "awkward-id")
class IdEncodedAsForm(Right):
    """It encodes the blank in the id as a plus sign."""

    def path(self) -> str:
        return f"/api/v2/vps/{quote(self.vps, safe='').replace('%20', '+')}/agent/exec"


@trips("CLIENT-06")
class IdInUpperCase(Right):
    """It changes the case of the id."""

    def path(self) -> str:
        return f"/api/v2/vps/{quote(self.vps.upper(), safe='')}/agent/exec"


@trips("CLIENT-07", "large-pid")
class PidOf32Bits(Right):
    """It keeps a pid in 32 bits with a sign."""

    def poll_url(self, started: Any) -> str:
        pid = (int(started["pid"]) + 2**31) % 2**32 - 2**31
        return f"{self.base}{self.path()}?pid={pid}"


@trips("CLIENT-07")
class PidAsFloat(Right):
    """It writes the pid as a float."""

    def poll_url(self, started: Any) -> str:
        return f"{self.base}{self.path()}?pid={float(started['pid'])}"


@trips("CLIENT-07", "no-pid")
class PidUndefined(Right):
    """It polls for undefined where there is no pid."""

    def poll_url(self, started: Any) -> str:
        return f"{self.base}{self.path()}?pid={started.get('pid', 'undefined')}"


@trips("CLIENT-07", "neither-pid-nor-poll-url")
class PidZero(Right):
    """It takes a pid that is missing for 0."""

    def poll_url(self, started: Any) -> str:
        return f"{self.base}{self.path()}?pid={started.get('pid', 0)}"


@trips("CLIENT-08", "awkward-command")
class CommandPasted(Right):
    """It pastes the command between quotes instead of writing JSON."""

    def body(self) -> bytes:
        return f'{{"command": "{self.command}"}}'.encode()


@trips("CLIENT-08", "awkward-command")
class CommandInLatin1(Right):
    """It writes the body in Latin-1."""

    def body(self) -> bytes:
        return json.dumps({"command": self.command}, ensure_ascii=False).encode("latin-1", "replace")


@trips("CLIENT-08", "awkward-command")
class CommandOnOneLine(Right):
    """It sends the first line of the command alone."""

    def body(self) -> bytes:
        return json.dumps({"command": self.command.splitlines()[0]}).encode()


@trips("CLIENT-08", "awkward-command")
class CommandTrimmed(Right):
    """It trims the command."""

    def body(self) -> bytes:
        return json.dumps({"command": self.command.strip()}).encode()


@trips("CLIENT-08")
class CommandAsList(Right):
    """It sends the words of the command as a list."""

    def body(self) -> bytes:
        return json.dumps({"command": self.command.split()}).encode()


@trips("CLIENT-08")
class CommandTwice(Right):
    """It names the command twice."""

    def body(self) -> bytes:
        return f'{{"command": "true", {super().body().decode()[1:]}'.encode()


@trips("CLIENT-08")
class CommandUnderAnotherName(Right):
    """It calls the command cmd."""

    def body(self) -> bytes:
        return json.dumps({"cmd": self.command}).encode()


@trips("CLIENT-09")
class BodyAsForm(Right):
    """It says that its JSON is a form, as curl -d does."""

    media_type = "application/x-www-form-urlencoded"


@trips("CLIENT-09")
class BodyAsText(Right):
    """It says that its JSON is text, as fetch does."""

    media_type = "text/plain;charset=UTF-8"


@trips("CLIENT-10")
class AcceptsHtml(Right):
    """It accepts HTML alone."""

    def headers(self) -> Headers:
        return super().headers() | {"Accept": "text/html,application/xhtml+xml"}


@trips("CLIENT-11")
class Nameless(Right):
    """It sends no User-Agent."""

    def headers(self) -> Headers:
        return {name: value for name, value in super().headers().items() if name != "User-Agent"}


@trips("CLIENT-13")
class TwoHosts(Right):
    """It sends Host twice."""

    def send(self, method: str, url: str, body: bytes | None = None) -> Got:
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=max(self.left(), 0.1))
        connection.putrequest(method, url.removeprefix(self.base), skip_host=True)
        fields = {**self.headers(), "Content-Type": self.media_type, "Content-Length": str(len(body or b""))}
        for name, value in [("Host", parts.netloc), ("Host", "example.com"), *fields.items()]:
            connection.putheader(name, value)
        connection.endheaders(body)
        response = connection.getresponse()
        got = Got(response.status, response.headers, response.read())
        connection.close()
        return got


@trips("CLIENT-13", "well")
class LineFeedsAlone(Right):
    """It ends lines with a line feed alone."""

    def send(self, method: str, url: str, body: bytes | None = None) -> Got:
        parts = urlsplit(url)
        with socket.create_connection((parts.hostname or "", parts.port or 80), 2) as connection:
            connection.sendall(f"{method} {parts.path} HTTP/1.1\nHost: {parts.netloc}\n\n".encode())
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1000)
        raise Failed("no response")


@trips("CLIENT-14")
class GetWithBody(Right):
    """It sends the command with each request."""

    def send(self, method: str, url: str, body: bytes | None = None) -> Got:
        return super().send(method, url, body or b"{}")


# --- the course


@trips("CLIENT-15", "unavailable")
class NoGate(Right):
    """It does not look at what the probe says."""

    def may_start(self, availability: Any) -> bool:
        return True


@trips("CLIENT-15", "unavailable")
class NoProbe(Right):
    """It starts without having asked."""

    def run(self) -> int:
        output = self.follow(self.start())
        self.show(output)
        return self.exit_code(output)


@trips("CLIENT-15", "available-missing", "available-null")
class GateOpenByDefault(Right):
    """It starts unless available is false."""

    def may_start(self, availability: Any) -> bool:
        return availability.get("available") is not False


@trips("CLIENT-15", "available-as-text")
class GateForTexts(Right):
    """It takes the text "false" for true."""

    def may_start(self, availability: Any) -> bool:
        return bool(availability.get("available"))


@trips("CLIENT-15", "available-missing")
class GateByMachine(Right):
    """It starts where the machine runs, whatever the agent does."""

    def may_start(self, availability: Any) -> bool:
        return bool(availability.get("vmRunning"))


@trips("CLIENT-15", "probe-failing", "probe-forbidden")
class GateIgnoresErrors(Right):
    """It takes an error of the probe for a yes."""

    def run(self) -> int:
        try:
            if not self.may_start(self.ask("GET", self.probe_url())):
                raise SystemExit("commands cannot be run")
        except Failed:
            pass
        output = self.follow(self.start())
        self.show(output)
        return self.exit_code(output)


@trips("CLIENT-16", "poll-failing", "poll-not-found")
class StartsAgainAfterBadPoll(Right):
    """It starts the command again where a poll failed."""

    def run(self) -> int:
        try:
            return super().run()
        except Failed:
            return super().run()


@trips("CLIENT-16")
class StartsTwice(Right):
    """It starts the command for a trial first."""

    def start(self) -> Any:
        super().start()
        return super().start()


@trips("CLIENT-17", "start-lost", "start-reset")
class StartsAgainAfterLoss(Right):
    """It sends a start again whose response was lost."""

    def start(self) -> Any:
        try:
            return super().start()
        except (OSError, http.client.HTTPException):
            return super().start()


@trips("CLIENT-17", "start-failing", "start-bad-gateway")
class StartsAgainAfter500(Right):
    """It sends a start again after a 5xx."""

    def start(self) -> Any:
        try:
            return super().start()
        except Failed:
            time.sleep(1)
            return super().start()


@trips("CLIENT-17", "start-unresponsive")
class StartsAgainWhenSlow(Right):
    """It waits a second for the response to a start, and sends it again then."""

    def start(self) -> Any:
        deadline, self.deadline = self.deadline, time.monotonic() + 1
        try:
            return super().start()
        except OSError:
            self.deadline = deadline
            return super().start()


@trips("CLIENT-17", "start-broken-json", "start-empty-body")
class StartsAgainAfterBadJson(Right):
    """It sends a start again whose response it cannot read."""

    def start(self) -> Any:
        try:
            return super().start()
        except ValueError:
            return super().start()


@trips("CLIENT-18", "poll-lost", "poll-reset", "poll-torn")
class PollsAgainAfterLoss(Right):
    """It sends a poll again whose response was lost."""

    def ask(self, method: str, url: str, body: bytes | None = None) -> Any:
        try:
            return super().ask(method, url, body)
        except (OSError, http.client.HTTPException):
            if method == "POST":
                raise
            return super().ask(method, url, body)


@trips("CLIENT-18", "silence")
class PollsAgainWhenSlow(Right):
    """It waits a second for the response to a poll, and sends it again then."""

    def follow(self, started: Any) -> Any:
        deadline, self.deadline = self.deadline, time.monotonic() + 1
        try:
            return super().follow(started)
        except OSError:
            self.deadline = deadline
            return super().follow(started)


@trips("CLIENT-19")
class PollsOnceMore(Right):
    """It polls once more to be sure."""

    def follow(self, started: Any) -> Any:
        output = super().follow(started)
        self.send("GET", self.poll_url(started))
        return output


@trips("CLIENT-38", "slow-server")
class PollsOverlap(Right):
    """It polls at fixed times, whether or not the poll before has its response."""

    def follow(self, started: Any) -> Any:
        url, polls = self.poll_url(started), list[Future[Any]]()
        with ThreadPoolExecutor() as threads:
            while True:
                polls.append(threads.submit(self.ask, "GET", url))
                time.sleep(self.interval)
                for poll in polls:
                    if poll.done() and self.has_ended(output := poll.result()):
                        return output


@trips("CLIENT-20", "probe-rate-limited", "start-rate-limited", "poll-rate-limited")
class IgnoresRetryAfter(Right):
    """After a 429 it waits for half a second, whatever Retry-After says."""

    def pause(self, got: Got) -> float | None:
        return 0.5 if got.status == 429 else super().pause(got)


@trips("CLIENT-20", "poll-rate-limited")
class RetryAfterInMilliseconds(Right):
    """It takes the seconds of Retry-After for milliseconds."""

    def pause(self, got: Got) -> float | None:
        seconds = super().pause(got)
        return seconds and seconds / 1000 if got.status == 429 else seconds


@trips("CLIENT-20", "poll-rate-limited")
class RetryAfterTooEarly(Right):
    """It comes three tenths of a second too early."""

    def pause(self, got: Got) -> float | None:
        seconds = super().pause(got)
        return seconds - 0.3 if seconds and got.headers["Retry-After"].isdigit() and got.status == 429 else seconds


@trips("CLIENT-20", "poll-rate-limited")
class PollsOnWhenLimited(Right):
    """A limited poll is to it a command that still runs."""

    def ask(self, method: str, url: str, body: bytes | None = None) -> Any:
        got = self.send(method, url, body) if "?pid=" in url else None
        if got and got.status == 429:
            return {"exited": False}
        return self.read(got) if got and got.status == 200 else super().ask(method, url, body)


@trips("CLIENT-21", "probe-rate-limited-until", "poll-rate-limited-until")
class SecondsAlone(Right):
    """It reads seconds in Retry-After, and takes a date for one second."""

    def pause(self, got: Got) -> float | None:
        text = got.headers.get("Retry-After", "")
        return 1.0 if got.status == 429 and not text.isdigit() else super().pause(got)


@trips("CLIENT-22", "probe-overloaded", "poll-overloaded")
class OverloadsTheOverloaded(Right):
    """After a 503 it waits for half a second, whatever Retry-After says."""

    def pause(self, got: Got) -> float | None:
        return 0.5 if got.status == 503 else super().pause(got)


@trips("CLIENT-23", "slow-command")
class Hammers(Right):
    """It hardly pauses between polls."""

    interval = 0.02


@trips("CLIENT-23", "slow-command")
class PollsTenTimesASecond(Right):
    """It polls ten times a second."""

    interval = 0.1


@trips("CLIENT-23", "probe-failing")
class HammersTheFailing(Right):
    """It tries ten times after a 500, without a pause."""

    def ask(self, method: str, url: str, body: bytes | None = None) -> Any:
        for _ in range(9):
            if method == "GET" and "?" not in url and self.send(method, url).status == 500:
                continue
            break
        return super().ask(method, url, body)


@trips("CLIENT-24", "never-ends")
class WaitsForEver(Right):
    """It knows no end of waiting for the command."""

    def left(self) -> float:
        return 1000.0


@trips("CLIENT-24", "poll-unresponsive")
class NoTimeout(Right):
    """It waits for a response for ever."""

    def send(self, method: str, url: str, body: bytes | None = None) -> Got:
        if self.left() <= 0:
            raise Failed("timed out")
        deadline, self.deadline = self.deadline, time.monotonic() + 1000
        try:
            return super().send(method, url, body)
        finally:
            self.deadline = deadline


@trips("CLIENT-25", "probe-unauthorized", "poll-forbidden", "poll-not-found")
class RetriesEverything(Right):
    """It tries a GET three times, whatever the status."""

    def ask(self, method: str, url: str, body: bytes | None = None) -> Any:
        for _ in range(2 if method == "GET" else 0):
            try:
                return super().ask(method, url, body)
            except Failed:
                time.sleep(0.5)
        return super().ask(method, url, body)


@trips("CLIENT-25", "start-bad-request", "start-forbidden")
class RetriesRefusedStart(Right):
    """It sends a start again that was refused."""

    def start(self) -> Any:
        for _ in range(2):
            got = self.send("POST", self.base + self.path(), self.body())
            if got.status not in (400, 403):
                break
            time.sleep(0.5)
        return self.read(got) if got.status == 200 else super().start()


@trips("CLIENT-26")
class LooksAgain(Right):
    """It probes again at the end."""

    def run(self) -> int:
        code = super().run()
        self.send("GET", self.probe_url())
        return code


# --- the outcome


@trips("CLIENT-27", "poll-forbidden", "probe-failing", "start-lost")
class ErrorsAreNoErrors(Right):
    """It says what went wrong, and exits with 0."""

    def fail(self, error: Exception) -> int:
        super().fail(error)
        return 0


@trips("CLIENT-27", "poll-not-found")
class GoneIsEnded(Right):
    """It takes a 404 of a poll for the end of the command."""

    def follow(self, started: Any) -> Any:
        try:
            return super().follow(started)
        except Failed as error:
            if "404" not in str(error):
                raise
            return {"exited": True, "exitCode": 0}


@trips("CLIENT-27", "unavailable")
class UnavailableIsFine(Right):
    """It exits with 0 where commands cannot be run."""

    def run(self) -> int:
        return super().run() if self.may_start(self.ask("GET", self.probe_url())) else 0


@trips("CLIENT-27", "never-ends")
class TimeoutIsSuccess(Right):
    """It exits with 0 when the time is up."""

    def fail(self, error: Exception) -> int:
        super().fail(error)
        return 0 if "timed out" in str(error) else 1


@trips("CLIENT-27", "exited-missing", "poll-envelope")
class EndsUnlessRunning(Right):
    """It takes a command for ended unless exited is false."""

    def has_ended(self, output: Any) -> bool:
        return output.get("exited") is not False

    def exit_code(self, output: Any) -> int:
        return super().exit_code({"exitCode": 0, **output}) if not output.get("exited") else super().exit_code(output)


@trips("CLIENT-27", "exited-as-text")
class EndsForTexts(Right):
    """It takes the text "false" for true."""

    def has_ended(self, output: Any) -> bool:
        return bool(output.get("exited"))

    def exit_code(self, output: Any) -> int:
        return super().exit_code(output) if output.get("exited") is True else 0


@trips("CLIENT-27", "poll-error-like-a-success")
class StatusNotLookedAt(Right):
    """It reads a body whatever the status."""

    def ask(self, method: str, url: str, body: bytes | None = None) -> Any:
        return self.read(self.send(method, url)) if "?pid=" in url else super().ask(method, url, body)


@trips("CLIENT-27", "never-ends")
class GivesUpInSilence(Right):
    """It polls thirty times, and then ends as if all were well."""

    def follow(self, started: Any) -> Any:
        for _ in range(30):
            if self.has_ended(output := self.ask("GET", self.poll_url(started))):
                return output
            time.sleep(self.interval)
        return {"exitCode": 0}

    def left(self) -> float:
        return 60.0


@trips("CLIENT-28", "poll-bad-gateway", "probe-forbidden")
class PrintsErrorBody(Right):
    """It prints the body of an error as if it were the output."""

    def send(self, method: str, url: str, body: bytes | None = None) -> Got:
        got = super().send(method, url, body)
        if got.status not in (200, 429, 503):
            sys.stdout.buffer.write(got.body)
        return got


@trips("CLIENT-28", "poll-not-found")
class ErrorsOnStdout(Right):
    """It says what went wrong on its standard output."""

    def fail(self, error: Exception) -> int:
        print(f"error: {error}")
        return 1


@trips("CLIENT-29", "output-without-newline")
class AddsNewline(Right):
    """It adds a newline."""

    def show(self, output: Any) -> None:
        print(output.get("stdout") or "")
        sys.stderr.write(output.get("stderr") or "")


@trips("CLIENT-29", "output-with-space-around")
class Trims(Right):
    """It trims the output."""

    def show(self, output: Any) -> None:
        super().show({"stdout": (output.get("stdout") or "").strip(), "stderr": output.get("stderr")})


@trips("CLIENT-29", "output-with-space-around")
class EndsLinesItsOwnWay(Right):
    """It changes the ends of lines."""

    def show(self, output: Any) -> None:
        super().show({**output, "stdout": (output.get("stdout") or "").replace("\r\n", "\n")})


@trips("CLIENT-29", "output-outside-ascii")
class Latin1(Right):
    """It prints in Latin-1."""

    def show(self, output: Any) -> None:
        sys.stdout.buffer.write((output.get("stdout") or "").encode("latin-1", "replace"))
        sys.stderr.buffer.write((output.get("stderr") or "").encode())


@trips("CLIENT-29", "output-outside-ascii")
class ReadsLatin1(Right):
    """It takes the response for Latin-1."""

    def read(self, got: Got) -> Any:
        return json.loads(got.body.decode("latin-1"))


@trips("CLIENT-29", "output-outside-ascii")
class DropsMark(Right):
    """It drops a byte order mark at the beginning of the output."""

    def show(self, output: Any) -> None:
        super().show({**output, "stdout": (output.get("stdout") or "").removeprefix("\ufeff")})


@trips("CLIENT-29", "output-escaped")
class EndsAtNul(Right):
    """It takes a NUL for the end of the output."""

    def show(self, output: Any) -> None:
        super().show({**output, "stdout": (output.get("stdout") or "").partition("\0")[0]})


@trips("CLIENT-29", "output-escaped")
class Unescapes(Right):
    """It unescapes the output a second time."""

    def show(self, output: Any) -> None:
        text = (output.get("stdout") or "").replace("\\n", "\n").replace("\\t", "\t")
        super().show({**output, "stdout": text})


@trips("CLIENT-29", "output-while-running")
class PrintsWhileRunning(Right):
    """It prints what each poll shows, and so some of it twice."""

    def has_ended(self, output: Any) -> bool:
        ended = super().has_ended(output)
        if not ended:
            sys.stdout.buffer.write((output.get("stdout") or "").encode())
        return ended


@trips("CLIENT-29", "streams-null")
class PrintsNone(Right):
    """It prints None where there is no output."""

    def show(self, output: Any) -> None:
        super().show({**output, "stdout": str(output.get("stdout"))})


@trips("CLIENT-29", "output-of-16-mib")
class CutsOutput(Right):
    """It prints a mebibyte at most."""

    def show(self, output: Any) -> None:
        super().show({**output, "stdout": (output.get("stdout") or "")[: 2**20]})


@trips("CLIENT-29")
class PrintsJson(Right):
    """It prints the response as it is."""

    def show(self, output: Any) -> None:
        print(json.dumps(output))
        sys.stderr.buffer.write((output.get("stderr") or "").encode())


@trips("CLIENT-29")
class ChattersOnStdout(Right):
    """It says on its standard output what it does."""

    def follow(self, started: Any) -> Any:
        print(f"started {started['pid']}", flush=True)
        return super().follow(started)


@trips("CLIENT-29", "output-within-latin-1")
class OutputInLatin1(Right):
    """It prints in Latin-1 what has no other characters, and in UTF-8 the rest."""

    def show(self, output: Any) -> None:
        super().show({"stderr": output.get("stderr")})
        text = output.get("stdout") or ""
        sys.stdout.buffer.write(text.encode("latin-1" if max(text, default="") < "\u0100" else "utf-8"))


@trips("CLIENT-30", "exit-code-3", "output-on-stderr-alone")
class DropsStderr(Right):
    """It does not print what the command printed to its standard error."""

    def show(self, output: Any) -> None:
        super().show({"stdout": output.get("stdout")})


@trips("CLIENT-29", "exit-code-3")
class SwapsStreams(Right):
    """It prints each stream where the other belongs."""

    def show(self, output: Any) -> None:
        super().show({"stdout": output.get("stderr"), "stderr": output.get("stdout")})


@trips("CLIENT-29", "output-on-stderr-alone")
class MergesStreams(Right):
    """It prints both streams to its standard output."""

    def show(self, output: Any) -> None:
        for name in ("stdout", "stderr"):
            sys.stdout.buffer.write((output.get(name) or "").encode())


@trips("CLIENT-31", "exit-code-3")
class ExitCodeLost(Right):
    """It exits with 0 however the command did."""

    def exit_code(self, output: Any) -> int:
        return 0 if output.get("exitCode") is not None else 1


@trips("CLIENT-31", "exit-code-3")
class ExitCodeOne(Right):
    """It exits with 1 where the command did not exit with 0."""

    def exit_code(self, output: Any) -> int:
        return int(output.get("exitCode") != 0)


@trips("CLIENT-31", "exit-code-3")
class OutputOfFailureLost(Right):
    """It exits with 2 where the command failed."""

    def exit_code(self, output: Any) -> int:
        return 2 if output.get("exitCode") else super().exit_code(output)


@trips("CLIENT-31", "exit-code-256")
class ExitCodeCut(Right):
    """It leaves it to the system to make a byte of the exit code, so that 256 becomes 0."""

    def exit_code(self, output: Any) -> int:
        code = output.get("exitCode")
        return code if isinstance(code, int) else 255


@trips("CLIENT-32", "exit-code-null", "exit-code-missing")
class NoExitCodeIsSuccess(Right):
    """It takes an exit code that is null or missing for 0."""

    def exit_code(self, output: Any) -> int:
        return super().exit_code({"exitCode": output.get("exitCode") or 0})


@trips("CLIENT-33", "unknown-members")
class RefusesUnknownMembers(Right):
    """It refuses members that it does not know."""

    def read(self, got: Got) -> Any:
        known = {"available", "reason", "vmRunning", "pid", "pollUrl", "exited", "exitCode", "stdout", "stderr"}
        if unknown := got.json.keys() - known:
            raise Failed(f"unknown members {unknown}")
        return super().read(got)


@trips("CLIENT-33", "other-header-fields")
class WantsBareMediaType(Right):
    """It refuses a media type with parameters."""

    def read(self, got: Got) -> Any:
        if got.headers["Content-Type"] != "application/json":
            raise Failed(f"unexpected media type {got.headers['Content-Type']}")
        return super().read(got)


@trips("CLIENT-33", "slow-command")
class PollsOnce(Right):
    """It polls twice, and gives up then."""

    def follow(self, started: Any) -> Any:
        for _ in range(2):
            if self.has_ended(output := self.ask("GET", self.poll_url(started))):
                return output
            time.sleep(self.interval)
        raise Failed("not ended")


@trips("CLIENT-33", "compressed")
class CannotDecompress(Right):
    """It says that it accepts gzip, and cannot read it."""

    def headers(self) -> Headers:
        return super().headers() | {"Accept-Encoding": "gzip"}


@trips("CLIENT-33", "no-poll-url")
class NeedsPollUrl(Right):
    """It cannot do without pollUrl."""

    def poll_url(self, started: Any) -> str:
        return super().poll_url(started) if started["pollUrl"] else ""


@trips("CLIENT-31", "streams-missing")
class NeedsAllMembers(Right):
    """It crashes where a stream is missing."""

    def has_ended(self, output: Any) -> bool:
        return super().has_ended(output) and isinstance(output["stdout"], str | None)


@trips("CLIENT-33", "well")
class NeverExits(Right):
    """It has done all, and does not end."""

    def main(self) -> int:
        code = super().main()
        sys.stdout.flush()
        time.sleep(1000)
        return code


@trips("CLIENT-34", "connection-closed-between")
class KeepsOneConnection(Right):
    """It keeps one connection, and does not open another when the server has closed that."""

    kept: http.client.HTTPConnection | None = None

    def send(self, method: str, url: str, body: bytes | None = None) -> Got:
        parts = urlsplit(url)
        if self.kept is None:
            self.kept = http.client.HTTPConnection(parts.netloc, timeout=5)
            self.kept.connect()
            self.kept.auto_open = 0
        headers = self.headers() | ({"Content-Type": self.media_type} if body is not None else {})
        self.kept.request(method, url.removeprefix(f"http://{parts.netloc}"), body, headers)
        response = self.kept.getresponse()
        return Got(response.status, response.headers, response.read())


@trips("CLIENT-35", "poll-forbidden", "probe-failing")
class FailsInSilence(Right):
    """It does not say what went wrong."""

    def fail(self, error: Exception) -> int:
        return 1


@trips("CLIENT-36", "poll-not-found")
class Floods(Right):
    """It sends a poll a thousand times."""

    def follow(self, started: Any) -> Any:
        for _ in range(1000):
            got = self.send("GET", self.poll_url(started))
        return self.read(got)


@trips("CLIENT-36")
class PrintsWithoutEnd(Right):
    """It prints without end."""

    def run(self) -> int:
        while True:
            sys.stdout.buffer.write(b"x" * 2**20)


if __name__ == "__main__":
    sys.exit((_FAULTY[sys.argv[1]].client if sys.argv[1] != "Right" else Right)().main())
