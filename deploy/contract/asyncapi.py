"""The AsyncAPI 3 document: channels, messages, and the services and agencies that send and receive them."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, Final

from deploy.contract.catalogue import EventContract
from deploy.contract.headers import headers_expected, headers_of, headers_written
from deploy.kafka.topic_declarations import Topic, declared_topics
from shared.events.topics import dead_letter_topic

Document = dict[str, Any]

AGENCY: Final = "agency"
_PLACE: Final = "{agency}"

_ABOUT = """\
The messages between Handoff's services and the agencies over Apache Kafka. The tag of an operation names its service; \
an agency needs only the two operations with the tag `agency`.

Every message is a CloudEvent in binary mode: the envelope in the headers, the event as JSON in the value, the case's \
id as the key. Within `v1` only optional fields are added: ignore fields that you do not know."""

_DEAD_LETTER = """\
A message that a service could not process, as it received it: its key, its headers and its value may be anything. The \
service added the headers that are described here."""

_SERVER = {
    "host": "kafka.example.org:9092",
    "protocol": "kafka-secure",
    "description": "A city's Kafka.",
    "security": [{"$ref": "#/components/securitySchemes/account"}],
}
_ACCOUNT = {
    "type": "scramSha512",
    "description": "An account for each agency, which may only read the agency's inbox and write its updates.",
}


def document(events: Iterable[EventContract], examples: Mapping[str, Document], version: str) -> Document:
    """Return the document; `examples` are by the event's name."""
    families = {family: list(members) for family, members in groupby(events, lambda event: event.family)}
    topics = {topic.name: topic for topic in declared_topics([_PLACE])}
    return {
        "asyncapi": "3.0.0",
        "info": _info(version),
        "defaultContentType": "application/json",
        "servers": {"kafka": _SERVER},
        "channels": {
            **{family: _channel(members, topics) for family, members in families.items()},
            "dead-letters": _dead_letters(topics),
        },
        "operations": dict(_operations(families, topics)),
        "components": {
            "messages": {
                **{
                    _key(event): _message(event, examples[event.name])
                    for members in families.values()
                    for event in members
                },
                "dead-letter": {"summary": _DEAD_LETTER, "headers": _letter_headers(), "payload": {}},
            },
            "schemas": {"event-headers": headers_written(), "update-headers": headers_expected()},
            "securitySchemes": {"account": _ACCOUNT},
        },
    }


def _info(version: str) -> Document:
    return {
        "title": "Handoff events",
        "version": version,
        "description": _ABOUT,
        "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
    }


def _channel(members: list[EventContract], topics: Mapping[str, Topic]) -> Document:
    spec = members[0].language
    channel: Document = {
        "address": spec.topic,
        "description": f"The only valid source of these messages is `{spec.source}`.",
        "messages": {event.event_type: {"$ref": f"#/components/messages/{_key(event)}"} for event in members},
        "bindings": _bindings(topics[spec.topic]),
    }
    if _PLACE in spec.topic:
        channel["parameters"] = {"agency": {"description": "The agency's id."}}
    return channel


def _bindings(topic: Topic) -> Document:
    settings = {"retention.ms": int(topic.settings["retention.ms"])}
    return {"kafka": {"partitions": topic.partitions, "topicConfiguration": settings, "bindingVersion": "0.5.0"}}


def _dead_letters(topics: Mapping[str, Topic]) -> Document:
    services = sorted(name.partition(".")[0] for name in topics if name.endswith(dead_letter_topic("")))
    return {
        "address": dead_letter_topic("{service}"),
        "description": "Messages that a service has set aside, for operators to inspect, repair and redeliver.",
        "parameters": {"service": {"description": "The service that has set them aside.", "enum": services}},
        "messages": {"dead-letter": {"$ref": "#/components/messages/dead-letter"}},
    }


def _letter_headers() -> Document:
    about = {
        "dl-reason": "The error, without any value of the message.",
        "dl-consumer": "The consumer group that set it aside.",
        "dl-tries": "How often it was processed.",
        "dl-topic": "The topic that it was read from.",
        "dl-partition": "The partition.",
        "dl-offset": "The offset in the partition.",
    }
    properties = {name: {"type": "string", "description": description} for name, description in about.items()}
    return {"type": "object", "required": list(about), "properties": properties}


def _message(event: EventContract, example: Document) -> Document:
    base = "update-headers" if _PLACE in event.language.source else "event-headers"
    return {
        "name": event.event_type,
        "title": event.model.__name__,
        "summary": (event.model.__doc__ or "").partition("\n")[0],
        "headers": headers_of(event, f"#/components/schemas/{base}"),
        "payload": {"$ref": f"./schemas/{event.name}.json"},
        "bindings": {"kafka": {"key": {"type": "string", "format": "uuid"}, "bindingVersion": "0.5.0"}},
        "examples": [{"headers": example["headers"], "payload": example["value"]}],
    }


def _operations(
    families: Mapping[str, list[EventContract]], topics: Mapping[str, Topic]
) -> Iterator[tuple[str, Document]]:
    for family, members in families.items():
        topic = topics[members[0].language.topic]
        yield f"{_party(topic.owner)}-says-{family}", _operation("send", family, topic.owner)
        for reader in topic.readers:
            yield f"{_party(reader)}-hears-{family}", _operation("receive", family, reader)
    yield "service-sets-aside", _operation("send", "dead-letters", "service")


def _operation(action: str, channel: str, party: str) -> Document:
    return {"action": action, "channel": {"$ref": f"#/channels/{channel}"}, "tags": [{"name": _party(party)}]}


def _party(party: str) -> str:
    return AGENCY if party == _PLACE else party


def _key(event: EventContract) -> str:
    return f"{event.family}.{event.event_type}"
