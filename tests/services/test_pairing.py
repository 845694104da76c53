"""Pairing on both databases: who learns what, races, wrong codes, and an end that needs only one."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Engine, event, func, select

from bot.clock import HandClock
from bot.crypto import KeyRing
from bot.domain.invitations import Secret
from bot.domain.model import Dialog, Pair, Waiting
from bot.domain.notices import Notice, NoticeKind
from bot.domain.pairing import CROWD, INVITE_VALID_FOR, TRIES, TRIES_WHEN_CROWDED, code_from, formatted_code
from bot.domain.results import (
    AlreadyPaired,
    CodeOrLine,
    Erased,
    GuestAnswered,
    GuestRefused,
    Invitation,
    InvitationAccepted,
    InvitationDeclined,
    InvitationLeft,
    InviteOpen,
    InviteTakenBack,
    NameOrLine,
    NoSuchInvite,
    NothingCame,
    NotPaired,
    Paired,
    PairNameWanted,
    ReplyOrLine,
    Result,
    SharingEnded,
    TooManyTries,
    UnpairWanted,
)
from bot.services.pairing import Pairing
from bot.services.privacy import Privacy
from bot.services.visit import Visit
from bot.storage.notices import Settled
from bot.storage.schema import metadata
from bot.storage.store import Rows, Store
from tests.samples import on_both
from tests.services.home import BaseHome
from tests.services.reading import reader_of

ALICE, BOB, CHARLIE, DORA = 1001, 1002, 1003, 1004
NAMES = {ALICE: "Alice", BOB: "Bob", CHARLIE: "Charlie", DORA: "Dora"}
WRONG = Secret(code="00000000")


@dataclass
class Home(BaseHome):
    """Four people with a name each, and their acts, each in its own transaction."""

    pairing: Pairing
    cancelled: list[Pair]

    async def pair(self, user_id: int) -> Result:
        return await self.do(user_id, self.pairing.pair)

    async def invite(self, user_id: int) -> tuple[int, Secret, Secret]:
        """An open Invite: its id, its link, its code."""
        shown = await self.pair(user_id)
        assert isinstance(shown, InviteOpen)
        async with self.store.reading() as rows:
            user = await rows.users.find(user_id)
            assert user
            read = await self.pairing.read_own_invite(Visit(rows, user, self.now), shown)
        return shown.invite_id, Secret(link=read["link"]), Secret(code=read["code"].replace("-", ""))

    async def open(self, user_id: int, secret: Secret) -> Result:
        return await self.do(user_id, lambda visit: self.pairing.open(visit, secret))

    async def types(self, user_id: int, text: str, message_id: int = 50) -> Result | None:
        async with self.store.writing(user_id) as rows:
            user = await rows.users.find(user_id)
            assert user
            return await self.pairing.recognize(Visit(rows, user, self.now), text, message_id)

    async def accept(self, user_id: int, invite_id: int) -> Result:
        name = NAMES[user_id]
        return await self.do(user_id, lambda visit: self.pairing.accept(visit, invite_id, name))

    async def decline(self, user_id: int, invite_id: int) -> Result:
        return await self.do(user_id, lambda visit: self.pairing.decline(visit, invite_id))

    async def takes_yes_back(self, user_id: int, invite_id: int) -> Result:
        return await self.do(user_id, lambda visit: self.pairing.take_yes_back(visit, invite_id))

    async def renews(self, user_id: int, invite_id: int) -> Result:
        return await self.do(user_id, lambda visit: self.pairing.renew(visit, invite_id))

    async def takes_back(self, user_id: int, invite_id: int) -> Result:
        return await self.do(user_id, lambda visit: self.pairing.take_back(visit, invite_id))

    async def renames(self, user_id: int, invite_id: int) -> Result:
        return await self.do(user_id, lambda visit: self.pairing.want_name(visit, invite_id))

    async def confirms_name(self, user_id: int) -> Result:
        return await self.do(user_id, lambda visit: self.pairing.confirm_name(visit, "Somebody"))

    async def confirm(self, user_id: int, invite_id: int) -> Result:
        return await self.do(user_id, lambda visit: self.pairing.confirm(visit, invite_id))

    async def refuse(self, user_id: int, invite_id: int) -> Result:
        return await self.do(user_id, lambda visit: self.pairing.refuse(visit, invite_id))

    async def unpair(self, user_id: int, pair_id: int) -> Result:
        return await self.do(user_id, lambda visit: self.pairing.unpair(visit, pair_id))

    async def reach(self, user_id: int) -> Result:
        return await self.do(user_id, self.pairing.ask_unpair)

    async def accepted(self, maker: int, guest: int) -> int:
        """Make an Invite whose guest has said yes; return its id."""
        invite_id, link, _ = await self.invite(maker)
        assert await self.open(guest, link) == Invitation(invite_id)
        assert await self.accept(guest, invite_id) == InvitationAccepted(invite_id)
        return invite_id

    async def paired(self, a: int, b: int) -> int:
        result = await self.confirm(a, await self.accepted(a, b))
        assert isinstance(result, Paired)
        return result.pair_id

    async def partners(self) -> dict[int, int]:
        async with self.store.reading() as rows:
            pairs = {user_id: await rows.pairs.active(user_id) for user_id in NAMES}
        return {user_id: pair.partner_of(user_id) for user_id, pair in pairs.items() if pair}

    async def due(self) -> list[tuple[int, str, int]]:
        """Everyone whom the bot has something to tell: (user, kind, subject)."""
        async with self.store.writing() as rows:
            found = await rows.notices.claim(self.now + timedelta(days=1), 100, 1)
            await rows.notices.release(self.now)
        return [(notice.user_id, notice.kind.value, notice.subject_id) for notice in found]

    async def counts(self) -> dict[str, int]:
        """The number of rows in each table."""
        async with self.store.reading() as rows:
            connection = rows._connection  # no noun counts all tables
            return {
                table.name: (await connection.execute(select(func.count()).select_from(table))).scalar_one()
                for table in metadata.sorted_tables
            }


@pytest.fixture
async def home(store: Store, clock: HandClock) -> Home:
    cancelled: list[Pair] = []

    async def on_unpaired(rows: Rows, pair: Pair, _now: datetime) -> None:
        assert await rows.pairs.active(pair.a)  # the Pair is still there for whoever looks it up
        cancelled.append(pair)

    async with store.writing() as rows:
        for user_id, name in NAMES.items():
            user = await rows.users.add(user_id, "en", clock.now())
            await rows.users.change(user, ask_at=time(20), zone="Europe/London")
            await rows.users.set_name(user_id, name)
    return Home(store, clock, Pairing(on_unpaired), cancelled)


async def test_pair_takes_a_word_of_each(home: Home) -> None:
    invite_id, link, _ = await home.invite(ALICE)
    assert await home.open(BOB, link) == Invitation(invite_id)
    assert await home.partners() == {}
    assert await home.due() == []  # nobody is told that somebody looked at it
    assert await home.accept(BOB, invite_id) == InvitationAccepted(invite_id)
    assert await home.partners() == {}
    assert await home.due() == [(ALICE, "guest", invite_id)]
    result = await home.confirm(ALICE, invite_id)
    assert isinstance(result, Paired)
    assert await home.partners() == {ALICE: BOB, BOB: ALICE}
    assert await home.due() == [(BOB, "paired", result.pair_id)]
    assert (await home.counts())["invites"] == 0


async def test_invite_asks_for_a_name(home: Home) -> None:
    async with home.store.writing() as rows:
        await rows.users.set_name(ALICE, None)
    assert await home.pair(ALICE) == PairNameWanted()
    assert (await home.counts())["invites"] == 0
    shown = await home.do(ALICE, lambda visit: home.pairing.confirm_name(visit, " Al\nice "))
    assert isinstance(shown, InviteOpen)
    async with home.store.reading() as rows:
        assert await rows.users.name(ALICE) == "Al ice"


async def test_guests_name_needs_their_yes(home: Home) -> None:
    async with home.store.writing() as rows:
        await rows.users.set_name(BOB, None)
    invite_id, link, _ = await home.invite(ALICE)
    await home.open(BOB, link)
    await home.decline(BOB, invite_id)
    async with home.store.reading() as rows:
        assert await rows.users.name(BOB) is None
    await home.accept(BOB, invite_id)
    async with home.store.reading() as rows:
        assert await rows.users.name(BOB) == "Bob"


async def test_nameless_guest_returns_to_the_invitation(home: Home) -> None:
    async with home.store.writing() as rows:
        await rows.users.set_name(BOB, None)
    invite_id, link, _ = await home.invite(ALICE)
    await home.open(BOB, link)
    nameless = await home.do(BOB, lambda visit: home.pairing.accept(visit, invite_id, "\u200b"))
    assert nameless == PairNameWanted(invite_id, typed=True)
    async with home.store.writing(BOB) as rows:
        user, dialog = await rows.users.find(BOB), await rows.dialogs.find(BOB, home.now)
        assert user
        assert dialog == Dialog(Waiting.PAIR_NAME, invite_id, dialog.expires_at) if dialog else None
        assert dialog
        assert await home.pairing.named(Visit(rows, user, home.now), dialog, "Bobby", 7) == Invitation(invite_id)
        read = await home.pairing.read_invitation(Visit(rows, user, home.now), Invitation(invite_id))
    assert read == {"name": "Alice", "me": "Bobby"}


async def nowhere(home: Home, reason: str) -> tuple[int, Secret]:
    """Return who comes with which invitation that is dead for this reason."""
    invite_id, link, code = await home.invite(ALICE)
    mistyped = Secret(code=("0" if code.code[0] != "0" else "1") + code.code[1:])
    strange = {"mistyped": mistyped, "no code at all": Secret(code="what?"), "no link at all": Secret(link="x" * 64)}
    if reason in ("used", "accepted by another", "refused", "of a pair"):
        await home.open(CHARLIE, link)
    if reason in ("accepted by another", "refused", "of a pair"):
        await home.accept(CHARLIE, invite_id)
    if reason == "refused":
        assert await home.refuse(ALICE, invite_id) == GuestRefused()
    elif reason == "of a pair":
        assert isinstance(await home.confirm(ALICE, invite_id), Paired)
    elif reason == "expired":
        home.clock.advance(INVITE_VALID_FOR)
    elif reason == "taken back":
        assert await home.takes_back(ALICE, invite_id) == InviteTakenBack()
    elif reason == "replaced":
        await home.renews(ALICE, invite_id)
    return ALICE if reason == "own" else BOB, strange.get(reason, code)


REASONS = [
    "own",
    "expired",
    "used",
    "accepted by another",
    "taken back",
    "replaced",
    "refused",
    "of a pair",
    "mistyped",
    "no code at all",
    "no link at all",
]


@pytest.mark.parametrize("reason", REASONS)
async def test_dead_invitations_look_and_cost_alike(home: Home, reason: str) -> None:
    who, secret = await nowhere(home, reason)
    queries: list[str] = []

    def note(*about: Any) -> None:
        queries.append(about[2].split()[0])

    event.listen(Engine, "before_cursor_execute", note)
    try:
        async with home.store.writing(who) as rows:
            user = await rows.users.find(who)
            assert user
            queries.clear()
            result = await home.pairing.open(Visit(rows, user, home.now), secret)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert result == NoSuchInvite()
    # The Pair, the tries of this user and of all, its end, the claim, the note that it was wrong.
    assert queries == ["SELECT", "SELECT", "SELECT", "DELETE", "UPDATE", "INSERT"]
    async with home.store.reading() as rows:
        assert len(await rows.invites.wrong_since(who, home.now - timedelta(hours=1))) == 1


@pytest.mark.parametrize("kind", ["link", "code"])
async def test_one_of_two_wins_a_code(home: Home, kind: str) -> None:
    invite_id, link, code = await home.invite(ALICE)
    secret = link if kind == "link" else code
    answers = await asyncio.gather(*(home.open(who, secret) for who in (BOB, CHARLIE, DORA)))
    assert sorted(map(repr, answers)) == sorted(map(repr, [Invitation(invite_id), NoSuchInvite(), NoSuchInvite()]))
    winner = (BOB, CHARLIE, DORA)[answers.index(Invitation(invite_id))]
    accepted = await asyncio.gather(*(home.accept(who, invite_id) for who in (BOB, CHARLIE, DORA)))
    assert accepted.count(InvitationAccepted(invite_id)) == 1
    assert accepted.count(NothingCame()) == 2
    await home.confirm(ALICE, invite_id)
    assert await home.partners() == {ALICE: winner, winner: ALICE}


async def test_double_yes_makes_one_pair(home: Home) -> None:
    invite_id = await home.accepted(ALICE, BOB)
    results = await asyncio.gather(*(home.confirm(ALICE, invite_id) for _ in range(4)))
    assert sum(isinstance(result, Paired) for result in results) == 1
    assert sum(isinstance(result, AlreadyPaired) for result in results) == 3
    assert [kind for _, kind, _ in await home.due()] == ["paired"]


async def test_crossed_yeses_make_whole_pairs_only(home: Home) -> None:
    """Everybody has asked the next one in the circle, everybody has said yes, and all confirm at once."""
    ring = [(ALICE, BOB), (BOB, CHARLIE), (CHARLIE, DORA), (DORA, ALICE)]
    invites = {maker: await home.accepted(maker, guest) for maker, guest in ring}
    results = await asyncio.gather(*(home.confirm(maker, invite_id) for maker, invite_id in invites.items()))
    made = sum(isinstance(result, Paired) for result in results)
    partners = await home.partners()
    assert made in (1, 2)
    assert len(partners) == 2 * made
    assert all(partners[partners[user_id]] == user_id for user_id in partners)
    told = [about for about in await home.due() if about[1] == "paired"]
    assert len(told) == made


async def test_confirming_races_with_a_replacement(home: Home) -> None:
    for round_ in range(4):
        home.clock.advance(timedelta(minutes=round_ + 1))
        invite_id = await home.accepted(ALICE, BOB)
        confirmed, _ = await asyncio.gather(home.confirm(ALICE, invite_id), home.renews(ALICE, invite_id))
        assert await home.partners() == {ALICE: BOB, BOB: ALICE}
        assert isinstance(confirmed, Paired)
        await home.unpair(BOB, confirmed.pair_id)  # so that Bob has no end to hear of


async def test_taking_back_races_with_confirming(home: Home) -> None:
    invite_id = await home.accepted(ALICE, BOB)
    confirmed, left = await asyncio.gather(home.confirm(ALICE, invite_id), home.takes_yes_back(BOB, invite_id))
    if isinstance(confirmed, Paired):
        assert left == AlreadyPaired(confirmed.pair_id)
        assert await home.partners() == {ALICE: BOB, BOB: ALICE}
    else:
        assert left == InvitationLeft()
        assert isinstance(confirmed, InviteOpen)
        assert await home.partners() == {}
        assert await home.due() == []


async def test_declined_invitation_can_be_reconsidered(home: Home) -> None:
    invite_id, link, _ = await home.invite(ALICE)
    await home.open(BOB, link)
    before = await home.pair(ALICE)
    assert await home.decline(BOB, invite_id) == InvitationDeclined()
    assert await home.pair(ALICE) == before
    assert await home.due() == []
    assert await home.open(BOB, link) == Invitation(invite_id)


async def test_inviter_sees_the_guests_yes(home: Home) -> None:
    invite_id = await home.accepted(ALICE, BOB)
    assert await home.pair(ALICE) == GuestAnswered(invite_id)
    assert await home.takes_yes_back(BOB, invite_id) == InvitationLeft()
    assert isinstance(await home.pair(ALICE), InviteOpen)
    assert isinstance(await home.confirm(ALICE, invite_id), InviteOpen)
    assert await home.partners() == {}
    assert await home.due() == []


async def test_inviter_has_a_day_to_confirm(home: Home) -> None:
    invite_id, link, _ = await home.invite(ALICE)
    home.clock.advance(INVITE_VALID_FOR - timedelta(seconds=1))
    await home.open(BOB, link)
    await home.accept(BOB, invite_id)
    home.clock.advance(INVITE_VALID_FOR - timedelta(seconds=1))
    assert isinstance(await home.confirm(ALICE, invite_id), Paired)


async def test_withdrawn_yes_leaves_no_trace(home: Home) -> None:
    invite_id, link, _ = await home.invite(ALICE)
    before = await home.pair(ALICE)
    home.clock.advance(timedelta(hours=3))
    await home.open(BOB, link)
    await home.accept(BOB, invite_id)
    assert await home.takes_yes_back(BOB, invite_id) == InvitationLeft()
    assert await home.pair(ALICE) == before
    assert await home.open(BOB, link) == Invitation(invite_id)  # nobody has heard of it: it can be reconsidered
    home.clock.advance(INVITE_VALID_FOR - timedelta(hours=3))
    assert await home.open(BOB, link) == NoSuchInvite()


async def test_alternating_answers_cannot_pester(home: Home) -> None:
    """Otherwise whoever has the link could write to the inviter as often as they like, under any name."""
    invite_id, link, _ = await home.invite(ALICE)
    await home.open(BOB, link)
    await home.accept(BOB, invite_id)
    async with home.store.writing() as rows:
        (notice,) = await rows.notices.claim(home.now, 10, 1)
        assert await rows.notices.sending(notice)
        await rows.notices.settle(notice, Settled.SENT, home.now)
    for _ in range(3):
        assert await home.takes_yes_back(BOB, invite_id) == InvitationLeft()
        assert await home.open(BOB, link) == Invitation(invite_id)
        assert await home.accept(BOB, invite_id) == InvitationAccepted(invite_id)
        assert await home.due() == []
    assert isinstance(await home.confirm(ALICE, invite_id), Paired)  # the yes counts anyway


async def test_old_yes_confirms_nothing(home: Home) -> None:
    invite_id = await home.accepted(ALICE, BOB)
    home.clock.advance(INVITE_VALID_FOR)
    assert await home.confirm(ALICE, invite_id) == NothingCame()
    assert await home.partners() == {}
    async with home.store.reading() as rows:
        user = await rows.users.find(ALICE)
        assert user
        notice = Notice(1, ALICE, NoticeKind.GUEST, invite_id, home.now)
        assert await home.pairing.tell_maker(Visit(rows, user, home.now), notice) is None


async def test_new_invite_replaces_the_previous_one(home: Home) -> None:
    invite_id, link, _ = await home.invite(ALICE)
    again = await home.renews(ALICE, invite_id)
    assert isinstance(again, InviteOpen)
    assert again.invite_id != invite_id
    assert (await home.counts())["invites"] == 1
    assert await home.open(BOB, link) == NoSuchInvite()


async def test_looking_again_shows_the_same_link(home: Home) -> None:
    assert await home.invite(ALICE) == await home.invite(ALICE)


async def test_paired_user_opens_no_other_invite(home: Home) -> None:
    pair_id = await home.paired(ALICE, BOB)
    invite_id, link, code = await home.invite(CHARLIE)
    assert await home.pair(ALICE) == AlreadyPaired(pair_id)
    assert await home.open(ALICE, link) == AlreadyPaired(pair_id)
    assert not isinstance(await home.types(ALICE, formatted_code(code.code)), Invitation)
    assert isinstance(await home.types(ALICE, "K7QX-9M2P"), CodeOrLine)
    assert await home.types(ALICE, f"https://t.me/ajar_bot?start={link.link}") == AlreadyPaired(pair_id)
    assert await home.open(DORA, code) == Invitation(invite_id)  # untouched by the tries
    assert await home.partners() == {ALICE: BOB, BOB: ALICE}


async def test_pairing_closes_other_open_invites(home: Home) -> None:
    of_bob, to_bob, _ = await home.invite(BOB)
    await home.open(DORA, to_bob)
    await home.accept(DORA, of_bob)
    of_charlie = await home.accepted(CHARLIE, BOB)
    pair_id = await home.paired(ALICE, BOB)
    assert (await home.counts())["invites"] == 1, "the one of Dora, to whom it looks as if she had to wait"
    assert await home.confirm(CHARLIE, of_charlie) == NothingCame()
    assert await home.confirm(BOB, of_bob) == AlreadyPaired(pair_id)
    assert await home.partners() == {ALICE: BOB, BOB: ALICE}
    assert [kind for _, kind, _ in await home.due()] == ["paired"]  # and nobody is asked about what is over


async def test_code_that_reads_like_a_word_is_tried(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a name is offered, any other text is asked about."""
    monkeypatch.setattr("bot.storage.pairs.code_from", lambda _number: "WEEKENDS")
    invite_id, link, _ = await home.invite(ALICE)
    assert await home.open(BOB, link) == Invitation(invite_id)

    async def typed(visit: Visit, words: str) -> Result | None:
        awaited = await visit.rows.dialogs.find(BOB, home.now)
        assert awaited
        assert awaited.waiting is Waiting.PAIR_NAME_CHOICE
        return await home.pairing.typed_at_name(visit, awaited, words, 50)

    assert await home.do(BOB, lambda visit: typed(visit, "weekends")) == Invitation(invite_id)
    assert isinstance(await home.do(BOB, lambda visit: typed(visit, "holidays")), ReplyOrLine)


