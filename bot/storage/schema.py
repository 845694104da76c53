"""The tables. Users' texts are only in columns of type `Sealed`; instants are milliseconds since 1970 in UTC.

`users.muted_themes`, `users.muted_sensitivities`, `responses.landed` and `ritual_seats.terms` are older than migration
0014. Once bot.storage.tying has sealed their content, they are empty, and nothing reads or writes them.

An index with `sqlite_where` has only these rows in PostgreSQL too, where the migrations make it and a test compares it.
Naming `postgresql_where` here would load SQLAlchemy's code for PostgreSQL in every bot, which takes 3 MiB.
"""

from datetime import timedelta
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from bot.domain.model import QUIET_FROM, QUIET_TO, Rhythm
from bot.domain.times import EVERY_DAY
from bot.storage.columns import QUARTER, Coarse, Day, Flag, Hour, Id, Instant, Names, Sealed, Weekdays

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _table(name: str, *parts: Any) -> Table:
    return Table(name, metadata, *parts, sqlite_strict=True)


def _owner() -> Column[int]:
    return Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), nullable=False)


master_keys = _table(  # the versions of the master key that have wrapped data keys of this database
    "master_keys",
    Column("version", Id, primary_key=True, autoincrement=False),
    Column("fingerprint", LargeBinary, nullable=False),  # keyed by the master key, to distinguish it from another one
    Column("retired", Flag, nullable=False, default=False),  # removed from the key file, so it no longer wraps anything
)

users = _table(
    "users",
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("data_key", LargeBinary, nullable=False),  # wrapped by the master key
    Column("language", Text, nullable=False),
    Column("language_chosen", Flag, nullable=False, default=False),
    Column("telegram_language", Text),
    Column("name", Sealed),  # the name that the partner sees
    Column("created_at", Coarse(timedelta(days=1)), nullable=False),
    Column("consented_at", Instant),  # NULL while their consent is withdrawn
    Column("consent_version", Integer),  # of the policy that they agreed to
    Column("consent_asked", Integer),  # the newest version that the bot has asked about unprompted
    Column("ask_at", Hour),
    Column("zone", Text),
    Column("days", Weekdays, nullable=False, default=EVERY_DAY),
    Column("quiet_from", Hour, default=QUIET_FROM),
    Column("quiet_to", Hour, default=QUIET_TO),
    Column("receives_only", Flag, nullable=False, default=False, server_default=text("0")),
    Column("yes_to", Id),  # an Invite; no foreign key, as a yes to one that is gone does nothing
    Column("soft_reminder", Flag, nullable=False, default=False),
    Column("discreet", Flag, nullable=False, default=False),
    Column("silent", Flag, nullable=False, default=False, server_default=text("0")),
    Column("recap", Flag, nullable=False, default=False),  # only the previous version reads it; to be dropped next
    Column("weekly_recap", Flag),  # whether a recap comes each week; NULL until the first one has come
    Column("callbacks", Flag),  # whether older Lines may be brought back; NULL until we have asked
    Column("depth", Integer, nullable=False),
    Column("ceiling", Integer, nullable=False),
    Column("comfortable", Integer, nullable=False, default=0),
    Column("offered_depth", Integer),
    Column("refused_depth", Integer),
    Column("hour_offered", Flag, nullable=False, default=False),
    Column("muted_themes", Names, nullable=False, default=frozenset()),
    Column("muted_sensitivities", Names, nullable=False, default=frozenset()),
    Column("partnered", Sealed),  # whether they say that they have a partner, even without a Pair; NULL is a no
    Column("muted", Sealed),  # the themes and sensitivities left out, padded to hide how many
    Column("rhythm", Text, nullable=False, default=Rhythm.DAILY),
    Column("unanswered", Integer, nullable=False, default=0),
    Column("to_say", Text),
    Column("paused_at", Instant),
    Column("paused_until", Day),
    Column("blocked_at", Instant),
    Column("next_ask_at", Instant),
    Column("next_ask_day", Day),
    Column("last_day", Day),
    CheckConstraint("depth BETWEEN 1 AND 5 AND ceiling BETWEEN 1 AND 5", name="depths"),
    CheckConstraint("days BETWEEN 1 AND 127", name="days"),
)
# The only index that planning reads: the users who are due, in order.
Index(
    "ix_users_due",
    users.c.next_ask_at,
    sqlite_where=users.c.next_ask_at.is_not(None),
)

