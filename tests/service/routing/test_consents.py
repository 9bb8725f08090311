"""Consents on a real database: nothing is released after a withdrawal has committed, and what was is recalled."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.routing.use_cases.person_keys import PersonKeyring
from services.routing.workers.deadlines import recall_expired_consents
from shared.events.fields import FieldGroup
from shared.events.intake import CaseSubmitted, ConsentGranted, ConsentWithdrawn, PersonErased
from shared.events.topics import CASES
from shared.kit.messaging.outbox import OutboxRow
from shared.kit.relay.relay import RelayBatch
from shared.kit.vault.consents import lock_consents, lock_valid_consents
from shared.kit.vault.vault import Vault
from shared.policy.consent import Consent
from tests.builders import NOON, consent
from tests.eventually import PATIENCE_SECONDS
from tests.service.routing.harness import RoutingHarness, record

pytestmark = pytest.mark.servers

VIOLENCE, HEALTH = FieldGroup.VICTIM_SERVICES, FieldGroup.HEALTH
FOREVER = NOON + timedelta(days=100_000)


def granted(given: Consent) -> ConsentGranted:
    """What intake says when a consent is given."""
    return ConsentGranted(
        case_id=given.case_id,
        consent_id=given.consent_id,
        occurred_at=given.granted_at,
        recipients=tuple(given.recipients),
        groups=tuple(given.groups),
        purpose=given.purpose,
        ends_at=given.ends_at,
    )


def withdrawn(given: Consent) -> ConsentWithdrawn:
    """What intake says when it is taken back."""
    return ConsentWithdrawn(case_id=given.case_id, consent_id=given.consent_id, occurred_at=NOON)


def violent(harness: RoutingHarness, number: int = 1) -> CaseSubmitted:
    """A report of violence, and what only a refuge may know of it."""
    return harness.file("safety", number=number, service_code="violence")


def to_refuge(harness: RoutingHarness, number: int = 1, **said: Any) -> Consent:
    """A consent that lets a refuge know, in the vault."""
    return harness.consent(consent("refuge", number=number, groups=[VIOLENCE], **{"ends_at": FOREVER, **said}))


class RowList:
    """A sender that lists the rows it is given."""

    source = b"/services/routing"

    def __init__(self) -> None:
        self.rows: list[OutboxRow] = []

    async def add(self, row: OutboxRow) -> None:
        """List a row."""
        self.rows.append(row)

    async def flush(self) -> None:
        """Do nothing."""

    async def wait_acknowledged(self) -> None:
        """Do nothing."""


async def relay_all(harness: RoutingHarness) -> list[str]:
    """Relay the whole outbox to a list; returns the topics of what was published."""
    sender, is_last = RowList(), False
    while not is_last:
        async with harness.database.transaction() as tx:
            batch = RelayBatch(tx, sender, lock_valid_consents)
            await batch.run(asyncio.Event())
            is_last = batch.is_last
    return [row.topic for row in sender.rows]


async def test_a_report_of_violence_without_consent_leaves_no_sign_anywhere_but_here(harness: RoutingHarness) -> None:
    await harness.consume(violent(harness))
    assert harness.outbox() == []
    assert harness.rows("SELECT count(*) FROM outbox_sequences") == [(0,)]
    assert harness.rows("SELECT agency, why FROM refused_disclosures") == [
        ("refuge", ["needs-consent", "victim-services-needs-consent"])
    ]


async def test_a_consent_brings_it_to_whom_it_names(harness: RoutingHarness) -> None:
    filed = violent(harness)
    await harness.consume(filed)
    await harness.consume(granted(to_refuge(harness)))
    assert [row.type for row in harness.outbox("agency.refuge.inbox.v1")] == ["referral.requested.v1"]
    assert {row.topic for row in harness.outbox()} == {"agency.refuge.inbox.v1", "routing.referrals.v1"}


async def test_a_report_with_its_consent_is_told_once(harness: RoutingHarness) -> None:
    given = to_refuge(harness)
    await harness.consume(violent(harness), granted(given))
    assert [row.type for row in harness.outbox("agency.refuge.inbox.v1")] == ["referral.requested.v1"]


async def test_a_consent_withdrawn_between_the_filing_and_the_release_releases_nothing(harness: RoutingHarness) -> None:
    given = to_refuge(harness)
    harness.withdraw_consent(given)
    await harness.consume(violent(harness), granted(given), withdrawn(given))
    assert harness.outbox() == []


async def test_a_consent_withdrawn_after_the_release_and_before_the_relay_lets_nothing_leave(
    harness: RoutingHarness,
) -> None:
    given = to_refuge(harness)
    await harness.consume(violent(harness))
    assert harness.outbox("agency.refuge.inbox.v1")
    harness.withdraw_consent(given)
    assert "agency.refuge.inbox.v1" not in await relay_all(harness)
    await harness.consume(withdrawn(given))
    assert not [row for row in harness.outbox() if row.topic.startswith("agency.")], "who never heard is told nothing"
    assert harness.rows("SELECT count(*) FROM outbox_withheld WHERE topic LIKE 'agency.%%'") == [(1,)]
    assert harness.rows("SELECT state FROM referrals") == [("cancelled",)]


async def test_a_consent_withdrawn_while_its_request_waits_takes_that_out_of_the_outbox(
    harness: RoutingHarness,
) -> None:
    given = to_refuge(harness)
    await harness.consume(violent(harness))
    harness.withdraw_consent(given)
    await harness.consume(withdrawn(given))
    assert not [row for row in harness.outbox() if row.topic.startswith("agency.")]
    assert harness.rows("SELECT topic, event_type FROM outbox_withheld") == [
        ("agency.refuge.inbox.v1", "referral.requested.v1")
    ]
    recalled = [row.value for row in harness.outbox() if row.type == "disclosure.recalled.v1"]
    assert [each["agency"] for each in recalled] == ["refuge"], "who reported sees that it was taken back"


async def test_what_was_delivered_is_recalled_once(harness: RoutingHarness) -> None:
    given = to_refuge(harness)
    await harness.consume(violent(harness))
    assert "agency.refuge.inbox.v1" in await relay_all(harness)
    harness.withdraw_consent(given)
    await harness.consume(withdrawn(given))
    told = harness.outbox("agency.refuge.inbox.v1")
    assert [row.type for row in told] == ["disclosure.recalled.v1", "referral.cancelled.v1"]
    ((receipt_id,),) = harness.rows("SELECT receipt_id FROM receipts")
    assert told[0].value["receipts"] == [str(receipt_id)]
    await harness.consume(withdrawn(given))
    assert len(harness.outbox("agency.refuge.inbox.v1")) == 2


async def test_a_withdrawal_waits_for_a_release_that_counts_on_the_consent(harness: RoutingHarness) -> None:
    given = to_refuge(harness)
    async with harness.database.transaction() as tx:
        held = (await lock_consents(tx, harness.context.vault, cases=[given.case_id])).consents
        assert [each.consent_id for each in held[given.case_id]] == [given.consent_id]
        taking_back = asyncio.create_task(asyncio.to_thread(harness.withdraw_consent, given))
        await asyncio.sleep(0.3)
        assert not taking_back.done(), "the withdrawal has to wait until this transaction ends"
    async with asyncio.timeout(PATIENCE_SECONDS):
        await taking_back
    async with harness.database.transaction() as tx:
        assert await lock_valid_consents(tx, [given.consent_id]) == set()


async def test_a_consent_withdrawn_in_the_middle_of_a_batch_releases_all_of_it_before_or_nothing_after(
    harness: RoutingHarness,
) -> None:
    """Sixty cases with a consent each; withdrawals run against the batch that routes them."""
    cases = [violent(harness, number) for number in range(60)]
    given = [to_refuge(harness, number) for number in range(60)]
    threads = [asyncio.to_thread(harness.withdraw_consent, each) for each in given]
    await asyncio.gather(harness.consume(*cases), *threads)
    assert "agency.refuge.inbox.v1" not in await relay_all(harness)
    await harness.consume(*(withdrawn(each) for each in given))
    assert "agency.refuge.inbox.v1" not in await relay_all(harness)


async def test_an_expired_consent_is_recalled_without_anybody_saying_so(harness: RoutingHarness) -> None:
    given = to_refuge(harness, ends_at=NOON + timedelta(hours=1))
    await harness.consume(violent(harness))
    harness.clear_outbox()
    assert await recall_expired_consents(harness.context, harness.database) == 0
    harness.clock.shown = given.ends_at
    assert await recall_expired_consents(harness.context, harness.database) == 1
    assert [row.value.get("why") for row in harness.outbox("agency.refuge.inbox.v1")] == ["consent-expired", None]
    assert await recall_expired_consents(harness.context, harness.database) == 0


async def test_a_consent_for_more_amends_and_its_end_recalls_and_keeps_the_referral(harness: RoutingHarness) -> None:
    filed = harness.file("health")
    await harness.consume(filed)
    given = harness.consent(consent("clinic", groups=[HEALTH], ends_at=FOREVER))
    await harness.consume(granted(given))
    await relay_all(harness)
    harness.withdraw_consent(given)
    await harness.consume(withdrawn(given))
    assert [row.type for row in harness.outbox("agency.clinic.inbox.v1")] == ["disclosure.recalled.v1"]
    assert harness.rows("SELECT state FROM referrals") == [("requested",)]


async def test_everybody_who_was_given_something_is_told_of_an_erasure_and_nothing_can_be_opened(
    harness: RoutingHarness,
) -> None:
    filed = harness.file("housing", "health")
    await harness.consume(filed)
    harness.erase(filed)
    assert filed.person_id is not None
    await harness.consume(PersonErased(case_id=filed.case_id, person_id=filed.person_id, erased_at=NOON))
    for agency in ("homes", "clinic"):
        assert harness.outbox(f"agency.{agency}.inbox.v1")[-1].type == "person.erased.v1"
    ((report,),) = harness.rows("SELECT report FROM cases")
    assert not any(block in report for block in filed.sealed.values())


async def test_a_replay_after_an_erasure_brings_nothing_back(harness: RoutingHarness) -> None:
    filed = harness.file("housing")
    await harness.consume(filed)
    harness.erase(filed)
    assert filed.person_id is not None
    await harness.consume(PersonErased(case_id=filed.case_id, person_id=filed.person_id, erased_at=NOON))
    before = harness.snapshot()
    await harness._deliver(0, [record(CASES.topic, CASES.source, filed, UUID(int=1))])
    assert harness.snapshot() == before


async def test_a_digest_can_be_checked_with_the_person_s_key_and_with_no_other(harness: RoutingHarness) -> None:
    filed = harness.file("housing")
    await harness.consume(filed)
    (told,) = harness.outbox("agency.homes.inbox.v1")
    ((digest,),) = harness.rows("SELECT digest FROM receipts")
    assert filed.person_id is not None
    async with harness.database.transaction() as tx:
        people = await harness.context.vault.load(tx, [filed.person_id])
    stranger = Vault(b"k" * 32).new_person(uuid4())
    assert PersonKeyring(people).digest(filed, told.text.encode()) == digest
    assert PersonKeyring({filed.person_id: stranger}).digest(filed, told.text.encode()) != digest
