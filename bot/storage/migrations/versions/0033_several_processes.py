"""The processes that share a database, and the chats that Telegram limits for all of them."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "processes",
        sa.Column("id", ID, nullable=False, autoincrement=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("place", ID, nullable=False),
        sa.Column("beat", ID, nullable=False),
        sa.Column("beat_at", ID, nullable=False),
        sa.Column("passed_on", ID, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_processes"),
        sa.UniqueConstraint("place", name="uq_processes_place"),
        sqlite_strict=True,
    )
    op.create_table(
        "holds",
        sa.Column("chat_id", ID, nullable=False, autoincrement=False),
        sa.Column("ends_at", ID, nullable=False),
        sa.PrimaryKeyConstraint("chat_id", name="pk_holds"),
        sqlite_strict=True,
    )
