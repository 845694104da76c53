"""Discreet mode: which messages go from the chat, and when."""

from datetime import timedelta

import pytest

from bot.domain.model import Draft, DraftReason
from bot.domain.results import CodeOrLine, Dropped, Erased, Kept, NameOrLine, Outdated, PairNameWanted, Result, SetAside
from bot.domain.results.answering import ReplyDropped
from bot.domain.results.traces import Hidden
from bot.domain.results.undecided import StillUndecided
from bot.domain.undecided import Undecided, Waits
from bot.services.lines import PATIENCE
from bot.services.traces import A_MOMENT, SHOWN_FOR
from bot.services.use_cases import UseCases, make_use_cases
from bot.storage.traces import ASKS_FOR, DELETABLE, Due
from tests.services.conftest import ALICE, House, make_library

TEXT, OPENED, CARD = 70, 71, 72  # messages


@pytest.fixture
async def use(house: House) -> UseCases:
    """Let Alice be in discreet mode; return the use cases."""
    await house.arrives(ALICE)
    use = make_use_cases(make_library())
    await house.does(ALICE, use.settings.flip, "discreet", 1)
    return use


async def says(house: House, use: UseCases, text: str) -> Result:
    result: Result = await house.does(ALICE, use.lines.receive, text, TEXT)
    return result


async def gone(house: House, after: timedelta) -> list[int]:
    """Return the messages that are gone by then."""
    async with house.store.reading() as rows:
        return [each.message_id for each in await rows.traces.due(ALICE, house.clock.now() + after)]


async def typed_at_name(house: House, use: UseCases) -> int:
    """Let Alice type a name where one is offered; return the Draft."""
    assert isinstance(await house.does(ALICE, use.pairing.pair), PairNameWanted)
    asked = await says(house, use, "Ally")
    assert isinstance(asked, NameOrLine)
    return asked.draft_id


async def test_name_goes_once_it_is_one(house: House, use: UseCases) -> None:
    draft = await typed_at_name(house, use)
    assert await gone(house, A_MOMENT) == []
    await house.does(ALICE, use.pairing.meant_as_name, draft)
    assert await gone(house, A_MOMENT) == [TEXT]


async def test_name_goes_once_it_is_a_line(house: House, use: UseCases) -> None:
    draft = await typed_at_name(house, use)
    assert isinstance(await house.does(ALICE, use.lines.keep_draft, draft), Kept)
    assert await gone(house, A_MOMENT) == [TEXT]


async def test_code_goes_once_it_is_one(house: House, use: UseCases) -> None:
    asked = await says(house, use, "K7QX-9M2P")
    assert isinstance(asked, CodeOrLine)
    assert await gone(house, A_MOMENT) == []
    await house.does(ALICE, use.pairing.meant_as_code, asked.draft_id)
    assert await gone(house, A_MOMENT) == [TEXT]


async def test_text_goes_once_it_is_dropped(house: House, use: UseCases) -> None:
    asked = await says(house, use, "Rain all day.")
    assert isinstance(asked, SetAside)
    assert isinstance(await house.does(ALICE, use.lines.drop_draft, asked.draft_id), Dropped)
    assert await gone(house, A_MOMENT) == [TEXT]


async def test_long_text_and_what_asked_about_it_go_once_it_is_shortened(house: House, use: UseCases) -> None:
    asked = await says(house, use, "word " * 100)
    assert isinstance(asked, SetAside)
    async with house.store.writing(ALICE) as rows:
        await rows.drafts.show_on(ALICE, asked.draft_id, CARD)
    await house.does(ALICE, use.lines.shorten_draft, asked.draft_id)
    assert isinstance(await house.does(ALICE, use.lines.receive, "word", TEXT + 9), Kept)
    assert await gone(house, A_MOMENT) == [TEXT, CARD, TEXT + 9]


async def test_opened_line_outlasts_a_reaction_that_is_dropped(house: House, use: UseCases) -> None:
    async with house.store.writing(ALICE) as rows:
        draft = Draft(0, ALICE, DraftReason.REACTION, "👍", OPENED, reflection_id=1)
        draft = await rows.drafts.set_aside(draft, house.clock.now())
    assert isinstance(await house.does(ALICE, use.lines.drop_draft, draft.id), ReplyDropped)
    assert await gone(house, A_MOMENT) == []


