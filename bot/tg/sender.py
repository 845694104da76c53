"""Sends screens, and says in our own terms what became of them."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Final, TypeVar

import structlog
from telegram import (
    Bot,
    BotCommandScopeChat,
    CopyTextButton,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    LinkPreviewOptions,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
    ReplyParameters,
)
from telegram.constants import ParseMode
from telegram.error import BadRequest, ChatMigrated, Forbidden, RetryAfter, TelegramError

from bot.delivery.courier import (
    BEFORE_THE_LAST,
    TRIES,
    Blocked,
    NotSent,
    RateLimited,
    Refused,
    Strange,
    Unclear,
    Unreachable,
)
from bot.delivery.pacer import Pacer
from bot.logs import Seldom
from bot.tg.network import MayHaveArrived, StrangeAnswer
from bot.tg.screens import Button, Screen

T = TypeVar("T")

_AWAY: Final = ("bot was blocked", "user is deactivated", "bot can't initiate conversation")
"""A 403 that says so is true until that person writes to us. Any other one may be over sooner."""
_NOT_FOUND: Final = ("chat not found", "peer_id_invalid")
"""A 400 that has been seen for people who had not blocked the bot, and who could be written to later."""
_SAME: Final = "message is not modified"
_STRANGE_TRIES: Final = 2
_WAITS: Final = (0.5, 1, 2, 5, 10, 30)
"""Seconds between tries of an answer."""

log = structlog.stdlib.get_logger(__name__)
seldom = Seldom(log)


class Sender:
    """Sending to one chat at a time. Every method raises a NotDelivered where it could not."""

    def __init__(self, bot: Bot, pacer: Pacer) -> None:
        self._bot = bot
        self._pacer = pacer
        self._before: dict[int, str] = {}
        """What went to a chat ahead of a screen that has not gone yet."""
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """From now on nothing is waited for any longer: what is still to be sent comes after the next start."""
        self._stopping.set()

    async def send(self, chat_id: int, screen: Screen, *, reply_to: int | None = None) -> int:
        """Send a screen as a new message, and before it what comes first. Its message id.

        Sent again after a failure, what came first does not come once more.
        """
        if screen.first is not None and self._before.get(chat_id) != screen.first:
            await self._free_keyboard(chat_id, screen.first)
            self._before[chat_id] = screen.first
        message_id = await self._send(chat_id, screen, reply_to)
        self._before.pop(chat_id, None)
        return message_id

    async def _send(self, chat_id: int, screen: Screen, reply_to: int | None) -> int:
        reply = ReplyParameters(reply_to, allow_sending_without_reply=True) if reply_to else None
        try:
            message = await _told(
                self._bot.send_message(
                    chat_id,
                    screen.text,
                    parse_mode=ParseMode.HTML,
                    reply_markup=_keyboard(screen),
                    reply_parameters=reply,
                    protect_content=screen.protected or None,
                    link_preview_options=LinkPreviewOptions(is_disabled=True),
                )
            )
        except (Blocked, Refused, Unreachable):
            self._pacer.note_success()  # Telegram has listened
            raise
        self._pacer.note_success()
        return message.message_id

    async def _free_keyboard(self, chat_id: int, text: str) -> None:
        """Send a text that takes away a keyboard which asked for the location."""
        await _told(
            self._bot.send_message(chat_id, text, parse_mode=ParseMode.HTML, reply_markup=ReplyKeyboardRemove())
        )

    async def edit(self, chat_id: int, message_id: int, screen: Screen) -> bool:
        """Show a screen in a message that is there. False where that message can't be edited any more."""
        try:
            await _told(
                self._bot.edit_message_text(
                    screen.text,
                    chat_id,
                    message_id,
                    parse_mode=ParseMode.HTML,
                    reply_markup=_inline(screen),
                    link_preview_options=LinkPreviewOptions(is_disabled=True),
                )
            )
        except Refused as refused:
            return _SAME in str(refused)
        self._pacer.note_success()
        return True

    async def strip(self, chat_id: int, message_id: int) -> None:
        """Take the buttons off a message, if it is still there."""
        try:
            await _told(self._bot.edit_message_reply_markup(chat_id, message_id))
        except Refused:
            log.debug("buttons.stay", message=message_id)

    async def toast(self, query_id: str, text: str | None = None) -> bool:
        """End the little clock on a button, with a short word or without. False where the tap was too long ago."""
        try:
            await _told(self._bot.answer_callback_query(query_id, text))
        except Refused:
            return False
        return True

    async def leave(self, chat_id: int) -> None:
        """Leave a group or a channel."""
        await _told(self._bot.leave_chat(chat_id))

    def registrations(
        self, commands: Sequence[tuple[str, str]], description: str, short_description: str, language: str | None
    ) -> tuple[Callable[[], Awaitable[bool]], ...]:
        """The calls that tell Telegram the bot's profile in one language."""
        return (
            lambda: _told(self._bot.set_my_commands(list(commands), language_code=language)),
            lambda: _told(self._bot.set_my_description(description, language)),
            lambda: _told(self._bot.set_my_short_description(short_description, language)),
        )

    async def menu(self, chat_id: int, commands: Sequence[tuple[str, str]] | None) -> None:
        """Show these commands in one chat's menu, whatever language its owner's Telegram is in; None: as everybody."""
        scope = BotCommandScopeChat(chat_id)
        if commands is None:
            await _told(self._bot.delete_my_commands(scope))
        else:
            await _told(self._bot.set_my_commands(list(commands), scope))

    def delivery_to(self, chat_id: int, *, patience: float | None = None) -> "Delivery":
        """An answer to this chat. `patience` are the seconds after which it is not waited for any longer, if ever."""
        return Delivery(self._pacer, self._stopping, chat_id, patience)


