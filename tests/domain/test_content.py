from datetime import date

import pytest

from bot.domain.content import Support, SupportKind


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
def test_support_entry_is_fresh_for_twelve_months(verified: date, today: date, fresh: bool) -> None:
    entry = Support("x", SupportKind.EMERGENCY, "XX", "X", "0", "", "https://example.org", verified)
    assert entry.fresh(today) is fresh
