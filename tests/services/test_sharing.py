"""Sharing and receiving on both databases: races, double taps, and facts that must not be revealed."""

import asyncio
import re
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import partial
from itertools import pairwise

import pytest
from sqlalchemy import select, update

from bot.clock import HandClock
from bot.domain.content import Cue, Stem, Wish
from bot.domain.expectations import Reception
from bot.domain.model import Dialog, DraftReason, Line, Waiting
from bot.domain.notices import NoticeKind
from bot.domain.results import NothingHere, Result, SetAside
from bot.domain.results.answering import (
    AlreadyAnswered,
    Answered,
    QuestionKept,
    QuestionReminder,
    ReplyPreview,
    ReplyWanted,
    UndoneTooLate,
)
from bot.domain.results.base import Preface
from bot.domain.results.follow_ups import FollowUpPreview
from bot.domain.results.pairing import NotPaired, SharingEnded
from bot.domain.results.receiving import (
    AlreadyOpened,
    Opened,
    TakenBack,
    WaitingShown,
)
from bot.domain.results.responses import LandedBadly, LandedWell, ResponseReceived
from bot.domain.results.sharing import (
    DayWanted,
    OpenedBefore,
    Reworded,
    RewordPreview,
    Shared,
    SharePreview,
    ShareShown,
    WhenWanted,
    Withdrawn,
)
from bot.domain.sharing import UNDO_FOR, ResponseKind, State, When
from bot.library import Library
from bot.library.phrases import Phrases
from bot.services.answering import Answering
from bot.services.follow_ups import FollowUps
from bot.services.lines import Lines
from bot.services.pairing import Pairing
from bot.services.receiving import Receiving
from bot.services.responses import Responses
from bot.services.rewording import Rewording
from bot.services.ritual import Rituals
from bot.services.sharing import Sharing
from bot.services.visit import Visit
from bot.storage.engine import SqliteDatabase
from bot.storage.ids import new_id
from bot.storage.notices import Settled
from bot.storage.schema import dialogs, notices, reflections, responses
from bot.storage.store import Store
from tests.clockwork import utc
from tests.samples import on_both
from tests.services.home import BaseHome
from tests.services.reading import reader_of

ALICE, BOB = 1001, 1002
NOON = utc("2026-11-22 12:00")
WORDS = "I sat in the car for ten minutes before I could come in."
ROUNDS, ROUNDS_IN_TURN = 12, 4
QUARTER = timedelta(minutes=15)
CUES = [Cue(f"{wish}.{name}", wish, f"{name}.") for wish in Wish for name in ("one", "other", "third")]
STEMS = [Stem("heard", frozenset({Wish.LISTEN}), "What I heard was …")]


