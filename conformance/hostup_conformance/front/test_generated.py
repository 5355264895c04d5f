"""Requests that schemathesis makes of the document, as pytest items beside those of the requirements."""

import pytest

from hostup_conformance.front.run import Run


def test_generated(conformance: Run) -> None:
    """Send what schemathesis generates, besides the scripted requests."""
    conformance.send_all()


def test_linked(conformance: Run) -> None:
    """Start commands and poll them, following the document's links."""
    if not conformance.target.allow_exec:
        pytest.skip("run with --allow-exec, which starts harmless commands")
    conformance.send_all()
