"""Find what a message asks about by an index: each text that has to be decided about searched its writer's messages."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    asks = sa.text("waits IS NOT NULL")
    op.create_index("ix_traces_asking", "traces", ["user_id", "subject_id"], sqlite_where=asks, postgresql_where=asks)
