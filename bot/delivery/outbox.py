"""The outbox at work: plans due Asks, claims Notices, sends them in turn, and settles them.

An answer to an update is a row like any other Notice, but it is added as being sent already, and sent from memory at
once. While it can't be sent, all later answers to its user wait behind it. What comes of a try:

- Sent: it is settled, together with all others of that moment.
- `RateLimited`, `NotSent`: nothing has arrived; it stays, and is tried again.
- `Unclear`, `Strange`, or a kill meanwhile: it may have arrived. It is tried again, which is counted: an answer comes
  at most three times, an Ask twice, an edit until it has arrived.
- `Blocked`: the user is marked. What has to reach them at some time is held until they are back, all else is given up.
- `Unreachable`: the same without the mark, after some more tries.
- `Refused`: an incident is logged, and the Notice is given up.
- A fault of ours: after five tries an incident is logged, and the Notice is given up. Instead of an answer one sentence
  then says that it got lost.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, NamedTuple, TypeVar

import structlog

from bot.clock import Clock
from bot.delivery.courier import (
    BEFORE_THE_LAST,
    TRIES,
    Afterwards,
    Blocked,
    Courier,
    Delivered,
    NotDelivered,
    NotSent,
    RateLimited,
    Strange,
    Unclear,
    Unreachable,
)
from bot.delivery.keyed_locks import KeyedLocks
from bot.delivery.pacer import Pacer
from bot.domain.notices import BLOCKED_RETRY, Notice, NoticeKind
from bot.fence import Fence
from bot.logs import ThrottledLog, incident, safe_error
from bot.metrics import (
    ANSWER_SECONDS,
    ASKS_MISSED,
    ASKS_PLANNED,
    ASKS_SENT,
    LAST_PLANNING,
    NOTICES_LOST,
    NOTICES_RETRIED,
    NOTICES_SETTLED,
)
from bot.services.asks import Asks
from bot.services.profile import Profile
from bot.storage.notices import Settled
from bot.storage.store import Rows, Store, is_passing

T = TypeVar("T")

_CLAIM: Final = 32
_CLAIM_AHEAD: Final = 1.0
"""Beside other processes, we claim for this many seconds of our turns, since no other process can send what we
claim."""
_STALE: Final = 30.0
"""Seconds after which we give back a claimed Notice that we haven't begun to send, long before its lease ends."""
_AT_ONCE: Final = 16
"""How many Notices we send at once, at the pace of a usual bot."""
_MOST_AT_ONCE: Final = 96
_TAKES: Final = 0.1
"""Seconds from a turn until its message is settled, roughly: at a higher pace more are under way at once."""
_LOOK_AGAIN_AFTER: Final = timedelta(seconds=1)
"""How long we wait before we look again at something that is due but can't be sent yet."""
_SETTLED_WITHIN: Final = 0.05
"""Seconds that settled Notices wait for somebody else's commit, to share it."""
_BACKOFF: Final = (1, 2, 5, 10, 30, 60)
"""Seconds until the next try, by the number of earlier tries."""
_UNTIL_FOUND: Final = (30, 120, 600, 1800)
"""The same for a chat that Telegram doesn't find."""
_TOMORROW: Final = timedelta(days=1)

log = structlog.stdlib.get_logger(__name__)
throttled = ThrottledLog(log)


class Ready(NamedTuple):
    """An answer that can be sent from memory."""

    notice: Notice | None
    """Its row, which is claimed; None if it has to wait as a row, behind earlier ones to its user."""
    send: Callable[[], Awaitable[Afterwards]]
    """Sends it. Raises a NotDelivered."""
    late: Callable[[], Coroutine[Any, Any, None]]
    """Called if it can't be sent at once."""


class _Said(NamedTuple):
    """An answer that was sent and isn't settled yet."""

    notice: Notice
    afterwards: Afterwards | None
    settled: asyncio.Future[None]


def _ignore(_moment: datetime) -> None:
    """Do nothing, by default, about the moment when something is next due."""


