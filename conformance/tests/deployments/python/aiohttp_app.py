"""aiohttp.web: a middleware writes the problems, a second one checks the key; other errors are aiohttp's plain text."""

import os
import uuid
from datetime import UTC, datetime

from aiohttp import web

VPS, OFF = os.environ["HOSTUP_VPS_ID"], os.environ["HOSTUP_UNAVAILABLE_VPS_ID"]
KEYS = {os.environ["HOSTUP_API_KEY"]: "read:vm write:vm", os.environ["HOSTUP_READ_API_KEY"]: "read:vm"}
COMMANDS = {
    int(os.environ["HOSTUP_RUNNING_PID"]): {"exited": False, "stdout": "", "stderr": ""},
    int(os.environ["HOSTUP_FINISHED_PID"]): {"exited": True, "exitCode": 0, "stdout": "done\n", "stderr": ""},
}


class Problem(Exception):
    def __init__(self, status, code, title, detail, headers=None, errors=None):
        super().__init__(detail)
        self.status, self.code, self.title, self.detail = status, code, title, detail
        self.headers, self.errors = headers, errors


@web.middleware
async def problems(request, handler):
    try:
        return await handler(request)
    except web.HTTPException:
        raise
    except Problem as problem:
        error = problem
    except Exception:
        request.app.logger.exception("unexpected")
        error = Problem(500, "internal_error", "Internal server error", "An unexpected error occurred.")
    body = {
        "type": f"https://developer.hostup.se/errors/{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "code": error.code,
        "instance": request.rel_url.raw_path,
        "requestId": f"req_{uuid.uuid4().hex[:26]}",
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
    if error.errors:
        body["errors"] = error.errors
    return web.json_response(body, status=error.status, headers=error.headers, content_type="application/problem+json")


@web.middleware
async def authenticate(request, handler):
    if isinstance(request.match_info.http_exception, web.HTTPException):
        return await handler(request)
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.casefold() != "bearer" or key.strip() not in KEYS:
        raise Problem(
            401, "unauthorized", "Unauthorized", "Authentication is required.", {"WWW-Authenticate": "Bearer"}
        )
    request["scopes"] = KEYS[key.strip()].split()
    return await handler(request)


async def agent_exec(request):
    scope = "write:vm" if "pid" in request.query else "read:vm"
    if scope not in request["scopes"]:
        raise Problem(403, "forbidden", "Forbidden", f"The API key lacks the scope {scope}.")
    vps = request.match_info["id"]
    if vps not in (VPS, OFF):
        raise Problem(404, "not_found", "Not found", "The VPS could not be found.")
    if scope == "read:vm":
        on = vps == VPS
        return web.json_response(
            {"available": on, "reason": None if on else "Guest agent not responding", "vmRunning": True}
        )
    try:
        pid = int(request.query["pid"])
    except ValueError:
        errors = [{"pointer": "pid", "detail": "must be an integer", "code": "invalid_request"}]
        raise Problem(400, "invalid_request", "Invalid request", "Invalid query.", errors=errors) from None
    if vps != VPS or pid not in COMMANDS:
        raise Problem(404, "not_found", "Not found", "The command could not be found.")
    ended = COMMANDS[pid]["exited"] and request.method == "GET"
    return web.json_response(COMMANDS.pop(pid) if ended else COMMANDS[pid])


app = web.Application(middlewares=[problems, authenticate])
app.router.add_get("/api/v2/vps/{id}/agent/exec", agent_exec)

if __name__ == "__main__":
    web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), print=None)
