from __future__ import annotations

from dataclasses import dataclass as _dataclass
from dataclasses import field as _field
from typing import Any, ClassVar

from hostup_agent_runtime import values as _values


@_dataclass(slots=True)
class SpaceUsage(_values.Model):
    """Use of memory or storage.

    Attributes:
        used_gb: Gigabytes in use.
        total_gb: Gigabytes in total.
        usage_percent: Share in use, in percent.
    """

    used_gb: float | None = None
    total_gb: float | None = None
    usage_percent: float | None = None
    additional_properties: dict[str, Any] = _field(default_factory=dict, kw_only=True)
    null_members: tuple[str, ...] = _field(default=(), kw_only=True, compare=False, repr=False)

    members: ClassVar[tuple[_values.Member, ...]] = (
        _values.Member("usedGb", "used_gb", _values.number),
        _values.Member("totalGb", "total_gb", _values.number),
        _values.Member("usagePercent", "usage_percent", _values.number),
    )
