"""Rows of the outbox: Notices that the bot still has to send. A process claims a row with a lease, then settles it."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    Row,
    Select,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from bot.domain.notices import Notice, NoticeKind
from bot.domain.results import Result
from bot.storage.batches import delete_some
from bot.storage.conflicts import insert_into
from bot.storage.direct import DirectConnection
from bot.storage.ids import new_id, rising_id
from bot.storage.schema import inbox, notices

LEASE: Final = timedelta(seconds=60)
"""Longer than any send can take, so an expired lease means that its holder is gone."""


class _State(StrEnum):
    WAITING = "waiting"
    CLAIMED = "claimed"
    SUSPENDED = "held"  # the bot may not write to its user now
    SENDING = "sending"  # from here on it may have arrived without us knowing


class Settled(StrEnum):
    """How a Notice ended."""

    SENT = "sent"
    ASSUMED = "assumed"  # may have arrived, and has used up its copies
    NEEDLESS = "needless"  # no longer applies
    GONE = "gone"  # the bot can't write to the user
    REFUSED = "refused"  # Telegram will never take it
    FAILED = "failed"  # a defect of ours, on every try


class Last(NamedTuple):
    """The newest Notice of a kind."""

    settled_at: datetime | None
    """None if it is still open."""
    arrived: bool


# Statements that every turn needs are built once: building one takes longer than executing it.
_OPEN: Final = notices.c.settled_at.is_(None)
_SETTLE_SUBJECT: Final = update(notices).where(
    _OPEN, notices.c.kind == bindparam("of_kind"), notices.c.subject_id == bindparam("of_subject")
)
_CANCEL_FOR_ASK: Final = update(notices).where(
    _OPEN, notices.c.kind.in_((NoticeKind.ASK, NoticeKind.REMINDER)), notices.c.subject_id == bindparam("ask_id")
)
_SENDING: Final = (
    update(notices)
    .where(
        notices.c.id.in_(bindparam("notice_ids", expanding=True)),
        _OPEN,
        notices.c.state == _State.CLAIMED,
        notices.c.owner == bindparam("of_owner"),
    )
    .values(state=_State.SENDING)
    .returning(notices.c.id)
)
_SETTLE: Final = update(notices).where(
    notices.c.id == bindparam("notice_id"),
    _OPEN,
    notices.c.state.not_in((_State.WAITING, _State.SUSPENDED)),
    notices.c.owner == bindparam("of_owner"),
)
_ANSWERS_OF: Final = (
    _OPEN, notices.c.user_id == bindparam("of_user"), notices.c.kind == NoticeKind.ANSWER,
)  # fmt: skip
_ELSEWHERE: Final[Any] = select(
    func.count(notices.c.id).label("number"),
    func.max(case((notices.c.state == _State.WAITING, notices.c.due_at))).label("last_due"),
).where(
    *_ANSWERS_OF,
    or_(notices.c.owner.is_(None), notices.c.owner != bindparam("of_owner"), notices.c.state == _State.CLAIMED),
)
_RELEASE_ANSWERS: Final = (
    update(notices)
    .where(
        *_ANSWERS_OF,
        notices.c.owner == bindparam("of_owner"),
        notices.c.id.not_in(bindparam("excluded", expanding=True)),
    )
    .values(state=_State.WAITING, owner=None, due_at=bindparam("at"))
    .returning(notices.c.id)
)
_ANSWERS_SAID: Final = delete(notices).where(
    notices.c.kind == NoticeKind.ANSWER, notices.c.id.in_(bindparam("notice_ids", expanding=True))
)
_EARLIER: Final = notices.alias("earlier")
_FIRST_ANSWER: Final = (
    select(func.min(_EARLIER.c.id))
    .where(
        _EARLIER.c.user_id == notices.c.user_id,
        _EARLIER.c.kind == NoticeKind.ANSWER,
        _EARLIER.c.settled_at.is_(None),
    )
    .scalar_subquery()
)
"""The user's first open answer. PostgreSQL looks it up by its index; a NOT EXISTS would become a join, which after a
flood, of which its statistics don't know yet, compares each answer with each."""
CLAIMABLE: Final = (
    _OPEN,
    notices.c.due_at <= bindparam("now"),
    or_(notices.c.kind != NoticeKind.ANSWER, notices.c.id == _FIRST_ANSWER),
)
"""The condition for due Notices, without answers that wait for an earlier one to the same user."""
_DUE: Final = (
    select(notices.c.id)
    .where(*CLAIMABLE, notices.c.id.not_in(bindparam("excluded", expanding=True)))
    .order_by(notices.c.due_at, notices.c.id)
    .limit(bindparam("count"))
)
_UNANSWERED: Final = select(inbox.c.id).where(inbox.c.lane.is_not(None), inbox.c.handled_at.is_not(None))
_DUE_ANSWERS: Final = _DUE.where(notices.c.kind == NoticeKind.ANSWER, notices.c.subject_id.in_(_UNANSWERED))
"""We find due answers through their updates, of which few are unanswered, as a million Asks may be due before them."""