@dataclass
class Home(BaseHome):
    """Alice and Bob, who are a Pair, and their acts, each in its own transaction."""

    @property
    def rounds(self) -> int:
        """How often a race is run: less often on SQLite, where transactions that write follow each other in turn."""
        return ROUNDS_IN_TURN if isinstance(self.store._database, SqliteDatabase) else ROUNDS

    sharing: Sharing
    rewording: Rewording
    receiving: Receiving
    answering: Answering
    responses: Responses
    pairing: Pairing
    lines: Lines

    async def drafts(self) -> int:
        """Let Alice look at the preview of a line; return its Reflection."""
        async with self.store.writing(ALICE) as rows:
            line = Line(new_id(self.now), ALICE, self.now.date(), None, new_id(self.now) & 0xFFFFFF)
            await rows.lines.keep(line, WORDS, prompt_id=None, now=self.now)
        preview = await self.do(ALICE, lambda visit: self.sharing.start(visit, line.id))
        assert isinstance(preview, SharePreview)
        return preview.reflection_id

    async def shares(self) -> int:
        """Let Alice share a line, in a quarter of an hour; return its Reflection."""
        about = await self.drafts()
        await self.wishes(about, Wish.LISTEN)
        shared = await self.sets(about, When.QUARTER)
        assert isinstance(shared, Shared)
        return about

    async def announced(self, count: int = 1) -> list[int]:
        """Let Alice share this many lines, and Bob be told of them."""
        about = [await self.shares() for _ in range(count)]
        self.clock.advance(QUARTER)
        await self.waiting()
        return about

    async def waiting(self) -> Result:
        return await self.do(BOB, self.receiving.waiting)

    async def known(self, about: int) -> datetime | None:
        """Return the time it is set for, as a present card carries it."""
        async with self.store.reading() as rows:
            found = await rows.reflections.mine(ALICE, about)
        return found.due_at if found else None

    async def wishes(self, about: int, wish: Wish) -> Result:
        known = await self.known(about)
        return await self.do(ALICE, lambda visit: self.sharing.wish(visit, wish, known, about))

    async def sets(self, about: int, when: When) -> Result:
        known = await self.known(about)
        return await self.do(ALICE, lambda visit: self.sharing.set_time(visit, when, known, about))

    async def days(self, about: int) -> Result:
        known = await self.known(about)
        return await self.do(ALICE, lambda visit: self.sharing.days(visit, known, about))

    async def rewords(self, about: int, words: str, message_id: int) -> Result:
        """Let Alice type other words."""
        await self.do(ALICE, lambda visit: self.rewording.reword(visit, about))
        dialog, typed = Dialog(Waiting.REWORD, about, self.now), self.rewording.typed[Waiting.REWORD]
        async with self.store.writing(ALICE) as rows:
            user = await rows.users.find(ALICE)
            assert user
            result = await typed(Visit(rows, user, self.now), dialog, words, message_id)
        assert result
        return result

    async def uses(self, about: int, message_id: int | None) -> Result:
        return await self.do(ALICE, lambda visit: self.rewording.use_words(visit, about, message_id))

    async def words(self, about: int) -> str | None:
        async with self.store.reading() as rows:
            found = await rows.reflections.mine(ALICE, about)
            return await rows.reflections.words(found) if found else None

    async def looks(self, about: int) -> Result:
        return await self.do(ALICE, lambda visit: self.sharing.show(visit, about))

    async def puts_off(self, about: int) -> Result:
        return await self.do(BOB, lambda visit: self.receiving.put_off(visit, "tomorrow", about))

    async def lands(self, response_id: int, *, well: bool = False) -> Result:
        return await self.do(ALICE, lambda visit: self.responses.landed(visit, response_id, well=well))

    async def replies(self, about: int, words: str) -> int:
        """Let Bob type a line back; return its Response, which waits for his yes."""
        async with self.store.writing(BOB) as rows:
            dialog, user = await rows.dialogs.find(BOB, self.now), await rows.users.find(BOB)
            assert dialog
            assert user
            preview = await self.answering.typed[Waiting.REPLY](Visit(rows, user, self.now), dialog, words, 7)
        assert isinstance(preview, ReplyPreview)
        assert preview.reflection_id == about
        return preview.response_id

    async def sends(self, response_id: int) -> Result:
        return await self.do(BOB, lambda visit: self.answering.send_reply(visit, response_id, None))

    async def drops(self, response_id: int) -> Result:
        return await self.do(BOB, lambda visit: self.answering.drop_reply(visit, response_id, None))

    async def reaches(self, user_id: int) -> Result:
        return await self.do(user_id, self.pairing.ask_unpair)

    async def opens(self, about: int) -> Result:
        return await self.do(BOB, lambda visit: self.receiving.open(visit, about))

    async def answers(self, about: int, answer: ResponseKind = ResponseKind.THANKS) -> Result:
        """Let Bob choose an answer and say yes to it."""
        chosen = await self.chooses(about, answer)
        return await self.sends(chosen.response_id) if isinstance(chosen, ReplyPreview) else chosen

    async def chooses(self, about: int, answer: ResponseKind) -> Result:
        return await self.do(BOB, lambda visit: self.answering.answer(visit, answer, about))

    async def undoes(self, response_id: int) -> Result:
        return await self.do(BOB, lambda visit: self.answering.undo(visit, response_id))

    async def goes_out(self) -> None:
        """Let half a minute pass, and send everything due."""
        self.clock.advance(UNDO_FOR)
        async with self.store.writing(BOB) as rows:
            user = await rows.users.find(BOB)
            if user is None:  # Bob has erased everything
                return
            due = [one for one in await rows.notices.claim(self.now, 100, 1) if one.kind is NoticeKind.RESPONSE_DUE]
            for notice in due:
                assert await self.answering.go_out(Visit(rows, user, self.now), notice) is None
                await rows.notices.settle(notice, Settled.NEEDLESS, self.now)

    async def takes_back(self, about: int) -> Result:
        return await self.do(ALICE, lambda visit: self.sharing.withdraw(visit, about))

    async def leaves(self, user_id: int) -> Result:
        pair = await self.pair()
        return await self.do(user_id, lambda visit: self.pairing.unpair(visit, pair))

    async def pair(self) -> int:
        """Return the id of the Pair of the two, which is made if necessary."""
        async with self.store.writing() as rows:
            pair = await rows.pairs.active(ALICE) or await rows.pairs.make(ALICE, BOB, self.now)
        assert pair
        return pair.id

    async def state(self, about: int) -> State | None:
        async with self.store.reading() as rows:
            found = await rows.reflections.mine(ALICE, about)
        return found.state if found else None

    async def due(self) -> list[tuple[int, NoticeKind]]:
        """Return everyone whom the bot will tell something within a day."""
        async with self.store.writing() as rows:
            found = await rows.notices.claim(self.now + timedelta(days=1), 100, 1)
            for notice in found:
                await rows.notices.put_off(notice, notice.due_at)
        return [(notice.user_id, notice.kind) for notice in found if not notice.kind.policy.wordless]

    async def hears(self) -> list[Result]:
        """Return what Alice is told of answers, once they have gone out."""
        await self.goes_out()
        async with self.store.writing(ALICE) as rows:
            user = await rows.users.find(ALICE)
            assert user
            due = [one for one in await rows.notices.claim(self.now, 100, 1) if one.kind is NoticeKind.RESPONSE]
            heard = [await self.responses.tell_sharer(Visit(rows, user, self.now), notice) for notice in due]
        return [one for one in heard if one]

    async def response(self) -> int:
        """The only Response, once it has gone out."""
        await self.goes_out()
        async with self.store.writing() as rows:
            (notice,) = [one for one in await rows.notices.claim(self.now, 100, 1) if one.kind is NoticeKind.RESPONSE]
        return notice.subject_id


@pytest.fixture
async def home(store: Store, clock: HandClock) -> Home:
    return await make_home(store, clock)


