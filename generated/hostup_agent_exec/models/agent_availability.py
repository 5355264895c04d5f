from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="AgentAvailability")


@_attrs_define
class AgentAvailability:
    """Whether commands can be run inside the VPS. Every member may be absent.

    Attributes:
        available (bool | Unset): Whether commands can be run. Only `true` says yes; an absent member does not.
        reason (None | str | Unset): Why commands cannot be run, for people to read.
        vm_running (bool | Unset): Whether the VPS runs, for display. Decide on `available`.
    """

    available: bool | Unset = UNSET
    reason: None | str | Unset = UNSET
    vm_running: bool | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        available = self.available

        reason: None | str | Unset
        if isinstance(self.reason, Unset):
            reason = UNSET
        else:
            reason = self.reason

        vm_running = self.vm_running

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if available is not UNSET:
            field_dict["available"] = available
        if reason is not UNSET:
            field_dict["reason"] = reason
        if vm_running is not UNSET:
            field_dict["vmRunning"] = vm_running

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        available = d.pop("available", UNSET)

        def _parse_reason(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        reason = _parse_reason(d.pop("reason", UNSET))

        vm_running = d.pop("vmRunning", UNSET)

        agent_availability = cls(
            available=available,
            reason=reason,
            vm_running=vm_running,
        )

        agent_availability.additional_properties = d
        return agent_availability

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
