"""Keeps files and memory private to one user of the machine."""

import contextlib
import os
import stat
import sys
from pathlib import Path
from typing import Final

OWNER_ALONE: Final = 0o600
# Mounted for a single service or container, so their mode bits don't tell who can look inside.
PRIVATE_MOUNTS: Final = ("/run/secrets",)
_PR_SET_DUMPABLE: Final = 4


def close_off() -> None:
    """Keep this process private from other users of the machine: no core dumps, and no files that they can open.

    Only the owner can open what the process makes from now on, whatever the umask was.
    """
    os.umask(0o077)
    no_core_dumps()


def no_core_dumps() -> None:
    """Keep keys and words in memory out of core dumps, and other processes of the same user from attaching.

    The limit alone isn't enough: Linux ignores it if dumps are piped to a program.
    """
    import ctypes
    import resource

    with contextlib.suppress(OSError, ValueError):  # a sandbox may forbid it because it has set it already
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def what_to_chmod(path: Path) -> str | None:
    """Return the mode for `chmod` so that nobody else can open the file; None if nobody can already. Raises OSError.

    A file that we own must be readable by us only, as OpenSSH requires. We can read one with another owner (an
    administrator, a container's secrets) through its group or an access list, which show in the group's bits.
    """
    about = path.stat()
    if not stat.S_ISREG(about.st_mode) or _is_private_mount(path):
        return None
    if about.st_uid == os.geteuid():
        return "600" if about.st_mode & 0o077 else None
    return "o=" if about.st_mode & 0o007 else None


def make_private(path: Path) -> None:
    """Make an empty file if there is none, and make sure that only its owner can open it.

    If that fails, whatever opens the file next reports why.
    """
    with contextlib.suppress(OSError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ALONE))
    tighten(path)


def tighten(path: Path) -> None:
    """Restrict a file to its owner, if it exists and is ours: it may have been made under a laxer umask."""
    with contextlib.suppress(OSError):  # there is none, it is somebody else's, or the disk is read-only
        if path.stat().st_mode & 0o077:
            path.chmod(OWNER_ALONE)


def write_new(path: Path, content: bytes) -> None:
    """Write a new file and sync it; only its owner can open it from the first moment on. Raises OSError."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ALONE)
    with os.fdopen(handle, "wb") as file:
        os.fchmod(handle, OWNER_ALONE)  # a strict umask can remove the owner's own permissions
        file.write(content)
        file.flush()
        os.fsync(handle)


def write(path: Path, content: bytes) -> None:
    """Write a file, new or not, that only its owner can open. Raises OSError."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ALONE)
    with os.fdopen(handle, "wb") as file:
        os.fchmod(handle, OWNER_ALONE)
        file.write(content)


def sync(path: Path) -> None:
    """Make what was written to a file, or made, renamed or removed in a folder, survive a power cut. Raises OSError."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _is_private_mount(path: Path) -> bool:
    """Return whether systemd (LoadCredential) or a container's runtime provides the file for this service only."""
    mounts = [*PRIVATE_MOUNTS, *filter(None, [os.environ.get("CREDENTIALS_DIRECTORY")])]
    return any(path.absolute().is_relative_to(mount) for mount in mounts)
