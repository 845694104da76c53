"""Which prompt comes next, through lives of any length, depth and taste."""

import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.content import Format, Prompt, Role, Sensitivity, Tag
from bot.domain.model import User
from bot.domain.prompts import (
    DEEP,
    FIRST,
    NO_REPEAT,
    Today,
    choose,
    depth_of_day,
    is_muted,
    may_ask,
    may_mute,
    oldest,
    suits,
)

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)
"""A Wednesday."""
DAY = timedelta(days=1)
LONG_AGO = NOW - 1000 * DAY
THEMES = ("body", "childhood", "money", "weather")
US = "us"
WEEKEND = frozenset({5, 6})


def prompt(
    theme: str,
    depth: int,
    letter: str = "a",
    *sensitivities: Sensitivity,
    tags: frozenset[Tag] = frozenset(),
    role: Role = Role.TELLER,
) -> Prompt:
    return Prompt(
        f"{theme}.{depth}{letter}",
        theme,
        depth,
        "?",
        Role.EITHER if theme == US else role,
        Format.ONE_FACT,
        ("x", "y"),
        frozenset(sensitivities),
        tags,
    )


ALL = tuple(
    prompt(theme, depth, letter, *((Sensitivity.LOSS,) if letter == "b" else ()))
    for theme in (*THEMES, US)
    for depth in range(1, 6)
    for letter in "ab"
)


def user(depth: int = 1, ceiling: int = 5, themes: frozenset[str] = frozenset(), *muted: Sensitivity) -> User:
    return User(
        1, "en", LONG_AGO, depth=depth, ceiling=ceiling, muted_themes=themes, muted_sensitivities=frozenset(muted)
    )


def on(now: datetime = NOW, *, paired: bool = False, dark_months: frozenset[int] = frozenset()) -> Today:
    return Today(now, now.date(), paired, WEEKEND, dark_months)


people = st.builds(
    lambda depth, ceiling, themes, loss: user(
        min(depth, ceiling), ceiling, frozenset(themes), *((Sensitivity.LOSS,) if loss else ())
    ),
    st.integers(1, 5),
    st.integers(1, 5),
    st.sets(st.sampled_from((*THEMES, US)), max_size=2),
    st.booleans(),
)


def by_id(prompts: tuple[Prompt, ...]) -> dict[str, Prompt]:
    return {prompt.id: prompt for prompt in prompts}


def fresh(
    prompts: tuple[Prompt, ...],
    person: User,
    shown: dict[str, datetime],
    today: Today | None = None,
    seed: int = 1,
) -> Prompt | None:
    """Return the prompt of a scheduled Ask, as long as a fresh one is left."""
    today = today or on()
    return choose(by_id(prompts), person, today, shown, wanted=depth_of_day(person, today.date), seed=seed)


def asked(
    prompts: tuple[Prompt, ...],
    person: User,
    shown: dict[str, datetime],
    today: Today | None = None,
    seed: int = 1,
) -> Prompt | None:
    """Return the prompt of a scheduled Ask, or the oldest once all are used up."""
    return fresh(prompts, person, shown, today, seed) or oldest(by_id(prompts), person, today or on(), shown)


def live(person: User, steps: list[int], *, paired: bool) -> list[tuple[datetime, Prompt, bool]]:
    """Yield what this person is asked, this many days apart each time: when, what, and if it was fresh."""
    shown: dict[str, datetime] = {}
    put: list[tuple[datetime, Prompt, bool]] = []
    now = NOW
    for seed, days in enumerate(steps):
        now += days * DAY
        found = asked(ALL, person, shown, on(now, paired=paired), seed)
        assert found
        before = shown.get(found.id)
        put.append((now, found, before is None or now - before >= NO_REPEAT))
        shown[found.id] = now
    return put


@given(people, st.lists(st.integers(1, 40), min_size=1, max_size=60), st.booleans())
def test_prompts_through_a_life(person: User, steps: list[int], paired: bool) -> None:
    put = live(person, steps, paired=paired)
    for _, found, _ in put:
        assert found.depth <= person.depth, "however long it goes on, what was not taken doesn't come"
        assert not is_muted(found, person)
        assert paired or found.theme != US
    for (_, earlier, _), (_, later, later_is_fresh) in pairwise(put):
        assert earlier.theme != later.theme or later_is_fresh
        assert not (earlier.depth >= DEEP and later.depth >= DEEP)


