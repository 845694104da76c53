"""Tell whether 4/5 is the fourth of May or the fifth of April, by a language's region and the country of residence.

The data comes from the Unicode CLDR (its pattern "Md"), and a test compares it; the domain itself doesn't load CLDR.
"""

from typing import Final

_MONTH_LEADS: Final = frozenset(
    {"eu", "fa", "hu", "ja", "ko", "lt", "mn", "yue", "zh"}  # they also put the year first
)
_MONTH_LEADS_IN: Final = frozenset({"AS", "GU", "MH", "MP", "PH", "PR", "UM", "US", "VI"})  # in English
_UNSETTLED_IN: Final = frozenset({"CA", "ZA"})  # both orders are common there
_UNSETTLED_AMONG: Final = frozenset({"CN", "HU", "IR", "JP", "KR", "LT", "MN", "TW"})
"""Countries whose own languages put the month first, while other people who live there don't."""


def day_leads(tag: str, country: str | None) -> bool | None:
    """Return whether somebody who speaks `tag` ("en-US") in `country` ("DE") writes the day first; None if unclear.

    The region of the tag counts more than the country. English alone says nothing: people all over the world write it.
    """
    language, *subtags = tag.replace("_", "-").lower().split("-")
    region = next((subtag.upper() for subtag in subtags if len(subtag) == 2 and subtag.isalpha()), None)  # noqa: PLR2004
    if language in _MONTH_LEADS:
        return False
    if language == "en":
        where = region or country
        unsettled = where in _UNSETTLED_IN or (region is None and country in _UNSETTLED_AMONG)
        return None if where is None or unsettled else where not in _MONTH_LEADS_IN
    return None if (language, region) == ("fr", "CA") else True
