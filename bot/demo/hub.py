"""Tells open pages what changed. Changes to one phone within a moment are sent as one."""

import asyncio
from collections.abc import Callable
from typing import Any

PAUSE = 0.03  # how long changes are collected, in seconds
MAX_BEHIND = 1_000  # events; a page that is further behind is disconnected and reconnects on its own

Event = tuple[str, Any]
Page = asyncio.Queue[Event | None]


class Hub:
    def __init__(self) -> None:
        self._pages: set[Page] = set()
        self._changed: set[int] = set()
        self._timer: asyncio.TimerHandle | None = None
        self.view: Callable[[int], Any] | None = None  # how a phone looks, by chat id; None if it isn't a phone
        self.watchers: list[Callable[[], None]] = []  # called immediately on each change, in this process

    def touched(self) -> None:
        """Report that something worth saving has changed."""
        for watcher in self.watchers:
            watcher()

    def changed(self, chat_id: int) -> None:
        self.touched()
        if self._pages:
            self._changed.add(chat_id)
            self._timer = self._timer or asyncio.get_running_loop().call_later(PAUSE, self._flush)

    def tell(self, event: str, data: Any) -> None:
        for page in list(self._pages):
            if page.qsize() < MAX_BEHIND:
                page.put_nowait((event, data))
            else:
                self._pages.discard(page)
                page.put_nowait(None)

    def join(self) -> Page:
        """Return a queue of events from now on; None marks its end."""
        page: Page = asyncio.Queue()
        self._pages.add(page)
        return page

    def leave(self, page: Page) -> None:
        self._pages.discard(page)

    def close(self) -> None:
        if self._timer:
            self._timer.cancel()
        for page in self._pages:
            page.put_nowait(None)
        self._pages.clear()

    def _flush(self) -> None:
        self._timer = None
        changed, self._changed = self._changed, set()
        for chat_id in changed:
            if self.view and (view := self.view(chat_id)):
                self.tell("phone", view)
