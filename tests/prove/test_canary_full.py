"""Canary words through every flow of the product, by polling and by webhook: none can be read without the key."""

from pathlib import Path

import pytest

from tests.canary.flows import FLOWS
from tests.canary.looking import looked_through
from tests.databases import SqliteTemplate


@pytest.mark.parametrize("mode", ["polling", "webhook"])
async def test_no_flows_word_can_be_read(
    mode: str, tmp_path: Path, places_folder: Path, sqlite_template: SqliteTemplate
) -> None:
    canary = await looked_through(tmp_path, places_folder, sqlite_template, FLOWS, mode)
    print(f"{len(canary.places)} words typed, by {mode}; none was found")  # noqa: T201
