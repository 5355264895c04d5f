from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass as _dataclass
from dataclasses import field as _field
from typing import Any, ClassVar, Self

from ..types import (
    UNSET,
    Unset,
    array,
    integer,
    members_of,
    string,
    to_json,
    tolerated,
)


@_dataclass(slots=True)
class Problem:
    """A problem document (RFC 9457, which replaces RFC 7807). Branch on `code`, since the texts may change.

    Attributes:
        type_ (str | Unset): URI of the problem type, a page of the provider's error reference that ends in `code`.
        detail (str | Unset): Human-readable explanation of this occurrence.
        code (str | Unset): Stable name of the problem type, for programs.
        title (str | Unset): Short summary of the problem type.
        status (int | Unset): The HTTP status code, for a reader who has only the body.
        instance (str | Unset): URI reference that identifies this occurrence.
        request_id (str | Unset): Id of the request, to give to the provider's support.
        timestamp (str | Unset): Time of the error, as an RFC 3339 date-time.
        errors (list[ProblemItem] | Unset): The individual mistakes in the request; present with status code 400.
        extensions (ProblemExtensions | Unset): Further members that the problem type defines.
    """

    known_keys: ClassVar[frozenset[str]] = frozenset(
        {
            "type",
            "detail",
            "code",
            "title",
            "status",
            "instance",
            "requestId",
            "timestamp",
            "errors",
            "extensions",
        }
    )

    type_: str | Unset = UNSET
    detail: str | Unset = UNSET
    code: str | Unset = UNSET
    title: str | Unset = UNSET
    status: int | Unset = UNSET
    instance: str | Unset = UNSET
    request_id: str | Unset = UNSET
    timestamp: str | Unset = UNSET
    errors: list[ProblemItem] | Unset = UNSET
    extensions: ProblemExtensions | Unset = UNSET
    additional_properties: dict[str, Any] = _field(init=False, default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Write it as a JSON object."""
        members: dict[str, Any] = {
            **self.additional_properties,
            "type": self.type_,
            "detail": self.detail,
            "code": self.code,
            "title": self.title,
            "status": self.status,
            "instance": self.instance,
            "requestId": self.request_id,
            "timestamp": self.timestamp,
            "errors": self.errors,
            "extensions": self.extensions,
        }
        return {name: to_json(value) for name, value in members.items() if not isinstance(value, Unset)}

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """Read it from a JSON object, ignoring members of the wrong type.

        Raises:
            InvalidValue: it is no object
        """
        members = members_of(src_dict)
        parsed = cls(
            type_=tolerated(members, "type", string),
            detail=tolerated(members, "detail", string),
            code=tolerated(members, "code", string),
            title=tolerated(members, "title", string),
            status=tolerated(members, "status", integer),
            instance=tolerated(members, "instance", string),
            request_id=tolerated(members, "requestId", string),
            timestamp=tolerated(members, "timestamp", string),
            errors=tolerated(members, "errors", array(ProblemItem.from_dict)),
            extensions=tolerated(members, "extensions", ProblemExtensions.from_dict),
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
from ..models.problem_extensions import ProblemExtensions  # noqa: E402
from ..models.problem_item import ProblemItem  # noqa: E402
