"""The Ritual on both databases: races at the moment, silence, cool-off, and a bot that was away."""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

import pytest
from sqlalchemy import select

from bot.clock import HandClock
from bot.domain.content import Cue, Format, Prompt, Role, Theme, Wish
from bot.domain.model import Dialog, Line, Pair, Rhythm, Waiting
from bot.domain.notices import Notice, NoticeKind
from bot.domain.results import Result
from bot.domain.results.pairing import NotPaired, SharingEnded
from bot.domain.results.ritual import (
    RitualAsked,
    RitualDeclined,
    RitualEnded,
    RitualLineWanted,
    RitualMorning,
    RitualNone,
    RitualNothing,
    RitualPreview,
    RitualProposed,
    RitualPutIn,
    RitualShown,
    RitualTermsWanted,
    RitualTooLate,
)
from bot.domain.results.sharing import ShareShown
from bot.domain.ritual import PROPOSAL_VALID_FOR, Terms
from bot.domain.sharing import State, When, offered
from bot.library import Library
from bot.services.next_ritual import next_ritual_at
from bot.services.pairing import Pairing
from bot.services.ritual import ANSWERS, NOTICED, Rituals
from bot.services.sharing import Sharing
from bot.services.visit import Visit
from bot.storage.ids import new_id
from bot.storage.notices import Settled
from bot.storage.schema import dialogs, reflections, ritual_seats, rituals
from bot.storage.store import Rows, Store
from tests.clockwork import utc
from tests.services.home import BaseHome

ALICE, BOB, CHARLIE = 1001, 1002, 1003
SUNDAY = 6
NOON = utc("2026-11-22 12:00")  # a Sunday; the Ritual is at eight in the evening, London time


def library() -> Library:
    deep = Prompt("deep", "fears", 5, "What?", Role.TELLER, Format.ONE_FACT, ("x", "y"))
    light = Prompt("light", "home", 1, "Where?", Role.TELLER, Format.ONE_FACT, ("x", "y"))
    themes = [Theme("fears", "Fears"), Theme("home", "Home")]
    return Library.of(themes, [deep, light], [Cue(f"{wish}.nod", wish, "A nod.") for wish in Wish])


