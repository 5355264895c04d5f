"""Compares two versions of the contract: what has changed, and whom it breaks.

A schema, a parameter or a response can become narrower (it allows less) or wider (it allows more). A narrower one
breaks the side that writes the message, since something is no longer allowed; a wider one breaks the side that reads
it, since something new may arrive. Servers write responses, and callers write requests.

    a narrower response   breaks servers        a narrower request   breaks callers
    a wider response      breaks callers        a wider request      breaks servers

The ledger is compared by level: a new MUST breaks servers, and a MUST that is gone breaks callers. Of the requirements
for clients, a new MUST breaks callers, and one that is gone breaks nobody. griffe compares the client's Python
interface.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import griffe
from contract import DIRECTIONS, METHODS, PACKAGE, Contract, means_something

#: Keywords with which a larger number allows less, and those with which it allows more.
LOWER_BOUNDS = ("minLength", "minimum", "exclusiveMinimum", "minItems", "minProperties", "minContains")
UPPER_BOUNDS = ("maxLength", "maximum", "exclusiveMaximum", "maxItems", "maxProperties", "maxContains")
#: Keywords whose value is a schema of what is inside, and how that place is written.
INSIDE = {"items": "[]", "contains": "[]", "additionalProperties": ".*", "propertyNames": ".*"}
BRANCHES = ("anyOf", "oneOf", "allOf")
#: Members that are compared in their own way, by place; any other difference may break anybody.
ELSEWHERE = {
    "schema": {"type", "enum", "const", "required", "properties", "$ref", *INSIDE, *BRANCHES},
    "document": {"openapi", "info", "paths", "components", "security"},
    "operation": {"path", "parameters", "requestBody", "responses", "security"},
    "parameter": {"name", "in", "required", "schema", "content"},
    "response": {"content", "headers"},
}
NO_KEY = "no key"
#: Old and new values from griffe that can be shown in a word.
VALUES = (str, int, griffe.Parameter, griffe.Expr)
ALL_TYPES = frozenset({"null", "boolean", "integer", "number", "string", "array", "object"})


@dataclass(frozen=True, order=True)
class Change:
    """One change."""

    #: Those of `callers` and `servers` that were correct before and may no longer be.
    breaks: tuple[str, ...]
    place: str
    what: str
    unclear: bool = False
    """Whether somebody has to read it to see whom it breaks."""

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


SERVERS, CALLERS, BOTH, NOBODY = ("servers",), ("callers",), ("callers", "servers"), ()


@dataclass(frozen=True)
class Role:
    """Whom it breaks if a message becomes narrower or wider."""

    narrower: tuple[str, ...]
    wider: tuple[str, ...]


RESPONSE, REQUEST = Role(narrower=SERVERS, wider=CALLERS), Role(narrower=CALLERS, wider=SERVERS)


def changes(old: Contract, new: Contract) -> list[Change]:
    """Return all changes."""
    return sorted({*Comparison(old, new).all(), *ledger_changes(old, new), *interface_changes(old, new)})


class Comparison:
    """Compares two documents."""

    def __init__(self, old: Contract, new: Contract) -> None:
        self.old, self.new = old, new
        self._compared: set[tuple[str, str, Role]] = set()

    def all(self) -> Iterator[Change]:
        """Compare everything in them."""
        yield from self._rest("the document", "document", self.old.document, self.new.document)
        schemes = [
            contract.document.get("components", {}).get("securitySchemes", {}) for contract in (self.old, self.new)
        ]
        for name, old, new in pairs(*schemes):
            yield from self._rest(f"security scheme {name}", "", old or {}, new or {})
        for method, old, new in pairs(_operations(self.old), _operations(self.new)):
            name = f"{method.partition(' ')[0]} {(new or old)['path']}"
            if old is None:
                # What is not judged is for the client alone.
                yield Change(NOBODY if new.get("x-not-judged") else SERVERS, name, "a new operation")
            elif new is None:
                yield Change(CALLERS, name, "the operation is gone")
            else:
                yield from self._operation(name, old, new)

    def _operation(self, name: str, old: Any, new: Any) -> Iterator[Change]:
        for what, before, after in pairs(_parameters(self.old, old), _parameters(self.new, new)):
            yield from self._sent(f"{name} {what}", "parameter", before, after)
        before, after = self.old.resolve(old.get("requestBody")), self.new.resolve(new.get("requestBody"))
        if before or after:
            yield from self._sent(f"{name} body", "body", before, after)
        was, now = _ways_in(old), _ways_in(new)
        was, now = [*was, *(now if NO_KEY in was else [])], [*now, *(was if NO_KEY in now else [])]
        yield from _allowed(f"{name} security", REQUEST, was, now)
        yield from self._rest(name, "operation", old, new)
        for status, before, after in pairs(old["responses"], new["responses"]):
            yield from self._response(f"{name} {status}", self.old.resolve(before), self.new.resolve(after))

    def _sent(self, place: str, kind: str, old: Any, new: Any) -> Iterator[Change]:
        """Compare a parameter or body, which either version may lack."""
        if old is None:
            required = bool(new.get("required"))
            yield Change(BOTH if required else SERVERS, place, f"a new {'required ' * required}{kind}")
        elif new is None:
            yield Change(BOTH if old.get("required") else CALLERS, place, f"the {kind} is gone")
        else:
            yield from self._rest(place, "parameter", old, new)
            yield from _required(place, REQUEST, was=bool(old.get("required")), now=bool(new.get("required")))
            yield from self._content(place, REQUEST, old, new)

    def _response(self, place: str, old: Any, new: Any) -> Iterator[Change]:
        if old is None:
            yield Change(RESPONSE.wider, place, "a new status code")
        elif new is None:
            yield Change(RESPONSE.narrower, place, "the status code is gone")
        else:
            yield from self._content(place, RESPONSE, old, new)
            yield from self._rest(place, "response", old, new)
            yield from _allowed(f"{place} code", RESPONSE, old.get("x-codes"), new.get("x-codes"))
            for name, before, after in pairs(_headers(old), _headers(new)):
                yield from self._header(f"{place} {name}", self.old.resolve(before), self.new.resolve(after))

    def _header(self, place: str, old: Any, new: Any) -> Iterator[Change]:
        was, now = (bool(header and header.get("required")) for header in (old, new))
        if was != now:
            yield from _required(place, RESPONSE, was=was, now=now)
        elif old is None or new is None:
            yield Change(NOBODY, place, f"the header field is {'new' if old is None else 'gone'}")
        if old and new:
            yield from self._schema(place, RESPONSE, old.get("schema", {}), new.get("schema", {}))

    def _content(self, place: str, role: Role, old: Any, new: Any) -> Iterator[Change]:
        """Compare the media types of a request or response body, or the one schema of a parameter."""
        before, after = (thing.get("content", {"": thing}) for thing in (old, new))
        yield from _allowed(f"{place} media type", role, list(before), list(after))
        for media in sorted(before.keys() & after.keys()):
            yield from self._schema(place, role, before[media].get("schema", {}), after[media].get("schema", {}))

    def _schema(self, place: str, role: Role, old: Any, new: Any) -> Iterator[Change]:
        before, after = _beside(old), _beside(new)
        if before != after:
            yield from self._schema(place, role, before, after)
        if isinstance(new, dict) and "$ref" in new:  # reported once, under its own name, wherever it is used
            place = new["$ref"].rpartition("/")[2]
            if (str(old), place, role) in self._compared:
                return
            self._compared.add((str(old), place, role))
        old, new = _plain(self.old.resolve(old)), _plain(self.new.resolve(new))
        yield from _allowed(f"{place} type", role, _types(old), _types(new))
        yield from _allowed(f"{place} value", role, _enumeration(old), _enumeration(new))
        yield from self._rest(place, "schema", old, new, role)
        yield from self._members(place, role, old, new)
        for key, inside in INSIDE.items():
            if key in old or key in new:
                yield from self._schema(place + inside, role, old.get(key, {}), new.get(key, {}))
        for key in BRANCHES:
            for name, before, after in pairs(_named(old.get(key, [])), _named(new.get(key, []))):
                if before is None or after is None:
                    # One branch more allows more, but for allOf, and for the first one of all.
                    less = (before is None) == (key == "allOf" or not (old.get(key) and new.get(key)))
                    what = f"{name} is {'new' if before is None else 'gone'}"
                    yield Change(role.narrower if less else role.wider, f"{place} {key}", what)
                else:
                    yield from self._schema(f"{place} {name}", role, before, after)

    def _members(self, place: str, role: Role, old: Any, new: Any) -> Iterator[Change]:
        was_required, now_required = old.get("required", []), new.get("required", [])
        members = (
            {**{name: {} for name in schema.get("required", [])}, **schema.get("properties", {})}
            for schema in (old, new)
        )
        for name, before, after in pairs(*members):
            member, was, now = f"{place}.{name}", name in was_required, name in now_required
            if after is None:
                # A reader of a response misses it, and so does a server that needs it in a request.
                yield Change(BOTH if was and role is REQUEST else CALLERS, member, "the member is gone")
            elif before is None:
                # A server need not send an optional member, but has to understand one that it gets; a caller who was
                # told that there are no others need not understand it.
                closed = old.get("additionalProperties") is False
                reads = SERVERS if role is REQUEST else CALLERS if closed else ()
                breaks = {*(role.narrower if now else ()), *reads}
                yield Change(tuple(sorted(breaks)), member, f"a new {'required ' * now}member")
            else:
                yield from _required(member, role, was=was, now=now)
                yield from self._schema(member, role, before, after)

    def _rest(self, place: str, kind: str, old: Any, new: Any, role: Role | None = None) -> Iterator[Change]:
        """Compare what is compared nowhere else: bounds by their size, all others whole."""
        keys = {key for key in old.keys() | new.keys() if means_something(key)} - ELSEWHERE.get(kind, set())
        for key in sorted(keys):
            before, after = self.old.meaning(old.get(key)), self.new.meaning(new.get(key))
            if before != after:
                breaks = CALLERS if key in DIRECTIONS else _bound(role, key, before, after) if role else BOTH
                yield Change(breaks, place, f"{key} {_shown(before)} -> {_shown(after)}")


def pairs(old: dict[str, Any], new: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Yield each name with its values in both; None where it is missing."""
    for name in [*old, *(name for name in new if name not in old)]:
        yield name, old.get(name), new.get(name)


