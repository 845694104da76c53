"""Sending, editing, deleting and answering: each rule of the real server that the bot must live with."""

import json
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from bot.demo.files import plain_picture
from tests.demo.conftest import Api
from tests.standin import Person, Telegram

NOT_MODIFIED = (
    "Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a "
    "current content and reply markup of the message"
)
GO = {"inline_keyboard": [[{"text": "Go", "callback_data": "go"}]]}
STAY = {"inline_keyboard": [[{"text": "Stay", "callback_data": "stay"}]]}


async def send(api: Api, person: Person, text: str = "hello", **params: Any) -> int:
    message = await api.ok("sendMessage", chat_id=person.id, text=text, **params)
    return int(message["message_id"])


# Reachable chats


async def test_sent_message_is_complete(api: Api, alice: Person, telegram: Telegram) -> None:
    before = int(telegram.now.timestamp())
    sent = await api.ok("sendMessage", chat_id=alice.id, text="hello", protect_content=True, reply_markup=GO)
    assert before <= sent.pop("date") <= int(telegram.now.timestamp())
    assert sent == {
        "message_id": 2,
        "chat": {"id": alice.id, "first_name": "Alice", "type": "private"},
        "from": telegram.world.bot,
        "text": "hello",
        "has_protected_content": True,
        "reply_markup": GO,
    }
    assert (alice.last.text, alice.last.protected, alice.last.labels) == ("hello", True, ["Go"])


async def test_unreachable_chats(api: Api, alice: Person, telegram: Telegram) -> None:
    stranger = await telegram.person("Zoe")
    assert await api.refused("sendMessage", chat_id=5, text="x") == "Bad Request: chat not found"
    assert await api.refused("sendMessage", chat_id="@somebody", text="x") == "Bad Request: chat not found"
    cannot = "Forbidden: bot can't initiate conversation with a user"
    assert await api.refused("sendMessage", chat_id=stranger.id, text="x") == cannot
    await alice.blocks()
    blocked = "Forbidden: bot was blocked by the user"
    assert await api.refused("sendMessage", chat_id=alice.id, text="x") == blocked
    assert await api.refused("sendChatAction", chat_id=alice.id, action="typing") == blocked
    assert await api.refused("editMessageText", chat_id=alice.id, message_id=1, text="x") == blocked
    await alice.unblocks()
    assert await send(api, alice)


# Replies


async def test_replies(api: Api, alice: Person) -> None:
    first = await send(api, alice, "first", reply_markup=GO)
    second = await api.ok("sendMessage", chat_id=alice.id, text="second", reply_parameters={"message_id": first})
    assert second["reply_to_message"]["text"] == "first"
    third = await api.ok(
        "sendMessage", chat_id=alice.id, text="third", reply_parameters={"message_id": second["message_id"]}
    )
    assert "reply_to_message" not in third["reply_to_message"], "only one level is shown"


async def test_reply_to_a_deleted_message(api: Api, alice: Person) -> None:
    gone = await send(api, alice)
    await api.ok("deleteMessage", chat_id=alice.id, message_id=gone)
    reply: dict[str, Any] = {"message_id": gone}
    description = await api.refused("sendMessage", chat_id=alice.id, text="x", reply_parameters=reply)
    assert description == "Bad Request: message to be replied not found"
    reply["allow_sending_without_reply"] = True
    sent = await api.ok("sendMessage", chat_id=alice.id, text="x", reply_parameters=reply)
    assert "reply_to_message" not in sent


# Keyboards


def keyboard(*buttons: dict[str, Any]) -> dict[str, Any]:
    return {"inline_keyboard": [[button] for button in buttons]}


