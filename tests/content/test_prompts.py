"""The shipped library keeps its own promises."""

import re

import pytest

from bot.domain.content import Cue, Format, Prompt, Role, Sensitivity, Wish
from bot.library import check, content_folder, load

LIBRARY = load(content_folder())
PROMPTS = list(LIBRARY.prompts.values())
LONGEST_EXAMPLE_WE_SHOW = 90


def test_nothing_is_wrong_with_it() -> None:
    assert check(content_folder()) == []


def test_there_are_twelve_themes_and_at_least_72_prompts() -> None:
    assert len(LIBRARY.themes) == 12
    assert len(PROMPTS) >= 72


def test_there_are_fewer_prompts_the_deeper_they_go() -> None:
    counts = [len(LIBRARY.by_depth[depth]) for depth in range(1, 6)]
    assert counts == sorted(counts, reverse=True)
    least = (22, 20, 14, 9, 7)
    assert all(count >= wanted for count, wanted in zip(counts, least, strict=True))


@pytest.mark.parametrize("theme", [theme.id for theme in LIBRARY.themes])
def test_every_theme_can_be_asked_at_every_depth(theme: str) -> None:
    assert {prompt.depth for prompt in LIBRARY.by_theme[theme]} == {1, 2, 3, 4, 5}


def test_every_format_role_and_sensitivity_is_in_use() -> None:
    assert {prompt.format for prompt in PROMPTS} == set(Format)
    assert {prompt.role for prompt in PROMPTS} == set(Role)
    assert {tag for prompt in PROMPTS for tag in prompt.sensitivities} == set(Sensitivity)


@pytest.mark.parametrize("prompt", PROMPTS, ids=lambda prompt: prompt.id)
def test_a_prompt_that_takes_a_partner_for_granted_says_so_in_its_role(prompt: Prompt) -> None:
    of_two = re.search(r"\b(partner|the two of you|you two)\b", prompt.text) is not None
    unsaid = {"body.touch"}
    assert (prompt.role is Role.EITHER) == (of_two or prompt.theme == "us" or prompt.id in unsaid)


@pytest.mark.parametrize("theme", [theme.id for theme in LIBRARY.themes if theme.id != "us"])
def test_every_theme_but_one_can_be_asked_of_anybody_at_every_depth(theme: str) -> None:
    of_anybody = [prompt for prompt in LIBRARY.by_theme[theme] if prompt.role is Role.TELLER]
    assert {prompt.depth for prompt in of_anybody} == {1, 2, 3, 4, 5}


@pytest.mark.parametrize("prompt", PROMPTS, ids=lambda prompt: prompt.id)
def test_what_may_be_muted_is_tagged(prompt: Prompt) -> None:
    wanted = {
        Sensitivity.MONEY: prompt.theme == "money",
        Sensitivity.CHILDHOOD: prompt.theme == "growing-up" or "as a child" in prompt.text,
        Sensitivity.CHILDREN: re.search(r"(?<!as )\ba child\b|\b(children|kids?)\b", prompt.text) is not None,
        Sensitivity.BODIES: re.search(r"\b(scar|your body|doctor)\b", prompt.text) is not None,
        Sensitivity.LOSS: re.search(r"\b(is gone|belonged to)\b", prompt.text) is not None,
    }
    assert {tag for tag, needed in wanted.items() if needed} <= prompt.sensitivities


@pytest.mark.parametrize("prompt", PROMPTS, ids=lambda prompt: prompt.id)
def test_examples_are_as_short_as_the_answers_we_hope_for(prompt: Prompt) -> None:
    assert max(map(len, prompt.examples)) <= LONGEST_EXAMPLE_WE_SHOW


@pytest.mark.parametrize("prompt", PROMPTS, ids=lambda prompt: prompt.id)
def test_a_line_to_finish_is_finished_in_its_examples(prompt: Prompt) -> None:
    finished = [example.startswith("… ") for example in prompt.examples]
    assert finished == [prompt.format is Format.FINISH_THE_LINE] * 2


def test_there_are_at_least_32_cues_and_as_many_for_each_wish() -> None:
    assert len(LIBRARY.cues) >= 32
    for wish in Wish:
        assert sum(cue.wish is wish for cue in LIBRARY.cues) >= 10


@pytest.mark.parametrize("cue", LIBRARY.cues, ids=lambda cue: cue.id)
def test_no_cue_says_how_much_is_coming(cue: Cue) -> None:
    """Any line may get it: what it says of the line would be wrong for some, and tell something of others."""
    assert not re.search(r"\b(small (lines|thing)|big|deep|stings?|hurts?|courage|run-up|complaint|fear)\b", cue.text)


def test_no_help_line_is_shipped_without_a_source() -> None:
    """A wrong number is worse than none: entries come only with the page and the day they were read."""
    assert all(entry.source and entry.verified_on for entry in LIBRARY.support)