async def make_home(store: Store, clock: HandClock) -> Home:
    clock.set(NOON)
    async with store.writing() as rows:
        for user_id, name in ((ALICE, "Alice"), (BOB, "Bob")):
            user = await rows.users.add(user_id, "en", clock.now() - timedelta(days=1))
            await rows.users.change(user, ask_at=time(20), zone="Europe/London", quiet_from=None)
            await rows.users.set_name(user_id, name)
    library = Library.of([], [], CUES, stems=STEMS)
    sharing = Sharing(library)
    rituals = Rituals(sharing, library)
    pairing = Pairing(rituals.on_unpaired, sharing.on_unpaired)
    receiving = Receiving(library)
    answering = Answering(library, receiving)
    home = Home(store, clock, sharing, Rewording(sharing), receiving, answering, Responses(), pairing, Lines())
    await home.pair()
    return home


async def test_opening_races_with_taking_back(home: Home) -> None:
    for _ in range(home.rounds):
        (about,) = await home.announced()
        opened, taken = await asyncio.gather(home.opens(about), home.takes_back(about))
        if isinstance(opened, Opened):
            assert (await home.state(about), taken) == (State.OPENED, OpenedBefore())
        else:
            assert (await home.state(about), opened, taken) == (State.WITHDRAWN, TakenBack(), Withdrawn())
        assert await home.due() == []


async def test_opening_races_with_the_end(home: Home) -> None:
    for number in range(home.rounds):
        (about,) = await home.announced()
        opened, _ = await asyncio.gather(home.opens(about), home.leaves((ALICE, BOB)[number % 2]))
        gone = State.CANCELLED if opened == SharingEnded() or not isinstance(opened, Opened) else State.OPENED
        assert await home.state(about) == gone
        assert await home.due() == []
        await home.pair()


async def test_answer_during_end_is_dropped(home: Home) -> None:
    for number in range(home.rounds):
        (about,) = await home.announced()
        await home.opens(about)
        await asyncio.gather(home.answers(about), home.leaves((ALICE, BOB)[number % 2]))
        assert await home.hears() == []
        await home.pair()


async def test_answer_after_end_is_dropped(home: Home) -> None:
    """Whoever left at the instant of the answer could not cancel what wasn't there yet."""
    (about,) = await home.announced()
    await home.opens(about)
    await home.answers(about)
    response = await home.response()
    await home.leaves(BOB)
    async with home.store.writing() as rows:
        await rows.notices.add([(ALICE, NoticeKind.RESPONSE, response, home.now)], home.now)
    assert await home.hears() == []


async def test_lookup_during_end_never_deadlocks(home: Home) -> None:
    """Each takes several Reflections and Notices, and neither waits for the other in a circle."""
    for number in range(home.rounds):
        about = [await home.shares() for _ in range(6)]
        home.clock.advance(QUARTER)
        waiting, _ = await asyncio.gather(home.waiting(), home.leaves((ALICE, BOB)[number % 2]))
        assert isinstance(waiting, WaitingShown | SharingEnded | NotPaired)
        assert {await home.state(one) for one in about} == {State.CANCELLED}
        assert await home.due() == []
        await home.pair()


async def test_time_during_end_leaves_nothing(home: Home) -> None:
    for number in range(home.rounds):
        about = await home.shares()
        await asyncio.gather(home.sets(about, When.MORNING), home.leaves((ALICE, BOB)[number % 2]))
        assert await home.state(about) == State.CANCELLED
        assert await home.due() == []
        await home.pair()


async def test_simultaneous_taps_act_once(home: Home) -> None:
    (about,) = await home.announced()
    opened = await asyncio.gather(*(home.opens(about) for _ in range(4)))
    assert sum(isinstance(one, Opened) for one in opened) == 1
    assert opened.count(AlreadyOpened()) == 3
    answered = await asyncio.gather(
        *(home.answers(about, one) for one in (ResponseKind.THANKS, ResponseKind.READ, ResponseKind.MORE))
    )
    assert sum(isinstance(one, Answered) for one in answered) == 1
    assert {type(one) for one in answered} <= {Answered, AlreadyAnswered, NothingHere}, "a later choice replaces one"
    await home.goes_out()
    assert await home.due() == [(ALICE, NoticeKind.RESPONSE)]


async def test_double_tapped_line_goes_once(home: Home) -> None:
    (about,) = await home.announced()
    await home.opens(about)
    dialog = Dialog(Waiting.REPLY, about, home.now + timedelta(hours=1))
    typed = home.answering.typed[Waiting.REPLY]
    async with home.store.writing(BOB) as rows:
        user = await rows.users.find(BOB)
        assert user
        preview = await typed(Visit(rows, user, home.now), dialog, "Ring me.", 7)
    assert isinstance(preview, ReplyPreview)
    sent = await asyncio.gather(
        *(home.do(BOB, lambda visit: home.answering.send_reply(visit, preview.response_id, None)) for _ in range(3)),
        home.answers(about),
    )
    assert sum(isinstance(one, Answered) for one in sent) <= 1, "another choice replaces a preview"
    await home.goes_out()
    assert await home.due() in ([], [(ALICE, NoticeKind.RESPONSE)])


