"""Shares a line, from the tap to how the answer landed, and dies at every single point of it.

`python -m tests.crash.dying_sharing FOLDER` kills the whole bot before each statement that writes, before and after
each commit, before a message has left and after it has arrived. Each time another process takes over, to which Telegram
repeats what was not acknowledged. It ends well if things then stand as if nobody had died; if in between nothing was
half done; if what was opened was opened once; and if nothing that the other one had to hear came less than once or more
than twice.
"""

import gc
import json
import logging
import shutil
import sqlite3
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Final
from unittest import mock

import structlog
from sqlalchemy import Engine, event
from telegram.request import RequestData

import bot.app
from bot import i18n, library
from bot.clock import HandClock
from bot.config import Settings
from bot.crypto import KeyRing
from bot.domain.model import Line
from bot.domain.ritual import Terms
from bot.domain.times import next_slot
from bot.services.ritual import Rituals
from bot.services.sharing import Sharing
from bot.storage.ids import new_id
from bot.storage.migrate import migrate
from bot.storage.store import Rows, Store
from tests.dying import Reached, killed
from tests.silence.world import NAMES, TOKEN, A, B, Recorder, World
from tests.standin import TEST_KEY

START: Final = datetime(2027, 3, 22, 9, 0, tzinfo=UTC)
MOMENT: Final = datetime(2027, 3, 22, 20, 0, tzinfo=UTC)
"""Of the Ritual."""
QUARTER: Final = timedelta(minutes=15)
WORDS: Final = {A: "The key was under the mat all along.", B: "I have been humming the same tune for a week."}
ANNOUNCED: Final = "left you a line"
ANSWERED: Final = "Thank you for telling me"
KEYS: Final = KeyRing.parse(TEST_KEY)
LIBRARY: Final = library.load(library.content_folder())
UNOPENED: Final = {"scheduled", "announced"}

Act = Callable[["Place"], Callable[[World], Awaitable[None]]]
"""What is done, by how things stood before it."""
Json = dict[str, Any]


@dataclass(frozen=True)
class Place:
    """Where a bot keeps its things, and what arrived on the phones."""

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
        """All that a process leaves behind in which anything differs from another one's."""
        return {
            **stands(self),
            "post": self.post.read_text("utf-8"),
            "notices": self.ask("SELECT kind, user_id, state, attempts, unclear FROM notices ORDER BY kind, user_id"),
            "updates": self.ask("SELECT id, answered, result IS NULL FROM updates ORDER BY id"),
            "lines": self.ask("SELECT id, changed_at FROM lines ORDER BY id"),
            "dialogs": self.ask("SELECT * FROM dialogs ORDER BY 1"),
        }

    def arrived(self, user_id: int, part: str) -> int:
        """How many messages with this in their text have arrived."""
        post = [json.loads(line) for line in self.post.read_text("utf-8").splitlines()]
        return sum(to == user_id and part in text for to, text in post)


@dataclass(frozen=True)
class Step:
    """Something that happens: at a time, by a tap of somebody or by itself; and what arrives of it, and where."""

    name: str
    act: Act
    after: timedelta = timedelta()
    arrives: tuple[tuple[int, str], ...] = field(default=())
    leads_to: tuple[tuple[str, object], ...] = field(default=())
    """What is found afterwards, where nobody has died."""


def taps(user_id: int, data: str, query: str) -> Act:
    """Tap a button that carries what this query finds."""

    def at(place: Place) -> Callable[[World], Awaitable[None]]:
        button = f"v1:{data.format(place.one(query))}"
        return lambda world: world.taps(user_id, 1, button)

    return at


def waits(_: Place) -> Callable[[World], Awaitable[None]]:
    """Only time goes by."""
    return lambda world: world.until(world.clock.now())


REFLECTION: Final = "SELECT id FROM reflections"
RESPONSE: Final = "SELECT id FROM responses"
PAIR: Final = "SELECT id FROM pairs"
STATE: Final = "SELECT state FROM reflections"
OPENED: Final = "SELECT opened_at FROM reflections WHERE opened_at IS NOT NULL"

