"""Copies of the database, as an operator makes, verifies and restores them: real processes, real files."""

import asyncio
import errno
import os
import re
import resource
import shutil
import signal
import sqlite3
import stat
import subprocess
from collections.abc import Callable, Coroutine, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bot import copies
from bot.age import decrypt
from bot.clock import SystemClock
from bot.config import load
from bot.crypto import KeyRing, WrongKey
from bot.doctor import Finding, examine
from bot.domain.model import Draft, DraftReason
from bot.keyfile import make_key_file
from bot.private import sync
from bot.storage.backup import BackupError, InUse, sole_user
from bot.storage.migrate import HEAD
from bot.storage.restoring import bring_up_copy, carry_unhandled
from bot.storage.retention import backups_in, made_at, name_of, remove_older
from bot.storage.store import Store
from tests import forks
from tests.databases import SqliteTemplate, sqlite_url
from tests.forks import ajar
from tests.storage.earlier_backups import back_up_as_before
from tests.storage.people import kept, ready
from tests.storage.test_migrate import at_version
from tests.test_cli import Operator

NOW = datetime(2026, 11, 22, tzinfo=UTC)
WORDS = "Nobody else's business."


def small_disk() -> None:
    """From now on, files can't grow beyond 64 KiB."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))


def on_a_small_disk(words: tuple[str, ...]) -> None:
    small_disk()
    ajar(words)


def brought_up_on_a_small_disk(place: Path) -> None:
    """Migrate a copy, and print what the operator is told."""
    small_disk()
    with pytest.raises(BackupError) as caught:
        asyncio.run(bring_up_copy(place, place))
    print(caught.value)  # noqa: T201


class Keeper(Operator):
    """An operator with a master key and a database that people use."""

    def __init__(self, folder: Path, template: SqliteTemplate) -> None:
        super().__init__(folder, template)
        self.ring = KeyRing.new()
        self.key_file = folder / "config" / "ajar" / "master.key"
        make_key_file(self.key_file, self.ring)

    def tells(self, user_id: int, ring: KeyRing | None = None) -> None:
        """Add a user who keeps a Line and has a text waiting."""

        async def live() -> None:
            store = Store.at(f"sqlite+aiosqlite:///{self.database}", ring or self.ring)
            async with store.writing() as rows:
                user = await ready(rows, user_id, NOW)
                await rows.users.set_name(user_id, "Alice")
                await kept(rows, user, WORDS, NOW)
                await rows.drafts.set_aside(Draft(0, user_id, DraftReason.UNASKED, "And this.", 9), NOW)
            await store.close()

        asyncio.run(live())

    def users(self) -> list[int]:
        with closing(sqlite3.connect(self.database)) as connection:
            return [user_id for (user_id,) in connection.execute("SELECT id FROM users ORDER BY id")]

    def does(self, command: str, *paths: str, data_dir: Path | None = None) -> list[str]:
        """Return what a command says, run in this process, which is faster. Raises the exception that ends it."""
        given = {"AJAR_DATA_DIR": str(data_dir or self.database.parent), "AJAR_MASTER_KEY_FILE": str(self.key_file)}
        settings = load(given, None, need_token=False)
        at = [self.folder / path for path in paths]
        commands: dict[str, Callable[[], Coroutine[Any, Any, list[str]]]] = {
            "backup": lambda: copies.backup(settings, *at),
            "verify": lambda: copies.verify(settings, at[0] if at else None),
            "restore": lambda: copies.put_back(settings, *at),
        }
        return asyncio.run(commands[command]())

    def backed_up_before(self, name: str, *, signed: bool = True) -> Path:
        """Leave a backup as an earlier Ajar made it, a plain database."""
        copy = self.folder / name
        back_up_as_before(self.database, copy, signed=signed)
        return copy

    def refuses(self, command: str, *paths: str, because: str, data_dir: Path | None = None) -> None:
        with pytest.raises((BackupError, InUse, WrongKey), match=re.escape(because)):
            self.does(command, *paths, data_dir=data_dir)

    def migrates(self, data_dir: Path | None = None) -> None:
        """Do what `ajar migrate` does; most of it is done already in the template."""
        data_dir = data_dir or self.database.parent
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.template.copy(data_dir)
        given = {"AJAR_DATA_DIR": str(data_dir)}
        asyncio.run(copies.bring_up(load(given, None, need_token=False)))

    @property
    def var(self) -> set[str]:
        """Return the files beside the database."""
        return {file.name for file in self.database.parent.iterdir()} - {"ajar.db.lock", "endings"}


@pytest.fixture
def keeper(tmp_path: Path, sqlite_template: SqliteTemplate) -> Keeper:
    keeper = Keeper(tmp_path, sqlite_template)
    keeper.migrates()
    keeper.tells(1)
    return keeper


def refused(said: subprocess.CompletedProcess[str], *parts: str) -> None:
    assert said.returncode in {1, 2}, said.stdout
    assert "Traceback" not in said.stderr
    assert said.stderr.startswith("ajar: ")
    for part in parts:
        assert part in said.stderr


@contextmanager
def changing(file: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(file)) as connection:
        yield connection
        connection.commit()


def flip(file: Path, at: int) -> None:
    content = bytearray(file.read_bytes())
    content[at] ^= 1
    file.write_bytes(content)


def flip_sealed(file: Path, query: str) -> None:
    """Flip a bit within what this query finds, as a failing disk would, without visible damage to the structure."""
    with closing(sqlite3.connect(file)) as connection:
        (sealed,) = connection.execute(query).fetchone()
    flip(file, file.read_bytes().index(sealed) + len(sealed) // 2)


def test_good_copy_verifies_and_restores(keeper: Keeper) -> None:
    assert keeper.types("backup", "copy.db").returncode == 0
    keeper.tells(2)
    verified = keeper.types("verify", "copy.db")
    assert verified.returncode == 0, verified.stderr
    assert "Everything in it opens: the keys of 1 user and 3 texts." in verified.stdout
    assert keeper.users() == [1, 2]
    restored = keeper.types("restore", "copy.db")
    assert restored.returncode == 0, restored.stderr
    assert keeper.users() == [1]
    (aside,) = keeper.database.parent.glob("ajar.db.before-restore-*")
    assert str(aside.name) in restored.stdout
    assert stat.S_IMODE(aside.stat().st_mode) == 0o600
    assert keeper.var == {"ajar.db", aside.name}
    back = keeper.types("restore", str(aside))
    assert back.returncode == 0, back.stderr
    assert keeper.users() == [1, 2]


def test_backup_needs_the_master_key(keeper: Keeper) -> None:
    """Neither an id, nor a column's name, nor a note is in it."""
    keeper.tells(7_000_000_001)
    keeper.does("backup", "copy.age")
    found = (keeper.folder / "copy.age").read_bytes()
    assert found.startswith(b"age-encryption.org/v1")
    for known in (b"SQLite", b"next_ask_at", b"2026-11", (7_000_000_001).to_bytes(6)):
        assert known in keeper.database.read_bytes()
        assert known not in found
    assert stat.S_IMODE((keeper.folder / "copy.age").stat().st_mode) == 0o600
    assert keeper.var == {"ajar.db"}, "the copy that was encrypted is gone"


