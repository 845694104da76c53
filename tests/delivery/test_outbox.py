"""The outbox on a real database, with a courier that has every kind of bad day."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, time, timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import select, update

from bot.clock import HandClock
from bot.delivery.courier import (
    BEFORE_THE_LAST,
    Afterwards,
    Blocked,
    Courier,
    Delivered,
    NotSent,
    RateLimited,
    Refused,
    Strange,
    Unclear,
    Unreachable,
)
from bot.delivery.outbox import Outbox, Ready
from bot.delivery.pacer import Pacer
from bot.domain.model import User
from bot.domain.notices import BLOCKED_RETRY, Notice, NoticeKind
from bot.domain.results import Cancelled
from bot.metrics import ANSWER_SECONDS
from bot.services.asks import Asks
from bot.services.profile import Profile
from bot.storage.inbox import Received
from bot.storage.notices import LEASE, Notices
from bot.storage.schema import notices
from bot.storage.store import Rows, Store
from tests.services.conftest import make_library

ALICE, BOB, CHARLIE = 1, 2, 3
SECOND = timedelta(seconds=1)

Outcome = Delivered | Afterwards | Exception


class RecordingCourier:
    """Records what it gets, and treats each user's Notices as instructed; afterwards everything arrives."""

    def __init__(self, store: Store, clock: HandClock) -> None:
        self._store = store
        self._clock = clock
        self.outcomes: dict[int, list[Outcome]] = defaultdict(list)
        self.tried: list[tuple[int, datetime]] = []
        self.notices: list[Notice] = []
        self.at_once = 0
        self.most_at_once = 0
        self.began: asyncio.Queue[int] = asyncio.Queue()
        self.gate = asyncio.Event()
        self.gate.set()

    async def deliver(self, notice: Notice) -> Delivered | Afterwards:
        async with self._store.writing(notice.user_id) as rows:
            if not await rows.notices.sending(notice):
                return Delivered.NEEDLESS
        self.tried.append((notice.user_id, self._clock.now()))
        self.notices.append(notice)
        self.began.put_nowait(notice.user_id)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self.gate.wait()
        finally:
            self.at_once -= 1
        outcome = self.outcomes[notice.user_id].pop(0) if self.outcomes[notice.user_id] else Delivered.SAID
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def tries(self, user_id: int) -> list[datetime]:
        return [at for who, at in self.tried if who == user_id]


@pytest.fixture
def courier(store: Store, clock: HandClock) -> RecordingCourier:
    return RecordingCourier(store, clock)


@pytest.fixture
def pacer(clock: HandClock) -> Pacer:
    return Pacer(now=lambda: clock.now().timestamp(), rate=1e9)


@pytest.fixture
async def outbox(arrived: Store, clock: HandClock, courier: RecordingCourier, pacer: Pacer) -> Outbox:
    return _outbox(arrived, clock, courier, pacer)


@pytest.fixture
async def arrived(store: Store, clock: HandClock) -> Store:
    """A store with three users."""
    async with store.writing() as rows:
        for user_id in (ALICE, BOB, CHARLIE):
            user = await rows.users.add(user_id, "en", clock.now())
            at = clock.now() + timedelta(days=1)
            await rows.users.change(user, ask_at=time(8), zone="UTC", next_ask_at=at, next_ask_day=at.date())
    return store


def _outbox(
    store: Store,
    clock: HandClock,
    courier: Courier,
    pacer: Pacer,
    next_due: Callable[[datetime], object] = str,
    *,
    alone: bool = True,
) -> Outbox:
    asks, profile = Asks(make_library()), Profile()
    return Outbox(store, clock, courier, pacer, asks, profile, owner=US, alone=alone, next_due=next_due)


async def add(store: Store, clock: HandClock, users: Sequence[int], kind: NoticeKind = NoticeKind.ASK) -> None:
    async with store.writing() as rows:
        await rows.notices.add(
            [(user_id, kind, 100 + number, clock.now()) for number, user_id in enumerate(users)], clock.now()
        )


async def work(outbox: Outbox) -> None:
    """Look for due Notices once, and finish everything that this starts."""
    await outbox.work()
    await outbox.finish()


US = 77


async def rows_of(store: Store) -> list[Any]:
    async with store.reading() as rows:
        return list(await rows._connection.execute(select(notices).order_by(notices.c.subject_id)))


async def state(store: Store) -> list[str]:
    return [row.state for row in await rows_of(store)]


async def user(store: Store, user_id: int) -> User:
    async with store.reading() as rows:
        found = await rows.users.find(user_id)
    assert found
    return found


async def test_due_notice_is_sent_and_settled(
    outbox: Outbox, store: Store, clock: HandClock, courier: RecordingCourier
) -> None:
    await add(store, clock, [ALICE, BOB])
    courier.outcomes[BOB] = [Delivered.NEEDLESS]
    await work(outbox)
    assert await state(store) == ["sent", "needless"]
    await work(outbox)
    assert len(courier.tried) == 2


async def test_retries_have_growing_pauses(
    outbox: Outbox, store: Store, clock: HandClock, courier: RecordingCourier
) -> None:
    await add(store, clock, [ALICE])
    courier.outcomes[ALICE] = [NotSent() for _ in range(8)]
    start = clock.now()
    while (await state(store)) != ["sent"]:
        await work(outbox)
        clock.advance(SECOND)
        assert clock.now() - start < timedelta(minutes=10)
    moments = courier.tries(ALICE)
    waits = [(later - earlier).total_seconds() for earlier, later in pairwise(moments)]
    assert waits == [1, 2, 5, 10, 30, 60, 60, 60]
    assert (await rows_of(store))[0].unclear == 0


