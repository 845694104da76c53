"""A disk that forgets what was not synced, or that fails: for proofs about power losses and full disks.

A program runs with `disk.c` preloaded, which writes down everything that it does to the files below a folder, in order.
From that, the states are made in which a power loss could have left the disk at any moment: what was synced is there,
and of everything else a random part, down to single sectors. Names count as files' contents do: a file that was made,
renamed or removed is so for certain only once its folder was synced; before, the first few of such changes have
happened, in their order, as file systems with a journal do it. SIGKILL can't show this, since it keeps the page cache.
"""

import os
import random
import shutil
import struct
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.machine import Program

SECTOR: Final = 512
_HEAD: Final = struct.Struct("6Q")
_SOURCE: Final = Path(__file__).with_name("disk.c")


def _compiler() -> Path | None:
    found = shutil.which("cc") if sys.platform == "linux" else None
    return Path(found) if found else None


_COMPILER: Final = Program("a C compiler", "power losses and failing disks", "gcc", _compiler)


def library(folder: Path) -> Path:
    """Compile the library to preload."""
    made = folder / "disk.so"
    options = ("-shared", "-fPIC", "-O2", "-o", str(made))
    subprocess.run([str(_COMPILER.path()), *options, str(_SOURCE), "-ldl"], check=True, timeout=60)
    return made


def environment(preloaded: Path, root: Path, log: Path | None = None) -> dict[str, str]:
    """Return the environment for a program that is recorded."""
    given = {"LD_PRELOAD": str(preloaded), "AJAR_DISK_ROOT": str(root), "PYTHONPATH": str(Path.cwd())}
    return {**os.environ, **given, **({"AJAR_DISK_LOG": str(log)} if log else {})}


@dataclass(frozen=True, slots=True)
class Op:
    """One change, or a note of the program itself."""

    kind: str
    inode: int
    offset: int
    length: int
    name: str
    other: str
    data: bytes


def read(log: Path) -> Iterator[Op]:
    with log.open("rb") as file:
        while head := file.read(_HEAD.size):
            kind, inode, offset, length, name, other = _HEAD.unpack(head)
            names = file.read(name).decode(), file.read(other).decode()
            yield Op(chr(kind), inode, offset, length, *names, file.read(length) if chr(kind) == "W" else b"")


@dataclass
class _File:
    """A file: the content that is certainly on the disk, and the content that may be."""

    content: bytearray = field(default_factory=bytearray)
    pending: list[Op] = field(default_factory=list)

    def sync(self) -> None:
        for op in self.pending:
            _apply(self.content, op)
        self.pending.clear()

    def after_loss(self, chance: random.Random) -> bytes:
        content = bytearray(self.content)
        for op in self.pending:
            arrives = chance.choice((_apply, _tear, _forget))
            arrives(content, op, chance)
        return bytes(content)


def _apply(content: bytearray, op: Op, _chance: random.Random | None = None) -> None:
    if op.kind == "T":
        del content[op.length :]
        content.extend(bytes(op.length - len(content)))
        return
    content.extend(bytes(max(0, op.offset - len(content))))
    content[op.offset : op.offset + op.length] = op.data


def _tear(content: bytearray, op: Op, chance: random.Random) -> None:
    """Let only some of the sectors of a write arrive. A file is cut or isn't, and nothing between."""
    at = op.offset
    while op.kind == "W" and at < op.offset + op.length:
        end = min(op.offset + op.length, (at // SECTOR + 1) * SECTOR)
        if chance.getrandbits(1):
            _apply(content, Op("W", op.inode, at, end - at, "", "", op.data[at - op.offset : end - op.offset]))
        at = end


def _forget(_content: bytearray, _op: Op, _chance: random.Random) -> None:
    """Nothing of it has reached the disk."""


class Disk:
    """The files of a program at some moment of a recording."""

    def __init__(self, root: Path) -> None:
        """Everything below `root` now is on the disk for certain."""
        self._root = root
        self._files: defaultdict[int, _File] = defaultdict(_File)
        self._names: dict[str, int] = {}
        self._folders = {str(path) for path in (root, *root.rglob("*")) if path.is_dir()}
        self._changes: list[Op] = []
        self.marks: list[str] = []
        """The notes of the program up to this moment."""
        for path in root.rglob("*"):
            if path.is_file():
                self._names[str(path)] = path.stat().st_ino
                self._files[path.stat().st_ino] = _File(bytearray(path.read_bytes()))

    def go_on(self, op: Op) -> None:
        if op.kind == "A":
            self.marks.append(op.name)
        elif op.kind in "WT":
            self._files[op.inode].pending.append(op)
        elif op.kind == "S":
            self._sync_folder(op.name)
            if op.inode in self._files:
                self._files[op.inode].sync()
        else:
            if op.kind == "O":
                self._files[op.inode] = _File()  # the number of a removed file is used again
            self._changes.append(op)

    def _sync_folder(self, folder: str) -> None:
        last = max((at for at, change in enumerate(self._changes) if _is_in(change, folder)), default=-1)
        for change in self._changes[: last + 1]:
            _rename(self._names, self._folders, change)
        del self._changes[: last + 1]

    def lose_power(self, place: Path, chance: random.Random) -> None:
        """Write what may be left into `place`."""
        names, folders = dict(self._names), set(self._folders)
        for change in self._changes[: chance.randint(0, len(self._changes))]:
            _rename(names, folders, change)
        for folder in sorted(folders):
            (place / Path(folder).relative_to(self._root)).mkdir(parents=True, exist_ok=True, mode=0o700)
        left = {inode: self._files[inode].after_loss(chance) for inode in sorted(set(names.values()))}
        for name, inode in names.items():
            if not name.endswith("-shm"):  # the index of SQLite's log, which is made anew
                path = place / Path(name).relative_to(self._root)
                path.write_bytes(left[inode])
                path.chmod(0o600)


def _is_in(change: Op, folder: str) -> bool:
    return folder in {str(Path(name).parent) for name in (change.name, change.other) if name}


def _rename(names: dict[str, int], folders: set[str], change: Op) -> None:
    match change.kind:
        case "O":
            names[change.name] = change.inode
        case "M":
            folders.add(change.name)
        case "U":
            names.pop(change.name, None)
            folders.discard(change.name)
        case "L":
            names[change.other] = change.inode
        case "R":
            names[change.other] = names.pop(change.name, change.inode)
