"""Sends screens, and reports the outcome in our own terms."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

import structlog
from telegram import BotCommandScopeChat
from telegram.constants import ChatAction, ParseMode
from telegram.error import TelegramError

from bot.delivery.courier import (
    Blocked,
    NotDelivered,
    NotSent,
    RateLimited,
    Refused,
    Strange,
    Unclear,
    Unreachable,
)
from bot.delivery.pacer import Pacer
from bot.logs import Safe, ThrottledLog, safe_error
from bot.pictures import NotDrawn, Pictures
from bot.tg import location_keyboard
from bot.tg.client import Client, not_delivered
from bot.tg.screens import Button, Screen

T = TypeVar("T")

_SAME: Final = "message is not modified"
_WAITS: Final = (0.5, 1, 2, 5, 10, 30)
"""Seconds between tries of a call that isn't in the outbox."""
_MANY: Final = 100
_DELETED_AT_ONCE: Final = 100
"""How many messages one call can delete. Source: deleteMessages in the Bot API."""

_NO_PREVIEW: Final = {"is_disabled": True}
_FREE: Final = 30
"""Messages a second that Telegram sends for nothing. It sends more only if they say that they may be charged for, for a
tenth of a Star each: https://core.telegram.org/bots/api#sendmessage, allow_paid_broadcast"""
_FREE_ADVICE: Final = Safe(
    "Telegram has refused a message that may be charged for, and got it again as one that costs nothing. If it refuses "
    "all of them, set AJAR_RATE to 28, or turn paid broadcasts on at @BotFather."
)

