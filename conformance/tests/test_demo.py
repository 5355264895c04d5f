"""The README shows what a run shows."""

import re
import struct

import demo


def masked(lines: list[str]) -> list[str]:
    """Lines without the numbers that differ from run to run."""
    return [re.sub(r"\d+(\.\d)?", "N", line) for line in lines]


def test_the_lines_in_the_readme_are_those_of_a_run() -> None:
    """`make demo` renews them."""
    assert masked(demo.shown_in(demo.README.read_text("utf-8"))) == masked(demo.lines_of(demo.record()))


def test_the_picture_is_small() -> None:
    picture = demo.PICTURE.read_bytes()
    width, height = struct.unpack(">II", picture[16:24])
    assert picture.startswith(b"\x89PNG")
    assert len(picture) < 200_000
    assert 600 < width < 1000
    assert height < 1000
    assert f"]({demo.PICTURE.relative_to(demo.ROOT)})" in demo.README.read_text("utf-8")


def test_the_readme_is_a_screen_and_a_half() -> None:
    """So many words take three minutes."""
    text = re.sub(r"```.*?```", "", demo.README.read_text("utf-8"), flags=re.DOTALL)
    assert len(text.split()) < 700
