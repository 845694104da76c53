"""`ajar move`: all rows arrive in the other database as they were, and no bot starts on both."""

import asyncio
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from bot import database_move, importing
from bot.app import run
from bot.config import Config, WrongSettings, load, with_database
from bot.crypto import KeyRing, OtherKey
from bot.operating import Unfit
from bot.storage.backup import InUse
from bot.storage.database_lock import shared_lock
from bot.storage.engine import single_engine
from bot.storage.migrate import HEAD
from bot.storage.moved import Moved
from bot.storage.schema import metadata
from bot.storage.store import Store
from tests.databases import PostgresServer, SqliteTemplate
from tests.storage.every_table import ROWS, everything, fill
from tests.storage.people import ALICE, kept, ready
from tests.test_copies import NOW, WORDS


class BrokenOff(Exception):
    """The operator has pressed Ctrl-C."""


@pytest.fixture
async def source(tmp_path: Path, sqlite_template: SqliteTemplate, keys: KeyRing) -> Config:
    """The settings of a database with rows in every table, on SQLite."""
    (tmp_path / "var").mkdir()
    url = sqlite_template.copy(tmp_path / "var")
    await fill(url, keys)
    return settings(tmp_path, url, keys)


def settings(folder: Path, url: str, keys: KeyRing) -> Config:
    given = {"AJAR_DATA_DIR": str(folder / "var"), "AJAR_DATABASE_URL": url, "AJAR_MASTER_KEY": keys.text}
    return load(given, None, need_token=False)


def at(config: Config, url: str) -> Config:
    return config.model_copy(update={"database": SecretStr(url)})


def beside(config: Config) -> Config:
    """Another SQLite database, which isn't there yet."""
    return with_database(config, url=f"sqlite:///{config.data_dir / 'elsewhere' / 'ajar.db'}")


def make_empty(config: Config, sqlite_template: SqliteTemplate) -> None:
    assert config.sqlite_file
    config.sqlite_file.parent.mkdir()
    sqlite_template.copy(config.sqlite_file.parent)


async def execute(url: str, statement: str) -> None:
    engine = single_engine(url)
    async with engine.begin() as connection:
        await connection.execute(text(statement))
    await engine.dispose()


@pytest.mark.process
async def test_everything_goes_to_postgresql_and_back(source: Config, postgres: PostgresServer) -> None:
    before = await everything(source.database_url)
    assert {name: len(rows) for name, rows in before.items()} == dict.fromkeys(metadata.tables, ROWS)
    shown: list[tuple[int, int]] = []
    async with postgres.new() as url:
        there = at(source, url)
        said = await database_move.move(source, there, lambda done, of: shown.append((done, of)))
        assert said[0].startswith(
            f"Moved {len(metadata.tables) * ROWS} rows from {source.sqlite_file} to postgresql://"
        )
        assert await everything(url) == before
        again = beside(source)
        await database_move.move(there, again)
        assert await everything(again.database_url) == before
    assert shown == sorted(shown)
    assert shown[-1] == (2 * len(metadata.tables) * ROWS,) * 2


@pytest.mark.process
async def test_moved_words_open(
    tmp_path: Path, sqlite_template: SqliteTemplate, keys: KeyRing, postgres: PostgresServer
) -> None:
    (tmp_path / "var").mkdir()
    here = settings(tmp_path, sqlite_template.copy(tmp_path / "var"), keys)
    store = Store.at(here.database_url, keys)
    async with store.writing() as rows:
        await rows.master_keys.record(alone=True)
        line = await kept(rows, await ready(rows, ALICE, NOW), WORDS, NOW)
    await store.close()
    async with postgres.emptied() as url:
        await database_move.move(here, at(here, url))
        store = Store.at(url, keys)
        async with store.reading() as rows:
            assert await rows.lines.words(line) == WORDS
            assert not (await rows.seals.open_all()).damaged
        await store.close()