@pytest.mark.parametrize("signed", [True, False])
def test_backup_of_an_earlier_version_restores(keeper: Keeper, signed: bool) -> None:
    keeper.backed_up_before("copy.db", signed=signed)
    keeper.tells(2)
    assert "the keys of 1 user" in keeper.does("verify", "copy.db")[0]
    keeper.does("restore", "copy.db")
    assert keeper.users() == [1]


def test_backup_of_before_a_rotation_restores(keeper: Keeper) -> None:
    """It needs the version of then, which the key's file keeps until it is forgotten."""
    keeper.does("backup", "copy.age")
    assert keeper.types("keys", "rotate").returncode == 0
    keeper.does("backup", "later.age")
    keeper.does("restore", "copy.age")
    assert keeper.types("keys", "rotate").returncode == 0
    assert keeper.types("keys", "forget", "1").returncode == 0
    keeper.does("verify", "later.age")
    keeper.refuses("restore", "copy.age", because="with a version of it that was not given (given: 2)")


def test_missing_row_is_found(keeper: Keeper) -> None:
    """The copy is whole as a file, so only the manifest tells."""
    keeper.does("backup", "copy.age")
    opened = keeper.folder / "copy.db"
    decrypt(keeper.folder / "copy.age", opened, keeper.ring)
    assert keeper.does("verify", "copy.db")
    with changing(opened) as connection:
        connection.execute("DELETE FROM drafts")
    keeper.refuses("verify", "copy.db", because="rows are missing")


