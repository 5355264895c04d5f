from __future__ import annotations

from dataclasses import dataclass as _dataclass
from dataclasses import field as _field
from typing import Any, ClassVar

from hostup_agent_runtime import values as _values


@_dataclass(slots=True)
class NetworkUsage(_values.Model):
    """Amount of data transferred.

    Attributes:
        inbound_gb: Gigabytes received.
        outbound_gb: Gigabytes sent.
        total_gb: Gigabytes received and sent.
    """

    inbound_gb: float | None = None
    outbound_gb: float | None = None
    total_gb: float | None = None
    additional_properties: dict[str, Any] = _field(default_factory=dict, kw_only=True)
    null_members: tuple[str, ...] = _field(default=(), kw_only=True, compare=False, repr=False)

    members: ClassVar[tuple[_values.Member, ...]] = (
        _values.Member("inboundGb", "inbound_gb", _values.number),
        _values.Member("outboundGb", "outbound_gb", _values.number),
        _values.Member("totalGb", "total_gb", _values.number),
    )
