"""The endpoint in FastAPI, written from its page alone: a target that nobody tuned for the suite.

    python fastapi_server.py --port 0

The first line on stdout is JSON: the base URL, and the environment that the suite needs to judge this server. Polls are
repeatable (a finished command is not forgotten), and `Prefer` is ignored.
"""

from __future__ import annotations

import argparse
import json
import socket
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import quote

import uvicorn
from fastapi import Depends, FastAPI, Request
from fastapi.exception_handlers import http_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel
from starlette.exceptions import HTTPException


class Body(BaseModel):
    """A JSON body with camelCase names; members that were not set are left out."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Availability(Body):
    """The response without `pid`."""

    available: bool
    reason: str | None = None
    vm_running: bool


class CommandOutput(Body):
    """The response with `pid`."""

    exited: bool
    exit_code: int | None = None
    stdout: str = ""
    stderr: str = ""


@dataclass(frozen=True)
class Vps:
    """A VPS: its owner, its agent, and the commands that were started on it."""

    account: str
    agent: Availability
    commands: dict[int, CommandOutput]


@dataclass(frozen=True)
class Caller:
    """Who an API key stands for, and what it may do."""

    account: str
    scopes: frozenset[str]


KEYS = {
    "fastapi-key-read-write": Caller("alice", frozenset({"read:vm", "write:vm"})),
    "fastapi-key-read": Caller("alice", frozenset({"read:vm"})),
}
READY = Availability(available=True, reason=None, vm_running=True)
STOPPED = Availability(available=False, reason="The VPS is stopped.", vm_running=False)
COMMANDS = {
    2001: CommandOutput(exited=True, exit_code=0, stdout="Linux web 6.1.0-28-amd64\n", stderr=""),
    2002: CommandOutput(exited=False),
}
FLEET = {
    "vps_01k2fastapi000000000ready": Vps("alice", READY, COMMANDS),
    "vps_01k2fastapi0000000stopped": Vps("alice", STOPPED, {}),
    "vps_01k2fastapi0000000foreign": Vps("bob", READY, {}),
}
ENV = {
    "HOSTUP_API_KEY": "fastapi-key-read-write",
    "HOSTUP_READ_API_KEY": "fastapi-key-read",
    "HOSTUP_VPS_ID": "vps_01k2fastapi000000000ready",
    "HOSTUP_UNAVAILABLE_VPS_ID": "vps_01k2fastapi0000000stopped",
    "HOSTUP_FOREIGN_VPS_ID": "vps_01k2fastapi0000000foreign",
    "HOSTUP_FINISHED_PID": "2001",
    "HOSTUP_RUNNING_PID": "2002",
}


@dataclass
class Refused(Exception):
    """A request that gets a problem document."""

    status: int
    code: str
    detail: str
    headers: dict[str, str] | None = None


def problem(request: Request, refused: Refused, errors: list[dict[str, str]] | None = None) -> JSONResponse:
    """Write the problem document of a refusal."""
    document: dict[str, Any] = {
        "type": f"https://developer.hostup.se/errors/{refused.code}",
        "title": refused.code.replace("_", " ").capitalize(),
        "status": refused.status,
        "detail": refused.detail,
        "code": refused.code,
        "instance": quote(request.scope["path"]),
        "requestId": f"req_{uuid.uuid4().hex}",
        "timestamp": datetime.now(UTC).isoformat(),
    }
    if errors is not None:
        document["errors"] = errors
    return JSONResponse(document, refused.status, refused.headers, media_type="application/problem+json")


app = FastAPI(title="VPS guest-agent commands")


@app.exception_handler(Refused)
async def on_refused(request: Request, refused: Refused) -> Response:
    """Respond to a refusal."""
    return problem(request, refused)


@app.exception_handler(RequestValidationError)
async def on_invalid(request: Request, invalid: RequestValidationError) -> Response:
    """Respond with 400, not FastAPI's 422, and name each parameter that is wrong."""
    errors = [
        {"pointer": "/" + "/".join(map(str, error["loc"][1:])), "detail": error["msg"], "code": "invalid_request"}
        for error in invalid.errors()
    ]
    return problem(request, Refused(400, "invalid_request", "The request failed validation."), errors)


@app.exception_handler(HTTPException)
async def on_http_exception(request: Request, exception: HTTPException) -> Response:
    """Respond to an unknown path with a problem document; leave the rest (405) to the framework."""
    if exception.status_code == 404:
        return problem(request, Refused(404, "not_found", "There is nothing at this path."))
    return await http_exception_handler(request, exception)


@app.exception_handler(Exception)
async def on_exception(request: Request, _: Exception) -> Response:
    """Respond with 500 without saying what went wrong inside."""
    return problem(request, Refused(500, "internal_error", "An unexpected error occurred."))


Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))]


async def authenticate(credentials: Credentials) -> Caller:
    """Turn the bearer key into its caller."""
    caller = KEYS.get(credentials.credentials) if credentials else None
    if caller is None:
        raise Refused(401, "unauthorized", "Authentication is required.", {"WWW-Authenticate": "Bearer"})
    return caller


@app.get("/api/v2/vps/{id}/agent/exec", response_model_exclude_unset=True)
async def agent_exec(
    id: str, caller: Annotated[Caller, Depends(authenticate)], pid: int | None = None
) -> Availability | CommandOutput:
    """Without `pid`: can commands be run? With `pid`: the output of the command so far."""
    scope = "read:vm" if pid is None else "write:vm"
    if scope not in caller.scopes:
        raise Refused(403, "forbidden", f"The scope {scope} is required.")
    vps = FLEET.get(id)
    if vps is None or vps.account != caller.account:
        raise Refused(404, "not_found", "There is no such VPS.")
    if pid is None:
        return vps.agent
    if pid not in vps.commands:
        raise Refused(404, "not_found", "There is no such command.")
    return vps.commands[pid]


def main() -> None:
    """Take a port, print where and how to be judged, and serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 lets the system choose")
    listener = socket.create_server(("127.0.0.1", parser.parse_args().port))
    print(json.dumps({"base_url": f"http://127.0.0.1:{listener.getsockname()[1]}", "env": ENV}), flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])


if __name__ == "__main__":
    main()