@pytest.mark.parametrize(
    ("kind", "copies"),
    [
        (NoticeKind.ASK, 2),
        (NoticeKind.REFLECTION, 2),
        (NoticeKind.ANNOUNCEMENT, 2),
        (NoticeKind.RESPONSE, 3),
        (NoticeKind.GUEST, 3),
    ],
)
async def test_possibly_sent_notice_is_repeated_once(
    outbox: Outbox, store: Store, clock: HandClock, courier: RecordingCourier, kind: NoticeKind, copies: int
) -> None:
    await add(store, clock, [ALICE], kind)
    courier.outcomes[ALICE] = [Unclear() for _ in range(10)]
    for _ in range(200):
        await work(outbox)
        clock.advance(SECOND)
    tries = courier.tries(ALICE)
    assert [later - sooner for sooner, later in pairwise(tries)] == [SECOND, BEFORE_THE_LAST][1 - copies :]
    assert await state(store) == ["assumed"]


@pytest.mark.parametrize("kind", [NoticeKind.ASK, NoticeKind.GUEST])
async def test_strangely_answered_notice_is_repeated_once(
    outbox: Outbox, store: Store, clock: HandClock, courier: RecordingCourier, kind: NoticeKind
) -> None:
    """It looks as if Telegram has taken it."""
    await add(store, clock, [ALICE], kind)
    courier.outcomes[ALICE] = [Strange() for _ in range(10)]
    for _ in range(60):
        await work(outbox)
        clock.advance(SECOND)
    first, second = courier.tries(ALICE)
    assert second - first == BEFORE_THE_LAST
    assert await state(store) == ["assumed"]


async def test_rate_limited_chat_is_served_later(
    outbox: Outbox, store: Store, clock: HandClock, courier: RecordingCourier
) -> None:
    await add(store, clock, [ALICE, BOB])
    courier.outcomes[ALICE] = [RateLimited(7 * SECOND)]
    for _ in range(8):
        await work(outbox)
        clock.advance(SECOND)
    first, second = courier.tries(ALICE)
    assert second - first == 7 * SECOND
    assert await state(store) == ["sent", "sent"]
    assert (await rows_of(store))[0].unclear == 0, "a 429 says that it did not arrive"


async def test_nothing_else_is_tried_in_a_rate_limited_chat(
    outbox: Outbox, store: Store, clock: HandClock, courier: RecordingCourier, pacer: Pacer
) -> None:
    await add(store, clock, [ALICE, ALICE, BOB])
    courier.outcomes[ALICE] = [RateLimited(7 * SECOND)]
    await work(outbox)
    assert [who for who, _ in courier.tried].count(ALICE) == 1
    assert [pacer.delay_for(chat) for chat in (ALICE, BOB)] == [7 * SECOND, timedelta()]
    assert (await state(store))[2] == "sent"
    clock.advance(7 * SECOND)
    await work(outbox)
    assert await state(store) == ["sent"] * 3


async def test_general_rate_limit_claims_nothing(
    arrived: Store, clock: HandClock, courier: RecordingCourier, pacer: Pacer
) -> None:
    store, told = arrived, list[datetime]()
    outbox = _outbox(store, clock, courier, pacer, told.append)
    for chat in (ALICE, BOB, 99):
        assert pacer.delay_for(chat) == timedelta()
        pacer.back_off(chat, 5 * SECOND)
    await add(store, clock, [CHARLIE])
    await work(outbox)
    assert courier.tried == []
    assert (await rows_of(store))[0].attempts == 0
    assert told == [clock.now() + SECOND]
    clock.advance(SECOND)
    await work(outbox)
    assert len(courier.tried) == 1, "one is tried"


async def test_blocking_user_is_left_alone(
    outbox: Outbox, store: Store, clock: HandClock, courier: RecordingCourier
) -> None:
    await add(store, clock, [ALICE])
    courier.outcomes[ALICE] = [Blocked()]
    await work(outbox)
    assert await state(store) == ["gone"]
    alice = await user(store, ALICE)
    assert (alice.blocked_at, alice.next_ask_at) == (clock.now(), None)
    assert (await user(store, BOB)).next_ask_at is not None


@pytest.mark.parametrize("comes_back", [True, False])
@pytest.mark.parametrize(
    "kind",
    [NoticeKind.PAIRED, NoticeKind.GUEST, NoticeKind.RITUAL_AGREED, NoticeKind.ANNOUNCEMENT, NoticeKind.RESPONSE],
)
async def test_partner_notice_outlasts_a_block(
    outbox: Outbox, store: Store, clock: HandClock, courier: RecordingCourier, kind: NoticeKind, comes_back: bool
) -> None:
    """Otherwise somebody could be in a Pair without ever being told."""
    async with store.writing() as rows:
        await rows.notices.add([(ALICE, kind, 1, clock.now())], clock.now())
    courier.outcomes[ALICE] = [Blocked()]
    await work(outbox)
    assert await state(store) == ["held"]
    if comes_back:
        async with store.writing(ALICE) as rows:
            await Profile().unblocked(rows, await rows.users.find(ALICE), clock.now())
    else:  # and the bot hears nothing of it
        clock.advance(BLOCKED_RETRY)
    await work(outbox)
    assert await state(store) == ["sent"]
    assert (await rows_of(store))[0].unclear == 0, "who blocks has not seen it"


async def test_permanently_refused_notice_is_given_up(
    outbox: Outbox, store: Store, clock: HandClock, courier: RecordingCourier
) -> None:
    await add(store, clock, [ALICE, BOB])
    courier.outcomes[ALICE] = [Refused("can't parse entities")]
    await work(outbox)
    assert await state(store) == ["refused", "sent"]


