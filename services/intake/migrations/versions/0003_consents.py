"""Create the consents in the vault: intake writes them, routing reads them in the transaction of a release."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

CONSENTS = (
    """
    CREATE TABLE vault.consents (
        consent_id uuid PRIMARY KEY,
        case_id uuid NOT NULL,
        person_id uuid NOT NULL,
        recipients text[] NOT NULL CONSTRAINT consents_name_recipients CHECK (cardinality(recipients) > 0),
        purpose text NOT NULL,
        groups text[] NOT NULL CONSTRAINT consents_name_groups CHECK (cardinality(groups) > 0),
        how text NOT NULL CONSTRAINT consents_how CHECK (how IN ('form', 'api', 'caseworker')),
        record text,
        granted_by text NOT NULL,
        granted_at timestamptz NOT NULL,
        ends_at timestamptz NOT NULL,
        withdrawn_at timestamptz
    )
    """,
    "CREATE INDEX consents_of_case ON vault.consents (case_id)",
    "CREATE INDEX consents_by_end ON vault.consents (ends_at) WHERE withdrawn_at IS NULL",
)


def upgrade() -> None:
    """Create the table."""
    for statement in CONSENTS:
        op.execute(statement)
