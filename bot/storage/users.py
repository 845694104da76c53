"""Rows of users, and of the texts that the bot awaits from them."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import LargeBinary, bindparam, delete, func, insert, or_, select, update

from bot.crypto import FORMAT, KeyMismatch, KeyRing, is_all_tied, new_data_key, seal, wrapped_by
from bot.domain.content import Sensitivity
from bot.domain.model import (
    CEILING_AT_START,
    DAMAGED,
    DEPTH_AT_START,
    POLICY_VERSION,
    AskOpening,
    Dialog,
    Rhythm,
    User,
    Waiting,
)
from bot.storage.damage import Place, open_or_damaged, open_or_none
from bot.storage.direct import DirectConnection
from bot.storage.endings import Ended, Ending
from bot.storage.master_keys import MasterKeys
from bot.storage.schema import arrivals, dialogs, endings, notices, pair_members, users
from bot.storage.ties import Ties

_MUTED: Final = ("muted_themes", "muted_sensitivities")
_MUTED_LENGTH: Final = 240
"""We pad the text of `muted` to this length before sealing it, so that the length doesn't reveal how much it lists."""
_YES, _NO = "yes", "no "  # equally long
_APART: Final = {"data_key", "name", "created_at", "muted", "partnered", "recap", *_MUTED}
_FACTS: Final = tuple(column for column in users.c if column.name not in _APART)
_NAMES: Final = tuple(column.name for column in _FACTS)
_PLANNED: Final = (
    "next_ask_at", "next_ask_day", "last_day", "paused_at", "paused_until", "rhythm", "unanswered", "to_say", "depth",
    "comfortable",
)  # fmt: skip

# Statements that every turn needs are built once: building one takes longer than executing it.
FIND_USER: Final = select(
    *_FACTS, users.c.data_key, users.c.muted, users.c.muted_themes, users.c.muted_sensitivities, users.c.partnered
).where(users.c.id == bindparam("user_id"))
_NAME: Final = select(users.c.name).where(users.c.id == bindparam("user_id"))
_UNTIED: Final = func.substr(users.c.data_key, 1, 1, type_=LargeBinary).in_((FORMAT,))
"""The format of a wrapped data key says whether its user may have untied rows; see bot.crypto."""
_ADD: Final = insert(users)
_CHANGE: Final = update(users).where(users.c.id == bindparam("user_id"))
_MOVE_ON: Final = _CHANGE.values({name: bindparam(name) for name in _PLANNED})
_DUE: Final = (
    select(*_FACTS)
    .where(users.c.next_ask_at <= bindparam("now"))
    .order_by(users.c.next_ask_at)
    .limit(bindparam("count"))
    .with_for_update(skip_locked=True)
)
NEXT_ASK_AT: Final = (
    select(users.c.next_ask_at).where(users.c.next_ask_at.is_not(None)).order_by(users.c.next_ask_at).limit(1)
)
AWAITED: Final = select(dialogs).where(dialogs.c.user_id == bindparam("user_id"))
_TRIED: Final = update(dialogs).where(dialogs.c.user_id == bindparam("whose")).values(message_id=bindparam("tried"))
_AWAIT: Final = insert(dialogs)
_FORGET: Final = delete(dialogs).where(dialogs.c.user_id == bindparam("user_id"))