@given(people, st.lists(st.integers(1, 3), min_size=2, max_size=40), st.booleans())
def test_fresh_prompts_prevent_repetition(person: User, steps: list[int], paired: bool) -> None:
    put = live(person, steps, paired=paired)
    shown: dict[str, datetime] = {}
    for seed, (now, found, is_fresh) in enumerate(put):
        if not is_fresh:
            assert fresh(ALL, person, shown, on(now, paired=paired), seed) is None
        shown[found.id] = now


def test_nearest_depth_comes_first_then_lighter() -> None:
    few = tuple(prompt(theme, depth) for theme, depth in zip("abcde", range(1, 6), strict=True))
    shown: dict[str, datetime] = {}
    found = []
    while next_one := choose(by_id(few), user(5), on(), shown, wanted=3, seed=1):
        found.append(next_one.depth)
        shown[next_one.id] = NOW - (100 - len(found)) * DAY
    assert found == [3, 2, 4, 1, 5], "5 comes after the light 1, as 4 was there already"


def test_swap_is_never_deeper_than_wanted() -> None:
    few = (prompt("body", 3), prompt("weather", 1))
    assert choose(by_id(few), user(3), on(), {}, wanted=2, deepest=2, seed=1) == few[1]
    assert choose(by_id(few[:1]), user(3), on(), {}, wanted=2, deepest=2, seed=1) is None


@pytest.mark.parametrize("every", [1, 2, 3, 7])
@pytest.mark.parametrize("who", [1, 7001, 5_123_456_789])
def test_depths_mix_six_three_one(who: int, every: int) -> None:
    """Whatever stretch of sixty questions one looks at, and on whichever days they come."""
    person = User(who, "en", depth=3, ceiling=3)
    depths = [depth_of_day(person, date(2026, 1, 1) + n * every * DAY) for n in range(400)]
    for start in range(340):
        counts = Counter(depths[start : start + 60])
        for depth, share in ((3, 60), (2, 30), (1, 10)):
            assert counts[depth] * 100 / 60 == pytest.approx(share, abs=10)


@pytest.mark.parametrize(("depth", "ceiling", "found"), [(1, 5, {1}), (2, 5, {1, 2}), (4, 2, {1, 2})])
def test_depth_never_exceeds_what_was_accepted(depth: int, ceiling: int, found: set[int]) -> None:
    person = User(1, "en", depth=depth, ceiling=ceiling)
    assert {depth_of_day(person, NOW.date() + n * DAY) for n in range(60)} == found


@pytest.mark.parametrize(("days", "comes"), [(364, False), (365, True)])
def test_library_lasts_for_a_year(days: int, comes: bool) -> None:
    only = (prompt("body", 1), prompt("weather", 1))
    shown = {"body.1a": NOW - days * DAY, "weather.1a": NOW}
    assert (fresh(only, user(), shown) is not None) is comes


def test_longest_absent_theme_comes_first() -> None:
    shown = {f"{theme}.1a": NOW - days * DAY for theme, days in zip(THEMES, (3, 9, 1, 5), strict=True)}
    for seed in range(20):
        found = fresh(ALL, user(), shown, seed=seed)
        assert found
        assert found.id == "childhood.1b"


@pytest.mark.parametrize("seed", range(20))
def test_form_of_the_one_before_waits(seed: int) -> None:
    """Two that begin alike on two days running sound like a form to be filled in."""
    last = replace(prompt("body", 1), format=Format.FINISH_THE_LINE)
    same = replace(prompt("money", 1, "a"), format=Format.FINISH_THE_LINE)
    other = prompt("money", 1, "b")
    shown = {last.id: NOW - DAY, "x": NOW, "y": NOW}
    assert choose(by_id((last, same, other)), user(), on(), shown, wanted=1, seed=seed) == other
    assert choose(by_id((last, same)), user(), on(), shown, wanted=1, seed=seed) == same, "rather than none"


def test_repeated_theme_beats_a_repeated_prompt() -> None:
    few = (prompt("body", 1), prompt("body", 1, "b"), prompt("weather", 1))
    shown = {"weather.1a": NOW - 2 * DAY, "body.1a": NOW - DAY}
    assert asked(few, user(), shown) == few[1]


