"""People who answer their questions day after day, and expect of the bot what anybody would."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any

from bot.crypto import KeyRing
from bot.demo.calls import Calls
from bot.domain.model import AskState
from bot.services.planning import replan
from bot.services.visit import Visit
from bot.storage.migrate import migrate
from bot.storage.store import Store
from tests.standin import TEST_KEY, Person, Seen, Telegram

HOUR = time(8)
DAY = timedelta(days=1)
PATIENCE = 90.0
"""Seconds within which an answer must come, however often the bot is killed meanwhile."""


class Register(Calls):
    """The stand-in's log of calls, which also counts how often what it shows arrived as a message of its own."""

    def __init__(self, calls: Calls) -> None:
        super().__init__(calls._now)
        self.asks: Counter[int] = Counter()
        self.answers: Counter[int] = Counter()
        """By the id of what was kept, or set aside."""

    def add(self, method: str, params: dict[str, Any], status: int, result_or_error: Any, *, ok: bool) -> None:
        super().add(method, params, status, result_or_error, ok=ok)
        if method == "sendMessage" and ok:
            markup = result_or_error.get("reply_markup", {})
            self.asks.update(filter(None, [_about("skip", markup)]))
            self.answers.update(filter(None, [_about("delete", markup), _about("drop", markup)]))


@dataclass
class Life:
    """One person: what they said, and what the bot said about it."""

    person: Person
    chance: random.Random
    kept: dict[int, str] = field(default_factory=dict)
    """The words of every Line that the bot has said it keeps, by the Line's id."""
    asked: list[int] = field(default_factory=list)
    """The Asks that came, in order."""
    _drafts: set[int] = field(default_factory=set)
    _said: int = 0

    async def day(self) -> None:
        """Wait for today's question and react to it."""
        ask = await self._sees(lambda seen: (found := _on(seen, "skip")) is not None and found not in self.asked)
        self.asked.append(_on(ask, "skip") or 0)
        if self.chance.random() < 1 / 4 and "Another one" in ask.labels:  # a day without a question has no other one
            await self._swaps(ask)
        if self.chance.random() < 1 / 8:
            await self.person.taps("Not today", ask)
            await self._sees(lambda seen: _on(seen, "back") == self.asked[-1])
            return
        if self.chance.random() < 1 / 2:
            await self._answers()
        else:
            await self._says_more(at_once=self.chance.random() < 1 / 2)

    async def _swaps(self, ask: Seen) -> None:
        last = self.person.last.message_id
        tap = await self.person.taps("Another one", ask)

        def swapped() -> bool:
            found = [seen for seen in self.person.sees if seen.by_bot and answers_in(seen, ask, last)]
            return any(seen.text != ask.text for seen in found)

        def there_is_no_other() -> bool:
            return tap.answer.done() and (tap.answer.result() is None or tap.answer.result()["text"] != "")

        await self.person.telegram.until(lambda: swapped() or there_is_no_other(), seconds=PATIENCE)
        assert swapped() or there_is_no_other(), f"{self.person.name} waits in vain for another question"

    async def _answers(self) -> None:
        words = self._words()
        await self.person.says(words)
        await self._hears_it_is_kept(words)

    async def _says_more(self, *, at_once: bool) -> None:
        """Answer and send a second text, before or after the answer to the first; the answers come in this order."""
        words, more = self._words(), self._words()
        await self.person.says(words)
        if at_once:
            await self.person.says(more)
        kept = await self._hears_it_is_kept(words)
        if not at_once:
            await self.person.says(more)
        aside = await self._sees(lambda seen: (found := _on(seen, "drop")) is not None and found not in self._drafts)
        assert aside.message_id > kept.message_id, f"{self.person.name} is answered in the wrong order"
        await self._decides(aside, more)

    async def _decides(self, aside: Seen, words: str) -> None:
        """Keep a second text as another Line or not."""
        self._drafts.add(_on(aside, "drop") or 0)
        if self.chance.random() < 1 / 2:
            last = self.person.last.message_id
            await self.person.taps("Don't keep it", aside)
            await self._sees(lambda seen: answers_in(seen, aside, last) and not seen.labels)
            return
        await self.person.taps("Keep as another", aside)
        await self._hears_it_is_kept(words)

    async def _hears_it_is_kept(self, words: str) -> Seen:
        kept = await self._sees(lambda seen: (line_id := _on(seen, "delete")) is not None and line_id not in self.kept)
        self.kept[_on(kept, "delete") or 0] = words
        return kept

    async def _sees(self, wanted: Any) -> Seen:
        """Return the message for which this is true, now or as soon as there is one."""
        found: list[Seen] = []

        def there() -> bool:
            found.extend(seen for seen in self.person.sees if seen.by_bot and wanted(seen))
            return bool(found)

        await self.person.telegram.until(there, seconds=PATIENCE)
        assert found, f"{self.person.name} waits in vain; the last that came: {self.person.last.text!r}"
        return found[-1]

    def _words(self) -> str:
        self._said += 1
        return f"Line {self._said} of {self.person.name}, who has this to say about the day."