dialogs = _table(
    "dialogs",
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("waiting", Text, nullable=False),
    Column("subject_id", Id, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("message_id", Id),  # the last message that we took as the answer
    Column("detail", Text),  # the variant that is awaited, such as a Stem
)

asks = _table(
    "asks",
    Column("id", Id, primary_key=True, autoincrement=False),
    _owner(),
    Column("day", Day, nullable=False),
    Column("state", Text, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("prompt_id", Text),
    Column("shown_at", Instant),
    Column("snoozed_until", Instant),
    Column("opening", Text),
    Column("callback_line_id", Id),  # the Line that it brings back; no foreign key, as that may be deleted
    UniqueConstraint("user_id", "day"),  # at most one Ask per local date
)

rests = _table(  # why dates passed without an Ask; with the Asks they cover each date up to users.last_day once
    "rests",
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("first_day", Day, primary_key=True),
    Column("last_day", Day, nullable=False),
    Column("kind", Text, nullable=False),
)

ask_messages = _table(  # which messages show an Ask, so that a reply to one finds it
    "ask_messages",
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("message_id", Id, primary_key=True),
    Column("ask_id", Id, ForeignKey("asks.id", ondelete="CASCADE"), nullable=False),
    Column("prompt_id", Text),  # an older message can show a prompt that was swapped since
)
Index("ix_ask_messages_of_ask", ask_messages.c.ask_id)

shown_prompts = _table(  # when a prompt was last shown to a user, so that it isn't repeated too soon
    "shown_prompts",
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("prompt_id", Text, primary_key=True),
    Column("shown_at", Instant, nullable=False),
)

lines = _table(
    "lines",
    Column("id", Id, primary_key=True, autoincrement=False),
    _owner(),
    Column("day", Day, nullable=False),
    Column("ask_id", Id, ForeignKey("asks.id", ondelete="SET NULL")),
    Column("prompt_id", Text),
    Column("message_id", Id, nullable=False),
    Column("words", Sealed, nullable=False),
    Column("kept_at", Instant, nullable=False),  # the quarter-hour, plus the position within it as milliseconds
    Column("changed_at", Coarse(QUARTER)),
    Column(
        "revision", Integer, nullable=False, server_default=text("0")
    ),  # buttons only count for the revision they show
    Column("card_id", Id),  # the message with its current buttons
    Column("noticed", Flag, nullable=False, default=False, server_default=text("0")),  # about what the partner did
    Column("feelings", Sealed),  # the words added to it, padded to hide which and how many; NULL if there are none
    UniqueConstraint("user_id", "message_id"),  # one message, one Line, however often it is delivered
)
Index("ix_lines_of_user", lines.c.user_id, lines.c.kept_at, lines.c.message_id)
Index("ix_lines_of_ask", lines.c.ask_id)

journal_pages = _table(  # the page of the Journal that a user saw last, to lead them back to it
    "journal_pages",
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("after_id", Id),  # the Line above the page; NULL on the first page. No foreign keys: Lines may be deleted
    Column("line_id", Id),  # the Line that is open
    Column("filter_id", Id),  # the user's choice of a Filter; NULL if all Lines are shown
    Column("filter", Sealed),
    Column("found", Sealed),  # the ids of the Lines that match it, newest first; NULL until the search is done
)

drafts = _table(
    "drafts",
    Column("id", Id, primary_key=True, autoincrement=False),
    _owner(),
    Column("reason", Text, nullable=False),
    Column("words", Sealed, nullable=False),
    Column("message_id", Id, nullable=False),
    Column("ask_id", Id, ForeignKey("asks.id", ondelete="SET NULL")),
    Column("line_id", Id, ForeignKey("lines.id", ondelete="SET NULL")),
    Column("sent_at", Instant, nullable=False),
    Column("reflection_id", Id),  # no foreign key: the draft belongs to its writer even if the sharer is gone
    Column("line_revision", Integer),
    Column("card_id", Id),
    UniqueConstraint("user_id", "message_id"),
)
Index("ix_drafts_of_ask", drafts.c.ask_id)
Index("ix_drafts_of_line", drafts.c.line_id)
Index("ix_drafts_sent_at", drafts.c.sent_at)

invites = _table(  # open ones only; used or replaced ones are deleted
    "invites",
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("link_hash", LargeBinary, nullable=False, unique=True),  # keyed; the link itself isn't stored
    Column("code_hash", LargeBinary, nullable=False, unique=True),
    Column("expires_at", Instant, nullable=False),
    Column("guest_id", Id, ForeignKey("users.id", ondelete="CASCADE")),  # the first to use it
    Column("accepted_at", Instant),  # when the guest said yes
    Column("refused", Flag, nullable=False, default=False),  # then only its guest still sees it, without noticing
    Column("card_id", Id),  # the newest message that offers it, so that its buttons can be removed
)
Index(
    "ix_invites_of_user",
    invites.c.user_id,
    unique=True,
    sqlite_where=invites.c.refused == 0,
)  # one per user
Index("ix_invites_of_guest", invites.c.guest_id)
Index("ix_invites_expires_at", invites.c.expires_at)

wrong_codes = _table(  # when somebody tried a code that leads nowhere; kept even if they erase themselves
    "wrong_codes",
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("account", LargeBinary, nullable=False),  # a keyed hash of the user's id
    Column("tried_at", Instant, nullable=False),
)
Index("ix_wrong_codes_of_account", wrong_codes.c.account, wrong_codes.c.tried_at)
Index("ix_wrong_codes_tried_at", wrong_codes.c.tried_at)

pairs = _table(  # active ones only
    "pairs",
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("a", Id, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("b", Id, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("since", Instant, nullable=False),
    UniqueConstraint("a"),
    UniqueConstraint("b"),
    CheckConstraint("a <> b", name="two"),
)

pair_members = _table(  # one active Pair per user, on either side
    "pair_members",
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("pair_id", Id, ForeignKey("pairs.id", ondelete="CASCADE"), nullable=False),
    Column("proof", Sealed),  # sealed with this user's key: proves that these two are a Pair
)
Index("ix_pair_members_of_pair", pair_members.c.pair_id)

endings = _table(  # users who haven't heard yet that their Pair has ended, without why or when
    "endings",
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("pair_id", Id),  # the Pair that has ended
)

reflections = _table(
    "reflections",
    Column("id", Id, primary_key=True, autoincrement=False),
    _owner(),  # the sharer
    Column("partner_id", Id, nullable=False),  # no foreign key: to the sharer nothing changes when this user is gone
    Column("pair_id", Id, nullable=False),  # no foreign key: cancelled Reflections outlive their Pair for a while
    Column("line_id", Id, ForeignKey("lines.id", ondelete="SET NULL")),
    Column("state", Text, nullable=False),
    Column("depth", Integer),
    Column("wish", Text),
    Column("words", Sealed),  # as previewed; NULL once taken back or lapsed
    Column("question", Sealed),  # the prompt that goes with the words; NULL if they go without
    Column("rewording", Sealed),  # new words that wait for the sharer's yes
    Column("rewording_id", Id),  # the message they came as; a yes to another preview doesn't count
    Column("drafted_at", Instant, nullable=False),
    Column("shared_at", Instant),
    Column("due_at", Instant),
    Column("remind_at", Instant),
    Column("announced_at", Instant),
    Column("opened_at", Instant),
    Column("cue_id", Text),
    Column("ritual", Integer, nullable=False),
    Column("consent", Sealed),  # the sharer's yes to showing it to this receiver from `due_at` on, with the Wish
    Column("announcement_id", Id),  # the Announcement of several at once
    Column("told", Flag, nullable=False, default=False, server_default=text("0")),  # its sharer has seen the Response
)
Index("ix_reflections_of_user", reflections.c.user_id, reflections.c.due_at)
Index("ix_reflections_for_partner", reflections.c.partner_id, reflections.c.state)
Index("ix_reflections_of_pair", reflections.c.pair_id, reflections.c.state)
Index("ix_reflections_of_line", reflections.c.line_id)
Index("ix_reflections_to_tidy", reflections.c.state, reflections.c.drafted_at)

openings = _table(  # the Reflections that a receiver has opened, and where each is shown
    "openings",
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column(
        "reflection_id", Id, primary_key=True
    ),  # no foreign key, nor for the Pair: a reply still counts if they are gone
    Column("pair_id", Id, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("message_id", Id),
    Column("answered", Integer, nullable=False, server_default=text("0")),
)
Index("ix_openings_by_time", openings.c.user_id, openings.c.opened_at)
Index("ix_openings_of_message", openings.c.user_id, openings.c.message_id)

responses = _table(
    "responses",
    Column("id", Id, primary_key=True, autoincrement=False),
    _owner(),  # the receiver, who responds
    Column(
        "reflection_id", Id, ForeignKey("reflections.id", ondelete="CASCADE"), nullable=False, unique=True
    ),  # one Response per Reflection
    Column("answer", Text, nullable=False),
    Column("words", Sealed),  # sealed with the receiver's key
    Column("sent_at", Instant),  # NULL while it waits for the receiver's yes
    Column("landed", Integer),
    Column("landing", Sealed),  # how it landed, sealed with the sharer's key
)
Index("ix_responses_of_user", responses.c.user_id)

expectations = _table(  # a sharer's Expectation for a Reflection, and the Outcome; for nobody else
    "expectations",
    Column(
        "reflection_id",
        Id,
        ForeignKey("reflections.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    _owner(),
    Column("expected", Sealed),
    Column("came", Sealed),
)
Index("ix_expectations_of_user", expectations.c.user_id)

follow_ups = _table(  # the sharer's answer to a curious question
    "follow_ups",
    Column("id", Id, primary_key=True, autoincrement=False),
    _owner(),  # the sharer
    Column("response_id", Id, ForeignKey("responses.id", ondelete="CASCADE"), nullable=False, unique=True),
    Column("words", Sealed),
    Column("said_yes_at", Instant),  # NULL while it is previewed
    Column("sent_at", Instant),
)
Index("ix_follow_ups_of_user", follow_ups.c.user_id)

kept_questions = _table(  # questions that a receiver wants to ask in person, kept until the reminder
    "kept_questions",
    Column("id", Id, primary_key=True, autoincrement=False),
    _owner(),
    Column("question", Sealed),
    Column("due_at", Instant, nullable=False),
)
Index("ix_kept_questions_of_user", kept_questions.c.user_id)
Index("ix_kept_questions_due_at", kept_questions.c.due_at)

rituals = _table(  # proposed or agreed
    "rituals",
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("pair_id", Id, ForeignKey("pairs.id", ondelete="CASCADE"), nullable=False, unique=True),  # one per Pair
    Column("proposer_id", Id, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("weekday", Integer, nullable=False),
    Column("at", Hour, nullable=False),
    Column("zone", Text, nullable=False),
    Column("proposed_at", Instant, nullable=False),
    Column("next_at", Instant, nullable=False),
    Column("state", Text, nullable=False, server_default="proposed"),
    Column("same_question", Flag, nullable=False, default=False, server_default=text("0")),
    CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday"),
)
Index("ix_rituals_of_proposer", rituals.c.proposer_id)
Index("ix_rituals_proposed_at", rituals.c.proposed_at)

ritual_seats = _table(  # the two users of a Ritual, and what they have put in for the next moment
    "ritual_seats",
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("ritual_id", Id, ForeignKey("rituals.id", ondelete="CASCADE"), nullable=False),
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, unique=True),
    Column("reflection_id", Id, ForeignKey("reflections.id", ondelete="SET NULL")),
    Column("terms", Text),
    Column("consent", Sealed),  # this user's yes to showing that at the next moment, with the terms
)
Index("ix_ritual_seats_of_ritual", ritual_seats.c.ritual_id)
Index("ix_ritual_seats_of_reflection", ritual_seats.c.reflection_id)

records = _table(  # texts from sharing that no other row contains any more; see bot.storage.records
    "records",
    Column("id", Id, primary_key=True, autoincrement=False),
    _owner(),
    Column("content", Sealed, nullable=False),
)
Index("ix_records_of_user", records.c.user_id)

arrivals = _table(  # exports that an operator has imported, until their owners take them in
    "arrivals",
    Column("user_id", Id, primary_key=True, autoincrement=False),  # no foreign key: they aren't a user yet
    Column("version", Id, nullable=False),  # of the master key, from which the key to seal it is derived
    Column("content", LargeBinary, nullable=False),
    Column("arrived_at", Instant, nullable=False),
)
Index("ix_arrivals_arrived_at", arrivals.c.arrived_at)

notices = _table(
    "notices",
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("user_id", Id, nullable=False),  # no foreign key: people who aren't users get answers, too
    Column("kind", Text, nullable=False),
    Column("subject_id", Id, nullable=False),
    Column("due_at", Instant, nullable=False),  # while claimed: when the lease ends
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("unclear", Integer, nullable=False),
    Column("settled_at", Instant),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("owner", Id),  # the process that has claimed it
    Column("result", Text),  # the Result of an answer: kinds and ids, never words
)
Index(
    "ix_notices_due",
    notices.c.due_at,
    sqlite_where=notices.c.settled_at.is_(None),
)
Index(
    "ix_notices_open_of_subject",
    notices.c.subject_id,
    notices.c.kind,
    sqlite_where=notices.c.settled_at.is_(None),
    unique=True,
)  # one open Notice per subject and kind
Index("ix_notices_of_user", notices.c.user_id)
Index(
    "ix_notices_open_of_user",
    notices.c.user_id,
    notices.c.kind,
    notices.c.id,
    sqlite_where=notices.c.settled_at.is_(None),
)  # finds whether an answer waits for an earlier one, without going through all that its user was sent
Index(
    "ix_notices_settled_at",
    notices.c.settled_at,
    sqlite_where=notices.c.settled_at.is_not(None),
)  # without the open ones, or SQLite would prefer it to ix_notices_due

inbox = _table(  # updates, from their arrival until Telegram no longer repeats them
    "inbox",
    Column("id", Id, primary_key=True, autoincrement=False),  # Telegram's
    Column("lane", Id),  # the id of its user, until it is answered
    Column("received_at", Instant, nullable=False),
    Column("handled_at", Instant),  # when its effect was committed
    Column("owner", Id),  # the process that has claimed it, until it is handled
    Column("lease_ends", Instant),
    Column("tries", Integer, nullable=False),  # how often handling it failed
    Column("version", Integer, nullable=False),  # of the master key, from which the key to seal it is derived
    Column("raw", LargeBinary),  # the update, sealed, until it is answered
)
Index(
    "ix_inbox_of_lane",
    inbox.c.lane,
    sqlite_where=inbox.c.lane.is_not(None),
)
Index("ix_inbox_handled_at", inbox.c.handled_at)

processes = _table(  # the running bots that share this database; with SQLite there is one, which needs no row
    "processes",
    Column("id", Id, primary_key=True, autoincrement=False),  # the `owner` of the rows it has claimed
    Column("role", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("place", Id, nullable=False, unique=True),  # rises with each that joins; the first ones have the duties
    Column("beat", Id, nullable=False),  # counts up every second; a process whose beat has stopped counts as dead
    Column("beat_at", Instant, nullable=False),  # by the database's clock, for operators
    Column("key_version", Integer),  # of the master key, with which it wraps
    Column("passed_on", Id, nullable=False),  # answers beyond its share of the pace, for which the others slow down
)

holds = _table(  # chats that Telegram asked us to wait with, shared by all processes; 0 is every chat
    "holds",
    Column("chat_id", Id, primary_key=True, autoincrement=False),
    Column("ends_at", Instant, nullable=False),  # by the database's clock
)

traces = _table(  # ids of messages that can still be removed from users' chats, for 48 hours
    "traces",
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("message_id", Id, primary_key=True),
    Column("sent_at", Instant, nullable=False),  # to the hour
    Column("hide_at", Instant),  # when the bot removes it by itself; NULL if it stays until /hide
    Column("waits", Text),  # the kind of the undecided thing that it asks about, if any
    Column("subject_id", Id),  # its id
    Column("by_hide", Flag),  # whether /hide removes it, or has: then only /today leads to what it asks about
)
Index("ix_traces_sent_at", traces.c.sent_at)
Index(
    "ix_traces_asking", traces.c.user_id, traces.c.subject_id, sqlite_where=traces.c.waits.is_not(None)
)  # finds what asks about something, without going through all messages of its user

notes = _table(
    "notes", Column("name", Text, primary_key=True), Column("value", Text, nullable=False)
)  # the bot's own notes
