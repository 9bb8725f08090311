"""Facts."""

from alembic import op

from shared.kit.database.migrations import KIT_TABLES_UP

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = (
    """
    CREATE TABLE case_facts (
        case_id uuid NOT NULL,
        service_request_id varchar,
        service_code varchar,
        district varchar,
        urgency varchar,
        channel varchar,
        origin varchar,
        external_id varchar,
        needs integer,
        record_only boolean,
        filed_at timestamptz,
        withdrawn_at timestamptz,
        routed_at timestamptz,
        first_resolved_at timestamptz,
        completed_at timestamptz,
        not_completed_at timestamptz,
        called_off_at timestamptz,
        PRIMARY KEY (case_id)
    )
    WITH (fillfactor = 80)
    """,
    "CREATE INDEX case_facts_by_origin ON case_facts (origin, external_id)",
    "CREATE INDEX case_facts_by_request ON case_facts (service_request_id)",
    """
    CREATE TABLE need_facts (
        need_id uuid NOT NULL,
        case_id uuid,
        need varchar,
        unroutable_sequence bigint,
        requested_sequence bigint,
        PRIMARY KEY (need_id)
    )
    """,
    "CREATE INDEX need_facts_by_case ON need_facts (case_id)",
    """
    CREATE TABLE referral_facts (
        referral_id uuid NOT NULL,
        case_id uuid,
        need_id uuid,
        need varchar,
        agency varchar,
        program varchar,
        named boolean,
        record_only boolean,
        attempt integer,
        reason varchar,
        filed_at timestamptz,
        answer_by timestamptz,
        requested_at timestamptz,
        accepted_at timestamptz,
        rejected_at timestamptz,
        started_at timestamptz,
        completed_at timestamptz,
        failed_at timestamptz,
        cancelled_at timestamptz,
        transferred_at timestamptz,
        overdue_at timestamptz,
        escalated_at timestamptz,
        PRIMARY KEY (referral_id)
    )
    WITH (fillfactor = 80)
    """,
    "CREATE INDEX referral_facts_by_case ON referral_facts (case_id)",
    """
    CREATE TABLE hold_facts (
        event_id uuid NOT NULL,
        case_id uuid,
        referral_id uuid,
        occurred_at timestamptz,
        sequence bigint,
        outside boolean,
        PRIMARY KEY (event_id)
    )
    """,
    "CREATE INDEX hold_facts_by_case ON hold_facts (case_id)",
    """
    CREATE TABLE delivery_facts (
        delivery_id uuid NOT NULL,
        case_id uuid,
        template varchar,
        channel varchar,
        sent_at timestamptz,
        refused_at timestamptz,
        uncertain_at timestamptz,
        suppressed_at timestamptz,
        why varchar,
        PRIMARY KEY (delivery_id)
    )
    """,
    "CREATE INDEX delivery_facts_by_case ON delivery_facts (case_id)",
)


def upgrade() -> None:
    """Create the kit's tables and those of the facts."""
    for statement in (*KIT_TABLES_UP, *_TABLES):
        op.execute(statement)
