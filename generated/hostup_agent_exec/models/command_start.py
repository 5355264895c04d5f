from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass as _dataclass
from dataclasses import field as _field
from typing import Any, ClassVar, Self

from ..types import (
    Unset,
    members_of,
    required,
    string,
    to_json,
)


@_dataclass(slots=True)
class CommandStart:
    """A command to start.

    Attributes:
        command (str): The command line for the guest's shell to run. It must not contain NUL.
    """

    known_keys: ClassVar[frozenset[str]] = frozenset(
        {
            "command",
        }
    )

    command: str
    additional_properties: dict[str, Any] = _field(init=False, default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Write it as a JSON object."""
        members: dict[str, Any] = {
            **self.additional_properties,
            "command": self.command,
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
            command=required(members, "command", string),
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
