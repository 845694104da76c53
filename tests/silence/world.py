"""A whole bot in this process, on a real database, with a recorder in place of the network that keeps every byte sent.

Time moves by hand, from one due moment to the next. Ids are made from the moment and the order in it, not from chance,
so that two lives of the same world can be compared byte by byte.
"""

import hashlib
import json
import re
from collections import Counter, OrderedDict, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple, cast
from unittest import mock

from telegram.error import NetworkError
from telegram.request import BaseRequest, RequestData
from telegram.request._requestparameter import RequestParameter

import bot.app
from bot import library
from bot.clock import HandClock
from bot.config import Config
from bot.crypto import KeyRing
from bot.delivery.pacer import Pacer
from bot.domain.content import Wish
from bot.domain.expectations import Reception
from bot.domain.model import Line, Pair
from bot.domain.notices import NoticeKind
from bot.domain.sharing import Move, Reflection, ResponseKind
from bot.domain.times import next_slot
from bot.storage.ids import timeless_id
from bot.storage.migrate import migrate
from bot.storage.store import Rows, Store
from bot.tg.network import Network
from tests.standin import TEST_KEY

A: Final = 910_001_001
B: Final = 910_001_002
CHARLIE: Final = 910_001_003
_TIMELESS: Final = 62  # bits of the ids that don't tell when they were made
NAMES: Final = {A: "Alice", B: "Bob", CHARLIE: "Charlie"}
LANGUAGES: Final[dict[int, str]] = {}
"""Of those whose Telegram isn't in English."""
START: Final = datetime(2027, 3, 22, 9, 0, tzinfo=UTC)
"""A Monday; the clocks in Europe change on the following Sunday."""
BEFORE: Final = "The key was under the mat all along."
"""What A shared and B opened before everything begins."""

TOKEN: Final = "123456789:AAFakeTokenOfNobodyForTests_0123456789"

COMING: Final = "I have been humming the same tune for a week."

Json = dict[str, Any]


class Ids(NamedTuple):
    """A Line and its Reflection."""

    line: int
    reflection: int


@dataclass(frozen=True)
class Call:
    """One call of the Bot API: everything that its chat can see of the bot."""

    at: datetime
    method: str
    params: str


class Recorder(BaseRequest):
    """Takes what the bot sends and answers as Telegram would."""

    def __init__(self, clock: HandClock) -> None:
        self._clock = clock
        self._last: Counter[int] = Counter()
        self.seen: defaultdict[int, list[Call]] = defaultdict(list)
        self.chats: defaultdict[int, dict[int, Json]] = defaultdict(dict)
        self.blocked: set[int] = set()
        self.unreachable: set[int] = set()
        """Chats that nothing gets through to at present."""

    @property
    def read_timeout(self) -> float:
        return 5.0

    async def initialize(self) -> None:
        """There is nothing to open."""

    async def shutdown(self) -> None:
        """There is nothing to close."""

    def next_id(self, chat_id: int) -> int:
        self._last[chat_id] += 1
        return self._last[chat_id]

    async def exchange(self, method: str, url: str, body: bytes, *_: Any) -> tuple[int, bytes]:
        params = json.loads(body)
        data = RequestData([RequestParameter.from_input(name, value) for name, value in params.items()])
        return await self.do_request(url, method, data)

    async def do_request(
        self,
        url: str,
        method: str,  # noqa: ARG002  # a part of the interface
        request_data: RequestData | None = None,
        *_: Any,
        **__: Any,
    ) -> tuple[int, bytes]:
        name, params = url.rsplit("/", 1)[1], dict(request_data.json_parameters if request_data else {})
        if request_data and (files := request_data.multipart_data):
            params |= {
                kind: hashlib.sha256(content).hexdigest()  # type: ignore[arg-type]  # from memory
                for kind, (_, content, _) in files.items()
            }
        if name == "getMe":
            return _ok({"id": 1, "is_bot": True, "first_name": "Ajar", "username": "ajar_bot"})
        chat_id = _chat(params)
        if chat_id in self.unreachable:
            raise NetworkError("cut")
        if chat_id in self.blocked:
            return 403, json.dumps(
                {"ok": False, "error_code": 403, "description": "Forbidden: bot was blocked by the user"}
            ).encode()
        self.seen[chat_id].append(Call(self._clock.now(), name, json.dumps(params, sort_keys=True, ensure_ascii=False)))
        if name in {"sendMessage", "sendPhoto", "sendDocument"}:
            return self._shows(chat_id, self.next_id(chat_id), params)
        if name in {"editMessageText", "editMessageReplyMarkup"}:
            return self._shows(chat_id, int(params["message_id"]), params)
        if name == "deleteMessage":
            self.chats[chat_id].pop(int(params["message_id"]), None)
        return _ok(True)

    def _shows(self, chat_id: int, message_id: int, params: Json) -> tuple[int, bytes]:
        markup = json.loads(params["reply_markup"]) if "reply_markup" in params else {}
        before = self.chats[chat_id].get(message_id, {})
        self.chats[chat_id][message_id] = {
            "message_id": message_id,
            "date": int(self._clock.now().timestamp()),
            "chat": {"id": chat_id, "type": "private", "first_name": NAMES[chat_id]},
            "text": params.get("text", params.get("caption", before.get("text", ""))),
            "markup": markup,
        }
        return _ok({key: value for key, value in self.chats[chat_id][message_id].items() if key != "markup"})

    def buttons(self, chat_id: int) -> list[tuple[int, str]]:
        """Every visible button, as its message and the data it carries."""
        return [
            (message_id, key["callback_data"])
            for message_id, message in self.chats[chat_id].items()
            for row in message["markup"].get("inline_keyboard", [])
            for key in row
            if "callback_data" in key
        ]