async def until_settled(outbox: Outbox, store: Store, clock: HandClock) -> list[str]:
    """Let a day pass, from one due moment to the next, as long as anything is open. Return the outcomes."""
    ends = clock.now() + timedelta(hours=23)
    while due := [row.due_at for row in await rows_of(store) if row.settled_at is None and row.due_at < ends]:
        clock.set(max(clock.now() + SECOND, min(due)))
        await work(outbox)
    return await state(store)


async def test_defect_is_retried(outbox: Outbox, store: Store, clock: HandClock, courier: RecordingCourier) -> None:
    await add(store, clock, [ALICE, BOB])
    courier.outcomes[ALICE] = [ZeroDivisionError()]
    await work(outbox)
    assert await state(store) == ["waiting", "sent"]
    clock.advance(SECOND)
    await work(outbox)
    assert await state(store) == ["sent", "sent"]
    assert (await rows_of(store))[0].unclear == 0


async def test_lasting_defect_ends_after_five_tries(
    outbox: Outbox, store: Store, clock: HandClock, courier: RecordingCourier, capsys: pytest.CaptureFixture[str]
) -> None:
    await add(store, clock, [ALICE, BOB])
    courier.outcomes[ALICE] = [ZeroDivisionError() for _ in range(20)]
    assert await until_settled(outbox, store, clock) == ["failed", "sent"]
    assert len(courier.tries(ALICE)) == 5
    logged = capsys.readouterr().out
    assert (logged.count("incident="), logged.count("notice.failed")) == (1, 4)


async def test_next_answer_follows_a_lost_one(
    outbox: Outbox, store: Store, clock: HandClock, courier: RecordingCourier
) -> None:
    """An answer that can't be made is tried once more to say that it got lost."""
    await add(store, clock, [ALICE, ALICE], NoticeKind.ANSWER)
    courier.outcomes[ALICE] = [ZeroDivisionError() for _ in range(5)]
    assert await until_settled(outbox, store, clock) == [], "what was answered is kept no longer"
    assert [notice.failures for notice in courier.notices] == [0, 1, 2, 3, 4, 5, 0]
    courier.outcomes[ALICE] = [ZeroDivisionError() for _ in range(6)]
    await add(store, clock, [ALICE, ALICE], NoticeKind.ANSWER)
    assert await until_settled(outbox, store, clock) == []
    assert [notice.failures for notice in courier.notices[7:]] == [0, 1, 2, 3, 4, 5, 0]


async def test_unknown_notice_is_given_up(
    outbox: Outbox, store: Store, clock: HandClock, courier: RecordingCourier
) -> None:
    await add(store, clock, [ALICE, BOB])
    async with store.writing() as rows:
        await rows._connection.execute(update(notices).where(notices.c.subject_id == 100).values(kind="of_the_future"))
    courier.outcomes[ALICE] = [KeyError() for _ in range(5)]
    assert await until_settled(outbox, store, clock) == ["failed", "sent"]
    assert {notice.kind for notice in courier.notices} == {NoticeKind.UNKNOWN, NoticeKind.ASK}


async def test_failing_ritual_is_retried_next_day(
    outbox: Outbox, store: Store, clock: HandClock, courier: RecordingCourier
) -> None:
    """If it were settled, it would be the pair's last moment."""
    await add(store, clock, [ALICE], NoticeKind.RITUAL_MOMENT)
    courier.outcomes[ALICE] = [ZeroDivisionError() for _ in range(5)]
    await until_settled(outbox, store, clock)
    assert await state(store) == ["held"]
    clock.advance(timedelta(days=1))
    await work(outbox)
    assert [row.state for row in await rows_of(store) if row.kind == NoticeKind.RITUAL_MOMENT] == ["sent"]


async def test_absent_database_is_no_defect(
    outbox: Outbox, store: Store, clock: HandClock, courier: RecordingCourier
) -> None:
    await add(store, clock, [ALICE])
    courier.outcomes[ALICE] = [ConnectionError()]
    await work(outbox)
    clock.advance(LEASE)
    await work(outbox)
    assert await state(store) == ["sent"]
    assert (await rows_of(store))[0].failures == 0


async def test_chat_not_found_once_changes_nothing(
    outbox: Outbox, store: Store, clock: HandClock, courier: RecordingCourier
) -> None:
    await add(store, clock, [ALICE])
    planned = (await user(store, ALICE)).next_ask_at
    courier.outcomes[ALICE] = [Unreachable()]
    assert await until_settled(outbox, store, clock) == ["sent"]
    alice = await user(store, ALICE)
    assert (alice.blocked_at, alice.next_ask_at) == (None, planned)


@pytest.mark.parametrize(("kind", "ends"), [(NoticeKind.REMINDER, "gone"), (NoticeKind.RESPONSE, "held")])
async def test_chat_never_found_is_given_up(
    outbox: Outbox, store: Store, clock: HandClock, courier: RecordingCourier, kind: NoticeKind, ends: str
) -> None:
    await add(store, clock, [ALICE], kind)
    courier.outcomes[ALICE] = [Unreachable() for _ in range(5)]
    await until_settled(outbox, store, clock)
    assert await state(store) == [ends]
    tries = courier.tries(ALICE)
    assert [(later - sooner) / SECOND for sooner, later in pairwise(tries)] == [30, 120, 600, 1800]
    assert (await user(store, ALICE)).blocked_at is None


async def test_unplannable_user_delays_nobody(
    outbox: Outbox, store: Store, clock: HandClock, courier: RecordingCourier
) -> None:
    async with store.writing() as rows:
        alice = await rows.users.find(ALICE)
        assert alice
        await rows.users.change(alice, zone="Of/Nowhere")
    clock.advance(timedelta(days=1))
    await work(outbox)
    assert {who for who, _ in courier.tried} == {BOB, CHARLIE}
    assert (await user(store, ALICE)).next_ask_at == clock.now() + timedelta(hours=1)
    async with store.writing() as rows:
        await rows.users.change(alice, zone="UTC")
    clock.advance(timedelta(hours=1))
    await work(outbox)
    assert ALICE in {who for who, _ in courier.tried}


