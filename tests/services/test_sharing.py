"""Sharing and receiving on both databases: what meets at one instant, what is tapped twice, what must not be told."""

import asyncio
from dataclasses import dataclass
from datetime import time, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import select

from bot.clock import HandClock
from bot.domain.content import Cue, Wish
from bot.domain.model import Dialog, Line, NoticeKind, Waiting
from bot.domain.results import Outdated, Result
from bot.domain.results.pairing import NotPaired, SharingEnded
from bot.domain.results.receiving import (
    AlreadyAnswered,
    AlreadyOpened,
    Answered,
    Opened,
    ReplyPreview,
    TakenBack,
    WaitingShown,
)
from bot.domain.results.sharing import (
    DayWanted,
    LandedBadly,
    OpenedBefore,
    ResponseHeard,
    Reworded,
    RewordPreview,
    Shared,
    SharePreview,
    ShareShown,
    Withdrawn,
)
from bot.domain.sharing import Answer, State, When
from bot.library import Library
from bot.services.hearing import Hearing
from bot.services.pairing import Pairing
from bot.services.receiving import Receiving
from bot.services.rewording import Rewording
from bot.services.ritual import Rituals
from bot.services.sharing import Sharing
from bot.storage.ids import new_id
from bot.storage.schema import responses
from bot.storage.store import Store
from tests.clockwork import utc
from tests.services.home import BaseHome

ALICE, BOB = 1001, 1002
NOON = utc("2026-11-22 12:00")
WORDS = "I sat in the car for ten minutes before I could come in."
ROUNDS = 12
QUARTER = timedelta(minutes=15)
CUES = [Cue(name, Wish.LISTEN, 1, 5, f"{name}.") for name in ("one", "other")]


