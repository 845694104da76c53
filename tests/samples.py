"""What `make test` takes a sample of: `make prove` sets AJAR_WHOLE=1 and takes the whole (docs/proofs.md)."""

import os
from collections.abc import Sequence
from typing import Any, Final, TypeVar

import pytest

T = TypeVar("T")

WHOLE: Final = os.environ.get("AJAR_WHOLE") == "1"


def sampled(sample: T, whole: T) -> T:
    return whole if WHOLE else sample


def on_both(names: str, cases: Sequence[Any], on_postgres: Sequence[Any]) -> pytest.MarkDecorator:
    """Run a test with all cases on SQLite, and on PostgreSQL with some of them; `make prove` takes all."""
    postgres = pytest.mark.process
    return pytest.mark.parametrize(
        ("database_url", *names.split()),
        [
            *(("sqlite", *case) for case in cases),
            *(pytest.param("postgresql", *case, marks=postgres) for case in sampled(on_postgres, cases)),
        ],
        indirect=["database_url"],
    )
