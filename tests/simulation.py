"""People who live with Ajar for a long time: the real services, outbox and SQLite; a clock moved by hand; no Telegram.

Everybody has a temperament, drawn from the seed, and lives by it: answers, skips, puts off, falls silent for weeks,
pauses, moves to other zones, changes hour and days, blocks the bot. At times the bot is down, for hours or days, and
is restarted; at other times it can't reach Telegram. `tests.accounts` then checks every date of everybody against the
rows.
"""

import asyncio
import contextlib
import heapq
import logging
import random
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any
from unittest import mock

import structlog
from sqlalchemy import Connection, Select, create_engine
from sqlalchemy.pool import StaticPool

from bot.clock import HandClock
from bot.crypto import KeyRing
from bot.delivery.courier import Delivered, NotSent, Unclear
from bot.delivery.outbox import Outbox
from bot.delivery.pacer import Pacer
from bot.domain.model import User
from bot.domain.notices import Notice
from bot.domain.results import Asked, OfferDeeper, Result
from bot.domain.times import EVERY_DAY, Later, is_quiet, local_date
from bot.library import Library, content_folder, load
from bot.services.asks import Asks
from bot.services.lines import Lines
from bot.services.pace import Pace
from bot.services.pairing import Pairing
from bot.services.pause import Pause
from bot.services.profile import Profile
from bot.services.settings import Settings
from bot.services.start import Start
from bot.services.visit import Visit
from bot.services.zones import Zones
from bot.storage import engine
from bot.storage.store import Rows, Store
from bot.tg.courier import TelegramCourier
from bot.tg.screens import Screen
from bot.tg.screens.screen import AskCard

if TYPE_CHECKING:
    from tests.accounts import Account

START = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)
ZONES = (
    "Europe/Berlin", "Europe/Lisbon", "America/New_York", "Australia/Sydney", "Australia/Lord_Howe", "Africa/Cairo",
    "Asia/Beirut", "America/Santiago", "Pacific/Apia", "Asia/Kathmandu", "Pacific/Kiritimati", "Pacific/Honolulu",
)  # fmt: skip
ZONES_LIVED_IN = (9, 5, 9, 5, 1, 3, 2, 3, 1, 1, 1, 3)
HOURS = (time(7), time(8), time(12), time(18), time(20), time(22), time(0), time(2), time(20, 30))
HOURS_LIKED = (3, 3, 2, 3, 5, 1, 0.3, 0.3, 0.2)
HOUR = timedelta(hours=1)
DAILY, NOW_AND_THEN = 0.1, 0.2
"""The shares of people who answer nearly every day, and now and then; the others mostly don't."""
DAY = timedelta(days=1)


