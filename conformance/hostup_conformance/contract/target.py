"""The server that is judged: its address, the keys and ids that were given for it, and what it is said to support."""

import ipaddress
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any, Literal, get_args

from hostup_conformance.contract.paths import BEFORE_VPSS, VPSS
from hostup_conformance.http.network import THIS_MACHINE
from hostup_conformance.http.route import DIRECT, Route, host_in, is_one_of
from hostup_conformance.judging.ledger import SPEC
from hostup_conformance.judging.verdict import Name
from hostup_conformance.keeping.misconfigured import Misconfigured
from hostup_conformance.keeping.redact import PIECE, redactor
from hostup_conformance.keeping.safe_text import shown, split_url

#: The variables that name the keys, the ids and the pids, by the attributes of `Target` that hold their values.
KEYS = {"key": "HOSTUP_API_KEY", "read_key": "HOSTUP_READ_API_KEY"}
IDS = {"vps": "HOSTUP_VPS_ID", "unavailable_vps": "HOSTUP_UNAVAILABLE_VPS_ID", "foreign_vps": "HOSTUP_FOREIGN_VPS_ID"}
PIDS = {"finished_pid": "HOSTUP_FINISHED_PID", "running_pid": "HOSTUP_RUNNING_PID"}
VARIABLES = KEYS | IDS | PIDS

#: The base URL of a recording until it is read.
UNKNOWN_ADDRESS = "http://har.invalid"

#: No key and no id is longer, in characters.
LONGEST_GIVEN = 4096

#: How the suite names itself to servers, and the words that it ends with.
SUITE, VERDICTS = "hostup-conformance", " ".join(get_args(Name))

#: What a target may support besides plain responses. A profile is a set of these.
CAPABILITIES = {
    "credentials": "tells valid keys from wrong ones",
    "scopes": "knows what each key may do",
    "ids": "knows which VPSs exist and who owns them",
    "pids": "knows commands and their output",
    "input": "checks parameters as documented",
    "fresh": "writes each response anew, with its own ids and times, instead of repeating an example",
}
#: Named profiles, for `--profile`. A static mock repeats the examples of the OpenAPI document and obeys `Prefer`.
PROFILES = {"full": frozenset(CAPABILITIES), "static": frozenset[str]()}


Kind = Literal["mock", "server", "har"]


