"""Figures, journeys and spans."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TABLES = (
    """
    CREATE TABLE journey_entries (
        source varchar NOT NULL,
        event_id uuid NOT NULL,
        case_id uuid NOT NULL,
        topic varchar NOT NULL,
        type varchar NOT NULL,
        about varchar NOT NULL,
        sequence bigint,
        occurred_at timestamptz NOT NULL,
        heard_at timestamptz NOT NULL DEFAULT now(),
        causation_id uuid,
        traceparent varchar,
        summary jsonb NOT NULL,
        PRIMARY KEY (source, event_id)
    )
    """,
    "CREATE INDEX journey_entries_by_case ON journey_entries (case_id)",
    """
    CREATE TABLE stale_cases (
        id bigint GENERATED ALWAYS AS IDENTITY,
        case_id uuid NOT NULL,
        heard_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (id)
    )
    WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000)
    """,
    """
    CREATE TABLE case_clocks (
        case_id uuid NOT NULL,
        week date,
        district varchar NOT NULL,
        is_open boolean NOT NULL,
        routing double precision,
        response double precision,
        resolution double precision,
        PRIMARY KEY (case_id)
    )
    WITH (fillfactor = 80)
    """,
    "CREATE INDEX case_clocks_by_district ON case_clocks (district, week)",
    "CREATE INDEX case_clocks_by_week ON case_clocks (week)",
    """
    CREATE TABLE referral_clocks (
        referral_id uuid NOT NULL,
        case_id uuid NOT NULL,
        week date,
        agency varchar NOT NULL,
        program varchar NOT NULL,
        need varchar NOT NULL,
        is_open boolean NOT NULL,
        response double precision,
        answer double precision,
        start double precision,
        work double precision,
        resolution double precision,
        hold double precision NOT NULL,
        PRIMARY KEY (referral_id)
    )
    WITH (fillfactor = 80)
    """,
    "CREATE INDEX referral_clocks_by_agency ON referral_clocks (agency, week)",
    "CREATE INDEX referral_clocks_by_need ON referral_clocks (need, week)",
    "CREATE INDEX referral_clocks_by_program ON referral_clocks (program, week)",
    """
    CREATE TABLE case_tallies (
        case_id uuid NOT NULL,
        counts jsonb NOT NULL,
        PRIMARY KEY (case_id)
    )
    WITH (fillfactor = 80)
    """,
    """
    CREATE TABLE totals (
        name varchar NOT NULL,
        n bigint NOT NULL,
        PRIMARY KEY (name)
    )
    """,
    """
    CREATE TABLE stale_cells (
        dimension varchar NOT NULL,
        key varchar NOT NULL,
        week date NOT NULL,
        since timestamptz NOT NULL,
        PRIMARY KEY (dimension, key, week)
    )
    """,
    """
    CREATE TABLE cells (
        dimension varchar NOT NULL,
        clock varchar NOT NULL,
        week date NOT NULL,
        key varchar NOT NULL,
        n integer NOT NULL,
        bad integer NOT NULL,
        waiting integer NOT NULL,
        p50 double precision,
        p90 double precision,
        p95 double precision,
        hold double precision NOT NULL,
        PRIMARY KEY (dimension, clock, week, key)
    )
    """,
    """
    CREATE TABLE spans (
        trace_id varchar NOT NULL,
        span_id varchar NOT NULL,
        parent_id varchar,
        name varchar NOT NULL,
        service varchar NOT NULL,
        kind varchar NOT NULL,
        started_ns bigint NOT NULL,
        ended_ns bigint NOT NULL,
        status varchar NOT NULL,
        attributes jsonb NOT NULL,
        links jsonb NOT NULL,
        case_id uuid,
        received_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (trace_id, span_id)
    )
    """,
    "CREATE INDEX spans_by_age ON spans (received_at)",
    "CREATE INDEX spans_by_case ON spans (case_id) WHERE case_id IS NOT NULL",
)


def upgrade() -> None:
    """Create the tables of figures, journeys and spans."""
    for statement in _TABLES:
        op.execute(statement)
