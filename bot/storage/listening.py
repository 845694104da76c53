"""Messages between processes through PostgreSQL's LISTEN and NOTIFY, which save waiting for the next poll.

Nothing depends on them: a process that hears nothing, because its connection is lost, polls every second anyway.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import structlog
from sqlalchemy import NullPool, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from bot.logs import ThrottledLog, safe_error
from bot.storage.engine import CREATOR, KEEPALIVES, direct

_CHANNEL: Final = "ajar"
_LOOK: Final = 15.0
"""How often we check that the connection is still there, in seconds."""
_PATIENCE: Final = 10.0
_AGAIN: Final = 1.0

throttled = ThrottledLog(structlog.stdlib.get_logger(__name__))


async def announce(connection: AsyncConnection, what: str) -> None:
    """Notify all processes once the transaction is committed. `what` never contains personal data."""
    if connection.dialect.name == "postgresql":
        await connection.execute(select(func.pg_notify(_CHANNEL, what)))


class Listener:
    """Calls `hear` with what any process announces."""

    def __init__(self, url: str, hear: Callable[[str], None]) -> None:
        self._url = direct(url)
        self._hear = hear

    async def run(self) -> None:
        """Listen until cancelled, on a dedicated connection, reconnecting whenever it is lost."""
        engine = create_async_engine(
            self._url,
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            connect_args={"server_settings": KEEPALIVES, "command_timeout": _PATIENCE, **CREATOR},
        )
        try:
            while True:
                try:
                    async with engine.connect() as connection:
                        await self._listen(connection)
                except Exception as error:  # noqa: BLE001  # a database that is coming back can fail in any way
                    throttled.warning("listening.lost", error=safe_error(error))
                await asyncio.sleep(_AGAIN)
        finally:
            await engine.dispose()

    async def _listen(self, connection: AsyncConnection) -> None:
        """Listen until the connection is lost, which raises an error or returns."""
        lost = asyncio.Event()
        driver: Any = (await connection.get_raw_connection()).driver_connection
        driver.add_termination_listener(lambda _: lost.set())
        await driver.add_listener(_CHANNEL, lambda _c, _pid, _channel, said: self._hear(said))
        while not lost.is_set():
            try:
                async with asyncio.timeout(_LOOK):
                    await lost.wait()
            except TimeoutError:
                await connection.execute(text("SELECT 1"))
