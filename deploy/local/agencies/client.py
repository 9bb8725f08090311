"""One agency at work: it reads its inbox, writes down what it will do, and says so when the time has come."""

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

from deploy.local.agencies.memory import Memory
from deploy.local.agencies.plan import Tempo, plan
from deploy.local.agencies.reading import Reader
from deploy.local.agencies.wire import ForeignMessageError, Heard, read, write

AT_ONCE = 200
LOOK_EVERY = 0.1
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 15.0
OLD = timedelta(days=7)

logger = logging.getLogger("agencies")


@dataclass(frozen=True, slots=True)
class SampleAgency:
    """An agency of the demonstration, and how many times faster than the world it works."""

    id: str
    tempo: Tempo
    speed: float


async def work(agency: SampleAgency, connection: Mapping[str, Any], memory: Memory, reader: Reader) -> None:
    """Work until cancelled. A broker that goes away is waited for; the producer is made anew each time."""
    pause = FIRST_PAUSE
    while True:
        began = time.monotonic()
        try:
            async with _connected(agency.id, connection) as (inbox, updates), asyncio.TaskGroup() as group:
                group.create_task(_listen(agency, inbox, memory, reader))
                group.create_task(_speak(agency.id, updates, memory))
                group.create_task(reader.follow_links())
        except* KafkaError as errors:
            logger.warning("%s: Kafka is away or refuses us (%s)", agency.id, type(errors.exceptions[0]).__name__)
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


async def _listen(agency: SampleAgency, inbox: AIOKafkaConsumer, memory: Memory, reader: Reader) -> None:
    """Write down what comes in, and only then tell Kafka that it has been read."""
    while True:
        batches = await inbox.getmany(timeout_ms=1000, max_records=AT_ONCE)
        for records in batches.values():
            for heard in _readable(agency.id, records):
                _take_or_skip(agency, heard, memory, reader)
        if batches:
            try:
                await inbox.commit()
            except (CommitFailedError, IllegalStateError):
                logger.info("%s: the partitions moved on; what was read will come again", agency.id)


def _readable(agency: str, records: Iterable[ConsumerRecord[bytes, bytes]]) -> Iterable[Heard]:
    for record in records:
        try:
            yield read(record.headers, record.value)
        except ForeignMessageError as error:
            logger.warning("%s: message %s:%s %s", agency, record.partition, record.offset, error)


def _take_or_skip(agency: SampleAgency, heard: Heard, memory: Memory, reader: Reader) -> None:
    """One event that lacks what it must have does not keep us from the others; one that we know is passed over."""
    if reader.is_repeat(heard):
        return
    try:
        take(agency, heard, memory)
        reader.take(heard)
    except (KeyError, ValueError, TypeError) as error:
        logger.warning("%s: event %s is not of the contract: %s", agency.id, heard.id, type(error).__name__)


def take(agency: SampleAgency, heard: Heard, memory: Memory) -> None:
    """Do what an event of our inbox asks for; kinds that we do not know are passed over, as the contract says."""
    referral_id = heard.event.get("referral_id", "")
    match heard.type:
        case "referral.requested.v1" if is_ours_to_play(heard.event):
            memory.remember(heard, plan(referral_id, agency.tempo, agency.speed), time.time())
        case "referral.cancelled.v1":
            memory.drop(referral_id)
        case "person.erased.v1":
            memory.forget(referral_id)
        case "emergency.access.v1":
            logger.info("%s: another agency opened a case of ours in an emergency (%s)", agency.id, referral_id)
        case "disclosure.recalled.v1":
            logger.info("%s: told to use no longer what was given with referral %s", agency.id, referral_id)
        case "referral.overdue.v1":
            memory.hurry(referral_id, time.time())
        case "update.refused.v1":
            logger.warning("%s: update %s was refused", agency.id, heard.event.get("update_id"))
            memory.drop(referral_id)


def is_ours_to_play(event: dict[str, Any]) -> bool:
    """Tell whether a referral is to be answered: no history, and nothing that was open long before we began to play."""
    if event.get("record_only"):
        return False
    return datetime.fromisoformat(event["sent_at"]) - datetime.fromisoformat(event["submitted_at"]) < OLD


async def _speak(agency: str, updates: AIOKafkaProducer, memory: Memory) -> None:
    """Say what is due, in order, and forget it once the broker has it."""
    topic = f"agency.{agency}.updates.v1"
    while True:
        due = memory.due(time.time(), AT_ONCE)
        sending = []
        for update, sequence in due:
            value, headers = write(agency, update, sequence)
            sending.append(await updates.send(topic, value, update.case_id.encode(), headers=headers))
        await asyncio.gather(*sending)
        memory.said(update for update, _ in due)
        if not due:
            await asyncio.sleep(LOOK_EVERY)
