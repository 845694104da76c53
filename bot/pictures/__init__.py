"""Pictures that the bot draws, each in a child process of its own.

resvg holds the GIL while it draws, which takes 30 to 150 ms, so a thread would block everybody. The content goes to the
child through a pipe, and the PNG comes back through one, so that no word of it is in a file, in the environment or in
the list of processes.
"""

import asyncio
import contextlib
import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

_SECONDS: Final = 30
"""How long a picture may take, including the wait for its turn."""
_AT_ONCE: Final = 2


class NotDrawn(Exception):
    """A picture could not be drawn."""


@dataclass(frozen=True, slots=True)
class Week:
    """One week of a picture: the label of its first day, and its words."""

    label: str
    words: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return "<a week>"  # words don't belong in a log


@dataclass(frozen=True, slots=True)
class Picture:
    """Weeks as strips one below the other, the oldest on top."""

    weeks: tuple[Week, ...]
    from_right: bool = False
    """Whether its language is written from right to left."""


class Pictures:
    """Draws pictures, a few at a time."""

    def __init__(self) -> None:
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def draw(self, picture: Picture) -> bytes:
        """Return the picture as a PNG, 960 pixels wide. Raises NotDrawn."""
        try:
            async with asyncio.timeout(_SECONDS), self._room:
                return await _drawn(json.dumps(asdict(picture)).encode())
        except (TimeoutError, OSError, RuntimeError) as error:  # the last is uvloop's for a child that has ended
            raise NotDrawn(type(error).__name__) from error


async def _drawn(asked: bytes) -> bytes:
    # The child doesn't need our settings and secrets.
    environment = {name: value for name, value in os.environ.items() if not name.upper().startswith("AJAR_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", __name__),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,  # it could quote what is drawn
        env=environment,
        cwd=Path(__file__).parent.parent.parent,
    )
    try:
        png, _ = await process.communicate(asked)
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):  # it has just ended and isn't reaped yet
                process.kill()
            await process.wait()
    if process.returncode or not png:
        raise NotDrawn(f"the child ended with {process.returncode}")
    return png