@dataclass
class Home(BaseHome):
    """Alice and Bob, who are a Pair, and what they do, each thing in a transaction of its own."""

    sharing: Sharing
    rewording: Rewording
    receiving: Receiving
    hearing: Hearing
    pairing: Pairing

    async def drafts(self) -> int:
        """Alice looks at the preview of a line. Its Reflection."""
        async with self.store.writing(ALICE) as rows:
            line = Line(new_id(self.now), ALICE, self.now.date(), None, new_id(self.now) & 0xFFFFFF)
            await rows.lines.keep(line, WORDS, prompt_id=None, now=self.now)
        preview = await self.do(ALICE, lambda r, u: self.sharing.start(r, u, line.id, self.now))
        assert isinstance(preview, SharePreview)
        return preview.reflection_id

    async def shares(self) -> int:
        """Alice shares a line, in a quarter of an hour. Its Reflection."""
        about = await self.drafts()
        await self.do(ALICE, lambda r, u: self.sharing.wish(r, u, about, Wish.LISTEN, self.now))
        shared = await self.sets(about, When.QUARTER)
        assert isinstance(shared, Shared)
        return about

    async def announced(self, count: int = 1) -> list[int]:
        """Alice has shared so many, and Bob has been told of them."""
        about = [await self.shares() for _ in range(count)]
        self.clock.advance(QUARTER)
        await self.waiting()
        return about

    async def waiting(self) -> Result:
        return await self.do(BOB, lambda r, u: self.receiving.waiting(r, u, self.now))

    async def sets(self, about: int, when: When) -> Result:
        return await self.do(ALICE, lambda r, u: self.sharing.set_time(r, u, about, when, self.now))

    async def rewords(self, about: int, words: str, message_id: int) -> Result:
        """Alice types other words."""
        await self.do(ALICE, lambda r, u: self.rewording.reword(r, u, about, self.now))
        dialog, typed = Dialog(Waiting.REWORD, about, self.now), self.rewording.typed[Waiting.REWORD]
        async with self.store.writing(ALICE) as rows:
            user = await rows.users.find(ALICE)
            assert user
            result = await typed(rows, user, dialog, words, message_id, self.now)
        assert result
        return result

    async def uses(self, about: int, message_id: int | None) -> Result:
        return await self.do(ALICE, lambda r, u: self.rewording.use_words(r, u, about, message_id, self.now))

    async def words(self, about: int) -> str | None:
        async with self.store.reading() as rows:
            found = await rows.reflections.mine(ALICE, about)
            return await rows.reflections.words(found) if found else None

    async def looks(self, about: int) -> Result:
        return await self.do(ALICE, lambda r, u: self.sharing.show(r, u, about, self.now))

    async def puts_off(self, about: int) -> Result:
        return await self.do(BOB, lambda r, u: self.receiving.put_off(r, u, about, "tomorrow", self.now))

    async def lands(self, response_id: int) -> Result:
        return await self.do(ALICE, lambda r, u: self.hearing.landed(r, u, response_id, well=False))

    async def opens(self, about: int) -> Result:
        return await self.do(BOB, lambda r, u: self.receiving.open(r, u, about, self.now))

    async def answers(self, about: int, answer: Answer = Answer.THANKS) -> Result:
        return await self.do(BOB, lambda r, u: self.receiving.answer(r, u, about, answer, self.now))

    async def takes_back(self, about: int) -> Result:
        return await self.do(ALICE, lambda r, u: self.sharing.withdraw(r, u, about, self.now))

    async def leaves(self, user_id: int) -> Result:
        pair = await self.pair()
        return await self.do(user_id, lambda r, u: self.pairing.unpair(r, u, pair, self.now))

    async def pair(self) -> int:
        """The Pair of the two, made if need be. Its id."""
        async with self.store.writing() as rows:
            pair = await rows.pairs.active(ALICE) or await rows.pairs.make(ALICE, BOB, self.now)
        assert pair
        return pair.id

    async def state(self, about: int) -> State | None:
        async with self.store.reading() as rows:
            found = await rows.reflections.mine(ALICE, about)
        return found.state if found else None

    async def due(self) -> list[tuple[int, NoticeKind]]:
        """Whom something is to be told within a day."""
        async with self.store.writing() as rows:
            found = await rows.notices.claim(self.now + timedelta(days=1), 100)
            for notice in found:
                await rows.notices.put_off(notice, notice.due_at)
        return [(notice.user_id, notice.kind) for notice in found]

    async def hears(self) -> list[Result]:
        """What Alice is told of answers now."""
        async with self.store.writing(ALICE) as rows:
            user = await rows.users.find(ALICE)
            assert user
            due = [one for one in await rows.notices.claim(self.now, 100) if one.kind is NoticeKind.RESPONSE]
            heard = [await self.hearing.hear(rows, user, notice, self.now) for notice in due]
        return [one for one in heard if one]

    async def response(self) -> int:
        """The one Response there is."""
        async with self.store.writing() as rows:
            (notice,) = [one for one in await rows.notices.claim(self.now, 100) if one.kind is NoticeKind.RESPONSE]
        return notice.subject_id


@pytest.fixture
async def home(store: Store, clock: HandClock) -> Home:
    clock.set(NOON)
    async with store.writing() as rows:
        for user_id, name in ((ALICE, "Alice"), (BOB, "Bob")):
            user = await rows.users.add(user_id, "en", clock.now())
            await rows.users.change(user, ask_at=time(20), zone="Europe/London", quiet_from=None)
            await rows.users.set_name(user_id, name)
    library = Library.of([], [], CUES)
    sharing = Sharing(library)
    rituals = Rituals(sharing)
    pairing = Pairing(rituals.on_unpaired, sharing.on_unpaired)
    home = Home(store, clock, sharing, Rewording(sharing), Receiving(library), Hearing(), pairing)
    await home.pair()
    return home


async def test_opened_and_taken_back_at_one_instant_is_one_or_the_other(home: Home) -> None:
    for _ in range(ROUNDS):
        (about,) = await home.announced()
        opened, taken = await asyncio.gather(home.opens(about), home.takes_back(about))
        if isinstance(opened, Opened):
            assert (await home.state(about), taken) == (State.OPENED, OpenedBefore())
        else:
            assert (await home.state(about), opened, taken) == (State.WITHDRAWN, TakenBack(), Withdrawn())
        assert await home.due() == []


