"""Sample agencies on real Kafka: killed at any moment, they lose no referral, and say nothing in other words."""

import asyncio
import json
import os
import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord

from deploy.kafka.topic_declarations import declared_topics
from deploy.kafka.topics import create_topics
from shared.kit.kafka.access import KafkaAccess
from tests.eventually import PATIENCE_SECONDS

pytestmark = pytest.mark.servers

REFERRALS = 60
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def request_help(kafka: KafkaAccess, agency: str, referrals: list[tuple[str, str]]) -> None:
    async with AIOKafkaProducer(**kafka.client()) as producer:
        for case_id, referral_id in referrals:
            times = {"sent_at": "2026-03-01T12:00:01Z", "submitted_at": "2026-03-01T12:00:00Z"}
            event = {"type": "referral.requested.v1", "case_id": case_id, "referral_id": referral_id, **times}
            headers = {
                "ce_specversion": "1.0",
                "ce_id": str(uuid4()),
                "ce_type": "referral.requested.v1",
                "ce_dataclassification": "confidential",
                "traceparent": TRACE,
            }
            value = json.dumps(event | {"record_only": False}).encode()
            wire = [(name, text.encode()) for name, text in headers.items()]
            await producer.send(f"agency.{agency}.inbox.v1", value, case_id.encode(), headers=wire)


async def send_rubbish(kafka: KafkaAccess, agency: str) -> None:
    labels = {"ce_specversion": "1.0", "ce_type": "referral.requested.v1", "ce_dataclassification": "confidential"}
    headers = [(name, text.encode()) for name, text in (labels | {"ce_id": str(uuid4())}).items()]
    async with AIOKafkaProducer(**kafka.client()) as producer:
        await producer.send(f"agency.{agency}.inbox.v1", b"not an event")
        await producer.send(f"agency.{agency}.inbox.v1", b'{"case_id": "1"}', headers=headers)


@asynccontextmanager
async def agencies_at_work(kafka: KafkaAccess, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    environment = os.environ | {
        **kafka.environment(),
        "HANDOFF_AGENCY_ACCOUNTS": str(folder) if kafka.user else "",
        "HANDOFF_DATA_DIR": str(folder),
        "HANDOFF_JURISDICTION": str(folder),
        "HANDOFF_AGENCY_SPEED": "3600",
    }
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "deploy.local.agencies", env=environment)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            assert await asyncio.wait_for(process.wait(), 15) == 0


async def hear_updates(kafka: KafkaAccess, agency: str, endings: int) -> list[ConsumerRecord[bytes, bytes]]:
    topic = f"agency.{agency}.updates.v1"
    heard: list[ConsumerRecord[bytes, bytes]] = []
    async with AIOKafkaConsumer(topic, **kafka.client(), auto_offset_reset="earliest") as consumer:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len({r.value for r in heard if is_ending(r)}) < endings:
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    heard += records
    return heard


def is_ending(record: ConsumerRecord[bytes, bytes]) -> bool:
    return json.loads(record.value or b"{}")["type"] in {"referral.completed.v1", "referral.rejected.v1"}


async def test_agencies_killed_in_the_middle_of_their_work_lose_no_referral(kafka: KafkaAccess, tmp_path: Path) -> None:
    agency = f"a{uuid4().hex[:8]}"
    tempo = 'median_answer = "PT1H"\nmedian_completion = "PT2H"\nrejected = 0.2\nheld = 0.2\n'
    (tmp_path / "agencies.toml").write_text(f'[[agency]]\nid = "{agency}"\n[agency.sample]\n{tempo}')
    account = "\n".join(f"{name}={value}" for name, value in kafka.properties().items())
    (tmp_path / f"{agency}.properties").write_text(account)
    await create_topics(kafka, [topic for topic in declared_topics([agency]) if agency in topic.name])
    await send_rubbish(kafka, agency)
    referrals = [(str(uuid4()), str(uuid4())) for _ in range(REFERRALS)]
    for part in range(3):
        await request_help(kafka, agency, referrals[part::3])
        async with agencies_at_work(kafka, tmp_path) as process:
            await asyncio.sleep(2.5)
            process.kill()
            await process.wait()
    async with agencies_at_work(kafka, tmp_path):
        heard = await hear_updates(kafka, agency, REFERRALS)
    check(heard, referrals)


def check(heard: list[ConsumerRecord[bytes, bytes]], referrals: list[tuple[str, str]]) -> None:
    said: dict[str, list[tuple[int, str]]] = defaultdict(list)
    by_id: dict[bytes, set[bytes | None]] = defaultdict(set)
    for record in heard:
        headers = dict(record.headers)
        event = json.loads(record.value or b"{}")
        by_id[headers["ce_id"]].add(record.value)
        entry = (int(headers["ce_sequence"]), event["type"])
        if entry not in said[event["referral_id"]]:
            said[event["referral_id"]].append(entry)
        assert headers["traceparent"].split(b"-")[1] == TRACE.split("-")[1].encode()
        assert record.key == event["case_id"].encode()
    assert set(said) == {referral_id for _, referral_id in referrals}
    assert all(len(values) == 1 for values in by_id.values())
    for steps in said.values():
        assert [sequence for sequence, _ in steps] == list(range(1, len(steps) + 1))
        assert steps[0][1] in {"referral.accepted.v1", "referral.rejected.v1"}
