"""Exports on both databases: everything of one person, nothing of the other, in files of a size to send."""

import threading
from dataclasses import fields
from datetime import time, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from bot.domain.expectations import Reception
from bot.domain.feelings import Feeling
from bot.domain.model import Draft, DraftReason, Line, User
from bot.domain.notices import NoticeKind
from bot.domain.results import Result
from bot.domain.results.answering import ReplyWanted
from bot.domain.results.privacy import ExportBegun, ExportTooSoon, ExportUnderWay
from bot.domain.sharing import ResponseKind
from bot.export_document import Document, Profile, parse
from bot.services.exporting import ONCE_IN, Exporting
from bot.services.privacy import Privacy
from bot.storage import records
from bot.storage.ids import timeless_id
from bot.storage.notices import Settled
from bot.storage.schema import metadata, responses
from tests.services.test_sharing import ALICE, BOB, WORDS, Home, home  # noqa: F401  # the fixture

OF_BOB = "Bob's own words."

LEFT_OUT = {
    # Of the machine, or worked out anew
    "users": "data_key consent_asked blocked_at next_ask_at next_ask_day yes_to to_say muted_themes "
    "muted_sensitivities recap",
    "lines": "message_id revision card_id user_id",
    "asks": "id user_id opening",
    "drafts": "id user_id message_id ask_id line_id reflection_id line_revision card_id",
    "rests": "user_id",
    "shown_prompts": "user_id",
    # The receiver, and everything that depends on what the partner did
    "reflections": "id user_id partner_id pair_id depth rewording_id remind_at announced_at opened_at cue_id consent "
    "announcement_id told",
    "responses": "id user_id reflection_id landed",
    "follow_ups": "id user_id response_id sent_at",
    "expectations": "reflection_id user_id",
    "kept_questions": "id user_id",
    "records": "id user_id",
}
"""Columns that no export has, by table."""
ELSEWHERE = {
    "master_keys", "dialogs", "ask_messages", "journal_pages", "invites", "wrong_codes", "pairs", "pair_members",
    "endings", "openings", "rituals", "ritual_seats", "traces", "arrivals", "notices", "inbox", "processes",
    "holds", "notes",
}  # fmt: skip
"""Tables with nothing of a person's own: what the machine needs for a while, who is paired, what depends on both."""
RENAMED = {"covered_until": "last_day", "since": "created_at"}
"""Columns of users that have another name in the profile."""
EXPORTED = {
    "users": " ".join(
        {"id", "consented_at", "consent_version", "muted"}
        | {RENAMED.get(name, name) for name in Profile.model_fields.keys() - {"muted_themes", "muted_sensitivities"}}
    ),
    "lines": "id day ask_id prompt_id noticed words kept_at changed_at feelings",
    "asks": "day state due_at prompt_id shown_at snoozed_until callback_line_id",
    "drafts": "reason words sent_at",
    "rests": "first_day last_day kind",
    "shown_prompts": "prompt_id shown_at",
    "reflections": "line_id state wish words question rewording drafted_at shared_at due_at ritual",
    "responses": "answer words sent_at landing",
    "follow_ups": "words said_yes_at",
    "expectations": "expected came",
    "kept_questions": "question due_at",
    "records": "content",
}


def nobody_waits(_done: int, _total: int) -> None:
    pass


async def exported(home: Home, user_id: int, part_bytes: int = 10**9) -> list[Document]:  # noqa: F811
    async with home.store.reading() as rows:
        user = await rows.users.find(user_id)
    assert user
    made = await Exporting().files(home.store, user, home.now, lambda entries: entries, nobody_waits, part_bytes)
    return [parse(file.json()) for file in made]


async def export_of(home: Home, user_id: int) -> Document:  # noqa: F811
    (document,) = await exported(home, user_id)
    return document


async def both_live(home: Home) -> int:  # noqa: F811
    """Alice shares two lines, of which Bob opens and answers the first. Return that one."""
    (opened,) = await home.announced()
    await home.opens(opened)
    chosen = await home.chooses(opened, ResponseKind.LINE)
    assert isinstance(chosen, ReplyWanted)
    await home.sends(await home.replies(opened, OF_BOB))
    assert await home.hears()
    await home.shares()
    return opened