@pytest.mark.parametrize(
    ("markup", "error"),
    [
        (keyboard({"text": "x", "callback_data": "é" * 33}), "BUTTON_DATA_INVALID"),
        (keyboard({"text": "x", "callback_data": ""}), "BUTTON_DATA_INVALID"),
        (keyboard({"text": " ", "callback_data": "x"}), "inline keyboard button text must be non-empty"),
        (keyboard({"text": "x"}), "text buttons are unallowed in the inline keyboard"),
        (keyboard({"text": "x", "copy_text": {"text": "y" * 257}}), "BUTTON_COPY_TEXT_INVALID"),
        (
            keyboard({"text": "x", "url": "nowhere"}),
            "inline keyboard button URL 'nowhere' is invalid: Wrong HTTP URL",
        ),
        (
            keyboard({"text": "x", "url": "http://localhost/"}),
            "inline keyboard button URL 'http://localhost/' is invalid: Wrong HTTP URL",
        ),
        (keyboard(*[{"text": "x", "callback_data": "x"}] * 101), "reply markup is too long"),
        (keyboard(*[{"text": "x" * 120, "callback_data": "x" * 64}] * 60), "reply markup is too long"),
        (
            keyboard({"text": "x", "callback_data": "x", "url": "https://a.example"}),
            'strict: button "x" does more than one thing: callback_data, url',
        ),
        (
            keyboard({"text": "x", "calback_data": "x"}),
            'strict: reply_markup.inline_keyboard has a field "calback_data" that is not served here',
        ),
        (keyboard({"callback_data": "x"}), 'can\'t find field "text" in reply_markup.inline_keyboard'),
        ({"keyboard": []}, "can't parse reply keyboard markup: keyboard must be non-empty"),
        ({"keyboard": [[{"text": ""}]]}, "keyboard button text must be non-empty"),
        ([], "object expected as reply markup"),
        ({"keybord": []}, "strict: reply_markup is no kind of keyboard"),
        ({"remove_keyboard": False}, "strict: reply_markup asks for nothing"),
        ('{"inline_keyboard"', "can't parse reply_markup JSON object"),
    ],
)
async def test_invalid_keyboards_are_refused(api: Api, alice: Person, markup: Any, error: str) -> None:
    description = await api.refused("sendMessage", chat_id=alice.id, text="x", reply_markup=markup)
    assert description == f"Bad Request: {error}"


async def test_keyboards_up_to_the_limits(api: Api, alice: Person) -> None:
    button = {"text": "ы" * 20, "callback_data": "é" * 32}
    await send(api, alice, reply_markup=keyboard(button))
    await send(api, alice, reply_markup=keyboard(*[{"text": "x", "callback_data": "x"}] * 100))
    await send(
        api,
        alice,
        reply_markup=keyboard(
            {"text": "a", "url": "https://t.me/x?start=y"},
            {"text": "b", "copy_text": {"text": "code"}},
            {"text": "c", "switch_inline_query": ""},
        ),
    )
    assert alice.last.labels == ["a", "b", "c"]


async def test_reply_keyboards_stay_until_removed(api: Api, alice: Person) -> None:
    keys = {"keyboard": [[{"text": "Here", "request_location": True}], ["Type it"]], "resize_keyboard": True}
    await send(api, alice, reply_markup=keys)
    await send(api, alice)
    assert [[key["text"] for key in row] for row in alice.keyboard] == [["Here"], ["Type it"]]
    await alice.taps("Type it")
    assert alice.sees[-1].text == "Type it"
    await send(api, alice, reply_markup={"remove_keyboard": True})
    assert alice.keyboard == []
    await send(api, alice, reply_markup={"force_reply": True, "input_field_placeholder": "One line"})


async def test_empty_keyboard_is_none(api: Api, alice: Person) -> None:
    message = await send(api, alice, reply_markup=GO)
    edited = await api.ok(
        "editMessageReplyMarkup", chat_id=alice.id, message_id=message, reply_markup={"inline_keyboard": []}
    )
    assert "reply_markup" not in edited


# Editing


async def test_edit_without_markup_drops_the_keyboard(api: Api, alice: Person, telegram: Telegram) -> None:
    message = await send(api, alice, "before", reply_markup=GO)
    telegram.advance(minutes=5)
    edited = await api.ok("editMessageText", chat_id=alice.id, message_id=message, text="after")
    assert edited["edit_date"] - edited["date"] in (300, 301)
    assert (alice.last.text, alice.last.labels, alice.last.edited) == ("after", [], True)


async def test_new_buttons_are_no_text_edit(api: Api, alice: Person) -> None:
    message = await send(api, alice, "before", reply_markup=GO)
    changed = await api.ok("editMessageReplyMarkup", chat_id=alice.id, message_id=message)
    assert "edit_date" not in changed
    assert (alice.last.labels, alice.last.edited) == ([], False)


async def test_not_modified(api: Api, alice: Person) -> None:
    message = await send(api, alice, "<b>a</b>", parse_mode="HTML", reply_markup=GO)
    same = {"chat_id": alice.id, "message_id": message, "parse_mode": "HTML"}
    assert await api.refused("editMessageText", **same, text=" <b>a</b> ", reply_markup=GO) == NOT_MODIFIED
    markup = {"chat_id": alice.id, "message_id": message}
    assert await api.refused("editMessageReplyMarkup", **markup, reply_markup=GO) == NOT_MODIFIED
    await api.ok("editMessageText", **same, text="<i>a</i>", reply_markup=GO)
    await api.ok("editMessageText", **same, text="<i>a</i>", reply_markup=STAY)
    await api.ok("editMessageReplyMarkup", **markup)
    assert await api.refused("editMessageReplyMarkup", **markup) == NOT_MODIFIED


