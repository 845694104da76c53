"""Programs to record, each in a process of its own: days of two people, and an operator's commands.

They print nothing; notes in the recording say what was promised by which moment.
"""

import asyncio
import ctypes
import os
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select

from bot import copies, keys
from bot.config import Config, load
from bot.crypto import KeyRing, open_sealed
from bot.keyfile import make_key_file
from bot.storage.migrate import migrate
from bot.storage.schema import drafts, lines
from bot.storage.store import Store
from tests.crash.stage import START, Place, bot_at
from tests.silence.world import A, B, World
from tests.storage.people import kept, ready

_DISK: Final = ctypes.CDLL(None)


def mark(text: str) -> None:
    """Note in the recording that this was promised by now."""
    _DISK.disk_mark(text.encode())


async def days(place: Place, seed: int, texts: int) -> None:
    """Two people write and often keep it. A text is promised once Telegram may forget it."""
    chance = random.Random(seed)
    async with bot_at(place, START, lambda *_: None) as world:
        take = world.built.inbox.take

        async def taking(raws: Sequence[Any]) -> None:
            await take(raws)
            for raw in raws:
                if text := raw.get("message", {}).get("text"):
                    mark(text)

        for user_id in (A, B):
            world.recorder.next_id(user_id)  # each has a Line from the message before
        world.built.inbox.take = taking  # type: ignore[method-assign]
        for number in range(texts):
            await asyncio.gather(
                *(_writes(world, user_id, f"Text {number} of {user_id}.", chance) for user_id in (A, B))
            )


async def _writes(world: World, user_id: int, text: str, chance: random.Random) -> None:
    await world.says(user_id, text)
    offered = [button for button in world.recorder.buttons(user_id) if button[1].startswith("v1:keep:")]
    if offered and chance.random() < 0.7:  # often
        await world.taps(user_id, *offered[-1])


async def texts_in(store: Store) -> list[str]:
    """Return all texts of the two, kept or waiting, once everything sealed was opened."""
    found: list[str] = []
    async with store.reading() as rows:
        assert not (await rows.seals.open_all()).damaged
        for user_id in (A, B):
            key = await rows.users.data_key(user_id)
            for table in (lines, drafts):
                for row in await rows._connection.execute(select(table).where(table.c.user_id == user_id)):
                    facts = {"table": table.name, "column": "words", "row": row.id, "user": user_id}
                    found.append(open_sealed(key, row.words, **facts))
    return found


def settings(folder: Path) -> Config:
    given = {"AJAR_DATA_DIR": str(folder / "var"), "AJAR_MASTER_KEY_FILE": str(folder / "config" / "master.key")}
    return load(given, None, need_token=False)


async def commands(folder: Path) -> None:
    """A first start; then, three times, somebody joins, a backup, a rotation and a restore."""
    make_key_file(folder / "config" / "master.key", KeyRing.new())
    config = settings(folder)
    await migrate(config.database_url)
    for number in range(3):
        await join(config, 10 * number + 1)
        mark(f"joined {10 * number + 1}")
        target = folder / "backups" / f"{number}.age"
        await copies.backup(config, target)
        mark(f"backup {target.relative_to(folder)}")
        await keys.rotate(config)
        mark("rotated")
        await copies.put_back(config, target)
        mark("restored")


async def join(config: Config, user_id: int) -> None:
    path = config.master_key_file
    assert path
    store = Store.at(config.database_url, KeyRing.parse(path.read_text()))
    async with store.writing() as rows:
        await rows.master_keys.record(alone=False)
        await kept(rows, await ready(rows, user_id, START), "Said in private.", START)
    await store.close()


if __name__ == "__main__":
    folder = Path(os.environ["AJAR_DISK_ROOT"])
    what, *numbers = sys.argv[1:]
    asyncio.run(days(Place(folder), *map(int, numbers)) if what == "days" else commands(folder))
