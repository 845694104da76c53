"""Buttons hold for the wording and the prompt that their message shows, and are taken off when they no longer do."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("lines", sa.Column("revision", sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.add_column("lines", sa.Column("card_id", BIG))
    op.add_column("drafts", sa.Column("line_revision", sa.Integer()))
    op.add_column("drafts", sa.Column("card_id", BIG))
    op.add_column("ask_messages", sa.Column("prompt_id", sa.Text()))
    # Buttons from before carry no revision, which counts as 0: those of a Line that was changed don't act unseen.
    op.execute("UPDATE lines SET revision = 1 WHERE changed_at IS NOT NULL")
    op.execute(
        "UPDATE drafts SET line_revision = (SELECT revision FROM lines WHERE lines.id = drafts.line_id) "
        "WHERE line_id IS NOT NULL"
    )
