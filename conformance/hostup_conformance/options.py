"""Reads options and environment as the target and the limits of a run; it must not know how pytest runs anything."""

from __future__ import annotations

import os
import re
import tempfile
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hostup_conformance.contract.target import Target, header_variable
from hostup_conformance.core.door import shown
from hostup_conformance.core.misconfigured import Misconfigured
from hostup_conformance.core.route import Route, ca_from, proxy_for
from hostup_conformance.core.wire import Limits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import ExitStack

#: The default number of requests to a live server, and how many more where commands may be started.
LIVE_REQUESTS, FOR_COMMANDS = 240, 150
#: The name of a header field (RFC 9110 section 5.6.2), and those that are the suite's own.
FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
OUR_FIELDS = frozenset(
    {*("accept", "accept-encoding", "authorization", "connection", "content-length", "content-type", "expect", "host")}
    | {*("keep-alive", "prefer", "te", "trailer", "transfer-encoding", "upgrade", "user-agent")}
)
#: The base URL in a process that leaves the work to another one, and so sends nothing.
ELSEWHERE = "http://127.0.0.1:1"


@dataclass(frozen=True)
class Given:
    """The options of a run, as the command line has them."""

    base_url: str
    report_dir: Path
    backend: str | None
    app: str | None
    allow_exec: str | None
    live: bool
    plan: bool
    profile: str
    max_requests: int | None
    rate: float | None
    max_wait: float | None
    max_seconds: float | None
    timeout_seconds: float
    har: Path | None
    record: Path | None
    waivers: str | None
    headers: tuple[str, ...]
    ca_file: str | None
    client_cert: str | None
    plain_http: tuple[str, ...]
    strict: bool
    #: Whether another process does the work (pytest-xdist), and this one needs no server.
    elsewhere: bool

    @property
    def servers(self) -> dict[str, str | None]:
        """The options that name a server, of which there can be one; a recording may say where it was made."""
        named = {"--base-url": self.base_url, "--app": self.app, "--backend": self.backend}
        return named if self.har is None else {"--har": str(self.har), "--app": self.app, "--backend": self.backend}

    @classmethod
    def read(cls, option: Any, base_url: str, arguments: Sequence[str]) -> Given:
        """Read pytest's options; raise `Misconfigured` for an empty base URL, which does not ask for the mock."""
        # The option is also an empty string where it was not given.
        if not base_url and any(argument.startswith("--base-url") for argument in arguments):
            raise Misconfigured("--base-url is empty; give the server's address, or omit the option to judge the mock")
        return cls(
            base_url=base_url,
            report_dir=Path(option.report_dir),
            backend=option.backend,
            app=option.app,
            allow_exec=option.allow_exec,
            live=option.live,
            plan=option.plan,
            profile=option.profile,
            max_requests=option.max_requests,
            rate=option.rate,
            max_wait=option.max_wait,
            max_seconds=option.max_seconds,
            timeout_seconds=option.timeout_seconds,
            har=Path(option.har) if option.har else None,
            record=Path(option.record) if option.record else None,
            waivers=option.waivers,
            headers=tuple(option.header),
            ca_file=option.ca_file,
            client_cert=option.client_cert,
            plain_http=tuple(option.allow_plain_http),
            strict=option.strict,
            elsewhere=bool(getattr(option, "tx", None)),
        )


def target_of(given: Given, resources: ExitStack) -> Target:
    """Return the target that options and environment name, starting the embedded mock if they name none.

    Raises:
        Misconfigured: something is missing, malformed or contradictory
    """
    if len(named := [name for name, value in given.servers.items() if value]) > 1:
        raise Misconfigured(f"{' and '.join(named)} name a server each; give one of them")
    if given.har:
        if not given.har.is_file():
            raise Misconfigured(f"--har {given.har}: there is no such file")
        if given.allow_exec is not None:
            raise Misconfigured("--allow-exec starts commands, but --har sends nothing; omit one of the two")
        base_url = given.base_url or "http://har.invalid"
        return Target.from_environment(base_url, os.environ, kind="har", profile=given.profile)
    if given.app:
        from hostup_conformance.servers import application

        url = ELSEWHERE if given.elsewhere else resources.enter_context(application.serve(given.app))
        target = Target.from_environment(url, os.environ, profile=given.profile)
        return replace(target, route=route_to(target, given, os.environ))
    if given.base_url:
        target = Target.from_environment(given.base_url, os.environ, profile=given.profile, plain_http=given.plain_http)
        return replace(target, route=route_to(target, given, os.environ))
    if given.backend == "qemu-ga":
        return agent_target(given, resources)
    from hostup_conformance.servers.mock import Mock, serve

    mock = Mock()
    url = ELSEWHERE if given.elsewhere else resources.enter_context(serve(mock.app))
    return Target.from_environment(url, mock.environment(), kind="mock", profile=given.profile)


