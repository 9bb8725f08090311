"""Let outbox rows require consents, and record the rows that were withheld."""

from alembic import op

from shared.kit.database.migrations import OUTBOX_GUARDS_UP

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in OUTBOX_GUARDS_UP:
        op.execute(statement)
