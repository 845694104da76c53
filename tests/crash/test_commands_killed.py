"""Operators' commands, killed before each change: the old or the new database is there, and work goes on from it."""

import subprocess
import sys
import tempfile

import pytest

from tests.crash.dying_commands import COMMANDS
from tests.crash.test_killed_anywhere import MEMORY


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", [command.name for command in COMMANDS])
def test_killed_command_can_be_continued(name: str) -> None:
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        ended = subprocess.run(
            [sys.executable, "-m", "tests.crash.dying_commands", folder, name],
            capture_output=True,
            text=True,
            timeout=590,
            check=False,
        )
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) >= 8
