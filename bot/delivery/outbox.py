"""The outbox at work: plans what is due, claims Notices, sends them in turn, and settles them."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import structlog

from bot.clock import Clock
from bot.delivery.courier import (
    BEFORE_THE_LAST,
    TRIES,
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
from bot.domain.model import Notice, NoticeKind
from bot.domain.notices import BLOCKED_RETRY, POLICIES
from bot.logs import ThrottledLog, incident, safe_error
from bot.services.asks import Asks
from bot.services.profile import Profile
from bot.storage.notices import Settled
from bot.storage.store import Rows, Store, is_passing

_CLAIM: Final = 32
_AT_ONCE: Final = 16
_LOOK_AGAIN_AFTER: Final = timedelta(seconds=1)
"""How long we wait before we look again at something due that can't be sent yet."""
_BACKOFF: Final = (1, 2, 5, 10, 30, 60)
"""Seconds until the next try, by the number of earlier tries."""
_UNTIL_FOUND: Final = (30, 120, 600, 1800)
"""The same for a chat that Telegram doesn't find."""
_TOMORROW: Final = timedelta(days=1)

log = structlog.stdlib.get_logger(__name__)
throttled = ThrottledLog(log)


def _ignore(_moment: datetime) -> None:
    """Do nothing: nobody wants to know when something is next due."""


