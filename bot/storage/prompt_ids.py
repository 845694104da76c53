"""Which prompt an Ask or a Line is about, as it is stored: hidden, so that only its user's data key tells.

The same prompt of the same user is always stored as the same text, so rows can be found and joined by it. What a
version of Ajar before there was this has stored is plain, and is hidden by `hide_all` while the bot runs.
"""

from typing import Any, Final

from sqlalchemy import Table, bindparam, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.crypto import CannotOpen, KeyMismatch, hide, is_hidden, reveal
from bot.storage.conflicts import insert_into
from bot.storage.schema import ask_messages, asks, lines, shown_prompts
from bot.storage.users import Users

UNKNOWN: Final = "unknown"
"""Stands for a prompt that can't be told any more. No prompt is called so; it is treated like one that has left the
library."""
_BY_KEY: Final[tuple[tuple[Table, str], ...]] = ((asks, "id"), (lines, "id"), (ask_messages, "message_id"))


class Prompts:
    """The prompts of one user, each opened once."""

    def __init__(self, user_id: int, data_key: bytes | None) -> None:
        """Without the data key each prompt is UNKNOWN."""
        self._user_id = user_id
        self._data_key = data_key
        self._known: dict[str, str] = {}

    def stored(self, prompt_id: str) -> str:
        """Return what to store for this prompt."""
        return hide(self._data_key, prompt_id, user=self._user_id) if self._data_key else UNKNOWN

    def read(self, stored: str) -> str:
        """Return the prompt's id."""
        if (known := self._known.get(stored)) is None:
            known = self._known[stored] = self._revealed(stored) if is_hidden(stored) else stored
        return known

    def _revealed(self, stored: str) -> str:
        try:
            return reveal(self._data_key, stored, user=self._user_id) if self._data_key else UNKNOWN
        except CannotOpen:
            return UNKNOWN


class PromptIds:
    """The prompts of users, within a transaction."""

    def __init__(self, connection: AsyncConnection, users: Users) -> None:
        self._connection = connection
        self._users = users
        self._of: dict[int, Prompts] = {}

    async def of(self, user_id: int) -> Prompts:
        """Raises LookupError if there is no such user."""
        if user_id not in self._of:
            try:
                key: bytes | None = await self._users.data_key(user_id)
            except KeyMismatch:
                key = None
            self._of[user_id] = Prompts(user_id, key)
        return self._of[user_id]

    async def stored(self, user_id: int, prompt_id: str | None) -> str | None:
        """Return what to store for this prompt, if there is one."""
        return None if prompt_id is None else (await self.of(user_id)).stored(prompt_id)

    async def read(self, user_id: int, stored: str | None) -> str | None:
        return None if stored is None else (await self.of(user_id)).read(stored)

    async def hide_all(self, user_id: int) -> None:
        """Hide which prompts this user's rows are about, if they are plain. Raises KeyMismatch."""
        await self._users.data_key(user_id)
        prompts = await self.of(user_id)
        for table, key in _BY_KEY:
            query = select(table.c[key], table.c.prompt_id).where(
                table.c.user_id == user_id, table.c.prompt_id.is_not(None)
            )
            changes = [
                {"about": row[0], "hidden": prompts.stored(row.prompt_id)}
                for row in await self._connection.execute(query)
                if not is_hidden(row.prompt_id)
            ]
            if changes:
                mine = (table.c.user_id == user_id, table.c[key] == bindparam("about"))
                await self._connection.execute(
                    update(table).where(*mine).values(prompt_id=bindparam("hidden")), changes
                )
        await self._hide_shown(user_id, prompts)

    async def _hide_shown(self, user_id: int, prompts: Prompts) -> None:
        """Hide the prompts that were shown. One that was shown again since is there already, with a later time."""
        query = select(shown_prompts).where(shown_prompts.c.user_id == user_id)
        plain = [row for row in await self._connection.execute(query) if not is_hidden(row.prompt_id)]
        for row in plain:
            hidden: dict[str, Any] = {"user_id": user_id, "prompt_id": prompts.stored(row.prompt_id)}
            add = insert_into(self._connection.dialect.name, shown_prompts).values(**hidden, shown_at=row.shown_at)
            await self._connection.execute(add.on_conflict_do_nothing())
            await self._connection.execute(
                delete(shown_prompts).where(
                    shown_prompts.c.user_id == user_id, shown_prompts.c.prompt_id == row.prompt_id
                )
            )
