"""Extracts the texts of content/ for the gettext domain "content". babel.cfg refers to it; it doesn't import Babel."""

from collections.abc import Collection, Iterator, Mapping
from typing import IO, Any, Final

from bot.library.lines import line_numbers

_UNTRANSLATED: Final = {"version", "section", "emergency"}
"""The tables of the privacy policy, of which each language has its own, and numbers."""
Message = tuple[int, None, str, list[str]]
"""The items of a Babel extraction method: line, function name (here none), text, comments for translators."""


def extract_content(
    fileobj: IO[bytes],
    keywords: Collection[str],  # noqa: ARG001 - Babel passes it; content has no function calls
    comment_tags: Collection[str],  # noqa: ARG001 - Babel passes it; the comments are made here
    options: Mapping[str, Any],  # noqa: ARG001 - Babel passes it; there is nothing to choose
) -> Iterator[Message]:
    """Yield every title, text, example and plain line of a library file; a Babel extraction method."""
    import tomllib

    source = fileobj.read().decode("utf-8").replace("\r\n", "\n")
    lines = line_numbers(source)
    for kind, rows in tomllib.loads(source).items():
        if kind in _UNTRANSLATED:
            continue
        for index, row in enumerate(rows):
            about = _about(kind, row)
            for key in ("title", "text"):
                if key in row:
                    yield lines[kind, index, key], None, row[key], [about]
            if "line" in row:
                yield lines[kind, index, "line"], None, row["line"], [f"What the word “{row['text']}” is like"]
            for number, example in enumerate(row.get("examples", [])):
                line = lines[kind, index, "examples", number]
                yield line, None, example, [f"Example of an answer to {row['id']}: {row['text']}"]


def _about(kind: str, row: Mapping[str, Any]) -> str:
    facts = [f"{kind.capitalize()} {row['id']}"]
    if kind == "prompt":
        facts += [f"depth {row['depth']}", row["format"]]
    if kind == "word":
        board = f"on the board “{row['of']}”" if "of" in row else "the first of its board"
        facts += [board, "take a word of your own language that belongs there"]
    return ", ".join(facts)
