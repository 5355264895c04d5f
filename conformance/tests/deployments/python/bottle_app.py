"""Bottle on its own server (wsgiref): problems by hand, Bottle's own pages for the rest."""

import json
import os
import uuid
from datetime import UTC, datetime

import bottle
from bottle import HTTPResponse, request

KEYS = {os.environ["HOSTUP_API_KEY"]: ("read:vm", "write:vm"), os.environ["HOSTUP_READ_API_KEY"]: ("read:vm",)}
OWN, OFF = os.environ["HOSTUP_VPS_ID"], os.environ["HOSTUP_UNAVAILABLE_VPS_ID"]
COMMANDS = {
    os.environ["HOSTUP_RUNNING_PID"]: {"exited": False},
    os.environ["HOSTUP_FINISHED_PID"]: {"exited": True, "exitCode": 0, "stdout": "x\n", "stderr": ""},
}


def problem(status, code, title, detail, **more):
    body = {
        "type": "https://developer.hostup.se/errors/" + code,
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "instance": request.urlparts.path,
        "requestId": "req_" + uuid.uuid4().hex,
        "timestamp": datetime.now(UTC).isoformat(),
        **more,
    }
    response = HTTPResponse(json.dumps(body), status, {"Content-Type": "application/problem+json"})
    if status == 401:
        response.set_header("WWW-Authenticate", "Bearer")
    return response


@bottle.get("/api/v2/vps/<id>/agent/exec")
def agent_exec(id):
    scheme, _, key = request.get_header("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or key not in KEYS:
        raise problem(401, "unauthorized", "Unauthorized", "Authentication is required.")
    pid = request.query.get("pid")
    if ("read:vm" if pid is None else "write:vm") not in KEYS[key]:
        raise problem(403, "forbidden", "Forbidden", "The key lacks a scope.")
    if id not in (OWN, OFF):
        raise problem(404, "not_found", "Not found", "No such VPS.")
    if pid is None:
        return {"available": id == OWN, "reason": None if id == OWN else "off", "vmRunning": id == OWN}
    if not (pid.isascii() and pid.isdigit()):
        item = {"pointer": "/pid", "detail": "Not an integer.", "code": "invalid_request"}
        raise problem(400, "invalid_request", "Invalid request", "The pid is no integer.", errors=[item])
    if id == OFF or pid not in COMMANDS:
        raise problem(404, "not_found", "Not found", "No such command.")
    return COMMANDS.pop(pid) if COMMANDS[pid]["exited"] and request.method == "GET" else COMMANDS[pid]


if __name__ == "__main__":
    bottle.run(host="127.0.0.1", port=int(os.environ["PORT"]), quiet=True)
