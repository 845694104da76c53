"""Rows of Rituals, and of what each of the two has put in.

The yes to putting something in is sealed with the sharer's data key, together with the terms. It holds only for this
Reflection and this moment, so that nothing else goes out, and nothing goes out earlier.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Row, and_, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.crypto import KeyMismatch
from bot.domain.model import Pair
from bot.domain.ritual import PROPOSAL_VALID_FOR, Ritual, RitualMember, Terms
from bot.domain.sharing import State
from bot.storage.conflicts import insert_into
from bot.storage.damage import open_or_none
from bot.storage.endings import Ended
from bot.storage.ids import new_id
from bot.storage.schema import reflections, ritual_seats, rituals
from bot.storage.ties import of_put_in
from bot.storage.users import Users

_MEMBERS: Final = select(ritual_seats, rituals.c.next_at).join(rituals, rituals.c.id == ritual_seats.c.ritual_id)


class _State(StrEnum):
    PROPOSED = "proposed"
    AGREED = "agreed"
    TAKEN_BACK = "taken_back"
    """A proposal that the partner had heard of; we remember it for a while."""


_ADD_SEAT: Final = insert(ritual_seats)
_IS_THERE: Final = rituals.c.state != _State.TAKEN_BACK


class Rituals:
    """Rituals, proposed or agreed: at most one per Pair."""

    def __init__(self, connection: AsyncConnection, users: Users) -> None:
        self._connection = connection
        self._users = users

    async def of_pair(self, pair_id: int, now: datetime) -> Ritual | None:
        """Return the Ritual of a Pair, or the proposal that can still be agreed to."""
        found = await self._one(select(rituals).where(rituals.c.pair_id == pair_id, _IS_THERE))
        return found if found and found.is_current(now) else None

    async def lock(self, ritual_id: int) -> Ritual | None:
        """Return this Ritual, locked until this transaction ends."""
        return await self._one(select(rituals).where(rituals.c.id == ritual_id, _IS_THERE).with_for_update())

    async def propose(self, ritual: Ritual, now: datetime) -> bool:
        """Store a proposal, replacing one that expired or was taken back. False if there already is a valid one."""
        await self._connection.execute(
            delete(rituals).where(
                rituals.c.pair_id == ritual.pair_id,
                or_(
                    rituals.c.state == _State.TAKEN_BACK,
                    and_(rituals.c.state == _State.PROPOSED, rituals.c.proposed_at <= now - PROPOSAL_VALID_FOR),
                ),
            )
        )
        done = await self._connection.execute(
            insert_into(self._connection.dialect.name, rituals)
            .values(
                id=ritual.id,
                pair_id=ritual.pair_id,
                proposer_id=ritual.proposer_id,
                weekday=ritual.weekday,
                at=ritual.at,
                zone=ritual.zone,
                proposed_at=ritual.proposed_at,
                next_at=ritual.next_at,
                state=_State.PROPOSED,
                same_question=ritual.same_question,
            )
            .on_conflict_do_nothing()
        )
        return bool(done.rowcount)

    async def agree(
        self, ritual: Ritual, pair: Pair, next_at: datetime, now: datetime, *, same_question: bool = False
    ) -> list[RitualMember]:
        """Mark the Ritual as agreed. Return its two members, or none if it was agreed before."""
        done = await self._connection.execute(
            update(rituals)
            .where(rituals.c.id == ritual.id, rituals.c.state == _State.PROPOSED)
            .values(state=_State.AGREED, next_at=next_at, same_question=same_question)
        )
        if not done.rowcount:
            return []
        members = [RitualMember(new_id(now), ritual.id, user_id) for user_id in (pair.a, pair.b)]
        await self._connection.execute(
            _ADD_SEAT,
            [{"id": member.id, "ritual_id": member.ritual_id, "user_id": member.user_id} for member in members],
        )
        return members

    async def drop(self, ritual: Ritual) -> None:
        await self._connection.execute(delete(rituals).where(rituals.c.id == ritual.id))
        self._users.ends(Ended.RITUAL, ritual.id)

    async def take_back(self, ritual: Ritual) -> None:
        """Take back a proposal that the partner has heard of, keeping the time at which it was made."""
        await self._connection.execute(
            update(rituals)
            .where(rituals.c.id == ritual.id, rituals.c.state == _State.PROPOSED)
            .values(state=_State.TAKEN_BACK)
        )
        self._users.ends(Ended.RITUAL, ritual.id)

    async def taken_back(self, pair_id: int, proposer_id: int, now: datetime) -> bool:
        """Return whether this proposer has recently made a proposal and taken it back."""
        found = await self._connection.execute(
            select(rituals.c.id).where(
                rituals.c.pair_id == pair_id,
                rituals.c.proposer_id == proposer_id,
                rituals.c.state == _State.TAKEN_BACK,
                rituals.c.proposed_at > now - PROPOSAL_VALID_FOR,
            )
        )
        return found.first() is not None

    async def members(self, ritual_id: int) -> list[RitualMember]:
        found = await self._connection.execute(
            _MEMBERS.where(ritual_seats.c.ritual_id == ritual_id).order_by(ritual_seats.c.id)
        )
        return [await self._member(row) for row in found.all()]

    async def member_of(self, user_id: int) -> RitualMember | None:
        """Return this user as a member of a Ritual; they are in one Pair at most."""
        row = (await self._connection.execute(_MEMBERS.where(ritual_seats.c.user_id == user_id))).one_or_none()
        return await self._member(row) if row else None

    async def _member(self, row: Row[Any]) -> RitualMember:
        terms = await self._terms(row) if row.reflection_id else None
        return RitualMember(row.id, row.ritual_id, row.user_id, row.reflection_id, Terms(terms) if terms else None)

    async def _terms(self, row: Row[Any]) -> str | None:
        """Return the terms; None if there is no proof of this user's yes, so that it stays private."""
        try:
            key = await self._users.data_key(row.user_id)
        except KeyMismatch:  # one of the two has no key, but the other one's moment has to come anyway
            return None
        place = await self._users.place(
            row.user_id, table="ritual_seats", column="consent", row=row.id,
            tied_to=of_put_in(row.ritual_id, row.next_at, row.reflection_id),
        )  # fmt: skip
        if row.consent is None and place.get("untied"):
            return str(row.terms) if row.terms else None
        return open_or_none(key, row.consent, **place)

    async def put_in(self, member: RitualMember, reflection_id: int | None, terms: Terms | None) -> None:
        """Store what goes out for this member at the next moment, or nothing."""
        consent = await self._consent(member, reflection_id, terms) if reflection_id and terms else None
        await self._connection.execute(
            update(ritual_seats)
            .where(ritual_seats.c.id == member.id)
            .values(reflection_id=reflection_id, terms=None, consent=consent)
        )

    async def _consent(self, member: RitualMember, reflection_id: int, terms: Terms) -> bytes:
        query = select(rituals.c.next_at).where(rituals.c.id == member.ritual_id)
        moment = (await self._connection.execute(query)).scalar_one()
        return await self._users.seal(
            member.user_id, terms, table="ritual_seats", column="consent", row=member.id,
            tied_to=of_put_in(member.ritual_id, moment, reflection_id),
        )  # fmt: skip

    async def move_on(self, ritual: Ritual, next_at: datetime) -> None:
        """Clear what was put in, after a moment, and set the next moment to `next_at`."""
        await self._connection.execute(
            update(ritual_seats)
            .where(ritual_seats.c.ritual_id == ritual.id)
            .values(reflection_id=None, terms=None, consent=None)
        )
        await self._connection.execute(update(rituals).where(rituals.c.id == ritual.id).values(next_at=next_at))

    async def drafts(self, pair_id: int) -> dict[int, int]:
        """Return the drafts for the next moment, as Reflection ids with their sharers."""
        found = await self._connection.execute(
            select(reflections.c.id, reflections.c.user_id).where(
                reflections.c.pair_id == pair_id,
                reflections.c.state == State.DRAFTED,
                reflections.c.ritual == 1,
            )
        )
        return {row.id: row.user_id for row in found}

    async def sharing_at(self, pair_id: int, moment: datetime) -> set[int]:
        """Return which of the two have scheduled something else for exactly this moment."""
        found = await self._connection.execute(
            select(reflections.c.user_id).where(
                reflections.c.pair_id == pair_id,
                reflections.c.due_at == moment,
                reflections.c.state.in_((State.SCHEDULED, State.ANNOUNCED, State.OPENED, State.ANSWERED)),
            )
        )
        return set(found.scalars())

    async def forget_before(self, proposed: datetime) -> None:
        """Remove proposals from before `proposed` that nobody agreed to."""
        await self._connection.execute(
            delete(rituals).where(rituals.c.state != _State.AGREED, rituals.c.proposed_at <= proposed)
        )

    async def _one(self, query: Any) -> Ritual | None:
        row = (await self._connection.execute(query)).one_or_none()
        return _ritual(row) if row else None


def _ritual(row: Row[Any]) -> Ritual:
    return Ritual(
        id=row.id,
        pair_id=row.pair_id,
        proposer_id=row.proposer_id,
        weekday=row.weekday,
        at=row.at,
        zone=row.zone,
        proposed_at=row.proposed_at,
        next_at=row.next_at,
        agreed=row.state == _State.AGREED,
        same_question=row.same_question,
    )
