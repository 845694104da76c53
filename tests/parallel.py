"""How `make test` divides the tests among the processes that run at once (pytest-xdist).

There are more processes than cores, since tests mostly wait. A test needs nothing more for it than it should have
anyway: files only in its `tmp_path`, free ports (a stand-in and a bot pick their own), and databases from
`database_url`, `empty_url` or `store`. A session fixture is made once in each process, so each has a PostgreSQL server
of its own; `made_once` (in conftest.py) is for what is expensive to make and only read.
"""

import re
from typing import Final

APART: Final = (
    "tests/crash/",
    "tests/silence/",
    "tests/test_house.py",
    "tests/test_cli.py",
    "tests/journeys/test_process.py",
)
"""Where tests are long and share no module fixture, so each may run in another process."""

LONGEST_FIRST: Final = (
    "tests/crash/",
    "tests/test_house.py",
    "tests/silence/",
    "tests/journeys/",
    "tests/demo/test_page.py",
    "tests/test_cli.py",
    "tests/demo/test_runner.py",
    "tests/services/",
)
"""What takes long begins first, so that no process is left alone with it at the end."""


def unit(nodeid: str) -> str:
    """What runs in one process: a module, a module's journeys in one way of receiving updates, or a test by itself."""
    module, _, test = nodeid.partition("::")
    if nodeid.startswith(APART):
        return nodeid
    mode = re.search(r"\[(polling|webhook)\b", test)
    return f"{module} {mode[1]}" if mode else module


def turn(nodeid: str) -> int:
    """When a test begins: those with a low number first."""
    return next((place for place, room in enumerate(LONGEST_FIRST) if nodeid.startswith(room)), len(LONGEST_FIRST))
