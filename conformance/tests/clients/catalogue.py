"""The catalogue of clients: right ones in what people use, and wrong ones with the requirement that must notice each.

A client is one of the examples that the suite prints, a script in `right/` or `wrong/`, an altered one of these, or one
of `faulty/`. What it needs to be run may be missing; then it is left out, with the reason.
"""

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from clients.altered import ALTERED
from clients.different import different
from clients.faulty import Does, Right, faulty
from hostup_conformance.clients import examples
from hostup_conformance.clients.examples import LANGUAGES
from hostup_conformance.judging.catalogue import Catalogue

HERE = Path(__file__).parent
EXAMPLES = Path(examples.__file__).parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hostup-conformance"
AXIOS = "1.21.1"


class Missing(Exception):
    """A client cannot be run here; the message says what is missing."""


@dataclass(frozen=True)
class Client:
    """A script that is a client, and what is wrong with it if something is."""

    file: Path
    #: The requirements that must notice it, none for a right one; and scenes in which that shows.
    requirements: tuple[str, ...] = ()
    scenes: tuple[str, ...] = ("well",)
    #: An argument of the script.
    argument: str | None = None
    #: The name under which the script is altered, see `ALTERED`.
    altered: str | None = None
    does: Does = "run"
    #: What it does, where the first comment of the script does not say so.
    words: str | None = None

    @property
    def name(self) -> str:
        """The name of the script, or of the client in it."""
        return self.argument or self.altered or self.file.name

    @property
    def doc(self) -> str:
        """What it does, as it says itself."""
        if self.words is not None:
            return self.words
        lines = self.file.read_text("utf-8").splitlines()
        return next(line for line in lines if line[:2] in ('""', "//", "# ")).strip('"/# ')

    def command(self) -> tuple[str, ...]:
        """Return how it is run; raise `Missing` where it cannot be."""
        found = {
            "": python,
            ".py": python,
            ".sh": shell,
            ".mjs": node,
            ".go": go,
            ".php": php,
            ".rb": ruby,
            ".pl": perl,
        }
        words = found[self.file.suffix](altered(self.file, self.altered) if self.altered else self.file)
        return (*words, self.argument) if self.argument else words


#: The base of the faulty ones.
RIGHT = Client(HERE / "faulty", argument="Right", words=Right.__doc__)


#: What must notice each of `wrong/`, and where that shows.
WRONG = {
    "naive_loop.py": (("CLIENT-15", "CLIENT-23", "CLIENT-31"), ("unavailable", "slow-command", "exit-code-3")),
    "retry_everything.mjs": (
        ("CLIENT-17", "CLIENT-20", "CLIENT-25"),
        ("start-lost", "poll-rate-limited", "probe-forbidden"),
    ),
    "curl_retry.sh": (("CLIENT-08", "CLIENT-17", "CLIENT-29"), ("awkward-command", "start-lost", "streams-null")),
}


CLIENTS: Catalogue[Client] = Catalogue(__name__, "client")


def script(name: str) -> Path:
    """Return the right client of this name."""
    return EXAMPLES / name if name in LANGUAGES.values() else HERE / "right" / name


def clients() -> Iterator[Client]:
    """Yield the right clients (scripts, those that differ in what is free), and the wrong ones."""
    yield from (Client(file) for file in sorted((HERE / "right").iterdir()))
    yield from (Client(EXAMPLES / name) for name in LANGUAGES.values())
    for name, client in different().items():
        yield Client(HERE / "different.py", argument=name, words=client.__doc__)
    yield RIGHT
    yield from (Client(HERE / "wrong" / name, ids, scenes) for name, (ids, scenes) in WRONG.items())
    for name, one in ALTERED.items():
        yield Client(script(one.script), one.requirements, one.scenes, altered=name, words=one.doc)
    for f in faulty():
        yield Client(HERE / "faulty", (f.requirement,), f.scenes, f.name, does=f.does, words=f.doc)


for client in clients():
    CLIENTS.add(client.name, client)


