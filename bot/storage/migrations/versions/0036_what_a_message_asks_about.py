"""Note which messages ask about something undecided: discreet mode makes a neutral line of them that asks again."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ASKS = "FROM drafts WHERE drafts.user_id = traces.user_id AND drafts.card_id = traces.message_id"


def upgrade() -> None:
    op.add_column("traces", sa.Column("waits", sa.Text()))
    op.add_column("traces", sa.Column("subject_id", ID))
    # A text can have been asked about longer ago than the ids of messages were kept.
    op.execute(
        "INSERT INTO traces (user_id, message_id, sent_at) SELECT user_id, card_id, MIN(sent_at) FROM drafts "
        "WHERE card_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM traces "
        "WHERE traces.user_id = drafts.user_id AND traces.message_id = drafts.card_id) GROUP BY user_id, card_id"
    )
    op.execute(
        f"UPDATE traces SET waits = 'draft', subject_id = (SELECT MAX(drafts.id) {_ASKS}) "  # noqa: S608
        f"WHERE EXISTS (SELECT 1 {_ASKS})"
    )
