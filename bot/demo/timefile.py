"""The demo's clock: the machine's, moved by the seconds in a file, which the bot reads through bot.clock.FileClock."""

import os
from pathlib import Path

from bot.private import tighten, write


class TimeFile:
    def __init__(self, path: Path) -> None:
        self.path = path
        tighten(path)
        self.offset = float(path.read_text()) if path.exists() else 0.0

    def set(self, offset: float) -> None:
        """Store the offset in seconds. It is written to another file and renamed, so that nobody reads half of it."""
        beside = self.path.with_name(f"{self.path.name}.new")
        write(beside, f"{offset!r}\n".encode())
        os.replace(beside, self.path)  # noqa: PTH105 - the clearer name
        self.offset = offset
