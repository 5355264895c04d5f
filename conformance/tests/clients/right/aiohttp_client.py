"""Run a command in a VPS with aiohttp."""

import asyncio
import os
import sys
from typing import Any
from urllib.parse import quote

import aiohttp
from yarl import URL

BASE = (
    f"{os.environ['HOSTUP_BASE_URL'].rstrip('/')}/api/v2/vps/{quote(os.environ['HOSTUP_VPS_ID'], safe='')}/agent/exec"
)
HEADERS = {"Authorization": f"Bearer {os.environ['HOSTUP_API_KEY']}", "User-Agent": "aiohttp-client/1.0"}


async def run() -> Any:
    connector = aiohttp.TCPConnector(force_close=True)  # it sees too late that a kept one was closed
    async with aiohttp.ClientSession(connector=connector, headers=HEADERS, raise_for_status=True) as session:

        async def call(method: str, query: str = "", **options: Any) -> Any:
            url = URL(BASE + query, encoded=True)  # encoded: yarl would undo %2F and %20
            async with session.request(method, url, allow_redirects=False, **options) as response:
                return await response.json()

        availability = await call("GET")
        if availability.get("available") is not True:
            sys.exit(f"commands cannot be run: {availability.get('reason')}")
        pid = (await call("POST", json={"command": os.environ["HOSTUP_COMMAND"]}))["pid"]
        while (output := await call("GET", f"?pid={pid}")).get("exited") is not True:
            await asyncio.sleep(0.5)
        return output


async def main() -> None:
    output = await asyncio.wait_for(run(), float(os.environ.get("HOSTUP_TIMEOUT", "300")))
    sys.stdout.buffer.write((output.get("stdout") or "").encode())
    sys.stderr.buffer.write((output.get("stderr") or "").encode())
    code = output.get("exitCode")
    sys.exit("the command gave no exit code" if code is None else code if 0 <= code < 256 else 255)


asyncio.run(main())
