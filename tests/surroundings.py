"""Disks that tests need: small ones and read-only ones. Both are real and need the right to mount."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(
    folder: Path, *, megabytes: int = 2, files: int = 100, then_read_only: Callable[[Path], object] | None = None
) -> Iterator[Path]:
    """A separate disk at `folder`; `then_read_only` fills it before it becomes read-only."""
    folder.mkdir()
    _mount("-t", "tmpfs", "-o", f"size={megabytes}m,nr_inodes={files}", "none", str(folder))
    try:
        if then_read_only:
            then_read_only(folder)
            _mount("-o", "remount,ro", str(folder))
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path) -> None:
    """Fill a small disk completely."""
    with (disk / "filling").open("wb", buffering=0) as file:
        try:
            while file.write(bytes(1024)):
                pass
        except OSError:
            return


def _mount(*arguments: str) -> None:
    try:
        done = subprocess.run(["mount", *arguments], check=False, capture_output=True)
    except OSError:
        pytest.skip("there is no mount on this machine")
    if done.returncode:
        pytest.skip("mounting needs more rights than this user has")