def _operations(contract: Contract) -> dict[str, Any]:
    return {
        # Callers do not see what the parts of a path are called.
        re.sub(r"\{[^}]*\}", "{}", f"{method.upper()} {path}"): {
            **operation,
            "path": path,
            "parameters": item.get("parameters", []) + operation.get("parameters", []),
            "security": operation.get("security", contract.document.get("security")) or [{}],
        }
        for path, item in contract.document["paths"].items()
        for method, operation in contract.resolve(item).items()
        if method in METHODS
    }


def _parameters(contract: Contract, operation: Any) -> dict[str, Any]:
    found = {}
    for parameter in map(contract.resolve, operation["parameters"]):
        place, name = parameter["in"], parameter["name"]
        in_path = f"part {operation['path'].find('{' + name + '}')}" if place == "path" else name
        found[f"{place} {in_path}"] = parameter
    return found


def _ways_in(operation: Any) -> list[str]:
    """Return the ways to authenticate. Where no key is needed, any way is allowed."""
    return [" and ".join(sorted(scheme)) or NO_KEY for scheme in operation["security"]]


def _plain(schema: Any) -> dict[str, Any]:
    """Write `true` and `false` as the schemas that they stand for."""
    return schema if isinstance(schema, dict) else {} if schema else {"not": {}}


