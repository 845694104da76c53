"""The operator's own chat with the bot: answers /ops there, and reports problems that only the operator can fix.

Reports wait in memory, since everything that they say is in the log as well. They take their turn at the pacer, so
answers go first.
"""

import asyncio
import contextlib
import json
import shutil
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import structlog

from bot import __version__
from bot.clock import Clock
from bot.delivery.courier import NotDelivered, NotSent
from bot.delivery.pacer import Pacer
from bot.domain.results import Result
from bot.domain.results.operating import OpsShown
from bot.health import SILENT, Health
from bot.i18n import BASE, Say, say_in
from bot.logs import incidents_heard_by, safe_error
from bot.metrics import ASKS_SENT, ENOUGH_PEOPLE, INCIDENTS, NOTICES_SETTLED
from bot.storage.migrate import HEAD
from bot.storage.retention import backups_in, made_at
from bot.storage.store import Store, is_passing
from bot.tg.screens import Screen
from bot.tg.screens.operator import fetched_again, incidents_told, nothing_fetched, upgraded, week
from bot.tg.sender import Sender
from bot.tg.turn import Turn
from bot.tg.updates import Message

GATHERED_FOR: Final = 60.0
"""Seconds for which we collect incidents for one message."""
SENT_APART: Final = 1.0
"""Seconds between two messages."""
APART: Final = 600.0
"""Seconds between two messages about incidents."""
LOOK_EVERY: Final = 30.0
"""Seconds between checks whether Telegram still answers."""
SUM_EVERY: Final = 3600.0
"""Seconds between two savings of the counts; a kill loses at most this much of a week."""
WEEK: Final = timedelta(days=7)
_NOTE: Final = "week"
"""The name of the note that holds the week's sums."""
_MOST_WAITING: Final = 100
_OVERDUE: Final = 5
"""Minutes of waiting after which /ops calls it a problem."""

log = structlog.stdlib.get_logger(__name__)

Report = Callable[[Say, str], str]
"""Makes a text, in HTML, given the operator's language and zone."""


class Folders(NamedTuple):
    """Where an SQLite database and its backups are."""

    data_dir: Path
    backups: Path


