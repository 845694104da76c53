"""Which prompt comes next, through lives of any length, depth and taste."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.content import Format, Prompt, Role, Sensitivity
from bot.domain.model import User
from bot.domain.prompts import DEEP, NO_REPEAT, choose, choose_or_repeat, is_muted, may_mute

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)
THEMES = ("body", "childhood", "money", "weather")


def prompt(theme: str, depth: int, letter: str = "a", *sensitivities: Sensitivity) -> Prompt:
    return Prompt(
        f"{theme}.{depth}{letter}",
        theme,
        depth,
        "?",
        Role.TELLER,
        Format.ONE_FACT,
        ("x", "y"),
        frozenset(sensitivities),
    )


ALL = tuple(
    prompt(theme, depth, letter, *((Sensitivity.LOSS,) if letter == "b" else ()))
    for theme in THEMES
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
    st.sets(st.sampled_from(THEMES), max_size=2),
    st.booleans(),
)


def live(person: User, steps: list[int]) -> list[tuple[datetime, Prompt, bool]]:
    """What is put to this person, so many days apart each time: when, what, and whether it was fresh."""
    shown: dict[str, datetime] = {}
    put: list[tuple[datetime, Prompt, bool]] = []
    now = NOW
    for seed, days in enumerate(steps):
        now += days * DAY
        found = choose_or_repeat(ALL, person, shown=shown, now=now, seed=seed)
        before = shown.get(found.id)
        put.append((now, found, before is None or now - before >= NO_REPEAT))
        shown[found.id] = now
    return put


@given(people, st.lists(st.integers(1, 40), min_size=1, max_size=60))
def test_through_a_life(person: User, steps: list[int]) -> None:
    put = live(person, steps)
    for _, found, _ in put:
        assert found.depth <= person.ceiling
        assert not is_muted(found, person)
    for (_, earlier, _), (_, later, _) in pairwise(put):
        assert earlier.theme != later.theme
        assert not (earlier.depth >= DEEP and later.depth >= DEEP)


@given(people, st.lists(st.integers(1, 3), min_size=2, max_size=40))
def test_nothing_comes_again_while_something_fresh_is_left(person: User, steps: list[int]) -> None:
    put = live(person, steps)
    shown: dict[str, datetime] = {}
    for seed, (now, found, fresh) in enumerate(put):
        if not fresh:
            for depth in range(min(person.depth, person.ceiling), person.ceiling + 1):
                assert choose(ALL, person, depth=depth, shown=shown, now=now, seed=seed) is None
        shown[found.id] = now


def test_as_deep_as_allowed_comes_first_then_lighter() -> None:
    few = (prompt("body", 2), prompt("weather", 1), prompt("money", 3))
    assert choose(few, user(), depth=2, shown={}, now=NOW, seed=1) == few[0]
    assert choose(few, user(), depth=2, shown={"body.2a": NOW}, now=NOW, seed=1) == few[1]
    assert choose(few, user(), depth=2, shown={"body.2a": NOW - DAY, "weather.1a": NOW}, now=NOW, seed=1) is None


@pytest.mark.parametrize(("days", "comes"), [(364, False), (365, True)])
def test_a_year_is_long_enough(days: int, comes: bool) -> None:
    only = (prompt("body", 1), prompt("weather", 1))
    shown = {"body.1a": NOW - days * DAY, "weather.1a": NOW}
    assert (choose(only, user(), depth=1, shown=shown, now=NOW, seed=1) is not None) is comes


def test_the_same_facts_give_the_same_prompt_and_chance_gives_all() -> None:
    found = [choose(ALL, user(), depth=1, shown={}, now=NOW, seed=seed) for seed in range(100)]
    assert found == [choose(ALL, user(), depth=1, shown={}, now=NOW, seed=seed) for seed in range(100)]
    assert {each.id for each in found if each} == {each.id for each in ALL if each.depth == 1}


def test_when_all_within_the_depth_is_used_up_it_comes_from_above_and_never_above_the_ceiling() -> None:
    few = (prompt("body", 1), prompt("weather", 2), prompt("money", 3))
    shown = {"body.1a": NOW - DAY}
    assert choose_or_repeat(few, user(1, 2), shown=shown, now=NOW, seed=1) == few[1]
    shown["weather.2a"] = NOW
    assert choose_or_repeat(few, user(1, 2), shown=shown, now=NOW, seed=1) == few[0], "the longest ago"


def test_not_everything_can_be_muted() -> None:
    assert may_mute(ALL, user(1, 5, frozenset(THEMES[1:])))
    assert not may_mute(ALL, user(1, 5, frozenset(THEMES)))
    assert choose(ALL, user(1, 5, frozenset(THEMES)), depth=5, shown={}, now=NOW, seed=1) is None
    last_way_out = choose_or_repeat(ALL, user(1, 5, frozenset(THEMES), Sensitivity.LOSS), shown={}, now=NOW, seed=1)
    assert Sensitivity.LOSS not in last_way_out.sensitivities
