"""Lines: kept for the right date, changed, deleted; and texts that wait for a decision."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.model import AskOpening, AskState, DraftReason
from bot.domain.results import (
    Asked,
    Changed,
    ChangeWanted,
    Deleted,
    DeleteWanted,
    Dropped,
    EmptyText,
    Kept,
    LineDiffers,
    LineGone,
    NothingKept,
    Outdated,
    SetAside,
    ShorterWanted,
    Silence,
)
from bot.services.housekeeping import Housekeeping
from bot.services.lines import DRAFTS_KEPT, OPEN_FOR, PATIENCE
from tests.services.conftest import ALICE, BOB, House

LONG = "word " * 100


@pytest.fixture
async def asked(house: House) -> int:
    """Ask Alice; return the Ask's id."""
    await house.arrives(ALICE)
    return (await house.is_asked(ALICE)).ask_id


async def keeps(house: House, text: str, message_id: int) -> int:
    kept = await house.says(ALICE, text, message_id)
    assert isinstance(kept, Kept), kept
    return kept.line_id


async def sets_aside(house: House, text: str, message_id: int) -> SetAside:
    result = await house.says(ALICE, text, message_id)
    assert isinstance(result, SetAside), result
    return result


async def test_text_answers_the_open_ask(house: House, asked: int) -> None:
    line_id = await keeps(house, "tired,\n\n  but all right", 5)
    found = await house.line(ALICE, line_id)
    assert found
    line, words = found
    assert words == "tired, but all right"
    ask = await house.ask(ALICE, asked)
    assert (line.ask_id, line.day, line.message_id) == (asked, ask.day, 5)
    assert ask.state is AskState.ANSWERED


async def test_same_message_twice_is_one_line(house: House, asked: int) -> None:
    assert asked
    one, other = await asyncio.gather(house.says(ALICE, "once", 5), house.says(ALICE, "once", 5))
    assert one == other
    assert isinstance(one, Kept)


async def test_unreadable_text_is_no_line(house: House, asked: int) -> None:
    assert await house.says(ALICE, " \n\t ", 5) == EmptyText()
    assert (await house.ask(ALICE, asked)).state is AskState.OPEN


async def test_line_takes_300_characters(house: House, asked: int) -> None:
    assert asked
    assert isinstance(await house.says(ALICE, "x" * 301, 4), SetAside)
    assert await house.words(ALICE, await keeps(house, "x" * 300, 5)) == "x" * 300


# --- a second text


async def test_second_text_is_kept_as_another(house: House, asked: int) -> None:
    first = await keeps(house, "first", 5)
    second = await sets_aside(house, "second", 6)
    assert second.reason is DraftReason.SECOND
    kept = await house.does(ALICE, house.lines.keep_draft, second.draft_id)
    assert await house.words(ALICE, kept.line_id) == "second"
    assert await house.words(ALICE, first) == "first"
    found = await house.line(ALICE, kept.line_id)
    assert found
    assert found[0].day == (await house.ask(ALICE, asked)).day


async def test_second_text_replaces(house: House, asked: int) -> None:
    assert asked
    first = await keeps(house, "first", 5)
    second = await sets_aside(house, "second", 6)
    assert await house.does(ALICE, house.lines.replace_by_draft, second.draft_id) == Changed(first, 1)
    assert await house.words(ALICE, first) == "second"
    assert await house.does(ALICE, house.lines.edited, "edited", 6) == Changed(first, 2), (
        "its message is the Line's now"
    )


async def test_second_text_is_ignored(house: House, asked: int) -> None:
    assert asked
    await keeps(house, "first", 5)
    second = await sets_aside(house, "second", 6)
    assert await house.does(ALICE, house.lines.drop_draft, second.draft_id) == Dropped()
    assert await house.does(ALICE, house.lines.keep_draft, second.draft_id) == Outdated()
    assert await house.does(ALICE, house.lines.drop_draft, second.draft_id) == Outdated(), "what was decided stands"


@pytest.mark.parametrize("use_case", ["keep_draft", "replace_by_draft"])
async def test_double_tap_decides_once(house: House, asked: int, use_case: str) -> None:
    assert asked
    await keeps(house, "first", 5)
    second = await sets_aside(house, "second", 6)
    taps = (house.does(ALICE, getattr(house.lines, use_case), second.draft_id) for _ in range(2))
    results = await asyncio.gather(*taps)
    assert sorted(type(result).__name__ for result in results)[1] == "Outdated"


async def test_replaced_deleted_line_keeps_text(house: House, asked: int) -> None:
    assert asked
    first = await keeps(house, "first", 5)
    second = await sets_aside(house, "second", 6)
    await house.does(ALICE, house.lines.delete, first, 0)
    kept = await house.does(ALICE, house.lines.replace_by_draft, second.draft_id)
    assert isinstance(kept, Kept)
    assert await house.words(ALICE, kept.line_id) == "second"


