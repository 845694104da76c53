"""Let a process say which version of the master key it wraps with: ajar keys rotate waits for all that are running."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("processes", sa.Column("key_version", sa.Integer()))
