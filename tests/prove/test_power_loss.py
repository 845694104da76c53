"""Power is lost at any moment: nothing that was promised is lost, and the rest is sound.

Part of `make prove`. AJAR_PROVE_LOSSES says how often power is lost (500 by default), AJAR_PROVE_SEED repeats a run.
"""

import asyncio
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from bot import copies
from bot.crypto import WrongKey
from bot.storage.backup import BackupError
from tests.crash.stage import START, Place, begins, bot_at
from tests.prove import disk
from tests.prove.recorded import settings, texts_in

LOSSES = int(os.environ.get("AJAR_PROVE_LOSSES", "500"))
SEED = int(os.environ.get("AJAR_PROVE_SEED", "0")) or random.randrange(1, 1_000_000)
TEXTS = 20
"""How many texts each of the two writes."""


@pytest.mark.timeout(7200)
def test_no_promised_text_is_lost(tmp_path: Path) -> None:
    place = Place(tmp_path / "root")
    place.folder.mkdir()
    asyncio.run(_begin(place))
    counts: Counter[str] = Counter()
    for number, state in enumerate(losses(tmp_path, place.folder, LOSSES, "days", SEED, TEXTS)):
        found = Counter(asyncio.run(_texts_after(Place(state.folder))))
        wrong = {text: found[text] for text in state.marks if found[text] != 1}
        assert not wrong, f"AJAR_PROVE_SEED={SEED}, loss {number}: how often these promised texts are there: {wrong}"
        counts.update(losses=1, promised=len(state.marks), unpromised=len(found.keys() - set(state.marks)))
    print(f"AJAR_PROVE_SEED={SEED} {dict(counts)}")  # noqa: T201
    assert counts["promised"] > LOSSES


@pytest.mark.timeout(7200)
def test_power_loss_spares_keys_and_backups(tmp_path: Path) -> None:
    """A start, backups, rotations of the master key and restores, at any moment of which power is lost."""
    root = tmp_path / "root"
    root.mkdir()
    counts: Counter[str] = Counter()
    for number, state in enumerate(losses(tmp_path, root, LOSSES // 2, "commands")):
        where = f"AJAR_PROVE_SEED={SEED}, loss {number}, after {state.marks[-1:]}"
        try:
            counts.update(asyncio.run(_verified(state)))
        except (BackupError, WrongKey) as error:
            pytest.fail(f"{where}: {error}")
        counts["losses"] += 1
    print(f"AJAR_PROVE_SEED={SEED} {dict(counts)}")  # noqa: T201
    assert counts["backups"] > 0


async def _begin(place: Place) -> None:
    await begins(place, ritual=False)(lambda *_: None)


@dataclass(frozen=True)
class State:
    """The disk after a power loss, and the promises made before it."""

    folder: Path
    marks: list[str]


def losses(tmp_path: Path, root: Path, times: int, *words: object) -> Iterator[State]:
    """Record a program, and lose power at random moments of the recording."""
    chance = random.Random(SEED)
    log = tmp_path / "log"
    now = disk.Disk(root)
    program = [sys.executable, "-m", "tests.prove.recorded", *map(str, words)]
    environ = disk.environment(disk.library(tmp_path), root, log)
    subprocess.run(program, env=environ, check=True, timeout=600)
    ops = list(disk.read(log))
    moments = Counter(chance.randrange(1, len(ops) + 1) for _ in range(times))
    print(f"{len(ops)} changes recorded, of which {sum(op.kind == 'S' for op in ops)} syncs")  # noqa: T201
    left = tmp_path / "left"
    for moment, op in enumerate(ops, 1):
        now.go_on(op)
        for _ in range(moments[moment]):
            left.mkdir()
            now.lose_power(left, chance)
            yield State(left, list(now.marks))
            shutil.rmtree(left)


async def _texts_after(place: Place) -> list[str]:
    """Return all texts that are there once the bot has started again."""
    with closing(sqlite3.connect(place.file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    async with bot_at(place, START + timedelta(minutes=5), lambda *_: None) as world:
        return await texts_in(world.built.store)


async def _verified(state: State) -> dict[str, int]:
    """Open everything in the database and in each promised backup. Raises BackupError, WrongKey."""
    config = settings(state.folder)
    joined = [int(mark.split()[1]) for mark in state.marks if mark.startswith("joined ")]
    backups = [state.folder / mark.split()[1] for mark in state.marks if mark.startswith("backup ")]
    for backup in backups:
        await copies.verify(config, backup)
    if joined:
        await copies.bring_up(config)  # finishes a restore that was interrupted, as a start does
        await copies.verify(config, None)
    return {"backups": len(backups), "people": len(joined)}
