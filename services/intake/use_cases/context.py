"""What every use case of intake needs: it is made once, at the start."""

from asyncio import Lock
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from random import getrandbits
from secrets import randbelow
from typing import Final
from uuid import UUID

from services.intake.domain.city import IntakeCity
from services.intake.domain.new_case import SPARSE_NUMBERS
from services.intake.domain.tokens import Tokens
from services.intake.store import new_cases
from services.intake.store.write_batcher import WriteBatcher
from services.intake.use_cases.api_keys import ApiKeys
from shared.events.event import Event
from shared.events.topics import CASES
from shared.kit.clock import Clock
from shared.kit.database.database import Database, Transaction
from shared.kit.messaging import outbox
from shared.kit.messaging.outbox import OutboxEvent
from shared.kit.vault.vault import Vault

RANDOM_A_BITS: Final = 12
RANDOM_B_BITS: Final = 62
"""The two random parts of a UUID version 7 (RFC 9562, section 5.7)."""


class CaseNumbers:
    """Hands out numbers of cases from a block, so that most reports take theirs without a query."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._left = iter(range(0))
        self._refill_lock = Lock()

    async def next(self) -> int:
        """Return a number that no other case has; a process that stops loses the rest of its block.

        Raises:
            psycopg.Error: the block is used up, and the database is unavailable.
        """
        number = next(self._left, None)
        return number if number is not None else await self._refill()

    async def _refill(self) -> int:
        async with self._refill_lock:
            # Of those that waited for the lock all but the first find the new block.
            number = next(self._left, None)
            if number is None:
                async with self._database.statement() as connection:
                    self._left = iter(await new_cases.take_number_block(connection))
                number = next(self._left)
            return number


@dataclass(frozen=True, slots=True)
class IntakeContext:
    """What the use cases share; `in_progress` holds the idempotency keys of requests under way in this process."""

    database: Database
    vault: Vault
    jurisdiction: IntakeCity
    keys: ApiKeys
    numbers: CaseNumbers
    batcher: WriteBatcher
    tokens: Tokens
    clock: Clock
    public_url: str
    staff_key: str = field(default="", repr=False)
    in_progress: set[tuple[str, str]] = field(default_factory=set)


async def emit(tx: Transaction, events: Iterable[Event], traceparent: str | None) -> None:
    """Add events to the outbox in this transaction; those of one case are published in this order."""
    await outbox.enqueue(tx, [OutboxEvent(CASES.topic, event, event.case_id, traceparent) for event in events])


async def next_number(context: IntakeContext, *, public: bool) -> int:
    """Return the number of a new case: the next one, or a random one for a case that the public never sees.

    Were a protected case counted with the others, a gap in the public numbers would betray it.
    """
    return await context.numbers.next() if public else SPARSE_NUMBERS.start + randbelow(len(SPARSE_NUMBERS))


def new_uuid7(moment: datetime) -> UUID:
    """Make an id that sorts by time (UUID version 7, RFC 9562): indexes grow at their end. It is not a secret."""
    milliseconds = int(moment.timestamp() * 1000)
    high, low = getrandbits(RANDOM_A_BITS), getrandbits(RANDOM_B_BITS)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | high << 64 | 0b10 << RANDOM_B_BITS | low)
