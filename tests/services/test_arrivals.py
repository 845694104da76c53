"""Moving house: what is exported in one bot and taken in by another is there as it was, once its owner says yes."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from sqlalchemy import Engine, event, select
from structlog.testing import capture_logs

from bot.clock import HandClock
from bot.crypto import KeyRing, is_hidden
from bot.domain.expectations import Reception
from bot.domain.feelings import Feeling
from bot.domain.model import (
    Ask,
    AskState,
    Draft,
    DraftReason,
    Line,
    Rhythm,
    SkippedSpan,
    SkipReason,
)
from bot.domain.notices import Notice, NoticeKind
from bot.domain.pairing import NAME_LIMIT
from bot.domain.results import Asked, HourWanted, Outdated, Result
from bot.domain.results.arrivals import ArrivalOffered, ArrivalTaken, ArrivalUnderWay
from bot.domain.results.pause import Paused
from bot.domain.sharing import FollowUp, Reflection, ResponseKind
from bot.export_document import Document, Part, Question, ShownQuestion, WrongDocument, parse
from bot.services.arrivals import ARRIVALS_KEPT, Arrivals, TakingIn, checked, put
from bot.services.asks import Asks
from bot.services.pairing import Pairing
from bot.services.start import Start, next_step
from bot.services.visit import Visit
from bot.storage.ids import timeless_id
from bot.storage.notices import Settled
from bot.storage.schema import asks, lines, responses, rests, shown_prompts
from bot.storage.store import Rows, Store
from tests.databases import SqliteTemplate
from tests.services.conftest import LIBRARY
from tests.services.test_exporting import OF_BOB, both_live, exported
from tests.services.test_sharing import ALICE, BOB, Home, home  # noqa: F401  # the fixture

MOVED = {"made_at", "consent", "drafts"}
"""What another bot has of its own, or doesn't take in."""


class NewHouse:
    """Another bot, with another database and another master key."""

    def __init__(self, store: Store, old: Home) -> None:
        self.store = store
        self.old = old
        self.start = Start(Asks(LIBRARY), Pairing())
        self.arrivals = Arrivals(self.start)
        self.taking_in = TakingIn(store, HandClock(old.now))

    async def agrees(self, user_id: int) -> Result:
        async with self.store.writing(user_id) as rows:
            user = await rows.users.find(user_id)
            return await self.start.consent(rows, user, user_id, "en", self.old.now)

    async def do(self, user_id: int, step: Any) -> Result:
        async with self.store.writing(user_id) as rows:
            user = await rows.users.find(user_id)
            assert user
            result: Result = await step(Visit(rows, user, self.old.now))
            return result

    async def takes_in(self, user_id: int) -> Result | None:
        """Say yes to the arrival, and return what the bot says once the outbox has imported it."""
        assert await self.do(user_id, self.arrivals.take_in) == ArrivalUnderWay()
        await self.taking_in.run(await self.next_notice(NoticeKind.TAKE_IN))
        said = await self.next_notice(NoticeKind.TAKEN_IN)
        result = await self.do(user_id, lambda visit: self.arrivals.tell(visit, said))
        async with self.store.writing() as rows:
            await rows.notices.settle(said, Settled.SENT, self.old.now)
        return result

    async def next_notice(self, kind: NoticeKind) -> Notice:
        async with self.store.writing() as rows:
            (notice,) = [each for each in await rows.notices.claim(self.old.now, 9, 1) if each.kind is kind]
        return notice

    async def brings(self, documents: list[Document]) -> None:
        await put(self.store, [document.model_dump_json().encode() for document in documents], self.old.now)


@pytest.fixture
async def new(sqlite_template: SqliteTemplate, tmp_path: Path, home: Home) -> AsyncIterator[NewHouse]:  # noqa: F811
    (tmp_path / "new").mkdir()
    store = Store.at(sqlite_template.copy(tmp_path / "new"), KeyRing.new())
    yield NewHouse(store, home)
    await store.close()


