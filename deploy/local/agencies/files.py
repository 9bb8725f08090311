"""What an agency was given about its referrals, in a SQLite file of its own: kept no longer than it may be.

A sequence number that was heard before is a repeat, and is passed over: it must not bring back what was recalled since.
"""

import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

_TABLES = """
CREATE TABLE IF NOT EXISTS files (
    referral_id TEXT PRIMARY KEY, case_id TEXT NOT NULL, need TEXT NOT NULL, released TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS links (
    referral_id TEXT PRIMARY KEY, case_id TEXT NOT NULL, link TEXT NOT NULL, version INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS heard (case_id TEXT PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID;
"""

_LINK = """
INSERT INTO links VALUES (?, ?, ?, ?) ON CONFLICT (referral_id)
DO UPDATE SET link = excluded.link, version = version + 1
"""

Released = dict[str, Any]


class Link(NamedTuple):
    """Something that is still to be read; the version tells whether it was asked for again meanwhile."""

    referral_id: str
    case_id: str
    link: str
    version: int


class Files:
    """The files of one agency; every method is one transaction."""

    def __init__(self, file: Path) -> None:
        """Open the file, and make it if it is not there."""
        file.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(file)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA secure_delete=ON")
        self._database.executescript(_TABLES)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def last_heard(self, case_id: str) -> int:
        """Return the highest sequence number of a case that was worked on; 0 for none."""
        row = self._database.execute("SELECT last FROM heard WHERE case_id = ?", (case_id,)).fetchone()
        return int(row[0]) if row else 0

    def note_heard(self, case_id: str, sequence: int) -> None:
        """Note that an event was worked on. Numbers may be missing: an event that was withheld leaves a gap."""
        with self._database as transaction:
            transaction.execute(
                "INSERT INTO heard VALUES (?, ?) ON CONFLICT (case_id) DO UPDATE SET last = max(last, excluded.last)",
                (case_id, sequence),
            )

    def keep(self, referral_id: str, case_id: str, need: str, released: Released) -> None:
        """Keep what is known of a referral now, in place of what was known before."""
        with self._database as transaction:
            self._put(transaction, (referral_id, case_id, need, released))

    def find(self, referral_id: str) -> tuple[str, Released] | None:
        """Find the need, and what is known besides."""
        row = self._database.execute(
            "SELECT need, released FROM files WHERE referral_id = ?", (referral_id,)
        ).fetchone()
        return (row[0], json.loads(row[1])) if row else None

    def ask(self, referral_id: str, case_id: str, link: str) -> None:
        """Note that something is to be read."""
        with self._database as transaction:
            transaction.execute(_LINK, (referral_id, case_id, link, 1))

    def links(self, limit: int) -> list[Link]:
        """List what is to be read."""
        return [Link(*row) for row in self._database.execute("SELECT * FROM links LIMIT ?", (limit,)).fetchall()]

    def answer(self, link: Link, need: str | None, released: Released) -> None:
        """Keep what was read, unless it was forgotten or asked for again meanwhile; without a need there is nothing."""
        with self._database as transaction:
            still = transaction.execute(
                "DELETE FROM links WHERE referral_id = ? AND version = ?", (link.referral_id, link.version)
            )
            if still.rowcount and need is not None:
                self._put(transaction, (link.referral_id, link.case_id, need, released))

    def drop_groups(self, referral_id: str, groups: Iterable[str]) -> None:
        """Delete what was recalled."""
        found = self.find(referral_id)
        if found is not None:
            dropped, gone = {*groups}, "undisclosed"
            kept = {group: fields for group, fields in found[1].items() if group not in dropped}
            with self._database as transaction:
                transaction.execute(
                    "UPDATE files SET need = ?, released = ? WHERE referral_id = ?",
                    (gone if "need" in dropped else found[0], json.dumps(kept), referral_id),
                )

    def forget(self, case_id: str) -> None:
        """Delete all that is known of a case, and read nothing more of it."""
        with self._database as transaction:
            transaction.execute("DELETE FROM files WHERE case_id = ?", (case_id,))
            transaction.execute("DELETE FROM links WHERE case_id = ?", (case_id,))

    def stop_reading(self, referral_id: str) -> None:
        """Read nothing more about a referral."""
        with self._database as transaction:
            transaction.execute("DELETE FROM links WHERE referral_id = ?", (referral_id,))

    @staticmethod
    def _put(transaction: sqlite3.Connection, file: tuple[str, str, str, Released]) -> None:
        transaction.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)", (*file[:3], json.dumps(file[3])))
