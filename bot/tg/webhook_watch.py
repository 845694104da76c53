"""Looks every minute whether Telegram still delivers to our webhook, and says so when it doesn't.

It only says so. Whoever set another webhook, or took ours away to poll, may have meant it, and two processes that each
put theirs back would leave nobody with updates. A start with AJAR_WEBHOOK_URL sets it again.
"""

import asyncio
from typing import Final

import aiohttp
import structlog

from bot.health import Health
from bot.logs import Safe, safe_error
from bot.tg.calls import Refusal, WebhookInfo, call, host_of, webhook_of
from bot.tg.network import Network

LOOK_EVERY: Final = 60.0
"""Seconds."""

log = structlog.stdlib.get_logger(__name__)


class WebhookWatch:
    """Reports to `health` about "webhook" and "telegram"."""

    def __init__(self, network: Network, base_url: str, url: str, health: Health, every: float = LOOK_EVERY) -> None:
        self._network = network
        self._base_url = base_url
        self._url = url
        self._health = health
        self._every = every
        self._last_error_date = 0

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(self._every)
            await self.look()

    async def look(self) -> None:
        try:
            info = webhook_of(await call(self._network.session, self._base_url, "getWebhookInfo"))
        except Refusal as refusal:
            log.warning("telegram.refuses", code=refusal.code, reason=Safe(refusal.description))
            self._health.ill("telegram", refusal.sentence)
        except (aiohttp.ClientError, TimeoutError) as error:
            log.warning("telegram.unreachable", error=safe_error(error))
            self._health.ill("telegram", "Telegram does not answer")
        else:
            self._health.well("telegram")
            self._judge(info)

    def _judge(self, info: WebhookInfo) -> None:
        found = info.url
        if found != self._url:
            sentence = (
                f"Telegram delivers to another webhook, at {host_of(found)}, and not here"
                if found
                else "this bot's webhook is gone, so Telegram delivers nothing here"
            )
            note = Safe(
                "Does another process use this token? Stop it, and start this one again: that sets the webhook."
            )
            log.error("webhook.lost", reason=Safe(sentence), note=note)
            self._health.ill("webhook", sentence)
            return
        if info.failed_at > self._last_error_date:
            self._last_error_date = info.failed_at
            log.warning("webhook.failing", reason=Safe(info.failure), waiting=info.waiting)
            self._health.ill("webhook", f"Telegram could not deliver lately: {info.failure}")
        elif self._health.well("webhook"):
            log.info("webhook.back")
