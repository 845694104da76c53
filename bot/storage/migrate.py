"""Brings a database to the schema of this version. Alembic does the work, and is only loaded if there is any."""

import asyncio
import re
from importlib import import_module
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text

from bot.storage.engine import single_engine, sqlite_file

_VERSIONS: Final = "alembic_version"
_OURS: Final = frozenset({"users", "asks", "lines", "notices"})
"""Tables that every version of Ajar has. An alembic_version alone isn't enough, because other programs have one too."""
_FOLDER: Final = Path(__file__).parent / "migrations"
HEAD: Final = max(file.name[:4] for file in (_FOLDER / "versions").glob("[0-9]*.py"))
"""The newest migration, read from the file names so that a start with nothing to migrate needn't load Alembic."""

_ONE_BY_ONE: Final = "1634361714, 5"
"""The lock with which bots that start at once migrate one after the other. It is two numbers, as a single one would
also be a user's lock. Earlier versions take another lock. One that migrates at the same moment would make one of the
two fail, which changes nothing, and the next start finds what the other one has done."""


class NewerSchema(Exception):
    """The database was made by a newer version of Ajar than this one."""

    def __init__(self, found: str) -> None:
        super().__init__(
            f"The database is at version {found}, which this Ajar doesn't know (it knows up to {HEAD}). "
            "Start the newer Ajar that made it, or restore a backup of before."
        )


class NotOurs(Exception):
    """The database holds something other than Ajar's rows."""

    def __init__(self) -> None:
        super().__init__("The database is not Ajar's: something else keeps its tables there. Name another one.")


async def migrate(url: str) -> str | None:
    """Apply the missing migrations. Return the earlier version, "" for a new database, None if there was nothing to do.

    Raises NewerSchema, NotOurs, and the database's own errors (see `bot.storage.troubles`).
    """
    if file := sqlite_file(url):
        await asyncio.to_thread(_make_folder, file.parent)
    engine = single_engine(url)
    try:
        async with engine.begin() as connection:
            found = await connection.run_sync(_version)
            if found == HEAD:
                return None
            if found > HEAD:
                raise NewerSchema(found)
            # In a thread, so that the loop can go on serving Telegram.
            await asyncio.to_thread(import_module, "alembic.command")
            await connection.run_sync(_upgrade)
            return found
    finally:
        await engine.dispose()


async def version_of(url: str) -> str | None:
    """Return the version of a database; "" if it has no tables, None if there is no file. Raises NotOurs."""
    if (file := sqlite_file(url)) and not file.exists():
        return None
    engine = single_engine(url)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(_version)
    finally:
        await engine.dispose()


async def known_version(url: str) -> str | None:
    """Like `version_of`, but also make sure that this Ajar can use or migrate it. Raises NewerSchema, NotOurs."""
    found = await version_of(url)
    if found and found > HEAD:
        raise NewerSchema(found)
    return found


def _make_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _version(connection: Connection) -> str:
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_ONE_BY_ONE})"))
    # Tables whose names start with _ belong to tools that look after the file, like Litestream.
    tables = {name for name in inspect(connection).get_table_names() if not name.startswith("_")}
    if _VERSIONS not in tables:
        # In PostgreSQL an extension can have tables beside ours.
        if tables & _OURS if connection.dialect.name == "postgresql" else tables:
            raise NotOurs
        return ""
    found = connection.execute(text(f"SELECT version_num FROM {_VERSIONS}")).scalar_one_or_none() or ""  # noqa: S608  # a constant
    if found and not (tables >= _OURS and re.fullmatch("[0-9]{4}", found)):
        raise NotOurs
    return found


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
