"""The API keys of callers, by the hash of the key."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.kit.database.database import Transaction


@dataclass(frozen=True, slots=True)
class Caller:
    """The owner of an API key, and the scopes of that key."""

    name: str
    scopes: frozenset[str]


_LIST_KEYS_SQL = "SELECT key_hash, name, scopes FROM api_keys WHERE revoked_at IS NULL"

_UPSERT_KEY_SQL = """
    -- Store a key that the settings name. A key that was revoked stays revoked.
    INSERT INTO api_keys (key_hash, name, scopes) VALUES (%s, %s, %s)
    ON CONFLICT (key_hash) DO UPDATE SET scopes = excluded.scopes
"""


async def list_callers(connection: Transaction) -> dict[str, Caller]:
    """Return the callers whose keys are not revoked, by the key's hash."""
    rows = await connection.execute(_LIST_KEYS_SQL)
    return {key_hash: Caller(name, frozenset(scopes)) async for key_hash, name, scopes in rows}


async def upsert_key(connection: Transaction, key_hash: str, name: str, scopes: Sequence[str]) -> None:
    """Store a key, or give a stored one these scopes."""
    await connection.execute(_UPSERT_KEY_SQL, (key_hash, name, list(scopes)))
