"""The tables of the `metrics` schema.

A dataclass of the domain declares the columns of its table, and `table_of` derives them. This module adds what a
dataclass cannot say: keys, indexes, defaults, and which integers need 64 bits. store/copy_stages.py derives from the
tables which columns COPY writes. The migrations create the tables; tests/service/metrics/test_schema.py compares them.
"""

from dataclasses import fields
from datetime import date, datetime
from types import UnionType
from typing import Any, Final, get_args, get_origin, get_type_hints
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    Identity,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import SchemaItem
from sqlalchemy.types import TypeEngine

from services.metrics.domain.clocks import CaseClocks, ReferralClocks
from services.metrics.domain.facts import CaseFact, DeliveryFact, Fact, HoldFact, NeedFact, ReferralFact
from services.metrics.domain.journey import JourneyEntry
from services.metrics.domain.spans import Span
from shared.kit.database.tables import add_kit_tables

metadata = MetaData(schema="metrics")
add_kit_tables(metadata)

_TYPES: Final[dict[Any, TypeEngine[Any]]] = {
    UUID: Uuid(),
    str: String(),
    int: Integer(),
    bool: Boolean(),
    float: Double(),
    date: Date(),
    datetime: DateTime(timezone=True),
    dict: JSONB(),
    list: JSONB(),
}


def table_of(kind: type, name: str, *items: SchemaItem) -> Table:
    """Derive a table from a dataclass: one column for each field, nullable where the field may be None.

    `items` are keys, indexes and columns. A column with the name of a field replaces the derived one; others follow.
    """
    given = {item.name: item for item in items if isinstance(item, Column)}
    hints = get_type_hints(kind)
    derived = {field.name: _column(field.name, hints[field.name]) for field in fields(kind)}
    others = [item for item in items if not isinstance(item, Column)]
    return Table(name, metadata, *(derived | given).values(), *others)


def _column(name: str, hint: Any) -> Column[Any]:
    nullable = isinstance(hint, UnionType)
    plain = next(part for part in get_args(hint) if part is not type(None)) if nullable else hint
    return Column(name, _TYPES[get_origin(plain) or plain], nullable=nullable)


def _moment(name: str) -> Column[Any]:
    """Return the column of a time that the database sets when it inserts the row."""
    return Column(name, DateTime(timezone=True), nullable=False, server_default=func.now())


CASE_FACTS: Final = table_of(
    CaseFact,
    "case_facts",
    PrimaryKeyConstraint("case_id"),
    Index("case_facts_by_request", "service_request_id"),
    Index("case_facts_by_origin", "origin", "external_id"),
)

NEED_FACTS: Final = table_of(
    NeedFact,
    "need_facts",
    Column("unroutable_sequence", BigInteger),
    Column("requested_sequence", BigInteger),
    PrimaryKeyConstraint("need_id"),
    Index("need_facts_by_case", "case_id"),
)

REFERRAL_FACTS: Final = table_of(
    ReferralFact,
    "referral_facts",
    PrimaryKeyConstraint("referral_id"),
    Index("referral_facts_by_case", "case_id"),
)

HOLD_FACTS: Final = table_of(
    HoldFact,
    "hold_facts",
    Column("sequence", BigInteger),
    PrimaryKeyConstraint("event_id"),
    Index("hold_facts_by_case", "case_id"),
)

DELIVERY_FACTS: Final = table_of(
    DeliveryFact,
    "delivery_facts",
    PrimaryKeyConstraint("delivery_id"),
    Index("delivery_facts_by_case", "case_id"),
)

FACT_TABLES: Final[dict[type[Fact], Table]] = {
    CaseFact: CASE_FACTS,
    NeedFact: NEED_FACTS,
    ReferralFact: REFERRAL_FACTS,
    HoldFact: HOLD_FACTS,
    DeliveryFact: DELIVERY_FACTS,
}

JOURNEY_ENTRIES: Final = table_of(
    JourneyEntry,
    "journey_entries",
    Column("sequence", BigInteger),
    _moment("heard_at"),
    PrimaryKeyConstraint("source", "event_id"),
    Index("journey_entries_by_case", "case_id"),
)

CASE_CLOCKS: Final = table_of(
    CaseClocks,
    "case_clocks",
    PrimaryKeyConstraint("case_id"),
    Index("case_clocks_by_week", "week"),
    Index("case_clocks_by_district", "district", "week"),
)

REFERRAL_CLOCKS: Final = table_of(
    ReferralClocks,
    "referral_clocks",
    Column("pairing", String, nullable=False, server_default=""),
    PrimaryKeyConstraint("referral_id"),
    Index("referral_clocks_by_agency", "agency", "week"),
    Index("referral_clocks_by_program", "program", "week"),
    Index("referral_clocks_by_need", "need", "week"),
    Index("referral_clocks_by_pairing", "pairing", "week"),
)

SPANS: Final = table_of(
    Span,
    "spans",
    Column("started_ns", BigInteger, nullable=False),
    Column("ended_ns", BigInteger, nullable=False),
    Column("case_id", Uuid),  # a property of the dataclass: derived from the attributes
    _moment("received_at"),
    PrimaryKeyConstraint("trace_id", "span_id"),
    Index("spans_by_case", "case_id", postgresql_where=text("case_id IS NOT NULL")),
    Index("spans_by_age", "received_at"),
)

# A marker that events of this case arrived since its figures were computed. Rows are only inserted and deleted, never
# updated, so that consumers do not wait for the worker that computes figures.
Table(
    "stale_cases",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("case_id", Uuid, nullable=False),
    _moment("heard_at"),
)

# What one case adds to the totals, by name of the total.
Table(
    "case_tallies",
    metadata,
    Column("case_id", Uuid, primary_key=True),
    Column("counts", JSONB, nullable=False),
)

# The sum of the tallies of all cases.
Table(
    "totals",
    metadata,
    Column("name", String, primary_key=True),
    Column("n", BigInteger, nullable=False),
)

# A marker that a cell must be computed again; `since` is the time of the first change that it does not contain.
Table(
    "stale_cells",
    metadata,
    Column("dimension", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("week", Date, primary_key=True),
    Column("since", DateTime(timezone=True), nullable=False),
)

# One clock of one group, as domain/cells.py describes it; the week 0001-01-01 stands for all time.
Table(
    "cells",
    metadata,
    Column("dimension", String, primary_key=True),
    Column("clock", String, primary_key=True),
    Column("week", Date, primary_key=True),
    Column("key", String, primary_key=True),
    Column("n", Integer, nullable=False),
    Column("bad", Integer, nullable=False),
    Column("waiting", Integer, nullable=False),
    Column("p50", Double),
    Column("p90", Double),
    Column("p95", Double),
    Column("hold", Double, nullable=False),
)