def _claim(due: Select[Any]) -> Any:
    """Return the statement that claims due Notices.

    A CTE finds them, because PostgreSQL executes it once. It may repeat a subquery for each row that it looks at, which
    each time skips the rows locked by then and finds others, beyond the limit.
    """
    found = due.with_for_update(skip_locked=True, of=notices).cte("found")
    return (
        update(notices)
        .where(notices.c.id.in_(select(found.c.id)))
        .values(
            state=_State.CLAIMED,
            owner=bindparam("of_owner"),
            due_at=bindparam("lease_ends"),
            attempts=notices.c.attempts + 1,
            unclear=case((notices.c.state == _State.SENDING, notices.c.unclear + 1), else_=notices.c.unclear),
        )
        .returning(*notices.c)
    )


_CLAIM: Final = _claim(_DUE)
_CLAIM_ANSWERS: Final = _claim(_DUE_ANSWERS)
_ADD: Final = insert(notices)


@cache
def _hasten_or_add(dialect: str) -> Any:
    """Return the statement that adds a Notice, or makes the open one of this kind and subject due earlier."""
    new = insert_into(dialect, notices)
    return new.on_conflict_do_update(
        index_elements=[notices.c.subject_id, notices.c.kind],
        index_where=_OPEN,
        set_={"due_at": new.excluded.due_at},
        where=and_(notices.c.state == _State.WAITING, notices.c.due_at > new.excluded.due_at),
    )


_LOCK: Final = update(notices).where(notices.c.id == bindparam("notice_id"), _OPEN).values(state=notices.c.state)
EARLIEST: Final = select(notices.c.due_at).where(_OPEN).order_by(notices.c.due_at).limit(1)