def test_manifest_stays_in_the_backup(keeper: Keeper) -> None:
    keeper.does("backup", "copy.age")
    keeper.does("restore", "copy.age")
    with changing(keeper.database) as connection:
        assert "backup" not in {name for (name,) in connection.execute("SELECT name FROM notes")}


def test_newest_backups_are_kept(keeper: Keeper) -> None:
    folder = keeper.database.parent / "backups"
    folder.mkdir()
    earlier = [folder / f"ajar-2026110{day}-120000.{ending}" for day, ending in enumerate(("db", "age", "age"), 1)]
    for file in (*earlier, folder / "mine.age"):
        file.write_bytes(b"")
    said = keeper.types("backup", "--keep", "2")
    assert said.returncode == 0, said.stderr
    assert "Everything in it opens" in said.stdout
    assert "Removed 2 older backups; 2 are left." in said.stdout
    new = max(folder.glob("ajar-*.age"))
    assert new not in earlier
    assert set(folder.iterdir()) == {earlier[2], new, folder / "mine.age"}
    assert "Removed 2 older backups; 1 is left." in keeper.types("backup", "--keep", "1").stdout


def test_moved_database_pushes_no_backup_out(keeper: Keeper) -> None:
    """A timer that nobody turned off would go on making backups of what no bot uses any longer."""
    folder = keeper.database.parent / "backups"
    folder.mkdir()
    (folder / "ajar-20261101-120000.age").write_bytes(b"")
    with changing(keeper.database) as connection:
        connection.execute("INSERT INTO notes VALUES ('moved', '[\"PostgreSQL\", \"2026-11-30\"]')")
    said = keeper.types("backup", "--keep", "1")
    assert said.returncode == 2
    assert "This database was moved to PostgreSQL on 2026-11-30" in said.stderr
    assert "if a timer asked for it, turn that off" in said.stderr
    assert [file.name for file in folder.iterdir()] == ["ajar-20261101-120000.age"]
    assert keeper.types("backup", str(folder / "last.age")).returncode == 0, "one that is asked for by its name is made"


@pytest.mark.parametrize(
    ("keep", "days", "stay"), [(None, 30, {0, 1, 29}), (2, 30, {0, 1}), (9, 10, {0, 1}), (1, None, {0}), (None, 1, {0})]
)
def test_newest_backup_outlives_its_age_limit(
    tmp_path: Path, keep: int | None, days: int | None, stay: set[int]
) -> None:
    for age in (0, 1, 29, 31, 400):
        (tmp_path / name_of(NOW - timedelta(days=age, minutes=1))).touch()
    (tmp_path / "mine.age").touch()
    remove_older(tmp_path, keep, NOW - timedelta(days=days) if days else None)
    assert {(NOW - made_at(file)).days for file in backups_in(tmp_path)} == stay
    assert (tmp_path / "mine.age").exists()
    remove_older(tmp_path, keep, NOW + timedelta(days=9))
    assert {(NOW - made_at(file)).days for file in backups_in(tmp_path)} == {0}