@dataclass
class Home(BaseHome):
    """Alice and Bob, who are a Pair, and Charlie."""

    sharing: Sharing
    rituals: Rituals
    pairing: Pairing

    async def show(self, user_id: int) -> Result:
        return await self.do(user_id, self.rituals.show)

    async def propose(self, user_id: int, hour: int = 20) -> Result:
        return await self.do(user_id, lambda visit: self.rituals.propose(visit, SUNDAY, hour))

    async def agree(self, user_id: int, ritual_id: int, *, same_question: bool = False) -> Result:
        return await self.do(user_id, lambda visit: self.rituals.agree(visit, ritual_id, same_question=same_question))

    async def agreed_with(self, *, proposed: bool, accepted: bool) -> Result:
        """Agree on a Ritual, where Alice proposes the same question or not, and Bob accepts it or not."""
        shown = await self.do(ALICE, lambda visit: self.rituals.propose(visit, SUNDAY, 20, proposed))
        assert isinstance(shown, RitualProposed)
        return await self.agree(BOB, shown.ritual_id, same_question=accepted)

    async def morning(self, user_id: int) -> Result | None:
        (notice,) = [each for each in await self.claim(NoticeKind.RITUAL_MORNING) if each.user_id == user_id]
        return await self.do(user_id, lambda visit: self.rituals.invite(visit, notice))

    async def end(self, user_id: int, ritual_id: int) -> Result:
        return await self.do(user_id, lambda visit: self.rituals.end(visit, ritual_id))

    async def takes_back(self, user_id: int, ritual_id: int) -> Result:
        return await self.do(user_id, lambda visit: self.rituals.take_back(visit, ritual_id))

    async def declines(self, user_id: int, ritual_id: int) -> Result:
        return await self.do(user_id, lambda visit: self.rituals.decline(visit, ritual_id))

    async def agreed(self) -> int:
        proposed = await self.propose(ALICE)
        assert isinstance(proposed, RitualProposed)
        shown = await self.agree(BOB, proposed.ritual_id)
        assert isinstance(shown, RitualShown)
        return proposed.ritual_id

    async def line(self, user_id: int, words: str, prompt_id: str | None = None) -> int:
        async with self.store.writing(user_id) as rows:
            message_id = new_id(self.now) & 0xFFFFFF
            line = Line(new_id(self.now), user_id, self.now.date(), None, message_id)
            await rows.lines.keep(line, words, prompt_id=prompt_id, now=self.now)
        return line.id

    async def drafts(self, user_id: int, words: str, prompt_id: str | None = None) -> Result:
        line_id = await self.line(user_id, words, prompt_id)
        moment = await self.moment()
        return await self.do(user_id, lambda visit: self.rituals.choose(visit, moment, line_id))

    async def moment(self) -> datetime:
        """The next moment of the Ritual, or now if there is none."""
        async with self.store.reading() as rows:
            pair = await rows.pairs.active(ALICE)
            ritual = await rows.rituals.of_pair(pair.id, self.now) if pair else None
        return ritual.next_at if ritual else self.now

    async def puts_in(self, user_id: int, words: str, terms: Terms) -> int:
        preview = await self.drafts(user_id, words)
        assert isinstance(preview, RitualPreview)
        about = preview.reflection_id
        wished = await self.do(user_id, lambda visit: self.rituals.wish(visit, Wish.ADVICE, about))
        assert isinstance(wished, RitualTermsWanted)
        done = await self.do(user_id, lambda visit: self.rituals.put_in(visit, terms, about))
        assert isinstance(done, RitualPutIn)
        return about

    async def meet(self) -> None:
        """Return what the outbox does about the moment, if it is due."""
        for notice in await self.claim(NoticeKind.RITUAL_MOMENT):
            async with self.store.writing(notice.user_id) as rows:
                user = await rows.users.find(notice.user_id)
                assert user
                assert await self.rituals.deliver_moment(Visit(rows, user, self.now), notice) is None

    async def types(self, user_id: int, words: str) -> Result | None:
        """Take a text as what the Ritual awaits."""

        async def typed(visit: Visit) -> Result:
            dialog = await visit.rows.dialogs.find(user_id, self.now)
            assert dialog
            return await self.rituals.typed[Waiting.RITUAL_LINE](visit, dialog, words, 77)  # type: ignore[return-value]

        return await self.do(user_id, typed)

    async def claim(self, kind: NoticeKind) -> list[Notice]:
        async with self.store.writing() as rows:
            found = await rows.notices.claim(self.now, 100, 1)
            for notice in found:
                if notice.kind is not kind:
                    await rows.notices.put_off(notice, self.now)
        return [notice for notice in found if notice.kind is kind]

    async def states(self, *reflection_ids: int) -> list[State | None]:
        async with self.store.reading() as rows:
            found = [
                await rows.reflections.mine(ALICE, one) or await rows.reflections.mine(BOB, one)
                for one in reflection_ids
            ]
        return [one.state if one else None for one in found]


@pytest.fixture
async def home(store: Store, clock: HandClock) -> Home:
    clock.set(NOON)
    async with store.writing() as rows:
        for user_id, name in ((ALICE, "Alice"), (BOB, "Bob"), (CHARLIE, "Charlie")):
            user = await rows.users.add(user_id, "en", clock.now())
            await rows.users.change(user, ask_at=time(20), zone="Europe/London", quiet_from=None)
            await rows.users.set_name(user_id, name)
        assert await rows.pairs.make(ALICE, BOB, clock.now())
    sharing = Sharing(library())
    rituals = Rituals(sharing, library())
    return Home(store, clock, sharing, rituals, Pairing(rituals.on_unpaired, sharing.on_unpaired))


