"""Write updates down before they are handled, and what is to be said to them together with their effect."""

import secrets
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_OLD = "id, user_id, kind, subject_id, due_at, state, attempts, unclear, settled_at, failures"


def upgrade() -> None:
    _make_inbox()
    _free_notices_of_users()
    _take_over_answers()
    for table in ("held_updates", "failures", "updates"):
        op.drop_table(table)


def _make_inbox() -> None:
    op.create_table(
        "inbox",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("lane", BIG, nullable=True),
        sa.Column("received_at", BIG, nullable=False),
        sa.Column("handled_at", BIG, nullable=True),
        sa.Column("owner", BIG, nullable=True),
        sa.Column("lease_ends", BIG, nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox")),
        sqlite_strict=True,
    )
    of_lane = sa.text("lane IS NOT NULL")
    op.create_index("ix_inbox_of_lane", "inbox", ["lane"], sqlite_where=of_lane, postgresql_where=of_lane)
    op.create_index("ix_inbox_handled_at", "inbox", ["handled_at"])
    # Somebody who wasn't a user is known by nothing but the update itself, which Telegram repeats: it is handled anew.
    op.execute(
        "INSERT INTO inbox (id, received_at, handled_at, tries, version) "
        "SELECT id, seen_at, seen_at, 0, 0 FROM updates WHERE answered > 0 OR user_id IS NOT NULL"
    )
    op.execute(
        "INSERT INTO inbox (id, lane, received_at, tries, version, raw) "
        "SELECT id, user_id, held_at, 0, version, raw FROM held_updates WHERE id NOT IN (SELECT id FROM inbox)"
    )


def _free_notices_of_users() -> None:
    """Allow answers to somebody who isn't a user. SQLite can drop a foreign key only with its table."""
    columns = (
        sa.Column("owner", BIG, nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
    )
    if op.get_bind().dialect.name != "sqlite":
        op.drop_constraint("fk_notices_user_id", "notices", type_="foreignkey")
        for column in columns:
            op.add_column("notices", column)
        return
    op.rename_table("notices", "old_notices")
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
        sa.Column("failures", sa.Integer(), nullable=False, server_default="0"),
        *columns,
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sqlite_strict=True,
    )
    op.execute(f"INSERT INTO notices ({_OLD}) SELECT {_OLD} FROM old_notices")  # noqa: S608  # our own names
    op.drop_table("old_notices")
    still_open = sa.text("settled_at IS NULL")
    op.create_index("ix_notices_due", "notices", ["due_at"], sqlite_where=still_open)
    op.create_index(
        "ix_notices_open_of_subject", "notices", ["subject_id", "kind"], unique=True, sqlite_where=still_open
    )
    op.create_index("ix_notices_of_user", "notices", ["user_id"])
    op.create_index("ix_notices_settled_at", "notices", ["settled_at"])


def _take_over_answers() -> None:
    """Give the answers that wait in the outbox what they say, and those that were on their way a row there."""
    bind = op.get_bind()
    bind.execute(
        sa.text(
            "UPDATE notices SET result = (SELECT result FROM updates WHERE updates.id = notices.subject_id) "
            "WHERE kind = 'answer' AND settled_at IS NULL"
        )
    )
    under_way = bind.execute(
        sa.text(
            "SELECT id, user_id, result, answered FROM updates WHERE answered <= 0 AND user_id IS NOT NULL "
            "AND id NOT IN (SELECT subject_id FROM notices WHERE kind = 'answer' AND settled_at IS NULL) ORDER BY id"
        )
    ).all()
    now = datetime.now(UTC)  # noqa: TID251  # the database is not ours yet, nor is its clock
    milliseconds = (now - datetime(2026, 1, 1, tzinfo=UTC)).total_seconds() * 1000
    start = max(int(milliseconds), 0) << 21 | secrets.randbits(20)
    for number, update in enumerate(under_way):
        bind.execute(
            sa.text(
                "INSERT INTO notices (id, user_id, kind, subject_id, due_at, state, attempts, unclear, result) "
                "VALUES (:id, :user, 'answer', :update, :now, 'sending', 1, :unclear, :result)"
            ),
            {
                "id": start + number, "user": update.user_id, "update": update.id,
                "now": int(now.timestamp() * 1000), "unclear": -update.answered, "result": update.result,
            },
        )  # fmt: skip