log = structlog.stdlib.get_logger(__name__)
throttled = ThrottledLog(log)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file sent from memory: a photo, which the chat shows, or a document, which is downloaded."""

    kind: Literal["photo", "document"]
    name: str
    content: bytes

    def __repr__(self) -> str:
        return f"<{self.kind}, {len(self.content)} bytes>"


class Sender:
    """Sends to one chat at a time. A method that fails raises a NotDelivered, unless it says otherwise."""

    def __init__(self, client: Client, pacer: Pacer, pictures: Pictures | None = None) -> None:
        self._client = client
        self._pictures = pictures or Pictures()
        self._pacer = pacer
        self._may_be_charged = pacer.rate > _FREE
        self._before: dict[int, tuple[str, int]] = {}
        """By chat: the `first` text that was sent before a screen that hasn't been sent yet."""

    async def send(self, chat_id: int, screen: Screen, *, reply_to: int | None = None) -> int:
        """Send a screen as a new message, preceded by `screen.first`. Return its message id."""
        return (await self.send_all(chat_id, screen, reply_to=reply_to))[-1]

    async def send_all(self, chat_id: int, screen: Screen, *, reply_to: int | None = None) -> list[int]:
        """Send a screen like `send`. Return the ids of all its messages; the last one shows the screen.

        If the screen is sent again after a failure, `screen.first` is not repeated.
        """
        before = self._before.get(chat_id)
        if screen.first is not None and (before is None or before[0] != screen.first):
            before = self._before[chat_id] = screen.first, await self._free_keyboard(chat_id, screen.first)
        message_id = await self._attached(chat_id, screen) or await self._send(chat_id, screen, reply_to)
        self._before.pop(chat_id, None)
        return [before[1], message_id] if before else [message_id]

    async def _attached(self, chat_id: int, screen: Screen) -> int | None:
        """Send a screen with its file or picture. None if it has neither."""
        if screen.file is None:
            return await self._with_picture(chat_id, screen)
        content = await asyncio.to_thread(screen.file.content)
        return await self.attach(chat_id, Attachment("document", screen.file.name, content), screen)

    async def _with_picture(self, chat_id: int, screen: Screen) -> int | None:
        """Send a screen below its picture. None if it has none or we can't draw it; the text says the same."""
        if screen.picture is None:
            return None
        try:
            png = await self._pictures.draw(screen.picture)
        except NotDrawn as error:
            throttled.error("picture.not_drawn", error=safe_error(error))
            return None
        return await self.attach(chat_id, Attachment("photo", "weeks.png", png), screen)

    async def attach(self, chat_id: int, attachment: Attachment, screen: Screen) -> int:
        """Send a file with the screen as its caption, of up to 1,024 characters. Return its message id."""
        return await self._call_noting(
            self._client.upload(
                attachment.kind,
                attachment.name,
                attachment.content,
                chat_id=chat_id,
                caption=screen.text or None,
                parse_mode=ParseMode.HTML,
                reply_markup=_inline(screen),
                protect_content=screen.protected or None,
                disable_notification=screen.silent or None,
                has_spoiler=screen.veiled or None,
            )
        )

    async def _send(self, chat_id: int, screen: Screen, reply_to: int | None) -> int:
        """Send a text. If Telegram refuses it as one that may cost something, send it as one that costs nothing."""
        if self._may_be_charged:
            try:
                return await self._send_text(chat_id, screen, reply_to, may_be_charged=True)
            except Refused as refused:
                throttled.warning("message.free", error=safe_error(refused), note=_FREE_ADVICE)
        return await self._send_text(chat_id, screen, reply_to)

    async def _send_text(
        self, chat_id: int, screen: Screen, reply_to: int | None, *, may_be_charged: bool = False
    ) -> int:
        reply = {"message_id": reply_to, "allow_sending_without_reply": True} if reply_to else None
        sent = await self._call_noting(
            self._client.call(
                "sendMessage",
                chat_id=chat_id,
                text=screen.text,
                parse_mode=ParseMode.HTML,
                reply_markup=_keyboard(screen),
                reply_parameters=reply,
                protect_content=screen.protected or None,
                disable_notification=screen.silent or None,
                link_preview_options=_NO_PREVIEW,
                allow_paid_broadcast=may_be_charged or None,
            )
        )
        return int(sent["message_id"])

    async def _call_noting(self, call: Awaitable[T]) -> T:
        """Make a call that sends a message, and tell the pacer that Telegram responds."""
        try:
            sent = await call
        except (Blocked, Refused, Unreachable):
            self._pacer.note_success()  # Telegram has refused, but it responds
            raise
        self._pacer.note_success()
        return sent

    async def _free_keyboard(self, chat_id: int, text: str) -> int:
        """Send a text that removes the location keyboard. Return its message id."""
        sent = await self._client.call(
            "sendMessage",
            chat_id=chat_id,
            text=text,
            parse_mode=ParseMode.HTML,
            reply_markup={"remove_keyboard": True},
            link_preview_options=_NO_PREVIEW,
        )
        return int(sent["message_id"])

    async def edit(self, chat_id: int, message_id: int, screen: Screen) -> bool:
        """Show a screen in an existing message. Return False if that message can no longer be edited.

        An edit that may have arrived counts as not sent, since repeating it does no harm.
        """
        try:
            await self._client.call(
                "editMessageText",
                chat_id=chat_id,
                message_id=message_id,
                text=screen.text,
                parse_mode=ParseMode.HTML,
                reply_markup=_inline(screen),
                link_preview_options=_NO_PREVIEW,
            )
        except Refused as refused:
            return _SAME in str(refused)
        except Strange:
            raise
        except Unclear as unclear:
            raise NotSent from unclear
        self._pacer.note_success()
        return True

    async def strip(self, chat_id: int, message_id: int) -> None:
        """Remove the buttons from a message, if it still exists."""
        try:
            await _call(self._client.edit_message_reply_markup(chat_id, message_id))
        except Refused:
            log.debug("buttons.not_removed", message=message_id)

    async def try_strip(self, chat_id: int, message_id: int) -> None:
        """Remove buttons that are no longer valid. If that fails they stay, and a tap finds them outdated."""
        try:
            await self.strip(chat_id, message_id)
        except NotDelivered as error:
            log.info("buttons.not_removed", message=message_id, error=type(error).__name__)

    async def delete(self, chat_id: int, message_ids: Sequence[int]) -> None:
        """Delete messages for everybody. Telegram only lets a bot delete those sent less than 48 hours ago."""
        for start in range(0, len(message_ids), _DELETED_AT_ONCE):
            batch = message_ids[start : start + _DELETED_AT_ONCE]
            try:
                await _call(self._client.delete_messages(chat_id, batch))
            except Refused:  # one that can't be deleted stops the whole call
                for message_id in batch:
                    await self._delete(chat_id, message_id)

    async def _delete(self, chat_id: int, message_id: int) -> None:
        try:
            await _call(self._client.delete_message(chat_id, message_id))
        except Refused:
            log.debug("message.not_deleted", message=message_id)

    async def toast(self, query_id: str, text: str | None = None) -> bool:
        """Stop the spinner on a button, with or without a short text. Return False if the tap was too long ago."""
        try:
            await self._client.call("answerCallbackQuery", callback_query_id=query_id, text=text)
        except Refused:
            return False
        return True

    async def stop_spinner(self, query_id: str) -> None:
        """Stop the spinner on a tapped button that gets no answer, or a late one. If that fails, Telegram ends it."""
        try:
            await self.toast(query_id)
        except NotDelivered as error:
            log.info("spinner.not_stopped", error=type(error).__name__)

    async def leave(self, chat_id: int) -> None:
        """Leave a group or a channel."""
        await _call(self._client.leave_chat(chat_id))

    def registrations(
        self, commands: Sequence[tuple[str, str]], description: str, short_description: str, language: str | None
    ) -> tuple[Callable[[], Awaitable[bool]], ...]:
        """Return the calls that register the bot's profile in one language."""
        return (
            lambda: _call(self._client.set_my_commands(list(commands), language_code=language)),
            lambda: _call(self._client.set_my_description(description, language)),
            lambda: _call(self._client.set_my_short_description(short_description, language)),
        )

    async def menu(self, chat_id: int, commands: Sequence[tuple[str, str]] | None) -> None:
        """Show these commands in one chat's menu, whatever the language of its Telegram; None for the default menu."""
        scope = BotCommandScopeChat(chat_id)
        if commands is None:
            await _call(self._client.delete_my_commands(scope))
        else:
            await _call(self._client.set_my_commands(list(commands), scope))

    async def uploading(self, chat_id: int) -> None:
        """Show above the chat, for some seconds, that a file is being sent."""
        with contextlib.suppress(NotDelivered):
            await _call(self._client.send_chat_action(chat_id, ChatAction.UPLOAD_DOCUMENT))

    async def persist(self, chat_id: int, call: Callable[[], Awaitable[T]], *, most: int = _MANY) -> T | None:
        """Repeat a call that isn't in the outbox until Telegram takes or refuses it. None if its answers make no sense.

        Raises Blocked, Refused, Unreachable, and NotSent if it hasn't succeeded after `most` tries.
        """
        for tries in range(most):
            while wait := self._pacer.delay_for(chat_id):  # noqa: ASYNC110  # no event says that a hold is over
                await asyncio.sleep(wait.total_seconds())
            try:
                return await call()
            except RateLimited as limit:
                self._pacer.back_off(chat_id, limit.wait)
            except Strange:
                if tries:
                    return None
            except (NotSent, Unclear) as failure:
                pause = _WAITS[min(tries, len(_WAITS) - 1)]
                throttled.warning("call.waits", error=type(failure).__name__, seconds=pause)
                await asyncio.sleep(pause)
        raise NotSent("tried often enough")


async def _call(call: Awaitable[T]) -> T:
    """Make a call of the library. Raises a NotDelivered."""
    try:
        return await call
    except TelegramError as error:
        raise not_delivered(error) from error


def _inline(screen: Screen) -> dict[str, Any] | None:
    if not screen.rows:
        return None
    return {"inline_keyboard": [[_button(button) for button in row] for row in screen.rows]}


def _button(button: Button) -> dict[str, Any]:
    if button.url:
        return {"text": button.text, "url": button.url}
    if button.copies:
        return {"text": button.text, "copy_text": {"text": button.copies}}
    return {"text": button.text, "callback_data": button.tap.pack() if button.tap else ""}


def _keyboard(screen: Screen) -> dict[str, Any] | None:
    if screen.wants_location:
        return location_keyboard.markup(*screen.wants_location)
    return _inline(screen)
