"""The smallest possible bot, for tests of what runs a bot: it repeats what it hears."""

import asyncio
import os
import signal
from typing import Any

import aiohttp


async def main() -> None:
    print("pid", os.getpid())  # noqa: T201
    print(*sorted(name for name in os.environ if name.startswith("AJAR_")), flush=True)  # noqa: T201
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    async with aiohttp.ClientSession() as session:
        polling = asyncio.create_task(poll(session))
        await stopped.wait()
        polling.cancel()
    print("goodbye", flush=True)  # noqa: T201


async def poll(session: aiohttp.ClientSession) -> None:
    offset = 0
    while True:
        for update in await call(session, "getUpdates", timeout=20, offset=offset):
            offset = update["update_id"] + 1
            message = update["message"]
            if message["text"] == "/die":
                os._exit(3)
            await call(session, "sendMessage", chat_id=message["chat"]["id"], text=f"heard {message['text']}")


async def call(session: aiohttp.ClientSession, method: str, **params: Any) -> Any:
    url = f"{os.environ['AJAR_API_URL']}/bot{os.environ['AJAR_BOT_TOKEN']}/{method}"
    async with session.post(url, json=params) as answer:
        return (await answer.json())["result"]


if __name__ == "__main__":
    asyncio.run(main())
