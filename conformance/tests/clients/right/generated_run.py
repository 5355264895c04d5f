"""Run a command in a VPS with this project's client."""

import os
import sys

import httpx
from hostup_agent_exec import AuthenticatedClient
from hostup_agent_exec.api.agent import start_agent_exec
from hostup_agent_exec.errors import HostUpError

SECONDS = float(os.environ.get("HOSTUP_TIMEOUT", "300"))

with AuthenticatedClient(
    os.environ["HOSTUP_BASE_URL"], os.environ["HOSTUP_API_KEY"], timeout=httpx.Timeout(SECONDS)
) as client:
    try:
        output = start_agent_exec.run(
            os.environ["HOSTUP_VPS_ID"],
            os.environ["HOSTUP_COMMAND"],
            client=client,
            timeout=SECONDS,
            interval=0.5,
        )
    except (HostUpError, httpx.HTTPError) as error:
        sys.exit(f"{type(error).__name__}: {error}")
sys.stdout.buffer.write((output.stdout or "").encode())
sys.stderr.buffer.write((output.stderr or "").encode())
code = output.exit_code
sys.exit(code if isinstance(code, int) and 0 <= code < 256 else 255)
