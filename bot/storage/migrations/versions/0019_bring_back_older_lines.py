"""Which Line an Ask brings back, and whether its user wants older Lines to be brought back."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("asks", sa.Column("callback_line_id", BIG, nullable=True))
    op.add_column("users", sa.Column("callbacks", sa.Integer(), nullable=True))