def _chat(params: Json) -> int:
    if "scope" in params:
        return int(json.loads(params["scope"])["chat_id"])
    return int(params["chat_id"]) if "chat_id" in params else int(str(params["callback_query_id"]).partition("-")[0])


def _ok(result: Any) -> tuple[int, bytes]:
    return 200, json.dumps({"ok": True, "result": result}).encode()


class _Chance:
    """Replaces `secrets` in bot.storage.ids: counts the ids of one moment."""

    def __init__(self, clock: HandClock) -> None:
        self._clock = clock
        self._made: Counter[datetime] = Counter()

    def randbits(self, bits: int) -> int:
        now = self._clock.now()
        self._made[now] += 1
        return self._made[now] if bits < _TIMELESS else (int(now.timestamp() * 1000) << 16) + self._made[now]


_library: Final = cache(library.load)
"""The library, which many lives share, since it can't be changed."""


class _Hurried(Pacer):
    """Sends everything at once; the pace is tested elsewhere."""

    async def wait_turn(self) -> None:
        """Nobody has to wait."""


@dataclass
class World:
    """The bot, its clock and what it has sent."""

    built: bot.app.Bot
    clock: HandClock
    recorder: Recorder
    updates: Counter[int] = field(default_factory=Counter)
    said: defaultdict[int, list[int]] = field(default_factory=lambda: defaultdict(list))

    @property
    def commands(self) -> frozenset[str]:
        """Every command."""
        return frozenset(self.built.routes.commands)

    @property
    def actions(self) -> frozenset[str]:
        """The actions of all its buttons."""
        return frozenset(self.built.routes.taps)

    # What people do

    async def says(self, user_id: int, text: str) -> None:
        message_id = self.recorder.next_id(user_id)
        self.said[user_id].append(message_id)
        await self._takes(user_id, {"message": self._message(user_id, message_id, text)})

    async def edits(self, user_id: int, message_id: int, text: str) -> None:
        message = self._message(user_id, message_id, text) | {"edit_date": int(self.clock.now().timestamp())}
        await self._takes(user_id, {"edited_message": message})

    async def taps(self, user_id: int, message_id: int, data: str) -> None:
        shown = self.recorder.chats[user_id].get(message_id) or self._message(user_id, message_id, "")
        query = {
            "id": f"{user_id}-{self.updates[user_id]}",
            "from": _person(user_id),
            "chat_instance": "1",
            "data": data,
            "message": {key: value for key, value in shown.items() if key != "markup"},
        }
        await self._takes(user_id, {"callback_query": query})

    async def taps_newest(self, user_id: int, data: str) -> None:
        """Tap the newest button whose data begins like this."""
        found = [one for one in self.recorder.buttons(user_id) if one[1].startswith(f"v1:{data}")]
        assert found, f"{data} is nowhere in sight"
        await self.taps(user_id, *found[-1])

    def link_to(self, user_id: int) -> str:
        """Return the payload of the newest link that this user was given to pass on."""
        messages = reversed(self.recorder.chats[user_id].values())
        return next(found[1] for one in messages if (found := re.search(r"start=([A-Za-z0-9_-]{22})", one["text"])))

    async def blocks(self, user_id: int, *, blocked: bool) -> None:
        (self.recorder.blocked.add if blocked else self.recorder.blocked.discard)(user_id)
        member = {"user": {"id": 1, "is_bot": True, "first_name": "Ajar"}}
        states = [member | {"status": "member"}, member | {"status": "kicked", "until_date": 0}]
        old, new = states if blocked else states[::-1]
        chat = {"id": user_id, "type": "private", "first_name": NAMES[user_id]}
        change = {"chat": chat, "from": _person(user_id), "date": int(self.clock.now().timestamp())}
        await self._takes(user_id, {"my_chat_member": change | {"old_chat_member": old, "new_chat_member": new}})

    async def _takes(self, user_id: int, update: Json) -> None:
        self.updates[user_id] += 1
        update_id = user_id * 1_000_000 + self.updates[user_id]
        await self.built.inbox.take([{"update_id": update_id, **update}])
        await self.built.inbox.finish()
        await self.work()

    def _message(self, user_id: int, message_id: int, text: str) -> Json:
        chat = {"id": user_id, "type": "private", "first_name": NAMES[user_id]}
        message = {"message_id": message_id, "date": int(self.clock.now().timestamp()), "chat": chat, "text": text}
        if text.startswith("/"):
            length = len(text.split(maxsplit=1)[0])
            message["entities"] = [{"type": "bot_command", "offset": 0, "length": length}]
        return message | {"from": _person(user_id)}

    # The passing of time

    async def work(self) -> None:
        """Send what is due now."""
        await self.built.outbox.work()
        await self.built.outbox.finish()

    async def until(self, moment: datetime) -> None:
        """Let the time pass, from one due moment to the next."""
        while True:
            async with self.built.store.reading() as rows:
                due = await rows.earliest_due()
            if due is None or due > moment:
                break
            self.clock.set(max(due, self.clock.now()))
            await self.work()
        self.clock.set(moment)


