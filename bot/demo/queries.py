"""Callback queries: taps that wait for their answer, but only for a short while."""

import asyncio
import random
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.demo.errors import bad_request

EXPIRY = timedelta(seconds=15)  # users of the real server report 10 to 20 s


@dataclass
class Query:
    query_id: str
    user_id: int
    message_id: int
    since: datetime
    answer: asyncio.Future[dict[str, Any] | None]


class Queries:
    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._open: OrderedDict[str, Query] = OrderedDict()

    def add(self, user_id: int, message_id: int) -> Query:
        self._forget_old()
        query_id = str(random.randint(10**17, 10**18))
        answer: asyncio.Future[dict[str, Any] | None] = asyncio.get_running_loop().create_future()
        query = self._open[query_id] = Query(query_id, user_id, message_id, self._now(), answer)
        return query

    def answer(self, query_id: str, answer: dict[str, Any]) -> Query:
        """Answer a query, which works only once and only in time."""
        self._forget_old()
        query = self._open.pop(query_id, None)
        if query is None:
            raise bad_request("query is too old and response timeout expired or query ID is invalid")
        query.answer.set_result(answer)
        return query

    async def wait(self, query: Query) -> dict[str, Any] | None:
        """Return the answer, or None if there is none in time."""
        try:
            return await asyncio.wait_for(asyncio.shield(query.answer), EXPIRY.total_seconds())
        except TimeoutError:
            return None

    def _forget_old(self) -> None:
        oldest = self._now() - EXPIRY
        while self._open and next(iter(self._open.values())).since < oldest:
            query = self._open.popitem(last=False)[1]
            query.answer.set_result(None)
