from dataclasses import replace
from datetime import date

import pytest

from bot.domain.content import MOST_SUPPORT, Support, SupportKind, local_support


@pytest.mark.parametrize(
    ("verified", "today", "fresh"),
    [
        (date(2026, 1, 31), date(2026, 1, 31), True),
        (date(2026, 1, 31), date(2027, 1, 31), True),
        (date(2026, 1, 31), date(2027, 2, 1), False),
        (date(2026, 2, 1), date(2026, 1, 31), False),  # nobody can have verified it on a date in the future
        (date(2027, 2, 28), date(2028, 2, 29), True),
        (date(2027, 2, 27), date(2028, 2, 29), False),
        (date(2028, 2, 29), date(2029, 2, 28), True),
        (date(2028, 2, 29), date(2029, 3, 1), False),
    ],
)
def test_support_entry_lasts_twelve_months(verified: date, today: date, fresh: bool) -> None:
    entry = Support("x", SupportKind.EMERGENCY, "XX", "X", "0", "", "https://example.org", verified)
    assert entry.fresh(today) is fresh


def test_help_lines_match_the_country() -> None:
    today = date(2026, 6, 1)

    def entry(name: str, country: str, kind: SupportKind = SupportKind.HELP_LINE, on: date = today) -> Support:
        return Support(name, kind, country, name, "0", "", "https://example.org", on)

    emergency = entry("a112", "XX", SupportKind.EMERGENCY)
    line, stale = entry("line", "XX"), entry("old", "XX", on=date(2025, 5, 31))
    assert local_support((stale, line, emergency), "XX", today) == (emergency, line)
    assert local_support((line, emergency), "YY", today) == ()
    assert local_support((line, emergency), None, today) == (emergency, line), "the only country there is"
    assert local_support((line, entry("far", "YY")), None, today) == ()
    own, far = replace(line, own=True), entry("far", "YY")
    assert local_support((own, far), None, today) == (own,), "whoever runs the bot knows its people"
    assert local_support((own, far), "YY", today) == (far,)
    assert local_support((own, far), "ZZ", today) == ()
    assert local_support((own, replace(far, own=True)), None, today) == (), "they may be in either"
    assert local_support((replace(stale, own=True), far), None, today) == (far,)
    assert len(local_support([entry(str(n), "XX") for n in range(9)], "XX", today)) == MOST_SUPPORT
    police = entry("police", "XX", SupportKind.POLICE)
    assert local_support((line, police, emergency), "XX", today) == (police, emergency, line)
    assert local_support((own, police), "XX", today) == (police, own), "a help line of theirs replaces no number"
    ours = replace(emergency, own=True)
    assert local_support((ours, police, line), "XX", today) == (ours, line), "an emergency number of theirs does"
