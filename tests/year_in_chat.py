"""Ten people who live with the bot for a year, and a reader who knows nothing but what was in their chats.

The whole bot runs in this process, on SQLite, and is told of updates and asked for what it sends, as Telegram would. A
Person does what they like to the question on their screen, drawn from the seed. A Page is one question, as it came.
`tests.year_read` reads them.
"""

import asyncio
import html
import json
import logging
import re
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Final
from unittest import mock
from zoneinfo import ZoneInfo

import structlog

import tests.silence.world as world_module
from bot.delivery.pacer import Pacer
from bot.i18n import say_in
from bot.library import Library, content_folder, load
from bot.tg.screens.asks import open_day_lines
from tests.prove.schedules import Schedule, schedule
from tests.silence.world import NAMES, START, Beginning, Call, stop
from tests.whole.town import Phones, TheirClock, Town, drawn_at_once

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
_WEEKEND: Final = frozenset({5, 6})
_NORTH: Final = frozenset({11, 12, 1, 2})
_SOUTH: Final = frozenset({5, 6, 7, 8})
_ASK: Final = re.compile(r"v1:(?:another|skip):(\d+)")
_TAG: Final = re.compile(r"<[^>]+>")
_OFFER: Final = re.compile(r"v1:take_deeper:(\d)")
_FIRST_ID: Final = 930_000_000
_PAUSE: Final = 3
_ON_SCREEN: Final = 20


@dataclass(frozen=True)
class Temper:
    """Who somebody is, and where."""

    zone: str
    hour: str
    """Their hour as the button writes it, like 2030."""
    ceiling: int
    refuses: int
    """The depth that they leave when it is offered."""
    joins: int
    """On which day."""
    language: str = "en"
    weekend: frozenset[int] = _WEEKEND
    dark_months: frozenset[int] = _NORTH
    themes_left_out: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    """Sensitivities."""
    partnered: bool = False
    """Whether they say that they have a partner who isn't here."""
    pairs_with: int | None = None
    """Whom they invite, by their place among the ten, twenty days after both are there."""
    callbacks: bool = True
    """Whether they say yes to Callbacks when asked."""


TEN: Final = (
    Temper("Europe/Berlin", "2030", 2, 9, 0, language="de"),
    Temper("Europe/London", "2030", 3, 9, 3, pairs_with=2),
    Temper("Europe/London", "0800", 5, 9, 11, left_out=("money",)),
    Temper("Australia/Sydney", "2030", 2, 9, 17, dark_months=_SOUTH, partnered=True),
    Temper("America/Santiago", "1230", 3, 3, 29, dark_months=_SOUTH, left_out=("childhood", "sex")),
    Temper("Africa/Cairo", "0800", 4, 9, 40, weekend=frozenset({4, 5}), themes_left_out=("growing-up",)),
    Temper("Asia/Kolkata", "2030", 1, 9, 52, weekend=frozenset({6}), dark_months=frozenset()),
    Temper("America/New_York", "1230", 5, 9, 75, partnered=True, left_out=("loss", "bodies")),
    Temper("Pacific/Auckland", "0800", 2, 2, 101, dark_months=_SOUTH, callbacks=False),
    Temper("Europe/Berlin", "1230", 4, 4, 140, language="de", themes_left_out=("work", "money")),
)


@dataclass(frozen=True)
class Page:
    """A question when it first came: a prompt of the library, a Callback, or a day without a question."""

    at: datetime
    day: date
    """The local date on which it came."""
    ask_id: int
    prompt_id: str | None
    words: str
    is_callback: bool
    depth: int
    """How deep its person lets themselves be asked by then."""
    alone: bool
    """Whether they had nobody by then, as far as the bot was told."""
    swapped_from: str | None
    """The prompt in whose place it came, if they wanted another one."""
    lighter_wanted: bool = False
    """Whether something lighter was wanted."""

    @property
    def shows(self) -> tuple[int, str | None, bool]:
        return self.ask_id, self.prompt_id, self.is_callback


@dataclass
class Chat:
    """All that a reader has of one person."""

    temper: Temper
    joined: datetime
    pages: list[Page] = field(default_factory=list)
    offers: list[tuple[datetime, int]] = field(default_factory=list)
    """When which depth was offered."""
    refused: list[tuple[datetime, int]] = field(default_factory=list)
    pauses: list[date] = field(default_factory=list)
    """The local dates on which a pause of three days began."""
    callbacks_from: datetime | None = None
    typed: list[str] = field(default_factory=list)
    done: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    """By Ask: what they did."""


