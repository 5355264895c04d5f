from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass as _dataclass
from dataclasses import field as _field
from typing import Any, ClassVar, Self

from ..types import (
    UNSET,
    Unset,
    array,
    boolean,
    either,
    members_of,
    null,
    optional,
    required,
    string,
    to_json,
)


@_dataclass(slots=True)
class VpsPage:
    """One page of VPSs.

    Attributes:
        data (list[VpsItem]): The VPSs.
        has_more (bool | Unset): Whether there is another page.
        next_cursor (None | str | Unset): Value of `cursor` for the next page.
    """

    known_keys: ClassVar[frozenset[str]] = frozenset(
        {
            "data",
            "hasMore",
            "nextCursor",
        }
    )

    data: list[VpsItem]
    has_more: bool | Unset = UNSET
    next_cursor: None | str | Unset = UNSET
    additional_properties: dict[str, Any] = _field(init=False, default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Write it as a JSON object."""
        members: dict[str, Any] = {
            **self.additional_properties,
            "data": self.data,
            "hasMore": self.has_more,
            "nextCursor": self.next_cursor,
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
            data=required(members, "data", array(VpsItem.from_dict)),
            has_more=optional(members, "hasMore", boolean),
            next_cursor=optional(members, "nextCursor", either(string, null)),
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


# After the class, since models may refer to one another.
from ..models.vps_item import VpsItem  # noqa: E402
