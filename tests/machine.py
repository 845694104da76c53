"""Programs that some tests need and that come with the machine rather than with Python packages."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

NOT_TESTED: Final = "Not tested: "
"""How the reason for a skipped test begins; conftest.py prints it at the end of the run."""


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
