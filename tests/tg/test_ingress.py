"""Updates: in order for a user, in parallel for several, none lost to a failure, none that fails forever."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from sqlalchemy.exc import OperationalError
from telegram import Update
from telegram.ext import ContextTypes, TypeHandler

from bot.clock import HandClock
from bot.crypto import KeyMismatch
from bot.domain.results import Result, Sorry
from bot.logs import ThrottledLog
from bot.storage.engine import UserBusy
from bot.storage.store import Store
from bot.tg import ingress as module
from bot.tg.answers import Answers
from bot.tg.application import App, make_application
from bot.tg.ingress import Ingress
from bot.tg.network import Network
from tests.standin import stand_in

ALICE, BOB = 1, 2


def text(update_id: int, user_id: int = ALICE) -> dict[str, Any]:
    person = {"id": user_id, "is_bot": False, "first_name": "A"}
    chat = {"id": user_id, "type": "private", "first_name": "A"}
    message = {"message_id": update_id, "date": 1_800_000_000, "chat": chat, "from": person, "text": "hello"}
    return {"update_id": update_id, "message": message}


class Handler:
    """What the ingress calls here: begins, waits for its gate, fails as told, ends."""

    def __init__(self) -> None:
        self.log: list[tuple[str, int]] = []
        self.failures: dict[int, list[Exception]] = defaultdict(list)
        self.gates: dict[int, asyncio.Event] = {}
        self.began: asyncio.Queue[int] = asyncio.Queue()
        self.said: list[Result] = []
        self.late: set[int] = set()

    async def __call__(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        update_id = update.update_id
        self.log.append(("begin", update_id))
        self.began.put_nowait(update_id)
        if gate := self.gates.get(update_id):
            await gate.wait()
        if self.failures[update_id]:
            raise self.failures[update_id].pop(0)
        self.log.append(("end", update_id))

    async def reply(self, _update: Update, result: Result) -> None:
        self.said.append(result)

    def are_late(self, update_id: int) -> bool:
        return update_id in self.late

    def begins(self, update_id: int) -> int:
        return self.log.count(("begin", update_id))


@pytest.fixture
def handler() -> Handler:
    return Handler()


@pytest.fixture
async def application(handler: Handler) -> AsyncIterator[App]:
    async with stand_in() as telegram:
        application = make_application(telegram.token, telegram.url, Network())
        application.add_handler(TypeHandler(Update, handler))
        await application.initialize()
        yield application
        await application.shutdown()


@pytest.fixture
def ingress(
    application: App, handler: Handler, store: Store, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> Ingress:
    monkeypatch.setattr(module, "_PASSING_WAIT", 0.01)
    return Ingress(application, store, clock, cast("Answers", handler))


async def test_one_user_is_served_in_order(ingress: Ingress, handler: Handler) -> None:
    for update_id in (1, 2, 3):
        handler.gates[update_id] = asyncio.Event()
    taken = [asyncio.create_task(ingress.take(text(update_id))) for update_id in (1, 2, 3)]
    for update_id in (3, 2, 1):  # the gates open in reverse order
        handler.gates[update_id].set()
    await asyncio.gather(*taken)
    assert handler.log == [(what, update_id) for update_id in (1, 2, 3) for what in ("begin", "end")]


async def test_late_answer_does_not_delay_the_next_effect(ingress: Ingress, handler: Handler) -> None:
    handler.gates[1] = handler.gates[2] = asyncio.Event()
    taken = [asyncio.create_task(ingress.take(text(update_id))) for update_id in (1, 2, 3)]
    assert await handler.began.get() == 1
    handler.late.add(1)
    assert await asyncio.wait_for(handler.began.get(), 5) == 2
    await asyncio.sleep(0.6)
    assert handler.began.empty(), "the second is not late yet"
    handler.gates[1].set()
    await asyncio.gather(*taken)
    assert [update_id for what, update_id in handler.log if what == "begin"] == [1, 2, 3]
    assert ingress._users._locks == {}


async def test_users_are_served_in_parallel(ingress: Ingress, handler: Handler) -> None:
    handler.gates[1] = asyncio.Event()
    waiting = asyncio.create_task(ingress.take(text(1, ALICE)))
    await handler.began.get()
    await asyncio.wait_for(ingress.take(text(2, BOB)), 5)
    assert not waiting.done()
    handler.gates[1].set()
    await waiting
    assert handler.log[-1] == ("end", 1)
    assert ingress._users._locks == {}, "nobody is remembered who does not wait"


async def test_failed_update_is_retried_before_the_users_next(ingress: Ingress, handler: Handler) -> None:
    handler.failures[1] = [ValueError(), ValueError()]
    await asyncio.gather(ingress.take(text(1)), ingress.take(text(2)))
    assert handler.log == [("begin", 1)] * 3 + [("end", 1), ("begin", 2), ("end", 2)]
    assert handler.said == []


async def test_joining_with_the_wrong_key_waits(
    ingress: Ingress, handler: Handler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no user yet for whom it could be kept; it isn't given up either."""
    monkeypatch.setattr(module, "_KEY_WAIT", 0.01)
    handler.failures[1] = [KeyMismatch() for _ in range(20)]
    await ingress.take(text(1))
    assert handler.begins(1) == 21
    assert handler.said == []


