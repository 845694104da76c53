"""SQLAlchemy's statements, compiled once for SQLite, with what turns values into parameters and rows into values.

SQLAlchemy compiles each statement only once too, but every execution then looks it up by its whole structure, makes a
context for it, and switches between two stacks. That takes several times as long as SQLite needs for the statement.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Delete, Dialect, Executable, Select, Table, UpdateBase
from sqlalchemy.engine.result import IteratorResult, SimpleResultMetaData
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.visitors import iterate

_REMEMBERED: Final = 2000
_LISTS: Final = (list, tuple)

Processor = Callable[[Any], Any]
Lengths = tuple[tuple[str, int], ...]


class Found(IteratorResult[Any]):
    """The rows that a statement has returned, and how many it has changed."""

    def __init__(self, metadata: SimpleResultMetaData, rows: Sequence[Any], rowcount: int) -> None:
        super().__init__(metadata, iter(rows))
        self.rowcount = rowcount


@dataclass(frozen=True, slots=True)
class _Value:
    """A parameter: one of the values that the caller gives, an element of one, or a constant of the statement."""

    name: str
    element: int | None = None
    constant: Any = None
    processor: Processor | None = None

    def of(self, values: Mapping[str, Any]) -> Any:
        value = values.get(self.name, self.constant)
        if self.element is not None:
            value = value[self.element]
        return self.processor(value) if self.processor else value


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement as SQLite takes it."""

    text: str
    _values: tuple[_Value, ...]
    _metadata: SimpleResultMetaData
    _processors: tuple[tuple[int, Processor], ...]
    reads: frozenset[str]
    """The tables that it reads, if it is a SELECT."""
    changes: str | None
    """The table that it changes, if it isn't."""
    deletes: bool

    def parameters(self, values: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple([value.of(values) for value in self._values])

    def result(self, rows: Sequence[Any], rowcount: int) -> Found:
        return Found(self._metadata, [self._row(row) for row in rows] if self._processors else rows, rowcount)

    def _row(self, row: Sequence[Any]) -> Sequence[Any]:
        values = list(row)
        for index, processor in self._processors:
            values[index] = processor(values[index])
        return tuple(values)


def prepared(statement: Executable, values: Mapping[str, Any], dialect: Dialect) -> Prepared | None:
    """Return the statement for values with these names, and lists of these lengths.

    None if SQLAlchemy has to execute it, because it does more for it than executing.
    """
    lengths = tuple([(name, len(value)) for name, value in values.items() if isinstance(value, _LISTS)])
    return _prepared(statement, tuple(values), lengths, dialect)


@lru_cache(_REMEMBERED)
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
    values = []
    for place in expanded.positiontup or ():
        name, element = elements.get(place, (place, None))
        processor = compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect)
        if name in names:
            values.append(_Value(name, element, None, processor))
        else:
            values.append(_Value("", None, expanded.parameters[place], processor))
    columns = (
        statement.column_descriptions if isinstance(statement, Select) else statement.returning_column_descriptions
    )
    return Prepared(
        expanded.statement,
        tuple(values),
        SimpleResultMetaData([column["name"] for column in columns]),
        tuple(_processors([column["type"] for column in columns], dialect)),
        frozenset(each.name for each in iterate(statement) if isinstance(each, Table)),
        None if isinstance(statement, Select) else getattr(statement.table, "name", ""),
        isinstance(statement, Delete),
    )


def _processors(types: Sequence[Any], dialect: Dialect) -> list[tuple[int, Processor]]:
    found = ((index, each.dialect_impl(dialect).result_processor(dialect, None)) for index, each in enumerate(types))
    return [(index, processor) for index, processor in found if processor]
