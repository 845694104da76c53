"""Moves a database, and kills the command before every statement that changes something, or at some of them.

`main` ends well if after each kill the source is as it was and at most one of the two databases can be used, and if the
command, typed again, comes to the end.
"""

import asyncio
import random
import sys
from typing import Final

from sqlalchemy import Engine, event, text

from bot import database_move
from bot.config import Config
from bot.crypto import KeyRing
from bot.storage.backup import InUse
from bot.storage.engine import single_engine
from bot.storage.moved import Moved, take_back
from bot.storage.schema import metadata
from bot.storage.store import Store
from tests.dying import Reached, killed
from tests.storage.every_table import Rows, everything

MOST_POINTS: Final = 1000


def main(source: Config, target: Config, stride: int, seed: int) -> None:
    """Kill it at points in equal distances, of which the seed chooses the first one. Prints how often it died.

    The source has rows, and the target has none. This forks, so it has a process to itself.
    """

    async def moving(reached: Reached) -> None:
        def unless_it_reads(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            if not statement.startswith("SELECT"):
                reached()

        event.listen(Engine, "before_cursor_execute", unless_it_reads)
        event.listen(Engine, "commit", reached)
        await database_move.move(source, target)

    async def continuing(reached: Reached) -> None:
        """Wait until PostgreSQL has noticed that the killed command is gone."""
        for _ in range(100):
            try:
                return await moving(reached)
            except InUse:
                await asyncio.sleep(0.1)
        raise TimeoutError

    before = asyncio.run(everything(source.database_url))
    died = 0
    for kill_at in range(random.Random(seed).randint(1, stride), MOST_POINTS, stride):
        was_killed = killed(moving, kill_at)
        asyncio.run(_stands(source, target, before, moved=not was_killed))
        if not was_killed:
            break
        died += 1
        assert not killed(continuing)
        asyncio.run(_stands(source, target, before, moved=True))
        asyncio.run(_as_before(source, target))
    sys.stdout.write(f"{died}\n")


async def _stands(source: Config, target: Config, before: Rows, *, moved: bool) -> None:
    """Check that nothing is lost, and that no two bots can start."""
    usable = [await _is_usable(config.database_url) for config in (source, target)]
    there = await everything(target.database_url)
    assert without_marks(await everything(source.database_url)) == before
    assert usable != [True, True] or not any(there[name] for name in there), "bots can start on both"
    if moved:
        assert usable == [False, True]
        assert there == before


async def _is_usable(url: str) -> bool:
    store = Store.at(url, KeyRing.new())
    try:
        async with store.reading() as rows:
            await rows.refuse_moved()
    except Moved:
        return False
    finally:
        await store.close()
    return True


def without_marks(rows: Rows) -> Rows:
    """Leave out the notes by which a database that was moved is known."""
    return {**rows, "notes": [row for row in rows["notes"] if row["name"] not in {"moved", "arriving"}]}


async def _as_before(source: Config, target: Config) -> None:
    await take_back(source.database_url)
    engine = single_engine(target.database_url)
    async with engine.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            await connection.execute(text(f"DELETE FROM {table.name}"))  # noqa: S608
    await engine.dispose()
