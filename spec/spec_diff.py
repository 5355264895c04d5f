"""What changed between two versions of the contract, and whom it breaks: `make spec-diff BASE=REV`.

A schema, a parameter or an answer can become narrower or wider. Whoever writes it is broken by the one, since what was
right is so no longer; whoever reads it by the other, since something may come that could not before. Answers are
written by servers, requests by callers.

    the answer becomes narrower   breaks servers        the request becomes narrower   breaks callers
    the answer becomes wider      breaks callers        the request becomes wider      breaks servers

The ledger is compared by level: a new MUST breaks servers, a lost one breaks callers. The client's Python interface is
compared by griffe.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import griffe
import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
PACKAGE = "hostup_agent_exec"
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
#: Keywords of which a larger number allows less, and those of which it allows more.
LOWER_BOUNDS = ("minLength", "minimum", "exclusiveMinimum", "minItems", "minProperties", "minContains")
UPPER_BOUNDS = ("maxLength", "maximum", "exclusiveMaximum", "maxItems", "maxProperties", "maxContains")
#: Keywords whose value is a schema of what is inside, and how that place is written.
INSIDE = {"items": "[]", "contains": "[]", "additionalProperties": ".*", "propertyNames": ".*"}
BRANCHES = ("anyOf", "oneOf", "allOf")
#: Keywords that are compared in their own way, and those that allow neither more nor less, as all with x- do not.
ELSEWHERE = {"type", "enum", "const", "required", "properties", *INSIDE, *BRANCHES} | {
    "title", "description", "example", "examples", "default", "deprecated", "externalDocs", "$comment", "$ref",
}  # fmt: skip
ALL_TYPES = frozenset({"null", "boolean", "integer", "number", "string", "array", "object"})


class Unusable(Exception):
    """The two versions cannot be compared; the message says why, and what to do."""


@dataclass(frozen=True, order=True)
class Change:
    """One thing that changed."""

    breaks: tuple[str, ...]
    """Of `callers` and `servers` those that were right before and may be so no longer."""
    place: str
    what: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


#: What griffe may say was and is, as far as it can be shown in a word.
VALUES = (str, int, griffe.Parameter, griffe.Expr)
SERVERS, CALLERS, BOTH, NOBODY = ("servers",), ("callers",), ("callers", "servers"), ()


@dataclass(frozen=True)
class Role:
    """Whom it breaks when something that is sent becomes narrower, or wider."""

    narrower: tuple[str, ...]
    wider: tuple[str, ...]


ANSWER, REQUEST = Role(narrower=SERVERS, wider=CALLERS), Role(narrower=CALLERS, wider=SERVERS)


@dataclass(frozen=True)
class Contract:
    """One version: the document, the ledger by id, and the client's package, if there is one."""

    document: dict[str, Any]
    ledger: dict[str, dict[str, Any]]
    package: griffe.Module | None

    @classmethod
    def read(cls, folder: Path) -> Contract:
        """Read a version from a folder that has `spec/` and `generated/`.

        Raises:
            Unusable: there is no contract in it
        """
        try:
            document = yaml.safe_load((folder / "spec" / "openapi.yaml").read_bytes())
            ledger = folder / "spec" / "requirements.yaml"
            entries = yaml.safe_load(ledger.read_bytes()) if ledger.exists() else []
            document["info"]["version"]
        except (OSError, yaml.YAMLError, TypeError, KeyError) as error:
            raise Unusable(f"there is no readable spec/openapi.yaml with a version: {error}") from None
        return cls(document, {entry["id"]: entry for entry in entries}, interface(folder / "generated"))

    @property
    def version(self) -> str:
        """The version that the document gives itself."""
        return str(self.document["info"]["version"])

    def resolve(self, node: Any) -> Any:
        """Follow references to what they name."""
        while isinstance(node, dict) and "$ref" in node:
            target: Any = self.document
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
            node = target
        return node


def interface(folder: Path) -> griffe.Module | None:
    """Read the client's package, without importing it; None if there is none."""
    if not (folder / PACKAGE / "__init__.py").exists():
        return None
    package = griffe.load(PACKAGE, search_paths=[folder], try_relative_path=False)
    return package if isinstance(package, griffe.Module) else None


def changes(old: Contract, new: Contract) -> list[Change]:
    """Tell all that changed."""
    return sorted({*Comparison(old, new).operations(), *ledger_changes(old, new), *interface_changes(old, new)})


