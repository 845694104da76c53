"""Several bots on one PostgreSQL, in the test's own process: each has its own claims, connections and beat."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import insert, text

from bot.app import Bot, _hear, build, open_network
from bot.clock import SystemClock
from bot.config import Config
from bot.fence import Fence
from bot.presence import Presence, Role
from bot.storage.listening import Listener
from bot.storage.schema import asks, users
from bot.storage.store import Store
from tests.bench.seeds import _ask, _user, ring
from tests.standin import Person, Telegram

RING_EVERY = 0.5
"""Seconds between looks at what is due, instead of the alarms, of which a process can have only one."""


@dataclass
class Several:
    """The bots that run."""

    telegram: Telegram
    bots: list[Bot] = field(default_factory=list)
    _next: int = 1000

    async def settled(self, *people: Person, due: bool = False) -> None:
        """Let these people have done the start, with an open question, or one that is due now."""
        await _settle(self.telegram, self.bots[0].store, people, due=due)

    def says(self, user_id: int, words: str) -> dict[str, Any]:
        """Return the next update: somebody has sent this."""
        self._next += 1
        person = {"id": user_id, "is_bot": False, "first_name": "P", "language_code": "en"}
        chat = {"id": user_id, "type": "private", "first_name": "P"}
        date = int(self.telegram.now.timestamp())
        message = {"message_id": self._next, "date": date, "chat": chat, "from": person, "text": words}
        return {"update_id": self._next, "message": message}

    async def finish(self) -> None:
        """Wait until nothing is unhandled or unsaid, as the rows say."""
        store = self.bots[0].store
        async with asyncio.timeout(30):
            while True:
                async with store.reading() as rows:
                    if not await rows._connection.scalar(text("SELECT count(*) FROM inbox WHERE lane IS NOT NULL")):
                        return
                await asyncio.sleep(0.05)


@asynccontextmanager
async def several(telegram: Telegram, url: str, folder: Path, *roles: Role) -> AsyncIterator[Several]:
    """Run a bot for each of these roles."""
    async with AsyncExitStack() as stack:
        house = Several(telegram)
        for role in roles:
            house.bots.append(await _start(stack, telegram, url, folder, role))
        yield house


async def seed_asked(telegram: Telegram, url: str, people: Sequence[Person]) -> None:
    """Let these people have done the start, with an open question, in the database of bots in their own processes."""
    store = Store.at(url, ring())
    try:
        await _settle(telegram, store, people, due=False)
    finally:
        await store.close()


async def _settle(telegram: Telegram, store: Store, people: Sequence[Person], *, due: bool) -> None:
    now = SystemClock().now()
    for person in people:
        telegram.world.person(person.id).started = True
    async with store.writing() as rows:
        await rows._connection.execute(insert(users), [_user(person.id, due, 0.5, now) for person in people])
        if not due:
            await rows._connection.execute(insert(asks), [_ask(person.id, now) for person in people])


async def _start(stack: AsyncExitStack, telegram: Telegram, url: str, folder: Path, role: Role) -> Bot:
    config = Config(bot_token=telegram.token, api_url=telegram.url, data_dir=folder, database=url)  # type: ignore[arg-type]
    store, fence = Store.at(url, ring()), Fence(until=0)
    stack.push_async_callback(store.close)
    network = open_network(config, fence)
    await network.initialize()
    stack.push_async_callback(network.shutdown)
    bot = build(config, store, network, presence=Presence(store, SystemClock(), fence, role))
    stack.push_async_callback(bot.places.close)
    await bot.client.initialize()
    await bot.presence.join()
    tasks = [bot.presence.keep(), Listener(url, lambda said: _hear(bot, said)).run(), bot.inbox.watch()]
    if role.works:
        tasks += [bot.outbox.run(), _ring(bot)]
    for work in tasks:
        task = asyncio.create_task(work)
        stack.push_async_callback(_cancel, task)
    return bot


async def _ring(bot: Bot) -> None:
    while True:
        bot.outbox.ring()
        await asyncio.sleep(RING_EVERY)


async def _cancel(task: asyncio.Task[Any]) -> None:
    task.cancel()
    await asyncio.wait({task})
