"""Updates: in order for a user, in parallel for several, none lost to a failure, none that fails forever."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
from sqlalchemy.exc import OperationalError

from bot.clock import HandClock
from bot.crypto import KeyMismatch
from bot.delivery.outbox import Outbox
from bot.domain.results import Result, Silence
from bot.logs import ThrottledLog
from bot.storage.engine import SqliteDatabase, UserBusy
from bot.storage.inbox import LEASE, Received
from bot.storage.store import Store
from bot.tg import inbox as module
from bot.tg.dispatch import Dispatch
from bot.tg.groups import Groups
from bot.tg.inbox import Inbox
from bot.tg.turn import Handling, Turn, UpdateProcessor
from bot.tg.updates import Update

ALICE, BOB = 1, 2
US = 77


def text(update_id: int, user_id: int = ALICE) -> dict[str, Any]:
    person = {"id": user_id, "is_bot": False, "first_name": "A"}
    chat = {"id": user_id, "type": "private", "first_name": "A"}
    message = {"message_id": update_id, "date": 1_800_000_000, "chat": chat, "from": person, "text": "hello"}
    return {"update_id": update_id, "message": message}


def location(update_id: int) -> dict[str, Any]:
    raw = text(update_id)
    del raw["message"]["text"]
    raw["message"]["location"] = {"latitude": 52.5, "longitude": 13.4}
    return raw


class Handler:
    """What the inbox calls here: begins, waits for its gate, fails as told, ends."""

    def __init__(self, store: Store, clock: HandClock) -> None:
        self._store = store
        self._clock = clock
        self.log: list[tuple[str, int]] = []
        self.failures: dict[int, list[Exception]] = defaultdict(list)
        self.gates: dict[int, asyncio.Event] = {}
        self.began: asyncio.Queue[int] = asyncio.Queue()
        self.sorry: list[str] = []
        self.speechless: Exception | None = None
        self.owner = US
        self.answers: dict[int, asyncio.Future[None]] = {}

    def find(self, _update: Update) -> Handling:
        return Handling(_silent)

    async def process(self, update: Update, _handling: Handling, _arrived: float | None = None) -> None:
        update_id = update.update_id
        self.log.append(("begin", update_id))
        self.began.put_nowait(update_id)
        if gate := self.gates.get(update_id):
            await gate.wait()
        if self.failures[update_id]:
            raise self.failures[update_id].pop(0)
        await self._handled(update_id)
        self.log.append(("end", update_id))

    async def apologize(self, update: Update, code: str) -> None:
        if self.speechless:
            raise self.speechless
        await self._handled(update.update_id)
        self.sorry.append(code)

    async def _handled(self, update_id: int) -> None:
        async with self._store.writing() as rows:
            await rows.inbox.handle(update_id, self.owner, self._clock.now())
            await rows.inbox.answered([update_id])

    def answering(self, user_id: int) -> asyncio.Future[None] | None:
        return self.answers.get(user_id)

    def ring(self) -> None:
        """Nothing is sent here."""

    def met(self, update: Update) -> None:
        """A group is left by somebody else."""

    async def abandon(self) -> None:
        """Nothing is under way there."""

    def begins(self, update_id: int) -> int:
        return self.log.count(("begin", update_id))

    @property
    def ended(self) -> list[int]:
        return [update_id for what, update_id in self.log if what == "end"]


async def _silent(_turn: Turn) -> Result:
    return Silence()


@pytest.fixture
def handler(store: Store, clock: HandClock) -> Handler:
    return Handler(store, clock)


def inbox_of(handler: Handler, store: Store, clock: HandClock) -> Inbox:
    return Inbox(
        store, clock, cast("Dispatch", handler), cast("UpdateProcessor", handler), cast("Outbox", handler),
        cast("Groups", handler), owner=handler.owner, alone=isinstance(store._database, SqliteDatabase),
    )  # fmt: skip


@pytest.fixture
def inbox(handler: Handler, store: Store, clock: HandClock, monkeypatch: pytest.MonkeyPatch) -> Inbox:
    monkeypatch.setattr(module, "_PASSING_WAIT", 0.01)
    return inbox_of(handler, store, clock)


async def handled(inbox: Inbox, *raws: Any) -> None:
    await inbox.take(raws)
    await asyncio.wait_for(inbox.finish(), 20)


async def test_one_user_is_served_in_order(inbox: Inbox, handler: Handler) -> None:
    for update_id in (1, 2, 3):
        handler.gates[update_id] = asyncio.Event()
    await inbox.take([text(update_id) for update_id in (1, 2, 3)])
    for update_id in (3, 2, 1):  # the gates open in reverse order
        handler.gates[update_id].set()
    await inbox.finish()
    assert handler.log == [(what, update_id) for update_id in (1, 2, 3) for what in ("begin", "end")]
    assert len(inbox._lanes) == 0
    assert inbox._lanes._queues == {}, "nobody is remembered for whom nothing waits"


async def test_users_are_served_in_parallel(inbox: Inbox, handler: Handler) -> None:
    handler.gates[1] = asyncio.Event()
    await inbox.take([text(1, ALICE), text(2, BOB)])
    await inbox.take([text(3, BOB)])
    async with asyncio.timeout(10):
        while handler.ended != [2, 3]:  # noqa: ASYNC110  # an effect sets no event
            await asyncio.sleep(0.01)
    handler.gates[1].set()
    await inbox.finish()
    assert handler.ended == [2, 3, 1]


async def test_flood_of_one_user_delays_nobody(inbox: Inbox, handler: Handler, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside other processes we leave updates to them once we have enough, but not because of one user."""
    monkeypatch.setattr(module, "_SHARE", 3)
    handler.gates[1] = asyncio.Event()
    await inbox.take([text(update_id, ALICE) for update_id in range(1, 7)])
    await inbox.take([text(7, BOB)])
    async with asyncio.timeout(10):
        while handler.ended != [7]:  # noqa: ASYNC110  # an effect sets no event
            await asyncio.sleep(0.01)
    handler.gates[1].set()
    await inbox.finish()
    assert handler.ended == [7, 1, 2, 3, 4, 5, 6]


