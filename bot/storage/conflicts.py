"""An INSERT with ON CONFLICT, which both databases spell alike but SQLAlchemy offers per database."""

from typing import Any

from sqlalchemy import Table


def insert_into(dialect: str, table: Table) -> Any:
    """Return the INSERT for `dialect`. SQLAlchemy's code for the other database isn't even loaded."""
    if dialect == "sqlite":
        from sqlalchemy.dialects import sqlite

        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql

    return postgresql.insert(table)
