"""Sharing, killed at the points from the tap to how the answer landed, and the Ritual's moment likewise.

`make crash` kills at every single point, `make test` at every twelfth one; AJAR_CRASH_SEED chooses the first.
"""

import os
import tempfile
from functools import partial
from pathlib import Path

import pytest

from tests import forks
from tests.crash import dying_sharing
from tests.crash.test_crash import SEED
from tests.machine import IN_MEMORY

STRIDE = 1 if "AJAR_CRASH_KILLS" in os.environ else 12


@pytest.mark.timeout(300)
def test_killed_sharing_loses_and_triples_nothing() -> None:
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as temporary:
        folder = Path(temporary)
        work = partial(dying_sharing.main, folder, SEED, STRIDE)
        ended = forks.run(work, cwd=folder, env=os.environ, seconds=290)
    assert ended.returncode == 0, f"AJAR_CRASH_SEED={SEED}\n{ended.stderr}"
    assert int(ended.stdout) > 120 / STRIDE
