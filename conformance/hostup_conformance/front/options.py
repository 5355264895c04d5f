"""The options of a run, each declared once: its name, kind, help and bounds.

Where the suite is installed, every run of pytest imports this module, so it must import nothing slow.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any

from hostup_conformance.clients import Does
from hostup_conformance.clients.examples import LANGUAGES
from hostup_conformance.http.limits import LIVE_REQUESTS, REQUESTS, Limits
from hostup_conformance.keeping.misconfigured import Misconfigured


def option(
    help: str,
    metavar: str | None = None,
    *,
    written: str | None = None,
    above: float | None = None,
    least: float | None = None,
    most: float | None = None,
    **kind: Any,
) -> Any:
    """Declare an option by what argparse is told of it, how it is written if not as its field, and by its bounds."""
    told = {"help": help, **({"metavar": metavar} if metavar else {}), **kind}
    default = kind.get("default", False if kind.get("action") == "store_true" else None)
    made: dict[str, Any] = {"default_factory": list} if default == [] else {"default": default}
    return field(metadata={"told": told, "written": written, "above": above, "least": least, "most": most}, **made)


@dataclass(frozen=True)
class Options:
    """The options of a run, by the names that pytest gives their values."""

    #: Empty where --base-url was given without a value.
    base_url: str | None = option("the server to judge; a path prefix is allowed (default: the mock)", "URL")
    report_dir: Path = option(
        "where to write the reports (default: conformance-report)", "DIR", type=Path, default=Path("conformance-report")
    )
    backend: str | None = option(
        "judge a server in front of a real guest agent, in place of the mock", choices=["qemu-ga"]
    )
    app: str | None = option(
        "judge an ASGI or WSGI application, served in a process of its own; keys and ids come from the environment",
        "MODULE:ATTRIBUTE",
    )
    allow_exec: str | None = option(
        "start harmless commands on the VPS; for a live server, give the id of the VPS as the value",
        "VPS_ID", nargs="?", const="",
    )  # fmt: skip
    live: bool = option("treat a loopback server as a live one: send only safe methods", action="store_true")
    plan: bool = option("list the requests without sending them", action="store_true")
    profile: str = option("what the server supports: full, static, or a list of capabilities", default="full")
    max_requests: int | None = option(
        f"send at most N requests (default: {REQUESTS[False]}, or {REQUESTS[True]} with --allow-exec; "
        f"for live servers {LIVE_REQUESTS[False]} and {LIVE_REQUESTS[True]})",
        "N", type=int, above=0,
    )  # fmt: skip
    rate: float | None = option(
        "send at most N requests in a second (default: any number)", "N", type=float, least=0.001, most=1000
    )
    max_wait: float | None = option(
        f"wait at most S seconds in all where the server limits the rate (default: {Limits.waiting_seconds:g})",
        "S", type=float, least=0, most=3600,
    )  # fmt: skip
    max_seconds: float | None = option(
        f"send for at most S seconds (default: {Limits.run_seconds:g})", "S", type=float, above=0, most=3600
    )
    timeout_seconds: float = option(
        f"how many seconds one response may take (default: {Limits.request_seconds:g})",
        "S", type=float, above=0, most=60, default=Limits.request_seconds,
    )  # fmt: skip
    header: list[str] = option(
        "send this header field with every request; its value comes from the environment variable HOSTUP_HEADER_NAME, "
        "with NAME in capitals and - as _ (repeatable)",
        "NAME", action="append", default=[],
    )  # fmt: skip
    ca_file: str | None = option("trust the CAs in FILE (PEM) too (default: those in SSL_CERT_FILE)", "FILE")
    client_cert: str | None = option(
        "show the server this certificate (PEM), with its key in the same file or in KEYFILE", "FILE[:KEYFILE]"
    )
    allow_plain_http: list[str] = option(
        "send keys to HOST without TLS, as to a service of Docker Compose or Kubernetes (repeatable)",
        "HOST", action="append", default=[],
    )  # fmt: skip
    har: Path | None = option(
        "judge the recorded traffic in FILE (HAR 1.2) without sending anything", "FILE", type=Path
    )
    record: Path | None = option(
        "write the exchanges of this run to FILE (HAR 1.2), with all keys redacted", "FILE", type=Path
    )
    waivers: str | None = option(
        "requirements that may be broken for a while, each with a reason and an expiry date", "FILE"
    )
    #: pytest's own option; the suite fails on a SHOULD with it.
    strict: bool = False

    @property
    def servers(self) -> dict[str, str | None]:
        """The options that name a server, of which only one may be given. --base-url may go with --har."""
        named = {"--base-url": self.base_url, "--app": self.app, "--backend": self.backend}
        return named if self.har is None else {"--har": str(self.har), "--app": self.app, "--backend": self.backend}

    @property
    def of_route(self) -> dict[str, object]:
        """The options that say how a server is reached, which nothing reads where the suite serves what it judges."""
        return {
            "--header": self.header,
            "--ca-file": self.ca_file,
            "--client-cert": self.client_cert,
            "--allow-plain-http": self.allow_plain_http,
        }

    @property
    def inputs(self) -> dict[str, Path]:
        """The files that a run reads, each by the option that names it."""
        certificate, key = split_certificate(self.client_cert) if self.client_cert else (None, None)
        named: dict[str, Path | str | None] = {"--har": self.har, "--waivers": self.waivers, "--ca-file": self.ca_file}
        named |= {"--client-cert": certificate, "the key of --client-cert": key}
        return {name: Path(file) for name, file in named.items() if file}

    @classmethod
    def read(cls, given: Any, base_url: str, arguments: Sequence[str]) -> "Options":
        """Read pytest's options; raise `Misconfigured` for a value that cannot be used.

        `arguments` are those of this run alone: pytest has a --strict too, which a project may have in its
        configuration for its own tests.
        """
        values = values_of(given)
        is_given = base_url or any(argument.startswith("--base-url") for argument in arguments)
        return cls(**{**values, "base_url": base_url if is_given else None, "strict": "--strict" in arguments})


@dataclass(frozen=True)
class ClientOptions:
    """The options of a run on a client."""

    #: The command that is judged.
    words: tuple[str, ...] = ()
    does: Does = option("what COMMAND does (default: run)", choices=["probe", "poll", "run"], default="run")
    scenes: list[str] = option(
        "play only this scene; may be repeated", "NAME", written="--scene", action="append", default=[]
    )
    quiet: bool = option("do not tell how far the run is", action="store_true")
    quick: bool = option("play only the scenes that find most, within seconds", action="store_true")
    listed: bool = option("list the scenes without running anything", written="--scenes", action="store_true")
    example: str | None = option(
        f"print a small correct client ({', '.join(LANGUAGES)})", "LANGUAGE", choices=list(LANGUAGES)
    )
    jobs: int | None = option("how many scenes are played at once (default: as suits COMMAND)", "N", type=int, above=0)
    by_hand: bool = option("serve the scene until Ctrl-C, without running COMMAND", action="store_true")
    report_dir: Path = option("where to write the reports", "DIR", type=Path, default=Path("conformance-report"))
    strict: bool = option("fail if a SHOULD is broken", action="store_true")
    waivers: str | None = option("list of requirements that may be broken for a while", "FILE")
    #: The recording that is judged, if no command is run.
    recording: Path | None = None

    @property
    def inputs(self) -> dict[str, Path]:
        """The files that a run reads, each by what names it."""
        named = {"the recording": self.recording, "--waivers": self.waivers}
        return {name: Path(file) for name, file in named.items() if file}


def values_of(given: Any, options: type = Options) -> dict[str, Any]:
    """Return the values of the options that were asked for, by name; raise `Misconfigured` for what cannot be one."""
    values = {one.name: getattr(given, one.name) for one in declared(options) if hasattr(given, one.name)}
    for one in declared(options):
        value = values.get(one.name)
        if [] in (value if isinstance(value, list) and one.metadata["told"].get("action") == "append" else [value]):
            raise Misconfigured(f"{written(one)} has no value; give one")  # what argparse makes of --name=--
        check_bounds(one, value)
    return values


def declared(options: type = Options) -> list[Field[Any]]:
    """Return the declarations of the suite's own options."""
    return [one for one in fields(options) if one.metadata]


