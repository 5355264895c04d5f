"""The client object: what it holds, shows, shares and closes."""

import asyncio
import gc
import logging
import pickle
import ssl
import threading
import time
from base64 import b64decode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib import import_module
from importlib.metadata import version
from traceback import TracebackException
from typing import Any

import httpx
import pytest
import respx
from client.serving import replied, serving
from client.voices import BASE_URL, KEY, PID, VPS, Clock, Recorder, Voice, new_client, played
from hostup_agent_exec import AuthenticatedClient, Client, __version__
from hostup_agent_exec.api.agent import get_agent_exec, start_agent_exec
from hostup_agent_exec.errors import ResponseError, TooLarge
from hostup_agent_exec.models import CommandStart
from hostup_agent_runtime.connections import only_http1
from hostup_agent_runtime.sending import Evidence, Request, json_body
from hostup_agent_runtime.values import anything
from hostup_conformance.http.scripted import Received, Reply

OK = httpx.Response(200, json={"exited": False}, headers={"Set-Cookie": "a=b"})


@pytest.fixture
def server() -> Recorder:
    return Recorder(OK)


@pytest.fixture
def client(server: Recorder) -> AuthenticatedClient:
    return server.client


def test_its_version_is_the_distribution_s() -> None:
    assert __version__ == version("hostup-agent-exec")


@pytest.mark.parametrize("url", ["https://h.test/gate", "https://h.test/gate/", "http://127.0.0.1:8080/gateX"])
def test_a_path_prefix_is_kept(voice: Voice, server: Recorder, url: str) -> None:
    voice.call(client=AuthenticatedClient(url, KEY, httpx_args={"transport": server}), pid=PID)
    assert str(server.last.url) == f"{url.rstrip('/')}/api/v2/vps/{VPS}/agent/exec?pid={PID}"


@pytest.mark.parametrize(
    "url",
    ["", "h.test", "ftp://h.test", "https://", "https://h.test?a=b", "https://h.test#a", "https://h.test/?",
     "https://h.test#", "https://h.test:port", "https://h.test/\n", "https://h.test:0", "https://h.test:65536",
     "http://127.0.0.1:-1", "https://h..test", f"https://{'a' * 64}.test"],
)  # fmt: skip
def test_a_wrong_base_url_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match=r"^base_url: expected http or https"):
        Client(url)


@pytest.mark.parametrize("made", [new_client(), Client(BASE_URL)])
def test_it_has_a_timeout(made: Client) -> None:
    assert made.get_httpx_client().timeout == httpx.Timeout(30, connect=10)
    assert made.get_async_httpx_client().timeout == httpx.Timeout(30, connect=10)
    made.close()
    asyncio.run(made.aclose())


