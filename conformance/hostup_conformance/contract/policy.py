"""What may be sent to which server, so that the suite does no harm.

It judges no response. See "Safety" in the README. The suite is careful with every server that is not on loopback, and
with `--live`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hostup_conformance.contract.ask import LARGEST_LINUX_PID, Ask, Exchange, known
from hostup_conformance.core.redact import redactor
from hostup_conformance.core.wire import Withheld

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hostup_conformance.contract.target import Target
    from hostup_conformance.core.messages import Request

#: The methods that change nothing (RFC 9110 section 9.2.1). A live server gets no others.
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Policy:
    """Raises `Withheld` for a request that could harm the target, or that was not allowed."""

    target: Target
    #: Whether the server may belong to somebody.
    careful: bool

    def __call__(self, request: Request, ask: Ask, exchanges: Sequence[Exchange]) -> None:
        """Check one request, given the exchanges before it."""
        starts = request.method == "POST" and bool(request.body)
        if starts and not self.target.allow_exec:
            raise Withheld("a command is not started without --allow-exec")
        if not self.careful:
            return
        if starts and ask.vps not in {"own", "unknown"}:
            raise Withheld("a command is started on no other VPS than the given one")
        if not starts and request.method not in SAFE_METHODS:
            raise Withheld(f"{request.method} is not sent to a server that is not on loopback, or with --live")
        if redactor(self.target.secrets).finds_in(request.target):
            raise Withheld("a key in a URL is not sent to a server that is not on loopback, or with --live")
        if request.method != "OPTIONS" and ask.pid.may_be_somebodys and not self._is_nobodys(ask, exchanges):
            raise Withheld("a pid that may be somebody's command is not polled: the poll would take its output away")

    def _is_nobodys(self, ask: Ask, exchanges: Sequence[Exchange]) -> bool:
        """Whether no reading of the pid can be that of a command that was not given to us.

        A Linux guest has no pids above 4194304, and a Windows guest has only even ones.
        """
        target = known(self.target, exchanges)
        # An agent that is not available has no command whose output a poll could take away.
        ours = {target.running_pid, target.finished_pid if ask.vps == "unavailable" else None}
        return all(number in ours or (number > LARGEST_LINUX_PID and number % 2) for number in ask.numbers)
