"""Introduces the bot to Telegram: its webhook, and its commands and descriptions in every language."""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

import aiohttp
import structlog
from telegram.error import TelegramError

from bot.config import Config, WrongSettings
from bot.delivery.courier import NotDelivered
from bot.health import Health
from bot.i18n import BASE, languages, say_in
from bot.logs import Safe, ThrottledLog, incident, safe_error
from bot.services.menu import renew_all_menus
from bot.storage.store import Store
from bot.tg.calls import UNAUTHORIZED, Refusal, call, do, host_of, username_of, webhook_of
from bot.tg.client import ALLOWED_UPDATES, Client
from bot.tg.network import Network
from bot.tg.screens.always import all_commands, commands, description, short_description
from bot.tg.sender import Sender

_NOTE = "registered"
_NO_CHAT = 0
_TOKEN_TRIES: Final = 3
"""How many times in a row Telegram has to answer 401 before we believe that the token is wrong."""
_WAITS: Final = (1.0, 1.0, 2.0, 5.0)
"""Seconds between tries while Telegram doesn't accept a call."""
TOKEN_REFUSED: Final = "AJAR_BOT_TOKEN is refused by Telegram; copy it again from @BotFather (/mybots, API Token)"  # noqa: S105  # a sentence

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Profile:
    """The bot's commands and descriptions, as Telegram shows them in one language."""

    commands: tuple[tuple[str, str], ...]
    description: str
    short_description: str


class Introduction:
    """Finds out who we are, and how updates arrive: by our webhook, or by polling without a webhook in the way."""

    def __init__(
        self, client: Client, network: Network, config: Config, health: Health, *, max_connections: int
    ) -> None:
        self._client = client
        self._network = network
        self._config = config
        self._health = health
        self._base_url = api_base(config)
        self._max_connections = max_connections

    async def learn(self) -> None:
        """Find out our username, however long Telegram is unreachable. Raises WrongSettings if it refuses the token."""
        await self._until_answered(self._learn_name)

    async def make_way(self, *, take_over: bool) -> None:
        """Arrange for updates to come to us, however long Telegram is unreachable. One process does it for all.

        `take_over` allows a polling bot to remove a webhook that it finds. Raises WrongSettings if Telegram refuses the
        token, or if a webhook is in the way.
        """
        if self._config.webhook_url:
            await self._until_answered(self.set_webhook)
        else:
            await self._until_answered(lambda: self._clear_way(take_over=take_over))

    async def _until_answered(self, step: Callable[[], Awaitable[None]]) -> None:
        """Repeat a step until Telegram accepts it. Once a minute, log what we are waiting for."""
        throttled = ThrottledLog(log)
        tries = unauthorized = 0
        while True:
            wait = _WAITS[min(tries, len(_WAITS) - 1)]
            tries += 1
            try:
                await step()
            except Refusal as refusal:
                unauthorized = unauthorized + 1 if refusal.code == UNAUTHORIZED else 0
                if unauthorized >= _TOKEN_TRIES:
                    raise WrongSettings([TOKEN_REFUSED]) from None
                wait = max(wait, refusal.retry_after)
                throttled.warning("telegram.refuses", reason=Safe(refusal.sentence), seconds=wait)
                self._health.report("telegram", refusal.sentence)
            except (aiohttp.ClientError, TimeoutError, TelegramError) as error:
                throttled.warning("telegram.unreachable", error=safe_error(error), seconds=wait)
                self._health.report("telegram", "Telegram does not answer")
            else:
                self._health.resolve("telegram")
                return
            await asyncio.sleep(wait)

    async def _learn_name(self) -> None:
        username_of(await self._call("getMe"))
        await self._client.initialize()  # calls getMe again, and remembers the answer

    async def set_webhook(self) -> None:
        """Set our webhook. Raises like `call`."""
        secret = self._config.webhook_secret
        await self._do(
            "setWebhook",
            url=self._config.webhook_url,
            secret_token=secret.get_secret_value() if secret else "",
            allowed_updates=list(ALLOWED_UPDATES),
            max_connections=self._max_connections,
        )

    async def _clear_way(self, *, take_over: bool) -> None:
        url = webhook_of(await self._call("getWebhookInfo")).url
        if not url:
            return
        if not take_over:
            raise WrongSettings([webhook_in_the_way(url)])
        await self._do("deleteWebhook")  # Telegram keeps waiting updates
        log.warning("webhook.removed", host=host_of(url))

    async def _do(self, method: str, **params: Any) -> None:
        await do(self._network.session, self._base_url, method, **params)

    async def _call(self, method: str, **params: Any) -> Any:
        return await call(self._network.session, self._base_url, method, **params)


def api_base(config: Config) -> str:
    """Return the API's address for calls. It contains the token, so never log it."""
    token = config.bot_token.get_secret_value() if config.bot_token else ""
    return f"{config.api_url}/bot{token}"


def webhook_in_the_way(url: str) -> str:
    """Return the message for a polling bot that finds a webhook. It names only the host, as paths may be secret."""
    return (
        f"Telegram delivers this bot's updates to a webhook at {host_of(url)}, so none can be fetched. If "
        "another Ajar runs there, stop it first. To remove the webhook and fetch updates here: ajar run --take-over. "
        "To use a webhook here, set AJAR_WEBHOOK_URL."
    )


async def register(sender: Sender, bot_id: int, store: Store, now: datetime) -> None:
    """Register the bot's profile if it has changed since the last time. After a failure, the next start retries.

    Afterwards the outbox renews the menus of users who don't have the default one.
    """
    profiles = {language: _profile(language) for language in languages()}
    digest = _digest(bot_id, profiles)
    async with store.reading() as rows:
        if await rows.note(_NOTE) == digest:
            return
    try:
        for language, profile in profiles.items():
            code = None if language == BASE else language  # the one without a code is for all other languages
            for call in sender.registrations(profile.commands, profile.description, profile.short_description, code):
                if not await sender.persist(_NO_CHAT, call):
                    return  # an answer we can't understand, which is logged already
    except NotDelivered as error:
        incident(log, error)
        return
    await renew_all_menus(store, now)
    async with store.writing() as rows:
        await rows.take_note(_NOTE, digest)
    log.info("telegram.registered", languages=len(profiles))


def _profile(language: str) -> Profile:
    say = say_in(language)
    return Profile(commands(say), description(say), short_description(say))


def _digest(bot_id: int, profiles: dict[str, Profile]) -> str:
    says = {language: say_in(language) for language in profiles}
    own = {language: (all_commands(say), commands(say, receives_only=True)) for language, say in says.items()}
    facts = [bot_id, {language: asdict(profile) for language, profile in profiles.items()}, own]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
