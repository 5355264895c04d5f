"""Changes of the document, as the next person makes them, give a client that is typed, bounded and told of them."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

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


#: The changes, and what must be written of each.
CHANGES: dict[Callable[[Document], None], dict[str, list[str]]] = {
    a_required_query_parameter: {
        "__main__.py": ['_command_line.Argument("region", str, "What region says")'],
        "api/vps/list_vps.py": ["    region: str,"],
    },
    another_success_of_the_start: {
        "__main__.py": ['name="run"'],
        "api/agent/start_agent_exec.py": ["201: ", "202: "],
    },
    names_of_our_own: {
        "api/vps/list_vps.py": ['"timeout": timeout_query', '"client": client_query', '"retries": retries'],
    },
    a_bounded_parameter: {
        "api/vps/list_vps.py": [
            'check_range("page", page, 2, 7)',
            'check_text("tag", tag, 0, 3',
            "What page says. (2 to 7)",
        ],
    },
}


def test_changes_of_the_document_are_whole(tmp_path: Path) -> None:
    document = yaml.safe_load((ROOT / "spec" / "openapi.yaml").read_text(encoding="utf-8"))
    for change in CHANGES:
        change(document)
    (tmp_path / "openapi.yaml").write_text(yaml.safe_dump(document))
    package = tmp_path / "hostup_agent_exec"
    generate(tmp_path, package, document=tmp_path / "openapi.yaml")
    for holds in CHANGES.values():
        for file, texts in holds.items():
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
