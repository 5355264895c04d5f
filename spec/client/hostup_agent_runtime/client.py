"""The client object: where to send, as whom, and within which bounds."""

from __future__ import annotations

import os
import re
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from functools import lru_cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

import httpx

from .connections import HERE, SENT_BY, AsyncLine, Line, Named, Pool, Seen, is_loopback, keeps_connections
from .errors import HostUpError, ResponseError, asks, status_error
from .sending import (
    Attempt,
    Body,
    Options,
    Request,
    Steps,
    Unsendable,
    check_fields,
    is_read,
    late,
    sending,
    times,
    within,
    without_tls,
)
from .values import InvalidValue, Response, check, is_object, parse

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

    from hostup_agent_exec.models import Problem

T = TypeVar("T")

DEFAULT_TOTAL = 60.0
"""Seconds for a whole request: from the call to the last byte of the response, waiting for a turn and retries
included."""

DEFAULT_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
"""Seconds to wait for each part of it: a connection, the next bytes of a response, room for the next bytes of a
request."""

DEFAULT_MAX_BODY_BYTES = 200 * 2**20
"""The largest body of a response, after decoding; that of an operation may be smaller."""

_VISIBLE = re.compile(r"[!-~]+")


@dataclass(frozen=True, kw_only=True)
class Contract:
    """What the document says of all operations.

    Args:
        package, version: of the generated client
        server: the base URL where none is given
        base_url_variable, key_variable: where the environment has base URL and key
        problem: reads the body of an error
        errors: the error of each documented status
        largest_problem: bytes that the body of an error may have
    """

    package: str
    version: str
    server: str
    base_url_variable: str
    key_variable: str
    problem: type[Problem]
    errors: Mapping[int, type[ResponseError]]
    largest_problem: int

    @property
    def headers(self) -> dict[str, str]:
        """The header fields of every request."""
        return {
            "Accept": "application/json, application/problem+json",
            "Accept-Encoding": "gzip",  # what can be decoded within bounds, whatever else httpx would take
            "User-Agent": f"{self.package.replace('_', '-')}/{self.version}",
        }


def _merged(*given: Mapping[str, str]) -> dict[str, str]:
    """Merge headers, whose names have no case (RFC 9110, section 5.1): the last one counts, spelled as it is there."""
    some = [headers for headers in given if headers]
    if len(some) == 1:
        return dict(some[0])
    spelled = {name.lower(): (name, value) for headers in some for name, value in headers.items()}
    return dict(spelled.values())


def _flaw(token: str, prefix: str) -> str | None:
    """Tell what is wrong with a key that cannot be one, without showing it."""
    if _VISIBLE.fullmatch(token):
        return None
    bare = token.strip()
    if prefix and bare.lower().startswith(f"{prefix.lower()} "):
        return f"give the key alone, without {prefix}"
    if not bare:
        return "it is empty"
    if bare != token:
        kind = "a newline" if token[-1] in "\r\n" else "a blank"
        return f"it ends in {kind}" if token[-1].isspace() else "it begins with a blank"
    return "expected visible ASCII characters alone"


def _is_address(url: httpx.URL) -> bool:
    """Tell whether a URL has a host and a port that the system can look up; else each request would fail in its way."""
    try:
        return bool(url.raw_host.decode().encode("idna")) and (url.port is None or 0 < url.port < 65536)
    except UnicodeError:  # a label that is empty or too long
        return False


# In the place of a stream that is over: httpx's own refers to the response, which would keep a large body in memory
# until the next collection of garbage.
_OVER = httpx.ByteStream(b"")