async def test_name_that_could_be_a_code_is_no_wrong_try(home: Home) -> None:
    """ "Benedict" has eight letters of the alphabet of codes."""

    async def typed(visit: Visit) -> Result | None:
        awaited = Dialog(Waiting.PAIR_NAME_CHOICE, 0, home.now + timedelta(hours=1))
        return await home.pairing.typed_at_name(visit, awaited, "Benedict", 50)

    _, _, code = await home.invite(BOB)
    for _ in range(TRIES):
        assert isinstance(await home.do(CHARLIE, typed), NameOrLine)
    assert isinstance(await home.open(CHARLIE, code), Invitation)


async def test_ten_wrong_codes_lock_one_user(home: Home) -> None:
    invite_id, _, code = await home.invite(ALICE)
    for _ in range(TRIES):
        assert await home.open(CHARLIE, WRONG) == NoSuchInvite()
        home.clock.advance(timedelta(seconds=1))
    assert await home.open(CHARLIE, code) == TooManyTries()
    assert await home.types(CHARLIE, formatted_code(code.code)) != Invitation(invite_id)
    home.clock.advance(timedelta(minutes=59))
    assert await home.open(CHARLIE, code) == TooManyTries()
    assert await home.open(DORA, WRONG) == NoSuchInvite()
    home.clock.advance(timedelta(minutes=1))
    assert await home.open(CHARLIE, code) == Invitation(invite_id)


