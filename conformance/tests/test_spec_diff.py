"""What `make spec-diff` says of changes: each is told once, and whom it breaks is right."""

from __future__ import annotations

import copy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import griffe
import pytest
import spec_diff
import yaml
from hostup_conformance.ledger import document, requirements
from spec_diff import Contract, changes

ROOT = Path(__file__).parents[2]
EXEC = "/api/v2/vps/{id}/agent/exec"
GET, POST = f"GET {EXEC}", f"POST {EXEC}"
OPERATIONS = ["GET /api/v2/vps", "GET /api/v2/vps/{id}/status", GET, POST]
Edit = Callable[[Any], object]


def contract(edit: Edit = lambda _: None) -> Contract:
    edited = copy.deepcopy(document())
    edit(edited)
    return Contract(edited, {}, None)


def schema(name: str) -> Callable[[Any], Any]:
    return lambda document: document["components"]["schemas"][name]


def member(name: str, key: str, **keywords: Any) -> Edit:
    """Set keywords of a schema's member; None takes one away."""

    def edit(document: Any) -> None:
        target = schema(name)(document)["properties"].setdefault(key, {})
        for keyword, value in keywords.items():
            target.pop(keyword, None) if value is None else target.__setitem__(keyword, value)

    return edit


def operation(document: Any, method: str = "get") -> Any:
    return document["paths"][EXEC][method]


