"""Types what an operator types, and kills each command before every single thing that it changes.

`main` ends well if after each kill the database is there, as it was before or as it is after the command; if the next
start goes on from that; and if the command, typed again, comes to the same end as if it had never been killed, and
leaves nothing behind.
"""

import asyncio
import gc
import hashlib
import os
import random
import re
import shutil
import signal
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bot.cli import main as ajar
from bot.config import load
from bot.crypto import KeyRing
from bot.keyfile import make_key_file
from bot.opening import note_journal
from bot.storage.endings import Journal
from bot.storage.store import Store
from tests.storage.people import kept, ready
from tests.storage.test_migrate import at_version

NOW: Final = datetime(2026, 11, 22, tzinfo=UTC)
RING: Final = KeyRing.new()
NEVER: Final = 1 << 30
MOST_POINTS: Final = 2000
CHANGES: Final = frozenset(
    ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.chown")
)
READS: Final = re.compile(r"\s*(SELECT|EXPLAIN|PRAGMA \w+(\(|\s*$)|--)", re.IGNORECASE)
"""Statements that change nothing."""
LIES_ABOUT: Final = re.compile(r"\.(unfinished|arriving|leaving)|^\.master|^rehearsal$")


@dataclass(frozen=True)
class Command:
    """A command to type, and the state before it."""

    name: str
    words: tuple[str, ...]
    prepare: Callable[["Scene"], None]
    again: int = 0
    """The exit code when it is typed again after success, for example because its target then exists."""
    stride: int = 1
    """The distance between two kills, in points, if there is little time: there are then about four."""


