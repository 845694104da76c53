"""The shipped library keeps its own promises."""

import re

import pytest

from bot.domain.content import Format, Role, Sensitivity, Tag, Wish
from bot.domain.model import CEILING_AT_START
from bot.library import check, content_folder, load

LIBRARY = load(content_folder())
PROMPTS = list(LIBRARY.prompts.values())
LONGEST_EXAMPLE_WE_SHOW = 90


def test_library_has_no_mistakes() -> None:
    assert check(content_folder()) == []


def test_twelve_themes_hold_72_prompts() -> None:
    assert len(LIBRARY.themes) == 12
    assert len(PROMPTS) >= 72


def test_deeper_prompts_are_fewer() -> None:
    counts = [len(LIBRARY.by_depth[depth]) for depth in range(1, 6)]
    assert counts == sorted(counts, reverse=True)
    least = (22, 20, 14, 9, 7)
    assert all(count >= wanted for count, wanted in zip(counts, least, strict=True))


@pytest.mark.parametrize("theme", [theme.id for theme in LIBRARY.themes])
def test_every_theme_covers_every_depth(theme: str) -> None:
    assert {prompt.depth for prompt in LIBRARY.by_theme[theme]} == {1, 2, 3, 4, 5}


def test_every_format_role_tag_is_used() -> None:
    assert {prompt.format for prompt in PROMPTS} == set(Format)
    assert {prompt.role for prompt in PROMPTS} == set(Role)
    assert {subject for prompt in PROMPTS for subject in prompt.sensitivities} == set(Sensitivity)
    assert {tag for prompt in PROMPTS for tag in prompt.tags} == set(Tag)


def test_library_lasts_for_a_year() -> None:
    """At least one prompt a day, and 230 for somebody alone who stays within the ceiling that everybody starts with."""
    assert len(PROMPTS) >= 366
    assert {len(LIBRARY.by_theme[theme.id]) for theme in LIBRARY.themes if theme.id != "us"} <= {35, 36, 37}
    assert len(LIBRARY.by_theme["us"]) >= 30
    at_start = [prompt for prompt in PROMPTS if prompt.depth <= CEILING_AT_START]
    assert sum(prompt.role is Role.TELLER for prompt in at_start) >= 230
    assert sum(prompt.role is Role.RECEIVER for prompt in PROMPTS) >= 40
    assert sum(prompt.format is Format.DEED for prompt in PROMPTS) >= 20


@pytest.mark.parametrize(("depth", "percent"), [(1, 32), (2, 32), (3, 20), (4, 10), (5, 6)])
def test_share_of_each_depth(depth: int, percent: int) -> None:
    assert len(LIBRARY.by_depth[depth]) * 100 / len(PROMPTS) == pytest.approx(percent, abs=2)


def test_partner_prompt_has_that_role() -> None:
    unsaid = {"body.touch"}
    for prompt in PROMPTS:
        of_two = re.search(r"\b(partner|the two of you|you two)\b", prompt.text) is not None
        if of_two or prompt.theme == "us":
            assert prompt.role is not Role.TELLER, prompt
        elif prompt.role is Role.EITHER:
            assert Sensitivity.SEX in prompt.sensitivities or prompt.id in unsaid, prompt


@pytest.mark.parametrize("theme", [theme.id for theme in LIBRARY.themes if theme.id != "us"])
def test_themes_for_one_cover_every_depth(theme: str) -> None:
    of_anybody = [prompt for prompt in LIBRARY.by_theme[theme] if prompt.role is Role.TELLER]
    assert {prompt.depth for prompt in of_anybody} == {1, 2, 3, 4, 5}


def test_prompts_on_touchy_subjects_are_tagged() -> None:
    for prompt in PROMPTS:
        wanted = {
            Sensitivity.MONEY: prompt.theme == "money",
            Sensitivity.CHILDHOOD: prompt.theme == "growing-up" or "as a child" in prompt.text,
            Sensitivity.CHILDREN: re.search(r"(?<!as )\ba child\b|\b(children|kids?)\b", prompt.text) is not None,
            Sensitivity.BODIES: re.search(r"\b(scar|your body|doctor)\b", prompt.text) is not None,
            Sensitivity.LOSS: re.search(r"\b(is gone|belonged to)\b", prompt.text) is not None,
        }
        assert {tag for tag, needed in wanted.items() if needed} <= prompt.sensitivities, prompt


def test_examples_are_short() -> None:
    for prompt in PROMPTS:
        assert max(map(len, prompt.examples)) <= LONGEST_EXAMPLE_WE_SHOW, prompt


def test_examples_finish_the_line() -> None:
    for prompt in PROMPTS:
        finished = [example.startswith("… ") for example in prompt.examples]
        assert finished == [prompt.format is Format.FINISH_THE_LINE] * 2, prompt


def test_each_wish_has_enough_cues() -> None:
    assert len(LIBRARY.cues) >= 40
    for wish in Wish:
        assert sum(cue.wish is wish for cue in LIBRARY.cues) >= 13


def test_cues_do_not_describe_the_line() -> None:
    """Any line may get it: a remark on the line would be wrong for some, and reveal something about others."""
    remark = re.compile(r"\b(small (lines|thing)|big|deep|stings?|hurts?|courage|run-up|complaint|fear)\b")
    assert [cue.text for cue in LIBRARY.cues if remark.search(cue.text)] == []


def test_every_help_line_has_a_source() -> None:
    """A wrong number is worse than none: entries come only with their page and the day it was read."""
    assert all(entry.source and entry.verified_on for entry in LIBRARY.support)
