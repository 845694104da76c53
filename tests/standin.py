"""The stand-in for Telegram as tests use it: people with phones, whose words read like the product.

    async with stand_in() as telegram, start_bot(telegram, tmp_path):
        alice = telegram.person("Alice")
        await alice.says("/start")
        await alice.hears("one small question")
        await alice.taps("I'm 18 or older; keep my lines")

People act on the World directly; the bot talks to it over HTTP only.
"""

import asyncio
import atexit
import contextlib
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Self

from aiohttp import web

import bot
from bot.clock import FileClock, HandClock
from bot.demo import people
from bot.demo.faults import Fault
from bot.demo.keys import NextDue
from bot.demo.queries import Query
from bot.demo.server import create_app
from bot.demo.timefile import TimeFile
from bot.demo.world import BOT_ID, Chat, Message, World
from tests.forks import Forked, ajar

PATIENCE = 20.0  # seconds, on a machine that is busy with much else
TEST_KEY = "hFXX7Ng5HWuiF0dxv1TcYX1pTtbU2HBDoI7UTv5Crgw="


@dataclass(frozen=True)
class Seen:
    """A message as a person sees it now; it doesn't change when the message does."""

    message_id: int
    text: str  # or the caption
    entities: list[dict[str, Any]]
    buttons: list[list[str]]  # the labels of its inline keyboard
    by_bot: bool
    protected: bool
    content: dict[str, Any]
    markup: dict[str, Any]
    reactions: dict[str, str]
    reply_to: int | None
    edited: bool
    version: int

    @property
    def labels(self) -> list[str]:
        return [label for row in self.buttons for label in row]

    def spoilers(self) -> list[str]:
        return self.marked("spoiler")

    def marked(self, kind: str) -> list[str]:
        """The parts of the text that an entity of this kind covers."""
        units = self.text.encode("utf-16-le")
        found = [entity for entity in self.entities if entity["type"] == kind]
        return [units[2 * e["offset"] : 2 * (e["offset"] + e["length"])].decode("utf-16-le") for e in found]


def _seen(message: Message) -> Seen:
    content = message.content
    rows = message.markup.get("inline_keyboard", [])
    return Seen(
        message_id=message.message_id,
        text=content.get("text") or content.get("caption") or "",
        entities=content.get("entities") or content.get("caption_entities") or [],
        buttons=[[button["text"] for button in row] for row in rows],
        by_bot=message.by_bot,
        protected=message.protected,
        content=content,
        markup=message.markup,
        reactions=dict(message.reactions),
        reply_to=message.reply_to,
        edited=message.edit_date is not None,
        version=message.version,
    )


