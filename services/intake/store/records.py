"""Which records of another system are kept already."""

from collections.abc import Iterable

from shared.kit.database.database import Transaction

_KNOWN = "SELECT external_id FROM cases WHERE source = %s AND external_id = ANY(%s)"


async def find_known(connection: Transaction, source: str, external_ids: Iterable[str]) -> set[str]:
    """Return which records of a source are kept."""
    rows = await connection.execute(_KNOWN, (source, list(external_ids)))
    return {row[0] async for row in rows}
