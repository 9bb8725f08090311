"""Find cases by when they were routed and by their number, referrals by their id, and what was refused of late."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE cases ADD COLUMN service_request_id text, ADD COLUMN routed_at timestamptz",
    """
    UPDATE cases AS c SET service_request_id = report::jsonb ->> 'service_request_id', routed_at = coalesce(
        (SELECT min(asked_at) FROM referrals AS r WHERE r.case_id = c.case_id),
        (SELECT min(entered_at) FROM triage AS t WHERE t.case_id = c.case_id),
        (report::jsonb ->> 'submitted_at')::timestamptz
    )
    """,
    "ALTER TABLE cases ALTER COLUMN service_request_id SET NOT NULL, ALTER COLUMN routed_at SET NOT NULL",
    "CREATE INDEX cases_by_time ON cases (routed_at, case_id)",
    "CREATE INDEX cases_by_number ON cases (service_request_id)",
    "CREATE INDEX referrals_by_id ON referrals (referral_id)",
    "CREATE INDEX refused_disclosures_by_time ON refused_disclosures (refused_at)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