SHARES: Final = (
    Step("previews", taps(A, "share:{}", f"SELECT id FROM lines WHERE user_id = {A}")),  # noqa: S608  # a number
    Step("wishes", taps(A, "share_wish:listen.{}", REFLECTION)),
    Step("sets a time", taps(A, "share_at:quarter.{}", REFLECTION)),
)
ANNOUNCES: Final = Step("is announced", waits, QUARTER, ((B, ANNOUNCED),))
OPENS: Final = Step("opens", taps(B, "open:{}", REFLECTION), arrives=((B, WORDS[A]),), leads_to=((STATE, "opened"),))
ANSWERS: Final = Step("answers", taps(B, "respond:thanks.{}", REFLECTION), arrives=((A, ANSWERED),))
LANDS: Final = Step(
    "says how it landed",
    taps(A, "landed:no.{}", RESPONSE),
    leads_to=((STATE, "answered"), (f"SELECT depth FROM users WHERE id = {A}", 1)),  # noqa: S608  # a number
)
TAKES_BACK: Final = Step("takes back", taps(A, "share_back:{}", REFLECTION), leads_to=((STATE, "withdrawn"),))
LEAVES: Final = Step(
    "leaves", taps(B, "unpair:{}", PAIR), leads_to=((STATE, "cancelled"), ("SELECT user_id FROM endings", A))
)
HEARS: Final = Step("hears that it is agreed", waits, timedelta(minutes=1))
MEETS: Final = Step(
    "meets",
    waits,
    MOMENT - START - HEARS.after,
    ((A, ANNOUNCED), (B, ANNOUNCED)),
    (
        ("SELECT count(*) FROM notices WHERE kind = 'ritual_morning' AND settled_at IS NULL", 2),
        ("SELECT count(*) FROM notices WHERE kind = 'ritual_moment' AND settled_at IS NULL", 1),
        ("SELECT count(*) FROM reflections WHERE state = 'announced'", 2),
    ),
)

STORIES: Final = (
    # What is lived through first, and the steps after it that are killed everywhere
    (SHARES[:-1], (SHARES[-1], ANNOUNCES, OPENS, ANSWERS, LANDS)),
    ((*SHARES, ANNOUNCES), (TAKES_BACK,)),
    ((*SHARES, ANNOUNCES), (LEAVES,)),
)


class Post(Recorder):
    """The network, of which what has arrived outlives the process; one can die on either side of the arrival."""

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
    settings = Settings.model_validate({"bot_token": TOKEN, "data_dir": place.folder})
    store = Store.at(_url(place.file), KEYS)
    with (
        mock.patch.object(bot.app, "Network", return_value=post),
        mock.patch.object(bot.app, "make_clock", return_value=clock),
        mock.patch.object(library, "load", return_value=LIBRARY),
    ):
        built = bot.app.build(settings, store)
        try:
            await built.application.initialize()
            async with store.writing() as rows:
                await rows.notices.release(now)
            post._reached = reached
            event.listen(Engine, "before_cursor_execute", _unless_it_reads(reached))
            event.listen(Engine, "commit", reached)
            yield World(built, clock, post)
            reached()
        finally:
            built.places.close()
            await store.close()


