"""The library that the bot uses can talk to the stand-in, and reads everything that it answers."""

import io
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import telegram as ptb
from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken, NetworkError, RetryAfter, TimedOut

from bot.demo.files import plain_picture
from bot.demo.media import KINDS
from tests.standin import Person, Telegram


@pytest.fixture
async def bot(telegram: Telegram, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ptb.Bot]:
    monkeypatch.setenv("PTB_TIMEDELTA", "1")  # or it warns about its own future
    base = f"{telegram.url}/file/bot"
    async with ptb.Bot(telegram.token, base_url=telegram.base_url, base_file_url=base) as bot:
        yield bot


async def latest(bot: ptb.Bot) -> ptb.Update:
    return (await bot.get_updates(offset=-1, allowed_updates=ptb.Update.ALL_TYPES))[-1]


async def test_messages(bot: ptb.Bot, alice: Person) -> None:
    keys = ptb.InlineKeyboardMarkup([[ptb.InlineKeyboardButton("Go", callback_data="go")]])
    sent = await bot.send_message(
        alice.id,
        "<b>Hello</b> <tg-spoiler>you</tg-spoiler>",
        parse_mode="HTML",
        reply_markup=keys,
        protect_content=True,
        disable_notification=True,
        link_preview_options=ptb.LinkPreviewOptions(is_disabled=True),
        reply_parameters=ptb.ReplyParameters(1, allow_sending_without_reply=True),
        message_effect_id="5104841245755180586",
    )
    assert (sent.text, sent.text_html) == ("Hello you", '<b>Hello</b> <span class="tg-spoiler">you</span>')
    assert sent.has_protected_content
    assert sent.reply_to_message
    edited = await sent.edit_text("Bye", entities=[ptb.MessageEntity("italic", 0, 3)])
    assert isinstance(edited, ptb.Message)
    assert (edited.text_html, edited.reply_markup) == ("<i>Bye</i>", None)
    await edited.edit_reply_markup(keys)
    await edited.set_reaction("👍")
    await bot.send_chat_action(alice.id, "typing")
    await edited.delete()
    assert not [seen for seen in alice.sees if seen.by_bot]


async def test_keyboards(bot: ptb.Bot, alice: Person) -> None:
    button = ptb.InlineKeyboardButton("Code", copy_text=ptb.CopyTextButton("8XkQ2"))
    link = ptb.InlineKeyboardButton("Send it on", url="https://t.me/share/url?url=x")
    await bot.send_message(alice.id, "x", reply_markup=ptb.InlineKeyboardMarkup([[button, link]]))
    where = ptb.KeyboardButton("Here", request_location=True)
    await bot.send_message(alice.id, "x", reply_markup=ptb.ReplyKeyboardMarkup([[where, "No"]], one_time_keyboard=True))
    await bot.send_message(alice.id, "x", reply_markup=ptb.ReplyKeyboardRemove())
    await bot.send_message(alice.id, "x", reply_markup=ptb.ForceReply(input_field_placeholder="One line"))
    assert alice.buttons == ["Code", "Send it on"]


async def test_files(bot: ptb.Bot, alice: Person) -> None:
    sent = await bot.send_document(
        alice.id, io.BytesIO(b"{}"), filename="journal.json", caption="<b>All</b>", parse_mode="HTML"
    )
    assert sent.document
    assert (sent.document.file_name, sent.caption_html) == ("journal.json", "<b>All</b>")
    file = await sent.document.get_file()
    assert bytes(await file.download_as_bytearray()) == b"{}"
    picture = await bot.send_photo(alice.id, plain_picture(), caption="Words", has_spoiler=True)
    assert picture.photo[0].width == 320
    await picture.edit_caption("Other words")
    assert alice.last.text == "Other words"


async def test_the_bot_itself(bot: ptb.Bot, alice: Person) -> None:
    assert (await bot.get_me()).username == "ajar_demo_bot"
    await bot.set_my_commands([ptb.BotCommand("help", "Help")], ptb.BotCommandScopeAllPrivateChats(), "de")
    assert await bot.get_my_commands(ptb.BotCommandScopeAllPrivateChats(), "de") == (ptb.BotCommand("help", "Help"),)
    await bot.delete_my_commands()
    await bot.set_my_description("One question a day", "en")
    await bot.set_my_short_description("One question")
    assert (await bot.get_my_description("en")).description == "One question a day"
    assert (await bot.get_my_short_description()).short_description == "One question"
    assert (await bot.get_chat(alice.id)).first_name == "Alice"
    await bot.set_webhook(
        "http://127.0.0.1:9/",
        secret_token="s",
        allowed_updates=["message"],
        max_connections=5,
    )
    assert (await bot.get_webhook_info()).allowed_updates == ("message",)
    await bot.delete_webhook(drop_pending_updates=True)


