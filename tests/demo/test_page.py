"""The demo's page in a real browser. Alice and Bob are new people in each test; the test plays the bot."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    Request,
    expect,
    sync_playwright,
)

from bot.domain.results import ConsentWanted
from bot.i18n import say_in
from bot.library import content_folder, load
from bot.tg.screens.screen import View
from bot.tg.screens.start import consent_wanted
from tests.demo.browser import ARGUMENTS, Phone, Standin
from tests.machine import CHROMIUM

WIDE = {"width": 1280, "height": 860}
NARROW = {"width": 390, "height": 800}
LINK = "https://t.me/ajar_demo_bot?start=p_8XkQ2"
PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c63606060f80f0001040100"
    "7d1a3a0a0000000049454e44ae426082"
)
expect.set_options(timeout=8_000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = CHROMIUM.path()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standin]:
    with Standin(tmp_path_factory.mktemp("standin")) as standin:
        yield standin


class Desk:
    """A page with two phones on it, and the errors that the browser reported."""

    def __init__(self, standin: Standin, page: Page) -> None:
        self.standin = standin
        self.context = page.context
        self.complaints: list[str] = []
        self.strangers: list[str] = []
        self.forgiven: list[str] = []
        standin.bot("deleteWebhook", drop_pending_updates=True)  # what earlier tests left unread
        standin.be_afternoon()
        self.page = page
        self.context.on("request", self._asked)
        page.on("console", self._said)
        page.on("pageerror", self._failed)
        self.alice = Phone(self.page, standin.new_person("Alice"))
        self.bob = Phone(self.page, standin.new_person("Bob"))
        self.open()

    def open(self) -> None:
        self.page.goto(f"{self.standin.address}/?phones={self.alice.user_id},{self.bob.user_id}")
        expect(self.page.locator("#phones")).to_have_attribute("aria-busy", "false")

    def leave(self) -> None:
        """Leave nothing to the next test on this page. Raises AssertionError for what the browser complained about."""
        self.page.evaluate("localStorage.clear(), sessionStorage.clear()")
        self.page.mouse.move(0, 0)
        self.context.remove_listener("request", self._asked)
        self.page.remove_listener("console", self._said)
        self.page.remove_listener("pageerror", self._failed)
        assert self.complaints == []
        assert self.strangers == []  # it works offline

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self.standin.address, "data:")):
            self.strangers.append(request.url)

    def _said(self, line: ConsoleMessage) -> None:
        if line.type in ("error", "warning") and not any(known in line.text for known in self.forgiven):
            self.complaints.append(line.text)

    def _failed(self, error: Error) -> None:
        self.complaints.append(str(error))

    def starts(self) -> None:
        """Both press Start."""
        for phone in (self.alice, self.bob):
            phone.button("Start").click()
            assert self.standin.update("message")["text"] == "/start"

    def bot_says(self, text: str, *, to: Phone | None = None, **more: Any) -> int:
        result = self.standin.bot("sendMessage", chat_id=(to or self.alice).user_id, text=text, **more)
        return int(result["message_id"])


def _context(browser: Browser, **how: Any) -> BrowserContext:
    usual = {"viewport": WIDE, "color_scheme": "light", "reduced_motion": "reduce", "timezone_id": "UTC"}
    context = browser.new_context(**(usual | how))
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    return context


def _desk(standin: Standin, browser: Browser, **how: Any) -> Iterator[Desk]:
    """A desk in a window of its own."""
    with _context(browser, **how) as context:
        desk = Desk(standin, context.new_page())
        yield desk
        desk.leave()


@pytest.fixture(scope="module")
def window(browser: Browser) -> Iterator[Page]:
    """The window of most tests, one after the other: opening one takes the browser as long as a test."""
    with _context(browser) as context:
        yield context.new_page()


@pytest.fixture
def desk(standin: Standin, window: Page) -> Iterator[Desk]:
    window.emulate_media(color_scheme="light")
    desk = Desk(standin, window)
    yield desk
    desk.leave()


@pytest.fixture
def pocket(standin: Standin, browser: Browser) -> Iterator[Desk]:
    yield from _desk(standin, browser, viewport=NARROW, color_scheme="dark")


def buttons(*rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {"inline_keyboard": list(rows)}


def test_new_phone_starts_the_bot(desk: Desk) -> None:
    desk.standin.bot("setMyDescription", description="One small question a day.")
    expect(desk.alice.node).to_contain_text("What can this bot do?")
    expect(desk.alice.node).to_contain_text("One small question a day.")
    expect(desk.alice.field).to_be_hidden()
    desk.alice.button("Start").click()
    assert desk.standin.update("message")["text"] == "/start"
    expect(desk.alice.field).to_be_focused()
    expect(desk.bob.button("Start")).to_be_visible()


def test_writing_editing_replying_and_deleting(desk: Desk) -> None:
    desk.starts()
    alice = desk.alice
    alice.field.fill("One line")
    alice.field.press("Shift+Enter")
    alice.field.press_sequentially("and its end")
    alice.field.press("Enter")
    expect(alice.field).to_have_value("")
    assert desk.standin.update("message")["text"] == "One line\nand its end"
    expect(desk.bob.node).not_to_contain_text("One line")

    expect(alice.bubble("and its end")).to_be_visible()
    alice.field.press("ArrowUp")
    expect(alice.field).to_have_value("One line\nand its end")
    alice.says("One line, changed")
    assert desk.standin.update("edited_message")["text"] == "One line, changed"
    expect(alice.bubble("One line, changed").locator(".meta")).to_contain_text("edited")

    desk.bot_says("What else?")
    alice.does("What else?", "Reply")
    alice.says("Nothing else")
    assert desk.standin.update("message")["reply_to_message"]["text"] == "What else?"
    quote = alice.bubble("Nothing else").locator(".quote")
    expect(quote).to_contain_text("What else?")
    quote.click()
    expect(alice.bubble("What else?").last).to_be_visible()

    alice.does("One line, changed", "Delete")
    alice.node.get_by_role("alertdialog").get_by_role("button", name="Delete").click()
    expect(alice.node.get_by_text("One line, changed")).to_have_count(0)


def test_bots_changes_appear_live(desk: Desk) -> None:
    desk.starts()
    alice = desk.alice
    keys = buttons([{"text": "Later", "callback_data": "l"}, {"text": "Not today", "callback_data": "n"}])
    sent = desk.bot_says("What was good today?", reply_markup=keys)
    alice.button("Not today").focus()
    desk.standin.bot(
        "editMessageText", chat_id=alice.user_id, message_id=sent, text="What was new today?", reply_markup=keys
    )
    expect(alice.bubble("What was new today?")).to_contain_text("edited")
    expect(alice.button("Not today")).to_be_focused()
    expect(desk.page.locator("#log")).to_contain_text("Alice’s phone. Ajar changed a message: What was new today?")

    alice.says("The rain")
    line = desk.standin.update("message")["message_id"]
    emoji = [{"type": "emoji", "emoji": "👍"}]
    desk.standin.bot("setMessageReaction", chat_id=alice.user_id, message_id=line, reaction=emoji)
    expect(alice.bubble("The rain").locator(".reactions")).to_have_text("👍")
    alice.does("What was new", "Heart")
    assert desk.standin.update("message_reaction")["new_reaction"][0]["emoji"] == "❤"
    expect(alice.bubble("What was new").locator(".reactions")).to_have_text("❤")
    alice.does("What was new", "Heart")
    assert desk.standin.update("message_reaction")["new_reaction"] == []

    desk.standin.bot("deleteMessage", chat_id=alice.user_id, message_id=sent)
    expect(alice.node.locator(".bubble").filter(has_text="What was new")).to_have_count(0)
    expect(alice.node).to_contain_text("The rain")


def test_formatting_uses_utf16_offsets(desk: Desk) -> None:
    desk.starts()
    alice = desk.alice
    text = "🙂🙂 bold <img src=x onerror=alert(1)> under /help and t.me/ajar_demo_bot?start=abc."
    entities = [
        {"type": "bold", "offset": 5, "length": 4},
        {"type": "italic", "offset": 7, "length": 2},
        {"type": "underline", "offset": text.encode("utf-16-le").index("under".encode("utf-16-le")) // 2, "length": 5},
    ]
    desk.bot_says(text, entities=entities)
    bubble = alice.bubble("onerror")
    expect(bubble).to_contain_text(text)
    assert bubble.locator("strong").inner_html() == "bo<em>ld</em>"
    assert bubble.locator("u").inner_text() == "under"
    assert bubble.locator("img").count() == 0
    bubble.get_by_text("/help").click()
    assert desk.standin.update("message")["text"] == "/help"
    bubble.get_by_role("link", name="t.me/ajar_demo_bot?start=abc").click()
    assert desk.standin.update("message")["text"] == "/start abc"


def test_typing_indicator_lasts_until_the_message(desk: Desk) -> None:
    desk.starts()
    header = desk.alice.node.locator(".top")
    desk.standin.bot("sendChatAction", chat_id=desk.alice.user_id, action="typing")
    expect(header).to_contain_text("typing…")
    expect(desk.bob.node.locator(".top")).not_to_contain_text("typing…")
    desk.bot_says("There.")
    expect(header).not_to_contain_text("typing…")


def test_spoiler_is_hidden_until_tapped(desk: Desk) -> None:
    desk.starts()
    alice, bob = desk.alice, desk.bob
    for phone in (alice, bob):
        desk.bot_says("They said: <tg-spoiler>the <b>quiet</b> thing</tg-spoiler>", to=phone, parse_mode="HTML")
    hidden = alice.node.get_by_role("button", name="Hidden text. Open")
    expect(hidden).to_be_visible()
    expect(desk.page.locator("#log")).to_contain_text("They said: (hidden text)")
    assert "quiet" not in str(alice.bubble("They said").get_attribute("aria-label"))
    assert hidden.locator("b, strong").evaluate("node => getComputedStyle(node).color") == "rgba(0, 0, 0, 0)"
    hidden.click()
    expect(hidden).to_have_count(0)
    opened = alice.node.locator(".spoiler.open strong")
    assert opened.evaluate("node => getComputedStyle(node).color") != "rgba(0, 0, 0, 0)"
    expect(desk.page.locator("#log")).to_contain_text("Opened: the quiet thing")
    theirs = bob.node.get_by_role("button", name="Hidden text. Open")
    expect(theirs).to_be_visible()
    theirs.press("Enter")
    expect(bob.node.locator(".spoiler.open")).to_have_text("the quiet thing")
    expect(bob.bubble("They said")).to_be_focused()


def test_spoiler_stays_in_its_quote(desk: Desk) -> None:
    desk.starts()
    desk.bot_says("So:\n<blockquote><tg-spoiler>the quiet thing</tg-spoiler></blockquote>\nYes.", parse_mode="HTML")
    quote, hidden = desk.alice.bubble("So:").locator("blockquote"), desk.alice.bubble("So:").locator(".spoiler")
    assert quote.evaluate("node => node.nextSibling.data") == "Yes."  # the quote ends its line; no empty line is left
    expect(hidden).to_have_css("color", "rgba(0, 0, 0, 0)")
    hidden.click()
    expect(quote.locator(".spoiler.open")).to_have_text("the quiet thing")


def test_long_quote_is_folded_until_tapped(desk: Desk) -> None:
    desk.starts()
    lines = "\n".join(f"/command{number}" for number in range(20))
    desk.bot_says(f"Help\n<blockquote expandable>{lines}</blockquote>", parse_mode="HTML")
    bubble = desk.alice.bubble("Help")
    folded = bubble.locator("blockquote").bounding_box()
    bubble.get_by_role("button", name="Show all").click()
    whole = bubble.locator("blockquote").bounding_box()
    assert folded
    assert whole
    assert whole["height"] > 2 * folded["height"]
    expect(bubble.get_by_role("button", name="Show less")).to_have_attribute("aria-expanded", "true")


def test_tapped_time_is_said_by_the_phones_clock(desk: Desk) -> None:
    desk.starts()
    desk.standin.zones[desk.alice.user_id] = "Pacific/Kiritimati"  # 14 hours ahead
    at = desk.standin.now() + timedelta(hours=1)
    moment = f'<tg-time unix="{at.timestamp():.0f}">tomorrow at 20:30</tg-time>'
    desk.bot_says(f"The next one comes {moment}.", parse_mode="HTML")
    expect(desk.alice.node.locator(".phone-clock")).to_contain_text(f"{at + timedelta(hours=13):%H}:")
    desk.alice.bubble("The next one").get_by_role("button", name="tomorrow at 20:30").click()
    expect(desk.alice.node.locator(".toast")).to_contain_text(f"{at + timedelta(hours=14):%H:%M} GMT+14")


def test_taps_show_their_answer(desk: Desk) -> None:
    desk.starts()
    alice = desk.alice
    short = [{"text": "Keep", "callback_data": "k"}, {"text": "Explain", "callback_data": "e"}]
    rows = short, [{"text": "Wide", "callback_data": "w"}]
    desk.bot_says("Choose.", reply_markup=buttons(*rows))
    keep, wide = alice.button("Keep").bounding_box(), alice.button("Wide").bounding_box()
    assert keep
    assert wide
    assert wide["width"] > 1.9 * keep["width"]
    assert wide["y"] > keep["y"]

    alice.button("Keep").click()
    expect(alice.button("Keep")).to_have_attribute("aria-busy", "true")
    query = desk.standin.update("callback_query")
    assert query["data"] == "k"
    desk.standin.bot("answerCallbackQuery", callback_query_id=query["id"], text="Kept.")
    expect(alice.toast).to_have_text("Kept.")
    expect(alice.button("Keep")).not_to_have_attribute("aria-busy", "true")

    alice.button("Explain").click()
    query = desk.standin.update("callback_query")
    desk.standin.bot("answerCallbackQuery", callback_query_id=query["id"], text="At length.", show_alert=True)
    alert = alice.node.get_by_role("alertdialog")
    expect(alert).to_contain_text("At length.")
    expect(alert.get_by_role("button", name="OK")).to_be_focused()
    desk.page.keyboard.press("Enter")
    expect(alert).to_have_count(0)
    expect(alice.button("Explain")).to_be_focused()


def test_pictures_and_files(desk: Desk, tmp_path: Path) -> None:
    desk.starts()
    alice = desk.alice
    chat = str(alice.user_id)
    desk.standin.bot("sendPhoto", files={"photo": ("words.png", PICTURE)}, chat_id=chat, caption="Your words")
    picture = alice.node.get_by_role("img", name="Picture: Your words")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 1
    alice.node.get_by_role("button", name="Show it large").click()
    expect(alice.sheet("Picture").get_by_role("img")).to_be_visible()
    desk.page.keyboard.press("Escape")
    expect(alice.sheet("Picture")).to_have_count(0)

    files = {"photo": ("words.png", PICTURE)}
    desk.standin.bot("sendPhoto", files=files, chat_id=chat, caption="Covered", has_spoiler=True)
    expect(alice.node.get_by_role("img", name="Picture: Covered")).to_have_count(0)
    alice.node.get_by_role("button", name="Covered picture. Show it").click()
    expect(alice.node.get_by_role("img", name="Picture: Covered")).to_be_visible()

    desk.standin.bot("sendDocument", files={"document": ("lines.json", b'{"lines": []}')}, chat_id=chat)
    with desk.page.expect_download() as waiting:
        alice.node.get_by_role("link", name="Download lines.json").click()
    waiting.value.save_as(tmp_path / "got")
    assert waiting.value.suggested_filename == "lines.json"
    assert (tmp_path / "got").read_bytes() == b'{"lines": []}'


def test_protected_message_can_not_be_copied(desk: Desk) -> None:
    desk.starts()
    alice = desk.alice
    desk.bot_says("Only for you", protect_content=True)
    desk.bot_says("For anybody")
    alice.bubble("Only for you").click(button="right")
    menu = alice.node.get_by_role("menu")
    expect(menu).to_contain_text("Can’t be copied or forwarded")
    expect(menu.get_by_role("menuitem", name="Copy text")).to_have_count(0)
    desk.page.keyboard.press("Escape")
    desk.page.keyboard.press("Control+A")
    desk.page.keyboard.press("Control+C")
    copied = desk.page.evaluate("navigator.clipboard.readText()")
    assert "For anybody" in copied
    assert "Only for you" not in copied
    alice.does("For anybody", "Copy text")
    expect(alice.toast).to_have_text("Copied to the clipboard")
    assert desk.page.evaluate("navigator.clipboard.readText()") == "For anybody"


def test_commands_follow_the_phones_language(desk: Desk) -> None:
    commands = [{"command": "pair", "description": "Pair up"}, {"command": "pause", "description": "A break"}]
    desk.standin.bot("setMyCommands", commands=[*commands, {"command": "help", "description": "How it works"}])
    german = [{"command": "pause", "description": "Eine Auszeit"}]
    desk.standin.bot("setMyCommands", commands=german, language_code="de")
    desk.starts()
    alice = desk.alice
    alice.field.press_sequentially("/pa")
    options = alice.node.get_by_role("option")
    expect(options).to_have_text(["/pair Pair up", "/pause A break"])
    alice.field.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    alice.field.press("Enter")
    assert desk.standin.update("message")["text"] == "/pause"
    expect(alice.field).to_have_value("")

    alice.picks("Language: English")
    alice.sheet("Language").get_by_label("Telegram’s language on this phone").select_option("Deutsch")
    alice.sheet("Language").get_by_role("button", name="Use it").click()
    expect(alice.node.locator(".language")).to_have_text("DE")
    alice.button("Commands").click()
    expect(options).to_have_text(["/pause Eine Auszeit"])
    options.first.click()
    update = desk.standin.update("message")
    assert (update["text"], update["from"]["language_code"]) == ("/pause", "de")
    expect(desk.bob.node.locator(".language")).to_have_text("EN")

    alice.picks("Language: Deutsch")
    alice.sheet("Language").get_by_label("Telegram’s language on this phone").select_option("Another one…")
    alice.sheet("Language").get_by_label("Its code").fill("Swedish!")
    desk.page.keyboard.press("Enter")
    expect(alice.sheet("Language")).to_contain_text("A language code looks like")
    alice.sheet("Language").get_by_label("Its code").fill("sv")
    desk.page.keyboard.press("Enter")
    expect(alice.node.locator(".language")).to_have_text("SV")


def test_invite_reaches_the_other_phone(desk: Desk) -> None:
    desk.alice.button("Start").click()
    share = "https://t.me/share/url?url=https%3A%2F%2Ft.me%2Fajar_demo_bot%3Fstart%3Dp_8XkQ2&text=Try%20it"
    keys = buttons([{"text": "Copy", "copy_text": {"text": LINK}}, {"text": "Send it on", "url": share}])
    desk.standin.update("message")
    desk.bot_says(f"Pass it on: {LINK}", reply_markup=keys)
    alice, bob = desk.alice, desk.bob
    alice.button("Copy").click()
    expect(alice.toast).to_have_text("Copied to the clipboard")
    alice.button("Send it on").click()
    expect(alice.sheet("Pass it on")).to_contain_text(f"Try it\n{LINK}", use_inner_text=True)
    desk.page.keyboard.press("Escape")

    bob.picks("Open a link")
    field = bob.sheet("Open a link").get_by_role("textbox")
    field.fill("https://t.me/somebody_else?start=abc")
    field.press("Enter")
    expect(bob.sheet("Open a link")).to_contain_text("That is not a link to @ajar_demo_bot.")
    field.fill("")
    field.press("Control+V")
    field.press("Enter")
    opened = desk.standin.update("message")
    assert (opened["from"]["id"], opened["text"]) == (bob.user_id, "/start p_8XkQ2")

    expect(bob.field).to_be_visible()
    bob.field.focus()
    bob.field.press("Control+V")
    expect(bob.node.locator(".link-strip")).to_contain_text("Sending it only sends words.")
    bob.button("Open it").click()
    assert desk.standin.update("message")["text"] == "/start p_8XkQ2"
    bob.says(f"Look: {LINK}")
    assert desk.standin.update("message")["text"] == f"Look: {LINK}"
    bob.bubble("Look:").get_by_role("link").click()
    assert desk.standin.update("message")["text"] == "/start p_8XkQ2"


def test_other_links_are_confirmed_first(desk: Desk) -> None:
    desk.starts()
    desk.bot_says("Read <a href='https://example.org/help'>this</a>", parse_mode="HTML")
    desk.alice.bubble("Read").get_by_role("link").click()
    sheet = desk.alice.sheet("Open this link?")
    expect(sheet).to_contain_text("https://example.org/help")
    expect(sheet.get_by_role("link", name="Open")).to_have_attribute("rel", "noopener noreferrer")


def test_blocking_unblocking_and_starting_again(desk: Desk) -> None:
    desk.starts()
    alice = desk.alice
    alice.picks("Block bot")
    assert desk.standin.update("my_chat_member")["new_chat_member"]["status"] == "kicked"
    expect(alice.field).to_be_hidden()
    expect(alice.node.locator(".top")).to_contain_text("blocked")
    alice.picks("Unblock bot")
    assert desk.standin.update("my_chat_member")["new_chat_member"]["status"] == "member"
    expect(alice.field).to_be_visible()
    alice.picks("Block bot")
    alice.button("Restart bot").click()
    assert desk.standin.update("message")["text"] == "/start"


def test_moved_clock_renames_the_days(desk: Desk) -> None:
    desk.starts()
    desk.bot_says("Before the clock moved")
    expect(desk.alice.node.locator(".day-name")).to_have_text("Today")
    for name, step in (("+1 hour", 3600), ("Next day", 86400), ("+1 week", 604800)):
        before = desk.standin.now()
        button = desk.page.get_by_role("button", name=name)
        button.click()
        expect(button).not_to_have_attribute("aria-busy", "true")
        expect(desk.page.locator("#notes")).to_contain_text("It is now")
        moved = desk.standin.now() - before
        assert timedelta(seconds=step) <= moved < timedelta(seconds=step + 20)
        now, soon = desk.standin.now(), desk.standin.now() + timedelta(minutes=1)  # the clock goes on meanwhile
        expect(desk.page.locator("#now")).to_contain_text(re.compile(f"{now:%H:%M}|{soon:%H:%M}"))
    expect(desk.alice.node.locator(".day-name")).not_to_have_text("Today")
    desk.bot_says("After it")
    expect(desk.alice.node.locator(".day-name").last).to_have_text("Today")

    desk.forgiven.append("409")
    desk.standin.next_due = None
    desk.page.get_by_role("button", name="Next message").click()
    expect(desk.page.locator("#notes")).to_have_text("Nothing is due: no question and no message is planned yet.")
    shown = desk.page.locator("#now").inner_text()
    expect(desk.page.locator("#now")).not_to_have_text(shown)  # it runs
    expect(desk.page.locator("#live")).to_have_text("Live")


def test_next_message_walks_until_something_shows(desk: Desk) -> None:
    desk.starts()
    silent, spoken, later = (desk.standin.now() + timedelta(hours=hours) for hours in (1, 3, 9))
    desk.standin.plan((silent, ""), (spoken, "The question of the day"), (later, "Too far"))
    desk.page.get_by_role("button", name="Next message").click()
    expect(desk.alice.node).to_contain_text("The question of the day")
    expect(desk.page.locator("#notes")).to_contain_text(spoken.strftime("%H:%M"))
    expect(desk.alice.node).not_to_contain_text("Too far")


def test_week_passes_through_everything_due(desk: Desk) -> None:
    desk.starts()
    begin = desk.standin.now()
    desk.standin.plan(*((begin + timedelta(days=day, hours=-1), f"Question {day}") for day in range(1, 10)))
    desk.page.get_by_role("button", name="+1 week").click()
    expect(desk.page.locator("#notes")).to_contain_text("It is now", timeout=30_000)
    for day in range(1, 8):
        expect(desk.alice.node).to_contain_text(f"Question {day}")
    expect(desk.alice.node).not_to_contain_text("Question 8")
    assert desk.alice.node.locator(".day").count() >= 7


def test_phone_shows_its_owners_zone(desk: Desk) -> None:
    desk.starts()
    desk.standin.zones[desk.alice.user_id] = "Pacific/Kiritimati"  # 14 hours ahead
    desk.bot_says("So you are in Kiritimati.")
    there = desk.standin.now() + timedelta(hours=14)
    expect(desk.alice.node.locator(".phone-clock")).to_contain_text(f"{there:%H}:")
    expect(desk.alice.bubble("So you are").locator(".meta")).to_contain_text(f"{there:%H}:")
    expect(desk.alice.node.locator(".day-name").last).to_have_text("Today")
    expect(desk.page.locator("#now")).to_contain_text("GMT+14")
    expect(desk.bob.node.locator(".phone-clock")).to_contain_text(f"{desk.standin.now():%H}:")


def test_typed_text_survives_a_reload(desk: Desk) -> None:
    desk.starts()
    desk.alice.field.fill("Half a thought")
    desk.open()
    expect(desk.alice.field).to_have_value("Half a thought")
    desk.alice.field.press("Enter")
    assert desk.standin.update("message")["text"] == "Half a thought"
    expect(desk.alice.field).to_have_value("")  # what is being sent is a draft until it is accepted
    desk.open()
    expect(desk.alice.field).to_have_value("")


def test_page_says_what_to_do_first(desk: Desk) -> None:
    hint = desk.page.locator("#hint")
    expect(hint).to_contain_text("Press Start on Alice’s phone.")
    desk.starts()
    expect(hint).to_be_hidden()


def test_screen_reader_hears_buttons_and_language(desk: Desk) -> None:
    for code in ("", "de"):
        desk.standin.bot("setMyCommands", commands=[{"command": "help", "description": "?"}], language_code=code)
    desk.standin.control(f"phones/{desk.alice.user_id}/language", language_code="de")
    desk.starts()
    desk.bot_says("Wann?", reply_markup=buttons([{"text": "Heute", "callback_data": "a"}]))
    said = desk.page.locator("#log p").last
    expect(said).to_have_text("Alice’s phone. Ajar: Wann?. Button: Heute")
    expect(said).to_have_attribute("lang", "de")
    expect(desk.alice.bubble("Wann?").locator(".text")).to_have_attribute("lang", "de")
    desk.bot_says("When?", to=desk.bob)
    expect(desk.bob.bubble("When?").locator(".text")).to_have_attribute("lang", "en")


@pytest.mark.parametrize("language", ["en", "de"])
def test_first_message_fits_a_small_phone(pocket: Desk, language: str) -> None:
    """The greeting can be read whole, above its buttons."""
    pocket.page.set_viewport_size({"width": 360, "height": 640})
    pocket.open()
    pocket.alice.button("Start").click()
    pocket.standin.update("message")
    view = View(say_in(language), pocket.standin.now(), load(content_folder()))
    greeting = consent_wanted(view, ConsentWanted())
    keys = [[{"text": key.text, "callback_data": "x"} for key in row] for row in greeting.rows]
    pocket.bot_says(greeting.text, parse_mode="HTML", reply_markup={"inline_keyboard": keys})
    bubble = pocket.alice.node.locator(".bubble").last
    expect(bubble).to_be_in_viewport(ratio=1)
    for row in greeting.rows:
        for key in row:
            expect(pocket.alice.button(key.text)).to_be_in_viewport(ratio=1)


def test_large_text_fits_a_small_phone(pocket: Desk) -> None:
    session = pocket.context.new_cdp_session(pocket.page)
    session.send("Page.setFontSizes", {"fontSizes": {"standard": 32, "fixed": 26}})
    pocket.page.set_viewport_size({"width": 360, "height": 640})
    pocket.open()
    wide = pocket.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 360
    for name in ("+1 hour", "Next message", "Next day", "+1 week"):
        button = pocket.page.get_by_role("button", name=name)
        assert button.evaluate("node => node.scrollWidth <= node.clientWidth"), name
    start = pocket.alice.button("Start")
    start.scroll_into_view_if_needed()
    expect(start).to_be_in_viewport()


def test_page_shows_local_time(standin: Standin, browser: Browser) -> None:
    for desk in _desk(standin, browser, timezone_id="Pacific/Kiritimati"):  # 14 hours ahead, so mostly another day
        desk.starts()
        here = desk.standin.now() + timedelta(hours=14)
        expect(desk.page.locator("#now")).to_contain_text(f"{here:%a}, {here.day} ")
        expect(desk.page.locator("#now")).to_contain_text(f" {here:%H}:")
        expect(desk.page.locator("#now")).to_contain_text("GMT+14")
        expect(desk.alice.bubble("/start").locator(".meta")).to_contain_text(f"{here:%H:}")
        expect(desk.alice.node.locator(".day-name")).to_have_text("Today")
        desk.page.get_by_role("button", name="Next day").click()
        expect(desk.alice.node.locator(".day-name")).to_have_text("Yesterday")


def test_floating_day_covers_nothing_while_reading(desk: Desk) -> None:
    desk.starts()
    for number in range(25):
        desk.bot_says(f"Line {number}")
    expect(desk.alice.bubble("Line 24")).to_be_in_viewport()
    day = desk.alice.node.locator(".day-name")
    expect(day).to_have_css("opacity", "0")
    desk.alice.bubble("Line 12").hover()
    desk.page.mouse.wheel(0, -200)
    expect(day).to_have_css("opacity", "1")
    expect(day).to_have_css("opacity", "0")
    desk.alice.node.locator(".scroller").evaluate("node => node.scrollTo(0, 0)")
    expect(day).to_have_css("opacity", "1")  # at its own place it stays


def test_button_looks_as_in_telegram(desk: Desk) -> None:
    desk.starts()
    name = "A good deal more than fits there"
    rows = buttons([{"text": name, "callback_data": "a"}, {"text": "Short", "callback_data": "b"}])
    desk.bot_says("Which?", reply_markup=rows)
    long, short = desk.alice.button(name), desk.alice.button("Short")
    assert long.evaluate("node => node.scrollWidth > node.clientWidth")  # it ends with an ellipsis
    assert long.bounding_box()["height"] == short.bounding_box()["height"]  # type: ignore[index]


def test_bots_keyboard_and_every_attachment(desk: Desk) -> None:
    desk.starts()
    alice = desk.alice
    for number in range(12):
        desk.bot_says(f"Line {number}")
    rows = [[{"text": "Share my place", "request_location": True}], [{"text": "I type it"}]]
    desk.bot_says(
        "Where are you?",
        reply_markup={"keyboard": rows, "one_time_keyboard": True, "input_field_placeholder": "A city"},
    )
    expect(alice.field).to_have_attribute("placeholder", "A city")
    expect(alice.bubble("Where are you?")).to_be_in_viewport(ratio=1)  # the keyboard pushes nothing out of sight
    alice.button("Share my place").click()
    alice.node.get_by_role("button", name="Kathmandu").click()
    assert desk.standin.update("message")["location"]["longitude"] == pytest.approx(85.324)
    expect(alice.button("I type it")).to_be_hidden()
    alice.node.get_by_role("button", name="Show or hide the bot’s keyboard").click()
    alice.button("I type it").click()
    assert desk.standin.update("message")["text"] == "I type it"
    desk.bot_says("Thanks.", reply_markup={"remove_keyboard": True})
    expect(alice.node.locator(".reply-keyboard button")).to_have_count(0)

    for label, kind in (
        ("Photo", "photo"),
        ("Voice message", "voice"),
        ("Sticker", "sticker"),
        ("Document", "document"),
        ("Poll", "poll"),
    ):
        alice.button("Attach").click()
        alice.node.get_by_role("menuitem", name=label).click()
        assert kind in desk.standin.update("message")
    alice.button("Attach").click()
    alice.node.get_by_role("menuitem", name="Location").click()
    alice.node.get_by_role("button", name="Sydney").click()
    assert desk.standin.update("message")["location"]["latitude"] == pytest.approx(-33.8688)
    alice.button("Attach").click()
    alice.node.get_by_role("menuitem", name="Forwarded text").click()
    alice.node.get_by_label("What somebody else wrote").fill("Somebody’s words")
    alice.node.get_by_role("button", name="Forward", exact=True).click()
    assert "forward_origin" in desk.standin.update("message")
    expect(alice.bubble("Somebody’s words")).to_contain_text("Forwarded message")
    alice.field.fill("Its caption")
    alice.button("Attach").click()
    alice.node.get_by_role("menuitem", name="Photo").click()
    assert desk.standin.update("message")["caption"] == "Its caption"
    expect(alice.field).to_have_value("")


def test_page_is_usable_by_keyboard_alone(desk: Desk) -> None:
    page, alice = desk.page, desk.alice
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the clock")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to Alice’s message field")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(alice.button("Start")).to_be_focused()
    page.keyboard.press("Enter")
    assert desk.standin.update("message")["text"] == "/start"
    expect(alice.field).to_be_focused()
    desk.bot_says("A question", reply_markup=buttons([{"text": "Later", "callback_data": "l"}]))
    expect(alice.button("Later")).to_be_visible()

    page.keyboard.type("An answer")
    page.keyboard.press("Enter")
    assert desk.standin.update("message")["text"] == "An answer"
    expect(alice.bubble("An answer")).to_be_visible()
    for _ in range(12):
        page.keyboard.press("Shift+Tab")
        if alice.node.locator(".bubble:focus").count():
            break
    page.keyboard.press("End")
    expect(alice.bubble("An answer")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(alice.bubble("A question")).to_be_focused()
    outline = alice.bubble("A question").evaluate("node => getComputedStyle(node).outlineStyle")
    assert outline == "solid"  # the focus is visible
    page.keyboard.press("Tab")
    expect(alice.button("Later")).to_be_focused()
    page.keyboard.press("Enter")
    query = desk.standin.update("callback_query")
    desk.standin.bot("answerCallbackQuery", callback_query_id=query["id"])

    alice.bubble("A question").focus()
    page.keyboard.press("Enter")
    menu = alice.node.get_by_role("menu")
    expect(menu).to_be_visible()
    page.keyboard.press("Escape")
    expect(alice.bubble("A question")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("r")
    expect(menu.get_by_role("menuitem", name="Reply")).to_be_focused()
    page.keyboard.press("Enter")
    expect(alice.field).to_be_focused()
    page.keyboard.type("To the question")
    page.keyboard.press("Enter")
    assert desk.standin.update("message")["reply_to_message"]["text"] == "A question"


def test_tab_key_skips_a_long_chat(desk: Desk) -> None:
    desk.starts()
    page, alice = desk.page, desk.alice
    for number in range(8):
        keys = buttons([{"text": f"Later {number}", "callback_data": "l"}, {"text": "No", "callback_data": "n"}])
        desk.bot_says(f"Question {number}, or /help", reply_markup=keys)
    expect(alice.button("Later 7")).to_be_visible()
    alice.node.get_by_role("button", name="Menu of").focus()
    page.keyboard.press("Tab")
    expect(alice.bubble("Question 7")).to_be_focused()  # the newest one, and what is in it
    for name in ("/help", "Later 7", "No", "Commands"):
        page.keyboard.press("Tab")
        expect(alice.button(name).and_(page.locator(":focus"))).to_have_count(1)
    alice.bubble("Question 7").focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(alice.button("Later 6")).to_be_focused()


def test_alert_leaves_the_other_phone_focused(desk: Desk) -> None:
    desk.starts()
    alice, bob = desk.alice, desk.bob
    desk.bot_says("A question", reply_markup=buttons([{"text": "Later", "callback_data": "l"}]))
    bob.field.focus()
    alice.button("Later").evaluate("button => button.click()")
    query = desk.standin.update("callback_query")
    desk.standin.bot("answerCallbackQuery", callback_query_id=query["id"], text="Look.", show_alert=True)
    expect(alice.node.get_by_role("alertdialog")).to_be_visible()
    expect(bob.field).to_be_focused()


def test_narrow_screen_has_tabs(pocket: Desk) -> None:
    page, alice, bob = pocket.page, pocket.alice, pocket.bob
    tabs = page.get_by_role("tab")
    expect(tabs).to_have_text(["Alice", "Bob"])
    expect(bob.node).to_be_hidden()
    alice.button("Start").click()
    pocket.standin.update("message")
    tabs.first.focus()
    page.keyboard.press("ArrowRight")
    expect(tabs.last).to_be_focused()
    expect(alice.node).to_be_hidden()
    bob.button("Start").click()
    pocket.standin.update("message")
    pocket.bot_says("One")
    pocket.bot_says("Two")
    expect(tabs.first).to_have_text("Alice2 new")
    tabs.first.click()
    expect(alice.bubble("Two")).to_be_in_viewport()
    expect(tabs.first).to_have_text("Alice")
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= NARROW["width"]


def test_lost_connection_is_shown_and_restored(browser: Browser, tmp_path: Path) -> None:
    with Standin(tmp_path) as standin:
        for desk in _desk(standin, browser):
            desk.forgiven.append("ERR_")  # the browser's own words for it
            desk.starts()
            expect(desk.bob.bubble("/start")).to_be_visible()
            standin.stop()
            expect(desk.page.locator("#connection")).to_contain_text("Trying again")
            expect(desk.page.locator("#live")).to_have_text("Lost")
            desk.alice.says("Not lost")
            expect(desk.alice.toast).to_contain_text("The demo does not answer.")
            expect(desk.alice.field).to_have_value("Not lost")
            standin.start()
            expect(desk.page.locator("#connection")).to_be_hidden(timeout=15_000)
            desk.alice.field.press("Enter")
            assert standin.update("message")["text"] == "Not lost"
            expect(desk.alice.bubble("Not lost")).to_be_visible()


def test_new_message_keeps_the_reading_position(desk: Desk) -> None:
    desk.starts()
    for number in range(25):
        desk.bot_says(f"Line {number}")
    last = desk.alice.bubble("Line 24")
    expect(last).to_be_in_viewport()
    desk.alice.node.locator(".scroller").evaluate("node => node.scrollTo(0, 0)")
    jump = desk.alice.button("To the newest message")
    expect(jump).to_be_visible()
    desk.bot_says("The newest")
    expect(jump).to_have_class("jump news")
    expect(desk.alice.bubble("Line 0")).to_be_in_viewport()
    jump.click()
    expect(desk.alice.bubble("The newest")).to_be_in_viewport()
    expect(jump).to_be_hidden()


# Text, and the background it must be readable on; measured as the browser draws it.
CONTRAST = """
() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const layer = (color, below) => {
    canvas.fillStyle = `rgb(${below.join(" ")})`;
    canvas.fillRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const behind = (node) => {
    const line = [];
    for (let at = node; at; at = at.parentElement) line.unshift(getComputedStyle(at).backgroundColor);
    return line.reduce((below, color) => layer(color, below), [255, 255, 255]);
  };
  const light = (rgb) => rgb.map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const poor = [];
  let measured = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !node.checkVisibility()) continue;
    if (node.closest(".sr, .veil, .skips, script, noscript, option")) continue;
    measured += 1;
    const under = behind(node);
    const [a, b] = [light(under), light(layer(getComputedStyle(node).color, under))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const words = `${node.className || node.tagName} "${walker.currentNode.data.slice(0, 30)}"`;
    if (ratio < 4.5) poor.push(`${words} ${ratio.toFixed(2)}`);
  }
  return { measured, poor };
}
"""

# Every control has a name; ids are unique; nothing moves for users who prefer reduced motion.
AUDIT = """
() => {
  const nameless = [...document.querySelectorAll("button, a, input, select, textarea, [role=button], [role=tab]")]
    .filter((node) => !(node.ariaLabel ?? "").trim() && !node.textContent.trim() && !node.labels?.length);
  const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
  return {
    nameless: nameless.map((node) => node.outerHTML),
    twice: ids.filter((id, index) => ids.indexOf(id) !== index),
    moving: document.getAnimations().map((animation) => animation.effect.target.className),
  };
}
"""


def check_looks(page: Page) -> None:
    seen = page.evaluate(CONTRAST)
    assert seen["poor"] == []
    assert seen["measured"] > 20
    assert page.evaluate(AUDIT) == {"nameless": [], "twice": [], "moving": []}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_both_themes_are_readable_and_named(desk: Desk, theme: str) -> None:
    desk.page.emulate_media(color_scheme="light" if theme == "dark" else "dark")
    button = desk.page.get_by_role("button", name="Theme:")
    while button.inner_text() != f"Theme: {theme}":
        button.click()
    desk.page.reload()  # the choice is remembered
    expect(button).to_have_text(f"Theme: {theme}")
    desk.starts()
    keys = buttons([{"text": "Plain", "callback_data": "a"}, {"text": "Out", "url": "https://example.org"}])
    asked = desk.bot_says(
        "See /help, https://example.org or <tg-spoiler>this</tg-spoiler>", parse_mode="HTML", reply_markup=keys
    )
    desk.alice.says("Mine, with https://example.org")
    mine = desk.standin.update("message")["message_id"]
    desk.bot_says("<code>x</code> <pre>y</pre>", parse_mode="HTML", reply_parameters={"message_id": asked})
    desk.standin.control(f"phones/{desk.alice.user_id}/text", text="An answer", reply_to=asked)
    desk.standin.control(f"phones/{desk.alice.user_id}/forward", text="Theirs")
    for kind in ("document", "voice", "poll", "sticker", "location"):
        desk.standin.control(f"phones/{desk.alice.user_id}/media", kind=kind, latitude=1, longitude=1)
    desk.standin.control(f"phones/{desk.alice.user_id}/edit", message_id=mine, text="Mine, changed")
    expect(desk.alice.bubble("Mine, changed")).to_contain_text("edited")
    check_looks(desk.page)
    desk.alice.bubble("An answer").click(button="right")
    desk.bob.picks("Open a link")
    check_looks(desk.page)
    desk.page.keyboard.press("Escape")
    desk.bob.picks("Block bot")
    desk.alice.field.fill(f"/p {LINK}")
    expect(desk.bob.button("Restart bot")).to_be_visible()
    check_looks(desk.page)
