"""Count pairings of agency and need, so that neither table reveals what the other suppresses; recount every case."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_CHANGES = (
    "ALTER TABLE referral_clocks ADD COLUMN pairing varchar NOT NULL DEFAULT ''",
    "CREATE INDEX referral_clocks_by_pairing ON referral_clocks (pairing, week)",
    "INSERT INTO stale_cases (case_id) SELECT case_id FROM case_facts",
)


def upgrade() -> None:
    """Add the column; the figures follow by themselves."""
    for statement in _CHANGES:
        op.execute(statement)