class Person:
    """Somebody with a phone. Each act moves the mark after which `hears` and `waits_for` look for something new."""

    def __init__(self, telegram: "Telegram", chat: Chat) -> None:
        self.telegram = telegram
        self.chat = chat
        self.id = chat.chat_id
        self.name: str = chat.user["first_name"]
        self.queries: list[Query] = []
        self._mark = 0
        self._read: dict[int, dict[str, Any]] = {}  # what every message said at the mark

    @property
    def _world(self) -> World:
        return self.telegram.world

    def _acts(self) -> None:
        self._mark = self._world.version
        self._read = {message.message_id: message.content for message in self.chat.messages.values()}

    # Acts

    async def says(self, text: str, reply_to: int | Seen | None = None, **links: str) -> int:
        """Send a text, with addresses behind words of it, as `here="https://…"`; returns the message's id."""
        self._acts()
        return people.says(self._world, self.id, text, _id(reply_to), links).message_id

    async def follows(self, url: str) -> int:
        """Follow a link to the bot, as t.me/<bot>?start=<payload>."""
        address, _, payload = url.partition("?start=")
        assert address.endswith(self._world.bot["username"]), f"{url} does not lead to the bot"
        return await self.says(f"/start {payload}".strip())

    async def edits(self, message: int | Seen, text: str) -> None:
        self._acts()
        people.edits(self._world, self.id, _id(message) or 0, text)

    async def deletes(self, message: int | Seen) -> None:
        """Delete a message for this person only; the bot isn't told."""
        self._acts()
        people.hides(self._world, self.id, _id(message) or 0)

    async def sends(self, kind: str, **details: Any) -> int:
        """Send a photo, voice, sticker, location (latitude=, longitude=) and so on; returns the message's id."""
        self._acts()
        return people.sends(self._world, self.id, kind, **details).message_id

    async def sends_album(self, kind: str, count: int, **details: Any) -> None:
        """Send several photos, videos or documents at once; the first one gets the caption."""
        self._acts()
        people.sends_album(self._world, self.id, kind, count, **details)

    async def forwards(self, text: str, **links: str) -> int:
        self._acts()
        return people.forwards(self._world, self.id, text, links).message_id

    async def reacts(self, message: int | Seen, emoji: str) -> None:
        self._acts()
        people.reacts(self._world, self.id, _id(message) or 0, emoji)

    async def blocks(self) -> None:
        self._acts()
        people.blocks(self._world, self.id)

    async def unblocks(self) -> None:
        self._acts()
        people.unblocks(self._world, self.id)

    async def speaks(self, language_code: str) -> None:
        self._world.person(self.id, language_code=language_code)

    async def taps(self, label: str, message: int | Seen | None = None, *, seconds: float = PATIENCE) -> Any:
        """Tap the button with exactly this label, on this message or on the newest that has it, once it is there.

        Returns the waiting Query of a callback button, otherwise what the phone does ({"kind": "url", …}); a key of a
        reply keyboard sends its text. Raises AssertionError naming the buttons that are there.
        """
        await self._until(lambda: self._button(label, message) is not None or self._key(label) is not None, seconds)
        place = self._button(label, message)
        if place is None:
            key = self._key(label)
            assert key is not None, f"{self.name} sees no button {label!r}; there are {self.buttons}"
            assert not key.get("request_location"), f"{label!r} asks for a location: use sends('location', …)"
            return await self.says(label)
        self._acts()
        tapped = people.taps(self._world, self.id, *place)
        if isinstance(tapped, Query):
            self.queries.append(tapped)
        return tapped

    async def taps_data(self, message: int | Seen, data: str) -> Query:
        """Tap a button with any data, as from an old keyboard or a forged one."""
        self._acts()
        query = people.tap_data(self._world, self.id, _id(message) or 0, data)
        self.queries.append(query)
        return query

    def _button(self, label: str, message: int | Seen | None) -> tuple[int, int, int] | None:
        among = reversed(self.sees) if message is None else [s for s in self.sees if s.message_id == _id(message)]
        for seen in among:
            for r, row in enumerate(seen.buttons):
                if label in row:
                    return seen.message_id, r, row.index(label)
        return None

    def _key(self, label: str) -> dict[str, Any] | None:
        keys: list[dict[str, Any]] = [key for row in self.keyboard for key in row]
        return next((key for key in keys if key["text"] == label), None)

    # Views

    @property
    def sees(self) -> list[Seen]:
        """Everything in the chat that was not deleted, newest last."""
        return self._since(0)

    def _since(self, version: int) -> list[Seen]:
        messages = (message for message in self.chat.messages.values() if message.version > version)
        return [_seen(message) for message in messages if not message.deleted and not message.hidden]

    @property
    def last(self) -> Seen:
        """The bot's newest message."""
        return next(seen for seen in reversed(self.sees) if seen.by_bot)

    def message(self, message_id: int) -> Seen | None:
        found = self.chat.messages.get(message_id)
        return _seen(found) if found and not found.deleted and not found.hidden else None

    @property
    def buttons(self) -> list[str]:
        """All visible labels, oldest first."""
        return [label for seen in self.sees for label in seen.labels]

    @property
    def keyboard(self) -> list[list[dict[str, Any]]]:
        """The reply keyboard that is shown now, if any."""
        for seen in reversed(self.sees):
            if "keyboard" in seen.markup:
                return list(seen.markup["keyboard"])
            if "remove_keyboard" in seen.markup:
                break
        return []

    @property
    def toasts(self) -> list[str]:
        """The texts with which the bot answered this person's taps, oldest first."""
        answers = [query.answer.result() for query in self.queries if query.answer.done()]
        return [answer["text"] for answer in answers if answer]

    @property
    def new(self) -> list[Seen]:
        """The bot's messages that came or changed since this person's last act, except those that only lost buttons."""
        return [seen for seen in self._since(self._mark) if seen.by_bot and not self._only_lost_buttons(seen)]

    def _only_lost_buttons(self, seen: Seen) -> bool:
        return not seen.buttons and self._read.get(seen.message_id) == seen.content

    async def hears(self, part: str, *, seconds: float = PATIENCE) -> Seen:
        """Wait for a new or changed message of the bot with this in its text."""
        return await self.waits_for(lambda seen: part in seen.text, seconds=seconds, what=repr(part))

    async def waits_for(
        self, wanted: Callable[[Seen], bool], *, seconds: float = PATIENCE, what: str = "what was waited for"
    ) -> Seen:
        """Wait for a new or changed message of the bot for which this is true. Raises AssertionError with what came."""
        await self._until(lambda: any(wanted(seen) for seen in self.new), seconds)
        found = next((seen for seen in reversed(self.new) if wanted(seen)), None)
        assert found is not None, f"{self.name} did not see {what}; new are {[seen.text for seen in self.new]}"
        return found

    async def sees_gone(self, message: int | Seen, *, seconds: float = PATIENCE) -> None:
        """Wait until the bot has deleted this message."""
        message_id = _id(message) or 0
        await self._until(lambda: self.message(message_id) is None, seconds)
        assert self.message(message_id) is None, f"{self.name} still sees message {message_id}"

    async def answered(self, *, seconds: float = PATIENCE) -> str:
        """Wait until the bot has answered the newest tap; returns the toast's text, often empty."""
        query = self.queries[-1]
        answer = await asyncio.wait_for(asyncio.shield(query.answer), seconds)
        assert answer is not None, "the tap was answered too late"
        return str(answer["text"])

    async def _until(self, true: Callable[[], bool], seconds: float) -> None:
        """Return when it is true, or when the time is up."""
        await self.telegram.until(true, seconds=seconds)