class Notices:
    """The outbox."""

    def __init__(self, connection: DirectConnection) -> None:
        self._connection = connection
        self.postponed: set[int] = set()
        """The Notices that this transaction has put off."""
        self.due_at: datetime | None = None
        """The earliest moment for which this transaction has planned something."""

    async def add(self, new: Sequence[tuple[int, NoticeKind, int, datetime]], now: datetime) -> None:
        """Add Notices: (user, kind, subject, due)."""
        if new:
            self._plan(min(due_at for *_, due_at in new))
            await self._connection.execute_later(_ADD, *(_as_row(*each, now=now) for each in new))

    async def reschedule(
        self, user_id: int, kind: NoticeKind, subject_id: int, due_at: datetime, now: datetime
    ) -> None:
        """Add a Notice in place of the open one of this kind and subject, if there is one."""
        self._plan(due_at)
        settled = {"of_kind": kind, "of_subject": subject_id, "state": Settled.NEEDLESS, "settled_at": now}
        await self._connection.execute_later(_SETTLE_SUBJECT, settled)
        await self._connection.execute_later(_ADD, _as_row(user_id, kind, subject_id, due_at, now=now))

    async def plan_once(self, new: Sequence[tuple[int, NoticeKind, int, datetime]], now: datetime) -> None:
        """Like `add`, but skip a Notice if one of the same kind and subject is already open."""
        if new:
            self._plan(min(due_at for *_, due_at in new))
            await self._connection.execute(
                _plan_once(self._connection.dialect.name), [_as_row(*each, now=now) for each in new]
            )

    async def replace(self, kind: NoticeKind, user_ids: Collection[int], now: datetime) -> None:
        """Add a Notice about each of these users, due now, in place of an open one of this kind.

        Another transaction may be doing the same. Then its Notice, even if just claimed, counts as a new one.
        """
        self._plan(now)
        await self.cancel_all(kind, user_ids, now)
        new = [_as_row(user_id, kind, user_id, now, now=now) for user_id in sorted(user_ids)]
        await self._connection.execute_later(_renew_or_add(self._connection.dialect.name), *new)

    async def hide(self, user_id: int, at: datetime, now: datetime) -> None:
        """Plan to look for messages of this user to remove, at `at` or earlier. Each user has at most one such Notice.

        One that is being handled stays as it is, since its handler looks again after it calls `lock`.
        """
        self._plan(at)
        await self._connection.execute_later(
            _hasten_or_add(self._connection.dialect.name),
            {
                "id": new_id(now), "user_id": user_id, "kind": NoticeKind.HIDE, "subject_id": user_id, "due_at": at,
                "state": _State.WAITING, "attempts": 0, "unclear": 0,
            },
        )  # fmt: skip

    async def lock(self, notice: Notice) -> None:
        """Keep other transactions from adding or hastening a Notice of this kind and subject, until this one ends."""
        await self._connection.execute(_LOCK, {"notice_id": notice.id})

    def prefetch_answers(self, user_id: int, owner: int) -> None:
        """Have the next statement also read what `behind` needs."""
        self._connection.prefetch({"of_user": user_id, "of_owner": owner}, _ELSEWHERE)

    async def behind(self, user_id: int, owner: int, now: datetime) -> datetime | None:
        """Return when a new answer to this user is due if it has to wait behind earlier ones; None if it needn't wait.

        It has to wait unless the process `owner` is sending all of the earlier ones. One that it has claimed may still
        be waiting for its turn.
        """
        row = (await self._connection.execute(_ELSEWHERE, {"of_user": user_id, "of_owner": owner})).one()
        return (row.last_due or now) if row.number else None

    async def add_answer(
        self, user_id: int, update_id: int, result: Result, now: datetime, owner: int, *, behind: datetime | None
    ) -> Notice | None:
        """Add the answer to an update as being sent by `owner`, which does so at once.

        After a kill it therefore counts as one that may have arrived. If it has to wait until earlier answers to this
        user are sent (see `behind`), it is added unclaimed, and None is returned.
        """
        packed = result.pack()
        notice = Notice(
            rising_id(now), user_id, NoticeKind.ANSWER, update_id, behind or now + LEASE,
            attempts=1, owner=None if behind else owner, result=packed,
        )  # fmt: skip
        await self._connection.execute_later(
            _ADD,
            {
                "id": notice.id, "user_id": user_id, "kind": notice.kind, "subject_id": update_id,
                "due_at": notice.due_at, "state": _State.WAITING if behind else _State.SENDING, "attempts": 1,
                "unclear": 0, "owner": notice.owner, "result": packed,
            },
        )  # fmt: skip
        if behind:
            self._plan(behind)
            return None
        return notice

    async def answers_said(self, notice_ids: Collection[int]) -> None:
        """Remove these answers, because they were sent."""
        if notice_ids:
            await self._connection.execute_later(_ANSWERS_SAID, {"notice_ids": list(notice_ids)})

    async def release_answers(self, notice: Notice, at: datetime, *, excluding: Collection[int]) -> set[int]:
        """Release the answers to this user that this answer's owner has claimed, and put them off until `at`.

        This answer has to wait, and the others come after it. Those in `excluding` have been sent. Returns the ids.
        """
        self._plan(at)
        found = await self._connection.execute(
            _RELEASE_ANSWERS,
            {"of_user": notice.user_id, "of_owner": notice.owner, "at": at, "excluded": list(excluding)},
        )
        return set(found.scalars())

    async def release_answer_to(self, update_id: int, owner: int, now: datetime) -> None:
        """Make the answer to an update due now, unless its owner has lost it or already tried to send it from its row.

        For an owner who hasn't sent it from memory: the commit that added it seemed to fail.
        """
        await self._connection.execute(
            update(notices)
            .where(
                _OPEN,
                notices.c.kind == NoticeKind.ANSWER,
                notices.c.subject_id == update_id,
                notices.c.owner == owner,
                notices.c.state == _State.SENDING,
                notices.c.attempts == 1,
            )
            .values(state=_State.WAITING, owner=None, due_at=now)
        )
        self._plan(now)

    async def cancel(self, kind: NoticeKind, subject_id: int, now: datetime) -> bool:
        """Cancel the open Notice of this kind and subject. True if there was one."""
        done = await self._connection.execute(
            _SETTLE_SUBJECT, {"of_kind": kind, "of_subject": subject_id, "state": Settled.NEEDLESS, "settled_at": now}
        )
        return bool(done.rowcount)

    async def is_open(self, kind: NoticeKind, subject_id: int) -> bool:
        """Return whether there is an unsettled Notice of this kind and subject."""
        query = select(notices.c.id).where(_OPEN, notices.c.kind == kind, notices.c.subject_id == subject_id)
        return (await self._connection.execute(query.limit(1))).first() is not None

    async def was_tried(self, user_id: int, kind: NoticeKind, subject_id: int) -> bool:
        """Return whether a Notice of this kind and subject was, or may have been, sent to this user recently."""
        found = await self._connection.execute(
            select(notices.c.id).where(
                notices.c.user_id == user_id,
                notices.c.kind == kind,
                notices.c.subject_id == subject_id,
                notices.c.attempts > 0,
            )
        )
        return found.first() is not None

    async def last(self, user_id: int, kind: NoticeKind) -> Last | None:
        """Return how this user's newest Notice of this kind ended, as long as its row exists."""
        found = await self._connection.execute(
            select(notices.c.settled_at, notices.c.state)
            .where(notices.c.user_id == user_id, notices.c.kind == kind)
            .order_by(notices.c.id.desc())
            .limit(1)
        )
        row = found.one_or_none()
        return Last(row.settled_at, row.state == Settled.SENT) if row else None

    async def renew(self, notice: Notice, now: datetime) -> bool:
        """Extend our claim on a Notice that takes long by another LEASE. False if it is no longer ours, or settled."""
        done = await self._connection.execute(
            update(notices)
            .where(
                notices.c.id == notice.id,
                _OPEN,
                notices.c.owner == notice.owner,
                notices.c.state.in_((_State.CLAIMED, _State.SENDING)),
            )
            .values(due_at=now + LEASE)
        )
        return bool(done.rowcount)

    async def unsaid(self, user_id: int, kind: NoticeKind) -> set[int]:
        """Return the subjects of this user's open Notices of this kind that can't have arrived yet."""
        found = await self._connection.scalars(
            select(notices.c.subject_id).where(
                notices.c.user_id == user_id,
                notices.c.kind == kind,
                _OPEN,
                notices.c.state != _State.SENDING,
                notices.c.unclear == 0,
            )
        )
        return set(found)

    async def cancel_of(self, user_id: int, kind: NoticeKind, now: datetime) -> list[int]:
        """Cancel a user's open Notices of this kind. Returns their subjects."""
        cancelled = await self._connection.scalars(
            update(notices)
            .where(notices.c.user_id == user_id, notices.c.kind == kind, _OPEN)
            .values(state=Settled.NEEDLESS, settled_at=now)
            .returning(notices.c.subject_id)
        )
        return list(cancelled)

    async def cancel_for_ask(self, ask_id: int, now: datetime) -> None:
        """Cancel the open Notices about this Ask."""
        facts = {"ask_id": ask_id, "state": Settled.NEEDLESS, "settled_at": now}
        await self._connection.execute_later(_CANCEL_FOR_ASK, facts)

    async def cancel_all(self, kind: NoticeKind, subject_ids: Collection[int], now: datetime) -> None:
        """Cancel the open Notices of this kind for several subjects."""
        await self._connection.execute(
            update(notices)
            .where(notices.c.kind == kind, notices.c.subject_id.in_(subject_ids), notices.c.settled_at.is_(None))
            .values(state=Settled.NEEDLESS, settled_at=now)
        )

    async def claim(self, now: datetime, limit: int, owner: int, *, excluding: Collection[int] = ()) -> list[Notice]:
        """Claim up to `limit` due Notices for LEASE, except those in `excluding`: answers first, then the longest due.

        A user's answers come one by one. A Notice whose lease ran out while it was being sent counts as unclear, as it
        may have arrived.
        """
        facts = {"now": now, "excluded": tuple(excluding), "count": limit, "lease_ends": now + LEASE, "of_owner": owner}
        answers = [_notice(row) for row in await self._connection.execute(_CLAIM_ANSWERS, facts)]
        facts |= {"excluded": (*excluding, *(answer.id for answer in answers)), "count": limit - len(answers)}
        others = [_notice(row) for row in await self._connection.execute(_CLAIM, facts)] if facts["count"] else []
        return [*_in_order(answers), *_in_order(others)]

    async def can_claim(self, now: datetime) -> bool:
        """Return whether `claim` would find anything; that may be a Notice that its caller is sending already."""
        found = await self._connection.execute(_DUE, {"now": now, "excluded": (), "count": 1})
        return found.first() is not None

    async def sending(self, notice: Notice) -> bool:
        """Note that we begin to send this Notice.

        False if it was settled or cancelled in the meantime, or another process has taken it over.
        """
        return notice.id in await self.sending_all([notice])

    async def sending_all(self, claimed: Sequence[Notice]) -> set[int]:
        """Note that we begin to send these Notices, which one process has claimed. Return the ids as in `sending`."""
        if not claimed:
            return set()
        facts = {"notice_ids": [notice.id for notice in claimed], "of_owner": claimed[0].owner}
        return set((await self._connection.execute(_SENDING, facts)).scalars())

    async def put_off(self, notice: Notice, at: datetime) -> None:
        """Put off a Notice until `at`, because its time has not come yet. Only before anything is sent."""
        self._plan(at)
        self.postponed.add(notice.id)
        await self._connection.execute(
            update(notices)
            .where(notices.c.id == notice.id, _OPEN, notices.c.state == _State.CLAIMED, notices.c.owner == notice.owner)
            .values(state=_State.WAITING, owner=None, due_at=at, attempts=0, failures=0)
        )

    async def suspend(self, notice: Notice, until: datetime) -> None:
        """Suspend a Notice that did not arrive, until `until` or an earlier call of `resume`."""
        self._plan(until)
        self.postponed.add(notice.id)
        await self._connection.execute(
            update(notices)
            .where(
                notices.c.id == notice.id,
                _OPEN,
                notices.c.state.in_((_State.CLAIMED, _State.SENDING)),
                notices.c.owner == notice.owner,
            )
            .values(state=_State.SUSPENDED, owner=None, due_at=until, attempts=0, failures=0)
        )

    async def resume(self, user_id: int, now: datetime) -> None:
        """Make this user's suspended Notices due now: the pause is over, or the bot is no longer blocked."""
        done = await self._connection.execute(
            update(notices)
            .where(notices.c.user_id == user_id, notices.c.settled_at.is_(None), notices.c.state == _State.SUSPENDED)
            .values(state=_State.WAITING, due_at=now)
        )
        if done.rowcount:
            self._plan(now)

    async def hasten(self, kind: NoticeKind, now: datetime) -> None:
        """Make waiting Notices of this kind due now, because the clock was set back after they were planned."""
        await self._connection.execute(
            update(notices)
            .where(_OPEN, notices.c.kind == kind, notices.c.state == _State.WAITING, notices.c.due_at > now)
            .values(due_at=now)
        )

    def _plan(self, moment: datetime) -> None:
        self.due_at = min(self.due_at or moment, moment)

    async def settle(self, notice: Notice, how: Settled, now: datetime) -> bool:
        """Settle a Notice, unless it was put off or settled before. True if this call settled it."""
        done = await self._connection.execute(
            _SETTLE, {"notice_id": notice.id, "of_owner": notice.owner, "state": how, "settled_at": now}
        )
        return bool(done.rowcount)

    async def said(self, notice: Notice, now: datetime) -> None:
        """Settle a Notice that was sent, unless another process has taken it over."""
        await self._connection.execute_later(
            _SETTLE,
            {"notice_id": notice.id, "of_owner": notice.owner, "state": Settled.SENT, "settled_at": now},
        )

    async def retry(self, notice: Notice, at: datetime, *, unclear: int) -> None:
        """Try again at `at`. `unclear` is how many copies to count, as they may have arrived."""
        await self._connection.execute(
            update(notices)
            .where(notices.c.id == notice.id, _OPEN, notices.c.owner == notice.owner)
            .values(state=_State.WAITING, owner=None, due_at=at, unclear=notices.c.unclear + unclear)
        )

    async def failed(self, notice: Notice, at: datetime) -> None:
        """Try again at `at` after a defect of ours kept it from arriving."""
        await self._connection.execute(
            update(notices)
            .where(notices.c.id == notice.id, _OPEN, notices.c.owner == notice.owner)
            .values(state=_State.WAITING, owner=None, due_at=at, failures=notices.c.failures + 1)
        )

    async def release_of(self, owner: int, now: datetime) -> None:
        """Make the Notices due now that a process which is gone had claimed. Those it was sending may have arrived."""
        await self._connection.execute(
            update(notices)
            .where(
                _OPEN,
                notices.c.due_at <= now + 2 * LEASE,  # no lease ends later, even by another machine's clock
                notices.c.owner == owner,
                notices.c.state.in_((_State.CLAIMED, _State.SENDING)),
            )
            .values(due_at=now)
        )

    async def release(self, now: datetime) -> None:
        """Release every claim, because its holder is gone. Only for a database that a single process uses."""
        await self._connection.execute(
            update(notices)
            .where(notices.c.settled_at.is_(None), notices.c.state.in_((_State.CLAIMED, _State.SENDING)))
            .values(due_at=now, owner=None)
        )

    async def forget_before(self, moment: datetime, limit: int) -> int:
        """Remove up to `limit` Notices that were settled before `moment`. Returns how many there were."""
        return await delete_some(self._connection, notices, notices.c.settled_at < moment, limit)


