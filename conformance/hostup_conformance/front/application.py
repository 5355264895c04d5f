"""Serves the user's ASGI or WSGI application in a process of its own, on a port of its own.

Between that process and this one is another, which ends whatever the application leaves behind.
"""

import inspect
import json
import logging
import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from itertools import count
from math import inf
from typing import IO, Any

import uvicorn
from starlette.types import ASGIApp

from hostup_conformance.keeping.misconfigured import Misconfigured
from hostup_conformance.keeping.processes import COMMANDS, STARTING, adopting, end_group
from hostup_conformance.keeping.screen import Relay, guard, keys_in
from hostup_conformance.mock.memory import listen

#: How long an application may take to start, and to end, and after that what it leaves behind, in seconds.
START_SECONDS, END_SECONDS, REST_SECONDS = 30.0, 4.0, 3.0
#: How often, in seconds, the process between looks whether the application has ended.
LOOK_SECONDS = 0.02
#: How many bytes are read of what the process of an application says when it has started.
MOST_SAID = 1 << 20
#: How many bytes of what an application prints are shown, are read at once, and are shown as one line.
MOST_PRINTED, MOST_READ, LONGEST_LINE = 1 << 20, 1 << 16, 1 << 13


def load(name: str) -> ASGIApp:
    """Import the ASGI application MODULE:ATTRIBUTE, wrapping a WSGI application and calling a factory.

    Raise `Misconfigured` if there is none.
    """
    module, _, attribute = name.partition(":")
    if not attribute or not all(map(str.isidentifier, module.split("."))):  # a file, perhaps
        raise Misconfigured(f"--app {name}: give it as module:attribute, such as my_server.main:app")
    if (here := os.getcwd()) not in sys.path:
        sys.path.insert(0, here)
    try:
        app: Any = import_module(module)
        app = attribute_of(app, attribute.removesuffix("()"), name)
        if callable(app) and not parameters(app):
            app = app()
    except Misconfigured:
        raise
    except BaseException as error:  # an application may raise anything
        where = "run pytest where the module can be imported, and see that it can be with python -c"
        raise Misconfigured(f"--app {name}: {type(error).__name__}: {error}; {where} 'import {module}'") from error
    count = len(parameters(app)) if callable(app) else 0
    if count not in {1, 2, 3}:
        raise Misconfigured(f"--app {name}: {type(app).__name__} is neither an ASGI nor a WSGI application")
    if count == 2:
        from a2wsgi import WSGIMiddleware

        wrapped: Any = WSGIMiddleware(with_end_of_input(app))
        return wrapped  # type: ignore[no-any-return]
    return app  # type: ignore[no-any-return]


def attribute_of(module: Any, attribute: str, name: str) -> Any:
    """Return what a dotted name means in a module; raise `Misconfigured`, with the names it has, if there is none."""
    found = module
    for part in attribute.split("."):
        if not hasattr(found, part):
            there = [one for one, value in vars(module).items() if may_be_one(one, value, module.__name__)]
            instead = f"it has {', '.join(there[:5])}" if there else "it has nothing that looks like an application"
            raise Misconfigured(f"--app {name}: {module.__name__} has no {attribute}; {instead}")
        found = getattr(found, part)
    return found


def may_be_one(name: str, value: object, module: str) -> bool:
    """Whether something in a module may be an application or make one: it can be called, and is no class or helper."""
    if name.startswith("_") or isinstance(value, type) or not callable(value):
        return False
    return not inspect.isroutine(value) or getattr(value, "__module__", None) == module


def with_end_of_input(app: Any) -> Any:
    """Tell a WSGI application that the input ends with the body, as it does in a2wsgi.

    Without a Content-Length, as in a chunked request, Werkzeug takes the body for empty otherwise.
    """

    def wrapped(environ: dict[str, Any], start_response: Any) -> Any:
        return app({**environ, "wsgi.input_terminated": True}, start_response)

    return wrapped


def parameters(app: Any) -> list[inspect.Parameter]:
    """Return the parameters without which an application cannot be called."""
    try:
        given = inspect.signature(app).parameters.values()
    except (TypeError, ValueError):  # some callables written in C have no signature
        return []
    return [p for p in given if p.default is p.empty and p.kind in {p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD}]


@dataclass(frozen=True)
class Served:
    """An application that is served, and what it has set in the environment of the suite's variables."""

    base_url: str
    environment: Mapping[str, str]


@contextmanager
def serve(name: str) -> Iterator[Served]:
    """Serve an application in a process of its own, which cannot end this one, nor print what is a secret.

    What it leaves behind ends with it, even if it has killed the process between. Raise `Misconfigured` if there is
    none, or it does not start.
    """
    with adopting(many=False), between(name) as served:
        yield served


