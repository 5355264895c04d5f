"""The READMEs' blocks of Python run as they stand, against the router."""

import re
from pathlib import Path

import httpx
import pytest
import respx
from client.voices import KEY, Clock
from hostup_conformance.mock.face import Key, Provider, create_app
from hostup_conformance.mock.memory import MemoryAgent
from hostup_conformance.respx import router

ROOT = Path(__file__).parents[3]
BLOCKS = [
    pytest.param(block, id=f"{path.relative_to(ROOT)}:{text[: text.index(block)].count(chr(10)) + 1}")
    for path in (ROOT / "README.md", ROOT / "spec" / "client" / "README.md")
    for text in [path.read_text(encoding="utf-8")]
    for block in re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
]
(FLEET,) = (block for block in BLOCKS if "run_many(" in str(block.values[0]))


@pytest.mark.parametrize("block", [block for block in BLOCKS if block is not FLEET])
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


@pytest.mark.catalogue
def test_a_thousand_are_run_and_one_fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    started: list[str] = []

    class Agent(MemoryAgent):
        def __init__(self, id: str, available: bool) -> None:
            super().__init__({"available": available})
            self.id = id

        async def start(self, command: str) -> int:
            started.append(self.id)
            return await super().start("true" if command == "uptime" else command)

    ids = [f"vps_{number:04}" for number in range(1000)]
    agents = {id: ("ours", Agent(id, id != "vps_0500")) for id in ids}
    provider = Provider({KEY: Key("ours", frozenset({"read:vm", "write:vm"}))}, agents)
    monkeypatch.setenv("HOSTUP_API_KEY", KEY)
    with respx.mock() as mock:
        mock.route().mock(side_effect=httpx.ASGITransport(create_app(provider)).handle_async_request)
        exec(compile(str(FLEET.values[0]), "README.md", "exec"), {"__name__": "__main__"})  # noqa: S102
    assert capsys.readouterr().out == (
        "vps_0500 failed: commands cannot be run in this VPS now (GET /api/v2/vps/vps_0500/agent/exec)\n"
    )
    assert sorted(started) == [id for id in ids if id != "vps_0500"]


def test_there_are_blocks() -> None:
    assert len(BLOCKS) >= 5
