"""Consent: withdrawn, and asked for again when the policy has a new version. The partner can tell neither."""

from datetime import timedelta

import pytest

from bot.domain import model
from bot.domain.model import Dialog, User, Waiting
from bot.domain.notices import Notice, NoticeKind
from bot.domain.results import Ready, Result
from bot.domain.results.answering import Answered, ReplyPreview
from bot.domain.results.follow_ups import FollowUpPreview, FollowUpSent
from bot.domain.results.pairing import SharingEnded
from bot.domain.results.privacy import ConsentAgain, ConsentWithdrawn
from bot.domain.results.receiving import TakenBack, WaitingShown
from bot.domain.results.responses import ResponseReceived
from bot.domain.results.sharing import ShareShown
from bot.domain.sharing import UNDO_FOR, ResponseKind, State
from bot.services.asks import Asks
from bot.services.consent import Consents
from bot.services.follow_ups import FollowUps
from bot.services.ritual import Rituals
from bot.services.visit import Visit
from tests.samples import on_both
from tests.services.conftest import LIBRARY
from tests.services.test_exporting import export_of
from tests.services.test_sharing import ALICE, BOB, QUARTER, Home, home  # noqa: F401  # the fixture


@pytest.fixture
def consents(home: Home) -> Consents:  # noqa: F811
    rituals = Rituals(home.sharing, LIBRARY)
    return Consents(home.pairing, home.sharing, rituals, home.answering, FollowUps())


async def user_of(home: Home, user_id: int) -> User:  # noqa: F811
    async with home.store.reading() as rows:
        user = await rows.users.find(user_id)
    assert user
    return user


async def open_notices(home: Home, kind: NoticeKind) -> list[Notice]:  # noqa: F811
    async with home.store.writing() as rows:
        found = await rows.notices.claim(home.now + timedelta(days=400), 100, 1)
        for notice in found:
            await rows.notices.put_off(notice, notice.due_at)
    return [notice for notice in found if notice.kind is kind]


async def told(home: Home, consents: Consents, notice: Notice) -> Result | None:  # noqa: F811
    """What Alice is told when the Notice is due."""
    async with home.store.writing(ALICE) as rows:
        user = await rows.users.find(ALICE)
        assert user
        return await consents.tell(Visit(rows, user, home.now), notice)


async def test_withdrawal_stops_everything_and_removes_nothing(home: Home, consents: Consents) -> None:  # noqa: F811
    (opened,) = await home.announced()
    await home.opens(opened)
    (announced,), scheduled = await home.announced(), await home.shares()
    assert await home.do(ALICE, consents.withdraw) == ConsentWithdrawn()
    alice = await user_of(home, ALICE)
    assert (alice.consented_at, alice.has_agreed, alice.next_ask_at) == (None, False, None)
    assert [await home.state(one) for one in (announced, scheduled)] == [State.WITHDRAWN, State.WITHDRAWN]
    assert await home.state(opened) is State.OPENED, "that can't be unread"
    assert await open_notices(home, NoticeKind.REFLECTION) == []
    async with home.store.reading() as rows:
        assert len(await rows.lines.page(ALICE, None, 10)) == 3
        assert await rows.pairs.active(BOB), "nobody is told"
    assert await home.opens(announced) == TakenBack(), "as if she had taken it back"


async def test_response_on_its_way_is_stopped(home: Home, consents: Consents) -> None:  # noqa: F811
    (opened,) = await home.announced()
    await home.opens(opened)
    await home.answers(opened)
    await home.do(BOB, consents.withdraw)
    assert await home.hears() == []


@on_both("", [()], [()])
async def test_stopped_response_can_be_sent_after_agreeing_again(home: Home, consents: Consents) -> None:  # noqa: F811
    """It never went out, so he isn't told that he has answered; she can't tell that he ever did."""
    (opened,) = await home.announced()
    await home.opens(opened)
    before = (await export_of(home, ALICE)).model_dump(exclude={"made_at"})
    sent = await home.answers(opened)
    assert isinstance(sent, Answered)
    await home.do(BOB, consents.withdraw)
    assert await home.hears() == []
    await home.do(BOB, consents.agree)
    assert await home.hears() == [], "agreeing again isn't a yes to the Response"
    assert (await export_of(home, ALICE)).model_dump(exclude={"made_at"}) == before
    assert await home.undoes(sent.response_id) == ReplyPreview(sent.response_id, opened, answer=ResponseKind.THANKS)
    assert isinstance(await home.answers(opened, ResponseKind.READ), Answered)
    (heard,) = await home.hears()
    assert isinstance(heard, ResponseReceived)
    assert heard.answer == ResponseKind.READ