def test_first_three_are_picked_by_hand() -> None:
    by_hand = tuple(Prompt(id_, id_.split(".")[0], 1, "?", Role.TELLER, Format.ONE_FACT, ("x", "y")) for id_ in FIRST)
    shown: dict[str, datetime] = {}
    for number, expected in enumerate(FIRST):
        found = fresh((*ALL, *by_hand), user(), shown, seed=number)
        assert found
        assert found.id == expected
        shown[found.id] = NOW
    found = fresh((*ALL, *by_hand), user(), shown)
    assert found
    assert found.id not in FIRST
    left_out = fresh((*ALL, *by_hand), user(1, 5, frozenset({"body"})), {})
    assert left_out
    assert left_out.id == FIRST[1], "what is left out isn't among them"


def test_prompt_choice_is_deterministic() -> None:
    found = [fresh(ALL, user(), {}, on(paired=True), seed) for seed in range(200)]
    assert found == [fresh(ALL, user(), {}, on(paired=True), seed) for seed in range(200)]
    assert {each.id for each in found if each} == {each.id for each in ALL if each.depth == 1}


def test_used_up_depth_repeats_the_oldest() -> None:
    few = (prompt("body", 1), prompt("weather", 2), prompt("money", 1), prompt("childhood", 1))
    shown = {"body.1a": NOW - 2 * DAY, "childhood.1a": NOW - 3 * DAY, "money.1a": NOW - DAY}
    assert asked(few, user(1, 2), shown) == few[3]
    shown["childhood.1a"] = NOW
    assert asked(few, user(1, 2), shown) == few[0]
    assert asked(few, user(2, 2), shown) == few[1], "taken, it comes"


def test_swapped_prompt_rests_for_a_while() -> None:
    few = (prompt("body", 1), prompt("weather", 1), prompt("money", 1))
    shown = {"body.1a": NOW, "weather.1a": NOW - 29 * DAY, "money.1a": NOW - 30 * DAY}
    assert oldest(by_id(few), user(), on(), shown, rested=timedelta(days=30)) == few[2]
    assert oldest(by_id(few), user(), on(), shown, rested=timedelta(days=31)) is None


def test_swap_changes_the_theme() -> None:
    few = (prompt("body", 1), prompt("body", 1, "c"))
    shown = {"body.1a": NOW, "body.1c": NOW - 100 * DAY}
    assert oldest(by_id(few), user(), on(), shown, rested=timedelta(days=30)) is None
    assert oldest(by_id(few), user(), on(), shown) == few[1], "a day's question may have the theme of the one before"


def test_what_was_never_asked_counts_as_the_oldest() -> None:
    few = (prompt("body", 1), prompt("weather", 1), prompt("money", 1))
    shown = {"body.1a": NOW, "weather.1a": NOW - 400 * DAY}
    assert oldest(by_id(few), user(), on(), shown) == few[2]


@pytest.mark.parametrize("role", [Role.EITHER, Role.RECEIVER])
@pytest.mark.parametrize("depth", range(1, 6))
def test_prompts_for_two_need_two(depth: int, role: Role) -> None:
    of_two, of_one = prompt("home", depth, role=role), prompt("body", depth)
    assert may_ask(of_two, user(5), paired=True)
    assert not may_ask(of_two, user(5), paired=False)
    assert may_ask(of_one, user(5), paired=False)
    assert not may_ask(of_one, user(depth - 1), paired=True)


def test_deep_prompts_never_follow_each_other() -> None:
    few = (prompt("body", 4), prompt("weather", 5), prompt("money", 1))
    shown = {"body.4a": NOW, "weather.5a": NOW - 2 * DAY, "money.1a": NOW - DAY}
    assert asked(few, user(5), shown) == few[2]
    assert asked(few[:2], user(5), shown) is None, "rather a day without a question"
    almost = prompt("weather", DEEP - 1)
    assert asked((few[0], almost), user(5), shown) == almost


