"""Faulty clients: where the key is sent."""

import base64
import json
import re
import ssl
import subprocess
import sys
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from clients.faulty import Got, Headers, Right, trips


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


@trips("CLIENT-02")
class KeyInUrlToo(Right):
    """It also sends the key in the query."""

    def probe_url(self) -> str:
        return f"{super().probe_url()}?api_key={self.key}"


@trips("CLIENT-02")
class KeyInPollToo(Right):
    """It also sends the key in the query of polls."""

    def poll_url(self, started: Any) -> str:
        return f"{super().poll_url(started)}&token={quote(self.key)}"


@trips("CLIENT-02")
class KeyInAnotherHeaderToo(Right):
    """It also sends X-Api-Key."""

    def headers(self) -> Headers:
        return super().headers() | {"X-Api-Key": self.key}


@trips("CLIENT-02")
class KeyInBodyToo(Right):
    """It also sends the key in the body of the start."""

    def body(self) -> bytes:
        return json.dumps({"command": self.command, "apiKey": self.key}).encode()


@trips("CLIENT-02")
class KeyInUserAgent(Right):
    """Its User-Agent contains the key."""

    def headers(self) -> Headers:
        return super().headers() | {"User-Agent": f"client/1.0 ({self.key})"}


class Redirecting(Right):
    """It follows redirects."""

    statuses: tuple[int, ...] = (301, 302, 303, 307, 308)

    def send(self, method: str, url: str, body: bytes | None = None) -> Got:
        self.at = url
        got = super().send(method, url, body)
        for _ in range(5):
            if got.status not in self.statuses:
                break
            self.at = url = urljoin(url, got.headers["Location"])
            if got.status in (301, 302, 303):
                method, body = "GET", None
            got = super().send(method, url, body)
        return got


@trips("CLIENT-03", "probe-redirected", "poll-found")
class KeyFollowsRedirect(Redirecting):
    """It follows redirects with the key."""


@trips("CLIENT-03", "start-redirected")
class KeyFollowsRedirectOfStart(Redirecting):
    """It follows 307 and 308 with the key."""

    statuses = (307, 308)


@trips("CLIENT-03", "poll-url-elsewhere")
class KeyFollowsPollUrl(Right):
    """It follows any pollUrl with the key."""

    def poll_url(self, started: Any) -> str:
        return str(urljoin(self.base, started["pollUrl"]))


@trips("CLIENT-03", "poll-url-without-scheme")
class KeyFollowsSlashes(Right):
    """It takes any pollUrl that begins with a slash for a path."""

    def poll_url(self, started: Any) -> str:
        return (
            urljoin(self.base, started["pollUrl"]) if started["pollUrl"].startswith("/") else super().poll_url(started)
        )


@trips("CLIENT-03", "poll-url-with-a-user")
class KeyFollowsWhatBeginsAlike(Right):
    """It follows a pollUrl that begins with the text of the base URL."""

    def poll_url(self, started: Any) -> str:
        url = str(started["pollUrl"])
        return url.replace(f"{self.base}@", "http://") if url.startswith(self.base) else super().poll_url(started)


@trips("CLIENT-45", "start-redirected")
class CommandFollowsRedirect(Redirecting):
    """It follows 307 and 308, with the command, but without the key."""

    def headers(self) -> Headers:
        return super().headers() | ({} if self.at.startswith(self.base) else {"Authorization": "none"})


@trips("CLIENT-48", "probe-redirected-to-plain-text", "poll-redirected-to-plain-text")
class KeyFollowsRedirectOnTheHost(Redirecting):
    """It follows redirects with the key, on the same host, as Go does, whether they lead to TLS or away from it."""

    def headers(self) -> Headers:
        same = urlsplit(self.at).hostname == urlsplit(self.base).hostname
        return super().headers() | ({} if same else {"Authorization": "none"})


@trips("CLIENT-48", "plain-text-poll-url")
class KeyFollowsPollUrlOnTheHost(Right):
    """It follows a pollUrl on the same host with the key, whether it begins with https: or with http:."""

    def poll_url(self, started: Any) -> str:
        same = urlsplit(started["pollUrl"]).hostname in {None, urlsplit(self.base).hostname}
        return str(urljoin(self.base, started["pollUrl"])) if same else super().poll_url(started)


class Unverified(Right):
    """It verifies no certificate."""

    def tls(self) -> ssl.SSLContext:
        context = super().tls()
        context.check_hostname = False
        return context


@trips("CLIENT-39", "certificate-of-another-host")
class AnyName(Unverified):
    """It accepts a certificate for any host."""


@trips("CLIENT-39", "certificate-of-no-address")
class AnyAddress(Unverified):
    """It looks for the name in a certificate only where there is a name, not an address."""

    def tls(self) -> ssl.SSLContext:
        return super().tls() if "127.0.0.1" in self.base else ssl.create_default_context()


@trips("CLIENT-39", "self-signed-certificate", "expired-certificate", "early-certificate")
class AnyCertificate(Unverified):
    """It accepts any certificate."""

    def tls(self) -> ssl.SSLContext:
        context = super().tls()
        context.verify_mode = ssl.CERT_NONE
        return context


@trips("CLIENT-39", "self-signed-certificate", "expired-certificate")
class WithoutTlsWhereItFails(Right):
    """Where TLS fails, it sends the request again without TLS."""

    def send(self, method: str, url: str, body: bytes | None = None) -> Got:
        try:
            return super().send(method, url, body)
        except ssl.SSLError:
            return super().send(method, url.replace("https:", "http:"), body)


@trips("CLIENT-03", "key-revoked")
class AsksTheRealm(Right):
    """After a 401 it asks for a token where the challenge says, with the key."""

    def send(self, method: str, url: str, body: bytes | None = None) -> Got:
        got = super().send(method, url, body)
        realm = re.search('realm="([^"]+)"', got.headers.get("WWW-Authenticate") or "")
        return super().send("GET", realm[1]) if got.status == 401 and realm else got


@trips("CLIENT-03", "other-header-fields")
class FollowsLinks(Right):
    """It follows a Link to the next page, with the key."""

    def send(self, method: str, url: str, body: bytes | None = None) -> Got:
        got = super().send(method, url, body)
        if link := re.match('<([^>]+)>; rel="next"', got.headers.get("Link") or ""):
            super().send("GET", link[1])
        return got


@trips("CLIENT-01")
class KeyCutAtAnEqualsSign(Right):
    """It reads the key from a file of settings, and cuts it at the first equals sign."""

    def headers(self) -> Headers:
        return super().headers() | {"Authorization": f"Bearer {self.key.partition('=')[0]}"}


@trips("CLIENT-43")
class KeyInArguments(Right):
    """It has the key in the arguments of a process while it waits."""

    def send(self, method: str, url: str, body: bytes | None = None) -> Got:
        sleep = [sys.executable, "-IS", "-c", "import time; time.sleep(60)", self.key]
        with subprocess.Popen(sleep, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as helper:
            try:
                return super().send(method, url, body)
            finally:
                helper.kill()


@trips("CLIENT-04")
class MasksKeyBadly(Right):
    """It logs its key, with the last four characters masked."""

    def send(self, method: str, url: str, body: bytes | None = None) -> Got:
        print(f"> {method} {url} as {self.key[:-4]}****", file=sys.stderr)
        return super().send(method, url, body)


@trips("CLIENT-04")
class LogsKey(Right):
    """It logs its header fields."""

    def send(self, method: str, url: str, body: bytes | None = None) -> Got:
        print(f"> {method} {url} {self.headers()}", file=sys.stderr)
        return super().send(method, url, body)