class Comparison:
    """Compares two documents."""

    def __init__(self, old: Contract, new: Contract) -> None:
        self.old, self.new = old, new
        self._compared: set[tuple[str, str, Role]] = set()

    def operations(self) -> Iterator[Change]:
        """Compare operations, and all below them."""
        for name, old, new in pairs(_operations(self.old), _operations(self.new)):
            if old is None:
                yield Change(SERVERS, name, "a new operation")
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
        keys = [[str(scheme) for scheme in operation["security"]] for operation in (old, new)]
        yield from _allowed(f"{name} security", REQUEST, *keys)
        for status, before, after in pairs(old["responses"], new["responses"]):
            yield from self._answer(f"{name} {status}", self.old.resolve(before), self.new.resolve(after))

    def _sent(self, place: str, kind: str, old: Any, new: Any) -> Iterator[Change]:
        """Compare a parameter or body, which either version may lack."""
        if old is None:
            required = bool(new.get("required"))
            yield Change(BOTH if required else SERVERS, place, f"a new {'required ' * required}{kind}")
        elif new is None:
            yield Change(CALLERS, place, f"the {kind} is gone")
        else:
            yield from _required(place, REQUEST, was=bool(old.get("required")), now=bool(new.get("required")))
            yield from self._content(place, REQUEST, old, new)

    def _answer(self, place: str, old: Any, new: Any) -> Iterator[Change]:
        if old is None:
            yield Change(ANSWER.wider, place, "a new status")
        elif new is None:
            yield Change(ANSWER.narrower, place, "the status is gone")
        else:
            yield from self._content(place, ANSWER, old, new)
            yield from _allowed(f"{place} code", ANSWER, old.get("x-codes"), new.get("x-codes"))
            for name, before, after in pairs(old.get("headers", {}), new.get("headers", {})):
                yield from self._header(f"{place} {name}", self.old.resolve(before), self.new.resolve(after))

    def _header(self, place: str, old: Any, new: Any) -> Iterator[Change]:
        was, now = (bool(header and header.get("required")) for header in (old, new))
        if was != now:
            yield from _required(place, ANSWER, was=was, now=now)
        elif old is None or new is None:
            yield Change(NOBODY, place, f"the header is {'new' if old is None else 'gone'}")
        if old and new:
            yield from self._schema(place, ANSWER, old.get("schema", {}), new.get("schema", {}))

    def _content(self, place: str, role: Role, old: Any, new: Any) -> Iterator[Change]:
        """Compare the media types of a body or answer, or the one schema of a parameter."""
        before, after = (thing.get("content", {"": thing}) for thing in (old, new))
        yield from _allowed(f"{place} media type", role, list(before), list(after))
        for media in sorted(before.keys() & after.keys()):
            yield from self._schema(place, role, before[media].get("schema", {}), after[media].get("schema", {}))

    def _schema(self, place: str, role: Role, old: Any, new: Any) -> Iterator[Change]:
        if isinstance(new, dict) and "$ref" in new:  # named after itself, and told once, wherever it is used
            place = new["$ref"].rpartition("/")[2]
            if (str(old), place, role) in self._compared:
                return
            self._compared.add((str(old), place, role))
        old, new = _plain(self.old.resolve(old)), _plain(self.new.resolve(new))
        yield from _values(place, role, old, new)
        yield from self._members(place, role, old, new)
        for key, inside in INSIDE.items():
            if key in old or key in new:
                yield from self._schema(place + inside, role, old.get(key, {}), new.get(key, {}))
        for key in BRANCHES:
            for name, before, after in pairs(_named(old.get(key, [])), _named(new.get(key, []))):
                if before is None or after is None:
                    # One branch more of allOf allows less, one more of the others allows more.
                    narrower = (before is None) == (key == "allOf")
                    what = f"{name} is {'new' if before is None else 'gone'}"
                    yield Change(role.narrower if narrower else role.wider, f"{place} {key}", what)
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
                yield Change(CALLERS, member, "the member is gone")
            elif before is None:
                # A server need not send an optional member, but has to understand one that it gets.
                breaks = {*(role.narrower if now else ()), *(SERVERS if role is REQUEST else ())}
                yield Change(tuple(sorted(breaks)), member, f"a new {'required ' * now}member")
            else:
                yield from _required(member, role, was=was, now=now)
                yield from self._schema(member, role, before, after)


