"""Right clients that differ from each other in what the contract leaves free. None may be reported.

The docstring says how one differs. Run one with `python different.py NAME`.
"""

import http.client
import os
import re
import ssl
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

sys.path.insert(0, str(Path(__file__).parents[1]))
from clients.faulty import Failed, Got, Headers, Right


class FollowsPollUrl(Right):
    """It follows pollUrl where that is a path of the endpoint, and takes the pid otherwise."""

    def poll_url(self, started: Any) -> str:
        url = started.get("pollUrl") or ""
        return self.base + url if url.startswith(self.path() + "?pid=") else super().poll_url(started)


class RetriesProbe(Right):
    """It tries the probe three times, whatever went wrong, but for a refusal."""

    def ask(self, method: str, url: str, body: bytes | None = None) -> Any:
        if method != "GET" or "?pid=" in url:
            return super().ask(method, url, body)
        for pause in (0.5, 1.0):
            try:
                got = self.send(method, url)
            except (OSError, http.client.HTTPException):
                time.sleep(pause)
                continue
            if got.status < 500:
                if got.status == 200:
                    return self.read(got)
                break
            time.sleep(max(pause, self.pause(got) or 0) + 0.01)
        else:
            return super().ask(method, url)
        seconds = self.pause(got)
        if seconds is None or seconds > self.left():
            raise Failed(f"status {got.status}")
        time.sleep(max(seconds, self.interval) + 0.01)
        return super().ask(method, url)


class RetriesPollAfter500(Right):
    """It polls again after a 5xx, twice at most."""

    def ask(self, method: str, url: str, body: bytes | None = None) -> Any:
        for _ in range(2 if "?pid=" in url and self.left() > 0 else 0):
            got = self.send(method, url)
            if got.status == 200:
                return self.read(got)
            if got.status < 500 or got.status == 503:
                break
            time.sleep(0.7)
        else:
            return super().ask(method, url, body)
        seconds = self.pause(got)
        if seconds is None or seconds > self.left():
            raise Failed(f"status {got.status}")
        time.sleep(max(seconds, self.interval) + 0.01)
        return super().ask(method, url, body)


class PollsOn(Right):
    """It polls on after a 5xx and a lost response, until a poll gets a 404, or its time is up."""

    #: How many seconds it waits for one response.
    patience = 2.5

    def ask(self, method: str, url: str, body: bytes | None = None) -> Any:
        while "?pid=" in url and self.left() > 0:
            try:
                got = self.send(method, url)
            except (OSError, http.client.HTTPException):
                time.sleep(self.interval)
                continue
            if got.status < 500 or got.headers.get("Retry-After"):
                break
            time.sleep(self.interval)
        else:
            return super().ask(method, url, body)
        if got.status == 200:
            return self.read(got)
        seconds = self.pause(got)
        if seconds is None or seconds > self.left():
            raise Failed(f"status {got.status}")
        time.sleep(max(seconds, self.interval) + 0.01)
        return self.ask(method, url)

    def send(self, method: str, url: str, body: bytes | None = None) -> Got:
        deadline = self.deadline
        self.deadline = min(deadline, time.monotonic() + self.patience) if "?pid=" in url else deadline
        try:
            return super().send(method, url, body)
        finally:
            self.deadline = deadline


class GivesUpWhenLimited(Right):
    """It gives up on the first 429 or 503."""

    def pause(self, got: Got) -> float | None:
        return None


class OneFormOfDates(Right):
    """It reads the form of dates that servers send today, and takes another Retry-After for half a second."""

    def pause(self, got: Got) -> float | None:
        text = got.headers.get("Retry-After", "")
        return 0.5 if got.status == 429 and not text.isdigit() and text[3:4] != "," else super().pause(got)


class TriesAtOnce(Right):
    """It tries three times more, at once, where Retry-After is 0 or less, and gives up then."""

    tries = 0

    def pause(self, got: Got) -> float | None:
        seconds = super().pause(got) if got.headers.get("Retry-After") != "-1" else 0.0
        if seconds == 0:
            self.tries += 1
        return None if self.tries > 3 else seconds

    def ask(self, method: str, url: str, body: bytes | None = None) -> Any:
        self.interval = 0.0
        found = super().ask(method, url, body)
        self.interval = Right.interval
        return found


class BacksOff(Right):
    """It waits a little before the second poll, and longer each time, up to a second."""

    def follow(self, started: Any) -> Any:
        url, pause = self.poll_url(started), 0.1
        while not self.has_ended(output := self.ask("GET", url)):
            time.sleep(pause)
            pause = min(2 * pause, 1.0)
        return output


class Patient(Right):
    """It polls every other second, and sleeps before the first poll."""

    interval = 1.5

    def follow(self, started: Any) -> Any:
        time.sleep(0.5)
        return super().follow(started)


class Streams(Right):
    """It prints what polls show while the command runs, and the rest at its end."""

    printed = 0

    def print_new(self, output: Any) -> None:
        text = (output.get("stdout") or "")[self.printed :]
        self.printed += len(text)
        sys.stdout.buffer.write(text.encode())
        sys.stdout.flush()

    def has_ended(self, output: Any) -> bool:
        if output.get("exited") is False:
            self.print_new(output)
        return super().has_ended(output)

    def show(self, output: Any) -> None:
        self.print_new(output)
        sys.stderr.buffer.write((output.get("stderr") or "").encode())