def test_the_key_is_never_shown(voice: Voice, client: AuthenticatedClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    voice.call(client=client, pid=PID)
    assert caplog.text
    assert KEY not in caplog.text + repr(client) + str(client)
    assert repr(client) == f"AuthenticatedClient(URL('{BASE_URL}'))"


def test_a_password_in_a_wrong_url_is_hidden() -> None:
    with pytest.raises(ValueError, match="base_url") as caught:
        Client("https://me:hunter2/x@h.test")
    assert "hunter2" not in repr(caught.value)
    assert caught.value.__context__ is None  # whose text would show it


def test_the_key_is_never_pickled(voice: Voice, client: AuthenticatedClient) -> None:
    client = new_client(headers={"X-Trace": "1"}, timeout=httpx.Timeout(3))
    client.get_httpx_client()
    client.get_async_httpx_client()
    client.set_httpx_client(httpx.Client(headers={"Authorization": KEY}))
    client.set_async_httpx_client(httpx.AsyncClient(headers={"Authorization": KEY}))
    pickled = pickle.dumps(client)
    assert KEY.encode() not in pickled
    other: AuthenticatedClient = pickle.loads(pickled)  # noqa: S301
    with pytest.raises(ValueError, match="token"):
        voice.call(client=other)
    other.token = "sk_other"
    server = Recorder(OK)
    voice_client = other.set_httpx_client(httpx.Client(transport=server))
    get_agent_exec.sync(VPS, client=voice_client, pid=PID)
    assert server.last.headers["Authorization"] == "Bearer sk_other"
    assert server.last.headers["X-Trace"] == "1"
    assert server.last.extensions["timeout"]["read"] == 3
    other.close()


@respx.mock
def test_an_unpickled_client_makes_connections_again(voice: Voice) -> None:
    asked = respx.get(path__regex="/agent/exec$").respond(json={"available": True})
    other: AuthenticatedClient = pickle.loads(pickle.dumps(new_client().with_headers({"X-Trace": "1"})))  # noqa: S301
    other.token = "sk_other"
    assert voice.call(client=other).available
    assert asked.calls.last.request.headers["X-Trace"] == "1"


@respx.mock
def test_seconds_keep_the_times_of_the_parts(voice: Voice) -> None:
    asked = respx.get(path__regex="/agent/exec$").respond(json={"available": True})
    voice.call(client=new_client().with_timeout(httpx.Timeout(7, connect=3)).with_timeout(50.0))
    assert asked.calls.last.request.extensions["timeout"] == {"connect": 3, "read": 7, "write": 7, "pool": 7}


def test_a_new_key_is_used_at_once(voice: Voice, client: AuthenticatedClient, server: Recorder) -> None:
    for token in (KEY, "sk_new"):
        client.token = token
        voice.call(client=client, pid=PID)
        assert server.last.headers.get_list("Authorization") == [f"Bearer {token}"]


def test_prefix_and_header_can_be_others(voice: Voice, server: Recorder) -> None:
    client = AuthenticatedClient(BASE_URL, KEY, "", "X-Key", httpx_args={"transport": server})
    voice.call(client=client, pid=PID)
    assert server.last.headers["X-Key"] == KEY
    assert "Authorization" not in server.last.headers


def given(client: AuthenticatedClient, voice: Voice, server: Recorder, **arguments: object) -> AuthenticatedClient:
    if voice.is_async:
        return client.set_async_httpx_client(httpx.AsyncClient(transport=server, **arguments))  # type: ignore[arg-type]
    return client.set_httpx_client(httpx.Client(transport=server, **arguments))  # type: ignore[arg-type]


def test_through_a_given_client_everything_is_kept(voice: Voice, server: Recorder) -> None:
    client = given(
        new_client(headers={"X-Trace": "1"}, cookies={"c": "1", "d": "2"}),
        voice,
        server,
        base_url="https://other.test",
        headers={"X-Own": "2", "accept": "*/*"},
        auth=("me", "secret"),
    )
    voice.call(client=client, pid=PID)
    assert server.last.url.host == "cloud.hostup.se"
    assert server.last.headers.get_list("Authorization") == [f"Bearer {KEY}"]
    assert server.last.headers.get_list("Accept") == ["application/json, application/problem+json"]
    assert (server.last.headers["X-Trace"], server.last.headers["X-Own"]) == ("1", "2")
    assert server.last.headers["Cookie"] == "c=1; d=2"


def test_a_given_client_keeps_its_timeout_unless_told(voice: Voice, server: Recorder) -> None:
    client = given(new_client(), voice, server, timeout=7)
    voice.call(client=client, pid=PID)
    assert server.last.extensions["timeout"]["read"] == 7
    voice.call(client=client.with_timeout(httpx.Timeout(2)), pid=PID)
    assert server.last.extensions["timeout"]["read"] == 2


def test_no_redirect_is_followed_by_given_clients(voice: Voice) -> None:
    server = Recorder(httpx.Response(302, headers={"Location": "https://elsewhere.test/"}))
    client = given(new_client(), voice, server, follow_redirects=True)
    assert voice.detailed(client=client).status_code == 302
    assert [request.url.host for request in server.requests] == ["cloud.hostup.se"]


@pytest.mark.parametrize("opened", [False, True])
def test_with_leaves_the_original_alone(
    voice: Voice, client: AuthenticatedClient, server: Recorder, opened: bool
) -> None:
    if opened:
        voice.call(client=client, pid=PID)
    other = (
        client.with_headers({"X-A": "1"})
        .with_headers({"x-a": "2"})
        .with_cookies({"c": "1"})
        .with_timeout(httpx.Timeout(1))
    )
    voice.call(client=other, pid=PID)
    assert server.last.headers.get_list("X-A") == ["2"]
    assert server.last.headers["Cookie"] == "c=1"
    assert server.last.extensions["timeout"]["read"] == 1
    assert type(other) is AuthenticatedClient
    voice.call(client=client, pid=PID)
    assert "X-A" not in server.last.headers
    assert server.last.headers.get("Cookie") != "c=1"
    assert server.last.extensions["timeout"]["read"] == 30
    for each in (client, other):
        each.close()


def test_with_shares_a_given_client(voice: Voice, server: Recorder) -> None:
    voice.call(client=given(new_client(), voice, server).with_headers({"User-Agent": "mine"}), pid=PID)
    assert server.last.headers.get_list("User-Agent") == ["mine"]


def test_headers_given_later_do_not_change_it(server: Recorder) -> None:
    headers, cookies = {"X-A": "1"}, {"c": "1"}
    client = new_client(headers=headers, cookies=cookies, httpx_args={"transport": server})
    headers["X-A"] = cookies["c"] = "2"
    get_agent_exec.sync(VPS, client=client, pid=PID)
    assert (server.last.headers["X-A"], server.last.headers["Cookie"]) == ("1", "c=1")


def test_many_threads_share_one_httpx_client(client: AuthenticatedClient, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[httpx.Client] = []
    original = httpx.Client.__init__

    def count(self: httpx.Client, **arguments: object) -> None:
        made.append(self)
        original(self, **arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(httpx.Client, "__init__", count)
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: get_agent_exec.sync(VPS, client=client, pid=PID), range(64)))
    assert len(made) == 1
    assert {answer.exited for answer in answers} == {False}


def test_a_context_closes_what_it_opened(client: AuthenticatedClient, server: Recorder) -> None:
    with client as entered:
        assert entered is client
        own = client.get_httpx_client()
        assert client.get_httpx_client() is own
    assert own.is_closed
    assert server.closed == 1
    client.close()
    assert server.closed == 1
    get_agent_exec.sync(VPS, client=client, pid=PID)
    assert client.get_httpx_client() is not own


def test_an_asynchronous_context_closes_what_it_opened(client: AuthenticatedClient, server: Recorder) -> None:
    async def use() -> httpx.AsyncClient:
        async with client as entered:
            assert entered is client
            return client.get_async_httpx_client()

    assert asyncio.run(use()).is_closed
    assert server.closed == 1
    asyncio.run(client.aclose())
    assert server.closed == 1


def test_a_context_leaves_a_given_client_open(server: Recorder) -> None:
    sync_one, async_one = httpx.Client(transport=server), httpx.AsyncClient(transport=server)
    client = new_client().set_httpx_client(sync_one).set_async_httpx_client(async_one)
    with client:
        assert client.get_httpx_client() is sync_one

    async def use() -> None:
        async with client:
            assert client.get_async_httpx_client() is async_one

    asyncio.run(use())
    assert not sync_one.is_closed
    assert not async_one.is_closed


def test_the_certificate_is_verified_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(httpx, "Client", lambda **arguments: asked.append(arguments["verify"]))
    context = ssl.create_default_context()
    for client in (
        Client(BASE_URL),
        new_client(),
        Client(BASE_URL, verify_ssl=context),
        new_client(verify_ssl=context),
    ):
        client.get_httpx_client()
    assert [type(verify) for verify in asked[:2]] == [ssl.SSLContext] * 2
    assert all(isinstance(verify, ssl.SSLContext) and verify.check_hostname for verify in asked)
    assert asked[2:] == [context, context]


async def closed_after(voice: Voice, *order: int, without_first: bool = False) -> list[int]:
    """Let three clients that share connections be used, and close some; tell how often the transport was closed."""
    server = Recorder(OK)
    first = new_client(httpx_args={"transport": server})
    clients = [first, first.with_timeout(5), first.with_headers({"X-A": "1"})]
    for one in clients:
        if voice.is_async:
            await get_agent_exec.asyncio(VPS, client=one, pid=PID)
        else:
            get_agent_exec.sync(VPS, client=one, pid=PID)
    if without_first:
        del first, one
        clients[0] = clients[1]
        gc.collect()
    seen = []
    for number in order:
        if voice.is_async:
            await clients[number].aclose()
        else:
            clients[number].close()
        seen.append(server.closed)
    return seen


def test_who_closes_shared_connections(voice: Voice) -> None:
    assert asyncio.run(closed_after(voice, 0)) == [1]
    assert asyncio.run(closed_after(voice, 1, 0)) == [0, 1]
    assert asyncio.run(closed_after(voice, 1, 2, 0)) == [0, 0, 1]
    assert asyncio.run(closed_after(voice, 1, 2, without_first=True)) == [0, 1]


def test_a_client_without_loop_joins_the_first(client: AuthenticatedClient) -> None:
    own = client.get_async_httpx_client()
    assert client.get_async_httpx_client() is own

    async def use() -> bool:
        await get_agent_exec.asyncio(VPS, client=client, pid=PID)
        return client.get_async_httpx_client() is own

    assert asyncio.run(use())
    assert own.is_closed  # with its loop


def test_cookies_are_not_kept(voice: Voice, client: AuthenticatedClient, server: Recorder) -> None:
    for _ in range(2):
        voice.call(client=client, pid=PID)
        assert "Cookie" not in server.last.headers


@pytest.mark.parametrize(("name", "least"), [("max_body_bytes", 1), ("retries", 0)])
def test_the_least_bounds_are_taken(name: str, least: int) -> None:
    assert getattr(new_client(**{name: least}), name) == least
    with pytest.raises(ValueError, match=f"^{name}: expected {least} or more$"):
        new_client(**{name: least - 1})
    with pytest.raises(TypeError, match=f"^{name}: expected int, got str$"):
        new_client(**{name: "1"})


def test_all_that_it_is_given_it_passes_on(voice: Voice, server: Recorder, clock: Clock) -> None:  # noqa: ARG001
    client = AuthenticatedClient(
        "http://h.test", KEY, cookies={"c": "1"}, headers={"X-A": "1"}, timeout=7.0, max_body_bytes=8, retries=1,
        application="a/1", allow_plain_http=True, httpx_args={"transport": server},
    )  # fmt: skip
    assert (client.total, client.max_body_bytes, client.retries) == (7.0, 8, 1)
    with pytest.raises(TooLarge):
        voice.call(client=client, pid=PID)
    sent = server.last.headers
    assert (sent["cookie"], sent["x-a"], sent["user-agent"].split()[0]) == ("c=1", "1", "a/1")
    assert server.last.extensions["timeout"] == {"connect": 7, "read": 7, "write": 7, "pool": 7}


def test_an_error_of_a_hook_holds_no_key(voice: Voice) -> None:
    def judge(response: httpx.Response) -> None:
        response.raise_for_status()

    async def judge_later(response: httpx.Response) -> None:
        judge(response)

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(404)

    transport = httpx.MockTransport(answer)
    client = AuthenticatedClient(BASE_URL, KEY, auth_header_name="X-Key")
    client.set_httpx_client(httpx.Client(transport=transport, event_hooks={"response": [judge]}))
    client.set_async_httpx_client(httpx.AsyncClient(transport=transport, event_hooks={"response": [judge_later]}))
    with pytest.raises(httpx.HTTPStatusError) as caught:
        voice.call(client=client, headers={"Cookie": "s3cret", "X-A": "1"})
    assert KEY.encode() not in pickle.dumps(caught.value)
    for request in (caught.value.request, caught.value.response.request):
        assert (request.method, request.url.host, request.headers["x-a"]) == ("GET", "cloud.hostup.se", "1")
        assert not {"x-key", "cookie", "authorization"} & set(request.headers)


def test_the_request_of_an_error_shows_no_key(voice: Voice) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(404))
    client = AuthenticatedClient(BASE_URL, KEY, auth_header_name="X-Key", httpx_args={"transport": transport})
    with pytest.raises(ResponseError) as caught:
        voice.call(client=client, headers={"X-A": "1"})
    request = caught.value.response.request
    assert (request.method, request.headers["x-a"]) == ("GET", "1")
    assert "x-a, x-key" in repr(request.headers)
    assert KEY not in repr(vars(request))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            {"base_url": "ftp://h.test"},
            "base_url: expected http or https, a host, and neither query nor fragment, as in https://cloud.hostup.se",
        ),
        (
            {"base_url": "http://h.test"},
            (
                "base_url: expected https, or a host on loopback without a proxy, since http would show the key to the "
                "network; in Python, allow_plain_http=True allows it"
            ),
        ),
        ({"application": "a\n"}, "application: expected visible ASCII characters"),
        ({"timeout": 0}, "timeout: expected a number of seconds above 0, and 1e+09 at most"),
        ({"token": "bearer x", "prefix": ""}, "token: expected visible ASCII characters alone"),
        ({"token": "a\r"}, "token: it ends in a newline"),
        ({"prefix": "a b"}, "prefix: expected visible ASCII characters alone"),
    ],
)
def test_what_is_refused_is_told(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=": ") as caught:
        AuthenticatedClient(**{"base_url": BASE_URL, "token": KEY, **arguments})
    assert str(caught.value) == says


