"""Users who only receive, and the Invite that somebody at the start has said yes to."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("users", sa.Column("receives_only", sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.add_column("users", sa.Column("yes_to", BIG))