@cache
def _renew_or_add(dialect: str) -> Any:
    """Return the statement that adds a Notice, or makes the open one of this kind and subject as good as new."""
    new = insert_into(dialect, notices)
    return new.on_conflict_do_update(
        index_elements=["subject_id", "kind"],
        index_where=_OPEN,
        set_={column: new.excluded[column] for column in ("due_at", "state", "attempts", "unclear")} | {"owner": None},
    )


@cache
def _plan_once(dialect: str) -> Any:
    statement = insert_into(dialect, notices)
    return statement.on_conflict_do_nothing(index_elements=["subject_id", "kind"], index_where=_OPEN)


def _as_row(user_id: int, kind: NoticeKind, subject_id: int, due_at: datetime, *, now: datetime) -> dict[str, Any]:
    return {
        "id": new_id(now), "user_id": user_id, "kind": kind, "subject_id": subject_id, "due_at": due_at,
        "state": _State.WAITING, "attempts": 0, "unclear": 0,
    }  # fmt: skip


def _in_order(found: Sequence[Notice]) -> list[Notice]:
    return sorted(found, key=lambda notice: notice.id)


def _notice(row: Row[Any]) -> Notice:
    return Notice(
        id=row.id,
        user_id=row.user_id,
        kind=NoticeKind(row.kind),  # type: ignore[call-arg]  # mypy takes the look-up for __new__
        subject_id=row.subject_id,
        due_at=row.due_at,
        attempts=row.attempts,
        unclear=row.unclear,
        failures=row.failures,
        owner=row.owner,
        result=row.result,
    )
