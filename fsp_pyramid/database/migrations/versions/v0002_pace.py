"""The calls of each token."""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        'fsp_pace',
        sa.Column('key', sa.Text(), nullable=False),
        sa.Column('record', sa.Text(), nullable=False),
        sa.Column('changed_at', sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint('key', name='pk_fsp_pace'),
    )
    op.create_index('ix_fsp_pace_changed_at', 'fsp_pace', ['changed_at'])


def downgrade() -> None:
    """Drop the table; everything in it is learnt again."""
    op.drop_table('fsp_pace')
