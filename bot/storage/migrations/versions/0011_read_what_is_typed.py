"""Keep what reading a typed value needs: how its writer puts dates, and which message was taken for it last.

Telegram's own tag of the language has a region, which tells whether 4/5 is in April or in May. When the message is
edited while the same thing is still awaited, the edit counts.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("telegram_language", sa.Text()))
    op.add_column("dialogs", sa.Column("message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite")))
