"""Backups, rehearsals and rotations killed at every write: no key is lost, and no half file looks whole."""

import asyncio
import os
import sys
import tempfile
from functools import partial
from pathlib import Path

import pytest

from bot.config import load
from bot.crypto import KeyRing
from bot.keyfile import kept_ring, make_key_file
from bot.opening import open_store
from bot.places import FILE_NAME
from tests import forks
from tests.crash import dying_commands
from tests.crash.dying_commands import RING, Scene, types
from tests.databases import SqliteTemplate
from tests.journeys.house import open_house
from tests.journeys.two import tells
from tests.machine import IN_MEMORY

EVERYWHERE = "AJAR_CRASH_KILLS"


@pytest.mark.parametrize("name", ["backup", "backup and keep one", "rehearse", "keys rotate", "keys rewrap"])
def test_killed_command_can_be_continued(name: str) -> None:
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as temporary:
        folder = Path(temporary)
        work = partial(dying_commands.main, folder, name)
        ended = forks.run(work, cwd=folder, env={**os.environ, EVERYWHERE: "1"}, seconds=3600)
    assert ended.returncode == 0, ended.stderr
    print(f"{name}: killed {ended.stdout.strip()} times")  # noqa: T201


async def test_concurrent_rotation_loses_no_key(
    tmp_path: Path, places_folder: Path, sqlite_template: SqliteTemplate
) -> None:
    """Each kill comes one write later, and each try continues from where the one before died."""
    scene = Scene(tmp_path)
    make_key_file(scene.key_file, RING)
    env = {"AJAR_MASTER_KEY": "", "AJAR_MASTER_KEY_FILE": str(scene.key_file)}
    async with open_house(tmp_path / "var", places_folder / FILE_NAME, sqlite_template, **env) as house:
        alice = (await house.told("Before all rotations."))[0]
        for _ in range(2):
            ended = await forks.run_beside(partial(_rotates, tmp_path), cwd=tmp_path, env=os.environ, seconds=3000)
            assert ended.returncode == 0, ended.stderr
            print(f"rotation beside a bot: killed {ended.stdout.strip()} times")  # noqa: T201
            house.telegram.advance(days=1)
            await tells(alice, "After a rotation.")
        assert not house.incidents(house.bot.output)


def _rotates(folder: Path) -> None:
    scene = Scene(folder)
    kill_at = 1
    while types(scene, "keys", "rotate", kill_at=kill_at) is None:
        asyncio.run(_all_open(scene))
        kill_at += 1
    asyncio.run(_all_open(scene))
    sys.stdout.write(f"{kill_at - 1}\n")


async def _all_open(scene: Scene) -> None:
    """Every user's key opens with the key file, or with the ring kept beside it."""
    rings = [KeyRing.parse(scene.key_file.read_text()), kept_ring(scene.key_file)]
    config = load({"AJAR_DATA_DIR": str(scene.database.parent)}, None, need_token=False)
    unopened = []
    for ring in filter(None, rings):
        async with open_store(config, ring) as store, store.reading() as rows:
            unopened.append({user_id for user_id, version in await rows.users.wrapped_by(0, 100) if version is None})
    assert not set.intersection(*unopened), "a user's key is lost"
    assert not unopened[0], "the file in use lacks a version"