def _id(message: int | Seen | None) -> int | None:
    return message.message_id if isinstance(message, Seen) else message


class Telegram:
    """The stand-in, its clock and its people."""

    def __init__(self, world: World, url: str, clock: HandClock | None, time_file: TimeFile | None) -> None:
        self.world = world
        self.url = url  # for AJAR_API_URL
        self.token = world.token
        self.clock = clock
        self.time_file = time_file
        self._people: dict[int, Person] = {}

    @property
    def base_url(self) -> str:
        """For telegram.Bot, which appends the token."""
        return f"{self.url}/bot"

    async def person(self, name: str, language_code: str = "en", **user: Any) -> Person:
        """Return a new person who has not met the bot yet; a name used before returns the same person again."""
        for person in self._people.values():
            if person.name == name:
                return person
        first = {1001: "Alice", 1002: "Bob"}
        user_id = next((i for i, known in first.items() if known == name and i not in self._people), None)
        chat = self.world.person(user_id, first_name=name, language_code=language_code, **user)
        return self._people.setdefault(chat.chat_id, Person(self, chat))

    async def group(self, by: Person, title: str = "Friends", kind: str = "group") -> Chat:
        """Add the bot to a group, supergroup or channel."""
        return people.adds_to_group(self.world, title, kind, by.id)

    @property
    def now(self) -> datetime:
        return self.world.now()

    def advance(self, step: timedelta | None = None, **parts: float) -> None:
        """Move the clock, as `advance(hours=3)`. A bot in its own process notices when it next reads the file."""
        step = step or timedelta(**parts)
        if self.clock:
            self.clock.advance(step)
        else:
            assert self.time_file
            self.time_file.set(self.time_file.offset + step.total_seconds())

    def move_to(self, moment: datetime) -> None:
        self.advance(moment - self.now)

    async def fault(self, method: str, kind: str, **how: Any) -> None:
        """Switch a fault on. Its kinds are in bot/demo/faults.py: 429, 403, 502, cut_before, cut_after, slow, …."""
        self.world.faults.add(Fault(method, kind, **how))

    async def no_faults(self) -> None:
        self.world.faults.clear()

    def calls(self, method: str | None = None, since: int = 0) -> list[dict[str, Any]]:
        """The bot's calls so far, oldest first: n, method, params, time, status, ok, result_or_error."""
        return [call for call in self.world.calls.since(since) if method in (None, call["method"])]

    def refused(self) -> list[dict[str, Any]]:
        """Calls that the stand-in refused with a 400 or 404, which a well-behaved bot never makes."""
        return [call for call in self.calls() if call["status"] in (400, 404)]

    @property
    def pending(self) -> int:
        """Updates that the bot has not confirmed."""
        return len(self.world.updates.waiting)

    async def confirmed(self, *, seconds: float = PATIENCE) -> None:
        """Wait until the bot has confirmed everything."""
        await self.until(lambda: self.pending == 0, seconds=seconds)
        assert self.pending == 0, f"{self.pending} updates are not confirmed"

    async def until(self, true: Callable[[], bool], *, seconds: float = PATIENCE) -> None:
        """Return when it is true, or when the time is up; looks again at each change and call, not in between."""
        changed = asyncio.Event()
        watchers = self.world.hub.watchers
        watchers.append(changed.set)
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    while not true():
                        await changed.wait()
                        changed.clear()
        finally:
            watchers.remove(changed.set)


@contextlib.asynccontextmanager
async def stand_in(
    *, clock: HandClock | None = None, webhook_retry: float = 0.05, next_due: NextDue | None = None
) -> AsyncIterator[Telegram]:
    """Serve a new world on a free port. Its time is the `clock`, or the machine's and a file that the bot reads too."""
    with tempfile.TemporaryDirectory(prefix="ajar-standin-") as folder:
        time_file = None if clock else TimeFile(Path(folder) / "clock")
        now = clock.now if clock else FileClock(Path(folder) / "clock").now
        world = World(now, webhook_retry=webhook_retry)
        app = create_app(world, time_file=time_file, next_due=next_due)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            port = runner.addresses[0][1]
            yield Telegram(world, f"http://127.0.0.1:{port}", clock, time_file)
        finally:
            await runner.cleanup()


