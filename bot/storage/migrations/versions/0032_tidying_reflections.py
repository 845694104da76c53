"""An index for tidying Reflections, which went through all that were drafted long ago, also those that stay."""

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_reflections_to_tidy", "reflections", ["state", "drafted_at"])
    op.drop_index("ix_reflections_drafted_at", "reflections")
