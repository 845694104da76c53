"""Files in the age format on a disk that is full or fails. What else they do, tests/test_copies.py looks at."""

import errno
import os
import sys
from pathlib import Path

import pytest

from bot import age
from bot.crypto import KeyRing

FULL = Path("/dev/full")
UNREADABLE = Path("/proc/self/mem")
SIZES = (4096, 70_000, 300_000)
"""Also the smallest database, of which pyrage writes nothing before the end."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="no such devices")


@pytest.mark.parametrize("size", SIZES)
def test_full_disk_is_never_taken_for_success_or_damage(size: int, tmp_path: Path) -> None:
    ring, plain, sealed = KeyRing.new(), tmp_path / "plain", tmp_path / "sealed"
    plain.write_bytes(os.urandom(size))
    age.encrypt(plain, sealed, ring)
    for work, source in ((age.encrypt, plain), (age.decrypt, sealed)):
        with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)) as caught:
            work(source, FULL, ring)
        assert caught.value.errno == errno.ENOSPC


def test_file_that_cannot_be_read_is_not_called_damaged(tmp_path: Path) -> None:
    for work in (age.encrypt, age.decrypt):
        with pytest.raises(OSError, match=os.strerror(errno.EIO)) as caught:
            work(UNREADABLE, tmp_path / "target", KeyRing.new())
        assert caught.value.errno == errno.EIO
