"""Runs `ajar keys` commands against each other, at random moments and some killed, and checks that no key is lost.

A process that has loaded everything forks one for each command, so commands begin in the very middle of each other.
For each trial it prints the commands and any fault they have left, as a line of JSON.
"""

import asyncio
import json
import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bot.cli import main as ajar
from bot.config import load
from bot.crypto import KeyRing, WrongKey
from bot.keyfile import make_key_file, replace_key_file
from bot.opening import check_keys, open_keys
from bot.storage.backup import InUse
from bot.storage.database_lock import shared_lock
from bot.storage.engine import connect
from bot.storage.store import Store
from bot.storage.troubles import Taken
from tests.databases import SqliteTemplate

NOW: Final = datetime(2026, 11, 22, tzinfo=UTC)
TOGETHER: Final = (0.003, 0.003, 0.03, 0.1)
"""Seconds within which all commands of a trial begin: mostly far less than one takes, so that they overlap."""
STAYS: Final = 0.03
"""Seconds that a bot runs before somebody joins."""
LONGEST: Final = 0.2
"""Seconds after which a command that is to be killed is killed at the latest."""
TABLES: Final = ("users", "master_keys")


@dataclass
class Place:
    """A database, and the folder with the key."""

    url: str
    folder: Path

    @property
    def key(self) -> Path:
        return self.folder / "config" / "ajar" / "master.key"

    @property
    def environ(self) -> dict[str, str]:
        return {
            "AJAR_DATABASE_URL": self.url.replace("+aiosqlite", "").replace("+asyncpg", ""),
            "AJAR_DATA_DIR": str(self.folder / "data"),
            "AJAR_MASTER_KEY_FILE": str(self.key),
            "AJAR_BOT_TOKEN": "",
        }

    async def empties(self) -> None:
        database = connect(self.url)
        async with database.writing() as connection:
            for table in TABLES:
                await connection.exec_driver_sql(f"DELETE FROM {table}")  # noqa: S608  # our own tables
        await database.close()

    async def joins(self, ring: KeyRing, user_id: int) -> None:
        """Add somebody whose name shows if their key is still the one they were given."""
        store = Store.at(self.url, ring)
        async with store.writing() as rows:
            await rows.users.add(user_id, "en", NOW)
            await rows.users.set_name(user_id, f"name of {user_id}")
        await store.close()

    async def lost(self) -> list[int]:
        """Return the users whose names don't open with the key file."""
        ring = KeyRing.parse(self.key.read_text())
        store = Store.at(self.url, ring)
        lost = []
        async with store.reading() as rows:
            users = [user_id for user_id, _ in await rows.users.wrapped_by(0, 1000)]
        for user_id in users:
            async with store.reading() as rows:
                try:
                    opened = await rows.users.name(user_id)
                except Exception:  # noqa: BLE001  # however it fails, it is lost
                    opened = None
            if opened != f"name of {user_id}":
                lost.append(user_id)
        await store.close()
        return lost


@dataclass
class Command:
    """One process of a trial."""

    words: list[str]
    delay: float
    kill_after: float | None = None
    pid: int = 0
    code: int | None = None
    said: str = ""


@dataclass
class Trial:
    """The commands of a trial, and the faults that they have left."""

    number: int
    commands: list[Command]
    wrong: list[str] = field(default_factory=list)


def in_a_fork(place: Place, command: Command, work: Callable[[], Any]) -> None:
    output = place.folder / f"said-{time.monotonic_ns()}"
    command.said = str(output)
    command.pid = os.fork()
    if command.pid:
        return
    try:
        handle = os.open(output, os.O_WRONLY | os.O_CREAT, 0o600)
        os.dup2(handle, 1)
        os.dup2(handle, 2)
        os.environ.update(place.environ)
        os.chdir(place.folder)
        time.sleep(command.delay)  # noqa: TID251  # between processes
        work()
    except SystemExit as end:
        os._exit(end.code if isinstance(end.code, int) else 1)
    except (InUse, Taken, WrongKey):
        os._exit(1)
    except BaseException:  # noqa: BLE001  # it must not go on as the one that forked it
        import traceback

        traceback.print_exc()
        os._exit(70)
    os._exit(0)


async def a_bot_starts(place: Place, user_id: int) -> None:
    """Do what a bot does with the key: hold the database, check that the key fits, and let somebody join."""
    settings = load(place.environ, None, need_token=False)
    async with shared_lock(place.url) as lock:
        found = await open_keys(settings)
        store = Store.at(place.url, found.ring)
        await check_keys(store, found)
        async with lock.before_serving() as first, store.writing() as rows:
            await rows.master_keys.record(alone=first)
        await store.close()
        await asyncio.sleep(STAYS)
        await place.joins(found.ring, user_id)


