"""Sharing, killed at every single point from the tap to how the answer landed; and the Ritual's moment likewise."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.timeout(300)
def test_killed_anywhere_nothing_is_half_lost_or_heard_three_times(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.crash.dying_sharing", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=290,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) > 120
