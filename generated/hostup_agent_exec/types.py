"""Types that the package shares, and the readers that make a JSON value into what a type says.

A reader takes a JSON value and returns it as its own type, or raises :class:`InvalidValue`. What counts as an
integer or a number follows JSON Schema (2020-12, section 4.2.3): ``1.0`` is an integer, ``true`` is not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from inspect import iscoroutinefunction
from math import isfinite
from typing import IO, Any, BinaryIO, Generic, Literal, TypeGuard, TypeVar


class Unset:
    """The type of :data:`UNSET`: the member or the argument is not there, which is not the same as null."""

    def __bool__(self) -> Literal[False]:
        return False

    def __repr__(self) -> str:
        return "UNSET"

    def __reduce__(self) -> str:
        return "UNSET"  # pickled by name, so that there is only ever one


UNSET: Unset = Unset()

# What httpx takes as a file of a multipart body.
FileContent = IO[bytes] | bytes | str
FileTypes = tuple[str | None, FileContent, str | None] | tuple[str | None, FileContent, str | None, Mapping[str, str]]
RequestFiles = list[tuple[str, FileTypes]]


@dataclass(slots=True)
class File:
    """A file to upload: its content, and optionally its name and media type."""

    payload: BinaryIO
    file_name: str | None = None
    mime_type: str | None = None

    def to_tuple(self) -> FileTypes:
        """The form in which httpx takes it."""
        return self.file_name, self.payload, self.mime_type


T = TypeVar("T")
S = TypeVar("S")
U = TypeVar("U")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Response(Generic[T_co]):
    """An HTTP response: status code, headers (names without case), body, and what the body says.

    ``parsed`` is the success type, or the problem document of an error, or None if the body holds neither.
    """

    status_code: int
    content: bytes
    headers: Mapping[str, str]
    parsed: T_co | None


class InvalidValue(ValueError):
    """A JSON value is not what its type says. The text names the place, never the value."""

    def __init__(self, expected: str, got: str, place: str = "") -> None:
        self.expected, self.got, self.place = expected, got, place
        super().__init__(expected, got, place)

    def within(self, place: str) -> InvalidValue:
        """The same, seen from one level further out."""
        return InvalidValue(self.expected, self.got, place + self.place)

    def __str__(self) -> str:
        return f"${self.place}: expected {self.expected}, got {self.got}"


_KINDS: dict[type, str] = {
    Unset: "nothing",
    type(None): "null",
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}


def is_array(value: object) -> TypeGuard[list[Any]]:
    """Tell whether a JSON value is an array, of items not yet known."""
    return isinstance(value, list)


def is_object(value: object) -> TypeGuard[Mapping[str, Any]]:
    """Tell whether a JSON value is an object, with members not yet known."""
    return isinstance(value, Mapping)


def _invalid(expected: str, value: object) -> InvalidValue:
    kind = type(value)
    return InvalidValue(expected, _KINDS.get(kind, kind.__name__))


def anything(value: Any) -> Any:
    """Read any JSON value."""
    if isinstance(value, Unset):
        raise _invalid("value", value)
    return value


def null(value: object) -> None:
    """Read null."""
    if value is not None:
        raise _invalid("null", value)


def boolean(value: object) -> bool:
    """Read a boolean."""
    if not isinstance(value, bool):
        raise _invalid("boolean", value)
    return value


def integer(value: object) -> int:
    """Read an integer; a number without a fraction is one."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise _invalid("integer", value)


