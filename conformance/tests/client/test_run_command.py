"""Running a command: asked for, started once, followed to its end; and what is told when it goes wrong in between."""

import asyncio
import json
import pickle
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from client.voices import KEY, PID, VPS, Clock, Script, Trouble, Voice, new_client
from hostup_agent_exec import AuthenticatedClient, errors
from hostup_agent_exec.api.agent import start_agent_exec
from hostup_agent_exec.models import CommandOutput
from hostup_conformance.respx import router

PATH = f"/api/v2/vps/{VPS}/agent/exec"
RUNNING = httpx.Response(200, json={"exited": False})


def server_of(**kinds: Trouble) -> Script:
    """Make a server with one response to each kind of request."""
    return Script(**{kind: [response] for kind, response in kinds.items()})


def starting(**members: Any) -> Script:
    return server_of(start=httpx.Response(200, json=members))


@pytest.fixture
def server() -> Script:
    return server_of()


def test_it_asks_starts_and_waits(voice: Voice, server: Script) -> None:
    assert voice.run(client=server.client) == CommandOutput(exited=True, exit_code=0, stdout="Linux\n")
    assert server.seen == ["probe", "start", "poll"]
    start, poll = server.requests[1:]
    assert json.loads(start.content) == {"command": "uname -a"}
    assert start.headers["content-type"] == "application/json"
    assert str(poll.url) == f"https://cloud.hostup.se{PATH}?pid={PID}"
    assert {request.headers["authorization"] for request in server.requests} == {f"Bearer {KEY}"}


def test_the_router_plays_it_again_and_again(voice: Voice, clock: Clock) -> None:
    pids: list[int] = []
    with router():
        for _ in range(2):
            client = AuthenticatedClient("https://h.test/prefix", KEY)
            assert voice.run(client=client, on_start=pids.append).exited
            client.close()
    assert pids == [PID, PID + 1]
    assert clock.slept == [0.25, 0.25]


@pytest.mark.parametrize(
    "body", [{"available": False, "reason": "It sleeps."}, {}, {"reason": None, "vmRunning": True}]
)
def test_nothing_is_started_unless_the_probe_says_yes(voice: Voice, body: dict[str, Any]) -> None:
    server = server_of(probe=httpx.Response(200, json=body))
    with pytest.raises(errors.AgentUnavailable) as caught:
        voice.run(client=server.client)
    reason = ": It sleeps." if body.get("reason") else ""
    assert str(caught.value) == f"commands cannot be run in this VPS now{reason} (GET {PATH})"
    assert server.seen == ["probe"]
    assert caught.value.availability is not None
    assert caught.value.availability.to_dict() == body
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301
    assert again.availability == caught.value.availability


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(403), errors.Forbidden),
        (httpx.Response(503), errors.UnexpectedStatus),
        (httpx.Response(200, json={"exited": True}), errors.InvalidResponse),
        (httpx.ReadTimeout, httpx.ReadTimeout),
    ],
)
def test_a_probe_that_fails_starts_nothing(
    voice: Voice, answer: httpx.Response | type[Exception], error: type[Exception]
) -> None:
    server = server_of(probe=answer)
    with pytest.raises(error):
        voice.run(client=server.client)
    assert server.seen == ["probe"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(307, headers={"Location": "https://elsewhere.test/"}), errors.UnexpectedStatus),
        (httpx.Response(308), errors.UnexpectedStatus),
        (httpx.Response(400), errors.BadRequest),
        (httpx.Response(418), errors.UnexpectedStatus),
        (httpx.Response(499), errors.UnexpectedStatus),
        (httpx.ConnectError, httpx.ConnectError),
        (httpx.PoolTimeout, httpx.PoolTimeout),
    ],
)
def test_a_start_that_was_refused_says_so(
    voice: Voice, answer: httpx.Response | type[Exception], error: type[Exception]
) -> None:
    server = server_of(start=answer)
    with pytest.raises(error):
        voice.run(client=server.client)
    assert server.seen == ["probe", "start"]


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (httpx.ReadTimeout, "did not arrive"),
        (httpx.WriteError, "did not arrive"),
        (httpx.RemoteProtocolError, "did not arrive"),
        (httpx.Response(202), "tells of no command: 202 Accepted"),
        (httpx.Response(299), "tells of no command: 299"),
        (httpx.Response(302), "tells of no command: 302 Found"),
        (httpx.Response(303, headers={"Location": f"{PATH}?pid=7"}), "tells of no command: 303 See Other"),
        (httpx.Response(500), "tells of no command: 500 Internal Server Error"),
        (httpx.Response(504), "tells of no command: 504 Gateway Timeout"),
        (httpx.Response(200, text="<html>"), "tells of no command: $: expected JSON, got something else"),
        (httpx.Response(200, json={"pid": "7"}), "tells of no command: $.pid: expected integer, got string"),
    ],
)  # fmt: skip
def test_a_start_that_may_be_lost_is_final(voice: Voice, answer: httpx.Response | type[Exception], text: str) -> None:
    server, pids = server_of(start=answer), list[int]()
    with pytest.raises(errors.StartLost) as caught:
        voice.run(client=server.client, on_start=pids.append)
    assert str(caught.value).startswith(f"the response to a start {text}")
    assert (server.seen, pids) == (["probe", "start"], [])
    assert caught.value.__cause__ is not None
    assert caught.value.status_code == (answer.status_code if isinstance(answer, httpx.Response) else None)


