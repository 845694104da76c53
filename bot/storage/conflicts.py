"""An INSERT that knows ON CONFLICT, which both databases spell alike but SQLAlchemy keeps per database."""

from typing import Any

from sqlalchemy import Table


def insert_into(dialect: str, table: Table) -> Any:
    """The INSERT of the database that speaks `dialect`; the other one's part of SQLAlchemy isn't even loaded."""
    if dialect == "sqlite":
        from sqlalchemy.dialects import sqlite

        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql

    return postgresql.insert(table)
