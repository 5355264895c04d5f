"""Turns options and environment into the target and the limits of a run. It must not know how pytest runs anything."""

import os
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from errno import EEXIST, ENOTDIR
from pathlib import Path

from hostup_conformance.contract.ask import OVERRIDES
from hostup_conformance.contract.target import UNKNOWN_ADDRESS, Target, header_variable
from hostup_conformance.front.options import Options, split_certificate
from hostup_conformance.http.limits import LIVE_REQUESTS, REQUESTS, REQUESTS_FOR_A_LIMIT, Limits
from hostup_conformance.http.messages import FIELD_NAME
from hostup_conformance.http.route import Route, ca_from, host_in, is_one_of, proxy_for
from hostup_conformance.keeping.files import check_place, is_among, make_folder
from hostup_conformance.keeping.misconfigured import Misconfigured
from hostup_conformance.keeping.redact import redactor
from hostup_conformance.keeping.safe_text import shown, split_url
from hostup_conformance.keeping.shortage import shortage
from hostup_conformance.reports.files import is_strange, reports_in

#: The names of the header fields that the suite itself sets.
OUR_FIELDS = frozenset(
    {*("accept", "accept-encoding", "authorization", "connection", "content-length", "content-type", "expect", "host")}
    | {*("keep-alive", "prefer", "te", "trailer", "transfer-encoding", "upgrade", "user-agent")}
)


def target_of(options: Options, resources: ExitStack) -> Target:
    """Return the target that options and environment name, the embedded mock if they name none.

    Raise `Misconfigured` if something is missing, malformed or contradictory.
    """
    if options.base_url == "":
        raise Misconfigured("--base-url is empty; give the server's address, or omit the option to judge the mock")
    if len(named := [name for name, value in options.servers.items() if value]) > 1:
        raise Misconfigured(f"{' and '.join(named)} name a server each; give one of them")
    of_route = [name for name, value in options.of_route.items() if value]
    if of_route and (options.har or not (options.base_url or options.app)):
        raise Misconfigured(f"{of_route[0]} says how a server is reached; give its URL too, or omit the option")
    if options.har:
        if options.allow_exec is not None:
            raise Misconfigured("--allow-exec starts commands, but --har sends nothing; omit one of the two")
        if options.base_url:
            raise Misconfigured("--har judges a recording and sends nothing to the URL; give one of the two")
        return Target.from_environment(UNKNOWN_ADDRESS, os.environ, kind="har", profile=options.profile)
    if options.app:
        from hostup_conformance.front import application

        served = resources.enter_context(application.serve(options.app))
        environ = {**os.environ, **served.environment}
        target = Target.from_environment(served.base_url, environ, profile=options.profile)
        return replace(target, route=route_to(target, options, environ), name=options.app)
    if options.base_url:
        target = Target.from_environment(
            options.base_url, os.environ, profile=options.profile, plain_http=options.allow_plain_http
        )
        return replace(target, route=route_to(target, options, os.environ))
    if options.backend:
        return agent_target(options, resources)
    from hostup_conformance.mock.memory import Mock, serve

    mock = Mock()
    url = resources.enter_context(serve(mock.app))
    target = Target.from_environment(url, mock.environment(), kind="mock", profile=options.profile)
    return replace(target, name="the embedded mock")


def route_to(target: Target, options: Options, environ: Mapping[str, str]) -> Route:
    """Return how a server is reached, apart from its address; raise `Misconfigured` for options that cannot be used."""
    ca, named_by = ca_from(environ, options.ca_file)
    certificate, key = split_certificate(options.client_cert) if options.client_cert else (None, None)
    route = Route(
        fields=tuple((name, field_value(name, environ)) for name in options.header),
        ca=ca,
        ca_named_by=named_by,
        certificate=certificate,
        key=key,
        proxy=proxy_for(target.base_url, loopback=target.is_loopback),
    )
    if route.proxy and split_url(target.base_url).scheme == "http":
        proxy, host = host_in(route.proxy), host_in(target.base_url)
        if not is_one_of(proxy, options.allow_plain_http):
            raise Misconfigured(f"the proxy {proxy} would see the key, which is sent without TLS; name {host} in "
                                f"NO_PROXY, or give --allow-plain-http {proxy} too")  # fmt: skip
    for name, value in route.fields:
        if redactor(target.secrets).finds_in(value):
            raise Misconfigured(f"{header_variable(name)} has a key in it, which is sent in Authorization alone")
    _ = route.context  # raises before anything is sent
    return route


