"""Finds the line of each value in a TOML document, since tomllib gives values without positions.

tomllib has already accepted the document, so this only has to find where things begin, not check that they are valid.
"""

import re
from collections.abc import Iterator
from typing import Final

Where = tuple[str | int, ...]
"""A place in a document: ("prompt", 3, "examples", 1) is the second example of the fourth prompt."""

_KEY_PART: Final = re.compile(r"""[ \t]*(?:([A-Za-z0-9_-]+)|"((?:\\.|[^"\\])*)"|'([^']*)')[ \t]*""")
_PIECE: Final = re.compile(
    r'''
      """(?:\\.|[^\\])*?""""{0,2}     # a text over several lines
    | \'\'\'.*?\'\'\'\'{0,2}            # the same, taken literally
    | "(?:\\.|[^"\\])*" | '[^']*'    # a text
    | \#[^\n]*                       # a comment
    | \n | [ \t]+ | [][{},]
    | [^][{},\s"'#]+                 # a number, a date, true or false
    ''',
    re.DOTALL | re.VERBOSE,
)


def line_numbers(text: str) -> dict[Where, int]:
    """Return the line on which each table, key and list entry of `text`, a valid TOML document, begins.

    The contents of an inline table have no entries of their own.
    """
    found: dict[Where, int] = {}
    seen: dict[Where, int] = {}  # how many [[tables]] of each name we have seen
    table: Where = ()
    at, line = 0, 1
    while at < len(text):
        if text[at] in " \t\n":
            line += text[at] == "\n"
            at += 1
        elif text[at] == "#":
            at = _line_end(text, at)
        elif text[at] == "[":
            many = text.startswith("[[", at)
            parts, at = _key(text, at + (2 if many else 1))
            table = _resolved(parts, seen, new=many)
            found.setdefault(table, line)
            at = _line_end(text, at)
        else:
            parts, at = _key(text, at)
            where = (*table, *parts)
            found[where] = line
            at, line = _value(text, at + 1, line, where, found)
    return found


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _key(text: str, at: int) -> tuple[Where, int]:
    parts: list[str] = []
    while match := _KEY_PART.match(text, at):
        parts.append(next(part for part in match.groups() if part is not None))
        at = match.end()
        if text[at : at + 1] != ".":
            break
        at += 1
    return tuple(parts), at


def _resolved(parts: Where, seen: dict[Where, int], *, new: bool) -> Where:
    """Return the place that a header names: the name of [[tables]] means the last of them so far."""
    where: Where = ()
    for number, part in enumerate(parts, 1):
        where = (*where, part)
        if new and number == len(parts):
            seen[where] = seen.get(where, 0) + 1
        if where in seen:
            where = (*where, seen[where] - 1)
    return where


def _value(text: str, at: int, line: int, where: Where, found: dict[Where, int]) -> tuple[int, int]:
    """Skip one value, noting where entries begin if it is a list. Return the position after it, and the line there."""
    depth = entries = 0
    is_list = expecting = False  # whether the value is a list; whether its next entry is still to come
    for piece in _pieces(text, at):
        if piece == "\n" and depth == 0:
            break
        at += len(piece)
        if piece in "]}":
            depth -= 1
        elif piece == ",":
            expecting = expecting or (is_list and depth == 1)
        elif piece.strip() and piece[0] != "#":
            if expecting and depth == 1:
                found[*where, entries] = line
                entries, expecting = entries + 1, False
            if piece in "[{":
                depth += 1
                if depth == 1:
                    is_list = expecting = piece == "["
        line += piece.count("\n")
    return at, line


def _pieces(text: str, at: int) -> Iterator[str]:
    while match := _PIECE.match(text, at):
        yield match[0]
        at = match.end()
