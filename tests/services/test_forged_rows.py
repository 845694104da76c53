"""Whoever can write every row but has no key can show nobody what they must not see, or must not see yet.

Charlie, Dora, Eve and Fred are accounts of the attacker. All their rows are written directly, past the bot.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from bot.clock import HandClock
from bot.crypto import CannotOpen, seal
from bot.domain.content import Sensitivity, Wish
from bot.domain.results import NothingHere
from bot.domain.results.pairing import NotPaired
from bot.domain.results.receiving import Opened, WaitingShown
from bot.domain.results.responses import LandedBadly, LandedWell, ResponseReceived
from bot.domain.results.ritual import RitualPreview
from bot.domain.results.sharing import Shared
from bot.domain.ritual import Terms
from bot.domain.sharing import Response, ResponseKind, State, When
from bot.services.names import name_of
from bot.storage.ids import timeless_id
from bot.storage.schema import pair_members, pairs, reflections, responses, ritual_seats, rituals, users
from bot.storage.store import Store
from tests.services import test_ritual as ritual
from tests.services.test_ritual import home as ritual_home  # noqa: F401  # the fixture
from tests.services.test_sharing import ALICE, BOB, WORDS, Home, make_home

CHARLIE, DORA, EVE, FRED = range(1003, 1007)
SHARED = {"shared_at": ritual.NOON, "announced_at": ritual.NOON, "opened_at": ritual.NOON}


@pytest.fixture
async def home(store: Store, clock: HandClock) -> Home:
    home = await make_home(store, clock)
    async with store.writing() as rows:
        for user_id in (CHARLIE, DORA, EVE, FRED):
            await rows.users.add(user_id, "en", clock.now())
        assert await rows.pairs.make(CHARLIE, DORA, clock.now())
    return home


async def writes(home: Any, table: Any, about: int | None = None, **facts: Any) -> None:
    """Write these facts into a row, or into all of them."""
    async with home.store.writing() as rows:
        where = [table.c.id == about] if about else []
        await rows._connection.execute(update(table).where(*where).values(**facts))


async def reads(home: Any, column: Any, about: int) -> Any:
    async with home.store.reading() as rows:
        return (await rows._connection.execute(select(column).where(column.table.c.id == about))).scalar_one()


async def pair_of(home: Home, user_id: int) -> int:
    async with home.store.reading() as rows:
        pair = await rows.pairs.active(user_id)
    assert pair
    return pair.id


async def is_shown_to(home: Home, user_id: int, about: int) -> bool:
    """Return whether this user can see anything of it, in any way."""
    opened = await home.do(user_id, lambda visit: home.receiving.open(visit, about))
    waiting = await home.do(user_id, home.receiving.waiting)
    listed = isinstance(waiting, WaitingShown) and about in [one for one, _ in waiting.reflections]
    async with home.store.reading() as rows:
        words = await rows.reflections.words_for(user_id, about)
        there = await rows.reflections.theirs(user_id, about)
    assert isinstance(opened, Opened) or opened == NothingHere()
    return isinstance(opened, Opened) or listed or words is not None or there is not None


@pytest.mark.parametrize("state", sorted(set(State) - {State.DRAFTED, State.LAPSED}))
async def test_forged_receiver_sees_nothing(home: Home, state: State, capsys: pytest.CaptureFixture[str]) -> None:
    (about,) = await home.announced()
    facts = {"partner_id": CHARLIE, "pair_id": await pair_of(home, CHARLIE), "state": state, **SHARED}
    await writes(home, reflections, about, **facts)
    assert not await is_shown_to(home, CHARLIE, about)
    logged = capsys.readouterr().out
    assert "incident=" in logged
    assert WORDS not in logged


async def test_forged_pair_helps_nobody(home: Home) -> None:
    (about,) = await home.announced()
    pair_id = await home.pair()
    async with home.store.writing() as rows:
        of_charlie = pair_members.c.user_id == CHARLIE
        await rows._connection.execute(update(pair_members).where(of_charlie).values(pair_id=pair_id))
    await writes(home, reflections, about, partner_id=CHARLIE)
    await writes(home, pairs, pair_id, b=CHARLIE)
    for user_id in (ALICE, BOB, CHARLIE):
        async with home.store.reading() as rows:
            assert await rows.pairs.active(user_id) is None
            assert await rows.reflections.theirs(user_id, about) is None
            assert await rows.reflections.words_for(user_id, about) is None


async def test_reflection_belongs_to_one_pair(home: Home) -> None:
    (about,) = await home.announced()
    await writes(home, reflections, about, pair_id=await pair_of(home, CHARLIE))
    async with home.store.reading() as rows:
        assert await rows.reflections.theirs(BOB, about) is None
        assert await rows.reflections.words_for(BOB, about) is None


async def test_nobody_is_slipped_into_a_pair(home: Home) -> None:
    """Otherwise Alice would share with them from now on, if they call themselves Bob."""
    about = await home.drafts()
    await home.wishes(about, Wish.LISTEN)
    await writes(home, pairs, await home.pair(), b=EVE)
    assert not isinstance(await home.sets(about, When.QUARTER), Shared)
    assert await home.waiting() == NotPaired()


async def test_pair_of_rows_alone_is_none(home: Home) -> None:
    async with home.store.writing() as rows:
        await rows.users.set_name(EVE, "Eve")
        pair_id, a, b = timeless_id(), EVE, FRED
        await rows._connection.execute(insert(pairs).values(id=pair_id, a=a, b=b, since=home.now))
        for user_id in (a, b):
            await rows._connection.execute(insert(pair_members).values(user_id=user_id, pair_id=pair_id))
    async with home.store.reading() as rows:
        assert await rows.pairs.active(a) is None
        assert await rows.pairs.active(b) is None
        assert await name_of(rows, a) == "Eve"


@pytest.mark.parametrize("state", [State.ANNOUNCED, State.OPENED])
async def test_forged_state_shares_no_draft(home: Home, state: State) -> None:
    about = await home.drafts()
    await home.wishes(about, Wish.LISTEN)
    await writes(home, reflections, about, state=state, due_at=home.now, **SHARED)
    assert not await is_shown_to(home, BOB, about)


async def test_yes_covers_one_line(home: Home) -> None:
    (shared,), about = await home.announced(), await home.drafts()
    consent, due_at = await reads(home, reflections.c.consent, shared), await reads(home, reflections.c.due_at, shared)
    await writes(home, reflections, about, state=State.ANNOUNCED, due_at=due_at, consent=consent, **SHARED)
    assert not await is_shown_to(home, BOB, about)
    assert await is_shown_to(home, BOB, shared)


async def test_nothing_comes_too_early(home: Home) -> None:
    about = await home.shares()
    await writes(home, reflections, about, state=State.ANNOUNCED, announced_at=home.now)
    assert not isinstance(await home.opens(about), Opened)
    await writes(home, reflections, about, due_at=home.now)
    assert not await is_shown_to(home, BOB, about)


async def test_moved_words_are_listed_unopened(home: Home) -> None:
    first, second, third = await home.announced(3)
    words = [await reads(home, reflections.c.words, about) for about in (first, second)]
    await writes(home, reflections, first, words=words[1])
    await writes(home, reflections, second, words=words[0])
    waiting = await home.waiting()
    assert isinstance(waiting, WaitingShown)
    assert [about for about, _ in waiting.reflections] == [third]
    for about in (first, second):
        assert await home.opens(about) == NothingHere()
    assert isinstance(await home.opens(third), Opened)


async def test_forged_rows_hide_nothing(home: Home) -> None:
    about = await home.announced(12)
    await writes(home, reflections, due_at=home.now - timedelta(minutes=1))
    real = await home.shares()
    home.clock.advance(timedelta(minutes=15))
    waiting = await home.waiting()
    assert isinstance(waiting, WaitingShown)
    assert [one for one, _ in waiting.reflections] == [real]
    assert real not in about


async def test_untied_words_do_not_open(home: Home) -> None:
    """An old copy holds words that are tied to nobody."""
    (about,) = await home.announced()
    async with home.store.reading() as rows:
        key = await rows.users.data_key(ALICE)
    old = seal(key, WORDS, table="reflections", column="words", row=about, user=ALICE)
    facts = {"partner_id": CHARLIE, "pair_id": await pair_of(home, CHARLIE), "words": old, "consent": None}
    await writes(home, reflections, about, **facts)
    assert not await is_shown_to(home, CHARLIE, about)
    wrapped = await reads(home, users.c.data_key, ALICE)
    await writes(home, users, ALICE, data_key=b"\x01" + wrapped[1:])
    with pytest.raises(CannotOpen, match="does not open"):
        await is_shown_to(home, CHARLIE, about)
    assert await home.store.tie_all() == 0, "a data key that was made to look older is none"


@pytest.mark.parametrize("how", ["reword", "time"])
async def test_sharer_reseals_nothing_for_somebody_else(home: Home, how: str) -> None:
    about = await home.shares()
    await writes(home, reflections, about, partner_id=CHARLIE)
    if how == "reword":
        with pytest.raises(CannotOpen):
            await home.rewords(about, "Other words.", 7)
    else:
        assert not isinstance(await home.sets(about, When.HOUR), Shared)
        assert await reads(home, reflections.c.state, about) == State.SCHEDULED
    await writes(home, reflections, about, pair_id=await pair_of(home, CHARLIE), state=State.ANNOUNCED, **SHARED)
    home.clock.advance(timedelta(hours=2))
    assert not await is_shown_to(home, CHARLIE, about)


async def test_wish_can_not_be_forged(home: Home) -> None:
    (about,) = await home.announced()
    await writes(home, reflections, about, wish=Wish.ADVICE)
    opened = await home.opens(about)
    assert isinstance(opened, Opened)
    assert opened.wish is Wish.LISTEN


async def test_forged_time_needs_the_same_wish(home: Home) -> None:
    about = await home.shares()
    await writes(home, reflections, about, due_at=home.now + timedelta(minutes=1))
    assert await home.wishes(about, Wish.ADVICE) is not None
    home.clock.advance(timedelta(minutes=2))
    await writes(home, reflections, about, state=State.ANNOUNCED, **SHARED)
    assert not await is_shown_to(home, BOB, about)


# Answers


async def answered(home: Home, words: str) -> tuple[int, Response]:
    (about,) = await home.announced()
    await home.opens(about)
    await home.answers(about, ResponseKind.LINE)
    response_id = await home.replies(about, words)
    async with home.store.reading() as rows:
        response = await rows.responses.mine(BOB, response_id)
    assert response
    return about, response


async def test_forged_state_sends_no_line_back(home: Home) -> None:
    about, response = await answered(home, "I never said this.")
    await writes(home, responses, response.id, sent_at=home.now)
    await writes(home, reflections, about, state=State.ANSWERED)
    async with home.store.reading() as rows:
        got = await rows.responses.theirs(ALICE, response.id)
        assert got
        assert await rows.responses.words(got) == "\ufffd"


async def test_line_back_is_for_one_sharer(home: Home) -> None:
    about, response = await answered(home, "For Alice.")
    await home.sends(response.id)
    await home.goes_out()
    async with home.store.reading() as rows:
        assert await rows.responses.words(response) == "For Alice."
    await writes(home, reflections, about, user_id=CHARLIE)
    async with home.store.reading() as rows:
        got = await rows.responses.theirs(CHARLIE, response.id)
        assert got is None or await rows.responses.words(got) == "\ufffd"


async def test_question_is_tied_to_its_receiver(home: Home) -> None:
    """Under words that were given without a question, a question that is moved there doesn't open."""
    first, second = await home.announced(2)
    async with home.store.writing(ALICE) as rows:
        found = await rows.reflections.mine(ALICE, first)
        assert found
        assert await rows.reflections.set_question(found, "work.1a")
    await home.opens(first)
    await home.opens(second)
    async with home.store.reading() as rows:
        assert await rows.reflections.question_for(BOB, first) == "work.1a"
        assert await rows.reflections.question_for(BOB, second) is None
        query = select(reflections.c.question).where(reflections.c.id == first)
        question = (await rows._connection.execute(query)).scalar_one()
    await writes(home, reflections, second, question=question)
    async with home.store.reading() as rows:
        assert await rows.reflections.question_for(BOB, second) is None


