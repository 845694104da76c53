"""Houses for journeys: one shared by a module's tests for each way of receiving updates, or a house of its own."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
import pytest_asyncio

from bot.places import FILE_NAME
from tests.databases import SqliteTemplate
from tests.journeys.house import House, open_house


@pytest.fixture(scope="session")
def cities(places_folder: Path) -> Path:
    return places_folder / FILE_NAME


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A module names the ways of receiving updates for its journeys if it needs more than polling."""
    if "shared_house" in metafunc.fixturenames:
        modes = getattr(metafunc.module, "MODES", ("polling",))
        metafunc.parametrize("shared_house", modes, indirect=True, scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_house(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    cities: Path,
    sqlite_template: SqliteTemplate,
) -> AsyncIterator[House]:
    folder = tmp_path_factory.mktemp("house") / "the.bot"  # a dot, as a path of 43 letters could be a key
    async with open_house(folder, cities, sqlite_template, request.param) as house:
        yield house


@pytest_asyncio.fixture(loop_scope="module")
async def house(shared_house: House) -> AsyncIterator[House]:
    """The module's house. Any error that the bot logs, or that Telegram refuses, fails the test."""
    shared_house.trouble = []
    shared_house.new_morning()
    said, called = len(shared_house.bot.output), shared_house.telegram.world.calls.count
    yield shared_house
    await shared_house.telegram.no_faults()
    await shared_house.all_leave()
    incidents = shared_house.incidents(shared_house.bot.output[said:])
    assert not incidents, incidents
    if not shared_house.trouble:
        assert not shared_house.refused(since=called)


@pytest.fixture
def house_of_its_own(
    tmp_path: Path, cities: Path, sqlite_template: SqliteTemplate
) -> Callable[..., AbstractAsyncContextManager[House]]:
    """For journeys that stop the bot, look at its files or need settings: `async with house_of_its_own() as house`."""

    def make(mode: str = "polling", **env: str) -> AbstractAsyncContextManager[House]:
        return open_house(tmp_path / "bot", cities, sqlite_template, mode, **env)

    return make


Make = Callable[..., AbstractAsyncContextManager[House]]
"""What `house_of_its_own` is."""