def right() -> list[Client]:
    """Return the right clients."""
    return [client for client in CLIENTS.all().values() if not client.requirements]


def wrong() -> list[Client]:
    """Return the wrong clients."""
    return [client for client in CLIENTS.all().values() if client.requirements]


def altered(file: Path, name: str) -> Path:
    """Return the altered script of this name."""
    text = ALTERED[name].text(file.read_text("utf-8"))
    return kept(f"{name}\n{text}", lambda folder: (folder / name).write_text(text, "utf-8")) / name


def program(name: str) -> str:
    """Return the path of a program; raise `Missing` where there is none."""
    if path := shutil.which(name):
        return path
    raise Missing(f"{name} is not installed")


def python(file: Path) -> tuple[str, ...]:
    """Return how a script in Python is run; those of the standard library alone start faster."""
    if file.name in {"faulty", "different.py"}:
        return sys.executable, "-S", str(file)
    for module in ("aiohttp", "requests", "httpx"):
        if module in file.name and importlib.util.find_spec(module) is None:
            raise Missing(f"{module} is not installed")
    return sys.executable, str(file)


def shell(file: Path) -> tuple[str, ...]:
    """Return how a script of the shell is run."""
    for name in ("curl", "jq", "timeout", "hostup-agent-exec"):
        if name in file.read_text("utf-8"):
            program(name)
    return program("bash" if "bash" in file.read_text("utf-8").splitlines()[0] else "sh"), str(file)


def node(file: Path) -> tuple[str, ...]:
    """Return how a script for Node is run; axios is installed for the one that needs it."""
    if file.stem != "axios":
        return program("node"), str(file)
    program("npm")
    package = {"private": True, "type": "module", "dependencies": {"axios": AXIOS}}

    def install(folder: Path) -> None:
        (folder / "package.json").write_text(json.dumps(package), "utf-8")
        shutil.copy(file, folder)
        made(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"], folder)

    return program("node"), str(kept(f"{json.dumps(package)}{file.read_text('utf-8')}", install) / file.name)


def go(file: Path) -> tuple[str, ...]:
    """Return how a program in Go is run: it is compiled once."""
    compiler = program("go")

    def build(folder: Path) -> None:
        made([compiler, "build", "-o", str(folder / file.stem), str(file)], folder)

    return (str(kept(file.read_text("utf-8"), build) / file.stem),)


def php(file: Path) -> tuple[str, ...]:
    """Return how a script in PHP is run."""
    interpreter = program("php")
    if "curl" not in subprocess.run([interpreter, "-m"], capture_output=True, text=True, check=False).stdout:
        raise Missing("PHP has no curl")
    return interpreter, str(file)


def ruby(file: Path) -> tuple[str, ...]:
    """Return how a script in Ruby is run."""
    return program("ruby"), str(file)


def perl(file: Path) -> tuple[str, ...]:
    """Return how a script in Perl is run."""
    interpreter = program("perl")
    for module in ("HTTP::Tiny", "JSON::XS"):
        if subprocess.run([interpreter, f"-M{module}", "-e1"], capture_output=True, check=False).returncode:
            raise Missing(f"Perl has no {module}")
    return interpreter, str(file)


def made(command: list[str], folder: Path) -> None:
    """Run what makes a client; raise `Missing` where it fails."""
    try:
        run = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    except subprocess.TimeoutExpired:
        raise Missing(f"{command[0]} took longer than five minutes") from None
    if run.returncode:
        raise Missing(f"{command[0]} failed: {run.stderr.strip().splitlines()[-1:]}")


def kept(source: str, make: Callable[[Path], object]) -> Path:
    """Return a folder that a function fills, kept for the next time by what it is made from."""
    folder = CACHE / hashlib.sha256(source.encode()).hexdigest()[:16]
    if not folder.is_dir():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as name:
            partial = Path(name) / "new"
            partial.mkdir()
            make(partial)
            with suppress(OSError):  # another process may have been faster; what it made is as good
                partial.rename(folder)
    return folder
