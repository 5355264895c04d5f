"""Faulty clients: the form of the requests."""

import http.client
import json
import socket
from typing import Any
from unicodedata import normalize
from urllib.parse import quote, urljoin, urlsplit

from clients.faulty import Failed, Got, Headers, Right, trips


@trips("CLIENT-05")
class PathOfTheOlderApi(Right):
    """It uses the older API."""

    def path(self) -> str:
        return super().path().replace("/v2/", "/v1/")


@trips("CLIENT-05")
class PathWithSlash(Right):
    """Its path ends with a slash."""

    def path(self) -> str:
        return super().path() + "/"


@trips("CLIENT-05")
class ProbesWithHead(Right):
    """It first checks with HEAD whether the endpoint exists."""

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
    """It encodes only the blanks in the id."""

    def path(self) -> str:
        return f"/api/v2/vps/{quote(self.vps.replace(' ', '%20'), safe='/?&=#%+')}/agent/exec"


@trips("CLIENT-06", "id-with-delimiters")
class IdAsItIs(Right):
    """It puts the id into the path unencoded."""

    def path(self) -> str:
        return f"/api/v2/vps/{self.vps}/agent/exec"


@trips("CLIENT-06", "awkward-id")
class SlashNotEncoded(Right):
    """It encodes the id like a path."""

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


@trips("CLIENT-06")
class FirstOfTheList(Right):
    """It takes the first VPS of the list, whatever it was given."""

    def run(self) -> int:
        self.vps = self.ask("GET", f"{self.base}/api/v2/vps")["data"][0]["id"]
        return super().run()


@trips("CLIENT-06", "id-with-blanks-around")
class IdTrimmed(Right):
    """It trims the id."""

    def path(self) -> str:
        return f"/api/v2/vps/{quote(self.vps.strip(), safe='')}/agent/exec"


@trips("CLIENT-06", "id-with-capitals")
class IdInLowerCase(Right):
    """It writes the id in lower case."""

    def path(self) -> str:
        return f"/api/v2/vps/{quote(self.vps.lower(), safe='')}/agent/exec"


@trips("CLIENT-07", "large-pid")
class PidOf32Bits(Right):
    """It keeps the pid in a signed 32-bit integer."""

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
    """It polls for undefined if there is no pid."""

    def poll_url(self, started: Any) -> str:
        return f"{self.base}{self.path()}?pid={started.get('pid', 'undefined')}"


@trips("CLIENT-07", "neither-pid-nor-poll-url")
class PidZero(Right):
    """It takes a missing pid for 0."""

    def poll_url(self, started: Any) -> str:
        return f"{self.base}{self.path()}?pid={started.get('pid', 0)}"


@trips("CLIENT-07")
class PidOfAnEarlierCommand(Right):
    """It polls a pid that it has kept, instead of starting the command."""

    def start(self) -> Any:
        return {"pid": 4242}


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
    """It sends only the first line of the command."""

    def body(self) -> bytes:
        return json.dumps({"command": self.command.splitlines()[0]}).encode()


@trips("CLIENT-08", "awkward-command")
class CommandTrimmed(Right):
    """It trims the command."""

    def body(self) -> bytes:
        return json.dumps({"command": self.command.strip()}).encode()


@trips("CLIENT-08", "awkward-command")
class CommandWithLineEndsOfUnix(Right):
    """It writes the line ends of Unix for those of Windows."""

    def body(self) -> bytes:
        return json.dumps({"command": self.command.replace("\r\n", "\n")}).encode()


@trips("CLIENT-08", "command-of-digits")
class CommandAsNumber(Right):
    """It writes a command of digits as a number."""

    def body(self) -> bytes:
        return json.dumps({"command": int(self.command) if self.command.isdigit() else self.command}).encode()


@trips("CLIENT-05")
class CommandInQuery(Right):
    """It has the command in the query of the start too."""

    def start(self) -> Any:
        return self.ask("POST", f"{self.base}{self.path()}?command={quote(self.command, safe='')}", self.body())


@trips("CLIENT-06", "long-id")
class IdCut(Right):
    """It cuts the id after 48 characters."""

    def path(self) -> str:
        return f"/api/v2/vps/{quote(self.vps[:48], safe='')}/agent/exec"


@trips("CLIENT-06", "awkward-id")
class IdComposed(Right):
    """It composes the characters of the id."""

    def path(self) -> str:
        return f"/api/v2/vps/{quote(normalize('NFC', self.vps), safe='')}/agent/exec"


@trips("CLIENT-13")
class HostWithoutPort(Right):
    """Its Host has no port."""

    def headers(self) -> Headers:
        return {"Host": str(urlsplit(self.base).hostname), **super().headers()}


@trips("CLIENT-08", "longest-command")
class CommandCut(Right):
    """It cuts the command to 4096 bytes."""

    def body(self) -> bytes:
        return json.dumps({"command": self.command.encode()[:4096].decode("utf-8", "ignore")}).encode()


@trips("CLIENT-08")
class CommandAsList(Right):
    """It sends the words of the command as a list."""

    def body(self) -> bytes:
        return json.dumps({"command": self.command.split()}).encode()


@trips("CLIENT-08")
class CommandTwice(Right):
    """Its body has the member command twice."""

    def body(self) -> bytes:
        return f'{{"command": "true", {super().body().decode()[1:]}'.encode()


@trips("CLIENT-08", "well", does="probe")
class ProbesByStarting(Right):
    """It runs a command to see whether commands can be run."""

    def answer(self, availability: Any) -> int:
        self.ask("POST", self.base + self.path(), json.dumps({"command": "true"}).encode())
        return super().answer(availability)


@trips("CLIENT-09")
class BodyAsForm(Right):
    """It labels its JSON as a form, as curl -d does."""

    media_type = "application/x-www-form-urlencoded"


@trips("CLIENT-09")
class BodyAsText(Right):
    """It labels its JSON as text, as fetch does."""

    media_type = "text/plain;charset=UTF-8"


@trips("CLIENT-10")
class AcceptsHtml(Right):
    """It accepts only HTML."""

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
    """It ends lines with a line feed only."""

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


@trips("CLIENT-13", "well")
class FieldNameWithTab(Right):
    """It sends a header field whose name has a tab."""

    def send(self, method: str, url: str, body: bytes | None = None) -> Got:
        parts = urlsplit(url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        fields = {"Host": parts.netloc, **self.headers(), "Content-Type": self.media_type, "X-Client\tName": "x",
                  "Content-Length": str(len(body or b"")), "Connection": "close"}  # fmt: skip
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        with socket.create_connection((parts.hostname or "", parts.port or 80), 5) as connection:
            connection.sendall(f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode() + (body or b""))
            response = http.client.HTTPResponse(connection, method=method)
            response.begin()
            return Got(response.status, response.headers, response.read())


@trips("CLIENT-08", "awkward-command")
class CommandWithoutLineEndsAtItsEnd(Right):
    """It reads the command from a file, without the line ends at its end."""

    def body(self) -> bytes:
        return json.dumps({"command": self.command.rstrip("\n")}).encode()


@trips("CLIENT-08", "awkward-command")
class CommandLinesJoined(Right):
    """It joins lines that end with a backslash."""

    def body(self) -> bytes:
        return json.dumps({"command": self.command.replace("\\\n", "")}).encode()