def _unless_it_reads(reached: Reached) -> Callable[..., None]:
    """Before a statement that only reads, everything is as it was at the point before."""

    def before_cursor_execute(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith("SELECT"):
            reached()

    return before_cursor_execute


def does(place: Place, step: Step, number: int, now: datetime, before: Place) -> Callable[[Reached], Awaitable[None]]:
    """Take this step, as it was to be taken from what there was `before`."""
    act = step.act(before)

    async def work(reached: Reached) -> None:
        async with bot_at(place, now, reached) as world:
            world.updates.update({A: number, B: number})  # the same update when it is repeated
            await act(world)

    return work


def stands(place: Place) -> Json:
    """How things stand for the two."""
    queries = {
        "reflections": "SELECT user_id, state, words IS NULL, wish, announced_at IS NULL FROM reflections ORDER BY 1",
        "responses": "SELECT answer, sent_at IS NULL, landed FROM responses",
        "notices": "SELECT kind, user_id FROM notices WHERE settled_at IS NULL ORDER BY kind, user_id",
        "seats": "SELECT user_id, reflection_id IS NULL FROM ritual_seats ORDER BY 1",
        "rituals": "SELECT next_at FROM rituals",
        "people": "SELECT id, depth FROM users ORDER BY id",
        "pairs": "SELECT count(*), (SELECT count(*) FROM pair_members), (SELECT count(*) FROM endings) FROM pairs",
    }
    return {name: place.ask(query) for name, query in queries.items()}


def is_whole(place: Place) -> None:
    """Nothing is half done: what waits to be said has somebody who will say it, and what was said was so."""
    states = dict(place.ask("SELECT id, state FROM reflections"))
    waiting = {subject for (subject,) in place.ask("SELECT subject_id FROM notices WHERE kind = 'reflection'")}
    assert {one for one, state in states.items() if state in UNOPENED} <= waiting, "nobody announces it"
    answered = {one for one, state in states.items() if state == "answered"}
    assert answered == {one for (one,) in place.ask("SELECT reflection_id FROM responses WHERE sent_at IS NOT NULL")}
    heard = {subject for (subject,) in place.ask("SELECT subject_id FROM notices WHERE kind = 'response'")}
    assert {one for (one,) in place.ask(RESPONSE)} <= heard, "nobody delivers it"
    pairs, members = place.one("SELECT count(*) FROM pairs"), place.one("SELECT count(*) FROM pair_members")
    assert members == 2 * pairs, "half a pair"
    if not pairs:
        assert not set(states.values()) & {*UNOPENED, "drafted"}, "it outlives its pair"
    delivered = set(states.values()) if len(states) > 1 else set()
    assert not (delivered & {"drafted"} and delivered & UNOPENED), "one of two went out alone"


def kill_everywhere(before: Place, step: Step, number: int, now: datetime) -> tuple[Place, int]:
    """Die at every point of a step. How things stand after it, where nobody has died, and how often somebody has."""
    after = before.copy(before.folder.with_name(f"{before.folder.name}-{number}"))
    assert not killed(does(after, step, number, now, before))
    wanted = stands(after)
    assert [after.arrived(*what) - before.arrived(*what) for what in step.arrives] == [1 for _ in step.arrives]
    assert [after.one(query) for query, _ in step.leads_to] == [found for _, found in step.leads_to], step.name
    left: Json = {}
    for kill_at in count(1):
        place = before.copy(before.folder.with_name("dying"))
        if not killed(does(place, step, number, now, before), kill_at):
            break
        is_whole(place)
        if place.leaves != left:  # else it is as after the kill before, from which it went on well
            left = place.leaves
            opened = place.ask(OPENED)
            assert not killed(does(place, step, number, now + timedelta(minutes=2), before))
            where = f"{step.name}, killed at {kill_at}"
            is_whole(place)
            assert stands(place) == wanted, f"{where}: {stands(place)} instead of {wanted}"
            assert place.ask(OPENED) == opened or not opened, f"{where}: opened twice"
            for what in step.arrives:
                came = place.arrived(*what) - before.arrived(*what)
                assert came in {1, 2}, f"{where}: {what} came {came} times"
        shutil.rmtree(place.folder)
    shutil.rmtree(place.folder)
    return after, kill_at - 1


def tells(start: Place, name: str, lived: tuple[Step, ...], steps: tuple[Step, ...]) -> int:
    """Go through a story. How often somebody died in it."""
    place, now, kills = start.copy(start.folder.with_name(name)), START, 0
    for number, step in enumerate((*lived, *steps), 1):
        now += step.after
        if number <= len(lived):
            assert not killed(does(place, step, number, now, place))
            continue
        place, died = kill_everywhere(place, step, number, now)
        assert died > 5, f"{step.name} was hardly killed"
        kills += died
    return kills


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
        await store.tidy()
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
    rituals = Rituals(sharing)
    users = {user_id: await rows.users.find(user_id) for user_id in (A, B)}
    alice, bob = users[A], users[B]
    assert alice
    assert bob
    await rituals.propose(rows, alice, MOMENT.weekday(), MOMENT.hour, START)
    pair = await rows.pairs.active(A)
    assert pair
    ritual = await rows.rituals.of_pair(pair.id, START)
    assert ritual
    await rituals.agree(rows, bob, ritual.id, START)
    for user in (alice, bob):
        (line,) = await rows.lines.page(user.id, None, 1)
        preview: Any = await rituals.choose(rows, user, line.id, START)
        await rituals.put_in(rows, user, preview.reflection_id, Terms.MET, START)


def _url(file: Path) -> str:
    return f"sqlite+aiosqlite:///{file}"


def main(folder: Path) -> int:
    """Every story. How often somebody died in all."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    i18n.warm()
    gc.freeze()  # a process that is forked from here has less to copy
    kills = 0
    for name in ("pair", "ritual"):
        start = Place(folder / name)
        start.folder.mkdir()
        assert not killed(begins(start, ritual=name == "ritual"))
        stories = STORIES if name == "pair" else (((HEARS,), (MEETS,)),)
        kills += sum(tells(start, f"{name}-{number}", *story) for number, story in enumerate(stories))
    return kills


if __name__ == "__main__":
    sys.stdout.write(f"{main(Path(sys.argv[1]))}\n")
