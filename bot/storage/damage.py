"""Words that don't open any more: each one by itself, without taking what stands beside it along."""

import structlog

from bot.crypto import CannotOpen, open_sealed
from bot.domain.model import DAMAGED
from bot.logs import incident

log = structlog.stdlib.get_logger(__name__)


def open_or_damaged(data_key: bytes, sealed: bytes, *, table: str, column: str, row: int, user: int) -> str:
    """As `open_sealed`, for what is only shown: DAMAGED where it can't be opened, and an incident in the log."""
    try:
        return open_sealed(data_key, sealed, table=table, column=column, row=row, user=user)
    except CannotOpen as error:
        incident(log, error, table=table, column=column, row=row)
        return DAMAGED