@pytest.mark.parametrize(("rate", "at_once"), [(28, 16), (160, 16), (400, 40), (1e9, 96)])
async def test_parallel_sending_has_a_limit(
    arrived: Store, clock: HandClock, courier: RecordingCourier, rate: float, at_once: int
) -> None:
    count = at_once + 5
    async with arrived.writing() as rows:
        for user_id in range(100, 100 + count):
            await rows.users.add(user_id, "en", clock.now())
    await add(arrived, clock, range(100, 100 + count))
    courier.gate.clear()
    working = asyncio.create_task(work(_outbox(arrived, clock, courier, Pacer(rate=rate))))
    for _ in range(at_once):
        await asyncio.wait_for(courier.began.get(), 20)
    await asyncio.sleep(0.05)
    courier.gate.set()
    await working
    assert courier.most_at_once == at_once
    assert await state(arrived) == ["sent"] * count
    assert len(courier.tried) == count


async def test_sending_is_settled_in_one_transaction(
    outbox: Outbox, store: Store, clock: HandClock, courier: RecordingCourier
) -> None:
    """One transaction stores it for all whose messages arrived while the one before was committed."""
    noted: list[Rows] = []

    async def note(rows: Rows) -> None:
        noted.append(rows)

    await add(store, clock, range(1, 17))
    for user_id in range(1, 17):
        courier.outcomes[user_id] = [note]
    courier.gate.clear()
    working = asyncio.create_task(work(outbox))
    for _ in range(16):
        await asyncio.wait_for(courier.began.get(), 20)
    courier.gate.set()
    await working
    assert await state(store) == ["sent"] * 16
    assert len(noted) == 16
    assert len(set(map(id, noted))) < 16


async def test_unstored_note_sends_nothing_again(
    outbox: Outbox, store: Store, clock: HandClock, courier: RecordingCourier
) -> None:
    async def fail(_rows: Rows) -> None:
        raise ValueError

    await add(store, clock, [ALICE])
    courier.outcomes[ALICE] = [fail]
    await work(outbox)
    assert await state(store) == ["sent"]
    clock.advance(LEASE + SECOND)
    await work(outbox)
    assert len(courier.tries(ALICE)) == 1


async def _sent_together(
    outbox: Outbox, store: Store, clock: HandClock, courier: RecordingCourier
) -> asyncio.Task[None]:
    """Alice, Bob and Charlie get a Notice at the same moment, so that one transaction would settle all three."""
    await add(store, clock, [ALICE, BOB, CHARLIE])
    courier.gate.clear()
    working = asyncio.create_task(work(outbox))
    for _ in range(3):
        await asyncio.wait_for(courier.began.get(), 20)
    courier.gate.set()
    return working


async def test_unstored_note_leaves_the_others_theirs(
    outbox: Outbox, store: Store, clock: HandClock, courier: RecordingCourier
) -> None:
    """Bob's adds a Notice twice, so the database refuses the transaction in which all three are settled."""

    def noting(user_id: int) -> Afterwards:
        async def note(rows: Rows) -> None:
            await rows.take_note(f"sent to {user_id}", "yes")
            if user_id == BOB:
                await rows.notices.add([(BOB, NoticeKind.ASK, 7, clock.now())] * 2, clock.now())

        return note

    for user_id in (ALICE, BOB, CHARLIE):
        courier.outcomes[user_id] = [noting(user_id)]
    await (await _sent_together(outbox, store, clock, courier))
    assert await state(store) == ["sent"] * 3
    async with store.reading() as rows:
        assert [await rows.note(f"sent to {user_id}") for user_id in (ALICE, BOB, CHARLIE)] == ["yes", None, "yes"]


async def test_unsettled_notice_holds_up_nobody(
    outbox: Outbox, store: Store, clock: HandClock, courier: RecordingCourier, monkeypatch: pytest.MonkeyPatch
) -> None:
    said, failed = Notices.said, asyncio.Queue[None]()

    async def said_but_to_bob(self: Notices, notice: Notice, now: datetime) -> None:
        if notice.user_id == BOB:
            failed.put_nowait(None)
            raise ValueError
        await said(self, notice, now)

    async def note(_rows: Rows) -> None:
        pass

    for user_id in (ALICE, BOB, CHARLIE):
        courier.outcomes[user_id] = [note, note]
    with monkeypatch.context() as patched:
        patched.setattr(Notices, "said", said_but_to_bob)
        working = await _sent_together(outbox, store, clock, courier)
        for _ in range(4):  # together, alone, alone without the note, and a second later
            await asyncio.wait_for(failed.get(), 20)
        assert await state(store) == ["sent", "sending", "sent"]
    await working
    assert await state(store) == ["sent"] * 3
    assert len(courier.tried) == 3


async def test_one_users_notices_keep_order(
    outbox: Outbox, store: Store, clock: HandClock, courier: RecordingCourier
) -> None:
    """In parallel, the order would be left to chance, or to what else is going on."""
    for subject in range(12):
        async with store.writing() as rows:
            await rows.notices.add([(ALICE, NoticeKind.RESPONSE, subject, clock.now())], clock.now())
        clock.advance(timedelta(milliseconds=1))
    courier.gate.clear()
    working = asyncio.create_task(work(outbox))
    assert await asyncio.wait_for(courier.began.get(), 20) == ALICE
    await asyncio.sleep(0.05)
    assert courier.began.empty()
    courier.gate.set()
    await working
    assert [notice.subject_id for notice in courier.notices] == list(range(12))


