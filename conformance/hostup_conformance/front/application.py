"""Serves the user's ASGI or WSGI application in this process, on a port of its own."""

from __future__ import annotations

import inspect
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from hostup_conformance.keeping.misconfigured import Misconfigured
from hostup_conformance.mock.memory import listen

#: How long an application may take to start, in seconds.
START_SECONDS = 30.0


def load(name: str) -> ASGIApp:
    """Import an ASGI application, wrapping a WSGI application and calling a factory.

    Args:
        name: MODULE:ATTRIBUTE, as uvicorn and gunicorn take it
    Raises:
        Misconfigured: there is none
    """
    module, _, attribute = name.partition(":")
    if not module or not attribute:
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
    except (Exception, SystemExit) as error:
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


@contextmanager
def serve(name: str) -> Iterator[str]:
    """Serve an application in a thread of this process; give its base URL.

    Raises:
        Misconfigured: there is none, or it does not start
    """
    app, listener = load(name), listen()
    config = uvicorn.Config(app, log_level="critical", access_log=False, ws="none", timeout_keep_alive=75)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=run, args=(server, [listener]), daemon=True, name="application")
    thread.start()
    try:
        until = time.monotonic() + START_SECONDS
        while not server.started:
            if not thread.is_alive() or time.monotonic() > until:
                raise Misconfigured(f"--app {name}: it does not start; try it with: uvicorn {name}")
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(5)
        listener.close()


def run(server: uvicorn.Server, sockets: list[Any]) -> None:
    """Run a server to its end. If the application does not start, uvicorn exits, which `serve` notices."""
    try:
        server.run(sockets)
    except SystemExit:
        return
