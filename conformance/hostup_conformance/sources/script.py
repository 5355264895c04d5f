"""The scripted probe: deliberate requests, each with its purpose, the most telling ones first."""

import random
import string
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain
from urllib.parse import quote

from hostup_conformance.contract.ask import LARGEST_LINUX_PID, NO_SESSION
from hostup_conformance.contract.paths import ENDPOINT, VPSS, path_of
from hostup_conformance.contract.problems import codes_by_status
from hostup_conformance.contract.responder import REMOTE_USER, SUBREQUEST
from hostup_conformance.contract.target import Target, altered_keys, altered_within
from hostup_conformance.http.messages import Headers, Request
from hostup_conformance.sources.requests import (
    BASE_HEADERS,
    CODED,
    NOT_CODED,
    ClientCall,
    Rank,
    Step,
    authorization,
    authorized,
)

#: So many requests are sent one by one in any case: they show how long responses take.
WARMING = 2
#: A JSON Web Token of the algorithm none (RFC 7519, section 6), with all scopes, and a word in place of a signature.
UNSIGNED = ".".join(
    urlsafe_b64encode(part).decode().rstrip("=")
    for part in (b'{"alg":"none","typ":"JWT"}', b'{"sub":"admin","scope":"read:vm write:vm"}', b"none")
)
#: An ETag that nothing has.
NOBODYS_TAG = '"hostup-conformance"'
#: What a browser says that is set to another language than English.
ABROAD: Headers = (("Accept-Language", "sv-SE,sv;q=0.9,de;q=0.8"),)
#: What a proxy says of requests from this machine; and what says that a browser or a monitor asks first, or a framework
#: itself.
AS_LOCAL: Headers = tuple((name, "127.0.0.1") for name in ("X-Forwarded-For", "X-Real-IP"))
AS_INNER: Headers = (
    *AS_LOCAL,
    ("User-Agent", "kube-probe/1.31 (health check, monitor)"),
    ("Access-Control-Request-Method", "GET"),
    (SUBREQUEST, ":".join(["middleware"] * 5)),
)
#: What a proxy says that has asked who somebody is.
AS_SOMEBODY: Headers = tuple(
    (name, "admin")
    for name in (REMOTE_USER, "X-Remote-User", "X-Forwarded-User", "X-Auth-Request-User", "X-Consumer-Username")
)
#: What tells some frameworks that another path was asked for, one that is open to all.
OF_ANOTHER_PATH: Headers = tuple((name, "/health") for name in ("X-Original-URL", "X-Rewrite-URL"))
#: So many of the telling steps come before the polls of the ended command, which show more than the others.
FIRST = 4


