"""Deleting in batches: with SQLite, one transaction that deletes the leftovers of a million users blocks everybody."""

from typing import Any

from sqlalchemy import Table, delete, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection


async def delete_some(connection: AsyncConnection, table: Table, condition: Any, limit: int) -> int:
    """Delete up to `limit` rows for which `condition` holds. Returns how many there were."""
    key = tuple_(*table.primary_key.columns) if len(table.primary_key) > 1 else table.primary_key.columns[0]
    some = select(*table.primary_key.columns).where(condition).limit(limit)
    return (await connection.execute(delete(table).where(key.in_(some)))).rowcount
