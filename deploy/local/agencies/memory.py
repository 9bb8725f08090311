"""What an agency remembers, in a SQLite file of its own: referrals that it has heard of, and what it has yet to say.

A referral and all its steps are written before the message counts as read, so a kill at any moment loses none of them.
"""

import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from deploy.local.agencies.plan import Step
from deploy.local.agencies.wire import Heard, Update

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

# Steps that have a number already were sent before a crash, perhaps: they go first, under the same number.
_DUE = """
SELECT s.referral_id, r.case_id, s.number, s.type, s.details, r.cause, r.trace, s.due_at, s.sequence
FROM steps s JOIN referrals r USING (referral_id)
WHERE s.due_at <= ? ORDER BY s.sequence IS NULL, s.sequence, s.due_at, s.number LIMIT ?
"""
_HURRY = """
UPDATE steps SET due_at = min(due_at, :now) WHERE referral_id = :referral_id
AND number = (SELECT min(number) FROM steps WHERE referral_id = :referral_id)
"""


class Memory:
    """The memory of one agency; every method is one transaction."""

    def __init__(self, file: Path) -> None:
        """Open the file, and make it if it is not there."""
        file.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(file)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.executescript(_TABLES)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def remember(self, heard: Heard, steps: Iterable[Step], now: float) -> bool:
        """Write down a referral and what will be done about it; False when it is known already."""
        referral_id = heard.event["referral_id"]
        with self._database as transaction:
            added = transaction.execute(
                "INSERT INTO referrals VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (referral_id, heard.case_id, heard.id, heard.trace),
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

    def drop(self, referral_id: str) -> None:
        """Forget what was still to be said about a referral."""
        with self._database as transaction:
            transaction.execute("DELETE FROM steps WHERE referral_id = ?", (referral_id,))

    def forget(self, referral_id: str) -> None:
        """Keep of a referral no more than that it was there, so that hearing it again does not bring it back."""
        with self._database as transaction:
            transaction.execute("DELETE FROM steps WHERE referral_id = ?", (referral_id,))
            transaction.execute(
                "INSERT INTO referrals VALUES (?, '', '', '') ON CONFLICT (referral_id)"
                " DO UPDATE SET case_id = '', cause = '', trace = ''",
                (referral_id,),
            )

    def hurry(self, referral_id: str, now: float) -> None:
        """Say at once what was to be said next about a referral."""
        with self._database as transaction:
            transaction.execute(_HURRY, {"referral_id": referral_id, "now": now})

    def due(self, now: float, limit: int) -> list[tuple[Update, int]]:
        """Return what is to be said now, in order, each with its number within its case."""
        with self._database as transaction, closing(transaction.execute(_DUE, (now, limit))) as rows:
            found = rows.fetchall()
            return [self._numbered(row) for row in found]

    def said(self, updates: Iterable[Update]) -> None:
        """Forget what has been said, once the broker has it."""
        with self._database as transaction:
            transaction.executemany(
                "DELETE FROM steps WHERE referral_id = ? AND number = ?", [(u.referral_id, u.number) for u in updates]
            )

    def waiting(self) -> int:
        """Count what is still to be said."""
        return int(self._database.execute("SELECT count(*) FROM steps").fetchone()[0])

    def _numbered(self, row: tuple[str, str, int, str, str, str, str, float, int | None]) -> tuple[Update, int]:
        referral_id, case_id, number, kind, details, cause, trace, at, sequence = row
        update = Update(referral_id, case_id, number, kind, json.loads(details), cause, trace, at)
        return update, sequence or self._next_in(case_id, referral_id, number)

    def _next_in(self, case_id: str, referral_id: str, number: int) -> int:
        (last,) = self._database.execute(
            "INSERT INTO sequences VALUES (?, 1) ON CONFLICT (case_id) DO UPDATE SET last = last + 1 RETURNING last",
            (case_id,),
        ).fetchone()
        self._database.execute(
            "UPDATE steps SET sequence = ? WHERE referral_id = ? AND number = ?", (last, referral_id, number)
        )
        return int(last)