async def settle(telegram: Telegram, url: str, people: "Sequence[Life]") -> datetime:
    """Let everybody be set up; return the instant, in half an hour, at which their first Ask is due."""
    await migrate(url)
    store = Store.at(url, KeyRing.parse(TEST_KEY))
    for life in people:
        life.person.chat.started = True
        async with store.writing() as rows:
            user = await rows.users.add(life.person.id, "en", telegram.now)
            await replan(Visit(rows, user, telegram.now), ask_at=HOUR, zone="UTC")
    await store.close()
    return next_morning(telegram)


def next_morning(telegram: Telegram) -> datetime:
    """Return the next eight o'clock."""
    today = datetime.combine(telegram.now.date(), HOUR, tzinfo=UTC)
    return today if today > telegram.now else today + DAY


async def live_a_day(telegram: Telegram, people: "Sequence[Life]") -> None:
    """Move to eight o'clock and let everybody live a day."""
    telegram.move_to(next_morning(telegram) + timedelta(seconds=1))
    await asyncio.gather(*(life.day() for life in people))
    # What waits for the bot is kept for a day only: it must not be left over when the clock moves on.
    await telegram.confirmed(seconds=90)


async def check(store: Store, line_ids: Sequence[int], life: "Life", days: Sequence[datetime]) -> None:
    """Compare what is stored for somebody with what they were told, and their Asks with these days."""
    name, user_id = life.person.name, life.person.id
    async with store.reading() as rows:
        found: dict[int, str] = {}
        for line_id in line_ids:
            line = await rows.lines.find(user_id, line_id)
            assert line
            found[line_id] = await rows.lines.words(line)
        assert found == life.kept, f"{name} has other lines than those that were said to be kept"
        assert len(set(found.values())) == len(found), f"{name} has a line twice"
        asks = [await rows.asks.on(user_id, day.date()) for day in days]
    assert [ask.id if ask else None for ask in asks] == life.asked, f"not every date had its question for {name}"
    states = {ask.state for ask in asks if ask}
    assert states <= {AskState.ANSWERED, AskState.SKIPPED, AskState.LEFT}, states


def answers_in(seen: Seen, tapped: Seen, last: int) -> bool:
    """Return whether this can answer a tap: in place, or below the last message if a kill has made it late."""
    return seen.message_id == tapped.message_id or seen.message_id > last


def _on(seen: Seen, action: str) -> int | None:
    return _about(action, seen.markup)


def _about(action: str, markup: dict[str, Any]) -> int | None:
    """Return the id that a button for this carries."""
    for row in markup.get("inline_keyboard", []):
        for key in row:
            version, _, rest = key.get("callback_data", "").partition(":")
            name, _, about = rest.partition(":")
            subject, _, _ = about.partition(".")  # what follows is the wording above the button
            if (version, name) == ("v1", action) and subject.isdecimal():
                return int(subject)
    return None
