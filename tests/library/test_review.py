"""Whatever isn't a mistake but deserves a second look is a warning with its file and line."""

from pathlib import Path

import pytest

from bot.library import content_folder, load
from bot.library.review import is_remark, review, share_of_remarks, table
from tests.library.conftest import Content

WORK, WEATHER = "prompts/work.toml", "prompts/weather.toml"


def warnings(folder: Path) -> list[str]:
    mistakes, found = review(folder)
    assert not mistakes
    return [str(each) for each in found]


def test_shipped_library_passes_review() -> None:
    found = warnings(content_folder())
    assert not any("nearly" in each or "there is no prompt" in each or "has no tag" in each for each in found), found


def test_library_with_mistakes_is_not_reviewed(content: Content) -> None:
    content.spoil(WORK, "depth = 1", "depth = 7")
    mistakes, found = review(content.folder)
    assert [str(each) for each in mistakes][-1:] == ["content/prompts/work.toml:3: depth is 7; it can be 1 to 5"]
    assert found == []


def test_missing_depth_is_named(content: Content) -> None:
    found = warnings(content.folder)
    assert [each for each in found if "prompts/work.toml:1: there is no" in each] == [
        f"content/prompts/work.toml:1: there is no prompt of depth {depth}" for depth in (3, 4, 5)
    ]


def test_reordered_question_is_nearly_the_same(content: Content) -> None:
    content.spoil(WORK, "What of work is at depth 1?", "What did you last carry home in your hands?")
    content.spoil(WEATHER, "What of weather is at depth 2?", "In your hands, what did you last carry home?")
    (found,) = [each for each in warnings(content.folder) if "carry" in each]
    assert found == (
        'content/prompts/weather.toml:18: text "In your hands, what did you last carry home?" is nearly the one at '
        'content/prompts/work.toml:6: "What did you last carry home in your hands?"'
    )


def test_repeated_example_is_found(content: Content) -> None:
    content.spoil(WORK, "Rain on work 1.", "The kettle, before anybody else is up.")
    content.spoil(WEATHER, "Sun on weather 2.", "The kettle, before anybody is up.")
    assert any('example "The kettle, before anybody is up." is nearly' in each for each in warnings(content.folder))


@pytest.mark.parametrize(
    ("text", "tag"), [("What was heavy this week?", "not-monday"), ("What went well this year?", "not-january")]
)
def test_calendar_question_needs_its_tag(content: Content, text: str, tag: str) -> None:
    content.spoil(WORK, "What of work is at depth 1?", text)
    named = f'content/prompts/work.toml:6: work.d1 says "{" ".join(text.split()[-2:])[:-1]}", but has no tag "{tag}"'
    assert named in warnings(content.folder)
    content.spoil(WORK, "sensitivities = []", f'sensitivities = []\ntags = ["{tag}"]')
    assert not any("has no tag" in each for each in warnings(content.folder))


def test_one_format_is_too_few(content: Content) -> None:
    found = warnings(content.folder)
    assert 'content/themes.toml:1: 100% of all prompts have the format "one fact"' in found
    for theme in ("work", "weather"):
        for depth in (1, 2):
            remark = f"Rain, {theme} {depth}. It always does."
            content.spoil(f"prompts/{theme}.toml", f"Rain on {theme} {depth}.", remark)
    found = warnings(content.folder)
    assert 'content/themes.toml:1: 50% of all examples are of the kind "Noun. Dry remark."' in found
    assert 'content/prompts/work.toml:1: 50% of its examples are of the kind "Noun. Dry remark."' in found


def test_cars_are_counted(content: Content) -> None:
    content.spoil(WORK, "Rain on work 1.", "Parked, and sat in the car a while.")
    assert "content/themes.toml:1: 12 of a hundred examples mention a car; at most 4 should" in warnings(content.folder)


@pytest.mark.parametrize(
    ("example", "expected"),
    [
        ("Cold coffee. Again.", True),
        ("The hall, always. Nobody hangs things up.", True),
        ("I put the kettle on before anybody else is up.", False),
        ("I put the kettle on for everybody. They sleep.", False),
        ("Rain. Wind. Snow.", False),
        ("… the keys. Always the keys.", True),
    ],
)
def test_pattern_of_the_dry_remark(example: str, expected: bool) -> None:
    assert is_remark(example) is expected


def test_table_counts_what_there_is() -> None:
    library = load(content_folder())
    found = table(library)
    assert "role         receiver" in found
    assert f"{share_of_remarks(tuple(library.prompts.values())):.0%}" in found
