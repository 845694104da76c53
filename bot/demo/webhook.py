"""Delivers updates to the bot's webhook: with the secret, in order per chat, chats in parallel, with retries."""

import asyncio
import json
import re
from collections import deque
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from bot.demo.errors import bad_request
from bot.demo.updates import REPLACED, Update, Updates

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the header's name
_SECRET = re.compile(r"[A-Za-z0-9_-]*")
MAX_SECRET = 256
MAX_CONNECTIONS = 100
PORTS = (443, 80, 88, 8443)
LOOPBACK = ("127.0.0.1", "localhost", "::1")
FIRST_RETRY = 1.0  # seconds; doubles at each retry
LONGEST_RETRY = 60.0
PATIENCE = aiohttp.ClientTimeout(total=60)


@dataclass(frozen=True)
class Hook:
    url: str
    secret: str
    max_connections: int


def checked_hook(url: str, secret: str, max_connections: int) -> Hook:
    """Refuse what the real server refuses, except that plain HTTP is allowed here on loopback."""
    parts = urlsplit(url)
    if parts.hostname not in LOOPBACK:
        if parts.scheme != "https":
            raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
        if (parts.port or PORTS[0]) not in PORTS:
            raise bad_request("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")
    if len(secret) > MAX_SECRET:
        raise bad_request("secret token is too long")
    if not _SECRET.fullmatch(secret):
        raise bad_request("secret token contains unallowed characters")
    return Hook(url, secret, max(1, min(max_connections, MAX_CONNECTIONS)))


class Webhook:
    """Owns the tasks that deliver updates. There is one lane per chat, so that a chat's updates stay in order."""

    def __init__(self, updates: Updates, *, first_retry: float = FIRST_RETRY) -> None:
        self._updates = updates
        self.first_retry = first_retry
        self._lanes: dict[int, deque[Update]] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._session: aiohttp.ClientSession | None = None
        self._free = asyncio.Semaphore(1)
        self.hook: Hook | None = None
        self.last_error: tuple[int, str] | None = None  # Unix time, text

    async def set(self, hook: Hook) -> None:
        await self.stop()
        self.hook = hook
        self._free = asyncio.Semaphore(hook.max_connections)
        self._session = aiohttp.ClientSession(timeout=PATIENCE)
        self._updates.stop_polling(REPLACED)
        self._updates.on_new = self._enqueue
        for waiting in list(self._updates.waiting.values()):
            self._enqueue(waiting.update)

    async def stop(self) -> None:
        """Remove the webhook; updates that it has not accepted stay queued."""
        self.hook = None
        self._updates.on_new = None
        self._lanes.clear()
        tasks, self._tasks = list(self._tasks.values()), {}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session:
            await self._session.close()
            self._session = None

    def info(self) -> dict[str, Any]:
        self._updates.forget_old()
        info: dict[str, Any] = {
            "url": self.hook.url if self.hook else "",
            "has_custom_certificate": False,
            "pending_update_count": len(self._updates.waiting),
        }
        if self.hook:
            info |= {"max_connections": self.hook.max_connections, "ip_address": "127.0.0.1"}
        if self.last_error:
            info |= {"last_error_date": self.last_error[0], "last_error_message": self.last_error[1]}
        if self._updates.allowed:
            info["allowed_updates"] = sorted(self._updates.allowed)
        return info

    def _enqueue(self, update: Update) -> None:
        lane = _lane(update)
        self._lanes.setdefault(lane, deque()).append(update)
        if lane not in self._tasks:
            self._tasks[lane] = asyncio.get_running_loop().create_task(self._deliver(lane))

    async def _deliver(self, lane: int) -> None:
        queue = self._lanes[lane]
        while queue:
            await self._deliver_one(queue[0])
            queue.popleft()
        del self._lanes[lane], self._tasks[lane]

    async def _deliver_one(self, update: Update) -> None:
        pause = self.first_retry
        while update["update_id"] in self._updates.waiting:
            async with self._free:
                error = await self._post(update)
            if error is None:
                self._updates.settle(update["update_id"])
                return
            self.last_error = (int(self._updates.now().timestamp()), error)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_RETRY)

    async def _post(self, update: Update) -> str | None:
        """Deliver an update. Returns what went wrong, in the words that getWebhookInfo uses."""
        if not self.hook or not self._session:
            return "Webhook was deleted"
        headers = {"Content-Type": "application/json"}
        if self.hook.secret:
            headers[SECRET_HEADER] = self.hook.secret
        body = json.dumps(update, ensure_ascii=False).encode()
        url = URL(self.hook.url, encoded=True)  # called exactly as given, quoted or not
        try:
            async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
                await answer.read()
                if answer.status // 100 == 2:  # noqa: PLR2004 - any success
                    return None
                return f"Wrong response from the webhook: {answer.status} {answer.reason}"
        except TimeoutError:
            return "Read timeout expired"
        except aiohttp.ClientConnectorError:
            return "Connection refused"
        except aiohttp.ClientError:
            return "Connection closed"


def _lane(update: Update) -> int:
    """Return the chat of an update; all updates without a readable chat share one lane."""
    for content in update.values():
        if isinstance(content, dict):
            holder = content.get("message", content)
            chat = holder.get("chat") if isinstance(holder, dict) else None
            if isinstance(chat, dict) and isinstance(chat.get("id"), int):
                return int(chat["id"])
    return 0
