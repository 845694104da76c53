"""The sharer's one line to a question that came back."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "follow_ups",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("response_id", BIG, nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=True),
        sa.Column("said_yes_at", BIG, nullable=True),
        sa.Column("sent_at", BIG, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_follow_ups_user_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["response_id"], ["responses.id"], name=op.f("fk_follow_ups_response_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follow_ups")),
        sa.UniqueConstraint("response_id", name=op.f("uq_follow_ups_response_id")),
        sqlite_strict=True,
    )
    op.create_index("ix_follow_ups_of_user", "follow_ups", ["user_id"], unique=False)
