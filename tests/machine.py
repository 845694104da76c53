"""What tests need of the machine: programs that come with it rather than with Python packages, and memory."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

NOT_TESTED: Final = "Not tested: "
"""How the reason for a skipped test begins; conftest.py prints it at the end of the run."""


_MEMORY: Final = Path("/dev/shm")  # noqa: S108  # folders of their own are made in it


def _has_room() -> bool:
    """Return whether there is more than a test run has in its folders at once, by far; containers often have little."""
    return os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > 2 << 30


IN_MEMORY: Final = str(_MEMORY) if _has_room() else None
"""A folder in memory for what tests write, if the machine has one; otherwise they write to the disk."""


@dataclass(frozen=True)
class Program:
    name: str
    tests: str
    """What can't be tested without it."""
    package: str
    """Its name in Debian and Ubuntu."""
    find: Callable[[], Path | None]

    def path(self) -> Path:
        """Return where it is. If it is missing, the test is skipped, or fails if CI=true."""
        if found := self.find():
            return found
        reason = f"{NOT_TESTED}{self.tests}, for want of {self.name}. To get it: apt install {self.package}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


def _chromium() -> Path | None:
    found = filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome")))
    return next(map(Path, found), None)


def _libfaketime() -> Path | None:
    folders = ("usr/lib/*/faketime", "usr/lib/faketime", "usr/local/lib/faketime", "usr/lib64/faketime")
    return next((path for folder in folders for path in Path("/").glob(f"{folder}/libfaketimeMT.so.1")), None)


CHROMIUM: Final = Program("Chromium", "the demo's page", "chromium", _chromium)
LIBFAKETIME: Final = Program("libfaketime", "what happens when the clock is set", "faketime", _libfaketime)