async def test_updates(bot: ptb.Bot, alice: Person, telegram: Telegram) -> None:
    await bot.get_updates(allowed_updates=ptb.Update.ALL_TYPES)
    mine = await alice.says("/start p_8XkQ2")
    update = await latest(bot)
    assert update.message
    assert update.message.parse_entities(["bot_command"])
    await alice.edits(mine, "edited")
    edited = (await latest(bot)).edited_message
    assert edited
    assert edited.text == "edited"
    await alice.forwards("x")
    forwarded = (await latest(bot)).message
    assert forwarded
    assert isinstance(forwarded.forward_origin, ptb.MessageOriginUser)
    await alice.reacts(mine, "👍")
    reaction = (await latest(bot)).message_reaction
    assert reaction
    assert reaction.new_reaction == (ptb.ReactionTypeEmoji("👍"),)
    await alice.blocks()
    member = (await latest(bot)).my_chat_member
    assert member
    assert isinstance(member.new_chat_member, ptb.ChatMemberBanned)
    for kind in ("group", "channel"):
        chat = await telegram.group(alice, kind=kind)
        await bot.leave_chat(chat.chat_id)
        left = (await latest(bot)).my_chat_member
        assert left
        assert isinstance(left.new_chat_member, ptb.ChatMemberLeft)


@pytest.mark.parametrize("kind", [*sorted(KINDS), "location"])
async def test_media(bot: ptb.Bot, alice: Person, kind: str) -> None:
    await alice.sends(kind, latitude=1, longitude=2)
    message = (await latest(bot)).message
    assert message
    assert getattr(message, kind)


async def test_taps(bot: ptb.Bot, alice: Person) -> None:
    keys = ptb.InlineKeyboardMarkup([[ptb.InlineKeyboardButton("Go", callback_data="go")]])
    sent = await bot.send_message(alice.id, "x", reply_markup=keys)
    await alice.taps("Go")
    query = (await latest(bot)).callback_query
    assert query
    assert query.message == sent
    await query.answer("Gone.", show_alert=True)
    assert alice.toasts == ["Gone."]
    await bot.delete_messages(alice.id, [sent.message_id])
    await alice.taps_data(sent.message_id, "go")
    late = (await latest(bot)).callback_query
    assert late
    assert late.message
    assert not late.message.is_accessible


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("400", BadRequest),
        ("401", InvalidToken),
        ("403", Forbidden),
        ("404", InvalidToken),
        ("429", RetryAfter),
        ("502", NetworkError),
        ("cut_before", NetworkError),
        ("cut_after", NetworkError),
    ],
)
async def test_faults_become_the_expected_errors(
    bot: ptb.Bot, alice: Person, telegram: Telegram, kind: str, error: type[Exception]
) -> None:
    await telegram.fault("sendMessage", kind)
    with pytest.raises(error):
        await bot.send_message(alice.id, "x")


async def test_slow_answers_time_out_but_arrive(bot: ptb.Bot, alice: Person, telegram: Telegram) -> None:
    await telegram.fault("sendMessage", "slow", seconds=0.5)
    with pytest.raises(TimedOut):
        await bot.send_message(alice.id, "late", read_timeout=0.1)
    await alice.hears("late")


async def test_conflict(bot: ptb.Bot, telegram: Telegram) -> None:
    await bot.set_webhook("http://127.0.0.1:9/")
    with pytest.raises(Conflict, match="webhook is active"):
        await bot.get_updates()
    assert telegram.calls("getUpdates")[-1]["status"] == 409


async def test_sent_objects_are_read_back_whole(bot: ptb.Bot, alice: Person, telegram: Telegram) -> None:
    """Nothing that it sends is unknown to the library: a misspelled field would end up in `api_kwargs`."""
    mine = await alice.says("/start")
    await alice.edits(mine, "edited")
    await alice.sends("photo", caption="x")
    await alice.sends("location", latitude=1, longitude=2)
    await alice.forwards("x")
    await alice.blocks()
    await alice.unblocks()
    await telegram.group(alice, kind="supergroup")
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{telegram.url}/bot{telegram.token}/getUpdates") as answer,
    ):
        raw = (await answer.json())["result"]
    assert len(raw) == 9
    for each in raw:
        update = ptb.Update.de_json(json.loads(json.dumps(each)), bot)
        assert _unknown(update) == []


def _unknown(thing: Any) -> list[str]:
    if isinstance(thing, tuple | list):
        return [name for each in thing for name in _unknown(each)]
    if not isinstance(thing, ptb.TelegramObject):
        return []
    own = [f"{type(thing).__name__}.{name}" for name in thing.api_kwargs]
    values = [getattr(thing, name) for name in thing.to_dict(recursive=False) if hasattr(thing, name)]
    return own + [name for value in values for name in _unknown(value)]
