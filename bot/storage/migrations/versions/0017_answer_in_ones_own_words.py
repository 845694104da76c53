"""The Stem that is being finished, and questions that a receiver keeps to ask in person."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("dialogs", sa.Column("detail", sa.Text(), nullable=True))
    op.create_table(
        "kept_questions",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("question", sa.LargeBinary(), nullable=True),
        sa.Column("due_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_kept_questions_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kept_questions")),
        sqlite_strict=True,
    )
    op.create_index("ix_kept_questions_of_user", "kept_questions", ["user_id"], unique=False)
    op.create_index("ix_kept_questions_due_at", "kept_questions", ["due_at"], unique=False)