async def test_question_about_a_draft_is_in_reach_at_any_age(house: House, use: UseCases) -> None:
    asked = await says(house, use, "Rain all day.")
    assert isinstance(asked, SetAside)
    async with house.store.writing(ALICE) as rows:
        soon = house.clock.now() + SHOWN_FOR
        for message in (TEXT, CARD):
            await rows.traces.note(ALICE, message, soon - DELETABLE - timedelta(days=1), hide_at=soon)
        await rows.traces.asks(ALICE, CARD, Undecided(Waits.DRAFT, asked.draft_id))
        await rows.traces.forget_before(house.clock.now() - DELETABLE, 10)
        assert await rows.traces.due(ALICE, soon) == [Due(CARD, True, Undecided(Waits.DRAFT, asked.draft_id))]
        assert await rows.traces.next_due(ALICE, house.clock.now()) == soon
        await rows.traces.stays(ALICE, [CARD])
        assert await rows.traces.due(ALICE, soon) == []
        await rows.traces.forget_before(soon + timedelta(seconds=1), 10)
        assert await rows.traces.undecided(ALICE) == [Undecided(Waits.DRAFT, asked.draft_id)]
        await rows.traces.forget_before(soon - DELETABLE + ASKS_FOR, 10)
        assert await rows.traces.undecided(ALICE) == []


async def test_one_message_asks_about_a_thing(house: House, use: UseCases) -> None:
    asked = await says(house, use, "Rain all day.")
    assert isinstance(asked, SetAside)
    draft, follow_up = Undecided(Waits.DRAFT, asked.draft_id), Undecided(Waits.FOLLOW_UP, 8)
    now = house.clock.now()
    async with house.store.writing(ALICE) as rows:
        for message, about in ((CARD, draft), (CARD + 1, follow_up), (CARD + 2, draft)):
            await rows.traces.note(ALICE, message, now, shown=True)
            await rows.traces.asks(ALICE, message, about)
        await rows.traces.hide_all(ALICE, now)
        due = await rows.traces.due(ALICE, now)
        assert due == [
            Due(CARD, False, None, True), Due(CARD + 1, False, follow_up, True), Due(CARD + 2, False, draft, True),
        ]  # fmt: skip
        await rows.traces.note(ALICE, CARD + 1, now)
        assert await rows.traces.undecided(ALICE) == [draft, follow_up], "it still shows the same"
        await rows.traces.note(ALICE, CARD + 1, now, shown=True)
        assert await rows.traces.undecided(ALICE) == [draft]
    await house.does(ALICE, use.lines.drop_draft, asked.draft_id)
    async with house.store.writing(ALICE) as rows:
        assert await rows.traces.undecided(ALICE) == []
        assert await rows.traces.due(ALICE, now + DELETABLE) == [
            Due(message, True, None, True) for message in (CARD, CARD + 1, CARD + 2)
        ], "they can't be removed any more, only emptied"


async def test_hide_keeps_only_the_way_by_today(house: House, use: UseCases) -> None:
    asked = await says(house, use, "Rain all day.")
    assert isinstance(asked, SetAside)
    about, now = Undecided(Waits.DRAFT, asked.draft_id), house.clock.now()
    async with house.store.writing(ALICE) as rows:
        await rows.traces.note(ALICE, CARD, now)
        await rows.traces.asks(ALICE, CARD, about)
    assert isinstance(await house.does(ALICE, use.traces.hide_all, 90), Hidden)
    async with house.store.writing(ALICE) as rows:
        assert Due(CARD, False, about, True) in await rows.traces.due(ALICE, now)
        await rows.traces.stays(ALICE, [CARD])
    assert isinstance(await house.does(ALICE, use.traces.hide_all, 91), Hidden)
    async with house.store.reading() as rows:
        assert CARD not in [each.message_id for each in await rows.traces.due(ALICE, now)], "it is gone"
        assert CARD not in await rows.traces.pending(ALICE, now)
    assert await house.does(ALICE, use.deciding.find) == StillUndecided(about.waits, about.id)