class Person:
    """Somebody with a phone, a temper and their own chances."""

    def __init__(self, town: Town, library: Library, user_id: int, temper: Temper, seed: int) -> None:
        self._town, self._library, self.id, self.temper = town, library, user_id, temper
        self._chance = Random(f"{seed} {user_id}")
        self._zone = ZoneInfo(temper.zone)
        self.chat = Chat(temper, START + temper.joins * DAY)
        self.depth = 1
        self.alone = True
        self._open: Page | None = None
        self._message = 0
        self._to_do: tuple[datetime, Callable[[], Awaitable[None]]] | None = None
        self._ignored = 0
        self._texts = 0
        self._steps_down = False
        self._wants: tuple[str | None, bool] = (None, False)
        say = say_in(temper.language)
        self._prompts = {say.content(prompt.text): prompt.id for prompt in library.prompts.values()}
        self._open_days, self._still_so = set(open_day_lines(say)), say("Still so, done with, or different?")

    @property
    def _today(self) -> date:
        return self._town.clock.now().astimezone(self._zone).date()

    # How they begin

    async def joins(self) -> None:
        town = self._town
        await town.says(self.id, "/start")
        await town.taps_newest(self.id, "consent")
        self.read()
        assert self._open, "there was no first question"
        self._to_do = None
        await self._writes()
        await town.taps_newest(self.id, f"hour:{self.temper.hour}")
        await town.says(self.id, self.temper.zone.rpartition("/")[2].replace("_", " "))
        await self._finds_zone()
        await self._sets_up()

    async def _finds_zone(self) -> None:
        shown = [data for _, data in self._town.recorder.buttons(self.id) if data.startswith("v1:zone:")]
        found = [data for data in shown if data == f"v1:zone:{self.temper.zone}"]
        assert found, f"{self.temper.zone} isn't among {shown}"
        await self._town.taps_newest(self.id, f"zone:{self.temper.zone}")

    async def _sets_up(self) -> None:
        town = self._town
        await town.says(self.id, "/settings")
        await town.taps_newest(self.id, "ceiling:")
        await town.taps_newest(self.id, f"set_ceiling:{self.temper.ceiling}")
        for theme in self.temper.themes_left_out:
            await self._leaves_out(f"toggle_theme:{theme}.")
        for subject in self.temper.left_out:
            await self._leaves_out(f"toggle_sensitivity:{subject}.")
        if self.temper.partnered:
            await town.says(self.id, "/settings")
            await town.taps_newest(self.id, "switch:partnered")
            await town.taps_newest(self.id, "flip:partnered.1")
            self.alone = False

    async def _leaves_out(self, button: str) -> None:
        await self._town.says(self.id, "/settings")
        await self._town.taps_newest(self.id, "themes:")
        await self._town.taps_newest(self.id, button)

    async def pairs(self, other: "Person") -> None:
        town = self._town
        await town.says(self.id, "/pair")
        if any("pair_name_typed" in data or "pair_name:" in data for _, data in town.recorder.buttons(self.id)):
            await town.taps_newest(self.id, "pair_name")
        link = town.link_to(self.id)
        await town.says(other.id, f"/start {link}")
        await town.taps_newest(other.id, "guest_yes")
        await town.taps_newest(self.id, "pair_yes")
        self.alone = other.alone = False

    # What comes

    def read(self) -> None:
        """Read what has come since."""
        calls = self._town.recorder.seen[self.id]
        while calls:
            self._reads(calls.pop(0))

    def _reads(self, call: Call) -> None:
        params = json.loads(call.params)
        markup = params.get("reply_markup", "")
        if found := _OFFER.search(markup):
            self.chat.offers.append((call.at, int(found[1])))
        if call.method not in {"sendMessage", "editMessageText"} or not (asks := _ASK.search(markup)):
            return
        ask_id, lines = int(asks[1]), _TAG.sub("", html.unescape(params["text"])).split("\n")
        is_callback = self._still_so in lines
        prompt_id = (
            None if is_callback else next((self._prompts[line] for line in lines if line in self._prompts), None)
        )
        if known := [page for page in self.chat.pages if page.shows == (ask_id, prompt_id, is_callback)]:
            self._open = known[0]
            if self._to_do is None:
                self._plans()
            return
        assert prompt_id or is_callback or not self._open_days.isdisjoint(lines), lines
        swapped_from, lighter = self._wants if self._open and self._open.ask_id == ask_id else (None, False)
        if self._steps_down and not swapped_from:
            self.depth, self._steps_down = max(1, self.depth - 1), False
        page = Page(
            call.at, call.at.astimezone(self._zone).date(), ask_id, prompt_id, "\n".join(lines), is_callback,
            self.depth, self.alone, swapped_from, lighter,
        )  # fmt: skip
        self.chat.pages.append(page)
        self._open = page
        self._plans()

    # What they do

    def _plans(self) -> None:
        """Decide when to look at the question, if at all."""
        acts = (self._answers, self._skips, self._puts_off, self._wants_another, self._wants_lighter, self._looks)
        act = self._chance.choices((*acts, None), (60, 12, 7, 7, 4, 4, 6))[0]
        if act is None and self._ignored < 3:
            self._ignored += 1
            self._to_do = None
            return
        self._ignored = 0
        after = HOUR * self._chance.choice((0, 0, 0, 1, 1, 2)) + timedelta(minutes=self._chance.randrange(3, 55))
        self._to_do = (self._town.clock.now() + after, act or self._answers)

    @property
    def next_act(self) -> datetime | None:
        return self._to_do[0] if self._to_do else None

    async def acts(self) -> None:
        if self._to_do and self._to_do[0] <= self._town.clock.now():
            act = self._to_do[1]
            self._to_do = None
            await act()
            self.read()

    def _notes(self, what: str) -> None:
        if self._open:
            self.chat.done[self._open.ask_id].append(what)

    async def _answers(self) -> None:
        await self._writes()
        if self._chance.random() < 0.012 and self.chat.pages[-1].day == self._today:
            await self._pauses()

    async def _writes(self) -> None:
        self._texts += 1
        words = f"Plain line number {self._texts} of mine, nothing special" if self.temper.language == "en" else (
            f"Ein schlichter Satz, mein {self._texts}., nichts Besonderes"
        )  # fmt: skip
        self.chat.typed.append(words)
        self._notes("answered")
        await self._town.says(self.id, words)
        await self._town.until(self._town.clock.now() + timedelta(seconds=5))
        self.read()
        await self._meets_offers()

    async def _meets_offers(self) -> None:
        newest = self._town.recorder.buttons(self.id)[-6:]
        for _, data in newest:
            if data.startswith("v1:move_hour"):
                await self._town.taps_newest(self.id, "leave_offer")
                return
            if found := _OFFER.match(data):
                depth = int(found[1])
                if depth >= self.temper.refuses:
                    self.chat.refused.append((self._town.clock.now(), depth))
                    await self._town.taps_newest(self.id, "leave_offer")
                else:
                    await self._town.taps_newest(self.id, f"take_deeper:{depth}")
                    self.depth = depth
                return

    async def _pauses(self) -> None:
        await self._town.says(self.id, "/pause")
        await self._town.taps_newest(self.id, f"pause_days:{_PAUSE}")
        self.chat.pauses.append(self._today)
        self._steps_down = True

    async def _skips(self) -> None:
        await self._taps("skip", "not today")

    async def _puts_off(self) -> None:
        await self._taps("later", "later")
        choices = [data for _, data in self._town.recorder.buttons(self.id) if data.startswith("v1:snooze:")]
        if choices:
            await self._town.taps_newest(self.id, self._chance.choice(choices)[3:])
        self._to_do = None

    async def _wants_another(self) -> None:
        await self._swaps("another", lighter=False)

    async def _wants_lighter(self) -> None:
        await self._swaps("lighter", lighter=True)

    async def _swaps(self, button: str, *, lighter: bool) -> None:
        before = self._open
        assert before
        if lighter and before.prompt_id is None:
            return await self._answers()
        self._wants = (before.prompt_id or "nothing", lighter)
        if lighter:
            depth = self._library.prompts[before.prompt_id or ""].depth
            self.depth = min(self.depth, max(1, min(depth, self.temper.ceiling) - 1))
        await self._taps(button, button)
        self.read()
        self._wants = (None, False)
        if self._open is before:  # there was no other one
            self._plans()
        return None

    async def _looks(self) -> None:
        assert self._open
        button = f"examples:show.{self._open.ask_id}"
        if any(data == f"v1:{button}" for _, data in self._town.recorder.buttons(self.id)):
            self._notes("how others put it")
            await self._town.taps_newest(self.id, button)
        self._to_do = (self._town.clock.now(), self._answers)

    async def _taps(self, button: str, what: str) -> None:
        assert self._open
        self._notes(what)
        await self._town.taps_newest(self.id, f"{button}:{self._open.ask_id}")

    async def decides_about_callbacks(self) -> None:
        """Say yes or no when older lines are offered to come back."""
        answer = "yes" if self.temper.callbacks else "no"
        found = [data for _, data in self._town.recorder.buttons(self.id) if data.startswith(f"v1:callbacks:{answer}")]
        if found and self.chat.callbacks_from is None:
            if self.temper.callbacks:
                self.chat.callbacks_from = self._town.clock.now()
            await self._town.taps_newest(self.id, found[-1][3:])
            self.read()