def variables_of(error: BaseException) -> str:
    """Return a traceback as those write it who report errors with the variables of each frame."""
    return "".join(TracebackException.from_exception(error, capture_locals=True).format())


@pytest.mark.parametrize("kind", [KeyboardInterrupt, httpx.ConnectError])
def test_no_frame_of_an_error_holds_the_key(
    voice: Voice, kind: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy gets the header fields by a variable of its own."""

    def fail(_: Evidence, event: str, _info: object) -> None:
        if event.endswith(".connect_tcp.started"):
            raise kind("no connection")

    monkeypatch.setattr(Evidence, "trace", fail)
    nowhere = "http://127.0.0.1:1"
    client = AuthenticatedClient(nowhere, KEY, allow_plain_http=True, httpx_args={"proxy": nowhere})
    with pytest.raises(kind) as caught:
        voice.call(client=client)
    assert KEY not in variables_of(caught.value)


@pytest.mark.parametrize("flaw", [{"retries": -1}, {"prefix": "a b"}, {"token": f"{KEY}\n"}, {"token": KEY.encode()}])
def test_no_frame_of_its_own_beginning_holds_the_key(flaw: dict[str, Any]) -> None:
    arguments = {"token": KEY, **flaw}
    with pytest.raises((TypeError, ValueError)) as caught:
        AuthenticatedClient(BASE_URL, **arguments)
    del arguments, flaw
    assert KEY not in variables_of(caught.value)


@pytest.mark.parametrize(
    "field",
    [
        *({"X": "a\nb"}, {"X": "a\0"}, {"X": " a"}, {"X": "a "}, {"X Y": "a"}, {"": "a"}),
        *({"content-length": "5"}, {"Content-Length": "999"}, {"Transfer-Encoding": "chunked"}),
    ],
)
def test_a_header_that_cannot_be_sent_is_refused(voice: Voice, server: Recorder, field: dict[str, str]) -> None:
    """So it is known that nothing was started, and no error shows what else stands there."""
    start = voice.start(client=server.client.with_headers(field))
    for call in (start, lambda: voice.call(client=server.client, headers=field)):
        with pytest.raises(ValueError, match=r"^headers: "):
            call()
    assert server.requests == []


def test_the_longest_time_is_taken() -> None:
    assert new_client(timeout=1e9).total == 1e9
    with pytest.raises(TypeError, match=r"^timeout: expected int or float, got str$"):
        new_client(timeout="7")


def test_user_name_and_password_are_kept(voice: Voice) -> None:
    server = Recorder(OK)
    client = Client("https://me:hunter2@h.test/x/", httpx_args={"transport": server})
    request = Request(method="GET", target="/y", reads={200: json_body(anything)})
    if voice.is_async:
        asyncio.run(client.adetail(request))
    else:
        client.detail(request)
    assert b64decode(server.last.headers["authorization"].removeprefix("Basic ")) == b"me:hunter2"
    assert str(server.last.url) == "https://h.test/x/y"


def test_an_error_without_a_request_is_passed_on() -> None:
    def fail(_: httpx.Request) -> None:
        raise httpx.RequestError("mine")

    client = new_client().set_httpx_client(httpx.Client(event_hooks={"request": [fail]}))
    with pytest.raises(httpx.RequestError, match=r"^mine$"):
        get_agent_exec.sync(VPS, client=client)


@pytest.mark.parametrize("most", [1, 3])
def test_requests_at_once_are_limited_to_connections(most: int) -> None:
    under_way, seen, lock = [0], [0], threading.Lock()

    def answer(_: httpx.Request) -> httpx.Response:
        with lock:
            under_way[0] += 1
            seen[0] = max(seen[0], under_way[0])
        time.sleep(0.01)
        with lock:
            under_way[0] -= 1
        return played(OK)

    limits = httpx.Limits(max_connections=most)
    client = new_client(httpx_args={"transport": httpx.MockTransport(answer), "limits": limits})
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: get_agent_exec.sync(VPS, client=client, pid=PID), range(16)))
    assert seen[0] == most


def test_names_of_headers_are_spelled_as_given(voice: Voice) -> None:
    server = Recorder()
    arguments = {"transport": server, "headers": {"X-ONE": "1", "accept": "text/plain"}}
    client = new_client(headers={"X-Two": "2"}, httpx_args=arguments).with_headers({"x-Three": "3", "X-TWO": "4"})
    voice.call(client=client, headers={"X-THREE": "5"})
    names = [name.decode() for name, _ in server.last.headers.raw]
    assert {"Authorization", "User-Agent", "Accept-Encoding", "accept", "X-ONE", "X-TWO", "X-THREE"} <= set(names)
    assert len({name.lower() for name in names}) == len(names)
    assert [server.last.headers[name] for name in ("accept", "x-two", "x-three")] == ["text/plain", "4", "5"]


@pytest.mark.parametrize("timeout", [None, 7, httpx.Timeout(7)])
def test_a_timeout_of_httpx_args_is_kept(voice: Voice, timeout: Any) -> None:
    server = Recorder()
    arguments = {"timeout": timeout, "transport": server}
    voice.call(client=new_client(httpx_args=arguments))
    assert server.last.extensions["timeout"]["read"] == (7 if timeout else pytest.approx(60, abs=5))
    voice.call(client=new_client(httpx_args=arguments, timeout=httpx.Timeout(3)))
    assert server.last.extensions["timeout"]["read"] == 3


def test_loopback_needs_no_proxy(voice: Voice, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, proxied = list[str](), list[str]()

    def keep(received: Received, seen: list[str]) -> Reply:
        seen.append(received.request.target)
        return replied({})

    with serving(partial(keep, seen=asked)) as url, serving(partial(keep, seen=proxied)) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy)
        with AuthenticatedClient(url, KEY) as client:
            voice.call("v", client=client)
    assert (asked, proxied) == (["/api/v2/vps/v/agent/exec"], [])


class Logging(httpx.BaseTransport):
    """A transport that sends by another one."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self.inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self.inner.handle_request(request)


class ByClient(httpx.BaseTransport):
    """A transport that sends by a client of its own."""

    def __init__(self, proxy: str) -> None:
        self.inner = httpx.Client(proxy=proxy)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self.inner.send(request)

    def close(self) -> None:
        self.inner.close()


LED_ASTRAY = r"^127\.0\.0\.1, to which a proxy .NO_PROXY leaves a host out. or a resolver leads: expected https"

PROXIED: dict[str, Callable[[str], dict[str, Any]]] = {
    "transport": lambda proxy: {"transport": httpx.HTTPTransport(proxy=proxy)},
    "mounts": lambda proxy: {"mounts": {"http://": httpx.HTTPTransport(proxy=proxy)}},
    "wrapped": lambda proxy: {"transport": Logging(httpx.HTTPTransport(proxy=proxy))},
    "wrapped in mounts": lambda proxy: {"mounts": {"all://": Logging(httpx.HTTPTransport(proxy=proxy))}},
    "a client of its own": lambda proxy: {"transport": ByClient(proxy)},
}


@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("way", PROXIED)
def test_a_key_goes_through_no_proxy_without_tls(way: str, given: bool) -> None:
    url, asked = "http://127.0.0.1:1", list[str]()

    def keep(received: Received) -> Reply:
        asked.append(received.request.target)
        return replied({})

    def new(*, allowed: bool) -> AuthenticatedClient:
        arguments = {} if given else PROXIED[way](proxy)
        made = AuthenticatedClient(url, KEY, httpx_args=arguments, allow_plain_http=allowed)
        return made.set_httpx_client(other) if given else made

    with serving(keep) as proxy, httpx.Client(**PROXIED[way](proxy)) as other:
        with new(allowed=False) as client, pytest.raises(ValueError, match=LED_ASTRAY):
            start_agent_exec.sync("v", client=client, body=CommandStart("x"))
        assert not asked
        with new(allowed=True) as client:
            get_agent_exec.sync("v", client=client)
    assert asked == ["http://127.0.0.1:1/api/v2/vps/v/agent/exec"]


def test_a_given_client_s_proxy_of_the_environment_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, proxied = list[str](), list[str]()

    def keep(received: Received, seen: list[str]) -> Reply:
        seen.append(received.request.target)
        return replied({})

    with serving(partial(keep, seen=asked)) as url, serving(partial(keep, seen=proxied)) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy)
        client = AuthenticatedClient(url, KEY)
        with httpx.Client() as given, pytest.raises(ValueError, match=LED_ASTRAY):
            get_agent_exec.sync("v", client=client.set_httpx_client(given))
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        with httpx.Client() as given:
            get_agent_exec.sync("v", client=client.set_httpx_client(given))
    assert (asked, proxied) == (["/api/v2/vps/v/agent/exec"], [])


