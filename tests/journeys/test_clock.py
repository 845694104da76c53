"""Somebody sets the machine's clock while the bot runs. Needs libfaketime (Debian: faketime)."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.clock import HandClock, SystemClock
from bot.demo.runner import BOT
from bot.places import FILE_NAME
from tests.journeys.house import MONDAY, House, questions, until
from tests.machine import LIBFAKETIME
from tests.standin import stand_in, start_bot

NOTICED: float = 15  # seconds
_WAITS_ARE_STEADY = {"FAKETIME_FORCE_MONOTONIC_FIX": "0"}
"""Otherwise libfaketime lets every wait for a lock end at once, so that Python's threads spin."""


class _Machine:
    """The clock of the machine as the bot's process sees it."""

    def __init__(self, file: Path, noon: datetime) -> None:
        self._file = file
        self._offset = round((noon - SystemClock().now()).total_seconds())
        self.move()

    def move(self, **step: float) -> None:
        self._offset += round(timedelta(**step).total_seconds())
        other = self._file.with_suffix(".new")
        other.write_text(f"{self._offset:+d}")
        other.replace(self._file)


@pytest.mark.timeout(240)
async def test_clock_change_is_noticed_soon(tmp_path: Path, cities: Path) -> None:
    """Once with a steady clock beside it, as on a real machine, and once with one that jumps too."""
    library = LIBFAKETIME.path()
    await asyncio.gather(
        _story(tmp_path / "steady", library, cities, FAKETIME_DONT_FAKE_MONOTONIC="1", **_WAITS_ARE_STEADY),
        _story(tmp_path / "unsteady", library, cities, FAKETIME_DONT_FAKE_MONOTONIC="0"),
    )


async def _story(folder: Path, library: Path, cities: Path, **env: str) -> None:
    (folder / "bot").mkdir(parents=True)
    (folder / "bot" / FILE_NAME).hardlink_to(cities)
    noon = MONDAY + timedelta(hours=3)
    machine = _Machine(folder / "offset", noon)
    faked = {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(folder / "offset"),
        "FAKETIME_CACHE_DURATION": "1",  # second; to read the file at each look at the clock costs much
    }
    async with stand_in(clock=HandClock(noon)) as telegram:
        house = House(telegram, start_bot(telegram, folder / "bot", command=BOT, **faked, **env), "polling")
        async with house.running():
            alice = await house.settled(hour="12:20")

            machine.move(hours=-1)
            await house.logs("clock.jumped seconds=-3", seconds=NOTICED)
            await alice.says("/help")
            await alice.hears("One small question a day, one line back. It", seconds=NOTICED)
            assert not questions(alice)

            machine.move(hours=1, minutes=21)  # questions planned before come on time by the new clock
            await until(lambda: len(questions(alice)) == 1, "Monday's question", seconds=NOTICED)

            machine.move(days=1)
            await until(lambda: len(questions(alice)) == 2, "Tuesday's question", seconds=NOTICED)

            said = len(house.bot.output)
            machine.move(hours=-1)
            await house.logs("clock.jumped seconds=-3", after=said, seconds=NOTICED)
            await alice.says("An answer at a time that there was before.")
            await alice.hears("Kept, and", seconds=NOTICED)
            assert len(questions(alice)) == 2
            assert [state for _, state in house.asks(alice)] == ["left", "answered"]
            assert not house.incidents(house.bot.output)
