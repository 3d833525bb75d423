"""first schema

Revision ID: 0001
Revises:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=40), nullable=False),
        sa.Column("act", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.String(length=22), nullable=True),
        sa.Column("target", sa.String(length=64), nullable=True),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.create_index("ix_audit_subject_id_at", ["subject_id", "at"], unique=False)

    op.create_table(
        "mail_pin",
        sa.Column("domain", sa.String(length=253), nullable=False),
        sa.Column("host", sa.String(length=253), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("security", sa.String(length=8), nullable=False),
        sa.Column("username_form", sa.String(length=16), nullable=False),
        sa.Column("credential", sa.String(length=16), nullable=False),
        sa.Column("ca_pem", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("domain", name=op.f("pk_mail_pin")),
    )
    op.create_table(
        "person",
        sa.Column("id", sa.String(length=22), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
    )
    op.create_table(
        "throttle",
        sa.Column("bucket", sa.String(length=120), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("resets_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", name=op.f("pk_throttle")),
    )
    with op.batch_alter_table("throttle", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_throttle_resets_at"), ["resets_at"], unique=False)

    op.create_table(
        "device",
        sa.Column("id", sa.String(length=22), nullable=False),
        sa.Column("person_id", sa.String(length=22), nullable=False),
        sa.Column("jkt", sa.String(length=43), nullable=False),
        sa.Column("identity", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("platform", sa.String(length=100), nullable=False),
        sa.Column("handler", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("state IN ('active', 'revoked')", name=op.f("ck_device_state")),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_device_person_id_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device")),
        sa.UniqueConstraint("person_id", "jkt", name=op.f("uq_device_person_id_jkt")),
    )
    with op.batch_alter_table("device", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_device_jkt"), ["jkt"], unique=False)
        batch_op.create_index(batch_op.f("ix_device_person_id"), ["person_id"], unique=False)

    op.create_table(
        "mail_account",
        sa.Column("id", sa.String(length=22), nullable=False),
        sa.Column("person_id", sa.String(length=22), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("proven_at", sa.BigInteger(), nullable=True),
        sa.Column("vouched_by", sa.String(length=16), nullable=False),
        sa.Column("host", sa.String(length=253), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("security", sa.String(length=8), nullable=False),
        sa.Column("username", sa.String(length=320), nullable=False),
        sa.Column("checked_at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "vouched_by IN ('pin', 'table', 'autoconfig', 'srv', 'manual')",
            name=op.f("ck_mail_account_vouched_by"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_mail_account_person_id_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_account")),
        sa.UniqueConstraint("person_id", "address", name=op.f("uq_mail_account_person_id_address")),
    )
    with op.batch_alter_table("mail_account", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_mail_account_person_id"), ["person_id"], unique=False)
        batch_op.create_index(
            "uq_mail_account_proven_address",
            ["address"],
            unique=True,
            sqlite_where=sa.text("proven_at IS NOT NULL"),
            postgresql_where=sa.text("proven_at IS NOT NULL"),
        )

    op.create_table(
        "web_session",
        sa.Column("id", sa.String(length=22), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("person_id", sa.String(length=22), nullable=True),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("user_agent", sa.String(length=256), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_web_session_person_id_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_web_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_web_session_token_hash")),
    )
    with op.batch_alter_table("web_session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_web_session_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_web_session_person_id"), ["person_id"], unique=False)

    op.create_table(
        "account_service",
        sa.Column("id", sa.String(length=22), nullable=False),
        sa.Column("account_id", sa.String(length=22), nullable=False),
        sa.Column("service", sa.String(length=16), nullable=False),
        sa.Column("service_uid", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "service IN ('mail', 'contacts', 'calendar')", name=op.f("ck_account_service_service")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["mail_account.id"],
            name=op.f("fk_account_service_account_id_mail_account"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_service")),
        sa.UniqueConstraint(
            "account_id", "service", name=op.f("uq_account_service_account_id_service")
        ),
        sa.UniqueConstraint("service_uid", name=op.f("uq_account_service_service_uid")),
    )
    with op.batch_alter_table("account_service", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_account_service_account_id"), ["account_id"], unique=False
        )

    op.create_table(
        "activation",
        sa.Column("id", sa.String(length=22), nullable=False),
        sa.Column("person_id", sa.String(length=22), nullable=False),
        sa.Column("ticket", sa.String(length=22), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("document_expires_at", sa.BigInteger(), nullable=True),
        sa.Column("bound_jkt", sa.String(length=43), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("prs_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("taken_at", sa.BigInteger(), nullable=True),
        sa.Column("redeemed_at", sa.BigInteger(), nullable=True),
        sa.Column("device_id", sa.String(length=22), nullable=True),
        sa.Column("address", sa.String(length=64), nullable=True),
        sa.Column("run", sa.LargeBinary(), nullable=True),
        sa.Column("confirm_hash", sa.LargeBinary(), nullable=True),
        sa.Column("complete", sa.LargeBinary(), nullable=True),
        sa.Column("successor_id", sa.String(length=22), nullable=True),
        sa.Column("ended_reason", sa.String(length=32), nullable=True),
        sa.CheckConstraint(
            "state IN ('open', 'redeemed', 'dead')", name=op.f("ck_activation_state")
        ),
        sa.ForeignKeyConstraint(
            ["device_id"], ["device.id"], name=op.f("fk_activation_device_id_device")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_activation_person_id_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activation")),
    )
    with op.batch_alter_table("activation", schema=None) as batch_op:
        batch_op.create_index(
            "ix_activation_answer",
            ["redeemed_at"],
            unique=False,
            sqlite_where=sa.text("complete IS NOT NULL"),
            postgresql_where=sa.text("complete IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_activation_open",
            ["expires_at"],
            unique=False,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )
        batch_op.create_index(
            "ix_activation_person_id_ticket", ["person_id", "ticket"], unique=False
        )
        batch_op.create_index(
            "ix_activation_prs",
            ["document_expires_at"],
            unique=False,
            sqlite_where=sa.text("prs_sealed IS NOT NULL"),
            postgresql_where=sa.text("prs_sealed IS NOT NULL"),
        )

    op.create_table(
        "mail_check",
        sa.Column("id", sa.String(length=22), nullable=False),
        sa.Column("session_id", sa.String(length=22), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("server", sa.Text(), nullable=False),
        sa.Column("stage", sa.String(length=24), nullable=False),
        sa.Column("outcome", sa.String(length=32), nullable=True),
        sa.Column("detail", sa.String(length=200), nullable=True),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["web_session.id"],
            name=op.f("fk_mail_check_session_id_web_session"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_check")),
    )
    with op.batch_alter_table("mail_check", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_mail_check_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_mail_check_session_id"), ["session_id"], unique=False)

    op.create_table(
        "run",
        sa.Column("activation_id", sa.String(length=22), nullable=False),
        sa.Column("run", sa.LargeBinary(), nullable=False),
        sa.Column("admission_hash", sa.LargeBinary(), nullable=False),
        sa.Column("reply", sa.LargeBinary(), nullable=False),
        sa.Column("secrets_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["activation_id"], ["activation.id"], name=op.f("fk_run_activation_id_activation")
        ),
        sa.PrimaryKeyConstraint("activation_id", "run", name=op.f("pk_run")),
    )
    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_run_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(
            "ix_run_secrets",
            ["expires_at"],
            unique=False,
            sqlite_where=sa.text("secrets_sealed IS NOT NULL"),
            postgresql_where=sa.text("secrets_sealed IS NOT NULL"),
        )

    op.create_table(
        "service_grant",
        sa.Column("id", sa.String(length=22), nullable=False),
        sa.Column("account_service_id", sa.String(length=22), nullable=False),
        sa.Column("activation_id", sa.String(length=22), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("password_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "state IN ('stocked', 'issued', 'redeemed', 'dead')",
            name=op.f("ck_service_grant_state"),
        ),
        sa.ForeignKeyConstraint(
            ["account_service_id"],
            ["account_service.id"],
            name=op.f("fk_service_grant_account_service_id_account_service"),
        ),
        sa.ForeignKeyConstraint(
            ["activation_id"],
            ["activation.id"],
            name=op.f("fk_service_grant_activation_id_activation"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_grant")),
    )
    with op.batch_alter_table("service_grant", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_service_grant_account_service_id"), ["account_service_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_service_grant_activation_id"), ["activation_id"], unique=False
        )
        batch_op.create_index(
            "ix_service_grant_stock",
            ["expires_at"],
            unique=False,
            sqlite_where=sa.text("state = 'stocked'"),
            postgresql_where=sa.text("state = 'stocked'"),
        )

    op.create_table(
        "service_key",
        sa.Column("id", sa.String(length=22), nullable=False),
        sa.Column("person_id", sa.String(length=22), nullable=False),
        sa.Column("device_id", sa.String(length=22), nullable=False),
        sa.Column("account_service_id", sa.String(length=22), nullable=False),
        sa.Column("activation_id", sa.String(length=22), nullable=False),
        sa.Column("grant_id", sa.String(length=22), nullable=False),
        sa.Column("key_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("proven_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_reason", sa.String(length=32), nullable=True),
        sa.CheckConstraint(
            "state IN ('active', 'retired', 'revoked')", name=op.f("ck_service_key_state")
        ),
        sa.ForeignKeyConstraint(
            ["account_service_id"],
            ["account_service.id"],
            name=op.f("fk_service_key_account_service_id_account_service"),
        ),
        sa.ForeignKeyConstraint(
            ["activation_id"],
            ["activation.id"],
            name=op.f("fk_service_key_activation_id_activation"),
        ),
        sa.ForeignKeyConstraint(
            ["device_id"], ["device.id"], name=op.f("fk_service_key_device_id_device")
        ),
        sa.ForeignKeyConstraint(
            ["grant_id"], ["service_grant.id"], name=op.f("fk_service_key_grant_id_service_grant")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_service_key_person_id_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_key")),
        sa.UniqueConstraint("grant_id", name=op.f("uq_service_key_grant_id")),
    )
    with op.batch_alter_table("service_key", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_service_key_account_service_id"), ["account_service_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_service_key_activation_id"), ["activation_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_service_key_device_id"), ["device_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_service_key_person_id"), ["person_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("service_key", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_service_key_person_id"))
        batch_op.drop_index(batch_op.f("ix_service_key_device_id"))
        batch_op.drop_index(batch_op.f("ix_service_key_activation_id"))
        batch_op.drop_index(batch_op.f("ix_service_key_account_service_id"))

    op.drop_table("service_key")
    with op.batch_alter_table("service_grant", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_service_grant_stock",
            sqlite_where=sa.text("state = 'stocked'"),
            postgresql_where=sa.text("state = 'stocked'"),
        )
        batch_op.drop_index(batch_op.f("ix_service_grant_activation_id"))
        batch_op.drop_index(batch_op.f("ix_service_grant_account_service_id"))

    op.drop_table("service_grant")
    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_run_secrets",
            sqlite_where=sa.text("secrets_sealed IS NOT NULL"),
            postgresql_where=sa.text("secrets_sealed IS NOT NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_run_expires_at"))

    op.drop_table("run")
    with op.batch_alter_table("mail_check", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_mail_check_session_id"))
        batch_op.drop_index(batch_op.f("ix_mail_check_expires_at"))

    op.drop_table("mail_check")
    with op.batch_alter_table("activation", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_activation_prs",
            sqlite_where=sa.text("prs_sealed IS NOT NULL"),
            postgresql_where=sa.text("prs_sealed IS NOT NULL"),
        )
        batch_op.drop_index("ix_activation_person_id_ticket")
        batch_op.drop_index(
            "ix_activation_open",
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )
        batch_op.drop_index(
            "ix_activation_answer",
            sqlite_where=sa.text("complete IS NOT NULL"),
            postgresql_where=sa.text("complete IS NOT NULL"),
        )

    op.drop_table("activation")
    with op.batch_alter_table("account_service", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_account_service_account_id"))

    op.drop_table("account_service")
    with op.batch_alter_table("web_session", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_web_session_person_id"))
        batch_op.drop_index(batch_op.f("ix_web_session_expires_at"))

    op.drop_table("web_session")
    with op.batch_alter_table("mail_account", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_mail_account_proven_address",
            sqlite_where=sa.text("proven_at IS NOT NULL"),
            postgresql_where=sa.text("proven_at IS NOT NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_mail_account_person_id"))

    op.drop_table("mail_account")
    with op.batch_alter_table("device", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_device_person_id"))
        batch_op.drop_index(batch_op.f("ix_device_jkt"))

    op.drop_table("device")
    with op.batch_alter_table("throttle", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_throttle_resets_at"))

    op.drop_table("throttle")
    op.drop_table("person")
    op.drop_table("mail_pin")
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_subject_id_at")

    op.drop_table("audit")
