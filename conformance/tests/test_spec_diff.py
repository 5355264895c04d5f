"""`make spec-diff` reports each change once, and rightly says whom it breaks."""

import copy
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import griffe
import pytest
import spec_diff
from catalogue import first_of
from comparison import changes
from contract import Contract, Unusable, interface
from hostup_conformance.contract.document import document
from hostup_conformance.judging.ledger import requirements

ROOT = Path(__file__).parents[2]
EXEC = "/api/v2/vps/{id}/agent/exec"
GET, POST = f"GET {EXEC}", f"POST {EXEC}"
WITH_500 = [
    f"{method.upper()} {path}"
    for path, item in document()["paths"].items()
    for method in item
    if "500" in item[method]["responses"]
]
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


def rename_id(document: Any) -> None:
    """Give the parameter of every path another name, which nobody sees on the wire."""
    document["components"]["parameters"]["VpsId"]["name"] = "vps"
    document["paths"] = {path.replace("{id}", "{vps}"): item for path, item in document["paths"].items()}


#: An edit of the document, whom it breaks, whom its reverse breaks, and what is said of either.
EDITS: dict[str, tuple[Edit, str, str, list[str], list[str]]] = {
    "an operation goes": (
        lambda d: d["paths"].pop("/api/v2/vps"), "callers", "servers",
        ["GET /api/v2/vps: the operation is gone"], ["GET /api/v2/vps: a new operation"],
    ),
    "an operation is added that is not judged": (
        lambda d: d["paths"].update({"/api/v2/news": {"get": {"x-not-judged": "a feed", "responses": {}}}}),
        "", "callers",
        ["GET /api/v2/news: a new operation"], ["GET /api/v2/news: the operation is gone"],
    ),
    "a response's member becomes required": (
        lambda d: schema("AgentAvailability")(d).update(required=["available"]), "servers", "callers",
        ["AgentAvailability.available: now required"], ["AgentAvailability.available: no longer required"],
    ),
    "a response has an optional member more": (
        member("AgentAvailability", "weather", type="string"), "", "callers",
        ["AgentAvailability.weather: a new member"], ["AgentAvailability.weather: the member is gone"],
    ),
    "a response has a required member more, of which nothing else is said": (
        lambda d: schema("CommandOutput")(d)["required"].append("weather"), "servers", "callers",
        ["CommandOutput.weather: a new required member"], ["CommandOutput.weather: the member is gone"],
    ),
    "a response's member may be null": (
        member("CommandOutput", "exited", type=["boolean", "null"]), "callers", "servers",
        ["CommandOutput.exited type: now also null"], ["CommandOutput.exited type: no longer null"],
    ),
    "an integer may be any number": (
        member("CommandOutput", "exitCode", type=["number", "null"]), "callers", "servers",
        ["CommandOutput.exitCode type: now also number"], ["CommandOutput.exitCode type: no longer number"],
    ),
    "a response's member may be anything": (
        member("AgentAvailability", "vmRunning", type=None), "callers", "servers",
        ["AgentAvailability.vmRunning type: now also array, integer, null, number, object, string"],
        ["AgentAvailability.vmRunning type: no longer array, integer, null, number, object, string"],
    ),
    "a response's member has listed values": (
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
        lambda d: operation(d)["responses"].update({"418": {"description": "Busy."}}), "callers", "servers",
        [f"{GET} 418: a new status code"], [f"{GET} 418: the status code is gone"],
    ),
    "a code more": (
        lambda d: d["components"]["responses"]["InternalError"]["x-codes"].append("upstream"), "callers", "servers",
        [f"{name} 500 code: now also upstream" for name in WITH_500],
        [f"{name} 500 code: no longer upstream" for name in WITH_500],
    ),
    "a media type more": (
        lambda d: operation(d)["responses"]["200"]["content"].update({"text/plain": {}}), "callers", "servers",
        [f"{GET} 200 media type: now also text/plain"], [f"{GET} 200 media type: no longer text/plain"],
    ),
    "a header more": (
        lambda d: operation(d)["responses"]["200"].update(headers={"ETag": {"schema": {"type": "string"}}}), "", "",
        [f"{GET} 200 etag: the header field is new"], [f"{GET} 200 etag: the header field is gone"],
    ),
    "a required header more": (
        lambda d: operation(d)["responses"]["200"].update(headers={"ETag": {"required": True}}), "servers", "callers",
        [f"{GET} 200 etag: now required"], [f"{GET} 200 etag: no longer required"],
    ),
    "an optional parameter more": (
        lambda d: operation(d)["parameters"].append({"name": "novel", "in": "query"}), "servers", "callers",
        [f"{GET} query novel: a new parameter"], [f"{GET} query novel: the parameter is gone"],
    ),
    "a required parameter more": (
        lambda d: operation(d)["parameters"].append({"name": "novel", "in": "query", "required": True}),
        "callers servers", "callers servers",
        [f"{GET} query novel: a new required parameter"], [f"{GET} query novel: the parameter is gone"],
    ),
    "a parameter of all the path's operations": (
        lambda d: d["paths"]["/api/v2/vps"].update(parameters=[{"name": "novel", "in": "query"}]), "servers", "callers",
        ["GET /api/v2/vps query novel: a new parameter"], ["GET /api/v2/vps query novel: the parameter is gone"],
    ),
    "a parameter becomes required": (
        lambda d: d["components"]["parameters"]["Pid"].update(required=True), "callers", "servers",
        [f"{GET} query pid: now required"], [f"{GET} query pid: no longer required"],
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
        lambda d: schema("CommandStart")(d)["required"].append("shell"), "callers servers", "callers servers",
        ["CommandStart.shell: a new required member"], ["CommandStart.shell: the member is gone"],
    ),
    "a body may have no other members": (
        lambda d: schema("CommandStart")(d).update(additionalProperties=False), "callers", "servers",
        ["CommandStart.*: not unset -> {}"], ["CommandStart.*: not {} -> unset"],
    ),
    "a body is no longer needed": (
        lambda d: operation(d, "post")["requestBody"].update(required=False), "servers", "callers",
        [f"{POST} body: no longer required"], [f"{POST} body: now required"],
    ),
    "there is no body": (
        lambda d: operation(d, "post").pop("requestBody"), "callers servers", "callers servers",
        [f"{POST} body: the body is gone"], [f"{POST} body: a new required body"],
    ),
    "a pattern is another": (
        member("CommandStart", "command", format="shell"), "callers", "servers",
        ["CommandStart.command: format unset -> shell"], ["CommandStart.command: format shell -> unset"],
    ),
    "another way to authenticate": (
        lambda d: operation(d)["security"].append({"cookie": []}), "servers", "callers",
        [f"{GET} security: now also cookie"], [f"{GET} security: no longer cookie"],
    ),
    "the server is another": (
        lambda d: d.update(servers=[{"url": "https://h.test"}]), "callers servers", "callers servers",
        ["the document: servers [{'url': 'https://cloud.hostup.se'}] -> [{'url': 'https://h.test'}]"],
        ["the document: servers [{'url': 'https://h.test'}] -> [{'url': 'https://cloud.hostup.se'}]"],
    ),
    "the key goes elsewhere": (
        lambda d: d["components"]["securitySchemes"]["bearerAuth"].update(scheme="basic"),
        "callers servers", "callers servers",
        ["security scheme bearerAuth: scheme bearer -> basic"], ["security scheme bearerAuth: scheme basic -> bearer"],
    ),
    "a parameter is written in another style": (
        lambda d: d["components"]["parameters"]["Pid"].update(style="pipeDelimited"),
        "callers servers", "callers servers",
        [f"{GET} query pid: style unset -> pipeDelimited"], [f"{GET} query pid: style pipeDelimited -> unset"],
    ),
    "beside a reference stands more": (
        lambda d: schema("VpsStatus")(d)["properties"]["memory"].update(required=["usedGb"]), "servers", "callers",
        ["VpsStatus.memory.usedGb: a new required member"], ["VpsStatus.memory.usedGb: the member is gone"],
    ),
    "another member ends a wait": (
        lambda d: operation(d)["responses"]["200"].update({"x-wait-until": "done"}), "callers", "callers",
        [f"{GET} 200: x-wait-until exited -> done"], [f"{GET} 200: x-wait-until done -> exited"],
    ),
    "a constant beside an enumeration": (
        lambda d: member("VpsStatus", "powerState", enum=["on", "off"], const="on")(d), "servers", "callers",
        ["VpsStatus.powerState value: now only 'on'"], ["VpsStatus.powerState value: now anything"],
    ),
    "the first branches": (
        member("VpsStatus", "pendingTasks", anyOf=[{"type": "array"}, {"type": "null"}]), "servers", "callers",
        ["VpsStatus.pendingTasks anyOf: branch 1 is new", "VpsStatus.pendingTasks anyOf: branch 2 is new"],
        ["VpsStatus.pendingTasks anyOf: branch 1 is gone", "VpsStatus.pendingTasks anyOf: branch 2 is gone"],
    ),
    "no key is needed": (
        lambda d: operation(d).update(security=[]), "servers", "callers",
        [f"{GET} security: now also no key"], [f"{GET} security: no longer no key"],
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
        lambda d: rename_id(d),
    ],
)
def test_words_are_no_change(edit: Edit) -> None:
    assert changes(contract(), contract(edit)) == []


