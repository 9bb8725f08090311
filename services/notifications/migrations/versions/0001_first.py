"""Create the tables of notifications."""

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
        service_request_id text,
        service_code text,
        language text,
        person_id uuid,
        contact text,
        silent boolean NOT NULL DEFAULT false,
        filed_at timestamptz
    )
    """,
    """
    CREATE TABLE deliveries (
        id uuid PRIMARY KEY,
        case_id uuid NOT NULL,
        template text NOT NULL,
        occasion text NOT NULL,
        cause uuid NOT NULL,
        agency text,
        detail text,
        traceparent text,
        happened_at timestamptz NOT NULL,
        state text NOT NULL,
        tries integer NOT NULL DEFAULT 0,
        problem text,
        next_try_at timestamptz NOT NULL DEFAULT now(),
        claimed_at timestamptz,
        settled_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT deliveries_told_once UNIQUE (case_id, template, occasion),
        CONSTRAINT deliveries_state CHECK
            (state IN ('waiting', 'queued', 'sending', 'sent', 'failed', 'suppressed', 'uncertain'))
    )
    """,
    "CREATE INDEX deliveries_to_send ON deliveries (next_try_at) WHERE state = 'queued'",
    "CREATE INDEX deliveries_at_server ON deliveries (claimed_at) WHERE state = 'sending'",
)


def upgrade() -> None:
    """Create the kit's tables and our own."""
    for statement in (*KIT_TABLES_UP, *TABLES):
        op.execute(statement)
