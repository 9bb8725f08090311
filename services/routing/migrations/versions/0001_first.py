"""Create the tables of routing."""

from alembic import op

from shared.kit.database.migrations import KIT_TABLES_UP

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE cases (
        case_id uuid PRIMARY KEY,
        report text NOT NULL,
        resolution text,
        resolved_at timestamptz
    )
    """,
    """
    CREATE TABLE referrals (
        case_id uuid NOT NULL,
        referral_id uuid NOT NULL,
        need_id uuid NOT NULL,
        need text NOT NULL,
        agency text NOT NULL,
        program text NOT NULL,
        attempt smallint NOT NULL,
        asked_at timestamptz NOT NULL,
        changed_at timestamptz NOT NULL,
        answer_by timestamptz,
        due_at timestamptz,
        reminders smallint NOT NULL,
        state text NOT NULL,
        last_change text NOT NULL,
        reason text,
        changes smallint NOT NULL,
        record_only boolean NOT NULL,
        PRIMARY KEY (case_id, referral_id)
    )
    """,
    """
    CREATE UNIQUE INDEX referrals_one_open ON referrals (need_id, agency, program)
    WHERE state IN ('requested', 'accepted', 'in-progress', 'on-hold')
    """,
    "CREATE INDEX referrals_due ON referrals (due_at) WHERE due_at IS NOT NULL",
    """
    CREATE TABLE referral_changes (
        case_id uuid NOT NULL,
        referral_id uuid NOT NULL,
        number smallint NOT NULL,
        change text NOT NULL,
        occurred_at timestamptz NOT NULL,
        recorded_at timestamptz NOT NULL DEFAULT now(),
        by text NOT NULL,
        cause uuid NOT NULL,
        reason text,
        why text NOT NULL,
        words text,
        PRIMARY KEY (case_id, referral_id, number)
    )
    """,
    """
    CREATE TABLE triage (
        need_id uuid NOT NULL,
        entered_at timestamptz NOT NULL,
        case_id uuid NOT NULL,
        need text NOT NULL,
        service_code text NOT NULL,
        district text,
        reason text NOT NULL,
        why text NOT NULL,
        ended_at timestamptz,
        ended_by text,
        assigned_to text,
        PRIMARY KEY (need_id, entered_at)
    )
    """,
    "CREATE INDEX triage_by_case ON triage (case_id)",
    "CREATE INDEX triage_waiting ON triage (entered_at) WHERE ended_at IS NULL",
)


def upgrade() -> None:
    """Create the kit's tables and our own."""
    for statement in (*KIT_TABLES_UP, *TABLES):
        op.execute(statement)
