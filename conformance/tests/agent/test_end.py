"""However the server of a real agent ends, it leaves nothing behind; and only polls take output away."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

from agent.endpoint import Endpoint
from hostup_conformance.keeping.processes import state
from hostup_conformance.mock import VPS_ID
from running import KEPT, eventually


def test_sigkill_leaves_nothing_behind(endpoint: Endpoint) -> None:
    """After SIGKILL, no agent, no command and no folder is left."""
    del endpoint  # its fixture skips this where there is no agent
    with subprocess.Popen(
        [sys.executable, "-m", "hostup_conformance.mock.agent_server"], stdout=subprocess.PIPE, text=True, env=KEPT
    ) as server:
        assert server.stdout is not None
        try:
            printed = (re.search(r"HOSTUP_RUNNING_PID=(\d+)", line) for line in server.stdout)
            pid = next(int(found[1]) for found in printed if found)
            # The command runs in the agent's folder, which it was started in.
            folder = Path(os.readlink(f"/proc/{pid}/cwd"))
            assert state(pid) not in "ZX"
        finally:
            server.kill()
    eventually(lambda: state(pid) in "ZX")
    assert folder == Path("/") or not folder.exists()


def test_head_takes_no_output_away(endpoint: Endpoint) -> None:
    pid = endpoint.start("echo kept")
    time.sleep(0.2)
    assert endpoint.http.head(endpoint.path(VPS_ID), params={"pid": pid}).status_code == 200
    assert endpoint.wait(pid)["stdout"] == "kept\n"