@contextmanager
def between(name: str) -> Iterator[Served]:
    """Start the process between, and end it."""
    listener, base_url = listen()
    hears, tells = os.pipe()
    process = subprocess.Popen(  # noqa: S603 - it is this module
        [sys.executable, "-m", __spec__.name if __spec__ else __name__, str(listener.fileno()), str(tells)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=(listener.fileno(), tells),
        start_new_session=True,
    )
    # Whoever connects after the application has ended is to be refused.
    listener.close()
    os.close(tells)
    assert process.stdin is not None  # noqa: S101 - it is a pipe
    assert process.stdout is not None  # noqa: S101
    prints = threading.Thread(target=pass_on, args=(process.stdout, name), daemon=True, name="application")
    try:
        with suppress(BrokenPipeError):
            process.stdin.write(json.dumps({"name": name, "path": sys.path}).encode() + b"\n")
            process.stdin.flush()
        said = heard(hears, START_SECONDS)
        environment = said.get("environment", {})
        if keys := keys_in(environment):
            guard(os.environ).learn(keys)
        prints.start()
        if error := said.get("error", "" if said else f"it does not start; try it with: uvicorn {name}"):
            raise Misconfigured(f"--app {name}: {error}")
        yield Served(base_url, environment)
    finally:
        with suppress(BrokenPipeError):
            process.stdin.close()  # which tells it to end
        with suppress(subprocess.TimeoutExpired):
            process.wait(END_SECONDS + REST_SECONDS)
        end_group(process.pid)
        process.wait()
        if prints.ident is not None:  # it has been started
            prints.join(1.0)


def heard(descriptor: int, seconds: float) -> dict[str, Any]:
    """Return what the process of an application says once it has started, or failed to; nothing if it says nothing.

    The application itself may have said it.
    """
    until, text = time.monotonic() + seconds, b""
    with open(descriptor, "rb", buffering=0) as told:
        while not text.endswith(b"\n") and len(text) < MOST_SAID and (left := until - time.monotonic()) > 0:
            if not select.select([told], [], [], left)[0] or not (more := told.read(1 << 16)):
                break
            text += more
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    ours = (
        isinstance(said, dict) and isinstance(said.get("environment"), dict) and isinstance(said.get("error", ""), str)
    )
    return said if ours and all(isinstance(value, str) for value in said["environment"].values()) else {}


def pass_on(stream: IO[bytes], name: str) -> None:
    """Print what an application prints, up to a limit, without secrets."""
    left, relay = MOST_PRINTED, Relay(guard(os.environ))
    with stream:
        for text in in_lines(stream):
            left -= len(text)
            if left > 0:
                relay.print(text.decode("utf-8", "replace"))
                time.sleep(LOOK_SECONDS)  # so that more is looked at together
            elif left + len(text) > 0:
                relay.print(f"{name} has printed more than {MOST_PRINTED >> 20} MiB, of which no more is shown\n")


def in_lines(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield what there is to be read, in whole lines; one that is too long has several parts."""
    begun = b""
    while more := os.read(stream.fileno(), MOST_READ):
        lines, end, begun = (begun + more).rpartition(b"\n")
        if lines or end:
            yield lines + end
        if len(begun) > LONGEST_LINE:
            yield begun
            begun = b""
    if begun:
        yield begun


def main() -> int:
    """Let a process serve an application until standard input ends, and then end all that it has started."""
    listener, tells = (int(number) for number in sys.argv[1:])
    if not (pid := os.fork()):
        os.setsid()
        status = serve_here(listener, tells)
        sys.stdout.flush()
        os._exit(status)  # whatever threads the application has left
    os.close(listener)
    os.close(tells)
    with STARTING:
        COMMANDS.add(pid)
    with adopting():
        try:
            return status_of(pid)
        finally:
            end_group(pid)


def status_of(pid: int) -> int:
    """Return the exit code of a process; kill it if it does not end some time after standard input has."""
    input_ends, latest = select.poll(), inf
    input_ends.register(0, 0)
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if latest == inf and input_ends.poll(0):
            latest = time.monotonic() + END_SECONDS
        if time.monotonic() > latest:
            end_group(pid)
        time.sleep(LOOK_SECONDS)


def serve_here(listener: int, tells: int) -> int:
    """Serve an application in this process until standard input ends; return the exit code."""
    given = json.loads(sys.stdin.buffer.readline())
    name, sys.path[:] = given["name"], given["path"]

    def tell(**said: Any) -> None:
        ours = {variable: value for variable, value in os.environ.items() if variable.startswith("HOSTUP_")}
        with suppress(OSError):
            os.write(tells, json.dumps({**said, "environment": ours}).encode() + b"\n")
            os.close(tells)

    try:
        app = load(name)
    except Misconfigured as error:
        tell(error=str(error).removeprefix(f"--app {name}: "))
        return 1
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False, ws="none", timeout_keep_alive=75))
    # One exception that the application does not catch tells enough: most requests may meet it.
    first = count()
    logging.getLogger("uvicorn.error").addFilter(lambda _: next(first) == 0)
    threading.Thread(target=end_with_input, args=(server,), daemon=True).start()
    threading.Thread(target=tell_once, args=(server, tell), daemon=True).start()
    with suppress(SystemExit):
        server.run([socket.socket(fileno=listener)])
    return 0


def tell_once(server: uvicorn.Server, tell: Callable[[], None]) -> None:
    """Tell that a server has started, once it has."""
    while not server.started:
        time.sleep(0.01)
    tell()


def end_with_input(server: uvicorn.Server) -> None:
    """Let a server end when standard input does, as when the suite has gone; end the process if it does not."""
    sys.stdin.buffer.read()
    server.should_exit = True
    time.sleep(END_SECONDS)
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
