"""Whether a sharer was told of a Response is the sharer's to know, also once who sent it has gone with all their rows.

So it moves to the Reflection, which is the sharer's.
"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("reflections", sa.Column("told", sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.execute(
        "UPDATE reflections SET told = 1 WHERE EXISTS (SELECT 1 FROM responses "
        "WHERE responses.reflection_id = reflections.id AND responses.told = 1)"
    )
    op.drop_column("responses", "told")
