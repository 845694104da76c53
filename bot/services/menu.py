"""The menu of commands in a chat: only those that its user can do something with now.

Commands for two need a Pair, and /resume a pause; who only receives has no question to put off, and no recap. The menu
reflects what the user knows: if the partner has ended the Pair, the menu changes only once the user has been told.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Final, NamedTuple

from bot.domain.model import User
from bot.domain.notices import NoticeKind
from bot.storage.store import Rows, Store

_BATCH: Final = 500


class Menu(NamedTuple):
    """The facts that a user's menu depends on."""

    paired: bool
    paused: bool
    receives_only: bool


async def menu_of(rows: Rows, user: User) -> Menu:
    return Menu(await rows.pairs.looks_active_to(user.id), user.paused_at is not None, user.receives_only)


def changes_menu(rows: Rows, before: User, after: User) -> bool:
    """Return whether this transaction changes the menu."""
    return _own_facts(before) != _own_facts(after) or after.id in rows.pairs.seen_anew


def _own_facts(user: User) -> tuple[str, bool, bool]:
    return user.language, user.paused_at is None, user.receives_only


async def renew_menus(rows: Rows, user_ids: Collection[int], now: datetime) -> None:
    """Schedule an update of these users' menus at Telegram."""
    if user_ids:
        await rows.notices.replace(NoticeKind.MENU, user_ids, now)


async def renew_all_menus(store: Store, now: datetime) -> None:
    """Renew the menus of all users who don't have the default one, after the texts of the menus have changed."""
    last = 0
    while True:
        async with store.writing() as rows:
            user_ids = await rows.users.with_own_menu(last, _BATCH)
            await renew_menus(rows, user_ids, now)
        if len(user_ids) < _BATCH:
            return
        last = user_ids[-1]
