"""`ajar keys …`: an operator's commands for the master key. They return sentences to print.

A change first locks the database and the key's file, and only then reads both. Every key that any data key needs is in
a file at every moment: the old ring is kept beside the new one until all data keys have been opened without it.

`rotate` and `rewrap` also work while bots run. A bot checks the key's file, adopts the new version, and records that in
the database; once all have done so, the command wraps data keys with it.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bot.config import Config
from bot.crypto import KeyRing, MissingKey, OtherKey, WrongKey
from bot.keyfile import changing, drop_kept_ring, kept_file, kept_ring, make_key_file, replace_key_file
from bot.opening import key_path, open_keys, open_store
from bot.operating import Progress, opened, require_version, silently
from bot.storage.backup import InUse
from bot.storage.database_lock import DatabaseLock, exclusive_lock, key_lock
from bot.storage.store import Store

_BATCH: Final = 500
_SMALL_BATCH: Final = 50
"""How many data keys we wrap in one transaction while a bot runs, which has to wait for it."""
_PATIENCE: Final = 20.0
"""Seconds within which a running bot, which checks the key's file every second, must have adopted a new version."""
_LOOK: Final = 0.2

Survey = Counter[int | None]
"""How many data keys each version of the master key wraps; under None, how many don't open with any version we have."""


async def versions(config: Config) -> list[str]:
    """Return where the master key is, and how many users' keys each of its versions wraps. Raises WrongKey."""
    before = await _ring_text(config)
    while True:
        trouble: OtherKey | None = None
        said: list[str] = []
        try:
            said = await _look(config)
        except OtherKey as wrong:
            trouble = wrong
        if before == (after := await _ring_text(config)):
            break
        before = after  # it was being changed while we looked
    if trouble:
        raise trouble
    return said


async def _look(config: Config) -> list[str]:
    async with opened(config) as (store, found):
        used = await _survey(store)
    place = f"in {found.file}" if found.file else "given by AJAR_MASTER_KEY"
    return [
        f"The master key is {place}.",
        *(
            f"Version {version}{' (current)' if version == found.ring.current else ''}: {_users(used[version])}"
            for version in found.ring.versions
        ),
        *_unopened(used),
    ]


async def _ring_text(config: Config) -> str | None:
    try:
        return (await open_keys(config, may_make=False)).ring.text
    except MissingKey:
        return None


async def new(file: Path | None) -> list[str]:
    """Make a new master key, and write it to `file` if one is named. Raises WrongKey if that fails."""
    ring = KeyRing.new()
    if file is None:
        return [ring.text]
    if not await asyncio.to_thread(make_key_file, file, ring):
        raise WrongKey(f"{file} exists already, and a key that may be in use is never overwritten. Name another file.")
    return [f"The new master key is in {file}. Keep a copy of it apart from the backups of the database."]


async def rotate(config: Config, progress: Progress = silently) -> list[str]:
    """Make a new version of the master key and wrap all data keys with it. Raises WrongKey, InUse, LockLost.

    It can be interrupted at any point and run again: the key file has both versions before the first row changes.
    """
    if key_path(config) is None:
        return await _rotate_by_hand(config)
    async with _changing(config, beside_bot=True) as change:
        used = await change.survey()
        if len(change.ring.versions) == 1 or not any(used[old] for old in change.ring.versions[:-1]):
            await change.write(change.ring.rotated())  # otherwise an earlier rotation was interrupted, and we finish it
        changed = await change.wrap_all(progress)
        rest = await change.settle()
    return [
        f"Version {change.ring.current} of the master key now wraps the keys of all users ({changed} were changed).",
        *rest,
        "Backups made before need the older versions: keep a copy of the key file with them.",
        "When no such backup matters any more, and no other database uses this file, type: ajar keys forget VERSION",
    ]


async def rewrap(config: Config, progress: Progress = silently) -> list[str]:
    """Wrap the data keys that an older version wraps with the current one. Raises WrongKey, InUse, LockLost."""
    async with _changing(config, beside_bot=True) as change:
        changed = await change.wrap_all(progress)
        rest = await change.settle()
    return [f"Version {change.ring.current} now wraps the keys of all users ({changed} were changed).", *rest]


async def forget(config: Config, version: int) -> list[str]:
    """Remove an old version from the key file. Raises WrongKey, InUse, LockLost."""
    async with _changing(config) as change:
        if version not in change.left_out:
            smaller = change.ring.without(version)
            used = await change.survey()
            if used[version]:
                raise WrongKey(
                    f"Version {version} still wraps the keys of {_users(used[version])}. Type: ajar keys rotate"
                )
            if used[None]:
                raise WrongKey(f"{_unopened(used)[0]} Nobody knows whether they need version {version}, so it stays.")
            if change.file is None:
                raise WrongKey("Nothing needs it any more. The key is given by AJAR_MASTER_KEY; take it out there.")
            await change.retire(version)
            await change.write(smaller)
        rest = await change.settle()
    return [f"Version {version} is gone from {change.file}.", *rest]


