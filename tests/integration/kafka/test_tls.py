"""A broker with TLS, with the certificates that the job for Docker Compose creates."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from faststream import AckPolicy

from deploy.errors import NotReadyError
from deploy.kafka.certificates import create_certificates
from deploy.kafka.preparation import apply_rules, write_account_files
from deploy.kafka.topic_declarations import declared_topics
from deploy.kafka.topics import create_topics
from deploy.local.agencies.credentials import read_account
from deploy.local.ports import any_free
from deploy.local.servers.kafka import KafkaNode, prepare_kafka
from deploy.local.servers.temporary import kafka_runtime, running, temporary_folder
from deploy.readiness import wait_for_kafka
from shared.kit.kafka.access import KafkaAccess
from shared.kit.kafka.clients import make_broker, make_producer, start_broker

pytestmark = [pytest.mark.servers, pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def admin() -> Iterator[KafkaAccess]:
    """A broker with TLS for its clients, with its administrator's account."""
    with temporary_folder() as folder:
        create_certificates(folder, folder, ["127.0.0.1"])
        port, controller_port = any_free(2)
        node = KafkaNode(folder / "kafka", port, controller_port, "tests")
        program = prepare_kafka(node, kafka_runtime())
        settings = node.settings_file.read_text().replace("CLIENTS:SASL_PLAINTEXT", "CLIENTS:SASL_SSL")
        node.settings_file.write_text(settings + _tls(folder))
        with running(program, folder / "kafka.log"):
            yield replace(node.access, ca=folder / "ca.pem")


def _tls(folder: Path) -> str:
    files = {"keystore": folder / "broker.pem", "truststore": folder / "ca.pem"}
    return "".join(f"ssl.{store}.type=PEM\nssl.{store}.location={file}\n" for store, file in files.items())


async def test_our_clients_and_a_partners_client_connect_to_it(admin: KafkaAccess, tmp_path: Path) -> None:
    await wait_for_kafka(admin)
    topics = declared_topics(["hpd"])
    await create_topics(admin, topics)
    apply_rules(admin, {"routing": "a-password"} | write_account_files(tmp_path, ["hpd"], admin), topics)
    routing = replace(admin, user="routing", password="a-password")
    async with make_producer(routing, "routing") as producer:
        await producer.send_and_wait("agency.hpd.inbox.v1", b"sealed")
    async with make_producer(admin, "admin") as producer:
        await producer.send_and_wait("intake.cases.v1", b"a case")
    async with make_broker(routing, "routing") as broker:
        subscriber: Any = broker.subscriber(
            "intake.cases.v1",
            group_id="routing",
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.NACK_ON_ERROR,
        )
        await start_broker(broker)
        assert (await subscriber.get_one(timeout=20)).body == b"a case"
    account = read_account(tmp_path / "hpd.properties")
    inbox = AIOKafkaConsumer("agency.hpd.inbox.v1", **account, group_id="agency.hpd", auto_offset_reset="earliest")
    async with inbox as consumer:
        assert (await consumer.getone()).value == b"sealed"


async def test_a_broker_with_a_certificate_of_another_authority_is_rejected(admin: KafkaAccess, tmp_path: Path) -> None:
    await wait_for_kafka(admin)
    create_certificates(tmp_path, tmp_path, ["127.0.0.1"])
    with pytest.raises(NotReadyError, match="HANDOFF_KAFKA_CA"):
        await wait_for_kafka(replace(admin, ca=tmp_path / "ca.pem"))
