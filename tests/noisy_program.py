# ruff: noqa: G004, PLE1205 - the wrong ways to log are the point
"""Pushes a private sentence and secrets through every way in which something can reach a log. Run by test_logs.

The arguments are the format (text or json) and the level.
"""

import asyncio
import contextlib
import gc
import json
import logging
import sys
import threading
import warnings
from urllib.parse import quote

import aiosqlite
import httpx
import sqlalchemy
import structlog
from telegram.error import BadRequest
from telegram.request import BaseRequest

from bot import logs

PRIVATE = "I am afraid of being left alone"
UNKNOWN_TOKEN = "987654321:ZZH-" + "y" * 32
SECRETS = {
    "token": "123456789:AAF-" + "q" * 32,
    "webhook": "hook-secret_0",
    "key": "1:b0TDv3uCqZJmWm7uQ1l1cJp3b8m9o1n0a2s4d6f8g0E=,2:c1TDv3uCqZJ/Wm7uQ1l1cJp3b8m9o1+0a2s4d6f8g0E=",
    "password": "p@ss/w\\ord ü\"'",
}
LATER = "a1TDv3uCqZJmWm7uQ1l1cJp3b8m9o1n0a2s4d6f8g0E="
log = structlog.stdlib.get_logger("bot.child")
third = logging.getLogger("telegram.ext.Application")


def say(*words: str) -> None:
    sys.stdout.write(" ".join(words) + "\n")


class Private:
    def __repr__(self) -> str:
        return PRIVATE


class PrivateWarning(UserWarning):
    pass


def private_error() -> Exception:
    try:
        try:
            raise BadRequest(PRIVATE)
        except BadRequest as first:
            error = ValueError(PRIVATE)
            error.add_note(PRIVATE)
            raise error from first
    except ValueError as second:
        return second


def our_loggers() -> None:
    for name, secret in [*SECRETS.items(), ("unknown", UNKNOWN_TOKEN)]:
        log.warning(f"event {name} {secret} {quote(secret)} {quote(quote(secret, safe=''))}")
        log.warning("value", secret=logs.Safe(secret), some=[logs.Safe(secret), logs.Safe(json.dumps(secret))])
        log.warning("url", url=f"https://api.telegram.org/bot{quote(secret, safe='')}/sendMessage")
        log.warning("argument %s %s", logs.Safe(secret), 5)
        logging.getLogger("bot.plain").warning("plain %s", logs.Safe(secret))
        logging.getLogger("bot.plain").warning("named %(secret)s", {"secret": logs.Safe(f"({secret})")})
    log.warning(
        "a value of ours", line=PRIVATE, one=Private(), many=[PRIVATE, {PRIVATE: PRIVATE}], error=private_error()
    )
    log.warning("an argument of ours %s %s", PRIVATE, Private())
    logging.getLogger("bot.plain").warning("plain of ours %s %s", PRIVATE, private_error())
    logging.getLogger("bot.plain").error(private_error())
    logging.getLogger("bot.plain").error(Private())
    structlog.contextvars.bind_contextvars(line=PRIVATE)
    log.warning("with a context", level="mine", event_="x")
    structlog.contextvars.clear_contextvars()
    log.warning("forged\nline \x1b[31m", value=logs.Safe("a\nb"))
    log.warning("a broken client", value=logs.Safe("\ud83d"))
    log.debug("debug of ours")


