"""`ajar keys rotate` while a bot runs: the bot adopts the new version first, and nobody notices anything."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot import keys as commands
from bot.config import Config, load
from bot.crypto import KeyRing, WrongKey
from bot.keyfile import kept_file, make_key_file
from bot.opening import open_store
from bot.places import FILE_NAME
from bot.storage.database_lock import shared_lock
from tests.databases import SqliteTemplate
from tests.journeys.house import House, open_house
from tests.journeys.two import tells
from tests.storage.people import ready

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    file = tmp_path / "keys" / "master.key"
    make_key_file(file, KeyRing.new())
    return file


def settings(data_dir: Path, key_file: Path) -> Config:
    given = {"AJAR_DATA_DIR": str(data_dir), "AJAR_MASTER_KEY_FILE": str(key_file)}
    return load(given, None, need_token=False)


async def wrapped(config: Config) -> dict[int, int | None]:
    """Return which version wraps each user's key, for all that open with the ring in the file."""
    async with open_store(config, ring_of(config)) as store, store.reading() as rows:
        return dict(await rows.users.wrapped_by(0, 100))


def ring_of(config: Config) -> KeyRing:
    """Return the ring that is in the key's file now."""
    assert config.master_key_file
    return KeyRing.parse(config.master_key_file.read_text())


async def joins(config: Config, *user_ids: int) -> None:
    async with open_store(config, ring_of(config)) as store, store.writing() as rows:
        for user_id in user_ids:
            await ready(rows, user_id, NOW)


@pytest.mark.process
async def test_bot_adopts_the_new_key(
    tmp_path: Path, key_file: Path, places_folder: Path, sqlite_template: SqliteTemplate
) -> None:
    env = {"AJAR_MASTER_KEY": "", "AJAR_MASTER_KEY_FILE": str(key_file)}
    async with open_house(tmp_path / "bot", places_folder / FILE_NAME, sqlite_template, **env) as house:
        alice, _ = await house.told("Kept with the old key.")
        config = settings(house.bot.data_dir, key_file)
        said = await commands.rotate(config)
        assert said[0] == "Version 2 of the master key now wraps the keys of all users (1 were changed)."
        assert "key.adopted version=2" in house.bot.output
        house.telegram.advance(days=1)
        await tells(alice, "Kept with the new key.")
        bob = await house.settled("Bob")
        assert await wrapped(config) == {alice.id: 2, bob.id: 2}
        assert await _lines(house, config, alice.id) == ["Kept with the old key.", "Kept with the new key."]
        assert not kept_file(key_file).exists()
        assert not house.incidents(house.bot.output)
        await house.bot.stop()
        await house.starts()


async def _lines(house: House, config: Config, user_id: int) -> list[str]:
    found = house.stored("SELECT id FROM lines WHERE user_id = ? ORDER BY kept_at, message_id", user_id)
    async with open_store(config, ring_of(config)) as store, store.reading() as rows:
        words = await rows.lines.words_of(user_id, [line_id for (line_id,) in found])
        return [words[line_id] for (line_id,) in found]


async def test_wrapping_waits_for_the_bots_key(
    tmp_path: Path, key_file: Path, sqlite_template: SqliteTemplate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bot that has a copy of the file, as systemd gives it one, learns of the new version when it starts again."""
    monkeypatch.setattr(commands, "_PATIENCE", 0.3)
    (tmp_path / "var").mkdir()
    sqlite_template.copy(tmp_path / "var")
    config = settings(tmp_path / "var", key_file)
    await joins(config, 1, 2)
    async with shared_lock(config.database_url):
        for _ in range(2):
            with pytest.raises(WrongKey, match="A bot that is running doesn't use version 2 of the master key"):
                await commands.rotate(config)
            assert await wrapped(config) == {1: 1, 2: 1}
        assert kept_file(key_file).exists(), "it was broken off"
    monkeypatch.undo()
    async with shared_lock(config.database_url):
        await _starts_again(config)
        told: list[tuple[int, int]] = []
        await commands.rotate(config, lambda done, of: told.append((done, of)))
        assert await wrapped(config) == {1: 2, 2: 2}
        assert told == [(0, 2), (2, 2)]
        assert not kept_file(key_file).exists()
    assert ring_of(config).versions == (1, 2)


async def _starts_again(config: Config) -> None:
    """Do with the keys what a bot does when it starts."""
    async with open_store(config, ring_of(config)) as store, store.writing() as rows:
        await rows.master_keys.record(alone=True)


def test_adopted_ring_needs_all_its_keys() -> None:
    ring = KeyRing.new()
    sealed, newer = ring.wrap(b"k" * 32, 7), ring.rotated()
    for other in (newer.without(1), KeyRing.new()):
        with pytest.raises(WrongKey):
            ring.adopt(other)
    ring.adopt(newer)
    assert (ring.current, ring.text) == (2, newer.text)
    assert ring.unwrap(sealed, 7) == b"k" * 32
    assert newer.unwrap(ring.wrap(b"k" * 32, 7), 7) == b"k" * 32