@pytest.mark.parametrize("well", [True, False])
async def test_how_it_landed_is_unreadable(home: Home, well: bool) -> None:
    _, response = await answered(home, "Yes.")
    await home.sends(response.id)
    await home.goes_out()
    assert type(await home.lands(response.id, well=well)) is (LandedWell if well else LandedBadly)
    async with home.store.reading() as rows:
        row = (await rows._connection.execute(select(responses))).one()
        got = await rows.responses.theirs(ALICE, response.id)
        assert got
        assert got.landed is well
        mine = await rows.responses.mine(BOB, response.id)
        assert mine
        assert mine.landed is None
    assert row.landed is None
    assert len(row.landing) == 93, "as long for one as for the other"
    await writes(home, responses, response.id, landed=int(not well), landing=row.landing[::-1])
    shown = await home.looks(response.reflection_id)
    assert isinstance(shown, ResponseReceived)
    assert shown.landed


# The Ritual


async def test_ritual_terms_are_unreadable(ritual_home: ritual.Home) -> None:  # noqa: F811
    await ritual_home.agreed()
    lengths = set()
    for terms in Terms:
        await ritual_home.puts_in(ALICE, "Mine.", terms)
        async with ritual_home.store.reading() as rows:
            member = await rows.rituals.member_of(ALICE)
            assert member
            assert member.terms is terms
            row = (await rows._connection.execute(select(ritual_seats).where(ritual_seats.c.id == member.id))).one()
        assert row.terms is None
        lengths.add(len(row.consent))
    assert len(lengths) == 1


