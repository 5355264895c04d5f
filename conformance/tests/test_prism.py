"""A static mock that was not tuned to the suite; `deployments/` has servers written from the documentation alone."""

import json
import subprocess
from pathlib import Path

import pytest
from clients.catalogue import Missing, kept, made, program
from deployments.running import Broken, end, free_port, wait_for
from hostup_conformance.mock import API_KEY, VPS_ID
from running import report_in, run

# Whole runs, or many cases of one kind: `make catalogue` runs them.
pytestmark = pytest.mark.catalogue

SPEC = Path(__file__).parents[2] / "spec" / "openapi.yaml"
PRISM = json.dumps({"private": True, "dependencies": {"@stoplight/prism-cli": "5.14.2"}})


def install(folder: Path) -> None:
    (folder / "package.json").write_text(PRISM, "utf-8")
    made([program("npm"), "install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"], folder)


def test_prism(tmp_path: Path) -> None:
    """It repeats the document's examples, so it is judged on their form alone."""
    try:
        folder, node = kept(PRISM, install), program("node")
    except Missing as missing:
        pytest.skip(str(missing))
    port = free_port()
    command = [node, "node_modules/@stoplight/prism-cli/dist/index.js", "mock", str(SPEC), "-h", "127.0.0.1"]
    with open(tmp_path / "log", "w+") as log:
        process = subprocess.Popen(
            [*command, "-p", str(port)], cwd=folder, stdout=log, stderr=log, start_new_session=True
        )
        try:
            wait_for(port, process, log)
            given = {"HOSTUP_API_KEY": API_KEY, "HOSTUP_VPS_ID": VPS_ID}
            run(tmp_path, "--base-url", f"http://127.0.0.1:{port}", "--profile", "static", **given)
        except Broken as broken:
            pytest.fail(str(broken))
        finally:
            end(process)
    report = report_in(tmp_path)
    # It starts no commands.
    entries = [entry for entry in report["requirements"] if "--allow-exec" not in entry["message"]]
    assert {e["id"]: e["message"] for e in entries if e["status"] in {"fail", "error"}} == {}
    assert report["verdict"] == "conformant"
    assert report["target"]["profile"] == "static"
