"""A restore drill: what ended after the backup was made ends again, in whatever way it had ended."""

import asyncio
import json
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot import copies
from bot.age import decrypt
from bot.clock import HandClock
from bot.config import Config, load
from bot.crypto import KeyRing
from bot.doctor import examine
from bot.domain.content import Wish
from bot.domain.notices import NoticeKind
from bot.domain.results.arrivals import ArrivalUnderWay
from bot.domain.results.sharing import ShareAgain
from bot.domain.sharing import State, When
from bot.export_document import Document
from bot.library import Library
from bot.opening import note_journal
from bot.services.arrivals import Arrivals, TakingIn
from bot.services.asks import Asks
from bot.services.housekeeping import Housekeeping
from bot.services.privacy import Privacy
from bot.services.start import Start
from bot.services.visit import Visit
from bot.storage.asides import asides
from bot.storage.endings import Ended, Ending, Gap, Journal, JournalAway
from bot.storage.store import ENDINGS_NOTED, Store, is_passing
from tests.databases import PostgresServer, SqliteTemplate
from tests.services.test_exporting import export_of
from tests.services.test_sharing import ALICE, BOB, Home, make_home
from tests.storage.test_endings import HARMS, harm


class Drill:
    """Alice and Bob with a waiting Reflection, and an operator who has made a backup."""

    def __init__(self, home: Home, config: Config, about: int) -> None:
        self.home = home
        self.config = config
        self.about = about
        self.copy = config.data_dir.parent / "copy.db"

    async def restores(self) -> list[str]:
        await self.home.store.close()
        said = await copies.put_back(self.config, self.copy)
        self.home.store = Store.at(self.config.database_url, keys_of(self.config), Journal(self.config.endings))
        return said

    def stored(self, query: str) -> list[Any]:
        with closing(sqlite3.connect(self.config.data_dir / "ajar.db")) as connection:
            return connection.execute(query).fetchall()


def keys_of(config: Config) -> KeyRing:
    assert config.master_key
    return KeyRing.parse(config.master_key.get_secret_value())


@pytest.fixture
async def drill(sqlite_template: SqliteTemplate, tmp_path: Path, clock: HandClock) -> Any:
    ring = KeyRing.new()
    data = tmp_path / "var"
    data.mkdir()
    sqlite_template.copy(data)
    given = {"AJAR_DATA_DIR": str(data), "AJAR_MASTER_KEY": ring.text}
    config = load(given, None, need_token=False)
    store = Store.at(config.database_url, ring, Journal(config.endings))
    await note_journal(config, ring)
    home = await make_home(store, clock)
    (about,) = await home.announced()
    drill = Drill(home, config, about)
    await copies.backup(config, drill.copy)
    yield drill
    await drill.home.store.close()


async def test_restore_keeps_lines_withdrawn(drill: Drill) -> None:
    await drill.home.takes_back(drill.about)
    said = await drill.restores()
    assert "1 thing that ended" in " ".join(said)
    assert await drill.home.state(drill.about) is State.WITHDRAWN
    assert drill.stored("SELECT words FROM reflections") == [(None,)]


async def test_unpaired_stays_so_after_a_restore(drill: Drill) -> None:
    await drill.home.leaves(ALICE)
    await drill.restores()
    assert drill.stored("SELECT count(*) FROM pairs") == [(0,)]
    assert await drill.home.state(drill.about) is State.CANCELLED
    assert drill.stored("SELECT user_id FROM endings") == [(BOB,)]


async def test_erased_stays_so_after_a_restore(drill: Drill) -> None:
    home = drill.home
    await home.do(ALICE, lambda visit: Privacy(home.pairing).erase(visit.rows, visit.user, home.now, visit.now))
    await drill.restores()
    assert drill.stored("SELECT id FROM users") == [(BOB,)]
    assert drill.stored("SELECT count(*) FROM lines") == [(0,)]


