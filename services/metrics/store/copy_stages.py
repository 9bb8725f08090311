"""Stages: temporary tables that COPY fills and one statement then reads.

COPY is the fastest way to hand many rows to PostgreSQL, but it can neither merge with rows that exist nor skip them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from psycopg import sql
from psycopg.types.json import Jsonb
from sqlalchemy import Table, make_url

from services.metrics.tables import CASE_CLOCKS, FACT_TABLES, JOURNEY_ENTRIES, REFERRAL_CLOCKS, SPANS
from shared.kit.database.database import Transaction

_POSTGRESQL: Final = make_url("postgresql+psycopg://").get_dialect()()


@dataclass(frozen=True, slots=True)
class Stage:
    """A temporary table: its name, and its columns with their types."""

    name: str
    columns: Mapping[str, str]

    @property
    def definition(self) -> str:
        """The statement that creates the table, once for each connection."""
        columns = ", ".join(f'"{name}" {kind}' for name, kind in self.columns.items())
        return f"CREATE TEMP TABLE IF NOT EXISTS {self.name} ({columns}) ON COMMIT DELETE ROWS"

    @property
    def table(self) -> sql.Identifier:
        """The name of the table, for a statement."""
        return sql.Identifier(self.name)

    @property
    def names(self) -> sql.Composed:
        """The names of the columns, for a statement."""
        return sql.SQL(", ").join(map(sql.Identifier, self.columns))

    async def fill(self, tx: Transaction, values: Iterable[Any]) -> None:
        """Replace the rows of the stage by these values, each column by the attribute of the same name."""
        async with tx.cursor() as cursor:
            # ON COMMIT DELETE ROWS empties the stage too late for a transaction that fills it twice.
            await cursor.execute(sql.SQL("DELETE FROM {}").format(self.table))
            target = sql.SQL("COPY {} ({}) FROM STDIN").format(self.table, self.names)
            async with cursor.copy(target) as copy:
                for value in values:
                    await copy.write_row([_adapted(getattr(value, name)) for name in self.columns])


def stage_of(table: Table, without: Sequence[str] = ()) -> Stage:
    """Return the stage of a table: all its columns but those that the database sets (`without`)."""
    columns = {column.name: column.type.compile(_POSTGRESQL) for column in table.columns if column.name not in without}
    return Stage(f"stage_{table.name}", columns)


def _adapted(value: Any) -> Any:
    return Jsonb(value) if isinstance(value, dict | list) else value


FACT_STAGES: Final = {kind: stage_of(table) for kind, table in FACT_TABLES.items()}
ENTRY_STAGE: Final = stage_of(JOURNEY_ENTRIES, without=("heard_at",))
CASE_CLOCK_STAGE: Final = stage_of(CASE_CLOCKS)
REFERRAL_CLOCK_STAGE: Final = stage_of(REFERRAL_CLOCKS)
SPAN_STAGE: Final = stage_of(SPANS, without=("received_at",))

STAGING: Final = tuple(
    stage.definition
    for stage in (*FACT_STAGES.values(), ENTRY_STAGE, CASE_CLOCK_STAGE, REFERRAL_CLOCK_STAGE, SPAN_STAGE)
)
"""The statements that create the stages; each connection runs them once."""
