"""What HTTP libraries do by themselves that breaks a requirement, and what stops each. It must not know any exchange.

All was seen with the library in the scenes of this suite, except where it says what was tried instead.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Trap:
    """What a library does, the requirements that this breaks, and the switch that stops it."""

    library: str
    does: str
    requirements: tuple[str, ...]
    switch: str
    #: How the User-Agent begins that it sends by default.
    agents: tuple[str, ...] = ()
    #: Whether it was seen here: yes, no, or with what.
    tried: str = "yes"


AGAIN, AWAY, EACH_READ = "CLIENT-17", "CLIENT-45", "CLIENT-24"
TRAPS = (
    Trap(
        "curl --retry",
        "sends a start again after a timeout, a 408, a 429 and many a 5xx",
        (AGAIN,),
        "no `--retry` for the start",
        ("curl/",),
    ),
    Trap(
        "libcurl with a handle that is used again (PHP, pycurl, Guzzle)",
        "sends a start again whose kept connection was closed",
        (AGAIN,),
        "`CURLOPT_FRESH_CONNECT`, or a new handle each time",
        ("php", "pycurl", "guzzle"),
        tried="with PHP",
    ),
    Trap(
        "HttpURLConnection (Java)",
        "sends a start again that got no response, and follows redirects with it",
        (AGAIN, AWAY),
        "`-Dsun.net.http.retryPost=false`, `setInstanceFollowRedirects(false)`",
        ("java/",),
    ),
    Trap(
        "OkHttp",
        "sends a start again whose kept connection was closed",
        (AGAIN,),
        "`retryOnConnectionFailure(false)`",
        ("okhttp",),
        tried="with 3.13",
    ),
    Trap(
        "axios-retry",
        "sends a start again that got no response",
        (AGAIN,),
        "`retryCondition: axiosRetry.isIdempotentRequestError`",
        ("axios",),
    ),
    Trap("urllib (Python)", "follows redirects with the key", ("CLIENT-03",), "a redirect handler that returns None"),
    Trap(
        "requests, urllib3, aiohttp, Go's net/http, fetch, axios, got, ky, curl -L",
        "follow the 307 of a start with the command, though without the key",
        (AWAY,),
        "`allow_redirects=False`, `redirect=False`, `http.ErrUseLastResponse`, `redirect: 'manual'`, "
        "`maxRedirects: 0`, `followRedirect: false`, no `-L`",
    ),
    Trap(
        "requests, urllib3, httpx, urllib, Net::HTTP, HTTP::Tiny, HttpURLConnection; OkHttp's `readTimeout`",
        "limit each read, so that a response that trickles never ends",
        (EACH_READ,),
        "a limit for all: `signal.setitimer`, `Timeout.timeout`, `alarm`, `callTimeout`",
    ),
    Trap(
        "axios, ky, java.net.http; fetch",
        "stop their timeout once the response begins, or have none",
        (EACH_READ,),
        "`AbortSignal.timeout` for all requests together, `get` of the future with a limit",
    ),
    Trap(
        'curl -H "Authorization: …"',
        "shows the key in the list of processes",
        ("CLIENT-43",),
        "`-H @-` or `--config -`, and the header field on its standard input",
    ),
    Trap(
        "reqwest, .NET's HttpClient",
        "follow redirects of a start",
        (AWAY,),
        "`redirect::Policy::none()`, `AllowAutoRedirect = false`",
        tried="no",
    ),
)


def advice(agent: str) -> str:
    """Return how to stop a library from repeating starts, given the User-Agent; where it is not known, what may be."""
    known = [trap for trap in TRAPS if AGAIN in trap.requirements and agent.lower().startswith(trap.agents)]
    if not known:
        return "your HTTP library, or a wrapper around it, may repeat by itself"
    return "; ".join(f"{trap.library} {trap.does}: {trap.switch}" for trap in known)


def traps_of(id: str) -> list[str]:
    """Return what is known to break a requirement, in sentences."""
    return [
        f"{trap.library}: {trap.does}. Switch: {trap.switch} (tried: {trap.tried})"
        for trap in TRAPS
        if id in trap.requirements
    ]
