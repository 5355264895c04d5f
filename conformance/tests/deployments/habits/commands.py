"""Habits of the start of commands."""

from __future__ import annotations

import asyncio
import re
import time
from datetime import UTC, datetime
from uuid import uuid4

from faults.probe import refuse
from hostup_conformance.mock import UNAVAILABLE_VPS_ID
from stage import Request, Response

from deployments.habits import Next, Server, add, habit, page, refusal, text


@habit(starts=True)
async def commands_are_blocked(_server: Server, request: Request, proceed: Next) -> Response:
    """Commands are switched off for the VPS by policy: 403, though the key may."""
    response = await proceed(request)
    if response.is_started:
        refuse(request, response, 403, "forbidden", "Forbidden")
        response.change(detail="Command execution is disabled by policy.")
    return response


@habit(starts=True)
async def sleep_is_blocked(_server: Server, request: Request, proceed: Next) -> Response:
    """Some commands are blocked for safety, sleep among them: 400."""
    if request.method == "POST" and b"sleep" in request.body and request.full:
        response = refusal(request, 400, "invalid_request", "Invalid request")
        response.change(errors=[{"pointer": "/command", "detail": "It is blocked.", "code": "invalid_request"}])
        return response
    return await proceed(request)


@habit(starts=True)
async def sleep_is_forbidden(_server: Server, request: Request, proceed: Next) -> Response:
    """Some commands are blocked for safety, sleep among them: 403."""
    response = await proceed(request)
    if response.is_started and b"sleep" in request.body:
        refuse(request, response, 403, "forbidden", "Forbidden")
    return response


@habit(starts=True)
async def commands_take_a_second(server: Server, request: Request, proceed: Next) -> Response:
    """The agent tells of an end no sooner than a second after it."""
    began = server.memory.get(f"started {request.pid}", 0.0) if request.method == "GET" and request.full else 0.0
    if time.monotonic() - began < 1:
        return text(200, '{"exited": false}', "application/json")
    response = await proceed(request)
    if response.is_started:
        server.memory[f"started {response.json['pid']}"] = time.monotonic()
    return response


@habit(starts=True)
async def firewall_reads_commands(_server: Server, request: Request, proceed: Next) -> Response:
    """A firewall takes what a shell would run for an attack, and says 403 in HTML."""
    attack = re.search(rb"/etc/|/bin/|\$\(|`|;|\||&&|%0a|rm -", request.body)
    return page(403, "Forbidden") if request.method == "POST" and attack else await proceed(request)


@habit(starts=True)
async def chunked_is_411(_server: Server, request: Request, proceed: Next) -> Response:
    """A front end wants to know the length of a body: 411 in HTML."""
    chunked = "transfer-encoding" in request.headers
    return page(411, "Length Required") if chunked else await proceed(request)


@habit(starts=True, deserves={"START-07": "documentation of the POST: 4096 characters, which may need 48 KiB as JSON"})
async def bodies_above_16_kib_are_413(_server: Server, request: Request, proceed: Next) -> Response:
    """A front end takes bodies of 16 KiB at most: 413 in HTML."""
    return page(413, "Request Entity Too Large") if len(request.body) > 16384 else await proceed(request)


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
async def agent_is_busy_now_and_then(server: Server, request: Request, proceed: Next) -> Response:
    """Each tenth start is 409, since the agent has another task."""
    proper = request.method == "POST" and re.fullmatch(rb'\{"command": ".{1,4096}"\}', request.body)
    if proper and request.full and request.own and server.nth("starts") % 10 == 0:
        return refusal(request, 409, "vps_not_ready", "VPS not ready")
    return await proceed(request)


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