async def test_ritual_takes_both(home: Home) -> None:
    assert await home.show(ALICE) == RitualNone()
    proposed = await home.propose(ALICE)
    assert isinstance(proposed, RitualProposed)
    assert proposed.at == utc("2026-11-22 20:00")
    assert await home.show(BOB) == RitualAsked(proposed.ritual_id, proposed.at)
    assert await home.agree(ALICE, proposed.ritual_id) == proposed  # not their own
    assert await home.agree(CHARLIE, proposed.ritual_id) == NotPaired()
    assert await home.agree(BOB, proposed.ritual_id) == RitualShown(
        proposed.ritual_id, proposed.at, new=True, open=True
    )


async def test_one_of_two_proposals_stands(home: Home) -> None:
    shown = await asyncio.gather(home.propose(ALICE, 20), home.propose(BOB, 21))
    assert {type(one) for one in shown} == {RitualProposed, RitualAsked}
    assert len({one.ritual_id for one in shown if isinstance(one, RitualProposed | RitualAsked)}) == 1


@pytest.mark.parametrize("heard", [True, False])
async def test_repeated_proposals_can_not_knock(home: Home, heard: bool) -> None:
    """Bob is asked at most once a week; a proposal he was never asked about doesn't count."""
    for _ in range(2):
        proposed = await home.propose(ALICE)
        assert isinstance(proposed, RitualProposed)
        if heard:
            for notice in await home.claim(NoticeKind.RITUAL_ASKED):
                async with home.store.writing() as rows:
                    assert await rows.notices.sending(notice)
                    await rows.notices.settle(notice, Settled.SENT, home.now)
        await home.takes_back(ALICE, proposed.ritual_id)
        assert await home.show(BOB) == RitualNone()
    proposed = await home.propose(ALICE, 21)
    assert len(await home.claim(NoticeKind.RITUAL_ASKED)) == (0 if heard else 1)
    assert isinstance(await home.show(BOB), RitualAsked)  # he may look, and has the earlier message
    assert await home.show(ALICE) == proposed
    home.clock.advance(PROPOSAL_VALID_FOR)
    proposed = await home.propose(ALICE)
    assert isinstance(proposed, RitualProposed)
    assert proposed.ritual_id in {notice.subject_id for notice in await home.claim(NoticeKind.RITUAL_ASKED)}


async def test_proposal_expires(home: Home) -> None:
    proposed = await home.propose(ALICE)
    assert isinstance(proposed, RitualProposed)
    home.clock.advance(PROPOSAL_VALID_FOR)
    assert await home.agree(BOB, proposed.ritual_id) == RitualNone()
    assert isinstance(await home.propose(BOB), RitualProposed)


@pytest.mark.parametrize(
    ("hers", "his", "out"),
    [
        (Terms.MET, Terms.MET, [State.SCHEDULED, State.SCHEDULED]),
        (Terms.MET, Terms.EITHER, [State.SCHEDULED, State.SCHEDULED]),
        (Terms.EITHER, None, [State.SCHEDULED]),
        (Terms.MET, None, [State.LAPSED]),
    ],
)
async def test_matching_entries_go_out_for_both(home: Home, hers: Terms, his: Terms | None, out: list[State]) -> None:
    await home.agreed()
    items = [await home.puts_in(ALICE, "hers", hers)]
    if his:
        items.append(await home.puts_in(BOB, "his", his))
    home.clock.set(utc("2026-11-22 19:59"))
    await home.meet()
    assert await home.states(*items) == [State.DRAFTED] * len(items)
    home.clock.set(utc("2026-11-22 20:00"))
    await home.meet()
    await home.meet()
    assert await home.states(*items) == out
    announced = await home.claim(NoticeKind.REFLECTION)
    assert len(announced) == out.count(State.SCHEDULED)
    async with home.store.reading() as rows:
        assert all(not member.reflection_id for member in await rows.rituals.members(await rituals_of(rows)))
    shown = await home.show(BOB)
    assert isinstance(shown, RitualShown)
    assert (shown.at, shown.reflection_id) == (utc("2026-11-29 20:00"), 0)