async def test_name_is_offered_again_while_it_can_be_one(house: House, use: UseCases) -> None:
    draft = await typed_at_name(house, use)
    assert await house.does(ALICE, use.lines.show_draft, draft) == NameOrLine(draft)
    house.clock.advance(PATIENCE)
    assert await house.does(ALICE, use.lines.show_draft, draft) == SetAside(draft, DraftReason.UNASKED, again=True)
    await house.does(ALICE, use.lines.drop_draft, draft)
    assert await house.does(ALICE, use.lines.show_draft, draft) == Outdated()


async def test_next_text_leaves_an_undecided_name(house: House, use: UseCases) -> None:
    draft = await typed_at_name(house, use)
    second = await house.does(ALICE, use.lines.receive, "Al", TEXT + 1)
    assert isinstance(second, NameOrLine)
    assert await house.does(ALICE, use.lines.show_draft, draft) == NameOrLine(draft)


async def test_code_is_asked_about_again_with_its_text(house: House, use: UseCases) -> None:
    asked = await says(house, use, "K7QX-9M2P")
    assert isinstance(asked, CodeOrLine)
    again = await house.does(ALICE, use.lines.show_draft, asked.draft_id)
    assert again == CodeOrLine(asked.draft_id, again=True)
    assert await house.does(ALICE, use.pairing.read_typed_code, asked) == {}
    assert await house.does(ALICE, use.pairing.read_typed_code, again) == {"draft": "K7QX-9M2P"}


async def test_second_text_without_its_line_replaces_nothing(house: House, use: UseCases) -> None:
    await house.is_asked(ALICE)
    kept = await house.does(ALICE, use.lines.receive, "Once.", TEXT - 1)
    second = await says(house, use, "Twice.")
    assert isinstance(second, SetAside)
    assert second == SetAside(second.draft_id, DraftReason.SECOND, kept.line_id)
    again = await house.does(ALICE, use.lines.show_draft, second.draft_id)
    assert again == SetAside(second.draft_id, DraftReason.SECOND, kept.line_id, again=True)
    words = await house.does(ALICE, use.lines.read_draft, again)
    assert (words["words"], words["draft"]) == ("Once.", "Twice.")
    await house.does(ALICE, use.lines.delete, kept.line_id, kept.revision)
    again = await house.does(ALICE, use.lines.show_draft, second.draft_id)
    assert again == SetAside(second.draft_id, DraftReason.UNASKED, again=True)


async def test_erase_says_what_was_to_go(house: House, use: UseCases) -> None:
    now = house.clock.now()
    asked = await says(house, use, "Rain all day.")
    assert isinstance(asked, SetAside)
    async with house.store.writing(ALICE) as rows:
        await rows.traces.note(ALICE, CARD, now)
        await rows.traces.asks(ALICE, CARD, Undecided(Waits.DRAFT, asked.draft_id))
        await rows.traces.note(ALICE, TEXT, now, hide_at=now + SHOWN_FOR)
        await rows.traces.note(ALICE, 5, now)
        await rows.traces.note(ALICE, 6, now - DELETABLE - timedelta(hours=1), hide_at=now + SHOWN_FOR)
    assert await house.does(ALICE, use.privacy.erase, now) == Erased((TEXT, CARD))


async def test_erase_leaves_the_chat_of_others(house: House, use: UseCases) -> None:
    await house.does(ALICE, use.settings.flip, "discreet", 0)
    asked = await says(house, use, "Rain all day.")
    assert isinstance(asked, SetAside)
    async with house.store.writing(ALICE) as rows:
        await rows.traces.note(ALICE, CARD, house.clock.now())
        await rows.traces.asks(ALICE, CARD, Undecided(Waits.DRAFT, asked.draft_id))
        await rows.traces.note(ALICE, TEXT, house.clock.now())
    assert await house.does(ALICE, use.privacy.erase, house.clock.now()) == Erased()