async def test_updates_for_a_damaged_key_are_kept_in_order(
    ingress: Ingress, handler: Handler, store: Store, clock: HandClock
) -> None:
    async with store.writing() as rows:
        await rows.users.add(ALICE, "en", clock.now())
    for update_id in (1, 3):
        handler.failures[update_id] = [KeyMismatch(), KeyMismatch()]
    for update_id in (1, 2, 3):
        await asyncio.wait_for(ingress.take(text(update_id)), 5)
    assert [each for each in handler.log if each[0] == "end"] == [("end", 2)]
    await asyncio.wait(await ingress.recall())
    assert handler.begins(3) == 1, "the first one still waits"
    (again,) = await ingress.recall()
    fourth = asyncio.create_task(ingress.take(text(4)))
    await asyncio.wait({again, fourth})
    ended = [update_id for what, update_id in handler.log if what == "end"]
    assert ended == [2, 1, 4], "the third one is held once more, and keeps nobody else"
    await asyncio.wait(await ingress.recall())
    assert [update_id for what, update_id in handler.log if what == "end"] == [2, 1, 4, 3]
    assert await ingress.recall() == []


async def test_failing_update_is_given_up_after_five_tries(ingress: Ingress, handler: Handler) -> None:
    handler.failures[1] = [ValueError() for _ in range(20)]
    await ingress.take(text(1))
    assert handler.begins(1) == 5
    (sorry,) = handler.said
    assert isinstance(sorry, Sorry)
    assert sorry.incident
    await ingress.take(text(2))
    assert handler.log[-1] == ("end", 2), "those after it are served"


async def test_tries_are_counted_across_a_restart(
    application: App, ingress: Ingress, handler: Handler, store: Store, clock: HandClock
) -> None:
    """Otherwise an update that kills the process each time would be fatal forever."""
    async with store.writing() as rows:
        for _ in range(4):
            await rows.updates.failed(1, clock.now())
    handler.failures[1] = [ValueError() for _ in range(20)]
    await Ingress(application, store, clock, cast("Answers", handler)).take(text(1))
    assert handler.begins(1) == 1
    assert len(handler.said) == 1
    assert ingress._users._locks == {}


@pytest.mark.parametrize(
    "error",
    [OperationalError("SELECT 1", {}, Exception("database is locked")), ConnectionError(), TimeoutError()],
    ids=lambda error: type(error).__name__,
)
async def test_absent_database_is_waited_for_indefinitely(
    ingress: Ingress,
    handler: Handler,
    error: Exception,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(module, "throttled", ThrottledLog(module.log))
    handler.failures[1] = [error] * 30
    await ingress.take(text(1))
    assert capsys.readouterr().out.count("update.waits") == 1
    assert handler.begins(1) == 31
    assert handler.log[-1] == ("end", 1)
    assert handler.said == []


async def test_user_locked_for_long_is_told(
    ingress: Ingress, handler: Handler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise everybody's updates would stop for as long as somebody else holds that lock."""
    monkeypatch.setattr(module, "_BUSY", 0.1)
    handler.failures[1] = [UserBusy() for _ in range(1000)]
    await asyncio.wait_for(ingress.take(text(1)), 20)
    assert handler.begins(1) > 5, "it is waited for"
    assert [type(said) for said in handler.said] == [Sorry]


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
        {"update_id": 1, "message": {**text(1)["message"], "chat": {"id": {"a": 1}, "type": "group"}}},
        {"update_id": 1, "message": {**text(1)["message"], "chat": {"id": "\ud800", "type": "private"}}},
        {"update_id": 1, "message": {**text(1)["message"], "from": {**text(1)["message"]["from"], "id": "1"}}},
    ],
    ids=[
        *("malformed", "null", "empty", "half", "future", "list", "dict", "word", "vast user", "vast", "group"),
        *("chat of half a character", "user of a digit"),
    ],
)
async def test_unreadable_update_is_finished(ingress: Ingress, handler: Handler, raw: dict[str, Any]) -> None:
    began = time.monotonic()
    await asyncio.wait_for(ingress.take(raw), 10)
    assert time.monotonic() - began < 5
    await ingress.take(text(2))
    assert handler.log[-1] == ("end", 2)


async def test_cancelled_update_lets_the_next_in(ingress: Ingress, handler: Handler) -> None:
    handler.gates[1] = asyncio.Event()
    first = asyncio.create_task(ingress.take(text(1)))
    await handler.began.get()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    await asyncio.wait_for(ingress.take(text(2)), 5)
    assert handler.log[-1] == ("end", 2)