def pairs(old: dict[str, Any], new: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Yield each name with what it has in both; None for the one that lacks it."""
    for name in [*old, *(name for name in new if name not in old)]:
        yield name, old.get(name), new.get(name)


def _operations(contract: Contract) -> dict[str, Any]:
    return {
        f"{method.upper()} {path}": {
            **operation,
            "parameters": item.get("parameters", []) + operation.get("parameters", []),
            "security": operation.get("security", contract.document.get("security", [{}])),
        }
        for path, item in contract.document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    }  # fmt: skip


def _parameters(contract: Contract, operation: Any) -> dict[str, Any]:
    parameters = [contract.resolve(parameter) for parameter in operation["parameters"]]
    return {f"{parameter['in']} {parameter['name']}": parameter for parameter in parameters}


def _plain(schema: Any) -> dict[str, Any]:
    """Write `true` and `false` as the schemas that they stand for."""
    return schema if isinstance(schema, dict) else {} if schema else {"not": {}}


def _named(branches: list[Any]) -> dict[str, Any]:
    names = (branch.get("$ref", "").rpartition("/")[2] for branch in branches)
    return {name or f"branch {n}": branch for n, (name, branch) in enumerate(zip(names, branches, strict=True), 1)}


def _values(place: str, role: Role, old: Any, new: Any) -> Iterator[Change]:
    """Compare what schemas say of a value without looking into it."""
    yield from _allowed(f"{place} type", role, _types(old), _types(new))
    yield from _allowed(f"{place} value", role, _enumeration(old), _enumeration(new))
    for key in sorted((old.keys() | new.keys()) - ELSEWHERE):
        before, after = old.get(key), new.get(key)
        if before != after and not key.startswith("x-"):
            yield Change(_bound(role, key, before, after), place, f"{key} {_shown(before)} -> {_shown(after)}")


def _shown(value: Any) -> str:
    return "unset" if value is None else str(value)


def _types(schema: dict[str, Any]) -> list[str]:
    given = schema.get("type", ALL_TYPES)
    types = {given} if isinstance(given, str) else {*given}
    return [*types, *(["integer"] if "number" in types else [])]


def _enumeration(schema: dict[str, Any]) -> list[str] | None:
    values = schema.get("enum", [schema["const"]] if "const" in schema else None)
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
        yield Change(role.narrower if now else role.wider, place, "required now" if now else "no longer required")


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
        breaks = NOBODY if was == now else SERVERS if now == "MUST" else CALLERS if was == "MUST" else NOBODY
        if was is None:
            what = f"a new {now}"
        elif now is None:
            what = f"the {was} is gone"
        elif was != now:
            what = f"was {was}, is {now}"
        elif any(before.get(key) != after.get(key) for key in ("statement", "needs")):
            what = "restated"
        else:
            continue
        yield Change(breaks, id, f"{what}: {(after or before)['title']}")


def interface_changes(old: Contract, new: Contract) -> Iterator[Change]:
    """Compare the client's Python interface."""
    if old.package is None or new.package is None:
        return
    for breakage in griffe.find_breaking_changes(old.package, new.package):
        what = f"{breakage.kind.value[0].lower()}{breakage.kind.value[1:]}"
        yield Change(CALLERS, breakage.obj.path, f"{what}{_values_of(breakage)}")
    known = {path for path, _ in _public(old.package)}
    for path, kind in _public(new.package):
        if path not in known and path.rpartition(".")[0] in known:
            yield Change(NOBODY, path, f"a new {kind}")


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


# --- the two versions, from git


def git(*arguments: str) -> bytes:
    """Run git in this repository; raise `Unusable` with what it says."""
    done = subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, check=False)  # noqa: S603, S607
    if done.returncode:
        raise Unusable(done.stderr.decode(errors="replace").strip().partition("\n")[0] or "git failed")
    return done.stdout


def commit_of(revision: str) -> str:
    """Return the commit that a revision names."""
    try:
        return git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}").decode().strip()
    except Unusable:
        raise Unusable(
            f"BASE={revision} is no commit here; give a branch, tag or hash (git fetch brings more)"
        ) from None


def last_step(version: str) -> str:
    """Return the first commit that has this version, so that nothing since then may break anybody; or else HEAD."""
    base = "HEAD"
    for commit in git("log", "--format=%H", "--", "spec/openapi.yaml").decode().split():
        text = git("show", f"{commit}:spec/openapi.yaml")
        if yaml.safe_load(text)["info"]["version"] != version:
            break
        base = commit
    return base


def at(commit: str) -> Contract:
    """Read the contract as it was in a commit."""
    paths = [path for path in ("spec", "generated") if git("ls-tree", commit, path)]
    if not paths:
        raise Unusable(f"{commit[:7]} has no contract")
    archive = git("archive", commit, *paths)
    with tempfile.TemporaryDirectory() as folder, tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(folder, filter="data")
        return Contract.read(Path(folder))


def main(arguments: list[str] | None = None) -> int:
    """Print what changed; return 1 if something breaks and the version does not say so, 2 if it cannot be told."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument(
        "--base", metavar="REV", help="compare with this commit; by default the one that set the version"
    )
    base = parser.parse_args(arguments).base
    try:
        new = Contract.read(ROOT)
        commit = commit_of(base or last_step(new.version))
        old = at(commit)
    except Unusable as error:
        print(f"spec-diff: {error}", file=sys.stderr)
        return 2
    found = changes(old, new)
    print(f"contract {old.version} ({commit[:7]}) -> {new.version} (working tree)")
    for breaks in (BOTH, CALLERS, SERVERS, NOBODY):
        lines = [f"  {change}" for change in found if change.breaks == breaks]
        if lines:
            print("", f"breaks {' and '.join(breaks) or 'nobody'}", *lines, sep="\n")
    return verdict(old, new, found)


def verdict(old: Contract, new: Contract, found: list[Change]) -> int:
    """Print whether the version says what the changes do; return 1 if it does not."""
    if not found:
        print("\nnothing changed")
    if not any(change.breaks for change in found) or number(new.version) > number(old.version):
        return 0
    print(
        f"\nsomebody is broken, and the version is {new.version} as before: step info.version in spec/openapi.yaml (by "
        "semantic versioning, its first number) and version in pyproject.toml; tell of it in spec/CHANGELOG.md",
        file=sys.stderr,
    )
    return 1


def number(version: str) -> tuple[int, ...]:
    """Return a version in a form that can be compared."""
    return tuple(int(part) if part.isdecimal() else -1 for part in version.replace("-", ".").split("."))


if __name__ == "__main__":
    sys.exit(main())