def test_what_is_referred_to_counts_wherever_it_is() -> None:
    def edit(type: str) -> Edit:
        def change(document: Any) -> None:
            document["components"]["schemas"]["Code"] = {"type": type}
            member("VpsStatus", "pendingTasks", patternProperties={"^x": {"$ref": "#/components/schemas/Code"}})(
                document
            )

        return change

    assert changes(contract(edit("string")), contract(edit("string"))) == []
    (change,) = changes(contract(edit("string")), contract(edit("integer")))
    assert (change.breaks, change.place) == (("callers", "servers"), "VpsStatus.pendingTasks")


def test_a_link_that_leads_elsewhere_breaks_callers() -> None:
    def edit(document: Any) -> None:
        operation(document, "post")["responses"]["200"]["links"]["poll"]["parameters"]["pid"] = "$response.body#/id"

    (change,) = changes(contract(), contract(edit))
    assert (change.breaks, change.place) == (("callers",), f"{POST} 200")


def test_a_new_member_breaks_readers_of_closed_objects() -> None:
    """Where additionalProperties is false, a new member breaks whoever reads the object."""

    def closed(document: Any) -> None:
        schema("AgentAvailability")(document)["additionalProperties"] = False

    def opened(document: Any) -> None:
        closed(document)
        member("AgentAvailability", "weather", type="string")(document)

    (change,) = changes(contract(closed), contract(opened))
    assert (change.breaks, str(change)) == (("callers",), "AgentAvailability.weather: a new member")