class HereConnection:
    """What storage needs from a connection, without SQLAlchemy's asyncio around it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.dialect = connection.dialect

    async def execute(self, statement: Any, parameters: Any = None) -> Any:
        return self._connection.execute(statement, parameters)

    async def execute_later(self, statement: Any, *each: dict[str, Any]) -> None:
        for values in each:
            self._connection.execute(statement, values)

    def prefetch(self, values: Mapping[str, Any], *statements: Select[Any]) -> None:
        """Nothing is a trip here."""

    def turn_to(self, user_id: int) -> None:
        """Nothing is prefetched here."""

    @contextlib.asynccontextmanager
    async def begin_nested(self) -> AsyncIterator[Any]:
        """A part that could be rolled back alone, which never happens here."""
        with self._connection.begin_nested():
            yield


class HereDatabase:
    """The real SQLite with all of our statements, in this thread, without waiting for the disk: ten times as fast."""

    def __init__(self, url: str) -> None:
        file = engine.sqlite_file(url)
        self._engine = create_engine(f"sqlite:///{file}", connect_args={"isolation_level": None}, poolclass=StaticPool)
        self._lock = asyncio.Lock()
        with self._engine.connect() as connection:
            for pragma in engine._PRAGMAS:
                connection.exec_driver_sql(pragma.replace("synchronous=FULL", "synchronous=OFF"))
        self._connection = self._engine.connect()

    @contextlib.asynccontextmanager
    async def writing(self, *user_ids: int, wait: bool = True) -> AsyncIterator[Any]:  # noqa: ARG002  # there is one writer
        async with self._lock:
            self._connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield HereConnection(self._connection)
            except BaseException:
                self._connection.exec_driver_sql("ROLLBACK")
                raise
            self._connection.exec_driver_sql("COMMIT")

    writing_first = writing_reserved = writing

    @contextlib.asynccontextmanager
    async def reading(self) -> AsyncIterator[Any]:
        async with self._lock:
            yield HereConnection(self._connection)

    reading_reserved = reading
    connections = engine.Connections(in_use=0, size=1)

    async def is_well(self) -> bool:
        return True

    async def share_commit(self, within: float) -> None:
        """Commits here wait for no disk, so there is nothing to share."""

    swept = True

    async def sweep(self) -> bool:
        return True

    async def remove_asides(self, *, before: datetime | None = None, user_id: int | None = None) -> None:
        """There are none."""

    def sweep_soon(self) -> None:
        """Nobody checks the disk."""

    async def close(self) -> None:
        self._connection.close()
        self._engine.dispose()


@contextlib.contextmanager
def ids_from(seed: int) -> Iterator[None]:
    """Draws ids from the seed too, so that the same seed gives the same lives."""
    with (
        mock.patch("bot.storage.ids.secrets.randbits", random.Random(seed).getrandbits),
        mock.patch("bot.storage.ids._drawn", OrderedDict()),
    ):
        yield


@dataclass(frozen=True)
class Sent:
    """A message that reached somebody."""

    user_id: int
    at: datetime
    said: str
    ask_id: int | None
    in_quiet_hours: bool
    in_pause: bool


@dataclass
class Span:
    """A period in somebody's life; without an end it goes on."""

    start: datetime
    end: datetime | None = None


@dataclass
class Life:
    """One person: their temperament, and what the simulation itself knows about them."""

    id: int
    answers: float
    skips: float
    snoozes: float
    restless: float
    """The chance per day of changing something about their days."""
    falls_silent: float
    """The chance that a question is the last one before a long silence."""
    first_days: frozenset[int]
    silent_until: datetime = START
    promises: dict[int, list[datetime]] = field(default_factory=dict)
    """The times to which each Ask was put off."""
    paused: list[Span] = field(default_factory=list)
    away: list[Span] = field(default_factory=list)
    moved: list[datetime] = field(default_factory=list)
    days: list[tuple[datetime, frozenset[int]]] = field(default_factory=list)
    """Their weekdays, each with the time from which they applied."""
    spoke: list[datetime] = field(default_factory=list)
    taken: int = 1
    """The deepest depth that was ever accepted."""
    too_deep: list[str] = field(default_factory=list)
    """Prompts that came deeper than that."""

    def last_spoke(self, before: datetime) -> datetime:
        at = bisect_right(self.spoke, before)
        return self.spoke[at - 1] if at else START


class Phones:
    """Where messages arrive: stands for Telegram and for the screens."""

    def __init__(self, clock: HandClock) -> None:
        self._clock = clock
        self.sent: list[Sent] = []
        self.reached: list[tuple[int, Result]] = []
        self.trouble: Callable[[], Exception | None] = lambda: None
        self._numbers = count(1)
        self.unclear: set[int] = set()
        """Asks of which a copy may have arrived unknown to the bot."""
        self._said: dict[int, tuple[User, Result]] = {}

    async def deliver(self, _notice: Notice) -> Delivered:
        raise AssertionError("there are no answers and no exports here")

    async def words(self, *_: object) -> dict[str, str]:
        return {}

    def screen(self, result: Result, user: User, _language: str, _now: datetime, _words: object) -> Screen:
        self._said[user.id] = user, result
        card = AskCard(result.ask_id, result.prompt_id) if isinstance(result, Asked) else None
        return Screen(type(result).__name__, card=card)

    async def send(self, user_id: int, screen: Screen) -> int:
        trouble = self.trouble()
        if trouble is None or isinstance(trouble, Unclear):
            user, result = self._said[user_id]
            now = self._clock.now()
            said = f"{screen.text} {result.opening or ''}".strip() if isinstance(result, Asked) else screen.text
            quiet = bool(user.quiet and user.zone and is_quiet(now, user.zone, user.quiet))
            self.sent.append(Sent(user_id, now, said, screen.ask_id, quiet, user.paused_at is not None))
            self.reached.append((user_id, result))
            if trouble and screen.ask_id:
                self.unclear.add(screen.ask_id)
        if trouble:
            raise trouble
        return next(self._numbers)