def number(value: object) -> float:
    """Read a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise _invalid("number", value)
    return value


def string(value: object) -> str:
    """Read a string."""
    if not isinstance(value, str):
        raise _invalid("string", value)
    return value


def parsed_string(parse: Callable[[str], T], expected: str) -> Callable[[object], T]:
    """Make a reader of strings that have a form, such as date-time."""

    def read(value: object) -> T:
        try:
            return parse(string(value))
        except InvalidValue as error:
            raise InvalidValue(expected, error.got) from None
        except ValueError:
            raise InvalidValue(expected, "another string") from None

    return read


def one_of(kind: Callable[[Any], T], *values: object) -> Callable[[Any], T]:
    """Make a reader of an enumeration: ``kind`` makes one of the values, all of one JSON type, into a member."""

    def read(value: Any) -> T:
        # By type as well, since True == 1 and 1.0 == 1.
        if not any(type(value) is type(known) and value == known for known in values):
            raise InvalidValue("one of the listed values", "another")
        return kind(value)

    return read


def array(read_item: Callable[[Any], T]) -> Callable[[object], list[T]]:
    """Make a reader of arrays."""

    def read(value: object) -> list[T]:
        if not is_array(value):
            raise _invalid("array", value)
        items: list[T] = []
        for item in value:
            try:
                items.append(read_item(item))
            except InvalidValue as error:
                raise error.within(f"[{len(items)}]") from None
        return items

    return read


def either(first: Callable[[Any], T], second: Callable[[Any], S]) -> Callable[[Any], T | S]:
    """Make a reader of what the first reader takes, or else the second."""

    def read(value: Any) -> T | S:
        try:
            return first(value)
        except InvalidValue as refused:
            try:
                return second(value)
            except InvalidValue as error:
                if error.place:  # the second got further
                    raise
                if refused.place:
                    raise refused from None
                raise InvalidValue(f"{refused.expected} or {error.expected}", error.got) from None

    return read


def members_of(value: object) -> dict[str, Any]:
    """Copy the members of an object, to take them out one by one."""
    if not is_object(value):
        raise _invalid("object", value)
    return dict(value)


def required(members: dict[str, Any], name: str, read: Callable[[Any], T]) -> T:
    """Take out a member that must be there."""
    try:
        return read(members.pop(name, UNSET))
    except InvalidValue as error:
        raise error.within(f".{name}") from None


def optional(members: dict[str, Any], name: str, read: Callable[[Any], T]) -> T | Unset:
    """Take out a member that may be absent."""
    return required(members, name, read) if name in members else UNSET


def tolerated(members: dict[str, Any], name: str, read: Callable[[Any], T]) -> T | Unset:
    """Take out a member that is ignored when it has the wrong type (RFC 9457, section 3.1)."""
    if name not in members:
        return UNSET
    try:
        return read(members.pop(name))
    except InvalidValue:
        return UNSET


def additional(members: dict[str, Any], read: Callable[[Any], T]) -> dict[str, T]:
    """Read the members that have no name of their own."""
    try:
        return {name: read(value) for name, value in members.items()}
    except InvalidValue as error:
        raise error.within(".*") from None  # the name is the server's, and has no place in a message


def to_json(value: Any) -> Any:
    """Write a value in its JSON form."""
    if is_array(value):
        return [to_json(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    for method in ("to_dict", "isoformat"):
        if hasattr(value, method):
            return getattr(value, method)()
    return value if type(value) in _KINDS else str(value)


def to_text(value: Any) -> str:
    """Write a value as the text of a header or a cookie."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(to_json(value))


def form(body: Any) -> dict[str, Any]:
    """Write an object as the members of a form; an absent one is left out, and so is null."""
    return {name: value for name, value in body.to_dict().items() if value is not None}


def content(file: File) -> bytes:
    """Read a file whole, since it may be sent twice, and by an event loop."""
    return file.payload.read()


def check(name: str, value: object, *kinds: type) -> None:
    """Refuse an argument of another type before anything is sent.

    Raises:
        TypeError: ``value`` is of none of ``kinds``; True and False are no integers here.
    """
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        expected = " or ".join(kind.__name__ for kind in kinds)
        raise TypeError(f"{name}: expected {expected}, got {type(value).__name__}")


def check_segment(name: str, value: object) -> None:
    """Refuse what would leave the path (RFC 3986, section 5.2.4): nothing, or a dot segment.

    Raises:
        ValueError: ``value`` is written as ``""``, ``"."`` or ``".."``.
    """
    if (value if isinstance(value, str) else str(value)) in ("", ".", ".."):
        raise ValueError(f"{name}: expected neither an empty string nor a dot segment")


def check_text(name: str, value: str | Unset, shortest: int, longest: int, pattern: str) -> None:
    """Refuse a text that the document does not allow, or that cannot be sent.

    Raises:
        ValueError: it is too short or too long, does not match, or holds half of a surrogate pair.
    """
    if isinstance(value, Unset):
        return
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{name}: expected text that UTF-8 can encode") from None
    if not shortest <= len(value) <= longest:
        raise ValueError(f"{name}: expected {shortest} to {longest} characters, got {len(value)}")
    if not re.search(pattern, value):
        raise ValueError(f"{name}: expected a match of {pattern}")


def check_range(name: str, value: float | Unset | None, least: float | None, most: float | None) -> None:
    """Refuse a number that the document does not allow.

    Raises:
        ValueError: it is too small or too large.
    """
    if isinstance(value, Unset) or value is None:
        return
    if (least is not None and value < least) or (most is not None and value > most):
        limits = f"{least} or more" if most is None else f"{most} or less" if least is None else f"{least} to {most}"
        raise ValueError(f"{name}: expected {limits}")


def check_callback(name: str, value: object) -> None:
    """Refuse what cannot be called, or would have to be awaited.

    Raises:
        TypeError: it is neither None nor a function that is not async.
    """
    if value is not None and (not callable(value) or iscoroutinefunction(value)):
        raise TypeError(f"{name}: expected a function that is not async")


__all__ = ["UNSET", "File", "FileTypes", "InvalidValue", "RequestFiles", "Response", "Unset"]