async def test_uneditable_messages(api: Api, alice: Person) -> None:
    own = await alice.says("mine")
    with_keys = await send(api, alice, reply_markup={"keyboard": [["x"]]})
    chat = {"chat_id": alice.id, "text": "new"}
    assert await api.refused("editMessageText", **chat, message_id=99) == "Bad Request: message to edit not found"
    assert await api.refused("editMessageText", **chat, message_id=own) == "Bad Request: message can't be edited"
    assert await api.refused("editMessageText", **chat, message_id=with_keys) == "Bad Request: message can't be edited"
    message = await send(api, alice)
    await api.ok("deleteMessage", chat_id=alice.id, message_id=message)
    assert await api.refused("editMessageText", **chat, message_id=message) == "Bad Request: message to edit not found"


async def test_edit_takes_only_an_inline_keyboard(api: Api, alice: Person) -> None:
    message = await send(api, alice)
    keys = {"keyboard": [["x"]]}
    description = await api.refused(
        "editMessageText", chat_id=alice.id, message_id=message, text="new", reply_markup=keys
    )
    assert description == "Bad Request: inline keyboard expected"


# Files


def form(person: Person, kind: str, name: str, content: bytes, **fields: str) -> aiohttp.FormData:
    data = aiohttp.FormData({"chat_id": str(person.id), **fields})
    data.add_field(kind, content, filename=name)
    return data


async def upload(api: Api, method: str, data: aiohttp.FormData) -> dict[str, Any]:
    async with api.session.post(api.url(method), data=data) as answer:
        body: dict[str, Any] = await answer.json()
        return body


async def test_document_can_be_sent_again(api: Api, alice: Person) -> None:
    data = form(alice, "document", "journal.json", b"[1]", caption="<b>All</b> of it", parse_mode="HTML")
    sent = (await upload(api, "sendDocument", data))["result"]
    assert sent["caption"] == "All of it"
    assert sent["caption_entities"] == [{"type": "bold", "offset": 0, "length": 3}]
    document = sent["document"]
    assert (document["file_name"], document["mime_type"], document["file_size"]) == (
        "journal.json",
        "application/json",
        3,
    )
    path = (await api.ok("getFile", file_id=document["file_id"]))["file_path"]
    async with api.session.get(f"{api.telegram.url}/file/bot{api.telegram.token}/{path}") as answer:
        assert await answer.read() == b"[1]"
    async with api.session.get(f"{api.telegram.url}/file/bot1:wrong/{path}") as answer:
        assert answer.status == 404
    assert api.telegram.calls("sendDocument")[0]["params"]["document"] == "<journal.json, 3 bytes>"
    again = await api.ok("sendDocument", chat_id=alice.id, document=document["file_id"])
    assert again["document"] == document


async def test_photo_must_be_a_picture(api: Api, alice: Person) -> None:
    sent = (await upload(api, "sendPhoto", form(alice, "photo", "a.png", plain_picture(40, 30))))["result"]
    assert [(size["width"], size["height"]) for size in sent["photo"]] == [(40, 30)]
    broken = await upload(api, "sendPhoto", form(alice, "photo", "a.png", b"no picture"))
    assert broken["description"] == "Bad Request: IMAGE_PROCESS_FAILED"
    thin = await upload(api, "sendPhoto", form(alice, "photo", "a.png", plain_picture(210, 10)))
    assert thin["description"] == "Bad Request: PHOTO_INVALID_DIMENSIONS"


async def test_invalid_files_are_refused(api: Api, alice: Person) -> None:
    wrong = "Bad Request: wrong file identifier/HTTP URL specified"
    assert await api.refused("sendPhoto", chat_id=alice.id, photo="nothing") == wrong
    assert await api.refused("sendPhoto", chat_id=alice.id) == "Bad Request: there is no photo in the request"
    assert await api.refused("getFile", file_id="nothing") == "Bad Request: invalid file_id"
    empty = await upload(api, "sendDocument", form(alice, "document", "a.txt", b""))
    assert empty["description"] == "Bad Request: file must be non-empty"


