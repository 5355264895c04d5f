"""What the README shows of a run: the first lines in the terminal, and a picture of the report.

`python -m demo`, or `make demo`, renews both; the picture needs chromium.
"""

import re
import shutil
import subprocess
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hostup_conformance.contract.server_verdict import judge, root_causes
from hostup_conformance.front.record import RunInfo, record_of
from hostup_conformance.front.reported_server import server
from hostup_conformance.reports import html, terminal
from judging import run
from stage import Request, Response

ROOT = Path(__file__).parents[2]
README, PICTURE = ROOT / "README.md", ROOT / "conformance" / "report.png"
#: The address that the README names, how many lines it shows, and of how many columns.
ADDRESS, LINES, COLUMNS = "127.0.0.1:8080", 10, 110
#: The size of the picture in CSS pixels, and how large one of them is.
SIZE, SCALE = "1100,1300", "0.7"


def sloppy(request: Request, response: Response) -> None:
    """Be a server as one writes it in an afternoon."""
    if response.is_output:
        response.rename(exitCode="exitcode")
    if response.status == 403 and request.reading and request.pid:
        response.become(200, {"exited": True, "exitCode": 0, "stdout": "", "stderr": ""})
    if response.is_problem:
        response.drop("requestId")


def record() -> dict[str, Any]:
    """Return the record of a run on that server."""
    began = datetime.now(UTC)
    target, wire, _ = run(sloppy, allow_exec=True)
    verdict = judge(wire.exchanges, target, wire.stopped)
    course = RunInfo(began, (datetime.now(UTC) - began).total_seconds(), wire.stopped)
    made = record_of(verdict, wire.exchanges, server(target), course, root_causes)
    made["target"] |= {"base_url": f"http://{ADDRESS}", "kind": "server"}
    return made


class Lines:
    """A terminal that keeps what is printed."""

    def __init__(self) -> None:
        self.kept: list[str] = []

    def section(self, _title: str, sep: str) -> None:
        """Leave out the heading."""

    def write_line(self, line: str, **_: bool) -> None:
        """Keep a line."""
        self.kept.append(line)


def lines_of(made: dict[str, Any]) -> list[str]:
    """Return the first lines of a run in the terminal."""
    terminal.print_summary(lines := Lines(), made, Path("none"), COLUMNS)
    return [re.sub(r"127\.0\.0\.1:\d+", ADDRESS, line) for line in lines.kept[:LINES]]


def shown_in(readme: str) -> list[str]:
    """Return the lines that the README shows."""
    block = re.search(r"```text\n(not_conformant: .*?)\n\.\.\.\n```", readme, re.DOTALL)
    assert block, "the README has no block with the lines of a run"
    return block[1].splitlines()


def main() -> None:
    """Renew the lines in the README and the picture."""
    made = record()
    text = README.read_text("utf-8")
    README.write_text(text.replace("\n".join(shown_in(text)), "\n".join(lines_of(made))), "utf-8")
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert browser, "chromium is not installed (Debian: apt install chromium), so the picture stays as it is"
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "report.html"
        page.write_text(html.render(made), "utf-8")
        options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--window-size={SIZE}"]
        options += [f"--force-device-scale-factor={SCALE}"]
        options += [f"--user-data-dir={folder}/profile", "--blink-settings=preferredColorScheme=1"]
        subprocess.run([browser, *options, f"--screenshot={PICTURE}", page.as_uri()], check=True, capture_output=True)


if __name__ == "__main__":
    main()
