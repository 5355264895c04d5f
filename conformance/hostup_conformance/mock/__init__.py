"""Our own servers of the endpoint, which must not know the rules: `python -m hostup_conformance.mock` serves the mock.

`face` is their HTTP side: in front of a small provider in memory (`memory`), whose names are public here, or of a real
guest agent (`agent_server`, by way of `guest_agent`, which `supervisor` runs).
"""

from hostup_conformance.keeping.missing import complaint

try:
    from hostup_conformance.mock.memory import (
        API_KEY,
        FOREIGN_VPS_ID,
        READ_API_KEY,
        UNAVAILABLE_VPS_ID,
        VPS_ID,
        MemoryAgent,
        Mock,
        main,
        serve,
    )
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(complaint() or str(error)) from error

__all__ = [
    "API_KEY",
    "FOREIGN_VPS_ID",
    "READ_API_KEY",
    "UNAVAILABLE_VPS_ID",
    "VPS_ID",
    "MemoryAgent",
    "Mock",
    "main",
    "serve",
]
