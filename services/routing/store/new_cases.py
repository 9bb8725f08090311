"""Adds rows to the tables of routing, and says what follows: all of a whole batch by one statement."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import psycopg

from shared.kit.database.database import TRANSIENT_ERRORS, Transaction, UnavailableError
from shared.kit.database.rows import Row, rows_to_json
from shared.kit.messaging import outbox
from shared.kit.messaging.outbox import ENQUEUE_SQL, OutboxEvent

_COLUMNS: Final[Mapping[str, str]] = {
    "inbox": "source, event_id",
    "cases": "case_id, report, resolution, resolved_at, service_request_id, routed_at",
    "referrals": (
        "case_id, referral_id, need_id, need, agency, program, attempt, asked_at, changed_at, answer_by, due_at,"
        " reminders, state, last_change, reason, changes, record_only"
    ),
    "referral_changes": "case_id, referral_id, number, change, occurred_at, by, cause, reason, why, words",
    "receipts": (
        "receipt_id, case_id, referral_id, agency, given_at, channel, form, groups, grounds, purpose, policy_set,"
        " digest, shown_from"
    ),
    "consent_uses": "consent_id, receipt_id, case_id, referral_id, agency, groups",
    "triage": (
        "case_id, need_id, entered_at, need, service_code, district, reason, why, ended_by, assigned_to, ended_at"
    ),
    "refused_disclosures": "case_id, need_id, agency, cause, refused_at, why, policy_set",
}
"""What can be added, and the columns that are written."""


def _insert(table: str, columns: str) -> str:
    given = f"json_populate_recordset(NULL::{table}, %({table})s::json)"
    return f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {given}"  # noqa: S608 - our own names


_ADD: Final = f"""
    -- All that a batch adds: cases, referrals and their history, receipts and what they stand on, refusals; and all
    -- that it says.
    WITH {", ".join(f"added_{table} AS ({_insert(table, columns)})" for table, columns in _COLUMNS.items())},
    {ENQUEUE_SQL}
    SELECT count(*) FROM notified
"""  # noqa: S608 - our own names

_THEIR_OWN_FAULT: Final = (psycopg.DataError, psycopg.IntegrityError)
"""What is wrong with one row; it would be as wrong the next time."""


class NewRows:
    """Rows to be added, by table, and events to be said.

    Each row names its columns, and leaves out those that are to be NULL if it likes.
    """

    def __init__(self, said: Sequence[OutboxEvent] = ()) -> None:
        self._rows: defaultdict[str, list[Row]] = defaultdict(list)
        self._said = said

    def note(self, table: str, rows: Iterable[Row]) -> None:
        """Note rows of a table."""
        self._rows[table] += rows

    async def write(self, tx: Transaction) -> None:
        """Write them all.

        Raises:
            UnavailableError: a table cannot be written now, whatever is in the rows (without receipts nothing may be
                disclosed): nothing is, and all of it is to be tried again later.
            psycopg.Error: the database is away, or one of these rows cannot be written at all.
        """
        if not self._said and not any(self._rows.values()):
            return
        rows = {table: rows_to_json(self._rows[table]) for table in _COLUMNS}
        try:
            await tx.execute(_ADD, {**rows, "events": outbox.events_to_json(self._said)})
        except (*TRANSIENT_ERRORS, *_THEIR_OWN_FAULT):
            raise
        except psycopg.Error as error:
            raise UnavailableError(f"cases and receipts cannot be written: {type(error).__name__}") from error