@on_both("", [()], [()])
async def test_stopped_follow_up_can_be_sent_after_agreeing_again(home: Home, consents: Consents) -> None:  # noqa: F811
    (opened,) = await home.announced()
    await home.opens(opened)
    await home.answers(opened, ResponseKind.HARDEST)
    response, follow_ups = await home.response(), FollowUps()
    before = (await export_of(home, BOB)).model_dump(exclude={"made_at"})
    dialog, typed = Dialog(Waiting.FOLLOW_UP, response, home.now), follow_ups.typed[Waiting.FOLLOW_UP]
    preview = await home.do(ALICE, lambda visit: typed(visit, dialog, "The way home.", 7))
    assert isinstance(preview, FollowUpPreview)

    async def sends() -> Result:
        return await home.do(ALICE, lambda visit: follow_ups.send(visit, preview.follow_up_id))

    assert isinstance(await sends(), FollowUpSent)
    await home.do(ALICE, consents.withdraw)
    home.clock.advance(UNDO_FOR)
    assert await open_notices(home, NoticeKind.FOLLOW_UP_DUE) == []
    await home.do(ALICE, consents.agree)
    assert (await export_of(home, BOB)).model_dump(exclude={"made_at"}) == before
    undone = await home.do(ALICE, lambda visit: follow_ups.undo(visit, preview.follow_up_id))
    assert undone == preview
    assert isinstance(await sends(), FollowUpSent)
    assert len(await open_notices(home, NoticeKind.FOLLOW_UP_DUE)) == 1


async def test_withdrawal_leaves_the_partner_alone(home: Home, consents: Consents) -> None:  # noqa: F811
    await home.do(BOB, consents.withdraw)
    about = await home.shares()
    home.clock.advance(QUARTER)
    assert await home.state(about) is State.SCHEDULED
    assert isinstance(await home.looks(about), ShareShown)
    assert await home.due() == [(BOB, NoticeKind.REFLECTION)], "it waits; the courier holds it back"


async def test_agreeing_again_resumes(home: Home, consents: Consents) -> None:  # noqa: F811
    await home.do(ALICE, consents.withdraw)
    home.clock.advance(timedelta(days=3))
    assert isinstance(await home.do(ALICE, consents.agree), Ready)
    alice = await user_of(home, ALICE)
    assert (alice.consented_at, alice.consent_version) == (home.now, model.POLICY_VERSION)
    assert alice.next_ask_at
    assert alice.next_ask_at > home.now
    assert isinstance(await home.do(ALICE, home.receiving.waiting), WaitingShown)


async def test_new_policy_replaces_one_question(
    home: Home,  # noqa: F811
    consents: Consents,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with home.store.writing(ALICE) as rows:
        user = await rows.users.find(ALICE)
        assert user
        await rows.users.change(user, next_ask_at=home.now, next_ask_day=home.now.date())
    monkeypatch.setattr(model, "POLICY_VERSION", 2)
    monkeypatch.setattr("bot.services.awaiting_consent.POLICY_VERSION", 2)
    monkeypatch.setattr("bot.services.consent.POLICY_VERSION", 2)
    assert (await Asks(LIBRARY).plan_due(home.store, home.now)).asked == 0
    (notice,) = await open_notices(home, NoticeKind.CONSENT)
    assert (notice.user_id, await open_notices(home, NoticeKind.ASK)) == (ALICE, [])
    assert await told(home, consents, notice) == ConsentAgain()
    alice = await user_of(home, ALICE)
    assert (alice.consented_at is not None, alice.next_ask_at, alice.consent_asked) == (True, None, 2)

    assert isinstance(await home.do(ALICE, consents.agree), Ready)
    assert await told(home, consents, notice) is None
    alice = await user_of(home, ALICE)
    assert alice.consent_version == 2
    assert alice.next_ask_at


@pytest.mark.parametrize("hears", [True, False])
async def test_withdrawal_hides_what_was_opened(
    home: Home,  # noqa: F811
    consents: Consents,
    hears: bool,
) -> None:
    """To a sharer who hasn't heard of the end, all they shared is still on its way, and is taken back."""
    opened, unopened = await home.announced(2)
    await home.opens(opened)
    await home.leaves(BOB)
    if hears:
        assert await home.reaches(ALICE) == SharingEnded()
    before = (await export_of(home, ALICE)).reflections
    await home.do(ALICE, consents.withdraw)
    after = (await export_of(home, ALICE)).reflections
    assert len(before) == 2
    assert (after == before) is hears
    assert await home.state(unopened) is (State.CANCELLED if hears else State.WITHDRAWN)
