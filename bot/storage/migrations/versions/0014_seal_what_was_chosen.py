"""Room for what people chose to be sealed like their words. What stands there is sealed with the key, by `tying`."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("muted", sa.LargeBinary(), nullable=True))
    op.add_column("pair_members", sa.Column("proof", sa.LargeBinary(), nullable=True))
    op.add_column("reflections", sa.Column("consent", sa.LargeBinary(), nullable=True))
    op.add_column("responses", sa.Column("landing", sa.LargeBinary(), nullable=True))
    op.add_column("ritual_seats", sa.Column("consent", sa.LargeBinary(), nullable=True))
