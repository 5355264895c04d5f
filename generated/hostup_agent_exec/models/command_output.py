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
    integer,
    members_of,
    null,
    optional,
    required,
    string,
    to_json,
)


@_dataclass(slots=True)
class CommandOutput:
    """State of a command, and what it has printed.

    Attributes:
        exited (bool): Whether the command has ended. QEMU's agent reports false as long as any process that the
            command started
            keeps its standard output or standard error open.
        exit_code (int | None | Unset): Exit code of the command, once it has ended of its own accord.
        stdout (None | str | Unset): What the command wrote to standard output. Bytes that are not UTF-8 may have
            been replaced by U+FFFD;
            control characters are kept.
        stderr (None | str | Unset): What the command wrote to standard error.
    """

    known_keys: ClassVar[frozenset[str]] = frozenset(
        {
            "exited",
            "exitCode",
            "stdout",
            "stderr",
        }
    )

    exited: bool
    exit_code: int | None | Unset = UNSET
    stdout: None | str | Unset = UNSET
    stderr: None | str | Unset = UNSET
    additional_properties: dict[str, Any] = _field(init=False, default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Write it as a JSON object."""
        members: dict[str, Any] = {
            **self.additional_properties,
            "exited": self.exited,
            "exitCode": self.exit_code,
            "stdout": self.stdout,
            "stderr": self.stderr,
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
            exited=required(members, "exited", boolean),
            exit_code=optional(members, "exitCode", either(integer, null)),
            stdout=optional(members, "stdout", either(string, null)),
            stderr=optional(members, "stderr", either(string, null)),
        )
        parsed.additional_properties = members
        return parsed

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
