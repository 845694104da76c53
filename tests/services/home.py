"""What the homes of several tests share: real storage, a clock moved by hand, and people who do one thing at a time."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from bot.clock import HandClock
from bot.services.visit import Visit
from bot.storage.store import Store

T = TypeVar("T")


@dataclass
class BaseHome:
    """People and their acts, each in its own transaction."""

    store: Store
    clock: HandClock

    @property
    def now(self) -> datetime:
        return self.clock.now()

    async def do(self, user_id: int, step: Callable[[Visit], Awaitable[T]]) -> T:
        async with self.store.writing(user_id) as rows:
            user = await rows.users.find(user_id)
            assert user
            return await step(Visit(rows, user, self.now))
