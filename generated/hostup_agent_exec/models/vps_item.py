from __future__ import annotations

from dataclasses import dataclass as _dataclass
from dataclasses import field as _field
from typing import Any, ClassVar

from hostup_agent_runtime import values as _values


@_dataclass(slots=True)
class VpsItem(_values.Model):
    """A VPS in a list. It may have further members.

    Attributes:
        id: Public id of the VPS, as other endpoints expect it.
        name: Name of the VPS.
        primary_ip: Primary IP address.
        service_status: State of the service contract. The possible values are not public.
        power_state: Power state; running, stopped, starting, stopping, paused, provisioning, error or unknown.
    """

    id: str
    name: str | None = None
    primary_ip: str | None = None
    service_status: str | None = None
    power_state: str | None = None
    additional_properties: dict[str, Any] = _field(default_factory=dict, kw_only=True)
    null_members: tuple[str, ...] = _field(default=(), kw_only=True, compare=False, repr=False)

    members: ClassVar[tuple[_values.Member, ...]] = (
        _values.Member("id", "id", _values.string, is_required=True),
        _values.Member("name", "name", _values.string),
        _values.Member("primaryIp", "primary_ip", _values.either(_values.string, _values.null)),
        _values.Member("serviceStatus", "service_status", _values.string),
        _values.Member("powerState", "power_state", _values.string),
    )
