"""python-telegram-bot's application, and which handler takes which update."""

from collections.abc import Callable, Coroutine
from typing import Any, Final

from telegram import Update
from telegram.constants import ChatMemberStatus
from telegram.ext import (
    Application,
    ApplicationBuilder,
    BaseHandler,
    CallbackQueryHandler,
    ChatMemberHandler,
    CommandHandler,
    ContextTypes,
    ExtBot,
    MessageHandler,
    MessageReactionHandler,
    filters,
)

from bot.domain.results import CommandStands, NothingKept, Outdated, Result, UnknownCommand
from bot.services.zones import Zones
from bot.tg.actions import NotOurs, unpack
from bot.tg.answers import Answers
from bot.tg.handlers import always
from bot.tg.handlers.lines import LinesHandlers
from bot.tg.handlers.receiving import ReceivingHandlers
from bot.tg.location_keyboard import awaits_location
from bot.tg.network import Network
from bot.tg.routes import Routes
from bot.tg.screens.always import private_only
from bot.tg.turn import Handler, Turn, UpdateProcessor
from bot.tg.written import command_of

App = Application[Any, Any, Any, Any, Any, Any]
Callback = Callable[[Update, ContextTypes.DEFAULT_TYPE], Coroutine[Any, Any, None]]

ALLOWED_UPDATES: Final = (
    "message",
    "edited_message",
    "channel_post",
    "callback_query",
    "my_chat_member",
    "message_reaction",
)

_NEW: Final = filters.UpdateType.MESSAGE & filters.ChatType.PRIVATE
_EDITED: Final = filters.UpdateType.EDITED_MESSAGE & filters.ChatType.PRIVATE
_HERE: Final = {ChatMemberStatus.MEMBER, ChatMemberStatus.ADMINISTRATOR, ChatMemberStatus.RESTRICTED}


def make_application(token: str, api_url: str, network: Network) -> App:
    """Make an application without an updater: `bot.tg.ingress` feeds it."""
    bot = ExtBot(
        token,
        base_url=f"{api_url}/bot",
        base_file_url=f"{api_url}/file/bot",
        request=network,
        get_updates_request=network,  # unused, but without it one is created, TLS setup included
    )
    return ApplicationBuilder().bot(bot).updater(None).job_queue(None).build()


class Dispatch:
    """Passes each update to the route or handler that takes it."""

    def __init__(
        self,
        processor: UpdateProcessor,
        answers: Answers,
        routes: Routes,
        lines: LinesHandlers,
        receiving: ReceivingHandlers,
        zones: Zones,
    ) -> None:
        self._processor = processor
        self._answers = answers
        self._routes = routes
        self._lines = lines
        self._receiving = receiving
        self._zones = zones

    def add_to(self, application: App) -> None:
        handlers: list[BaseHandler[Any, Any, Any]] = [
            ChatMemberHandler(self._membership, ChatMemberHandler.MY_CHAT_MEMBER),
            MessageReactionHandler(
                self._reaction, message_reaction_types=MessageReactionHandler.MESSAGE_REACTION_UPDATED
            ),
            MessageHandler(~filters.ChatType.PRIVATE, self._leave),
            *(CommandHandler(name, self._on(self._commanded), filters=_NEW) for name in self._routes.commands),
            MessageHandler(_NEW & filters.COMMAND, self._on(always.unknown)),
            MessageHandler(_NEW & filters.TEXT, self._on(self._text)),
            MessageHandler(_NEW & filters.LOCATION, self._on(self._location)),
            MessageHandler(_NEW & ~filters.StatusUpdate.ALL, self._on(self._lines.not_text)),
            MessageHandler(_EDITED & filters.TEXT, self._on(self._edited)),
            CallbackQueryHandler(self._tap),
        ]
        application.add_handlers(handlers)

    def _on(self, handler: Handler) -> Callback:
        async def callback(update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
            await self._processor.process(update, handler)

        return callback

    async def _tap(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        if _elsewhere(update):
            await self._answers.acknowledge_tap(update)
            return
        try:
            action, tap = unpack(update.callback_query.data if update.callback_query else None)
            handler = self._routes.taps[action.name]
        except (NotOurs, KeyError):
            await self._processor.process(update, _outdated)
        else:
            await self._processor.process(update, lambda turn: handler(turn, tap), wakes=action.wakes)

    async def _text(self, turn: Turn) -> Result:
        """Handle a text, or a command that Telegram doesn't recognise because an invisible mark precedes it."""
        return await (self._commanded if command_of(turn.text) else self._lines.text)(turn)

    async def _commanded(self, turn: Turn) -> Result:
        command = command_of(turn.text)
        result = await self._routes.commands.get(command.name if command else "", always.unknown)(turn)
        await turn.rows.dialogs.tried(turn.user_id, turn.message.message_id)  # so that it can be edited
        return result

    async def _edited(self, turn: Turn) -> Result:
        """Read an edited command again while what it asked for is still awaited, and always if it sets a value."""
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

    async def _reaction(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        if not _elsewhere(update):
            await self._processor.process(update, self._receiving.reacted, wakes=False)

    async def _location(self, turn: Turn) -> Result:
        if await awaits_location(turn.rows, turn.user, turn.now):
            return await self._zones.located(turn.visit)
        return await self._lines.not_text(turn)

    async def _membership(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        change = update.my_chat_member
        if change is None:
            return
        here = change.new_chat_member.status in _HERE
        if change.chat.type == change.chat.PRIVATE:
            await self._processor.process(update, always.unblocked if here else always.blocked)
        elif here:
            await self._leave(update, context)

    async def _leave(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        """Leave a group or a channel: say once that the bot is for private chats, and store nothing."""
        await self._answers.leave(update, private_only)


def _elsewhere(update: Update) -> bool:
    """Return whether the update comes from a group or channel, where others would read the answer."""
    chat = update.effective_chat
    return chat is not None and chat.type != chat.PRIVATE


async def _outdated(_turn: Turn) -> Result:
    return Outdated()
