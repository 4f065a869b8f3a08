"""Accounts and used states."""

import sqlalchemy as sa
from alembic import op

revision = '0001'
down_revision = None


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        'fsp_accounts',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('client', sa.Text(), nullable=False),
        sa.Column('client_id', sa.Text(), nullable=False),
        sa.Column('uid', sa.Text(), nullable=False),
        sa.Column('egnyte_url', sa.Text(), nullable=False),
        sa.Column('username', sa.Text(), nullable=False),
        sa.Column('sealed', sa.Text()),
        sa.Column('expires_at', sa.Double()),
        sa.Column('state', sa.String(16), nullable=False),
        sa.Column('folder', sa.Text()),
        sa.Column('created_at', sa.Double(), nullable=False),
        sa.Column('updated_at', sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint('id', name='pk_fsp_accounts'),
        sqlite_autoincrement=True,
    )
    op.create_index('ix_fsp_accounts_owner', 'fsp_accounts', ['client', 'client_id', 'uid'], unique=True)
    op.create_table(
        'fsp_states',
        sa.Column('nonce', sa.Text(), nullable=False),
        sa.Column('expires_at', sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint('nonce', name='pk_fsp_states'),
    )
    op.create_index('ix_fsp_states_expires_at', 'fsp_states', ['expires_at'])


def downgrade() -> None:
    """Drop both tables, and with them what users granted."""
    op.drop_table('fsp_states')
    op.drop_table('fsp_accounts')