async def test_typed_codes_count_as_tries(home: Home) -> None:
    _, _, code = await home.invite(ALICE)
    for _ in range(TRIES):
        assert await home.types(CHARLIE, "00000000") is None
    assert await home.open(CHARLIE, code) == TooManyTries()


async def begins_anew(home: Home, user_id: int) -> None:
    """Let somebody erase everything and start over."""
    asked_at = home.now
    erased = await home.do(
        user_id, lambda visit: Privacy(home.pairing).erase(visit.rows, visit.user, asked_at, visit.now)
    )
    assert erased == Erased()
    async with home.store.writing(user_id) as rows:
        user = await rows.users.add(user_id, "en", home.now)
        await rows.users.change(user, ask_at=time(20), zone="Europe/London")


async def test_wrong_codes_outlive_an_erase(home: Home) -> None:
    invite_id, _, code = await home.invite(ALICE)
    for _ in range(TRIES - 1):
        assert await home.open(CHARLIE, WRONG) == NoSuchInvite()
    await begins_anew(home, CHARLIE)
    assert await home.open(CHARLIE, WRONG) == NoSuchInvite()
    assert await home.open(CHARLIE, code) == TooManyTries()
    await begins_anew(home, CHARLIE)
    assert await home.open(CHARLIE, code) == TooManyTries()
    assert await home.types(CHARLIE, formatted_code(code.code)) != Invitation(invite_id)
    home.clock.advance(timedelta(hours=1))
    assert await home.open(CHARLIE, code) == Invitation(invite_id)


