from __future__ import annotations

from dataclasses import dataclass as _dataclass
from dataclasses import field as _field
from typing import Any, ClassVar

from hostup_agent_runtime import values as _values


@_dataclass(slots=True)
class ProblemItem(_values.Model):
    """One mistake in the request.

    Attributes:
        pointer: JSON Pointer (RFC 6901) to the mistake in the request, or the name of a parameter.
        detail: Human-readable explanation of the mistake.
        code: Stable name of this kind of mistake.
    """

    pointer: str | None = None
    detail: str | None = None
    code: str | None = None
    additional_properties: dict[str, Any] = _field(default_factory=dict, kw_only=True)
    null_members: tuple[str, ...] = _field(default=(), kw_only=True, compare=False, repr=False)

    members: ClassVar[tuple[_values.Member, ...]] = (
        _values.Member("pointer", "pointer", _values.string),
        _values.Member("detail", "detail", _values.string),
        _values.Member("code", "code", _values.string),
    )
    is_tolerant: ClassVar[bool] = True