class UsedUp(Pacer):
    """A pace of which nothing is left until `turns` is set."""

    def __init__(self) -> None:
        super().__init__(rate=1e9)
        self.asked, self.turns = asyncio.Event(), asyncio.Event()

    async def wait_turn(self) -> None:
        self.asked.set()
        await self.turns.wait()


async def test_answer_waits_for_no_turn(arrived: Store, clock: HandClock, courier: RecordingCourier) -> None:
    """Not even behind a question to the same user that waits for one, which can take a minute on a busy day."""
    pacer = UsedUp()
    outbox = _outbox(arrived, clock, courier, pacer)
    await add(arrived, clock, [ALICE])
    await outbox.work()
    await pacer.asked.wait()
    async with arrived.writing(ALICE) as rows:
        answer = await rows.notices.add_answer(ALICE, 7, Cancelled(something=True), clock.now(), US, behind=None)
    assert answer
    sent = asyncio.Event()

    async def nothing(_rows: Rows) -> None: ...

    async def send() -> Afterwards:
        sent.set()
        return nothing

    outbox.hand_on(Ready(answer, send, lambda: asyncio.sleep(0)), None)
    await asyncio.wait_for(sent.wait(), 10)
    assert not courier.tried
    pacer.turns.set()
    await outbox.finish()
    assert courier.tries(ALICE)


async def test_next_answer_waits_behind_one_that_waits_for_its_turn(
    arrived: Store, clock: HandClock, courier: RecordingCourier
) -> None:
    """An earlier answer is sent from its row, as after a kill, when its user's next update is handled."""
    pacer = UsedUp()
    outbox = _outbox(arrived, clock, courier, pacer)
    async with arrived.writing(ALICE) as rows:
        await rows.notices.add_answer(ALICE, 7, Cancelled(something=True), clock.now(), US, behind=clock.now())
    await outbox.work()
    await pacer.asked.wait()
    clock.advance(SECOND)
    async with arrived.writing(ALICE) as rows:
        behind = await rows.notices.behind(ALICE, US, clock.now())
        answer = await rows.notices.add_answer(ALICE, 8, Cancelled(something=True), clock.now(), US, behind=behind)
    assert answer is None, "sent from memory, it would overtake the other one"
    pacer.turns.set()
    await outbox.finish()
    await work(outbox)
    assert [notice.subject_id for notice in courier.notices] == [7, 8]


class Answer:
    """An answer to Alice that is sent from memory, unless something goes wrong; it keeps what becomes of it."""

    def __init__(self, update_id: int, *outcomes: Exception) -> None:
        self._update_id = update_id
        self._outcomes = list(outcomes)
        self.sent = 0
        self.noted = 0
        self.late = 0
        self.put_off = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def ready(self, store: Store, clock: HandClock) -> Ready:
        """Add it to the database, claimed by this process."""
        async with store.writing(ALICE) as rows:
            result = Cancelled(something=True)
            notice = await rows.notices.add_answer(ALICE, self._update_id, result, clock.now(), US, behind=None)
        return Ready(notice, self._send, self._wait)

    async def _send(self) -> Afterwards:
        await self.gate.wait()
        if self._outcomes:
            raise self._outcomes.pop(0)
        self.sent += 1
        return self._note

    async def _note(self, _rows: Rows) -> None:
        self.noted += 1

    async def _wait(self) -> None:
        self.late += 1
        self.put_off.set()


async def test_answer_is_sent_from_memory_and_settled(
    arrived: Store, clock: HandClock, courier: RecordingCourier, pacer: Pacer
) -> None:
    told = list[datetime]()
    outbox = _outbox(arrived, clock, courier, pacer, told.append)
    answers, seconds = sum(ANSWER_SECONDS.counts), ANSWER_SECONDS.sum
    for number in (1, 2):
        answer, due_at = Answer(number), clock.now() + number * SECOND
        answer.gate.clear()
        outbox.hand_on(await answer.ready(arrived, clock), due_at, asyncio.get_running_loop().time())
        going = outbox.answering(ALICE)
        assert going
        assert outbox.answering(BOB) is None
        assert outbox.sending == 1
        await asyncio.sleep(0.01)
        assert not going.done()
        answer.gate.set()
        await asyncio.wait_for(going, 20)
        await outbox.finish()
        assert outbox.answering(ALICE) is None
        assert outbox.sending == 0
        assert (answer.sent, answer.noted, answer.late) == (1, 1, 0)
        assert told[-1] == due_at
        assert await outbox.looked() == number, "each try counts for the watchdog"
        assert not outbox._unsettled, "nothing is kept about it"
    assert await rows_of(arrived) == []
    assert not courier.tried
    assert sum(ANSWER_SECONDS.counts) - answers == 2
    assert 0.02 <= ANSWER_SECONDS.sum - seconds < 20


@pytest.mark.parametrize("outcomes", [(), (Refused(),)], ids=["sent", "refused"])
async def test_update_is_forgotten_once_it_is_answered(
    arrived: Store, clock: HandClock, courier: RecordingCourier, pacer: Pacer, outcomes: tuple[Exception, ...]
) -> None:
    outbox, answer = _outbox(arrived, clock, courier, pacer), Answer(7, *outcomes)
    async with arrived.writing() as rows:
        await rows.inbox.add([Received(7, ALICE, {"text": "The dog waited."})], US, clock.now())
    outbox.hand_on(await answer.ready(arrived, clock), None)
    await outbox.finish()
    async with arrived.reading() as rows:
        kept = await rows.inbox.find(7)
    assert kept
    assert kept.raw is None
    assert await rows_of(arrived) == []


