"""Introduces the bot to Telegram: its webhook, and its commands and descriptions in every language we have."""

import asyncio
import hashlib
import json
from dataclasses import asdict, dataclass

import structlog
from telegram.error import InvalidToken, TelegramError

from bot.config import Settings, WrongSettings
from bot.delivery.courier import NotDelivered
from bot.i18n import BASE, languages, say_in
from bot.logs import incident, safe_error
from bot.storage.store import Store
from bot.tg.application import ALLOWED_UPDATES, App
from bot.tg.post import Post
from bot.tg.screens.always import commands, description, short_description

_NOTE = "registered"
_NO_CHAT = 0
_TOKEN_TRIES = 3

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Profile:
    """What Telegram shows of the bot in one language."""

    commands: tuple[tuple[str, str], ...]
    description: str
    short_description: str


async def introduce(application: App, settings: Settings, *, max_connections: int) -> None:
    """Learn who we are (getMe); tell Telegram of the webhook. Raises WrongSettings for a token that it refuses."""
    refused = 0
    while True:
        try:
            await application.initialize()
            if url := settings.webhook_url:
                secret = settings.webhook_secret
                await application.bot.set_webhook(
                    url,
                    secret_token=secret.get_secret_value() if secret else None,
                    allowed_updates=list(ALLOWED_UPDATES),
                    max_connections=max_connections,
                )
        except InvalidToken:
            refused += 1
            if refused >= _TOKEN_TRIES:
                raise WrongSettings(
                    ["AJAR_BOT_TOKEN is refused by Telegram; copy it again from @BotFather (/mybots, API Token)"]
                ) from None
        except TelegramError as error:
            log.warning("telegram.unreachable", error=safe_error(error))
        else:
            return
        await asyncio.sleep(1)


async def register(post: Post, bot_id: int, store: Store) -> None:
    """Register the bot's profile, if it differs from the last one. The next start tries again what failed."""
    profiles = {language: _profile(language) for language in languages()}
    digest = _digest(bot_id, profiles)
    async with store.reading() as rows:
        if await rows.note(_NOTE) == digest:
            return
    try:
        for language, profile in profiles.items():
            code = None if language == BASE else language  # a language that we don't have gets the one without a code
            for call in post.registrations(profile.commands, profile.description, profile.short_description, code):
                await post.errand(_NO_CHAT).insist(call)
    except NotDelivered as error:
        incident(log, error)
        return
    async with store.writing() as rows:
        await rows.take_note(_NOTE, digest)
    log.info("telegram.registered", languages=len(profiles))


def _profile(language: str) -> Profile:
    say = say_in(language)
    return Profile(commands(say), description(say), short_description(say))


def _digest(bot_id: int, profiles: dict[str, Profile]) -> str:
    facts = [bot_id, {language: asdict(profile) for language, profile in profiles.items()}]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
