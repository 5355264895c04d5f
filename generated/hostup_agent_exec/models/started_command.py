from __future__ import annotations

from dataclasses import dataclass as _dataclass
from dataclasses import field as _field
from typing import Any, ClassVar

from hostup_agent_runtime import values as _values


@_dataclass(slots=True)
class StartedCommand(_values.Model):
    """A command that was started. Every member may be absent.

    Attributes:
        pid: Process id of the command, with which to poll it.
        poll_url: Path on the same origin at which to poll the command. Follow it only if it is a path of this
            endpoint, since the key is sent there.
    """

    pid: int | None = None
    poll_url: str | None = None
    additional_properties: dict[str, Any] = _field(default_factory=dict, kw_only=True)
    null_members: tuple[str, ...] = _field(default=(), kw_only=True, compare=False, repr=False)

    members: ClassVar[tuple[_values.Member, ...]] = (
        _values.Member("pid", "pid", _values.integer),
        _values.Member("pollUrl", "poll_url", _values.string),
    )
