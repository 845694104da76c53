"""Where a bot runs that can be killed at any point: its folder, and what has arrived on the phones of two people."""

import json
import shutil
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final, cast

from sqlalchemy import Engine, event
from telegram.request import RequestData

import bot.app
from bot import library
from bot.clock import HandClock
from bot.config import Config
from bot.crypto import KeyRing
from bot.delivery.pacer import Pacer
from bot.domain.model import Line
from bot.domain.ritual import Terms
from bot.domain.times import next_slot
from bot.services.ritual import Rituals
from bot.services.sharing import Sharing
from bot.services.visit import Visit
from bot.storage.ids import new_id
from bot.storage.migrate import migrate
from bot.storage.store import Rows, Store
from bot.tg.network import Network
from tests.dying import Reached
from tests.silence.world import NAMES, TOKEN, A, B, Recorder, World
from tests.standin import TEST_KEY

START: Final = datetime(2027, 3, 22, 9, 0, tzinfo=UTC)
MOMENT: Final = datetime(2027, 3, 22, 20, 0, tzinfo=UTC)
"""When the Ritual is."""
WORDS: Final = {A: "The key was under the mat all along.", B: "I have been humming the same tune for a week."}
KEYS: Final = KeyRing.parse(TEST_KEY)
LIBRARY: Final = library.load(library.content_folder())

Json = dict[str, Any]


@dataclass(frozen=True)
class Place:
    """Where a bot keeps its files, and what arrived on the phones."""

    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / "ajar.db"

    @property
    def post(self) -> Path:
        return self.folder / "arrived"

    def copy(self, folder: Path) -> "Place":
        shutil.copytree(self.folder, folder)
        return Place(folder)

    def ask(self, query: str) -> list[Any]:
        with closing(sqlite3.connect(self.file)) as connection:
            return connection.execute(query).fetchall()

    def one(self, query: str) -> Any:
        ((found,),) = self.ask(query)
        return found

    @property
    def leaves(self) -> Json:
        """Everything a process leaves behind that can differ between processes."""
        return {
            **state_of(self),
            "post": self.post.read_text("utf-8"),
            "notices": self.ask("SELECT kind, user_id, state, attempts, unclear FROM notices ORDER BY kind, user_id"),
            "inbox": self.ask("SELECT id, handled_at IS NULL, raw IS NULL FROM inbox ORDER BY id"),
            "lines": self.ask("SELECT id, changed_at FROM lines ORDER BY id"),
            "dialogs": self.ask("SELECT * FROM dialogs ORDER BY 1"),
        }

    def arrived(self, user_id: int, part: str) -> int:
        """Count the messages that have arrived with this in their text."""
        post = [json.loads(line) for line in self.post.read_text("utf-8").splitlines()]
        return sum(to == user_id and part in text for to, text in post)


def state_of(place: Place) -> Json:
    """Return the state of the two."""
    queries = {
        "reflections": "SELECT user_id, state, words IS NULL, wish, announced_at IS NULL FROM reflections ORDER BY 1",
        "responses": "SELECT answer, sent_at IS NULL, landing IS NULL FROM responses",
        "notices": "SELECT kind, user_id FROM notices WHERE settled_at IS NULL ORDER BY kind, user_id",
        "seats": "SELECT user_id, reflection_id IS NULL FROM ritual_seats ORDER BY 1",
        "rituals": "SELECT next_at FROM rituals",
        "people": "SELECT id, depth FROM users ORDER BY id",
        "pairs": "SELECT count(*), (SELECT count(*) FROM pair_members), (SELECT count(*) FROM endings) FROM pairs",
    }
    return {name: place.ask(query) for name, query in queries.items()}


