"""Where the bot is killed at random."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.crash.site import Site, on_postgres, on_sqlite

IN_MAKE_CRASH = ("postgresql-1", "postgresql-3") if "AJAR_CRASH_KILLS" in os.environ else ()


@pytest.fixture(params=["sqlite-1", *(pytest.param(name, marks=pytest.mark.process) for name in IN_MAKE_CRASH)])
async def site(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Site]:
    """A database without rows, and as many processes as the parameter says."""
    engine, _, processes = request.param.partition("-")
    if engine == "sqlite":
        yield on_sqlite(tmp_path)
    else:
        async with on_postgres(request.getfixturevalue("postgres"), tmp_path, int(processes)) as found:
            yield found
