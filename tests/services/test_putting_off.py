"""Whatever somebody does with a question and with a pause, in any order: the real services, outbox and SQLite.

What was promised comes, at its minute and as the same question; nothing comes in a pause; and a reminder comes once,
only for a question that nobody has touched.
"""

import asyncio
import tempfile
from collections.abc import Coroutine
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, TypeVar, cast

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from bot.clock import HandClock
from bot.crypto import KeyRing
from bot.delivery.courier import Delivered
from bot.delivery.outbox import Outbox
from bot.delivery.pacer import Pacer
from bot.domain.model import Ask, AskOpening, AskState, User
from bot.domain.notices import Notice
from bot.domain.results import Asked, Kept, Result, Skipped, Snoozed, StaysOpen
from bot.domain.times import is_quiet, local_date
from bot.services.visit import Visit
from bot.storage.store import Store
from bot.tg.courier import TelegramCourier
from bot.tg.screens import Screen
from bot.tg.screens.screen import AskCard
from tests.databases import SqliteTemplate
from tests.samples import sampled
from tests.services.conftest import ALICE, House, make_library
from tests.simulation import HereDatabase, ids_from

T = TypeVar("T")
START = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
ZONE = "Europe/Berlin"  # over the night of 29 March, which is an hour short
DAY = timedelta(days=1)


@cache
def template() -> SqliteTemplate:
    return SqliteTemplate.make(Path(tempfile.mkdtemp(prefix="ajar-putting-off-")))


@dataclass(frozen=True)
class Came:
    """A message on the bot's initiative: when, what, and the state of its user and its Ask at that moment."""

    at: datetime
    asked: Asked
    user: User


class Phone:
    """Where messages arrive: stands for Telegram and for the screens."""

    def __init__(self, clock: HandClock) -> None:
        self._clock = clock
        self._numbers = count(1)
        self.came: list[Came] = []

    async def deliver(self, _notice: Notice) -> Delivered:
        raise AssertionError("there are no answers and no exports here")

    async def words(self, *_: object) -> dict[str, str]:
        return {}

    def screen(self, result: Result, user: User, _language: str, now: datetime, _words: object) -> Screen:
        assert isinstance(result, Asked)
        self.came.append(Came(now, result, user))
        return Screen("a question", card=AskCard(result.ask_id, result.prompt_id))

    async def send(self, _user_id: int, _screen: Screen) -> int:
        return next(self._numbers)


