"""Messages as a consumer gets them: decoded events of one topic, in batches; and what a service subscribes to."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, overload
from uuid import UUID

from aiokafka import ConsumerRecord

from shared.events.event import Event
from shared.events.topics import TopicSpec
from shared.events.wire import Envelope, MalformedMessageError, read_envelope, read_event
from shared.kit.database.database import Transaction

E = TypeVar("E", bound=Event)
Record = ConsumerRecord[bytes, bytes]


@dataclass(frozen=True, slots=True)
class InboundMessage(Generic[E]):
    """One message, decoded; the events that it causes continue `traceparent`."""

    envelope: Envelope
    event: E
    topic: str
    traceparent: str | None
    record: Record

    @property
    def known_type(self) -> str | None:
        """The event's type; None if the topic does not know it: then it is text that a stranger chose."""
        return None if type(self.event) is Event else self.envelope.type

    @property
    def identity(self) -> tuple[str, UUID]:
        """Source and event id, by which the inbox knows this message."""
        return self.envelope.source, self.envelope.id


class Batch(Sequence[InboundMessage[E]]):
    """New messages, each once, in the order in which they were read."""

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
        """Return the number of messages."""
        return len(self._messages)

    def __iter__(self) -> Iterator[InboundMessage[E]]:
        """Iterate over the messages in order."""
        return iter(self._messages)

    @property
    def subjects(self) -> list[UUID]:
        """The cases that the messages are about, each once, in order."""
        return list(dict.fromkeys(message.event.case_id for message in self._messages))


Handler = Callable[[Batch[Any], Transaction], Awaitable[None]]
"""Processes one batch in one transaction; an exception rolls all of it back."""

FastPath = Callable[[Batch[Any], Transaction], Awaitable[bool]]
"""Processes one batch by a single statement outside of a transaction, which also records the batch in the inbox.

It returns False, and changes nothing, if the batch needs more than that. A message that is not new violates the unique
index of the inbox, which rolls the statement back.
"""


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a consumer group reads, and the handler that processes it.

    A family of topics (`agency.{agency}...`) is subscribed to by its pattern.

    Attributes:
        concurrency: consumers in this process, each with partitions of its own: one decides while the database works
            for another. More than the topic has partitions are of no use.
        min_batch_interval: seconds to wait after each batch. Fewer, larger batches do the same work at less cost.
        ignore_unknown_types: decode an event of a type that the topic does not know as a plain `Event`; otherwise it is
            a malformed message. For services that only follow what others do.
        fast_path: tried first; the handler processes the batches for which it returns False.
    """

    group: str
    spec: TopicSpec
    handler: Handler
    concurrency: int = 1
    min_batch_interval: float = 0.0
    ignore_unknown_types: bool = False
    fast_path: FastPath | None = None


def decode_record(spec: TopicSpec, record: Record, *, ignore_unknown_types: bool = False) -> InboundMessage[Any]:
    """Decode one record.

    Raises:
        MalformedMessageError: it is not an event of this topic, or its source may not write to this topic.
    """
    envelope = read_envelope(record.headers)
    if envelope.source != spec.source_of(record.topic):
        raise MalformedMessageError("ce_source is not the one that may write to this topic")
    event = read_event(spec, envelope, record.value, ignore_unknown_types=ignore_unknown_types)
    return InboundMessage(envelope, event, record.topic, envelope.traceparent, record)


def deduplicate(messages: Sequence[InboundMessage[Any]], new: set[tuple[str, UUID]]) -> Batch[Any]:
    """Return the messages whose identities are `new`; of a message that occurs twice, the first."""
    left = set(new)
    batch = []
    for message in messages:
        if message.identity in left:
            left.discard(message.identity)
            batch.append(message)
    return Batch(batch)