@pytest.mark.parametrize(
    "url",
    [
        f"{PATH}?pid=7",
        f"{PATH}?pid=07",
        f"{PATH}?since=0&pid=7#state",
        f"/api/v2/vps/%76{VPS[1:]}/agent/exec?pid=%37",
    ],
)
def test_a_poll_url_of_this_endpoint_is_read(voice: Voice, url: str) -> None:
    server = starting(pollUrl=url)
    assert voice.run(client=server.client).exited
    assert str(server.requests[2].url) == f"https://cloud.hostup.se{PATH}?pid=7"


BAD_URLS = [
    "https://elsewhere.test" + PATH + "?pid=7",
    "//elsewhere.test" + PATH + "?pid=7",
    "//cloud.hostup.se" + PATH + "?pid=7",
    "https://cloud.hostup.se" + PATH + "?pid=7",  # the page says a path
    "/\\elsewhere.test" + PATH + "?pid=7",
    "/api/v2/vps/vps_other/agent/exec?pid=7",
    f"/api/v2/vps/{VPS}/console?pid=7",
    f"/prefix{PATH}?pid=7",
    f"/api/v2/../v2/vps/{VPS}/agent/exec?pid=7",
    f"{PATH}/?pid=7",
    "?pid=7",
    PATH,
    f"{PATH}?pid=",
    f"{PATH}?pid=0",
    f"{PATH}?pid=-7",
    f"{PATH}?pid=+7",
    f"{PATH}?pid=٧",
    f"{PATH}?pid=7&pid=8",
    f"{PATH}?PID=7",
    f"{PATH}?pid={'7' * 5000}",
    f"{PATH}?pid=7\n",
    "/" + "x" * 70_000,
    "",
]


@pytest.mark.parametrize("url", BAD_URLS)
def test_any_other_is_not_followed_nor_needed(voice: Voice, url: str) -> None:
    server = starting(pollUrl=url)
    with pytest.raises(
        errors.StartLost, match=r"^the response to a start names no command \(POST /api/v2/vps/"
    ) as caught:
        voice.run(client=server.client)
    assert server.seen == ["probe", "start"]
    assert caught.value.status_code == 200
    server = starting(pid=PID, pollUrl=url)
    assert voice.run(client=server.client).exited
    assert server.seen == ["probe", "start", "poll"]
    assert str(server.requests[2].url) == f"https://cloud.hostup.se{PATH}?pid={PID}"


@pytest.mark.parametrize("members", [{}, {"pid": 0}, {"pid": -1}, {"pid": 0, "pollUrl": "/"}, {"command": "uname"}])
def test_a_start_that_names_nothing_is_lost(voice: Voice, members: dict[str, Any]) -> None:
    server = starting(**members)
    with pytest.raises(errors.StartLost, match="names no command"):
        voice.run(client=server.client)
    assert server.seen == ["probe", "start"]