class Script:
    """Writes the steps for a target. It sends nothing, so that `--plan` can show them."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._random = random.SystemRandom()

    def steps(self) -> list[Step]:
        """Return the steps that the target's profile and fixtures allow, in the order in which they are taken."""
        core = self._offered(self._core())
        before, beside = map(self._offered, self._must_be_refused())
        anyhow = (
            self._ids(), self._pids(), self._credentials(), self._methods(), self._related(), self._ordered_errors()
        )  # fmt: skip
        first, more = one_of_each([*self._offered(chain(*anyhow)), *beside])
        first_starts, more_starts = one_of_each(self._offered(self._refused_starts()))
        # With a good key first: the others may lead to a ban.
        telling = sorted(
            (step for step in first if step.telling), key=lambda step: (self._risks_ban(step), step.telling)
        )
        rest = [*(step for step in first if not step.telling), *self._offered(self._once_more()), *more]
        burst, backwards = map(self._offered, self._bursts())
        return [
            *ranked(Rank.WARMING, core[:WARMING]),
            *ranked(Rank.FORBIDDEN_STARTS, self._offered(self._forbidden_starts())),
            *ranked(Rank.CORE, [*core[WARMING:], *telling[:FIRST], *before, *first_starts]),
            *ranked(Rank.ENDED, self._offered(self._ended_command())),
            *ranked(Rank.TELLING, telling[FIRST:]),
            *ranked(Rank.REFUSED_STARTS, more_starts),
            *ranked(Rank.REST, sorted(rest, key=self._risks_ban)),
            *ranked(Rank.BURST, burst),
            *ranked(Rank.BACKWARDS, backwards),
        ]

    def _forbidden_starts(self) -> Iterable[Step]:
        """Return one start of each who must not start anything: none where no command may be started."""
        return ()

    def _refused_starts(self) -> Iterable[Step]:
        """Return the starts that must be refused: none where no command may be started."""
        return ()

    def _risks_ban(self, step: Step) -> bool:
        """Whether a step has no key that was given, for which guards count against the caller."""
        scheme, blank, token = (step.request.header("authorization") or "").partition(" ")
        return scheme.lower() + blank + token not in {
            f"bearer {key}" for key in (self.target.key, self.target.read_key)
        }

    def _must_be_refused(self) -> tuple[list[Step], list[Step]]:
        """Return the polls that get no output: those that the poll of the ended command has to follow, and others."""
        t = self.target
        ended, running, unknown = (
            list(self._refused_polls(name, pid)) if pid else []
            for name, pid in (("ended", t.finished_pid), ("running", t.running_pid), ("unknown", self._nobodys_pid()))
        )
        ways = [*self._ways_round(), *self._under_foreign_vps()]
        if t.finished_pid and not t.running_pid:
            return [*ended, *ways], []
        return ended, [*(running or ([] if ended else unknown)), *ways]

    def _offered(self, steps: Iterable[Step]) -> list[Step]:
        """Return the steps that the target's profile allows."""
        offered = self.target.capabilities
        return [step for step in steps if step.capability is None or step.capability in offered]

    def _core(self) -> Iterator[Step]:
        t = self.target
        yield self._get("the probe, as documented")
        yield self._by_client("the probe, by the generated client")
        yield self._get("the probe without a key", key=None, capability="credentials")
        yield self._get("the probe with a key that was never issued", key=self._other_key(), capability="credentials")
        if t.read_key:
            yield self._get("the probe with read:vm alone", key=t.read_key, capability="scopes")
        if t.unavailable_vps:
            yield self._get("the probe of the VPS without an agent", vps=t.unavailable_vps, capability="ids")
            yield self._by_client("the same, by the generated client", vps=t.unavailable_vps, capability="ids")
        if t.running_pid:
            yield self._get("a poll of the running command", pid=t.running_pid, capability="pids")
            yield self._by_client("the same, by the generated client", pid=t.running_pid, capability="pids")
        yield self._get("the probe of an unknown VPS", vps=self._unknown_vps(), capability="ids")
        yield self._by_client("the same, by the generated client", vps=self._unknown_vps(), capability="ids")
        if t.foreign_vps:
            yield self._get("the probe of somebody else's VPS", vps=t.foreign_vps, capability="ids")

    def _ordered_errors(self) -> Iterator[Step]:
        for status in codes_by_status("GET"):
            yield self._get(f"an ordered {status}", headers=(("Prefer", f"code={status}"),),
                            telling=3 if status == 429 else None)  # fmt: skip
        for status in (429, 500):
            yield self._by_client(f"an ordered {status}, by the generated client", ordered=status)

    def _refused_polls(self, name: str, pid: int) -> Iterator[Step]:
        """Yield polls of a command that must not get its output."""
        t = self.target
        yield self._get(f"a poll of the {name} command without a key", key=None, pid=pid, capability="credentials")
        yield self._get(
            f"a poll of the {name} command with a wrong key", key=self._other_key(), pid=pid, capability="credentials"
        )
        if t.read_key:
            purpose = f"a poll of the {name} command with read:vm alone"
            yield self._get(purpose, key=t.read_key, pid=pid, capability="scopes")
        # An agent that is not available has no command whose output a poll could take away.
        for whose, vps in (("the other", t.unavailable_vps), ("somebody else's", t.foreign_vps)):
            if vps and (vps == t.unavailable_vps or not self.target.is_live):
                yield self._get(f"a poll of the {name} command under {whose} VPS", vps=vps, pid=pid, capability="pids")
        purpose = f"a poll of the {name} command under an unknown VPS"
        yield self._get(purpose, vps=self._unknown_vps(), pid=pid, capability="pids")

    def _under_foreign_vps(self) -> Iterator[Step]:
        t = self.target
        if t.foreign_vps:
            if t.read_key:
                purpose = "somebody else's VPS with read:vm alone"
                yield self._get(purpose, vps=t.foreign_vps, key=t.read_key, capability="ids")
            yield self._get(
                "a poll under somebody else's VPS",
                vps=t.foreign_vps,
                pid=self._nobodys_pid(),
                capability="ids",
                telling=16,
            )

    def _ways_round(self) -> Iterator[Step]:
        """Yield polls that a check of scope or key might not take for polls. None of them may get output."""
        t = self.target
        own, pid = path_of(t.vps), t.running_pid or t.finished_pid or self._nobodys_pid()
        encoded = own.replace("exec", "%65xec")
        paths = (own + "/", own.replace("/agent/", "//agent/"), encoded)
        more = (own.replace("/agent/exec", "/Agent/Exec"), own + ";x", own + ".json")
        old, capitals = own.replace("/v2/", "/v1/"), own.replace("/api/", "/API/")
        for path in (*paths, *more, own.replace("/agent/", "/./agent/"), old, capitals):
            yield self._get("the path in another spelling, without a key", path=path, key=None,
                            headers=OF_ANOTHER_PATH if path == encoded and not t.is_live else (),
                            capability="credentials", telling=29)  # fmt: skip
        if not t.read_key:
            return
        spelt = (
            f"pid=&pid={pid}",
            f"pid=x&pid={pid}",
            f"PID={pid}",
            f"%70id={pid}",
            f"pid%5B%5D={pid}",
            f"pid=%20{pid}",
            f"pid=0{pid}",
            f"x=1;pid={pid}",
        )
        for query in spelt:
            yield self._get("a poll in another spelling, read:vm alone", query=f"?{query}", key=t.read_key,
                            capability="scopes", telling=19)  # fmt: skip
        # What is asked for as text, by the server itself, or on a condition, may take another way through a program.
        yield self._get(
            "a poll after another parameter, read:vm alone",
            query=f"?x=1&pid={pid}",
            key=t.read_key,
            headers=(("Accept", "text/plain"), ("If-None-Match", NOBODYS_TAG), *(() if t.is_live else AS_LOCAL)),
            capability="scopes",
        )
        for path in (*paths, *more):
            yield self._get("a poll on the path in another spelling, read:vm alone", path=path, pid=pid,
                            key=t.read_key, capability="scopes", telling=20)  # fmt: skip
        reading = (*BASE_HEADERS, *authorization(t, t.read_key))
        bodies = {"application/x-www-form-urlencoded": f"pid={pid}", "application/json": f'{{"pid": {pid}}}'}
        for media_type, body in bodies.items():
            request = Request("GET", own, (*reading, ("Content-Type", media_type)), body.encode())
            yield Step("a poll by a body, read:vm alone", request, "scopes")
        if not self.target.is_live or t.allow_exec:
            for method in ("OPTIONS", "POST"):
                override = (("X-HTTP-Method-Override", method),)
                yield self._get(f"a poll that is to count as {method}, read:vm alone", pid=pid, key=t.read_key,
                                headers=override, capability="scopes")  # fmt: skip
        if t.allow_exec:
            fields = (*reading, ("Content-Type", "application/json"), ("X-HTTP-Method-Override", "POST"))
            as_start = Request("GET", own, fields, b'{"command": "echo hostup-conformance"}')
            yield Step("a GET with a command that is to count as a start, read:vm alone", as_start, "scopes")
        if not self.target.is_live:
            as_get = Request("POST", f"{own}?pid={pid}", (*reading, ("X-HTTP-Method-Override", "GET")))
            yield Step("a POST without a body that is to count as a poll, read:vm alone", as_get, "scopes")

    def _credentials(self) -> Iterator[Step]:
        key = self.target.key
        basic = [b64encode(text.encode()).decode() for text in (f"{key}:", f"user:{key}")]
        schemes = ["Basic " + basic[0], "Basic " + basic[1], f"Token {key}", f"ApiKey {key}", key, "Bearer"]
        for value in schemes:
            name = value.partition(" ")[0] if value != key else "no scheme"
            yield self._with_authorization(f"the key under {name}", value, telling=30 if name == "Basic" else None)
        wrong = self._other_key()
        yield self._with_authorization("the key under a scheme that nobody knows", f"Nonesuch {key}", telling=34)
        for value in (f"Basic {b64encode(f'{wrong}:'.encode()).decode()}", f"Token {wrong}", wrong):
            yield self._with_authorization("a wrong key under another scheme", value, telling=33)
        for value in altered_keys(key):
            yield self._with_authorization("an altered key", f"Bearer {value}", telling=32)
        if reading := self.target.read_key:
            purpose = "an altered key with read:vm alone"
            yield self._with_authorization(purpose, f"Bearer {altered_within(reading)}")
        yield self._with_authorization("what a careless client sends for a key", "Bearer null")
        yield self._with_authorization("what a database takes for any key", "Bearer %")
        yield self._with_authorization("what each object of JavaScript has", "Bearer constructor")
        yield self._with_authorization("a token that nobody has signed", f"Bearer {UNSIGNED}")
        yield self._with_authorization("a key with bytes above 127", f"Bearer {self._other_key()}\xe9\xff")
        yield self._with_authorization("the scheme in lower case", f"bearer {key}", telling=12)
        somebody = () if self.target.is_live else AS_SOMEBODY
        yield self._get("a session that was never opened", key=None, headers=(("Cookie", NO_SESSION), *somebody),
                        capability="credentials")  # fmt: skip
        if not self.target.is_live:
            yield self._get("the probe without a key, as if from the server itself", key=None, headers=AS_INNER,
                            capability="credentials")  # fmt: skip
            for name in ("access_token", "api_key"):
                query = f"?{name}={quote(key, safe='')}"
                yield self._get(f"the key as {name} in the query", key=None, query=query, capability="credentials")
        for whose, vps in (("an unknown", self._unknown_vps()), ("somebody else's", self.target.foreign_vps)):
            if vps:
                yield self._get(f"{whose} VPS without a key", key=None, vps=vps, capability="credentials",
                                telling=27 if whose == "an unknown" else None)  # fmt: skip

    def _ids(self) -> Iterator[Step]:
        own = self.target.vps
        for vps in (own + "x", own[:-1], "x" + own, own + "0", own[:-1] + "_"):
            yield self._get("an id that resembles the own", vps=vps, capability="ids", telling=24)
        if own.swapcase() != own:
            yield self._get("the own id in another case", vps=own.swapcase(), capability="ids", telling=14)
        if self.target.unavailable_vps:
            other = quote(self.target.unavailable_vps, safe="")
            yield self._get("the probe, with the id of another VPS in its query", query=f"?id={other}",
                            capability="ids", telling=15)  # fmt: skip
        raw = quote(own, safe="")
        odd = [
            "%25" + raw.encode()[:1].hex() + raw[1:], raw + "%00", raw + "%20", raw + ";x=1",
            f"{raw}%27%20OR%20%271%27=%271", f"{raw}%2F..%2F{raw}", "%2A", "vps_%25", "..",
            "", "..%2F..%2Fvps", raw + "%22%5C", "%ff%fe", "%F0%9F%92%A9", "%7B%24ne%3A1%7D", "a" * 2000,
        ]  # fmt: skip
        if self.target.foreign_vps:
            odd.append(f"{raw}%2F..%2F{quote(self.target.foreign_vps, safe='')}")
        for segment in odd:
            yield self._get("a malformed id", path=ENDPOINT.replace("{id}", segment), capability="ids", telling=18)

    def _pids(self) -> Iterator[Step]:
        running, nobodys = self.target.running_pid, self._nobodys_pid()
        # Up to where numbers of 31 bits and of JavaScript are exact; no round ones, which firewalls know.
        unknown = [nobodys, *(2**bits - 1 - 2 * self._random.randrange(1, 10**4) for bits in (31, 32))]
        unknown += [2**53 + 1 + 2 * self._random.randrange(10**6), *([running + 2**32] if running else [])]
        # In a guest, 1 is no command's. A server with numbers of its own may have given it, if its numbers are small.
        unknown += [1] if running and running > 1000 and not self.target.is_live else []
        for pid in unknown:
            yield self._get("a poll of a command that was never started", pid=pid, capability="pids", telling=25)
        if self.target.unavailable_vps:
            yield self._get(
                "a poll of the VPS without an agent", vps=self.target.unavailable_vps, pid=nobodys, capability="pids"
            )
        # Made from the given pid if there is one, since a parser that stops at the first odd character would find it.
        # Not on a live server, where it might become another pid together with the digits that follow.
        known = running or nobodys
        base = nobodys if self.target.is_live else known
        invalid = [
            "abc", "%", f"{known}abc", f"{base}.1", f"{known}%27%22%5C", f"{base}%20OR%201=1", f"{known}%00",
            f"{known}%0Aabc", "null", "true", "__proto__", "NaN", "%F0%9F%92%A9", "%ff",
            *([] if self.target.is_live else [f"{known},{known}", "*"]),
        ]  # fmt: skip
        for value in invalid:
            yield self._get("a pid that is not an integer", pid=value, capability="input", telling=4)
        in_arabic = quote(str(known).translate({ord("0") + digit: 0x660 + digit for digit in range(10)}))
        hexadecimal = "0xbadbad" if self.target.is_live else f"0x{known:x}"
        loose = [hexadecimal, f"%20{known}", f"{known}%20", f"{known}%0A", f"%2B{known}", in_arabic]
        if not self.target.is_live:
            loose += [f"0{known}", f"0{known:o}", f"{known}.0", f"{known}e0", f"{str(known)[:1]}_{str(known)[1:]}"]
        for value in loose:
            yield self._get("a pid that some parsers take for an integer", pid=value, capability="input", telling=26)
        beyond = [str(2**63 + 1 + 2 * self._random.randrange(10**6)), str(2**64 + known), "9" * 2500]
        for value in ("0", "-1", f"-{known}", *beyond):
            yield self._get("a pid that no process can have", pid=value, capability="input", telling=17)
        yield self._get("a very long pid", pid="9" * 5000, capability="input", telling=6)
        yield self._get("a pid after another parameter", query=f"?x=1&pid={known}", capability="input", telling=8)
        if not self.target.is_live:
            purpose = "a pid with an operator of a database"
            yield self._get(purpose, query="?pid%5B%24ne%5D=0", capability="input")
        yield self._get("an empty pid", pid="", headers=ABROAD, capability="input")
        yield self._get("a repeated pid", query=f"?pid={known}&pid={nobodys}", capability="input", telling=7)
        yield self._get("a repeated pid", query=f"?pid={known}&pid=abc", capability="input")

    def _methods(self) -> Iterator[Step]:
        own = path_of(self.target.vps)
        with_key = authorized(own, self.target).headers
        yield Step("HEAD, as the probe", Request("HEAD", own, with_key), "input", telling=9)
        yield Step("HEAD without a key", Request("HEAD", own, BASE_HEADERS), "credentials", telling=28)
        yield Step("OPTIONS", Request("OPTIONS", own, with_key), "input", telling=10)
        yield Step("OPTIONS without a key", Request("OPTIONS", own, BASE_HEADERS), "credentials")
        if self.target.foreign_vps:
            foreign = path_of(self.target.foreign_vps)
            yield Step("HEAD of somebody else's VPS", Request("HEAD", foreign, with_key), "ids", telling=22)
        if self.target.read_key and self.target.running_pid:
            reading = (*BASE_HEADERS, *authorization(self.target, self.target.read_key))
            poll = f"{own}?pid={self.target.running_pid}"
            yield Step("HEAD of a poll with read:vm alone", Request("HEAD", poll, reading), "scopes", telling=21)
        if self.target.running_pid:
            poll = f"{own}?pid={self.target.running_pid}"
            yield Step("HEAD of a poll without a key", Request("HEAD", poll, BASE_HEADERS), "credentials")
        if not self.target.is_live:
            # A POST without a body starts nothing.
            for method in ("PUT", "PATCH", "DELETE", "POST"):
                yield Step(f"{method}, without a body", Request(method, own, with_key), "input")
            # The response to TRACE repeats the request, so this one holds no secret (RFC 9110 section 9.3.8).
            yield Step("TRACE", Request("TRACE", own, BASE_HEADERS), "input")
        # Where there is an If-None-Match, the other condition is ignored (RFC 9110 section 13.1.3).
        nobodys = (("If-None-Match", NOBODYS_TAG), ("If-Modified-Since", "Mon, 01 Jan 1990 00:00:00 GMT"))
        yield self._get("the probe, if it is not what nobody has seen", headers=nobodys)
        yield self._get("the probe, in part", headers=(("Range", "bytes=0-9"),), telling=36)
        yield self._get("the probe, from a client that accepts anything", headers=(("Accept", "*/*"),), telling=37)
        content = (*with_key, ("Content-Type", "application/json"))
        yield Step("the probe, with content", Request("GET", own, content, b"{}"), telling=35)
        for path in (own + "x", own.replace("/agent/exec", "/agent/none")):
            yield Step("a path beside the endpoint's", Request("GET", path, with_key), "ids", telling=23)
        origin = (*with_key, ("Origin", "https://origin.example"))
        yield Step("the probe, from a page of another origin", Request("GET", own, origin), telling=13)

    def _related(self) -> Iterator[Step]:
        """Yield the requests for the list and the status of VPSs, which a server need not offer."""
        # The list comes first, since it tells a wrong id from a wrong key.
        of_list = ("the list of VPSs", VPSS, (1, 31, 11))
        of_status = ("the status of the VPS", path_of(self.target.vps, "status"), (2, None, None))
        for name, path, (telling, without_key, reading) in (of_list, of_status):
            yield self._get(name, path=path, telling=telling)
            yield self._get(f"{name} without a key", path=path, key=None, capability="credentials", telling=without_key)
            yield self._get(f"{name} with a wrong key", path=path, key=self._other_key(), headers=ABROAD,
                            capability="credentials")  # fmt: skip
            if self.target.read_key:
                yield self._get(f"{name} with read:vm alone", path=path, key=self.target.read_key, capability="scopes",
                                telling=reading)  # fmt: skip
        for whose, vps in (("an unknown", self._unknown_vps()), ("somebody else's", self.target.foreign_vps)):
            if vps:
                yield self._get(f"the status of {whose} VPS", path=path_of(vps, "status"), headers=ABROAD,
                                capability="ids", telling=5 if whose == "an unknown" else None)  # fmt: skip

    def _ended_command(self) -> Iterator[Step]:
        """Yield the one poll that gets the output, and what follows it."""
        pid = self.target.finished_pid
        if pid:
            yield self._by_client("the poll of the ended command, by the generated client", pid=pid, capability="pids")
            yield self._get("the ended command once more", pid=pid, capability="pids")
            yield self._get("the ended command a third time", pid=pid, capability="pids")
            if self.target.read_key:
                purpose = "the ended command with read:vm alone, afterwards"
                yield self._get(purpose, key=self.target.read_key, pid=pid, capability="scopes")

    def _once_more(self) -> Iterator[Step]:
        """Yield requests that were sent before, to see that their responses stay the same."""
        if pid := self.target.finished_pid:
            # What has ended changes no more, so something in front may keep it.
            for whose, key in (("without a key", None), ("with a wrong key", self._other_key())):
                yield self._get(f"the ended command {whose}, afterwards", key=key, pid=pid, capability="credentials")
        if self.target.running_pid:
            for _ in range(5):
                yield self._get("the running command once more", pid=self.target.running_pid, capability="pids")
        if self.target.unavailable_vps:
            # By the key with read:vm alone, if there is one, which may see it too.
            key, capability = (self.target.read_key, "scopes") if self.target.read_key else ("", "ids")
            yield self._get("the VPS without an agent once more", key=key, vps=self.target.unavailable_vps,
                            capability=capability)  # fmt: skip
        for _ in range(2):
            yield self._get("the probe once more")
        yield self._get("the probe, gzip unwelcome", headers=NOT_CODED)
        silent = self._get("the probe, from a client that does not say what it accepts")
        headers = tuple(field for field in silent.request.headers if field[0] != "Accept")
        yield replace(silent, request=replace(silent.request, headers=headers))
        lower = self._get("the probe, with field names in lower case")
        headers = tuple((name.lower(), value) for name, value in lower.request.headers)
        yield replace(lower, request=replace(lower.request, headers=headers))
        yield self._get("the probe, gzip welcome", headers=CODED)
        # Of a command that was never started, which may be looked for before the key is.
        yield self._get("an error, gzip welcome", key=None, pid=self._nobodys_pid(), headers=CODED,
                        capability="credentials")  # fmt: skip

    def _bursts(self) -> Iterator[list[Step]]:
        """Yield requests of all kinds that are sent at once; they were sent alone before, or are no different here."""
        t = self.target
        own, unknown, nobodys = path_of(t.vps), self._unknown_vps(), self._nobodys_pid()
        reading = {"a poll with read:vm alone": self._get("", pid=t.running_pid or nobodys, key=t.read_key,
                                                          capability="scopes")}  # fmt: skip
        kinds = {
            **(reading if t.read_key else {}),
            "the probe": self._get("", path=own),
            "the probe without a key": self._get("", path=own, key=None, capability="credentials"),
            "the probe of an unknown VPS": self._get("", vps=unknown, capability="ids"),
            "a poll of nobody's command": self._get("", pid=nobodys, capability="pids"),
        }
        if t.unavailable_vps:
            kinds["the probe of the VPS without an agent"] = self._get("", vps=t.unavailable_vps, capability="ids")
        if t.running_pid:
            kinds["a poll of the running command"] = self._get("", pid=t.running_pid, capability="pids")
        # What is to be refused stands last, in one order or the other: a check may give up where others are under way.
        kinds["the probe with a wrong key"] = self._get("", key=self._other_key(), capability="credentials")
        steps = [replace(step, purpose=f"{name}, at once with others") for name, step in kinds.items()]
        yield steps
        yield steps[::-1]

    def _get(
        self,
        purpose: str,
        *,
        vps: str | None = None,
        path: str | None = None,
        pid: int | str | None = None,
        query: str = "",
        key: str | None = "",
        headers: Headers = (),
        capability: str | None = None,
        telling: int | None = None,
    ) -> Step:
        """Return a GET, of the endpoint unless a path is given, with the full key unless `key` is another or None."""
        path = path or path_of(vps or self.target.vps)
        query = f"?pid={pid}" if pid is not None else query
        return Step(purpose, authorized(path + query, self.target, headers, key), capability, telling=telling)

    def _with_authorization(self, purpose: str, value: str, telling: int | None = None) -> Step:
        step = self._get(purpose, key=None, capability="credentials", telling=telling)
        return replace(step, request=replace(step.request, headers=(*step.request.headers, ("Authorization", value))))

    def _by_client(
        self,
        purpose: str,
        *,
        vps: str | None = None,
        pid: int | None = None,
        ordered: int | None = None,
        capability: str | None = None,
    ) -> Step:
        step = self._get(purpose, vps=vps, pid=pid, capability=capability)
        return replace(step, client=ClientCall(vps or self.target.vps, pid, ordered))

    def _other_key(self) -> str:
        """Return a key that nobody has, of the same form as the full key but with no part of it."""
        return self._varied(self.target.key if len(self.target.key) > 16 else "hu_" + "x" * 24)

    def _unknown_vps(self) -> str:
        """Return an id that was never issued, in the form of the caller's own; of the example, if that is too short."""
        own = self.target.vps
        half = len(own) // 2
        long_enough = sum(c.isalnum() for c in own[half:]) >= 8
        return own[:half] + self._varied(own[half:]) if long_enough else "vps_" + self._varied("0h" * 13)

    def _varied(self, text: str) -> str:
        """Return a text with each digit replaced by a digit and each letter by one that hexadecimal or base 32 uses."""
        return "".join(
            self._random.choice(string.digits) if c.isdigit()
            else self._random.choice("ABCDEF" if c.isupper() else "abcdef") if c.isalpha()
            else c
            for c in text
        )  # fmt: skip

    def _nobodys_pid(self) -> int:
        """Return a pid that no guest can have: above the largest of Linux, and odd, as those of Windows never are."""
        return LARGEST_LINUX_PID + 1 + 2 * self._random.randrange(10**6)


def ranked(rank: Rank, steps: Iterable[Step]) -> Iterator[Step]:
    """Yield steps with their rank."""
    return (replace(step, rank=rank) for step in steps)


def one_of_each(steps: Iterable[Step]) -> tuple[list[Step], list[Step]]:
    """Return the first step of each purpose and the others, so that a run that is cut has seen some of each."""
    firsts: dict[str, Step] = {}
    others = [step for step in steps if firsts.setdefault(step.purpose, step) is not step]
    return list(firsts.values()), others
