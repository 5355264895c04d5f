"""Everything that a call raises, except what httpx raises if there is no response.

HostUpError
├── ResponseError        a response other than the documented success
│   ├── BadRequest 400 · Unauthorized 401 · Forbidden 403 · NotFound 404 · RateLimited 429 · InternalError 500
│   ├── UnexpectedStatus any other status
│   ├── InvalidResponse  a success whose body is not as documented
│   └── TooLarge         a body larger than the client accepts
├── AgentUnavailable     commands cannot be run in the VPS now; none was started
├── StartLost            a command was or may have been started, but its pid is not known
├── CommandStillRunning  a wait ended before the command did
├── OutputLost           the response to a poll was lost, and the output with it as far as is known
└── CommandFailed        the command has ended without success
"""

from hostup_agent_runtime.errors import (
    AgentUnavailable,
    CommandFailed,
    CommandStillRunning,
    HostUpError,
    InvalidResponse,
    OutputLost,
    RateLimit,
    ResponseError,
    StartLost,
    TooLarge,
    UnexpectedStatus,
)


class BadRequest(ResponseError):
    """400: The request is not valid."""


class Unauthorized(ResponseError):
    """401: No valid key was given."""


class Forbidden(ResponseError):
    """403: The key lacks the scope, or the VPS belongs to somebody else."""


class NotFound(ResponseError):
    """404: There is no such VPS, or it belongs to somebody else."""


class RateLimited(ResponseError):
    """429: Too many requests; wait as long as the header fields say."""


class InternalError(ResponseError):
    """500: An unexpected error on the provider's side."""


BY_STATUS: dict[int, type[ResponseError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    429: RateLimited,
    500: InternalError,
}
"""The error of each status that the document knows."""

__all__ = (
    "AgentUnavailable",
    "BadRequest",
    "CommandFailed",
    "CommandStillRunning",
    "Forbidden",
    "HostUpError",
    "InternalError",
    "InvalidResponse",
    "NotFound",
    "OutputLost",
    "RateLimit",
    "RateLimited",
    "ResponseError",
    "StartLost",
    "TooLarge",
    "Unauthorized",
    "UnexpectedStatus",
)