async def rituals_of(rows: Rows) -> int:
    pair = await rows.pairs.active(ALICE)
    assert isinstance(pair, Pair)
    ritual = await rows.rituals.of_pair(pair.id, NOON)
    assert ritual
    return ritual.id


async def test_shared_line_meets_too(home: Home) -> None:
    await home.agreed()
    hers = await home.puts_in(ALICE, "hers", Terms.MET)
    line_id = await home.line(BOB, "his")
    async with home.store.writing(BOB) as rows:
        bob, pair, line = await rows.users.find(BOB), await rows.pairs.active(BOB), await rows.lines.find(BOB, line_id)
        assert bob
        assert pair
        assert line
        his = await home.sharing.draft(Visit(rows, bob, home.now), pair, line)
        await rows.reflections.wish(his, Wish.LISTEN)
        moment = await next_ritual_at(rows, pair.id, home.now)
        assert offered(home.now, "Europe/London", None, moment)[When.RITUAL] == utc("2026-11-22 20:00")
        await home.sharing.set_time(Visit(rows, bob, home.now), When.RITUAL, None, his.id)
    home.clock.set(utc("2026-11-22 20:00"))
    await home.meet()
    assert await home.states(hers) == [State.SCHEDULED]


async def test_no_to_a_replaced_proposal_counts(home: Home) -> None:
    """Nobody hears of the second one: a no to the first must not be answered by asking again."""

    async def says_no(to: Result) -> Result:
        assert isinstance(to, RitualProposed)
        about = to.ritual_id
        return await home.do(BOB, lambda visit: home.rituals.decline(visit, about))

    first = await home.propose(ALICE)
    assert isinstance(first, RitualProposed)
    await home.claim(NoticeKind.RITUAL_ASKED)
    await home.takes_back(ALICE, first.ritual_id)
    assert await says_no(first) == RitualDeclined()
    again = await home.propose(ALICE)
    assert await says_no(first) == RitualDeclined()
    mine = await home.do(ALICE, lambda visit: home.rituals.decline(visit, first.ritual_id))
    assert mine == again, "one's own proposal is not declined"
    await home.agree(BOB, again.ritual_id if isinstance(again, RitualProposed) else 0)
    assert isinstance(await says_no(first), RitualShown), "what is agreed is ended otherwise"


async def test_late_delivery_shows_the_planned_moment(home: Home) -> None:
    """Otherwise the sharer could tell from it that the bot, or the other one's chat, was out of reach."""
    await home.agreed()
    home.clock.set(utc("2026-11-22 19:00"))
    about = await home.puts_in(ALICE, "Mine.", Terms.EITHER)
    home.clock.set(utc("2026-11-22 20:04"))
    await home.meet()
    shown = await home.do(ALICE, lambda visit: home.sharing.show(visit, about))
    assert isinstance(shown, ShareShown)
    assert shown.at == utc("2026-11-22 20:00")


async def test_deep_line_needs_an_hour(home: Home) -> None:
    await home.agreed()
    home.clock.set(utc("2026-11-22 19:01"))
    assert await home.drafts(ALICE, "deep down", "deep") == RitualTooLate(utc("2026-11-22 20:00"), minutes=60)
    late = await home.drafts(ALICE, "light")
    assert isinstance(late, RitualPreview)
    home.clock.set(utc("2026-11-22 19:51"))
    about = late.reflection_id
    refused = await home.do(ALICE, lambda visit: home.rituals.put_in(visit, Terms.EITHER, about))
    assert refused == RitualTooLate(utc("2026-11-22 20:00"), minutes=10)
    home.clock.set(utc("2026-11-22 20:00"))
    await home.meet()
    assert await home.states(about) == [State.LAPSED]  # previewed but never put in


async def test_later_line_replaces_what_was_in(home: Home) -> None:
    await home.agreed()
    first = await home.puts_in(ALICE, "first", Terms.EITHER)
    second = await home.puts_in(ALICE, "second", Terms.EITHER)
    home.clock.set(utc("2026-11-22 20:00"))
    await home.meet()
    assert await home.states(first, second) == [None, State.SCHEDULED]