async def test_erased_import_stays_erased_after_restore(drill: Drill) -> None:
    """Somebody's export lay in the backup; they have taken it in since and erased everything, or only erased it."""
    home, charlie, dana = drill.home, 1003, 1004
    for owner in (charlie, dana):
        async with home.store.writing() as rows:
            document = Document(made_at=home.now, account=owner, lines=[])
            content = json.dumps([document.model_dump_json()]).encode()
            await rows.arrivals.put(await rows.arrivals.seal(owner, content), home.now)
    await copies.backup(drill.config, drill.copy.with_name("later.db"))
    drill.copy = drill.copy.with_name("later.db")
    privacy, arrivals = Privacy(home.pairing), Arrivals(Start(Asks(Library.of([], [])), home.pairing))
    async with home.store.writing(charlie) as rows:
        user = await rows.users.add(charlie, "en", home.now)
        assert await arrivals.take_in(Visit(rows, user, home.now)) == ArrivalUnderWay()
    async with home.store.writing() as rows:
        notices = await rows.notices.claim(home.now, 99, 1)
    (notice,) = [each for each in notices if each.kind is NoticeKind.TAKE_IN]
    await TakingIn(home.store, HandClock(home.now)).run(notice)
    async with home.store.reading() as rows:
        assert not await rows.arrivals.waits(charlie)
    await home.do(charlie, lambda visit: privacy.erase(visit.rows, visit.user, home.now, visit.now))
    async with home.store.writing(dana) as rows:
        assert await privacy.erase_arrival(rows, dana)
    await drill.restores()
    assert drill.stored("SELECT user_id FROM arrivals") == []
    assert drill.stored("SELECT id FROM users ORDER BY id") == [(ALICE,), (BOB,)]


async def test_restored_export_lacks_deleted_data(drill: Drill) -> None:
    async with drill.home.store.writing(ALICE) as rows:
        (line,) = await rows.lines.page(ALICE, None, 1)
        await rows.reflections.line_deleted(line.id)
        await rows.lines.delete(line)
    await drill.restores()
    document = await export_of(drill.home, ALICE)
    assert (document.lines, document.reflections) == ([], [])


async def test_restore_keeps_lines_deleted(drill: Drill) -> None:
    async with drill.home.store.writing(ALICE) as rows:
        (line,) = await rows.lines.page(ALICE, None, 1)
        await rows.reflections.line_deleted(line.id)
        await rows.lines.delete(line)
    await drill.restores()
    assert drill.stored("SELECT count(*) FROM lines") == [(0,)]
    assert await drill.home.state(drill.about) is State.WITHDRAWN


async def test_changed_line_is_queried_after_restore(drill: Drill) -> None:
    """Other words or a later time were wanted: the version in the backup must not go out on its own."""
    home = drill.home
    later = await home.shares()
    await copies.backup(drill.config, drill.copy.with_name("later.db"))
    drill.copy = drill.copy.with_name("later.db")
    await home.sets(later, When.TONIGHT)
    await drill.restores()
    assert await home.state(later) is State.DRAFTED
    assert await home.state(drill.about) is State.ANNOUNCED
    asked = drill.stored("SELECT subject_id FROM notices WHERE kind = 'share_again' AND settled_at IS NULL")
    assert asked == [(later,)]


async def test_another_wish_is_asked_about(drill: Drill) -> None:
    """It should be received in another way: it must not go out with the earlier Wish."""
    home = drill.home
    later = await home.shares()
    await copies.backup(drill.config, drill.copy.with_name("later.db"))
    drill.copy = drill.copy.with_name("later.db")
    await home.wishes(later, Wish.ADVICE)
    await drill.restores()
    assert await home.state(later) is State.DRAFTED
    asked = drill.stored("SELECT subject_id FROM notices WHERE kind = 'share_again' AND settled_at IS NULL")
    assert asked == [(later,)]


async def test_restore_voids_an_invites_yes(drill: Drill) -> None:
    """It may have been taken back since."""
    home = drill.home
    async with home.store.writing() as rows:
        await rows.users.add(1003, "en", home.now)
        await rows.users.add(1004, "en", home.now)
        invite = await rows.invites.make(1003, home.now + timedelta(days=1))
        secrets = await rows.invites.secrets(invite)
        assert secrets
        claimed = await rows.invites.claim(1004, link=secrets.link, now=home.now)
        assert claimed
        await rows.invites.accept(claimed, 1004, home.now)
    drill.copy = drill.copy.with_name("later.db")
    await copies.backup(drill.config, drill.copy)
    await drill.restores()
    assert drill.stored("SELECT count(*) FROM invites") == [(0,)]


