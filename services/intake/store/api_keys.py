"""Who may write, by the hash of their key."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.kit.database.database import Transaction


@dataclass(frozen=True, slots=True)
class Caller:
    """Who shows a key, and what it is good for."""

    name: str
    scopes: frozenset[str]


_LIST = "SELECT key_hash, name, scopes FROM api_keys WHERE revoked_at IS NULL"

_KEEP = """
    -- Keep a key that the settings name; one that was revoked stays so.
    INSERT INTO api_keys (key_hash, name, scopes) VALUES (%s, %s, %s)
    ON CONFLICT (key_hash) DO UPDATE SET scopes = excluded.scopes
"""


async def list_callers(connection: Transaction) -> dict[str, Caller]:
    """List the callers whose keys count, by the key's hash."""
    rows = await connection.execute(_LIST)
    return {key_hash: Caller(name, frozenset(scopes)) async for key_hash, name, scopes in rows}


async def upsert_key(connection: Transaction, key_hash: str, name: str, scopes: Sequence[str]) -> None:
    """Keep a key."""
    await connection.execute(_KEEP, (key_hash, name, list(scopes)))
