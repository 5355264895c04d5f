"""What something between the server and the guest alters in commands, which a real shell then runs, is named."""

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from catalogue import first_of
from hostup_conformance.contract.server_verdict import root_causes
from judging import verdict_on
from stage import Request, Response

#: What is done to each command, and what START-19 says of it.
ALTERED: dict[str, tuple[Callable[[str], str], str]] = {
    "backslashes lost": (lambda text: text.replace("\\", ""), r'"\\" became ""'),
    "+ read as in a form": (lambda text: text.replace("+", " "), '"+" became " "'),
    "the first line alone": (lambda text: text.split("\n")[0], "only its first line ran"),
    "one line": (lambda text: text.replace("\n", " "), "its line ends came as blanks"),
    "128 characters alone": (lambda text: text[:128], "only its first 128 of 4,096 characters ran"),
    "lower case": (str.lower, "its text came in lower case"),
    "quotes doubled, as for SQL": (lambda text: text.replace("'", "''"), """commands with "'" in them ran otherwise"""),
    "variables of the server": (lambda text: re.sub(r"\$(HOME|\$)", "/root", text), '"/root" instead of "$HOME"'),
}


@pytest.mark.parametrize("name", first_of(*ALTERED))
def test_what_is_altered_in_commands_is_named(name: str, tmp_path: Path) -> None:
    alter, words = ALTERED[name]
    environment = {"PATH": os.environ["PATH"], "TMPDIR": str(tmp_path)}

    def run_altered(request: Request, response: Response) -> None:
        """Give the result of each command as a shell has it at once that gets another text."""
        ran = request.memory.setdefault("ran", {})
        if response.is_started and "kill -9" not in (text := alter(json.loads(request.body)["command"])):
            command = ["sh", "-c", re.sub(r"sleep \d+", "sleep 0", text)]
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, env=environment, check=False)
            stdout, stderr = (stream.decode("utf-8", "replace") for stream in (done.stdout, done.stderr))
            ran[str(response.json["pid"])] = {"stdout": stdout, "stderr": stderr, "exitCode": done.returncode}
        if response.is_output and response.json["exited"] and request.pid in ran:
            response.change(**ran[request.pid])

    verdict = verdict_on(run_altered, allow_exec=True)
    assert next(iter(root_causes(verdict))) == "START-19"
    assert words in verdict.results["START-19"].message
