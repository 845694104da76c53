"""What buttons carry: a version, an action, ids. Never words, and no authority: an id is looked up with its owner."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

VERSION: Final = "v1"
LIMIT: Final = 64
"""Bytes that Telegram lets a button carry."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE: Final = timedelta(minutes=1)
_LONGEST_MOMENT: Final = len("99999999")


class NotOurs(Exception):  # not an error of ours
    """A button of another version, or no button of ours at all."""


@dataclass(frozen=True, slots=True)
class Tap:
    """An action and what it is about."""

    action: str
    about: str = ""

    def pack(self) -> str:
        packed = f"{VERSION}:{self.action}:{self.about}"
        if len(packed.encode()) > LIMIT:
            raise ValueError(f"a button can't carry {len(packed.encode())} bytes")
        return packed

    @property
    def id(self) -> int:
        """The id it is about. Raises NotOurs where it is none."""
        if not self.about.isascii() or not self.about.isdecimal() or int(self.about) >= 1 << 63:
            raise NotOurs
        return int(self.about)


def unpack(data: str | None) -> Tap:
    """The Tap that a button carries. Raises NotOurs."""
    parts = (data or "").split(":", 2)
    if len(parts) != 3 or parts[0] != VERSION:  # noqa: PLR2004  # version, action, about
        raise NotOurs
    return Tap(parts[1], parts[2])


def moment_in_minutes(moment: datetime | None) -> int:
    """A moment as buttons carry it: minutes since 1970; 0 for none."""
    return (moment - _EPOCH) // _MINUTE if moment else 0


def read_moment(text: str) -> datetime:
    """The moment that a button carries; where it carries none, one that is long gone. Raises NotOurs."""
    if text and not (text.isascii() and text.isdecimal() and len(text) <= _LONGEST_MOMENT):
        raise NotOurs
    return _EPOCH + int(text or "0") * _MINUTE
