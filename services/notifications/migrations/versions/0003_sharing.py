"""Let a person be forgotten, an office be told, and a mail wait for its day."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_CHANGES = (
    "ALTER TABLE cases ADD COLUMN protects text, ADD COLUMN erased_at timestamptz",
    "ALTER TABLE deliveries ADD COLUMN recipient text NOT NULL DEFAULT 'reporter', ADD COLUMN not_before timestamptz",
)


def upgrade() -> None:
    """Add columns that are empty for all there is."""
    for statement in _CHANGES:
        op.execute(statement)