@pytest.mark.parametrize("answer", [each for each in ResponseKind if each is not ResponseKind.LINE])
async def test_undone_answer_was_never_there(home: Home, answer: ResponseKind) -> None:
    (about,) = await home.announced()
    await home.opens(about)
    before = await _seen_by_alice(home, about)
    sent = await home.answers(about, answer)
    assert isinstance(sent, Answered)
    home.clock.advance(UNDO_FOR - timedelta(seconds=1))
    assert await _seen_by_alice(home, about) == before
    undone = await home.undoes(sent.response_id)
    assert undone == ReplyPreview(sent.response_id, about, answer=answer)
    assert await home.hears() == []
    assert await _seen_by_alice(home, about) == before
    assert isinstance(await home.sends(sent.response_id), Answered), "the preview it leads back to can be sent"
    (heard,) = await home.hears()
    assert isinstance(heard, ResponseReceived)
    assert heard.answer == answer
    assert await home.undoes(sent.response_id) == UndoneTooLate()


async def test_undone_line_back_keeps_its_words(home: Home) -> None:
    (about,) = await home.announced()
    await home.opens(about)
    await home.answers(about, ResponseKind.LINE)
    response_id = await home.replies(about, "Ring me.")
    await home.sends(response_id)
    await home.undoes(response_id)
    async with home.store.reading() as rows:
        response = await rows.responses.mine(BOB, response_id)
        assert response
        assert await rows.responses.words(response) == "Ring me."
    await home.sends(response_id)
    (heard,) = await home.hears()
    assert isinstance(heard, ResponseReceived)


@pytest.mark.parametrize("who", [ALICE, BOB])
async def test_scheduled_answer_ends_with_the_pair(home: Home, who: int) -> None:
    (about,) = await home.announced()
    await home.opens(about)
    await home.answers(about)
    await home.leaves(who)
    assert await home.hears() == []
    other = BOB if who == ALICE else ALICE
    assert await home.do(other, home.sharing.overview) == SharingEnded(), "not told before"


async def test_stem_uses_its_writers_language(home: Home) -> None:
    (about,) = await home.announced()
    await home.opens(about)
    await home.do(BOB, lambda visit: home.answering.stem(visit, "heard", about))
    response_id = await home.replies(about, "that the stairs were long.")
    async with home.store.reading() as rows:
        response = await rows.responses.mine(BOB, response_id)
        assert response
        assert await rows.responses.words(response) == "What I heard was that the stairs were long."


async def test_question_is_kept_for_its_reader(home: Home) -> None:
    (about,) = await home.announced()
    await home.opens(about)
    before = await _seen_by_alice(home, about)
    preview = await home.chooses(about, ResponseKind.HARDEST)
    assert isinstance(preview, ReplyPreview)
    kept = await home.do(BOB, lambda visit: home.answering.keep_question(visit, preview.response_id))
    assert kept == QuestionKept(getattr(kept, "question_id", 0), utc("2026-11-23 18:00"))
    again = await home.do(BOB, lambda visit: home.answering.keep_question(visit, preview.response_id))
    assert again == kept, "a second tap shows the same, and can still be undone"
    assert await _seen_by_alice(home, about) == before
    assert (BOB, NoticeKind.QUESTION) not in await home.due(), "not within a day"
    await home.leaves(ALICE)
    home.clock.set(utc("2026-11-23 18:00"))
    async with home.store.writing(BOB) as rows:
        user = await rows.users.find(BOB)
        assert user
        due = [one for one in await rows.notices.claim(home.now, 100, 1) if one.kind is NoticeKind.QUESTION]
        said = [await home.answering.remind(Visit(rows, user, home.now), notice) for notice in due]
        words = await home.answering.read_question(Visit(rows, user, home.now), QuestionReminder(kept.question_id))
    assert words["kept_on"] == "2026-11-22"
    reminder = QuestionReminder(kept.question_id)
    assert said == [reminder], "its absence would tell that Alice has left"


async def test_received_buttons_hide_their_age(home: Home) -> None:
    """A Reflection drafted a week before it goes out must look like one from that hour; so must a line back."""
    about, replies = [], []
    for day in range(8):
        about += await home.announced()
        await home.opens(about[-1])
        if day % 2:
            await home.answers(about[-1])
            await home.goes_out()
        else:
            dialog = Dialog(Waiting.REPLY, about[-1], home.now + timedelta(hours=1))
            async with home.store.writing(BOB) as rows:
                user = await rows.users.find(BOB)
                assert user
                typed = await home.answering.typed[Waiting.REPLY](Visit(rows, user, home.now), dialog, "Ring me.", day)
            assert isinstance(typed, ReplyPreview)
            replies.append(typed.response_id)
        home.clock.advance(timedelta(days=1, seconds=day))
    async with home.store.reading() as rows:
        sent = select(responses.c.id).where(responses.c.sent_at.is_not(None)).order_by(responses.c.sent_at)
        answers = list(await rows._connection.scalars(sent))
    for ids in (about, replies, answers):
        apart = [abs(later - earlier) for earlier, later in pairwise(ids)]
        assert max(apart) > 1 << 50, "ids that count milliseconds lie closer than that in a week"
        assert min(ids) > 1 << 60, "none reads as a moment of our time"


