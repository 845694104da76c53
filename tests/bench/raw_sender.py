"""Sends a question to many chats with aiohttp alone, as many at once as Ajar at a high pace: what it costs by itself.

python -m tests.bench.raw_sender TOKEN API_URL FIRST_CHAT COUNT [DATABASE]. With an SQLite file, what was sent is
committed there, message by message.
"""

import asyncio
import json
import sqlite3
import sys

import aiohttp
import uvloop

AT_ONCE = 96
TEXT = "What was the best part of today that nobody else noticed, and what made it so?"
BUTTONS = json.dumps(
    {"inline_keyboard": [[{"text": text, "callback_data": text}] for text in ("Another one", "Later", "Not today")]}
)


async def send(token: str, api_url: str, first: int, count: int, database: sqlite3.Connection | None) -> None:
    left = iter(range(first, first + count))

    async def one_after_the_other(session: aiohttp.ClientSession) -> None:
        for chat_id in left:
            form = {"chat_id": str(chat_id), "text": TEXT, "reply_markup": BUTTONS}
            async with session.post(f"{api_url}/bot{token}/sendMessage", data=form) as response:
                sent = await response.json()
            if database:
                database.execute("INSERT INTO sent VALUES (?, ?)", (chat_id, sent["result"]["message_id"]))
                database.commit()

    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(one_after_the_other(session) for _ in range(AT_ONCE)))


def open_database(file: str) -> sqlite3.Connection:
    database = sqlite3.connect(file)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE sent (chat_id INTEGER PRIMARY KEY, message_id INTEGER)")
    return database


if __name__ == "__main__":
    token, api_url, first, count, *file = sys.argv[1:]
    uvloop.run(send(token, api_url, int(first), int(count), open_database(file[0]) if file else None))
