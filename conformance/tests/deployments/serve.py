"""Serves one habit until the process is ended: python -m deployments.serve NAME, with the port in PORT."""

import asyncio
import os
import sys

from deployments.habits import HABITS, Server


async def serve(name: str, port: int) -> None:
    """Serve a habit until the process is ended."""
    server = Server(HABITS.named(name).behave, port)
    await server.listen()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(os.environ["PORT"])))
