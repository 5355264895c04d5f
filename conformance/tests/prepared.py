"""A process that has imported what runs of the suite import, and is copied for each: half of their CPU time is that."""

import atexit
import gc
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from subprocess import PIPE, CompletedProcess, Popen
from tempfile import TemporaryDirectory
from threading import get_ident

#: pytest's plugins, which it loads anyway, and what a run imports before it judges.
IMPORTED = (
    *("_hypothesis_pytestplugin", "anyio.pytest_plugin", "respx.plugin", "schemathesis.pytest.plugin", "xdist.plugin"),
    *("hypothesis.strategies", "schemathesis.specs.openapi.schemas"),
    *("hostup_conformance.contract.rules", "hostup_conformance.front.client_run", "hostup_conformance.front.session"),
)
#: What the copies can be, by their names as modules.
MAINS = {"pytest": ("pytest", "main"), "hostup_conformance.front.cli": ("hostup_conformance.front.cli", "main")}
#: How long a copy may take.
SECONDS = 240
#: The files that take the output of a copy.
OUTPUTS = ("stdout", "stderr")


def run(module: str, arguments: Sequence[str], folder: Path, environ: Mapping[str, str]) -> CompletedProcess[str]:
    """Run a module in a copy, as `python -m` runs it."""
    process = started(get_ident())
    assert process.stdin
    assert process.stdout
    with TemporaryDirectory() as into:
        job = {"main": module, "arguments": arguments, "folder": str(folder), "environ": dict(environ), "into": into}
        process.stdin.write(json.dumps(job) + "\n")
        process.stdin.flush()
        code = int(process.stdout.readline())
        return CompletedProcess([module, *arguments], code, *((Path(into) / name).read_text() for name in OUTPUTS))


@cache
def started(_thread: int) -> Popen[str]:
    """Start the process of a thread, which ends with this one."""
    process = Popen([sys.executable, "-P", __file__], stdin=PIPE, stdout=PIPE, text=True)
    atexit.register(process.communicate)
    return process


def copy_for_each_job() -> None:
    """Be that process: for each job in a line of standard input, be a copy, and write what the copy exits with."""
    for module in IMPORTED:
        import_module(module)
    mains = {name: getattr(import_module(module), main) for name, (module, main) in MAINS.items()}
    gc.freeze()
    for line in sys.stdin:
        job = json.loads(line)
        if (copy := os.fork()) == 0:
            become(**{name: job[name] for name in ("folder", "environ", "into")})
            sys.argv = [job["main"], *job["arguments"]]
            sys.exit(mains[job["main"]]())
        print(os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1]), flush=True)


def become(folder: str, environ: Mapping[str, str], into: str) -> None:
    """Take on the surroundings of a job."""
    for number, name in enumerate((os.devnull, *(os.path.join(into, output) for output in OUTPUTS))):
        opened = os.open(name, os.O_RDWR | os.O_CREAT)
        os.dup2(opened, number)
        os.close(opened)
    signal.alarm(SECONDS)
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(folder)
    sys.path.insert(0, folder)


if __name__ == "__main__":
    copy_for_each_job()
