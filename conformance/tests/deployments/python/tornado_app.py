"""Tornado: one handler; write_error makes the problems, also of what Tornado raises itself."""

import asyncio
import json
import os
import uuid
from datetime import UTC, datetime

import tornado.web

KEYS = {os.environ["HOSTUP_API_KEY"]: {"read:vm", "write:vm"}, os.environ["HOSTUP_READ_API_KEY"]: {"read:vm"}}
VPSS = {
    os.environ["HOSTUP_VPS_ID"]: {"available": True, "reason": None, "vmRunning": True},
    os.environ["HOSTUP_UNAVAILABLE_VPS_ID"]: {"available": False, "reason": "Agent missing", "vmRunning": True},
}
COMMANDS = {
    int(os.environ["HOSTUP_RUNNING_PID"]): {"exited": False},
    int(os.environ["HOSTUP_FINISHED_PID"]): {"exited": True, "exitCode": 0, "stdout": "ok\n", "stderr": ""},
}
PROBLEMS = {
    400: ("invalid_request", "Invalid request"),
    401: ("unauthorized", "Unauthorized"),
    403: ("forbidden", "Forbidden"),
    404: ("not_found", "Not found"),
    405: ("method_not_allowed", "Method not allowed"),
}


class BaseHandler(tornado.web.RequestHandler):
    errors = ()

    def write_error(self, status_code, **kwargs):
        code, title = PROBLEMS.get(status_code, ("internal_error", "Internal server error"))
        error = kwargs.get("exc_info", (None, None))[1]
        self.set_header("Content-Type", "application/problem+json")
        if status_code == 401:
            self.set_header("WWW-Authenticate", "Bearer")
        if status_code == 405:
            self.set_header("Allow", "GET")
        body = {
            "type": f"https://developer.hostup.se/errors/{code}",
            "title": title,
            "status": status_code,
            "detail": getattr(error, "log_message", None) or title,
            "code": code,
            "instance": self.request.path,
            "requestId": f"req_{uuid.uuid4().hex}",
            "timestamp": datetime.now(UTC).isoformat(),
        }
        if self.errors:
            body["errors"] = self.errors
        self.finish(json.dumps(body))


class AgentExecHandler(BaseHandler):
    def prepare(self):
        scheme, _, key = self.request.headers.get("Authorization", "").partition(" ")
        self.scopes = KEYS.get(key) if scheme.lower() == "bearer" else None
        if self.scopes is None:
            raise tornado.web.HTTPError(401, "Authentication is required.")

    def get(self, id):
        pid = self.get_argument("pid", None)
        scope = "read:vm" if pid is None else "write:vm"
        if scope not in self.scopes:
            raise tornado.web.HTTPError(403, "The key lacks a required scope.")
        if id not in VPSS:
            raise tornado.web.HTTPError(404, "There is no such VPS.")
        if pid is None:
            self.finish(VPSS[id])
            return
        try:
            number = int(pid)
        except ValueError:
            self.errors = [{"pointer": "/pid", "detail": "An integer is needed.", "code": "invalid_request"}]
            raise tornado.web.HTTPError(400, "The request failed validation.") from None
        if not VPSS[id]["available"] or number not in COMMANDS:
            raise tornado.web.HTTPError(404, "There is no such command.")
        self.finish(COMMANDS.pop(number) if COMMANDS[number]["exited"] else COMMANDS[number])


async def main():
    app = tornado.web.Application([(r"/api/v2/vps/([^/]+)/agent/exec", AgentExecHandler)], default_handler_class=None)
    app.listen(int(os.environ["PORT"]), "127.0.0.1")
    await asyncio.Event().wait()


asyncio.run(main())
