"""What comes when all prompts were put lately: an own Line, no question, or the oldest prompt."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.callbacks import (
    CALLBACK_EVERY,
    OPEN_DAY_EVERY,
    OPEN_DAYS,
    Answered,
    Found,
    choose_callback,
    open_day_opens_with,
    when_used_up,
)
from bot.domain.content import Format, Prompt, Role
from bot.domain.model import Ask, AskState, User
from bot.domain.prompts import Today

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)
DAY = timedelta(days=1)
TODAY = Today(NOW, NOW.date(), paired=False)


def prompt(id_: str, depth: int = 1, role: Role = Role.TELLER) -> Prompt:
    return Prompt(id_, id_.partition(".")[0], depth, "?", role, Format.ONE_FACT, ("x", "y"))


LIBRARY = {each.id: each for each in (prompt("body.a"), prompt("home.a"), prompt("home.deep", 4), prompt("us.a", 2))}
SHOWN = {"body.a": NOW - 9 * DAY, "home.a": NOW - 5 * DAY}
ANSWERS = [Answered(1, "body.a"), Answered(2, "home.a")]


def user(*, callbacks: bool | None = True, depth: int = 1, muted: frozenset[str] = frozenset()) -> User:
    return User(1, "en", NOW - 900 * DAY, depth=depth, ceiling=5, muted_themes=muted, callbacks=callbacks)


def ask(days_ago: int, prompt_id: str | None = None, *, line_id: int | None = None, shown: bool = True) -> Ask:
    return Ask(
        days_ago,
        1,
        NOW.date() - days_ago * DAY,
        AskState.LEFT,
        NOW,
        prompt_id,
        shown_at=NOW if shown else None,
        callback_line_id=line_id,
    )


def found(person: User, *recent: Ask, answers: list[Answered] = ANSWERS) -> Found:
    return when_used_up(LIBRARY, person, TODAY, SHOWN, recent=recent, answers=answers, seed=1)


def test_order_ends_with_the_oldest_prompt() -> None:
    assert found(user()).callback_line_id in {1, 2}
    assert found(user(), ask(1, line_id=1)) == Found(used_up=True)
    assert found(user(), ask(1), ask(2, line_id=1)) == Found(LIBRARY["body.a"])


def test_lines_and_open_days_are_limited() -> None:
    recent: list[Ask] = []
    came = []
    for day in range(24):
        on = Today(NOW + day * DAY, NOW.date() + day * DAY, paired=False)
        what = when_used_up(LIBRARY, user(), on, SHOWN, recent=recent, answers=ANSWERS, seed=day)
        came.append("line" if what.callback_line_id else "open" if what.prompt is None else "old")
        prompt_id = what.prompt.id if what.prompt else None
        recent.append(Ask(day, 1, on.date, AskState.LEFT, NOW, prompt_id, NOW, callback_line_id=what.callback_line_id))
    assert came == ["line", "open", "old", "old", "open", "old"] * 4
    assert (CALLBACK_EVERY, OPEN_DAY_EVERY) == (6, 3)


@pytest.mark.parametrize("callbacks", [None, False])
def test_only_wanted_lines_come_back(callbacks: bool | None) -> None:
    assert found(user(callbacks=callbacks)) == Found(used_up=True)


def test_missed_date_is_no_open_day() -> None:
    assert found(user(callbacks=False), ask(1, shown=False)) == Found(used_up=True), "nobody saw that it had none"


def test_no_prompts_differs_from_used_up() -> None:
    left_out = frozenset(prompt.theme for prompt in LIBRARY.values())
    assert found(user(muted=left_out)) == Found()


def test_line_returns_only_with_its_prompt() -> None:
    def chosen(prompt_id: str, person: User, *, paired: bool = False) -> int | None:
        return choose_callback([Answered(7, prompt_id)], LIBRARY, person, paired=paired, seed=1)

    assert chosen("body.a", user()) == 7
    assert chosen("body.a", user(muted=frozenset({"body"}))) is None, "left out since"
    assert chosen("us.a", user(depth=1)) is None, "a depth that isn't accepted doesn't come back this way"
    assert chosen("us.a", user(depth=2)) == 7
    assert chosen("home.deep", user(depth=5)) is None, "nobody should meet their worst evening unasked"
    assert chosen("gone.by-now", user(depth=5)) is None
    assert choose_callback([], LIBRARY, user(), paired=False, seed=1) is None


def test_line_for_two_needs_a_pair() -> None:
    library = {"us.b": prompt("us.b", 1, Role.EITHER)}
    assert choose_callback([Answered(7, "us.b")], library, user(), paired=False, seed=1) is None
    assert choose_callback([Answered(7, "us.b")], library, user(), paired=True, seed=1) == 7


def test_line_for_two_comes_back_to_a_pair() -> None:
    library = {"us.b": prompt("us.b", 1, Role.EITHER)}
    today = Today(NOW, NOW.date(), paired=True)
    what = when_used_up(library, user(), today, {}, recent=[], answers=[Answered(7, "us.b")], seed=1)
    assert what == Found(callback_line_id=7, used_up=True)


def test_same_seed_brings_the_same_line_back() -> None:
    answers = [Answered(number, "body.a") for number in range(100)]
    chosen = [choose_callback(answers, LIBRARY, user(), paired=False, seed=seed) for seed in range(20)]
    assert chosen == [
        when_used_up(LIBRARY, user(), TODAY, SHOWN, recent=[], answers=answers[::-1], seed=seed).callback_line_id
        for seed in range(20)
    ]
    assert len(set(chosen)) > 10


@given(st.lists(st.integers(OPEN_DAY_EVERY, 7), min_size=1, max_size=40))
def test_open_day_never_begins_as_the_one_before(gaps: list[int]) -> None:
    days = [NOW.date()]
    for gap in gaps:
        days.append(days[-1] + gap * DAY)
    known = (days[: number + 1] for number in range(len(days)))
    begins = [open_day_opens_with([day for day in seen if seen[-1] - day <= OPEN_DAYS], 5) for seen in known]
    assert all(one != following for one, following in pairwise(begins))


def test_open_days_begin_in_every_way() -> None:
    days = [NOW.date() + number * OPEN_DAY_EVERY * DAY for number in range(40)]
    begins = Counter(open_day_opens_with(days[: number + 1], 5) for number in range(40))
    assert len(begins) == 5
    assert min(begins.values()) > 3
