"""The receive loop: long polling that confirms updates once they are written down.

python-telegram-bot's own loop confirms updates while they are only in memory, so a kill loses them, and a single 404
ends it for good.
"""

import asyncio
import contextlib
from typing import Any, Final

import aiohttp
import structlog

from bot.health import Health
from bot.logs import Safe, ThrottledLog, safe_error
from bot.tg.calls import CONFLICT, MOST_ID, Refusal, TooDeep, call, is_whole
from bot.tg.client import ALLOWED_UPDATES
from bot.tg.inbox import Gate
from bot.tg.network import Network

LIMIT: Final = 100
"""The most updates that Telegram hands out at once."""
_HOLD: Final = 25
"""Seconds that Telegram holds a poll open while there are no updates."""
_WAITS: Final = (0.2, 1, 2, 5, 10)

log = structlog.stdlib.get_logger(__name__)
throttled = ThrottledLog(log)


class Polling:
    """Fetches updates and passes them on until stopped."""

    def __init__(self, network: Network, base_url: str, gate: Gate, health: Health | None = None) -> None:
        """`gate` leads to the inbox. `base_url` is the API's address, including the token.

        It reports to `health` whether Telegram answers.
        """
        self._network = network
        self._url = base_url
        self._health = health or Health()
        self._gate = gate
        self._offset: int | None = None
        self._at_once = LIMIT
        self._woken = asyncio.Event()
        self._troubles = 0
        self._polls = 0
        self._is_fetching = False
        self.opened = asyncio.Event()
        """Set once Telegram has answered for the first time, and so accepted the token."""

    def wake(self) -> None:
        """Poll again at once. If the monotonic clock was set back as well, a wait would last until it has caught up."""
        self._woken.set()

    async def run(self) -> None:
        """Poll until cancelled."""
        while True:
            self._is_fetching = False
            await self._gate.room()
            self._polls += 1
            self._is_fetching = True
            try:
                batch = await self._fetch(self._offset, _HOLD, self._at_once)
            except TooDeep as error:
                await self._pass_over(error)
                continue
            except (aiohttp.ClientError, TimeoutError, ValueError) as error:  # whatever went wrong, we poll again
                await self._wait_out(error)
                continue
            self._health.resolve("telegram")
            self._health.heard()
            if self._troubles:  # only our own trouble is over; others report on Telegram as well
                log.info("updates.reachable")
            self._troubles = 0
            self.opened.set()
            if not batch:
                self._at_once = LIMIT
            inbox = await self._gate.inbox()
            await inbox.take(batch)
            self._offset = _after(batch)

    async def fetched(self) -> int | None:
        """For the watchdog: how often we have polled; None between polls."""
        return self._polls if self._is_fetching else None

    async def _pass_over(self, error: TooDeep) -> None:
        """Skip an update that can't be parsed and would block all others. To find it, fetch them one by one."""
        if self._at_once > 1 or error.update_id is None or error.update_id == (self._offset or 0) - 1:
            self._at_once = 1
            await self._wait_out(error)
            return
        log.error("update.passed_over", update=error.update_id, error=safe_error(error))
        self._offset = error.update_id + 1
        self._at_once = LIMIT

    async def finish(self) -> None:
        """Confirm the updates that were written down. If that fails they arrive again, and are known."""
        if self._offset is not None:
            try:
                await self._fetch(self._offset, 0, limit=1)
            except (aiohttp.ClientError, TimeoutError, ValueError) as error:
                log.warning("updates.unconfirmed", error=safe_error(error))

    async def abandon(self) -> None:
        """Do nothing: updates that aren't written down aren't confirmed, and arrive again."""

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
        self._is_fetching = False
        if isinstance(error, Refusal):
            wait = max(wait, error.retry_after)
            throttled.warning(
                "updates.refused", code=error.code, reason=Safe(error.description), seconds=wait, **_advice(error)
            )
            self._health.report("telegram", error.sentence)
        else:
            throttled.warning("updates.unreachable", error=safe_error(error), seconds=wait)
            self._health.report("telegram", "Telegram does not answer")
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


def _after(batch: list[Any]) -> int | None:
    """Return the offset that confirms this batch; None if there is nothing to confirm.

    Without an offset Telegram begins with the oldest update. After a quiet week ids start at a random number, possibly
    lower than before, so we keep no offset longer than we need it.
    """
    return max((raw["update_id"] for raw in batch if _has_id(raw)), default=-1) + 1 or None


def _has_id(raw: object) -> bool:
    return isinstance(raw, dict) and is_whole(raw.get("update_id"), MOST_ID)


async def _at_most(event: asyncio.Event, seconds: float) -> None:
    """Wait for the event, up to `seconds`. Python 3.11's `wait_for` loses a cancellation that coincides with it."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
