"""Habits of the start of commands."""

from __future__ import annotations

import asyncio
import re
import time
from datetime import UTC, datetime
from uuid import uuid4

from faults.probe import refuse
from hostup_conformance.mock import UNAVAILABLE_VPS_ID
from stage import Answered, Asked

from deployments.habits import Next, Server, add, habit, page, refusal, text


@habit(starts=True)
async def commands_are_blocked(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """Commands are switched off for the VPS by policy: 403, though the key may."""
    answered = await proceed(asked)
    if answered.is_started:
        refuse(asked, answered, 403, "forbidden", "Forbidden")
        answered.change(detail="Command execution is disabled by policy.")
    return answered


@habit(starts=True)
async def sleep_is_blocked(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """Some commands are blocked for safety, sleep among them: 400."""
    if asked.method == "POST" and b"sleep" in asked.body and asked.full:
        answered = refusal(asked, 400, "invalid_request", "Invalid request")
        answered.change(errors=[{"pointer": "/command", "detail": "It is blocked.", "code": "invalid_request"}])
        return answered
    return await proceed(asked)


@habit(starts=True)
async def sleep_is_forbidden(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """Some commands are blocked for safety, sleep among them: 403."""
    answered = await proceed(asked)
    if answered.is_started and b"sleep" in asked.body:
        refuse(asked, answered, 403, "forbidden", "Forbidden")
    return answered


@habit(starts=True)
async def commands_take_a_second(server: Server, asked: Asked, proceed: Next) -> Answered:
    """The agent tells of an end no sooner than a second after it."""
    began = server.memory.get(f"started {asked.pid}", 0.0) if asked.method == "GET" and asked.full else 0.0
    if time.monotonic() - began < 1:
        return text(200, '{"exited": false}', "application/json")
    answered = await proceed(asked)
    if answered.is_started:
        server.memory[f"started {answered.json['pid']}"] = time.monotonic()
    return answered


@habit(starts=True)
async def firewall_reads_commands(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """A firewall takes what a shell would run for an attack, and says 403 in HTML."""
    attack = re.search(rb"/etc/|/bin/|\$\(|`|;|\||&&|%0a|rm -", asked.body)
    return page(403, "Forbidden") if asked.method == "POST" and attack else await proceed(asked)


@habit(starts=True)
async def chunked_is_411(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """A front end wants to know the length of a body: 411 in HTML."""
    chunked = "transfer-encoding" in asked.headers
    return page(411, "Length Required") if chunked else await proceed(asked)


@habit(starts=True, deserves={"START-07": "documentation of the POST: 4096 characters, which may need 48 KiB as JSON"})
async def bodies_above_16_kib_are_413(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """A front end takes bodies of 16 KiB at most: 413 in HTML."""
    return page(413, "Request Entity Too Large") if len(asked.body) > 16384 else await proceed(asked)


@habit(starts=True)
async def starts_take_a_second(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """The host needs 0.7 s to hand a command to the agent."""
    answered = await proceed(asked)
    if answered.is_started:
        await asyncio.sleep(0.7)
    return answered


@habit(starts=True)
async def gateway_and_starts(server: Server, asked: Asked, proceed: Next) -> Answered:
    """A gateway adds its fields and a charset, compresses, and closes each fifth connection, starts included."""
    answered = await proceed(asked)
    content_type = next((value for name, value in answered.headers if name.lower() == "content-type"), None)
    if content_type:
        answered.header("Content-Type", f"{content_type}; charset=utf-8")
    add(answered, Via="1.1 gateway", X_Request_Id=str(uuid4()), Strict_Transport_Security="max-age=63072000")
    if (asked.method == "POST" and answered.status >= 400) or server.nth() % 5 == 0:
        add(answered, Connection="close")
    return answered


@habit(starts=True)
async def agent_is_busy_now_and_then(server: Server, asked: Asked, proceed: Next) -> Answered:
    """Each tenth start is 409, since the agent has another task."""
    proper = asked.method == "POST" and re.fullmatch(rb'\{"command": ".{1,4096}"\}', asked.body)
    if proper and asked.full and asked.own and server.nth("starts") % 10 == 0:
        return refusal(asked, 409, "vps_not_ready", "VPS not ready")
    return await proceed(asked)


@habit(starts=True)
async def unavailable_is_409(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """A start or a poll where the agent is not available is 409 vps_not_ready."""
    answered = await proceed(asked)
    if (
        asked.vps == UNAVAILABLE_VPS_ID
        and asked.full
        and (asked.method == "POST" or asked.pid)
        and answered.status >= 400
    ):
        return refusal(asked, 409, "vps_not_ready", "VPS not ready")
    return answered


@habit(starts=True)
async def spring_and_starts(_server: Server, asked: Asked, proceed: Next) -> Answered:
    """Spring: 415 for a start without JSON, 400 with a problem for a body that cannot be read."""
    if asked.method == "POST" and "json" not in asked.headers.get("content-type", ""):
        return refusal(asked, 415, "invalid_request", "Unsupported media type")
    answered = await proceed(asked)
    if answered.is_problem:
        answered.change(timestamp=datetime.now(UTC).isoformat(timespec="microseconds"), extensions={"trace": "1"})
    return answered
