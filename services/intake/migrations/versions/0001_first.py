"""Create the tables of intake, and the keys of persons in the vault."""

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
        service_request_id text NOT NULL CONSTRAINT cases_service_request_id UNIQUE,
        token_hash bytea NOT NULL,
        service_code text NOT NULL,
        needs text[] NOT NULL,
        urgency text NOT NULL,
        language text NOT NULL,
        channel text NOT NULL,
        source text,
        external_id text,
        cell text,
        district text,
        person_id uuid NOT NULL,
        sealed jsonb NOT NULL,
        record text,
        protected boolean NOT NULL,
        status text NOT NULL CONSTRAINT cases_status CHECK (status IN ('open', 'closed')),
        resolution text,
        agencies text[] NOT NULL,
        submitted_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        closed_at timestamptz,
        withdrawn_at timestamptz
    )
    """,
    "CREATE INDEX cases_by_submission ON cases (submitted_at, case_id)",
    "CREATE INDEX cases_by_service ON cases (service_code, submitted_at)",
    "CREATE INDEX cases_by_update ON cases (updated_at, case_id)",
    "CREATE INDEX cases_open ON cases (submitted_at) WHERE status = 'open'",
    "CREATE UNIQUE INDEX cases_external ON cases (source, external_id) WHERE external_id IS NOT NULL",
    """
    CREATE TABLE notes (
        event_id uuid PRIMARY KEY,
        case_id uuid NOT NULL,
        sequence bigint NOT NULL,
        happened_at timestamptz NOT NULL,
        kind text NOT NULL,
        referral_id uuid,
        need text,
        agency text,
        reason text
    )
    """,
    "CREATE INDEX notes_of_case ON notes (case_id, happened_at, sequence)",
    """
    CREATE TABLE referrals (
        referral_id uuid PRIMARY KEY,
        case_id uuid NOT NULL,
        need text NOT NULL,
        agency text NOT NULL,
        state text NOT NULL,
        sequence bigint NOT NULL
    )
    """,
    "CREATE INDEX referrals_of_case ON referrals (case_id)",
    """
    CREATE TABLE api_keys (
        key_hash text PRIMARY KEY,
        name text NOT NULL,
        scopes text[] NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        revoked_at timestamptz
    )
    """,
    """
    CREATE TABLE idempotency_keys (
        caller text NOT NULL,
        key text NOT NULL,
        fingerprint bytea NOT NULL,
        case_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (caller, key)
    )
    """,
    "CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at)",
    # Intake takes numbers a hundred at a time, so that a report needs no round trip for its own.
    "CREATE SEQUENCE service_request_numbers INCREMENT BY 100",
)

VAULT = """
    CREATE TABLE vault.person_keys (
        person_id uuid PRIMARY KEY,
        wrapped bytea NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
    )
"""


def upgrade() -> None:
    """Create the kit's tables, our own, and the vault's."""
    for statement in (*KIT_TABLES_UP, *TABLES, VAULT):
        op.execute(statement)
