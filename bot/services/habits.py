"""How a user writes days: by the language of their Telegram with its region, else by the country of their clock."""

from bot.domain.date_order import day_leads
from bot.domain.days import Habits
from bot.domain.model import User
from bot.i18n import country_of


def habits_of(user: User) -> Habits:
    """A language that was chosen here counts more than Telegram's, except for the region of the same language."""
    tag = user.telegram_language or user.language
    if user.language_chosen and tag.partition("-")[0].lower() != user.language.partition("_")[0]:
        tag = user.language
    return Habits(user.language, day_leads(tag, country_of(user.zone) if user.zone else None))
