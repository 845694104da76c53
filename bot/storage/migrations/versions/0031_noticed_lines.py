"""Which Lines were written as noticed lines, and whether a user says that they have a partner."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("lines", sa.Column("noticed", sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.add_column("users", sa.Column("partnered", sa.LargeBinary(), nullable=True))
