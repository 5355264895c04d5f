from __future__ import annotations

from dataclasses import dataclass as _dataclass
from dataclasses import field as _field
from typing import Any, ClassVar

from hostup_agent_runtime import values as _values


@_dataclass(slots=True)
class CommandOutput(_values.Model):
    """State of a command, and what it has printed.

    Attributes:
        exited: Whether the command has ended. QEMU's agent reports false as long as any process that the command
            started keeps its standard output or standard error open.
        exit_code: Exit code of the command, once it has ended of its own accord.
        stdout: What the command wrote to standard output. Bytes that are not UTF-8 may have been replaced by
            U+FFFD; control characters are kept.
        stderr: What the command wrote to standard error.
    """

    exited: bool
    exit_code: int | None = None
    stdout: str | None = None
    stderr: str | None = None
    additional_properties: dict[str, Any] = _field(default_factory=dict, kw_only=True)
    null_members: tuple[str, ...] = _field(default=(), kw_only=True, compare=False, repr=False)

    members: ClassVar[tuple[_values.Member, ...]] = (
        _values.Member("exited", "exited", _values.boolean, is_required=True),
        _values.Member("exitCode", "exit_code", _values.either(_values.integer, _values.null)),
        _values.Member("stdout", "stdout", _values.either(_values.string, _values.null)),
        _values.Member("stderr", "stderr", _values.either(_values.string, _values.null)),
    )

    @property
    def ok(self) -> bool:
        """Whether it has ended with success: not one that still runs, was killed or has no exit code."""
        return self.exited and self.exit_code == 0

    @property
    def stdout_text(self) -> str:
        """As ``stdout``; the empty string where there is none."""
        return self.stdout or ""

    @property
    def stderr_text(self) -> str:
        """As ``stderr``; the empty string where there is none."""
        return self.stderr or ""