# --- too long


async def test_dropped_text_brings_its_question_back(house: House, asked: int) -> None:
    long = await sets_aside(house, LONG, 5)
    put = await house.does(ALICE, house.lines.drop_draft, long.draft_id)
    assert put == Asked(asked, (await house.ask(ALICE, asked)).prompt_id, here=True, opening=AskOpening.NOT_KEPT)
    long = await sets_aside(house, LONG, 6)
    await keeps(house, "in short", 7)
    assert await house.does(ALICE, house.lines.drop_draft, long.draft_id) == Dropped(), "it has been answered since"


async def test_first_300_of_a_long_text(house: House, asked: int) -> None:
    long = await sets_aside(house, LONG, 5)
    assert long.reason is DraftReason.TOO_LONG
    read = await house.does(ALICE, house.lines.read_draft, long)
    assert read == {"length": str(len(LONG.strip()))}
    assert (await house.ask(ALICE, asked)).state is AskState.OPEN
    kept = await house.does(ALICE, house.lines.keep_draft, long.draft_id)
    words = await house.words(ALICE, kept.line_id)
    assert 290 < len(words) <= 300
    assert LONG.startswith(words.removesuffix("…"))
    assert (await house.ask(ALICE, asked)).state is AskState.ANSWERED


async def test_next_text_shortens_a_long_one(house: House, asked: int) -> None:
    long = await sets_aside(house, LONG, 5)
    assert await house.does(ALICE, house.lines.shorten_draft, long.draft_id) == ShorterWanted()
    line_id = await keeps(house, "in short", 6)
    assert await house.words(ALICE, line_id) == "in short"
    assert (await house.ask(ALICE, asked)).state is AskState.ANSWERED
    assert await house.does(ALICE, house.lines.keep_draft, long.draft_id) == Outdated()


async def test_text_still_too_long_waits_again(house: House, asked: int) -> None:
    assert asked
    long = await sets_aside(house, LONG, 5)
    await house.does(ALICE, house.lines.shorten_draft, long.draft_id)
    again = await sets_aside(house, LONG + "more", 6)
    assert again.reason is DraftReason.TOO_LONG
    assert await house.words(ALICE, (await house.does(ALICE, house.lines.keep_draft, again.draft_id)).line_id)


# --- buttons that show another wording


async def test_older_card_changes_nothing(house: House, asked: int) -> None:
    assert asked
    line_id = await keeps(house, "first", 5)
    second = await sets_aside(house, "second", 6)
    await house.does(ALICE, house.lines.replace_by_draft, second.draft_id)
    differs = LineDiffers(line_id, 1)
    assert await house.does(ALICE, house.lines.ask_delete, line_id, 0) == differs
    assert await house.does(ALICE, house.lines.delete, line_id, 0) == differs
    assert await house.does(ALICE, house.lines.change, line_id, 0) == differs
    assert isinstance(await house.says(ALICE, "third", 7), SetAside), "nothing is awaited"
    assert await house.words(ALICE, line_id) == "second"
    assert await house.does(ALICE, house.lines.delete, line_id, 1) == Deleted()


async def test_replace_applies_to_the_quoted_line(house: House, asked: int) -> None:
    assert asked
    first = await keeps(house, "first", 5)
    second = await sets_aside(house, "second", 6)
    assert second.line_id == first
    await house.does(ALICE, house.lines.edited, "first, edited", 5)
    again = await house.does(ALICE, house.lines.replace_by_draft, second.draft_id)
    assert again == replace(second, differs=True)
    assert await house.words(ALICE, first) == "first, edited"
    assert await house.does(ALICE, house.lines.replace_by_draft, second.draft_id) == Changed(first, 2)
    assert await house.words(ALICE, first) == "second"


async def test_long_text_replaces_only_its_target(house: House, asked: int) -> None:
    assert asked
    first = await keeps(house, "first", 5)
    await house.does(ALICE, house.lines.change, first, 0)
    long = await sets_aside(house, LONG, 6)
    await house.does(ALICE, house.lines.edited, "first, edited", 5)
    again = await house.does(ALICE, house.lines.keep_draft, long.draft_id)
    assert (again.reason, again.differs) == (DraftReason.TOO_LONG, True)
    assert await house.words(ALICE, first) == "first, edited"
    assert await house.does(ALICE, house.lines.keep_draft, long.draft_id) == Changed(first, 2)


