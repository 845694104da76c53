"""An INSERT that knows ON CONFLICT, which both databases spell alike but SQLAlchemy keeps per database."""

from typing import Any

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection


def insert_into(connection: AsyncConnection, table: Table) -> Any:
    """The INSERT of the database behind `connection`; the other one's part of SQLAlchemy isn't even loaded."""
    if connection.dialect.name == "sqlite":
        from sqlalchemy.dialects import sqlite

        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql

    return postgresql.insert(table)
