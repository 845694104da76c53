"""What is on the disk: no words, nothing that was deleted, nothing of somebody who is gone."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from bot.clock import HandClock
from bot.crypto import KeyRing
from bot.domain.feelings import Feeling
from bot.domain.journal import By, Filter
from bot.domain.model import Dialog, Draft, DraftReason, Waiting
from bot.domain.notices import NoticeKind
from bot.domain.results import Kept
from bot.domain.sharing import Opening
from bot.storage.columns import Sealed
from bot.storage.inbox import Received
from bot.storage.schema import metadata, users
from bot.storage.store import Rows, Store
from tests.databases import SqliteTemplate
from tests.storage.people import ALICE, BOB, asked, kept, ready

CANARY = "the canary sings in the coal mine"
OF_USERS = [
    table
    for table in metadata.sorted_tables
    if any(key.column.table is users for column in table.columns for key in column.foreign_keys)
]


async def live(rows: Rows, user_id: int, clock: HandClock) -> None:
    """Leave a row in every possible table, with the same words in every place for words."""
    now = clock.now()
    user = await ready(rows, user_id, now)
    await rows.users.set_name(user_id, CANARY)
    ask = await asked(rows, user, now)
    await rows.asks.set_prompt(ask, "work.a", now)
    await rows.asks.showing(user_id, 55, ask.id, "work.a")
    line = await kept(rows, user, CANARY, now, ask=ask)
    await rows.lines.set_feelings(line, [Feeling(own=CANARY)])
    filter_id = await rows.journal.limit(user_id, Filter(By.WORD, feeling=Feeling(own=CANARY)))
    await rows.journal.keep_found(user_id, filter_id, [line.id])
    await rows.drafts.set_aside(Draft(0, user_id, DraftReason.SECOND, CANARY, 8, ask.id, line.id), now)
    await rows.dialogs.await_(user_id, Dialog(Waiting.CHANGE, line.id, now))
    await rows.notices.add([(user_id, NoticeKind.ASK, ask.id, now)], now)
    await rows.inbox.add([Received(user_id, user_id, {"update_id": user_id, "message": {"text": CANARY}})], 1, now)
    await rows.inbox.handle(user_id, 1, now)
    await rows.notices.add_answer(user_id, user_id, Kept(line.id), now, 1, behind=None)
    await rows.openings.add(Opening(user_id, 9, 9, now))
    await rows.records.add(user_id, [{"responses": [{"words": CANARY}]}], now)
    await rows.arrivals.put(await rows.arrivals.seal(user_id, CANARY.encode()), now)


def on_disk(folder: Path, wanted: bytes) -> bool:
    return any(wanted in file.read_bytes() for file in folder.iterdir())


async def everything(rows: Rows) -> dict[str, list[Any]]:
    found = {}
    for table in metadata.sorted_tables:
        found[table.name] = list(await rows._connection.execute(select(table)))
    return found


async def test_no_words_in_any_column(store: Store, clock: HandClock) -> None:
    async with store.writing() as rows:
        await live(rows, ALICE, clock)
    async with store.reading() as rows:
        found = await everything(rows)
    assert found["lines"]
    for name, table_rows in found.items():
        assert CANARY not in repr(table_rows), name


async def test_no_words_in_the_file(
    sqlite_template: SqliteTemplate, tmp_path: Path, keys: KeyRing, clock: HandClock
) -> None:
    store = Store.at(sqlite_template.copy(tmp_path), keys)
    async with store.writing() as rows:
        await live(rows, ALICE, clock)
    assert not on_disk(tmp_path, CANARY.encode()), "in the database or its log"
    await store.close()
    assert not on_disk(tmp_path, CANARY.encode())


async def test_deleted_words_are_overwritten(
    sqlite_template: SqliteTemplate, tmp_path: Path, keys: KeyRing, clock: HandClock
) -> None:
    store = Store.at(sqlite_template.copy(tmp_path), keys)

    async with store.writing() as rows:
        user = await ready(rows, ALICE, clock.now())
        line = await kept(rows, user, CANARY, clock.now())
        lines = metadata.tables["lines"]
        sealed: bytes = (await rows._connection.execute(select(lines.c.words))).scalar_one()
    await store.sweep()
    assert on_disk(tmp_path, sealed), "else this test would see nothing"
    async with store.writing() as rows:
        await rows.lines.delete(line)
    await store.sweep()
    assert not on_disk(tmp_path, sealed)
    await store.close()


async def test_deleted_user_leaves_others_rows(store: Store, clock: HandClock) -> None:
    async with store.writing() as rows:
        await live(rows, ALICE, clock)
        await live(rows, BOB, clock)
        await rows.inbox.forget_words_of(ALICE)
        await rows.users.erase(ALICE)
    async with store.reading() as rows:
        of_others = [row for name in ("notices", "inbox") for row in (await everything(rows))[name]]
        assert not [row for row in of_others if ALICE in (row._mapping.get("user_id"), row._mapping.get("lane"))]
        for table in OF_USERS:
            of_alice = select(func.count()).select_from(table).where(_owner(table) == ALICE)
            assert (await rows._connection.execute(of_alice)).scalar_one() == 0, table.name
        assert len((await everything(rows))["lines"]) == 1


@pytest.mark.parametrize("table", OF_USERS, ids=lambda table: table.name)
def test_references_go_with_their_user(table: Any) -> None:
    ties = [key for column in table.columns for key in column.foreign_keys if key.column.table is users]
    assert [key.ondelete for key in ties if key.ondelete not in {"CASCADE", "SET NULL"}] == []
    assert any(key.ondelete == "CASCADE" for key in ties)


def test_every_column_with_words_is_sealed() -> None:
    """Words are in columns of bytes; text columns hold kinds, dates and the bot's own names."""
    texts = {
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if column.type.__class__.__name__ == "Text"
    }
    with_words = {"words", "name", "text", "note", "reworded"}
    assert not {name for name in texts if name.rpartition(".")[2] in with_words} - {"notes.name"}
    assert isinstance(metadata.tables["lines"].c.words.type, Sealed)


async def test_strict_tables_take_no_wrong_types(
    sqlite_template: SqliteTemplate, tmp_path: Path, keys: KeyRing
) -> None:
    store = Store.at(sqlite_template.copy(tmp_path), keys)
    async with store.reading() as rows:
        found = await rows._connection.exec_driver_sql(
            "SELECT name FROM pragma_table_list WHERE NOT strict AND type = 'table' AND name NOT LIKE 'sqlite%'"
        )
        assert [name for (name,) in found] == ["alembic_version"], "only Alembic's own table isn't ours to say"
        settings = {
            name: (await rows._connection.exec_driver_sql(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        }
    assert settings == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}
    await store.close()


def _owner(table: Any) -> Any:
    return next(c for c in table.columns for key in c.foreign_keys if key.column.table is users)


def test_sealed_settings_are_those_that_security_names() -> None:
    """SECURITY.md says that all others can be read without the key."""
    sealed = {column.name for column in metadata.tables["users"].c if isinstance(column.type, Sealed)}
    assert sealed == {"name", "muted", "partnered"}
