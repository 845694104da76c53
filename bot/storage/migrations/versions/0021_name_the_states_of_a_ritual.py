"""Name the state of a Ritual: a number in the column `agreed` also stood for proposed and taken back."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("rituals", sa.Column("state", sa.Text(), nullable=False, server_default="proposed"))
    op.execute("UPDATE rituals SET state = 'agreed' WHERE agreed = 1")
    op.execute("UPDATE rituals SET state = 'taken_back' WHERE agreed = 2")
    op.drop_column("rituals", "agreed")
