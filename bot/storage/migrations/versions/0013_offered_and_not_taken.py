"""Know the depth that was offered last apart from those that were offered before it and not taken.

Taking a lighter one must not bring up again what was once left.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("offered_depth", sa.Integer()))
    op.execute("UPDATE users SET offered_depth = refused_depth")
