"""Users with a menu of their own get the new one, each once, when its texts have changed."""

from bot.clock import HandClock
from bot.domain.notices import NoticeKind
from bot.services.menu import menu_of, renew_all_menus
from bot.storage.store import Store
from tests.storage.people import ready

ALICE, BOB, CHARLIE, DORA, ERIN, FRANK = range(1001, 1007)


async def test_users_with_a_menu_of_their_own_get_it_anew(store: Store, clock: HandClock) -> None:
    now = clock.now()
    async with store.writing() as rows:
        people = [await ready(rows, user_id, now) for user_id in (ALICE, BOB, CHARLIE, DORA, ERIN, FRANK)]
        await rows.pairs.make(ALICE, BOB, now)
        left = await rows.pairs.make(CHARLIE, DORA, now)
        assert left
        await rows.pairs.end(left, CHARLIE)
        erin = await rows.users.change(people[-2], paused_at=now)
        frank = await rows.users.change(people[-1], receives_only=True)
        assert [await menu_of(rows, user) for user in (*people[:4], erin, frank)] == [
            (True, False, False),
            (True, False, False),
            (False, False, False),
            (True, False, False),  # has not heard of the end yet
            (False, True, False),
            (False, False, True),
        ]
    for _ in range(2):  # a second start registers it again, but not twice
        await renew_all_menus(store, now)
    async with store.writing() as rows:
        due = await rows.notices.claim(now, 100, 1)
    assert sorted(one.user_id for one in due) == [ALICE, BOB, DORA, ERIN, FRANK]
    assert {one.kind for one in due} == {NoticeKind.MENU}
