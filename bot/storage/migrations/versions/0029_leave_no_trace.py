"""Messages that can still be removed from a chat, and messages without a sound."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("users", sa.Column("silent", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.create_table(
        "traces",
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("message_id", BIG, nullable=False),
        sa.Column("sent_at", BIG, nullable=False),
        sa.Column("hide_at", BIG, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_traces_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "message_id", name=op.f("pk_traces")),
        sqlite_strict=True,
    )
    op.create_index("ix_traces_sent_at", "traces", ["sent_at"], unique=False)
