"""The privacy policy in content/policy: a file per language, all of the version that the code asks for."""

import pytest

from bot import library
from bot.domain.model import POLICY_VERSION
from bot.i18n import languages
from tests.library.conftest import Content


def test_policy_exists_in_every_language() -> None:
    policy = library.load(library.content_folder()).policy
    assert set(policy) == set(languages())
    assert all("%(name)s" in sections[0].text for sections in policy.values())


@pytest.mark.parametrize(
    ("old", "new", "mistake"),
    [
        (f"version = {POLICY_VERSION}", "version = 99", "version is 99, but POLICY_VERSION"),
        (f"version = {POLICY_VERSION}", "", '"version" is missing'),
        ("%(name)s", "%(nam)s", "text has %(nam)s."),
        ("%(name)s", "100%", "text has %."),
        ('heading = "Who"', "", '"heading" is missing'),
    ],
)
def test_mistake_in_the_policy_is_reported(content: Content, old: str, new: str, mistake: str) -> None:
    content.spoil("policy/en.toml", old, new)
    (said,) = library.check(content.folder)
    assert "policy/en.toml" in said
    assert mistake in said


def test_languages_have_the_same_sections(content: Content) -> None:
    content.write("policy/de.toml", f"version = {POLICY_VERSION}\n" + '[[section]]\nheading = "A"\ntext = "B."\n' * 2)
    problems = library.check(content.folder)
    assert any("policy/de.toml" in each and "as many as in en.toml" in each for each in problems)