class BotProcess:
    """The bot in its own process. Its output is kept in `log`."""

    def __init__(
        self,
        telegram: Telegram,
        data_dir: Path,
        env: dict[str, str],
        command: Sequence[str] | None,
        work: Callable[[], object],
    ) -> None:
        self.telegram = telegram
        self.data_dir = data_dir
        self.log = data_dir / "bot.log"
        self._env = env
        self._command = command
        self.work = work
        """What it does once it is forked. A test may replace this before it starts."""
        self._process: asyncio.subprocess.Process | Forked | None = None

    @property
    def pid(self) -> int:
        assert self._process, "not started"
        return self._process.pid

    async def start(self, *, seconds: float = 30) -> None:
        """Start, or start again, and wait until it asks for updates or sets its webhook."""
        asked = self.telegram.world.updates.asked
        await self.begin()
        assert self._process
        ended = asyncio.ensure_future(self._process.wait())
        began = asyncio.ensure_future(self.telegram.until(lambda: self._receives(asked), seconds=seconds))
        await asyncio.wait({ended, began}, return_when=asyncio.FIRST_COMPLETED)
        began.cancel()
        ended.cancel()
        assert self._process.returncode is None, f"the bot ended with {self._process.returncode}:\n{self.output}"
        assert self._receives(asked), f"the bot asked for no updates in {seconds} s:\n{self.output}"

    async def begin(self) -> None:
        """Start without waiting."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        if self._command is None:
            self._process = Forked(self.work, cwd=self.data_dir, env=self._env, output=self.log, errors=self.log)
        else:
            with self.log.open("ab") as log:
                self._process = await asyncio.create_subprocess_exec(
                    *self._command, cwd=self.data_dir, env=self._env, stdout=log, stderr=log
                )
        atexit.register(_kill, self._process)

    def _receives(self, asked: int) -> bool:
        return self.telegram.world.updates.asked > asked

    @property
    def output(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    async def stop(self, *, seconds: float = 15) -> int:
        """Send SIGTERM; returns the exit code. Raises TimeoutError when it doesn't end in time."""
        return await self._end(signal.SIGTERM, seconds)

    async def kill(self) -> int:
        """Send SIGKILL."""
        return await self._end(signal.SIGKILL, 10)

    async def ended(self, seconds: float) -> int:
        """Wait until it ends by itself; returns the exit code."""
        assert self._process, "not started"
        return await asyncio.wait_for(self._process.wait(), seconds)

    async def _end(self, how: signal.Signals, seconds: float) -> int:
        assert self._process, "not started"
        if self._process.returncode is None:
            self._process.send_signal(how)
        return await self.ended(seconds)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process and self._process.returncode is None:
            try:
                await self.stop()
            except TimeoutError:
                await self.kill()
                raise


def _kill(process: asyncio.subprocess.Process | Forked) -> None:
    """Clean up after all tests: a test that was interrupted must not leave its bot behind."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)


def start_bot(
    telegram: Telegram,
    data_dir: Path,
    *,
    command: Sequence[str] | None = None,
    arguments: Sequence[str] = (),
    **env: str,
) -> BotProcess:
    """Run the bot against the stand-in: `async with start_bot(telegram, tmp_path, AJAR_LOG_LEVEL="DEBUG") as process:`.

    It is forked, with these `arguments` for `ajar run`, unless a `command` is given that starts it, like BOT.
    It polls, unless AJAR_WEBHOOK_URL, AJAR_WEBHOOK_SECRET and AJAR_LISTEN are given. The machine's own settings are
    kept out.
    """
    settings = {
        "AJAR_BOT_TOKEN": telegram.token,
        "AJAR_API_URL": telegram.url,
        "AJAR_DATA_DIR": str(data_dir),
        "AJAR_MASTER_KEY": TEST_KEY,
        "AJAR_LOG_FORMAT": "text",
    }
    if telegram.time_file:
        settings["AJAR_CLOCK_FILE"] = str(telegram.time_file.path)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AJAR_")}
    paths = [str(Path(bot.__file__).parents[1]), *filter(None, [kept.get("PYTHONPATH")])]
    environment = {**kept, **settings, **env, "PYTHONPATH": os.pathsep.join(paths)}
    return BotProcess(telegram, data_dir, environment, command, partial(ajar, ("run", *arguments)))


__all__ = ["BOT_ID", "BotProcess", "Person", "Seen", "Telegram", "stand_in", "start_bot"]