async def test_erased_guessers_still_count_for_all(home: Home) -> None:
    _, _, code = await home.invite(ALICE)
    async with home.store.writing() as rows:
        for _ in range(CROWD):
            await rows.invites.wrong(DORA, home.now)
    await begins_anew(home, DORA)
    for _ in range(TRIES_WHEN_CROWDED):
        await home.open(CHARLIE, WRONG)
    assert await home.open(CHARLIE, code) == TooManyTries()


async def test_wrong_codes_outlive_a_key_rotation(database_url: str, keys: KeyRing, clock: HandClock) -> None:
    for ring in (keys, keys.rotated()):
        store = Store.at(database_url, ring)
        async with store.writing() as rows:
            await rows.invites.wrong(CHARLIE, clock.now())
            found = await rows.invites.wrong_since(CHARLIE, clock.now() - timedelta(hours=1))
        await store.close()
    assert len(found) == 2


async def test_wrong_codes_name_no_account(home: Home) -> None:
    await home.open(CHARLIE, WRONG)
    async with home.store.reading() as rows:
        (row,) = await rows._connection.execute(select(metadata.tables["wrong_codes"]))
        assert len(row.account) == 32
        assert str(CHARLIE) not in repr(row)
    async with home.store.writing() as rows:
        await rows.invites.forget_before(home.now, home.now + timedelta(seconds=1))
    assert (await home.counts())["wrong_codes"] == 0, "it goes when the limit does"