class Town:
    """Everybody, the bot, and the clock."""

    def __init__(self, url: str, library: Library, seed: int, people: int) -> None:
        self.seed = seed
        self.random = random.Random(seed)
        self.clock = HandClock(START)
        self.keys = KeyRing.new()
        self.url = url
        self.library = library
        self.phones = Phones(self.clock)
        self.store = Store(HereDatabase(url), self.keys)
        self._start_bot()
        self.lives = [self._life(1000 + number) for number in range(people)]
        self._acts: list[tuple[datetime, int, Callable[[], Coroutine[Any, Any, None]]]] = []
        self._numbers = count()
        self._messages = count(1)
        self.down: list[tuple[datetime, datetime]] = []
        """When the bot was down; and below, when it couldn't reach Telegram."""
        self.cut: list[tuple[datetime, datetime]] = []

    def _start_bot(self) -> None:
        """Make everything that a process holds in memory anew."""
        self.profile, self.prompts, self.pace = Profile(), Asks(self.library), Pace(self.library)
        self.pause, self.settings = Pause(), Settings(self.library)
        self.start = Start(self.prompts, Pairing())
        self.zones = Zones(self.start.settle_zone)
        self.lines = Lines({**self.settings.typed, **self.pause.typed}, on_answered=self.pace.answered)
        notice_handlers = {**self.prompts.notice_handlers, **self.pace.notice_handlers}
        phones: Any = self.phones
        pacer = Pacer(rate=1e9)
        courier = TelegramCourier(
            self.store, self.clock, phones, phones, pacer, phones, notice_handlers, phones, phones
        )
        self.outbox = Outbox(self.store, self.clock, courier, pacer, self.prompts, self.profile, owner=1)

    def _life(self, user_id: int) -> Life:
        """Draw a typical temperament: most try it for a while and fall silent, some go on, few answer every day."""
        chance = self.random
        kind = chance.random()
        if kind < DAILY:
            answers, days, restless, falls_silent = 0.9, EVERY_DAY, 0.05, 0.003
        elif kind < DAILY + NOW_AND_THEN:
            answers, days, restless, falls_silent = 0.6, _some_days(chance), 0.04, 0.03
        else:
            answers, days, restless, falls_silent = 0.25, EVERY_DAY, 0.003, 0.3
        rest = 1 - answers
        skips, snoozes = rest * chance.random() / 3, rest * chance.random() / 3
        return Life(user_id, answers, skips, snoozes, restless, falls_silent, days)

    # The time

    async def live(self, length: timedelta) -> None:
        """Let everybody move in, and let this much time pass."""
        end = START + length
        self._plan_trouble(end)
        async with self.store.writing() as rows:
            for life in self.lives:
                await self._move_in(rows, life)
        for life in self.lives:
            self._later(self._some_time(life, START), lambda life=life: self._stir(life))  # type: ignore[misc]
        while self.clock.now() < end:
            await self._step(end)
        await self._work()

    def _plan_trouble(self, end: datetime) -> None:
        """Take the bot down, and Telegram out of reach, now and then."""
        chance, moment = random.Random(self.seed + 1), START
        while (moment := _full_hour(moment + DAY * chance.uniform(5, 25))) < end:
            if chance.random() < 0.3:  # each minute of it means another attempt for everything that is due
                length = timedelta(minutes=chance.uniform(1, 8))
                self.cut.append((moment, moment + length))
            else:
                length = chance.choice((timedelta(minutes=20), timedelta(hours=3), timedelta(hours=9), 3 * DAY))
                self.down.append((moment, moment + length))
            moment += length
        self.phones.trouble = self._trouble

    def _trouble(self) -> Exception | None:
        now = self.clock.now()
        if any(start <= now < end for start, end in self.cut):
            return NotSent()
        return Unclear() if self.random.random() < 0.0005 else None

    async def _step(self, end: datetime) -> None:
        async with self.store.reading() as rows:
            due = await rows.earliest_due()
        first = self._acts[0][0] if self._acts else end
        moment = max(min(due or end, first, end), self.clock.now())
        for start, over in self.down:
            if start <= moment < over:
                moment = over
                self.clock.set(moment)
                self._start_bot()
                async with self.store.writing() as rows:
                    await rows.notices.release(moment)
        self.clock.set(moment)
        while self._acts and self._acts[0][0] <= moment:
            await heapq.heappop(self._acts)[2]()
        await self._work()

    async def _work(self) -> None:
        await self.outbox.work()
        await self.outbox.finish()
        reached, self.phones.reached = self.phones.reached, []
        for user_id, result in reached:
            if isinstance(result, Asked):
                self._react(self.lives[user_id - 1000], result)
            elif isinstance(result, OfferDeeper) and self.random.random() < 0.5:
                await self._take(self.lives[user_id - 1000], result.depth)

    def _later(self, at: datetime, act: Callable[[], Coroutine[Any, Any, None]]) -> None:
        heapq.heappush(self._acts, (_full_hour(at), next(self._numbers), act))

    def _some_time(self, life: Life, after: datetime) -> datetime:
        return after + DAY * self.random.expovariate(life.restless)

    # What people do

    async def _move_in(self, rows: Rows, life: Life) -> None:
        chance, now = self.random, self.clock.now()
        await self.start.consent(rows, None, life.id, "en", now)
        (hour,) = chance.choices(HOURS, HOURS_LIKED)
        await self.start.set_hour(Visit(rows, await self._user(rows, life), now), hour)
        await self.start.settle_zone(Visit(rows, await self._user(rows, life), now), self._zone())
        life.days.append((now, life.first_days))
        await self.settings.set_days(Visit(rows, await self._user(rows, life), now), life.first_days)
        reminder, ceiling = chance.random() < 0.15, chance.randint(1, 5)
        await rows.users.change(await self._user(rows, life), soft_reminder=reminder, ceiling=ceiling)

    def _zone(self) -> str:
        return self.random.choices(ZONES, ZONES_LIVED_IN)[0]

    async def _user(self, rows: Rows, life: Life) -> User:
        user = await rows.users.find(life.id)
        assert user
        return user

    def _react(self, life: Life, asked: Asked) -> None:
        """React to a question that has come."""
        now, chance = self.clock.now(), self.random
        if asked.prompt_id and self.library.prompts[asked.prompt_id].depth > life.taken:
            life.too_deep.append(asked.prompt_id)
        if now < life.silent_until:
            return
        if chance.random() < life.falls_silent:
            life.silent_until = now + DAY * chance.uniform(5, 300)
        draw = chance.random()
        after = HOUR * int(chance.expovariate(0.7))
        if draw < life.answers:
            self._later(now + after, lambda: self._answer(life))
        elif draw < life.answers + life.skips:
            self._later(now + after, lambda: self._tap(life, "skip", asked.ask_id))
        elif draw < life.answers + life.skips + life.snoozes:
            when = chance.choice(tuple(Later))
            self._later(now + after, lambda: self._tap(life, when, asked.ask_id))

    async def _take(self, life: Life, depth: int) -> None:
        async with self.store.writing(life.id) as rows:
            user = await self._heard(rows, life, wakes=False)
            await self.pace.take_deeper(Visit(rows, user, self.clock.now()), depth)
        life.taken = max(life.taken, depth)

    async def _answer(self, life: Life) -> None:
        now = self.clock.now()
        async with self.store.writing(life.id) as rows:
            user = await self._heard(rows, life, wakes=True)
            await self.lines.receive(Visit(rows, user, now), "as usual", next(self._messages))

    async def _tap(self, life: Life, action: str, ask_id: int) -> None:
        now = self.clock.now()
        async with self.store.writing(life.id) as rows:
            user = await self._heard(rows, life, wakes=False)
            if action == "skip":
                await self.prompts.skip(Visit(rows, user, now), ask_id)
                return
            await self.prompts.snooze(Visit(rows, user, now), Later(action), ask_id)
            if (ask := await rows.asks.find(life.id, ask_id)) and ask.snoozed_until:
                life.promises.setdefault(ask_id, []).append(ask.snoozed_until)

    async def _heard(self, rows: Rows, life: Life, *, wakes: bool) -> User:
        """Handle it as every update is handled."""
        life.spoke.append(self.clock.now())
        user = await self._user(rows, life)
        if user.blocked_at:
            await self.profile.unblocked(rows, user, self.clock.now())
            life.away[-1].end = self.clock.now()
            user = await self._user(rows, life)
        return await self.pace.note_activity(Visit(rows, user, self.clock.now()), wakes=wakes)

    async def _stir(self, life: Life) -> None:
        """Change something about their days."""
        chance, now = self.random, self.clock.now()
        acts = (self._pauses, self._resumes, self._moves, self._other_hour, self._other_days, self._today, self._blocks)
        act = chance.choices(acts, (4, 4, 3, 3, 1, 3, 0.5))[0]
        async with self.store.writing(life.id) as rows:
            await act(rows, life, now)
        self._later(self._some_time(life, now + HOUR), lambda: self._stir(life))

    async def _pauses(self, rows: Rows, life: Life, now: datetime) -> None:
        user = await self._heard(rows, life, wakes=True)
        chance = self.random.random()
        if chance < 0.7:
            await self.pause.dates(Visit(rows, user, now), self.random.choice((3, 7)))
        elif chance < 0.9:
            assert user.zone
            await self.pause.until(
                Visit(rows, user, now), local_date(now, user.zone) + self.random.randint(1, 40) * DAY
            )
        else:
            await self.pause.until_told(Visit(rows, user, now))
        if life.paused and (life.paused[-1].end is None or life.paused[-1].end > now):
            life.paused[-1].end = now
        user = await self._user(rows, life)
        life.paused.append(Span(now, user.next_ask_at))

    async def _resumes(self, rows: Rows, life: Life, now: datetime) -> None:
        user = await self._heard(rows, life, wakes=True)
        await self.pause.resume(Visit(rows, user, now))
        if life.paused and (life.paused[-1].end is None or life.paused[-1].end > now):
            life.paused[-1].end = now

    async def _moves(self, rows: Rows, life: Life, now: datetime) -> None:
        user = await self._heard(rows, life, wakes=True)
        life.moved.append(now)
        await self.zones.set(Visit(rows, user, now), self._zone())

    async def _other_hour(self, rows: Rows, life: Life, now: datetime) -> None:
        user = await self._heard(rows, life, wakes=True)
        (hour,) = self.random.choices(HOURS, HOURS_LIKED)
        await self.settings.set_hour(Visit(rows, user, now), hour)

    async def _other_days(self, rows: Rows, life: Life, now: datetime) -> None:
        user = await self._heard(rows, life, wakes=True)
        some = frozenset(self.random.sample(range(7), self.random.randint(1, 7)))
        days = self.random.choice((some, EVERY_DAY))
        life.days.append((now, days))
        await self.settings.set_days(Visit(rows, user, now), days)

    async def _today(self, rows: Rows, life: Life, now: datetime) -> None:
        user = await self._heard(rows, life, wakes=True)
        await self.prompts.today(Visit(rows, user, now))

    async def _blocks(self, rows: Rows, life: Life, now: datetime) -> None:
        user = await self._user(rows, life)
        if not user.blocked_at:
            life.away.append(Span(now))
        await self.profile.blocked(rows, user, now)


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Keep the bot's log out: a year fills it with nothing but plans."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**before)


async def live_and_account(url: str, seed: int, people: int, length: timedelta) -> "Account":
    """Return this many people's lives over that time, in the database behind `url`, and the totals."""
    from tests.accounts import account

    with _quietly(), ids_from(seed):
        town = Town(url, load(content_folder()), seed, people)
        try:
            await town.live(length)
            return await account(town)
        finally:
            await town.store.close()


def _full_hour(at: datetime) -> datetime:
    """Return the next full hour: everything happens at one, so that many things coincide."""
    late = (at - START) % HOUR
    return at - late + HOUR * bool(late)


def _some_days(chance: random.Random) -> frozenset[int]:
    return chance.choice((EVERY_DAY, frozenset(range(5)), frozenset({2, 6}), frozenset({6})))
