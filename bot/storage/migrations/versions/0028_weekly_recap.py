"""Whether the weekly recap comes, and whether the two of a Ritual get the same question.

`users.recap` isn't used any more. It goes one version later, as the version before this one still reads it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("weekly_recap", sa.Integer(), nullable=True))
    op.add_column("rituals", sa.Column("same_question", sa.Integer(), nullable=False, server_default=sa.text("0")))