async def lives(home: Home) -> None:  # noqa: F811
    """Alice has something of every kind, and so has Bob."""
    opened = await both_live(home)
    today = home.now.date()
    async with home.store.writing(ALICE) as rows:
        user = await rows.users.find(ALICE)
        assert user
        line = Line(timeless_id(), ALICE, today - timedelta(days=9), None, 1)
        await rows.lines.keep(line, "Older.", prompt_id="work.a", now=home.now - timedelta(days=9))
        await rows.lines.set_feelings(line, [Feeling(own="hollow"), Feeling(shelf="heavy")])
        asks = [
            Ask(
                timeless_id(),
                ALICE,
                today - timedelta(days=ago),
                state,
                home.now - timedelta(days=ago),
                prompt_id="work.b",
            )
            for ago, state in ((9, AskState.ANSWERED), (1, AskState.MISSED), (0, AskState.OPEN))
        ]
        await rows.asks.add(asks)
        answer = Line(timeless_id(), ALICE, today, asks[0].id, 2, prompt_id="work.b")
        await rows.lines.keep(answer, "An answer.", prompt_id="work.b", now=home.now)
        await rows.asks.set_prompt(asks[2], "work.c", home.now, callback_line_id=line.id)
        await rows.skipped.add(
            [(ALICE, SkippedSpan(SkipReason.OFF, today - timedelta(days=8), today - timedelta(days=2)))]
        )
        await rows.expectations.expect(ALICE, opened, Reception.ADVICE)
        await rows.expectations.note(ALICE, opened, Reception.FINE)
        await rows.questions.keep(ALICE, 5, ResponseKind.HARDEST, home.now)
        await rows.drafts.set_aside(Draft(0, ALICE, DraftReason.SECOND, "Not decided.", 8), home.now)
        await rows.users.change(
            user, last_day=today, rhythm=Rhythm.DAILY, days=frozenset({0, 3}), discreet=True, ceiling=4,
            muted_themes=frozenset({"money"}), muted_sensitivities=frozenset({"loss"}), callbacks=True, comfortable=3,
        )  # fmt: skip


async def lives_fully(home: Home) -> None:  # noqa: F811
    """The two have something in each field of an export."""
    await lives(home)
    today = home.now.date()
    shared, pair_id = await home.shares(), await home.pair()
    async with home.store.writing(ALICE) as rows:
        alice, bob = await rows.users.find(ALICE), await rows.users.find(BOB)
        (response_id,) = await rows._connection.scalars(select(responses.c.id))
        response = await rows.responses.theirs(ALICE, response_id)
        reflection = await rows.reflections.mine(ALICE, shared)
        assert alice
        assert bob
        assert response
        assert reflection
        assert await rows.responses.landed(response, well=True)
        follow_up = FollowUp(timeless_id(), response_id, ALICE)
        await rows.follow_ups.add(follow_up, BOB, "The way home.")
        assert await rows.follow_ups.say_yes(follow_up, home.now)
        assert await rows.reflections.set_question(reflection, "work.b")
        await rows.reflections.propose(reflection, "In other words.", 7)
        noticed = Line(timeless_id(), ALICE, today, None, 90, noticed=True)
        await rows.lines.keep(noticed, "You filled the tank.", prompt_id=None, now=home.now)
        await rows.lines.change(noticed, "You filled my tank.", home.now + timedelta(hours=1))
        ritual = Reflection(timeless_id(), ALICE, BOB, pair_id, line_id=noticed.id, ritual=True)
        await rows.reflections.draft(ritual, "You filled my tank.", home.now)
        (line, *_) = await rows.lines.page(ALICE, None, 1)
        put_off = Ask(
            timeless_id(), ALICE, today - timedelta(days=10), AskState.SNOOZED, home.now, callback_line_id=line.id,
            snoozed_until=home.now + timedelta(hours=1),
        )  # fmt: skip
        await rows.asks.add([put_off])
        await rows.asks.set_prompt(put_off, None, home.now, callback_line_id=line.id)
        await rows.users.change(
            alice, quiet_from=time(22), language_chosen=True, telegram_language="en-GB", soft_reminder=True,
            silent=True, partnered=True, weekly_recap=True, offered_depth=4, refused_depth=5, hour_offered=True,
        )  # fmt: skip
        await rows.users.change(
            bob, receives_only=True, unanswered=2, paused_at=home.now, paused_until=today + timedelta(days=9)
        )