@pytest.mark.parametrize("forged", ["another", "earlier", "terms"])
async def test_only_entered_lines_go_out(ritual_home: ritual.Home, forged: str) -> None:  # noqa: F811
    home = ritual_home
    await home.agreed()
    moment = await home.moment()
    kept = await home.puts_in(ALICE, "Only if there is one from you.", Terms.MET)
    async with home.store.reading() as rows:
        member = await rows.rituals.member_of(ALICE)
    assert member
    if forged == "another":
        preview = await home.drafts(ALICE, "Previewed, and not put in.")
        assert isinstance(preview, RitualPreview)
        await writes(home, ritual_seats, member.id, reflection_id=preview.reflection_id)
    elif forged == "terms":
        await writes(home, ritual_seats, member.id, terms="either", consent=None)
    else:
        await home.puts_in(ALICE, "At eight.", Terms.EITHER)
        await writes(home, rituals, next_at=home.now)
        moment = home.now
    home.clock.set(moment)
    await home.meet()
    async with home.store.reading() as rows:
        states = (await rows._connection.execute(select(reflections.c.state))).scalars()
        assert not set(states) & {State.SCHEDULED, State.ANNOUNCED}
        assert await rows.reflections.theirs(BOB, kept) is None


# Muted themes


async def test_left_out_themes_are_unreadable(home: Home) -> None:
    rest: Sequence[frozenset[str]] = (frozenset(), frozenset(map(str, Sensitivity)))
    lengths = set()
    for muted in rest:
        async with home.store.writing() as rows:
            user = await rows.users.find(ALICE)
            assert user
            await rows.users.change(user, muted_sensitivities=muted, muted_themes=frozenset({"work"} if muted else ()))
        async with home.store.reading() as rows:
            user = await rows.users.find(ALICE)
            row = (await rows._connection.execute(select(users).where(users.c.id == ALICE))).one()
        assert user
        assert user.muted_sensitivities == muted
        assert row.muted_sensitivities == row.muted_themes == frozenset()
        lengths.add(len(row.muted))
    assert len(lengths) == 1


@pytest.mark.parametrize("forged", [None, b"", b"\x01 no such thing"])
async def test_forged_row_unmutes_no_theme(home: Home, forged: bytes | None) -> None:
    async with home.store.writing() as rows:
        user = await rows.users.find(ALICE)
        assert user
        await rows.users.change(user, muted_sensitivities=frozenset({"loss"}))
    await writes(home, users, ALICE, muted=forged)
    async with home.store.reading() as rows:
        user = await rows.users.find(ALICE)
        assert user
        assert "loss" in user.muted_sensitivities
