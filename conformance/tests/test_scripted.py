"""The one server of scripts."""

import asyncio
import errno
import socket

import pytest
from hostup_conformance.http.scripted import Received, Reply, ScriptedServer, reset


@pytest.mark.parametrize("reuse", [0, 1])
def test_the_port_of_a_server_that_is_gone_is_nobody_else_s(reuse: int) -> None:
    """Even while connections are open, which keep a port from being bound: a client that comes back met another."""

    def last(_: Received) -> Reply:
        return Reply(200, body=b"{}", last=True)

    async def main() -> tuple[int, bytes]:
        server = ScriptedServer(last)
        port = await server.listen("h.test", "own")
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: h.test\r\n\r\n")
        response = await reader.readuntil(b"{}")
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        reset(writer)  # so that nothing of the connection is left
        await asyncio.sleep(0.01)
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, reuse)
            with pytest.raises(OSError) as refused:  # noqa: PT011 - its number is looked at
                other.bind(("127.0.0.1", port))
        await server.close()
        return refused.value.errno or 0, response

    number, response = asyncio.run(main())
    assert number == errno.EADDRINUSE
    assert response.startswith(b"HTTP/1.1 200")


def response_to(request: bytes) -> tuple[bytes, bytes]:
    """Return the head and the body that come before the server ends the connection."""

    async def main() -> bytes:
        server = ScriptedServer(lambda _: Reply(200, body=b"{}", chunked=b"HTTP/1.0" in request))
        port = await server.listen("h.test", "own")
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        response = await asyncio.wait_for(reader.read(), 20)
        writer.close()
        await server.close()
        return response

    head, _, body = asyncio.run(main()).partition(b"\r\n\r\n")
    return head, body


def test_a_client_of_http_1_0_reads_to_the_end_of_the_connection() -> None:
    head, body = response_to(b"GET / HTTP/1.0\r\n\r\n")
    assert (b"Content-Length: 2" in head, body) == (True, b"{}")


def test_a_connection_that_the_client_closes_is_said_to_be_closed() -> None:
    """A client that keeps connections by what the response says would send its next request on it."""
    head, body = response_to(b"GET / HTTP/1.1\r\nHost: h.test\r\nConnection: close\r\n\r\n")
    assert (b"Connection: close" in head, body) == (True, b"{}")


@pytest.mark.parametrize("goes", [True, False])
def test_a_client_that_sends_no_more_may_still_read(goes: bool) -> None:
    """As one that writes by netcat closes its side once its request is sent."""

    async def main() -> tuple[bytes, list[bool]]:
        server = ScriptedServer(lambda _: Reply(200, body=b"{}", delay=0.05))
        port = await server.listen("h.test", "own")
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: h.test\r\n\r\n")
        await writer.drain()
        if goes:
            writer.close()
        else:
            writer.write_eof()
        response = b"" if goes else await asyncio.wait_for(reader.read(), 20)
        await asyncio.sleep(0.2)
        writer.close()
        await server.close()
        return response, [received.delivered for received in server.received]

    response, delivered = asyncio.run(main())
    assert (response.endswith(b"{}"), delivered) == (not goes, [not goes])
