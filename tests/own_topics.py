"""Topics with names that no other test has."""

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from shared.kit.kafka.access import KafkaAccess


@dataclass(frozen=True)
class OwnTopics:
    """Makes topics for one test on a shared Kafka."""

    kafka: KafkaAccess
    prefix: str = field(default_factory=lambda: f"t{uuid4().hex[:10]}")

    def name(self, name: str) -> str:
        """The full name of a topic of this test; also good for consumer groups."""
        return f"{self.prefix}.{name}"

    async def create(self, name: str, partitions: int = 1) -> str:
        """Make a topic and return its full name."""
        topic = self.name(name)
        admin = AIOKafkaAdminClient(**self.kafka.client())
        await admin.start()
        try:
            answer: Any = await admin.create_topics([NewTopic(topic, partitions, 1)])
        finally:
            await admin.close()
        # The client does not raise: the answer says for each topic what became of it.
        assert all(error == 0 for _, error, *_ in answer.topic_errors), answer
        return topic
