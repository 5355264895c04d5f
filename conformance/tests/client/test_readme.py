"""The READMEs' blocks of Python run as they stand, against the router."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from client.voices import KEY
from hostup_conformance.respx import router

if TYPE_CHECKING:
    from client.voices import Clock

ROOT = Path(__file__).parents[3]
BLOCKS = [
    pytest.param(block, id=f"{path.relative_to(ROOT)}:{text[: text.index(block)].count(chr(10)) + 1}")
    for path in (ROOT / "README.md", ROOT / "spec" / "client" / "README.md")
    for text in [path.read_text(encoding="utf-8")]
    for block in re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
]


@pytest.mark.parametrize("block", BLOCKS)
def test_a_block_runs(block: str, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOSTUP_API_KEY", KEY)
    monkeypatch.setenv("HOSTUP_VPS_ID", "vps_01hxa3b4c5d6e7f8g9h0j1k2m3")
    program = compile(block, "README.md", "exec")
    if "router(" in block:  # it brings its own server
        exec(program, {"__name__": "__main__"})  # noqa: S102
        return
    with router() as mock:
        exec(program, {"__name__": "__main__"})  # noqa: S102
        assert mock.calls.call_count > 0
    assert clock.now < 1100


def test_there_are_blocks() -> None:
    assert len(BLOCKS) >= 5