class OperatorChat:
    """The operator's chat. `run` it, and `tell` it what has happened."""

    def __init__(
        self,
        chat_id: int,
        store: Store,
        clock: Clock,
        sender: Sender,
        pacer: Pacer,
        health: Health,
        folders: Folders | None,
    ) -> None:
        """`folders` are SQLite's; None with PostgreSQL."""
        self.chat_id = chat_id
        self._store = store
        self._clock = clock
        self._sender = sender
        self._pacer = pacer
        self._health = health
        self._folders = folders
        self._began = clock.now()
        self._waiting: asyncio.Queue[Report] = asyncio.Queue(_MOST_WAITING)
        self._codes: list[str] = []
        self._new_code = asyncio.Event()
        self._counted = _counts()

    # Answering

    def is_at(self, message: Message) -> bool:
        """Return whether this message is from the operator's chat."""
        return message.chat.id == self.chat_id

    async def ops(self, turn: Turn) -> Result:
        """Return the state of the bot."""
        backlog = await turn.rows.backlog(turn.now)
        since = min((at for at in (backlog.due_since, backlog.unhandled_since) if at), default=turn.now)
        late = max(turn.now - since, timedelta()) // timedelta(minutes=1)
        free, backup = await asyncio.to_thread(self._on_disk)
        silence = self._health.silence
        problems = {*self._health.problems, *(["outbox"] if late >= _OVERDUE else [])}
        return OpsShown(
            problems=tuple(sorted(problems)),
            silent_minutes=None if silence is None else int(silence // 60),
            late_minutes=late,
            incidents=INCIDENTS.counted[""],
            since=self._began,
            backs_up=self._folders is not None,
            backup=backup,
            rehearsed=backlog.rehearsed_at.date() if backlog.rehearsed_at else None,
            version=__version__,
            schema=HEAD,
            free_gib=free,
        )

    def _on_disk(self) -> tuple[int | None, date | None]:
        """Return how many GiB are free on the disk, and when the newest backup was made."""
        if self._folders is None:
            return None, None
        free = shutil.disk_usage(self._folders.data_dir).free // 2**30
        newest = next(iter(backups_in(self._folders.backups)), None)
        return free, made_at(newest).date() if newest else None

    # Reporting

    def tell(self, report: Report) -> None:
        """Queue a report to the operator."""
        with contextlib.suppress(asyncio.QueueFull):
            self._waiting.put_nowait(report)

    def tell_upgraded(self, before: str) -> None:
        """Report that the database was migrated from an earlier version."""
        self.tell(lambda say, _zone: upgraded(say, __version__, HEAD, before))

    async def run(self) -> None:
        """Report what happens until cancelled."""
        loop = asyncio.get_running_loop()
        with incidents_heard_by(lambda code: _quietly(loop, self._note, code)):
            await asyncio.gather(
                self._every(SENT_APART, self._send_next),
                self._every(APART, self._tell_incidents),
                self._watch_fetching(),
                self._every(SUM_EVERY, self.sum_up),
            )

    async def _every(self, seconds: float, work: Callable[[], Any]) -> None:
        while True:
            try:
                await work()
            except Exception as error:  # noqa: BLE001  # an incident would have to be reported here again
                log.warning("operator.not_told", error=safe_error(error))
            await asyncio.sleep(seconds)

    async def _send_next(self) -> None:
        """Send the report that has waited the longest."""
        report = await self._waiting.get()
        try:
            await self._send(report)
        except Exception as error:
            if is_passing(error):
                self.tell(report)
            raise

    async def _send(self, report: Report) -> None:
        """Send a report, however long Telegram is unreachable."""
        async with self._store.reading() as rows:
            operator = await rows.users.find(self.chat_id)
        say = say_in(operator.language if operator else BASE)
        screen = Screen(report(say, (operator.zone if operator else None) or "UTC"))
        while True:
            await self._pacer.wait_turn()
            try:
                await self._sender.persist(self.chat_id, lambda: self._sender.send(self.chat_id, screen))
            except NotSent:
                continue
            except NotDelivered as final:
                log.warning("operator.not_told", error=type(final).__name__)
            return

    def _note(self, code: str) -> None:
        self._codes.append(code)
        self._new_code.set()

    async def _tell_incidents(self) -> None:
        """Report all incidents of a minute in one message."""
        await self._new_code.wait()
        await asyncio.sleep(GATHERED_FOR)
        codes, self._codes = self._codes, []
        self._new_code.clear()
        self.tell(lambda say, _zone: incidents_told(say, codes))

    async def _watch_fetching(self) -> None:
        """Report when Telegram has been silent for too long, and when it answers again."""
        told = False
        while True:
            silence = self._health.silence
            if silence is not None and told is not (silence > SILENT):
                told = not told
                since = self._clock.now() - timedelta(seconds=silence)
                self._tell_since(nothing_fetched if told else fetched_again, since)
            await asyncio.sleep(LOOK_EVERY)

    def _tell_since(self, text: Callable[[Say, datetime, str], str], since: datetime) -> None:
        self.tell(lambda say, zone: text(say, since, zone))

    async def sum_up(self) -> None:
        """Store this process's counts, and report the sums once a week. Several processes add to the same sums.

        With few users a sum would reveal what one of them does, so in that case we report nothing.
        """
        now, counted = self._clock.now(), _counts()
        async with self._store.writing() as rows:
            noted = await rows.note_to_change(_NOTE)
            sums = _Sums.read(noted) if noted else _Sums(now, 0, 0, 0)
            sums = sums.plus([new - old for new, old in zip(counted, self._counted, strict=True)])
            is_over = now - sums.since >= WEEK
            await rows.take_note(_NOTE, (_Sums(now, 0, 0, 0) if is_over else sums).written)
            people = await rows.people() if is_over else 0
        self._counted = counted
        if people >= ENOUGH_PEOPLE:
            _, asks, messages, incidents = sums
            self.tell(lambda say, _zone: week(say, people=people, asks=asks, messages=messages, incidents=incidents))


class _Sums(NamedTuple):
    """The counts of a week."""

    since: datetime
    asks: int
    messages: int
    incidents: int

    @classmethod
    def read(cls, written: str) -> "_Sums":
        since, *numbers = json.loads(written)
        return cls(datetime.fromisoformat(since), *numbers)

    @property
    def written(self) -> str:
        return json.dumps([self.since.isoformat(timespec="seconds"), *self[1:]])

    def plus(self, more: list[int]) -> "_Sums":
        return _Sums(self.since, *(old + new for old, new in zip(self[1:], more, strict=True)))


def _counts() -> tuple[int, int, int]:
    return ASKS_SENT.counted[""], NOTICES_SETTLED.counted["sent"], INCIDENTS.counted[""]


def _quietly(loop: asyncio.AbstractEventLoop, note: Callable[[str], None], code: str) -> None:
    """Pass an incident's code to the event loop, unless that has ended."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(note, code)
