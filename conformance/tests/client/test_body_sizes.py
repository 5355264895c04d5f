"""How large a body may be: what the document says of each operation, what the client says, and how many values."""

import asyncio
from typing import Any

import httpx
import pytest
from client.voices import PID, VPS, Voice, answering, new_client, played
from hostup_agent_exec import AuthenticatedClient, errors
from hostup_agent_exec.api.agent import get_agent_exec, start_agent_exec
from hostup_agent_exec.api.vps import get_vps_status, list_vps
from hostup_agent_exec.models import CommandStart

MIB = 2**20
OPERATIONS: dict[str, tuple[Any, dict[str, Any], bytes, int]] = {
    "probe": (get_agent_exec, {"id": VPS}, b'{"available":true}', MIB),
    "start": (start_agent_exec, {"id": VPS, "body": CommandStart("x")}, b'{"pid":4242}', MIB),
    "status": (get_vps_status, {"id": VPS}, b"{}", MIB),
    "list": (list_vps, {}, b'{"data":[]}', 8 * MIB),
}


def blank(body: bytes, size: int) -> httpx.Response:
    """Make a response of that size: blanks say nothing in JSON."""
    return httpx.Response(200, content=body.ljust(size))


def called(operation: Any, form: str, client: AuthenticatedClient, **arguments: Any) -> Any:
    made = getattr(operation, form)(client=client, **arguments)
    return asyncio.run(made) if "asyncio" in form else made


@pytest.mark.parametrize("form", ["sync", "asyncio", "sync_detailed", "asyncio_detailed"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_takes_what_it_can_need(name: str, form: str) -> None:
    operation, arguments, body, largest = OPERATIONS[name]
    called(operation, form, answering(blank(body, largest)), **arguments)
    with pytest.raises(errors.TooLarge, match=f": a body of more than {largest} bytes$"):
        called(operation, form, answering(blank(body, largest + 1)), **arguments)


def test_pages_are_bounded_too(voice: Voice) -> None:
    with pytest.raises(errors.TooLarge, match=f": a body of more than {8 * MIB} bytes$"):
        voice.items(client=answering(blank(b'{"data":[]}', 8 * MIB + 1)))


def test_output_may_be_larger(voice: Voice) -> None:
    client = answering(lambda _: played(blank(b'{"exited":true}', MIB + 1)))
    for call in (voice.call, voice.detailed, voice.wait):
        call(client=client, pid=PID)
    assert get_agent_exec._request(VPS, pid=PID).largest_body == 200 * MIB


def test_the_client_s_own_bound_goes_before(voice: Voice) -> None:
    client = answering(blank(b'{"available":true}', 1000))
    client.max_body_bytes = 999
    with pytest.raises(errors.TooLarge, match=r": a body of more than 999 bytes$"):
        voice.call(client=client)


@pytest.mark.parametrize("status", [302, 404, 429, 500])
def test_an_error_has_a_mebibyte_to_say_what_it_is(voice: Voice, status: int) -> None:
    """Beyond that its status alone tells; a redirect, which may come of a success, is too large."""
    problem = b'{"code":"too_long"}'
    for size, code in ((MIB, "too_long"), (MIB + 1, None)):
        with pytest.raises(errors.ResponseError) as caught:
            voice.call(client=answering(httpx.Response(status, content=problem.ljust(size))), pid=PID)
        is_too_large = isinstance(caught.value, errors.TooLarge)
        assert (caught.value.status_code, is_too_large) == (status, size > MIB and status < 400)
        assert caught.value.code == (code if status >= 400 else None)
    client = answering(httpx.Response(status, content=problem.ljust(1000)))
    client.max_body_bytes = 999
    with pytest.raises(errors.ResponseError) as caught:
        voice.call(client=client)
    assert caught.value.code is None


@pytest.mark.parametrize(("large", "error"), [("probe", errors.TooLarge), ("start", errors.StartLost)])
def test_what_is_too_large_ends_a_run(voice: Voice, large: str, error: type[errors.HostUpError]) -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append("start" if request.method == "POST" else "probe")
        body = b'{"pid":4242}' if request.method == "POST" else b'{"available":true}'
        return blank(body, MIB + 1 if seen[-1] == large else 0)

    with pytest.raises(error) as caught:
        voice.run(client=answering(answer))
    assert caught.value.pid is None
    assert seen == (["probe"] if large == "probe" else ["probe", "start"])


OUTPUT = b'{"exited":true,"stdout":"%s"}'
HALF = 500_000


@pytest.mark.parametrize(
    "body",
    [
        b'{"exited":true,"x":[%s]}' % b",".join([b"12"] * (HALF + 1)),
        b'{"exited":true,"x":[%s]}' % b",".join([b"[]"] * HALF),
        b'{"exited":true,"x":%s}' % (b"[" * (HALF + 1) + b" " * MIB),
        b'{"exited":true,"x":[%s]}' % b" ".join([b"{}"] * (HALF + 1)),
        b'{"exited":true,%s}' % b",".join([b'"%d":""' % number for number in range(HALF // 4)]),
    ],
    ids=["numbers", "arrays", "nested", "objects", "texts"],
)
def test_a_large_body_holds_few_values(voice: Voice, body: bytes) -> None:
    with pytest.raises(errors.InvalidResponse, match=r"^\$: expected 500000 values at most, got more "):
        voice.call(client=answering(httpx.Response(200, content=body)), pid=PID)


@pytest.mark.parametrize(
    "text", [b"[{,", rb"\",", rb"\\", rb"\\\"[", b"\\n,"], ids=["marks", "quotes", "backslashes", "both", "newlines"]
)
def test_a_text_is_one_value_whatever_it_holds(voice: Voice, text: bytes) -> None:
    body = OUTPUT % (text * (HALF + 1))
    output = voice.call(client=answering(httpx.Response(200, content=body)), pid=PID)
    assert len(output.stdout_text) >= HALF


def test_a_text_may_end_with_a_backslash(voice: Voice) -> None:
    body = rb'{"exited":true,"stdout":"\\","stderr":"' + b"," * (MIB + 1) + b'"}'
    output = voice.call(client=answering(httpx.Response(200, content=body)), pid=PID)
    assert (output.stdout_text, len(output.stderr_text)) == ("\\", MIB + 1)


def test_as_many_values_as_may_be_are_taken(voice: Voice) -> None:
    body = b'{"x":[%s],"exited":true}' % b",".join([b"12"] * HALF)
    assert voice.call(client=answering(httpx.Response(200, content=body)), pid=PID).exited


def test_a_small_body_may_hold_anything(voice: Voice) -> None:
    body = (b'{"exited":true,"x":[%s]}' % b",".join([b"1"] * (HALF + 1))).ljust(MIB)
    assert len(body) == MIB
    assert voice.call(client=answering(httpx.Response(200, content=body)), pid=PID).exited


def test_a_streamed_body_is_held_to_the_same() -> None:
    body = b'{"exited":true,"x":[%s]}' % b",".join([b"1"] * (2 * HALF))
    transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=httpx.ByteStream(body)))
    for voice in (Voice("sync"), Voice("asyncio")):
        with pytest.raises(errors.InvalidResponse, match="500000 values at most"):
            voice.call(client=new_client(httpx_args={"transport": transport}), pid=PID)