def field_value(name: str, environ: Mapping[str, str]) -> str:
    """Return the value of a header field; raise `Misconfigured`, without showing it, if it cannot be sent."""
    if not FIELD_NAME.fullmatch(name):
        raise Misconfigured(f"--header {shown(name)}: give the name of a header field alone; its value comes from the "
                            "environment, since a command line can be seen by others")  # fmt: skip
    if name.lower() in OUR_FIELDS:
        raise Misconfigured(f"--header {name}: the suite sets this header field itself; give another one")
    if name.lower() in OVERRIDES:
        raise Misconfigured(f"--header {name}: it would make each request one of another method; give another one")
    variable = header_variable(name)
    value = environ.get(variable, "").strip()
    if not value:
        raise Misconfigured(f"--header {name}: its value is missing; set {variable}")
    if not value.isascii() or not value.isprintable():
        raise Misconfigured(f"{variable} contains a control character or one outside ASCII; check it")
    return value


def agent_target(options: Options, resources: ExitStack) -> Target:
    """Return a server with a real guest agent, started for this run; raise `Misconfigured` if it is not installed."""
    from hostup_conformance.mock.agent_server import serve
    from hostup_conformance.mock.supervisor import find_program

    find_program()
    served = resources.enter_context(serve())
    return Target.from_environment(served.base_url, served.environment, profile=options.profile)


def with_commands(target: Target, options: Options) -> Target:
    """Allow commands to be started if `--allow-exec` does; raise `Misconfigured` if it lacks the id of the VPS."""
    if options.allow_exec is None:
        return target
    if options.allow_exec != target.vps and (target.is_live or options.allow_exec):
        raise Misconfigured(
            f"--allow-exec runs commands on a VPS; repeat the id of that VPS: --allow-exec={shown(target.vps)}"
        )
    return replace(target, allow_exec=True)


def limits(options: Options, target: Target) -> Limits:
    """Return the limits of a run."""
    budgets = LIVE_REQUESTS if target.is_live else REQUESTS
    requests = options.max_requests or budgets[options.allow_exec is not None]
    seconds = options.timeout_seconds
    default = Limits()
    # A longer run may also wait longer, and a longer wait needs a longer run.
    wait = default.waiting_seconds if options.max_wait is None else options.max_wait
    run_seconds = options.max_seconds or default.run_seconds + max(wait - default.waiting_seconds, 0.0)
    if options.max_seconds and options.max_wait is None:
        wait = max(wait, options.max_seconds)
    return replace(
        default,
        requests=requests,
        requests_for_a_limit=0 if options.max_requests or target.is_live else REQUESTS_FOR_A_LIMIT,
        rate=options.rate,
        waiting_seconds=wait,
        run_seconds=run_seconds,
        request_seconds=seconds,
        next_seconds=min(seconds, default.next_seconds),
    )


def check_outputs(report_dir: Path, record: Path | None, inputs: Mapping[str, Path]) -> None:
    """Raise `Misconfigured` if a run would write over what it reads or writes itself, or cannot write at all."""
    recorded = [record] if record else []
    reports = reports_in(report_dir)
    for name, file in inputs.items():
        if is_among(file, [*reports, *recorded]):
            raise Misconfigured(
                f"{name} {file} would be replaced by what the run writes; give another --report-dir or --record, or "
                "move it first"
            )
    if record and is_among(record, reports):
        raise Misconfigured(f"--record {record} is the name of a report too; give another")
    if record and record.absolute() in {report_dir.absolute(), *report_dir.absolute().parents}:
        raise Misconfigured(f"--record {record} is a folder of the reports; give the name of a file")
    for files, kind, option in ((reports, "report", "--report-dir"), (recorded, "recording", "--record")):
        for file in files:
            check_writable(file, option)
            if is_strange(file):
                raise Misconfigured(f"{file} is no {kind} of the suite, and would be replaced; give another {option}")


def check_writable(file: Path, option: str) -> None:
    """Raise `Misconfigured` if a report or recording cannot be written, so that this is known before anything is sent.

    New folders are removed again, since a run may end without a report, as with --plan.
    """
    made = [folder for folder in file.parents if not os.path.exists(folder)]
    try:
        make_folder(file.parent)
        with tempfile.TemporaryFile(dir=file.parent):
            pass
        check_place(file)
    except OSError as error:
        remedy = shortage(error) or f"give another {option}"
        in_file = error.strerror in {os.strerror(EEXIST), os.strerror(ENOTDIR)}
        why = f"{file.parent} is a file, or within one" if in_file else error.strerror
        raise Misconfigured(f"{file} cannot be written ({why}); {remedy}") from None
    finally:
        for folder in made:
            with suppress(OSError):
                folder.rmdir()