def _person(user_id: int) -> Json:
    language = LANGUAGES.get(user_id, "en")
    return {"id": user_id, "is_bot": False, "first_name": NAMES[user_id], "language_code": language}


@dataclass
class Beginning:
    """A database in which A and B are a Pair, and Charlie is somebody else; each life begins with a copy of it."""

    database: bytes
    ring: KeyRing
    opened: Ids
    """What A shared and B has opened."""
    coming: Ids
    """What B has set to be shared with A, an hour and a half after the beginning."""

    @classmethod
    async def make(cls, folder: Path) -> "Beginning":
        """Return the beginning of all lives in this process, which is made in this folder the first time."""
        global _beginning  # noqa: PLW0603
        if _beginning is None:
            _beginning = await cls._make(folder)
        return _beginning

    @classmethod
    async def _make(cls, folder: Path) -> "Beginning":
        file = folder / "beginning.db"
        await migrate(f"sqlite+aiosqlite:///{file}")
        ring = KeyRing.parse(TEST_KEY)
        store = Store.at(f"sqlite+aiosqlite:///{file}", ring)
        try:
            async with store.writing() as rows:
                opened, coming = await _people(rows)
        finally:
            await store.sweep()
            await store.close()
        return cls(file.read_bytes(), ring, opened, coming)  # nothing else goes on yet

    @asynccontextmanager
    async def life(self, folder: Path, **settings: Any) -> AsyncIterator[World]:
        """A world that begins here."""
        self.lay_out(folder)
        clock = HandClock(START)
        recorder = Recorder(clock)
        with (
            mock.patch("bot.storage.ids.secrets", _Chance(clock)),
            mock.patch("bot.storage.ids._drawn", OrderedDict()),
        ):
            built = await self.start(folder, clock, recorder, _Hurried(), **settings)
            try:
                self._put_old_buttons(recorder)
                yield World(built, clock, recorder)
            finally:
                await stop(built)

    def lay_out(self, folder: Path) -> None:
        """Put a copy of the database into this folder."""
        folder.mkdir(parents=True, exist_ok=True)  # nothing else goes on yet
        (folder / "ajar.db").write_bytes(self.database)

    async def start(
        self, folder: Path, clock: HandClock, recorder: Recorder, pacer: Pacer, **settings: Any
    ) -> bot.app.Bot:
        """Start the bot on the database in this folder."""
        config = Config.model_validate({"bot_token": TOKEN, "data_dir": folder, **settings})
        store = Store.at(f"sqlite+aiosqlite:///{folder / 'ajar.db'}", self.ring)
        built = bot.app.build(
            config,
            store,
            cast("Network", recorder),
            clock=clock,
            pacer=pacer,
            content=_library(library.content_folder()),
        )
        await built.client.initialize()
        return built

    def _put_old_buttons(self, recorder: Recorder) -> None:
        """Tap everything in both chats about the line that was shared before, including taps that no longer fit."""
        opened = self.opened.reflection
        of_b = [f"respond:{answer}.{opened}" for answer in ResponseKind]
        of_b += [f"open:{opened}", f"open_later:{opened}", f"not_now:{opened}", f"open_at:tomorrow.{opened}"]
        of_a = [f"{tap}:{opened}" for tap in ("expect", "expect_yes", "what_came", "share_question:without.")]
        of_a += [f"{tap}:{each}.{opened}" for tap in ("expected", "came") for each in Reception]
        of_a = [tap.replace(".:", ".") for tap in of_a] + ["tally:", "expect_stop:"]
        of_a += [f"{tap}{self.opened.line}" for tap in ("shelf:", "board:heavy.", "feel:heavy.", "feel:torn.")]
        of_a += [f"{tap}{self.opened.line}" for tap in ("feel_own:", "feel_off:")]
        for user_id, taps in ((B, of_b + _own(self.coming)), (A, of_a + _own(self.opened))):
            self._put(recorder, user_id, taps)

    def _put(self, recorder: Recorder, user_id: int, taps: list[str]) -> None:
        message_id = recorder.next_id(user_id)
        keys = [[{"text": tap, "callback_data": f"v1:{tap}"}] for tap in taps]
        recorder.chats[user_id][message_id] = {
            "message_id": message_id,
            "date": int(START.timestamp()),
            "chat": {"id": user_id, "type": "private", "first_name": NAMES[user_id]},
            "text": "…",
            "markup": {"inline_keyboard": keys},
        }


