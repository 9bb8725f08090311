"""What every use case of intake needs: it is made once, at the start."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from services.intake.domain.city import IntakeCity
from services.intake.domain.tokens import Tokens
from services.intake.store.new_cases import CaseNumbers
from services.intake.store.write_batcher import WriteBatcher
from services.intake.use_cases.api_keys import ApiKeys
from shared.events.event import Event
from shared.events.topics import CASES
from shared.kit.clock import Clock
from shared.kit.database.database import Database, Transaction
from shared.kit.messaging import outbox
from shared.kit.messaging.outbox import OutboxEvent
from shared.kit.vault.vault import Vault


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
