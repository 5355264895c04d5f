"""What a run takes where the server is far away.

The embedded mock stands behind a proxy of ours that lets every byte, and every new connection, take its time. The time
of a run has starting up and judging in it, which depend on the machine; that of the sending hardly does.
"""

import argparse
import asyncio
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from client.serving import loop_in_a_thread
from hostup_conformance.mock import Mock, serve
from running import report_in, run

#: What the project aims at, by the round trip in milliseconds: seconds of a run without --allow-exec.
AIMS = {100: 5.0, 300: 12.0}


class Far:
    """A TCP proxy on loopback whose peer is a round trip away: half of it in each direction, and one to connect."""

    def __init__(self, port: int, seconds: float) -> None:
        self._port, self._half = port, seconds / 2

    async def connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection to its end, or to that of the proxy."""
        with suppress(OSError, asyncio.CancelledError):
            await asyncio.sleep(2 * self._half)
            there, back = await asyncio.open_connection("127.0.0.1", self._port)
            await asyncio.gather(self.carry(reader, back), self.carry(there, writer))

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry what comes, each part half a round trip later, and the end after it."""
        loop = asyncio.get_running_loop()
        arriving: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def deliver() -> None:
            data = b"-"
            while data:
                moment, data = await arriving.get()
                await asyncio.sleep(moment - loop.time())
                writer.write(data)
                with suppress(OSError):
                    await writer.drain()
            writer.close()

        delivery = asyncio.create_task(deliver())
        data = b"-"
        while data:
            with suppress(OSError):
                data = await reader.read(65536)
            arriving.put_nowait((loop.time() + self._half, data))
        await delivery


@contextmanager
def far(port: int, seconds: float) -> Iterator[str]:
    """Stand before a port, a round trip away; give the base URL."""
    with loop_in_a_thread() as run_there:
        listener = run_there(asyncio.start_server(Far(port, seconds).connection, "127.0.0.1", 0))
        yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        listener.close()


def run_at(milliseconds: int, *, starts: bool) -> tuple[dict[str, Any], float]:
    """Return the report of a run at a distance, and the seconds from its first request to its last response."""
    mock = Mock(limit=10**6)
    with (
        serve(mock.app) as url,
        far(urlsplit(url).port or 80, milliseconds / 1000) as base_url,
        tempfile.TemporaryDirectory() as name,
    ):
        folder = Path(name)
        given = {name: value for name, value in mock.environment().items() if not starts or "PID" not in name}
        options = ["--allow-exec"] if starts else []
        run(folder, "--base-url", base_url, "--record", "run.har", *options, **given)
        report = report_in(folder)
        recorded = json.loads((folder / "run.har").read_text("utf-8"))["log"]["entries"]
    begun = [datetime.fromisoformat(entry["startedDateTime"]).timestamp() for entry in recorded]
    return report, max(at + entry["time"] / 1000 for at, entry in zip(begun, recorded, strict=True)) - min(begun)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--round-trips", type=int, nargs="+", default=[0, *AIMS], metavar="MS")
    options = parser.parse_args()
    print(f"{'round trip':>12}{'the run':>10}{'aim':>8}{'sending':>10}{'requests':>10}   verdict")
    for milliseconds, starts in product(options.round_trips, (False, True)):
        report, sending = run_at(milliseconds, starts=starts)
        aim = "starts" if starts else f"{AIMS[milliseconds]:g} s" if milliseconds in AIMS else ""
        print(
            f"{milliseconds:>9} ms{report['duration_seconds']:>8.1f} s{aim:>8}{sending:>8.1f} s"
            f"{report['requests']:>10}   "
            f"{report['verdict']}, {report['summary']['fail']} fail, {report['summary']['warn']} warn"
        )


if __name__ == "__main__":
    main()
