"""Lines of values are found whatever an author does with TOML."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from bot.library import content_folder
from bot.library.lines import Where, line_numbers

TRICKY = '''# [[prompt]] in a comment is none
title = "a # that is no comment" # but this is

[[prompt]]
text = """
[[prompt]]
id = "inside a text"
say \\"""this"""
id = "x" # [1, 2]
examples = ["a, b", "c] d",
  # not "this"
  'e " f', """g
h""",
  "i"]
nested = [[1, 2], [
  3], { a = 1, b = [4, 5] }, 6]
empty = []
after = 1979-05-27

[prompt.more]
"quoted key" = true
a.b.'c d' = 1

[[prompt.more.deep]]
x = -1.5e3
[[prompt.more.deep]]
x = \'\'\'
 literal ''\'\'\'
y = """q"""""

[[ prompt ]]
id="z"
[ plain . table ]
k = {a = "}", b = "]"}
end = "last"'''

EXPECTED: dict[Where, int] = {
    ("title",): 2,
    ("prompt", 0): 4,
    ("prompt", 0, "text"): 5,
    ("prompt", 0, "id"): 9,
    ("prompt", 0, "examples"): 10,
    ("prompt", 0, "examples", 0): 10,
    ("prompt", 0, "examples", 1): 10,
    ("prompt", 0, "examples", 2): 12,
    ("prompt", 0, "examples", 3): 12,
    ("prompt", 0, "examples", 4): 14,
    ("prompt", 0, "nested"): 15,
    ("prompt", 0, "nested", 0): 15,
    ("prompt", 0, "nested", 1): 15,
    ("prompt", 0, "nested", 2): 16,
    ("prompt", 0, "nested", 3): 16,
    ("prompt", 0, "empty"): 17,
    ("prompt", 0, "after"): 18,
    ("prompt", 0, "more"): 20,
    ("prompt", 0, "more", "quoted key"): 21,
    ("prompt", 0, "more", "a", "b", "c d"): 22,
    ("prompt", 0, "more", "deep", 0): 24,
    ("prompt", 0, "more", "deep", 0, "x"): 25,
    ("prompt", 0, "more", "deep", 1): 26,
    ("prompt", 0, "more", "deep", 1, "x"): 27,
    ("prompt", 0, "more", "deep", 1, "y"): 29,
    ("prompt", 1): 31,
    ("prompt", 1, "id"): 32,
    ("plain", "table"): 33,
    ("plain", "table", "k"): 34,
    ("plain", "table", "end"): 35,
}


def test_tricky_document_is_located_entirely() -> None:
    tomllib.loads(TRICKY)  # it is one that the real parser accepts
    assert line_numbers(TRICKY) == EXPECTED


@pytest.mark.parametrize("text", ["", "\n", "# only a comment", "a=1", "[t]", "[[t]]\n\n\n"])
def test_smallest_documents_end(text: str) -> None:
    tomllib.loads(text)
    assert len(line_numbers(text)) == len(tomllib.loads(text))


FILES = sorted(content_folder().rglob("*.toml"))


@pytest.mark.parametrize("path", FILES, ids=[path.name for path in FILES])
def test_shipped_values_have_correct_lines(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    lines = source.split("\n")
    found = line_numbers(source)
    for where, value in _leaves(tomllib.loads(source), ()):
        own = where if where in found else where[:-1]  # what an inline table contains has no entry of its own
        assert str(value) in lines[found[own] - 1], where


def _leaves(value: Any, where: Where) -> list[tuple[Where, object]]:
    if isinstance(value, dict):
        return [leaf for key, each in value.items() for leaf in _leaves(each, (*where, key))]
    if isinstance(value, list):
        return [leaf for index, each in enumerate(value) for leaf in _leaves(each, (*where, index))]
    return [(where, value)]