async def test_many_guessers_leave_everybody_fewer_tries(home: Home) -> None:
    invite_id, _, code = await home.invite(ALICE)
    async with home.store.writing() as rows:
        for _ in range(CROWD):
            await rows.invites.wrong(DORA, home.now)
    for _ in range(TRIES_WHEN_CROWDED):
        assert await home.open(CHARLIE, WRONG) == NoSuchInvite()
    assert await home.open(CHARLIE, code) == TooManyTries()
    assert await home.open(BOB, code) == Invitation(invite_id)


async def test_plain_code_counts_if_it_works(home: Home) -> None:
    invite_id, link, code = await home.invite(ALICE)
    assert await home.types(BOB, "2019-2023") is None
    assert await home.types(BOB, "mornings") is None
    assert await home.types(BOB, formatted_code(code.code).lower()) == Invitation(invite_id)
    assert await home.types(BOB, f"https://t.me/ajar_bot?start={link.link}") == Invitation(invite_id)
    assert await home.types(CHARLIE, f"https://t.me/ajar_bot?start={link.link}") == NoSuchInvite()


async def test_wrong_code_text_is_set_aside(home: Home) -> None:
    result = await home.types(BOB, "ab1d-efgh")
    assert isinstance(result, CodeOrLine)
    async with home.store.writing(BOB) as rows:
        draft = await rows.drafts.find(BOB, result.draft_id)
    assert draft
    assert draft.text == "ab1d-efgh"


