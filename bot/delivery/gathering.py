"""Decides about several Notices in one transaction: a transaction for each costs more than deciding about it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

from bot.domain.notices import Notice
from bot.storage.store import Rows, Store

T = TypeVar("T")


class Gathering(Generic[T]):
    """While one transaction runs, the Notices whose turn comes gather for the next."""

    def __init__(self, store: Store, decide: Callable[[Rows, Sequence[Notice]], Awaitable[Sequence[T]]]) -> None:
        """`decide` returns what it decides about each of these Notices, which are for different users."""
        self._store = store
        self._decide = decide
        self._turn = asyncio.Lock()
        self._gathered = _Batch[T]()

    async def together(self, notice: Notice) -> T:
        """Decide about a Notice together with others.

        If they can't be decided about together, it is decided about alone, so that this concerns only whoever is the
        reason. Raises the errors of a failed commit.
        """
        batch = self._gathered
        batch.notices.append(notice)
        async with self._turn:
            if batch is self._gathered:
                self._gathered = _Batch()
                await self._decide_about(batch)
        if batch.failed:
            raise batch.failed
        return batch.decided[notice.id] if batch.decided else await self.alone(notice)

    async def alone(self, notice: Notice) -> T:
        """Decide about a Notice in a transaction of its own."""
        async with self._store.writing(notice.user_id) as rows:
            (decided,) = await self._decide(rows, [notice])
        return decided

    async def _decide_about(self, batch: "_Batch[T]") -> None:
        decided: Sequence[T] = ()
        try:
            async with self._store.writing(*[notice.user_id for notice in batch.notices], wait=False) as rows:
                decided = await self._decide(rows, batch.notices)
        except Exception as error:  # noqa: BLE001  # whatever it is, whoever it is about finds it again
            batch.failed = error if decided else None  # a commit that has failed may have happened all the same
        except BaseException as error:
            batch.failed = error
            raise
        else:
            batch.decided = {notice.id: each for notice, each in zip(batch.notices, decided, strict=True)}


class _Batch(Generic[T]):
    """Notices about which one transaction decides."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []
        self.decided: Mapping[int, T] = {}
        self.failed: BaseException | None = None
