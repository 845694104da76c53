"""The newest backup is restored into an empty place, every month or on command, and the operator hears how it went."""

import asyncio
import os
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.clock import HandClock
from bot.config import Config, load
from bot.rehearsing import Rehearsal, Rehearsals, in_own_process, rehearse, tell_operator
from bot.storage.restoring import begin
from bot.storage.store import Store
from tests.databases import SqliteTemplate
from tests.samples import sampled
from tests.standin import stand_in
from tests.test_copies import Keeper, flip, flip_sealed

HOURS = sampled(6, 1)
"""Between two looks; the bot looks every hour."""


@pytest.fixture
def keeper(tmp_path: Path, sqlite_template: SqliteTemplate) -> Keeper:
    """An operator with two users and a backup of one of them."""
    keeper = Keeper(tmp_path, sqlite_template)
    keeper.migrates()
    keeper.tells(1)
    keeper.does("backup", "var/backups/ajar-20261122-120000.age")
    keeper.tells(2)
    return keeper


def settings(keeper: Keeper, **more: str) -> Config:
    given = {"AJAR_DATA_DIR": str(keeper.database.parent), "AJAR_MASTER_KEY_FILE": str(keeper.key_file), **more}
    return load(given, None, need_token=False)


def rehearsed(keeper: Keeper) -> Rehearsal:
    return asyncio.run(rehearse(settings(keeper)))


def test_rehearsal_changes_nothing_in_use(keeper: Keeper) -> None:
    before = keeper.rows()
    rehearsal = rehearsed(keeper)
    assert rehearsal.well, rehearsal.said
    assert "What was restored is whole. Everything in it opens: the keys of 1 user and 3 texts." in rehearsal.said
    assert rehearsal.made
    assert rehearsal.made.date() == date(2026, 11, 22)
    assert keeper.rows() == before
    assert keeper.var == {"ajar.db", "backups"}


def test_command_says_how_it_went(keeper: Keeper) -> None:
    said = keeper.types("rehearse")
    assert said.returncode == 0, said.stderr
    assert "ajar-20261122-120000.age into an empty place" in said.stdout


def test_damaged_backup_names_nobody(keeper: Keeper) -> None:
    """The command's own output names the place of the damage; the chat doesn't."""
    flip_sealed(keeper.database, "SELECT words FROM lines")
    keeper.does("backup", "var/backups/ajar-20261123-120000.age")
    rehearsal = rehearsed(keeper)
    assert not rehearsal.well
    assert "lines.words of row" in rehearsal.said[0]
    assert rehearsal.made
    assert rehearsal.made.date() == date(2026, 11, 23)
    assert keeper.var == {"ajar.db", "backups"}
    flip(keeper.folder / "var" / "backups" / "ajar-20261123-120000.age", 5000)
    assert "is damaged" in rehearsed(keeper).said[0]


def test_backup_of_another_database_is_noticed(keeper: Keeper) -> None:
    """Here the users joined long before the backup was made, and aren't in it."""
    with closing(sqlite3.connect(keeper.database)) as connection:
        connection.execute("UPDATE users SET created_at = 0, consented_at = 0")
        connection.commit()
    rehearsal = rehearsed(keeper)
    assert not rehearsal.well
    assert "lacks 1 of the database's users" in rehearsal.said[0]


def test_import_since_the_backup_is_no_alarm(keeper: Keeper) -> None:
    """Its owner joined another bot long before, and this one after the backup was made."""

    async def takes_in() -> None:
        store = Store.at(settings(keeper).database_url, keeper.ring)
        async with store.writing(2) as rows:
            await rows.users.set_since(2, datetime(2024, 3, 1, tzinfo=UTC))
        await store.close()

    asyncio.run(takes_in())
    rehearsal = rehearsed(keeper)
    assert rehearsal.well, rehearsal.said


def test_no_backup_is_reported(keeper: Keeper) -> None:
    (keeper.database.parent / "backups" / "ajar-20261122-120000.age").unlink()
    rehearsal = rehearsed(keeper)
    assert not rehearsal.well
    assert rehearsal.made is None


