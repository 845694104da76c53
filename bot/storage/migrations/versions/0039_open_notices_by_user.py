"""Find a user's open Notices by an index: each answer that waits behind others searched all that its user was sent."""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    still_open = sa.text("settled_at IS NULL")
    op.create_index(
        "ix_notices_open_of_user",
        "notices",
        ["user_id", "kind", "id"],
        sqlite_where=still_open,
        postgresql_where=still_open,
    )