async def test_copy_restored_by_hand_is_noticed(drill: Drill) -> None:
    """The next start ends what had ended, however the database came to be an older one."""
    await drill.home.takes_back(drill.about)
    await drill.home.store.close()
    decrypt(drill.copy, drill.config.data_dir / "ajar.db", keys_of(drill.config))
    for _ in range(2):
        await note_journal(drill.config, keys_of(drill.config))
    drill.home.store = Store.at(drill.config.database_url, keys_of(drill.config))
    assert await drill.home.state(drill.about) is State.WITHDRAWN


@pytest.mark.parametrize("gap", [Gap.DROPPED, Gap.KEY])
async def test_copy_restored_by_hand_asks_about_what_nobody_knows(drill: Drill, gap: Gap) -> None:
    """As `ajar restore` does: it may have been taken back since."""
    home, journal = drill.home, Journal(drill.config.endings)
    second = await home.shares()
    await copies.backup(drill.config, drill.copy.with_name("later.db"))
    await home.takes_back(second)
    if gap is Gap.DROPPED:
        journal.tidy(home.now.date(), home.now.date())
        journal.tidy(home.now.date(), home.now.date() + timedelta(days=1))
    else:
        journal.file.write_text(journal.file.read_text().replace("withdrawn 1 ", "withdrawn 2 "))
    await home.store.close()
    decrypt(drill.copy.with_name("later.db"), drill.config.data_dir / "ajar.db", keys_of(drill.config))
    with capture_logs() as said:
        await note_journal(drill.config, keys_of(drill.config))
    assert [each["reason"] for each in said if each["event"] == "endings.gap"] == [gap]
    home.store = Store.at(drill.config.database_url, keys_of(drill.config))
    assert {await home.state(each) for each in (drill.about, second)} == {State.DRAFTED}


async def test_nothing_ends_without_a_journal_entry(drill: Drill) -> None:
    """It is written to the journal before the commit, so that nothing acknowledged is missing there."""
    folder = drill.config.endings
    begin = drill.stored("SELECT value FROM notes WHERE name = 'endings'")
    shutil.rmtree(folder)
    folder.write_text("in the way")
    with pytest.raises(JournalAway) as away:
        await drill.home.takes_back(drill.about)
    assert is_passing(away.value), "it waits until the journal can be written"
    assert await drill.home.state(drill.about) is State.ANNOUNCED
    assert drill.stored("SELECT value FROM notes WHERE name = 'endings'") == begin


async def test_restore_keeps_everything_else(drill: Drill) -> None:
    said = await drill.restores()
    assert "0 things that ended" in " ".join(said)
    assert await drill.home.state(drill.about) is State.ANNOUNCED


async def test_new_life_before_the_backup_stays(drill: Drill) -> None:
    home = drill.home
    await home.do(BOB, lambda visit: Privacy(home.pairing).erase(visit.rows, visit.user, home.now, visit.now))
    async with home.store.writing(BOB) as rows:
        await rows.users.add(BOB, "en", home.now)
    drill.copy = drill.copy.with_name("later.db")
    await copies.backup(drill.config, drill.copy)
    await drill.restores()
    assert (BOB,) in drill.stored("SELECT id FROM users")


async def test_missing_journal_suspends_everything_unopened(drill: Drill) -> None:
    """The sharer is asked, and only their yes lets it go."""
    home = drill.home
    await home.takes_back(drill.about)
    Journal(drill.config.endings).file.unlink()
    said = " ".join(await drill.restores())
    assert "WARNING" in said
    assert "1 unopened line won't go out" in said
    assert await home.state(drill.about) is State.DRAFTED
    async with home.store.writing() as rows:
        (notice,) = await rows.notices.claim(home.now + timedelta(days=36500), 10, 1)  # restored by the real clock
        alice = await rows.users.find(ALICE)
        assert alice
        assert (notice.user_id, notice.kind) == (ALICE, NoticeKind.SHARE_AGAIN)
        assert await home.sharing.ask_once_more(Visit(rows, alice, home.now), notice) == ShareAgain(drill.about)
    home.clock.advance(timedelta(days=1))
    assert (await home.waiting()).reflections == ()  # type: ignore[attr-defined]