async def stop(built: bot.app.Bot) -> None:
    """Close what a bot holds."""
    await built.places.close()
    await built.store.close()


_beginning: Beginning | None = None


def _own(ids: Ids) -> list[str]:
    of_reflection = ("share_show", "share_see", "share_words", "share_use", "share_back", "share_when")
    of_line = ("share", "line", "change", "delete")
    return [f"{tap}:{ids.reflection}" for tap in of_reflection] + [f"{tap}:{ids.line}" for tap in of_line]


async def _people(rows: Rows) -> tuple[Ids, Ids]:
    """A in Tokyo, B in Lisbon, Charlie in New York: hours that never fall on the same moment."""
    asked = {
        A: (time(19, 7), "Asia/Tokyo"),
        B: (time(20, 30), "Europe/Lisbon"),
        CHARLIE: (time(8, 1), "America/New_York"),
    }
    began = START - timedelta(days=1)
    for number, (user_id, (ask_at, zone)) in enumerate(asked.items(), 1):
        now = began + timedelta(minutes=number)
        user = await rows.users.add(user_id, "en", now)
        await rows.users.set_name(user_id, NAMES[user_id])
        slot = next_slot(START, ask_at, zone)
        planned = {"next_ask_at": slot.at, "next_ask_day": slot.day} if user_id != CHARLIE else {}
        await rows.users.change(user, ask_at=ask_at, zone=zone, **planned)
    pair = await rows.pairs.make(A, B, began)
    assert pair
    opened = await _shared(rows, pair, A, BEFORE, began)
    await rows.reflections.move(opened, Move.ANNOUNCE, announced_at=began)
    await rows.reflections.move(opened, Move.OPEN, opened_at=began, cue_id="listen.read-twice")
    coming = await _shared(rows, pair, B, COMING, START + timedelta(minutes=90))
    assert coming.due_at
    await rows.notices.add([(A, NoticeKind.REFLECTION, coming.id, coming.due_at)], began)
    return Ids(opened.line_id or 0, opened.id), Ids(coming.line_id or 0, coming.id)


async def _shared(rows: Rows, pair: Pair, user_id: int, words: str, due_at: datetime) -> Reflection:
    now = START - timedelta(hours=1)
    line = Line(timeless_id(), user_id, now.date(), None, 1)
    await rows.lines.keep(line, words, prompt_id=None, now=now)
    reflection = Reflection(timeless_id(), user_id, pair.partner_of(user_id), pair.id, line_id=line.id)
    await rows.reflections.draft(reflection, words, now)
    await rows.reflections.wish(reflection, Wish.LISTEN)
    shared = await rows.reflections.move(reflection, Move.SCHEDULE, shared_at=now, due_at=due_at)
    assert shared
    return shared
