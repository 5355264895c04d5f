"""What HTTP libraries do by themselves that breaks a requirement, and what stops each: the table `traps.md`.

All was seen with the library in the scenes of this suite, except where the table says what was tried instead.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TABLE = Path(__file__).with_name("traps.md")
#: How the User-Agent begins that a library sends by default which repeats starts, and how its name does in the table.
AGENTS = {
    "curl/": "curl --retry",
    "wget/": "wget",
    "php": "libcurl",
    "pycurl": "libcurl",
    "guzzle": "libcurl",
    "java/": "HttpURLConnection",
    "okhttp": "OkHttp",
    "axios": "axios-retry",
}


@dataclass(frozen=True)
class Trap:
    """What a library does, the requirements that this breaks, the switch that stops it, and what it was tried with."""

    library: str
    does: str
    requirements: tuple[str, ...]
    switch: str
    tried: str


@cache
def traps() -> list[Trap]:
    """Return the rows of the table."""
    rows = re.findall(r"^\| (.+) \| (.+) \((CLIENT-.+)\) \| (.+) \| (.+) \|$", TABLE.read_text("utf-8"), re.MULTILINE)
    return [Trap(library, does, tuple(ids.split(", ")), switch, tried) for library, does, ids, switch, tried in rows]


def advice(agent: str, answered: bool) -> str:
    """Return how to stop a library from repeating starts, given the User-Agent; where it is not known, what may be.

    Most repeat only what got no response. So one that was answered was repeated by something else, unless by curl.
    """
    library = next((name for begin, name in AGENTS.items() if agent.lower().startswith(begin)), None)
    if library is None or (answered and not library.startswith("curl")):
        return "your HTTP library, or a wrapper around it, may repeat by itself"
    trap = next(trap for trap in traps() if trap.library.startswith(library))
    return f"{trap.library} {trap.does}: {trap.switch}"


def traps_of(id: str) -> list[str]:
    """Return what is known to break a requirement, in sentences."""
    return [
        f"{trap.library}: {trap.does}. Switch: {trap.switch} (tried: {trap.tried})"
        for trap in traps()
        if id in trap.requirements
    ]