@pytest.mark.parametrize("reference", ["#/components/schemas/None", "#/nowhere", "#anchor", "other.yaml", "#/paths/0"])
def test_a_reference_that_leads_nowhere_is_told(reference: str) -> None:
    with pytest.raises(Unusable, match="names nothing in the document"):
        changes(contract(), contract(member("VpsStatus", "id", **{"$ref": reference})))


def test_a_circular_reference_is_reported() -> None:
    """A reference that leads back to itself is reported, and does not end in a loop."""

    def edit(document: Any) -> None:
        document["components"]["schemas"]["A"] = {"$ref": "#/components/schemas/B"}
        document["components"]["schemas"]["B"] = {"$ref": "#/components/schemas/A"}
        member("VpsStatus", "id", **{"$ref": "#/components/schemas/A"})(document)

    with pytest.raises(Unusable, match="leads back to itself"):
        changes(contract(), contract(edit))


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


def test_a_requirement_for_clients() -> None:
    entry = {"CLIENT-01": {"id": "CLIENT-01", "title": "It is so", "level": "MUST"}}
    found = [Contract(document(), ledger, None) for ledger in ({}, entry)]
    assert [change.breaks for change in changes(*found)] == [("callers",)]
    assert [change.breaks for change in changes(*reversed(found))] == [()]


def test_a_requirement_that_is_restated() -> None:
    entry = {"id": "AREA-01", "title": "It is so", "level": "MUST", "statement": "a"}
    old, new = (Contract(document(), {"AREA-01": {**entry, "statement": text}}, None) for text in "ab")
    assert [(change.breaks, change.what) for change in changes(old, new)] == [((), "reworded: It is so")]


