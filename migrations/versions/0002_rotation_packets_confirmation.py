"""rotation, packets, confirmation

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _rotation()
    _confirmation()
    _packets()


def _rotation() -> None:
    """Keys are replaced by a rotation, and those that ended are remembered for a while."""
    op.create_table(
        "ended_key",
        sa.Column("id", sa.String(length=22), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ended_key")),
    )
    with op.batch_alter_table("ended_key", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ended_key_ended_at"), ["ended_at"], unique=False)

    with op.batch_alter_table("activation", schema=None) as batch_op:
        batch_op.add_column(sa.Column("rotates_key_id", sa.String(length=22), nullable=True))
        batch_op.create_index(
            "uq_activation_open_rotation",
            ["rotates_key_id"],
            unique=True,
            sqlite_where=sa.text("state = 'open' AND rotates_key_id IS NOT NULL"),
            postgresql_where=sa.text("state = 'open' AND rotates_key_id IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_activation_rotates_key_id",
            ["rotates_key_id"],
            unique=False,
            sqlite_where=sa.text("rotates_key_id IS NOT NULL"),
            postgresql_where=sa.text("rotates_key_id IS NOT NULL"),
        )


def _confirmation() -> None:
    """The owner says which devices are theirs, and clients sign in beside browsers."""
    with op.batch_alter_table("device", schema=None) as batch_op:
        batch_op.add_column(sa.Column("confirmed_at", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("confirm_by", sa.BigInteger(), nullable=True))
        batch_op.create_index(
            "ix_device_confirm_by",
            ["confirm_by"],
            unique=False,
            sqlite_where=sa.text("confirm_by IS NOT NULL"),
            postgresql_where=sa.text("confirm_by IS NOT NULL"),
        )

    # Devices of before were shown to their owners; nobody is asked about them now.
    op.execute("UPDATE device SET confirmed_at = created_at")

    with op.batch_alter_table("web_session", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "kind", sa.String(length=8), server_default=sa.text("'browser'"), nullable=False
            )
        )
        batch_op.add_column(sa.Column("device_jkt", sa.String(length=43), nullable=True))


def _packets() -> None:
    """A device reports in by packets, which are counted, and fetches its settings."""
    with op.batch_alter_table("mail_account", schema=None) as batch_op:
        batch_op.add_column(sa.Column("smtp_host", sa.String(length=253), nullable=True))
        batch_op.add_column(sa.Column("smtp_port", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("smtp_security", sa.String(length=8), nullable=True))
        batch_op.add_column(sa.Column("settings_at", sa.BigInteger(), nullable=True))

    with op.batch_alter_table("service_key", schema=None) as batch_op:
        batch_op.add_column(sa.Column("rotate_at", sa.BigInteger(), nullable=True))
        batch_op.add_column(
            sa.Column("received", sa.BigInteger(), server_default=sa.text("0"), nullable=False)
        )
        batch_op.add_column(sa.Column("window", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    # Before, a row of this table was a browser's: a client's token would become a cookie.
    op.execute("DELETE FROM web_session WHERE kind = 'client'")
    with op.batch_alter_table("web_session", schema=None) as batch_op:
        batch_op.drop_column("device_jkt")
        batch_op.drop_column("kind")

    with op.batch_alter_table("service_key", schema=None) as batch_op:
        batch_op.drop_column("window")
        batch_op.drop_column("received")
        batch_op.drop_column("rotate_at")

    with op.batch_alter_table("mail_account", schema=None) as batch_op:
        batch_op.drop_column("settings_at")
        batch_op.drop_column("smtp_security")
        batch_op.drop_column("smtp_port")
        batch_op.drop_column("smtp_host")

    with op.batch_alter_table("device", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_device_confirm_by",
            sqlite_where=sa.text("confirm_by IS NOT NULL"),
            postgresql_where=sa.text("confirm_by IS NOT NULL"),
        )
        batch_op.drop_column("confirm_by")
        batch_op.drop_column("confirmed_at")

    with op.batch_alter_table("activation", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_activation_rotates_key_id",
            sqlite_where=sa.text("rotates_key_id IS NOT NULL"),
            postgresql_where=sa.text("rotates_key_id IS NOT NULL"),
        )
        batch_op.drop_index(
            "uq_activation_open_rotation",
            sqlite_where=sa.text("state = 'open' AND rotates_key_id IS NOT NULL"),
            postgresql_where=sa.text("state = 'open' AND rotates_key_id IS NOT NULL"),
        )
        batch_op.drop_column("rotates_key_id")

    with op.batch_alter_table("ended_key", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ended_key_ended_at"))

    op.drop_table("ended_key")
