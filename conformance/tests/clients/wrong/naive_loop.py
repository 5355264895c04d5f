"""A naive loop with requests, as one writes it in five minutes."""

import os
import time

import requests

URL = f"{os.environ['HOSTUP_BASE_URL']}/api/v2/vps/{os.environ['HOSTUP_VPS_ID']}/agent/exec"
HEADERS = {"Authorization": f"Bearer {os.environ['HOSTUP_API_KEY']}"}

started = requests.post(URL, headers=HEADERS, json={"command": os.environ["HOSTUP_COMMAND"]}, timeout=30).json()
while True:
    output = requests.get(URL, headers=HEADERS, params={"pid": started["pid"]}, timeout=30).json()
    if output.get("exited"):
        break
    time.sleep(0.1)
print(output["stdout"])
