"""Which prompt comes next, through lives of any length, depth and taste."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.content import Format, Prompt, Role, Sensitivity
from bot.domain.model import User
from bot.domain.prompts import DEEP, NO_REPEAT, choose, choose_or_repeat, is_muted, may_ask, may_mute

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)
THEMES = ("body", "childhood", "money", "weather")
US = "us"


def prompt(theme: str, depth: int, letter: str = "a", *sensitivities: Sensitivity) -> Prompt:
    return Prompt(
        f"{theme}.{depth}{letter}",
        theme,
        depth,
        "?",
        Role.EITHER if theme == US else Role.TELLER,
        Format.ONE_FACT,
        ("x", "y"),
        frozenset(sensitivities),
    )


ALL = tuple(
    prompt(theme, depth, letter, *((Sensitivity.LOSS,) if letter == "b" else ()))
    for theme in (*THEMES, US)
    for depth in range(1, 6)
    for letter in "ab"
)


def user(depth: int = 1, ceiling: int = 5, themes: frozenset[str] = frozenset(), *muted: Sensitivity) -> User:
    return User(1, "en", depth=depth, ceiling=ceiling, muted_themes=themes, muted_sensitivities=frozenset(muted))


people = st.builds(
    lambda depth, ceiling, themes, loss: user(
        min(depth, ceiling), ceiling, frozenset(themes), *((Sensitivity.LOSS,) if loss else ())
    ),
    st.integers(1, 5),
    st.integers(1, 5),
    st.sets(st.sampled_from((*THEMES, US)), max_size=2),
    st.booleans(),
)


def asked(
    prompts: tuple[Prompt, ...],
    person: User,
    shown: dict[str, datetime],
    now: datetime = NOW,
    seed: int = 1,
    *,
    paired: bool = False,
) -> Prompt | None:
    """Return the prompt of a scheduled Ask."""
    return choose_or_repeat(prompts, person, paired=paired, depth=person.depth, shown=shown, now=now, seed=seed)


def fresh(
    prompts: tuple[Prompt, ...],
    person: User,
    shown: dict[str, datetime],
    now: datetime = NOW,
    seed: int = 1,
    *,
    paired: bool = False,
) -> Prompt | None:
    """Return the prompts as long as a fresh one is left."""
    return choose(prompts, person, paired=paired, depth=person.depth, shown=shown, now=now, seed=seed)


def live(person: User, steps: list[int], *, paired: bool) -> list[tuple[datetime, Prompt, bool]]:
    """Yield what this person is asked, this many days apart each time: when, what, and if it was fresh."""
    shown: dict[str, datetime] = {}
    put: list[tuple[datetime, Prompt, bool]] = []
    now = NOW
    for seed, days in enumerate(steps):
        now += days * DAY
        found = asked(ALL, person, shown, now, seed, paired=paired)
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
    for (_, earlier, _), (_, later, _) in pairwise(put):
        assert earlier.theme != later.theme
        assert not (earlier.depth >= DEEP and later.depth >= DEEP)


@given(people, st.lists(st.integers(1, 3), min_size=2, max_size=40), st.booleans())
def test_no_repetition_while_something_fresh_is_left(person: User, steps: list[int], paired: bool) -> None:
    put = live(person, steps, paired=paired)
    shown: dict[str, datetime] = {}
    for seed, (now, found, is_fresh) in enumerate(put):
        if not is_fresh:
            assert fresh(ALL, person, shown, now, seed, paired=paired) is None
        shown[found.id] = now


def test_deepest_allowed_comes_first_then_lighter() -> None:
    few = (prompt("body", 2), prompt("weather", 1), prompt("money", 3))
    assert fresh(few, user(2), {}) == few[0]
    assert fresh(few, user(2), {"body.2a": NOW}) == few[1]
    assert fresh(few, user(2), {"body.2a": NOW - DAY, "weather.1a": NOW}) is None


@pytest.mark.parametrize(("days", "comes"), [(364, False), (365, True)])
def test_library_lasts_for_a_year(days: int, comes: bool) -> None:
    only = (prompt("body", 1), prompt("weather", 1))
    shown = {"body.1a": NOW - days * DAY, "weather.1a": NOW}
    assert (fresh(only, user(), shown) is not None) is comes


def test_prompt_choice_is_deterministic() -> None:
    found = [fresh(ALL, user(), {}, seed=seed, paired=True) for seed in range(100)]
    assert found == [fresh(ALL, user(), {}, seed=seed, paired=True) for seed in range(100)]
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

    def rested(days: int) -> Prompt | None:
        return choose_or_repeat(
            few, user(), paired=False, depth=1, shown=shown, now=NOW, seed=1, rested=timedelta(days=days)
        )

    assert rested(30) == few[2]
    assert rested(31) is None


@pytest.mark.parametrize("depth", range(1, 6))
def test_prompts_for_two_need_two(depth: int) -> None:
    of_two, of_one = prompt(US, depth), prompt("body", depth)
    assert may_ask(of_two, user(5), paired=True)
    assert not may_ask(of_two, user(5), paired=False)
    assert may_ask(of_one, user(5), paired=False)
    assert not may_ask(of_one, user(depth - 1), paired=True)


def test_deep_prompt_never_follows_a_deep_one() -> None:
    few = (prompt("body", 4), prompt("weather", 5), prompt("money", 1))
    shown = {"body.4a": NOW, "weather.5a": NOW - 2 * DAY, "money.1a": NOW - DAY}
    assert asked(few, user(5), shown) == few[2]
    assert asked(few[:2], user(5), shown) is None, "rather a day without a question"


def test_not_everything_can_be_muted() -> None:
    assert may_mute(ALL, user(1, 5, frozenset((*THEMES[1:], US))))
    assert not may_mute(ALL, user(1, 5, frozenset((*THEMES, US))))
    assert not may_mute(ALL, user(1, 5, frozenset(THEMES))), "what is of two is asked only as long as they are two"


def test_muted_prompt_never_comes() -> None:
    nothing_left = user(5, 5, frozenset(THEMES))
    assert asked(ALL, nothing_left, {}) is None
    assert asked(ALL, nothing_left, {each.id: NOW - DAY for each in ALL}) is None
