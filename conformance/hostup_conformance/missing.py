"""Says what is missing where the client is installed without the extra `conformance`, of which it imports nothing."""

from __future__ import annotations

from importlib.util import find_spec

#: The modules of the extra, by the names of their distributions.
MODULES = {
    "a2wsgi": "a2wsgi",
    "httplint": "httplint",
    "hypothesis": "hypothesis",
    "jinja2": "jinja2",
    "jsonschema-rs": "jsonschema_rs",
    "pytest": "pytest",
    "pyyaml": "yaml",
    "respx": "respx",
    "schemathesis": "schemathesis",
    "starlette": "starlette",
    "uvicorn": "uvicorn",
}


def complaint() -> str | None:
    """Say what is not installed and how to install it; None where all is there."""
    missing = [name for name, module in MODULES.items() if find_spec(module) is None]
    if not missing:
        return None
    return (
        f"the suite needs {', '.join(missing)}, which the client alone does not bring; "
        "install hostup-agent-exec with its extra, as in: pip install 'hostup-agent-exec[conformance] @ WHEEL_OR_URL'"
    )
