"""Create the ledger: receipts of what was given, the tree over them, and signed checkpoints of it."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE receipts (
        receipt_id uuid PRIMARY KEY,
        case_id uuid NOT NULL,
        referral_id uuid,
        agency text NOT NULL,
        given_at timestamptz NOT NULL,
        channel text NOT NULL CHECK (channel IN ('event', 'read', 'emergency')),
        form text NOT NULL,
        groups text[] NOT NULL,
        grounds jsonb NOT NULL,
        purpose text NOT NULL,
        policy_set text NOT NULL,
        digest bytea NOT NULL,
        shown_from timestamptz,
        place bigint
    )
    """,
    "CREATE INDEX receipts_by_case ON receipts (case_id)",
    "CREATE UNIQUE INDEX receipts_by_place ON receipts (place) WHERE place IS NOT NULL",
    "CREATE INDEX receipts_unplaced ON receipts (given_at, receipt_id) WHERE place IS NULL",
    """
    CREATE TABLE ledger_nodes (
        level smallint NOT NULL,
        number bigint NOT NULL,
        hash bytea NOT NULL,
        PRIMARY KEY (level, number)
    )
    """,
    """
    CREATE TABLE checkpoints (
        tree_size bigint PRIMARY KEY,
        root bytea NOT NULL,
        signed_at timestamptz NOT NULL DEFAULT now(),
        note text NOT NULL
    )
    """,
)


def upgrade() -> None:
    """Create the tables."""
    for statement in TABLES:
        op.execute(statement)