@pytest.mark.parametrize("pid", [PID, 0, -5])
def test_one_that_names_two_is_lost_too(voice: Voice, pid: int) -> None:
    # The poll of the wrong one might take somebody's output away.
    server = starting(pid=pid, pollUrl=f"{PATH}?pid={PID + 1}")
    with pytest.raises(errors.StartLost, match="names two commands"):
        voice.run(client=server.client)
    assert server.seen == ["probe", "start"]


def test_prefix_and_odd_id_belong_to_the_path(voice: Voice) -> None:
    server = starting(pollUrl="/to/here/api/v2/vps/a%2Fb%20c/agent/exec?pid=7")
    client = AuthenticatedClient("https://h.test/to/here/", KEY, httpx_args={"transport": server})
    assert voice.run("a/b c", client=client).exited
    assert server.requests[2].url.raw_path == b"/to/here/api/v2/vps/a%2Fb%20c/agent/exec?pid=7"
    client.close()


@pytest.mark.parametrize("id", ["a!b", "a(b)*'c", "a:b@c+d", "~ü", "50%"])
def test_the_same_id_may_be_written_otherwise(voice: Voice, id: str) -> None:
    for written in (quote(id, safe="!'()*~:@+"), quote(id, safe=""), quote(id, safe="").lower()):
        server = starting(pollUrl=f"/api/v2/vps/{written}/agent/exec?pid=7")
        assert voice.run(id, client=server.client).exited


def test_a_query_of_the_given_client_is_kept(clock: Clock) -> None:  # noqa: ARG001
    server = starting(pollUrl=f"{PATH}?pid=7")
    for client in (
        AuthenticatedClient("https://h.test", KEY).set_httpx_client(
            httpx.Client(transport=server, params={"tenant": "x"})
        ),
        AuthenticatedClient("https://h.test", KEY, httpx_args={"transport": server, "params": {"tenant": "x"}}),
    ):
        assert start_agent_exec.run(VPS, "uname", client=client).exited
    queries = [bytes(request.url.query).decode() for request in server.requests]
    assert queries == ["tenant=x", "tenant=x", "tenant=x&pid=7"] * 2


def test_the_time_is_for_all_of_it(voice: Voice, clock: Clock) -> None:
    server, states = server_of(poll=RUNNING).taking(4, clock), list[CommandOutput]()
    with pytest.raises(errors.CommandStillRunning) as caught:
        voice.run(client=server.client, timeout=17, interval=2, on_progress=states.append)
    assert server.seen == ["probe", "start", "poll", "poll"]
    assert clock.slept == [2]
    assert (caught.value.pid, caught.value.state) == (PID, CommandOutput(exited=False))
    assert states == [CommandOutput(exited=False)] * 2


def test_with_no_time_left_it_still_polls(voice: Voice, clock: Clock) -> None:
    server = server_of(poll=RUNNING).taking(4, clock)
    with pytest.raises(errors.CommandStillRunning) as caught:
        voice.run(client=server.client, timeout=0)
    assert server.seen == ["probe", "start", "poll"]
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301
    assert again.pid == PID


@pytest.mark.parametrize("timeout", [4, 3.9])
def test_nothing_is_started_after_the_time(voice: Voice, clock: Clock, timeout: float) -> None:
    server = server_of().taking(4, clock)
    with pytest.raises(httpx.PoolTimeout) as caught:
        voice.run(client=server.client, timeout=timeout)
    says = "the time was over before the command could be started"
    assert (str(caught.value), server.seen, clock.slept) == (says, ["probe"], [])


def test_nor_is_it_by_a_client_of_the_caller_s(clock: Clock) -> None:
    server = server_of().taking(4, clock)
    client = new_client().set_httpx_client(httpx.Client(transport=server))
    with pytest.raises(httpx.PoolTimeout):
        start_agent_exec.run(VPS, "uname", client=client, timeout=4)
    assert server.seen == ["probe"]


