"""The Ask: planned once a date, delivered, swapped, put off, skipped; and what happens after the bot was away."""

import asyncio
import itertools
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

import pytest

from bot.domain.content import Role
from bot.domain.model import AskOpening, AskState
from bot.domain.notices import NoticeKind
from bot.domain.results import (
    Asked,
    AskPassed,
    Kept,
    LaterWanted,
    NoOther,
    SetAside,
    Skipped,
    Snoozed,
    StaysOpen,
    TodayAnswered,
)
from bot.library import Library
from bot.services.asks import Asks
from tests.services.conftest import ALICE, BOB, THEMES, House

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MONDAY = datetime(2026, 11, 23, 8, tzinfo=UTC)


def prompt_of(asked: Asked) -> str:
    """Return the id of the prompt that is set."""
    assert asked.prompt_id
    return asked.prompt_id


async def test_due_user_is_asked_once(house: House) -> None:
    await house.arrives(ALICE)
    assert (await house.plan()).looked_at == 0
    house.clock.set(MONDAY)
    planned = await house.plan()
    assert (planned.looked_at, planned.asked, planned.missed) == (1, 1, 0)
    assert (await house.plan()).looked_at == 0
    user = await house.user(ALICE)
    assert (user.last_day, user.next_ask_at, user.next_ask_day) == (MONDAY.date(), MONDAY + DAY, date(2026, 11, 24))
    ((who, asked),) = await house.deliver()
    assert (who, type(asked)) == (ALICE, Asked)
    assert await house.deliver() == []


async def test_unsent_ask_of_yesterday_is_missed(house: House) -> None:
    """The bot or Telegram was away in between: nobody is asked yesterday's question this morning."""
    await house.arrives(ALICE)
    house.clock.set(MONDAY)
    await house.plan()
    house.clock.advance(7 * HOUR)
    assert await house.deliver() == [(ALICE, None)]
    (ask,) = await house.asks_of(ALICE, MONDAY, 1)
    assert ask
    assert ask.state is AskState.MISSED
    assert (await house.user(ALICE)).unanswered == 0
    house.clock.set(MONDAY + DAY)
    await house.plan()
    ((_, asked),) = await house.deliver()
    assert isinstance(asked, Asked)


async def test_unsent_evening_ask_comes_by_morning(house: House) -> None:
    evening = MONDAY.replace(hour=20)
    await house.arrives(ALICE, at=time(20))
    house.clock.set(evening)
    await house.plan()
    house.clock.advance(5 * HOUR)
    assert await house.deliver() == [(ALICE, None)], "the night is quiet"
    house.clock.set(evening + 11 * HOUR)
    ((_, asked),) = await house.deliver()
    assert isinstance(asked, Asked)


async def test_concurrent_planning_asks_once(house: House) -> None:
    for user_id in range(1, 13):
        await house.arrives(user_id)
    house.clock.set(MONDAY)
    found = await asyncio.gather(*(house.plan() for _ in range(4)))
    assert sum(planned.asked for planned in found) == 12
    assert sorted(who for who, _ in await house.deliver()) == list(range(1, 13))


async def test_planning_takes_a_hundred_users(house: House) -> None:
    async with house.store.writing() as rows:
        for user_id in range(1, 131):
            user = await rows.users.add(user_id, "en", house.clock.now())
            await rows.users.change(
                user, ask_at=time(8), zone="Europe/London", next_ask_at=MONDAY, next_ask_day=MONDAY.date()
            )
    house.clock.set(MONDAY)
    assert [(await house.plan()).looked_at for _ in range(4)] == [50, 50, 30, 0]


@pytest.mark.parametrize(
    ("late", "states"),
    [
        (timedelta(hours=2), [AskState.MISSED, AskState.MISSED, AskState.OPEN]),
        (timedelta(hours=6), [AskState.MISSED, AskState.MISSED, AskState.OPEN]),
        (timedelta(hours=6, minutes=1), [AskState.MISSED, AskState.MISSED, AskState.MISSED]),
    ],
)
async def test_downtime_asks_only_the_last_date(house: House, late: timedelta, states: list[AskState]) -> None:
    await house.arrives(ALICE)
    house.clock.set(MONDAY + 2 * DAY + late)
    planned = await house.plan()
    assert (planned.asked, planned.missed) == (states.count(AskState.OPEN), states.count(AskState.MISSED))
    await house.deliver()
    found = await house.asks_of(ALICE, MONDAY, 3)
    assert [ask.state for ask in found if ask] == states, "no date is skipped"
    assert (await house.user(ALICE)).next_ask_at == MONDAY + 3 * DAY


