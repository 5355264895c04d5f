"""How a server is reached, apart from its address: extra header fields, a CA, a client certificate, a proxy."""

import errno
import os
import ssl
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote, unquote_to_bytes
from urllib.request import getproxies_environment, proxy_bypass

import certifi
import httpcore

from hostup_conformance.http.messages import Headers
from hostup_conformance.keeping.files import read_plain
from hostup_conformance.keeping.misconfigured import Misconfigured
from hostup_conformance.keeping.redact import PIECE
from hostup_conformance.keeping.safe_text import shown, split_url

#: Variables that name more CAs than the system's.
CA_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
#: In bytes. All the CAs of a system take a quarter of a million.
LARGEST_PEM = 16 << 20


@dataclass(frozen=True)
class Route:
    """The way to a server. `context` checks its files, before anything is sent."""

    #: Header fields that are added to every request. No rule sees them.
    fields: Headers = field(default=(), repr=False)
    #: A file or folder (as OpenSSL has them) of CAs that are trusted besides the usual ones, and what named it.
    ca: str | None = None
    ca_named_by: str = ""
    #: Certificate and key of the client, in PEM; they may be one file.
    certificate: Path | None = None
    key: Path | None = None
    #: The URL of an HTTP proxy, with user and password if it needs them.
    proxy: str | None = field(default=None, repr=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values of the header fields, and the proxy's password, as far as they are long enough to be redacted."""
        password = unquote(split_url(self.proxy or "").password or "")
        return tuple(text for text in (*(value for _, value in self.fields), password) if len(text) >= PIECE)

    @property
    def proxy_shown(self) -> str | None:
        """The proxy's URL without user and password."""
        return self.proxy and self.proxy.replace(split_url(self.proxy).netloc.rpartition("@")[0] + "@", "", 1)

    @cached_property
    def context(self) -> ssl.SSLContext:
        """The TLS context; raise `Misconfigured` for a file that cannot be used.

        OpenSSL opens what the environment names, and would wait for whoever opens a pipe at its other end.
        """
        try:
            if (keys := os.environ.get("SSLKEYLOGFILE")) and Path(keys).is_fifo():
                raise OSError(errno.EINVAL, "it is a pipe")
            context = ssl.create_default_context(cafile=certifi.where())
        except OSError as error:  # it opens the file for the keys of connections, if the environment names one
            named = shown(os.environ.get("SSLKEYLOGFILE"))
            remedy = "name a file that can be written, or unset it"
            raise Misconfigured(f"SSLKEYLOGFILE {named}: {reason(error)}; {remedy}") from None
        if not Path(os.environ.get("SSL_CERT_FILE", "")).is_fifo():
            with suppress(ssl.SSLError, OSError):
                context.load_default_certs()
        if self.ca:
            try:
                is_folder = os.path.isdir(self.ca)
                check_pem(*([] if is_folder else [self.ca]))
                context.load_verify_locations(**{"capath" if is_folder else "cafile": self.ca})
            except OSError as error:  # ssl.SSLError included
                remedy = "give a file with the CA's certificate in PEM"
                raise Misconfigured(f"{self.ca_named_by} {self.ca}: {reason(error)}; {remedy}") from None
        if self.certificate:
            try:
                check_pem(*filter(None, (self.certificate, self.key)))
                context.load_cert_chain(self.certificate, self.key, password="")
            except OSError as error:
                remedy = "give the certificate in PEM and its key, without a passphrase, as FILE or FILE:KEYFILE"
                raise Misconfigured(f"--client-cert {self.certificate}: {reason(error)}; {remedy}") from None
        return context

    def pool(self, network: httpcore.NetworkBackend, most: int, kept: int) -> httpcore.ConnectionPool:
        """Return a pool of at most `most` connections on this way, of which at most `kept` stay open when idle."""
        shared: dict[str, Any] = {"ssl_context": self.context, "network_backend": network}
        shared |= {"max_connections": most, "max_keepalive_connections": kept}
        if self.proxy is None:
            return httpcore.ConnectionPool(**shared)
        parts = split_url(self.proxy)
        login = (unquote_to_bytes(parts.username), unquote_to_bytes(parts.password or "")) if parts.username else None
        return httpcore.HTTPProxy(
            proxy_url=httpcore.URL(scheme=parts.scheme, host=parts.hostname or "", port=parts.port, target="/"),
            proxy_auth=login,
            proxy_ssl_context=self.context if parts.scheme == "https" else None,
            **shared,
        )


#: The way to a server of which only the address is needed.
DIRECT = Route()


def check_pem(*files: str | Path) -> None:
    """Raise `OSError` for what OpenSSL would read without an end, as a device."""
    for file in files:
        read_plain(Path(file), LARGEST_PEM)


def reason(error: OSError) -> str:
    """Return in a few words why a file could not be used."""
    if isinstance(error, ssl.SSLError):
        return "it is not PEM, or certificate and key do not belong together, or the key has a passphrase"
    return error.strerror or "it cannot be read"


def proxy_for(base_url: str, *, loopback: bool) -> str | None:
    """Return the proxy that the environment names for a server; None for loopback and for hosts in NO_PROXY.

    The variables are those that urllib reads: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY. Raise `Misconfigured`
    for what is not the URL of an HTTP proxy.
    """
    parts = split_url(base_url)
    proxies = getproxies_environment()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if loopback or not proxy or proxy_bypass(parts.netloc):
        return None
    proxy = proxy if "://" in proxy else "http://" + proxy
    if not is_proxy(proxy):
        name = f"{parts.scheme.upper()}_PROXY"
        raise Misconfigured(
            f"the proxy in {name} or ALL_PROXY is not of the form http://HOST:PORT; change it, or name "
            f"{parts.hostname} in NO_PROXY"
        )
    return proxy


def host_in(url: str) -> str:
    """Return the host in a URL as it is written there: an IPv6 address in brackets."""
    host = split_url(url).hostname or ""
    return f"[{host}]" if ":" in host else host


def is_one_of(host: str, named: Collection[str]) -> bool:
    """Whether a host is named, an IPv6 address with brackets or without."""
    return not {host, host.strip("[]")}.isdisjoint(map(str.lower, named))


def is_proxy(url: str) -> bool:
    """Whether a text is the URL of an HTTP proxy."""
    try:
        parts = split_url(url)
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return named and parts.scheme in {"http", "https"} and url.isascii() and url.isprintable()


def ca_from(environ: Mapping[str, str], option: str | None) -> tuple[str | None, str]:
    """Return the file or folder with more CAs, and what named it: the option, or else a variable."""
    if option:
        return option, "--ca-file"
    named = next((name for name in CA_VARIABLES if environ.get(name)), None)
    return (environ[named], named) if named else (None, "")
