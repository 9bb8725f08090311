"""Records every version of every agreement, and when each policy set was in force, to explain past decisions."""

import hashlib
import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared.kit.database.database import Transaction
from shared.policy.agreements import Agreement

_RECORD_LOCK: Final = 0x48414752
"""The key of the advisory lock under which an instance records its policy set."""

_INSERT_AGREEMENTS: Final = """
    -- New versions; a version that is recorded already stays as it is.
    INSERT INTO agreements (id, version, digest, text)
    SELECT * FROM unnest(%s::text[], %s::int[], %s::text[], %s::text[]) ON CONFLICT DO NOTHING
"""

_SELECT_CHANGED: Final = """
    -- Versions that are recorded with another content.
    SELECT recorded.id, recorded.version, recorded.loaded_at
    FROM unnest(%s::text[], %s::int[], %s::text[]) AS loaded (id, version, digest)
    JOIN agreements AS recorded USING (id, version) WHERE recorded.digest <> loaded.digest ORDER BY id
"""

_INSERT_POLICY_SET: Final = """
    -- A policy set is recorded once.
    INSERT INTO policy_sets (hash, agreements, policies) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING
"""

_INSERT_USE: Final = """
    -- From now on this set is in force; nothing to insert if it is the latest one already.
    INSERT INTO policy_set_uses (hash)
    SELECT %(hash)s WHERE %(hash)s IS DISTINCT FROM (SELECT hash FROM policy_set_uses ORDER BY since DESC LIMIT 1)
"""

_SELECT_AGREEMENTS_OF_SET: Final = """
    -- The agreements of one set.
    SELECT recorded.text
    FROM policy_sets, jsonb_to_recordset(agreements) AS named (id text, version int)
    JOIN agreements AS recorded USING (id, version) WHERE hash = %s ORDER BY recorded.id
"""

_SELECT_SET_AT: Final = """
    -- The set that was in force at a moment.
    SELECT hash FROM policy_set_uses WHERE since <= %s ORDER BY since DESC LIMIT 1
"""


class ChangedAgreementError(Exception):
    """An agreement was changed without a new version: routing decides nothing by it."""


@dataclass(frozen=True, slots=True)
class AgreementText:
    """An agreement, and the text of its file."""

    agreement: Agreement
    text: str

    @property
    def digest(self) -> str:
        """The hex SHA-256 of what the parties have signed; spaces and comments in the file do not count."""
        content = self.agreement.model_dump(mode="json", by_alias=True)
        return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class PolicySet:
    """The agreements and policies that decide, identified by the hash that receipts name."""

    hash: str
    agreements: Sequence[AgreementText]
    policies: str


async def record_policy_set(tx: Transaction, used: PolicySet) -> None:
    """Record the policy set that decides from now on; agreements that are no longer in the set stay recorded.

    Raises:
        ChangedAgreementError: an agreement's content differs from what is recorded under its version.
    """
    # One instance at a time: two that load different files would each see the other's set as the latest.
    await tx.execute("SELECT pg_advisory_xact_lock(%s)", (_RECORD_LOCK,))
    ids = [each.agreement.id for each in used.agreements]
    versions = [each.agreement.version for each in used.agreements]
    digests = [each.digest for each in used.agreements]
    await tx.execute(_INSERT_AGREEMENTS, (ids, versions, digests, [each.text for each in used.agreements]))
    changed = await (await tx.execute(_SELECT_CHANGED, (ids, versions, digests))).fetchall()
    if changed:
        raise ChangedAgreementError(" ".join(_describe_change(*row) for row in changed))
    named = [{"id": name, "version": version} for name, version in zip(ids, versions, strict=True)]
    await tx.execute(_INSERT_POLICY_SET, (used.hash, json.dumps(named), used.policies))
    await tx.execute(_INSERT_USE, {"hash": used.hash})


async def list_agreements_in(tx: Transaction, policy_set: str) -> list[Agreement]:
    """List the agreements of the set that a receipt or a decision names; none if the set is not recorded."""
    rows = await (await tx.execute(_SELECT_AGREEMENTS_OF_SET, (policy_set,))).fetchall()
    return [Agreement.model_validate(tomllib.loads(text)) for (text,) in rows]


async def find_set_at(tx: Transaction, moment: datetime) -> str | None:
    """Find the hash of the set that was in force at a moment; None if none is recorded for it."""
    row = await (await tx.execute(_SELECT_SET_AT, (moment,))).fetchone()
    return row[0] if row else None


async def as_of(tx: Transaction, moment: datetime) -> list[Agreement]:
    """List the agreements of the set that was in force at a moment, also those that had ended or not begun."""
    found = await find_set_at(tx, moment)
    return await list_agreements_in(tx, found) if found else []


def _describe_change(name: str, version: int, since: datetime) -> str:
    return (
        f"Agreement {name} has changed: version {version} was recorded on {since:%Y-%m-%d} with another content. "
        f"Give what the parties have signed since then version {version + 1}."
    )