def test_every_column_is_exported_or_excused() -> None:
    """Whoever adds a column decides here which it is."""
    for table in metadata.sorted_tables:
        if table.name in ELSEWHERE:
            continue
        known = f"{EXPORTED[table.name]} {LEFT_OUT[table.name]}".split()
        assert sorted(known) == sorted(column.name for column in table.c), table.name


def test_every_setting_is_in_the_profile() -> None:
    apart = set(LEFT_OUT["users"].split()) | {"id", "consented_at", "consent_version"}
    settings = {field.name for field in fields(User) if field.name not in apart}
    kept = {"name", "created_at", "muted_themes", "muted_sensitivities"}
    assert {RENAMED.get(name, name) for name in Profile.model_fields} == settings | kept


async def test_export_has_only_its_owners_data(home: Home) -> None:  # noqa: F811
    opened = await both_live(home)
    async with home.store.writing(ALICE) as rows:
        (line, *_) = await rows.lines.page(ALICE, None, 1)
        await rows.lines.set_feelings(line, [Feeling(own="hollow"), Feeling(shelf="heavy")])
        await rows.expectations.expect(ALICE, opened, Reception.SILENCE)
        await rows.drafts.set_aside(Draft(0, ALICE, DraftReason.SECOND, "Not decided.", 8), home.now)
        await rows.questions.keep(ALICE, 5, ResponseKind.HARDEST, home.now)
    alice, bob = await export_of(home, ALICE), await export_of(home, BOB)

    assert [line.words for line in alice.lines] == [WORDS, WORDS]
    assert alice.lines[-1].feelings[0].word == "hollow"
    assert [(each.state, each.words, each.expected) for each in alice.reflections] == [
        ("shared", WORDS, "silence"), ("shared", WORDS, None),
    ]  # fmt: skip
    assert [each.line for each in alice.reflections] == [1, 2]
    assert [each.words for each in alice.drafts] == ["Not decided."]
    assert [each.question for each in alice.kept_questions] == ["hardest"]
    assert alice.profile
    assert (alice.account, alice.profile.name, alice.profile.ask_at) == (ALICE, "Alice", time(20))
    assert alice.consent
    assert OF_BOB not in alice.model_dump_json()

    assert [(each.answer, each.words) for each in bob.responses] == [("line", OF_BOB)]
    assert bob.lines == []
    assert WORDS not in bob.model_dump_json()


async def test_nothing_that_the_partner_does_shows(home: Home) -> None:  # noqa: F811
    """Not even to a program that compares two exports."""
    (first,), second = await home.announced(), await home.shares()
    before = (await export_of(home, ALICE)).model_dump(exclude={"made_at"})
    await home.puts_off(first)
    await home.opens(first)
    await home.answers(first)
    assert isinstance(await home.undoes(await response_of(home, first)), Result)
    async with home.store.writing(BOB) as rows:
        user = await rows.users.find(BOB)
        assert user
        await rows.users.change(user, blocked_at=home.now, paused_at=home.now)
    assert (await export_of(home, ALICE)).model_dump(exclude={"made_at"}) == before
    assert second
    await home.leaves(BOB)
    assert (await export_of(home, ALICE)).model_dump(exclude={"made_at"}) == before
    await home.do(BOB, lambda visit: Privacy(home.pairing).erase(visit.rows, visit.user, home.now, home.now))
    assert (await export_of(home, ALICE)).model_dump(exclude={"made_at"}) == before


async def response_of(home: Home, about: int) -> int:  # noqa: F811
    async with home.store.reading() as rows:
        found = await rows._connection.execute(select(responses.c.id).where(responses.c.reflection_id == about))
        return int(found.scalar_one())