@pytest.mark.parametrize(
    "outcome", [RateLimited(5 * SECOND), NotSent(), Unclear(), Unreachable(), ZeroDivisionError()], ids=repr
)
async def test_later_answers_wait_behind_one_that_has_to_wait(
    arrived: Store, clock: HandClock, courier: RecordingCourier, pacer: Pacer, outcome: Exception
) -> None:
    outbox = _outbox(arrived, clock, courier, pacer)
    answers = [Answer(7, outcome), Answer(8)]
    answers[0].gate.clear()
    for answer in answers:
        outbox.hand_on(await answer.ready(arrived, clock), None)
        clock.advance(timedelta(milliseconds=1))
    answers[0].gate.set()
    going = outbox.answering(ALICE)
    assert going
    await outbox.finish()
    assert going.done()
    assert outbox.answering(ALICE) is None
    assert outbox.sending == 0
    assert [(answer.sent, answer.late) for answer in answers] == [(0, 1), (0, 1)]
    assert not outbox._released, "nothing is kept about them"
    await work(outbox)
    assert not courier.tried
    clock.advance(BEFORE_THE_LAST)
    for _ in answers:  # the later one can be claimed once the earlier one is settled
        await work(outbox)
    assert [notice.subject_id for notice in courier.notices] == [7, 8]
    assert await rows_of(arrived) == []


async def test_answer_that_waits_as_a_row_is_looked_for(
    arrived: Store, clock: HandClock, courier: RecordingCourier, pacer: Pacer
) -> None:
    bell, answer = asyncio.Event(), Answer(7)
    outbox = Outbox(arrived, clock, courier, pacer, Asks(make_library()), Profile(), owner=US, bell=bell)
    ready = await answer.ready(arrived, clock)
    outbox.hand_on(ready._replace(notice=None), None)
    assert bell.is_set()
    await outbox.finish()
    assert (answer.sent, answer.late) == (0, 1)
    assert outbox.answering(ALICE) is None
    outbox.hand_on(None, None)


async def test_answer_that_fails_comes_from_its_row(
    arrived: Store, clock: HandClock, courier: RecordingCourier, pacer: Pacer
) -> None:
    outbox, answer = _outbox(arrived, clock, courier, pacer), Answer(7, ConnectionError())
    outbox.hand_on(await answer.ready(arrived, clock), None)
    await outbox.finish()
    assert outbox.answering(ALICE) is None
    assert outbox.sending == 0
    assert (answer.sent, answer.late) == (0, 1)
    clock.advance(LEASE)
    await work(outbox)
    assert [notice.subject_id for notice in courier.notices] == [7]


