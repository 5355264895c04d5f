"""Faulty clients: how they end, and what they print."""

import base64
import http.client
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urljoin, urlsplit

from clients.faulty import Failed, Got, Headers, Right, trips


@trips("CLIENT-18", "poll-lost", "poll-reset", "poll-unresponsive")
class LossIsEnd(Right):
    """It takes a lost response for the end of the command."""

    def follow(self, started: Any) -> Any:
        try:
            return super().follow(started)
        except (OSError, http.client.HTTPException):
            return {"exitCode": 0}


@trips("CLIENT-18", "poll-lost")
class ForgottenIsEnd(Right):
    """It polls on after a loss, and takes a 404 for the end of the command then."""

    def follow(self, started: Any) -> Any:
        try:
            return super().follow(started)
        except (OSError, http.client.HTTPException):
            got = self.send("GET", self.poll_url(started))
            return {"exitCode": 0} if got.status == 404 else super().follow(started)


@trips("CLIENT-18", "poll-empty-body")
class EmptyIsEnd(Right):
    """It takes an empty body for the end of the command."""

    def read(self, got: Got) -> Any:
        return super().read(got) if got.body else {"exited": True, "exitCode": 0}


@trips("CLIENT-24", "never-ends")
class WaitsForEver(Right):
    """It waits for the command without end."""

    def left(self) -> float:
        return 1000.0


@trips("CLIENT-24", "slower-server")
class TimeForEachRequest(Right):
    """It gives each request all the time that there is."""

    def send(self, method: str, url: str, body: bytes | None = None) -> Got:
        self.deadline = time.monotonic() + float(os.environ["HOSTUP_TIMEOUT"])
        return super().send(method, url, body)


@trips("CLIENT-24", "poll-unresponsive")
class NoTimeout(Right):
    """It waits for a response without end."""

    def send(self, method: str, url: str, body: bytes | None = None) -> Got:
        if self.left() <= 0:
            raise Failed("timed out")
        deadline, self.deadline = self.deadline, time.monotonic() + 1000
        try:
            return super().send(method, url, body)
        finally:
            self.deadline = deadline


@trips("CLIENT-24", "poll-trickling", "probe-trickling")
class NoLimitInAll(Right):
    """It limits each read from the socket, but not the time in all."""

    @contextmanager
    def limit(self) -> Iterator[None]:
        yield


@trips("CLIENT-24", "poll-trickling-head")
class LimitsTheBody(Right):
    """It limits the time for the body, but for the header section only each read."""

    def send(self, method: str, url: str, body: bytes | None = None) -> Got:
        connection, parts = self.connection(url), urlsplit(url)
        headers = self.headers() | ({"Content-Type": self.media_type} if body is not None else {})
        connection.request(method, parts.path + (f"?{parts.query}" if parts.query else ""), body, headers)
        response = connection.getresponse()
        try:
            with self.limit():
                return Got(response.status, response.headers, response.read())
        finally:
            connection.close()


@trips("CLIENT-40", "available-missing", "available-null", does="probe")
class YesUnlessFalse(Right):
    """It says that commands can be run unless available is false."""

    def answer(self, availability: Any) -> int:
        return 1 if availability.get("available") is False else 0


@trips("CLIENT-40", "unavailable", does="probe")
class AnyResponseIsYes(Right):
    """It says that commands can be run if the probe gets a 200."""

    def answer(self, availability: Any) -> int:
        return 0


@trips("CLIENT-40", "available-as-text", does="probe")
class AnyTextIsYes(Right):
    """It takes the string "false" for a yes."""

    def answer(self, availability: Any) -> int:
        return 0 if availability.get("available") else 1


@trips("CLIENT-41", "probe-failing", "probe-forbidden", does="probe")
class ErrorsAreNo(Right):
    """It says that commands cannot be run if it could not ask."""

    def fail(self, error: Exception) -> int:
        super().fail(error)
        return 1


