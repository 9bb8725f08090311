"""Keeps every version of every agreement, and which of them were decided by and when: what explains the past."""

import hashlib
import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared.kit.database.database import Transaction
from shared.policy.agreements import Agreement

_LOADING: Final = 0x48414752
"""The advisory lock under which an instance records what it decides by."""

_ADD_AGREEMENTS = """
    -- New versions; what is there stays as it is.
    INSERT INTO agreements (id, version, digest, text)
    SELECT * FROM unnest(%s::text[], %s::int[], %s::text[], %s::text[]) ON CONFLICT DO NOTHING
"""

_FIND_CHANGED = """
    -- Versions that were recorded with other content.
    SELECT kept.id, kept.version, kept.loaded_at
    FROM unnest(%s::text[], %s::int[], %s::text[]) AS said (id, version, digest)
    JOIN agreements AS kept USING (id, version) WHERE kept.digest <> said.digest ORDER BY id
"""

_ADD_SET = """
    -- What is decided by: once for each set.
    INSERT INTO policy_sets (hash, agreements, policies) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING
"""

_NOTE_USE = """
    -- From now on this set is in force, if it was not already.
    INSERT INTO policy_set_uses (hash)
    SELECT %(hash)s WHERE %(hash)s IS DISTINCT FROM (SELECT hash FROM policy_set_uses ORDER BY since DESC LIMIT 1)
"""

_LIST_IN_SET = """
    -- The agreements of one set.
    SELECT kept.text
    FROM policy_sets, jsonb_to_recordset(agreements) AS named (id text, version int)
    JOIN agreements AS kept USING (id, version) WHERE hash = %s ORDER BY kept.id
"""

_FIND_SET_AT = """
    -- The set that was in force at a moment.
    SELECT hash FROM policy_set_uses WHERE since <= %s ORDER BY since DESC LIMIT 1
"""


class ChangedAgreementError(Exception):
    """An agreement was changed without a new version; nothing may be decided by it."""


@dataclass(frozen=True, slots=True)
class AgreementText:
    """An agreement, and its file's text."""

    agreement: Agreement
    text: str

    @property
    def digest(self) -> str:
        """The hex SHA-256 of what the parties have signed: spaces and remarks in the file do not count."""
        said = self.agreement.model_dump(mode="json", by_alias=True)
        return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class PolicySet:
    """What is decided by: agreements and policies, known by the hash that receipts name."""

    hash: str
    agreements: Sequence[AgreementText]
    policies: str


async def record_policy_set(tx: Transaction, used: PolicySet) -> None:
    """Keep what is decided by from now on; what is not in the set any more stays on record.

    Raises:
        ChangedAgreementError: an agreement has other content than its version had when it was recorded.
    """
    await tx.execute("SELECT pg_advisory_xact_lock(%s)", (_LOADING,))
    ids = [written.agreement.id for written in used.agreements]
    versions = [written.agreement.version for written in used.agreements]
    digests = [written.digest for written in used.agreements]
    await tx.execute(_ADD_AGREEMENTS, (ids, versions, digests, [written.text for written in used.agreements]))
    changed = await (await tx.execute(_FIND_CHANGED, (ids, versions, digests))).fetchall()
    if changed:
        raise ChangedAgreementError(" ".join(_complaint(*row) for row in changed))
    named = [{"id": name, "version": version} for name, version in zip(ids, versions, strict=True)]
    await tx.execute(_ADD_SET, (used.hash, json.dumps(named), used.policies))
    await tx.execute(_NOTE_USE, {"hash": used.hash})


async def list_agreements_in(tx: Transaction, policy_set: str) -> list[Agreement]:
    """List the agreements of the set that a receipt or a decision names; none when it is not on record."""
    rows = await (await tx.execute(_LIST_IN_SET, (policy_set,))).fetchall()
    return [Agreement.model_validate(tomllib.loads(text)) for (text,) in rows]


async def find_set_at(tx: Transaction, moment: datetime) -> str | None:
    """Find the hash of the set that was in force at a moment; None when that is not on record."""
    row = await (await tx.execute(_FIND_SET_AT, (moment,))).fetchone()
    return row[0] if row else None


async def as_of(tx: Transaction, moment: datetime) -> list[Agreement]:
    """List the agreements that were decided by at a moment, whether or not their dates let anything flow."""
    found = await find_set_at(tx, moment)
    return await list_agreements_in(tx, found) if found else []


def _complaint(name: str, version: int, since: datetime) -> str:
    return (
        f"Agreement {name} has changed, and is version {version} as it was on {since:%Y-%m-%d}: "
        f"give what the parties have signed since then version {version + 1}."
    )