async def test_backup_older_than_the_journal_asks(drill: Drill) -> None:
    home, journal = drill.home, Journal(drill.config.endings)
    second = await home.shares()
    drill.copy = drill.copy.with_name("later.db")
    await copies.backup(drill.config, drill.copy)
    await home.do(BOB, lambda visit: Privacy(home.pairing).erase(visit.rows, visit.user, home.now, visit.now))
    journal.tidy(home.now.date(), home.now.date())
    await Housekeeping(home.store, HandClock(home.now + timedelta(days=367))).tidy()
    async with home.store.writing(ALICE) as rows:
        (line, *_) = await rows.lines.page(ALICE, None, 1)
        await rows.reflections.line_deleted(line.id)
        await rows.lines.delete(line)
    said = " ".join(await drill.restores())
    assert "it no longer reaches back as far" in said
    assert "1 thing that ended" in said
    assert (BOB,) in drill.stored("SELECT id FROM users"), "nobody knows it any more, and that is said"
    assert "may be there again" in said
    states = {await home.state(each) for each in (drill.about, second)}
    assert State.SCHEDULED not in states
    assert State.ANNOUNCED not in states


async def test_foreign_journal_entries_prove_nothing(drill: Drill) -> None:
    await drill.home.takes_back(drill.about)
    file = Journal(drill.config.endings).file
    file.write_text(file.read_text().replace("withdrawn 1 ", "withdrawn 2 "))
    said = " ".join(await drill.restores())
    assert "WARNING" in said
    assert "version of the master key" in said
    assert await drill.home.state(drill.about) is State.DRAFTED


@pytest.mark.parametrize("how", HARMS)
async def test_missing_journal_is_reported_once(drill: Drill, how: str) -> None:
    """By `doctor` before, by the start that begins a new one, then by `doctor`, with what it means for a restore."""
    config, journal = drill.config, Journal(drill.config.endings)
    second = await drill.home.shares()
    await drill.home.takes_back(second)
    await drill.home.takes_back(drill.about)
    assert "since" in await _doctor(config)
    harm(journal, how)
    assert "begins anew" in await _doctor(config, well=False)
    ring = keys_of(config)
    with capture_logs() as first:
        await note_journal(config, ring)
    (said,) = [each for each in first if each["event"] == "endings.gap"]
    assert "may be there again" in str(said["note"])
    with capture_logs() as then:
        await note_journal(config, ring)
    assert then == []
    assert "since" in await _doctor(config)
    third = await drill.home.shares()
    await drill.home.takes_back(third)
    for _ in range(3):
        journal.append([Ending.of(ring, Ended.DELETED, 4711)])
    said_then = " ".join(await drill.restores())
    assert "WARNING" in said_then
    assert await drill.home.state(drill.about) is State.DRAFTED


async def _doctor(config: Config, *, well: bool = True) -> str:
    found = [finding for finding in await examine(config) if "journal of endings: " in finding[1]]
    _, (is_well, sentence) = found  # the first one is about its folder
    assert is_well == well, sentence
    return sentence


async def test_first_journal_tells_its_beginning(drill: Drill) -> None:
    """This is the state after an upgrade from a version without a journal."""
    shutil.rmtree(drill.config.endings)
    async with drill.home.store.writing() as rows:
        await rows.take_note(ENDINGS_NOTED, "")
    with closing(sqlite3.connect(drill.config.data_dir / "ajar.db")) as connection:
        connection.execute("DELETE FROM notes WHERE name = 'endings'")
        connection.commit()
    assert "none yet" in await _doctor(drill.config)
    with capture_logs() as said:
        await note_journal(drill.config, keys_of(drill.config))
    assert [each["event"] for each in said] == ["endings.gap"]
    assert "since 2" in await _doctor(drill.config)


