"""Takes updates in: they are written down, confirmed to Telegram, and handled lane by lane.

We confirm an update as soon as its row is committed. From then on the row keeps it, for the next process after a kill
as well, until it ends in one of these ways:

- Its effect and its answer are committed (`bot.tg.turn`).
- It has no effect any more, like a location with a newer one behind it: it is dropped.
- It fails five times by a fault of ours: an incident is logged, its user is told with the incident's code, and the lane
  goes on.
- It fails because the database or the disk does: it is tried again until that has passed, and its lane waits.
- Its user's data key doesn't open: it is set aside, still sealed, and tried again now and then; the lane goes on.

What can't be parsed, or can't be written down by a fault of ours, is passed over: it is confirmed without a row, and
counted, since it would keep everything behind it from being taken.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import structlog

from bot.clock import Clock
from bot.crypto import KeyMismatch
from bot.delivery.outbox import Outbox
from bot.fence import Fence
from bot.logs import Safe, ThrottledLog, incident, safe_error
from bot.metrics import UPDATES_FAILED, UPDATES_GIVEN_UP, UPDATES_HANDLED, UPDATES_TAKEN, UPDATES_UNREADABLE
from bot.storage.inbox import LEASE, WAITING, NotClaimed, Received
from bot.storage.store import Store, is_busy, is_passing
from bot.tg.dispatch import Dispatch
from bot.tg.groups import Groups, is_elsewhere
from bot.tg.lanes import Lanes
from bot.tg.turn import Handling, UpdateProcessor
from bot.tg.updates import Update, read

MOST_UNHANDLED: Final = 10_000
"""With this many unhandled updates, we take no more; Telegram keeps them for a day."""
_IN_MEMORY: Final = 1_000
"""How many waiting updates we keep in memory; the others we read from their rows again."""
_AT_ONCE: Final = 100
"""How many turns run at once."""
_FEW: Final = 4
"""Up to how many updates share one commit with their turns, which saves writes. With more, fetching would wait; they
are also written down before the turns that wait, as each fetch comes after the commit of the one before it."""
_TRIES: Final = 5
"""After this many failures we give up on an update: we tell its user, and go on with the next one."""
_TRIES_TO_WRITE: Final = 3
"""After this many failures, none of which passes by itself, we go on without an update that can't be written down."""
_PASSING_WAIT: Final = 2.0
"""Seconds until we try again after an error that passes by itself, like a database that is away."""
_KEY_WAIT: Final = 30.0
"""Seconds between tries of updates that were set aside because their user's data key doesn't open."""
_BUSY: Final = 60.0
"""Seconds to wait for a user's locked rows before that counts as a failure."""
_PATIENCE: Final = 3.0
"""Seconds that a user's next update waits for the previous answer, so that a chat reads in order."""
_LOOK: Final = 0.2
"""Seconds between a receiver's checks whether a full inbox has room again."""
_RENEW_EVERY: Final = LEASE.total_seconds() / 4
_ADOPT_EVERY: Final = 1.0
"""Seconds between checks for updates that another process has left to us, if we aren't notified."""
_ADOPT_SOONEST: Final = 0.02
"""The shortest time between two such checks, in seconds."""
_SHARE: Final = 200
"""How many lanes we have at most beside other processes, so that they get their share. We don't count updates: a flood
from one person is handled one by one, and nobody else should have to wait for it."""
_KEY_ADVICE: Final = Safe(
    "The master key doesn't open this user's data key; if it opens those of others, this one is damaged. What they "
    "send is kept, sealed, until it opens. Type `ajar verify`, and restore a backup in which it is intact: what is "
    "kept survives that."
)

log = structlog.stdlib.get_logger(__name__)
throttled = ThrottledLog(log)


class _Arrived(NamedTuple):
    """An update that has to be written down, and how to handle it."""

    received: Received
    update: Update
    handling: Handling