class PuttingOff(RuleBasedStateMachine):
    """Alice, who is asked at some hour in Berlin and wants to be reminded."""

    def __init__(self) -> None:
        super().__init__()
        self.left = ExitStack()
        self.loop = asyncio.new_event_loop()
        self.left.callback(self.loop.close)
        self.left.enter_context(ids_from(1))
        folder = self.left.enter_context(tempfile.TemporaryDirectory())
        self.clock = HandClock(START)
        self.house = House(
            Store(HereDatabase(template().copy(Path(folder))), KeyRing.new()),
            self.clock,
            make_library(),
        )
        self.left.callback(lambda: self.run(self.house.store.close()))
        self.phone = Phone(self.clock)
        phone = cast("Any", self.phone)  # both as the renderer and as the sender
        pacer = Pacer(rate=1e9)
        courier = TelegramCourier(
            self.house.store, self.clock, phone, phone, pacer, phone, self.house.asks.notice_handlers, phone, phone
        )
        self.outbox = Outbox(self.house.store, self.clock, courier, pacer, self.house.asks, self.house.profile, owner=1)
        self.promises: dict[int, datetime] = {}
        """The time to which an Ask is put off, until it comes."""
        self.touched: set[int] = set()
        """Asks that were answered, skipped, put off, swapped or brought back."""
        self.first_shown: dict[int, datetime] = {}
        self.reminded: set[int] = set()
        self.paused = False
        self.messages = count(1)

    def teardown(self) -> None:
        self.left.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def does(self, use_case: Any, *args: Any) -> Any:
        return self.run(self.house.does(ALICE, use_case, *args))

    def acts(self, use_case: Any, *args: Any, wakes: bool = True) -> Any:
        """Handle what Alice does before anything due, as with every update."""
        self.run(self.house.does(ALICE, self.house.pace.note_activity, wakes=wakes))
        return self.does(use_case, *args)

    @property
    def user(self) -> User:
        return self.run(self.house.user(ALICE))

    @property
    def latest(self) -> Ask | None:
        async def find() -> Ask | None:
            async with self.house.store.reading() as rows:
                return await rows.asks.latest(ALICE)

        return self.run(find())

    @initialize(hour=st.integers(0, 47).map(lambda half: time(half // 2, half % 2 * 30)))
    def settles(self, hour: time) -> None:
        self.run(self.house.arrives(ALICE, at=hour, zone=ZONE))
        self.does(self._wants_reminders)

    @staticmethod
    async def _wants_reminders(visit: Visit) -> None:
        await visit.rows.users.change(visit.user, soft_reminder=True)

    # The time

    @rule(halves=st.integers(1, 8))
    def some_time_goes_by(self, halves: int) -> None:
        self._goes_on(self.clock.now() + timedelta(minutes=30) * halves)

    @rule()
    def it_becomes_their_hour(self) -> None:
        self._goes_on(self.user.next_ask_at or self.clock.now() + 3 * DAY)

    @rule(seconds=st.just(1))
    def it_becomes_their_hour_again(self, seconds: int) -> None:
        """The same again, so that it is tried more often."""
        self._goes_on((self.user.next_ask_at or self.clock.now()) + timedelta(seconds=seconds))

    def _goes_on(self, end: datetime) -> None:
        while (due := self.run(self._earliest())) and due <= end:
            self.clock.set(max(due, self.clock.now()))
            self.run(self._work())
            self._look()
        self.clock.set(end)

    async def _earliest(self) -> datetime | None:
        async with self.house.store.reading() as rows:
            return await rows.earliest_due()

    async def _work(self) -> None:
        await self.outbox.work()
        await self.outbox.finish()

    def _look(self) -> None:
        """React to what has come."""
        came, self.phone.came = self.phone.came, []
        for each in came:
            assert each.at == self.clock.now()
            assert each.user.paused_at is None, "nothing comes in a pause"
            if each.asked.opening is AskOpening.STILL:
                self._is_reminder(each)
            elif each.asked.ask_id in self.first_shown:
                assert self.promises.pop(each.asked.ask_id) == each.at, "what was put off comes when it was promised"
            else:
                self._is_new(each)
        for ask_id, at in list(self.promises.items()):
            if at <= self.clock.now():
                assert self.user.paused_at, f"{ask_id} was to come at {at}"
                del self.promises[ask_id]  # the pause came later than the promise and overrides it

    def _is_reminder(self, came: Came) -> None:
        ask_id = came.asked.ask_id
        assert ask_id not in self.touched
        assert ask_id not in self.reminded, "at most one"
        assert came.at - self.first_shown[ask_id] >= timedelta(hours=2)
        assert came.user.quiet
        assert not is_quiet(came.at, ZONE, came.user.quiet)
        self.reminded.add(ask_id)

    def _is_new(self, came: Came) -> None:
        ask = self.run(self.house.ask(ALICE, came.asked.ask_id))
        assert ask.state is AskState.OPEN
        assert ask.day == local_date(came.at, ZONE), "on its own date"
        self.first_shown[ask.id] = came.at
        assert (came.asked.opening is AskOpening.RESUMED) == self.paused, "it says so once, when a pause ends by itself"
        self.paused = False
        assert not self.promises, "what was put off came before the next one"

    # The question

    def _touches(self, ask_id: int) -> None:
        self.touched.add(ask_id)
        self.promises.pop(ask_id, None)

    @rule(when=st.sampled_from(("hour", "tonight", "morning")))
    def puts_off(self, when: str) -> None:
        if (ask := self.latest) is None:
            return
        result = self.acts(self.house.asks.snooze, when, ask.id, wakes=False)
        after = self.run(self.house.ask(ALICE, ask.id))
        assert (after.day, after.prompt_id) == (ask.day, ask.prompt_id)
        user = self.user
        if isinstance(result, Snoozed):
            self._touches(ask.id)
            assert result.until > self.clock.now()
            assert user.next_ask_at
            assert result.until < user.next_ask_at
            self.promises[ask.id] = result.until
        elif isinstance(result, StaysOpen):
            assert after == ask
            soon = self.clock.now() + timedelta(minutes=30)
            assert user.paused_at or (user.next_ask_at and user.next_ask_at <= soon)

    @rule(use_case=st.sampled_from(("skip", "another", "lighter", "bring_back")))
    def taps(self, use_case: str) -> None:
        if (ask := self.latest) is None:
            return
        result = self.acts(getattr(self.house.asks, use_case), ask.id, wakes=False)
        if isinstance(result, Asked | Skipped):
            self._touches(ask.id)
        if isinstance(result, Asked) and use_case == "bring_back":
            assert ask.prompt_id in {result.prompt_id, None}

    @rule()
    def asks_for_todays(self) -> None:
        if isinstance(result := self.acts(self.house.asks.today), Asked):
            self.promises.clear()
            self.first_shown.setdefault(result.ask_id, self.clock.now())
            self._touches(result.ask_id)

    @rule()
    def answers(self) -> None:
        ask = self.latest
        result = self.run(self.house.says(ALICE, "a line", next(self.messages)))
        if isinstance(result, Kept) and ask:
            self._touches(ask.id)

    # The pause

    def _pauses(self) -> None:
        self.paused = self.user.paused_until is not None
        self.touched |= self.first_shown.keys()  # a reminder is not held until the end of the pause: nothing piles up

    @rule(dates=st.sampled_from((3, 7)))
    def pauses_for(self, dates: int) -> None:
        self.acts(self.house.pause.dates, dates)
        self._pauses()

    @rule(ahead=st.sampled_from((1, 2, None)))
    def pauses_until(self, ahead: int | None) -> None:
        if ahead:
            self.acts(self.house.pause.until, local_date(self.clock.now(), ZONE) + ahead * DAY)
        else:
            self.acts(self.house.pause.until_told)
        self._pauses()

    @rule()
    def resumes(self) -> None:
        result = self.acts(self.house.pause.resume)
        assert result.next_at > self.clock.now()
        self.paused = False


PuttingOff.TestCase.settings = settings(
    max_examples=sampled(15, 40),
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestPuttingOff = PuttingOff.TestCase
