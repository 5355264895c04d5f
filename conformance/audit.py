"""Asks OSV (https://osv.dev) for known vulnerabilities of the locked dependencies: `make audit`.

Exit codes: 0 none is known, 1 some are, 2 it could not be found out.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import httpx

LOCKED = Path(__file__).with_name("constraints.txt")
SERVICE = "https://api.osv.dev/v1/querybatch"
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


def known(pins: list[tuple[str, str]]) -> dict[tuple[str, str], list[str]]:
    """Return the ids of the known vulnerabilities of each of these versions of packages that has some.

    Raises:
        httpx.HTTPError, ValueError, KeyError, TypeError: the service cannot be reached, or says something else
    """
    queries = [{"package": {"ecosystem": "PyPI", "name": name}, "version": version} for name, version in pins]
    response = httpx.post(SERVICE, json={"queries": queries}, timeout=30).raise_for_status()
    results = response.json()["results"]
    # Of a package with very many, the service names the first; one is enough.
    found = {
        pin: [str(one["id"]) for one in result.get("vulns", ())] for pin, result in zip(pins, results, strict=True)
    }
    return {pin: ids for pin, ids in found.items() if ids}


def main() -> int:
    """Print what is known, or why nothing is."""
    pins = PIN.findall(LOCKED.read_text("utf-8"))
    try:
        found = known(pins)
    except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError) as error:
        print(f"NOT CHECKED: {SERVICE} cannot be asked ({type(error).__name__}: {error}); try again with a network")
        return 2
    for (name, version), ids in found.items():
        print(f"{name} {version}: {', '.join(ids)}; see https://osv.dev/{ids[0]}, and renew the locks with make lock")
    print(f"{len(pins)} packages checked, {len(found)} with known vulnerabilities")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
