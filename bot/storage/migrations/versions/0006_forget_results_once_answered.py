"""Forget what an update was answered with once that is known to be sent, and know whose the others are until then."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SILENCE = '["Silence",{}]'
LINE_WANTED = "RitualLineWanted"


def upgrade() -> None:
    op.add_column("updates", sa.Column("user_id", BIG, nullable=True))
    of_somebody = sa.text("user_id IS NOT NULL")
    op.create_index(
        "ix_updates_of_user", "updates", ["user_id"], unique=False,
        sqlite_where=of_somebody, postgresql_where=of_somebody,
    )  # fmt: skip
    connection = op.get_bind()
    connection.execute(
        sa.text(
            "UPDATE updates SET result = :silence WHERE answered = 1 AND id NOT IN "
            "(SELECT subject_id FROM notices WHERE kind = 'answer' AND settled_at IS NULL)"
        ),
        {"silence": SILENCE},
    )
    with_length = connection.execute(sa.text("SELECT id, result FROM updates WHERE result LIKE '%length%'")).all()
    for update_id, result in with_length:
        without = {"id": update_id, "result": _without_length(result)}
        connection.execute(sa.text("UPDATE updates SET result = :result WHERE id = :id"), without)


def _without_length(result: str) -> str:
    """A result says no more how long a private text is."""
    kind, facts = json.loads(result)
    length = facts.pop("length", None)
    if kind == LINE_WANTED:
        facts["too_long"] = bool(length)
    return json.dumps([kind, facts], separators=(",", ":"))