async def test_shortened_text_notices_a_change(house: House, asked: int) -> None:
    assert asked
    first = await keeps(house, "first", 5)
    await house.does(ALICE, house.lines.change, first, 0)
    long = await sets_aside(house, LONG, 6)
    await house.does(ALICE, house.lines.shorten_draft, long.draft_id)
    async with house.store.writing(ALICE) as rows:
        line = await rows.lines.find(ALICE, first)
        assert line
        await rows.lines.change(line, "changed elsewhere", house.clock.now())
    assert (await sets_aside(house, "in short", 7)).reason is DraftReason.SECOND
    assert await house.words(ALICE, first) == "changed elsewhere"


async def test_text_after_editing_is_separate(house: House, asked: int) -> None:
    """Both ways to change a line are offered at once; whoever uses one doesn't mean the other too."""
    assert asked
    first = await keeps(house, "first", 5)
    await house.does(ALICE, house.lines.change, first, 0)
    await house.does(ALICE, house.lines.edited, "first, edited", 5)
    assert isinstance(await house.says(ALICE, "something else", 6), SetAside)
    assert await house.words(ALICE, first) == "first, edited"


async def test_outdated_cards_are_named(house: House, asked: int) -> None:
    async with house.store.writing(ALICE) as rows:
        await rows.asks.showing(ALICE, 70, asked, "body.1a")
        await rows.asks.showing(ALICE, 71, asked, "body.1a")
    kept = await house.says(ALICE, "first", 5)
    assert isinstance(kept, Kept)
    assert kept.stale == (71,), "the question's newest message"
    async with house.store.writing(ALICE) as rows:
        await rows.lines.show_on(ALICE, kept.line_id, 72)
    second = await sets_aside(house, "secnd", 6)
    async with house.store.writing(ALICE) as rows:
        await rows.drafts.show_on(ALICE, second.draft_id, 73)
    edited = await house.does(ALICE, house.lines.edited, "second", 6)
    assert edited.stale == (73,), "the draft it replaces"
    changed = await house.does(ALICE, house.lines.replace_by_draft, edited.draft_id)
    assert changed == Changed(kept.line_id, 1, stale=(72,))
    assert (await house.does(ALICE, house.lines.delete, kept.line_id, 1)).stale == (72,)


async def test_reply_answers_its_prompt(house: House, asked: int) -> None:
    """The Ask's prompt was swapped under a newer message; the older one still shows the previous one."""
    async with house.store.writing(ALICE) as rows:
        await rows.asks.showing(ALICE, 70, asked, "body.1a")
        await rows.asks.showing(ALICE, 71, asked, "work.1b")
    kept = await house.says(ALICE, "about the first", 5, reply_to=70)
    assert isinstance(kept, Kept)
    found = await house.line(ALICE, kept.line_id)
    assert found
    assert found[0].prompt_id == "body.1a"


# --- without a question


async def test_text_without_question_is_set_aside(house: House) -> None:
    await house.arrives(ALICE)
    unasked = await sets_aside(house, "by the way", 5)
    assert unasked.reason is DraftReason.UNASKED
    kept = await house.does(ALICE, house.lines.keep_draft, unasked.draft_id)
    found = await house.line(ALICE, kept.line_id)
    assert found
    line, words = found
    assert (words, line.ask_id, line.day) == ("by the way", None, house.clock.now().date())


async def test_old_question_takes_no_answer(house: House, asked: int) -> None:
    await house.does(ALICE, house.pause.until_told)  # otherwise the next Ask would be open
    house.clock.advance(OPEN_FOR - timedelta(seconds=1))
    assert isinstance(await house.says(ALICE, "late", 5), Kept)
    assert (await house.ask(ALICE, asked)).state is AskState.ANSWERED


async def test_skipped_ask_takes_no_text(house: House, asked: int) -> None:
    await house.does(ALICE, house.asks.skip, asked)
    assert (await sets_aside(house, "hm", 5)).reason is DraftReason.UNASKED


async def test_reply_answers_what_it_replies_to(house: House, asked: int) -> None:
    async with house.store.writing() as rows:
        await rows.asks.showing(ALICE, 77, asked, "body.1a")
    day = house.clock.now().date()
    later = await house.is_asked(ALICE)
    kept = await house.says(ALICE, "about yesterday", 5, reply_to=77)
    assert isinstance(kept, Kept)
    found = await house.line(ALICE, kept.line_id)
    assert found
    assert (found[0].ask_id, found[0].day) == (asked, day)
    assert (await house.ask(ALICE, later.ask_id)).state is AskState.OPEN


async def test_waiting_texts_last_a_week(house: House) -> None:
    await house.arrives(ALICE)
    unasked = await sets_aside(house, "by the way", 5)
    house.clock.advance(DRAFTS_KEPT + timedelta(hours=1))
    await Housekeeping(house.store, house.clock).tidy()
    assert await house.does(ALICE, house.lines.keep_draft, unasked.draft_id) == Outdated()


# --- changed and deleted


