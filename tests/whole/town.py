"""Alice, Bob and Charlie with their phones, one bot, and what can be asked of its database at any moment."""

import json
import re
import sqlite3
from collections import Counter, defaultdict
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Final
from unittest import mock

from bot.clock import HandClock
from bot.delivery.pacer import Pacer
from bot.domain.model import UNDECIDED
from bot.services.housekeeping import Housekeeping
from bot.storage.columns import milliseconds
from bot.storage.store import Rows
from tests.prove.schedules import Schedule
from tests.silence.world import CHARLIE, START, A, B, Beginning, Json, Recorder, World, _person, stop

PEOPLE: Final = (A, B, CHARLIE)
MARK: Final = re.compile(r"k[abc]\d+z")
"""What every typed text begins with: whose it is, and its number."""
_MARKS_OF: Final = {A: "a", B: "b", CHARLIE: "c"}
_OWN_IDS: Final = """
    SELECT id FROM lines WHERE user_id = :id UNION SELECT id FROM asks WHERE user_id = :id
    UNION SELECT id FROM drafts WHERE user_id = :id
"""
_ID: Final = re.compile(r"\d{12,}")
_AGAIN_AFTER: Final = timedelta(minutes=1)
_TIDY_EVERY: Final = timedelta(days=1)


def mark(user_id: int, number: int) -> str:
    return f"k{_MARKS_OF[user_id]}{number}z"


def writer(found: str) -> int:
    """Return who typed the text with this mark."""
    return next(user_id for user_id, letter in _MARKS_OF.items() if found[1] == letter)


def drawn_at_once() -> AbstractContextManager[Any]:
    """Let pictures be drawn without a process of their own, which a schedule can't wait for."""

    async def draw(*_: object) -> bytes:
        return b"a picture"

    return mock.patch("bot.pictures.Pictures.draw", draw)


class TheirClock(HandClock):
    """The time of a schedule, which passes by itself when nothing else is to be done, and can be moved by hand."""

    def __init__(self, schedule: Schedule) -> None:
        super().__init__(START)
        self._schedule = schedule

    def now(self) -> datetime:
        return START + timedelta(seconds=self._schedule.time())

    def set(self, moment: datetime) -> None:
        self._schedule.set_time((moment - START).total_seconds())


class Phones(Recorder):
    """Keeps what each message has ever shown, and can refuse to send, as Telegram does."""

    def __init__(self, clock: HandClock) -> None:
        super().__init__(clock)
        self.limited: dict[int, int] = {}
        """The seconds that Telegram asks to wait, by chat."""
        self.shown: defaultdict[tuple[int, int], set[str]] = defaultdict(set)
        """The marks of all texts that a message has shown, also before it was edited."""
        self.ever: defaultdict[int, dict[tuple[int, str], None]] = defaultdict(dict)
        """All buttons that were ever shown, as their message and what they carry, in order."""
        self.documents: defaultdict[int, list[tuple[str, bytes]]] = defaultdict(list)

    async def do_request(self, url: str, method: str, request_data: Any = None, *rest: Any, **more: Any) -> Any:
        params = request_data.json_parameters if request_data else {}
        chat_id = int(params.get("chat_id", 0))
        if wait := self.limited.get(chat_id):
            told = {"ok": False, "error_code": 429, "description": "Too Many Requests", "parameters": {}}
            return 429, json.dumps(told | {"parameters": {"retry_after": wait}}).encode()
        answer = await super().do_request(url, method, request_data, *rest, **more)
        if request_data and "document" in (files := request_data.multipart_data or {}) and answer[0] == 200:
            name, content, _ = files["document"]
            self.documents[chat_id].append((str(name), bytes(content)))
        return answer

    def _shows(self, chat_id: int, message_id: int, params: Json) -> tuple[int, bytes]:
        answer = super()._shows(chat_id, message_id, params)
        shown = self.chats[chat_id][message_id]
        self.shown[chat_id, message_id].update(MARK.findall(shown["text"]))
        self.ever[chat_id].update((one, None) for one in self.buttons(chat_id) if one[0] == message_id)
        return answer


@dataclass(frozen=True)
class Facts:
    """What the rows say."""

    lines: dict[int, dict[int, str]]
    """By user and id: the words of the Lines."""
    names: dict[int, str]
    agreed: frozenset[int]
    settled: frozenset[int]
    """Who has also gone through the start."""
    pairs: dict[int, int]
    """Each user's partner."""
    open_asks: Counter[int]
    waiting: Counter[int]
    """By user: how many Notices aren't settled."""
    due: int
    """How many of those are due."""
    unhandled: int
    own_ids: dict[int, frozenset[int]]
    """Ids that nobody but their user may ever see."""