async def test_repeated_delivery_keeps_the_prompt(house: House) -> None:
    await house.arrives(ALICE)
    house.clock.set(MONDAY)
    await house.plan()
    async with house.store.writing() as rows:
        (notice,) = await rows.notices.claim(house.clock.now(), 1, 1)
    first = await house.does(ALICE, house.asks.deliver, notice)
    house.clock.advance(HOUR)
    assert await house.does(ALICE, house.asks.deliver, notice) == first
    async with house.store.reading() as rows:
        assert len(await rows.asks.shown(ALICE)) == 1


async def test_ask_decided_meanwhile_is_not_delivered(house: House) -> None:
    await house.arrives(ALICE)
    house.clock.set(MONDAY)
    await house.plan()
    async with house.store.writing() as rows:
        (notice,) = await rows.notices.claim(house.clock.now(), 1, 1)
    assert isinstance(await house.does(ALICE, house.asks.skip, notice.subject_id), Skipped)
    assert await house.does(ALICE, house.asks.deliver, notice) is None


async def test_text_answers_no_question_that_is_still_to_come(house: House) -> None:
    """While it waits to be sent, a text answers the one before it, or none."""
    await house.arrives(ALICE)
    house.clock.set(MONDAY)
    await house.plan()
    assert isinstance(await house.says(ALICE, "before any question", 1), SetAside)
    ((_, first),) = await house.deliver()
    assert isinstance(first, Asked)
    house.clock.advance(DAY)
    await house.plan()
    kept = await house.says(ALICE, "before the second question", 2)
    assert isinstance(kept, Kept)
    async with house.store.reading() as rows:
        line = await rows.lines.find(ALICE, kept.line_id)
    assert line
    assert line.ask_id == first.ask_id
    ((_, second),) = await house.deliver()
    assert isinstance(second, Asked)
    assert second.ask_id != first.ask_id


async def test_pause_before_sending_closes_the_ask(house: House) -> None:
    await house.arrives(ALICE)
    house.clock.set(MONDAY)
    await house.plan()
    await house.does(ALICE, house.pause.until_told)
    assert await house.deliver() == [(ALICE, None)]
    (ask,) = await house.asks_of(ALICE, MONDAY, 1)
    assert ask
    assert ask.state is AskState.LEFT


async def test_new_ask_closes_the_previous_one(house: House) -> None:
    await house.arrives(ALICE)
    first = await house.is_asked(ALICE)
    second = await house.is_asked(ALICE)
    states = [(await house.ask(ALICE, asked.ask_id)).state for asked in (first, second)]
    assert states == [AskState.LEFT, AskState.OPEN]


async def test_themes_and_prompts_do_not_repeat(house: House) -> None:
    await house.arrives(ALICE)
    count = 5  # of the six at this depth: which one is left over may be of the theme just asked
    asked = [prompt_of(await house.is_asked(ALICE)) for _ in range(count)]
    themes = [prompt_id.partition(".")[0] for prompt_id in asked]
    assert all(one != next_one for one, next_one in pairwise(themes))
    assert len(set(asked)) == count
    assert {prompt_id[-2] for prompt_id in asked} == {"1"}, "it starts at depth 1"


async def test_oldest_prompt_returns_last(house: House) -> None:
    await house.arrives(ALICE)
    asked = []
    open_days = []
    shown_days: list[list[str]] = []
    for number in range(20):
        put = await house.is_asked(ALICE)
        if put.used_up:
            open_days.append(number)
            words = await house.does(ALICE, house.asks.read_open_day, put)
            shown_days.append(words["open_days"].split())
        else:
            asked.append(prompt_of(put))
        await house.says(ALICE, "a line", number)
    assert open_days == [6, 9, 12, 15, 18], "every third day goes without a question"
    assert [len(days) for days in shown_days] == [1, 2, 3, 4, 5], "each begins otherwise than the one before"
    assert all(after[:-1] == before for before, after in pairwise(shown_days))
    assert {int(prompt_id[-2]) for prompt_id in asked} == {1}, "one notch deeper was offered, and not taken"
    within = {prompt.id for prompt in house.library.prompts.values() if prompt.depth == 1}
    for before, prompt_id in zip(itertools.accumulate([one] for one in asked), asked[1:], strict=False):
        others = [one for one in within if not one.startswith(before[-1].partition(".")[0])]
        fresh = [one for one in others if one not in before] or [one for one in within if one not in before]
        oldest = min(others, key=lambda one: max((at for at, each in enumerate(before) if each == one), default=-1))
        assert prompt_id in (fresh or [oldest]), "one not asked yet, or the oldest, of another theme than the last"


