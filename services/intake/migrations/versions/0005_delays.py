"""Index the disclosures under embargo."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX disclosures_delayed ON disclosures (case_id) WHERE shown_from IS NOT NULL")