def _named(branches: list[Any]) -> dict[str, Any]:
    names = (branch.get("$ref", "").rpartition("/")[2] if isinstance(branch, dict) else "" for branch in branches)
    return {name or f"branch {n}": branch for n, (name, branch) in enumerate(zip(names, branches, strict=True), 1)}


def _headers(response: Any) -> dict[str, Any]:
    """Return the header fields of a response by name, in lower case."""
    return {name.lower(): header for name, header in response.get("headers", {}).items()}


def _beside(schema: Any) -> dict[str, Any]:
    """Return the keywords beside a reference, which apply too (OpenAPI 3.1, Schema Object)."""
    if not isinstance(schema, dict) or "$ref" not in schema:
        return {}
    return {key: value for key, value in schema.items() if key != "$ref" and means_something(key)}


def _shown(value: Any) -> str:
    text = "unset" if value is None else str(value)
    return text if len(text) <= 120 else text[:117] + "..."


def _types(schema: dict[str, Any]) -> list[str]:
    given = schema.get("type", ALL_TYPES)
    types = {given} if isinstance(given, str) else {*given}
    return [*types, *(["integer"] if "number" in types else [])]


def _enumeration(schema: dict[str, Any]) -> list[str] | None:
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    return None if values is None else [repr(value) for value in values]


