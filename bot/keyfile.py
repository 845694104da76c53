"""The file of the master key: where it is, who may read it, and how its key ring is replaced without losing a key.

The old ring is kept beside the new one until a check of the database has shown that nothing needs it.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bot.crypto import KeyRing, MissingKey, WrongKey
from bot.private import sync, what_to_chmod, write_new

KEY_FILE: Final = "master.key"


_NO_HOME = "There is no home folder to keep the master key in; set AJAR_MASTER_KEY_FILE or AJAR_MASTER_KEY."


@dataclass(frozen=True)
class MasterKey:
    """The key ring, its file (None if it came from AJAR_MASTER_KEY), and whether it was made just now."""

    ring: KeyRing
    file: Path | None
    made: bool = False


def default_key_file() -> Path:
    """Return where we look for the master key if none is given: in the user's configuration folder.

    Raises MissingKey if there is no such folder, as in a container that runs under a user id without a name.
    """
    from platformdirs import user_config_path

    try:
        return user_config_path("ajar") / KEY_FILE
    except RuntimeError:
        raise MissingKey(_NO_HOME) from None


def key_file(*, text: str | None, file: Path | None, default_file: Path | None = None) -> Path | None:
    """Return the path of the key's file, or None if the key is a text. Raises MissingKey if there is no home folder.

    `text` is AJAR_MASTER_KEY or the content of AJAR_MASTER_KEY_FILE; `file` is the path of the latter.
    """
    if file is not None:
        return file
    if text is not None:
        return None
    path = default_file or default_key_file()
    if not path.is_absolute():
        raise MissingKey(_NO_HOME)
    return path


def master_key(
    *,
    text: str | None = None,
    file: Path | None = None,
    data_dir: Path,
    sqlite_file: Path | None = None,
    may_make: bool,
    holds_lines: bool = True,
    default_file: Path | None = None,
    beside_data: bool = False,
) -> MasterKey:
    """Find the master key, or make its file at the very first start. A file is always read again.

    `text`, `file` and `default_file`: see `key_file`.
    `may_make` is true only for an SQLite database without users: a new key can't open what an old one sealed, and
    machines that share a database must not each make one. `holds_lines` says whether the database has users.
    `beside_data` is only for the demo, whose data belong to nobody.
    Raises MissingKey if there is none and we must not make one, WrongKey for a key or a file that can't be used.
    """
    path = key_file(text=text, file=file, default_file=default_file)
    if path is None:
        return MasterKey(KeyRing.parse(text or ""), None)
    if not beside_data:
        _refuse_beside_data(path, (data_dir, *([sqlite_file.parent] if sqlite_file else [])))
    if (ring := _read(path)) is not None:
        return MasterKey(ring, path)
    if file is not None:
        raise MissingKey("The master key is missing: AJAR_MASTER_KEY_FILE names a file that is not there.")
    if not holds_lines and not may_make:
        raise MissingKey(
            f"There is no master key yet; it was looked for at {path}. Make one, once, with: ajar keys new {path} "
            "and give every machine that uses this database the same one."
        )
    if not may_make:
        raise MissingKey(
            f"The master key is missing: it was looked for at {path}. The database already holds people's lines, and "
            "without the key that sealed them nobody can open them. Put the file back from your backup, or set "
            "AJAR_MASTER_KEY or AJAR_MASTER_KEY_FILE. A new key is not made while there are lines."
        )
    made = make_key_file(path, KeyRing.new())
    if (ring := _read(path)) is None:
        raise MissingKey(f"The master key {path} is a link to a file that is missing. Put the file back.")
    return MasterKey(ring, path, made=made)


def make_key_file(path: Path, ring: KeyRing) -> bool:
    """Write the ring to a new file that only its owner can read; return False if the file is already there.

    The file appears whole or not at all: it is written under another name and then linked. If two bots start at once,
    one makes it and the other reads it, and a crash never leaves half a key. Raises WrongKey.
    """
    with _said(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _folder_locked(path.parent, wait=True):
            draft = _drafted(path, ring)
            try:
                os.link(draft, path)
            except FileExistsError:
                return False
            finally:
                draft.unlink()
            sync(path.parent)
    return True


@contextmanager
def changing(path: Path) -> Iterator[None]:
    """Keep every other command from changing this file, whatever database it works on. Raises WrongKey."""
    path = path.resolve()
    with contextlib.ExitStack() as stack:
        with _said(path), contextlib.suppress(FileNotFoundError):  # no folder: there is no file to change either
            stack.enter_context(_folder_locked(path.parent, wait=False))
        yield


def replace_key_file(path: Path, old: KeyRing, new: KeyRing) -> None:
    """Replace `old` by `new` atomically and durably, and keep `old` beside it: see `kept_ring`.

    Only inside `changing`. Raises WrongKey and leaves the file as it was if it no longer contains `old`, or can't be
    written.
    """
    path = path.resolve()
    if (found := _read(path)) is None or found.text != old.text:
        raise WrongKey(f"Somebody else has changed {path} meanwhile. Nothing was changed; type the command again.")
    with _said(path):
        _keep(path, old)
        draft = _drafted(path, new)
        _as_before(draft, path)
        draft.replace(path)
        sync(path.parent)


def kept_file(path: Path) -> Path:
    """Return where the ring from before the last change is kept."""
    path = path.resolve()
    return path.with_name(f"{path.name}.before")


def kept_ring(path: Path) -> KeyRing | None:
    """Return the ring from before the last change, or None if every row was found not to need it. Raises WrongKey."""
    return _read(kept_file(path))


def drop_kept_ring(path: Path) -> None:
    """Remove the ring from before the last change, because nothing needs it. Raises WrongKey."""
    kept = kept_file(path)
    with _said(kept):
        kept.unlink(missing_ok=True)
        sync(kept.parent)


def _keep(path: Path, ring: KeyRing) -> None:
    kept = kept_file(path)
    earlier = _read(kept)
    if earlier is not None and not ring.contains(earlier):
        raise WrongKey(f"{kept} still holds a version that {path} doesn't. Type: ajar keys rewrap")
    draft = _drafted(kept, ring)
    _as_before(draft, path)
    draft.replace(kept)
    sync(path.parent)


def _drafted(path: Path, ring: KeyRing) -> Path:
    """Write the whole file under a temporary name and return its path. The folder's lock guards that name."""
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    write_new(draft, f"{ring.text}\n".encode("ascii"))
    return draft