def test_nor_is_it_if_its_turn_comes_too_late(clock: Clock) -> None:
    server = server_of().taking(4, clock)

    async def respond(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)
        return server.play(request)

    async def main() -> list[Any]:
        arguments = {"transport": httpx.MockTransport(respond), "limits": httpx.Limits(max_connections=1)}
        async with new_client(httpx_args=arguments) as client:
            runs = [start_agent_exec.asyncio_run(id, "x", client=client, timeout=10) for id in "ab"]
            return await asyncio.gather(*runs, return_exceptions=True)

    first, second = asyncio.run(main())
    assert isinstance(first, CommandOutput | errors.CommandStillRunning)  # waiting for a turn counts for its poll too
    assert isinstance(second, httpx.PoolTimeout)
    assert server.seen.count("start") == 1


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(404), errors.NotFound),
        (httpx.Response(401), errors.Unauthorized),
        (httpx.Response(500), errors.OutputLost),
        (httpx.Response(200, text="{"), errors.InvalidResponse),
        (httpx.ReadTimeout, errors.OutputLost),
    ],
)
def test_whatever_happens_after_the_start_names_the_command(
    voice: Voice, clock: Clock, answer: httpx.Response | type[Exception], error: type[errors.HostUpError]
) -> None:
    with pytest.raises(error) as caught:
        voice.run(client=server_of(poll=answer).client, timeout=9)
    assert caught.value.pid == PID
    assert sum(clock.slept) == (9 if error is errors.OutputLost else 0)


@pytest.mark.parametrize("cause", [httpx.ConnectError, httpx.PoolTimeout])
def test_an_unsent_poll_is_no_unsent_start(voice: Voice, clock: Clock, cause: type[Exception]) -> None:
    with pytest.raises(errors.CommandStillRunning, match="the command has not ended in time") as caught:
        voice.run(client=server_of(poll=cause).client, timeout=9)
    assert (caught.value.pid, type(caught.value.__cause__), sum(clock.slept)) == (PID, cause, 9)


def test_what_happens_before_the_start_names_none(voice: Voice) -> None:
    for server in (
        server_of(probe=httpx.Response(404)),
        server_of(start=httpx.Response(403)),
        server_of(start=httpx.ReadError),
    ):
        with pytest.raises(errors.HostUpError) as caught:
            voice.run(client=server.client)
        assert caught.value.pid is None


async def _async_callback(_: object) -> None: ...


def test_the_pid_is_told_before_the_first_poll(voice: Voice) -> None:
    server, told = server_of(poll=httpx.Response(401)), list[tuple[int, int]]()
    with pytest.raises(errors.Unauthorized):
        voice.run(client=server.client, on_start=lambda pid: told.append((pid, len(server.seen))))
    assert told == [(PID, 2)]


