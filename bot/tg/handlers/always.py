"""Handlers that work for everybody, in every state: help, support, /stop, and being blocked."""

from bot.domain.results import Cancelled, Help, Result, StopWanted, Support, UnknownCommand
from bot.services.profile import Profile
from bot.tg.turn import Turn


async def stop_waiting(turn: Turn) -> None:
    """Stop waiting for any text, as every command does."""
    await turn.rows.dialogs.forget(turn.user_id)


async def help_(turn: Turn) -> Result:
    await stop_waiting(turn)
    return Help(paired=turn.user is not None and await turn.rows.pairs.looks_active_to(turn.user_id))


async def support(turn: Turn) -> Result:
    await stop_waiting(turn)
    return Support()


async def stop(turn: Turn) -> Result:
    await stop_waiting(turn)
    return StopWanted(paired=turn.user is not None and await turn.rows.pairs.looks_active_to(turn.user_id))


async def cancel(turn: Turn) -> Result:
    return Cancelled(something=await turn.rows.dialogs.forget(turn.user_id))


async def unknown(turn: Turn) -> Result:
    await stop_waiting(turn)
    return UnknownCommand()


async def blocked(turn: Turn) -> Result:
    return await Profile().blocked(turn.rows, turn.user, turn.now)


async def unblocked(turn: Turn) -> Result:
    return await Profile().unblocked(turn.rows, turn.user, turn.now)
