from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass as _dataclass
from dataclasses import field as _field
from typing import Any, ClassVar, Self

from ..types import (
    UNSET,
    Unset,
    members_of,
    number,
    optional,
    to_json,
)


@_dataclass(slots=True)
class SpaceUsage:
    """Use of memory or storage.

    Attributes:
        used_gb (float | Unset): Gigabytes in use.
        total_gb (float | Unset): Gigabytes in total.
        usage_percent (float | Unset): Share in use, in percent.
    """

    known_keys: ClassVar[frozenset[str]] = frozenset(
        {
            "usedGb",
            "totalGb",
            "usagePercent",
        }
    )

    used_gb: float | Unset = UNSET
    total_gb: float | Unset = UNSET
    usage_percent: float | Unset = UNSET
    additional_properties: dict[str, Any] = _field(init=False, default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Write it as a JSON object."""
        members: dict[str, Any] = {
            **self.additional_properties,
            "usedGb": self.used_gb,
            "totalGb": self.total_gb,
            "usagePercent": self.usage_percent,
        }
        return {name: to_json(value) for name, value in members.items() if not isinstance(value, Unset)}

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """Read it from a JSON object.

        Raises:
            InvalidValue: it is no such object; the text names the place
        """
        members = members_of(src_dict)
        parsed = cls(
            used_gb=optional(members, "usedGb", number),
            total_gb=optional(members, "totalGb", number),
            usage_percent=optional(members, "usagePercent", number),
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
