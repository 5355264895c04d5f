"""Decoding and encoding lose nothing, and refuse wrong values."""

import copy
import dataclasses
import json
import pickle
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import httpx
import pytest
from hostup_agent_exec import errors
from hostup_agent_exec.models import AgentAvailability, CommandOutput, Problem, ProblemExtensions, ProblemItem
from hostup_agent_exec.types import UNSET, InvalidValue, Unset
from hostup_agent_runtime import values as types
from hostup_agent_runtime.sending import Request, json_body
from hostup_conformance.contract.document import document
from hypothesis import given, settings
from hypothesis import strategies as st

MODELS: dict[str, Any] = {
    "AgentAvailability": AgentAvailability,
    "CommandOutput": CommandOutput,
    "Problem": Problem,
    "ProblemItem": ProblemItem,
}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def instances(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Generate what a schema of the document allows; an unknown keyword is an error, so that none is overlooked."""
    if "$ref" in schema:
        return instances(document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    says = {key: value for key, value in schema.items() if not key.startswith("x-")}
    says = {key: value for key, value in says.items() if key not in ("title", "description", "example", "examples")}
    kinds = says.pop("type")
    if isinstance(kinds, list):
        return st.one_of([instances({**says, "type": kind}) for kind in kinds])
    if kinds == "object":
        return objects(**says)
    if kinds == "array":
        return st.lists(instances(says.pop("items")), max_size=3)
    assert says == {}, says
    integers = st.integers() | st.integers(-100, 100).map(float)  # JSON Schema: 1.0 is an integer
    return {"boolean": st.booleans(), "integer": integers, "string": st.text(), "null": st.none()}[kinds]


@st.composite
def objects(
    draw: st.DrawFn,
    properties: dict[str, Any] | None = None,
    required: list[str] | None = None,
    additionalProperties: bool = True,  # noqa: N803
) -> dict[str, Any]:
    known = {name: instances(schema) for name, schema in (properties or {}).items()}
    must = {name: known[name] for name in required or []}
    assert additionalProperties
    body: dict[str, Any] = draw(st.dictionaries(st.text().filter(lambda name: name not in known), JSON, max_size=3))
    return body | draw(st.fixed_dictionaries(must, optional={k: v for k, v in known.items() if k not in must}))


@pytest.mark.parametrize("name", MODELS)
@settings(settings.get_profile("client"))
@given(data=st.data())
def test_there_and_back_nothing_is_lost(name: str, data: st.DataObject) -> None:
    body = data.draw(instances(document()["components"]["schemas"][name]))
    model = MODELS[name].from_dict(body)
    assert model.to_dict() == body
    assert json.loads(json.dumps(model.to_dict())) == json.loads(json.dumps(body))
    assert pickle.loads(pickle.dumps(model)) == model == copy.deepcopy(model)  # noqa: S301
    assert set(model.additional_keys) == body.keys() - model.known_keys


def test_absent_and_null_are_none() -> None:
    output = CommandOutput.from_dict({"exited": True, "stdout": None})
    assert (output.stdout, output.stderr, output.null_members) == (None, None, ("stdout",))
    assert output.to_dict() == {"exited": True, "stdout": None}


def test_a_missing_available_is_never_true() -> None:
    assert not AgentAvailability.from_dict({"vmRunning": True}).available


def test_unknown_members_are_kept_and_can_be_changed() -> None:
    body = {"exited": False, "new": [1], "b": 2}
    output = CommandOutput.from_dict(body)
    assert body == {"exited": False, "new": [1], "b": 2}
    assert output.additional_keys == ["new", "b"]
    assert "new" in output
    assert output["new"] == [1]
    assert "exited" not in output
    output["new"] = {"a": None}
    del output["b"]
    assert output.to_dict() == {"exited": False, "new": {"a": None}}


def test_a_problem_ignores_members_of_the_wrong_type() -> None:
    problem = Problem.from_dict(
        {"code": 7, "detail": "d", "errors": [{"pointer": 1, "detail": "x"}], "status": 4.0, "n": 1}
    )
    assert problem.code is None
    assert problem.status == 4
    assert problem.errors == [ProblemItem(detail="x")]
    assert problem.to_dict() == {"detail": "d", "errors": [{"detail": "x"}], "status": 4, "n": 1}
    wrong: Any
    for wrong in (["x"], {}, None):
        assert Problem.from_dict({"errors": wrong}).errors is None
    assert Problem.from_dict({"errors": [], "extensions": {"a": 1}}).extensions == ProblemExtensions.from_dict({"a": 1})


@pytest.mark.parametrize("model", [*MODELS.values(), ProblemExtensions])
def test_only_an_object_is_a_model(model: Any) -> None:
    value: Any
    for value in ([], "x", None, 1, UNSET):
        with pytest.raises(InvalidValue, match=r"^\$: expected object, got "):
            model.from_dict(value)


def test_unset_stays_the_one_it_is() -> None:
    for other in (pickle.loads(pickle.dumps(UNSET)), copy.copy(UNSET), copy.deepcopy(UNSET)):  # noqa: S301
        assert other is UNSET
    assert repr(UNSET) == "UNSET"
    assert not UNSET
    assert isinstance(UNSET, Unset)


LISTED = "one of the listed values"
OTHER = f"$: expected {LISTED}, got another"


class Letter(StrEnum):
    A = "a"
    B = "b"


@pytest.mark.parametrize(
    ("make", "good", "bad"),
    [
        (lambda: types.anything, [None, 1, "x", [], {}], {UNSET: "value, got nothing"}),
        (lambda: types.null, [None], {0: "null, got integer", "": "null, got string"}),
        (lambda: types.boolean, [True, False], {1: "boolean, got integer", None: "boolean, got null"}),
        (lambda: types.integer, [0, -1, 2**70], {True: "integer, got boolean", 1.5: "integer, got number", "1": ""}),
        (lambda: types.number, [0, 1.5, -(2**70)], {True: "number, got boolean", float("inf"): "number, got number"}),
        (lambda: types.string, ["", "å\n"], {1: "string, got integer", b"x": "string, got bytes"}),
        (lambda: types.parsed(types.string, Letter, LISTED), ["a", "b"], {"c": OTHER, 1: "listed values, got integer"}),
        (lambda: types.constant(1), [1], {True: OTHER, "1": OTHER}),
        (lambda: types.array(types.integer), [[], [1, 2]], {(): "array, got tuple", "x": "array, got string"}),
        (lambda: types.either(types.integer, types.null), [None, 3], {"x": "integer or null, got string"}),
    ],
)  # fmt: skip
def test_readers(make: Any, good: list[Any], bad: dict[Any, str]) -> None:
    read = make()
    for value in good:
        assert read(value) == value
    for value, says in bad.items():
        with pytest.raises(InvalidValue) as caught:
            read(value)
        assert says in str(caught.value)


def test_an_integer_is_an_int() -> None:
    assert type(types.integer(3.0)) is int


@dataclasses.dataclass(slots=True)
class Counts(types.Model):
    """An object whose members have a type and no names."""

    additional_properties: dict[str, Any] = dataclasses.field(default_factory=dict)
    null_members: tuple[str, ...] = ()
    read_additional = staticmethod(types.integer)


def test_places_are_named_from_the_outside_in() -> None:
    read = types.either(types.array(types.array(types.integer)), types.string)
    with pytest.raises(InvalidValue, match=r"^\$\[1\]\[0\]: expected integer, got null$"):
        types.array(types.array(types.integer))([[1], [None]])
    with pytest.raises(InvalidValue, match=r"^\$: expected array or string, got null$"):
        read(None)
    with pytest.raises(InvalidValue, match=r"^\$\[0\]: expected integer, got string$"):
        types.either(types.null, types.array(types.integer))(["x"])
    with pytest.raises(InvalidValue, match=r"^\$\[0\]: expected integer, got string$"):
        types.either(types.array(types.integer), types.null)(["x"])
    with pytest.raises(InvalidValue, match=r"^\$: expected array, got string$"):
        types.array(types.integer)("x")
    with pytest.raises(InvalidValue, match=r"^\$\.\*: expected integer, got string$"):
        Counts.from_dict({"a": 1, "b": "x"})
    assert Counts.from_dict({"a": 1})["a"] == 1


def test_strings_with_a_form() -> None:

    read = types.parsed(types.string, date.fromisoformat, "date")
    assert read("2026-04-27") == date(2026, 4, 27)
    with pytest.raises(InvalidValue, match="expected date, got another"):
        read("soon")
    with pytest.raises(InvalidValue, match="expected date, got integer"):
        read(1)


def test_json_of_whatever_a_model_may_hold() -> None:
    from enum import Enum
    from uuid import UUID

    kind = Enum("kind", {"A": "a"})
    uuid = UUID(int=1)
    assert types.to_json([datetime(2026, 4, 27), kind.A, uuid, CommandOutput(exited=True), None, 1.5, {"a": 1}]) == [
        "2026-04-27T00:00:00", "a", str(uuid), {"exited": True}, None, 1.5, {"a": 1},
    ]  # fmt: skip


def test_an_invalid_value_pickles() -> None:
    error = InvalidValue("integer", "null", ".a")
    assert error.args == ("integer", "null", ".a")
    assert str(pickle.loads(pickle.dumps(error))) == "$.a: expected integer, got null"  # noqa: S301


def decode(response: httpx.Response, read: Any) -> Any:
    return Request(method="GET", target="/", reads={200: json_body(read)}).read(response)


def test_a_success_is_decoded_or_located() -> None:
    assert decode(httpx.Response(200, content=b"[1]"), types.array(types.integer)) == [1]
    with pytest.raises(errors.InvalidResponse, match=r"^\$\[0\]: expected integer, got null") as caught:
        decode(httpx.Response(200, content=b"[null]"), types.array(types.integer))
    assert caught.value.response.content == b"[null]"


def test_results_can_be_handed_on() -> None:
    output = CommandOutput.from_dict({"exited": True, "stdout": "x", "stderr": None, "new": [1]})
    members = {"exited": True, "exit_code": None, "stdout": "x", "stderr": None}
    kept = {"additional_properties": {"new": [1]}, "null_members": ["stderr"]}
    assert json.loads(json.dumps(dataclasses.asdict(output))).items() >= {**members, **kept}.items()
    changed = dataclasses.replace(output, exit_code=3)
    assert changed.to_dict() == {"exited": True, "exitCode": 3, "stdout": "x", "stderr": None, "new": [1]}
    from fastapi.encoders import jsonable_encoder  # takes a third of a second, which every worker would wait for

    encoded = jsonable_encoder(output)
    assert (encoded["exit_code"], encoded["stderr"], encoded["stdout"]) == (None, None, "x")


@pytest.mark.parametrize(
    ("least", "most", "good", "bad", "says"),
    [(1, None, [1, 99], [0], "1 or more"), (None, 5, [-9, 5], [6], "5 or less"), (1, 5, [1, 5], [0, 6], "1 to 5")],
)
def test_a_range_is_told(least: Any, most: Any, good: list[int], bad: list[int], says: str) -> None:
    for value in (UNSET, None, *good):
        types.check_range("n", value, least, most)
    for value in bad:
        with pytest.raises(ValueError, match=f"^n: expected {says}$"):
            types.check_range("n", value, least, most)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("", "t: expected 1 to 3 characters, got 0"),
        ("abcd", "t: expected 1 to 3 characters, got 4"),
        ("a!", r"t: expected a match of ^\w*$"),
        ("\ud800", "t: expected text that UTF-8 can encode"),
    ],
)
def test_a_text_that_is_refused_is_told(value: str, says: str) -> None:
    with pytest.raises(ValueError, match=r"^t: ") as caught:
        types.check_text("t", value, 1, 3, r"^\w*$")
    assert str(caught.value) == says
    for good in (UNSET, "a", "abc"):
        types.check_text("t", good, 1, 3, r"^\w*$")


def test_a_callback_that_is_refused_is_told() -> None:
    async def later() -> None:
        pass

    for wrong in (later, 7):
        with pytest.raises(TypeError, match=r"^f: expected a function that is not async$"):
            types.check_callback("f", wrong)
    types.check_callback("f", None)
    types.check_callback("f", print)
