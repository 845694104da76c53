"""Count wrong codes by a keyed hash of the account, so that they still count after somebody has erased themselves.

The hash needs the master key, which a migration doesn't have: wrong tries of the last two hours are forgotten once.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.drop_table("wrong_codes")
    op.create_table(
        "wrong_codes",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("account", sa.LargeBinary(), nullable=False),
        sa.Column("tried_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wrong_codes")),
        sqlite_strict=True,
    )
    op.create_index("ix_wrong_codes_of_account", "wrong_codes", ["account", "tried_at"], unique=False)
    op.create_index("ix_wrong_codes_tried_at", "wrong_codes", ["tried_at"], unique=False)
