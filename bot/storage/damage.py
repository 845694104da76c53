"""Sealed values that no longer open. Each is handled on its own, so that one damaged value doesn't block the others."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict, Unpack

import structlog

from bot.crypto import CannotOpen, open_sealed
from bot.domain.model import DAMAGED
from bot.logs import incident

log = structlog.stdlib.get_logger(__name__)


class Place(TypedDict):
    """Where a sealed value is stored, who owns it, and what it is tied to; see `open_sealed`."""

    table: str
    column: str
    row: int
    user: int
    tied_to: NotRequired[Sequence[int]]
    untied: NotRequired[bool]


def open_or_damaged(data_key: bytes, sealed: bytes, **place: Unpack[Place]) -> str:
    """Like `open_sealed`, for text that is only shown: DAMAGED and an incident in the log if it can't be opened."""
    opened = open_or_none(data_key, sealed, **place)
    return DAMAGED if opened is None else opened


def open_or_none(data_key: bytes, sealed: bytes | None, **place: Unpack[Place]) -> str | None:
    """Like `open_sealed`, but None and an incident in the log if it can't be opened or is missing."""
    try:
        return open_sealed(data_key, sealed or b"", **place)
    except CannotOpen as error:
        incident(log, error, table=place["table"], column=place["column"], row=place["row"])
        return None
