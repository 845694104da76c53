"""A Ritual that an earlier Ajar has stored is still what it was: proposed, agreed or taken back."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from bot.crypto import KeyRing
from bot.storage.engine import single_engine
from bot.storage.migrate import migrate
from bot.storage.store import Store
from tests.storage.before_ties import ALICE, PAIR, make

SOON: datetime = datetime(1970, 1, 1, 1, tzinfo=UTC)
"""Within the time in which the proposal can be agreed to."""


@pytest.mark.parametrize(
    ("number", "agreed", "taken_back"), [(0, False, False), (1, True, False), (2, None, True)],
    ids=["proposed", "agreed", "taken back"],
)  # fmt: skip
async def test_older_ritual_is_what_it_was(
    empty_url: str, keys: KeyRing, number: int, agreed: bool | None, taken_back: bool
) -> None:
    await make(empty_url, keys)
    engine = single_engine(empty_url)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE rituals SET agreed = :number"), {"number": number})
    await engine.dispose()
    await migrate(empty_url)
    store = Store.at(empty_url, keys)
    async with store.reading() as rows:
        ritual = await rows.rituals.of_pair(PAIR, SOON)
        assert (ritual.agreed if ritual else None) is agreed
        assert await rows.rituals.taken_back(PAIR, ALICE, SOON) is taken_back
    await store.close()
