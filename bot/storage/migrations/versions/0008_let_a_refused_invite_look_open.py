"""Keep an Invite whose guest was refused, for the guest alone: to them it must look as one that waits for an answer.

Its maker can make another one meanwhile, so a user may have several of which one is not refused. And remember which
Pair it was of whose end somebody has yet to hear: until then what they shared in it looks to them as before.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _make_anew()
    else:
        op.drop_constraint("uq_invites_user_id", "invites", type_="unique")
        op.add_column("invites", sa.Column("refused", sa.Integer(), nullable=False, server_default="0"))
        op.alter_column("invites", "refused", server_default=None)
    op.add_column("endings", sa.Column("pair_id", BIG, nullable=True))
    op.create_index(
        "ix_invites_of_user",
        "invites",
        ["user_id"],
        unique=True,
        sqlite_where=sa.text("refused = 0"),
        postgresql_where=sa.text("refused = 0"),
    )


def _make_anew() -> None:
    """SQLite takes no constraint away from a table that is there."""
    op.rename_table("invites", "invites_before")
    op.drop_index("ix_invites_expires_at", table_name="invites_before")
    op.drop_index("ix_invites_of_guest", table_name="invites_before")
    op.create_table(
        "invites",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("link_hash", sa.LargeBinary(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", BIG, nullable=False),
        sa.Column("guest_id", BIG, nullable=True),
        sa.Column("accepted_at", BIG, nullable=True),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["guest_id"], ["users.id"], name=op.f("fk_invites_guest_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_invites_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invites")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_invites_code_hash")),
        sa.UniqueConstraint("link_hash", name=op.f("uq_invites_link_hash")),
        sqlite_strict=True,
    )
    op.execute(
        "INSERT INTO invites SELECT id, user_id, link_hash, code_hash, expires_at, guest_id, accepted_at, 0 "
        "FROM invites_before"
    )
    op.drop_table("invites_before")
    op.create_index("ix_invites_expires_at", "invites", ["expires_at"], unique=False)
    op.create_index("ix_invites_of_guest", "invites", ["guest_id"], unique=False)
