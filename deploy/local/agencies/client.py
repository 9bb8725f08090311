"""One agency: consumes its inbox, stores its response to each referral, and produces updates when they are due."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from deploy.local.agencies.disclosures import DisclosureReader
from deploy.local.agencies.referral_store import ReferralStore
from deploy.local.agencies.response_plan import ResponseProfile, plan_response
from deploy.local.agencies.wire import ForeignMessageError, ReceivedEvent, decode, encode

BATCH = 200
POLL_SECONDS = 0.1
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 15.0
STALE = timedelta(days=7)

logger = logging.getLogger("agencies")


@dataclass(frozen=True, slots=True)
class SampleAgency:
    """A sample agency; `speed` is how many times faster than in reality it works."""

    id: str
    profile: ResponseProfile
    speed: float


async def run_agency(
    agency: SampleAgency, connection: Mapping[str, Any], store: ReferralStore, reader: DisclosureReader
) -> None:
    """Consume and produce until cancelled; after an error of Kafka, connect again after a growing pause.

    Each connection gets a new producer: one whose broker was away for long cannot go on with its sequence numbers.
    """
    pause = FIRST_PAUSE
    while True:
        began = time.monotonic()
        try:
            async with _connected(agency.id, connection) as (inbox, updates), asyncio.TaskGroup() as group:
                group.create_task(_consume_inbox(agency, inbox, store, reader))
                group.create_task(_produce_updates(agency.id, updates, store))
                group.create_task(reader.follow_links())
        except* KafkaError as errors:
            logger.warning(
                "%s: Kafka is unavailable, or rejects the client (%s)", agency.id, type(errors.exceptions[0]).__name__
            )
        pause = FIRST_PAUSE if time.monotonic() - began > LONGEST_PAUSE else min(pause * 2, LONGEST_PAUSE)
        await asyncio.sleep(pause)


@asynccontextmanager
async def _connected(
    agency: str, connection: Mapping[str, Any]
) -> AsyncIterator[tuple[AIOKafkaConsumer, AIOKafkaProducer]]:
    inbox = AIOKafkaConsumer(
        f"agency.{agency}.inbox.v1",
        **connection,
        group_id=f"agency.{agency}",
        client_id=f"agency-{agency}",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        metadata_max_age_ms=10_000,
    )
    updates = AIOKafkaProducer(
        **connection, client_id=f"agency-{agency}", acks="all", enable_idempotence=True, linger_ms=5
    )
    try:
        await updates.start()
        await inbox.start()
        yield inbox, updates
    finally:
        await inbox.stop()
        await updates.stop()


async def _consume_inbox(
    agency: SampleAgency, inbox: AIOKafkaConsumer, store: ReferralStore, reader: DisclosureReader
) -> None:
    """Store what the inbox brings, then commit the offsets: after a crash the messages come again."""
    while True:
        batches = await inbox.getmany(timeout_ms=1000, max_records=BATCH)
        for records in batches.values():
            for received in _decodable(agency.id, records):
                _handle_or_skip(agency, received, store, reader)
        if batches:
            try:
                await inbox.commit()
            except (CommitFailedError, IllegalStateError):
                logger.info("%s: partitions were reassigned; the messages just read will come again", agency.id)


def _decodable(agency: str, records: Iterable[ConsumerRecord[bytes, bytes]]) -> Iterable[ReceivedEvent]:
    for record in records:
        try:
            yield decode(record.headers, record.value)
        except ForeignMessageError as error:
            logger.warning("%s: message %s:%s %s", agency, record.partition, record.offset, error)


def _handle_or_skip(
    agency: SampleAgency, received: ReceivedEvent, store: ReferralStore, reader: DisclosureReader
) -> None:
    """Handle one event. A repeated event is skipped; an invalid one is logged, so that it does not block the others."""
    if reader.is_repeat(received):
        return
    try:
        handle_event(agency, received, store)
        reader.handle(received)
    except (KeyError, ValueError, TypeError) as error:
        logger.warning("%s: event %s does not match the contract: %s", agency.id, received.id, type(error).__name__)


def handle_event(agency: SampleAgency, received: ReceivedEvent, store: ReferralStore) -> None:
    """Do what an event of the inbox asks for; unknown types are skipped, as the contract says."""
    referral_id = received.event.get("referral_id", "")
    match received.type:
        case "referral.requested.v1" if needs_answer(received.event):
            store.add(received, plan_response(referral_id, agency.profile, agency.speed), time.time())
        case "referral.cancelled.v1":
            store.drop_steps(referral_id)
        case "person.erased.v1":
            store.forget(referral_id)
        case "emergency.access.v1":
            logger.info("%s: another agency opened referral %s by emergency access", agency.id, referral_id)
        case "disclosure.recalled.v1":
            logger.info("%s: data of referral %s were recalled", agency.id, referral_id)
        case "referral.overdue.v1":
            store.advance(referral_id, time.time())
        case "update.refused.v1":
            logger.warning("%s: update %s was refused", agency.id, received.event.get("update_id"))
            store.drop_steps(referral_id)


def needs_answer(event: dict[str, Any]) -> bool:
    """Return whether the agency answers a referral: no record of the past, and none that was stale when it came."""
    if event.get("record_only"):
        return False
    return datetime.fromisoformat(event["sent_at"]) - datetime.fromisoformat(event["submitted_at"]) < STALE


async def _produce_updates(agency: str, updates: AIOKafkaProducer, store: ReferralStore) -> None:
    """Produce the due updates in order, and delete them once the broker has confirmed them."""
    topic = f"agency.{agency}.updates.v1"
    while True:
        due = store.list_due(time.time(), BATCH)
        confirmations = []
        for update, sequence in due:
            value, headers = encode(agency, update, sequence)
            confirmations.append(await updates.send(topic, value, update.case_id.encode(), headers=headers))
        await asyncio.gather(*confirmations)
        store.mark_sent(update for update, _ in due)
        if not due:
            await asyncio.sleep(POLL_SECONDS)
