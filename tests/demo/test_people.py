"""What people do, and what the bot hears of it."""

from typing import Any

import pytest

from bot.demo.errors import NotPossible
from bot.demo.media import KINDS
from tests.demo.conftest import Api
from tests.standin import Person, Telegram

GO = {"inline_keyboard": [[{"text": "Go", "callback_data": "v1:go"}]]}


async def newest(api: Api) -> dict[str, Any]:
    """Return the newest update's content; `kind` is its expected kind."""
    update: dict[str, Any] = (await api.ok("getUpdates", offset=-1))[-1]
    update.pop("update_id")
    ((kind, content),) = update.items()
    return {"kind": kind, **content}


async def test_first_text_starts_the_chat(api: Api, telegram: Telegram) -> None:
    bob = await telegram.person("Bob", language_code="de")
    before = int(telegram.now.timestamp())
    message = await bob.says("/start p_8XkQ2")
    found = await newest(api)
    assert before <= found.pop("date") <= int(telegram.now.timestamp())
    assert found == {
        "kind": "message",
        "message_id": message,
        "chat": {"id": 1002, "first_name": "Bob", "type": "private"},
        "from": {"id": 1002, "is_bot": False, "first_name": "Bob", "language_code": "de"},
        "text": "/start p_8XkQ2",
        "entities": [{"type": "bot_command", "offset": 0, "length": 6}],
    }
    assert (await api.ok("getChat", chat_id=1002))["first_name"] == "Bob"


async def test_following_a_link(api: Api, alice: Person) -> None:
    await alice.follows("https://t.me/ajar_demo_bot?start=p_8XkQ2")
    assert (await newest(api))["text"] == "/start p_8XkQ2"


async def test_replying(api: Api, alice: Person) -> None:
    ask = await api.ok("sendMessage", chat_id=alice.id, text="What did you carry?", reply_markup=GO)
    await alice.says("  The shopping ", reply_to=ask["message_id"])
    update = await newest(api)
    assert update["text"] == "The shopping"
    assert update["reply_to_message"] == ask
    with pytest.raises(NotPossible, match="no message 99"):
        await alice.says("x", reply_to=99)


async def test_editing(api: Api, alice: Person, telegram: Telegram) -> None:
    message = await alice.says("befor")
    telegram.advance(seconds=90)
    await alice.edits(message, "before")
    update = await newest(api)
    assert (update["kind"], update["message_id"], update["text"]) == ("edited_message", message, "before")
    assert update["edit_date"] - update["date"] in (90, 91)
    await alice.edits(message, "before")
    assert telegram.pending == 1, "an edit that changes nothing is no edit"
    bots = await api.ok("sendMessage", chat_id=alice.id, text="x")
    with pytest.raises(NotPossible, match="one's own"):
        await alice.edits(bots["message_id"], "y")
    telegram.advance(hours=48)
    with pytest.raises(NotPossible, match="two days"):
        await alice.edits(message, "too late")


async def test_deleting_for_oneself_tells_nobody(api: Api, alice: Person, telegram: Telegram) -> None:
    message = await api.ok("sendMessage", chat_id=alice.id, text="x")
    await alice.deletes(message["message_id"])
    assert alice.message(message["message_id"]) is None
    assert telegram.pending == 0
    await api.ok("editMessageText", chat_id=alice.id, message_id=message["message_id"], text="y")


async def test_tapping(api: Api, alice: Person) -> None:
    mine = await alice.says("a line")
    sent = await api.ok(
        "sendMessage", chat_id=alice.id, text="kept", reply_markup=GO, reply_parameters={"message_id": mine}
    )
    query = await alice.taps("Go")
    update = await newest(api)
    assert (update["kind"], update["id"], update["data"]) == ("callback_query", query.query_id, "v1:go")
    assert update["from"]["id"] == alice.id
    assert update["message"] == sent
    assert update["message"]["reply_to_message"]["text"] == "a line"
    await api.ok("answerCallbackQuery", callback_query_id=query.query_id, text="Kept.")
    assert await alice.answered() == "Kept."


