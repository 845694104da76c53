"""What a sharer privately expected of a Reflection, and what came."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "expectations",
        sa.Column("reflection_id", BIG, autoincrement=False, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("expected", sa.LargeBinary(), nullable=True),
        sa.Column("came", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["reflection_id"], ["reflections.id"], name=op.f("fk_expectations_reflection_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_expectations_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("reflection_id", name=op.f("pk_expectations")),
        sqlite_strict=True,
    )
    op.create_index("ix_expectations_of_user", "expectations", ["user_id"], unique=False)
