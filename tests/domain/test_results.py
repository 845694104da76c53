"""Results on disk: rows of every released version are read, and what can't be read has a sentence of its own.

`rows/` holds what each version has written, one file per version, named by its day. A version that changes Results
adds a file and changes none.
"""

import json
from pathlib import Path

import pytest

from bot.domain.results import AnswerLost, Deleted, Kept, Result, kinds, unpack

ROWS = sorted((Path(__file__).parent / "rows").glob("*.txt"))
GONE = {"NotACode"}
"""Kinds that no longer exist. They are answered with one friendly sentence."""


@pytest.mark.parametrize("file", ROWS, ids=lambda file: file.stem)
def test_rows_of_every_version_are_read(file: Path) -> None:
    for row in file.read_text().splitlines():
        result = unpack(row)
        name, facts = json.loads(row)
        if name in GONE:
            assert result == AnswerLost()
            continue
        assert result.kind == name
        packed = json.loads(result.pack())[1]
        assert {fact: value for fact, value in facts.items() if fact in packed} == {
            fact: value for fact, value in packed.items() if fact in facts
        }


def kinds_in(file: Path) -> set[str]:
    return {json.loads(row)[0] for row in file.read_text().splitlines()}


def test_last_version_has_every_kind() -> None:
    """`make rows` was run after a kind was added."""
    assert kinds_in(ROWS[-1]) == set(kinds())


@pytest.mark.parametrize(
    "row",
    [
        '["NoSuchKind",{}]',
        '["Deleted"]',
        '["Kept",{}]',
        '["Kept",{"line_id":{"decade":"2020"}}]',
        "[]",
        "{}",
        "null",
        "no JSON",
    ],
)
def test_unreadable_result_gets_one_sentence(row: str) -> None:
    assert unpack(row) == AnswerLost()


def test_removed_fact_is_ignored() -> None:
    assert unpack('["Deleted",{"length":17}]') == Deleted()


def test_renamed_class_keeps_its_kind() -> None:
    class Stored(Result):
        kind = "Kept"

    with pytest.raises(ValueError, match="kind of another one"):
        kinds.__wrapped__()
    assert json.loads(Stored().pack())[0] == Kept.kind
