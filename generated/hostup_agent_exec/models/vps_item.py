from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass as _dataclass
from dataclasses import field as _field
from typing import Any, ClassVar, Self

from ..types import (
    UNSET,
    Unset,
    either,
    members_of,
    null,
    optional,
    required,
    string,
    to_json,
)


@_dataclass(slots=True)
class VpsItem:
    """A VPS in a list. It may have further members.

    Attributes:
        id (str): Public id of the VPS, as other endpoints expect it.
        name (str | Unset): Name of the VPS.
        primary_ip (None | str | Unset): Primary IP address.
        service_status (str | Unset): State of the service contract. The possible values are not public.
        power_state (str | Unset): Power state; running, stopped, starting, stopping, paused, provisioning, error or
            unknown.
    """

    known_keys: ClassVar[frozenset[str]] = frozenset(
        {
            "id",
            "name",
            "primaryIp",
            "serviceStatus",
            "powerState",
        }
    )

    id: str
    name: str | Unset = UNSET
    primary_ip: None | str | Unset = UNSET
    service_status: str | Unset = UNSET
    power_state: str | Unset = UNSET
    additional_properties: dict[str, Any] = _field(init=False, default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Write it as a JSON object."""
        members: dict[str, Any] = {
            **self.additional_properties,
            "id": self.id,
            "name": self.name,
            "primaryIp": self.primary_ip,
            "serviceStatus": self.service_status,
            "powerState": self.power_state,
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
            id=required(members, "id", string),
            name=optional(members, "name", string),
            primary_ip=optional(members, "primaryIp", either(string, null)),
            service_status=optional(members, "serviceStatus", string),
            power_state=optional(members, "powerState", string),
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
