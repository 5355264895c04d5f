"""Finds out whether the extra `conformance` is installed. It imports nothing of it."""

from importlib.util import find_spec

#: The modules that the extra brings, by their distributions.
MODULES = {
    "a2wsgi": "a2wsgi",
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
    """Return what is not installed and how to install it; None if nothing is missing."""
    missing = [name for name, module in MODULES.items() if find_spec(module) is None]
    if not missing:
        return None
    return (
        f"the suite needs {', '.join(missing)}, which the client alone does not bring; "
        "install them with the extra: pip install 'WHEEL_OR_CHECKOUT[conformance]'"
    )