async def test_export_import_export_is_the_same(home: Home, new: NewHouse) -> None:  # noqa: F811
    """In several files, too, and with something in each field."""
    await lives_fully(home)
    filled: set[str] = set()
    for user_id in (ALICE, BOB):
        before = await exported(home, user_id, part_bytes=1500)
        filled |= {name for document in before for name in fields_in(document)}
        await new.brings(before)
        assert await new.agrees(user_id) == ArrivalOffered()
        assert isinstance(await new.takes_in(user_id), ArrivalTaken | Paused)
        after = await exported(home_of(new), user_id, part_bytes=1500)
        assert whole(after) == whole(before)
    assert OF_BOB in str(whole(await exported(home_of(new), BOB)))
    assert fields_of(Document) - filled == {"Question.text"}, "the library of tests has none in this place"


def fields_of(part: type[BaseModel]) -> set[str]:
    """Return the name of every field in an export."""
    return {f"{each.__name__}.{name}" for each in (part, *Part.__subclasses__()) for name in each.model_fields}


def fields_in(part: BaseModel) -> Iterator[str]:
    """Yield the name of every field that says something here."""
    for name in type(part).model_fields:
        value = getattr(part, name)
        if value:
            yield f"{type(part).__name__}.{name}"
        for each in value if isinstance(value, list) else [value]:
            yield from fields_in(each) if isinstance(each, BaseModel) else ()


def home_of(new: NewHouse) -> Any:
    """The new house, as far as an export looks at it."""
    return type("_", (), {"store": new.store, "now": new.old.now})


def whole(documents: list[Document]) -> dict[str, Any]:
    """All files of an export as one, without what doesn't move."""
    found: dict[str, Any] = {}
    for document in documents:
        for name, value in document.model_dump(exclude=MOVED | {"part", "last"}).items():
            found[name] = found[name] + value if name in found and isinstance(value, list) else found.get(name, value)
    return found


async def test_imported_life_goes_on(home: Home, new: NewHouse) -> None:  # noqa: F811
    await lives(home)
    await new.brings(await exported(home, ALICE))
    await new.agrees(ALICE)
    taken = await new.takes_in(ALICE)
    assert isinstance(taken, ArrivalTaken)
    async with new.store.writing(ALICE) as rows:
        user = await rows.users.find(ALICE)
        assert user
        assert (user.zone, user.ceiling, user.discreet, user.days) == ("Europe/London", 4, True, frozenset({0, 3}))
        assert user.next_ask_at == taken.first_at
        assert taken.first_at > home.now
        assert user.consented_at == home.now, "to this bot"
        assert await rows.reflections.shared_by(ALICE, 0, home.now - timedelta(days=99), 9) == []
        assert await rows.pairs.active(ALICE) is None
        await rows.lines.keep(
            Line(timeless_id(), ALICE, date(2026, 11, 23), None, 2), "New.", prompt_id=None, now=home.now
        )
        (newest, *_) = await rows.lines.page(ALICE, None, 9)
        assert await rows.lines.words(newest) == "New."
    assert await new.do(ALICE, new.arrivals.take_in) == Outdated(), "there is nothing more to take in"