class Post(Recorder):
    """The network; what has arrived there outlives the process, which can die just before or just after the arrival."""

    def __init__(self, clock: HandClock, place: Place, reached: Reached) -> None:
        super().__init__(clock)
        self._place = place
        self._reached = reached

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None, *rest: Any, **more: Any
    ) -> tuple[int, bytes]:
        self._reached()
        answer = await super().do_request(url, method, request_data, *rest, **more)
        params = dict(request_data.json_parameters if request_data else {})
        if "text" in params and "chat_id" in params:
            with self._place.post.open("a", encoding="utf-8") as post:
                post.write(json.dumps([int(params["chat_id"]), params["text"]]) + "\n")
        self._reached()
        return answer


@asynccontextmanager
async def bot_at(place: Place, now: datetime, reached: Reached) -> AsyncIterator[World]:
    """The bot, just started, with what was left behind there."""
    clock = HandClock(now)
    post = Post(clock, place, lambda: None)
    config = Config.model_validate({"bot_token": TOKEN, "data_dir": place.folder})
    store = Store.at(_url(place.file), KEYS)
    built = bot.app.build(config, store, cast("Network", post), clock=clock, pacer=Pacer(rate=1e6), content=LIBRARY)
    try:
        await built.client.initialize()
        async with store.writing() as rows:
            await rows.notices.release(now)
        post._reached = reached
        event.listen(Engine, "before_cursor_execute", _unless_it_reads(reached))
        event.listen(Engine, "commit", reached)
        await built.inbox.adopt()
        await built.inbox.finish()
        await built.outbox.finish()
        yield World(built, clock, post)
        reached()
    finally:
        await built.places.close()
        await store.close()


def _unless_it_reads(reached: Reached) -> Callable[..., None]:
    """Skip statements that only read, because they change nothing since the previous point."""

    def before_cursor_execute(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith("SELECT"):
            reached()

    return before_cursor_execute


def begins(place: Place, *, ritual: bool) -> Callable[[Reached], Awaitable[None]]:
    """Two who are a Pair, each with a Line; with a Ritual, what both have put in, each only if the other has."""

    async def work(_: Reached) -> None:
        await migrate(_url(place.file))
        place.post.touch()
        store = Store.at(_url(place.file), KEYS)
        async with store.writing() as rows:
            for user_id, words in WORDS.items():
                await _settle(rows, user_id, words)
            assert await rows.pairs.make(A, B, START)
            if ritual:
                await _put_in(rows)
        await store.sweep()
        await store.close()

    return work


async def _settle(rows: Rows, user_id: int, words: str) -> None:
    user = await rows.users.add(user_id, "en", START)
    slot = next_slot(START + timedelta(days=2), time(12), "Europe/Lisbon")  # no question comes in between
    planned = {"next_ask_at": slot.at, "next_ask_day": slot.day}
    await rows.users.change(user, ask_at=time(12), zone="Europe/Lisbon", depth=2, **planned)
    await rows.users.set_name(user_id, NAMES[user_id])
    line = Line(new_id(START), user_id, START.date(), None, 1)
    await rows.lines.keep(line, words, prompt_id=None, now=START)


async def _put_in(rows: Rows) -> None:
    """Agree on a Ritual, and put something in on both sides."""
    sharing = Sharing(LIBRARY)
    rituals = Rituals(sharing, LIBRARY)
    users = {user_id: await rows.users.find(user_id) for user_id in (A, B)}
    alice, bob = users[A], users[B]
    assert alice
    assert bob
    await rituals.propose(Visit(rows, alice, START), MOMENT.weekday(), MOMENT.hour)
    pair = await rows.pairs.active(A)
    assert pair
    ritual = await rows.rituals.of_pair(pair.id, START)
    assert ritual
    await rituals.agree(Visit(rows, bob, START), ritual.id)
    agreed = await rows.rituals.of_pair(pair.id, START)
    assert agreed
    for user in (alice, bob):
        (line,) = await rows.lines.page(user.id, None, 1)
        preview: Any = await rituals.choose(Visit(rows, user, START), agreed.next_at, line.id)
        await rituals.put_in(Visit(rows, user, START), Terms.MET, preview.reflection_id)


def _url(file: Path) -> str:
    return f"sqlite+aiosqlite:///{file}"
