"""Note which message offers an Invite: its buttons go once somebody has said yes, or there is another Invite."""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("invites", sa.Column("card_id", ID))
