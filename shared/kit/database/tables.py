"""The tables that every service has in its own schema: inbox, outbox, sequences, withheld events, dead letters."""

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY


def add_kit_tables(metadata: MetaData) -> None:
    """Add the kit's tables to the metadata of a service's schema, for Alembic to compare."""
    _inbox(metadata)
    _outbox(metadata)
    _sequences(metadata)
    _withheld(metadata)
    _dead_letters(metadata)


def _now() -> Column[object]:
    return Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now())


def _inbox(metadata: MetaData) -> None:
    Table(
        "inbox",
        metadata,
        Column("source", Text, primary_key=True),
        Column("event_id", Uuid, primary_key=True),
        _now(),
    )


def _outbox(metadata: MetaData) -> None:
    outbox = Table(
        "outbox",
        metadata,
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        Column("shard", SmallInteger, nullable=False),
        Column("topic", Text, nullable=False),
        Column("case_id", Uuid),
        Column("event_id", Uuid),
        Column("event_type", Text),
        Column("happened_at", Text),
        Column("classification", Text),
        Column("causation_id", Uuid),
        Column("sequence", BigInteger),
        Column("traceparent", Text),
        Column("value", Text),
        Column("raw", LargeBinary),
        _now(),
        Column("guards", ARRAY(Uuid)),
    )
    Index("outbox_by_shard", outbox.c.shard, outbox.c.id)
    Index("outbox_guarded", outbox.c.case_id, postgresql_where=outbox.c.guards.is_not(None))


def _sequences(metadata: MetaData) -> None:
    Table(
        "outbox_sequences",
        metadata,
        Column("topic", Text, primary_key=True),
        Column("case_id", Uuid, primary_key=True),
        Column("last", BigInteger, nullable=False),
    )


def _withheld(metadata: MetaData) -> None:
    withheld = Table(
        "outbox_withheld",
        metadata,
        Column("event_id", Uuid, primary_key=True),
        Column("topic", Text, nullable=False),
        Column("case_id", Uuid),
        Column("event_type", Text),
        Column("sequence", BigInteger),
        Column("guards", ARRAY(Uuid), nullable=False),
        _now(),
    )
    Index("outbox_withheld_of_case", withheld.c.case_id)


def _dead_letters(metadata: MetaData) -> None:
    letters = Table(
        "dead_letters",
        metadata,
        Column("topic", Text, primary_key=True),
        Column("partition", Integer, primary_key=True),
        Column("position", BigInteger, primary_key=True),
        Column("consumer", Text, primary_key=True),
        Column("reason", Text, nullable=False),
        Column("tries", Integer, nullable=False, server_default=text("1")),
        Column("raw", LargeBinary, nullable=False),
        _now(),
        Column("number", BigInteger, Identity(always=True), nullable=False),
        Column("settled_at", DateTime(timezone=True)),
        Column("outcome", Text),
        Column("settled_by", Text),
        Column("repaired", LargeBinary),
    )
    Index("dead_letters_number", letters.c.number, unique=True)
    Index("dead_letters_open", letters.c.number, postgresql_where=letters.c.settled_at.is_(None))
