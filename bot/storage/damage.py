"""What doesn't open any more: each one by itself, without taking what stands beside it along."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict, Unpack

import structlog

from bot.crypto import CannotOpen, open_sealed
from bot.domain.model import DAMAGED
from bot.logs import incident

log = structlog.stdlib.get_logger(__name__)


class Place(TypedDict):
    """Where something sealed stands, whose it is, and what it is tied to; see `open_sealed`."""

    table: str
    column: str
    row: int
    user: int
    tied_to: NotRequired[Sequence[int]]
    untied: NotRequired[bool]


def open_or_damaged(data_key: bytes, sealed: bytes, **place: Unpack[Place]) -> str:
    """As `open_sealed`, for what is only shown: DAMAGED where it can't be opened, and an incident in the log."""
    opened = open_or_none(data_key, sealed, **place)
    return DAMAGED if opened is None else opened


def open_or_none(data_key: bytes, sealed: bytes | None, **place: Unpack[Place]) -> str | None:
    """As `open_sealed`: None where it can't be opened, or isn't there at all, and an incident in the log."""
    try:
        return open_sealed(data_key, sealed or b"", **place)
    except CannotOpen as error:
        incident(log, error, table=place["table"], column=place["column"], row=place["row"])
        return None
