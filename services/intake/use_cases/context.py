"""What every use case of intake needs, made once at the start."""

from asyncio import Lock
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from random import getrandbits
from secrets import randbelow
from uuid import UUID

from services.intake.domain.city import Jurisdiction
from services.intake.domain.new_case import APART
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

RANDOM_A_BITS, RANDOM_B_BITS = 12, 62


class CaseNumbers:
    """Hands out the numbers of cases from a block that is taken from the database now and then."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._left = iter(range(0))
        self._taking = Lock()

    async def take(self) -> int:
        """Return a number that no case has; numbers of a block that is not used up are lost at the end."""
        number = next(self._left, None)
        return number if number is not None else await self._refill()

    async def _refill(self) -> int:
        async with self._taking:
            number = next(self._left, None)
            if number is None:
                async with self._database.statement() as connection:
                    self._left = iter(await new_cases.take_block(connection))
                number = next(self._left)
            return number


@dataclass(frozen=True, slots=True)
class IntakeContext:
    """Where reports are handed in; `running` holds the idempotency keys of requests under way in this process."""

    database: Database
    vault: Vault
    jurisdiction: Jurisdiction
    keys: ApiKeys
    numbers: CaseNumbers
    batcher: WriteBatcher
    tokens: Tokens
    clock: Clock
    public_url: str
    staff_key: str = field(default="", repr=False)
    running: set[tuple[str, str]] = field(default_factory=set)


async def emit(tx: Transaction, events: Iterable[Event], traceparent: str | None) -> None:
    """Add events to the outbox in this transaction; those of one case are published in this order."""
    await outbox.enqueue(tx, [OutboxEvent(CASES.topic, event, event.case_id, traceparent) for event in events])


async def take_number(context: IntakeContext, *, shown: bool) -> int:
    """Return a number for a case: one that the public sees is the next, another one is drawn from far apart."""
    return await context.numbers.take() if shown else APART.start + randbelow(len(APART))


def new_id(moment: datetime) -> UUID:
    """Make an id that sorts by time (UUID version 7, RFC 9562), so that indexes grow at their end; it is no secret."""
    stamp = int(moment.timestamp() * 1000)
    high, low = getrandbits(RANDOM_A_BITS), getrandbits(RANDOM_B_BITS)
    return UUID(int=stamp << 80 | 0x7 << 76 | high << 64 | 0b10 << RANDOM_B_BITS | low)