@pytest.mark.parametrize("leaver", [ALICE, BOB])
async def test_end_is_heard_through_sharing(home: Home, leaver: int) -> None:
    pair_id = await home.paired(ALICE, BOB)
    other = BOB if leaver == ALICE else ALICE
    assert await home.reach(leaver) == UnpairWanted(pair_id)
    assert await home.partners() == {ALICE: BOB, BOB: ALICE}
    assert await home.unpair(leaver, pair_id) == SharingEnded()
    assert [pair.id for pair in home.cancelled] == [pair_id]
    assert await home.partners() == {}
    assert await home.due() == []
    assert await home.reach(leaver) == NotPaired()
    assert await home.reach(other) == SharingEnded()
    assert await home.reach(other) == NotPaired()
    assert {name: n for name, n in (await home.counts()).items() if n and name not in {"notices", "master_keys"}} == {
        "users": 4
    }


async def test_both_end_it_at_once(home: Home) -> None:
    pair_id = await home.paired(ALICE, BOB)
    results = await asyncio.gather(home.unpair(ALICE, pair_id), home.unpair(BOB, pair_id))
    assert list(results) == [SharingEnded(), SharingEnded()]
    assert await home.partners() == {}
    assert len(home.cancelled) == 1


async def test_code_like_line_reveals_no_end(home: Home) -> None:
    paired = await home.paired(ALICE, BOB)
    assert isinstance(await home.types(BOB, "ab1d-efgh"), CodeOrLine)
    assert await home.types(BOB, "mornings") is None
    await home.unpair(ALICE, paired)
    assert isinstance(await home.types(BOB, "ab1d-efgh"), CodeOrLine)
    assert await home.types(BOB, "mornings") is None
    assert await home.reach(BOB) == SharingEnded()


async def test_pasted_link_reveals_the_end(home: Home) -> None:
    paired = await home.paired(ALICE, BOB)
    await home.unpair(ALICE, paired)
    assert await home.types(BOB, "https://t.me/ajar_bot?start=" + "A" * 22) == NoSuchInvite(ended=True)


async def test_end_is_told_before_pairing(home: Home) -> None:
    await home.unpair(ALICE, await home.paired(ALICE, BOB))
    invite_id, link, _ = await home.invite(CHARLIE)
    assert await home.open(BOB, link) == Invitation(invite_id, ended=True)
    assert await home.open(BOB, link) == Invitation(invite_id)


async def test_pairing_again_needs_both(home: Home) -> None:
    first = await home.paired(ALICE, BOB)
    await home.unpair(ALICE, first)
    invite_id, link, _ = await home.invite(ALICE)
    assert await home.open(BOB, link) == Invitation(invite_id, ended=True)
    assert await home.partners() == {}
    await home.accept(BOB, invite_id)
    assert await home.partners() == {}
    again = await home.confirm(ALICE, invite_id)
    assert isinstance(again, Paired)
    assert again.pair_id != first
    assert await home.unpair(BOB, first) == AlreadyPaired(again.pair_id)  # an old button ends nothing
    assert await home.partners() == {ALICE: BOB, BOB: ALICE}


async def test_erasing_leaves_no_half_pair(home: Home) -> None:
    await home.paired(ALICE, BOB)
    async with home.store.writing(ALICE) as rows:
        user = await rows.users.find(ALICE)
        assert user
        await home.pairing.leave(Visit(rows, user, home.now))
    assert await home.partners() == {}
    assert await home.reach(BOB) == SharingEnded()


