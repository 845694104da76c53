"""The document of an export: its schema is in docs/, and anything else is refused without repeating it."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.export_document import Document, Line, WrongDocument, parse, schema

SCHEMA = Path(__file__).parent.parent / "docs" / "export.schema.json"
NOW = datetime(2026, 11, 30, 4, tzinfo=UTC)
SECRET = "nobody may read this"


def test_documented_schema_is_current() -> None:
    """If this fails on purpose, run `make schema`, and raise VERSION if an older reader would misread a file."""
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == schema()


@pytest.mark.parametrize(
    ("fact", "value", "told"),
    [
        ("comfortable", 10**30, "less than or equal to 1000000"),
        ("unanswered", -1, "greater than or equal to 0"),
        ("covered_until", "9999-12-31", "not in the years 2000 to 2199"),
        ("paused_until", "0001-01-01", "not in the years 2000 to 2199"),
    ],
)
def test_impossible_numbers_and_dates_are_refused(fact: str, value: object, told: str) -> None:
    profile = {
        "language": "en", "language_chosen": False, "since": "2026-11-30T04:00:00Z", "days": [1],
        "receives_only": False,
        "soft_reminder": False, "discreet": False, "depth": 1, "ceiling": 2, "comfortable": 0, "hour_offered": False,
        "muted_themes": [], "muted_sensitivities": [], "rhythm": "daily", "unanswered": 0,
    }  # fmt: skip
    whole = {"made_at": "2026-11-30T04:00:00Z", "account": 1, "profile": profile}
    assert parse(json.dumps(whole).encode()).profile
    with pytest.raises(WrongDocument, match=f"profile.{fact}: .*{told}"):
        parse(json.dumps({**whole, "profile": {**profile, fact: value}}).encode())


def test_document_survives_writing() -> None:
    line = Line(number=1, date=NOW.date(), kept_at=NOW, words=SECRET)
    document = Document(made_at=NOW, account=1001, lines=[line])
    assert parse(document.model_dump_json().encode()) == document


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"no JSON", "the file"),
        (b"[]", "the file"),
        (json.dumps({"made_at": "2026-11-30T04:00:00Z", "account": 1, "more": SECRET}).encode(), "more"),
        (json.dumps({"made_at": "2026-11-30T04:00:00Z", "account": 1, "version": 2}).encode(), "version"),
        (json.dumps({"made_at": "2026-11-30T04:00:00Z", "account": SECRET}).encode(), "account"),
        (json.dumps({"made_at": "2026-11-30T04:00:00Z", "account": 2**70}).encode(), "account"),
        (json.dumps({"made_at": "2026-11-30T04:00:00", "account": 1}).encode(), "made_at"),
        (json.dumps({"made_at": "0001-01-01T00:00:00+14:00", "account": 1}).encode(), "made_at"),
        (json.dumps({"made_at": "2026-11-30T04:00:00Z", "account": 1, "lines": [{"words": 7}]}).encode(), "lines.0"),
    ],
)
def test_other_documents_are_refused(content: bytes, place: str) -> None:
    with pytest.raises(WrongDocument) as refused:
        parse(content)
    assert str(refused.value).startswith(place)
    assert SECRET not in str(refused.value)
