"""The question that a Reflection answers, which goes with its words. What was shared before goes without."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("reflections", sa.Column("question", sa.LargeBinary(), nullable=True))
