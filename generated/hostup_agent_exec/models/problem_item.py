from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass as _dataclass
from dataclasses import field as _field
from typing import Any, ClassVar, Self

from ..types import (
    UNSET,
    Unset,
    members_of,
    string,
    to_json,
    tolerated,
)


@_dataclass(slots=True)
class ProblemItem:
    """One mistake in the request.

    Attributes:
        pointer (str | Unset): JSON Pointer (RFC 6901) to the mistake in the request, or the name of a parameter.
        detail (str | Unset): Human-readable explanation of the mistake.
        code (str | Unset): Stable name of this kind of mistake.
    """

    known_keys: ClassVar[frozenset[str]] = frozenset(
        {
            "pointer",
            "detail",
            "code",
        }
    )

    pointer: str | Unset = UNSET
    detail: str | Unset = UNSET
    code: str | Unset = UNSET
    additional_properties: dict[str, Any] = _field(init=False, default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Write it as a JSON object."""
        members: dict[str, Any] = {
            **self.additional_properties,
            "pointer": self.pointer,
            "detail": self.detail,
            "code": self.code,
        }
        return {name: to_json(value) for name, value in members.items() if not isinstance(value, Unset)}

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """Read it from a JSON object, ignoring members of the wrong type.

        Raises:
            InvalidValue: it is no object
        """
        members = members_of(src_dict)
        parsed = cls(
            pointer=tolerated(members, "pointer", string),
            detail=tolerated(members, "detail", string),
            code=tolerated(members, "code", string),
        )
        parsed.additional_properties = members
        return parsed

    @property
    def additional_keys(self) -> list[str]:
        """Names of the members that the document does not know."""
        return list(self.additional_properties)

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
