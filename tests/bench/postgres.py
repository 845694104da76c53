"""A PostgreSQL on the disk, with the settings of a real one: those of the tests lose everything with the machine."""

import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from tests.databases import PostgresServer, postgres_server


@contextlib.asynccontextmanager
async def durable_postgres() -> AsyncIterator[PostgresServer]:
    """Start a server whose commits wait for the disk, as those of SQLite do."""
    folder = _folder()
    try:
        with postgres_server(folder, "bench") as server:
            safe = [f"ALTER SYSTEM RESET {name}" for name in ("fsync", "full_page_writes", "synchronous_commit")]
            await server.run(*safe, "SELECT pg_reload_conf()")
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _folder() -> Path:
    """Make a folder on the disk. If we are root, the server runs as another user of the machine."""
    folder = Path(tempfile.mkdtemp(prefix="ajar-bench-pg-"))
    folder.chmod(0o755)
    return folder
