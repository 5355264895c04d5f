"""Django in one file, behind gunicorn, with DEBUG off: a view, a middleware for the key, Django's own 404 page."""

import os
import secrets

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponseNotAllowed, JsonResponse
from django.urls import path
from django.utils import timezone

settings.configure(
    DEBUG=False,
    SECRET_KEY=secrets.token_hex(),
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["*"],
    USE_TZ=True,
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
    ],
)
SCOPES = {
    os.environ["HOSTUP_API_KEY"]: ("read:vm", "write:vm"),
    os.environ["HOSTUP_READ_API_KEY"]: ("read:vm",),
}
VPSS = {
    os.environ["HOSTUP_VPS_ID"]: {
        "agent": {"available": True, "reason": None, "vmRunning": True},
        "commands": {
            os.environ["HOSTUP_RUNNING_PID"]: {"exited": False, "exitCode": None, "stdout": None, "stderr": None},
            os.environ["HOSTUP_FINISHED_PID"]: {"exited": True, "exitCode": 0, "stdout": "ok\n", "stderr": ""},
        },
    },
    os.environ["HOSTUP_UNAVAILABLE_VPS_ID"]: {
        "agent": {"available": False, "reason": "The VPS is not running.", "vmRunning": False},
        "commands": {},
    },
}


def problem(request, status, code, title, detail, **extra):
    body = {
        "type": "https://developer.hostup.se/errors/" + code,
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "instance": request.get_full_path().partition("?")[0],
        "requestId": "req_" + secrets.token_hex(13),
        "timestamp": timezone.now(),
        **extra,
    }
    headers = {"WWW-Authenticate": 'Bearer realm="api"'} if status == 401 else {}
    return JsonResponse(body, status=status, content_type="application/problem+json", headers=headers)


def agent_exec(request, id):
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    scopes = SCOPES.get(key.strip()) if scheme.lower() == "bearer" else None
    if scopes is None:
        return problem(request, 401, "unauthorized", "Unauthorized", "Authentication is required.")
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    pid = request.GET.get("pid")
    if ("read:vm" if pid is None else "write:vm") not in scopes:
        return problem(request, 403, "forbidden", "Forbidden", "The caller lacks a required scope.")
    vps = VPSS.get(id)
    if vps is None:
        return problem(request, 404, "not_found", "Not found", "The VPS could not be found.")
    if pid is None:
        return JsonResponse(vps["agent"])
    if not (pid.isascii() and pid.isdecimal()):
        errors = [{"pointer": "/pid", "detail": "A whole number is needed.", "code": "invalid_request"}]
        return problem(request, 400, "invalid_request", "Invalid request", "Validation failed.", errors=errors)
    output = vps["commands"].get(pid)
    if output is None:
        return problem(request, 404, "not_found", "Not found", "The command could not be found.")
    if output["exited"] and request.method == "GET":
        del vps["commands"][pid]
    return JsonResponse(output)


def server_error(request):
    return problem(request, 500, "internal_error", "Internal server error", "An unexpected error occurred.")


handler500 = server_error
urlpatterns = [path("api/v2/vps/<str:id>/agent/exec", agent_exec)]
application = get_wsgi_application()
