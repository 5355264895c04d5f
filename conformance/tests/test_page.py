"""A changed page of the provider's documentation leads to what rests on it, whether it is Markdown or HTML."""

import re
import sys
from pathlib import Path

import page
import pytest
from hostup_conformance.judging.ledger import load_yaml, requirements

#: A page of the same form as the provider's, in words of our own.
MARKDOWN = """\
# The API

Words about another thing.

## GET /api/v2/vps/{id}/agent/exec

**Ask about commands**

Whether commands can be run. A *key* is needed.

### Headers

- `Accept`: application/json
- Required scopes: `read:vm`

### Parameters

- `id` (path, string, required): Which server.
- `pid` (query, integer): Which command, such as `42`

### Response Schema

- `available` (boolean, optional): Whether it works.

### Responses

#### 200 - It works.
```json
# not a heading
{"available": true, "reason": null}
```

#### 404 - There is none.

## POST /api/v2/vps/{id}/agent/exec

### Responses

#### 200 - Another endpoint.
"""
HTML = """\
<html><head><title>x</title><style>p {}</style></head><body><nav>Home</nav>
<h1>The API</h1><p>Words about another thing.</p>
<h2>GET /api/v2/vps/{id}/agent/exec</h2><p><b>Ask about commands</b></p>
<p>Whether commands can be
run. A <em>key</em> is needed.</p>
<h3>Headers</h3><table><tr><td>Accept</td><td>application/json</td></tr>
<tr><td>Required scopes</td><td><code>read:vm</code></td></tr></table>
<h3>Parameters</h3><ul><li><code>id</code> (path, string, required): Which server.</li>
<li><code>pid</code> (query, integer): Which command, such as <code>42</code></li></ul>
<h3>Response Schema</h3><ul><li><code>available</code> (boolean, optional): Whether it works.</li></ul>
<h3>Responses</h3><h4>200 - It works.</h4><pre># not a heading
{&quot;available&quot;: true, &quot;reason&quot;: null}</pre><h4>404 - There is none.</h4>
<script>ignored()</script><h2>POST /api/v2/vps/{id}/agent/exec</h2><h3>Responses</h3><h4>200 - Another.</h4>
</body></html>
"""


def test_markdown_and_html_say_the_same() -> None:
    assert page.digests(MARKDOWN) == page.digests(HTML)


def test_sections_are_told_apart() -> None:
    assert list(page.sections(MARKDOWN)) == [
        "title", "first paragraph", "Headers", "Headers, Accept", "Headers, Required scopes", "Parameters",
        "Parameters, id", "Parameters, pid", "Response Schema", "Response Schema, available", "Responses",
        "Responses, 200", "Responses, 404",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "differences"),
    [
        ("(boolean, optional)", "(boolean, required)", {"Response Schema, available": "changed"}),
        ("such as `42`", "such as `-42`", {"Parameters, pid": "changed"}),
        ("#### 404 - There", "#### 410 - There", {"Responses, 404": "gone", "Responses, 410": "new"}),
        ("**Ask about", "__Ask   about", {}),
    ],
)
def test_what_differs_is_named(old: str, new: str, differences: dict[str, str]) -> None:
    assert page.differences(page.digests(MARKDOWN), page.digests(MARKDOWN.replace(old, new))) == differences


@pytest.mark.parametrize(
    ("source", "cited"),
    [
        ("documentation, Responses, 403 and 404 (either)", {"Responses, 403", "Responses, 404"}),
        ("documentation, Responses, 400 to 403", {f"Responses, {code}" for code in range(400, 404)}),
        ("inferred; documentation, Parameters, pid and id", {"Parameters, pid", "Parameters, id"}),
        ("documentation, Response Schema", {"Response Schema"}),
        ("RFC 9110", set()),
    ],
)
def test_a_source_cites_sections(source: str, cited: set[str]) -> None:
    assert page.cited(source) == cited


def test_the_record_has_the_sections_that_the_ledger_cites() -> None:
    recorded = load_yaml(page.RECORD.read_bytes())
    assert all(re.fullmatch("[0-9a-f]{16}", digest) for digest in recorded.values())
    places = {section.partition(",")[0] for section in recorded}
    for requirement in requirements().values():
        for section in page.cited(requirement.source):
            known = section in recorded or section in places or section.partition(", ")[2] in {"401", "402"}
            known = known or re.fullmatch(r"Responses, 4\d\d", section) is not None
            unknown = (
                f"{requirement.id} cites {section}, which page.yaml does not have; save the page and take it as read "
            )
            assert known, unknown + "(make page PAGE=…), or cite another source, such as 'related, …'"


def test_what_rests_on_a_section_is_named() -> None:
    lines = list(page.report({"Response Schema, available": "changed"}))
    assert lines[0] == "Response Schema, available: changed"
    assert "  document     AgentAvailability.available" in lines
    text = "\n".join(lines)
    assert re.search(r"PROBE-03 .*\n.*contract/rules/probe\.py:\d+; faults: .*available_is_text", text)


def test_the_place_of_each_rule_is_found() -> None:
    for id in requirements():
        file, _, line = page.place_of_rule(id).rpartition(":")
        assert file, f"{id} has no rule yet"
        assert f'"{id}"' in (page.SPEC.parent / file).read_text("utf-8").splitlines()[int(line) - 1]


def test_the_command_tells_a_difference_from_a_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    changed, another = tmp_path / "changed.md", tmp_path / "another.md"
    changed.write_text(MARKDOWN)
    another.write_text("# Another page")
    for file, code, says in (
        (changed, 1, "Headers, Authorization: gone"),
        (tmp_path / "none", 2, "No such file"),
        (another, 2, "no heading with /api/v2"),
    ):
        monkeypatch.setattr(sys, "argv", ["page.py", str(file)])
        assert page.main() == code
        assert says in "".join(capsys.readouterr())