async def test_captions_are_edited_separately_from_texts(api: Api, alice: Person) -> None:
    data = form(alice, "document", "a.txt", b"x", caption="old", reply_markup=json.dumps(GO))
    document = (await upload(api, "sendDocument", data))["result"]["message_id"]
    text = await send(api, alice)
    where = {"chat_id": alice.id}
    no_text = await api.refused("editMessageText", **where, message_id=document, text="x")
    assert no_text == "Bad Request: there is no text in the message to edit"
    no_caption = await api.refused("editMessageCaption", **where, message_id=text, caption="x")
    assert no_caption == "Bad Request: there is no caption in the message to edit"
    edited = await api.ok("editMessageCaption", **where, message_id=document, caption="new")
    assert edited["caption"] == "new"
    assert "document" in edited
    assert "reply_markup" not in edited
    bare = await api.ok("editMessageCaption", **where, message_id=document)
    assert "caption" not in bare


# Deleting


async def test_both_can_delete_within_48_hours(api: Api, alice: Person, telegram: Telegram) -> None:
    own, bots = await alice.says("mine"), await send(api, alice)
    telegram.advance(timedelta(hours=47, minutes=59))
    assert await api.ok("deleteMessage", chat_id=alice.id, message_id=own) is True
    telegram.advance(minutes=2)
    description = await api.refused("deleteMessage", chat_id=alice.id, message_id=bots)
    assert description == "Bad Request: message can't be deleted for everyone"
    twice = await api.refused("deleteMessage", chat_id=alice.id, message_id=own)
    assert twice == "Bad Request: message to delete not found"


async def test_deleting_many(api: Api, alice: Person, telegram: Telegram) -> None:
    ids = [await send(api, alice) for _ in range(3)]
    await api.ok("deleteMessages", chat_id=alice.id, message_ids=[*ids[:2], 999])
    assert [seen.message_id for seen in alice.sees if seen.by_bot] == [ids[2]]
    for wrong, text in (([], "message identifiers are not specified"), ([1] * 101, "too many message identifiers")):
        assert text in await api.refused("deleteMessages", chat_id=alice.id, message_ids=wrong)
    telegram.advance(timedelta(hours=49))
    young = await send(api, alice)
    assert "for everyone" in await api.refused("deleteMessages", chat_id=alice.id, message_ids=[young, ids[2]])
    assert alice.last.message_id == young, "nothing was deleted"


async def test_deleted_words_are_nowhere(api: Api, alice: Person) -> None:
    message = await send(api, alice, "a secret")
    await api.ok("deleteMessage", chat_id=alice.id, message_id=message)
    _, state = await api.control("state", verb="GET")
    assert "a secret" not in json.dumps(state)
    assert alice.chat.messages[message].content == {}, "nor in what is saved"


# Taps, actions, reactions


async def test_tap_is_answered_once_in_time(api: Api, alice: Person, telegram: Telegram) -> None:
    late = "Bad Request: query is too old and response timeout expired or query ID is invalid"
    await send(api, alice, reply_markup=GO)
    query = (await alice.taps("Go")).query_id
    assert await api.refused("answerCallbackQuery", callback_query_id=query, text="x" * 201) == (
        "Bad Request: MESSAGE_TOO_LONG"
    )
    assert await api.ok("answerCallbackQuery", callback_query_id=query, text="x" * 200) is True
    assert alice.toasts == ["x" * 200]
    assert await api.refused("answerCallbackQuery", callback_query_id=query) == late
    assert await api.refused("answerCallbackQuery", callback_query_id="1") == late
    slow = (await alice.taps("Go")).query_id
    telegram.advance(seconds=16)
    assert await api.refused("answerCallbackQuery", callback_query_id=slow) == late


async def test_actions(api: Api, alice: Person) -> None:
    assert await api.ok("sendChatAction", chat_id=alice.id, action="typing") is True
    wrong = await api.refused("sendChatAction", chat_id=alice.id, action="thinking")
    assert wrong == "Bad Request: wrong parameter action in request"


async def test_reactions(api: Api, alice: Person) -> None:
    mine = await alice.says("done")
    where = {"chat_id": alice.id, "message_id": mine}
    await api.ok("setMessageReaction", **where, reaction=[{"type": "emoji", "emoji": "👍"}])
    assert alice.sees[-1].reactions == {"bot": "👍"}
    await api.ok("setMessageReaction", **where, reaction=[])
    assert alice.sees[-1].reactions == {}
    door = [{"type": "emoji", "emoji": "🚪"}]
    assert await api.refused("setMessageReaction", **where, reaction=door) == "Bad Request: REACTION_INVALID"
    two = [{"type": "emoji", "emoji": emoji} for emoji in "👍👎"]
    assert await api.refused("setMessageReaction", **where, reaction=two) == "Bad Request: REACTIONS_TOO_MANY"
    gone = await api.refused("setMessageReaction", chat_id=alice.id, message_id=99)
    assert gone == "Bad Request: message to react not found"
