"""A real browser in front of a real stand-in, for the tests of the page. The tests play the bot themselves."""

import asyncio
import threading
from collections.abc import Coroutine
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx
from aiohttp import web
from playwright.sync_api import Locator, Page

from bot.clock import SystemClock
from bot.demo.server import create_app
from bot.demo.timefile import TimeFile
from bot.demo.world import BOT_ID, World

_T = TypeVar("_T")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Standin:
    """The stand-in, served from its own thread, and the Bot API as a bot would call it."""

    def __init__(self, folder: Path) -> None:
        self.next_due: datetime | None = None
        self.zones: dict[int, str] = {}
        self._planned: list[tuple[datetime, str]] = []
        self.port = 0
        self._time_file = TimeFile(folder / "clock")
        self._world = World(lambda: SystemClock().now() + timedelta(seconds=self._time_file.offset))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._runner: web.AppRunner | None = None
        self._http = httpx.Client(timeout=20)
        self._offset = 0
        self._people = 2000

    def __enter__(self) -> Self:
        self._thread.start()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(20)

    def start(self) -> None:
        """Start serving; after a stop, at the same address and with the same state."""
        self._run(self._start())

    async def _start(self) -> None:
        async def next_due() -> datetime | None:
            self._do_what_is_due()
            return self._planned[0][0] if self._planned else self.next_due

        async def zones() -> dict[int, str]:
            return self.zones

        app = create_app(self._world, time_file=self._time_file, next_due=next_due, zones=zones)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    def stop(self) -> None:
        if self._runner:
            self._run(self._runner.cleanup())
        self._runner = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def control(self, path: str, **body: Any) -> Any:
        answer = self._http.post(f"{self.address}/demo/{path}", json=body)
        assert answer.status_code == httpx.codes.OK, answer.text
        return answer.json()

    def plan(self, *planned: tuple[datetime, str]) -> None:
        """Let the bot write these texts to the newest pair's first person when their time has come; "" is none."""
        self._planned = list(planned)

    def _do_what_is_due(self) -> None:
        while self._planned and self._planned[0][0] <= self._world.now():
            _, text = self._planned.pop(0)
            if text:
                chat = self._world.phone(self._people - 1)
                self._world.add_message(chat, BOT_ID, {"text": text})

    def new_person(self, name: str, language: str = "en") -> int:
        self._people += 1
        self.control("phones", id=self._people, first_name=name, language_code=language)
        return self._people

    def bot(self, method: str, files: dict[str, Any] | None = None, **params: Any) -> Any:
        """Call the Bot API as the bot."""
        url = f"{self.address}/bot{self._world.token}/{method}"
        answer = self._http.post(url, data=params, files=files) if files else self._http.post(url, json=params)
        body = answer.json()
        assert body["ok"], body
        return body["result"]

    def update(self, kind: str) -> Any:
        """Wait for the next update of this kind and return it; others before it are skipped."""
        kinds = ["message", "edited_message", "callback_query", "my_chat_member", "message_reaction"]
        while True:
            updates = self.bot("getUpdates", offset=self._offset, limit=1, timeout=5, allowed_updates=kinds)
            assert updates, f"the bot heard of no {kind}"
            self._offset = updates[0]["update_id"] + 1
            if kind in updates[0]:
                return updates[0][kind]

    def now(self) -> datetime:
        return self._world.now()

    def be_afternoon(self) -> None:
        """Move the clock on to noon in UTC, unless it is early afternoon, so that no day ends during a test."""
        now = self.now()
        if not 12 <= now.hour < 17:
            noon = now.replace(hour=12, minute=0, second=0, microsecond=0)
            self.control("clock", advance=((noon - now) % timedelta(days=1)).total_seconds())


class Phone:
    """One phone of the page, as the person holding it sees it."""

    def __init__(self, page: Page, user_id: int) -> None:
        self.page = page
        self.user_id = user_id
        self.node = page.locator(f"#phone-{user_id}")
        self.field = self.node.locator("textarea").first
        self.toast = self.node.locator(".toasts")

    def button(self, name: str) -> Locator:
        return self.node.get_by_role("button", name=name, exact=True)

    def bubble(self, text: str) -> Locator:
        return self.node.locator(".bubble").filter(has_text=text).last

    def sheet(self, name: str) -> Locator:
        return self.node.get_by_role("dialog", name=name)

    def says(self, text: str) -> None:
        self.field.fill(text)
        self.field.press("Enter")

    def picks(self, *names: str) -> None:
        """Choose from the phone's own menu."""
        self.node.get_by_role("button", name="Menu of").click()
        for name in names:
            self.node.get_by_role("menuitem", name=name).click()

    def does(self, text: str, name: str) -> None:
        """Choose from the menu of the message with this text."""
        self.bubble(text).click(button="right", position={"x": 30, "y": 12})
        self.node.get_by_role("menuitem", name=name).or_(self.node.get_by_role("menuitemcheckbox", name=name)).click()