def _allowed(place: str, role: Role, old: list[str] | None, new: list[str] | None) -> Iterator[Change]:
    """Compare two lists of what is allowed, where None is anything."""
    if old is None and new is not None:
        yield Change(role.narrower, place, f"now only {', '.join(new)}")
    elif old is not None and new is None:
        yield Change(role.wider, place, "now anything")
    elif old is not None and new is not None:
        if gone := sorted({*old} - {*new}):
            yield Change(role.narrower, place, f"no longer {', '.join(gone)}")
        if come := sorted({*new} - {*old}):
            yield Change(role.wider, place, f"now also {', '.join(come)}")


def _required(place: str, role: Role, *, was: bool, now: bool) -> Iterator[Change]:
    if was != now:
        yield Change(role.narrower if now else role.wider, place, "now required" if now else "no longer required")


def _bound(role: Role, key: str, old: Any, new: Any) -> tuple[str, ...]:
    if old is None or new is None:
        return role.narrower if old is None else role.wider
    if key in LOWER_BOUNDS or key in UPPER_BOUNDS:
        return role.narrower if (new > old) == (key in LOWER_BOUNDS) else role.wider
    return BOTH


def ledger_changes(old: Contract, new: Contract) -> Iterator[Change]:
    """Compare the requirements."""
    for id, before, after in pairs(old.ledger, new.ledger):
        was, now = (entry["level"] if entry else None for entry in (before, after))
        keepers, others = (CALLERS, NOBODY) if id.startswith("CLIENT-") else (SERVERS, CALLERS)
        unclear = False
        breaks = NOBODY if was == now else keepers if now == "MUST" else others if was == "MUST" else NOBODY
        if was is None:
            what = f"a new {now}"
        elif now is None:
            what = f"the {was} is gone"
        elif was != now:
            what = f"was {was}, is {now}"
        elif any(before.get(key) != after.get(key) for key in ("statement", "needs")):
            what, unclear = "reworded", True
        else:
            continue
        yield Change(breaks, id, f"{what}: {(after or before)['title']}", unclear)


def interface_changes(old: Contract, new: Contract) -> Iterator[Change]:
    """Compare the client's Python interface."""
    if old.package is None or new.package is None:
        if old.package is not new.package:
            gone = new.package is None
            yield Change(CALLERS if gone else NOBODY, PACKAGE, f"the package is {'gone' if gone else 'new'}")
        return
    for breakage in griffe.find_breaking_changes(old.package, new.package):
        if _is_shared(breakage.obj.path, old.package):
            continue
        what = f"{breakage.kind.value[0].lower()}{breakage.kind.value[1:]}"
        yield Change(CALLERS, breakage.obj.path, f"{what}{_values_of(breakage)}")
    known = {path for path, _ in _public(old.package)}
    for path, kind in _public(new.package):
        if path not in known and path.rpartition(".")[0] in known:
            yield Change(NOBODY, path, f"a new {kind}")


def _is_shared(path: str, package: griffe.Module) -> bool:
    """Whether an object is one that the modules of the package `api` share; callers name those modules alone."""
    _, *parts = path.split(".")
    return parts[:1] == ["api"] and len(parts) > 1 and not isinstance(package["api"].members[parts[1]], griffe.Module)


def _values_of(breakage: griffe.Breakage) -> str:
    values = (breakage.old_value, breakage.new_value)
    shown = [getattr(value, "name", str(value)) for value in values if isinstance(value, VALUES)]
    return f" ({' -> '.join(shown)})" if shown else ""


def _public(object: griffe.Object) -> Iterator[tuple[str, str]]:
    """Yield path and kind of all that callers may name, except attributes."""
    yield object.path, object.kind.value
    for member in object.members.values():
        if isinstance(member, griffe.Module | griffe.Class | griffe.Function) and member.is_public:
            yield from _public(member)