class Users:
    """Users by id. A data key is unwrapped once per transaction, and only when it is needed."""

    def __init__(self, connection: DirectConnection, keys: KeyRing, master_keys: MasterKeys) -> None:
        self._connection = connection
        self._keys = keys
        self._master_keys = master_keys
        self._wrapped: dict[int, bytes] = {}
        self._data_keys: dict[int, bytes] = {}
        self._found: dict[int, User] = {}
        self.due_at: datetime | None = None
        self.removed_words = False
        """Whether this transaction has removed or replaced sealed words or a data key."""
        self.endings: list[Ending] = []
        """The endings of this transaction, for the journal."""

    async def find(self, user_id: int) -> User | None:
        """Return the user as this transaction sees them, including its own changes."""
        if user_id in self._found:
            return self._found[user_id]
        found = await self._connection.execute(FIND_USER, {"user_id": user_id})
        if (row := found.one_or_none()) is None:
            return None
        self._wrapped[user_id] = row.data_key
        themes, sensitivities = await self._muted(row)
        partnered = await self._says_partnered(row)
        sealed = {"muted_themes": themes, "muted_sensitivities": sensitivities, "partnered": partnered}
        self._found[user_id] = user = _user(row, **sealed)
        return user

    async def _muted(self, row: Any) -> tuple[frozenset[str], frozenset[str]]:
        """Return the themes and sensitivities that this user has left out.

        If we can't read them, leave out everything sensitive: asking too little is better than asking what they don't
        want.
        """
        if row.muted is None and not is_all_tied(row.data_key):
            return row.muted_themes, row.muted_sensitivities
        try:
            key = await self.data_key(row.id)
        except KeyMismatch:  # reported by whatever needs the key for more than this
            opened = None
        else:
            opened = open_or_none(key, row.muted, table="users", column="muted", row=row.id, user=row.id)
        if opened is None:
            return frozenset(), frozenset(map(str, Sensitivity))
        themes, _, sensitivities = opened.partition("/")
        return frozenset(themes.split()), frozenset(sensitivities.split())

    async def _says_partnered(self, row: Any) -> bool:
        """Return whether this user says that they have a partner. If we can't read it, assume that they don't."""
        if row.partnered is None:
            return False
        try:
            key = await self.data_key(row.id)
        except KeyMismatch:  # reported by whatever needs the key for more than this
            return False
        return open_or_none(key, row.partnered, table="users", column="partnered", row=row.id, user=row.id) == _YES

    async def data_key(self, user_id: int) -> bytes:
        """Return the data key. Raises LookupError if there is no such user, KeyMismatch if it doesn't open."""
        if user_id not in self._data_keys:
            if user_id not in self._wrapped and await self.find(user_id) is None:
                raise LookupError("no such user")
            self._data_keys[user_id] = self._keys.unwrap(self._wrapped[user_id], user_id)
        return self._data_keys[user_id]

    async def untied(self, user_id: int) -> bool:
        """Return whether this user may still have untied rows, from before there were ties."""
        await self.data_key(user_id)
        return user_id in self._wrapped and not is_all_tied(self._wrapped[user_id])

    async def seal(self, user_id: int, words: str, *, table: str, column: str, row: int, tied_to: Ties) -> bytes:
        """Seal a value of this user so that it opens only with these ties."""
        key = await self.data_key(user_id)
        return seal(key, words, table=table, column=column, row=row, user=user_id, tied_to=tied_to)

    async def place(self, user_id: int, *, table: str, column: str, row: int, tied_to: Ties) -> Place:
        """Return the place and ties of a value of this user, for `open_sealed` and similar functions."""
        untied = await self.untied(user_id)
        return Place(table=table, column=column, row=row, user=user_id, tied_to=tied_to, untied=untied)

    async def add(self, user_id: int, language: str, now: datetime) -> User:
        """Add a user who has just consented. Raises KeyMismatch if our master key isn't the database's."""
        await self._master_keys.claim()
        key = new_data_key()
        self._data_keys[user_id] = key
        await self._connection.execute(
            _ADD,
            {
                "id": user_id,
                "data_key": self._keys.wrap(key, user_id),
                "muted": seal_muted(key, user_id, frozenset(), frozenset()),
                "partnered": _seal_partnered(key, user_id, says=False),
                "language": language,
                "created_at": now,
                "consented_at": now,
                "consent_version": POLICY_VERSION,
                "depth": DEPTH_AT_START,
                "ceiling": CEILING_AT_START,
            },
        )
        self._found[user_id] = user = User(
            id=user_id, language=language, consented_at=now, consent_version=POLICY_VERSION
        )
        return user

    async def change(self, user: User, **facts: Any) -> User:
        """Set these facts and return the changed user."""
        changed = replace(user, **facts)
        stored = {name: value for name, value in facts.items() if name not in {*_MUTED, "partnered"}}
        if "partnered" in facts:
            stored["partnered"] = _seal_partnered(await self.data_key(user.id), user.id, says=changed.partnered)
        if not {*_MUTED}.isdisjoint(facts):
            key = await self.data_key(user.id)
            stored["muted"] = seal_muted(key, user.id, changed.muted_themes, changed.muted_sensitivities)
        await self._connection.execute_later(_CHANGE, {"user_id": user.id, **stored})
        self._found[user.id] = changed
        self.due_at = changed.next_ask_at if "next_ask_at" in facts else self.due_at
        return changed

    async def erase(self, user_id: int) -> None:
        """Remove this user and all their rows, mostly through foreign keys, and with them their data key."""
        await self._connection.execute(delete(notices).where(notices.c.user_id == user_id))
        await self._connection.execute(delete(users).where(users.c.id == user_id))
        await self._connection.execute(delete(arrivals).where(arrivals.c.user_id == user_id))
        self.removed_words = True
        self.ends(Ended.ERASED, user_id)
        for known in (self._found, self._wrapped, self._data_keys):
            known.pop(user_id, None)

    def ends(self, kind: Ended, *ids: int) -> None:
        """Record an ending of this transaction, so that restoring an earlier backup repeats it."""
        self.endings.append(Ending.of(self._keys, kind, *ids))

    async def name(self, user_id: int) -> str | None:
        """Return the name that this user has chosen; None if it isn't set or no longer opens.

        Raises LookupError if there is no such user.
        """
        key = await self.data_key(user_id)
        sealed = (await self._connection.execute(_NAME, {"user_id": user_id})).scalar_one()
        if sealed is None:
            return None
        name = open_or_damaged(key, sealed, table="users", column="name", row=user_id, user=user_id)
        return None if name == DAMAGED else name

    async def set_since(self, user_id: int, since: datetime) -> None:
        """Set when this user first agreed, which may have been in another bot."""
        await self._connection.execute(update(users).where(users.c.id == user_id).values(created_at=since))

    async def recap_has_come(self, user_id: int) -> None:
        """Note that this user has had a weekly recap, unless they have turned it off."""
        unsaid = (users.c.id == user_id, users.c.weekly_recap.is_(None))
        await self._connection.execute(update(users).where(*unsaid).values(weekly_recap=True))

    async def set_name(self, user_id: int, name: str | None) -> None:
        key = await self.data_key(user_id)
        sealed = seal(key, name, table="users", column="name", row=user_id, user=user_id) if name else None
        await self._connection.execute(_CHANGE, {"user_id": user_id, "name": sealed})
        self.removed_words = True

    async def due(self, now: datetime, limit: int) -> list[User]:
        """Return users whose next Ask is due, the longest overdue first, locked so that no other process plans it.

        Their muted themes and sensitivities aren't loaded, because planning an Ask doesn't choose a prompt.
        """
        found = await self._connection.execute(_DUE, {"now": now, "count": limit})
        return [_user(row) for row in found]

    async def with_own_menu(self, after: int, limit: int) -> list[int]:
        """Return the next users by id after `after` whose menu differs from the default.

        That is who is in a Pair, has paused, or only receives.
        """
        paired = select(pair_members.c.user_id).union(select(endings.c.user_id))
        found = await self._connection.execute(
            select(users.c.id)
            .where(
                users.c.id > after,
                or_(users.c.paused_at.is_not(None), users.c.receives_only == 1, users.c.id.in_(paired)),
            )
            .order_by(users.c.id)
            .limit(limit)
        )
        return list(found.scalars())

    async def retry_planning(self, user_id: int, at: datetime) -> None:
        """Plan this user's next Ask at `at`, without loading the user."""
        self.due_at = at
        await self._connection.execute_later(_CHANGE, {"user_id": user_id, "next_ask_at": at})

    async def move_on(self, moved: Sequence[User]) -> None:
        """Store the facts that planning has changed, for many users at once."""
        if moved:
            await self._connection.execute(
                _MOVE_ON,
                [{"user_id": user.id, **{name: getattr(user, name) for name in _PLANNED}} for user in moved],
            )

    async def wrapped_by(self, after: int, limit: int) -> list[tuple[int, int | None]]:
        """Return the next users by id after `after`, and the version of the master key that wraps each data key.

        The version is None if the data key doesn't open with our master key.
        """
        found = await self._connection.execute(
            select(users.c.id, users.c.data_key).where(users.c.id > after).order_by(users.c.id).limit(limit)
        )
        return [(row.id, self._opens_with(row.data_key, row.id)) for row in found]

    def _opens_with(self, data_key: bytes, user_id: int) -> int | None:
        try:
            self._keys.unwrap(data_key, user_id)
        except KeyMismatch:
            return None
        return wrapped_by(data_key)

    async def wrap_anew(self, user_id: int) -> None:
        """Wrap this user's data key with the current master key."""
        key = await self.data_key(user_id)
        await self._connection.execute(
            update(users)
            .where(users.c.id == user_id)
            .values(data_key=self._keys.wrap(key, user_id, tied=is_all_tied(self._wrapped[user_id])))
        )

    async def after(self, last: int, limit: int) -> list[int]:
        """Return the next users by id after `last`."""
        found = await self._connection.execute(
            select(users.c.id).where(users.c.id > last).order_by(users.c.id).limit(limit)
        )
        return list(found.scalars())

    async def with_untied(self, after: int, limit: int) -> list[int]:
        """Return the next users by id after `after` who may have rows from before there were ties."""
        found = await self._connection.execute(
            select(users.c.id).where(users.c.id > after, _UNTIED).order_by(users.c.id).limit(limit)
        )
        return list(found.scalars())

    async def all_tied(self, user_id: int) -> None:
        """Note that all of this user's rows are tied. Anything untied will never open again."""
        user, key = await self.find(user_id), await self.data_key(user_id)
        if user is None:
            return
        await self._connection.execute(
            update(users)
            .where(users.c.id == user_id)
            .values(
                data_key=self._keys.wrap(key, user_id),
                muted=seal_muted(key, user_id, user.muted_themes, user.muted_sensitivities),
                muted_themes=frozenset(),
                muted_sensitivities=frozenset(),
            )
        )
        self.removed_words = True

    async def any(self) -> bool:
        return (await self._connection.execute(select(users.c.id).limit(1))).first() is not None


