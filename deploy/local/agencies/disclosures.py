"""The data that an agency receives about its referrals, in a SQLite file, and the deletion of what is recalled.

The data come in the event, sealed to the agency's key, or behind a link to the partner API. An event whose sequence
number was handled before is a repeat, and is skipped: it must not restore data that were recalled since.
"""

import asyncio
import json
import logging
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from deploy.local.agencies.credentials import PartnerCredentials
from deploy.local.agencies.wire import ReceivedEvent

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
    """A link that is still to be read; `version` grows with each event that asks for it again."""

    referral_id: str
    case_id: str
    link: str
    version: int


class DisclosureStore:
    """The store of one agency; every method is one transaction."""

    def __init__(self, file: Path) -> None:
        """Open the file, and create it if it does not exist."""
        file.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(file)
        self._database.execute("PRAGMA journal_mode=WAL")
        # Overwrite deleted data: an erased person must not be readable in the free pages of the file.
        self._database.execute("PRAGMA secure_delete=ON")
        self._database.executescript(_TABLES)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def last_sequence(self, case_id: str) -> int:
        """Return the highest sequence number of a case that was handled; 0 for none."""
        row = self._database.execute("SELECT last FROM heard WHERE case_id = ?", (case_id,)).fetchone()
        return int(row[0]) if row else 0

    def record_sequence(self, case_id: str, sequence: int) -> None:
        """Record that an event was handled. Numbers may be missing: an event that routing withheld leaves a gap."""
        with self._database as transaction:
            transaction.execute(
                "INSERT INTO heard VALUES (?, ?) ON CONFLICT (case_id) DO UPDATE SET last = max(last, excluded.last)",
                (case_id, sequence),
            )

    def save(self, referral_id: str, case_id: str, need: str, released: Released) -> None:
        """Replace the data of a referral."""
        with self._database as transaction:
            self._put(transaction, (referral_id, case_id, need, released))

    def find(self, referral_id: str) -> tuple[str, Released] | None:
        """Return the need of a referral, and its released data by group; None if there are none."""
        row = self._database.execute(
            "SELECT need, released FROM files WHERE referral_id = ?", (referral_id,)
        ).fetchone()
        return (row[0], json.loads(row[1])) if row else None

    def add_link(self, referral_id: str, case_id: str, link: str) -> None:
        """Add a link to read."""
        with self._database as transaction:
            transaction.execute(_LINK, (referral_id, case_id, link, 1))

    def list_links(self, limit: int) -> list[Link]:
        """List links to read."""
        return [Link(*row) for row in self._database.execute("SELECT * FROM links LIMIT ?", (limit,)).fetchall()]

    def save_answer(self, link: Link, need: str | None, released: Released) -> None:
        """Save the data behind a link, unless its case was erased or the link was added again meanwhile.

        Without a need the link led to no data.
        """
        with self._database as transaction:
            still = transaction.execute(
                "DELETE FROM links WHERE referral_id = ? AND version = ?", (link.referral_id, link.version)
            )
            if still.rowcount and need is not None:
                self._put(transaction, (link.referral_id, link.case_id, need, released))

    def drop_groups(self, referral_id: str, groups: Iterable[str]) -> None:
        """Delete the recalled groups of a referral."""
        found = self.find(referral_id)
        if found is not None:
            recalled = {*groups}
            remaining = {group: fields for group, fields in found[1].items() if group not in recalled}
            with self._database as transaction:
                transaction.execute(
                    "UPDATE files SET need = ?, released = ? WHERE referral_id = ?",
                    (UNDISCLOSED if "need" in recalled else found[0], json.dumps(remaining), referral_id),
                )

    def forget(self, case_id: str) -> None:
        """Delete the data and the links of a case."""
        with self._database as transaction:
            transaction.execute("DELETE FROM files WHERE case_id = ?", (case_id,))
            transaction.execute("DELETE FROM links WHERE case_id = ?", (case_id,))

    def drop_link(self, referral_id: str) -> None:
        """Delete the link of a referral."""
        with self._database as transaction:
            transaction.execute("DELETE FROM links WHERE referral_id = ?", (referral_id,))

    @staticmethod
    def _put(transaction: sqlite3.Connection, file: tuple[str, str, str, Released]) -> None:
        transaction.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)", (*file[:3], json.dumps(file[3])))


POLL_SECONDS, RETRY_SECONDS = 0.2, 2.0
BATCH = 20
UNDISCLOSED = "undisclosed"

logger = logging.getLogger("agencies")


@dataclass(frozen=True)
class DisclosureReader:
    """Stores what an agency's events disclose; without keys it neither opens sealed blocks nor reads links."""

    agency: str
    store: DisclosureStore
    keys: PartnerCredentials | None = None

    def is_repeat(self, received: ReceivedEvent) -> bool:
        """Return whether an event was handled before. Missing numbers before it are normal."""
        return 0 < received.sequence <= self.store.last_sequence(received.case_id)

    def handle(self, received: ReceivedEvent) -> None:
        """Save the data of an event, or delete what it recalls; an event of another type changes no data."""
        event, referral_id = received.event, received.event.get("referral_id", "")
        match received.type:
            case "referral.requested.v1" | "referral.amended.v1":
                self._save(received.case_id, event)
            case "disclosure.recalled.v1":
                self.store.drop_groups(referral_id, event["groups"])
            case "person.erased.v1":
                self.store.forget(received.case_id)
            case "referral.cancelled.v1":
                self.store.drop_link(referral_id)
        if received.sequence:
            self.store.record_sequence(received.case_id, received.sequence)

    def _save(self, case_id: str, event: dict[str, Any]) -> None:
        referral_id, sealed, link = event["referral_id"], event.get("sealed"), event.get("link")
        known = self.store.find(referral_id)
        need, released = (
            event.get("need") or (known[0] if known else UNDISCLOSED),
            present_groups(event.get("released")),
        )
        opened = self.keys.open(sealed) if sealed and self.keys else None
        if sealed and opened is None:
            logger.warning(
                "%s: the sealed block of referral %s is sealed to none of our keys", self.agency, referral_id
            )
        if opened is not None:
            need, released = opened["need"], released | present_groups(opened["released"])
        self.store.save(referral_id, case_id, need, released)
        if link and self.keys:
            self.store.add_link(referral_id, case_id, link)

    async def follow_links(self) -> None:
        """Read the links until each is answered. Routing records every read, so an answered link is not read again."""
        if self.keys is None:
            return
        headers = {"Authorization": f"Bearer {self.keys.api_key}"}
        async with httpx.AsyncClient(base_url=self.keys.api, headers=headers, timeout=10) as client:
            while True:
                pending = self.store.list_links(BATCH)
                answered = [await self._follow(client, link) for link in pending]
                await asyncio.sleep(POLL_SECONDS if all(answered) else RETRY_SECONDS)

    async def _follow(self, client: httpx.AsyncClient, link: Link) -> bool:
        """Read one link; False if it must be tried again."""
        try:
            answer = await client.get(link.link)
        except httpx.TransportError as error:
            logger.warning("%s: the partner API does not answer (%s)", self.agency, type(error).__name__)
            return False
        if answer.status_code == httpx.codes.OK:
            read = answer.json()
            self.store.save_answer(link, read["need"], present_groups(read["released"]))
            return True
        if answer.status_code == httpx.codes.NOT_FOUND:
            self.store.save_answer(link, None, {})
            return True
        logger.warning("%s: the partner API answered %s", self.agency, answer.status_code)
        return False


def present_groups(released: Released | None) -> Released:
    """Return the groups that have fields."""
    return {group: fields for group, fields in (released or {}).items() if fields is not None}