@dataclass(frozen=True)
class Target:
    """A server, and what is known of it. The pids are of commands on `vps`, which is empty until it is looked up."""

    base_url: str
    kind: Kind
    key: str = field(repr=False)
    vps: str
    read_key: str | None = field(default=None, repr=False)
    unavailable_vps: str | None = None
    foreign_vps: str | None = None
    finished_pid: int | None = None
    running_pid: int | None = None
    profile: str = "full"
    #: Whether harmless commands may be started on `vps`.
    allow_exec: bool = False
    #: Whether `vps` was taken from the list of VPSs, since none was given.
    looked_up: bool = False
    #: Other commands that the run has started; `contract.ask.with_started_commands` adds them.
    started_pids: frozenset[int] = frozenset()
    #: Credentials in a recording, which are redacted as the keys are.
    found_secrets: frozenset[str] = field(default=frozenset(), repr=False)
    #: How it is reached, apart from its address.
    route: Route = DIRECT
    #: Whether it is to be treated as a live server although it is on loopback.
    live: bool = False
    #: What reports call it where its address says nothing: the embedded mock, or an application's module and attribute.
    name: str = ""

    @classmethod
    def from_environment(
        cls,
        base_url: str,
        environ: Mapping[str, str],
        *,
        kind: Kind = "server",
        profile: str = "full",
        plain_http: Collection[str] = (),
    ) -> "Target":
        """Read keys, ids and pids from the environment; `plain_http` are hosts that get keys without TLS.

        Raises:
            Misconfigured: something is missing, malformed or unsafe; nothing has been sent
        """
        # What surrounds a value comes from the file that it was read from, such as the newline at its end.
        given = {name: text for name in VARIABLES.values() if (text := environ.get(name, "").strip())}
        if kind == "server" and "HOSTUP_API_KEY" not in given:  # with it the VPS can be looked up
            raise Misconfigured(
                "HOSTUP_API_KEY is not set; set it to a key with read:vm and write:vm, and HOSTUP_VPS_ID to the VPS "
                "to judge with, unless the list of VPSs is to choose it (README, Judge your server)"
                + "".join(f"; {words}" for words in misspelt(environ))
            )
        base_url = checked_base_url(base_url)
        values: dict[str, Any] = {"key": "", "vps": ""}
        for variables, checked in ((KEYS, checked_key), (IDS, checked_id), (PIDS, checked_pid)):
            values |= {attribute: checked(name, given[name]) for attribute, name in variables.items() if name in given}
        target = cls(base_url, kind, profile=checked_profile(profile), **values)
        target.check_distinct()
        target.check_apart()
        if kind == "server":
            target.check_sendable(plain_http)
        return target

    def check_sendable(self, plain_http: Collection[str]) -> None:
        """Raise `Misconfigured` where a request would put a key at risk, or would ask for a pid of no VPS."""
        if not self.is_loopback and not self.has("long keys"):
            raise Misconfigured(
                f"HOSTUP_API_KEY or HOSTUP_READ_API_KEY has fewer than {PIECE} characters, too few to be kept out of "
                "reports; use a longer key, or a server on loopback"
            )
        if not self.vps and (self.finished_pid or self.running_pid):
            pid = PIDS["finished_pid" if self.finished_pid else "running_pid"]
            raise Misconfigured(f"{pid} is set, but HOSTUP_VPS_ID is not; set it to the VPS of that pid")
        host = host_in(self.base_url)
        if split_url(self.base_url).scheme == "http" and not self.is_loopback and not is_one_of(host, plain_http):
            raise Misconfigured(
                f"--base-url {self.base_url}: a key is never sent over plain http except to loopback; use https, or "
                f"--allow-plain-http {host} if the network up to that host is yours alone"
            )

    def check_distinct(self) -> None:
        """Raise `Misconfigured` if two keys, ids or pids that must differ are the same."""
        for kind, variables in (("VPS ids", IDS), ("keys", KEYS), ("pids", PIDS)):
            seen: dict[object, str] = {}
            for attribute, name in variables.items():
                value = getattr(self, attribute)
                if value and value in seen:
                    raise Misconfigured(f"{seen[value]} and {name} are the same; give different {kind}")
                seen[value] = name

    def check_apart(self) -> None:
        """Raise `Misconfigured` for a key that is an ordinary text, as if whatever has that repeated the key."""
        said = {
            "stands in --base-url": self.base_url,
            **{f"stands in {name}": getattr(self, attribute) or "" for attribute, name in IDS.items()},
            "is an ordinary word": SUITE + (SPEC / "openapi.yaml").read_text("utf-8"),
        }
        for attribute, name in KEYS.items():
            key = getattr(self, attribute) or ""
            for how, text in said.items():
                if len(key) >= PIECE and key.lower() in text.lower():
                    raise Misconfigured(f"{name} {how}, so that it could not be told from that; give another key")
            if redactor((key,))(VERDICTS) != VERDICTS:
                raise Misconfigured(
                    f"{name} has letters of the name of a verdict, which would be redacted; give another key"
                )

    @property
    def is_loopback(self) -> bool:
        """Whether the target is on this machine."""
        host = split_url(self.base_url).hostname or ""
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == THIS_MACHINE  # whose addresses the network checks

    @property
    def pids(self) -> frozenset[int]:
        """The pids of the commands on `vps` that were named or started."""
        return self.started_pids | {pid for pid in (self.finished_pid, self.running_pid) if pid}

    @property
    def is_live(self) -> bool:
        """Whether it may be in use by others, so that it gets only what is safe."""
        return self.live or not self.is_loopback

    @property
    def capabilities(self) -> frozenset[str]:
        """What the target is said to support, see `CAPABILITIES`."""
        return PROFILES.get(self.profile) or frozenset(self.profile.split(",")) & CAPABILITIES.keys()

    @property
    def secrets(self) -> tuple[str, ...]:
        """Everything that is redacted: both keys, the credentials in a recording, and those of the route."""
        return tuple(key for key in (self.key, self.read_key, *sorted(self.found_secrets), *self.route.secrets) if key)

    @property
    def nearly_secrets(self) -> tuple[str, ...]:
        """All secrets, and the altered keys that the suite sends, which contain most of a key."""
        return self.secrets + self._altered

    @property
    def given_secrets(self) -> tuple[str, ...]:
        """Those that the user gave, with the altered keys: a server has no reason to repeat one of them."""
        return tuple(key for key in (self.key, self.read_key, *self.route.secrets) if key) + self._altered

    @property
    def _altered(self) -> tuple[str, ...]:
        reading = [altered_within(self.read_key)] if self.read_key else []
        return tuple(altered for altered in (*altered_keys(self.key), *reading) if len(altered) > 3)

    def has(self, need: str) -> bool:
        """Whether it has what a requirement needs: a variable, a capability, or the permission to start commands."""
        given = {
            **{name: getattr(self, attribute) for attribute, name in VARIABLES.items()},
            "--allow-exec": self.allow_exec,
            # A shorter key cannot be told from ordinary text.
            "long keys": all(len(key) >= PIECE for key in (self.key, self.read_key) if key),
            # A server on this machine may have its configuration in its environment, of which two keys are a sign.
            "two keys on loopback": self.read_key or self.kind == "har" or not self.is_loopback,
        }
        return need in self.capabilities or bool(given.get(need))

    def given(self, option: str) -> "Target":
        """Return the target as it would be if an option or a variable had been given; commands have pids too."""
        if option == "--allow-exec":
            return replace(
                self, allow_exec=True, finished_pid=self.finished_pid or 1, running_pid=self.running_pid or 1
            )
        attribute = next(attribute for attribute, name in VARIABLES.items() if name == option)
        value: Any = 1 if attribute in PIDS else "some value"
        return replace(self, **{attribute: value})