@pytest.mark.parametrize("pid", [None, 77])
@pytest.mark.parametrize("callback", ["on_start", "on_progress"])
def test_an_error_of_a_callback_s_own_call_does_not_hide_the_pid(voice: Voice, callback: str, pid: int | None) -> None:
    def fail(_: object) -> None:
        error = errors.CommandStillRunning("another one")
        error.pid = pid
        raise error

    server = server_of(poll=RUNNING)
    with pytest.raises(errors.CommandStillRunning, match="another one") as caught:
        voice.run(client=server.client, **{callback: fail})
    assert caught.value.pid == (pid or PID)
    assert pid is None or caught.value.__notes__ == [f"the command was started: pid {PID}"]


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"command": None}, TypeError, "command: expected str, got NoneType"),
        ({"command": ["ls", "-l"]}, TypeError, "command: expected str, got list"),
        ({"command": ""}, ValueError, "command: expected 1 to 4096 characters, got 0"),
        ({"command": "x" * 4097}, ValueError, "command: expected 1 to 4096 characters, got 4097"),
        ({"command": "rm -rf x\0/y"}, ValueError, r"command: expected a match of ^[^\u0000]*$"),
        ({"command": "\udce9"}, ValueError, "command: expected text that UTF-8 can encode"),
        ({"on_start": []}, TypeError, "on_start: expected a function that is not async"),
        ({"on_start": _async_callback}, TypeError, "on_start: expected a function that is not async"),
        ({"on_progress": 0}, TypeError, "on_progress: expected a function that is not async"),
        ({"id": ""}, ValueError, "id: expected neither an empty string nor a dot segment"),
        ({"id": ".."}, ValueError, "id: expected neither an empty string nor a dot segment"),
        ({"id": None}, TypeError, "id: expected str, got NoneType"),
        ({"timeout": -1}, ValueError, "timeout: expected a number of seconds from 0 to 1e+09"),
        ({"interval": 0}, ValueError, "interval: expected a number of seconds above 0, and 1e+09 at most"),
        ({"interval": "1"}, TypeError, "interval: expected int or float, got str"),
    ],
)
def test_senseless_arguments_are_refused_before_anything_is_sent(
    voice: Voice, server: Script, arguments: dict[str, Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error) as caught:
        voice.run(client=server.client, **arguments)
    assert str(caught.value) == says
    assert server.seen == []


@pytest.mark.parametrize("command", ["x", "x" * 4096, "\n", "é"])
def test_any_other_text_is_a_command(voice: Voice, server: Script, command: str) -> None:
    assert voice.run(command=command, client=server.client).exited
    assert json.loads(server.requests[1].content) == {"command": command}


@pytest.mark.parametrize(
    "start", [httpx.Response(200, json={}), httpx.Response(200, json={"pid": 1, "pollUrl": f"{PATH}?pid=2"})]
)
def test_a_lost_start_has_its_answer(voice: Voice, start: httpx.Response) -> None:
    with pytest.raises(errors.StartLost) as caught:
        voice.run(client=server_of(start=start).client)
    assert caught.value.response is not None
    assert caught.value.response.json() == start.json()


@pytest.mark.parametrize("members", [{"pid": 1}, {"pollUrl": f"{PATH}?pid=1"}])
def test_the_first_pid_of_all_is_one(voice: Voice, members: dict[str, Any]) -> None:
    seen: list[int] = []
    voice.run(client=starting(**members).client, on_start=seen.append)
    assert seen == [1]


def test_a_slash_in_an_id_is_no_segment(voice: Voice) -> None:
    with pytest.raises(errors.StartLost, match=r"^the response to a start names no command \(POST /api/v2/vps/"):
        voice.run("a/b", client=starting(pollUrl="/api/v2/vps/a/b/agent/exec?pid=7").client)


class OtherLibraryError(Exception):
    """Of a transport that is made of another library."""


@pytest.mark.parametrize("kind", ["start", "poll"])
def test_errors_of_other_libraries_lose_too(voice: Voice, kind: str) -> None:
    lost = {"start": errors.StartLost, "poll": errors.OutputLost}[kind]
    with pytest.raises(lost) as caught:
        voice.run(client=server_of(**{kind: OtherLibraryError}).client)
    assert isinstance(caught.value.__cause__, OtherLibraryError)


@pytest.mark.parametrize("at", [-1, 0, 1])
def test_no_part_of_a_key_is_shown_where_a_text_is_cut(voice: Voice, at: int) -> None:
    """Neither at the beginning of what a command wrote last, nor at the end of a reason."""
    stderr = KEY + "x" * (300 - len(KEY) + at)
    server = Script(poll=[httpx.Response(200, json={"exited": True, "exitCode": 1, "stderr": stderr})])
    with pytest.raises(errors.CommandFailed) as failed:
        voice.run(client=server.client, check=True)
    reason = "p" * (1000 - 40 * len(KEY) - at) + KEY * 40
    server = Script(probe=[httpx.Response(200, json={"available": False, "reason": reason})])
    with pytest.raises(errors.AgentUnavailable) as unavailable:
        voice.run(client=server.client)
    for error in (failed.value, unavailable.value):
        assert KEY[1:] not in str(error)
        assert KEY[:-1] not in str(error)
