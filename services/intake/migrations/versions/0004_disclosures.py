"""Store suppressed and erased cases, disclosures and recalls."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    ALTER TABLE cases
        ADD COLUMN announced boolean NOT NULL DEFAULT true,
        ADD COLUMN unsaid text,
        ADD COLUMN erased_at timestamptz
    """,
    """
    CREATE TABLE disclosures (
        receipt_id uuid PRIMARY KEY,
        case_id uuid NOT NULL,
        referral_id uuid NOT NULL,
        agency text NOT NULL,
        channel text NOT NULL,
        groups text[] NOT NULL,
        purpose text,
        grounds jsonb NOT NULL,
        given_at timestamptz NOT NULL,
        shown_from timestamptz,
        ends_at timestamptz
    )
    """,
    "CREATE INDEX disclosures_of_case ON disclosures (case_id, given_at)",
    """
    CREATE TABLE recalls (
        receipt_id uuid NOT NULL,
        consent_id uuid NOT NULL,
        case_id uuid NOT NULL,
        groups text[] NOT NULL,
        why text NOT NULL,
        recalled_at timestamptz NOT NULL,
        PRIMARY KEY (receipt_id, consent_id)
    )
    """,
    "CREATE INDEX recalls_of_case ON recalls (case_id)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
