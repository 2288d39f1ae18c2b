"""Nobody waits for another: erasures take turns.

Revision ID: 0004
Revises: 0003
Create Date: 2026-11-30
"""

import sqlalchemy as sa
from alembic import op

from membership.db import UTCDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("erasures", sa.Column("tried_at", UTCDateTime(), nullable=True))


def downgrade() -> None:
    op.drop_column("erasures", "tried_at")
