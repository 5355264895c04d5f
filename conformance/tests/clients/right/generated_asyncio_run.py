"""Run a command in a VPS with this project's client, asynchronously."""

import asyncio
import os
import sys

import httpx
from hostup_agent_exec import AuthenticatedClient
from hostup_agent_exec.api.agent import start_agent_exec
from hostup_agent_exec.errors import HostUpError

SECONDS = float(os.environ.get("HOSTUP_TIMEOUT", "300"))


async def main() -> int:
    async with AuthenticatedClient(
        os.environ["HOSTUP_BASE_URL"], os.environ["HOSTUP_API_KEY"], timeout=httpx.Timeout(SECONDS)
    ) as client:
        try:
            output = await start_agent_exec.asyncio_run(
                os.environ["HOSTUP_VPS_ID"],
                os.environ["HOSTUP_COMMAND"],
                client=client,
                timeout=SECONDS,
                interval=0.5,
            )
        except (HostUpError, httpx.HTTPError) as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            return 1
    sys.stdout.buffer.write((output.stdout or "").encode())
    sys.stderr.buffer.write((output.stderr or "").encode())
    return output.exit_code if isinstance(output.exit_code, int) and 0 <= output.exit_code < 256 else 255


sys.exit(asyncio.run(main()))
