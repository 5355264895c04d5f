from __future__ import annotations

from dataclasses import dataclass as _dataclass
from dataclasses import field as _field
from typing import Any, ClassVar

from hostup_agent_runtime import values as _values


@_dataclass(slots=True)
class AgentAvailability(_values.Model):
    """Whether commands can be run inside the VPS. Every member may be absent.

    Attributes:
        available: Whether commands can be run. Only `true` means yes; an absent member means no.
        reason: Human-readable reason why commands cannot be run.
        vm_running: Whether the VPS runs. It is for display only; base decisions on `available`.
    """

    available: bool | None = None
    reason: str | None = None
    vm_running: bool | None = None
    additional_properties: dict[str, Any] = _field(default_factory=dict, kw_only=True)
    null_members: tuple[str, ...] = _field(default=(), kw_only=True, compare=False, repr=False)

    members: ClassVar[tuple[_values.Member, ...]] = (
        _values.Member("available", "available", _values.boolean),
        _values.Member("reason", "reason", _values.either(_values.string, _values.null)),
        _values.Member("vmRunning", "vm_running", _values.boolean),
    )
