"""Find what hangs on a row by an index: to erase one user must not take a look at everybody's rows."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ADDED = (
    ("ix_ask_messages_of_ask", "ask_messages", "ask_id"),
    ("ix_lines_of_ask", "lines", "ask_id"),
    ("ix_drafts_of_ask", "drafts", "ask_id"),
    ("ix_drafts_of_line", "drafts", "line_id"),
    ("ix_rituals_of_proposer", "rituals", "proposer_id"),
    ("ix_notices_of_user", "notices", "user_id"),
)


def upgrade() -> None:
    for name, table, column in ADDED:
        op.create_index(name, table, [column], unique=False)
    op.drop_index("ix_notices_open_of_user", table_name="notices")  # the one of all of a user's serves as well
