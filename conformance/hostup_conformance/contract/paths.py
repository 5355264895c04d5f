"""The paths of the operations, read from the OpenAPI document: a path is written there and nowhere else."""

from dataclasses import replace
from functools import cache
from typing import Any, Literal
from urllib.parse import quote

from hostup_conformance.contract.document import document
from hostup_conformance.http.messages import Request

#: Which path a request is for: the endpoint, the list of VPSs, the status of a VPS, or any other.
Resource = Literal["exec", "list", "status", "other"]


def path_with(operation_id: str) -> str:
    """Return the path of an operation of the document, a template (OpenAPI 3.1, section 4.8.8)."""
    paths: dict[str, dict[str, Any]] = document()["paths"]
    return next(
        path
        for path, item in paths.items()
        if any(operation["operationId"] == operation_id for operation in item.values())
    )


ENDPOINT = path_with("getAgentExec")
#: The path of the list, below which are the paths of each VPS.
VPSS = path_with("listVps")
#: The beginning of the path of every operation, in which a base URL must not end.
BEFORE_VPSS = VPSS.rpartition("/")[0]
PATHS: dict[Resource, str] = {"exec": ENDPOINT, "list": VPSS, "status": path_with("getVpsStatus")}
#: How a name begins that no VPS has.
NONE = "hostup-none-"
#: The greatest length of a command, in characters.
LONGEST_COMMAND: int = document()["components"]["schemas"]["CommandStart"]["properties"]["command"]["maxLength"]

#: The greatest number of bytes that the body of an error can need.
LARGEST_PROBLEM: int = document()["components"]["schemas"]["Problem"]["x-largest-body"]


def largest_success(resource: Resource, method: str, *, pid: bool) -> int:
    """Return the greatest number of bytes that the body of a 200 can need, with `pid` or without it."""
    if resource == "other":
        return LARGEST_PROBLEM
    largest: int | dict[str, int] = document()["paths"][PATHS[resource]][method]["responses"]["200"]["x-largest-body"]
    return largest if isinstance(largest, int) else largest["present" if pid else "absent"]


@cache
def parameter_names() -> frozenset[str]:
    """Return the names of the parameters in queries, in lower case."""
    operations = [operation for item in document()["paths"].values() for operation in item.values()]
    given = [
        *document()["components"]["parameters"].values(),
        *(p for o in operations for p in o.get("parameters", ())),
    ]
    return frozenset(one["name"].lower() for one in given if one.get("in") == "query")


def path_of(vps: str, resource: Resource = "exec") -> str:
    """Return the path of a resource of a VPS, whose id may be any text."""
    return PATHS[resource].replace("{id}", quote(vps, safe="", errors="surrogateescape"))


def below_prefix(request: Request) -> Request:
    """Return a request without the part of its path before that of the API."""
    return replace(request, target=request.target[max(request.path.find(VPSS), 0) :])


def resource_of(path: str) -> tuple[Resource, str | None]:
    """Return which resource a path belongs to, and the id in it, still encoded, or None if it has none."""
    for resource, template in PATHS.items():
        before, parameter, after = template.partition("{id}")
        if not parameter and path == template:
            return resource, None
        segment = path.removeprefix(before).removesuffix(after)
        if parameter and path == f"{before}{segment}{after}" and "/" not in segment:
            return resource, segment
    return "other", None
