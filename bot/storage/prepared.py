"""SQLAlchemy's statements, compiled once, with converters from values to parameters and rows to values.

SQLAlchemy also compiles each statement only once, but for every execution it looks the statement up by its whole
structure, creates a context, and switches between two stacks. That takes several times as long as the statement itself.
"""

from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Delete, Dialect, Executable, Select, Table, UpdateBase
from sqlalchemy.exc import MultipleResultsFound, NoResultFound
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.visitors import iterate

REMEMBERED: Final = 2000
_LISTS: Final = frozenset({list, tuple})

Processor = Callable[[Any], Any]
Lengths = tuple[tuple[str, int], ...]


class Found:
    """The rows that a statement returned, and how many it changed: the part of SQLAlchemy's result that we use."""

    __slots__ = ("_rows", "rowcount")

    def __init__(self, rows: Sequence[Any], rowcount: int) -> None:
        self._rows = rows
        self.rowcount = rowcount

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)

    def all(self) -> list[Any]:
        return list(self._rows)

    def first(self) -> Any:
        """Return the first row, or None if there is none."""
        return self._rows[0] if self._rows else None

    def one_or_none(self) -> Any:
        """Return the only row, or None if there is none. Raises MultipleResultsFound."""
        if len(self._rows) > 1:
            raise MultipleResultsFound
        return self.first()

    def one(self) -> Any:
        """Return the only row. Raises NoResultFound and MultipleResultsFound."""
        if not self._rows:
            raise NoResultFound
        return self.one_or_none()

    def scalars(self) -> list[Any]:
        """Return the first value of each row."""
        return [row[0] for row in self._rows]

    def scalar(self) -> Any:
        """Return the first value of the first row, or None if there is none."""
        return self._rows[0][0] if self._rows else None

    def scalar_one(self) -> Any:
        """Return the first value of the only row. Raises NoResultFound and MultipleResultsFound."""
        return self.one()[0]

    def scalar_one_or_none(self) -> Any:
        """Return the first value of the only row, or None if there is none. Raises MultipleResultsFound."""
        row = self.one_or_none()
        return None if row is None else row[0]


@dataclass(frozen=True, slots=True)
class _Value:
    """One of the caller's values, or an element of one, and its position among the parameters."""

    place: int
    name: str
    element: int | None
    processor: Processor | None

    def of(self, values: Mapping[str, Any]) -> Any:
        value = values[self.name]
        if self.element is not None:
            value = value[self.element]
        return value if self.processor is None else self.processor(value)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement ready for the database."""

    text: str
    _constants: tuple[Any, ...]
    """The parameters, with None in place of the caller's values."""
    _plain: tuple[tuple[int, str], ...]
    """The positions and names of values that need no conversion."""
    _others: tuple[_Value, ...]
    _row: Processor
    """Makes a named tuple."""
    _processors: tuple[tuple[int, Processor], ...]
    reads: frozenset[str]
    """The tables that it names."""
    changes: str | None
    """The table that it changes, if it isn't a SELECT."""
    deletes: bool
    cascades: bool
    """Whether it deletes what rows of other tables refer to."""
    locks: bool
    """Whether it is a SELECT that keeps others from changing its rows."""
    returns: bool
    """Whether it returns rows."""

    def parameters(self, values: Mapping[str, Any]) -> tuple[Any, ...]:
        found = list(self._constants)
        for place, name in self._plain:
            found[place] = values[name]
        for value in self._others:
            found[value.place] = value.of(values)
        return tuple(found)

    def result(self, rows: Sequence[Any], rowcount: int) -> Found:
        return Found([self._row(self._processed(row)) for row in rows], rowcount)

    def _processed(self, row: Sequence[Any]) -> Sequence[Any]:
        """Return a row's values converted to Python's. NULL is always None."""
        if not self._processors:
            return row
        values = list(row)
        for index, processor in self._processors:
            if (value := values[index]) is not None:
                values[index] = processor(value)
        return values


