"""Two hundred trials of simultaneous `ajar keys` commands on each kind of database, half of them with kills."""

from pathlib import Path

from tests.databases import PostgresServer
from tests.keys.running import try_out_many

TRIALS = 200


async def test_sqlite_loses_no_key(tmp_path: Path) -> None:
    print(await try_out_many("sqlite", "-", tmp_path / "trials", TRIALS))  # noqa: T201


async def test_postgresql_loses_no_key(tmp_path: Path, postgres: PostgresServer) -> None:
    async with postgres.emptied() as url:
        print(await try_out_many("postgresql", url, tmp_path / "trials", TRIALS))  # noqa: T201
