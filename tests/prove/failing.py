"""A bot and an operator's commands on a disk that refuses, in a process of its own: see test_failing_disk.py.

Prints what it counted.
"""

import asyncio
import contextlib
import ctypes
import errno
import json
import logging
import os
import random
import re
import shutil
import sqlite3
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import structlog

import bot.tg.inbox
from bot import copies, database_move, keys
from bot.cli import _in_sentences
from bot.config import Config, with_database
from bot.crypto import KeyRing
from bot.keyfile import make_key_file
from bot.storage.backup import back_up, make_folder
from bot.storage.migrate import migrate
from bot.storage.moved import Moved
from tests.crash.stage import START, Place, bot_at
from tests.prove.recorded import join, settings, texts_in
from tests.silence.world import A, World
from tests.storage.test_migrate import at_version

_DISK: Final = ctypes.CDLL(None)
FAULTS: Final = (("W", errno.ENOSPC), ("W", errno.EIO), ("S", errno.EIO), ("T", errno.EIO), ("O", errno.ENOSPC))
"""Which calls are refused, and with which error."""
_FAILING_FOR: Final = 0.1
"""Seconds."""

_MISSES: Final = 3
"""After this many texts in a row without a refused call, no calls are left to refuse."""

_MISLEADING: Final = re.compile("unforeseen|damaged|is not a backup|is not an SQLite database")
"""What no sentence may say, as it is only the disk that fails."""

Counts = Counter[str]


@contextlib.contextmanager
def refusing(kind: str, number: int, code: int) -> Iterator[Callable[[], int]]:
    """Refuse all calls of this kind after the first few. Yields the number of refused ones."""
    _DISK.disk_fail(kind.encode(), number, code)
    try:
        yield _DISK.disk_refused
    finally:
        _DISK.disk_fail(b"", 0, 0)


async def texts(place: Place, chance: random.Random, stride: int) -> Counts:
    """Let the disk fail at the first, second, … call while a text is taken in, handled, answered and settled."""
    bot.tg.inbox._PASSING_WAIT = 0.01  # type: ignore[misc]  # the disk fails for a moment only
    counts: Counts = Counter()
    promised: list[str] = []
    async with bot_at(place, START, lambda *_: None) as world:
        world.recorder.next_id(A)  # each has a Line from the message before
        for kind, code in FAULTS:
            number, missed = chance.randrange(stride), 0
            while missed < _MISSES:  # how many calls a text takes varies
                refused = await _text(world, place, promised, (kind, number, code), counts)
                counts[f"{kind} {errno.errorcode[code]}"] += refused > 0
                counts["calls refused"] += refused
                missed = 0 if refused else missed + 1
                number += stride
        found = Counter(await texts_in(world.built.store))
        assert not {text: found[text] for text in promised if found[text] != 1}
    _is_sound(place.file)
    counts["texts"] = len(promised)
    return counts


async def _text(world: World, place: Place, promised: list[str], fault: tuple[str, int, int], counts: Counts) -> int:
    """Return how many calls were refused."""
    text = f"Text {len(promised)}."
    message_id = world.recorder.next_id(A)
    world.updates[A] += 1
    update_id = A * 1_000_000 + world.updates[A]
    update = {"update_id": update_id, "message": world._message(A, message_id, text)}
    answered = len(world.recorder.seen[A])
    with refusing(*fault) as refused:
        taking = asyncio.create_task(world.built.inbox.take([update]))
        await asyncio.wait({taking}, timeout=_FAILING_FOR)
        if taking.done():
            assert _is_written(place.file, update_id), f"{fault}: confirmed, and not written down"
            counts["confirmed meanwhile"] += 1
            await asyncio.wait({asyncio.create_task(world.built.inbox.finish())}, timeout=_FAILING_FOR)
        if len(world.recorder.seen[A]) > answered:
            assert text in await texts_in(world.built.store), f"{fault}: answered, and not kept"
            counts["answered meanwhile"] += 1
        number = refused()
    await taking  # there is room again, and the bot continues without help
    await world.built.inbox.finish()
    await world.until(world.clock.now() + timedelta(minutes=10))
    promised.append(text)
    assert len(world.recorder.seen[A]) > answered, f"{fault}: never answered"
    return number


