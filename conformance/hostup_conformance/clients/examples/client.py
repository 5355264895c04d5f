"""Run HOSTUP_COMMAND in a VPS, print its output, and exit with its exit code. It needs Python 3.9, and nothing else."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import HTTPRedirectHandler, Request, build_opener

TIMEOUT = float(os.environ.get("HOSTUP_TIMEOUT", "300"))
DEADLINE = time.monotonic() + TIMEOUT
BASE = os.environ["HOSTUP_BASE_URL"].rstrip("/")
URL = f"{BASE}/api/v2/vps/{quote(os.environ['HOSTUP_VPS_ID'], safe='')}/agent/exec"
HEADERS = {
    "Authorization": f"Bearer {os.environ['HOSTUP_API_KEY']}",
    "Accept": "application/json",
    "User-Agent": "example-client/1.0",
}


class NoRedirect(HTTPRedirectHandler):
    """urllib would send the key along, to any host."""

    def redirect_request(self, *_: Any) -> None:
        """Follow nothing."""


OPENER = build_opener(NoRedirect)


def give_up(message: str) -> None:
    """End at once, from any thread."""
    print(message, file=sys.stderr, flush=True)
    os._exit(1)


def seconds_of(retry_after: str) -> float:
    """Return how many seconds a Retry-After asks for, which may be a date."""
    if retry_after.isdigit():
        return float(retry_after)
    return parsedate_to_datetime(retry_after).timestamp() - time.time()


def call(method: str, query: str = "", body: dict[str, str] | None = None) -> dict[str, Any]:
    """Send a request and return the JSON object that comes; wait and repeat it where the server asks for that."""
    data = json.dumps(body).encode() if body else None
    headers = {**HEADERS, "Content-Type": "application/json"} if body else HEADERS
    while True:
        left = max(DEADLINE - time.monotonic(), 0.1)
        try:
            with OPENER.open(Request(URL + query, data, headers, method=method), timeout=left) as response:
                value = json.load(response)
        except HTTPError as error:  # after a 429 or a 503, nothing was carried out
            wait = error.headers.get("Retry-After")
            if error.code not in {429, 503} or wait is None or seconds_of(wait) > left:
                raise
            time.sleep(max(seconds_of(wait), 0.5) + 0.01)
            continue
        if not isinstance(value, dict):
            raise TypeError("the response is no JSON object")
        return value


def output_of(pid: int) -> dict[str, Any]:
    """Poll until the command has ended. A response that is lost says nothing, so poll on."""
    while True:
        try:
            output = call("GET", f"?pid={pid}")
        except HTTPError as error:
            if error.code < 500:
                raise
        except (OSError, HTTPException, ValueError) as error:
            print(f"polling on after: {error}", file=sys.stderr)
        else:
            if output.get("exited") is True:
                return output
        time.sleep(0.5)


def main() -> int:
    """Probe, start, poll, print."""
    # The timeout of urllib is for each read from the socket; this one is for all.
    limit = threading.Timer(TIMEOUT, give_up, ["timed out; the command may still be running"])
    limit.daemon = True
    limit.start()
    availability = call("GET")
    if availability.get("available") is not True:
        sys.exit(f"commands cannot be run: {availability.get('reason')}")
    pid = int(call("POST", body={"command": os.environ["HOSTUP_COMMAND"]})["pid"])
    output = output_of(pid)
    limit.cancel()
    sys.stdout.buffer.write((output.get("stdout") or "").encode())
    sys.stderr.buffer.write((output.get("stderr") or "").encode())
    code = output.get("exitCode")
    return code if isinstance(code, int) and 0 <= code < 256 else 255


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (OSError, HTTPException, ValueError, TypeError, KeyError) as error:
        sys.exit(f"{type(error).__name__}: {error}")
