"""Find a user's Lines by when they were kept: their ids don't tell that any more."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_lines_of_user", table_name="lines")
    op.create_index("ix_lines_of_user", "lines", ["user_id", "kept_at", "message_id"], unique=False)
