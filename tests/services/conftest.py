"""The services on real databases, with a small library and people who have done the start."""

import inspect
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.clock import HandClock
from bot.crypto import KeyRing
from bot.domain.content import Format, Prompt, Role, Theme
from bot.domain.model import Ask, Line, User
from bot.domain.notices import Notice, NoticeKind
from bot.domain.results import Asked, Result
from bot.library import Library, content_folder, load
from bot.services.asks import Asks, Planned
from bot.services.lines import Lines
from bot.services.pace import Pace
from bot.services.pairing import Pairing
from bot.services.pause import Pause
from bot.services.planning import replan
from bot.services.profile import Profile
from bot.services.settings import Settings
from bot.services.start import Start, next_step
from bot.services.visit import Visit
from bot.services.zones import Zones
from bot.storage.notices import Settled
from bot.storage.store import Store
from tests.databases import SqliteTemplate
from tests.simulation import HereDatabase

ALICE, BOB = 1001, 1002
LIBRARY = load(content_folder())
"""The questions that we ship."""
THEMES = ("body", "weather", "home")


def make_library() -> Library:
    """Three themes with two prompts at each depth."""
    prompts = [
        Prompt(
            f"{theme}.{depth}{letter}",
            theme,
            depth,
            f"{theme} {depth}{letter}?",
            Role.TELLER,
            Format.ONE_FACT,
            ("x", "y"),
        )
        for theme in THEMES
        for depth in range(1, 6)
        for letter in "ab"
    ]
    return Library.of([Theme(theme, theme.title()) for theme in THEMES], prompts)


@dataclass
class House:
    """The use cases, each called in its own transaction, as in a turn."""

    store: Store
    clock: HandClock
    library: Library

    def __post_init__(self) -> None:
        self.profile = Profile()
        self.asks = Asks(self.library)
        self.settings = Settings(self.library)
        self.pairing = Pairing()
        self.start = Start(self.asks, self.pairing)
        self.zones = Zones(self.start.settle_zone)
        self.pause = Pause()
        self.pace = Pace(self.library)
        self.lines = Lines(self.pause.typed, on_answered=self.pace.answered)

    async def does(self, user_id: int, use_case: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Return the Result of a use case for this user, now."""
        now = self.clock.now()
        async with self.store.writing(user_id) as rows:
            user = await rows.users.find(user_id)
            assert user, "nobody of this id"
            if next(iter(inspect.signature(use_case).parameters)) == "rows":  # also for somebody who isn't a user
                return await use_case(rows, user, *args, now=now, **kwargs)
            return await use_case(Visit(rows, user, now), *args, **kwargs)

    async def arrives(self, user_id: int, *, at: time = time(8), zone: str = "Europe/London") -> User:
        """Add somebody who is set up and hasn't been asked anything yet."""
        async with self.store.writing(user_id) as rows:
            user = await rows.users.add(user_id, "en", self.clock.now())
            await replan(Visit(rows, user, self.clock.now()), ask_at=at, zone=zone)
        return await self.user(user_id)

    async def agrees(self, user_id: int) -> Result:
        """Let somebody agree, who is then at the start."""
        async with self.store.writing(user_id) as rows:
            user = await rows.users.find(user_id)
            return await self.start.consent(rows, user, user_id, "en", self.clock.now())

    async def next_step(self, user_id: int, *, again: bool = False) -> Result:
        async with self.store.writing(user_id) as rows:
            return await next_step(rows, await rows.users.find(user_id), self.clock.now(), again=again)

    async def says(self, user_id: int, text: str, message_id: int, *, reply_to: int | None = None) -> Result:
        await self.does(user_id, self.pace.note_activity, wakes=True)
        result: Result = await self.does(user_id, self.lines.receive, text, message_id, reply_to=reply_to)
        return result

    async def plan(self) -> Planned:
        return await self.asks.plan_due(self.store, self.clock.now())

    async def deliver(self) -> list[tuple[int, Asked | None]]:
        """Claim the due Notices, let the service make their messages, and settle them: (user, message)."""
        said = []
        async with self.store.writing() as rows:
            notices = await rows.notices.claim(self.clock.now(), 100, 1)
        for notice in notices:
            if notice.kind is not NoticeKind.ASK:
                await self.settle(notice, Settled.NEEDLESS)
                continue
            asked = await self.does(notice.user_id, self.asks.deliver, notice)
            said.append((notice.user_id, asked))
            await self.settle(notice, Settled.SENT if asked else Settled.NEEDLESS)
        return said

    async def settle(self, notice: Notice, how: Settled) -> None:
        async with self.store.writing() as rows:
            await rows.notices.settle(notice, how, self.clock.now())

    async def is_asked(self, user_id: int) -> Asked:
        """Move to this user's hour; return what they are asked."""
        user = await self.user(user_id)
        assert user.next_ask_at
        self.clock.set(user.next_ask_at)
        await self.plan()
        (asked,) = [asked for who, asked in await self.deliver() if who == user_id]
        assert asked
        return asked

    async def user(self, user_id: int) -> User:
        async with self.store.reading() as rows:
            user = await rows.users.find(user_id)
        assert user
        return user

    async def ask(self, user_id: int, ask_id: int) -> Ask:
        async with self.store.reading() as rows:
            ask = await rows.asks.find(user_id, ask_id)
        assert ask
        return ask

    async def asks_of(self, user_id: int, start: datetime, days: int) -> list[Ask | None]:
        """Return the Asks of this many dates from the date of `start` on."""
        async with self.store.reading() as rows:
            return [await rows.asks.on(user_id, (start + n * timedelta(days=1)).date()) for n in range(days)]

    async def line(self, user_id: int, line_id: int) -> tuple[Line, str] | None:
        """Return a Line and its words."""
        async with self.store.reading() as rows:
            line = await rows.lines.find(user_id, line_id)
            return (line, await rows.lines.words(line)) if line else None

    async def words(self, user_id: int, line_id: int) -> str:
        found = await self.line(user_id, line_id)
        assert found, "no such line"
        return found[1]

    async def waiting_notices(self) -> int:
        async with self.store.reading() as rows:
            return (await rows.sums())["messages waiting to be sent"]


@pytest.fixture
async def library_home(
    sqlite_template: SqliteTemplate, tmp_path: Path, keys: KeyRing, clock: HandClock
) -> AsyncIterator[House]:
    """A house with the questions that we ship and a database that is fast enough for long lives."""
    store = Store(HereDatabase(sqlite_template.copy(tmp_path)), keys)
    yield House(store, clock, LIBRARY)
    await store.close()


@pytest.fixture
def house(store: Store, clock: HandClock) -> House:
    return House(store, clock, make_library())
