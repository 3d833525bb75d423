"""people whom staff look after

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from protocol.encoding import b64u, lv_cat

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None

# Each with what another row would have in common with the one it takes the place of.
AUDIT_TABLES = {
    "audit": "id = NEW.id",
    "audit_link": "position = NEW.position OR audit_id = NEW.audit_id",
    "audit_head": "position = NEW.position",
}
# What staff page through, the newest first: an index, its table, and which of the rows are in it.
LISTED = (
    ("ix_person_listed", "person", None),
    ("ix_person_listed_disabled", "person", "disabled_at IS NOT NULL"),
    ("ix_mail_account_listed", "mail_account", None),
    ("ix_mail_account_listed_unproven", "mail_account", "proven_at IS NULL"),
    ("ix_mail_account_listed_bounced", "mail_account", "bounced_at IS NOT NULL"),
    ("ix_device_listed", "device", None),
    ("ix_service_key_listed", "service_key", None),
    ("ix_activation_listed", "activation", None),
    ("ix_activation_listed_waiting", "activation", "state = 'open' AND rotates_key_id IS NULL"),
    ("ix_invitation_listed_open", "invitation", "state = 'open'"),
    ("ix_web_session_listed_living", "web_session", "person_id IS NOT NULL AND ended_at IS NULL"),
)
OLD_VOUCHERS = "vouched_by IN ('pin', 'table', 'autoconfig', 'srv', 'manual')"
VOUCHERS = "vouched_by IN ('pin', 'table', 'autoconfig', 'srv', 'manual', 'staff', 'challenge')"


def upgrade() -> None:
    _staff()
    _people()
    _provisioning()
    _audit()
    for name, table, condition in LISTED:
        where = None if condition is None else sa.text(condition)
        op.create_index(
            name, table, ["created_at", "id"], sqlite_where=where, postgresql_where=where
        )


def _staff() -> None:
    """Who works in WebAdmin, and how they sign in."""
    op.create_table('person_group',
    sa.Column('id', sa.String(length=22), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_person_group')),
    sa.UniqueConstraint('name', name=op.f('uq_person_group_name'))
    )
    op.create_table('staff',
    sa.Column('id', sa.String(length=22), nullable=False),
    sa.Column('login', sa.String(length=100), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('address', sa.String(length=320), nullable=True),
    sa.Column('role', sa.String(length=16), nullable=False),
    sa.Column('reach', sa.String(length=10), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('password_hash', sa.String(length=200), nullable=True),
    sa.Column('password_at', sa.BigInteger(), nullable=True),
    sa.Column('totp_sealed', sa.LargeBinary(), nullable=True),
    sa.Column('totp_step', sa.BigInteger(), nullable=True),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('created_by', sa.String(length=40), nullable=True),
    sa.Column('seen_at', sa.BigInteger(), nullable=True),
    sa.CheckConstraint("reach IN ('everyone', 'groups')", name=op.f('ck_staff_reach')),
    sa.CheckConstraint("role IN ('owner', 'administrator', 'customer-care', 'auditor')", name=op.f('ck_staff_role')),
    sa.CheckConstraint("state IN ('invited', 'active', 'disabled')", name=op.f('ck_staff_state')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_staff')),
    sa.UniqueConstraint('login', name=op.f('uq_staff_login'))
    )
    with op.batch_alter_table('staff', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_staff_address'), ['address'], unique=False)
    op.create_table('api_token',
    sa.Column('id', sa.String(length=22), nullable=False),
    sa.Column('staff_id', sa.String(length=22), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('token_hash', sa.LargeBinary(), nullable=False),
    sa.Column('scopes', sa.String(length=400), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('expires_at', sa.BigInteger(), nullable=False),
    sa.Column('used_at', sa.BigInteger(), nullable=True),
    sa.Column('ended_at', sa.BigInteger(), nullable=True),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_api_token_staff_id_staff')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_api_token')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_api_token_token_hash'))
    )
    with op.batch_alter_table('api_token', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_api_token_staff_id'), ['staff_id'], unique=False)
    op.create_table('api_answer',
    sa.Column('token_id', sa.String(length=22), nullable=False),
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('request_hash', sa.LargeBinary(), nullable=False),
    sa.Column('answer', sa.Text(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['token_id'], ['api_token.id'], name=op.f('fk_api_answer_token_id_api_token')),
    sa.PrimaryKeyConstraint('token_id', 'key', name=op.f('pk_api_answer'))
    )
    with op.batch_alter_table('api_answer', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_api_answer_created_at'), ['created_at'], unique=False)
    op.create_table('staff_group',
    sa.Column('staff_id', sa.String(length=22), nullable=False),
    sa.Column('group_id', sa.String(length=22), nullable=False),
    sa.ForeignKeyConstraint(['group_id'], ['person_group.id'], name=op.f('fk_staff_group_group_id_person_group')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_staff_group_staff_id_staff')),
    sa.PrimaryKeyConstraint('staff_id', 'group_id', name=op.f('pk_staff_group'))
    )
    with op.batch_alter_table('staff_group', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_staff_group_group_id'), ['group_id'], unique=False)
    op.create_table('staff_link',
    sa.Column('id', sa.String(length=22), nullable=False),
    sa.Column('token_hash', sa.LargeBinary(), nullable=False),
    sa.Column('purpose', sa.String(length=10), nullable=False),
    sa.Column('staff_id', sa.String(length=22), nullable=True),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('expires_at', sa.BigInteger(), nullable=False),
    sa.Column('used_at', sa.BigInteger(), nullable=True),
    sa.CheckConstraint("purpose IN ('first', 'invited', 'reset')", name=op.f('ck_staff_link_purpose')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_staff_link_staff_id_staff')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_staff_link')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_staff_link_token_hash'))
    )
    with op.batch_alter_table('staff_link', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_staff_link_staff_id'), ['staff_id'], unique=False)
    op.create_table('staff_passkey',
    sa.Column('id', sa.String(length=22), nullable=False),
    sa.Column('staff_id', sa.String(length=22), nullable=False),
    sa.Column('credential_id', sa.LargeBinary(), nullable=False),
    sa.Column('credential', sa.LargeBinary(), nullable=False),
    sa.Column('sign_count', sa.BigInteger(), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('used_at', sa.BigInteger(), nullable=True),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_staff_passkey_staff_id_staff')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_staff_passkey')),
    sa.UniqueConstraint('credential_id', name=op.f('uq_staff_passkey_credential_id'))
    )
    with op.batch_alter_table('staff_passkey', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_staff_passkey_staff_id'), ['staff_id'], unique=False)
    op.create_table('staff_session',
    sa.Column('id', sa.String(length=22), nullable=False),
    sa.Column('token_hash', sa.LargeBinary(), nullable=False),
    sa.Column('staff_id', sa.String(length=22), nullable=True),
    sa.Column('stage', sa.String(length=10), nullable=False),
    sa.Column('flow', sa.Text(), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('address', sa.String(length=64), nullable=False),
    sa.Column('user_agent', sa.String(length=256), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('seen_at', sa.BigInteger(), nullable=False),
    sa.Column('authenticated_at', sa.BigInteger(), nullable=True),
    sa.Column('expires_at', sa.BigInteger(), nullable=False),
    sa.Column('ended_at', sa.BigInteger(), nullable=True),
    sa.CheckConstraint("stage IN ('password', 'enrol', 'full')", name=op.f('ck_staff_session_stage')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_staff_session_staff_id_staff')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_staff_session')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_staff_session_token_hash'))
    )
    with op.batch_alter_table('staff_session', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_staff_session_expires_at'), ['expires_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_staff_session_staff_id'), ['staff_id'], unique=False)
    op.create_table('recovery_code',
    sa.Column('id', sa.String(length=22), nullable=False),
    sa.Column('staff_id', sa.String(length=22), nullable=False),
    sa.Column('code_hash', sa.LargeBinary(), nullable=False),
    sa.Column('used_at', sa.BigInteger(), nullable=True),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_recovery_code_staff_id_staff')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_recovery_code'))
    )
    with op.batch_alter_table('recovery_code', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_recovery_code_staff_id'), ['staff_id'], unique=False)


def _people() -> None:
    """What staff know people by, and accounts that nobody has signed in with yet."""
    with op.batch_alter_table('person', schema=None) as batch_op:
        batch_op.add_column(sa.Column('name', sa.String(length=100), server_default=sa.text("''"), nullable=False))
        batch_op.add_column(sa.Column('language', sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column('disabled_at', sa.BigInteger(), nullable=True))
    op.create_table('person_term',
    sa.Column('term', sa.String(length=64).with_variant(sa.String(length=64, collation='C'), 'postgresql'), nullable=False),
    sa.Column('person_id', sa.String(length=22), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_person_term_person_id_person')),
    sa.PrimaryKeyConstraint('term', 'person_id', name=op.f('pk_person_term')),
    sqlite_with_rowid=False
    )
    with op.batch_alter_table('person_term', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_person_term_person_id'), ['person_id'], unique=False)
    op.create_table('group_member',
    sa.Column('group_id', sa.String(length=22), nullable=False),
    sa.Column('person_id', sa.String(length=22), nullable=False),
    sa.ForeignKeyConstraint(['group_id'], ['person_group.id'], name=op.f('fk_group_member_group_id_person_group')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_group_member_person_id_person')),
    sa.PrimaryKeyConstraint('group_id', 'person_id', name=op.f('pk_group_member'))
    )
    with op.batch_alter_table('group_member', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_group_member_person_id'), ['person_id'], unique=False)
    with op.batch_alter_table('mail_account', schema=None) as batch_op:
        _vouchers(batch_op, VOUCHERS)
        batch_op.add_column(sa.Column('kept_at', sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column('bounced_at', sa.BigInteger(), nullable=True))
        batch_op.alter_column('host',
               existing_type=sa.VARCHAR(length=253),
               nullable=True)
        batch_op.alter_column('port',
               existing_type=sa.INTEGER(),
               nullable=True)
        batch_op.alter_column('security',
               existing_type=sa.VARCHAR(length=8),
               nullable=True)
        batch_op.alter_column('username',
               existing_type=sa.VARCHAR(length=320),
               nullable=True)
        batch_op.alter_column('checked_at',
               existing_type=sa.BIGINT(),
               nullable=True)
        batch_op.create_index('ix_mail_account_address', ['address'], unique=False)


def _provisioning() -> None:
    """Invitations, imports, mail, typed codes, removal from devices."""
    op.create_table('import_job',
    sa.Column('id', sa.String(length=22), nullable=False),
    sa.Column('made_by', sa.String(length=40), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('reason', sa.String(length=200), nullable=False),
    sa.Column('stock', sa.Integer(), nullable=False),
    sa.Column('is_taken_at_once', sa.Boolean(), nullable=False),
    sa.Column('lines', sa.Integer(), nullable=False),
    sa.Column('done', sa.Integer(), nullable=False),
    sa.Column('cursor', sa.String(length=22), nullable=True),
    sa.Column('problems', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('ended_at', sa.BigInteger(), nullable=True),
    sa.Column('failure', sa.String(length=200), nullable=True),
    sa.CheckConstraint("state IN ('checking', 'checked', 'importing', 'stocking', 'done', 'refused', 'cancelled', 'failed')", name=op.f('ck_import_job_state')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_import_job'))
    )
    with op.batch_alter_table('import_job', schema=None) as batch_op:
        batch_op.create_index('ix_import_job_created_at', ['created_at'], unique=False)
    op.create_table('import_line',
    sa.Column('job_id', sa.String(length=22), nullable=False),
    sa.Column('line', sa.Integer(), nullable=False),
    sa.Column('address', sa.String(length=320), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('services', sa.String(length=100), nullable=False),
    sa.Column('groups', sa.Text(), nullable=False),
    sa.Column('language', sa.String(length=16), nullable=True),
    sa.Column('normal', sa.String(length=320), nullable=True),
    sa.Column('problem', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['job_id'], ['import_job.id'], name=op.f('fk_import_line_job_id_import_job')),
    sa.PrimaryKeyConstraint('job_id', 'line', name=op.f('pk_import_line'))
    )
    with op.batch_alter_table('import_line', schema=None) as batch_op:
        batch_op.create_index('ix_import_line_job_id_normal', ['job_id', 'normal'], unique=False)
        batch_op.create_index('ix_import_line_problem', ['job_id', 'line'], unique=False, sqlite_where=sa.text("problem IS NOT NULL"), postgresql_where=sa.text("problem IS NOT NULL"))
    op.create_table('invitation',
    sa.Column('id', sa.String(length=22), nullable=False),
    sa.Column('person_id', sa.String(length=22), nullable=False),
    sa.Column('address', sa.String(length=320), nullable=False),
    sa.Column('services', sa.String(length=100), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('reason', sa.String(length=200), nullable=False),
    sa.Column('invited_by', sa.String(length=40), nullable=False),
    sa.Column('import_id', sa.String(length=22), nullable=True),
    sa.Column('replaces_id', sa.String(length=22), nullable=True),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('expires_at', sa.BigInteger(), nullable=False),
    sa.Column('ended_at', sa.BigInteger(), nullable=True),
    sa.CheckConstraint("state IN ('open', 'accepted', 'withdrawn', 'expired')", name=op.f('ck_invitation_state')),
    sa.ForeignKeyConstraint(['import_id'], ['import_job.id'], name=op.f('fk_invitation_import_id_import_job')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_invitation_person_id_person')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_invitation'))
    )
    with op.batch_alter_table('invitation', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_invitation_import_id'), ['import_id'], unique=False)
        batch_op.create_index('ix_invitation_open', ['expires_at'], unique=False, sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'"))
        batch_op.create_index(batch_op.f('ix_invitation_person_id'), ['person_id'], unique=False)
        batch_op.create_index('uq_invitation_open_address', ['address'], unique=True, sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'"))
    op.create_table('outgoing_mail',
    sa.Column('id', sa.String(length=22), nullable=False),
    sa.Column('person_id', sa.String(length=22), nullable=True),
    sa.Column('address', sa.String(length=320), nullable=False),
    sa.Column('kind', sa.String(length=32), nullable=False),
    sa.Column('language', sa.String(length=16), nullable=True),
    sa.Column('facts', sa.Text(), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('next_at', sa.BigInteger(), nullable=False),
    sa.Column('ended_at', sa.BigInteger(), nullable=True),
    sa.Column('failure', sa.String(length=200), nullable=True),
    sa.CheckConstraint("state IN ('waiting', 'sent', 'failed', 'bounced')", name=op.f('ck_outgoing_mail_state')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_outgoing_mail_person_id_person')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_outgoing_mail'))
    )
    with op.batch_alter_table('outgoing_mail', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_outgoing_mail_person_id'), ['person_id'], unique=False)
        batch_op.create_index('ix_outgoing_mail_ended_at', ['ended_at', 'state'], unique=False)
        batch_op.create_index('ix_outgoing_mail_waiting', ['next_at'], unique=False, sqlite_where=sa.text("state = 'waiting'"), postgresql_where=sa.text("state = 'waiting'"))
        batch_op.create_index('ix_outgoing_mail_lost', ['ended_at'], unique=False, sqlite_where=sa.text("state IN ('failed', 'bounced')"), postgresql_where=sa.text("state IN ('failed', 'bounced')"))
    op.create_table('mail_challenge',
    sa.Column('id', sa.String(length=22), nullable=False),
    sa.Column('person_id', sa.String(length=22), nullable=False),
    sa.Column('account_id', sa.String(length=22), nullable=False),
    sa.Column('token_hash', sa.LargeBinary(), nullable=True),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('expires_at', sa.BigInteger(), nullable=False),
    sa.Column('used_at', sa.BigInteger(), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['mail_account.id'], name=op.f('fk_mail_challenge_account_id_mail_account')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_mail_challenge_person_id_person')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_mail_challenge'))
    )
    with op.batch_alter_table('mail_challenge', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_mail_challenge_account_id'), ['account_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_mail_challenge_person_id'), ['person_id'], unique=False)
    with op.batch_alter_table('activation', schema=None) as batch_op:
        batch_op.add_column(sa.Column('made_by', sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column('handle', sa.String(length=4), nullable=True))
        batch_op.create_index('ix_activation_handle', ['handle'], unique=False, sqlite_where=sa.text('handle IS NOT NULL'), postgresql_where=sa.text('handle IS NOT NULL'))
        batch_op.create_index('uq_activation_open_handle', ['handle'], unique=True, sqlite_where=sa.text("state = 'open' AND handle IS NOT NULL"), postgresql_where=sa.text("state = 'open' AND handle IS NOT NULL"))
    with op.batch_alter_table('device', schema=None) as batch_op:
        batch_op.add_column(sa.Column('wipe_asked_at', sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column('wiped_at', sa.BigInteger(), nullable=True))


def _audit() -> None:
    """The chain, what is personal apart from it, outside systems, counts of the day."""
    with op.batch_alter_table('audit', schema=None) as batch_op:
        batch_op.add_column(sa.Column('detail', sa.Text(), nullable=True))
        batch_op.add_column(sa.Column('salt', sa.LargeBinary(), nullable=True))
        batch_op.create_check_constraint(op.f('ck_audit_id'), sa.text('id > 0'))
        batch_op.create_index('ix_audit_act_at', ['act', 'at'], unique=False)
        batch_op.create_index('ix_audit_actor_at', ['actor', 'at'], unique=False)
        batch_op.create_index('ix_audit_at', ['at'], unique=False)
        batch_op.create_index('ix_audit_target', ['target'], unique=False)
    _commit_to_details()
    op.create_table('audit_head',
    sa.Column('position', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('hash', sa.LargeBinary(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('key_id', sa.String(length=64), nullable=False),
    sa.Column('signature', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('position', name=op.f('pk_audit_head'))
    )
    op.create_table('audit_link',
    sa.Column('position', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('audit_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('hash', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['audit_id'], ['audit.id'], name=op.f('fk_audit_link_audit_id_audit')),
    sa.PrimaryKeyConstraint('position', name=op.f('pk_audit_link')),
    sa.UniqueConstraint('audit_id', name=op.f('uq_audit_link_audit_id'))
    )
    op.create_table('worker_job',
    sa.Column('name', sa.String(length=40), nullable=False),
    sa.Column('ran_at', sa.BigInteger(), nullable=False),
    sa.Column('has_failed', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_worker_job'))
    )
    op.create_table('webhook',
    sa.Column('id', sa.String(length=22), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('url', sa.String(length=500), nullable=False),
    sa.Column('secret_sealed', sa.LargeBinary(), nullable=False),
    sa.Column('acts', sa.Text(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('created_by', sa.String(length=40), nullable=False),
    sa.Column('position', sa.BigInteger(), nullable=False),
    sa.Column('paused_at', sa.BigInteger(), nullable=True),
    sa.Column('ended_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_webhook'))
    )
    op.create_table('webhook_delivery',
    sa.Column('id', sa.String(length=22), nullable=False),
    sa.Column('webhook_id', sa.String(length=22), nullable=False),
    sa.Column('audit_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('next_at', sa.BigInteger(), nullable=False),
    sa.Column('answer', sa.String(length=100), nullable=True),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('ended_at', sa.BigInteger(), nullable=True),
    sa.CheckConstraint("state IN ('waiting', 'delivered', 'failed')", name=op.f('ck_webhook_delivery_state')),
    sa.ForeignKeyConstraint(['audit_id'], ['audit.id'], name=op.f('fk_webhook_delivery_audit_id_audit')),
    sa.ForeignKeyConstraint(['webhook_id'], ['webhook.id'], name=op.f('fk_webhook_delivery_webhook_id_webhook')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_webhook_delivery'))
    )
    with op.batch_alter_table('webhook_delivery', schema=None) as batch_op:
        batch_op.create_index('ix_webhook_delivery_waiting', ['next_at'], unique=False, sqlite_where=sa.text("state = 'waiting'"), postgresql_where=sa.text("state = 'waiting'"))
        batch_op.create_index(batch_op.f('ix_webhook_delivery_webhook_id'), ['webhook_id'], unique=False)
    op.create_table('daily_count',
    sa.Column('day', sa.Integer(), nullable=False),
    sa.Column('what', sa.String(length=40), nullable=False),
    sa.Column('label', sa.String(length=100), nullable=False),
    sa.Column('count', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('day', 'what', 'label', name=op.f('pk_daily_count'))
    )
    op.create_table('present_count',
    sa.Column('what', sa.String(length=40), nullable=False),
    sa.Column('label', sa.String(length=100), nullable=False),
    sa.Column('count', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('what', 'label', name=op.f('pk_present_count'))
    )
    op.create_table('counting_state',
    sa.Column('id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('position', sa.BigInteger(), nullable=False),
    sa.Column('looked_at', sa.BigInteger(), nullable=False),
    sa.Column('present_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_counting_state'))
    )
    _append_only()


def downgrade() -> None:
    for name, table, _ in LISTED:
        op.drop_index(name, table)
    _changeable()
    _put_details_back()
    with op.batch_alter_table('person', schema=None) as batch_op:
        batch_op.drop_column('disabled_at')
        batch_op.drop_column('language')
        batch_op.drop_column('name')

    with op.batch_alter_table('mail_account', schema=None) as batch_op:
        _vouchers(batch_op, OLD_VOUCHERS)
        batch_op.drop_index('ix_mail_account_address')
        batch_op.alter_column('checked_at',
               existing_type=sa.BIGINT(),
               nullable=False)
        batch_op.alter_column('username',
               existing_type=sa.VARCHAR(length=320),
               nullable=False)
        batch_op.alter_column('security',
               existing_type=sa.VARCHAR(length=8),
               nullable=False)
        batch_op.alter_column('port',
               existing_type=sa.INTEGER(),
               nullable=False)
        batch_op.alter_column('host',
               existing_type=sa.VARCHAR(length=253),
               nullable=False)
        batch_op.drop_column('bounced_at')
        batch_op.drop_column('kept_at')

    with op.batch_alter_table('device', schema=None) as batch_op:
        batch_op.drop_column('wiped_at')
        batch_op.drop_column('wipe_asked_at')

    with op.batch_alter_table('audit', schema=None) as batch_op:
        batch_op.drop_index('ix_audit_target')
        batch_op.drop_index('ix_audit_at')
        batch_op.drop_index('ix_audit_actor_at')
        batch_op.drop_index('ix_audit_act_at')
        batch_op.drop_constraint(op.f('ck_audit_id'), type_='check')
        batch_op.drop_column('salt')
        batch_op.drop_column('detail')

    with op.batch_alter_table('activation', schema=None) as batch_op:
        batch_op.drop_index('uq_activation_open_handle', sqlite_where=sa.text("state = 'open' AND handle IS NOT NULL"), postgresql_where=sa.text("state = 'open' AND handle IS NOT NULL"))
        batch_op.drop_index('ix_activation_handle', sqlite_where=sa.text('handle IS NOT NULL'), postgresql_where=sa.text('handle IS NOT NULL'))
        batch_op.drop_column('handle')
        batch_op.drop_column('made_by')

    with op.batch_alter_table('mail_challenge', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_mail_challenge_person_id'))
        batch_op.drop_index(batch_op.f('ix_mail_challenge_account_id'))

    op.drop_table('mail_challenge')
    with op.batch_alter_table('webhook_delivery', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_webhook_delivery_webhook_id'))
        batch_op.drop_index('ix_webhook_delivery_waiting', sqlite_where=sa.text("state = 'waiting'"), postgresql_where=sa.text("state = 'waiting'"))

    op.drop_table('webhook_delivery')
    with op.batch_alter_table('staff_session', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_staff_session_staff_id'))
        batch_op.drop_index(batch_op.f('ix_staff_session_expires_at'))

    op.drop_table('staff_session')
    with op.batch_alter_table('staff_passkey', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_staff_passkey_staff_id'))

    op.drop_table('staff_passkey')
    with op.batch_alter_table('staff_link', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_staff_link_staff_id'))

    op.drop_table('staff_link')
    with op.batch_alter_table('staff_group', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_staff_group_group_id'))

    op.drop_table('staff_group')
    with op.batch_alter_table('recovery_code', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_recovery_code_staff_id'))

    op.drop_table('recovery_code')
    with op.batch_alter_table('person_term', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_person_term_person_id'))

    op.drop_table('person_term')
    with op.batch_alter_table('outgoing_mail', schema=None) as batch_op:
        batch_op.drop_index('ix_outgoing_mail_ended_at')
        batch_op.drop_index('ix_outgoing_mail_waiting', sqlite_where=sa.text("state = 'waiting'"), postgresql_where=sa.text("state = 'waiting'"))
        batch_op.drop_index(batch_op.f('ix_outgoing_mail_person_id'))

    op.drop_table('outgoing_mail')
    with op.batch_alter_table('invitation', schema=None) as batch_op:
        batch_op.drop_index('uq_invitation_open_address', sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'"))
        batch_op.drop_index(batch_op.f('ix_invitation_person_id'))
        batch_op.drop_index('ix_invitation_open', sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'"))
        batch_op.drop_index(batch_op.f('ix_invitation_import_id'))

    op.drop_table('invitation')
    op.drop_table('import_line')
    with op.batch_alter_table('group_member', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_group_member_person_id'))

    op.drop_table('group_member')
    op.drop_table('audit_link')
    op.drop_table('api_answer')
    with op.batch_alter_table('api_token', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_api_token_staff_id'))

    op.drop_table('api_token')
    op.drop_table('worker_job')
    op.drop_table('webhook')
    with op.batch_alter_table('staff', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_staff_address'))

    op.drop_table('staff')
    op.drop_table('person_group')
    op.drop_table('import_job')
    op.drop_table('counting_state')
    op.drop_table('present_count')
    op.drop_table('daily_count')
    op.drop_table('audit_head')


def _vouchers(batch_op: Any, allowed: str) -> None:
    """Say who may vouch for an account, in place of what was said before."""
    batch_op.drop_constraint(op.f("ck_mail_account_vouched_by"), type_="check")
    batch_op.create_check_constraint(op.f("ck_mail_account_vouched_by"), sa.text(allowed))


def _commit_to_details() -> None:
    """Put what is personal beside the records: until now they had it inside."""
    for number, facts in _records():
        detail, salt = facts.pop("detail", None), None
        text = _canonical(detail) if detail else None
        if text is not None:
            salt = os.urandom(16)
            hashed = hashlib.sha256(lv_cat("handfast/1 audit detail", salt, text)).digest()
        _rewrite(number, {**facts, "commitment": b64u(hashed) if text else None}, text, salt)


def _put_details_back() -> None:
    """Write details into their records again; those that were erased stay so."""
    for number, facts in _records():
        text = op.get_bind().scalar(
            sa.text("SELECT detail FROM audit WHERE id = :id"), {"id": number}
        )
        facts.pop("commitment", None)
        _rewrite(number, {**facts, "detail": json.loads(text or "{}")}, None, None)


def _records() -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield every entry's number and record, some at a time: there may be millions."""
    last = 0
    more = sa.text("SELECT id, record FROM audit WHERE id > :last ORDER BY id LIMIT 1000")
    while found := op.get_bind().execute(more, {"last": last}).all():
        for number, record in found:
            yield number, json.loads(bytes(record))
        last = found[-1].id


