"""What people type can be read nowhere without the key. All flows of the product: tests/prove/test_canary_full.py."""

import base64
from pathlib import Path

import pytest

from tests.canary.birds import Canaries
from tests.canary.flows import SOME
from tests.canary.looking import looked_through
from tests.databases import SqliteTemplate


@pytest.mark.process
async def test_no_typed_word_can_be_read(tmp_path: Path, places_folder: Path, sqlite_template: SqliteTemplate) -> None:
    canary = await looked_through(tmp_path, places_folder, sqlite_template, SOME)
    assert len(canary.places) > 15, "else hardly anything was typed"


@pytest.mark.parametrize("shift", [0, 1, 2])
def test_word_is_found_in_any_form(tmp_path: Path, shift: int) -> None:
    canary = Canaries()
    words = "." * shift + canary("here")
    forms = [
        words.encode(), words.upper().encode(), words.encode("utf-16-le"), words.encode("utf-16-be"),
        words.encode().hex().encode(), base64.b64encode(words.encode()), base64.urlsafe_b64encode(words.encode()),
    ]  # fmt: skip
    for form in forms:
        (tmp_path / "file").write_bytes(b"\0\xff" + form)
        assert canary.leaks(tmp_path) == [f"here is in {tmp_path / 'file'}"], form
    (tmp_path / "file").write_bytes(b"It was nothing and a little more.")
    assert not canary.leaks(tmp_path)
