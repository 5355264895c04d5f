"""FastAPI on uvicorn: HTTPBearer, a response model for each shape, problems from exception handlers."""

import os
import uuid
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel

app = FastAPI()
KEYS = {os.environ["HOSTUP_API_KEY"]: {"read:vm", "write:vm"}, os.environ["HOSTUP_READ_API_KEY"]: {"read:vm"}}


class Availability(BaseModel):
    available: bool
    reason: str | None = None
    vmRunning: bool  # noqa: N815


class Output(BaseModel):
    exited: bool
    exitCode: int | None = None  # noqa: N815
    stdout: str | None = None
    stderr: str | None = None


AGENTS = {
    os.environ["HOSTUP_VPS_ID"]: Availability(available=True, vmRunning=True),
    os.environ["HOSTUP_UNAVAILABLE_VPS_ID"]: Availability(available=False, reason="Not installed", vmRunning=True),
}
OUTPUTS = {
    (os.environ["HOSTUP_VPS_ID"], int(os.environ["HOSTUP_RUNNING_PID"])): Output(exited=False),
    (os.environ["HOSTUP_VPS_ID"], int(os.environ["HOSTUP_FINISHED_PID"])): Output(
        exited=True, exitCode=0, stdout="hello\n"
    ),
}


class Problem(Exception):
    def __init__(self, status: int, code: str, detail: str, errors: list | None = None):
        self.status, self.code, self.detail, self.errors = status, code, detail, errors


@app.exception_handler(Problem)
def on_problem(request: Request, problem: Problem):
    body = {
        "type": f"https://developer.hostup.se/errors/{problem.code}",
        "title": problem.code.replace("_", " ").capitalize(),
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        "instance": request.url.path,
        "requestId": f"req_{uuid.uuid4()}",
        "timestamp": datetime.now(UTC).isoformat(),
    }
    if problem.errors is not None:
        body["errors"] = problem.errors
    headers = {"WWW-Authenticate": "Bearer"} if problem.status == 401 else None
    return JSONResponse(body, problem.status, headers, media_type="application/problem+json")


@app.exception_handler(RequestValidationError)
def on_invalid(request: Request, invalid: RequestValidationError):
    errors = [{"pointer": e["loc"][-1], "detail": e["msg"], "code": e["type"]} for e in invalid.errors()]
    return on_problem(request, Problem(400, "invalid_request", "The request failed validation.", errors))


def scopes(credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))]):
    if credentials is None or credentials.credentials not in KEYS:
        raise Problem(401, "unauthorized", "Authentication is required.")
    return KEYS[credentials.credentials]


@app.get("/api/v2/vps/{id}/agent/exec")
def agent_exec(id: str, granted: Annotated[set[str], Depends(scopes)], pid: int | None = None) -> Availability | Output:
    needed = "read:vm" if pid is None else "write:vm"
    if needed not in granted:
        raise Problem(403, "forbidden", f"The scope {needed} is required.")
    if id not in AGENTS:
        raise Problem(404, "not_found", "The VPS could not be found.")
    if pid is None:
        return AGENTS[id]
    if (id, pid) not in OUTPUTS:
        raise Problem(404, "not_found", "The command could not be found.")
    return OUTPUTS.pop((id, pid)) if OUTPUTS[id, pid].exited else OUTPUTS[id, pid]