@pytest.mark.parametrize("how", ["erase", "time"])
async def test_set_aside_database_is_removed(drill: Drill, how: str) -> None:
    await drill.restores()
    database = drill.config.data_dir / "ajar.db"
    assert len(asides(database)) == 1
    store = drill.home.store
    await store.remove_asides(user_id=4711)
    await Housekeeping(store, HandClock(await _when(database))).tidy()
    assert len(asides(database)) == 1
    if how == "erase":
        await store.remove_asides(user_id=ALICE)
    else:
        await Housekeeping(store, HandClock(await _when(database) + timedelta(days=31))).tidy()
    assert asides(database) == {}


async def _when(database: Path) -> Any:
    (when,) = asides(database).values()
    return when


async def test_restored_postgresql_is_noticed(postgres: PostgresServer, tmp_path: Path) -> None:
    """The journal is a file there too: what the database lacks ends when the first bot starts."""
    ring = KeyRing.new()
    async with postgres.emptied() as url:
        given = {"AJAR_DATA_DIR": str(tmp_path), "AJAR_MASTER_KEY": ring.text, "AJAR_DATABASE_URL": url}
        config = load(given, None, need_token=False)
        await note_journal(config, ring)
        store = Store.at(url, ring, Journal(config.endings))
        now = HandClock(datetime(2026, 11, 22, tzinfo=UTC)).now()
        async with store.writing() as rows:
            await rows.users.add(ALICE, "en", now)
            known = await rows.note(ENDINGS_NOTED)
        async with store.writing() as rows:
            await rows.users.erase(ALICE)
        put_back = Store.at(url, ring)
        async with put_back.writing() as rows:  # as pg_restore would
            await rows.users.add(ALICE, "en", now)
            await rows.take_note(ENDINGS_NOTED, known or "")
        await put_back.close()
        await note_journal(config, ring, first=False)
        async with store.reading() as rows:
            assert await rows.users.any(), "another bot serves"
            assert await rows.note(ENDINGS_NOTED) == known, "nothing that wasn't applied counts as applied"
        await note_journal(config, ring)
        async with store.reading() as rows:
            assert not await rows.users.any()
        await store.close()


class FirstIsSlow(Journal):
    """A slow disk that, after the first ending was written, takes as long as the second one needs."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.written, self.go_on = Event(), Event()

    def append(self, endings: Sequence[Ending]) -> str:
        ends = super().append(endings)
        if not self.written.is_set():
            self.written.set()
            self.go_on.wait(0.5)
        return ends


@pytest.mark.parametrize("has_note", [True, False])
async def test_later_ending_is_noted(postgres: PostgresServer, tmp_path: Path, has_note: bool) -> None:
    """The note never goes back: otherwise a start would end again what has begun anew since."""
    ring = KeyRing.new()
    async with postgres.emptied() as url:
        given = {"AJAR_DATA_DIR": str(tmp_path), "AJAR_MASTER_KEY": ring.text, "AJAR_DATABASE_URL": url}
        config = load(given, None, need_token=False)
        if has_note:
            await note_journal(config, ring)
        journal = FirstIsSlow(config.endings)
        store = Store.at(url, ring, journal)
        for user_id in (ALICE, BOB):
            async with store.writing(user_id) as rows:
                await rows.users.add(user_id, "en", datetime(2026, 11, 22, tzinfo=UTC))

        async def leaves(user_id: int) -> None:
            async with store.writing(user_id) as rows:
                await rows.users.erase(user_id)

        first = asyncio.create_task(leaves(ALICE))
        await asyncio.to_thread(journal.written.wait)
        await leaves(BOB)
        journal.go_on.set()
        await first
        async with store.reading() as rows:
            known = await rows.note(ENDINGS_NOTED)
        assert known == journal.append(())
        await store.close()


@pytest.mark.usefixtures("patient_locks")
async def test_processes_take_one_note_at_once(postgres: PostgresServer) -> None:
    ring = KeyRing.new()
    async with postgres.emptied() as url:
        store, other = Store.at(url, ring), Store.at(url, ring)

        async def takes() -> None:
            async with other.writing() as rows:
                await rows.take_note("registered", "second")

        async with store.writing() as rows:
            await rows.take_note("registered", "first")
            second = asyncio.create_task(takes())
            await asyncio.wait([second], timeout=0.2)
        await second
        async with store.reading() as rows:
            assert await rows.note("registered") == "second"
        await store.close()
        await other.close()
