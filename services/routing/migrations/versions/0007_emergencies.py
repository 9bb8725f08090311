"""What was opened in emergencies; and an agency finds its own referrals."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE emergency_accesses (
        access_id uuid PRIMARY KEY,
        case_id uuid NOT NULL,
        referral_id uuid NOT NULL,
        agency text NOT NULL,
        groups text[] NOT NULL,
        opened_at timestamptz NOT NULL,
        ends_at timestamptz NOT NULL,
        caseworker text NOT NULL,
        reason text NOT NULL,
        reviewed_at timestamptz,
        reviewed_by text,
        justified boolean,
        note text,
        CONSTRAINT a_few_hours_at_most CHECK (ends_at > opened_at AND ends_at <= opened_at + interval '4 hours'),
        CONSTRAINT nothing_that_rests_on_consent CHECK (NOT groups && ARRAY['victim_services', 'substance_use'])
    )
    """,
    "CREATE INDEX emergency_accesses_by_referral ON emergency_accesses (referral_id, ends_at)",
    "CREATE INDEX emergency_accesses_unreviewed ON emergency_accesses (opened_at) WHERE reviewed_at IS NULL",
    "CREATE INDEX referrals_by_agency ON referrals (agency, referral_id)",
    """
    CREATE INDEX referrals_open_by_agency ON referrals (agency, referral_id)
    WHERE state IN ('requested', 'accepted', 'in-progress', 'on-hold')
    """,
)


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