@trips("CLIENT-42", "base-url-with-slash")
class DoublesSlash(Right):
    """It adds the paths to the base URL as it is."""

    def __init__(self) -> None:
        super().__init__()
        self.base = os.environ["HOSTUP_BASE_URL"]


@trips("CLIENT-42", "base-url-with-path")
class DropsPath(Right):
    """It drops the path of the base URL."""

    def __init__(self) -> None:
        super().__init__()
        self.base = urljoin(self.base, "/").rstrip("/")


@trips("CLIENT-44")
class LeavesProcess(Right):
    """It leaves a process behind."""

    def run(self) -> int:
        sleep = [sys.executable, "-IS", "-c", "import time; time.sleep(60)"]
        subprocess.Popen(sleep, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        return super().run()


@trips("CLIENT-27", "poll-forbidden", "probe-failing", "start-unresponsive")
class ErrorsAreNoErrors(Right):
    """It prints what went wrong, and exits with 0."""

    def fail(self, error: Exception) -> int:
        super().fail(error)
        return 0


@trips("CLIENT-27", "poll-not-found")
class GoneIsEnded(Right):
    """It takes a 404 for a poll as the end of the command."""

    def follow(self, started: Any) -> Any:
        try:
            return super().follow(started)
        except Failed as error:
            if "404" not in str(error):
                raise
            return {"exited": True, "exitCode": 0}


@trips("CLIENT-27", "unavailable")
class UnavailableIsFine(Right):
    """It exits with 0 if commands cannot be run."""

    def run(self) -> int:
        return super().run() if self.may_start(self.ask("GET", self.probe_url())) else 0


@trips("CLIENT-27")
class StartsAndLeaves(Right):
    """It takes a command that was started for one that has succeeded."""

    def follow(self, started: Any) -> Any:
        return {"exitCode": 0}


@trips("CLIENT-27", "never-ends")
class TimeoutIsSuccess(Right):
    """It exits with 0 when the time is up."""

    def fail(self, error: Exception) -> int:
        super().fail(error)
        return 0 if "timed out" in str(error) else 1


@trips("CLIENT-27", "exited-missing", "exited-null", "poll-envelope")
class EndsUnlessRunning(Right):
    """It takes a command for ended unless exited is false."""

    def has_ended(self, output: Any) -> bool:
        return output.get("exited") is not False

    def exit_code(self, output: Any) -> int:
        return super().exit_code({"exitCode": 0, **output}) if not output.get("exited") else super().exit_code(output)


@trips("CLIENT-27", "exited-as-text")
class EndsForTexts(Right):
    """It takes the string "false" for true."""

    def has_ended(self, output: Any) -> bool:
        return bool(output.get("exited"))


@trips("CLIENT-27", "poll-error-like-a-success")
class StatusNotLookedAt(Right):
    """It reads the body whatever the status code."""

    def ask(self, method: str, url: str, body: bytes | None = None) -> Any:
        return self.read(self.send(method, url)) if "?pid=" in url else super().ask(method, url, body)


@trips("CLIENT-27", "never-ends")
class GivesUpInSilence(Right):
    """It gives up after thirty polls, and exits with 0."""

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
    """It prints errors on its standard output."""

    def fail(self, error: Exception) -> int:
        print(f"error: {error}")
        return 1


@trips("CLIENT-29", "output-without-newline")
class AddsNewline(Right):
    """It adds a newline to the output."""

    def show(self, output: Any) -> None:
        print(output.get("stdout") or "")
        sys.stderr.write(output.get("stderr") or "")


@trips("CLIENT-29", "output-with-space-around")
class Trims(Right):
    """It trims the output."""

    def show(self, output: Any) -> None:
        super().show({"stdout": (output.get("stdout") or "").strip(), "stderr": output.get("stderr")})


@trips("CLIENT-29", "output-without-newline")
class DecodesBase64(Right):
    """It decodes the output wherever that happens to be base64, which is what the guest agent itself returns."""

    def show(self, output: Any) -> None:
        super().show({"stderr": output.get("stderr")})
        text = (output.get("stdout") or "").encode()
        with suppress(ValueError):
            text = base64.b64decode(text.strip(), validate=True)
        sys.stdout.buffer.write(text)


@trips("CLIENT-29", "output-with-space-around")
class EndsLinesItsOwnWay(Right):
    """It changes the line ends."""

    def show(self, output: Any) -> None:
        super().show({**output, "stdout": (output.get("stdout") or "").replace("\r\n", "\n")})


@trips("CLIENT-29", "output-outside-ascii")
class Latin1(Right):
    """It prints the output in Latin-1."""

    def show(self, output: Any) -> None:
        sys.stdout.buffer.write((output.get("stdout") or "").encode("latin-1", "replace"))
        sys.stderr.buffer.write((output.get("stderr") or "").encode())


@trips("CLIENT-29", "output-outside-ascii")
class ReadsLatin1(Right):
    """It decodes the response as Latin-1."""

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


@trips("CLIENT-29", "json-in-ascii")
class SurrogatesApart(Right):
    """It decodes the two escapes of an emoji one by one."""

    def read(self, got: Got) -> Any:
        return json.loads(re.sub(r"\\u(d[89a-f]..)", lambda m: chr(int(m[1], 16)), got.body.decode()))

    def show(self, output: Any) -> None:
        sys.stdout.buffer.write((output.get("stdout") or "").encode("utf-8", "surrogatepass"))
        sys.stderr.buffer.write((output.get("stderr") or "").encode())


@trips("CLIENT-29", "output-escaped")
class Unescapes(Right):
    """It unescapes the output twice."""

    def show(self, output: Any) -> None:
        text = (output.get("stdout") or "").replace("\\n", "\n").replace("\\t", "\t")
        super().show({**output, "stdout": text})


@trips("CLIENT-29", "output-while-running")
class PrintsWhileRunning(Right):
    """It prints the output of each poll, and so some of it twice."""

    def has_ended(self, output: Any) -> bool:
        ended = super().has_ended(output)
        if not ended:
            sys.stdout.buffer.write((output.get("stdout") or "").encode())
        return ended


@trips("CLIENT-33", "output-while-running")
class EndsWhenNothingIsNew(Right):
    """It takes two polls with the same output for the end."""

    last = ""

    def has_ended(self, output: Any) -> bool:
        before, self.last = self.last, output.get("stdout") or ""
        return super().has_ended(output) or self.last == before != ""


@trips("CLIENT-29", "output-of-a-zero")
class TakesZeroForNothing(Right):
    """It takes an output of 0 for none."""

    def show(self, output: Any) -> None:
        super().show({name: None if value == "0" else value for name, value in output.items()})


@trips("CLIENT-29", "output-within-latin-1")
class MasksPasswords(Right):
    """It masks what looks like a password in the output."""

    def show(self, output: Any) -> None:
        text = re.sub(r"(password=)\S+", r"\1***", output.get("stdout") or "")
        super().show({**output, "stdout": text})


@trips("CLIENT-29", "streams-null")
class PrintsNone(Right):
    """It prints None if there is no output."""

    def show(self, output: Any) -> None:
        super().show({**output, "stdout": str(output.get("stdout"))})


@trips("CLIENT-29", "output-of-16-mib")
class CutsOutput(Right):
    """It prints at most one mebibyte."""

    def show(self, output: Any) -> None:
        super().show({**output, "stdout": (output.get("stdout") or "")[: 2**20]})


@trips("CLIENT-29")
class PrintsJson(Right):
    """It prints the body of the response."""

    def show(self, output: Any) -> None:
        print(json.dumps(output))
        sys.stderr.buffer.write((output.get("stderr") or "").encode())


@trips("CLIENT-29")
class ChattersOnStdout(Right):
    """It prints its progress on its standard output."""

    def follow(self, started: Any) -> Any:
        print(f"started {started['pid']}", flush=True)
        return super().follow(started)


@trips("CLIENT-29", "output-within-latin-1")
class OutputInLatin1(Right):
    """It prints in Latin-1 if that has all characters, and in UTF-8 otherwise."""

    def show(self, output: Any) -> None:
        super().show({"stderr": output.get("stderr")})
        text = output.get("stdout") or ""
        sys.stdout.buffer.write(text.encode("latin-1" if max(text, default="") < "\u0100" else "utf-8"))


@trips("CLIENT-30", "exit-code-3", "output-on-stderr-alone")
class DropsStderr(Right):
    """It does not print the command's standard error."""

    def show(self, output: Any) -> None:
        super().show({"stdout": output.get("stdout")})


@trips("CLIENT-29", "exit-code-3")
class SwapsStreams(Right):
    """It exchanges the streams."""

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
    """It always exits with 0."""

    def exit_code(self, output: Any) -> int:
        return 0 if output.get("exitCode") is not None else 1


@trips("CLIENT-31", "exit-code-3")
class ExitCodeOne(Right):
    """It exits with 1 for any exit code but 0."""

    def exit_code(self, output: Any) -> int:
        return int(output.get("exitCode") != 0)


@trips("CLIENT-31", "exit-code-256")
class ExitCodeCut(Right):
    """It leaves it to the system to reduce the exit code to a byte, so that 256 becomes 0."""

    def exit_code(self, output: Any) -> int:
        code = output.get("exitCode")
        return code if isinstance(code, int) else 255


@trips("CLIENT-32", "exit-code-null", "exit-code-missing")
class NoExitCodeIsSuccess(Right):
    """It takes a missing exit code for 0."""

    def exit_code(self, output: Any) -> int:
        return super().exit_code({"exitCode": output.get("exitCode") or 0})


@trips("CLIENT-33", "unknown-members")
class RefusesUnknownMembers(Right):
    """It refuses unknown members."""

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
    """It gives up after two polls."""

    def follow(self, started: Any) -> Any:
        for _ in range(2):
            if self.has_ended(output := self.ask("GET", self.poll_url(started))):
                return output
            time.sleep(self.interval)
        raise Failed("not ended")


@trips("CLIENT-33", "longer-command")
class PollsTenTimes(Right):
    """It gives up after ten polls, whatever time there is."""

    def follow(self, started: Any) -> Any:
        for _ in range(10):
            if self.has_ended(output := self.ask("GET", self.poll_url(started))):
                return output
            time.sleep(self.interval)
        raise Failed("not ended")


@trips("CLIENT-33", "available-alone")
class NeedsRunningVm(Right):
    """It starts nothing unless vmRunning is true too, which is for display."""

    def may_start(self, availability: Any) -> bool:
        return super().may_start(availability) and availability.get("vmRunning") is True


@trips("CLIENT-19", "json-without-blanks")
class SearchesForTrue(Right):
    """It searches the text of the body for "exited": true, with one blank."""

    def read(self, got: Got) -> Any:
        return super().read(got) | {"exited": b'"exited": true' in got.body}


@trips("CLIENT-33", "unknown-members")
class SearchesForAnyTrue(Right):
    """It searches the text of the body for true anywhere after "exited", as grep does with .* between them."""

    def read(self, got: Got) -> Any:
        return super().read(got) | {"exited": bool(re.search(rb"exited.*true", got.body))}


@trips("CLIENT-33", "without-length")
class NeedsLength(Right):
    """It reads no body whose length was not announced."""

    def read(self, got: Got) -> Any:
        if got.headers["Content-Length"] is None and got.headers["Transfer-Encoding"] is None:
            raise Failed("no Content-Length")
        return super().read(got)


class OnlyOk(http.client.HTTPResponse):
    """A response that is understood if its status line has the usual reason phrase."""

    def begin(self) -> None:
        super().begin()
        if self.status == 200 and self.reason != "OK":
            raise http.client.BadStatusLine(f"{self.status} {self.reason}")


@trips("CLIENT-33", "other-header-fields")
class NeedsReason(Right):
    """It looks for 200 OK in the status line."""

    def connection(self, url: str) -> http.client.HTTPConnection:
        connection = super().connection(url)
        connection.response_class = OnlyOk
        return connection


@trips("CLIENT-33", "other-header-fields")
class LengthAsWritten(Right):
    """It looks for Content-Length in this spelling alone."""

    def read(self, got: Got) -> Any:
        if not {"Content-Length", "Transfer-Encoding", "Connection"} & set(got.headers.keys()):
            raise Failed("no Content-Length")
        return super().read(got)


@trips("CLIENT-33", "compressed")
class CannotDecompress(Right):
    """It accepts gzip, but cannot decompress it."""

    def headers(self) -> Headers:
        return super().headers() | {"Accept-Encoding": "gzip"}


@trips("CLIENT-33", "no-poll-url")
class NeedsPollUrl(Right):
    """It needs pollUrl."""

    def poll_url(self, started: Any) -> str:
        return super().poll_url(started) if started["pollUrl"] else ""


@trips("CLIENT-31", "streams-missing")
class NeedsAllMembers(Right):
    """It crashes if a stream is missing."""

    def has_ended(self, output: Any) -> bool:
        return super().has_ended(output) and isinstance(output["stdout"], str | None)


@trips("CLIENT-33", "well")
class NeverExits(Right):
    """It finishes its task, and does not exit."""

    def main(self) -> int:
        code = super().main()
        sys.stdout.flush()
        time.sleep(1000)
        return code


@trips("CLIENT-34", "connection-closed-between")
class KeepsOneConnection(Right):
    """It keeps one connection, and opens no other if the server closes that."""

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
    """It fails without a message."""

    def fail(self, error: Exception) -> int:
        return 1


@trips("CLIENT-36", "poll-not-found")
class Floods(Right):
    """It sends a thousand polls."""

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


@trips("CLIENT-31", "output-without-newline")
class OneIsNoFailure(Right):
    """It takes the exit code 1 for a success, as of grep that finds nothing."""

    def exit_code(self, output: Any) -> int:
        code = super().exit_code(output)
        return 0 if code == 1 else code


@trips("CLIENT-30", "output-escaped")
class ErrorsCut(Right):
    """It prints only the first 8 KiB of standard error."""

    def show(self, output: Any) -> None:
        super().show({**output, "stderr": (output.get("stderr") or "")[:8192]})


@trips("CLIENT-29", "output-escaped")
class MarksForBoldText(Right):
    """It prints by a library that reads marks for bold text."""

    def show(self, output: Any) -> None:
        super().show({**output, "stdout": re.sub(r"\[/?bold\]", "", output.get("stdout") or "")})


@trips("CLIENT-29", "output-outside-ascii")
class OnlyWhatCanBeSeen(Right):
    """It leaves out characters that cannot be seen."""

    def show(self, output: Any) -> None:
        super().show({**output, "stdout": re.sub("[\u200b\xad\u202e\u2069]", "", output.get("stdout") or "")})


@trips("CLIENT-33", "unknown-members")
class AnyErrorMemberFails(Right):
    """It takes a response with a member error for an error."""

    def read(self, got: Got) -> Any:
        value = super().read(got)
        if "error" in value:
            raise Failed("the response has an error")
        return value


@trips("CLIENT-33", "without-length")
class OnlyHttp11(Right):
    """It takes a response of HTTP/1.0 for none."""

    def connection(self, url: str) -> http.client.HTTPConnection:
        class OfThisVersion(http.client.HTTPResponse):
            def begin(self) -> None:
                super().begin()
                if self.version != 11:
                    raise http.client.UnknownProtocol(str(self.version))

        connection = super().connection(url)
        connection.response_class = OfThisVersion
        return connection
