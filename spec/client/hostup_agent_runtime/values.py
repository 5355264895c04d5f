"""Values: what is absent, the readers that make a JSON value into what a type says, and the models made of them.

A reader takes a JSON value and returns it as its own type, or raises :class:`InvalidValue`. What counts as an
integer or a number follows JSON Schema (2020-12, section 4.2.3): ``1.0`` is an integer, ``true`` is not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from inspect import iscoroutinefunction
from math import isfinite
from typing import Any, ClassVar, Generic, Literal, NamedTuple, NoReturn, Self, TypeGuard, TypeVar

T = TypeVar("T")
S = TypeVar("S")
M = TypeVar("M", bound="Model")
T_co = TypeVar("T_co", covariant=True)


MAX_VALUES = 500_000
"""How many names and values a body of more than a mebibyte may hold: each takes far more memory than its bytes."""


MAX_DEPTH = 100
"""How deeply arrays and objects may be nested: what reads and writes them calls itself for each level."""


class Unset:
    """The type of :data:`UNSET`: the argument is not given, which is not the same as null."""

    def __bool__(self) -> Literal[False]:
        return False

    def __repr__(self) -> str:
        return "UNSET"

    def __reduce__(self) -> str:
        return "UNSET"  # pickled by name, so that there is only ever one


UNSET: Unset = Unset()


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


def _invalid(expected: str, value: object) -> InvalidValue:
    kind = type(value)
    return InvalidValue(expected, _KINDS.get(kind, kind.__name__))


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise InvalidValue("JSON", "a name twice")  # which of the two is meant, nobody knows
    return members


def _refuse_constant(_: str) -> NoReturn:
    raise InvalidValue("JSON", "NaN or Infinity")


_JSON = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse_constant)


def _holds_many_values(body: bytes) -> bool:
    """Tell whether a large body is large by other things than its texts."""
    if len(body) <= 2**20:
        return False
    # Between the quotes that are left, every other piece stands outside of strings.
    pieces = body.replace(rb"\\", b"").replace(rb"\"", b"").split(b'"', MAX_VALUES)
    outside = b"".join(pieces[::2])
    return max(len(pieces), *(outside.count(mark) for mark in (b",", b"[", b"{"))) > MAX_VALUES


def _within(value: object) -> Iterable[Any]:
    return value.values() if is_object(value) else value if is_array(value) else ()


def _is_deep(value: object) -> bool:
    """Tell whether arrays and objects are nested too deeply."""
    level: Iterable[Any] = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [inner for outer in level for inner in _within(outer)]
    return bool(level)


def parse(body: bytes) -> Any:
    """Parse a body by RFC 8259: UTF-8 (a byte order mark is ignored), no name twice, no NaN, and within bounds.

    Raises:
        InvalidValue: it is something else
    """
    if _holds_many_values(body):
        raise InvalidValue(f"{MAX_VALUES} values at most", "more")
    try:
        value = _JSON.decode(body.decode().removeprefix("\ufeff"))
        if body.count(b"[") + body.count(b"{") > MAX_DEPTH and _is_deep(value):
            raise InvalidValue(f"{MAX_DEPTH} levels at most", "more")
        return value
    except InvalidValue:
        raise
    except UnicodeDecodeError:
        expected, got = "UTF-8", "other bytes"
    except (ValueError, RecursionError):  # not JSON; or a number or a nesting beyond what Python takes
        expected, got = "JSON", "something else"
    raise InvalidValue(expected, got)  # out here, since those errors hold the whole text once more


def is_array(value: object) -> TypeGuard[list[Any]]:
    """Tell whether a JSON value is an array, of items not yet known."""
    return isinstance(value, list)


def is_object(value: object) -> TypeGuard[Mapping[str, Any]]:
    """Tell whether a JSON value is an object, with members not yet known."""
    return isinstance(value, Mapping)


def anything(value: Any) -> Any:
    """Read any JSON value."""
    if isinstance(value, Unset):
        raise _invalid("value", value)
    return value


def constant(known: T) -> Callable[[object], T]:
    """Make a reader of one value."""

    def read(value: object) -> T:
        if type(value) is not type(known) or value != known:  # since True == 1 and 1.0 == 1
            raise InvalidValue("one of the listed values", "another")
        return known

    return read


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


def parsed(read: Callable[[object], S], make: Callable[[S], T], expected: str) -> Callable[[object], T]:
    """Make a reader of values that have a form beyond their JSON type, such as a date-time or one of an enumeration."""

    def read_and_make(value: object) -> T:
        try:
            return make(read(value))
        except InvalidValue as error:
            raise InvalidValue(expected, error.got) from None
        except ValueError:
            raise InvalidValue(expected, "another") from None

    return read_and_make


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


def chosen(model: type[M], *others: type[Model]) -> Callable[[Any], M]:
    """Make a reader of the one of several shapes that the request asked for, which refuses a body that is another one.

    A body is another one if it has some of that one's members, and none of this one's.
    """

    def read(value: Any) -> M:
        if is_object(value) and model.known_keys.isdisjoint(value):
            for other in others:
                if not other.known_keys.isdisjoint(value):
                    raise InvalidValue(model.__name__, other.__name__)
        return model.from_dict(value)

    return read


def model(kind: Callable[[], type[M]]) -> Callable[[Any], M]:
    """Make a reader of a model, which may be defined later, since models may refer to one another."""
    return lambda value: kind().from_dict(value)


class Member(NamedTuple):
    """A member of a JSON object, and the attribute that holds its value."""

    name: str
    attribute: str
    read: Callable[[Any], Any]
    is_required: bool = False


class Model:
    """A JSON object as a dataclass; an attribute is None where the member is absent or null."""

    __slots__ = ()
    members: ClassVar[tuple[Member, ...]] = ()
    """The members that the document knows."""
    is_tolerant: ClassVar[bool] = False
    """Whether a member of the wrong type is ignored (RFC 9457, section 3.1)."""
    additional_properties: dict[str, Any]
    """The members that the document does not know, by name."""
    null_members: tuple[str, ...]
    """Names of the members that were null, which :meth:`to_dict` tells from absent ones."""

    known_keys: ClassVar[frozenset[str]] = frozenset()
    """The names of those members."""

    def __init_subclass__(cls) -> None:
        cls.known_keys = frozenset(member.name for member in cls.members)

    @staticmethod
    def read_additional(value: Any, /) -> Any:
        """Read a member that the document does not know by name."""
        return anything(value)

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """Read it from a JSON object.

        Raises:
            InvalidValue: it is no such object; the text names the place
        """
        if not is_object(src_dict):
            raise _invalid("object", src_dict)
        left, values, nulls = dict(src_dict), dict[str, Any](), list[str]()
        for name, attribute, read, is_required in cls.members:
            given = left.pop(name, UNSET)
            if given is UNSET and (cls.is_tolerant or not is_required):
                continue
            try:
                values[attribute] = read(given)
            except InvalidValue as error:
                if not cls.is_tolerant:
                    raise error.within(f".{name}") from None
            if given is None:
                nulls.append(name)
        try:
            additional = {name: cls.read_additional(value) for name, value in left.items()}
        except InvalidValue as error:
            raise error.within(".*") from None  # the name is the server's, and has no place in a message
        values.update(additional_properties=additional, null_members=tuple(nulls))
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        """Write it as a JSON object; what was read from one is written as it was."""
        written = {name: to_json(value) for name, value in self.additional_properties.items()}
        for name, attribute, _, is_required in self.members:
            value = getattr(self, attribute)
            if value is not None or is_required or name in self.null_members:
                written[name] = to_json(value)
        return written

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


def check(name: str, value: object, *kinds: type) -> None:
    """Refuse an argument of another type before anything is sent.

    Raises:
        TypeError: ``value`` is of none of ``kinds``; True and False are no integers here.
    """
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        expected = " or ".join(kind.__name__ for kind in kinds)
        raise TypeError(f"{name}: expected {expected}, got {type(value).__name__}")


def as_text(value: object) -> str:
    """Write a value as text; one that is text already, such as a member of an enumeration, keeps its own."""
    return value if isinstance(value, str) else str(value)


def check_segment(name: str, value: object) -> None:
    """Refuse what would leave the path (RFC 3986, section 5.2.4): nothing, or a dot segment.

    Raises:
        ValueError: ``value`` is written as ``""``, ``"."`` or ``".."``, or holds half of a surrogate pair.
    """
    text = as_text(value)
    if text in ("", ".", ".."):
        raise ValueError(f"{name}: expected neither an empty string nor a dot segment")
    _check_encodable(name, text)


def _check_encodable(name: str, value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{name}: expected text that UTF-8 can encode") from None


def check_text(name: str, value: str | Unset | None, shortest: int, longest: int, pattern: str) -> None:
    """Refuse a text that the document does not allow, or that cannot be sent.

    Raises:
        ValueError: it is too short or too long, does not match, or holds half of a surrogate pair.
    """
    if value is None or isinstance(value, Unset):
        return
    _check_encodable(name, value)
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


LONGEST = 1e9
"""The longest time in seconds; the system's own clocks do not take more."""


def check_seconds(name: str, value: object, *, may_be_zero: bool = False) -> None:
    """Refuse what is no time to wait.

    Raises:
        TypeError: it is no number
        ValueError: it is negative, or too long, or zero where that means nothing
    """
    check(name, value, int, float)
    if not (isinstance(value, int | float) and 0 <= value <= LONGEST and (value or may_be_zero)):
        bounds = f"from 0 to {LONGEST:g}" if may_be_zero else f"above 0, and {LONGEST:g} at most"
        raise ValueError(f"{name}: expected a number of seconds {bounds}")


def check_callback(name: str, value: object) -> None:
    """Refuse what cannot be called, or would have to be awaited.

    Raises:
        TypeError: it is neither None nor a function that is not async.
    """
    if value is not None and (not callable(value) or iscoroutinefunction(value)):
        raise TypeError(f"{name}: expected a function that is not async")