@dataclass(slots=True)
class _Change:
    """A change of keys in progress, in a key file that no other command is changing."""

    config: Config
    lock: DatabaseLock | None
    """None if a running bot holds the lock of its database."""
    ring: KeyRing
    file: Path | None
    left_out: frozenset[int] = frozenset()
    """Versions that an earlier, interrupted change has removed from the file."""

    async def finish_earlier(self) -> None:
        """If an earlier change removed a key and was interrupted, check that nothing needs it. Raises WrongKey."""
        if self.file is None or (kept := kept_ring(self.file)) is None or self.ring.contains(kept):
            return
        if (await self.survey())[None]:
            raise OtherKey(
                f"Not all data keys open with the master key in {self.file}, and {kept_file(self.file)} has a version "
                "that it lacks. Put that one in its place, if the file was changed by hand. Nothing was changed."
            )
        self.left_out = frozenset(kept.versions) - frozenset(self.ring.versions)
        drop_kept_ring(self.file)

    async def survey(self) -> Survey:
        async with open_store(self.config, self.ring) as store:
            return await _survey(store)

    async def write(self, ring: KeyRing) -> None:
        """Write `ring` to the key's file, and keep the old one beside it. Raises WrongKey, LockLost."""
        await self._verify()
        if self.file:
            await asyncio.to_thread(replace_key_file, self.file, self.ring, ring)
            self.ring = (await open_keys(self.config, may_make=False)).ring  # as it is on the disk now

    async def retire(self, version: int) -> None:
        async with open_store(self.config, self.ring) as store, store.writing() as rows:
            await rows.master_keys.retire(version)

    async def wrap_all(self, progress: Progress) -> int:
        """Wrap every data key that another version wraps with the current one. Return how many there were."""
        async with open_store(self.config, self.ring) as store:
            await self._record(store)
            outdated = [user_id async for user_id, by in _wrapped(store) if by not in {self.ring.current, None}]
            size = self._at_once
            for at in range(0, len(outdated), size):
                progress(at, len(outdated))
                await self._verify()
                some = outdated[at : at + size]
                async with store.writing(*(some if size == 1 else ())) as rows:
                    for user_id in some:
                        await rows.users.wrap_anew(user_id)
            progress(len(outdated), len(outdated))
        return len(outdated)

    @property
    def _at_once(self) -> int:
        """How many data keys to wrap in a transaction.

        With PostgreSQL a bot may be changing something of the same user: a transaction for one user waits for that.
        """
        if self.lock:
            return _BATCH
        return _SMALL_BATCH if self.config.sqlite_file else 1

    async def _record(self, store: Store) -> None:
        """Make sure that every process wraps with our current version. Raises WrongKey if a bot doesn't yet."""
        if self.lock:
            async with store.writing() as rows:
                await rows.master_keys.record(alone=False)
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                while not await _is_recorded(store):  # noqa: ASYNC110  # another process writes it
                    await asyncio.sleep(_LOOK)
                return
        raise WrongKey(
            f"A bot that is running doesn't use version {self.ring.current} of the master key. If it gets a copy of "
            "the key's file when it starts, or its key by AJAR_MASTER_KEY, start it again. Then type the command "
            "again: it continues where it stopped. Nobody's key was changed."
        )

    async def _verify(self) -> None:
        if self.lock:
            await self.lock.verify()

    async def settle(self) -> list[str]:
        """Remove the old ring if every data key opens without it; otherwise say where it stays."""
        used = await self.survey()
        if self.file is None or kept_ring(self.file) is None:
            return _unopened(used)
        if used[None]:
            return [*_unopened(used), f"Until they do, the previous key ring stays in {kept_file(self.file)}."]
        drop_kept_ring(self.file)
        return []


async def _is_recorded(store: Store) -> bool:
    async with store.reading() as rows:
        return await rows.master_keys.is_recorded()


@asynccontextmanager
async def _changing(config: Config, *, beside_bot: bool = False) -> AsyncIterator[_Change]:
    """Begin a change. With `beside_bot` it is allowed while bots use the database."""
    await require_version(config)  # without a database there is nothing to lock either
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(key_lock(config.database_url))
        lock: DatabaseLock | None = None
        try:
            lock = await stack.enter_async_context(exclusive_lock(config.database_url))
        except InUse:
            if not beside_bot:
                raise
        if path := key_path(config):
            stack.enter_context(changing(path))
        async with opened(config) as (_, found):
            change = _Change(config, lock, found.ring, found.file)
        await change.finish_earlier()
        yield change


async def _rotate_by_hand(config: Config) -> list[str]:
    async with opened(config) as (_, found):
        ring = found.ring
    return [
        "The key is given by AJAR_MASTER_KEY, which only you can change. Set it to this, wherever Ajar reads it,",
        "and type `ajar keys rewrap`; the older version stays in it for backups made before:",
        ring.rotated().text,
    ]


async def _survey(store: Store) -> Survey:
    return Counter([version async for _, version in _wrapped(store)])


async def _wrapped(store: Store) -> AsyncIterator[tuple[int, int | None]]:
    last = 0
    async with store.reading() as rows:
        while batch := await rows.users.wrapped_by(last, _BATCH):
            for user_id, version in batch:
                yield user_id, version
            last = batch[-1][0]


def _unopened(used: Survey) -> list[str]:
    if not used[None]:
        return []
    return [f"The data keys of {_users(used[None])} open with no version that was given: they are damaged."]


def _users(number: int) -> str:
    return f"{number} user{'' if number == 1 else 's'}"
