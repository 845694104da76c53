"""The words that a user puts to a Line."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("lines", sa.Column("feelings", sa.LargeBinary(), nullable=True))
