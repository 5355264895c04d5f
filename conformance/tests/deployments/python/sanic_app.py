"""Sanic: a blueprint-sized app with an exception handler; Sanic's own JSON for what it refuses itself."""

import os
import uuid
from datetime import UTC, datetime

from sanic import Sanic, json
from sanic.exceptions import SanicException

KEYS = {os.environ["HOSTUP_API_KEY"]: {"read:vm", "write:vm"}, os.environ["HOSTUP_READ_API_KEY"]: {"read:vm"}}
OWN, OFF = os.environ["HOSTUP_VPS_ID"], os.environ["HOSTUP_UNAVAILABLE_VPS_ID"]
COMMANDS = {
    int(os.environ["HOSTUP_RUNNING_PID"]): {"exited": False},
    int(os.environ["HOSTUP_FINISHED_PID"]): {"exited": True, "exitCode": 0, "stdout": "x\n", "stderr": ""},
}
app = Sanic("agent")
app.config.FALLBACK_ERROR_FORMAT = "json"
app.config.MOTD = False


class Problem(SanicException):
    def __init__(self, status, code, title, detail, **more):
        super().__init__(detail, status_code=status)
        self.code, self.title, self.more = code, title, more


@app.exception(Problem)
async def show(request, error):
    body = {
        "type": "https://developer.hostup.se/errors/" + error.code,
        "title": error.title,
        "status": error.status_code,
        "detail": str(error),
        "code": error.code,
        "instance": request.path,
        "requestId": "req_" + uuid.uuid4().hex,
        "timestamp": datetime.now(UTC).isoformat(),
        **error.more,
    }
    headers = {"WWW-Authenticate": "Bearer"} if error.status_code == 401 else {}
    return json(body, error.status_code, headers, content_type="application/problem+json")


@app.get("/api/v2/vps/<id:str>/agent/exec")
async def agent_exec(request, id):
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or key not in KEYS:
        raise Problem(401, "unauthorized", "Unauthorized", "Authentication is required.")
    pid = request.get_args(keep_blank_values=True).get("pid")
    if ("read:vm" if pid is None else "write:vm") not in KEYS[key]:
        raise Problem(403, "forbidden", "Forbidden", "The key lacks a scope.")
    if id not in (OWN, OFF):
        raise Problem(404, "not_found", "Not found", "No such VPS.")
    if pid is None:
        return json({"available": id == OWN, "reason": None if id == OWN else "off", "vmRunning": id == OWN})
    try:
        number = int(pid)
    except ValueError:
        item = {"pointer": "/pid", "detail": "Not an integer.", "code": "invalid_request"}
        raise Problem(400, "invalid_request", "Invalid request", "No integer.", errors=[item]) from None
    if id == OFF or number not in COMMANDS:
        raise Problem(404, "not_found", "Not found", "No such command.")
    return json(COMMANDS.pop(number) if COMMANDS[number]["exited"] else COMMANDS[number])


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), single_process=True, access_log=False)
