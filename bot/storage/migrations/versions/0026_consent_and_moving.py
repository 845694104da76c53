"""The version of the policy that was agreed to, and what somebody brings along from another bot."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("users", sa.Column("consent_version", sa.Integer(), nullable=True))
    op.add_column("users", sa.Column("consent_asked", sa.Integer(), nullable=True))
    op.execute("UPDATE users SET consent_version = 1 WHERE consented_at IS NOT NULL")
    op.create_table(
        "records",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_records_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_records")),
        sqlite_strict=True,
    )
    op.create_index("ix_records_of_user", "records", ["user_id"])
    op.create_table(
        "arrivals",
        sa.Column("user_id", BIG, autoincrement=False, nullable=False),
        sa.Column("version", BIG, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("arrived_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_arrivals")),
        sqlite_strict=True,
    )
    op.create_index("ix_arrivals_arrived_at", "arrivals", ["arrived_at"])