def written(declaration: Field[Any]) -> str:
    """Return an option as it is written on the command line, which may be by another name than that of its field."""
    return declaration.metadata["written"] or f"--{declaration.name.replace('_', '-')}"


def without_option(argument: str, known: Iterable[str]) -> str:
    """Say that there is no such option, and which similar ones there are."""
    from difflib import get_close_matches

    name = argument.partition("=")[0]
    near = get_close_matches(name, known, n=3)
    hint = f"similar: {', '.join(near)}" if near else "--help lists all"
    return f"there is no option {name}; {hint}"


def check_bounds(declaration: Field[Any], value: float | None) -> None:
    """Raise `Misconfigured` if a number is out of the bounds that its option declares."""
    above, least, most = (declaration.metadata[bound] for bound in ("above", "least", "most"))
    if value is None or (above is None and least is None):
        return
    if (above is None or value > above) and (least is None or value >= least) and (most is None or value <= most):
        return
    bounds = f"from {least} to {most}" if above is None else f"above {above}"
    bounds += f" and at most {most}" if above is not None and most else ""
    raise Misconfigured(f"{written(declaration)} {value:g}: give a number {bounds}")


def split_certificate(text: str) -> tuple[Path, Path | None]:
    """Return the files of a client certificate and of its key, which is None if it is in the same file."""
    certificate, colon, key = text.rpartition(":")
    if not colon or os.path.exists(text):
        return Path(text), None
    return Path(certificate), Path(key)
