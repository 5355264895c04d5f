"""Run a command in a VPS with httpx."""

import os
import signal
import sys
import time
from typing import Any
from urllib.parse import quote

import httpx

TIMEOUT = float(os.environ.get("HOSTUP_TIMEOUT", "300"))
deadline = time.monotonic() + TIMEOUT
# The library's timeout is for each read from the socket; this one is for all.
signal.signal(signal.SIGALRM, lambda *_: sys.exit("timed out; the command may still be running"))
signal.setitimer(signal.ITIMER_REAL, TIMEOUT)
path = f"/api/v2/vps/{quote(os.environ['HOSTUP_VPS_ID'], safe='')}/agent/exec"
client = httpx.Client(
    base_url=os.environ["HOSTUP_BASE_URL"],
    headers={"Authorization": f"Bearer {os.environ['HOSTUP_API_KEY']}", "User-Agent": "httpx-client/1.0"},
    trust_env=False,
)


def call(method: str, **options: Any) -> Any:
    left = deadline - time.monotonic()
    if left <= 0:
        sys.exit("timed out; the command may still be running")
    response = client.request(method, path, timeout=left, **options)
    response.raise_for_status()
    return response.json()


try:
    availability = call("GET")
    if availability.get("available") is not True:
        sys.exit(f"commands cannot be run: {availability.get('reason')}")
    pid = call("POST", json={"command": os.environ["HOSTUP_COMMAND"]})["pid"]
    while (output := call("GET", params={"pid": pid})).get("exited") is not True:
        time.sleep(0.5)
except (httpx.HTTPError, ValueError, KeyError, AttributeError) as error:
    sys.exit(f"{type(error).__name__}: {error}")
signal.setitimer(signal.ITIMER_REAL, 0)
sys.stdout.buffer.write((output.get("stdout") or "").encode())
sys.stderr.buffer.write((output.get("stderr") or "").encode())
code = output.get("exitCode")
sys.exit("the command gave no exit code" if code is None else code if 0 <= code < 256 else 255)
