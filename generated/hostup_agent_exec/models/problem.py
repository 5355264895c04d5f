from __future__ import annotations

from dataclasses import dataclass as _dataclass
from dataclasses import field as _field
from typing import Any, ClassVar

from hostup_agent_runtime import values as _values


@_dataclass(slots=True)
class Problem(_values.Model):
    """A problem document (RFC 9457, which replaces RFC 7807). Branch on `code`, since the texts may change.

    Attributes:
        type_: URI of the problem type, a page of the provider's error reference that ends in `code`.
        detail: Human-readable explanation of this occurrence.
        code: Stable name of the problem type, for programs.
        title: Short summary of the problem type.
        status: The HTTP status code, for a reader who has only the body.
        instance: URI reference that identifies this occurrence.
        request_id: Id of the request, to give to the provider's support.
        timestamp: Time of the error, as an RFC 3339 date-time.
        errors: The individual mistakes in the request; present with status code 400.
        extensions: Further members that the problem type defines.
    """

    type_: str | None = None
    detail: str | None = None
    code: str | None = None
    title: str | None = None
    status: int | None = None
    instance: str | None = None
    request_id: str | None = None
    timestamp: str | None = None
    errors: list[ProblemItem] | None = None
    extensions: ProblemExtensions | None = None
    additional_properties: dict[str, Any] = _field(default_factory=dict, kw_only=True)
    null_members: tuple[str, ...] = _field(default=(), kw_only=True, compare=False, repr=False)

    members: ClassVar[tuple[_values.Member, ...]] = (
        _values.Member("type", "type_", _values.string),
        _values.Member("detail", "detail", _values.string),
        _values.Member("code", "code", _values.string),
        _values.Member("title", "title", _values.string),
        _values.Member("status", "status", _values.integer),
        _values.Member("instance", "instance", _values.string),
        _values.Member("requestId", "request_id", _values.string),
        _values.Member("timestamp", "timestamp", _values.string),
        _values.Member("errors", "errors", _values.array(_values.model(lambda: ProblemItem))),
        _values.Member("extensions", "extensions", _values.model(lambda: ProblemExtensions)),
    )
    is_tolerant: ClassVar[bool] = True


# After the class, since models may refer to one another.
from ..models.problem_extensions import ProblemExtensions  # noqa: E402
from ..models.problem_item import ProblemItem  # noqa: E402