async def test_text_after_another_answer_is_separate(home: Home) -> None:
    """Bob began a line back and then thanked with a tap: what he types next is his own, and must not be lost."""
    (about,) = await home.announced()
    await home.opens(about)
    await home.answers(about, ResponseKind.LINE)
    await home.answers(about)
    async with home.store.writing(BOB) as rows:
        assert await rows.dialogs.find(BOB, home.now) is None


async def test_answer_written_again_replaces_its_draft(home: Home) -> None:
    """Bob typed a text that could be for Alice, previewed it, and writes it again: the first stays until the second."""
    (about,) = await home.announced()
    await home.opens(about)
    lines = Lines(home.answering.typed)
    typed = await home.do(BOB, lambda visit: lines.receive(visit, "Fine.", 70))
    assert isinstance(typed, SetAside)
    assert typed.reason is DraftReason.OPENED
    first = typed.draft_id
    await home.do(BOB, lambda visit: home.answering.send_draft(visit, first))
    assert isinstance(await home.do(BOB, lambda visit: home.answering.again(visit, first, "")), ReplyWanted)
    async with home.store.reading() as rows:
        assert await rows.drafts.find(BOB, first)
    assert isinstance(await home.do(BOB, lambda visit: lines.receive(visit, "I hear you.", 71)), ReplyPreview)
    async with home.store.reading() as rows:
        assert await rows.drafts.find(BOB, first) is None
    assert isinstance(await home.do(BOB, lambda visit: home.answering.again(visit, first, "")), NothingHere)


async def test_text_without_time_is_a_line(home: Home) -> None:
    """Alice looked at the days and left; an hour later she answers her question."""
    about = await home.shares()
    await home.days(about)
    typed, found = home.sharing.typed[Waiting.SHARE_TIME], []
    for words in ("Nobody asked, and I was glad of that", "sometime soon"):
        async with home.store.writing(ALICE) as rows:
            dialog, user = await rows.dialogs.find(ALICE, home.now), await rows.users.find(ALICE)
            assert user
            dialog = dialog or Dialog(Waiting.SHARE_TIME, about, home.now + timedelta(hours=1))
            found.append(await typed(Visit(rows, user, home.now), dialog, words, 7))
    assert found[0] is None
    assert isinstance(found[1], DayWanted)


async def test_text_after_delivery_is_a_line(home: Home) -> None:
    """Alice looked at the days, and the line went out as it was; then she answers her question."""
    about = await home.shares()
    await home.days(about)
    home.clock.advance(QUARTER)
    typed, found = home.sharing.typed[Waiting.SHARE_TIME], []
    for words in ("Slept badly.", "tomorrow 8:00"):
        async with home.store.writing(ALICE) as rows:
            dialog, user = await rows.dialogs.find(ALICE, home.now), await rows.users.find(ALICE)
            assert user
            assert dialog
            found.append(await typed(Visit(rows, user, home.now), dialog, words, 7))
    assert found[0] is None
    assert isinstance(found[1], ShareShown)


async def test_sent_follow_up_awaits_no_other(home: Home) -> None:
    """Alice tapped "Write it again", and then sent what she had: her next text isn't lost."""
    (about,) = await home.announced()
    await home.opens(about)
    await home.answers(about, ResponseKind.HARDEST)
    response, follow_ups = await home.response(), FollowUps()
    dialog, typed = Dialog(Waiting.FOLLOW_UP, response, home.now), follow_ups.typed[Waiting.FOLLOW_UP]
    preview = await home.do(ALICE, lambda visit: typed(visit, dialog, "The way home.", 7))
    assert isinstance(preview, FollowUpPreview)
    await home.do(ALICE, lambda visit: follow_ups.want(visit, response))
    await home.do(ALICE, lambda visit: follow_ups.send(visit, preview.follow_up_id))
    async with home.store.writing(ALICE) as rows:
        assert await rows.dialogs.find(ALICE, home.now) is None


@pytest.mark.parametrize("depth", [1, 3])
async def test_not_really_steps_down(home: Home, depth: int) -> None:
    (about,) = await home.announced()
    await home.opens(about)
    await home.answers(about)
    response = await home.response()
    async with home.store.writing(ALICE) as rows:
        user = await rows.users.find(ALICE)
        assert user
        await rows.users.change(user, depth=depth, comfortable=6)
    said = [await home.lands(response) for _ in range(2)]
    assert said == [LandedBadly(lighter=depth > 1), LandedBadly(lighter=False)]
    async with home.store.reading() as rows:
        user = await rows.users.find(ALICE)
    assert user
    assert user.depth == max(1, depth - 1)
    assert user.comfortable == (0 if depth > 1 else 6), "the way back up is not offered at the next answer"


async def test_button_shares_only_the_previewed_words(home: Home) -> None:
    about = await home.drafts()
    await home.wishes(about, Wish.LISTEN)
    preview = await home.rewords(about, "Only this much.", 8)
    assert isinstance(preview, SharePreview)
    assert await home.sets(about, When.QUARTER) == NothingHere()
    assert await home.state(about) is None
    assert await home.words(preview.reflection_id) == "Only this much."
    assert isinstance(await home.sets(preview.reflection_id, When.QUARTER), Shared), "the wish still holds"


async def test_yes_covers_only_the_previewed_words(home: Home) -> None:
    about = await home.shares()
    await home.rewords(about, "Second words.", 8)
    await home.rewords(about, "Third words.", 9)
    for stale in (8, None):
        assert await home.uses(about, stale) == RewordPreview(about, 9)
        assert await home.words(about) == WORDS
    assert isinstance(await home.uses(about, 9), Reworded)
    assert await home.words(about) == "Third words."