@contextmanager
def _quietly() -> Iterator[None]:
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    try:
        yield
    finally:
        structlog.configure(**before)


def live(folder: Path, seed: int, days: int, tempers: tuple[Temper, ...] = TEN) -> list[Chat]:
    """Let these people live with the bot, each for so many days from when they join. Return their chats."""
    names = defaultdict(lambda: "Somebody", NAMES)
    ids = [_FIRST_ID + number for number in range(len(tempers))]
    languages = {user_id: temper.language for user_id, temper in zip(ids, tempers, strict=True)}
    beginning = asyncio.run(Beginning.make(folder))
    patched = mock.patch.multiple(world_module, NAMES=names, LANGUAGES=languages)
    with _quietly(), patched, drawn_at_once(), schedule(seed) as runner:
        return runner.run(_live(beginning, folder / "bot", seed, days, dict(zip(ids, tempers, strict=True))))


async def _live(beginning: Beginning, folder: Path, seed: int, days: int, tempers: Mapping[int, Temper]) -> list[Chat]:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, Schedule)
    beginning.lay_out(folder)
    clock, library = TheirClock(loop), load(content_folder())
    phones = Phones(clock)
    built = await beginning.start(folder, clock, phones, Pacer())
    town = Town(built, clock, phones, beginning=beginning, folder=folder)
    people = [Person(town, library, user_id, temper, seed) for user_id, temper in tempers.items()]
    try:
        for day in range(max(temper.joins for temper in tempers.values()) + days):
            await _day(town, people, day, days)
    finally:
        town.close()
        await stop(town.built)
    return [person.chat for person in people]


