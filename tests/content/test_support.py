"""The emergency numbers in content/support.toml are on libphonenumber's list, in the release that the file names."""

from typing import Final

import phonenumbers
import pytest

from bot import library
from bot.domain.content import SupportKind, local_support

SHIPPED: Final = library.load(library.content_folder()).support
NUMBERS: Final = tuple(each for each in SHIPPED if not each.kind.is_help_line)


def test_every_emergency_number_is_on_the_list() -> None:
    unknown = [each.id for each in NUMBERS if not phonenumbers.is_emergency_number(each.number, each.country)]
    assert unknown == []


def test_source_is_the_release_compared_with() -> None:
    """After an update of phonenumbers, docs/releasing.md says what to do."""
    assert {each.source.split("/blob/")[1].split("/")[0] for each in NUMBERS} == {f"v{phonenumbers.__version__}"}


@pytest.mark.parametrize(
    ("country", "shown"),
    [
        ("DE", ["112"]),
        ("CH", ["144", "117"]),
        ("GB", ["999"]),
        ("US", ["911"]),
        ("IN", ["112"]),
        ("BR", ["192", "190"]),
        ("AQ", []),
    ],
)
def test_country_has_one_number_or_the_ambulance_and_the_police(country: str, shown: list[str]) -> None:
    day = NUMBERS[0].verified_on
    assert [each.number for each in local_support(SHIPPED, country, day)] == shown


def test_of_an_unknown_country_nothing_is_shown() -> None:
    assert local_support(SHIPPED, None, NUMBERS[0].verified_on) == ()


def test_no_country_has_one_number_for_all_and_others() -> None:
    kinds: dict[str, set[SupportKind]] = {}
    for each in NUMBERS:
        kinds.setdefault(each.country, set()).add(each.kind)
    assert len(kinds) > 160
    assert all(
        found in ({SupportKind.EMERGENCY}, {SupportKind.AMBULANCE, SupportKind.POLICE}) for found in kinds.values()
    )