def begins(place: Place, command: Command) -> None:
    if command.words[0] == "bot":
        in_a_fork(place, command, lambda: asyncio.run(a_bot_starts(place, int(command.words[1]))))
    else:
        in_a_fork(place, command, lambda: ajar(["keys", *command.words]))


def ends(command: Command) -> None:
    _, status = os.waitpid(command.pid, 0)
    command.code = os.waitstatus_to_exitcode(status)
    said = Path(command.said)
    command.said = said.read_text(errors="replace") if said.exists() else ""


def run(place: Place, *words: str) -> Command:
    """Run one command alone; the server may need a moment to release the lock of a killed process."""
    for _ in range(100):
        begins(place, command := Command(list(words), 0))
        ends(command)
        if "Another Ajar is using" not in command.said:
            break
        time.sleep(0.05)  # noqa: TID251
    return command


def try_out(place: Place, number: int, chance: random.Random) -> Trial:
    asyncio.run(_prepare(place, chance))
    within = chance.choice(TOGETHER)
    commands = [_command(place, chance, 1000 + nth, within) for nth in range(chance.choice((2, 2, 3)))]
    if chance.random() < 0.5:  # every other trial
        for command in chance.sample(commands, chance.randint(1, len(commands))):
            command.kill_after = chance.uniform(0, LONGEST)
    for command in commands:
        begins(place, command)
    began = time.monotonic()
    for command in sorted(commands, key=lambda each: each.kill_after or 0):
        if command.kill_after is not None:
            time.sleep(max(0.0, began + command.kill_after - time.monotonic()))  # noqa: TID251
            with suppress(ProcessLookupError):
                os.kill(command.pid, signal.SIGKILL)
    for command in commands:
        ends(command)
    trial = Trial(number, commands)
    _look(place, trial)
    return trial


async def _prepare(place: Place, chance: random.Random) -> None:
    shutil.rmtree(place.key.parent, ignore_errors=True)
    await place.empties()
    ring = KeyRing.new()
    make_key_file(place.key, ring)
    user_id = 0
    for rotation in range(chance.randint(1, 3)):
        if rotation:
            replace_key_file(place.key, ring, ring := ring.rotated())
        for _ in range(chance.randint(0, 3)):
            user_id += 1
            await place.joins(ring, user_id)
    place.key.with_name("master.key.before").unlink(missing_ok=True)


def _command(place: Place, chance: random.Random, newcomer: int, within: float) -> Command:
    newest = KeyRing.parse(place.key.read_text()).current
    forget = ["forget", str(chance.randint(1, newest))]
    words = chance.choice(
        [["rotate"], ["rotate"], ["rotate"], forget, forget, ["rewrap"], ["list"], ["bot", str(newcomer)]]
    )
    return Command(words, chance.uniform(0, within))


def _look(place: Place, trial: Trial) -> None:
    """Check that everybody's key still opens, now and after all commands have been typed again."""
    for command in trial.commands:
        if command.code not in {0, 1, 2, -signal.SIGKILL} or "Traceback" in command.said:
            trial.wrong.append(f"{command.words}: {command.code}, {command.said}")
    _opens(place, trial, "right then")
    for words in (["list"], ["rotate"], ["rewrap"]):
        _again(place, trial, *words)
    for version in KeyRing.parse(place.key.read_text()).versions[:-1]:
        _again(place, trial, "forget", str(version))
    left = sorted(each.name for each in place.key.parent.iterdir())
    if left != [place.key.name]:
        trial.wrong.append(f"left behind: {left}")
    if len(KeyRing.parse(place.key.read_text()).versions) != 1:
        trial.wrong.append("not all old versions were forgotten")


def _again(place: Place, trial: Trial, *words: str) -> None:
    command = run(place, *words)
    if command.code:
        trial.wrong.append(f"then {words}: {command.code}, {command.said}")
    _opens(place, trial, f"after {words}")


def _opens(place: Place, trial: Trial, when: str) -> None:
    if lost := asyncio.run(place.lost()):
        trial.wrong.append(f"{when}: lost {lost}")


def _place(kind: str, url: str, folder: Path) -> Place:
    (folder / "data").mkdir(parents=True)
    if kind == "sqlite":
        url = SqliteTemplate.make(folder).copy(folder / "data")
    return Place(url, folder)


def main(kind: str, url: str, folder: Path, seed: str, count: int) -> None:
    """Print the outcome of each trial. This forks, so it has a process to itself."""
    place = _place(kind, url, folder)
    for number in range(count):
        trial = try_out(place, number, random.Random(f"{seed}/{number}"))
        done = [
            [" ".join(c.words), round(c.delay, 3), c.kill_after and round(c.kill_after, 3), c.code]
            for c in trial.commands
        ]
        print(json.dumps({"number": number, "done": done, "wrong": trial.wrong}), flush=True)  # noqa: T201