async def test_moved_database_starts_no_bot(source: Config) -> None:
    """It doesn't even ask Telegram for updates, which the bot on the other database would miss."""
    there = beside(source)
    await database_move.move(source, there)
    called: list[object] = []
    async with await asyncio.start_server(lambda reader, _: called.append(reader), "127.0.0.1") as telegram:
        address = "http://127.0.0.1:{1}".format(*telegram.sockets[0].getsockname())
        bot = source.model_copy(update={"bot_token": SecretStr("1:abcdefgh"), "api_url": address})
        with pytest.raises(Moved, match=f"moved to {there.sqlite_file} on .* ajar move --back"):
            await run(bot)
    assert not called
    with pytest.raises(Moved):
        await importing.take(source, [])
    with pytest.raises(Moved):
        await database_move.move(source, there)
    assert (await database_move.back(source))[0].startswith(f"Bots can use {source.sqlite_file} again.")
    with pytest.raises(Unfit, match="nothing to take back"):
        await database_move.back(source)
    with pytest.raises(Unfit, match="rows of its own"):  # and what was moved stays as it is
        await database_move.move(source, there)
    assert await everything(there.database_url) == await everything(source.database_url)


@pytest.mark.parametrize("side", ["source", "target"])
async def test_not_while_a_bot_runs(source: Config, side: str, sqlite_template: SqliteTemplate) -> None:
    there = beside(source)
    make_empty(there, sqlite_template)
    async with shared_lock((source if side == "source" else there).database_url):
        with pytest.raises(InUse, match="Stop it first"):
            await database_move.move(source, there)


@pytest.mark.process
async def test_not_while_a_postgresql_bot_runs(source: Config, postgres: PostgresServer) -> None:
    async with postgres.emptied() as url, shared_lock(url):
        with pytest.raises(InUse, match="Stop it first"):
            await database_move.move(source, at(source, url))


async def test_other_peoples_rows_stay(source: Config, sqlite_template: SqliteTemplate, keys: KeyRing) -> None:
    there = beside(source)
    make_empty(there, sqlite_template)
    store = Store.at(there.database_url, keys)
    async with store.writing() as rows:
        await rows.users.add(ALICE, "en", NOW)
    await store.close()
    before = await everything(there.database_url)
    with pytest.raises(Unfit, match="rows of its own"):
        await database_move.move(source, there)
    assert await everything(there.database_url) == before


async def test_not_into_another_version(source: Config, sqlite_template: SqliteTemplate) -> None:
    there = beside(source)
    make_empty(there, sqlite_template)
    await execute(there.database_url, "UPDATE alembic_version SET version_num = '0030'")
    with pytest.raises(Unfit, match=f"at version 0030, and not at {HEAD}"):
        await database_move.move(source, there)


async def test_not_where_another_master_key_seals(source: Config, sqlite_template: SqliteTemplate) -> None:
    there = beside(source)
    make_empty(there, sqlite_template)
    store = Store.at(there.database_url, KeyRing.new())
    async with store.writing() as rows:
        await rows.master_keys.record(alone=True)
    await store.close()
    with pytest.raises(OtherKey):
        await database_move.move(source, there)


async def test_not_to_itself(source: Config) -> None:
    with pytest.raises(Unfit, match="the same database"):
        await database_move.move(source, with_database(source, url=f"sqlite:///{source.sqlite_file}"))


async def test_trouble_names_the_right_side(source: Config) -> None:
    with pytest.raises(Unfit, match="The database to move to: PostgreSQL can't be reached"):
        await database_move.move(source, with_database(source, url="postgresql://127.0.0.1:9/ajar"))


@pytest.mark.parametrize("url", ["postgresql://a:secret-word@host", "mysql://host/ajar", "sqlite:///", ""])
def test_wrong_address_is_not_repeated(source: Config, url: str) -> None:
    with pytest.raises(WrongSettings) as wrong:
        with_database(source, url=url)
    assert wrong.value.problems[0].startswith("--to ")
    assert "secret-word" not in wrong.value.problems[0]


async def test_later_changes_are_copied_too(source: Config) -> None:
    """The move was broken off, the bot ran again on the old database, and the move is typed again."""
    there = beside(source)

    def enough(done: int, of: int) -> None:
        if done * 2 > of - 3 * ROWS:  # nearly all is copied
            raise BrokenOff

    with pytest.raises(BrokenOff):
        await database_move.move(source, there, enough)
    with pytest.raises(Moved, match="unfinished copy"):
        await run(there.model_copy(update={"bot_token": SecretStr("1:abcdefgh"), "api_url": "http://127.0.0.1:9"}))
    for statement in (
        "UPDATE users SET to_say = 'more' WHERE id = (SELECT max(id) FROM users)",
        "DELETE FROM users WHERE id = (SELECT min(id) FROM users)",
        "INSERT INTO notes VALUES ('a', 'new')",
    ):
        await execute(source.database_url, statement)
    before = await everything(source.database_url)
    await database_move.move(source, there)
    assert await everything(there.database_url) == before
