"""Falcon behind waitress: a resource class, an error serializer; what Falcon raises itself keeps its own form."""

import os
import secrets
from datetime import UTC, datetime

import falcon

CODES = {400: "invalid_request", 401: "unauthorized", 403: "forbidden", 404: "not_found", 500: "internal_error"}
KEYS = {os.environ["HOSTUP_API_KEY"]: ["read:vm", "write:vm"], os.environ["HOSTUP_READ_API_KEY"]: ["read:vm"]}


class Authentication:
    def process_resource(self, req, *_):
        scheme, _, key = (req.auth or "").partition(" ")
        if scheme.lower() != "bearer" or key not in KEYS:
            raise falcon.HTTPUnauthorized(description="Authentication is required.", challenges=["Bearer"])
        req.context.scopes = KEYS[key]


class AgentExec:
    def __init__(self):
        self.agents = {
            os.environ["HOSTUP_VPS_ID"]: {"available": True, "reason": None, "vmRunning": True},
            os.environ["HOSTUP_UNAVAILABLE_VPS_ID"]: {"available": False, "reason": "Stopped", "vmRunning": False},
        }
        vps = os.environ["HOSTUP_VPS_ID"]
        self.commands = {
            (vps, int(os.environ["HOSTUP_RUNNING_PID"])): {"exited": False},
            (vps, int(os.environ["HOSTUP_FINISHED_PID"])): {"exited": True, "exitCode": 0, "stdout": "1\n"},
        }

    def on_get(self, req, resp, id):
        scope = "write:vm" if req.has_param("pid") else "read:vm"
        if scope not in req.context.scopes:
            raise falcon.HTTPForbidden(description=f"The scope {scope} is required.")
        pid = req.get_param_as_int("pid")
        if id not in self.agents:
            raise falcon.HTTPNotFound(description="The VPS could not be found.")
        if pid is None:
            resp.media = self.agents[id]
        elif (id, pid) in self.commands:
            resp.media = self.commands[id, pid]
            if resp.media["exited"]:
                del self.commands[id, pid]
        else:
            raise falcon.HTTPNotFound(description="The command could not be found.")


def serialize(req, resp, error):
    code = CODES.get(error.status_code, "invalid_request")
    resp.content_type = "application/problem+json"
    resp.media = {
        "type": "https://developer.hostup.se/errors/" + code,
        "title": code.replace("_", " ").capitalize(),
        "status": error.status_code,
        "detail": error.description or error.title,
        "code": code,
        "instance": req.env.get("REQUEST_URI", req.path).partition("?")[0],
        "requestId": "req_" + secrets.token_hex(13),
        "timestamp": datetime.now(UTC).isoformat(),
    }
    if error.status_code == 400:
        resp.media["errors"] = [{"pointer": "/pid", "detail": error.description or "", "code": code}]


app = falcon.App(middleware=[Authentication()], media_type=falcon.MEDIA_JSON)
app.set_error_serializer(serialize)
app.resp_options.media_handlers["application/problem+json"] = falcon.media.JSONHandler()
app.req_options.keep_blank_qs_values = True
app.add_route("/api/v2/vps/{id}/agent/exec", AgentExec())
