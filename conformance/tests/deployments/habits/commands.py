"""Habits of the start of commands."""

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

from hostup_conformance.mock import UNAVAILABLE_VPS_ID
from stage import Request, Response

from deployments.habits import Next, Server, add, habit, refusal


@habit(starts=True)
async def sleep_is_blocked(_server: Server, request: Request, proceed: Next) -> Response:
    """Some commands are blocked for safety, sleep among them: 400."""
    if request.method == "POST" and b"sleep" in request.body and request.full:
        response = refusal(request, 400, "invalid_request", "Invalid request")
        response.change(errors=[{"pointer": "/command", "detail": "It is blocked.", "code": "invalid_request"}])
        return response
    return await proceed(request)


@habit(starts=True)
async def starts_take_a_second(_server: Server, request: Request, proceed: Next) -> Response:
    """The host needs 0.7 s to hand a command to the agent."""
    response = await proceed(request)
    if response.is_started:
        await asyncio.sleep(0.7)
    return response


@habit(starts=True)
async def gateway_and_starts(server: Server, request: Request, proceed: Next) -> Response:
    """A gateway adds its fields and a charset, compresses, and closes each fifth connection, starts included."""
    response = await proceed(request)
    content_type = next((value for name, value in response.headers if name.lower() == "content-type"), None)
    if content_type:
        response.header("Content-Type", f"{content_type}; charset=utf-8")
    add(response, Via="1.1 gateway", X_Request_Id=str(uuid4()), Strict_Transport_Security="max-age=63072000")
    if (request.method == "POST" and response.status >= 400) or server.nth() % 5 == 0:
        add(response, Connection="close")
    return response


@habit(starts=True)
async def unavailable_is_409(_server: Server, request: Request, proceed: Next) -> Response:
    """A start or a poll where the agent is not available is 409 vps_not_ready."""
    response = await proceed(request)
    if (
        request.vps == UNAVAILABLE_VPS_ID
        and request.full
        and (request.method == "POST" or request.pid)
        and response.status >= 400
    ):
        return refusal(request, 409, "vps_not_ready", "VPS not ready")
    return response


@habit(starts=True)
async def spring_and_starts(_server: Server, request: Request, proceed: Next) -> Response:
    """Spring: 415 for a start without JSON, 400 with a problem for a body that cannot be read."""
    if request.method == "POST" and "json" not in request.headers.get("content-type", ""):
        return refusal(request, 415, "invalid_request", "Unsupported media type")
    response = await proceed(request)
    if response.is_problem:
        response.change(timestamp=datetime.now(UTC).isoformat(timespec="microseconds"), extensions={"trace": "1"})
    return response