async def test_next_update_waits_briefly(inbox: Inbox, handler: Handler, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user who is quicker than the network still finds the chat in order."""
    monkeypatch.setattr(module, "_PATIENCE", 60)
    handler.answers[ALICE] = asyncio.get_running_loop().create_future()
    await inbox.take([text(1)])
    await asyncio.sleep(0.05)
    assert handler.log == []
    handler.answers[ALICE].set_result(None)
    await inbox.finish()
    monkeypatch.setattr(module, "_PATIENCE", 0.05)
    handler.answers[ALICE] = asyncio.get_running_loop().create_future()
    await handled(inbox, text(2))
    assert handler.ended == [1, 2]


async def test_outrun_location_is_done_with(inbox: Inbox, handler: Handler, store: Store) -> None:
    """Only the last of several counts; otherwise the others would be taken over again and again."""
    await handled(inbox, *(location(update_id) for update_id in (1, 2, 3)))
    assert handler.ended == [3]
    async with store.reading() as rows:
        assert await rows.inbox.claimed_by(US) == []


async def test_repeated_update_has_no_second_effect(inbox: Inbox, handler: Handler) -> None:
    await handled(inbox, text(1), text(1))
    await handled(inbox, text(1))
    assert handler.begins(1) == 1


async def test_next_process_handles_stored_updates(
    inbox: Inbox, handler: Handler, store: Store, clock: HandClock
) -> None:
    await handled(inbox, text(3, BOB))
    handler.gates[1] = asyncio.Event()
    await inbox.take([text(1), text(2)])
    while await handler.began.get() != 1:
        pass
    await inbox.abandon()
    assert 1 not in handler.ended
    del handler.gates[1]
    handler.owner = US + 1
    later = inbox_of(handler, store, clock)
    clock.advance(LEASE)
    await later.adopt()
    await handled(later, text(4))
    assert [update_id for update_id in handler.ended if update_id != 3] == [1, 2, 4], "what is new comes after it"
    assert handler.ended.count(3) == 1


async def test_failed_update_is_retried_in_order(inbox: Inbox, handler: Handler) -> None:
    handler.failures[1] = [ValueError(), ValueError()]
    await handled(inbox, text(1), text(2))
    assert handler.log == [("begin", 1)] * 3 + [("end", 1), ("begin", 2), ("end", 2)]
    assert handler.sorry == []


async def test_damaged_keys_updates_keep_order(inbox: Inbox, handler: Handler, monkeypatch: pytest.MonkeyPatch) -> None:
    """What needs no key is answered meanwhile, and nobody else waits."""
    monkeypatch.setattr(module, "MOST_UNHANDLED", 2)
    for update_id in (1, 3):
        handler.failures[update_id] = [KeyMismatch(), KeyMismatch()]
    await handled(inbox, text(1), text(2), text(3), text(4, BOB))
    assert sorted(handler.ended) == [2, 4]
    assert not inbox.is_full
    await inbox.retry_held()
    await inbox.finish()
    assert handler.begins(3) == 1, "the first one still waits"
    await inbox.retry_held()
    await handled(inbox, text(5))
    assert handler.ended[2:] == [1, 5], "the third one is held once more, and keeps nobody waiting"
    await inbox.retry_held()
    await inbox.finish()
    assert handler.ended[4:] == [3]
    assert inbox._held == {}
    assert handler.sorry == []


async def test_full_inbox_says_so(inbox: Inbox, handler: Handler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_UNHANDLED", 2)
    handler.gates[1] = asyncio.Event()
    await inbox.take([text(1), text(2)])
    assert inbox.is_full
    handler.gates[1].set()
    await inbox.finish()
    assert not inbox.is_full


async def test_backlog_is_read_from_the_rows(inbox: Inbox, handler: Handler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_IN_MEMORY", 1)
    await handled(inbox, *(text(update_id) for update_id in range(1, 6)))
    assert handler.ended == [1, 2, 3, 4, 5]


async def test_unanswerable_update_blocks_nobody(inbox: Inbox, handler: Handler) -> None:
    handler.failures[1] = [ValueError() for _ in range(100)]
    handler.speechless = AttributeError()
    await handled(inbox, text(1), text(2))
    assert handler.begins(1) == 5
    assert handler.ended == [2]


async def test_failing_update_gets_five_tries(inbox: Inbox, handler: Handler) -> None:
    handler.failures[1] = [ValueError() for _ in range(20)]
    await handled(inbox, text(1))
    assert handler.begins(1) == 5
    (code,) = handler.sorry
    assert code
    await handled(inbox, text(2))
    assert handler.log[-1] == ("end", 2), "those after it are served"


async def test_tries_are_counted_across_a_restart(
    inbox: Inbox, handler: Handler, store: Store, clock: HandClock
) -> None:
    """Otherwise an update that kills the process each time would be fatal forever."""
    handler.gates[1] = asyncio.Event()
    await inbox.take([text(1)])
    await handler.began.get()
    await inbox.abandon()
    async with store.writing() as rows:
        for _ in range(4):
            await rows.inbox.failed(1, US)
    del handler.gates[1]
    handler.failures[1] = [ValueError() for _ in range(20)]
    handler.owner = US + 1
    later = inbox_of(handler, store, clock)
    clock.advance(LEASE)
    await later.adopt()
    await later.finish()
    assert handler.begins(1) == 2
    assert len(handler.sorry) == 1


@pytest.mark.parametrize("to_do", ["take", "adopt"])
async def test_unconfirmed_commit_is_followed_up(
    handler: Handler, store: Store, clock: HandClock, monkeypatch: pytest.MonkeyPatch, to_do: str
) -> None:
    """As if a primary died after a commit, before it could say so: Telegram's repetition wouldn't bring it back."""
    monkeypatch.setattr(module, "_PASSING_WAIT", 0.01)
    inbox = inbox_of(handler, store, clock)
    if to_do == "adopt":
        async with store.writing() as rows:
            await rows.inbox.add([Received(1, ALICE, text(1))], None, clock.now())
    writing, losses = store.writing, [TimeoutError()]

    @asynccontextmanager
    async def loses_one_answer(*of: Any) -> AsyncIterator[Any]:
        async with writing(*of) as rows:
            yield rows
        if losses:
            raise losses.pop()

    with monkeypatch.context() as patched:
        patched.setattr(store, "writing", loses_one_answer)
        inbox._alone = False
        if to_do == "take":
            await inbox.take([text(1)])
        else:
            with pytest.raises(TimeoutError):
                await inbox.adopt()
            await inbox.adopt()
        await asyncio.wait_for(inbox.finish(), 20)
    assert handler.ended == [1]


async def test_answer_of_an_unconfirmed_commit_is_due_at_once(
    handler: Handler, store: Store, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The turn had its effect and its answer is a row, but the process was told that the commit failed."""
    monkeypatch.setattr(module, "_PASSING_WAIT", 0.01)
    inbox = inbox_of(handler, store, clock)
    async with store.writing() as rows:
        await rows.notices.add_answer(ALICE, 1, Silence(), clock.now(), inbox._owner, behind=None)
        assert not await rows.notices.can_claim(clock.now())
    process, losses = inbox._processor.process, [ConnectionError()]

    async def loses_the_confirmation(*of: Any) -> None:
        await process(*of)
        if losses:
            raise losses.pop()

    monkeypatch.setattr(inbox._processor, "process", loses_the_confirmation)
    await handled(inbox, text(1))
    async with store.reading() as rows:
        assert await rows.notices.can_claim(clock.now())


@pytest.mark.parametrize(
    "error",
    [OperationalError("SELECT 1", {}, Exception("database is locked")), ConnectionError(), TimeoutError()],
    ids=lambda error: type(error).__name__,
)
async def test_absent_database_is_waited_for_indefinitely(
    inbox: Inbox,
    handler: Handler,
    error: Exception,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(module, "throttled", ThrottledLog(module.log))
    handler.failures[1] = [error] * 30
    await handled(inbox, text(1))
    assert capsys.readouterr().out.count("update.waits") == 1
    assert handler.begins(1) == 31
    assert handler.log[-1] == ("end", 1)
    assert handler.sorry == []


async def test_absent_database_confirms_nothing(
    inbox: Inbox, handler: Handler, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:

        def away(*_: object) -> None:
            raise ConnectionError

        patch.setattr(store, "writing", away)
        taking = asyncio.create_task(inbox.take([text(1)]))
        await asyncio.sleep(0.1)
        assert not taking.done()
    await asyncio.wait_for(taking, 10)
    await inbox.finish()
    assert handler.ended == [1]


@pytest.mark.parametrize("errors", [[ConnectionError], [AssertionError] * 3], ids=("passing", "unknown"))
async def test_failed_commit_is_repeated(
    inbox: Inbox, handler: Handler, store: Store, monkeypatch: pytest.MonkeyPatch, errors: list[type[Exception]]
) -> None:
    """A turn that began before that commit finds nothing it could claim."""
    writing, left = store.writing, iter(errors)

    @asynccontextmanager
    async def fails_at_first(*arguments: Any) -> AsyncIterator[Any]:
        async with writing(*arguments) as rows:
            yield rows
            if error := next(left, None):
                raise error

    monkeypatch.setattr(store, "writing", fails_at_first)
    await handled(inbox, text(1), text(2))
    assert handler.ended == [1, 2]


async def test_user_locked_for_long_is_told(inbox: Inbox, handler: Handler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BUSY", 0.5)
    handler.failures[1] = [UserBusy() for _ in range(1000)]
    await handled(inbox, text(1))
    assert handler.begins(1) > 5, "it is waited for"
    assert len(handler.sorry) == 1


@pytest.mark.parametrize(
    "raw",
    [
        {"update_id": 1, "message": {"message_id": "one", "date": "yesterday", "chat": 1}},
        {"update_id": 1, "message": None},
        {"update_id": 1},
        {"update_id": 1, "callback_query": {"id": "5"}},
        {"update_id": 1, "of_the_future": {"a": [1]}},
        text(1, cast("int", [1])),
        text(1, cast("int", {"a": 1})),
        text(1, cast("int", "one")),
        text(1, 1 << 63),
        text(1 << 70),
        text(cast("int", 1.5)),
        {"update_id": 1, "message": {**text(1)["message"], "message_id": 1 << 70}},
        {
            "update_id": 1,
            "message": {
                **text(1)["message"],
                "reply_to_message": {"message_id": "7", "date": 0, "chat": text(1)["message"]["chat"]},
            },
        },
        {"update_id": 1, "message": {**text(1)["message"], "chat": {"id": {"a": 1}, "type": "group"}}},
        {"update_id": 1, "message": {**text(1)["message"], "chat": {"id": "\ud800", "type": "private"}}},
        {"update_id": 1, "message": {**text(1)["message"], "from": {**text(1)["message"]["from"], "id": "1"}}},
    ],
    ids=[
        *("malformed", "null", "empty", "half", "future", "list", "dict", "word", "vast user", "vast"),
        *("broken number", "vast message", "reply to a word", "group"),
        *("chat of half a character", "user of a digit"),
    ],
)
async def test_unreadable_update_is_set_aside(inbox: Inbox, handler: Handler, raw: dict[str, Any]) -> None:
    began = time.monotonic()
    await asyncio.wait_for(inbox.take([raw, text(2)]), 10)
    await inbox.finish()
    assert time.monotonic() - began < 5
    assert handler.ended == [2]


async def test_watchdog_sees_an_update_that_hangs(inbox: Inbox, handler: Handler) -> None:
    assert await inbox.handled() is None, "none waits"
    handler.gates[1] = asyncio.Event()
    handler.failures[1] = [ConnectionError()]
    await inbox.take([text(1)])
    await asyncio.wait_for(handler.began.get(), 20)
    assert await inbox.handled() == 0
    handler.gates.pop(1).set()
    await asyncio.wait_for(handler.began.get(), 20)
    await asyncio.wait_for(inbox.finish(), 20)
    assert await inbox.handled() is None
    handler.gates[2] = asyncio.Event()
    await inbox.take([text(2)])
    assert await inbox.handled() == 2, "a try that fails is progress, too"
    handler.gates[2].set()
    await asyncio.wait_for(inbox.finish(), 20)
