"""Fixtures shared by the tests of every folder: real databases, a clock moved by hand, keys.

parallel.py says what tests that run at the same time must observe.
"""

import fcntl
import functools
import gc
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from bot.clock import HandClock
from bot.crypto import KeyRing
from bot.places import FILE_NAME
from bot.storage import engine
from bot.storage.store import Store
from tests.built_once import build_once
from tests.databases import (
    PostgresServer,
    SqliteTemplate,
    choose_thread,
    postgres_folder,
    postgres_server,
    share_compiled_statements,
    sqlite_url,
)
from tests.kept import keep_connections
from tests.machine import IN_MEMORY, NOT_TESTED
from tests.parallel import import_in_turns, turn, unit
from tests.reused import reuse_library, reuse_phrases, settle_soon
from tests.samples import sampled

gc.disable()  # until all tests are collected, of which nothing becomes garbage

if IN_MEMORY:  # what tests write survives a killed process there too, and no commit waits for a disk
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", IN_MEMORY)

share_compiled_statements()
build_once()
keep_connections()
reuse_library()
reuse_phrases()
settle_soon()

MUTATED = "MUTANT_UNDER_TEST" in os.environ
"""Whether mutmut runs the tests on a changed module (make mutants)."""

# How long an example takes depends on what else the machine is doing. One that shows a mutant needn't be the simplest.
hypothesis.settings.register_profile(
    "ajar",
    deadline=None,
    max_examples=sampled(40, 1000),
    phases=set(hypothesis.Phase) - ({hypothesis.Phase.shrink, hypothesis.Phase.explain} if MUTATED else set()),
)
hypothesis.settings.load_profile("ajar")

BOTH = ("sqlite", pytest.param("postgresql", marks=pytest.mark.process))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    from xdist.scheduler import LoadScopeScheduling  # without xdist the tests run one after the other

    class Units(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
        """Hands out whole units in the order in which they were collected."""

        def _split_scope(self, nodeid: str) -> str:
            return unit(nodeid)

        def _reschedule(self, node: Any) -> None:
            """Give a process nothing before it has collected: it may replace a dead process while another one dies.

            It gets its share once it has collected. Before, xdist takes a unit off the queue and fails to send it.
            """
            if node in self.registered_collections:
                super()._reschedule(node)

    config.option.loadscopereorder = False
    return Units(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return as many processes as there are cores for `-n logical`; more for `-n auto`, since more than half wait."""
    cores = os.cpu_count() or 1
    return cores if config.option.numprocesses == "logical" else min(3 * cores, 12)


def pytest_sessionstart(session: pytest.Session) -> None:
    if MUTATED:
        forget_results()
    if "PYTEST_XDIST_WORKER" in os.environ:
        import_in_turns(
            [Path(folder) for folder in session.config.args if Path(folder).is_dir()],
            [Path(folder) for folder in session.config.option.ignore or ()],
            int(os.environ["PYTEST_XDIST_WORKER"].removeprefix("gw")),
            int(os.environ["PYTEST_XDIST_WORKER_COUNT"]),
        )


def forget_results() -> None:
    """Clear the domain's caches: a mutant runs in a fork, and they hold what the function returned before."""
    for name, module in list(sys.modules.items()):
        if name.startswith("bot.domain."):
            for function in vars(module).values():
                if isinstance(function, functools._lru_cache_wrapper):
                    function.cache_clear()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    choose_thread(item.nodeid)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: turn(item.nodeid))


def pytest_collection_finish() -> None:
    """Let no collection look through the thousands of tests and modules again; it would find nothing."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Report what was skipped because a program is missing, and how to get it."""
    reasons = {str(report.longrepr[2]) for report in terminalreporter.getreports("skipped")}
    for reason in sorted(reason for reason in reasons if NOT_TESTED in reason):
        terminalreporter.line(reason.removeprefix("Skipped: "), yellow=True)


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], None]], Path]:
    """`made_once("name", fill)` is a folder that `fill(folder)` has filled, once for all processes of the test run."""
    base = tmp_path_factory.getbasetemp()
    shelf = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def folder(name: str, fill: Callable[[Path], None]) -> Path:
        done = shelf / f"once-{name}"
        with (shelf / f"once-{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                begun = shelf / f"once-{name}.begun"
                begun.mkdir()
                fill(begun)
                begun.rename(done)
        return done

    return folder


@pytest.fixture(scope="session")
def places_folder(made_once: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    """A read-only folder with the index of the world's cities, which takes seconds to build."""

    def build(folder: Path) -> None:
        subprocess.run([sys.executable, "-m", "bot.places", "build", str(folder / FILE_NAME)], check=True, timeout=120)

    return made_once("places", build)


@pytest.fixture(scope="session")
def postgres(made_once: Callable[[str, Callable[[Path], None]], Path]) -> Iterator[PostgresServer]:
    """One server for all processes of the test run."""

    def note(folder: Path) -> None:
        (folder / "is at").write_text(str(postgres_folder()))

    place = Path((made_once("postgres", note) / "is at").read_text())
    with postgres_server(place, os.environ.get("PYTEST_XDIST_WORKER", "alone")) as server:
        yield server


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> SqliteTemplate:
    return SqliteTemplate.make(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(params=BOTH)
async def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """The URL of a migrated database without rows; the test runs once on each kind."""
    if request.param == "sqlite":
        template: SqliteTemplate = request.getfixturevalue("sqlite_template")
        yield template.copy(tmp_path)
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        async with server.emptied() as url:
            yield url


@pytest.fixture(params=BOTH)
async def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """The URL of a database that was never touched."""
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
def patient_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a transaction wait for another one until the test lets it go on: a second, as usual, may be too short."""
    monkeypatch.setitem(engine._LIMITS, "lock_timeout", "60s")


@pytest.fixture
async def store(database_url: str, keys: KeyRing) -> AsyncIterator[Store]:
    store = Store.at(database_url, keys)
    yield store
    await store.close()


@pytest.fixture
def clock() -> HandClock:
    """Sunday, 22 November 2026, noon in UTC."""
    return HandClock(datetime(2026, 11, 22, 12, 0, tzinfo=UTC))