async def test_taken_out_leaves_no_trace(home: Home) -> None:
    await home.agreed()
    item = await home.puts_in(ALICE, "hers", Terms.EITHER)
    assert await home.do(BOB, lambda visit: home.rituals.take_out(visit, item)) != RitualNothing()
    assert await home.states(item) == [State.DRAFTED]
    assert await home.do(ALICE, lambda visit: home.rituals.take_out(visit, item)) == RitualNothing()
    his = await home.puts_in(BOB, "his", Terms.MET)
    home.clock.set(utc("2026-11-22 20:00"))
    await home.meet()
    assert await home.states(item, his) == [None, State.LAPSED]


async def test_rejection_keeps_the_earlier_entry(home: Home) -> None:
    ritual_id = await home.agreed()
    first = await home.puts_in(ALICE, "first", Terms.EITHER)
    second = await home.drafts(ALICE, "second")
    assert isinstance(second, RitualPreview)
    left = await home.do(ALICE, lambda visit: home.rituals.take_out(visit, second.reflection_id))
    assert left == RitualShown(ritual_id, utc("2026-11-22 20:00"), open=True, reflection_id=first)
    async with home.store.reading() as rows:
        alice = await rows.users.find(ALICE)
        assert alice
        assert (await home.rituals.read_shown(Visit(rows, alice, home.now), left))["words"] == "first"
    assert await home.states(first) == [State.DRAFTED]


async def test_deleted_line_takes_its_entry_along(home: Home) -> None:
    await home.agreed()
    item = await home.puts_in(ALICE, "hers", Terms.EITHER)
    his = await home.puts_in(BOB, "his", Terms.MET)
    async with home.store.writing(ALICE) as rows:
        found = await rows.reflections.mine(ALICE, item)
        assert found
        assert found.line_id
        await rows.reflections.line_deleted(found.line_id)
    shown = await home.show(ALICE)
    assert isinstance(shown, RitualShown)
    assert not shown.reflection_id
    home.clock.set(utc("2026-11-22 20:00"))
    await home.meet()
    assert await home.states(item, his) == [State.WITHDRAWN, State.LAPSED]


async def test_taking_out_races_with_delivery(home: Home) -> None:
    await home.agreed()
    item = await home.puts_in(ALICE, "hers", Terms.EITHER)
    home.clock.set(utc("2026-11-22 19:59") + timedelta(seconds=59))
    before = home.now
    home.clock.set(utc("2026-11-22 20:00"))
    taken, _ = await asyncio.gather(
        home.do(ALICE, lambda visit: home.rituals.take_out(replace(visit, now=before), item)), home.meet()
    )
    assert await home.states(item) == ([None] if taken == RitualNothing() else [State.SCHEDULED])
    assert len(await home.claim(NoticeKind.REFLECTION)) == (0 if taken == RitualNothing() else 1)


async def test_concurrent_moments_deliver_once(home: Home) -> None:
    ritual_id = await home.agreed()
    await home.puts_in(ALICE, "hers", Terms.EITHER)
    home.clock.set(utc("2026-11-22 20:00"))
    notice = Notice(1, ALICE, NoticeKind.RITUAL_MOMENT, ritual_id, home.now)

    async def meets() -> None:
        async with home.store.writing(ALICE) as rows:
            user = await rows.users.find(ALICE)
            assert user
            await home.rituals.deliver_moment(Visit(rows, user, home.now), notice)

    await asyncio.gather(*(meets() for _ in range(3)))
    assert len(await home.claim(NoticeKind.REFLECTION)) == 1


async def test_late_delivery_skips_no_week_twice(home: Home) -> None:
    await home.agreed()
    item = await home.puts_in(ALICE, "hers", Terms.EITHER)
    home.clock.set(utc("2026-12-08 12:00"))  # two weeks and two days late
    await home.meet()
    assert await home.states(item) == [State.SCHEDULED]
    shown = await home.show(ALICE)
    assert isinstance(shown, RitualShown)
    assert shown.at == utc("2026-12-13 20:00")


