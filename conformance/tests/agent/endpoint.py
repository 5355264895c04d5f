"""The endpoint in front of a real agent, as a caller sees it, and the agent's process."""

import os
import signal
import time
from dataclasses import dataclass
from typing import Any

import httpx
from hostup_conformance.mock import VPS_ID
from hostup_conformance.mock.agent_server import Served

#: Seconds that the agent has for a response.
PATIENCE = 2.0


@dataclass
class Endpoint:
    """One VPS with a real agent; `served` has the others."""

    served: Served
    http: httpx.Client

    def path(self, vps: str = VPS_ID) -> str:
        return f"/api/v2/vps/{vps}/agent/exec"

    def probe(self, vps: str = VPS_ID) -> Any:
        response = self.http.get(self.path(vps))
        assert response.status_code == 200
        return response.json()

    def start(self, command: str) -> int:
        response = self.http.post(self.path(), json={"command": command})
        assert response.status_code == 200, response.text
        pid: int = response.json()["pid"]
        return pid

    def poll(self, pid: int | str, vps: str = VPS_ID) -> httpx.Response:
        return self.http.get(self.path(vps), params={"pid": pid})

    def wait(self, pid: int) -> Any:
        """Poll until the command has ended; give its output."""
        until = time.monotonic() + 20
        while time.monotonic() < until:
            response = self.poll(pid)
            # A machine under load may take longer than the agent has; nothing is lost by that.
            assert response.status_code in {200, 503}, response.text
            if response.json().get("exited"):
                return response.json()
            time.sleep(0.02)
        raise AssertionError("the command did not end")

    def run(self, command: str) -> Any:
        return self.wait(self.start(command))

    def signal(self, number: signal.Signals) -> None:
        """Send the agent's process a signal."""
        assert self.served.supervisor
        assert self.served.supervisor.pid
        os.kill(self.served.supervisor.pid, number)
