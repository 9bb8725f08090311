"""Staging: temporary tables that COPY fills, for one statement to take from."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from types import UnionType
from typing import Any, get_args, get_type_hints
from uuid import UUID

from psycopg import sql
from psycopg.types.json import Jsonb

from services.metrics.domain.clocks import CaseClocks, ReferralClocks
from services.metrics.domain.facts import FACTS
from services.metrics.domain.journey import JourneyEntry
from services.metrics.domain.spans import Span
from shared.kit.database.database import Transaction

_TYPES: dict[Any, str] = {
    UUID: "uuid", str: "text", int: "bigint", bool: "boolean", float: "double precision", date: "date",
    datetime: "timestamptz", dict: "jsonb", list: "jsonb",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stage:
    """A temporary table: its name, and its columns with their types."""

    name: str
    columns: Mapping[str, str]

    @property
    def definition(self) -> str:
        """The statement that makes the table, once for each connection."""
        columns = ", ".join(f'"{name}" {kind}' for name, kind in self.columns.items())
        return f"CREATE TEMP TABLE IF NOT EXISTS {self.name} ({columns}) ON COMMIT DELETE ROWS"

    @property
    def table(self) -> sql.Identifier:
        """The table, to be put into a statement."""
        return sql.Identifier(self.name)

    @property
    def names(self) -> sql.Composed:
        """The columns, to be put into a statement."""
        return sql.SQL(", ").join(map(sql.Identifier, self.columns))

    async def fill(self, tx: Transaction, rows: Iterable[Any]) -> None:
        """Put these values into the table, and nothing else."""
        async with tx.cursor() as cursor:
            await cursor.execute(sql.SQL("DELETE FROM {}").format(self.table))
            target = sql.SQL("COPY {} ({}) FROM STDIN").format(self.table, self.names)
            async with cursor.copy(target) as copy:
                for row in rows:
                    await copy.write_row([_plain(getattr(row, name)) for name in self.columns])


def stage_of(kind: type, without: Sequence[str] = (), **more: str) -> Stage:
    """Return the staging table of a dataclass, named for it; `more` are columns that are its properties."""
    hints = get_type_hints(kind)
    own = {field.name: _TYPES[_bare(hints[field.name])] for field in fields(kind) if field.name not in without}
    return Stage(f"stage_{kind.__name__.lower()}", own | more)


def _bare(hint: Any) -> Any:
    if isinstance(hint, UnionType):
        return next(part for part in get_args(hint) if part is not type(None))
    return getattr(hint, "__origin__", None) or hint


def _plain(value: Any) -> Any:
    return Jsonb(value) if isinstance(value, dict | list) else value


FACT_STAGES = {kind: stage_of(kind) for kind in FACTS}
ENTRIES = stage_of(JourneyEntry, without=("heard_at",))
CASE_CLOCKS = stage_of(CaseClocks)
REFERRAL_CLOCKS = stage_of(ReferralClocks)
SPANS = stage_of(Span, case_id="uuid")

STAGING = tuple(stage.definition for stage in (*FACT_STAGES.values(), ENTRIES, CASE_CLOCKS, REFERRAL_CLOCKS, SPANS))
"""The statements that make the staging tables; each connection runs them once."""
