"""A change of the document, made as the next person makes it, gives a client that is typed, bounded and told of it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from client.test_drift import ROOT, generate

Document = dict[str, Any]
LIST, EXEC = "/api/v2/vps", "/api/v2/vps/{id}/agent/exec"


def parameter(name: str, **schema: Any) -> Document:
    required = schema.pop("required", False)
    described = {"description": f"What {name} says.", "required": required}
    return {"name": name, "in": "query", **described, "schema": {"type": "string", **schema}}


def a_required_query_parameter(document: Document) -> None:
    document["paths"][LIST]["get"]["parameters"].append(parameter("region", required=True))


def another_success_of_the_start(document: Document) -> None:
    responses = document["paths"][EXEC]["post"]["responses"]
    responses["201"], responses["202"] = responses["200"], responses["200"]


def names_of_our_own(document: Document) -> None:
    names = ("timeout", "client", "headers", "retries", "interval", "check", "on_start", "body")
    document["paths"][LIST]["get"]["parameters"] += map(parameter, names)


def a_bounded_parameter(document: Document) -> None:
    document["paths"][LIST]["get"]["parameters"].append(parameter("page", type="integer", minimum=2, maximum=7))
    document["paths"][LIST]["get"]["parameters"].append(parameter("tag", maxLength=3))


CHANGES: dict[str, Callable[[Document], None]] = {
    "required": a_required_query_parameter,
    "201 and 202": another_success_of_the_start,
    "names": names_of_our_own,
    "bounds": a_bounded_parameter,
}
HOLDS: dict[str, dict[str, list[str]]] = {
    "required": {
        "__main__.py": ['_command_line.Argument("region", str, "What region says")'],
        "api/vps/list_vps.py": ["    region: str,"],
    },
    "201 and 202": {"__main__.py": ['name="run"'], "api/agent/start_agent_exec.py": ["201: ", "202: "]},
    "names": {
        "api/vps/list_vps.py": ['"timeout": timeout_query', '"client": client_query', '"retries": retries'],
    },
    "bounds": {
        "api/vps/list_vps.py": [
            'check_range("page", page, 2, 7)',
            'check_text("tag", tag, 0, 3',
            "What page says. (2 to 7)",
        ],
    },
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_the_document_is_whole(name: str, tmp_path: Path) -> None:
    document = yaml.safe_load((ROOT / "spec" / "openapi.yaml").read_text(encoding="utf-8"))
    CHANGES[name](document)
    (tmp_path / "openapi.yaml").write_text(yaml.safe_dump(document))
    package = tmp_path / "hostup_agent_exec"
    generate(tmp_path, package, document=tmp_path / "openapi.yaml")
    for file, texts in HOLDS[name].items():
        written = (package / file).read_text(encoding="utf-8")
        assert [text for text in texts if text not in written] == []
    assert (package / "__main__.py").read_text(encoding="utf-8").count('name="run"') == 1
    mypy: list[str | Path] = [
        Path(sys.executable).parent / "mypy",
        "--strict",
        "--cache-dir",
        tmp_path / "cache",
        "-p",
        package.name,
    ]
    done = subprocess.run(mypy, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