def route_to(target: Target, given: Given, environ: Mapping[str, str]) -> Route:
    """Return how a server is reached, apart from its address; raise `Misconfigured` for what cannot be used."""
    ca, named_by = ca_from(environ, given.ca_file)
    certificate, key = split_certificate(given.client_cert) if given.client_cert else (None, None)
    route = Route(
        fields=tuple((name, field_value(name, environ)) for name in given.headers),
        ca=ca,
        ca_named_by=named_by,
        certificate=certificate,
        key=key,
        proxy=proxy_for(target.base_url, loopback=target.is_loopback),
    )
    route.context()  # what it complains of is told before anything is sent
    return route


def field_value(name: str, environ: Mapping[str, str]) -> str:
    """Return the value of a header field; raise `Misconfigured`, without showing it, where it cannot be sent."""
    if not FIELD_NAME.fullmatch(name):
        raise Misconfigured(f"--header {shown(name)}: give the name of a header field alone; its value comes from the "
                            "environment, since a command line can be seen by others")  # fmt: skip
    if name.lower() in OUR_FIELDS:
        raise Misconfigured(f"--header {name}: the suite sets this header field itself; give another one")
    variable = header_variable(name)
    value = environ.get(variable, "").strip()
    if not value:
        raise Misconfigured(f"--header {name}: its value is missing; set {variable}")
    if not value.isascii() or not value.isprintable():
        raise Misconfigured(f"{variable} contains a control character or one outside ASCII; check it")
    return value


def split_certificate(text: str) -> tuple[Path, Path | None]:
    """Return the files of a client certificate and its key, the latter None where it is in the same file."""
    certificate, colon, key = text.rpartition(":")
    if not colon or Path(text).exists():
        return Path(text), None
    return Path(certificate), Path(key)


def agent_target(given: Given, resources: ExitStack) -> Target:
    """Return the target that is a real guest agent, started for this run; `Misconfigured` where it is not installed."""
    from hostup_conformance.servers.agent_server import serve
    from hostup_conformance.servers.supervisor import find_program

    find_program()
    if given.elsewhere:
        environment = {"HOSTUP_API_KEY": "unused", "HOSTUP_VPS_ID": "unused"}
        return Target.from_environment(ELSEWHERE, environment, profile=given.profile)
    served = resources.enter_context(serve())
    return Target.from_environment(served.base_url, served.environment, profile=given.profile)


def with_commands(target: Target, given: Given) -> Target:
    """Allow the start of commands if `--allow-exec` does; raise `Misconfigured` if it lacks the id of the VPS."""
    if given.allow_exec is None:
        return target
    if given.allow_exec != target.vps and (is_live(given, target) or given.allow_exec):
        raise Misconfigured(
            f"--allow-exec runs commands on a VPS; repeat the id of that VPS: --allow-exec={shown(target.vps)}"
        )
    return replace(target, allow_exec=True)


def is_live(given: Given, target: Target) -> bool:
    """Whether the server may belong to somebody: it is not on loopback, or `--live` says so."""
    return given.live or not target.is_loopback


def limits(given: Given, target: Target) -> Limits:
    """Return the bounds of a run; raise `Misconfigured` for bounds that make no sense."""
    if given.max_requests is not None and given.max_requests < 1:
        raise Misconfigured(f"--max-requests {given.max_requests}: give a number above 0")
    if not 0 < given.timeout_seconds <= 60:
        raise Misconfigured(f"--timeout-seconds {given.timeout_seconds:g}: give a number above 0 and at most 60")
    for name, value, most in (("rate", given.rate, 1000), ("max-seconds", given.max_seconds, 3600)):
        if value is not None and not 0 < value <= most:
            raise Misconfigured(f"--{name} {value:g}: give a number above 0 and at most {most}")
    if given.max_wait is not None and not 0 <= given.max_wait <= 3600:
        raise Misconfigured(f"--max-wait {given.max_wait:g}: give a number from 0 to 3600")
    budget = LIVE_REQUESTS + FOR_COMMANDS * (given.allow_exec is not None)
    requests = given.max_requests or (budget if is_live(given, target) else None)
    seconds = given.timeout_seconds
    default = Limits()
    # A longer run may also wait longer, and a longer wait needs a longer run.
    wait = default.waiting_seconds if given.max_wait is None else given.max_wait
    run_seconds = given.max_seconds or default.run_seconds + max(wait - default.waiting_seconds, 0.0)
    if given.max_seconds and given.max_wait is None:
        wait = max(wait, given.max_seconds)
    return replace(
        default,
        requests=requests,
        rate=given.rate,
        waiting_seconds=wait,
        run_seconds=run_seconds,
        request_seconds=seconds,
        next_seconds=min(seconds, default.next_seconds),
    )


def check_writable(file: Path) -> None:
    """Raise `Misconfigured` if a report or recording cannot be written, before anything is sent.

    It leaves nothing, since a run may end without a report, as a plan does.
    """
    made = [folder for folder in file.parents if not folder.exists()]
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=file.parent):
            pass
        if file.is_dir():
            raise IsADirectoryError(21, "a folder", str(file))
    except OSError as error:
        raise Misconfigured(f"{file} cannot be written ({error.strerror}); give another path") from None
    finally:
        for folder in made:
            with suppress(OSError):
                folder.rmdir()


def files(given: Given) -> Iterator[Path]:
    """Yield the files that every run writes."""
    yield given.report_dir / "report.json"
    if given.record:
        yield given.record