def misspelt(environ: Mapping[str, str]) -> list[str]:
    """Say which variables are set that nothing reads, and resemble one that is not set."""
    free = [name for name in VARIABLES.values() if name not in environ]
    odd = sorted(name for name in environ if name.upper().startswith("HOSTUP") and name not in VARIABLES.values())
    near = {name: get_close_matches(name.upper(), free, n=1, cutoff=0.85) for name in odd if len(name) <= LONGEST_GIVEN}
    return [f"{shown(name)} is set, which nothing reads: is it {ours[0]}?" for name, ours in near.items() if ours]


def header_variable(name: str) -> str:
    """Return the variable with the value of a header field that `--header` names."""
    return "HOSTUP_HEADER_" + name.upper().replace("-", "_")


def altered_keys(key: str) -> list[str]:
    """Return keys that resemble the given one but differ from it: at their ends, and in one character between.

    The character that one of them has more may stand in any token (RFC 9110, token68), and is in few keys: what leaves
    out all that is no letter, digit or underscore takes it for the key.
    """
    first, last = ("a" if key[at:][:1] != "a" else "b" for at in (0, -1))
    altered = [key[:-1], key + "~", first + key[1:], key[:-1] + last, altered_within(key)]
    return list(dict.fromkeys(value for value in altered if value and value != key))


