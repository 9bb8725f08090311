"""An event as the message that it is in Kafka, written so that people can read it."""

import json
from typing import Any

from deploy.contract.catalogue import Published, published
from deploy.contract.examples import examples
from deploy.contract.invented import AGENCY, example_id
from shared.events.event import Event
from shared.events.wire import event_id, write_time
from shared.kit.relay.outbox_rows import OutboxRow, frame

Message = dict[str, Any]

TRACEPARENT = f"00-{example_id('trace').hex}-{example_id('span').hex[:16]}-01"


def write_message(said: Published, event: Event) -> Message:
    """Write an event with the headers that a relay gives it: topic, key, headers and value."""
    topic = said.language.topic.format(agency=AGENCY)
    cause = example_id("cause")
    row = OutboxRow(
        id=1,
        topic=topic,
        case_id=str(event.case_id),
        event_id=str(event_id(cause, topic, event)),
        event_type=event.type,
        happened_at=write_time(event.happened_at),
        classification=event.label.value,
        causation_id=str(cause),
        sequence=1,
        traceparent=TRACEPARENT,
        value=event.model_dump_json(),
        raw=None,
    )
    key, value, headers = frame(row, said.language.source.format(agency=AGENCY).encode(), row.traceparent)
    return {
        "topic": topic,
        "key": (key or b"").decode(),
        "headers": {name: text.decode() for name, text in headers},
        "value": json.loads(value or b""),
    }


def example_messages() -> dict[str, Message]:
    """Write an example of each event, by the event's name."""
    found = {type(event): event for event in examples()}
    return {said.name: write_message(said, found[said.model]) for said in published()}
