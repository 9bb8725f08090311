"""What was given under which consent, and which agencies could not be asked."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE consent_uses (
        consent_id uuid NOT NULL,
        receipt_id uuid NOT NULL,
        case_id uuid NOT NULL,
        referral_id uuid NOT NULL,
        agency text NOT NULL,
        groups text[] NOT NULL,
        recalled_at timestamptz,
        PRIMARY KEY (consent_id, receipt_id)
    )
    """,
    "CREATE INDEX consent_uses_in_force ON consent_uses (consent_id) WHERE recalled_at IS NULL",
    """
    CREATE TABLE refused_disclosures (
        case_id uuid NOT NULL,
        need_id uuid NOT NULL,
        agency text NOT NULL,
        cause uuid NOT NULL,
        refused_at timestamptz NOT NULL,
        why text[] NOT NULL,
        policy_set text NOT NULL,
        PRIMARY KEY (case_id, need_id, agency, cause)
    )
    """,
)


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
