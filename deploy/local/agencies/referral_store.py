"""The referrals of one agency and its pending updates, in a SQLite file.

A referral and all its steps are committed before the offset of its message, so a kill at any moment loses none of them.
"""

import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from deploy.local.agencies.response_plan import Step
from deploy.local.agencies.wire import PendingUpdate, ReceivedEvent

_TABLES = """
CREATE TABLE IF NOT EXISTS referrals (
    referral_id TEXT PRIMARY KEY, case_id TEXT NOT NULL, cause TEXT NOT NULL, trace TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS steps (
    referral_id TEXT NOT NULL, number INTEGER NOT NULL, due_at REAL NOT NULL,
    type TEXT NOT NULL, details TEXT NOT NULL, sequence INTEGER,
    PRIMARY KEY (referral_id, number)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS steps_by_time ON steps (due_at, number);
CREATE TABLE IF NOT EXISTS sequences (case_id TEXT PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID;
"""

# Steps with a sequence number may have been sent before a crash: they come first, with the same number.
_DUE = """
SELECT s.referral_id, r.case_id, s.number, s.type, s.details, r.cause, r.trace, s.due_at, s.sequence
FROM steps s JOIN referrals r USING (referral_id)
WHERE s.due_at <= ? ORDER BY s.sequence IS NULL, s.sequence, s.due_at, s.number LIMIT ?
"""
_ADVANCE = """
UPDATE steps SET due_at = min(due_at, :now) WHERE referral_id = :referral_id
AND number = (SELECT min(number) FROM steps WHERE referral_id = :referral_id)
"""


class ReferralStore:
    """The store of one agency; every method is one transaction."""

    def __init__(self, file: Path) -> None:
        """Open the file, and create it if it does not exist."""
        file.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(file)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.executescript(_TABLES)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def add(self, received: ReceivedEvent, steps: Iterable[Step], now: float) -> bool:
        """Store a referral and the steps of its response, which count from `now`; False if the referral is known."""
        referral_id = received.event["referral_id"]
        with self._database as transaction:
            added = transaction.execute(
                "INSERT INTO referrals VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (referral_id, received.case_id, received.id, received.trace),
            )
            if added.rowcount == 0:
                return False
            transaction.executemany(
                "INSERT INTO steps VALUES (?, ?, ?, ?, ?, NULL)",
                [
                    (referral_id, number, now + step.after.total_seconds(), step.type, json.dumps(step.details))
                    for number, step in enumerate(steps, 1)
                ],
            )
        return True

    def drop_steps(self, referral_id: str) -> None:
        """Delete the pending updates of a referral."""
        with self._database as transaction:
            transaction.execute("DELETE FROM steps WHERE referral_id = ?", (referral_id,))

    def forget(self, referral_id: str) -> None:
        """Delete everything about a referral but its id, so that a repeated message does not bring it back."""
        with self._database as transaction:
            transaction.execute("DELETE FROM steps WHERE referral_id = ?", (referral_id,))
            transaction.execute(
                "INSERT INTO referrals VALUES (?, '', '', '') ON CONFLICT (referral_id)"
                " DO UPDATE SET case_id = '', cause = '', trace = ''",
                (referral_id,),
            )

    def advance(self, referral_id: str, now: float) -> None:
        """Make the next update of a referral due now."""
        with self._database as transaction:
            transaction.execute(_ADVANCE, {"referral_id": referral_id, "now": now})

    def list_due(self, now: float, limit: int) -> list[tuple[PendingUpdate, int]]:
        """Return the due updates in order, each with its sequence number within its case."""
        with self._database as transaction, closing(transaction.execute(_DUE, (now, limit))) as rows:
            found = rows.fetchall()
            return [self._with_sequence(row) for row in found]

    def mark_sent(self, updates: Iterable[PendingUpdate]) -> None:
        """Delete updates that the broker has confirmed."""
        with self._database as transaction:
            transaction.executemany(
                "DELETE FROM steps WHERE referral_id = ? AND number = ?", [(u.referral_id, u.number) for u in updates]
            )

    def count_pending(self) -> int:
        """Count the pending updates."""
        return int(self._database.execute("SELECT count(*) FROM steps").fetchone()[0])

    def _with_sequence(
        self, row: tuple[str, str, int, str, str, str, str, float, int | None]
    ) -> tuple[PendingUpdate, int]:
        referral_id, case_id, number, kind, details, cause, trace, at, sequence = row
        update = PendingUpdate(referral_id, case_id, number, kind, json.loads(details), cause, trace, at)
        return update, sequence or self._next_sequence(case_id, referral_id, number)

    def _next_sequence(self, case_id: str, referral_id: str, number: int) -> int:
        (last,) = self._database.execute(
            "INSERT INTO sequences VALUES (?, 1) ON CONFLICT (case_id) DO UPDATE SET last = last + 1 RETURNING last",
            (case_id,),
        ).fetchone()
        self._database.execute(
            "UPDATE steps SET sequence = ? WHERE referral_id = ? AND number = ?", (last, referral_id, number)
        )
        return int(last)
