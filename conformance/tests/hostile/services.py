"""Ports where something other than an HTTP/1.1 server listens: nothing there is a fault of the server that is meant."""

from collections.abc import Iterator

from client.serving import Part

from hostile import NOT_HTTP, hostile
from hostile.server import PATIENCE, RESET, Request


@hostile(NOT_HTTP, quick=True)
def redis(_request: Request) -> Iterator[Part]:
    """Redis: an error for the first line, and the end of the connection at "Host:"."""
    yield b"-ERR wrong number of arguments for 'get' command\r\n"


@hostile(NOT_HTTP)
def redis_that_resets(request: Request) -> Iterator[Part]:
    """Redis whose error is lost now and then, since it resets the connection."""
    if request.number % 3:
        yield b"-ERR wrong number of arguments for 'get' command\r\n"
    yield RESET


@hostile(NOT_HTTP)
def ftp_that_waits(_request: Request) -> Iterator[Part]:
    """An FTP server, which greets, and waits for a command that it knows."""
    yield b"220 ProFTPD Server ready.\r\n500 GET not understood\r\n"
    yield PATIENCE


@hostile(NOT_HTTP, quick=True)
def mysql(_request: Request) -> Iterator[Part]:
    """MySQL: a packet of its own, and an error."""
    yield b"\x4a\0\0\0\x0a8.0.36\0\x08\0\0\0\x3b\x5e\x2a\x61\x41\x0a\x0b\x7e\0\xff\xff\xff\x02\0" + bytes(13)
    yield b"\x21\0\0\x01\xff\x84\x04#08S01Got packets out of order"


@hostile(NOT_HTTP)
def echo(request: Request) -> Iterator[Part]:
    """An echo server: the request comes back, with the key in it."""
    yield f"{request.method} {request.target} HTTP/1.1\r\nAuthorization: Bearer {request.key}\r\n\r\n".encode()


@hostile(NOT_HTTP)
def rtsp(_request: Request) -> Iterator[Part]:
    """A camera: the status line of another protocol."""
    yield b"RTSP/1.0 400 Bad Request\r\nCSeq: 1\r\nContent-Length: 0\r\n\r\n"