async def test_cue_ignores_what_was_opened(home: Home) -> None:
    """It may repeat: avoiding what the receiver has seen would tell the sharer about that."""
    for wish in Wish:
        for _ in range(4):
            about = await home.drafts()
            preview = await home.wishes(about, wish)
            assert isinstance(preview, WhenWanted)
            await home.sets(about, When.QUARTER)
            home.clock.advance(QUARTER)
            await home.waiting()
            opened = await home.opens(about)
            assert isinstance(opened, Opened)
            assert (opened.wish, opened.cue_id) == (preview.wish, preview.cue_id)


async def test_line_keeps_its_cue(home: Home) -> None:
    about = await home.drafts()
    first = await home.wishes(about, Wish.ADVICE)
    assert isinstance(first, WhenWanted)
    again = await home.rewords(about, "In other words.", 7)
    assert isinstance(again, SharePreview)
    second = await home.wishes(again.reflection_id, Wish.ADVICE)
    assert isinstance(second, WhenWanted)
    other = await home.wishes(again.reflection_id, Wish.LISTEN)
    assert isinstance(other, WhenWanted)
    assert other.cue_id.startswith(Wish.LISTEN)
    await home.wishes(again.reflection_id, Wish.ADVICE)
    await home.sets(again.reflection_id, When.QUARTER)
    await home.sets(again.reflection_id, When.HOUR)
    async with home.store.reading() as rows:
        user, found = await rows.users.find(ALICE), await rows.reflections.mine(ALICE, again.reflection_id)
        assert user
        looked = await home.looks(again.reflection_id)
        assert isinstance(looked, ShareShown)
        shown = await home.sharing.read(Visit(rows, user, home.now), looked)
    assert found
    assert first.cue_id == second.cue_id == found.cue_id == shown["cue_id"]


async def test_sharer_sees_nothing_of_the_receiver(home: Home) -> None:
    """Unannounced, announced, put off, opened: all look the same until the receiver answers."""
    shown = []
    for far in range(4):
        about = await home.shares()
        home.clock.advance(QUARTER)
        if far:
            await home.waiting()
        if far == 2:
            await home.puts_off(about)
        if far == 3:
            assert isinstance(await home.opens(about), Opened)
        seen = await home.looks(about)
        assert isinstance(seen, ShareShown)
        shown.append((seen.due, seen.here, home.now - seen.at))
    assert len(set(shown)) == 1


async def test_sharer_can_look_up_an_answer(home: Home) -> None:
    """This also works if the message that brought it got lost on its way."""
    (about,) = await home.announced()
    await home.opens(about)
    await home.answers(about)
    response = await home.response()
    for step in (home.looks(about), home.sets(about, When.MORNING)):
        assert await step == ResponseReceived(response, about, ResponseKind.THANKS)
    await home.lands(response)
    assert await home.looks(about) == ResponseReceived(response, about, ResponseKind.THANKS, landed=True)
    assert await home.takes_back(about) == OpenedBefore()


# Only taking it back tells the sharer if it was opened


async def _seen_by_alice(home: Home, about: int) -> list[Result]:
    return [await home.looks(about), await home.do(ALICE, home.sharing.overview)]


async def unseen(_: Home, __: int) -> None:
    """Bob hasn't even been told."""


async def seen(home: Home, _: int) -> None:
    await home.waiting()


async def put_off(home: Home, about: int) -> None:
    await home.waiting()
    await home.puts_off(about)


async def opened(home: Home, about: int) -> None:
    await home.waiting()
    assert isinstance(await home.opens(about), Opened)


async def about_to_answer(home: Home, about: int) -> None:
    await opened(home, about)
    await home.answers(about, ResponseKind.LINE)


