"""Number dead letters, and record how each was resolved."""

from alembic import op

from shared.kit.database.migrations import SETTLED_LETTERS_UP

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in SETTLED_LETTERS_UP:
        op.execute(statement)
