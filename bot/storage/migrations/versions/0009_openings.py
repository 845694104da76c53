"""What a receiver has opened, so that what is typed under it, or replied or put to it, is asked about."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "openings",
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("reflection_id", BIG, nullable=False),
        sa.Column("pair_id", BIG, nullable=False),
        sa.Column("opened_at", BIG, nullable=False),
        sa.Column("message_id", BIG, nullable=True),
        sa.Column("answered", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_openings_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "reflection_id", name=op.f("pk_openings")),
        sqlite_strict=True,
    )
    op.create_index("ix_openings_by_time", "openings", ["user_id", "opened_at"], unique=False)
    op.create_index("ix_openings_of_message", "openings", ["user_id", "message_id"], unique=False)
    op.add_column("drafts", sa.Column("reflection_id", BIG))
    # What was opened before: under it too an answer may be typed. The message that shows it isn't known.
    op.execute(
        "INSERT INTO openings (user_id, reflection_id, pair_id, opened_at, answered) "
        "SELECT partner_id, id, pair_id, opened_at, CASE state WHEN 'answered' THEN 1 ELSE 0 END FROM reflections "
        "WHERE state IN ('opened', 'answered') AND opened_at IS NOT NULL AND partner_id IN (SELECT id FROM users)"
    )