# --- today


async def test_today_replaces_the_dates_ask(house: House) -> None:
    await house.arrives(ALICE)
    house.clock.set(MONDAY - 3 * HOUR)
    asked = await house.does(ALICE, house.asks.today)
    assert isinstance(asked, Asked)
    house.clock.set(MONDAY)
    assert (await house.plan()).looked_at == 0
    assert (await house.user(ALICE)).next_ask_at == MONDAY + DAY
    again = await house.does(ALICE, house.asks.today)
    assert (again.ask_id, again.prompt_id) == (asked.ask_id, asked.prompt_id)


async def test_today_twice_at_once_asks_once(house: House) -> None:
    await house.arrives(ALICE)
    one, other = await asyncio.gather(*(house.does(ALICE, house.asks.today) for _ in range(2)))
    assert (one.ask_id, one.prompt_id) == (other.ask_id, other.prompt_id)


async def test_today_after_the_line_is_answered(house: House) -> None:
    await house.arrives(ALICE)
    await house.is_asked(ALICE)
    await house.says(ALICE, "a line", 1)
    assert await house.does(ALICE, house.asks.today) == TodayAnswered(MONDAY + DAY)


async def test_today_sends_a_pending_ask(house: House) -> None:
    await house.arrives(ALICE)
    house.clock.set(MONDAY)
    await house.plan()
    assert isinstance(await house.does(ALICE, house.asks.today), Asked)
    assert await house.deliver() == [], "else the question would stand there twice"


async def test_small_hours_belong_to_the_evening(house: House) -> None:
    await house.arrives(ALICE, at=time(22))
    asked = await house.is_asked(ALICE)
    house.clock.advance(timedelta(hours=3))  # one in the night
    again = await house.does(ALICE, house.asks.today)
    assert again.ask_id == asked.ask_id
    house.clock.advance(timedelta(hours=4))  # five
    assert (await house.does(ALICE, house.asks.today)).ask_id != asked.ask_id


async def test_today_works_in_a_pause(house: House) -> None:
    await house.arrives(ALICE)
    await house.does(ALICE, house.pause.until_told)
    assert isinstance(await house.does(ALICE, house.asks.today), Asked)
    assert (await house.user(ALICE)).next_ask_at is None


# --- swaps


async def test_another_is_of_another_theme(house: House) -> None:
    await house.arrives(ALICE)
    asked = await house.is_asked(ALICE)
    seen = [prompt_of(asked)]
    house.clock.advance(timedelta(seconds=1))
    while isinstance(other := await house.does(ALICE, house.asks.another, asked.ask_id), Asked):
        house.clock.advance(timedelta(seconds=1))
        assert (other.ask_id, other.here) == (asked.ask_id, True)
        assert prompt_of(other).partition(".")[0] != seen[-1].partition(".")[0]
        seen.append(prompt_of(other))
        assert len(seen) <= 6
    assert other == NoOther(lighter=False)
    assert len(set(seen)) == len(seen)


async def test_lighter_steps_down_permanently(house: House) -> None:
    await house.arrives(ALICE)
    async with house.store.writing() as rows:
        user = await rows.users.find(ALICE)
        assert user
        await rows.users.change(user, depth=3, ceiling=4)
    asked = await house.is_asked(ALICE)
    assert prompt_of(asked)[-2] == "3"
    for depth in ("2", "1", "1"):
        lighter = await house.does(ALICE, house.asks.lighter, asked.ask_id)
        assert lighter.prompt_id[-2] == depth
        assert (await house.user(ALICE)).depth == int(depth)
    assert (await house.user(ALICE)).ceiling == 4, "the ceiling is its owner's word"


