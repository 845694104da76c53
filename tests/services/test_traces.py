"""Discreet mode: which messages go from the chat, and when."""

from datetime import timedelta

import pytest

from bot.domain.model import Draft, DraftReason
from bot.domain.results import CodeOrLine, Dropped, Kept, NameOrLine, PairNameWanted, Result, SetAside
from bot.domain.results.answering import ReplyDropped
from bot.services.traces import A_MOMENT
from bot.services.use_cases import UseCases, make_use_cases
from tests.services.conftest import ALICE, House, make_library

TEXT, OPENED = 70, 71  # messages


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
        return await rows.traces.due(ALICE, house.clock.now() + after)


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


async def test_opened_line_outlasts_a_reaction_that_is_dropped(house: House, use: UseCases) -> None:
    async with house.store.writing(ALICE) as rows:
        draft = Draft(0, ALICE, DraftReason.REACTION, "👍", OPENED, reflection_id=1)
        draft = await rows.drafts.set_aside(draft, house.clock.now())
    assert isinstance(await house.does(ALICE, use.lines.drop_draft, draft.id), ReplyDropped)
    assert await gone(house, A_MOMENT) == []