async def invited(home: Home, user_id: int, at: datetime) -> Result | None:
    home.clock.set(at)
    mine = [notice for notice in await home.claim(NoticeKind.RITUAL_MORNING) if notice.user_id == user_id]
    if not mine:
        return None
    async with home.store.writing(user_id) as rows:
        user = await rows.users.find(user_id)
        assert user
        return await home.rituals.invite(Visit(rows, user, home.now), mine[0])


async def test_each_is_asked_in_the_morning(home: Home) -> None:
    async with home.store.writing() as rows:
        bob = await rows.users.find(BOB)
        assert bob
        await rows.users.change(bob, zone="Asia/Tokyo")
    home.clock.set(utc("2026-11-20 12:00"))
    await home.agreed()
    moment = utc("2026-11-22 20:00")  # five in the morning of Monday for Bob
    assert await invited(home, BOB, utc("2026-11-22 11:29")) is None
    assert await invited(home, BOB, utc("2026-11-22 11:30")) == RitualMorning(moment)
    assert await invited(home, ALICE, utc("2026-11-22 11:31")) == RitualMorning(moment)


async def test_moving_west_keeps_the_morning_question(home: Home) -> None:
    home.clock.set(utc("2026-11-20 12:00"))
    await home.agreed()
    home.clock.set(utc("2026-11-22 02:00"))
    async with home.store.writing() as rows:
        bob = await rows.users.find(BOB)
        assert bob
        await rows.users.change(bob, zone="America/New_York")
    moment = utc("2026-11-22 20:00")
    assert await invited(home, BOB, utc("2026-11-22 08:00")) is None, "it is three in the morning there"
    assert await invited(home, BOB, utc("2026-11-22 13:00")) == RitualMorning(moment)


@pytest.mark.parametrize("how", ["too late", "left in peace"])
async def test_unavailable_users_are_not_asked(home: Home, how: str) -> None:
    home.clock.set(utc("2026-11-20 12:00"))
    await home.agreed()
    async with home.store.writing() as rows:
        alice = await rows.users.find(ALICE)
        assert alice
        if how == "left in peace":
            await rows.users.change(alice, rhythm=Rhythm.QUIET)
    at = utc("2026-11-22 20:00") if how == "too late" else utc("2026-11-22 08:00")
    assert await invited(home, ALICE, at) is None


async def test_entry_is_open_until_the_moment(home: Home) -> None:
    home.clock.set(utc("2026-11-20 12:00"))
    await home.agreed()
    assert await home.drafts(ALICE, "too early") == RitualTooLate(utc("2026-11-22 20:00"))
    home.clock.set(utc("2026-11-22 20:00"))
    assert await home.drafts(ALICE, "too late") == RitualTooLate(utc("2026-11-29 20:00"))


async def test_either_can_end_it(home: Home) -> None:
    ritual_id = await home.agreed()
    items = [await home.puts_in(ALICE, "hers", Terms.EITHER), await home.puts_in(BOB, "his", Terms.EITHER)]
    assert await home.do(CHARLIE, lambda visit: home.rituals.end(visit, ritual_id)) == NotPaired()
    assert await home.do(BOB, lambda visit: home.rituals.end(visit, ritual_id)) == RitualEnded()
    assert await home.states(*items) == [State.LAPSED, State.LAPSED]
    home.clock.set(utc("2026-11-22 20:00"))
    for kind in NoticeKind:
        assert await home.claim(kind) == []


async def test_ritual_ends_with_the_pair(home: Home) -> None:
    await home.agreed()
    items = [await home.puts_in(ALICE, "hers", Terms.EITHER), await home.puts_in(BOB, "his", Terms.EITHER)]
    async with home.store.writing(ALICE) as rows:
        alice, pair = await rows.users.find(ALICE), await rows.pairs.active(ALICE)
        assert alice
        assert pair
        assert await home.pairing.unpair(Visit(rows, alice, home.now), pair.id) == SharingEnded()
    assert await home.states(*items) == [State.CANCELLED, State.CANCELLED]
    home.clock.set(utc("2026-11-22 20:00"))
    for kind in NoticeKind:
        assert await home.claim(kind) == []
    assert await home.show(BOB) == SharingEnded()


