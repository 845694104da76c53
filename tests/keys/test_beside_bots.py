"""`ajar keys rotate` beside several bots on PostgreSQL: all adopt the new version first, and a kill harms none."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from bot import app
from bot import keys as commands
from bot.app import _adopt_keys, _follow_key_file, _keys
from bot.config import Config, load
from bot.crypto import KeyRing, WrongKey
from bot.keyfile import MasterKey, kept_file, make_key_file, replace_key_file
from bot.keys import _is_recorded
from bot.opening import open_keys
from bot.storage.backup import InUse
from bot.storage.database_lock import key_lock, shared_lock
from bot.storage.store import Rows, Store
from tests.databases import PostgresServer
from tests.keys.test_beside_bot import NOW, ring_of, wrapped

pytestmark = pytest.mark.process

USERS = range(1, 7)


@pytest.fixture
async def config(tmp_path: Path, postgres: PostgresServer) -> AsyncIterator[Config]:
    make_key_file(tmp_path / "keys" / "master.key", KeyRing.new())
    async with postgres.emptied() as url:
        given = {
            "AJAR_DATABASE_URL": url.replace("+asyncpg", ""),
            "AJAR_DATA_DIR": str(tmp_path / "var"),
            "AJAR_MASTER_KEY_FILE": str(tmp_path / "keys" / "master.key"),
        }
        yield load(given, None, need_token=False)


@dataclass
class Bot:
    """What a running bot does with the keys."""

    config: Config
    store: Store
    ring: KeyRing
    number: int
    follows: bool = True
    """Whether it sees the key's file change, or has a copy of it."""

    async def joins(self) -> None:
        async with self.store.writing_reserved() as rows:
            assert await rows.processes.join(self.number, "all", "1")

    async def runs(self) -> None:
        while True:
            if self.follows:
                await _adopt_keys(self.config, self.store, self.ring)
            async with self.store.writing_reserved() as rows:
                await rows.processes.beat(self.number)
            await asyncio.sleep(0.02)

    async def welcomes(self, user_id: int) -> None:
        async with self.store.writing(user_id) as rows:
            await rows.users.add(user_id, "en", NOW)
            await rows.users.set_name(user_id, f"name of {user_id}")

    async def reads(self) -> list[str | None]:
        async with self.store.reading() as rows:
            return [await rows.users.name(user_id) for user_id in USERS]


@asynccontextmanager
async def running(config: Config, *, copies: bool = False) -> AsyncIterator[tuple[Bot, Bot]]:
    """Run two bots that have welcomed all users; with `copies`, the second has a copy of the key's file."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(shared_lock(config.database_url))
        bots = []
        for number in (1, 2):
            ring = ring_of(config)
            store = Store.at(config.database_url, ring)
            stack.push_async_callback(store.close)
            bots.append(Bot(config, store, ring, number, follows=not copies or number == 1))
            await bots[-1].joins()
            task = asyncio.create_task(bots[-1].runs())
            stack.push_async_callback(_cancelled, task)
        for user_id in USERS:
            await bots[user_id % 2].welcomes(user_id)
        yield bots[0], bots[1]


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait({task})


async def test_all_bots_adopt_the_new_version(config: Config) -> None:
    async with running(config) as (one, other):
        said = await commands.rotate(config)
        assert said[0] == "Version 2 of the master key now wraps the keys of all users (6 were changed)."
        assert set((await wrapped(config)).values()) == {2}
        await other.welcomes(7)
        assert (await wrapped(config))[7] == 2
        for bot in (one, other):
            assert await bot.reads() == [f"name of {user_id}" for user_id in USERS]
    path = config.master_key_file
    assert path
    assert not kept_file(path).exists()


async def test_wrapping_waits_for_the_last_bot(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(config, copies=True) as (one, other):
        with monkeypatch.context() as impatient:
            impatient.setattr(commands, "_PATIENCE", 0.5)
            with pytest.raises(WrongKey, match="A bot that is running doesn't use version 2"):
                await commands.rotate(config)
        assert set((await wrapped(config)).values()) == {1}
        assert await other.reads() == await one.reads() == [f"name of {user_id}" for user_id in USERS]
        other.follows = True  # it was started again
        await commands.rotate(config)
        assert set((await wrapped(config)).values()) == {2}
        assert await other.reads() == [f"name of {user_id}" for user_id in USERS]
    assert ring_of(config).versions == (1, 2), "it went on with the version that it had made"


async def test_bot_follows_the_file_also_after_an_unexpected_error(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says so once, and adopts and records the new version when it can."""
    monkeypatch.setattr(app, "_LOOK_AT_KEY", 0.02)
    ring = ring_of(config)
    store = Store.at(config.database_url, ring)
    await _rename(store, "master_keys", "away")
    replace_key_file(config.master_key_file or Path(), ring_of(config), ring_of(config).rotated())
    with capture_logs() as said:
        following = asyncio.create_task(_follow_key_file(config, store, ring))
        async with asyncio.timeout(20):
            while not any(line["event"] == "incident" for line in said):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            await asyncio.sleep(0.2)
            await _rename(store, "away", "master_keys")
            while not await _is_recorded(store):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    await _cancelled(following)
    assert [line["event"] for line in said] == ["key.waits", "incident"]
    assert ring.current == 2
    await store.close()


async def _rename(store: Store, table: str, name: str) -> None:
    async with store.writing() as rows:
        await rows._connection.execute(text(f"ALTER TABLE {table} RENAME TO {name}"))


async def test_bot_that_starts_during_a_rotation_reads_the_file_again(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others have adopted the new version, and everything is wrapped anew, since it read the file."""
    async with running(config):

        async def reads_just_before(settings: Config, *, may_make: bool = True) -> MasterKey:
            monkeypatch.undo()
            found = await open_keys(settings, may_make=may_make)
            await commands.rotate(config)
            return found

        monkeypatch.setattr(app, "open_keys", reads_just_before)
        ring = await _keys(config)
    assert ring.versions == (1, 2)


async def test_two_machines_cannot_rotate_together(config: Config) -> None:
    async with key_lock(config.database_url):
        with pytest.raises(InUse, match="Wait until it has ended"):
            await commands.rotate(config)


async def test_killed_rotation_harms_no_bot(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """At every commit of it, before and after."""

    class Killed(BaseException):
        pass

    async def killed_at(point: int) -> bool:
        reached = 0

        class Dying(Store):
            @asynccontextmanager
            async def writing(self, *user_ids: int, wait: bool = True) -> AsyncIterator[Rows]:
                nonlocal reached
                async with super().writing(*user_ids, wait=wait) as rows:
                    yield rows
                    reached += 1
                    if reached == point:
                        raise Killed
                reached += 1
                if reached == point:
                    raise Killed

        with monkeypatch.context() as dying:
            dying.setattr("bot.opening.Store", Dying)
            try:
                await commands.rotate(config)
            except Killed:
                return True
        return False

    async with running(config) as bots:
        point = 1
        while await killed_at(point):
            assert set((await wrapped(config)).values()) <= {1, 2}
            for bot in bots:
                assert await bot.reads() == [f"name of {user_id}" for user_id in USERS]
            point += 1
        assert point > 2, "it was never killed"
        assert set((await wrapped(config)).values()) == {2}
    assert ring_of(config).versions == (1, 2)
