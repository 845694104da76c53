"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "failures",
        sa.Column("update_id", BIG, autoincrement=False, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("failed_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("update_id", name=op.f("pk_failures")),
        sqlite_strict=True,
    )
    op.create_table(
        "notes",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_notes")),
        sqlite_strict=True,
    )
    op.create_table(
        "updates",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("seen_at", BIG, nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("answered", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_updates")),
        sqlite_strict=True,
    )
    op.create_index("ix_updates_seen_at", "updates", ["seen_at"], unique=False)
    op.create_table(
        "users",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("data_key", sa.LargeBinary(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("language_chosen", sa.Integer(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("consented_at", BIG, nullable=True),
        sa.Column("ask_at", sa.Text(), nullable=True),
        sa.Column("zone", sa.Text(), nullable=True),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("quiet_from", sa.Text(), nullable=True),
        sa.Column("quiet_to", sa.Text(), nullable=True),
        sa.Column("soft_reminder", sa.Integer(), nullable=False),
        sa.Column("discreet", sa.Integer(), nullable=False),
        sa.Column("recap", sa.Integer(), nullable=False),
        sa.Column("depth", sa.Integer(), nullable=False),
        sa.Column("ceiling", sa.Integer(), nullable=False),
        sa.Column("comfortable", sa.Integer(), nullable=False),
        sa.Column("refused_depth", sa.Integer(), nullable=True),
        sa.Column("hour_offered", sa.Integer(), nullable=False),
        sa.Column("muted_themes", sa.Text(), nullable=False),
        sa.Column("muted_sensitivities", sa.Text(), nullable=False),
        sa.Column("rhythm", sa.Text(), nullable=False),
        sa.Column("unanswered", sa.Integer(), nullable=False),
        sa.Column("to_say", sa.Text(), nullable=True),
        sa.Column("paused_at", BIG, nullable=True),
        sa.Column("paused_until", sa.Text(), nullable=True),
        sa.Column("blocked_at", BIG, nullable=True),
        sa.Column("next_ask_at", BIG, nullable=True),
        sa.Column("next_ask_day", sa.Text(), nullable=True),
        sa.Column("last_day", sa.Text(), nullable=True),
        sa.CheckConstraint("days BETWEEN 1 AND 127", name=op.f("ck_users_days")),
        sa.CheckConstraint("depth BETWEEN 1 AND 5 AND ceiling BETWEEN 1 AND 5", name=op.f("ck_users_depths")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_users_due",
        "users",
        ["next_ask_at"],
        unique=False,
        sqlite_where=sa.text("next_ask_at IS NOT NULL"),
        postgresql_where=sa.text("next_ask_at IS NOT NULL"),
    )
    op.create_table(
        "asks",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("due_at", BIG, nullable=False),
        sa.Column("prompt_id", sa.Text(), nullable=True),
        sa.Column("shown_at", BIG, nullable=True),
        sa.Column("snoozed_until", BIG, nullable=True),
        sa.Column("opening", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_asks_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asks")),
        sa.UniqueConstraint("user_id", "day", name=op.f("uq_asks_user_id_day")),
        sqlite_strict=True,
    )
    op.create_table(
        "dialogs",
        sa.Column("user_id", BIG, autoincrement=False, nullable=False),
        sa.Column("waiting", sa.Text(), nullable=False),
        sa.Column("subject_id", BIG, nullable=False),
        sa.Column("expires_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_dialogs_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_dialogs")),
        sqlite_strict=True,
    )
    op.create_table(
        "endings",
        sa.Column("user_id", BIG, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_endings_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_endings")),
        sqlite_strict=True,
    )
    op.create_table(
        "invites",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("link_hash", sa.LargeBinary(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", BIG, nullable=False),
        sa.Column("guest_id", BIG, nullable=True),
        sa.Column("accepted_at", BIG, nullable=True),
        sa.ForeignKeyConstraint(["guest_id"], ["users.id"], name=op.f("fk_invites_guest_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_invites_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invites")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_invites_code_hash")),
        sa.UniqueConstraint("link_hash", name=op.f("uq_invites_link_hash")),
        sa.UniqueConstraint("user_id", name=op.f("uq_invites_user_id")),
        sqlite_strict=True,
    )
    op.create_index("ix_invites_expires_at", "invites", ["expires_at"], unique=False)
    op.create_index("ix_invites_of_guest", "invites", ["guest_id"], unique=False)
    op.create_table(
        "notices",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", BIG, nullable=False),
        sa.Column("due_at", BIG, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("unclear", sa.Integer(), nullable=False),
        sa.Column("settled_at", BIG, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_notices_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_notices_due",
        "notices",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("settled_at IS NULL"),
        postgresql_where=sa.text("settled_at IS NULL"),
    )
    op.create_index(
        "ix_notices_open_of_subject",
        "notices",
        ["subject_id", "kind"],
        unique=True,
        sqlite_where=sa.text("settled_at IS NULL"),
        postgresql_where=sa.text("settled_at IS NULL"),
    )
    op.create_index(
        "ix_notices_open_of_user",
        "notices",
        ["user_id"],
        unique=False,
        sqlite_where=sa.text("settled_at IS NULL"),
        postgresql_where=sa.text("settled_at IS NULL"),
    )
    op.create_index("ix_notices_settled_at", "notices", ["settled_at"], unique=False)
    op.create_table(
        "pairs",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("a", BIG, nullable=False),
        sa.Column("b", BIG, nullable=False),
        sa.Column("since", BIG, nullable=False),
        sa.CheckConstraint("a <> b", name=op.f("ck_pairs_two")),
        sa.ForeignKeyConstraint(["a"], ["users.id"], name=op.f("fk_pairs_a"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["b"], ["users.id"], name=op.f("fk_pairs_b"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pairs")),
        sa.UniqueConstraint("a", name=op.f("uq_pairs_a")),
        sa.UniqueConstraint("b", name=op.f("uq_pairs_b")),
        sqlite_strict=True,
    )
    op.create_table(
        "rests",
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("first_day", sa.Text(), nullable=False),
        sa.Column("last_day", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_rests_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "first_day", name=op.f("pk_rests")),
        sqlite_strict=True,
    )
    op.create_table(
        "shown_prompts",
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("prompt_id", sa.Text(), nullable=False),
        sa.Column("shown_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_shown_prompts_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "prompt_id", name=op.f("pk_shown_prompts")),
        sqlite_strict=True,
    )
    op.create_table(
        "wrong_codes",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("tried_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_wrong_codes_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wrong_codes")),
        sqlite_strict=True,
    )
    op.create_index("ix_wrong_codes_of_user", "wrong_codes", ["user_id", "tried_at"], unique=False)
    op.create_index("ix_wrong_codes_tried_at", "wrong_codes", ["tried_at"], unique=False)
    op.create_table(
        "ask_messages",
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("message_id", BIG, nullable=False),
        sa.Column("ask_id", BIG, nullable=False),
        sa.ForeignKeyConstraint(["ask_id"], ["asks.id"], name=op.f("fk_ask_messages_ask_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_ask_messages_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "message_id", name=op.f("pk_ask_messages")),
        sqlite_strict=True,
    )
    op.create_table(
        "lines",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("ask_id", BIG, nullable=True),
        sa.Column("prompt_id", sa.Text(), nullable=True),
        sa.Column("message_id", BIG, nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.Column("kept_at", BIG, nullable=False),
        sa.Column("changed_at", BIG, nullable=True),
        sa.ForeignKeyConstraint(["ask_id"], ["asks.id"], name=op.f("fk_lines_ask_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_lines_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lines")),
        sa.UniqueConstraint("user_id", "message_id", name=op.f("uq_lines_user_id_message_id")),
        sqlite_strict=True,
    )
    op.create_index("ix_lines_of_user", "lines", ["user_id", "id"], unique=False)
    op.create_table(
        "pair_members",
        sa.Column("user_id", BIG, autoincrement=False, nullable=False),
        sa.Column("pair_id", BIG, nullable=False),
        sa.ForeignKeyConstraint(["pair_id"], ["pairs.id"], name=op.f("fk_pair_members_pair_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_pair_members_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_pair_members")),
        sqlite_strict=True,
    )
    op.create_index("ix_pair_members_of_pair", "pair_members", ["pair_id"], unique=False)
    op.create_table(
        "rituals",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("pair_id", BIG, nullable=False),
        sa.Column("proposer_id", BIG, nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("proposed_at", BIG, nullable=False),
        sa.Column("next_at", BIG, nullable=False),
        sa.Column("agreed", sa.Integer(), nullable=False),
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", name=op.f("ck_rituals_weekday")),
        sa.ForeignKeyConstraint(["pair_id"], ["pairs.id"], name=op.f("fk_rituals_pair_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["proposer_id"], ["users.id"], name=op.f("fk_rituals_proposer_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rituals")),
        sa.UniqueConstraint("pair_id", name=op.f("uq_rituals_pair_id")),
        sqlite_strict=True,
    )
    op.create_index("ix_rituals_proposed_at", "rituals", ["proposed_at"], unique=False)
    op.create_table(
        "drafts",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.Column("message_id", BIG, nullable=False),
        sa.Column("ask_id", BIG, nullable=True),
        sa.Column("line_id", BIG, nullable=True),
        sa.Column("sent_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(["ask_id"], ["asks.id"], name=op.f("fk_drafts_ask_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["line_id"], ["lines.id"], name=op.f("fk_drafts_line_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_drafts_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drafts")),
        sa.UniqueConstraint("user_id", "message_id", name=op.f("uq_drafts_user_id_message_id")),
        sqlite_strict=True,
    )
    op.create_index("ix_drafts_sent_at", "drafts", ["sent_at"], unique=False)
    op.create_table(
        "reflections",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("partner_id", BIG, nullable=False),
        sa.Column("pair_id", BIG, nullable=False),
        sa.Column("line_id", BIG, nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("depth", sa.Integer(), nullable=True),
        sa.Column("wish", sa.Text(), nullable=True),
        sa.Column("words", sa.LargeBinary(), nullable=True),
        sa.Column("rewording", sa.LargeBinary(), nullable=True),
        sa.Column("drafted_at", BIG, nullable=False),
        sa.Column("shared_at", BIG, nullable=True),
        sa.Column("due_at", BIG, nullable=True),
        sa.Column("remind_at", BIG, nullable=True),
        sa.Column("announced_at", BIG, nullable=True),
        sa.Column("opened_at", BIG, nullable=True),
        sa.Column("cue_id", sa.Text(), nullable=True),
        sa.Column("ritual", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["line_id"], ["lines.id"], name=op.f("fk_reflections_line_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_reflections_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reflections")),
        sqlite_strict=True,
    )
    op.create_index("ix_reflections_drafted_at", "reflections", ["drafted_at"], unique=False)
    op.create_index("ix_reflections_for_partner", "reflections", ["partner_id", "state"], unique=False)
    op.create_index("ix_reflections_of_line", "reflections", ["line_id"], unique=False)
    op.create_index("ix_reflections_of_pair", "reflections", ["pair_id", "state"], unique=False)
    op.create_index("ix_reflections_of_user", "reflections", ["user_id", "due_at"], unique=False)
    op.create_table(
        "responses",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("reflection_id", BIG, nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=True),
        sa.Column("sent_at", BIG, nullable=True),
        sa.Column("landed", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["reflection_id"], ["reflections.id"], name=op.f("fk_responses_reflection_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_responses_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_responses")),
        sa.UniqueConstraint("reflection_id", name=op.f("uq_responses_reflection_id")),
        sqlite_strict=True,
    )
    op.create_index("ix_responses_of_user", "responses", ["user_id"], unique=False)
    op.create_table(
        "ritual_seats",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("ritual_id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("reflection_id", BIG, nullable=True),
        sa.Column("terms", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["reflection_id"], ["reflections.id"], name=op.f("fk_ritual_seats_reflection_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["ritual_id"], ["rituals.id"], name=op.f("fk_ritual_seats_ritual_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_ritual_seats_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ritual_seats")),
        sa.UniqueConstraint("user_id", name=op.f("uq_ritual_seats_user_id")),
        sqlite_strict=True,
    )
    op.create_index("ix_ritual_seats_of_reflection", "ritual_seats", ["reflection_id"], unique=False)
    op.create_index("ix_ritual_seats_of_ritual", "ritual_seats", ["ritual_id"], unique=False)