class Client:
    """Where to send requests. It never follows a redirect, and may be used by many threads, event loops and processes.

    Args:
        base_url: scheme, host and perhaps a path prefix; the paths of the operations are added to it. If it is None,
            that of the environment, or else the document's
        cookies: sent with each request
        headers: sent with each request; they go before this package's own Accept and User-Agent
        timeout: seconds for a whole request, 60 unless given; or an ``httpx.Timeout`` for its parts, within the same
            whole. Without one the parts are :data:`DEFAULT_TIMEOUT`, or what a given httpx client says
        verify_ssl: whether, or by which context, the server's certificate is verified
        httpx_args: further arguments for the httpx clients that are made here, such as ``transport`` or ``proxy``
        max_body_bytes: how large the body of any response may be, after decoding; what the document says of an
            operation goes before it where it is less
        retries: how often a request is sent again that was refused (429) or never sent, and also, where the document
            says that it may be repeated, after 502, 503, 504 and a response that did not arrive; all within the
            request's time
        application: name and perhaps version of your program, as in ``backup/1.2``: goes before this package's in
            User-Agent
        allow_plain_http: whether requests may be sent without TLS to another host than this one, or through a proxy

    Raises:
        TypeError, ValueError: an argument is not what it has to be
    """

    contract: ClassVar[Contract]
    key_header = ""
    _base_url = ""  # what reports of an error show of one that could not be made

    def __init__(
        self,
        base_url: str | None = None,
        *,
        cookies: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | httpx.Timeout | None = None,
        verify_ssl: bool | ssl.SSLContext = True,
        httpx_args: Mapping[str, Any] | None = None,
        max_body_bytes: int = DEFAULT_MAX_BODY_BYTES,
        retries: int = 0,
        application: str | None = None,
        allow_plain_http: bool = False,
    ) -> None:
        for name, value, least in (("max_body_bytes", max_body_bytes, 1), ("retries", retries, 0)):
            check(name, value, int)
            if value < least:
                raise ValueError(f"{name}: expected {least} or more")
        self._allow_plain_http = allow_plain_http
        self._set_base_url(base_url)
        arguments = dict(httpx_args or {})
        if arguments.get("proxy") is not None:
            self._refuse_plain_http("a proxy")
        own = httpx.Headers(arguments.pop("headers", None))
        spelled = {name.decode(own.encoding): value.decode(own.encoding) for name, value in own.raw}
        self._cookies = dict(cookies or {})
        self._headers = _merged(self.contract.headers, spelled, headers or {})
        if application is not None:
            if not re.fullmatch(r"[ -~]+", application):
                raise ValueError("application: expected visible ASCII characters")
            agent = f"{application} {self.contract.headers['User-Agent']}"
            self._headers = _merged(self._headers, {"User-Agent": agent})
        total, self._phases = times(timeout)
        if "timeout" in arguments:
            of_httpx = httpx.Timeout(arguments.pop("timeout"))
            self._phases = self._phases or of_httpx
        self.total = DEFAULT_TOTAL if total is None else total
        """Seconds for a whole request."""
        self.max_body_bytes = max_body_bytes
        """How large the body of a response may be, after decoding."""
        self.retries = retries
        """How often a request is sent again."""
        self._arguments: dict[str, Any] = {"verify": verify_ssl, "trust_env": not self._is_here, **arguments}
        self._given: Line | None = None
        self._async_given: AsyncLine | None = None
        self._pool = Pool(self, self._httpx_arguments())
        self._unlike: dict[str, str] = {}  # header fields that the pool does not send by itself

    def _set_base_url(self, base_url: str | None) -> None:
        named = "base_url"
        if base_url is None:
            named = self.contract.base_url_variable
            base_url = os.environ.get(named, self.contract.server)
            if not base_url:
                raise ValueError(f"{named}: it is empty; unset it to send to {self.contract.server}")
        try:
            url = httpx.URL(base_url)
        except httpx.InvalidURL:  # whose text may quote a password
            url = httpx.URL()
        if url.scheme not in ("http", "https") or not _is_address(url) or "?" in base_url or "#" in base_url:
            form = f"as in {self.contract.server}"
            raise ValueError(f"{named}: expected http or https, a host, and neither query nor fragment, {form}")
        # Whatever stands before the host, httpx would log it.
        self._login = (url.username, url.password) if url.userinfo else None
        self._base_url = str(url.copy_with(userinfo=b"") if url.userinfo else base_url).rstrip("/")
        self._is_plain = url.scheme == "http" and not self._allow_plain_http
        # What is on this host needs no proxy, to which a variable of the environment would show the key.
        self._is_here = is_loopback(url.host)
        if not self._is_here:
            self._refuse_plain_http(named)

    def _refuse_plain_http(self, named: str) -> None:
        if self._is_plain:
            raise without_tls(named)

    def _httpx_arguments(self) -> dict[str, Any]:
        return {
            "base_url": self._base_url,
            "headers": self._headers,
            "timeout": self._phases or DEFAULT_TIMEOUT,
            # What a server wants to be remembered is not: callers share the connections.
            "cookies": CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
            **self._arguments,
        }

    def __repr__(self) -> str:
        return f"{type(self).__name__}({httpx.URL(self._base_url)!r})"

    def __copy__(self) -> Self:
        other = self._like()
        other._pool = Pool(other, other._httpx_arguments())
        other._unlike = {}
        return other

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return copy(self)  # what it is given, such as a transport, is not its own to copy

    def _like(self) -> Self:
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        return other

    def __getstate__(self) -> dict[str, Any]:
        left_out = ("_pool", "_login", "_given", "_async_given")
        return {name: value for name, value in self.__dict__.items() if name not in left_out}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _login=None, _given=None, _async_given=None, _unlike={})
        self._pool = Pool(self, self._httpx_arguments())

    def with_headers(self, headers: Mapping[str, str]) -> Self:
        """Make a client like this one with more headers, which shares its connections."""
        other = self._like()
        other._headers = _merged(self._headers, headers)
        other._unlike = _merged(self._unlike, headers)
        return other

    def with_cookies(self, cookies: Mapping[str, str]) -> Self:
        """Make a client like this one with more cookies, which shares its connections."""
        other = self._like()
        other._cookies = {**self._cookies, **cookies}
        return other

    def with_timeout(self, timeout: float | httpx.Timeout) -> Self:
        """Make a client like this one with another timeout, which shares its connections."""
        other = self._like()
        total, phases = times(timeout)
        other.total = self.total if total is None else total
        other._phases = self._phases if phases is None else phases
        return other

    def set_httpx_client(self, client: httpx.Client) -> Self:
        """Send through ``client``, which stays yours to close. Base URL, headers, key and bounds still come from
        here.

        Raises:
            TypeError: it is none
        """
        if not isinstance(client, httpx.Client):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError("client: expected an httpx.Client; set_async_httpx_client takes an httpx.AsyncClient")
        self._given = Line(client, is_own=False)
        return self

    def set_async_httpx_client(self, async_client: httpx.AsyncClient) -> Self:
        """Send through ``async_client``, which stays yours to close. Base URL, headers and key still come from here.

        Raises:
            TypeError: it is none
        """
        if not isinstance(async_client, httpx.AsyncClient):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError("async_client: expected an httpx.AsyncClient; set_httpx_client takes an httpx.Client")
        self._async_given = AsyncLine(async_client)
        return self

    def get_httpx_client(self) -> httpx.Client:
        """The httpx client that was given, or else one that is made at the first call. It does not hold the key."""
        return (self._given or self._pool.synchronous(self)).client

    def get_async_httpx_client(self) -> httpx.AsyncClient:
        """As :meth:`get_httpx_client`, for asynchronous calls, and one for each event loop."""
        return (
            self._async_given.client if self._async_given is not None else self._pool.asynchronous(self).line().client
        )

    # Calls of generated code.

    def call(self, request: Request[T], **options: Any) -> T:
        """Send a request, and read its response; ``options`` are those of :class:`Options`."""
        return self.read(request, self.perform(sending(self, request, Options(**options))))

    async def acall(self, request: Request[T], **options: Any) -> T:
        """As :meth:`call`, asynchronously."""
        return self.read(request, await self.aperform(sending(self, request, Options(**options))))

    def detail(self, request: Request[T], **options: Any) -> Response[T | Problem]:
        """Send a request, and pair its response with what it says, an error's problem document included."""
        return self._detailed(request, self.perform(sending(self, request, Options(**options))))

    async def adetail(self, request: Request[T], **options: Any) -> Response[T | Problem]:
        """As :meth:`detail`, asynchronously."""
        return self._detailed(request, await self.aperform(sending(self, request, Options(**options))))

    def iterate(self, turning: Callable[[], Iterator[Steps[Iterable[T]]]], /) -> Iterator[T]:
        """Give every item of every page, one by one; a page is asked for when it is needed."""
        for page in turning():
            yield from self.perform(page)

    async def aiterate(self, turning: Callable[[], Iterator[Steps[Iterable[T]]]], /) -> AsyncGenerator[T, None]:
        """As :meth:`iterate`, asynchronously."""
        for page in turning():
            for item in await self.aperform(page):
                yield item

    def read(self, request: Request[T], response: httpx.Response) -> T:
        """Read a response.

        Raises:
            ResponseError: it is not the documented success
        """
        if response.status_code in request.reads:
            return request.read(response)
        raise self.failure(response)

    def failure(self, response: httpx.Response) -> ResponseError:
        """Make the error of a response that is not the documented success, whatever its body."""
        return status_error(response, self._problem(response), self.contract.errors)

    def told(self, request: Request[Any]) -> str:
        """Tell what a request asks for, without the key."""
        token: str | None = getattr(self, "token", None)
        return asks(request.method, request.target, [token] if token else [])

    def _problem(self, response: httpx.Response) -> Problem | None:
        try:
            value = parse(response.content) if response.status_code >= 400 else None
        except InvalidValue:  # no problem document: the status alone has to do
            return None
        return self.contract.problem.from_dict(value) if is_object(value) else None

    def _detailed(self, request: Request[T], response: httpx.Response) -> Response[T | Problem]:
        is_success = response.status_code in request.reads
        parsed: T | Problem | None = request.read(response) if is_success else self._problem(response)
        return Response(response.status_code, response.content, response.headers, parsed)

    # Steps, performed with blocking calls or with await.

    def perform(self, steps: Steps[T]) -> T:
        """Take steps one by one, and return what comes of them."""
        try:
            step = next(steps)
            while True:
                try:
                    done = self._exchange(step) if isinstance(step, Attempt) else self._sleep(step)
                except BaseException as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(done)
        except StopIteration as end:
            result: T = end.value
            return result

    async def aperform(self, steps: Steps[T]) -> T:
        """As :meth:`perform`, asynchronously."""
        import anyio

        try:
            step = next(steps)
            while True:
                try:
                    done = await (self._aexchange(step) if isinstance(step, Attempt) else anyio.sleep(step))
                except BaseException as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(done)
        except StopIteration as end:
            result: T = end.value
            return result

    @staticmethod
    def _sleep(seconds: float) -> None:
        time.sleep(seconds)

    def _exchange(self, attempt: Attempt) -> httpx.Response:
        if self._given is not None:
            return self._on(self._given, attempt)
        turn = self._pool.turn(attempt.turn_by)
        if turn is None:
            raise self._no_turn(attempt)
        try:
            return self._on(self._pool.synchronous(self), attempt)
        finally:
            self._pool.turns.give(turn)

    def _on(self, line: Line, attempt: Attempt) -> httpx.Response:
        is_known_how_it_ended = False
        before, HERE.deadline = getattr(HERE, "deadline", None), attempt.deadline
        try:
            built, auth = self._build(attempt, line)
            attempt.evidence.handed_over(line)
            try:
                response = line.client.send(built, auth=auth, stream=True, follow_redirects=False)
            except httpx.InvalidURL:
                raise _no_location(built) from None
            try:
                limit = self._largest(attempt.request, response)
                if not is_read(response, limit):
                    with Body(response, limit, attempt.deadline) as body:
                        body.begin()
                        for chunk in response.iter_raw():
                            body.feed(chunk)
                        body.end()
            finally:
                response.close()
                response.stream = _OVER
            is_known_how_it_ended = True
            return response
        except _KNOWN_ENDS:
            is_known_how_it_ended = True
            raise
        finally:
            # Nothing is called here, so no signal can come between.
            HERE.deadline = before
            if not is_known_how_it_ended:
                line.is_in_doubt = True
            del line  # of which the frames of the exception would hold the sockets

    async def _aexchange(self, attempt: Attempt) -> httpx.Response:
        if self._async_given is not None:
            return await self._aon(self._async_given, attempt)
        from anyio import WouldBlock, move_on_after

        loop = self._pool.asynchronous(self)
        try:
            loop.turns.acquire_nowait()
        except WouldBlock:
            with move_on_after(attempt.turn_by - time.monotonic()) as waiting:
                await loop.turns.acquire()
            if waiting.cancelled_caught:
                raise self._no_turn(attempt) from None
        try:
            line = loop.line()
            await line.begin()
            line.users += 1
            try:
                return await self._aon(line, attempt)
            finally:
                line.users -= 1
                if line.is_in_doubt and not line.users:
                    await line.close()
        finally:
            loop.turns.release()

    async def _aon(self, line: AsyncLine, attempt: Attempt) -> httpx.Response:
        from anyio import move_on_after

        built, auth = self._build(attempt, line)
        is_known_how_it_ended = False
        # A little later than the parts, whose errors tell more.
        with move_on_after(attempt.deadline - time.monotonic() + 0.1):
            try:
                attempt.evidence.handed_over(line)
                try:
                    response = await line.client.send(built, auth=auth, stream=True, follow_redirects=False)
                except httpx.InvalidURL:
                    raise _no_location(built) from None
                try:
                    limit = self._largest(attempt.request, response)
                    if not is_read(response, limit):
                        with Body(response, limit, attempt.deadline) as body:
                            body.begin()
                            async for chunk in response.aiter_raw():
                                body.feed(chunk)
                            body.end()
                finally:
                    await response.aclose()
                    response.stream = _OVER
                is_known_how_it_ended = True
                return response
            except _KNOWN_ENDS:
                is_known_how_it_ended = True
                raise
            finally:
                line.is_in_doubt |= not is_known_how_it_ended
        raise late(built)

    def _no_turn(self, attempt: Attempt) -> httpx.PoolTimeout:
        return httpx.PoolTimeout(f"the time was over before {self.told(attempt.request)} could be sent")

    def _largest(self, request: Request[Any], response: httpx.Response) -> int:
        """Tell how many bytes the body may have."""
        documented = request.largest_body if response.status_code < 300 else self.contract.largest_problem
        return self.max_body_bytes if documented is None else min(self.max_body_bytes, documented)

    def _authority(self) -> tuple[dict[str, str], Any]:
        """Return as whom to send: headers, and httpx's auth."""
        return {}, httpx.BasicAuth(*self._login) if self._login else httpx.USE_CLIENT_DEFAULT

    def _build(self, attempt: Attempt, line: Line | AsyncLine) -> tuple[httpx.Request, Any]:
        request, given, client = attempt.request, attempt.options.headers, line.client
        if given is not None:
            check("headers", given, Mapping)
        authority, auth = self._authority()
        if self._cookies:
            # As a header, since httpx would keep the cookies of one request for the next.
            authority["Cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        url, parameters = self._base_url + request.target, None
        if client.params:  # httpx would put them in the place of the query
            url, _, parameters = url.partition("?")
        is_given = line is self._given or line is self._async_given
        closing = {} if keeps_connections(client) else {"Connection": "close"}
        try:
            read = _read_url(url)
        except httpx.InvalidURL:  # all else is encoded
            raise Unsendable("an argument makes a longer URL than httpx can send") from None
        if self._is_plain:
            attempt.evidence.only_to = read.raw_host.decode("ascii"), read.port or 80
        phases = attempt.phases or self._phases or (client.timeout if is_given else DEFAULT_TIMEOUT)
        built = client.build_request(
            request.method,
            read,
            params=parameters,
            # Of the others httpx sends its client's own, and looks through all of them for each that is given.
            headers=_merged(
                self._headers if is_given else self._unlike, request.headers, given or {}, authority, closing
            ),
            json=request.json,
            timeout=within(phases, max(0.001, attempt.deadline - time.monotonic())),
            extensions={
                "trace": attempt.evidence.atrace if isinstance(line, AsyncLine) else attempt.evidence.trace,
                SENT_BY: attempt.evidence,
            },
        )
        built.__class__, built.headers.__class__ = Seen, Named
        check_fields(built.headers.raw, len(built.content))
        return built, auth

    def close(self) -> None:
        """Close the connections that were made here, unless another client shares them; the next call makes new
        ones."""
        if self._pool.release(self):
            self._pool.close()

    async def aclose(self) -> None:
        """As :meth:`close`, for asynchronous calls of this event loop."""
        if self._pool.release(self):
            await self._pool.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()


_read_url = lru_cache(maxsize=256)(httpx.URL)  # those of a poll that is sent again and again are read once


# After any other exception, such as one of a signal's handler or a cancellation, a connection may be in any state.
_KNOWN_ENDS = (httpx.HTTPError, HostUpError, Unsendable)


def _no_location(request: httpx.Request) -> httpx.RemoteProtocolError:
    """Make the error of a redirect whose Location makes no URL; httpx reads it although it is not followed."""
    return httpx.RemoteProtocolError("the Location of a redirect is not a URL", request=request)


class AuthenticatedClient(Client):
    """A client with a key (RFC 6750). A new key takes effect as soon as it is assigned to ``token``.

    Neither its repr nor a pickle holds the key. One that was unpickled takes it from the environment if the first one
    did, or sends nothing until it is given a key again.

    Args:
        base_url: as for :class:`Client`, and so are all other arguments not named here
        token: the key; if it is None, that of the environment
        prefix: goes before the key, with a space; the empty string for none
        auth_header_name: the header that carries the key

    Raises:
        TypeError, ValueError: an argument is not what it has to be, or there is no key
    """

    token: str

    def __init__(
        self,
        base_url: str | None = None,
        token: str | None = None,
        prefix: str = "Bearer",
        auth_header_name: str = "Authorization",
        *,
        cookies: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | httpx.Timeout | None = None,
        verify_ssl: bool | ssl.SSLContext = True,
        httpx_args: Mapping[str, Any] | None = None,
        max_body_bytes: int = DEFAULT_MAX_BODY_BYTES,
        retries: int = 0,
        application: str | None = None,
        allow_plain_http: bool = False,
    ) -> None:
        self._is_of_environment = token is None
        self.token = "" if token is None else token
        del token  # which reports of an error would show with the other variables
        super().__init__(
            base_url,
            cookies=cookies,
            headers=headers,
            timeout=timeout,
            verify_ssl=verify_ssl,
            httpx_args=httpx_args,
            max_body_bytes=max_body_bytes,
            retries=retries,
            application=application,
            allow_plain_http=allow_plain_http,
        )
        self.prefix = prefix
        self.key_header = self.auth_header_name = auth_header_name
        if self._is_of_environment:
            variable = self.contract.key_variable
            self.token = os.environ.get(variable, "")
            if not self.token:
                raise ValueError(f"token: give an API key, or set {variable}")
            self._check_token(variable)
        self._authority()

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "token": ""}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if self._is_of_environment:
            self.token = os.environ.get(self.contract.key_variable, "")

    def _check_token(self, named: str) -> None:
        if flaw := _flaw(self.token, self.prefix):
            raise Unsendable(f"{named}: {flaw}")

    def _authority(self) -> tuple[dict[str, str], Any]:
        # Checked here, since the error of a later check would quote the header.
        if str not in type(self.token).__mro__:
            raise TypeError(f"token: expected str, got {type(self.token).__name__}")
        if not self.token:
            raise Unsendable("token: there is none; assign one to it, which a client from a pickle needs")
        self._check_token("token")
        if not _VISIBLE.fullmatch(self.prefix or "-"):
            raise Unsendable("prefix: expected visible ASCII characters alone")
        # With no auth of httpx, so that neither a given client's own nor a user name in the URL takes its place.
        return {self.auth_header_name: f"{self.prefix} {self.token}" if self.prefix else self.token}, None