def _as_before(draft: Path, path: Path) -> None:
    """Give the draft the owner and mode of the file, so that the service keeps a file that root changes."""
    about = path.stat()
    with contextlib.suppress(PermissionError):  # we aren't root, so the file is ours and private already
        os.chown(draft, about.st_uid, about.st_gid)
        draft.chmod(about.st_mode & 0o777)


@contextmanager
def _folder_locked(folder: Path, *, wait: bool) -> Iterator[None]:
    """Lock this folder; the operating system releases the lock if the process dies. Raises WrongKey."""
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise WrongKey(
                f"Another command is changing the master key in {folder}. Wait until it has ended."
            ) from None
        yield
    finally:
        os.close(handle)


@contextmanager
def _said(path: Path) -> Iterator[None]:
    """Turn an OSError into a sentence that says why the file can't be written. Raises WrongKey."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or "unknown reason"
        raise WrongKey(f"The master key can't be written to {path}: {reason}.") from None


def _read(path: Path) -> KeyRing | None:
    """Read a key file; None if there is none."""
    try:
        if mode := what_to_chmod(path):
            whom = "others" if mode == "600" else "everybody"
            whose = "Type" if mode == "600" else "Let its owner type"
            raise WrongKey(f"The master key can be read by {whom} on this machine. {whose}: chmod {mode} {path}")
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise WrongKey(f"The master key at {path} can't be read: {error.strerror or 'unknown reason'}.") from None
    try:
        return KeyRing.parse(raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise WrongKey(f"The file {path} holds no master key: it is not text.") from None
    except WrongKey as error:
        raise WrongKey(f"The file {path} holds no master key. {error}") from None


def _refuse_beside_data(path: Path, folders: tuple[Path, ...]) -> None:
    for folder in folders:
        if path.resolve().is_relative_to(folder.resolve()):
            raise WrongKey(
                f"The master key {path} lies in {folder}, beside the data that it locks: one copy takes both. "
                "Move the key to another folder and set AJAR_MASTER_KEY_FILE to its new path."
            )
