"""Taking an export in, killed around every commit: in the end everything is there, once."""

import os
from functools import partial
from pathlib import Path

import pytest

from tests import forks
from tests.services import dying_arrivals


@pytest.mark.process
def test_killed_import_ends_complete(tmp_path: Path) -> None:
    ended = forks.run(partial(dying_arrivals.main, tmp_path), cwd=tmp_path, env=os.environ, seconds=110)
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) > 15
