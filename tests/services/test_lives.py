"""A few simulated lives, with a new seed for each run; tests/prove/test_year.py lives a thousand of them for a year."""

import os
from datetime import timedelta
from pathlib import Path

from tests.databases import SqliteTemplate
from tests.simulation import live_and_account


async def test_few_lives_account_for_every_date(sqlite_template: SqliteTemplate, tmp_path: Path) -> None:
    seed = int(os.environ.get("AJAR_TEST_SEED") or int.from_bytes(os.urandom(4)))
    print(f"again with AJAR_TEST_SEED={seed}")  # noqa: T201  # pytest shows it where the test fails
    found = await live_and_account(sqlite_template.copy(tmp_path), seed, 15, timedelta(days=40))
    assert not found.wrong, found.wrong[:20]
    assert found.counts["asked"] > 100
