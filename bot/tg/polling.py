"""The receive loop: long polling that confirms an update only once it is finished.

python-telegram-bot's own loop confirms updates before it handles them, so a kill in between loses what was fetched, and
a single 404 ends it for good. Here the requested offset is always that of the oldest unfinished update. Telegram then
sends what is in flight again, which is skipped.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, Final

import aiohttp
import structlog

from bot.health import Health
from bot.logs import Safe, ThrottledLog, safe_error
from bot.tg.application import ALLOWED_UPDATES
from bot.tg.calls import CONFLICT, MOST_ID, Refusal, TooDeep, call, is_whole
from bot.tg.ingress import Take
from bot.tg.network import Network

LIMIT: Final = 100
"""The maximum number of updates in flight, and also the most that Telegram hands out at once."""
_HOLD: Final = 25
"""Seconds that Telegram holds a poll open while there are no updates."""
_BREATH: Final = 0.02
"""Seconds to let updates in flight finish before polling again: while there are any, Telegram answers at once."""
_LONGEST_BREATH: Final = 0.2
"""The longest such pause, reached while polls bring nothing new, as when a single update waits for a long time."""
_WAITS: Final = (0.2, 1, 2, 5, 10)
_LOOK: Final = 0.2
"""How often we check whether there is room again, in seconds."""
_LOOSE: Final = 1000
"""The maximum number of updates that are confirmed before their answer is given."""

log = structlog.stdlib.get_logger(__name__)
throttled = ThrottledLog(log)


class Polling:
    """Fetches updates and passes them on until stopped."""

    def __init__(
        self,
        network: Network,
        base_url: str,
        take: Take,
        late: Callable[[int], bool] = lambda _: False,
        health: Health | None = None,
    ) -> None:
        """`late` says whether only an update's answer is missing, and has been for a long time.

        `base_url` is the API's address, including the token. Whether Telegram answers is reported to `health`.
        """
        self._network = network
        self._url = base_url
        self._health = health or Health()
        self._take = take
        self._late = late
        self._flying: dict[int, asyncio.Task[None]] = {}
        self._loose: set[asyncio.Task[None]] = set()
        self._finished: set[int] = set()
        self._landed = asyncio.Event()
        self._nothing_flies = asyncio.Event()
        self._breath = _BREATH
        self._at_once = LIMIT
        self._woken = asyncio.Event()
        self._troubles = 0
        self.opened = asyncio.Event()
        """Set once Telegram has answered for the first time, and so accepted the token."""

    def wake(self) -> None:
        """Poll again at once: if the monotonic clock was set back too, a wait would last until it has caught up."""
        self._woken.set()

    async def run(self) -> None:
        """Poll until cancelled; updates in flight continue, see `finish`."""
        while True:
            await self._room()
            offset = self._offset()
            try:
                batch = await self._fetch(offset, _HOLD, self._at_once)
            except TooDeep as error:
                await self._pass_over(error)
                continue
            except (aiohttp.ClientError, TimeoutError, ValueError) as error:  # whatever went wrong, we poll again
                await self._wait_out(error)
                continue
            self._health.well("telegram")
            if self._troubles:  # others report on Telegram as well: their trouble isn't over by that
                log.info("updates.reachable")
            self._troubles = 0
            self.opened.set()
            if offset is not None:
                self._finished = {update_id for update_id in self._finished if update_id >= offset}
            if not batch:
                self._at_once = LIMIT
            self._dispatch(batch)

    async def _pass_over(self, error: TooDeep) -> None:
        """Set aside an update that can't be read and would block all others; to find it, fetch them one by one."""
        if self._at_once > 1 or error.update_id is None or error.update_id in self._finished:
            self._at_once = 1
            await self._wait_out(error)
            return
        log.error("update.set_aside", update=error.update_id, error=safe_error(error))
        self._finished.add(error.update_id)
        self._at_once = LIMIT

    async def finish(self) -> None:
        """Wait until nothing is in flight, then confirm it all. What can't be confirmed arrives again and is known."""
        while under_way := {*self._flying.values(), *self._loose}:
            await asyncio.wait(under_way)
        if (offset := self._offset()) is not None:
            try:
                await self._fetch(offset, 0, limit=1)
            except (aiohttp.ClientError, TimeoutError, ValueError) as error:
                log.warning("updates.unconfirmed", error=safe_error(error))

    async def abandon(self) -> None:
        """Drop what is still in flight: it is unconfirmed and will arrive again."""
        if under_way := {*self._flying.values(), *self._loose}:
            for task in under_way:
                task.cancel()
            await asyncio.wait(under_way)

    def _offset(self) -> int | None:
        """Return the offset to poll from: the oldest unfinished update, else after the last finished one, else none.

        None matters after a quiet week, when ids start at a random number, possibly lower than before.
        """
        if self._flying:
            return min(self._flying)
        return max(self._finished) + 1 if self._finished else None

    async def _room(self) -> None:
        """Wait while too much is in flight, and briefly while anything is."""
        if self._flying:
            await _at_most(self._nothing_flies, self._breath)
        while len(self._flying) >= self._at_once:
            self._landed.clear()
            await _at_most(self._landed, _LOOK)
            self._loosen()

    def _loosen(self) -> None:
        """Confirm updates that only wait for their answer, since they keep everybody else's from arriving.

        Telegram hands out at most LIMIT updates starting at the oldest unfinished one.
        """
        for update_id in [each for each in self._flying if self._late(each)]:
            if len(self._loose) >= _LOOSE:
                return
            task = self._flying.pop(update_id)
            self._loose.add(task)
            task.add_done_callback(self._loose.discard)
            self._finished.add(update_id)

    def _dispatch(self, batch: list[Any]) -> None:
        known = self._flying.keys() | self._finished
        new = {raw["update_id"]: raw for raw in batch if _has_id(raw) and raw["update_id"] not in known}
        self._breath = _BREATH if new else min(2 * self._breath, _LONGEST_BREATH)
        if not new and len(batch) >= LIMIT:
            self._loosen()
        for update_id, raw in sorted(new.items()):
            self._nothing_flies.clear()
            self._flying[update_id] = asyncio.create_task(self._fly(update_id, raw), name=f"update {update_id}")

    async def _fly(self, update_id: int, raw: dict[str, Any]) -> None:
        try:
            await self._take(raw)
        finally:
            self._flying.pop(update_id, None)
            self._landed.set()
            if not self._flying:
                self._nothing_flies.set()
        self._finished.add(update_id)

    async def _fetch(self, offset: int | None, hold: int, limit: int = LIMIT) -> list[Any]:
        """Call getUpdates once. Raises aiohttp.ClientError, TimeoutError, or ValueError if it was refused."""
        asked = {"timeout": hold, "limit": limit, "allowed_updates": list(ALLOWED_UPDATES)}
        if offset is not None:
            asked["offset"] = offset
        timeout = aiohttp.ClientTimeout(total=hold + 15)
        batch = await call(self._network.session, self._url, "getUpdates", timeout, **asked)
        if not isinstance(batch, list) or (batch and not any(_has_id(raw) for raw in batch)):
            raise Refusal(200, "getUpdates gives no list of updates; is AJAR_API_URL right?", said=False)
        return batch

    async def _wait_out(self, error: Exception) -> None:
        wait = _WAITS[min(self._troubles, len(_WAITS) - 1)]
        self._troubles += 1
        if isinstance(error, Refusal):
            wait = max(wait, error.retry_after)
            throttled.warning(
                "updates.refused", code=error.code, reason=Safe(error.description), seconds=wait, **_advice(error)
            )
            self._health.ill("telegram", error.sentence)
        else:
            throttled.warning("updates.unreachable", error=safe_error(error), seconds=wait)
            self._health.ill("telegram", "Telegram does not answer")
        self._woken.clear()
        await _at_most(self._woken, wait)


def _advice(refusal: Refusal) -> dict[str, Safe]:
    """Return what an operator can do about the refusal."""
    if refusal.has_webhook:
        note = "Another process has set a webhook for this bot. Stop it, or start this one with: ajar run --take-over"
    elif refusal.code == CONFLICT:
        note = "Another process fetches this bot's updates with the same token. Stop one of the two."
    else:
        return {}
    return {"note": Safe(note)}


def _has_id(raw: object) -> bool:
    return isinstance(raw, dict) and is_whole(raw.get("update_id"), MOST_ID)


async def _at_most(event: asyncio.Event, seconds: float) -> None:
    """Wait for the event, up to `seconds`. Python 3.11's `wait_for` loses a cancellation that coincides with it."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
