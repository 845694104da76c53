"""Sharing, killed at every single point from the tap to how the answer landed, and the Ritual's moment likewise."""

import os
import subprocess
import sys
import tempfile

import pytest

MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108  # a folder of its own is made in it
"""A folder in memory, to avoid waiting for the disk; a killed process doesn't wait for it either."""


@pytest.mark.timeout(300)
def test_killed_sharing_is_never_half_lost_or_heard_thrice() -> None:
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        ended = subprocess.run(
            [sys.executable, "-m", "tests.crash.dying_sharing", folder],
            capture_output=True,
            text=True,
            timeout=290,
            check=False,
        )
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) > 120
