"""Coordinates the processes that share a database: who is alive, what only one of them does, what all must know.

With SQLite there is one process, which does everything. With PostgreSQL each process has a row whose beat counts up
every second. Once another process sees that a beat has stopped, the process that it belongs to was killed or is frozen:
its row is removed and its claims are released. No clocks are compared for that. By then its fence has been closed for
seconds, so if it wakes up it sends nothing more; it finds its row gone and starts over.
"""

import asyncio
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from typing import Final

import structlog

from bot import __version__
from bot.clock import Clock
from bot.config import Config, WrongSettings
from bot.delivery.pacer import Others, Part
from bot.fence import Fence, steady
from bot.logs import ThrottledLog, safe_error
from bot.storage.processes import HELD, Process, Seen
from bot.storage.store import Store

BEAT: Final = 1.0
"""Seconds between two beats."""
VALID: Final = 5.0
"""Seconds for which the fence is open after a beat began."""
DEAD: Final = 10.0
"""Seconds for which another process must see no new beat before it takes over. That is five more than VALID, for a call
that has passed the fence and is still being written to Telegram."""
_GAP: Final = 3.0
"""If we haven't seen the others for this many seconds, earlier sightings don't count: perhaps nobody could beat."""
_HEARD: Final = 2 * BEAT
"""Seconds after which every process has seen us in the list, and leaves turns to us."""
_PATIENCE: Final = 4.0
"""Seconds after which a beat is tried again."""
_SOONEST: Final = 0.1
"""The fewest seconds between two beats, when there is something to share."""

log = structlog.stdlib.get_logger(__name__)
throttled = ThrottledLog(log)


class Role(StrEnum):
    """What a process is for."""

    WEB = "web"  # receives updates by webhook and stores them
    WORKER = "worker"  # handles them, plans and sends
    ALL = "all"

    @property
    def receives(self) -> bool:
        return self is not Role.WORKER

    @property
    def works(self) -> bool:
        return self is not Role.WEB


class Duty(StrEnum):
    """What one process does for all of them."""

    RECEIVING = "receiving"  # fetches updates, or sets the webhook and watches it
    KEEPING = "keeping"  # tidies, registers the commands, ties older rows

    def is_for(self, role: Role) -> bool:
        return role.receives if self is Duty.RECEIVING else role.works


def check_role(role: Role, config: Config) -> None:
    """Raises WrongSettings if no process can have this role with these settings."""
    if role is Role.ALL:
        return
    problems = []
    if config.sqlite_file:
        problems.append(
            f"--role {role} is for several processes, and with SQLite there can be only one. Leave it out, or name a "
            "PostgreSQL database in AJAR_DATABASE_URL"
        )
    elif role is Role.WEB and config.webhook_url is None:
        problems.append(
            "--role web takes updates in by a webhook, so it needs AJAR_WEBHOOK_URL. Without a webhook leave --role "
            "out: one of the processes then fetches the updates for all"
        )
    if problems:
        raise WrongSettings(problems)


class TakenForDead(Exception):
    """Others have taken over what this process had claimed: it was frozen, or away from the database, for too long."""


