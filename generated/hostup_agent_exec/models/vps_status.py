from __future__ import annotations

from dataclasses import dataclass as _dataclass
from dataclasses import field as _field
from typing import Any, ClassVar

from hostup_agent_runtime import values as _values


@_dataclass(slots=True)
class VpsStatus(_values.Model):
    """Live status of a VPS. Every member may be absent.

    Attributes:
        id: Public id of the VPS.
        power_state: Power state; running, stopped, starting, stopping, paused, provisioning, error or unknown.
        uptime_seconds: Seconds since the VPS was started.
        cpu_usage_percent: Share of its processors that is in use, in percent.
        cpu_cores: Number of processors.
        memory: Use of memory or storage.
        storage: Use of memory or storage.
        network: Amount of data transferred.
        pending_tasks: Tasks that have not finished. Their form is not public.
    """

    id: str | None = None
    power_state: str | None = None
    uptime_seconds: float | None = None
    cpu_usage_percent: float | None = None
    cpu_cores: float | None = None
    memory: SpaceUsage | None = None
    storage: SpaceUsage | None = None
    network: NetworkUsage | None = None
    pending_tasks: Any = None
    additional_properties: dict[str, Any] = _field(default_factory=dict, kw_only=True)
    null_members: tuple[str, ...] = _field(default=(), kw_only=True, compare=False, repr=False)

    members: ClassVar[tuple[_values.Member, ...]] = (
        _values.Member("id", "id", _values.string),
        _values.Member("powerState", "power_state", _values.string),
        _values.Member("uptimeSeconds", "uptime_seconds", _values.either(_values.number, _values.null)),
        _values.Member("cpuUsagePercent", "cpu_usage_percent", _values.number),
        _values.Member("cpuCores", "cpu_cores", _values.either(_values.number, _values.null)),
        _values.Member("memory", "memory", _values.model(lambda: SpaceUsage)),
        _values.Member("storage", "storage", _values.model(lambda: SpaceUsage)),
        _values.Member("network", "network", _values.model(lambda: NetworkUsage)),
        _values.Member("pendingTasks", "pending_tasks", _values.anything),
    )


# After the class, since models may refer to one another.
from ..models.network_usage import NetworkUsage  # noqa: E402
from ..models.space_usage import SpaceUsage  # noqa: E402