async def _day(town: Town, people: list[Person], day: int, days: int) -> None:
    """Let a day pass; who has been there for `days` leaves."""
    start = START + day * DAY
    await town.until(max(start, town.clock.now()))
    _forget(town.phones)
    for person in people:
        if day == person.temper.joins:
            await person.joins()
        elif day == person.temper.joins + days:
            await town.blocks(person.id, blocked=True)
    there = [person for person in people if person.temper.joins <= day < person.temper.joins + days]
    await _pairs(people, day, there)
    while (now := town.clock.now()) < start + DAY:
        for person in there:
            person.read()
            await person.decides_about_callbacks()
            await person.acts()
        async with town.built.store.reading() as rows:
            due = await rows.earliest_due()
        moments = [*(person.next_act for person in there), due, start + DAY]
        await town.until(min(moment for moment in moments if moment and moment > now))


async def _pairs(people: list[Person], day: int, there: list[Person]) -> None:
    for person in people:
        if person.temper.pairs_with is not None and person in there:
            other = people[person.temper.pairs_with]
            if day == max(person.temper.joins, other.temper.joins) + 20:
                await person.pairs(other)


def _forget(phones: Phones) -> None:
    """Forget what nobody scrolls back to any more."""
    for shown in phones.chats.values():
        for message_id in sorted(shown)[:-_ON_SCREEN]:
            del shown[message_id]
    phones.shown.clear()
    phones.ever.clear()
    phones.documents.clear()
