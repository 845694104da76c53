"""Finds the handler for an update."""

from collections.abc import Callable
from typing import Final

from telegram.constants import ChatMemberStatus, MessageEntityType

from bot.domain.results import CommandStands, NothingKept, Outdated, Result, UnknownCommand
from bot.services.zones import Zones
from bot.tg.actions import NotOurs, unpack
from bot.tg.handlers import always
from bot.tg.handlers.lines import LinesHandlers
from bot.tg.handlers.receiving import ReceivingHandlers
from bot.tg.location_keyboard import awaits_location
from bot.tg.operator_chat import OperatorChat
from bot.tg.routes import Routes
from bot.tg.turn import Handling, Turn
from bot.tg.updates import Message, Update
from bot.tg.written import command_of

HERE: Final = {ChatMemberStatus.MEMBER, ChatMemberStatus.ADMINISTRATOR, ChatMemberStatus.RESTRICTED}
"""The states in which the bot belongs to a chat."""


class Dispatch:
    """Finds the handler for everything that somebody does in their private chat."""

    def __init__(
        self,
        routes: Routes,
        lines: LinesHandlers,
        receiving: ReceivingHandlers,
        zones: Zones,
        username: Callable[[], str],
        operator_chat: OperatorChat | None = None,
    ) -> None:
        """`username` returns the bot's username, which a command may be addressed to."""
        self._operator_chat = operator_chat
        self._routes = routes
        self._lines = lines
        self._receiving = receiving
        self._zones = zones
        self._username = username

    def find(self, update: Update) -> Handling | None:
        """Return how to handle this update; None if it has no effect."""
        if change := update.my_chat_member:
            known = always.unblocked if change in HERE else always.blocked
            return Handling(known, always=True)
        if update.message_reaction:
            return Handling(self._receiving.reacted, wakes=False)
        if update.callback_query:
            return self._tapped(update.callback_query.data)
        if update.edited_message and update.edited_message.text:
            return Handling(self._edited)
        return self._sent(update) if update.message else None

    def _tapped(self, data: str | None) -> Handling:
        try:
            tap = unpack(data)
            route = self._routes.taps[tap.action]
        except (NotOurs, KeyError):
            return Handling(_outdated)
        return Handling(lambda turn: route.handler(turn, tap), route.action.wakes, route.always)

    def _sent(self, update: Update) -> Handling | None:
        message = update.message
        if message is None:
            return None
        if message.text:
            if not self._is_for_us(message):
                return Handling(always.unknown)
            return self._written(message)
        if message.location:
            return Handling(self._location)
        if message.is_service:
            return None
        return Handling(self._lines.not_text)

    def _written(self, message: Message) -> Handling:
        command = command_of(message.text or "")
        if command and command.name == "ops" and self._operator_chat and self._operator_chat.is_at(message):
            # For everybody else this command is unknown.
            return Handling(self._operator_chat.ops, wakes=False, always=True)
        return Handling(self._text, always=command is not None and command.name in self._routes.always)

    def _is_for_us(self, message: Message) -> bool:
        """Return False for a command that is addressed to another bot."""
        first = message.entities[0] if message.entities else None
        if first is None or first.type != MessageEntityType.BOT_COMMAND or first.offset:
            return True
        _, _, whose = (message.text or "")[: first.length].partition("@")
        return not whose or whose.lower() == self._username().lower()

    async def _text(self, turn: Turn) -> Result:
        """Handle a text or a command, even one after an invisible character, which Telegram doesn't recognise."""
        return await (self._commanded if command_of(turn.text) else self._lines.text)(turn)

    async def _commanded(self, turn: Turn) -> Result:
        command = command_of(turn.text)
        result = await self._routes.commands.get(command.name if command else "", always.unknown)(turn)
        await turn.rows.dialogs.tried(turn.user_id, turn.message.message_id)  # so that editing it counts
        return result

    async def _edited(self, turn: Turn) -> Result:
        """Handle an edited message. A command counts again if it sets a value, or if we still wait for its answer."""
        command = command_of(turn.text)
        if command is None or turn.user is None:
            return await self._lines.edited(turn)
        if await self._lines.still_awaits(turn):
            return await self._commanded(turn)
        result = await self._lines.edited(turn)
        if not isinstance(result, NothingKept):
            return result
        if command.name in self._routes.setting:
            return await self._commanded(turn)
        return CommandStands(command.name) if command.name in self._routes.commands else UnknownCommand()

    async def _location(self, turn: Turn) -> Result:
        if await awaits_location(turn.rows, turn.user, turn.now):
            return await self._zones.located(turn.visit)
        return await self._lines.not_text(turn)


async def _outdated(_turn: Turn) -> Result:
    return Outdated()