def _rewrite(number: int, facts: dict[str, Any], detail: str | None, salt: bytes | None) -> None:
    op.get_bind().execute(
        sa.text(
            "UPDATE audit SET record = :record, detail = :detail, salt = :salt WHERE id = :id"
        ),
        {"record": _canonical(facts).encode(), "detail": detail, "salt": salt, "id": number},
    )


def _canonical(facts: dict[str, Any]) -> str:
    return json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _append_only() -> None:
    """No entry, link or head is removed or changed; only the detail of an entry may go."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    differs = "IS NOT" if is_sqlite else "IS DISTINCT FROM"
    columns = ("id", "at", "actor", "act", "subject_id", "target", "record")
    changed = " OR ".join(f"NEW.{name} {differs} OLD.{name}" for name in columns)
    erased = f"NEW.detail IS NOT NULL OR NEW.salt IS NOT NULL OR {changed}"
    if not is_sqlite:
        op.execute(
            "CREATE OR REPLACE FUNCTION audit_stays() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'the audit is append-only'; END $$"
        )
    for table in AUDIT_TABLES:
        only_erased = table == "audit"
        for statement in (
            _sqlite_triggers(table, f"WHEN {erased} " if only_erased else "")
            if is_sqlite
            else _postgresql_triggers(table, f"WHEN ({erased}) " if only_erased else "")
        ):
            op.execute(statement)


def _sqlite_triggers(table: str, when: str) -> tuple[str, ...]:
    refuse = "BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END"
    key = AUDIT_TABLES[table]
    return (
        f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} {refuse}",
        f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} {when}{refuse}",
        f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "
        f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {key}) {refuse}",
    )


def _postgresql_triggers(table: str, when: str) -> tuple[str, ...]:
    refuse = "EXECUTE FUNCTION audit_stays()"
    return (
        f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} FOR EACH ROW {refuse}",
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} {refuse}",
        f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} FOR EACH ROW {when}{refuse}",
    )


def _changeable() -> None:
    """Take the triggers of the entries away; those of the other tables go with them."""
    if op.get_bind().dialect.name == "sqlite":
        for name in ("delete", "update", "replace"):
            op.execute(f"DROP TRIGGER audit_no_{name}")
    else:
        op.execute("DROP FUNCTION audit_stays() CASCADE")