class Presence:
    """Whether this process is alone or among others, and what it knows of them."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        fence: Fence | None,
        role: Role = Role.ALL,
        *,
        now: Callable[[], float] = steady,
    ) -> None:
        """`fence` is None for a database that only one process uses. `now` is a clock that nobody sets, in seconds."""
        self._store = store
        self._clock = clock
        self._now = now
        self.role = role
        self.alone = fence is None
        self.owner = secrets.randbits(62)
        """The id under which this process claims rows."""
        self.fence = fence or Fence(now)
        self.on_seen: Callable[[Others], None] = _ignore
        """Called after every beat with what the pacer needs to know about the others."""
        self.pass_on: Callable[[], int] = int
        """Called before every beat; returns for how many more answers the others have to make room."""
        self._processes: tuple[Process, ...] = ()
        self._joined_at: float | None = None
        self._watched: dict[int, tuple[int, float]] = {}
        self._looked_at = float("-inf")
        self._holds: dict[int, float] = {}
        self._poked = asyncio.Event()
        self._leading = {duty: asyncio.Event() for duty in Duty}
        if self.alone:
            for leading in self._leading.values():
                leading.set()

    def leads(self, duty: Duty) -> bool:
        """Return whether this process does it for all."""
        return self._leading[duty].is_set() and self.fence.is_open

    async def until_leading(self, duty: Duty) -> None:
        """Wait until this duty falls to this process, which then has it for as long as it lives."""
        await self._leading[duty].wait()

    def hold(self, chat_id: int, seconds: float) -> None:
        """Tell all processes that Telegram asked us to wait with this chat; 0 seconds lifts the hold."""
        if not self.alone:
            self._holds[chat_id] = seconds
            self._poked.set()

    def hear(self, said: str) -> None:
        """Beat at once if another process has announced a hold."""
        if said == HELD:
            self._poked.set()

    async def join(self) -> None:
        """Add our row to the processes', and see which others there are."""
        if self.alone:
            return
        while True:
            async with self._store.writing_reserved() as rows:
                if await rows.processes.join(self.owner, self.role, __version__):
                    break
        await self.beat()

    async def leave(self) -> None:
        """Remove our row and release our claims, so that the others can take them over at once."""
        self.fence.close()
        if not self.alone:
            await self._remove(self.owner)

    async def keep(self) -> None:
        """Beat until cancelled. Raises TakenForDead."""
        while not self.alone:
            await self._until_next()
            try:
                async with asyncio.timeout(_PATIENCE):
                    await self.beat()
                    await self._remove_dead()
            except TakenForDead:
                raise
            except Exception as error:  # noqa: BLE001  # the database is unavailable: the fence closes if that lasts
                throttled.warning("presence.waits", error=safe_error(error))
        await asyncio.Event().wait()

    async def _until_next(self) -> None:
        began = self._now()
        try:
            async with asyncio.timeout(BEAT):
                await self._poked.wait()
        except TimeoutError:
            pass
        else:
            await asyncio.sleep(max(0.0, _SOONEST - (self._now() - began)))
        self._poked.clear()

    async def beat(self) -> None:
        """Show that we are alive, share our holds, and look at the other processes. Raises TakenForDead."""
        began = self._now()
        with self._holds_to_share() as holds:
            async with self._store.writing_reserved() as rows:
                await rows.processes.hold(holds)
                seen = await rows.processes.beat(self.owner, passed_on=self.pass_on())
                offset = seen.time - asyncio.get_running_loop().time()
        if all(process.id != self.owner for process in seen.processes):
            self.fence.close()
            raise TakenForDead
        self.fence.renew(began + VALID)
        self._look(seen, offset)

    @contextmanager
    def _holds_to_share(self) -> Iterator[Mapping[int, float]]:
        """Yield the holds to share, and keep them for the next beat if that fails."""
        holds, self._holds = self._holds, {}
        try:
            yield holds
        except BaseException:
            self._holds = {**holds, **self._holds}
            raise

    def _look(self, seen: Seen, offset: float) -> None:
        now = self._now()
        first = self._joined_at is None
        if self._joined_at is None:
            self._joined_at = now - (_HEARD if len(seen.processes) == 1 else 0)  # nobody has to hear of us
        self._watch(seen, now)
        more = self._passed_on_by_others(seen)
        self._processes = seen.processes
        for duty, leading in self._leading.items():
            if self._first_of(duty) == self.owner and not leading.is_set():
                leading.set()
                log.info("process.leads", duty=duty.value)
        self.on_seen(Others(self._part(seen, now, offset), seen.holds, more))
        if first:
            log.info("process.joined", process=self.owner, role=self.role.value, processes=len(seen.processes))

    def _watch(self, seen: Seen, now: float) -> None:
        if now - self._looked_at > _GAP:
            self._watched.clear()
        self._looked_at = now
        watched = {}
        for process in seen.processes:
            beat, since = self._watched.get(process.id, (-1, now))
            watched[process.id] = (process.beat, since if beat == process.beat else now)
        self._watched = watched

    def _first_of(self, duty: Duty) -> int | None:
        return next((process.id for process in self._processes if duty.is_for(Role(process.role))), None)

    def _passed_on_by_others(self, seen: Seen) -> int:
        before = {process.id: process.passed_on for process in self._processes if process.id != self.owner}
        return sum(process.passed_on - before.get(process.id, process.passed_on) for process in seen.processes)

    def _part(self, seen: Seen, now: float, offset: float) -> Part | None:
        """Return our part in the pace; None until everybody has heard that they have to share it."""
        senders = [process.id for process in seen.processes if Role(process.role).works]
        if self.owner not in senders or self._joined_at is None or now - self._joined_at < _HEARD:
            return None
        return Part(senders.index(self.owner), len(senders), offset)

    async def _remove_dead(self) -> None:
        """Remove the processes that are gone, and free what they had claimed."""
        still = {process_id: beat for process_id, (beat, since) in self._watched.items() if self._now() - since >= DEAD}
        still.pop(self.owner, None)
        for process_id, beat in still.items():
            if await self._remove(process_id, beat):
                log.warning("process.gone", process=process_id)
                self._poked.set()  # its duties are somebody else's now

    async def _remove(self, process_id: int, beat: int | None = None) -> bool:
        async with self._store.writing_reserved() as rows:
            if await rows.processes.remove(process_id, beat=beat) or beat is None:
                await rows.inbox.release_of(process_id)
                await rows.notices.release_of(process_id, self._clock.now())
                return True
        return False


def _ignore(_others: Others) -> None:
    """Do nothing: nobody wants to know."""