async def test_long_export_is_divided_without_loss(home: Home) -> None:  # noqa: F811
    async with home.store.writing(ALICE) as rows:
        for number in range(700):
            line = Line(timeless_id(), ALICE, home.now.date(), None, number)
            await rows.lines.keep(
                line, f"Line {number}.", prompt_id=None, now=home.now + timedelta(seconds=number // 2)
            )
    parts = await exported(home, ALICE, part_bytes=20_000)
    assert len(parts) > 5
    assert max(len(part.model_dump_json()) for part in parts) < 25_000
    assert [line.words for part in parts for line in part.lines] == [f"Line {number}." for number in range(700)]
    assert [line.number for part in parts for line in part.lines] == list(range(1, 701))
    assert [(part.part, part.last) for part in parts] == [(n, n == len(parts)) for n in range(1, len(parts) + 1)]
    assert [part.profile is not None for part in parts] == [True] + [False] * (len(parts) - 1)


async def test_half_a_character_does_no_harm(home: Home) -> None:  # noqa: F811
    async with home.store.writing(ALICE) as rows:
        line = Line(timeless_id(), ALICE, home.now.date(), None, 1)
        await rows.lines.keep(line, "A broken \ud83d client.", prompt_id=None, now=home.now)
    assert (await export_of(home, ALICE)).lines[0].words == "A broken \ufffd client."


async def test_once_an_hour(home: Home) -> None:  # noqa: F811
    request = Exporting().request
    assert await home.do(ALICE, request) == ExportBegun()
    assert await home.do(ALICE, request) == ExportUnderWay()
    async with home.store.writing() as rows:
        (notice,) = [one for one in await rows.notices.claim(home.now, 9, 1) if one.kind is NoticeKind.EXPORT]
        await rows.notices.settle(notice, Settled.SENT, home.now)
    assert await home.do(ALICE, request) == ExportTooSoon(home.now + ONCE_IN)
    assert await home.do(BOB, request) == ExportBegun(), "that is about Alice alone"
    home.clock.advance(ONCE_IN)
    assert await home.do(ALICE, request) == ExportBegun()


async def test_failed_export_repeats_at_once(home: Home) -> None:  # noqa: F811
    assert await home.do(ALICE, Exporting().request) == ExportBegun()
    async with home.store.writing() as rows:
        (notice,) = [one for one in await rows.notices.claim(home.now, 9, 1) if one.kind is NoticeKind.EXPORT]
        await rows.notices.settle(notice, Settled.REFUSED, home.now)
    assert await home.do(ALICE, Exporting().request) == ExportBegun()


async def test_deleted_line_hides_its_opening(home: Home) -> None:  # noqa: F811
    for opens in (False, True):
        (about,) = await home.announced()
        if opens:
            await home.opens(about)
        await deletes_newest(home)
        assert (await export_of(home, ALICE)).reflections == []
    answered = await both_live(home)
    async with home.store.reading() as rows:
        found = await rows.reflections.mine(ALICE, answered)
        assert found
        line = await rows.lines.find(ALICE, found.line_id or 0)
    assert line
    await home.do(ALICE, lambda visit: home.lines.delete(visit, line.id, line.revision))
    assert [each.words for each in (await export_of(home, ALICE)).reflections] == [None, WORDS], "she saw an answer"


async def deletes_newest(home: Home) -> None:  # noqa: F811
    async with home.store.reading() as rows:
        (line,) = await rows.lines.page(ALICE, None, 1)
    await home.do(ALICE, lambda visit: home.lines.delete(visit, line.id, line.revision))


async def test_responses_are_in_the_order_given(home: Home) -> None:  # noqa: F811
    """It tells neither when the partner shared what they are about, nor that a partner has erased everything."""
    first = await home.shares()
    home.clock.advance(timedelta(minutes=1))
    (second,) = await home.announced()
    for about, answer in ((second, ResponseKind.THANKS), (first, ResponseKind.READ)):
        await home.opens(about)
        await home.answers(about, answer)
        await home.goes_out()
    home.clock.advance(timedelta(minutes=1))
    later = {"answer": "line", "words": OF_BOB, "sent_at": f"{home.now:%Y-%m-%dT%H:%M:%SZ}"}
    async with home.store.writing(BOB) as rows:
        await rows.records.add(BOB, [{"responses": [later]}], home.now)
    assert [each.answer for each in (await export_of(home, BOB)).responses] == ["thanks", "read", "line"]


async def test_records_are_sealed_off_the_loop(
    home: Home,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    threads = []

    def watched(work: Any) -> Any:
        def watch(*args: Any, **place: Any) -> Any:
            threads.append(threading.current_thread())
            return work(*args, **place)

        return watch

    for name in ("seal", "open_or_none"):
        monkeypatch.setattr(records, name, watched(getattr(records, name)))
    async with home.store.writing(BOB) as rows:
        await rows.records.add(BOB, [{"kept_questions": []}], home.now)
        assert len(await rows.records.of(BOB, 0, 9)) == 1
    assert len(threads) == 2
    assert threading.main_thread() not in threads
