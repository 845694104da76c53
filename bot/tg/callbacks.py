"""What buttons carry: a version, an action, ids. Never words, and no authority: an id is looked up with its owner."""

from dataclasses import dataclass
from typing import Final

VERSION: Final = "v1"
LIMIT: Final = 64
"""Bytes that Telegram lets a button carry."""


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