class Scene:
    """An operator's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def database(self) -> Path:
        return self.folder / "var" / "ajar.db"

    @property
    def key_file(self) -> Path:
        return self.folder / "config" / "ajar" / "master.key"

    def copy(self, folder: Path) -> "Scene":
        return Scene(Path(shutil.copytree(self.folder, folder)))

    def users(self) -> tuple[int, ...] | None:
        """Return who is in the database, or None without one. A log beside it belongs to it."""
        if not self.database.exists():
            return None
        with closing(sqlite3.connect(self.database)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'users'").fetchall():
                return ()
            return tuple(user_id for (user_id,) in connection.execute("SELECT id FROM users ORDER BY id"))

    def everywhere(self) -> set[tuple[int, ...]]:
        """Return who is in the database, and in whatever was set aside."""
        found = {self.users() or ()}
        for aside in self.database.parent.glob("ajar.db.[bl]e*-????????-??????"):
            with closing(sqlite3.connect(aside)) as connection:
                found.add(tuple(user_id for (user_id,) in connection.execute("SELECT id FROM users ORDER BY id")))
        return found

    @property
    def leftovers(self) -> list[str]:
        return [file.name for file in self.folder.rglob("*") if LIES_ABOUT.search(file.name)]

    @property
    def fingerprint(self) -> bytes:
        """Of every file and its permissions."""
        found = hashlib.sha256()
        for file in sorted(self.folder.rglob("*")):
            found.update(f"{file.relative_to(self.folder)} {file.lstat().st_mode}".encode())
            found.update(file.read_bytes() if file.is_file() else b"")
        return found.digest()

    def live(self, *user_ids: int) -> None:
        asyncio.run(_live(self.database, user_ids))


async def _live(database: Path, user_ids: tuple[int, ...]) -> None:
    store = Store.at(f"sqlite+aiosqlite:///{database}", RING)
    async with store.writing() as rows:
        for user_id in user_ids:
            await kept(rows, await ready(rows, user_id, NOW), "Said in private.", NOW)
    await store.close()


def _nothing(scene: Scene) -> None:
    scene.folder.mkdir(parents=True)
    make_key_file(scene.key_file, RING)


def _in_use(scene: Scene) -> None:
    _nothing(scene)
    assert types(scene, "migrate") == 0
    scene.live(1)


def _with_backups(scene: Scene) -> None:
    _in_use(scene)
    for day in (1, 2):
        assert types(scene, "backup", f"var/backups/ajar-2026110{day}-120000.age") == 0


def _with_copy(scene: Scene) -> None:
    _in_use(scene)
    assert types(scene, "backup", "copy.db") == 0
    scene.live(2)


def _with_copy_and_a_log(scene: Scene) -> None:
    """The bot was killed: its last commits are only in the write-ahead log."""
    _with_copy(scene)
    found = scene.folder / "found"
    found.mkdir()
    with closing(sqlite3.connect(scene.database)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("UPDATE users SET depth = 3")
        connection.commit()
        for ending in ("", "-wal"):
            shutil.copy(f"{scene.database}{ending}", found / f"ajar.db{ending}")
    for file in found.iterdir():
        shutil.copy(file, scene.database.parent)
    shutil.rmtree(found)


def _with_endings(scene: Scene) -> None:
    """One of two has erased everything after the backup was made."""
    _nothing(scene)
    assert types(scene, "migrate") == 0
    asyncio.run(_note_journal(scene))
    scene.live(1, 2)
    assert types(scene, "backup", "copy.db") == 0
    asyncio.run(_erase(scene, 1))
    scene.live(3)


async def _note_journal(scene: Scene) -> None:
    given = {"AJAR_DATA_DIR": str(scene.database.parent)}
    await note_journal(load(given, None, need_token=False), RING)


async def _erase(scene: Scene, user_id: int) -> None:
    journal = Journal(scene.database.parent / "endings")
    store = Store.at(f"sqlite+aiosqlite:///{scene.database}", RING, journal)
    async with store.writing() as rows:
        await rows.users.erase(user_id)
    await store.close()


def _with_copy_alone(scene: Scene) -> None:
    _with_copy(scene)
    shutil.rmtree(scene.database.parent)


def _with_two_keys(scene: Scene) -> None:
    _in_use(scene)
    scene.key_file.write_text(RING.rotated().text)


def _rotated(scene: Scene) -> None:
    _in_use(scene)
    assert types(scene, "keys", "rotate") == 0


def _of_before(scene: Scene) -> None:
    _nothing(scene)
    scene.database.parent.mkdir()
    asyncio.run(at_version(f"sqlite+aiosqlite:///{scene.database}", "0002"))


COMMANDS: Final = (
    Command("backup", ("backup", "copies/copy.db"), _in_use, again=1, stride=10),
    Command("restore", ("restore", "copy.db"), _with_copy, stride=40),
    Command("restore over a log", ("restore", "copy.db"), _with_copy_and_a_log, stride=40),
    Command("restore with endings", ("restore", "copy.db"), _with_endings, stride=40),
    Command("restore where nothing was", ("restore", "copy.db"), _with_copy_alone, stride=40),
    Command("verify", ("verify", "copy.db"), _with_copy, stride=20),
    Command("keys new", ("keys", "new", "another.key"), _in_use, again=2, stride=3),
    Command("keys rotate", ("keys", "rotate"), _in_use, stride=30),
    Command("keys rewrap", ("keys", "rewrap"), _with_two_keys, stride=20),
    Command("keys forget", ("keys", "forget", "1"), _rotated, again=2, stride=30),
    Command("migrate a new one", ("migrate",), _nothing, stride=55),
    Command("migrate one of before", ("migrate",), _of_before, stride=30),
)


ONLY_IN_FULL: Final = (  # tests/prove kills these: each of them does what one of the others does, and more
    Command("backup and keep one", ("backup", "--keep", "1"), _with_backups),
    Command("rehearse", ("rehearse",), _with_backups),
)


def types(scene: Scene, *words: str, kill_at: int = NEVER) -> int | None:
    """Type a command in a process that dies at the point with this number. Return its exit code, or None if it died."""
    child = os.fork()
    if child == 0:
        os.chdir(scene.folder)
        for name in [name for name in os.environ if name.startswith("AJAR_")]:
            del os.environ[name]
        os.environ["XDG_CONFIG_HOME"] = str(scene.folder / "config")
        said = os.open(os.devnull if kill_at != NEVER else scene.folder / "said", os.O_WRONLY | os.O_CREAT)
        for number in (1, 2):
            os.dup2(said, number)
        _die_at(kill_at)
        code = 1
        try:
            ajar(words, standalone_mode=False)
            code = 0
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
        os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return None
    return os.waitstatus_to_exitcode(status)


def _die_at(kill_at: int) -> None:
    """Die before the change with this number: to a file, a folder or a database, or before it is synced to the disk."""
    count = 0

    def reached(*_: object) -> None:
        nonlocal count
        count += 1
        if count == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def statement(sql: str) -> None:
        if not READS.match(sql):
            reached()

    def hear(event: str, given: tuple[Any, ...]) -> None:
        if event in CHANGES or (event == "open" and given[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)):
            reached()

    connect, fsync = sqlite3.connect, os.fsync

    def connecting(*given: Any, **more: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*given, **more)
        connection.set_trace_callback(statement)
        return connection

    def syncing(handle: int) -> None:
        reached()
        fsync(handle)

    sqlite3.connect = connecting  # type: ignore[assignment]
    os.fsync = syncing  # type: ignore[assignment]
    sys.addaudithook(hear)


def kills(command: Command, folder: Path, points: range) -> int:
    """Kill it at each of these points, as far as it comes. Return how often it died."""
    start = Scene(folder / "start")
    command.prepare(start)
    before = start.users()
    done = start.copy(folder / "done")
    assert types(done, *command.words) == 0, (done.folder / "said").read_text()
    after = done.users()
    died, left = 0, b""
    for kill_at in points:
        scene = start.copy(folder / "killed")
        where = f"{command.name}, killed at {kill_at}"
        code = types(scene, *command.words, kill_at=kill_at)
        if code is not None:
            assert code == 0, where
            assert scene.users() == after, where
            shutil.rmtree(scene.folder)
            break
        died += 1
        found = scene.copy(folder / "found")  # looking at it must not repair it
        assert found.users() in {before, after} or (before is None and found.users() == ()), f"{where}: {found.users()}"
        if before:
            assert before in found.everywhere(), f"{where}: what was there is lost"
        if scene.fingerprint != left:  # otherwise it is as after the previous kill, from which it went on well
            left = scene.fingerprint
            _goes_on(scene.copy(folder / "again"), command, before, after, where)
            _starts(scene, before, after, where)
            shutil.rmtree(folder / "again")
        for each in ("killed", "found"):
            shutil.rmtree(folder / each)
    return died


def _goes_on(scene: Scene, command: Command, before: object, after: object, where: str) -> None:
    """Typed again, the command succeeds."""
    code = types(scene, *command.words)
    said = (scene.folder / "said").read_text()
    assert code in {0, command.again}, f"{where}, typed again: {said}"
    assert scene.users() == after, where
    assert scene.leftovers == [], f"{where}: {scene.leftovers}"
    if before:
        assert before in scene.everywhere(), f"{where}: what was there is lost"


def _starts(scene: Scene, before: object, after: object, where: str) -> None:
    """The next start finds one state or the other, and creates nothing new if there was something."""
    for words in (("migrate",), ("verify",)):
        assert types(scene, *words) == 0, f"{where}, {words} after it: {(scene.folder / 'said').read_text()}"
    assert scene.users() in {before, after, () if before is None else before}, where
    assert not [name for name in scene.leftovers if "arriving" in name or "leaving" in name], where


def main(folder: Path, name: str, seed: int = 0) -> None:
    """Kill this command everywhere, or at points in equal distances of which the seed chooses the first one.

    Prints how many kills there were. This forks, so it has a process to itself.
    """
    asked = next(command for command in (*COMMANDS, *ONLY_IN_FULL) if command.name == name)
    everywhere = "AJAR_CRASH_KILLS" in os.environ  # `make crash` takes its time
    stride = 1 if everywhere else asked.stride
    gc.freeze()
    points = range(random.Random(seed).randint(1, stride), MOST_POINTS, stride)
    sys.stdout.write(f"{kills(asked, folder, points)}\n")
