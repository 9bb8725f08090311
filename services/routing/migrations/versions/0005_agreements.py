"""Create the history of agreements: each version, the sets that were decided by, and since when."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE agreements (
        id text NOT NULL,
        version integer NOT NULL,
        digest text NOT NULL,
        text text NOT NULL,
        loaded_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (id, version)
    )
    """,
    """
    CREATE TABLE policy_sets (
        hash text PRIMARY KEY,
        loaded_at timestamptz NOT NULL DEFAULT now(),
        agreements jsonb NOT NULL,
        policies text NOT NULL
    )
    """,
    """
    CREATE TABLE policy_set_uses (
        since timestamptz PRIMARY KEY DEFAULT clock_timestamp(),
        hash text NOT NULL
    )
    """,
)


def upgrade() -> None:
    """Create the tables."""
    for statement in TABLES:
        op.execute(statement)
