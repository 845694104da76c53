"""Ties values that were sealed before there were ties, and seals choices that were stored plain.

A migration has no key, so this runs after migration 0014, user by user, while the bot works. All rows of a user change
in one transaction, together with the user's wrapped data key, which from then on says that nothing untied of theirs
counts. If it is interrupted, it continues with the remaining users.
"""

import asyncio
import contextlib
from functools import cache
from typing import Any, Final

from sqlalchemy import Table, Update, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.crypto import CannotOpen, is_tied, open_sealed
from bot.domain.ritual import Terms
from bot.storage.responses import as_said
from bot.storage.schema import pair_members, pairs, reflections, responses, ritual_seats, rituals
from bot.storage.ties import NOBODY, Ties, of_consent, of_landing, of_pair, of_put_in, of_response, of_words
from bot.storage.users import Users

_BREATH: Final = 50
"""How many rows we seal before we let other tasks run."""

Change = dict[str, Any]


@cache
def _setting(table: Table, names: tuple[str, ...]) -> Update:
    """Return the statement that sets these columns of a row."""
    columns = {name: bindparam(name, type_=table.c[name].type) for name in names}
    return update(table).where(table.c.id == bindparam("about")).values(columns)


class Tying:
    """Ties the rows of users from before there were ties."""

    def __init__(self, connection: AsyncConnection, users: Users) -> None:
        self._connection = connection
        self._users = users
        self._sealed = 0

    async def tie(self, user_id: int) -> bool:
        """Tie all rows of this user, for whom the transaction must have been opened. False if there is nothing to do.

        Values that don't open stay as they are, and stay unreadable. Raises KeyMismatch.
        """
        if await self._users.find(user_id) is None or not await self._users.untied(user_id):
            return False
        # In the same order in which others lock these rows.
        await self._tie_reflections(user_id)
        await self._tie_responses(user_id)
        await self._seal_landings(user_id)
        await self._seal_put_in(user_id)
        await self._prove_pairs(user_id)
        await self._users.all_tied(user_id)
        return True

    async def _tie_reflections(self, user_id: int) -> None:
        changes = []
        for row in await self._locked(select(reflections).where(reflections.c.user_id == user_id), reflections):
            change: Change = {"words": row.words, "rewording": row.rewording, "consent": row.consent}
            for column in ("words", "rewording"):
                ties = of_words(row.pair_id, row.partner_id)
                change[column] = await self._tied(user_id, change[column], reflections, column, row.id, ties)
            if row.consent is None and row.shared_at and row.partner_id != NOBODY:
                ties = of_consent(row.pair_id, row.partner_id, row.due_at)
                change["consent"] = await self._seal(user_id, row.wish or "", reflections, "consent", row.id, ties)
            changes.append({"about": row.id, **change})
        await self._store(reflections, changes)

    async def _tie_responses(self, user_id: int) -> None:
        query = (
            select(responses, reflections.c.user_id.label("sharer_id"))
            .join(reflections, reflections.c.id == responses.c.reflection_id)
            .where(responses.c.user_id == user_id)
        )
        changes = []
        for row in await self._locked(query, responses):
            ties = of_response(row.reflection_id, row.sharer_id, sent=row.sent_at is not None)
            changes.append(
                {"about": row.id, "words": await self._tied(user_id, row.words, responses, "words", row.id, ties)}
            )
        await self._store(responses, changes)

    async def _seal_landings(self, user_id: int) -> None:
        query = (
            select(responses)
            .join(reflections, reflections.c.id == responses.c.reflection_id)
            .where(reflections.c.user_id == user_id, responses.c.landed.is_not(None))
        )
        changes = []
        for row in await self._locked(query, responses):
            said, ties = as_said(well=bool(row.landed)), of_landing(row.reflection_id)
            landing = row.landing or await self._seal(user_id, said, responses, "landing", row.id, ties)
            changes.append({"about": row.id, "landing": landing, "landed": None})
        await self._store(responses, changes)

    async def _seal_put_in(self, user_id: int) -> None:
        query = (
            select(ritual_seats, rituals.c.next_at)
            .join(rituals, rituals.c.id == ritual_seats.c.ritual_id)
            .where(ritual_seats.c.user_id == user_id, ritual_seats.c.terms.is_not(None))
        )
        changes = []
        for row in await self._locked(query, ritual_seats):
            consent = row.consent
            if consent is None and row.reflection_id and row.terms in set(Terms):
                ties = of_put_in(row.ritual_id, row.next_at, row.reflection_id)
                consent = await self._seal(user_id, row.terms, ritual_seats, "consent", row.id, ties)
            changes.append({"about": row.id, "consent": consent, "terms": None})
        await self._store(ritual_seats, changes)

    async def _prove_pairs(self, user_id: int) -> None:
        query = (
            select(pairs.c.id, pairs.c.a, pairs.c.b)
            .join(pair_members, pair_members.c.pair_id == pairs.c.id)
            .where(pair_members.c.user_id == user_id, pair_members.c.proof.is_(None))
        )
        for row in await self._connection.execute(query):
            proof = await self._seal(user_id, "", pair_members, "proof", row.id, of_pair(row.a, row.b))
            of_user = (pair_members.c.user_id == user_id, pair_members.c.pair_id == row.id)
            await self._connection.execute(update(pair_members).where(*of_user).values(proof=proof))

    async def _locked(self, query: Any, table: Table) -> list[Any]:
        """Return these rows, locked until this transaction ends."""
        return list(
            await self._connection.execute(query.order_by(table.c.id).with_for_update(of=table, key_share=True))
        )

    async def _tied(
        self, user_id: int, sealed: bytes | None, table: Table, column: str, row: int, ties: Ties
    ) -> bytes | None:
        if sealed is None or is_tied(sealed):
            return sealed
        place = await self._users.place(user_id, table=table.name, column=column, row=row, tied_to=ties)
        with contextlib.suppress(CannotOpen):
            words = open_sealed(await self._users.data_key(user_id), sealed, **place)
            return await self._seal(user_id, words, table, column, row, ties)
        return sealed

    async def _seal(self, user_id: int, words: str, table: Table, column: str, row: int, ties: Ties) -> bytes:
        self._sealed += 1
        if self._sealed % _BREATH == 0:
            await asyncio.sleep(0)
        return await self._users.seal(user_id, words, table=table.name, column=column, row=row, tied_to=ties)

    async def _store(self, table: Table, changes: list[Change]) -> None:
        if not changes:
            return
        names = tuple(name for name in changes[0] if name != "about")
        await self._connection.execute(_setting(table, names), changes)
