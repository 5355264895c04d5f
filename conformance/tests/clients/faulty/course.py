"""Faulty clients: when requests are sent, and which are sent again."""

import http.client
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from clients.faulty import Failed, Got, Right, trips


@trips("CLIENT-15", "unavailable")
class NoGate(Right):
    """It ignores what the probe says."""

    def may_start(self, availability: Any) -> bool:
        return True


@trips("CLIENT-15", "unavailable")
class NoProbe(Right):
    """It starts without a probe."""

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
    """It takes the string "false" for true."""

    def may_start(self, availability: Any) -> bool:
        return bool(availability.get("available"))


@trips("CLIENT-15", "available-missing")
class GateByMachine(Right):
    """It starts if the VM runs, whatever the agent does."""

    def may_start(self, availability: Any) -> bool:
        return bool(availability.get("vmRunning"))


@trips("CLIENT-15", "probe-failing", "probe-forbidden")
class GateIgnoresErrors(Right):
    """It takes an error of the probe for available true."""

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
    """It starts the command again after a failed poll."""

    def run(self) -> int:
        try:
            return super().run()
        except Failed:
            return super().run()


@trips("CLIENT-16")
class StartsTwice(Right):
    """It starts the command once as a trial."""

    def start(self) -> Any:
        super().start()
        return super().start()


@trips("CLIENT-17", "start-lost", "start-reset")
class StartsAgainAfterLoss(Right):
    """It repeats a start whose response was lost."""

    def start(self) -> Any:
        try:
            return super().start()
        except (OSError, http.client.HTTPException):
            return super().start()


@trips("CLIENT-17", "start-failing", "start-bad-gateway")
class StartsAgainAfter500(Right):
    """It repeats a start after a 5xx."""

    def start(self) -> Any:
        try:
            return super().start()
        except Failed:
            time.sleep(1)
            return super().start()


@trips("CLIENT-17", "start-unresponsive")
class StartsAgainWhenSlow(Right):
    """It repeats a start after waiting a second for the response."""

    patience = 1

    def start(self) -> Any:
        deadline, self.deadline = self.deadline, time.monotonic() + self.patience
        try:
            return super().start()
        except OSError:
            self.deadline = deadline
            return super().start()


@trips("CLIENT-17", "start-late")
class StartsAgainAfterTenSeconds(StartsAgainWhenSlow):
    """It repeats a start after waiting ten seconds for the response, as HTTP libraries are often told to."""

    patience = 10


@trips("CLIENT-17", "start-broken-json", "start-empty-body")
class StartsAgainAfterBadJson(Right):
    """It repeats a start whose response it cannot read."""

    def start(self) -> Any:
        try:
            return super().start()
        except ValueError:
            return super().start()


@trips("CLIENT-19")
class PollsOnceMore(Right):
    """It polls once more to be sure."""

    def follow(self, started: Any) -> Any:
        output = super().follow(started)
        self.send("GET", self.poll_url(started))
        return output


@trips("CLIENT-19")
class FetchesAgain(Right):
    """It fetches the output by another poll once the command has ended."""

    def follow(self, started: Any) -> Any:
        super().follow(started)
        time.sleep(self.interval)
        return self.ask("GET", self.poll_url(started))


@trips("CLIENT-38", "slow-server")
class PollsOverlap(Right):
    """It polls at fixed times, even if the poll before has no response yet."""

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
    """After a 429 it waits half a second, whatever Retry-After says."""

    def pause(self, got: Got) -> float | None:
        return 0.5 if got.status == 429 else super().pause(got)


@trips("CLIENT-20", "poll-rate-limited", "probe-rate-limited-until", "poll-overloaded")
class IgnoresEveryRetryAfter(Right):
    """After a 429 or a 503 it waits half a second, whatever Retry-After says."""

    def pause(self, got: Got) -> float | None:
        return 0.5 if got.status in {429, 503} else super().pause(got)


@trips("CLIENT-20", "poll-rate-limited")
class RetryAfterInMilliseconds(Right):
    """It takes the seconds of Retry-After for milliseconds."""

    def pause(self, got: Got) -> float | None:
        seconds = super().pause(got)
        return seconds and seconds / 1000 if got.status == 429 else seconds