async def test_tapping_a_missing_message(api: Api, alice: Person) -> None:
    sent = await api.ok("sendMessage", chat_id=alice.id, text="kept", reply_markup=GO)
    await alice.taps_data(sent["message_id"], "forged")
    update = await newest(api)
    assert (update["data"], update["message"]["text"]) == ("forged", "kept")
    await api.ok("deleteMessage", chat_id=alice.id, message_id=sent["message_id"])
    await alice.taps_data(sent["message_id"], "v1:go")
    assert (await newest(api))["message"] == {"chat": sent["chat"], "message_id": sent["message_id"], "date": 0}


async def test_buttons_that_the_phone_handles_itself(api: Api, alice: Person, telegram: Telegram) -> None:
    buttons = [{"text": "Open", "url": "https://a.example/"}, {"text": "Copy", "copy_text": {"text": "code"}}]
    await api.ok("sendMessage", chat_id=alice.id, text="x", reply_markup={"inline_keyboard": [buttons]})
    assert await alice.taps("Open") == {"kind": "url", "url": "https://a.example/"}
    assert await alice.taps("Copy") == {"kind": "copy", "text": "code"}
    assert telegram.pending == 0


@pytest.mark.parametrize("kind", sorted(KINDS))
async def test_media_messages(api: Api, alice: Person, kind: str) -> None:
    message = await alice.sends(kind, caption="look")
    update = await newest(api)
    assert (update["kind"], update["message_id"]) == ("message", message)
    assert kind in update
    assert update["caption"] == "look"


async def test_album_is_several_updates(api: Api, alice: Person) -> None:
    await alice.sends_album("photo", 3, caption="look")
    album = [update["message"] for update in await api.ok("getUpdates")][-3:]
    assert len({message["media_group_id"] for message in album}) == 1
    assert [message.get("caption") for message in album] == ["look", None, None]
    with pytest.raises(NotPossible):
        await alice.sends_album("sticker", 3)
    _, sent = await api.control(f"phones/{alice.id}/album", {"kind": "document", "count": 2})
    assert len(sent["message_ids"]) == 2


async def test_upgraded_group_is_gone(api: Api, alice: Person, telegram: Telegram) -> None:
    group = await telegram.group(alice)
    _, became = await api.control(f"groups/{group.chat_id}/upgrade", {"by": alice.id})
    messages = [update["message"] for update in await api.ok("getUpdates") if "message" in update]
    assert messages[-2]["migrate_to_chat_id"] == messages[-1]["chat"]["id"] == became["id"]
    assert messages[-1]["migrate_from_chat_id"] == group.chat_id
    for method in ("sendMessage", "leaveChat"):
        status, refused = await api.call(method, chat_id=group.chat_id, **({"text": "x"} if method[0] == "s" else {}))
        assert (status, refused["parameters"]) == (400, {"migrate_to_chat_id": became["id"]})
    assert await api.ok("leaveChat", chat_id=became["id"])


async def test_photo_can_be_fetched(api: Api, alice: Person) -> None:
    await alice.sends("photo")
    size = (await newest(api))["photo"][-1]
    found = await api.ok("getFile", file_id=size["file_id"])
    assert found["file_size"] == size["file_size"]


async def test_locations(api: Api, alice: Person) -> None:
    await alice.sends("location", latitude=27.7172, longitude=85.324)
    assert (await newest(api))["location"] == {"latitude": 27.7172, "longitude": 85.324}
    for details in ({}, {"latitude": 91, "longitude": 0}, {"latitude": "x", "longitude": 0}):
        with pytest.raises(NotPossible):
            await alice.sends("location", **details)
    with pytest.raises(NotPossible, match="hologram"):
        await alice.sends("hologram")


async def test_forwarding(api: Api, alice: Person) -> None:
    await alice.forwards("words of somebody else")
    update = await newest(api)
    assert update["text"] == "words of somebody else"
    assert update["forward_origin"]["sender_user"]["first_name"] == "Somebody"


