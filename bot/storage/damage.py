"""Opening sealed values that may be damaged. Each is handled on its own, so that one doesn't block the others."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict, Unpack

import structlog

from bot.crypto import CannotOpen, open_sealed
from bot.domain.model import DAMAGED
from bot.logs import incident

log = structlog.stdlib.get_logger(__name__)


class Place(TypedDict):
    """The place of a sealed value, its owner, and the facts it is tied to; see `open_sealed`."""

    table: str
    column: str
    row: int
    user: int
    tied_to: NotRequired[Sequence[int]]
    untied: NotRequired[bool]


def open_or_damaged(data_key: bytes, sealed: bytes, **place: Unpack[Place]) -> str:
    """Like `open_sealed`, for text that is only shown: if it doesn't open, return DAMAGED and log an Incident."""
    opened = open_or_none(data_key, sealed, **place)
    return DAMAGED if opened is None else opened


def open_or_none(data_key: bytes, sealed: bytes | None, **place: Unpack[Place]) -> str | None:
    """Like `open_sealed`, but if it is missing or doesn't open, return None and log an Incident."""
    try:
        return open_sealed(data_key, sealed or b"", **place)
    except CannotOpen as error:
        incident(log, error, table=place["table"], column=place["column"], row=place["row"])
        return None
