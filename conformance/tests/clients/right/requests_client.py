"""Run a command in a VPS with requests."""

import os
import signal
import sys
import time
from typing import Any
from urllib.parse import quote

import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry

TIMEOUT = float(os.environ.get("HOSTUP_TIMEOUT", "300"))
deadline = time.monotonic() + TIMEOUT
# The library's timeout is for each read from the socket; this one is for all.
signal.signal(signal.SIGALRM, lambda *_: sys.exit("timed out; the command may still be running"))
signal.setitimer(signal.ITIMER_REAL, TIMEOUT)
base = os.environ["HOSTUP_BASE_URL"].rstrip("/")
url = f"{base}/api/v2/vps/{quote(os.environ['HOSTUP_VPS_ID'], safe='')}/agent/exec"
# Only a 429 is surely a refusal; anything else may have started the command, or taken its output.
retry = Retry(0, status=3, status_forcelist=[429], allowed_methods=None, respect_retry_after_header=True)
retry.RETRY_AFTER_STATUS_CODES = frozenset({429})

session = requests.Session()
session.trust_env = False
session.verify = os.environ.get("REQUESTS_CA_BUNDLE", True)
for scheme in ("http://", "https://"):
    session.mount(scheme, HTTPAdapter(max_retries=retry))
session.headers.update({"Authorization": f"Bearer {os.environ['HOSTUP_API_KEY']}", "User-Agent": "requests-client/1.0"})


def call(method: str, **options: Any) -> Any:
    left = deadline - time.monotonic()
    if left <= 0:
        sys.exit("timed out; the command may still be running")
    response = session.request(method, url, timeout=left, allow_redirects=False, **options)
    response.raise_for_status()
    if response.status_code != 200:
        sys.exit(f"unexpected status {response.status_code}")
    return response.json()


availability = call("GET")
if availability.get("available") is not True:
    sys.exit(f"commands cannot be run: {availability.get('reason')}")
pid = call("POST", json={"command": os.environ["HOSTUP_COMMAND"]})["pid"]
while (output := call("GET", params={"pid": pid})).get("exited") is not True:
    time.sleep(0.5)
signal.setitimer(signal.ITIMER_REAL, 0)
sys.stdout.buffer.write((output.get("stdout") or "").encode())
sys.stderr.buffer.write((output.get("stderr") or "").encode())
code = output.get("exitCode")
sys.exit("the command gave no exit code" if code is None else code if 0 <= code < 256 else 255)