@dataclass(slots=True)
class _Unhandled:
    """An update in its lane. Its content is in its row, and here only if there is room for it."""

    id: int
    update: Update | None = None
    handling: Handling | None = None
    """How to handle it, if its content is here."""
    withdrawn: bool = False
    """Whether writing it down has failed, so that it will come again."""
    held: bool = False
    """Whether it was set aside before, until its user's data key opens."""
    arrived: float | None = None
    """When it came, on the event loop's clock; None if another process took it."""


@dataclass(slots=True)
class _Batch:
    """Updates that are written down together."""

    received: list[_Arrived] = field(default_factory=list)
    written: bool = False


class Inbox:
    """Writes updates down, and makes sure that each of them is handled."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        dispatch: Dispatch,
        processor: UpdateProcessor,
        outbox: Outbox,
        groups: Groups,
        *,
        owner: int,
        alone: bool,
        fence: Fence | None = None,
        handles: bool = True,
    ) -> None:
        """`owner` is this process's id, and `alone` means that no other process uses the database.

        If it doesn't handle updates, or while `fence` is closed, it only writes them down for others.
        """
        self._store = store
        self._clock = clock
        self._dispatch = dispatch
        self._processor = processor
        self._outbox = outbox
        self._groups = groups
        self._owner = owner
        self._alone = alone
        self._fence = fence or Fence()
        self._handles = handles
        self._crowded = False
        """Whether too many updates are unhandled, those of other processes included, as of the last look."""
        self._told = asyncio.Event()
        """Set when another process has announced that there is something to take over."""
        self._lanes = Lanes(self._handle, lambda unhandled: unhandled.id)
        self._held: dict[int, deque[int]] = {}
        """By lane: the ids of updates that wait until their user's data key opens."""
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._batch = _Batch()
        """What has arrived since we last began to write."""
        self._writing = asyncio.Lock()
        self._unsure = False
        """Whether a commit with claims has failed, and may have happened all the same."""
        self.tries = 0
        """How often we have handled an update, successfully or not."""

    @property
    def is_full(self) -> bool:
        return self._crowded or len(self._lanes) >= MOST_UNHANDLED

    @property
    def _has_room(self) -> bool:
        """Whether we claim new updates. Otherwise they are for the first process with room."""
        return self._handles and self._fence.is_open and (self._alone or self._lanes.in_use < _SHARE)

    @property
    def held(self) -> int:
        """How many updates wait until their user's data key opens."""
        return sum(map(len, self._held.values()))

    async def handled(self) -> int | None:
        """For the watchdog: how often we have handled an update, successfully or not; None while none is waiting."""
        return self.tries if len(self._lanes) else None

    # Taking in

    async def take(self, raws: Sequence[Any]) -> None:
        """Write these updates down, except those from groups and those without any effect.

        They are as they come from Telegram, and can be confirmed once this returns.
        """
        batch = self._batch
        batch.received.extend(one for raw in raws if (one := self._read(raw)))
        if not batch.received:
            return
        async with self._writing:  # the first caller writes down what others have added meanwhile
            if batch.written:
                return
            if self._batch is batch:
                self._batch = _Batch()
            await self._write(batch.received)
            batch.written = True

    def _read(self, raw: Any) -> _Arrived | None:
        """Parse an update; None if it doesn't have to be handled."""
        try:
            update = read(raw)
            if is_elsewhere(update):
                self._groups.handle(update)
                return None
            person = update.effective_user
            handling = self._dispatch.find(update) if person else None
        except Exception as error:  # noqa: BLE001  # a malformed update must not keep the others from being handled
            incident(log, error, update=_update_id(raw))
            UPDATES_UNREADABLE.inc()
            return None
        if person is None or handling is None:
            return None
        return _Arrived(Received(update.update_id, person.id, raw), update, handling)

    async def _write(self, arrived: Sequence[_Arrived]) -> None:
        """Write updates down, as soon as the database allows it, and hand them to their lanes."""
        failures = 0
        while True:
            try:
                await self._write_now(arrived)
            except Exception as error:  # noqa: BLE001  # nothing is confirmed until this returns
                if not is_passing(error):
                    if len(arrived) > 1:
                        for one in arrived:
                            await self._write([one])
                        return
                    failures += 1  # a driver may report a lost connection by an error that we don't know
                    if failures == _TRIES_TO_WRITE:
                        incident(log, error, update=arrived[0].received.id)
                        UPDATES_UNREADABLE.inc()
                        return
                self._unsure = True
                throttled.error("updates.wait", error=safe_error(error))
                await asyncio.sleep(_PASSING_WAIT)
            else:
                await self._recover_claims()
                return

    async def _write_now(self, arrived: Sequence[_Arrived]) -> None:
        """Write updates down and hand them to their lanes.

        If no other process uses the database, one connection writes everything, in order. So a turn may begin before
        the commit, which it either shares or follows; if the row is missing then, the turn finds that it has no claim.
        """
        handed: list[_Unhandled] = []
        writing = self._store.writing if len(arrived) <= _FEW else self._store.writing_first
        try:
            async with writing() as rows:
                owner = self._owner if self._has_room else None
                ours = set(await rows.inbox.add([one.received for one in arrived], owner, self._clock.now()))
                taken = len(ours) if owner else len(arrived)
                if self._alone:
                    handed = self._hand_on(arrived, ours)
                    if len(handed) <= _FEW:
                        await asyncio.sleep(0)  # their turns queue up now, and share this commit
        except BaseException:
            for unhandled in handed:
                unhandled.withdrawn = True
            raise
        UPDATES_TAKEN.inc(by=taken)
        if not self._alone:
            self._hand_on(arrived, ours)

    def _hand_on(self, arrived: Sequence[_Arrived], ours: set[int]) -> list[_Unhandled]:
        """Put those that are ours into their lanes, with their content as long as there is room for it."""
        handed = []
        now = asyncio.get_running_loop().time()
        for received, update, handling in arrived:
            if received.id in ours:
                ours.discard(received.id)
                has_room = len(self._lanes) < _IN_MEMORY
                unhandled = _Unhandled(received.id, arrived=now)
                if has_room:
                    unhandled.update, unhandled.handling = update, handling
                self._lanes.add(received.lane, unhandled)
                handed.append(unhandled)
        return handed

    async def adopt(self) -> None:
        """Take over updates that an earlier or another process has left, before anything new."""
        if self._handles:
            await self._adopt(None if self._alone else _SHARE)

    async def _adopt(self, lanes: int | None) -> bool:
        """Take over up to `lanes` lanes. Return whether there may be more."""
        if not self._fence.is_open:
            return False
        try:
            async with self._store.writing() as rows:
                found = await rows.inbox.adopt(self._owner, self._clock.now(), alone=self._alone, lanes=lanes)
        except BaseException:
            self._unsure = True
            raise
        for update_id, lane in found:
            self._lanes.add(lane, _Unhandled(update_id))
        await self._recover_claims()
        return lanes is not None and len({lane for _, lane in found}) >= lanes

    async def _recover_claims(self) -> None:
        """Handle updates that we have claimed without knowing it, as a commit seemed to fail but didn't.

        Nobody else handles them while this process lives: the claim is ours, and if Telegram repeats them they are
        already known.
        """
        if not (self._unsure and self._handles):
            return
        self._unsure = False
        try:
            async with self._store.reading() as rows:
                ours = await rows.inbox.claimed_by(self._owner)
        except Exception as error:  # noqa: BLE001  # the next update that is written down triggers another attempt
            self._unsure = True
            throttled.error("updates.wait", error=safe_error(error))
            return
        known = {one.id for one in self._lanes if not one.withdrawn}.union(*self._held.values())
        for update_id, lane in ours:
            if update_id not in known:
                self._lanes.add(lane, _Unhandled(update_id))

    def hear(self, said: str) -> None:
        """Look at once when another process announces that there is something to take over."""
        if said == WAITING:
            self._told.set()

    async def watch(self) -> None:
        """Look after the updates that are written down, until cancelled.

        We retry those that wait for a data key. Beside other processes we also renew our claims, and take over updates
        left by processes that only write down, are busy with other lanes, or have died.
        """
        rounds = []
        if self._handles:
            rounds.append(self._every(_KEY_WAIT, self.retry_held))
        if not self._alone:
            rounds.append(self._every(_ADOPT_EVERY, self._count_unhandled))
        if self._handles and not self._alone:
            rounds += [self._adopt_more(), self._every(_RENEW_EVERY, self._renew)]
        await asyncio.gather(*rounds)

    async def _every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                await work()
            except Exception as error:  # noqa: BLE001  # the next round tries again
                throttled.error("updates.wait", error=safe_error(error))

    async def _adopt_more(self) -> None:
        """Take over what we can: whenever we are notified, and every second in any case."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_ADOPT_EVERY):
                    await self._told.wait()
            self._told.clear()
            room = _SHARE - self._lanes.in_use
            try:
                if room <= 0 or await self._adopt(room):
                    self._told.set()  # look again soon
            except Exception as error:  # noqa: BLE001  # the next round tries again
                throttled.error("updates.wait", error=safe_error(error))
            await asyncio.sleep(_ADOPT_SOONEST)

    async def _count_unhandled(self) -> None:
        async with self._store.reading() as rows:
            self._crowded = await rows.inbox.is_crowded(MOST_UNHANDLED)

    async def _renew(self) -> None:
        async with self._store.writing() as rows:
            await rows.inbox.renew(self._owner, self._clock.now())

    async def retry_held(self) -> None:
        """Retry each user's oldest update that waits for a data key. If it is handled, the next one follows."""
        for lane in list(self._held):
            self._release(lane)

    def _release(self, lane: int) -> None:
        if held := self._held.get(lane):
            self._lanes.add(lane, _Unhandled(held.popleft(), held=True))
        if not held:
            self._held.pop(lane, None)

    # Handling

    async def _handle(self, lane: int, unhandled: _Unhandled) -> None:
        """Handle the first update of a lane, retrying as often as necessary."""
        began, failed = asyncio.get_running_loop().time(), False
        if last := self._outbox.answering(lane):
            await asyncio.wait({last}, timeout=_PATIENCE)
        while not unhandled.withdrawn:
            try:
                async with self._turns:
                    try:
                        await self._handle_once(lane, unhandled)
                    finally:
                        self.tries += 1
            except NotClaimed:  # another process has it, or the commit that seemed to fail didn't
                if failed:
                    await self._release_answer(unhandled)
                return
            except KeyMismatch as error:
                self._hold(lane, unhandled, error)
                return
            except Exception as error:  # noqa: BLE001  # sorted out below
                failed = True
                busy = is_busy(error) and asyncio.get_running_loop().time() - began > _BUSY
                if not await self._try_again(unhandled, error, passing=is_passing(error) and not busy):
                    return
            else:
                UPDATES_HANDLED.inc()
                if unhandled.held:
                    self._release(lane)
                return

    async def _release_answer(self, unhandled: _Unhandled) -> None:
        """Let the outbox send what nobody has sent from memory. Otherwise it would wait until its lease ends."""
        try:
            async with self._store.writing() as rows:
                await rows.notices.release_answer_to(unhandled.id, self._owner, self._clock.now())
        except Exception as error:  # noqa: BLE001  # its lease will end
            throttled.error("update.waits", update=unhandled.id, error=safe_error(error))
        self._outbox.ring()

    async def _handle_once(self, lane: int, unhandled: _Unhandled) -> None:
        """Have an update processed, or drop it if it no longer has any effect."""
        update = unhandled.update or await self._read_again(unhandled.id)
        handling = unhandled.handling or (self._dispatch.find(update) if update else None)
        if update is None or handling is None or self._is_outrun(lane, update):
            await self._drop(unhandled.id, lane)
            return
        await self._processor.process(update, handling, unhandled.arrived)

    async def _read_again(self, update_id: int) -> Update | None:
        async with self._store.reading() as rows:
            kept = await rows.inbox.find(update_id)
        return read(kept.raw) if kept and kept.raw else None

    def _is_outrun(self, lane: int, update: Update) -> bool:
        """Return whether this is a location with a newer one of the same user waiting behind it."""
        return _is_location(update) and any(
            later.update is not None and _is_location(later.update) for later in self._lanes.behind_first(lane)
        )

    def _hold(self, lane: int, unhandled: _Unhandled, error: KeyMismatch) -> None:
        """Set an update aside, so that later ones that need no key, like /help, are answered."""
        throttled.critical("key.wrong", update=unhandled.id, error=safe_error(error), note=_KEY_ADVICE)
        held = self._held.setdefault(lane, deque())
        (held.appendleft if unhandled.held else held.append)(unhandled.id)

    async def _try_again(self, unhandled: _Unhandled, error: Exception, *, passing: bool) -> bool:
        """Wait, and return whether to try again."""
        if passing:
            throttled.error("update.waits", update=unhandled.id, error=safe_error(error))
            await asyncio.sleep(_PASSING_WAIT)
            return True
        try:
            tries = await self._count(unhandled.id)
            UPDATES_FAILED.inc()
            if tries >= _TRIES:
                await self._give_up(unhandled, incident(log, error, update=unhandled.id))
                UPDATES_GIVEN_UP.inc()
                return False
        except NotClaimed:
            return False
        except Exception as second:  # noqa: BLE001  # the database is unreachable: nothing was decided
            throttled.error("update.waits", update=unhandled.id, error=safe_error(second))
            await asyncio.sleep(_PASSING_WAIT)
            return True
        log.warning("update.failed", update=unhandled.id, tries=tries, error=safe_error(error))
        await asyncio.sleep(0.1 * 2**tries)
        return True

    async def _count(self, update_id: int) -> int:
        async with self._store.writing() as rows:
            return await rows.inbox.failed(update_id, self._owner)

    async def _give_up(self, unhandled: _Unhandled, code: str) -> None:
        """Tell the user, so that nothing they wrote is lost silently. If that fails as well, drop the update."""
        try:
            if update := unhandled.update or await self._read_again(unhandled.id):
                await self._processor.apologize(update, code)
        except Exception as error:
            if isinstance(error, NotClaimed) or is_passing(error):
                raise
            incident(log, error, update=unhandled.id)
            await self._drop(unhandled.id)

    async def _drop(self, update_id: int, *user_ids: int) -> None:
        """Mark an update as handled without any effect."""
        async with self._store.writing(*user_ids) as rows:
            await rows.inbox.handle(update_id, self._owner, self._clock.now())
            await rows.inbox.answered([update_id])

    # Stopping

    async def finish(self) -> None:
        """Wait until everything that we have taken is handled."""
        await self._lanes.finish()

    async def abandon(self) -> None:
        """Leave unhandled updates to the next process."""
        await self._lanes.abandon()
        await self._groups.abandon()


class Gate:
    """Makes updates wait until the bot is built and knows its own username, which commands may contain."""

    def __init__(self) -> None:
        self._inbox: Inbox | None = None
        self._opened = asyncio.Event()

    @property
    def is_open(self) -> bool:
        return self._opened.is_set()

    @property
    def is_full(self) -> bool:
        """Whether too many updates are unhandled to take more."""
        return self._inbox is not None and self._inbox.is_full

    def open(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._opened.set()

    async def room(self) -> None:
        """Wait while the inbox is full."""
        while self.is_full:  # noqa: ASYNC110  # lanes shrink with every update, and nobody waits for most of them
            await asyncio.sleep(_LOOK)

    async def inbox(self) -> Inbox:
        """Return the inbox, once it takes updates."""
        while self._inbox is None:
            await self._opened.wait()
        return self._inbox


def _is_location(update: Update) -> bool:
    return update.message is not None and update.message.location is not None


def _update_id(raw: object) -> int | None:
    found = raw.get("update_id") if isinstance(raw, dict) else None
    return found if isinstance(found, int) else None
