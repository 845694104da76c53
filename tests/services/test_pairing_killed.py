"""Pairing, killed before every single statement: never half a Pair, and the step succeeds from there."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.process
def test_killed_pairing_step_is_atomic(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.services.dying_pairing", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) > 30