MONDAY, FRIDAY, SATURDAY = date(2026, 11, 16), date(2026, 11, 20), date(2026, 11, 21)
TAGGED = [
    (Tag.NOT_MONDAY, MONDAY, False),
    (Tag.NOT_MONDAY, FRIDAY, True),
    (Tag.NOT_FREE_DAY, SATURDAY, False),
    (Tag.NOT_FREE_DAY, FRIDAY, True),
    (Tag.FREE_DAY, SATURDAY, True),
    (Tag.FREE_DAY, FRIDAY, False),
    (Tag.NOT_JANUARY, date(2027, 1, 31), False),
    (Tag.NOT_JANUARY, date(2027, 2, 1), True),
    (Tag.HOLIDAYS, date(2026, 12, 19), False),
    (Tag.HOLIDAYS, date(2026, 12, 20), True),
    (Tag.HOLIDAYS, date(2027, 1, 6), True),
    (Tag.HOLIDAYS, date(2027, 1, 7), False),
    (Tag.DARK_MONTHS, date(2026, 11, 1), True),
    (Tag.DARK_MONTHS, date(2026, 10, 31), False),
]


@pytest.mark.parametrize(("tag", "day", "comes"), TAGGED, ids=[f"{tag} on {day}" for tag, day, _ in TAGGED])
def test_tag_says_when_a_prompt_comes(tag: Tag, day: date, comes: bool) -> None:
    today = Today(NOW, day, False, WEEKEND, frozenset({11, 12, 1, 2}))
    assert suits(prompt("body", 1, tags=frozenset({tag})), user(), today) is comes
    found = asked((prompt("body", 1, tags=frozenset({tag})),), user(), {}, today)
    assert (found is not None) is comes, "even if there is nothing else"


def test_all_tags_have_to_hold() -> None:
    both = prompt("body", 1, tags=frozenset({Tag.FREE_DAY, Tag.DARK_MONTHS}))
    saturday = datetime(2026, 11, 21, 12, tzinfo=UTC)
    assert suits(both, user(), on(saturday, dark_months=frozenset({11})))
    assert not suits(both, user(), on(saturday))
    assert not suits(both, user(), on(saturday - DAY, dark_months=frozenset({11})))


@pytest.mark.parametrize(("days", "comes"), [(0, False), (6, False), (7, True)])
def test_trusting_prompts_wait_a_week(days: int, comes: bool) -> None:
    newcomer = User(1, "en", NOW - days * DAY)
    trusting = prompt("body", 1, tags=frozenset({Tag.NOT_FIRST_WEEK}))
    assert suits(trusting, newcomer, on()) is comes
    assert (fresh((trusting,), newcomer, {}) is not None) is comes
    assert (oldest(by_id((trusting,)), newcomer, on(), {}) is not None) is comes
    assert not suits(prompt("body", 1, tags=frozenset({Tag.NOT_FIRST_WEEK})), User(1, "en"), on())


def test_free_days_avoid_work() -> None:
    friday = Today(NOW, FRIDAY, False, frozenset({4, 5}))
    sunday = Today(NOW, date(2026, 11, 22), False, frozenset({4, 5}))
    of_work = prompt("work", 1)
    assert not suits(of_work, user(), friday), "Friday is free where Friday is free"
    assert suits(of_work, user(), sunday)
    assert suits(prompt("work", 1, tags=frozenset({Tag.FREE_DAY})), user(), friday), "it is meant for free days"


def test_not_everything_can_be_muted() -> None:
    assert may_mute(ALL, user(1, 5, frozenset((*THEMES[1:], US))))
    assert not may_mute(ALL, user(1, 5, frozenset((*THEMES, US))))
    assert not may_mute(ALL, user(1, 5, frozenset(THEMES))), "what is of two is asked only as long as they are two"
    deeper = [each for each in ALL if each.depth > 1]
    assert not may_mute(deeper, user(1, 5)), "a question of depth 1 has to be left, whatever one's depth is"


def test_muted_prompt_never_comes() -> None:
    nothing_left = user(5, 5, frozenset(THEMES))
    assert asked(ALL, nothing_left, {}) is None
    assert asked(ALL, nothing_left, {each.id: NOW - DAY for each in ALL}) is None


def test_choosing_takes_less_than_a_millisecond() -> None:
    library = tuple(prompt(f"theme{n % 12}", 1 + n % 5, f"-{n}") for n in range(427))
    shown = {each.id: NOW - n * DAY for n, each in enumerate(library[:400])}
    spent = []
    for seed in range(30):
        began = time.process_time()
        fresh(library, user(5), shown, seed=seed)
        spent.append(time.process_time() - began)
    assert min(spent) < 0.001
