"""Run a command in a VPS with Python's standard library."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

TIMEOUT = float(os.environ.get("HOSTUP_TIMEOUT", "300"))
DEADLINE = time.monotonic() + TIMEOUT
BASE = os.environ["HOSTUP_BASE_URL"].rstrip("/")
URL = f"{BASE}/api/v2/vps/{quote(os.environ['HOSTUP_VPS_ID'], safe='')}/agent/exec"
HEADERS = {
    "Authorization": f"Bearer {os.environ['HOSTUP_API_KEY']}",
    "Accept": "application/json",
    "User-Agent": "urllib-client/1.0",
}


class NoRedirect(HTTPRedirectHandler):
    """urllib would send the key along, to any host."""

    def redirect_request(self, *_: Any) -> None:
        return None


opener = build_opener(NoRedirect, ProxyHandler({}))


def seconds_of(retry_after: str) -> float:
    if retry_after.isdigit():
        return float(retry_after)
    return max(parsedate_to_datetime(retry_after).timestamp() - time.time(), 0)


def call(method: str, query: str = "", body: dict[str, str] | None = None) -> Any:
    data = json.dumps(body).encode() if body else None
    headers = {**HEADERS, "Content-Type": "application/json"} if body else HEADERS
    while True:
        left = DEADLINE - time.monotonic()
        if left <= 0:
            sys.exit("timed out; the command may still be running")
        try:
            with opener.open(Request(URL + query, data, headers, method=method), timeout=left) as response:
                return json.load(response)
        except HTTPError as error:
            wait = error.headers.get("Retry-After")
            if error.code != 429 or wait is None or seconds_of(wait) > left:
                raise
            time.sleep(max(seconds_of(wait), 0.5) + 0.01)


# The timeout of urlopen is for each read from the socket; this one is for all.
signal.signal(signal.SIGALRM, lambda *_: sys.exit("timed out; the command may still be running"))
signal.setitimer(signal.ITIMER_REAL, TIMEOUT)
availability = call("GET")
if availability.get("available") is not True:
    sys.exit(f"commands cannot be run: {availability.get('reason')}")
pid = int(call("POST", body={"command": os.environ["HOSTUP_COMMAND"]})["pid"])
while (output := call("GET", f"?pid={pid}")).get("exited") is not True:
    time.sleep(0.5)
signal.setitimer(signal.ITIMER_REAL, 0)
sys.stdout.buffer.write((output.get("stdout") or "").encode())
sys.stderr.buffer.write((output.get("stderr") or "").encode())
code = output.get("exitCode")
sys.exit("the command gave no exit code" if code is None else code if 0 <= code < 256 else 255)
