"""A street with a refuge and a clinic that no other test has, and gates at which its releases are held."""

import asyncio
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from uuid import UUID

from psycopg.pq import TransactionStatus

from services.routing.domain.city import RoutingCity
from shared.city.city import Program
from shared.city.routing_rules import RoutingRules, Rule
from shared.events.fields import FieldGroup
from shared.kit.database.database import Transaction
from shared.kit.vault.consents import LockedConsents, lock_consents, lock_valid_consents
from shared.kit.vault.vault import Vault
from shared.policy.agreements import Form
from shared.policy.decision import DisclosurePolicy
from tests.builders import HOUR, NOON, agreement
from tests.eventually import PATIENCE_SECONDS
from tests.unit.routing.fixtures import ADDRESS, NEED, PROTECTION, PROTECTS, clause


@dataclass(frozen=True)
class Street:
    """Two agencies: one that may know of nothing without a consent, and one that may know less without one."""

    mark: str

    @property
    def refuge(self) -> str:
        """The agency that needs a consent."""
        return f"refuge-{self.mark}"

    @property
    def clinic(self) -> str:
        """The agency that is asked in any case."""
        return f"clinic-{self.mark}"

    @property
    def agencies(self) -> tuple[str, str]:
        """Both."""
        return self.refuge, self.clinic

    @property
    def city(self) -> RoutingCity:
        """The city that has nothing but this street."""
        programs = (
            Program(self.refuge, "beds", frozenset({"safety"}), HOUR),
            Program(self.clinic, "visits", frozenset({"health"}), HOUR),
        )
        rules = (
            Rule("safety", (f"{self.refuge}/beds",), need="safety"),
            Rule("health", (f"{self.clinic}/visits",), need="health"),
        )
        agreements = (
            agreement(clause(self.refuge, NEED, ADDRESS, id="refuge", form=Form.THIN, consent=True)),
            agreement(
                clause(self.clinic, NEED, FieldGroup.NARRATIVE, id="clinic"),
                clause(self.clinic, FieldGroup.HEALTH, id="clinic-health", form=Form.THIN, consent=True),
            ),
        )
        return RoutingCity(
            {program.name: program for program in programs},
            RoutingRules(rules),
            DisclosurePolicy(agreements, (), services=PROTECTS),
            PROTECTION,
        )


@dataclass(frozen=True)
class Gate:
    """Blocks its callers while it is closed, and tells when one is blocked. It is open at first."""

    is_open: asyncio.Event = field(default_factory=asyncio.Event)
    reached: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        """Begin open."""
        self.is_open.set()

    async def __call__(self) -> None:
        """Wait until it is open."""
        if not self.is_open.is_set():
            self.reached.set()
            await self.is_open.wait()

    async def holds(self) -> None:
        """Wait until a caller is blocked."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.reached.wait()


@dataclass
class Gates:
    """Two points at which a disclosure can be blocked: while it is decided, and while it is published.

    A decision is blocked once `known` cases are stored.
    """

    deciding: Gate = field(default_factory=Gate)
    sending: Gate = field(default_factory=Gate)
    known: int = 0

    def close(self, known: int = 0) -> None:
        """Block the next publication, and the next decision once `known` cases are stored."""
        self.known = known
        self.deciding.is_open.clear()
        self.sending.is_open.clear()

    def open(self) -> None:
        """Let all blocked callers go on."""
        self.deciding.is_open.set()
        self.sending.is_open.set()

    async def lock_consents(
        self, tx: Transaction, vault: Vault, persons: Iterable[UUID] = (), cases: Collection[UUID] = ()
    ) -> LockedConsents:
        """Lock the consents as routing does: this is when a decision has begun."""
        held = await lock_consents(tx, vault, persons, cases)
        is_held = tx.info.transaction_status is TransactionStatus.INTRANS
        if is_held and not self.deciding.is_open.is_set():
            ((known,),) = await (await tx.execute("SELECT count(*) FROM cases")).fetchall()
            if known >= self.known:
                await self.deciding()
        return held._replace(now=NOON)

    async def valid_consents(self, tx: Transaction, consent_ids: Collection[UUID]) -> set[UUID]:
        """Return the valid consents; the relay is about to publish the events that require them."""
        found = await lock_valid_consents(tx, consent_ids)
        await self.sending()
        return found