async def test_reactions_are_sent_only_if_requested(api: Api, alice: Person, telegram: Telegram) -> None:
    sent = await api.ok("sendMessage", chat_id=alice.id, text="x")
    await alice.reacts(sent["message_id"], "👍")
    assert telegram.pending == 0
    await api.ok("getUpdates", allowed_updates=["message_reaction"])
    await alice.reacts(sent["message_id"], "🔥")
    update = await newest(api)
    assert update["kind"] == "message_reaction"
    assert [update[f"{when}_reaction"][0]["emoji"] for when in ("old", "new")] == ["👍", "🔥"]
    assert alice.last.reactions == {"user": "🔥"}


async def test_blocking(api: Api, alice: Person, telegram: Telegram) -> None:
    await alice.blocks()
    update = await newest(api)
    assert update["kind"] == "my_chat_member"
    assert [update[f"{when}_chat_member"]["status"] for when in ("old", "new")] == ["member", "kicked"]
    assert update["new_chat_member"]["user"]["id"] == telegram.world.bot["id"]
    for act in (alice.says("x"), alice.sends("photo"), alice.forwards("x"), alice.taps_data(1, "x")):
        with pytest.raises(NotPossible, match="Alice has blocked the bot"):
            await act
    await alice.blocks()
    assert telegram.pending == 1, "twice is the same as once"
    await alice.unblocks()
    update = await newest(api)
    assert [update[f"{when}_chat_member"]["status"] for when in ("old", "new")] == ["kicked", "member"]
    await alice.says("back")


async def test_changing_the_language(api: Api, alice: Person) -> None:
    await alice.speaks("es")
    await alice.says("hola")
    assert (await newest(api))["from"]["language_code"] == "es"


@pytest.mark.parametrize("kind", ["group", "supergroup", "channel"])
async def test_groups_and_channels(api: Api, alice: Person, telegram: Telegram, kind: str) -> None:
    chat = await telegram.group(alice, kind=kind)
    updates = await api.ok("getUpdates")
    added = updates[0]["my_chat_member"]
    assert added["chat"] == {"id": chat.chat_id, "title": "Friends", "type": kind}
    assert added["old_chat_member"]["status"] == "left"
    assert [min(set(update) - {"update_id"}) for update in updates[1:]] == ([] if kind == "channel" else ["message"])
    await api.ok("sendMessage", chat_id=chat.chat_id, text="I only work in private.")
    await api.ok("leaveChat", chat_id=chat.chat_id)
    assert (await newest(api))["new_chat_member"]["status"] == "left"
    kicked = f"Forbidden: bot was kicked from the {kind} chat"
    assert await api.refused("sendMessage", chat_id=chat.chat_id, text="x") == kicked
    _, state = await api.control(f"groups/{chat.chat_id}", verb="GET")
    assert (state["bot_left"], state["from_bot"]) == (True, [{"text": "I only work in private."}])


async def test_group_bot_hears_only_commands(api: Api, alice: Person, telegram: Telegram) -> None:
    _, group = await api.control("groups", {"title": "Friends", "type": "group", "by": alice.id})
    telegram.world.updates.drop_all()
    for text in ("hello all", "/start@ajar_demo_bot"):
        await api.control(f"groups/{group['id']}/text", {"text": text, "by": alice.id})
    (update,) = await api.ok("getUpdates")
    assert update["message"]["text"] == "/start@ajar_demo_bot"
    assert update["message"]["chat"]["type"] == "group"
    await api.control(f"groups/{group['id']}/remove", {"by": alice.id})
    await api.control(f"groups/{group['id']}/text", {"text": "/start", "by": alice.id})
    assert (await newest(api))["kind"] == "my_chat_member"


async def test_private_chats_cannot_be_left(api: Api, alice: Person) -> None:
    description = await api.refused("leaveChat", chat_id=alice.id)
    assert description == "Bad Request: chat member status can't be changed in private chats"
