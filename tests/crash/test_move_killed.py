"""`ajar move`, killed before a statement that changes something: no bot can start on both, and the next try continues.

`make crash` kills it before each of them, in every direction; `make test` before a few, chosen by AJAR_CRASH_SEED.
"""

import os
from functools import partial
from pathlib import Path

import pytest

from bot.config import Config
from bot.crypto import KeyRing
from tests import forks
from tests.crash import dying_move
from tests.crash.test_crash import SEED
from tests.databases import PostgresServer, SqliteTemplate, sqlite_url
from tests.storage.every_table import fill

EVERYWHERE = "AJAR_CRASH_KILLS" in os.environ
WAYS = ["to a file", "to postgresql", *(["from postgresql"] if EVERYWHERE else [])]


@pytest.mark.process
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("way", WAYS)
async def test_killed_move_goes_on(
    way: str, postgres: PostgresServer, sqlite_template: SqliteTemplate, tmp_path: Path
) -> None:
    keys = KeyRing.new()
    files = [tmp_path / name for name in ("here", "there")]
    for folder in files:
        folder.mkdir()
        sqlite_template.copy(folder)
    async with postgres.emptied() as url:
        here, there = (_settings(tmp_path, sqlite_url(folder / "ajar.db"), keys) for folder in files)
        server = _settings(tmp_path, url, keys)
        ways = {"to a file": (here, there), "to postgresql": (here, server), "from postgresql": (server, there)}
        await fill(ways[way][0].database_url, keys)
        work = partial(dying_move.main, *ways[way], 1 if EVERYWHERE else 100, SEED)
        ended = await forks.run_beside(work, cwd=tmp_path, env=os.environ, seconds=1790)
    assert ended.returncode == 0, f"AJAR_CRASH_SEED={SEED}\n{ended.stderr}"
    print(f"killed {ended.stdout.strip()} times, {way}")  # noqa: T201
    assert int(ended.stdout) > 0


def _settings(folder: Path, url: str, keys: KeyRing) -> Config:
    given = {"data_dir": folder, "database": url, "master_key": keys.text}
    return Config.model_validate(given)
