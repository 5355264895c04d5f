from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.problem_extensions import ProblemExtensions
    from ..models.problem_item import ProblemItem


T = TypeVar("T", bound="Problem")


@_attrs_define
class Problem:
    """A problem document (RFC 9457, which replaces RFC 7807). Branch on `code`; the texts may change.

    Attributes:
        type_ (str): URI of the kind of problem, a page of the provider's error reference that ends in `code`.
        detail (str): What went wrong this time, for people to read.
        code (str): Stable name of the kind of problem, for programs.
        title (str | Unset): Short summary of the kind of problem.
        status (int | Unset): The HTTP status again, for those who see the body alone.
        instance (str | Unset): URI reference of this occurrence.
        request_id (str | Unset): Id of the request, to quote to the provider's support.
        timestamp (str | Unset): When it happened, an RFC 3339 date-time.
        errors (list[ProblemItem] | Unset): What was wrong, place by place; comes with status 400.
        extensions (ProblemExtensions | Unset): Further members that the kind of problem defines.
    """

    type_: str
    detail: str
    code: str
    title: str | Unset = UNSET
    status: int | Unset = UNSET
    instance: str | Unset = UNSET
    request_id: str | Unset = UNSET
    timestamp: str | Unset = UNSET
    errors: list[ProblemItem] | Unset = UNSET
    extensions: ProblemExtensions | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        type_ = self.type_

        detail = self.detail

        code = self.code

        title = self.title

        status = self.status

        instance = self.instance

        request_id = self.request_id

        timestamp = self.timestamp

        errors: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.errors, Unset):
            errors = []
            for errors_item_data in self.errors:
                errors_item = errors_item_data.to_dict()
                errors.append(errors_item)

        extensions: dict[str, Any] | Unset = UNSET
        if not isinstance(self.extensions, Unset):
            extensions = self.extensions.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "type": type_,
                "detail": detail,
                "code": code,
            }
        )
        if title is not UNSET:
            field_dict["title"] = title
        if status is not UNSET:
            field_dict["status"] = status
        if instance is not UNSET:
            field_dict["instance"] = instance
        if request_id is not UNSET:
            field_dict["requestId"] = request_id
        if timestamp is not UNSET:
            field_dict["timestamp"] = timestamp
        if errors is not UNSET:
            field_dict["errors"] = errors
        if extensions is not UNSET:
            field_dict["extensions"] = extensions

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.problem_extensions import ProblemExtensions  # noqa: PLC0415
        from ..models.problem_item import ProblemItem  # noqa: PLC0415

        d = dict(src_dict)
        type_ = d.pop("type")

        detail = d.pop("detail")

        code = d.pop("code")

        title = d.pop("title", UNSET)

        status = d.pop("status", UNSET)

        instance = d.pop("instance", UNSET)

        request_id = d.pop("requestId", UNSET)

        timestamp = d.pop("timestamp", UNSET)

        _errors = d.pop("errors", UNSET)
        errors: list[ProblemItem] | Unset = UNSET
        if _errors is not UNSET:
            errors = []
            for errors_item_data in _errors:
                errors_item = ProblemItem.from_dict(errors_item_data)

                errors.append(errors_item)

        _extensions = d.pop("extensions", UNSET)
        extensions: ProblemExtensions | Unset
        if isinstance(_extensions, Unset):
            extensions = UNSET
        else:
            extensions = ProblemExtensions.from_dict(_extensions)

        problem = cls(
            type_=type_,
            detail=detail,
            code=code,
            title=title,
            status=status,
            instance=instance,
            request_id=request_id,
            timestamp=timestamp,
            errors=errors,
            extensions=extensions,
        )

        problem.additional_properties = d
        return problem

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