# What an old button says and does


async def _stands(home: Home) -> list[object]:
    """All rows that the Ritual consists of."""
    async with home.store.reading() as rows:
        return [
            (await rows._connection.execute(select(table))).all()
            for table in (rituals, ritual_seats, reflections, dialogs)
        ]


async def test_agreed_proposal_cannot_be_withdrawn(home: Home) -> None:
    """The message that says "Proposed" is still there, and so is its button."""
    ritual_id = await home.agreed()
    before = await _stands(home)
    for user_id in (ALICE, BOB):
        assert isinstance(await home.takes_back(user_id, ritual_id), RitualShown)
        assert isinstance(await home.declines(user_id, ritual_id), RitualShown)
        assert isinstance(await home.agree(user_id, ritual_id), RitualShown)
    assert await _stands(home) == before


async def test_old_end_button_does_nothing(home: Home) -> None:
    ended = await home.agreed()
    await home.end(ALICE, ended)
    proposed = await home.propose(ALICE, 21)
    assert isinstance(proposed, RitualProposed)
    before = await _stands(home)
    assert await home.end(ALICE, ended) == await home.takes_back(ALICE, ended) == proposed
    assert await home.end(ALICE, proposed.ritual_id) == proposed, "it is taken back, not ended"
    assert isinstance(await home.end(BOB, ended), RitualAsked)
    assert isinstance(await home.takes_back(BOB, proposed.ritual_id), RitualAsked)
    assert await _stands(home) == before


async def test_old_invitation_changes_nothing(home: Home) -> None:
    """ "Nothing this time" was about another time."""
    await home.agreed()
    last_week = await home.moment()
    home.clock.set(last_week)
    await home.meet()
    home.clock.advance(timedelta(days=6, hours=14))
    line_id = await home.line(ALICE, "of this week")
    about = await home.puts_in(ALICE, "hers", Terms.EITHER)
    before = await _stands(home)
    service = home.rituals
    for tap in (
        lambda visit: service.nothing(visit, last_week),
        lambda visit: service.write(visit, last_week),
        lambda visit: service.lines(visit, last_week),
        lambda visit: service.choose(visit, last_week, line_id),
    ):
        shown = await home.do(ALICE, tap)
        assert isinstance(shown, RitualShown)
        assert shown.reflection_id == about
    assert await _stands(home) == before
    moment = await home.moment()
    assert await home.do(ALICE, lambda visit: service.nothing(visit, moment)) == RitualNothing()


@pytest.mark.parametrize("terms", [Terms.EITHER, Terms.MET])
async def test_old_button_tells_what_happened(home: Home, terms: Terms) -> None:
    await home.agreed()
    about = await home.puts_in(ALICE, "hers", terms)
    home.clock.set(await home.moment())
    await home.meet()
    before = await _stands(home)
    service = home.rituals
    for tap in (
        lambda visit: service.take_out(visit, about),
        lambda visit: service.wish(visit, Wish.LISTEN, about),
        lambda visit: service.put_in(visit, Terms.EITHER, about),
    ):
        said = await home.do(ALICE, tap)
        if terms is Terms.EITHER:
            assert isinstance(said, ShareShown)
            assert said.reflection_id == about
        else:
            assert isinstance(said, RitualTooLate)
    assert await _stands(home) == before


async def test_unrelated_button_keeps_what_is_awaited(home: Home) -> None:
    await home.agreed()
    async with home.store.writing(ALICE) as rows:
        await rows.dialogs.await_(ALICE, Dialog(Waiting.NAME, 0, home.now + timedelta(minutes=10)))
    await home.do(ALICE, home.rituals.morning)
    moment = await home.moment()
    await home.do(ALICE, lambda visit: home.rituals.nothing(visit, moment))
    async with home.store.reading() as rows:
        assert await rows.dialogs.awaited(ALICE, home.now) is Waiting.NAME


