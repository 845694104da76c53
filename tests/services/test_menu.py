"""Users with a menu of their own get the new one, each once, when its texts have changed."""

from bot.clock import HandClock
from bot.domain.notices import NoticeKind
from bot.services.menu import menu_of, renew_all_menus
from bot.storage.store import Store
from tests.storage.people import ready

ALICE, BOB, CHARLIE, DORA, ERIN = range(1001, 1006)


async def test_paired_and_paused_users_get_menus(store: Store, clock: HandClock) -> None:
    now = clock.now()
    async with store.writing() as rows:
        people = [await ready(rows, user_id, now) for user_id in (ALICE, BOB, CHARLIE, DORA, ERIN)]
        await rows.pairs.make(ALICE, BOB, now)
        left = await rows.pairs.make(CHARLIE, DORA, now)
        assert left
        await rows.pairs.end(left, CHARLIE)
        erin = await rows.users.change(people[-1], paused_at=now)
        assert [await menu_of(rows, user) for user in (*people[:4], erin)] == [
            (True, False),
            (True, False),
            (False, False),
            (True, False),  # has not heard of the end yet
            (False, True),
        ]
    for _ in range(2):  # a second start registers it again, but not twice
        await renew_all_menus(store, now)
    async with store.writing() as rows:
        due = await rows.notices.claim(now, 100, 1)
    assert sorted(one.user_id for one in due) == [ALICE, BOB, DORA, ERIN]
    assert {one.kind for one in due} == {NoticeKind.MENU}
