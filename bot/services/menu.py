"""The menu of commands in a chat: those for two only for who is in a Pair, the one that ends a pause only in one.

It follows what its owner knows. That the other one has ended the Pair shows in it when that has been told, not before.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Final, NamedTuple

from bot.domain.model import NoticeKind, User
from bot.storage.store import Rows, Store

_BATCH: Final = 500


class Menu(NamedTuple):
    """What somebody's menu depends on."""

    paired: bool
    paused: bool


async def menu_of(rows: Rows, user: User) -> Menu:
    return Menu(await rows.pairs.looks_active_to(user.id), user.paused_at is not None)


def differs(rows: Rows, before: User, after: User) -> bool:
    """Whether the menu is another one after this transaction."""
    others = (before.language, before.paused_at is None) != (after.language, after.paused_at is None)
    return others or after.id in rows.pairs.seen_anew


async def renew(rows: Rows, user_ids: Collection[int], now: datetime) -> None:
    """Have Telegram told which commands these see from now on."""
    if not user_ids:
        return
    await rows.notices.cancel_all(NoticeKind.MENU, user_ids, now)
    await rows.notices.add([(user_id, NoticeKind.MENU, user_id, now) for user_id in user_ids], now)


async def renew_all(store: Store, now: datetime) -> None:
    """As `renew`, for everybody whose menu isn't the one that everybody else has: its texts are others."""
    last = 0
    while True:
        async with store.writing() as rows:
            user_ids = await rows.users.with_own_menu(last, _BATCH)
            await renew(rows, user_ids, now)
        if len(user_ids) < _BATCH:
            return
        last = user_ids[-1]