@pytest.mark.parametrize("proposed", [True, False])
@pytest.mark.parametrize("accepted", [True, False])
async def test_same_question_needs_both(home: Home, proposed: bool, accepted: bool) -> None:
    shown = await home.agreed_with(proposed=proposed, accepted=accepted)
    assert isinstance(shown, RitualShown)
    assert shown.same_question is (proposed and accepted)
    for user_id in (ALICE, BOB):
        morning = await home.do(user_id, home.rituals.morning)
        assert isinstance(morning, RitualMorning)
        assert morning.prompt_id == ("light" if proposed and accepted else None)


async def test_proposal_names_its_question(home: Home) -> None:
    await home.do(ALICE, lambda visit: home.rituals.propose(visit, SUNDAY, 20, True))
    asked = await home.show(BOB)
    assert isinstance(asked, RitualAsked)
    assert asked.same_question
    shown = await home.show(ALICE)
    assert isinstance(shown, RitualProposed)
    assert shown.same_question


async def test_answer_goes_with_its_question(home: Home) -> None:
    await home.agreed_with(proposed=True, accepted=True)
    moment = await home.moment()
    wanted = await home.do(ALICE, lambda visit: home.rituals.write(visit, moment, detail=ANSWERS))
    assert wanted == RitualLineWanted(prompt_id="light")
    too_long = await home.types(ALICE, "x" * 301)
    assert too_long == RitualLineWanted(too_long=True, prompt_id="light")
    preview = await home.types(ALICE, "At the harbour.")
    assert isinstance(preview, RitualPreview)
    words = await home.do(ALICE, lambda visit: home.rituals.read_item(visit, preview))
    assert words["question"] == "Where?"
    async with home.store.reading() as rows:
        (line,) = await rows.lines.page(ALICE, None, 5)
    assert line.prompt_id == "light"


async def test_own_line_answers_no_question(home: Home) -> None:
    await home.agreed_with(proposed=True, accepted=True)
    moment = await home.moment()
    assert await home.do(ALICE, lambda visit: home.rituals.write(visit, moment)) == RitualLineWanted()
    await home.types(ALICE, "At the harbour.")
    async with home.store.reading() as rows:
        (line,) = await rows.lines.page(ALICE, None, 5)
    assert line.prompt_id is None


async def test_muted_theme_skips_secretly(home: Home) -> None:
    await home.agreed_with(proposed=True, accepted=True)
    async with home.store.writing(ALICE) as rows:
        user = await rows.users.find(ALICE)
        assert user
        await rows.users.change(user, muted_themes=frozenset({"home"}))
    hers, his = [await home.do(user_id, home.rituals.morning) for user_id in (ALICE, BOB)]
    assert isinstance(hers, RitualMorning)
    assert isinstance(his, RitualMorning)
    assert (hers.prompt_id, his.prompt_id) == (None, "light")


async def test_morning_question_rests_afterwards(home: Home) -> None:
    await home.agreed_with(proposed=True, accepted=True)
    home.clock.advance(timedelta(seconds=3))
    morning = await home.morning(ALICE)
    assert isinstance(morning, RitualMorning)
    async with home.store.reading() as rows:
        assert set(await rows.asks.shown(ALICE)) == {"light"}
        assert await rows.asks.shown(BOB) == {}


async def test_noticed_line_goes_in_as_noticed(home: Home) -> None:
    await home.agreed()
    moment = await home.moment()
    wanted = await home.do(ALICE, lambda visit: home.rituals.write(visit, moment, detail=NOTICED))
    assert wanted == RitualLineWanted(noticed=True)
    preview = await home.types(ALICE, "You filled the tank.")
    assert isinstance(preview, RitualPreview)
    words = await home.do(ALICE, lambda visit: home.rituals.read_item(visit, preview))
    assert words["noticed"]
    async with home.store.reading() as rows:
        (line,) = await rows.lines.page(ALICE, None, 5)
    assert (line.noticed, line.prompt_id) == (True, None)