@trips("CLIENT-20", "poll-limited-for-weeks")
class RetryAfterOverflows(Right):
    """It keeps the milliseconds of Retry-After in 32 bits, as JavaScript's setTimeout does."""

    def pause(self, got: Got) -> float | None:
        milliseconds = int(1000 * (super().pause(got) or 0))
        return 0.4 if milliseconds >= 1 << 31 else super().pause(got)


@trips("CLIENT-20", "poll-rate-limited")
class RetryAfterTooEarly(Right):
    """It comes back three tenths of a second too early."""

    def pause(self, got: Got) -> float | None:
        seconds = super().pause(got)
        return seconds - 0.3 if seconds and got.headers["Retry-After"].isdigit() and got.status == 429 else seconds


@trips("CLIENT-20", "poll-rate-limited")
class PollsOnWhenLimited(Right):
    """It takes a 429 for a command that still runs."""

    def ask(self, method: str, url: str, body: bytes | None = None) -> Any:
        got = self.send(method, url, body) if "?pid=" in url else None
        if got and got.status == 429:
            return {"exited": False}
        return self.read(got) if got and got.status == 200 else super().ask(method, url, body)


@trips("CLIENT-20", "poll-limited-in-lower-case")
class RetryAfterAsWritten(Right):
    """It looks for Retry-After in this spelling alone, and waits half a second where it finds none."""

    def pause(self, got: Got) -> float | None:
        return super().pause(got) if got.status != 429 or "Retry-After" in list(got.headers.keys()) else 0.5


@trips("CLIENT-21", "probe-rate-limited-until", "poll-rate-limited-until")
class SecondsAlone(Right):
    """It understands only seconds in Retry-After, and takes a date for one second."""

    def pause(self, got: Got) -> float | None:
        text = got.headers.get("Retry-After", "")
        return 1.0 if got.status == 429 and not text.isdigit() else super().pause(got)


@trips("CLIENT-23", "poll-limited-for-no-time", "poll-limited-for-a-negative-time")
class HammersTheLimited(Right):
    """It waits for as long as Retry-After says, which may be no time."""

    def ask(self, method: str, url: str, body: bytes | None = None) -> Any:
        while (got := self.send(method, url, body)).status == 429 and self.left() > 0:
            time.sleep(max(float(got.headers["Retry-After"]), 0.02))
        if got.status != 200:
            raise Failed(f"status {got.status}")
        return self.read(got)


@trips("CLIENT-22", "probe-overloaded", "poll-overloaded")
class OverloadsTheOverloaded(Right):
    """After a 503 it waits half a second, whatever Retry-After says."""

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
    """It repeats a start that was refused."""

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


@trips("CLIENT-15", "envelope")
class EnvelopeWillDo(Right):
    """It believes what an envelope says of the availability."""

    def may_start(self, availability: Any) -> bool:
        return super().may_start(availability.get("data") or availability)


@trips("CLIENT-05", "unavailable")
class StartsTheMachine(Right):
    """It starts the VPS if it does not run."""

    def may_start(self, availability: Any) -> bool:
        if availability.get("vmRunning") is False:
            self.send("POST", self.probe_url().replace("/agent/exec", "/start"))
        return super().may_start(availability)


@trips("CLIENT-17", "start-failing")
class StartsAgainWhenTold(Right):
    """It repeats a start after a 500 that says when to retry."""

    def pause(self, got: Got) -> float | None:
        text = got.headers.get("Retry-After") or ""
        return float(text) if got.status == 500 and text.isdigit() else super().pause(got)


@trips("CLIENT-20", "poll-limited-in-lower-case")
class WaitsFromTheRequestOn(Right):
    """It waits for as long as it is told, but from the moment at which it sent the request."""

    sent = 0.0

    def send(self, method: str, url: str, body: bytes | None = None) -> Got:
        self.sent = time.monotonic()
        return super().send(method, url, body)

    def pause(self, got: Got) -> float | None:
        seconds = super().pause(got)
        return None if seconds is None else max(seconds - (time.monotonic() - self.sent), 0.0)


@trips("CLIENT-20", "poll-limited-for-longer")
class WaitsTenSecondsAtMost(Right):
    """It waits for as long as it is told, but ten seconds at most, as libraries are told to with a maximal delay."""

    def pause(self, got: Got) -> float | None:
        seconds = super().pause(got)
        return None if seconds is None else min(seconds, 10.0)