async def test_opened_while_the_pair_ends_it_is_open_or_gone(home: Home) -> None:
    for number in range(ROUNDS):
        (about,) = await home.announced()
        opened, _ = await asyncio.gather(home.opens(about), home.leaves((ALICE, BOB)[number % 2]))
        gone = State.CANCELLED if opened == SharingEnded() or not isinstance(opened, Opened) else State.OPENED
        assert await home.state(about) == gone
        assert await home.due() == []
        await home.pair()


async def test_answered_while_the_pair_ends_nothing_of_it_is_delivered(home: Home) -> None:
    for number in range(ROUNDS):
        (about,) = await home.announced()
        await home.opens(about)
        await asyncio.gather(home.answers(about), home.leaves((ALICE, BOB)[number % 2]))
        assert await home.hears() == []
        await home.pair()


async def test_what_was_answered_in_a_pair_that_has_ended_is_not_delivered(home: Home) -> None:
    """Whoever left at the instant of the answer could not cancel what wasn't there yet."""
    (about,) = await home.announced()
    await home.opens(about)
    await home.answers(about)
    response = await home.response()
    await home.leaves(BOB)
    async with home.store.writing() as rows:
        await rows.notices.add([(ALICE, NoticeKind.RESPONSE, response, home.now)], home.now)
    assert await home.hears() == []


async def test_looked_for_while_the_pair_ends(home: Home) -> None:
    """Each takes several Reflections and Notices, and neither waits for the other in a circle."""
    for number in range(ROUNDS):
        about = [await home.shares() for _ in range(6)]
        home.clock.advance(QUARTER)
        waiting, _ = await asyncio.gather(home.waiting(), home.leaves((ALICE, BOB)[number % 2]))
        assert isinstance(waiting, WaitingShown | SharingEnded | NotPaired)
        assert {await home.state(one) for one in about} == {State.CANCELLED}
        assert await home.due() == []
        await home.pair()


async def test_a_time_set_while_the_pair_ends_leaves_nothing_behind(home: Home) -> None:
    for number in range(ROUNDS):
        about = await home.shares()
        await asyncio.gather(home.sets(about, When.MORNING), home.leaves((ALICE, BOB)[number % 2]))
        assert await home.state(about) == State.CANCELLED
        assert await home.due() == []
        await home.pair()


async def test_tapped_many_times_at_once_each_thing_happens_once(home: Home) -> None:
    (about,) = await home.announced()
    opened = await asyncio.gather(*(home.opens(about) for _ in range(4)))
    assert sum(isinstance(one, Opened) for one in opened) == 1
    assert opened.count(AlreadyOpened()) == 3
    answered = await asyncio.gather(*(home.answers(about, one) for one in (Answer.THANKS, Answer.READ, Answer.MORE)))
    assert sum(isinstance(one, Answered) for one in answered) == 1
    assert answered.count(AlreadyAnswered()) == 2
    assert await home.due() == [(ALICE, NoticeKind.RESPONSE)]


async def test_one_line_back_tapped_twice_is_sent_once(home: Home) -> None:
    (about,) = await home.announced()
    await home.opens(about)
    dialog = Dialog(Waiting.REPLY, about, home.now + timedelta(hours=1))
    typed = home.receiving.typed[Waiting.REPLY]
    async with home.store.writing(BOB) as rows:
        user = await rows.users.find(BOB)
        assert user
        preview = await typed(rows, user, dialog, "Ring me.", 7, home.now)
    assert isinstance(preview, ReplyPreview)
    sent = await asyncio.gather(
        *(
            home.do(BOB, lambda r, u: home.receiving.send_reply(r, u, preview.response_id, None, home.now))
            for _ in range(3)
        ),
        home.answers(about),
    )
    assert sum(isinstance(one, Answered) for one in sent) == 1
    assert await home.due() == [(ALICE, NoticeKind.RESPONSE)]


async def test_what_the_other_ones_buttons_carry_does_not_tell_when_it_was_made(home: Home) -> None:
    """A Reflection drafted a week before it goes out must look like one of that hour; so must a line back."""
    about, replies = [], []
    for day in range(8):
        about += await home.announced()
        await home.opens(about[-1])
        if day % 2:
            await home.answers(about[-1])
        else:
            dialog = Dialog(Waiting.REPLY, about[-1], home.now + timedelta(hours=1))
            async with home.store.writing(BOB) as rows:
                user = await rows.users.find(BOB)
                assert user
                typed = await home.receiving.typed[Waiting.REPLY](rows, user, dialog, "Ring me.", day, home.now)
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