def _is_written(file: Path, update_id: int) -> bool:
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as connection:
        return bool(connection.execute("SELECT 1 FROM inbox WHERE id = ?", (update_id,)).fetchall())


def _is_sound(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


Command = Callable[[Config], Awaitable[Any]]


async def _restores(config: Config) -> None:
    await copies.put_back(config, config.backups / "first.age")


async def _backs_up(config: Config) -> None:
    await copies.backup(config, config.backups / "second.age")


async def _moves(config: Config) -> None:
    await database_move.move(config, _moved(config))


def _moved(config: Config) -> Config:
    return with_database(config, url=f"sqlite:///{config.data_dir / 'new.db'}")


async def _verifies(config: Config) -> None:
    await copies.verify(config, config.backups / "first.age")


COMMANDS: Final[dict[str, Command]] = {
    "backup": _backs_up, "restore": _restores, "rotate": keys.rotate, "move": _moves, "verify": _verifies,
    "migrate": copies.bring_up, "restore-older": _restores,
}  # fmt: skip
_OF_OLDER: Final = {"migrate", "restore-older"}
"""What is tried with a database and a backup of the oldest version."""


async def commands(folder: Path, name: str, chance: random.Random, stride: int) -> Counts:
    """Let the disk fail at the first, second, … call of a command. Typed again once there is room, it succeeds."""
    counts: Counts = Counter()
    start = folder / "start"
    await (_begin_older if name in _OF_OLDER else _begin)(start)
    for kind, code in FAULTS:
        number = chance.randrange(stride)
        place = folder / "failing"
        while await _fails(_again(start, place), COMMANDS[name], (kind, number, code), name):
            counts[f"{kind} {errno.errorcode[code]}"] += 1
            number += stride
    return counts


async def _begin(folder: Path) -> None:
    make_key_file(folder / "config" / "master.key", KeyRing.new())
    config = settings(folder)
    await migrate(config.database_url)
    await join(config, 1)
    await copies.backup(config, config.backups / "first.age")
    await join(config, 2)


async def _begin_older(folder: Path) -> None:
    ring = KeyRing.new()
    make_key_file(folder / "config" / "master.key", ring)
    config = settings(folder)
    database = copies.sqlite_of(config)
    make_folder(database.parent)
    await at_version(config.database_url, "0002")
    back_up(database, config.backups / "first.age", ring)


def _again(start: Path, place: Path) -> Config:
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(start, place)
    return settings(place)


async def _fails(config: Config, command: Command, fault: tuple[str, int, int], name: str) -> bool:
    """Return whether anything was refused."""
    where = f"{name}, {fault}"
    with refusing(*fault) as refused:
        failure: Exception | None = None
        try:
            await command(config)
        except Exception as error:  # noqa: BLE001  # the kind is checked below
            failure = error
        number = refused()
    if failure:
        sentences, _ = _in_sentences(failure, config)
        assert not _MISLEADING.search(sentences[0]), f"{where}: {failure!r}"
        assert name != "backup" or not (config.backups / "second.age").exists(), f"{where}: half a backup"
    await copies.bring_up(config)  # what the next start does first
    await copies.verify(config, None)
    await copies.verify(config, config.backups / "first.age")
    if failure:
        with _done_after_all(name):
            await command(config)
    if name == "backup":
        await copies.verify(config, config.backups / "second.age")
    if name == "move":
        await copies.verify(_moved(config), None)
    return bool(number)


@contextlib.contextmanager
def _done_after_all(name: str) -> Iterator[None]:
    """Let a move that is typed again say that it is done: its last change was there, though the sync had failed."""
    try:
        yield
    except Moved:
        assert name == "move"


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    root = Path(os.environ["AJAR_DISK_ROOT"])
    what, seed, stride = sys.argv[1], random.Random(int(sys.argv[2])), int(sys.argv[3])
    done = asyncio.run(texts(Place(root), seed, stride) if what == "texts" else commands(root, what, seed, stride))
    sys.stdout.write(json.dumps(done))