class TooSlow(Exception):
    """Sending would take longer than the caller has patience for."""

    def __init__(self, wait: timedelta, unclear: int = 0) -> None:
        super().__init__(f"{wait.total_seconds():g} s")
        self.wait = wait
        self.unclear = unclear
        """How often it may have arrived already."""


class Delivery:
    """An answer on its way to one chat, by one call or several."""

    def __init__(self, pacer: Pacer, stopping: asyncio.Event, chat_id: int, patience: float | None) -> None:
        self.chat_id = chat_id
        self.tap_acknowledged = False
        """Whether Telegram has been told that the tap was received; that can be done once."""
        self._pacer = pacer
        self._stopping = stopping
        self._until = None if patience is None else asyncio.get_running_loop().time() + patience

    def wait_without_limit(self) -> None:
        """From here on, wait however long it takes."""
        self._until = None

    async def retry(self, send: Callable[[], Awaitable[T]], *, copies: int | None = None) -> T | None:
        """Have it sent, however long it takes. None where it may have arrived as often as is bearable.

        `copies` says how often a message may arrive at the most, where a broken connection leaves open whether it did.
        What changes nothing when it is done again, like an edit or a toast, has no such bound; nor does it count for
        the rate: a tap would else push back what waits for its turn twice as far. After an answer that can't be
        understood each of them is done once more at the most. Raises Blocked, Refused and, after
        some tries, Unreachable; and TooSlow where patience would run out.
        """
        unclear = 0
        tries = 0
        while True:
            while wait := self._pacer.delay_for(self.chat_id):
                await self._wait(wait, unclear if copies else 0)
            if copies:
                self._pacer.count_sent()
            try:
                return await send()
            except RateLimited as limit:
                self._pacer.back_off(self.chat_id, limit.wait)
            except (NotSent, Unclear, Unreachable) as failure:
                if isinstance(failure, Unreachable) and (self.chat_id < 0 or tries + 1 >= TRIES):
                    raise  # at once for a group, whose numbers are negative: it is gone, and nobody waits there
                most = copies or _STRANGE_TRIES
                if isinstance(failure, Strange):
                    unclear = max(unclear + 1, most - 1)
                else:
                    unclear += bool(copies) and isinstance(failure, Unclear)
                if unclear >= most:
                    log.warning("answer.assumed", copies=copies)
                    return None
                pause = _WAITS[min(tries, len(_WAITS) - 1)]
                if copies and unclear == copies - 1:
                    pause = max(pause, BEFORE_THE_LAST.total_seconds())
                seldom.warning("answer.waits", seconds=pause)
                await self._wait(timedelta(seconds=pause), unclear if copies else 0)
            tries += 1

    async def _wait(self, wait: timedelta, unclear: int) -> None:
        if self._until is not None and asyncio.get_running_loop().time() + wait.total_seconds() > self._until:
            raise TooSlow(wait, unclear)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait.total_seconds()):
                await self._stopping.wait()
                if self._until is not None:
                    raise TooSlow(wait, unclear)
                raise asyncio.CancelledError  # its update stays unconfirmed, and comes again


async def _told(call: Awaitable[T]) -> T:
    """The result of a call, or what became of it in our terms."""
    try:
        return await call
    except RetryAfter as error:
        wait = error.retry_after
        raise RateLimited(wait if isinstance(wait, timedelta) else timedelta(seconds=wait)) from error
    except Forbidden as error:
        raise (Blocked if _says(error, _AWAY) else Unreachable)(type(error).__name__) from error
    except BadRequest as error:
        raise (Unreachable if _says(error, _NOT_FOUND) else Refused)(error.message.lower()) from error
    except ChatMigrated as error:  # a group that is a supergroup now: under its old number it is no more
        raise Refused(type(error).__name__) from error
    except MayHaveArrived as error:
        raise Unclear(type(error).__name__) from error
    except StrangeAnswer as error:
        raise Strange(type(error).__name__) from error
    except TelegramError as error:
        # not connected, 502 and the like, a passing 404: it was not taken
        raise NotSent(type(error).__name__) from error


def _says(error: TelegramError, reasons: Sequence[str]) -> bool:
    said = error.message.lower()
    return any(reason in said for reason in reasons)


def _inline(screen: Screen) -> InlineKeyboardMarkup | None:
    if not screen.rows:
        return None
    return InlineKeyboardMarkup([[_button(button) for button in row] for row in screen.rows])


def _button(button: Button) -> InlineKeyboardButton:
    if button.url:
        return InlineKeyboardButton(button.text, url=button.url)
    if button.copies:
        return InlineKeyboardButton(button.text, copy_text=CopyTextButton(button.copies))
    return InlineKeyboardButton(button.text, callback_data=button.tap.pack() if button.tap else "")


def _keyboard(screen: Screen) -> InlineKeyboardMarkup | ReplyKeyboardMarkup | None:
    if screen.wants_location:
        key = KeyboardButton(screen.wants_location, request_location=True)
        return ReplyKeyboardMarkup([[key]], resize_keyboard=True, one_time_keyboard=True)
    return _inline(screen)
