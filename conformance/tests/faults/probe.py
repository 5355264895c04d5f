"""Faults of the availability probe."""

from hostup_conformance.mock import UNAVAILABLE_VPS_ID
from stage import Request, Response

from faults import trips


@trips("PROBE-01")
def conflict_without_pid(request: Request, response: Response) -> None:
    """A probe gets 409, as if the VPS were not ready."""
    if response.is_availability and request.full and request.own:
        refuse(request, response, 409, "vps_not_ready", "VPS not ready")


def problem(request: Request, status: int, code: str, title: str) -> dict[str, object]:
    """Return a sound problem document."""
    return {
        "type": "https://developer.hostup.se/errors/" + code,
        "title": title,
        "status": status,
        "detail": "Something is the matter.",
        "code": code,
        "instance": request.path,
        "requestId": f"req_{request.nth('problems'):026}",
        "timestamp": now(),
    }


def refuse(request: Request, response: Response, status: int, code: str, title: str) -> None:
    """Refuse in another way, with a sound problem; the fields of a 429 of the mock, which ask to wait, go with it."""
    response.status = status
    if status != 429:
        limits = ("retry-after", "x-ratelimit-")
        response.headers = [pair for pair in response.headers if not pair[0].lower().startswith(limits)]
    response.json = problem(request, status, code, title)


def start_instead(request: Request, response: Response) -> None:
    """Respond as if a command had been started."""
    response.become(200, {"pid": 77, "pollUrl": f"{request.path}?pid=77"})


def now() -> str:
    """Return this moment as the provider writes it."""
    from datetime import UTC, datetime

    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@trips("PROBE-02")
def availability_in_an_envelope(_request: Request, response: Response) -> None:
    """The availability is in an envelope, as in the older API."""
    if response.is_availability:
        response.json = {"success": True, "data": response.json}


@trips("PROBE-02")
def availability_in_a_list(_request: Request, response: Response) -> None:
    """The availability is the only item of an array."""
    if response.is_availability:
        response.json = [response.json]


@trips("PROBE-02")
def availability_is_null(_request: Request, response: Response) -> None:
    """The body is null."""
    if response.is_availability:
        response.json = None


@trips("PROBE-03")
def available_is_text(_request: Request, response: Response) -> None:
    """available is the string "true"."""
    if response.is_availability:
        response.change(available=str(response.json["available"]).lower())


@trips("PROBE-03")
def available_is_a_number(_request: Request, response: Response) -> None:
    """available is 1 or 0, as in a database column."""
    if response.is_availability:
        response.change(available=int(response.json["available"]))


@trips("PROBE-03")
def vm_running_is_a_power_state(_request: Request, response: Response) -> None:
    """vmRunning is the name of a power state."""
    if response.is_availability:
        response.change(vmRunning="running")


@trips("PROBE-03")
def reason_is_false(_request: Request, response: Response) -> None:
    """reason is false if there is none."""
    if response.is_availability and response.json["reason"] is None:
        response.change(reason=False)


@trips("PROBE-03")
def reason_is_an_object(request: Request, response: Response) -> None:
    """reason, where there is one, is an object."""
    if response.is_availability and request.vps == UNAVAILABLE_VPS_ID:
        response.change(reason={"code": 7, "text": response.json["reason"]})


@trips("PROBE-03")
def one_stale_replica(request: Request, response: Response) -> None:
    """Every third probe reaches an old version, whose available is a string."""
    if response.is_availability and request.nth() % 3 == 0:
        response.change(available="true")


@trips("PROBE-04")
def output_beside_availability(_request: Request, response: Response) -> None:
    """The availability also has the members of command output, from a struct whose members are never null."""
    if response.is_availability:
        response.change(exited=False, exitCode=0, stdout="")


@trips("PROBE-04")
def empty_pid_is_the_last_command(request: Request, response: Response) -> None:
    """An empty pid gets the output of the last command, whoever started it."""
    if request.full and request.own and request.pid == "":
        response.become(200, {"pid": 4242, "exited": True, "exitCode": 0, "stdout": "done", "stderr": ""})


@trips("PROBE-05")
def never_available(request: Request, response: Response) -> None:
    """The agent is always said to be unavailable."""
    if response.is_availability and request.own:
        response.change(available=False, reason="Not installed.")


@trips("PROBE-02")
def availability_is_empty(_request: Request, response: Response) -> None:
    """A probe gets an empty object."""
    if response.is_availability:
        response.json = {}


@trips("PROBE-06")
def availability_is_left_out(_request: Request, response: Response) -> None:
    """A probe gets what is not the action gate alone."""
    if response.is_availability:
        response.drop("available")


@trips("PROBE-07")
def always_available(request: Request, response: Response) -> None:
    """The VPS without an agent is available too."""
    if response.is_availability and request.vps == UNAVAILABLE_VPS_ID:
        response.change(available=True, reason=None)


@trips("PROBE-08")
def no_reason(request: Request, response: Response) -> None:
    """The unavailable agent has no reason."""
    if response.is_availability and request.vps == UNAVAILABLE_VPS_ID:
        response.change(reason=None)


@trips("PROBE-12")
def unavailable_is_an_error(request: Request, response: Response) -> None:
    """A probe of the VPS without an agent gets 409."""
    if response.is_availability and request.vps == UNAVAILABLE_VPS_ID:
        refuse(request, response, 409, "vps_not_ready", "VPS not ready")


@trips("PROBE-09")
def a_reason_although_available(request: Request, response: Response) -> None:
    """available is true, and the reason is the word null."""
    if response.is_availability and request.own:
        response.change(reason="null")


@trips("PROBE-09")
def available_in_a_vm_that_is_off(request: Request, response: Response) -> None:
    """available is true although the VM does not run."""
    if response.is_availability and request.own:
        response.change(vmRunning=False)


@trips("PROBE-10")
def vm_running_in_snake_case(_request: Request, response: Response) -> None:
    """vmRunning is spelled vm_running."""
    if response.is_availability:
        response.rename(vmRunning="vm_running")


@trips("PROBE-10")
def availability_in_pascal_case(_request: Request, response: Response) -> None:
    """The members are VmRunning and Reason, the default of some serializers."""
    if response.is_availability:
        response.rename(vmRunning="VmRunning", reason="Reason")


@trips("PROBE-10")
def availability_is_a_question(_request: Request, response: Response) -> None:
    """available is spelled isAvailable, as some name their booleans."""
    if response.is_availability:
        response.rename(available="isAvailable")


@trips("PROBE-11")
def availability_flaps(request: Request, response: Response) -> None:
    """The unavailable agent becomes available at its second probe, but keeps its reason."""
    if response.is_availability and request.vps == UNAVAILABLE_VPS_ID and request.nth("unavailable") == 2:
        response.drop("available")


@trips("PROBE-08")
def unavailable_is_an_error_in_a_success(_request: Request, response: Response) -> None:
    """A probe of the VPS without an agent gets 200 with an error in the body."""
    if response.is_availability and not response.json["available"]:
        response.json = {"error": response.json["reason"]}


@trips("PROBE-05", starts=True)
def a_running_command_makes_the_agent_unavailable(request: Request, response: Response) -> None:
    """While a command runs, and one does for a minute, the agent is said not to be available."""
    if response.is_started and b"sleep 60" in request.body:
        request.memory["runs"] = True
    if response.is_availability and request.own and request.memory.get("runs"):
        response.change(available=False)
