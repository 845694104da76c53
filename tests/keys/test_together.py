"""Commands that change keys, two and three at once and killed at random: nobody's key is ever lost."""

from pathlib import Path

import pytest

from tests.databases import PostgresServer
from tests.keys.running import try_out_many

FEW = 2  # with random moments, other ones in each run; make prove tries two hundred


async def test_no_key_is_lost_on_sqlite(tmp_path: Path) -> None:
    await try_out_many("sqlite", "-", tmp_path / "trials", FEW)


@pytest.mark.timeout(300)
async def test_no_key_is_lost_on_postgresql(tmp_path: Path, postgres: PostgresServer) -> None:
    async with postgres.emptied() as url:
        await try_out_many("postgresql", url, tmp_path / "trials", FEW)