async def test_import_waits_for_a_yes(home: Home, new: NewHouse) -> None:  # noqa: F811
    await lives(home)
    await new.brings(await exported(home, ALICE))
    assert isinstance(await new.agrees(BOB), Asked), "it isn't Bob's"
    assert await new.agrees(ALICE) == ArrivalOffered()
    async with new.store.reading() as rows:
        user = await rows.users.find(ALICE)
        assert await next_step(rows, user, home.now) == ArrivalOffered(), "until she has decided"
        assert await rows.lines.page(ALICE, None, 9) == []
    assert isinstance(await new.do(ALICE, new.arrivals.leave), Asked)
    async with new.store.reading() as rows:
        assert not await rows.arrivals.waits(ALICE)
    assert await new.do(ALICE, new.arrivals.leave) == Outdated()


async def test_what_nobody_takes_in_is_removed(home: Home, new: NewHouse) -> None:  # noqa: F811
    await new.brings(await exported(home, ALICE))
    async with new.store.writing() as rows:
        await rows.arrivals.drop_before(home.now + timedelta(seconds=1) - ARRIVALS_KEPT)
        assert await rows.arrivals.waits(ALICE)
        await rows.arrivals.drop_before(home.now + timedelta(seconds=1))
        assert not await rows.arrivals.waits(ALICE)
    assert isinstance(await new.agrees(ALICE), Asked)


async def test_existing_user_keeps_their_data(home: Home, new: NewHouse) -> None:  # noqa: F811
    await new.agrees(ALICE)
    with pytest.raises(WrongDocument, match="already uses this bot"):
        await new.brings(await exported(home, ALICE))


async def test_unfinished_start_is_brought_along(home: Home, new: NewHouse) -> None:  # noqa: F811
    async with home.store.writing(ALICE) as rows:
        user = await rows.users.find(ALICE)
        assert user
        await rows.users.change(user, ask_at=None)
    await new.brings(await exported(home, ALICE))
    await new.agrees(ALICE)
    assert isinstance(await new.takes_in(ALICE), HourWanted)


async def test_incomplete_export_is_refused(home: Home) -> None:  # noqa: F811
    await lives(home)
    files = [document.model_dump_json().encode() for document in await exported(home, ALICE, part_bytes=700)]
    assert len(files) > 2
    assert len(checked(files[::-1])) == len(files), "in any order"
    without_profile = parse(files[0]).model_copy(update={"profile": None}).model_dump_json().encode()
    of_bob = [document.model_dump_json().encode() for document in await exported(home, BOB)]
    for wrong, reason in (
        (files[1:], "a part is missing"),
        (files[:-1], "the last part is missing"),
        ([*files, files[0]], "there twice"),
        ([*files, *of_bob], "not of one export"),
        ([files[0].replace(b"Europe/London", b"Europe/Nowhere"), *files[1:]], "profile.zone"),
        ([without_profile, *files[1:]], "profile: it is missing"),
        ([files[0].replace(b'"days":[1,4]', b'"days":[]'), *files[1:]], "profile.days"),
        ([each.replace(b'"Older."', b'"' + 301 * b"x" + b'"') for each in files], "lines.words"),
        ([each.replace(b'"hollow"', b'"' + 31 * b"x" + b'"') for each in files], "lines.feelings"),
        ([each.replace(b'"reason":"off"', b'"reason":"tired"') for each in files], "skipped_dates.reason"),
    ):
        with pytest.raises(WrongDocument, match=reason):
            checked(wrong)


async def test_imported_name_is_cleaned(home: Home, new: NewHouse) -> None:  # noqa: F811
    """The partner would see it: a file can be edited before it is handed in."""
    (document,) = await exported(home, ALICE)
    assert document.profile
    profile = document.profile.model_copy(update={"name": "Ali\u202ece\n" + 4000 * "x"})
    await new.brings([document.model_copy(update={"profile": profile})])
    await new.agrees(ALICE)
    await new.takes_in(ALICE)
    async with new.store.reading() as rows:
        name = await rows.users.name(ALICE)
    assert name
    assert (name[:7], len(name)) == ("Alice x", NAME_LIMIT)


