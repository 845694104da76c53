"""How `make test` divides the tests among the processes that run at once (pytest-xdist).

There are more processes than cores, since many tests mostly wait; the others use all the time of the processors. What
saves that is in forks.py (bots and commands that needn't load anything), databases.py (databases that are copied or
emptied, statements that are compiled once), kept.py (connections that are used again) and reused.py. A test needs
nothing for running in parallel that it shouldn't have anyway: files only in its `tmp_path`, free ports (a stand-in and
a bot pick their own), and databases from `database_url`, `empty_url` or `store`. A session fixture is made once in each
process; `made_once` (in conftest.py) is for what is expensive to make and only read. All processes share one PostgreSQL
server, in which each has databases of its own, and the process that bots are forked from.
"""

import contextlib
import importlib
import re
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Final
from zlib import crc32

import pytest

APART: Final = (
    "tests/crash/",
    "tests/silence/",
    "tests/test_house.py",
    "tests/test_cli.py",
    "tests/journeys/test_process.py",
    "tests/journeys/test_waiting.py",
)
"""Files whose tests are long and share no module fixture, so that each can run in another process."""

LONGEST_FIRST: Final = (
    ("tests/journeys/test_late_answers.py",),
    ("tests/journeys/test_troubles.py",),
    ("tests/crash/",),
    ("tests/test_house.py",),
    (
        "tests/silence/",
        "tests/demo/test_page.py",
        "tests/journeys/",
        "tests/tg/test_screens.py",
        "tests/tg/test_twice.py",
        "tests/tg/test_inbox.py",
        "tests/services/",
        "tests/storage/test_migrate.py",
        "tests/delivery/test_outbox.py",
        "tests/test_cli.py",
        "tests/test_places.py",
        "tests/test_copies.py",
        "tests/test_rehearsing.py",
        "tests/demo/test_runner.py",
        "tests/keys/",
        "tests/canary/",
    ),
)
"""The longest tests start first, so that no process is left alone with one at the end.

Those of one group are mixed: some mostly wait and others compute, and where all wait nobody uses the processors.
"""
_MIXED: Final = len(LONGEST_FIRST) - 1


def unit(nodeid: str) -> str:
    """Return what runs in one process: a module, its journeys in one way of receiving updates, or a single test."""
    module, _, test = nodeid.partition("::")
    if nodeid.startswith(APART):
        return nodeid
    mode = re.search(r"\[(polling|webhook)\b", test)
    return f"{module} {mode[1]}" if mode else module


def turn(nodeid: str) -> tuple[int, int]:
    """Return the rank in which a test starts, low numbers first, and where its unit comes among those of the rank."""
    rank = next((place for place, group in enumerate(LONGEST_FIRST) if nodeid.startswith(group)), len(LONGEST_FIRST))
    return rank, crc32(unit(nodeid).encode()) if rank == _MIXED else 0


def import_in_turns(folders: Iterable[Path], ignored: Iterable[Path], number: int, count: int) -> None:
    """Import the test modules before they are collected, each of `count` processes beginning with another part.

    In a fresh clone pytest rewrites the asserts of every module, which takes longer than all other collecting, and
    keeps the result in a file. Processes that collect in the same order would all do it at the same time.
    """
    root = Path(__file__).parents[1]
    left_out = {file.resolve() for folder in ignored for file in folder.rglob("test_*.py")}
    found = sorted({file.resolve() for folder in folders for file in folder.rglob("test_*.py")} - left_out)
    first = number * len(found) // count
    for file in found[first:] + found[:first]:
        # What raises or warns is imported anew by the collection, which reports it.
        with warnings.catch_warnings(), contextlib.suppress(Exception, pytest.skip.Exception):
            warnings.simplefilter("error")
            importlib.import_module(".".join(file.relative_to(root).with_suffix("").parts))
