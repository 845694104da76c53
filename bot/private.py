"""Files and memory that are for one user of the machine alone."""

import contextlib
import os
import stat
import sys
from pathlib import Path
from typing import Final

OWNER_ALONE: Final = 0o600
# Mounted for one service or container alone; their mode bits say nothing about who can look inside.
PRIVATE_MOUNTS: Final = ("/run/secrets",)
_PR_SET_DUMPABLE: Final = 4


def close_off() -> None:
    """Leave nothing of this process to others on the machine: no core dump, and no file that they can open.

    What the process makes from now on is for its owner alone, whatever the umask was.
    """
    os.umask(0o077)
    no_core_dumps()


def no_core_dumps() -> None:
    """Keep keys and words in memory out of core dumps, and other processes of the same user from attaching to it.

    The limit alone doesn't do: Linux leaves it out of account where dumps are piped to a program.
    """
    import ctypes
    import resource

    with contextlib.suppress(OSError, ValueError):  # a sandbox may forbid it, after having set it itself
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def what_to_chmod(path: Path) -> str | None:
    """What `chmod` needs so that nobody else can open the file; None where that is so already. Raises OSError.

    A file of our own must be ours alone, as OpenSSH wants it. One that belongs to somebody else (an administrator, a
    container's secrets) is lent to us by its group or an access list, which show in the group's bits.
    """
    about = path.stat()
    if not stat.S_ISREG(about.st_mode) or _is_private_mount(path):
        return None
    if about.st_uid == os.geteuid():
        return "600" if about.st_mode & 0o077 else None
    return "o=" if about.st_mode & 0o007 else None


def make_private(path: Path) -> None:
    """Make an empty file if there is none, and let what there is be for its owner alone.

    Where that can't be done, whoever opens the file hears why.
    """
    with contextlib.suppress(OSError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ALONE))
    tighten(path)


def tighten(path: Path) -> None:
    """Let a file of ours that there may be, made under a laxer umask, be for its owner alone."""
    with contextlib.suppress(OSError):  # there is none, it is somebody else's, or the disk can only be read
        if path.stat().st_mode & 0o077:
            path.chmod(OWNER_ALONE)


def write_new(path: Path, content: bytes) -> None:
    """Write a file that wasn't there, for its owner alone from the first moment on, and for good. Raises OSError."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ALONE)
    with os.fdopen(handle, "wb") as file:
        os.fchmod(handle, OWNER_ALONE)  # a strict umask can take the owner's own rights
        file.write(content)
        file.flush()
        os.fsync(handle)


def write(path: Path, content: bytes) -> None:
    """Write a file, new or not, for its owner alone. Raises OSError."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ALONE)
    with os.fdopen(handle, "wb") as file:
        os.fchmod(handle, OWNER_ALONE)
        file.write(content)


def sync_folder(folder: Path) -> None:
    """Let what was renamed, made or removed there survive a power cut. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _is_private_mount(path: Path) -> bool:
    """Tell whether systemd (LoadCredential) or a container's runtime put the file there for this service alone."""
    mounts = [*PRIVATE_MOUNTS, *filter(None, [os.environ.get("CREDENTIALS_DIRECTORY")])]
    return any(path.absolute().is_relative_to(mount) for mount in mounts)