async def test_sent_answer_is_settled_when_the_database_is_back(
    arrived: Store, clock: HandClock, courier: RecordingCourier, pacer: Pacer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.delivery.outbox._LOOK_AGAIN_AFTER", timedelta(milliseconds=1))
    answers_said, failures = Notices.answers_said, [ConnectionError(), ConnectionError()]

    async def fails_twice(self: Notices, ids: Sequence[int]) -> None:
        if failures:
            raise failures.pop()
        await answers_said(self, ids)

    monkeypatch.setattr(Notices, "answers_said", fails_twice)
    outbox, answers = _outbox(arrived, clock, courier, pacer), [Answer(7), Answer(8)]
    for answer in answers:
        outbox.hand_on(await answer.ready(arrived, clock), None)
    await asyncio.wait_for(outbox.finish(), 20)
    assert [(answer.sent, answer.noted, answer.late) for answer in answers] == [(1, 1, 0), (1, 1, 0)]
    assert not failures
    assert await rows_of(arrived) == []


async def test_sent_answer_that_is_not_settled_yet_is_not_given_back(
    arrived: Store, clock: HandClock, courier: RecordingCourier, pacer: Pacer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a later one that has to wait: another process would send it a second time."""
    monkeypatch.setattr("bot.delivery.outbox._LOOK_AGAIN_AFTER", timedelta(milliseconds=1))
    outbox, sent, waits = _outbox(arrived, clock, courier, pacer), Answer(7), Answer(8, RateLimited(5 * SECOND))
    failed = asyncio.Event()

    async def fails(_self: Notices, _ids: Sequence[int]) -> None:
        failed.set()
        raise ConnectionError

    with monkeypatch.context() as patched:
        patched.setattr(Notices, "answers_said", fails)
        outbox.hand_on(await sent.ready(arrived, clock), None)
        await asyncio.wait_for(failed.wait(), 20)
        outbox.hand_on(await waits.ready(arrived, clock), None)
        await asyncio.wait_for(waits.put_off.wait(), 20)
        assert await state(arrived) == ["sending", "waiting"]
    await outbox.finish()
    assert [(row.subject_id, row.state) for row in await rows_of(arrived)] == [(8, "waiting")]
    assert (sent.sent, sent.late) == (1, 0)


async def test_answer_waits_for_what_is_on_its_way_to_the_same_user(
    arrived: Store, clock: HandClock, courier: RecordingCourier, pacer: Pacer
) -> None:
    outbox, answer = _outbox(arrived, clock, courier, pacer), Answer(7)
    await add(arrived, clock, [ALICE])
    courier.gate.clear()
    await outbox.work()
    assert await asyncio.wait_for(courier.began.get(), 20) == ALICE
    outbox.hand_on(await answer.ready(arrived, clock), None)
    await asyncio.sleep(0.02)
    sent = [answer.sent]
    courier.gate.set()
    await outbox.finish()
    assert [*sent, answer.sent] == [0, 1]


async def test_what_is_still_being_sent_is_not_claimed_again(
    outbox: Outbox, store: Store, clock: HandClock, courier: RecordingCourier
) -> None:
    await add(store, clock, [ALICE])
    courier.gate.clear()
    await outbox.work()
    assert await asyncio.wait_for(courier.began.get(), 20) == ALICE
    clock.advance(LEASE + SECOND)
    await outbox.work()
    await add(store, clock, [BOB], NoticeKind.REMINDER)
    await outbox.work()
    assert await asyncio.wait_for(courier.began.get(), 20) == BOB
    courier.gate.set()
    await outbox.finish()
    assert len(courier.tries(ALICE)) == 1


async def test_what_a_message_plans_is_told(
    arrived: Store, clock: HandClock, courier: RecordingCourier, pacer: Pacer
) -> None:
    told, at = list[datetime](), clock.now() + 90 * SECOND

    async def plan(rows: Rows) -> None:
        await rows.notices.add([(ALICE, NoticeKind.REMINDER, 1, at)], clock.now())

    outbox = _outbox(arrived, clock, courier, pacer, told.append)
    await add(arrived, clock, [ALICE])
    courier.outcomes[ALICE] = [plan]
    await work(outbox)
    assert at in told


@pytest.mark.parametrize(("kind", "rings"), [(NoticeKind.ANSWER, True), (NoticeKind.ASK, False)])
async def test_answer_from_its_row_lets_the_next_one_go(
    arrived: Store, clock: HandClock, courier: RecordingCourier, pacer: Pacer, kind: NoticeKind, rings: bool
) -> None:
    bell = asyncio.Event()
    outbox = Outbox(arrived, clock, courier, pacer, Asks(make_library()), Profile(), owner=US, bell=bell)
    await add(arrived, clock, [ALICE], kind)
    await work(outbox)
    assert bell.is_set() is rings


@pytest.mark.parametrize("alone", [True, False])
async def test_old_claim_is_given_back_beside_other_processes(
    arrived: Store,
    clock: HandClock,
    courier: RecordingCourier,
    pacer: Pacer,
    monkeypatch: pytest.MonkeyPatch,
    alone: bool,
) -> None:
    """One of them may be about to take it over."""
    monkeypatch.setattr("bot.delivery.outbox._STALE", -1)
    outbox, answer = _outbox(arrived, clock, courier, pacer, alone=alone), Answer(7)
    outbox.hand_on(await answer.ready(arrived, clock), None)
    await outbox.finish()
    assert (answer.sent, answer.late) == ((1, 0) if alone else (0, 1))


@pytest.mark.parametrize(
    ("alone", "rate", "claimed"), [(True, 5, 32), (False, 5, 5), (False, 0.5, 1), (False, 1000, 32)]
)
async def test_no_more_is_claimed_than_can_be_sent_soon_beside_other_processes(
    arrived: Store,
    clock: HandClock,
    courier: RecordingCourier,
    monkeypatch: pytest.MonkeyPatch,
    alone: bool,
    rate: float,
    claimed: int,
) -> None:
    claim, limits = Notices.claim, list[int]()

    async def counted(self: Notices, now: datetime, limit: int, *args: Any, **kwargs: Any) -> list[Notice]:
        limits.append(limit)
        return await claim(self, now, limit, *args, **kwargs)

    monkeypatch.setattr(Notices, "claim", counted)
    await add(arrived, clock, [ALICE])
    await work(_outbox(arrived, clock, courier, Pacer(rate=rate), alone=alone))
    assert limits[0] == claimed
    assert courier.tries(ALICE)


@pytest.mark.parametrize("alone", [True, False])
async def test_settled_answer_lets_others_look_beside_other_processes(
    arrived: Store, clock: HandClock, courier: RecordingCourier, pacer: Pacer, alone: bool
) -> None:
    """An answer that another process has added may have waited for it."""
    asks, profile, bell = Asks(make_library()), Profile(), asyncio.Event()
    outbox = Outbox(arrived, clock, courier, pacer, asks, profile, owner=US, alone=alone, bell=bell)
    outbox.hand_on(await Answer(7).ready(arrived, clock), None)
    await outbox.finish()
    assert bell.is_set() is not alone


async def test_ritual_moment_ignores_rate_limits(
    outbox: Outbox, store: Store, clock: HandClock, courier: RecordingCourier, pacer: Pacer
) -> None:
    """It belongs to the user of one of the two; that Telegram limits that chat must not delay it for both."""
    pacer.back_off(ALICE, 300 * SECOND)
    async with store.writing() as rows:
        for kind in (NoticeKind.RITUAL_MOMENT, NoticeKind.RITUAL_MORNING):
            await rows.notices.add([(ALICE, kind, 1, clock.now())], clock.now())
    await work(outbox)
    assert [notice.kind for notice in courier.notices] == [NoticeKind.RITUAL_MOMENT]


async def test_ritual_moment_comes_beside_other_processes(
    arrived: Store, clock: HandClock, courier: RecordingCourier, pacer: Pacer
) -> None:
    await add(arrived, clock, [ALICE], NoticeKind.RITUAL_MOMENT)
    await work(_outbox(arrived, clock, courier, pacer, alone=False))
    assert await state(arrived) == ["sent"]


async def test_ritual_moment_ignores_a_slow_call(
    outbox: Outbox, store: Store, clock: HandClock, courier: RecordingCourier
) -> None:
    """Otherwise a slow call to one of the two would delay the Ritual's moment for the other."""
    async with store.writing() as rows:
        await rows.notices.add([(ALICE, NoticeKind.ASK, 1, clock.now())], clock.now())
        await rows.notices.add([(ALICE, NoticeKind.RITUAL_MOMENT, 1, clock.now())], clock.now())
    courier.gate.clear()
    working = asyncio.create_task(work(outbox))
    async with asyncio.timeout(10):
        await courier.began.get()
        await courier.began.get()
    assert {notice.kind for notice in courier.notices} == {NoticeKind.ASK, NoticeKind.RITUAL_MOMENT}
    courier.gate.set()
    await working


@pytest.mark.parametrize("seconds", [90, 0.3, 0.001])
async def test_outbox_reports_the_next_due_time(
    arrived: Store, clock: HandClock, courier: RecordingCourier, pacer: Pacer, seconds: float
) -> None:
    """To the instant: a look that something else caused shortly before must not delay it."""
    told: list[datetime] = []
    outbox = _outbox(arrived, clock, courier, pacer, told.append)
    due_at = clock.now() + seconds * SECOND
    async with arrived.writing() as rows:
        await rows.notices.add([(ALICE, NoticeKind.ASK, 5, due_at)], clock.now())
    await work(outbox)
    assert told == [due_at]


async def test_outbox_runs_when_rung_until_stopped(
    outbox: Outbox, store: Store, clock: HandClock, courier: RecordingCourier
) -> None:
    courier.gate.clear()
    running = asyncio.create_task(outbox.run())
    await add(store, clock, [ALICE])
    outbox.ring()
    await asyncio.wait_for(courier.began.get(), 20)
    outbox.stop()
    await asyncio.sleep(0.05)
    assert not running.done(), "one is still on its way"
    courier.gate.set()
    await asyncio.wait_for(running, 20)
    assert await state(store) == ["sent"]


async def test_outbox_survives_a_failing_database(
    outbox: Outbox, store: Store, clock: HandClock, courier: RecordingCourier, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add(store, clock, [ALICE])
    failed = asyncio.Event()
    plan_due = outbox._asks.plan_due

    async def fails_once(*args: Any) -> Any:
        if failed.is_set():
            return await plan_due(*args)
        failed.set()
        raise ConnectionError

    monkeypatch.setattr(outbox._asks, "plan_due", fails_once)
    running = asyncio.create_task(outbox.run())
    outbox.ring()
    await asyncio.wait_for(failed.wait(), 20)
    outbox.ring()
    await asyncio.wait_for(courier.began.get(), 20)
    outbox.stop()
    await asyncio.wait_for(running, 20)
    assert len(courier.tried) == 1
    assert await state(store) == ["sent"]


class _Moment(RecordingCourier):
    """Alice's Notice is no message but sends one to Bob, as the Ritual's moment does."""

    async def deliver(self, notice: Notice) -> Delivered | Afterwards:
        if notice.user_id != ALICE:
            return await super().deliver(notice)
        async with self._store.writing(ALICE) as rows:
            await rows.notices.add([(BOB, NoticeKind.REFLECTION, 1, self._clock.now())], self._clock.now())
        return Delivered.NEEDLESS


async def test_chained_notice_goes_at_once(store: Store, clock: HandClock, pacer: Pacer) -> None:
    courier = _Moment(store, clock)
    async with store.writing() as rows:
        for user_id in (ALICE, BOB):
            await rows.users.add(user_id, "en", clock.now())
    await add(store, clock, [ALICE])
    outbox = Outbox(store, clock, courier, pacer, Asks(make_library()), Profile(), owner=US)
    running = asyncio.create_task(outbox.run())
    outbox.ring()
    async with asyncio.timeout(5):
        assert await courier.began.get() == BOB
    outbox.stop()
    await running


async def test_clock_set_back_delays_no_answer(
    arrived: Store, clock: HandClock, courier: RecordingCourier, pacer: Pacer
) -> None:
    jumped = asyncio.Event()
    outbox = Outbox(arrived, clock, courier, pacer, Asks(make_library()), Profile(), owner=US, clock_jumped=jumped)
    await add(arrived, clock, [ALICE], NoticeKind.ANSWER)
    await add(arrived, clock, [BOB], NoticeKind.RESPONSE)
    clock.set(clock.now() - timedelta(days=1))
    await work(outbox)
    assert not courier.tried
    jumped.set()
    await work(outbox)
    assert [user_id for user_id, _ in courier.tried] == [ALICE]


async def test_watchdog_sees_a_sender_that_hangs(
    outbox: Outbox, store: Store, clock: HandClock, courier: RecordingCourier
) -> None:
    assert await outbox.tried() is None, "nothing is due"
    courier.gate.clear()
    await add(store, clock, [ALICE])
    working = asyncio.create_task(work(outbox))
    await asyncio.wait_for(courier.began.get(), 20)
    assert await outbox.tried() is None, "it is being sent"
    clock.advance(LEASE)
    assert await outbox.tried() == await outbox.tried() == 0, "nothing comes of it"
    courier.gate.set()
    await working
    await add(store, clock, [BOB])
    assert await outbox.tried() == 1
    await work(outbox)
    await add(store, clock, [CHARLIE])
    assert await outbox.tried() == 2


async def test_watchdog_ignores_a_rate_limited_outbox(
    outbox: Outbox, store: Store, clock: HandClock, pacer: Pacer
) -> None:
    await add(store, clock, [ALICE])
    assert await outbox.tried() == 0
    pacer.back_off(BOB, timedelta(minutes=10))
    assert await outbox.tried() is None
    clock.advance(timedelta(minutes=10))
    assert await outbox.tried() == 0


async def test_watchdog_sees_each_look(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = asyncio.Event()

    async def fails() -> None:
        failed.set()
        raise ConnectionError

    monkeypatch.setattr(outbox, "work", fails)
    running = asyncio.create_task(outbox.run())
    assert await outbox.looked() == 0
    outbox.ring()
    await asyncio.wait_for(failed.wait(), 20)
    assert await outbox.looked() == 1, "one that fails is a look, too"
    failed.clear()
    outbox.ring()
    await asyncio.wait_for(failed.wait(), 20)
    assert await outbox.looked() == 2
    outbox.stop()
    assert await outbox.looked() is None
    await asyncio.wait_for(running, 20)
