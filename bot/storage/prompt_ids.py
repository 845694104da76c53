"""The stored form of the prompt of an Ask or a Line: hidden, so that it takes its user's data key to read it.

A prompt is always stored as the same text for the same user, so rows can be found and joined by it. Earlier versions of
Ajar stored it plain; `hide_some` hides those while the bot runs.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import Column, Row, Table, Update, bindparam, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.crypto import HIDDEN, CannotOpen, KeyMismatch, hide, is_hidden, reveal
from bot.storage.conflicts import insert_into
from bot.storage.schema import ask_messages, asks, lines, shown_prompts
from bot.storage.users import Users

UNKNOWN: Final = "unknown"
"""Stands for a prompt that can no longer be read. No prompt has this id, so it is treated like one that has left the
library."""
WITH_PROMPTS: Final[tuple[tuple[Table, str], ...]] = (
    (asks, "id"), (lines, "id"), (ask_messages, "message_id"), (shown_prompts, "prompt_id"),
)  # fmt: skip
"""The tables with prompts, each with the column that distinguishes one user's rows."""


@cache
def _hiding(key: Column[Any]) -> Update:
    """Return the statement that stores the hidden prompt of a row, which is named by this column."""
    table = key.table
    mine = (table.c.user_id == bindparam("of_user"), key == bindparam("about"))
    return update(table).where(*mine).values(prompt_id=bindparam("hidden"))


@cache
def _add_shown(dialect: str) -> Any:
    return insert_into(dialect, shown_prompts).on_conflict_do_nothing()


class Prompts:
    """The prompts of one user, each hidden and revealed once."""

    def __init__(self, user_id: int, data_key: bytes | None) -> None:
        """Without the data key, each prompt is UNKNOWN."""
        self.user_id = user_id
        self._data_key = data_key
        self._known: dict[str, str] = {}
        self._hidden: dict[str, str] = {}

    def stored(self, prompt_id: str) -> str:
        """Return what to store for this prompt."""
        if self._data_key is None:
            return UNKNOWN
        if (hidden := self._hidden.get(prompt_id)) is None:
            hidden = self._hidden[prompt_id] = hide(self._data_key, prompt_id, user=self.user_id)
        return hidden

    def read(self, stored: str) -> str:
        """Return the prompt's id."""
        if (known := self._known.get(stored)) is None:
            known = self._known[stored] = self._revealed(stored) if is_hidden(stored) else stored
        return known

    def _revealed(self, stored: str) -> str:
        try:
            return reveal(self._data_key, stored, user=self.user_id) if self._data_key else UNKNOWN
        except CannotOpen:
            return UNKNOWN


class PromptIds:
    """The prompts of users within a transaction."""

    def __init__(self, connection: AsyncConnection, users: Users) -> None:
        self._connection = connection
        self._users = users
        self._of: dict[int, Prompts] = {}

    async def of(self, user_id: int) -> Prompts:
        """Return this user's prompts. Raises LookupError if there is no such user."""
        if user_id not in self._of:
            try:
                key: bytes | None = await self._users.data_key(user_id)
            except KeyMismatch:
                key = None
            self._of[user_id] = Prompts(user_id, key)
        return self._of[user_id]

    def opened(self, user_id: int) -> Prompts | None:
        """Return this user's prompts if this transaction has already opened their data key for them."""
        return self._of.get(user_id)

    def take(self, prompts: Prompts) -> None:
        """Use what an earlier transaction has opened, without reading the user's data key again."""
        self._of[prompts.user_id] = prompts

    async def stored(self, user_id: int, prompt_id: str | None) -> str | None:
        """Return what to store for this prompt, if there is one."""
        return None if prompt_id is None else (await self.of(user_id)).stored(prompt_id)

    async def read(self, user_id: int, stored: str | None) -> str | None:
        return None if stored is None else (await self.of(user_id)).read(stored)

    async def hide_some(self, table: Table, key: str, user_id: int, after: Any, limit: int) -> list[Any]:
        """Hide the prompts of some rows of this user that are still plain. Return the keys of these rows, in order."""
        prompts, column = await self.of(user_id), table.c[key]
        query = select(table).where(table.c.user_id == user_id, func.substr(table.c.prompt_id, 1, 1) != HIDDEN)
        query = query if after is None else query.where(column > after)
        rows = (await self._connection.execute(query.order_by(column).limit(limit))).all()
        if table is shown_prompts:
            await self._hide_shown(user_id, prompts, rows)
        elif rows:
            hidden = [
                {"of_user": user_id, "about": getattr(row, key), "hidden": prompts.stored(row.prompt_id)}
                for row in rows
            ]
            await self._connection.execute(_hiding(column), hidden)
        return [getattr(row, key) for row in rows]

    async def _hide_shown(self, user_id: int, prompts: Prompts, plain: Sequence[Row[Any]]) -> None:
        """Hide shown prompts. One that was shown again since already has a hidden row, with a later time."""
        if not plain:
            return
        hidden = [
            {"user_id": user_id, "prompt_id": prompts.stored(row.prompt_id), "shown_at": row.shown_at} for row in plain
        ]
        await self._connection.execute(_add_shown(self._connection.dialect.name), hidden)
        gone = shown_prompts.c.prompt_id.in_([row.prompt_id for row in plain])
        await self._connection.execute(delete(shown_prompts).where(shown_prompts.c.user_id == user_id, gone))
