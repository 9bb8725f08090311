"""What a consumer is given: messages that are events of their language, in batches."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, overload
from uuid import UUID

from aiokafka import ConsumerRecord

from shared.events.topics import TopicSpec
from shared.events.wire import Envelope, MalformedMessageError, read_envelope, read_event
from shared.kit.database.database import Transaction

E = TypeVar("E")
Record = ConsumerRecord[bytes, bytes]


@dataclass(frozen=True, slots=True)
class InboundMessage(Generic[E]):
    """One message that is an event of its language; `traceparent` is what follows from it should continue."""

    envelope: Envelope
    event: E
    topic: str
    traceparent: str | None
    record: Record

    @property
    def identity(self) -> tuple[str, UUID]:
        """What the inbox knows this message by."""
        return self.envelope.source, self.envelope.id


class Batch(Sequence[InboundMessage[E]]):
    """Messages in the order in which they were read, each for the first time."""

    def __init__(self, messages: Sequence[InboundMessage[E]]) -> None:
        self._messages = tuple(messages)

    @overload
    def __getitem__(self, index: int) -> InboundMessage[E]: ...
    @overload
    def __getitem__(self, index: slice) -> "Batch[E]": ...
    def __getitem__(self, index: int | slice) -> "InboundMessage[E] | Batch[E]":
        """Return one message, or a part of the batch."""
        return Batch(self._messages[index]) if isinstance(index, slice) else self._messages[index]

    def __len__(self) -> int:
        """Count the messages."""
        return len(self._messages)

    def __iter__(self) -> Iterator[InboundMessage[E]]:
        """Go through the messages in order."""
        return iter(self._messages)

    @property
    def subjects(self) -> list[UUID]:
        """The cases that the messages are about, each once, in order."""
        return list(dict.fromkeys(message.event.case_id for message in self._messages))  # type: ignore[attr-defined]


Handler = Callable[[Batch[Any], Transaction], Awaitable[None]]
"""Works on one batch in one transaction; what it raises undoes all of it."""

FastPath = Callable[[Batch[Any], Transaction], Awaitable[bool]]
"""Works on one batch by a single statement that is its own transaction, and that notes the batch in the inbox as well;
False when there is more to it. What is known after all violates a unique index there, which undoes all of it."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """What one consumer reads, and what is done with it; a family of topics (`agency.{agency}...`) goes by pattern.

    With several lanes, so many batches (of different partitions) are worked on at once: one decides while the
    database works for another. No more lanes than partitions are of use. What is not urgent may rest some seconds
    after each batch, so that fewer and larger ones do the same work. Who only listens is tolerant: an event of a type
    that it does not know is no mistake, and comes as a plain `Event`. What most batches need may be done `at_once`; the
    handler then gets the others only.
    """

    group: str
    spec: TopicSpec
    handler: Handler
    concurrency: int = 1
    min_batch_interval: float = 0.0
    ignore_unknown_types: bool = False
    fast_path: FastPath | None = None


def decode_record(spec: TopicSpec, record: Record, *, ignore_unknown_types: bool = False) -> InboundMessage[Any]:
    """Read one record.

    Raises:
        MalformedMessageError: it is not an event of this language, or its source may not write to this topic.
    """
    envelope = read_envelope(record.headers)
    if envelope.source != spec.source_of(record.topic):
        raise MalformedMessageError("ce_source is not the one that may write to this topic")
    event = read_event(spec, envelope, record.value, ignore_unknown_types=ignore_unknown_types)
    return InboundMessage(envelope, event, record.topic, envelope.traceparent, record)


def deduplicate(messages: Sequence[InboundMessage[Any]], fresh: set[tuple[str, UUID]]) -> Batch[Any]:
    """Keep the messages that are fresh, and of one that is there twice the first."""
    left = set(fresh)
    kept = []
    for message in messages:
        if message.identity in left:
            left.discard(message.identity)
            kept.append(message)
    return Batch(kept)
