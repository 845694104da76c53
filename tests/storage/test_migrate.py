"""The schema that migrations make is the one the code knows, and migrating survives whatever happens."""

import asyncio
import os
import re
import sqlite3
import sys
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Index, inspect, text
from sqlalchemy.ext.asyncio import AsyncEngine

import bot.storage.engine as engine_module
import bot.storage.migrate as module
from bot.crypto import KeyRing
from bot.domain.model import DraftReason
from bot.domain.results import Kept, SetAside, Silence, unpack
from bot.domain.results.ritual import RitualLineWanted
from bot.storage.engine import single_engine
from bot.storage.migrate import HEAD, NewerSchema, migrate
from bot.storage.schema import metadata
from bot.storage.store import Store
from tests import forks
from tests.databases import PostgresServer, sqlite_url
from tests.storage import dying_migration


async def _on(url: str, work: Any) -> Any:
    engine = single_engine(url)
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(work)
    finally:
        await engine.dispose()


def _differences(connection: Connection) -> list[Any]:
    return list(compare_metadata(MigrationContext.configure(connection), metadata))


def _anatomy(connection: Connection) -> set[str]:
    """Return every table, index and constraint as the database itself describes it, with partial indexes and STRICT."""
    if connection.dialect.name == "sqlite":
        found = connection.execute(text("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL"))
        # The order of constraints means nothing, so only the words of each statement are compared.
        return {" ".join(sorted(re.split(r"[\s,]+", sql))) for (sql,) in found if "alembic_version" not in sql}
    queries = (
        """SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable
           FROM information_schema.columns WHERE table_schema = 'public'""",
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
        """SELECT conrelid::regclass || ': ' || conname || ' ' || pg_get_constraintdef(oid)
           FROM pg_constraint WHERE connamespace = 'public'::regnamespace""",
    )
    rows = [row[0] for query in queries for row in connection.execute(text(query))]
    return {row for row in rows if "alembic_version" not in row}


def _partial_indexes() -> list[Index]:
    indexes = [index for table in metadata.tables.values() for index in table.indexes]
    return [index for index in indexes if index.dialect_options["sqlite"]["where"] is not None]


async def test_migrations_match_the_schema(empty_url: str) -> None:
    for index in _partial_indexes():
        index.dialect_options["postgresql"]["where"] = index.dialect_options["sqlite"]["where"]
    await migrate(empty_url)
    assert await _on(empty_url, _differences) == []
    migrated = await _on(empty_url, _anatomy)
    assert migrated

    def start_over(connection: Connection) -> None:
        metadata.drop_all(connection)
        metadata.create_all(connection)

    await _on(empty_url, start_over)
    assert await _on(empty_url, _anatomy) == migrated


