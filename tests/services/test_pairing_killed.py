"""Pairing, killed before every single statement: never half a Pair, and the step succeeds from there."""

import os
from functools import partial
from pathlib import Path

import pytest

from tests import forks
from tests.services import dying_pairing


@pytest.mark.process
def test_killed_pairing_step_is_atomic(tmp_path: Path) -> None:
    ended = forks.run(partial(dying_pairing.main, tmp_path), cwd=tmp_path, env=os.environ, seconds=110)
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) > 30
