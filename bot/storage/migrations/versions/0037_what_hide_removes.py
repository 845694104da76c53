"""Note which messages /hide removes: no neutral line takes their place."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("traces", sa.Column("by_hide", sa.Integer()))
