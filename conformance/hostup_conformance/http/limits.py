"""The limits of a run. It imports nothing slow, since pytest's options show the defaults."""

from dataclasses import dataclass

#: How many requests a server gets by default, and a live one, by whether commands may be started.
REQUESTS, LIVE_REQUESTS = {False: 260, True: 440}, {False: 240, True: 400}
#: The largest rate limit that is used up, and how many requests more a server of this machine gets for it: what is left
#: of the limit, and all of it where it resets meanwhile.
LARGEST_LIMIT = 110
REQUESTS_FOR_A_LIMIT = 2 * LARGEST_LIMIT


@dataclass(frozen=True)
class Limits:
    """How long a server may take, and how much it may send. Times are in seconds, sizes in bytes."""

    request_seconds: float = 10.0
    #: The time limit of a request before any has got a response: an instance may have to be started first.
    first_seconds: float = 30.0
    #: The time limit of a request after the first timeout: one slow response is enough to judge.
    next_seconds: float = 4.0
    #: The least time limit of a request once `alike` have timed out; it is longer where responses take longer.
    later_seconds: float = 1.5
    run_seconds: float = 110.0
    #: How long a request may take that is under way when the time of the run is used up.
    request_seconds_at_the_end: float = 10.0
    #: The largest body of one response, whatever its kind, and of all responses together. Each is kept twice, as it
    #: came and as JSON; while one is read, it is there as text as well. What it takes as text and as JSON is bounded
    #: too: an agent keeps 16 MiB of each stream, which takes at most 320 MiB, however it is written.
    body_bytes: int = 200 * 2**20
    text_bytes: int = 324 * 2**20
    kept_bytes: int = 208 * 2**20
    #: The same for JSON values and header fields, which need more memory than their text.
    values: int = 100_000
    kept_values: int = 1_000_000
    #: The numbers of timeouts, and of failures of any kind in a row, that end the run.
    timeouts: int = 20
    failures: int = 16
    #: The number of timeouts in a row after which no more requests of a kind are sent.
    alike: int = 3
    #: How long the run may wait for the server's rate limits in all.
    waiting_seconds: float = 65.0
    #: How many requests may be sent in a second; None for no limit.
    rate: float | None = None
    #: How many times a request is sent again after a 429.
    repetitions: int = 3
    #: How long one waits before a request is sent again that met a failure which may pass.
    pauses: tuple[float, ...] = (0.25, 0.75, 1.5, 2.5)
    #: How many requests may be sent in all, whatever for: each is counted when it is sent. None for no bound.
    requests: int | None = None
    #: How many more may be sent at the end, to use up a rate limit that a server of this machine announces.
    requests_for_a_limit: int = 0
