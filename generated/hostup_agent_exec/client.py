"""The client object: where to send, and as whom."""

from __future__ import annotations

import re
from copy import copy
from threading import Lock
from typing import TYPE_CHECKING, Any, Self

import httpx

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping
    from types import TracebackType

DEFAULT_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
"""Seconds to wait for each: a connection, the next byte of an answer, room for the next byte of a request."""

_HEADERS = {
    "accept": "application/json, application/problem+json",
    "user-agent": "hostup-agent-exec/2.0.0",
}

_VISIBLE = re.compile(r"[!-~]+")


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    # Names have no case (RFC 9110, section 5.1): one spelling keeps a header from being sent twice.
    return {name.lower(): value for name, value in headers.items()}


class Client:
    """Where to send requests. It never follows a redirect, and may be used by many threads.

    Args:
        base_url: scheme, host and perhaps a path prefix; the paths of the operations are added to it
        cookies: sent with each request
        headers: sent with each request; they go before this package's own Accept and User-Agent
        timeout: None is :data:`DEFAULT_TIMEOUT`, or what a given httpx client says; ``httpx.Timeout(None)`` waits for ever
        verify_ssl: whether, or by which context, the server's certificate is verified
        httpx_args: further arguments for the httpx clients that are made here, such as ``transport`` or ``proxy``

    Raises:
        ValueError: ``base_url`` is not such a URL
    """

    def __init__(
        self,
        base_url: str,
        *,
        cookies: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: httpx.Timeout | None = None,
        verify_ssl: bool | ssl.SSLContext = True,
        httpx_args: Mapping[str, Any] | None = None,
    ) -> None:
        try:
            url = httpx.URL(base_url)
        except httpx.InvalidURL:  # whose text may quote a password
            url = httpx.URL()
        if url.scheme not in ("http", "https") or not url.host or "?" in base_url or "#" in base_url:
            raise ValueError("base_url: expected http or https, a host, and neither query nor fragment")
        self._base_url = base_url.rstrip("/")
        self._cookies = dict(cookies or {})
        self._headers = {**_HEADERS, **_lower(headers or {})}
        self._timeout = timeout
        self._verify_ssl = verify_ssl
        self._httpx_args = dict(httpx_args or {})
        self._given: httpx.Client | None = None
        self._async_given: httpx.AsyncClient | None = None
        self._forget_own()

    def _forget_own(self) -> None:
        self._lock = Lock()
        self._own: httpx.Client | None = None
        self._async_own: httpx.AsyncClient | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({httpx.URL(self._base_url)!r})"  # its repr hides a password

    def __copy__(self) -> Self:
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other._forget_own()
        return other

    def __getstate__(self) -> dict[str, Any]:
        left_out = ("_lock", "_own", "_async_own", "_given", "_async_given")
        return {name: value for name, value in self.__dict__.items() if name not in left_out}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _given=None, _async_given=None)
        self._forget_own()

    def with_headers(self, headers: Mapping[str, str]) -> Self:
        """Make a client like this one with more headers; one that was given its httpx client shares it."""
        other = copy(self)
        other._headers = {**self._headers, **_lower(headers)}
        return other

    def with_cookies(self, cookies: Mapping[str, str]) -> Self:
        """Make a client like this one with more cookies; one that was given its httpx client shares it."""
        other = copy(self)
        other._cookies = {**self._cookies, **cookies}
        return other

    def with_timeout(self, timeout: httpx.Timeout) -> Self:
        """Make a client like this one with another timeout; one that was given its httpx client shares it."""
        other = copy(self)
        other._timeout = timeout
        return other

    def set_httpx_client(self, client: httpx.Client) -> Self:
        """Send through ``client``, which stays yours to close. Base URL, headers and key still come from here."""
        self._given = client
        return self

    def set_async_httpx_client(self, async_client: httpx.AsyncClient) -> Self:
        """Send through ``async_client``, which stays yours to close. Base URL, headers and key still come from here."""
        self._async_given = async_client
        return self

    def get_httpx_client(self) -> httpx.Client:
        """The httpx client that was given, or else one that is made at the first call. It does not hold the key."""
        ready = self._given or self._own
        if ready is not None:
            return ready
        with self._lock:
            if self._own is None:
                self._own = httpx.Client(**self._httpx_arguments())
            return self._own

    def get_async_httpx_client(self) -> httpx.AsyncClient:
        """As :meth:`get_httpx_client`, for asynchronous calls; it serves one event loop."""
        ready = self._async_given or self._async_own
        if ready is not None:
            return ready
        with self._lock:
            if self._async_own is None:
                self._async_own = httpx.AsyncClient(**self._httpx_arguments())
            return self._async_own

    def _httpx_arguments(self) -> dict[str, Any]:
        return {
            "base_url": self._base_url,
            "headers": self._sent_headers(),
            "timeout": DEFAULT_TIMEOUT,
            "verify": self._verify_ssl,
            **self._httpx_args,
        }

    def _sent_headers(self) -> dict[str, str]:
        if not self._cookies:
            return self._headers
        # As a header, since httpx would keep the cookies of one request for the next.
        return {**self._headers, "cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}

    def send(self, request: Mapping[str, Any]) -> httpx.Response:
        """Send the request of an operation.

        Raises:
            TypeError, ValueError: the key cannot be sent in a header; nothing was sent
            httpx.RequestError: no answer came
        """
        client = self.get_httpx_client()
        return client.request(**self._complete(request, client, given=self._given is not None))

    async def asend(self, request: Mapping[str, Any]) -> httpx.Response:
        """As :meth:`send`, asynchronously."""
        client = self.get_async_httpx_client()
        return await client.request(**self._complete(request, client, given=self._async_given is not None))

    def _complete(
        self, request: Mapping[str, Any], client: httpx.Client | httpx.AsyncClient, *, given: bool
    ) -> dict[str, Any]:
        url: str = self._base_url + request["url"]
        complete: dict[str, Any] = {**request, "url": url, "follow_redirects": False}
        if client.params:  # httpx would put them in the place of the query
            complete["url"], _, complete["params"] = url.partition("?")
        if given:  # one made here has them already
            complete["headers"] = {**self._sent_headers(), **_lower(request.get("headers", {}))}
        if self._timeout is not None:
            complete["timeout"] = self._timeout
        return complete

    def close(self) -> None:
        """Close the httpx client that was made here, if any; the next call makes a new one."""
        with self._lock:
            own, self._own = self._own, None
        if own is not None:
            own.close()

    async def aclose(self) -> None:
        """As :meth:`close`, for asynchronous calls."""
        with self._lock:
            own, self._async_own = self._async_own, None
        if own is not None:
            await own.aclose()

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


class AuthenticatedClient(Client):
    """A client with a key (RFC 6750). A new key takes effect as soon as it is assigned to ``token``.

    Neither its repr nor a pickle holds the key; one that was unpickled sends nothing until it is given a key again.

    Args:
        base_url: as for :class:`Client`, and so are all other arguments not named here
        token: the key
        prefix: goes before the key, with a space; the empty string for none
        auth_header_name: the header that carries the key
    """

    token: str
    prefix: str
    auth_header_name: str

    def __init__(
        self,
        base_url: str,
        token: str,
        prefix: str = "Bearer",
        auth_header_name: str = "Authorization",
        *,
        cookies: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: httpx.Timeout | None = None,
        verify_ssl: bool | ssl.SSLContext = True,
        httpx_args: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(
            base_url,
            cookies=cookies,
            headers=headers,
            timeout=timeout,
            verify_ssl=verify_ssl,
            httpx_args=httpx_args,
        )
        self.token = token
        self.prefix = prefix
        self.auth_header_name = auth_header_name

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "token": ""}

    def _complete(
        self, request: Mapping[str, Any], client: httpx.Client | httpx.AsyncClient, *, given: bool
    ) -> dict[str, Any]:
        # Checked here, since the error of a later check would quote the header.
        if not (_VISIBLE.fullmatch(self.token) and _VISIBLE.fullmatch(self.prefix or "-")):
            raise ValueError("token and prefix: expected visible ASCII characters alone, and a token at all")
        # As httpx's auth, so that neither a given client's own auth nor a user name in the URL takes its place.
        complete = super()._complete(request, client, given=given)
        complete["auth"] = self._authorize
        return complete

    def _authorize(self, request: httpx.Request) -> httpx.Request:
        request.headers[self.auth_header_name] = f"{self.prefix} {self.token}" if self.prefix else self.token
        return request