def test_the_python_interface(tmp_path: Path) -> None:
    def package(name: str, source: str) -> griffe.Module | None:
        (tmp_path / name / "hostup_agent_exec").mkdir(parents=True)
        (tmp_path / name / "hostup_agent_exec" / "__init__.py").write_text(source)
        return interface(tmp_path / name)

    old = package("old", "def wait(id, timeout=1): ...\ndef gone(): ...\n")
    new = package("new", "def wait(id, seconds=1): ...\ndef run(): ...\nclass Late(Exception): ...\n")
    found = changes(Contract(document(), {}, old), Contract(document(), {}, new))
    assert [(change.breaks, change.place.rpartition(".")[2], change.what) for change in found] == [
        ((), "Late", "a new class"),
        ((), "run", "a new function"),
        (("callers",), "gone", "public object was removed"),
        (("callers",), "wait", "parameter was removed (timeout)"),
    ]
    assert interface(tmp_path) is None
    for before, after, breaks, what in ((old, None, ("callers",), "gone"), (None, new, (), "new")):
        (change,) = changes(Contract(document(), {}, before), Contract(document(), {}, after))
        assert (change.breaks, change.what) == (breaks, f"the package is {what}")


def test_what_the_modules_of_api_share_is_not_for_callers(tmp_path: Path) -> None:
    for name, parameters in (("old", "seconds"), ("new", "seconds, response")):
        for file in ("__init__.py", "api/__init__.py", "api/start.py"):
            (tmp_path / name / "hostup_agent_exec" / file).parent.mkdir(parents=True, exist_ok=True)
            text = f"def wait({parameters}): ...\n" if "/" in file else ""
            (tmp_path / name / "hostup_agent_exec" / file).write_text(text)
    found = changes(*(Contract(document(), {}, interface(tmp_path / name)) for name in ("old", "new")))
    assert [change.place for change in found] == ["hostup_agent_exec.api.start.wait"]


# --- the command, in a repository of its own