def prepared(statement: Executable, values: Mapping[str, Any], dialect: Dialect) -> Prepared | None:
    """Return the statement for values with these names, and lists of these lengths.

    None if SQLAlchemy has to execute it itself, because it does more than just that for it.
    """
    return _prepared(statement, tuple(values), _lengths(values), dialect)


def all_prepared(
    statements: tuple[Executable, ...], values: Mapping[str, Any], dialect: Dialect
) -> tuple[Prepared, ...]:
    """Like `prepared`, for several statements with the same values, without those that SQLAlchemy has to execute."""
    return _all_prepared(statements, tuple(values), _lengths(values), dialect)


def _lengths(values: Mapping[str, Any]) -> Lengths:
    if _LISTS.isdisjoint(map(type, values.values())):
        return ()
    return tuple([(name, len(value)) for name, value in values.items() if type(value) in _LISTS])


@lru_cache(REMEMBERED)
def _all_prepared(
    statements: tuple[Executable, ...], names: tuple[str, ...], lengths: Lengths, dialect: Dialect
) -> tuple[Prepared, ...]:
    found = (_prepared(statement, names, lengths, dialect) for statement in statements)
    return tuple(each for each in found if each)


@lru_cache(REMEMBERED)
def _prepared(statement: Executable, names: tuple[str, ...], lengths: Lengths, dialect: Dialect) -> Prepared | None:
    if not isinstance(statement, Select | UpdateBase):
        return None
    compiled = statement.compile(dialect=dialect, column_keys=list(names))
    if not isinstance(compiled, SQLCompiler) or compiled.insert_prefetch or compiled.update_prefetch:
        return None
    given = dict.fromkeys(names) | {name: (None,) * length for name, length in lengths}
    if any(bind.expanding != (name in dict(lengths)) for name, bind in compiled.binds.items() if name in names):
        return None
    expanded = compiled.construct_expanded_state(given)
    elements = {
        element: (name, number)
        for name, each in expanded.parameter_expansion.items()
        for number, element in enumerate(each)
    }
    constants: list[Any] = []
    others = []
    for place, parameter in enumerate(expanded.positiontup or ()):
        name, element = elements.get(parameter, (parameter, None))
        processor = compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect)
        if name in names:
            others.append(_Value(place, name, element, processor))
            constants.append(None)
        else:
            constants.append(_constant(expanded.parameters[parameter], processor))
    columns = (
        statement.column_descriptions if isinstance(statement, Select) else statement.returning_column_descriptions
    )
    plain = [value for value in others if value.element is None and value.processor is None]
    return Prepared(
        expanded.statement,
        tuple(constants),
        tuple((value.place, value.name) for value in plain),
        tuple(value for value in others if value not in plain),
        _rows_with([column["name"] for column in columns]),
        tuple(_processors([column["type"] for column in columns], dialect)),
        frozenset(each.name for each in iterate(statement) if isinstance(each, Table)),
        None if isinstance(statement, Select) else getattr(statement.table, "name", ""),
        isinstance(statement, Delete),
        isinstance(statement, Delete) and _is_referred_to(statement.table),
        isinstance(statement, Select) and statement._for_update_arg is not None,  # noqa: SLF001  # nothing public says so
        bool(columns),
    )


def _constant(value: Any, processor: Processor | None) -> Any:
    """Return one of the statement's own values as the database takes it, also an Enum without looking up an adapter."""
    value = processor(value) if processor else value
    return value.value if isinstance(value, Enum) else value


def _rows_with(names: Sequence[str | None]) -> Processor:
    """Return a factory of rows with these names, leaving out duplicates and names that aren't identifiers."""
    row: Any = namedtuple("Row", [name or "_" for name in names], rename=True)  # type: ignore[misc]  # noqa: PYI024
    return row._make


def _is_referred_to(table: Any) -> bool:
    others = table.metadata.tables.values() if isinstance(table, Table) else ()
    return any(key.referred_table is table for other in others for key in other.foreign_key_constraints)


def _processors(types: Sequence[Any], dialect: Dialect) -> list[tuple[int, Processor]]:
    found = ((index, each.dialect_impl(dialect).result_processor(dialect, None)) for index, each in enumerate(types))
    return [(index, processor) for index, processor in found if processor]
