"""The embedded mock under its public name, to be imported or run: `python -m hostup_conformance.mock`."""

from hostup_conformance.missing import complaint

try:
    from hostup_conformance.servers.mock import (
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

if __name__ == "__main__":
    main()