class Dialogs:
    """The text that the bot awaits from each user: at most one."""

    def __init__(self, connection: DirectConnection) -> None:
        self._connection = connection
        self.forgotten: set[tuple[int, Waiting]] = set()
        """Users and what this transaction has stopped awaiting from them."""

    async def find(self, user_id: int, now: datetime) -> Dialog | None:
        """Return what is awaited, or None if nothing is or it has expired."""
        found = await self._connection.execute(AWAITED, {"user_id": user_id})
        if (row := found.one_or_none()) is None or row.expires_at <= now:
            return None
        return Dialog(Waiting(row.waiting), row.subject_id, row.expires_at, row.message_id, row.detail or "")

    async def awaited(self, user_id: int, now: datetime) -> Waiting | None:
        """Return what is awaited, without ending it."""
        found = await self._connection.execute(
            select(dialogs.c.waiting).where(dialogs.c.user_id == user_id, dialogs.c.expires_at > now)
        )
        waiting = found.scalar_one_or_none()
        return Waiting(waiting) if waiting else None

    async def forget(self, user_id: int, *, only: Collection[Waiting] = tuple(Waiting)) -> bool:
        """Stop awaiting anything, or only these. True if something was awaited."""
        found = await self._connection.execute(AWAITED, {"user_id": user_id})
        if (row := found.one_or_none()) is None or row.waiting not in only:
            return False
        await self._connection.execute_later(_FORGET, {"user_id": user_id})
        self.forgotten.add((user_id, Waiting(row.waiting)))
        return True

    async def await_(self, user_id: int, dialog: Dialog) -> None:
        await self.forget(user_id)
        self.forgotten.discard((user_id, dialog.waiting))
        await self._connection.execute_later(
            _AWAIT,
            {
                "user_id": user_id,
                "waiting": dialog.waiting,
                "subject_id": dialog.subject_id,
                "expires_at": dialog.expires_at,
                "message_id": dialog.message_id,
                "detail": dialog.detail or None,
            },
        )

    async def tried(self, user_id: int, message_id: int) -> None:
        """Note that we took this message as the awaited text, if one is awaited."""
        await self._connection.execute_later(_TRIED, {"whose": user_id, "tried": message_id})


def _seal_partnered(key: bytes, user_id: int, *, says: bool) -> bytes:
    return seal(key, _YES if says else _NO, table="users", column="partnered", row=user_id, user=user_id)


def seal_muted(key: bytes, user_id: int, themes: frozenset[str], sensitivities: frozenset[str]) -> bytes:
    """Seal the themes and sensitivities that a user has left out, for `users.muted`."""
    names = f"{' '.join(sorted(themes))}/{' '.join(sorted(sensitivities))}"
    return seal(key, names.ljust(_MUTED_LENGTH), table="users", column="muted", row=user_id, user=user_id)


def _user(row: Any, **sealed: Any) -> User:
    """Return the user of a row that begins with the _FACTS. `sealed` are the opened values."""
    facts = dict(zip(_NAMES, row, strict=False)) | sealed
    facts["rhythm"], facts["to_say"] = Rhythm(row.rhythm), AskOpening(row.to_say) if row.to_say else None
    return User(**facts)
