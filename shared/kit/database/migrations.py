"""Migrations of one schema: what a service's Alembic `env.py` calls, and the kit's own tables as SQL."""

from alembic import context
from sqlalchemy import Connection, MetaData, create_engine, pool, text

KIT_TABLES_UP = (
    """
    CREATE TABLE inbox (
        source text NOT NULL,
        event_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (source, event_id)
    )
    """,
    """
    CREATE TABLE outbox (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        shard smallint NOT NULL,
        topic text NOT NULL,
        case_id uuid,
        event_id uuid,
        event_type text,
        happened_at text,
        classification text,
        causation_id uuid,
        sequence bigint,
        traceparent text,
        value text,
        raw bytea,
        created_at timestamptz NOT NULL DEFAULT now()
    )
    WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000)
    """,
    "CREATE INDEX outbox_by_shard ON outbox (shard, id)",
    """
    CREATE TABLE outbox_sequences (
        topic text NOT NULL,
        case_id uuid NOT NULL,
        last bigint NOT NULL,
        PRIMARY KEY (topic, case_id)
    )
    WITH (fillfactor = 80)
    """,
    """
    CREATE TABLE dead_letters (
        topic text NOT NULL,
        partition integer NOT NULL,
        position bigint NOT NULL,
        consumer text NOT NULL,
        reason text NOT NULL,
        tries integer NOT NULL DEFAULT 1,
        raw bytea NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (topic, partition, position, consumer)
    )
    """,
)
"""The kit's tables in their first version, one statement each; a service's first migration runs them."""

OUTBOX_GUARDS_UP = (
    "ALTER TABLE outbox ADD COLUMN guards uuid[]",
    "CREATE INDEX outbox_guarded ON outbox (case_id) WHERE guards IS NOT NULL",
    """
    CREATE TABLE outbox_withheld (
        event_id uuid PRIMARY KEY,
        topic text NOT NULL,
        case_id uuid,
        event_type text,
        sequence bigint,
        guards uuid[] NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE INDEX outbox_withheld_of_case ON outbox_withheld (case_id)",
)
"""Consents that outbox rows require (`guards`), and a record of the events that were withheld."""

SETTLED_LETTERS_UP = (
    """
    ALTER TABLE dead_letters
        ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY,
        ADD COLUMN settled_at timestamptz,
        ADD COLUMN outcome text,
        ADD COLUMN settled_by text,
        ADD COLUMN repaired bytea
    """,
    "CREATE UNIQUE INDEX dead_letters_number ON dead_letters (number)",
    "CREATE INDEX dead_letters_open ON dead_letters (number) WHERE settled_at IS NULL",
)
"""The number by which an operator names a dead letter, and its outcome."""


def run_migrations(schema: str, metadata: MetaData) -> None:
    """Migrate one schema, on the connection in the Alembic config if there is one, else on a connection to its URL."""
    connection = context.config.attributes.get("connection")
    if isinstance(connection, Connection):
        _migrate(connection, schema, metadata)
        return
    engine = create_engine(context.config.get_main_option("sqlalchemy.url") or "", poolclass=pool.NullPool)
    with engine.begin() as connection:
        _migrate(connection, schema, metadata)


def _migrate(connection: Connection, schema: str, metadata: MetaData) -> None:
    connection.execute(text(f"SET LOCAL search_path TO {schema}"))
    context.configure(
        connection=connection,
        target_metadata=metadata,
        version_table_schema=schema,
        include_schemas=True,
        include_name=lambda name, kind, _: name == schema if kind == "schema" else True,
    )
    with context.begin_transaction():
        context.run_migrations()
