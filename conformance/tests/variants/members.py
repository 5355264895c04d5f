"""Variants of the members of bodies."""

from datetime import UTC, datetime, timedelta

from hostup_conformance.contract.paths import VPSS
from hostup_conformance.mock import UNAVAILABLE_VPS_ID
from stage import Request, Response

from variants import allowed, is_ended


@allowed()
def available_alone(_request: Request, response: Response) -> None:
    """The availability has no reason and no vmRunning if the agent is available."""
    if response.is_availability and response.json["available"]:
        response.drop("reason", "vmRunning")


@allowed()
def vm_state_is_unsaid(_request: Request, response: Response) -> None:
    """There is no vmRunning."""
    if response.is_availability:
        response.drop("vmRunning")


@allowed()
def vm_is_off(request: Request, response: Response) -> None:
    """The VPS without an agent is stopped."""
    if response.is_availability and request.vps == UNAVAILABLE_VPS_ID:
        response.change(vmRunning=False, reason="Servern är avstängd.")
    if response.status == 200 and request.path == f"{VPSS}/{UNAVAILABLE_VPS_ID}/status":
        response.change(powerState="stopped", uptimeSeconds=0)
    elif response.status == 200 and request.path == VPSS:
        stopped = {UNAVAILABLE_VPS_ID: {"powerState": "stopped"}}
        response.change(data=[{**item, **stopped.get(item["id"], {})} for item in response.json["data"]])


@allowed()
def more_members(_request: Request, response: Response) -> None:
    """Every body has undocumented members."""
    if isinstance(response.json, dict):
        response.change(agentVersion="8.2.0", _links={"self": {"href": "/"}}, tags=[1, None, {"a": []}])


@allowed()
def state_and_nothing_else(_request: Request, response: Response) -> None:
    """For a running command, exited is false and everything else null."""
    if response.is_output and not response.json["exited"]:
        response.change(exitCode=None, stdout=None, stderr=None)


@allowed()
def empty_streams(_request: Request, response: Response) -> None:
    """A running command has empty streams."""
    if response.is_output and not response.json["exited"]:
        response.change(stdout="", stderr="")


@allowed()
def output_names_its_pid(request: Request, response: Response) -> None:
    """The output has the pid, and how long the command took."""
    if response.is_output and request.pid:
        response.change(pid=int(request.pid), durationMs=12.5, truncated=False)


@allowed()
def no_stderr(_request: Request, response: Response) -> None:
    """An empty stream is absent."""
    if is_ended(response):
        response.drop("stderr")


@allowed()
def problem_with_extensions(_request: Request, response: Response) -> None:
    """Problems have extensions, and an empty errors."""
    if response.is_problem:
        response.change(extensions={"help": "https://developer.hostup.se/"}, errors=response.json.get("errors", []))


@allowed()
def parameter_by_its_bare_name(_request: Request, response: Response) -> None:
    """The pointers of errors are bare names, or in fragment form."""
    if response.is_problem and "errors" in response.json:
        item = {"detail": "It has the wrong form.", "code": "invalid_request"}
        response.change(errors=[{"pointer": "pid", **item}, {"pointer": "#/query/pid", **item}])


@allowed()
def problem_without_decoration(_request: Request, response: Response) -> None:
    """instance is an absolute URI, and requestId a UUID."""
    if response.is_problem:
        request_id = response.json["requestId"]
        response.change(instance=f"urn:uuid:{request_id[4:12]}", requestId=f"{request_id[4:]}-4")


@allowed(warns={"PROBLEM-04"})
def smallest_problem(_request: Request, response: Response) -> None:
    """Problems have only type, code, detail and errors."""
    if response.is_problem:
        response.drop("title", "status", "instance", "requestId", "timestamp")


@allowed()
def titles_in_swedish(_request: Request, response: Response) -> None:
    """Titles and details are in Swedish."""
    if response.is_problem:
        words = {400: "Ogiltig förfrågan", 401: "Ej inloggad", 403: "Ej tillåtet", 404: "Finns inte"}
        response.change(title=words.get(response.status, f"Fel {response.status}"), detail="Något gick fel. 请重试")


@allowed()
def other_codes(_request: Request, response: Response) -> None:
    """The error reference's other codes: vps_not_found, rate_limited."""
    codes = {404: ("vps_not_found", "VPS not found"), 429: ("rate_limited", "Rate limited")}
    if response.is_problem and response.status in codes:
        code, title = codes[response.status]
        response.change(code=code, title=title, type="https://developer.hostup.se/errors/" + code)


@allowed()
def timestamps_with_offset(_request: Request, response: Response) -> None:
    """Timestamps end in +00:00, with microseconds."""
    if response.is_problem:
        response.change(timestamp=datetime.now(UTC).isoformat(timespec="microseconds"))


@allowed()
def timestamps_of_stockholm(_request: Request, response: Response) -> None:
    """Timestamps are in another time zone, without a fraction."""
    if response.is_problem:
        moment = datetime.now(UTC) + timedelta(hours=2)
        response.change(timestamp=moment.isoformat(timespec="seconds").replace("+00:00", "+02:00"))


@allowed()
def absent_extensions_are_null(_request: Request, response: Response) -> None:
    """extensions is null if there are none."""
    if response.is_problem:
        response.change(extensions=None)


@allowed()
def one_type_for_both_bodies(_request: Request, response: Response) -> None:
    """One type serves both responses, and what is not in use of it comes as null."""
    if response.is_availability:
        response.change(pid=None, exited=None, exitCode=None, stdout=None, stderr=None)
    elif response.is_output:
        response.change(available=None, reason=None, vmRunning=None)
