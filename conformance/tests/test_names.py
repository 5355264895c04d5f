"""All catalogues choose by name in one way, and each folder of the suite names what stands in it."""

import ast
from pathlib import Path

import hostup_conformance
import pytest
from hostup_conformance.judging.catalogue import Catalogue
from hostup_conformance.keeping.misconfigured import Misconfigured


@pytest.fixture
def stacks() -> Catalogue[int]:
    made: Catalogue[int] = Catalogue(__name__, "stack")
    for number, name in enumerate(("nginx", "flask", "nginx-waf")):
        made.add(name, number)
    return made


@pytest.mark.parametrize(
    ("names", "numbers"), [([], [0, 1, 2]), (["nginx-waf", "nginx"], [0, 2]), (["nginx*"], [0, 2]), (["*a*"], [1, 2])]
)
def test_names_and_patterns_choose_in_the_order_of_the_catalogue(
    names: list[str], numbers: list[int], stacks: Catalogue[int]
) -> None:
    assert [*stacks.chosen(names).values()] == numbers


@pytest.mark.parametrize("name", ["flsk", "f?"])
def test_an_unknown_name_is_told_with_similar_ones(name: str, stacks: Catalogue[int]) -> None:
    assert stacks.named("flask") == 1
    with pytest.raises(Misconfigured, match=r"^there is no stack f.*; similar names are flask, "):
        stacks.named(name)
    with pytest.raises(Misconfigured, match="similar names are"):
        stacks.chosen(["nginx", "none*"])


def test_no_name_stands_for_two(stacks: Catalogue[int]) -> None:
    with pytest.raises(ValueError, match="two entries flask"):
        stacks.add("flask", 3)


FOLDERS = [file.parent for file in Path(hostup_conformance.__file__).parent.glob("*/__init__.py")]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_folder_names_its_modules(folder: Path) -> None:
    said = ast.get_docstring(ast.parse((folder / "__init__.py").read_text())) or ""
    modules = [file.stem for file in folder.glob("*.py") if not file.stem.startswith("_")]
    assert [name for name in modules if f"`{name}`" not in said] == []