async def test_lighter_works_when_all_were_asked(house: House) -> None:
    await house.arrives(ALICE)
    for number in range(6):
        await house.is_asked(ALICE)
        await house.says(ALICE, "a line", number)
    async with house.store.writing() as rows:
        await rows.users.change(await house.user(ALICE), depth=2)
    asked = await house.is_asked(ALICE)
    assert prompt_of(asked)[-2] == "2"
    lighter = await house.does(ALICE, house.asks.lighter, asked.ask_id)
    assert prompt_of(lighter)[-2] == "1"
    assert lighter.opening is AskOpening.AGAIN
    assert await house.does(ALICE, house.asks.lighter, asked.ask_id) == NoOther(lighter=True)


@pytest.mark.parametrize("back", ["snooze", "today", "bring_back"])
@pytest.mark.parametrize("facts", [{"muted_themes": {"body"}}, {"depth": 1}, {"ceiling": 1, "depth": 1}])
async def test_returning_question_respects_the_ceiling(house: House, back: str, facts: dict[str, Any]) -> None:
    await house.arrives(ALICE)
    async with house.store.writing() as rows:
        left_out = frozenset(THEMES) - {"body"}
        await rows.users.change(await house.user(ALICE), depth=2, muted_themes=left_out)
    asked = await house.is_asked(ALICE)
    assert prompt_of(asked).startswith("body.2")
    async with house.store.writing() as rows:
        facts = {name: frozenset(value) if isinstance(value, set) else value for name, value in facts.items()}
        await rows.users.change(await house.user(ALICE), muted_themes=facts.pop("muted_themes", left_out), **facts)
    await house.does(ALICE, house.asks.snooze, "hour", asked.ask_id)
    if back == "snooze":
        house.clock.advance(HOUR)
        ((_, again),) = await house.deliver()
        assert again
    elif back == "today":
        again = await house.does(ALICE, house.asks.today)
    else:
        again = await house.does(ALICE, house.asks.bring_back, asked.ask_id)
    assert again.ask_id == asked.ask_id
    found = house.library.prompts[prompt_of(again)]
    user = await house.user(ALICE)
    assert found.depth <= user.depth
    assert found.theme not in user.muted_themes


async def test_line_works_with_everything_left_out(house: House) -> None:
    """The settings don't allow that, but a future library could."""
    await house.arrives(ALICE)
    async with house.store.writing() as rows:
        await rows.users.change(await house.user(ALICE), muted_themes=frozenset(THEMES))
    asked = await house.is_asked(ALICE)
    assert asked.prompt_id is None
    for swap in (house.asks.another, house.asks.lighter):
        assert isinstance(await house.does(ALICE, swap, asked.ask_id), NoOther)
    kept = await house.says(ALICE, "my line all the same", 1)
    assert isinstance(kept, Kept)
    assert (await house.ask(ALICE, asked.ask_id)).state is AskState.ANSWERED
    async with house.store.writing() as rows:
        await rows.users.change(await house.user(ALICE), muted_themes=frozenset())
    assert (await house.is_asked(ALICE)).prompt_id


async def test_line_answers_the_swapped_in_prompt(house: House) -> None:
    await house.arrives(ALICE)
    asked = await house.is_asked(ALICE)
    other = await house.does(ALICE, house.asks.another, asked.ask_id)
    kept = await house.says(ALICE, "words", 1)
    assert isinstance(kept, Kept)
    assert (await house.ask(ALICE, asked.ask_id)).prompt_id == other.prompt_id


@pytest.mark.parametrize("swap", ["another", "lighter"])
async def test_decided_ask_is_not_swapped(house: House, swap: str) -> None:
    await house.arrives(ALICE)
    asked = await house.is_asked(ALICE)
    await house.says(ALICE, "words", 1)
    assert await house.does(ALICE, getattr(house.asks, swap), asked.ask_id) == AskPassed(answered=True)


# --- snooze and skip


async def test_snoozed_for_an_hour(house: House) -> None:
    await house.arrives(ALICE)
    asked = await house.is_asked(ALICE)
    assert await house.does(ALICE, house.asks.later, asked.ask_id) == LaterWanted(asked.ask_id, tonight=True)
    until = MONDAY + HOUR
    assert await house.does(ALICE, house.asks.snooze, "hour", asked.ask_id) == Snoozed(asked.ask_id, until)
    assert await house.deliver() == []
    house.clock.set(until)
    assert await house.deliver() == [(ALICE, Asked(asked.ask_id, asked.prompt_id))]


