"""Guess how a user writes days from their Telegram language and its region, or else the country of their zone."""

from bot.domain.date_order import day_leads
from bot.domain.days import Habits
from bot.domain.model import User
from bot.i18n import country_of


def habits_of(user: User) -> Habits:
    """Return the habits for the user's language and region.

    A language chosen in the bot overrides Telegram's, unless it is the same language: then Telegram's region counts.
    """
    tag = user.telegram_language or user.language
    if user.language_chosen and tag.partition("-")[0].lower() != user.language.partition("_")[0]:
        tag = user.language
    return Habits(user.language, day_leads(tag, country_of(user.zone) if user.zone else None))
