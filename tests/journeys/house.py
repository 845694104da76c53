"""A house for journeys: the stand-in for Telegram, the bot in its own process, and people who move in."""

import asyncio
import re
import socket
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from bot import library
from bot.demo.people import hides
from bot.i18n import say_in
from bot.keyfile import master_key
from bot.places import FILE_NAME
from bot.storage.store import Store
from tests.databases import SqliteTemplate
from tests.standin import PATIENCE, TEST_KEY, BotProcess, Person, Seen, Telegram, stand_in, start_bot

MONDAY: Final = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
"""When every journey begins, unless it sets another time: four weeks before summer time."""
AGREE: Final = "I'm 18 or older; keep my lines"
HOUR_FIRST: Final = "Set the hour first"
SECRET: Final = "a-secret-between-us"  # for the tests' webhook
CONTENT: Final = library.load(library.content_folder())
QUESTIONS: Final = frozenset(prompt.text for prompt in CONTENT.prompts.values())
_held: Final[list[socket.socket]] = []
_HARMLESS: Final = "message is not modified"  # two taps on the same button lead to the same screen


async def until(true: Callable[..., Any], what: str, *, seconds: float = 2 * PATIENCE) -> None:
    """Wait for something that only a bot's log or database, or what people see, shows."""
    try:
        async with asyncio.timeout(seconds):
            while not true():  # noqa: ASYNC110  # another process changes it, which sets no event here
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(what) from None


@dataclass
class House:
    """The place where a journey happens."""

    telegram: Telegram
    bot: BotProcess
    mode: str
    trouble: list[str] = field(default_factory=list)
    """Parts of lines that are allowed in the log."""
    people: list[Person] = field(default_factory=list)

    # People

    def newcomer(self, name: str = "Alice", language_code: str = "en", **user: Any) -> Person:
        """Return somebody who has never met the bot; the name may have been used before."""
        chat = self.telegram.world.person(first_name=name, language_code=language_code, **user)
        person = Person(self.telegram, chat)
        self.people.append(person)
        return person

    async def consenting(self, name: str = "Alice") -> Person:
        """Return somebody who has left the first question open, cleared it from the chat, and is asked for the hour."""
        person = self.newcomer(name)
        await person.says("/start")
        await person.taps(AGREE)
        question = await person.waits_for(is_question, what="the first question")
        await person.taps(HOUR_FIRST, question)
        await person.hears("When should I ask you?")
        hides(self.telegram.world, person.id, question.message_id)
        return person

    async def settled(self, name: str = "Alice", *, hour: str = "20:30", city: str = "Lisbon") -> Person:
        """Return somebody who has done the start and waits for the first question."""
        person = await self.consenting(name)
        await person.says(hour)
        await person.hears("What time is it for you now?")
        await person.says(city)
        found = await person.waits_for(lambda seen: seen.text.endswith("?") and bool(seen.labels), what="the place")
        await person.taps("Yes" if "Yes" in found.labels else found.labels[0], found)
        await person.hears("Want to try one now?")
        return person

    async def asked(self, name: str = "Alice", **start: Any) -> tuple[Person, Seen]:
        """Return somebody with today's question open, and the message that shows it."""
        person = await self.settled(name, **start)
        await person.says("/today")
        return person, await person.waits_for(is_question, what="a question")

    async def skipped(self, name: str = "Alice", **start: Any) -> Person:
        """Return somebody who has skipped today's question, so that none is open."""
        person, _ = await self.asked(name, **start)
        await person.taps("Not today")
        await person.hears("All right, not today.")
        return person

    async def told(self, words: str = "The dog waited at the door.", **start: Any) -> tuple[Person, Seen]:
        """Return somebody who has kept a Line, and what the bot said to it."""
        person, _ = await self.asked(**start)
        await person.says(words)
        return person, await person.hears("Kept, and")

    # What is stored

    def stored(self, query: str, *values: Any) -> list[Any]:
        """Return rows straight from the bot's database."""
        uri = f"file:{self.bot.data_dir / 'ajar.db'}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=10)) as connection:
            return connection.execute(query, values).fetchall()

    def on_disk(self, wanted: bytes) -> bool:
        """Return whether this is anywhere in the database's files, deleted or not."""
        return any(wanted in file.read_bytes() for file in self.bot.data_dir.glob("ajar.db*"))

    async def caught_up(self, *, seconds: float = PATIENCE) -> None:
        """Wait until the bot has taken, handled and answered everything."""
        await self.telegram.confirmed(seconds=seconds)
        await until(lambda: not self.stored("SELECT 1 FROM inbox WHERE lane IS NOT NULL"), "all is answered")

    async def lines(self, person: Person) -> list[str]:
        """Return the words of this person's Lines, opened as their owner may open them, oldest first."""
        async with self._store() as store, store.reading() as rows:
            found = self.stored("SELECT id FROM lines WHERE user_id = ? ORDER BY kept_at, message_id", person.id)
            kept = [await rows.lines.find(person.id, line_id) for (line_id,) in found]
            return [await rows.lines.words(line) for line in kept if line]

    async def prompts(self, person: Person, table: str) -> list[str]:
        """Return the prompts that this person's rows in a table are about, which only their key tells."""
        async with self._store() as store, store.reading() as rows:
            found = self.stored(f"SELECT prompt_id FROM {table} WHERE user_id = ?", person.id)  # noqa: S608
            return [str(await rows.prompt_ids.read(person.id, stored)) for (stored,) in found]

    @asynccontextmanager
    async def _store(self) -> AsyncIterator[Store]:
        ring = master_key(
            text=TEST_KEY, file=None, data_dir=self.bot.data_dir, sqlite_file=self.bot.data_dir / "ajar.db",
            may_make=False,
        ).ring  # fmt: skip
        store = Store.at(f"sqlite+aiosqlite:///{self.bot.data_dir / 'ajar.db'}", ring)
        try:
            yield store
        finally:
            await store.close()

    def asks(self, person: Person) -> list[tuple[str, str]]:
        """Return day and state of this person's Asks, oldest first."""
        return self.stored("SELECT day, state FROM asks WHERE user_id = ? ORDER BY day", person.id)

    def remembers(self, person: Person) -> bool:
        """Return whether any table has a row of this person."""
        tables = [name for (name,) in self.stored("SELECT name FROM sqlite_master WHERE type = 'table'")]
        owner = {"users": "id", "inbox": "lane", **{table: "user_id" for table in tables if self._has_owner(table)}}
        return any(self.stored(f"SELECT 1 FROM {table} WHERE {key} = ?", person.id) for table, key in owner.items())  # noqa: S608

    async def forgets(self, person: Person) -> None:
        """Wait until no table has a row of this person. The last answer's goes a moment after it was sent."""
        await until(lambda: not self.remembers(person), "nothing of them is there")

    def _has_owner(self, table: str) -> bool:
        return bool(self.stored("SELECT 1 FROM pragma_table_info(?) WHERE name = 'user_id'", table))

    # Time and errors

    async def moves_on(self, *people: Person, **step: float) -> Seen:
        """Let time pass for these people until each has a new question; return the last one's."""
        for person in people:
            person._acts()  # only what comes from now on is new
        self.telegram.advance(timedelta(**step))
        return [await person.waits_for(is_question, what="a new question") for person in people][-1]

    async def all_leave(self) -> None:
        """Let everybody here block the bot, so that nobody gets in the way of the next journey."""
        people, self.people = self.people, []
        for person in people:
            await person.blocks()
        await self.telegram.confirmed()
        await until(lambda: not self.stored("SELECT 1 FROM inbox WHERE handled_at IS NULL"), "all is handled")

    def new_morning(self) -> None:
        """Move on to nine o'clock, unless it is about nine now."""
        nine = self.telegram.now.replace(hour=9, minute=0, second=0, microsecond=0)
        if not timedelta() <= self.telegram.now - nine < timedelta(minutes=20):
            self.telegram.move_to(nine if nine > self.telegram.now else nine + timedelta(days=1))

    def expects(self, *parts: str) -> None:
        """Expect this in the log, since the journey provokes it on purpose."""
        self.trouble += parts

    def incidents(self, output: str) -> list[str]:
        """What went wrong according to the bot's log and was not expected."""
        bad = re.compile(r" ERROR | CRITICAL |update\.failed|Traceback")
        return [
            line for line in output.splitlines() if bad.search(line) and not any(part in line for part in self.trouble)
        ]

    def refused(self, since: int = 0) -> list[dict[str, Any]]:
        """Calls that a well-behaved bot would not have made."""
        calls = self.telegram.calls(since=since)
        return [
            call for call in calls if call["status"] in (400, 404) and _HARMLESS not in str(call["result_or_error"])
        ]

    async def starts(self) -> None:
        """Start the bot, or start it again, and wait until it is ready."""
        said = len(self.bot.output)
        await self.bot.start(seconds=60)
        await self.logs("ready bot=", after=said, seconds=60)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the bot from the start to a clean end."""
        try:
            await self.starts()
            yield
        except BaseException:
            await self.bot.kill()
            raise
        assert await self.bot.stop() == 0

    async def logs(self, part: str, *, after: int = 0, seconds: float = 2 * PATIENCE) -> None:
        """Wait until the bot's log contains this."""
        await until(lambda: part in self.bot.output[after:], part, seconds=seconds)