async def test_double_tap_on_later_snoozes_once(house: House) -> None:
    await house.arrives(ALICE)
    asked = await house.is_asked(ALICE)
    await asyncio.gather(*(house.does(ALICE, house.asks.snooze, "hour", asked.ask_id) for _ in range(2)))
    assert await house.waiting_notices() == 1
    house.clock.advance(HOUR)
    assert len(await house.deliver()) == 1


async def test_midnight_snooze_keeps_its_date(house: House) -> None:
    await house.arrives(ALICE, at=time(23, 30))
    asked = await house.is_asked(ALICE)
    day = house.clock.now().date()
    assert (await house.does(ALICE, house.asks.later, asked.ask_id)).tonight is False
    await house.does(ALICE, house.asks.snooze, "hour", asked.ask_id)
    house.clock.advance(HOUR)
    assert await house.deliver() == [(ALICE, asked)]
    kept = await house.says(ALICE, "past midnight", 1)
    assert isinstance(kept, Kept)
    found = await house.line(ALICE, kept.line_id)
    assert found
    assert found[0].day == day
    assert (await house.user(ALICE)).next_ask_day == day + DAY, "the next date is asked as ever"


async def test_late_snooze_promises_nothing(house: House) -> None:
    await house.arrives(ALICE)
    asked = await house.is_asked(ALICE)
    following = MONDAY + DAY
    house.clock.set(following - HOUR / 2 - timedelta(seconds=1))
    assert isinstance(await house.does(ALICE, house.asks.later, asked.ask_id), LaterWanted)
    house.clock.advance(timedelta(seconds=1))
    assert await house.does(ALICE, house.asks.later, asked.ask_id) == StaysOpen(asked.ask_id, following)
    for when in ("hour", "tonight", "morning"):
        assert await house.does(ALICE, house.asks.snooze, when, asked.ask_id) == StaysOpen(asked.ask_id, following)
    assert isinstance(await house.says(ALICE, "still in time", 1), Kept)
    assert await house.does(ALICE, house.asks.snooze, "hour", asked.ask_id) == AskPassed(answered=True)


async def test_snooze_in_a_pause_promises_nothing(house: House) -> None:
    await house.arrives(ALICE)
    await house.does(ALICE, house.pause.until_told)
    asked = await house.does(ALICE, house.asks.today)
    assert await house.does(ALICE, house.asks.later, asked.ask_id) == StaysOpen(asked.ask_id, None)
    assert await house.does(ALICE, house.asks.snooze, "hour", asked.ask_id) == StaysOpen(asked.ask_id, None)
    assert await house.waiting_notices() == 0
    assert isinstance(await house.says(ALICE, "in a pause", 1), Kept)


async def test_next_ask_closes_the_snoozed_one(house: House) -> None:
    await house.arrives(ALICE)
    asked = await house.is_asked(ALICE)
    snoozed = await house.does(ALICE, house.asks.snooze, "morning", asked.ask_id)
    house.clock.advance(HOUR)
    await house.does(ALICE, house.settings.set_hour, time(5))
    following = await house.is_asked(ALICE)
    assert following.ask_id != asked.ask_id
    assert house.clock.now() < snoozed.until
    house.clock.set(snoozed.until)
    assert await house.deliver() == [(ALICE, None)], "one question at a time"


async def test_tonight_when_it_is_too_late(house: House) -> None:
    await house.arrives(ALICE, at=time(23))
    asked = await house.is_asked(ALICE)
    others = LaterWanted(asked.ask_id, tonight=False)
    assert await house.does(ALICE, house.asks.snooze, "tonight", asked.ask_id) == others
    assert (await house.ask(ALICE, asked.ask_id)).state is AskState.OPEN


async def test_skipped_once_and_brought_back(house: House) -> None:
    await house.arrives(ALICE)
    asked = await house.is_asked(ALICE)
    assert await house.does(ALICE, house.asks.skip, asked.ask_id) == Skipped(asked.ask_id)
    assert await house.does(ALICE, house.asks.skip, asked.ask_id) == AskPassed()
    back = await house.does(ALICE, house.asks.bring_back, asked.ask_id)
    assert back == Asked(asked.ask_id, asked.prompt_id, here=True)
    assert isinstance(await house.says(ALICE, "after all", 1), Kept)