async def _all_acts(home: Home, about: int) -> list[str]:
    """Return what Alice learns from everything she can do about a shared line, except taking it back, as text."""
    sharing, rewording = home.sharing, home.rewording
    async with home.store.reading() as rows:
        found = await rows.reflections.mine(ALICE, about)
        assert found
        line_id, known = found.line_id or 0, found.due_at
        line = await rows.lines.find(ALICE, line_id)
        assert line
    typed = {**sharing.typed, **rewording.typed}

    async def types(waiting: Waiting, words: str) -> Result:
        async with home.store.writing(ALICE) as rows:
            user = await rows.users.find(ALICE)
            assert user
            dialog = Dialog(waiting, about, home.now + timedelta(hours=1))
            return await typed[waiting](Visit(rows, user, home.now), dialog, words, 77) or NothingHere()

    acts: list[Callable[[], Awaitable[Result]]] = [
        lambda: home.looks(about),
        *(partial(home.wishes, about, wish) for wish in Wish),
        *(partial(home.sets, about, when) for when in When),
        lambda: home.days(about),
        lambda: home.do(ALICE, lambda visit: sharing.ask_wish(visit, about)),
        lambda: home.do(ALICE, lambda visit: sharing.when(visit, about)),
        lambda: home.do(ALICE, lambda visit: sharing.hours(visit, home.now.date(), known, about)),
        lambda: home.do(ALICE, lambda visit: sharing.set_moment(visit, _later(home), known, about)),
        lambda: home.do(ALICE, lambda visit: sharing.drop(visit, about)),
        lambda: home.do(ALICE, lambda visit: sharing.start(visit, line_id)),
        lambda: home.do(ALICE, sharing.overview),
        lambda: home.do(ALICE, lambda visit: rewording.reword(visit, about)),
        *(partial(home.uses, about, message_id) for message_id in (77, None)),
        *(partial(types, Waiting.REWORD, words) for words in (WORDS, "Other words.", "x" * 301)),
        *(partial(home.uses, about, message_id) for message_id in (77, None)),
        *(partial(types, Waiting.SHARE_TIME, words) for words in ("tomorrow", "tomorrow 8:00", "soon")),
        lambda: home.do(ALICE, lambda visit: home.lines.change(visit, line_id, line.revision)),
        lambda: home.do(ALICE, lambda visit: home.lines.ask_delete(visit, line_id, line.revision)),
        lambda: home.do(ALICE, lambda visit: home.lines.show(visit, line_id)),
        lambda: home.do(ALICE, lambda visit: home.lines.edited(visit, "Edited in the chat.", line.message_id)),
        lambda: home.do(ALICE, lambda visit: home.lines.delete(visit, line_id, line.revision + 1)),
        lambda: home.looks(about),
    ]
    said = []
    for act in acts:
        result = await act()
        said.append(repr(result))
        if reader := reader_of(result, sharing=sharing, rewording=rewording, lines=home.lines):
            async with home.store.reading() as rows:
                user = await rows.users.find(ALICE)
                assert user
                said.append(repr(dict(await reader(Visit(rows, user, home.now), result))))
    return said


def _later(home: Home) -> datetime:
    return home.now.replace(second=0, microsecond=0) + timedelta(hours=5)


@on_both(
    "after ritual",
    [(timedelta(), False), (timedelta(minutes=1), True), (timedelta(days=3), False)],
    on_postgres=[(timedelta(minutes=1), True)],
)
async def test_only_taking_back_reveals_an_opening(home: Home, after: timedelta, ritual: bool) -> None:
    lives = []
    for state in (unseen, seen, put_off, opened, about_to_answer):
        about = await home.shares()
        if ritual:
            async with home.store.writing() as rows:
                await rows._connection.execute(update(reflections).where(reflections.c.id == about).values(ritual=1))
        home.clock.advance(QUARTER)
        await state(home, about)
        home.clock.advance(after)
        lives.append([_without_ids(one) for one in await _all_acts(home, about)])
        home.clock.set(home.now.replace(hour=12, minute=0) + timedelta(days=8))
    for life in lives[1:]:
        assert life == lives[0]


def _without_ids(said: str) -> str:
    """Leave out dates and cues too: each life has its own week and its own Line."""
    said = re.sub(r"'listen\.(one|other|third)'", "CUE", said)
    return re.sub(r"\d{7,}", "ID", re.sub(r"datetime\.date(time)?\(\d+, \d+, \d+", "datetime(DAY", said))


async def test_taking_back_reveals_an_opening(home: Home) -> None:
    (unopened,) = await home.announced()
    assert await home.takes_back(unopened) == Withdrawn()
    assert await home.opens(unopened) == TakenBack()
    (opened_,) = await home.announced()
    await home.opens(opened_)
    for _ in range(2):
        assert await home.takes_back(opened_) == OpenedBefore()


async def test_due_words_stay(home: Home) -> None:
    """So do words that were proposed before, and words whose preview is still there."""
    about = await home.shares()
    await home.rewords(about, "Other words.", 8)
    home.clock.advance(QUARTER)
    assert isinstance(await home.uses(about, 8), ShareShown)
    late = await home.rewords(about, "Late words.", 9)
    assert isinstance(late, SetAside), "they can be kept as a line, and are said to be too late"
    assert late.preface is Preface.UNSENT
    async with home.store.reading() as rows:
        draft = await rows.drafts.find(ALICE, late.draft_id)
    assert draft
    assert draft.text == "Late words."
    assert isinstance(await home.uses(about, 9), ShareShown)
    assert await home.words(about) == WORDS
    await home.waiting()
    await home.opens(about)
    assert await home.words(about) == WORDS


async def test_reply_to_a_partner_who_left_is_set_aside(home: Home) -> None:
    about = await home.shares()
    await home.waiting()
    await home.opens(about)
    await home.leaves(ALICE)
    async with home.store.writing(BOB) as rows:
        user = await rows.users.find(BOB)
        assert user
        dialog = Dialog(Waiting.REPLY, about, home.now)
        late = await home.answering.typed[Waiting.REPLY](Visit(rows, user, home.now), dialog, "I hear you.", 7)
        assert isinstance(late, SetAside)
        assert late.preface is Preface.SHARING_ENDED
        draft = await rows.drafts.find(BOB, late.draft_id)
        assert draft
        assert draft.text == "I hear you."
        assert not await rows.pairs.tell_ended(BOB), "it was said, once"


# What an old button says and does


async def _stands(home: Home) -> list[object]:
    async with home.store.reading() as rows:
        found = [(await rows._connection.execute(select(table))).all() for table in (reflections, responses, dialogs)]
        return [*found, (await rows._connection.execute(select(notices).where(notices.c.settled_at.is_(None)))).all()]


