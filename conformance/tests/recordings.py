"""Recordings of somebody's traffic (HAR), as browsers and proxies write them."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

Entry = dict[str, Any]


def fields(named: Mapping[str, str]) -> list[dict[str, str]]:
    """Return header fields as a recording has them."""
    return [{"name": name, "value": value} for name, value in named.items()]


def entry(
    url: str,
    status: int | None = 200,
    text: str | None = '{"available":true}',
    *,
    method: str = "GET",
    sent: Mapping[str, str] | None = None,
    body: str = "",
    got: Mapping[str, str] | None = None,
    when: str = "2026-04-27T12:34:56.000Z",
) -> Entry:
    """Return a request with its response."""
    request: Entry = {"method": method, "url": url, "headers": fields(sent or {":authority": "h"})}
    if body:
        request["postData"] = {"mimeType": "application/json", "text": body}
    headers = fields({"Content-Type": "application/json"} if got is None else got)
    response = {"status": status, "headers": headers, "content": {"text": text}}
    return {"startedDateTime": when, "time": 12, "request": request, "response": response}


def recorded(file: Path, entries: Iterable[Entry]) -> Path:
    """Write a recording, and return its file."""
    file.write_text(json.dumps({"log": {"version": "1.2", "entries": [*entries]}}), "utf-8")
    return file
