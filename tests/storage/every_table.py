"""Rows in every table of the schema, made from its columns, so that no table and no column can be forgotten."""

from typing import Any, Final

from sqlalchemy import Column, LargeBinary, Table, Text, TypeDecorator, text

from bot.crypto import KeyRing, new_data_key
from bot.storage.columns import Flag
from bot.storage.engine import single_engine
from bot.storage.schema import master_keys, metadata, users

ROWS: Final = 8
"""How many rows each table gets."""
_WITHIN: Final = {"depth": (1, 5), "ceiling": (1, 5), "days": (1, 127), "weekday": (0, 6)}
"""What CHECK constraints allow."""
_FIRST: Final = 1 << 62
"""Ids take all of their 63 bits."""

Rows = dict[str, list[dict[str, Any]]]


async def fill(url: str, keys: KeyRing) -> None:
    """Put rows into every table: NULLs, long ids, zero bytes, and texts that collations order in different ways."""
    engine = single_engine(url)
    try:
        async with engine.begin() as connection:
            for table in metadata.sorted_tables:
                names = [column.name for column in table.columns]
                values = ", ".join(f":{name}" for name in names)
                statement = text(f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({values})")  # noqa: S608
                await connection.execute(statement, [_row(table, number, keys) for number in range(ROWS)])
    finally:
        await engine.dispose()


async def everything(url: str) -> Rows:
    """Return all rows as they are stored, in an order that doesn't depend on the database."""
    engine = single_engine(url)
    try:
        async with engine.connect() as connection:
            found: Rows = {}
            for name in metadata.tables:
                rows = await connection.execute(text(f"SELECT * FROM {name}"))  # noqa: S608
                found[name] = sorted((dict(sorted(row._asdict().items())) for row in rows), key=repr)
            return found
    finally:
        await engine.dispose()


def _row(table: Table, number: int, keys: KeyRing) -> dict[str, Any]:
    row = {column.name: _value(column, number) for column in table.columns}
    if table is users:
        row["data_key"] = keys.wrap(new_data_key(), row["id"])
    if table is master_keys:
        row["version"] = keys.current + number
        row["fingerprint"] = b"of a key of before" if number else keys.fingerprint()
    return row


def _value(column: Column[Any], number: int) -> Any:
    if column.foreign_keys:
        return _FIRST + (number + (column.name == "b")) % ROWS  # a Pair's two members differ
    if column.nullable and number % 3 == 0:
        return None
    if column.name in _WITHIN:
        low, high = _WITHIN[column.name]
        return low + number % (high - low + 1)
    return _of_type(column, number)


def _of_type(column: Column[Any], number: int) -> Any:
    kind = column.type.impl_instance if isinstance(column.type, TypeDecorator) else column.type
    if isinstance(kind, LargeBinary):
        return b"\x00\xff'\\" + column.name.encode() + bytes([number]) * (number + 1)
    if isinstance(kind, Text):
        return f"{'aBé_'[number % 4]} {column.name} '\\ {number}"
    if column.primary_key or column.name.endswith("_id"):
        return _FIRST + number
    return number % 2 if isinstance(column.type, Flag) else number  # some columns are unique