@dataclass
class Town(World):
    """A world whose bot can be restarted, and that notes what Telegram told it last."""

    beginning: Beginning = field(kw_only=True)
    folder: Path = field(kw_only=True)
    last: Json = field(default_factory=dict)
    last_at: datetime | None = None
    _tidied: datetime | None = None
    _sealed: object = None
    _words: dict[int, dict[int, str]] = field(default_factory=dict)
    _names: dict[int, str] = field(default_factory=dict)

    @property
    def phones(self) -> Phones:
        assert isinstance(self.recorder, Phones)
        return self.recorder

    async def _takes(self, user_id: int, update: Json) -> None:
        self.updates[user_id] += 1
        update_id = user_id * 1_000_000 + self.updates[user_id]
        self.last, self.last_at = {"update_id": update_id, **update}, self.clock.now()
        await self.comes_again()

    async def comes_again(self) -> None:
        """Let Telegram hand out the last update, for the first time or again."""
        await self.built.inbox.take([self.last])
        await self.built.inbox.finish()
        await self.work()

    async def reacts(self, user_id: int, message_id: int, emoji: str | None) -> None:
        now = int(self.clock.now().timestamp())
        chat = {"id": user_id, "type": "private"}
        new = [{"type": "emoji", "emoji": emoji}] if emoji else []
        told = {"chat": chat, "message_id": message_id, "user": _person(user_id), "date": now}
        await self._takes(user_id, {"message_reaction": {**told, "old_reaction": [], "new_reaction": new}})

    async def restart(self) -> None:
        """Stop the bot, and start another one on what it has left."""
        await self.built.inbox.abandon()
        await stop(self.built)
        self.built = await self.beginning.start(self.folder, self.clock, self.recorder, Pacer())
        async with self.built.store.writing() as rows:
            await rows.notices.release(self.clock.now())
        await self.built.inbox.adopt()
        await self.built.inbox.finish()
        await self.work()

    async def work(self) -> None:
        """Send what is due now and what becomes due by that, as the outbox does whenever it was rung for."""
        bell = self.built.outbox._bell
        bell.set()
        while bell.is_set():
            bell.clear()
            await super().work()

    async def until(self, moment: datetime) -> None:
        """Let the time pass, from one due moment to the next; what can't be sent is looked at again a minute later."""
        while True:
            async with self.built.store.reading() as rows:
                due = await rows.earliest_due()
            now = self.clock.now()
            if due is None or max(due, now) > moment:
                break
            self.clock.set(due if due > now else min(now + _AGAIN_AFTER, moment))
            await self.work()
            if self.clock.now() >= moment:
                break
        self.clock.set(max(moment, self.clock.now()))
        if self._tidied is None or moment - self._tidied >= _TIDY_EVERY:
            await Housekeeping(self.built.store, self.clock).tidy()
            self._tidied = moment
        await self.work()

    @property
    def cut_off(self) -> frozenset[int]:
        """The users whom nothing reaches at present."""
        return frozenset(self.recorder.unreachable | self.recorder.blocked | set(self.phones.limited))

    async def facts(self) -> Facts:
        """Look at the rows, past the bot; sealed words are opened only if they have changed."""
        ask, now = self._connection.execute, self.clock.now()
        people = ask("SELECT id, name FROM users").fetchall()
        agreed = {user_id for (user_id,) in ask("SELECT id FROM users WHERE consented_at IS NOT NULL")}
        settled = {user_id for (user_id,) in ask("SELECT id FROM users WHERE zone IS NOT NULL AND ask_at IS NOT NULL")}
        pairs = ask("SELECT a.user_id, b.user_id FROM pair_members a JOIN pair_members b USING (pair_id)").fetchall()
        states = ", ".join(f"'{state.value}'" for state in UNDECIDED)
        opened = ask(f"SELECT user_id FROM asks WHERE shown_at IS NOT NULL AND state IN ({states})")  # noqa: S608
        outbox = ask("SELECT user_id, due_at FROM notices WHERE settled_at IS NULL").fetchall()
        (unhandled,) = ask("SELECT count(*) FROM inbox WHERE lane IS NOT NULL").fetchone()
        kept = ask("SELECT user_id, id, words FROM lines").fetchall()
        if self._sealed != (sealed := (people, kept)):
            self._sealed = sealed
            async with self.built.store.reading() as rows:
                self._words = {row[0]: await _lines_of(rows, row[0], kept) for row in people}
                self._names = {row[0]: await rows.users.name(row[0]) or "" for row in people}
        return Facts(
            lines=self._words,
            names=self._names,
            agreed=frozenset(agreed),
            settled=frozenset(agreed & settled),
            pairs={one: other for one, other in pairs if one != other},
            open_asks=Counter(user_id for (user_id,) in opened),
            waiting=Counter(user_id for user_id, _ in outbox),
            due=sum(due_at <= milliseconds(now) for _, due_at in outbox),
            unhandled=unhandled,
            own_ids={user_id: self._own_ids(user_id) for user_id in PEOPLE},
        )

    @cached_property
    def _connection(self) -> sqlite3.Connection:
        return sqlite3.connect(self.folder / "ajar.db", isolation_level=None)

    def _own_ids(self, user_id: int) -> frozenset[int]:
        return frozenset(found for (found,) in self._connection.execute(_OWN_IDS, {"id": user_id}))

    def close(self) -> None:
        self._connection.close()

    def ids_seen(self, user_id: int, since: int) -> set[int]:
        """Return the long numbers in what this user was sent after the first `since` calls."""
        return {int(found) for call in self.recorder.seen[user_id][since:] for found in _ID.findall(call.params)}


async def _lines_of(rows: Rows, user_id: int, kept: list[tuple[int, int, bytes]]) -> dict[int, str]:
    return await rows.lines.words_of(user_id, [line_id for owner, line_id, _ in kept if owner == user_id])
