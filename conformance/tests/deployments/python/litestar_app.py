"""Litestar on uvicorn: typed handler, dependency for the key, its own errors turned into problems."""

import os
import uuid
from datetime import UTC, datetime

from litestar import Litestar, MediaType, Request, Response, get
from litestar.exceptions import (
    HTTPException,
    NotAuthorizedException,
    NotFoundException,
    PermissionDeniedException,
    ValidationException,
)

OWN, OTHER = os.environ["HOSTUP_VPS_ID"], os.environ["HOSTUP_UNAVAILABLE_VPS_ID"]
KEYS = {os.environ["HOSTUP_API_KEY"]: {"read:vm", "write:vm"}, os.environ["HOSTUP_READ_API_KEY"]: {"read:vm"}}
AGENTS = {
    OWN: {"available": True, "reason": None, "vmRunning": True},
    OTHER: {"available": False, "reason": "No guest agent", "vmRunning": True},
}
COMMANDS = {
    int(os.environ["HOSTUP_RUNNING_PID"]): {"exited": False},
    int(os.environ["HOSTUP_FINISHED_PID"]): {"exited": True, "exitCode": 2, "stdout": "", "stderr": "no such file\n"},
}
CODES = {
    400: ("invalid_request", "Invalid request"),
    401: ("unauthorized", "Unauthorized"),
    403: ("forbidden", "Forbidden"),
    404: ("not_found", "Not found"),
    500: ("internal_error", "Internal server error"),
}


def problem(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    code, title = CODES.get(status, ("invalid_request", "Invalid request"))
    body = {
        "type": f"https://developer.hostup.se/errors/{code}",
        "title": title,
        "status": status,
        "detail": error.detail if isinstance(error, HTTPException) else "An unexpected error occurred.",
        "code": code,
        "instance": request.scope["raw_path"].decode(),
        "requestId": f"req_{uuid.uuid4()}",
        "timestamp": datetime.now(UTC).isoformat(),
    }
    if status == 400:
        extra = error.extra if isinstance(error, HTTPException) and isinstance(error.extra, list) else []
        body["errors"] = [
            {"pointer": f"/{item.get('key', '')}", "detail": item.get("message", ""), "code": code} for item in extra
        ]
    return Response(
        body,
        status_code=status,
        media_type="application/problem+json" if status != 405 else MediaType.JSON,
        headers={
            **(getattr(error, "headers", None) or {}),
            **({"WWW-Authenticate": "Bearer"} if status == 401 else {}),
        },
    )


def scopes(request: Request) -> set[str]:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or key not in KEYS:
        raise NotAuthorizedException("Authentication is required.")
    return KEYS[key]


@get("/api/v2/vps/{vps_id:str}/agent/exec", sync_to_thread=False)
def agent_exec(request: Request, vps_id: str, pid: int | None = None) -> dict:
    allowed = scopes(request)
    if pid is None and "pid" in request.query_params:  # Litestar takes `null` and the like for None
        raise ValidationException("Validation failed", extra=[{"key": "pid", "message": "an integer is needed"}])
    scope = "read:vm" if pid is None else "write:vm"
    if scope not in allowed:
        raise PermissionDeniedException(f"The scope {scope} is required.")
    if vps_id not in AGENTS:
        raise NotFoundException("The VPS could not be found.")
    if pid is None:
        return AGENTS[vps_id]
    if vps_id != OWN or pid not in COMMANDS:
        raise NotFoundException("The command could not be found.")
    return COMMANDS.pop(pid) if COMMANDS[pid]["exited"] else COMMANDS[pid]


app = Litestar([agent_exec], exception_handlers={HTTPException: problem, Exception: problem}, openapi_config=None)
