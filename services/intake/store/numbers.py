"""Numbers for cases, taken in blocks."""

from shared.kit.database import Transaction

_TAKE = "SELECT last, increment FROM nextval('service_request_numbers') AS last, (VALUES (100)) AS step (increment)"


async def take_block(connection: Transaction) -> range:
    """Take a block of numbers that nobody else will get."""
    result = await connection.execute(_TAKE)
    first, size = await result.fetchone() or (0, 0)
    return range(first, first + size)