async def test_earlier_ask_is_not_brought_back(house: House) -> None:
    await house.arrives(ALICE)
    first = await house.is_asked(ALICE)
    await house.does(ALICE, house.asks.skip, first.ask_id)
    await house.is_asked(ALICE)
    assert await house.does(ALICE, house.asks.bring_back, first.ask_id) == AskPassed()


async def test_skipping_ends_a_snooze(house: House) -> None:
    await house.arrives(ALICE)
    asked = await house.is_asked(ALICE)
    await house.does(ALICE, house.asks.snooze, "hour", asked.ask_id)
    await house.does(ALICE, house.asks.skip, asked.ask_id)
    house.clock.advance(HOUR)
    assert await house.deliver() == []


@pytest.mark.parametrize("use_case", ["another", "lighter", "later", "skip", "bring_back"])
async def test_nobody_touches_the_ask_of_another(house: House, use_case: str) -> None:
    await house.arrives(ALICE)
    await house.arrives(BOB)
    asked = await house.is_asked(ALICE)
    assert await house.does(BOB, getattr(house.asks, use_case), asked.ask_id) == AskPassed()
    assert await house.does(BOB, house.asks.snooze, "hour", asked.ask_id) == AskPassed()
    assert (await house.ask(ALICE, asked.ask_id)).state is AskState.OPEN


# --- the reminder


async def _remind(house: House) -> list[Asked | None]:
    """Return the Results of the reminders that are due."""
    async with house.store.writing() as rows:
        notices = await rows.notices.claim(house.clock.now(), 100, 1)
    reminders = [notice for notice in notices if notice.kind is NoticeKind.REMINDER]
    return [await house.does(notice.user_id, house.asks.remind, notice) for notice in reminders]


async def _wants_reminders(house: House) -> Asked:
    await house.arrives(ALICE)
    async with house.store.writing() as rows:
        await rows.users.change(await house.user(ALICE), soft_reminder=True)
    return await house.is_asked(ALICE)


async def test_reminder_comes_after_two_hours(house: House) -> None:
    asked = await _wants_reminders(house)
    house.clock.advance(2 * HOUR - timedelta(seconds=1))
    assert await _remind(house) == []
    house.clock.advance(timedelta(seconds=1))
    assert await _remind(house) == [Asked(asked.ask_id, asked.prompt_id, opening=AskOpening.STILL)]


@pytest.mark.parametrize("use_case", ["skip", "another", "answer", "snooze"])
async def test_no_reminder_after_any_touch(house: House, use_case: str) -> None:
    asked = await _wants_reminders(house)
    if use_case == "answer":
        await house.says(ALICE, "a line", 1)
    else:
        when = ("hour",) if use_case == "snooze" else ()
        await house.does(ALICE, getattr(house.asks, use_case), *when, asked.ask_id)
    house.clock.advance(HOUR)
    await house.deliver()
    house.clock.advance(5 * HOUR)
    assert await _remind(house) == []


async def test_forbidden_question_gets_no_reminder(house: House) -> None:
    asked = await _wants_reminders(house)
    theme = house.library.prompts[prompt_of(asked)].theme
    async with house.store.writing() as rows:
        await rows.users.change(await house.user(ALICE), muted_themes=frozenset({theme}))
    house.clock.advance(2 * HOUR)
    assert await _remind(house) == [None]


async def test_no_reminder_after_a_pause(house: House) -> None:
    await _wants_reminders(house)
    await house.does(ALICE, house.pause.until_told)
    house.clock.advance(3 * HOUR)
    await house.does(ALICE, house.pause.resume)
    assert await _remind(house) == [], "nothing piles up in a pause"


async def test_questions_for_two_need_a_partner(house: House) -> None:
    """Others who are in no Pair have none of them."""
    of_two = [replace(prompt, role=Role.EITHER) for prompt in house.library.prompts.values()]
    asks = Asks(Library.of(house.library.themes, of_two))
    await house.arrives(ALICE)
    asked = await house.does(ALICE, asks.today)
    assert isinstance(asked, Asked)
    assert asked.prompt_id is None
    await house.does(ALICE, house.settings.flip, "partnered", 1)
    assert (await house.user(ALICE)).partnered
    asked = await house.does(ALICE, asks.today)
    assert isinstance(asked, Asked)
    assert asked.prompt_id
    await house.does(ALICE, house.settings.flip, "partnered", 0)
    assert not (await house.user(ALICE)).partnered
