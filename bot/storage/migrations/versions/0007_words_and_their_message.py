"""New words that wait for a yes are known by the message they came as: a yes to others is none to these."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("reflections", sa.Column("rewording_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite")))
