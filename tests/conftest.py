"""Fixtures that every room's tests share: real databases, a clock moved by hand, keys."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import hypothesis
import pytest

from bot.clock import HandClock
from bot.crypto import KeyRing
from bot.storage.store import Store
from tests.databases import PostgresServer, SqliteTemplate, postgres_server, sqlite_url

# How long an example takes depends on what else the machine does.
hypothesis.settings.register_profile("ajar", deadline=None)
hypothesis.settings.load_profile("ajar")

BOTH = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> SqliteTemplate:
    return SqliteTemplate.make(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(params=BOTH)
async def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """The URL of a migrated database with no rows in it; the test runs once on each kind."""
    if request.param == "sqlite":
        template: SqliteTemplate = request.getfixturevalue("sqlite_template")
        yield template.copy(tmp_path)
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        async with server.emptied() as url:
            yield url


@pytest.fixture(params=BOTH)
async def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """The URL of a database that nothing was ever done to."""
    if request.param == "sqlite":
        yield sqlite_url(tmp_path / "data" / "ajar.db")
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        async with server.new() as url:
            yield url


@pytest.fixture(scope="session")
def keys() -> KeyRing:
    return KeyRing.new()


@pytest.fixture
async def store(database_url: str, keys: KeyRing) -> AsyncIterator[Store]:
    store = Store.at(database_url, keys)
    yield store
    await store.close()


@pytest.fixture
def clock() -> HandClock:
    """Sunday, 22 November 2026, noon in UTC."""
    return HandClock(datetime(2026, 11, 22, 12, 0, tzinfo=UTC))
