"""The page of the journal that a user was shown last, and whether a sharer was told of a Response.

Of the Responses until now, a sharer counts as told if the Pair is still there: what they haven't heard yet, they hear
within hours. One that was sent in a Pair that has ended may never have reached them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "journal_pages",
        sa.Column("user_id", BIG, autoincrement=False, nullable=False),
        sa.Column("after_id", BIG, nullable=True),
        sa.Column("line_id", BIG, nullable=True),
        sa.Column("filter_id", BIG, nullable=True),
        sa.Column("filter", sa.LargeBinary(), nullable=True),
        sa.Column("found", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_journal_pages_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_journal_pages")),
        sqlite_strict=True,
    )
    op.add_column("responses", sa.Column("told", sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.execute(
        "UPDATE responses SET told = 1 WHERE sent_at IS NOT NULL AND EXISTS (SELECT 1 FROM reflections "
        "JOIN pairs ON pairs.id = reflections.pair_id WHERE reflections.id = responses.reflection_id)"
    )
