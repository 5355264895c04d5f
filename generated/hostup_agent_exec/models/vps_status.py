from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass as _dataclass
from dataclasses import field as _field
from typing import Any, ClassVar, Self

from ..types import (
    UNSET,
    Unset,
    anything,
    either,
    members_of,
    null,
    number,
    optional,
    string,
    to_json,
)


@_dataclass(slots=True)
class VpsStatus:
    """Live status of a VPS. Every member may be absent.

    Attributes:
        id (str | Unset): Public id of the VPS.
        power_state (str | Unset): Power state; running, stopped, starting, stopping, paused, provisioning, error or
            unknown.
        uptime_seconds (float | None | Unset): Seconds since the VPS was started.
        cpu_usage_percent (float | Unset): Share of its processors that is in use, in percent.
        cpu_cores (float | None | Unset): Number of processors.
        memory (SpaceUsage | Unset): Use of memory or storage.
        storage (SpaceUsage | Unset): Use of memory or storage.
        network (NetworkUsage | Unset): Amount of data transferred.
        pending_tasks (Any | Unset): Tasks that have not finished. Their form is not public.
    """

    known_keys: ClassVar[frozenset[str]] = frozenset(
        {
            "id",
            "powerState",
            "uptimeSeconds",
            "cpuUsagePercent",
            "cpuCores",
            "memory",
            "storage",
            "network",
            "pendingTasks",
        }
    )

    id: str | Unset = UNSET
    power_state: str | Unset = UNSET
    uptime_seconds: float | None | Unset = UNSET
    cpu_usage_percent: float | Unset = UNSET
    cpu_cores: float | None | Unset = UNSET
    memory: SpaceUsage | Unset = UNSET
    storage: SpaceUsage | Unset = UNSET
    network: NetworkUsage | Unset = UNSET
    pending_tasks: Any | Unset = UNSET
    additional_properties: dict[str, Any] = _field(init=False, default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Write it as a JSON object."""
        members: dict[str, Any] = {
            **self.additional_properties,
            "id": self.id,
            "powerState": self.power_state,
            "uptimeSeconds": self.uptime_seconds,
            "cpuUsagePercent": self.cpu_usage_percent,
            "cpuCores": self.cpu_cores,
            "memory": self.memory,
            "storage": self.storage,
            "network": self.network,
            "pendingTasks": self.pending_tasks,
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
            id=optional(members, "id", string),
            power_state=optional(members, "powerState", string),
            uptime_seconds=optional(members, "uptimeSeconds", either(number, null)),
            cpu_usage_percent=optional(members, "cpuUsagePercent", number),
            cpu_cores=optional(members, "cpuCores", either(number, null)),
            memory=optional(members, "memory", SpaceUsage.from_dict),
            storage=optional(members, "storage", SpaceUsage.from_dict),
            network=optional(members, "network", NetworkUsage.from_dict),
            pending_tasks=optional(members, "pendingTasks", anything),
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
from ..models.network_usage import NetworkUsage  # noqa: E402
from ..models.space_usage import SpaceUsage  # noqa: E402
