"""Checks every minute whether Telegram still delivers to our webhook, and logs when it doesn't.

If no webhook is set any longer, we set ours again, as otherwise nobody would get updates. If a different one is set, we
only log that: it may be intended, and two processes that each restored their own would take turns forever. Starting
with AJAR_WEBHOOK_URL sets ours.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import aiohttp
import structlog

from bot.health import Health
from bot.logs import Safe, safe_error
from bot.metrics import WEBHOOK_LAST_ERROR, WEBHOOK_PENDING
from bot.tg.calls import Refusal, WebhookInfo, call, host_of, webhook_of
from bot.tg.network import Network

LOOK_EVERY: Final = 60.0
"""How often we check, in seconds."""

log = structlog.stdlib.get_logger(__name__)


class WebhookWatch:
    """Reports to `health` about "webhook" and "telegram"."""

    def __init__(
        self,
        network: Network,
        base_url: str,
        url: str,
        health: Health,
        set_again: Callable[[], Awaitable[None]],
        every: float = LOOK_EVERY,
    ) -> None:
        self._network = network
        self._base_url = base_url
        self._url = url
        self._health = health
        self._set_again = set_again
        self._every = every
        self._last_error_date = 0

    async def run(self) -> None:
        """Check until cancelled."""
        while True:
            await asyncio.sleep(self._every)
            await self.look()

    async def look(self) -> None:
        try:
            info = webhook_of(await call(self._network.session, self._base_url, "getWebhookInfo"))
            WEBHOOK_PENDING.set(info.waiting)
            WEBHOOK_LAST_ERROR.set(info.failed_at)
            self._judge(info)
            if not info.url:
                await self._set_again()
                self._health.resolve("webhook")
                log.warning("webhook.set_again")
        except Refusal as refusal:
            log.warning("telegram.refuses", code=refusal.code, reason=Safe(refusal.description))
            self._health.report("telegram", refusal.sentence)
        except (aiohttp.ClientError, TimeoutError) as error:
            log.warning("telegram.unreachable", error=safe_error(error))
            self._health.report("telegram", "Telegram does not answer")
        else:
            self._health.resolve("telegram")

    def _judge(self, info: WebhookInfo) -> None:
        if info.url != self._url:
            self._lost(info.url)
        elif info.failed_at > self._last_error_date:
            self._last_error_date = info.failed_at
            log.warning("webhook.failing", reason=Safe(info.failure), waiting=info.waiting)
            self._health.report("webhook", f"Telegram could not deliver lately: {info.failure}")
        else:
            self._health.heard()
            if self._health.resolve("webhook"):
                log.info("webhook.back")

    def _lost(self, found: str) -> None:
        if found:
            sentence = f"Telegram delivers to another webhook, at {host_of(found)}, and not here"
            note = "Does another process use this token? Stop it, and start this one again: that sets the webhook."
        else:
            sentence = "this bot's webhook is gone, so Telegram delivers nothing here"
            note = (
                "Does another process use this token, and take updates by polling? Stop it. The webhook is set again."
            )
        log.error("webhook.lost", reason=Safe(sentence), note=Safe(note))
        self._health.report("webhook", sentence)