class TellsWhatItDoes(Right):
    """It says on its standard error what it does."""

    def send(self, method: str, url: str, body: bytes | None = None) -> Got:
        print(f"{method} {url}", file=sys.stderr, flush=True)
        got = super().send(method, url, body)
        print(f"status {got.status}", file=sys.stderr, flush=True)
        return got


class LooksUpFirst(Right):
    """It asks for the list and the status first."""

    def run(self) -> int:
        self.ask("GET", f"{self.base}/api/v2/vps?limit=100")
        self.ask("GET", self.base + self.path().removesuffix("/agent/exec") + "/status")
        return super().run()


class WaitsForAgent(Right):
    """It waits until commands can be run, as long as there is time."""

    def may_start(self, availability: Any) -> bool:
        while not super().may_start(availability):
            time.sleep(1)
            availability = self.ask("GET", self.probe_url())
        return True


class MasksExitCode(Right):
    """It exits with the last eight bits of the exit code, unless they would hide a failure."""

    def exit_code(self, output: Any) -> int:
        code = output.get("exitCode")
        return code % 256 or int(code != 0) if isinstance(code, int) else 137


class ExitsWithOne(Right):
    """It exits with 1 for exit codes that a shell does not have, and where there is none."""

    def exit_code(self, output: Any) -> int:
        code = output.get("exitCode")
        return code if isinstance(code, int) and 0 <= code < 256 else 1


class KeepsConnection(Right):
    """It keeps one connection, and opens another before a request where the server has closed that."""

    kept: http.client.HTTPConnection | None = None

    def send(self, method: str, url: str, body: bytes | None = None) -> Got:
        parts = urlsplit(url)
        if self.kept is None or self.is_closed():
            self.kept = self.connection(url)
        self.kept.timeout = max(self.left(), 0.1)
        if self.kept.sock:
            self.kept.sock.settimeout(self.kept.timeout)
        headers = self.headers() | ({"Content-Type": self.media_type} if body is not None else {})
        with self.limit():
            self.kept.request(method, parts.path + (f"?{parts.query}" if parts.query else ""), body, headers)
            response = self.kept.getresponse()
            return Got(response.status, response.headers, response.read())

    def is_closed(self) -> bool:
        if self.kept is None or self.kept.sock is None:
            return True
        self.kept.sock.setblocking(False)
        try:
            return self.kept.sock.recv(1) == b""
        except (BlockingIOError, ssl.SSLWantReadError):
            return False


class EncodesWhatItMust(Right):
    """It leaves all characters of the id as they are that a segment may have (RFC 3986, section 3.3)."""

    def path(self) -> str:
        segment = quote(self.vps, safe="!$&'()*+,;=:@")
        return f"/api/v2/vps/{segment}/agent/exec"


class RefusesOddPolls(Right):
    """It fails where exited is neither true nor false."""

    def has_ended(self, output: Any) -> bool:
        if not isinstance(output.get("exited"), bool):
            raise Failed("a poll does not say whether the command has ended")
        return super().has_ended(output)


class SleepsUntilTheEnd(Right):
    """It waits for as long as Retry-After says, even if its time is up before."""

    def pause(self, got: Got) -> float | None:
        seconds = super().pause(got)
        if seconds is not None and seconds > self.left():
            time.sleep(self.left())
        return seconds


class CountsFromFirstRequest(Right):
    """Its time begins with its first request."""

    begun = False

    def send(self, method: str, url: str, body: bytes | None = None) -> Got:
        if not self.begun:
            self.deadline, self.begun = time.monotonic() + float(os.environ["HOSTUP_TIMEOUT"]), True
        return super().send(method, url, body)


class DoesNotCatch(Right):
    """It catches no exception, and so fails with what its language prints."""

    def fail(self, error: Exception) -> int:
        raise error


class ShortFields(Right):
    """It writes the scheme in lower case, accepts anything, and names a charset."""

    media_type = "application/json; charset=utf-8"

    def headers(self) -> Headers:
        return {"authorization": f"bearer {self.key}", "accept": "*/*;q=0.5", "user-agent": "x"}


class FindsPidInBrokenText(Right):
    """It searches for the pid where the response to the start is no JSON, as lenient parsers do."""

    def read(self, got: Got) -> Any:
        found = re.search(rb'"pid": (\d+),', got.body)
        try:
            return super().read(got)
        except ValueError:
            if found is None:
                raise
            return {"pid": int(found[1])}


class MoreInBody(Right):
    """It writes the command in ASCII alone, with white space around and another member."""

    def body(self) -> bytes:
        return b'{ "shell": true,\n' + super().body()[1:] + b"\n"


def different() -> dict[str, type[Right]]:
    """Return all of them by name."""
    return {client.__name__: client for client in Right.__subclasses__() if client.__module__ == __name__}


if __name__ == "__main__":
    sys.exit(different()[sys.argv[1]]().main())
