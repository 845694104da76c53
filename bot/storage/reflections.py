"""Rows of Reflections. Every move is a conditional update, so that if two happen at once only one takes effect.

The words are sealed with the sharer's data key, for one receiver in one Pair. They are opened here for two people: for
the sharer at any time, and for the receiver only after they opened the Reflection. For the receiver it exists only with
the sharer's yes to this receiver and this time, which is sealed together with the Wish. A row that says anything else
doesn't count, whoever wrote it.
"""

import contextlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, and_, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.crypto import CannotOpen, open_sealed
from bot.domain.content import Wish
from bot.domain.sharing import ENDED, MOVES, READABLE, UNOPENED, Move, Reflection, State
from bot.storage.columns import Instant, Sealed
from bot.storage.damage import Place, open_or_damaged, open_or_none
from bot.storage.endings import Ended
from bot.storage.schema import lines, reflections
from bot.storage.ties import NOBODY, of_consent, of_words
from bot.storage.users import Users

_WORDS: Final = {"words", "rewording", "question"}
_APART: Final = _WORDS | {"drafted_at", "rewording_id", "consent"}
_FACTS: Final = tuple(column for column in reflections.c if column.name not in _APART)
_SEALED: Final = (*_FACTS, reflections.c.words, reflections.c.consent)
_NO_WORDS: Final[Mapping[str, Any]] = {"words": None, "rewording": None, "question": None}
_OUT: Final = (State.SCHEDULED, State.ANNOUNCED)

# Statements that nearly every tap on a Reflection needs are built once: building one takes longer than executing it.
_FIND: Final = select(*_FACTS).where(reflections.c.id == bindparam("about"))
_FIND_MINE: Final = _FIND.where(reflections.c.user_id == bindparam("sharer"))
_FIND_SEALED: Final = select(*_SEALED).where(
    reflections.c.id.in_(bindparam("ids", expanding=True)),
    reflections.c.user_id == bindparam("sharer"),
    reflections.c.words.is_not(None),
)
_FIND_WITH_LINE: Final = _FIND_SEALED.add_columns(lines.c.words.label("of_line")).join(
    lines, lines.c.id == reflections.c.line_id
)
_FIND_THEIRS: Final = select(*_SEALED).where(
    reflections.c.id == bindparam("about"),
    reflections.c.partner_id == bindparam("receiver"),
    reflections.c.state.not_in((State.DRAFTED, State.LAPSED)),
    reflections.c.shared_at.is_not(None),
)
_FIND_OPENED: Final = select(*_SEALED, reflections.c.question).where(
    reflections.c.id == bindparam("about"),
    reflections.c.partner_id == bindparam("receiver"),
    reflections.c.state.in_(READABLE),
    reflections.c.words.is_not(None),
)
_FIND_OF_LINE: Final = (
    select(*_FACTS)
    .where(reflections.c.line_id == bindparam("line"), reflections.c.state.not_in(ENDED), reflections.c.ritual == 0)
    .order_by(reflections.c.drafted_at.desc())
    .limit(1)
)
_FIND_QUESTION: Final = select(*_FACTS, reflections.c.question).where(reflections.c.id == bindparam("about"))
_MOVE: Final = update(reflections).where(
    reflections.c.id == bindparam("about"), reflections.c.state.in_(bindparam("starts", expanding=True))
)
_MOVE_IF_DUE: Final = _MOVE.where(reflections.c.due_at <= bindparam("at", type_=Instant))
_FOR_NOBODY: Final = (
    update(reflections)
    .where(reflections.c.id == bindparam("about"))
    .values(
        partner_id=NOBODY,
        consent=None,
        words=bindparam("words", type_=Sealed),
        rewording=bindparam("rewording", type_=Sealed),
        question=bindparam("question", type_=Sealed),
    )
)