#: An edit of the document, whom it breaks, whom its reverse breaks, and what is said of either.
EDITS: dict[str, tuple[Edit, str, str, list[str], list[str]]] = {
    "an operation goes": (
        lambda d: d["paths"].pop("/api/v2/vps"), "callers", "servers",
        ["GET /api/v2/vps: the operation is gone"], ["GET /api/v2/vps: a new operation"],
    ),
    "an answer's member becomes required": (
        lambda d: schema("AgentAvailability")(d).update(required=["available"]), "servers", "callers",
        ["AgentAvailability.available: required now"], ["AgentAvailability.available: no longer required"],
    ),
    "an answer has an optional member more": (
        member("AgentAvailability", "hostname", type="string"), "", "callers",
        ["AgentAvailability.hostname: a new member"], ["AgentAvailability.hostname: the member is gone"],
    ),
    "an answer has a required member more, of which nothing else is said": (
        lambda d: schema("CommandOutput")(d)["required"].append("hostname"), "servers", "callers",
        ["CommandOutput.hostname: a new required member"], ["CommandOutput.hostname: the member is gone"],
    ),
    "an answer's member may be null": (
        member("CommandOutput", "exited", type=["boolean", "null"]), "callers", "servers",
        ["CommandOutput.exited type: now also null"], ["CommandOutput.exited type: no longer null"],
    ),
    "an integer may be any number": (
        member("CommandOutput", "exitCode", type=["number", "null"]), "callers", "servers",
        ["CommandOutput.exitCode type: now also number"], ["CommandOutput.exitCode type: no longer number"],
    ),
    "an answer's member may be anything": (
        member("AgentAvailability", "vmRunning", type=None), "callers", "servers",
        ["AgentAvailability.vmRunning type: now also array, integer, null, number, object, string"],
        ["AgentAvailability.vmRunning type: no longer array, integer, null, number, object, string"],
    ),
    "an answer's member has listed values": (
        member("VpsStatus", "powerState", enum=["running", "stopped"]), "servers", "callers",
        ["VpsStatus.powerState value: now only 'running', 'stopped'"], ["VpsStatus.powerState value: now anything"],
    ),
    "what an array holds becomes narrower": (
        lambda d: schema("VpsPage")(d)["properties"]["data"].update(maxItems=100), "servers", "callers",
        ["VpsPage.data: maxItems unset -> 100"], ["VpsPage.data: maxItems 100 -> unset"],
    ),
    "a shape more": (
        lambda d: operation(d)["responses"]["200"]["content"]["application/json"]["schema"]["anyOf"].append({}),
        "callers", "servers", [f"{GET} 200 anyOf: branch 3 is new"], [f"{GET} 200 anyOf: branch 3 is gone"],
    ),
    "a status more": (
        lambda d: operation(d)["responses"].update({"409": {"description": "Busy."}}), "callers", "servers",
        [f"{GET} 409: a new status"], [f"{GET} 409: the status is gone"],
    ),
    "a code more": (
        lambda d: d["components"]["responses"]["InternalError"]["x-codes"].append("upstream"), "callers", "servers",
        [f"{name} 500 code: now also upstream" for name in OPERATIONS],
        [f"{name} 500 code: no longer upstream" for name in OPERATIONS],
    ),
    "a media type more": (
        lambda d: operation(d)["responses"]["200"]["content"].update({"text/plain": {}}), "callers", "servers",
        [f"{GET} 200 media type: now also text/plain"], [f"{GET} 200 media type: no longer text/plain"],
    ),
    "a header more": (
        lambda d: operation(d)["responses"]["200"].update(headers={"ETag": {"schema": {"type": "string"}}}), "", "",
        [f"{GET} 200 ETag: the header is new"], [f"{GET} 200 ETag: the header is gone"],
    ),
    "a required header more": (
        lambda d: operation(d)["responses"]["200"].update(headers={"ETag": {"required": True}}), "servers", "callers",
        [f"{GET} 200 ETag: required now"], [f"{GET} 200 ETag: no longer required"],
    ),
    "an optional parameter more": (
        lambda d: operation(d)["parameters"].append({"name": "tail", "in": "query"}), "servers", "callers",
        [f"{GET} query tail: a new parameter"], [f"{GET} query tail: the parameter is gone"],
    ),
    "a required parameter more": (
        lambda d: operation(d)["parameters"].append({"name": "tail", "in": "query", "required": True}),
        "callers servers", "callers",
        [f"{GET} query tail: a new required parameter"], [f"{GET} query tail: the parameter is gone"],
    ),
    "a parameter of all the path's operations": (
        lambda d: d["paths"]["/api/v2/vps"].update(parameters=[{"name": "tail", "in": "query"}]), "servers", "callers",
        ["GET /api/v2/vps query tail: a new parameter"], ["GET /api/v2/vps query tail: the parameter is gone"],
    ),
    "a parameter becomes required": (
        lambda d: d["components"]["parameters"]["Pid"].update(required=True), "callers", "servers",
        [f"{GET} query pid: required now"], [f"{GET} query pid: no longer required"],
    ),
    "a parameter becomes narrower": (
        lambda d: d["components"]["parameters"]["Pid"]["schema"].update(minimum=1), "callers", "servers",
        [f"{GET} query pid: minimum unset -> 1"], [f"{GET} query pid: minimum 1 -> unset"],
    ),
    "a body may be shorter": (
        member("CommandStart", "command", maxLength=100), "callers", "servers",
        ["CommandStart.command: maxLength 4096 -> 100"], ["CommandStart.command: maxLength 100 -> 4096"],
    ),
    "a body has to be longer": (
        member("CommandStart", "command", minLength=2), "callers", "servers",
        ["CommandStart.command: minLength 1 -> 2"], ["CommandStart.command: minLength 2 -> 1"],
    ),
    "a body has an optional member more": (
        member("CommandStart", "shell", type="string"), "servers", "callers",
        ["CommandStart.shell: a new member"], ["CommandStart.shell: the member is gone"],
    ),
    "a body has a required member more": (
        lambda d: schema("CommandStart")(d)["required"].append("shell"), "callers servers", "callers",
        ["CommandStart.shell: a new required member"], ["CommandStart.shell: the member is gone"],
    ),
    "a body may have no other members": (
        lambda d: schema("CommandStart")(d).update(additionalProperties=False), "callers", "servers",
        ["CommandStart.*: not unset -> {}"], ["CommandStart.*: not {} -> unset"],
    ),
    "a body is no longer needed": (
        lambda d: operation(d, "post")["requestBody"].update(required=False), "servers", "callers",
        [f"{POST} body: no longer required"], [f"{POST} body: required now"],
    ),
    "there is no body": (
        lambda d: operation(d, "post").pop("requestBody"), "callers", "callers servers",
        [f"{POST} body: the body is gone"], [f"{POST} body: a new required body"],
    ),
    "a pattern is another": (
        member("CommandStart", "command", format="shell"), "callers", "servers",
        ["CommandStart.command: format unset -> shell"], ["CommandStart.command: format shell -> unset"],
    ),
    "another way to authenticate": (
        lambda d: operation(d)["security"].append({"cookie": []}), "servers", "callers",
        [f"{GET} security: now also {{'cookie': []}}"], [f"{GET} security: no longer {{'cookie': []}}"],
    ),
    "all of": (
        lambda d: schema("VpsItem")(d).update(allOf=[{"$ref": "#/components/schemas/VpsStatus"}]), "servers", "callers",
        ["VpsItem allOf: VpsStatus is new"], ["VpsItem allOf: VpsStatus is gone"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EDITS)
def test_a_change_and_its_reverse(name: str) -> None:
    edit, breaks, reverse_breaks, says, reverse_says = EDITS[name]
    for old, new, whom, what in (
        (contract(), contract(edit), breaks, says),
        (contract(edit), contract(), reverse_breaks, reverse_says),
    ):
        found = changes(old, new)
        assert [str(change) for change in found] == sorted(what)
        assert {" ".join(change.breaks) for change in found} == {whom}


@pytest.mark.parametrize(
    "edit",
    [
        lambda d: d["info"].update(summary="Other words."),
        member("AgentAvailability", "available", description="Other words."),
        member("VpsStatus", "powerState", **{"x-known-values": ["melted"]}),
        lambda d: d["components"]["responses"]["NotFound"].update(description="Other words."),
        lambda d: d["components"]["parameters"]["Pid"].update(example=7),
    ],
)
def test_words_are_no_change(edit: Edit) -> None:
    assert changes(contract(), contract(edit)) == []


def test_a_value_that_is_another_breaks_both() -> None:
    found = changes(
        contract(member("CommandStart", "command", pattern="a")),
        contract(member("CommandStart", "command", pattern="b")),
    )
    assert [(change.breaks, change.what) for change in found] == [(("callers", "servers"), "pattern a -> b")]


def test_schemas_may_hold_themselves() -> None:
    def edit(document: Any) -> None:
        schema("VpsItem")(document)["properties"]["parent"] = {"$ref": "#/components/schemas/VpsItem"}

    def and_more(document: Any) -> None:
        edit(document)
        member("VpsItem", "parent.name", type="string")(document)

    assert [str(change) for change in changes(contract(edit), contract(and_more))] == [
        "VpsItem.parent.name: a new member"
    ]


@pytest.mark.parametrize(
    ("was", "now", "breaks", "says"),
    [
        (None, "MUST", ("servers",), "a new MUST"),
        (None, "SHOULD", (), "a new SHOULD"),
        ("MUST", None, ("callers",), "the MUST is gone"),
        ("OBSERVE", None, (), "the OBSERVE is gone"),
        ("SHOULD", "MUST", ("servers",), "was SHOULD, is MUST"),
        ("MUST", "SHOULD", ("callers",), "was MUST, is SHOULD"),
        ("OBSERVE", "SHOULD", (), "was OBSERVE, is SHOULD"),
    ],
)
def test_requirements(was: str | None, now: str | None, breaks: tuple[str, ...], says: str) -> None:
    old, new = (
        Contract(document(), {"AREA-01": {"id": "AREA-01", "title": "It is so", "level": level}} if level else {}, None)
        for level in (was, now)
    )
    (change,) = changes(old, new)
    assert (change.breaks, str(change)) == (breaks, f"AREA-01: {says}: It is so")


def test_a_requirement_that_is_restated() -> None:
    entry = {"id": "AREA-01", "title": "It is so", "level": "MUST", "statement": "a"}
    old, new = (Contract(document(), {"AREA-01": {**entry, "statement": text}}, None) for text in "ab")
    assert [(change.breaks, change.what) for change in changes(old, new)] == [((), "restated: It is so")]


def test_the_python_interface(tmp_path: Path) -> None:
    def package(name: str, source: str) -> griffe.Module | None:
        (tmp_path / name / "hostup_agent_exec").mkdir(parents=True)
        (tmp_path / name / "hostup_agent_exec" / "__init__.py").write_text(source)
        return spec_diff.interface(tmp_path / name)

    old = package("old", "def wait(id, timeout=1): ...\ndef gone(): ...\n")
    new = package("new", "def wait(id, seconds=1): ...\ndef run(): ...\nclass Late(Exception): ...\n")
    found = changes(Contract(document(), {}, old), Contract(document(), {}, new))
    assert [(change.breaks, change.place.rpartition(".")[2], change.what) for change in found] == [
        ((), "Late", "a new class"),
        ((), "run", "a new function"),
        (("callers",), "gone", "public object was removed"),
        (("callers",), "wait", "parameter was removed (timeout)"),
    ]
    assert spec_diff.interface(tmp_path) is None


# --- the command, in a repository of its own


class Repository:
    """A copy of the contract and its tool under git."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "spec").mkdir()
        for name in ("spec_diff.py", "openapi.yaml", "requirements.yaml"):
            (folder / "spec" / name).write_bytes((ROOT / "spec" / name).read_bytes())
        self.git("init", "-q", "-b", "main")
        self.commit()

    def git(self, *arguments: str) -> None:
        author = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *author, *arguments], cwd=self.folder, check=True)

    def commit(self) -> None:
        self.git("add", ".")
        self.git("commit", "-q", "-m", "a change", "--allow-empty")

    def edit(self, edit: Edit) -> None:
        file = self.folder / "spec" / "openapi.yaml"
        edited = yaml.safe_load(file.read_bytes())
        edit(edited)
        file.write_text(yaml.safe_dump(edited))

    def diff(self, *options: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [sys.executable, "spec/spec_diff.py", *options],
            cwd=self.folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr


def breaking(document: Any) -> None:
    schema("AgentAvailability")(document)["required"] = ["available"]


def stepped(document: Any) -> None:
    document["info"]["version"] = "99.0.0"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def test_nothing_changed(repository: Repository) -> None:
    status, out, err = repository.diff()
    assert (status, err) == (0, "")
    assert out.endswith("nothing changed\n")


def test_what_breaks_somebody_needs_a_step_of_the_version(repository: Repository) -> None:
    repository.edit(breaking)
    for options in ((), ("--base", "HEAD")):
        status, out, err = repository.diff(*options)
        assert status == 1
        assert "breaks servers\n  AgentAvailability.available: required now\n" in out
        assert "step info.version in spec/openapi.yaml" in err
    repository.edit(stepped)
    status, out, err = repository.diff()
    assert (status, err) == (0, "")
    assert "-> 99.0.0" in out
    repository.edit(lambda document: document["info"].update(version="0.9.0"))  # a step back is none
    assert repository.diff()[0] == 1


def test_what_breaks_nobody_needs_none(repository: Repository) -> None:
    repository.edit(member("AgentAvailability", "hostname", type="string"))
    status, out, _ = repository.diff()
    assert status == 0
    assert "breaks nobody\n  AgentAvailability.hostname: a new member\n" in out


def test_without_a_base_it_is_the_commit_that_set_the_version(repository: Repository) -> None:
    repository.edit(breaking)
    repository.commit()
    repository.commit()
    assert repository.diff()[0] == 1  # committed, and still broken
    assert repository.diff("--base", "HEAD")[0] == 0
    repository.edit(stepped)
    repository.commit()
    assert repository.diff()[0] == 0
    assert "AgentAvailability.available" in repository.diff("--base", "HEAD~3")[1]


def test_what_cannot_be_compared_is_told(repository: Repository) -> None:
    assert repository.diff("--base", "nowhere") == (
        2, "", "spec-diff: BASE=nowhere is no commit here; give a branch, tag or hash (git fetch brings more)\n",
    )  # fmt: skip
    assert repository.diff("--base", "--help")[0] == 2
    (repository.folder / "spec" / "openapi.yaml").write_text("[")
    status, _, err = repository.diff()
    assert status == 2
    assert err.startswith("spec-diff: there is no readable spec/openapi.yaml with a version: ")


def test_the_changelog_tells_of_this_version() -> None:
    headings = [line for line in (ROOT / "spec" / "CHANGELOG.md").read_text().splitlines() if line.startswith("## ")]
    assert headings[0] == f"## {document()['info']['version']}"


def test_the_contract_as_it_is_can_be_read() -> None:
    whole = Contract.read(ROOT)
    assert whole.ledger.keys() == requirements().keys()
    assert whole.package is not None
    assert changes(whole, whole) == []