def altered_within(key: str) -> str:
    """Return a key with the letter nearest to its middle in the other case: what compares ends alone takes it too."""
    at = min(range(len(key)), key=lambda n: (key[n] == key[n].swapcase(), abs(n - len(key) // 2)), default=0)
    letter = key[at : at + 1]
    other = letter.swapcase() if letter.swapcase() != letter else "x"
    return key[:at] + other + key[at + 1 :]


def checked_base_url(base_url: str) -> str:
    """Return the base URL without a trailing slash; raise `Misconfigured` if it cannot be used."""
    try:
        parts = split_url(base_url)
        port = parts.port
        (parts.hostname or "").encode("idna")
    except ValueError as error:
        raise Misconfigured(f"--base-url is not a URL ({error}); give one such as http://127.0.0.1:8080") from None
    if "@" in parts.netloc:
        raise Misconfigured("--base-url contains a user or password; remove it, since keys come from the environment")
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        raise Misconfigured(f"--base-url {base_url!r} is not an http(s) URL; give one such as http://127.0.0.1:8080")
    if parts.query or parts.fragment:
        raise Misconfigured(f"--base-url {base_url!r} has a query or fragment; give only the part before /api")
    if not parts.hostname.isascii():
        host = parts.hostname.encode("idna").decode()
        raise Misconfigured(f"--base-url {base_url!r} has a host outside ASCII; give it as {host}")
    if not base_url.isascii() or any(c.isspace() or ord(c) < 33 for c in base_url):
        raise Misconfigured(f"--base-url {base_url!r} contains a space or a character outside ASCII; percent-encode it")
    path = f"{parts.path}/".replace("//", "/")
    if path.endswith(f"{BEFORE_VPSS}/") or f"{VPSS}/" in path:
        raise Misconfigured(f"--base-url {base_url!r} has {BEFORE_VPSS}, which is added; give only what is before it")
    return base_url.rstrip("/")


def checked_key(name: str, value: str) -> str:
    """Return a key; raise `Misconfigured` (which does not show it) if it cannot be sent in a header field."""
    if not value.isascii() or any(c.isspace() or not c.isprintable() for c in value):
        raise Misconfigured(
            f"{name} contains a space, a control character or a character outside ASCII; give the key alone, "
            "without Bearer before it"
        )
    check_plain(name, value)
    return value


def checked_id(name: str, text: str) -> str:
    """Return the id of a VPS; raise `Misconfigured` for what no id can be."""
    if not text.isprintable() or text in {".", ".."}:
        raise Misconfigured(f"{name} is {shown(text)}, which is no id; give the id of a VPS")
    check_plain(name, text)
    return text


def is_id(text: str) -> bool:
    """Whether a text from a server may be the id of a VPS: then it passes the check of one from the environment."""
    try:
        return bool(text) and text == checked_id("it", text.strip())
    except Misconfigured:
        return False


def check_plain(name: str, value: str) -> None:
    """Raise `Misconfigured` for a value that is too long for a request, or still has its quotes around it."""
    if len(value) > LONGEST_GIVEN:
        raise Misconfigured(f"{name} has {len(value)} characters; give {LONGEST_GIVEN} at most")
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        raise Misconfigured(f"{name} is in quotes; give the value without them")


def checked_pid(name: str, text: str) -> int:
    """Return a pid; raise `Misconfigured` if the text is not one."""
    if not (text.isascii() and text.isdecimal()) or not 0 < len(text) < 19 or int(text) == 0:
        raise Misconfigured(f"{name} is {shown(repr(text))}; give an integer above 0")
    return int(text)


def checked_profile(profile: str) -> str:
    """Return a profile's name or list of capabilities; raise `Misconfigured` for an unknown one."""
    if profile not in PROFILES and (unknown := set(profile.split(",")) - CAPABILITIES.keys()):
        raise Misconfigured(
            f"--profile {profile}: {', '.join(sorted(unknown))} is unknown; "
            f"give {' or '.join(PROFILES)}, or a list of {', '.join(CAPABILITIES)}"
        )
    return profile
