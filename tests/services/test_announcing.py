"""Announcing on both databases: one message for several lines, whatever happens to them at the same instant."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from bot.clock import HandClock
from bot.domain.notices import NoticeKind
from bot.domain.results import NothingHere, Result
from bot.domain.results.receiving import (
    AllLater,
    AllNotNow,
    Announced,
    AnnouncedTogether,
    Opened,
    TakenBack,
    WaitingShown,
)
from bot.domain.sharing import AFTER_TAKEN_BACK, TOGETHER, State
from bot.services.announcing import Announcing
from bot.services.visit import Visit
from bot.storage.notices import Settled
from bot.storage.store import Store
from tests.services.test_sharing import ALICE, BOB, QUARTER, Home, make_home

KINDS = (NoticeKind.REFLECTION, NoticeKind.ANNOUNCEMENT)
SECOND = timedelta(seconds=1)
APART = timedelta(hours=3)


@pytest.fixture
async def home(store: Store, clock: HandClock) -> Home:
    return await make_home(store, clock)


async def hears(home: Home, *, sent: bool = True) -> list[Result]:
    """Return what the bot now tells Bob on its own initiative, in order; each is settled as sent if `sent`."""
    announcing, heard = Announcing(), []
    notice_handlers = {
        NoticeKind.REFLECTION: announcing.announce,
        NoticeKind.ANNOUNCEMENT: announcing.announce_together,
    }
    for _ in range(2):  # the first line of several plans their common message, which comes in the second round
        async with home.store.writing() as rows:
            due = [one for one in await rows.notices.claim(home.now, 100, 1) if one.kind in KINDS]
        for notice in due:
            async with home.store.writing(BOB) as rows:
                bob = await rows.users.find(BOB)
                assert bob
                said = await notice_handlers[notice.kind](Visit(rows, bob, home.now), notice)
                if said and not await rows.notices.sending(notice):
                    said = None
                if sent or said is None:
                    await rows.notices.settle(notice, Settled.SENT if said else Settled.NEEDLESS, home.now)
            heard += [said] if said else []
    return heard


async def shared(home: Home, count: int) -> list[int]:
    return [await home.shares() for _ in range(count)]


async def states(home: Home, about: Sequence[int]) -> list[State | None]:
    return [await home.state(one) for one in about]


async def test_one_line_or_several_are_announced(home: Home) -> None:
    (alone,) = await shared(home, 1)
    home.clock.advance(QUARTER)
    assert await hears(home) == [Announced(alone)]
    about = await shared(home, 3)
    home.clock.advance(QUARTER)
    (together,) = await hears(home)
    assert isinstance(together, AnnouncedTogether)
    assert set(together.reflections) == set(about)
    assert await hears(home) == []
    assert await home.due() == []


async def test_more_than_ten_are_counted(home: Home) -> None:
    await shared(home, 12)
    home.clock.advance(QUARTER)
    (together,) = await hears(home)
    assert isinstance(together, AnnouncedTogether)
    assert (len(together.reflections), together.others) == (10, 2)


async def test_unclear_announcement_repeats_what_is_left(home: Home) -> None:
    about = await shared(home, 3)
    home.clock.advance(QUARTER)
    (together,) = await hears(home, sent=False)  # and the process died while it was being sent
    await home.takes_back(about[0])
    home.clock.advance(timedelta(minutes=2))
    (again,) = await hears(home)
    assert isinstance(together, AnnouncedTogether)
    assert isinstance(again, AnnouncedTogether)
    assert again.announcement_id == together.announcement_id
    assert set(again.reflections) == set(about[1:])


async def test_new_lines_survive_an_unclear_announcement(home: Home) -> None:
    about = await shared(home, 2)
    home.clock.advance(QUARTER)
    await hears(home, sent=False)
    later = await home.shares()
    home.clock.advance(2 * QUARTER)
    told: set[int] = set()
    for said in await hears(home):
        told |= {said.reflection_id} if isinstance(said, Announced) else set(getattr(said, "reflections", ()))
    assert told == {*about, later}


@pytest.mark.parametrize("retried", [QUARTER - SECOND, QUARTER, QUARTER + SECOND])
async def test_new_lines_join_an_unsent_announcement(home: Home, retried: timedelta) -> None:
    about = await shared(home, 2)
    home.clock.advance(QUARTER)
    async with home.store.writing() as rows:
        bob = await rows.users.find(BOB)
        assert bob
        first, *_ = [one for one in await rows.notices.claim(home.now, 100, 1) if one.kind in KINDS]
        assert await Announcing().announce(Visit(rows, bob, home.now), first) is None
        (together_,) = await rows.notices.claim(home.now, 100, 1)
        await rows.notices.retry(together_, home.now + retried, unclear=0)
    later = await home.shares()
    home.clock.advance(QUARTER)
    if retried > QUARTER:
        assert await hears(home) == []
        home.clock.set(home.now - QUARTER + retried)
    (together,) = await hears(home)
    assert isinstance(together, AnnouncedTogether)
    assert set(together.reflections) == {*about, later}


async def test_taking_one_back_keeps_the_others(home: Home) -> None:
    for _ in range(home.rounds):
        about = await shared(home, 3)
        home.clock.advance(QUARTER)
        heard, _ = await asyncio.gather(hears(home), home.takes_back(about[0]))
        heard += await hears(home)
        (together,) = heard
        assert isinstance(together, AnnouncedTogether)
        assert set(about[1:]) <= set(together.reflections) <= set(about)
        assert await states(home, about) == [State.WITHDRAWN, State.ANNOUNCED, State.ANNOUNCED]
        opened = [await home.opens(one) for one in about]
        assert [type(one) for one in opened[1:]] == [Opened, Opened]
        assert opened[0] == TakenBack() or (opened[0] == NothingHere() and about[0] not in together.reflections)
        assert await home.due() == []
        home.clock.advance(APART)


async def test_end_leaves_nothing_to_announce(home: Home) -> None:
    for number in range(home.rounds):
        about = await shared(home, 3)
        home.clock.advance(QUARTER)
        await asyncio.gather(hears(home), home.leaves((ALICE, BOB)[number % 2]))
        assert await hears(home) == []
        assert await states(home, about) == [State.CANCELLED] * 3
        assert [one for one in await home.due() if one[1] in KINDS] == []
        await home.pair()
        home.clock.advance(APART)


@pytest.mark.parametrize("count", [1, 3])
async def test_rest_follows_a_taken_back_announcement(home: Home, count: int) -> None:
    (knock,) = await home.announced()
    await home.takes_back(knock)
    about = await shared(home, count)
    home.clock.advance(AFTER_TAKEN_BACK - timedelta(seconds=1))
    assert await hears(home) == []
    home.clock.advance(timedelta(seconds=1))
    assert len(await hears(home)) == 1
    assert await states(home, about) == [State.ANNOUNCED] * count


async def test_postponed_line_comes_on_time(home: Home) -> None:
    """Neither a rest nor other lines delay it, and what waits for a rest comes along."""
    (first,) = await home.announced()
    await home.puts_off(first)
    home.clock.advance(timedelta(days=1) - 3 * QUARTER)
    (knock,) = await shared(home, 1)
    home.clock.advance(QUARTER)
    assert await hears(home) == [Announced(knock)]
    await home.takes_back(knock)
    (second,) = await shared(home, 1)
    home.clock.advance(2 * QUARTER)
    (together,) = await hears(home)
    assert isinstance(together, AnnouncedTogether)
    assert set(together.reflections) == {first, second}


async def test_buttons_act_on_what_is_left(home: Home) -> None:
    about = await shared(home, 3)
    home.clock.advance(QUARTER)
    (together,) = await hears(home)
    assert isinstance(together, AnnouncedTogether)
    await home.opens(about[0])
    await home.takes_back(about[1])
    later = await home.do(BOB, lambda visit: home.receiving.put_off_all(visit, "tomorrow", together.announcement_id))
    assert isinstance(later, AllLater)
    home.clock.set(later.until)
    assert await hears(home) == [Announced(about[2])]
    gone = await home.do(BOB, lambda visit: home.receiving.all_not_now(visit, together.announcement_id))
    assert isinstance(gone, WaitingShown), "of that message there is nothing left: it is said what else there is"
    assert [one for one, _ in gone.reflections] == [about[2]]


async def test_not_now_covers_all_lines(home: Home) -> None:
    about = await shared(home, 2)
    home.clock.advance(QUARTER)
    (together,) = await hears(home)
    assert isinstance(together, AnnouncedTogether)
    said = await home.do(BOB, lambda visit: home.receiving.all_not_now(visit, together.announcement_id))
    assert said == AllNotNow(together.announcement_id)
    home.clock.advance(timedelta(days=9))
    assert await hears(home) == []
    assert await states(home, about) == [State.ANNOUNCED] * 2


async def test_foreign_message_cannot_be_postponed(home: Home) -> None:
    await shared(home, 2)
    home.clock.advance(QUARTER)
    (together,) = await hears(home)
    assert isinstance(together, AnnouncedTogether)
    said = await home.do(ALICE, lambda visit: home.receiving.all_not_now(visit, together.announcement_id))
    assert said == WaitingShown(())


def test_rest_equals_the_gathering_time() -> None:
    assert TOGETHER == QUARTER
