"""Add what the erasure of a person, mails to the privacy office and embargoes need."""

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
    """Add columns that are empty in every existing row."""
    for statement in _CHANGES:
        op.execute(statement)
