"""Once all questions were asked, an older Line of the user's own comes back if wanted, or the day has no question."""

from dataclasses import replace
from datetime import timedelta

from bot.domain.callbacks import OLD_ENOUGH
from bot.domain.results import Asked, CalledBack, Kept, OfferLeft
from tests.services.conftest import ALICE, BOB, House

DAY = timedelta(days=1)


async def settled(house: House) -> list[int]:
    """Alice has answered all she can be asked, a while ago. Return her Lines."""
    await house.arrives(ALICE)
    lines = []
    for number in range(6):
        await house.is_asked(ALICE)
        kept = await house.says(ALICE, f"line {number}", number)
        assert isinstance(kept, Kept)
        lines.append(kept.line_id)
    await house.does(ALICE, house.pause.until_told)
    house.clock.advance(OLD_ENOUGH)
    await house.does(ALICE, house.pause.resume)
    return lines


async def days(house: House, count: int, number: int = 100) -> list[Asked | CalledBack]:
    """Return what Alice, who answers everything, is asked on the next days."""
    found: list[Asked | CalledBack] = []
    for day in range(count):
        found.append(await house.is_asked(ALICE))
        await house.says(ALICE, "as usual", number + day)
    return found


async def test_wanted_lines_come_back(house: House) -> None:
    lines = await settled(house)
    asked = await house.is_asked(ALICE)
    assert (asked.prompt_id, asked.used_up, asked.offers_callbacks) == (None, True, True)
    back = await house.does(ALICE, house.asks.bring_back_lines, asked.ask_id, wanted=True)
    assert isinstance(back, CalledBack)
    assert (back.ask_id, back.line_id in lines, back.here) == (asked.ask_id, True, True)
    kept = await house.says(ALICE, "done with", 50)
    assert isinstance(kept, Kept)
    found = await house.line(ALICE, kept.line_id)
    assert found
    assert found[0].prompt_id is None, "what it says of an earlier line is nobody else's: it can't be shared with it"
    later = await days(house, 12)
    assert [number for number, each in enumerate(later, 1) if isinstance(each, CalledBack)] == [6, 12]
    assert len({back.line_id, *(each.line_id for each in later if isinstance(each, CalledBack))}) == 3, "each one once"


async def test_unwanted_lines_stay(house: House) -> None:
    await settled(house)
    asked = await house.is_asked(ALICE)
    assert asked.offers_callbacks
    left = await house.does(ALICE, house.asks.bring_back_lines, asked.ask_id, wanted=False)
    assert left == Asked(asked.ask_id, None, here=True, used_up=True)
    await house.says(ALICE, "as usual", 50)
    later = await days(house, 12)
    assert not any(isinstance(each, CalledBack) or each.offers_callbacks for each in later), "it is asked once"


async def test_unanswered_offer_is_not_repeated(house: House) -> None:
    await settled(house)
    assert (await house.is_asked(ALICE)).offers_callbacks
    await house.says(ALICE, "as usual", 50)
    later = await days(house, 7)
    assert not any(isinstance(each, CalledBack) or each.offers_callbacks for each in later)


async def test_old_offer_changes_no_question(house: House) -> None:
    await settled(house)
    asked = await house.is_asked(ALICE)
    await house.says(ALICE, "as usual", 50)
    assert isinstance(await house.does(ALICE, house.asks.bring_back_lines, asked.ask_id, wanted=True), OfferLeft)
    assert (await house.user(ALICE)).callbacks is True


async def test_offer_needs_an_older_line(house: House) -> None:
    await house.arrives(ALICE)
    asked = [await house.is_asked(ALICE) for _ in range(6)]
    await house.says(ALICE, "the only one, and a new one", 1)
    asked.append(await house.is_asked(ALICE))
    assert asked[-1].used_up
    assert not asked[-1].offers_callbacks


async def test_words_are_read_last(house: House) -> None:
    await settled(house)
    asked = await house.is_asked(ALICE)
    back = await house.does(ALICE, house.asks.bring_back_lines, asked.ask_id, wanted=True)
    reader = house.asks.read_called_back
    found = await house.line(ALICE, back.line_id)
    assert found
    line, words = found
    question = house.library.prompts[line.prompt_id or ""].text
    assert await house.does(ALICE, reader, back) == {
        "line": words, "line_day": line.day.isoformat(), "question": question,
    }  # fmt: skip
    async with house.store.writing(ALICE) as rows:
        await rows.lines.change(line, "reworded", house.clock.now())
    assert (await house.does(ALICE, reader, back))["line"] == "reworded"
    await house.arrives(BOB)
    assert await house.does(BOB, reader, back) == {}, "nobody else's"
    async with house.store.writing(ALICE) as rows:
        await rows.lines.delete(line)
    assert await house.does(ALICE, reader, back) == {}


async def test_deleted_line_does_not_return(house: House) -> None:
    await settled(house)
    asked = await house.is_asked(ALICE)
    back = await house.does(ALICE, house.asks.bring_back_lines, asked.ask_id, wanted=True)
    again = await house.does(ALICE, house.asks.bring_back, asked.ask_id)
    assert (again.ask_id, again.line_id) == (back.ask_id, back.line_id), "as long as it is there, it stays"
    found = await house.line(ALICE, back.line_id)
    assert found
    async with house.store.writing(ALICE) as rows:
        await rows.lines.delete(found[0])
    other = await house.does(ALICE, house.asks.bring_back, asked.ask_id)
    assert isinstance(other, CalledBack)
    assert other.line_id != back.line_id


async def test_callback_swaps_for_an_older_question(house: House) -> None:
    await settled(house)
    asked = await house.is_asked(ALICE)
    await house.does(ALICE, house.asks.bring_back_lines, asked.ask_id, wanted=True)
    other = await house.does(ALICE, house.asks.another, asked.ask_id)
    assert isinstance(other, Asked)
    assert other.prompt_id
    ask = await house.ask(ALICE, asked.ask_id)
    assert (ask.prompt_id, ask.called_back) == (other.prompt_id, None)
    assert await house.does(ALICE, house.asks.bring_back, asked.ask_id) == replace(other, opening=None)
    await house.says(ALICE, "as usual", 50)
    later = await days(house, 6)
    assert [number for number, each in enumerate(later, 1) if isinstance(each, CalledBack)] == [6], "six days apart"