class Outbox:
    """Sends due Notices. `ring` it when something may have become due."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        courier: Courier,
        pacer: Pacer,
        asks: Asks,
        profile: Profile,
        *,
        owner: int,
        alone: bool = True,
        fence: Fence | None = None,
        bell: asyncio.Event | None = None,
        clock_jumped: asyncio.Event | None = None,
        next_due: Callable[[datetime], object] = _ignore,
    ) -> None:
        """`owner` is this process's id, and `alone` means that no other process uses the database.

        While `fence` is closed, nothing is claimed. `bell` is set when something may have become due. `next_due` is
        called with the next due moment.
        """
        self._store = store
        self._clock = clock
        self._courier = courier
        self._pacer = pacer
        self._asks = asks
        self._profile = profile
        self._bell = bell or asyncio.Event()
        self._clock_jumped = clock_jumped or asyncio.Event()
        self._owner = owner
        self._alone = alone
        self._fence = fence or Fence()
        self._tasks: set[asyncio.Task[None]] = set()
        self._sending: set[int] = set()
        self._released: set[int] = set()
        """Answers that were given back before we began to send them."""
        self._answering: dict[int, asyncio.Future[None]] = {}
        self._said: list[_Said] = []
        self._unsettled: set[int] = set()
        """Answers that were sent, but whose rows don't say so yet."""
        self._settling = False
        self._room = asyncio.Semaphore(max(_AT_ONCE, min(math.ceil(pacer.rate * _TAKES), _MOST_AT_ONCE)))
        self._users = KeyedLocks()
        self._stopping = False
        self._closing = asyncio.Event()
        self._next = next_due
        self._looks = 0
        """How often we have looked for something due, successfully or not."""
        self._tries = 0
        """How often we have tried to send something, successfully or not."""

    @property
    def may_claim(self) -> bool:
        """Whether others can't have taken over yet what this process has claimed."""
        return self._fence.is_open

    @property
    def sending(self) -> int:
        """How many Notices are being sent."""
        return len(self._sending)

    async def looked(self) -> int | None:
        """Count our looks for due Notices and our tries to send one, for the watchdog; None once we are stopping."""
        return None if self._stopping else self._looks + self._tries

    async def tried(self) -> int | None:
        """For the watchdog: how often we have tried to send something.

        None while nothing is due, or while Telegram makes us wait with some chat, which can take an hour and hold up an
        export.
        """
        if self._pacer.held:
            return None
        async with self._store.reading_reserved() as rows:
            return self._tries if await rows.notices.can_claim(self._clock.now()) else None

    def stop_claiming(self) -> None:
        """Claim nothing more. Answers that are handed on are still sent."""
        self._stopping = True
        self.ring()

    def stop(self) -> None:
        """Claim nothing more, and let `run` return once everything that is being sent is settled."""
        self.stop_claiming()
        self._closing.set()

    def ring(self) -> None:
        """Make the outbox look whether something is due."""
        self._bell.set()

    async def run(self) -> None:
        """Work until stopped. A database failure is logged, and the next ring tries again."""
        try:
            while not self._stopping:
                await self._bell.wait()
                self._bell.clear()
                try:
                    await self.work()
                    LAST_PLANNING.set_to_now()
                except Exception as error:  # noqa: BLE001  # the outbox outlives any single failure; the next ring tries again
                    throttled.error("outbox.failed", error=safe_error(error))
                self._looks += 1
            await self._closing.wait()
            await self.finish()
        finally:
            for task in self._tasks:
                task.cancel()
            await self.finish()

    async def finish(self) -> None:
        """Wait until everything that is being sent is settled."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # Answers, from memory

    def hand_on(self, ready: Ready | None, due_at: datetime | None, arrived: float | None = None) -> None:
        """After a commit, send the answer that it has added, unless that has to wait.

        `due_at` is when something else that it has added is next due. `arrived` is when the update came, on the event
        loop's clock.
        """
        if due_at:
            self._next(due_at)
        if ready and ready.notice:
            notice, done = ready.notice, asyncio.get_running_loop().create_future()
            self._sending.add(notice.id)
            self._answering[notice.user_id] = done
            self._spawn(self._send_answer(notice, ready, done, arrived), f"answer {notice.id}")
        elif ready:
            self._spawn(ready.late(), "late answer")
            self.ring()

    def answering(self, user_id: int) -> asyncio.Future[None] | None:
        """Return a future that is done once this user's last answer is settled or must wait; None if there is none."""
        return self._answering.get(user_id)

    async def _send_answer(
        self, notice: Notice, ready: Ready, done: asyncio.Future[None], arrived: float | None
    ) -> None:
        claimed_at, said = self._seconds(), None
        try:
            async with self._users.locked(notice.user_id):
                if notice.id not in self._released:
                    said = await self._try(notice, claimed_at, ready.send)
                if said:
                    self._unsettled.add(notice.id)
                    self._settle_soon(_Said(notice, said, done))
            if said and arrived is not None:
                ANSWER_SECONDS.observe(self._seconds() - arrived)
        except Exception as error:  # noqa: BLE001  # its lease will expire and it will be claimed again
            throttled.error("notice.waits", notice=notice.id, error=safe_error(error))
        finally:
            self._tries += 1
            if not said:
                self._released.discard(notice.id)
                self._let_go(notice, done)
        if not said:
            await ready.late()

    def _settle_soon(self, said: _Said) -> None:
        self._said.append(said)
        if not self._settling:
            self._settling = True
            self._spawn(self._settle_gathered(), "settling")

    def _let_go(self, notice: Notice, done: asyncio.Future[None]) -> None:
        self._sending.discard(notice.id)
        self._unsettled.discard(notice.id)
        if self._answering.get(notice.user_id) is done:
            del self._answering[notice.user_id]
        if not done.done():
            done.set_result(None)

    async def _settle_gathered(self) -> None:
        """Settle the sent answers together. While one commit runs, more of them accumulate for the next."""
        try:
            while self._said:
                await self._store.share_commit(_SETTLED_WITHIN)
                said, self._said = self._said, []
                try:
                    await self._settle_together(said)
                except Exception:  # noqa: BLE001  # whichever of them it is about reports it when it is settled alone
                    for one in said:
                        self._spawn(self._settle_alone(one), "settling one")
        finally:
            self._settling = False

    async def _settle_together(self, said: Sequence[_Said]) -> None:
        """Settle what was sent, retrying for as long as the database fails. Raises any other error."""
        while True:
            try:
                await self._settle_all(said)
            except Exception as error:
                if not is_passing(error):
                    raise
                await self._stay_unsettled(error)
            else:
                break
        for one in said:
            self._let_go(one.notice, one.settled)

    async def _settle_alone(self, one: _Said) -> None:
        """Settle one of what was sent, without what can't be stored; whatever the error, it is never sent twice."""
        while True:
            try:
                return await self._settle_together([one])
            except Exception as error:  # noqa: BLE001  # as above
                if one.afterwards is None:
                    await self._stay_unsettled(error)
                else:
                    incident(log, error)
                    one = one._replace(afterwards=None)

    @staticmethod
    async def _stay_unsettled(error: Exception) -> None:
        throttled.error("answers.unsettled", error=safe_error(error))
        await asyncio.sleep(_LOOK_AGAIN_AFTER.total_seconds())

    async def _settle_all(self, said: Sequence[_Said]) -> None:
        async with self._store.writing() as rows:
            answers = [one.notice for one in said if one.notice.kind is NoticeKind.ANSWER]
            await rows.notices.answers_said([answer.id for answer in answers])
            await rows.inbox.answered([answer.subject_id for answer in answers])
            for one in said:
                if one.notice.kind is not NoticeKind.ANSWER:
                    await rows.notices.said(one.notice, self._clock.now())
                if one.afterwards:
                    await one.afterwards(rows)
        NOTICES_SETTLED.inc(Settled.SENT, by=len(said))
        if rows.due_at:
            self._next(rows.due_at)
        if not self._alone:
            self.ring()  # answers added by another process may have waited for these

    # What is due

    async def work(self) -> None:
        """Plan due Asks, and start sending everything that is due. If nothing is due, this only reads."""
        if self._clock_jumped.is_set():
            await self._send_answers_now()
        while await self._is_due():
            planned = await self._asks.plan_due(self._store, self._clock.now())
            if planned.looked_at:
                ASKS_PLANNED.inc(by=planned.asked)
                ASKS_MISSED.inc(by=planned.missed)
                log.info("asks.planned", asked=planned.asked, missed=planned.missed)
            if not await self._send_due() and not planned.looked_at:
                self._next(self._clock.now() + _LOOK_AGAIN_AFTER)
                return

    async def _send_answers_now(self) -> None:
        """Make waiting answers due, since their times are from before the clock jumped, and their chats wait for them.

        A chat that Telegram limits is still left alone, because the pacer doesn't use this clock.
        """
        self._clock_jumped.clear()
        try:
            async with self._store.writing() as rows:
                await rows.notices.hasten(NoticeKind.ANSWER, self._clock.now())
        except Exception:
            self._clock_jumped.set()  # tried again at the next ring
            raise

    async def _is_due(self) -> bool:
        """Return whether something is due. If not, report when something will be."""
        async with self._store.reading() as rows:
            due = await rows.earliest_due()
        if due is None:
            return False
        if (now := self._clock.now()) < due:  # compared exactly, even if somebody made us look shortly before
            self._next(due)
        return due <= now

    async def _send_due(self) -> bool:
        """Start sending due Notices. Return whether there were any."""
        found = False
        while not self._stopping and self.may_claim and self._may_send and (notices := await self._claim()):
            found = True
            claimed_at = self._seconds()
            self._sending.update(notice.id for notice in notices)
            for notice in notices:
                await self._room.acquire()
                self._spawn(self._send(notice, claimed_at), f"notice {notice.id}")
            if len(notices) < self._at_once:
                break
        return found

    @property
    def _may_send(self) -> bool:
        return not self._pacer.is_blocked and self._pacer.per_second > 0

    @property
    def _at_once(self) -> int:
        """How many Notices we claim at once."""
        return _CLAIM if self._alone else min(_CLAIM, max(1, math.ceil(self._pacer.per_second * _CLAIM_AHEAD)))

    async def _claim(self) -> list[Notice]:
        async with self._store.writing() as rows:
            return await rows.notices.claim(self._clock.now(), self._at_once, self._owner, excluding=self._sending)

    def _seconds(self) -> float:
        return asyncio.get_running_loop().time()

    def _is_stale(self, claimed_at: float) -> bool:
        """Return whether a claim is so old that another process may soon take it over."""
        return not self._alone and self._seconds() - claimed_at > _STALE

    async def _send(self, notice: Notice, claimed_at: float) -> None:
        try:
            if notice.kind.policy.wordless:
                await self._deliver(notice, claimed_at)
                return
            await self._pacer.wait_turn()  # before the lock: an answer to the same user needn't wait for a turn
            async with self._users.locked(notice.user_id):  # Notices due together arrive in the order they were planned
                await self._deliver(notice, claimed_at)
        except Exception as error:  # noqa: BLE001  # its lease will expire and it will be claimed again
            throttled.error("notice.waits", notice=notice.id, error=safe_error(error))
        finally:
            self._tries += 1
            self._room.release()
            self._sending.discard(notice.id)

    async def _deliver(self, notice: Notice, claimed_at: float) -> None:
        if notice.unclear >= notice.kind.policy.copies:
            await self._settle(notice, Settled.ASSUMED)
            return
        came = await self._try(notice, claimed_at, partial(self._courier.deliver, notice))
        if came is not None:
            await self._delivered(notice, came)

    async def _try(self, notice: Notice, claimed_at: float, send: Callable[[], Awaitable[T]]) -> T | None:
        """Send a Notice, unless its chat has to wait or others may soon take it over. Otherwise decide what is next.

        Returns what `send` does; None if nothing was sent.
        """
        wait = timedelta() if notice.kind.policy.wordless else self._pacer.delay_for(notice.user_id)
        if wait or self._is_stale(claimed_at):
            await self._retry(notice, wait)
            return None
        try:
            return await send()
        except NotDelivered as outcome:
            await self._undelivered(notice, outcome)
        except Exception as error:
            if is_passing(error):
                raise
            await self._failed(notice, error)
        return None

    async def _delivered(self, notice: Notice, came: Delivered | Afterwards) -> None:
        if not isinstance(came, Delivered):
            settled: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._settle_soon(_Said(notice, came, settled))
            await settled
            if notice.kind is NoticeKind.ASK:
                ASKS_SENT.inc()
            return
        if came is Delivered.SAID:
            await self._settle(notice, Settled.SENT)
        elif came is Delivered.NEEDLESS:
            await self._settle(notice, Settled.NEEDLESS)
        if came is not Delivered.SAID or notice.kind is NoticeKind.ANSWER:
            self.ring()  # others may have waited for it, or it has planned more, like a Ritual's moment

    async def _undelivered(self, notice: Notice, outcome: NotDelivered) -> None:
        match outcome:
            case RateLimited():
                self._pacer.back_off(notice.user_id, outcome.wait)
                await self._retry(notice, outcome.wait)
            case NotSent():
                await self._retry(notice, _backoff(notice.attempts))
            case Unclear():
                to_the_last = notice.kind.policy.copies - 1 - notice.unclear
                unclear = max(to_the_last, 1) if isinstance(outcome, Strange) else 1
                wait = BEFORE_THE_LAST if unclear == to_the_last else _backoff(notice.attempts)
                await self._retry(notice, wait, unclear=unclear)
            case Blocked():
                await self._gone(notice)
            case Unreachable():
                await self._not_found(notice)
            case _:
                incident(log, outcome, notice=notice.id)
                await self._settle(notice, Settled.REFUSED)

    async def _settle(self, notice: Notice, how: Settled) -> None:
        async with self._store.writing() as rows:
            await self._end(rows, notice, how)
        (NOTICES_LOST if how in NOTICES_LOST.values else NOTICES_SETTLED).inc(how)

    async def _end(self, rows: Rows, notice: Notice, how: Settled) -> None:
        if notice.kind is not NoticeKind.ANSWER:
            await rows.notices.settle(notice, how, self._clock.now())
        elif await rows.notices.settle(notice, how, self._clock.now()):
            await rows.notices.answers_said([notice.id])
            await rows.inbox.answered([notice.subject_id])

    async def _retry(self, notice: Notice, wait: timedelta, *, unclear: int = 0) -> None:
        NOTICES_RETRIED.inc()
        log.info("notice.retried", notice=notice.id, wait=wait.total_seconds(), unclear=unclear)
        at = self._now_plus(wait)
        async with self._store.writing(*self._whose(notice)) as rows:
            await rows.notices.retry(notice, at, unclear=unclear)
            await self._hold_behind(rows, notice, at)
        self.ring()

    @staticmethod
    def _whose(notice: Notice) -> tuple[int, ...]:
        """Return the user to lock, so that a new answer can't overtake one that has to wait."""
        return (notice.user_id,) if notice.kind is NoticeKind.ANSWER else ()

    async def _hold_behind(self, rows: Rows, notice: Notice, at: datetime) -> None:
        """Give back the answers to the same user that are in memory, because an earlier one has to wait."""
        if notice.kind is NoticeKind.ANSWER:
            self._released |= await rows.notices.release_answers(notice, at, excluding=self._unsettled)

    async def _gone(self, notice: Notice) -> None:
        async with self._store.writing(notice.user_id) as rows:
            if notice.kind.policy.lasting:
                await rows.notices.suspend(notice, self._now_plus(BLOCKED_RETRY))
            else:
                await self._end(rows, notice, Settled.GONE)
                NOTICES_SETTLED.inc(Settled.GONE)
            await self._profile.blocked(rows, await rows.users.find(notice.user_id), self._clock.now())

    async def _not_found(self, notice: Notice) -> None:
        """Try again a limited number of times. The user hasn't blocked us, so we ask the next question anyway."""
        if notice.failures + 1 < TRIES:
            soon = notice.kind is NoticeKind.ANSWER  # its user has just been there
            wait = _backoff(notice.attempts) if soon else timedelta(seconds=_UNTIL_FOUND[notice.failures])
            await self._try_again(notice, wait)
        elif notice.kind.policy.lasting:
            async with self._store.writing(notice.user_id) as rows:
                await rows.notices.suspend(notice, self._now_plus(_TOMORROW))
        else:
            await self._settle(notice, Settled.GONE)
            self.ring()
        log.warning("chat.not_found", notice=notice.id, tries=notice.failures + 1)

    async def _failed(self, notice: Notice, error: Exception) -> None:
        """Handle a defect of ours before sending. A user's next Notice must not wait forever behind a failing one."""
        tries = notice.failures + 1
        if tries == TRIES:
            incident(log, error, notice=notice.id, kind=notice.kind)
        else:
            log.warning("notice.failed", notice=notice.id, kind=notice.kind, tries=tries, error=safe_error(error))
        if notice.kind.policy.wordless and tries >= TRIES:
            async with self._store.writing() as rows:  # otherwise the two would never have another Ritual
                await rows.notices.suspend(notice, self._now_plus(_TOMORROW))
        elif tries < TRIES or (notice.kind is NoticeKind.ANSWER and tries == TRIES):
            await self._try_again(notice, _backoff(tries))
        else:
            await self._settle(notice, Settled.FAILED)
            self.ring()  # Notices that wait behind an answer can be sent now

    async def _try_again(self, notice: Notice, wait: timedelta) -> None:
        NOTICES_RETRIED.inc()
        at = self._now_plus(wait)
        async with self._store.writing(*self._whose(notice)) as rows:
            await rows.notices.failed(notice, at)
            await self._hold_behind(rows, notice, at)
        self.ring()

    def _now_plus(self, wait: timedelta) -> datetime:
        return self._clock.now() + wait


def _backoff(attempts: int) -> timedelta:
    return timedelta(seconds=_BACKOFF[min(attempts, len(_BACKOFF)) - 1])