async def test_charlie_gains_nothing_from_ids(home: Home) -> None:
    open_id, _, _ = await home.invite(DORA)
    waiting_id = await home.accepted(ALICE, BOB)
    before = await home.counts()
    for invite_id in (open_id, waiting_id):
        assert await home.accept(CHARLIE, invite_id) == NothingCame()
        assert await home.decline(CHARLIE, invite_id) == InvitationDeclined()
        assert await home.confirm(CHARLIE, invite_id) == NothingCame()
        assert await home.refuse(CHARLIE, invite_id) == NothingCame()
        assert await home.confirm(BOB, invite_id) == NothingCame()  # the guest can't confirm for the one who asked
    pair_id_ = await home.confirm(ALICE, waiting_id)
    assert isinstance(pair_id_, Paired)
    assert await home.unpair(CHARLIE, pair_id_.pair_id) == NotPaired()
    async with home.store.reading() as rows:
        charlie = await rows.users.find(CHARLIE)
        assert charlie
        for shown in (
            Invitation(open_id),
            InvitationAccepted(waiting_id),
            InviteOpen(open_id, home.now),
            GuestAnswered(waiting_id),
            Paired(pair_id_.pair_id),
            AlreadyPaired(pair_id_.pair_id),
            UnpairWanted(pair_id_.pair_id),
        ):
            assert await reader_of(shown, pairing=home.pairing)(Visit(rows, charlie, home.now), shown) == {}
    after = await home.counts()
    assert await home.partners() == {ALICE: BOB, BOB: ALICE}
    assert before["invites"] - after["invites"] == 1  # Alice's own Invite, which was used up


async def test_stored_rows_open_no_invite(home: Home, keys: KeyRing) -> None:
    _, link, code = await home.invite(ALICE)
    async with home.store.reading() as rows:
        found = await rows._connection.execute(select(metadata.tables["invites"]))  # the bare row
        bare = repr(found.all())
    assert link.link not in bare
    assert code.code not in bare
    assert formatted_code(code.code) not in bare
    assert KeyRing.new().digest("invite/code", code.code) != keys.digest("invite/code", code.code)
    assert code.code != code_from(0)


async def test_notices_wait_out_quiet_hours(home: Home) -> None:
    home.clock.set(home.now.replace(hour=23))
    async with home.store.writing() as rows:
        user = await rows.users.find(ALICE)
        assert user
        await rows.users.change(user, quiet_from=time(22), quiet_to=time(7))
    await home.accepted(ALICE, BOB)
    async with home.store.writing() as rows:
        assert await rows.notices.claim(home.now + timedelta(hours=7, minutes=59), 10, 1) == []
        assert len(await rows.notices.claim(home.now + timedelta(hours=8), 10, 1)) == 1


# What an old button says and does


def _old_buttons(home: Home, user_id: int, invite_id: int, pair_id: int = 0) -> list[Callable[[], Awaitable[Result]]]:
    """Every button of pairing, for this user to tap."""
    return [
        lambda: home.confirms_name(user_id),
        lambda: home.renames(user_id, 0),
        *(partial(tap, user_id, invite_id) for tap in (home.renames, home.renews, home.takes_back)),
        *(partial(tap, user_id, invite_id) for tap in (home.confirm, home.refuse)),
        *(partial(tap, user_id, invite_id) for tap in (home.accept, home.decline, home.takes_yes_back)),
        lambda: home.unpair(user_id, pair_id),
    ]


async def _names(home: Home) -> list[str | None]:
    async with home.store.reading() as rows:
        return [await rows.users.name(user_id) for user_id in NAMES]


@pytest.mark.parametrize("user_id", [ALICE, BOB])
async def test_old_buttons_say_both_are_paired(home: Home, user_id: int) -> None:
    invite_id = await home.accepted(ALICE, BOB)
    paired = await home.confirm(ALICE, invite_id)
    assert isinstance(paired, Paired)
    before, names = await home.counts(), await _names(home)
    for tap in _old_buttons(home, user_id, invite_id):
        assert await tap() == AlreadyPaired(paired.pair_id)
    assert await home.counts() == before
    assert await _names(home) == names
    assert await home.partners() == {ALICE: BOB, BOB: ALICE}


@pytest.mark.parametrize("button", range(11))
async def test_old_buttons_tell_ends_once(home: Home, button: int) -> None:
    invite_id = await home.accepted(ALICE, BOB)
    paired = await home.confirm(ALICE, invite_id)
    assert isinstance(paired, Paired)
    await home.unpair(ALICE, paired.pair_id)
    tap = _old_buttons(home, BOB, invite_id, paired.pair_id)[button]
    assert await tap() == SharingEnded()
    assert await home.reach(BOB) == NotPaired()
    assert (await home.counts())["invites"] == 0


async def test_old_card_closes_no_newer_invite(home: Home) -> None:
    old, _, _ = await home.invite(ALICE)
    await home.renews(ALICE, old)
    new, link, _ = await home.invite(ALICE)
    assert new != old
    for stale in (home.renews, home.takes_back):
        shown = await stale(ALICE, old)
        assert isinstance(shown, InviteOpen)
        assert shown.invite_id == new
    assert await home.open(BOB, link) == Invitation(new)


async def test_old_card_makes_no_invite(home: Home) -> None:
    invite_id, _, _ = await home.invite(ALICE)
    await home.takes_back(ALICE, invite_id)
    for stale in (home.renews, home.takes_back):
        assert await stale(ALICE, invite_id) == InviteTakenBack()
    assert await home.renames(ALICE, 0) == InviteTakenBack()
    assert await home.confirms_name(ALICE) == InviteTakenBack()
    assert (await home.counts())["invites"] == (await home.counts())["dialogs"] == 0
    assert await _names(home) == list(NAMES.values())