def test_head_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(module.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def _upgrade_to(revision: str) -> Any:
    def upgrade(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(Path(module.__file__).parent / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

    return upgrade


async def at_version(url: str, revision: str) -> None:
    """Turn the empty database into one of an earlier Ajar."""
    await _on(url, _upgrade_to(revision))


RESULTS_OF_BEFORE = {
    7: Kept(1).pack(),
    8: '["SetAside",{"draft_id":3,"reason":"unasked","length":17}]',
    9: '["RitualLineWanted",{"length":302}]',
    10: Kept(4).pack(),
    11: Kept(5).pack(),  # the outbox still has to send it
}
UNANSWERED = (7, 8, 9)


async def test_database_in_use_is_migrated(empty_url: str) -> None:
    """It began as version 0002, with updates that are answered, some that aren't yet, one held, and a wrong code."""
    if empty_url.startswith("sqlite"):
        Path(empty_url.partition("///")[2]).parent.mkdir()
    await at_version(empty_url, "0002")

    def live(connection: Connection) -> None:
        names = [column["name"] for column in inspect(connection).get_columns("users") if not column["nullable"]]
        texts = {"data_key": b"wrapped", "language": "en", "muted_themes": "", "muted_sensitivities": "", "rhythm": ""}
        user = {name: texts.get(name, 1) for name in names}
        values = ", ".join(f":{name}" for name in names)
        connection.execute(text(f"INSERT INTO users ({', '.join(names)}) VALUES ({values})"), user)  # noqa: S608
        connection.execute(text("INSERT INTO wrong_codes (id, user_id, tried_at) VALUES (1, 1, 1)"))
        update = text("INSERT INTO updates (id, seen_at, result, answered) VALUES (:id, 1, :result, :answered)")
        for update_id, result in RESULTS_OF_BEFORE.items():
            answered = int(update_id not in UNANSWERED)
            connection.execute(update, {"id": update_id, "result": result, "answered": answered})
        notice = "INSERT INTO notices (id, user_id, kind, subject_id, due_at, state, attempts, unclear) "
        connection.execute(text(notice + "VALUES (1, 1, 'answer', 11, 1, 'waiting', 0, 0)"))

    def tell(connection: Connection) -> None:
        """Two lines; one was changed and shared, and for brevity opened by its own writer."""
        line = "INSERT INTO lines (id, user_id, day, message_id, words, kept_at, changed_at) "
        for line_id, changed_at in ((1, None), (2, 5)):
            values = {"id": line_id, "words": b"x", "changed_at": changed_at}
            connection.execute(text(line + "VALUES (:id, 1, '2026-11-22', :id, :words, 1, :changed_at)"), values)
        draft = "INSERT INTO drafts (id, user_id, reason, words, message_id, line_id, sent_at) "
        connection.execute(text(draft + "VALUES (1, 1, 'second', :words, 9, 2, 1)"), {"words": b"x"})
        reflection = "INSERT INTO reflections (id, user_id, partner_id, pair_id, state, drafted_at, opened_at, ritual) "
        for reflection_id, state in ((1, "opened"), (2, "answered")):
            values = {"id": reflection_id, "state": state}
            connection.execute(text(reflection + "VALUES (:id, 1, 1, 7, :state, 1, 5, 0)"), values)

    def hold(connection: Connection) -> None:
        held = "INSERT INTO held_updates (id, user_id, version, raw, held_at) VALUES (12, 1, 3, :raw, 1)"
        connection.execute(text(held), {"raw": b"sealed"})
        connection.execute(text("UPDATE updates SET user_id = 1 WHERE answered < 1"))

    await _on(empty_url, live)
    await _on(empty_url, tell)
    await at_version(empty_url, "0019")
    await _on(empty_url, hold)
    assert await migrate(empty_url) == "0019"
    assert await _on(empty_url, _differences) == []
    store = Store.at(empty_url, KeyRing.new())
    async with store.reading() as rows:
        assert await rows.users.any()
        lines = [await rows.lines.find(1, line_id) for line_id in (1, 2)]
        assert [line.revision for line in lines if line] == [0, 1], "old buttons hold for what was never changed"
        opened = [await rows.openings.find(1, reflection_id) for reflection_id in (1, 2)]
        assert [(one.pair_id, one.answered) for one in opened if one] == [(7, False), (7, True)]
    answers = text("SELECT subject_id, state, result FROM notices WHERE kind = 'answer' ORDER BY subject_id")
    assert await _on(
        empty_url, lambda c: [(one, state, unpack(result)) for one, state, result in c.execute(answers)]
    ) == [
        (7, "sending", Kept(1)),
        (8, "sending", SetAside(3, DraftReason.UNASKED)),
        (9, "sending", RitualLineWanted(too_long=True)),
        (11, "waiting", Kept(5)),
    ], "those on their way may have arrived"
    known = text("SELECT id, lane, handled_at IS NULL, version FROM inbox ORDER BY id")
    assert [tuple(row) for row in await _on(empty_url, lambda c: c.execute(known).all())] == [
        (7, None, False, 0), (8, None, False, 0), (9, None, False, 0), (10, None, False, 0), (11, None, False, 0),
        (12, 1, True, 3),
    ]  # fmt: skip
    await store.close()


async def test_messages_that_ask_about_a_text_stay_known(empty_url: str) -> None:
    """One that was sent more than two days ago isn't among the traces any more."""
    if empty_url.startswith("sqlite"):
        Path(empty_url.partition("///")[2]).parent.mkdir()
    await at_version(empty_url, "0035")

    def live(connection: Connection) -> None:
        names = [column["name"] for column in inspect(connection).get_columns("users") if not column["nullable"]]
        texts = {"data_key": b"wrapped", "language": "en", "muted_themes": "", "muted_sensitivities": "", "rhythm": ""}
        user = {name: texts.get(name, 1) for name in names}
        values = ", ".join(f":{name}" for name in names)
        connection.execute(text(f"INSERT INTO users ({', '.join(names)}) VALUES ({values})"), user)  # noqa: S608
        draft = "INSERT INTO drafts (id, user_id, reason, words, message_id, card_id, sent_at) "
        for draft_id, card_id in ((1, 20), (2, 21), (3, None)):
            facts = {"id": draft_id, "words": b"x", "card": card_id}
            connection.execute(text(draft + "VALUES (:id, 1, 'unasked', :words, :id, :card, 5)"), facts)
        trace = "INSERT INTO traces (user_id, message_id, sent_at, hide_at) VALUES (1, :id, 7, 9)"
        connection.execute(text(trace), [{"id": 20}, {"id": 22}])

    await _on(empty_url, live)
    assert await migrate(empty_url) == "0035"
    known = text("SELECT message_id, sent_at, hide_at, waits, subject_id FROM traces ORDER BY message_id")
    assert [tuple(row) for row in await _on(empty_url, lambda c: c.execute(known).all())] == [
        (20, 7, 9, "draft", 1), (21, 5, None, "draft", 2), (22, 7, 9, None, None),
    ]  # fmt: skip


async def test_strangers_update_is_handled_anew(empty_url: str) -> None:
    """Nothing about them is stored, so only Telegram, which repeats the update, knows whom to answer."""
    if empty_url.startswith("sqlite"):
        Path(empty_url.partition("///")[2]).parent.mkdir()
    await at_version(empty_url, "0019")

    def live(connection: Connection) -> None:
        update = text("INSERT INTO updates (id, seen_at, result, answered) VALUES (:id, 1, :result, :answered)")
        for update_id, answered in ((7, 0), (8, 1)):
            connection.execute(update, {"id": update_id, "result": Silence().pack(), "answered": answered})

    await _on(empty_url, live)
    await migrate(empty_url)
    known = text("SELECT id FROM inbox")
    assert await _on(empty_url, lambda c: list(c.execute(known).scalars())) == [8]


async def test_migrating_twice_does_nothing(empty_url: str) -> None:
    assert await migrate(empty_url) == ""
    assert await migrate(empty_url) is None


async def test_newer_database_is_left_alone(empty_url: str) -> None:
    await migrate(empty_url)
    await _on(empty_url, lambda c: c.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    before = await _on(empty_url, _anatomy)
    with pytest.raises(NewerSchema, match=r"version 9999.*Start the newer Ajar"):
        await migrate(empty_url)
    assert await _on(empty_url, _anatomy) == before


async def test_new_file_that_somebody_writes_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two starts that make the file at once: SQLite waits for nobody there, and one of them failed."""
    monkeypatch.setattr(engine_module, "_MADE_WITHIN", 60)
    url = sqlite_url(tmp_path / "ajar.db")
    with closing(sqlite3.connect(tmp_path / "ajar.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        engine = single_engine(url)
        connecting = asyncio.create_task(_mode(engine))
        done, _ = await asyncio.wait({connecting}, timeout=0.3)
        assert not done, "it waits"
        other.execute("COMMIT")
        assert await connecting == "wal"
        await engine.dispose()


async def _mode(engine: AsyncEngine) -> str:
    async with engine.connect() as connection:
        return str(await connection.scalar(text("PRAGMA journal_mode")))


async def test_concurrent_starts_migrate_in_turn(empty_url: str) -> None:
    found = await asyncio.gather(*(migrate(empty_url) for _ in range(3)))
    assert sorted(found, key=str) == ["", None, None]
    assert await _on(empty_url, _differences) == []


@pytest.mark.process
async def test_migration_takes_nobodys_lock(postgres: PostgresServer, keys: KeyRing) -> None:
    """A user may have any number as an id, also one that a migration once used."""
    async with postgres.emptied() as url:
        store, engine = Store.at(url, keys), single_engine(url)
        async with engine.begin() as migrating:
            assert await migrating.run_sync(module._version) == HEAD
            async with asyncio.timeout(5), store.writing(4711):
                pass
        await store.close()
        await engine.dispose()


ANOTHER_VERSION = """
import asyncio, sys, bot.storage.migrate as module
module._ONE_BY_ONE = sys.argv[2]
asyncio.run(module.migrate(sys.argv[1]))
"""


@pytest.mark.process
async def test_versions_that_migrate_at_once_damage_nothing(postgres: PostgresServer) -> None:
    """An earlier version takes another lock, so one may fail; started again, it finds what the other has done."""
    async with postgres.new() as url:
        starts = [
            await asyncio.create_subprocess_exec(
                sys.executable, "-c", ANOTHER_VERSION, url, lock, stderr=asyncio.subprocess.DEVNULL
            )
            for lock in ("4711", module._ONE_BY_ONE)
        ]
        assert 0 in await asyncio.gather(*(start.wait() for start in starts))
        assert await migrate(url) is None
        assert await _on(url, _differences) == []


@pytest.mark.process
async def test_killed_migration_is_completed(empty_url: str, keys: KeyRing, tmp_path: Path) -> None:
    if empty_url.startswith("sqlite"):
        Path(empty_url.partition("///")[2]).parent.mkdir()
    ended = await forks.run_beside(partial(dying_migration.main, empty_url), cwd=tmp_path, env=os.environ, seconds=900)
    assert int(ended.stdout) > 5, ended.stderr or "it was hardly killed"
    assert await migrate(empty_url) is None, "the try that was let live brought it up"
    assert await _on(empty_url, _differences) == []
    store = Store.at(empty_url, keys)
    async with store.reading() as rows:
        assert not await rows.users.any()
    await store.close()