async def test_after_another_answer_no_text_is_taken_as_the_line_back(home: Home) -> None:
    """Bob began a line back and then thanked with a tap: what he types next is his own, and must not be lost."""
    (about,) = await home.announced()
    await home.opens(about)
    await home.answers(about, Answer.LINE)
    await home.answers(about)
    async with home.store.writing(BOB) as rows:
        assert await rows.dialogs.find(BOB, home.now) is None


async def test_what_can_be_no_time_is_a_line(home: Home) -> None:
    """Alice looked at the days and left it; an hour later she answers her question."""
    about = await home.shares()
    await home.do(ALICE, lambda r, u: home.sharing.days(r, u, about, home.now))
    typed, found = home.sharing.typed[Waiting.SHARE_TIME], []
    for words in ("Nobody asked, and I was glad of that", "sometime soon"):
        async with home.store.writing(ALICE) as rows:
            dialog, user = await rows.dialogs.find(ALICE, home.now), await rows.users.find(ALICE)
            assert user
            dialog = dialog or Dialog(Waiting.SHARE_TIME, about, home.now + timedelta(hours=1))
            found.append(await typed(rows, user, dialog, words, 7, home.now))
    assert found[0] is None
    assert isinstance(found[1], DayWanted)


@pytest.mark.parametrize("depth", [1, 3])
async def test_not_really_steps_down_where_there_is_a_step(home: Home, depth: int) -> None:
    (about,) = await home.announced()
    await home.opens(about)
    await home.answers(about)
    response = await home.response()
    async with home.store.writing(ALICE) as rows:
        user = await rows.users.find(ALICE)
        assert user
        await rows.users.change(user, depth=depth)
    said = [await home.lands(response) for _ in range(2)]
    assert said == [LandedBadly(lighter=depth > 1), LandedBadly(lighter=False)]
    async with home.store.reading() as rows:
        user = await rows.users.find(ALICE)
    assert user
    assert user.depth == max(1, depth - 1)


async def test_no_button_under_other_words_shares_what_was_not_previewed(home: Home) -> None:
    about = await home.drafts()
    await home.do(ALICE, lambda r, u: home.sharing.wish(r, u, about, Wish.LISTEN, home.now))
    preview = await home.rewords(about, "Only this much.", 8)
    assert isinstance(preview, SharePreview)
    assert await home.sets(about, When.QUARTER) == Outdated()
    assert await home.state(about) is None
    assert await home.words(preview.reflection_id) == "Only this much."
    assert isinstance(await home.sets(preview.reflection_id, When.QUARTER), Shared), "the wish still holds"


async def test_a_yes_to_other_words_holds_for_those_that_were_previewed(home: Home) -> None:
    about = await home.shares()
    await home.rewords(about, "Second words.", 8)
    await home.rewords(about, "Third words.", 9)
    for stale in (8, None):
        assert await home.uses(about, stale) == RewordPreview(about, 9)
        assert await home.words(about) == WORDS
    assert isinstance(await home.uses(about, 9), Reworded)
    assert await home.words(about) == "Third words."


async def test_nothing_in_what_the_sharer_sees_depends_on_the_receiver(home: Home) -> None:
    """Unannounced, announced, put off, opened: the same, until the receiver answers."""
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


async def test_what_was_answered_can_be_looked_up_by_the_one_who_told(home: Home) -> None:
    """Also where the message that brought it got lost on its way."""
    (about,) = await home.announced()
    await home.opens(about)
    await home.answers(about)
    response = await home.response()
    for step in (home.looks(about), home.sets(about, When.MORNING)):
        assert await step == ResponseHeard(response, about, Answer.THANKS)
    await home.lands(response)
    assert await home.looks(about) == ResponseHeard(response, about, Answer.THANKS, landed=True)
    assert await home.takes_back(about) == OpenedBefore()
