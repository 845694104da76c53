"""The disk is full or fails, at the first, second, … call of everything that writes.

Nothing is confirmed or answered that isn't written, nothing is left half done, and the bot continues once there is
room; a command that failed says why in a sentence, and succeeds when it is typed again. Part of `make prove`.
AJAR_PROVE_STRIDE takes only every n-th call (1 by default), AJAR_PROVE_SEED says which.
"""

import asyncio
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.crash.stage import Place, begins
from tests.prove import disk
from tests.prove.failing import COMMANDS

SEED = int(os.environ.get("AJAR_PROVE_SEED", "0")) or random.randrange(1, 1_000_000)
STRIDE = int(os.environ.get("AJAR_PROVE_STRIDE", "1"))


async def _begin(place: Place) -> None:
    await begins(place, ritual=False)(lambda *_: None)


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("what", ["texts", *COMMANDS])
def test_failing_disk_loses_nothing(what: str, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    if what == "texts":
        asyncio.run(_begin(Place(root)))
    program = [sys.executable, "-m", "tests.prove.failing", what, str(SEED), str(STRIDE)]
    environ = disk.environment(disk.library(tmp_path), root)
    ended = subprocess.run(program, env=environ, capture_output=True, text=True, check=False, timeout=7000)
    assert ended.returncode == 0, f"AJAR_PROVE_SEED={SEED}\n{ended.stderr[-3000:]}"
    counts = json.loads(ended.stdout)
    print(f"AJAR_PROVE_SEED={SEED} AJAR_PROVE_STRIDE={STRIDE} {counts}")  # noqa: T201
    assert sum(counts.values()) > 0