class Outbox:
    """Sends what is due. `ring` it when something may have become due."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        courier: Courier,
        pacer: Pacer,
        asks: Asks,
        profile: Profile,
        *,
        bell: asyncio.Event | None = None,
        clock_jumped: asyncio.Event | None = None,
        next_due: Callable[[datetime], object] = _ignore,
    ) -> None:
        """`bell` is set when something may have become due; `next_due` is called with the next due moment."""
        self._store = store
        self._clock = clock
        self._courier = courier
        self._pacer = pacer
        self._asks = asks
        self._profile = profile
        self._bell = bell or asyncio.Event()
        self._clock_jumped = clock_jumped or asyncio.Event()
        self._sending: set[int] = set()
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._users = KeyedLocks()
        self._stopping = False
        self._next = next_due

    def stop(self) -> None:
        """Claim nothing more; `run` returns when everything being sent is settled."""
        self._stopping = True
        self.ring()

    def ring(self) -> None:
        """Make the outbox look, because something may be due."""
        self._bell.set()

    async def run(self) -> None:
        """Work until stopped. A database failure is logged, and the work tried again at the next ring."""
        async with asyncio.TaskGroup() as senders:
            while not self._stopping:
                await self._bell.wait()
                self._bell.clear()
                try:
                    await self.work(senders)
                except Exception as error:  # noqa: BLE001  # the outbox outlives any single failure; the next ring tries again
                    throttled.error("outbox.failed", error=safe_error(error))

    async def work(self, senders: asyncio.TaskGroup) -> None:
        """Plan and start sending everything that is due now. If nothing is due, it only reads."""
        if self._clock_jumped.is_set():
            await self._send_answers_now()
        while await self._is_due():
            planned = await self._asks.plan_due(self._store, self._clock.now())
            if planned.looked_at:
                log.info("asks.planned", asked=planned.asked, missed=planned.missed)
            if not await self._send_due(senders) and not planned.looked_at:
                self._next(self._clock.now() + _LOOK_AGAIN_AFTER)
                return

    async def _send_answers_now(self) -> None:
        """Make waiting answers due: their times are from before the clock jumped, and their chats wait for them.

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
        """Return whether something is due. If not, pass on when something will be."""
        async with self._store.reading() as rows:
            due = await rows.earliest_due()
        if due is None:
            return False
        if (now := self._clock.now()) < due:  # compared exactly, even if somebody made us look shortly before
            self._next(due)
        return due <= now

    async def _send_due(self, senders: asyncio.TaskGroup) -> bool:
        """Start sending what is due. Return whether there was anything."""
        found = False
        while not self._stopping and not self._pacer.is_blocked and (notices := await self._claim()):
            found = True
            for notice in notices:
                self._sending.add(notice.id)
                await self._room.acquire()
                senders.create_task(self._send(notice), name=f"notice {notice.id}")
            if len(notices) < _CLAIM:
                break
        return found

    async def _claim(self) -> list[Notice]:
        async with self._store.writing() as rows:
            return await rows.notices.claim(self._clock.now(), _CLAIM, but=self._sending)

    async def _send(self, notice: Notice) -> None:
        try:
            if POLICIES[notice.kind].wordless:
                await self._deliver(notice)
                return
            async with self._users.locked(notice.user_id):  # what is due together arrives in the order it was planned
                await self._deliver(notice)
        except Exception as error:  # noqa: BLE001  # its lease will expire and it will be claimed again
            throttled.error("notice.waits", notice=notice.id, error=safe_error(error))
        finally:
            self._room.release()
            self._sending.discard(notice.id)

    async def _deliver(self, notice: Notice) -> None:
        if notice.unclear >= POLICIES[notice.kind].copies:
            return await self._settle(notice, Settled.ASSUMED)
        if wait := await self._wait_turn(notice):
            return await self._retry(notice, wait)
        try:
            came = await self._courier.deliver(notice)
        except NotDelivered as outcome:
            await self._undelivered(notice, outcome)
        except Exception as error:
            if is_passing(error):
                raise
            await self._failed(notice, error)
        else:
            await self._delivered(notice, came)

    async def _delivered(self, notice: Notice, came: Delivered) -> None:
        if came is Delivered.SAID:
            await self._settle(notice, Settled.SENT)
        elif came is Delivered.NEEDLESS:
            await self._settle(notice, Settled.NEEDLESS)
        if came is not Delivered.SAID or notice.kind is NoticeKind.ANSWER:
            self.ring()  # others may have waited for it, or it may have planned more, as a Ritual's moment does

    async def _undelivered(self, notice: Notice, outcome: NotDelivered) -> None:
        match outcome:
            case RateLimited():
                self._pacer.back_off(notice.user_id, outcome.wait)
                await self._retry(notice, outcome.wait)
            case NotSent():
                await self._retry(notice, _backoff(notice.attempts))
            case Unclear():
                to_the_last = POLICIES[notice.kind].copies - 1 - notice.unclear
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

    async def _wait_turn(self, notice: Notice) -> timedelta:
        """Wait for its turn. Return how much longer Telegram wants us to wait with its user, if at all."""
        if POLICIES[notice.kind].wordless:
            return timedelta()
        await self._pacer.wait_turn()
        return self._pacer.delay_for(notice.user_id)

    async def _settle(self, notice: Notice, how: Settled) -> None:
        async with self._store.writing() as rows:
            await self._end(rows, notice, how)

    async def _end(self, rows: Rows, notice: Notice, how: Settled) -> None:
        ended = await rows.notices.settle(notice, how, self._clock.now())
        if ended and notice.kind is NoticeKind.ANSWER:
            await rows.updates.mark_answered([notice.subject_id])

    async def _retry(self, notice: Notice, wait: timedelta, *, unclear: int = 0) -> None:
        log.info("notice.retried", notice=notice.id, wait=wait.total_seconds(), unclear=unclear)
        async with self._store.writing() as rows:
            await rows.notices.retry(notice, self._now_plus(wait), unclear=unclear)
        self.ring()

    async def _gone(self, notice: Notice) -> None:
        async with self._store.writing(notice.user_id) as rows:
            if POLICIES[notice.kind].lasting:
                await rows.notices.suspend(notice, self._now_plus(BLOCKED_RETRY))
            else:
                await self._end(rows, notice, Settled.GONE)
            await self._profile.blocked(rows, await rows.users.find(notice.user_id), self._clock.now())

    async def _not_found(self, notice: Notice) -> None:
        """Try again a limited number of times. The user hasn't blocked us, so the next question is asked anyway."""
        if notice.failures + 1 < TRIES:
            await self._try_again(notice, timedelta(seconds=_UNTIL_FOUND[notice.failures]))
        elif POLICIES[notice.kind].lasting:
            async with self._store.writing(notice.user_id) as rows:
                await rows.notices.suspend(notice, self._now_plus(_TOMORROW))
        else:
            await self._settle(notice, Settled.GONE)
            self.ring()
        log.warning("chat.not_found", notice=notice.id, tries=notice.failures + 1)

    async def _failed(self, notice: Notice, error: Exception) -> None:
        """Handle a defect of ours before sending. A user's next Notice must not wait forever behind one that fails."""
        tries = notice.failures + 1
        if tries == TRIES:
            incident(log, error, notice=notice.id, kind=notice.kind)
        else:
            log.warning("notice.failed", notice=notice.id, kind=notice.kind, tries=tries, error=safe_error(error))
        if POLICIES[notice.kind].wordless and tries >= TRIES:
            async with self._store.writing() as rows:  # otherwise the two would never have another Ritual
                await rows.notices.suspend(notice, self._now_plus(_TOMORROW))
        elif tries < TRIES or (notice.kind is NoticeKind.ANSWER and tries == TRIES):
            await self._try_again(notice, _backoff(tries))
        else:
            await self._settle(notice, Settled.FAILED)
            self.ring()  # what waits behind an answer can be sent now

    async def _try_again(self, notice: Notice, wait: timedelta) -> None:
        async with self._store.writing() as rows:
            await rows.notices.failed(notice, self._now_plus(wait))
        self.ring()

    def _now_plus(self, wait: timedelta) -> datetime:
        return self._clock.now() + wait


def _backoff(attempts: int) -> timedelta:
    return timedelta(seconds=_BACKOFF[min(attempts, len(_BACKOFF)) - 1])