def test_doctor_judges_the_age_of_backups(keeper: Keeper) -> None:
    def says(*, ages: tuple[timedelta, ...]) -> Finding:
        for file in folder.iterdir():
            file.unlink()
        for age in ages:
            (folder / name_of(SystemClock().now() - age)).touch()
        given = {"AJAR_DATA_DIR": str(keeper.database.parent), "AJAR_MASTER_KEY_FILE": str(keeper.key_file)}
        settings = load(given, None, need_token=False)
        (found,) = [each for each in asyncio.run(examine(settings)) if each[1].startswith("backups")]
        return found

    folder = keeper.database.parent / "backups"
    folder.mkdir()
    hour, year = timedelta(hours=1), timedelta(days=367)
    nightly = "let a timer do that every night (docs/backups.md)"
    assert says(ages=()) == (False, f"backups: there is none in {folder}; type: ajar backup, and {nightly}")
    well, sentence = says(ages=(27 * hour, 50 * hour))
    assert not well
    assert re.fullmatch(r"backups: the newest is from [-0-9]+ [0-9:]+ UTC; type: ajar backup, and let a .*", sentence)
    well, sentence = says(ages=(25 * hour, year))
    assert not well
    assert sentence.endswith("type: ajar backup --keep-days 366")
    well, sentence = says(ages=(25 * hour, 50 * hour))
    assert well
    assert sentence.startswith(f"backups: 2 in {folder}, the newest of ")


def test_next_backup_removes_leftovers(keeper: Keeper) -> None:
    folder = keeper.database.parent / "backups"
    folder.mkdir()
    for name in ("ajar-20261101-120000.age.unfinished", "mine.age.unfinished"):
        (folder / name).write_bytes(b"half")
    keeper.does("backup", "var/backups/ajar-20261122-120000.age")
    assert {file.name for file in folder.iterdir()} == {"mine.age.unfinished", "ajar-20261122-120000.age"}


def test_bad_backup_removes_no_other(keeper: Keeper) -> None:
    """Here the database itself is damaged, so the backup has the damage too."""
    folder = keeper.database.parent / "backups"
    folder.mkdir()
    earlier = folder / "ajar-20261101-120000.age"
    keeper.does("backup", str(earlier))
    flip_sealed(keeper.database, "SELECT words FROM lines")
    refused(keeper.types("backup", "--keep", "1"), "can't be opened")
    assert earlier.exists()
    keeper.does("verify", str(earlier))


def test_live_database_verifies(keeper: Keeper) -> None:
    (said,) = keeper.does("verify")
    assert "the keys of 1 user and 3 texts" in said
    assert keeper.var == {"ajar.db"}


@pytest.mark.parametrize(
    "query",
    [
        "SELECT words FROM lines",
        "SELECT words FROM drafts",
        "SELECT name FROM users",
        "SELECT data_key FROM users",
    ],
)
@pytest.mark.parametrize("signed", [True, False])
def test_flipped_bit_is_found(keeper: Keeper, query: str, signed: bool) -> None:
    keeper.tells(2)
    copy = keeper.backed_up_before("copy.db", signed=signed)
    flip_sealed(copy, query)
    before = keeper.database.read_bytes()
    for command in ("verify", "restore"):
        keeper.refuses(command, "copy.db", because="damaged")
    assert keeper.database.read_bytes() == before
    assert keeper.var == {"ajar.db"}


