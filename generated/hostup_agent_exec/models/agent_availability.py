from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass as _dataclass
from dataclasses import field as _field
from typing import Any, ClassVar, Self

from ..types import (
    UNSET,
    Unset,
    boolean,
    either,
    members_of,
    null,
    optional,
    string,
    to_json,
)


@_dataclass(slots=True)
class AgentAvailability:
    """Whether commands can be run inside the VPS. Every member may be absent.

    Attributes:
        available (bool | Unset): Whether commands can be run. Only `true` means yes; an absent member means no.
        reason (None | str | Unset): Human-readable reason why commands cannot be run.
        vm_running (bool | Unset): Whether the VPS runs. It is for display only; base decisions on `available`.
    """

    known_keys: ClassVar[frozenset[str]] = frozenset(
        {
            "available",
            "reason",
            "vmRunning",
        }
    )

    available: bool | Unset = UNSET
    reason: None | str | Unset = UNSET
    vm_running: bool | Unset = UNSET
    additional_properties: dict[str, Any] = _field(init=False, default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Write it as a JSON object."""
        members: dict[str, Any] = {
            **self.additional_properties,
            "available": self.available,
            "reason": self.reason,
            "vmRunning": self.vm_running,
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
            available=optional(members, "available", boolean),
            reason=optional(members, "reason", either(string, null)),
            vm_running=optional(members, "vmRunning", boolean),
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
