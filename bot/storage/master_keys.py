"""Rows of the master key's versions that have sealed this database, so that we recognise a wrong key."""

from functools import cache
from typing import Any, Final

from sqlalchemy import LargeBinary, bindparam, delete, func, inspect, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.crypto import KeyMismatch, KeyRing, OtherKey, WrongKey
from bot.storage.conflicts import insert_into
from bot.storage.schema import arrivals, inbox, master_keys, processes, users

_SAMPLE: Final = 5
"""How many data keys we try. One that opens shows that the master key is right; others may just be damaged."""
_PUT_BACK: Final = (
    "Put back the key that this database was used with (its file, AJAR_MASTER_KEY_FILE or AJAR_MASTER_KEY), or restore "
    "the backup that belongs to this key. Nothing was changed."
)
_LOCKED: Final = select(master_keys).where(master_keys.c.version == bindparam("current")).with_for_update(read=True)
_VERSION: Final = func.substr(users.c.data_key, 2, 4, type_=LargeBinary)
"""The version of the master key that wraps a data key, taken from the wrapped data key itself; see bot.crypto."""


@cache
def _recording(dialect: str) -> Any:
    """Return the statement that adds a version, unless it is there already."""
    return insert_into(dialect, master_keys).on_conflict_do_nothing()


class MasterKeys:
    """The versions of the master key, each with its fingerprint."""

    def __init__(self, connection: AsyncConnection, keys: KeyRing) -> None:
        self._connection = connection
        self._keys = keys

    async def check(self) -> None:
        """Make sure that our key ring is the one that sealed this database. Raises OtherKey.

        Changes nothing. It works with any earlier schema too, so that we notice a wrong key before a migration.
        """
        if not await self._has("users") or await self._has_no_users():
            return
        known = await self._known() if await self._has("master_keys") else {}
        self._compare(known)
        if not known or not known.keys() <= set(self._keys.versions):
            await self._look_at_all()
        await self._open_some()

    async def record(self, *, alone: bool) -> None:
        """Record the current version, which wraps data keys from now on. Raises OtherKey if the ring is another one.

        While there are no users, the recorded versions aren't needed, so the new one replaces them. That requires being
        `alone` with the database, because another process may be using one of them.
        """
        if alone and await self._has_no_users():
            await self._connection.execute(delete(master_keys))
        await self._add()
        self._compare(await self._known())

    async def claim(self) -> None:
        """Make sure that the current version stays allowed to wrap data keys until this transaction ends.

        Raises KeyMismatch if the ring is a different one, or if its current version was retired while this process ran.
        """
        await self._add()
        found = await self._connection.execute(_LOCKED, {"current": self._keys.current})
        row = found.one_or_none()
        if row is None or row.retired or row.fingerprint != self._keys.fingerprint():
            raise KeyMismatch(
                f"Version {self._keys.current} of the master key, which this process was started with, "
                "is not one that wraps data keys of this database now."
            )

    async def is_recorded(self) -> bool:
        """Return whether all running bots wrap with our current version. Raises OtherKey if it is another key.

        With SQLite only one bot runs at a time, and it has recorded the version. With PostgreSQL each has also noted it
        in its own row of `processes`. So from then on nothing is wrapped with an older version.
        """
        known = await self._known()
        self._compare(known)
        behind = select(processes.c.id).where(processes.c.key_version.is_distinct_from(self._keys.current)).limit(1)
        return self._keys.current in known and (await self._connection.execute(behind)).first() is None

    async def retire(self, version: int) -> None:
        """Let this version wrap nothing from now on. Raises WrongKey if something still needs it.

        A concurrent `claim` either comes before, so that we see its user, or finds the version retired.
        """
        fingerprint = self._keys.fingerprint(version)
        statement = insert_into(self._connection.dialect.name, master_keys).values(
            version=version, fingerprint=fingerprint, retired=True
        )
        await self._connection.execute(
            statement.on_conflict_do_update(index_elements=["version"], set_={"retired": True})
        )
        wrapped = select(users.c.id).where(_VERSION.in_((version.to_bytes(4),))).limit(1)
        if (await self._connection.execute(wrapped)).first() is not None:
            raise WrongKey(f"Version {version} wraps the key of somebody who has just joined. Type: ajar keys rotate")
        waiting = select(inbox.c.id).where(inbox.c.version == version, inbox.c.raw.is_not(None)).limit(1)
        if (await self._connection.execute(waiting)).first() is not None:
            raise WrongKey(
                f"Version {version} is needed for what waits to be handled. Start Ajar, and try again later."
            )
        imported = select(arrivals.c.user_id).where(arrivals.c.version == version).limit(1)
        if (await self._connection.execute(imported)).first() is not None:
            raise WrongKey(
                f"Version {version} is needed for an import that waits for its owner's yes, for two weeks at most. "
                "Try again later."
            )

    async def _add(self) -> None:
        ours = {"version": self._keys.current, "fingerprint": self._keys.fingerprint(), "retired": False}
        await self._connection.execute(_recording(self._connection.dialect.name), ours)

    async def _known(self) -> dict[int, bytes]:
        found = await self._connection.execute(select(master_keys).where(master_keys.c.retired == False))  # noqa: E712
        return {row.version: row.fingerprint for row in found}

    def _compare(self, known: dict[int, bytes]) -> None:
        for version, fingerprint in known.items():
            if version in self._keys.versions and fingerprint != self._keys.fingerprint(version):
                raise OtherKey(
                    f"The master key is not the one that sealed this database: version {version} is another key. "
                    f"{_PUT_BACK}"
                )

    async def _look_at_all(self) -> None:
        """Check all versions that wrap any data key, which is only needed if the fingerprints aren't conclusive."""
        found = await self._connection.execute(select(_VERSION).distinct())
        for raw in found.scalars():
            if (version := int.from_bytes(raw)) not in self._keys.versions:
                given = ", ".join(map(str, self._keys.versions))
                raise OtherKey(
                    f"The database needs version {version} of the master key, which was not given (given: {given}). "
                    f"{_PUT_BACK}"
                )
            await self._open_some(raw)

    async def _open_some(self, version: bytes | None = None) -> None:
        """Check that a data key opens, or, with `version`, one that this version wraps. Raises OtherKey."""
        query = select(users.c.id, users.c.data_key).limit(_SAMPLE)
        if version is not None:
            query = query.where(_VERSION.in_((version,)))
        tried = (await self._connection.execute(query)).all()
        if not any(self._opens(row.data_key, row.id) for row in tried):
            raise OtherKey(f"The master key does not open the data keys of this database. {_PUT_BACK}")

    def _opens(self, data_key: bytes, user_id: int) -> bool:
        try:
            self._keys.unwrap(data_key, user_id)
        except KeyMismatch:
            return False
        return True

    async def _has(self, table: str) -> bool:
        return await self._connection.run_sync(lambda connection: inspect(connection).has_table(table))

    async def _has_no_users(self) -> bool:
        return (await self._connection.execute(select(users.c.id).limit(1))).first() is None
