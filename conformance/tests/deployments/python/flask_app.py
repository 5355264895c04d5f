"""Flask behind gunicorn: problems for what the documentation names, Flask's own pages for the rest."""

import os
import uuid
from datetime import UTC, datetime

from flask import Flask, g, jsonify, request
from werkzeug.exceptions import HTTPException

app = Flask(__name__)
SCOPES = {
    os.environ["HOSTUP_API_KEY"]: {"read:vm", "write:vm"},
    os.environ["HOSTUP_READ_API_KEY"]: {"read:vm"},
}
AGENTS = {
    os.environ["HOSTUP_VPS_ID"]: {"available": True, "reason": None, "vmRunning": True},
    os.environ["HOSTUP_UNAVAILABLE_VPS_ID"]: {
        "available": False,
        "reason": "QEMU Guest Agent is not running.",
        "vmRunning": True,
    },
}
COMMANDS = {
    (os.environ["HOSTUP_VPS_ID"], int(os.environ["HOSTUP_RUNNING_PID"])): {"exited": False},
    (os.environ["HOSTUP_VPS_ID"], int(os.environ["HOSTUP_FINISHED_PID"])): {
        "exited": True,
        "exitCode": 0,
        "stdout": "Linux web-1 6.1.0\n",
        "stderr": "",
    },
}
TITLES = {
    "invalid_request": "Invalid request",
    "unauthorized": "Unauthorized",
    "forbidden": "Forbidden",
    "not_found": "Not found",
    "internal_error": "Internal server error",
}


class Problem(Exception):
    def __init__(self, status, code, detail, **more):
        super().__init__(detail)
        self.status, self.code, self.detail, self.more = status, code, detail, more


@app.errorhandler(Problem)
def show_problem(problem):
    response = jsonify(
        type=f"https://developer.hostup.se/errors/{problem.code}",
        title=TITLES[problem.code],
        status=problem.status,
        detail=problem.detail,
        code=problem.code,
        instance=request.environ.get("RAW_URI", "/").partition("?")[0],
        requestId=f"req_{uuid.uuid4().hex}",
        timestamp=datetime.now(UTC).isoformat(timespec="milliseconds"),
        **problem.more,
    )
    response.status_code = problem.status
    response.content_type = "application/problem+json"
    if problem.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


@app.errorhandler(Exception)
def show_failure(error):
    if isinstance(error, HTTPException):
        return error
    app.logger.exception("unexpected")
    return show_problem(Problem(500, "internal_error", "An unexpected error occurred."))


@app.before_request
def authenticate():
    if request.url_rule is None:
        return
    auth = request.authorization
    g.scopes = SCOPES.get(auth.token) if auth and auth.type == "bearer" else None
    if g.scopes is None:
        raise Problem(401, "unauthorized", "Authentication is required.")


@app.get("/api/v2/vps/<id>/agent/exec")
def agent_exec(id):
    scope = "write:vm" if "pid" in request.args else "read:vm"
    if scope not in g.scopes:
        raise Problem(403, "forbidden", f"The API key lacks the scope {scope}.")
    if id not in AGENTS:
        raise Problem(404, "not_found", "The VPS could not be found.")
    if scope == "read:vm":
        return AGENTS[id]
    try:
        pid = int(request.args["pid"])
    except ValueError:
        item = {"pointer": "/pid", "detail": "`pid` must be an integer.", "code": "invalid_request"}
        raise Problem(400, "invalid_request", "The query failed validation.", errors=[item]) from None
    output = COMMANDS.get((id, pid))
    if output is None:
        raise Problem(404, "not_found", "The command could not be found.")
    if output["exited"] and request.method == "GET":
        del COMMANDS[id, pid]
    return output