class Repository:
    """The document under git, with a ledger of one requirement, in the place of our own."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capture = folder, capture
        (folder / "spec").mkdir()
        self.write("openapi.yaml", document())
        self.write("requirements.yaml", [{"id": "AREA-01", "title": "It is so", "level": "MUST"}])
        self.git("init", "-q", "-b", "main")
        self.commit()

    def git(self, *arguments: str) -> None:
        author = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *author, *arguments], cwd=self.folder, check=True)

    def commit(self) -> None:
        self.git("add", ".")
        self.git("commit", "-q", "-m", "a change", "--allow-empty")

    def write(self, name: str, content: Any) -> None:
        (self.folder / "spec" / name).write_text(json.dumps(content))  # which is YAML, and made in no time

    def edit(self, edit: Edit) -> None:
        edited = json.loads((self.folder / "spec" / "openapi.yaml").read_text())
        edit(edited)
        self.write("openapi.yaml", edited)

    def diff(self, *options: str) -> tuple[int, str, str]:
        self.capture.readouterr()
        return spec_diff.main(list(options)), *self.capture.readouterr()


def breaking(document: Any) -> None:
    schema("AgentAvailability")(document)["required"] = ["available"]


def stepped(document: Any) -> None:
    document["info"]["version"] = "99.0.0"


@pytest.fixture
def repository(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Repository:
    monkeypatch.setattr(spec_diff, "ROOT", tmp_path)
    return Repository(tmp_path, capsys)


def test_nothing_changed(repository: Repository) -> None:
    status, out, err = repository.diff()
    assert (status, err) == (0, "")
    assert out.endswith("nothing changed\n")


def test_a_breaking_change_needs_a_new_version(repository: Repository) -> None:
    repository.edit(breaking)
    for options in ((), ("--base", "HEAD")):
        status, out, err = repository.diff(*options)
        assert status == 1
        assert "breaks servers\n  AgentAvailability.available: now required\n" in out
        assert "raise info.version in spec/openapi.yaml" in err
    repository.edit(stepped)
    status, out, err = repository.diff()
    assert (status, err) == (0, "")
    assert re.match(
        r"changes since version [\d.]+ \(commit \w{7}, which set it\); the working tree has 99\.0\.0\n", out
    )
    assert re.match(r"changes since version [\d.]+ \(commit \w{7}\); ", repository.diff("--base", "HEAD")[1])
    assert "breaks servers\n  AgentAvailability.available: now required\n" in out  # for the changelog
    repository.edit(lambda document: document["info"].update(version="0.9.0"))  # a step back is none
    assert repository.diff()[0] == 1


def test_the_version_of_this_contract_says_whom_its_changes_break(capsys: pytest.CaptureFixture[str]) -> None:
    status = spec_diff.main([])
    out, err = capsys.readouterr()
    if status == 2:  # a copy without its history cannot tell when the version was set
        pytest.skip(err.strip())
    assert (status, err) == (0, ""), out


def test_what_breaks_nobody_needs_none(repository: Repository) -> None:
    repository.edit(member("AgentAvailability", "weather", type="string"))
    status, out, _ = repository.diff()
    assert status == 0
    assert "breaks nobody\n  AgentAvailability.weather: a new member\n" in out


def test_the_default_base_set_the_version(repository: Repository) -> None:
    """Without BASE, the commit that set the version is compared with."""
    repository.edit(breaking)
    repository.commit()
    repository.commit()
    assert repository.diff()[0] == 1  # committed, and still broken
    assert repository.diff("--base", "HEAD")[0] == 0
    repository.edit(stepped)
    repository.commit()
    assert repository.diff()[0] == 0
    assert "AgentAvailability.available" in repository.diff("--base", "HEAD~3")[1]


def test_a_merged_branch_hides_no_later_change(repository: Repository) -> None:
    """A merged branch does not hide what has changed since the version was set."""
    repository.git("checkout", "-q", "-b", "side")
    repository.edit(member("AgentAvailability", "note", type="string"))
    repository.commit()
    repository.git("checkout", "-q", "main")
    repository.edit(stepped)
    repository.commit()
    repository.edit(breaking)
    repository.commit()
    repository.git("merge", "-q", "-X", "ours", "-m", "a merge", "side")
    assert repository.diff()[0] == 1


def test_a_clone_without_history_is_told_of(
    repository: Repository, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit()
    clone = tmp_path_factory.mktemp("clone") / "shallow"
    subprocess.run(["git", "clone", "-q", "--depth", "1", f"file://{repository.folder}", clone], check=True)
    monkeypatch.setattr(spec_diff, "ROOT", clone)
    status, _, err = repository.diff()
    assert status == 2
    assert "git fetch --unshallow" in err


@pytest.mark.parametrize(
    ("version", "status"),
    first_of(("2.0.0-alpha.1", 1), ("2.1", 0), ("2.0.1", 0), ("2.0", 1), ("2.0.0", 1), ("1.9.9", 1)),
)
def test_a_step_is_a_later_version(repository: Repository, version: str, status: int) -> None:
    repository.edit(lambda document: document["info"].update(version="2.0.0"))
    repository.commit()
    repository.edit(breaking)
    repository.edit(lambda document: document["info"].update(version=version))
    code, out, _ = repository.diff("--base", "HEAD")
    assert code == status
    assert ("semantic versioning asks for 3.0.0 or later" in out) == (status == 0)


def test_what_cannot_be_compared_is_told(repository: Repository) -> None:
    advice = "give a branch, tag or hash (git fetch may bring it)"
    said = f"spec-diff: BASE=nowhere is not a commit of this repository; {advice}\n"
    assert repository.diff("--base", "nowhere") == (2, "", said)
    for base in ("--help", "-1", "HEAD; true", "$(true)HEAD"):
        assert repository.diff(f"--base={base}")[0] == 2
    (repository.folder / "spec" / "openapi.yaml").write_text("[")
    status, _, err = repository.diff()
    assert status == 2
    assert err.startswith("spec-diff: spec/openapi.yaml is not an OpenAPI document with a version: ")
    repository.write("openapi.yaml", document())
    for text in ("- level: MUST", "- 7", "7", "["):
        (repository.folder / "spec" / "requirements.yaml").write_text(text)
        status, _, err = repository.diff()
        assert status == 2
        assert "spec/requirements.yaml is not a list of requirements" in err


def test_the_changelog_tells_of_this_version() -> None:
    headings = [line for line in (ROOT / "spec" / "CHANGELOG.md").read_text().splitlines() if line.startswith("## ")]
    assert headings[0] == f"## {document()['info']['version']}"


def test_the_contract_as_it_is_can_be_read() -> None:
    whole = Contract.read(ROOT)
    assert whole.ledger.keys() == requirements().keys()
    assert whole.package is not None
    assert changes(whole, whole) == []
