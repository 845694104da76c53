"""Count how often a Notice fails by itself, so that one which always does is given up."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("notices", sa.Column("failures", sa.Integer(), nullable=False, server_default="0"))