def is_question(seen: Seen) -> bool:
    return seen.by_bot and question_of(seen) in QUESTIONS


def question_of(seen: Seen) -> str:
    """Return the question, without any remark below it about the next one."""
    return seen.text.partition("\n\n")[0]


def questions(person: Person) -> list[Seen]:
    """Return all questions in the chat, oldest first."""
    return [seen for seen in person.sees if is_question(seen)]


def in_english(msgid: str, **values: object) -> str:
    return say_in("en")(msgid, **values)


def free_port() -> int:
    """Return a port for somebody who asks for it by its number: until this process ends, the system gives it to nobody.

    A socket holds it that was bound, but neither listens nor keeps others from doing so.
    """
    holding = socket.socket()
    holding.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holding.bind(("127.0.0.1", 0))
    _held.append(holding)
    return int(holding.getsockname()[1])


def webhook_settings() -> dict[str, str]:
    port = free_port()
    return {
        "AJAR_WEBHOOK_URL": f"http://127.0.0.1:{port}/telegram",
        "AJAR_WEBHOOK_SECRET": SECRET,
        "AJAR_LISTEN": f"127.0.0.1:{port}",
    }


@asynccontextmanager
async def open_house(
    folder: Path, cities: Path, database: SqliteTemplate, mode: str = "polling", **env: str
) -> AsyncIterator[House]:
    """Provide the stand-in and the running bot, on a Monday morning. Stops the bot, which must end cleanly.

    `cities` is a ready index of places, and `database` one without rows; making them takes longer than many a journey.
    """
    folder.mkdir(parents=True)  # noqa: ASYNC240  # nothing else goes on yet
    (folder / FILE_NAME).hardlink_to(cities)
    database.copy(folder)
    async with stand_in() as telegram:
        telegram.move_to(MONDAY)
        settings = webhook_settings() if mode == "webhook" else {}
        house = House(telegram, start_bot(telegram, folder, **settings, **env), mode)
        async with house.running():
            yield house