def test_a_proxy_of_the_arguments_is_refused_at_once() -> None:
    url, proxy = "http://127.0.0.1:1", "http://proxy.test:3128"
    with pytest.raises(ValueError, match=r"^a proxy: expected https, or a host on loopback without a proxy"):
        AuthenticatedClient(url, KEY, httpx_args={"proxy": proxy})
    AuthenticatedClient(url, KEY, httpx_args={"proxy": proxy}, allow_plain_http=True).close()
    AuthenticatedClient("https://h.test", KEY, httpx_args={"proxy": proxy}).close()


@pytest.mark.parametrize("is_async", [False, True])
def test_without_tls_localhost_leads_to_this_machine_alone(is_async: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver may take it elsewhere: what its connection says of where it leads, counts."""
    asked = list[str]()

    def keep(received: Received) -> Reply:
        asked.append(received.request.target)
        return replied({})

    backend: Any = import_module("httpcore._backends.anyio" if is_async else "httpcore._backends.sync")
    kind = backend.AnyIOStream if is_async else backend.SyncStream
    of_stream = kind.get_extra_info

    def elsewhere(stream: Any, info: str) -> Any:
        return ("192.0.2.1", 80) if info == "server_addr" else of_stream(stream, info)

    monkeypatch.setattr(kind, "get_extra_info", elsewhere)

    async def probe(client: AuthenticatedClient) -> None:
        await get_agent_exec.asyncio("v", client=client)

    with (
        serving(keep) as url,
        AuthenticatedClient(url.replace("127.0.0.1", "localhost"), KEY) as client,
        pytest.raises(ValueError, match=r"^localhost, to which a proxy .* or a resolver leads: expected https"),
    ):
        asyncio.run(probe(client)) if is_async else get_agent_exec.sync("v", client=client)
    assert not asked


@pytest.mark.parametrize("is_async", [False, True])
def test_connections_speak_http_1(is_async: bool) -> None:
    """Those that a client was given as well, unless that may not."""
    kind = httpx.AsyncHTTPTransport if is_async else httpx.HTTPTransport
    transport: Any = kind()
    transport._pool._http2 = True  # as with http2=True, which needs another package
    client = new_client()
    if is_async:
        client.set_async_httpx_client(httpx.AsyncClient(transport=transport))
    else:
        client.set_httpx_client(httpx.Client(transport=transport))
    assert transport._pool._http2 is False
    transport._pool._http1 = False
    with pytest.raises(ValueError, match=r"^http1=False: expected a client that may speak HTTP/1\.1"):
        only_http1(httpx.Client(transport=transport) if not is_async else httpx.AsyncClient(transport=transport))


def test_a_client_of_httpx_of_the_other_kind_is_refused_at_once() -> None:
    with pytest.raises(TypeError, match=r"^client: expected an httpx\.Client"):
        new_client().set_httpx_client(httpx.AsyncClient())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^async_client: expected an httpx\.AsyncClient"):
        new_client().set_async_httpx_client(httpx.Client())  # type: ignore[arg-type]