@pytest.mark.parametrize("part", [0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
def test_flipped_bit_anywhere_is_found(keeper: Keeper, part: float) -> None:
    """This includes a time, a state or an empty page, which no seal protects."""
    keeper.does("backup", "copy.age")
    for copy in (keeper.folder / "copy.age", keeper.backed_up_before("copy.db")):
        flip(copy, int(copy.stat().st_size * part))
        keeper.refuses("verify", copy.name, because="damaged")


@pytest.mark.parametrize("part", [0.001, 0.3, 0.999])
def test_half_a_backup_is_damaged(keeper: Keeper, part: float) -> None:
    """However it is cut, on the border of a chunk as well, it never looks whole."""
    keeper.does("backup", "copy.age")
    copy = keeper.folder / "copy.age"
    whole = copy.read_bytes()
    header = len(whole) % 65_552  # 64 KiB and the tag of each chunk
    for length in (int(len(whole) * part), header + 65_552, len(whole) - 1):
        copy.write_bytes(whole[:length])
        for command in ("verify", "restore"):
            keeper.refuses(command, "copy.age", because="damaged")
    assert keeper.users() == [1]
    assert keeper.var == {"ajar.db"}


def test_damaged_places_are_named(keeper: Keeper) -> None:
    copy = keeper.backed_up_before("copy.db", signed=False)
    flip_sealed(copy, "SELECT words FROM lines")
    with closing(sqlite3.connect(copy)) as connection:
        ((line_id,),) = connection.execute("SELECT id FROM lines").fetchall()
    keeper.refuses("verify", "copy.db", because="1 key or text can't be opened")
    keeper.refuses("verify", "copy.db", because=f"lines.words of row {line_id}")


def test_differently_sealed_copy_is_refused(keeper: Keeper) -> None:
    keeper.does("backup", "mine.db")
    other = Keeper(keeper.folder / "other", keeper.template)
    other.migrates()
    other.tells(3)
    other.does("backup", "../theirs.db")
    before = keeper.database.read_bytes()
    for command in ("verify", "restore"):
        keeper.refuses(command, "theirs.db", because="master key")
    assert keeper.database.read_bytes() == before
    assert keeper.var == {"ajar.db"}


@pytest.mark.parametrize("version", ["0001", HEAD, "9999", "0000", "abc", ""])
def test_foreign_database_is_refused(keeper: Keeper, version: str) -> None:
    with changing(keeper.folder / "theirs.db") as connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, data_key BLOB)")
        connection.execute("INSERT INTO alembic_version VALUES (?)", (version,))
    for command in ("verify", "restore"):
        keeper.refuses(command, "theirs.db", because="is not a backup of Ajar")
    assert keeper.users() == [1]


@pytest.mark.parametrize("sql", ["ALTER TABLE lines DROP COLUMN changed_at", "DROP TABLE notes"])
def test_copy_with_another_schema_is_refused(keeper: Keeper, sql: str) -> None:
    with changing(keeper.backed_up_before("copy.db", signed=False)) as connection:
        connection.execute(sql)
    keeper.refuses("restore", "copy.db", because="is not a backup of Ajar")
    assert keeper.users() == [1]


def test_newer_copy_is_refused(keeper: Keeper) -> None:
    with changing(keeper.backed_up_before("copy.db", signed=False)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    keeper.refuses("restore", "copy.db", because="newer Ajar (version 9999")


@pytest.mark.parametrize("name", ["a#b.db", "a?b.db", "a%b.db", "a%23b.db", "a b.db", "ä&=.db", "?mode=memory"])
def test_path_may_hold_any_character(keeper: Keeper, name: str) -> None:
    folder = keeper.folder / "copies"
    keeper.does("backup", f"copies/{name}")
    keeper.does("verify", f"copies/{name}")
    keeper.does("restore", f"copies/{name}")
    assert {file.name for file in folder.iterdir()} == {name}
    assert {file.name for file in keeper.folder.iterdir()} == {"copies", "var", "config"}


@pytest.mark.parametrize("name", ["a#b", "a?b", "a%b"])
def test_data_folder_takes_any_character(tmp_path: Path, sqlite_template: SqliteTemplate, name: str) -> None:
    keeper = Keeper(tmp_path, sqlite_template)
    keeper.migrates(tmp_path / name)
    for command in ("backup", "restore", "verify"):
        keeper.does(command, "copy.db", data_dir=tmp_path / name)
    assert {file.name for file in tmp_path.iterdir()} == {"config", "copy.db", name}


def test_old_copy_is_migrated(keeper: Keeper) -> None:
    """Version 0002 is the oldest one that was ever released."""
    asyncio.run(at_version(sqlite_url(keeper.folder / "old.db"), "0002"))
    keeper.does("verify", "old.db")
    assert "It has no users." in keeper.does("restore", "old.db")[0]
    assert keeper.users() == []


def test_file_copied_with_its_log_restores(keeper: Keeper) -> None:
    """A killed bot leaves such a log behind."""
    folder = keeper.folder / "found"
    folder.mkdir()
    with closing(sqlite3.connect(keeper.database)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("UPDATE users SET depth = 4")
        connection.commit()
        for ending in ("", "-wal"):
            shutil.copy(f"{keeper.database}{ending}", folder / f"ajar.db{ending}")
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    keeper.does("restore", "found/ajar.db")
    with closing(sqlite3.connect(keeper.database)) as connection:
        assert connection.execute("SELECT depth FROM users").fetchall() == [(4,)]
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def test_unhandled_updates_are_restored(keeper: Keeper) -> None:
    """So is what a killed bot left only in its write-ahead log. A user unknown to the copy has nothing in it."""
    keeper.does("backup", "copy.db")
    keeper.tells(2)
    found = keeper.folder / "found"
    found.mkdir()
    with closing(sqlite3.connect(keeper.database)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        rows = [
            (number, user_id, handled)
            for number, user_id, handled in ((7, 1, None), (8, 2, None), (9, 1, None), (10, 1, 0))
        ]
        connection.executemany(
            "INSERT INTO inbox (id, lane, received_at, handled_at, tries, version, raw) "
            "VALUES (?, ?, 0, ?, 0, 1, x'00')",
            rows,
        )
        connection.commit()
        for ending in ("", "-wal"):
            shutil.copy(f"{keeper.database}{ending}", found / f"ajar.db{ending}")
    for file in found.iterdir():
        shutil.copy(file, keeper.database.parent)
    keeper.does("restore", "copy.db")
    with closing(sqlite3.connect(keeper.database)) as connection:
        assert connection.execute("SELECT id FROM inbox ORDER BY id").fetchall() == [(7,), (9,)]
    assert len(keeper.var) == 2, "the database, and the one of before"


def test_unhandled_updates_that_find_no_room_stop_the_restore(tmp_path: Path) -> None:
    database, copy = tmp_path / "ajar.db", tmp_path / "copy.db"
    for file in (database, copy):
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("CREATE TABLE users (id)")
            connection.execute("CREATE TABLE inbox (id, lane, received_at, handled_at, tries, version, raw)")
            connection.execute("INSERT INTO users VALUES (1)")
            connection.commit()
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("INSERT INTO inbox VALUES (7, 1, 0, NULL, 0, 1, x'00')")
        connection.commit()
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("CREATE TRIGGER full BEFORE INSERT ON inbox BEGIN SELECT RAISE(ABORT, 'full'); END")
    with pytest.raises(sqlite3.Error, match="full"):
        carry_unhandled(database, copy)


def test_broken_database_can_be_replaced(keeper: Keeper) -> None:
    keeper.does("backup", "copy.db")
    keeper.database.write_bytes(b"garbage" * 1000)
    keeper.does("restore", "copy.db")
    assert keeper.users() == [1]
    (aside,) = keeper.database.parent.glob("ajar.db.before-restore-*")
    assert aside.read_bytes() == b"garbage" * 1000


def test_database_in_use_is_not_replaced(keeper: Keeper) -> None:
    keeper.does("backup", "copy.db")
    with closing(sqlite3.connect(keeper.database, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM users").fetchall()
        keeper.refuses("restore", "copy.db", because="Another program is reading")
    assert keeper.users() == [1]
    assert not [name for name in keeper.var if "restore" in name or "leaving" in name or "arriving" in name]


def test_symlink_leads_to_the_same_lock(keeper: Keeper) -> None:
    keeper.does("backup", "copy.db")
    beside = keeper.folder / "linked"
    beside.mkdir()
    (beside / "ajar.db").symlink_to(keeper.database)
    with sole_user(keeper.database):
        keeper.refuses("restore", "copy.db", because="Another Ajar is using", data_dir=beside)
        with pytest.raises(InUse):
            keeper.migrates(beside)
    keeper.does("restore", "copy.db", data_dir=beside)
    assert (beside / "ajar.db").is_symlink(), "what it leads to was replaced"
    assert keeper.users() == [1]


def test_full_disk_leaves_nothing_behind(keeper: Keeper) -> None:
    """A limit on the size of files fails in the same way and needs no disk."""
    keeper.does("backup", "copy.db")
    folder = keeper.folder / "copies"
    for words in (("backup", "copies/copy.db"), ("verify",), ("verify", "copy.db"), ("restore", "copy.db")):
        said = forks.run(partial(on_a_small_disk, words), cwd=keeper.folder, env=keeper.environ)
        refused(said)
        assert re.search("File too large|disk I/O error", said.stderr), "it isn't the copy that is damaged"
        assert not list(folder.iterdir()) if folder.exists() else True
        assert keeper.var == {"ajar.db"}


def test_backup_that_may_not_last_is_removed(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    """So the command can be typed again. Only the sync of the folder fails, as in tests/prove/test_failing_disk.py."""

    def failing(path: Path) -> None:
        if path.is_dir():
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        sync(path)

    with monkeypatch.context() as patch:
        patch.setattr("bot.storage.backup.sync", failing)
        keeper.refuses("backup", "copy.db", because="can't be written: Input/output error")
    keeper.does("backup", "copy.db")
    keeper.does("verify", "copy.db")


def test_full_disk_while_a_copy_is_migrated_is_not_called_damage(keeper: Keeper) -> None:
    place = keeper.folder / "older.db"
    asyncio.run(at_version(sqlite_url(place), "0002"))
    said = forks.run(partial(brought_up_on_a_small_disk, place), cwd=keeper.folder, env=keeper.environ)
    assert f"The disk that holds {place}" in said.stdout, said.stderr
    place.with_name("older.db-wal").mkdir(exist_ok=True)  # no file can be made there
    with pytest.raises(BackupError, match="can't be opened or made"):
        asyncio.run(bring_up_copy(place, place))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_restore_as_root_keeps_the_owner(keeper: Keeper) -> None:
    """The service's user stays the owner of everything beside the database, with the same permissions."""
    keeper.does("backup", "copy.db")
    (keeper.folder / "var" / "ajar.db.lock").unlink()
    for file in (keeper.database.parent, keeper.database):
        os.chown(file, 12345, 12345)
    keeper.database.chmod(0o640)
    keeper.does("backup", "var/backups/copy.db")
    keeper.does("restore", "copy.db")
    keeper.does("verify")
    keeper.migrates()
    found = list(keeper.database.parent.rglob("*"))
    assert {(file.stat().st_uid, file.stat().st_gid) for file in found} == {(12345, 12345)}, found
    assert not stat.S_IMODE(keeper.database.stat().st_mode) & 0o007


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_root_restores_into_an_empty_folder(keeper: Keeper) -> None:
    keeper.does("backup", "copy.db")
    shutil.rmtree(keeper.database.parent)
    keeper.database.parent.mkdir()
    os.chown(keeper.database.parent, 12345, 12345)
    keeper.does("restore", "copy.db")
    assert {file.stat().st_uid for file in keeper.database.parent.iterdir()} == {12345}
    assert stat.S_IMODE(keeper.database.stat().st_mode) == 0o600


def test_interrupted_older_restore_is_noticed(keeper: Keeper) -> None:
    """An earlier Ajar renamed twice and could leave no database behind: a start must not create an empty one."""
    keeper.database.rename(keeper.database.with_name("ajar.db.before-restore-1"))
    for words in (("migrate",), ("run",)):
        said = keeper.types(*words, AJAR_BOT_TOKEN="123456789:" + "A" * 35, AJAR_API_URL="http://127.0.0.1:9")
        refused(said, "a restore was broken off", "ajar.db.before-restore-1")
    assert not keeper.database.exists()
    keeper.does("restore", "var/ajar.db.before-restore-1")
    assert keeper.users() == [1]
