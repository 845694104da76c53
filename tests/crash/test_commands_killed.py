"""Operators' commands, killed before a change: the old or the new database is there, and work continues from it.

`make crash` kills them before each change, `make test` before about four of each command, chosen by AJAR_CRASH_SEED.
"""

import os
import tempfile
from functools import partial
from pathlib import Path

import pytest

from tests import forks
from tests.crash import dying_commands
from tests.crash.test_crash import SEED
from tests.machine import IN_MEMORY


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", [command.name for command in dying_commands.COMMANDS])
def test_killed_command_can_be_continued(name: str) -> None:
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as temporary:
        folder = Path(temporary)
        work = partial(dying_commands.main, folder, name, SEED)
        ended = forks.run(work, cwd=folder, env=os.environ, seconds=590)
    assert ended.returncode == 0, f"AJAR_CRASH_SEED={SEED}\n{ended.stderr}"
    least = 4 if "AJAR_CRASH_KILLS" in os.environ else 2  # `make crash` kills everywhere
    assert int(ended.stdout) >= least, "it was hardly killed"