async def test_old_preview_button_changes_nothing(home: Home) -> None:
    """Two cards show the same preview: set by one of them, it stays so under the other."""
    about = await home.shares()
    before = await _stands(home)
    sharing = home.sharing
    for tap in (
        lambda visit: sharing.drop(visit, about),
        lambda visit: sharing.wish(visit, Wish.ADVICE, None, about),
        lambda visit: sharing.set_time(visit, When.TONIGHT, None, about),
        lambda visit: sharing.set_moment(visit, _later(home), None, about),
        lambda visit: sharing.days(visit, None, about),
        lambda visit: sharing.hours(visit, home.now.date(), None, about),
    ):
        shown = await home.do(ALICE, tap)
        assert isinstance(shown, ShareShown)
        assert shown.reflection_id == about
    assert await _stands(home) == before


async def test_older_time_card_changes_nothing(home: Home) -> None:
    about = await home.shares()
    known = await home.known(about)
    assert isinstance(await home.sets(about, When.MORNING), Shared)
    before = await _stands(home)
    sharing = home.sharing
    for tap in (
        lambda visit: sharing.set_time(visit, When.QUARTER, known, about),
        lambda visit: sharing.set_moment(visit, _later(home), known, about),
        lambda visit: sharing.wish(visit, Wish.ADVICE, known, about),
    ):
        shown = await home.do(ALICE, tap)
        assert isinstance(shown, ShareShown)
        assert not shown.due
    assert await _stands(home) == before


async def test_replaced_previews_buttons_do_nothing(home: Home) -> None:
    old = await home.drafts()
    async with home.store.reading() as rows:
        found = await rows.reflections.mine(ALICE, old)
    line_id = found.line_id or 0 if found else 0
    anew = await home.do(ALICE, lambda visit: home.sharing.start(visit, line_id))
    assert isinstance(anew, SharePreview)
    before = await _stands(home)
    assert await home.sets(old, When.QUARTER) == NothingHere()
    assert await home.wishes(old, Wish.LISTEN) == NothingHere()
    assert await home.takes_back(old) == NothingHere()
    assert await home.do(ALICE, lambda visit: home.sharing.drop(visit, old)) == NothingHere()
    assert await _stands(home) == before


async def test_old_line_back_does_nothing(home: Home) -> None:
    """It was written again: the first one is gone, and the second one is being typed."""
    (about,) = await home.announced()
    await home.opens(about)
    await home.answers(about, ResponseKind.LINE)
    first = await home.replies(about, "Ring me.")
    await home.answers(about, ResponseKind.LINE)
    second = await home.replies(about, "Rather write.")
    await home.answers(about, ResponseKind.LINE)
    before = await _stands(home)
    for response_id in (first, 4242):
        assert await home.sends(response_id) == NothingHere()
        assert await home.drops(response_id) == NothingHere()
    assert await _stands(home) == before
    assert isinstance(await home.sends(second), Answered)
    assert await home.drops(second) == AlreadyAnswered()


@pytest.mark.parametrize("first", [True, False])
async def test_first_landing_stays(home: Home, first: bool) -> None:
    (about,) = await home.announced()
    await home.opens(about)
    await home.answers(about)
    response = await home.response()
    said = [await home.lands(response, well=well) for well in (first, not first, first)]
    assert said == [LandedWell() if first else LandedBadly(lighter=False)] * 3


@pytest.mark.parametrize("well", [True, False])
async def test_landing_leaves_the_question_answerable(home: Home, well: bool) -> None:
    (about,) = await home.announced()
    await home.opens(about)
    await home.answers(about, ResponseKind.HARDEST)
    said = await home.lands(await home.response(), well=well)
    assert said == (LandedWell(stays=True) if well else LandedBadly(lighter=False, stays=True))


async def test_landing_leaves_the_outcome_open(home: Home) -> None:
    (about,) = await home.announced()
    async with home.store.writing(ALICE) as rows:
        await rows.expectations.expect(ALICE, about, Reception.SILENCE)
    await home.opens(about)
    await home.answers(about)
    assert await home.lands(await home.response(), well=True) == LandedWell(stays=True)


async def test_button_for_something_over_says_so(home: Home) -> None:
    (about,) = await home.announced()
    await home.leaves(ALICE)
    await home.reaches(BOB)
    async with home.store.writing() as rows:
        await rows.pairs.make(ALICE, BOB, home.now)
    before = await _stands(home)
    receiving, answering = home.receiving, home.answering
    for tap in (
        lambda visit: receiving.open(visit, about),
        lambda visit: receiving.later(visit, about),
        lambda visit: receiving.back(visit, about),
        lambda visit: receiving.put_off(visit, "tomorrow", about),
        lambda visit: receiving.not_now(visit, about),
        lambda visit: answering.answer(visit, ResponseKind.READ, about),
        lambda visit: answering.answer(visit, ResponseKind.LINE, about),
    ):
        assert await home.do(BOB, tap) == NothingHere()
    assert await _stands(home) == before


async def test_alarming_words_are_checked_in_threads(home: Home) -> None:
    class Watched(Phrases):
        def found_in(self, text: str) -> bool:
            threads.append(threading.current_thread())
            return super().found_in(text)

    threads: list[threading.Thread] = []
    home.sharing._phrases = Watched({})
    await home.shares()
    assert threads
    assert threading.main_thread() not in threads
