"""The folder of backups: their names, which one is the newest, and removing older ones; and Litestream's own folder."""

import contextlib
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from bot.private import sync
from bot.storage.backup import BackupError, being_written, unfinished_of

_STAMP: Final = "%Y%m%d-%H%M%S"
KEPT_AT_MOST: Final = timedelta(days=366)
"""As far back as the journal of endings reaches. An older backup would bring back users who erased everything."""
_OURS: Final = re.compile(r"ajar-\d{8}-\d{6}\.(?:age|db)")
"""Names that `ajar backup` gives; earlier versions' names end in `.db`. We never remove anything else."""


def name_of(now: datetime) -> str:
    """Return the name of a backup made now: the time in UTC, to the second."""
    return f"ajar-{now.astimezone(UTC):{_STAMP}}.age"


def made_at(backup: Path) -> datetime:
    """Return when an automatically named backup was made."""
    return datetime.strptime(backup.stem.removeprefix("ajar-"), _STAMP).replace(tzinfo=UTC)


def backups_in(folder: Path) -> list[Path]:
    """Return the backups in this folder that were named automatically, the newest first. Raises OSError."""
    if not folder.is_dir():
        return []
    found = [file for file in folder.iterdir() if _OURS.fullmatch(file.name)]
    return sorted(found, key=lambda file: file.stem, reverse=True)


def remove_unfinished(folder: Path) -> None:
    """Remove unfinished, automatically named backups of killed processes, but not one being written. Raises OSError."""
    if not folder.is_dir():
        return
    for file in folder.iterdir():
        backup = file.with_suffix("")
        if file == unfinished_of(backup) and _OURS.fullmatch(backup.name):
            with contextlib.suppress(BackupError), being_written(backup):
                pass


def remove_older(folder: Path, keep: int | None = None, since: datetime | None = None) -> list[Path]:
    """Remove all but the newest `keep` backups in this folder, and those made before `since`, the oldest first.

    The newest always stays. Returns the removed files. Call this only after opening the newest backup successfully, as
    an older one may be the only good one. Raises OSError.
    """
    newest_first = backups_in(folder)
    older = [
        file
        for place, file in enumerate(newest_first)
        if place and ((keep is not None and place >= keep) or (since is not None and made_at(file) < since))
    ]
    for file in reversed(older):
        file.unlink(missing_ok=True)
    if older:
        sync(folder)
    return older


def followed_at(database: Path) -> datetime | None:
    """Return when Litestream last wrote to its folder beside the database, which it does with every change.

    None if there is no such folder. Whether the other place has it, only Litestream knows.
    """
    folder = database.with_name(f".{database.name}-litestream")
    written = []
    for file in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # it tidies meanwhile
            written.append(file.stat().st_mtime)
    return datetime.fromtimestamp(max(written), UTC) if written else None
