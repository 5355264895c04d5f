from __future__ import annotations

from dataclasses import dataclass as _dataclass
from dataclasses import field as _field
from typing import Any, ClassVar

from hostup_agent_runtime import values as _values


@_dataclass(slots=True)
class VpsPage(_values.Model):
    """One page of VPSs.

    Attributes:
        data: The VPSs.
        has_more: Whether there is another page.
        next_cursor: Value of `cursor` for the next page.
    """

    data: list[VpsItem]
    has_more: bool | None = None
    next_cursor: str | None = None
    additional_properties: dict[str, Any] = _field(default_factory=dict, kw_only=True)
    null_members: tuple[str, ...] = _field(default=(), kw_only=True, compare=False, repr=False)

    members: ClassVar[tuple[_values.Member, ...]] = (
        _values.Member("data", "data", _values.array(_values.model(lambda: VpsItem)), is_required=True),
        _values.Member("hasMore", "has_more", _values.boolean),
        _values.Member("nextCursor", "next_cursor", _values.either(_values.string, _values.null)),
    )


# After the class, since models may refer to one another.
from ..models.vps_item import VpsItem  # noqa: E402