async def test_answered_link_stays_as_it_is(home: Home) -> None:
    """Its card is older than the guest's yes, which has a question of its own elsewhere."""
    invite_id = await home.accepted(ALICE, BOB)
    assert await home.renews(ALICE, invite_id) == GuestAnswered(invite_id)
    assert await home.takes_back(ALICE, invite_id) == GuestAnswered(invite_id)
    assert await home.renames(ALICE, 0) == GuestAnswered(invite_id)
    assert isinstance(await home.confirm(ALICE, invite_id), Paired)


async def test_old_no_leaves_a_yes(home: Home) -> None:
    """The link was followed twice, so there are two cards: yes on one, no on the other."""
    invite_id = await home.accepted(ALICE, BOB)
    assert await home.decline(BOB, invite_id) == InvitationAccepted(invite_id)
    assert await home.renames(BOB, invite_id) == InvitationAccepted(invite_id)
    assert isinstance(await home.confirm(ALICE, invite_id), Paired)


async def test_declining_a_vanished_guest_frees_links(home: Home) -> None:
    invite_id = await home.accepted(ALICE, BOB)
    await home.takes_yes_back(BOB, invite_id)
    refused = await home.refuse(ALICE, invite_id)
    assert isinstance(refused, InviteOpen)
    assert (refused.invite_id, refused.nobody_waits) == (invite_id, True)
    assert (await home.counts())["invites"] == 1


# A no and no answer yet look the same to a guest


async def waits(_: Home, __: int) -> None:
    """Alice doesn't answer."""


async def says_no(home: Home, invite_id: int) -> None:
    assert await home.refuse(ALICE, invite_id) == GuestRefused()


async def says_no_and_asks_again(home: Home, invite_id: int) -> None:
    await says_no(home, invite_id)
    again = await home.accepted(ALICE, DORA)
    await says_no(home, again)
    await home.renews(ALICE, (await home.invite(ALICE))[0])


async def pairs_with_another(home: Home, _: int) -> None:
    assert isinstance(await home.confirm(DORA, await home.accepted(DORA, ALICE)), Paired)


async def hears_of_it(home: Home, _: int) -> None:
    """Alice is told, and doesn't answer."""
    async with home.store.writing() as rows:
        for notice in await rows.notices.claim(home.now, 10, 1):
            await rows.notices.sending(notice)
            await rows.notices.settle(notice, Settled.SENT, home.now)


async def hears_of_it_and_says_no(home: Home, invite_id: int) -> None:
    await hears_of_it(home, invite_id)
    await says_no(home, invite_id)


async def _seen_by_guest(home: Home, act: Any, hours: tuple[int, ...]) -> list[Any]:
    """Return what Bob sees when, after his yes, he looks in every way at these hours and takes it back in between."""
    invite_id, link, code = await home.invite(ALICE)
    await home.open(BOB, link)
    await home.accept(BOB, invite_id)
    home.clock.advance(timedelta(minutes=5))
    await act(home, invite_id)
    seen: list[Any] = []
    start = home.now
    for hour in hours:
        home.clock.set(start + timedelta(hours=hour))
        for look in (
            home.open(BOB, link), home.open(BOB, code), home.renames(BOB, invite_id), home.accept(BOB, invite_id),
            home.takes_yes_back(BOB, invite_id), home.open(BOB, link), home.decline(BOB, invite_id),
            home.types(BOB, f"https://t.me/ajar_bot?start={link.link}"), home.accept(BOB, invite_id),
            home.open(BOB, code), home.takes_yes_back(BOB, invite_id), home.takes_yes_back(BOB, invite_id),
            home.accept(BOB, invite_id), home.reach(BOB),
        ):  # fmt: skip
            result = await look
            seen.append(re.sub(r"\d{10,}", "ID", repr(result)))
            assert result
            read = reader_of(result, pairing=home.pairing)
            async with home.store.reading() as rows:
                user = await rows.users.find(BOB)
                assert user
                seen.append(dict(await read(Visit(rows, user, home.now), result)) if read else None)
    return seen


@on_both("hours", [((23, 30),), ((0, 23, 46, 47, 70),)], on_postgres=[((23, 30),)])
async def test_guest_can_not_tell_a_refusal(home: Home, store: Store, hours: tuple[int, ...]) -> None:
    unanswered = await _seen_by_guest(home, waits, hours)
    for act in (says_no, says_no_and_asks_again, pairs_with_another, hears_of_it, hears_of_it_and_says_no):
        await _come_anew(home, store)
        assert await _seen_by_guest(home, act, hours) == unanswered, act.__name__


async def _come_anew(home: Home, store: Store) -> None:
    """Let everybody erase everything and come back the next day."""
    async with store.writing() as rows:
        for user_id in NAMES:
            await rows.users.erase(user_id)
        for user_id, name in NAMES.items():
            user = await rows.users.add(user_id, "en", home.now)
            await rows.users.change(user, ask_at=time(20), zone="Europe/London")
            await rows.users.set_name(user_id, name)
    home.clock.advance(timedelta(days=1))
