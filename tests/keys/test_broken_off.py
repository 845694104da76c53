"""An interrupted change of keys is finished by the next one, and no key is removed while something needs it."""

from pathlib import Path

import pytest
from sqlalchemy import text

from bot import keys as commands
from bot.clock import HandClock
from bot.config import Config, load
from bot.crypto import KeyMismatch, KeyRing, OtherKey, WrongKey
from bot.keyfile import kept_file, make_key_file, replace_key_file
from bot.opening import open_store
from bot.storage.engine import connect

ALICE, BOB = 1001, 1002


class Bench:
    """A database with somebody in it, and its key's file."""

    def __init__(self, config: Config, ring: KeyRing, clock: HandClock) -> None:
        self.config = config
        self.ring = ring
        self.clock = clock

    @property
    def file(self) -> Path:
        assert self.config.master_key_file
        return self.config.master_key_file

    @property
    def held(self) -> KeyRing:
        return KeyRing.parse(self.file.read_text())

    async def joins(self, user_id: int, ring: KeyRing) -> None:
        async with open_store(self.config, ring) as store, store.writing() as rows:
            await rows.users.add(user_id, "en", self.clock.now())
            await rows.users.set_name(user_id, f"name of {user_id}")

    async def names(self) -> list[str | None]:
        """Opened with the key in the file."""
        async with open_store(self.config, self.held) as store, store.reading() as rows:
            return [await rows.users.name(user_id) for user_id, _ in await rows.users.wrapped_by(0, 10)]

    async def damages(self, user_id: int) -> None:
        database = connect(self.config.database_url)
        async with database.writing() as connection:
            await connection.execute(
                text("UPDATE users SET data_key = substr(data_key, 1, 40) WHERE id = :user_id"), {"user_id": user_id}
            )
        await database.close()


@pytest.fixture
async def bench(database_url: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, clock: HandClock) -> Bench:
    ring = KeyRing.new()
    file = tmp_path_factory.mktemp("keys") / "master.key"
    make_key_file(file, ring)
    url = database_url.replace("+aiosqlite", "").replace("+asyncpg", "")
    environ = {"AJAR_DATABASE_URL": url, "AJAR_DATA_DIR": str(tmp_path / "var"), "AJAR_MASTER_KEY_FILE": str(file)}
    found = Bench(load(environ, None, need_token=False), ring, clock)
    await found.joins(ALICE, ring)
    return found


async def test_rotation_continues_with_its_version(bench: Bench) -> None:
    new = bench.ring.rotated()
    replace_key_file(bench.file, bench.ring, new)  # and then it was killed
    await commands.rotate(bench.config)
    assert bench.held.text == new.text
    assert not kept_file(bench.file).exists()
    assert await bench.names() == ["name of 1001"]


async def test_removed_version_is_gone_once_unneeded(bench: Bench) -> None:
    await commands.rotate(bench.config)
    replace_key_file(bench.file, bench.held, bench.held.without(1))  # and then it was killed
    assert "gone" in (await commands.forget(bench.config, 1))[0]
    assert not kept_file(bench.file).exists()
    assert await bench.names() == ["name of 1001"]
    with pytest.raises(WrongKey, match="unknown"):
        await commands.forget(bench.config, 1)


async def test_missing_needed_version_is_named(bench: Bench) -> None:
    new = bench.ring.rotated()
    replace_key_file(bench.file, bench.ring, new)
    replace_key_file(bench.file, new, new.without(1))
    for command in (commands.versions, commands.rotate, commands.rewrap):
        with pytest.raises(OtherKey, match="The key ring from before its last change is in") as caught:
            await command(bench.config)
        assert str(kept_file(bench.file)) in str(caught.value)
    kept_file(bench.file).replace(bench.file)
    assert await bench.names() == ["name of 1001"]


async def test_needed_version_is_not_removed(bench: Bench) -> None:
    replace_key_file(bench.file, bench.ring, bench.ring.rotated())
    await bench.joins(BOB, bench.held)
    with pytest.raises(WrongKey, match="Version 1 still wraps the keys of 1 user"):
        await commands.forget(bench.config, 1)
    assert bench.held.versions == (1, 2)
    assert await bench.names() == ["name of 1001", "name of 1002"]


async def test_version_of_a_waiting_import_is_not_removed(bench: Bench) -> None:
    async with open_store(bench.config, bench.ring) as store, store.writing() as rows:
        await rows.arrivals.put(await rows.arrivals.seal(BOB, b"export"), bench.clock.now())
    await commands.rotate(bench.config)
    with pytest.raises(WrongKey, match="Version 1 is needed for an import"):
        await commands.forget(bench.config, 1)
    async with open_store(bench.config, bench.held) as store, store.reading() as rows:
        assert await rows.arrivals.find(BOB) == b"export"


async def test_damaged_key_keeps_the_ring(bench: Bench) -> None:
    await bench.joins(BOB, bench.ring)
    await bench.damages(ALICE)
    said = await commands.rotate(bench.config)
    assert any("the previous key ring stays in" in sentence for sentence in said)
    assert kept_file(bench.file).exists()
    with pytest.raises(WrongKey, match="so it stays"):
        await commands.forget(bench.config, 1)
    assert bench.held.versions == (1, 2)


async def test_nobody_joins_with_a_retired_key(bench: Bench) -> None:
    await commands.rotate(bench.config)
    await commands.forget(bench.config, 1)
    with pytest.raises(KeyMismatch, match="is not one that wraps data keys of this database now"):
        await bench.joins(BOB, bench.ring)
    assert await bench.names() == ["name of 1001"]


async def test_key_file_is_read_again(bench: Bench) -> None:
    """The settings hold what the file contained when they were read, before anything was locked."""
    await commands.rotate(bench.config)
    await commands.rotate(bench.config)
    assert bench.held.versions == (1, 2, 3)
    assert await bench.names() == ["name of 1001"]
