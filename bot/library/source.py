"""Reads one file of the library so that every mistake in it can be reported with file and line."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from bot.library.lines import Where, line_numbers

_Choice = TypeVar("_Choice", bound=StrEnum)

_TOML_PLACE: Final = re.compile(r" \(at line (\d+), column (\d+)\)$")


class Problem(NamedTuple):
    """A mistake at a line of a file."""

    file: str
    line: int
    sentence: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.sentence}"


@dataclass(eq=False)
class Source:
    """One file: its values, its name as shown to people, and the list to which its problems are added."""

    name: str
    text: str
    values: Mapping[str, Any]
    problems: list[Problem] = field(default_factory=list)

    @cached_property
    def lines(self) -> Mapping[Where, int]:
        return line_numbers(self.text)

    def line(self, where: Where) -> int:
        """Return the line of `where`, or of the nearest enclosing place; 1 for the file as a whole."""
        while where and where not in self.lines:
            where = where[:-1]
        return self.lines.get(where, 1)

    def complain(self, where: Where, sentence: str) -> None:
        self.problems.append(Problem(self.name, self.line(where), sentence))

    def tables(self, key: str, *, required: bool = True, beside: tuple[str, ...] = ()) -> list["Table"]:
        """Return the `[[key]]` tables of the file, which may contain nothing else but the keys `beside`."""
        for other in self.values.keys() - {key, *beside}:
            self.complain((other,), f'"{other}" is not known here; only [[{key}]] is')
        rows = self.values.get(key, [])
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            self.complain((key,), f"write each entry as a table of its own, under [[{key}]]")
            return []
        if required and not rows:
            self.complain((), f"there is no [[{key}]] in this file")
        return [Table(self, (key, index), row) for index, row in enumerate(rows)]


class Spot(NamedTuple):
    """A place in a file; its line is only looked up when it is shown."""

    source: Source
    where: Where

    def __str__(self) -> str:
        return f"{self.source.name}:{self.source.line(self.where)}"


@dataclass(frozen=True, slots=True)
class Table:
    """One entry of a file. A mistake in a value is recorded as a problem, and a default of its type is returned."""

    source: Source
    where: Where
    values: Mapping[str, Any]

    def spot(self, *at: str | int) -> Spot:
        return Spot(self.source, (*self.where, *at))

    def complain(self, sentence: str, *at: str | int) -> None:
        self.source.complain((*self.where, *at), sentence)

    def only(self, *known: str, optional: tuple[str, ...] = ()) -> None:
        """Complain about keys that are missing or not known."""
        for key in known:
            if key not in self.values:
                self.complain(f'"{key}" is missing')
        for key in self.values.keys() - {*known, *optional}:
            self.complain(f'"{key}" is not known here; known are {", ".join((*known, *optional))}', key)

    def text(self, key: str, longest: int) -> str:
        value = self.values.get(key, "")
        return self._sound(value, longest, key)

    def texts(self, key: str, longest: int, count: int | None = None) -> tuple[str, ...]:
        """Return the texts under `key`. Complain unless there are exactly `count` of them; with None, at least one."""
        value = self.values.get(key, [])
        if not isinstance(value, list):
            self.complain(f"{key} is {_kind(value)}; expected a list of texts", key)
            return ()
        if count is None and not value and key in self.values:
            self.complain(f"{key} is empty", key)
        if count is not None and key in self.values and len(value) != count:
            self.complain(f"{key} has {len(value)} entries; expected {count}", key)
        return tuple(self._sound(each, longest, key, index) for index, each in enumerate(value))

    def number(self, key: str, lowest: int, highest: int) -> int:
        value = self.values.get(key, lowest)
        if isinstance(value, bool) or not isinstance(value, int):
            self.complain(f"{key} is {_kind(value)}; expected a whole number", key)
            return lowest
        if not lowest <= value <= highest:
            self.complain(f"{key} is {value}; it can be {lowest} to {highest}", key)
            return lowest
        return value

    def choice(self, key: str, choices: type[_Choice]) -> _Choice:
        first = next(iter(choices))
        return self._chosen(self.values.get(key, first), choices, key) or first

    def choices(self, key: str, choices: type[_Choice]) -> frozenset[_Choice]:
        value = self.values.get(key, [])
        if not isinstance(value, list):
            self.complain(f"{key} is {_kind(value)}; expected a list", key)
            return frozenset()
        chosen = (self._chosen(each, choices, key, index) for index, each in enumerate(value))
        return frozenset(each for each in chosen if each)

    def day(self, key: str) -> date:
        value = self.values.get(key, date.min)
        if isinstance(value, datetime) or not isinstance(value, date):
            self.complain(f"{key} is {_kind(value)}; expected a date like 2026-01-31 without quotes", key)
            return date.min
        return value

    def _chosen(self, value: object, choices: type[_Choice], *at: str | int) -> _Choice | None:
        try:
            return choices(str(value))
        except ValueError:
            self.complain(f'{at[0]} is "{value}"; it can be {", ".join(choices)}', *at)
            return None

    def _sound(self, value: object, longest: int, *at: str | int) -> str:
        """Return the text. Complain unless it is one tidy line of at most `longest` characters."""
        if not isinstance(value, str):
            self.complain(f"{at[0]} is {_kind(value)}; expected a text", *at)
            return ""
        if (tidy := " ".join(value.split())) != value or not tidy:
            self._untidy(value, *at)
        if len(value) > longest:
            self.complain(f"{at[0]} is {len(value)} characters long; at most {longest} are allowed", *at)
        return value

    def _untidy(self, value: str, *at: str | int) -> None:
        """Complain about a text that is empty, has line breaks or stray spaces. A missing text is fine."""
        if at[0] in self.values and not value.strip():
            self.complain(f"{at[0]} is empty", *at)
        elif len(value.splitlines()) > 1 or value.endswith("\n"):
            self.complain(f"{at[0]} has a line break; expected one line", *at)
        elif value:
            self.complain(f"{at[0]} has stray spaces", *at)


def read(path: Path, name: str, problems: list[Problem]) -> Source | None:
    """Read the TOML file at `path`. Return None and add a problem if it can't be read or isn't TOML."""
    import tomllib

    if (text := read_text(path, name, problems)) is None:
        return None
    try:
        return Source(name, text, tomllib.loads(text), problems)
    except tomllib.TOMLDecodeError as error:
        place = _TOML_PLACE.search(str(error))
        line = int(place[1]) if place else text.rstrip().count("\n") + 1
        reason = _TOML_PLACE.sub(r" (column \2)", str(error))
        problems.append(Problem(name, line, f"this is not TOML: {reason}"))
    return None


def read_text(path: Path, name: str, problems: list[Problem]) -> str | None:
    """Read the file at `path`. Return None and add a problem if it is missing, unreadable or not UTF-8."""
    try:
        return path.read_bytes().decode("utf-8").replace("\r\n", "\n")
    except FileNotFoundError:
        problems.append(Problem(name, 1, "this file is missing"))
    except OSError as error:
        problems.append(Problem(name, 1, f"this file cannot be read: {error.strerror}"))
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        problems.append(Problem(name, line, "this is not UTF-8; save the file in that encoding"))
    return None


def _kind(value: object) -> str:
    names = {bool: "true or false", int: "a number", float: "a number", str: "a text", list: "a list", dict: "a table"}
    return names.get(type(value), "a date or time")
