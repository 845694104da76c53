"""Sharing, killed at every single point from the tap to how the answer landed, and the Ritual's moment likewise."""

import os
import tempfile
from functools import partial
from pathlib import Path

import pytest

from tests import forks
from tests.crash import dying_sharing

MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108  # a folder of its own is made in it
"""A folder in memory, to avoid waiting for the disk; a killed process doesn't wait for it either."""


@pytest.mark.timeout(300)
def test_killed_sharing_is_never_half_lost_or_heard_thrice() -> None:
    with tempfile.TemporaryDirectory(dir=MEMORY) as temporary:
        folder = Path(temporary)
        ended = forks.run(partial(dying_sharing.main, folder), cwd=folder, env=os.environ, seconds=290)
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) > 120
