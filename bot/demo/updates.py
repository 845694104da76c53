"""The bot's updates: kept until confirmed, and handed out through a long poll or sent to the webhook."""

import asyncio
import random
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from bot.demo.errors import Refused, strict

Update = dict[str, Any]

KEPT = timedelta(hours=24)
QUIET = timedelta(days=7)  # after this long without updates, the next id is random
FAR_AHEAD = 10  # an offset further ahead of the newest id than this is ignored and confirms nothing
MAX_LIMIT = 100
MAX_TIMEOUT = 50  # seconds; the public server cuts longer polls to this
OFF_BY_DEFAULT = frozenset({"message_reaction", "message_reaction_count", "chat_member"})
KINDS = OFF_BY_DEFAULT | {
    "message",
    "edited_message",
    "channel_post",
    "edited_channel_post",
    "callback_query",
    "my_chat_member",
    "inline_query",
    "chosen_inline_result",
    "shipping_query",
    "pre_checkout_query",
    "poll",
    "poll_answer",
    "chat_join_request",
    "chat_boost",
    "removed_chat_boost",
    "business_connection",
    "business_message",
    "edited_business_message",
    "deleted_business_messages",
    "purchased_paid_media",
    "guest_message",
    "managed_bot",
    "stopped_message_generation",
    "subscription",
}
CONFLICT = Refused(
    409, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
)
REPLACED = Refused(409, "Conflict: terminated by setWebhook request")
CLOSING = Refused(500, "Internal Server Error: restart")


@dataclass
class Waiting:
    """An update that the bot has not confirmed yet."""

    update: Update
    since: datetime


class Updates:
    """The queue of one bot. Ids rise by one; a raw update can have any id of its own."""

    def __init__(self, now: Callable[[], datetime], changed: Callable[[], None]) -> None:
        self.now = now
        self._changed = changed
        self.waiting: OrderedDict[int, Waiting] = OrderedDict()
        self.allowed: frozenset[str] = frozenset()  # empty: all except those that are off by default
        self.last_id = random.randint(100_000_000, 900_000_000)
        self.last_at: datetime | None = None
        self.last_confirmed: list[Update] = []
        self.on_new: Callable[[Update], None] | None = None  # the webhook, if there is one
        self.asked = 0  # how many times the bot started to receive: polls, and webhooks set
        self._poll: asyncio.Future[Refused | None] | None = None

    def begin(self) -> None:
        self.asked += 1
        self._changed()

    def wants(self, kind: str) -> bool:
        return kind in self.allowed if self.allowed else kind not in OFF_BY_DEFAULT

    def allow(self, kinds: list[str]) -> None:
        """Choose the kinds of future updates. An empty list restores the default."""
        for kind in kinds:
            if kind not in KINDS:
                raise strict(f'there are no updates called "{kind}"')
        self.allowed = frozenset(kinds)

    def add(self, kind: str, content: dict[str, Any]) -> None:
        if self.wants(kind):
            self.add_raw({kind: content})

    def add_raw(self, update: Update) -> int:
        """Queue an update as it is, well-formed or not. Returns its id."""
        now = self.now()
        if "update_id" not in update:
            self.last_id = self._next_id(now)
            update = {"update_id": self.last_id, **update}
        update_id = int(update["update_id"])
        late = bool(self.waiting) and update_id < next(reversed(self.waiting))
        self.waiting[update_id] = Waiting(update, now)
        self.last_id, self.last_at = max(self.last_id, update_id), now
        if late:  # the real queue is sorted by id
            self.waiting = OrderedDict(sorted(self.waiting.items()))
        self._wake(None)
        self._changed()
        if self.on_new:
            self.on_new(update)
        return update_id

    def _next_id(self, now: datetime) -> int:
        if self.last_at and now - self.last_at > QUIET:
            return random.randint(100_000_000, 900_000_000)
        return self.last_id + 1

    def forget_old(self) -> None:
        oldest = self.now() - KEPT
        while self.waiting and next(iter(self.waiting.values())).since < oldest:
            self.waiting.popitem(last=False)

    def confirm(self, offset: int) -> None:
        """Confirm everything before the offset. A negative offset counts from the end of the queue."""
        if offset < 0:
            offset = list(self.waiting)[max(offset, -len(self.waiting))] if self.waiting else 0
        if offset > self.last_id + FAR_AHEAD:
            return
        confirmed = []
        while self.waiting and next(iter(self.waiting)) < offset:
            confirmed.append(self.waiting.popitem(last=False)[1].update)
        if confirmed:
            self.last_confirmed = confirmed
            self._changed()

    def settle(self, update_id: int) -> None:
        """Remove an update that the webhook has accepted."""
        done = self.waiting.pop(update_id, None)
        if done:
            self.last_confirmed = [done.update]
            self._changed()

    def drop_all(self) -> None:
        self.waiting.clear()

    async def poll(self, offset: int, limit: int, seconds: float) -> list[Update]:
        """Return the updates that are waiting, or hold for up to `seconds`. A second poll ends the first with a 409."""
        self._wake(CONFLICT)
        self.forget_old()
        self.confirm(offset)
        loop = asyncio.get_running_loop()
        until = loop.time() + min(seconds, MAX_TIMEOUT)
        while not self.waiting and (left := until - loop.time()) > 0:
            mine = self._poll = loop.create_future()
            try:
                why = await asyncio.wait_for(mine, left)
            except TimeoutError:
                break
            finally:
                if self._poll is mine:
                    self._poll = None
            if why:
                raise Refused(why.code, why.description)
        return self.batch(limit)

    def batch(self, limit: int) -> list[Update]:
        limit = limit if 1 <= limit <= MAX_LIMIT else MAX_LIMIT
        return [waiting.update for waiting in islice(self.waiting.values(), limit)]

    def stop_polling(self, why: Refused) -> None:
        self._wake(why)

    def _wake(self, why: Refused | None) -> None:
        if self._poll and not self._poll.done():
            self._poll.set_result(why)