def test_next_start_removes_leftovers(keeper: Keeper) -> None:
    left = keeper.database.parent / "rehearsal"
    left.mkdir()
    (left / "ajar.db").write_bytes(b"readable ids")
    (keeper.database.parent / "backing-up.unfinished").write_bytes(b"readable ids")
    begin(keeper.database)
    assert keeper.var == {"ajar.db", "backups"}


async def test_operator_hears_in_their_chat(tmp_path: Path) -> None:
    async with stand_in() as telegram:
        robin = await telegram.person("Robin")
        given = {"AJAR_DATA_DIR": str(tmp_path), "AJAR_API_URL": telegram.url, "AJAR_BOT_TOKEN": telegram.token}
        await robin.says("/start")
        config = load({**given, "AJAR_OPERATOR_CHAT": str(robin.id)}, None)
        made = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
        assert await tell_operator(config, Rehearsal(True, ["lines: 7"], made)) is None
        await robin.hears("A restore of the backup of Monday, November 23, 2026 was rehearsed.")
        await tell_operator(config, Rehearsal(False, ["line 8 is damaged"], made))
        assert "line 8" not in (await robin.hears("failed. “ajar rehearse” says why.")).text
        await tell_operator(config, Rehearsal(False, ["None there."]))
        await robin.hears("There is no backup")
        stranger = load({**given, "AJAR_OPERATOR_CHAT": "7"}, None)
        assert "Telegram refused the message" in (await tell_operator(stranger, Rehearsal(False, [])) or "")
        assert await tell_operator(load(given, None), Rehearsal(False, [])) is None


async def test_it_is_due_once_a_month(store: Store, clock: HandClock, tmp_path: Path) -> None:
    done = []

    async def work() -> bool:
        done.append(clock.now())
        return len(done) != 2

    rehearsals = Rehearsals(store, clock, tmp_path, work)
    for _ in range(24 * 63 // HOURS):
        await rehearsals.rehearse_if_due()
        clock.advance(timedelta(hours=HOURS))
    assert [later - first for first, later in pairwise(done)] == [timedelta(days=30)] * 2


async def test_interrupted_rehearsal_repeats_a_day_later(store: Store, clock: HandClock, tmp_path: Path) -> None:
    done = []

    async def work() -> bool | None:
        done.append(clock.now())
        return None if len(done) == 1 else True

    rehearsals = Rehearsals(store, clock, tmp_path, work)
    for _ in range(24 * 10 // HOURS):
        await rehearsals.rehearse_if_due()
        clock.advance(timedelta(hours=HOURS))
    assert len(done) == 2
    assert done[1] - done[0] == timedelta(days=1)


@pytest.mark.parametrize(("backup", "event"), [(True, "rehearsal.failed"), (False, "rehearsal.no_backup")])
async def test_log_distinguishes_bad_from_missing(
    store: Store, clock: HandClock, tmp_path: Path, *, backup: bool, event: str
) -> None:
    async def work() -> bool:
        return False

    if backup:
        (tmp_path / "ajar-20261122-120000.age").touch()
    rehearsals = Rehearsals(store, clock, tmp_path, work)
    await rehearsals.rehearse_if_due()
    clock.advance(timedelta(days=1))
    with capture_logs() as logged:
        await rehearsals.rehearse_if_due()
    assert [line["event"] for line in logged] == [event]


@pytest.mark.process
async def test_bot_rehearses_in_a_child_process(
    tmp_path: Path, sqlite_template: SqliteTemplate, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = Keeper(tmp_path, sqlite_template)
    await asyncio.to_thread(_prepare, keeper)
    for name, value in keeper.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    assert await in_own_process() is True
    for backup in (tmp_path / "var" / "backups").iterdir():
        os.truncate(backup, 1000)
    assert await in_own_process() is False


def _prepare(keeper: Keeper) -> None:
    keeper.migrates()
    keeper.tells(1)
    keeper.does("backup", "var/backups/ajar-20261122-120000.age")