class Reflections:
    """Reflections, as seen by the sharer and by the receiver."""

    def __init__(self, connection: AsyncConnection, users: Users) -> None:
        self._connection = connection
        self._users = users

    async def draft(self, reflection: Reflection, words: str, now: datetime, *, question: str | None = None) -> None:
        """Store a draft of these words, with the id of the prompt that goes with them."""
        await self._connection.execute(
            insert(reflections).values(
                id=reflection.id,
                user_id=reflection.user_id,
                partner_id=reflection.partner_id,
                pair_id=reflection.pair_id,
                line_id=reflection.line_id,
                state=reflection.state,
                depth=reflection.depth,
                wish=reflection.wish,
                cue_id=reflection.cue_id,
                words=await self._seal(reflection, "words", words),
                question=await self._seal(reflection, "question", question) if question else None,
                drafted_at=now,
                ritual=int(reflection.ritual),
            )
        )

    async def mine(self, user_id: int, reflection_id: int) -> Reflection | None:
        """Return the Reflection if this user is its sharer."""
        return await self._one(_FIND_MINE, {"about": reflection_id, "sharer": user_id})

    async def any(self, reflection_id: int) -> Reflection | None:
        """Return this Reflection, whoever its sharer is."""
        return await self._one(_FIND, {"about": reflection_id})

    async def all_back_to_draft(self, now: datetime) -> list[Reflection]:
        """Turn all scheduled or announced Reflections back into drafts, begun now. Return them.

        What was put in for a Ritual lapses, as the bot asks for it again the next morning.
        """
        of_ritual = await self._connection.execute(
            select(reflections.c.id).where(reflections.c.state == State.DRAFTED, reflections.c.ritual == 1)
        )
        await self.lapse(list(of_ritual.scalars()))
        return await self.back_to_draft(None, now)

    async def back_to_draft(self, reflection_id: int | None, now: datetime) -> list[Reflection]:
        """Turn one scheduled or announced Reflection, or all of them, back into drafts. Return them."""
        out = [reflections.c.state.in_(_OUT), *([reflections.c.id == reflection_id] if reflection_id else [])]
        found = await self._many(select(*_FACTS).where(*out))
        await self._connection.execute(
            update(reflections)
            .where(*out)
            .values(
                state=State.DRAFTED, shared_at=None, due_at=None, remind_at=None, announced_at=None, drafted_at=now,
                ritual=0, consent=None,
            )
        )  # fmt: skip
        return found

    async def theirs(self, user_id: int, reflection_id: int) -> Reflection | None:
        """Return the Reflection if this user is its receiver and it has been shared with them."""
        found = await self._connection.execute(_FIND_THEIRS, {"about": reflection_id, "receiver": user_id})
        row = found.one_or_none()
        return await self._as_given(row) if row else None

    async def of_line(self, line_id: int) -> Reflection | None:
        """Return the Reflection of this Line that was shared or is being drafted, and hasn't ended."""
        return await self._one(_FIND_OF_LINE, {"line": line_id})

    async def tell_answered(self, reflection_id: int) -> None:
        """Note that the sharer sees the Response."""
        await self._connection.execute(update(reflections).where(reflections.c.id == reflection_id).values(told=True))

    async def all_of_line(self, line_id: int) -> list[Reflection]:
        """Return every Reflection of this Line that was scheduled and not taken back, the latest first.

        It includes those that were cancelled with their Pair; the caller decides who may know about them.
        """
        return await self._many(
            select(*_FACTS)
            .where(
                reflections.c.line_id == line_id,
                reflections.c.shared_at.is_not(None),
                reflections.c.due_at.is_not(None),
                reflections.c.state.in_((*_OUT, *READABLE, State.CANCELLED)),
            )
            .order_by(reflections.c.due_at.desc())
        )

    async def is_shared(self, line_id: int, *, unheard: int | None) -> bool:
        """Return whether this Line was shared and not taken back, opened or not.

        `unheard` is a Pair whose end its sharer hasn't heard of: to them the Line still looks shared.
        """
        found = await self._connection.execute(
            select(reflections.c.id)
            .where(
                reflections.c.line_id == line_id,
                reflections.c.shared_at.is_not(None),
                or_(
                    reflections.c.state.in_((*_OUT, *READABLE)),
                    and_(reflections.c.state == State.CANCELLED, reflections.c.pair_id == unheard),
                ),
            )
            .limit(1)
        )
        return found.first() is not None

    async def shared_by(self, user_id: int, pair_id: int, since: datetime, limit: int) -> list[Reflection]:
        """Return what this user has shared and not taken back that is due at `since` or later, opened or not.

        At most the latest `limit` of them are returned, the earliest of these first.
        """
        found = await self._many(
            select(*_FACTS)
            .where(
                reflections.c.user_id == user_id,
                reflections.c.due_at >= since,
                reflections.c.pair_id == pair_id,
                reflections.c.state.in_((*_OUT, *READABLE)),
                reflections.c.words.is_not(None),
            )
            .order_by(reflections.c.due_at.desc())
            .limit(limit)
        )
        return found[::-1]

    async def waiting_for(self, user_id: int, pair_id: int, now: datetime, limit: int) -> list[Reflection]:
        """Return the Reflections that this receiver could open now, the longest waiting first."""
        return await self._many_given(
            select(*_SEALED)
            .where(
                reflections.c.partner_id == user_id,
                reflections.c.state.in_(_OUT),
                reflections.c.pair_id == pair_id,
                reflections.c.due_at <= now,
            )
            .order_by(reflections.c.due_at, reflections.c.id),
            limit=limit,
        )

    async def unopened(self, user_id: int, pair_id: int, ids: Collection[int]) -> list[Reflection]:
        """Return those of these Reflections that are scheduled or announced to this receiver, ordered by time."""
        return await self._many_given(
            select(*_SEALED)
            .where(
                reflections.c.id.in_(ids),
                reflections.c.partner_id == user_id,
                reflections.c.pair_id == pair_id,
                reflections.c.state.in_(_OUT),
            )
            .order_by(reflections.c.due_at, reflections.c.id)
        )

    async def announced_in(self, user_id: int, pair_id: int, announcement_id: int) -> list[Reflection]:
        """Return the unopened Reflections that one message announced to this receiver, ordered by time."""
        return await self._many_given(
            select(*_SEALED)
            .where(
                reflections.c.partner_id == user_id,
                reflections.c.state == State.ANNOUNCED,
                reflections.c.pair_id == pair_id,
                reflections.c.announcement_id == announcement_id,
            )
            .order_by(reflections.c.due_at, reflections.c.id)
        )

    async def announced_since(self, user_id: int, pair_id: int, since: datetime) -> list[Reflection]:
        """Return the Reflections announced to this receiver after `since`, whatever has become of them."""
        return await self._many(
            select(*_FACTS).where(
                reflections.c.partner_id == user_id,
                reflections.c.pair_id == pair_id,
                reflections.c.announced_at > since,
            )
        )

    async def has_closed(self, user_id: int, pair_id: int) -> bool:
        """Return whether this receiver has announced Reflections that they haven't opened."""
        return bool(
            await self._many_given(
                select(*_SEALED).where(
                    reflections.c.partner_id == user_id,
                    reflections.c.state == State.ANNOUNCED,
                    reflections.c.pair_id == pair_id,
                ),
                limit=1,
            )
        )

    async def move(self, reflection: Reflection, move: Move, **facts: Any) -> Reflection | None:
        """Make this move and set these facts. None if the move is no longer possible."""
        starts, end = MOVES[move]
        more = dict(_NO_WORDS) if end in ENDED - {State.CANCELLED} else {}
        if move is Move.SCHEDULE:
            if not await self._is_of_sharer(reflection):
                return None
            given = replace(reflection, **facts)
            more["consent"] = await self._consent(given, given.due_at)
        changed = {"about": reflection.id, "starts": list(starts), "state": end, **facts, **more}
        if opened_at := facts.get("opened_at"):
            done = await self._connection.execute(_MOVE_IF_DUE, {**changed, "at": opened_at})
        else:
            done = await self._connection.execute(_MOVE, changed)
        if done.rowcount and end in ENDED:
            self._users.removed_words = True
            self._users.ends(Ended.WITHDRAWN, reflection.id)
        elif done.rowcount and move is Move.SCHEDULE and reflection.state is State.SCHEDULED:
            self._users.ends(Ended.CHANGED, reflection.id)
        return replace(reflection, state=end, **facts) if done.rowcount else None

    async def announce(self, ids: Collection[int], now: datetime, announcement_id: int | None = None) -> set[int]:
        """Note that these Reflections are announced to the receiver; with an `announcement_id`, in one message.

        Return the ids of those that are now announced.
        """
        if not ids:
            return set()
        await self._lock(reflections.c.id.in_(ids))
        starts, end = MOVES[Move.ANNOUNCE]
        done = await self._connection.execute(
            update(reflections)
            .where(reflections.c.id.in_(ids), reflections.c.state.in_(starts))
            .values(
                state=end,
                announced_at=func.coalesce(reflections.c.announced_at, bindparam("now", now, Instant)),
                **({"announcement_id": announcement_id} if announcement_id else {}),
            )
            .returning(reflections.c.id)
        )
        return set(done.scalars())

    async def wish(self, reflection: Reflection, wish: Wish, cue_id: str | None = None) -> bool:
        """Set the Wish, and the Cue that is previewed with it. False if the Reflection has ended or was opened."""
        facts: dict[str, Any] = {"wish": wish, "cue_id": cue_id}
        if reflection.due_at:
            if await self._given(reflection) is None:
                return False
            facts["consent"] = await self._consent(replace(reflection, wish=wish), reflection.due_at)
            self._users.ends(Ended.CHANGED, reflection.id)
        return await self._change(reflection, **facts)

    async def reword(self, reflection: Reflection, words: str) -> bool:
        """Set new words. False if the Reflection has ended or was opened."""
        if not await self._is_of_sharer(reflection):
            return False
        self._users.removed_words = True
        return await self._change(reflection, words=await self._seal(reflection, "words", words), rewording=None)

    async def set_question(self, reflection: Reflection, question: str | None) -> bool:
        """Set the prompt that goes with the words, or none. False if the Reflection has ended or was opened."""
        if not await self._is_of_sharer(reflection):
            return False
        if reflection.due_at:
            self._users.ends(Ended.CHANGED, reflection.id)
        sealed = await self._seal(reflection, "question", question) if question else None
        return await self._change(reflection, question=sealed)

    async def set_words(self, draft: Reflection, words: str) -> bool:
        """Give a draft other words. False if it has ended or was opened."""
        if not await self._is_of_sharer(draft):
            return False
        self._users.removed_words = True
        return await self._change(draft, words=await self._seal(draft, "words", words))

    async def question(self, reflection: Reflection) -> str | None:
        """Return the id of the prompt that goes with the words, for the sharer."""
        row = (await self._connection.execute(_FIND_QUESTION, {"about": reflection.id})).one_or_none()
        return await self._open_or_none(row, "question") if row and row.question else None

    async def propose(self, reflection: Reflection, words: str, message_id: int) -> None:
        """Store new words that wait for the sharer's yes, and the message that they came as. Raises CannotOpen."""
        await self.words(reflection)  # raises for a row that was tampered with, which gets no new words either
        sealed = await self._seal(reflection, "rewording", words)
        await self._connection.execute(
            update(reflections)
            .where(reflections.c.id == reflection.id, reflections.c.state.not_in(ENDED))
            .values(rewording=sealed, rewording_id=message_id)
        )

    async def use_proposed(self, reflection: Reflection, due_at: datetime | None) -> bool:
        """Replace the words with the proposed ones, to go out at `due_at`. False if it has ended or was opened."""
        words = await self.proposed(reflection)
        if words is None:
            return False
        if (given := await self._given(reflection)) is None:
            return False
        self._users.removed_words = True
        self._users.ends(Ended.CHANGED, reflection.id)
        sealed = await self._seal(reflection, "words", words)
        consent = await self._consent(given, due_at)
        return await self._change(reflection, words=sealed, rewording=None, due_at=due_at, consent=consent)

    async def words(self, reflection: Reflection) -> str | None:
        """Return the words, for the sharer. None if they are gone."""
        row = await self._sealed(reflection.user_id, [reflection.id])
        return await self._open(row[0], "words") if row else None

    async def words_of(self, user_id: int, ids: Collection[int]) -> dict[int, str]:
        """Return the words of several Reflections by id, for showing to their sharer; DAMAGED if they don't open."""
        key = await self._users.data_key(user_id)
        return {
            row.id: open_or_damaged(key, row.words, **await self._place(row, "words"))
            for row in await self._sealed(user_id, ids)
        }

    async def reworded(self, user_id: int, ids: Collection[int]) -> set[int]:
        """Return the ids of those of a sharer's Reflections whose words aren't those of their Line."""
        key = await self._users.data_key(user_id)
        found = await self._connection.execute(_FIND_WITH_LINE, {"ids": list(ids), "sharer": user_id})
        return {
            row.id
            for row in found
            if open_or_damaged(key, row.words, **await self._place(row, "words"))
            != open_or_damaged(key, row.of_line, table="lines", column="words", row=row.line_id, user=user_id)
        }

    async def _sealed(self, user_id: int, ids: Collection[int]) -> list[Any]:
        return list(await self._connection.execute(_FIND_SEALED, {"ids": list(ids), "sharer": user_id}))

    async def proposed(self, reflection: Reflection) -> str | None:
        """Return the new words that wait for the sharer's yes."""
        query = select(*_FACTS, reflections.c.rewording)
        row = (await self._connection.execute(query.where(reflections.c.id == reflection.id))).one_or_none()
        return await self._open(row, "rewording") if row and row.rewording else None

    async def proposed_by(self, reflection: Reflection) -> int | None:
        """Return the message that the proposed words came as; None if there are none."""
        found = await self._connection.execute(
            select(reflections.c.rewording_id).where(
                reflections.c.id == reflection.id, reflections.c.rewording.is_not(None)
            )
        )
        message_id: int | None = found.scalar_one_or_none()
        return message_id

    async def words_for(self, user_id: int, reflection_id: int) -> str | None:
        """Return the words, for the receiver. None unless it is theirs and opened, or if the words are gone."""
        row = await self._opened_by(user_id, reflection_id)
        return await self._open(row, "words") if row else None

    async def question_for(self, user_id: int, reflection_id: int) -> str | None:
        """Return the id of the prompt that goes with the words, for the receiver, like `words_for`."""
        row = await self._opened_by(user_id, reflection_id)
        return await self._open_or_none(row, "question") if row and row.question else None

    async def _opened_by(self, user_id: int, reflection_id: int) -> Any:
        found = await self._connection.execute(_FIND_OPENED, {"about": reflection_id, "receiver": user_id})
        row = found.one_or_none()
        return row if row and await self._as_given(row) else None

    async def drop_draft(self, reflection: Reflection) -> None:
        await self._connection.execute(
            delete(reflections).where(reflections.c.id == reflection.id, reflections.c.state == State.DRAFTED)
        )
        self._users.removed_words = True
        self._users.ends(Ended.WITHDRAWN, reflection.id)

    async def line_deleted(self, line_id: int) -> list[int]:
        """Take back a deleted Line's unopened Reflections, and remove every copy of its words. Return their ids."""
        of_line = reflections.c.line_id == line_id
        await self._lock(of_line)
        taken = await self._connection.execute(
            update(reflections)
            .where(of_line, reflections.c.state.in_(UNOPENED))
            .values(state=State.WITHDRAWN, **_NO_WORDS)
            .returning(reflections.c.id)
        )
        ids = list(taken.scalars())
        await self._connection.execute(update(reflections).where(of_line).values(**_NO_WORDS))
        self._users.removed_words = True
        return ids

    async def cancel_pair(self, pair_id: int) -> list[int]:
        """Cancel all unopened Reflections of both users, because the Pair has ended. Return the ids.

        The words stay for their sharer's export. Without them it would reveal that the partner has left, and which ones
        the partner had opened.
        """
        await self._lock(reflections.c.pair_id == pair_id, reflections.c.state.in_(UNOPENED))
        cancelled = await self._connection.execute(
            update(reflections)
            .where(reflections.c.pair_id == pair_id, reflections.c.state.in_(UNOPENED))
            .values(state=State.CANCELLED)
            .returning(reflections.c.id)
        )
        return list(cancelled.scalars())

    async def withdraw_all(self, user_id: int, *, unheard: int | None) -> list[int]:
        """Take back all scheduled or announced Reflections of this sharer. Return the ids.

        `unheard` is a Pair whose end the sharer hasn't heard of: those cancelled with it look the same to them. Those
        cancelled with an earlier Pair stay, or the export would reveal which of that Pair's had been opened.
        """
        out = (
            reflections.c.user_id == user_id,
            or_(
                reflections.c.state.in_(_OUT),
                and_(reflections.c.state == State.CANCELLED, reflections.c.pair_id == unheard),
            ),
            reflections.c.shared_at.is_not(None),
        )
        await self._lock(*out)
        withdrawn = await self._connection.execute(
            update(reflections).where(*out).values(state=State.WITHDRAWN, **_NO_WORDS).returning(reflections.c.id)
        )
        ids = list(withdrawn.scalars())
        self._users.removed_words |= bool(ids)
        for each in ids:
            self._users.ends(Ended.WITHDRAWN, each)
        return ids

    async def answered_in(self, pair_id: int) -> list[int]:
        """Return the ids of this Pair's Reflections that were answered."""
        found = await self._connection.execute(
            select(reflections.c.id).where(reflections.c.pair_id == pair_id, reflections.c.state == State.ANSWERED)
        )
        return list(found.scalars())

    async def lapse(self, ids: Sequence[int]) -> None:
        """Let these drafts lapse."""
        starts, end = MOVES[Move.LAPSE]
        await self._connection.execute(
            update(reflections)
            .where(reflections.c.id.in_(ids), reflections.c.state.in_(starts))
            .values(state=end, **_NO_WORDS)
        )
        self._users.removed_words |= bool(ids)
        for reflection_id in ids:
            self._users.ends(Ended.WITHDRAWN, reflection_id)

    async def forget_partner(self, user_id: int) -> None:
        """Forget that anything was shared with this user, who is gone for good. The sharers keep their words."""
        found = await self._connection.execute(
            select(*_FACTS, *(reflections.c[name] for name in sorted(_WORDS)))
            .where(reflections.c.partner_id == user_id)
            .order_by(reflections.c.id)
            .with_for_update()
        )
        changes = [{"about": row.id, **await self._for_nobody(row)} for row in found]
        if changes:
            await self._connection.execute(_FOR_NOBODY, changes)

    async def _for_nobody(self, row: Any) -> dict[str, bytes | None]:
        """Return the words resealed for nobody but their sharer. Words that don't open stay as they are."""
        alone = replace(_reflection(row), partner_id=NOBODY)
        changed = {}
        for column in _WORDS:
            sealed = getattr(row, column)
            with contextlib.suppress(CannotOpen):
                sealed = sealed and await self._seal(alone, column, await self._open(row, column))
            changed[column] = sealed
        return changed

    async def tidy(self, drafted_before: datetime, ended_before: datetime) -> int:
        """Let unconfirmed drafts lapse, and remove Reflections that ended long ago. Return how many drafts lapsed.

        Those that were shared and then cancelled with their Pair stay, like the ones opened before.
        """
        lapsed = await self._connection.execute(
            update(reflections)
            .where(
                reflections.c.drafted_at < drafted_before,
                reflections.c.state.in_((State.DRAFTED, State.CANCELLED)),
                reflections.c.shared_at.is_(None),
                reflections.c.ritual == 0,
            )
            .values(state=State.LAPSED, **_NO_WORDS)
        )
        await self._connection.execute(
            delete(reflections).where(
                reflections.c.drafted_at < ended_before,
                reflections.c.state.in_(ENDED),
                or_(reflections.c.state != State.CANCELLED, reflections.c.shared_at.is_(None)),
            )
        )
        return lapsed.rowcount

    async def _change(self, reflection: Reflection, **facts: Any) -> bool:
        done = await self._connection.execute(
            update(reflections)
            .where(reflections.c.id == reflection.id, reflections.c.state.in_(UNOPENED))
            .values(**facts)
        )
        return bool(done.rowcount)

    async def _given(self, reflection: Reflection) -> Reflection | None:
        """Return the Reflection as its sharer agreed to share it; None if they didn't, whatever its row says."""
        query = select(*_SEALED).where(reflections.c.id == reflection.id, reflections.c.user_id == reflection.user_id)
        row = (await self._connection.execute(query)).one_or_none()
        return await self._as_given(row) if row else None

    async def _as_given(self, row: Any) -> Reflection | None:
        """Return the Reflection with its Wish, if its sharer agreed to show it to this receiver at this time."""
        key = await self._users.data_key(row.user_id)
        place = await self._place(row, "consent")
        if row.consent is None and place.get("untied"):
            wish = row.wish
        elif (wish := open_or_none(key, row.consent, **place)) is None:
            return None
        if row.words is not None and open_or_none(key, row.words, **await self._place(row, "words")) is None:
            return None
        return replace(_reflection(row), wish=Wish(wish) if wish else None)

    async def _is_of_sharer(self, reflection: Reflection) -> bool:
        """Return whether the row's receiver is the one it was written for; if not, we seal nothing new for them."""
        key = await self._users.data_key(reflection.user_id)
        sealed = await self._sealed(reflection.user_id, [reflection.id])
        return not sealed or open_or_none(key, sealed[0].words, **await self._place(sealed[0], "words")) is not None

    async def _consent(self, reflection: Reflection, due_at: datetime | None) -> bytes:
        return await self._users.seal(
            reflection.user_id, reflection.wish or "", table="reflections", column="consent", row=reflection.id,
            tied_to=of_consent(reflection.pair_id, reflection.partner_id, due_at),
        )  # fmt: skip

    async def _seal(self, reflection: Reflection, column: str, words: str) -> bytes:
        return await self._users.seal(
            reflection.user_id, words, table="reflections", column=column, row=reflection.id,
            tied_to=of_words(reflection.pair_id, reflection.partner_id),
        )  # fmt: skip

    async def _open(self, row: Any, column: str) -> str:
        key = await self._users.data_key(row.user_id)
        return open_sealed(key, getattr(row, column), **await self._place(row, column))

    async def _open_or_none(self, row: Any, column: str) -> str | None:
        key = await self._users.data_key(row.user_id)
        return open_or_none(key, getattr(row, column), **await self._place(row, column))

    async def _place(self, row: Any, column: str) -> Place:
        ties = of_words(row.pair_id, row.partner_id)
        if column == "consent":
            ties = of_consent(row.pair_id, row.partner_id, row.due_at)
        return await self._users.place(row.user_id, table="reflections", column=column, row=row.id, tied_to=ties)

    async def _lock(self, *conditions: Any) -> None:
        """Lock these rows until this transaction ends.

        Every method that changes several rows locks them in the same order, so that two transactions don't deadlock.
        """
        query = select(reflections.c.id).where(*conditions).order_by(reflections.c.id).with_for_update()
        (await self._connection.execute(query)).all()

    async def _one(self, statement: Any, values: dict[str, Any]) -> Reflection | None:
        row = (await self._connection.execute(statement, values)).one_or_none()
        return _reflection(row) if row else None

    async def _many_given(self, query: Any, limit: int | None = None) -> list[Reflection]:
        """Return the first `limit` of these that their sharers agreed to share; forged rows don't count."""
        given: list[Reflection] = []
        for row in await self._connection.execute(query):
            if limit is None or len(given) < limit:
                given += [found] if (found := await self._as_given(row)) else []
        return given

    async def _many(self, query: Any) -> list[Reflection]:
        return [_reflection(row) for row in await self._connection.execute(query)]


def _reflection(row: Row[Any]) -> Reflection:
    facts = {column.name: getattr(row, column.name) for column in _FACTS}
    wish = Wish(row.wish) if row.wish else None
    return Reflection(**{**facts, "state": State(row.state), "wish": wish, "ritual": bool(row.ritual)})