async def test_editing_the_message_changes_the_line(house: House, asked: int) -> None:
    assert asked
    line_id = await keeps(house, "before", 5)
    assert await house.does(ALICE, house.lines.edited, "after", 5) == Changed(line_id, 1)
    assert await house.words(ALICE, line_id) == "after"
    assert await house.does(ALICE, house.lines.edited, " ", 5) == EmptyText()
    assert await house.words(ALICE, line_id) == "after"


async def test_too_long_edit_waits(house: House, asked: int) -> None:
    assert asked
    line_id = await keeps(house, "before", 5)
    long = await house.does(ALICE, house.lines.edited, LONG, 5)
    assert long.reason is DraftReason.TOO_LONG
    assert await house.words(ALICE, line_id) == "before"
    assert await house.does(ALICE, house.lines.keep_draft, long.draft_id) == Changed(line_id, 1)
    assert (await house.words(ALICE, line_id)).startswith("word word")


async def test_editing_a_waiting_text_decides_anew(house: House, asked: int) -> None:
    assert asked
    await sets_aside(house, LONG, 5)
    kept = await house.does(ALICE, house.lines.edited, "shorter now", 5)
    assert isinstance(kept, Kept)
    assert await house.words(ALICE, kept.line_id) == "shorter now"


async def test_editing_another_message_is_ignored(house: House, asked: int) -> None:
    assert asked
    assert await house.does(ALICE, house.lines.edited, "hello", 99) == NothingKept()


async def test_unchanged_edit_is_ignored(house: House, asked: int) -> None:
    assert asked
    await keeps(house, "the same", 5)
    assert await house.does(ALICE, house.lines.edited, "the same\n", 5) == Silence()


async def test_next_text_changes_the_line(house: House, asked: int) -> None:
    assert asked
    line_id = await keeps(house, "before", 5)
    assert await house.does(ALICE, house.lines.change, line_id, 0) == ChangeWanted(line_id)
    assert await house.says(ALICE, "after", 6) == Changed(line_id, 1)
    assert await house.words(ALICE, line_id) == "after"
    assert isinstance(await house.says(ALICE, "another", 7), SetAside), "only the next one"


async def test_change_is_awaited_for_an_hour(house: House, asked: int) -> None:
    assert asked
    line_id = await keeps(house, "before", 5)
    await house.does(ALICE, house.lines.change, line_id, 0)
    house.clock.advance(PATIENCE)
    assert isinstance(await house.says(ALICE, "after", 6), SetAside)
    assert await house.words(ALICE, line_id) == "before"


async def test_back_cancels_a_change(house: House, asked: int) -> None:
    assert asked
    line_id = await keeps(house, "before", 5)
    await house.does(ALICE, house.lines.change, line_id, 0)
    assert await house.does(ALICE, house.lines.show, line_id) == Kept(line_id, first=True)
    assert isinstance(await house.says(ALICE, "after", 6), SetAside)


async def test_deleted_line_frees_its_question(house: House, asked: int) -> None:
    line_id = await keeps(house, "words", 5)
    assert await house.does(ALICE, house.lines.ask_delete, line_id, 0) == DeleteWanted(line_id)
    assert await house.does(ALICE, house.lines.delete, line_id, 0) == Deleted()
    assert await house.line(ALICE, line_id) is None
    assert (await house.ask(ALICE, asked)).state is AskState.SKIPPED
    for gone in ("delete", "ask_delete", "change"):
        assert await house.does(ALICE, getattr(house.lines, gone), line_id, 0) == LineGone()
    assert await house.does(ALICE, house.lines.show, line_id) == LineGone()


async def test_other_line_keeps_ask_answered(house: House, asked: int) -> None:
    first = await keeps(house, "first", 5)
    second = await sets_aside(house, "second", 6)
    await house.does(ALICE, house.lines.keep_draft, second.draft_id)
    await house.does(ALICE, house.lines.delete, first, 0)
    assert (await house.ask(ALICE, asked)).state is AskState.ANSWERED


async def test_nobody_reaches_the_lines_of_another(house: House, asked: int) -> None:
    assert asked
    await house.arrives(BOB)
    line_id = await keeps(house, "hers", 5)
    aside = await sets_aside(house, "second", 6)
    for use_case in ("change", "ask_delete", "delete"):
        assert await house.does(BOB, getattr(house.lines, use_case), line_id, 0) == LineGone()
    assert await house.does(BOB, house.lines.show, line_id) == LineGone()
    for use_case in ("keep_draft", "replace_by_draft", "shorten_draft"):
        assert await house.does(BOB, getattr(house.lines, use_case), aside.draft_id) == Outdated()
    await house.does(BOB, house.lines.drop_draft, aside.draft_id)
    assert await house.words(ALICE, line_id) == "hers"
    assert isinstance(await house.does(ALICE, house.lines.keep_draft, aside.draft_id), Kept)