async def test_imported_questions_are_hidden(
    home: Home,  # noqa: F811
    new: NewHouse,
) -> None:
    """A text that is stored plain first and hidden later can still be found in the database's files."""

    await lives(home)
    await new.brings(await exported(home, ALICE))
    await new.agrees(ALICE)
    await new.takes_in(ALICE)
    async with new.store.reading() as rows:
        for table in (asks, lines, shown_prompts):
            found = await rows._connection.scalars(select(table.c.prompt_id).where(table.c.prompt_id.is_not(None)))
            stored = found.all()
            assert stored
            assert all(is_hidden(each) for each in stored)


async def test_failed_import_is_offered_again(home: Home, new: NewHouse) -> None:  # noqa: F811
    """After a defect halfway through, nothing of the import stays, and its owner hears of it."""
    await lives(home)
    (document,) = await exported(home, ALICE)
    twice = document.model_copy(update={"shown_questions": document.shown_questions[:1] * 2})
    await lies(new, twice)
    await new.agrees(ALICE)
    with capture_logs() as logged:
        assert await new.takes_in(ALICE) == ArrivalOffered(failed=True)
    assert [each["event"] for each in logged] == ["incident"]
    async with new.store.reading() as rows:
        assert await rows.lines.page(ALICE, None, 9) == []
        assert await rows.asks.latest(ALICE) is None
    await lies(new, document)
    assert isinstance(await new.takes_in(ALICE), ArrivalTaken), "and it can be tried once more"


async def lies(new: NewHouse, document: Document) -> None:
    """Let a document wait for Alice, checked or not."""
    async with new.store.writing() as rows:
        content = document.model_dump_json().encode()
        await rows.arrivals.put(await rows.arrivals.seal(ALICE, content), new.old.now)


@pytest.mark.parametrize("withdrawn", [True, False])
async def test_import_stops_when_the_owner_withdraws(
    home: Home,  # noqa: F811
    new: NewHouse,
    *,
    withdrawn: bool,
) -> None:
    """They withdraw their consent, or erase everything, while it is being taken in."""
    await lives(home)
    await new.brings(await exported(home, ALICE))
    await new.agrees(ALICE)
    await new.do(ALICE, new.arrivals.take_in)
    notice = await new.next_notice(NoticeKind.TAKE_IN)

    class ChangesMind(Store):
        written = 0

        @asynccontextmanager
        async def writing(self, *user_ids: int, wait: bool = True) -> AsyncIterator[Rows]:
            self.written += 1
            if self.written == 3:
                async with super().writing(*user_ids, wait=wait) as rows:
                    assert await rows.asks.latest(ALICE), "something is there by now"
                    user = await rows.users.find(ALICE)
                    assert user
                    if withdrawn:
                        await rows.users.change(user, consented_at=None)
                    else:
                        await rows.users.erase(ALICE)
            async with super().writing(*user_ids, wait=wait) as rows:
                yield rows

    new.store.__class__ = ChangesMind
    await new.taking_in.run(notice)
    async with new.store.reading() as rows:
        for table in (asks, lines, rests, shown_prompts):
            assert (await rows._connection.scalars(select(table.c.user_id))).all() == []
        assert bool(await rows.users.find(ALICE)) is withdrawn


async def test_import_holds_the_loop_briefly(home: Home, new: NewHouse) -> None:  # noqa: F811
    """The values of a statement are prepared on the event loop, so it writes few rows, whatever a transaction has."""
    sizes: list[int] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, _context: Any, many: bool) -> None:
        if many and statement.startswith("INSERT"):
            sizes.append(len(values))

    await lives(home)
    (document,) = await exported(home, ALICE)
    shown = [ShownQuestion(question=Question(id=each), shown_at=home.now) for each in list(LIBRARY.prompts)[:120]]
    await new.brings([document.model_copy(update={"shown_questions": shown})])
    await new.agrees(ALICE)
    event.listen(Engine, "before_cursor_execute", note)
    try:
        assert isinstance(await new.takes_in(ALICE), ArrivalTaken)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert sizes.count(25) >= 4
    assert max(sizes) == 25