def their_loggers() -> None:
    third.warning("their argument %s after %d tries, %.1f s, %5s%%", PRIVATE, 3, 0.5, PRIVATE)
    third.warning("their name %(text)s %(count)d", {"text": PRIVATE, "count": 4})
    third.warning(f"their sentence '{PRIVATE}'")
    third.warning(f"their sentence: {PRIVATE}")
    third.warning(f"their second line\n{PRIVATE}")
    third.error(private_error())
    third.error("their error", exc_info=private_error(), extra={"line": PRIVATE}, stack_info=True)
    third.warning("their token %s", SECRETS["token"])
    with contextlib.suppress(Exception):
        BaseRequest.parse_json_payload(f'{{"text": "{PRIVATE}'.encode())
    for name in ("httpx", "httpcore", "sqlalchemy.engine", "aiosqlite", "someone.else"):
        logging.getLogger(name).setLevel(logging.DEBUG)
        logging.getLogger(name).debug(PRIVATE)
        logging.getLogger(name).info(PRIVATE)
    with httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200))) as client:
        client.post(f"https://api.telegram.org/bot{SECRETS['token']}/sendMessage", json={"text": PRIVATE})


def exceptions() -> None:
    for error in (
        private_error(),
        ExceptionGroup(PRIVATE, [private_error(), private_error()]),
        SyntaxError(PRIVATE, (PRIVATE, 1, 1, PRIVATE)),
        FileNotFoundError(2, PRIVATE, PRIVATE),
        KeyError(PRIVATE),
        SystemExit(PRIVATE),
    ):
        say("INCIDENT", logs.incident(log, error, user=7, line=PRIVATE))
    try:
        raise private_error()
    except ValueError:
        log.exception("ours, with its exception")
        logging.getLogger("bot.plain").exception("plain, with its exception")
        third.exception("theirs, with its exception")
    engine = sqlalchemy.create_engine("sqlite://")
    try:
        with engine.connect() as connection:
            connection.execute(sqlalchemy.text("SELECT :line FROM nowhere"), {"line": PRIVATE})
    except sqlalchemy.exc.OperationalError as error:
        say("INCIDENT", logs.incident(log, error))
    engine.dispose()


def other_ways() -> None:
    warnings.simplefilter("always")
    warnings.warn(PRIVATE, stacklevel=1)
    warnings.warn(PRIVATE, PrivateWarning, stacklevel=1)
    warnings.warn(f"coroutine '{PRIVATE}' was never awaited", RuntimeWarning, stacklevel=1)
    logging.getLogger("bot.plain").warning("%d", PRIVATE)
    logging.getLogger("bot.plain").warning("%s", PRIVATE, PRIVATE)
    third.warning("%d %d", PRIVATE)

    def fail() -> None:
        raise private_error()

    thread = threading.Thread(target=fail, name=PRIVATE)
    thread.start()
    thread.join()

    class Dying:
        def __repr__(self) -> str:
            return PRIVATE

        def __del__(self) -> None:
            raise private_error()

    Dying()
    gc.collect()


async def in_a_loop() -> None:
    loop = asyncio.get_running_loop()
    logs.install_hooks(loop)

    async def fail() -> None:
        raise private_error()

    task = loop.create_task(fail(), name=PRIVATE)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    del task
    gc.collect()

    def call(text: str) -> None:
        raise ValueError(text)

    loop.call_soon(call, PRIVATE)
    await asyncio.sleep(0)
    loop.call_exception_handler({"message": f"odd: {PRIVATE}", "handle": Private(), "task": asyncio.current_task()})
    fail()  # type: ignore[unused-coroutine]
    gc.collect()
    async with aiosqlite.connect(":memory:") as database:
        with contextlib.suppress(aiosqlite.OperationalError):
            await database.execute("SELECT ? FROM nowhere", (PRIVATE,))


async def without_hooks() -> None:
    """Python's own handler puts the exception's message into the sentence."""
    asyncio.get_running_loop().call_exception_handler({"message": "unhooked", "exception": private_error()})
    asyncio.get_running_loop().call_exception_handler({"message": "unhooked", "future": Private()})


if __name__ == "__main__":
    logs.setup(sys.argv[2], sys.argv[1], SECRETS.values())
    logs.hide([LATER])
    log.warning(f"known later {LATER}")
    our_loggers()
    their_loggers()
    exceptions()
    other_ways()
    asyncio.run(without_hooks())
    asyncio.run(in_a_loop())
    log.info("the end")
    raise private_error()
